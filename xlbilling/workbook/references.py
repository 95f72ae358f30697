"""Cell references in formulas, names and charts, and how they follow a table whose last row moves."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LAST_ROW: Final = 1_048_576

_SHEET = r"(?:'(?:[^']|'')+'|[A-Za-z_\u0080-\uffff][\w.]*)!"
_TOKEN: Final = re.compile(
    r'"(?:[^"]|"")*"'  # text in a formula, and [columns] of a structured reference, hold no cell references
    r"|\[[^\[\]]*\]"
    rf"|(?<![\w.$'!\]])(?P<sheet>{_SHEET})?(?P<c1>\$?[A-Za-z]{{1,3}})(?P<r1>\$?\d{{1,7}})"
    r"(?::(?P<c2>\$?[A-Za-z]{1,3})(?P<r2>\$?\d{1,7}))?(?![\w(\[!.])"
)


def column_number(letters: str) -> int:
    """A -> 1, Z -> 26, AA -> 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number


def column_letters(number: int) -> str:
    """1 -> A, 27 -> AA."""
    letters = ""
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of cells, rows and columns counted from 1, both ends inside."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    @classmethod
    def parse(cls, text: str) -> Area:
        """The area of "A3:D7", "$A$3" or "D7"; ValueError for anything else."""
        found = re.fullmatch(r"\$?([A-Z]{1,3})\$?(\d+)(?::\$?([A-Z]{1,3})\$?(\d+))?", text.strip())
        if found is None:
            raise ValueError(f"{text!r} is not a cell range")
        left, top = column_number(found[1]), int(found[2])
        return cls(top, left, int(found[4] or top), column_number(found[3]) if found[3] else left)

    def __str__(self) -> str:
        first = f"{column_letters(self.first_column)}{self.first_row}"
        last = f"{column_letters(self.last_column)}{self.last_row}"
        return first if first == last else f"{first}:{last}"

    def overlaps(self, other: Area) -> bool:
        return (
            self.first_row <= other.last_row
            and other.first_row <= self.last_row
            and self.first_column <= other.last_column
            and other.first_column <= self.last_column
        )


@dataclass(frozen=True, slots=True)
class Growth:
    """What happens to a table's rows: the data area before, its last row after, and whether a totals row follows."""

    sheet: str
    data: Area
    last_row: int
    totals: int = 0

    @property
    def changes(self) -> bool:
        return self.last_row != self.data.last_row

    def rows(self, first: int, last: int) -> tuple[int, int]:
        """Rows `first` to `last` of a range over the table's columns, after the change.

        A range that took in all data rows still does and ends where it ended: at the last data row, at the totals row,
        or further down. The totals row moves along. All else stays.
        """
        top, bottom = self.data.first_row, self.data.last_row
        totals_row = bottom + 1 if self.totals else 0
        if first == last == totals_row:
            return self.last_row + 1, self.last_row + 1
        if first > top or last < bottom:
            return first, last
        if last == bottom:
            return first, self.last_row
        if last == totals_row:
            return first, self.last_row + 1
        return first, max(last, self.last_row + self.totals)

    def over_columns(self, first: int, last: int) -> bool:
        return first <= self.data.last_column and self.data.first_column <= last


def followed(formula: str, growth: Growth, home: str = "", single: bool = False) -> str:
    """`formula` with its references to the table's rows moved along; `home` is the sheet that bare references mean.

    A lone cell is not a range and stays, unless `single` says that here it stands for a range of one row.
    """

    def move(token: re.Match[str]) -> str:
        column, row = token["c1"], token["r1"]
        if column is None or _sheet_name(token["sheet"], home).casefold() != growth.sheet.casefold():
            return token[0]
        last_column, last_row = token["c2"] or column, token["r2"] or row
        first, last = _number(row), _number(last_row)
        numbers = column_number(column.replace("$", "")), column_number(last_column.replace("$", ""))
        if not growth.over_columns(*numbers):
            return token[0]
        after_first, after_last = growth.rows(first, last)
        lone = token["c2"] is None
        if lone and after_first != after_last and not single:
            return token[0]
        head = f"{token['sheet'] or ''}{column}{_like(row, after_first)}"
        return head if lone and after_first == after_last else f"{head}:{last_column}{_like(last_row, after_last)}"

    return _TOKEN.sub(move, formula)


def followed_areas(areas: str, growth: Growth) -> str:
    """A blank-separated list of areas on the table's own sheet (an `sqref`), with the table's rows followed."""
    moved: Sequence[str] = [followed(area, growth, growth.sheet, single=True) for area in areas.split()]
    return " ".join(moved)


def _sheet_name(token: str | None, home: str) -> str:
    if not token:
        return home
    name = token[:-1]
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


def _number(row: str) -> int:
    return int(row.replace("$", ""))


def _like(row: str, number: int) -> str:
    return f"${number}" if row.startswith("$") else str(number)
