"""Fixed charges that last: where other rates change inside a service period, what did not change stays one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from xlbilling.trade.tariffs.book import needs, reached
from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES, PART_OF_CONSUMPTION
from xlbilling.trade.tariffs.schedule import Schedule
from xlbilling.trade.tariffs.segments import Segment
from xlbilling.trade.tariffs.services import Codes

_BY_CONSUMPTION: Final = ("flat", "tiered", "budget")
Version = frozenset[tuple[str, dt.date, str]]  # of all a charge is worked out from: name, first day, season


def fixed_charges(schedule: Schedule) -> dict[str, Version]:
    """The charges of a schedule that do not go by consumption, each with the versions of all it is worked out from."""
    made: dict[str, Version] = {}
    for charge in schedule.charges:
        parts = [schedule.components[name] for name in reached(schedule, [charge.name])]
        used = {name for part in parts for name in needs(part, schedule)}
        by_consumption = any(name in CONSUMPTION_NAMES or name.startswith(PART_OF_CONSUMPTION) for name in used)
        if not by_consumption and not any(part.kind in _BY_CONSUMPTION for part in parts):
            priced = [part for part in parts if part.kind != "input"]
            made[charge.name] = frozenset(
                (part.name, part.effective_from, part.entries[0].key if part.kind == "season" else "")
                for part in priced
            )
    return made


@dataclass(frozen=True, slots=True)
class Lasting:
    """Charges of a segment that are billed together over the segments they last."""

    charges: frozenset[str]
    segment: Segment


def billed_together(segments: Sequence[Segment], count: int) -> Iterator[Lasting]:
    """The segments of `count` services with the charges each bills; a fixed charge is billed with the first it stands in.

    A fixed charge lasts over the segments of a service that follow each other with the same versions of all it is
    worked out from; its segment reaches to the end of the last of them. All other charges are billed segment by segment.
    """
    lasting = _lasting([segment.schedule for segment in segments])
    alone: list[set[str]] = [{charge.name for charge in segment.schedule.charges} for segment in segments]
    for places, charges in lasting.items():
        for place in places:
            alone[place] -= charges
        for segment in _joined([segments[place] for place in places], count):
            yield Lasting(frozenset(charges), segment)
    for segment, charges in zip(segments, alone, strict=True):
        if charges:
            yield Lasting(frozenset(charges), segment)


def _lasting(schedules: Sequence[Schedule]) -> dict[tuple[int, ...], set[str]]:
    """The fixed charges that stand in several of the schedules alike: by the places of those schedules."""
    if len(schedules) < 2:
        return {}
    places: dict[tuple[str, Version], list[int]] = {}
    for place, schedule in enumerate(schedules):
        for name, version in fixed_charges(schedule).items():
            places.setdefault((name, version), []).append(place)
    made: dict[tuple[int, ...], set[str]] = {}
    for (name, _), found in places.items():
        if len(found) > 1:
            made.setdefault(tuple(found), set()).add(name)
    return made


def _joined(segments: Sequence[Segment], count: int) -> Iterator[Segment]:
    """Segments that follow each other on the same service joined into the first of them."""
    following, ends = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    until: list[Codes] = []
    for segment in reversed(segments):
        goes_on = following[segment.rows] == segment.number + 1
        until.append(np.where(goes_on, ends[segment.rows], segment.until))
        following[segment.rows], ends[segment.rows] = segment.number, until[-1]
    before = np.full(count, -1, dtype=np.int64)
    for segment, end in zip(segments, reversed(until), strict=True):
        at = np.flatnonzero(before[segment.rows] != segment.number - 1)
        before[segment.rows] = segment.number
        if len(at):
            rows, after, number = segment.rows[at], segment.after[at], segment.number[at]
            yield Segment(segment.schedule, rows, after, end[at], number)


def parts_lasted(schedules: Sequence[Schedule]) -> list[dict[str, int]]:
    """Of one service's segments in order of time: how many parts each lasting charge is billed for, from its first on.

    0 says that the charge is billed with an earlier part; a charge that is not named is billed part by part.
    """
    made: list[dict[str, int]] = [{} for _ in schedules]
    for places, charges in _lasting(schedules).items():
        first = places[0]
        for place, before in zip(places, (-1, *places[:-1]), strict=True):
            first = first if place == before + 1 and before >= 0 else place
            for name in charges:
                made[place][name] = 0
                made[first][name] = place - first + 1
    return made
