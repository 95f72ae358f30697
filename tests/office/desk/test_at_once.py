"""Two clerks at once: what one writes while the other's button is at work is neither lost nor billed past."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.office.conftest import Office
from tests.office.small import beacon
from xlbilling.office.bills import runs as billing
from xlbilling.office.reads import settling as readings


def meanwhile(monkeypatch: pytest.MonkeyPatch, module: Any, somebody: Callable[[], object]) -> None:
    """Let somebody press a button just after the reads were settled for another one."""
    real = module.settled_reads

    def settled(desk: Any) -> Any:
        made = real(desk)
        monkeypatch.setattr(module, "settled_reads", real)
        somebody()
        return made

    monkeypatch.setattr(module, "settled_reads", settled)


def test_a_decision_saved_while_reads_are_checked_stands(desk_office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office = desk_office
    office.lead.press("import_reads", ReadsFile=office.file("reads.csv", beacon(("M01", "0322"))))
    office.lead.press("validate")
    cora = office.clerk("cora")
    cora.press("refresh")
    cora.set("exceptions", "spike S01", decision="accept", reason="pool")
    meanwhile(monkeypatch, readings, lambda: cora.press("save"))
    office.lead.press("validate")
    row = office.table("exceptions", "exception_id = 'spike S01'").iloc[0]
    assert (row["decision"], row["reason"], row["decided_by"], row["state"]) == ("accept", "pool", "cora", "decided")


@pytest.mark.stage("imported")
def test_reads_that_come_while_bills_are_computed_stop_the_compute(
    desk_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M01 is corrected to 0110: 20.00 + 10 x 2.50 = 45.00 + 2.25 = 47.25, not the 55.65 of 0112."""
    office, cora = desk_office, desk_office.clerk("cora")
    name = office.file("again.csv", beacon(("M01", "0110")))
    meanwhile(monkeypatch, billing, lambda: cora.press("import_reads", ReadsFile=name))
    office.lead.refused("compute", "drafts_stale")
    assert office.value("SELECT COUNT(*) FROM draft_bills") == 0
    office.lead.press("compute")
    assert office.value("SELECT amount FROM draft_services WHERE service_id = 'S01'") == 4725


@pytest.mark.stage("posted")
def test_bills_reversed_after_a_compute_make_the_drafts_stale(desk_office: Office) -> None:
    """The next run's drafts begin where the bill that is reversed ended."""
    lead, office = desk_office.lead, desk_office
    _write(office, "INSERT INTO periods (period, state) VALUES ('2027-01', 'open')")
    name = office.file("january.csv", beacon().replace("2026-11-05", "2027-01-05"))
    lead.press("import_reads", ReadsFile=name, Period="2027-01")
    lead.press("validate")
    lead.press("compute")
    assert office.value("SELECT COUNT(*) FROM draft_bills WHERE state = 'draft'")
    _write(office, "DELETE FROM standing_bills WHERE service_id = 'S02'")
    lead.press("refresh")
    lead.refused("post", "drafts_stale")


def _write(office: Office, sql: str) -> None:
    store = office.store()
    with store.work("lea", "test") as work:
        work.execute(sql)
        work.event("test")
    store.close()


@pytest.mark.stage("opened")
@pytest.mark.both_databases
def test_undoing_an_import_leaves_what_a_colleague_did_with_it(office: Office) -> None:
    """Cora imports; the lead leaves a rejected row of it, or imports a later file: Cora's undo would lose that."""
    cora, lead = office.clerk("cora"), office.lead
    cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon(extra=("cut off,here",))))
    lead.press("refresh")
    row = office.table("rejects").iloc[0]
    lead.set("rejects", row["reject_id"], decision="leave", reason="a torn line")
    lead.press("save")
    cora.press("refresh")
    assert "decided on Rejects since" in cora.refused("undo_last", "undo_overtaken")
    lead.press("undo_last")
    lead.press("import_reads", ReadsFile=office.file("later.csv", beacon(("M01", "0113"))))
    cora.press("refresh")
    assert "replaced by a later file since" in cora.refused("undo_last", "undo_overtaken")
    lead.press("undo_last")
    cora.press("refresh")
    assert cora.press("undo_last").said == "Undid Import reads."
    assert office.value("SELECT COUNT(*) FROM reads WHERE state = 'current'") == 0
