"""Account numbers as an export prints them: alone, before a name, or inside a heading."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from typing import Final

_NUMBER: Final = re.compile(r"[\dA-Z][\w.\-]*\d[\w.\-]*|\d+", re.IGNORECASE)
_SPLITS: Final = re.compile(r"\s+·\s+|\s+[-–—:]\s+|\s+")


def printed_account(text: str, known: AbstractSet[str]) -> tuple[str, str]:
    """The account number and name in a printed heading: "1310 · A/R - Water" -> ("1310", "A/R - Water").

    A heading that is one of `known` as a whole (a chart without numbers) stays whole; otherwise the known number
    it holds as a word, if exactly one, otherwise its first word where that is a number, otherwise the whole text.
    """
    body = " ".join(text.replace("\u00a0", " ").split())
    if body in known:
        return body, ""
    first, *rest = _SPLITS.split(body, maxsplit=1)
    if first in known:
        return first, rest[0] if rest else ""
    words = {word.strip("()[],;:") for word in body.split()} & known
    if len(words) == 1:
        return words.pop(), body
    if _NUMBER.fullmatch(first):
        return first, rest[0] if rest else ""
    same = {name for name in known if name.lower() == body.lower()}
    return (same.pop(), "") if len(same) == 1 else (body, "")
