"""The Excel functions, on worked examples and against plain arithmetic."""

from __future__ import annotations

import datetime as dt
import inspect
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling import udfs
from xlbilling.words.records import TABLE


def test_every_function_is_declared_with_help_for_each_argument():
    assert set(udfs.FUNCTIONS) == {"CONSUMPTION", "BILL_TOTAL", "BILL_LINES", "TIER_SPLIT", "PRORATE"}
    for function in udfs.FUNCTIONS.values():
        assert list(function.arguments) == list(inspect.signature(function.run).parameters)
        assert all(len(text) <= 255 for text in (function.about, *function.arguments.values()))


def test_consumption_of_a_column_with_rollover_and_a_blank_row():
    previous = [["001200"], [999_990.0], [None]]
    current = [["001214.5"], [12.0], [None]]
    # 1214.5 - 1200 = 14.5; 12 - 999,990 + 1,000,000 = 22
    assert udfs.consumption(previous, current, 6.0) == [[14.5], [22.0], [None]]
    assert udfs.consumption(10.0, 12.0, 4.0, 10.0) == [[20.0]]


@pytest.mark.parametrize(
    ("previous", "current", "dials"),
    [(5.0, None, 6.0), ("x", 5.0, 6.0), (5.0, 1_000_000.0, 6.0), (True, 5.0, 6.0), (5.0, 6.0, 5.5), (1.0, "nan", 6.0)],
)
def test_consumption_raises_where_a_dial_cannot_be_read(previous, current, dials):
    with pytest.raises(ValueError):
        udfs.consumption(previous, current, dials)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="one length"):
        udfs.consumption([[1.0], [2.0]], [[1.0], [2.0], [3.0]], 6.0)


def test_tier_split_of_the_published_tiers():
    # first units 0, 15, 41, 149: 14 + 26 + 108 units in the first three tiers
    starts = [[0.0, 15.0, 41.0, 149.0]]
    assert udfs.tier_split([[0.0], [14.5], [40.0], [200.0]], starts) == [
        [0.0, 0.0, 0.0, 0.0],
        [14.0, 0.5, 0.0, 0.0],
        [14.0, 26.0, 0.0, 0.0],
        [14.0, 26.0, 108.0, 52.0],
    ]


@given(st.integers(0, 10**12), st.lists(st.integers(2, 1000), min_size=0, max_size=6, unique=True))
def test_tier_slices_sum_to_consumption(millionths, starts):
    row = udfs.tier_split(millionths / 1e6, [[0.0, *sorted(float(s) for s in starts)]])[0]
    assert sum(round(cell * 1e6) for cell in row) == millionths


@pytest.mark.parametrize("starts", [[[0.0, 15.0, 15.0]], [[15.0, 0.0]], [[None]]])
def test_tier_starts_must_rise(starts):
    with pytest.raises(ValueError, match="rise"):
        udfs.tier_split(5.0, starts)


@given(st.integers(-(10**9), 10**9), st.integers(1, 400), st.integers(0, 400))
def test_prorate_is_the_exact_share(cents, days, part):
    if part > days:
        with pytest.raises(ValueError, match="no part"):
            udfs.prorate(cents / 100, float(part), float(days))
        return
    assert udfs.prorate(cents / 100, float(part), float(days)) == [[float(Fraction(cents, 100) * part / days)]]


def rates() -> list[list[object]]:
    columns = list(TABLE["rates"].columns)
    base = {"tariff": "W1", "customer_class": "SFR", "resolution": "R-1", "gl_account": "4000", "unit": "CCF"}
    base |= {"effective_from": dt.datetime(2026, 1, 1), "applies_by": "service_days"}
    lines = [
        {
            "rate_id": "1",
            "component": "Service",
            "kind": "fixed",
            "keys": 'meter_size=5/8"',
            "rate": 24.06,
            "tier": 0.0,
        },
        {"rate_id": "2", "component": "Water", "kind": "tiered", "tier": 1.0, "from_unit": 0.0, "rate": 8.85},
        {"rate_id": "3", "component": "Water", "kind": "tiered", "tier": 2.0, "from_unit": 15.0, "rate": 10.0},
    ]
    titles = [TABLE["rates"].columns[name].title for name in columns]
    return [titles, *([(base | line).get(name) for name in columns] for line in lines), [None] * len(columns)]


def test_bill_total_of_a_column():
    first, last = dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 31)
    # 24.06 + 14 x 8.85 + 0.5 x 10 = 24.06 + 123.90 + 5.00; 24.06 + 2.7 x 8.85 = 24.06 + 23.895 -> 23.90
    total = udfs.bill_total(rates(), "W1", "SFR", '5/8"', [[14.5], [2.7]], first, last)
    assert total == [[152.96], [47.96]]


def test_bill_lines_of_one_bill_take_day_numbers_too():
    lines = udfs.bill_lines(rates(), "W1", "SFR", '5/8"', 14.5, 46082.0, 46112.0)  # 2026-03-01, 2026-03-31
    assert [row[0] for row in lines] == ["Service", "Water", "Water"]
    assert [row[1:] for row in lines[1:]] == [[14.0, 8.85, 123.9], [0.5, 10.0, 5.0]]
    assert sum(round(row[3] * 100) for row in lines) == 15296


def test_a_bill_that_cannot_be_priced_raises():
    day = dt.datetime(2025, 3, 1)
    with pytest.raises(ValueError):
        udfs.bill_total(rates(), "W1", "SFR", '5/8"', 5.0, day, dt.datetime(2025, 3, 31))
    with pytest.raises(ValueError):
        udfs.bill_total(rates(), "W9", "SFR", '5/8"', 5.0, dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 31))
    with pytest.raises(ValueError):
        udfs.bill_lines(rates(), "W1", "SFR", '5/8"', [[5.0], [6.0]], day, day)
