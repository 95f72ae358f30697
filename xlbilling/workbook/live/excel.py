"""The workbook live in Excel, through xlwings' public interface; any xlwings engine with the same members will do."""

from __future__ import annotations

import datetime as dt
import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xlwings as xw

from xlbilling.words.problems import Place, Problem, Refusal
from xlbilling.words.records import TABLE, ColumnKind, Table
from xlbilling.workbook.cells import give
from xlbilling.workbook.file.package import COUNTS_FROM_1904
from xlbilling.workbook.formula_text import Formula, filled_in, fills_down, formula_runs
from xlbilling.workbook.live.stand import Stand, calculated_columns, raw_cells, stand_of
from xlbilling.workbook.looks import COMPUTED, FILL, MARKED, NUMBER_FORMAT
from xlbilling.workbook.named_cells import DASH, FIXED_ROWS, TILES
from xlbilling.workbook.port import (
    EXTRA,
    NO_CELL,
    NO_FILE,
    VIEWS,
    ExtraColumn,
    Questions,
    SheetTable,
    TypedRow,
    View,
    hidden_sheets,
    in_book,
    laid_over,
    located,
    need_room,
    no_table,
    row_keys,
    sheet_table,
    tables_of,
    wanted_file,
)
from xlbilling.workbook.references import column_letters

DAY_ZERO: Final = dt.datetime(1899, 12, 30)
MOST_RUNS: Final = 40
LINES: Final = {"Message": 24.0, "Question": 18.0}  # cells on Start that hold whole texts, with the height of one line
LINE_LETTERS, TALLEST = 150, 409.0  # letters that fit beside each other there; Excel's tallest row
MOST_MARKS: Final = 300  # notes are slow to make, and nobody reads more; every finding is on its sheet all the same


class ExcelWorkbook:
    """The workbook somebody has open; with `yes` every question is answered yes."""

    has_sheets = True

    def __init__(self, book: xw.Book, yes: bool = False):
        # Windows only; elsewhere Excel hands dates over as days, whatever the workbook counts from
        if getattr(getattr(book, "api", None), "Date1904", False) is True:
            raise Refusal(COUNTS_FROM_1904.at(Place(file=book.name), "it has the option Use 1904 date system"))
        self.book = book
        self.marked: list[Problem] = []
        self._tables: dict[str, tuple[xw.Sheet, Any]] = {}
        self._names: dict[str, xw.Range] = {}
        self._extra_titles: dict[str, dict[str, str]] = {}
        self.questions = Questions(self.get, self.put, yes=yes)

    # ------------------------------------------------------------------------------------------------ reading

    def read(self, table: str) -> SheetTable:
        return self._read(table, self._stand(table))

    def _read(self, table: str, stand: Stand) -> SheetTable:
        declared, first = TABLE[table], stand.left
        body = np.full((stand.count, len(stand.titles)), None, object)
        if stand.count:
            body[:] = raw_cells(stand.block(stand.row + 1, stand.last))
        return sheet_table(declared, stand.page.name, stand.titles, body, stand.row, first)

    def get(self, name: str) -> Any:
        cell = self._named(name).options(err_to_str=True).value
        return None if cell in ("", DASH) else cell

    def values(self, table: str, field: str) -> list[Any]:
        stand = self._stand(table)
        sheet = self._read(table, stand)
        if field in sheet.frame.columns:
            return list(sheet.frame[field])
        heading = self._extra_titles.get(table, {}).get(field, EXTRA + field)
        column = stand.left + stand.titles.index(heading)
        cells = raw_cells(stand.page.range((stand.row + 1, column), (stand.last, column)))
        return [cells[row - stand.row - 1][0] for row in sheet.rows.tolist()]

    # ------------------------------------------------------------------------------------------------ writing

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
        typing: Sequence[TypedRow] = (),
    ) -> None:
        stand = self._stand(table)
        sheet = self._read(table, stand)
        if sheet.problems:
            raise Refusal(sheet.problems[0])
        need_room(table, len(frame))
        given, keys = laid_over(give(sheet.table, frame), row_keys(sheet.table, frame), typing)
        with self._still():
            calculated = calculated_columns(stand, sheet)
            titles = self._shaped(table, stand, len(keys), extra)
            self._fill(stand, sheet, given, keys, titles, calculated, dict(formulas or {}), extra)

    def _fill(
        self,
        stand: Stand,
        sheet: SheetTable,
        given: Mapping[str, list[Any]],
        keys: Sequence[str],
        titles: Sequence[str],
        calculated: Mapping[str, str],
        formulas: dict[str, Formula],
        extra: Sequence[ExtraColumn],
    ) -> None:
        """Put the cells in as one block, then the columns of formulas over them."""
        declared, page = sheet.table, stand.page
        first, left, count = stand.row + 1, stand.left, len(keys)
        room = max(FIXED_ROWS.get(declared.name, count), 1)
        columns: dict[str, list[Any]] = {
            declared.columns[name].title: _day_numbers(cells) if declared.columns[name].kind == "date" else cells
            for name, cells in given.items()
        }
        columns |= sheet.own_for(keys)
        columns |= {e.heading: list(e.values or [None] * count) for e in extra}
        _keep_formats(declared, stand, titles, room)
        blank = [None] * (room - count)
        block = list(zip(*([*map(_safe, columns[title]), *blank] for title in titles), strict=True))
        page.range((first, left)).value = block
        if not count:
            return
        letters = {c.title: name for name, c in declared} | {e.heading: e.name for e in extra}
        at = {letters[title]: column_letters(left + i) for i, title in enumerate(titles) if title in letters}
        for name, formula in {**formulas, **{e.name: e.formula for e in extra if e.formula}}.items():
            _put_formulas(page, at[name], first, formula, count, at)
        for title, formula in calculated.items():
            column_at = left + list(titles).index(title)
            page.range((first, column_at), (first + count - 1, column_at)).formula = formula

    def put(self, name: str, value: Any) -> None:
        self._named(name).value = DASH if value is None and name in TILES else _safe(value)
        if name in LINES:
            self._named(name).row_height = _height(str(value or ""), LINES[name])

    def mark(self, problems: Iterable[Problem]) -> None:
        self._unmark()
        marked: dict[str, list[str]] = {}
        self.marked = located(problems, self.read)
        for problem in self.marked:
            place = problem.place
            if place.cell and place.table in self._sheet_names and len(marked) < MOST_MARKS:
                marked.setdefault(f"{place.table}!{place.cell}", []).append(str(problem.on(Place())))
        with self._still():
            noted = [self._mark(address, texts) for address, texts in marked.items()]
        self.put("Marked", ";".join(noted) or None)

    def _mark(self, address: str, texts: list[str]) -> str:
        """Colour a cell and note the problems on it; its address and the colour it had, to be given back."""
        cell = self._cell(address)
        before = cell.color
        cell.color = MARKED
        _note(cell, "\n".join(texts))
        return address if before is None else f"{address}#{bytes(before).hex()}"

    def _unmark(self) -> None:
        """Take the marks of an earlier button away and give the cells their colour back."""
        for noted in str(self.get("Marked") or "").split(";"):
            address, _, before = noted.partition("#")
            if "!" in address:
                cell = self._cell(address)
                cell.color = f"#{before}" if before else None
                _note(cell, "")

    def progress(self, text: str, done: int, total: int) -> None:
        share = f" {100 * done // total} %" if total else ""
        try:
            self.book.app.status_bar = f"{text}{share}"
        except NotImplementedError:
            return  # an application without a status bar; the outcome is said in the cell Message

    def say(self, text: str) -> None:
        self.questions.done()
        self.put("Message", text)
        try:
            self.book.app.status_bar = False
        except NotImplementedError:
            return

    def show(self, sheet: str) -> None:
        now = self._now(sheet)
        if now:
            self.book.sheets[now].activate()

    def ask_file(self, what: str, named_cell: str) -> Path:
        """With a person at Excel for Windows a file picker; else the named cell on Start."""
        folder = Path(self.book.fullname).resolve().parent
        app = self.book.app
        if sys.platform == "win32" and app.engine.name == "excel" and app.visible:
            picked = app.api.GetOpenFilename(Title=what)
            if not isinstance(picked, str):
                raise Refusal(NO_FILE.at(Place("Start", cell=named_cell), f"{what} is wanted and no file was picked"))
            self.put(named_cell, picked)
        return wanted_file(what, named_cell, self.get(named_cell), folder)

    def confirm(self, question: str) -> bool:
        return self.questions.confirm(question)

    def recalculate(self) -> bool:
        self.book.app.calculate()
        return True

    def view(self, kind: View) -> None:
        self.put("View", kind)
        hidden = hidden_sheets(kind)
        for name in VIEWS:
            now = self._now(name)
            if now:
                self.book.sheets[now].visible = name not in hidden

    def type_in(self, sheet: str, cells: Mapping[str, Any]) -> None:
        for address, value in cells.items():
            self.book.sheets[sheet].range(address).value = value

    def rename_sheet(self, sheet: str, name: str) -> None:
        self.book.sheets[sheet].name = name
        self.__dict__.pop("_sheet_names", None)

    def save(self) -> None:
        self.book.save()

    # ------------------------------------------------------------------------------------------------ the sheet

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Excel neither draws nor recalculates meanwhile."""
        app = self.book.app
        before = app.screen_updating, app.calculation
        app.screen_updating, app.calculation = False, "manual"
        try:
            yield
        finally:
            app.screen_updating, app.calculation = before

    @cached_property
    def _sheet_names(self) -> set[str]:
        return {sheet.name for sheet in self.book.sheets}

    def _table(self, name: str) -> tuple[xw.Sheet, Any]:
        """A table with its sheet; looked up once, because every look is a call to the application."""
        if name not in self._tables:
            own = TABLE[name].sheet.name
            named = [own] if own in self._sheet_names else []
            for sheet in [*named, *sorted(self._sheet_names - set(VIEWS)), *sorted(self._sheet_names - {own})]:
                page = self.book.sheets[sheet]
                if in_book(name) in {table.name for table in page.tables}:
                    self._tables[name] = page, page.tables[in_book(name)]
                    break
            else:
                raise no_table(name)
        return self._tables[name]

    def _now(self, sheet: str) -> str:
        """What a sheet of the built workbook is called now, by the tables on it; blank where it is not there."""
        if sheet in self._sheet_names:
            return sheet
        for name in tables_of(sheet):
            try:
                return str(self._table(name)[0].name)
            except Refusal:
                continue
        return ""

    def _named(self, name: str) -> xw.Range:
        """A named cell; looked up once."""
        if name not in self._names:
            if not self.book.names.contains(name):
                raise Refusal(NO_CELL.at(Place(cell=name), f"the cell named {name} is not there"))
            self._names[name] = self.book.names[name].refers_to_range
        return self._names[name]

    def _cell(self, address: str) -> xw.Range:
        sheet, _, cell = address.rpartition("!")
        return self.book.sheets[sheet].range(cell)

    def _stand(self, table: str) -> Stand:
        return stand_of(*self._table(table), grows=table not in FIXED_ROWS)

    def _shaped(self, table: str, stand: Stand, count: int, extra: Sequence[ExtraColumn]) -> list[str]:
        """Bring the table on the sheet to the columns and rows wanted; returns its headings in order."""
        page, found = self._table(table)
        had = [str(title) for title in stand.titles]
        self._extra_titles.setdefault(table, {}).update({e.name: e.heading for e in extra})
        titles = [title for title in had if not title.startswith(EXTRA)] + [e.heading for e in extra]
        rows, columns = FIXED_ROWS.get(table, max(count, 1)), len(titles)
        left, last = stand.left, stand.row + rows
        right = left + max(len(had), columns) - 1
        if titles != had:
            page.range((stand.row + 1, left), (stand.last, right)).clear_contents()
            page.range((stand.row, left)).value = [[*titles, *[None] * (len(had) - columns)]]
        if (last, columns) != (stand.last, stand.columns) or stand.last != stand.row + found.range.shape[0] - 1:
            found.resize(page.range((stand.row, left), (last, left + columns - 1)))
        if last < stand.last:
            gone = page.range((last + 1, left), (stand.last, right))
            gone.clear_contents()  # not clear(): the drop-downs reach to the last row of the sheet and stay
            gone.clear_formats()
        first_new = stand.row + 1 if titles != had else stand.last + 1
        if table not in FIXED_ROWS and last >= first_new:
            self._dress(table, stand, titles, extra, first_new, last)
        return titles

    def _dress(
        self, table: str, stand: Stand, titles: Sequence[str], extra: Sequence[ExtraColumn], first: int, last: int
    ) -> None:
        """Give new rows the looks of the first one, new columns their number formats and colours; text stays text."""
        looks: dict[str, tuple[ColumnKind, str]] = {
            column.title: (column.kind, FILL[column.filled]) for column in TABLE[table].columns.values()
        }
        looks |= {e.heading: (e.kind, COMPUTED) for e in extra}
        of_column = [(NUMBER_FORMAT[looks[t][0]], looks[t][1]) if t in looks else None for t in titles]
        own = stand.left + len(titles) - len(extra) - 1
        if last > stand.row + 1:
            top = stand.page.range((stand.row + 1, stand.left), (stand.row + 1, own))
            top.autofill(stand.page.range((stand.row + 1, stand.left), (last, own)), "fill_formats")
        if extra and titles != stand.titles:
            heads = stand.page.range((stand.row, own), (stand.row, own + len(extra)))
            stand.page.range((stand.row, own)).autofill(heads, "fill_formats")
            stand.page.range((stand.row, own + 1), (stand.row, own + len(extra))).column_width = max(
                e.width for e in extra
            )
        position = stand.left
        for look, alike in itertools.groupby(of_column):  # the first row may be marked, so colours are set too
            width = len(list(alike))
            if look is not None:
                cells = stand.page.range((first, position), (last, position + width - 1))
                cells.number_format, cells.color = look
            position += width


def _keep_formats(declared: Table, stand: Stand, titles: Sequence[str], rows: int) -> None:
    """Give the declared columns their number formats again: a date pasted as text leaves cells that hold only text."""
    kinds = {column.title: column.kind for column in declared.columns.values()}
    position = stand.left
    for number_format, alike in itertools.groupby(NUMBER_FORMAT[kinds[t]] if t in kinds else "" for t in titles):
        width = len(list(alike))
        cells = stand.page.range((stand.row + 1, position), (stand.row + rows, position + width - 1))
        if number_format and cells.number_format != number_format:
            cells.number_format = number_format
        position += width


def _height(text: str, least: float) -> float:
    """Points a text needs over the whole width of Start; a merged cell does not grow by itself."""
    lines = sum(1 + len(line) // LINE_LETTERS for line in text.split("\n"))
    return least if lines == 1 else min(15.5 * lines + 6, TALLEST)


def _put_formulas(
    page: xw.Sheet, letter: str, first: int, formula: Formula, count: int, letters: Mapping[str, str]
) -> None:
    """One column of formulas: long stretches of one text are filled down by the sheet itself, others put in."""
    runs = formula_runs(formula, count)
    if len(runs) > MOST_RUNS or not all(fills_down(text) for _, _, text in runs):
        texts = filled_in(formula, range(first, first + count), letters)
        page.range(f"{letter}{first}:{letter}{first + count - 1}").formula = [[text] for text in texts]
        return
    for start, stop, text in runs:
        if text:
            row = first + start
            page.range(f"{letter}{row}:{letter}{first + stop - 1}").formula = filled_in(text, [row], letters)[0]


def _day_numbers(days: Sequence[Any]) -> list[Any]:
    """Dates as the day numbers a sheet counts in; the column's number format shows them, and they go in as one block."""
    return [(day - DAY_ZERO).days if isinstance(day, dt.datetime) else day for day in days]


def _safe(value: Any) -> Any:
    """Text for a cell of any format that stays the text it is: nothing we write from a value is ever a formula.

    Excel takes one apostrophe at the beginning as its own mark of a text, so 't Kofschip needs two to keep one.
    """
    if not isinstance(value, str):
        return value
    return f"'{value}" if value[:1] == "'" or (value[:1] in ("=", "+", "-", "@") and len(value) > 1) else value


def _note(cell: xw.Range, text: str) -> None:
    """Put a note on a cell, or take it off; an application without notes shows the colour alone."""
    try:
        if cell.note is not None:
            cell.note.delete()
        if text:
            cell.add_note(text)
    except NotImplementedError:
        return
