"""Backups: a whole copy of the store, checked before it counts, and put back only where nothing is lost by it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, MetaData
from sqlalchemy.exc import DBAPIError

from xlbilling.store import schema, seal
from xlbilling.store.store import Store, sqlite_path, version
from xlbilling.words.problems import Conflict, Place, Problem, Refusal, declare

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
_ROWS: Final = 20_000  # copied at a time


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
    finally:
        for end in ("", "-journal", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                partial.with_name(partial.name + end).unlink()
    return target


def backed_up(store: Store, folder: Path, why: str) -> tuple[str, list[Problem]]:
    """Back up after work that is written already: the backup's name, or a problem to list beside what was done."""
    try:
        return back_up(store, folder, why).name, []
    except Refusal as refusal:
        return "none was made", [refusal.problem]


def restore(backup: Path, url: str) -> int:
    """Put a backup back as the store at `url`, which must not exist yet (on PostgreSQL: be an empty database).

    The store's version is given back: one of an earlier version is put back as it was, and migrated when it is opened.
    """
    if not backup.exists():
        raise Refusal(BACKUP_BROKEN.at(Place(file=backup.name), "there is no such backup"))
    path = sqlite_path(url)
    source = Store.of_any_version(f"sqlite:///{backup}")
    try:
        held = version(source)
        head = source.value("SELECT MAX(event) FROM events") or 0
        if path is None:
            _copy_tables(source, url)
            return held
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
    return held


def _copy_sqlite(path: Path, target: Path) -> None:
    source, copy = sqlite3.connect(path), sqlite3.connect(target)
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")
    finally:
        source.close()
        copy.close()
    _to_disk(target)


def _to_disk(file: Path) -> None:
    """Wait until the whole file is on the disk: only then it may take its name."""
    handle = os.open(file, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _copy_tables(source: Store, url: str) -> None:
    """Copy every table into an empty database of either kind in one transaction, then set its triggers.

    A store of an earlier version is copied as its tables stand, without the rules of this version: a migration sets them.
    """
    target = Store(url, Store.engine_of(url), source.clock)
    try:
        with source.engine.connect() as reading, target.engine.connect() as connection:
            if connection.dialect.name == "sqlite":  # the engine leaves BEGIN to us; the disk is waited for once, below
                connection.exec_driver_sql("PRAGMA synchronous=OFF")
                connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            if sa.inspect(connection).has_table("meta"):
                place = Place(file=url.rsplit("@", maxsplit=1)[-1])
                raise Conflict(RESTORE_OVER.at(place, "the database holds a store"))
            if source.dialect != "sqlite":  # every table as of one moment, whoever writes meanwhile
                reading.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            ours = version(source) == schema.VERSION
            tables = schema.metadata if ours else _as_they_stand(reading)
            tables.create_all(connection)
            for table in tables.sorted_tables:
                _copy_rows(reading, connection, table)
            if ours:
                target.set_triggers(connection)
            connection.commit()
    finally:
        target.close()
    if target.path is not None:
        _to_disk(target.path)


def _as_they_stand(reading: Connection) -> MetaData:
    """The tables of a store of another version with columns, keys and indexes, in words that every database knows."""
    standing, plain = MetaData(), MetaData()
    standing.reflect(reading)
    for table in standing.sorted_tables:
        columns = [
            sa.Column(c.name, c.type.as_generic(), nullable=c.nullable, autoincrement=False) for c in table.columns
        ]
        key = sa.PrimaryKeyConstraint(*(c.name for c in table.primary_key))
        copied = sa.Table(table.name, plain, *columns, key)
        for index in table.indexes:
            sa.Index(index.name, *(copied.c[c.name] for c in index.columns), unique=index.unique)
    return plain


def _copy_rows(reading: Connection, connection: Connection, table: sa.Table) -> None:
    """Copy the rows of one table from driver to driver, some at a time, without a Row object or a dict for each."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    source: Any = reading.connection
    kept_there = () if reading.dialect.name == "sqlite" else ("copied",)  # PostgreSQL: the server keeps what waits
    with contextlib.closing(source.cursor(*kept_there)) as cursor:
        cursor.execute(f"SELECT {names} FROM {table.name}")  # noqa: S608
        for rows in iter(lambda: cursor.fetchmany(_ROWS), []):
            _put(connection, table, names, rows)


def _put(connection: Connection, table: sa.Table, names: str, rows: list[tuple[Any, ...]]) -> None:
    if connection.dialect.name == "sqlite":
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608
        return
    driver: Any = connection.connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _check(store: Store, copy: Path, head: int) -> None:
    """A copy counts when SQLite finds it whole, its events are chained as the store's, and no posted row is missing."""
    connection = sqlite3.connect(copy)
    try:
        if connection.execute("PRAGMA quick_check").fetchone()[0] != "ok":
            raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the copy is damaged"))
        cells = connection.execute(
            "SELECT event, at, actor, action, detail, seal FROM events ORDER BY event"
        ).fetchall()
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        held = {  # a store of an earlier version has fewer tables
            name: connection.execute(f"SELECT COUNT(*) FROM {name}").fetchone()[0]  # noqa: S608
            for name in schema.APPEND_ONLY
            if name in there
        }
    finally:
        connection.close()
    events = pd.DataFrame(cells, columns=["event", "at", "actor", "action", "detail", "seal"])
    if seal.broken(events) is not None:
        raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), "the chain of events is broken"))
    last = store.value("SELECT seal FROM events WHERE event = :e", e=len(events))
    if len(events) < head or (len(events) and events["seal"].iloc[-1] != last):
        raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), f"it ends at event {len(events)}, the store at {head}"))
    if len(events) == (store.value("SELECT MAX(event) FROM events") or 0):  # nobody has written since it was copied
        for name, copied in held.items():
            here = store.value(f"SELECT COUNT(*) FROM {name}")  # noqa: S608
            if copied != here:
                raise Refusal(BACKUP_BROKEN.at(Place(file=copy.name), f"{name}: {copied} of {here} rows were copied"))
