"""beacon: the Badger BEACON / AquaCUE billing read export (CSV), one line per register."""

from __future__ import annotations

from xlbilling.intake.reads.readings import ACTUAL, NO_READ, Ledger, PlainReadings, Readings, Rules
from xlbilling.intake.reads.tabular import PlainColumns, Table, find, repeated_headers

RULES = Rules()
NEEDED = ("Meter_ID", "Endpoint_SN", "Read_Method")


def read(table: Table, ledger: Ledger) -> None:
    """Read is the reading; blank, or a Read_Method of n/a, is a no-read."""
    named = find(
        table.header,
        "Account_ID",
        "Location_ID",
        "Meter_ID",
        "Register_Number",
        "Read_Method",
        ("Read", "Current_Read"),
        ("Read_Unit", "Current_Read_Units"),
        "Read_Time",
    )
    for block in table.blocks(named.wanted()):
        for line, _, reason in block.damaged:
            ledger.reject(line, "bad_record", reason)
        if block.plain is not None and _settle_plain(PlainColumns(block, named), ledger):
            continue
        dial = named.of(block, "Read")
        methods = named.of(block, "Read_Method")
        code = [ACTUAL] * len(dial)
        absent = {method for method in set(methods) if method.lower() == "n/a"}
        if absent or "" in dial:
            code = [
                NO_READ if not text or method in absent else ACTUAL for text, method in zip(dial, methods, strict=True)
            ]
        again = repeated_headers(table.header, named, block)
        ledger.settle(
            Readings(
                line=block.lines,
                account_id=named.of(block, "Account_ID"),
                location_id=named.of(block, "Location_ID"),
                meter_id=named.of(block, "Meter_ID"),
                register_id=named.of(block, "Register_Number"),
                moment=named.of(block, "Read_Time"),
                dial=dial,
                value=dial,
                unit=named.of(block, "Read_Unit"),
                code=code,
                fault=dict.fromkeys(again, ("bad_record", "the header is repeated")),
            )
        )


def _settle_plain(columns: PlainColumns, ledger: Ledger) -> bool:
    meter, dial, moment = columns.of("Meter_ID"), columns.of("Read"), columns.of("Read_Time")
    methods = columns.few("Read_Method")
    if meter is None or dial is None or moment is None or any(text.lower() == "n/a" for text in methods[1]):
        return False
    return ledger.settle_plain(
        PlainReadings(
            line=columns.block.lines,
            account_id=columns.of("Account_ID"),
            location_id=columns.of("Location_ID"),
            meter_id=meter,
            register_id=columns.of("Register_Number"),
            moment=moment,
            dial=dial,
            value=dial,
            unit=columns.few("Read_Unit"),
            code=(methods[0] * 0, [ACTUAL]),
        )
    )
