"""Checks of registers: what one dial says beside its last one, the meter's make and the service's habits."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.days import dated
from xlbilling.trade.reads.findings import find, quantity
from xlbilling.trade.reads.history import History
from xlbilling.trade.reads.measure import BillingUnit, Window, multiplied_each
from xlbilling.trade.reads.rules import Rules
from xlbilling.trade.reads.units import MILLION, same

ROLLOVER_SHARE: Final = Fraction(1, 10)  # of the whole dial, where nothing is known of what is usual
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Bench:
    """What the checks go by: the run's window, the billing unit, the district's rules and the services' history."""

    window: Window
    billing: BillingUnit
    rules: Rules
    past: History

    @property
    def least(self) -> float:
        """The difference in millionths of the billing unit from which consumption is out of line at all."""
        return float(self.rules.fraction("reads", "least_difference")) * MILLION

    @property
    def cents_a_unit(self) -> float:
        return float(self.rules.fraction("reads", "rough_price")) * 100 / MILLION


def cents(amount: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.int64]:
    """A rough amount in whole cents, half up."""
    made: npt.NDArray[np.int64] = np.floor(amount + 0.5).astype(np.int64)
    return made


def judge(laid: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """Mark each register: outside the window, below its last read and how, rolled over, and what it is billed by.

    Adds the read code's own column (missing, no_read, suspect, estimated, actual), outside, over (more digits than the meter), estimated_before (the last read was estimated), below, overestimated,
    reversed, too_few (each below in its own way), rollover, single (alone on its service), usable and consumption
    (millionths of the register's unit).
    """
    window, rules = bench.window, bench.rules
    read_date = dated(laid, window)
    out = read_date.lt(pd.Timestamp(window.read_from)) | read_date.gt(pd.Timestamp(window.read_to))
    value = laid["read_value"].fillna(0).to_numpy(dtype=np.int64)
    known = laid["has_value"].to_numpy(dtype=bool)
    laid = laid.assign(
        read_date=read_date,
        outside=out.to_numpy(dtype=bool) & ~laid["removed"].to_numpy(dtype=bool),
        over=known & (value >= laid["capacity"].to_numpy(dtype=np.int64)),
        estimated_before=same(laid["previous_code"], "estimated"),
        single=_alone(laid),
        rollover=False,
        overestimated=False,
        reversed=False,
        too_few=False,
    )
    went_back = known & (laid["forward"].to_numpy(dtype=np.int64) < 0)
    over_estimate = known & laid["estimated_before"].to_numpy(dtype=bool)
    if over_estimate.any():
        over_estimate &= _short_of_estimate(laid, value) & rules.checked("overestimated", laid)
        laid["overestimated"] = over_estimate
    below = np.flatnonzero(went_back & ~over_estimate)
    if len(below):
        _say_how(laid, below, bench)
    rolled = laid["rollover"].to_numpy(dtype=bool)
    codes = _codes(laid["read_code"])
    readable = known & ~codes["missing"] & ~codes["no_read"]
    usable = readable & ~(went_back & ~rolled) & ~over_estimate
    forward, around = (laid[name].to_numpy(dtype=np.int64) for name in ("forward", "rolled"))
    return laid.assign(
        **codes,
        below=went_back & ~rolled & ~over_estimate,
        usable=usable,
        consumption=np.where(usable, np.where(rolled, around, forward), 0),
    )


def _codes(read_code: pd.Series[Any]) -> dict[str, Bools]:
    """For each read code a column that is True where it is the register's."""
    kind, names = pd.factorize(read_code)
    found = {str(name): kind == number for number, name in enumerate(names)}
    none = np.zeros(len(read_code), dtype=bool)
    return {name: found.get(name, none) for name in ("missing", "no_read", "suspect", "estimated", "actual")}


def _alone(laid: pd.DataFrame) -> Bools:
    """Registers that are the only one of their service."""
    at = laid["position"].to_numpy(dtype=np.int64)
    made: Bools = np.bincount(at)[at] == 1
    return made


def _short_of_estimate(laid: pd.DataFrame, value: npt.NDArray[np.int64]) -> Bools:
    """For each register whether its read falls short of an estimate made before."""
    names = ("actual_value", "previous_value", "capacity")
    made: Bools = short_of_estimate(value, *(laid[name].to_numpy(dtype=np.int64) for name in names))
    return made


def short_of_estimate(value: Any, actual: Any, estimate: Any, capacity: Any) -> Any:
    """Whether a dial lies between the last actual read and the estimate made since, counted past zero if need be."""
    return (value < capacity) & ((value - actual) % capacity < (estimate - actual) % capacity)


def _say_how(laid: pd.DataFrame, below: npt.NDArray[np.int64], bench: Bench) -> None:
    """Tell a rollover, a meter that runs backwards and a digit left out from a dial that is merely below its last read."""
    rows, rules = laid.iloc[below], bench.rules
    rolled = _plausible(rows, bench)
    usual = _usually(rows, bench)
    back = bench.billing.of(-rows["forward"].to_numpy(dtype=np.int64), rows["unit"].to_numpy())
    give = rules.ratios("reversed_meter", rows)
    single, over = rows["single"].to_numpy(dtype=bool), rows["over"].to_numpy(dtype=bool)
    with np.errstate(invalid="ignore"):
        moved_back = single & (usual > 0) & (back >= usual * (1 - give)) & (back <= usual * (1 + give))
    backwards = moved_back & ~rolled & ~over & rules.checked("reversed_meter", rows)
    shorter = _whole_digits(rows["dial_read"]) < _whole_digits(rows["previous_read"])
    few = shorter & ~rolled & ~backwards & ~over & rules.checked("too_few_dials", rows)
    for name, marks in (("rollover", rolled), ("reversed", backwards), ("too_few", few)):
        column = laid[name].to_numpy(dtype=bool).copy()
        column[below] = marks
        laid[name] = column


def _whole_digits(dials: pd.Series[Any]) -> npt.NDArray[np.int64]:
    return np.array([len(text.partition(".")[0]) for text in dials], dtype=np.int64)


def _usually(rows: pd.DataFrame, bench: Bench) -> npt.NDArray[np.float64]:
    """What the service of each register used in as many days by all its bills, in whole millionths; NaN without any."""
    days = (rows["read_date"] - rows["previous_date"]).dt.days.to_numpy(dtype=np.float64)
    made: npt.NDArray[np.float64] = np.round(
        bench.past.all().per_day[rows["position"].to_numpy()] * np.maximum(days, 1)
    )
    return made


def _plausible(below: pd.DataFrame, bench: Bench) -> Bools:
    """Rollover or error: by what a rollover would mean against what the service used before.

    Without a history it may mean a tenth of the dial.
    """
    usual = _usually(below, bench)
    rolled = bench.billing.of(below["rolled"].to_numpy(dtype=np.int64), below["unit"].to_numpy())
    high = bench.rules.ratios("high", below)
    with np.errstate(invalid="ignore"):
        as_usual = rolled <= np.maximum(usual * high, usual + bench.least)
    steps = below["read_value"].to_numpy(dtype=np.int64) - below["previous_value"].to_numpy(dtype=np.int64)
    capacity = below["capacity"].to_numpy(dtype=np.int64)
    of_dial = steps + capacity <= capacity // ROLLOVER_SHARE.denominator
    made: Bools = np.where(np.isnan(usual), of_dial, as_usual)
    return made


def of_registers(laid: pd.DataFrame, bench: Bench, routes: Bools) -> list[pd.DataFrame]:
    """Checks of one register's read; `laid` as `judge` gives it, `routes` marks registers that a route's finding covers."""
    rules, window = bench.rules, bench.window
    due, removed = (laid[name].to_numpy(dtype=bool) for name in ("due", "removed"))
    value, below, over = (laid[name].to_numpy(dtype=bool) for name in ("has_value", "below", "over"))
    other_unit = ~same(laid["read_unit"], "") & _differ(laid["read_unit"], laid["unit"])
    backwards, few = (laid[name].to_numpy(dtype=bool) for name in ("reversed", "too_few"))
    exceeding = value & over
    moved = laid["forward"].to_numpy(dtype=np.int64)
    missing = laid["missing"].to_numpy(dtype=bool) & due & ~removed & ~routes
    missing &= ~laid["awaited"].to_numpy(dtype=bool)
    rolled = laid["rollover"].to_numpy(dtype=bool) & ~over
    taken = due & laid["usable"].to_numpy(dtype=bool)
    settles = laid["estimated_before"].to_numpy(dtype=bool) & (laid["actual"] | laid["suspect"]).to_numpy(dtype=bool)
    return [
        find("missing_read", rules, laid, missing, "last_read", _missing(window)),
        find("no_read", rules, laid, due & laid["no_read"].to_numpy(), "dial_read", _no_read),
        find("duplicate_read", rules, laid, due & (laid["others"].to_numpy() > 0), "dial_read", _duplicate),
        find("outside_window", rules, laid, due & value & laid["outside"].to_numpy(), "read_date", _outside(window)),
        find("wrong_unit", rules, laid, due & value & other_unit, "unit", _unit),
        find("too_many_dials", rules, laid, due & exceeding, "dial_read", _dials),
        find("overestimated", rules, laid, due & laid["overestimated"].to_numpy(), "dial_read", _overestimated),
        find("reversed_meter", rules, laid, due & below & backwards, "dial_read", _reversed(bench)),
        find("too_few_dials", rules, laid, due & below & few, "dial_read", _few),
        find("read_below_last", rules, laid, due & below & ~over & ~backwards & ~few, "dial_read", _below),
        find("rollover", rules, laid, due & rolled, "dial_read", _rolled),
        find("implied_decimals", rules, *_misplaced_points(laid, bench), "dial_read", _point(bench)),
        find("suspect", rules, laid, due & laid["suspect"].to_numpy(), "dial_read", _suspect),
        find("stuck", rules, laid, laid["stuck"].to_numpy(dtype=bool), "dial_read", _stuck),
        find("trued_up", rules, laid, taken & settles, "dial_read", _trued_up),
        find("inactive_consumption", rules, laid, ~due & value & (moved > 0), "dial_read", _inactive),
    ]  # fmt: skip


def _differ(texts: pd.Series[Any], others: pd.Series[Any]) -> Bools:
    return np.asarray(texts.to_numpy(dtype=object) != others.to_numpy(dtype=object), dtype=bool)


def stuck(laid: pd.DataFrame, bench: Bench) -> Bools:
    """Registers alone on a service that stand exactly at their last read, though every earlier bill had consumption."""
    still: Bools = (
        laid["due"].to_numpy(dtype=bool) & laid["usable"].to_numpy(dtype=bool) & laid["single"].to_numpy(dtype=bool)
    )
    still &= laid["forward"].to_numpy(dtype=np.int64) == 0
    still &= ~laid["estimated_before"].to_numpy(dtype=bool) & ~laid["estimated"].to_numpy(dtype=bool)
    at = np.flatnonzero(still)
    if len(at):
        rows = laid.iloc[at]
        bills = bench.rules.thresholds("stuck", rows)
        used = bench.past.always_used(rows["position"].to_numpy(dtype=np.int64), bills)
        still[at] = used & bench.rules.checked("stuck", rows)
    return still


def _misplaced_points(laid: pd.DataFrame, bench: Bench) -> tuple[pd.DataFrame, Bools]:
    """Reads out of line with what is usual that are in line once multiplied or divided by 10, 100 or 1,000.

    Rows with `fits` (the read that would fit, millionths) and `would_be` (its consumption in the billing unit).
    """
    known = (
        laid["due"].to_numpy(dtype=bool) & laid["has_value"].to_numpy(dtype=bool) & laid["single"].to_numpy(dtype=bool)
    )
    usual = laid["usual"].to_numpy(dtype=np.float64)
    given = np.where(laid["rollover"].to_numpy(dtype=bool), laid["rolled"], laid["forward"])
    known &= (
        (usual > 0) & (laid["bills_before"].to_numpy(dtype=np.int64) > 0) & ~laid["overestimated"].to_numpy(dtype=bool)
    )
    at = np.flatnonzero(known)
    measured = bench.billing.of(given[at], laid["unit"].to_numpy()[at])
    odd = at[~_in_line(measured, usual[at], laid.iloc[at], bench)]
    rows = laid.iloc[odd].reset_index(drop=True)
    value, last = (rows[name].to_numpy(dtype=np.int64) for name in ("read_value", "previous_value"))
    capacity, units = rows["capacity"].to_numpy(dtype=np.int64), rows["unit"].to_numpy()
    best, nearest = np.zeros(len(rows), dtype=np.int64), np.full(len(rows), np.inf)
    would_be = np.zeros(len(rows), dtype=np.int64)
    for power in (10, 100, 1000):
        for moved in (value // power, np.where(value <= capacity // power, value * power, -1)):
            possible = (moved >= last) & (moved < capacity) & (moved != value)
            steps = multiplied_each(np.where(possible, moved - last, 0), rows["multiplier"])
            means = bench.billing.of(steps, units)
            off = np.abs(means - rows["usual"].to_numpy(dtype=np.float64))
            fits = possible & _in_line(means, rows["usual"].to_numpy(dtype=np.float64), rows, bench) & (off < nearest)
            best, would_be = np.where(fits, moved, best), np.where(fits, means, would_be)
            nearest = np.where(fits, off, nearest)
    return rows.assign(fits=best, would_be=would_be), np.isfinite(nearest)


def _in_line(used: npt.NDArray[np.int64], usual: npt.NDArray[np.float64], rows: pd.DataFrame, bench: Bench) -> Bools:
    """Neither high nor low beside what is usual."""
    low, high = bench.rules.ratios("low", rows), bench.rules.ratios("high", rows)
    near = (used >= usual * low) & (used < usual * high)
    made: Bools = (used >= 0) & (near | (np.abs(used - usual) < bench.least))
    return made


def _missing(window: Window) -> Any:
    return lambda r: f"register {r.finding_key} has no read from {window.read_from} to {window.read_to}"


def _outside(window: Window) -> Any:
    return lambda r: f"read on {r.read_date:%Y-%m-%d}, outside {window.read_from} to {window.read_to}"


def _no_read(r: Any) -> str:
    return f"the reading system could not read register {r.finding_key}"


def _duplicate(r: Any) -> str:
    return f"register {r.finding_key} has {r.others + 1} different reads: {r.differing}"


def _unit(r: Any) -> str:
    return f"read in {r.read_unit}, the meter counts in {r.unit}"


def _dials(r: Any) -> str:
    return f"{r.dial_read} has more digits than the meter's {r.dials} dials"


def _few(r: Any) -> str:
    return f"{r.dial_read} has fewer digits than the last read {r.previous_read} and is below it; {_around(r)}"


def _below(r: Any) -> str:
    return f"{r.dial_read} is below the last read {r.previous_read}; {_around(r)}"


def _around(r: Any) -> str:
    return f"a rollover would mean {quantity(r.rolled)} {r.unit}"


def _reversed(bench: Bench) -> Any:
    def say(r: Any) -> str:
        back = f"{r.dial_read} is {quantity(-r.forward)} {r.unit} below the last read {r.previous_read}"
        return f"{back}; {quantity(r.usual)} {bench.billing.unit} are usual"

    return say


def _overestimated(r: Any) -> str:
    moved = (int(r.read_value) - r.actual_value) % r.capacity
    return (
        f"{r.dial_read} has not reached the last read {r.previous_read}, which was estimated; "
        f"since the actual read {r.actual_read} of {r.actual_date:%Y-%m-%d} the dial moved on by {quantity(moved)}"
    )


def _trued_up(r: Any) -> str:
    times = Fraction(r.multiplier)
    settled = (int(r.read_value) - r.actual_value) % r.capacity * times
    before = (r.previous_value - r.actual_value) % r.capacity * times
    bills = max(int(r.in_row), 1)
    days = (r.read_date - r.actual_date).days
    return (
        f"actual read after {bills} estimated bill{'s' * (bills > 1)}: {quantity(float(settled))} {r.unit} in {days} days "
        f"since {r.actual_date:%Y-%m-%d}, of which {quantity(float(before))} were billed on estimates"
    )


def _rolled(r: Any) -> str:
    return f"{r.dial_read} is below the last read {r.previous_read}; taken as a rollover, {quantity(r.rolled)} {r.unit}"


def _point(bench: Bench) -> Any:
    def say(r: Any) -> str:
        read, unit = quantity(r.fits).replace(",", ""), bench.billing.unit
        usual = f"{quantity(r.usual)} are usual"
        return f"{r.dial_read} read as {read} would mean {quantity(r.would_be)} {unit}; {usual}"

    return say


def _suspect(r: Any) -> str:
    return f"the reading system marks {r.dial_read} as suspect"


def _stuck(r: Any) -> str:
    return f"{r.dial_read} is the last read again; all {r.bills_before} earlier bills had consumption, {quantity(r.usual)} are usual"


def _inactive(r: Any) -> str:
    return f"the service is not active and its meter moved on by {quantity(r.forward)} {r.unit} to {r.dial_read}"
