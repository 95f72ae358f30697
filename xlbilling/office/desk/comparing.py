"""Comparing a sheet with the store: what was typed, what somebody else changed meanwhile, and what both did.

A row is compared with the row in the store, and where that has moved on with the row as it was when the sheet was
filled: a column that only one of both changed is merged, one that both changed is a conflict. Only stored rows are read
for it; nothing is drawn and nothing is worked out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.desk.changes import CHANGED_MEANWHILE, Changes, moved_on, plain_rate, shown
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.filling import untouched
from xlbilling.office.desk.history import as_text, at_revision, content, last_change
from xlbilling.office.desk.surface import SURFACES, view
from xlbilling.words.problems import Problem, declare
from xlbilling.workbook.cells import refused_rows, take
from xlbilling.workbook.port import SheetTable, TypedRow, row_keys

TAKEN_BACK: Final = declare(
    "taken_back_meanwhile",
    "You typed on a row that somebody took back since this sheet was filled.",
    "Delete the row on this sheet. If it is wanted after all, bring it in anew.",
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
    "Put the key back, or blank Rev to add a new row; or delete the row.",
)
TYPED_OVER: Final = declare(
    "typed_over", "A computed cell was typed over.", "Press Save or Refresh to get the computed value back.", "review"
)


def changes(desk: Desk, name: str) -> Changes:
    """Compare one sheet with the store, row by row and cell by cell of the columns staff may type in.

    The sheet is compared with the cycle and period it shows, whatever was typed on Start since.
    """
    desk = desk.as_shown()
    sheet = desk.book.read(name)
    if untouched(desk, sheet):
        return Changes.none(sheet)
    return _Comparison(desk, sheet).changes()


class _Comparison:
    """One sheet beside the store: each row of the sheet with its row of the store, as it is and as it was filled."""

    def __init__(self, desk: Desk, sheet: SheetTable):
        self.desk, self.sheet, self.surface = desk, sheet, SURFACES[sheet.table.name]
        self.declared, self.columns = self.surface.declared, self.surface.declared.names("typed")
        self.typed, self.problems = take(self.declared, self.sheet)
        self.stored = self._stored()
        self.place = _Placed(self.sheet.keys, row_keys(self.declared, self.stored))
        self.gone = self._gone()
        self.conflicts: list[Problem] = []
        self.torn: list[TypedRow] = []  # typing in conflict: it stays while the rest of its row is brought up to date

    def changes(self) -> Changes:
        typed, place = self.typed, self.place
        refused = np.zeros(len(typed), dtype=bool)
        refused[list(refused_rows([p for p in self.problems if p.severity == "block"], self.sheet))] = True
        rev, there, ok = self.rev, place.at >= 0, ~refused & ~place.twice
        missing = ok & ~place.blank & ~there & (rev > 0)
        left, typed_on_gone = self._left(np.flatnonzero(missing))
        missing[left + typed_on_gone] = False
        taken_in = self._taken_in(ok & (rev == 0))
        again = np.isin(np.arange(len(typed)), list(taken_in))
        for rows, kind, fact in (
            (~refused & place.twice, KEY_TWICE, "is on the sheet twice"),
            (missing, ROW_GONE, "is not in the store"),
            (ok & there & (rev == 0) & ~again, KEY_TAKEN, "is in the store already"),
        ):
            self.problems += [
                kind.at(self.sheet.place(int(n), self.declared.key[0]), f"{self.sheet.keys[n]} {fact}")
                for n in np.flatnonzero(rows)
            ]
        differ = np.flatnonzero(ok & there & (rev > 0))
        mask = self._differing(differ)
        differ, mask = differ[mask.any(axis=1)], mask[mask.any(axis=1)]
        stale = rev[differ] != self.store_rev(differ)
        changed, merged = differ[~stale].tolist(), mask[~stale].tolist()
        for row, cells in zip(differ[stale].tolist(), mask[stale], strict=True):
            mine = self._merged(row, cells)
            if any(mine):
                changed.append(row)
                merged.append(mine)
        # Without a Rev a row is new; its own key may still be blank where the store gives it (receipts, corrections).
        new = np.flatnonzero(ok & (place.blank | ~there) & (rev == 0) & ~again).tolist()
        before = self.stored.iloc[place.at[changed]]
        rows = self._laid_over(changed, merged, before)
        found = Changes(
            self.surface.name,
            typed.iloc[new],
            rows,
            before,
            self.conflicts,
            self.problems,
            self._typed_over(),
            self.sheet,
        )
        found.left = [self.sheet.keys[n] for n in left]
        found.there = list(taken_in.values())
        found.emptied = (
            self._emptied(
                there, {n for n, typed in zip(self.columns, zip(*merged, strict=True), strict=True) if any(typed)}
            )
            if changed
            else []
        )
        found.typing = [
            *self._cells_of(changed, merged),
            *self._whole_rows(new),
            *self._whole_rows(typed_on_gone, "rev"),
        ]
        unclear = refused | place.twice | missing | (ok & there & (rev == 0) & ~again)
        found.typing += [*self._unclear(unclear), *self.torn]
        return found

    # ------------------------------------------------------------------------------------------------ the store's side

    def _stored(self) -> pd.DataFrame:
        """The sheet's rows in the store, and rows of the sheet that have left it since for another one."""
        stored = self.surface.stored(self.desk)
        absent = set(filter(None, self.sheet.keys)) - set(row_keys(self.declared, stored))
        away = self.surface.away(self.desk, sorted(absent)) if absent else stored.iloc[:0]
        if not len(away):
            return stored
        away = away.reindex(columns=stored.columns)
        kinds = {name: kind for name, kind in stored.dtypes.items() if name in away.columns}
        return pd.concat([stored, away.astype(kinds)], ignore_index=True)

    def _gone(self) -> pd.DataFrame:
        """Rows of the sheet that somebody took back since, by key."""
        absent = [key for key, at in zip(self.sheet.keys, self.place.at, strict=True) if key and at < 0]
        blank = self.stored.iloc[:0].assign(actor="")
        gone = self.surface.withdrawn(self.desk, sorted(set(absent))) if absent else blank
        return gone.set_axis(row_keys(self.declared, gone), axis=0)

    @property
    def rev(self) -> npt.NDArray[np.int64]:
        if "rev" not in self.typed:
            return np.zeros(len(self.typed), dtype=np.int64)
        return self.typed["rev"].fillna(0).to_numpy(dtype=np.int64)

    def store_rev(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        return self.stored["rev"].to_numpy(dtype=np.int64)[self.place.at[rows]] if len(rows) else self.rev[:0]

    # ------------------------------------------------------------------------------------------------ row by row

    def _differing(self, rows: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        """Which typed columns of these rows are not as the store has them; a row a sheet row, a column a typed column."""
        mask = np.zeros((len(rows), len(self.columns)), dtype=bool)
        at = self.place.at[rows]
        for n, name in enumerate(self.columns):
            kind = self.declared.columns[name].kind
            mask[:, n] = _comparable(self.typed[name], kind)[rows] != _comparable(self.stored[name], kind)[at]
        return mask

    def _merged(self, row: int, differs: npt.NDArray[np.bool_]) -> list[bool]:
        """Which columns of a stale row the clerk typed and nobody else did; those both changed become conflicts."""
        key, now = self.sheet.keys[row], self.stored.iloc[self.place.at[row]]
        base = at_revision(self.desk.store, self.surface.history(self.desk), key, int(self.rev[row]))
        typed_on, contested = [], []
        for name, other in zip(self.columns, differs.tolist(), strict=True):
            kind = self.declared.columns[name].kind
            mine = other and (base is None or not _same(kind, self.typed[name].iloc[row], base.get(name, "")))
            typed_on.append(mine)
            contested.append(mine and (base is None or not _same(kind, now[name], base.get(name, ""))))
        if not any(contested):
            return typed_on
        self.conflicts += [self._conflict(row, n, now) for n, both in zip(self.columns, contested, strict=True) if both]
        self.torn += self._cells_of([row], [typed_on])
        return [False] * len(self.columns)

    def _conflict(self, row: int, name: str, now: pd.Series[Any]) -> Problem:
        who, when = last_change(self.desk.store, self.surface.history(self.desk), self.sheet.keys[row])
        column = self.declared.columns[name]
        theirs, mine = shown(column, now[name]) or "(blank)", shown(column, self.typed[name].iloc[row]) or "(blank)"
        at = f" at {when}" if when else ""
        fact = (
            f"{self.sheet.keys[row]}, {column.title}: {who or 'somebody'} changed it to {theirs}{at}; you typed {mine}"
        )
        return CHANGED_MEANWHILE.at(self.sheet.place(row, name), fact)

    def _left(self, rows: npt.NDArray[np.intp]) -> tuple[list[int], list[int]]:
        """Of rows the store no longer has: those as they were filled (no typing), and those typed on (conflicts)."""
        left, typed_on = [], []
        for row in rows.tolist():
            key = self.sheet.keys[row]
            if key not in self.gone.index:
                continue
            last = self.gone.loc[key]
            differs = [
                name
                for name in self.columns
                if not _same(self.declared.columns[name].kind, self.typed[name].iloc[row], as_text(last[name]))
            ]
            if not differs:
                left.append(row)
                continue
            typed_on.append(row)
            fact = f"{key} was taken back by {last['actor'] or 'somebody'}"
            self.conflicts.append(TAKEN_BACK.at(self.sheet.place(row, differs[0]), fact))
        return left, typed_on

    def _taken_in(self, without_rev: npt.NDArray[np.bool_]) -> dict[int, str]:
        """Of rows without a Rev those that are in the store as they stand here, by the key they have there.

        A press that was stopped after it had written the store and before it wrote the sheet leaves such rows. One whose
        key the store gives was taken in by the same person since the sheet was filled, and its key is not on the sheet.
        """
        keyed = np.flatnonzero(without_rev & (self.place.at >= 0))
        same = keyed[~self._differing(keyed).any(axis=1)].tolist() if len(keyed) else []
        taken = {row: self.sheet.keys[row] for row in same}
        unkeyed = np.flatnonzero(without_rev & self.place.blank).tolist()
        waiting = self._keys_given_since() if unkeyed else {}
        for row in unkeyed:
            keys = waiting.get(content(self.typed.iloc[row], self.columns), [])
            if keys:
                taken[row] = keys.pop(0)
        return taken

    def _keys_given_since(self) -> dict[str, list[str]]:
        """Keys the store gave to rows of this person since the sheet was filled, by the row's content as it was typed."""
        given = self.desk.store.query(
            "row_key content",
            "SELECT h.row_key, h.content FROM row_history h JOIN events e ON e.event = h.event "
            "WHERE h.table_name = :t AND h.rev = 1 AND h.event > :seen AND e.actor = :a ORDER BY h.row_key",
            t=self.surface.history(self.desk),
            seen=self.desk.seen()[0],
            a=self.desk.actor,
        )
        given = given.loc[~given["row_key"].isin(self.sheet.keys)]
        away = self.surface.away(self.desk, given["row_key"].tolist())
        standing = {*row_keys(self.declared, self.stored), *row_keys(self.declared, away)}
        made: dict[str, list[str]] = {}
        for key, kept in zip(given["row_key"], given["content"], strict=True):
            if key in standing:
                made.setdefault(kept, []).append(key)
        return made

    def _laid_over(self, rows: list[int], masks: list[Any], before: pd.DataFrame) -> pd.DataFrame:
        """The store's rows with the typed columns laid over, labelled as on the sheet."""
        laid = before.set_axis(rows, axis=0)
        if not rows:
            return laid
        typed, mask = self.typed.iloc[rows], np.array(masks, dtype=bool).reshape(len(rows), len(self.columns))
        over = {}
        for n, name in enumerate(self.columns):
            column = laid[name].where(~mask[:, n], typed[name])
            over[name] = column.astype(typed[name].dtype) if typed[name].dtype.kind in "iuM" else column
        return laid.assign(**over)

    def _emptied(self, there: npt.NDArray[np.bool_], typed_in: set[str]) -> list[str]:
        """Columns that are blank in every row and have values in the store: a column deleted and put back looks so."""
        at = self.place.at[there]
        return [
            name
            for name in self.columns
            if name in typed_in
            and self.typed[name].map(as_text).eq("").all()
            and (self.stored[name].iloc[at].map(as_text) != "").sum() >= _A_WHOLE_COLUMN
        ]

    # ------------------------------------------------------------------------------------------------ typing to keep

    def _cells_of(self, rows: Sequence[int], masks: Sequence[Any]) -> list[TypedRow]:
        """Typed cells of rows that are in the store."""
        made = []
        for row, mask in zip(rows, masks, strict=True):
            names = [name for name, mine in zip(self.columns, mask, strict=True) if mine]
            made.append(TypedRow(self.sheet.keys[row], {n: self.sheet.frame[n].iloc[row] for n in names}))
        return made

    def _whole_rows(self, rows: Sequence[int], *further: str) -> list[TypedRow]:
        """Rows that are not in the store, with their key and every typed cell."""
        names = [*dict.fromkeys([*self.declared.key, *self.columns, *further])]
        names = [name for name in names if name in self.sheet.frame.columns]
        return [TypedRow("", {name: self.sheet.frame[name].iloc[row] for name in names}) for row in rows]

    def _unclear(self, rows: npt.NDArray[np.bool_]) -> list[TypedRow]:
        """Rows that cannot be taken as they are: every typed cell that does not read as the store's."""
        made: list[TypedRow] = []
        for row in np.flatnonzero(rows).tolist():
            at = int(self.place.at[row])
            if at < 0 or self.place.twice[row]:
                made += self._whole_rows([row])
                continue
            now = self.stored.iloc[at]
            refused = {p.place.column for p in self.problems if p.place.key == self.sheet.keys[row]}
            mask = [
                name in self.sheet.frame.columns
                and (
                    name in refused
                    or not _same(self.declared.columns[name].kind, self.typed[name].iloc[row], as_text(now[name]))
                )
                for name in self.columns
            ]
            made += self._cells_of([row], [mask])
        return made

    def _typed_over(self) -> list[Problem]:
        """Computed cells that no longer hold what the sheet was filled with; only told where nothing has moved on since.

        What is worked out is worked out again for it, which only a sheet that somebody typed on comes to.
        """
        if moved_on(self.desk):
            return []
        names = [n for n in self.declared.names("computed", "given") if n in self.typed and n not in self.declared.key]
        problems: list[Problem] = []
        kept = [name for name in names if name in self.stored and name != "rev"]
        worked_out = [name for name in names if name not in self.stored]
        sides = [(self.stored, kept)] + ([(view(self.desk, self.surface.name), worked_out)] if worked_out else [])
        for filled, columns in sides:
            places = _Placed(self.sheet.keys, row_keys(self.declared, filled)).at
            rows = np.flatnonzero(places >= 0)
            for column in columns:
                kind = self.declared.columns[column].kind
                typed, was = (
                    _comparable(self.typed[column], kind)[rows],
                    _comparable(filled[column], kind)[places[rows]],
                )
                fact = f"{self.declared.columns[column].title} is computed and was typed over"
                problems += [TYPED_OVER.at(self.sheet.place(int(row), column), fact) for row in rows[typed != was]]
        return problems


_A_WHOLE_COLUMN: Final = 2  # blanking the only value there is, is typing


class _Placed:
    """Where each sheet row's key stands in the store (-1: nowhere), and which keys are blank or there twice."""

    def __init__(self, keys: list[str], stored: list[str]):
        index = pd.Index(keys, dtype=object)
        self.blank = np.asarray(index == "", dtype=bool)
        self.twice = index.duplicated() & ~self.blank
        self.at = pd.Index(stored, dtype=object).get_indexer(index) if len(keys) else np.zeros(0, dtype=np.int64)


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


def _same(kind: str, value: Any, text: str) -> bool:
    """Whether a value is the one the history keeps as text."""
    now = as_text(value)
    return plain_rate(now) == plain_rate(text) if kind == "rate" else now == text
