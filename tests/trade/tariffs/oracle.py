"""The slow, obviously right pricing of one service: fractions, one day at a time, nothing shared with the product."""

from __future__ import annotations

import ast
import datetime as dt
from fractions import Fraction
from typing import Any

Rate = dict[str, Any]
Line = tuple[int, str, int, Fraction]  # segment, charge, tier, exact amount
Rows = frozenset[int]  # the rate rows a charge was worked out from, by identity


class RefusedError(Exception):
    pass


def to_cents(amount: Fraction) -> int:
    """Half away from zero, written out."""
    whole, rest = divmod(abs(amount) * 100, 1)
    cents = int(whole) + (1 if rest >= Fraction(1, 2) else 0)
    return -cents if amount < 0 else cents


def bill_lines(rates: list[Rate], service: dict[str, Any]) -> list[Line]:
    """The exact lines of one service: every day of its period is given to the rates in force on that day."""
    mine = [r for r in rates if (r["tariff"], r["customer_class"]) == (service["tariff"], service["customer_class"])]
    charged = [rate for rate in mine if rate["kind"] != "season"]
    changes = sorted({rate["effective_from"] for rate in charged})
    days = [service["service_from"] + dt.timedelta(n + 1) for n in range(service["days"])]
    runs: list[tuple[dt.date, dict[str, str], int]] = []  # version, season of each season component, days
    for day in days:
        version = None
        for change in changes:
            rule = next(rate["applies_by"] for rate in charged if rate["effective_from"] == change)
            seen = {"service_days": day, "read_date": days[-1], "bill_date": service["bill_date"]}[rule]
            if seen >= change:
                version = change
        if version is None:
            raise RefusedError(f"no rate on {day}")
        seasons = seasons_of([rate for rate in in_force(mine, version) if rate["kind"] == "season"], day, days, service)
        if runs and runs[-1][:2] == (version, seasons):
            runs[-1] = (version, seasons, runs[-1][2] + 1)
        else:
            runs.append((version, seasons, 1))
    lines: list[Line] = []
    full_days = service.get("nominal_days") or len(days)
    open_lines: dict[str, tuple[Rows, int]] = {}  # fixed charges of the segment before: their rows, place in lines
    for segment, (version, seasons, count) in enumerate(runs, start=1):
        rows = [rate for rate in in_force(mine, version) if rate["kind"] != "season"]
        shares = Fraction(count, len(days)), Fraction(count, full_days)
        before, open_lines = open_lines, {}
        for line, used in segment_lines(segment, rows, service | seasons, *shares):
            # A charge that does not go by consumption and stands on the very rows it stood on the day before goes on.
            _, charge, tier, amount = line
            if used is None:
                lines.append(line)
            elif charge in before and before[charge][0] == used:
                place = before[charge][1]
                lines[place] = (lines[place][0], charge, tier, lines[place][3] + amount)
                open_lines[charge] = (used, place)
            else:
                open_lines[charge] = (used, len(lines))
                lines.append(line)
    return lines


def in_force(rates: list[Rate], version: dt.date) -> list[Rate]:
    last: dict[str, dt.date] = {}
    for rate in sorted(rates, key=lambda each: each["effective_from"]):
        if rate["effective_from"] <= version:
            last[rate["component"]] = rate["effective_from"]
    return [rate for rate in rates if last.get(rate["component"]) == rate["effective_from"]]


def seasons_of(rows: list[Rate], day: dt.date, days: list[dt.date], service: dict[str, Any]) -> dict[str, str]:
    """The season of a day: go back one day at a time until a season's first day comes up."""
    found: dict[str, str] = {}
    for component in {row["component"] for row in rows}:
        mine = {row["expression"]: row for row in rows if row["component"] == component}
        rule = next(iter(mine.values()))["applies_by"]
        back = {"service_days": day, "read_date": days[-1], "bill_date": service["bill_date"]}[rule]
        while f"{back:%m-%d}" not in mine:
            back -= dt.timedelta(1)
        found[component] = mine[f"{back:%m-%d}"]["keys"].split("=")[1]
    return found


def segment_lines(
    segment: int, rows: list[Rate], service: dict[str, Any], usage_share: Fraction, day_share: Fraction
) -> list[tuple[Line, Rows | None]]:
    """The lines of a segment, each with the rows it stands on; None for a charge that goes by consumption."""
    consumption = service["consumption"] * usage_share
    lines: list[tuple[Line, Rows | None]] = []
    so_far: dict[str, Fraction] = {}
    stood_on: dict[str, Rows | None] = {}
    order = sorted({(rate["position"], rate["component"]) for rate in rows})
    for _, component in order:
        mine = [r for r in rows if r["component"] == component and matches(r["keys"], service)]
        if not mine:
            raise RefusedError(f"no key for {component}")
        first = mine[0]
        rate = Fraction(first["rate"]) if first["rate"] else Fraction(0)
        taken_of = first["kind"] in ("percentage", "minimum", "cap")
        named = [n.strip() for n in first["expression"].split("+")] if taken_of and first["expression"] else [*so_far]
        base = sum((so_far[name] for name in named), Fraction(0))
        parts: list[tuple[int, Fraction]] = []
        match first["kind"]:
            case "fixed":
                parts = [(0, rate * day_share)]
            case "flat":
                parts = [(0, rate * consumption)]
            case "per_unit" if first["expression"].startswith("consumption_"):
                parts = [(0, rate * Fraction(service[first["expression"]]) * usage_share)]
            case "per_unit":
                parts = [(0, rate * Fraction(service[first["expression"]]) * day_share)]
            case "percentage":
                parts = [(0, rate / 100 * base)]
            case "minimum":
                parts = [(0, max(rate * day_share - base, Fraction(0)))]
            case "cap":
                parts = [(0, min(rate * day_share - base, Fraction(0)))]
            case "tiered":
                parts = tier_parts(mine, consumption, day_share)
            case "formula":
                full = dict(service) | {"consumption": consumption / day_share}
                parts = [(0, evaluate(first["expression"], full) * day_share)]
        so_far[component] = sum((amount for _, amount in parts), Fraction(0))
        stood_on[component] = rows_used(mine, [stood_on[name] for name in named] if taken_of else [])
        lines += [((segment, component, tier, amount), stood_on[component]) for tier, amount in parts]
    return lines


def rows_used(mine: list[Rate], bases: list[Rows | None]) -> Rows | None:
    """The rows a charge and the charges it is taken of stand on; None where any of them goes by consumption."""
    if mine[0]["kind"] in ("flat", "tiered") or "consumption" in mine[0]["expression"] or None in bases:
        return None
    return frozenset(id(row) for row in mine).union(*(base for base in bases if base is not None))


def tier_parts(rows: list[Rate], consumption: Fraction, day_share: Fraction) -> list[tuple[int, Fraction]]:
    """Fill the tiers one after the other, each as wide as the schedule says times the share of the days."""
    ordered = sorted(rows, key=lambda rate: rate["tier"])
    left, below, parts = consumption, Fraction(0), []
    for rate, following in zip(ordered, [*ordered[1:], None], strict=True):
        if following is None:
            held = left
        else:
            end = Fraction(rate["cap"]) if rate["cap"] else Fraction(following["from_unit"]) - 1
            width = max(end - below, Fraction(0)) * day_share
            below = max(below, end)
            held = min(left, width)
        left -= held
        parts.append((rate["tier"], held * Fraction(rate["rate"])))
    return parts


def matches(keys: str, service: dict[str, Any]) -> bool:
    return all(service.get(part.split("=")[0]) == part.split("=")[1] for part in keys.split("; ") if part)


def evaluate(text: str, values: dict[str, Any]) -> Fraction:
    """A formula by Python's own parser, over Fractions."""

    def of(node: ast.expr) -> Fraction:
        match node:
            case ast.Constant():
                return Fraction(ast.get_source_segment(text, node) or "")
            case ast.Name(name):
                return Fraction(values[name])
            case ast.UnaryOp(ast.USub(), operand):
                return -of(operand)
            case ast.BinOp(left, ast.Add(), right):
                return of(left) + of(right)
            case ast.BinOp(left, ast.Sub(), right):
                return of(left) - of(right)
            case ast.BinOp(left, ast.Mult(), right):
                return of(left) * of(right)
            case ast.BinOp(left, ast.Div(), right):
                return of(left) / of(right)
            case ast.BinOp(left, ast.BitXor(), right):
                return of(left) ** int(of(right))
            case ast.Call(ast.Name(name), arguments):
                found = [of(argument) for argument in arguments]
                return {"min": min, "max": max, "round": lambda many: Fraction(round(many[0]))}[name](found)
        raise RefusedError(text)

    return of(ast.parse(text, mode="eval").body)
