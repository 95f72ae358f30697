"""Migrations: a store of an earlier version becomes one of this version whole, or stays what it was.

The kept stores are as the programs of those versions left them. Whoever changes the schema raises VERSION, adds the
function and the digest; the kept stores then show whether the function does all that is needed.
"""

from __future__ import annotations

import hashlib
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tests.office.small import Clock
from tests.store.cluster import cluster
from tests.store.conftest import run_plain
from tests.store.kept import load, unpack
from tests.store.test_store import refused
from xlbilling.store import Store, migrations, schema, shape
from xlbilling.store.backup import back_up, restore
from xlbilling.store.migrations import MIGRATIONS, Old, migrate, opened
from xlbilling.store.store import version
from xlbilling.store.verify import verify

KEPT: Final = (2,)
DIGEST: Final = {  # of the schema of each version, on both databases
    3: "c4a0afdccaffbd1f8f4ace73891939b1bc37e66c1f51a6b7bbef013a92c6f574",
    4: "c4a0afdccaffbd1f8f4ace73891939b1bc37e66c1f51a6b7bbef013a92c6f574",
    6: "8d2bf6373e15235e8b1303e5a9f77ed376b2a2475587964181816f2cc1d5fc1c",
    5: "aeecdcd062300b49801dbab9e3d265e20ade367a934fad72159dac934abf0d1d",
    7: "dd810f2c9d8ed3798f0e0e53e336c59d7d3198a355d5fa391b651d9b7753e8de",
    8: "b13d87a6662e8c923b39ac234c3b9f0981ba94cf3a2ba262e5948140c0ce6bb8",
    9: "b2355bde76c836ebe2255a8744289070c820514431da2837a76d7c7ec8b91be0",
}


# Kind, author and poster of the kept entries: cora took the receipts' files in, the lead posted; a reversal of a receipt is
# the lead's alone.
AUTHORS: Final = {
    ("opening", "lea", "lea"),
    ("billing", "lea", "lea"),
    ("payment", "cora", "lea"),
    ("payment", "lea", "lea"),
    ("adjustment", "lea", "lea"),
}


@pytest.fixture(params=KEPT)
def earlier(request: pytest.FixtureRequest, url: str) -> str:
    """A store of an earlier version on either database."""
    return put(request.param, url)


def put(number: int, url: str) -> str:
    """The kept store of a version at a URL where there is none yet."""
    if url.startswith("sqlite"):
        return unpack(number, Path(url.removeprefix("sqlite:///")))
    load(number, url)
    return url


def content(url: str) -> tuple[dict[str, shape.Table], dict[str, list[Any]]]:
    """All a store holds: how its tables stand, and every row of each by column."""
    engine = Store.engine_of(url)
    with engine.connect() as connection:
        tables = shape.standing(connection)
        rows = {
            name: [dict(r._mapping) for r in connection.execute(sa.text(f"SELECT * FROM {name} ORDER BY {', '.join(t.key)}"))]
            for name, t in tables.items()
        }  # fmt: skip
    engine.dispose()
    return tables, rows


# ---- nothing is forgotten --------------------------------------------------------------------------------------------


def test_a_changed_schema_has_a_version_of_its_own() -> None:
    """Fails where schema.py was changed and VERSION was not: raise it, add a migration, and note the digest above."""
    dialects = (sqlite.dialect(), postgresql.dialect())
    text = repr([sorted(shape.declared(dialect).items()) for dialect in dialects])
    assert DIGEST[schema.VERSION] == hashlib.sha256(text.encode()).hexdigest()


def test_every_version_since_the_first_kept_one_has_its_migration() -> None:
    assert sorted(MIGRATIONS) == list(range(min(KEPT) + 1, schema.VERSION + 1))
    with pytest.raises(ValueError, match="twice"):
        migrations.migration(schema.VERSION, "again")(lambda old: None)


def test_a_new_store_stands_as_declared_and_a_change_made_around_the_program_is_named(store: Store) -> None:
    assert store.differences() == []
    run_plain(
        store, "DROP INDEX bills_batch", "CREATE INDEX mine ON bills (why)", "ALTER TABLE reads ADD COLUMN note TEXT"
    )
    assert sorted(store.differences()) == [
        "columns of reads: note does not belong there",
        "indexes of bills: bills_batch is missing",
        "indexes of bills: mine does not belong there",
    ]


# ---- a store of an earlier version -----------------------------------------------------------------------------------


def test_a_migrated_store_is_as_a_new_one_and_has_all_its_rows(earlier: str, url: str, tmp_path: Path) -> None:
    before = content(earlier)
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    assert verify(store) == []
    store.close()
    new = cluster().database() if url.startswith("postgres") else f"sqlite:///{tmp_path / 'new.db'}"
    Store.create(new, "lea", Clock()).close()
    after, wanted = content(earlier), content(new)
    assert list(after[0]) == list(wanted[0])
    for name, table in wanted[0].items():
        assert (after[0][name], after[0][name].made) == (table, table.made)
    for name, rows in before[1].items():
        if name not in ("meta", "events", "undo", "policy", "rejects", "bills"):
            assert [{c: row[c] for c in row if c in rows[0]} for row in after[1][name]] == rows, name
    # An entry has an author: of a receipt who took its file in, of all others their poster.
    assert {(row["kind"], row["author"], row["actor"]) for row in after[1]["entries"]} == AUTHORS
    assert {row["author"] for row in after[1]["payments"]} == {"cora"}
    # An override of before had no day.
    assert {row["override_date"] for row in after[1]["exceptions"]} == {None}
    # Checks that are new stand on Policy with their standard values; the rules that were there stay as they were.
    # All of them are in force always; where they stand is not known.
    always = [row | {"effective_from": "", "source": ""} for row in before[1]["policy"]]
    assert [row for row in after[1]["policy"] if row in always] == always
    assert {(row["effective_from"], row["source"]) for row in after[1]["policy"]} == {("", "")}
    assert after[0]["policy"].key == ("topic", "setting", "effective_from")
    assert {row["setting"] for row in after[1]["policy"]} - {row["setting"] for row in before[1]["policy"]} <= {
        "days", "service_ended", "zeros_lost",
    }  # fmt: skip
    # Rejected rows of payments files have a sheet of their own; none is lost on the way.
    of_payments = {row["import_id"] for row in before[1]["imports"] if row["kind"] == "payments"}
    stay = [row for row in before[1]["rejects"] if row["import_id"] not in of_payments]
    moved = {row["reject_id"] for row in before[1]["rejects"]} - {row["reject_id"] for row in stay}
    assert after[1]["rejects"] == stay
    assert {row["reject_id"] for row in after[1]["payment_rejects"]} == moved
    # What Undo kept were statements of the earlier program: nothing is left to be run.
    assert [row["undo_id"] for row in after[1]["undo"]] == [row["undo_id"] for row in before[1]["undo"]]
    assert {(row["state"] == "ready", row["inverse"]) for row in after[1]["undo"] if row["state"] != "undone"} <= {
        (False, "[]")
    }
    events, count = after[1]["events"], len(before[1]["events"])
    assert events[:count] == before[1]["events"]
    assert [(e["actor"], e["action"]) for e in events[count:]] == [("cora", "migrate")] * len(MIGRATIONS)
    if url.startswith("postgres"):
        cluster().drop(new)


def test_every_old_bill_is_a_document_with_one_section(earlier: str, tmp_path: Path) -> None:
    """Number, amounts, days and reads stay; a draft of before is gone, and the event says to press Compute."""
    names = ", ".join(content(earlier)[0]["draft_bills"].columns)
    store = Store.of_any_version(earlier, Clock())
    run_plain(
        store,
        f"INSERT INTO draft_bills ({names}) SELECT {names} FROM bills WHERE number = 'B0000001'",
        "UPDATE draft_bills SET state = 'draft', bill_key = 'S09 2026-12-05', service_id = 'S09', cycle = 'B'",
        "INSERT INTO meta (name, value) VALUES ('drafts B 2026-12', 'x')",
    )
    store.close()
    before = content(earlier)[1]
    opened(earlier, "cora", tmp_path / "backups", Clock()).close()
    after = content(earlier)[1]
    sections = {row["number"]: row for row in after["bill_services"]}
    assert len(sections) == len(after["bill_services"]) == len(after["bills"]) == len(before["bills"]) == 8
    for old, bill in zip(before["bills"], after["bills"], strict=True):
        both = sections[bill["number"]] | bill
        assert {name: both[name] for name in old if name != "bill_key"} == {
            n: v for n, v in old.items() if n != "bill_key"
        }
        assert (bill["kind"], bill["bill_key"]) == ("bill", f"{old['account_id']} {old['cycle']} {old['period']}")
    of_bill = {row["number"]: row["service_id"] for row in before["bills"]}
    for table in ("bill_lines", "bill_reads"):
        assert {row["service_id"] == of_bill[row["number"]] for row in after[table]} == {True}
    assert after["standing_bills"] == before["standing_bills"]
    assert not after["draft_bills"]
    assert not [row for row in after["meta"] if row["name"].startswith("drafts")]
    assert [row for row in after["events"] if "press Compute for each run that was not posted" in row["detail"]]


def test_findings_that_were_posted_undecided_are_closed_as_billed(earlier: str, tmp_path: Path) -> None:
    """S05 was billed in 2026-11 with its rollover undecided, and so was the run of the stranger; December still waits."""
    store = Store.of_any_version(earlier)
    run_plain(
        store,
        "UPDATE exceptions SET state = 'open', decision = '' WHERE exception_id = 'rollover M05'",
        "INSERT INTO exceptions SELECT 'A', '2026-11', 'unknown_meter M99', severity, 'unknown_meter', '', account_id, "
        "meter_id, place, fact, remedy, money_at_risk, decision, override_read, reason, decided_by, decided_at, state, rev "
        "FROM exceptions WHERE exception_id = 'rollover M05'",
    )
    store.close()
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    assert store.query("exception_id state", "SELECT exception_id, state FROM exceptions ORDER BY exception_id").to_numpy().tolist() == [
        ["high S10", "open"], ["missing_read M12", "open"], ["rollover M05", "billed"], ["unknown_meter M99", "billed"],
    ]  # fmt: skip
    store.close()


def test_what_was_done_is_said_and_the_backup_is_the_store_of_before(earlier: str, url: str, tmp_path: Path) -> None:
    before = content(earlier)
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    backup = next((tmp_path / "backups").iterdir())
    assert store.migrated == f"The store was brought from version 2 to {schema.VERSION}; backup {backup.name}. "
    assert backup.name in store.table("events")["detail"].iloc[-1]
    assert migrate(store, "cora", tmp_path / "backups") == ""
    assert len(list((tmp_path / "backups").iterdir())) == 1
    store.close()
    assert content(f"sqlite:///{backup}")[1] == before[1]


def test_a_backup_of_an_earlier_version_is_put_back_and_then_migrated(earlier: str, url: str, tmp_path: Path) -> None:
    before = Store.of_any_version(earlier, Clock())
    backup = back_up(before, tmp_path / "backups", "post")
    before.close()
    for target in (f"sqlite:///{tmp_path / 'restored.db'}", cluster().database()):
        assert restore(backup, target) == 2
        refused("store_earlier", lambda target=target: Store.open(target))
        store = opened(target, "lea", tmp_path / "backups", Clock())
        assert verify(store) == []
        assert store.value("SELECT COUNT(*) FROM bills") == 8
        store.close()


def test_two_clerks_at_once_migrate_once(earlier: str, tmp_path: Path) -> None:
    said: list[str] = []

    def sit_down(actor: str) -> None:
        store = opened(earlier, actor, tmp_path / actor, Clock())
        said.append(store.migrated)
        store.close()

    clerks = [threading.Thread(target=sit_down, args=(actor,)) for actor in ("cora", "carl")]
    for clerk in clerks:
        clerk.start()
    for clerk in clerks:
        clerk.join()
    store = Store.open(earlier, Clock())
    assert sorted(map(bool, said)) == [False, True]
    assert store.value("SELECT COUNT(*) FROM events WHERE action = 'migrate'") == len(MIGRATIONS)
    assert verify(store) == []
    store.close()


# ---- what stops it ---------------------------------------------------------------------------------------------------


def stopped(earlier: str, folder: Path) -> str:
    """The words of a migration that failed; the store is proved to be what it was."""
    before = content(earlier)
    refusal = refused("migration_failed", lambda: opened(earlier, "cora", folder, Clock()))
    assert content(earlier) == before
    return str(refusal)


def test_a_migration_that_fails_leaves_the_store_and_names_the_backup(
    earlier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(old: Old) -> None:
        old.execute("UPDATE payments SET reference = 'lost'")
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setitem(MIGRATIONS, 3, migrations.Migration(3, "fails", fails))
        words = stopped(earlier, tmp_path / "backups")
    backup = next((tmp_path / "backups").iterdir())
    assert f"still of version 2, the backup {backup.name} was made and checked: a fault of ours" in words
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    assert verify(store) == []
    store.close()


def test_a_row_the_new_version_does_not_allow_stops_it(earlier: str, tmp_path: Path) -> None:
    store = Store.of_any_version(earlier)
    run_plain(store, "UPDATE payments SET state = 'lost' WHERE payment_id = 'P0000005'")
    store.close()
    assert "payments_state" in stopped(earlier, tmp_path / "backups")


def test_a_store_that_is_not_proved_is_not_migrated(earlier: str, tmp_path: Path) -> None:
    store = Store.of_any_version(earlier)
    run_plain(store, "UPDATE numbers SET next = 9 WHERE series = 'P'")
    store.close()
    assert "receipts are numbered without gaps" in stopped(earlier, tmp_path / "backups")


def test_without_a_backup_nothing_is_begun(earlier: str, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("a file where the folder should be")
    assert "no backup was made" in stopped(earlier, tmp_path / "backups")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("point", ["back_up", "reshape", "verify"])
def test_a_killed_migration_leaves_the_store(earlier: str, tmp_path: Path, point: str) -> None:
    before = content(earlier)
    plain = getattr(migrations, point)

    def work_and_die(*given: Any) -> None:
        plain(*given)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if not child:
        setattr(migrations, point, work_and_die)
        opened(earlier, "cora", tmp_path / "backups", Clock())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert content(earlier) == before
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    assert verify(store) == []
    store.close()


def test_a_store_of_a_later_version_or_of_none_known_is_refused(earlier: str, tmp_path: Path) -> None:
    store = Store.of_any_version(earlier)
    for number, code in ((schema.VERSION + 1, "store_version"), (1, "migration_failed")):
        run_plain(store, f"UPDATE meta SET value = '{number}' WHERE name = 'version'")
        refused(code, lambda: opened(earlier, "cora", tmp_path / "backups", Clock()))
        assert version(store) == number
    store.close()


# ---- the next migration ----------------------------------------------------------------------------------------------


@pytest.fixture
def declare_next(monkeypatch: pytest.MonkeyPatch) -> Callable[..., sa.MetaData]:
    """Declares the next version: a schema changed by `change(tables)`, and its migration."""

    def declare(change: Callable[[sa.MetaData], object], run: Callable[[Old], None]) -> sa.MetaData:
        tables = sa.MetaData()
        for table in schema.metadata.sorted_tables:
            table.to_metadata(tables)
        change(tables)
        number = schema.VERSION + 1
        monkeypatch.setattr(schema, "metadata", tables)
        monkeypatch.setattr(schema, "VERSION", number)
        monkeypatch.setitem(MIGRATIONS, number, migrations.Migration(number, "the next", run))
        return tables

    return declare


def _next(tables: sa.MetaData) -> None:
    """Receipts say how much of them was of use: a new column, one dropped, one renamed; a table comes, another goes."""
    columns = {column.name: column for column in tables.tables["payments"].columns}
    tables.remove(tables.tables["payments"])
    tables.remove(tables.tables["printed"])
    kept = [
        sa.Column({"reference": "check_number"}.get(name, name), column.type, nullable=column.nullable)
        for name, column in columns.items()
        if name != "import_id"
    ]
    check = sa.CheckConstraint("half >= 0", name="payments_half")
    sa.Table("payments", tables, *kept, schema.column("half:int"), sa.PrimaryKeyConstraint("payment_id"), check)
    sa.Table("notices", tables, schema.column("notice:int"), sa.PrimaryKeyConstraint("notice"))


def _half(old: Old) -> None:
    old.rename_column("payments", "reference", "check_number")
    old.drop_column("payments", "import_id")
    old.add_column("payments", "half:int", "amount / 2")
    old.drop_table("printed")


def test_columns_and_tables_come_go_and_are_renamed(
    earlier: str, tmp_path: Path, declare_next: Callable[..., sa.MetaData], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schema, "APPEND_ONLY", tuple(name for name in schema.APPEND_ONLY if name != "printed"))
    declare_next(_next, _half)
    store = opened(earlier, "cora", tmp_path / "backups", Clock())
    # receipts of 45.00, 30.00, 12.00, 84.00 and 68.25, their checks and half of each, in cents
    assert store.query("check_number half:int", "SELECT check_number, half FROM payments ORDER BY payment_id").values.tolist() == [
        ["C1", 2250], ["W2", 1500], ["C3", 600], ["C7", 4200], ["W8", 3412],
    ]  # fmt: skip
    assert store.differences() == []
    assert store.value("SELECT COUNT(*) FROM notices") == 0
    assert {"printed"}.isdisjoint(content(earlier)[0])
    store.close()


@pytest.mark.parametrize("forgotten", ["add_column", "drop_column", "rename_column"])
def test_a_column_that_was_not_accounted_for_stops_it(
    earlier: str,
    tmp_path: Path,
    declare_next: Callable[..., sa.MetaData],
    monkeypatch: pytest.MonkeyPatch,
    forgotten: str,
) -> None:
    monkeypatch.setattr(schema, "APPEND_ONLY", tuple(name for name in schema.APPEND_ONLY if name != "printed"))
    declare_next(_next, _half)
    monkeypatch.setattr(Old, forgotten, lambda *given: None)
    assert "no migration says what becomes of" in stopped(earlier, tmp_path / "backups")
