"""Raw cells to exact store values and back."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import cell_values, exact_scaled, give, refused_rows, take
from xlbilling.workbook.port import SheetTable


def sheet_of(table: str, **cells: list) -> SheetTable:
    declared = TABLE[table]
    count = len(next(iter(cells.values())))
    frame = pd.DataFrame({n: pd.Series(cells.get(n, [None] * count), dtype=object) for n in declared.columns})
    letters = {name: chr(65 + i) for i, name in enumerate(declared.columns)}
    return SheetTable(declared, declared.sheet.name, frame, np.arange(4, 4 + count), 4, letters)


def taken(table: str, field: str, cell: object):
    frame, problems = take(TABLE[table], sheet_of(table, **{field: [cell]}))
    named = [p for p in problems if p.place.column == field]
    return frame[field].tolist()[0], [p.code for p in named]


@pytest.mark.parametrize(
    ("cell", "cents"),
    [
        (12.5, 1250),
        (0.1 + 0.2, 30),
        (12.1 + 3.2, 1530),
        ("1,204.07", 120407),
        ("-3.5", -350),
        (Decimal("8.8500"), 885),
        (7, 700),
        (9_999_999_999.99, 999_999_999_999),
    ],
)
def test_money_is_taken_exactly(cell, cents):
    assert taken("payments", "amount", cell) == (cents, [])


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        (128.325, "cell_places"),
        ("128.325", "cell_places"),
        (Decimal("1.2346"), "cell_places"),
        (float("inf"), "cell_places"),
        (1e15, "cell_places"),
        ("12,34.5", "cell_number"),
        ("$5", "cell_number"),
        ("five", "cell_number"),
        (True, "cell_number"),
        (dt.datetime(2026, 11, 23), "cell_number"),
        ("#N/A", "cell_error"),
        (None, "cell_blank"),
    ],
)
def test_money_that_is_no_whole_number_of_cents_is_refused(cell, code):
    assert taken("payments", "amount", cell) == (0, [code])


def test_a_refused_cell_is_named_with_its_sheet_fact_and_remedy():
    sheet = sheet_of("payments", account_id=["0042", "0043"], amount=[5.0, 1.001], received_on=["2026-11-03"] * 2)
    _, problems = take(TABLE["payments"], sheet)
    assert [str(p) for p in problems] == [
        "Payments!D5: Amount is 1.001 and the column holds 2 decimal places. Type the number you mean with fewer "
        "decimal places; nothing is rounded for you."
    ]
    assert refused_rows(problems, sheet) == [1]


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        (dt.datetime(2026, 11, 30), "2026-11-30"),
        (dt.date(2026, 11, 30), "2026-11-30"),
        ("2026-11-30", "2026-11-30"),
        ("11/30/2026", "2026-11-30"),
        ("2026-11-30 00:00:00", "2026-11-30"),
    ],
)
def test_dates(cell, day):
    assert taken("payments", "received_on", cell) == (pd.Timestamp(day), [])


@pytest.mark.parametrize("cell", [46000.0, "2026-02-30", "30/11/2026", "soon", dt.datetime(2026, 1, 1, 12), "11/30/26"])
def test_what_is_no_certain_date_is_refused(cell):
    value, codes = taken("payments", "received_on", cell)
    assert value is pd.NaT
    assert codes == ["cell_date"]


def test_a_number_in_an_id_column_is_refused_never_guessed():
    assert taken("accounts", "account_id", 123.0) == ("", ["cell_id"])
    assert taken("accounts", "account_id", " 00123 ") == ("00123", [])


@pytest.mark.parametrize(
    ("cell", "text"), [(2.87, "2.87"), ("10.070", "10.07"), (748.052, "748.052"), (0.1 + 0.2, "0.3"), (0.0, "0")]
)
def test_rates_stay_decimal_text(cell, text):
    assert taken("rates", "rate", cell) == (text, [])


@pytest.mark.parametrize(("cell", "code"), [(1 / 3, "cell_number"), (Decimal("2.87"), "cell_currency")])
def test_rates_that_are_not_certain_are_refused(cell, code):
    assert taken("rates", "rate", cell) == ("", [code])


def test_choices_blanks_and_defaults():
    assert taken("accounts", "delivery", "Email") == ("email", [])
    assert taken("accounts", "delivery", "fax") == ("paper", ["cell_choice"])
    assert taken("accounts", "delivery", None) == ("paper", [])
    assert taken("policy", "value", 200.0) == ("200", [])
    assert taken("adjustments", "amount", None) == (pd.NA, [])


def test_missing_columns_come_out_blank_in_the_right_type():
    sheet = sheet_of("reads", read_id=[1.0])
    thin = SheetTable(sheet.table, "Reads", sheet.frame[["read_id"]], sheet.rows, 4, sheet.column_letter)
    frame, _ = take(TABLE["reads"], thin)
    assert list(frame.columns) == list(TABLE["reads"].columns)
    assert frame.dtypes["read_date"] == "datetime64[s]"
    assert frame.read_id.tolist() == [1]


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1))
def test_cents_survive_the_way_to_excel_and_back(cents):
    cells = cell_values("money", pd.Series(cents, dtype="int64"))
    scaled, exact = exact_scaled(np.array(cells), 100)
    assert scaled.tolist() == cents
    assert exact.all()


@given(st.lists(st.integers(-(10**14), 10**14), min_size=1))
def test_exact_scaled_agrees_with_decimal_arithmetic(thousandths):
    values = np.array([v / 1000 for v in thousandths])
    scaled, exact = exact_scaled(values, 100)
    whole = [v % 10 == 0 for v in thousandths]
    small = np.abs(values) < 10**13
    assert (exact[small] == np.array(whole)[small]).all()
    assert all(s * 10 == v for s, v, e in zip(scaled.tolist(), thousandths, exact, strict=True) if e)


def test_give_makes_cells_of_each_kind():
    frame = pd.DataFrame(
        {
            "rate_id": ["007"],
            "rate": ["2.87"],
            "from_unit": ["0.1234567890123456789"],
            "effective_from": pd.array(["2026-07-01"], dtype="datetime64[s]"),
            "tier": [1],
        }
    )
    cells = give(TABLE["rates"], frame)
    assert cells["rate_id"] == ["007"]
    assert cells["rate"] == [2.87]
    assert cells["from_unit"] == ["0.1234567890123456789"]
    assert cells["effective_from"] == [dt.datetime(2026, 7, 1)]
    assert cells["tier"] == [1.0]
    assert cells["unit"] == [None]
