"""cmep: California Metering Exchange Protocol, MEPMD01 records (comma-separated, no header)."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field

from xlbilling.intake.files.package import shown
from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.numbers import NumberRule, product
from xlbilling.intake.reads.readings import (
    ACTUAL,
    ESTIMATED,
    INTERVAL,
    NO_READ,
    SUSPECT,
    Fault,
    Ledger,
    Readings,
    Rules,
)

RULES = Rules(numbers=NumberRule(signed=True), repeated_hour=True)
START = "MEPMD01,"
_FIELDS = 14
_UNITS = frozenset({"CF", "CCF", "GAL", "KGAL", "M3", "AF"})
_CLOCK = re.compile(r"[0-9]{12}")
_STEP = re.compile(r"[0-9]{8}")
_QUALITY = re.compile(r"([A-Za-z]?)([0-9]*)")
_NUMBER = NumberRule(signed=True)


@dataclass
class _Found:
    """Readings gathered triple by triple."""

    line: list[int] = field(default_factory=list)
    account: list[str] = field(default_factory=list)
    meter: list[str] = field(default_factory=list)
    register: list[str] = field(default_factory=list)
    moment: list[str] = field(default_factory=list)
    dial: list[str] = field(default_factory=list)
    value: list[str] = field(default_factory=list)
    unit: list[str] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    fault: dict[int, Fault] = field(default_factory=dict)


@dataclass(frozen=True)
class _Head:
    """What a record says about all its triples."""

    line: int
    account: str
    meter: str
    register: str
    unit: str
    constant: str | None
    step: datetime.timedelta | None


def read(text: Text, ledger: Ledger) -> None:
    """One row per triple (date-time, quality, value); a record whose shape is wrong is one bad_record."""
    clocks = _Clocks()
    for number, lines in text.blocks():
        found = _Found()
        for offset, line in enumerate(lines):
            if line and not line.isspace():
                _record(number + offset, line, found, ledger, clocks)
        ledger.settle(
            Readings(
                line=found.line,
                account_id=found.account,
                location_id=[""] * len(found.line),
                meter_id=found.meter,
                register_id=found.register,
                moment=found.moment,
                dial=found.dial,
                value=found.value,
                unit=found.unit,
                code=found.code,
                fault=found.fault,
            )
        )


def _record(number: int, line: str, found: _Found, ledger: Ledger, clocks: _Clocks) -> None:
    cells = [cell.strip() for cell in line.split(",")]
    wrong = _shape_fault(cells)
    if wrong:
        ledger.reject(number, "bad_record", wrong)
        return
    if len(cells) == _FIELDS:
        ledger.reject(number, "no_read", f"the record of meter {shown(cells[7])} holds no readings")
        return
    unit = cells[10].upper()
    register = unit.endswith("REG")
    unit = unit.removesuffix("REG")
    head = _Head(
        line=number,
        account="" if cells[5] == cells[7] else cells[5],
        meter=cells[7],
        register="" if register else INTERVAL,
        unit=unit if unit in _UNITS else "no unit: " + cells[10],
        constant=_constant(cells[11]),
        step=_step(cells[12]),
    )
    _triples(head, cells, found, clocks)


def _shape_fault(cells: list[str]) -> str:
    if cells[0] != "MEPMD01":
        return f"the record type {shown(cells[0])} is not MEPMD01"
    if len(cells) < _FIELDS:
        return f"{len(cells)} fields; a record has at least {_FIELDS}"
    if cells[8].upper() != "OK":
        return f"the purpose {shown(cells[8])} is not OK"
    if cells[9].upper() != "W":
        return f"the commodity {shown(cells[9])} is not W (water)"
    count = cells[13]
    whole = count.isascii() and count.isdecimal() and len(count) < 7
    if not whole or len(cells) != _FIELDS + 3 * int(count):
        return f"{len(cells)} fields do not fit a count of {shown(count)} readings"
    return ""


def _triples(head: _Head, cells: list[str], found: _Found, clocks: _Clocks) -> None:
    moment: str | None = None
    for at in range(_FIELDS, len(cells), 3):
        clock, quality, value = cells[at : at + 3]
        moment = clocks[clock] if clock else _later(moment, head.step)
        code, letter_known = _read_code(quality)
        position = len(found.line)
        shifted, negative = _value(head, value, code)
        if not letter_known:
            found.fault[position] = ("bad_record", f"the quality {shown(quality)} is not known")
        elif moment is None and head.meter:
            found.fault[position] = ("bad_date", f"{shown(clock)} is not a date and time, or none stands before it")
        found.line.append(head.line)
        found.account.append(head.account)
        found.meter.append(head.meter)
        found.register.append(head.register)
        found.moment.append(moment or "")
        found.dial.append(value)
        found.value.append(shifted)
        found.unit.append(head.unit)
        found.code.append(SUSPECT if negative and code != NO_READ else code)


def _value(head: _Head, value: str, code: str) -> tuple[str, bool]:
    """The value times the constant as text (or text that is no number), and whether it is a negative interval."""
    if code == NO_READ:
        return "", False
    plain = _NUMBER.exact(value)
    if plain is None or head.constant is None:
        return ("no number: " + value if plain is None else "no number: the calculation constant"), False
    if plain.startswith("-") and head.register != INTERVAL:
        return "no number: " + value, False
    return product(plain, head.constant), plain.startswith("-")


def _read_code(quality: str) -> tuple[str, bool]:
    match = _QUALITY.fullmatch(quality)
    if not match:
        return ACTUAL, False
    letter, number = match[1].upper(), match[2]
    if letter == "R":
        return (SUSPECT if number.strip("0") else ACTUAL), True
    return {"E": ESTIMATED, "N": NO_READ, "A": ACTUAL, "V": ACTUAL, "": ACTUAL}.get(letter, ACTUAL), letter in "ENAV"


def _constant(text: str) -> str | None:
    return NumberRule().exact(text) if text else "1"


def _step(text: str) -> datetime.timedelta | None:
    """The days, hours and minutes of an interval MMDDHHMM; None where it is none."""
    if not _STEP.fullmatch(text):
        return None
    step = datetime.timedelta(days=int(text[2:4]), hours=int(text[4:6]), minutes=int(text[6:8]))
    return step or None


def _later(moment: str | None, step: datetime.timedelta | None) -> str | None:
    if not moment or step is None:
        return None
    try:
        return (datetime.datetime.fromisoformat(moment) + step).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError):
        return None


class _Clocks(dict[str, "str | None"]):
    """YYYYMMDDHHMM as "YYYY-MM-DD HH:MM", None where the calendar or the clock has no such moment."""

    def __init__(self) -> None:
        super().__init__()
        self._moments = Moments()

    def __missing__(self, text: str) -> str | None:
        known = None
        if _CLOCK.fullmatch(text):
            moment = self._moments[f"{text[:8]} {text[8:10]}:{text[10:]}"]
            known = None if moment is None else " ".join(moment)
        self[text] = known
        return known
