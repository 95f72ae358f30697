"""Listings from outside: headings found by name, every row told or listed, nothing dropped."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.files.listing import Listing, read_listing, sheet_names, values
from xlbilling.words.problems import Refusal

COLUMNS = {"account_id": ("account", "account number"), "amount": ("payment amount",), "note": ()}
NEEDED = ("account_id", "amount")


@pytest.fixture
def csv_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "listing.csv"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return path

    return write


def book(path: Path, sheets: dict[str, list[list[Any]]], hidden: str = "") -> Path:
    made = xlsxwriter.Workbook(str(path))
    day = made.add_format({"num_format": "yyyy-mm-dd"})
    for name, rows in sheets.items():
        sheet = made.add_worksheet(name)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                if isinstance(cell, dt.date):
                    sheet.write_datetime(at, column, dt.datetime.combine(cell, dt.time()), day)
                elif cell is not None:
                    sheet.write(at, column, cell)
        if name == hidden:
            sheet.hide()
    made.close()
    return path


@pytest.mark.parametrize("heading", ["account_id", "Account ID", "ACCOUNT  NUMBER", "account", "Account_Number"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_heading_is_found_whatever_its_case_blanks_and_underscores(csv_file, heading: str, delimiter: str) -> None:
    path = csv_file(f"paid by{delimiter}{heading}{delimiter}Payment Amount\nweb{delimiter}000123{delimiter}5.00\n")
    found = read_listing(path, COLUMNS, NEEDED)
    assert found.frame.to_dict("records") == [{"account_id": "000123", "amount": "5.00", "source_line": 2}]
    assert found.unused == ("'paid by'",)
    assert found.first_serial == 0
    assert values(found, "note") == [""]


def test_lines_are_physical_lines_of_the_file(csv_file) -> None:
    # A title, a blank line, the header on line 3; line 5 is blank; a note spans lines 6 and 7 in a column not asked for.
    path = csv_file('Payments\n\nAccount,Amount,Said\n1,2,x\n\n2,3,"one\ntwo"\n3,4,y\n')
    found = read_listing(path, COLUMNS, NEEDED)
    assert found.frame["source_line"].tolist() == [4, 6, 8]
    assert found.rejects == []


def test_a_missing_heading_refuses_and_names_those_that_are_there(csv_file) -> None:
    with pytest.raises(Refusal) as refused:
        read_listing(csv_file("Account,Total,Day\n1,2,3\n"), COLUMNS, NEEDED)
    assert refused.value.problem.code == "heading_missing"
    assert "amount" in refused.value.problem.fact
    assert "'Total', 'Day'" in refused.value.problem.fact


def test_two_headings_for_one_field_refuse(csv_file) -> None:
    with pytest.raises(Refusal) as refused:
        read_listing(csv_file("Account,Account Number,Amount\n1,2,3\n"), COLUMNS, NEEDED)
    assert refused.value.problem.code == "heading_twice"


def test_damaged_rows_are_listed_with_their_line(csv_file) -> None:
    path = csv_file('Account,Amount\n1,1\n2\n3,"3\n4,4\n5,5,5\n6\udcff,6\n\u00c4,7\n8,8\n')
    found = read_listing(path, COLUMNS, NEEDED)
    assert found.frame["account_id"].tolist() == ["1", "4", "\u00c4", "8"]
    assert [(p.code, p.place.line) for p in found.rejects] == [("damaged_row", line) for line in (3, 4, 6, 7)]


def test_a_workbook_gives_the_same_text_as_a_csv_file(tmp_path: Path) -> None:
    rows = [["Account", "Amount", "Day"], ["000123", 15.3, dt.date(2026, 11, 30)], [], ["000124", 12.1 + 3.2, "x"]]
    path = book(tmp_path / "b.xlsx", {"Notes": [["nothing here"]], "Paid": rows})
    found = read_listing(path, {**COLUMNS, "day": ()}, NEEDED)
    assert found.frame["account_id"].tolist() == ["000123", "000124"]
    assert [found.cents(text) for text in found.frame["amount"]] == [1530, 1530]
    days = found.dates("day")
    assert [days.day(text) for text in found.frame["day"]] == [dt.date(2026, 11, 30), None]
    assert found.frame["source_line"].tolist() == [2, 4]
    assert sheet_names(path) == ["Notes", "Paid"]


def test_a_row_without_certain_text_is_listed(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "b.xlsx"))
    sheet = made.add_worksheet("paid")
    sheet.write_row(0, 0, ["Account", "Amount"])
    sheet.write_row(1, 0, ["1", "one\ntwo"])
    sheet.write(2, 0, "2")
    sheet.write_formula(2, 1, "=1/0", None, "#DIV/0!")
    sheet.write(3, 5, "stands beside the table")
    sheet.write_row(4, 0, ["4", 4])
    made.close()
    found = read_listing(tmp_path / "b.xlsx", COLUMNS, NEEDED)
    assert found.frame["source_line"].tolist() == [5]
    assert [p.place.line for p in found.rejects] == [2, 3, 4]


@pytest.mark.parametrize(
    ("sheet", "hidden", "code"), [("bills", "", "sheet_missing"), ("paid", "Paid", "hidden_content")]
)
def test_a_sheet_that_is_missing_or_hidden_refuses(tmp_path: Path, sheet: str, hidden: str, code: str) -> None:
    path = book(tmp_path / "b.xlsx", {"Other": [], "Paid": [["Account", "Amount"], ["1", 2]]}, hidden)
    with pytest.raises(Refusal) as refused:
        read_listing(path, COLUMNS, NEEDED, sheet)
    assert refused.value.problem.code == code


def test_a_number_cell_is_no_account_number(tmp_path: Path) -> None:
    path = book(tmp_path / "b.xlsx", {"Paid": [["Account", "Amount"], ["000123", 5], [124, 6], [], ["000125", "7"]]})
    found = read_listing(path, COLUMNS, NEEDED, text_only=["account_id"])
    assert found.frame["account_id"].tolist() == ["000123", "000125"]
    assert [p.place.line for p in found.rejects] == [3]
    assert len(read_listing(path, COLUMNS, NEEDED).frame) == 3


def test_a_file_that_is_no_table_refuses(csv_file) -> None:
    with pytest.raises(Refusal):
        read_listing(csv_file("\x89PNG\r\n"), COLUMNS, NEEDED)


@pytest.mark.parametrize(
    ("text", "in_csv", "in_workbook"),
    [
        ("12", 1200, 1200),
        ("$1,204.07", 120407, 120407),
        ("-$3.5", -350, -350),
        ("12.500", 1250, 1250),
        ("128.325", None, None),
        ("1,2", None, None),
        ("12,34.00", None, None),
        ("(5.00)", -500, -500),
        ("$(1,204.07)", -120407, -120407),
        ("$ 84.51", 8451, 8451),
        ("-", 0, 0),
        ("$ -", 0, 0),
        ("$-", 0, 0),
        ("(5.00", None, None),
        ("-(5.00)", None, None),
        ("--5.00", None, None),
        ("#N/A", None, None),
        ("5.00 CR", None, None),
        ("1e3", None, None),
        ("\u0661", None, None),
        ("$", None, None),
        ("", None, None),
        ("9" * 16, None, None),
    ],
)
def test_an_amount_is_whole_cents_or_nothing(text: str, in_csv: int | None, in_workbook: int | None) -> None:
    assert Listing(pd.DataFrame()).cents(text) == in_csv
    assert Listing(pd.DataFrame(), first_serial=1900).cents(text) == in_workbook


def test_a_day_number_counts_in_a_workbook_only() -> None:
    # Excel counts 2026-11-30 as 46356 from 1900, and 1462 less from 1904.
    day = dt.date(2026, 11, 30)

    def read(first_serial: int, *texts: str) -> list[dt.date | None]:
        dates = Listing(pd.DataFrame({"day": texts}), first_serial=first_serial).dates("day")
        return [dates.day(text) for text in texts]

    assert read(1900, "46356") == read(1904, "44894") == [day]
    assert read(0, "46356") == [None]
    assert read(0, "2026-11-30", "11/30/2026", "30-Nov-2026", "2026-02-30") == [day, day, day, None]


def test_a_number_stays_exact() -> None:
    assert Listing(pd.DataFrame()).number("0.123456789012") == Decimal("0.123456789012")
    assert Listing(pd.DataFrame()).number("$5") is None


# Signs that stand for what could not be decoded, and what a spreadsheet writes where it could not work a cell out.
UNREADABLE = re.compile(r"[\ufffd\uffff\ufffe]|^\s*#[A-Z/0?!_]+\s*$", re.IGNORECASE)
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs", "Cn")), max_size=8)


@given(st.lists(st.tuples(CELLS, CELLS), max_size=12))
def test_every_row_comes_back_or_is_listed(tmp_path: Path, rows: list[tuple[str, str]]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([("Account", "Amount"), *rows])
    path = tmp_path / "listing.csv"
    path.write_bytes(written.getvalue().encode())
    found = read_listing(path, COLUMNS, NEEDED)
    lines = {p.place.line for p in found.rejects}
    expected = {
        line: (account.strip(), amount.strip())
        for line, (account, amount) in enumerate(rows, 2)
        if (account.strip() or amount.strip()) and line not in lines
    }
    told = found.frame[["source_line", "account_id", "amount"]].itertuples(index=False)
    assert {line: (account, amount) for line, account, amount in told} == expected
    assert all(any(UNREADABLE.search(cell) for cell in rows[line - 2]) for line in lines)
