"""Marks of rows that are no postings: the words reports print at openings, totals, balances carried and page heads."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_ANY_CASE: Final = re.IGNORECASE
_BALANCE: Final = r"bal(?:ance|\.)?"
_CARRIED: Final = rf"(?:{_BALANCE} )?(?:carried (?:forward|down|over)|c/[fdo])\b.*"
_CLOSING: Final = rf"(?:closing|ending) {_BALANCE}\b.*"
_SCOPES: Final = "grand|batch|account|journal|report|fund|sub|page|period|entry|final|department"

OPENING: Final = re.compile(
    rf"(?:beginning|opening|starting) {_BALANCE}\b.*|{_BALANCE} (?:forward|fwd)\b.*"
    rf"|(?:{_BALANCE} )?(?:brought (?:forward|down|over)|b/[fdo])\b.*",
    _ANY_CASE,
)
TOTAL: Final = re.compile(
    rf"\W*(?:(?:{_SCOPES})[ -]*)*totals?\b.*|(?:grand |sub-?)?sums?\b.*|net (?:movement|change)\b.*|.*\bperiod totals?\b.*"
    rf"|{_CLOSING}|{_CARRIED}",
    _ANY_CASE,
)
# Behind its words a report prints the mark too ("1310 Total"); a posting, which has a date, may end with it.
UNDATED_TOTAL: Final = re.compile(
    r".*\S\s+(?:sub-?)?totals?\W*|(?:number|count) of .*|.*\b(?:records?|rows?|lines?|entries) ?(?:count|total)\W*",
    _ANY_CASE,
)
# A posting's own words may begin with "Total", so in a description only the bare word is a total's mark.
TOTAL_SAID: Final = re.compile(
    rf"\W*(?:(?:{_SCOPES})[ -]*)*totals?\W*(?: (?:for|of)\b.*)?|sums?\W*|.*\bperiod totals?\b.*|{_CLOSING}|{_CARRIED}",
    _ANY_CASE,
)
BALANCE: Final = re.compile(rf"{_CLOSING}|{_CARRIED}", _ANY_CASE)
PAGE: Final = re.compile(r"\bpage\b", _ANY_CASE)
_TOTAL_WORDS: Final = re.compile(
    rf"^\W*(?:(?:{_SCOPES})[ -]*)*totals?\b(?: (?:for|of)\b)?[\W_]*|[\W_]*\b(?:sub-?)?totals?\W*$", _ANY_CASE
)


@lru_cache(maxsize=65536)
def is_opening(text: str) -> bool:
    """Whether words are those of an opening balance."""
    return OPENING.fullmatch(text) is not None


def totalled(label: str) -> str:
    """What a total says it is the total of: "Total for 1310 A/R" -> "1310 A/R"; "" for a bare total."""
    return _TOTAL_WORDS.sub("", label).strip()
