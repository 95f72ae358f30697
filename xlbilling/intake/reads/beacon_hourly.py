"""beacon-hourly: the BEACON Export Data Service range report (CSV), one line per register and hour."""

from __future__ import annotations

from collections.abc import Callable

from xlbilling.intake.delimited import Block
from xlbilling.intake.reads.readings import ACTUAL, ESTIMATED, INTERVAL, NO_READ, Ledger, Readings, Rules
from xlbilling.intake.reads.tabular import Named, Table, find, repeated_headers

RULES = Rules(repeated_hour=True)
NEEDED = ("Flow", "Flow_Time", "Read_Time", "Meter_ID")
Column = Callable[[str], list[str]]


def read(table: Table, ledger: Ledger) -> None:
    """A line gives a register row (Read) and an interval row (Flow), each checked alone; neither is one no-read."""
    named = find(
        table.header,
        "Account_ID",
        "Location_ID",
        "Meter_ID",
        "Register_Number",
        "Raw_Read",
        "Read",
        "Read_Unit",
        "Read_Time",
        "Flow",
        "Flow_Unit",
        "Flow_Time",
        "Estimated_Flag",
    )
    for block in table.blocks(named.wanted()):
        for line, _, reason in block.damaged:
            ledger.reject(line, "bad_record", reason)
        again = set(repeated_headers(table.header, named, block))
        for i in sorted(again):
            ledger.reject(block.lines[i], "bad_record", "the header is repeated")
        _settle(block, named, again, ledger)


def _settle(block: Block, named: Named, skipped: set[int], ledger: Ledger) -> None:
    columns = {name: named.of(block, name) for name in (*named.names, *_ALL)}
    reads, flows = columns["Read"], columns["Flow"]
    picked: list[tuple[int, str]] = []
    for i, (register, interval) in enumerate(zip(reads, flows, strict=True)):
        if i in skipped:
            continue
        if register:
            picked.append((i, "register"))
        if interval:
            picked.append((i, INTERVAL))
        if not register and not interval:
            picked.append((i, NO_READ))
    rows = [i for i, _ in picked]
    kinds = [kind for _, kind in picked]

    def pick(name: str) -> list[str]:
        column = columns[name]
        return [column[i] for i in rows]

    def chosen(register: str, interval: str) -> list[str]:
        first, second = columns[register], columns[interval]
        return [second[i] if kind == INTERVAL else first[i] for i, kind in picked]

    raw = columns["Raw_Read"]
    flags = columns["Estimated_Flag"]
    value = chosen("Read", "Flow")
    moment = chosen("Read_Time", "Flow_Time")
    later = columns["Flow_Time"]
    ledger.settle(
        Readings(
            line=[block.lines[i] for i in rows],
            account_id=pick("Account_ID"),
            location_id=pick("Location_ID"),
            meter_id=pick("Meter_ID"),
            register_id=[INTERVAL if k == INTERVAL else columns["Register_Number"][i] for i, k in picked],
            moment=[later[i] if k == NO_READ and not m else m for m, (i, k) in zip(moment, picked, strict=True)],
            dial=[v if k == INTERVAL else raw[i] or v for v, (i, k) in zip(value, picked, strict=True)],
            value=value,
            unit=chosen("Read_Unit", "Flow_Unit"),
            code=[
                NO_READ if kind == NO_READ else ESTIMATED if flags[i] == "1" else ACTUAL
                for i, kind in zip(rows, kinds, strict=True)
            ],
        )
    )


_ALL = (
    "Account_ID",
    "Location_ID",
    "Meter_ID",
    "Register_Number",
    "Raw_Read",
    "Read",
    "Read_Unit",
    "Read_Time",
    "Flow",
    "Flow_Unit",
    "Flow_Time",
    "Estimated_Flag",
)
