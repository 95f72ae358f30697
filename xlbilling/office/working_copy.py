"""Working copies: what staff changed on a sheet since it was filled, told apart from what changed in the store."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.money import dollars
from xlbilling.office.desk import Desk
from xlbilling.office.views import IN_CYCLE, view
from xlbilling.problems import Place, Problem, declare
from xlbilling.records import TABLE, Column, Table
from xlbilling.workbook.cells import refused_rows, take
from xlbilling.workbook.port import SheetTable, row_keys

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
    sheet: SheetTable | None = None  # None where the rows come from elsewhere than a sheet

    def place(self, row: int, column: str) -> Place:
        """The cell of a new or changed row, by its label in the frame; the table alone where there is no sheet."""
        return self.sheet.place(row, column) if self.sheet else Place(table=self.table, column=column)

    @classmethod
    def adding(cls, table: str, rows: pd.DataFrame) -> Changes:
        """Nothing but new rows."""
        return cls(table, rows, rows.iloc[:0], rows.iloc[:0].assign(rev=0))

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
                column = declared.columns[name]
                if shown(column, old[name]) != shown(column, row[name]):
                    before, after = (shown(column, value) or "(blank)" for value in (old[name], row[name]))
                    lines.append(f"{sheet} {key}, {column.title}: {before} -> {after}")
        return lines


def changes(desk: Desk, name: str) -> Changes:
    """Compare one sheet with the store, row by row and cell by cell of the columns staff may type in.

    The sheet is compared with the cycle and period it shows, whatever was typed on Start since.
    """
    desk, declared = desk.as_shown(), TABLE[name]
    sheet = desk.book.read(name)
    typed, problems = take(declared, sheet)
    stored = _with_moved(desk, name, view(desk, name), sheet.keys)
    place = _Placed(sheet.keys, row_keys(declared, stored))
    refused = np.zeros(len(typed), dtype=bool)
    refused[list(refused_rows([p for p in problems if p.severity == "block"], sheet))] = True
    rev = typed["rev"].fillna(0).to_numpy(dtype=np.int64) if "rev" in typed else np.zeros(len(typed), dtype=np.int64)
    there, ok = place.at >= 0, ~refused & ~place.twice
    for rows, kind, fact in (
        (~refused & place.twice, KEY_TWICE, "is on the sheet twice"),
        (ok & ~place.blank & ~there & (rev > 0), ROW_GONE, "is not in the store"),
        (ok & there & (rev == 0), KEY_TAKEN, "is in the store already"),
    ):
        problems += [
            kind.at(sheet.place(int(n), declared.key[0]), f"{sheet.keys[n]} {fact}") for n in np.flatnonzero(rows)
        ]
    differ = np.flatnonzero(ok & there & (rev > 0))
    differ = differ[_differ(declared, typed, differ, stored, place.at[differ], declared.names("typed"))]
    store_rev = stored["rev"].to_numpy(dtype=np.int64)[place.at[differ]] if len(differ) else rev[:0]
    stale = rev[differ] != store_rev
    conflicts = []
    for row, now in zip(differ[stale].tolist(), store_rev[stale].tolist(), strict=True):
        if _moved(declared, typed.iloc[row], _earlier(desk, name, sheet.keys[row], int(rev[row]))):
            fact = _conflict(desk, name, sheet.keys[row], int(rev[row]), now)
            conflicts.append(CHANGED_MEANWHILE.at(sheet.place(row, declared.key[0]), fact))
    changed = differ[~stale]
    # Without a Rev a row is new; its own key may still be blank where the store gives it (receipts, corrections).
    new = np.flatnonzero(ok & (place.blank | ~there) & (rev == 0))
    over = _typed_over(desk, name, sheet, typed, stored, place.at)
    before = stored.iloc[place.at[changed]]
    return Changes(name, typed.iloc[new], typed.iloc[changed], before, conflicts, problems, over, sheet)


def _with_moved(desk: Desk, name: str, stored: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """The view, and rows of the sheet that have left it since: put on another cycle, or findings that no longer hold."""
    if name not in IN_CYCLE and name not in ("exceptions", "rejects"):
        return stored
    away = set(filter(None, keys)) - set(row_keys(TABLE[name], stored))
    if not away:
        return stored
    whole = desk.store.table(
        name, **({"where": "cycle = :c AND period = :p", **desk.chosen} if name == "exceptions" else {})
    )
    moved = whole.loc[[key in away for key in row_keys(TABLE[name], whole)]].reindex(columns=stored.columns)
    return (
        pd.concat(
            [stored, moved.astype(stored.dtypes.loc[stored.columns.intersection(whole.columns)])], ignore_index=True
        )
        if len(moved)
        else stored
    )


class _Placed:
    """Where each sheet row's key stands in the store (-1: nowhere), and which keys are blank or there twice."""

    def __init__(self, keys: list[str], stored: list[str]):
        index = pd.Index(keys, dtype=object)
        self.blank = np.asarray(index == "", dtype=bool)
        self.twice = index.duplicated() & ~self.blank
        self.at = pd.Index(stored, dtype=object).get_indexer(index) if len(keys) else np.zeros(0, dtype=np.int64)


def _differ(
    declared: Table,
    sheet: pd.DataFrame,
    rows: npt.NDArray[np.int64],
    stored: pd.DataFrame,
    at: npt.NDArray[np.int64],
    columns: list[str],
) -> npt.NDArray[np.bool_]:
    """True for each pair of rows that differs in one of the columns."""
    found = np.zeros(len(rows), dtype=bool)
    for name in columns:
        kind = declared.columns[name].kind
        found |= _comparable(sheet[name], kind)[rows] != _comparable(stored[name], kind)[at]
    return found


def _comparable(values: pd.Series[Any], kind: str) -> npt.NDArray[Any]:
    """A column in a form whose equality is the office's: days, whole numbers, plain decimals, text."""
    if values.dtype.kind == "M":
        return values.to_numpy().astype("datetime64[D]").astype(np.int64)
    if values.dtype.kind in "iu":
        return values.fillna(_NO_NUMBER).to_numpy(dtype=np.int64)
    texts = values.astype(object).fillna("").to_numpy(dtype=object)
    if kind != "rate":
        return texts
    at, known = pd.factorize(texts)
    return np.array([plain_rate(text) for text in known], dtype=object)[at] if len(known) else texts


_NO_NUMBER: Final = np.iinfo(np.int64).min


def plain_rate(text: str) -> str:
    """A decimal without needless zeros, so that 40.00 and 40 are the same rate."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def shown(column: Column, value: Any) -> str:
    """A store value as the clerk sees it in a preview."""
    text = as_text(value)
    if column.kind == "money" and text:
        return dollars(int(text))
    return plain_rate(text) if column.kind == "rate" else text


def as_text(value: Any) -> str:
    """A store value as text, blank for none; the form in which old and new are compared and kept in the history."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def content(row: Any, columns: list[str]) -> str:
    """A row as the history keeps it."""
    return json.dumps({name: as_text(row[name]) for name in columns})


def history_name(desk: Desk, name: str) -> str:
    """The table name a row's history is kept under: rows of a run or of a period have a history of their own each."""
    own = {"exceptions": f" {desk.cycle} {desk.period}", "close": f" {desk.period}"}
    return name + own.get(name, "")


def _earlier(desk: Desk, name: str, key: str, rev: int) -> dict[str, str] | None:
    """A row as it was at an earlier revision, from the history."""
    text = desk.store.value(
        "SELECT content FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r",
        t=history_name(desk, name),
        k=key,
        r=rev,
    )
    return json.loads(text) if text else None


def _moved(declared: Table, row: pd.Series[Any], base: dict[str, str] | None) -> bool:
    """True where the clerk typed on a row that has since moved on; a row that is merely stale is no conflict."""
    if base is None:
        return True

    def same(name: str) -> bool:
        new, old = as_text(row[name]), base.get(name, "")
        return plain_rate(new) == plain_rate(old) if declared.columns[name].kind == "rate" else new == old

    return not all(same(name) for name in declared.names("typed"))


def _conflict(desk: Desk, name: str, key: str, rev: int, store_rev: int) -> str:
    who = desk.store.value(
        "SELECT e.actor FROM row_history h JOIN events e ON e.event = h.event "
        "WHERE h.table_name = :t AND h.row_key = :k AND h.rev = :r",
        t=history_name(desk, name),
        k=key,
        r=store_rev,
    )
    return f"{key} was changed by {who or 'somebody'} meanwhile (revision {rev} here, {store_rev} in the store)"


def _typed_over(
    desk: Desk, name: str, sheet: SheetTable, typed: pd.DataFrame, stored: pd.DataFrame, at: npt.NDArray[np.int64]
) -> list[Problem]:
    """Computed cells that no longer hold what Refresh put there; only told where nothing has moved on in the store."""
    # The checklist looks at everything, so it moves on without being filled again: nobody typed there.
    if name == "close" or desk.seen()[0] != last_event(desk):
        return []
    declared, rows = TABLE[name], np.flatnonzero(at >= 0)
    found = []
    for column in declared.names("computed", "given"):
        if column in declared.key or column == "rev" or column not in typed:
            continue
        over = rows[_differ(declared, typed, rows, stored, at[rows], [column])]
        fact = f"{declared.columns[column].title} is computed and was typed over"
        found += [TYPED_OVER.at(sheet.place(int(row), column), fact) for row in over]
    return found


def last_event(desk: Desk) -> int:
    return int(desk.store.value("SELECT MAX(event) FROM events") or 0)


def chain_head(desk: Desk) -> str:
    """The latest event and the start of its seal: what the Start sheet shows and the close packet prints whole."""
    found = desk.store.query("SELECT event, seal FROM events ORDER BY event DESC LIMIT 1")
    return f"{found['event'].iloc[0]} {found['seal'].iloc[0][:16]}" if len(found) else ""
