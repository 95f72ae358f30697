"""Receipts typed on Payments: refused with their cell, changed while they are open, never once they are posted."""

from __future__ import annotations

import json

import pandas as pd

from tests.office.asked import healthy, pay
from tests.office.conftest import Office


def test_receipts_typed_changed_and_taken_back(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.add(
        "payments",
        received_on=pd.Timestamp("2026-11-20"),
        account_id="0000001",
        amount=4500,
        method="counter",
        reference="77",
    )
    cora.press("save")
    assert cora.sheet("payments").index.tolist() == ["P0000001"]
    cora.set("payments", "P0000001", amount=4000)
    cora.press("save")
    assert desk_office.value("SELECT amount FROM payments") == 4000
    cora.press("undo_last")
    assert desk_office.value("SELECT amount FROM payments") == 4500
    cora.press("undo_last")
    assert desk_office.value("SELECT state FROM payments") == "withdrawn"


def test_two_clerks_on_one_receipt(desk_office: Office) -> None:
    cora, carl = pay(desk_office), desk_office.clerk("carl")
    carl.press("refresh")
    cora.set("payments", "P0000001", amount=4000)
    carl.set("payments", "P0000001", amount=4100)
    cora.press("save")
    assert "cora changed it to 40.00" in carl.refused("save", "changed_meanwhile")
    assert desk_office.value("SELECT amount FROM payments WHERE payment_id = 'P0000001'") == 4000


def test_a_typed_receipt_that_cannot_be_is_refused_with_its_cell(desk_office: Office) -> None:
    cora = pay(desk_office)
    cora.add(
        "payments",
        received_on=pd.Timestamp("2026-11-20"),
        account_id="0000001",
        amount=100,
        method="counter",
        reference="1",
    )
    cora.add(
        "payments",
        received_on=pd.Timestamp("2026-12-20"),
        account_id="0000001",
        amount=100,
        method="counter",
        reference="2",
    )
    cora.add(
        "payments",
        received_on=pd.Timestamp("2026-11-20"),
        account_id="nobody",
        amount=100,
        method="counter",
        reference="3",
    )
    cora.refused("save", "unknown_account")
    assert sorted(mark.split(":", maxsplit=1)[0] for mark in cora.marked) == ["Payments!B7", "Payments!C8"]
    assert desk_office.value("SELECT COUNT(*) FROM payments") == 2


def test_a_posted_receipt_stays(desk_office: Office) -> None:
    pay(desk_office)
    lead = desk_office.lead
    lead.press("post")
    lead.set("payments", "P0000001", amount=1)
    lead.refused("save", "posted_row")
    assert desk_office.value("SELECT amount FROM payments WHERE payment_id = 'P0000001'") == 4500


def test_typing_that_an_earlier_version_wrote_down_is_taken_back(desk_office: Office) -> None:
    """Before sheets of documents had one way, a step said `receipts`, and `payment` for the number."""
    cora = pay(desk_office)
    cora.set("payments", "P0000001", amount=4000)
    cora.press("save")
    store = desk_office.store()
    with store.work("cora", "rewrite") as work:
        step = json.loads(str(work.value("SELECT inverse FROM undo ORDER BY undo_id DESC LIMIT 1")))[0]
        changed = [{"payment": row.pop("number"), **row} for row in step["changed"]]
        text = json.dumps([{"kind": "receipts", "new": [], "changed": changed}])
        work.execute("UPDATE undo SET inverse = :i WHERE undo_id = (SELECT MAX(undo_id) FROM undo)", i=text)
    store.close()
    cora.press("undo_last")
    assert desk_office.value("SELECT amount FROM payments WHERE payment_id = 'P0000001'") == 4500
    assert healthy(desk_office)


def test_a_receipt_that_a_colleague_changed_since_is_not_taken_back(desk_office: Office) -> None:
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    row = {"received_on": pd.Timestamp("2026-11-20"), "account_id": "0000001", "amount": 4500, "method": "counter"}
    cora.add("payments", **row, reference="77")
    cora.press("save")
    carl.press("refresh")
    carl.set("payments", "P0000001", amount=4000)
    carl.press("save")
    assert "receipt P0000001 was changed or posted since" in cora.refused("undo_last", "undo_overtaken")
    assert desk_office.table("payments")[["amount", "state"]].to_numpy().tolist() == [[4000, "open"]]
