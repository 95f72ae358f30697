"""Rows of the Rates table read one by one: text, whole numbers and dates, or why a row cannot be used."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd

from xlbilling.trade.tariffs.columns import APPLIES_BY, KINDS, RATE_COLUMNS, ROUNDINGS

Pair = tuple[str, str]


class RowError(ValueError):
    """A rate row cannot be used."""

    def __init__(self, column: str, fact: str):
        super().__init__(fact)
        self.column = column


@dataclass(frozen=True, slots=True)
class RateRow:
    """One row of the Rates table, as text and dates."""

    rate_id: str
    text: dict[str, str]
    tier: int
    position: int
    effective_from: dt.date
    effective_to: dt.date | None


def rate_rows(rates: pd.DataFrame) -> Iterator[tuple[Pair, RateRow | tuple[str, str, str]]]:
    """Every row with its (tariff, class): read, or (rate id, column, fact) where it cannot be."""
    dates = ("effective_from", "effective_to")
    whole = ("tier", "position")
    texts = [name for name in RATE_COLUMNS if name in rates.columns and name not in dates + whole]
    columns = {name: ["" if pd.isna(value) else str(value).strip() for value in rates[name]] for name in texts}
    given = {name: list(rates[name]) for name in (*whole, *dates) if name in rates.columns}
    for at in range(len(rates)):
        text = {name: values[at] for name, values in columns.items()}
        rate_id = text.get("rate_id") or str(at + 1)
        pair = (text["tariff"], text["customer_class"])
        try:
            yield pair, _row(rate_id, text, {name: values[at] for name, values in given.items()})
        except RowError as error:
            yield pair, (rate_id, error.column, str(error))


def _row(rate_id: str, text: dict[str, str], given: dict[str, Any]) -> RateRow:
    for name in ("tariff", "customer_class", "component"):
        if not text[name]:
            raise RowError(name, f"{name} is blank")
    if text["kind"] not in KINDS:
        raise RowError("kind", f"there is no kind {text['kind']!r}; there are {', '.join(KINDS)}")
    if text["applies_by"] not in ("", *APPLIES_BY):
        raise RowError("applies_by", f"{text['applies_by']!r} is none of {', '.join(APPLIES_BY)}")
    if text["rounding"] not in ("", *ROUNDINGS):
        raise RowError("rounding", f"{text['rounding']!r} is none of {', '.join(ROUNDINGS)}")
    if text.get("on_bill", "") not in ("", "yes", "no"):
        raise RowError("on_bill", f"{text['on_bill']!r} is neither yes nor no")
    start = _day(given["effective_from"], "effective_from")
    if start is None:
        raise RowError("effective_from", "the row says no first day")
    end = _day(given.get("effective_to"), "effective_to")
    if end is not None and end < start:
        raise RowError("effective_to", f"the row ends on {end}, before it starts on {start}")
    return RateRow(rate_id, text, _count(given["tier"], "tier"), _count(given["position"], "position"), start, end)


def _day(value: Any, column: str) -> dt.date | None:
    if value is None or value is pd.NaT or value == "":
        return None
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        raise RowError(column, f"{value!r} is no date") from None


def _count(value: Any, column: str) -> int:
    if pd.isna(value) or value == "":
        return 0
    if int(value) != value or value < 0:
        raise RowError(column, f"{value!r} is no whole number")
    return int(value)
