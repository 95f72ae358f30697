"""A rate schedule written as an OWRS file, for other tools and for sharing; what the format cannot say is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from xlbilling.trade.tariffs.book import base_of, reached_by_bills
from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES
from xlbilling.trade.tariffs.expressions import Call, Name, Node, Number, children, rewritten, text_of
from xlbilling.trade.tariffs.schedule import Component, Entry, Schedule, Tier
from xlbilling.words.exact import decimal_text
from xlbilling.words.problems import Place, Refusal, declare

NO_OWRS: Final = declare(
    "owrs_cannot_say",
    "The OWRS format has no words for something in the rate schedule.",
    "Keep this schedule in the Rates table.",
)
_USAGE: Final = "usage_ccf"


@dataclass(slots=True)
class _Fields:
    """The fields of one class being written, in order, and the names components have there."""

    schedule: Schedule
    fields: dict[str, list[str]] = field(default_factory=dict)

    def name(self, name: str) -> str:
        if name in CONSUMPTION_NAMES:
            return _USAGE
        component = self.schedule.find(name)
        return name if component is None else identifier(component.name)

    def formula(self, tree: Node) -> str:
        def renamed(node: Node) -> Node | None:
            return Name(self.name(node.name)) if isinstance(node, Name) else None

        for node in _calls(tree):
            if node.function == "round_half_up":
                raise _cannot(self.schedule, "round_half_up()")
        return text_of(rewritten(tree, renamed))


def identifier(name: str) -> str:
    """A component's name as formulas of the format can use it."""
    plain = re.sub(r"\W+", "_", name).strip("_")
    return plain if plain and not plain[0].isdigit() else f"charge_{plain}"


def _cannot(schedule: Schedule, what: str) -> Refusal:
    place = Place("rates", schedule.tariff, "kind")
    return Refusal(NO_OWRS.at(place, f"{schedule.tariff} {schedule.customer_class} uses {what}"))


def _calls(tree: Node) -> list[Call]:
    inner = [call for child in children(tree) for call in _calls(child)]
    return [tree, *inner] if isinstance(tree, Call) else inner


def owrs_text(schedules: list[Schedule], metadata: dict[str, str]) -> str:
    """One version of each class as an OWRS file; Refusal for rounding or arithmetic the format does not have."""
    lines = ["---", "metadata:"]
    lines += [f"  {key}: {_quoted(value)}" for key, value in metadata.items()]
    lines.append("rate_structure:")
    for schedule in schedules:
        written = _Fields(schedule)
        reached = reached_by_bills(schedule)
        for component in schedule.components.values():
            if component.name in reached and component.kind != "input":
                _component(written, component)
        bill = " + ".join(identifier(charge.name) for charge in schedule.charges)
        # A bill of one line that is itself called bill stays the field it is.
        if bill != "bill":
            written.fields["bill"] = [_quoted(bill)]
        lines.append(f"  {schedule.customer_class}:")
        for name, value in written.fields.items():
            lines.append(f"    {name}: {value[0]}".rstrip())
            lines.extend(f"      {line}" for line in value[1:])
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _component(written: _Fields, component: Component) -> None:
    name = identifier(component.name)
    if name in written.fields:
        raise _cannot(written.schedule, f"two components that would both be called {name}")
    if component.kind == "season":
        raise _cannot(written.schedule, "seasons by date")
    written.fields[name] = []
    if component.kind in ("tiered", "budget"):
        written.fields[name] = [component.kind.capitalize()]
        starts, prices = _tier_names(name)
        written.fields[starts] = _keyed(written, component, lambda entry: _starts(written, component, entry))
        written.fields[prices] = _keyed(written, component, lambda entry: _prices(written, entry))
        return
    amounts = _keyed(written, component, lambda entry: [_amount(written, entry)])
    factor = _factor(written, component)
    if not factor:
        written.fields[name] = amounts
        return
    rate = f"rate_of_{name}"
    written.fields[rate] = amounts
    written.fields[name] = [_quoted(factor.replace("{rate}", rate))]


def _tier_names(name: str) -> tuple[str, str]:
    own = "" if name == "commodity_charge" else f"_{name}"
    return f"tier_starts{own}", f"tier_prices{own}"


def _factor(written: _Fields, component: Component) -> str:
    """What the rate of a charge is combined with, in the words of the format; "" where the rate is the charge."""
    match component.kind:
        case "flat":
            return f"{{rate}}*{_USAGE}"
        case "per_unit" if component.counted is not None:
            return f"{{rate}}*({written.formula(component.counted)})"
        case "percentage":
            return f"{{rate}}*({_base(written, component)})/100"
        case "minimum":
            return f"max(0, {{rate}} - ({_base(written, component)}))"
        case "cap":
            return f"min(0, {{rate}} - ({_base(written, component)}))"
        case _:
            return ""


def _base(written: _Fields, component: Component) -> str:
    return " + ".join(identifier(name) for name in base_of(component, written.schedule)) or "0"


def _keyed(written: _Fields, component: Component, of: Callable[[Entry], list[str]]) -> list[str]:
    """A field's value: one value, or a map by the names it depends on."""
    if not component.depends_on:
        found = of(component.entries[0])
        return [found[0]] if len(found) == 1 else ["", *(f"- {each}" for each in found)]
    lines = ["", "depends_on:", *(f"  - {written.name(name)}" for name in component.depends_on)]
    if component.starts:
        lines += ["x_starts:", *(f"  - {decimal_text(start)}" for start in component.starts), "values:"]
        for entry in component.entries:
            found = of(entry)
            if len(found) > 1:
                raise _cannot(written.schedule, "tiers by the last start reached")
            lines.append(f"  - {found[0]}")
        return lines
    lines.append("values:")
    for entry in component.entries:
        found = of(entry)
        if len(found) == 1:
            lines.append(f"  {_quoted(entry.key)}: {found[0]}")
        else:
            lines += [f"  {_quoted(entry.key)}:", *(f"    - {each}" for each in found)]
    return lines


def _amount(written: _Fields, entry: Entry) -> str:
    if entry.value is None:
        return "~"
    if isinstance(entry.value, Number):
        return decimal_text(entry.value.value)
    return _quoted(written.formula(entry.value))


def _starts(written: _Fields, component: Component, entry: Entry) -> list[str]:
    """First units (tiered) or caps (budget) of an entry's tiers; the first is never read and stands as 0."""
    found = ["0"]
    for tier, following in pairwise(entry.tiers):
        found.append(_budget_cap(tier) if component.kind == "budget" else _first_unit(written, tier, following))
    return found


def _budget_cap(tier: Tier) -> str:
    if tier.cap_share is not None:
        return f"{decimal_text(tier.cap_share * 100)}%"
    return tier.cap_name or (decimal_text(tier.cap) if tier.cap is not None else "~")


def _first_unit(written: _Fields, tier: Tier, following: Tier) -> str:
    if tier.cap is not None:
        return decimal_text(tier.cap + 1)
    if following.from_unit is None:
        return "~"
    if isinstance(following.from_unit, Number):
        return decimal_text(following.from_unit.value)
    return _quoted(written.formula(following.from_unit))


def _prices(written: _Fields, entry: Entry) -> list[str]:
    return [
        decimal_text(tier.price.value) if isinstance(tier.price, Number) else _quoted(written.formula(tier.price))
        for tier in entry.tiers
    ]
