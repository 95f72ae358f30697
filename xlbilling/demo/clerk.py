"""The clerk: one person at one copy of the workbook, who types into its sheets and presses its buttons.

The sample month and the tests work through an office's days with it, on any port: a workbook file, one in memory, or
one that is open in a spreadsheet application.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd

from xlbilling.office.actions import perform
from xlbilling.office.desk.buttons import BUTTONS, Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.store import Store
from xlbilling.store.store import Work
from xlbilling.words.problems import Problem, Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import cell_values, give, take
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.memory import MemoryWorkbook
from xlbilling.workbook.port import OpenWorkbook, SheetTable
from xlbilling.workbook.references import column_letters, column_number

Rows = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass
class Clerk:
    """One person at one workbook on one store.

    `workbook` gives the workbook as it lies there when they look. `says_yes` answers every question at once; without it
    a button that asks is pressed a second time to say yes. What each button said is kept in `said`, the problems of the
    last one with their cells in `problems`.
    """

    actor: str
    url: str
    workbook: Callable[[], OpenWorkbook]
    folder: Path
    clock: Callable[[], dt.datetime] | None = None
    says_yes: bool = True
    said: list[tuple[str, str]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _meanwhile: list[Callable[[], object]] = field(default_factory=list)

    @classmethod
    def at_file(cls, path: Path, actor: str, url: str, clock: Callable[[], dt.datetime] | None = None) -> Clerk:
        """A clerk at a workbook file, opened anew for each look as the terminal does."""
        return cls(actor, url, lambda: FileWorkbook(path), path.parent, clock)

    @classmethod
    def in_memory(
        cls, book: MemoryWorkbook, actor: str, url: str, clock: Callable[[], dt.datetime] | None = None
    ) -> Clerk:
        """A clerk at a workbook in memory."""
        return cls(actor, url, lambda: book, book.folder, clock)

    # ---- pressing ----

    def presses(self, button: str, **cells: Any) -> Outcome:
        """Type `cells` on Start and press a button, by its label or its id; a refusal is raised."""
        book = self.workbook()
        book.questions.yes = self.says_yes
        for name, value in cells.items():
            book.put(name, value)
        outcome = perform(button_id(button), lambda: self._desk(book), book, self.folder)
        self.problems = list(book.marked)
        book.save()
        if isinstance(outcome, Refusal):
            raise outcome
        self.said.append((button_label(button), outcome.said))
        return outcome

    def tries(self, button: str, **cells: Any) -> str:
        """What Start says after a press, whether the button did its work or refused."""
        with suppress(Refusal):
            self.presses(button, **cells)
        return str(self.cell("Message") or "")

    def meanwhile(self, act: Callable[[], object], before: int = 1) -> None:
        """Let `act` happen during the next press: after the button has looked, right before it writes.

        A button that writes in several transactions is stopped before the one `before` counts, such as 2.
        """
        self._meanwhile = [lambda: None] * (before - 1) + [act]

    def desk(self, **cells: Any) -> Desk:
        """The desk itself, for a look at what is behind the buttons; close its store after use."""
        book = self.workbook()
        for name, value in cells.items():
            book.put(name, value)
        return self._desk(book)

    def _desk(self, book: OpenWorkbook) -> Desk:
        store = cast("MeetingStore", MeetingStore.open(self.url, self.clock))
        store.meanwhile, self._meanwhile = self._meanwhile, []
        return Desk(book, store, self.actor, self.folder)

    # ---- looking ----

    def sees(self, table: str) -> pd.DataFrame:
        """What stands on a sheet, in the store's types, by row key."""
        sheet = self.workbook().read(table)
        rows, _ = take(TABLE[table], sheet)
        rows.index = pd.Index(sheet.keys)
        return rows

    def cells(self, table: str) -> pd.DataFrame:
        """The raw cells of a sheet, by field."""
        return self.workbook().read(table).frame

    def cell(self, name: str) -> Any:
        """What stands in a named cell."""
        return self.workbook().get(name)

    # ---- typing ----

    def types_on_start(self, **cells: Any) -> None:
        """Type into named cells."""
        book = self.workbook()
        for name, value in cells.items():
            book.put(name, value)
        book.save()

    def types(self, table: str, cells: Mapping[str, Any], at: str | None = None) -> None:
        """Type raw cells by heading or field: into the row with the key `at`, or into a new row below the others."""
        book = self.workbook()
        sheet = book.read(table)
        row = _row_below(sheet) if at is None else _row_of(sheet, at)
        book.type_in(sheet.sheet, {f"{_letter(sheet, name)}{row}": value for name, value in cells.items()})
        book.save()

    def types_down(self, table: str, column: str, of_row: Callable[[pd.Series[Any]], Any]) -> None:
        """Type into one column what `of_row` says of each row's raw cells; None leaves a cell as it is."""
        book = self.workbook()
        sheet = book.read(table)
        letter = _letter(sheet, column)
        said = zip(sheet.rows.tolist(), (of_row(row) for _, row in sheet.frame.iterrows()), strict=True)
        book.type_in(sheet.sheet, {f"{letter}{row}": value for row, value in said if value is not None})
        book.save()

    def types_beside(self, table: str, heading: str, notes: Mapping[str, Any]) -> None:
        """Type a column of one's own right of the table, with a note beside the rows of these keys."""
        book = self.workbook()
        sheet = book.read(table)
        letter = _letters_beside(sheet, len(sheet.own.columns) + 1)[-1]
        beside = {f"{letter}{_row_of(sheet, key)}": note for key, note in notes.items()}
        book.type_in(sheet.sheet, {f"{letter}{sheet.first_row - 1}": heading} | beside)
        book.save()

    def works_through(self, table: str, typing: Rows) -> None:
        """Type what `typing` changes in the sheet's rows, given and returned in the store's types.

        Only cells that differ are typed, rows it adds go below the others; a row it leaves out is deleted.
        """
        book = self.workbook()
        sheet = book.read(table)
        rows, _ = take(TABLE[table], sheet)
        typed = typing(rows.copy())
        gone = np.flatnonzero(~rows.index.isin(typed.index)).tolist()
        typed = typed.reindex(columns=rows.columns)
        before, after = give(TABLE[table], rows), give(TABLE[table], typed)
        at = {label: place for place, label in enumerate(rows.index)}
        cells: dict[str, Any] = {}
        below = _row_below(sheet)
        for n, label in enumerate(typed.index):
            known = at.get(label)
            row = below if known is None else int(sheet.rows[known])
            below += known is None
            cells |= {
                f"{sheet.column_letter[name]}{row}": values[n]
                for name, values in after.items()
                if values[n] != (None if known is None else before[name][known])
            }
        book.type_in(sheet.sheet, cells)
        if gone:
            book.type_in(sheet.sheet, _closed_up(book.read(table), gone))
        book.save()

    def blanks(self, table: str, key: str) -> None:
        """Blank all cells of a row; the row stays where it is, with nothing in it."""
        self.types(table, dict.fromkeys(TABLE[table].columns), at=key)

    def deletes(self, table: str, key: str) -> None:
        """Delete a row of a table; those below move up."""
        book = self.workbook()
        sheet = book.read(table)
        book.type_in(sheet.sheet, _closed_up(sheet, [sheet.rows.tolist().index(_row_of(sheet, key))]))
        book.save()


class MeetingStore(Store):
    """A store at which somebody else may act between a button's look and its write."""

    meanwhile: Sequence[Callable[[], object]] = ()

    @contextmanager
    def work(self, *who_and_what: Any, **how: Any) -> Iterator[Work]:
        acts, self.meanwhile = self.meanwhile[:1], self.meanwhile[1:]
        for act in acts:
            act()
        with super().work(*who_and_what, **how) as work:
            yield work


def button_id(button: str) -> str:
    """A button by its label on the ribbon, or by its id."""
    return next((known.id for known in BUTTONS.values() if known.label == button), button)


def button_label(button: str) -> str:
    return BUTTONS[button].label if button in BUTTONS else button


def as_typed(table: str, field: str, value: Any) -> Any:
    """A value in the store's types as it is typed into a cell: 1250 cents are 12.5."""
    return cell_values(TABLE[table].columns[field].kind, pd.Series([value]))[0]


def _letter(sheet: SheetTable, name: str) -> str:
    """The letter of a column by its field or its heading."""
    titles = {column.title.casefold(): field for field, column in sheet.table}
    return sheet.column_letter[name if name in sheet.column_letter else titles[name.casefold()]]


def _row_of(sheet: SheetTable, key: str) -> int:
    rows = [row for row, known in zip(sheet.rows.tolist(), sheet.keys, strict=True) if known == key]
    if len(rows) != 1:
        raise LookupError(f"{key} is {len(rows)} times on {sheet.sheet}")
    return int(rows[0])


def _row_below(sheet: SheetTable) -> int:
    return int(sheet.rows[-1]) + 1 if len(sheet.rows) else sheet.first_row


def _letters_beside(sheet: SheetTable, count: int) -> list[str]:
    """The letters of the first columns right of the declared ones, where staff keep their own."""
    last = max(map(column_number, sheet.column_letter.values()))
    return [column_letters(last + n) for n in range(1, count + 1)]


def _closed_up(sheet: SheetTable, gone: Sequence[int]) -> dict[str, Any]:
    """The cells of a sheet without some of its rows: those below move up, the last ones become blank."""
    whole = pd.concat([sheet.frame.reset_index(drop=True), sheet.own.reset_index(drop=True)], axis=1)
    letters = [*(sheet.column_letter[str(n)] for n in sheet.frame), *_letters_beside(sheet, len(sheet.own.columns))]
    kept = whole.drop(index=list(gone)).reset_index(drop=True).reindex(whole.index).astype(object)
    cells = kept.where(kept.notna(), None).to_numpy(dtype=object)
    return {f"{x}{row}": cells[n, at] for n, row in enumerate(sheet.rows.tolist()) for at, x in enumerate(letters)}
