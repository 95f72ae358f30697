"""Cells of a ledger export: the text of an amount, read exactly or not at all."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Final

_AMOUNT: Final = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)?(?:\.(\d+))?")
_NOISY: Final = re.compile(r"-?\d+\.\d{6,}")
_NOISE: Final = Decimal("0.00001")
# An accounting format prints zero as a dash, with its currency sign and the blanks that line it up: "$ -  ", "($-)".
_DASH: Final = re.compile(r"[\s$(]*(?:USD)?[\s$(]*[-\u2013\u2014\u2212][\s$)]*", re.IGNORECASE)
# What the text of a cell may begin with to stay text.
WRAPS: Final = frozenset("='")
_SIDE: Final = re.compile(r"\s*(CR|DR)\.?$", re.IGNORECASE)


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
