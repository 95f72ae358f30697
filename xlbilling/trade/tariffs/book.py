"""The Rates table read into a rate book: every row understood or refused, none dropped."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Final

import pandas as pd

from xlbilling.trade.tariffs.columns import (
    CONSUMPTION_NAMES,
    NEVER_BILLED,
    OPTIONAL_COLUMNS,
    RATE_COLUMNS,
    SERVICE_DAYS,
)
from xlbilling.trade.tariffs.expressions import FormulaError, Name, Node, Number, names, parse, terms
from xlbilling.trade.tariffs.keys import UnreadableKeyError, parse_key
from xlbilling.trade.tariffs.rate_rows import Pair, RateRow, RowError, rate_rows
from xlbilling.trade.tariffs.refusals import RATE_DUPLICATE, RATE_NAMES, RATE_ROW
from xlbilling.trade.tariffs.schedule import Component, Entry, RateBook, Schedule, Tier, plain_key
from xlbilling.trade.tariffs.seasons import first_day
from xlbilling.trade.tariffs.versions import ended, versions, with_missed, without_price
from xlbilling.words.exact import parse_decimal
from xlbilling.words.problems import Kind, Place, Problem

_TIERED: Final = ("tiered", "budget")
_TAKEN_OF: Final = ("percentage", "minimum", "cap")


def rate_book(rates: pd.DataFrame) -> tuple[RateBook, list[Problem]]:
    """Read the Rates table; a row that cannot be used makes its tariff and class unusable, and is told of.

    `rates` has the columns of RATE_COLUMNS: text, except tier and position (whole numbers) and the dates.
    """
    missing = [name for name in RATE_COLUMNS if name not in OPTIONAL_COLUMNS and name not in rates.columns]
    if missing:
        raise ValueError(f"the Rates table lacks {', '.join(missing)}")
    problems: list[Problem] = []
    unusable: dict[Pair, Problem] = {}
    rows: dict[Pair, dict[str, list[RateRow]]] = {}

    def refuse(pair: Pair, kind: Kind, rate_id: str, column: str, fact: str) -> None:
        problem = kind.at(Place("rates", rate_id, column), f"{pair[0]} {pair[1]}: {fact}")
        problems.append(problem)
        unusable.setdefault(pair, problem)

    for pair, outcome in rate_rows(rates):
        if isinstance(outcome, RateRow):
            rows.setdefault(pair, {}).setdefault(outcome.text["component"], []).append(outcome)
        else:
            refuse(pair, RATE_ROW, *outcome)
    schedules: dict[Pair, list[Schedule]] = {}
    for pair, by_component in rows.items():
        components: list[Component] = []
        for name, found in by_component.items():
            for earlier, version, later in versions(found):
                try:
                    component = _component(name, version, later)
                    components.append(
                        with_missed(component, earlier, version, pair)
                        if earlier and pair not in unusable
                        else component
                    )
                except RowError as error:
                    kind = RATE_DUPLICATE if error.column == "keys" and "twice" in str(error) else RATE_ROW
                    refuse(pair, kind, version[0].rate_id, error.column, str(error))
        if pair in unusable:
            continue
        schedules[pair] = _schedules(pair, components)
        for schedule in schedules[pair]:
            if schedule.unpriced:  # nothing is priced on these days, and what names the missing charge is not at fault
                continue
            for component, fact in _unreachable_names(schedule):
                refuse(pair, RATE_NAMES, component.entries[0].rate_id, "expression", fact)
    return RateBook({pair: found for pair, found in schedules.items() if pair not in unusable}, unusable), problems


# ---- components -------------------------------------------------------------------------------------------------


def _component(name: str, rows: list[RateRow], later: list[RateRow]) -> Component:
    first = rows[0]
    for column in ("kind", "applies_by", "rounding", "on_bill", "resolution"):
        if len({row.text.get(column, "") for row in rows}) > 1:
            raise RowError(column, f"the rows of {name} from {first.effective_from} differ in {column}")
    kind = first.text["kind"]
    seasons = _seasons(name, rows) if kind == "season" else []
    entries, depends_on, starts = (tuple(e for _, e in seasons), (), ()) if seasons else _entries(name, kind, rows)
    counted = _formula(first.text["expression"]) if kind == "per_unit" and first.text["expression"] else None
    if kind == "per_unit" and counted is None:
        raise RowError("expression", f"{name} does not say what is counted")
    ends = ended(rows, later)
    if len(ends) > 1:
        raise RowError("effective_to", f"the rows of {name} from {first.effective_from} end on different days")
    return Component(
        name=name,
        kind=kind,
        depends_on=depends_on,
        starts=starts,
        entries=entries,
        counted=counted,
        base=_base(first.text["expression"]) if kind in _TAKEN_OF else (),
        on_bill=kind not in NEVER_BILLED and first.text.get("on_bill", "") != "no",
        position=min(row.position for row in rows),
        unit=first.text["unit"],
        gl_account=first.text["gl_account"],
        effective_from=first.effective_from,
        effective_to=ends.pop(),
        applies_by=first.text["applies_by"] or "service_days",
        resolution=first.text["resolution"],
        rounding=first.text["rounding"] or "half_up",
        description=first.text["description"],
        by_key=_by_key(entries),
        first_days=tuple(day for day, _ in seasons),
    )


def _base(expression: str) -> tuple[str, ...]:
    """The charges a percentage, minimum or cap is taken of, written as a sum of their names."""
    if not expression:
        return ()
    parts = terms(_formula(expression))
    if not all(sign == 1 and isinstance(node, Name) for sign, node in parts):
        raise RowError("expression", f"{expression!r} is no sum of charges, such as water_service + commodity")
    return tuple(node.name for _, node in parts if isinstance(node, Name))


def _seasons(name: str, rows: list[RateRow]) -> list[tuple[tuple[int, int], Entry]]:
    """The seasons of the rows in the order of the year, each with month and day it begins on."""
    found: dict[tuple[int, int], Entry] = {}
    for row in rows:
        key, day = row.text["keys"].removeprefix(f"{name}=").strip(), first_day(row.text["expression"])
        if not key or key == row.text["keys"]:
            raise RowError("keys", f"{row.text['keys']!r} names no season; write {name}=summer")
        if day is None:
            raise RowError("expression", f"{row.text['expression']!r} is no first day of {key}, such as 05-01")
        if day in found or key in {entry.key for entry in found.values()}:
            raise RowError("keys", f"{name} has {key!r} or its first day {day[0]:02}-{day[1]:02} twice")
        found[day] = Entry(key, None, "", (), row.rate_id)
    return sorted(found.items())


def _by_key(entries: tuple[Entry, ...]) -> dict[str, int]:
    places = {entry.key: at for at, entry in enumerate(entries)}
    for at, entry in enumerate(entries):
        places.setdefault(plain_key(entry.key), at)
    return places


def _entries(
    name: str, kind: str, rows: list[RateRow]
) -> tuple[tuple[Entry, ...], tuple[str, ...], tuple[Fraction, ...]]:
    by_key: dict[str, list[RateRow]] = {}
    shapes: dict[tuple[tuple[str, ...], bool], str] = {}
    start_of: dict[str, Fraction] = {}
    for row in rows:
        try:
            key = parse_key(row.text["keys"])
        except UnreadableKeyError as error:
            raise RowError("keys", str(error)) from None
        shapes[(key.names, key.start is not None)] = row.text["keys"]
        if key.start is not None:
            start_of[key.joined] = key.start
        by_key.setdefault(key.joined, []).append(row)
    if len(shapes) > 1:
        raise RowError("keys", f"the rows of {name} depend on different names: {' and '.join(shapes.values())}")
    (depends_on, threshold) = next(iter(shapes))
    if threshold:
        by_key = dict(sorted(by_key.items(), key=lambda item: start_of[item[0]]))
    build = _tier_entry if kind in _TIERED else _plain_entry
    entries = tuple(build(name, kind, key, found) for key, found in by_key.items())
    plain = [plain_key(entry.key) for entry in entries]
    twice = (
        next((entry.key for entry in entries if plain.count(plain_key(entry.key)) > 1), None)
        if len(set(plain)) < len(plain)
        else None
    )
    if twice is not None and not threshold:
        raise RowError("keys", f"{name} has {twice!r} twice")
    return entries, depends_on, tuple(start_of[key] for key in by_key) if threshold else ()


def _plain_entry(name: str, kind: str, key: str, rows: list[RateRow]) -> Entry:
    if len(rows) > 1:
        raise RowError("keys", f"{name} {key} is there twice from {rows[0].effective_from}".replace("  ", " "))
    row = rows[0]
    rate, expression = row.text["rate"], row.text["expression"]
    formula_here = kind in ("formula", "lookup", "fixed")
    if kind == "input":
        return Entry(key, None, "", (), row.rate_id)
    if rate and formula_here and expression:
        raise RowError("rate", f"{name} says both a rate and a formula")
    if not rate and not (formula_here and expression):
        return Entry(key, None, "", (), row.rate_id, _unpriced(row, f"{name} {key} has no rate"))
    if rate:
        said = rate if kind == "percentage" else as_written(rate)
        return Entry(key, Number(_decimal(rate, "rate")), said, (), row.rate_id)
    return Entry(key, _formula(expression), "", (), row.rate_id)


def _tier_entry(name: str, kind: str, key: str, rows: list[RateRow]) -> Entry:
    ordered = sorted(rows, key=lambda row: row.tier)
    numbers = [row.tier for row in ordered]
    if numbers != list(range(1, len(rows) + 1)):
        counted = ", ".join(map(str, numbers))
        if len(set(numbers)) < len(numbers):
            raise RowError("keys", f"{name} {key} has a tier twice: {counted}".replace("  ", " "))
        raise RowError("tier", f"the tiers of {name} {key} are {counted}, not 1 to {len(rows)}".replace("  ", " "))
    tiers, problem = [], ""
    for row in ordered:
        rate, expression = row.text["rate"], row.text["expression"]
        if not rate and not expression:
            problem = problem or _unpriced(row, f"tier {row.tier} of {name} {key} has no price")
        price: Node = (
            Number(_decimal(rate, "rate")) if rate else _formula(expression) if expression else Number(Fraction(0))
        )
        tiers.append(_tier(row, kind, price))
    for tier, following in pairwise(tiers):
        if not _ends(kind, tier, following):
            problem = problem or f"tier {tier.number} of {name} {key} does not say where it ends".replace("  ", " ")
    return Entry(key, None, "", tuple(tiers), ordered[0].rate_id, problem)


def _unpriced(row: RateRow, fact: str) -> str:
    """Why a row has no price: its description says so where an import could not read one."""
    return f"{fact} ({row.text['description']})" if row.text["description"] else fact


def _ends(kind: str, tier: Tier, following: Tier) -> bool:
    has_cap = tier.cap is not None or tier.cap_share is not None or bool(tier.cap_name)
    return has_cap or (kind == "tiered" and following.from_unit is not None)


def _tier(row: RateRow, kind: str, price: Node) -> Tier:
    start = _formula(row.text["from_unit"]) if row.text["from_unit"] else None
    cap, share, name = None, None, ""
    written = row.text["cap"]
    if kind == "budget" and written in ("indoor", "outdoor"):
        name = written
    elif kind == "budget" and written.endswith("%"):
        share = _decimal(written[:-1], "cap") / 100
    elif written:
        cap = _decimal(written, "cap")
    text = as_written(row.text["rate"]) or row.text["expression"]
    return Tier(row.tier, start, cap, share, name, price, text, row.rate_id)


def as_written(rate: str) -> str:
    """A rate as a resolution writes it, with the cents that a cell of a sheet leaves out: 31.4 is 31.40; 2.145 stays."""
    whole, _, places = rate.partition(".")
    return f"{whole}.{places.ljust(2, '0')}" if rate and whole.lstrip("-").isdecimal() and len(places) < 2 else rate


def _decimal(text: str, column: str) -> Fraction:
    value = parse_decimal(text)
    if value is None:
        raise RowError(column, f"{text!r} is no number")
    return value


def _formula(text: str) -> Node:
    try:
        return parse(text)
    except FormulaError as error:
        raise RowError("expression", str(error)) from None


# ---- schedules --------------------------------------------------------------------------------------------------


def _schedules(pair: Pair, components: Iterable[Component]) -> list[Schedule]:
    """One schedule for every day on which the components in force change."""
    found = list(components)
    one_day = dt.timedelta(days=1)
    by_name: dict[str, list[Component]] = {}
    for component in found:
        by_name.setdefault(component.name, []).append(component)
    starts = {component.effective_from for component in found}
    starts |= {component.effective_to + one_day for component in found if component.effective_to is not None}
    schedules = []
    for day in sorted(starts):
        in_force: dict[str, Component] = {}
        for component in found:
            if component.effective_from <= day:
                in_force[component.name] = component  # in date order, so the last one that started stands
        lasting = [each for each in in_force.values() if each.effective_to is None or each.effective_to >= day]
        lasting.sort(key=lambda component: component.position)
        changed = [each for each in lasting if each.effective_from == day]
        # A season says by applies_by what the turn of the season goes by, so the charges decide for the change of rates.
        new = next((each for each in changed if each.kind != "season"), changed[0] if changed else None)
        applies_by = new.applies_by if new else "service_days"
        unpriced = tuple(name for name, each in by_name.items() if without_price(each, day) and each[0].kind != "input")
        in_order = {component.name: component for component in lasting}
        schedules.append(Schedule(*pair, day, applies_by, in_order, unpriced))
    return schedules


def needs(component: Component, schedule: Schedule) -> set[str]:
    """The names a component uses: keys, formulas, what is counted, what it is taken of."""
    return set(component.depends_on) | _reckoned(component, schedule)


def _reckoned(component: Component, schedule: Schedule) -> set[str]:
    """The names a component reckons with: all it uses but those that only choose by key."""
    used: set[str] = set(component.depends_on) if component.starts else set()
    for entry in component.entries:
        used.update(names(entry.value) if entry.value else ())
        for tier in entry.tiers:
            used.update(names(tier.price))
            used.update(names(tier.from_unit) if tier.from_unit else ())
            used.update([tier.cap_name] if tier.cap_name else ["budget"] if tier.cap_share is not None else [])
    used.update(names(component.counted) if component.counted else ())
    used.update(component.base or (base_of(component, schedule) if component.kind in _TAKEN_OF else ()))
    return used


def base_of(component: Component, schedule: Schedule) -> list[str]:
    """The charges a percentage, minimum or cap is taken of: those it names, or all charges printed above it."""
    if component.base:
        found = (schedule.find(name) for name in component.base)
        return [each.name for each in found if each is not None]
    above: list[str] = []
    for charge in schedule.charges:
        if charge.name == component.name:
            break
        above.append(charge.name)
    return above


def inputs_of(schedule: Schedule, charges: Iterable[str] | None = None) -> list[str]:
    """The inputs a schedule needs to price its charges (or these components): names it does not define itself."""
    wanted: dict[str, None] = {}
    seen: set[str] = set()
    waiting = list(charges) if charges is not None else [charge.name for charge in schedule.charges]
    while waiting:
        name = waiting.pop(0)
        component = schedule.find(name)
        if component is None or component.kind == "input":
            if name not in CONSUMPTION_NAMES and name != SERVICE_DAYS:
                wanted[name] = None
        elif component.name not in seen:
            seen.add(component.name)
            waiting.extend(sorted(needs(component, schedule)))
    return list(wanted)


def reached_by_bills(schedule: Schedule) -> set[str]:
    """The components that a charge of the schedule is or uses."""
    return reached(schedule, [charge.name for charge in schedule.charges])


def reached(schedule: Schedule, charges: Iterable[str]) -> set[str]:
    """The components that these charges of the schedule are or use."""
    there: set[str] = set()
    waiting = list(charges)
    while waiting:
        name = waiting.pop()
        if name not in there:
            there.add(name)
            waiting.extend(_inner(schedule, name))
    return there


def _unreachable_names(schedule: Schedule) -> Iterator[tuple[Component, str]]:
    """Components that need themselves, and bases that are no component."""
    for component in schedule.components.values():
        for name in component.base:
            if schedule.find(name) is None:
                there = ", ".join(charge.name for charge in schedule.charges)
                yield component, f"{component.name} is taken of {name!r}, which is not there; there are {there}"
    yield from _reckoned_seasons(schedule)
    done: set[str] = set()
    for start in [charge.name for charge in schedule.charges]:
        path: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(_inner(schedule, start))))]
        on_path = {start}
        while path and start not in done:
            name, following = path[-1]
            step = next(following, None)
            if step is None:
                done.add(name)
                on_path.discard(name)
                path.pop()
            elif step in on_path:
                yield schedule.components[step], f"{step} needs itself, through {' and '.join(n for n, _ in path)}"
                return
            elif step not in done:
                on_path.add(step)
                path.append((step, iter(sorted(_inner(schedule, step)))))


def _reckoned_seasons(schedule: Schedule) -> Iterator[tuple[Component, str]]:
    """Components that reckon with a season, which is a word: it stands in keys only."""
    seasons = {each.name for each in schedule.seasons}
    if not seasons:
        return
    for component in schedule.components.values():
        used = (schedule.find(name) for name in sorted(_reckoned(component, schedule)))
        season = next((each.name for each in used if each is not None and each.name in seasons), None)
        if season is not None:
            yield component, f"{component.name} reckons with {season}, which is a word; name it in column keys"


def _inner(schedule: Schedule, name: str) -> set[str]:
    used = (schedule.find(each) for each in needs(schedule.components[name], schedule))
    return {component.name for component in used if component is not None}
