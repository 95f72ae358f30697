"""Row heights of tables whose words wrap: a file's rows are as high as their longest cell needs, in every application.

Excel would work the heights out by itself, LibreOffice does not, so they are written. They are not fixed: whoever
types in a cell has the row fitted again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

LINE: Final = 15.0  # points of one line of the usual font
MOST_LINES: Final = 27  # Excel's rows end at 409 points

_FORMATS: Final = re.compile(rb"<cellXfs\b.*?</cellXfs>", re.S)
_FORMAT: Final = re.compile(rb"<xf\b[^>]*?(?:/>|>.*?</xf>)", re.S)
_COLUMN: Final = re.compile(rb"<col\b[^>]*>")


def wrapping_styles(styles: bytes) -> frozenset[str]:
    """Numbers of the cell formats under which words wrap, from the workbook's part of styles."""
    found = _FORMATS.search(styles)
    formats = _FORMAT.findall(found[0]) if found else []
    return frozenset(str(n) for n, xml in enumerate(formats) if re.search(rb'\bwrapText="(?:1|true)"', xml))


def column_widths(sheet_head: bytes) -> dict[int, float]:
    """Width in characters of the columns that have one, by number from 1."""
    made: dict[int, float] = {}
    for found in _COLUMN.findall(sheet_head):
        given = dict(re.findall(rb'(\w+)="([^"]*)"', found))
        if b"width" in given:
            first, last = int(given[b"min"]), int(given[b"max"])
            made |= dict.fromkeys(range(first, min(last, first + 1024) + 1), float(given[b"width"]))
    return made


def row_heights(columns: Mapping[float, Sequence[Sequence[Any]]], count: int) -> list[str]:
    """The height of each of `count` rows as a row's attribute, blank for one line; `columns` by width in characters."""
    lines = [1] * count
    for width, same_width in columns.items():
        room = max(int(width), 1)  # a line of words holds a fifth more; what the indent and breaks take is less
        for values in same_width:
            known: dict[Any, int] = {}
            for row, value in enumerate(values):
                need = known.get(value)
                if need is None:
                    need = known[value] = _lines(value, room)
                lines[row] = max(lines[row], need)
    return ["" if need == 1 else f' ht="{LINE * min(need, MOST_LINES):g}"' for need in lines]


def _lines(value: Any, room: int) -> int:
    """How many lines a text takes in a column with room for so many characters."""
    if not isinstance(value, str):
        return 1
    return sum(max(-(-len(part) // room), 1) for part in value.split("\n"))
