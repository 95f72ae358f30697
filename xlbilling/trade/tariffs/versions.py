"""Versions of a charge: what a new one leaves out of the one before, and days that no version has a price for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Final

from xlbilling.trade.tariffs.keys import RowKey, parse_key
from xlbilling.trade.tariffs.rate_rows import Pair, RateRow
from xlbilling.trade.tariffs.schedule import Component, plain_key
from xlbilling.words.problems import Kind, Place, declare

_TIERED: Final = ("tiered", "budget")
_ONE_DAY: Final = dt.timedelta(days=1)
_REMEDY: Final = "Enter the missing lines from the same day; where they end for good, type the day before as Effective to on the old ones."
TIER_GONE: Final = declare("rates_tier_gone", "A new version of a charge has fewer tiers than the one before.", _REMEDY)
KEY_GONE: Final = declare(
    "rates_key_gone",
    "A new version of a charge lacks a meter size, zone or other key that the one before had.",
    _REMEDY,
)


@dataclass(frozen=True, slots=True)
class _Gone:
    """What a version lacks of the one before: the line of the new version it is about, and its key there."""

    kind: Kind
    column: str
    rate_id: str
    key: str  # of the entry that lacks tiers; blank with the whole component
    fact: str


def versions(rows: Sequence[RateRow]) -> Iterator[tuple[list[RateRow], list[RateRow], list[RateRow]]]:
    """The rows of one component by the day they take effect, each version with those before and after it."""
    days = sorted({row.effective_from for row in rows})
    ordered = [[row for row in rows if row.effective_from == day] for day in days]
    return zip([[], *ordered[:-1]], ordered, [*ordered[1:], []], strict=True)


def ended(rows: Sequence[RateRow], following: Sequence[RateRow] | None) -> set[dt.date | None]:
    """The different last days of a version's rows; a row that ends the day before the next version starts is replaced by it."""
    replaced_on = following[0].effective_from - _ONE_DAY if following else None
    ends = {row.effective_to for row in rows}
    return ends - {replaced_on} if len(ends) > 1 and replaced_on is not None else ends


def with_missed(component: Component, earlier: Sequence[RateRow], rows: Sequence[RateRow], pair: Pair) -> Component:
    """The component with what it lacks of the version before, told to the services it would price wrongly.

    A key without a price is refused where a service has it; fewer tiers, starts or seasons would bill at a price that
    is for something else.
    """
    missed = _gone(earlier, rows, f"{component.name} of {pair[0]} {pair[1]}")
    if not missed:
        return component
    wrong: dict[str, _Gone] = {}
    for each in missed:
        if each.kind is TIER_GONE:
            wrong[each.key] = each
        elif component.starts or component.kind == "season":
            wrong |= dict.fromkeys((entry.key for entry in component.entries), each)
    entries = tuple(
        replace(entry, problem=wrong[entry.key].fact, refused_as=wrong[entry.key].kind) if entry.key in wrong else entry
        for entry in component.entries
    )
    told = tuple(each.kind.at(Place("rates", each.rate_id, each.column), each.fact) for each in missed)
    return replace(component, entries=entries, gone=told)


def _gone(earlier: Sequence[RateRow], later: Sequence[RateRow], where: str) -> list[_Gone]:
    """What the later version of a component lacks of the earlier one; rows that say when they end are not missed.

    A later row covers an earlier one where their keys agree in every name both have. Tiers are counted by key, starts
    such as lot_size>=5000 in their order. `where` names component and schedule. Raises for a key that cannot be read.
    """
    if earlier[0].text["kind"] == "input":
        return []
    missed = [row for row in earlier if row.effective_to is None or row.effective_to >= later[0].effective_from]
    keyed = [(row, parse_key(row.text["keys"])) for row in later]
    lacking = [(row, key) for row in missed if not _covered(key := parse_key(row.text["keys"]), [k for _, k in keyed])]
    lacking += _starts_gone(missed, keyed)
    days = f"the version of {later[0].effective_from}"
    before = f"that of {earlier[0].effective_from} has"
    made: list[_Gone] = []
    if lacking:
        keys = ", ".join(dict.fromkeys(row.text["keys"] for row, _ in lacking))
        fact = f"{where}: {days} has no {keys}; {before}"
        made.append(_Gone(KEY_GONE, "keys", later[0].rate_id, "", fact))
    if earlier[0].text["kind"] in _TIERED and later[0].text["kind"] in _TIERED:
        for first, written, tiers in _tiers_gone(missed, keyed):
            of = f" for {written}" if written else ""
            fact = f"{where}{of}: {days} has no tier {', '.join(map(str, tiers))}; {before}"
            made.append(_Gone(TIER_GONE, "tier", first.rate_id, parse_key(first.text["keys"]).joined, fact))
    return made


def _covered(key: RowKey, others: Sequence[RowKey]) -> bool:
    """Whether a version that has these keys prices what a row of the version before priced."""
    if key.start is not None or any(other.start is not None for other in others):
        return True  # starts are compared in their order
    parts = dict(zip(key.names, _values(key), strict=True))
    return any(
        all(parts.get(name, value) == value for name, value in zip(other.names, _values(other), strict=True))
        for other in others
    )


def _values(key: RowKey) -> tuple[str, ...]:
    """The values of a key by its names; a joined key that cannot be split stands for itself."""
    values = tuple(plain_key(part) for part in key.joined.split("|"))
    return values if len(values) == len(key.names) else (key.joined,) * len(key.names)


def _starts_gone(missed: Sequence[RateRow], keyed: Sequence[tuple[RateRow, RowKey]]) -> list[tuple[RateRow, RowKey]]:
    """The highest starts of a "last start reached" component that has fewer starts than before."""
    starts = {key.start for _, key in keyed if key.start is not None}
    if not starts:
        return []
    before = sorted(
        (
            (key.start, row.rate_id, row, key)
            for row in missed
            if (key := parse_key(row.text["keys"])).start is not None
        ),
        key=lambda each: (each[0] or Fraction(0), each[1]),
    )
    return [(row, key) for _, _, row, key in before[len(starts) :]]


def _tiers_gone(
    missed: Sequence[RateRow], keyed: Sequence[tuple[RateRow, RowKey]]
) -> Iterator[tuple[RateRow, str, list[int]]]:
    """For each key of the new version the tiers that it lacks: its first row, the key as written, the tier numbers."""
    by_key: dict[str, list[tuple[RateRow, RowKey]]] = {}
    for row, key in keyed:
        by_key.setdefault(key.joined, []).append((row, key))
    for rows in by_key.values():
        highest = max(row.tier for row, _ in rows)
        same = [row for row in missed if _covered(parse_key(row.text["keys"]), [rows[0][1]])]
        tiers = sorted({row.tier for row in same if row.tier > highest})
        if tiers:
            yield rows[0][0], rows[0][0].text["keys"], tiers


def without_price(versions: Sequence[Component], day: dt.date) -> bool:
    """Whether a component has ended before a day and starts again after it; one that ended for good is missed by nobody."""
    begun = [each for each in versions if each.effective_from <= day]
    if not begun or len(begun) == len(versions):
        return False
    last = begun[-1].effective_to
    return last is not None and last < day
