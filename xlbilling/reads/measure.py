"""From dials to consumption: reads laid beside the registers they belong to, and registers summed to services."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.reads.units import MILLION, convert, multiplied, truncated


@dataclass(frozen=True, slots=True)
class Window:
    """The read window of one run of a cycle."""

    cycle: str
    period: str
    read_from: dt.date
    read_to: dt.date


@dataclass(frozen=True, slots=True)
class BillingUnit:
    """How consumption becomes billed consumption: the unit, gallons per CCF, decimals kept, fractions policy."""

    unit: str
    gallons_per_ccf: Fraction
    places: int
    fractions: str  # bill or truncate

    def of(self, consumption: npt.NDArray[np.int64], units: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        return convert(consumption, units, self.unit, self.gallons_per_ccf, self.places)


def register_key(meter_id: pd.Series[Any], register_id: pd.Series[Any]) -> pd.Series[Any]:
    """One text for a register of a meter: 71000031:L, or the meter's number alone."""
    return meter_id.where(register_id.eq(""), meter_id + ":" + register_id)


def lay(registers: pd.DataFrame, reads: pd.DataFrame) -> pd.DataFrame:
    """Lay each register's read beside it; one row a register, in the registers' order.

    `registers`: register_key, service_id, dials, unit, multiplier (decimal text), previous_date, previous_read,
    previous_value (millionths). `reads`: one row a register_key: read_id, read_date, dial_read, read_value (millionths,
    Int64), read_unit, read_code, others (further different reads of the register).
    Adds the read's columns and `forward` and `rolled` (millionths of the register's unit: this read less the last, and
    the same once around the dial; 0 where there is no value), `has_value`.
    """
    place = pd.Index(reads["register_key"]).get_indexer(pd.Index(registers["register_key"]))
    found = place >= 0
    laid = registers.reset_index(drop=True)
    if len(reads) == 0:
        taken = pd.DataFrame(index=laid.index, columns=_READ_COLUMNS).astype(_READ_TYPES)
    else:
        taken = reads[[*_READ_COLUMNS, "others"]].iloc[np.where(found, place, 0)].reset_index(drop=True)
        taken = taken.where(pd.Series(found))
    taken["read_code"] = taken["read_code"].where(pd.Series(found), "missing").fillna("missing")
    for name in ("dial_read", "read_unit"):
        taken[name] = taken[name].fillna("")
    taken["read_id"] = taken["read_id"].astype("Int64")
    laid = laid.assign(**{name: taken[name] for name in taken.columns})
    value = laid["read_value"].astype("Int64")
    laid["has_value"] = value.notna().to_numpy() & laid["previous_date"].notna().to_numpy()
    current = value.fillna(0).to_numpy(dtype=np.int64)
    capacity = 10 ** laid["dials"].to_numpy(dtype=np.int64) * MILLION
    step = current - laid["previous_value"].to_numpy(dtype=np.int64)
    around = np.where(step < 0, step + capacity, step)
    times = laid["multiplier"]
    laid["forward"] = np.where(laid["has_value"], _times(step, times), 0)
    laid["rolled"] = np.where(laid["has_value"], _times(around, times), 0)
    return laid


_READ_COLUMNS = ["read_id", "read_date", "dial_read", "read_value", "read_unit", "read_code"]
_READ_TYPES = {
    "read_id": "Int64",
    "read_date": "datetime64[s]",
    "dial_read": "str",
    "read_value": "Int64",
    "read_unit": "str",
    "read_code": "str",
}


def _times(quantity: npt.NDArray[np.int64], multiplier: pd.Series[Any]) -> npt.NDArray[np.int64]:
    """Quantity times multiplier (decimal text), exact to the millionth; what is finer is rounded half-up."""
    made = quantity.copy()
    for text in multiplier.unique():
        if text != "1":
            rows = multiplier.eq(text).to_numpy()
            made[rows] = multiplied(quantity[rows], Fraction(text))
    return made


# The registers of a compound meter: the small one for low flow, the large one for high flow.
COMPOUND: Final = {"consumption_low": ("L", "LOW"), "consumption_high": ("H", "HIGH")}


def by_service(laid: pd.DataFrame, billing: BillingUnit) -> pd.DataFrame:
    """Registers summed to their service: one row a service that has registers.

    Columns: service_id, service_from, service_to, days, consumption (millionths of the billing unit), read_code
    (estimated when any register is), usable (every register has a consumption), consumption_low and consumption_high
    (what a compound meter's registers measured; NA for a service that has no such meter).
    """
    each = laid.assign(
        billed=billing.of(laid["consumption"].to_numpy(dtype=np.int64), laid["unit"].to_numpy()),
        estimated=laid["read_code"].eq("estimated"),
    )
    summed = each.groupby("service_id", sort=False).agg(
        service_from=("previous_date", "min"),
        service_to=("read_date", "max"),
        consumption=("billed", "sum"),
        estimated=("estimated", "any"),
        usable=("usable", "all"),
    )
    summed = summed.reset_index()
    for name, names in COMPOUND.items():
        register = each.loc[each["register_id"].str.upper().isin(names)].groupby("service_id")["billed"].sum()
        summed[name] = summed["service_id"].map(register).astype("Int64")
    both = summed[list(COMPOUND)].notna().any(axis=1)
    summed[list(COMPOUND)] = summed[list(COMPOUND)].fillna(0).where(both)
    if billing.fractions == "truncate":
        summed["consumption"] = truncated(summed["consumption"].to_numpy(dtype=np.int64))
    days = (summed["service_to"] - summed["service_from"]).dt.days
    summed["days"] = days.fillna(0).astype("int64")
    summed["read_code"] = np.where(summed["estimated"], "estimated", "actual")
    summed["usable"] = summed["usable"].to_numpy(dtype=bool) & summed["days"].gt(0).to_numpy()
    return summed.drop(columns="estimated").assign(carried=0, estimate="")
