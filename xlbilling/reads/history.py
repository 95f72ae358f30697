"""What consumption is compared with: the same period last year, the recent average, the class."""

from __future__ import annotations

import numpy as np
import pandas as pd

_YEAR = np.timedelta64(365, "D")
_NEAR = np.timedelta64(31, "D")
_RECENT = np.timedelta64(400, "D")


def compare(services: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """Lay beside each service what it used before, scaled to as many days.

    `services`: service_id, customer_class, service_to, days, consumption. `history`: service_id, service_to, days,
    consumption (earlier bills). Adds last_year and average (millionths, Int64, missing where there is no history),
    reference (last year where there is one, else the average) and class_median (median of the class in this run).
    """
    days = services["days"].to_numpy(dtype=np.float64)
    earlier = history.loc[history["days"].gt(0)]
    at = pd.Index(services["service_id"]).get_indexer(pd.Index(earlier["service_id"]))
    earlier, at = earlier.loc[at >= 0], at[at >= 0]
    until = services["service_to"].to_numpy()[at]
    gap = until - earlier["service_to"].to_numpy()
    used, lasted = earlier["consumption"].to_numpy(dtype=np.float64), earlier["days"].to_numpy(dtype=np.float64)

    recent = (gap > np.timedelta64(0, "D")) & (gap <= _RECENT)
    average = _per_day(at[recent], used[recent], lasted[recent], len(services))
    near = np.abs(gap - _YEAR) <= _NEAR
    last_year = _per_day(at[near], used[near], lasted[near], len(services))

    made = services.copy()
    made["last_year"] = _quantity(last_year * days)
    made["average"] = _quantity(average * days)
    made["reference"] = made["last_year"].fillna(made["average"])
    made["class_median"] = made.groupby("customer_class")["consumption"].transform("median")
    return made


def _per_day(at: np.ndarray, used: np.ndarray, lasted: np.ndarray, count: int) -> np.ndarray:
    """Consumption per day summed over the chosen earlier periods of each service; NaN where there are none."""
    days = np.bincount(at, weights=lasted, minlength=count)
    total = np.bincount(at, weights=used, minlength=count)
    per_day: np.ndarray = np.divide(total, days, out=np.full(count, np.nan), where=days > 0)
    return per_day


def _quantity(values: np.ndarray) -> pd.Series:
    return pd.Series(np.round(values)).astype("Int64")


def estimates_in_row(history: pd.DataFrame) -> pd.Series:
    """How many of each service's latest bills in a row were estimated; index service_id."""
    latest = history.sort_values(["service_id", "service_to"], ascending=[True, False])
    estimated = latest["read_code"].eq("estimated")
    still = estimated.groupby(latest["service_id"]).cumprod()
    return still.groupby(latest["service_id"]).sum()
