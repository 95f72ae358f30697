"""The live port in a real spreadsheet application: the same tables, cells and questions as the file adapter gives."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xlbilling.maker import build_workbook
from xlbilling.maker.ribbon import Button
from xlbilling.words.problems import Kind, Place, Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import take
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.live.excel import ExcelWorkbook
from xlbilling.workbook.port import ExtraColumn

pytestmark = pytest.mark.libreoffice

STRANGE = Kind("test_strange", "A test finding.", "Look at it.", "review")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "billing.xlsm"
    build_workbook(path, [Button("save", "Save", "Sheets", "SA", "FileSave", "Save.")])
    return path


@pytest.fixture
def copies(built: Path, tmp_path: Path, libreoffice: Any) -> Any:
    """The same workbook twice: live, and as a file."""
    live, file = tmp_path / "live.xlsm", tmp_path / "file.xlsm"
    shutil.copy(built, live)
    shutil.copy(built, file)
    opened = libreoffice.open(live)
    yield ExcelWorkbook(opened.book), FileWorkbook(file)
    opened.book.close()


def accounts(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "account_id": [f"{n:05d}" for n in range(count)],
            "name": [f"=Customer {n}" if n == 1 else f"Customer {n}" for n in range(count)],
            "phone": "-555",
            "opened_on": np.array(["2020-02-29"] * count, dtype="datetime64[s]"),
            "balance": np.arange(count, dtype=np.int64) * 1_234_567 - 5,
        }
    )


def taken(book: Any, table: str) -> pd.DataFrame:
    sheet = book.read(table)
    frame, problems = take(sheet.table, sheet)
    assert problems == []
    return frame


@pytest.mark.parametrize("count", [0, 1, 40])
def test_both_adapters_give_the_same_frames(copies, count):
    frames = []
    for book in copies:
        book.write("accounts", accounts(60))
        book.write("accounts", accounts(count))
        frames.append(taken(book, "accounts"))
    live, file = frames
    pd.testing.assert_frame_equal(live, file)
    wanted = accounts(count)
    assert live.account_id.tolist() == wanted.account_id.tolist()
    assert live.name.tolist() == wanted.name.tolist()
    assert live.balance.tolist() == wanted.balance.tolist()
    assert live.opened_on.tolist() == wanted.opened_on.tolist()


def test_raw_cells_are_the_same_before_anything_is_taken(copies):
    for book in copies:
        book.write("accounts", accounts(3))
    live, file = (book.read("accounts") for book in copies)
    assert live.rows.tolist() == file.rows.tolist() == [4, 5, 6]
    assert dict(live.column_letter) == dict(file.column_letter)
    assert [str(live.place(2, "balance")), str(file.place(2, "balance"))] == ["Accounts!L6", "Accounts!L6"]
    assert live.frame.balance.tolist() == file.frame.balance.tolist()


def test_staff_columns_follow_their_rows(copies):
    live, _ = copies
    live.write("accounts", accounts(3))
    sheet = live.book.sheets["Accounts"]
    sheet.range("N3").value = [["My note"], ["first"], ["second"], ["third"]]
    live.write("accounts", accounts(5).iloc[[4, 2, 1]])
    assert live.read("accounts").own["My note"].tolist() == [None, "third", "second"]
    assert sheet.range("N3:N6").value == ["My note", None, "third", "second"]


def test_the_audit_recalculates_its_formulas(copies):
    live, file = copies
    rows = pd.DataFrame({"service_id": ["1", "2"], "outcome": "billed", "billed": [2406, 12833]})
    extra = [
        ExtraColumn("fixed", "Fixed", "money", "=ROUND(24.06,2)"),
        ExtraColumn("tier", "Tier 1", "money", ["=0", "=ROUND(ROUND(14.5*8.85,2)-{fixed},2)"]),
    ]
    formulas = {"recomputed": "={fixed}+{tier}", "difference": "={billed}-{recomputed}"}
    for book in copies:
        book.write("audit", rows, formulas, [*extra, ExtraColumn("old", "Old", "money", "=1")])
        book.write("audit", rows, formulas, extra)
    assert live.recalculate()
    assert live.values("audit", "difference") == [0.0, 0.0]
    assert live.values("audit", "tier") == [0.0, 104.27]
    assert live.get("AuditDifference") == 0.0
    assert live.book.sheets["Audit"].range("A3:I3").value[6:] == ["ƒ Fixed", "ƒ Tier 1", None]
    assert file.values("audit", "difference") == [None, None]  # nothing has recalculated the file yet
    assert file.recalculate()
    assert file.values("audit", "difference") == [0.0, 0.0]


def test_named_cells_questions_and_messages(copies):
    for book in copies:
        assert book.get("Billed") is None  # a dash stands there
        book.put("Billed", 1234.5)
        assert book.get("Billed") == 1234.5
        book.put("Billed", None)
        assert book.get("Billed") is None
        assert not book.confirm("Post 12 bills?")
        book.say("Asked.")
        assert book.get("Question") == "Post 12 bills?"
        assert book.confirm("Post 12 bills?")
        assert book.get("Question") is None
        assert not book.confirm("Close November?")
        book.say("Asked.")
        book.say("Another button was pressed.")
        assert book.get("Question") is None
        with pytest.raises(Refusal, match="Start!ReadsFile"):
            book.ask_file("A read file", "ReadsFile")


def test_rows_that_come_and_go_keep_looks_and_drop_downs(copies):
    live, _ = copies
    sheet = live.book.sheets["Accounts"]
    delivery = list(TABLE["accounts"].columns).index("delivery") + 1

    def look(row):
        cell = sheet.range((row, delivery))
        area = cell.impl.area
        looks = area.CellBackColor, area.ParaIndent, area.CharHeight, area.BottomBorder.Color
        return cell.number_format, *looks, area.Validation.getFormula1()

    first = look(4)
    assert "paper" in first[-1]
    for count in (40, 2, 60):
        live.write("accounts", accounts(count))
    assert [look(row) for row in (5, 30, 63)] == [first] * 3


def test_rows_typed_under_a_table_belong_to_it(copies):
    live, _ = copies
    live.write("accounts", accounts(3))
    sheet = live.book.sheets["Accounts"]
    sheet.range("A7").value = [["99001", "Typed below"], ["99002", "And another"]]
    sheet.range("A10").value = "a remark further down"
    assert live.read("accounts").frame.account_id.tolist() == ["00000", "00001", "00002", "99001", "99002"]
    live.write("accounts", accounts(2))
    assert sheet.range("A6:A10").value == [None] * 4 + ["a remark further down"]


def test_marks_come_and_go(copies):
    live, _ = copies
    live.write("accounts", accounts(3))
    live.mark([STRANGE.at(Place("accounts", "00001", "balance"), "far too high")])
    cell = live.book.sheets["Accounts"].range("L5")
    before, red = live.book.sheets["Accounts"].range("L4").color, cell.color
    assert red != before
    assert cell.note.text == "far too high. Look at it."
    live.mark([])
    assert cell.color == before
    assert cell.note is None


def test_a_day_pasted_as_text_is_a_day_again_once_it_is_written(copies):
    """Pasting text over a date leaves a cell that holds only text; writing the column gives it its format back."""
    live = copies[0]
    live.write("accounts", accounts(2))
    cell = live.book.sheets["Accounts"].range(f"{live.read('accounts').column_letter['opened_on']}4")
    cell.number_format = "@"
    cell.value = "4/30/2019"
    assert taken(live, "accounts")["opened_on"].iloc[0] == pd.Timestamp("2019-04-30")
    live.write("accounts", accounts(2))
    assert taken(live, "accounts")["opened_on"].tolist() == [pd.Timestamp("2020-02-29")] * 2
    assert cell.number_format != "@"


@pytest.mark.parametrize("name", ["'t Kofschip", "'", "''twice", "'-12' is not a reading", "=1+1", "O'Hara", "-"])
def test_a_text_keeps_its_first_apostrophe(copies, name):
    for book in copies:
        book.write("accounts", accounts(2).assign(name=name))
        book.put("Message", name)
        assert taken(book, "accounts")["name"].tolist() == [name, name]
        assert book.get("Message") == name


def test_a_renamed_sheet_is_found_by_its_table(copies):
    """Read, written and brought to the front under the name it has now, live as in the file."""
    for book in copies:
        book.write("accounts", accounts(2))
        book.rename_sheet("Accounts", "Customers")
        assert str(book.read("accounts").place(0, "phone")).startswith("Customers!")
        book.write("accounts", accounts(3))
        book.show("Accounts")
        book.view("lead")
        assert taken(book, "accounts")["account_id"].tolist() == ["00000", "00001", "00002"]


def test_a_renamed_heading_is_named_with_its_cell(copies):
    live, _ = copies
    live.book.sheets["Accounts"].range("B3").value = "Customer"
    problems = live.read("accounts").problems
    assert [str(p.place) for p in problems] == ["Accounts!B3"]
    with pytest.raises(Refusal):
        live.write("accounts", accounts(1))


def test_views_hide_sheets(copies):
    live, _ = copies
    live.view("clerk")
    hidden = {sheet.name for sheet in live.book.sheets if not sheet.visible}
    assert hidden == {t.sheet.name for t in TABLE.values() if "clerk" not in t.sheet.views}
    live.view("lead")
    assert all(sheet.visible for sheet in live.book.sheets)
