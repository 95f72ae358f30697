"""Entries whose cells disagree: what one document, batch or day's journal shows of copies, omissions and slips.

An entry is all open lines and rows of one key. Each finding needs proof in the amounts; where two findings fit
equally, the weaker claim (the amount differs) is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from xlbilling.trade.reconcile.books import Books, Ints
from xlbilling.trade.reconcile.outcome import AMBIGUOUS, EXACT, TOLERANCE, TOLERANCE_CENTS

_SEVERAL: Final = 2

Find = Callable[["Entry"], None]


@dataclass(slots=True)
class Cell:
    """One GL account of an entry: its open lines and rows, and what the subledger has more than the ledger."""

    account: int
    lines: list[int]
    rows: list[int]
    surplus: int = 0


class Entry:
    """The open cells of one key, settled finding by finding; `posted` are the key's lines that are matched already."""

    def __init__(self, books: Books, lines: Ints, rows: Ints, posted: Ints):
        self.books = books
        self.posted = posted
        self.cells: dict[int, Cell] = {}
        for index in lines.tolist():
            self._cell(int(books.sub.account[index])).lines.append(index)
        for index in rows.tolist():
            self._cell(int(books.gl.account[index])).rows.append(index)
        for cell in self.cells.values():
            cell.surplus = self.line_sum(cell.lines) - self.row_sum(cell.rows)

    def _cell(self, account: int) -> Cell:
        return self.cells.setdefault(account, Cell(account, [], []))

    def line_sum(self, lines: list[int]) -> int:
        return int(self.books.sub.cents[lines].sum()) if lines else 0

    def row_sum(self, rows: list[int]) -> int:
        return int(self.books.gl.cents[rows].sum()) if rows else 0

    def unsettled(self) -> Iterator[Cell]:
        """The cells not settled yet, in a list of its own so that settling may go on while it is walked."""
        yield from [cell for cell in self.cells.values() if cell.lines or cell.rows]

    def leave(self, cell: Cell, lines: list[int], rows: list[int], reason: str) -> None:
        """Leave these out of the cell for the reason; what remains is matched as soon as it agrees."""
        self.books.differ(lines, rows, reason)
        cell.lines = [index for index in cell.lines if index not in set(lines)]
        cell.rows = [index for index in cell.rows if index not in set(rows)]
        cell.surplus = self.line_sum(cell.lines) - self.row_sum(cell.rows)
        if cell.surplus == 0 and cell.lines and cell.rows:
            self.close(cell, EXACT)

    def close(self, cell: Cell, confidence: int) -> None:
        """Match all that is left of the cell."""
        self.books.join_one(cell.lines, cell.rows, confidence)
        cell.lines, cell.rows, cell.surplus = [], [], 0


def settle(entry: Entry) -> None:
    """Try each finding on an entry; what none explains stays open."""
    for find in FINDINGS:
        find(entry)


def open_entries(books: Books) -> Iterator[Entry]:
    """Every key that still has open lines or rows, as an entry."""
    for lines, rows, posted in _open_keys(books):
        yield Entry(books, lines, rows, posted)


def _open_keys(books: Books) -> Iterator[tuple[Ints, Ints, Ints]]:
    """For each key with open lines or rows: those, and the key's lines matched already."""
    sub, gl = books.sub, books.gl
    s, g = np.flatnonzero(sub.open & (sub.key >= 0)), np.flatnonzero(gl.open & (gl.key >= 0))
    keys = np.unique(np.concatenate([sub.key[s], gl.key[g]]))
    if not len(keys):
        return
    wanted = np.zeros(int(max(sub.key.max(initial=0), gl.key.max(initial=0))) + 2, dtype=bool)
    wanted[keys] = True
    done = np.flatnonzero((sub.match >= 0) & wanted[sub.key])
    parts = [_by_key(rows, side, keys) for rows, side in ((s, sub.key), (g, gl.key), (done, sub.key))]
    yield from zip(*parts, strict=True)


def _by_key(rows: Ints, key: Ints, keys: Ints) -> list[Ints]:
    """The rows of each of `keys` (ascending)."""
    ordered = rows[np.argsort(key[rows], kind="stable")]
    return np.split(ordered, np.searchsorted(key[ordered], keys[1:]))


def agreeing(entry: Entry) -> None:
    """What is left of a cell adds up to the same amount on both sides."""
    for cell in entry.unsettled():
        if cell.lines and cell.rows and cell.surplus == 0:
            entry.close(cell, EXACT)


def posted_twice(entry: Entry) -> None:
    """The ledger has a row (or each row) of the cell a second time: the copies are duplicate_in_gl."""
    books = entry.books
    for cell in entry.unsettled():
        if not cell.lines or cell.surplus == 0:
            continue
        seen: set[tuple[object, ...]] = set()
        copies: list[int] = []
        for row in cell.rows:
            name = (int(books.gl.cents[row]), *books.said(row)[:2])
            copies += [row] if name in seen else []
            seen.add(name)
        for chosen in [copies, *([row] for row in copies)]:
            if chosen and entry.row_sum(chosen) == -cell.surplus:
                entry.leave(cell, [], chosen, "duplicate_in_gl")
                break


def entered_twice(entry: Entry) -> None:
    """The subledger has a document's lines a second time: the copies are duplicate_in_subledger."""
    copies = _copies(entry)
    documents = {int(entry.books.document[line]) for line in copies}
    for cell in entry.unsettled():
        here = [line for line in cell.lines if line in copies]
        if not here or not cell.rows or cell.surplus == 0:
            continue
        singles = [[line for line in here if entry.books.document[line] == document] for document in sorted(documents)]
        fitting = [lines for lines in singles if lines and entry.line_sum(lines) == cell.surplus]
        if entry.line_sum(here) == cell.surplus:
            entry.leave(cell, here, [], "duplicate_in_subledger")
        elif len(fitting) == 1:
            entry.leave(cell, fitting[0], [], "duplicate_in_subledger")


def _copies(entry: Entry) -> set[int]:
    books = entry.books
    customer = books.subledger["account_id"].array
    seen: set[tuple[object, ...]] = set()
    copies: set[int] = set()
    for cell in entry.unsettled():
        for line in cell.lines:
            about = (books.document, books.batch, books.own_account, books.sub.day, books.sub.cents)
            name = (customer[books.sub.position[line]], *(int(field[line]) for field in about))
            if name in seen and books.document[line] >= 0:
                copies.add(line)
            seen.add(name)
    return copies


def rounded(entry: Entry) -> None:
    """Up to five cents between the two sums is rounding: matched within tolerance."""
    for cell in entry.unsettled():
        if cell.lines and cell.rows and 0 < abs(cell.surplus) <= TOLERANCE_CENTS:
            entry.close(cell, TOLERANCE)


def turned_round(entry: Entry) -> None:
    """The ledger's sum is the subledger's with the sign turned."""
    for cell in entry.unsettled():
        if cell.lines and cell.rows and entry.line_sum(cell.lines) == -entry.row_sum(cell.rows) != 0:
            entry.leave(cell, cell.lines, cell.rows, "wrong_sign")


def left_out(entry: Entry) -> None:
    """A row is short by exactly one document, or one batch, in every account it touches: that one is missing_in_gl."""
    for names in (entry.books.document, entry.books.batch):
        members: dict[int, dict[int, list[int]]] = defaultdict(lambda: defaultdict(list))
        for cell in entry.unsettled():
            for line in cell.lines:
                members[int(names[line])][cell.account].append(line)
        # a document's lines in cells that agreed already were posted, so that document was not left out
        posted = set(names[entry.posted].tolist())
        fitting = [
            parts
            for name, parts in members.items()
            if name >= 0 and name not in posted and all(_is_surplus(entry, at, lines) for at, lines in parts.items())
        ]
        if len(fitting) == 1:
            either = all(_looks_exchanged(entry, entry.cells[account]) for account in fitting[0])
            for account, lines in fitting[0].items():
                cell = entry.cells[account]
                if either:
                    entry.leave(cell, cell.lines, cell.rows, "amount_differs")
                else:
                    entry.leave(cell, lines, [], "missing_in_gl")
            return


def _looks_exchanged(entry: Entry, cell: Cell) -> bool:
    return bool(cell.rows) and transposed(entry.line_sum(cell.lines), entry.row_sum(cell.rows))


def _is_surplus(entry: Entry, account: int, lines: list[int]) -> bool:
    cell = entry.cells[account]
    # a cell that holds nothing else has no row at all, unless the surplus is the whole of it
    return entry.line_sum(lines) == cell.surplus and (bool(cell.rows) or len(lines) == len(cell.lines))


def put_elsewhere(entry: Entry) -> None:
    """One account lacks the row and another has it to spare, same amount: posted to the wrong account."""
    for cell in entry.unsettled():
        if not cell.lines or cell.rows or cell.surplus == 0:
            continue
        spare = [
            (other, row)
            for other in entry.unsettled()
            for row in other.rows
            if other is not cell and entry.books.gl.cents[row] == cell.surplus == -other.surplus
        ]
        if len(spare) == 1:
            other, row = spare[0]
            entry.books.differ(cell.lines, [row], "wrong_account")
            cell.lines, cell.surplus = [], 0
            entry.leave(other, [], [row], "wrong_account")


def taken_apart(entry: Entry) -> None:
    """A cell posted in parts that only its name holds together: the parts that agree match, the rest is looked at alone.

    Parts are our accounts, documents or single lines, whichever makes the most rows agree, and at least half of them.
    """
    books = entry.books
    for cell in entry.unsettled():
        if len(cell.rows) < _SEVERAL or len(cell.lines) < _SEVERAL:
            continue
        rows = _by_cents(cell.rows, books.gl.cents)
        best: list[tuple[list[int], list[int]]] = []
        for names in (books.own_account, books.document, None):
            agreed = _agreed(entry, _units(cell.lines, names), rows)
            if sum(len(theirs) for _, theirs in agreed) > sum(len(theirs) for _, theirs in best):
                best = agreed
        if sum(len(theirs) for _, theirs in best) * 2 < len(cell.rows):
            continue
        for lines, theirs in best:
            books.join_one(lines, theirs, EXACT if len(theirs) == 1 else AMBIGUOUS)
        gone, taken = ({index for pair in best for index in pair[side]} for side in (0, 1))
        cell.lines = [line for line in cell.lines if line not in gone]
        cell.rows = [row for row in cell.rows if row not in taken]


def _units(lines: list[int], names: Ints | None) -> list[list[int]]:
    """The lines of each name; each line by itself where there are no names or its own is blank."""
    units: dict[tuple[bool, int], list[int]] = defaultdict(list)
    for line in lines:
        named = names is not None and int(names[line]) >= 0
        units[named, int(names[line]) if names is not None and named else line].append(line)
    return list(units.values())


def _by_cents(rows: list[int], cents: Ints) -> dict[int, list[int]]:
    of_amount: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        of_amount[int(cents[row])].append(row)
    return of_amount


def _agreed(entry: Entry, units: list[list[int]], rows: dict[int, list[int]]) -> list[tuple[list[int], list[int]]]:
    """Units and rows of one amount, where there are as many of the one as of the other."""
    of_amount: dict[int, list[list[int]]] = defaultdict(list)
    for unit in units:
        of_amount[entry.line_sum(unit)].append(unit)
    return [
        ([line for unit in alike for line in unit], rows[cents])
        for cents, alike in of_amount.items()
        if len(alike) == len(rows.get(cents, ()))
    ]


def one_too_many(entry: Entry) -> None:
    """Without one of its rows (or one of its lines) the cell agrees: that one has nothing on the other side."""
    for cell in entry.unsettled():
        rows = [row for row in cell.rows if entry.books.gl.cents[row] == -cell.surplus]
        lines = [line for line in cell.lines if entry.books.sub.cents[line] == cell.surplus]
        if cell.surplus and len(rows) == 1 and len(cell.rows) > 1 and cell.lines:
            entry.leave(cell, [], rows, "missing_in_subledger")
        elif cell.surplus and len(lines) == 1 and len(cell.lines) > 1 and cell.rows:
            entry.leave(cell, lines, [], "missing_in_gl")


def differing(entry: Entry) -> None:
    """Both sides are there and differ: two neighbouring digits exchanged, or simply another amount."""
    for cell in entry.unsettled():
        if cell.lines and cell.rows:
            mine, theirs = entry.line_sum(cell.lines), entry.row_sum(cell.rows)
            reason = "transposition" if transposed(mine, theirs) else "amount_differs"
            entry.leave(cell, cell.lines, cell.rows, reason)


def transposed(one: int, other: int) -> bool:
    """Whether two amounts of the same sign differ by exactly one exchange of neighbouring digits: 14751 and 14571."""
    if (one < 0) != (other < 0) or (one - other) % 9:
        return False
    a, b = str(abs(one)), str(abs(other))
    width = max(len(a), len(b), 3)
    a, b = a.zfill(width), b.zfill(width)
    apart = [index for index in range(width) if a[index] != b[index]]
    return len(apart) == 2 and apart[1] == apart[0] + 1 and a[apart[0]] == b[apart[1]] and a[apart[1]] == b[apart[0]]


FINDINGS: Final[tuple[Find, ...]] = (
    agreeing,
    posted_twice,
    entered_twice,
    rounded,
    turned_round,
    left_out,
    put_elsewhere,
    taken_apart,
    turned_round,
    one_too_many,
    differing,
)
