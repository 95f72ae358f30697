"""Interval quantities: what the hours of an AMI file say of each meter, where the quantities are no dial reads.

Water that never stops running, hour after hour, is what a leak looks like; this sums the hours up for that check.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.units import millionths

Whole = npt.NDArray[np.int64]
COLUMNS: Final = (
    "meter_id", "register_id", "unit", "first_hour", "last_hour", "hours", "missing", "running_hours", "least", "total",
)  # fmt: skip
_HOUR: Final = "datetime64[h]"


def summarised(intervals: pd.DataFrame) -> pd.DataFrame:
    """One row for each meter, register and unit, in the order of the file.

    `intervals`: meter_id, register_id, read_date (YYYY-MM-DD), read_time (HH:MM), read_value (decimal text; blank where
    there was no read) and unit. Several quantities of one hour are summed; so is the hour that November repeats.

    Columns COLUMNS: first_hour and last_hour that have a quantity ("YYYY-MM-DD HH:00"), hours with one, missing hours
    between them, running_hours (the longest run of hours without a gap in each of which water ran, the latest of several
    as long), least (the least quantity of an hour of that run) and total. Quantities in millionths of `unit`; a meter
    without a single quantity has blank hours and zeros.
    """
    key, first = _keys(intervals)
    filled = intervals["read_value"].ne("").to_numpy() & intervals["read_date"].ne("").to_numpy()
    hour, flow = _hours(intervals.loc[filled]), _flows(intervals.loc[filled, "read_value"])
    made = intervals.iloc[first][["meter_id", "register_id", "unit"]].reset_index(drop=True)
    meter, hour, flow = _by_hour(key[filled], hour, flow)
    size = len(made)
    text = {name: np.full(size, "", dtype=object) for name in ("first_hour", "last_hour")}
    whole = {name: np.zeros(size, dtype=np.int64) for name in COLUMNS[5:]}
    if len(meter):
        starts = np.flatnonzero(np.diff(meter, prepend=-1))
        at, ends = meter[starts], np.append(starts[1:], len(meter)) - 1
        step = _steps(hour)
        text["first_hour"][at], text["last_hour"][at] = _text(hour[starts]), _text(hour[ends])
        whole["hours"][at] = ends - starts + 1
        whole["missing"][at] = step[ends] - step[starts] - (ends - starts)
        whole["total"][at] = np.add.reduceat(flow, starts)
        ran, length, least = _longest_runs(meter, step, flow)
        whole["running_hours"][ran], whole["least"][ran] = length, least
    return made.assign(**{name: pd.array(cells, dtype="str") for name, cells in text.items()}, **whole)


def _keys(intervals: pd.DataFrame) -> tuple[Whole, Whole]:
    """A number for each meter, register and unit, in the order they come, and the position each comes first."""
    groups = intervals.groupby(["meter_id", "register_id", "unit"], sort=False)
    numbers: Whole = np.asarray(groups.ngroup(), dtype=np.int64)
    return numbers, np.unique(numbers, return_index=True)[1].astype(np.int64)


def _hours(intervals: pd.DataFrame) -> npt.NDArray[np.datetime64]:
    """The hour each quantity belongs to, told once for each spelling of date and time."""
    text = intervals["read_date"] + " " + intervals["read_time"].where(intervals["read_time"].ne(""), "00:00")
    codes, known = pd.factorize(text)
    return np.array(list(known), dtype="datetime64[m]").astype(_HOUR)[codes]


def _flows(values: pd.Series[str]) -> Whole:
    """Decimal text as millionths, told once for each spelling; what is finer than a millionth is cut."""
    codes, known = pd.factorize(values)
    told = [-millionths(text[1:]) if text.startswith("-") else millionths(text) for text in known]
    return np.array(told, dtype=np.int64)[codes]


def _by_hour(
    meter: Whole, hour: npt.NDArray[np.datetime64], flow: Whole
) -> tuple[Whole, npt.NDArray[np.datetime64], Whole]:
    """The quantities summed to one for each meter and hour, sorted by both."""
    order = np.lexsort((hour, meter))
    meter, hour, flow = meter[order], hour[order], flow[order]
    if not len(meter):
        return meter, hour, flow
    new = np.flatnonzero((np.diff(meter, prepend=-1) != 0) | (np.diff(hour.astype(np.int64), prepend=-1) != 0))
    return meter[new], hour[new], np.add.reduceat(flow, new)


def _steps(hour: npt.NDArray[np.datetime64]) -> Whole:
    """The hours as whole numbers one apart; the hour that March skips is none, where the file has no row of it at all."""
    skipped = _skipped_hours(hour)
    skipped = skipped[~np.isin(skipped, hour)]
    made: Whole = hour.astype(np.int64) - np.searchsorted(skipped, hour)
    return made


def _skipped_hours(hour: npt.NDArray[np.datetime64]) -> npt.NDArray[np.datetime64]:
    """02:00 of the second Sunday of March, of each year that the hours lie in."""
    years = np.arange(hour.min().astype("datetime64[Y]"), hour.max().astype("datetime64[Y]") + 1)
    sundays = np.busday_offset(years.astype("datetime64[M]") + 2, 1, roll="forward", weekmask="Sun")
    return sundays.astype(_HOUR) + 2


def _longest_runs(meter: Whole, step: Whole, flow: Whole) -> tuple[Whole, Whole, Whole]:
    """Meters that have hours with water, the length of the longest run of such hours, and its least quantity."""
    wet = np.flatnonzero(flow > 0)
    if not len(wet):
        return wet, wet, wet
    meter, step, flow = meter[wet], step[wet], flow[wet]
    new = np.flatnonzero((np.diff(meter, prepend=-1) != 0) | (np.diff(step, prepend=step[0]) != 1))
    length = np.diff(np.append(new, len(meter)))
    least, of_meter = np.minimum.reduceat(flow, new), meter[new]
    order = np.lexsort((np.arange(len(new)), length, of_meter))
    last = np.flatnonzero(np.diff(of_meter[order], append=-1))
    best = order[last]
    return of_meter[best], length[best], least[best]


def _text(hours: npt.NDArray[np.datetime64]) -> list[str]:
    return [text.replace("T", " ") for text in np.datetime_as_string(hours, unit="m").tolist()]
