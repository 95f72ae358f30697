"""Keys of rate rows: `meter_size=5/8"; pressure_zone=2`, or `lot_size>=5000` for the last start reached."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from xlbilling.words.exact import parse_decimal

_WORD: Final = r"[A-Za-z_][\w.|]*(?:[ -]+[\w.|]+)*"  # a name of one word or several: meter_size, meter size
_PART: Final = re.compile(rf"\s*({_WORD})\s*(>=|=)\s*(.*?)\s*")
_SPLIT: Final = re.compile(rf";\s+(?={_WORD}\s*(?:>=|=))")
NAME: Final = re.compile(rf"(?!.*\|){_WORD}")


class UnreadableKeyError(ValueError):
    """The text is no key."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """The names a row depends on, the joined values it is for, and the start where it is a threshold."""

    names: tuple[str, ...]
    joined: str
    start: Fraction | None


def parse_key(text: str) -> RowKey:
    """The key of a rate row; names joined by "|" stand for a key already joined, such as a|b=1|2."""
    if not text.strip():
        return RowKey((), "", None)
    names: list[str] = []
    values: list[str] = []
    for part in _SPLIT.split(text.strip().rstrip(";")):
        found = _PART.fullmatch(part)
        if not found:
            raise UnreadableKeyError(f'{part!r} is no key; write name=value, several joined by "; "')
        if found[2] == ">=":
            start = parse_decimal(found[3])
            if start is None or _SPLIT.search(text):
                raise UnreadableKeyError(f"{text!r}: name>=number stands alone and needs a number")
            return RowKey((found[1],), found[3], start)
        names.extend(found[1].split("|"))
        values.append(found[3])
    return RowKey(tuple(names), "|".join(values), None)


def key_text(names: tuple[str, ...], joined: str) -> str:
    """A joined key as a clerk reads it, split where that is certain: 1|1/2"|inside is 1|1/2" and inside."""
    if not names:
        return ""
    parts = _split(joined, len(names))
    if parts is None:
        return f"{'|'.join(names)}={joined}"
    return "; ".join(f"{name}={part}" for name, part in zip(names, parts, strict=True))


def key_values(names: tuple[str, ...], joined: str) -> dict[str, str] | None:
    """The value of each name in a joined key; None where it is not certain where one ends and the next begins."""
    parts = _split(joined, len(names))
    return dict(zip(names, parts, strict=True)) if parts else None


def _split(joined: str, wanted: int) -> list[str] | None:
    if wanted == 1:
        return [joined]
    parts = joined.split("|")
    if len(parts) > wanted:
        # A meter size written with a pipe, 1|1/2": the whole inches and the fraction belong together.
        merged: list[str] = []
        for part in parts:
            if merged and merged[-1].isdigit() and re.fullmatch(r'\d+/\d+"?', part):
                merged[-1] += "|" + part
            else:
                merged.append(part)
        parts = merged
    certain = len(parts) == wanted and not any(";" in part for part in parts)
    return parts if certain else None
