"""Payments files: taken in once, every row taken or listed, posted once, taken back as a whole."""

from __future__ import annotations

import pytest

from tests.office.asked import TWO, balance, healthy, pay
from tests.office.conftest import Office
from tests.office.small import payments


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
