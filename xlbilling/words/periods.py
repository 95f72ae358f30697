"""Periods: accounting periods (a month of the ledger) and service periods (the days between two reads)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

_MONTH: Final = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True, order=True)
class AccountingPeriod:
    """A month of the ledger, written 2026-11."""

    year: int
    month: int

    @classmethod
    def parse(cls, text: str) -> AccountingPeriod:
        """The period written YYYY-MM; ValueError for any other text."""
        found = _MONTH.fullmatch(text)
        if not found:
            raise ValueError(f"{text!r} is not an accounting period; write it as 2026-11")
        return cls(int(found[1]), int(found[2]))

    @classmethod
    def of(cls, day: dt.date) -> AccountingPeriod:
        return cls(day.year, day.month)

    @property
    def first(self) -> dt.date:
        return dt.date(self.year, self.month, 1)

    @property
    def last(self) -> dt.date:
        return self.plus(1).first - dt.timedelta(days=1)

    def plus(self, months: int) -> AccountingPeriod:
        index = self.year * 12 + self.month - 1 + months
        return AccountingPeriod(index // 12, index % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"


@dataclass(frozen=True, slots=True)
class ServicePeriod:
    """The days (previous read, this read]: the day of the previous read is billed already, this read's day is not."""

    after: dt.date
    until: dt.date

    @property
    def days(self) -> int:
        return (self.until - self.after).days
