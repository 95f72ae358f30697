"""The value of a rate schedule's components for many services at once, exactly and only where they are reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt

from xlbilling.trade.tariffs.book import base_of
from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES, PART_OF_CONSUMPTION, SERVICE_DAYS
from xlbilling.trade.tariffs.expressions import Call, Name, Negative, Node, Number, Operation, text_of
from xlbilling.trade.tariffs.refusals import (
    BAD_NUMBER,
    MISSING_INPUT,
    NEGATIVE_CONSUMPTION,
    NO_ARITHMETIC,
    NO_RATE,
    UNKNOWN_KEY,
)
from xlbilling.trade.tariffs.schedule import Component, Entry, Schedule, Tier
from xlbilling.trade.tariffs.services import Codes, Rows, Services, distinct
from xlbilling.words.exact import Exact, decimal_text

HIGHEST_POWER: Final = 64
_KEYS_TOLD: Final = 12


@dataclass(frozen=True, slots=True)
class Slice:
    """What one tier holds of each row: units above `low` up to `high`, priced at `price`."""

    number: int
    low: Exact
    high: Exact | None  # None: no upper end
    quantity: Exact
    price: Exact
    price_texts: list[str]  # by entry
    amount: Exact


class Batch:
    """Services of one schedule, priced as one column each: the schedule's names have values here."""

    def __init__(self, schedule: Schedule, services: Services, rows: Rows, consumption: Exact, days: Codes):
        self.schedule = schedule
        self.services = services
        self.rows = rows
        self.consumption = consumption
        self.days = days
        self._values: dict[str, Exact] = {}
        self._entries: dict[str, Codes] = {}
        self._slices: dict[str, list[Slice]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def part(self, at: Rows) -> Batch:
        """The batch of some of its rows, for formulas that only these rows reach."""
        if len(at) == len(self.rows):
            return self
        return Batch(self.schedule, self.services, self.rows[at], self.consumption.take(at), self.days[at])

    # ---- names ----------------------------------------------------------------------------------------------------

    def value(self, name: str) -> Exact:
        """The value of a name: the consumption, a component of the schedule, or an input of the service."""
        if name in CONSUMPTION_NAMES:
            return self.consumption
        component = self.schedule.find(name)
        if component is not None and component.kind != "input":
            if component.name not in self._values:
                self._values[component.name] = self._component(component)
            return self._values[component.name]
        if name == SERVICE_DAYS:
            return Exact(self.days)
        if name not in self._values:
            self._values[name] = self._input(name)
        return self._values[name]

    def _input(self, name: str) -> Exact:
        if not self.services.has(name):
            self._missing(name, range(len(self)))
            return Exact.constant(0)
        codes, texts = self.services.coded(name)
        numbers, good = self.services.numbers(name)
        mine = codes[self.rows]
        if not good.all():
            for at in np.flatnonzero(~good[mine]):
                text = texts[mine[at]]
                if text:
                    row = int(self.rows[at])
                    self.services.refuse(row, BAD_NUMBER, name, f"{name} is {text!r}, which is no number")
                else:
                    self._missing(name, [int(at)])
        found = numbers.take(mine)
        return self._part_of_consumption(name, found) if name.startswith(PART_OF_CONSUMPTION) else found

    def _part_of_consumption(self, name: str, found: Exact) -> Exact:
        """What one register measured: like consumption never below zero, and on a short bill as if a full one had gone on."""
        for at in np.flatnonzero(found.spread(len(self)).num < 0):
            fact = f"{name} is {decimal_text(found.spread(len(self)).fraction(int(at)))}"
            self.services.refuse(int(self.rows[at]), NEGATIVE_CONSUMPTION, name, fact)
        days = self.services.days[self.rows]
        return found if (days == self.days).all() else found * Exact(self.days, days)

    def _missing(self, name: str, places: range | list[int]) -> None:
        schedule = f"{self.schedule.tariff} {self.schedule.customer_class}"
        for at in places:
            self.services.refuse(
                int(self.rows[at]), MISSING_INPUT, name, f"{schedule} needs {name}, which is not given"
            )

    def texts(self, name: str) -> tuple[Codes, list[str]]:
        """A name as text to look up by: (code of each row, texts)."""
        component = self.schedule.find(name)
        if component is not None and component.kind == "season":
            season = self._sound(component.entries[0], np.arange(len(self)))
            return np.zeros(len(self), dtype=np.int64), [season.key]
        computed = component is not None and component.kind != "input"
        if computed or name in CONSUMPTION_NAMES or name == SERVICE_DAYS:
            values = self.value(name).spread(len(self))
            den = values.den if isinstance(values.den, np.ndarray) else np.full(len(self), values.den)
            codes, first = distinct(values.num, den)
            return codes, [decimal_text(values.fraction(int(at))) for at in first]
        if not self.services.has(name):
            self._missing(name, range(len(self)))
            return np.zeros(len(self), dtype=np.int64), [""]
        codes, texts = self.services.coded(name)
        mine = codes[self.rows]
        if "" in texts:
            self._missing(name, [int(at) for at in np.flatnonzero(mine == texts.index(""))])
        return mine, texts

    # ---- keys -----------------------------------------------------------------------------------------------------

    def entry_of(self, component: Component) -> Codes:
        """Which entry of a component each row is priced by; a row without one is refused."""
        if component.name not in self._entries:
            self._entries[component.name] = self._find_entries(component)
        return self._entries[component.name]

    def _find_entries(self, component: Component) -> Codes:
        if not component.depends_on:
            return np.zeros(len(self), dtype=np.int64)
        if component.starts:
            reached = self.value(component.depends_on[0]).spread(len(self))
            found = np.sum([reached >= start for start in component.starts], axis=0, dtype=np.int64) - 1
            for at in np.flatnonzero(found < 0):
                value = decimal_text(reached.fraction(int(at)))
                self._unknown(component, int(at), f"{component.depends_on[0]} {value} is below every start")
            return np.maximum(found, 0)
        columns = [self.texts(name) for name in component.depends_on]
        if len(columns) == 1:
            codes, texts = columns[0]
            keys = {int(code): texts[code] for code in np.unique(codes)}
        else:
            codes, first = distinct(*(codes for codes, _ in columns))
            keys = {code: "|".join(texts[column[at]] for column, texts in columns) for code, at in enumerate(first)}
        table = np.full(max(keys, default=0) + 1, -1, dtype=np.int64)
        for code, key in keys.items():
            table[code] = component.entry_at(key)
        found = table[codes]
        for at in np.flatnonzero(found < 0):
            self._unknown(component, int(at), repr(keys[int(codes[at])]))
        return np.maximum(found, 0)

    def _unknown(self, component: Component, at: int, key: str) -> None:
        there = [entry.key for entry in component.entries]
        shown = ", ".join(there[:_KEYS_TOLD]) + (
            f" and {len(there) - _KEYS_TOLD} more" if len(there) > _KEYS_TOLD else ""
        )
        fact = f"{component.name} has no price for {' | '.join(component.depends_on)} {key}; there are {shown}"
        self.services.refuse(int(self.rows[at]), UNKNOWN_KEY, component.depends_on[0], fact)

    def by_entry(self, component: Component, work: Callable[[Batch, Entry], Exact]) -> Exact:
        """One value a row, worked out entry by entry for the rows that have it."""
        which = self.entry_of(component)
        if len(component.entries) == 1:
            return work(self, self._sound(component.entries[0], np.arange(len(self))))
        parts, places = [], []
        for entry in np.unique(which):
            at = np.flatnonzero(which == entry)
            part = self.part(at)
            parts.append(work(part, self._sound(component.entries[entry], at)).spread(len(at)))
            places.append(at)
        back = np.empty(len(self), dtype=np.intp)
        back[np.concatenate(places) if places else np.zeros(0, dtype=np.intp)] = np.arange(len(self))
        return Exact.joined(parts).take(back)

    def _sound(self, entry: Entry, at: Rows) -> Entry:
        if entry.problem:
            remedy = "Fill in the row on Rates." if entry.refused_as is NO_RATE else entry.refused_as.remedy
            for row in self.rows[at]:
                self.services.refuse(int(row), entry.refused_as, "tariff", entry.problem, remedy)
        return entry

    # ---- components -----------------------------------------------------------------------------------------------

    def rate(self, component: Component) -> Exact:
        """The rate or formula value of a component, by the row's key."""
        values = [entry.value for entry in component.entries]
        if all(isinstance(value, Number) for value in values):
            constants = Exact.of([value.value for value in values if isinstance(value, Number)])
            return constants if len(values) == 1 else constants.take(self.entry_of(component))
        return self.by_entry(component, lambda part, entry: part.formula(entry.value or Number(Fraction(0))))

    def _component(self, component: Component) -> Exact:  # noqa: PLR0911 (one answer per kind)
        match component.kind:
            case "tiered" | "budget":
                total = Exact.constant(0)
                for each in self.slices(component):
                    total = total + each.amount
                return total
            case "flat":
                return self.rate(component) * self.consumption
            case "per_unit":
                return self.rate(component) * self.formula(component.counted or Number(Fraction(0)))
            case "percentage":
                return self.rate(component) * self.base(component) * Fraction(1, 100)
            case "minimum":
                return (self.rate(component) - self.base(component)).maximum(0)
            case "cap":
                return (self.rate(component) - self.base(component)).minimum(0)
            case _:
                return self.rate(component)

    def base(self, component: Component) -> Exact:
        """The unrounded sum of the charges a percentage, minimum or cap is taken of."""
        total = Exact.constant(0)
        for name in base_of(component, self.schedule):
            total = total + self.value(name)
        return total

    def slices(self, component: Component) -> list[Slice]:
        """The tiers of a tiered or budget component, each with what it holds of every row's consumption."""
        if component.name not in self._slices:
            self._slices[component.name] = self._find_slices(component)
        return self._slices[component.name]

    def _find_slices(self, component: Component) -> list[Slice]:
        which = self.entry_of(component)
        for number, entry in enumerate(component.entries):
            if entry.problem:
                self._sound(entry, np.flatnonzero(which == number))
        slices: list[Slice] = []
        low = Exact.constant(0)
        for number in range(1, max(len(entry.tiers) for entry in component.entries) + 1):
            there = np.array([len(entry.tiers) >= number for entry in component.entries])
            ends = np.array([len(entry.tiers) > number for entry in component.entries])
            high = low.maximum(self._end(component, number)) if ends.any() else None
            reached = self.consumption if high is None else self.consumption.minimum(high)
            if high is not None and not ends.all():
                reached = Exact.where(ends[which], reached, self.consumption)
            quantity = (reached - low).maximum(0)
            if not there.all():
                quantity = Exact.where(there[which], quantity, 0)
            price = self._price(component, number)
            texts = [
                entry.tiers[number - 1].price_text if len(entry.tiers) >= number else "" for entry in component.entries
            ]
            slices.append(Slice(number, low, high, quantity, price, texts, quantity * price))
            if high is not None:
                low = high
        return slices

    def _end(self, component: Component, number: int) -> Exact:
        """Where tier `number` ends: its own cap, or one unit below the first unit of the next tier."""
        ends: list[Fraction | None] = []
        for entry in component.entries:
            tier = entry.tiers[number - 1] if len(entry.tiers) > number else None
            following = entry.tiers[number] if tier else None
            if tier is None or following is None:
                ends.append(Fraction(0))
            elif tier.cap is not None:
                ends.append(tier.cap)
            elif tier.cap_share is not None or tier.cap_name:
                ends.append(None)
            elif isinstance(following.from_unit, Number):
                ends.append(following.from_unit.value - 1)
            else:
                ends.append(None if following.from_unit is not None else Fraction(0))
        which = self.entry_of(component)
        if all(end is not None for end in ends):
            constants = Exact.of([end for end in ends if end is not None])
            return constants if len(ends) == 1 else constants.take(which)
        return self.by_entry(component, lambda part, entry: part._worked_end(entry, number))

    def _worked_end(self, entry: Entry, number: int) -> Exact:
        """Where a tier ends that is no plain number.

        A budget tier: N% of the budget, or the indoor or outdoor budget, in whole units, half to even. A tier whose
        next first unit is a formula: one unit below it.
        """
        if len(entry.tiers) <= number:
            return Exact.constant(0)
        tier = entry.tiers[number - 1]
        if tier.cap is not None:
            return Exact.constant(tier.cap)
        following = entry.tiers[number].from_unit
        if not tier.cap_name and tier.cap_share is None:
            return self.formula(following) - 1 if following is not None else Exact.constant(0)
        if tier.cap_share is not None:
            return (self.value("budget") * tier.cap_share).round_half_even()
        return self.value(tier.cap_name).round_half_even()

    def _price(self, component: Component, number: int) -> Exact:
        def price_of(tiers: tuple[Tier, ...]) -> Node:
            return tiers[number - 1].price if len(tiers) >= number else Number(Fraction(0))

        prices = [price_of(entry.tiers) for entry in component.entries]
        if all(isinstance(price, Number) for price in prices):
            constants = Exact.of([price.value for price in prices if isinstance(price, Number)])
            return constants if len(prices) == 1 else constants.take(self.entry_of(component))
        return self.by_entry(component, lambda part, entry: part.formula(price_of(entry.tiers)))

    # ---- formulas -------------------------------------------------------------------------------------------------

    def formula(self, node: Node) -> Exact:
        """The value of a formula for every row of the batch."""
        match node:
            case Number(value):
                return Exact.constant(value)
            case Name(name):
                return self.value(name)
            case Negative(of):
                return -self.formula(of)
            case Call(function, arguments):
                return self._call(function, [self.formula(argument) for argument in arguments], node)
            case Operation(sign, left, right):
                return self._operation(sign, self.formula(left), self.formula(right), node)

    def _operation(self, sign: str, left: Exact, right: Exact, node: Node) -> Exact:
        match sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case "/":
                return left / self._not_zero(right, node)
            case _:
                return self._power(left, right, node)

    def _not_zero(self, value: Exact, node: Node) -> Exact:
        zero = np.asarray(value.num == 0, dtype=np.bool_)
        if not zero.any():
            return value
        self._no_arithmetic(zero, f"{text_of(node)} divides by zero")
        return Exact.where(zero, 1, value)

    def _no_arithmetic(self, rows: npt.NDArray[np.bool_], fact: str) -> None:
        for row in self.rows[np.broadcast_to(rows, len(self))]:
            self.services.refuse(int(row), NO_ARITHMETIC, "tariff", fact)

    def _power(self, left: Exact, right: Exact, node: Node) -> Exact:
        """Whole powers only: a root has no exact value."""
        bad = ~right.equals(right.floor()) | (abs(right) > HIGHEST_POWER) | (left.equals(0) & (right < 0))
        self._no_arithmetic(bad, f"{text_of(node)}: only whole powers up to {HIGHEST_POWER} have an exact value")
        power = np.where(bad, 0, right.floor().num).astype(np.int64)
        if len(power) == 1:
            return left ** int(power[0])
        base = left.spread(len(power))
        result = Exact.constant(1).spread(len(power))
        for each in np.unique(power):
            mine = power == each
            safe = Exact.where(mine, base, 1)
            result = Exact.where(mine, safe ** int(each), result)
        return result

    def _call(self, function: str, values: list[Exact], node: Node) -> Exact:
        first, *others = values
        if function in ("min", "max"):
            for other in others:
                first = first.minimum(other) if function == "min" else first.maximum(other)
            return first
        places = 0
        if others:
            if len(others[0]) != 1 or others[0].fraction(0).denominator != 1:
                self._no_arithmetic(np.ones(1, dtype=np.bool_), f"{text_of(node)}: places are a whole number")
                return first
            places = int(others[0].fraction(0))
        return first.round_half_even(places) if function == "round" else first.round_half_up(places)
