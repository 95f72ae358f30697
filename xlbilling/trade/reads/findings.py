"""Findings: what the checks say about a register, a service, a route or a file, each with its fact, remedy and severity."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.checks import CHECKS
from xlbilling.trade.reads.rules import OFF, Rules
from xlbilling.trade.reads.units import MILLION

COLUMNS: Final = [
    "exception_id",
    "severity",
    "rule",
    "service_id",
    "account_id",
    "meter_id",
    "place",
    "fact",
    "remedy",
    "money_at_risk",
]
COVERS: Final = ["exception_id", "service_id"]
_AGAIN: Final = " / "  # between a check and what its finding is about instead of a read: spike / override
Mask = npt.NDArray[np.bool_] | pd.Series
Facts: TypeAlias = Callable[[Any], str]


def check_of(rule: str) -> str:
    """The check behind a finding's rule: the one that looked at an override is the one that looks at reads."""
    return rule.partition(_AGAIN)[0]


def on_override(rule: pd.Series[Any], number: int) -> pd.Series[Any]:
    """What findings on typed dials are called: `spike / override`, `spike / override 2` where that was typed over."""
    return rule + _AGAIN + "override" + (f" {number}" if number > 1 else "")


def of_estimate(rule: pd.Series[Any]) -> pd.Series[Any]:
    """What findings are called on services that are estimated in part: `spike / estimate`."""
    return rule + _AGAIN + "estimate"


def keys_of(findings: pd.DataFrame) -> pd.Series[str]:
    """What each finding is about (a register, a meter, a service, a route, a file), from exception_id and rule."""
    names = zip(findings["exception_id"], findings["rule"], strict=True)
    return pd.Series([str(name).removeprefix(f"{rule} ") for name, rule in names], index=findings.index, dtype="str")


def quantity(value: float) -> str:
    """A quantity in millionths as a person reads it: 14500000 -> 14.5, 421817000000 -> 421,817."""
    text = f"{value / MILLION:,.3f}"
    return text.rstrip("0").rstrip(".")


def find(
    rule: str, rules: Rules, rows: pd.DataFrame, where: Mask, column: str, fact: Facts, severity: str = ""
) -> pd.DataFrame:
    """The findings of one check: the rows of `rows` where the mask holds, unless the district has the check off.

    A row names its finding by `finding_key` (a register, a service, a route, a file), its sheet row by read_id, or by
    meter_id and register_id where no read was taken, and the money by `at_risk` (cents). customer_class and meter_size
    choose the severity on Policy; `severity` given here is the least it has where the check is not off.
    """
    marked = np.flatnonzero(np.asarray(where, dtype=bool))
    if not len(marked):
        return _NONE
    chosen = rows.iloc[marked]
    grave = rules.severities_of(rule, chosen)
    if (grave == OFF).any():
        chosen, grave = chosen.iloc[np.flatnonzero(grave != OFF)], grave[grave != OFF]
        if chosen.empty:
            return _NONE
    return pd.DataFrame(
        {
            "exception_id": rule + " " + chosen["finding_key"].astype("str"),
            "severity": severity or grave,
            "rule": rule,
            "service_id": chosen["service_id"],
            "account_id": chosen["account_id"],
            "meter_id": chosen["meter_id"],
            "place": _places(chosen, column),
            "fact": [fact(row) for row in each(chosen)],
            "remedy": CHECKS[rule].remedy,
            "money_at_risk": chosen["at_risk"].to_numpy(dtype=np.int64),
        }
    )


def each(rows: pd.DataFrame) -> Iterator[Any]:
    """The rows as tuples with the columns' names, in plain Python values."""
    row = namedtuple("row", list(rows.columns))  # type: ignore[misc]
    return map(row, *(rows[name].astype(object).tolist() for name in rows.columns))


_NONE: Final = pd.DataFrame(columns=COLUMNS)


def _places(rows: pd.DataFrame, column: str) -> list[str]:
    """Where each row is, as table|key|column: its read, or its register on Meters where no read was taken."""
    removed = rows["removed"].tolist()
    ids: list[Any] = rows["read_id"].astype("Int64").tolist()
    meters = zip(rows["meter_id"], rows["register_id"], removed, strict=True)
    return [
        f"meters|{meter} / {register}|{'final_read' if gone else 'last_read'}"
        if read is pd.NA or read is None
        else f"reads|{read}|{column}"
        for read, (meter, register, gone) in zip(ids, meters, strict=True)
    ]


def together(listed: list[pd.DataFrame]) -> pd.DataFrame:
    """The findings of all checks in one frame."""
    said = [frame for frame in listed if len(frame)]
    return pd.concat(said, ignore_index=True) if said else _NONE.copy()


def covers(finding: pd.DataFrame, services: pd.Series[Any]) -> pd.DataFrame:
    """Which services a finding that stands for many is about; one row a service. Empty where the finding was not made."""
    if finding.empty:
        return pd.DataFrame(columns=COVERS)
    return pd.DataFrame({"exception_id": finding["exception_id"].iloc[0], "service_id": services.unique()})


def unknown_meters(reads: pd.DataFrame, laid: pd.DataFrame, elsewhere: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """Reads of meters that are on no service of the cycle; one finding a register, with what file and office know.

    The office may know the meter otherwise (`elsewhere`: meter_id, known_as in words). The row of the file may name an
    account; where that account's own register (`laid`) has no read, the meter may be its new one.
    """
    silent = laid.loc[laid["due"] & laid["missing"]].drop_duplicates("account_id")
    own = dict(zip(silent["account_id"], silent["register_key"], strict=True)) if len(reads) else {}

    known = dict(zip(elsewhere["meter_id"], elsewhere["known_as"], strict=True)) if len(reads) else {}

    def say(r: Any) -> str:
        parts = [f"meter {r.register_key} is on no active service of this cycle"]
        if r.meter_id in known:
            parts.append(f"it {known[r.meter_id]}")
        if r.file_account:
            lacks = f", whose meter {own[r.file_account]} has no read" if r.file_account in own else ""
            parts.append(f"its row names account {r.file_account}{lacks}")
        return "; ".join(parts)

    rows = reads.drop_duplicates("register_key").assign(
        service_id="", customer_class="", meter_size="", removed=False, at_risk=0, file_account=reads["account_id"]
    )
    rows["finding_key"] = rows["register_key"]
    return find("unknown_meter", rules, rows, np.ones(len(rows), dtype=bool), "meter_id", say)
