"""History: every revision of a row that people change, so that nothing is lost and a conflict can be told from a stale row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xlbilling.store import Store, Work
from xlbilling.words.records import TABLE
from xlbilling.workbook.port import row_keys

_KEEP_ONCE: Final = (
    "INSERT INTO row_history (table_name, row_key, rev, event, content) SELECT :t, :k, CAST(:r AS BIGINT), CAST(:e AS BIGINT), :c "
    "WHERE NOT EXISTS (SELECT 1 FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r)"
)
TAKEN_OUT: Final = "{}"  # the content of a row that is no longer there


def as_text(value: Any) -> str:
    """A store value as text, blank for none; the form in which old and new are compared and kept."""
    if value is None or value is pd.NaT or value is pd.NA or value != value:
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)


def content(row: Any, columns: Sequence[str]) -> str:
    """A row as the history keeps it."""
    return json.dumps({name: as_text(row[name]) for name in columns})


def keep_revision(work: Work, name: str, key: str, rev: int, event: int, kept: str) -> None:
    """Keep a row as it is at a revision, unless the history has that revision already."""
    work.execute(_KEEP_ONCE, t=name, k=key, r=rev, e=event, c=kept)


def keep_change(
    work: Work, name: str, key: str, event: int, old: Mapping[Any, Any], new: Mapping[Any, Any], columns: Sequence[str]
) -> None:
    """Keep a row as it was at its revision and as it is at the next."""
    rev = int(old["rev"])
    keep_revision(work, name, key, rev, event, content(old, columns))
    keep_revision(work, name, key, rev + 1, event, content(new, columns))


def keep_rows(work: Work, name: str, rows: pd.DataFrame, event: int) -> None:
    """Keep whole rows of a working table at the revision they carry."""
    columns = list(rows.columns)
    kept = [
        (name, key, int(row["rev"]), event, content(row, columns))
        for key, row in zip(row_keys(TABLE[name], rows), rows.to_dict("records"), strict=True)
    ]
    work.insert_rows("row_history", ["table_name", "row_key", "rev", "event", "content"], kept)


def keep_taken_out(work: Work, name: str, rows: pd.DataFrame, event: int) -> None:
    """Keep that rows were taken out, as the revision after the one they carry."""
    keys = row_keys(TABLE[name], rows)
    kept = [(name, key, int(rev) + 1, event, TAKEN_OUT) for key, rev in zip(keys, rows["rev"], strict=True)]
    work.insert_rows("row_history", ["table_name", "row_key", "rev", "event", "content"], kept)


def at_revision(store: Store | Work, name: str, key: str, rev: int) -> dict[str, str] | None:
    """A row as it was at a revision; None where the history does not have it."""
    text = store.value(
        "SELECT content FROM row_history WHERE table_name = :t AND row_key = :k AND rev = :r", t=name, k=key, r=rev
    )
    return dict(json.loads(text)) if text else None


def last_change(store: Store | Work, name: str, key: str) -> tuple[str, str]:
    """Who changed a row last, and when; blanks where the history does not say."""
    last = store.query(
        "actor at",
        "SELECT e.actor, e.at FROM row_history h JOIN events e ON e.event = h.event "
        "WHERE h.table_name = :t AND h.row_key = :k ORDER BY h.rev DESC LIMIT 1",
        t=name,
        k=key,
    )
    return (str(last["actor"].iloc[0]), str(last["at"].iloc[0])) if len(last) else ("", "")


def last_write(store: Store | Work, *names: str) -> int:
    """The last event that wrote rows of these working tables; 0 before the first."""
    tables = ", ".join(f"'{name}'" for name in names)
    return int(store.value(f"SELECT MAX(event) FROM row_history WHERE table_name IN ({tables})") or 0)  # noqa: S608


def taken_out(store: Store | Work, name: str) -> pd.DataFrame:
    """Rows that were taken out of a table again: row_key, rev and content as they last were, actor who took them out."""
    rows = store.query(
        "row_key rev:int content actor",
        "SELECT o.row_key, w.rev, w.content, e.actor FROM row_history o JOIN events e ON e.event = o.event "
        "JOIN row_history w ON w.table_name = o.table_name AND w.row_key = o.row_key AND w.rev = o.rev - 1 "
        "WHERE o.table_name = :t AND o.content = '{}' ORDER BY o.rev",
        t=name,
    )
    return rows.drop_duplicates("row_key", keep="last")
