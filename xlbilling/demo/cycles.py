"""The sample district's two cycles: A is read early in even months, B in the middle of odd months."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.store.schema import stored_columns
from xlbilling.words.periods import AccountingPeriod

Days = npt.NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Cycle:
    """A cycle's rhythm: the parity of its months, and the days of the month it is read and billed on."""

    name: str
    odd_months: bool
    first_read: int
    last_read: int
    bill_day: int
    routes: tuple[str, ...]

    def month(self, period: AccountingPeriod, run: int) -> AccountingPeriod:
        """The accounting period of a run: run 0 is the first from `period` on, run -1 the one two months before."""
        ahead = 0 if period.month % 2 == self.odd_months else 1
        return period.plus(ahead + 2 * run)

    def run_of(self, period: AccountingPeriod, month: AccountingPeriod) -> int | None:
        """The number of the run in `month`, counted as `month` counts; None where the cycle has none then."""
        start = self.month(period, 0)
        months = (month.year - start.year) * 12 + month.month - start.month
        return None if months % 2 else months // 2

    def read_days(self, month: AccountingPeriod, route: npt.NDArray[Any]) -> Days:
        """The day each route (by its place in `routes`) is read in a month: one route a day."""
        first = np.datetime64(month.first, "D") + (self.first_read - 1)
        return np.asarray(first + route.astype("timedelta64[D]"))

    def bill_date(self, month: AccountingPeriod) -> np.datetime64:
        return np.datetime64(month.first, "D") + (self.bill_day - 1)


CYCLES: Final = (
    Cycle("A", False, 1, 8, 12, ("01", "02", "03", "04", "05")),
    Cycle("B", True, 11, 19, 23, ("11", "12", "13", "14", "15")),
)
DUE_DAYS: Final = 25


def runs(period: AccountingPeriod) -> pd.DataFrame:
    """The Cycles table: the runs of both cycles in `period` and the eleven months after it."""
    rows = []
    for ahead in range(12):
        month = period.plus(ahead)
        cycle = next(c for c in CYCLES if c.run_of(period, month) is not None)
        first, bill = np.datetime64(month.first, "D"), cycle.bill_date(month)
        rows.append(
            {
                "cycle": cycle.name,
                "period": str(month),
                "read_from": first + (cycle.first_read - 1),
                "read_to": first + (cycle.last_read - 1),
                "bill_date": bill,
                "due_date": bill + DUE_DAYS,
                "delinquent_date": bill + (DUE_DAYS + 15),
                "autopay_date": bill + (DUE_DAYS - 3),
            }
        )
    made = pd.DataFrame(rows).sort_values(["cycle", "period"], ignore_index=True)
    for name in made.columns[2:]:
        made[name] = made[name].astype("datetime64[s]")
    return made.astype({"cycle": "str", "period": "str"}).assign(rev=1)[stored_columns("cycles")]
