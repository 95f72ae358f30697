"""The store's face: open it, read frames from it, and change it only inside a `Work`, one transaction each."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pandas as pd
import sqlalchemy as sa
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DatabaseError, DBAPIError

from xlbilling.store import frames, schema, seal, shape
from xlbilling.store.views import VIEWS, sorts_of, with_relations
from xlbilling.words.problems import Conflict, Place, Refusal, declare
from xlbilling.words.states import BOUND

NO_STORE: Final = declare(
    "no_store", "The store that was named does not exist.", "Check the path, or make one with `xlbilling convert`."
)
STORE_VERSION: Final = declare(
    "store_version",
    "The store is of a later version than this program can read.",
    "Install the newest xlbilling on this computer, and build the workbook anew; the store stays as it is.",
)
STORE_EARLIER: Final = declare(
    "store_earlier",
    "The store is of an earlier version of xlbilling.",
    "Press Refresh in the workbook, or run `xlbilling migrate`: the store is backed up and brought to this version.",
)
PERIOD_CLOSED: Final = declare(
    "period_closed",
    "The accounting period is closed or was never opened.",
    "Post into the open period; a closed one is corrected by a new document in the open period.",
)
APPEND_ONLY: Final = declare(
    "append_only", "A posted document cannot be changed or deleted.", "Correct it with Adjust or Reverse."
)
STORE_BUSY: Final = declare(
    "store_busy", "Somebody else is writing to the store.", "Wait a moment and press the button again."
)
ALREADY_BILLED: Final = declare(
    "already_billed",
    "The service already has a standing bill for these days.",
    "Reverse the bill first, or leave the service out.",
)
COMMIT_FAILED: Final = declare(
    "commit_failed",
    "The database could not confirm that the work was written, and it was not.",
    "Nothing was changed. Check the disk, then press the button again.",
)
COMMIT_UNKNOWN: Final = declare(
    "commit_unknown",
    "The database could not confirm that the work was written, and cannot be asked now.",
    "Do not press again yet. When the store answers, press Refresh and look at sheet Log for the work.",
)

_PATIENCE: Final = 15  # seconds to wait for somebody else's work to be written


class Store:
    """One district's store, by URL; every change goes through `work`."""

    def __init__(self, url: str, engine: Engine, clock: Callable[[], dt.datetime]):
        self.url, self.engine, self.clock = url, engine, clock
        self.migrated = ""  # in words, what opening it did to a store of an earlier version

    @classmethod
    def create(cls, url: str, actor: str, clock: Callable[[], dt.datetime] | None = None) -> Store:
        """Make an empty store; the actor becomes its first lead."""
        store = cls(url, _engine(url), clock or _now)
        with store.work(actor, "create", any_version=True) as work:
            schema.metadata.create_all(work.connection)
            store.set_triggers(work.connection)
            work.insert_one("meta", name="version", value=str(schema.VERSION))
            work.event(f"Store made; {actor} is its first lead.")
            work.insert_rows(
                "policy",
                ["topic", "setting", "effective_from", "value", "severity", "source", "meaning", "rev"],
                [("staff", actor, "", "lead", "", "", "Role of this log-in: clerk, lead or accounting.", 1)],
            )
        return store

    @classmethod
    def open(cls, url: str, clock: Callable[[], dt.datetime] | None = None) -> Store:
        """Open an existing store; refuses one that is not there or not of this program's version."""
        store = cls.of_any_version(url, clock)
        refuse_version(store)
        return store

    @classmethod
    def of_any_version(cls, url: str, clock: Callable[[], dt.datetime] | None = None) -> Store:
        """An existing store, whatever its version: to be migrated, copied or restored, for nothing else."""
        path = sqlite_path(url)
        if path is not None and not path.exists():
            raise Refusal(NO_STORE.at(Place(file=path.name), "there is no store here"))
        store = cls(url, _engine(url), clock or _now)
        if "meta" not in _tables(store.engine):
            store.close()
            raise Refusal(NO_STORE.at(Place(file=url if path is None else path.name), "this is not a billing store"))
        return store

    @staticmethod
    def engine_of(url: str) -> Engine:
        """The engine of a store's URL, with the pragmas a SQLite store needs."""
        return _engine(url)

    def set_triggers(self, connection: Connection) -> None:
        """Let the database itself keep posted documents and closed periods as they are."""
        for statement in schema.triggers(self.dialect):
            connection.exec_driver_sql(statement if self.dialect == "sqlite" else statement.replace("%", "%%"))

    @property
    def dialect(self) -> str:
        return self.engine.dialect.name

    @property
    def path(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return sqlite_path(self.url)

    def close(self) -> None:
        self.engine.dispose()

    def view(self, name: str, **values: Any) -> pd.DataFrame:
        """The rows of a view by its name (see store.views), in the sorts it declares."""
        with self.engine.connect() as connection:
            return _view(connection, name, values)

    def query(self, columns: str | Mapping[str, str], sql: str, /, **values: Any) -> pd.DataFrame:
        """The rows of a question asked in one place only: its columns as a view declares them, then its SQL.

        The words of states are bound to it by name (see states.BOUND), as to everything that is asked or done here.
        """
        with self.engine.connect() as connection:
            return _query(connection, columns, sql, values)

    def value(self, sql: str, **values: Any) -> Any:
        """The first value of a query; None where there is no row."""
        with self.engine.connect() as connection:
            return connection.execute(sa.text(with_relations(sql)), {**BOUND, **values}).scalar()

    def table(self, name: str, where: str = "", order: str = "", **values: Any) -> pd.DataFrame:
        """A table of the store, all columns, in key order unless `order` says otherwise."""
        with self.engine.connect() as connection:
            return _table(connection, name, where, order, values)

    def differences(self) -> list[str]:
        """In words, what of the tables, checks, indexes and triggers does not stand as the schema declares it."""
        with self.engine.connect() as connection:
            return shape.differences(connection)

    @contextmanager
    def work(self, actor: str, action: str, key: str | None = None, *, any_version: bool = False) -> Iterator[Work]:
        """One transaction of one person: all of it is written, with its sealed event, or nothing is.

        A store that a later program has migrated since it was opened is refused; `any_version` leaves that to the caller.
        `key` makes the work idempotent: `Work.done_before` tells that it was written already. A commit whose outcome
        the database did not confirm is settled by looking up the seal of the work's last event.
        """
        with self.engine.connect() as connection:
            _begin(connection)
            work = Work(self, connection, actor, action, key)
            try:
                if not any_version:
                    refuse_version(work)
                yield work
                work.finish()
                connection.commit()
            except DBAPIError as fault:
                _undone(connection)
                if work.finished and self._written(work, fault):
                    return
                raise _refusal(fault, work.finished) from fault
            except BaseException:
                _undone(connection)
                raise

    def _written(self, work: Work, fault: DBAPIError) -> bool:
        """Whether a commit that failed was written all the same: its last event stands in the chain, sealed as sealed."""
        try:
            seal_there = self.value("SELECT seal FROM events WHERE event = :event", event=work.last_event)
        except DBAPIError:
            raise Refusal(COMMIT_UNKNOWN.at(None, str(fault.orig))) from fault
        return work.last_event > 0 and seal_there == work.last_seal


class Work:
    """A transaction at work: inserts, numbers and events that stand or fall together."""

    def __init__(self, store: Store, connection: Connection, actor: str, action: str, key: str | None):
        self.store, self.connection, self.actor, self.action, self.key = store, connection, actor, action, key
        self.clock = store.clock
        self.at = store.clock().isoformat(timespec="seconds")
        self.finished = False
        self.last_event, self.last_seal = 0, ""
        self._events: list[tuple[str, str]] = []
        self._next_event: int | None = None

    @property
    def done_before(self) -> str | None:
        """What this work's key gave the first time; None where it is new."""
        return self.value("SELECT outcome FROM idempotency WHERE key = :key", key=self.key) if self.key else None

    def view(self, name: str, **values: Any) -> pd.DataFrame:
        return _view(self.connection, name, values)

    def query(self, columns: str | Mapping[str, str], sql: str, /, **values: Any) -> pd.DataFrame:
        return _query(self.connection, columns, sql, values)

    def value(self, sql: str, **values: Any) -> Any:
        return self.connection.execute(sa.text(with_relations(sql)), {**BOUND, **values}).scalar()

    def table(self, name: str, where: str = "", order: str = "", **values: Any) -> pd.DataFrame:
        return _table(self.connection, name, where, order, values)

    def differences(self) -> list[str]:
        """As `Store.differences`, before the work is written."""
        return shape.differences(self.connection)

    def execute(self, sql: str, **values: Any) -> int:
        """Run a statement; the number of rows it changed."""
        return self.connection.execute(sa.text(sql), {**BOUND, **values}).rowcount

    def update(self, table: str, key: Mapping[str, Any], rev: int, values: Mapping[str, Any]) -> bool:
        """Give one row these values and its next revision; False, and nothing changed, where it is not at `rev` any more."""
        sets = ", ".join(f'"{name}" = {self._given(table, name)}' for name in values if name != "rev")
        where = " AND ".join(f'"{name}" = :key_{name}' for name in key)
        changed = self.execute(
            f"UPDATE {table} SET {sets}, rev = rev + 1 WHERE {where} AND rev = :at_rev",  # noqa: S608
            **{name: value for name, value in values.items() if name != "rev"},
            **{f"key_{name}": value for name, value in key.items()},
            at_rev=rev,
        )
        return changed == 1

    def _given(self, table: str, column: str) -> str:
        """A bound value of a column; a number is told as one, because a database cannot see what sort NULL is of."""
        number = isinstance(schema.metadata.tables[table].columns[column].type, sa.BigInteger)
        return f"CAST(:{column} AS BIGINT)" if number else f":{column}"

    def insert(self, table: str, frame: pd.DataFrame) -> None:
        """Bulk-insert a frame whose columns are the table's, in any order."""
        columns = schema.metadata.tables[table].columns
        since = [c.name for c in columns if isinstance(c.type, schema.Since)]
        frame = frame.assign(**{name: frames.since(frame[name]) for name in since}) if since else frame
        names = [c.name for c in columns]
        self.insert_rows(table, names, frames.rows(frame, names))

    def insert_rows(self, table: str, columns: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> None:
        """Bulk-insert plain rows through the driver itself, which is the fastest durable way."""
        if not rows:
            return
        mark = "?" if self.store.dialect == "sqlite" else "%s"
        quoted = ", ".join(f'"{c}"' for c in columns)
        sql = f"INSERT INTO {table} ({quoted}) VALUES ({', '.join([mark] * len(columns))})"  # noqa: S608
        self.connection.exec_driver_sql(sql, list(rows))

    def insert_one(self, table: str, **values: Any) -> None:
        self.insert_rows(table, list(values), [tuple(values.values())])

    def numbers(self, series: str, count: int = 1) -> range:
        """The next `count` numbers of a series; without gaps, because they are kept only if the work is."""
        first = self.value("SELECT next FROM numbers WHERE series = :series", series=series)
        if first is None:
            first = 1
            self.insert_one("numbers", series=series, next=1)
        self.execute("UPDATE numbers SET next = :next WHERE series = :series", next=first + count, series=series)
        return range(first, first + count)

    def documents(self, series: str, count: int = 1) -> list[str]:
        """The next document numbers of a series, such as B0000017."""
        return [f"{series}{n:07d}" for n in self.numbers(series, count)]

    def numbered(self, series: str, expression: str) -> str:
        """The SQL that writes a whole number as a document number, such as B0000017; the same as `documents` does."""
        if self.store.dialect == "sqlite":
            return f"printf('{series}%07d', {expression})"
        text = f"CAST({expression} AS TEXT)"
        return f"'{series}' || LPAD({text}, GREATEST(7, LENGTH({text})), '0')"

    def event(self, detail: str) -> int:
        """Note what was done; the number of the event. Sealed into the chain when the work is finished."""
        if self._next_event is None:
            self._next_event = (self.value("SELECT MAX(event) FROM events") or 0) + 1
        self._events.append((self.action, detail))
        return self._next_event + len(self._events) - 1

    def finish(self) -> None:
        """Seal the events and keep the idempotency key with the words of the first event."""
        if not self._events:
            self.finished = True
            return
        assert self._next_event is not None
        last = self.value("SELECT seal FROM events WHERE event = :event", event=self._next_event - 1) or ""
        sealed = []
        for number, (action, detail) in enumerate(self._events, self._next_event):
            last = seal.seal(last, number, self.at, self.actor, action, detail)
            sealed.append((number, self.at, self.actor, action, detail, last))
        self.insert_rows("events", ["event", "at", "actor", "action", "detail", "seal"], sealed)
        self.last_event, self.last_seal = sealed[-1][0], last
        if self.key:
            self.insert_one("idempotency", key=self.key, event=self._next_event, outcome=self._events[0][1])
        self.finished = True


def is_blank(url: str) -> bool:
    """Whether a database has no table yet: as new, or as a store left it that was stopped while it was made."""
    engine = _engine(url)
    try:
        return _tables(engine) == []
    finally:
        engine.dispose()


def _tables(engine: Engine) -> list[str]:
    """The names of a database's tables; a file that is no database has one, which nothing is called."""
    try:
        return sa.inspect(engine).get_table_names()
    except DatabaseError as fault:
        if "not a database" in str(fault.orig):
            return [""]
        raise


def version(store: Store | Work) -> int:
    """The version of a store: that of the schema its tables were made or migrated by."""
    return int(store.value("SELECT value FROM meta WHERE name = 'version'"))


def refuse_version(store: Store | Work) -> None:
    """Refuse a store that is not of this program's version."""
    held = version(store)
    if held != schema.VERSION:
        kind = STORE_EARLIER if held < schema.VERSION else STORE_VERSION
        raise Refusal(kind.at(None, f"the store is of version {held}, this program of version {schema.VERSION}"))


def sqlite_path(url: str) -> Path | None:
    """The file of a SQLite URL; None for another database."""
    return Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite:///") else None


def store_url(text: str) -> str:
    """A store as people write it, a path or a URL, as a URL."""
    return text if "://" in text else f"sqlite:///{text}"


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def _engine(url: str) -> Engine:
    address = url.replace("postgresql://", "postgresql+psycopg://", 1)
    if sqlite_path(url) is None:
        return sa.create_engine(address)
    engine = sa.create_engine(address, connect_args={"timeout": _PATIENCE})

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # BEGIN IMMEDIATE is ours to say
        cursor = connection.cursor()
        _keep_a_log(cursor)
        for pragma in ("synchronous=FULL", "cache_size=-65536", "temp_store=MEMORY"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return engine


def _keep_a_log(cursor: Any) -> None:
    """Let a SQLite store write ahead; a restored one is turned by whoever opens it first, and SQLite lets nobody queue."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def _begin(connection: Connection) -> None:
    """Take the write lock at once, so that two clerks queue instead of failing half-way."""
    try:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{_PATIENCE}s'")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7841001)")
    except DBAPIError as fault:
        raise _refusal(fault, False) from fault


def _undone(connection: Connection) -> None:
    """Roll back; a connection that is gone has rolled back by itself."""
    try:
        connection.rollback()
    except DBAPIError:
        connection.invalidate()


def _refusal(fault: DBAPIError, finished: bool) -> Refusal:
    text = str(fault.orig)
    if "period_closed" in text:
        return Conflict(PERIOD_CLOSED.at(None, "a document is dated in an accounting period that is not open"))
    kept = re.search(r"append_only: (\w+)", text)
    if kept:
        return Refusal(
            APPEND_ONLY.at(Place(table=kept[1]), f"the store keeps posted documents as they are ({kept[1]})")
        )
    if "standing_bills" in text:
        return Conflict(ALREADY_BILLED.at(None, "a service in this batch was billed meanwhile"))
    if "locked" in text or "busy" in text or "lock timeout" in text:
        return Conflict(STORE_BUSY.at(None, f"the store stayed locked for {_PATIENCE} seconds"))
    if finished:
        return Refusal(COMMIT_FAILED.at(None, text))
    raise fault


def _query(
    connection: Connection, columns: str | Mapping[str, str], sql: str, values: Mapping[str, Any]
) -> pd.DataFrame:
    declared = sorts_of(columns) if isinstance(columns, str) else columns
    return _declared(connection, declared, with_relations(sql), values, sql)


def _table(connection: Connection, name: str, where: str, order: str, values: Mapping[str, Any]) -> pd.DataFrame:
    order = order or ", ".join(c.name for c in schema.metadata.tables[name].primary_key)
    columns = schema.columns_of(name)
    names = ", ".join(f'"{column}"' for column in columns)
    clause = f" WHERE {where}" if where else ""
    sql = f"SELECT {names} FROM {name}{clause} ORDER BY {order}"  # noqa: S608
    return frames.typed(_fetched(connection, sql, values)[1], columns, steady=False)


def _view(connection: Connection, name: str, values: Mapping[str, Any]) -> pd.DataFrame:
    asked = VIEWS[name]
    return _declared(connection, asked.columns, asked.sql, {**asked.constants, **values}, f"view {name}")


def _declared(
    connection: Connection, columns: Mapping[str, str], sql: str, values: Mapping[str, Any], what: str
) -> pd.DataFrame:
    names, rows = _fetched(connection, sql, values)
    if names != list(columns):
        raise TypeError(f"{what} declares {list(columns)} and has {names}")
    return frames.typed(rows, columns)


def _fetched(connection: Connection, sql: str, values: Mapping[str, Any]) -> tuple[list[str], Sequence[Any]]:
    """Names and rows of a query, from the driver's own cursor, without a Row object for each."""
    answer = connection.execute(sa.text(sql), {**BOUND, **values})
    names = list(answer.keys())
    with contextlib.closing(answer):
        return names, answer.cursor.fetchall() if answer.cursor else []
