"""Exact columns against fractions.Fraction, value by value."""

from __future__ import annotations

import decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.words.exact import INT64_MAX, Exact, decimal_text, parse_decimal

SMALL = st.fractions(min_value=-1000, max_value=1000, max_denominator=1000)
HUGE = st.builds(Fraction, st.integers(-(2**80), 2**80), st.integers(1, 2**40))
COLUMN = st.lists(st.one_of(SMALL, HUGE), min_size=1, max_size=6)


def column_of_dens(values: list[Fraction]) -> Exact:
    """The same values with one denominator per row."""
    num = [value.numerator for value in values]
    den = [value.denominator for value in values]
    fits = max(map(abs, num + den)) <= INT64_MAX
    kind = np.int64 if fits else object
    return Exact(np.array(num, dtype=kind), np.array(den, dtype=kind))


def forms(values: list[Fraction]) -> list[Exact]:
    return [Exact.of(values), column_of_dens(values)]


def half_up(value: Fraction, places: int) -> Fraction:
    scaled = abs(value) * Fraction(10) ** places  # 10**-2 alone is a float
    whole = int(scaled + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole) / Fraction(10) ** places


def half_even(value: Fraction, places: int) -> Fraction:
    return round(value * Fraction(10) ** places) / Fraction(10) ** places


@given(COLUMN, st.data())
def test_arithmetic_is_that_of_fractions(left: list[Fraction], data: st.DataObject) -> None:
    right = data.draw(st.lists(st.one_of(SMALL, HUGE), min_size=len(left), max_size=len(left)))
    for a in forms(left):
        for b in forms(right):
            assert (a + b).fractions() == [x + y for x, y in zip(left, right, strict=True)]
            assert (a - b).fractions() == [x - y for x, y in zip(left, right, strict=True)]
            assert (a * b).fractions() == [x * y for x, y in zip(left, right, strict=True)]
            assert a.minimum(b).fractions() == [min(x, y) for x, y in zip(left, right, strict=True)]
            assert a.maximum(b).fractions() == [max(x, y) for x, y in zip(left, right, strict=True)]
            assert list(a < b) == [x < y for x, y in zip(left, right, strict=True)]
            assert list(a >= b) == [x >= y for x, y in zip(left, right, strict=True)]
            assert list(a.equals(b)) == [x == y for x, y in zip(left, right, strict=True)]
            if all(right):
                assert (a / b).fractions() == [x / y for x, y in zip(left, right, strict=True)]


@given(COLUMN, st.integers(-2, 7))
def test_rounding_is_that_of_fractions(values: list[Fraction], places: int) -> None:
    for column in forms(values):
        assert column.round_half_up(places).fractions() == [half_up(value, places) for value in values]
        assert column.round_half_even(places).fractions() == [half_even(value, places) for value in values]
        assert column.floor().fractions() == [Fraction(value.numerator // value.denominator) for value in values]


@given(st.lists(st.integers(-20_000, 20_000), min_size=1))
def test_ties_go_away_from_zero(halves: list[int]) -> None:
    column = Exact.of([Fraction(half, 200) for half in halves])
    assert list(column.to_cents()) == [int(half_up(Fraction(half, 200), 2) * 100) for half in halves]


@given(COLUMN, st.integers(0, 4))
def test_powers(values: list[Fraction], power: int) -> None:
    for column in forms(values):
        assert (column**power).fractions() == [value**power for value in values]
        if all(values):
            assert (column**-power).fractions() == [value**-power for value in values]


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=7)))
def test_parse_reads_decimal_text_exactly(numbers: list[decimal.Decimal]) -> None:
    values, good = Exact.parse([f"{number:f}" for number in numbers])
    assert good.all()
    assert values.fractions() == [Fraction(number) for number in numbers]


@pytest.mark.parametrize("text", ["", "1,5", "1e3", "nan", "0x10", "1/2", "٣", "--1", "."])
def test_parse_refuses_what_is_no_plain_decimal(text: str) -> None:
    values, good = Exact.parse(["2.50", text])
    assert list(good) == [True, False]
    assert values.fractions() == [Fraction(5, 2), Fraction(0)]
    assert parse_decimal(text) is None


def test_the_bill_that_floats_get_wrong() -> None:
    # 14.5 units x 8.85 = 128.325, which a bill rounds to 128.33; the nearest float is below 128.325.
    assert list((Exact.from_millionths([14_500_000]) * Fraction("8.85")).to_cents()) == [12833]


def test_numerators_stay_int64_while_they_fit_and_only_then() -> None:
    column = Exact.of([2**40])
    assert (column * 2).num.dtype == np.int64
    assert (column * column).num.dtype == object
    assert (column * column).fractions() == [Fraction(2**80)]


def test_choice_placing_and_constants() -> None:
    column = Exact.of([Fraction(1, 3), Fraction(-1, 2), Fraction(5)])
    chosen = Exact.where(column > 0, column, 0)
    assert chosen.fractions() == [Fraction(1, 3), Fraction(0), Fraction(5)]
    assert column.take(np.array([2, 0])).fractions() == [Fraction(5), Fraction(1, 3)]
    assert column.take(np.array([True, False, True])).placed(np.array([4, 1]), 5).fractions() == [
        0, Fraction(5), 0, 0, Fraction(1, 3),
    ]  # fmt: skip
    assert Exact.constant(Fraction(1, 3)).spread(2).fractions() == [Fraction(1, 3)] * 2
    assert Exact.joined([column, column.inverse()]).fractions() == column.fractions() + column.inverse().fractions()


def test_division_by_zero_is_an_error_never_a_number() -> None:
    with pytest.raises(ZeroDivisionError):
        Exact.of([1]) / Exact.of([0])


def test_decimal_text() -> None:
    assert decimal_text(Fraction(29, 2)) == "14.5"
    assert decimal_text(Fraction(-1, 20)) == "-0.05"
    assert decimal_text(Fraction(1, 3)) == "1/3"
    assert decimal_text(Fraction(0)) == "0"
