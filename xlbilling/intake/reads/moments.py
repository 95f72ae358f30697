"""Dates and times as reading systems write them, turned into YYYY-MM-DD and HH:MM; each spelling is read once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

Moment = tuple[str, str]
"""(YYYY-MM-DD, HH:MM); the time is "" when none was written."""

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TIME: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?(?:\s*([AaPp])[Mm])?", re.ASCII)
_COMMON_DATES: Final = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{2})-(?P<d>\d{2})", re.ASCII),
    re.compile(r"(?P<y>\d{4})/(?P<m>\d{2})/(?P<d>\d{2})", re.ASCII),
    re.compile(r"(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4}|\d{2})", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})-(?P<d>\d{1,2})-(?P<y>\d{4})", re.ASCII),
    re.compile(r"(?P<d>\d{1,2})-(?P<b>[A-Za-z]{3})-(?P<y>\d{4}|\d{2})", re.ASCII),
)
_FRACTION: Final = re.compile(r"0\.\d+", re.ASCII)
_SERIAL: Final = re.compile(r"\d{5}(?:\.\d+)?", re.ASCII)
_FIRST_SERIAL, _LAST_SERIAL = 20000, 79999
_EPOCH: Final = datetime.date(1899, 12, 30)
_DAYS_1904: Final = 1462


def iso_date(year: int, month: int, day: int) -> str | None:
    """The date as YYYY-MM-DD, or None where the calendar has no such day."""
    try:
        return datetime.date(year, month, day).isoformat()
    except ValueError:
        return None


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


class Moments(dict[str, Moment | None]):
    """The moment of each text met, or None where it is none; a blank text is the empty moment ("", "").

    `formats`: only dates of these strptime patterns are taken. `serials`: a spreadsheet's day numbers from 20000 to
    79999 too, a fraction giving the time. `date1904`: day numbers count from 1904.
    """

    def __init__(self, formats: Sequence[str] = (), *, serials: bool = False, date1904: bool = False) -> None:
        super().__init__()
        self._patterns = tuple(map(_pattern, formats)) if formats else _COMMON_DATES
        self._serials, self._date1904 = serials, date1904
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

    def _halved(self, text: str) -> Moment | None:
        """The same as looking the text up, for columns where most texts differ but days and times repeat."""
        day, clock = self._dates.get(text[:10]), self._times.get(text[11:])
        if day and clock and text[10] in " T":
            return day, clock
        return self[text]

    def _read(self, text: str) -> Moment | None:
        if not text:
            return "", ""
        if self._serials and _SERIAL.fullmatch(text):
            found = serial_moment(text, date1904=self._date1904)
            if found is not None:
                return found
        cut = _end_of_date(text)
        day, clock = self._date(text[:cut]), self._time(text[cut + 1 :]) if cut < len(text) else ""
        return None if day is None or clock is None else (day, clock)

    def _date(self, text: str) -> str | None:
        if text not in self._dates:
            self._dates[text] = _date_of(text, self._patterns)
        return self._dates[text]

    def time_of(self, text: str) -> str | None:
        """A separate time of day as HH:MM, "" for a blank one, None for what is none; a day number's fraction counts."""
        if self._serials and _FRACTION.fullmatch(text):
            return serial_moment(f"{_FIRST_SERIAL}." + text.partition(".")[2])[1]  # type: ignore[index]
        return self._time(text)

    def _time(self, text: str) -> str | None:
        if text not in self._times:
            found = clock_time(text.strip())
            if len(self._times) > 100_000:
                return found
            self._times[text] = found
        return self._times[text]


def _end_of_date(text: str) -> int:
    """Where the date ends: at the first blank, or at a T between digits."""
    blank = text.find(" ")
    if blank >= 0:
        return blank
    mark = text.find("T", 6)
    return mark if mark > 0 and text[mark - 1].isdigit() and text[mark + 1 : mark + 2].isdigit() else len(text)


def _date_of(text: str, patterns: Sequence[re.Pattern[str]]) -> str | None:
    for pattern in patterns:
        match = pattern.fullmatch(text)
        if match:
            return _from_groups(match.groupdict())
    return None


def _from_groups(part: dict[str, str]) -> str | None:
    year = int(part["y"]) + (2000 if len(part["y"]) == 2 else 0)
    if "b" in part:
        name = part["b"].lower()[:3]
        return iso_date(year, _MONTHS.index(name) + 1, int(part["d"])) if name in _MONTHS else None
    return iso_date(year, int(part["m"]), int(part["d"]))


def serial_moment(text: str, *, date1904: bool = False) -> Moment | None:
    """The moment of a spreadsheet's day number, the time read to a hundredth of a second and never rounded over."""
    whole, _, fraction = text.partition(".")
    days = int(whole) + (_DAYS_1904 if date1904 else 0)
    if not _FIRST_SERIAL <= days <= _LAST_SERIAL:
        return None
    day = (_EPOCH + datetime.timedelta(days=days)).isoformat()
    if not fraction.strip("0"):
        return day, ""
    seconds = min(int(round(Decimal("0." + fraction) * 86400, 2)), 86399)
    return day, f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}"


_DIRECTIVES: Final = {
    "%Y": r"(?P<y>\d{4})",
    "%y": r"(?P<y>\d{2})",
    "%m": r"(?P<m>\d{1,2})",
    "%d": r"(?P<d>\d{1,2})",
    "%b": r"(?P<b>[A-Za-z]{3})",
    "%B": r"(?P<b>[A-Za-z]{3,9})",
}


def _pattern(date_format: str) -> re.Pattern[str]:
    """A strptime date format as a pattern; a ValueError where it is not a whole date."""
    pieces = re.split(r"(%.)", date_format)
    source = "".join(_DIRECTIVES.get(piece, re.escape(piece)) for piece in pieces)
    pattern = re.compile(source, re.ASCII)
    named = set(pattern.groupindex)
    if not ({"y", "d"} <= named and named & {"m", "b"}) or "%" in source:
        raise ValueError(f"{date_format!r} is not a whole date")
    return pattern
