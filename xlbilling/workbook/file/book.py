"""The workbook as a file: read with calamine, written by splicing, so that every untouched part keeps its bytes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from python_calamine import CalamineWorkbook

from xlbilling.words.problems import Place, Problem, Refusal
from xlbilling.words.records import TABLE, Table
from xlbilling.workbook.cells import give
from xlbilling.workbook.file.error_cells import error_cells
from xlbilling.workbook.file.recalculation import recalculated
from xlbilling.workbook.file.shape import (
    Shape,
    TableShape,
    grow_table,
    rename_sheet,
    reshape_table,
    set_hidden,
    shape_of,
)
from xlbilling.workbook.file.splice import Formula as CellFormula
from xlbilling.workbook.file.splice import FormulaColumn, write_cells, write_tables
from xlbilling.workbook.formula_text import Formula, filled_in
from xlbilling.workbook.looks import NUMBER_FORMAT
from xlbilling.workbook.named_cells import DASH, FIXED_ROWS, TILES
from xlbilling.workbook.port import (
    EXTRA,
    NO_CELL,
    NOT_WORKED_OUT,
    Cells,
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
from xlbilling.workbook.references import column_letters, column_number

Columns = dict[str, Any]


class FileWorkbook:
    """A workbook file nobody has open: writes are collected and reach the file in one step with `save`.

    With `yes` every question is answered yes. What was written can be read again before it is saved.
    """

    has_sheets = True

    def __init__(self, path: Path, yes: bool = False):
        self.path = Path(path)
        self.marked: list[Problem] = []
        self.shown = ""
        self._source = self.path
        self._folder = tempfile.TemporaryDirectory(prefix="xlbilling-", ignore_cleanup_errors=True)
        self._step = 0
        self._tables: dict[str, Columns] = {}
        self._cells: dict[str, Any] = {}
        self._sheets: dict[str, list[list[Any]]] = {}
        self._error_cells: dict[str, dict[tuple[int, int], str]] = {}
        self._shape: Shape | None = None
        self._extra_titles: dict[str, dict[str, str]] = {}
        self._worked_out: Path | None = None
        self.questions = Questions(self.get, self.put, yes=yes)

    # ------------------------------------------------------------------------------------------------ reading

    def read(self, table: str) -> SheetTable:
        self._settle(table)
        shape = self._grown(table)
        declared = TABLE[table]
        first = shape.area.first_column - 1
        rows = self._rows(shape.sheet)[shape.area.first_row - 1 : shape.area.last_row]
        titles = self._titles(shape, rows[0] if rows else [])
        body = np.full((max(shape.area.last_row - shape.area.first_row, 0), len(titles)), None, object)
        if len(rows) > 1:
            cells = np.array([row[first : first + len(titles)] for row in rows[1:]], dtype=object)
            body[: cells.shape[0], : cells.shape[1]] = np.where(cells == "", np.array(None, dtype=object), cells)
        self._show_errors(shape, declared, titles, body)
        return sheet_table(declared, shape.sheet, titles, body, shape.header_row, first + 1)

    def get(self, name: str) -> Any:
        if name in self._cells:
            cell = self._cells[name]
        else:
            sheet, row, column = self._named(name)
            rows = self._rows(sheet)
            cell = rows[row - 1][column - 1] if row <= len(rows) and column <= len(rows[row - 1]) else None
            cell = self._errors(sheet).get((row, column), cell)
        return None if cell in ("", DASH) else cell

    def values(self, table: str, field: str) -> list[Any]:
        sheet = self.read(table)
        if self._worked_out is not None and field in sheet.column_letter:
            at = column_number(sheet.column_letter[field]) - 1
            rows = (
                CalamineWorkbook.from_path(self._worked_out)
                .get_sheet_by_name(sheet.sheet)
                .to_python(skip_empty_area=False)
            )
            return [rows[row - 1][at] for row in sheet.rows.tolist()]
        if field in sheet.frame.columns:
            return list(sheet.frame[field])
        shape = self._table(table)
        rows = self._rows(sheet.sheet)
        wanted = self._extra_titles.get(table, {}).get(field, EXTRA + field)
        at = shape.area.first_column - 1 + shape.titles.index(wanted)
        return [rows[row - 1][at] if at < len(rows[row - 1]) else None for row in sheet.rows.tolist()]

    # ------------------------------------------------------------------------------------------------ writing

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
        typing: Sequence[TypedRow] = (),
    ) -> None:
        sheet = self.read(table)
        if sheet.problems:
            raise Refusal(sheet.problems[0])
        titles = self._shaped(table, sheet, extra)
        shape = self._table(table)
        by_title = {title: column_letters(shape.area.first_column + at) for at, title in enumerate(titles)}
        declared = TABLE[table]
        letters = {name: by_title[c.title] for name, c in declared} | {e.name: by_title[e.heading] for e in extra}
        given, keys = laid_over(give(declared, frame), row_keys(declared, frame), typing)
        rows = range(shape.header_row + 1, shape.header_row + 1 + len(keys))
        columns: Columns = {declared.columns[name].title: cells for name, cells in given.items()}
        columns |= {title: c for title, c in sheet.own_for(keys).items() if title not in shape.calculated}
        for name, formula in (formulas or {}).items():
            columns[declared.columns[name].title] = _formula_cells(formula, rows, letters, None)
        for column in extra:
            values = list(column.values) if column.values is not None else None
            plain = values if values is not None else [None] * len(keys)
            made = _formula_cells(column.formula, rows, letters, values) if column.formula else plain
            columns[column.heading] = made
        self._tables[in_book(table)] = _padded(table, columns, len(keys))

    def put(self, name: str, value: Any) -> None:
        self._named(name)
        self._cells[name] = DASH if value is None and name in TILES else value

    def mark(self, problems: Iterable[Problem]) -> None:
        """Kept with their cells in `marked`; a file shows no highlights."""
        self.marked = located(problems, self.read)

    def progress(self, text: str, done: int, total: int) -> None:
        """Nobody watches a file; the terminal shows its own progress."""

    def say(self, text: str) -> None:
        self.questions.done()
        self.put("Message", text)

    def show(self, sheet: str) -> None:
        self.shown = self._now(sheet)

    def ask_file(self, what: str, named_cell: str) -> Path:
        return wanted_file(what, named_cell, self.get(named_cell), self.path.resolve().parent)

    def confirm(self, question: str) -> bool:
        return self.questions.confirm(question)

    def recalculate(self) -> bool:
        """Have LibreOffice work out a copy, where it is on this machine; `values` then reads from that copy."""
        self._flush()
        self._worked_out = recalculated(self._source, Path(self._folder.name))
        return self._worked_out is not None

    def view(self, kind: View) -> None:
        self.put("View", kind)
        self._flush()
        target = self._next()
        set_hidden(self._source, target, {self._now(sheet) for sheet in hidden_sheets(kind)})
        self._moved(target)

    def type_in(self, sheet: str, cells: Mapping[str, Any]) -> None:
        self._flush()
        target = self._next()
        write_cells(self._source, target, sheet, cells)
        self._moved(target)

    def rename_sheet(self, sheet: str, name: str) -> None:
        self._flush()
        target = self._next()
        rename_sheet(self._source, target, sheet, name)
        self._moved(target)

    def save(self) -> None:
        if self._source != self.path or self._tables or self._cells:
            write_tables(self._source, self.path, self._tables, self._cells)
        self._tables, self._cells = {}, {}
        self._moved(self.path)

    # ------------------------------------------------------------------------------------------------ the file

    def _table(self, name: str) -> TableShape:
        found = self._known.tables.get(in_book(name))
        if found is None:
            raise no_table(name)
        return found

    def _now(self, sheet: str) -> str:
        """What a sheet of the built workbook is called now: by the tables on it."""
        there = (self._known.tables.get(in_book(name)) for name in tables_of(sheet))
        return next((table.sheet for table in there if table is not None), sheet)

    def _grown(self, name: str) -> TableShape:
        """The table with the rows typed directly under it, which belong to it whether it was grown or not."""
        shape = self._table(name)
        if name in FIXED_ROWS:
            return shape
        inside, below = slice(shape.area.first_column - 1, shape.area.last_column), shape.area.last_row
        typed = takewhile(lambda row: any(c not in ("", None) for c in row[inside]), self._rows(shape.sheet)[below:])
        if more := sum(1 for _ in typed):
            target = self._next()
            grow_table(self._source, target, shape, below + more)
            self._moved(target)
        return self._table(name)

    def _named(self, name: str) -> tuple[str, int, int]:
        found = self._known.names.get(name)
        if found is None:
            raise Refusal(NO_CELL.at(Place(cell=name), f"the cell named {name} is not there"))
        return found

    @property
    def _known(self) -> Shape:
        if self._shape is None:
            self._shape = shape_of(self._source)
        return self._shape

    def _rows(self, sheet: str) -> list[list[Any]]:
        if sheet not in self._sheets:
            book = CalamineWorkbook.from_path(str(self._source))
            self._sheets[sheet] = book.get_sheet_by_name(sheet).to_python(skip_empty_area=False)
        return self._sheets[sheet]

    def _errors(self, sheet: str) -> dict[tuple[int, int], str]:
        """What the cells of a sheet show that its values do not tell, by row and column from 1."""
        if sheet not in self._error_cells:
            part = next((table.sheet_part for table in self._known.tables.values() if table.sheet == sheet), "")
            listed = error_cells(self._source, part) if part else ()
            self._error_cells[sheet] = {(row, column): shown for row, column, shown in listed}
        return self._error_cells[sheet]

    def _show_errors(self, shape: TableShape, declared: Table, titles: Sequence[Any], body: Cells) -> None:
        """Put the errors of declared columns in the rows of a table; a formula of ours waits to be worked out."""
        typed = {declared.columns[name].title for name in declared.names("typed")}
        known = {column.title for column in declared.columns.values()}
        for (row, column), shown in self._errors(shape.sheet).items():
            at, below = column - shape.area.first_column, row - shape.header_row - 1
            if not (0 <= at < len(titles) and 0 <= below < len(body)) or titles[at] not in known:
                continue
            if shown != NOT_WORKED_OUT or titles[at] in typed:
                body[below, at] = shown

    def _titles(self, shape: TableShape, header: list[Any]) -> list[Any]:
        """The headings of the table and of what stands directly beside it."""
        first = shape.area.first_column - 1
        titles: list[Any] = list(header[first : first + len(shape.titles)])
        titles += [None] * (len(shape.titles) - len(titles))
        if shape.name not in {in_book(name) for name in FIXED_ROWS}:
            for cell in header[shape.area.last_column :]:
                if cell in ("", None):
                    break
                titles.append(cell)
        return titles

    def _shaped(self, table: str, sheet: SheetTable, extra: Sequence[ExtraColumn]) -> list[str]:
        """Bring the table in the file to the columns wanted; returns its headings in order."""
        shape = self._table(table)
        header = self._rows(shape.sheet)[shape.header_row - 1]
        stand = [str(title) for title in self._titles(shape, header)]
        self._extra_titles.setdefault(table, {}).update({e.name: e.heading for e in extra})
        wanted = [title for title in stand if not title.startswith(EXTRA)] + [e.heading for e in extra]
        if wanted == list(shape.titles):
            return wanted
        declared = sheet.table.columns
        shapes = {NUMBER_FORMAT[c.kind]: c.title for c in declared.values()}
        computed = {NUMBER_FORMAT[c.kind]: c.title for c in declared.values() if c.filled == "computed"}
        like = {e.heading: (shapes | computed).get(NUMBER_FORMAT[e.kind], "") for e in extra}
        emptied, target = self._next(), self._next()
        write_tables(self._source, emptied, {shape.name: {title: [] for title in shape.titles}})
        reshape_table(emptied, target, shape_of(emptied).tables[shape.name], wanted, like, shape.area.last_row)
        self._moved(target)
        return wanted

    def _settle(self, table: str) -> None:
        """A table that was written is read back from a working copy."""
        if in_book(table) in self._tables:
            self._flush()

    def _flush(self) -> None:
        if not (self._tables or self._cells):
            return
        target = self._next()
        write_tables(self._source, target, self._tables, self._cells)
        self._tables, self._cells = {}, {}
        self._moved(target)

    def _next(self) -> Path:
        self._step += 1
        return Path(self._folder.name) / f"{self._step}{self.path.suffix}"

    def _moved(self, path: Path) -> None:
        self._source, self._shape, self._sheets, self._error_cells = path, None, {}, {}


def _formula_cells(
    formula: Formula, rows: range, letters: Mapping[str, str], values: Sequence[Any] | None
) -> FormulaColumn | list[Any]:
    """A column of formulas as the splice writes it: one text with the row left open where all rows share it."""
    if isinstance(formula, str):
        open_row = filled_in(formula, ["{row}"], letters)[0]
        return FormulaColumn(open_row.removeprefix("="), values)
    shown = [None] * len(rows) if values is None else values
    texts = filled_in(formula, rows, letters)
    return [CellFormula(text[1:], value) if text else value for text, value in zip(texts, shown, strict=True)]


def _padded(table: str, columns: Columns, count: int) -> Columns:
    """A list on Start keeps its number of rows."""
    rows = FIXED_ROWS.get(table)
    if rows is None:
        return columns
    need_room(table, count)
    return {title: [*cells, *[None] * (rows - count)] for title, cells in columns.items()}
