"""Pricing: worked bills, the exact oracle, and what must hold for any rates."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.tariffs import price, rate_book
from xlbilling.trade.tariffs.book import as_written

from .oracle import bill_lines, to_cents
from .schedules import SERVICES, rate, schedules, service, table, tiers, usage


def priced(rates: list[dict[str, Any]], *services: dict[str, Any], **how: Any) -> pd.DataFrame:
    book, problems = rate_book(table(rates))
    assert problems == []
    result = price(book, usage(list(services)), **how)
    assert result.problems == []
    if result.unrounded is not None:
        return result.lines.assign(unrounded=pd.Series(result.unrounded.fractions(), dtype=object))
    return result.lines


def cents(lines: pd.DataFrame) -> list[tuple[str, int, int]]:
    return list(zip(lines["charge"], lines["tier"], lines["amount_cents"], strict=True))


def refusal(rates: list[dict[str, Any]], one: dict[str, Any]) -> Any:
    book, _ = rate_book(table(rates))
    result = price(book, usage([service(key="good"), one | {"key": "bad"}]))
    (problem,) = result.problems
    assert problem.place.key == "bad"
    assert set(result.lines["row"]) <= {0}
    return problem


SIMPLE = [
    rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="24.06"),
    *tiers("water", ("0", "2.1450"), ("15", "3.2275"), ("41", "8.8515"), position=2),
]


def test_tiers_are_first_units() -> None:
    # Starts 0, 15, 41 are 14 units, 26 units and the rest.
    # 14 x 2.1450 = 30.03; 26 x 3.2275 = 83.915 -> 83.92 (half-up); 2.5 x 8.8515 = 22.12875 -> 22.13.
    lines = priced(SIMPLE, service("42.5"))
    assert cents(lines) == [("service", 0, 2406), ("water", 1, 3003), ("water", 2, 8392), ("water", 3, 2213)]
    assert list(lines["quantity"]) == [0, 14_000_000, 26_000_000, 2_500_000]
    assert list(lines["tier_to"]) == [0, 14_000_000, 40_000_000, -1]
    assert list(lines["basis"]) == ['24.06 for meter_size 5/8"', "14 x 2.1450", "26 x 3.2275", "2.5 x 8.8515"]


def test_a_half_unit_above_the_first_tier_is_priced_at_the_second() -> None:
    # SEMANTICS: 14.5 is 14 at p1 and 0.5 at p2: 0.5 x 3.2275 = 1.61375 -> 1.61.
    assert cents(priced(SIMPLE, service("14.5")))[1:] == [("water", 1, 3003), ("water", 2, 161)]


def test_the_float_trap() -> None:
    # 14.5 x 8.85 = 128.325 -> 128.33.
    flat = [rate(component="water", kind="flat", rate="8.85")]
    assert cents(priced(flat, service("14.5"))) == [("water", 0, 12833)]


def test_a_rate_change_in_the_service_period() -> None:
    # (Mar 1, Mar 31] = 30 days; new rates on Mar 22: 20 days old, 10 days new. Consumption 30, tier 1 is 14 units.
    # old: service 24.06 x 20/30 = 16.04; water 14 x 2/3 x 2.1450 = 20.02, 16 x 2/3 x 3.2275 = 34.4266.. -> 34.43
    # new: service 30.00 x 10/30 = 10.00; water in one price: 30 x 1/3 x 2.50 = 25.00
    change = {"effective_from": dt.date(2026, 3, 22), "resolution": "2026-9"}
    rates = [
        *SIMPLE,
        rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="30.00", **change),
        rate(component="water", kind="flat", rate="2.50", position=2, **change),
    ]
    lines = priced(rates, service("30"))
    assert cents(lines) == [
        ("service", 0, 1604),
        ("water", 1, 2002),
        ("water", 2, 3443),
        ("service", 0, 1000),
        ("water", 0, 2500),
    ]
    assert list(lines["segment_days"]) == [20, 20, 20, 10, 10]
    assert list(lines["resolution"]) == ["2026-1"] * 3 + ["2026-9"] * 2
    assert list(lines["basis"])[2] == "16 x 3.2275 x 20 of 30 days"


def test_a_fixed_charge_that_did_not_change_is_one_line() -> None:
    # Water changes on Mar 22, 20 days and 10 days. The service charge, the levy of 10 % on it and the fee by dwelling
    # units did not: 24.06 once (not 16.04 + 8.02), 2.406 -> 2.41 (not 1.60 + 0.80), 2 x 3.33 = 6.66 (not 4.44 + 2.22).
    # old water: 14 x 2.1450 x 2/3 = 20.02; 1 x 3.2275 x 2/3 = 2.1517; new: 15 x 2.50 x 1/3 = 12.50.
    rates = [
        *SIMPLE,
        rate(component="levy", kind="percentage", rate="10", expression="service", position=3),
        rate(component="dwellings", kind="per_unit", expression="dwelling_units", rate="3.33", position=4),
        rate(component="fund", kind="percentage", rate="1", expression="service + water", position=5),
        *tiers("water", ("0", "2.50"), ("99", "3"), ("199", "4"), position=2, effective_from=dt.date(2026, 3, 22)),
    ]
    lines = priced(rates, service("15", dwelling_units="2"))
    assert cents(lines) == [
        ("service", 0, 2406),
        ("water", 1, 2002),
        ("water", 2, 215),
        ("levy", 0, 241),
        ("dwellings", 0, 666),
        ("fund", 0, 38),  # 1 % of (24.06 + 30.03 + 3.2275) x 20/30 = 0.3821, of the old days
        ("water", 1, 1250),
        ("fund", 0, 21),  # 1 % of (24.06 + 37.50) x 10/30 = 0.2052
    ]
    assert lines["basis"].iloc[0] == '24.06 for meter_size 5/8"'
    fixed = lines[lines["charge"].isin(["service", "levy", "dwellings"])]
    assert list(fixed["segment_days"]) == [30, 30, 30]


def test_a_fixed_charge_lasts_over_the_parts_it_did_not_change_in() -> None:
    # Water changes on Mar 12 and Mar 22, the service charge on Mar 22 only: 20 of 30 days are one line, then 10.
    # 24.06 x 20/30 = 16.04; 30.00 x 10/30 = 10.00. The key of the second fee names a stage that changes on Mar 12:
    # 3.00 x 10/30 = 1.00, 6.00 x 20/30 = 4.00.
    twelfth, twenty_second = dt.date(2026, 3, 12), dt.date(2026, 3, 22)
    rates = [
        rate(component="service", kind="fixed", rate="24.06"),
        rate(component="service", kind="fixed", rate="30.00", effective_from=twenty_second),
        *(rate(component="water", kind="flat", rate=each, position=2, effective_from=day)
          for each, day in (("3", dt.date(2026, 1, 1)), ("4", twelfth), ("5", twenty_second))),
        rate(component="stage", kind="lookup", rate="0"),
        rate(component="stage", kind="lookup", rate="2", effective_from=twelfth),
        rate(component="fee", kind="fixed", keys="stage=0", rate="3.00", position=3),
        rate(component="fee", kind="fixed", keys="stage=2", rate="6.00", position=3),
    ]  # fmt: skip
    lines = priced(rates, service("0"))
    mine = lines[lines["charge"].isin(["service", "fee"])]
    assert list(zip(mine["charge"], mine["amount_cents"], mine["segment_days"], strict=True)) == [
        ("service", 1604, 20),
        ("fee", 100, 10),
        ("fee", 400, 20),
        ("service", 1000, 10),
    ]
    assert mine["basis"].iloc[0] == "24.06 x 20 of 30 days"


@pytest.mark.parametrize(("by", "expected"), [("read_date", 3000), ("bill_date", 2406)])
def test_a_resolution_may_switch_whole_bills(by: str, expected: int) -> None:
    # The read of Mar 31 is after Mar 22; the bill is dated Mar 21, before it.
    rates = [*SIMPLE, rate(component="service", kind="fixed", keys='meter_size=5/8"', rate="30.00",
                           effective_from=dt.date(2026, 3, 22), applies_by=by)]  # fmt: skip
    lines = priced(rates, service("0", bill_date=dt.date(2026, 3, 21)))
    assert cents(lines)[0] == ("service", 0, expected)


def test_a_first_bill_is_charged_its_days() -> None:
    # 10 days of a 30-day bill: service 24.06 x 10/30 = 8.02; tier 1 holds 14/3 units of the 6 used:
    # 14/3 x 2.1450 = 10.01; (6 - 14/3) x 3.2275 = 4.3033.. -> 4.30
    lines = priced(SIMPLE, service("6", days=10, nominal_days=30))
    assert cents(lines) == [("service", 0, 802), ("water", 1, 1001), ("water", 2, 430)]


def test_percentages_are_of_unrounded_charges() -> None:
    # service 24.06 + 14 x 2.1450 + 26 x 3.2275 + 2.5 x 8.8515 = 160.13375; 1.5% = 2.40200625 -> 2.40.
    tax = rate(component="tax", kind="percentage", rate="1.5", expression="service + water", position=3)
    lines = priced([*SIMPLE, tax], service("42.5"))
    assert cents(lines)[-1] == ("tax", 0, 240)
    assert list(lines["basis"])[-1] == "1.5% of 160.13375"


def test_a_minimum_bill_and_a_cap_print_only_where_they_bite() -> None:
    least = rate(component="minimum bill", kind="minimum", rate="40", position=3)
    most = rate(component="cap", kind="cap", rate="100", expression="water", position=4)
    # 24.06 + 1 x 2.145 = 26.205 -> 13.795 -> 13.80 is missing to 40; water of 30.03 + 83.915 = 113.945 is 13.945 too much.
    assert cents(priced([*SIMPLE, least, most], service("1")))[-1] == ("minimum bill", 0, 1380)
    assert cents(priced([*SIMPLE, least, most], service("40")))[-1] == ("cap", 0, -1395)
    assert len(priced([*SIMPLE, least, most], service("20"))) == 3


def test_budget_tiers_follow_the_budget() -> None:
    # indoor 55 x 3 x 31 / 748 = 6.838 -> 7; outdoor 12.4; budget 7 + 12 = 19; 150% = 28.5 -> 28 (half to even).
    rates = [
        rate(component="water", kind="budget", tier=1, cap="indoor", rate="1"),
        rate(component="water", kind="budget", tier=2, cap="100%", rate="2"),
        rate(component="water", kind="budget", tier=3, cap="150%", rate="3"),
        rate(component="water", kind="budget", tier=4, rate="4"),
        rate(component="indoor", kind="lookup", expression="55*people*service_days/748"),
        rate(component="outdoor", kind="lookup", rate="12.4"),
        rate(component="budget", kind="lookup", expression="round(indoor) + round(outdoor)"),
    ]
    lines = priced(rates, service("30", days=31, people="3"))
    assert [quantity // 1_000_000 for quantity in lines["quantity"]] == [7, 12, 9, 2]


# ---- refusals ---------------------------------------------------------------------------------------------------


def test_an_unknown_key_lists_the_keys_there_are() -> None:
    problem = refusal(SIMPLE, service(meter_size='9"'))
    assert (problem.code, problem.place.column) == ("unknown_key", "meter_size")
    assert '5/8"' in problem.fact


@pytest.mark.parametrize(
    ("given", "code", "column"),
    [
        ({"consumption": Fraction(-1)}, "negative_consumption", "consumption"),
        ({"meter_size": ""}, "missing_input", "meter_size"),
        ({"tariff": "W9"}, "unknown_schedule", "tariff"),
        ({"customer_class": "XX"}, "unknown_schedule", "customer_class"),
        ({"service_from": dt.date(2025, 12, 1)}, "no_rate_in_force", "tariff"),
        ({"days": 0}, "bad_service_period", "service_to"),
    ],
)
def test_one_bad_row_never_stops_the_rest(given: dict[str, Any], code: str, column: str) -> None:
    problem = refusal(SIMPLE, service() | given)
    assert (problem.code, problem.place.column) == (code, column)


def test_a_number_that_cannot_be_read_is_refused_by_name() -> None:
    rates = [rate(component="units", kind="per_unit", expression="dwelling_units", rate="3")]
    problem = refusal(rates, service(dwelling_units="two"))
    assert (problem.code, problem.place.column) == ("bad_number", "dwelling_units")


def test_a_division_by_zero_is_refused() -> None:
    rates = [rate(component="x", kind="formula", expression="10/(dwelling_units - 2)")]
    assert refusal(rates, service(dwelling_units="2")).code == "no_arithmetic"


def test_an_input_never_stands_in_for_a_component() -> None:
    problem = refusal([*SIMPLE, rate(component="season", kind="lookup", rate="2")], service(season="3"))
    assert (problem.code, problem.place.column) == ("input_shadows_field", "season")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ({"kind": "tierd"}, "rate_row"),
        ({"rate": "1,5"}, "rate_row"),
        ({"rate": ""}, None),
        ({"kind": "formula", "rate": "", "expression": "2*("}, "rate_row"),
        ({"kind": "formula", "rate": "", "expression": "other", "component": "other"}, "rate_names"),
        ({"applies_by": "when ready"}, "rate_row"),
        ({"effective_from": "soon"}, "rate_row"),
        ({"component": "service", "keys": 'meter_size=5/8"'}, "rate_duplicate"),
    ],
)
def test_a_bad_rate_row_refuses_its_schedule_and_no_other(row: dict[str, Any], code: str | None) -> None:
    other = [each | {"customer_class": "MFR"} for each in SIMPLE]
    odd = rate(component="odd", kind="fixed", rate="1") | row
    book, problems = rate_book(table([*SIMPLE, odd, *other]))
    assert [problem.code for problem in problems] == ([code] if code else [])
    result = price(book, usage([service(), service(customer_class="MFR")]))
    assert set(result.lines["row"]) == {1}
    assert [problem.code for problem in result.problems] == ["schedule_unusable" if code else "no_rate_in_force"]


@pytest.mark.parametrize(
    ("water_ends", "water_starts", "until", "fact"),
    [
        # The old price ends on Mar 11, the new one starts on Mar 13: Mar 12 has none.
        (dt.date(2026, 3, 11), dt.date(2026, 3, 13), 30, "water of W1 SFR has no price on 2026-03-12"),
        (dt.date(2026, 3, 11), dt.date(2026, 3, 13), 10, ""),  # up to Mar 11
        (dt.date(2026, 3, 11), dt.date(2026, 3, 12), 30, ""),
        (dt.date(2026, 3, 11), None, 30, ""),  # it ended for good
        (dt.date(2026, 2, 11), dt.date(2026, 4, 13), 30, "water of W1 SFR has no price on 2026-03-02"),
    ],
)
def test_a_day_without_a_price_for_one_component_is_refused(
    water_ends: dt.date, water_starts: dt.date | None, until: int, fact: str
) -> None:
    water = rate(component="water", kind="flat", rate="2", position=2, effective_to=water_ends)
    rates = [rate(component="service", kind="fixed", rate="20"), water]
    if water_starts:
        rates.append(water | {"rate": "4", "effective_from": water_starts, "effective_to": None})
    book, _ = rate_book(table(rates))
    problems = price(book, usage([service(days=until)])).problems
    assert [(each.code, each.fact) for each in problems] == ([("no_rate_in_force", fact)] if fact else [])


def test_a_gap_that_the_read_date_decides_over_is_none() -> None:
    # The whole bill goes to the new price by the day of its read: no day of it is billed at the old one.
    water = rate(component="water", kind="flat", rate="2", position=2, effective_to=dt.date(2026, 3, 11))
    new = {"rate": "4", "effective_from": dt.date(2026, 3, 13), "effective_to": None, "applies_by": "read_date"}
    assert cents(priced([water, water | new], service("10"))) == [("water", 0, 4000)]


def test_fewer_tiers_hold_the_bills_that_reach_them_and_no_others() -> None:
    # From Mar 22 class 1" has one tier of two: its bills with days from then on are refused, all others are billed.
    small, large = 'meter_size=5/8"', 'meter_size=1"'
    both = (("0", "2"), ("11", "3"))
    rates = [
        *(each for size in (small, large) for each in tiers("water", *both, keys=size)),
        *tiers("water", *both, keys=small, effective_from=dt.date(2026, 3, 22)),
        *tiers("water", both[0], keys=large, effective_from=dt.date(2026, 3, 22)),
    ]
    book, _ = rate_book(table(rates))
    services = [service(meter_size=size, days=days) for days in (20, 30) for size in ('5/8"', '1"')]
    result = price(book, usage(services))
    assert [(row, each.code) for row, each in result.refused.items()] == [(3, "rates_tier_gone")]
    assert "has no tier 2" in result.problems[0].fact


# ---- properties -------------------------------------------------------------------------------------------------


def expected(rates: list[dict[str, Any]], one: dict[str, Any]) -> list[tuple[int, str, int, int]]:
    """The oracle's lines in cents; lines of zero that are never printed left out."""
    return [
        (segment, charge, tier, to_cents(amount))
        for segment, charge, tier, amount in bill_lines(rates, one)
        if to_cents(amount)
    ]


def printed(lines: pd.DataFrame, row: int) -> list[tuple[int, str, int, int]]:
    mine = lines[lines["row"] == row]
    columns = (mine[name].tolist() for name in ("segment", "charge", "tier", "amount_cents"))
    return [line for line in zip(*columns, strict=True) if line[3]]


@given(schedules(), st.lists(SERVICES, min_size=1, max_size=8))
def test_zero_cents_apart_from_the_oracle(rates: list[dict[str, Any]], services: list[dict[str, Any]]) -> None:
    lines = priced(rates, *services)
    for row, one in enumerate(services):
        assert printed(lines, row) == expected(rates, one)


@given(schedules(), schedules(), st.lists(SERVICES, min_size=1, max_size=6), st.integers(0, 6))
def test_many_rows_at_once_equal_each_alone(
    first: list[dict[str, Any]], second: list[dict[str, Any]], services: list[dict[str, Any]], cut: int
) -> None:
    rates = [*first, *(each | {"customer_class": "MFR"} for each in second)]
    mixed = [each | {"customer_class": ("SFR", "MFR")[row % 2]} for row, each in enumerate(services)]
    together = priced(rates, *mixed)
    for row, one in enumerate(mixed):
        alone = priced(rates, one)
        assert printed(together, row) == printed(alone, 0)
        mine = together[together["row"] == row].astype({"basis": object}).reset_index(drop=True)
        assert list(mine["basis"]) == list(alone["basis"])
    parts = [part for part in (mixed[:cut], mixed[cut:]) if part]
    joined = [line for part in parts for row in range(len(part)) for line in printed(priced(rates, *part), row)]
    assert joined == [line for row in range(len(mixed)) for line in printed(together, row)]


@given(schedules(), SERVICES)
def test_tier_quantities_sum_to_consumption_and_the_bill_to_its_lines(
    rates: list[dict[str, Any]], one: dict[str, Any]
) -> None:
    lines = priced(rates, one, unrounded=True)
    tiered = lines[lines["kind"] == "tiered"]
    # Each printed quantity is rounded to a millionth of a unit, so n lines are at most n/2 millionths off.
    assert abs(int(tiered["quantity"].sum()) - one["consumption"] * 1_000_000) <= Fraction(len(tiered), 2)
    exact = sum(lines["unrounded"], Fraction(0))
    assert exact == sum((amount for *_, amount in bill_lines(rates, one)), Fraction(0))
    assert abs(int(lines["amount_cents"].sum()) - exact * 100) <= Fraction(len(lines), 2)


@given(schedules(), SERVICES, st.integers(1, 30_000))
def test_more_consumption_never_costs_less(rates: list[dict[str, Any]], one: dict[str, Any], more: int) -> None:
    larger = one | {"consumption": one["consumption"] + Fraction(more, 1000)}
    lines = priced([each for each in rates if each["kind"] != "minimum"], one, larger, unrounded=True)
    totals = [sum(lines.loc[lines["row"] == row, "unrounded"], Fraction(0)) for row in (0, 1)]
    assert totals[0] <= totals[1]


SEASONAL = [
    rate(component="season", kind="season", keys="season=summer", expression="05-01"),
    rate(component="season", kind="season", keys="season=winter", expression="11-01"),
    rate(component="water", kind="flat", keys="season=summer", rate="3"),
    rate(component="water", kind="flat", keys="season=winter", rate="2"),
]


@pytest.mark.parametrize(
    ("code", "column", "changed"),
    [
        ("rate_row", "expression", {"expression": "02-29"}),
        ("rate_row", "expression", {"expression": "May 1"}),
        ("rate_row", "keys", {"keys": "summer"}),
        ("rate_row", "keys", {"keys": "time=summer"}),
        ("rate_duplicate", "keys", {"expression": "11-01"}),
        ("rate_duplicate", "keys", {"keys": "season=winter"}),
    ],
)
def test_a_season_that_cannot_be_told_is_refused(code: str, column: str, changed: dict[str, str]) -> None:
    _, (problem,) = rate_book(table([SEASONAL[0] | changed, *SEASONAL[1:]]))
    assert (problem.code, problem.place.column) == (code, column)


def test_no_formula_reckons_with_a_season() -> None:
    for wrong in (
        rate(component="fee", kind="formula", keys="season=summer", expression="season*2"),
        rate(component="fee", kind="fixed", keys="season>=1", rate="2"),
        rate(component="fee", kind="percentage", expression="season + water", rate="2"),
    ):
        _, (problem,) = rate_book(table([*SEASONAL, wrong]))
        assert problem.code == "rate_names"
        assert "is a word" in problem.fact


def test_a_season_without_a_price_is_refused_only_where_it_is_billed() -> None:
    rates = SEASONAL[:3]
    assert cents(priced(rates, service(service_from=dt.date(2026, 6, 1)))) == [("water", 0, 3000)]
    book, _ = rate_book(table(rates))
    result = price(book, usage([service(service_from=dt.date(2026, 4, 20))]))
    (problem,) = result.problems
    assert problem.code == "unknown_key"
    assert "'winter'; there are summer" in problem.fact


def test_many_years_of_seasons_in_one_period() -> None:
    lines = priced(SEASONAL, service("100", days=800, service_from=dt.date(2026, 4, 20)))
    # Apr 21-30 winter; then summers of 184 days and winters of 181 (182 with a Feb 29), the last summer up to Jun 28, 2028.
    assert list(lines["segment_days"]) == [10, 184, 181, 184, 182, 59]
    assert list(lines["rate"]) == ["2.00", "3.00", "2.00", "3.00", "2.00", "3.00"]


@pytest.mark.parametrize(
    ("typed", "written"),
    [("31.4", "31.40"), ("5", "5.00"), ("2.", "2.00"), ("-1.5", "-1.50"), ("2.145", "2.145"), ("0.0412", "0.0412"), ("", ""), ("budget", "budget")],
)  # fmt: skip
def test_a_rate_in_words_has_its_cents(typed: str, written: str) -> None:
    """A cell that shows 31.40 holds 31.4; the resolution says 31.40, and so do bill, print file and Explain bill."""
    assert as_written(typed) == written
