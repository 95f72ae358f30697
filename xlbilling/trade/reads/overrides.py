"""Overrides: a dial or a day typed on Exceptions takes the place of the read's, and is checked like one.

What the checks say of what was typed are findings of their own, named `spike / override`. They are decided like any
other; what is typed on one of them takes the place of the first and is checked anew (`spike / override 2`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.findings import check_of, keys_of, on_override
from xlbilling.trade.reads.units import MILLION, millionths, same

Whole = npt.NDArray[np.int64]
_DIAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_OF_REGISTER: Final = re.compile(r"([^=\s;,]+)=(\S*?)[;,]?(?:\s+|$)")
_ONE_DIAL: Final = "override: the finding is about many meters; decide estimate, or take in their reads"
_NOT_OF_THE_DIAL: Final = ("outside_window", "leak")  # what another dial says nothing new of
_NOT_OF_THE_DAY: Final = "leak"
_TAKEN: Final = {
    "at": "int64", "service_id": "str", "dial_read": "str", "read_value": "Int64", "read_unit": "str", "read_code": "str",
    "others": "int64", "differing": "str", "read_date": "datetime64[s]", "dial_typed": "bool", "day_typed": "bool",
}  # fmt: skip


@dataclass(slots=True)
class _Typed:
    """What was typed for one register: a dial, a day, or both; `ended` where it was on the end of its service."""

    dial: str = ""
    day: Any = pd.NaT
    ended: bool = False


def typed_reads(
    findings: pd.DataFrame, covers: pd.DataFrame, laid: pd.DataFrame
) -> tuple[pd.DataFrame, dict[str, str]]:
    """What was typed on these findings, one row a register, and by service why something cannot be taken.

    A dial (override_read) is that of the register the finding names, or of the service's only one; for a service with
    several it is typed with their names (L=0111 H=0015). A day (override_date) is that of the read, its dial staying
    as it came unless one is typed as well; on a finding of the service it is the day of all its registers. Of two
    findings on one register each may say one of both; two different dials or days are both left.

    Columns: at (the register's row in `laid`), service_id, dial_read, read_value (millionths), read_unit (blank for a
    typed dial: the meter's own), read_code, others, differing, read_date (the day it is billed to: the one typed, else
    that of the read, or the last day of a service that has ended), dial_typed, day_typed.
    """
    typed = findings.loc[findings["decision"].eq("override")]
    broken = {
        str(service): _ONE_DIAL
        for service in covers.loc[covers["exception_id"].isin(typed["exception_id"]), "service_id"]
    }
    known: dict[int, _Typed] = {}
    due = laid["due"].to_numpy(dtype=bool)
    row: Any
    for row in typed.assign(key=keys_of(typed)).loc[typed["service_id"].ne("")].itertuples(index=False):
        service = np.flatnonzero(same(laid["service_id"], row.service_id) & due)
        named = service[same(laid["register_key"].iloc[service], row.key)]
        chosen = named if len(named) else service
        if not len(chosen):
            continue
        why = _put_down(known, row, laid.iloc[service], service, chosen)
        if why:
            broken[row.service_id] = why
    taken = []
    for at, of_register in known.items():
        register = laid.iloc[at]
        why = broken.get(register["service_id"], "") or _wrong(of_register, register)
        if why:
            broken[register["service_id"]] = why
        else:
            taken.append(_instead(at, of_register, register))
    taken = [each for each in taken if each["service_id"] not in broken]
    return pd.DataFrame(taken, columns=list(_TAKEN)).astype(_TAKEN), broken


def _put_down(known: dict[int, _Typed], row: Any, registers: pd.DataFrame, service: Whole, chosen: Whole) -> str:
    """Put what one finding says down for its registers; why it cannot be, blank where it can."""
    text, day = row.override_read.strip(), row.override_date
    if "=" in text:
        dials, why = _by_name(text, registers, service)
        if why:
            return why
    elif not text and not pd.isna(day):
        dials = dict.fromkeys(chosen.tolist(), "")
    elif len(chosen) > 1:
        names = " ".join(f"{name}=..." for name in registers["register_key"])
        return f"override: the service has several registers; type {names}, ask for a re-read, or estimate"
    else:
        dials = {int(chosen[0]): text}
    for at, dial in dials.items():
        of_register = known.setdefault(at, _Typed())
        name = _name_of(registers, service, at)
        if not dial and pd.isna(day):
            return f"override: {dial!r} is not a dial read"
        if dial and of_register.dial and _differ(dial, of_register.dial):
            return f"override: {of_register.dial} and {dial} are both typed for register {name}; leave one of them"
        if not pd.isna(day) and not pd.isna(of_register.day) and day != of_register.day:
            both = f"{of_register.day:%Y-%m-%d} and {day:%Y-%m-%d}"
            return f"override: {both} are both typed for register {name}; leave one of them"
        of_register.dial = dial or of_register.dial
        of_register.day = of_register.day if pd.isna(day) else day
        of_register.ended |= check_of(row.rule) == "service_ended"
    return ""


def _name_of(registers: pd.DataFrame, service: Whole, at: int) -> str:
    return str(registers["register_key"].iloc[int(np.flatnonzero(service == at)[0])])


def _differ(dial: str, other: str) -> bool:
    """Whether two texts are two dials; what is no dial at all differs from everything else."""
    both = _DIAL.fullmatch(dial) and _DIAL.fullmatch(other)
    return millionths(dial) != millionths(other) if both else dial != other


def _by_name(text: str, registers: pd.DataFrame, service: Whole) -> tuple[dict[int, str], str]:
    """Dials typed with the names of their registers (M03:L=0111 H=0015), and why they cannot be taken."""
    if not re.fullmatch(rf"(?:{_OF_REGISTER.pattern})+", text):
        return {}, f"override: {text!r} is not a dial for each register, such as M03:L=0111 M03:H=0015"
    dials: dict[int, str] = {}
    for name, dial in _OF_REGISTER.findall(text):
        fits = np.zeros(len(registers), dtype=bool)
        for column in ("register_key", "register_id", "meter_id"):
            fits = fits if fits.any() else same(registers[column], name)
        if fits.sum() != 1:
            there = ", ".join(registers["register_key"])
            return {}, f"override: {name} names {int(fits.sum())} registers of the service, which has {there}"
        at = int(service[int(np.flatnonzero(fits)[0])])
        if not dial or at in dials:
            return {}, f"override: {text!r} has no dial, or two, for register {name}"
        dials[at] = dial
    return dials, ""


def _wrong(typed: _Typed, register: Any) -> str:
    """Why what was typed cannot be the read of this register; blank where it can."""
    if typed.dial and not _DIAL.fullmatch(typed.dial):
        return f"override: {typed.dial!r} is not a dial read"
    if typed.dial and millionths(typed.dial) >= 10 ** int(register["dials"]) * MILLION:
        return f"override: {typed.dial} has more digits than the meter's {register['dials']} dials"
    if not pd.isna(typed.day):
        return _wrong_day(typed, register)
    if typed.ended and pd.isna(register["ends_on"]):
        return "override: the day the service is billed to is not known; type it on Services or Accounts"
    return ""


def _wrong_day(typed: _Typed, register: Any) -> str:
    """Why a day cannot be that of the register's read; a day outside the window is a finding and no fault."""
    name, last = register["register_key"], register["previous_date"]
    if not typed.dial and pd.isna(register["read_value"]):
        return f"override: register {name} has no read to give the day to; type its dial in Override read as well"
    if register["removed"]:
        return f"override: {name} was taken out; the day of its final read is Removed on sheet Meters"
    if not pd.isna(last) and typed.day <= last:
        day = f"{typed.day:%Y-%m-%d} is not after {last:%Y-%m-%d}, the day of the last read of register {name}"
        return f"override: {day}; type the day it was read, or ask for a re-read"
    return ""


def _instead(at: int, typed: _Typed, register: Any) -> dict[str, Any]:
    """The read of a register with what was typed in its place."""
    day = typed.day
    if pd.isna(day):
        day = register["ends_on" if typed.ended else "read_date"]
    row = {name: register[name] for name in ("service_id", "dial_read", "read_value", "read_unit", "read_code", "others", "differing")}  # fmt: skip
    if typed.dial:
        row |= {"dial_read": typed.dial, "read_value": millionths(typed.dial), "read_unit": "", "read_code": "actual"}
        row |= {"others": 0, "differing": ""}
    return row | {"at": at, "read_date": day, "dial_typed": bool(typed.dial), "day_typed": not pd.isna(typed.day)}


def with_typed(
    registers: pd.DataFrame, reads: pd.DataFrame, laid: pd.DataFrame, instead: pd.DataFrame, number: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Registers and reads with what was typed in the place of each register's read, `number` times over.

    A typed dial is in the meter's own unit. A meter taken out has it as its final read. A day alone leaves the dial,
    and with it what was decided on the dial, as it is.
    """
    at, dial = instead["at"].to_numpy(dtype=np.int64), instead["dial_typed"].to_numpy(dtype=bool)
    of = laid.iloc[at]
    typed, final = registers["typed"].to_numpy(dtype=np.int64).copy(), registers["final_read"].astype(object).copy()
    typed[at[dial]] = number
    gone = of["removed"].to_numpy(dtype=bool)
    final.iloc[at[gone]] = instead["dial_read"].to_numpy(dtype=object)[gone]
    came_in = reads.drop_duplicates("register_at").set_index("register_at")[["import_id", "source_line"]].reindex(at)
    made = instead[["read_date", "dial_read", "read_value", "read_unit", "read_code", "others", "differing"]].assign(
        import_id=came_in["import_id"].fillna(0).to_numpy(dtype=np.int64),
        source_line=came_in["source_line"].fillna(0).to_numpy(dtype=np.int64),
        register_key=of["register_key"].to_numpy(),
        register_at=at,
        read_id=of["read_id"].astype("Int64").array,
    )
    kept = reads.loc[~reads["register_at"].isin(at)].astype({"read_id": "Int64", "read_value": "Int64"})
    both = pd.concat([kept[[*made.columns]], made], ignore_index=True) if len(kept) else made
    return registers.assign(typed=typed, final_read=final.astype("str")), both


def after_override(
    findings: pd.DataFrame, again: pd.DataFrame, instead: pd.DataFrame, laid: pd.DataFrame, number: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What still stands of the findings once dials and days are typed, and what the checks newly say of those.

    `again` are the findings of all registers with what was typed in place. What was open about a dial or a day that is
    no longer billed is gone with it. What was said before, and not answered by the very read, is not said twice.
    """
    near = _near(instead, laid)
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
    dated = keys_of(again).isin(laid["register_key"].iloc[instead.loc[instead["day_typed"], "at"]])
    old = again["rule"].isin(_NOT_OF_THE_DIAL) & ~(dated & again["rule"].ne(_NOT_OF_THE_DAY))
    fresh = again.loc[~told & ~old.to_numpy(dtype=bool)]
    rule = on_override(fresh["rule"], number)
    fresh = fresh.assign(rule=rule, exception_id=rule + " " + keys_of(fresh))
    now = dict(zip(again["exception_id"], again["fact"], strict=True))
    gone = findings["service_id"].isin(near) & findings["decision"].eq("")
    gone &= findings["exception_id"].map(now).astype(object).fillna("").ne(findings["fact"])
    return findings.loc[~gone], fresh.reset_index(drop=True)


def _near(instead: pd.DataFrame, laid: pd.DataFrame) -> set[str]:
    """The services of what was typed, and those whose master meter measures their water too."""
    services = set(instead["service_id"])
    masters = laid.loc[laid["service_id"].isin(services) & laid["master_meter"].ne(""), "master_meter"]
    return services | set(laid.loc[laid["meter_id"].isin(masters), "service_id"])
