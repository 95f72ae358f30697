"""Readings as text turned into exact decimal text, a whole column at a time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final

_PLAIN: Final = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")
_MOST_CHARACTERS: Final = 64


@dataclass(frozen=True)
class NumberRule:
    """How a format writes numbers: digits with at most one decimal mark, grouped or signed only where that is said."""

    decimal_mark: str = "."
    thousands_mark: str = ""
    signed: bool = False
    whole: bool = False

    def exact(self, text: str) -> str | None:
        """The number as plain decimal text, or None where the text is no such number: "007.50" -> "7.5"."""
        sign = ""
        if self.signed and text[:1] == "-":
            sign, text = "-", text[1:]
        if self.thousands_mark and self.thousands_mark in text:
            if not self._grouping().fullmatch(text):
                return None
            text = text.replace(self.thousands_mark, "")
        if self.decimal_mark != ".":
            if "." in text:
                return None
            text = text.replace(self.decimal_mark, ".")
        if len(text) > _MOST_CHARACTERS or not _PLAIN.fullmatch(text) or (self.whole and "." in text):
            return None
        value = canonical(text)
        return value if value == "0" else sign + value

    def _grouping(self) -> re.Pattern[str]:
        group, mark = re.escape(self.thousands_mark), re.escape(self.decimal_mark)
        return re.compile(rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+(?:{mark}[0-9]*)?")

    def column(self, texts: Sequence[str]) -> tuple[Sequence[str], list[int]]:
        """The exact values of a column, and the positions that hold no number (their value is "")."""
        if _all_plain(texts) and not self.whole and self.decimal_mark == ".":
            return _canonical_column(texts), []
        values, bad = [], []
        for position, text in enumerate(texts):
            value = self.exact(text)
            if value is None:
                bad.append(position)
            values.append(value or "")
        return values, bad


def too_fine(plain: str) -> bool:
    """Whether an exact number has more decimals than the millionths that a read is kept in."""
    return bool(plain.partition(".")[2][6:].strip("0"))


def product(first: str, second: str) -> str:
    """Two plain numbers multiplied, exact, however many digits they have: ("12.50", "0.001") -> "0.0125"."""
    places = sum(len(text.partition(".")[2]) for text in (first, second))
    sign = "-" if first.startswith("-") != second.startswith("-") else ""
    digits = str(int(first.replace(".", "").lstrip("-")) * int(second.replace(".", "").lstrip("-")))
    padded = digits.rjust(places + 1, "0")
    value = canonical(f"{padded[:-places]}.{padded[-places:]}" if places else padded)
    return value if value == "0" else sign + value


def canonical(plain: str) -> str:
    """A plain number without idle zeros: "007.50" -> "7.5", ".5" -> "0.5", "000" -> "0"."""
    if "." in plain:
        whole, _, part = plain.partition(".")
        part = part.rstrip("0")
        whole = whole.lstrip("0") or "0"
        return f"{whole}.{part}" if part else whole
    return plain.lstrip("0") or "0"


def _all_plain(texts: Sequence[str]) -> bool:
    """Whether each text is ASCII digits with at most one point inside, found on the column as a whole."""
    if not texts or max(map(len, texts)) > _MOST_CHARACTERS:
        return False
    joined = "".join(texts)
    if not joined.isascii():
        return False
    if joined.isdecimal():
        return all(texts)
    if not joined.replace(".", "").isdecimal() or max(map(str.count, texts, repeat("."))) > 1:
        return False
    return all(texts) and "." not in texts


def _canonical_column(texts: Sequence[str]) -> Sequence[str]:
    joined = "".join(texts)
    if "." in joined:
        return [canonical(text) for text in texts]
    if any(map(str.startswith, texts, repeat("0"))):
        return [text.lstrip("0") or "0" for text in texts]
    return texts
