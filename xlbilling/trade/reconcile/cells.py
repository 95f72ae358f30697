"""Cells: the lines and rows of one GL account under one key; a cell whose two sums agree is a match.

Vectorised over all cells at once. Sums are float64 sums of whole cents, exact below 2**53 cents.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reconcile.books import Books, Flags, Ints, Side, numbered
from xlbilling.trade.reconcile.outcome import AMBIGUOUS, EXACT

Sums = npt.NDArray[np.float64]


def match_keyed(books: Books) -> None:
    """Match every cell that agrees: first the debits and the credits of a cell by themselves, then its net."""
    for by_side in (True, False):
        s = np.flatnonzero(books.sub.open & (books.sub.key >= 0))
        g = np.flatnonzero(books.gl.open & (books.gl.key >= 0))
        if len(s) and len(g):
            match_agreeing(books, s, g, _cell(books, books.sub, s, by_side), _cell(books, books.gl, g, by_side))


def _cell(books: Books, side: Side, rows: Ints, by_side: bool) -> Ints:
    cell: Ints = side.key[rows] * len(books.accounts) + side.account[rows]
    return np.asarray(cell * 2 + (side.cents[rows] < 0)) if by_side else cell


def match_agreeing(books: Books, s: Ints, g: Ints, s_cell: Ints, g_cell: Ints) -> None:
    """Match the cells (any whole numbers) whose lines and rows add up to the same amount."""
    number, groups = numbered(np.concatenate([s_cell, g_cell]))
    s_number, g_number = number[: len(s)], number[len(s) :]
    s_count, g_count = (np.bincount(x, minlength=groups) for x in (s_number, g_number))
    s_sum = np.bincount(s_number, weights=books.sub.cents[s], minlength=groups)
    g_sum = np.bincount(g_number, weights=books.gl.cents[g], minlength=groups)
    agree = (s_count > 0) & (g_count > 0) & (s_sum == g_sum)
    many = agree & (s_count > 1) & (g_count > 1)
    _join(books, s, g, s_number, g_number, agree & ~many, EXACT)
    if many.any():
        s_in, g_in = many[s_number], many[g_number]
        _match_many(books, s[s_in], g[g_in], s_number[s_in], g_number[g_in])


def _join(books: Books, s: Ints, g: Ints, s_number: Ints, g_number: Ints, chosen: Flags, confidence: int) -> None:
    group = np.cumsum(chosen) - 1
    s_in, g_in = chosen[s_number], chosen[g_number]
    books.join(s[s_in], g[g_in], group[s_number[s_in]], group[g_number[g_in]], int(chosen.sum()), confidence)


def _match_many(books: Books, s: Ints, g: Ints, s_number: Ints, g_number: Ints) -> None:
    """Agreeing cells with several lines and several rows: line by line where every amount occurs equally often.

    The others are matched as a whole, or day by day where both sides fall on several days.
    """
    amounts = np.concatenate([books.sub.cents[s], books.gl.cents[g]])
    cell = np.concatenate([s_number, g_number])
    found, distinct = pd.factorize(pd.MultiIndex.from_arrays([cell, amounts]))
    pair, groups = np.asarray(found, dtype=np.int64), len(distinct)
    s_pair, g_pair = pair[: len(s)], pair[len(s) :]
    s_count, g_count = (np.bincount(x, minlength=groups) for x in (s_pair, g_pair))
    uneven = np.zeros(int(cell.max()) + 1, dtype=bool)
    uneven[cell[(s_count != g_count)[pair]]] = True
    whole_s, whole_g = uneven[s_number], uneven[g_number]
    _match_days(books, s[whole_s], g[whole_g], s_number[whole_s], g_number[whole_g], uneven)
    s, g, s_pair, g_pair = s[~whole_s], g[~whole_g], s_pair[~whole_s], g_pair[~whole_g]
    single = np.zeros(groups, dtype=bool)
    single[s_pair] = s_count[s_pair] == 1
    _join(books, s, g, s_pair, g_pair, single, EXACT)
    rest = np.zeros(groups, dtype=bool)
    rest[s_pair] = s_count[s_pair] > 1
    _match_alike(books, s, g, s_pair, g_pair, rest)


def _match_days(books: Books, s: Ints, g: Ints, s_number: Ints, g_number: Ints, chosen: Flags) -> None:
    """Agreeing cells as a whole; where both sides fall on several days only the days that agree.

    A day whose row has another date stays open: matched with the whole it would draw every other day with it over a
    period's end.
    """
    size = len(chosen)
    s_days, g_days = books.sub.day[s], books.gl.day[g]
    spread = chosen & _varied(s_number, s_days, size) & _varied(g_number, g_days, size)
    _join(books, s, g, s_number, g_number, chosen & ~spread, EXACT)
    s_in, g_in = spread[s_number], spread[g_number]
    s, g = s[s_in], g[g_in]
    if not len(s):
        return
    first = min(int(s_days.min()), int(g_days.min()))
    span = max(int(s_days.max()), int(g_days.max())) - first + 1
    at = [
        number * span + days - first
        for number, days in ((s_number[s_in], s_days[s_in]), (g_number[g_in], g_days[g_in]))
    ]
    number, groups = numbered(np.concatenate(at))
    s_day, g_day = number[: len(s)], number[len(s) :]
    s_sum = np.bincount(s_day, weights=books.sub.cents[s], minlength=groups)
    g_sum = np.bincount(g_day, weights=books.gl.cents[g], minlength=groups)
    both = (np.bincount(s_day, minlength=groups) > 0) & (np.bincount(g_day, minlength=groups) > 0)
    _join(books, s, g, s_day, g_day, both & (s_sum == g_sum), EXACT)


def _varied(number: Ints, days: Ints, size: int) -> Flags:
    """Whether the members of each number fall on several days."""
    first, last = np.full(size, np.iinfo(np.int64).max), np.full(size, np.iinfo(np.int64).min)
    np.minimum.at(first, number, days)
    np.maximum.at(last, number, days)
    return np.asarray(first < last)


def _match_alike(books: Books, s: Ints, g: Ints, s_pair: Ints, g_pair: Ints, chosen: Flags) -> None:
    """Equal amounts in one cell: copies of one document's line are interchangeable, lines of several are ambiguous."""
    if not chosen.any():
        return
    lowest = np.full(len(chosen), np.iinfo(np.int64).max)
    highest = np.full(len(chosen), -2)
    np.minimum.at(lowest, s_pair, books.document[s])
    np.maximum.at(highest, s_pair, books.document[s])
    same = chosen & (lowest == highest) & (lowest >= 0)
    _join(books, s, g, s_pair, g_pair, chosen & ~same, AMBIGUOUS)
    s_in, g_in = same[s_pair], same[g_pair]
    s_order = s[s_in][np.argsort(s_pair[s_in], kind="stable")]
    g_order = g[g_in][np.argsort(g_pair[g_in], kind="stable")]
    one = np.arange(len(s_order))
    books.join(s_order, g_order, one, one, len(one), EXACT)
