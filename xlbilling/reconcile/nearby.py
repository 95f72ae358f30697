"""Rows that name nothing: matched by account, amount and day alone, and only where no other candidate is equal.

A line's row may be posted some days after it (the bank takes its time). Candidates that cannot be told apart are one
ambiguous group; nothing is chosen among them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.reconcile.books import NONE, Books, Ints
from xlbilling.reconcile.outcome import AMBIGUOUS, EXACT

# Lags when the export shows too few named matches to tell its own: a long weekend.
_USUAL_LAGS: Final = (0, 5)
_ENOUGH: Final = 20


def match_unnamed(books: Books) -> None:
    """Match the open rows without a key, at the level (document, batch, kind of a day, day) that fits most first."""
    g = _unnamed_rows(books)
    if not len(g):
        return
    lags = _lags(books)
    levels = sorted(range(4), key=lambda level: -_hits(books, level, g, lags))
    for level in levels:
        s = np.flatnonzero(books.sub.open)
        g = g[books.gl.open[g]]
        if len(s) and len(g):
            _match_level(books, s, g, _units(books, level, s), lags)


def _unnamed_rows(books: Books) -> Ints:
    """The open rows without a key; rows with a reference of their own only where references never name our papers."""
    g = np.flatnonzero(books.gl.open & (books.gl.key == NONE))
    has_reference = books.gl_document != NONE
    named = int((has_reference & (books.gl.key >= 0)).sum())
    return g[~has_reference[g]] if named * 2 >= int(has_reference.sum()) and named else g


def _lags(books: Books) -> tuple[int, int]:
    """The fewest and most days from line to row among the matches made by name."""
    s, g = np.flatnonzero(books.sub.match >= 0), np.flatnonzero(books.gl.match >= 0)
    if len(s) < _ENOUGH:
        return _USUAL_LAGS
    first = np.full(books.matched, np.iinfo(np.int64).max)
    np.minimum.at(first, books.sub.match[s], books.sub.day[s])
    lags = books.gl.day[g] - first[books.gl.match[g]]
    return min(0, int(lags.min())), max(0, int(lags.max()))


def _units(books: Books, level: int, s: Ints) -> Ints:
    """The number of the unit each line belongs to at a level; a line without the level's name is a unit of its own."""
    sub = books.sub
    alone = -2 - s
    sign = (sub.cents[s] < 0).astype(np.int64)
    document = np.where(books.document[s] >= 0, books.document[s], alone)
    batch = np.where(books.batch[s] >= 0, books.batch[s], alone)
    parts: list[Ints] = [
        [document],
        [batch, sign],
        [books.kind[s], sub.day[s], sign],
        [sub.day[s], sign],
    ][level]
    return np.asarray(pd.factorize(pd.MultiIndex.from_arrays([sub.account[s], *parts]))[0], dtype=np.int64)


def _unit_facts(books: Books, s: Ints, unit: Ints) -> tuple[Ints, Ints, Ints]:
    """Each unit's account, day (its first line's) and cents."""
    count = int(unit.max()) + 1
    cents = np.bincount(unit, weights=books.sub.cents[s], minlength=count).astype(np.int64)
    account, day = np.zeros(count, np.int64), np.full(count, np.iinfo(np.int64).max)
    account[unit] = books.sub.account[s]
    np.minimum.at(day, unit, books.sub.day[s])
    return account, day, cents


def _hits(books: Books, level: int, g: Ints, lags: tuple[int, int]) -> int:
    s = np.flatnonzero(books.sub.open)
    if not len(s):
        return 0
    edges = _candidates(books, s, g, _units(books, level, s), lags)
    return int(edges["row"].nunique())


def _candidates(books: Books, s: Ints, g: Ints, unit: Ints, lags: tuple[int, int]) -> pd.DataFrame:
    """Every (unit, row) of one account and amount whose days are within the lags."""
    account, day, cents = _unit_facts(books, s, unit)
    units = pd.DataFrame({"account": account, "cents": cents, "unit": np.arange(len(account)), "day": day})
    wanted = np.unique(books.gl.cents[g])
    units = units[np.isin(cents, wanted)]
    rows = pd.DataFrame(
        {"account": books.gl.account[g], "cents": books.gl.cents[g], "row": g, "posted": books.gl.day[g]}
    )
    # one candidate per day and amount first: equal units of a day share their fate, and so do equal rows
    both = units.merge(rows, on=["account", "cents"])
    lag = both["posted"] - both["day"]
    return both[(lag >= lags[0]) & (lag <= lags[1])]


def _match_level(books: Books, s: Ints, g: Ints, unit: Ints, lags: tuple[int, int]) -> None:
    edges = _candidates(books, s, g, unit, lags)
    if edges.empty:
        return
    lines_of: dict[int, list[int]] = defaultdict(list)
    wanted = set(edges["unit"].tolist())
    for line, number in zip(s.tolist(), unit.tolist(), strict=True):
        if number in wanted:
            lines_of[number].append(line)
    for pairs in _components(edges["unit"].tolist(), edges["row"].tolist()):
        forced = _forced(pairs)
        if forced:
            for number, row in forced:
                books.join_one(lines_of[number], [row], EXACT)
        else:
            lines = [line for number in sorted({number for number, _ in pairs}) for line in lines_of[number]]
            books.join_one(lines, sorted({row for _, row in pairs}), AMBIGUOUS)


Pairs = list[tuple[int, int]]


def _components(units: list[int], rows: list[int]) -> list[Pairs]:
    """The candidate pairs, grouped so that no unit or row is in two groups."""
    parent: dict[tuple[str, int], tuple[str, int]] = {}

    def top(node: tuple[str, int]) -> tuple[str, int]:
        while parent.setdefault(node, node) != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    for number, row in zip(units, rows, strict=True):
        parent[top(("unit", number))] = top(("row", row))
    groups: dict[tuple[str, int], Pairs] = defaultdict(list)
    for number, row in zip(units, rows, strict=True):
        groups[top(("unit", number))].append((number, row))
    return list(groups.values())


def _forced(pairs: Pairs) -> Pairs:
    """The only way to give every unit its own row and every row its own unit; empty where there is none or several."""
    of_unit: dict[int, set[int]] = defaultdict(set)
    of_row: dict[int, set[int]] = defaultdict(set)
    for number, row in pairs:
        of_unit[number].add(row)
        of_row[row].add(number)
    if len(of_unit) != len(of_row):
        return []
    chosen: Pairs = []
    while of_unit:
        single = next(((n, next(iter(r))) for n, r in of_unit.items() if len(r) == 1), None)
        single = single or next(((next(iter(n)), r) for r, n in of_row.items() if len(n) == 1), None)
        if single is None:
            return []
        number, row = single
        chosen.append(single)
        for other in of_unit.pop(number):
            of_row[other].discard(number)
        for left in of_row.pop(row):
            of_unit[left].discard(row)
        if any(not left for left in (*of_unit.values(), *of_row.values())):
            return []
    return chosen
