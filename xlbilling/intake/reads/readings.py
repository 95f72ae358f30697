"""Candidate readings of one file: checked in the agreed order, then kept as exact rows or listed as rejects.

Every reading that a format finds is offered here once, so that kept + rejected always equals offered.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Final

from xlbilling.intake.files import tables
from xlbilling.intake.files.cells import UNCERTAIN
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.spans import Few, Spans, constant_few
from xlbilling.intake.reads.keys import Keys
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.numbers import NumberRule, too_fine
from xlbilling.intake.reads.rejected import Rejected
from xlbilling.intake.reads.units import LITER, UNKNOWN, Units, cubic_meters

TEXT_COLUMNS: Final = (
    "account_id",
    "location_id",
    "meter_id",
    "register_id",
    "read_date",
    "read_time",
    "dial_read",
    "read_value",
    "unit",
    "read_code",
)
ACTUAL, ESTIMATED, NO_READ, SUSPECT = "actual", "estimated", "no_read", "suspect"
INTERVAL: Final = "interval"
MOST_CHARACTERS: Final = 255

Fault = tuple[str, str]
"""(reject code, message)."""

_UNFIT: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2064\ud800-\udfff\ufeff\ufffd-\uffff]"
)
"""Control characters, invisible ones, and the traces of broken encodings: no id can be told by the eye with these."""
_RISKY: Final = frozenset("=@+-\uff1d\uff20\uff0b\uff0d\ufe66\ufe6b\ufe62\ufe63\u2212")
"""What a formula begins with, in its full-width and small forms too, which a spreadsheet takes for the same."""
_AS_A_DAY: Final = (
    r"[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)(?:-[0-9]{2,4})?|"
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)-[0-9]{1,4}|"
    r"[0-9]{1,2}/[0-9]{1,2}/(?:[0-9]{4}|[0-9]{2})(?: 0?0:00(?::00)?)?|"
    r"(?:19|20)[0-9]{2}-(?:0[1-9]|1[0-2])-[0-3][0-9](?:[ T]00:00:00)?"
)
_DAY: Final = re.compile(rf"(?m)^(?:{_AS_A_DAY})$")
_DAY_BYTES: Final = re.compile(rf"(?m)^(?:{_AS_A_DAY})$".encode())
_SCIENTIFIC: Final = re.compile(r"(?m)^[0-9]+(?:(?:\.[0-9]+)?[eE][+-][0-9]+|\.[0-9]+[eE][0-9]+)$")
_NO_NUMBER: Final = "no number: "
"""What a format puts before the text of a reading that it could not turn into a number."""
_MOST_OF_A_DIAL: Final = 30
_PLACES: Final = 6  # a read is kept in millionths
_PLAIN_DIAL: Final = re.compile(r"[0-9]+(\.[0-9]*)?")
_SIGNED_NUMBER: Final = re.compile(r"[+-][0-9][0-9.,-]*")


@dataclass
class Readings:
    """Some candidate readings, column by column; every column is as long as `line`.

    `moment` is the text of date and time, `clock` a separate time where the format has one, `value` the text that
    gives read_value, `fault` what the format itself found wrong, by position.
    """

    line: Sequence[int]
    account_id: list[str]
    location_id: list[str]
    meter_id: list[str]
    register_id: list[str]
    moment: list[str]
    dial: list[str]
    value: list[str]
    unit: list[str]
    code: list[str]
    clock: list[str] | None = None
    identity: list[str] | None = None
    """What stands for date and time in the duplicate key (a UTC time stamp, say); None: the date and time."""
    fault: dict[int, Fault] = field(default_factory=dict)


@dataclass
class PlainReadings:
    """Candidate readings of a plain block as spans; None for a column stands for blanks, `register_id` for an id.

    `code` is read_code as few values; no reading of such a block is a no-read.
    """

    line: Sequence[int]
    account_id: Spans | None
    location_id: Spans | None
    meter_id: Spans
    register_id: Spans | None
    moment: Spans
    dial: Spans
    value: Spans
    unit: Few
    code: Few
    identity: Few | None = None


@dataclass(frozen=True)
class Rules:
    """What differs between formats when readings are checked.

    `repeated_hour`: a key may occur twice in the hour that the November clock change repeats.
    `needs_account`: a blank account id is missing_id. `spreadsheet_ids`: an id that a spreadsheet destroyed is
    missing_id: 1.23457E+11, 14-Mar. `codes`: what a reject's code is called otherwise.
    """

    numbers: NumberRule = field(default_factory=NumberRule)
    moments: Callable[[], Moments] = Moments
    repeated_hour: bool = False
    needs_account: bool = False
    spreadsheet_ids: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)


class Ledger:
    """The rows kept and the rejects listed so far of one file."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.moments = rules.moments()
        self.units = Units()
        self.offered = 0
        self.kept = 0
        self.blobs: list[bytes] = []
        self.block_lines: list[Sequence[int]] = []
        self.rejects: list[Rejected] = []
        self.notes: list[str] = []
        self.footers: list[tuple[int, str]] = []
        """The report's own lines: line and words."""
        self.differing: list[tuple[int, str]] = []
        """Counts that the report prints and its rows do not make: line and fact."""
        self._keys = Keys()
        self._twice: set[tuple[str, str, str, str]] = set()

    def reject(self, line: int, code: str, message: str) -> None:
        """List something that carries no reading to check: a damaged record, a trailer that disagrees."""
        self.offered += 1
        self.rejects.append(Rejected(line, code, message))

    def settle(self, found: Readings) -> None:
        """Check candidate readings (bad_record, missing_id, bad_date, bad_number, unknown_unit, duplicate)."""
        size = len(found.line)
        if not size:
            return
        self.offered += size
        fault = found.fault
        dates, times = self._dates(found, fault)
        values, units = self._amounts(found, fault)
        self._unfit(found, fault)
        self._identities(found, fault)
        self._duplicates(found, dates, times)
        columns: list[Sequence[str]] = [
            found.account_id, found.location_id, found.meter_id, found.register_id,
            dates, times, found.dial, values, units, found.code,
        ]  # fmt: skip
        lines = found.line
        if fault:
            named = self.rules.codes
            listed = (_rejected(found, i, told, (dates, times, values, units)) for i, told in sorted(fault.items()))
            self.rejects += [reject._replace(code=named.get(reject.code, reject.code)) for reject in listed]
            keep = [True] * size
            for position in fault:
                keep[position] = False
            lines = list(compress(lines, keep))
            columns = [list(compress(column, keep)) for column in columns]
        if lines:
            self.kept += len(lines)
            self.block_lines.append(lines)
            self.blobs += tables.pack(columns)

    def settle_plain(self, found: PlainReadings) -> bool:
        """Keep a whole block at once; False, with nothing done, where any reading needs the exact checks."""
        numbers = self.rules.numbers
        if numbers.decimal_mark != "." or not self._plain_ids(found):
            return False
        values = found.value.canonical_numbers(whole=numbers.whole)
        units = [self.units[text] for text in found.unit[1]]
        if values is None or LITER in units or UNKNOWN in units or len(found.unit[1]) > 1000:
            return False
        if values.longest_fraction() > _PLACES:
            return False
        moments = found.moment.moments(self.moments.__getitem__)
        if moments is None or not self._all_new(found, *moments):
            return False
        size = len(found.line)
        blank = constant_few("", size)
        self.offered += size
        self.kept += size
        self.block_lines.append(found.line)
        if values is found.value and found.value is not found.dial:
            values = Spans(values.buffer, values.start, values.end)
        self.blobs += tables.pack(
            [
                found.account_id or blank,
                found.location_id or blank,
                found.meter_id,
                found.register_id or blank,
                *moments,
                found.dial,
                values,
                (found.unit[0], units),
                found.code,
            ]
        )
        return True

    def _plain_ids(self, found: PlainReadings) -> bool:
        """Whether all ids and dials of a block can go out just as they are."""
        strict = (found.meter_id, found.account_id if self.rules.needs_account else None)
        if any(column is not None and column.blank().any() for column in strict):
            return False
        ids, sheet_ids = (
            (found.account_id, found.location_id, found.meter_id, found.register_id),
            self.rules.spreadsheet_ids,
        )
        if not all(column is None or column.sound_ids(spreadsheet=sheet_ids) for column in (*ids, found.dial)):
            return False
        return not sheet_ids or not any(column is not None and column.matches(_DAY_BYTES, b"-/") for column in ids)

    def _all_new(self, found: PlainReadings, dates: Few, times: Few) -> bool:
        """Whether no key of the block was met before; the keys are then remembered."""
        registers = constant_few("", len(found.line)) if found.register_id is None else found.register_id.few()
        if registers is None:
            return False
        if found.identity is not None:
            dates, times = found.identity, constant_few("", len(found.line))
        return self._keys.add_block(found.meter_id, registers, dates, times)

    def _dates(self, found: Readings, fault: dict[int, Fault]) -> tuple[list[str], list[str]]:
        dates, times, bad = self.moments.column(found.moment)
        for i in bad:
            doubt = self.moments.doubt(found.moment[i])
            _note(fault, i, "bad_date", doubt or f"{_told(found.moment[i])} is not a date and time of this format")
        if found.clock is not None:
            clocks, unread = self._clocks(found.clock)
            times = [clock or time for clock, time in zip(clocks, times, strict=True)]
            for i in unread:
                _note(fault, i, "bad_date", f"{_told(found.clock[i])} is not a time of day")
        if "" in dates:
            for i, day in enumerate(dates):
                if not day and found.code[i] != NO_READ:
                    _note(fault, i, "bad_date", "there is no date")
        return dates, times

    def _clocks(self, texts: list[str]) -> tuple[list[str], list[int]]:
        found = [self.moments.time_of(text) for text in texts]
        return [clock or "" for clock in found], [i for i, clock in enumerate(found) if clock is None]

    def _amounts(self, found: Readings, fault: dict[int, Fault]) -> tuple[Sequence[str], list[str]]:
        blank_value = NO_READ in found.code
        texts = found.value
        if blank_value:
            texts = ["0" if code == NO_READ else text for text, code in zip(texts, found.code, strict=True)]
        values, bad = self.rules.numbers.column(texts)
        for i in bad:
            _note(fault, i, "bad_number", f"{_told(texts[i])} is not a reading that can be taken exactly")
        units = list(map(self.units.__getitem__, found.unit))
        present = set(units)
        if UNKNOWN in present:
            for i, unit in enumerate(units):
                if unit == UNKNOWN:
                    told = ("unknown_unit", f"the unit {_told(found.unit[i])} is not known")
                    _note(fault, i, *(_unfit_reason(found.unit[i], "unit") or told))
        if LITER in present:
            values = [
                cubic_meters(value) if unit == LITER and value else value
                for value, unit in zip(values, units, strict=True)
            ]
            units = ["M3" if unit == LITER else unit for unit in units]
        for i in [i for i, value in enumerate(values) if len(value) > _PLACES and too_fine(value)]:
            _note(fault, i, "bad_number", f"{_told(texts[i])} has more than six decimal places")
        if blank_value:
            values = ["" if code == NO_READ else value for value, code in zip(values, found.code, strict=True)]
        return values, units

    def _unfit(self, found: Readings, fault: dict[int, Fault]) -> None:
        """Texts that must not go out: control characters, broken characters, formulas, endless text."""
        for name in ("account_id", "location_id", "meter_id", "register_id", "dial"):
            column: list[str] = getattr(found, name)
            first = set(map(_first_character, column))
            joined = "".join(column)
            plain = joined.isascii() and joined.isprintable() and not first & _RISKY
            if plain and max(map(len, column)) <= MOST_CHARACTERS:
                continue
            for i, text in enumerate(column):
                if told := _unfit_text(text, name):
                    _note(fault, i, *told)

    def _identities(self, found: Readings, fault: dict[int, Fault]) -> None:
        if "" in found.meter_id:
            for i, meter in enumerate(found.meter_id):
                if not meter:
                    _note(fault, i, "missing_id", "there is no meter id")
        if self.rules.needs_account and "" in found.account_id:
            for i, account in enumerate(found.account_id):
                if not account:
                    _note(fault, i, "missing_id", "there is no account id")
        if self.rules.spreadsheet_ids:
            for name in ("meter_id", "account_id"):
                column: list[str] = getattr(found, name)
                joined = "\n".join(column)
                for spoiled, how in ((_SCIENTIFIC, "scientific notation"), (_DAY, "it is a date")):
                    if not spoiled.search(joined):
                        continue
                    for i, text in enumerate(column):
                        if spoiled.fullmatch(text):
                            told = f"the {_label(name)} {shown(text)} was destroyed by a spreadsheet ({how})"
                            _note(fault, i, "missing_id", told)

    def _duplicates(self, found: Readings, dates: list[str], times: list[str]) -> None:
        identity, fault = found.identity, found.fault
        keys: Iterable[tuple[str, str, str, str]] = (
            zip(found.meter_id, found.register_id, dates, times, strict=True)
            if identity is None
            else ((m, r, u, "") for m, r, u in zip(found.meter_id, found.register_id, identity, strict=True))
        )
        for i, key in enumerate(keys):
            if i in fault:
                continue
            if not self._keys.met(key):
                self._keys.add(key)
            elif self.rules.repeated_hour and key not in self._twice and hour_repeats(dates[i], times[i]):
                self._twice.add(key)
            else:
                fault[i] = ("duplicate", "this meter, register, date and time were already read in this file")


def _rejected(found: Readings, i: int, fault: Fault, read: tuple[Sequence[str], ...]) -> Rejected:
    """A reading that was not taken, with its fields as far as they can be told; a damaged record has none."""
    if fault[0] == "bad_record":
        return Rejected(found.line[i], fault[0], fault[1])
    dates, times, values, units = read
    ids = (found.account_id[i], found.meter_id[i], found.register_id[i])
    account, meter, register = (text if _unfit_reason(text, "meter_id") is None else "" for text in ids)
    # Liters were turned into cubic meters, and marks of a recipe are read away: what is not plain comes as its value.
    plain = _PLAIN_DIAL.fullmatch(found.value[i]) and units[i] != "M3"
    text = found.value[i] if plain else values[i] or found.value[i]
    dial = "" if text.startswith(_NO_NUMBER) or len(text) > _MOST_OF_A_DIAL or _unfit_reason(text, "dial") else text
    known = units[i] not in {UNKNOWN, LITER}
    return Rejected(
        found.line[i], *fault, account, meter, register, dates[i], times[i],
        dial if known else "", units[i] if known else "", found.code[i],
    )  # fmt: skip


def _first_character(text: str) -> str:
    return text[:1]


RANK: Final = {
    code: rank
    for rank, code in enumerate(
        ("bad_record", "encoding", "missing_id", "formula_text", "bad_date", "bad_number", "unknown_unit")
    )
}


def _note(fault: dict[int, Fault], position: int, code: str, message: str) -> None:
    """Note a fault unless one that comes earlier in the agreed order is already there."""
    known = fault.get(position)
    if known is None or RANK.get(code, 99) < RANK.get(known[0], 99):
        fault[position] = (code, message)


def _unfit_text(text: str, name: str) -> Fault | None:
    """Why a text must not go out. A reading that cannot is no number, whatever else is wrong with it."""
    found = _unfit_reason(text, name)
    return ("bad_number", found[1]) if found and name == "dial" else found


def _unfit_reason(text: str, name: str) -> Fault | None:
    if not text:
        return None
    if text.startswith(UNCERTAIN):
        return ("missing_id" if name == "meter_id" else "bad_record"), f"the {_label(name)} is {text[1:]}"
    if len(text) > MOST_CHARACTERS:
        return "bad_record", f"the {_label(name)} has {len(text):,} characters"
    if unfit := _UNFIT.search(text):
        broken = "\ud800" <= unfit[0] <= "\udfff"
        code = "encoding" if broken else "bad_record"
        return code, f"the {_label(name)} {shown(text)} holds characters that cannot be read"
    if text[0] in _RISKY and not _SIGNED_NUMBER.fullmatch(text):
        return "formula_text", f"the {_label(name)} {shown(text)} would be taken for a formula"
    return None


def _label(name: str) -> str:
    return {"dial": "reading"}.get(name, name.replace("_", " "))


def _told(text: str) -> str:
    return text[1:] if text.startswith(UNCERTAIN) else shown(text)


def hour_repeats(date: str, time: str) -> bool:
    """Whether a local time lies in the hour that the US clock change repeats: 01:xx on the first Sunday of November."""
    if date[5:7] != "11" or not time.startswith("01:") or int(date[8:]) > 7:
        return False
    return datetime.date.fromisoformat(date).weekday() == _SUNDAY


_SUNDAY: Final = 6
