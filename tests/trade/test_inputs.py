"""Inputs of a service: typed on Services, measured by compound registers, averaged over the winter."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.inputs import inputs, last_winter, winter_averages, with_measured
from xlbilling.words.money import round_half_up


def texts(*values: str) -> pd.Series:
    return pd.Series(list(values), dtype="str")


def test_what_is_measured_joins_what_is_typed() -> None:
    typed = texts("", "pressure_zone=2", "pressure_zone=2;", "consumption_low=7", "")
    measured = pd.Series([10_000_000, 5_500_000, 1, 3_000_000, None], dtype="Int64")
    assert with_measured(typed, "consumption_low", measured).tolist() == [
        "consumption_low=10", "pressure_zone=2; consumption_low=5.5", "pressure_zone=2; consumption_low=0.000001",
        "consumption_low=7", "",
    ]  # fmt: skip


def test_a_name_is_only_itself() -> None:
    """consumption_low_2 is another input; a dot in a name is a dot."""
    typed = texts("consumption_low_2=1", "xconsumption.low=1")
    made = with_measured(typed, "consumption.low", pd.Series([1_000_000, 1_000_000], dtype="Int64"))
    assert made.tolist() == ["consumption_low_2=1; consumption.low=1", "xconsumption.low=1; consumption.low=1"]


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[0-9a-z]{1,4}", fullmatch=True)))
def test_joined_text_reads_back(known: dict[str, str]) -> None:
    text = "; ".join(f"{name}={value}" for name, value in known.items())
    made = with_measured(texts(text), "measured_input", pd.Series([2_500_000], dtype="Int64"))
    assert inputs(made.iloc[0]) == known | {"measured_input": "2.5"}


@pytest.mark.parametrize(
    ("months", "before", "winter"),
    [
        ((12, 2), dt.date(2026, 11, 1), (dt.date(2025, 12, 1), dt.date(2026, 2, 28))),
        ((12, 2), dt.date(2026, 3, 1), (dt.date(2025, 12, 1), dt.date(2026, 2, 28))),
        ((12, 2), dt.date(2026, 2, 28), (dt.date(2024, 12, 1), dt.date(2025, 2, 28))),  # this winter is not over
        ((12, 2), dt.date(2024, 6, 1), (dt.date(2023, 12, 1), dt.date(2024, 2, 29))),
        ((11, 12), dt.date(2026, 6, 1), (dt.date(2025, 11, 1), dt.date(2025, 12, 31))),
        ((1, 3), dt.date(2026, 6, 1), (dt.date(2026, 1, 1), dt.date(2026, 3, 31))),
        ((2, 2), dt.date(2026, 2, 1), (dt.date(2025, 2, 1), dt.date(2025, 2, 28))),
    ],
)
def test_the_latest_winter_that_is_over(
    months: tuple[int, int], before: dt.date, winter: tuple[dt.date, dt.date]
) -> None:
    assert last_winter(months, before) == winter


WINTER = (dt.date(2025, 12, 1), dt.date(2026, 2, 28))
DAYS = st.integers(1, 400)


def earlier(*rows: tuple[str, str, int, int]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["service_id", "service_to", "days", "consumption"])
    return made.assign(service_to=pd.to_datetime(made["service_to"]).astype("datetime64[s]"))


def test_the_winter_average_by_hand() -> None:
    history = earlier(
        ("S1", "2025-11-30", 61, 99_000_000),  # before the winter
        ("S1", "2025-12-31", 31, 9_000_000),
        ("S1", "2026-02-28", 59, 12_000_000),
        ("S1", "2026-04-30", 61, 99_000_000),  # after it
        ("S2", "2026-04-30", 61, 10_000_000),
    )
    services = pd.DataFrame({"service_id": ["S1", "S2", "S3"], "days": [61, 61, 61]})
    # 21 units in 90 days: 21 / 90 x 61 = 14.2333...
    assert winter_averages(services, history, WINTER, 3).tolist() == [14_233_000, pd.NA, pd.NA]
    assert winter_averages(services, history, WINTER, 0).tolist()[0] == 14_000_000


@given(st.lists(st.tuples(DAYS, st.integers(0, 10**9)), min_size=1, max_size=4), DAYS, st.integers(0, 6))
def test_the_winter_average_is_that_of_fractions(bills: list[tuple[int, int]], days: int, places: int) -> None:
    rows = [("S1", f"2026-01-{n + 1:02d}", lasted, used) for n, (lasted, used) in enumerate(bills)]
    made = winter_averages(pd.DataFrame({"service_id": ["S1"], "days": [days]}), earlier(*rows), WINTER, places)
    per_day = Fraction(sum(used for _, used in bills), sum(lasted for lasted, _ in bills))
    step = 10 ** (6 - places)
    assert made.iloc[0] == round_half_up(per_day * days / step) * step
