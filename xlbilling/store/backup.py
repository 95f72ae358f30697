"""Backups: a whole copy of the store, checked before it counts, and put back only where nothing is lost by it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from xlbilling.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.store import schema, seal
from xlbilling.store.store import Store, sqlite_path

BACKUP_BROKEN: Final = declare(
    "backup_broken",
    "A backup does not hold what the store holds.",
    "Free disk space or choose another folder, then back up again.",
)
RESTORE_OVER: Final = declare(
    "restore_over",
    "A store is there already; restoring over it would lose it.",
    "Move it away first, or restore to another name.",
)
KEEP: Final = 30


def back_up(store: Store, folder: Path, why: str) -> Path:
    """Copy the whole store into a SQLite file in `folder`, check it, and keep the latest thirty made for the same reason.

    The copy is written under a temporary name, checked (whole, its events chained up to an event of the store) and only
    then named. On PostgreSQL the copy is a SQLite file too, so that one restore serves both.
    """
    stamp = store.clock().strftime("%Y%m%d-%H%M%S")
    head = store.value("SELECT MAX(event) FROM events") or 0
    target = folder / f"billing-{stamp}-{head:06d}-{why}.db"
    partial = target.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        path = store.path
        if path is not None:
            _copy_sqlite(path, partial)
        else:
            _copy_tables(store, f"sqlite:///{partial}")
        _check(store, partial, head)
        os.replace(partial, target)
        for old in sorted(folder.glob(f"billing-*-{why}.db"))[:-KEEP]:
            old.unlink()
    except (OSError, sqlite3.Error, DBAPIError) as fault:
        raise Refusal(BACKUP_BROKEN.at(Place(file=target.name), f"the backup was not made: {fault}")) from fault
    return target


def backed_up(store: Store, folder: Path, why: str) -> tuple[str, list[Problem]]:
    """Back up after work that is written already: the backup's name, or a problem to list beside what was done."""
    try:
        return back_up(store, folder, why).name, []
    except Refusal as refusal:
        return "none was made", [refusal.problem]


def restore(backup: Path, url: str) -> None:
    """Put a backup back as the store at `url`, which must not exist yet (on PostgreSQL: be an empty database)."""
    if not backup.exists():
        raise Refusal(BACKUP_BROKEN.at(Place(file=backup.name), "there is no such backup"))
    path = sqlite_path(url)
    source = Store.open(f"sqlite:///{backup}")
    try:
        head = source.value("SELECT MAX(event) FROM events") or 0
        if path is None:
            _copy_tables(source, url)
            return
        # A journal left behind by a lost store would be played into the restored one.
        for there in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
            if there.exists():
                raise Conflict(RESTORE_OVER.at(Place(file=there.name), "it is there already"))
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        _copy_sqlite(backup, partial)
        _check(source, partial, head)
        os.replace(partial, path)
    finally:
        source.close()


def _copy_sqlite(path: Path, target: Path) -> None:
    source, copy = sqlite3.connect(path), sqlite3.connect(target)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        source.close()
        copy.close()
    handle = os.open(target, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_tables(source: Store, url: str) -> None:
    """Copy every table row by row into an empty database of either kind, then set its triggers."""
    target = Store(url, Store.engine_of(url), source.clock)
    with target.engine.begin() as connection:
        if sa.inspect(connection).has_table("meta"):
            raise Conflict(RESTORE_OVER.at(Place(file=url.rsplit("@", maxsplit=1)[-1]), "the database holds a store"))
        schema.metadata.create_all(connection)
        with source.engine.connect() as reading:
            if source.dialect != "sqlite":  # every table as of one moment, whoever writes meanwhile
                reading.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            for table in schema.metadata.sorted_tables:
                for rows in reading.execute(sa.select(table)).partitions(50_000):
                    connection.execute(sa.insert(table), [dict(row._mapping) for row in rows])
        target.set_triggers(connection)
    target.close()


def _check(store: Store, copy: Path, head: int) -> None:
    """A copy counts when SQLite finds it whole, its events are chained as the store's, and no posted row is missing."""
    connection = sqlite3.connect(copy)
    try:
        if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the copy is damaged"))
        cells = connection.execute(
            "SELECT event, at, actor, action, detail, seal FROM events ORDER BY event"
        ).fetchall()
        held = {name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0] for name in schema.APPEND_ONLY}  # noqa: S608
    finally:
        connection.close()
    events = pd.DataFrame(cells, columns=["event", "at", "actor", "action", "detail", "seal"])
    if seal.broken(events) is not None:
        raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the chain of events is broken"))
    last = store.value("SELECT seal FROM events WHERE event = :e", e=len(events))
    if len(events) < head or (len(events) and events["seal"].iloc[-1] != last):
        raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), f"it ends at event {len(events)}, the store at {head}"))
    if len(events) == (store.value("SELECT MAX(event) FROM events") or 0):  # nobody has written since it was copied
        for name, there in held.items():
            here = store.value(f"SELECT COUNT(*) FROM {name}")  # noqa: S608
            if there != here:
                raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), f"{name}: {there} of {here} rows were copied"))
