"""What consumption is compared with: the same period last year, the recent average, the class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.units import same

YEAR_DAYS: Final = 365
NEAR_DAYS: Final = 31  # a bill of the same period last year ends so many days around the day a year before
RECENT_DAYS: Final = 400
NO_DAY: Final = np.iinfo(np.int64).min // 4  # of a service without a read day: no bill is near it, none recent
Days = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


def day_numbers(dates: pd.Series[Any]) -> Days:
    """Dates as whole day numbers; NO_DAY where there is none."""
    days = dates.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), NO_DAY, days.astype(np.int64))


@dataclass(frozen=True, slots=True)
class Sums:
    """Earlier bills added up, one entry a service: consumption (millionths), their days, the last day of the latest."""

    used: npt.NDArray[np.float64]
    days: npt.NDArray[np.float64]
    until: Days

    @property
    def per_day(self) -> npt.NDArray[np.float64]:
        """Consumption a day; NaN for a service without such bills."""
        made: npt.NDArray[np.float64] = np.divide(
            self.used, self.days, out=np.full(len(self.used), np.nan), where=self.days > 0
        )
        return made


@dataclass(frozen=True, slots=True)
class History:
    """Earlier bills of a cycle's services; `at` is the service's position among `count` services, `until` a day number."""

    count: int
    at: Days
    until: Days
    days: Days
    used: Days
    estimated: Mask

    @classmethod
    def of(cls, bills: pd.DataFrame, services: pd.Index) -> History:
        """The history of these services. `bills`: service_id, service_to, days, consumption, read_code."""
        at = services.get_indexer(pd.Index(bills["service_id"]))
        kept = np.flatnonzero((at >= 0) & (bills["days"].to_numpy(dtype=np.int64) > 0))
        rows = bills if len(kept) == len(bills) else bills.iloc[kept]
        return cls(
            len(services),
            at[kept].astype(np.int64),
            day_numbers(rows["service_to"]),
            rows["days"].to_numpy(dtype=np.int64),
            rows["consumption"].to_numpy(dtype=np.int64),
            same(rows["read_code"], "estimated"),
        )

    def sums(self, chosen: Mask) -> Sums:
        """The chosen bills added up by service."""
        at = self.at[chosen]
        until = np.full(self.count, NO_DAY)
        np.maximum.at(until, at, self.until[chosen])
        return Sums(
            np.bincount(at, weights=self.used[chosen].astype(np.float64), minlength=self.count).astype(np.float64),
            np.bincount(at, weights=self.days[chosen].astype(np.float64), minlength=self.count).astype(np.float64),
            until,
        )

    def all(self) -> Sums:
        return self.sums(np.ones(len(self.at), dtype=bool))

    def last_year(self, until: Days) -> Sums:
        """Bills that end about a year before each service's `until`."""
        gap = until[self.at] - self.until
        return self.sums(np.abs(gap - YEAR_DAYS) <= NEAR_DAYS)

    def recent(self, until: Days) -> Sums:
        """Bills that end in the last year before each service's `until`."""
        gap = until[self.at] - self.until
        return self.sums((gap > 0) & (gap <= RECENT_DAYS))

    def estimates_in_row(self) -> Days:
        """How many of each service's latest bills in a row were estimated."""
        if not self.estimated.any():
            return np.zeros(self.count, dtype=np.int64)
        actual = np.full(self.count, NO_DAY)
        np.maximum.at(actual, self.at[~self.estimated], self.until[~self.estimated])
        since = self.estimated & (self.until > actual[self.at])
        return np.bincount(self.at[since], minlength=self.count)

    def largest_per_day(self, at: Days) -> npt.NDArray[np.float64]:
        """The most a day that any earlier bill of these services comes to; 0 for a service without any."""
        place = np.full(self.count, -1)
        place[at] = np.arange(len(at))
        mine = place[self.at] >= 0
        made = np.zeros(len(at))
        np.maximum.at(made, place[self.at[mine]], self.used[mine] / self.days[mine])
        return made

    def always_used(self, at: Days, bills: npt.NDArray[np.float64]) -> Mask:
        """For each of these services, whether it has at least so many bills and every one of them had consumption."""
        wanted = np.zeros(self.count, dtype=bool)
        wanted[at] = True
        mine = wanted[self.at]
        number = np.bincount(self.at[mine], minlength=self.count)
        without = np.bincount(self.at[mine & (self.used <= 0)], minlength=self.count)
        made: Mask = (number[at] >= bills) & (without[at] == 0)
        return made


def before(services: pd.DataFrame, past: History) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """What each service used in the same period of last year and in the last year on average, for as many days.

    `services`: position (among the history's services), service_to, days. Millionths; NaN where there is no history.
    """
    at = services["position"].to_numpy(dtype=np.int64)
    until = np.full(past.count, NO_DAY)
    until[at] = day_numbers(services["service_to"])
    days = services["days"].to_numpy(dtype=np.float64)
    return past.last_year(until).per_day[at] * days, past.recent(until).per_day[at] * days


def quantities(values: npt.NDArray[np.float64], index: pd.Index) -> pd.Series[Any]:
    """Quantities as frames hold them: whole millionths, missing where they are NaN."""
    missing = np.isnan(values)
    whole = np.round(np.where(missing, 0, values)).astype(np.int64)
    return pd.Series(pd.arrays.IntegerArray(whole, missing), index=index)


def compare(services: pd.DataFrame, past: History) -> pd.DataFrame:
    """Lay beside each service what it used before, scaled to as many days.

    `services`: position (among the history's services), customer_class, service_to, days, consumption, usable.
    Adds last_year and average (millionths, Int64, missing where there is no history), reference (last year where there
    is one, else the average), class_median (of the usable services of the class in this run; NaN where there are none)
    and in_row (latest bills in a row that were estimated).
    """
    at = services["position"].to_numpy(dtype=np.int64)
    last_year, average = before(services, past)
    reference = np.where(np.isnan(last_year), average, last_year)
    usable = services["usable"].to_numpy(dtype=bool)
    used = services["consumption"].where(usable).astype("float64")
    return services.assign(
        last_year=quantities(last_year, services.index),
        average=quantities(average, services.index),
        reference=quantities(reference, services.index),
        class_median=used.groupby(pd.factorize(services["customer_class"])[0]).transform("median"),
        in_row=past.estimates_in_row()[at],
    )
