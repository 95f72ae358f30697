"""Bars of consumption: each row against its own largest, the run last, a dot where there is no bill."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.papers.bars import BILLS, consumption_bars

Row = tuple[str, str, str, float, bool]


def drawn(*rows: Row) -> dict[str, str]:
    frame = pd.DataFrame(rows, columns=["service_id", "service_from", "service_to", "consumption", "own"])
    for name in ("service_from", "service_to"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[s]")
    return dict(consumption_bars(frame.astype({"own": bool, "consumption": float})))


def course(service: str, used: list[float], own: bool) -> list[Row]:
    """Periods of 60 days one after the other; with `own` the last of them is the run's."""
    start = np.datetime64("2020-01-01")
    days = [str(start + np.timedelta64(60 * n, "D")) for n in range(len(used) + 1)]
    last = len(used) - 1
    return [(service, days[n], days[n + 1], value, own and n == last) for n, value in enumerate(used)]


def test_a_leak_stands_out_at_the_end() -> None:
    # 10, 11, 10 and then 80: the largest is full, 10 / 80 of eight steps is one, 11 / 80 rounds up to two
    assert drawn(*course("S1", [10, 11, 10, 80], True)) == {"S1": "▁▂▁█"}


def test_consumption_counts_by_the_day() -> None:
    # 30 in 30 days is one a day, 30 in 60 days half of that: four of eight steps
    rows = [("S1", "2026-01-01", "2026-01-31", 30.0, False), ("S1", "2026-01-31", "2026-04-01", 30.0, True)]
    assert drawn(*rows) == {"S1": "█▄"}


def test_a_run_without_a_measure_ends_in_a_dot() -> None:
    assert drawn(*course("S1", [10, 20], False)) == {"S1": "▄█·"}
    assert drawn(*course("S1", [10, 20, math.nan], True)) == {"S1": "▄█·"}


def test_a_period_without_a_bill_is_a_dot_in_its_place() -> None:
    rows = course("S1", [10, 10, 10, 10, 10], True)
    assert drawn(*rows[:1], *rows[3:]) == {"S1": "█··██"}


def test_twelve_bills_and_the_run_at_most() -> None:
    assert drawn(*course("S1", [99, *[10] * 12, 20], True)) == {"S1": "▄" * 12 + "█"}


def test_no_use_is_the_lowest_bar_and_a_credit_is_none() -> None:
    assert drawn(*course("S1", [0, 0], True)) == {"S1": "▁▁"}
    assert drawn(*course("S1", [-5, 10], True)) == {"S1": "▁█"}


def test_nothing_at_all_draws_nothing() -> None:
    assert drawn() == {}


@given(st.lists(st.lists(st.integers(0, 500), min_size=1, max_size=20), min_size=1, max_size=6), st.booleans())
def test_many_services_at_once_equal_each_alone(courses: list[list[int]], own: bool) -> None:
    rows = [course(f"S{n}", [float(v) for v in used], own) for n, used in enumerate(courses)]
    together = drawn(*(row for one in rows for row in one))
    for n, (used, one) in enumerate(zip(courses, rows, strict=True)):
        assert {f"S{n}": together[f"S{n}"]} == drawn(*one)
        shown = used[-(BILLS + own) :]
        most = max(shown)
        slow = "".join("▁▂▃▄▅▆▇█"[max(-(-8 * v // most), 1) - 1] if most else "▁" for v in shown)
        assert together[f"S{n}"] == slow + ("" if own else "·")
