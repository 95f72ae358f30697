"""Sheets of a workbook from outside: every cell as the text that is stored in it, row by row, without a grid.

Read from the sheet XML itself, because what a spreadsheet library returns has already been turned into floats and
dates. A number is its stored number, a date its serial, a formula its stored result. A cell that has no certain
text (a formula never calculated, an error value) comes as `UNCERTAIN` and the reason, which no rule accepts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from xlbilling.intake.files import AMBIGUOUS, HIDDEN, TOO_LARGE, UNREADABLE, WRONG_TYPE
from xlbilling.intake.package import Attributes, Package, main_part, shown
from xlbilling.problems import Refusal

UNCERTAIN: Final = "\x00"
LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
SHEET_LIMIT: Final = 500
_TEXT_LIMIT: Final = 32_767

Row = dict[int, str]
"""The cells of a row that hold something, by column from 0."""

RowSink = Callable[[int, Row], None]


@dataclass(frozen=True)
class SheetName:
    """A sheet as the workbook lists it: its name, its part and whether it is hidden."""

    name: str
    part: str
    hidden: bool


class EnoughRead(Exception):  # noqa: N818 - not an error: the reader of the rows has seen what it needs
    """Raised by a row sink to stop reading a sheet."""


class Workbook:
    """An .xlsx or .xlsm workbook: its sheets in order, read one at a time."""

    def __init__(self, data: bytes, name: str) -> None:
        self.package = Package(data, name)
        self.place = self.package.place
        self.date1904 = False
        self._main = main_part(self.package)
        self._strings: list[str] | None = None
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

    def read(self, sheet: SheetName, sink: RowSink) -> None:
        """Give each row that holds something to `sink`, in file order, with its row number."""
        if self._strings is None:
            self._strings = self._shared_strings()
        reader = _SheetReader(self._strings, sink, self)
        try:
            self.package.read_xml(sheet.part, reader.start, reader.end, reader.text)
        except EnoughRead:
            return

    def _shared_strings(self) -> list[str]:
        relation = next((r for r in self._relations.values() if r.kind == "sharedStrings"), None)
        strings: list[str] = []
        if relation is None:
            return strings
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
                strings.append(_unescaped("".join(pieces)))
            elif local == "rPh":
                state["phonetic"] -= 1
            elif local == "t":
                state["text"] = False

        def text(data: str) -> None:
            if state["text"]:
                pieces.append(data)

        self.package.read_xml(self.package.target_of(relation), start, end, text)
        return strings


class _SheetReader:
    """Handlers that turn the events of one sheet part into rows."""

    def __init__(self, strings: list[str], sink: RowSink, book: Workbook) -> None:
        self.strings, self.sink, self.place = strings, sink, book.place
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
        number = _whole(reference) if reference is not None else self.row_number + 1
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
        self.kind = given.get("t", "n")
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
            text = self._cell_text()
            if text and self.column >= 0:
                self.row[self.column] = text
        elif local in {"v", "t"}:
            self.take = False
        elif local == "f":
            self.take_formula = False
        elif local == "row":
            if self.row:
                self.sink(self.row_number, self.row)
        elif local == "rPh":
            self.phonetic -= 1

    def _cell_text(self) -> str:
        raw = "".join(self.pieces) if len(self.pieces) != 1 else self.pieces[0]
        if self.has_formula:
            if leaves_the_workbook("".join(self.formula)):
                return UNCERTAIN + "a formula that takes its figure from outside the workbook"
            if not raw and self.kind != "str":
                return UNCERTAIN + "a formula without a stored result"
        if self.kind == "s":
            return self._shared(raw)
        if self.kind in {"inlineStr", "str"}:
            text = _unescaped(raw)
            if self.has_formula and not text.strip():
                return UNCERTAIN + "a formula without a stored result"
            return text if len(text) <= _TEXT_LIMIT else UNCERTAIN + "more text than a cell can hold"
        if self.kind == "n":
            return number_text(raw.strip())
        if self.kind == "e":
            return UNCERTAIN + "the error value " + raw[:20]
        if self.kind == "b":
            return {"1": "TRUE", "0": "FALSE"}.get(raw.strip(), UNCERTAIN + "no truth value") if raw else ""
        if self.kind == "d":
            return raw.strip()
        return UNCERTAIN + "a cell of an unknown kind"

    def _shared(self, raw: str) -> str:
        if not raw:
            return ""
        index = _whole(raw.strip())
        if 0 <= index < len(self.strings):
            return self.strings[index]
        return UNCERTAIN + "a text that is not in the file"


_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LEAVES: Final = re.compile(r"(?:^|[^A-Za-z0-9_.\]])\[[0-9]+\]|\[[^\]]*\.xl|WEBSERVICE\(|RTD\(|\|\s*'", re.IGNORECASE)


def leaves_the_workbook(formula: str) -> bool:
    """Whether a formula takes its figure from another workbook, the web or another program."""
    return bool(formula) and _LEAVES.search(formula) is not None


def number_text(raw: str) -> str:
    """A stored number as plain decimal text, exact: "227.6", "1.1000000000000001" -> "1.1", "1E-4" -> "0.0001".

    A sheet holds doubles of 15 to 17 digits. Longer digits are noise of the writing program, so the shortest text
    of the same double is taken; a whole number of more than 15 digits is not certain any more.
    """
    if raw.isdecimal() and raw.isascii() and len(raw) <= 15:
        return raw
    if not raw:
        return ""
    if not _NUMBER.fullmatch(raw):
        return UNCERTAIN + "a number cell that holds no number"
    if "e" not in raw and "E" not in raw and sum(map(str.isdigit, raw)) <= 15:
        return raw
    value = Decimal(repr(float(raw)))
    if not value.is_finite() or abs(value) >= 10**15 or (value and abs(value) < Decimal("1e-15")):
        return UNCERTAIN + "a number of more digits than a sheet keeps"
    return format(value, "f").removesuffix(".0")


def column_index(letters: str) -> int:
    """The column of letters from 0 ("A" is 0, "XFD" 16383); -1 for what is no column of a sheet."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        return -1
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1 if index <= LAST_COLUMN else -1


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else -1


_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def _unescaped(text: str) -> str:
    """Text with the workbook's own escapes undone: "_x000D_" is a carriage return, "_x005F_" an underscore."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
