"""Overrides: a dial typed on Exceptions takes the place of the read, and is checked like one.

What the checks say of typed dials are findings of their own, named `spike / override`. They are decided like any other;
a dial typed on one of them takes the place of the first and is checked anew (`spike / override 2`).
"""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.reads.findings import check_of, keys_of, on_override
from xlbilling.reads.units import MILLION, millionths, same

Whole = npt.NDArray[np.int64]
_DIAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_ONE_DIAL: Final = "override: the finding is about many meters; decide estimate, or take in their reads"
_SEVERAL: Final = "override: the service has several registers; ask for a re-read, or estimate"
_NOT_OF_THE_DIAL: Final = ("outside_window", "leak")  # what another dial says nothing new of


def typed_dials(
    findings: pd.DataFrame, covers: pd.DataFrame, laid: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The dials typed on these findings, one row a register, and by service why one cannot be taken.

    Columns: at (the register's row in `laid`), service_id, dial_read, read_value (millionths), read_date (the day it is
    billed to: of the read it replaces, or the last day of a service that has ended). Two different dials for one
    register are both left.
    """
    typed = findings.loc[findings["decision"].eq("override")]
    broken = {
        str(service): _ONE_DIAL
        for service in covers.loc[covers["exception_id"].isin(typed["exception_id"]), "service_id"]
    }
    rows: dict[int, dict[str, Any]] = {}
    due = laid["due"].to_numpy(dtype=bool)
    row: Any
    for row in typed.assign(key=keys_of(typed)).loc[typed["service_id"].ne("")].itertuples(index=False):
        service = np.flatnonzero(same(laid["service_id"], row.service_id) & due)
        named = service[same(laid["register_key"].iloc[service], row.key)]
        chosen = named if len(named) else service
        if not len(chosen):
            continue
        register = laid.iloc[int(chosen[0])]
        ended = check_of(row.rule) == "service_ended"
        why = _SEVERAL if len(chosen) > 1 else _wrong(row.override_read, register, rows.get(int(chosen[0])), ended)
        if why:
            broken[row.service_id] = why
            continue
        rows[int(chosen[0])] = {
            "at": int(chosen[0]), "service_id": row.service_id, "dial_read": row.override_read,
            "read_value": millionths(row.override_read), "read_date": register["ends_on" if ended else "read_date"],
        }  # fmt: skip
    taken = [dial for dial in rows.values() if dial["service_id"] not in broken]
    return pd.DataFrame(taken, columns=["at", "service_id", "dial_read", "read_value", "read_date"]), broken


def _wrong(text: str, register: Any, other: dict[str, Any] | None, ended: bool) -> str:
    """Why what was typed is no dial of this register; blank where it is one."""
    if not _DIAL.fullmatch(text):
        return f"override: {text!r} is not a dial read"
    if millionths(text) >= 10 ** int(register["dials"]) * MILLION:
        return f"override: {text} has more digits than the meter's {register['dials']} dials"
    if other is not None and other["read_value"] != millionths(text):
        both = f"{other['dial_read']} and {text} are both typed for register {register['register_key']}"
        return f"override: {both}; leave one of them"
    if ended and pd.isna(register["ends_on"]):
        return "override: the day the service is billed to is not known; type it on Services or Accounts"
    return ""


def with_typed(
    registers: pd.DataFrame, reads: pd.DataFrame, laid: pd.DataFrame, dials: pd.DataFrame, number: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Registers and reads with each typed dial in the place of its register's read, `number` times over.

    A typed dial is in the meter's own unit. A meter taken out has it as its final read.
    """
    at = dials["at"].to_numpy(dtype=np.int64)
    of = laid.iloc[at]
    typed, final = registers["typed"].to_numpy(dtype=np.int64).copy(), registers["final_read"].astype(object).copy()
    typed[at] = number
    gone = at[of["removed"].to_numpy(dtype=bool)]
    final.iloc[gone] = dials["dial_read"].to_numpy(dtype=object)[of["removed"].to_numpy(dtype=bool)]
    came_in = reads.drop_duplicates("register_at").set_index("register_at")[["import_id", "source_line"]].reindex(at)
    instead = pd.DataFrame(
        {
            "import_id": came_in["import_id"].fillna(0).to_numpy(dtype=np.int64),
            "source_line": came_in["source_line"].fillna(0).to_numpy(dtype=np.int64),
            "register_key": of["register_key"].to_numpy(),
            "register_at": at,
            "read_id": of["read_id"].astype("Int64").array,
            "read_date": pd.to_datetime(dials["read_date"]).to_numpy().astype("datetime64[s]"),
            "dial_read": dials["dial_read"].to_numpy(),
            "read_value": pd.array(dials["read_value"].tolist(), dtype="Int64"),
            "read_unit": "",
            "read_code": "actual",
            "others": 0,
            "differing": "",
        }
    )
    kept = reads.loc[~reads["register_at"].isin(at)].astype({"read_id": "Int64", "read_value": "Int64"})
    made = pd.concat([kept[[*instead.columns]], instead], ignore_index=True) if len(kept) else instead
    return registers.assign(typed=typed, final_read=final.astype("str")), made


def after_override(
    findings: pd.DataFrame, again: pd.DataFrame, dials: pd.DataFrame, laid: pd.DataFrame, number: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What still stands of the findings once dials are typed, and what the checks newly say of the typed dials.

    `again` are the findings of all registers with the typed dials in place. What was open about a dial that is no longer
    billed is gone with it. What was said before, and not answered by the very dial, is not said twice.
    """
    near = _near(dials, laid)
    again = again.loc[again["service_id"].isin(near)]
    said = dict(zip(findings["exception_id"], zip(findings["fact"], findings["decision"], strict=True), strict=True))
    known = [said.get(name, ("", "")) for name in again["exception_id"]]
    told = np.array(
        [
            before == fact and decision != "override"
            for (before, decision), fact in zip(known, again["fact"], strict=True)
        ],
        dtype=bool,
    )
    fresh = again.loc[~told & ~again["rule"].isin(_NOT_OF_THE_DIAL).to_numpy(dtype=bool)]
    rule = on_override(fresh["rule"], number)
    fresh = fresh.assign(rule=rule, exception_id=rule + " " + keys_of(fresh))
    now = dict(zip(again["exception_id"], again["fact"], strict=True))
    gone = findings["service_id"].isin(near) & findings["decision"].eq("")
    gone &= findings["exception_id"].map(now).astype(object).fillna("").ne(findings["fact"])
    return findings.loc[~gone], fresh.reset_index(drop=True)


def _near(dials: pd.DataFrame, laid: pd.DataFrame) -> set[str]:
    """The services of typed dials, and those whose master meter measures their water too."""
    services = set(dials["service_id"])
    masters = laid.loc[laid["service_id"].isin(services) & laid["master_meter"].ne(""), "master_meter"]
    return services | set(laid.loc[laid["meter_id"].isin(masters), "service_id"])
