"""Columns of cells as spans of one buffer of bytes: the fast way through well-formed blocks, with numpy.

Each question here is answered for a whole column. Where the answer is not plainly yes, the caller takes the exact
way, cell by cell; nothing is decided here that the exact way would decide differently (a test compares the two).
"""

from __future__ import annotations

import re
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
_DOT: Final = 46
_QUOTE: Final = 34
_TOTAL_WORDS: Final = ("total", "count", "record")
_TOTAL_START: Final = np.zeros(256, dtype=bool)
_TOTAL_START[list(b"tTcCrR")] = True
_LONGEST: Final = 255
_UNFIT, _EXPONENT, _POINT = 1, 2, 4
_CLASS: Final = np.full(256, _UNFIT, dtype=np.uint8)
_CLASS[0x21:0x7F] = 0
_CLASS[_LINE_FEED] = 0
_CLASS[list(b"'\"")] = _UNFIT
_CLASS[list(b"eE")] = _EXPONENT
_CLASS[list(b"+-.")] = _POINT
_RISKY_START: Final = np.zeros(256, dtype=bool)
_RISKY_START[list(b"=+-@")] = True


@dataclass(eq=False)
class Spans:
    """Cells from `start` to `end` in `buffer`; the byte after each cell is a delimiter, never part of a cell."""

    buffer: Bytes
    start: Places
    end: Places
    _joined: Bytes | None = None

    def __len__(self) -> int:
        return len(self.start)

    def joined(self) -> Bytes:
        """The cells one after the other, each followed by a line feed."""
        if self._joined is not None:
            return self._joined
        sizes = self.end - self.start + 1
        after = np.cumsum(sizes)
        index = np.arange(after[-1] if len(after) else 0) + np.repeat(self.start - (after - sizes), sizes)
        out: Bytes = self.buffer[index]
        out[after - 1] = _LINE_FEED
        self._joined = out
        return out

    def texts(self) -> list[str]:
        """The cells as text."""
        cells = self.joined().tobytes().decode("ascii").split("\n")
        cells.pop()
        return cells

    def hashes(self) -> NDArray[np.uint64]:
        """A 64-bit hash of each cell; equal cells have equal hashes."""
        sizes = self.end - self.start
        total = sizes.astype(np.uint64)
        prime = np.uint64(0x100000001B3)
        longest = int(sizes.max()) if len(self) else 0
        for place in range(longest):
            letters = self.buffer[np.minimum(self.start + place, self.end)]
            total = np.where(place < sizes, total * prime + letters, total)
        return total

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

    def matches(self, pattern: re.Pattern[bytes], marks: bytes) -> bool:
        """Whether a cell is what a pattern of one line looks for, which has one of these marks in it."""
        cells = self.joined().tobytes() if len(self) else b""
        return any(mark in cells for mark in marks) and pattern.search(cells) is not None

    def sound_ids(self, *, spreadsheet: bool) -> bool:
        """Whether each cell can go out as an id just as it is (blank ones can)."""
        if not len(self) or (self.end == self.start).all():
            return True
        if int((self.end - self.start).max()) > _LONGEST:
            return False
        found = int(np.bitwise_or.reduce(_CLASS[self.joined()]))
        if found & _UNFIT or (spreadsheet and found & _EXPONENT and found & _POINT):
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

    def longest_fraction(self) -> int:
        """The most digits that a cell of digits with one point at most has after it."""
        flat = self.joined()
        points = np.flatnonzero(flat == _DOT)
        if not len(points):
            return 0
        ends = np.flatnonzero(flat == _LINE_FEED)
        return int((ends[np.searchsorted(ends, points)] - points - 1).max())

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
        cells = self.buffer[self.start[:, None] + np.arange(size)]
        marks = {4: b"-", 7: b"-", 10: b" T", 13: b":", 16: b":", 19: b"."}
        for place, allowed in marks.items():
            if place < size and any(value not in allowed for value in np.flatnonzero(np.bincount(cells[:, place]))):
                return None
        figures = [place for place in range(size) if place not in marks]
        digits = cells[:, figures] - 48
        if (digits > 9).any():
            return None
        days = _coded(_figure(digits[:, :8]))
        told = [known(f"{day // 10000:04d}-{day // 100 % 100:02d}-{day % 100:02d}") for day in days[1]]
        if any(moment is None for moment in told):
            return None
        dates = (days[0], [moment[0] for moment in told if moment])
        if size == 10:
            return dates, constant_few("", len(self))
        times = _coded(_figure(digits[:, 8:12]))
        second = _figure(digits[:, 12:14]) if size > 16 else np.zeros(1, dtype=np.int32)
        if times[1][-1] > 2359 or any(time % 100 > 59 for time in times[1]) or second.max() > 59:
            return None
        return dates, (times[0], [f"{time // 100:02d}:{time % 100:02d}" for time in times[1]])


def _figure(digits: Bytes) -> NDArray[np.int32]:
    """The number that each row of digits makes."""
    total = digits[:, 0].astype(np.int32)
    for column in range(1, digits.shape[1]):
        total = total * 10 + digits[:, column]
    return total


def _coded(values: NDArray[np.int32]) -> tuple[Codes, list[int]]:
    """Numbers as few values, the values ascending."""
    least = int(values.min())
    spread_ = values - least
    if int(spread_.max()) > 2_000_000:
        found, codes = np.unique(values, return_inverse=True)
        return codes.astype(np.uint16), found.tolist()
    present = np.bincount(spread_) > 0
    return (np.cumsum(present) - 1).astype(np.uint16)[spread_], (np.flatnonzero(present) + least).tolist()


def constant_few(value: str, size: int) -> Few:
    """A column that holds one value throughout."""
    return np.zeros(size, dtype=np.uint16), [value]


def woven_few(first: Few, second: Few) -> Few:
    """Two columns of few values as one, a cell of each by turns."""
    return np.column_stack((first[0], second[0] + np.uint16(len(first[1])))).ravel(), first[1] + second[1]


def woven(first: Spans, second: Spans) -> Spans:
    """Two columns of one buffer as one, a cell of each by turns."""
    start = np.column_stack((first.start, second.start)).ravel()
    return Spans(first.buffer, start, np.column_stack((first.end, second.end)).ravel())


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
    block: str, delimiter: str, width: int, wanted: Sequence[int], *, total_rows: bool = False
) -> list[Spans] | None:
    """The wanted columns of whole lines (the last without its line feed); None unless all lines are plain.

    Plain is: no quotes, or all cells quoted; each line of `width` cells, the first not blank; ASCII, no blanks around
    wanted cells and no quotes in them. `total_rows`: lines that may be total rows are not plain either.
    """
    if not block or not wanted or ord(delimiter) > 127:
        return None
    try:
        buffer = np.frombuffer((block + "\n").encode("ascii"), dtype=np.uint8)
    except UnicodeEncodeError:
        return None
    grid = _quoted_grid(buffer, ord(delimiter), width) if '"' in block else _plain_grid(buffer, ord(delimiter), width)
    if grid is None:
        return None
    starts, ends, quotes = grid
    if (starts[:, 0] == ends[:, 0]).any():
        return None
    if total_rows and _TOTAL_START[buffer[starts[:, 0]]].any() and any(word in block.lower() for word in _TOTAL_WORDS):
        return None
    columns = [Spans(buffer, starts[:, i].copy(), ends[:, i].copy()) for i in wanted]
    for column in columns:
        filled = column.start < column.end
        if ((buffer[column.start] <= 32) & filled).any() or ((buffer[column.end - 1] <= 32) & filled).any():
            return None
        if len(quotes) and (np.searchsorted(quotes, column.start) < np.searchsorted(quotes, column.end)).any():
            return None
    return None if (buffer[starts[:, 0]] <= 32).any() else columns


Grid = tuple[Places, Places, Places]
"""Starts and ends of the cells, a row for each line, and the places of quotes inside cells."""


def _plain_grid(buffer: Bytes, delimiter: int, width: int) -> Grid | None:
    ends = np.flatnonzero((buffer == delimiter) | (buffer == _LINE_FEED))
    if len(ends) % width:
        return None
    grid = ends.reshape(-1, width)
    if (buffer[grid[:, -1]] != _LINE_FEED).any() or len(grid) != np.count_nonzero(buffer == _LINE_FEED):
        return None
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    return starts.reshape(-1, width), grid, np.empty(0, dtype=np.int64)


def _quoted_grid(buffer: Bytes, delimiter: int, width: int) -> Grid | None:
    """The cells of lines whose cells are all quoted; quotes inside are doubled, or it is None.

    A cell ends where a quote, a delimiter or line feed, and a quote follow each other. Cells end nowhere else, because
    a quote inside a cell is doubled: before a delimiter inside a cell stands an odd number of quotes.
    """
    quote = buffer == _QUOTE
    between = quote[:-2] & quote[2:] & ((buffer[1:-1] == delimiter) | (buffer[1:-1] == _LINE_FEED))
    marks = np.flatnonzero(between) + 1
    last = len(buffer) - 1
    if not quote[0] or not quote[last - 1] or (len(marks) + 1) % width:
        return None
    marks = np.append(marks, last)
    starts = np.empty_like(marks)
    starts[0], starts[1:] = 1, marks[:-1] + 2
    ends = marks - 1
    lines = marks.reshape(-1, width)[:, -1]
    if (buffer[lines] != _LINE_FEED).any() or len(lines) != np.count_nonzero(buffer == _LINE_FEED):
        return None
    if (ends < starts).any():
        return None
    inner = np.empty(0, dtype=np.int64)
    if np.count_nonzero(quote) != 2 * len(marks):
        quote[starts - 1] = quote[ends] = False
        inner = np.flatnonzero(quote)
        if len(inner) % 2 or (inner[1::2] - inner[::2] != 1).any():
            return None
    return starts.reshape(-1, width), ends.reshape(-1, width), inner
