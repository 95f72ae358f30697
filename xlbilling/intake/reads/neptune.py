"""neptune: Neptune Equinox / N_SIGHT export, type S (fixed width, several record types in a hierarchy)."""

from __future__ import annotations

from dataclasses import dataclass, field

from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.fixed import Gathered, digits, lines_of, part
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.readings import ACTUAL, NO_READ, SUSPECT, Fault, Ledger, Rules

RULES = Rules(numbers=NumberRule(whole=True))
_NEEDED = {"PRMDT": 123, "MTRDT": 57, "ORDST": 13, "RDGDT": 98}


@dataclass
class _Meter:
    """A meter's readings, held until its actual reading date is known."""

    line: int = 0
    serial: str = ""
    broken: bool = False
    date: str = ""
    readings: list[tuple[int, str | None, str, bool]] = field(default_factory=list)
    """(line, current reading or None for a damaged record, dials, whether the chain above was broken)."""


def read(text: Text, ledger: Ledger) -> None:
    """account from PRMDT, meter from MTRDT, date from ORDST or else RTEHD, reading from RDGDT."""
    reader = _Reader(ledger)
    for number, line in lines_of(text):
        reader.take(number, line)
    reader.finish()


class _Reader:
    """Where in the hierarchy the file stands."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.found = Gathered(ledger)
        self.route_date = ""
        self.account = ""
        self.broken = False
        """The premise is damaged or the chain is broken: readings are damaged until the next premise."""
        self.meter: _Meter | None = None

    def take(self, number: int, line: str) -> None:
        kind = line[:5]
        if not (kind.isascii() and kind.isalpha() and kind.isupper() and len(kind) == 5):
            self.ledger.reject(number, "bad_record", "the line does not start with a record type")
            self.broken = True
            return
        short = len(line) < _NEEDED.get(kind, 0)
        if kind == "RDGDT":
            self._reading(number, line, short)
            return
        if kind == "ORDST":
            self._order(number, line, short)
            return
        if kind in {"COMHD", "RTEHD", "PRMDT", "MTRDT"}:
            self._close_meter()
        if kind == "RTEHD":
            self.route_date = part(line, 24, 31)
        if kind in {"COMHD", "RTEHD"}:
            self.meter = None
        if short:
            self.ledger.reject(number, "bad_record", f"a {kind} record of {len(line)} characters")
        if kind == "PRMDT":
            self.account, self.broken = part(line, 104, 123), short
            self.meter = None
        elif kind == "MTRDT":
            self.meter = _Meter(number, part(line, 38, 57), broken=short)

    def _order(self, number: int, line: str, short: bool) -> None:
        if self.meter is None or short:
            why = f"an ORDST record of {len(line)} characters" if short else "an ORDST record without a meter"
            self.ledger.reject(number, "bad_record", why)
            if self.meter is not None:
                self.meter.broken = True
            return
        self.meter.date = part(line, 6, 13) or self.meter.date

    def _reading(self, number: int, line: str, short: bool) -> None:
        if self.meter is None:
            self.ledger.reject(number, "bad_record", "a reading without a sound meter record above it")
            return
        self.meter.readings.append((number, None if short else part(line, 89, 98), part(line, 50, 51), self.broken))

    def _close_meter(self) -> None:
        meter, self.meter = self.meter, None
        if meter is None:
            return
        if not meter.readings and not meter.broken:
            self.ledger.reject(meter.line, "no_read", "the meter has no reading record")
        for register in range(1, len(meter.readings) + 1):
            self._add(meter, register)

    def _add(self, meter: _Meter, register: int) -> None:
        number, dial, dials, broken = meter.readings[register - 1]
        fault: Fault | None = None
        if dial is None:
            fault = ("bad_record", "the reading record is cut short")
        elif broken or meter.broken:
            fault = ("bad_record", "the premise, meter or order record above is damaged")
        date = meter.date or self.route_date
        moment = date if not date or digits(date, 8) else "no date: " + date
        self.found.add(
            number,
            meter.serial,
            moment,
            dial or "",
            _code(dial or "", dials),
            account=self.account,
            register=str(register),
            fault=fault,
        )

    def finish(self) -> None:
        self._close_meter()
        self.found.hand_over()


def _code(dial: str, dials: str) -> str:
    if not dial or ":" in dial:
        return NO_READ
    return SUSPECT if exceeds(dial, dials) else ACTUAL


def exceeds(dial: str, dials: str) -> bool:
    """Whether a reading has more digits, leading zeros aside, than the meter has dials (blank or 00: no check)."""
    if not (dials.isascii() and dials.isdecimal()) or int(dials) == 0:
        return False
    return len(dial.lstrip("0")) > int(dials)
