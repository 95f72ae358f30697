"""Backups: a whole copy of the store, checked before it counts, and put back only where nothing is lost by it."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from xlbilling.problems import Conflict, Place, Refusal, declare
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
    """Copy the whole store into a SQLite file in `folder`, check it, and keep the latest thirty.

    The copy is written under a temporary name, compared (events chained, as many rows in every table) and only then
    named. On PostgreSQL the copy is a SQLite file too, so that one restore serves both.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stamp = store.clock().strftime("%Y%m%d-%H%M%S")
    head = store.value("SELECT MAX(event) FROM events") or 0
    target = folder / f"billing-{stamp}-{head:06d}-{why}.db"
    partial = target.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    path = store.path
    if path is not None:
        _copy_sqlite(path, partial)
    else:
        _copy_tables(store, f"sqlite:///{partial}")
    _check(store, partial)
    os.replace(partial, target)
    for old in sorted(folder.glob("billing-*.db"))[:-KEEP]:
        old.unlink()
    return target


def restore(backup: Path, url: str) -> None:
    """Put a backup back as the store at `url`, which must not exist yet (on PostgreSQL: be an empty database)."""
    if not backup.exists():
        raise Refusal(BACKUP_BROKEN.at(Place(file=backup.name), "there is no such backup"))
    path = sqlite_path(url)
    source = Store.open(f"sqlite:///{backup}")
    if path is None:
        _copy_tables(source, url)
        return
    if path.exists():
        raise Conflict(RESTORE_OVER.at(Place(file=path.name), "the store exists"))
    partial = path.with_suffix(".partial")
    _copy_sqlite(backup, partial)
    _check(source, partial)
    os.replace(partial, path)


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
            for table in schema.metadata.sorted_tables:
                rows = [dict(row._mapping) for row in reading.execute(sa.select(table))]
                if rows:
                    connection.execute(sa.insert(table), rows)
        target.set_triggers(connection)
    target.close()


def _check(store: Store, copy: Path) -> None:
    """A copy counts when SQLite finds it whole, its events are chained, and each table has as many rows."""
    connection = sqlite3.connect(copy)
    try:
        if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the copy is damaged"))
        for name in schema.metadata.tables:
            there = connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]  # noqa: S608
            here = store.value(f"SELECT COUNT(*) FROM {name}")  # noqa: S608
            if there < here:
                raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), f"{name}: {there} of {here} rows were copied"))
    finally:
        connection.close()
    if seal.broken(store.table("events")) is not None:
        raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the chain of events is broken"))
