"""An xlwings engine over a running LibreOffice Calc: the same public API as Excel, so the real code runs unchanged.

Members that nobody here uses are left out: xlwings' base classes raise NotImplementedError for them. Formulas go in
and come out in Excel's own writing (commas, Sheet!A1); text is never taken for a formula or a number unless it is one.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlwings as xw
from openpyxl.utils import get_column_letter
from xlwings import base_classes, utils

from tests.libreoffice.unolink import load_uno

uno = load_uno()
from com.sun.star.beans import PropertyValue  # noqa: E402  (exists once uno is loaded)

DAY_ZERO = dt.datetime(1899, 12, 30)
CONTENTS, EVERYTHING, DATES, ANY_ERROR = 1 | 2 | 4 | 16, 1023, 2, 4  # com.sun.star.sheet.CellFlags, FormulaResult
LOOKS = 32 | 64 | 256  # com.sun.star.sheet.CellFlags: hard attributes, styles, edit attributes
LOOK_OF_A_CELL = (
    "BottomBorder", "CellBackColor", "CharColor", "CharFontName", "CharHeight", "CharWeight", "HoriJustify", "IsTextWrapped",
    "LeftBorder", "NumberFormat", "ParaIndent", "RightBorder", "TopBorder", "VertJustify",
)  # fmt: skip
EXCEL_WRITING = 3  # com.sun.star.sheet.AddressConvention.XL_OOX
FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".xlsm": "Calc MS Excel 2007 VBA XML", ".ods": "calc8"}
ERRORS = {
    502: "#VALUE!", 503: "#NUM!", 504: "#REF!", 519: "#VALUE!", 521: "#NULL!", 524: "#REF!", 525: "#NAME?",
    32767: "#N/A", 532: "#DIV/0!",
}  # fmt: skip


def properties(**values: Any) -> tuple[Any, ...]:
    return tuple(PropertyValue(Name=name, Value=value) for name, value in values.items())


class CellError(str):
    """An error value of a cell, such as #VALUE!."""

    __slots__ = ()


class Engine:
    name, type = "libreoffice", "desktop"  # "desktop": one value written to a range fills it

    def __init__(self) -> None:
        self.apps = Apps()

    @staticmethod
    def prepare_xl_data_element(value: Any, options: Any) -> Any:
        """A Python value as the bridge takes it."""
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or value is pd.NA or value is pd.NaT or value != value:
            return ""
        if isinstance(value, pd.Timestamp):
            return value.to_pydatetime()
        if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
            return dt.datetime(value.year, value.month, value.day)
        return value if isinstance(value, dt.datetime | str | bool) else float(value)

    @staticmethod
    def clean_value_data(
        data: Any, datetime_builder: Any, empty_as: Any, number_builder: Any, err_to_str: bool
    ) -> list[list[Any]]:
        """Cell values as xlwings gives them on Excel."""

        def clean(value: Any) -> Any:
            if isinstance(value, CellError):
                return str(value) if err_to_str else None
            if value is None or value == "":
                return empty_as
            if isinstance(value, dt.datetime) and datetime_builder is not dt.datetime:
                parts = {n: getattr(value, n) for n in ("year", "month", "day", "hour", "minute", "second")}
                return datetime_builder(**parts, microsecond=value.microsecond, tzinfo=None)
            return number_builder(value) if isinstance(value, float) and number_builder else value

        return [[clean(cell) for cell in row] for row in data]


class Apps(base_classes.Apps):
    def __init__(self) -> None:
        self._apps: list[App] = []

    def __iter__(self) -> Iterator[App]:
        return iter(self._apps)

    def __len__(self) -> int:
        return len(self._apps)

    def keys(self) -> list[int]:
        return [app.pid for app in self._apps]

    def __getitem__(self, pid: int) -> App:
        return next(app for app in self._apps if app.pid == pid)

    def add(self, spec: str | None = None, add_book: bool = False, **_: Any) -> App:
        raise NotImplementedError("LibreOfficeHost starts the application")

    def connect(self, desktop: Any, pid: int) -> App:
        """Take up a running LibreOffice as the application in use."""
        self._apps.insert(0, App(self, desktop, pid))
        return self._apps[0]

    def forget(self, app: App) -> None:
        self._apps.remove(app)


class App(base_classes.App):
    visible = False
    display_alerts = screen_updating = enable_events = interactive = True
    calculation = "automatic"
    status_bar: Any = False
    version = "7"

    def __init__(self, apps: Apps, desktop: Any, pid: int) -> None:
        self.apps, self.desktop, self._pid, self._books = apps, desktop, pid, Books(self)

    engine = property(lambda self: ENGINE)
    api = property(lambda self: self.desktop)
    books = property(lambda self: self._books)
    pid = property(lambda self: self._pid)

    def calculate(self) -> None:
        for book in self._books:
            book.doc.calculateAll()

    def activate(self, steal_focus: bool = False) -> None:
        """There is no window."""

    def run(self, macro: str, args: Any) -> Any:
        book, _, name = macro.rpartition("!")
        return self._books(book.strip("'")).run_macro(name, args)

    def quit(self) -> None:
        self.apps.forget(self)

    kill = quit


class Books(base_classes.Books):
    def __init__(self, app: App) -> None:
        self.app, self._open = app, list[Book]()

    api = property(lambda self: self.app.desktop)
    active = property(lambda self: self._open[-1] if self._open else None)

    def open(self, fullname: str, *_: Any, **__: Any) -> Book:
        path = os.path.abspath(fullname)
        return self._load(Path(path).as_uri(), path)

    def add(self) -> Book:
        return self._load("private:factory/scalc", "Book1")

    def _load(self, url: str, path: str) -> Book:
        # MacroExecutionMode 4: run macros without asking
        doc = self.app.desktop.loadComponentFromURL(url, "_blank", 0, properties(Hidden=True, MacroExecutionMode=4))
        if doc is None:
            raise FileNotFoundError(path)
        self._open.append(Book(self, doc, path))
        return self._open[-1]

    def forget(self, book: Book) -> None:
        self._open.remove(book)

    def __iter__(self) -> Iterator[Book]:
        return iter(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def __call__(self, name: str | int) -> Book:
        if isinstance(name, int):
            return self._open[name - 1]
        for book in self._open:
            if name in (book.name, book.fullname):
                return book
        raise KeyError(name)  # by which xlwings learns that the book is not open yet


class Book(base_classes.Book):
    def __init__(self, books: Books, doc: Any, path: str) -> None:
        self.books, self.doc, self.path = books, doc, path

    api = property(lambda self: self.doc)
    fullname = property(lambda self: self.path)
    name = property(lambda self: os.path.basename(self.path))
    app = property(lambda self: self.books.app)
    sheets = property(lambda self: Sheets(self))  # noqa: PLW0108 (declared below)
    names = property(lambda self: Names(self))  # noqa: PLW0108 (declared below)

    def save(self, path: str | None = None, password: str | None = None) -> None:
        self.path = os.path.abspath(path) if path else self.path
        self.doc.storeToURL(Path(self.path).as_uri(), properties(FilterName=FILTERS[Path(self.path).suffix]))

    def to_pdf(self, path: str, quality: Any = None) -> None:
        self.doc.storeToURL(Path(path).absolute().as_uri(), properties(FilterName="calc_pdf_Export"))

    def close(self) -> None:
        self.books.forget(self)
        self.doc.close(True)

    def activate(self) -> None:
        """There is no window."""

    def run_macro(self, name: str, args: Any = (), library: str = "") -> Any:
        """Run Module.Sub of the book's VBA; an error inside VBA is swallowed by LibreOffice and gives None."""
        library = library or self.doc.BasicLibraries.ProjectName
        url = f"vnd.sun.star.script:{library}.{name}?language=Basic&location=document"
        return self.doc.getScriptProvider().getScript(url).invoke(tuple(args), (), ())[0]


class Sheets(base_classes.Sheets):
    def __init__(self, book: Book) -> None:
        self.book = book

    api = property(lambda self: self.book.doc.Sheets)

    @property
    def active(self) -> Sheet:
        controller = self.book.doc.CurrentController
        return Sheet(self.book, controller.ActiveSheet if controller else self.api.getByIndex(0))

    def __call__(self, name: str | int) -> Sheet:
        if isinstance(name, int):
            return Sheet(self.book, self.api.getByIndex(name - 1))
        if not self.api.hasByName(name):
            raise xw.NoSuchObjectError(name)
        return Sheet(self.book, self.api.getByName(name))

    def __len__(self) -> int:
        return int(self.api.Count)

    def __iter__(self) -> Iterator[Sheet]:
        return (self(number + 1) for number in range(len(self)))

    def add(self, before: Sheet | None = None, after: Sheet | None = None, name: str | None = None) -> Sheet:
        name = name or f"Sheet{len(self) + 1}"
        place = before.index - 1 if before else after.index if after else len(self)
        self.api.insertNewByName(name, place)
        return self(name)


class Sheet(base_classes.Sheet):
    def __init__(self, book: Book, sheet: Any) -> None:
        self._book, self.sheet = book, sheet

    api = property(lambda self: self.sheet)
    book = property(lambda self: self._book)
    index = property(lambda self: self.sheet.RangeAddress.Sheet + 1)
    tables = property(lambda self: Tables(self))  # noqa: PLW0108 (declared below)
    charts = property(lambda self: Charts(self))  # noqa: PLW0108 (declared below)
    name = property(lambda self: self.sheet.Name, lambda self, value: setattr(self.sheet, "Name", value))
    visible = property(lambda self: self.sheet.IsVisible, lambda self, on: setattr(self.sheet, "IsVisible", bool(on)))
    cells = property(lambda self: Range(self, (1, 1), (self.sheet.Rows.Count, self.sheet.Columns.Count)))

    def range(self, arg1: Any, arg2: Any = None) -> Range:
        return Range(self, arg1, arg2)

    @property
    def used_range(self) -> Range:
        cursor = self.sheet.createCursor()
        cursor.gotoEndOfUsedArea(False)
        end = cursor.RangeAddress
        return Range(self, (1, 1), (end.EndRow + 1, end.EndColumn + 1))

    def activate(self) -> None:
        if controller := self._book.doc.CurrentController:
            controller.setActiveSheet(self.sheet)

    select = activate

    def clear(self) -> None:
        self.sheet.clearContents(EVERYTHING)

    def clear_contents(self) -> None:
        self.sheet.clearContents(CONTENTS)

    def delete(self) -> None:
        self._book.doc.Sheets.removeByName(self.name)


def _corners(address: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    """Upper left and lower right cell, counted from 1, of a UNO range address."""
    return (address.StartRow + 1, address.StartColumn + 1), (address.EndRow + 1, address.EndColumn + 1)


class Range(base_classes.Range):
    def __init__(self, sheet: Sheet, arg1: Any, arg2: Any = None) -> None:
        self._sheet, self.options, self.arg1_input = sheet, None, arg1
        if isinstance(arg1, Range):
            arg2 = arg2 or arg1
            first = min(arg1.row, arg2.row), min(arg1.column, arg2.column)
            last = max(arg1.last[0], arg2.last[0]), max(arg1.last[1], arg2.last[1])
        elif isinstance(arg1, str):
            first, last = utils.a1_to_tuples(arg1)
            if not first:
                self._sheet, first, last = _named_area(sheet.book, arg1)
        elif len(arg1) == 4:
            first, last = arg1[:2], (arg1[0] + arg1[2] - 1, arg1[1] + arg1[3] - 1)
        else:
            first, last = arg1, arg2
        self.first, self.last = tuple(first), tuple(last or first)

    @property
    def area(self) -> Any:
        (top, left), (bottom, right) = self.first, self.last
        return self._sheet.sheet.getCellRangeByPosition(left - 1, top - 1, right - 1, bottom - 1)

    api = property(lambda self: self.area)
    sheet = property(lambda self: self._sheet)
    row = property(lambda self: self.first[0])
    column = property(lambda self: self.first[1])
    shape = property(lambda self: (self.last[0] - self.first[0] + 1, self.last[1] - self.first[1] + 1))
    has_array = property(lambda self: bool(self.area.getArrayFormula()))
    font = property(lambda self: Font(self))  # noqa: PLW0108 (declared below)
    max_cells_per_read = max_cells_per_write = None

    @property
    def address(self) -> str:
        first, last = (f"${get_column_letter(column)}${row}" for row, column in (self.first, self.last))
        return first if first == last else f"{first}:{last}"

    def __len__(self) -> int:
        return int(self.shape[0] * self.shape[1])

    def __call__(self, row: int, column: int | None = None) -> Range:
        if column is None:
            row, column = divmod(row - 1, self.shape[1])
            row, column = row + 1, column + 1
        return Range(self._sheet, (self.row + row - 1, self.column + column - 1))

    # ------------------------------------------------------------------------------------------- values

    @property
    def raw_value(self) -> list[list[Any]]:
        """All values in one call; dates by their cell format, errors by their name, in a call each."""
        area = self.area
        data = [list(row) for row in area.getDataArray()]
        for row, column in self._found(area.queryContentCells(DATES)):
            if isinstance(data[row][column], float):
                seconds = round(data[row][column] * 86400, 3)
                data[row][column] = DAY_ZERO + dt.timedelta(seconds=seconds)
        for row, column in self._found(area.queryFormulaCells(ANY_ERROR)):
            code = area.getCellByPosition(column, row).getError()
            data[row][column] = CellError(ERRORS.get(code, "#VALUE!"))
        return data

    def _found(self, ranges: Any) -> Iterator[tuple[int, int]]:
        """The cells of a query, counted from this range's first."""
        for address in ranges.RangeAddresses:
            for row in range(address.StartRow, address.EndRow + 1):
                for column in range(address.StartColumn, address.EndColumn + 1):
                    yield row - self.row + 1, column - self.column + 1

    @raw_value.setter
    def raw_value(self, value: Any) -> None:
        rows, columns = self.shape
        if not isinstance(value, list | tuple):
            value = [[value] * columns for _ in range(rows)]
        plain, special = [], []
        for r, row in enumerate(value):
            plain.append(tuple(_plain(cell) for cell in row))
            special += [(r, c, cell) for c, cell in enumerate(row) if _is_special(cell)]
        self.area.setDataArray(tuple(plain))
        dates: dict[int, list[int]] = {}
        for r, c, cell in special:
            if isinstance(cell, dt.datetime):
                dates.setdefault(c, []).append(r)
                continue
            one = Range(self._sheet, (self.row + r, self.column + c))
            one.formula = "TRUE()" if cell is True else "FALSE()" if cell is False else cell
        for c, found in dates.items():
            self._show_dates(c, found)

    def _show_dates(self, column: int, rows: list[int]) -> None:
        """Give a column's dates a date format where they have none; asked of the whole column first."""
        area = self.area.getCellRangeByPosition(column, rows[0], column, rows[-1])
        if area.getPropertyState("NumberFormat").value == "DIRECT_VALUE" and area.NumberFormat:
            return
        for row in rows:
            one = Range(self._sheet, (self.row + row, self.column + column))
            if one.number_format == "General":
                one.number_format = "yyyy-mm-dd"

    @property
    def formula(self) -> Any:
        rows = [[self._formula_at(r, c) for c in range(self.shape[1])] for r in range(self.shape[0])]
        return rows[0][0] if len(self) == 1 else tuple(tuple(row) for row in rows)

    def _formula_at(self, row: int, column: int) -> Any:
        cell = self.area.getCellByPosition(column, row)
        if cell.Type.value != "FORMULA":
            return cell.Formula
        if "[" in cell.Formula:
            return _to_excel(cell.Formula)
        return f"={_parser(self._sheet.book).printFormula(cell.getTokens(), cell.CellAddress)}"

    @formula.setter
    def formula(self, value: Any) -> None:
        if not isinstance(value, list | tuple):
            first = Range(self._sheet, self.first)
            first._put_formula(0, 0, value)
            if len(self) > 1:  # filled down and right, so that relative references move as they do in Excel
                self.area.fillAuto(uno.Enum("com.sun.star.sheet.FillDirection", "TO_BOTTOM"), 1)
                if self.shape[1] > 1:
                    self.area.fillAuto(uno.Enum("com.sun.star.sheet.FillDirection", "TO_RIGHT"), 1)
            return
        if all(isinstance(text, str) and text[:1] in ("", "=") for row in value for text in row):
            self.area.setFormulaArray(tuple(tuple(_from_excel(text) for text in row) for row in value))
            return
        for r, row in enumerate(value):
            for c, text in enumerate(row):
                self._put_formula(r, c, text)

    formula2 = formula

    def _put_formula(self, row: int, column: int, text: Any) -> None:
        cell = self.area.getCellByPosition(column, row)
        if isinstance(text, str) and text.startswith("=") and "[" in text:
            cell.setFormula(_from_excel(text))
        elif isinstance(text, str) and (text.startswith("=") or text in ("TRUE()", "FALSE()")):
            cell.setTokens(_parser(self._sheet.book).parseFormula(text.removeprefix("="), cell.CellAddress))
        else:
            cell.setFormula("" if text is None else str(text))

    @property
    def formula_array(self) -> str:
        return str(self.area.getArrayFormula())

    @formula_array.setter
    def formula_array(self, text: str) -> None:
        self.area.setArrayTokens(
            _parser(self._sheet.book).parseFormula(
                text.removeprefix("="), self.area.getCellByPosition(0, 0).CellAddress
            )
        )

    def clear_contents(self) -> None:
        self.area.clearContents(CONTENTS)

    def clear(self) -> None:
        self.area.clearContents(EVERYTHING)

    def clear_formats(self) -> None:
        """Looks go, drop-downs stay, as in Excel."""
        columns = [self.area.getCellRangeByPosition(c, 0, c, self.shape[0] - 1) for c in range(self.shape[1])]
        kept = [column.getCellByPosition(0, 0).Validation for column in columns]
        self.area.clearContents(LOOKS)
        for column, validation in zip(columns, kept, strict=True):
            column.Validation = validation

    def autofill(self, destination: Any, type_: str) -> None:
        """The looks of this row down the destination, or of this cell across it; it begins with them."""
        if type_ != "fill_formats":
            raise NotImplementedError(type_)
        bottom, right = getattr(destination, "impl", destination).last
        for c in range(self.shape[1]):
            cell, column = self.area.getCellByPosition(c, 0), self.column + c
            end = right if self.shape[1] == 1 else column
            values = uno.Any("[]any", cell.getPropertyValues(LOOK_OF_A_CELL))
            area = Range(self._sheet, (self.row, column), (bottom, end)).area
            uno.invoke(area, "setPropertyValues", (LOOK_OF_A_CELL, values))

    def end(self, direction: str) -> Range:
        """The last filled cell before a blank one, as Ctrl and an arrow key find it from a filled cell."""
        down, right = {"down": (1, 0), "up": (-1, 0), "right": (0, 1), "left": (0, -1)}[direction]
        used, (row, column) = self._sheet.used_range, self.first
        steps = {"down": used.last[0] - row, "right": used.last[1] - column, "up": row - 1, "left": column - 1}
        for _ in range(max(steps[direction], 0)):
            if self._sheet.sheet.getCellByPosition(column + right - 1, row + down - 1).Type.value == "EMPTY":
                break
            row, column = row + down, column + right
        return Range(self._sheet, (row, column))

    # ------------------------------------------------------------------------------------------- looks

    @property
    def number_format(self) -> str:
        return str(self._sheet.book.doc.NumberFormats.getByKey(self.area.NumberFormat).FormatString)

    @number_format.setter
    def number_format(self, code: str) -> None:
        formats, locale = self._sheet.book.doc.NumberFormats, uno.createUnoStruct("com.sun.star.lang.Locale")
        locale.Language, locale.Country = "en", "US"
        key = formats.queryKey(code, locale, False)
        self.area.NumberFormat = formats.addNew(code, locale) if key == -1 else key

    @property
    def color(self) -> tuple[int, int, int] | None:
        color = self.area.CellBackColor
        return None if color == -1 else (color >> 16 & 255, color >> 8 & 255, color & 255)

    @color.setter
    def color(self, value: Any) -> None:
        if isinstance(value, str):
            value = utils.hex_to_rgb(value)
        self.area.CellBackColor = -1 if value is None else value[0] << 16 | value[1] << 8 | value[2]

    @property
    def column_width(self) -> float:
        return float(self.area.Columns.getByIndex(0).Width / 190)  # hundredths of a millimetre to characters, about

    @column_width.setter
    def column_width(self, characters: float) -> None:
        self.area.Columns.Width = int(characters * 190)

    @property
    def row_height(self) -> float:
        return float(self.area.Rows.getByIndex(0).Height * 72 / 2540)  # hundredths of a millimetre to points

    @row_height.setter
    def row_height(self, points: float) -> None:
        self.area.Rows.Height = int(points * 2540 / 72)

    def autofit(self, axis: str | None = None) -> None:
        self.area.Columns.OptimalWidth = True

    def select(self) -> None:
        if controller := self._sheet.book.doc.CurrentController:
            controller.select(self.area)

    @property
    def note(self) -> Note | None:
        notes = self._sheet.sheet.Annotations
        for number in range(notes.Count):
            found = notes.getByIndex(number).Position
            if (found.Row + 1, found.Column + 1) == self.first:
                return Note(notes, number)
        return None

    def add_note(self, text: str) -> Note:
        self._sheet.sheet.Annotations.insertNew(self.area.getCellByPosition(0, 0).CellAddress, text)
        note = self.note
        assert note is not None
        return note


def _plain(cell: Any) -> Any:
    """What the data array takes for a cell; Excel reads a leading apostrophe as "this is text"."""
    if isinstance(cell, dt.datetime):
        return (cell - DAY_ZERO).total_seconds() / 86400
    if isinstance(cell, str) and cell.startswith("'"):
        return cell[1:]
    return "" if cell is None or _is_special(cell) else cell


def _is_special(cell: Any) -> bool:
    return isinstance(cell, dt.datetime | bool) or (isinstance(cell, str) and cell.startswith("=") and len(cell) > 1)


def _parser(book: Book) -> Any:
    """LibreOffice's formula parser, set to Excel's writing."""
    parser = book.doc.createInstance("com.sun.star.sheet.FormulaParser")
    parser.CompileEnglish, parser.FormulaConvention = True, EXCEL_WRITING
    return parser


# The parser does not know tables, so a formula that names one goes in and out in LibreOffice's own writing.
_PIECE = re.compile(
    r"""(?P<text>"(?:[^"]|"")*")|(?P<sheet>\$?(?:'(?:[^']|'')+'|[A-Za-z_]\w*)[.!])(?=\$?[A-Z])|(?P<comma>[,;])"""
)


def _rewritten(formula: str, comma: str, sheet_end: str, before_sheet: str) -> str:
    def piece(found: re.Match[str]) -> str:
        if found["text"]:
            return found[0]
        return comma if found["comma"] else f"{before_sheet}{found['sheet'][:-1].lstrip('$')}{sheet_end}"

    return _PIECE.sub(piece, formula)


def _from_excel(formula: str) -> str:
    return _rewritten(formula, ";", ".", "$")


def _to_excel(formula: str) -> str:
    return _rewritten(formula, ",", "!", "")


def _named_area(book: Book, name: str) -> tuple[Sheet, tuple[int, int], tuple[int, int]]:
    doc = book.doc
    holder = doc.NamedRanges if doc.NamedRanges.hasByName(name) else doc.DatabaseRanges
    if not holder.hasByName(name):
        raise xw.NoSuchObjectError(name)
    address = holder.getByName(name).ReferredCells.RangeAddress
    return Sheet(book, doc.Sheets.getByIndex(address.Sheet)), *_corners(address)


class Note(base_classes.Note):
    def __init__(self, notes: Any, number: int) -> None:
        self._notes, self._number = notes, number

    api = property(lambda self: self._notes.getByIndex(self._number))
    text = property(lambda self: self.api.String, lambda self, value: self.api.setString(value))

    def delete(self) -> None:
        self._notes.removeByIndex(self._number)


class Font(base_classes.Font):
    def __init__(self, cells: Range) -> None:
        self._cells = cells.area

    api = property(lambda self: self._cells)
    bold = property(
        lambda self: self._cells.CharWeight > 100,
        lambda self, on: setattr(self._cells, "CharWeight", 150.0 if on else 100.0),
    )
    size = property(lambda self: self._cells.CharHeight, lambda self, v: setattr(self._cells, "CharHeight", float(v)))
    name = property(lambda self: self._cells.CharFontName, lambda self, v: setattr(self._cells, "CharFontName", v))


class Names(base_classes.Names):
    def __init__(self, book: Book) -> None:
        self.book = book

    api = property(lambda self: self.book.doc.NamedRanges)

    def __len__(self) -> int:
        return int(self.api.Count)

    def __iter__(self) -> Iterator[Name]:
        return (self(number + 1) for number in range(len(self)))

    def __call__(self, name: str | int) -> Name:
        if isinstance(name, str) and not self.api.hasByName(name):
            raise xw.NoSuchObjectError(name)
        return Name(self.book, self.api.getByName(name) if isinstance(name, str) else self.api.getByIndex(name - 1))

    def contains(self, name: str) -> bool:
        return bool(self.api.hasByName(name))


class Name(base_classes.Name):
    def __init__(self, book: Book, name: Any) -> None:
        self.book, self._name = book, name

    api = property(lambda self: self._name)
    name = property(lambda self: self._name.Name)
    refers_to = property(lambda self: f"={self._name.Content}")

    @property
    def refers_to_range(self) -> Range:
        sheet, first, last = _named_area(self.book, self.name)
        return Range(sheet, first, last)


class Tables(base_classes.Tables):
    """A sheet's tables: LibreOffice keeps them as database ranges of the whole document."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    api = property(lambda self: self._sheet.book.doc.DatabaseRanges)

    def _names(self) -> list[str]:
        ranges = self.api
        return [name for name in ranges.ElementNames if self._is_here(ranges, name)]

    def _is_here(self, ranges: Any, name: str) -> bool:
        here = self._sheet.sheet.RangeAddress.Sheet
        return bool(ranges.getByName(name).DataArea.Sheet == here)

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[Table]:
        return (Table(self._sheet, self.api.getByName(name)) for name in self._names())

    def __call__(self, name: str | int) -> Table:
        key = name if isinstance(name, str) else self._names()[name - 1]
        if key not in self:
            raise xw.NoSuchObjectError(key)
        return Table(self._sheet, self.api.getByName(key))

    def __contains__(self, name: str) -> bool:
        ranges = self.api
        return bool(ranges.hasByName(name)) and self._is_here(ranges, name)


class Table(base_classes.Table):
    def __init__(self, sheet: Sheet, table: Any) -> None:
        self._sheet, self._table = sheet, table

    api = property(lambda self: self._table)
    name = property(lambda self: self._table.Name)
    parent = property(lambda self: self._sheet)
    range = property(lambda self: Range(self._sheet, *_corners(self._table.DataArea)))

    @property
    def header_row_range(self) -> Range:
        whole = self.range
        return Range(self._sheet, whole.first, (whole.row, whole.last[1]))

    @property
    def data_body_range(self) -> Range:
        whole = self.range
        return Range(self._sheet, (whole.row + 1, whole.column), whole.last)

    def resize(self, cells: Any) -> None:
        self._table.DataArea = getattr(cells, "impl", cells).area.RangeAddress


class Charts(base_classes.Charts):
    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet

    api = property(lambda self: self._sheet.sheet.Charts)

    def __len__(self) -> int:
        return int(self.api.Count)

    def __contains__(self, name: str) -> bool:
        return name in self.api.ElementNames


ENGINE = Engine()
xw.engines.add(xw.Engine(impl=ENGINE))
