"""Cells of a sheet as text: the stored number by the 15 digits a spreadsheet keeps, in every reader alike."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.files.cells import number_text, unwrapped, unwrapped_column
from xlbilling.intake.files.listing import read_listing
from xlbilling.intake.reads import parse_reads
from xlbilling.trade.reads.units import millionths
from xlbilling.words.exact import cell_number
from xlbilling.workbook.cells import exact_scaled

NOISY = 12.1 + 3.2  # 15.299999999999999, which Excel shows as 15.3


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("15.299999999999999", "15.3"), ("1.1000000000000001", "1.1"), ("0.30000000000000004", "0.3"), ("227.6", "227.6"),
        ("84.429999999999993", "84.43"), ("1E-4", "0.0001"), ("123456789.12345679", "123456789.123457"),
        ("12.0", "12.0"), ("-0.1", "-0.1"),
    ],
)  # fmt: skip
def test_a_stored_number_is_what_its_15_digits_say(raw: str, text: str) -> None:
    assert number_text(raw) == text


@given(st.floats(0.001, 9e8), st.integers(0, 6))
def test_every_way_from_a_float_is_the_same_way(number: float, places: int) -> None:
    """The stored text, the number of a cell and the scaled column agree, for all decimals a column can hold."""
    shown = round(number, places)
    exact = cell_number(shown)
    assert Decimal(number_text(repr(shown))) == exact
    scaled, good = exact_scaled(np.array([shown]), 10**6)
    assert good[0] == ((exact * 10**6) % 1 == 0)
    assert not good[0] or scaled[0] == exact * 10**6
    assert math.isclose(float(exact), shown, rel_tol=1e-14)


def test_a_sum_in_a_sheet_is_taken_by_every_reader_as_excel_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for at, row in enumerate([("Meter", "Date", "Reading", "Amount"), ("M1", "2026-11-12", NOISY, NOISY)]):
        sheet.write_row(at, 0, row)
    book.close()
    assert parse_reads(path, in_child=False).reads["read_value"].tolist() == ["15.3"]
    listing = read_listing(path, {"amount": ()}, ["amount"])
    assert listing.cents(listing.frame["amount"].iloc[0]) == 1530


def test_a_read_of_more_than_millionths_is_refused_never_cut(tmp_path: Path) -> None:
    path = tmp_path / "reads.csv"
    path.write_text("Meter,Date,Reading\nM1,2026-11-12,15.2999999\nM2,2026-11-12,15.299999\nM3,2026-11-12,15.2999990\n")
    found = parse_reads(path, in_child=False)
    assert found.reads["read_value"].tolist() == ["15.299999", "15.299999"]
    assert found.rejects[["source_line", "code"]].to_numpy().tolist() == [[2, "bad_number"]]
    assert "more than six decimal places" in found.rejects["message"].iloc[0]


@given(st.decimals(0, 10**9, places=9))
def test_millionths_are_exact_or_refused(number: Decimal) -> None:
    text = format(number, "f")
    if (number * 10**6) % 1:
        with pytest.raises(ValueError, match="six decimal places"):
            millionths(text)
    else:
        assert Fraction(millionths(text), 10**6) == Fraction(text)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('="0001"', "0001"), ("'0001", "0001"), ("'M-7", "M-7"), ('=" 12 "', "12"), ("'1310 - Receivable", "1310 - Receivable"),
        ("0001", "0001"), ("'s-Gravendeel", "'s-Gravendeel"), ("'quoted'", "'quoted'"), ("=1+1", "=1+1"), ("O'Hara 7", "O'Hara 7"),
        ("", ""), ('="1"&"2"', '="1"&"2"'),
    ],
)  # fmt: skip
def test_marks_that_keep_a_number_text_are_taken_off_in_one_way(cell: str, text: str) -> None:
    assert unwrapped(cell) == text
    assert unwrapped_column([cell, "x"]) == [text, "x"]
