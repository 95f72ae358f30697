"""Aging: worked accounts, the slow oracle that pays bill by bill, and what is refused."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.aging import age, bucket_names
from xlbilling.words.problems import Refusal

AS_OF = dt.date(2026, 11, 30)


def documents(*rows: tuple[str, str, str | dt.date, int]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=["account_id", "document", "age_from", "amount_cents"])
    return frame.astype({"account_id": "str", "document": "str", "age_from": "datetime64[s]", "amount_cents": "int64"})


def aged(*rows: tuple[str, str, str | dt.date, int]) -> dict[str, int]:
    """The one account of these documents, its buckets by name."""
    (row,) = age(documents(*rows), AS_OF).to_dict("records")
    return {name: value for name, value in row.items() if name != "account_id" and value}


def test_bills_of_four_ages_and_a_payment_that_takes_the_oldest():
    # 2026-11-30 less 2026-11-10 = 20 days; 10-10: 51; 09-10: 81; 08-10: 112.
    # Payment 150.00 pays the 112-day bill (100.00) whole and 50.00 of the 81-day bill of 80.00, which leaves 30.00.
    assert aged(
        ("0042", "B4", "2026-11-10", 60_00),
        ("0042", "B3", "2026-10-10", 70_00),
        ("0042", "B2", "2026-09-10", 80_00),
        ("0042", "B1", "2026-08-10", 100_00),
        ("0042", "P1", "2026-11-20", -150_00),
    ) == {"current": 60_00, "days_31_60": 70_00, "days_61_90": 30_00, "total": 160_00}


def test_what_no_bill_can_take_is_a_credit():
    # 45.00 billed, 60.00 paid: 15.00 credit.
    assert aged(("7", "B1", "2026-11-01", 45_00), ("7", "P1", "2026-11-02", -60_00)) == {
        "credit": -15_00,
        "total": -15_00,
    }


@pytest.mark.parametrize(
    ("day", "bucket"),
    [
        ("2026-12-15", "current"),  # not due yet
        ("2026-11-30", "current"),  # day 0
        ("2026-10-31", "current"),  # day 30
        ("2026-10-30", "days_31_60"),  # day 31
        ("2026-10-01", "days_31_60"),  # day 60
        ("2026-09-30", "days_61_90"),  # day 61
        ("2026-09-01", "days_61_90"),  # day 90
        ("2026-08-31", "over_90"),  # day 91
    ],
)
def test_the_days_on_which_a_bucket_begins_and_ends(day: str, bucket: str):
    assert aged(("1", "B", day, 5_01)) == {bucket: 5_01, "total": 5_01}


def test_accounts_keep_their_zeros_and_come_in_order():
    made = age(documents(("007", "B", "2026-11-01", 1), ("0001", "B", "2026-11-01", 2)), AS_OF)
    assert made["account_id"].tolist() == ["0001", "007"]
    assert list(made) == ["account_id", "current", "days_31_60", "days_61_90", "over_90", "credit", "total"]
    assert all(made[name].dtype == np.int64 for name in made.columns[1:])


def test_no_documents_no_accounts():
    made = age(documents(), AS_OF)
    assert len(made) == 0
    assert list(made)[-1] == "total"


def test_buckets_of_an_office_that_counts_otherwise():
    assert bucket_names((15, 45)) == ("current", "days_16_45", "over_45")
    made = age(documents(("1", "B", "2026-11-10", 9)), AS_OF, (15, 45))
    assert made["days_16_45"].tolist() == [9]


@pytest.mark.parametrize("buckets", [(), (0, 30), (30, 30), (60, 30), (-5,)])
def test_buckets_that_do_not_grow_are_refused(buckets: tuple[int, ...]):
    with pytest.raises(Refusal) as refused:
        age(documents(("1", "B", "2026-11-10", 9)), AS_OF, buckets)
    assert refused.value.problem.code == "aging_buckets"


def test_a_document_without_a_date_is_refused_by_name():
    frame = documents(("1", "B-77", "2026-11-10", 9))
    frame["age_from"] = pd.NaT
    with pytest.raises(Refusal, match="B-77") as refused:
        age(frame, AS_OF)
    assert refused.value.problem.code == "aging_document"


def test_a_document_without_an_account_is_refused_by_name():
    with pytest.raises(Refusal, match="B-78"):
        age(documents(("", "B-78", "2026-11-10", 9)), AS_OF)


def test_amounts_that_are_not_whole_cents_are_refused():
    frame = documents(("1", "B", "2026-11-10", 9)).astype({"amount_cents": "float64"})
    with pytest.raises(Refusal) as refused:
        age(frame, AS_OF)
    assert refused.value.problem.code == "aging_document"


def slowly(frame: pd.DataFrame, buckets: tuple[int, ...]) -> dict[str, list[int]]:
    """One account at a time, one cent-credit against one bill at a time, oldest bill first."""
    answer: dict[str, list[int]] = {}
    for account, rows in frame.groupby("account_id"):
        bills = [[row.age_from.date(), row.amount_cents] for row in rows.itertuples() if row.amount_cents > 0]
        bills.sort()
        left = -sum(row.amount_cents for row in rows.itertuples() if row.amount_cents < 0)
        columns = [0] * (len(buckets) + 2)
        for day, amount in bills:
            paid = min(left, amount)
            left -= paid
            days = (AS_OF - day).days
            columns[sum(days > edge for edge in buckets)] += amount - paid
        columns[-1] = -left
        answer[str(account)] = columns
    return answer


ROW = st.tuples(
    st.sampled_from(["1", "01", "001", "2", "B-9"]),
    st.just("D"),
    st.dates(dt.date(2026, 7, 1), dt.date(2026, 12, 31)),
    st.integers(-200_00, 200_00) | st.sampled_from([10**15, -(10**15)]),
)


@given(st.lists(ROW, min_size=1, max_size=40), st.sampled_from([(30, 60, 90), (1,), (10, 20, 30, 40)]))
def test_the_fast_way_equals_paying_bill_by_bill(rows: list[tuple[str, str, dt.date, int]], buckets: tuple[int, ...]):
    frame = documents(*rows)
    made = age(frame, AS_OF, buckets)
    found = {row[0]: list(row[1:-1]) for row in made.itertuples(index=False)}
    assert found == slowly(frame, buckets)


@given(st.lists(ROW, min_size=1, max_size=40))
def test_buckets_and_credit_are_the_balance(rows: list[tuple[str, str, dt.date, int]]):
    frame = documents(*rows)
    made = age(frame, AS_OF).set_index("account_id")
    balance = frame.groupby("account_id")["amount_cents"].sum()
    assert made["total"].to_dict() == balance.to_dict()
    assert (made.drop(columns="total").sum(axis=1) == made["total"]).all()
    assert (made["credit"] <= 0).all()
    assert ((made["credit"] == 0) | (made[list(bucket_names())] == 0).all(axis=1)).all()
