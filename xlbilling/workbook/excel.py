"""The workbook live in Excel, through xlwings' public interface; any xlwings engine with the same members will do."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xlwings as xw

from xlbilling.problems import Place, Problem, Refusal
from xlbilling.records import TABLE, TABLES, ColumnKind
from xlbilling.workbook.cells import give
from xlbilling.workbook.looks import COMPUTED, FILL, MARKED, NUMBER_FORMAT
from xlbilling.workbook.port import (
    DASH,
    EXTRA,
    FIXED_ROWS,
    NO_CELL,
    NO_FILE,
    NO_TABLE,
    TILES,
    ExtraColumn,
    Formula,
    Questions,
    SheetTable,
    View,
    filled_in,
    fills_down,
    formula_runs,
    headings,
    hidden_sheets,
    in_book,
    own_columns,
    wanted_file,
)
from xlbilling.workbook.references import column_letters

VIEWS: Final = {record.sheet.name: record.sheet.views for record in TABLES}
DAY_ZERO: Final = dt.datetime(1899, 12, 30)
MOST_RUNS: Final = 40
MOST_MARKS: Final = 300  # notes are slow to make, and nobody reads more; every finding is on its sheet all the same


class ExcelWorkbook:
    """The workbook somebody has open; with `yes` every question is answered yes."""

    has_sheets = True

    def __init__(self, book: xw.Book, yes: bool = False):
        self.book = book
        self._extra_titles: dict[str, dict[str, str]] = {}
        self._questions = Questions(self.get, self.put, yes=yes)

    # ------------------------------------------------------------------------------------------------ reading

    def read(self, table: str) -> SheetTable:
        declared, found = TABLE[table], self._table(table)
        sheet, area = found.parent, found.range
        titles = self._titles(table)
        count, first = area.shape[0] - 1, area.column
        body = np.full((count, len(titles)), None, object)
        if count:
            cells = sheet.range((area.row + 1, first), (area.row + count, first + len(titles) - 1))
            body[:] = _cells(cells)
        fields, own, problems = headings(declared, sheet.name, titles, area.row, lambda p: column_letters(first + p))
        kept = np.flatnonzero((body != np.array(None)).any(axis=1)) if count else np.zeros(0, np.intp)
        frame = pd.DataFrame({name: pd.Series(body[kept, at], dtype=object) for name, at in fields.items()})
        return SheetTable(
            declared,
            sheet.name,
            frame,
            kept.astype(np.int64) + area.row + 1,
            area.row + 1,
            {name: column_letters(first + at) for name, at in fields.items()},
            own_columns(declared, frame, body[kept], own),
            problems,
        )

    def get(self, name: str) -> Any:
        cell = self._named(name).options(err_to_str=True).value
        return None if cell in ("", DASH) else cell

    def values(self, table: str, field: str) -> list[Any]:
        sheet = self.read(table)
        if field in sheet.frame.columns:
            return list(sheet.frame[field])
        area = self._table(table).range
        heading = self._extra_titles.get(table, {}).get(field, EXTRA + field)
        column = area.column + self._titles(table).index(heading)
        last = area.row + area.shape[0] - 1
        cells = _cells(self.book.sheets[sheet.sheet].range((area.row + 1, column), (last, column)))
        return [cells[row - area.row - 1][0] for row in sheet.rows.tolist()]

    # ------------------------------------------------------------------------------------------------ writing

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
    ) -> None:
        sheet = self.read(table)
        if sheet.problems:
            raise Refusal(sheet.problems[0])
        if len(frame) > FIXED_ROWS.get(table, len(frame)):
            raise ValueError(f"the list {table} has room for {FIXED_ROWS[table]} rows, not {len(frame)}")
        with self._still():
            calculated = self._calculated(table, sheet)
            titles = self._shaped(table, len(frame), extra)
            self._fill(table, sheet, frame, titles, calculated, dict(formulas or {}), extra)

    def _fill(
        self,
        table: str,
        sheet: SheetTable,
        frame: pd.DataFrame,
        titles: Sequence[str],
        calculated: Mapping[str, str],
        formulas: dict[str, Formula],
        extra: Sequence[ExtraColumn],
    ) -> None:
        """Put the cells in as one block, then the columns of formulas over them."""
        declared, area = TABLE[table], self._table(table).range
        page, first, left, count = self.book.sheets[sheet.sheet], area.row + 1, area.column, len(frame)
        if not count:
            self._body(table).clear_contents()
            return
        columns: dict[str, list[Any]] = {
            declared.columns[name].title: _day_numbers(cells) if declared.columns[name].kind == "date" else cells
            for name, cells in give(declared, frame).items()
        }
        columns |= sheet.own_for(frame)
        columns |= {e.heading: list(e.values or [None] * count) for e in extra}
        blank = [None] * (FIXED_ROWS.get(table, count) - count)
        block = list(zip(*([*map(_safe, columns[title]), *blank] for title in titles), strict=True))
        page.range((first, left)).value = block
        letters = {c.title: name for name, c in declared} | {e.heading: e.name for e in extra}
        at = {letters[title]: column_letters(left + i) for i, title in enumerate(titles) if title in letters}
        for name, formula in {**formulas, **{e.name: e.formula for e in extra if e.formula}}.items():
            self._put_formulas(page, at[name], first, formula, count, at)
        for title, formula in calculated.items():
            column_at = left + list(titles).index(title)
            page.range((first, column_at), (first + count - 1, column_at)).formula = formula

    def _put_formulas(
        self, page: xw.Sheet, letter: str, first: int, formula: Formula, count: int, letters: Mapping[str, str]
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
                top = filled_in(text, [row], letters)[0]
                page.range(f"{letter}{row}:{letter}{first + stop - 1}").formula = top

    def put(self, name: str, value: Any) -> None:
        self._named(name).value = DASH if value is None and name in TILES else _safe(value)

    def mark(self, problems: Iterable[Problem]) -> None:
        self._unmark()
        sheets: dict[str, SheetTable] = {}
        marked: dict[str, list[str]] = {}
        for problem in problems:
            table = problem.place.table
            if table in TABLE and table not in sheets:
                sheets[table] = self.read(table)
            place = (sheets[table].locate(problem) if table in sheets else problem).place
            if place.cell and place.table in self._sheet_names and len(marked) < MOST_MARKS:
                marked.setdefault(f"{place.table}!{place.cell}", []).append(str(problem.on(Place())))
        with self._still():
            for address, texts in marked.items():
                cell = self._cell(address)
                cell.color = MARKED
                _note(cell, "\n".join(texts))
        self.put("Marked", ";".join(marked) or None)

    def _unmark(self) -> None:
        """Take the marks of an earlier button away and give the cells their colour back."""
        for address in str(self.get("Marked") or "").split(";"):
            if "!" not in address:
                continue
            cell = self._cell(address)
            cell.color = self._colour(cell)
            _note(cell, "")

    def _colour(self, cell: xw.Range) -> str | None:
        for declared in TABLE.values():
            if declared.sheet.name == cell.sheet.name and in_book(declared.name) in self._table_names(cell.sheet):
                area = self._table(declared.name).range
                titles = self._titles(declared.name)
                by_title = {column.title: column for column in declared.columns.values()}
                at = cell.column - area.column
                column = by_title.get(titles[at]) if 0 <= at < len(titles) else None
                return FILL[column.filled] if column else None
        return None

    def progress(self, text: str, done: int, total: int) -> None:
        share = f" {100 * done // total} %" if total else ""
        try:
            self.book.app.status_bar = f"{text}{share}"
        except NotImplementedError:
            return  # an application without a status bar; the outcome is said in the cell Message

    def say(self, text: str) -> None:
        self._questions.done()
        self.put("Message", text)
        try:
            self.book.app.status_bar = False
        except NotImplementedError:
            return

    def show(self, sheet: str) -> None:
        self.book.sheets[sheet].activate()

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
        return self._questions.confirm(question)

    def recalculate(self) -> bool:
        self.book.app.calculate()
        return True

    def view(self, kind: View) -> None:
        self.put("View", kind)
        hidden = hidden_sheets(kind, VIEWS)
        for name in VIEWS:
            self.book.sheets[name].visible = name not in hidden

    def save(self) -> None:
        self.book.save()

    # ------------------------------------------------------------------------------------------------ the sheet

    @contextmanager
    def _still(self) -> Iterator[None]:
        """Excel draws nothing meanwhile."""
        app = self.book.app
        before = app.screen_updating
        app.screen_updating = False
        try:
            yield
        finally:
            app.screen_updating = before

    @property
    def _sheet_names(self) -> set[str]:
        return {sheet.name for sheet in self.book.sheets}

    def _table_names(self, sheet: xw.Sheet) -> set[str]:
        return {table.name for table in sheet.tables}

    def _table(self, name: str) -> Any:
        sheet = TABLE[name].sheet.name
        if sheet not in self._sheet_names or in_book(name) not in self._table_names(self.book.sheets[sheet]):
            raise Refusal(NO_TABLE.at(Place(sheet), f"the table {name} is not there"))
        return self.book.sheets[sheet].tables[in_book(name)]

    def _body(self, table: str) -> xw.Range:
        area = self._table(table).range
        page = self.book.sheets[TABLE[table].sheet.name]
        last = (area.row + max(area.shape[0] - 1, 1), area.column + area.shape[1] - 1)
        return page.range((area.row + 1, area.column), last)

    def _named(self, name: str) -> xw.Range:
        if name not in {found.name for found in self.book.names}:
            raise Refusal(NO_CELL.at(Place(cell=name), f"the cell named {name} is not there"))
        return self.book.names[name].refers_to_range

    def _cell(self, address: str) -> xw.Range:
        sheet, _, cell = address.rpartition("!")
        return self.book.sheets[sheet].range(cell)

    def _titles(self, table: str) -> list[Any]:
        """The headings of the table and of what stands directly beside it."""
        area = self._table(table).range
        page = self.book.sheets[TABLE[table].sheet.name]
        right = area.column + area.shape[1]
        titles = list(_cells(page.range((area.row, area.column), (area.row, right - 1)))[0])
        end = page.used_range.last_cell.column
        if table in FIXED_ROWS or end < right:
            return titles
        for cell in _cells(page.range((area.row, right), (area.row, end)))[0]:
            if cell is None:
                break
            titles.append(cell)
        return titles

    def _calculated(self, table: str, sheet: SheetTable) -> dict[str, str]:
        """Staff's own columns that are formulas, with the formula of their first row."""
        if not len(sheet.frame):
            return {}
        area = self._table(table).range
        page, titles = self.book.sheets[sheet.sheet], self._titles(table)
        at = {title: page.range((area.row + 1, area.column + titles.index(title))) for title in sheet.own.columns}
        found = {title: str(cell.formula) for title, cell in at.items()}
        return {title: formula for title, formula in found.items() if formula.startswith("=")}

    def _shaped(self, table: str, count: int, extra: Sequence[ExtraColumn]) -> list[str]:
        """Bring the table on the sheet to the columns and rows wanted; returns its headings in order."""
        found = self._table(table)
        area, page = found.range, self.book.sheets[TABLE[table].sheet.name]
        stand = [str(title) for title in self._titles(table)]
        self._extra_titles.setdefault(table, {}).update({e.name: e.heading for e in extra})
        titles = [title for title in stand if not title.startswith(EXTRA)] + [e.heading for e in extra]
        rows, columns = FIXED_ROWS.get(table, max(count, 1)), len(titles)
        old_last, left = area.row + area.shape[0] - 1, area.column
        last = area.row + rows
        right = left + max(len(stand), columns) - 1
        if titles != stand:
            page.range((area.row + 1, left), (old_last, right)).clear_contents()
            page.range((area.row, left)).value = [[*titles, *[None] * (len(stand) - columns)]]
        if (last, columns) != (old_last, area.shape[1]):
            found.resize(page.range((area.row, left), (last, left + columns - 1)))
        if last < old_last:
            page.range((last + 1, left), (old_last, right)).clear()
        first_new = area.row + 1 if titles != stand else old_last + 1
        if table not in FIXED_ROWS and last >= first_new:
            self._dress(table, titles, extra, first_new, last)
        return titles

    def _dress(self, table: str, titles: Sequence[str], extra: Sequence[ExtraColumn], first: int, last: int) -> None:
        """Give new rows and columns their number formats and colours; text stays text that way."""
        left = self._table(table).range.column
        page = self.book.sheets[TABLE[table].sheet.name]
        looks: dict[str, tuple[ColumnKind, str]] = {
            column.title: (column.kind, FILL[column.filled]) for column in TABLE[table].columns.values()
        }
        looks |= {e.heading: (e.kind, COMPUTED) for e in extra}
        for position, title in enumerate(titles):
            if title in looks:
                cells = page.range((first, left + position), (last, left + position))
                cells.number_format = NUMBER_FORMAT[looks[title][0]]
                cells.color = looks[title][1]


def _cells(area: xw.Range) -> list[list[Any]]:
    """Raw cells row by row: errors as their text, blanks as None."""
    rows: list[list[Any]] = area.options(ndim=2, err_to_str=True).value
    return [[None if cell == "" else cell for cell in row] for row in rows]


def _day_numbers(days: Sequence[dt.datetime | None]) -> list[int | None]:
    """Dates as the day numbers a sheet counts in; the column's number format shows them, and they go in as one block."""
    return [None if day is None else (day - DAY_ZERO).days for day in days]


def _safe(value: Any) -> Any:
    """Text for a cell of any format that stays text: nothing we write from a value is ever a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") and len(value) > 1 else value


def _note(cell: xw.Range, text: str) -> None:
    """Put a note on a cell, or take it off; an application without notes shows the colour alone."""
    try:
        if cell.note is not None:
            cell.note.delete()
        if text:
            cell.add_note(text)
    except NotImplementedError:
        return
