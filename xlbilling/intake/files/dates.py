"""Dates of a column from outside, decided for the column as a whole: which part of 03/07/2026 is the month.

A column is month first (or as its layout declares), unless a row can only be the other way round. Then the whole column
is, if every row of it can be; otherwise each row that could be both is listed and none of them taken.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from xlbilling.words.problems import declare

DayOrder = Literal["mdy", "dmy"]
"""Month first, or day first."""

AMBIGUOUS_DATE: Final = declare(
    "ambiguous_date",
    "A date could be month first or day first, and other dates of its column do not settle which.",
    "Write the column's dates as 2026-11-30, all of them, and import the file again.",
    severity="review",
)

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_NAME: Final = 3
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*([AaPp])\.?[Mm]\.?)?", re.ASCII)
_TIMED: Final = re.compile(r"(\S.*?)(?:,? +|(?<=\d)T(?=\d))(\d{1,2}:\d{2}.*)", re.ASCII)
_FIGURES: Final = re.compile(r"(\d{1,2})(?:/(\d{1,2})/(\d{4}|\d{2})|-(\d{1,2})-(\d{4}))", re.ASCII)
_YEAR_FIRST: Final = re.compile(r"(\d{4})(?:-(\d{2})-(\d{2})|/(\d{2})/(\d{2})|(\d{2})(\d{2}))", re.ASCII)
_DAY_NAMED: Final = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[- ]([A-Za-z]{3,9})\.?(?:-|,? ?)(\d{4}|\d{2})", re.ASCII)
_MONTH_NAMED: Final = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4}|\d{2})", re.ASCII)
_WEEKDAY: Final = re.compile(r"([A-Za-z]{3,9})\.?,? (?=.*\d)(.*)", re.ASCII)
_SERIAL: Final = re.compile(r"(\d{5})(?:\.\d+)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = 20000, 79999  # the days of 1954 to 2119, counted from 1900
_EPOCH: Final = dt.date(1899, 12, 30)  # a workbook counts a 29 February 1900 that never was
_DAYS_TO_1904: Final = 1462
_MONTHS_OF_A_YEAR: Final = 12
_SAID: Final = {"mdy": "month first", "dmy": "day first"}


@dataclass(frozen=True, slots=True)
class Ways:
    """The days that a text names, month first and day first: one day where its writing leaves no choice.

    `written`: in figures with the year last, with the year first, or with the month as a word. `stored`: a workbook's
    own date, of which a spreadsheet may have taken the day for the month when the column was opened or pasted.
    """

    mdy: dt.date | None
    dmy: dt.date | None
    written: Literal["figures", "year first", "word", "no date"] = "no date"
    stored: bool = False


class Evidence:
    """What the dates of a column prove about their order.

    `declared`: the order that holds unless rows prove the contrary. `settled`: a person or a specification gave its
    word for it, so the column is never turned, and one row that proves it outweighs those that do not fit.
    """

    def __init__(self, declared: DayOrder = "mdy", *, settled: bool = False) -> None:
        self.declared, self.settled = declared, settled
        self.other: DayOrder = "dmy" if declared == "mdy" else "mdy"
        self._fitting = self._contrary = self._year_first = ""

    def look(self, text: str, ways: Ways) -> None:
        """Take a date into account; texts that are no dates prove nothing."""
        own, other = (ways.mdy, ways.dmy) if self.declared == "mdy" else (ways.dmy, ways.mdy)
        if own is None and other is not None:
            self._contrary = self._contrary or text
        elif own is not None and other is None:
            self._fitting = self._fitting or text
        elif own is not None and ways.written == "year first":
            self._year_first = self._year_first or text

    @property
    def order(self) -> DayOrder | None:
        """The order of the whole column; None where no one order fits all of its rows."""
        if not self._contrary or (self.settled and self._fitting):
            return self.declared
        return None if self._fitting or self._year_first or self.settled else self.other

    def in_doubt(self, ways: Ways) -> bool:
        """Whether a date could be two days and the column does not settle which."""
        if self.order is not None or ways.mdy is None or ways.dmy is None:
            return False
        if ways.stored:
            # beside dates that the spreadsheet left as text, those it took may have day and month exchanged
            return not self._fitting and ways.mdy.day <= _MONTHS_OF_A_YEAR and ways.mdy.day != ways.mdy.month
        return ways.mdy != ways.dmy

    def day(self, ways: Ways) -> dt.date | None:
        """The day that a date of this column is; None where it is none, or in doubt."""
        if self.in_doubt(ways):
            return None
        return ways.mdy if (self.order or self.declared) == "mdy" else ways.dmy

    @property
    def told(self) -> str:
        """What a person must know about the order; "" where it is the one declared."""
        if self.order == self.declared:
            return ""
        proof = f"{self._contrary!r} can only be {_SAID[self.other]}"
        if self.order is not None:
            return f"the dates are read {_SAID[self.other]}, because {proof}"
        against = self._fitting or self._year_first
        beside = f"{against!r} cannot" if against else f"the column is said to be {_SAID[self.declared]}"
        return f"{proof}, but {beside}: dates that could be both were not taken"


class DateColumn:
    """The dates of a column: given every text of the column, it then tells the day of each.

    `declared`: the order of the file's layout, month first where it has none. `first_serial`: the year from which a
    workbook counts its day numbers, 1900 or 1904; 0 for text, in which a bare number is no date. Times are left out.
    """

    def __init__(self, texts: Iterable[str], declared: DayOrder = "mdy", *, first_serial: int = 0) -> None:
        self._first_serial = first_serial
        self._evidence = Evidence(declared)
        for text in dict.fromkeys(texts):
            self._evidence.look(text.strip(), self._ways(text))
        self.order = self._evidence.order
        """The order of the whole column; None where no one order fits all of its rows."""

    @property
    def told(self) -> str:
        """What the answer tells of the order: "" where it is the one declared."""
        return self._evidence.told

    def day(self, text: str) -> dt.date | None:
        """The day a cell names; None for a blank one, for what is no date, and for a date in doubt."""
        return self._evidence.day(self._ways(text))

    def doubt(self, text: str) -> str:
        """The two days that a date in doubt could be, for a problem `AMBIGUOUS_DATE`; "" for any other cell."""
        ways = self._ways(text)
        return doubt_told(text.strip(), ways) if self._evidence.in_doubt(ways) else ""

    def _ways(self, text: str) -> Ways:
        return ways_of(text.strip(), self._first_serial)


def doubt_told(text: str, ways: Ways) -> str:
    """The two days that a date in doubt could be, as a person reads it."""
    if ways.mdy is None or ways.dmy is None:
        return ""
    exchanged = ways.mdy.replace(month=ways.mdy.day, day=ways.mdy.month) if ways.mdy == ways.dmy else ways.dmy
    return f"{text[:40]!r} could be {ways.mdy} or {exchanged}"


@lru_cache(maxsize=65536)
def ways_of(text: str, first_serial: int = 0) -> Ways:
    """The days a text names, a time of day after it left out; none where the date or the time is no such thing."""
    if first_serial and _SERIAL.fullmatch(text):
        day = day_of_serial(text, first_serial)
        return Ways(day, day, "year first", stored=True)
    written, clock = parted(text)
    if clock and clock_time(clock) is None:
        return Ways(None, None)
    return written_ways(written, stored=first_serial > 0)


@lru_cache(maxsize=65536)
def written_ways(text: str, *, stored: bool = False) -> Ways:
    """The days a date without a time names."""
    if match := _FIGURES.fullmatch(text):
        first, second, year = int(match[1]), int(match[2] or match[4]), _year(match[3] or match[5])
        return Ways(calendar_day(year, first, second), calendar_day(year, second, first), "figures")
    if match := _YEAR_FIRST.fullmatch(text):
        day = calendar_day(int(match[1]), int(match[2] or match[4] or match[6]), int(match[3] or match[5] or match[7]))
        return Ways(day, day, "year first", stored=stored)
    day = _named(text)
    return Ways(day, day, "word" if day else "no date")


def parted(text: str) -> tuple[str, str]:
    """A date and the time of day after it, as written; the time is "" where there is none."""
    match = _TIMED.fullmatch(text) if ":" in text else None
    return (match[1], match[2].strip()) if match else (text, "")


def clock_time(text: str) -> str | None:
    """A time of day as HH:MM with the seconds cut off, or None: "7:05 PM" -> "19:05"; 24:00 is no time of day."""
    match = _TIME.fullmatch(text)
    if not match:
        return None
    hour, minute, second = int(match[1]), int(match[2]), int(match[3] or 0)
    if match[4]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[4] in "Pp" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return f"{hour:02d}:{minute:02d}"


def day_of_serial(text: str, first_serial: int) -> dt.date | None:
    """The day of a workbook's day number, a fraction (the time) left out; None beyond the days that can be meant."""
    days = int(text.partition(".")[0]) + (_DAYS_TO_1904 if first_serial == 1904 else 0)
    return _EPOCH + dt.timedelta(days=days) if _FIRST_SERIAL <= days <= _LAST_SERIAL else None


def _named(text: str) -> dt.date | None:
    """The day of a date whose month is a word; a weekday before it must be the day's own."""
    if match := _DAY_NAMED.fullmatch(text):
        return calendar_day(_year(match[3]), month_number(match[2]), int(match[1]))
    if match := _MONTH_NAMED.fullmatch(text):
        return calendar_day(_year(match[3]), month_number(match[1]), int(match[2]))
    match = _WEEKDAY.fullmatch(text)
    weekday = _numbered(match[1], _WEEKDAYS) if match else 0
    day = _named(match[2]) if match and weekday else None
    return day if day is not None and day.isoweekday() == weekday else None


def month_number(word: str) -> int:
    """The number of a month by its name or the first letters of it; 0 where it is none."""
    return _numbered(word, _MONTHS)


def _numbered(word: str, names: tuple[str, ...]) -> int:
    """The number of a name from 1, known by its first letters ("Sept" is 9); 0 where it is none."""
    written = word.lower()
    if len(written) < _SHORTEST_NAME:
        return 0
    return next((number for number, name in enumerate(names, 1) if name.startswith(written)), 0)


def _year(text: str) -> int:
    # two-digit years: files of this century
    return int(text) if len(text) == 4 else 2000 + int(text)


def calendar_day(year: int, month: int, day: int) -> dt.date | None:
    """The day, or None where the calendar has no such day."""
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None
