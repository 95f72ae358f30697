"""The file adapter: reads and writes tables of billing.xlsm and leaves every other part as it was."""

from __future__ import annotations

import datetime as dt
import shutil
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from openxml_audit import OpenXmlValidator

from xlbilling.maker import build_workbook
from xlbilling.maker.ribbon import Button
from xlbilling.words.problems import Kind, Place, Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import take
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.port import ExtraColumn

STRANGE = Kind("test_file_strange", "A test finding.", "Look at it.", "review")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "billing.xlsm"
    build_workbook(path, [Button("save", "Save", "Sheets", "SA", "FileSave", "Save.")])
    return path


@pytest.fixture
def path(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(built, tmp_path / "billing.xlsm"))


pytestmark = pytest.mark.filterwarnings("ignore:Print area cannot be set")  # whole columns are news to openpyxl


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def meters(count: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "meter_id": [f"{n:07d}" for n in range(count)],
            "service_id": [f"S{n}" for n in range(count)],
            "dials": np.full(count, 6, np.int64),
            "multiplier": "0.1",
            "unit": "CCF",
            "set_on": np.array(["2019-05-01"] * count, dtype="datetime64[s]"),
        }
    )


def assert_clean(path: Path) -> None:
    result = OpenXmlValidator().validate(str(path))
    assert not result.errors, result.errors[:3]


def test_nothing_reaches_the_file_before_save_and_then_only_what_was_written(path, built):
    book = FileWorkbook(path)
    book.write("meters", meters(25))
    assert len(book.read("meters").frame) == 25
    assert path.read_bytes() == built.read_bytes()
    book.save()
    before, after = parts(built), parts(path)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    tables = {name for name in changed if name.startswith("xl/tables/")}
    assert len(tables) == 1
    assert changed - tables <= {"xl/workbook.xml", "xl/worksheets/sheet6.xml"}
    assert_clean(path)


def test_a_second_look_reads_what_was_saved(path):
    book = FileWorkbook(path)
    book.write("meters", meters(3))
    book.save()
    sheet = FileWorkbook(path).read("meters")
    frame, problems = take(sheet.table, sheet)
    assert problems == []
    assert frame.meter_id.tolist() == ["0000000", "0000001", "0000002"]
    assert frame.multiplier.tolist() == ["0.1"] * 3
    assert frame.set_on.tolist() == [pd.Timestamp("2019-05-01")] * 3
    assert frame.dials.tolist() == [6, 6, 6]


def test_blank_rows_are_dropped_and_places_stay_right(path):
    book = FileWorkbook(path)
    book.write("meters", meters(4))
    book.save()
    live = openpyxl.load_workbook(path, keep_vba=True)
    for cell in live["Meters"][5]:
        cell.value = None
    live["Meters"]["D7"] = 6.5
    live.save(path)
    sheet = FileWorkbook(path).read("meters")
    frame, problems = take(sheet.table, sheet)
    assert frame.meter_id.tolist() == ["0000000", "0000002", "0000003"]
    assert sheet.rows.tolist() == [4, 6, 7]
    assert [str(p.place) for p in problems] == ["Meters!D7"]
    assert str(sheet.place(1, "meter_id")) == "Meters!A6"


def test_staff_columns_right_of_the_table_follow_the_row_key(path):
    book = FileWorkbook(path)
    book.write("meters", meters(3))
    book.save()
    live = openpyxl.load_workbook(path, keep_vba=True)
    column = len(TABLE["meters"].columns) + 1
    for row, text in enumerate(("Seen by", "Ann", "Bo", "Cy"), start=3):
        live["Meters"].cell(row, column, text)
    live.save(path)
    again = FileWorkbook(path)
    assert again.read("meters").own["Seen by"].tolist() == ["Ann", "Bo", "Cy"]
    again.write("meters", meters(5).iloc[[2, 4, 0]])
    again.save()
    own = FileWorkbook(path).read("meters").own
    assert own["Seen by"].tolist() == ["Cy", None, "Ann"]
    assert own.index.tolist() == ["0000002 / ", "0000004 / ", "0000000 / "]


def test_columns_of_formulas_come_and_go(path):
    book = FileWorkbook(path)
    rows = pd.DataFrame({"service_id": ["1", "2"], "billed": [1000, 2050]})
    book.write("audit", rows, extra=[ExtraColumn(n, n, formula="={billed}*2") for n in ("a", "b", "c")])
    book.write(
        "audit",
        rows,
        formulas={"recomputed": "=ROUND({fixed},2)", "difference": ["={billed}-{recomputed}"] * 2},
        extra=[ExtraColumn("fixed", "Fixed", formula="=5*{row}", values=[20.0, 25.0])],
    )
    book.save()
    live = openpyxl.load_workbook(path, keep_vba=True)["Audit"]
    assert [cell.value for cell in live[3]][6:9] == ["ƒ Fixed", None, None]
    assert [cell.value for cell in live[5]][3:7] == [20.5, "=ROUND(G5,2)", "=D5-E5", "=5*5"]
    assert live["G5"].number_format == "#,##0.00"
    assert live.tables["audit"].ref == "A3:G5"
    assert FileWorkbook(path).values("audit", "Fixed") == [20.0, 25.0]
    assert_clean(path)


def test_a_missing_heading_is_a_problem_with_its_cell_and_stops_a_write(path):
    live = openpyxl.load_workbook(path, keep_vba=True)
    live["Meters"]["B3"] = "Regstr"
    live.save(path)
    book = FileWorkbook(path)
    sheet = book.read("meters")
    assert [str(p) for p in sheet.problems] == [
        "Meters!B3: the heading Register is missing (it belongs here). Put the heading back as it was; new columns of "
        "your own go to the right of the table."
    ]
    assert "register_id" not in sheet.frame
    with pytest.raises(Refusal, match="Register"):
        book.write("meters", meters(1))


def test_columns_are_found_by_title_in_any_order(path):
    live = openpyxl.load_workbook(path, keep_vba=True)
    sheet = live["GL accounts"]
    for column in sheet.iter_cols(1, 2, 3, 3):
        column[0].value = {"GL account": "Name", "Name": "GL account"}[column[0].value]
    table = sheet.tables["gl_accounts"]
    table.tableColumns[0].name, table.tableColumns[1].name = "Name", "GL account"
    live.save(path)
    book = FileWorkbook(path)
    book.write("gl_accounts", pd.DataFrame({"gl_account": ["0010"], "name": ["Cash"], "role": ["cash"]}))
    book.save()
    assert [c.value for c in openpyxl.load_workbook(path)["GL accounts"][4]][:3] == ["Cash", "0010", "cash"]
    found = FileWorkbook(path).read("gl_accounts")
    assert found.frame.gl_account.tolist() == ["0010"]
    assert found.column_letter["gl_account"] == "B"


def test_lists_on_start_keep_their_rows(path):
    book = FileWorkbook(path)
    months = pd.DataFrame({"period": ["2026-10", "2026-11"], "billed": [100, 250], "received": [90, 0]})
    book.write("months", months)
    book.save()
    assert len(FileWorkbook(path).read("months").frame) == 2
    left, top, right, bottom = openpyxl.utils.cell.range_boundaries(
        openpyxl.load_workbook(path)["Start"].tables["months"].ref
    )
    assert (right - left, bottom - top) == (2, 12)
    today = pd.DataFrame({"what": ["Bills to post"], "count": [12]})
    book.write("today", today)
    assert book.read("today").frame["count"].tolist() == [12.0]
    assert book.read("today").own.empty
    with pytest.raises(ValueError, match="room for 12"):
        book.write("months", pd.concat([months] * 7))


def test_questions_are_asked_once_and_answered_by_the_same_button(path):
    book = FileWorkbook(path)
    assert not book.confirm("Close 2026-11?")
    book.say("Asked.")
    book.save()
    again = FileWorkbook(path)
    assert again.get("Question") == "Close 2026-11?"
    assert not again.confirm("Close 2026-12?")  # another question is not the one answered
    assert again.confirm("Close 2026-12?")
    assert again.get("Question") is None
    assert FileWorkbook(path, yes=True).confirm("Sure?")


def test_files_are_asked_for_in_named_cells(path):
    book = FileWorkbook(path)
    with pytest.raises(Refusal) as refused:
        book.ask_file("A read file", "ReadsFile")
    assert refused.value.problem.code == "file_wanted"
    assert "Start!ReadsFile" in str(refused.value)
    book.put("ReadsFile", "reads.csv")
    with pytest.raises(Refusal, match="not there"):
        book.ask_file("A read file", "ReadsFile")
    (path.parent / "reads.csv").write_text("x")
    assert book.ask_file("A read file", "ReadsFile") == path.parent / "reads.csv"


def test_views_hide_sheets_and_change_nothing_else(path, built):
    book = FileWorkbook(path)
    book.view("clerk")
    book.save()
    states = {s.title: s.sheet_state for s in openpyxl.load_workbook(path).worksheets}
    assert states["Reads"] == "visible"
    assert {name for name, state in states.items() if state == "hidden"} == {
        t.sheet.name for t in TABLE.values() if "clerk" not in t.sheet.views
    }
    before, after = parts(built), parts(path)
    assert {n for n in before if before[n] != after[n]} <= {"xl/workbook.xml", "xl/worksheets/sheet1.xml"}
    FileWorkbook(path).view("lead")


def test_marks_are_kept_with_their_cells(path):
    book = FileWorkbook(path)
    book.write("meters", meters(3))
    place = Place("meters", "0000002 / ", "dials")
    book.mark([STRANGE.at(place, "odd"), STRANGE.at(Place(file="reads.csv", line=3), "odd")])
    assert [str(p.place) for p in book.marked] == ["Meters!D6", "reads.csv:3"]


def test_text_is_never_a_formula(path):
    book = FileWorkbook(path)
    book.write(
        "accounts", pd.DataFrame({"account_id": ["1"], "name": ["=1+1"], "opened_on": [dt.datetime(2020, 1, 1)]})
    )
    book.save()
    cell = openpyxl.load_workbook(path)["Accounts"]["B4"]
    assert (cell.value, cell.data_type) == ("=1+1", "s") or cell.data_type == "inlineStr"
    assert FileWorkbook(path).read("accounts").frame.name.tolist() == ["=1+1"]


def test_a_missing_table_or_cell_is_refused(path):
    live = openpyxl.load_workbook(path, keep_vba=True)
    del live["Meters"].tables["meters"]
    del live.defined_names["Billed"]
    live.save(path)
    book = FileWorkbook(path)
    with pytest.raises(Refusal) as refused:
        book.read("meters")
    assert refused.value.problem.code == "sheet_table"
    with pytest.raises(Refusal) as refused:
        book.put("Billed", 1.0)
    assert refused.value.problem.code == "sheet_cell"


def test_rows_typed_under_a_table_belong_to_it(path: Path) -> None:
    book = FileWorkbook(path)
    book.write("meters", meters(3))
    book.save()
    typed = openpyxl.load_workbook(path, keep_vba=True)
    sheet = typed["Meters"]
    sheet["A7"], sheet["A8"], sheet["A10"] = "9000001", "9000002", "a remark further down"
    typed.save(path)  # as another program saves it, which does not grow the table
    book = FileWorkbook(path)
    assert book.read("meters").frame["meter_id"].tolist()[2:] == ["0000002", "9000001", "9000002"]
    for count in (2, 5):
        book.write("meters", meters(count))
        book.save()
        sheet = openpyxl.load_workbook(path)["Meters"]
        wanted = [f"{n:07d}" for n in range(count)] + [None] * (6 - count)
        assert [sheet[f"A{row}"].value for row in range(4, 11)] == [*wanted, "a remark further down"]
        assert sheet.tables["meters"].ref.endswith(str(3 + count))


def typed_in(path: Path, cells: dict[str, object], *, from_1904: bool = False) -> None:
    """Cells typed with another program: "Payments!F4" to its value; it leaves formulas without a value."""
    book = openpyxl.load_workbook(path, keep_vba=True)
    for place, value in cells.items():
        sheet, _, cell = place.partition("!")
        book[sheet][cell] = value
    if from_1904:
        book.epoch = CALENDAR_MAC_1904
    book.save(path)


@pytest.mark.parametrize("shown", ["#N/A", "#REF!", "#DIV/0!", "=1/0"])
def test_a_cell_that_shows_an_error_is_no_blank(path: Path, shown: str) -> None:
    """An error in a cell that may be blank, and in one that may not; a formula without a value is one too."""
    typed_in(
        path,
        {"Payments!B4": dt.datetime(2026, 11, 3), "Payments!C4": "0000001", "Payments!D4": shown, "Payments!F4": shown},
    )
    _, problems = take(TABLE["payments"], FileWorkbook(path).read("payments"))
    named = {str(problem.place): problem for problem in problems if problem.code == "cell_error"}
    assert {"Payments!D4", "Payments!F4"} <= set(named)
    assert named["Payments!F4"].fact.endswith("shows " + ("a formula without a value" if shown[0] == "=" else shown))
    assert not [problem for problem in problems if problem.code == "cell_blank" and problem.place.cell == "D4"]


def test_a_workbook_that_counts_from_1904_is_refused_before_a_day_is_written(path: Path) -> None:
    typed_in(path, {}, from_1904=True)
    with pytest.raises(Refusal, match="1904") as refused:
        FileWorkbook(path).read("payments")
    assert refused.value.problem.code == "BOOK-1904"
