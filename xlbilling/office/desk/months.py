"""Months: which months of the ledger still take documents, and on which day a document posts.

A document's month is that of its posting date. A month opens by itself with its first posting and stays open until it
is closed; several may be open, and closing one closes those before it. Money that came in a closed month posts on the
first open day, and keeps the day it came.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from xlbilling.store import Store, Work
from xlbilling.store.store import PERIOD_CLOSED
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Conflict
from xlbilling.words.states import CLOSED, OPEN


@dataclass(frozen=True, slots=True)
class Months:
    """The months of the books: the first that is open, and every later one."""

    first_open: AccountingPeriod | None  # None: the books were never opened

    @classmethod
    def of(cls, store: Store | Work) -> Months:
        """The months as the store has them now."""
        closed = store.value("SELECT MAX(period) FROM periods WHERE state = :closed", closed=CLOSED)
        if closed:
            return cls(AccountingPeriod.parse(str(closed)).plus(1))
        begun = store.value("SELECT MIN(period) FROM periods")
        return cls(AccountingPeriod.parse(str(begun)) if begun else None)

    def takes(self, month: AccountingPeriod) -> bool:
        """Whether the month still takes documents."""
        return self.first_open is not None and month >= self.first_open

    def posting_days(self, days: pd.Series[Any]) -> pd.Series[Any]:
        """The day each document of these days posts on: its own, or the first open one where its month is closed."""
        if self.first_open is None:
            return days
        first = pd.Timestamp(self.first_open.first)
        return days.where(days.isna() | days.ge(first), first)


def months_of(days: pd.Series[Any]) -> pd.Series[str]:
    """The month of each day, as 2026-11."""
    months: pd.Series[str] = days.dt.strftime("%Y-%m").astype("str")
    return months


def open_month(work: Work, month: str) -> None:
    """Let a month take its first entry; refused where it, or one after it, is closed."""
    if work.value("SELECT state FROM periods WHERE period = :p", p=month) == OPEN:
        return
    months = Months.of(work)
    if not months.takes(AccountingPeriod.parse(month)):
        first = months.first_open or "none"
        raise Conflict(PERIOD_CLOSED.at(None, f"{month} is closed; the first open month is {first}"))
    work.insert_one("periods", period=month, state=OPEN)
