"""Reading a ledger export: its layout found and its lines read; plain values only.

This is the work that runs in the guarded child (`task`); the frame is made from its answer outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from xlbilling.intake.files.dates import AMBIGUOUS_DATE, doubt_told, ways_of
from xlbilling.intake.files.tables import pack
from xlbilling.intake.gl.grid import Page, open_pages
from xlbilling.intake.gl.layout import Layout, heading, side_of
from xlbilling.intake.gl.layouts import LAYOUTS
from xlbilling.intake.gl.lines import Line, Reader
from xlbilling.words.problems import Place, Refusal, declare

LAYOUT_UNKNOWN: Final = declare(
    "ledger_layout_unknown",
    "No layout this product knows fits the columns of a ledger export.",
    "Choose a report listed in docs/reconcile.md, or export Date, Account, Reference, Description, Debit, Credit.",
)
LAYOUT_UNNAMED: Final = declare(
    "ledger_layout_unnamed",
    "A ledger layout was asked for that this product does not have.",
    "Use auto, or one of the names listed in docs/reconcile.md.",
)
_HEADER_WITHIN: Final = 60
_ROWS_A_BLOCK: Final = 50_000
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127, *range(0xD800, 0xE000)))
DOUBT: Final = "?"
_SIDES: Final = {1: "D", -1: "C", 0: ""}
_DATED: Final = frozenset({"posting", "opening", "unposted"})
CENTS: Final = ("amount_cents", "debit_cents", "credit_cents", "balance_cents")
TEXTS: Final = ("gl_account", "account_name", "reference", "description", "source")


def task(path: Path, profile: str, known: list[str], segments: list[str]) -> tuple[dict[str, Any], list[bytes]]:
    """Every row below the header of the file's best fitting page: kind, `CENTS`, side, `TEXTS` and date, in blocks.

    Runs in the guarded child. The facts name the layout, say whether its amounts are on each account's natural side
    (and so not debit positive yet), how many blobs each block has, and what could not be read.
    """
    layout, page, header_row, head = _recognise(open_pages(path), _candidates(profile), path.name)
    header = [heading(cell) for cell in head[header_row]]
    reader = Reader(
        layout=layout,
        header=header,
        known=frozenset(known),
        file=path.name,
        header_row=header_row,
        segments=segments if layout.account == "segments" else (),
        titles={cell.strip() for row in head[:header_row] for cell in row if cell.strip()},
        first_serial=page.first_serial,
        side_at=_side_column(layout, header, head[header_row + 1 :]),
    )
    packed = _Packed(reader)
    page.each_row(packed.take)
    packed.close()
    facts = {
        "profile": layout.name,
        "natural_side": layout.signs == "natural_side",
        "lone_amount": "amount" in layout.columns,
        "header_row": header_row,
        "unused": [" ".join(head[header_row][at].split())[:40] for at in reader.unused],
        "respelled": reader.respelled,
        "dates_told": reader.dates.told,
        "blocks": packed.sizes,
        "problems": [asdict(problem) for problem in reader.problems],
    }
    return facts, packed.blobs


class _Packed:
    """Rows read and packed as they come, so that only one block of them is in memory at a time.

    Their dates wait as text for the end: only the whole column shows their order.
    """

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.blobs: list[bytes] = []
        self.sizes: list[int] = []
        self._lines: list[Line] = []
        self._dates: list[list[str]] = []
        self._blocks: list[list[bytes]] = []
        self._row = -reader.header_row

    def take(self, cells: list[str]) -> None:
        if self._row > 0:
            self._lines.append(self.reader.line(self._row, cells))
            if len(self._lines) == _ROWS_A_BLOCK:
                self._pack()
        self._row += 1

    def close(self) -> None:
        """Pack what is left, and the dates of all blocks."""
        self._pack()
        first = 1
        for block, dates in zip(self._blocks, self._dates, strict=True):
            blobs = [*block, *pack([self._days(dates, first)])]
            self.sizes.append(len(blobs))
            self.blobs += blobs
            first += len(dates)

    def _pack(self) -> None:
        lines, self._lines = self._lines, []
        if not lines and self._blocks:
            return
        facts = zip(*lines, strict=True) if lines else [()] * len(Line._fields)
        column = dict(zip(Line._fields, map(list, facts), strict=True))
        columns: list[list[str]] = [
            column["kind"],
            *([_whole(cents) for cents in column[name]] for name in ("cents", "debit", "credit", "balance")),
            [_SIDES[side] for side in column["side"]],
            *([_printable(text) for text in column[name]] for name in TEXTS),
        ]
        self._blocks.append(pack(columns))
        dated = zip(column["date"], column["kind"], strict=True)
        self._dates.append([date if kind in _DATED else "" for date, kind in dated])

    def _days(self, texts: list[str], first: int) -> list[str]:
        """The days of a block's dates; "?" where a date could be two days, which is told with its row."""
        reader = self.reader
        told = {text: self._day(text) for text in set(texts)}
        doubtful = {text for text, day in told.items() if day == DOUBT}
        for row, text in enumerate(texts, first):
            if text in doubtful:
                place = Place(file=reader.file, line=reader.header_row + row + 1)
                reader.problems.append(AMBIGUOUS_DATE.at(place, doubt_told(text, ways_of(text, reader.first_serial))))
        return [told[text] for text in texts]

    def _day(self, text: str) -> str:
        ways = ways_of(text, self.reader.first_serial)
        if self.reader.dates.in_doubt(ways):
            return DOUBT
        day = self.reader.dates.day(ways)
        return day.isoformat() if day else ""


def _whole(cents: int | None) -> str:
    return "" if cents is None else str(cents)


def _side_column(layout: Layout, header: Sequence[str], below: Sequence[Sequence[str]]) -> int:
    """The column that says debit and credit of a lone amount by its cells, whatever its heading; -1 where there is none.

    A report may call it Type or Dir. It has a word for either side, and no other words.
    """
    if "amount" not in layout.columns or "side" in layout.places(header):
        return -1
    for at in range(len(header)):
        words = [row[at] for row in below if at < len(row) and row[at].strip()]
        if {side_of(word) for word in words} == {1, -1}:
            return at
    return -1


def _printable(text: str) -> str:
    """The text without control characters and broken bytes, a line break in it as a space."""
    return text if text.isprintable() else " ".join(text.split()).translate(_UNPRINTABLE)


def _candidates(profile: str) -> Sequence[Layout]:
    if profile == "auto":
        return LAYOUTS
    named = [layout for layout in LAYOUTS if layout.name == profile]
    if not named:
        names = ", ".join(layout.name for layout in LAYOUTS)
        raise Refusal(LAYOUT_UNNAMED.at(None, f"there is no layout {profile[:40]!r}; there are {names}"))
    return named


def _recognise(
    pages: Sequence[Page], layouts: Sequence[Layout], file: str
) -> tuple[Layout, Page, int, list[list[str]]]:
    """The layout, page, header row and head that fit with the longest signature; the topmost of equals."""
    best: tuple[int, Layout, Page, int, list[list[str]]] | None = None
    for page in pages:
        head = page.head(_HEADER_WITHIN)
        for index, row in enumerate(head):
            header = [heading(cell) for cell in row]
            for layout in layouts:
                if layout.fits(header) and (best is None or len(layout.signature) > best[0]):
                    best = (len(layout.signature), layout, page, index, head)
    if best is None:
        fact = f"no header row was found in the first {_HEADER_WITHIN} rows"
        raise Refusal(LAYOUT_UNKNOWN.at(Place(file=file), fact))
    return best[1:]
