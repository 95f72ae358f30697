"""What a button looked at, it looks at again inside its transaction: a look that holds, one that does not, and the buttons."""

from __future__ import annotations

import pytest

from tests.office.asked import correct, counts
from tests.office.conftest import Office
from tests.office.month.test_closing import agree, audited
from tests.office.small import PERIOD, Clerk, beacon, payments
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.looking import Look
from xlbilling.words.problems import Conflict, Refusal


def last_name(desk: Desk) -> str:
    return str(desk.store.value("SELECT name FROM accounts WHERE account_id = '0000003'"))


def renames(clerk: Clerk, name: str) -> None:
    clerk.set("accounts", "0000003", name=name)
    clerk.press("save")


def test_a_look_that_still_holds_lets_the_work_through(desk_office: Office) -> None:
    """Somebody writes meanwhile, but nothing that was looked at; and where nobody writes nothing is looked at twice."""
    desk, looks = desk_office.lead.desk(), []
    look = Look(desk)
    assert look.at(lambda at: looks.append(1) or last_name(at)) == "Customer 3"
    with look.work("test") as work:
        work.event("nobody else wrote")
    assert looks == [1]
    look = Look(desk)
    look.at(last_name)
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000004", name="Another")
    cora.press("save")
    with look.work("test") as work:
        work.event("the name is as it was")
    assert desk_office.value("SELECT detail FROM events ORDER BY event DESC LIMIT 1") == "the name is as it was"
    desk.store.close()


def test_a_look_that_holds_no_more_stops_the_work_and_names_who_wrote(desk_office: Office) -> None:
    desk = desk_office.lead.desk()
    look = Look(desk)
    look.at(last_name)
    renames(desk_office.clerk("cora"), "Another")
    with pytest.raises(Conflict, match="cora wrote meanwhile") as stopped:
        _work(look)
    assert stopped.value.problem.code == "store_moved_on"
    desk.store.close()


def _work(look: Look) -> None:
    with look.work("test") as work:
        work.event("never")


def closes(office: Office) -> None:
    """The lead closes November whatever else waits: the lock as Close writes it."""
    store = office.store()
    with store.work("lou", "close_month") as work:
        work.execute("UPDATE periods SET state = 'closed', closed_by = 'lou', closed_at = :t", t=work.at)
        work.event("Closed 2026-11; 2026-12 is the first open month")
    store.close()


@pytest.mark.stage("posted")
@pytest.mark.parametrize(
    "button", ["import_payments", "import_ledger", "import_reads", "compute", "reconcile", "adjust", "post"]
)
def test_a_month_closed_while_a_button_is_at_work_takes_nothing(desk_office: Office, button: str) -> None:
    office, cora = desk_office, desk_office.clerk("ada" if button in ("import_ledger", "reconcile") else "cora")
    clerk = office.lead if button == "post" else cora
    if button == "reconcile":
        agree(office)
    if button == "post":
        office.lead.press(
            "import_payments", PaymentsFile=office.file("q.csv", payments("0000001,1.00,2026-11-20,Q1,check"))
        )
    if button == "compute":
        correct(office.lead, kind="rebill", document="B0000001", reason="x")
        office.lead.press("reverse")
        office.left_by(office.lead)
        cora.press("refresh")
    if button == "adjust":
        correct(cora, kind="adjust", account_id="0000001", amount=-100, gl_account="4020")
    files = {
        "import_payments": {"PaymentsFile": office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))},
        "import_ledger": {
            "LedgerFile": office.file("gl.csv", "Date,Account,Description,Debit,Credit\n2026-11-30,1210,x,1.00,\n")
        },
        "import_reads": {"ReadsFile": office.file("again.csv", beacon(extra=("cut off,here",)))},
    }
    before = counts(office)
    clerk.meanwhile(lambda: closes(office))
    said = clerk.refused(button, "period_closed", **files.get(button, {}))
    assert "lou closed 2026-11 meanwhile; the first open month is 2026-12" in said
    assert counts(office) == before | {"events": before["events"] + 1}


@pytest.mark.stage("computed")
def test_reads_that_come_while_others_are_checked_stop_validate(desk_office: Office) -> None:
    lead, cora = desk_office.lead, desk_office.clerk("cora")
    name = desk_office.file("again.csv", beacon(("M01", "0322")))
    lead.meanwhile(lambda: cora.press("import_reads", ReadsFile=name))
    assert "cora wrote meanwhile" in lead.refused("validate", "store_moved_on")
    lead.press("validate")
    assert desk_office.value("SELECT COUNT(*) FROM exceptions WHERE exception_id = 'spike S01'") == 1


@pytest.mark.stage("posted")
def test_a_reconciliation_speaks_of_the_entries_it_saw(desk_office: Office) -> None:
    """What is posted while the books are matched must not be called reconciled."""
    lead = desk_office.lead
    agree(desk_office)
    ada = desk_office.clerk("ada")
    correct(lead, kind="reverse", document="B0000001", reason="wrong")
    ada.meanwhile(lambda: lead.press("reverse"))
    ada.refused("reconcile", "store_moved_on")
    assert desk_office.value("SELECT COUNT(*) FROM reconciliations") == 1


@pytest.mark.stage("computed")
def test_an_audit_speaks_of_the_bills_it_saw(desk_office: Office) -> None:
    lead, cora = desk_office.lead, desk_office.clerk("cora")

    def corrects() -> None:
        cora.press("import_reads", ReadsFile=desk_office.file("again.csv", beacon(("M01", "0110"))))
        cora.press("compute")

    lead.meanwhile(corrects)
    lead.refused("audit", "store_moved_on")
    assert desk_office.value("SELECT COUNT(*) FROM audits") == 0


@pytest.mark.stage("imported")
def test_findings_decided_meanwhile_stop_decide_alike(desk_office: Office) -> None:
    office, carl = desk_office, desk_office.clerk("carl")
    carl.press("import_reads", ReadsFile=office.file("again.csv", beacon(("M01", "0322"), ("M07", "0522"))))
    carl.press("validate")
    cora = office.clerk("cora")
    cora.press("refresh")
    cora.set("exceptions", "spike S07", decision="accept", reason="pool")
    carl.set("exceptions", "spike S01", decision="accept", reason="looked at")
    cora.meanwhile(lambda: carl.press("save"))
    cora.refused("decide_alike", "store_moved_on")
    assert office.table("exceptions", "decision <> ''")["decided_by"].tolist() == ["carl"]


def test_a_file_taken_back_meanwhile_is_taken_in_anew(desk_office: Office) -> None:
    """Cora's file was taken in by Carl, who takes it back while she presses: hers is no repetition."""
    carl, cora = desk_office.clerk("carl"), desk_office.clerk("cora")
    name = desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))
    carl.press("import_payments", PaymentsFile=name)
    cora.press("refresh")
    cora.meanwhile(lambda: carl.press("undo_last"))
    assert "1 rows = 1 receipts" in cora.press("import_payments", PaymentsFile=name).said
    assert desk_office.table("payments")["state"].tolist() == ["withdrawn", "open"]


@pytest.mark.both_databases
def test_what_is_posted_while_undo_is_pressed_is_not_taken_back(office: Office) -> None:
    cora, lead = office.clerk("cora"), office.lead
    cora.press("import_payments", PaymentsFile=office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    cora.meanwhile(lambda: lead.press("post"))
    assert "Import payments was posted or taken back meanwhile" in cora.refused("undo_last", "nothing_to_undo")
    assert office.table("payments")["state"].tolist() == ["posted"]
    assert office.table("imports")["state"].tolist() == ["current"]


@pytest.mark.stage("posted")
def test_close_looks_again(desk_office: Office) -> None:
    """A receipt that comes while the lead closes stops the close: it would stay open in a closed month."""
    office, lead, cora = desk_office, desk_office.lead, desk_office.clerk("cora")
    audited(office)
    agree(office)
    name = office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))
    lead.meanwhile(lambda: cora.press("import_payments", PaymentsFile=name))
    lead.refused("close_month", "store_moved_on")
    assert office.value("SELECT state FROM periods") == "open"
    with pytest.raises(Refusal, match="1 receipts"):
        lead.presses("close_month", Period=PERIOD)
