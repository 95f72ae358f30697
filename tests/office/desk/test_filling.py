"""Sheets that still hold what they were filled with are not compared row by row; typing on any of them is seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.office.conftest import Office, Stages
from tests.office.small import Clerk, payments
from xlbilling.office.desk import comparing, filling
from xlbilling.office.desk.surface import saved, shown
from xlbilling.words.problems import Refusal
from xlbilling.words.records import TABLE


@pytest.fixture
def computed_desk(plain_stages: Stages, tmp_path: Path) -> Clerk:
    """The lead's desk with the month's drafts, the sheets as the store has them."""
    lead = plain_stages.at("computed", tmp_path).lead
    lead.press("refresh")
    return lead


def compared(clerk: Clerk, monkeypatch: pytest.MonkeyPatch, button: str) -> list[str]:
    """The sheets a press looked at row by row."""
    looked: list[str] = []

    class Looked(comparing._Comparison):
        def __init__(self, desk: Any, sheet: Any):
            looked.append(sheet.table.name)
            super().__init__(desk, sheet)

    monkeypatch.setattr(comparing, "_Comparison", Looked)
    clerk.press(button)
    return looked


def test_only_the_sheet_typed_on_is_compared(computed_desk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    computed_desk.set("accounts", "0000003", phone="555-0101")
    assert compared(computed_desk, monkeypatch, "save") == ["accounts"]
    assert computed_desk.said[-1] == ("Save", "Saved 1 changes.")
    assert compared(computed_desk, monkeypatch, "save") == []
    assert computed_desk.said[-1] == ("Save", "Nothing to save.")


def test_typing_in_any_column_of_any_sheet_is_seen(computed_desk: Clerk) -> None:
    """Each saved sheet with rows, each typed column; the old cell typed back is no typing."""
    book, desk, looked = computed_desk.workbook(), computed_desk.desk(), 0
    for table in saved():
        sheet = book.read(table)
        for field in TABLE[table].names("typed") if len(sheet.rows) else ():
            cell, before = f"{sheet.column_letter[field]}{sheet.rows[0]}", sheet.frame[field].iloc[0]
            book.type_in(sheet.sheet, {cell: 12_345.0 if before != 12_345.0 else 1.0})
            assert not filling.untouched(desk, book.read(table)), (table, field)
            book.type_in(sheet.sheet, {cell: before})
            assert filling.untouched(desk, book.read(table)), (table, field)
            looked += 1
    desk.store.close()
    assert looked > 60


def test_a_row_others_took_back_is_still_told(desk_office: Office) -> None:
    """The sheet of receipts is as it was filled, and one of its rows has left the store."""
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    cora.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,11/03/2026,A1,check")))
    carl.press("refresh")
    cora.press("undo_last")
    assert "Rows taken back since: P0000001" in carl.press("refresh").said


def test_a_stop_while_filling_leaves_no_fingerprint(computed_desk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half written sheets are compared row by row, whatever stood on them before."""
    real = filling.view

    def stops(desk: Any, name: str) -> Any:
        if name == "services":
            raise Refusal(comparing.KEY_TWICE.at(None, "stopped here"))
        return real(desk, name)

    monkeypatch.setattr(filling, "view", stops)
    with pytest.raises(Refusal):
        computed_desk.press("refresh")
    monkeypatch.setattr(filling, "view", real)
    assert set(compared(computed_desk, monkeypatch, "save")) == set(saved())


def test_a_sheet_that_shows_its_rows_already_is_not_written_again(
    computed_desk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A save of one phone writes Accounts, Log and nothing that did not change; Refresh writes every sheet."""
    written: list[str] = []
    book = computed_desk.workbook()
    real = type(book).write
    monkeypatch.setattr(
        type(book), "write", lambda self, name, *a, **k: (written.append(name), real(self, name, *a, **k))
    )
    computed_desk.set("accounts", "0000003", phone="555-0101")
    computed_desk.press("save")
    assert "accounts" in written
    assert not {"services", "meters", "bills"} & set(written)
    written.clear()
    computed_desk.press("refresh")
    assert {"services", "meters", "bills"} <= set(written)


def test_the_rows_on_a_sheet_left_alone_are_the_stores(computed_desk: Clerk) -> None:
    """After Post every sheet shows what a Refresh would show; the checklist alone waits to be asked."""
    computed_desk.press("post")
    names = [name for name in shown() if name != "close"]
    before = {name: computed_desk.cells(name) for name in names}
    computed_desk.press("refresh")
    for name in names:
        assert before[name].equals(computed_desk.cells(name)), name
