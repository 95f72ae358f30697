"""Working copies: what staff changed on a sheet since it was filled, told apart from what changed in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk import Desk
from xlbilling.office.views import view
from xlbilling.problems import Place, Problem, declare
from xlbilling.records import TABLE
from xlbilling.workbook.cells import refused_rows, take
from xlbilling.workbook.port import row_keys

CHANGED_MEANWHILE: Final = declare(
    "changed_meanwhile",
    "Somebody else changed the row since this sheet was filled.",
    "Note your own change, press Refresh, and type it again if it still holds.",
)
KEY_TWICE: Final = declare("key_twice", "Two rows carry the same key.", "Give each row a key of its own.")
KEY_TAKEN: Final = declare(
    "key_taken",
    "A new row has the key of a row that is in the store.",
    "Press Refresh to see that row, or use another key.",
)
ROW_GONE: Final = declare(
    "row_gone",
    "The row's key was typed over, or the row is not in the store.",
    "Put the key back, or blank Rev to add a new row.",
)
TYPED_OVER: Final = declare(
    "typed_over", "A computed cell was typed over.", "Press Save or Refresh to get the computed value back.", "review"
)


@dataclass
class Changes:
    """What Save would do with one sheet."""

    table: str
    new: pd.DataFrame
    changed: pd.DataFrame  # the sheet's rows, in the store's types
    before: pd.DataFrame  # the same rows as the store has them
    conflicts: list[Problem] = field(default_factory=list)
    refused: list[Problem] = field(default_factory=list)
    typed_over: list[Problem] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(len(self.new) or len(self.changed) or self.conflicts or self.refused)

    def preview(self) -> list[str]:
        """The changes as lines a clerk reads: sheet, key, column: old -> new."""
        declared = TABLE[self.table]
        sheet, lines = declared.sheet.name, []
        for key in row_keys(declared, self.new):
            lines.append(f"{sheet}: new row {key}".rstrip())
        for (_, old), (_, row), key in zip(
            self.before.iterrows(), self.changed.iterrows(), row_keys(declared, self.changed), strict=True
        ):
            for name in declared.names("typed"):
                if as_text(old[name]) != as_text(row[name]):
                    title = declared.columns[name].title
                    lines.append(
                        f"{sheet} {key}, {title}: {as_text(old[name]) or '(blank)'} -> {as_text(row[name]) or '(blank)'}"
                    )
        return lines


def changes(desk: Desk, name: str) -> Changes:
    """Compare one sheet with the store, row by row and cell by cell of the columns staff may type in."""
    declared = TABLE[name]
    sheet = desk.book.read(name)
    typed, problems = take(declared, sheet)
    refused = refused_rows([p for p in problems if p.severity == "block"], sheet)
    stored = view(desk, name)
    stored_keys = row_keys(declared, stored)
    at = {key: n for n, key in enumerate(stored_keys)}
    keys = sheet.keys
    # Without a Rev a row is new; its own key may still be blank where the store gives it (receipts, corrections).
    revs = typed["rev"].fillna(0).astype("int64").tolist() if "rev" in typed else [0] * len(typed)
    new, changed, conflicts, twice = [], [], [], set()
    bases = _bases(desk, name)
    for row, (key, rev) in enumerate(zip(keys, revs, strict=True)):
        if row in refused:
            continue
        place = sheet.place(row, declared.key[0])
        if key and key in twice:
            problems.append(KEY_TWICE.at(place, f"{key} is on the sheet twice"))
        elif not key or (key not in at and not rev):
            new.append(row)
        elif key not in at:
            problems.append(ROW_GONE.at(place, f"{key} is not in the store"))
        elif not rev:
            problems.append(KEY_TAKEN.at(place, f"{key} is in the store already"))
        elif _differs(typed, row, stored, at[key], declared.names("typed")):
            store_rev = int(stored["rev"].iloc[at[key]])
            if rev == store_rev:
                changed.append(row)
            elif _moved(typed, row, bases(key, rev), declared.names("typed")):
                conflicts.append(CHANGED_MEANWHILE.at(place, _conflict(desk, name, key, rev, store_rev)))
        twice.add(key)
    before = stored.iloc[[at[keys[row]] for row in changed]]
    return Changes(
        name,
        typed.iloc[new],
        typed.iloc[changed],
        before,
        conflicts,
        problems,
        _typed_over(desk, name, sheet, typed, stored, at),
    )


def as_text(value: Any) -> str:
    """A store value as text, blank for none; the form in which old and new are compared and kept in the history."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def content(row: Any, columns: list[str]) -> str:
    """A row as the history keeps it."""
    return json.dumps({name: as_text(row[name]) for name in columns})


def _differs(sheet: pd.DataFrame, row: int, stored: pd.DataFrame, at: int, columns: list[str]) -> bool:
    return any(as_text(sheet[name].iloc[row]) != as_text(stored[name].iloc[at]) for name in columns)


def _bases(desk: Desk, name: str):  # type: ignore[no-untyped-def]
    """Rows as they were at an earlier revision, from the history."""

    def base(key: str, rev: int) -> dict[str, str] | None:
        text = desk.store.value(
            "SELECT content FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r", t=name, k=key, r=rev
        )
        return json.loads(text) if text else None

    return base


def _moved(sheet: pd.DataFrame, row: int, base: dict[str, str] | None, columns: list[str]) -> bool:
    """True where the clerk typed on a row that has since moved on; a row that is merely stale is no conflict."""
    if base is None:
        return True
    return any(as_text(sheet[name].iloc[row]) != base.get(name, "") for name in columns)


def _conflict(desk: Desk, name: str, key: str, rev: int, store_rev: int) -> str:
    who = desk.store.value(
        "SELECT e.actor FROM row_history h JOIN events e ON e.event = h.event "
        "WHERE h.table_name = :t AND h.row_key = :k AND h.rev = :r",
        t=name,
        k=key,
        r=store_rev,
    )
    return f"{key} was changed by {who or 'somebody'} meanwhile (revision {rev} here, {store_rev} in the store)"


def _typed_over(
    desk: Desk, name: str, sheet: Any, typed: pd.DataFrame, stored: pd.DataFrame, at: dict[str, int]
) -> list[Problem]:
    """Computed cells that no longer hold what Refresh put there; only told where nothing has moved on in the store."""
    if str(desk.book.get("ChainHead") or "") != chain_head(desk):
        return []
    found = []
    declared = TABLE[name]
    names = [n for n in declared.names("computed", "given") if n not in declared.key and n != "rev" and n in typed]
    for row, key in enumerate(sheet.keys):
        place_row = at.get(key)
        if place_row is None:
            continue
        for column in names:
            if as_text(typed[column].iloc[row]) != as_text(stored[column].iloc[place_row]):
                fact = f"{declared.columns[column].title} is computed and was typed over"
                found.append(TYPED_OVER.at(sheet.place(row, column), fact))
    return found


def chain_head(desk: Desk) -> str:
    """The latest event and the start of its seal: what the Start sheet shows and the close packet prints whole."""
    found = desk.store.query("SELECT event, seal FROM events ORDER BY event DESC LIMIT 1")
    return f"{found['event'].iloc[0]} {found['seal'].iloc[0][:16]}" if len(found) else ""


def place_of(table: str, key: str, column: str = "") -> Place:
    return Place(table=table, key=key, column=column)
