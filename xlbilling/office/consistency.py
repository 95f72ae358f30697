"""Consistency: what a typed row must agree with beyond its own cells, looked at before Save writes anything."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from xlbilling.office.buttons import ROLES_GIVEN
from xlbilling.office.desk import Desk
from xlbilling.office.policy import STAFF, wrong_values
from xlbilling.office.recipes import wrong_recipes
from xlbilling.office.rejecting import wrong_rejects
from xlbilling.office.working_copy import Changes
from xlbilling.periods import AccountingPeriod
from xlbilling.problems import Place, Problem, declare
from xlbilling.reads.dials import MOST_DIALS
from xlbilling.reads.rules import POLICY_WRONG

NOT_LISTED: Final = declare(
    "not_listed",
    "A row names an account, a service or a cycle that is on no sheet.",
    "Correct it, or add the row it names and press Save again.",
)
CANNOT_BE: Final = declare(
    "cannot_be", "A row holds something that cannot be so.", "Correct the marked cell and press Save again."
)
NO_LEAD: Final = declare(
    "no_lead",
    "Nobody would have the role lead any more.",
    "Leave one lead on sheet Policy, topic staff; otherwise nobody could post or give roles.",
)
_REFERENCES: Final = (("services", "account_id", "accounts"), ("services", "cycle", "cycles"), ("meters", "service_id", "services"))  # fmt: skip
MOST_COUNTED: Final = 10**12  # units once around the dial; in millionths that still leaves int64 room to add
_DIAL: Final = re.compile(rf"\d{{1,{MOST_DIALS}}}(\.\d{{1,6}})?")


def inconsistent(desk: Desk, found: Sequence[Changes]) -> list[Problem]:
    """What is wrong with the typed rows taken together with the store, each with its cell."""
    by_table = {change.table: change for change in found}
    problems: list[Problem] = []
    for table, column, of in _REFERENCES:
        if table in by_table:
            problems += _unlisted(desk, by_table[table], column, of, by_table.get(of))
    for table, wrong in _ROWS.items():
        if table in by_table:
            problems += [p for label, row in _rows(by_table[table]) for p in wrong(by_table[table], label, row)]
    if "policy" in by_table:
        problems += _policy(desk, by_table["policy"])
    if "recipes" in by_table:
        problems += wrong_recipes(desk, by_table["recipes"])
    if "rejects" in by_table:
        problems += wrong_rejects(by_table["rejects"])
    return problems


def _rows(change: Changes) -> list[tuple[int, dict[str, Any]]]:
    """The new and the changed rows with their labels."""
    both = pd.concat([change.new, change.changed])
    return list(zip((int(label) for label in both.index), both.to_dict("records"), strict=True))  # type: ignore[arg-type]


def _unlisted(desk: Desk, change: Changes, column: str, of: str, added: Changes | None) -> list[Problem]:
    """Rows that name something neither in the store nor in the same Save."""
    named = {row[column] for _, row in _rows(change)}
    known = set() if added is None else set(added.new[column])
    for value in sorted(named - known):
        if desk.store.value(f"SELECT 1 FROM {of} WHERE {column} = :v", v=value) is not None:  # noqa: S608
            known.add(value)
    return [
        NOT_LISTED.at(change.place(label, column), f"{row[column]} is not on sheet {of.capitalize()}")
        for label, row in _rows(change)
        if row[column] not in known
    ]


def _meter(change: Changes, label: int, row: dict[str, Any]) -> list[Problem]:
    """A register's dials, multiplier and start read must be such as can be read and multiplied."""
    found = []
    if not 1 <= int(row["dials"]) <= MOST_DIALS:
        found.append(CANNOT_BE.at(change.place(label, "dials"), f"a register has 1 to {MOST_DIALS} dials, not {row['dials']}"))  # fmt: skip
    if Fraction(row["multiplier"]) <= 0:
        found.append(CANNOT_BE.at(change.place(label, "multiplier"), f"the multiplier is {row['multiplier']}"))
    elif 10 ** min(int(row["dials"]), MOST_DIALS) * Fraction(row["multiplier"]) > MOST_COUNTED:
        fact = f"{row['dials']} dials times {row['multiplier']} is more than can be counted"
        found.append(CANNOT_BE.at(change.place(label, "multiplier"), fact))
    if row["start_read"] and not _DIAL.fullmatch(row["start_read"]):
        found.append(CANNOT_BE.at(change.place(label, "start_read"), f"{row['start_read']!r} is not a dial read"))
    return found + _removal(change, label, row)


def _removal(change: Changes, label: int, row: dict[str, Any]) -> list[Problem]:
    """A removed meter has its day, an active one has none, and a final read is one that its dials can show."""
    said = []
    gone, final = row["status"] == "removed", row["final_read"]
    if gone and pd.isna(row["removed_on"]):
        said.append(("removed_on", "a removed meter needs the day it was taken out"))
    if not gone and pd.notna(row["removed_on"]):
        said.append(("status", "the meter is active and has a day it was taken out"))
    if final and not _DIAL.fullmatch(final):
        said.append(("final_read", f"{final!r} is not a dial read"))
    elif final and len(final.partition(".")[0].lstrip("0")) > int(row["dials"]):
        said.append(("final_read", f"{final} has more digits than {row['dials']} dials"))
    return [CANNOT_BE.at(change.place(label, column), fact) for column, fact in said]


def _cycle(change: Changes, label: int, row: dict[str, Any]) -> list[Problem]:
    """A run's period is written 2026-11, its read window ends after it begins, and its bills are due after their date."""
    found = []
    try:
        AccountingPeriod.parse(row["period"])
    except ValueError as fault:
        found.append(CANNOT_BE.at(change.place(label, "period"), str(fault)))
    for first, last in (("read_from", "read_to"), ("bill_date", "due_date"), ("due_date", "delinquent_date")):
        if row[last] < row[first]:
            fact = f"{row[last]:%Y-%m-%d} is before {row[first]:%Y-%m-%d} ({first.replace('_', ' ')})"
            found.append(CANNOT_BE.at(change.place(label, last), fact))
    return found


def _service(change: Changes, label: int, row: dict[str, Any]) -> list[Problem]:
    """A service does not end before it begins."""
    if pd.notna(row["ended_on"]) and pd.notna(row["started_on"]) and row["ended_on"] < row["started_on"]:
        return [
            CANNOT_BE.at(change.place(label, "ended_on"), f"it ends before it started on {row['started_on']:%Y-%m-%d}")
        ]
    return []


_ROWS: Final[dict[str, Callable[[Changes, int, dict[str, Any]], list[Problem]]]] = {
    "meters": _meter,
    "cycles": _cycle,
    "services": _service,
}


def _policy(desk: Desk, change: Changes) -> list[Problem]:
    """The rules as they would stand: values billing can use, roles there are, and somebody left to lead."""
    stored = desk.store.table("policy")
    typed = pd.concat([change.new, change.changed])
    keys = set(_keys(typed))
    kept = stored.loc[[key not in keys for key in _keys(stored)]]
    rules = pd.concat([kept, typed.reindex(columns=stored.columns)], ignore_index=True)
    problems = wrong_values(rules)
    staff = rules.loc[rules["topic"].eq(STAFF)]
    for row in staff.loc[~staff["value"].isin(ROLES_GIVEN)].to_dict("records"):
        place = Place(table="policy", key=f"{STAFF} / {row['setting']}", column="value")
        problems.append(POLICY_WRONG.at(place, f"{row['value']!r} is not one of {', '.join(ROLES_GIVEN)}"))
    if not staff["value"].eq("lead").any():
        problems.append(NO_LEAD.at(Place(table="policy", column="value"), "no log-in would have the role lead"))
    return [change.sheet.locate(p) if change.sheet else p for p in problems]


def _keys(policy: pd.DataFrame) -> list[str]:
    return [f"{topic} / {setting}" for topic, setting in zip(policy["topic"], policy["setting"], strict=True)]
