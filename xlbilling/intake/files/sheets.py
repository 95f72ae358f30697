"""Sheets of a workbook from outside: every cell as the text that is stored in it, row by row, without a grid.

Read from the sheet XML itself, because what a spreadsheet library returns has already been turned into floats and
dates. A number is its stored number, a date its serial, a formula its stored result. A cell that has no certain
text (a formula never calculated, an error value) comes as `cells.UNCERTAIN` and the reason, which no rule accepts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from xlbilling.intake.files import plain_sheet
from xlbilling.intake.files.cells import LAST_ROW, UNCERTAIN, cell_text, column_index, dated, unescaped, whole_number
from xlbilling.intake.files.date_styles import date_styles
from xlbilling.intake.files.package import Attributes, Package, main_part, shown
from xlbilling.intake.files.source import AMBIGUOUS, HIDDEN, TOO_LARGE, UNREADABLE, WRONG_TYPE
from xlbilling.words.problems import Refusal

SHEET_LIMIT: Final = 500

__all__ = ["UNCERTAIN", "EnoughRead", "Row", "RowSink", "SheetName", "Workbook", "column_index"]

Row = dict[int, str]
"""The cells of a row that hold something, by column from 0, in order of the columns; -1 tells of a damaged row."""

RowSink = Callable[[int, Row], None]


@dataclass(frozen=True)
class SheetName:
    """A sheet as the workbook lists it: its name, its part and whether it is hidden."""

    name: str
    part: str
    hidden: bool


class EnoughRead(Exception):
    """Raised by a row sink to stop reading a sheet."""


class Workbook:
    """An .xlsx or .xlsm workbook: its sheets in order, read one at a time."""

    def __init__(self, data: bytes, name: str) -> None:
        self.package = Package(data, name)
        self.place = self.package.place
        self.date1904 = False
        self._main = main_part(self.package)
        self._strings: tuple[list[str], dict[str, str]] | None = None
        if self._main.endswith(".bin"):
            raise Refusal(WRONG_TYPE.at(self.place, "the content is a binary workbook"))
        self._relations = self.package.relations(self._main)
        self.sheets = self._list_sheets()

    def _list_sheets(self) -> list[SheetName]:
        listed: list[tuple[str, str, str]] = []

        def start(name: str, given: Attributes) -> None:
            local = name.rpartition(" ")[2]
            if local == "sheet":
                identity = next((v for k, v in given.items() if k.endswith("relationships id")), "")
                listed.append((given.get("name", ""), given.get("state", "visible"), identity))
            elif local == "workbookPr":
                self.date1904 = given.get("date1904", "0") in {"1", "true", "on"}

        self.package.read_xml(self._main, start)
        if len(listed) > SHEET_LIMIT:
            raise Refusal(TOO_LARGE.at(self.place, f"it has {len(listed):,} sheets"))
        sheets: list[SheetName] = []
        for name, state, identity in listed:
            relation = self._relations.get(identity)
            if relation is None:
                raise Refusal(UNREADABLE.at(self.place, f"the sheet {shown(name)} is not in the file"))
            if relation.kind == "worksheet":
                sheets.append(SheetName(name, self.package.target_of(relation), state != "visible"))
        if len({sheet.part for sheet in sheets}) < len(sheets):
            raise Refusal(AMBIGUOUS.at(self.place, "two of its sheets are the same part"))
        return sheets

    def visible(self) -> list[SheetName]:
        """The sheets a person sees; refused when there are none."""
        seen = [sheet for sheet in self.sheets if not sheet.hidden]
        if not seen:
            raise Refusal(HIDDEN.at(self.place, "none of its sheets can be seen"))
        return seen

    def head(self, sheet: SheetName, count: int) -> list[tuple[int, Row]]:
        """The first rows of a sheet that hold something, at most `count`, with their row numbers."""
        strings, by_index = self._strings_known()
        rows = plain_sheet.head(self.package, sheet.part, by_index, count)
        if rows is not None:
            return rows
        rows = []

        def sink(number: int, row: Row) -> None:
            rows.append((number, row))
            if len(rows) == count:
                raise EnoughRead

        reader = _SheetReader(strings, sink, self)
        with contextlib.suppress(EnoughRead):
            self.package.read_xml(sheet.part, reader.start, reader.end, reader.text)
        return rows

    @cached_property
    def date_styles(self) -> frozenset[str]:
        """The styles of cells that show days or times."""
        relation = next((r for r in self._relations.values() if r.kind == "styles"), None)
        known = relation is not None and relation.target in self.package.names
        return date_styles(self.package, relation.target) if relation is not None and known else frozenset()

    def _strings_known(self) -> tuple[list[str], dict[str, str]]:
        if self._strings is None:
            strings = self._shared_strings()
            self._strings = strings, {str(index): text for index, text in enumerate(strings)}
        return self._strings

    def read(self, sheet: SheetName, sink: RowSink) -> None:
        """Give each row that holds something to `sink`, in file order, with its row number."""
        strings, by_index = self._strings_known()
        reader = _SheetReader(strings, sink, self)
        try:
            if plain_sheet.read(self.package, sheet.part, by_index, sink, self.date_styles):
                return
            self.package.read_xml(sheet.part, reader.start, reader.end, reader.text)
        except EnoughRead:
            return

    def _shared_strings(self) -> list[str]:
        relation = next((r for r in self._relations.values() if r.kind == "sharedStrings"), None)
        strings: list[str] = []
        if relation is None:
            return strings
        part = self.package.target_of(relation)
        plain = plain_sheet.shared_strings(self.package, part)
        if plain is not None:
            return plain
        pieces: list[str] = []
        state = {"text": False, "phonetic": 0}

        def start(name: str, _: Attributes) -> None:
            local = name.rpartition(" ")[2]
            if local == "si":
                pieces.clear()
            elif local == "rPh":
                state["phonetic"] += 1
            elif local == "t":
                state["text"] = not state["phonetic"]

        def end(name: str) -> None:
            local = name.rpartition(" ")[2]
            if local == "si":
                strings.append(unescaped("".join(pieces)))
            elif local == "rPh":
                state["phonetic"] -= 1
            elif local == "t":
                state["text"] = False

        def text(data: str) -> None:
            if state["text"]:
                pieces.append(data)

        self.package.read_xml(part, start, end, text)
        return strings


class _SheetReader:
    """Handlers that turn the events of one sheet part into rows."""

    def __init__(self, strings: list[str], sink: RowSink, book: Workbook) -> None:
        self.strings, self.sink, self.place = strings, sink, book.place
        self.date_styles = book.date_styles
        self.style = ""
        self.row_number, self.column = 0, -1
        self.row: Row = {}
        self.kind, self.take = "", False
        self.in_cell = self.has_formula = False
        self.phonetic = 0
        self.pieces: list[str] = []
        self.formula: list[str] = []
        self.take_formula = False
        self.seen_rows: set[int] = set()
        self.columns: dict[str, int] = {}

    def start(self, name: str, given: Attributes) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            self._start_cell(given)
        elif local == "v" or (local == "t" and not self.phonetic):
            self.take = self.in_cell
        elif local == "f":
            self.has_formula = True
            self.take_formula = True
        elif local == "row":
            self._start_row(given)
        elif local == "rPh":
            self.phonetic += 1

    def _start_row(self, given: Attributes) -> None:
        reference = given.get("r")
        number = whole_number(reference) if reference is not None else self.row_number + 1
        if number in self.seen_rows:
            raise Refusal(AMBIGUOUS.at(self.place, f"row {number} is there twice"))
        self.seen_rows.add(number)
        self.row_number, self.column, self.row = number, -1, {}
        if not 1 <= number <= LAST_ROW:
            self.row[-1] = UNCERTAIN + "a row beyond the last row of a sheet"

    def _start_cell(self, given: Attributes) -> None:
        reference = given.get("r")
        column = self.column + 1 if reference is None else self._column_of(reference)
        if column in self.row and column >= 0:
            raise Refusal(AMBIGUOUS.at(self.place, f"a cell of row {self.row_number} is there twice"))
        self.column = column
        self.kind, self.style = given.get("t", "n"), given.get("s", "")
        self.in_cell, self.take, self.has_formula = True, False, False
        self.pieces.clear()
        self.formula.clear()

    def _column_of(self, reference: str) -> int:
        letters = reference.rstrip("0123456789")
        column = self.columns.get(letters)
        if column is None:
            column = column_index(letters)
            self.columns[letters] = column
        if reference[len(letters) :] not in {str(self.row_number), ""}:
            raise Refusal(AMBIGUOUS.at(self.place, f"a cell of row {self.row_number} names another row"))
        if column < 0:
            self.row[-1] = UNCERTAIN + "a cell beyond the last column of a sheet"
        return column

    def text(self, data: str) -> None:
        if self.take:
            self.pieces.append(data)
        elif self.take_formula:
            self.formula.append(data)

    def end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "c":
            self.in_cell = self.take = False
            raw = self.pieces[0] if len(self.pieces) == 1 else "".join(self.pieces)
            text = cell_text(self.kind, raw, "".join(self.formula) if self.has_formula else None, self.strings)
            if self.kind == "d" or (self.kind == "n" and self.style in self.date_styles):
                text = dated(text)
            if text and self.column >= 0:
                self.row[self.column] = text
        elif local in {"v", "t"}:
            self.take = False
        elif local == "f":
            self.take_formula = False
        elif local == "row":
            if self.row:
                self.sink(self.row_number, dict(sorted(self.row.items())))
        elif local == "rPh":
            self.phonetic -= 1
