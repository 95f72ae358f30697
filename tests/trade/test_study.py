"""The rate study: every figure against a bill-by-bill reckoning, and what it must never do."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import costly
from tests.trade.tariffs.schedules import rate, service, table, tiers, usage
from xlbilling.trade.study import BANDS, SEVERAL, Study, as_of, percent, replaced, study
from xlbilling.trade.tariffs import price, rate_book

CURRENT = [
    rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="20.00"),
    rate(component="service", kind="fixed", keys='meter_size=1"', rate="35.00"),
    *tiers("water", ("0", "2.00"), ("11", "4.00"), position=2),
    rate(component="fire", kind="fixed", rate="40.65", customer_class="OTHER"),
]
PROPOSED = [
    rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="18.00"),
    rate(component="service", kind="fixed", keys='meter_size=1"', rate="35.00"),
    *tiers("water", ("0", "2.10"), ("11", "5.00"), position=2),
    rate(component="fire", kind="fixed", rate="40.65", customer_class="OTHER"),
]


def book(rows: list[dict[str, Any]]) -> Any:
    made, problems = rate_book(table(rows))
    assert problems == []
    return made


def bills(*rows: tuple[str, dict[str, Any]]) -> pd.DataFrame:
    made = usage([{"key": str(at)} | one | {"key": str(at)} for at, (_, one) in enumerate(rows)])
    return made.assign(account_id=[account for account, _ in rows])


SMALL = bills(
    ("A", service("4")),  # 20.00 + 8.00 = 28.00 -> 18.00 + 8.40 = 26.40: 1.60 less, 5.71 %
    ("A", service("12")),  # 20.00 + 20.00 + 8.00 = 48.00 -> 18.00 + 21.00 + 10.00 = 49.00: 1.00 more
    ("B", service("30")),  # 20.00 + 20.00 + 80.00 = 120.00 -> 18.00 + 21.00 + 100.00 = 139.00: 15.83 % more
    ("C", service("0", meter_size='1"')),  # 35.00 -> 35.00
    ("C", service("0", customer_class="OTHER")),  # 40.65 -> 40.65
)


def test_a_small_study_by_hand() -> None:
    found = study(book(CURRENT), book(PROPOSED), SMALL)
    assert found.left_out == []
    assert found.accounts.to_dict("list") == {
        "account_id": ["A", "B", "C"],
        "customer_class": ["SFR", "SFR", SEVERAL],
        "bills": [2, 1, 2],
        "consumption": [16_000_000, 30_000_000, 0],
        "current": [7600, 12000, 7565],
        "proposed": [7540, 13900, 7565],
        "change": [-60, 1900, 0],
        "percent": [-790_000, 15_830_000, 0],  # -0.60 of 76.00 is -0.79 %; 19.00 of 120.00 is 15.83 %
    }
    sums = found.by_class.set_index("customer_class")
    assert sums.loc["SFR", ["current", "proposed", "change", "accounts", "more", "less", "same"]].tolist() == [
        23100, 24940, 1840, 3, 1, 1, 1,
    ]  # fmt: skip
    assert sums.loc["OTHER", ["bills", "current", "proposed", "more", "less", "same"]].tolist() == [
        1,
        4065,
        4065,
        0,
        0,
        1,
    ]
    charges = found.by_charge.set_index(["customer_class", "charge", "tier"])
    assert charges.loc[("SFR", "service", 0), ["current", "proposed"]].tolist() == [9500, 8900]
    assert charges.loc[("SFR", "water", 1)].tolist() == [24_000_000, 4800, 24_000_000, 5040, 240]
    assert charges.loc[("SFR", "water", 2)].tolist() == [22_000_000, 8800, 22_000_000, 11000, 2200]
    banded = dict(zip(found.bands["band"], found.bands["accounts"], strict=True))
    assert {band: count for band, count in banded.items() if count} == {
        "up to 5 % less": 1, "no change": 1, "10 to 20 % more": 1,
    }  # fmt: skip
    assert found.largest["account_id"].tolist() == ["B", "A"]
    # Three accounts in order of consumption fall into the groups 1, 4 and 7 of ten.
    assert found.deciles["decile"].tolist() == [1, 4, 7]
    assert found.deciles["average_change"].tolist() == [0, -30, 1900]


def test_a_bill_that_one_side_cannot_price_counts_in_neither_and_is_told() -> None:
    narrow = [row for row in PROPOSED if row["keys"] != 'meter_size=1"']
    found = study(book(CURRENT), book(narrow), SMALL)
    (left,) = found.left_out
    assert (left.key, left.account_id, left.rates, left.problem.code) == ("3", "C", "proposed", "unknown_key")
    assert found.by_class["current"].sum() == 7600 + 12000 + 4065


def test_nothing_to_compare_is_an_empty_study() -> None:
    found = study(book(CURRENT), book(CURRENT), SMALL.iloc[:0])
    assert found.accounts.empty
    assert found.bands["accounts"].tolist() == [0] * len(BANDS)


@pytest.mark.parametrize(
    ("before", "after", "band"),
    [
        (10000, 10500, "up to 5 % more"), (10000, 10501, "5 to 10 % more"), (10000, 9500, "up to 5 % less"),
        (10000, 9499, "5 to 10 % less"), (10000, 15000, "20 to 50 % more"), (10000, 15001, "over 50 % more"),
        (10000, 0, "over 50 % less"), (0, 1, "was 0.00 or a credit"), (0, 0, "no change"), (10000, 10000, "no change"),
    ],
)  # fmt: skip
def test_bands_end_on_the_cent(before: int, after: int, band: str) -> None:
    rates = [[rate(component="fee", kind="fixed", rate=f"{cents / 100:.2f}")] for cents in (before, after)]
    found = study(book(rates[0]), book(rates[1]), bills(("A", service())))
    assert found.bands.loc[found.bands["accounts"].eq(1), "band"].tolist() == [band]


def test_the_rates_of_a_day_apply_to_any_day() -> None:
    rows = [
        *CURRENT,
        rate(
            component="service", kind="fixed", keys='meter_size=5/8"', rate="22.00", effective_from=dt.date(2026, 7, 1)
        ),
        rate(component="levy", kind="fixed", rate="9", effective_to=dt.date(2026, 6, 30)),
        rate(component="season", kind="season", keys="season=dry", expression="05-01", applies_by="read_date"),
    ]
    june, july = as_of(table(rows), dt.date(2026, 6, 30)), as_of(table(rows), dt.date(2026, 7, 1))
    assert set(june["component"]) == {"service", "water", "fire", "levy", "season"}
    assert july.loc[july["component"].eq("service"), "rate"].tolist() == ["22.00"]
    assert "levy" not in set(july["component"])
    assert set(july.loc[july["component"].eq("season"), "applies_by"]) == {"read_date"}
    long_ago = bills(("A", service("4", service_from=dt.date(1999, 1, 1))))
    assert study(book(CURRENT), rate_book(july)[0], long_ago).left_out[0].rates == "current"
    assert study(rate_book(june)[0], rate_book(july)[0], long_ago).left_out == []


def test_a_proposal_replaces_whole_classes_and_leaves_the_others() -> None:
    made = replaced(table(CURRENT), table([row for row in PROPOSED if row["customer_class"] == "SFR"]))
    assert made.groupby("customer_class")["rate"].agg(list).to_dict() == {
        "OTHER": ["40.65"], "SFR": ["18.00", "35.00", "2.10", "5.00"],
    }  # fmt: skip


def test_percent_of_nothing_is_blank() -> None:
    assert pd.Series(percent([100, -50, 33], [0, 200, 9900])).tolist() == [pd.NA, -25_000_000, 330_000]


ROWS = st.tuples(
    st.sampled_from("ABCDEFG"),
    st.builds(
        service,
        consumption=st.integers(0, 60).map(str),
        meter_size=st.sampled_from(['5/8"', '1"', '2"']),
        customer_class=st.sampled_from(["SFR", "SFR", "OTHER"]),
    ),
)


@costly
@given(st.lists(ROWS, min_size=1, max_size=25))
def test_every_sum_is_the_sum_of_the_bills_priced_one_by_one(rows: list[tuple[str, dict[str, Any]]]) -> None:
    frame, books = bills(*rows), (book(CURRENT), book(PROPOSED))
    expected: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at, (account, _) in enumerate(rows):
        both = [price(each, frame.iloc[[at]].drop(columns=["account_id"])) for each in books]
        if not any(each.problems for each in both):
            for side, each in enumerate(both):
                expected[account][side] += int(each.lines["amount_cents"].sum())
    found = study(*books, frame)
    told = found.accounts.set_index("account_id")[["current", "proposed"]]
    assert {account: list(pair) for account, pair in zip(told.index, told.to_numpy().tolist(), strict=True)} == expected
    _agrees(found)


def _agrees(found: Study) -> None:
    """Every table of a study adds up to the same revenue and the same accounts."""
    for name in ("current", "proposed", "change"):
        total = found.accounts[name].sum()
        for frame in (found.by_class, found.by_charge, found.deciles):
            assert frame[name].sum() == total
    assert found.bands["change"].sum() == found.accounts["change"].sum()
    assert found.bands["accounts"].sum() == found.deciles["accounts"].sum() == len(found.accounts)
    assert (found.by_class[["more", "less", "same"]].sum(axis=1) == found.by_class["accounts"]).all()
