"""Which format a text is in, told by its content alone."""

from __future__ import annotations

from collections import Counter
from typing import Final

import numpy as np

from xlbilling.intake.files.delimited import header_cells
from xlbilling.intake.files.text import Text
from xlbilling.intake.reads import aclara, beacon, beacon_hourly, cmep, columns, radix, sensus_autoread, sensus_k3

FORMATS: Final = (
    "beacon", "beacon-hourly", "neptune", "sensus-autoread", "sensus-k3", "cmep", "itron-mvrs", "aclara", "radix",
    "generic",
)  # fmt: skip
HEADER_WITHIN: Final = 20
_LONG: Final = 1000
_LINE_FEED, _BLANK = 10, 32
_HEADERS: Final = (
    ("beacon-hourly", beacon_hourly.NEEDED),
    ("beacon", beacon.NEEDED),
    ("aclara", aclara.NEEDED),
)
_WIDTHS: Final = (("radix", radix.WIDTH), ("sensus-k3", sensus_k3.WIDTH), ("sensus-autoread", sensus_autoread.WIDTH))


def detect(text: Text) -> str | None:  # noqa: PLR0911 - one line per kind
    """The format of a text, or None; the first rule that holds decides."""
    head = text.head(1)
    if not head:
        return None
    first = head[0][1]
    if first.startswith("FHD"):
        return "itron-mvrs"
    if first.startswith(("COMHD", "RTEHD")):
        return "neptune"
    if text.characters.count(cmep.START) and _mostly_cmep(text):
        return "cmep"
    named = {cell.casefold() for cell in header_cells(first, ",")}
    for name, needed in _HEADERS:
        if named.issuperset(heading.casefold() for heading in needed):
            return name
    lengths = _lengths(text)
    for name, width in _WIDTHS:
        if lengths[width] * 2 > lengths.total():
            return name
    return "generic" if find_header(text, delimiter_of(text)) else None


def _mostly_cmep(text: Text) -> bool:
    records = total = 0
    for _, lines in text.blocks():
        records += sum(line.startswith(cmep.START) for line in lines)
        total += sum(bool(line) and not line.isspace() for line in lines)
    return records * 2 > total


def _lengths(text: Text) -> Counter[int]:
    """How many lines there are of each length; blank ones aside."""
    if text.characters.isascii():
        buffer = np.frombuffer((text.characters + "\n").encode("ascii"), dtype=np.uint8)
        ends = np.flatnonzero(buffer == _LINE_FEED)
        starts = np.concatenate(([0], ends[:-1] + 1))
        sizes = np.minimum(ends - starts, _LONG)
        if not (buffer[starts[sizes > 0]] <= _BLANK).any():
            counts = np.bincount(sizes)
            counts[0] = 0
            return Counter(dict(enumerate(counts.tolist())))
    lengths: Counter[int] = Counter()
    for _, lines in text.blocks():
        lengths.update(len(line) for line in lines if line and not line.isspace())
    return lengths


def delimiter_of(text: Text) -> str:
    """The most frequent of comma, semicolon, tab and bar on a single line among the first 20."""
    head = [line for _, line in text.head(HEADER_WITHIN)]
    return max(",;\t|", key=lambda mark: max((line.count(mark) for line in head), default=0))


def find_header(text: Text, delimiter: str) -> tuple[int, list[str]] | None:
    """The first of the first 20 rows that names a meter, a reading and a date: its line and cells."""
    for number, line in text.head(HEADER_WITHIN):
        cells = header_cells(line, delimiter)
        if columns.is_header(cells):
            return number, cells
    return None
