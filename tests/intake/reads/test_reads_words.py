"""The shared vocabulary: numbers, dates, units and headings, cell by cell and as whole columns."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.reads import columns
from xlbilling.intake.reads.moments import Moments, clock_time, serial_moment
from xlbilling.intake.reads.numbers import NumberRule, product
from xlbilling.intake.reads.readings import hour_repeats
from xlbilling.intake.reads.units import UNKNOWN, Units, cubic_meters


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", "0"), ("007", "7"), ("007.50", "7.5"), (".5", "0.5"), ("8.", "8"), ("000.000", "0"), ("1" * 30, "1" * 30)],
)
def test_plain_numbers_are_exact(text: str, value: str) -> None:
    assert NumberRule().exact(text) == value


@pytest.mark.parametrize(
    "text",
    ["", ".", "-5", "+5", "1e5", "1_000", "0x1F", "1,234", "1 2", "(5)", "5%", "$5", "#REF!", "nan", "inf", "1.2.3",
     "\uff11", "\u0661", "1\xbd", "\xb2", "5\n", "9" * 80],
)  # fmt: skip
def test_what_is_no_number_is_none(text: str) -> None:
    assert NumberRule().exact(text) is None
    assert NumberRule().column([text, "5"]) == (["", "5"], [0])


def test_grouping_only_where_declared_and_only_in_threes() -> None:
    grouped = NumberRule(thousands_mark=",")
    assert grouped.exact("1,234,567.5") == "1234567.5"
    assert [grouped.exact(text) for text in ("1,23", "12,34", "1,2,3", ",123", "1,234,", "1234,567")] == [None] * 6
    european = NumberRule(decimal_mark=",", thousands_mark=".")
    assert european.exact("1.234,50") == "1234.5"
    assert [european.exact(text) for text in ("1.23", "1,2,3", "1.5")] == [None] * 3


def test_signs_only_where_declared() -> None:
    assert NumberRule(signed=True).exact("-005") == "-5"
    assert NumberRule(signed=True).exact("-0") == "0"
    assert NumberRule(whole=True).exact("5.0") is None


@given(st.lists(st.text(alphabet="0123456789.,-e", max_size=8)))
def test_a_column_is_read_as_each_cell_alone(texts: list[str]) -> None:
    rule = NumberRule()
    values, bad = rule.column(texts)
    assert list(values) == [rule.exact(text) or "" for text in texts]
    assert bad == [i for i, text in enumerate(texts) if rule.exact(text) is None]
    assert all(Decimal(value) == Decimal(text) for value, text in zip(values, texts, strict=True) if value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-13", ("2026-07-13", "")),
        ("2026/07/13", ("2026-07-13", "")),
        ("20260713", ("2026-07-13", "")),
        ("7/13/2026", ("2026-07-13", "")),
        ("07/03/26", ("2026-07-03", "")),
        ("7-13-2026", ("2026-07-13", "")),
        ("13-Jul-2026", ("2026-07-13", "")),
        ("3-OCT-26", ("2026-10-03", "")),
        ("2024-02-29", ("2024-02-29", "")),
        ("2026-07-13T19:05", ("2026-07-13", "19:05")),
        ("2026-07-13 7:05:59.999 pm", ("2026-07-13", "19:05")),
        ("7/13/26 12:00 AM", ("2026-07-13", "00:00")),
        ("3-Oct-26T23:59:59", ("2026-10-03", "23:59")),
        ("", ("", "")),
    ],
)
def test_dates_as_they_are_written(text: str, moment: tuple[str, str]) -> None:
    assert Moments()[text] == moment


@pytest.mark.parametrize(
    "text",
    ["2026-02-29", "2026-13-01", "13/01/2026", "2026-07-13 24:00", "2026-07-13 23:60", "2026-07-13 13:00 PM",
     "2026-07-13T23:30:00-07:00", "2026-07-13Z", "2026-7-1", "46204", "July 13", "0000-00-00", "NaT",
     "\uff12026-07-13", "13-Foo-2026", "2026-07-13 noon"],
)  # fmt: skip
def test_what_is_no_date_is_none(text: str) -> None:
    assert Moments()[text] is None


def test_a_recipe_takes_its_own_formats_only() -> None:
    known = Moments(["%d.%m.%Y"])
    assert known["13.07.2026"] == ("2026-07-13", "")
    assert known["2026-07-13"] is None
    with pytest.raises(ValueError, match="whole date"):
        Moments(["%H:%M"])


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("45789", ("2025-05-12", "")),
        ("46204.999994", ("2026-07-01", "23:59")),  # 23:59:59.48 is not the next day
        ("46204.99999999999", ("2026-07-01", "23:59")),
        ("46205.0104166667", ("2026-07-02", "00:15")),
        ("46205.0104166666", ("2026-07-02", "00:15")),  # the double just below a quarter past
        ("46244.5", ("2026-08-10", "12:00")),
        ("46244.0", ("2026-08-10", "")),
    ],
)
def test_day_numbers_of_a_sheet(text: str, moment: tuple[str, str]) -> None:
    assert Moments(serials=True)[text] == moment


def test_day_numbers_out_of_range_and_from_1904() -> None:
    assert serial_moment("19999") is None
    assert serial_moment("80000") is None
    assert serial_moment("44742", date1904=True) == ("2026-07-01", "")


@given(st.lists(st.sampled_from(["2026-07-13 10:05", "2026-07-13T9:05", "x", "", "13-Jul-26 1:00 AM", "2026-02-30"])))
def test_a_column_of_dates_is_read_as_each_alone(texts: list[str]) -> None:
    texts = texts * 3
    days, times, bad = Moments().column(texts)
    alone = [Moments()[text] for text in texts]
    assert [m or ("", "") for m in alone] == list(zip(days, times, strict=True))
    assert bad == [i for i, m in enumerate(alone) if m is None]


def test_a_long_column_of_different_times_is_read_as_each_alone() -> None:
    texts = [f"2026-07-{1 + i % 31:02d} {i % 24:02d}:{i % 60:02d}:{i % 61:02d}" for i in range(2000)]
    days, times, bad = Moments().column(texts)
    alone = [Moments()[text] for text in texts]
    assert bad == [i for i, m in enumerate(alone) if m is None] != []
    assert [m or ("", "") for m in alone] == list(zip(days, times, strict=True))


def test_clock_times() -> None:
    assert clock_time("12:30 AM") == "00:30"
    assert clock_time("12:30 pm") == "12:30"
    assert clock_time("24:00") is None
    assert clock_time("0:00 AM") is None


def test_the_repeated_hour_of_november() -> None:
    assert hour_repeats("2026-11-01", "01:59")
    assert not hour_repeats("2026-11-01", "02:00")
    assert not hour_repeats("2026-11-08", "01:30")
    assert not hour_repeats("2026-10-04", "01:30")
    assert hour_repeats("2025-11-02", "01:00")


def test_units_in_all_spellings() -> None:
    units = Units()
    assert [units[text] for text in ("Cu. Ft.", "100 CF", "Gallons", "k-gal", "Cubic_Meter", "acre feet", " ")] == [
        "CF", "CCF", "GAL", "KGAL", "M3", "AF", "",
    ]  # fmt: skip
    assert [units[text] for text in ("MGAL", "OIL_BARREL", "unknown", "?")] == [UNKNOWN] * 4
    assert cubic_meters("9186.42") == "9.18642"
    assert cubic_meters("0") == "0"
    assert cubic_meters("608147000") == "608147"


def test_headings() -> None:
    found = columns.recognise(["Acct #", "Meter No.", "Present Read (CCF)", "Prev Read", "Date/Time", "Read"])
    assert found == {"account_id": 0, "meter_id": 1, "reading": 2, "read_date": 4}
    assert columns.unit_in("Present Read (CCF)") == "CCF"
    assert not columns.is_header(["Meter", "Reading"])


@given(st.decimals(0, 10**30, places=9), st.decimals(0, 10**30, places=12))
def test_products_are_exact_however_long(first: Decimal, second: Decimal) -> None:
    a, b = format(first, "f"), format(second, "f")
    assert Fraction(product(a, b)) == Fraction(a) * Fraction(b)
    assert Fraction(cubic_meters(a)) * 1000 == Fraction(a)
