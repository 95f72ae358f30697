"""Checks of services: consumption per day against last year, the recent average and the class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.reads.findings import find, quantity
from xlbilling.reads.register_checks import Bench
from xlbilling.reads.units import same

Numbers = npt.NDArray[np.float64]


def of_services(measured: pd.DataFrame, bench: Bench) -> list[pd.DataFrame]:
    """High, low, spike, zero, a first read out of line, and estimates in a row; `measured` as settle gives it."""
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
        above = _beside(last_year, average, lambda r: used >= r * ratio["high"])
        below = _beside(last_year, average, lambda r: used < r * ratio["low"])
        first = usable & np.isnan(reference) & (used >= median * ratio["first_read_high"]) & (used >= 10 * least)
        zero = known & (used == 0) & (reference > 0) & ~measured["stuck"].to_numpy(dtype=bool)
    in_row = measured["in_row"].to_numpy(dtype=np.int64)
    again = same(measured["read_code"], "estimated") & (in_row >= rules.thresholds("estimates_in_row", measured))
    return [
        find("spike", rules, measured, spike, "consumption", _against),
        find("first_read_high", rules, measured, first, "consumption", _class),
        find("high", rules, measured, differs & above & ~spike, "consumption", _against),
        find("low", rules, measured, differs & below & (used > 0), "consumption", _against),
        find("zero", rules, measured, zero, "consumption", _against),
        find("estimates_in_row", rules, measured, again, "read_code", _in_row),
    ]


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


def _in_row(r: Any) -> str:
    return f"this would be estimated bill number {r.in_row + 1} in a row"
