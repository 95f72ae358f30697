"""How references follow a table whose last row moves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.workbook.references import Area, Growth, column_letters, column_number, followed, followed_areas

# Data in Bills!A4:D6 grows to row 9; the totals row moves from 7 to 10.
GROWTH = Growth("Bills", Area.parse("A4:D6"), 9, totals=1)


@pytest.mark.parametrize(
    ("formula", "after"),
    [
        ("SUM(Bills!C4:C6)", "SUM(Bills!C4:C9)"),
        ("SUM(Bills!$C$4:$C$6)*Bills!C$7", "SUM(Bills!$C$4:$C$9)*Bills!C$10"),
        ("'Bills'!A3:D7", "'Bills'!A3:D10"),  # heading to totals
        ("Bills!A1:D6,Bills!$3:$3", "Bills!A1:D9,Bills!$3:$3"),
        ("bills!a4:a6", "bills!a4:a9"),
        ("Bills!A4:F6", "Bills!A4:F9"),  # wider than the table
        ("Bills!A4:A1000", "Bills!A4:A1000"),  # reaches far enough already
        ("Bills!A4:A8", "Bills!A4:A10"),
        ("Bills!A5:A6", "Bills!A5:A6"),  # not all rows
        ("Bills!A4:A5", "Bills!A4:A5"),
        ("Bills!E4:E6", "Bills!E4:E6"),  # beside the table
        ("Bills!A4", "Bills!A4"),
        ("Bills!A8:A20", "Bills!A8:A20"),  # below it
        ("Other!A4:A6", "Other!A4:A6"),
        ("A4:A6", "A4:A6"),  # of the formula's own sheet
        ("[1]Bills!A4:A6", "[1]Bills!A4:A6"),  # of another file
        ('"Bills!A4:A6"&Bills!A4:A6', '"Bills!A4:A6"&Bills!A4:A9'),
        ("tblBills[A4:A6]", "tblBills[A4:A6]"),
        ("LOG10(Bills!A4:A6)", "LOG10(Bills!A4:A9)"),
        ("My.Bills!A4:A6", "My.Bills!A4:A6"),
    ],
)
def test_formulas_follow(formula: str, after: str) -> None:
    assert followed(formula, GROWTH, "Charts") == after


def test_names_of_sheets_may_be_quoted() -> None:
    growth = Growth("It's & all", Area.parse("B2:B2"), 5)
    assert followed("'It''s & all'!$B$2:$B$2", growth) == "'It''s & all'!$B$2:$B$5"
    assert followed("'It''s & all'!$B$2", growth) == "'It''s & all'!$B$2"
    assert followed("'It''s & all'!$B$2", growth, single=True) == "'It''s & all'!$B$2:$B$5"


def test_areas_of_rules_follow() -> None:
    assert followed_areas("A4:A6 C4:C1000 F4:F6 D7", GROWTH) == "A4:A9 C4:C1000 F4:F6 D10"
    assert followed_areas("A4:A9", Growth("Bills", Area.parse("A4:D9"), 4)) == "A4:A4"


@given(
    st.integers(1, 60), st.integers(1, 60), st.integers(1, 60), st.integers(0, 80), st.integers(0, 80), st.booleans()
)
def test_what_took_in_all_rows_still_does(top: int, count: int, new: int, a: int, b: int, totals: bool) -> None:
    growth = Growth("S", Area(top + 1, 1, top + count, 1), top + new, int(totals))
    first, last = sorted((a + 1, b + 1))
    after_first, after_last = growth.rows(first, last)
    # Slowly: mark the rows that the range takes in, and look at them again afterwards.
    rows = set(range(first, last + 1))
    data = set(range(growth.data.first_row, growth.data.last_row + 1))
    after = set(range(after_first, after_last + 1))
    if data <= rows:
        assert set(range(growth.data.first_row, growth.last_row + 1)) <= after
        assert after_first == first
        ends_with_it = last - growth.data.last_row in ((0, 1) if totals else (0,))
        moved = last - growth.data.last_row + growth.last_row
        assert after_last == (moved if ends_with_it else max(last, growth.last_row + totals))
    elif rows == {growth.data.last_row + 1} and totals:
        assert after == {growth.last_row + 1}
    else:
        assert after == rows


@given(st.integers(1, 16_384))
def test_columns_are_numbered(number: int) -> None:
    assert column_number(column_letters(number)) == number


def test_column_letters() -> None:
    assert [column_letters(n) for n in (1, 26, 27, 702, 703, 16_384)] == ["A", "Z", "AA", "ZZ", "AAA", "XFD"]
