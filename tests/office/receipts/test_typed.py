"""Receipts typed on Payments: refused with their cell, changed while they are open, never once they are posted."""

from __future__ import annotations

import pandas as pd

from tests.office.asked import pay
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
