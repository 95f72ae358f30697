"""The course of consumption: what each service with a finding used before, and what the run measures now, as bars."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.views import last_reads
from xlbilling.papers.bars import consumption_bars
from xlbilling.trade.reads.measure import register_key
from xlbilling.trade.reads.units import MILLION, millionths
from xlbilling.words.states import HELD, LEFT

_OF_FINDINGS: Final = "IN (SELECT service_id FROM exceptions WHERE cycle = :c AND period = :p AND state <> :gone)"
_ROLLED: Final = 10  # a dial that went round has moved on by no more than a tenth of it


def course_of(desk: Desk) -> pd.Series[str]:
    """Bars of the services that have a finding in the run on Start, by service: their last bills, and this run last."""
    own, past = _own(desk), _past(desk)
    waiting = ~own["service_id"].isin(past.loc[past["own"], "service_id"])
    periods = pd.concat([frame for frame in (past, own.loc[waiting]) if len(frame)] or [past], ignore_index=True)
    return consumption_bars(periods)


def _past(desk: Desk) -> pd.DataFrame:
    """The bills that stand and those of the old system; a bill of this run is its own period."""
    made = desk.store.query(
        "service_id service_from:day service_to:day consumption:int own:yes",
        f"""
        SELECT service_id, service_from, service_to, consumption, 0 AS own FROM consumption_history
         WHERE service_id {_OF_FINDINGS}
        UNION ALL
        SELECT b.service_id, b.service_from, b.service_to, b.consumption,
               CASE WHEN b.cycle = :c AND b.period = :p THEN 1 ELSE 0 END
          FROM standing b WHERE b.service_id {_OF_FINDINGS}
        """,  # noqa: S608
        **desk.chosen,
    )
    return made.astype({"consumption": "float64", "own": "bool"})


def _own(desk: Desk) -> pd.DataFrame:
    """What the run measures of each service: its draft bill, or before Compute what the dials say as they were read."""
    drafts = desk.store.query(
        "service_id service_from:day service_to:day consumption:int state",
        "SELECT d.service_id, d.service_from, d.service_to, d.consumption, d.state FROM draft_services d "  # noqa: S608
        f"JOIN draft_bills b ON b.bill_key = d.bill_key WHERE b.cycle = :c AND b.period = :p AND d.service_id {_OF_FINDINGS}",
        **desk.chosen,
    )
    if drafts.empty:
        return _as_read(desk)
    used = drafts["consumption"].astype("float64")
    unknown = drafts["state"].isin([HELD, LEFT]) & used.eq(0)  # held for want of a read
    return drafts.drop(columns="state").assign(consumption=used.mask(unknown), own=True)


def _as_read(desk: Desk) -> pd.DataFrame:
    """Reads less last reads, summed to services; NaN where a register has no read, or one that cannot be right."""
    reads = desk.store.table("reads", "cycle = :c AND period = :p AND state = :current", **desk.chosen)
    found = desk.store.table("services", f"service_id {_OF_FINDINGS}", **desk.chosen)["service_id"]
    meters = last_reads(desk, desk.cycle)
    meters = meters.loc[meters["status"].eq("active") & meters["service_id"].isin(found)]
    meters = meters.assign(key=register_key(meters["meter_id"], meters["register_id"]))
    reads = reads.assign(key=register_key(reads["meter_id"], reads["register_id"])).drop_duplicates("key")
    each = meters.merge(reads[["key", "read_date", "read_value", "read_code"]], on="key", how="left")
    each["used"] = _steps(each) * each["multiplier"].astype("float64") * _in_billing_unit(desk, each["unit"])
    grouped = each.groupby("service_id", sort=False)
    made = grouped.agg(service_from=("previous_date", "min"), service_to=("read_date", "max")).reset_index()
    made["consumption"] = grouped["used"].agg(lambda used: used.sum(skipna=False)).to_numpy(dtype=np.float64)
    return made.assign(own=True)


def _steps(each: pd.DataFrame) -> npt.NDArray[np.float64]:
    """How far each dial has moved on, a plausible rollover among it."""
    before = np.array([millionths(text or "0") for text in each["previous_read"]], dtype=np.float64)
    now = each["read_value"].astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)
    now = np.where(each["read_code"].eq("no_read").to_numpy(dtype=bool), np.nan, now)
    around = 10.0 ** each["dials"].to_numpy(dtype=np.float64) * MILLION
    step = now - before
    rolled = step + around
    return np.where(step >= 0, step, np.where(rolled <= around / _ROLLED, rolled, np.nan))


def _in_billing_unit(desk: Desk, units: pd.Series[str]) -> npt.NDArray[np.float64]:
    """What one unit of each dial is in the district's billing unit."""
    billing = desk.billing_unit
    one = billing.of(np.full(len(units), MILLION * MILLION, dtype=np.int64), units.to_numpy())
    return one.astype(np.float64) / (MILLION * MILLION)
