"""Segments: the parts of a service period that fall under different versions of a rate schedule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from xlbilling.trade.tariffs.refusals import NO_RATE
from xlbilling.trade.tariffs.schedule import Component, Schedule
from xlbilling.trade.tariffs.seasons import seasons_within
from xlbilling.trade.tariffs.services import Codes, Rows, Services

EPOCH: Final = dt.date(1970, 1, 1)
_NEVER: Final = np.int64(2**60)

_Part = tuple[Schedule, Rows, Codes, Codes]  # a schedule, places in the rows, and their days (after, until]


def day_number(day: dt.date) -> int:
    return (day - EPOCH).days


@dataclass(frozen=True, slots=True)
class Segment:
    """The services a version prices, each for its days (after, until] of its service period; number counts from 1."""

    schedule: Schedule
    rows: Rows
    after: Codes
    until: Codes
    number: Codes


def _starts(schedule: Schedule, services: Services, rows: Rows) -> Codes:
    """The first day each row sees this version, by what its resolution says the change goes by."""
    day = day_number(schedule.effective_from)
    if schedule.applies_by == "service_days":
        return np.full(len(rows), day, dtype=np.int64)
    decided = services.until[rows] if schedule.applies_by == "read_date" else services.billed[rows]
    return np.where(decided >= day, -_NEVER, _NEVER)


def segments(versions: list[Schedule], services: Services, rows: Rows) -> list[Segment]:
    """Divide the service periods of `rows` among the versions; a row with a day no version covers is refused."""
    after, until = services.after[rows], services.until[rows]
    end = np.full(len(rows), _NEVER, dtype=np.int64)
    found: list[_Part] = []
    for schedule in reversed(versions):
        start = _starts(schedule, services, rows)
        first = np.maximum(after, start - 1)
        last = np.minimum(until, end - 1)
        at = np.flatnonzero(last > first)
        if len(at):
            if not schedule.priced:
                _no_rate(services, rows[at], first[at] + 1, schedule)
            found.append((schedule, at, first[at], last[at]))
        end = np.minimum(end, start)
    uncovered = np.flatnonzero(end > after + 1)
    _no_rate(services, rows[uncovered], after[uncovered] + 1, versions[0])
    number = np.zeros(len(rows), dtype=np.int64)
    result = []
    for part in reversed(found):
        for schedule, at, first, last in _by_season(part, services, rows):
            number[at] += 1
            result.append(Segment(schedule, rows[at], first, last, number[at]))
    return result


def _by_season(part: _Part, services: Services, rows: Rows) -> list[_Part]:
    """A version's part of the service periods divided among its seasons, in order of time; see `seasons.by_season`."""
    parts = [part]
    for component in part[0].seasons:
        parts = [piece for each in parts for piece in _by_one_season(component, each, services, rows)]
    return parts


def _by_one_season(component: Component, part: _Part, services: Services, rows: Rows) -> list[_Part]:
    schedule, at, first, last = part
    by_days = component.applies_by == "service_days"
    decided = (services.until if component.applies_by == "read_date" else services.billed)[rows[at]]
    days = (first + 1, last) if by_days else (decided, decided)
    found: list[_Part] = []
    for place, begin, end in seasons_within(component, _day(int(days[0].min())), _day(int(days[1].max()))):
        low, high = day_number(begin), day_number(end)
        if by_days:
            after, until = np.maximum(first, low - 1), np.minimum(last, high)
            mine = np.flatnonzero(until > after)
        else:
            after, until = first, last
            mine = np.flatnonzero((decided >= low) & (decided <= high))
        if len(mine):
            found.append((schedule.in_season(component, place), at[mine], after[mine], until[mine]))
    return found


def _day(number: int) -> dt.date:
    return EPOCH + dt.timedelta(days=number)


def _no_rate(services: Services, rows: Rows, days: Codes, schedule: Schedule) -> None:
    for row, day in zip(rows, days, strict=True):
        text = EPOCH + dt.timedelta(days=int(day))
        pair = f"{schedule.tariff} {schedule.customer_class}"
        fact = f"{pair} has no rate in force on {text}"
        if schedule.components and schedule.unpriced:
            fact = f"{', '.join(schedule.unpriced)} of {pair} has no price on {text}"
        services.refuse(int(row), NO_RATE, "tariff", fact)
