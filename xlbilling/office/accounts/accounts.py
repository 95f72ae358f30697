"""Accounts: the customers of record, their services and meters as the sheets show them, and what a typed row must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.views import balances, last_reads
from xlbilling.office.desk.working_tables import CANNOT_BE, WorkingTable, unlisted
from xlbilling.trade.reads.dials import MOST_DIALS
from xlbilling.words.problems import Problem, declare

NOT_PRICED: Final = declare(
    "not_priced",
    "A service names a rate schedule, or a class of it, that sheet Rates does not have.",
    "Type one of those named, or add its lines on sheet Rates and press Save again.",
)
MOST_COUNTED: Final = 10**12  # units once around the dial; in millionths that still leaves int64 room to add
_DIAL: Final = re.compile(rf"\d{{1,{MOST_DIALS}}}(\.\d{{1,6}})?")


@surface("accounts")
class Accounts(WorkingTable):
    """Customers of record, each with what it owes."""

    in_cycle = (
        "account_id IN (SELECT account_id FROM services WHERE cycle = :cycle) "
        "OR NOT EXISTS (SELECT 1 FROM services s WHERE s.account_id = accounts.account_id)"
    )

    def rows(self, desk: Desk) -> pd.DataFrame:
        owed = balances(desk).set_index("account_id")["amount"]
        accounts = self.stored(desk)
        return accounts.assign(balance=accounts["account_id"].map(owed).fillna(0).astype("int64"))


@surface("services", follows=("accounts", "meters", "cycles", "exceptions"))
class Services(WorkingTable):
    """Services at premises: of an account and in a cycle that there are, and ending no earlier than they begin."""

    in_cycle = "cycle = :cycle"

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        problems = unlisted(desk, change, "account_id", "accounts", others)
        problems += unlisted(desk, change, "cycle", "cycles", others)
        for label, row in change.rows():
            if pd.notna(row["ended_on"]) and pd.notna(row["started_on"]) and row["ended_on"] < row["started_on"]:
                fact = f"it ends before it started on {row['started_on']:%Y-%m-%d}"
                problems.append(CANNOT_BE.at(change.place(label, "ended_on"), fact))
        return problems + _unpriced(desk, change, others)


def _unpriced(desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
    """Typed rate schedules, and classes of them, that Rates does not have; lines typed for the same Save count.

    What stood on a row before is no typing, and a store without rates yet knows nothing to compare with.
    """
    columns = ["tariff", "customer_class"]
    typed = others["rates"].rows() if "rates" in others else []
    lines = [desk.store.table("rates")[columns], *(pd.DataFrame([row])[columns] for _, row in typed)]
    known = pd.concat(lines).drop_duplicates()
    if known.empty:
        return []
    before = {label: old for label, _, old in change.pairs()}
    problems = []
    for label, row in change.rows():
        old = before.get(label)
        if old is not None and all(row[name] == old[name] for name in columns):
            continue
        classes = known.loc[known["tariff"].eq(row["tariff"]), "customer_class"]
        if classes.empty:
            there = ", ".join(sorted(known["tariff"].unique()))
            fact = f"Rates has no rate schedule {row['tariff']!r}; it has {there}"
            problems.append(NOT_PRICED.at(change.place(label, "tariff"), fact))
        elif row["customer_class"] not in set(classes):
            fact = f"rate schedule {row['tariff']} has no class {row['customer_class']!r}; it has {', '.join(sorted(classes))}"
            problems.append(NOT_PRICED.at(change.place(label, "customer_class"), fact))
    return problems


@surface("meters", follows=("exceptions",))
class Meters(WorkingTable):
    """Registers of meters, each with its last billed read: of a service there is, with dials that can be read."""

    in_cycle = (
        "service_id IN (SELECT service_id FROM services WHERE cycle = :cycle) "
        "OR NOT EXISTS (SELECT 1 FROM services s WHERE s.service_id = meters.service_id)"
    )

    def rows(self, desk: Desk) -> pd.DataFrame:
        last = last_reads(desk, desk.cycle)[["meter_id", "register_id", "previous_date", "previous_read"]]
        last = last.rename(columns={"previous_date": "last_date", "previous_read": "last_read"})
        return self.stored(desk).merge(last, on=["meter_id", "register_id"], how="left").fillna({"last_read": ""})

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        problems = unlisted(desk, change, "service_id", "services", others)
        for label, row in change.rows():
            facts = (*_counting(row), *_removal(row))
            problems += [CANNOT_BE.at(change.place(label, column), fact) for column, fact in facts]
        return problems


def _counting(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A register's dials, multiplier and start read must be such as can be read and multiplied."""
    wrong = []
    if not 1 <= int(row["dials"]) <= MOST_DIALS:
        wrong.append(("dials", f"a register has 1 to {MOST_DIALS} dials, not {row['dials']}"))
    if Fraction(row["multiplier"]) <= 0:
        wrong.append(("multiplier", f"the multiplier is {row['multiplier']}"))
    elif 10 ** min(int(row["dials"]), MOST_DIALS) * Fraction(row["multiplier"]) > MOST_COUNTED:
        wrong.append(("multiplier", f"{row['dials']} dials times {row['multiplier']} is more than can be counted"))
    if row["start_read"] and not _DIAL.fullmatch(row["start_read"]):
        wrong.append(("start_read", f"{row['start_read']!r} is not a dial read"))
    return wrong


def _removal(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A removed meter has its day, an active one has none, and a final read is one that its dials can show."""
    wrong = []
    gone, final = row["status"] == "removed", row["final_read"]
    if gone and pd.isna(row["removed_on"]):
        wrong.append(("removed_on", "a removed meter needs the day it was taken out"))
    if not gone and pd.notna(row["removed_on"]):
        wrong.append(("status", "the meter is active and has a day it was taken out"))
    if final and not _DIAL.fullmatch(final):
        wrong.append(("final_read", f"{final!r} is not a dial read"))
    elif final and len(final.partition(".")[0].lstrip("0")) > int(row["dials"]):
        wrong.append(("final_read", f"{final} has more digits than {row['dials']} dials"))
    return wrong
