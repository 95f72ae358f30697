"""OWRS tariffs as rows of the Rates table: every construct of the format, resolved once, nothing executed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from xlbilling.trade.tariffs.columns import CONSUMPTION_NAMES, RATE_COLUMNS
from xlbilling.trade.tariffs.expressions import (
    FormulaError,
    Name,
    Negative,
    Number,
    Operation,
    parse,
    terms,
    text_of,
)
from xlbilling.trade.tariffs.keys import parse_key
from xlbilling.trade.tariffs.owrs_compile import ClassError, Compiled, Compiler, Row
from xlbilling.trade.tariffs.owrs_read import OwrsClass, OwrsTariff, Scalar
from xlbilling.words.exact import decimal_text
from xlbilling.words.problems import Place, Problem, declare

NOT_PRICEABLE: Final = declare(
    "owrs_not_priceable",
    "A customer class of a tariff file cannot be priced as the file stands.",
    "Correct the class in the tariff file.",
)
DATE_UNREADABLE: Final = declare(
    "owrs_effective_date",
    "A tariff file does not say plainly from when it is in force.",
    "Give the first day with the import.",
    "review",
)

LIKELY_SLIP: Final = declare(
    "owrs_likely_slip",
    "A tariff file asks the service for something that it defines itself under nearly the same name.",
    "Spell the two alike in the tariff file if the same is meant; else give the input on Services.",
    "review",
)

NO_DATE: Final = dt.date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class OwrsRates:
    """A tariff file as rate rows; `refused` says why the classes without rows cannot be priced."""

    rates: pd.DataFrame
    refused: dict[str, Problem]
    lines: dict[tuple[str, str], int]  # line of the file, by class and component
    problems: list[Problem]


# ---- the file -----------------------------------------------------------------------------------------------------


def effective_date(text: str) -> dt.date | None:
    """The first day of a tariff: 2017-07-01, or month/day/year as the publishers write it."""
    for pattern, order in ((r"(\d{4})-(\d{1,2})-(\d{1,2})", (1, 2, 3)), (r"(\d{1,2})/(\d{1,2})/(\d{4})", (3, 1, 2))):
        found = re.fullmatch(pattern, text.strip())
        if found:
            try:
                return dt.date(*(int(found[part]) for part in order))
            except ValueError:
                return None
    return None


def owrs_rates(tariff: OwrsTariff, name: str = "", effective_from: dt.date | None = None) -> OwrsRates:
    """The rate rows of every priceable class; the others are refused, each with its reason and line."""
    problems = list(tariff.problems)
    written = tariff.metadata.get("effective_date", "")
    start = effective_from or effective_date(written)
    if start is None:
        place = Place(file=tariff.file, line=1)
        problems.append(
            DATE_UNREADABLE.at(place, f"effective_date is {written!r}; the rates are taken as always in force")
        )
    unit = tariff.metadata.get("bill_unit", "ccf").upper() or "CCF"
    shared = dict.fromkeys(RATE_COLUMNS, "") | {
        "tariff": name or tariff.metadata.get("utility_name", "") or tariff.file,
        "effective_from": start or NO_DATE,
        "effective_to": None,
        "applies_by": "service_days",
        "resolution": tariff.file,
        "unit": unit,
    }
    rows: list[dict[str, Any]] = []
    refused: dict[str, Problem] = {}
    lines: dict[tuple[str, str], int] = {}
    for each in tariff.classes.values():
        compiler = Compiler(each)
        try:
            if each.problem is None:
                compiler.bill()
        except ClassError as error:
            place = Place(file=tariff.file, line=error.line, key=each.name)
            refused[each.name] = NOT_PRICEABLE.at(place, f"class {each.name}: {error}")
            continue
        if each.problem is not None:
            refused[each.name] = each.problem
            continue
        slips = [
            LIKELY_SLIP.at(Place(file=tariff.file, line=line, key=each.name), f"class {each.name}: {fact}")
            for fact, line in compiler.doubtful.items()
        ]
        problems.extend(slips)
        for position, (component, compiled) in enumerate(_in_order(compiler), start=1):
            lines[each.name, component] = compiled.line
            rows.extend(_table_rows(shared, each.name, component, compiled, position, compiler))
    frame = pd.DataFrame(rows, columns=list(RATE_COLUMNS))
    frame["rate_id"] = [str(number) for number in range(1, len(frame) + 1)]
    return OwrsRates(frame, refused, lines, [*problems, *refused.values()])


def _in_order(compiler: Compiler) -> Iterator[tuple[str, Compiled]]:
    """The charges in the order the bill adds them, then what they use."""
    charges = [item for item in compiler.done.items() if item[1].charge]
    order = names_in_bill(compiler.source)
    charges.sort(key=lambda item: order.get(item[0], len(order)))
    yield from charges
    used = _used(compiler)
    yield from (item for item in compiler.done.items() if not item[1].charge and item[0] in used)


def names_in_bill(source: OwrsClass) -> dict[str, int]:
    """The names the bill of a class adds, in order."""
    value = source.fields.get("bill")
    if not isinstance(value, Scalar):
        return {}
    try:
        parts = terms(value.formula)
    except FormulaError:
        return {}
    return {text_of(node if sign == 1 else Negative(node)): at for at, (sign, node) in enumerate(parts)}


def _used(compiler: Compiler) -> set[str]:
    """Components that a charge still reaches after flat and per-unit charges took their rates in."""
    reached: set[str] = set()
    waiting = [name for name, compiled in compiler.done.items() if compiled.charge]
    while waiting:
        name = waiting.pop()
        compiled = compiler.done.get(name)
        if compiled is None or name in reached:
            continue
        reached.add(name)
        _, rows, counted = _as_charge(compiled, compiler)
        for row in rows:
            waiting.extend(parse_key(row.keys).names)
            waiting.extend(_names_of(row.expression))
            waiting.append("budget" if row.cap.endswith("%") else row.cap)
        waiting.extend(_names_of(counted))
    return reached


def _names_of(expression: str) -> list[str]:
    return re.findall(r"[A-Za-z_][\w.]*", expression)


def _as_charge(compiled: Compiled, compiler: Compiler) -> tuple[str, list[Row], str]:
    """A charge as the kind a clerk would use: fixed, flat (rate x consumption), per_unit (rate x input), or formula."""
    if compiled.kind != "lookup" or not compiled.charge:
        return compiled.kind, compiled.rows, ""
    if all(not row.expression for row in compiled.rows):
        return "fixed", compiled.rows, ""
    product = _product(compiled, compiler)
    return product or ("formula", compiled.rows, "")


def _product(compiled: Compiled, compiler: Compiler) -> tuple[str, list[Row], str] | None:
    """rate x consumption or rate x input, with the rate a number or a table of numbers; None for other formulas."""
    if len(compiled.rows) != 1 or not compiled.rows[0].expression:
        return None
    tree = parse(compiled.rows[0].expression)
    if not isinstance(tree, Operation) or tree.sign != "*":
        return None
    for rate, counted in ((tree.left, tree.right), (tree.right, tree.left)):
        if not isinstance(counted, Name) or counted.name in compiler.done:
            continue
        kind, by = ("flat", "") if counted.name in CONSUMPTION_NAMES else ("per_unit", counted.name)
        if isinstance(rate, Number) and "/" not in decimal_text(rate.value):
            return kind, [Row(rate=decimal_text(rate.value))], by
        source = compiler.done.get(rate.name) if isinstance(rate, Name) else None
        if source and source.kind == "lookup" and all(row.rate for row in source.rows):
            return kind, source.rows, by
    return None


def _table_rows(
    shared: dict[str, Any], customer_class: str, component: str, compiled: Compiled, position: int, compiler: Compiler
) -> Iterator[dict[str, Any]]:
    kind, rows, counted = _as_charge(compiled, compiler)
    for row in rows:
        yield shared | {
            "customer_class": customer_class,
            "component": component,
            "kind": kind,
            "keys": row.keys,
            "tier": row.tier,
            "from_unit": row.from_unit,
            "cap": row.cap,
            "rate": row.rate,
            "expression": counted or row.expression,
            "position": position,
            "description": row.description,
            "on_bill": "" if compiled.charge or kind == "lookup" else "no",
        }
