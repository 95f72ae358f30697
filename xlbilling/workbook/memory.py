"""The workbook in memory: the port's tables and named cells as values, for whatever presses buttons and looks at rows.

Nothing is drawn and no file is made, yet every cell comes back as the file adapter would give it: numbers as floats,
days as dates in a date column and as day numbers elsewhere, text as it was typed. Formulas are not worked out.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.words.problems import Place, Problem, Refusal
from xlbilling.words.records import TABLE, Table
from xlbilling.workbook.cells import give
from xlbilling.workbook.file.cell_xml import DAY_ZERO, FIRST_DAY, Unwritable, sort_of
from xlbilling.workbook.file.sheet_xml import IN_THE_WAY
from xlbilling.workbook.formula_text import Formula
from xlbilling.workbook.looks import NUMBER_FORMAT
from xlbilling.workbook.named_cells import DASH, FIRST_VALUES, FIXED_ROWS, HEADER_ROW, LIST_CORNERS, TILES
from xlbilling.workbook.port import (
    EXTRA,
    NO_CELL,
    ExtraColumn,
    Questions,
    SheetTable,
    TypedRow,
    View,
    hidden_sheets,
    laid_over,
    located,
    need_room,
    row_keys,
    sheet_table,
    wanted_file,
)
from xlbilling.workbook.references import Area, column_letters

DATED: Final = NUMBER_FORMAT["date"]
NUMBERED: Final = "General"  # a cell that nobody gave a format


@dataclass
class _Grid:
    """One table on its sheet: headings, and the cells below them by row and position, counted from 0.

    `count` rows belong to the table; `shapes` gives the number format of each position.
    """

    table: Table
    row: int  # of the headings, and the column of the first one, counted from 1
    left: int
    titles: list[Any]
    shapes: list[str]
    cells: dict[int, list[Any]] = field(default_factory=dict)
    count: int = 1

    def body(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """All rows of the table; the rows typed directly under it are its own from here on."""
        while self.table.name not in FIXED_ROWS and any(cell is not None for cell in self.cells.get(self.count, ())):
            self.count += 1
        body = np.full((self.count, len(self.titles)), None, object)
        for row, cells in self.cells.items():
            if row < self.count:
                body[row] = cells
        return body

    def copied(self) -> _Grid:
        cells = {row: list(cells) for row, cells in self.cells.items()}
        return replace(self, titles=list(self.titles), shapes=list(self.shapes), cells=cells)

    def covers(self, column: int) -> bool:
        return self.left <= column < self.left + len(self.titles)

    def put(self, row: int, position: int, value: Any) -> None:
        """One cell, -1 being the row of the headings; a column beside the table is taken in with its heading."""
        while position >= len(self.titles):
            self.titles.append(None)
            self.shapes.append(NUMBERED)
            for cells in self.cells.values():
                cells.append(None)
        if row < 0:
            self.titles[position] = value
        else:
            self.cells.setdefault(row, [None] * len(self.titles))[position] = as_read(value, self.shapes[position])


class MemoryWorkbook:
    """A workbook that is nowhere but here; files are looked for in `folder`. With `yes` questions are answered yes."""

    has_sheets = True

    def __init__(self, folder: Path, yes: bool = False):
        self.folder = Path(folder)
        self.marked: list[Problem] = []
        self.shown = ""
        self.hidden: set[str] = set()
        self.cells: dict[str, Any] = dict(FIRST_VALUES)
        self._grids = {name: _blank(table) for name, table in TABLE.items()}
        self._by_sheet: dict[str, list[str]] = {}
        for name, table in TABLE.items():
            self._by_sheet.setdefault(table.sheet.name, []).append(name)
        self._called: dict[str, str] = {}  # sheets that a person has called otherwise, by the name they were built with
        self._extra_titles: dict[str, dict[str, str]] = {}
        self.questions = Questions(self.get, self.put, yes=yes)

    def copied(self, folder: Path) -> MemoryWorkbook:
        """The same workbook as another person's copy in `folder`."""
        twin = MemoryWorkbook(folder, yes=self.questions.yes)
        twin.cells, twin.hidden = dict(self.cells), set(self.hidden)
        twin._grids = {name: grid.copied() for name, grid in self._grids.items()}
        twin._called = dict(self._called)
        twin._extra_titles = {name: dict(titles) for name, titles in self._extra_titles.items()}
        return twin

    # ------------------------------------------------------------------------------------------------ reading

    def read(self, table: str) -> SheetTable:
        grid = self._grids[table]
        body = grid.body()
        titles = list(itertools.takewhile(lambda title: title is not None, grid.titles[len(grid.table.columns) :]))
        titles = [*grid.titles[: len(grid.table.columns)], *titles]
        sheet = self._now(grid.table.sheet.name)
        return sheet_table(grid.table, sheet, titles, body[:, : len(titles)], grid.row, grid.left)

    def get(self, name: str) -> Any:
        cell = self.cells[self._named(name)]
        return None if cell in ("", DASH) else cell

    def values(self, table: str, field: str) -> list[Any]:
        sheet, grid = self.read(table), self._grids[table]
        if field in sheet.frame.columns:
            return list(sheet.frame[field])
        at = grid.titles.index(self._extra_titles.get(table, {}).get(field, EXTRA + field))
        return [grid.cells[row - grid.row - 1][at] for row in sheet.rows.tolist()]

    # ------------------------------------------------------------------------------------------------ writing

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
        typing: Sequence[TypedRow] = (),
    ) -> None:
        sheet, grid = self.read(table), self._grids[table]
        if sheet.problems:
            raise Refusal(sheet.problems[0])
        self._extra_titles.setdefault(table, {}).update({e.name: e.heading for e in extra})
        declared = grid.table
        given, keys = laid_over(give(declared, frame), row_keys(declared, frame), typing)
        need_room(table, len(keys))
        blank = [None] * len(keys)
        columns = {declared.columns[name].title: cells for name, cells in given.items()}
        columns |= sheet.own_for(keys)
        columns |= {declared.columns[name].title: blank for name in formulas or {}}  # they are not worked out
        columns |= {e.heading: blank if e.values is None else list(e.values) for e in extra}
        self._fill(grid, [*_staying(grid.titles), *(e.heading for e in extra)], columns, len(keys), extra)

    def _fill(
        self, grid: _Grid, titles: list[Any], columns: Mapping[str, list[Any]], count: int, extra: Sequence[ExtraColumn]
    ) -> None:
        """Put whole columns in as the table's rows; a table without rows keeps a blank one."""
        rows = FIXED_ROWS.get(grid.table.name, max(count, 1))
        self._refuse_content_below(grid, rows)
        shapes = dict(zip(grid.titles, grid.shapes, strict=True)) | {e.heading: NUMBER_FORMAT[e.kind] for e in extra}
        kept = {row: cells for row, cells in grid.cells.items() if row >= max(rows, grid.count)}
        grid.titles, grid.shapes = titles, [shapes[title] for title in titles]
        across = [_column(grid, at, columns[title]) for at, title in enumerate(titles)]
        grid.cells = {row: list(cells) for row, cells in enumerate(zip(*across, strict=True))} | kept
        grid.count = rows

    def _refuse_content_below(self, grid: _Grid, rows: int) -> None:
        for row in range(grid.count, rows):
            at = next((at for at, cell in enumerate(grid.cells.get(row, ())) if cell is not None), None)
            if at is not None:
                place = Place(grid.table.sheet.name, cell=f"{column_letters(grid.left + at)}{grid.row + 1 + row}")
                raise Refusal(IN_THE_WAY.at(place, "this cell is below a table that has to grow over it"))

    def put(self, name: str, value: Any) -> None:
        named = self._named(name)
        try:
            self.cells[named] = DASH if value is None and name in TILES else as_read(value)
        except Unwritable as error:
            raise Refusal(error.kind.at(Place(cell=name), error.fact)) from error

    def type_in(self, sheet: str, cells: Mapping[str, Any]) -> None:
        for address, value in cells.items():
            at = Area.parse(address)
            grid = self._grid_at(sheet, at.first_row, at.first_column)
            try:
                grid.put(at.first_row - grid.row - 1, at.first_column - grid.left, value)
            except Unwritable as error:
                raise Refusal(error.kind.at(Place(sheet, cell=address), error.fact)) from error

    def mark(self, problems: Iterable[Problem]) -> None:
        """Kept with their cells in `marked`."""
        self.marked = located(problems, self.read)

    def progress(self, text: str, done: int, total: int) -> None:
        """Nobody watches."""

    def say(self, text: str) -> None:
        self.questions.done()
        self.put("Message", text)

    def show(self, sheet: str) -> None:
        self.shown = self._now(sheet)

    def ask_file(self, what: str, named_cell: str) -> Path:
        return wanted_file(what, named_cell, self.get(named_cell), self.folder.resolve())

    def confirm(self, question: str) -> bool:
        return self.questions.confirm(question)

    def recalculate(self) -> bool:
        """No spreadsheet application is at hand."""
        return False

    def view(self, kind: View) -> None:
        self.put("View", kind)
        self.hidden = {self._now(sheet) for sheet in hidden_sheets(kind)}

    def rename_sheet(self, sheet: str, name: str) -> None:
        built = next((own for own, now in self._called.items() if now == sheet), sheet)
        self._called[built] = name

    def save(self) -> None:
        """What was written stands already."""

    # ------------------------------------------------------------------------------------------------ the sheets

    def _grid_at(self, sheet: str, row: int, column: int) -> _Grid:
        """The table a cell of a sheet belongs to or stands beside."""
        built = next((own for own, now in self._called.items() if now == sheet), sheet)
        for name in self._by_sheet.get(built, ()):
            grid = self._grids[name]
            rows = FIXED_ROWS.get(name)
            if row >= grid.row and (rows is None or (row <= grid.row + rows and grid.covers(column))):
                return grid
        raise ValueError(f"no table stands at {sheet}!{column_letters(column)}{row}")

    def _now(self, sheet: str) -> str:
        """What a sheet of the built workbook is called now."""
        return self._called.get(sheet, sheet)

    def _named(self, name: str) -> str:
        if name not in self.cells:
            raise Refusal(NO_CELL.at(Place(cell=name), f"the cell named {name} is not there"))
        return name


def as_read(value: Any, shape: str = NUMBERED) -> Any:
    """What a cell of this number format gives back once a value was put in: text, float, truth, day or None.

    Raises Unwritable for a value that no cell can hold.
    """
    sort, characters = sort_of(value)
    if sort == "number":
        return _moment(float(characters)) if shape == DATED else float(characters)
    if sort == "truth":
        return characters == "1"
    return characters or None


def _moment(number: float) -> dt.date | dt.time:
    """A number in a cell that shows days: a day, a day with its time, or a time alone."""
    if number < 1:
        return (dt.datetime.combine(DAY_ZERO, dt.time()) + dt.timedelta(days=max(number, 0))).time()
    days, part = divmod(number, 1)
    day = DAY_ZERO + dt.timedelta(days=int(days) + (days < FIRST_DAY))
    if not part:
        return day
    return dt.datetime.combine(day, dt.time()) + dt.timedelta(seconds=round(part * 86_400, 3))


def _column(grid: _Grid, at: int, values: list[Any]) -> list[Any]:
    """A column's cells as they come back; numbers and short texts, which most are, without asking each."""
    sorts, shape = set(map(type, values)), grid.shapes[at]
    if sorts <= {float, type(None)} and shape != DATED and np.isfinite([cell or 0.0 for cell in values]).all():
        return values
    made, known = [], dict[tuple[type, Any], Any]()
    for row, value in enumerate(values):
        mark = (type(value), value)
        if mark not in known:
            try:
                known[mark] = as_read(value, shape)
            except Unwritable as error:
                cell = f"{column_letters(grid.left + at)}{grid.row + 1 + row}"
                place = Place(grid.table.sheet.name, column=str(grid.titles[at]), cell=cell)
                raise Refusal(error.kind.at(place, error.fact)) from error
        made.append(known[mark])
    return made


def _staying(titles: Sequence[Any]) -> list[Any]:
    """The declared headings and staff's own beside them; columns of formulas are put in anew."""
    beside = itertools.takewhile(lambda title: title is not None, titles)
    return [title for title in beside if not str(title).startswith(EXTRA)]


def _blank(table: Table) -> _Grid:
    """A table as the built workbook has it."""
    row, left = LIST_CORNERS.get(table.name, (HEADER_ROW, 1))
    titles: list[Any] = [column.title for column in table.columns.values()]
    shapes = [NUMBER_FORMAT[column.kind] for column in table.columns.values()]
    return _Grid(table, row, left, titles, shapes, count=FIXED_ROWS.get(table.name, 1))
