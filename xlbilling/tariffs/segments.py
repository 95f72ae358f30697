"""Segments: the parts of a service period that fall under different versions of a rate schedule."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np

from xlbilling.tariffs.refusals import NO_RATE
from xlbilling.tariffs.schedule import Schedule
from xlbilling.tariffs.services import Codes, Rows, Services

EPOCH: Final = dt.date(1970, 1, 1)
_NEVER: Final = np.int64(2**60)


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
    found: list[tuple[Schedule, Rows, Codes, Codes]] = []
    for schedule in reversed(versions):
        start = _starts(schedule, services, rows)
        first = np.maximum(after, start - 1)
        last = np.minimum(until, end - 1)
        at = np.flatnonzero(last > first)
        if len(at):
            if not schedule.components:
                _no_rate(services, rows[at], first[at] + 1, schedule)
            found.append((schedule, at, first[at], last[at]))
        end = np.minimum(end, start)
    uncovered = np.flatnonzero(end > after + 1)
    _no_rate(services, rows[uncovered], after[uncovered] + 1, versions[0])
    number = np.zeros(len(rows), dtype=np.int64)
    result = []
    for schedule, at, first, last in reversed(found):
        number[at] += 1
        result.append(Segment(schedule, rows[at], first, last, number[at]))
    return result


def _no_rate(services: Services, rows: Rows, days: Codes, schedule: Schedule) -> None:
    for row, day in zip(rows, days, strict=True):
        text = EPOCH + dt.timedelta(days=int(day))
        fact = f"{schedule.tariff} {schedule.customer_class} has no rate in force on {text}"
        services.refuse(int(row), NO_RATE, "tariff", fact)
