"""What a reading that was not taken looked like: the row as it came, and what of it could be told apart.

Looked up only where something was rejected, after the file has been read, so that a clean file costs nothing more.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from xlbilling.intake.files.cells import UNCERTAIN
from xlbilling.intake.files.old_sheets import OldWorkbook
from xlbilling.intake.files.sheets import EnoughRead, Row, SheetName, Workbook
from xlbilling.intake.files.text import Text

CONTENT_CHARACTERS: Final = 300
REJECT_FIELDS: Final = (
    "account_id", "meter_id", "register_id", "read_date", "read_time", "dial_read", "unit", "read_code",
)  # fmt: skip
_MOST_CELLS: Final = 60


class Rejected(NamedTuple):
    """One reading or record that was not taken; fields that could not be told apart are blank.

    `dial_read` is the text that the reading's value is taken from, in `unit`.
    """

    line: int
    code: str
    message: str
    account_id: str = ""
    meter_id: str = ""
    register_id: str = ""
    read_date: str = ""
    read_time: str = ""
    dial_read: str = ""
    unit: str = ""
    read_code: str = ""


def lines_as_they_came(text: Text, wanted: Collection[int]) -> dict[int, str]:
    """The lines of these numbers as they stand in the file, on one printable line of at most 300 characters each."""
    left, found = set(wanted), {}
    for number, lines in text.blocks() if left else ():
        for line in sorted(left & set(range(number, number + len(lines)))):
            found[line] = _printable(lines[line - number])
            left.discard(line)
        if not left:
            break
    return found


def rows_as_they_came(book: Workbook | OldWorkbook, sheet: SheetName, wanted: Collection[int]) -> dict[int, str]:
    """The sheet rows of these numbers, their cells joined by bars, at most 300 characters each."""
    found: dict[int, str] = {}
    if not wanted:
        return found
    left, last = set(wanted), max(wanted)

    def sink(number: int, row: Row) -> None:
        if number in left:
            cells = (row.get(column, "") for column in range(min(max(row) + 1, _MOST_CELLS)))
            found[number] = _printable(" | ".join(cell.removeprefix(UNCERTAIN).strip() for cell in cells))
        if number >= last:
            raise EnoughRead

    book.read(sheet, sink)
    return found


def _printable(text: str) -> str:
    """One line that any sheet can show; what cannot be shown is a blank."""
    short = text if len(text) <= CONTENT_CHARACTERS else text[: CONTENT_CHARACTERS - 3] + "..."
    return "".join(c if c.isprintable() else " " for c in short).strip()
