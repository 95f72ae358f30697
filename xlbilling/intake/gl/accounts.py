"""Account numbers as an export prints them: alone, before a name, or inside a heading."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

from xlbilling.intake.files.cells import unwrapped

_NUMBER: Final = re.compile(r"[\dA-Z][\w.\-]*\d[\w.\-]*|\d+", re.IGNORECASE)
_COMMAS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.0+)?")
_WHOLE: Final = re.compile(r"(\d+)\.0+")
_SIGNS: Final = re.compile(r"[^0-9a-z]+")
_SPLITS: Final = re.compile(r"\s+·\s+|\s+[-–—:]\s+|\s+")


def printed_account(text: str, known: AbstractSet[str]) -> tuple[str, str]:
    """The account number and name in a printed heading: "1310 · A/R - Water" -> ("1310", "A/R - Water").

    A heading that is one of `known` as a whole (a chart without numbers) stays whole; otherwise the known number
    it holds as a word, if exactly one, otherwise the known number it is another spelling of, if exactly one, otherwise
    its first word where that is a number, otherwise the whole text.
    """
    body = " ".join(unwrapped(text.replace("\u00a0", " ")).split())
    if body in known:
        return body, ""
    first, *rest = _SPLITS.split(body, maxsplit=1)
    if first in known:
        return first, rest[0] if rest else ""
    words = {word.strip("()[],;:") for word in body.split()} & known
    if len(words) == 1:
        return words.pop(), body
    alike = {number for number in known if respelled(number) == respelled(first)}
    if len(alike) == 1:
        return alike.pop(), rest[0] if rest else ""
    if _NUMBER.fullmatch(first):
        return first, rest[0] if rest else ""
    same = {name for name in known if name.lower() == body.lower()}
    return (same.pop(), "") if len(same) == 1 else (body, "")


def respelled(number: str) -> str:
    """An account number as it was before a spreadsheet made an amount of it: "1,310" and "1310.00" are 1310."""
    text = number.replace(",", "") if _COMMAS.fullmatch(number) else number
    whole = _WHOLE.fullmatch(text)
    return whole[1] if whole else text


def nearly(number: str) -> str:
    """What two spellings of one number have in common, with lost zeros and signs left out: "01310", "1-310" -> "1310"."""
    return _SIGNS.sub("", respelled(number).lower()).lstrip("0")
