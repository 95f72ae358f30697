"""An empty store on SQLite and on PostgreSQL, and one of the small district after a posting."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.office.small import Clock
from tests.store.cluster import cluster
from xlbilling.office.posting import entries_of, write_batch, write_entries
from xlbilling.store import Store, Work
from xlbilling.store.store import sqlite_path
from xlbilling.trade import journal as ledger


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Where a store of the test's own can be made, on either database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'billing.db'}"
        return
    made = cluster().database()
    yield made
    cluster().drop(made)


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def pattern(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store with an open period and three ledger accounts, made once on each kind of database."""
    file = tmp_path_factory.mktemp("pattern") / "billing.db"
    url = f"sqlite:///{file}" if request.param == "sqlite" else cluster().database()
    made = Store.create(url, "lea", Clock())
    with made.work("lea", "open") as work:
        work.event("Opened 2026-11")
        work.insert_one("periods", period="2026-11", state="open")
        names = ["gl_account", "name", "role", "rev"]
        work.insert_rows("gl_accounts", names, [("1010", "Cash", "cash", 1), ("1210", "AR", "receivable", 1), ("4020", "Water", "revenue", 1)])  # fmt: skip
    made.close()
    return url


@pytest.fixture
def store(pattern: str, tmp_path: Path) -> Iterator[Store]:
    """A copy of that store, of the test's own."""
    source = sqlite_path(pattern)
    if source is None:
        url = cluster().database(like=pattern)
    else:
        shutil.copy(source, tmp_path / "billing.db")
        url = f"sqlite:///{tmp_path / 'billing.db'}"
    made = Store.open(url, Clock())
    yield made
    made.close()
    if source is None:
        cluster().drop(url)


def post_bill(
    work: Work, service: str = "S1", amount: int = 5565, day: str = "2026-11-05", period: str = "2026-11"
) -> str:
    """Post one bill of one line as Post does it: number, lines, standing row, batch, balanced entry."""
    number = work.documents("B")[0]
    batch = write_batch(work, "bills", "A", period, 1, amount)
    bill = {
        "number": number, "batch": batch, "bill_key": f"01 A {period}", "kind": "bill", "account_id": "01", "cycle": "A", "period": period,
        "amount": amount, "bill_date": "2026-11-12", "due_date": "2026-12-07", "state": "posted", "why": "", "replaces": "",
    }  # fmt: skip
    work.insert_one("bills", **bill)
    section = {
        "number": number, "service_id": service, "customer_class": "R", "tariff": "W", "service_from": "2026-09-05", "service_to": day,
        "days": 61, "consumption": 12_000_000, "unit": "CCF", "read_code": "actual", "amount": amount, "carried": 0, "estimate": "",
        "meter_size": "", "inputs": "", "nominal_days": 0,
    }  # fmt: skip
    work.insert_one("bill_services", **section)
    line = {
        "number": number, "line": 1, "service_id": service, "charge": "Water", "tier": 0, "quantity": 12_000_000, "rate": "4.6375", "unit": "CCF",
        "amount": amount, "gl_account": "4020", "segment_from": "2026-09-05", "segment_to": day, "basis": "", "effective_from": "2020-01-01",
        "resolution": "1",
    }  # fmt: skip
    work.insert_one("bill_lines", **line)
    work.insert_one("standing_bills", service_id=service, service_from="2026-09-05", service_to=day, number=number)
    documents = pd.DataFrame(
        {"document": [number], "account_id": ["01"], "amount": [amount], "debit": "1210", "credit": "4020"}
    )
    entries = entries_of(work, documents, period, "billing", batch, pd.Timestamp("2026-11-12"))
    write_entries(work, entries, ledger.pair_entries(documents, int(entries["entry"].iloc[0])))
    work.event(f"Posted {number}")
    return number


def entry(work: Work, document: str, reverses: int | None, cents: int, kind: str = "payment") -> None:
    """Post a document of account 01 by its two lines, a receipt unless `kind` says otherwise."""
    number = work.numbers("entry").start
    work.insert_one(
        "entries", entry=number, period="2026-11", post_date="2026-11-20", kind=kind, batch="PY0000001", document=document,
        reverses=reverses, author="lea", actor="lea", posted_at=work.at,
    )  # fmt: skip
    rows = [(number, 1, "1010", "01", cents), (number, 2, "1210", "01", -cents)]
    work.insert_rows("journal", ["entry", "line", "gl_account", "account_id", "amount"], rows)


@pytest.fixture
def posted(store: Store) -> Store:
    """The store with two posted bills."""
    with store.work("lea", "post", "one") as work:
        post_bill(work, "S1")
        post_bill(work, "S2", 5775)
    return store


def run_plain(store: Store, *statements: str) -> None:
    """Run statements as somebody would who goes around the program."""
    with store.engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
        connection.commit()


def without_triggers(store: Store, table: str, *statements: str) -> None:
    """Take the table's triggers away, run the statements, as somebody who is out to forge."""
    names = (
        store.query("what", "SELECT name AS what FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :t", t=table)
        if store.dialect == "sqlite"
        else store.query("what", "SELECT CAST(tgname AS TEXT) AS what FROM pg_trigger WHERE tgrelid = CAST(:t AS regclass) AND NOT tgisinternal", t=table)
    )["what"]  # fmt: skip
    drop = [f"DROP TRIGGER {name}" + ("" if store.dialect == "sqlite" else f" ON {table}") for name in names]
    run_plain(store, *drop, *statements)
