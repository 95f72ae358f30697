"""Consumption from dials: worked rollovers, and one Fraction at a time as the oracle."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.reads.dials import MILLION, consumption


def one(previous: float, current: float, dials: int = 6, multiplier: float = 1) -> tuple[Fraction, bool, bool]:
    millionths = [np.array([round(Fraction(str(v)) * MILLION)], np.int64) for v in (previous, current, multiplier)]
    got = consumption(millionths[0], millionths[1], np.array([dials], np.int64), millionths[2])
    return Fraction(int(got.consumption[0]), MILLION), bool(got.rolled_over[0]), bool(got.readable[0])


@pytest.mark.parametrize(
    ("previous", "current", "dials", "multiplier", "expected", "rolled"),
    [
        (1200, 1214.5, 6, 1, Fraction("14.5"), False),
        (999_990, 12, 6, 1, 22, True),  # 12 - 999,990 + 1,000,000
        (9_998.5, 1.25, 4, 10, Fraction("27.5"), True),  # (1.25 - 9998.5 + 10000) x 10 = 2.75 x 10
        (100, 100, 6, 1, 0, False),
        (0, 8, 6, 0.25, 2, False),
    ],
)
def test_worked_example(previous, current, dials, multiplier, expected, rolled):
    assert one(previous, current, dials, multiplier) == (expected, rolled, True)


@pytest.mark.parametrize(
    ("previous", "current", "dials", "multiplier"),
    [(-1, 5, 6, 1), (5, 1_000_000, 6, 1), (5, 6, 0, 1), (5, 6, 13, 1), (5, 6, 6, 0), (0, 0.000001, 6, 0.1)],
)
def test_unreadable_is_said_and_never_guessed(previous, current, dials, multiplier):
    assert one(previous, current, dials, multiplier) == (0, False, False)


@given(
    st.lists(
        st.tuples(st.integers(0, 10**13), st.integers(0, 10**13), st.integers(1, 12), st.integers(1, 2_000_000_000)),
        min_size=1,
        max_size=30,
    )
)
def test_many_at_once_equal_each_by_fractions(rows):
    got = consumption(*(np.array(column, np.int64) for column in zip(*rows, strict=True)))
    for (previous, current, dials, multiplier), found, readable in zip(
        rows, got.consumption.tolist(), got.readable.tolist(), strict=True
    ):
        span = 10**dials * MILLION
        if previous >= span or current >= span:
            assert not readable
            continue
        exact = Fraction((current - previous) % span) * multiplier / MILLION
        assert readable == (exact.denominator == 1 and exact < 2**63)
        assert found == (exact if readable else 0)
