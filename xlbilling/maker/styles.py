"""Styles: the colours, fonts and number formats of every workbook we make, in one place."""

from __future__ import annotations

from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from xlbilling.words.records import Column, ColumnKind, Filled, Look
from xlbilling.workbook.looks import FILL, NUMBER_FORMAT

FONT: Final = "Calibri"
ACCENT: Final = "#1F5C7A"
ACCENT_SOFT: Final = "#E6EFF4"
SECOND: Final = "#E09F3E"
THIRD: Final = "#9AA7AF"
INK: Final = "#22313A"
QUIET: Final = "#6B7A83"
LINE: Final = "#D9E0E4"
INPUT_HEAD: Final = "#F2D37B"
COMPUTED_HEAD: Final = "#7C8A93"
ALARM: Final = "#B3261E"
ALARM_SOFT: Final = "#FBE4E2"
WARN_SOFT: Final = "#FFEFC9"
GOOD_SOFT: Final = "#E3F2E6"

RIGHT: Final = frozenset({"money", "quantity", "rate", "whole"})
HEAD: Final[dict[Filled, tuple[str, str]]] = {
    "typed": (INPUT_HEAD, INK),
    "given": (ACCENT, "#FFFFFF"),
    "computed": (COMPUTED_HEAD, "#FFFFFF"),
}

# Calibri has no bars between none and full; Segoe UI Symbol comes with Windows, and what other systems put in its place
# has them too.
LOOKS: Final[dict[Look, dict[str, Any]]] = {
    "": {},
    "wrapped": {"text_wrap": True},
    "bars": {"font_name": "Segoe UI Symbol", "font_size": 10, "font_color": ACCENT},
}


class Styles:
    """The formats of one workbook; the same properties always give the same format object."""

    def __init__(self, book: Workbook):
        self._book = book
        self._made: dict[tuple[tuple[str, Any], ...], Format] = {}

    def of(self, **properties: Any) -> Format:
        asked = {"font_name": FONT, "font_size": 11, "font_color": INK, "valign": "vcenter", **properties}
        key = tuple(sorted(asked.items()))
        if key not in self._made:
            self._made[key] = self._book.add_format(asked)
        return self._made[key]

    def number(self, column: Column) -> Format:
        """Number format and alignment alone: what a whole column carries below its table."""
        return self.of(num_format=NUMBER_FORMAT[column.kind], **_aligned(column.kind), **LOOKS[column.look])

    def cell(self, column: Column) -> Format:
        """A table cell: typed ones in the input colour, computed ones shaded."""
        return self.of(
            num_format=NUMBER_FORMAT[column.kind],
            bg_color=FILL[column.filled],
            border=1,
            border_color=LINE,
            **_aligned(column.kind),
            **LOOKS[column.look],
        )

    def head(self, column: Column) -> Format:
        fill, ink = HEAD[column.filled]
        return self.of(
            bold=True,
            bg_color=fill,
            font_color=ink,
            text_wrap=True,
            border=1,
            border_color=LINE,
            **_aligned(column.kind),
        )


def _aligned(kind: ColumnKind) -> dict[str, Any]:
    return {"align": "right", "indent": 1} if kind in RIGHT else {"align": "left", "indent": 1}
