"""Checks of services: consumption per day against last year, the recent average and the class; days; what has ended."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.findings import find, quantity
from xlbilling.trade.reads.register_checks import Bench, cents
from xlbilling.trade.reads.units import same

TENFOLD: Final = 10  # consumption of so many times what it is compared with is a spike whatever came before
PERIOD_SKIPPED: Final = 1.5  # of billing / nominal_days: days from which on a bill was left out
Numbers = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def of_services(measured: pd.DataFrame, bench: Bench) -> list[pd.DataFrame]:
    """Consumption, days, services that ended, and estimates in a row; `measured` as settle gives it."""
    rules = bench.rules
    in_row = measured["in_row"].to_numpy(dtype=np.int64)
    again = same(measured["read_code"], "estimated") & (in_row >= rules.thresholds("estimates_in_row", measured))
    return [
        *of_consumption(measured, bench),
        find("estimates_in_row", rules, measured, again, "read_code", _in_row),
        *_days(measured, bench),
        find("service_ended", rules, *_past_the_end(measured, bench), "read_date", _ended),
    ]


def of_consumption(measured: pd.DataFrame, bench: Bench) -> list[pd.DataFrame]:
    """High, low, spike, zero, and a first read out of line."""
    rules, least = bench.rules, bench.least
    used = measured["measured"].to_numpy(dtype=np.float64)
    last_year, average, reference = (
        measured[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("last_year", "average", "reference")
    )
    median = measured["class_median"].to_numpy(dtype=np.float64)
    usable = measured["usable"].to_numpy(dtype=bool)
    known = usable & ~np.isnan(reference)
    ratio = {name: rules.ratios(name, measured) for name in ("spike", "high", "low", "first_read_high")}
    with np.errstate(invalid="ignore"):
        differs = known & (np.abs(used - reference) >= least)
        spike = _beside(last_year, average, lambda r: used >= r * ratio["spike"])
        spike &= differs & (used >= 10 * least) & rules.checked("spike", measured)
        if spike.any():
            ever = _beside(last_year, average, lambda r: used >= r * TENFOLD)
            spike &= ever | (used >= _largest(measured, spike, bench) * ratio["high"])
        above = _beside(last_year, average, lambda r: used >= r * ratio["high"])
        below = _beside(last_year, average, lambda r: used < r * ratio["low"])
        first = usable & np.isnan(reference) & (used >= median * ratio["first_read_high"]) & (used >= 10 * least)
        zero = known & (used == 0) & (reference > 0) & ~measured["stuck"].to_numpy(dtype=bool)
    return [
        find("spike", rules, measured, spike, "consumption", _against),
        find("first_read_high", rules, measured, first, "consumption", _class),
        find("high", rules, measured, differs & above & ~spike, "consumption", _against),
        find("low", rules, measured, differs & below & (used > 0), "consumption", _against),
        find("zero", rules, measured, zero, "consumption", _against),
    ]


def _largest(measured: pd.DataFrame, asked: Mask, bench: Bench) -> Numbers:
    """What the largest earlier bill of each service asked about comes to in as many days; 0 for all others."""
    at = measured["position"].to_numpy(dtype=np.int64)[asked]
    made = np.zeros(len(measured))
    made[asked] = bench.past.largest_per_day(at) * measured["days"].to_numpy(dtype=np.float64)[asked]
    return made


def _days(measured: pd.DataFrame, bench: Bench) -> list[pd.DataFrame]:
    """Service periods shorter or longer than a bill stands for; so long that a bill was left out, the bill is held.

    A first bill and that of a service that ends are short in the nature of things; of a read outside the window
    outside_window says what there is to say.
    """
    rules, past = bench.rules, bench.past
    low, high = rules.limits("days", measured)
    nominal, days = rules.whole("billing", "nominal_days"), measured["days"].to_numpy(dtype=np.int64)
    billed = np.bincount(past.at, minlength=past.count)[measured["position"].to_numpy(dtype=np.int64)] > 0
    short = (days > 0) & (days < nominal * low) & billed & ~measured["ends_on"].notna().to_numpy(dtype=bool)
    skipped = (days > nominal * high) & (days >= nominal * PERIOD_SKIPPED)
    odd = (short | (days > nominal * high)) & ~skipped
    odd &= ~(measured["outside"].to_numpy(dtype=bool) & rules.checked("outside_window", measured))

    def say(r: Any) -> str:
        return f"{r.days} days from {r.service_from:%Y-%m-%d} to {r.service_to:%Y-%m-%d}, a bill stands for {nominal}"

    return [
        find("days", rules, measured, odd, "read_date", say),
        find("days", rules, measured, skipped, "read_date", say, "block"),
    ]


def _past_the_end(measured: pd.DataFrame, bench: Bench) -> tuple[pd.DataFrame, Mask]:
    """Services that would be billed past the day they ended, or their account did; at risk is what those days used."""
    named = ~same(measured["ended"], "")
    if not named.any():
        return measured, named
    ends, until = measured["ends_on"], measured["service_to"]
    beyond = (until - ends.where(ends.gt(measured["service_from"]), measured["service_from"])).dt.days
    past = named & (ends.isna() | until.gt(ends)).to_numpy(dtype=bool)
    days = np.maximum(measured["days"].to_numpy(dtype=np.float64), 1)
    share = np.minimum(beyond.to_numpy(dtype=np.float64) / days, 1)
    at_risk = cents(np.where(past, measured["measured"].to_numpy(dtype=np.float64) * share * bench.cents_a_unit, 0))
    return measured.assign(at_risk=at_risk), past


def _beside(
    last_year: Numbers, average: Numbers, out: Callable[[Numbers], npt.NDArray[np.bool_]]
) -> npt.NDArray[np.bool_]:
    """True where consumption is out of line with every comparison that there is."""
    without_last, without_average = np.isnan(last_year), np.isnan(average)
    return (out(last_year) | without_last) & (out(average) | without_average) & ~(without_last & without_average)


def _against(r: Any) -> str:
    parts = []
    if r.last_year is not pd.NA:
        parts.append(f"{quantity(r.last_year)} last year")
    if r.average is not pd.NA:
        parts.append(f"{quantity(r.average)} on average")
    return f"{quantity(r.measured)} in {r.days} days, against {' and '.join(parts)} for as many days"


def _class(r: Any) -> str:
    return f"{quantity(r.measured)} in {r.days} days and no history; the class has {quantity(r.class_median)}"


def _ended(r: Any) -> str:
    if r.ends_on is pd.NaT:
        return f"{r.ended}, but not on which day; the read is of {r.service_to:%Y-%m-%d}"
    return f"{r.ended} on {r.ends_on:%Y-%m-%d}, the read is of {r.service_to:%Y-%m-%d}"


def _in_row(r: Any) -> str:
    return f"this would be estimated bill number {r.in_row + 1} in a row"
