"""Periods: months of the ledger and the days of a bill."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.words.periods import AccountingPeriod, ServicePeriod

MONTHS = st.builds(AccountingPeriod, st.integers(1990, 2090), st.integers(1, 12))


def test_a_period_as_it_is_written() -> None:
    period = AccountingPeriod.parse("2026-11")
    assert (str(period), period.first, period.last) == ("2026-11", dt.date(2026, 11, 1), dt.date(2026, 11, 30))
    assert str(period.plus(2)) == "2027-01"
    assert str(period.plus(-11)) == "2025-12"
    assert AccountingPeriod.parse("2028-02").last == dt.date(2028, 2, 29)
    assert AccountingPeriod.of(dt.date(2026, 11, 30)) == period


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-13", "2026-00", "2026-1", "11-2026", "2026/11", "2026-11-01", " 2026-11"]
)
def test_other_texts_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="accounting period"):
        AccountingPeriod.parse(text)


@given(MONTHS, st.integers(-500, 500))
def test_counting_on_and_back(period: AccountingPeriod, months: int) -> None:
    assert period.plus(months).plus(-months) == period
    assert (period.plus(months) > period) == (months > 0)
    assert AccountingPeriod.parse(str(period)) == period
    assert period.last + dt.timedelta(1) == period.plus(1).first


def test_text_sorts_as_the_months_do() -> None:
    months = [AccountingPeriod(2025, 12).plus(n) for n in range(15)]
    assert sorted(map(str, months)) == [str(month) for month in months]


def test_the_days_of_a_bill() -> None:
    """From the read of 2026-09-05 (billed before) to that of 2026-11-05: 25 + 31 + 5 days."""
    assert ServicePeriod(dt.date(2026, 9, 5), dt.date(2026, 11, 5)).days == 61
    assert ServicePeriod(dt.date(2026, 9, 5), dt.date(2026, 9, 5)).days == 0
