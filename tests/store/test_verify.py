"""Verify finds every kind of break, and none in a store nobody tampered with."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.store.conftest import entry, post_bill, without_triggers
from xlbilling.office.posting import write_batch
from xlbilling.store import Store, Work, seal
from xlbilling.store.verify import verify

# What a forger would do, table by table, and which proof must fail.
BREAKS = (
    ("journal", "UPDATE journal SET amount = amount + 1 WHERE entry = 1 AND line = 1", "entries balance"),
    ("journal", "UPDATE journal SET amount = CASE WHEN amount > 0 THEN 100 ELSE -100 END WHERE entry = 1", "bills equal what was posted"),
    ("journal", "DELETE FROM journal WHERE entry = 1", "every entry has its lines"),
    ("journal", "INSERT INTO journal (entry, line, gl_account, account_id, amount) VALUES (99, 1, '1210', '01', 0)", "no lines without an entry"),
    ("bill_lines", "UPDATE bill_lines SET amount = amount - 1 WHERE number = 'B0000001'", "bills equal their lines"),
    ("bill_lines", "DELETE FROM bill_lines WHERE number = 'B0000002'", "bills equal their lines"),
    ("entries", "DELETE FROM entries WHERE entry = 2", "every bill was posted"),
    ("entries", "DELETE FROM entries WHERE entry = 2", "entries are numbered without gaps"),
    ("bills", "DELETE FROM bills WHERE number = 'B0000001'", "bills are numbered without gaps"),
    ("bills", "UPDATE bills SET number = 'B0000003' WHERE number = 'B0000002'", "bills are numbered without gaps"),
    ("batches", "UPDATE batches SET amount = 1 WHERE batch = 'BL0000001'", "batches equal their documents"),
    ("batches", "DELETE FROM batches WHERE batch = 'BL0000001'", "batches of bills are numbered without gaps"),
    ("standing_bills", "DELETE FROM standing_bills WHERE number = 'B0000001'", "bills that are not reversed stand"),
    (
        "standing_bills",
        "INSERT INTO standing_bills (service_id, service_from, service_to, number) VALUES ('S1', '2026-10-01', '2026-11-20', 'B0000009')",
        "one standing bill for a service and day",
    ),
    ("payments", "UPDATE payments SET amount = 1 WHERE payment_id = 'P0000001'", "receipts equal what was posted"),
    ("adjustments", "UPDATE adjustments SET amount = 1 WHERE adjustment_id = 'A0000002'", "adjustments equal what was posted"),
    ("adjustments", "DELETE FROM adjustments WHERE adjustment_id = 'A0000002'", "batches equal their documents"),
    ("adjustments", "UPDATE adjustments SET batch = 'AJ0000001' WHERE adjustment_id = 'A0000001'", "batches equal their documents"),
    ("reversals", "DELETE FROM reversals WHERE reversed_by = 'A0000001'", "every reversal has undone a document"),
    ("entries", "UPDATE entries SET reverses = NULL WHERE document = 'A0000001'", "every reversal has undone a document"),
    ("entries", "UPDATE entries SET author = '' WHERE entry = 1", "every entry has an author"),
    ("payments", "DELETE FROM payments WHERE payment_id = 'P0000001'", "receipts are numbered without gaps"),
    ("journal", "UPDATE journal SET gl_account = '4020' WHERE entry = 4 AND gl_account = '1210'", "reversals undo exactly"),
    ("events", "UPDATE events SET detail = 'nothing' WHERE event = 3", "events are chained"),
    ("events", "DELETE FROM events WHERE event = 2", "events are chained"),
)  # fmt: skip


@pytest.fixture
def busy(posted: Store) -> Store:
    """Two bills, a receipt of 10.00 and its reversal, an adjustment of -2.50, each posted as the office posts it."""
    with posted.work("lea", "post") as work:
        number = work.documents("P")[0]
        batch = work.documents("PY")[0]
        work.insert_one(
            "batches", batch=batch, kind="payments", cycle="", period="2026-11", state="posted", created_at=work.at, actor="lea",
            posted_at=work.at, documents=1, amount=1000,
        )  # fmt: skip
        work.insert_one(
            "payments", payment_id=number, batch=batch, received_on="2026-11-20", account_id="01", amount=1000, method="check",
            reference="", import_id=None, author="cora", period="2026-11", state="posted", rev=1,
        )  # fmt: skip
        entry(work, number, None, 1000)
        reversal = _correction(work, "reverse", "reversals", number, None)
        entry(work, reversal, 3, -1000)
        work.insert_one("reversals", document=number, reversed_by=reversal, reason="r", actor="lea", at=work.at)
        adjustment = _correction(work, "adjust", "adjustments", "", -250)
        entry(work, adjustment, None, -250, "adjustment")
        work.event("receipt, its reversal, and an adjustment")
    return posted


def _correction(work: Work, kind: str, batch_kind: str, document: str, amount: int | None) -> str:
    """A posted correction in a batch of its own; its number."""
    number, batch = work.documents("A")[0], write_batch(work, batch_kind, "", "2026-11", 1, amount or 0)
    work.insert_one(
        "adjustments", adjustment_id=number, batch=batch, kind=kind, document=document, account_id="01", amount=amount,
        gl_account="4020", reason="r", posted_on="2026-11-20", author="cora", period="2026-11", state="posted", rev=1,
    )  # fmt: skip
    return number


def test_a_healthy_store_passes(busy: Store) -> None:
    assert verify(busy) == []


@pytest.mark.parametrize(("table", "statement", "proof"), BREAKS, ids=[f"{t}-{p}" for t, _, p in BREAKS])
def test_every_break_is_found(busy: Store, table: str, statement: str, proof: str) -> None:
    without_triggers(busy, table, statement)
    assert {problem.code for problem in verify(busy)} == {"ledger_broken"}
    found = [str(problem) for problem in verify(busy)]
    assert any(f"not so: {proof}" in text for text in found), found


def test_numbers_given_out_twice_are_found(busy: Store) -> None:
    without_triggers(busy, "numbers", "UPDATE numbers SET next = 2 WHERE series = 'B'")
    assert any("1 numbers given out, 2 found" in str(p) for p in verify(busy))


def test_the_chain_shows_a_changed_a_removed_and_an_inserted_event() -> None:
    """Each event's seal is the hash of its fields and the seal before; checked on four events in a row."""
    rows, last = [], ""
    for number in range(1, 5):
        last = seal.seal(last, number, "2026-11-23", "lea", "save", f"detail {number}")
        rows.append((number, "2026-11-23", "lea", "save", f"detail {number}", last))
    names = ["event", "at", "actor", "action", "detail", "seal"]
    events = pd.DataFrame(rows, columns=names)
    assert seal.broken(events) is None
    assert seal.broken(events.iloc[:0]) is None
    for column in ("at", "actor", "action", "detail", "seal"):
        forged = events.copy()
        forged.loc[2, column] = "x"
        assert seal.broken(forged) == 3
    assert seal.broken(events.drop(index=1)) == 2
    inserted = pd.concat([events.iloc[:2], events.iloc[1:]], ignore_index=True)
    assert seal.broken(inserted) == 3
    renumbered = inserted.assign(event=range(1, 6))
    assert seal.broken(renumbered) == 3
    # What a chain alone cannot show: its end cut off. The close packet prints the head for that.
    assert seal.broken(events.iloc[:3]) is None


def test_text_moved_between_fields_is_another_event() -> None:
    assert seal.seal("", 1, "t", "lea", "save", "x") != seal.seal("", 1, "t", "le", "asave", "x")


def test_a_second_posting_after_the_check_keeps_it_whole(busy: Store) -> None:
    with busy.work("lea", "post") as work:
        post_bill(work, "S3", 100)
    assert verify(busy) == []
