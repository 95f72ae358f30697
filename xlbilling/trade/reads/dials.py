"""Dials: the consumption between two dial values, with rollover past the last digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

MILLION: Final = 1_000_000
MOST_DIALS: Final = 12  # ten to the twelfth in millionths is the most an int64 holds with room to add


@dataclass(frozen=True, slots=True)
class Metered:
    """What meters counted: consumption in millionths, which of them rolled over, and which can be read at all.

    `readable` is False where a dial is negative or has more digits than the register, or where the product with the
    multiplier is not a whole number of millionths or does not fit; consumption is 0 there.
    """

    consumption: Whole
    rolled_over: Mask
    readable: Mask


def consumption(previous: Whole, current: Whole, dials: Whole, multiplier: Whole) -> Metered:
    """Consumption = (current - previous) x multiplier, a dial below the last one having passed zero once.

    `previous`, `current` and `multiplier` are int64 millionths, `dials` the number of digits before zero comes again;
    all of one length. A six-digit register from 999,990 to 12 has counted 22. Whether a rollover is what happened, or
    a wrong read, is for the read checks to say.
    """
    previous, current, dials, multiplier = np.broadcast_arrays(previous, current, dials, multiplier)
    sized = (dials >= 1) & (dials <= MOST_DIALS)
    span = 10 ** np.where(sized, dials, 1) * MILLION
    readable = sized & (previous >= 0) & (current >= 0) & (previous < span) & (current < span) & (multiplier > 0)
    rolled = readable & (current < previous)
    counted = np.where(readable, current, 0) - np.where(readable, previous, 0) + np.where(rolled, span, 0)
    common = np.gcd(np.where(readable, multiplier, MILLION), MILLION)
    num, den = np.where(readable, multiplier, MILLION) // common, MILLION // common
    # num and den share no factor, so the product is whole exactly where den divides what was counted.
    readable &= (counted % den == 0) & (counted // den <= np.iinfo(np.int64).max // num)
    found = np.where(readable, counted // den, 0) * num
    return Metered(np.where(readable, found, 0), rolled & readable, readable)
