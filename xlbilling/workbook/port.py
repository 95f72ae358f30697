"""The workbook as the office sees it: about a dozen methods, the same in live Excel and in the file.

Frames that go in carry the field names of the declarations in the store's types: money int64 cents, a quantity int64
millionths, a rate decimal text, a date datetime64[s], text with "" for blank. Frames that come out of `read` carry raw
cells; `xlbilling.workbook.cells.take` turns them into the store's types.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.words.problems import Place, Problem, Refusal, declare
from xlbilling.words.records import TABLE, TABLES, ColumnKind, Table
from xlbilling.workbook.days import day_of
from xlbilling.workbook.fingerprint import fingerprint
from xlbilling.workbook.formula_text import Formula
from xlbilling.workbook.named_cells import FIXED_ROWS
from xlbilling.workbook.references import column_letters

View: TypeAlias = Literal["clerk", "lead"]
Cells: TypeAlias = npt.NDArray[np.object_]

EXTRA: Final = "ƒ "  # heads every column of formulas past the declared ones, so that it is never taken for staff's own
# A table and an Excel function of one name (BILL_LINES, TODAY, LOG) do not live together in a workbook, and a name of
# one to three letters reads like a column.
IN_BOOK: Final = {"bill_lines": "bill_charges", "today": "today_list", "log": "log_rows", "gl": "gl_rows"}
NOT_WORKED_OUT: Final = "a formula without a value"
ERRORS: Final = frozenset(
    {"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!", "#GETTING_DATA", "Err:"}
    | {NOT_WORKED_OUT}
)

HEADING: Final = declare(
    "sheet_heading",
    "A heading of a table is missing, renamed or there twice.",
    "Put the heading back as it was; new columns of your own go to the right of the table.",
)
NO_TABLE: Final = declare(
    "sheet_table",
    "A table of the workbook is not on any of its sheets: the sheet was deleted, or its table was made plain cells.",
    "Take the sheet back (Ctrl+Z, or close without saving), or build a new workbook with xlbilling build and press Refresh; "
    "no data is lost, the store holds it.",
)
NO_CELL: Final = declare(
    "sheet_cell",
    "A named cell of the workbook is not there.",
    "Restore the workbook from a copy or build a new one; no data is lost, the store holds it.",
)
NO_FILE: Final = declare(
    "file_wanted",
    "A button needs a file and none is named, or the named one is not there.",
    "Type the file's path in the cell and press the button again.",
)


@dataclass(frozen=True, slots=True)
class ExtraColumn:
    """A column of formulas to the right of the declared ones, as the audit needs them.

    `name` is for use in formulas ({name}), `title` the heading (shown with a leading ƒ). `formula` is one text for all
    rows or one a row; `values` are the values it is expected to have, or plain cells where there is no formula.
    """

    name: str
    title: str
    kind: ColumnKind = "money"
    formula: Formula = ""
    values: Sequence[Any] | None = None
    width: int = 12
    note: str = ""

    @property
    def heading(self) -> str:
        return EXTRA + self.title


@dataclass(frozen=True, slots=True)
class TypedRow:
    """What a person typed in one row and has not saved: raw cells by field; the key is blank in a row of their own."""

    key: str
    cells: Mapping[str, Any]


@dataclass(frozen=True)
class SheetTable:
    """A table as it stands on its sheet: raw cells by field name, and where each of them is.

    `frame` has one row per row that is not wholly blank (object cells, None for a blank one, index 0, 1, ...); a
    missing column is not in it and is named in `problems`. `rows` gives each row's sheet row. `own` holds staff's own
    columns by heading, its index the row keys (see `keys`).
    """

    table: Table
    sheet: str
    frame: pd.DataFrame
    rows: npt.NDArray[np.int64]
    first_row: int
    column_letter: Mapping[str, str]
    own: pd.DataFrame = field(default_factory=pd.DataFrame)
    problems: Sequence[Problem] = ()

    @cached_property
    def keys(self) -> list[str]:
        """The key of each row as text; several fields are joined with " / "."""
        return row_keys(self.table, self.frame)

    @cached_property
    def fingerprint(self) -> str:
        """The same as long as nobody types into a declared column."""
        return fingerprint(self.table, {str(name): self.frame[name].tolist() for name in self.frame.columns})

    @cached_property
    def _row_of(self) -> dict[str, int]:
        return {key: row for row, key in reversed(list(enumerate(self.keys)))}

    def place(self, row_index: int, field: str) -> Place:
        """The cell of a row of `frame`, such as Reads!D118, with its row key and column."""
        cell = f"{self.column_letter.get(field, 'A')}{self.rows[row_index]}"
        return Place(self.sheet, self.keys[row_index], field, cell=cell)

    def own_for(self, keys: Sequence[str]) -> dict[str, list[Any]]:
        """Staff's own columns for the rows of these keys; a row they never noted is blank.

        A column keeps what stood beside rows that are gone only where their key comes again.
        """
        if self.own.empty:
            return {title: [None] * len(keys) for title in self.own.columns}
        first = self.own[~self.own.index.duplicated()]
        found = first.reindex(list(keys)).astype(object)
        blank = found.isna()
        return {str(t): [None if no else c for c, no in zip(found[t], blank[t], strict=True)] for t in found.columns}

    def locate(self, problem: Problem) -> Problem:
        """The same problem with its sheet cell, where its place names a row key of this table."""
        place = problem.place
        row = self._row_of.get(place.key) if place.table == self.table.name and not place.cell else None
        if row is None:
            return problem
        return problem.on(self.place(row, place.column or self.table.key[0]))


class Workbook(Protocol):
    """What the office may ask of a workbook, live or in the file."""

    has_sheets: bool  # False for a run at night on the store alone

    def read(self, table: str) -> SheetTable:
        """The table as it stands on its sheet."""

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
        typing: Sequence[TypedRow] = (),
    ) -> None:
        """Replace the table's rows; staff's own columns follow their row key, filters and looks stay.

        `typing` is laid over the rows as it was typed: into the row of its key, or as a row below them (see `laid_over`).

        `formulas` gives fields a formula (one text for all rows, or one a row): in it {field} is the field's cell in
        the same row (D118) and {row} the sheet row. The frame's value of such a field is the one it is expected to
        have.
        """

    def get(self, name: str) -> Any:
        """The value of a named cell: text, float, datetime, or None."""

    def put(self, name: str, value: Any) -> None:
        """Set a named cell."""

    def mark(self, problems: Iterable[Problem]) -> None:
        """Highlight the cells named and note the problem on them; marks of an earlier call go away."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Say how far a long piece of work has come."""

    def say(self, text: str) -> None:
        """Show the outcome in the cell Message; a question nobody answered goes away."""

    def show(self, sheet: str) -> None:
        """Bring a sheet to the front, whatever a person has called it since."""

    def ask_file(self, what: str, named_cell: str) -> Path:
        """The file to work on, picked by the person or named in the cell; refuses where there is none."""

    def confirm(self, question: str) -> bool:
        """Whether the person said yes: the first press asks on the Start sheet, a second press answers."""

    def recalculate(self) -> bool:
        """Recalculate all formulas; False where no spreadsheet application is there to do it."""

    def values(self, table: str, field: str) -> list[Any]:
        """Raw values of a field (or the name of an extra column) as last calculated."""

    def view(self, kind: View) -> None:
        """Show the sheets this view needs and hide the others."""

    def save(self) -> None:
        """Save the workbook; the file adapter writes what was collected."""


class OpenWorkbook(Workbook, Protocol):
    """A workbook somebody sits at: besides what the office asks of it, a person types into its cells."""

    questions: Questions  # what was asked and not yet answered
    marked: list[Problem]  # with their cells

    def type_in(self, sheet: str, cells: Mapping[str, Any]) -> None:
        """Put what a person typed into cells by their address (D118), None for a blanked one.

        Text stays text and a number stays a number, whatever the column takes. A row typed right below a table belongs
        to the table, and a heading can be typed over.
        """

    def rename_sheet(self, sheet: str, name: str) -> None:
        """Give a sheet another name on its tab; its tables stay what they are, and are found by their own names."""


def in_book(table: str) -> str:
    """Name of a declared table in the workbook."""
    return IN_BOOK.get(table, table)


def no_table(name: str) -> Refusal:
    """The refusal of a table that is on no sheet: named by the sheet a person knows."""
    sheet = TABLE[name].sheet.name
    return Refusal(NO_TABLE.at(Place(sheet), f"sheet {sheet} with its table {in_book(name)} is not there"))


def tables_of(sheet: str) -> list[str]:
    """The declared tables that stand on a sheet of the built workbook."""
    return [name for name, table in TABLE.items() if table.sheet.name == sheet]


def row_keys(table: Table, frame: pd.DataFrame) -> list[str]:
    """The key of each row as text, the same for raw cells and store values; without its day where that is blank."""
    blank = [""] * len(frame)
    days = {name for name in table.key if table.columns[name].kind == "date"}
    parts = [
        [_key_day(value) if name in days else _key_text(value) for value in frame[name].tolist()]
        if name in frame.columns
        else blank
        for name in table.key
    ]
    if len(parts) == 1:
        return parts[0]
    if table.key[-1] in days:
        return [" / ".join(part if part[-1] else part[:-1]) for part in zip(*parts, strict=True)]
    return [" / ".join(part) for part in zip(*parts, strict=True)]


def _key_day(value: Any) -> str:
    """A day of a key as it is written everywhere, however the cell holds it: 2026-12-01."""
    if value is None or value is pd.NaT:
        return ""
    day = day_of(value)
    return f"{day:%Y-%m-%d}" if day else _key_text(value)


def _key_text(value: Any) -> str:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, float):
        return "" if math.isnan(value) else str(int(value)) if value.is_integer() else repr(value)
    return str(value).strip()


def laid_over(
    columns: Mapping[str, Sequence[Any]], keys: Sequence[str], typing: Sequence[TypedRow]
) -> tuple[dict[str, list[Any]], list[str]]:
    """The cells of a table by field with what was typed laid over them, and the key of each row.

    A typed row goes over the row of its key; one whose key is blank or not among `keys` becomes a row below the others.
    """
    cells = {name: list(values) for name, values in columns.items()}
    at, below = {key: row for row, key in enumerate(keys)}, list(keys)
    for typed in typing:
        row = at.get(typed.key) if typed.key else None
        if row is None:
            row = len(below)
            below.append(typed.key)
            for values in cells.values():
                values.append(None)
        for name, cell in typed.cells.items():
            cells[name][row] = cell
    return cells, below


def sheet_table(
    table: Table, sheet: str, titles: Sequence[Any], body: Cells, header_row: int, first_column: int
) -> SheetTable:
    """A table as it stands: `titles` of its header row from `first_column` (1 is A) on, `body` all rows below it.

    Wholly blank rows are left out; the others keep their sheet row.
    """

    def letter(position: int) -> str:
        return column_letters(first_column + position)

    fields, own, problems = headings(table, sheet, titles, header_row, letter)
    kept = np.flatnonzero((body != np.array(None)).any(axis=1)) if len(body) else np.zeros(0, np.intp)
    at = np.array(list(fields.values()), dtype=np.intp)
    frame = pd.DataFrame(body[np.ix_(kept, at)], columns=list(fields), dtype=object)
    return SheetTable(
        table,
        sheet,
        frame,
        kept.astype(np.int64) + header_row + 1,
        header_row + 1,
        {name: letter(at) for name, at in fields.items()},
        own_columns(table, frame, body[kept], own),
        problems,
    )


def located(problems: Iterable[Problem], read: Callable[[str], SheetTable]) -> list[Problem]:
    """The problems with the cells they name: each table is read once."""
    sheets: dict[str, SheetTable] = {}
    placed = []
    for problem in problems:
        table = problem.place.table
        if table in TABLE and table not in sheets:
            sheets[table] = read(table)
        placed.append(sheets[table].locate(problem) if table in sheets else problem)
    return placed


def headings(
    table: Table, sheet: str, titles: Sequence[Any], header_row: int, letter: Callable[[int], str]
) -> tuple[dict[str, int], dict[str, int], list[Problem]]:
    """Which column of a header row each field and each column of staff's own is in, and what is wrong with it.

    Returns (field -> position, own heading -> position, problems); columns of formulas past the declared ones are
    in neither.
    """
    by_title = {column.title.casefold(): name for name, column in table}
    fields: dict[str, int] = {}
    own: dict[str, int] = {}
    problems: list[Problem] = []
    for position, title in enumerate(titles):
        text = "" if title is None else str(title).strip()
        name = by_title.get(text.casefold())
        if name is not None and name in fields:
            cell = f"{letter(position)}{header_row}"
            problems.append(HEADING.at(Place(sheet, column=name, cell=cell), f"the heading {text} is there twice"))
        elif name is not None:
            fields[name] = position
        elif text and not text.startswith(EXTRA.strip()):
            own[text] = position
    expected = list(table.columns)
    for name in (name for name in expected if name not in fields):
        cell = f"{letter(expected.index(name))}{header_row}"
        fact = f"the heading {table.columns[name].title} is missing (it belongs here)"
        problems.append(HEADING.at(Place(sheet, column=name, cell=cell), fact))
    return fields, own, problems


def own_columns(table: Table, frame: pd.DataFrame, body: Cells, own: Mapping[str, int]) -> pd.DataFrame:
    """Staff's own columns by heading, indexed by row key."""
    if not own:
        return pd.DataFrame()
    index = pd.Index(row_keys(table, frame), dtype="str")
    return pd.DataFrame({title: pd.Series(body[:, at], index=index, dtype=object) for title, at in own.items()}, index)


def wanted_file(what: str, named_cell: str, value: Any, folder: Path) -> Path:
    """The file a named cell names, a relative path counted from the workbook's folder; refuses a missing one."""
    text = "" if value is None else str(value).strip().strip('"')
    place = Place("Start", column=named_cell, cell=named_cell)
    if not text:
        raise Refusal(NO_FILE.at(place, f"{what} is wanted and the cell is blank"))
    path = Path(text).expanduser()
    path = path if path.is_absolute() else folder / path
    if not path.is_file():
        raise Refusal(NO_FILE.at(place, f"{what} is wanted and {text} is not there"))
    return path


def need_room(table: str, rows: int) -> None:
    """Stop a list on Start from growing over what stands below it."""
    room = FIXED_ROWS.get(table, rows)
    if rows > room:
        raise ValueError(f"the list {table} has room for {room} rows, not {rows}")


VIEWS: Final = {record.sheet.name: record.sheet.views for record in TABLES}


def hidden_sheets(kind: View) -> set[str]:
    """The sheets a view hides."""
    return {sheet for sheet, shown in VIEWS.items() if kind not in shown}


AGAIN: Final = "Press the same button again to say yes; any other button says no."


class Questions:
    """Asking without a box: the question goes to named cells, and pressing the same button again says yes.

    With `yes` every question is answered yes at once.
    """

    def __init__(self, get: Callable[[str], Any], put: Callable[[str, Any], None], *, yes: bool = False):
        self._get, self._put, self.yes = get, put, yes
        self._asking = False

    def confirm(self, question: str) -> bool:
        if self.yes:
            return True
        if self._get("Question") == question:
            self._clear()
            return True
        self._put("Question", question)
        self._put("Asked", AGAIN)
        self._asking = True
        return False

    def done(self) -> None:
        """A button has finished: a question it did not ask is no longer open."""
        if not self._asking and self._get("Question"):
            self._clear()
        self._asking = False

    def _clear(self) -> None:
        self._put("Question", None)
        self._put("Asked", None)
