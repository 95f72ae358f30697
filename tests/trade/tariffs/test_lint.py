"""What lint says of rates that could be priced but look wrong, and what it does not say of sound ones."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import pytest

from xlbilling.trade.tariffs.lint import lint_owrs, lint_rates, meter_size
from xlbilling.trade.tariffs.owrs import owrs_rates
from xlbilling.trade.tariffs.owrs_read import read_owrs

from .schedules import rate, table, tiers


def codes(rows: list[dict[str, Any]]) -> list[str]:
    return [problem.code for problem in lint_rates(table(rows))]


SOUND = [
    *(rate(component="service", kind="fixed", keys=f"meter_size={size}", rate=amount)
      for size, amount in (('5/8"', "20"), ('1"', "30"), ('1 1/2"', "55"))),
    *tiers("water", ("0", "2.1"), ("16", "3.2"), ("41", "8.8"), position=2),
]  # fmt: skip


SEASONS = [
    rate(component="season", kind="season", keys="season=summer", expression="05-01"),
    rate(component="season", kind="season", keys="season=winter", expression="11-01"),
    rate(component="power", kind="flat", keys="season=summer", rate="0.2"),
    rate(component="power", kind="flat", keys="season=winter", rate="0.1"),
]


def test_sound_rates_are_not_complained_of() -> None:
    assert codes(SOUND) == []
    assert codes([*SOUND, *SEASONS]) == []


def test_a_schedule_that_ends_with_nothing_after_it_is_told() -> None:
    assert set(codes([rate(component="fee", kind="fixed", rate="1", effective_to=dt.date(2026, 3, 1))])) == {
        "rates_ended"
    }


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("rates_gap", [rate(component="fee", kind="fixed", rate="1", effective_to=dt.date(2026, 3, 1)),
                       rate(component="fee", kind="fixed", rate="2", effective_from=dt.date(2026, 3, 3))]),
        ("rates_overlap", [rate(component="fee", kind="fixed", rate="1", effective_to=dt.date(2026, 3, 3)),
                           rate(component="fee", kind="fixed", rate="2", effective_from=dt.date(2026, 3, 3))]),
        ("rates_tier_order", tiers("extra", ("0", "1"), ("11", "2"), ("9", "3"))),
        ("rates_missing_key", [rate(component="fee", kind="fixed", keys='meter_size=5/8"', rate="1")]),
        ("rates_falls_with_size", [rate(component="fee", kind="fixed", keys=f"meter_size={size}", rate=amount)
                                   for size, amount in (('5/8"', "2"), ('1"', "3"), ('1 1/2"', "2.9"))]),
        ("rates_unbilled", [rate(component="idle", kind="lookup", rate="3")]),
        ("rates_last_unit", tiers("extra", ("0", "1"), ("15", "2"), ("40", "3"))),
        ("rates_unit", tiers("extra", ("0", "0.004"), ("2001", "0.006"))),
        ("rates_unit", tiers("extra", ("0", "4"), ("8", "6"), unit="GAL")),
        ("rates_hundredfold", tiers("extra", ("0", "2.1"), ("12", "320"))),
        ("rates_hundredfold", [rate(component="fee", kind="fixed", keys=f"zone={zone}", rate=amount)
                               for zone, amount in (("1", "1.10"), ("2", "130"), ("3", "1.50"))]),
        ("rates_season", [*SEASONS, rate(component="fee", kind="fixed", keys="season=summer", rate="1")]),
    ],
)  # fmt: skip
def test_each_oddity_is_told_once(code: str, rows: list[dict[str, Any]]) -> None:
    assert codes([*SOUND, *rows]) == [code]


LATER = dt.date(2026, 10, 15)
OLD_TIERS = tiers("extra", ("0", "2.00"), ("11", "3.00"), ("21", "4.00"), ("41", "5.00"), position=3)
SIZED = [rate(component="fee", kind="fixed", keys=f"meter_size={size}; zone={zone}", rate="5")
         for size in ('5/8"', '1"') for zone in "12"]  # fmt: skip
BY_LOT = [rate(component="lot", kind="lookup", keys=f"area>={start}", rate=each)
          for start, each in (("0", "1"), ("5000", "2"), ("9000", "3"))]  # fmt: skip


def later(row: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return row | {"effective_from": LATER} | changed


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        # One line of four tiers is entered from Oct 15: tiers 2, 3 and 4 would be gone.
        (OLD_TIERS, [later(OLD_TIERS[0], rate="2.75")],
         ("rates_tier_gone", "tier", "the version of 2026-10-15 has no tier 2, 3, 4; that of 2026-01-01 has")),
        # The 1" meters of zone 2 are not in the new version.
        (SIZED, [later(row) for row in SIZED[:3]],
         ("rates_key_gone", "keys", 'the version of 2026-10-15 has no meter_size=1"; zone=2; that of 2026-01-01 has')),
        (SEASONS[:2], [later(SEASONS[0])], ("rates_key_gone", "keys", "has no season=winter")),
        (BY_LOT, [later(row) for row in BY_LOT[:2]], ("rates_key_gone", "keys", "has no area>=9000")),
    ],
)  # fmt: skip
def test_what_a_new_version_lacks_is_an_error(
    old: list[dict[str, Any]], new: list[dict[str, Any]], told: tuple[str, str, str]
) -> None:
    code, column, fact = told
    found = [each for each in lint_rates(table([*old, *new])) if each.severity == "block"]
    assert [(each.code, each.place.column) for each in found] == [(code, column)]
    assert fact in found[0].fact
    assert found[0].place.key == str(len(old) + 1)  # the first line of the new version


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD_TIERS, [later(row) for row in OLD_TIERS]),
        # The board dropped two tiers: the old lines say when they end, all of them or those two.
        ([row | {"effective_to": dt.date(2026, 10, 14)} for row in OLD_TIERS], [later(row) for row in OLD_TIERS[:2]]),
        ([*OLD_TIERS[:2], *(row | {"effective_to": dt.date(2026, 10, 14)} for row in OLD_TIERS[2:])],
         [later(row) for row in OLD_TIERS[:2]]),
        # One price for all sizes and zones covers them all; so does one a zone.
        (SIZED, [later(SIZED[0], keys="")]),
        (SIZED, [later(SIZED[0], keys=f"zone={zone}") for zone in "12"]),
        # No tiers any more: another kind of charge, not a line forgotten.
        (OLD_TIERS, [later(OLD_TIERS[0], kind="flat", tier=0, from_unit="")]),
        (BY_LOT, [later(row) for row in BY_LOT]),
    ],
)  # fmt: skip
def test_what_a_new_version_covers_or_ends_is_no_error(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    assert [each.code for each in lint_rates(table([*old, *new])) if each.severity == "block"] == []


@pytest.mark.parametrize(
    ("text", "inches"),
    [('5/8"', "5/8"), ('1 1/2"', "3/2"), ('1|1/2"', "3/2"), ("2", "2"), ("10 in", "10"), ("Disc", None), ("1 2", None)],
)
def test_meter_sizes(text: str, inches: str | None) -> None:
    assert meter_size(text) == (Fraction(inches) if inches else None)


def test_a_tariff_file_is_told_of_with_lines() -> None:
    source = read_owrs(
        "metadata:\n  effective_date: 2026-01-01\nrate_structure:\n  A:\n    fee: 2\n    drought_fee: 3\n    bill: fee\n"
        "  B:\n    bill: fee + tax\n",
        "f.owrs",
    )
    found = lint_owrs(source, owrs_rates(source))
    assert [(each.code, each.place.line, each.place.key) for each in found] == [
        ("rates_unbilled", 6, "A"),
        ("owrs_not_priceable", 9, "B"),
    ]
