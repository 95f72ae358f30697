"""Days: the day each register is billed to, also where nothing was read of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.measure import Window

Bools = npt.NDArray[np.bool_]


def dated(laid: pd.DataFrame, window: Window) -> pd.Series[Any]:
    """The day of each register's read; where nothing was read, the day that its route was read on.

    A route of which nothing came takes the day that most of the run was read on, a meter taken out the day of its removal.
    A day outside the window on which nothing was read counts for nothing. Without a read nothing is billed past the day
    that the service ends.

    `laid`: route, read_date, read_value, removed, removed_on, ends_on (the last day that can be billed, or none).
    """
    dates, read = laid["read_date"], laid["read_value"].notna().to_numpy(dtype=bool)
    unread = dates.isna().to_numpy(dtype=bool)
    if not read.all():
        outside = ~dates.between(pd.Timestamp(window.read_from), pd.Timestamp(window.read_to))
        unread = unread | (~read & outside.to_numpy(dtype=bool))
    if not unread.any():
        return dates
    removed = laid["removed"].to_numpy(dtype=bool)
    counted = laid.loc[read & ~unread & ~removed, ["route", "read_date"]]
    of_run = counted["read_date"].mode()
    days = _day_of_route(laid["route"], counted, unread)
    days = days.fillna(of_run.iloc[0] if len(of_run) else pd.Timestamp(window.read_to))
    days = days.mask(removed, laid["removed_on"])
    ends = laid["ends_on"]
    return dates.mask(unread, days).mask(~read & ends.notna() & ends.lt(days), ends)


def _day_of_route(routes: pd.Series[Any], counted: pd.DataFrame, unread: Bools) -> pd.Series[Any]:
    """The day that most of each register's route was read on; none for a route that was not read."""
    wanted = counted.loc[counted["route"].isin(routes[unread].unique())]
    often = wanted.groupby(["route", "read_date"], as_index=False).size()
    first = often.sort_values(["size", "read_date"], ascending=[False, True]).drop_duplicates("route")
    days: pd.Series[Any] = pd.to_datetime(routes.map(dict(zip(first["route"], first["read_date"], strict=True))))
    return days.astype("datetime64[s]")
