"""Exchanges: meters taken out in the middle of a service period, billed to their final read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from xlbilling.trade.reads.findings import Facts, quantity
from xlbilling.trade.reads.units import millionths


def with_final_reads(reads: pd.DataFrame, registers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The reads with the final read of each removed register in the place of what a file has for it; and what it had.

    `registers` has removed_on (the day a meter was taken out in this service period, or none) and final_read (its dial
    then; blank where nobody has typed it: the register then has no read). `reads`: one row a register_key.
    """
    removed = registers.loc[registers["removed_on"].notna()]
    if removed.empty:
        return reads, reads.iloc[:0]
    of_removed = reads["register_key"].isin(removed["register_key"])
    known = removed.loc[removed["final_read"].ne("")]
    final = pd.DataFrame(
        {
            "register_key": known["register_key"],
            "register_at": np.flatnonzero(registers["register_key"].isin(known["register_key"])),
            "read_id": pd.array([None] * len(known), dtype="Int64"),
            "read_date": known["removed_on"],
            "dial_read": known["final_read"],
            "read_value": pd.array([millionths(text) for text in known["final_read"]], dtype="Int64"),
            "read_unit": "",
            "read_code": "actual",
            "others": 0,
            "differing": "",
        }
    )
    kept = reads.loc[~of_removed].astype({"read_id": "Int64", "read_value": "Int64"})
    made = pd.concat([kept, final], ignore_index=True) if len(kept) else final.reindex(columns=reads.columns)
    return made, reads.loc[of_removed]


def told(laid: pd.DataFrame, unused: pd.DataFrame) -> Facts:
    """What to say of a removed register: both parts of the period, and a read of it that a file still had."""
    still = unused.set_index("register_key")
    services = laid.loc[laid["service_id"].isin(laid.loc[laid["removed"], "service_id"]) & ~laid["removed"]]
    successors: dict[str, list[str]] = {}
    for row in services.itertuples(index=False):
        successors.setdefault(str(row.service_id), []).append(_successor(row))

    def say(r: Any) -> str:
        parts = [_removed(r), *(successors.get(r.service_id) or ["no meter since"])]
        if r.register_key in still.index:
            other = still.loc[r.register_key]
            parts.append(f"a file has {other['dial_read'] or 'no read'} for {r.register_key}, which is not used")
        return "; ".join(parts)

    return say


def _removed(r: Any) -> str:
    out = f"{r.register_key} was taken out on {r.removed_on:%Y-%m-%d}"
    if not r.final_read:
        return f"{out} and has no final read; it stood at {r.previous_read} on {_day(r.previous_date)}"
    if not r.usable:
        return f"{out} at {r.dial_read}"
    return f"{out} at {r.dial_read}: {quantity(r.consumption)} {r.unit} in {_days(r)} days"


def _successor(r: Any) -> str:
    since = f"{r.register_key} began at {r.previous_read} on {_day(r.previous_date)}"
    return f"{since}: {quantity(r.consumption)} {r.unit} in {_days(r)} days to {r.dial_read}" if r.usable else since


def _day(date: Any) -> str:
    return "an unknown day" if date is pd.NaT else f"{date:%Y-%m-%d}"


def _days(r: Any) -> int:
    return int((r.read_date - r.previous_date) / np.timedelta64(1, "D"))
