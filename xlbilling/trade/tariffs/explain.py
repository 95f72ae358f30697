"""One bill explained: what went in, how the consumption was divided, which rate by which resolution, how it was rounded."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import pandas as pd

from xlbilling.trade.tariffs.book import inputs_of
from xlbilling.trade.tariffs.lines import NO_END
from xlbilling.trade.tariffs.price import price
from xlbilling.trade.tariffs.schedule import RateBook, Schedule
from xlbilling.trade.tariffs.seasons import by_season
from xlbilling.words.exact import MILLION, decimal_text
from xlbilling.words.money import dollars
from xlbilling.words.problems import Refusal


@dataclass(frozen=True, slots=True)
class Explanation:
    """A bill in plain English, line by line, and the same as a table of text."""

    text: list[str]
    table: pd.DataFrame
    amount_cents: int


def explain(book: RateBook, service: pd.DataFrame) -> Explanation:
    """Explain the bill of one service (one row as `price` takes it); Refusal where it cannot be priced."""
    if len(service) != 1:
        raise ValueError(f"one service is explained at a time, not {len(service)}")
    priced = price(book, service, unrounded=True)
    if priced.problems:
        raise Refusal(priced.problems[0])
    lines = priced.lines.assign(
        unrounded=pd.Series(priced.unrounded.fractions() if priced.unrounded else [], dtype=object)
    )
    row = service.iloc[0]
    text = [*_head(book, row, lines)]
    even = {
        charge.name
        for each in _schedules(book, row, lines)
        for charge in each.charges
        if charge.rounding == "half_even"
    }
    ends = sorted(lines["segment_to"].unique())
    for (_, until), part in sorted(lines.groupby(["segment", "segment_to"]), key=_longest_first):
        text.extend(_segment(part, ends.index(until) + 1, even, _season(book, row, part)))
    total = int(lines["amount_cents"].sum())
    text.append(f"The bill is the sum of its lines: {dollars(total)}.")
    return Explanation(text, _table(lines), total)


def _quantity(millionths: int) -> str:
    return decimal_text(Fraction(int(millionths), MILLION))


def _head(book: RateBook, row: pd.Series[Any], lines: pd.DataFrame) -> list[str]:
    days = int(lines["all_days"].iloc[0])
    first, last = pd.Timestamp(row["service_from"]).date(), pd.Timestamp(row["service_to"]).date()
    unit = next((unit for unit in lines["unit"] if unit), "units")
    text = [
        f"Rate schedule {row['tariff']}, class {row['customer_class']}.",
        f"Service period: the {days} days after {first} up to {last}. Consumption: {_quantity(row['consumption'])} {unit}.",
    ]
    given = {
        name: str(row[name]) for schedule in _schedules(book, row, lines) for name in inputs_of(schedule) if name in row
    }
    if given:
        text.append("Inputs: " + ", ".join(f"{name} {value}" for name, value in given.items()) + ".")
    if int(row.get("nominal_days", 0) or 0) and int(row["nominal_days"]) != days:
        text.append(
            f"A full bill stands for {int(row['nominal_days'])} days; fixed charges and tier widths are taken times "
            f"{days}/{int(row['nominal_days'])}."
        )
    return text


def _schedules(book: RateBook, row: pd.Series[Any], lines: pd.DataFrame) -> list[Schedule]:
    """The versions of the schedule that priced the bill."""
    starts = {pd.Timestamp(day).date() for day in lines["effective_from"]}
    versions = book.versions(str(row["tariff"]), str(row["customer_class"]))
    return [each for each in versions if each.effective_from in starts] or versions[-1:]


def _longest_first(part: tuple[Any, pd.DataFrame]) -> tuple[int, int]:
    """Parts in order of time; fixed charges that last over several of them before the first one."""
    (segment, _), lines = part
    return int(segment), -int(lines["segment_days"].iloc[0])


def _season(book: RateBook, row: pd.Series[Any], lines: pd.DataFrame) -> str:
    """The season a part of the service period is in, as the schedule names it; blank where it has none or several."""
    after, until = (lines.iloc[0][name].date() for name in ("segment_from", "segment_to"))
    last, billed = (pd.Timestamp(row[name]).date() for name in ("service_to", "bill_date"))
    pieces = by_season((_schedules(book, row, lines)[-1], after, until), last, billed)
    settled = pieces[0][0].components.values() if len(pieces) == 1 else ()
    found = [each for each in settled if each.kind == "season"]
    return ", ".join(f"{each.name} {each.entries[0].key}" for each in found)


def _segment(lines: pd.DataFrame, last_part: int, even: set[str], season: str) -> list[str]:
    first = lines.iloc[0]
    number = int(first["segment"])
    named = f"Part {number}" if number >= last_part else f"Parts {number} to {last_part}"
    text = []
    if first["segment_days"] != first["all_days"]:
        after, until = first["segment_from"].date() + dt.timedelta(1), first["segment_to"].date()
        text.append(
            f"{named}: {after} to {until}, {first['segment_days']} of {first['all_days']} days"
            f"{f', {season}' if season else ''}. "
            "Consumption, tier widths and fixed charges are taken for that share of the days."
        )
    elif season:
        text.append(f"All days are in {season}.")
    for charge, part in lines.groupby("charge", sort=False, observed=True):
        text.extend(_charge(str(charge), part, "half to even" if charge in even else "half-up"))
    return text


def _charge(charge: str, part: pd.DataFrame, rounding: str) -> list[str]:
    first = part.iloc[0]
    source = f"in force from {first['effective_from'].date()}"
    if first["resolution"]:
        source += f" by resolution {first['resolution']}"
    text = []
    if first["tier"]:
        split = ", ".join(f"{_quantity(line['quantity'])} in tier {line['tier']}" for _, line in part.iterrows())
        text.append(f"{charge}: {split} ({source}).")
    for _, line in part.iterrows():
        said = f"  tier {line['tier']} {_bounds(line)}: " if line["tier"] else f"{charge}: "
        ending = "" if line["tier"] else f" ({source})"
        text.append(said + _working(line, rounding) + ending + ".")
    return text


def _bounds(line: pd.Series[Any]) -> str:
    low = _quantity(line["tier_from"])
    return f"(above {low})" if line["tier_to"] == NO_END else f"(above {low} up to {_quantity(line['tier_to'])})"


def _working(line: pd.Series[Any], rounding: str) -> str:
    """basis = exact amount, rounded to the cent: said only where there is something to round."""
    exact: Fraction = line["unrounded"]
    amount = dollars(int(line["amount_cents"]))
    basis = str(line["basis"])
    shown = decimal_text(exact)
    if exact * 100 == int(line["amount_cents"]):
        plain = basis == shown or basis.replace(",", "") == amount
        return amount if plain else f"{basis} = {amount}"
    about = shown if "/" not in shown else f"{shown} (about {float(exact):.6f})"
    return f"{basis} = {about}, rounded to the cent ({rounding}) {amount}"


def _table(lines: pd.DataFrame) -> pd.DataFrame:
    """The lines as text: part, charge, tier, units, rate, worked out from, exact amount, amount, resolution."""
    return pd.DataFrame(
        {
            "Part": lines["segment"].astype(str),
            "Days": [f"{part}/{full}" for part, full in zip(lines["segment_days"], lines["all_days"], strict=True)],
            "Charge": lines["charge"].astype(object),
            "Tier": [str(tier) if tier else "" for tier in lines["tier"]],
            "Units": [_quantity(each) if each else "" for each in lines["quantity"]],
            "Rate": lines["rate"].astype(object),
            "Worked out from": lines["basis"].astype(object),
            "Exact": [decimal_text(each) for each in lines["unrounded"]],
            "Amount": [dollars(int(each)) for each in lines["amount_cents"]],
            "In force from": [str(day.date()) for day in lines["effective_from"]],
            "Resolution": lines["resolution"].astype(object),
        },
        dtype=object,
    )
