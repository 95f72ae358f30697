"""itron-mvrs: the Itron MV-RS / FCS upload file (fixed width, 126; customers, meters, readings, trailers)."""

from __future__ import annotations

from collections import Counter

from xlbilling.intake.files.package import shown
from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.fixed import Gathered, digits, lines_of, part
from xlbilling.intake.reads.neptune import exceeds
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.readings import ACTUAL, NO_READ, SUSPECT, Fault, Ledger, Rules

RULES = Rules()
WIDTH = 126
_WHOLE = NumberRule(whole=True)
_COUNTED = (("RHD", 8, 10), ("CUS", 11, 16), ("MTR", 17, 22), ("RDG", 23, 28))


def read(text: Text, ledger: Ledger) -> None:
    """account from CUS, meter from MTR, one reading per RDG; FTR counts must fit the file."""
    reader = _Reader(ledger)
    for number, line in lines_of(text):
        reader.take(number, line)
    reader.finish()


class _Reader:
    """Where in the file the reader stands: under which customer and meter."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.found = Gathered(ledger)
        self.counts: Counter[str] = Counter()
        self.trailers: list[tuple[int, str]] = []
        self.account = ""
        self.no_customer = True
        self.meter = ""
        self.meter_line = 0
        self.meter_broken = True
        self.meter_has_reading = True
        self.last = 0

    def take(self, number: int, line: str) -> None:
        self.last = number
        kind = line[:3]
        if not (kind.isascii() and kind.isalpha() and kind.isupper() and len(kind) == 3):
            self.ledger.reject(number, "bad_record", "the line does not start with a record type")
            self.no_customer = self.meter_broken = True
            return
        self.counts[kind] += 1
        damaged = len(line) != WIDTH
        if kind == "RDG":
            self._reading(number, line, damaged)
        elif kind in {"CUS", "MTR"}:
            self._close_meter()
            if damaged:
                self.ledger.reject(number, "bad_record", f"a {kind} record of {len(line)} characters")
            if kind == "CUS":
                self.account, self.no_customer = part(line, 15, 34), damaged
                self.meter_broken = True
            else:
                self._meter(number, line, damaged)
        elif kind in {"RHD", "RTR", "CTR", "FTR", "FHD", "CHD"}:
            self._close_meter()
            self.no_customer = self.meter_broken = True
            if kind == "FTR":
                self.trailers.append((number, line))

    def _meter(self, number: int, line: str, damaged: bool) -> None:
        self.meter = part(line, 46, 57)
        self.meter_line = number
        self.meter_broken = damaged
        self.meter_has_reading = damaged

    def _close_meter(self) -> None:
        if not self.meter_has_reading:
            self.ledger.reject(self.meter_line, "no_read", "the meter has no reading record")
        self.meter_has_reading = True

    def _reading(self, number: int, line: str, damaged: bool) -> None:
        self.meter_has_reading = True
        fault: Fault | None = None
        if damaged:
            fault = ("bad_record", f"an RDG record of {len(line)} characters")
        elif self.no_customer or self.meter_broken:
            fault = ("bad_record", "the customer or meter record above is damaged or missing")
        dial, date, time = part(line, 34, 43), part(line, 48, 55), part(line, 56, 61)
        skipped = part(line, 63, 65) not in {"", "000"}
        code = NO_READ if not dial or not date or skipped else ACTUAL
        if code == ACTUAL and exceeds(dial, part(line, 90, 91)):
            code = SUSPECT
        self.found.add(
            number,
            self.meter,
            _moment(date, time),
            dial,
            code,
            account=self.account,
            register=part(line, 23, 25),
            value=_value(dial, part(line, 92, 93)),
            fault=fault,
        )

    def finish(self) -> None:
        self._close_meter()
        self.found.hand_over()
        for number, line in self.trailers:
            if told := self._disagreement(line):
                self.ledger.reject(number, "control_total", told)
        if not self.trailers:
            self.ledger.reject(self.last, "control_total", "there is no FTR record: the transfer was cut off")

    def _disagreement(self, trailer: str) -> str:
        for kind, first, last in _COUNTED:
            told = part(trailer, first, last)
            if told and (not told.isdecimal() or int(told) != self.counts[kind]):
                return f"the trailer counts {shown(told)} {kind} records, the file has {self.counts[kind]}"
        return ""


def _moment(date: str, time: str) -> str:
    if not date:
        return ""
    if not digits(date, 8) or (time and not digits(time, 6)):
        return f"no date: {date} {time}"
    day = f"{date[4:]}-{date[:2]}-{date[2:4]}"
    return f"{day} {time[:2]}:{time[2:4]}:{time[4:]}" if time else day


def _value(dial: str, decimals: str) -> str:
    """The reading with its implied decimals: ("0000482137", "01") -> "000048213.7"; other text as it stands."""
    if _WHOLE.exact(dial) is None:
        return "no number: " + dial
    if not decimals or not decimals.strip("0"):
        return dial if not decimals or decimals.isdecimal() else "no number: decimals " + decimals
    if not (decimals.isascii() and decimals.isdecimal()):
        return "no number: decimals " + decimals
    places = int(decimals)
    padded = dial.rjust(places + 1, "0")
    return f"{padded[:-places]}.{padded[-places:]}"
