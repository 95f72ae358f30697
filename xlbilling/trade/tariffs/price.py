"""Price services on their rate schedules: exact, many rows at once, one bad row never stopping the rest."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from xlbilling.trade.tariffs.evaluate import Batch
from xlbilling.trade.tariffs.lasting import billed_together
from xlbilling.trade.tariffs.lines import Lines, Share
from xlbilling.trade.tariffs.refusals import (
    BAD_PERIOD,
    INPUT_SHADOWS,
    NEGATIVE_CONSUMPTION,
    SCHEDULE_UNUSABLE,
    UNKNOWN_SCHEDULE,
)
from xlbilling.trade.tariffs.schedule import RateBook
from xlbilling.trade.tariffs.segments import Segment, segments
from xlbilling.trade.tariffs.services import Rows, Services, distinct
from xlbilling.words.exact import MILLION, Exact, decimal_text
from xlbilling.words.problems import Problem

_TOLD: int = 12


@dataclass(frozen=True, slots=True)
class Priced:
    """The bill lines of the rows that could be priced, and one problem for each row that could not."""

    lines: pd.DataFrame
    problems: list[Problem]
    refused: dict[int, Problem] = field(default_factory=dict)  # by position in the services
    unrounded: Exact | None = None  # exact dollars of each line, where asked for


def price(book: RateBook, usage: pd.DataFrame, *, unrounded: bool = False, with_basis: bool = True) -> Priced:
    """Price every row of `usage`; each line is rounded to the cent once and the bill is the sum of its lines.

    `usage`: key, tariff, customer_class, consumption (int64 millionths of the tariff's unit), service_from and
    service_to (the service period is the days after service_from up to service_to), bill_date, optional nominal_days
    (days of a full bill, on first and last bills; 0 or blank for a full one), and any inputs as text ("" = not given).
    `unrounded` keeps the exact amount of each line beside the rounded one. Without `with_basis` the basis stays blank.
    """
    services = Services(usage)
    _check(services)
    lines = Lines(unrounded, with_basis)
    for rows in _by_schedule(services):
        first = int(rows[0])
        tariff, customer_class = _pair(services, first)
        versions = book.versions(tariff, customer_class)
        if not versions:
            _refuse_schedule(book, services, rows, tariff, customer_class)
            continue
        good = rows if not services.refused.any() else rows[~services.refused[rows]]
        priced = [segment for segment in segments(versions, services, good) if segment.schedule.priced]
        for each in billed_together(priced, services.count):
            _price_segment(services, each.segment, each.charges, lines)
    found = [services.problems[row] for row in sorted(services.problems)]
    frame, exact = lines.frame(services.refused)
    return Priced(frame, found, services.problems, exact)


def _check(services: Services) -> None:
    for row in np.flatnonzero(services.consumption < 0):
        shown = decimal_text(Exact.from_millionths(services.consumption[[row]]).fraction(0))
        services.refuse(int(row), NEGATIVE_CONSUMPTION, "consumption", f"consumption is {shown}")
    unknown = np.iinfo(np.int64).min
    blank = (services.after == unknown) | (services.until == unknown) | (services.billed == unknown)
    for row in np.flatnonzero(blank | (services.until <= services.after)):
        fact = "a date is missing" if blank[row] else "the service period ends before it has a day"
        services.refuse(int(row), BAD_PERIOD, "service_to", fact)
    if services.nominal is not None:
        for row in np.flatnonzero(services.nominal < 0):
            services.refuse(int(row), BAD_PERIOD, "nominal_days", "the days of a full bill are below zero")


def _pair(services: Services, row: int) -> tuple[str, str]:
    tariffs, classes = services.coded("tariff"), services.coded("customer_class")
    return tariffs[1][tariffs[0][row]], classes[1][classes[0][row]]


def _by_schedule(services: Services) -> list[Rows]:
    """The rows of each tariff and class."""
    if not services.count:
        return []
    codes, first = distinct(services.coded("tariff")[0], services.coded("customer_class")[0])
    if len(first) == 1:
        return [np.arange(services.count)]
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _refuse_schedule(book: RateBook, services: Services, rows: Rows, tariff: str, customer_class: str) -> None:
    broken = book.unusable.get((tariff, customer_class))
    if broken is not None:
        for row in rows:
            services.refuse(int(row), SCHEDULE_UNUSABLE, "tariff", broken.fact)
        return
    classes = sorted(each for name, each in book.schedules if name == tariff)
    if classes:
        fact = f"{tariff} has no class {customer_class!r}; there are {', '.join(classes[:_TOLD])}"
        column = "customer_class"
    else:
        there = sorted({name for name, _ in book.schedules})
        fact = f"there is no rate schedule {tariff!r}; there are {', '.join(there[:_TOLD]) or 'none'}"
        column = "tariff"
    for row in rows:
        services.refuse(int(row), UNKNOWN_SCHEDULE, column, fact)


def _price_segment(services: Services, segment: Segment, charges: frozenset[str], lines: Lines) -> None:
    """Price some charges of a version for its rows: those billed in full, and those billed for a share of the days.

    Everything a schedule charges grows in step with consumption, tier widths and fixed amounts alike, so a share of
    the days is that share of the bill in full: f x F(consumption) is F with consumption, widths and amounts times f.
    """
    _refuse_shadowed(services, segment)
    days = services.days[segment.rows]
    nominal = None if services.nominal is None else services.nominal[segment.rows]
    of_days = days if nominal is None else np.where(nominal > 0, nominal, days)
    whole = (segment.until - segment.after == of_days) & (of_days == days)
    for mask, in_full in ((whole, True), (~whole, False)):
        at = np.flatnonzero(mask)
        if not len(at):
            continue
        part = segment if len(at) == len(segment.rows) else _part(segment, at)
        consumption = Exact(services.consumption[part.rows], MILLION)
        share = None
        if not in_full:
            share = Share(part.until - part.after, of_days[at])
            if nominal is not None:
                # A short bill's consumption, as if a full bill had gone on the same way; its share brings it back.
                consumption = consumption * Exact(of_days[at], days[at])
        batch = Batch(segment.schedule, services, part.rows, consumption, of_days[at])
        lines.add(batch, part, charges, share)


def _refuse_shadowed(services: Services, segment: Segment) -> None:
    """An input never stands in for a component of the schedule: a row that gives one by that name is refused."""
    for name in services.inputs:
        component = segment.schedule.find(name)
        if component is None or component.kind == "input":
            continue
        fact = f"{segment.schedule.tariff} {segment.schedule.customer_class} itself defines {name}"
        for row in services.given(name, segment.rows):
            services.refuse(int(row), INPUT_SHADOWS, name, fact)


def _part(segment: Segment, at: Rows) -> Segment:
    return Segment(segment.schedule, segment.rows[at], segment.after[at], segment.until[at], segment.number[at])
