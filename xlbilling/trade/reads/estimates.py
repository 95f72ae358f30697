"""Estimates: what a service would have used, by the methods the district chose, each with its evidence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from xlbilling.trade.reads.findings import quantity
from xlbilling.trade.reads.history import NO_DAY, History, Sums, day_numbers
from xlbilling.trade.reads.units import MILLION
from xlbilling.words.money import round_half_up

LEAST_SERVICES: Final = 5  # that a class needs before its median says anything
Profile: TypeAlias = dict[tuple[str, str], tuple[float, int]]


@dataclass(frozen=True, slots=True)
class Estimate:
    """An estimated consumption in millionths of the billing unit, and how it was come by; None where it cannot be."""

    consumption: int | None
    evidence: str


def estimate(
    services: pd.DataFrame, everyone: pd.DataFrame, past: History, methods: tuple[str, ...], unit: str
) -> dict[str, Estimate]:
    """Estimate each of `services`: the first of the methods that has something to go by.

    `services` and `everyone` (the run's services, whose usable ones make the class profile) have service_id, position,
    customer_class, meter_size, service_to, days, measured, usable. Methods: prior_year (same period of last year),
    average (bills of the last year) and class (median a day of the class and meter size, or of the class alone, where at
    least five services are read), each per day times the days.
    """
    until = np.full(past.count, NO_DAY)
    until[services["position"].to_numpy(dtype=np.int64)] = day_numbers(services["service_to"])
    ways: dict[str, Callable[[Any], Estimate | None]] = {}
    for method in methods:
        if method == "class":
            ways[method] = _by_class(_profile(everyone), unit)
        else:
            sums = past.last_year(until) if method == "prior_year" else past.recent(until)
            ways[method] = _by_history(method, sums, unit)
    return {str(row.service_id): _first(ways, row) for row in services.itertuples(index=False)}


def _first(ways: dict[str, Callable[[Any], Estimate | None]], row: Any) -> Estimate:
    for way in ways.values():
        found = way(row)
        if found is not None:
            return found
    return Estimate(None, f"the service has nothing to estimate from by {', '.join(ways) or 'no method'}")


def _by_history(method: str, sums: Sums, unit: str) -> Callable[[Any], Estimate | None]:
    def way(row: Any) -> Estimate | None:
        lasted = int(sums.days[row.position])
        if not lasted:
            return None
        used = int(sums.used[row.position])
        expected = round_half_up(Fraction(used * int(row.days), lasted))
        last = np.datetime64(int(sums.until[row.position]), "D")
        before = f"{quantity(used)} {unit} in {lasted} days to {last}"
        return Estimate(expected, f"{method}: {before}, {quantity(expected)} for {row.days} days")

    return way


def _by_class(profile: Profile, unit: str) -> Callable[[Any], Estimate | None]:
    def way(row: Any) -> Estimate | None:
        size = str(row.meter_size)
        for key, words in (
            ((row.customer_class, size), f"{row.customer_class} {size}".strip()),
            ((row.customer_class, ""), str(row.customer_class)),
        ):
            if key in profile:
                per_day, count = profile[key]
                expected = round(per_day * int(row.days))
                median = f"{quantity(per_day)} {unit} a day, the median of {count} services {words}"
                return Estimate(expected, f"class: {median}, {quantity(expected)} for {row.days} days")
        return None

    return way


def _profile(services: pd.DataFrame) -> Profile:
    """Median consumption a day and number of services, by class and size and by class alone (size blank)."""
    usable = services.loc[services["usable"] & services["read_code"].ne("estimated")]
    per_day = usable["measured"] / usable["days"]
    made: Profile = {}
    for keys in (["customer_class"], ["customer_class", "meter_size"]):
        found = per_day.groupby([usable[name] for name in keys]).agg(["median", "size"])
        for name, (median, count) in zip(found.index, found.to_numpy().tolist(), strict=True):
            named = name if isinstance(name, tuple) else (name, "")
            key = (str(named[0]), str(named[1]) if len(named) > 1 else "")
            if count >= LEAST_SERVICES:
                made[key] = (float(median), int(count))
    return made


def whole_steps(share: int, back: Fraction) -> int:
    """How many whole steps of a dial a quantity is; `back` is dial units a billing unit."""
    return int(share * back) // MILLION
