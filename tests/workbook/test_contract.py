"""The port's contract: a workbook in memory and one in a file give the office the same cells, rows, keys and places.

Every test works one workbook by the port and by typing into cells, and says what must be seen; `twins` does the same
acts on both kinds and compares what they give.
"""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from xlbilling.words.problems import Kind, Place, Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import take
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.memory import MemoryWorkbook
from xlbilling.workbook.named_cells import FIRST_VALUES, FIXED_ROWS
from xlbilling.workbook.port import AGAIN, ExtraColumn, OpenWorkbook, TypedRow

STRANGE = Kind("test_contract_strange", "A test finding.", "Look at it.", "review")
TYPED = (
    "0042", " 7 ", "", "   ", None, 1, -2.5, 12.1 + 3.2, 1 / 3, True, False, "#N/A", Decimal("1.25"), "a\nb", "=1+1", 0.25,
    "2026-02-30", "11/30/2026", dt.date(2026, 11, 30), dt.datetime(2026, 11, 30, 8, 30), np.datetime64("2026-11-30"), 59, 46024,
)  # fmt: skip


@pytest.fixture
def twins(built: Path, tmp_path: Path) -> tuple[FileWorkbook, MemoryWorkbook]:
    return FileWorkbook(Path(shutil.copy(built, tmp_path / "billing.xlsm"))), MemoryWorkbook(tmp_path)


def payments(*accounts: str) -> pd.DataFrame:
    count = len(accounts)
    return pd.DataFrame(
        {
            "payment_id": [f"P{n:07d}" for n in range(1, count + 1)],
            "received_on": np.array(["2026-11-03"] * count, dtype="datetime64[s]"),
            "account_id": accounts,
            "amount": [12_050 + n for n in range(count)],
            "rev": np.ones(count, np.int64),
        }
    )


def written(book: OpenWorkbook, table: str, frame: pd.DataFrame) -> None:
    book.write(table, frame)
    book.save()


def same(file: FileWorkbook, memory: MemoryWorkbook, table: str) -> None:
    """Both give the same raw cells, rows, keys, places and staff's columns, and the same to `take`."""
    left, right = file.read(table), memory.read(table)
    for name in left.frame.columns:
        kinds = [[(type(cell), cell) for cell in sheet.frame[name]] for sheet in (left, right)]
        assert kinds[0] == kinds[1], f"{table}.{name}"
    assert list(left.frame.columns) == list(right.frame.columns)
    assert left.rows.tolist() == right.rows.tolist()
    assert left.column_letter == right.column_letter
    assert left.keys == right.keys
    assert [str(p) for p in left.problems] == [str(p) for p in right.problems]
    pd.testing.assert_frame_equal(left.own, right.own)
    (one, told), (other, told_too) = (take(TABLE[table], sheet) for sheet in (left, right))
    pd.testing.assert_frame_equal(one, other)
    assert [str(p) for p in told] == [str(p) for p in told_too]


def test_the_memory_book_begins_as_the_built_one(twins: tuple[FileWorkbook, MemoryWorkbook]) -> None:
    file, memory = twins
    assert {name: file.get(name) for name in FIRST_VALUES} == {name: memory.get(name) for name in FIRST_VALUES}
    assert file.has_sheets
    assert memory.has_sheets
    for name in TABLE:
        same(file, memory, name)
    with pytest.raises(Refusal) as refused:
        memory.get("NoSuchCell")
    assert refused.value.problem.code == "sheet_cell"


@pytest.mark.parametrize("table", [name for name in TABLE if name not in FIXED_ROWS])
def test_every_sort_of_cell_comes_back_alike_in_every_column(
    twins: tuple[FileWorkbook, MemoryWorkbook], table: str
) -> None:
    for book in twins:
        letters = book.read(table).column_letter
        typed = {f"{letter}{row}": cell for letter in letters.values() for row, cell in enumerate(TYPED, 4)}
        book.type_in(TABLE[table].sheet.name, typed)
    same(*twins, table)


@pytest.mark.parametrize("table", list(TABLE))
def test_what_the_store_holds_comes_back_alike(twins: tuple[FileWorkbook, MemoryWorkbook], table: str) -> None:
    """Values in the store's types, gaps among them, written and read back."""
    sample = {
        "date": pd.Series(np.array(["2026-11-30", "NaT", "1999-01-01"], dtype="datetime64[s]")),
        "money": pd.array([-120_407, None, 7], dtype="Int64"),
        "quantity": pd.array([12_500_000, None, 1], dtype="Int64"),
        "whole": pd.array([3, None, 10**9], dtype="Int64"),
        "rate": ["2.870", "", "0.1234567890123456789"],
    }
    frame = pd.DataFrame({n: sample.get(column.kind, ["007", "", "line\nbreak"]) for n, column in TABLE[table]})
    for book in twins:
        book.write(table, frame)
        book.write(table, frame.iloc[[2, 0]])
        book.save()
    same(*twins, table)


def test_money_is_a_float_a_date_a_day_and_an_account_text(book: OpenWorkbook) -> None:
    book.write("payments", payments("0000007"))
    row = book.read("payments").frame.iloc[0]
    assert (row["amount"], row["received_on"], row["account_id"]) == (120.50, dt.date(2026, 11, 3), "0000007")


def test_typing_into_a_cell_and_below_the_table(book: OpenWorkbook) -> None:
    book.write("payments", payments("0000001", "0000002"))
    letters = book.read("payments").column_letter
    book.type_in("Payments", {f"{letters['amount']}5": "12,5", f"{letters['account_id']}6": "0000003"})
    sheet = book.read("payments")
    assert sheet.frame["amount"].tolist() == [120.5, "12,5", None]
    assert sheet.frame["account_id"].tolist() == ["0000001", "0000002", "0000003"]
    assert sheet.rows.tolist() == [4, 5, 6]
    frame, problems = take(sheet.table, sheet)
    told = {p.place.cell: p.code for p in problems if p.place.column == "amount"}
    assert told == {f"{letters['amount']}5": "cell_number", f"{letters['amount']}6": "cell_blank"}
    assert frame["amount"].tolist()[0] == 12_050


def test_a_row_with_a_gap_above_it_is_not_the_tables(book: OpenWorkbook) -> None:
    book.write("payments", payments("0000001"))
    letter = book.read("payments").column_letter["account_id"]
    book.type_in("Payments", {f"{letter}6": "0000009"})
    assert book.read("payments").frame["account_id"].tolist() == ["0000001"]
    with pytest.raises(Refusal) as refused:
        written(book, "payments", payments("0000001", "0000002", "0000003"))
    assert refused.value.problem.code == "SHEET-BELOW"


def test_a_blanked_cell_and_a_blanked_row(book: OpenWorkbook) -> None:
    book.write("payments", payments("0000001", "0000002", "0000003"))
    letters = book.read("payments").column_letter
    book.type_in("Payments", {f"{letters['amount']}4": None} | {f"{letter}5": None for letter in letters.values()})
    sheet = book.read("payments")
    assert sheet.frame["amount"].tolist() == [None, 120.52]
    assert sheet.rows.tolist() == [4, 6]
    assert str(sheet.place(1, "amount")) == f"Payments!{letters['amount']}6"
    book.write("payments", payments("0000001"))
    assert book.read("payments").rows.tolist() == [4]


def test_a_heading_typed_over_is_named_and_stops_a_write(book: OpenWorkbook) -> None:
    letter = book.read("payments").column_letter["amount"]
    book.type_in("Payments", {f"{letter}3": "Sum"})
    sheet = book.read("payments")
    assert [(p.code, p.place.cell) for p in sheet.problems] == [("sheet_heading", f"{letter}3")]
    assert "amount" not in sheet.frame
    with pytest.raises(Refusal, match="Amount"):
        book.write("payments", payments("0000001"))
    book.type_in("Payments", {f"{letter}3": "Amount"})
    book.write("payments", payments("0000001"))
    assert book.read("payments").frame["amount"].tolist() == [120.5]


def test_staffs_own_columns_follow_their_row(twins: tuple[FileWorkbook, MemoryWorkbook]) -> None:
    for book in twins:
        book.write("payments", payments("0000001", "0000002", "0000003"))
        beside = chr(ord(max(book.read("payments").column_letter.values())) + 1)
        book.type_in("Payments", {f"{beside}3": "Seen by", f"{beside}4": "Ann", f"{beside}6": 5})
        assert list(book.read("payments").own["Seen by"]) == ["Ann", None, 5.0]
        book.write("payments", payments("0000001", "0000002", "0000003").iloc[[2, 0]])
        book.save()
        assert list(book.read("payments").own["Seen by"]) == [5.0, "Ann"]
    same(*twins, "payments")


def test_formulas_are_not_worked_out_and_extra_columns_come_and_go(book: OpenWorkbook) -> None:
    rows = pd.DataFrame({"service_id": ["S1", "S2"], "billed": [1000, 2050]})
    fixed = ExtraColumn("fixed", "Fixed", formula="=5*{row}", values=[20.0, 25.0])
    book.write("audit", rows, formulas={"recomputed": "=ROUND({fixed},2)"}, extra=[fixed])
    book.save()
    sheet = book.read("audit")
    assert sheet.frame["recomputed"].tolist() == [None, None]
    assert book.values("audit", "billed") == [10.0, 20.5]
    assert book.values("audit", "fixed") == [20.0, 25.0]
    assert sheet.own.empty
    book.write("audit", rows.iloc[:1])
    assert book.read("audit").frame["service_id"].tolist() == ["S1"]


def test_lists_on_start_keep_their_room(book: OpenWorkbook) -> None:
    today = pd.DataFrame({"what": ["Bills to post"], "count": [12]})
    book.write("today", today)
    sheet = book.read("today")
    assert sheet.frame["count"].tolist() == [12.0]
    assert str(sheet.place(0, "what")) == "Start!B12"
    room = FIXED_ROWS["today"]
    with pytest.raises(ValueError, match=f"room for {room}"):
        book.write("today", pd.concat([today] * (room + 1)))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (1, 1.0),
        ("0042", "0042"),
        ("", None),
        (None, None),
        (True, True),
        (dt.date(2026, 1, 2), 46024.0),
        (Decimal("1.5"), 1.5),
    ],
)
def test_named_cells(book: OpenWorkbook, value: object, read: object) -> None:
    for name in ("Period", "Billed", "Message"):
        book.put(name, value)
    book.save()
    assert [book.get(name) for name in ("Period", "Billed", "Message")] == [read] * 3


def test_a_question_waits_for_the_second_press_and_another_button_drops_it(book: OpenWorkbook) -> None:
    assert not book.confirm("Close 2026-11?")
    book.say("Asked.")
    assert (book.get("Question"), book.get("Asked"), book.get("Message")) == ("Close 2026-11?", AGAIN, "Asked.")
    assert not book.confirm("Close 2026-12?")
    book.say("Asked.")
    assert book.confirm("Close 2026-12?")
    book.say("Closed.")
    assert book.get("Question") is None
    assert not book.confirm("Close 2027-01?")
    book.say("Asked.")
    book.say("Another button.")
    assert (book.get("Question"), book.get("Asked")) == (None, None)
    book.questions.yes = True
    assert book.confirm("Sure?")


def test_marks_name_their_cells(book: OpenWorkbook) -> None:
    book.write("payments", payments("0000001", "0000002"))
    letter = book.read("payments").column_letter["amount"]
    places = [Place("payments", "P0000002", "amount"), Place("payments", "gone"), Place(file="reads.csv", line=3)]
    book.mark([STRANGE.at(place, "odd") for place in places])
    assert [str(p.place) for p in book.marked] == [f"Payments!{letter}5", "payments gone", "reads.csv:3"]  # type: ignore[attr-defined]
    book.mark([])
    assert book.marked == []  # type: ignore[attr-defined]


def test_a_file_is_asked_for_by_its_cell_beside_the_workbook(book: OpenWorkbook, tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        book.ask_file("A read file", "ReadsFile")
    assert refused.value.problem.code == "file_wanted"
    (tmp_path / "reads.csv").write_text("x")
    book.put("ReadsFile", "reads.csv")
    assert book.ask_file("A read file", "ReadsFile") == tmp_path / "reads.csv"


def test_sheets_are_shown_and_hidden(book: OpenWorkbook) -> None:
    book.show("Reads")
    book.progress("Sheet Reads", 1, 20)
    book.view("clerk")
    book.save()
    assert book.shown == "Reads"  # type: ignore[attr-defined]
    assert book.get("View") == "clerk"


@pytest.mark.parametrize("value", ["a\x07b", "x" * 32_768, float("inf"), 10**16])
def test_what_no_cell_can_hold_is_refused_with_its_cell(book: OpenWorkbook, value: object) -> None:
    acts: list[Callable[[], None]] = [lambda: book.type_in("Payments", {"F9": value})]
    if isinstance(value, str):
        acts.append(lambda: written(book, "log", pd.DataFrame({"detail": ["fine", value]})))
    for act in acts:
        with pytest.raises(Refusal) as refused:
            act()
        assert refused.value.problem.code in ("SHEET-TEXT", "SHEET-NUMBER")
        assert refused.value.problem.place.cell


def test_a_copy_goes_its_own_way(tmp_path: Path) -> None:
    book = MemoryWorkbook(tmp_path)
    book.write("payments", payments("0000001"))
    book.put("Period", "2026-11")
    twin = book.copied(tmp_path)
    twin.type_in("Payments", {f"{twin.read('payments').column_letter['account_id']}4": "0000002"})
    twin.put("Period", "2026-12")
    assert book.read("payments").frame["account_id"].tolist() == ["0000001"]
    assert twin.read("payments").frame["account_id"].tolist() == ["0000002"]
    assert (book.get("Period"), twin.get("Period")) == ("2026-11", "2026-12")


def test_typing_is_laid_over_what_is_written(twins: tuple[FileWorkbook, MemoryWorkbook]) -> None:
    """A cell typed and not saved stands in the row of its key again, a row of its own below the others."""
    typing = [TypedRow("P0000002", {"amount": "12,5"}), TypedRow("", {"account_id": "0000009", "received_on": 46024.0})]
    for book in twins:
        book.write("payments", payments("0000001", "0000002"), typing=typing)
        assert book.read("payments").frame["amount"].tolist() == [120.5, "12,5", None]
        assert book.read("payments").frame["received_on"].tolist()[2] == dt.date(2026, 1, 2)
    same(*twins, "payments")


def test_a_renamed_sheet_is_found_by_its_table(book: OpenWorkbook) -> None:
    """Its cells are read, written, named and typed under the name it has now; Start's own cells too."""
    written(book, "payments", payments("0000001", "0000002"))
    book.rename_sheet("Payments", "Money & 'co'")
    book.rename_sheet("Start", "Home")
    sheet = book.read("payments")
    assert str(sheet.place(0, "account_id")) == f"Money & 'co'!{sheet.column_letter['account_id']}4"
    book.type_in("Money & 'co'", {f"{sheet.column_letter['account_id']}6": "0000003"})
    book.put("Cycle", "B")
    book.save()
    assert book.read("payments").frame["account_id"].tolist() == ["0000001", "0000002", "0000003"]
    assert book.get("Cycle") == "B"
    written(book, "payments", payments("0000004"))
    assert book.read("payments").frame["account_id"].tolist() == ["0000004"]
    book.mark([STRANGE.at(Place("payments", "P0000001", "amount"), "odd")])
    assert book.marked[0].place.table == "Money & 'co'"
    book.show("Payments")
    assert book.shown == "Money & 'co'"
    book.view("clerk")
    assert book.read("policy").sheet == "Policy"


@pytest.mark.filterwarnings("ignore:Print area cannot be set")
def test_a_sheet_that_is_gone_is_named_with_what_to_do(built: Path, tmp_path: Path) -> None:
    """Sheet Services and its table taken out of the file, as Excel does with Delete."""
    path = Path(shutil.copy(built, tmp_path / "billing.xlsm"))
    book = openpyxl.load_workbook(path, keep_vba=True)
    del book["Services"]
    book.save(path)
    with pytest.raises(Refusal) as refused:
        FileWorkbook(path).read("services")
    assert "sheet Services with its table services is not there" in str(refused.value)
    assert "build a new workbook" in str(refused.value)
