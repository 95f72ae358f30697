"""Formula texts as the port takes them: {field} is a field's cell in the same row, {row} the sheet row."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

Formula: TypeAlias = str | Sequence[str]

_NAMED: Final = re.compile(r"\{([a-z_][a-z0-9_]*)\}")
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"|\[[^\[\]]*\]')
_MOVING: Final = re.compile(r"(?<![\w.])\$?[A-Za-z]{1,3}[0-9]+(?![\w(])")


def filled_in(formula: Formula, rows: Sequence[int | str], letters: Mapping[str, str]) -> list[str]:
    """The formula of each sheet row, with {field} and {row} filled in; a leading = is added where it is missing.

    A row with a blank text has no formula and stays blank.
    """
    texts = [formula] * len(rows) if isinstance(formula, str) else list(formula)
    made: list[str] = []
    split: dict[str, list[str]] = {}
    for text, row in zip(texts, rows, strict=True):
        if not text:
            made.append("")
            continue
        parts = split.get(text)
        if parts is None:
            parts = split[text] = _NAMED.split(text if text.startswith("=") else f"={text}")
        words = [_word(part, row, letters) if odd % 2 else part for odd, part in enumerate(parts)]
        made.append("".join(words))
    return made


def formula_runs(formula: Formula, count: int) -> list[tuple[int, int, str]]:
    """The stretches of rows with one formula text, as (first, past the last, text), counted from 0."""
    if isinstance(formula, str):
        return [(0, count, formula)]
    made: list[tuple[int, int, str]] = []
    for row, text in enumerate(formula):
        if made and made[-1][2] == text:
            made[-1] = (made[-1][0], row + 1, text)
        else:
            made.append((row, row + 1, text))
    return made


def fills_down(formula: str) -> bool:
    """Whether a sheet may fill the text down by itself: no row number in it, and no reference that would move along."""
    bare = _QUOTED.sub("", _NAMED.sub("", formula))
    return "{row}" not in formula and not _MOVING.search(bare)


def _word(name: str, row: int | str, letters: Mapping[str, str]) -> str:
    if name == "row":
        return str(row)
    return f"{letters[name]}{row}"
