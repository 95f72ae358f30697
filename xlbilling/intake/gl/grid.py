"""The rows of a ledger export: every cell of the file as text, rows as they stand, nothing dropped, read as a stream."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xlbilling.intake.files.old_sheets import OldWorkbook, open_book
from xlbilling.intake.files.sheets import EnoughRead, Row, SheetName, Workbook
from xlbilling.intake.files.source import UNREADABLE, kind_of, take
from xlbilling.intake.files.text import Text, decode
from xlbilling.words.problems import Place, Refusal

_CELL_LIMIT: Final = 1 << 20
_MARKS: Final = ",\t;|"

Taker = Callable[[list[str]], None]


@dataclass(frozen=True, slots=True)
class Page:
    """One sheet of a workbook, or the whole of a text file; `first_serial` is the year day 0 of its date numbers.

    In a CSV file a row is a record: a quoted field may hold line breaks. `first_serial` is 0 for text files, where a
    bare number is never a date.
    """

    first_serial: int
    each_row: Callable[[Taker], None]

    def head(self, count: int) -> list[list[str]]:
        """The first `count` rows."""
        rows: list[list[str]] = []

        def look(cells: list[str]) -> None:
            rows.append(cells)
            if len(rows) == count:
                raise EnoughRead

        try:
            self.each_row(look)
        except EnoughRead:
            return rows
        return rows


def open_pages(path: Path) -> list[Page]:
    """The visible sheets of a workbook in order, or the one page of a text file; refused where it is neither."""
    data = take(path)
    kind = kind_of(data, path.name)
    if kind == "text":
        text = decode(data, path.name)
        return [Page(0, lambda sink: _text_rows(text, path.name, sink))]
    book = open_book(data, kind, path.name)
    return [_sheet_page(book, sheet) for sheet in book.visible()]


def _sheet_page(book: Workbook | OldWorkbook, sheet: SheetName) -> Page:
    return Page(1904 if book.date1904 else 1900, lambda sink: _sheet_rows(book, sheet, sink))


def _sheet_rows(book: Workbook | OldWorkbook, sheet: SheetName, sink: Taker) -> None:
    last = 0
    stopped = False

    def put(number: int, row: Row) -> None:
        nonlocal last, stopped
        cells = [""] * (max(row) + 1)
        for column, text in row.items():
            cells[column] = text
        try:
            # rows that hold nothing are not stored in a sheet, but they count
            for _ in range(number - 1 - last):
                sink([])
            sink(cells)
        except EnoughRead:
            stopped = True
            raise
        last = number

    book.read(sheet, put)
    if stopped:
        # the workbook ends its own reading quietly; whoever asked for the head hears of it
        raise EnoughRead


def _text_rows(text: Text, name: str, sink: Taker) -> None:
    head = [line for _, line in text.head(60)]
    delimiter = max(_MARKS, key=lambda mark: sum(line.count(mark) for line in head))
    csv.field_size_limit(_CELL_LIMIT)
    try:
        for record in csv.reader(_lines(text), delimiter=delimiter):
            sink(record)
    except csv.Error as error:
        raise Refusal(UNREADABLE.at(Place(file=name), f"it is not a CSV file ({error})")) from None


def _lines(text: Text) -> Iterator[str]:
    for _, lines in text.blocks():
        for line in lines:
            yield f"{line}\n"
