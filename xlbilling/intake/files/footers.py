"""The words and shapes of a report's own lines: totals, page numbers, the printer's words, rules; in every kind of file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

TOTAL: Final = re.compile(
    r"(?:(?:sub|grand|batch|deposit|report|file|page|day|daily|lockbox|final|overall|group|control|amount|number|route|cycle|"
    r"\d[\d/.]*)[\s:#-]+)*(?:sub|grand)?(?:totals?|sum)\b(?![-/]\w)|"
    r"(?:balance\s+)?(?:carried|brought)\s+(?:forward|over)\b|balance\s+[bc]/[fd]\b",
    re.IGNORECASE,
)
_THINGS: Final = "records?|items?|checks|payments|transactions|rows|lines|reads|readings|meters"
_FOOTER: Final = re.compile(
    r"page\W*\d+|end\s+of\s+(?:the\s+)?(?:report|file|list|data|batch|page|route)|continued\b|"
    r"(?:printed|generated|created|produced|exported|prepared|processed|run|report)\s+(?:on|by|at|date|time|from|for|\d)|"
    r"(?:number|no\.?|count)\s+of\b|(?:record|item|check|payment|row|line|read|meter)\s+count\b|"
    rf"(?:count|{_THINGS})\s*[:=]\s*\d|\d+\s+(?:{_THINGS})\b|(?:filters?|criteria|confidential|copyright|\u00a9)",
    re.IGNORECASE,
)
MOST_READ: Final = 200  # characters of a line in which a total or a foot says so
_RULE: Final = re.compile(r"[-=_*~]{2,}")
_LETTER: Final = re.compile(r"[^\W\d_]")


def says_so(text: str) -> bool:
    """Whether a cell begins with the words of a total or of a report's foot."""
    start = text[:MOST_READ]
    return TOTAL.match(start) is not None or _FOOTER.match(start) is not None


def is_sentence(text: str) -> bool:
    """Whether a cell is words, as an account number never is."""
    return " " in text and has_letters(text)


def has_letters(text: str) -> bool:
    return _LETTER.search(text) is not None


def is_rule(cells: Sequence[str]) -> bool:
    """Whether a row is a line drawn under the figures: "-----" or "=====" in each cell that is filled."""
    return all(_RULE.fullmatch(cell) for cell in cells if cell)
