"""Money: read exactly, rounded half-up away from zero, shown as people read it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.words.money import cents, dollars, parse_cents, round_half_up


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        ("128.325", 12833),  # 14.5 x 8.85: a float says 128.32
        ("128.3249999", 12832),
        ("-128.325", -12833),  # away from zero
        ("0.005", 1),
        ("0.0049", 0),
        ("0", 0),
    ],
)
def test_cents(amount: str, expected: int) -> None:
    assert cents(Fraction(amount)) == expected


@given(st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6))
def test_rounding_is_the_nearest_and_a_tie_goes_away_from_zero(value: Fraction) -> None:
    whole = round_half_up(value)
    assert abs(whole - value) <= Fraction(1, 2)
    if abs(whole - value) == Fraction(1, 2):
        assert abs(whole) > abs(value)
    assert round_half_up(-value) == -whole


@given(st.decimals(-(10**12), 10**12, places=3))
def test_rounding_is_what_decimal_says(value: Decimal) -> None:
    assert cents(Fraction(value)) == int(value.quantize(Decimal("0.01"), ROUND_HALF_UP) * 100)


@pytest.mark.parametrize(
    ("text", "expected"), [("12", 1200), ("-3.5", -350), ("1204.07", 120407), ("0.10", 10), ("-0.01", -1), ("007", 700)]
)
def test_plain_amounts_are_read(text: str, expected: int) -> None:
    assert parse_cents(text) == expected


@pytest.mark.parametrize("text", ["", "1,204.07", "1.005", "$5", "5-", "1e3", "+5", ".5", "5.", " 5", "NaN", "١٢.٣٤x"])
def test_anything_else_is_no_amount(text: str) -> None:
    assert parse_cents(text) is None


@given(st.integers(-(10**14), 10**14))
def test_there_and_back(amount: int) -> None:
    assert parse_cents(dollars(amount).replace(",", "")) == amount


def test_as_a_person_reads_it() -> None:
    assert [dollars(n) for n in (120407, -350, 0, 5, 123456789)] == [
        "1,204.07",
        "-3.50",
        "0.00",
        "0.05",
        "1,234,567.89",
    ]
