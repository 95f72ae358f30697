"""What the store holds: working tables made from the declarations, documents that are only ever added, and the books.

Text is text, money whole cents, quantities millionths, dates ISO text (YYYY-MM-DD sorts and compares rightly and is the
same on SQLite and PostgreSQL). Posted documents and the journal are append-only by trigger; a row's state is one of the
words that xlbilling.words.states allows its table.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from xlbilling.trade.documents import KINDS, typed_tables
from xlbilling.words.records import TABLE
from xlbilling.words.states import DOCUMENT, OPEN, POSTED, STATES, one_of

VERSION: Final = 9  # of what is declared here; each change of it has a number and a function in store.migrations
WORKING: Final = tuple(name for name, table in TABLE.items() if table.sheet.working)

metadata: Final = MetaData()


class Day(Text):
    """A day as ISO text: to the database text, to a frame a date."""


class Since(Day):
    """The first day of something as ISO text, "" for always: a key can hold it, and always sorts before every day."""


def column(spec: str) -> Column[str] | Column[int] | Column[bytes]:
    """A column from `name`, `name:int`, `name:day`, `name:since` or `name:blob`; a trailing `?` lets it be empty (NULL)."""
    optional = spec.endswith("?")
    name, _, kind = spec.rstrip("?").partition(":")
    sort = {"": Text, "int": BigInteger, "day": Day, "since": Since, "blob": LargeBinary}[kind]
    return Column(name, sort, nullable=optional, autoincrement=False)  # numbers are given out by Work.numbers


def _table(name: str, key: str, columns: str, *indexes: Index) -> Table:
    parts = [column(spec) for spec in columns.split()]
    states = STATES.get(name, DOCUMENT if name in typed_tables() else ())
    checks = [CheckConstraint(one_of(states), name=f"{name}_state") for part in parts if part.name == "state"]
    return Table(name, metadata, *parts, PrimaryKeyConstraint(*key.split()), *checks, *indexes)


def _working(name: str) -> Table:
    """The store's side of a sheet that Save writes: its typed and given columns, and the row's revision."""
    return _table(name, " ".join(TABLE[name].key), " ".join(_spec(name, field) for field in stored_columns(name)))


def _spec(name: str, field: str) -> str:
    """The store's column of a declared one; a date may be blank, and a number that need not be typed."""
    declared = TABLE[name].columns[field]
    if declared.kind == "date" and field in TABLE[name].key:
        return f"{field}:since"
    kind, number = declared.kind, declared.kind in ("money", "quantity", "whole")
    optional = kind == "date" or (number and not declared.required)
    return f"{field}{':int' if number else ':day' if kind == 'date' else ''}{'?' if optional else ''}"


def stored_columns(name: str) -> list[str]:
    """Names of the columns of a working table that the store keeps: what is typed or given, and `rev`."""
    return [*TABLE[name].names("typed", "given"), "rev"]


for _name in WORKING:
    _working(_name)

Index("services_account", metadata.tables["services"].c.account_id)
Index("services_cycle", metadata.tables["services"].c.cycle)
Index("meters_service", metadata.tables["meters"].c.service_id)


def columns_of(name: str) -> dict[str, str]:
    """The columns of a table with their sorts, as a view declares its own: "", "int", "day" or "blob", with `?`."""
    sorts = {BigInteger: "int", Day: "day", Since: "day", LargeBinary: "blob"}
    return {
        c.name: sorts.get(type(c.type), "") + ("?" if c.nullable else "")
        for c in metadata.tables[name].columns
    }  # fmt: skip


# Every revision of every working row, so that nothing is lost and a conflict can be told from a stale row.
_table("row_history", "table_name row_key rev", "table_name row_key rev:int event:int content")

_table("meta", "name", "name value")
_table("events", "event", "event:int at actor action detail seal")
_table("idempotency", "key", "key event:int outcome")
_table("numbers", "series", "series next:int")
_table("undo", "undo_id", "undo_id:int event:int actor action inverse state")

_table("periods", "period", "period state closed_by? closed_at? packet?")
_table("signoffs", "period item", "period item reason actor at")

_table(
    "imports",
    "import_id",
    "import_id:int kind cycle period file_name digest layout rows_in:int taken:int rejected:int duplicates:int "
    "changed:int state at actor interval_rows:int? earlier_rows:int?",
)
_table(
    "rejects",
    "reject_id",
    "reject_id import_id:int source_line:int code message content meter_id register_id read_date:day? dial_read unit "
    "decision reason decided_by decided_at state rev:int read_id:int?",
    Index("rejects_import", "import_id"),
)
_table(
    "payment_rejects",
    "reject_id",
    "reject_id import_id:int source_line:int code message content received_on:day? account_id amount:int? method reference "
    "decision reason decided_by decided_at state rev:int payment_id period",
    Index("payment_rejects_import", "import_id"),
)
# What the interval rows of a file say of each register: how long water ran without a stop, and how little at the least.
_table(
    "intervals",
    "import_id meter_id register_id",
    "import_id:int meter_id register_id unit first_hour last_hour hours:int missing:int running_hours:int "
    "least:int total:int",
)
_table(
    "reads",
    "read_id",
    "read_id:int import_id:int cycle period account_id meter_id register_id read_date:day? read_time dial_read "
    "read_value:int? unit read_code source_line:int state superseded_by:int?",
)
Index("reads_run", metadata.tables["reads"].c.cycle, metadata.tables["reads"].c.period)
_table(
    "consumption_history",
    "service_id service_to",
    "service_id service_from:day service_to:day days:int consumption:int unit read_code",
)
_table(
    "exceptions",
    "cycle period exception_id",
    "cycle period exception_id severity rule service_id account_id meter_id place fact remedy money_at_risk:int "
    "decision override_read override_date:day? reason decided_by decided_at state rev:int",
)

# A bill is the account's: the document, a section for each service, the lines and the reads of each section.
_BILL = "bill_key kind account_id cycle period amount:int bill_date:day due_date:day state why replaces"
_SECTION = (
    "service_id customer_class tariff service_from:day service_to:day days:int consumption:int unit read_code amount:int "
    "carried:int estimate meter_size inputs nominal_days:int"
)
_LINE = (
    "line:int service_id charge tier:int quantity:int rate unit amount:int gl_account segment_from:day segment_to:day basis "
    "effective_from:day resolution"
)
_METERED = "service_id meter_id register_id read_id:int? previous_date:day previous_read read_date:day dial_read unit read_code consumption:int"
_table("draft_bills", "bill_key", _BILL, Index("draft_bills_run", "cycle", "period"))
_table(
    "draft_services",
    "bill_key service_id",
    f"bill_key {_SECTION} state why",
    Index("draft_services_service", "service_id"),
)
_table("draft_lines", "bill_key line", f"bill_key {_LINE}")
_table(
    "draft_reads",
    "bill_key meter_id register_id",
    f"bill_key {_METERED}",
    Index("draft_reads_read", "read_id"),
)
_table(
    "bills",
    "number",
    f"number batch {_BILL}",
    Index("bills_account", "account_id"),
    Index("bills_run", "cycle", "period"),
    Index("bills_batch", "batch"),
)
_table(
    "bill_services",
    "number service_id",
    f"number {_SECTION}",
    Index("bill_services_service", "service_id", "service_to"),
)
_table("bill_lines", "number line", f"number {_LINE}")
_table(
    "bill_reads",
    "number meter_id register_id",
    f"number {_METERED}",
    Index("bill_reads_meter", "meter_id"),
    Index("bill_reads_read", "read_id"),
)
# One row for each section of a bill that stands: a second one for the same service and days cannot be written.
_table(
    "standing_bills",
    "service_id service_to",
    "service_id service_from:day service_to:day number",
    Index("standing_from", "service_id", "service_from", unique=True),
    Index("standing_number", "number"),
)
# Services that the lead lets a run's bills go without, each with the reason; their days go on the next bill.
_table(
    "left_out",
    "cycle period service_id",
    "cycle period service_id decision reason decided_by decided_at rev:int",
)
_table(
    "batches",
    "batch",
    "batch kind cycle period state created_at actor posted_at? documents:int amount:int",
)

# Documents that are typed or taken in: what their sheet takes, the number and the batch they get, the month they post in,
# and their author, who typed them or took them in.
_BESIDE: Final = {"payments": "import_id:int?"}  # what the store keeps beside it: the file a receipt came in


def _documents(name: str) -> Table:
    """The table of documents that are typed on a sheet; each has a posting day once it is taken in."""
    key, dated = TABLE[name].key[0], {kind.dated for kind in KINDS if kind.table == name}
    typed = [f"{field}:day" if field in dated else _spec(name, field) for field in TABLE[name].names("typed")]
    columns = " ".join([key, "batch", *typed, _BESIDE.get(name, ""), "author period state rev:int"])
    return _table(name, key, columns, Index(f"{name}_account", "account_id"))


for _name in typed_tables():
    _documents(_name)
_table("reversals", "document", "document reversed_by reason at actor")
_table(
    "entries",
    "entry",
    "entry:int period post_date:day kind batch document reverses:int? author actor posted_at",
    Index("entries_document", "document"),
    Index("entries_batch", "batch"),
    Index("entries_period", "period"),
    Index("entries_reverses", "reverses"),
)
_table(
    "journal",
    "entry line",
    "entry:int line:int gl_account account_id amount:int",
    Index("journal_account", "account_id", "gl_account"),
)

_table(
    "audits", "audit_id", "audit_id:int cycle period inputs state difference:int? lines:int recalculated_by at actor"
)
_table(
    "ledger_rows",
    "import_id row",
    "import_id:int row:int date:day? gl_account account_name reference description amount:int",
)
_table("reconciliations", "period at", "period at actor inputs state difference:int unexplained:int content")
_table("printed", "batch", "batch file_name content:blob digest at")

APPEND_ONLY: Final = (
    "events",
    "row_history",
    "idempotency",
    "bills",
    "bill_services",
    "bill_lines",
    "bill_reads",
    "reversals",
    "entries",
    "journal",
    "printed",
    "consumption_history",
)
_PERIOD_IS_OPEN: Final = f"EXISTS (SELECT 1 FROM periods WHERE period = NEW.period AND state = '{OPEN}')"  # noqa: S608
POSTED_STAYS: Final = (*typed_tables(), "batches")


def triggers(dialect: str) -> list[str]:
    """The rules the database itself enforces: append-only documents, posted rows fixed, closed periods shut."""
    return _sqlite_triggers() if dialect == "sqlite" else _postgres_triggers()


def _sqlite_triggers() -> list[str]:
    made = []
    for name in APPEND_ONLY:
        for verb in ("UPDATE", "DELETE"):
            made.append(
                f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
                f"BEGIN SELECT RAISE(ABORT, 'append_only: {name}'); END"
            )
    for name in POSTED_STAYS:
        for verb in ("UPDATE", "DELETE"):
            made.append(
                f"CREATE TRIGGER {name}_posted_{verb.lower()} BEFORE {verb} ON {name} WHEN OLD.state = '{POSTED}' "
                f"BEGIN SELECT RAISE(ABORT, 'append_only: {name}'); END"
            )
    made.append(
        f"CREATE TRIGGER entries_open_period BEFORE INSERT ON entries WHEN NOT {_PERIOD_IS_OPEN} "
        "BEGIN SELECT RAISE(ABORT, 'period_closed'); END"
    )
    return made


def _postgres_triggers() -> list[str]:
    made = [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION 'append_only: %', TG_TABLE_NAME; END $$",
        "CREATE OR REPLACE FUNCTION refuse_posted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF OLD.state = '{POSTED}' THEN RAISE EXCEPTION 'append_only: %', TG_TABLE_NAME; END IF; "
        "IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END $$",
        "CREATE OR REPLACE FUNCTION refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NOT {_PERIOD_IS_OPEN} THEN RAISE EXCEPTION 'period_closed'; END IF; RETURN NEW; END $$",
        "CREATE TRIGGER entries_open_period BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION refuse_closed()",
    ]
    made += [
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        for name in APPEND_ONLY
    ]
    made += [
        f"CREATE TRIGGER {name}_posted BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW EXECUTE FUNCTION refuse_posted()"
        for name in POSTED_STAYS
    ]
    return made
