"""Reading a ledger export: its layout found and its lines read; plain values only.

This is the work that runs in the guarded child (`task`); the frame is made from its answer outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from xlbilling.intake.ledger.grid import Page, open_pages
from xlbilling.intake.ledger.layout import Layout, heading
from xlbilling.intake.ledger.layouts import LAYOUTS
from xlbilling.intake.ledger.lines import Line, Reader
from xlbilling.intake.tables import pack
from xlbilling.problems import Place, Refusal, declare

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
TEXTS: Final = ("gl_account", "account_name", "reference", "description", "source")


def task(path: Path, profile: str, known: list[str], segments: list[str]) -> tuple[dict[str, Any], list[bytes]]:
    """Every row below the header of the file's best fitting page: kind, date, cents and `TEXTS`, packed in blocks.

    Runs in the guarded child. The facts name the layout, say whether its amounts are on each account's natural side
    (and so not debit positive yet), how many blobs each block has, and what could not be read.
    """
    layout, page, header_row, head = _recognise(open_pages(path), _candidates(profile), path.name)
    reader = Reader(
        layout=layout,
        header=[heading(cell) for cell in head[header_row]],
        known=frozenset(known),
        file=path.name,
        header_row=header_row,
        segments=segments if layout.account == "segments" else (),
        titles={cell.strip() for row in head[:header_row] for cell in row if cell.strip()},
        first_serial=page.first_serial,
    )
    packed = _Packed(reader)
    page.each_row(packed.take)
    packed.close()
    facts = {
        "profile": layout.name,
        "natural_side": layout.signs == "natural_side",
        "blocks": packed.sizes,
        "problems": [asdict(problem) for problem in reader.problems],
    }
    return facts, packed.blobs


class _Packed:
    """Rows read and packed as they come, so that only one block of them is in memory at a time."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.blobs: list[bytes] = []
        self.sizes: list[int] = []
        self._lines: list[Line] = []
        self._row = -reader.header_row

    def take(self, cells: list[str]) -> None:
        if self._row > 0:
            self._lines.append(self.reader.line(self._row, cells))
            if len(self._lines) == _ROWS_A_BLOCK:
                self.close()
        self._row += 1

    def close(self) -> None:
        lines, self._lines = self._lines, []
        columns: list[list[str]] = [
            [str(line.kind) for line in lines],
            [line.date.isoformat() if line.date else "" for line in lines],
            ["" if line.cents is None else str(line.cents) for line in lines],
            *([_printable(getattr(line, column)) for line in lines] for column in TEXTS),
        ]
        blobs = pack(columns)
        self.sizes.append(len(blobs))
        self.blobs += blobs


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
