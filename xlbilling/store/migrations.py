"""Migrations: what each change of the schema does to the stores there are, numbered by the version it leads to.

To change the schema: change store.schema and its VERSION, and add one function here. The function says only what the
schema cannot know: what the rows of a new column hold, what became of an old one, which table is gone. When all of them
have run, every table that does not stand as declared is made anew and takes its rows over, and indexes and triggers are
set as for a new store; so the latest schema is written down once. A column that nobody accounted for stops the migration.
All of it is one transaction, begun by a backup that was checked and ended by the proof of `verify`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Connection

from xlbilling.store import schema, shape
from xlbilling.store.backup import back_up
from xlbilling.store.store import Store, Work, refuse_version, version
from xlbilling.store.verify import verify
from xlbilling.words.problems import Conflict, Place, Refusal, declare

MIGRATION_FAILED: Final = declare(
    "migration_failed",
    "A store of an earlier version could not be brought to this program's version; it was left as it was.",
    "Go on with the version of xlbilling before this one, and report the fact.",
)


class Old:
    """A store on its way to a later version: its rows may be written freely, its tables stand as loose as they are."""

    def __init__(self, work: Work):
        self._work = work
        self.dropped: set[tuple[str, str]] = set()
        self.last: list[str] = []

    def execute(self, sql: str, **values: Any) -> int:
        """Run a statement; the number of rows it changed."""
        return self._work.execute(sql, **values)

    def execute_last(self, sql: str) -> None:
        """Run a statement once every table stands as declared: it writes what the earlier tables do not allow."""
        self.last.append(sql)

    def add_column(self, table: str, spec: str, fill: str) -> None:
        """Add a column as the schema declares it (`name:int?`); every row there is gets the SQL expression `fill`."""
        column = schema.column(spec)
        sort = column.type.compile(dialect=self._work.connection.dialect)
        self.execute(f'ALTER TABLE {table} ADD COLUMN "{column.name}" {sort}')
        self.execute(f'UPDATE {table} SET "{column.name}" = {fill}')  # noqa: S608 - our own names and expressions

    def rename_column(self, table: str, name: str, new: str) -> None:
        self.execute(f'ALTER TABLE {table} RENAME COLUMN "{name}" TO "{new}"')

    def drop_column(self, table: str, name: str) -> None:
        """Let a column go with what it holds."""
        self.dropped.add((table, name))

    def create_table(self, name: str) -> None:
        """Make a table as the schema declares it, for rows that are to move into it."""
        schema.metadata.tables[name].create(self._work.connection)

    def rename_table(self, name: str, new: str) -> None:
        self.execute(f"ALTER TABLE {name} RENAME TO {new}")

    def drop_table(self, name: str) -> None:
        """Let a table go with what it holds."""
        self.execute(f"DROP TABLE {name}")


@dataclass(frozen=True)
class Migration:
    """What leads to one version: what it means for the office, and what is done to the rows."""

    number: int
    meaning: str
    run: Callable[[Old], None]


Change: TypeAlias = Callable[[Old], None]
MIGRATIONS: Final[dict[int, Migration]] = {}


def migration(number: int, meaning: str) -> Callable[[Change], Change]:
    """Declare the decorated function as what leads to version `number`; `meaning` is what the event in Log says."""

    def declare_it(change: Change) -> Change:
        if number in MIGRATIONS or not 2 < number <= schema.VERSION:
            raise ValueError(f"migration {number} is there twice, or the schema is of version {schema.VERSION}")
        MIGRATIONS[number] = Migration(number, meaning, change)
        return change

    return declare_it


@migration(
    3,
    "the state of a row is one of the words its table allows; numbers are given out by the program alone; what was done "
    "before cannot be taken back with Undo last",
)
def states_are_checked(old: Old) -> None:
    """A row in another state stops the migration, and it is named. Undo kept statements, which no later version can run."""
    old.execute("UPDATE undo SET inverse = '[]', state = 'past' WHERE state = 'ready'")


@migration(4, "Policy has the checks days, service_ended and zeros_lost, with their standard values")
def days_and_ends_are_checked(old: Old) -> None:
    """The district's own limits and severities of other checks stay as they are."""
    for setting, value, severity, meaning in (
        ("days", "90-110", "review", "The days of the service period are fewer or more than these % of billing / nominal_days."),
        ("service_ended", "", "block", "The service ended, or its account was closed, before the read."),
        ("zeros_lost", "", "block", "Reads of a file are of meters without their leading zeros."),
    ):  # fmt: skip
        old.execute(
            "INSERT INTO policy (topic, setting, value, severity, meaning, rev) SELECT 'check', :s, :v, :g, :m, 1 "
            "WHERE NOT EXISTS (SELECT 1 FROM policy WHERE topic = 'check' AND setting = :s) "
            "AND EXISTS (SELECT 1 FROM policy WHERE topic = 'check')",
            s=setting, v=value, g=severity, m=meaning,
        )  # fmt: skip


@migration(
    5,
    "rejected rows of payments files stand on sheet Payment rejects, open where their month is not closed; what they were "
    "is in their file, only line and reason were kept",
)
def rejected_payments_stand_apart(old: Old) -> None:
    """Rows of no money that came, and rows of closed months, whose files were booked otherwise, are left with a reason."""
    old.create_table("payment_rejects")
    old.execute(
        "INSERT INTO payment_rejects (reject_id, import_id, source_line, code, message, content, received_on, account_id, "
        "amount, method, reference, decision, reason, decided_by, decided_at, state, rev, payment_id, period) "
        "SELECT r.reject_id, r.import_id, r.source_line, r.code, r.message, r.content, NULL, '', NULL, '', '', "
        "CASE WHEN l.why IS NULL THEN '' ELSE 'leave' END, COALESCE(l.why, ''), '', '', "
        "CASE WHEN l.why IS NULL THEN 'open' ELSE 'left' END, 1, '', i.period "
        "FROM rejects r JOIN imports i ON i.import_id = r.import_id JOIN (SELECT r.reject_id, CASE "
        "WHEN r.code = 'payment_not_paid' THEN 'no money came with it' "
        "WHEN i.period IN (SELECT period FROM periods WHERE state = 'closed') THEN 'its month was closed before' END AS why "
        "FROM rejects r JOIN imports i ON i.import_id = r.import_id) l ON l.reject_id = r.reject_id WHERE i.kind = 'payments'"
    )
    old.execute("DELETE FROM rejects WHERE import_id IN (SELECT import_id FROM imports WHERE kind = 'payments')")


@migration(6, "an entry keeps who typed or took in its document beside who posted it")
def entries_have_an_author(old: Old) -> None:
    """Who took in a receipt's file is known; of all other documents that are posted their poster counts as the author."""
    importer = "(SELECT i.actor FROM imports i WHERE i.import_id = payments.import_id)"
    for table, key, known in (("payments", "payment_id", importer), ("adjustments", "adjustment_id", "NULL")):
        poster = f"(SELECT MIN(e.actor) FROM entries e WHERE e.document = {table}.{key})"  # noqa: S608
        old.add_column(table, "author", f"COALESCE({known}, {poster}, '')")
    receipt = "(SELECT p.author FROM payments p WHERE p.payment_id = entries.document AND entries.kind = 'payment')"
    old.add_column("entries", "author", f"COALESCE({receipt}, actor)")


@migration(
    7,
    "an override takes a day as well as a dial; findings of posted bills that nobody decided are closed as billed",
)
def overrides_take_a_day(old: Old) -> None:
    """No override had a day. A finding about no service of its own closes with the last bill of its run."""
    old.add_column("exceptions", "override_date:day?", "NULL")
    billed = "b.cycle = exceptions.cycle AND b.period = exceptions.period"
    standing = "SELECT 1 FROM bills b JOIN standing_bills t ON t.number = b.number WHERE"
    waiting = "SELECT 1 FROM draft_bills b WHERE"
    old.execute_last(
        "UPDATE exceptions SET state = 'billed' WHERE state = 'open' AND decision = '' AND "  # noqa: S608
        f"((service_id <> '' AND EXISTS ({standing} {billed} AND t.service_id = exceptions.service_id)) OR "
        f"(service_id = '' AND EXISTS ({standing} {billed}) AND NOT EXISTS ({waiting} {billed})))"
    )


@migration(
    8,
    "a bill is the account's, with a section for each service; every bill there is keeps its number and has one section; "
    "drafts are gone: press Compute for each run that was not posted; what was done before cannot be taken back with Undo last",
)
def bills_are_the_accounts(old: Old) -> None:
    """The service's part of each bill moves to its section, lines and reads say whose they are; nothing posted changes."""
    old.create_table("bill_services")
    columns = "number, " + ", ".join(_OF_SECTION)
    old.execute(f"INSERT INTO bill_services ({columns}) SELECT {columns} FROM bills")  # noqa: S608
    ended = (
        "SELECT 1 FROM services s JOIN accounts a ON a.account_id = s.account_id "
        "WHERE s.service_id = bills.service_id AND (s.ended_on <= bills.service_to OR a.closed_on <= bills.service_to)"
    )
    old.add_column("bills", "kind", f"CASE WHEN EXISTS ({ended}) THEN 'final bill' ELSE 'bill' END")
    for table in ("bill_lines", "bill_reads"):
        old.add_column(table, "service_id", f"(SELECT b.service_id FROM bills b WHERE b.number = {table}.number)")  # noqa: S608
    old.execute("UPDATE bills SET bill_key = account_id || ' ' || cycle || ' ' || period")
    for name in _OF_SECTION:
        if name != "amount":
            old.drop_column("bills", name)
            old.drop_column("draft_bills", name)
    old.add_column("draft_bills", "kind", "'bill'")
    old.drop_table("draft_lines")
    old.drop_table("draft_reads")
    old.execute_last("DELETE FROM draft_bills")  # last, since other changes ask which runs still wait
    old.execute("DELETE FROM meta WHERE name LIKE 'drafts %'")
    old.execute("UPDATE undo SET inverse = '[]', state = 'past' WHERE state = 'ready'")


_OF_SECTION: Final = (
    "service_id", "customer_class", "tariff", "service_from", "service_to", "days", "consumption", "unit", "read_code", "amount",
    "carried", "estimate", "meter_size", "inputs", "nominal_days",
)  # fmt: skip


@migration(9, "a rule of Policy holds from a day on and names its source; those there were hold always")
def rules_have_a_day(old: Old) -> None:
    """Every value there was is in force always, under the key it had; its source is not known."""
    old.add_column("policy", "effective_from:since", "''")
    old.add_column("policy", "source", "''")


def opened(url: str, actor: str, folder: Path, clock: Callable[[], dt.datetime] | None = None) -> Store:
    """Open a store to work on it; one of an earlier version is migrated first, and `Store.migrated` says so."""
    store = Store.of_any_version(url, clock)
    store.migrated = migrate(store, actor, folder)
    return store


def migrate(store: Store, actor: str, folder: Path) -> str:
    """Bring a store of an earlier version to this one, its backup going to `folder`; what was done, "" for nothing.

    Whoever comes meanwhile waits or is told to. What fails or is killed leaves the store as it was.
    """
    held = version(store)
    if held >= schema.VERSION:
        refuse_version(store)
        return ""
    backup = ""
    try:
        with store.work(actor, "migrate", any_version=True) as work:
            held = version(work)
            if held < schema.VERSION:  # nobody was faster
                backup = back_up(store, folder, f"version-{held}").name
                _bring(work, held, backup)
    except Conflict:
        raise
    except Exception as fault:
        name = store.path.name if store.path else ""
        kept = f"the backup {backup} was made and checked" if backup else "no backup was made"
        fact = f"the store is still of version {held}, {kept}: {str(fault).splitlines()[0]}"
        raise Refusal(MIGRATION_FAILED.at(Place(file=name), fact)) from fault
    refuse_version(store)
    return f"The store was brought from version {held} to {schema.VERSION}; backup {backup}. " if backup else ""


def _bring(work: Work, held: int, backup: str) -> None:
    """Run every migration after version `held`, note each in the chain, and prove the store before it counts."""
    old = Old(work)
    _take_triggers_off(work.connection)
    for number in range(held + 1, schema.VERSION + 1):
        if number not in MIGRATIONS:
            raise LookupError(f"no migration leads to version {number}")
        MIGRATIONS[number].run(old)
        work.event(f"Store brought to version {number}: {MIGRATIONS[number].meaning}. Backup {backup}.")
    reshape(work.connection, old.dropped)
    for statement in old.last:
        work.execute(statement)
    work.store.set_triggers(work.connection)
    work.execute("UPDATE meta SET value = :v WHERE name = 'version'", v=str(schema.VERSION))
    broken = verify(work)
    if broken:
        raise Refusal(broken[0], broken)


def _take_triggers_off(connection: Connection) -> None:
    """Take off all triggers of the store's tables, to be set anew at the end."""
    for table, name, _ in shape.triggers(connection):
        of_table = "" if connection.dialect.name == "sqlite" else f" ON {table}"
        connection.exec_driver_sql(f"DROP TRIGGER {name}{of_table}")


def reshape(connection: Connection, dropped: set[tuple[str, str]]) -> None:
    """Make every table stand as declared: a new one is made, one that differs is made anew and takes its rows over.

    A column that is declared and not there, or there and neither declared nor dropped, stops: nothing is lost or made up.
    """
    there, wanted = shape.standing(connection), shape.declared(connection.dialect)
    for table in schema.metadata.sorted_tables:
        mine, theirs = wanted[table.name], there.get(table.name)
        if theirs is None:
            table.create(connection)
        elif mine.made != theirs.made:
            _make_anew(connection, table, theirs, dropped)
        elif mine.indexes != theirs.indexes:
            for name in theirs.indexes:
                connection.exec_driver_sql(f'DROP INDEX "{name}"')
            for index in table.indexes:
                index.create(connection)


def _make_anew(connection: Connection, table: sa.Table, theirs: shape.Table, dropped: set[tuple[str, str]]) -> None:
    """Make a table anew under another name, take the rows over, and put it in the old one's place."""
    names = [column.name for column in table.columns]
    lacking = [name for name in names if name not in theirs.columns]
    lost = [name for name in theirs.columns if name not in names and (table.name, name) not in dropped]
    if lacking or lost:
        raise LookupError(f"no migration says what becomes of {', '.join(lacking + lost)} of {table.name}")
    fresh = f"new_{table.name}"
    copied = table.to_metadata(sa.MetaData(), name=fresh)
    connection.execute(sa.schema.CreateTable(copied))  # without its indexes: they are made when the rows are in
    columns = ", ".join(f'"{name}"' for name in names)
    connection.exec_driver_sql(f"INSERT INTO {fresh} ({columns}) SELECT {columns} FROM {table.name}")  # noqa: S608
    connection.exec_driver_sql(f"DROP TABLE {table.name}")
    connection.exec_driver_sql(f"ALTER TABLE {fresh} RENAME TO {table.name}")
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f"ALTER INDEX {fresh}_pkey RENAME TO {table.name}_pkey")
    for index in table.indexes:
        index.create(connection)
