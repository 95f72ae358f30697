"""Lines of a report that are no rows of data: titles, repeated headings, totals, page numbers, the printer's own words.

They are known by their place (above the headings, below the last row) and their shape (no day, no account), and are
set apart with their line; a row that only lacks something is never one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from xlbilling.intake.files.footers import MOST_READ, TOTAL, has_letters, is_rule, is_sentence, says_so
from xlbilling.intake.files.headed import folded
from xlbilling.intake.files.listing import Listing, values

# words and figures before the word itself are parted by what is in neither, so that each text is read one way only
_FIGURE: Final = re.compile(r"(?<![\d.,])-?\$?\d[\d,]*\.\d\d(?!\d)")
_COUNT: Final = re.compile(
    r"(\d+)\s*(?:records?|items?|checks?|payments?|transactions?|rows?|lines?|receipts?)\b|"
    r"(?:records?|items?|checks|payments|transactions|rows|lines|receipts|count)\s*[:=]\s*(\d+)(?![\d.,])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Aside:
    """A line that is no row of data: its line, its words, and what it prints as a total ("" and None for none)."""

    line: int
    words: str
    amount: str = ""
    count: int | None = None

    @property
    def is_total(self) -> bool:
        return bool(self.amount) or self.count is not None


class Shape(NamedTuple):
    """The fields by which a row of data is known: whom it is for, how much, and when."""

    account: str
    amount: str
    day: str


def set_apart(listing: Listing, shape: Shape) -> tuple[Listing, list[Aside]]:
    """A listing (read whole) without the lines that are no rows of data, and those lines in order."""
    rows = _Rows(listing, shape)
    lines = listing.frame["source_line"].tolist()
    last = max((lines[at] for at in np.flatnonzero(rows.filled)), default=0)
    asides = [rows.aside(cells, line) for line, cells in listing.above if TOTAL.match(_words(cells))]
    apart = np.zeros(len(lines), dtype=bool)
    for at in rows.candidates():
        apart[at] = rows.is_aside(at, below=lines[at] > last)
        asides += [rows.aside(rows.cells(at), lines[at])] if apart[at] else []
    damaged = {line: cells for line, cells in listing.damaged if _damaged_aside(cells, below=line > last)}
    asides += [rows.aside(cells, line) for line, cells in damaged.items()]
    apart |= np.isin(lines, list(damaged))
    kept = replace(
        listing,
        frame=listing.frame.loc[~apart].reset_index(drop=True),
        spare=tuple(replace(one, cells=_kept(one.cells, ~apart)) for one in listing.spare),
        rejects=[problem for problem in listing.rejects if problem.place.line not in damaged],
        damaged=tuple(row for row in listing.damaged if row[0] not in damaged),
    )
    return kept, sorted(asides, key=lambda aside: aside.line)


def _kept(cells: Sequence[str], keep: npt.NDArray[np.bool_]) -> list[str]:
    return [cell for cell, kept in zip(cells, keep, strict=True) if kept]


class _Rows:
    """The rows of a listing, looked at for their shape."""

    def __init__(self, listing: Listing, shape: Shape) -> None:
        self.listing = listing
        self.account, self.amount, self.day = (values(listing, n) for n in (shape.account, shape.amount, shape.day))
        self.amount_at = listing.places[shape.amount]
        columns = [(place, values(listing, name)) for name, place in listing.places.items()]
        self.columns = sorted([*columns, *((one.place, one.cells) for one in listing.spare)], key=lambda one: one[0])
        self.titles = {tuple(c for c in cells if c) for _, cells in listing.above} - {()}
        self.headings = {folded(cell) for cell in listing.headings.values()}
        self.filled = np.array([bool(a and d) for a, d in zip(self.account, self.day, strict=True)], dtype=bool)
        for at in [at for at in np.flatnonzero(self.filled).tolist() if not self.account[at].isdecimal()]:
            account = self.account[at]
            self.filled[at] = not (says_so(account) or is_rule([account]) or self._is_heading(at))
        self.filled |= listing.frame["source_line"].isin(list(listing.unfit)).to_numpy(dtype=bool)

    def candidates(self) -> Iterator[int]:
        """Rows that are not shaped like data: no account or no day, or words of a total or heading there."""
        yield from np.flatnonzero(~self.filled).tolist()

    def cells(self, at: int) -> list[str]:
        """A row's cells in the order of the file; columns past the last one wanted are not among them."""
        row = [""] * (self.columns[-1][0] + 1)
        for place, column in self.columns:
            row[place] = column[at]
        return row

    def is_aside(self, at: int, below: bool) -> bool:
        """Whether a row is no row of data; `below`: no row of data follows it."""
        cells = [cell for cell in self.cells(at) if cell]
        words = _words(cells)
        if self._is_heading(at) or tuple(cells) in self.titles or is_rule(cells):
            return True
        account, day = self.account[at], self.day[at]
        if account and not says_so(account):
            return below and len(cells) == 1 and is_sentence(account)
        if says_so(words) and (not day or says_so(account) or says_so(day)):
            return True
        alone = len(cells) == 1
        return below and alone and (bool(self.amount[at]) or is_sentence(words))

    def aside(self, cells: Sequence[str], line: int) -> Aside:
        """What a line that is no data says; its figure stands below the amounts, or alone, or in its words."""
        filled = [cell for cell in cells if cell]
        words = " ".join(filled)[:MOST_READ]
        own = cells[self.amount_at] if self.amount_at < len(cells) else ""
        figures = [cell for cell in filled if _FIGURE.fullmatch(cell)] or _FIGURE.findall(words)
        figures = figures or [cell for cell in filled if cell.isdecimal()]
        named = TOTAL.match(_words(filled)) is not None or not has_letters(words)
        amount = own if own and self.listing.cents(own) is not None else figures[0] if len(figures) == 1 else ""
        count = _COUNT.search(words)
        return Aside(line, words[:80], amount if named else "", int(count[1] or count[2]) if count and named else None)

    def _is_heading(self, at: int) -> bool:
        return folded(self.account[at]) in self.headings and folded(self.amount[at]) in self.headings


def _words(cells: Sequence[str]) -> str:
    """The first of the cells that holds a word; "" where none does."""
    return next((cell for cell in cells if has_letters(cell)), "")


def _damaged_aside(cells: Sequence[str], below: bool) -> bool:
    """Whether a row of another number of cells is a report's own line."""
    filled = [cell for cell in cells if cell]
    if not filled:
        return False
    return says_so(filled[0]) or is_rule(filled) or (below and len(filled) == 1 and is_sentence(filled[0]))
