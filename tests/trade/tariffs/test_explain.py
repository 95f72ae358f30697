"""One bill in plain English."""

from __future__ import annotations

import datetime as dt

import pytest

from xlbilling.trade.tariffs import rate_book
from xlbilling.trade.tariffs.explain import explain
from xlbilling.words.problems import Refusal

from .schedules import rate, service, table, tiers, usage

RATES = [
    rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="24.06"),
    *tiers("water", ("0", "2.1450"), ("15", "3.2275"), position=2),
    *tiers(
        "water", ("0", "2.50"), ("31", "3.50"), position=2, effective_from=dt.date(2026, 3, 22), resolution="2026-9"
    ),
]


def test_a_bill_says_its_inputs_its_tiers_its_resolutions_and_its_rounding() -> None:
    # 20 old days: 14 x 2/3 x 2.1450 = 20.02; 1 x 2/3 x 3.2275 = 2.151666.. -> 2.15; 10 new days: 15 x 1/3 x 2.5 = 12.50
    book, _ = rate_book(table(RATES))
    found = explain(book, usage([service("15")]))
    assert found.amount_cents == 2406 + 2002 + 215 + 1250
    assert found.text == [
        "Rate schedule W1, class SFR.",
        "Service period: the 30 days after 2026-03-01 up to 2026-03-31. Consumption: 15 CCF.",
        'Inputs: meter_size 5/8".',
        'service: 24.06 for meter_size 5/8" = 24.06 (in force from 2026-01-01 by resolution 2026-1).',
        "Part 1: 2026-03-02 to 2026-03-21, 20 of 30 days. "
        "Consumption, tier widths and fixed charges are taken for that share of the days.",
        "water: 9.333333 in tier 1, 0.666667 in tier 2 (in force from 2026-01-01 by resolution 2026-1).",
        "  tier 1 (above 0 up to 14): 14 x 2.1450 x 20 of 30 days = 20.02.",
        "  tier 2 (above 14): 1 x 3.2275 x 20 of 30 days = 1291/600 (about 2.151667), rounded to the cent (half-up) 2.15.",
        "Part 2: 2026-03-22 to 2026-03-31, 10 of 30 days. "
        "Consumption, tier widths and fixed charges are taken for that share of the days.",
        "water: 5 in tier 1 (in force from 2026-03-22 by resolution 2026-9).",
        "  tier 1 (above 0 up to 30): 15 x 2.50 x 10 of 30 days = 12.50.",
        "The bill is the sum of its lines: 58.73.",
    ]
    assert list(found.table["Amount"]) == ["24.06", "20.02", "2.15", "12.50"]


def test_a_service_that_cannot_be_priced_is_refused_with_its_reason() -> None:
    book, _ = rate_book(table(RATES))
    with pytest.raises(Refusal, match="needs meter_size"):
        explain(book, usage([service(meter_size="")]))
