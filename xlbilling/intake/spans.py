"""Columns of cells as spans of one buffer of bytes: the fast way through well-formed blocks, with numpy.

Each question here is answered for a whole column. Where the answer is not plainly yes, the caller takes the exact
way, cell by cell; nothing is decided here that the exact way would decide differently (a test compares the two).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Moment = tuple[str, str]
Known = Callable[[str], Moment | None]
Places = NDArray[np.int64]
Bytes = NDArray[np.uint8]
Codes = NDArray[np.uint16]
Few = tuple[Codes, list[str]]
"""A column of few values: the index of each cell's value, and the values."""

_LINE_FEED: Final = 10
_QUOTE: Final = 34
_LONGEST: Final = 255
_PLAIN_ID: Final = np.zeros(256, dtype=bool)
_PLAIN_ID[0x21:0x7F] = True
_PLAIN_ID[list(b"'\"")] = False
_RISKY_START: Final = np.zeros(256, dtype=bool)
_RISKY_START[list(b"=+-@")] = True


@dataclass(frozen=True)
class Spans:
    """Cells from `start` to `end` in `buffer`; the byte after each cell is a delimiter, never part of a cell."""

    buffer: Bytes
    start: Places
    end: Places

    def __len__(self) -> int:
        return len(self.start)

    def joined(self) -> Bytes:
        """The cells one after the other, each followed by a line feed."""
        sizes = self.end - self.start + 1
        after = np.cumsum(sizes)
        index = np.arange(after[-1] if len(after) else 0) + np.repeat(self.start - (after - sizes), sizes)
        out: Bytes = self.buffer[index]
        out[after - 1] = _LINE_FEED
        return out

    def texts(self) -> list[str]:
        """The cells as text."""
        cells = self.joined().tobytes().decode("ascii").split("\n")
        cells.pop()
        return cells

    def blank(self) -> NDArray[np.bool_]:
        empty: NDArray[np.bool_] = self.start == self.end
        return empty

    def constant(self) -> str | None:
        """The text of the cells where it is the same in all of them."""
        if not len(self):
            return None
        sizes = self.end - self.start
        if (sizes != sizes[0]).any():
            return None
        cells = self.buffer[self.start[:, None] + np.arange(sizes[0])]
        return None if (cells != cells[0]).any() else cells[0].tobytes().decode("ascii")

    def few(self) -> Few | None:
        """The cells as few values; None where there are more than 60,000 of them."""
        same = self.constant()
        if same is not None:
            return np.zeros(len(self), dtype=np.uint16), [same]
        return few_of(self.texts())

    def sound_ids(self, *, spreadsheet: bool) -> bool:
        """Whether each cell can go out as an id just as it is (blank ones can)."""
        if not len(self) or (self.end == self.start).all():
            return True
        if int((self.end - self.start).max()) > _LONGEST:
            return False
        flat = self.joined()
        counts = np.bincount(flat, minlength=256)
        if counts[~_PLAIN_ID].sum() != counts[_LINE_FEED]:
            return False
        if spreadsheet and (counts[ord("e")] or counts[ord("E")]) and counts[[43, 45, 46]].any():
            return False
        return not _RISKY_START[self.buffer[self.start]].any()

    def canonical_numbers(self, *, whole: bool) -> Spans | None:
        """The spans of the exact values of digits with at most one point inside; None where a cell is anything else.

        Only idle zeros are cut away: "007.50" becomes the span of "7.5".
        """
        sizes = self.end - self.start
        if not len(self) or sizes.min() < 1 or sizes.max() > 60:
            return None
        flat = self.joined()
        digits = (flat - 48) < 10
        points = flat == 46
        if int(digits.sum() + points.sum()) != len(flat) - len(self) or (whole and points.any()):
            return None
        after = np.cumsum(sizes + 1)
        start, end = self.start, self.end
        pointed = None
        if points.any():
            pointed = np.add.reduceat(points, after - sizes - 1)
            if pointed.max() > 1 or (self.buffer[start] == 46).any() or (self.buffer[end - 1] == 46).any():
                return None
            end = self._without_idle_zeros(end, pointed > 0)
        start = self._without_leading_zeros(start, end)
        return self if start is self.start and end is self.end else Spans(self.buffer, start, end)

    def _without_leading_zeros(self, start: Places, end: Places) -> Places:
        while True:
            following = np.where(start + 1 < end, self.buffer[start + 1], 46)
            idle = (self.buffer[start] == 48) & (following != 46)
            if not idle.any():
                return start
            start = start + idle

    def _without_idle_zeros(self, end: Places, pointed: NDArray[np.bool_]) -> Places:
        while True:
            last = self.buffer[end - 1]
            idle = pointed & (last == 48)
            if not idle.any():
                bare: Places = end - (pointed & (last == 46))
                return bare
            end = end - idle

    def moments(self, known: Known) -> tuple[Few, Few] | None:
        """The dates and the times; None where a cell is blank or no moment by the rules of `known`."""
        sizes = self.end - self.start
        size = int(sizes[0]) if len(self) else 0
        if size in {10, 16, 19, 23} and (sizes == size).all():
            found = self._iso_moments(size, known)
            if found is not None:
                return found
        few = self.few()
        if few is None:
            return None
        codes, values = few
        moments = [known(value) for value in values]
        if any(moment is None or not moment[0] for moment in moments):
            return None
        days, times = few_of([m[0] for m in moments if m]), few_of([m[1] for m in moments if m])
        if days is None or times is None:
            return None
        return (days[0][codes], days[1]), (times[0][codes], times[1])

    def _iso_moments(self, size: int, known: Known) -> tuple[Few, Few] | None:
        cells = self.buffer[self.start[:, None] + np.arange(size)].astype(np.int64)
        marks = {4: (45,), 7: (45,), 10: (32, 84), 13: (58,), 16: (58,), 19: (46,)}
        for place, allowed in marks.items():
            if place < size and not np.isin(cells[:, place], allowed).all():
                return None
        figures = [place for place in range(size) if place not in marks]
        digits = cells[:, figures] - 48
        if ((digits < 0) | (digits > 9)).any():
            return None
        days = _coded(digits[:, :8] @ 10 ** np.arange(7, -1, -1))
        told = [known(f"{day // 10000:04d}-{day // 100 % 100:02d}-{day % 100:02d}") for day in days[1]]
        if any(moment is None for moment in told):
            return None
        dates = (days[0], [moment[0] for moment in told if moment])
        if size == 10:
            return dates, (np.zeros(len(self), dtype=np.uint16), [""])
        hour, minute = digits[:, 8] * 10 + digits[:, 9], digits[:, 10] * 10 + digits[:, 11]
        second = digits[:, 12] * 10 + digits[:, 13] if size > 16 else hour * 0
        if hour.max() > 23 or minute.max() > 59 or second.max() > 59:
            return None
        times = _coded(hour * 100 + minute)
        return dates, (times[0], [f"{time // 100:02d}:{time % 100:02d}" for time in times[1]])


def _coded(values: Places) -> tuple[Codes, list[int]]:
    found, codes = np.unique(values, return_inverse=True)
    return codes.astype(np.uint16), found.tolist()


def few_of(texts: Sequence[str]) -> Few | None:
    """A column of texts as few values; None where there are more than 60,000 different ones."""
    values = list(dict.fromkeys(texts))
    if len(values) > 60_000:
        return None
    index = {value: i for i, value in enumerate(values)}
    return np.fromiter(map(index.__getitem__, texts), dtype=np.uint16, count=len(texts)), values


def spread(few: Few) -> list[str]:
    """A column of few values as texts."""
    return list(map(few[1].__getitem__, few[0].tolist()))


def cut(  # noqa: PLR0911 - each return is one reason to take the exact way
    block: str, delimiter: str, width: int, wanted: Sequence[int]
) -> list[Spans] | None:
    """The wanted columns of whole lines (the last without its line feed); None unless all lines are plain.

    Plain is: no quotes, or all cells quoted; each line of `width` cells, the first not blank; ASCII, no blanks around
    wanted cells.
    """
    mark = delimiter
    if not block or not wanted or ord(delimiter) > 127:
        return None
    if '"' in block:
        unquoted = _unquoted(block, delimiter)
        if unquoted is None:
            return None
        block, mark = unquoted, "\x1f"
    try:
        buffer = np.frombuffer((block + "\n").encode("ascii"), dtype=np.uint8)
    except UnicodeEncodeError:
        return None
    ends = np.flatnonzero((buffer == ord(mark)) | (buffer == _LINE_FEED))
    if len(ends) % width:
        return None
    grid = ends.reshape(-1, width)
    if (buffer[grid[:, -1]] != _LINE_FEED).any() or len(grid) != block.count("\n") + 1:
        return None
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    begins = starts.reshape(-1, width)
    if np.isin(buffer[begins[:, 0]], np.frombuffer(f" \t{mark}".encode("ascii"), dtype=np.uint8)).any():
        return None
    columns = [Spans(buffer, begins[:, i].copy(), grid[:, i].copy()) for i in wanted]
    quoted = mark != delimiter and np.flatnonzero(buffer == _QUOTE)
    for column in columns:
        if quoted is not False and _holds(column, quoted):
            return None
        filled = column.start < column.end
        if ((buffer[column.start] <= 32) & filled).any() or ((buffer[column.end - 1] <= 32) & filled).any():
            return None
    return columns


def _holds(column: Spans, places: Places) -> bool:
    """Whether any of the places in the buffer lies inside a cell of the column."""
    if not len(places):
        return False
    return bool((np.searchsorted(places, column.start) < np.searchsorted(places, column.end)).any())


def _unquoted(block: str, delimiter: str) -> str | None:
    """A block of wholly quoted cells with \x1f between them and no quotes around; None where it is anything else."""
    if block[0] != '"' or block[-1] != '"' or "\x1f" in block:
        return None
    lines = block.count("\n")
    if block.count('"\n"') != lines:
        return None
    inner = block[1:-1].replace('"\n"', "\n").replace(f'"{delimiter}"', "\x1f")
    return None if '"' in inner.replace('""', "") else inner
