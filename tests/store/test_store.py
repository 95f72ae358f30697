"""The store: one transaction or nothing, append-only, numbered without gaps, each work once, told rightly when in doubt."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from tests.office.small import Clock
from tests.store.conftest import post_bill, run_plain
from xlbilling.store import Store, schema
from xlbilling.store.store import is_blank
from xlbilling.store.verify import verify
from xlbilling.words.problems import Conflict, Refusal


def refused(code: str, call: Callable[[], object]) -> Refusal:
    with pytest.raises(Refusal) as told:
        call()
    assert told.value.problem.code == code, told.value.line
    return told.value


# ---- create, open, version -------------------------------------------------------------------------------------------


def test_a_new_store_has_its_first_lead_and_opens_again(url: str) -> None:
    Store.create(url, "lea", Clock()).close()
    store = Store.open(url)
    assert store.value("SELECT value FROM policy WHERE topic = 'staff' AND setting = 'lea'") == "lead"
    assert store.table("events")["action"].tolist() == ["create"]
    assert verify(store) == []
    store.close()


def test_a_store_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    refused("no_store", lambda: Store.open(f"sqlite:///{tmp_path / 'none.db'}"))
    assert list(tmp_path.iterdir()) == []


def test_something_else_than_a_store_is_refused(url: str) -> None:
    if url.startswith("sqlite"):
        Path(url.removeprefix("sqlite:///")).touch()
    refused("no_store", lambda: Store.open(url))


def test_a_file_that_is_no_database_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("call the bank about the returned check " * 10)
    refused("no_store", lambda: Store.open(f"sqlite:///{tmp_path / 'notes.db'}"))
    assert (tmp_path / "notes.db").read_text().startswith("call the bank")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_store_that_was_stopped_while_it_was_made_is_none_and_can_be_made_again(url: str) -> None:
    child = os.fork()
    if not child:
        Store.set_triggers = lambda store, connection: os.kill(os.getpid(), signal.SIGKILL)
        Store.create(url, "lea", Clock())
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    refused("no_store", lambda: Store.open(url))
    assert is_blank(url)
    store = Store.create(url, "lea", Clock())
    assert not is_blank(url)
    assert verify(store) == []
    store.close()


def test_a_store_of_another_version_is_refused(store: Store) -> None:
    """An earlier one can be migrated; a later one is left to the program that knows it, by works begun before too."""

    def write() -> None:
        with store.work("lea", "late") as work:
            work.event("never")

    for other, code in ((schema.VERSION - 1, "store_earlier"), (schema.VERSION + 1, "store_version")):
        run_plain(store, f"UPDATE meta SET value = '{other}' WHERE name = 'version'")
        assert f"version {other}" in str(refused(code, lambda: Store.open(store.url)))
        refused(code, write)
    assert store.value("SELECT COUNT(*) FROM events WHERE detail = 'never'") == 0


def test_a_store_is_not_made_over_another(store: Store) -> None:
    with pytest.raises(DBAPIError):
        Store.create(store.url, "somebody")


# ---- append-only -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", schema.APPEND_ONLY)
def test_documents_are_only_ever_added(posted: Store, table: str) -> None:
    column = schema.metadata.tables[table].columns.keys()[0]
    fill_one(posted, table)
    for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append_only"):
            run_plain(posted, statement)

    def through_a_work() -> None:
        with posted.work("lea", "forge") as work:
            work.event("forged")
            work.execute(f"DELETE FROM {table}")

    count = posted.value(f"SELECT COUNT(*) FROM {table}")
    assert table in str(refused("append_only", through_a_work))
    assert posted.value(f"SELECT COUNT(*) FROM {table}") == count > 0


def fill_one(store: Store, table: str) -> None:
    """A row in a table that has none yet."""
    if store.value(f"SELECT COUNT(*) FROM {table}"):
        return
    columns = schema.metadata.tables[table].columns
    blank = {"INTEGER": 1, "BIGINT": 1, "TEXT": "x"}
    values = {c.name: b"x" if c.type.__class__.__name__ == "LargeBinary" else blank[str(c.type)] for c in columns}
    with store.work("lea", "fill") as work:
        work.insert_one(table, **values)


@pytest.mark.parametrize("table", schema.POSTED_STAYS)
def test_posted_rows_stay_and_open_ones_may_change(store: Store, table: str) -> None:
    columns = schema.metadata.tables[table].columns
    key = columns.keys()[0]
    with store.work("lea", "fill") as work:
        for state in ("open", "posted"):
            values = {c.name: 1 if "INT" in str(c.type) else "2026-11-01" for c in columns}
            values |= {key: state, "state": state}
            work.insert_one(table, **values)
    run_plain(store, f"UPDATE {table} SET period = 'y' WHERE {key} = 'open'")
    for statement in (f"UPDATE {table} SET period = 'y'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append_only"):
            run_plain(store, f"{statement} WHERE {key} = 'posted'")
    run_plain(store, f"DELETE FROM {table} WHERE {key} = 'open'")
    assert store.table(table)[key].tolist() == ["posted"]


def test_a_closed_period_takes_no_entries(store: Store) -> None:
    """Closed by somebody else while the work was under way: the database itself refuses."""
    for state in ("closed", None):
        run_plain(store, "DELETE FROM periods")
        if state:
            run_plain(store, "INSERT INTO periods (period, state) VALUES ('2026-11', 'closed')")

        def post() -> None:
            with store.work("lea", "post") as work:
                post_bill(work)

        assert isinstance(refused("period_closed", post), Conflict)
        assert store.value("SELECT COUNT(*) FROM bills") == 0


def test_one_standing_bill_for_a_service_and_its_days(posted: Store) -> None:
    def again() -> None:
        with posted.work("lea", "post") as work:
            post_bill(work, "S1")

    assert isinstance(refused("already_billed", again), Conflict)


# ---- numbers, keys, events -------------------------------------------------------------------------------------------


def test_numbers_have_no_gaps_though_works_fail(store: Store) -> None:
    class Stop(Exception):
        pass

    with store.work("lea", "post") as work:
        assert work.documents("B", 2) == ["B0000001", "B0000002"]
        work.event("two")

    def stopped() -> None:
        with store.work("lea", "post") as work:
            assert work.documents("B", 3) == ["B0000003", "B0000004", "B0000005"]
            work.event("three")
            raise Stop

    with pytest.raises(Stop):
        stopped()
    with store.work("lea", "post") as work:
        assert list(work.numbers("B")) == [3]
        work.event("one")
    assert store.table("events")["event"].tolist() == [1, 2, 3, 4]


def test_a_key_is_written_once(store: Store) -> None:
    for expected in (None, "Took in the file"):
        with store.work("lea", "import", "file 1") as work:
            assert work.done_before == expected
            if work.done_before is None:
                work.event("Took in the file")
    assert store.value("SELECT COUNT(*) FROM idempotency") == 1
    assert store.value("SELECT COUNT(*) FROM events WHERE action = 'import'") == 1


def test_a_work_that_does_nothing_leaves_nothing(store: Store) -> None:
    before = store.table("events")
    with store.work("lea", "look", "key"):
        pass
    pd.testing.assert_frame_equal(store.table("events"), before)
    assert store.value("SELECT COUNT(*) FROM idempotency") == 0


def test_two_writers_queue(store: Store) -> None:
    """Both read the last number and write the next: one after the other they give 1 and 2, at once they would clash."""
    other, seen, began = Store.open(store.url, Clock()), [], threading.Event()

    def write(who: Store, wait: float) -> None:
        with who.work("x", "write") as work:
            began.set()
            number = work.numbers("B").start
            time.sleep(wait)
            seen.append((number, wait))
            work.event("wrote")

    first = threading.Thread(target=write, args=(store, 0.5))
    first.start()
    began.wait()
    write(other, 0.0)
    first.join()
    other.close()
    assert seen == [(1, 0.5), (2, 0.0)]


def test_waiting_ends_with_a_conflict_that_changed_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlbilling.store.store._PATIENCE", 1)
    impatient = Store.open(store.url, Clock())
    with store.work("lea", "long") as work:
        work.event("long")

        def write() -> None:
            with impatient.work("x", "write") as other:
                other.event("never")

        assert isinstance(refused("store_busy", write), Conflict)
    impatient.close()
    assert store.value("SELECT COUNT(*) FROM events WHERE detail = 'never'") == 0


# ---- a commit nobody confirmed ---------------------------------------------------------------------------------------


class Broken(Exception):
    """What a driver raises when the disk or the network is gone."""


def breaking(monkeypatch: pytest.MonkeyPatch, store: Store, wrote: bool) -> None:
    """Let the store's next commit raise, after or before it wrote."""
    plain, armed = store.engine.dialect.do_commit, [True]

    def do_commit(connection: object) -> None:
        if armed and armed.pop():
            if wrote:
                plain(connection)
            raise OperationalError("COMMIT", {}, Broken("disk I/O error"))
        plain(connection)

    monkeypatch.setattr(store.engine.dialect, "do_commit", do_commit)


@pytest.mark.parametrize("key", ["a key", None])
def test_a_commit_that_wrote_and_then_failed_counts_as_written(
    store: Store, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    breaking(monkeypatch, store, wrote=True)
    with store.work("lea", "save", key) as work:
        work.insert_one("meta", name="n", value="v")
        work.event("Saved")
    assert store.value("SELECT value FROM meta WHERE name = 'n'") == "v"
    assert verify(store) == []


@pytest.mark.parametrize("key", ["a key", None])
def test_a_commit_that_failed_and_did_not_write_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    breaking(monkeypatch, store, wrote=False)

    def save() -> None:
        with store.work("lea", "save", key) as work:
            work.insert_one("meta", name="n", value="v")
            work.event("Saved")

    assert "disk I/O error" in str(refused("commit_failed", save))
    assert store.value("SELECT value FROM meta WHERE name = 'n'") is None
    save()  # and it can be done again
    assert store.value("SELECT value FROM meta WHERE name = 'n'") == "v"


def test_a_store_that_cannot_be_asked_is_said_to_be_in_doubt(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    breaking(monkeypatch, store, wrote=True)

    def gone(*_: object, **__: object) -> None:
        raise OperationalError("SELECT", {}, Broken("connection lost"))

    def save() -> None:
        with store.work("lea", "save") as work:
            work.event("Saved")
            monkeypatch.setattr(store, "value", gone)

    refused("commit_unknown", save)


# ---- frames ----------------------------------------------------------------------------------------------------------


def test_what_goes_in_comes_out_in_the_same_types(store: Store) -> None:
    rows = pd.DataFrame(
        {
            "cycle": ["A", "B"],
            "period": ["2026-11", "2026-12"],
            **{
                name: pd.Series(["2026-11-01", "2026-11-30"]).astype("datetime64[s]")
                for name in ("read_from", "read_to", "bill_date", "due_date", "delinquent_date", "autopay_date")
            },
            "rev": [1, 2],
        }
    )
    with store.work("lea", "fill") as work:
        work.insert("cycles", rows[::-1].sort_values("cycle"))
        work.event("filled")
    found = store.table("cycles")
    assert {name: str(dtype) for name, dtype in found.dtypes.items() if name not in ("cycle", "period")} == {
        **dict.fromkeys(found.columns[2:8], "datetime64[s]"), "rev": "int64"
    }  # fmt: skip
    assert found.to_dict("records") == rows.to_dict("records")


def test_gaps_in_dates_and_numbers_come_out_as_gaps(store: Store) -> None:
    with store.work("lea", "fill") as work:
        work.insert_rows("accounts", ["account_id", "name", "mail_street", "mail_city", "email", "phone", "delivery", "autopay", "status", "opened_on", "closed_on", "rev"],
                         [("007", "x", "", "", "", "", "paper", "no", "active", "2020-02-29", None, 1)])  # fmt: skip
        work.insert_one(
            "ledger_rows",
            import_id=1,
            row=1,
            date=None,
            gl_account="1",
            account_name="",
            reference="",
            description="",
            amount=-5,
        )
    account = store.table("accounts").iloc[0]
    assert account["account_id"] == "007"
    assert account["opened_on"] == pd.Timestamp("2020-02-29")
    assert account["closed_on"] is pd.NaT
    assert store.query("amount:int date:day?", "SELECT amount, date FROM ledger_rows").to_dict("records") == [
        {"amount": -5, "date": pd.NaT}
    ]
