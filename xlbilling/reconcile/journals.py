"""Day totals: exports that post one row per journal and day, and which kinds of ours each journal sums.

Which kinds belong to a journal is learned from the days that agree beyond doubt, never assumed from its name.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from itertools import combinations
from typing import Final

import numpy as np

from xlbilling.reconcile.books import NONE, Books, Ints

_MONTH_DAY: Final = re.compile(r"[A-Za-z]+(\d{2})(\d{2})")
_SLASHED_DAY: Final = re.compile(r"\b(\d{1,2})/(\d{1,2})(?![/\d])")
_SHAPES: Final = ((re.compile(r"\d"), "9"), (re.compile(r"[A-Za-z]"), "A"))
# Fewer agreeing rows than this, or less than half of the rows that had lines to agree with, prove no habit.
_PROOF: Final = 3
# Kinds that come with money at the counter or the bank; used only for a kind that no agreeing day has shown.
_CASH: Final = frozenset({"payment", "deposit_in"})
_NEAR: Final = 10


def key_days(books: Books) -> None:
    """Key the still unnamed lines and rows by journal and day, where the export is seen to post day totals."""
    s = np.flatnonzero(books.sub.open & (books.sub.key == NONE))
    g = np.flatnonzero(books.gl.open & (books.gl.key == NONE))
    if not len(s) or not len(g):
        return
    journals = [_journal(books, row) for row in g.tolist()]
    days = np.array([named_day(books, row) for row in g.tolist()], dtype=np.int64)
    kinds_of = _learn(books, s, g, journals, days)
    if not kinds_of:
        return
    names = sorted(set(kinds_of.values()))
    number = {name: n for n, name in enumerate(names)}
    base = books.first_batch_key + len(books.batches)
    first = int(min(days.min(), books.sub.day[s].min()))
    for index, row in enumerate(g.tolist()):
        if journals[index] in number:
            books.gl.key[row] = base + (days[index] - first) * len(names) + number[journals[index]]
    journal = np.array([number.get(kinds_of.get(kind, ("", "")), NONE) for kind in range(len(books.kinds))])
    mine = journal[books.kind[s]]
    books.sub.key[s] = np.where(mine >= 0, base + (books.sub.day[s] - first) * len(names) + mine, NONE)


def _journal(books: Books, row: int) -> tuple[str, str]:
    """A row's journal: its source with the shape of its reference ("CR0504" and "CR0505" are alike, "JE-0173" is not)."""
    reference, _, source = books.said(row)
    shape = reference
    for pattern, sign in _SHAPES:
        shape = pattern.sub(sign, shape)
    prefix = re.match(r"[A-Za-z]*", reference)
    return source or (prefix[0] if prefix else ""), shape


def named_day(books: Books, row: int) -> int:
    """The day a row says it is for (CR0504, "Daily total 05/04"), where that is near its own date; else its date."""
    day = int(books.gl.day[row])
    reference, description, _ = books.said(row)
    found = _MONTH_DAY.fullmatch(reference) or _SLASHED_DAY.search(description)
    return near_day(day, int(found[1]), int(found[2])) if found else day


def near_day(day: int, month: int, of_month: int) -> int:
    """The day of that month and number within ten days of `day`; `day` itself where there is none."""
    date = dt.date(1970, 1, 1) + dt.timedelta(days=day)
    for year in (date.year, date.year - 1, date.year + 1):
        try:
            said = (dt.date(year, month, of_month) - dt.date(1970, 1, 1)).days
        except ValueError:
            continue
        if abs(said - day) <= _NEAR:
            return said
    return day


_Kinds = dict[int, tuple[str, str]]


def _learn(books: Books, s: Ints, g: Ints, journals: list[tuple[str, str]], days: Ints) -> _Kinds:
    """Which journal each kind of line goes to, by the rows that equal the sum of exactly one set of kinds."""
    sums = _sums(books, s)
    votes: dict[int, Counter[tuple[str, str]]] = defaultdict(Counter)
    agreed = tried = 0
    for index, row in enumerate(g.tolist()):
        cents = int(books.gl.cents[row])
        by_kind = sums.get((int(books.gl.account[row]), int(days[index]), cents < 0), {})
        tried += bool(by_kind)
        chosen = _only_set(by_kind, cents)
        agreed += bool(chosen)
        for kind in chosen:
            votes[kind][journals[index]] += 1
    if agreed < _PROOF or agreed * 2 < tried:
        return {}
    learned = {kind: counts.most_common(1)[0][0] for kind, counts in votes.items()}
    return _with_kin(books, learned, votes)


def _sums(books: Books, s: Ints) -> dict[tuple[int, int, bool], dict[int, int]]:
    sums: dict[tuple[int, int, bool], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line in s.tolist():
        cents = int(books.sub.cents[line])
        sums[(int(books.sub.account[line]), int(books.sub.day[line]), cents < 0)][int(books.kind[line])] += cents
    return sums


def _only_set(by_kind: dict[int, int], cents: int) -> tuple[int, ...]:
    """The one set of kinds that adds up to `cents`; empty where none or several do."""
    kinds = sorted(by_kind)[:8]
    fitting = [
        chosen
        for size in range(1, len(kinds) + 1)
        for chosen in combinations(kinds, size)
        if sum(by_kind[kind] for kind in chosen) == cents
    ]
    return fitting[0] if len(fitting) == 1 else ()


def _with_kin(books: Books, learned: _Kinds, votes: dict[int, Counter[tuple[str, str]]]) -> _Kinds:
    """The same for kinds no day has shown: the journal most of their family (cash, or not cash) goes to."""
    families: dict[bool, Counter[tuple[str, str]]] = defaultdict(Counter)
    for kind, counts in votes.items():
        families[books.kinds[kind] in _CASH] += counts
    for kind in range(len(books.kinds)):
        family = families[books.kinds[kind] in _CASH]
        if kind not in learned and family:
            learned[kind] = family.most_common(1)[0][0]
    return learned
