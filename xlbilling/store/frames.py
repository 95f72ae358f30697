"""Frames in and out of the store: one place that turns columns into plain rows and rows into typed columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


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


def since(values: pd.Series[Any]) -> pd.Series[Any]:
    """First days as a key keeps them: ISO text, "" for always."""
    return pd.to_datetime(values).dt.strftime("%Y-%m-%d").fillna("").astype(object)


def typed(fetched: Sequence[Sequence[Any]], columns: Mapping[str, str], steady: bool = True) -> pd.DataFrame:
    """Fetched rows as a frame of the declared sorts, whatever the rows hold; TypeError where they are not of them.

    "" is text ("" for none), "int" int64 and "int?" Int64, "day" datetime64[s], "yes" bool, "blob" bytes. Where not
    `steady`, "int?" is int64 as long as there is no gap.
    """
    by_column = list(zip(*fetched, strict=True)) if fetched else [()] * len(columns)
    series = {}
    for (name, sort), values in zip(columns.items(), by_column, strict=True):
        plain_sort = "int" if sort == "int?" and not steady and None not in values else sort
        series[name] = _of_sort(name, plain_sort, list(values))
    return pd.DataFrame(series)


def _of_sort(name: str, sort: str, values: list[Any]) -> pd.Series[Any]:
    there = set(map(type, values))
    gaps = type(None) in there
    if gaps and sort in ("int", "yes"):
        raise TypeError(f"column {name} is declared to have no gaps, and has one")
    if sort in ("int", "int?", "yes"):
        whole = values if there <= {int, type(None)} else [None if v is None else _whole(name, v) for v in values]
        return pd.Series(whole, dtype={"int": "int64", "int?": "Int64", "yes": "bool"}[sort])
    if sort in ("day", "day?"):
        return _days(values)
    if sort in ("", "?"):
        if not there <= {str, type(None)}:
            raise TypeError(f"column {name} is declared to be text, and is not")
        return pd.Series(["" if value is None else value for value in values] if gaps else values, dtype=object)
    return pd.Series(values, dtype=object)


def _whole(name: str, value: Any) -> int:
    """A whole number as such: PostgreSQL sums whole numbers to a decimal."""
    whole = int(value)
    if whole != value:
        raise TypeError(f"column {name} is declared to be whole, and is {value}")
    return whole


def _days(values: list[Any]) -> pd.Series[Any]:
    days = np.array([value or "NaT" for value in values], dtype="datetime64[D]")
    return pd.Series(days.astype("datetime64[s]"))
