"""The grid of a ledger export: every cell of the file as text, rows as they stand, nothing dropped."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xlbilling.intake.files import UNREADABLE, kind_of, take
from xlbilling.intake.old_sheets import OldWorkbook, open_document
from xlbilling.intake.sheets import Row, Workbook
from xlbilling.intake.text import decode
from xlbilling.problems import Place, Refusal

_CELL_LIMIT: Final = 1 << 20
_MARKS: Final = ",\t;|"


@dataclass(slots=True)
class Grid:
    """Rows of text cells from the file's first physical row on; `first_serial` is the year day 0 of its date numbers.

    In a CSV file a row is a record: a quoted field may hold line breaks. `first_serial` is 0 for text files, where a
    bare number is never a date.
    """

    rows: list[list[str]]
    first_serial: int = 0


def read_grids(path: Path) -> list[Grid]:
    """The visible sheets of a workbook in order, or the one grid of a text file; refused where it is neither."""
    data = take(path)
    kind = kind_of(data, path.name)
    if kind == "text":
        return [_text_grid(decode(data, path.name).characters, path.name)]
    book: Workbook | OldWorkbook
    if kind == "workbook":
        book = Workbook(data, path.name)
    else:
        book = open_document(data, path.name) if kind == "open_document" else OldWorkbook(data, path.name)
    grids = []
    for sheet in book.visible():
        grid = Grid([], 1904 if book.date1904 else 1900)
        book.read(sheet, lambda number, row, rows=grid.rows: _put(rows, number, row))  # type: ignore[misc]
        grids.append(grid)
    return grids


def _put(rows: list[list[str]], number: int, row: Row) -> None:
    # rows that hold nothing are not stored in a sheet, but they count
    empty: list[str] = []
    rows.extend([empty] * (number - 1 - len(rows)))
    cells = [""] * (max(row) + 1)
    for column, text in row.items():
        cells[column] = text
    rows.append(cells)


def _text_grid(text: str, name: str) -> Grid:
    csv.field_size_limit(_CELL_LIMIT)
    head = text[:65536].split("\n")[:60]
    delimiter = max(_MARKS, key=lambda mark: sum(line.count(mark) for line in head))
    try:
        return Grid(list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)))
    except csv.Error as error:
        raise Refusal(UNREADABLE.at(Place(file=name), f"it is not a CSV file ({error})")) from None
