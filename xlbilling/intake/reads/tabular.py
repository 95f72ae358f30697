"""A table of reads with a header row, wherever it comes from: delimited text or a sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from xlbilling.intake.files import delimited
from xlbilling.intake.files.cells import NumberText
from xlbilling.intake.files.delimited import Block, Layout
from xlbilling.intake.files.old_sheets import OldWorkbook
from xlbilling.intake.files.sheets import Row, SheetName, Workbook
from xlbilling.intake.files.spans import Few, Spans
from xlbilling.intake.files.text import Text


@dataclass
class Table:
    """A found table: its header cells and line, and how to get the wanted columns of its rows."""

    header: list[str]
    header_line: int
    text: Text
    delimiter: str = ","

    def blocks(
        self, wanted: Sequence[int], *, spare_cells: bool = False, trailer: re.Pattern[str] | None = None
    ) -> Iterator[Block]:
        """The rows below the header with the wanted columns (by index), block by block."""
        layout = Layout(self.delimiter, self.header_line, len(self.header), tuple(wanted), spare_cells, trailer)
        return delimited.blocks(self.text, layout)


@dataclass
class SheetTable:
    """A table found on a sheet of a workbook, with the same face as `Table`."""

    header: list[str]
    header_line: int
    book: Workbook | OldWorkbook
    sheet: SheetName
    ids: frozenset[int] = frozenset()
    """The columns that hold ids: a number there is its whole digits."""

    def blocks(
        self, wanted: Sequence[int], *, spare_cells: bool = False, trailer: re.Pattern[str] | None = None
    ) -> Iterator[Block]:
        """The rows below the header with the wanted columns; a sheet has no cell count, so none is checked."""
        del spare_cells
        lines: list[int] = []
        columns: list[list[str]] = [[] for _ in wanted]
        block = Block(lines, columns)
        places = list(zip(columns, wanted, strict=True))

        def sink(number: int, row: Row) -> None:
            if number <= self.header_line:
                return
            if -1 in row:
                block.damaged.append((number, [], row[-1][1:]))
                return
            first = next((text for text in row.values() if text and not text.isspace()), None)
            if first is None:
                return
            if trailer is not None and trailer.fullmatch(first.strip()):
                block.trailers.append((number, [text.strip() for text in row.values()]))
                return
            lines.append(number)
            for values, column in places:
                text = row.get(column, "")
                if column in self.ids and type(text) is NumberText:
                    text = text.as_id
                values.append(text.strip())

        self.book.read(self.sheet, sink)
        yield block


@dataclass
class FixedTable:
    """A text whose columns are positions in the line, with the same face as `Table`."""

    header: list[str]
    positions: list[tuple[int, int]]
    """First and last position of each column, from 1, both included."""
    text: Text
    skipped: int = 0
    """Lines at the top that hold no readings."""
    length: int | None = None

    @property
    def needed(self) -> int:
        """How many characters a line has at the least."""
        return self.length or max(last for _, last in self.positions)

    def blocks(
        self, wanted: Sequence[int], *, spare_cells: bool = False, trailer: re.Pattern[str] | None = None
    ) -> Iterator[Block]:
        """The lines with the wanted columns; one of another length is damaged, never padded or cut."""
        del spare_cells, trailer
        needed, exact = self.needed, self.length is not None
        cuts = [slice(self.positions[index][0] - 1, self.positions[index][1]) for index in wanted]
        for number, lines in self.text.blocks(self.skipped + 1):
            kept = [(number + n, line) for n, line in enumerate(lines) if line and not line.isspace()]
            sound = [(n, line) for n, line in kept if len(line) == needed or (not exact and len(line) > needed)]
            block = Block([n for n, _ in sound], [[line[cut].strip() for _, line in sound] for cut in cuts])
            least = "" if exact else "at least "
            block.damaged = [
                (n, [], f"{len(line)} characters instead of {least}{needed}")
                for n, line in kept
                if len(line) < needed or (exact and len(line) > needed)
            ]
            yield block


@dataclass
class Named:
    """The columns of a table that a format uses, by the format's own name for each; a missing one reads as blank."""

    names: dict[str, int] = field(default_factory=dict)

    def wanted(self) -> tuple[int, ...]:
        return tuple(self.names.values())

    def of(self, block: Block, name: str) -> list[str]:
        """The column called `name` in a block, blank throughout where the file does not have it."""
        if name not in self.names:
            return [""] * len(block.lines)
        return block.columns[list(self.names).index(name)]


@dataclass
class PlainColumns:
    """The columns of a plain block by the format's own names; a missing one is None."""

    block: Block
    named: Named

    def of(self, name: str) -> Spans | None:
        if self.block.plain is None or name not in self.named.names:
            return None
        return self.block.plain[list(self.named.names).index(name)]

    def few(self, name: str) -> Few:
        """A column as few values (one blank where the file does not have it); too many give too many to use."""
        spans = self.of(name)
        size = len(self.block.lines)
        if spans is None:
            return np.zeros(size, dtype=np.uint16), [""]
        return spans.few() or (np.zeros(size, dtype=np.uint16), ["?"] * 2000)


def find(header: Sequence[str], *names: str | tuple[str, ...]) -> Named:
    """Where the named columns stand in a header; the first of several spellings that is there counts."""
    places: dict[str, int] = {}
    folded = [cell.casefold() for cell in header]
    for name in names:
        spellings = (name,) if isinstance(name, str) else name
        for spelling in spellings:
            if spelling.casefold() in folded:
                places[spellings[0]] = folded.index(spelling.casefold())
                break
    return Named(places)


def repeated_headers(header: Sequence[str], named: Named, block: Block) -> list[int]:
    """The positions in a block where the header stands again."""
    if not named.names or not block.lines:
        return []
    pairs = [(column, header[index]) for column, index in zip(block.columns, named.wanted(), strict=True)]
    first, title = pairs[0]
    if title not in first:
        return []
    return [i for i, cell in enumerate(first) if cell == title and all(c[i] == t for c, t in pairs)]
