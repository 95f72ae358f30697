"""What a table of the office is: its sheet, its key and its columns, each declared once.

A declaration gives the sheet, its headings, number formats, drop-downs and notes, the check of what comes in from a
sheet or a file, the store's column, and the docs. In frames and in the store money is int64 cents, a quantity is
int64 millionths of its unit, a rate is decimal text, a date is datetime64[s] (ISO text in the store).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

ColumnKind = Literal["id", "text", "choice", "date", "money", "quantity", "rate", "whole", "stamp"]
Filled = Literal["typed", "given", "computed"]
Scope = Literal["all", "cycle", "period"]
Look = Literal["", "wrapped", "bars"]


UNITS: Final = ("CF", "CCF", "GAL", "KGAL", "M3", "AF")
YES_NO: Final = ("yes", "no")
CLASSES: Final = (
    "RESIDENTIAL_SINGLE",
    "RESIDENTIAL_MULTI",
    "COMMERCIAL",
    "INSTITUTIONAL",
    "IRRIGATION",
    "OTHER",
)


@dataclass(frozen=True, slots=True)
class Column:
    """How one column looks and what goes in: heading, the note on the heading, kind, width in characters."""

    title: str
    note: str
    kind: ColumnKind = "text"
    width: int = 14
    filled: Filled = "typed"
    choices: tuple[str, ...] = ()
    required: bool = False
    default: str | int | None = None  # what a blank cell stands for, where that is not simply nothing
    look: Look = ""  # wrapped: long words break into lines. bars: a chart drawn in characters
    offered: str = ""  # the column of sheet Choices whose words its drop-down offers; another word may be typed


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where a table is shown: sheet and table name, key, what Save may write, and who works on it."""

    name: str
    table: str
    title: str
    key: tuple[str, ...]
    saved: bool = False
    scope: Scope = "all"
    views: tuple[Literal["clerk", "lead"], ...] = ("clerk", "lead")
    totals: tuple[str, ...] = ()
    working: bool = False  # the store keeps what is typed and given, as it is, with every revision


def given(
    title: str, note: str, kind: ColumnKind = "text", width: int = 14, look: Look = "", default: str | int | None = None
) -> Column:
    """A column that comes from a file or the store; staff read it."""
    return Column(title, note, kind, width, "given", look=look, default=default)


def computed(
    title: str, note: str, kind: ColumnKind = "text", width: int = 14, look: Look = "", default: str | int | None = None
) -> Column:
    """A column that xlbilling computes; it is shaded, and Save names any cell typed over."""
    return Column(title, note, kind, width, "computed", look=look, default=default)


def required(
    title: str,
    note: str,
    kind: ColumnKind = "text",
    width: int = 14,
    choices: tuple[str, ...] = (),
    default: str | int | None = None,
) -> Column:
    """A column staff must fill in."""
    return Column(title, note, kind, width, "typed", choices, True, default)


REV: Final = computed(
    "Rev", "Revision of this row in the store. Leave it: Save uses it to see who changed what.", "whole", 6
)


class Table:
    """A declared table with its columns in order; saved tables carry the row's revision as their last column."""

    def __init__(self, sheet: Sheet, about: str, /, **columns: Column):
        self.sheet, self.about, self.name, self.key = sheet, about, sheet.table, sheet.key
        self.columns = {**columns, "rev": REV} if sheet.saved else columns

    @property
    def titles(self) -> dict[str, str]:
        return {name: column.title for name, column in self.columns.items()}

    def names(self, *filled: Filled) -> list[str]:
        """Names of the columns filled in one of these ways."""
        return [name for name, column in self.columns.items() if column.filled in filled]

    def __iter__(self) -> Iterator[tuple[str, Column]]:
        return iter(self.columns.items())
