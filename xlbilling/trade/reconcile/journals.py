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
import pandas as pd

from xlbilling.trade.documents import KINDS
from xlbilling.trade.reconcile.books import NONE, Books, Ints

_MONTH_DAY: Final = re.compile(r"[A-Za-z]+(\d{2})(\d{2})")
_SLASHED_DAY: Final = re.compile(r"\b(\d{1,2})/(\d{1,2})(?![/\d])")
_DIGIT: Final = re.compile(r"\d")
# Fewer agreeing rows than this, or less than half of the rows that had lines to agree with, prove no habit.
_PROOF: Final = 3
# Kinds that come with money at the counter or the bank; used only for a kind that no agreeing day has shown.
_CASH: Final = frozenset({*(kind.entry for kind in KINDS if kind.debit == "cash"), "deposit_in"})
_NEAR: Final = 10
_ROWS_A_DAY: Final = 8
_MOST_KINDS: Final = 12

Journal = tuple[str, str, str]
_Kinds = dict[int, Journal]
_Place = tuple[int, int, bool]
_Sums = dict[_Place, dict[int, int]]


def key_days(books: Books) -> None:
    """Key the still unnamed lines and rows by journal and day, where the export is seen to post day totals."""
    s = np.flatnonzero(books.sub.open & (books.sub.key == NONE))
    g = np.flatnonzero(books.gl.open & (books.gl.key == NONE))
    if not len(s) or not len(g) or not _few_a_day(books, g):
        return
    days = np.array([named_day(books, row) for row in g.tolist()], dtype=np.int64)
    sums = _sums(books, s)
    readings = [([label(books, row) for row in g.tolist()], days) for label in (_by_number, _by_words)]
    learned = [_learn(books, sums, g, journals, days) for journals, days in readings]
    # the finer reading counts only where it makes more rows agree
    chosen = max((0, 1), key=lambda n: (_agreeing(books, sums, g, readings[n][0], days, learned[n]), -n))
    if learned[chosen]:
        _set_keys(books, s, g, readings[chosen][0], days, learned[chosen])


def _few_a_day(books: Books, g: Ints) -> bool:
    """Whether the rows are few enough per account, day and side to be totals of days."""
    place = (books.gl.account[g] * 10**6 + books.gl.day[g]) * 2 + (books.gl.cents[g] < 0)
    return len(g) <= _ROWS_A_DAY * len(np.unique(place))


def _set_keys(books: Books, s: Ints, g: Ints, journals: list[Journal], days: Ints, kinds_of: _Kinds) -> None:
    names = sorted(set(kinds_of.values()))
    number = {name: n for n, name in enumerate(names)}
    base, books.journals = books.first_journal_key, len(names)
    first = int(min(days.min(), books.sub.day[s].min()))
    row_journal = np.array([number.get(journal, NONE) for journal in journals])
    books.gl.key[g] = np.where(row_journal >= 0, base + (days - first) * len(names) + row_journal, NONE)
    kind_journal = np.array([number[kinds_of[kind]] if kind in kinds_of else NONE for kind in range(len(books.kinds))])
    mine = kind_journal[books.kind[s]]
    books.sub.key[s] = np.where(mine >= 0, base + (books.sub.day[s] - first) * len(names) + mine, NONE)


def _by_number(books: Books, row: int) -> Journal:
    """A journal by its source and the look of its numbers: CR0504 and CR0505 are alike, UM0504 and JE-0173 are not."""
    reference, _, source = books.said(row)
    return source, _DIGIT.sub("9", reference), ""


def _by_words(books: Books, row: int) -> Journal:
    """The same, told apart by the description too: "Daily total billing 05/04" is not "Daily total receipts 05/04"."""
    reference, description, source = books.said(row)
    return source, _DIGIT.sub("9", reference), _DIGIT.sub("9", description)


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


def _learn(books: Books, sums: _Sums, g: Ints, journals: list[Journal], days: Ints) -> _Kinds:
    """Which journal each kind of line goes to, by the rows that equal the sum of exactly one set of kinds."""
    votes: dict[int, Counter[Journal]] = defaultdict(Counter)
    sets: dict[_Place, dict[int, tuple[int, ...]]] = {}
    agreed = tried = 0
    for index, row in enumerate(g.tolist()):
        cents = int(books.gl.cents[row])
        place = (int(books.gl.account[row]), int(days[index]), cents < 0)
        if place not in sums:
            continue
        if place not in sets:
            sets[place] = _sets(sums[place])
        tried += 1
        chosen = sets[place].get(cents, ())
        agreed += bool(chosen)
        for kind in chosen:
            votes[kind][journals[index]] += 1
    if agreed < _PROOF or agreed * 2 < tried:
        return {}
    learned = {kind: counts.most_common(1)[0][0] for kind, counts in votes.items()}
    return _with_kin(books, learned, votes)


def _agreeing(books: Books, sums: _Sums, g: Ints, journals: list[Journal], days: Ints, kinds_of: _Kinds) -> int:
    """How many rows equal the sum of their journal's kinds on their day."""
    agreeing = 0
    for index, row in enumerate(g.tolist()):
        cents = int(books.gl.cents[row])
        by_kind = sums.get((int(books.gl.account[row]), int(days[index]), cents < 0), {})
        mine = [value for kind, value in by_kind.items() if kinds_of.get(kind) == journals[index]]
        agreeing += bool(mine) and sum(mine) == cents
    return agreeing


def _sums(books: Books, s: Ints) -> _Sums:
    """The cents of each kind at each account, day and side."""
    lines = pd.DataFrame(
        {
            "account": books.sub.account[s],
            "day": books.sub.day[s],
            "credit": books.sub.cents[s] < 0,
            "kind": books.kind[s],
            "cents": books.sub.cents[s],
        }
    )
    added = lines.groupby(["account", "day", "credit", "kind"], as_index=False)["cents"].sum()
    sums: _Sums = defaultdict(dict)
    for account, day, credit, kind, cents in added.itertuples(index=False):
        sums[(int(account), int(day), bool(credit))][int(kind)] = int(cents)
    return sums


def _sets(by_kind: dict[int, int]) -> dict[int, tuple[int, ...]]:
    """The one set of kinds behind each sum that can be made of them; () for a sum that several sets make."""
    kinds = sorted(by_kind)
    if len(kinds) > _MOST_KINDS:
        return {}
    made: dict[int, tuple[int, ...]] = {}
    for size in range(1, len(kinds) + 1):
        for chosen in combinations(kinds, size):
            total = sum(by_kind[kind] for kind in chosen)
            made[total] = () if total in made else chosen
    return made


def _with_kin(books: Books, learned: _Kinds, votes: dict[int, Counter[Journal]]) -> _Kinds:
    """The same for kinds no day has shown: the journal most of their family (cash, or not cash) goes to."""
    families: dict[bool, Counter[Journal]] = defaultdict(Counter)
    for kind, counts in votes.items():
        families[books.kinds[kind] in _CASH] += counts
    for kind in range(len(books.kinds)):
        family = families[books.kinds[kind] in _CASH]
        if kind not in learned and family:
            learned[kind] = family.most_common(1)[0][0]
    return learned
