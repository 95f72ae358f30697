"""Money: whole cents as integers, read from text exactly and rounded half-up, away from zero."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Final

_AMOUNT: Final = re.compile(r"-?\d+(\.\d{1,2})?")


def round_half_up(value: Fraction) -> int:
    """The whole number nearest to `value`, a tie going away from zero: 12832.5 -> 12833, -0.5 -> -1."""
    magnitude = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return magnitude if value >= 0 else -magnitude


def cents(amount: Fraction) -> int:
    """An exact amount in dollars as whole cents, rounded half-up (away from zero): 128.325 -> 12833."""
    return round_half_up(amount * 100)


def parse_cents(text: str) -> int | None:
    """The cents of a plain amount such as "12", "-3.5" or "1204.07"; None where the text is anything else."""
    if not _AMOUNT.fullmatch(text):
        return None
    whole, _, part = text.lstrip("-").partition(".")
    value = int(whole) * 100 + int(part.ljust(2, "0") or 0)
    return -value if text.startswith("-") else value


def dollars(amount_cents: int) -> str:
    """Cents as a person reads them: 120407 -> "1,204.07", -350 -> "-3.50"."""
    whole, part = divmod(abs(amount_cents), 100)
    return f"{'-' if amount_cents < 0 else ''}{whole:,}.{part:02d}"
