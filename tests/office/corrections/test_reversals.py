"""Reversals: a posted document is cancelled once, by a new one, after a preview."""

from __future__ import annotations

import pytest

from tests.office.asked import balance, correct, healthy, pay
from tests.office.conftest import Office


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
    assert drafts[["account_id", "replaces", "why"]].to_dict("split")["data"] == [
        ["0000001", "B0000001", "replaces B0000001"]
    ]
    lead.press("post")
    bills = office.sections("service_id = 'S01'")
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
