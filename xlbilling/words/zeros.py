"""Numbers of accounts and meters whose leading zeros a spreadsheet has dropped: known again, never put back unasked."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_AS_NUMBER: Final = re.compile(r"(\d+)\.0*", re.ASCII)


def lost_zeros(texts: Iterable[str], known: Iterable[str]) -> dict[str, list[str]]:
    """For each text that is no known number: the known numbers it would be with leading zeros.

    "1" and "1.0" may both be 0000001. Texts that fit none are left out.
    """
    standing = set(known)
    by_figure: dict[str, list[str]] = {}
    for number in sorted(standing):
        by_figure.setdefault(number.lstrip("0"), []).append(number)
    fitting = {text: by_figure.get(_figure(text), []) for text in set(texts) - standing}
    return {text: numbers for text, numbers in fitting.items() if text and numbers}


def told(numbers: list[str], what: str) -> str:
    """What a person reads of the numbers a text would be: "0000001 is an account: the zeros were lost"."""
    return f"{' or '.join(numbers[:3])} is {what}: the zeros were lost"


def _figure(text: str) -> str:
    match = _AS_NUMBER.fullmatch(text)
    return (match[1] if match else text).lstrip("0")
