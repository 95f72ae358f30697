"""aclara: the Aclara STAR readings file (CSV), one line per meter port and reading."""

from __future__ import annotations

import re

from xlbilling.intake.files.delimited import Block
from xlbilling.intake.files.spans import few_of, spread
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.numbers import NumberRule, product
from xlbilling.intake.reads.readings import ACTUAL, NO_READ, SUSPECT, Fault, Ledger, PlainReadings, Readings, Rules
from xlbilling.intake.reads.tabular import Named, PlainColumns, Table, find, repeated_headers

RULES = Rules()
NEEDED = ("MeterSN", "MTUID", "ScaledRead")
_NO_LETTER = re.compile("[^a-z]")
_PLAIN = NumberRule()
_POWERS = {0: "1", 1: "0.1", 2: "0.01", 3: "0.001", 4: "0.0001"}


def read(table: Table, ledger: Ledger) -> None:
    """ScaledRead is the reading, RawRead the dial; ERROR or blank is a no-read; the key uses the UTC time."""
    named = find(table.header, *_ALL)
    universal, unit_of = Moments(), _UnitOf()
    for block in table.blocks(named.wanted()):
        for line, _, reason in block.damaged:
            ledger.reject(line, "bad_record", reason)
        if block.plain is not None and _settle_plain(PlainColumns(block, named), ledger, universal, unit_of):
            continue
        again = repeated_headers(table.header, named, block)
        _settle(block, named, again, ledger, universal, unit_of)


def _settle(block: Block, named: Named, again: list[int], ledger: Ledger, universal: Moments, unit_of: _UnitOf) -> None:
    raw, scaled = named.of(block, "RawRead"), named.of(block, "ScaledRead")
    stamps = named.of(block, "ReadingTime")
    fault: dict[int, Fault] = dict.fromkeys(again, ("bad_record", "the header is repeated"))
    instants = list(map(universal.__getitem__, stamps))
    for i in [i for i, instant in enumerate(instants) if not instant or not instant[0]]:
        fault.setdefault(i, ("bad_date", "ReadingTime is blank or not a date and time"))
    code = [
        NO_READ
        if not text or text.upper() == "ERROR"
        else SUSPECT
        if active == "0" or not agrees(dial, scalar, text)
        else ACTUAL
        for text, active, dial, scalar in zip(
            scaled, named.of(block, "Active"), raw, named.of(block, "Scalar"), strict=True
        )
    ]
    ledger.settle(
        Readings(
            line=block.lines,
            account_id=named.of(block, "AccountNumber"),
            location_id=[""] * len(raw),
            meter_id=named.of(block, "MeterSN"),
            register_id=named.of(block, "Port"),
            moment=named.of(block, "LocalTime"),
            dial=raw,
            value=scaled,
            unit=list(map(unit_of.__getitem__, named.of(block, "Description"))),
            code=code,
            identity=[" ".join(instant or ()) for instant in instants],
            fault=fault,
        )
    )


def _settle_plain(columns: PlainColumns, ledger: Ledger, universal: Moments, unit_of: _UnitOf) -> bool:
    meter, dial, scaled = columns.of("MeterSN"), columns.of("RawRead"), columns.of("ScaledRead")
    stamp, local = columns.of("ReadingTime"), columns.of("LocalTime")
    if meter is None or dial is None or scaled is None or stamp is None or local is None:
        return False
    active, scalar, told = columns.few("Active"), columns.few("Scalar"), columns.few("Description")
    instants = stamp.moments(universal.__getitem__)
    if instants is None or "0" in active[1]:
        return False
    factors = map(scalar[1].__getitem__, scalar[0].tolist())
    if not all(map(agrees, dial.texts(), factors, scaled.texts())):
        return False
    days, times = instants
    stamps = [f"{day} {time}" for day, time in zip(spread(days), spread(times), strict=True)]
    identity = few_of(stamps)
    return identity is not None and ledger.settle_plain(
        PlainReadings(
            line=columns.block.lines,
            account_id=columns.of("AccountNumber"),
            location_id=None,
            meter_id=meter,
            register_id=columns.of("Port"),
            moment=local,
            dial=dial,
            value=scaled,
            unit=(told[0], [unit_of[text] for text in told[1]]),
            code=(told[0] * 0, [ACTUAL]),
            identity=identity,
        )
    )


def agrees(dial: str, scalar: str, scaled: str) -> bool:
    """Whether RawRead x Scalar is ScaledRead, exact; nothing to check where either factor is blank."""
    if not dial or not scalar:
        return True
    whole, _, part = scaled.partition(".")
    if scalar == _POWERS.get(len(part)) and dial.isdecimal() and (whole + part).lstrip("0") == dial.lstrip("0"):
        return True
    first, factor, result = (_PLAIN.exact(text) for text in (dial, scalar, scaled))
    return first is not None and factor is not None and product(first, factor) == result


class _UnitOf(dict[str, str]):
    """The unit that the letters of a meter's description tell."""

    def __missing__(self, description: str) -> str:
        letters = _NO_LETTER.sub("", description.lower())
        unit = "CF" if "cuft" in letters else "GAL" if "gal" in letters else ""
        self[description] = unit
        return unit


_ALL = (
    "AccountNumber",
    "MeterSN",
    "Port",
    "RawRead",
    "ScaledRead",
    "ReadingTime",
    "LocalTime",
    "Active",
    "Scalar",
    "Description",
)
