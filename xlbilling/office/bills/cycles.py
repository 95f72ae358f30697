"""Cycles: the billing runs with their dates as the sheet shows them, and what a typed run must be."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.views import run_states
from xlbilling.office.desk.working_tables import CANNOT_BE, WorkingTable
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Problem


@surface("cycles", follows=("exceptions",))
class Cycles(WorkingTable):
    """Runs of cycles, each with where it stands."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return self.stored(desk).merge(run_states(desk), on=["cycle", "period"], how="left")

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        """A run's period is written 2026-11 and holds its bill date, its read window ends after it begins, its bills are due after their date."""
        problems: list[Problem] = []
        for label, row in change.rows():
            try:
                month = AccountingPeriod.parse(row["period"])
            except ValueError as fault:
                problems.append(CANNOT_BE.at(change.place(label, "period"), str(fault)))
            else:
                if not month.first <= row["bill_date"].date() <= month.last:
                    fact = f"bills dated {row['bill_date']:%Y-%m-%d} post in another month than {month}"
                    problems.append(CANNOT_BE.at(change.place(label, "bill_date"), fact))
            for first, last in _IN_ORDER:
                if row[last] < row[first]:
                    fact = f"{row[last]:%Y-%m-%d} is before {row[first]:%Y-%m-%d} ({first.replace('_', ' ')})"
                    problems.append(CANNOT_BE.at(change.place(label, last), fact))
        return problems


_IN_ORDER = (("read_from", "read_to"), ("bill_date", "due_date"), ("due_date", "delinquent_date"))
