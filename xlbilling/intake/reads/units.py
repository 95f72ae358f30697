"""Units of volume as reading systems spell them; converted only where the factor is exact by definition."""

from __future__ import annotations

import re
from typing import Final

from xlbilling.intake.reads.numbers import product

_SPELLINGS: Final = {
    "CF": ("cf", "cuft", "cubicfeet", "cubicfoot", "ft3", "cubicfe"),
    "CCF": ("ccf", "hcf", "100cf", "hundredcubicfeet"),
    "GAL": ("gal", "gals", "gallon", "gallons"),
    "KGAL": ("kgal", "kgals", "tgal", "1000gal", "kilogallon", "thousandgallons"),
    "M3": ("m3", "cubicmeter", "cubicmeters", "cubicme"),
    "AF": ("af", "acft", "acrefeet", "acrefoot"),
    "LITER": ("l", "liter", "liters"),
    "": ("",),
}
_UNIT_OF: Final = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_NOISE: Final = re.compile("[^0-9a-z]")

LITER: Final = "LITER"
UNKNOWN: Final = "?"


class Units(dict[str, str]):
    """The unit of each spelling met: CF, CCF, GAL, KGAL, M3, AF, "" for blank, LITER, or UNKNOWN ("?")."""

    def __missing__(self, text: str) -> str:
        plain = _NOISE.sub("", text.lower())
        known = _UNIT_OF.get(plain, UNKNOWN)
        if not plain and text.strip():
            known = UNKNOWN
        self[text] = known
        return known


def cubic_meters(liters: str) -> str:
    """Liters as cubic meters, exact: "9186.42" -> "9.18642"."""
    return product(liters, "0.001")
