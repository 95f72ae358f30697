"""Receipts, adjustments and reversals: taken in once, posted once, cancelled only by new documents."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.small import Clerk, payments
from xlbilling.store.verify import verify

TWO = payments("0000001,45.00,2026-11-20,C1,check", "0000002,30.00,2026-11-21,W2,web")


def balance(office: Office, account: str) -> int:
    found = office.value("SELECT SUM(amount) FROM journal WHERE gl_account = '1210' AND account_id = :a", a=account)
    return int(str(found or 0))


def healthy(office: Office) -> bool:
    store = office.store()
    try:
        return verify(store) == []
    finally:
        store.close()


def pay(office: Office, text: str = TWO, who: str = "cora", name: str = "p.csv") -> Clerk:
    clerk = office.clerk(who)
    clerk.press("import_payments", PaymentsFile=office.file(name, text))
    return clerk


def correct(clerk: Clerk, **values: object) -> None:
    """Type a correction on Adjustments."""
    blank = {
        "amount": pd.NA,
        "document": "",
        "account_id": "",
        "gl_account": "",
        "reason": "as agreed",
        "posted_on": pd.NaT,
    }
    clerk.add("adjustments", **(blank | values))


# ---- receipts --------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_receipts_are_taken_in_once_and_posted(office: Office) -> None:
    cora = pay(office)
    payments_there = office.table("payments")
    assert payments_there[["payment_id", "amount", "state"]].to_dict("split")["data"] == [
        ["P0000001", 4500, "open"],
        ["P0000002", 3000, "open"],
    ]
    assert "nothing was added" in cora.press("import_payments", PaymentsFile=office.file("again.csv", TWO)).said
    assert office.table("payments").equals(payments_there)
    assert office.lead.press("post").said == "Posted: PY0000001: 2 receipts, 75.00."
    assert (balance(office, "0000001"), balance(office, "0000002")) == (0, 0)
    lines = office.table("journal", "entry = 3")[["gl_account", "amount"]]
    assert lines.to_dict("split")["data"] == [["1010", 4500], ["1210", -4500]]
    assert healthy(office)


def test_every_row_is_taken_or_listed_with_its_line(desk_office: Office) -> None:
    text = payments(
        "0000001,45.00,2026-11-20,C1,check",
        "0009999,45.00,2026-11-20,C2,check",  # line 3: nobody's account
        "0000001,-5.00,2026-11-20,C3,check",  # line 4: not positive
        "0000001,5.00,2026-12-31,C4,check",  # line 5: a day to come
        "0000001,45.00,2026-11-20,C1,check",  # line 6: there already
        "0000001,4.999,2026-11-20,C5,check",  # line 7: no whole cents
    )
    outcome = desk_office.clerk("cora").press("import_payments", PaymentsFile=desk_office.file("p.csv", text))
    assert outcome.said.startswith("p.csv: 6 rows = 1 receipts, 45.00 + 5 rejected.")
    assert sorted((p.place.line, p.code) for p in outcome.problems) == [
        (3, "unknown_account"), (4, "payment_not_positive"), (5, "day_to_come"), (6, "payment_twice"), (7, "bad_amount"),
    ]  # fmt: skip
    assert len(desk_office.table("payment_rejects")) == 5


def test_the_answer_tells_the_deposit_the_totals_and_what_was_not_used(desk_office: Office) -> None:
    text = (
        "Lockbox report,,,,\nAccount,Amount,Date,Status,Fee\n0000001,45.00,2026-11-20,Paid,1.00\n1,5.00,2026-11-20,Paid,1.00\n"
        "0000002,30.00,2026-11-20,Returned,1.00\nTotal,80.00,,,\nTotal of the day,81.00,,,\nPage 1,,,,\n"
    )
    outcome = desk_office.clerk("cora").press("import_payments", PaymentsFile=desk_office.file("p.csv", text))
    assert outcome.said == (
        "p.csv: 3 rows = 1 receipts, 45.00 + 2 rejected. Deposit total 50.00 = 45.00 taken + 5.00 rejected; 30.00 of 1 row did "
        "not come in. The printed totals agree (line 6). Printed totals that do not agree: line 7. "
        "No payments, but the report's own words: line 8. Columns not used: 'Fee'. 1 rejected row waits on sheet Payment rejects. Press Post to post them."
    )
    assert [(p.place.line, p.code) for p in outcome.problems] == [
        (5, "payment_not_paid"), (4, "unknown_account"), (7, "printed_total"),
    ]  # fmt: skip
    assert desk_office.table("payments")["amount"].tolist() == [4500]


def test_a_word_explained_on_policy_lets_the_refused_file_in(desk_office: Office) -> None:
    lead = desk_office.lead
    text = "Account,Amount,Date,Reference,Payment Type\n0000001,45.00,2026-11-20,X1,ACH\n0000002,3.00,2026-11-20,X2,Credit Card\n"
    said = lead.refused("import_payments", "payment_word", PaymentsFile=desk_office.file("p.csv", text))
    assert "'ACH' (1 row), 'Credit Card' (1 row), none of lockbox, counter" in said
    assert desk_office.value("SELECT COUNT(*) FROM payments") == 0
    lead.add("policy", topic="payments", setting="method / ACH", value="barter", severity="", meaning="")
    assert "'barter' is not one of lockbox" in lead.refused("save", "cells_refused")
    lead.set("policy", "payments / method / ACH", value="autopay")
    lead.add("policy", topic="payments", setting="method / any", value="web", severity="", meaning="")
    lead.press("save")
    assert "2 receipts, 48.00" in lead.press("import_payments", PaymentsFile="p.csv").said
    assert desk_office.table("payments")["method"].tolist() == ["autopay", "web"]


@pytest.mark.stage("posted")
def test_money_of_a_month_that_is_closed_keeps_its_day_and_posts_on_the_first_open_one(desk_office: Office) -> None:
    """The books begin with 2026-11: a check of 2026-10-31 posts on 2026-11-01."""
    cora = desk_office.clerk("cora")
    late = payments("0000001,20.00,2026-10-31,L1,check")
    said = cora.press("import_payments", PaymentsFile=desk_office.file("p.csv", late)).said
    assert "1 of a closed month post on 2026-11-01; the day they came stays." in said
    before = balance(desk_office, "0000001")
    desk_office.lead.press("post")
    assert balance(desk_office, "0000001") == before - 2000
    entry = desk_office.table("entries", "kind = 'payment'").iloc[-1]
    assert (f"{entry['post_date']:%Y-%m-%d}", entry["period"]) == ("2026-11-01", "2026-11")
    assert f"{desk_office.table('payments')['received_on'].iloc[-1]:%Y-%m-%d}" == "2026-10-31"
    assert healthy(desk_office)


@pytest.mark.both_databases
def test_an_import_taken_back_keeps_its_numbers_and_can_be_made_again(office: Office) -> None:
    cora = pay(office)
    cora.press("undo_last")
    assert len(cora.sheet("payments")) == 0
    assert office.table("payments")["state"].tolist() == ["withdrawn"] * 2
    assert "2 receipts, 75.00 + 0 rejected" in cora.press("import_payments", PaymentsFile="p.csv").said
    assert office.table("payments", "state = 'open'")["payment_id"].tolist() == ["P0000003", "P0000004"]
    office.lead.press("post")
    assert balance(office, "0000001") == 0
    assert healthy(office)


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


# ---- adjustments -----------------------------------------------------------------------------------------------------


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_an_adjustment_is_previewed_taken_in_and_posted(office: Office) -> None:
    cora = office.clerk("cora")
    cora.yes = False
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020", reason="leak")
    assert "adjust 0000001 -10.00: leak. Press Adjust again" in cora.press("adjust").said
    assert office.value("SELECT COUNT(*) FROM adjustments") == 0
    assert "1 corrections taken in." in cora.press("adjust").said
    assert office.lead.press("post").said == "Posted: AJ0000001: 1 adjustments, -10.00."
    # 45.00 from before + 55.65 billed - 10.00
    assert balance(office, "0000001") == 9065
    row = office.table("adjustments").iloc[0]
    assert (row["adjustment_id"], row["state"], row["batch"]) == ("A0000001", "posted", "AJ0000001")
    assert row["posted_on"] == pd.Timestamp("2026-11-23")
    assert healthy(office)


@pytest.mark.stage("posted")
def test_undo_of_adjust_keeps_the_number(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    cora.press("adjust")
    assert cora.press("undo_last").said == "Undid Adjust."
    assert len(cora.sheet("adjustments")) == 0
    assert "No batch waits" in desk_office.lead.press("post").said
    assert healthy(desk_office)


@pytest.mark.stage("posted")
@pytest.mark.parametrize(
    ("values", "code", "cell"),
    [
        ({"kind": "adjust", "account_id": "0009999", "amount": 100, "gl_account": "4020"}, "unknown_account", "D4"),
        ({"kind": "adjust", "account_id": "0000001", "gl_account": "4020"}, "adjustment_incomplete", "E4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 0, "gl_account": "4020"}, "adjustment_incomplete", "E4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4999"}, "adjustment_incomplete", "F4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4020", "posted_on": pd.Timestamp("2026-12-01")}, "day_to_come", "H4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4020", "posted_on": pd.Timestamp("2026-10-31")}, "month_closed", "H4"),
        ({"kind": "reverse"}, "adjustment_incomplete", "C4"),
        ({"kind": "reverse", "document": "B0000099"}, "not_reversible", "C4"),
    ],
)  # fmt: skip
def test_a_correction_that_lacks_something_is_refused_with_its_cell(
    desk_office: Office, values: dict[str, object], code: str, cell: str
) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, **values)
    assert f"Adjustments!{cell}" in cora.refused("adjust", code)
    assert desk_office.value("SELECT COUNT(*) FROM adjustments") == 0


@pytest.mark.stage("posted")
def test_a_correction_taken_in_is_not_typed_over(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    cora.press("adjust")
    cora.set("adjustments", "A0000001", amount=-2000)
    cora.refused("save", "posted_row")


# ---- reversals -------------------------------------------------------------------------------------------------------


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_cancel_and_rebill_links_the_two(office: Office) -> None:
    lead = office.lead
    correct(lead, kind="rebill", document="B0000001", reason="wrong class")
    said = lead.press("reverse").said
    assert said == "RV0000001: reversed 1 documents: B0000001."
    assert balance(office, "0000001") == 4500
    assert office.value("SELECT COUNT(*) FROM standing_bills WHERE service_id = 'S01'") == 0
    lead.set("services", "S01", meter_size='1"')
    lead.press("save")
    lead.press("compute")
    drafts = office.table("draft_bills")
    assert drafts[["service_id", "replaces", "why"]].to_dict("split")["data"] == [
        ["S01", "B0000001", "replaces B0000001"]
    ]
    lead.press("post")
    bills = office.table("bills", "service_id = 'S01'")
    # 35.00 + 25.00 + 8.00 = 68.00, fee 3.40
    assert bills[["number", "amount", "replaces"]].to_dict("split")["data"] == [
        ["B0000001", 5565, ""],
        ["B0000008", 7140, "B0000001"],
    ]
    assert office.table("standing_bills", "service_id = 'S01'")["number"].tolist() == ["B0000008"]
    assert balance(office, "0000001") == 4500 + 7140
    shown = lead.sheet("bills")
    assert shown.set_index("number").loc[["B0000001", "B0000008"], "state"].tolist() == ["reversed", "posted"]
    assert healthy(office)


@pytest.mark.stage("posted")
def test_the_other_findings_of_the_run_survive_a_rebill(desk_office: Office) -> None:
    """S05's rollover was found before its bill was posted; billing S01 anew does not unsay it."""
    lead = desk_office.lead
    correct(lead, kind="rebill", document="B0000001")
    lead.press("reverse")
    lead.press("compute")
    assert desk_office.table("exceptions")["exception_id"].tolist() == ["rollover M05"]


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_a_reversal_and_its_entry_are_nothing_together(office: Office) -> None:
    lead = office.lead
    pay(office)
    lead.press("post")
    lead.press("refresh")
    correct(lead, kind="reverse", document="P0000001", reason="bounced")
    lead.press("reverse")
    assert balance(office, "0000001") == 4500 + 5565
    lines = office.table("journal").merge(office.table("entries"), on="entry")
    pair = lines.loc[lines["document"].isin(["P0000001", "A0000001"])]
    assert pair.groupby(["gl_account", "account_id"])["amount"].sum().eq(0).all()
    assert lines.loc[lines["document"].eq("A0000001"), "kind"].unique().tolist() == ["payment"]
    assert lead.sheet("payments").loc["P0000001", "state"] == "reversed"
    assert healthy(office)


@pytest.mark.stage("posted")
def test_a_document_is_reversed_once(desk_office: Office) -> None:
    lead = desk_office.lead
    correct(lead, kind="reverse", document="B0000001")
    correct(lead, kind="reverse", document="B0000001")
    lead.refused("reverse", "not_reversible")
    lead.type("adjustments", lambda rows: rows.iloc[:1])
    lead.press("reverse")
    correct(lead, kind="reverse", document="B0000001")
    lead.refused("reverse", "not_reversible")
    lead.type("adjustments", lambda rows: rows.iloc[:1])
    assert "Nothing waits to be reversed" in lead.press("reverse").said


@pytest.mark.stage("posted")
def test_only_a_bill_is_billed_anew(desk_office: Office) -> None:
    pay(desk_office)
    lead = desk_office.lead
    lead.press("post")
    lead.press("refresh")
    correct(lead, kind="rebill", document="P0000001")
    assert "is no bill" in lead.refused("reverse", "not_reversible")


@pytest.mark.stage("posted")
def test_reverse_asks_before_it_posts(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.yes = False
    correct(lead, kind="reverse", document="B0000001", reason="moved out")
    assert "reverse B0000001: moved out. Press Reverse again" in lead.press("reverse").said
    assert desk_office.value("SELECT COUNT(*) FROM reversals") == 0
    assert "reversed 1 documents" in lead.press("reverse").said
