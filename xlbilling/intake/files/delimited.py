"""Delimited text (CSV and its kin): records cut exactly, column by column, with the physical line of each.

Well-formed text goes through whole-column operations; a record that does not fit is listed with its line, and what
stands after it is read on, so that one stray quote never swallows the rest of a file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise, repeat
from typing import Final

from xlbilling.intake.files.spans import Spans, cut
from xlbilling.intake.files.text import Text

csv.field_size_limit(2**24)
_MOST_LINES_OF_A_RECORD: Final = 200

Record = list[str]


class Block:
    """Some of the records: those with as many cells as the header, as stripped columns; the others as damaged.

    `plain` holds the same columns as spans of bytes where the whole block is plain; `columns` are the texts.
    `damaged`: (physical line, cells as far as they could be told, what is wrong). `trailers`: rows that start with a
    word for a total, as (physical line, cells).
    """

    def __init__(
        self, lines: Sequence[int] = (), columns: list[list[str]] | None = None, plain: list[Spans] | None = None
    ) -> None:
        self.lines = lines
        self.plain = plain
        self.damaged: list[tuple[int, Record, str]] = []
        self.trailers: list[tuple[int, Record]] = []
        self._columns = columns

    @property
    def columns(self) -> list[list[str]]:
        if self._columns is None:
            self._columns = [spans.texts() for spans in self.plain or []]
        return self._columns


@dataclass(frozen=True)
class Layout:
    """How a delimited file is cut: delimiter, line of the header, cells in it, and the columns wanted, by index.

    `spare_cells`: empty cells beyond the header are no damage. `trailer`: what the first cell of a total row is.
    `one_line`: the columns whose cells hold no line break; None for all that are wanted.
    """

    delimiter: str
    header_line: int
    width: int
    wanted: tuple[int, ...]
    spare_cells: bool = False
    trailer: re.Pattern[str] | None = None
    one_line: tuple[int, ...] | None = None


def header_cells(line: str, delimiter: str) -> Record:
    """The cells of a heading line, stripped."""
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, strict=True), [])]
    except csv.Error:
        return []


def blocks(text: Text, layout: Layout) -> Iterator[Block]:
    """The records below the header, block by block; blank rows are left out, their lines still counted."""
    blank = re.compile(rf'[\s"{re.escape(layout.delimiter)}]*')
    carried: list[str] = []
    carried_at = 0
    for number, raw in text.raw_blocks(layout.header_line + 1):
        if not carried:
            total_rows = layout.trailer is not None
            columns = cut(raw, layout.delimiter, layout.width, layout.wanted, total_rows=total_rows)
            if columns is not None:
                yield Block(range(number, number + len(columns[0])), plain=columns)
                continue
        first, lines = number, raw.split("\n")
        if carried:
            lines[:0] = carried
            first = carried_at
        carried = []
        trailers = _take_trailers(first, lines, layout) if layout.trailer else []
        block = _plain_block(first, lines, layout, blank)
        rest = 0
        if block is None:
            block, rest = _quoted_block(first, lines, layout, blank)
        block.trailers = trailers
        if rest:
            carried, carried_at = lines[rest:], first + rest
        yield block
    if carried:
        yield _quoted_block(carried_at, carried, layout, blank, final=True)[0]


def _take_trailers(number: int, lines: list[str], layout: Layout) -> list[tuple[int, Record]]:
    """The total rows among the lines; each leaves a blank line in its place."""
    assert layout.trailer is not None
    found: list[tuple[int, Record]] = []
    words = re.compile(rf"(?im)^[\s\"{re.escape(layout.delimiter)}]*(?:total|count|record)")
    if not words.search("\n".join(lines)):
        return found
    for index, line in enumerate(lines):
        if words.match(line):
            cells = header_cells(line, layout.delimiter)
            first = next((cell for cell in cells if cell), "")
            if layout.trailer.fullmatch(first):
                found.append((number + index, cells))
                lines[index] = ""
    return found


def _plain_block(number: int, lines: list[str], layout: Layout, blank: re.Pattern[str]) -> Block | None:
    """The block where every line is one record of the header's width; None where that is not so."""
    delimiter, width = layout.delimiter, layout.width
    numbers: Sequence[int] = range(number, number + len(lines))
    starts = frozenset(" \t\xa0" + delimiter)
    if any(not line or line[0] in starts or line.startswith('""') for line in lines):
        kept = [i for i, line in enumerate(lines) if not blank.fullmatch(line)]
        lines, numbers = [lines[i] for i in kept], [number + i for i in kept]
    if not lines:
        return Block(columns=[[] for _ in layout.wanted])
    joined = delimiter.join(lines)
    if '"' in joined:
        cells = _quoted_cells(lines, layout)
    elif set(map(str.count, lines, repeat(delimiter))) == {width - 1}:
        cells = joined.split(delimiter)
    else:
        return None
    if cells is None:
        return None
    return Block(numbers, [list(map(str.strip, cells[index::width])) for index in layout.wanted])


def _quoted_cells(lines: list[str], layout: Layout) -> Record | None:
    """All cells of lines with quotes, one after the other, where each line is one well-formed record."""
    try:
        records = list(csv.reader(lines, delimiter=layout.delimiter, strict=True))
    except csv.Error:
        return None
    if len(records) != len(lines) or set(map(len, records)) != {layout.width}:
        return None
    return list(chain.from_iterable(records))


def _quoted_block(
    number: int, lines: list[str], layout: Layout, blank: re.Pattern[str], *, final: bool = False
) -> tuple[Block, int]:
    """The block cut by the quoting rules, and the index of the first line that waits for the next block (or 0)."""
    kept_lines: list[int] = []
    kept: list[Record] = []
    damaged: list[tuple[int, Record, str]] = []
    at, count, waiting = 0, len(lines), 0
    while at < count:
        records, lengths, at, problem = _cut(lines, at, layout.delimiter)
        start = at - sum(lengths)
        for record, length in zip(records, lengths, strict=True):
            here = range(number + start, number + start + length)
            start += length
            fault = _misfit(record, length, layout)
            if fault is None:
                kept_lines.append(here[0])
                kept.append(record)
            elif fault:
                spread = [record] + [[] for _ in here[1:]]
                damaged += [(line, cells, fault) for line, cells in zip(here, spread, strict=True)]
        if problem == "open" and not final and count - at < _MOST_LINES_OF_A_RECORD and at:
            waiting = at
            break
        if problem:
            cells = [cell.strip() for cell in lines[at].split(layout.delimiter)]
            if not blank.fullmatch(lines[at]) or '"' in lines[at]:
                damaged.append((number + at, cells, "a quotation mark is out of place"))
            at += 1
    width = layout.width
    cells_in_row = list(chain.from_iterable(record[:width] for record in kept))
    columns = [list(map(str.strip, cells_in_row[index::width])) for index in layout.wanted]
    block = Block(kept_lines, columns)
    block.damaged = damaged
    return block, waiting


def _cut(lines: list[str], at: int, delimiter: str) -> tuple[list[Record], list[int], int, str]:
    """Records from line `at` on, the number of lines of each, the line where the cutting stopped, and why.

    Why is "" at the end of the lines, "open" for a quote that does not close, "stray" for one out of place.
    """
    last = at + _MOST_LINES_OF_A_RECORD

    def source() -> Iterator[str]:
        for index in range(at, len(lines)):
            if index >= last:
                return
            yield lines[index] + "\n"

    reader = csv.reader(source(), delimiter=delimiter, strict=True)
    records: list[Record] = []
    ends = [0]
    why = ""
    try:
        for record in reader:
            records.append(record)
            ends.append(reader.line_num)
            last = at + ends[-1] + _MOST_LINES_OF_A_RECORD
    except csv.Error as error:
        why = "open" if "unexpected end" in str(error) else "stray"
    lengths = [after - before for before, after in pairwise(ends)]
    return records, lengths, at + ends[-1], why


def _misfit(record: Record, length: int, layout: Layout) -> str | None:
    """What is wrong with a record; "" for a blank one, None where it fits."""
    size = len(record)
    if not any(cell and not cell.isspace() for cell in record):
        return ""
    if length > 1:
        inner = [cell for cell in record if "\n" in cell]
        single = layout.wanted if layout.one_line is None else layout.one_line
        if any("\n" in record[index] for index in single if index < size):
            return "a line break inside a cell that must hold none (a stray quotation mark?)"
        marks = layout.width - 1
        if any(marks and line.count(layout.delimiter) >= marks for cell in inner for line in cell.split("\n")):
            return "whole rows inside one pair of quotation marks"
    spare = layout.spare_cells and size > layout.width and not any(cell.strip() for cell in record[layout.width :])
    return None if size == layout.width or spare else f"{size} cells where the header has {layout.width}"
