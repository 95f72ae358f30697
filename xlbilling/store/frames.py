"""Frames in and out of the store: one place that turns columns into plain rows and rows into typed columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.records import TABLE

DATES: Final = frozenset(
    {name for table in TABLE.values() for name, column in table if column.kind == "date"}
    | {"post_date", "start_date", "this_date"}
)


def rows(frame: pd.DataFrame, columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """The frame's rows as plain Python values for a bulk insert: dates as ISO text, missing values as None."""
    return list(zip(*(plain(frame[name]) for name in columns), strict=True)) if len(columns) else []


def plain(values: pd.Series[Any]) -> list[Any]:
    """A column as plain Python values; a missing value is None."""
    if values.dtype.kind == "M":
        days = values.to_numpy().astype("datetime64[D]")
        text = np.datetime_as_string(days).astype(object)
        text[np.isnat(days)] = None
        return list(text)
    made: list[Any] = values.tolist()
    return [None if v is None or v is pd.NA or v != v else v for v in made] if values.hasnans else made


def frame(fetched: Sequence[Sequence[Any]], columns: Sequence[str], numbers: frozenset[str]) -> pd.DataFrame:
    """Fetched rows as a frame: dates as datetime64[s], numbers as int64 (Int64 with gaps), text with "" for none."""
    by_column = list(zip(*fetched, strict=True)) if fetched else [()] * len(columns)
    return pd.DataFrame(
        {name: _typed(name, list(values), numbers) for name, values in zip(columns, by_column, strict=True)}
    )


def _typed(name: str, values: list[Any], numbers: frozenset[str]) -> pd.Series[Any]:
    if name in numbers:
        gaps = None in values
        return pd.Series(values, dtype="Int64" if gaps else "int64")
    if name in DATES:
        days = np.array([v or "NaT" for v in values], dtype="datetime64[D]")
        return pd.Series(days.astype("datetime64[s]"))
    if values and isinstance(values[0], bytes):
        return pd.Series(values, dtype=object)
    return pd.Series(["" if v is None else v for v in values] if None in values else values, dtype=object)
