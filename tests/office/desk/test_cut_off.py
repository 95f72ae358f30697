"""A press that is cut off after the store was written and before the workbook was: pressing again does the act once."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.asked import correct, healthy
from tests.office.conftest import Office
from tests.office.small import Clerk


def cut_off(clerk: Clerk, button: str) -> None:
    """Press a button and lose what it wrote on the workbook."""
    as_it_was = clerk.workbook().copied(clerk.folder)
    clerk.press(button)
    clerk.workbook = lambda: as_it_was


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_adjust_pressed_again_takes_its_corrections_in_once(office: Office) -> None:
    """Two alike of -10.25 and one of -5.00 come to -25.50, whether Post came between the two presses or not."""
    lead = office.lead
    for amount in (-1025, -1025, -500):
        correct(lead, kind="adjust", account_id="0000001", amount=amount, gl_account="4020", reason="leak")
    cut_off(lead, "adjust")
    said = lead.press("adjust").said
    assert said.startswith("There already, and not taken in again: A0000001, A0000002, A0000003 (an earlier press took")
    assert "3 adjustments wait for Post" in said
    assert lead.sheet("adjustments").index.tolist() == ["A0000001", "A0000002", "A0000003"]
    lead.press("post")
    assert office.value("SELECT SUM(amount) FROM adjustments") == -2550
    assert office.value("SELECT COUNT(*) FROM adjustments") == 3
    assert healthy(office)


@pytest.mark.stage("posted")
def test_a_correction_posted_meanwhile_is_there_too_and_a_fourth_is_new(desk_office: Office) -> None:
    lead = desk_office.lead
    correct(lead, kind="adjust", account_id="0000001", amount=-1025, gl_account="4020", reason="leak")
    cut_off(lead, "adjust")
    at_another_copy = Clerk.in_memory(lead.workbook().copied(lead.folder), "lea", desk_office.url, desk_office.clock)
    assert at_another_copy.press("post").said == "Posted: AJ0000001: 1 adjustments, -10.25."
    correct(lead, kind="adjust", account_id="0000002", amount=-200, gl_account="4020", reason="leak")
    said = lead.press("adjust").said
    assert said.startswith("1 corrections taken in. There already, and not taken in again: A0000001 (")
    adjustments = desk_office.table("adjustments")
    assert adjustments[["amount", "state"]].to_numpy().tolist() == [[-1025, "posted"], [-200, "open"]]


@pytest.mark.stage("posted")
def test_the_same_correction_on_purpose_is_taken_in(desk_office: Office) -> None:
    """After a whole press the sheet has the number of what it took in, so the same typed once more is another."""
    lead, cora = desk_office.lead, desk_office.clerk("cora")
    for clerk in (lead, lead, cora):
        correct(clerk, kind="adjust", account_id="0000001", amount=-1025, gl_account="4020", reason="leak")
        assert clerk.press("adjust").said.startswith("1 corrections taken in. ")
    assert desk_office.table("adjustments")["amount"].tolist() == [-1025, -1025, -1025]


@pytest.mark.stage("posted")
def test_one_taken_back_is_not_there(desk_office: Office) -> None:
    lead = desk_office.lead
    correct(lead, kind="adjust", account_id="0000001", amount=-1025, gl_account="4020", reason="leak")
    as_typed = lead.workbook().copied(lead.folder)
    lead.press("adjust")
    lead.press("undo_last")
    lead.workbook = lambda: as_typed
    assert lead.press("adjust").said.startswith("1 corrections taken in. ")
    assert desk_office.table("adjustments")["state"].tolist() == ["withdrawn", "open"]


@pytest.mark.stage("posted")
@pytest.mark.both_databases
@pytest.mark.parametrize("kind", ["reverse", "rebill"])
def test_reverse_pressed_again_cancels_once(office: Office, kind: str) -> None:
    lead = office.lead
    correct(lead, kind=kind, document="B0000001", reason="wrong")
    cut_off(lead, "reverse")
    said = lead.press("reverse").said
    assert said.startswith("There already, and not taken in again: A0000001 (")
    assert said.endswith("Nothing waits to be reversed.")
    assert office.value("SELECT COUNT(*) FROM reversals") == 1
    assert office.value("SELECT COUNT(*) FROM adjustments") == 1
    assert healthy(office)


@pytest.mark.stage("posted")
def test_reverse_cut_off_between_its_two_halves_goes_on(desk_office: Office) -> None:
    """Taken in, not yet posted: the second press posts it."""
    lead = desk_office.lead
    correct(lead, kind="reverse", document="B0000001", reason="wrong")
    lead.meanwhile(_power_cut, before=2)
    as_it_was = lead.workbook().copied(lead.folder)
    with pytest.raises(KeyboardInterrupt):
        lead.press("reverse")
    lead.workbook = lambda: as_it_was
    assert desk_office.value("SELECT state FROM adjustments") == "open"
    assert "reversed 1 documents: B0000001" in lead.press("reverse").said
    assert desk_office.table("adjustments")["state"].tolist() == ["posted"]


def _power_cut() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("again", ["save", "refresh", "post"])
def test_a_row_that_save_wrote_is_no_typing_when_its_sheet_was_lost(desk_office: Office, again: str) -> None:
    """Of a table whose keys staff type, and of one whose keys the store gives."""
    lead = desk_office.lead
    lead.add("accounts", account_id="0000099", name="New")
    lead.add("payments", received_on=pd.Timestamp("2026-11-20"), account_id="0000001", amount=4500, method="counter")
    cut_off(lead, "save")
    said = lead.press(again).said
    assert "unsaved" not in said
    if again != "post":
        assert "There already, and not taken in again: 0000099, P0000001 (an earlier press" in said
    lead.press("refresh")
    assert lead.sheet("payments").index.tolist() == ["P0000001"]
    assert "0000099" in lead.sheet("accounts").index
    assert desk_office.value("SELECT COUNT(*) FROM payments") == 1
    assert lead.press("save").said == "Nothing to save."


def test_a_row_like_the_stores_but_for_one_cell_is_told(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.add("accounts", account_id="0000099", name="New")
    cut_off(lead, "save")
    lead.set("accounts", "0000099", name="Newer")
    assert "0000099 is in the store already" in lead.refused("save", "cells_refused")


def test_unsaved_typing_is_asked_about_in_words_alone(desk_office: Office) -> None:
    """Every typed cell of a new row stands in the question, no digest; what was typed since asks again."""
    cora = desk_office.clerk("cora")
    cora.yes = False
    cora.add("accounts", account_id="0000099", name="New", phone="555-0101")
    cora.raw("accounts", "0000003", "opened_on", "soon")
    said = cora.press("refresh").said
    assert ".." not in said
    question = str(cora.cell("Question"))
    assert "Accounts: Account 0000099, Name New, Phone 555-0101" in question
    assert "soon" in question
    assert not question.rstrip().endswith(")")
    cora.set("accounts", "0000099", phone="555-0202")
    assert "Press Save to keep them" in cora.press("refresh").said
    assert "are in Log" in cora.press("refresh").said
