"""A rate schedule as native Excel formulas, so that the workbook recomputes every line by itself.

Only functions that Excel 2016 and LibreOffice 7.4 both have: ROUND, MIN, MAX, ABS, INT, IF, INDEX, MATCH, NA.
The audit sheet has one row per service and segment. For each row the caller says where its inputs stand (`cells`), where
a rate stands (`rate_cell`), which cell the n-th column returned here becomes (`column_cell`), and, if it likes
INDEX/MATCH better than nested IFs, how a key is looked up among rate rows (`lookup`). The sum of the columns with
`rounds` is the bill of that segment, to the cent what `price` bills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

from xlbilling.trade.tariffs.book import base_of
from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES, PART_OF_CONSUMPTION, SERVICE_DAYS
from xlbilling.trade.tariffs.expressions import Call, Name, Negative, Node, Number, Operation, names, text_of
from xlbilling.trade.tariffs.keys import key_text
from xlbilling.trade.tariffs.schedule import Component, Entry, Schedule
from xlbilling.words.exact import decimal_text

DEEPEST_IF: Final = 60
_COUNTED: Final = CONSUMPTION_NAMES | {SERVICE_DAYS}  # always numbers on the audit sheet

RateCell = Callable[[str, str], str]  # (rate row id, Rates column: "rate" or "from_unit") -> reference, e.g. Rates!$K$7
ColumnCell = Callable[[int], str]  # position of a returned column -> reference in the same row, e.g. $H5
Lookup = Callable[[str, Sequence[str], str], str]  # (key as formula text, rate row ids, Rates column) -> formula text


@dataclass(frozen=True, slots=True)
class AuditColumn:
    """One column of formulas; the columns with `rounds` are bill lines, and their sum is the bill."""

    heading: str
    formula: str
    rounds: bool = False
    charge: str = ""
    tier: int = 0


def audit_formulas(
    schedule: Schedule,
    cells: Mapping[str, str],
    rate_cell: RateCell,
    column_cell: ColumnCell,
    lookup: Lookup | None = None,
    lasts: Mapping[str, str | None] = MappingProxyType({}),
) -> list[AuditColumn]:
    """The formulas of one schedule for one row of the audit sheet, in an order in which each needs only earlier ones.

    `cells`: a reference for `consumption` (units, not millionths) and for every input of the schedule (`inputs_of`);
    `service_days` where a formula uses it; for a segment that is part of a bill also `segment_days` and `all_days`,
    and on first and last bills `nominal_days` (days of a full bill). KeyError names an input without a cell.
    `lookup` gets the key as Excel text (`"meter_size="&$D5`), as column keys of the Rates table writes it. `lasts`: of
    charges that are billed over several segments at once the days they stand for, as formula text; blank where they
    stand for a full bill, None where an earlier segment bills them.
    """
    writer = _Writer(schedule, cells, rate_cell, column_cell, lookup, lasts)
    for charge in schedule.charges:
        writer.charge(charge)
    return writer.columns


class _Writer:
    def __init__(
        self,
        schedule: Schedule,
        cells: Mapping[str, str],
        rate_cell: RateCell,
        column_cell: ColumnCell,
        lookup: Lookup | None,
        lasts: Mapping[str, str | None],
    ):
        self.schedule, self.cells, self.lasts = schedule, cells, lasts
        self.rate_cell, self.column_cell, self.lookup = rate_cell, column_cell, lookup
        self.columns: list[AuditColumn] = []
        self._values: dict[str, str] = {}
        self._quantities: dict[str, list[tuple[int, str, str]]] = {}
        self._full = cells.get("nominal_days") or cells.get("all_days", "")
        used = [name for component in schedule.components.values() for name in _names(component, schedule)]
        found = (schedule.find(name) for name in used)
        self._used = {component.name for component in found if component is not None}

    def _column(self, heading: str, formula: str, rounds: bool = False, charge: str = "", tier: int = 0) -> str:
        self.columns.append(AuditColumn(heading, f"={formula}", rounds, charge, tier))
        return self.column_cell(len(self.columns) - 1)

    # ---- charges --------------------------------------------------------------------------------------------------

    def charge(self, charge: Component) -> None:
        """The rounded bill lines of a charge; none where an earlier segment bills it."""
        if charge.name in self.lasts and self.lasts[charge.name] is None:
            return
        if charge.kind in ("tiered", "budget"):
            for number, quantity, price in self._tiers(charge):
                self._line(charge, f"{quantity}*{price}", number)
            return
        if charge.name in self._used:
            self._line(charge, self._value(charge.name))
        else:
            self._line(charge, self._amount(charge))

    def _line(self, charge: Component, amount: str, tier: int = 0) -> None:
        heading = f"{charge.name} tier {tier}" if tier else charge.name
        days = self.lasts.get(charge.name, self.cells.get("segment_days"))
        if days:
            amount = f"({amount})*{days}/{self._full}"
        if charge.rounding == "half_even":
            hundredfold = self._column(f"{heading} in cents", f"ROUND(({amount})*100,7)")
            self._column(heading, f"{_half_even(hundredfold)}/100", True, charge.name, tier)
        else:
            # Sums and shares carry the noise of binary fractions (150-159.455 is -9.45499999999998): off it goes first.
            one_product = charge.kind in ("fixed", "flat", "tiered", "budget") and self._has_decimals(charge)
            exact = amount if one_product and not days else f"ROUND({amount},9)"
            self._column(heading, f"ROUND({exact},2)", True, charge.name, tier)

    def _has_decimals(self, component: Component) -> bool:
        """Whether its prices, tier starts and the consumption are plain decimals; 100/43 of a short bill is none."""
        trees = [entry.value for entry in component.entries]
        trees += [tree for entry in component.entries for tier in entry.tiers for tree in (tier.price, tier.from_unit)]
        return "nominal_days" not in self.cells and all(tree is None or isinstance(tree, Number) for tree in trees)

    def _value(self, name: str) -> str:
        """Where the unrounded value of a name stands, for the bill in full."""
        component = self.schedule.find(name)
        if component is None or component.kind == "input":
            return self._input(name)
        if component.kind == "season":
            return _quoted(component.entries[0].key)
        if component.name not in self._values:
            if component.kind in ("tiered", "budget"):
                amount = "+".join(f"{quantity}*{price}" for _, quantity, price in self._tiers(component))
            else:
                amount = self._amount(component)
            heading = f"{component.name} unrounded" if component.on_bill else component.name
            self._values[component.name] = self._column(heading, amount)
        return self._values[component.name]

    def _number(self, name: str) -> str:
        """A name to reckon with: an input's cell may hold text, which MIN passes over and >= takes for more than any number."""
        component = self.schedule.find(name)
        given = component is None or component.kind == "input"
        return f"({self._value(name)}+0)" if given and name not in _COUNTED else self._value(name)

    def _input(self, name: str) -> str:
        if name not in CONSUMPTION_NAMES and not name.startswith(PART_OF_CONSUMPTION):
            return self.cells[name]
        consumption = self.cells["consumption" if name in CONSUMPTION_NAMES else name]
        if "nominal_days" not in self.cells:
            return consumption
        return f"({consumption}*{self.cells['nominal_days']}/{self.cells['all_days']})"

    def _amount(self, component: Component) -> str:
        """The unrounded amount of a component without tiers, as formula text."""
        rate = self._rate(component)
        match component.kind:
            case "flat":
                return f"{rate}*{self._input('consumption')}"
            case "per_unit" if component.counted is not None:
                return f"{rate}*{self._formula(component.counted)}"
            case "percentage":
                return f"({self._base(component)})*{rate}/100"
            case "minimum":
                return f"MAX(0,{rate}-({self._base(component)}))"
            case "cap":
                return f"MIN(0,{rate}-({self._base(component)}))"
            case _:
                return rate

    def _base(self, component: Component) -> str:
        return "+".join(self._value(name) for name in base_of(component, self.schedule)) or "0"

    # ---- keys -----------------------------------------------------------------------------------------------------

    def _rate(self, component: Component) -> str:
        if all(isinstance(entry.value, Number) for entry in component.entries):
            return self._by_key(component, [(entry, entry.rate_id, "") for entry in component.entries], "rate")
        texts = [(entry, "", self._formula(entry.value) if entry.value else "NA()") for entry in component.entries]
        return self._by_key(component, texts, "rate")

    def _by_key(self, component: Component, choices: list[tuple[Entry, str, str]], column: str) -> str:
        """What stands for the row's key: (entry, rate row id, or formula text where it is no plain cell)."""
        texts = [text or self.rate_cell(rate_id, column) for _, rate_id, text in choices]
        if not component.depends_on:
            return texts[0]
        if component.starts:
            return self._last_start(component, texts)
        key = self._key(component)
        if self.lookup is not None and all(rate_id and not text for _, rate_id, text in choices):
            written = self._key_text(component)
            return self.lookup(written, [rate_id for _, rate_id, _ in choices], column)
        if len(set(texts)) == 1 and not choices[0][1]:
            return texts[0]
        if len(texts) > DEEPEST_IF:
            raise ValueError(
                f"{component.name} has {len(texts)} keys; nested IFs end at {DEEPEST_IF}, so give a lookup"
            )
        result = "NA()"
        for (entry, _, _), text in zip(reversed(choices), reversed(texts), strict=True):
            result = f"IF({key}={_quoted(entry.key)},{text},{result})"
        return f"({result})"

    def _last_start(self, component: Component, texts: list[str]) -> str:
        reached, result = self._number(component.depends_on[0]), "NA()"
        for start, text in zip(component.starts, texts, strict=True):
            result = f"IF({reached}>={_decimal(start)},{text},{result})"
        return f"({result})"

    def _key(self, component: Component) -> str:
        return '&"|"&'.join(f"{self._value(name)}" for name in component.depends_on) + (
            '&""' if len(component.depends_on) == 1 else ""
        )

    def _key_text(self, component: Component) -> str:
        """The key as the Rates table writes it: "meter_size="&$D5&"; pressure_zone="&$E5."""
        if all(
            "|" in entry.key and key_text(component.depends_on, entry.key).count("; ") == 0
            for entry in component.entries
        ):
            return f"{_quoted('|'.join(component.depends_on) + '=')}&{self._key(component)}"
        parts = []
        for place, name in enumerate(component.depends_on):
            parts.append(f"{_quoted(('; ' if place else '') + name + '=')}&{self._value(name)}")
        return "&".join(parts)

    # ---- tiers ----------------------------------------------------------------------------------------------------

    def _tiers(self, component: Component) -> list[tuple[int, str, str]]:
        """Of every tier: its number, where the units it holds stand, and its price as formula text."""
        if component.name in self._quantities:
            return self._quantities[component.name]
        consumption = self._input("consumption")
        # Decimals lose the noise of binary fractions at once; what never ends is cut only in the amount, where it is small.
        units = "ROUND({},9)" if self._has_decimals(component) else "{}"
        low, found = "0", []
        most = max(len(entry.tiers) for entry in component.entries)
        for number in range(1, most + 1):
            last = all(len(entry.tiers) <= number for entry in component.entries)
            heading = f"{component.name} tier {number}"
            if last:
                quantity = self._column(f"{heading} units", units.format(f"MAX(0,{consumption}-{low})"))
            else:
                end = self._end(component, number, consumption)
                high = self._column(f"{heading} up to", f"MAX({low},{end})")
                held = f"MAX(0,MIN({consumption},{high})-{low})"
                quantity = self._column(f"{heading} units", units.format(held))
                low = high
            found.append((number, quantity, self._price(component, number)))
        self._quantities[component.name] = found
        return found

    def _end(self, component: Component, number: int, consumption: str) -> str:
        """Where a tier ends; for a key whose last tier this is, at the consumption itself."""
        choices: list[tuple[Entry, str, str]] = []
        for entry in component.entries:
            if len(entry.tiers) <= number:
                choices.append((entry, "", consumption))
                continue
            tier, following = entry.tiers[number - 1], entry.tiers[number]
            if tier.cap is not None:
                choices.append((entry, "", _decimal(tier.cap)))
            elif tier.cap_share is not None:
                share = f"ROUND({self._value('budget')}*{_decimal(tier.cap_share)},7)"
                choices.append((entry, "", _half_even(self._column(f"{component.name} tier {number} budget", share))))
            elif tier.cap_name:
                whole = f"ROUND({self._value(tier.cap_name)},7)"
                choices.append((entry, "", _half_even(self._column(f"{component.name} tier {number} budget", whole))))
            elif isinstance(following.from_unit, Number):
                choices.append((entry, following.rate_id, ""))
            else:
                start = self._formula(following.from_unit) if following.from_unit else "NA()"
                choices.append((entry, "", f"({start}-1)"))
        if all(rate_id for _, rate_id, _ in choices):
            return f"({self._by_key(component, choices, 'from_unit')}-1)"
        cells = [(e, "", text or f"({self.rate_cell(rate_id, 'from_unit')}-1)") for e, rate_id, text in choices]
        return self._by_key(component, cells, "from_unit")

    def _price(self, component: Component, number: int) -> str:
        choices: list[tuple[Entry, str, str]] = []
        for entry in component.entries:
            if len(entry.tiers) < number:
                choices.append((entry, "", "0"))
                continue
            tier = entry.tiers[number - 1]
            plain = isinstance(tier.price, Number)
            choices.append((entry, tier.rate_id if plain else "", "" if plain else self._formula(tier.price)))
        return self._by_key(component, choices, "rate")

    # ---- formulas -------------------------------------------------------------------------------------------------

    def _formula(self, node: Node) -> str:
        match node:
            case Number(value):
                return _decimal(value)
            case Name(name):
                return self._number(name)
            case Negative(of):
                return f"(-{self._formula(of)})"
            case Operation(sign, left, right):
                return f"({self._formula(left)}{sign}{self._formula(right)})"
            case Call("min" | "max" as function, arguments):
                return f"{function.upper()}({','.join(self._formula(argument) for argument in arguments)})"
            case Call(function, arguments):
                return self._rounded(function, arguments, node)

    def _rounded(self, function: str, arguments: tuple[Node, ...], node: Node) -> str:
        """round() is half to even, which no function of Excel is; round_half_up() is ROUND."""
        value = self._formula(arguments[0])
        places = self._formula(arguments[1]) if len(arguments) > 1 else "0"
        if function == "round_half_up":
            return f"ROUND({value},{places})"
        scale = "" if places == "0" else f"*10^{places}"
        raised = self._column(text_of(node), f"ROUND({value}{scale},7)")
        back = "" if places == "0" else f"/10^{places}"
        return f"({_half_even(raised)}{back})"


def _names(component: Component, schedule: Schedule) -> list[str]:
    """The names whose unrounded values a component needs."""
    used = [*component.depends_on]
    if component.kind in ("percentage", "minimum", "cap"):
        used += base_of(component, schedule)
    for entry in component.entries:
        trees = [entry.value, *(tier.price for tier in entry.tiers), *(tier.from_unit for tier in entry.tiers)]
        used += [name for tree in trees if tree is not None for name in names(tree)]
    return used + (names(component.counted) if component.counted else [])


def _half_even(cell: str) -> str:
    """The whole number nearest to a cell, a tie going to the even one."""
    return f"IF(ABS({cell})-INT(ABS({cell}))=0.5,2*ROUND({cell}/2,0),ROUND({cell},0))"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _decimal(value: Fraction) -> str:
    text = decimal_text(value)
    return f"({text})" if "/" in text or text.startswith("-") else text
