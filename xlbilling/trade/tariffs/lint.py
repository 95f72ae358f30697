"""What looks wrong in rates that can be priced: gaps, odd tiers, missing sizes, prices out of line, charges nobody pays."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Final

import pandas as pd

from xlbilling.trade.tariffs.book import inputs_of, rate_book, reached_by_bills
from xlbilling.trade.tariffs.expressions import Number
from xlbilling.trade.tariffs.owrs import OwrsRates
from xlbilling.trade.tariffs.owrs_read import Listed, Map, OwrsTariff, Scalar
from xlbilling.trade.tariffs.schedule import Component, Entry, RateBook, Schedule, plain_key
from xlbilling.words.exact import decimal_text
from xlbilling.words.problems import Kind, Place, Problem, declare


def _odd(code: str, meaning: str, remedy: str) -> Kind:
    return declare(f"rates_{code}", meaning, remedy, "review")


GAP: Final = declare(
    "rates_gap",
    "A charge has no price on some days: its lines end before the next ones start.",
    "Extend the line that ends, or start the next one earlier; until then bills with those days are held.",
)
ENDED: Final = _odd(
    "ended", "A rate schedule ends and nothing follows.", "If it is still billed by, enter the lines that follow."
)
OVERLAP: Final = _odd("overlap", "Two versions of a charge claim the same days.", "End the older row the day before.")
TIER_ORDER: Final = _odd("tier_order", "A tier starts where the one before it has not ended.", "Check the tier starts.")
MISSING_SIZE: Final = _odd(
    "missing_key", "One charge has a key that another lacks.", "Add the row, or delete the other."
)
FALLS: Final = _odd("falls_with_size", "A charge falls as the meter grows.", "Compare with the adopted resolution.")
UNBILLED: Final = _odd("unbilled", "Something is defined that no bill reaches.", "Add it to the bill, or leave it out.")
LAST_UNIT: Final = _odd(
    "last_unit",
    "Tier starts look like last units of the tier before, not like first units.",
    "If 15 means that unit 15 is still in the tier before, enter 16, or give column cap instead.",
)
UNIT: Final = _odd("unit", "Prices do not fit the unit they are said to be per.", "Check the unit of the tariff.")
SEASON: Final = _odd(
    "season",
    "A season has no price, or a price is for a season that is not there.",
    "Make the keys of the charge name each season of the schedule once.",
)
HUNDREDFOLD: Final = _odd("hundredfold", "A price is a hundred times its neighbours.", "Check the decimal point.")

_SIZE: Final = re.compile(r'(?:(\d+)[ |-])?(\d+)(?:/(\d+))?\s*(?:"|in|inch)?')
OUT_OF_LINE: Final = 50


def lint_rates(rates: pd.DataFrame) -> list[Problem]:
    """Everything odd in a Rates table, after the problems that make rows unusable."""
    book, problems = rate_book(rates)
    return [*problems, *lint_book(book)]


def lint_book(book: RateBook) -> list[Problem]:
    """Everything odd in the schedules of a rate book; the place is (Rates, row id, column)."""
    found: dict[Problem, None] = {}
    for versions in book.schedules.values():
        for problem in _in_time(versions):
            found[problem] = None
        for schedule in versions:
            for problem in _schedule(schedule) if not schedule.unpriced else ():
                found[problem] = None
    return list(found)


def lint_owrs(source: OwrsTariff, imported: OwrsRates) -> list[Problem]:
    """Everything wrong (severity block) or odd in a tariff file, each with its line."""
    book, problems = rate_book(imported.rates)
    named = zip(*(imported.rates[name] for name in ("rate_id", "customer_class", "component")), strict=True)
    rows = {str(rate_id): (str(customer_class), str(component)) for rate_id, customer_class, component in named}
    found = list(imported.problems)
    for problem in [*problems, *lint_book(book)]:
        customer_class, component = rows[problem.place.key]
        line = _line(source, imported, customer_class, component, problem)
        found.append(problem.on(Place(file=source.file, line=line, key=customer_class, column=component)))
    for each in source.classes.values():
        if each.name not in imported.refused:
            found.extend(_unbilled_fields(source, each.name))
    return sorted(found, key=lambda problem: problem.place.line)


def _line(source: OwrsTariff, imported: OwrsRates, customer_class: str, component: str, problem: Problem) -> int:
    lines = source.classes[customer_class].lines
    if problem.code in (TIER_ORDER.code, LAST_UNIT.code):
        starts = [line for name, line in lines.items() if name.startswith("tier_starts")]
        if len(starts) == 1:
            return starts[0]
    return imported.lines.get((customer_class, component), source.classes[customer_class].line)


# ---- time -------------------------------------------------------------------------------------------------------


def _in_time(versions: list[Schedule]) -> Iterator[Problem]:
    by_name: dict[str, dict[dt.date, Component]] = {}
    for schedule in versions:
        for component in schedule.components.values():
            by_name.setdefault(component.name, {})[component.effective_from] = component
        if not schedule.charges:
            if schedule.unpriced:
                continue
            last = max(each for name in by_name.values() for each in name)
            component = next(name[last] for name in by_name.values() if last in name)
            yield ENDED.at(
                _place(component, "effective_to"),
                f"{_pair(schedule)} has no rate in force from {schedule.effective_from}",
            )
    for name, found in by_name.items():
        ordered = [found[day] for day in sorted(found)]
        for component in ordered:
            yield from component.gone
        for earlier, later in pairwise(ordered):
            if earlier.effective_to is None:
                continue
            first = earlier.effective_to + dt.timedelta(days=1)
            days = (later.effective_from - first).days
            said = f"{name} of {_pair(versions[0])} ends on {earlier.effective_to} and starts again on {later.effective_from}"
            if days > 0:
                missing = (
                    f"on {first}" if days == 1 else f"from {first} to {later.effective_from - dt.timedelta(days=1)}"
                )
                yield GAP.at(_place(earlier, "effective_to"), f"{said}; it has no price {missing}")
            elif days < 0:
                yield OVERLAP.at(_place(earlier, "effective_to"), said)


def _pair(schedule: Schedule) -> str:
    return f"{schedule.tariff} {schedule.customer_class}"


def _place(component: Component, column: str, entry: Entry | None = None) -> Place:
    return Place("rates", (entry or component.entries[0]).rate_id, column)


# ---- one schedule -----------------------------------------------------------------------------------------------


def _schedule(schedule: Schedule) -> Iterator[Problem]:
    reached = reached_by_bills(schedule)
    for component in schedule.components.values():
        if component.name not in reached and component.kind != "input":
            fact = f"{component.name} of {_pair(schedule)} is used by no charge"
            yield UNBILLED.at(_place(component, "component"), fact)
        if component.kind == "input" and component.name not in inputs_of(schedule):
            fact = f"input {component.name} of {_pair(schedule)} is used by no charge"
            yield UNBILLED.at(_place(component, "component"), fact)
        where = f"{component.name} of {_pair(schedule)}"
        if component.kind in ("tiered", "budget"):
            yield from _tiers(component, where)
        else:
            yield from _amounts(component, where)
        yield from _falls_with_size(component, where)
        yield from _unit(component, where)
    yield from _missing_keys(schedule)
    yield from _missing_seasons(schedule)


def _starts(entry: Entry) -> list[Fraction]:
    return [tier.from_unit.value for tier in entry.tiers if isinstance(tier.from_unit, Number)]


def _prices(entry: Entry) -> list[Fraction]:
    return [tier.price.value for tier in entry.tiers if isinstance(tier.price, Number)]


def _for_key(entry: Entry) -> str:
    return f" for {entry.key}" if entry.key else ""


def _tiers(component: Component, where: str) -> Iterator[Problem]:
    looks_last: list[Entry] = []
    for entry in component.entries:
        starts = _starts(entry)
        caps = [tier.cap for tier in entry.tiers if tier.cap is not None]
        for numbers in (starts, caps):
            for low, high in pairwise(numbers):
                if high <= low:
                    fact = f"{where}{_for_key(entry)}: {_many(numbers)} does not increase at {decimal_text(high)}"
                    yield TIER_ORDER.at(_place(component, "from_unit", entry), fact)
                    break
        if _looks_like_last_units(starts):
            looks_last.append(entry)
        yield from _out_of_line(component, where, entry, _prices(entry))
    if looks_last:
        first = looks_last[0]
        fact = f"{where}{_for_key(first)}: starts {_many(_starts(first))} look like last units (0-{decimal_text(_starts(first)[1])}, ...)"
        yield LAST_UNIT.at(_place(component, "from_unit", first), fact)


def _many(numbers: list[Fraction]) -> str:
    return ", ".join(decimal_text(number) for number in numbers)


def _looks_like_last_units(starts: list[Fraction]) -> bool:
    """First units follow round last units: 1, 11, 21. Where the starts themselves are round, 10, 20, they look like last units."""
    later = starts[1:]
    if not later or starts[0] > 1:
        return False
    round_ones = sum(start % 5 == 0 and start > 0 for start in later)
    after_round = sum((start - 1) % 5 == 0 and start > 1 for start in later)
    return round_ones == len(later) or (round_ones > after_round and round_ones * 3 >= len(later) * 2)


def _out_of_line(component: Component, where: str, entry: Entry, prices: list[Fraction]) -> Iterator[Problem]:
    for low, high in pairwise(prices):
        if low > 0 and high > 0 and max(low, high) / min(low, high) >= OUT_OF_LINE:
            fact = f"{where}{_for_key(entry)}: price {decimal_text(high)} stands next to {decimal_text(low)}"
            yield HUNDREDFOLD.at(_place(component, "rate", entry), fact)


def _amounts(component: Component, where: str) -> Iterator[Problem]:
    """Amounts by key against the typical one; by meter size against the size before it."""
    sized = _by_size(component)
    if sized:
        for group in sized:
            for (_, low), (entry, high) in pairwise(group):
                if low > 0 and high > 0 and max(low, high) / min(low, high) >= OUT_OF_LINE:
                    fact = f"{where}{_for_key(entry)}: {decimal_text(high)} stands next to {decimal_text(low)}"
                    yield HUNDREDFOLD.at(_place(component, "rate", entry), fact)
        return
    amounts = [(entry, entry.value.value) for entry in component.entries if isinstance(entry.value, Number)]
    usual = median([amount for _, amount in amounts if amount > 0] or [Fraction(0)])
    for entry, amount in amounts:
        if len(amounts) > 2 and usual > 0 and amount / usual >= OUT_OF_LINE:
            fact = f"{where}{_for_key(entry)}: {decimal_text(amount)} where {decimal_text(Fraction(usual))} is usual"
            yield HUNDREDFOLD.at(_place(component, "rate", entry), fact)


def meter_size(text: str) -> Fraction | None:
    """Inches of a meter size: 5/8", 1 1/2", 1|1/2", 2 in; None for any other text."""
    found = _SIZE.fullmatch(text.strip())
    if not found or (found[3] and int(found[3]) == 0) or (found[1] and not found[3]):
        return None
    part = Fraction(int(found[2]), int(found[3])) if found[3] else Fraction(int(found[2]))
    return part + int(found[1] or 0)


def _by_size(component: Component) -> list[list[tuple[Entry, Fraction]]]:
    """Amounts in order of meter size, one list for each combination of the other keys."""
    if "meter_size" not in component.depends_on:
        return []
    at = component.depends_on.index("meter_size")
    groups: dict[tuple[str, ...], list[tuple[Fraction, Entry, Fraction]]] = {}
    for entry in component.entries:
        parts = _parts(entry.key, len(component.depends_on))
        size = meter_size(parts[at]) if parts else None
        if parts and size is not None and isinstance(entry.value, Number):
            others = (*parts[:at], *parts[at + 1 :])
            groups.setdefault(others, []).append((size, entry, entry.value.value))
    ordered = (sorted(group, key=lambda each: each[0]) for group in groups.values())
    return [[(entry, amount) for _, entry, amount in group] for group in ordered]


def _parts(key: str, wanted: int) -> list[str]:
    if wanted == 1:
        return [key]
    parts = re.sub(r"(\d)\|(\d+/\d)", r"\1 \2", key).split("|")
    return parts if len(parts) == wanted else []


def _falls_with_size(component: Component, where: str) -> Iterator[Problem]:
    for group in _by_size(component):
        for (smaller, low), (larger, high) in pairwise(group):
            if 0 <= high < low and component.kind != "lookup":
                fact = f"{where}: {decimal_text(low)} for {smaller.key} but {decimal_text(high)} for {larger.key}"
                yield FALLS.at(_place(component, "rate", larger), fact)


def _unit(component: Component, where: str) -> Iterator[Problem]:
    """Water costs some dollars per CCF or 1,000 gallons, and a fraction of a cent per gallon."""
    if component.kind == "flat":
        prices = [entry.value.value for entry in component.entries if isinstance(entry.value, Number)]
    elif component.kind in ("tiered", "budget"):
        prices = [price for entry in component.entries for price in _prices(entry)]
    else:
        return
    highest = max(prices, default=Fraction(0))
    starts = max((start for entry in component.entries for start in _starts(entry)), default=Fraction(0))
    unit = component.unit.upper()
    if unit in ("CCF", "HCF", "KGAL", "M3", "KILOLITRE") and starts >= 1000 and 0 < highest < Fraction(1, 5):
        fact = f"{where}: at most {decimal_text(highest)} per {unit} with tiers from {decimal_text(starts)} looks like gallons"
        yield UNIT.at(_place(component, "unit"), fact)
    if unit in ("GAL", "GALLON", "GALLONS") and highest >= 1:
        fact = f"{where}: {decimal_text(highest)} per gallon looks like a price per CCF or 1,000 gallons"
        yield UNIT.at(_place(component, "unit"), fact)


def _missing_keys(schedule: Schedule) -> Iterator[Problem]:
    """Keys that one component of a schedule has and another, by the same names, lacks: meter sizes without a price."""
    by_names: dict[tuple[str, ...], list[Component]] = {}
    by_season_alone = {(season.name,) for season in schedule.seasons}
    for component in schedule.components.values():
        if component.depends_on and not component.starts and component.depends_on not in by_season_alone:
            by_names.setdefault(component.depends_on, []).append(component)
    for names, components in by_names.items():
        keys: dict[str, str] = {}
        for component in components:
            keys |= {plain_key(entry.key): entry.key for entry in component.entries}
        for component in components:
            have = {plain_key(entry.key) for entry in component.entries}
            lacking = [shown for plain, shown in keys.items() if plain not in have]
            if lacking:
                fact = f"{component.name} of {_pair(schedule)} has no {' | '.join(names)} {', '.join(lacking)}"
                yield MISSING_SIZE.at(_place(component, "keys"), fact)


def _missing_seasons(schedule: Schedule) -> Iterator[Problem]:
    """Charges by season that lack one of the schedule's seasons, or name one that never comes."""
    for component in schedule.components.values():
        for season in schedule.seasons:
            if season.name not in component.depends_on:
                continue
            at, wanted = component.depends_on.index(season.name), {each.key for each in season.entries}
            keys = (_parts(entry.key, len(component.depends_on)) for entry in component.entries)
            priced = {key[at] for key in keys if key}
            where = f"{component.name} of {_pair(schedule)}"
            for key in sorted(wanted - priced):
                yield SEASON.at(_place(component, "keys"), f"{where} has no price for {season.name} {key}")
            for key in sorted(priced - wanted):
                yield SEASON.at(
                    _place(component, "keys"), f"{where} has a price for {season.name} {key}, which never comes"
                )


# ---- OWRS -------------------------------------------------------------------------------------------------------


def _unbilled_fields(source: OwrsTariff, customer_class: str) -> Iterator[Problem]:
    """Fields with a value other than 0 that the bill of the class does not reach."""
    each = source.classes[customer_class]
    reached = set(source_reach(source, customer_class))
    for name, value in each.fields.items():
        if name in reached or not _matters(value):
            continue
        place = Place(file=source.file, line=each.lines[name], key=customer_class, column=name)
        yield UNBILLED.at(place, f"{name} of class {customer_class} is defined but the bill does not reach it")


def source_reach(source: OwrsTariff, customer_class: str) -> list[str]:
    """The fields of a class that its bill reaches, in any way its names may be meant."""
    fields = source.classes[customer_class].fields
    reached: dict[str, None] = {}
    waiting = ["bill"]
    while waiting:
        name = waiting.pop()
        for each in (name, f"{name}_commodity", f"{name}_drought"):
            if each in fields and each not in reached:
                reached[each] = None
                waiting.extend(_mentioned(fields[each]))
    return list(reached)


def _mentioned(value: object) -> list[str]:
    match value:
        case Scalar("Tiered" | "Budget", _):
            return ["tier_starts", "tier_prices", "indoor", "outdoor", "budget"]
        case Scalar(text, _):
            return re.findall(r"[A-Za-z_][\w.]*", text)
        case Listed(items, _):
            return [name for item in items for name in _mentioned(item)]
        case Map(depends_on, values, _, _):
            return [*depends_on, *(name for item in values.values() for name in _mentioned(item))]
        case _:
            return []


def _matters(value: object) -> bool:
    match value:
        case Scalar(text, _) as scalar:
            return text != "" and scalar.number != 0
        case Listed(items, _):
            return any(_matters(item) for item in items)
        case Map(_, values, _, _):
            return any(_matters(item) for item in values.values())
        case _:
            return True
