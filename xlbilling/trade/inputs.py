"""Inputs: what a rate schedule asks of a service besides its consumption, typed on Services or measured by the office."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.words.exact import Exact
from xlbilling.words.problems import declare

BAD_INPUT: Final = declare(
    "bad_input", "The other inputs of a service cannot be read.", "Write them as name=value; name=value."
)


def inputs(text: str) -> dict[str, str] | None:
    """The other inputs of a service, "pressure_zone=2; season=summer"; None where the text is not of that form."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if any(not name.strip() or not sign for name, sign, _ in pairs):
        return None
    return {name.strip(): value.strip() for name, _, value in pairs}


def with_measured(given: pd.Series[str], name: str, measured: pd.Series[Any]) -> pd.Series[str]:
    """The other inputs of services with one more that the office measured; what somebody typed by that name stays.

    `given`: texts as `inputs` reads them; `measured`: a quantity in millionths, NA where there is none.
    """
    typed = given.str.contains(rf"(?:^|;)\s*{re.escape(name)}\s*=", regex=True)
    rows = (measured.notna() & ~typed).to_numpy(dtype=bool)
    amounts = Exact.from_millionths(measured[rows].to_numpy(dtype=np.int64)).texts()
    before = [text.strip().rstrip(";") for text in given[rows]]
    made = given.copy()
    joined = [f"{text}; {name}={amount}".lstrip("; ") for text, amount in zip(before, amounts, strict=True)]
    made[rows] = np.array(joined, dtype=object)
    return made


def last_winter(months: tuple[int, int], before: dt.date) -> tuple[dt.date, dt.date]:
    """First and last day of the latest winter, from its first to its last month, that was over before a day."""
    first, last = months
    for year in (before.year, before.year - 1, before.year - 2):
        after = dt.date(year + last // 12, last % 12 + 1, 1)
        if after <= before:
            return dt.date(year - (first > last), first, 1), after - dt.timedelta(days=1)
    raise AssertionError("one of three winters is over")


def winter_averages(
    services: pd.DataFrame, history: pd.DataFrame, winter: tuple[dt.date, dt.date], places: int
) -> pd.Series[Any]:
    """What each service used in the winter, for as many days as are billed now: the usual cap of a sewer charge.

    `services`: service_id, days. `history`: service_id, service_to, days, consumption (millionths) of earlier bills; a
    bill is of the winter when its last day is. Millionths (Int64), rounded half-up to `places` decimals; NA where a
    service has no bill of that winter.
    """
    ended = history["service_to"].between(pd.Timestamp(winter[0]), pd.Timestamp(winter[1]))
    of_winter = history.loc[ended & history["days"].gt(0)]
    sums = of_winter.groupby("service_id")[["consumption", "days"]].sum().reindex(services["service_id"])
    known = sums["days"].notna().to_numpy()
    used, over = (sums[name].fillna(fill).to_numpy(dtype=np.int64) for name, fill in (("consumption", 0), ("days", 1)))
    for_days = Exact.from_millionths(used) * Exact(services["days"].to_numpy(dtype=np.int64)) / Exact(over)
    rounded = for_days.round_half_up(places).to_millionths()
    return pd.Series(pd.arrays.IntegerArray(rounded, ~known), index=services.index)
