"""Seasons: named parts of the year that come back on the same day every year, and which of them a day is in."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final

from xlbilling.trade.tariffs.schedule import Component, Schedule

_FIRST_DAY: Final = re.compile(r"(\d{1,2})-(\d{1,2})")
_COMMON_YEAR: Final = 2001
_ONE_DAY: Final = dt.timedelta(days=1)

Part = tuple[Schedule, dt.date, dt.date]  # a schedule and the days (after, until] it prices


def first_day(text: str) -> tuple[int, int] | None:
    """Month and day of a season's first day, written MM-DD; None for what is no day of every year (02-29 is none)."""
    found = _FIRST_DAY.fullmatch(text)
    if found is None:
        return None
    try:
        day = dt.date(_COMMON_YEAR, int(found[1]), int(found[2]))
    except ValueError:  # no such day in a common year, so not a first day of every year
        return None
    return day.month, day.day


def season_on(component: Component, day: dt.date) -> int:
    """The place of the season a day is in: the last one begun this year, else the one still running from last year."""
    return bisect_right(component.first_days, (day.month, day.day)) - 1 if component.first_days else 0


def seasons_within(component: Component, first: dt.date, last: dt.date) -> Iterator[tuple[int, dt.date, dt.date]]:
    """The seasons of the days from `first` to `last`, both included: (its place, its first and its last day of them)."""
    begin = first
    while begin <= last:
        place = season_on(component, begin)
        end = min(_next_turn(component, begin) - _ONE_DAY, last)
        yield place, begin, end
        begin = end + _ONE_DAY


def _next_turn(component: Component, day: dt.date) -> dt.date:
    """The first day after `day` on which a season begins."""
    turns = (dt.date(year, *first) for year in (day.year, day.year + 1) for first in component.first_days)
    return next((turn for turn in turns if turn > day), dt.date.max)


def by_season(part: Part, until: dt.date, billed: dt.date) -> list[Part]:
    """A part of a service period divided among the seasons of its schedule, in order of time.

    `until` and `billed` are the last day of the whole service period and the day of its bill: a season component that
    goes by read_date or bill_date is in one season throughout, that of this day.
    """
    parts = [part]
    for component in part[0].seasons:
        parts = [piece for each in parts for piece in _by_one(component, each, until, billed)]
    return parts


def _by_one(component: Component, part: Part, until: dt.date, billed: dt.date) -> list[Part]:
    schedule, after, last = part
    if component.applies_by == "service_days":
        found = seasons_within(component, after + _ONE_DAY, last)
        return [(schedule.in_season(component, place), begin - _ONE_DAY, end) for place, begin, end in found]
    decided = until if component.applies_by == "read_date" else billed
    return [(schedule.in_season(component, season_on(component, decided)), after, last)]
