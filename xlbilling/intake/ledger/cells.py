"""Cells of a ledger export: the text of an amount or a date, read exactly or not at all."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal

DayOrder = Literal["mdy", "dmy"]

_AMOUNT: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?")
_NOISY: Final = re.compile(r"-?\d+\.\d{6,}")
_NOISE: Final = Decimal("0.00001")
# An accounting format prints zero as a dash, with its currency sign and the blanks that line it up: "$ -  ", "($-)".
_DASH: Final = re.compile(r"[\s$(]*(?:USD)?[\s$(]*[-\u2013\u2014\u2212][\s$)]*", re.IGNORECASE)
# What the text of a cell may begin with to stay text.
WRAPS: Final = frozenset("='")
_QUOTED: Final = re.compile(r'="([^"]*)"')
_SIDE: Final = re.compile(r"\s*(CR|DR)\.?$", re.IGNORECASE)
_SLASHED: Final = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})")
_NAMED: Final = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[A-Za-z]*[- ,]+(\d{4}|\d{2})")
_ISO: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]00:00(?::00)?(?:\.0+)?)?")
_SERIAL: Final = re.compile(r"[2-6]\d{4}(?:\.0+)?")
_PLAIN: Final = re.compile(r"(\d{4})(\d{2})(\d{2})")
_MONTHS: Final = {name: n for n, name in enumerate("jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}


def unwrapped(text: str) -> str:
    """A cell's text without what a spreadsheet needs to keep it text: ="1021" and '1021 are 1021."""
    body = text.strip()
    if body[:1] not in WRAPS:
        return body
    quoted = _QUOTED.fullmatch(body)
    return quoted[1].strip() if quoted else body.removeprefix("'").strip()


@lru_cache(maxsize=65536)
def amount_cents(text: str) -> int | None:
    """The whole cents of a printed amount, debit positive; None where the text is no exact amount.

    Reads 1,234.56 · $1,234.56 · (1,234.56) · -1,234.56 · 1,234.56- · 1,234.56 CR (a credit) · 1,234.56 DR · $ - (zero).
    A third decimal that is not 0 is no exact amount of money and is not rounded here.
    """
    body = text.strip().replace("\u2212", "-").replace("\u00a0", " ")
    if _DASH.fullmatch(body):
        return 0
    negative = False
    side = _SIDE.search(body)
    if side:
        negative = side[1].upper() == "CR"
        body = body[: side.start()]
    signs = 0
    body = body.removeprefix("$").strip()
    if body.startswith("(") and body.endswith(")"):
        signs, body = signs + 1, body[1:-1].strip()
    if body.startswith("-"):
        signs, body = signs + 1, body[1:].strip()
    if body.endswith("-"):
        signs, body = signs + 1, body[:-1].strip()
    body = body.removeprefix("$").strip()
    if body.startswith("-"):
        signs, body = signs + 1, body[1:].strip()
    found = _AMOUNT.fullmatch(body)
    if signs > 1 or not found or not (found[1] or found[2]):
        return None
    part = (found[2] or "").rstrip("0")
    if len(part) > 2:
        return None
    value = int((found[1] or "0").replace(",", "")) * 100 + int(part.ljust(2, "0"))
    return -value if negative != bool(signs) else value


def stored_cents(text: str) -> int | None:
    """The cents of an amount stored in a workbook, where sums carry the noise of doubles: 84.42999999999999 is 84.43.

    Only noise is rounded (less than a hundred-thousandth of a cent); 12.345 is no exact amount here either.
    """
    exact = amount_cents(text)
    if exact is not None or not _NOISY.fullmatch(text):
        return exact
    scaled = Decimal(text) * 100
    nearest = scaled.to_integral_value()
    return int(nearest) if abs(scaled - nearest) < _NOISE else None


@lru_cache(maxsize=65536)
def printed_date(text: str, order: DayOrder = "mdy") -> dt.date | None:
    """The day a cell names; None where it names none. 03/04/2026 is read in the layout's declared order."""
    body = text.strip()
    for pattern, parts in _READERS:
        found = pattern.fullmatch(body)
        if found:
            year, month, day = parts(found, order)
            try:
                return dt.date(year, month, day)
            except ValueError:
                return None
    return None


def serial_date(text: str, first_serial: int) -> dt.date | None:
    """The day a workbook stores as a number, counted from 1900 or 1904; None for a text file (0) or another number."""
    if first_serial not in (1900, 1904) or not _SERIAL.fullmatch(text):
        return None
    # Excel counts a 29 February 1900 that never was, so day 1 of the usual count is two days after this origin
    origin = dt.date(1899, 12, 30) if first_serial == 1900 else dt.date(1904, 1, 1)
    return origin + dt.timedelta(days=int(text.partition(".")[0]))


def _year(text: str) -> int:
    # two-digit years: a ledger of this century
    return int(text) if len(text) == 4 else 2000 + int(text)


def _iso(found: re.Match[str], _order: DayOrder) -> tuple[int, int, int]:
    return int(found[1]), int(found[2]), int(found[3])


def _slashed(found: re.Match[str], order: DayOrder) -> tuple[int, int, int]:
    month, day = (found[1], found[2]) if order == "mdy" else (found[2], found[1])
    return _year(found[3]), int(month), int(day)


def _named(found: re.Match[str], _order: DayOrder) -> tuple[int, int, int]:
    return _year(found[3]), _MONTHS.get(found[2].lower(), 0), int(found[1])


_Parts = Callable[[re.Match[str], DayOrder], tuple[int, int, int]]
_READERS: Final[tuple[tuple[re.Pattern[str], _Parts], ...]] = (
    (_SLASHED, _slashed),
    (_ISO, _iso),
    (_NAMED, _named),
    (_PLAIN, _iso),
)
