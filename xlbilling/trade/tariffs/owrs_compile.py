"""The fields of an OWRS class compiled from its bill down: names resolved, tiers paired, nothing executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES, SERVICE_DAYS
from xlbilling.trade.tariffs.expressions import (
    Call,
    FormulaError,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    names,
    rewritten,
    terms,
    text_of,
)
from xlbilling.trade.tariffs.keys import NAME, key_text, key_values
from xlbilling.trade.tariffs.owrs_read import Fault, FieldValue, Listed, Map, OwrsClass, Scalar
from xlbilling.words.exact import decimal_text

_CONTEXTS: Final = {"commodity_charge": "commodity", "variable_drought_surcharge": "drought"}
_ENDINGS: Final = {"": ("",), "commodity": ("", "_commodity"), "drought": ("", "_drought", "_commodity")}
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w.]*")
_CHARGE_LIKE: Final = re.compile(r"(?i).*_(charges?|charg|surcharge|bill|fees?)$")
_PERCENT: Final = re.compile(r"(\d+\.?\d*|\.\d+)\s*%")
_KIND_BEFORE: Final = re.compile(r"(?i)^(?:variable_|fixed_)")
_KIND_AFTER: Final = re.compile(r"(?i)(?:_charge|_surcharge|_fee|_rate)$")
_USAGE: Final = "usage_ccf"


class ClassError(ValueError):
    """A class cannot be priced; `line` is where the reason stands."""

    def __init__(self, fact: str, line: int):
        super().__init__(fact)
        self.line = line


@dataclass(slots=True)
class Row:
    """What one rate row says beside what all rows of its component share."""

    keys: str = ""
    tier: int = 0
    from_unit: str = ""
    cap: str = ""
    rate: str = ""
    expression: str = ""
    description: str = ""


@dataclass(slots=True)
class Compiled:
    kind: str
    rows: list[Row]
    line: int
    charge: bool = False


@dataclass(slots=True)
class Compiler:
    """Compiles the fields of one class that its bill reaches, each once in each of the two dialects."""

    source: OwrsClass
    done: dict[str, Compiled] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    doubtful: dict[str, int] = field(default_factory=dict)  # what looks like a slip of the pen, with its line

    def line_of(self, name: str) -> int:
        return self.source.lines.get(name, self.source.line)

    # ---- names ----------------------------------------------------------------------------------------------------

    def found(self, name: str, context: str) -> str:
        """The field a bare name means in a context, "" where it is an input."""
        return next((name + end for end in _ENDINGS[context] if name + end in self.source.fields), "")

    def resolve(self, name: str, context: str, user: str, as_key: bool = False) -> str:
        """The component or input a name stands for, compiled on the way; `as_key`: a price is looked up by it."""
        if name in CONSUMPTION_NAMES:
            return _USAGE
        target = self.found(name, context)
        if not target:
            self._check_input(name, user, as_key)
            return name
        return self.compile(target, _CONTEXTS.get(target, context))

    def _check_input(self, name: str, user: str, as_key: bool = False) -> None:
        """A name the class does not define is an input, unless it is plainly a charge that is missing.

        What a price is looked up by is never a charge, whatever it is called. A field that is spelled the same but for
        capitals is another name: the input is asked for, and the two are told as a likely slip of the pen.
        """
        line = self.line_of(user)
        near = next((known for known in self.source.fields if known.lower() == name.lower()), "")
        if not (NAME if as_key else _IDENTIFIER).fullmatch(name) or name == SERVICE_DAYS:
            raise ClassError(f"{user} depends on {name!r}, which is no name for an input", line)
        if _CHARGE_LIKE.fullmatch(name) and not as_key:
            hint = f"; it does define {near!r} (line {self.line_of(near)})" if near else ""
            raise ClassError(f"{user} uses {name!r}, which the class does not define{hint}", line)
        if near:
            said = (
                f"{user} asks the service for {name!r}; the class itself defines {near!r} (line {self.line_of(near)})"
            )
            self.doubtful[said] = line

    def compile(self, name: str, context: str) -> str:
        """The component that stands for a field in a context."""
        if (name, context) in self.names:
            return self.names[name, context]
        if name in self.open:
            raise ClassError(f"{name} needs itself, through {' and '.join(self.open)}", self.line_of(name))
        self.open.append(name)
        compiled = self._field(name, self.source.fields[name], context)
        self.open.pop()
        component = name if self.done.get(name, compiled) == compiled else f"{name}__{context or 'plain'}"
        self.done[component] = compiled
        self.names[name, context] = component
        return component

    def formula(self, scalar: Scalar, context: str, user: str) -> Node:
        """A formula with every name resolved; the terms of a budget are rounded, each to whole units."""
        try:
            tree = scalar.formula
        except FormulaError as error:
            raise ClassError(f"{user} on line {scalar.line}: {error}", scalar.line) from None
        renamed = {name: self.resolve(name, context, user) for name in names(tree)}
        tree = rewritten(tree, lambda node: Name(renamed[node.name]) if isinstance(node, Name) else None)
        if "budget" in user.lower() and not isinstance(tree, Number):
            return _rounded_terms(tree)
        return tree

    # ---- fields ---------------------------------------------------------------------------------------------------

    def _field(self, name: str, value: FieldValue, context: str) -> Compiled:
        line = self.line_of(name)
        if isinstance(value, Fault):
            raise ClassError(f"{name} cannot be read: {value.fact}", value.line)
        if isinstance(value, Listed):
            raise ClassError(f"{name} on line {line} is a list of {len(value.items)} values, not one value", line)
        if isinstance(value, Map):
            return Compiled("lookup", list(self._keyed(name, value, context)), line)
        if value.text in ("Tiered", "Budget"):
            return self._tiers(name, value.text.lower(), context)
        if not value.text:
            raise ClassError(f"{name} on line {line} has no value", line)
        return Compiled("lookup", [self._amount(Row(), value, context, name)], line)

    def _amount(self, row: Row, scalar: Scalar, context: str, user: str) -> Row:
        number = scalar.number
        if number is not None:
            row.rate = _decimal(number, scalar.text)
        else:
            row.expression = text_of(self.formula(scalar, context, user))
        return row

    def _keyed(self, name: str, value: Map, context: str) -> Iterator[Row]:
        depends_on = self._depends_on(name, value, context)
        for key, each in value.values.items():
            row = Row(_written_key(depends_on, key, value))
            try:
                if isinstance(each, Fault):
                    raise ClassError(f"{name} {key} cannot be read: {each.fact}", each.line)
                if isinstance(each, Listed):
                    raise ClassError(f"{name} {key} is a list of {len(each.items)} values", each.line)
                yield self._amount(row, each, context, name)
            except ClassError as error:
                yield Row(row.keys, description=f"line {error.line}: {error}")

    def _depends_on(self, name: str, value: Map, context: str) -> tuple[str, ...]:
        return tuple(self.resolve(each, context, name, as_key=True) for each in value.depends_on)

    # ---- tiers ----------------------------------------------------------------------------------------------------

    def _tiers(self, name: str, kind: str, context: str) -> Compiled:
        starts = self._own(name, "tier_starts")
        prices = self._own(name, "tier_prices")
        if not starts or not prices:
            word = kind.capitalize()
            raise ClassError(
                f"'{name}: {word}' has no tiers of its own (tier_starts and tier_prices)", self.line_of(name)
            )
        rows: list[Row] = []
        keys: set[str] = set()
        for key, start_list, price_list in self._pairs(starts, prices, context, name):
            keys.add(key)
            try:
                of_key = _items(start_list), _items(price_list)
            except ClassError as error:  # the other keys stay as they are
                rows.append(Row(key, 1, description=f"{name} {key}, line {error.line}: {error}"))
                continue
            rows.extend(self._tier_rows(kind, key, *of_key, context, name))
        if not keys:
            raise ClassError(f"{starts} and {prices} have no key in common", self.line_of(starts))
        faulty = {row.keys for row in rows if row.description}
        if faulty == keys:
            raise ClassError(next(row.description for row in rows if row.description), self.line_of(starts))
        if kind == "budget":
            self._budget_names(rows, context, name)
        return Compiled(kind, rows, self.line_of(name))

    def _own(self, name: str, part: str) -> str:
        """The field that holds the tier starts or prices of a tiered field: its own, never those of another."""
        fields = self.source.fields
        if name in _CONTEXTS:
            own = self.found(part, _CONTEXTS[name])
            if own:
                return own
        short = _KIND_AFTER.sub("", name)
        stems = [name, short, _KIND_BEFORE.sub("", short), _KIND_BEFORE.sub("", name)]
        candidates = [each for stem in stems for each in (f"{part}_{stem}", f"{stem}_{part}")]
        return next((each for each in candidates if each in fields), "")

    def _pairs(self, starts: str, prices: str, context: str, user: str) -> Iterator[tuple[str, FieldValue, FieldValue]]:
        """Starts and prices that belong together, by key: both by the same names, or one of them by none or by others."""
        first, second = self.source.fields[starts], self.source.fields[prices]
        for name, value in ((starts, first), (prices, second)):
            if isinstance(value, Fault):
                raise ClassError(f"{name} cannot be read: {value.fact}", value.line)
        if not isinstance(first, Map) or not isinstance(second, Map):
            keyed = first if isinstance(first, Map) else second
            if not isinstance(keyed, Map):
                yield "", first, second
                return
            depends_on = self._depends_on(user, keyed, context)
            for key, value in keyed.values.items():
                there = (value, second) if isinstance(first, Map) else (first, value)
                yield _written_key(depends_on, key, keyed), there[0], there[1]
            return
        by_start, by_price = self._depends_on(user, first, context), self._depends_on(user, second, context)
        if by_start == by_price and first.starts == second.starts:
            for key in first.values:
                if key in second.values:
                    joined = _written_key(by_start, key, first)
                    yield joined, first.values[key], second.values[key]
            return
        shared = [name for name in by_start if name in by_price]
        known = {
            (part, key): key_values(by, key)
            for part, by, value in (("start", by_start, first), ("price", by_price, second))
            for key in value.values
        }
        if first.starts or second.starts or (shared and None in known.values()):
            raise ClassError(f"{starts} and {prices} depend on names that cannot be told apart", first.line)
        more = tuple(name for name in by_start if name not in shared)
        for price_key, price_value in second.values.items():
            for start_key, start_value in first.values.items():
                of_price, of_start = known["price", price_key] or {}, known["start", start_key] or {}
                if any(of_price[name] != of_start[name] for name in shared):
                    continue
                added = "|".join(of_start[name] for name in more) if shared else start_key
                joined = "|".join([price_key, added] if more else [price_key])
                yield key_text((*by_price, *more), joined), start_value, price_value

    def _tier_rows(
        self, kind: str, key: str, starts: list[Scalar], prices: list[Scalar], context: str, user: str
    ) -> Iterator[Row]:
        if len(starts) != len(prices):
            line = starts[0].line if starts else self.line_of(user)
            fault = f"{user} {key} has {len(starts)} tier starts and {len(prices)} tier prices (line {line})"
            yield Row(key, 1, description=fault.replace("  ", " "))
            return
        for number, (start, price) in enumerate(zip(starts, prices, strict=True), start=1):
            following = starts[number] if number < len(starts) else None
            row = Row(key, number)
            try:
                if kind == "tiered":
                    row.from_unit = self._start(start, number, context, user)
                elif following is not None:
                    row.cap = _cap_text(following)
                self._amount(row, price, context, user)
            except ClassError as error:
                row = Row(key, number, description=f"{user}: {error}")
            yield row

    def _start(self, start: Scalar, number: int, context: str, user: str) -> str:
        """The first unit of a tier: a number or a formula; that of tier 1 is never read."""
        if start.number is not None:
            return _decimal(start.number, start.text)
        return text_of(self.formula(start, context, user)) if number > 1 else ""

    def _budget_names(self, rows: list[Row], context: str, user: str) -> None:
        """Compile the budgets the caps speak of, under the names the caps use."""
        wanted = {"budget" if row.cap.endswith("%") else row.cap for row in rows}
        for name in sorted(wanted & {"budget", "indoor", "outdoor"}):
            target = self.resolve(name, context, user)
            if target != name:
                self.done[name] = Compiled("lookup", [Row(expression=target)], self.line_of(user))

    # ---- the bill -------------------------------------------------------------------------------------------------

    def bill(self) -> None:
        """Compile from the bill down: each of its additive terms is a charge; any other bill is one charge."""
        if "bill" not in self.source.fields:
            raise ClassError("the class has no bill", self.source.line)
        value = self.source.fields["bill"]
        plain = isinstance(value, Scalar) and value.text not in ("Tiered", "Budget") and value.number is None
        if not isinstance(value, Scalar) or not plain:
            self.done[self.compile("bill", "")].charge = True
            return
        line = self.line_of("bill")
        try:
            parts = terms(value.formula)
        except FormulaError as error:
            raise ClassError(f"bill: {error}", line) from None
        if len(parts) == 1 and not isinstance(parts[0][1], Name):
            self.done[self.compile("bill", "")].charge = True
            return
        for sign, node in parts:
            self._charge(sign, node, value, line)

    def _charge(self, sign: int, node: Node, value: Scalar, line: int) -> None:
        if isinstance(node, Name) and not self.found(node.name, "") and node.name not in CONSUMPTION_NAMES:
            near = next((known for known in self.source.fields if known.lower() == node.name.lower()), "")
            hint = f"; it does define {near!r}" if near else ""
            raise ClassError(f"the bill adds {node.name!r}, which the class does not define{hint}", line)
        if isinstance(node, Name) and sign == 1 and node.name not in CONSUMPTION_NAMES:
            component = self.compile(node.name, _CONTEXTS.get(node.name, ""))
            if not self.done[component].charge:
                self.done[component].charge = True
                return
        tree = self.formula(Scalar(text_of(node), value.line), "", "bill")
        named = text_of(node if sign == 1 else Negative(node))
        while named in self.done:
            named += " again"
        expression = text_of(tree if sign == 1 else Negative(tree))
        self.done[named] = Compiled("lookup", [Row(expression=expression)], line, True)


# ---- small parts --------------------------------------------------------------------------------------------------


def _rounded_terms(tree: Node) -> Node:
    result: Node | None = None
    for sign, term in terms(tree):
        rounded: Node = term if isinstance(term, Call) and term.function == "round" else Call("round", (term,))
        if result is None:
            result = rounded if sign == 1 else Negative(rounded)
        else:
            result = Operation("+" if sign == 1 else "-", result, rounded)
    return result or tree


def _decimal(number: Fraction, text: str) -> str:
    return text if re.fullmatch(r"-?\d+(\.\d+)?", text) else decimal_text(number)


def _written_key(depends_on: tuple[str, ...], key: str, value: Map) -> str:
    return f"{depends_on[0]}>={key}" if value.starts else key_text(depends_on, key)


def _items(value: Any) -> list[Scalar]:
    if isinstance(value, Fault):
        raise ClassError(value.fact, value.line)
    return list(value.items) if isinstance(value, Listed) else [value]


def _cap_text(cap: Scalar) -> str:
    """A cap of a budget tier: units, indoor, outdoor, or N% of the budget; anything else is told, never taken as 0."""
    found = _PERCENT.fullmatch(cap.text)
    if cap.number is not None:
        return _decimal(cap.number, cap.text)
    if cap.text in ("indoor", "outdoor"):
        return cap.text
    if found:
        return f"{found[1]}%"
    raise ClassError(f"budget tier {cap.text!r} on line {cap.line} is no number, indoor, outdoor or N%", cap.line)
