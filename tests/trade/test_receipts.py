"""Receipts: every payment is taken or listed with one reason, none twice."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.receipts import alike, check

LATEST = dt.date(2026, 11, 30)
ACCOUNTS = pd.Series(["01", "02"])
NAMES = ["received_on", "account_id", "amount", "method", "reference"]
Row = tuple[str, str, int, str]


def frame(rows: list[Row]) -> pd.DataFrame:
    made = pd.DataFrame([(day, who, cents, "check", ref) for day, who, cents, ref in rows], columns=NAMES)
    made = made.astype({"received_on": "datetime64[s]", "amount": "int64", "account_id": "str", "reference": "str"})
    return made.assign(place=[str(n) for n in range(len(made))])


def checked(rows: list[Row], earlier: list[Row] | None = None) -> tuple[list[int], list[tuple[str, str, str]]]:
    """Positions taken, and (row, code, column) of each refused."""
    taken, problems = check(frame(rows), ACCOUNTS, frame(earlier or []), LATEST)
    return taken.index.tolist(), sorted((p.place.key, p.code, p.place.column) for p in problems)


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        (("2026-11-20", "1", 100, ""), "unknown_account", "account_id"),  # leading zero lost
        (("2026-11-20", "01", 0, ""), "payment_not_positive", "amount"),
        (("2026-11-20", "01", -100, ""), "payment_not_positive", "amount"),
        (("2026-12-01", "01", 100, ""), "day_to_come", "received_on"),
        (("2026-10-31", "1", -100, ""), "unknown_account", "account_id"),  # one reason a row, the first
    ],
)
def test_one_reason_for_each_that_cannot_be_taken(row: Row, code: str, column: str) -> None:
    good = ("2026-11-01", "01", 100, "a")
    assert checked([good, row, ("2026-11-30", "02", 100, "b")]) == ([0, 2], [("1", code, column)])


def test_a_lost_zero_is_named_with_the_account_it_would_be() -> None:
    _, (problem, other) = check(
        frame([("2026-11-20", "2.0", 100, ""), ("2026-11-20", "9", 100, "")]), ACCOUNTS, frame([]), LATEST
    )
    assert problem.fact == "account '2.0' is not known; 02 is an account: the zeros were lost"
    assert other.fact == "account '9' is not known"


def test_a_day_of_a_month_before_is_taken_and_one_to_come_is_not() -> None:
    rows = [("2026-10-31", "01", 100, ""), ("2026-12-01", "01", 100, "")]
    assert checked(rows) == ([0], [("1", "day_to_come", "received_on")])


def test_a_payment_by_its_reference_is_taken_once() -> None:
    row = ("2026-11-20", "01", 100, "C1")
    assert checked([row, row, ("2026-11-20", "01", 100, "C2")]) == ([0, 2], [("1", "payment_twice", "reference")])
    assert checked([row], [row]) == ([], [("0", "payment_twice", "reference")])
    assert checked([row], [("2026-11-20", "01", 101, "C1"), ("2026-11-20", "02", 100, "C1")]) == ([0], [])


def test_without_a_reference_like_payments_are_taken_and_named() -> None:
    cash = ("2026-11-20", "01", 100, "")
    assert checked([cash, cash]) == ([0, 1], [])
    assert checked([cash], [cash]) == ([0], [])
    # a and b are told apart by their references, the third from neither; the fourth is of another amount
    rows = [(*cash[:3], "a"), (*cash[:3], "b"), cash, ("2026-11-20", "01", 101, "")]
    there = frame(rows).assign(payment_id=["P1", "P2", "P3", "P4"])
    assert alike(there).tolist() == ["P3", "P3", "P1, P2", ""]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["2026-10-31", "2026-11-01", "2026-11-30"]),
            st.sampled_from(["01", "02", "03"]),
            st.sampled_from([-5, 0, 100]),
            st.sampled_from(["", "a"]),
        ),
        max_size=12,
    )
)
def test_every_row_is_taken_or_refused_once_and_a_second_time_none_is_taken(rows: list[Row]) -> None:
    taken, refused = checked(rows)
    assert sorted([*taken, *(int(key) for key, _, _ in refused)]) == list(range(len(rows)))
    again, _ = checked(rows, [rows[n] for n in taken])
    assert again == [n for n in taken if not rows[n][3]]  # without a reference nobody can tell
