"""Rate rows and services for the tests, written out and at random."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from xlbilling.trade.tariffs import RATE_COLUMNS

SIZES = ('5/8"', '3/4"', '1"', '1 1/2"')


def rate(**given: Any) -> dict[str, Any]:
    """One row of the Rates table, with what the test does not care about filled in."""
    usual = dict.fromkeys(RATE_COLUMNS, "") | {
        "tariff": "W1", "customer_class": "SFR", "tier": 0, "position": 1, "resolution": "2026-1", "unit": "CCF",
        "effective_from": dt.date(2026, 1, 1), "effective_to": None, "applies_by": "service_days",
        "gl_account": "4000",
    }  # fmt: skip
    return usual | given


def tiers(component: str, *prices: tuple[str, str], **given: Any) -> list[dict[str, Any]]:
    """Tier rows from (first unit, price) pairs."""
    return [
        rate(component=component, kind="tiered", tier=number, from_unit=start, rate=price, **given)
        for number, (start, price) in enumerate(prices, start=1)
    ]


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(RATE_COLUMNS))


def service(consumption: str | Fraction = "10", days: int = 30, **given: Any) -> dict[str, Any]:
    usual = {
        "key": "S1", "tariff": "W1", "customer_class": "SFR", "meter_size": '5/8"', "dwelling_units": "1",
        "consumption": Fraction(consumption), "service_from": dt.date(2026, 3, 1), "days": days, "nominal_days": 0,
        "bill_date": dt.date(2026, 4, 2),
    }  # fmt: skip
    return usual | given


def usage(services: list[dict[str, Any]]) -> pd.DataFrame:
    """Services as the frame `price` takes."""
    frame = pd.DataFrame(services).drop(columns=["days"])
    frame["consumption"] = np.array([int(each["consumption"] * 1_000_000) for each in services], dtype=np.int64)
    until = [each["service_from"] + dt.timedelta(each["days"]) for each in services]
    for name, dates in (
        ("service_from", frame["service_from"]),
        ("service_to", until),
        ("bill_date", frame["bill_date"]),
    ):
        frame[name] = pd.to_datetime(pd.Series(dates)).astype("datetime64[s]")
    return frame


PRICES = st.integers(0, 99_999).map(lambda ten_thousandths: f"{ten_thousandths / 10_000:.4f}")
AMOUNTS = st.integers(0, 20_000).map(lambda cents: f"{cents / 100:.2f}")


@st.composite
def tier_rows(draw: st.DrawFn, start: dt.date, applies_by: str, least: int = 1) -> list[dict[str, Any]]:
    """At least so many tiers: fewer than the version before had would be an error."""
    widths = draw(st.lists(st.integers(0, 30), min_size=least - 1, max_size=4))
    starts = [0]
    for width in widths:
        starts.append(starts[-1] + width)
    by_cap = draw(st.booleans())
    rows = []
    for number, first in enumerate(starts, start=1):
        last = str(starts[number]) if by_cap and number < len(starts) else ""
        rows.append(
            rate(
                component="water",
                kind="tiered",
                tier=number,
                from_unit="" if by_cap else str(first),
                cap=last,
                rate=draw(PRICES),
                position=2,
                effective_from=start,
                applies_by=applies_by,
            )
        )
    return rows


@st.composite
def season_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A wet and a dry season, beginning on any two days of the months the services fall in."""
    first, other = draw(st.lists(st.integers(0, 150), min_size=2, max_size=2, unique=True))
    by = draw(st.sampled_from(["service_days", "service_days", "read_date", "bill_date"]))
    same = {"component": "season", "kind": "season", "applies_by": by, "position": 9}
    return [
        rate(keys=f"season={name}", expression=f"{dt.date(2026, 1, 15) + dt.timedelta(day):%m-%d}", **same)
        for name, day in (("wet", first), ("dry", other))
    ]


@st.composite
def schedules(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A rate schedule with one to three versions: some charges change, some stay, none has fewer tiers than before."""
    rows: list[dict[str, Any]] = []
    days = sorted(draw(st.lists(st.integers(0, 60), min_size=0, max_size=2, unique=True)))
    rows += draw(season_rows())
    starts = [dt.date(2026, 1, 1), *(dt.date(2026, 2, 20) + dt.timedelta(day) for day in days)]
    for place, start in enumerate(starts):
        by = "service_days" if place == 0 else draw(st.sampled_from(["service_days", "read_date", "bill_date"]))
        same = {"effective_from": start, "applies_by": by}
        others = place == 0 or draw(st.booleans())
        if place == 0 or not others or draw(st.booleans()):
            for size in SIZES:
                rows.append(
                    rate(component="service", kind="fixed", keys=f"meter_size={size}", rate=draw(AMOUNTS), **same)
                )
        if place == 0 or draw(st.booleans()):
            rows.append(rate(component="levy", kind="percentage", expression="service", rate=draw(PRICES), position=10, **same))  # fmt: skip
        if place == 0 or draw(st.booleans()):
            for season in ("wet", "dry"):
                rows.append(rate(component="pump lease", kind="fixed", keys=f"season={season}", rate=draw(AMOUNTS), position=11, **same))  # fmt: skip
        if others:
            rows += draw(tier_rows(start, by, max((row["tier"] for row in rows), default=0) or 1))
            for season in ("wet", "dry"):
                rows.append(
                    rate(
                        component="pumping", kind="flat", keys=f"season={season}", rate=draw(PRICES), position=3, **same
                    )
                )
            rows.append(
                rate(
                    component="units",
                    kind="per_unit",
                    expression="dwelling_units",
                    rate=draw(AMOUNTS),
                    position=4,
                    **same,
                )
            )
            rows.append(
                rate(
                    component="high",
                    kind="per_unit",
                    expression="consumption_high",
                    rate=draw(PRICES),
                    position=8,
                    **same,
                )
            )
            rows.append(rate(component="tax", kind="percentage", rate=draw(PRICES), position=5, **same))
            formula = "((max(consumption*1.25 - dwelling_units/7, 3))^2) / 10"
            rows.append(rate(component="fund", kind="formula", expression=formula, position=6, **same))
            rows.append(
                rate(
                    component="least",
                    kind="minimum",
                    expression="service + water",
                    rate=draw(AMOUNTS),
                    position=7,
                    **same,
                )
            )
    return rows


SERVICES = st.builds(
    service,
    consumption=st.integers(0, 80_000).map(lambda thousandths: Fraction(thousandths, 1000)),
    days=st.integers(1, 70),
    meter_size=st.sampled_from(SIZES),
    dwelling_units=st.integers(1, 20).map(str),
    consumption_high=st.integers(0, 80_000).map(lambda thousandths: f"{thousandths / 1000:.3f}"),
    service_from=st.integers(0, 60).map(lambda day: dt.date(2026, 1, 31) + dt.timedelta(day)),
    bill_date=st.integers(0, 90).map(lambda day: dt.date(2026, 2, 20) + dt.timedelta(day)),
    nominal_days=st.sampled_from([0, 0, 30, 61]),
)
