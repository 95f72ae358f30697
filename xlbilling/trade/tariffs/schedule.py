"""A rate schedule as the pricing sees it: components with keyed entries, in force from a date."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Final

from xlbilling.trade.tariffs.expressions import Node
from xlbilling.trade.tariffs.refusals import NO_RATE
from xlbilling.words.exact import decimal_text, parse_decimal
from xlbilling.words.problems import Kind, Problem

_BOOLEANS: Final = {"true": "true", "yes": "true", "false": "false", "no": "false"}
_TRAILING_ZEROS: Final = re.compile(r"-?\d+(\.\d*)?")


def plain_key(text: str) -> str:
    """A key without differences that mean nothing: 1.50 is 1.5, TRUE and Yes are true, spaces run together."""
    return "|".join(_plain_part(part) for part in text.split("|"))


def _plain_part(part: str) -> str:
    bare = " ".join(part.split())
    if _TRAILING_ZEROS.fullmatch(bare):
        value = parse_decimal(bare)
        return bare if value is None else decimal_text(value)
    return _BOOLEANS.get(bare.lower(), bare)


@dataclass(frozen=True, slots=True)
class Tier:
    """One tier: its first unit or its own last unit or cap, and its price."""

    number: int
    from_unit: Node | None
    cap: Fraction | None
    cap_share: Fraction | None  # N% of the budget, as N/100
    cap_name: str  # indoor or outdoor: that budget, rounded
    price: Node
    price_text: str
    rate_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What a component is for one key: an amount or formula, or tiers."""

    key: str
    value: Node | None
    rate_text: str
    tiers: tuple[Tier, ...]
    rate_id: str
    problem: str = ""  # why this entry cannot be used; told to the services that reach it
    refused_as: Kind = NO_RATE


@dataclass(frozen=True, slots=True)
class Component:
    """One charge or named quantity, in force from a date by a resolution."""

    name: str
    kind: str
    depends_on: tuple[str, ...]
    starts: tuple[Fraction, ...]  # of a "last start reached" lookup; empty for exact keys
    entries: tuple[Entry, ...]
    counted: Node | None  # what a per_unit charge counts
    base: tuple[str, ...]  # the charges a percentage, minimum or cap is taken of
    on_bill: bool
    position: int
    unit: str
    gl_account: str
    effective_from: dt.date
    effective_to: dt.date | None
    applies_by: str
    resolution: str
    rounding: str
    description: str
    by_key: dict[str, int] = field(default_factory=dict, compare=False)
    first_days: tuple[tuple[int, int], ...] = ()  # month and day each season begins; empty where it is settled
    gone: tuple[Problem, ...] = ()  # what this version lacks of the one before

    def entry_at(self, key: str) -> int:
        """The place of the entry for a joined key, -1 where there is none."""
        found = self.by_key.get(key)
        return self.by_key.get(plain_key(key), -1) if found is None else found


@dataclass(frozen=True, slots=True)
class Schedule:
    """The components in force for one tariff and class from a date until the next change."""

    tariff: str
    customer_class: str
    effective_from: dt.date
    applies_by: str
    components: dict[str, Component]
    unpriced: tuple[str, ...] = ()  # components that ended before these days and start again after them
    _in_season: dict[tuple[str, int], Schedule] = field(default_factory=dict, compare=False, repr=False)

    def find(self, name: str) -> Component | None:
        """The component a formula means by a name: its own name, or that with spaces written as underscores."""
        found = self.components.get(name)
        if found is None and "_" in name:
            spoken = (each for each in self.components if re.sub(r"\W+", "_", each) == name)
            found = self.components.get(next(spoken, ""))
        return found

    @property
    def priced(self) -> bool:
        """Whether every component has a price on these days, or has ended for good."""
        return bool(self.components) and not self.unpriced

    @property
    def charges(self) -> list[Component]:
        return [component for component in self.components.values() if component.on_bill]

    @property
    def seasons(self) -> list[Component]:
        """The season components that are not settled on one season yet."""
        return [component for component in self.components.values() if component.first_days]

    def in_season(self, component: Component, place: int) -> Schedule:
        """This schedule with a season component settled on one of its seasons; the same one every time."""
        key = (component.name, place)
        if key not in self._in_season:
            settled = replace(component, entries=(component.entries[place],), first_days=())
            self._in_season[key] = replace(self, components=self.components | {component.name: settled}, _in_season={})
        return self._in_season[key]


@dataclass(frozen=True, slots=True)
class RateBook:
    """Every rate schedule: versions by (tariff, class) in date order, and why the others cannot be used."""

    schedules: dict[tuple[str, str], list[Schedule]]
    unusable: dict[tuple[str, str], Problem]

    def versions(self, tariff: str, customer_class: str) -> list[Schedule]:
        return self.schedules.get((tariff, customer_class), [])

    def in_force(self, tariff: str, customer_class: str, day: dt.date) -> Schedule | None:
        """The schedule in force on a day."""
        started = [each for each in self.versions(tariff, customer_class) if each.effective_from <= day]
        return started[-1] if started and started[-1].components else None
