"""The sample district on a desk without a store: its read files parsed and settled as Validate does it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from xlbilling.demo.district import District
from xlbilling.intake.reads import ParsedReads, parse_reads
from xlbilling.office.desk.desk import Run
from xlbilling.trade.reads import Rules, Settled, settle
from xlbilling.trade.reads.rules import in_force
from xlbilling.trade.reads.settle import Office

DECISION = ["exception_id", "fact", "decision", "override_read", "override_date", "reason", "decided_by", "decided_at"]
NOTHING_DECIDED = pd.DataFrame(columns=DECISION).astype("str")


def micro(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 1_000_000 + int(part.ljust(6, "0"))


def parsed(content: bytes, folder: Path) -> ParsedReads:
    path = folder / "reads.csv"
    path.write_bytes(content)
    return parse_reads(path)


def settled(district: District, run: Run, reads: pd.DataFrame, decisions: pd.DataFrame = NOTHING_DECIDED) -> Settled:
    rows = pd.DataFrame(
        {
            "read_id": np.arange(1, len(reads) + 1),
            "account_id": reads["account_id"],
            "import_id": 1,
            "source_line": reads["source_line"].astype("int64"),
            "meter_id": reads["meter_id"],
            "register_id": reads["register_id"],
            "read_date": pd.to_datetime(reads["read_date"].where(reads["read_date"].ne(""), None)).astype(
                "datetime64[s]"
            ),
            "read_time": reads["read_time"],
            "dial_read": reads["dial_read"],
            "read_value": pd.array([micro(t) if t else None for t in reads["read_value"]], dtype="Int64"),
            "unit": reads["unit"],
            "read_code": reads["read_code"],
        }
    )
    services = district.services[
        ["service_id", "account_id", "customer_class", "meter_size", "route", "cycle", "status", "ended_on"]
    ]
    registers = district.meters.drop(columns="status").merge(services, on="service_id")
    registers = registers.loc[registers["cycle"].eq(run.cycle)].reset_index(drop=True)
    registers = registers.assign(
        previous_date=registers["start_date"],
        previous_read=registers["start_read"],
        previous_value=[micro(text) for text in registers["start_read"]],
        previous_code="",
        actual_date=registers["start_date"],
        actual_read=registers["start_read"],
        actual_value=[micro(text) for text in registers["start_read"]],
        route_billed=False,
        due=registers["status"].eq("active"),
        ended=registers["ended_on"].notna().map({True: "the service ended", False: ""}),
        ends_on=registers["ended_on"],
    )
    office = Office(registers, rows, district.history, decisions)
    return settle(run.window, district.billing_unit, Rules.of(in_force(district.policy, run.bill_date.date())), office)
