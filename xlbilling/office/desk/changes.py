"""Working copies: what staff changed on a sheet since it was filled, as Save would write it and as a preview tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.history import as_text, last_change
from xlbilling.office.desk.surface import SURFACES
from xlbilling.words.money import dollars
from xlbilling.words.problems import Conflict, Place, Problem, declare
from xlbilling.words.records import TABLE, Column, Table
from xlbilling.workbook.port import SheetTable, TypedRow, row_keys

CHANGED_MEANWHILE: Final = declare(
    "changed_meanwhile",
    "Somebody else changed what you typed over, since this sheet was filled.",
    "The row beside your typing is up to date now. Press Save again to write yours over theirs, or type their value to "
    "keep it.",
)


@dataclass(eq=False)
class Changes:
    """What Save would do with one sheet; two looks at the same sheet are equal where they would do the same."""

    table: str
    new: pd.DataFrame
    changed: pd.DataFrame  # rows as they will be: the store's with the typed columns laid over, in the store's types
    before: pd.DataFrame  # the same rows as the store has them
    conflicts: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    typed_over: list[Problem] = field(default_factory=list)
    sheet: SheetTable | None = None  # None where the rows come from elsewhere than a sheet
    typing: list[TypedRow] = field(default_factory=list)  # every cell that filling the sheet anew would lose
    emptied: list[str] = field(
        default_factory=list
    )  # columns whose every value was blanked, as a column deleted and put back is
    left: list[str] = field(default_factory=list)  # keys of rows nobody typed on that the store no longer has
    there: list[str] = field(
        default_factory=list
    )  # keys of typed rows that a press which was cut off has taken in already

    def place(self, row: int, column: str) -> Place:
        """The cell of a new or changed row, by its label in the frame; the table alone where there is no sheet."""
        return self.sheet.place(row, column) if self.sheet else Place(table=self.table, column=column)

    @classmethod
    def adding(cls, table: str, rows: pd.DataFrame) -> Changes:
        """Nothing but new rows."""
        return cls(table, rows, rows.iloc[:0], rows.iloc[:0].assign(rev=0))

    @classmethod
    def none(cls, sheet: SheetTable) -> Changes:
        """Of a sheet nobody has typed on."""
        nothing = pd.DataFrame(columns=list(sheet.table.columns))
        return cls(sheet.table.name, nothing, nothing, nothing, sheet=sheet)

    def __bool__(self) -> bool:
        return bool(len(self.new) or len(self.changed) or self.conflicts or self.refused)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Changes) and (self.preview(), self.there) == (other.preview(), other.there)

    __hash__ = None  # type: ignore[assignment]

    def pairs(self) -> Iterator[tuple[int, dict[str, Any], dict[str, Any]]]:
        """Each changed row: its label on the sheet, the row as it will be, the row as the store has it."""
        labels = (int(label) for label in self.changed.index.tolist())
        rows: Any = zip(labels, self.changed.to_dict("records"), self.before.to_dict("records"), strict=True)
        yield from rows

    def rows(self) -> list[tuple[int, dict[str, Any]]]:
        """The new and the changed rows with their labels."""
        both: Any = pd.concat([self.new, self.changed])
        return list(zip((int(label) for label in both.index), both.to_dict("records"), strict=True))

    def preview(self) -> list[str]:
        """The changes as lines a clerk reads: sheet, key, column: old -> new; a whole column blanked is said first."""
        if not self:
            return []
        declared = TABLE[self.table]
        sheet, lines = declared.sheet.name, []
        for column in self.emptied:
            count = int(self.before[column].map(as_text).ne("").sum())
            lines.append(
                f"{sheet}, {declared.columns[column].title}: the whole column is blank; {count} values would go"
            )
        new: Any = self.new.to_dict("records")
        lines += [f"{sheet}: new row {_in_words(declared, row)}".rstrip() for row in new]
        for key, (_, row, old) in zip(row_keys(declared, self.changed), self.pairs(), strict=True):
            for name in declared.names("typed"):
                column_of = declared.columns[name]
                before, after = shown(column_of, old[name]), shown(column_of, row[name])
                if before != after and name not in self.emptied:
                    lines.append(f"{sheet} {key}, {column_of.title}: {before or '(blank)'} -> {after or '(blank)'}")
        return lines


_NEW_ROW_SHOWS: Final = 4


def _in_words(declared: Table, row: Mapping[Any, Any]) -> str:
    """A new row as a preview names it: its key, or else what stands first in it."""
    key = " / ".join(as_text(row[name]) for name in declared.key)
    if key.strip(" /"):
        return key
    typed = [shown(declared.columns[name], row[name]) for name in declared.names("typed")]
    return ", ".join([text for text in typed if text][:_NEW_ROW_SHOWS])


def already_there(found: Iterable[Changes]) -> str:
    """What is said of typed rows that the store has already, because a press was cut off after it had taken them in."""
    keys = [key for change in found for key in change.there]
    if not keys:
        return ""
    return (
        f"There already, and not taken in again: {', '.join(keys)} (an earlier press took them in and was cut off). If "
        "others are meant, press Refresh and type them again."
    )


def changed_meanwhile(desk: Desk | None, change: Changes, label: int, key: str) -> Conflict:
    """The conflict of a row that somebody changed between the look and the write."""
    who, when = last_change(desk.store, SURFACES[change.table].history(desk), key) if desk else ("", "")
    fact = f"{key} was changed by {who or 'somebody'}{f' at {when}' if when else ''}; nothing was saved"
    return Conflict(CHANGED_MEANWHILE.at(change.place(label, TABLE[change.table].key[0]), fact, "Press Save again."))


def without_emptied(change: Changes) -> Changes:
    """The changes but for columns that were blanked as a whole: filling the sheet brings those back."""
    if not change.emptied:
        return change
    kept = [row.key for row in change.typing if set(row.cells) - set(change.emptied)]
    named = [key in kept for key in row_keys(TABLE[change.table], change.changed)]
    typing = [
        replace(row, cells={n: c for n, c in row.cells.items() if n not in change.emptied}) for row in change.typing
    ]
    return replace(
        change,
        changed=change.changed.loc[named],
        before=change.before.loc[named],
        typing=[row for row in typing if row.cells],
    )


def plain_rate(text: str) -> str:
    """A decimal without needless zeros, so that 40.00 and 40 are the same rate."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(column: Column, value: Any) -> str:
    """A store value as the clerk sees it in a preview."""
    text = as_text(value)
    if column.kind == "money" and text:
        return dollars(int(text))
    return plain_rate(text) if column.kind == "rate" else text


def moved_on(desk: Desk) -> bool:
    """Whether anything was written to the store since the sheets were filled."""
    return desk.seen()[0] != last_event(desk)


def last_event(desk: Desk) -> int:
    return int(desk.store.value("SELECT MAX(event) FROM events") or 0)


def chain_head(desk: Desk) -> str:
    """The latest event and the start of its seal: what the Start sheet shows and the close packet prints whole."""
    found = desk.store.query("event:int seal", "SELECT event, seal FROM events ORDER BY event DESC LIMIT 1")
    return f"{found['event'].iloc[0]} {found['seal'].iloc[0][:16]}" if len(found) else ""
