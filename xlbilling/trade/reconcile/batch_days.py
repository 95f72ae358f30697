"""Batch days: a batch that the ledger posts day by day, taken apart so that only the day that differs is named.

A batch is posted by day where rows equal the sums of its days, or stand on several of them. Days that agree are
matched, whatever date their row has; the others are settled each by itself, and what is left over of the whole batch
is looked at once more: copies, days posted to another account, digits exchanged on another date.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from xlbilling.trade.reconcile.books import Books, Ints
from xlbilling.trade.reconcile.entries import Entry, transposed
from xlbilling.trade.reconcile.outcome import EXACT

_SEVERAL: Final = 2
# A day's total may be posted so many days off its day.
_DAYS_OFF: Final = 10
# One account of a batch, its debits or its credits apart (False, True) or both together (None).
Place = tuple[int, bool | None]
Slip = Callable[[int, int], bool]


@dataclass(slots=True)
class Days:
    """The open lines and rows of one place: lines by their day, rows as they come."""

    lines: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    rows: list[int] = field(default_factory=list)


def settle_by_day(entry: Entry, settle: Callable[[Entry], None]) -> bool:
    """Settle an entry day by day, each differing day by `settle`; False, with nothing done, where it is not so posted."""
    batch = _Batch(entry)
    if not batch.is_posted_by_day():
        return False
    batch.match_days()
    for day in batch.apart():
        settle(day)
    batch.settle_strays()
    return True


def match_moved_days(books: Books) -> None:
    """Match a journal's day with the one row of its amount that has another date: a few days off, or after the period.

    The row must stand on a day of which its journal has no lines open, and no other day may have that amount.
    """
    if not books.journals:
        return
    last = (books.terms.end - dt.date(1970, 1, 1)).days
    base, sub, gl = books.first_journal_key, books.sub, books.gl
    lines, rows = (np.flatnonzero(side.open & (side.key >= base)) for side in (sub, gl))
    places: dict[tuple[int, int, bool], Days] = defaultdict(Days)
    for line, key, account, day, cents in _facts(lines, sub.key, sub.account, sub.day, sub.cents):
        places[(key - base) % books.journals, account, cents < 0].lines[day].append(line)
    for row, key, account, cents in _facts(rows, gl.key, gl.account, gl.cents):
        places[(key - base) % books.journals, account, cents < 0].rows.append(row)
    for days in places.values():
        days.rows = [row for row in days.rows if int(gl.day[row]) not in days.lines]
        for day, row in _agreeing(books, days):
            posted = int(gl.day[row])
            if abs(posted - day) <= _DAYS_OFF or posted > last:
                books.join_one(days.lines[day], [row], EXACT)


class _Batch:
    """One entry whose lines fall on several days."""

    def __init__(self, entry: Entry):
        self.books: Books = entry.books
        self.lines = np.array([line for cell in entry.cells.values() for line in cell.lines], dtype=np.int64)
        self.rows = np.array([row for cell in entry.cells.values() for row in cell.rows], dtype=np.int64)
        self.posted = entry.posted
        self.matched_rows: list[int] = []
        self.lags: Counter[int] = Counter()

    def is_posted_by_day(self) -> bool:
        line_days = set(self.books.sub.day[self.lines].tolist())
        if len(line_days) < _SEVERAL or not len(self.rows):
            return False
        row_days = set(self.books.gl.day[self.rows].tolist())
        return len(line_days & row_days) >= _SEVERAL or any(
            _agreeing(self.books, days) for days in self._places(apart=True) + self._places(apart=False)
        )

    def _places(self, apart: bool) -> list[Days]:
        """What is open at each account, with debits and credits `apart` or together."""
        sub, gl = self.books.sub, self.books.gl
        lines, rows = self.lines[sub.open[self.lines]], self.rows[gl.open[self.rows]]
        places: dict[Place, Days] = defaultdict(Days)
        for line, account, day, cents in _facts(lines, sub.account, sub.day, sub.cents):
            places[account, cents < 0 if apart else None].lines[day].append(line)
        for row, account, _, cents in _facts(rows, gl.account, gl.day, gl.cents):
            places[account, cents < 0 if apart else None].rows.append(row)
        return list(places.values())

    def match_days(self) -> None:
        """Match the days that agree: with the rows of their own date first, then with the one row of their amount."""
        for apart in (True, False):
            for days in self._places(apart):
                for day, rows in _on_their_date(self.books, days):
                    self._match(days, day, rows)
                for day, row in _agreeing(self.books, days):
                    self._match(days, day, [row])
            for days in self._places(apart):
                for of_day in days.lines.values():
                    if not apart and len(of_day) > 1 and not self.books.sub.cents[of_day].sum():
                        self.books.differ(of_day, [], "nets_to_zero")

    def _match(self, days: Days, day: int, rows: list[int]) -> None:
        self.books.join_one(days.lines.pop(day), rows, EXACT)
        days.rows = [row for row in days.rows if row not in rows]
        self.matched_rows += rows
        self.lags.update(int(self.books.gl.day[row]) - day for row in rows)

    def apart(self) -> Iterator[Entry]:
        """The days that differ, each as an entry of its own: its open lines, and the rows dated when its day is posted."""
        sub, gl = self.books.sub, self.books.gl
        lag = self.lags.most_common(1)[0][0] if self.lags else 0
        lines, rows = self.lines[sub.open[self.lines]], self.rows[gl.open[self.rows]]
        ours = np.concatenate([self.posted, self.lines[sub.match[self.lines] >= 0]])
        for day in np.unique(sub.day[lines]).tolist():
            here = rows[(gl.day[rows] - lag == day) & gl.open[rows]]
            if len(here):
                yield Entry(self.books, lines[sub.day[lines] == day], here, ours[sub.day[ours] == day])

    def settle_strays(self) -> None:
        """Settle the rows that no day of their date took: copies, wrong accounts, slips on another date."""
        self._copies()
        for day, lines, row in self._pairs(same_account=False, slip=lambda mine, theirs: mine == theirs):
            self.books.differ(lines[day], [row], "wrong_account")
        for reason, slip in (("transposition", transposed), ("wrong_sign", lambda mine, theirs: mine == -theirs != 0)):
            for day, lines, row in self._pairs(same_account=True, slip=slip):
                self.books.differ(lines[day], [row], reason)
        for days in self._places(apart=False):
            left = [line for of_day in days.lines.values() for line in of_day]
            if days.rows and left and self.books.sub.cents[left].sum() == self.books.gl.cents[days.rows].sum():
                self.books.join_one(left, days.rows, EXACT)
            elif days.rows and left:
                # both sides are there and nothing shows how they belong together
                self.books.differ(left, days.rows, "amount_differs")

    def _copies(self) -> None:
        """Rows that repeat a matched row of the batch in account, amount and words are posted twice."""
        gl = self.books.gl
        known = {(int(gl.account[row]), int(gl.cents[row]), *self.books.said(row)[:2]) for row in self.matched_rows}
        for row in self.rows[gl.open[self.rows]].tolist():
            if (int(gl.account[row]), int(gl.cents[row]), *self.books.said(row)[:2]) in known:
                self.books.differ([], [row], "duplicate_in_gl")

    def _pairs(self, same_account: bool, slip: Slip) -> list[tuple[int, dict[int, list[int]], int]]:
        """The open days and rows that a slip joins and that it joins with nothing else."""
        sub, gl = self.books.sub, self.books.gl
        places = [days for days in self._places(apart=False) if days.lines]
        rows = self.rows[gl.open[self.rows]].tolist()
        joined = []
        for days in places:
            for day, lines in days.lines.items():
                mine, account = int(sub.cents[lines].sum()), int(sub.account[lines[0]])
                joined += [
                    ((account, day), days.lines, row)
                    for row in rows
                    if (int(gl.account[row]) == account) == same_account and slip(mine, int(gl.cents[row]))
                ]
        of_day, of_row = Counter(at for at, _, _ in joined), Counter(row for _, _, row in joined)
        return [(at[1], lines, row) for at, lines, row in joined if of_day[at] == 1 == of_row[row]]


def _facts(chosen: Ints, *facts: Ints) -> Iterator[tuple[int, ...]]:
    return zip(chosen.tolist(), *(fact[chosen].tolist() for fact in facts), strict=True)


def _on_their_date(books: Books, days: Days) -> list[tuple[int, list[int]]]:
    """The days whose lines add up to the rows of the same date."""
    dated: dict[int, list[int]] = defaultdict(list)
    for row in days.rows:
        dated[int(books.gl.day[row])].append(row)
    return [
        (day, dated[day])
        for day, lines in days.lines.items()
        if day in dated and books.sub.cents[lines].sum() == books.gl.cents[dated[day]].sum()
    ]


def _agreeing(books: Books, days: Days) -> list[tuple[int, int]]:
    """The days and rows of one amount that no other day has; of several rows the one nearest to the day is taken."""
    of_amount: dict[int, list[int]] = defaultdict(list)
    for day, lines in days.lines.items():
        of_amount[int(books.sub.cents[lines].sum())].append(day)
    rows_of: dict[int, list[int]] = defaultdict(list)
    for row in days.rows:
        rows_of[int(books.gl.cents[row])].append(row)
    return [
        (at[0], min(rows_of[cents], key=lambda row: (abs(int(books.gl.day[row]) - at[0]), row)))
        for cents, at in of_amount.items()
        if cents and len(at) == 1 and cents in rows_of
    ]
