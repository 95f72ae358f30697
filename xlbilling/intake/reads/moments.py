"""Dates and times as reading systems write them, turned into YYYY-MM-DD and HH:MM; each spelling is read once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from xlbilling.intake.files.dates import (
    DayOrder,
    Evidence,
    Ways,
    calendar_day,
    clock_time,
    day_of_serial,
    doubt_told,
    month_number,
    parted,
    written_ways,
)

Moment = tuple[str, str]
"""(YYYY-MM-DD, HH:MM); the time is "" when none was written."""

_FRACTION: Final = re.compile(r"0\.\d+", re.ASCII)
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_ANY_DAY_NUMBER: Final = "20000"


class Moments(dict[str, Moment | None]):
    """The moment of each text met, or None where it is none; a blank text is the empty moment ("", "").

    `formats`: only dates of these strptime patterns are taken; their order is a person's word. `serials`: a
    spreadsheet's day numbers from 20000 to 79999 too, a fraction giving the time. `date1904`: day numbers count from
    1904. `workbook`: dates with the year first are a workbook's own. `decided`: what the whole column proved about its
    order, where it was looked through before; otherwise days are as declared and `evidence` gathers what speaks for it.
    """

    def __init__(
        self,
        formats: Sequence[str] = (),
        *,
        serials: bool = False,
        date1904: bool = False,
        workbook: bool = False,
        decided: Evidence | None = None,
    ) -> None:
        super().__init__()
        self._patterns = [(_pattern(date_format), date_order(date_format)) for date_format in formats]
        self._serials, self._first_serial, self._workbook = serials, 1904 if date1904 else 1900, workbook
        orders = [order for _, order in self._patterns if order]
        self.evidence = Evidence(orders[0] if orders else "mdy", settled=bool(formats) and not _says_both(formats))
        self._decided = decided
        self._times: dict[str, str | None] = {"": ""}
        self._dates: dict[str, str | None] = {}

    def __missing__(self, text: str) -> Moment | None:
        moment = self._read(text)
        if len(self) < 200_000:
            self[text] = moment
        return moment

    def column(self, texts: Sequence[str]) -> tuple[list[str], list[str], list[int]]:
        """The dates and times of a column, and the positions that hold no moment (both are "" there)."""
        if len(set(texts)) * 3 > len(texts) > 1000 and texts[0][10:11] in {" ", "T"}:
            moments = list(map(self._halved, texts))
        else:
            moments = list(map(self.__getitem__, texts))
        bad = [position for position, moment in enumerate(moments) if moment is None] if None in moments else []
        sound = [moment or ("", "") for moment in moments]
        return [day for day, _ in sound], [clock for _, clock in sound], bad

    def doubt(self, text: str) -> str:
        """The two days that a date in doubt could be; "" for any other text."""
        if self._decided is None:
            return ""
        ways = self._serial_ways(text) or self._ways(parted(text)[0])
        return doubt_told(text, ways) if self._decided.in_doubt(ways) else ""

    def _halved(self, text: str) -> Moment | None:
        """The same as looking the text up, for columns where most texts differ but days and times repeat."""
        day, clock = self._dates.get(text[:10]), self._times.get(text[11:])
        if day and clock and text[10] in " T":
            return day, clock
        return self[text]

    def _read(self, text: str) -> Moment | None:
        if not text:
            return "", ""
        ways = self._serial_ways(text)
        if ways is not None:
            day = self._day(text, ways)
            return None if day is None else (day, _serial_time(text))
        written, time = parted(text)
        day, clock = self._date(written), self._time(time)
        return None if day is None or clock is None else (day, clock)

    def _serial_ways(self, text: str) -> Ways | None:
        if not self._serials or not _SERIAL.fullmatch(text):
            return None
        day = day_of_serial(text, self._first_serial)
        return Ways(day, day, "year first", stored=True) if day else None

    def _date(self, text: str) -> str | None:
        if text not in self._dates:
            self._dates[text] = self._day(text, self._ways(text))
        return self._dates[text]

    def _day(self, text: str, ways: Ways) -> str | None:
        self.evidence.look(text, ways)
        if self._decided is not None:
            day = self._decided.day(ways)
        else:
            day = ways.mdy if self.evidence.declared == "mdy" else ways.dmy
        return None if day is None else day.isoformat()

    def _ways(self, text: str) -> Ways:
        if not self._patterns:
            return written_ways(text, stored=self._workbook)
        for pattern, order in self._patterns:
            match = pattern.fullmatch(text)
            if match:
                return _from_groups(match.groupdict(), order, self.evidence.declared, stored=self._workbook)
        return Ways(None, None)

    def time_of(self, text: str) -> str | None:
        """A separate time of day as HH:MM, "" for a blank one, None for what is none; a day number's fraction counts."""
        if self._serials and _FRACTION.fullmatch(text):
            return _serial_time(f"{_ANY_DAY_NUMBER}." + text.partition(".")[2])
        return self._time(text)

    def _time(self, text: str) -> str | None:
        if text not in self._times:
            found = clock_time(text.strip())
            if len(self._times) > 100_000:
                return found
            self._times[text] = found
        return self._times[text]


def serial_moment(text: str, *, date1904: bool = False) -> Moment | None:
    """The moment of a spreadsheet's day number; None beyond the days that can be meant."""
    day = day_of_serial(text, 1904 if date1904 else 1900)
    return None if day is None else (day.isoformat(), _serial_time(text))


def _serial_time(text: str) -> str:
    """The time that a day number's fraction is, read to a hundredth of a second and never rounded over to the next day."""
    fraction = text.partition(".")[2]
    if not fraction.strip("0"):
        return ""
    seconds = min(int(round(Decimal("0." + fraction) * 86400, 2)), 86399)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


def _from_groups(part: dict[str, str], order: DayOrder | None, declared: DayOrder, *, stored: bool) -> Ways:
    """The days of a date of a recipe's format; the other way round only where the declared order is the format's own."""
    year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
    if "b" in part:
        day = calendar_day(year, month_number(part["b"]), int(part["d"]))
        return Ways(day, day, "word")
    first, second = (
        calendar_day(year, int(part["m"]), int(part["d"])),
        calendar_day(year, int(part["d"]), int(part["m"])),
    )
    if order is None:
        return Ways(first, first, "year first", stored=stored)
    if order != declared:
        return Ways(first, first, "figures")
    return Ways(first, second, "figures") if order == "mdy" else Ways(second, first, "figures")


_DIRECTIVES: Final = {
    "%Y": r"(?P<y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3})",
    "%B": r"(?P<b>[A-Za-z]{3,9})",
}


@lru_cache(maxsize=1024)
def _pattern(date_format: str) -> re.Pattern[str]:
    """A strptime date format as a pattern; a ValueError where it is not a whole date."""
    pieces = re.split(r"(%.)", date_format)
    source = "".join(_DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces)
    pattern = re.compile(source, re.ASCII)
    named = set(pattern.groupindex)
    if not ({"y", "d"} <= named and named & {"m", "b"}) or "%" in source:
        raise ValueError(f"{date_format!r} is not a whole date")
    return pattern


def date_order(date_format: str) -> DayOrder | None:
    """Whether a format is month first or day first; None where the year is first or the month is a word."""
    places = [date_format.find(directive) for directive in ("%m", "%d")]
    year = max(date_format.find("%Y"), date_format.find("%y"))
    if -1 in places or year < min(places):
        return None
    return "mdy" if places[0] < places[1] else "dmy"


def _says_both(formats: Sequence[str]) -> bool:
    """Whether a format is there with day and month the other way round too, so that neither is a person's word."""
    turned = {date_format.translate(str.maketrans("dm", "md")) for date_format in formats if date_order(date_format)}
    return bool(turned & set(formats))
