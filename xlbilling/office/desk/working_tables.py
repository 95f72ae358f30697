"""Working tables: rows that staff type, kept with every revision; what surfaces of such tables have in common."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.history import (
    TAKEN_OUT,
    at_revision,
    content,
    keep_change,
    keep_revision,
    keep_rows,
    taken_out,
)
from xlbilling.office.desk.surface import Surface
from xlbilling.office.desk.undo import Step, overtaken, takes_back
from xlbilling.store import Work
from xlbilling.store.schema import stored_columns
from xlbilling.words.problems import Problem, Refusal, declare
from xlbilling.words.records import TABLE, Table
from xlbilling.workbook.port import row_keys

NO_EARLIER: Final = declare(
    "no_earlier_row", "A row has no earlier revision to go back to.", "Type the old values and press Save."
)
CANNOT_BE: Final = declare(
    "cannot_be", "A row holds something that cannot be so.", "Correct the marked cell and press Save again."
)
NOT_LISTED: Final = declare(
    "not_listed",
    "A row names an account, a service or a cycle that is on no sheet.",
    "Correct it, or add the row it names and press Save again.",
)


class WorkingTable(Surface):
    """A table whose rows are what staff typed; of the cycle on Start where `in_cycle` says which rows those are."""

    in_cycle = ""  # SQL over the table with :cycle

    def stored(self, desk: Desk) -> pd.DataFrame:
        return desk.store.table(self.name, self.in_cycle, **({"cycle": desk.cycle} if self.in_cycle else {}))

    def rows(self, desk: Desk) -> pd.DataFrame:
        return self.stored(desk)

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of another cycle by now."""
        if not self.in_cycle:
            return super().away(desk, keys)
        wanted, whole = set(keys), desk.store.table(self.name)
        return whole.loc[[key in wanted for key in row_keys(self.declared, whole)]]

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows that Undo last took out again, from the history."""
        gone = taken_out(desk.store, self.name)
        gone = gone.loc[gone["row_key"].isin(keys)]
        kept = [
            {
                name: stored(self.declared.columns[name].kind, text)
                for name, text in json.loads(str(row.content)).items()
            }
            | {"actor": row.actor}
            for row in gone.itertuples()
        ]
        blank = self.stored(desk).iloc[:0].assign(actor="")
        if not kept:
            return blank
        rows = pd.DataFrame(kept, columns=blank.columns)
        days = [name for name in rows if name in self.declared.columns and self.declared.columns[name].kind == "date"]
        return rows.assign(**{name: pd.to_datetime(rows[name]).astype("datetime64[s]") for name in days})

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        return write_rows(work, change, desk)


def write_rows(work: Work, change: Changes, desk: Desk | None = None) -> list[Step]:
    """Insert new rows and update changed ones of a working table, each with its next revision and its history.

    A row that is no longer at the revision it was compared at is a conflict, told at the desk.
    """
    name, new, changed = change.table, change.new, change.changed
    columns, declared = stored_columns(name), TABLE[name]
    event = work.event(f"{declared.sheet.name}: {len(new)} new rows, {len(changed)} changed")
    added, kept = row_keys(declared, new), row_keys(declared, changed)
    first = _first_revisions(work, name, added)
    made = new.reindex(columns=columns).assign(rev=first)
    work.insert(name, made)
    keep_rows(work, name, made, event)
    revs = dict(zip(added, first, strict=True))
    for key, (label, row, old) in zip(kept, change.pairs(), strict=True):
        values = {column: bound(row[column]) for column in columns if column not in (*declared.key, "rev")}
        if not work.update(name, _key(declared, row), int(old["rev"]), values):
            raise changed_meanwhile(desk, change, label, key)
        revs[key] = int(old["rev"]) + 1
        keep_change(work, name, key, event, old, {**row, "rev": revs[key]}, columns)
    return [{"kind": "rows", "table": name, "added": added, "changed": kept, "revs": revs}]


def _first_revisions(work: Work, name: str, keys: Sequence[str]) -> list[int]:
    """The revision new rows begin with: 1, or one past what a row of that key had before it was taken out again."""
    gone = taken_out(work, name)
    last = {key: int(rev) + 1 for key, rev in zip(gone["row_key"].tolist(), gone["rev"].tolist(), strict=True)}
    return [last.get(key, 0) + 1 for key in keys]


@takes_back("rows")
def restore_rows(work: Work, step: Step) -> None:
    """Take added rows out again and give changed rows their earlier content, as a new revision."""
    name, revs = step["table"], step["revs"]
    declared, columns = TABLE[name], stored_columns(step["table"])
    added, changed = step["added"], step["changed"]
    event = work.event(f"{declared.sheet.name}: {len(added)} rows taken out again, {len(changed)} put back")
    whole = work.table(name)
    at = {key: n for n, key in enumerate(row_keys(declared, whole))}
    for key in (*added, *changed):
        now = json.loads(content(whole.iloc[at[key]], columns)) if key in at else {}
        if now | {"rev": ""} != _kept(work, name, key, revs[key]) | {"rev": ""}:
            raise overtaken(name, key, f"{declared.sheet.name} {key} was changed since")
    where = " AND ".join(f"{k} = :{k}" for k in declared.key)
    for key in added:
        row = whole.iloc[at[key]]
        work.execute(f"DELETE FROM {name} WHERE {where}", **_key(declared, row))  # noqa: S608
        keep_revision(work, name, key, int(row["rev"]) + 1, event, TAKEN_OUT)
    for key in changed:
        rev = int(whole["rev"].iloc[at[key]])
        old = _kept(work, name, key, revs[key] - 1) | {"rev": str(rev + 1)}
        values = {c: stored(declared.columns[c].kind, text) for c, text in old.items() if c not in declared.key}
        work.update(name, _key(declared, whole.iloc[at[key]]), rev, values)
        keep_revision(work, name, key, rev + 1, event, json.dumps(old))


def _kept(work: Work, name: str, key: str, rev: int) -> dict[str, str]:
    """A row as the history has it at a revision."""
    earlier = at_revision(work, name, key, rev)
    if earlier is None:
        raise Refusal(NO_EARLIER.at(None, f"{TABLE[name].sheet.name} {key} has no revision {rev}"))
    return dict.fromkeys(stored_columns(name), "") | earlier  # a column that came with a later version was blank then


def _key(declared: Table, row: Mapping[Any, Any] | pd.Series[Any]) -> dict[str, Any]:
    """A row's key as the database has it: what is blank of it, such as a first day that is always, as "" ."""
    key = {name: bound(row[name]) for name in declared.key}
    return {name: "" if value is None else value for name, value in key.items()}


def bound(value: Any) -> Any:
    """A value as the database takes it: days as ISO text, numbers as they are, none as NULL."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}"
    return value if isinstance(value, str) else int(value)


def stored(kind: str, text: str) -> Any:
    """A value of the history as the store keeps it."""
    if kind in ("money", "quantity", "whole"):
        return int(text) if text else None
    return None if kind == "date" and not text else text


def unlisted(desk: Desk, change: Changes, column: str, of: str, others: Mapping[str, Changes]) -> list[Problem]:
    """Rows that name something neither in the store nor in the same Save."""
    rows = change.rows()
    known = set(others[of].new[column]) if of in others else set()
    for value in sorted({row[column] for _, row in rows} - known):
        if desk.store.value(f"SELECT 1 FROM {of} WHERE {column} = :v", v=value) is not None:  # noqa: S608
            known.add(value)
    sheet = TABLE[of].sheet.name
    return [
        NOT_LISTED.at(change.place(label, column), f"{row[column]} is not on sheet {sheet}")
        for label, row in rows
        if row[column] not in known
    ]
