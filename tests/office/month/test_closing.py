"""Reconcile, the checklist, Close, and roles: what must be so, who may say so, and that it stays so."""

from __future__ import annotations

import hashlib
from typing import Any

import openpyxl
import pandas as pd
import pytest

from tests.office.asked import correct, pay
from tests.office.conftest import Office
from tests.office.small import PERIOD, Clerk, beacon, payments
from xlbilling.office.bills.audit import bills_digest
from xlbilling.office.month import close as closing
from xlbilling.office.month.close import checklist_view
from xlbilling.store import Store
from xlbilling.store.backup import restore
from xlbilling.store.schema import metadata
from xlbilling.store.verify import verify
from xlbilling.words.problems import Refusal

GL_HEADER = "Date,Account,Account Name,Reference,Description,Debit,Credit"
ITEMS = [
    "All cycles due are billed",
    "Reads are resolved",
    "Payments are resolved",
    "Audit is green",
    "All batches are posted",
    "Receivables are reconciled",
]


def export(office: Office, *more: str, but: str = "") -> str:
    """Accounting's export of the period: each batch's lines summed by account, as billing posted them."""
    lines = office.table("journal").merge(office.table("entries", "kind <> 'opening'"), on="entry")
    sums = lines.groupby(["post_date", "batch", "gl_account"])["amount"].sum()
    rows = [
        f"{day:%Y-%m-%d},{account},,{batch},billing,{cents / 100 if cents > 0 else ''},{-cents / 100 if cents < 0 else ''}"
        for (day, batch, account), cents in sums.items()
        if batch != but
    ]
    return "\n".join([GL_HEADER, *rows, *more]) + "\n"


def items(clerk: Clerk) -> dict[str, str]:
    return clerk.sheet("close")["state"].to_dict()


def agree(office: Office) -> None:
    """Import an export that agrees, and reconcile."""
    office.lead.press("import_ledger", LedgerFile=office.file("gl.csv", export(office)))
    office.lead.press("reconcile")


def audited(office: Office) -> None:
    """An audit that a spreadsheet application has recalculated, as Audit notes it."""
    desk = office.lead.desk()
    with desk.store.work("lea", "audit") as work:
        inputs = bills_digest(desk, "A", PERIOD)
        work.insert_one("audits", audit_id=1, cycle="A", period=PERIOD, inputs=inputs, state="green", difference=0, lines=7, recalculated_by="x", at=work.at, actor="lea")  # fmt: skip
        work.event("Audit")
    desk.store.close()


# ---- reconcile -------------------------------------------------------------------------------------------------------


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_reconcile_agrees_with_an_export_that_has_the_same(office: Office) -> None:
    lead = office.lead
    assert "postings taken" in lead.press("import_ledger", LedgerFile=office.file("gl.csv", export(office))).said
    said = lead.press("reconcile")
    assert said.said.startswith(
        "Receivables agrees: difference 0.00, of which unexplained 0.00; 0 subledger lines and 0"
    )
    assert not said.listed
    rows = lead.sheet("reconcile").set_index("what")
    # 75.00 owed from before + 405.00 billed = 480.00
    assert rows.loc[["Beginning", "Billed", "Received", "Adjusted", "Ending"], "subledger"].tolist() == [
        7500,
        40500,
        0,
        0,
        48000,
    ]
    assert rows.loc["Ending", ["ledger", "difference"]].tolist() == [48000, 0]


@pytest.mark.stage("posted")
def test_every_difference_is_listed(office: Office) -> None:
    lead = office.lead
    pay(office, payments("0000001,45.00,2026-11-20,C1,check"))
    lead.press("post")
    manual = "2026-11-30,1210,,MJ1,keyed by accounting,10.00,"
    text = export(office, manual, but="PY0000001")
    lead.press("import_ledger", LedgerFile=office.file("gl.csv", text))
    outcome = lead.press("reconcile")
    assert outcome.listed
    # Billing 480.00 - 45.00 = 435.00; the ledger 480.00 + 10.00 = 490.00: 55.00 apart.
    rows = lead.sheet("reconcile")
    ending = rows.loc[rows["what"].eq("Ending")].iloc[0]
    assert (ending["subledger"], ending["ledger"], ending["difference"]) == (43500, 49000, -5500)
    alone = rows.loc[rows["section"].eq("difference")]
    assert sorted(alone.loc[alone["gl_account"].eq("1210"), "difference"]) == [-4500, -1000]
    assert alone["reason"].ne("").all()


@pytest.mark.stage("posted")
def test_a_difference_names_all_that_accounting_needs_and_is_written_to_the_workpaper(desk_office: Office) -> None:
    """Two days of one batch: 45.00 and 30.00 received; the ledger has 54.00 for the second account's day of 45.00."""
    office, lead = desk_office, desk_office.lead
    pay(office, payments("0000001,45.00,2026-11-20,C1,check", "0000002,30.00,2026-11-21,C2,check"))
    lead.press("post")
    right = export(office)
    wrong = right.replace(",,45.0", ",,54.0")
    lead.press("import_ledger", LedgerFile=office.file("gl.csv", wrong))
    said = lead.press("reconcile").said
    # 54.00 for 45.00 is one exchange of digits; the day of 30.00 agrees
    assert (
        "Receivables explained: difference 9.00, of which unexplained 0.00; 1 subledger lines and 1 ledger rows" in said
    )
    assert "1 differences in all, 0 of them without a proven reason. Workpaper: reconciliation-2026-11.xlsx." in said
    row = lead.sheet("reconcile").loc[lambda rows: rows["section"].eq("difference")].iloc[0]
    assert [row[name] for name in ("reason", "gl_account", "account_id", "subledger", "ledger", "difference")] == [
        "transposition", "1210", "0000001", -4500, -5400, 900,
    ]  # fmt: skip
    assert (f"{row['post_date']:%m/%d}", f"{row['gl_date']:%m/%d}") == ("11/20", "11/20")
    assert row["document"] != ""
    assert row["gl_rows"] != ""
    assert row["entry"] == "Ledger: debit 1210 9.00"
    page = openpyxl.load_workbook(office.folder / "reconciliation-2026-11.xlsx", data_only=True)["Differences"]
    assert [page["A6"].value, page["B6"].value, page["L6"].value] == [1, "Digits exchanged", 9]

    # 54.01 is no slip that can be proven: the difference stands unexplained
    lead.press("import_ledger", LedgerFile=office.file("gl2.csv", right.replace(",,45.0", ",,54.01")))
    assert "Receivables differs: difference 9.01, of which unexplained 9.01;" in lead.press("reconcile").said
    lead.press("checklist")
    assert "unexplained 9.01" in lead.sheet("close").loc["Receivables are reconciled", "detail"]


@pytest.mark.stage("posted")
def test_an_opening_balance_of_the_export_is_no_posting(desk_office: Office) -> None:
    office, lead = desk_office, desk_office.lead
    text = export(office, "2026-11-01,1210,,,Opening balance,75.00,")
    assert "postings taken" in lead.press("import_ledger", LedgerFile=office.file("gl.csv", text)).said
    assert lead.press("reconcile").said.startswith("Receivables agrees: difference 0.00")
    # 75.00 owed from before in billing, 80.00 in the ledger, and no row to tell why
    lead.press("import_ledger", LedgerFile=office.file("gl2.csv", text.replace(",75.00,", ",80.00,")))
    assert lead.press("reconcile").said.startswith("Receivables differs: difference 5.00, of which unexplained 5.00")


@pytest.mark.stage("posted")
def test_a_newer_export_takes_the_place_of_the_one_before_and_back(desk_office: Office) -> None:
    lead = desk_office.lead
    first = desk_office.file("gl.csv", export(desk_office))
    second = desk_office.file("gl2.csv", export(desk_office, "2026-11-30,1210,,MJ1,keyed,10.00,"))
    lead.press("import_ledger", LedgerFile=first)
    assert "nothing was added" in lead.press("import_ledger", LedgerFile=first).said
    lead.press("import_ledger", LedgerFile=second)
    assert "MJ1" in lead.sheet("gl")["reference"].tolist()
    assert "postings taken" in lead.press("import_ledger", LedgerFile=first).said
    assert "MJ1" not in lead.sheet("gl")["reference"].tolist()
    lead.press("undo_last")
    assert "MJ1" in lead.sheet("gl")["reference"].tolist()


@pytest.mark.stage("posted")
def test_the_last_of_many_reconciliations_counts(desk_office: Office) -> None:
    """Reconciled at event 9 and again at event 10 within a second: the later one is the last."""
    lead = desk_office.lead
    desk_office.clock.now = desk_office.clock.now.replace(microsecond=0)
    lead.clock = lambda: desk_office.clock.now
    lead.press("import_ledger", LedgerFile=desk_office.file("gl.csv", export(desk_office)))
    for _ in range(6):
        lead.press("reconcile")
    last = desk_office.table("reconciliations", order="at DESC")["at"].tolist()
    assert [int(at.split()[-1]) for at in last] == sorted((int(at.split()[-1]) for at in last), reverse=True)
    assert int(last[0].split()[-1]) >= 10


@pytest.mark.stage("posted")
def test_reconcile_wants_an_export_and_posted_documents(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.refused("reconcile", "no_ledger")
    pay(desk_office)
    assert "not posted yet: 2 receipts (press Post). Press the button that is named" in lead.refused(
        "reconcile", "unposted"
    )
    lead.press("post")
    correct(lead, kind="reverse", document="P0000001")
    lead.press("adjust")  # a reversal that was taken in so is no document of Post
    assert "1 reversals (press Reverse)" in lead.refused("reconcile", "unposted")
    lead.press("reverse")
    lead.refused("reconcile", "no_ledger")


# ---- checklist and close ---------------------------------------------------------------------------------------------


def test_the_checklist_says_what_is_open(desk_office: Office) -> None:
    said = desk_office.lead.press("checklist")
    assert said.listed
    assert said.said.startswith("3 of 6 items are done or signed.")
    assert items(desk_office.lead) == dict(zip(ITEMS, ["open", "done", "done", "open", "done", "open"], strict=True))
    details = desk_office.lead.sheet("close")["detail"]
    assert details["All cycles due are billed"] == "cycle A: 0 of 7 billed, 0 held; 0 not due"
    assert details["Audit is green"] == "cycle A: not done"
    desk_office.lead.refused("close_month", "close_not_ready")


@pytest.mark.stage("computed")
def test_an_audit_nobody_recalculated_says_so(desk_office: Office) -> None:
    lead = desk_office.lead
    said = lead.press("audit").said
    assert said.startswith(
        "Audit of cycle A of 2026-11: 7 active services = 7 billed, 405.00 + 0 held + 0 not due. Not recal"
    )
    assert desk_office.table("audits")[["state", "lines"]].to_dict("split")["data"] == [["not recalculated", 7]]
    assert str(lead.cell("AuditState")).startswith("not recalculated")
    lead.press("checklist")
    assert (items(lead)["Audit is green"], lead.sheet("close")["detail"]["Audit is green"]) == (
        "open",
        "cycle A: not recalculated",
    )


@pytest.mark.stage("computed")
def test_an_audit_names_the_rows_that_differ(desk_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The spreadsheet application gives S01 a cent more, S02 an error, the others what was billed."""
    lead = desk_office.lead
    billed = desk_office.table("draft_services").set_index("service_id")["amount"] / 100
    given = [round(billed[s] + (s == "S01") / 100, 2) if s != "S02" else "#N/A" for s in sorted(billed.index)]
    monkeypatch.setattr("xlbilling.workbook.memory.MemoryWorkbook.recalculate", lambda book: True)
    monkeypatch.setattr("xlbilling.workbook.memory.MemoryWorkbook.values", lambda book, table, field: given)
    outcome = lead.press("audit")
    assert [(p.code, p.place.key) for p in outcome.problems] == [("audit_differs", "S01"), ("audit_differs", "S02")]
    assert desk_office.table("audits")["state"].tolist() == ["red"]
    given[:] = [float(billed[s]) for s in sorted(billed.index)]
    assert "difference 0.00" in lead.press("audit").said
    lead.press("checklist")
    assert items(lead)["Audit is green"] == "done"


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_a_month_closes_when_all_is_done_and_stays_closed(office: Office) -> None:
    lead = office.lead
    audited(office)
    agree(office)
    assert lead.press("checklist").said == "6 of 6 items are done or signed. Open: none."
    lead.yes = False
    assert "press Close month again" in lead.press("close_month").said
    assert office.value("SELECT state FROM periods") == "open"
    said = lead.press("close_month").said
    lead.yes = True
    assert said.startswith(
        "2026-11 is closed; 2026-12 is the first open month. Packet: close-packet-2026-11.xlsx. Backup: billing-"
    )
    assert office.table("periods")[["period", "state"]].to_dict("split")["data"] == [["2026-11", "closed"]]
    assert (office.folder / "close-packet-2026-11.xlsx").exists()
    # Start has moved on to the cycle that is due next, and so have all sheets.
    assert (lead.cell("Period"), lead.cell("Cycle")) == ("2026-12", "B")
    assert sorted(lead.sheet("services").index) == ["S09", "S10", "S11", "S12"]
    assert lead.press("save").said == "Nothing to save."
    kept = next((office.folder / "backups").glob("*-close-2026-11.db"))
    restore(kept, f"sqlite:///{office.folder / 'restored.db'}")
    again = Store.open(f"sqlite:///{office.folder / 'restored.db'}")
    assert verify(again) == []
    assert again.value("SELECT state FROM periods WHERE period = '2026-11'") == "closed"
    again.close()


@pytest.fixture
def closed(desk_office: Office) -> Office:
    audited(desk_office)
    agree(desk_office)
    desk_office.lead.press("close_month")
    return desk_office


@pytest.mark.stage("posted")
def test_a_closed_period_takes_nothing(closed: Office) -> None:
    lead = closed.lead
    lead.press("refresh", Period=PERIOD, Cycle="A")
    before = {name: closed.value(f"SELECT COUNT(*) FROM {name}") for name in metadata.tables}
    lead.refused(
        "import_payments",
        "period_not_open",
        PaymentsFile=closed.file("p.csv", payments("0000001,1.00,2026-11-20,C1,check")),
    )
    for button in ("compute", "post", "adjust", "reverse", "reconcile"):
        lead.refused(button, "period_not_open")
    lead.refused("import_reads", "period_not_open", ReadsFile=closed.file("r.csv", beacon(("M01", "0113"))))
    correct(lead, kind="adjust", account_id="0000001", amount=-100, gl_account="4020")
    lead.refused("save", "period_not_open")
    assert {name: closed.value(f"SELECT COUNT(*) FROM {name}") for name in metadata.tables} == before


def packet_of(office: Office) -> dict[str, Any]:
    """What the close packet of the month says: the chain's head, who closed it, and each item with state and detail."""
    book = openpyxl.load_workbook(office.folder / "close-packet-2026-11.xlsx")
    cells = {name: _cell(book, name) for name in ("chain_head", "closed_by", "closed_at")}
    rows = [row for sheet in book for row in sheet.iter_rows(values_only=True) if row[0] in ITEMS]
    return cells | {row[0]: row[1:3] for row in rows}


def _cell(book: openpyxl.Workbook, name: str) -> Any:
    [(sheet, at)] = book.defined_names[name].destinations
    return book[sheet][at.replace("$", "")].value


@pytest.mark.stage("posted")
def test_packet_and_backup_of_a_closed_month_are_written_again_as_of_its_close(closed: Office) -> None:
    """In December a bill of November is reversed: November's checklist would say 6 of 7 billed, and the chain has gone on."""
    lead, first = closed.lead, packet_of(closed)
    assert first["All cycles due are billed"] == ("done", "cycle A: 7 of 7 billed, 0 held; 0 not due")
    head = closed.value("SELECT seal FROM events ORDER BY event DESC LIMIT 1")
    assert first["chain_head"] == head
    correct(lead, kind="reverse", document="B0000001", reason="moved out")
    lead.press("reverse")
    for written in (closed.folder / "close-packet-2026-11.xlsx", *(closed.folder / "backups").iterdir()):
        written.unlink()
    before = {name: closed.value(f"SELECT COUNT(*) FROM {name}") for name in metadata.tables}
    outcome = lead.press("close_month", Period=PERIOD, Cycle="A")
    assert outcome.said.startswith("2026-11 is closed already, by lea at 2026-11-23T")
    assert "Packet: close-packet-2026-11.xlsx. Backup: billing-" in outcome.said
    assert packet_of(closed) == first
    assert len(list((closed.folder / "backups").glob("*-close-2026-11.db"))) == 1
    assert {name: closed.value(f"SELECT COUNT(*) FROM {name}") for name in metadata.tables} == before
    assert lead.cell("Period") == "2026-12"


@pytest.mark.stage("posted")
def test_a_month_whose_packet_could_not_be_written_is_said_to_be_closed(desk_office: Office) -> None:
    office, lead = desk_office, desk_office.lead
    audited(office)
    agree(office)
    in_the_way = office.folder / "~$close-packet-2026-11.xlsx"
    in_the_way.touch()
    outcome = lead.press("close_month")
    assert outcome.said.startswith(
        "2026-11 is closed; 2026-12 is the first open month. Packet: none was written. Backup: b"
    )
    assert "Close month with 2026-11 on Start writes both again" in outcome.said
    [problem] = outcome.problems
    assert problem.code == "close_packet_missing"
    assert "2026-11 is closed, but its packet was not written: the workbook is open in Excel" in str(problem)
    assert office.value("SELECT state FROM periods WHERE period = '2026-11'") == "closed"
    in_the_way.unlink()
    assert lead.press("close_month", Period=PERIOD, Cycle="A").problems == []
    head = office.value("SELECT seal FROM events WHERE action = 'close_month' ORDER BY event DESC LIMIT 1")
    assert packet_of(office)["chain_head"] == head


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_a_stop_after_the_lock_leaves_a_month_that_can_be_closed_to_its_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    audited(office)
    agree(office)
    with monkeypatch.context() as stopped:
        stopped.setattr(closing, "_packet", _power_cut)
        with pytest.raises(KeyboardInterrupt):
            office.lead.press("close_month")
    assert office.value("SELECT state FROM periods WHERE period = '2026-11'") == "closed"
    carried_on = office.clerk("lou")
    with pytest.raises(Refusal, match="needs the role lead"):
        carried_on.presses("close_month")
    office.lead.press("close_month")
    assert packet_of(office)["closed_by"] == "lea"
    assert len(list((office.folder / "backups").glob("*-close-2026-11.db"))) == 1


@pytest.mark.stage("posted")
@pytest.mark.parametrize("noted", ["Closed 2026-10, 2026-11; 2026-12 is the first open month", "closed by hand"])
def test_a_month_closed_before_items_were_noted_has_its_packet_too(desk_office: Office, noted: str) -> None:
    """An earlier version noted which months it closed and no items: the packet has the checklist as it is now."""
    office, lead = desk_office, desk_office.lead
    store = office.store()
    with store.work("lea", "close_month") as work:
        work.execute("UPDATE periods SET state = 'closed', closed_by = 'lea', closed_at = :t", t=work.at)
        work.event(noted)
    store.close()
    head = office.value("SELECT seal FROM events ORDER BY event DESC LIMIT 1")
    lead.press("refresh", Period="2026-12", Cycle="B")
    lead.set("accounts", "0000009", phone="555-0101")
    lead.press("save")
    now = office.value("SELECT seal FROM events ORDER BY event DESC LIMIT 1")
    assert lead.press("close_month", Period=PERIOD, Cycle="A").problems == []
    packet = packet_of(office)
    assert packet["chain_head"] == (head if noted.startswith("Closed") else now)
    assert packet["All batches are posted"] == ("done", "nothing waits")
    assert packet["Audit is green"] == ("open", "cycle A: not done")


def _power_cut(_desk: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.stage("posted")
def test_money_for_the_closed_month_goes_into_the_open_one(closed: Office) -> None:
    lead = closed.lead
    text = payments("0000001,45.00,2026-11-30,C1,check", "0000001,45.00,2026-12-01,C2,check")
    outcome = lead.press("import_payments", PaymentsFile=closed.file("p.csv", text))
    assert outcome.problems == []
    assert "1 of a closed month post on 2026-12-01; the day they came stays" in outcome.said
    lead.press("post")
    posted = closed.table("entries", "kind = 'payment'")
    assert posted["period"].tolist() == ["2026-12", "2026-12"]
    assert posted["post_date"].dt.strftime("%Y-%m-%d").tolist() == ["2026-12-01", "2026-12-01"]
    assert closed.table("payments")["received_on"].dt.strftime("%Y-%m-%d").tolist() == ["2026-11-30", "2026-12-01"]
    correct(lead, kind="reverse", document="B0000001", reason="wrong")
    lead.press("reverse")
    assert closed.table("entries", "reverses IS NOT NULL")["period"].tolist() == ["2026-12"]


@pytest.mark.stage("posted")
def test_an_open_item_is_signed_with_a_reason_by_the_lead(desk_office: Office) -> None:
    lead, cora = desk_office.lead, desk_office.clerk("cora")
    agree(desk_office)
    cora.press("refresh")
    cora.set("close", "Audit is green", signed_reason="fine by me")
    cora.refused("save", "not_allowed")
    lead.set("close", "Audit is green", signed_reason="to be recalculated in Excel")
    lead.press("save")
    signed = desk_office.table("signoffs").iloc[0]
    assert (signed["item"], signed["actor"], signed["reason"]) == (
        "Audit is green",
        "lea",
        "to be recalculated in Excel",
    )
    lead.press("checklist")
    assert items(lead)["Audit is green"] == "signed"
    assert "is closed" in lead.press("close_month").said


@pytest.mark.stage("posted")
def test_unposted_documents_cannot_be_signed_away(desk_office: Office) -> None:
    lead = desk_office.lead
    pay(desk_office)
    lead.press("checklist")
    lead.set("close", "All batches are posted", signed_reason="later")
    assert "Close!D8" in lead.refused("save", "cells_refused")
    assert lead.codes == {"not_signable"}
    store = desk_office.store()
    with store.work("lea", "forge") as work:  # nor does a signature count that came in some other way
        work.insert_one("signoffs", period=PERIOD, item="All batches are posted", reason="x", actor="lea", at=work.at)
        work.event("signed")
    store.close()
    desk = lead.desk()
    assert checklist_view(desk).set_index("item")["state"]["All batches are posted"] == "open"
    desk.store.close()


@pytest.mark.stage("posted")
def test_a_green_audit_and_a_reconciliation_hold_for_what_they_saw(desk_office: Office) -> None:
    lead = desk_office.lead
    audited(desk_office)
    agree(desk_office)
    pay(desk_office)
    lead.press("post")
    lead.press("checklist")
    details = lead.sheet("close")["detail"]
    assert details["Receivables are reconciled"] == "entries or the export changed since it was reconciled"
    correct(lead, kind="rebill", document="B0000001")
    lead.press("reverse")
    lead.press("checklist")
    assert lead.sheet("close")["detail"]["Audit is green"] == "cycle A: bills changed since"


def test_the_period_on_start_must_be_one(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.refused("post", "no_period", Period="")
    lead.refused("post", "no_period", Period="November")
    lead.refused("post", "period_not_open", Period="2026-10")  # before the books begin


def test_the_cycle_on_start_must_have_a_run(desk_office: Office) -> None:
    assert "cycle B has no run in 2026-11" in desk_office.lead.refused("validate", "no_run", Cycle="B")
    assert "cycle Q has no run in 2026-11" in desk_office.lead.refused("validate", "no_run", Cycle="Q")


# ---- roles -----------------------------------------------------------------------------------------------------------


@pytest.mark.stage("computed")
def test_a_clerk_neither_posts_nor_closes_nor_changes_rates(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    for button in ("post", "audit", "reverse", "close_month"):
        assert "cora" in cora.refused(button, "not_allowed")
    cora.set("rates", "R003", rate="9.99")
    cora.refused("save", "not_allowed")
    assert desk_office.value("SELECT MAX(rev) FROM rates") == 1


@pytest.mark.stage("posted")
def test_accounting_reconciles_and_saves_nothing(desk_office: Office) -> None:
    ada = desk_office.clerk("ada")
    ada.press("import_ledger", LedgerFile=desk_office.file("gl.csv", export(desk_office)))
    ada.press("reconcile")
    ada.set("accounts", "0000001", name="X")
    ada.refused("save", "not_allowed")
    ada.set("accounts", "0000001", name="Customer 1")
    for button in ("compute", "validate", "adjust", "post", "print_file"):
        ada.refused(button, "not_allowed")


@pytest.mark.stage("computed")
def test_somebody_unknown_may_look_and_nothing_more(desk_office: Office) -> None:
    eve = desk_office.clerk("eve")
    before = desk_office.table("events")
    for button in ("compute", "validate", "adjust", "post", "print_file", "import_ledger", "reconcile", "audit", "close_month", "import_reads", "import_payments", "reverse", "checklist", "undo_last"):  # fmt: skip
        eve.refused(button, "not_allowed")
    eve.press("refresh")
    eve.press("about")
    eve.set("accounts", "0000001", name="X")
    eve.refused("save", "not_allowed")
    assert desk_office.table("events").equals(before)


# ---- a second run of everything --------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.on_file
def test_a_second_run_of_every_step_changes_nothing(office: Office) -> None:
    """Every button of the month, each twice: counts, numbers and the whole journal are the same after the second press."""
    lead = office.lead
    lead.press("import_reads", ReadsFile=office.file("reads.csv", beacon(("M01", "0122"))))

    def state() -> tuple[dict[str, int], str]:
        counted = {
            name: int(str(office.value(f"SELECT COUNT(*) FROM {name}")))
            for name in metadata.tables
            # Looking again is noted: a second check, computation, audit or reconciliation is an event of its own.
            if name not in ("events", "audits", "reconciliations", "undo")
        }
        frames = [office.table(name) for name in ("journal", "entries", "bills", "bill_services", "bill_lines", "numbers", "exceptions", "draft_bills", "draft_services", "draft_lines", "payments")]  # fmt: skip
        # The order of equal frames is the key's order, so that one digest stands for all rows.
        return counted, hashlib.sha256("".join(frame.to_csv() for frame in frames).encode()).hexdigest()

    def twice(button: str, **cells: str) -> None:
        lead.press(button, **cells)
        before = state()
        lead.press(button, **cells)
        assert state() == before, button

    twice("import_reads", ReadsFile="reads.csv")
    twice("validate")
    lead.set("exceptions", "high S01", decision="accept", reason="leak, told them")
    twice("save")
    twice("compute")
    twice("post")
    twice("print_file")
    twice("validate")
    twice("import_payments", PaymentsFile=office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    twice("post")
    correct(lead, kind="adjust", account_id="0000002", amount=-500, gl_account="4020")
    twice("adjust")
    twice("post")
    correct(lead, kind="rebill", document="B0000002")
    twice("reverse")
    twice("compute")
    twice("post")
    twice("import_ledger", LedgerFile=office.file("gl.csv", export(office)))
    twice("reconcile")
    twice("report_pack")
    lead.press("checklist")
    lead.set("close", "Audit is green", signed_reason="no spreadsheet application here")
    twice("save")
    twice("checklist")
    twice("refresh")
    store = office.store()
    assert verify(store) == []
    store.close()
    lead.press("close_month")
    assert office.table("entries")["period"].unique().tolist() == [PERIOD]
    owed = office.table("journal", "gl_account = '1210'")["amount"].sum()
    # 75.00 + (405.00 + S01 22 instead of 12 CCF: 10 x 4.00 + 5 %) - 45.00 - 5.00
    assert owed == 7500 + 40500 + 4200 - 4500 - 500
    assert pd.Series(office.table("bills")["number"]).is_unique
