"""Audit: every bill of a run recomputed by the sheet's own formulas, one row a service, beside what was billed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from xlbilling.trade.tariffs import RateBook, Schedule, inputs_of
from xlbilling.trade.tariffs.formulas import AuditColumn, audit_formulas
from xlbilling.trade.tariffs.lasting import parts_lasted
from xlbilling.trade.tariffs.seasons import by_season

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class RatesSheet:
    """Where the lines of sheet Rates stand: the sheet row of each rate_id, its key, and the letters of its columns."""

    row: dict[str, int]
    key: dict[str, str]
    letter: dict[str, str]

    def cell(self, rate_id: str, column: str) -> str:
        """The cell of a rate: Rates!$J$7."""
        return f"Rates!${self.letter[column]}${self.row[rate_id]}"

    def lookup(self, key: str, rate_ids: Sequence[str], column: str) -> str:
        """The rate whose key is `key`, looked up among these lines; nested where the lines do not stand together."""
        rows = [self.row[rate_id] for rate_id in rate_ids]
        if sorted(rows) == list(range(min(rows), max(rows) + 1)):
            first, last = min(rows), max(rows)
            values, keys = (f"Rates!${self.letter[c]}${first}:${self.letter[c]}${last}" for c in (column, "keys"))
            return f"INDEX({values},MATCH({key},{keys},0))"
        found = "NA()"
        for rate_id in reversed(rate_ids):
            text = self.key[rate_id].replace('"', '""')
            found = f'IF({key}="{text}",{self.cell(rate_id, column)},{found})'
        return f"({found})"


@dataclass(slots=True)
class AuditColumns:
    """The columns to the right of the audit table: inputs as values, then each schedule's formulas, blank elsewhere."""

    titles: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    values: dict[str, list[object]] = field(default_factory=dict)
    formulas: dict[str, list[str]] = field(default_factory=dict)
    recomputed: list[str] = field(default_factory=list)


def columns(bills: pd.DataFrame, book: RateBook, rates: RatesSheet) -> AuditColumns:
    """The inputs and formulas of every bill; one row a bill, in the order given.

    `bills`: tariff, customer_class, consumption (millionths), service_from, service_to, bill_date, days, nominal_days
    (0 for a whole bill), billed (bool: False rows stay blank), meter_size and further inputs by name in `given`
    (a dict a row). Formulas name cells as {name}; the workbook port fills them in.
    """
    made = AuditColumns()
    count = len(bills)
    known: dict[tuple[object, ...], list[tuple[AuditColumn, str]]] = {}

    def put(name: str, title: str, kind: str, row: int, value: object) -> str:
        if name not in made.values:
            made.titles[name], made.kinds[name], made.values[name] = title, kind, [None] * count
        made.values[name][row] = value
        return f"{{{name}}}"

    def write(name: str, title: str, row: int, formula: str) -> None:
        if name not in made.formulas:
            made.titles[name], made.kinds[name], made.formulas[name] = title, "quantity", [""] * count
        made.formulas[name][row] = formula

    for row, bill in enumerate(bills.to_dict("records")):
        if not bill["billed"]:
            made.recomputed.append("")
            continue
        cells = {"consumption": put("consumption", "Consumption", "quantity", row, bill["consumption"] / MILLION)}
        parts = periods_of(book, bill)
        rounded: list[str] = []
        lasted = parts_lasted([schedule for schedule, _, _ in parts])
        for number, (schedule, after, until) in enumerate(parts, 1):
            for name in inputs_of(schedule):
                if name not in cells and name != "consumption":
                    value = bill["given"].get(name, "")
                    cells[name] = put(f"in_{slug(name)}", name.replace("_", " ").capitalize(), "id", row, value)
            here = dict(cells)
            here["service_days"] = here["all_days"] = put("all_days", "Days", "whole", row, int(bill["days"]))
            if len(parts) > 1 or bill["nominal_days"]:
                here["segment_days"] = put(
                    f"days_{number}", f"Days of part {number}", "whole", row, (until - after).days
                )
            else:
                del here["all_days"]
            if bill["nominal_days"]:
                here["nominal_days"] = put(
                    "nominal_days", "Days of a full bill", "whole", row, int(bill["nominal_days"])
                )
            lasts = _lasts(lasted[number - 1], number, len(parts), bool(bill["nominal_days"]))
            mark = (id(schedule), number, tuple(here.items()), tuple(lasts.items()))
            if mark not in known:
                known[mark] = _names(_formulas(schedule, here, rates, lasts), number)
            for column, name in known[mark]:
                lasting = lasted[number - 1].get(column.charge, 1) if column.rounds else 1
                write(name, column.heading + _parts(number, number + lasting - 1, len(parts)), row, column.formula)
                if column.rounds:
                    rounded.append(f"{{{name}}}")
        made.recomputed.append("=ROUND(" + ("+".join(rounded) or "0") + ",2)")
    return made


def _lasts(lasted: dict[str, int], number: int, parts: int, short: bool) -> dict[str, str | None]:
    """The days of the charges that last over several parts, as the cells they stand in; see `audit_formulas`."""
    made: dict[str, str | None] = {}
    for charge, count in lasted.items():
        days = "+".join(f"{{days_{part}}}" for part in range(number, number + count))
        made[charge] = f"({days})" if count and (count < parts or short) else "" if count else None
    return made


def _parts(first: int, last: int, of: int) -> str:
    """Which parts of a divided service period a column is for; blank where it is for all of it."""
    if last - first + 1 == of:
        return ""
    return f" (part {first})" if first == last else f" (parts {first} to {last})"


def _formulas(
    schedule: Schedule, cells: dict[str, str], rates: RatesSheet, lasts: dict[str, str | None]
) -> list[AuditColumn]:
    """The schedule's formulas; the n-th column is called {@n} until its name on the sheet is known."""
    return audit_formulas(schedule, cells, rates.cell, lambda n: f"{{@{n}}}", rates.lookup, lasts)


def _names(found: list[AuditColumn], part: int) -> list[tuple[AuditColumn, str]]:
    """Each column with its name on the sheet: one name a heading and part, whatever the class."""
    names: list[str] = []
    for column in found:
        name = f"p{part}_{slug(column.heading)}"
        while name in names:
            name += "_"
        names.append(name)
    made = []
    for column, name in zip(found, names, strict=True):
        formula = column.formula
        for number, other in reversed(list(enumerate(names))):
            formula = formula.replace(f"{{@{number}}}", f"{{{other}}}")
        made.append((AuditColumn(column.heading, formula, column.rounds, column.charge, column.tier), name))
    return made


def slug(text: str) -> str:
    """A heading as a name: "Water tier 1 up to" -> water_tier_1_up_to."""
    return "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_") or "x"


def periods_of(book: RateBook, bill: Mapping[Any, Any]) -> list[tuple[Schedule, dt.date, dt.date]]:
    """The versions and seasons a service period falls under, each with its days (after, until], in order of time."""
    after, until, billed = (pd.Timestamp(bill[n]).date() for n in ("service_from", "service_to", "bill_date"))
    parts: list[tuple[Schedule, dt.date, dt.date]] = []
    end = until
    for schedule in reversed(book.versions(str(bill["tariff"]), str(bill["customer_class"]))):
        if schedule.applies_by == "service_days":
            start = schedule.effective_from - dt.timedelta(days=1)
        else:
            decided = until if schedule.applies_by == "read_date" else billed
            start = after if decided >= schedule.effective_from else end
        begin = max(start, after)
        if begin < end:
            parts.append((schedule, begin, end))
            end = begin
    return [piece for part in reversed(parts) for piece in by_season(part, until, billed)]
