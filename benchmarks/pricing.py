"""Pricing: a million bills against an exact loop, cent by cent, and the speed against a Decimal loop in the same run.

python -m benchmarks.pricing [bills compared, 1000000] [bills timed, 100000]
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.trade.tariffs import RATE_COLUMNS, RateBook, price, rate_book
from xlbilling.trade.tariffs.evaluate import Batch
from xlbilling.trade.tariffs.services import Services
from xlbilling.words.exact import MILLION, Exact

SIZES = {'5/8"': "24.06", '3/4"': "30.11", '1"': "45.90", '1 1/2"': "80.01", '2"': "128.43"}
OLD = [("0", "2.1450"), ("15", "3.2275"), ("41", "8.8515")]
NEW = [("0", "2.2965"), ("13", "3.4505"), ("36", "9.4710")]
START, CHANGE = dt.date(2026, 1, 1), dt.date(2026, 3, 16)
FIRST_DAY, CENT = np.datetime64("2026-02-01", "D"), Decimal("0.01")


def rates(changes: bool) -> pd.DataFrame:
    """Meter-size charge, three tiers and a percentage; with `changes` new tier prices from CHANGE on."""
    usual: dict[str, Any] = dict.fromkeys(RATE_COLUMNS, "") | {
        "tariff": "W1", "customer_class": "SFR", "tier": 0, "effective_from": START, "effective_to": None,
        "resolution": "2026-1", "gl_account": "4000", "unit": "CCF",
    }  # fmt: skip
    rows = [
        usual | {"component": "service", "kind": "fixed", "keys": f"meter_size={size}", "rate": rate, "position": 1}
        for size, rate in SIZES.items()
    ]
    for day, tiers in ((START, OLD), (CHANGE, NEW)) if changes else ((START, OLD),):
        rows += [
            usual | {"component": "water", "kind": "tiered", "tier": number, "from_unit": start, "rate": rate,
                     "position": 2, "effective_from": day}
            for number, (start, rate) in enumerate(tiers, start=1)
        ]  # fmt: skip
    rows.append(usual | {"component": "tax", "kind": "percentage", "rate": "1.5", "position": 3})
    return pd.DataFrame(rows)


def services(count: int, whole_units: bool = False) -> pd.DataFrame:
    """Random services: consumption to the hundredth of a unit (or in whole units), 28 to 61 days, any meter size."""
    chance = np.random.default_rng(20261123)
    after = FIRST_DAY + chance.integers(0, 40, count)
    until = after + chance.integers(28, 62, count)
    units = chance.integers(0, 90, count) * MILLION if whole_units else chance.integers(0, 9000, count) * 10_000
    return pd.DataFrame(
        {
            "key": np.arange(count).astype(str),
            "tariff": "W1",
            "customer_class": "SFR",
            "meter_size": np.array(list(SIZES), dtype=object)[chance.integers(0, len(SIZES), count)],
            "consumption": units,
            "service_from": after.astype("datetime64[s]"),
            "service_to": until.astype("datetime64[s]"),
            "bill_date": until.astype("datetime64[s]"),
        }
    )


# ---- cent by cent -----------------------------------------------------------------------------------------------


def exact_bill(size: str, millionths: int, old_days: int, days: int) -> int:
    """The bill in cents by fractions, segment by segment; the service charge did not change and is one line."""
    total = half_up(Fraction(SIZES[size]))
    for tiers, part in ((OLD, old_days), (NEW, days - old_days)):
        if not part:
            continue
        share = Fraction(part, days)
        service = Fraction(SIZES[size]) * share
        left, water, below = Fraction(millionths, MILLION) * share, [], 0
        for (_, rate), following in zip(tiers, [*tiers[1:], None], strict=True):
            end = None if following is None else int(following[0]) - 1
            held = left if end is None else min(left, (end - below) * share)
            below = below if end is None else end
            left -= held
            water.append(held * Fraction(rate))
        tax = (service + sum(water)) * Fraction("0.015")
        total += sum(half_up(amount) for amount in (*water, tax))
    return total


def half_up(amount: Fraction) -> int:
    return int(amount * 100 + Fraction(1, 2))


def compare(count: int) -> int:
    """How many of `count` random bills, with a rate change within many of them, are a cent or more apart."""
    book, problems = rate_book(rates(changes=True))
    usage = services(count)
    result = price(book, usage, with_basis=False)
    if problems or result.problems:
        raise SystemExit(f"{len(problems)} rate problems, {len(result.problems)} refused services")
    billed = np.bincount(result.lines["row"], weights=result.lines["amount_cents"], minlength=count).astype(np.int64)
    after, until = (usage[name].to_numpy().astype("datetime64[D]") for name in ("service_from", "service_to"))
    days = (until - after).astype(int)
    old_days = np.clip((np.datetime64(CHANGE, "D") - after).astype(int) - 1, 0, days)
    rows = zip(usage["meter_size"], usage["consumption"].tolist(), old_days.tolist(), days.tolist(), strict=True)
    return sum(exact_bill(*row) != cents for row, cents in zip(rows, billed.tolist(), strict=True))


# ---- speed ------------------------------------------------------------------------------------------------------


def decimal_loop(usage: pd.DataFrame) -> list[int]:
    """What a careful programmer writes first: one bill after the other, in Decimal."""
    service = {size: Decimal(rate) for size, rate in SIZES.items()}
    tiers = [(int(start), Decimal(rate)) for start, rate in OLD]
    unit, bills = Decimal(MILLION), []
    for size, millionths in zip(usage["meter_size"], usage["consumption"].tolist(), strict=True):
        left = Decimal(millionths) / unit
        exact = service[size]
        total = exact.quantize(CENT, ROUND_HALF_UP)
        below = 0
        for place, (_, rate) in enumerate(tiers):
            held = left
            if place + 1 < len(tiers):
                end = tiers[place + 1][0] - 1
                held = min(left, Decimal(end - below))
                below = end
            left -= held
            exact += held * rate
            total += (held * rate).quantize(CENT, ROUND_HALF_UP)
        total += (exact * Decimal("0.015")).quantize(CENT, ROUND_HALF_UP)
        bills.append(int(total * 100))
    return bills


def kernel(book: RateBook, usage: pd.DataFrame) -> Any:
    """The cents of every bill, from coded columns: what pricing itself costs."""
    inputs = Services(usage)
    inputs.coded("meter_size")
    rows = np.arange(inputs.count)

    def run() -> np.ndarray[Any, Any]:
        batch = Batch(book.versions("W1", "SFR")[0], inputs, rows, Exact(inputs.consumption, MILLION), inputs.days)
        water = [each.amount.to_cents() for each in batch.slices(batch.schedule.components["water"])]
        total: np.ndarray[Any, Any] = batch.value("service").to_cents() + sum(water) + batch.value("tax").to_cents()
        return total

    return run


def best(work: Callable[[], Any], times: int = 5) -> float:
    """Seconds of the fastest of several runs, after one to warm up."""
    work()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def main(arguments: list[str]) -> None:
    compared, timed = (int(arguments[at]) if len(arguments) > at else usual for at, usual in ((0, 10**6), (1, 10**5)))
    print(f"{compare(compared)} of {compared:,} bills apart from the exact loop")
    book, _ = rate_book(rates(changes=False))
    usage, whole = services(timed), services(timed, whole_units=True)
    assert decimal_loop(usage) == list(kernel(book, usage)())
    loop = best(lambda: decimal_loop(usage), 2)
    for name, work in (
        ("Decimal loop", None),
        ("kernel", kernel(book, usage)),
        ("price, no basis", lambda: price(book, usage, with_basis=False)),
        ("price, hundredths", lambda: price(book, usage)),
        ("price, whole units", lambda: price(book, whole)),
    ):
        seconds = loop if work is None else best(work)
        print(f"{name:20} {timed / seconds:12,.0f} bills/s   {loop / seconds:6.1f} x")


if __name__ == "__main__":
    main(sys.argv[1:])
