"""Bars: a row of numbers drawn in characters, so that a cell shows a course at a glance."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

BARS: Final = np.array(list("▁▂▃▄▅▆▇█"), dtype=object)
NO_BILL: Final = "·"
BILLS: Final = 12


def consumption_bars(periods: pd.DataFrame) -> pd.Series[str]:
    """Consumption per day of each service's last twelve periods and of the run's own, one bar each, oldest first.

    `periods`: one row a service period: service_id, service_from, service_to (datetime64), consumption (number, any
    unit; NaN where nothing was measured), own (bool: the run's own period). Each row of bars is scaled to its own
    largest; nothing used is the lowest bar. A period without a bill, and a run not measured yet, is a middle dot.
    Returns the bars by service_id.
    """
    rows = periods.sort_values(["service_id", "own", "service_to"], kind="stable").reset_index(drop=True)
    codes, services = pd.factorize(rows["service_id"])
    days = np.asarray((rows["service_to"] - rows["service_from"]).dt.days, dtype=np.float64)
    per_day = rows["consumption"].to_numpy(dtype=np.float64) / np.where(days > 0, days, np.nan)
    at = _place_from_the_end(rows, codes, days)
    last = np.full(len(services), -1, dtype=np.int64)
    np.maximum.at(last, codes, np.where(at <= BILLS, at, -1))
    grid = np.full((len(services), BILLS + 1), np.nan)
    shown = at <= BILLS
    grid[codes[shown], BILLS - at[shown]] = np.maximum(per_day[shown], 0)
    drawn = _drawn(grid)
    texts = ["".join(row[BILLS - first :]) for row, first in zip(drawn, last.tolist(), strict=True)]
    return pd.Series(texts, index=pd.Index(services, dtype="str"), dtype="str")


def _place_from_the_end(
    rows: pd.DataFrame, codes: npt.NDArray[np.intp], days: npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """How many places each period stands before its service's last place, which is the run's own."""
    same = np.r_[False, codes[1:] == codes[:-1]] if len(codes) else np.zeros(0, dtype=bool)
    gap = (rows["service_from"] - rows["service_to"].shift()).dt.days.to_numpy(dtype=np.float64)
    left_out = np.where(same & (days > 0) & (gap > 0), np.floor(gap / np.where(days > 0, days, 1) + 0.5), 0)
    steps = np.where(same, 1 + np.minimum(np.nan_to_num(left_out), BILLS), 0).astype(np.int64)
    ends = np.flatnonzero(np.r_[~same[1:], True]) if len(same) else np.zeros(0, dtype=np.intp)
    gone = np.cumsum(steps)
    own = rows["own"].to_numpy(dtype=bool)[ends]
    behind: npt.NDArray[np.int64] = (gone[ends] + ~own)[codes] - gone
    return behind


def _drawn(grid: npt.NDArray[np.float64]) -> npt.NDArray[Any]:
    """The grid as characters, each row scaled to its own largest."""
    peak = np.nanmax(np.where(np.isnan(grid), 0, grid), axis=1, keepdims=True)
    share = np.divide(grid, peak, out=np.zeros_like(grid), where=peak > 0)
    level = np.clip(np.ceil(np.nan_to_num(share) * len(BARS) - 1e-9), 1, len(BARS)).astype(np.intp) - 1
    return np.where(np.isnan(grid), NO_BILL, BARS[level])
