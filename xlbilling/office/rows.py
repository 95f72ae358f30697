"""Rows: typed changes written to the store with their history, and taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import pandas as pd

from xlbilling.office.desk import Desk
from xlbilling.office.working_copy import Changes, as_text, content
from xlbilling.problems import Conflict, Refusal, declare
from xlbilling.records import TABLE
from xlbilling.store import Work
from xlbilling.store.schema import stored_columns
from xlbilling.workbook.port import row_keys

Step: TypeAlias = dict[str, Any]  # one step of taking an action back: rows to restore, or statements to run
Saver: TypeAlias = Callable[[Desk, Work, Changes], list[Step]]
TakeBack: TypeAlias = Callable[[Work, Step], None]

NO_EARLIER: Final = declare(
    "no_earlier_row", "A row has no earlier revision to go back to.", "Type the old values and press Save."
)
OVERTAKEN: Final = declare(
    "undo_overtaken",
    "What the button wrote was changed since, so taking it back would undo somebody's later work.",
    "Type the old values and press Save.",
)
SAVES: Final[dict[str, Saver]] = {}
TAKES_BACK: Final[dict[str, TakeBack]] = {}
_KEEP_ONCE: Final = (
    "INSERT INTO row_history (table_name, row_key, rev, event, content) SELECT :t, :k, CAST(:r AS BIGINT), CAST(:e AS BIGINT), :c "
    "WHERE NOT EXISTS (SELECT 1 FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r)"
)


def saves(name: str) -> Callable[[Saver], Saver]:
    """Declare the decorated function as what writes a sheet whose rows are documents or decisions."""

    def declare_saver(saver: Saver) -> Saver:
        SAVES[name] = saver
        return saver

    return declare_saver


def takes_back(name: str) -> Callable[[TakeBack], TakeBack]:
    """Declare the decorated function as what takes back a step that carries `name`."""

    def declare_it(take_back: TakeBack) -> TakeBack:
        TAKES_BACK[name] = take_back
        return take_back

    return declare_it


def keep_undo(work: Work, button_label: str, inverse: Sequence[dict[str, Any]], detail: str) -> None:
    """Note what was done, and how to take it back."""
    event = work.event(detail)
    number = (work.value("SELECT MAX(undo_id) FROM undo") or 0) + 1
    work.insert_one(
        "undo",
        undo_id=number,
        event=event,
        actor=work.actor,
        action=button_label,
        inverse=json.dumps(list(inverse)),
        state="ready",
    )


def past_undo(work: Work) -> None:
    """After a posting nothing before it can be taken back."""
    work.execute(
        "UPDATE undo SET inverse = '[]', state = CASE state WHEN 'ready' THEN 'past' ELSE state END WHERE inverse <> '[]'"
    )


def write_rows(work: Work, changes: Changes) -> list[Step]:
    """Insert new rows and update changed ones of a working table, each with its next revision and its history."""
    name, new, changed = changes.table, changes.new, changes.changed
    columns = stored_columns(name)
    declared = TABLE[name]
    event = work.event(f"{declared.sheet.name}: {len(new)} new rows, {len(changed)} changed")
    added, kept = row_keys(declared, new), row_keys(declared, changed)
    revs = [*_first_revisions(work, name, added), *(int(rev) + 1 for rev in changes.before["rev"])]
    made = new.reindex(columns=columns).assign(rev=revs[: len(new)])
    work.insert(name, made)
    _history(work, name, made, event)
    if kept:
        updated = changed.reindex(columns=columns).assign(rev=revs[len(new) :])
        where = " AND ".join(f"{k} = :{k}" for k in declared.key)
        sets = ", ".join(f'"{c}" = :{c}' for c in columns if c not in declared.key)
        for row in updated.to_dict("records"):
            work.execute(f"UPDATE {name} SET {sets} WHERE {where}", **{c: _bound(row[c]) for c in columns})  # noqa: S608
        for key, old in zip(kept, changes.before.to_dict("records"), strict=True):
            keep_revision(work, name, key, int(old["rev"]), event, content(old, columns))
        _history(work, name, updated, event)
    return [{"rows": name, "added": added, "changed": kept, "revs": dict(zip(added + kept, revs, strict=True))}]


def _first_revisions(work: Work, name: str, keys: list[str]) -> list[int]:
    """The revision new rows begin with: 1, or one past what a row of that key had before it was taken out again."""
    gone = work.query(
        "SELECT row_key, MAX(rev) AS rev FROM row_history WHERE table_name = :t AND content = '{}' GROUP BY row_key",
        t=name,
    )
    last = dict(zip(gone["row_key"].tolist(), gone["rev"].tolist(), strict=True))
    return [int(last.get(key, 0)) + 1 for key in keys]


def keep_revision(work: Work, name: str, key: str, rev: int, event: int, kept: str) -> None:
    """Keep a row as it is at a revision, unless the history has that revision already."""
    work.execute(_KEEP_ONCE, t=name, k=key, r=rev, e=event, c=kept)


def _history(work: Work, name: str, rows: pd.DataFrame, event: int) -> None:
    columns = list(rows.columns)
    keys = row_keys(TABLE[name], rows)
    kept = [
        (name, key, int(row["rev"]), event, content(row, columns))
        for key, row in zip(keys, rows.to_dict("records"), strict=True)
    ]
    work.insert_rows("row_history", ["table_name", "row_key", "rev", "event", "content"], kept)


def _bound(value: Any) -> Any:
    """A value as the database takes it: days as ISO text, numbers as they are, none as NULL."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return None
    if isinstance(value, pd.Timestamp):
        return as_text(value)
    return value if isinstance(value, str) else int(value)


def take_back(work: Work, step: Step) -> None:
    """Take one step back; refused where somebody has since changed what it wrote."""
    for name, way in TAKES_BACK.items():
        if name in step:
            way(work, step)
    if "rows" in step:
        restore_rows(work, step["rows"], step["added"], step["changed"], step["revs"])
    for statement, values in step.get("sql", []):
        if work.execute(statement, **values) != 1 and step.get("each"):
            raise Conflict(OVERTAKEN.at(None, "a row was changed or posted since"))


def restore_rows(work: Work, name: str, added: list[str], changed: list[str], revs: dict[str, int]) -> None:
    """Take added rows out again and give changed rows their earlier content, as a new revision."""
    declared = TABLE[name]
    stored = work.table(name)
    at = {key: n for n, key in enumerate(row_keys(declared, stored))}
    event = work.event(f"{declared.sheet.name}: {len(added)} rows taken out again, {len(changed)} put back")
    where = " AND ".join(f"{k} = :{k}" for k in declared.key)
    columns = stored_columns(name)
    for key in (*added, *changed):
        now = json.loads(content(stored.iloc[at[key]], columns)) if key in at else {}
        if now | {"rev": ""} != _kept(work, name, key, revs[key]) | {"rev": ""}:
            raise Conflict(OVERTAKEN.at(None, f"{declared.sheet.name} {key} was changed since"))
    for key in added:
        row = stored.iloc[at[key]]
        work.execute(f"DELETE FROM {name} WHERE {where}", **{k: _bound(row[k]) for k in declared.key})  # noqa: S608
        _keep(work, name, key, int(row["rev"]) + 1, event, "{}")
    for key in changed:
        _restore(work, name, key, revs[key] - 1, int(stored["rev"].iloc[at[key]]) + 1, event)


def _kept(work: Work, name: str, key: str, rev: int) -> dict[str, str]:
    """A row as the history has it at a revision."""
    earlier = work.value(
        "SELECT content FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r", t=name, k=key, r=rev
    )
    if earlier is None:
        raise Refusal(NO_EARLIER.at(None, f"{TABLE[name].sheet.name} {key} has no revision {rev}"))
    return dict(json.loads(earlier))


def _restore(work: Work, name: str, key: str, earlier: int, rev: int, event: int) -> None:
    """Give one row the content it had at an earlier revision, as its next one."""
    declared = TABLE[name]
    old = _kept(work, name, key, earlier) | {"rev": str(rev)}
    values = {column: _stored(declared.columns[column].kind, text) for column, text in old.items()}
    sets = ", ".join(f'"{c}" = :{c}' for c in values if c not in declared.key)
    where = " AND ".join(f"{k} = :{k}" for k in declared.key)
    work.execute(f"UPDATE {name} SET {sets} WHERE {where}", **values)  # noqa: S608
    _keep(work, name, key, rev, event, json.dumps(old))


def _stored(kind: str, text: str) -> Any:
    """A value of the history as the store keeps it."""
    if kind in ("money", "quantity", "whole"):
        return int(text) if text else None
    return None if kind == "date" and not text else text


def _keep(work: Work, name: str, key: str, rev: int, event: int, kept: str) -> None:
    work.insert_one("row_history", table_name=name, row_key=key, rev=rev, event=event, content=kept)
