"""Rows that name nothing: matched by account, amount and day alone, and only where no other candidate is equal.

A line's row may be posted some days after it (the bank takes its time). Candidates that cannot be told apart are one
ambiguous group; nothing is chosen among them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.trade.reconcile.books import NONE, Books, Ints
from xlbilling.trade.reconcile.outcome import AMBIGUOUS, EXACT

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


@dataclass(frozen=True, slots=True)
class Graph:
    """Candidates as edges between nodes: units of one account, day and amount on one side, rows alike on the other.

    Equal units of one day share every candidate, so they are one node however many they are.
    """

    unit_end: Ints
    row_end: Ints
    node_of_line: Ints
    node_of_row: Ints
    units_in: Ints
    rows_in: Ints


def _graph(books: Books, s: Ints, g: Ints, unit: Ints, lags: tuple[int, int]) -> Graph:
    """Every pair of nodes of one account and amount whose days are within the lags."""
    account, day, cents = _unit_facts(books, s, unit)
    unit_node, units = _nodes(account, cents, day)
    row_node, rows = _nodes(books.gl.account[g], books.gl.cents[g], books.gl.day[g])
    both = units.merge(rows, on=["account", "cents"], suffixes=("", "_posted"))
    lag = both["day_posted"] - both["day"]
    both = both[(lag >= lags[0]) & (lag <= lags[1])]
    return Graph(
        both["node"].to_numpy(np.int64),
        both["node_posted"].to_numpy(np.int64),
        unit_node[unit],
        row_node,
        np.bincount(unit_node, minlength=len(units)),
        np.bincount(row_node, minlength=len(rows)),
    )


def _unit_facts(books: Books, s: Ints, unit: Ints) -> tuple[Ints, Ints, Ints]:
    """Each unit's account, day (its first line's) and cents."""
    count = int(unit.max()) + 1
    cents = np.bincount(unit, weights=books.sub.cents[s], minlength=count).astype(np.int64)
    account, day = np.zeros(count, np.int64), np.full(count, np.iinfo(np.int64).max)
    account[unit] = books.sub.account[s]
    np.minimum.at(day, unit, books.sub.day[s])
    return account, day, cents


def _nodes(account: Ints, cents: Ints, day: Ints) -> tuple[Ints, pd.DataFrame]:
    """The node of each member, and the nodes: account, cents, day, node."""
    members = pd.DataFrame({"account": account, "cents": cents, "day": day})
    number = np.asarray(members.groupby(["account", "cents", "day"], sort=False).ngroup(), dtype=np.int64)
    nodes = members.assign(node=number).drop_duplicates("node")
    return number, nodes


def _hits(books: Books, level: int, g: Ints, lags: tuple[int, int]) -> int:
    """How many rows have a candidate at the level."""
    s = np.flatnonzero(books.sub.open)
    if not len(s):
        return 0
    graph = _graph(books, s, g, _units(books, level, s), lags)
    return int(graph.rows_in[np.unique(graph.row_end)].sum())


def _match_level(books: Books, s: Ints, g: Ints, unit: Ints, lags: tuple[int, int]) -> None:
    graph = _graph(books, s, g, unit, lags)
    if not len(graph.unit_end):
        return
    degrees = [np.bincount(ends) for ends in (graph.unit_end, graph.row_end)]
    alone = (degrees[0][graph.unit_end] == 1) & (degrees[1][graph.row_end] == 1)
    single = (graph.units_in[graph.unit_end] == 1) & (graph.rows_in[graph.row_end] == 1)
    sure, rest = np.flatnonzero(alone & single), np.flatnonzero(~(alone & single))
    exact = list(zip(graph.unit_end[sure].tolist(), graph.row_end[sure].tolist(), strict=True))
    doubtful: list[Pairs] = []
    for pairs in _components(graph.unit_end[rest].tolist(), graph.row_end[rest].tolist()):
        each_once = all(graph.units_in[n] == 1 and graph.rows_in[r] == 1 for n, r in pairs)
        forced = _forced(pairs) if each_once else []
        exact += forced
        doubtful += [] if forced else [pairs]
    _join_nodes(books, s, g, graph, [[pair] for pair in exact], EXACT)
    _join_nodes(books, s, g, graph, doubtful, AMBIGUOUS)


def _join_nodes(books: Books, s: Ints, g: Ints, graph: Graph, groups: list[Pairs], confidence: int) -> None:
    """Match all members of the nodes of each group."""
    of_unit, of_row = np.full(len(graph.units_in), NONE), np.full(len(graph.rows_in), NONE)
    for number, pairs in enumerate(groups):
        of_unit[[n for n, _ in pairs]] = number
        of_row[[r for _, r in pairs]] = number
    s_group, g_group = of_unit[graph.node_of_line], of_row[graph.node_of_row]
    s_in, g_in = s_group != NONE, g_group != NONE
    books.join(s[s_in], g[g_in], s_group[s_in], g_group[g_in], len(groups), confidence)


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
