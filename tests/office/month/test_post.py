"""Post: bills posted once, in one act, exactly as the preview had them."""

from __future__ import annotations

import threading

import pandas as pd
import pytest

from tests.office.asked import correct, counts, healthy
from tests.office.conftest import Office
from tests.office.small import DUE, Clerk, beacon, payments
from xlbilling.office.bills.audit import bills_digest
from xlbilling.office.month import post
from xlbilling.office.month.waiting import waiting
from xlbilling.store.verify import verify
from xlbilling.words.problems import CATALOGUE


@pytest.mark.stage("computed")
@pytest.mark.both_databases
def test_post_writes_numbered_bills_and_balanced_entries(office: Office) -> None:
    lead = office.lead
    lead.yes = False
    # The history says 11 CCF a period for all but S03 (15): S02 with 12.5 is furthest from it.
    assert lead.press("post").said == (
        "7 bills of cycle A of 2026-11, 405.00 (NOT AUDITED since Compute); "
        "findings to look at that nobody decided: 1; "
        "the largest: account 0000003, 84.00; "
        "the largest change against last year: account 0000002, service S02, 12.5 CCF in 61 days, 11 then; 57.75. "
        "Press Post again to post."
    )
    assert office.value("SELECT COUNT(*) FROM bills") == 0
    assert lead.press("post").said == "Posted: BL0000001: 7 bills, 405.00."
    bills = office.table("bills")
    assert bills["number"].tolist() == [f"B{n:07d}" for n in range(1, 8)]
    assert bills["account_id"].is_monotonic_increasing
    sections = office.table("bill_services")
    assert dict(zip(sections["service_id"], sections["amount"], strict=True)) == DUE
    assert bills["state"].unique().tolist() == ["posted"]
    sums = office.table("journal").merge(office.table("entries"), on="entry")
    assert sums.groupby("entry")["amount"].sum().eq(0).all()
    billed = sums.loc[sums["kind"].eq("billing")]
    assert billed.groupby("gl_account")["amount"].sum().to_dict() == {
        "1210": 40500,
        "4010": -20 * 100 * 4 - 35 * 100 * 2,  # four of 5/8", two of 1"
        # S01 33.00, S02 35.00, S03 45.00, S04 30.00, S05 25.00, S07 29.00
        "4020": -19700,
        "4040": -4065,
        "4090": -1735,  # 2.65 + 2.75 + 4.00 + 3.25 + 2.25 + 2.45
    }
    assert sorted(office.table("standing_bills")["service_id"]) == sorted(DUE)
    assert office.value("SELECT COUNT(*) FROM draft_bills") == 0
    assert len(list((office.folder / "backups").glob("*-post.db"))) == 1
    store = office.store()
    assert verify(store) == []
    store.close()


@pytest.mark.stage("computed")
def test_post_says_audited_only_of_the_very_drafts_that_were(desk_office: Office) -> None:
    desk = desk_office.lead.desk()
    run = {"cycle": "A", "period": "2026-11"}
    with desk.store.work("lea", "audit") as work:
        work.insert_one(
            "audits", audit_id=1, **run, inputs=bills_digest(desk, "A", "2026-11"), state="green", difference=0, lines=7,
            recalculated_by="", at=work.at, actor=work.actor,
        )  # fmt: skip
        work.execute("UPDATE exceptions SET severity = 'review', state = 'open' WHERE exception_id = 'rollover M05'")
        work.event("Audited")
    audited = waiting(desk)
    with desk.store.work("lea", "compute") as work:
        work.execute("UPDATE draft_bills SET amount = 4886599 WHERE account_id = '0000001'")
        work.execute("UPDATE draft_services SET amount = 4886599, consumption = 6011550000 WHERE service_id = 'S01'")
        work.event("Computed again")
    changed = waiting(desk)
    desk.store.close()
    assert audited[0] == "7 bills of cycle A of 2026-11, 405.00 (audit: green)"
    assert audited[1] == "findings to look at that nobody decided: 1"
    # 405.00 - 55.65 + 48,865.99
    assert changed[0] == "7 bills of cycle A of 2026-11, 49,215.34 (NOT AUDITED since Compute)"
    assert changed[2] == "the largest: account 0000001, 48,865.99"
    assert "service S01, 6,011.55 CCF in 61 days, 11 then; 48,865.99" in changed[3]


@pytest.mark.stage("computed")
def test_post_counts_the_held_bills_whatever_holds_them(desk_office: Office) -> None:
    """Three of seven services are held because no price could be found, none because of a finding: 7 - 3 = 4 are posted."""
    desk = desk_office.lead.desk()
    with desk.store.work("lea", "compute") as work:
        for table, own in (
            ("draft_bills", "account_id LIKE '000000' || substr(:s, 3)"),
            ("draft_services", "service_id = :s"),
        ):
            for service in ("S01", "S02", "S03"):
                work.execute(f"UPDATE {table} SET state = 'held', amount = 0 WHERE {own}", s=service)
        work.event("Computed again")
    said = waiting(desk)
    desk.store.close()
    assert said[0].startswith("4 bills of cycle A of 2026-11")
    assert said[1] == "bills held, which are not posted: 3"
    assert not any("findings that hold" in line for line in said)


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_a_second_post_posts_nothing(office: Office) -> None:
    before = counts(office)
    assert office.lead.press("post").said == CATALOGUE["nothing_to_post"].meaning
    assert counts(office) == before


def test_a_preview_that_comes_to_no_document_changes_nothing(
    desk_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the preview names: where nothing is posted there is no event, and Undo last still takes the work before it back."""
    lead = desk_office.lead
    lead.set("accounts", "0000003", phone="555-0101")
    lead.press("save")
    before = counts(desk_office)
    monkeypatch.setattr(post, "waiting", lambda *_, **__: ["1 receipts, 45.00"])
    assert lead.press("post").said == CATALOGUE["nothing_to_post"].meaning
    assert counts(desk_office) == before
    assert lead.press("undo_last").said == "Undid Save."


@pytest.mark.stage("computed")
def test_receipts_are_posted_though_the_bills_are_stale(desk_office: Office) -> None:
    """Compute wants receipts posted first, so Post must not want Compute first: money is posted, the bills wait and are named."""
    lead = desk_office.lead
    lead.set("rates", "R003", rate="2.00")  # S01 12 CCF: 20.00 + 10 x 2.00 + 2 x 4.00 = 48.00 + 5 % 2.40 = 50.40
    lead.press("save")
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    lead.refused("compute", "payments_unposted")
    outcome = lead.press("post")
    assert outcome.said == (
        "Posted: PY0000001: 1 receipts, 45.00. Not posted: 7 draft bills of cycle A of 2026-11 were computed before "
        "something they go by was changed; press Compute for them."
    )
    assert [problem.code for problem in outcome.problems] == ["drafts_stale"]
    assert desk_office.value("SELECT COUNT(*) FROM bills") == 0
    lead.press("compute")
    assert "7 bills" in lead.press("post").said
    assert desk_office.value("SELECT amount FROM bill_services WHERE service_id = 'S01'") == 5040
    assert healthy(desk_office)


@pytest.mark.stage("computed")
@pytest.mark.parametrize("change", ["rate", "meter", "read", "decision", "account"])
def test_drafts_made_before_a_change_are_not_posted(desk_office: Office, change: str) -> None:
    lead = desk_office.lead
    if change == "rate":
        lead.set("rates", "R003", rate="9.99")
        lead.press("save")
    elif change == "meter":
        lead.set("meters", "M01 / ", multiplier="10")
        lead.press("save")
    elif change == "account":  # S01 is not billed past the day its account was closed
        lead.set("accounts", "0000001", status="closed", closed_on=pd.Timestamp("2026-11-01"))
        lead.press("save")
    elif change == "read":
        lead.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"))))
    else:
        lead.set("exceptions", "rollover M05", decision="reread", reason="odd")
        lead.press("save")
    lead.refused("post", "drafts_stale")
    assert desk_office.value("SELECT COUNT(*) FROM bills") == 0
    lead.press("compute")
    assert "Posted" in lead.press("post").said


@pytest.mark.stage("computed")
def test_a_phone_number_makes_no_bill_stale(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("accounts", "0000001", phone="555-0101")
    lead.press("save")
    assert "7 bills" in lead.press("post").said


@pytest.mark.stage("computed")
def test_an_address_changed_after_compute_does_not_matter(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("accounts", "0000001", mail_street="1 Elm St")
    lead.press("save")
    assert "Posted" in lead.press("post").said


def barging_in(clerk: Clerk, carl: Clerk, name: str, before: int = 1) -> None:
    """Let Carl take a receipt in between the preview the clerk says yes to and the transaction."""
    clerk.meanwhile(lambda: carl.press("import_payments", PaymentsFile=name), before)


@pytest.mark.stage("computed")
def test_what_somebody_wrote_after_the_preview_stops_the_posting(office: Office) -> None:
    name = office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))
    barging_in(office.lead, office.clerk("carl"), name)
    assert "carl" in office.lead.refused("post", "store_moved_on")
    assert office.value("SELECT COUNT(*) FROM bills") == 0
    assert "receipts" in office.lead.press("post").said


@pytest.mark.stage("posted")
def test_what_somebody_wrote_after_the_preview_stops_a_reversal(desk_office: Office) -> None:
    name = desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))
    correct(desk_office.lead, kind="reverse", document="B0000001")
    barging_in(desk_office.lead, desk_office.clerk("carl"), name, before=2)  # the typed lines are taken in first
    desk_office.lead.refused("reverse", "store_moved_on")
    assert desk_office.value("SELECT COUNT(*) FROM reversals") == 0


@pytest.mark.stage("computed")
@pytest.mark.both_databases
def test_two_leads_who_post_at_once_post_once(office: Office) -> None:
    """Both say yes to the same preview; the second finds that the store has moved on."""
    desks, said = [office.clerk("lea"), office.clerk("lea2")], []
    desks[1].actor = "lea"

    def press(desk) -> None:
        try:
            said.append(desk.press("post").said)
        except Exception as fault:
            said.append(str(fault))

    threads = [threading.Thread(target=press, args=(desk,)) for desk in desks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum("Posted:" in text for text in said) == 1, said
    assert office.value("SELECT COUNT(*) FROM bills") == 7
    store = office.store()
    assert verify(store) == []
    store.close()


@pytest.mark.stage("computed")
def test_a_charge_to_an_unlisted_ledger_account_stops_the_posting(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("rates", "R003", gl_account="4999")
    lead.press("save")
    lead.press("compute")
    assert "4999" in lead.refused("post", "gl_account_unknown")
    assert desk_office.value("SELECT COUNT(*) FROM bills") == 0
