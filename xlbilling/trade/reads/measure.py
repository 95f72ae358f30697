"""From dials to consumption: reads laid beside the registers they belong to, and registers summed to services."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.units import MILLION, convert, multiplied, same, truncated

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Window:
    """The read window of one run of a cycle."""

    cycle: str
    period: str
    read_from: dt.date
    read_to: dt.date


@dataclass(frozen=True, slots=True)
class BillingUnit:
    """How consumption becomes billed consumption: the unit, gallons per CCF, decimals kept, fractions policy.

    `fractions`: bill (parts of a unit are billed), truncate (left out) or carry (left for the next bill).
    """

    unit: str
    gallons_per_ccf: Fraction
    places: int
    fractions: str

    def of(self, consumption: Whole, units: npt.NDArray[Any]) -> Whole:
        return convert(consumption, units, self.unit, self.gallons_per_ccf, self.places)

    def billed(self, measured: Whole, carried: Whole) -> tuple[Whole, Whole]:
        """What is billed of the measured consumption and what earlier bills left, and what is left for the next bill.

        All in millionths. carry: billed + left == measured + carried, always. truncate leaves nothing: it drops.
        """
        every = measured + carried
        if self.fractions == "bill":
            return every, np.zeros_like(every)
        whole = truncated(every)
        return whole, every - whole if self.fractions == "carry" else np.zeros_like(every)


def register_key(meter_id: pd.Series[Any], register_id: pd.Series[Any]) -> pd.Series[Any]:
    """One text for a register of a meter: 71000031:L, or the meter's number alone."""
    named = ~same(register_id, "")
    return meter_id.mask(named, meter_id + ":" + register_id) if named.any() else meter_id


def lay(registers: pd.DataFrame, reads: pd.DataFrame) -> pd.DataFrame:
    """Lay each register's read beside it; one row a register, in the registers' order.

    `registers`: service_id, dials, unit, multiplier (decimal text), previous_date, previous_read, previous_value
    (millionths). `reads`: one row a register: register_at (its row among them), read_id, read_date, dial_read, read_value
    (millionths, Int64), read_unit, read_code, others (further different reads of the register), differing (all of them).
    Adds the read's columns, `read_at` (its row among the reads, -1 for none), `capacity` (millionths once around the
    dial), `forward` and `rolled` (millionths of the register's unit: this read less the last, and the same once around
    the dial; 0 where there is no value), `has_value`.
    """
    place = np.full(len(registers), -1)
    place[reads["register_at"].to_numpy(dtype=np.int64)] = np.arange(len(reads))
    there = place >= 0
    laid = registers.reset_index(drop=True)
    if len(reads) == 0:
        taken = pd.DataFrame(index=laid.index, columns=[*_READ_TYPES]).astype(_READ_TYPES)
    else:
        taken = reads[[*_READ_TYPES]].iloc[np.where(there, place, 0)].reset_index(drop=True)
        if not there.all():
            taken = taken.astype({"read_id": "Int64", "others": "Int64"}).where(pd.Series(there))
    code = taken["read_code"].where(pd.Series(there), "missing").fillna("missing")
    taken = taken.assign(
        read_code=code,
        dial_read=taken["dial_read"].fillna(""),
        read_unit=taken["read_unit"].fillna(""),
        read_id=taken["read_id"].astype("Int64"),
        others=taken["others"].fillna(0).astype("int64"),
        differing=taken["differing"].fillna(""),
        read_at=place,
    )
    laid = pd.concat([laid, taken], axis=1)
    value = taken["read_value"].astype("Int64")
    known = value.notna().to_numpy(dtype=bool) & laid["previous_date"].notna().to_numpy(dtype=bool)
    current = value.fillna(0).to_numpy(dtype=np.int64)
    capacity = 10 ** laid["dials"].to_numpy(dtype=np.int64) * MILLION
    step = current - laid["previous_value"].to_numpy(dtype=np.int64)
    around = np.where(step < 0, step + capacity, step)
    times = laid["multiplier"]
    forward = np.where(known, multiplied_each(step, times), 0)
    same = bool((step == around).all())
    return laid.assign(
        has_value=known,
        capacity=capacity,
        forward=forward,
        rolled=forward if same else np.where(known, multiplied_each(around, times), 0),
    )


_READ_TYPES: Final = {
    "read_id": "Int64",
    "read_date": "datetime64[s]",
    "dial_read": "str",
    "read_value": "Int64",
    "read_unit": "str",
    "read_code": "str",
    "others": "Int64",
    "differing": "str",
}


def multiplied_each(quantity: Whole, multiplier: pd.Series[Any]) -> Whole:
    """Quantity times multiplier (decimal text), exact to the millionth; what is finer is rounded half-up."""
    made = quantity.copy()
    for text in multiplier.unique():
        if text != "1":
            rows = same(multiplier, str(text))
            made[rows] = multiplied(quantity[rows], Fraction(text))
    return made


# The registers of a compound meter: the small one for low flow, the large one for high flow.
COMPOUND: Final = {"consumption_low": ("L", "LOW"), "consumption_high": ("H", "HIGH")}


def side_of(register_id: pd.Series[Any], side: str) -> npt.NDArray[np.bool_]:
    """The registers that are the small (consumption_low) or the large side (consumption_high) of a compound meter."""
    code, names = pd.factorize(register_id)
    wanted = np.array([str(name).upper() in COMPOUND[side] for name in names], dtype=bool)
    return wanted[code] if wanted.any() else np.zeros(len(register_id), dtype=bool)


def by_service(laid: pd.DataFrame, billing: BillingUnit, carried: Whole) -> pd.DataFrame:
    """Registers summed to their service: one row a service that has registers, in the order of its first one.

    `laid` has `position`, the service's place in `carried` (millionths of the billing unit that earlier bills left).
    Columns: position, first (row of the service's first register), service_id, service_from, service_to, days, measured
    and consumption (millionths of the billing unit; consumption is what the fractions policy bills of it), carried (left
    for the next bill), read_code (estimated when any register is), usable (every register has a consumption),
    consumption_low and consumption_high (what a compound meter's registers measured; NA for a service that has no such
    meter).
    """
    at, positions = pd.factorize(laid["position"])
    count = len(positions)
    first = np.full(count, len(laid))
    np.minimum.at(first, at, np.arange(len(laid)))
    each = billing.of(laid["consumption"].to_numpy(dtype=np.int64), laid["unit"].to_numpy())
    measured = _added(each, at, count)
    usable = _every(laid["usable"].to_numpy(dtype=bool), at, count)
    service_from = laid["previous_date"].to_numpy(dtype="datetime64[s]")[first]
    service_to = laid["read_date"].to_numpy(dtype="datetime64[s]")[first]
    if count < len(laid):
        np.fmin.at(service_from, at, laid["previous_date"].to_numpy(dtype="datetime64[s]"))
        np.fmax.at(service_to, at, laid["read_date"].to_numpy(dtype="datetime64[s]"))
    days = (service_to.astype("datetime64[D]") - service_from.astype("datetime64[D]")).astype(np.int64)
    days = np.where(np.isnat(service_from) | np.isnat(service_to), 0, days)
    usable &= days > 0
    billed, left = billing.billed(measured, np.where(usable, carried[positions], 0))
    estimated = ~_every(~same(laid["read_code"], "estimated"), at, count)
    made = pd.DataFrame(
        {
            "position": positions,
            "first": first,
            "service_id": laid["service_id"].to_numpy()[first],
            "service_from": service_from,
            "service_to": service_to,
            "days": days,
            "measured": measured,
            "consumption": billed,
            "carried": left,
            "read_code": np.where(estimated, "estimated", "actual"),
            "usable": usable,
        }
    )
    return made.assign(**_sides(laid, each, at, count))


def _sides(laid: pd.DataFrame, each: Whole, at: Whole, count: int) -> dict[str, pd.arrays.IntegerArray]:
    """What the small and the large registers of compound meters measured, by service."""
    rows = {name: side_of(laid["register_id"], name) for name in COMPOUND}
    either = np.bincount(at[np.logical_or(*rows.values())], minlength=count) > 0
    sums = {name: _added(each[chosen], at[chosen], count) for name, chosen in rows.items()}
    return {name: pd.arrays.IntegerArray(total, ~either) for name, total in sums.items()}


def _added(values: Whole, at: Whole, count: int) -> Whole:
    made = np.zeros(count, dtype=np.int64)
    np.add.at(made, at, values)
    return made


def _every(values: npt.NDArray[np.bool_], at: Whole, count: int) -> npt.NDArray[np.bool_]:
    """For each of `count` groups, whether all its values hold."""
    made: npt.NDArray[np.bool_] = np.bincount(at[~values], minlength=count) == 0
    return made
