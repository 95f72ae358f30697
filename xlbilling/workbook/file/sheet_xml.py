"""The XML of one worksheet, edited in place: table rows replaced, single cells set, all else kept to the byte."""

from __future__ import annotations

import html
import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.workbook.file.cell_xml import CellColumn, cell_tail
from xlbilling.workbook.file.package import NOT_A_WORKBOOK
from xlbilling.workbook.references import Area, Growth, column_letters, column_number, followed, followed_areas

IN_THE_WAY: Final = declare(
    "SHEET-BELOW",
    "A table cannot grow because something else stands below it on the same sheet.",
    "Move what stands below the table to another sheet or to the right of the table.",
)

ROWS_AT_ONCE: Final = 8192

_ROW: Final = re.compile(rb'<row\b[^>]*?\br="(\d+)"')
_CELL: Final = re.compile(rb'<c r="([A-Z]+)(\d+)"([^>]*?)(?:/>|>(.*?)</c>)', re.S)
_KEPT_ROW_ATTRIBUTES: Final = re.compile(rb' (?:s|customFormat|ht|customHeight|x14ac:dyDescent)="[^"]*"')
_HEIGHT: Final = re.compile(r' (?:ht|customHeight)="[^"]*"')


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell as it stands in the XML: its column's letters, its row, its whole text."""

    letters: str
    row: int
    xml: bytes

    @property
    def style(self) -> str:
        found = re.match(rb'<c [^>]*?\bs="(\d+)"', self.xml)
        return found[1].decode() if found else ""

    def on_row(self, row: int) -> bytes:
        """The cell moved to another row; an array formula's own range moves with it."""
        old, new = f"{self.letters}{self.row}".encode(), f"{self.letters}{row}".encode()
        xml = self.xml.replace(b'<c r="' + old + b'"', b'<c r="' + new + b'"', 1)
        return xml.replace(b' ref="' + old + b'"', b' ref="' + new + b'"', 1)


class SheetXml:
    """One sheet's XML split at its rows: what comes before the first row, the rows, what comes after the last."""

    def __init__(self, xml: bytes, name: str) -> None:
        self.name = name
        xml = xml.replace(b"<sheetData/>", b"<sheetData></sheetData>", 1)
        start, end = xml.find(b"<sheetData>") + len(b"<sheetData>"), xml.rfind(b"</sheetData>")
        rows = xml[start:end]
        if end < start or start < len(b"<sheetData>") or not _every_cell_addressed(rows):
            raise Refusal(NOT_A_WORKBOOK.at(Place(table=name), "its sheet is written in a form not known here"))
        self.head, self.tail = xml[:start], xml[end:]
        self._pieces: Iterable[bytes] = (rows,)

    @property
    def rows(self) -> bytes:
        """The XML of all rows; new table rows are made only now, or piece by piece while the file is written."""
        whole = b"".join(self._pieces)
        self._pieces = (whole,)
        return whole

    @rows.setter
    def rows(self, xml: bytes) -> None:
        self._pieces = (xml,)

    def chunks(self) -> Iterator[bytes]:
        yield self.head
        yield from self._pieces
        yield self.tail

    def _row_starts(self) -> list[tuple[int, int]]:
        """Every row's number and where it starts."""
        return [(int(found[1]), found.start()) for found in _ROW.finditer(self.rows)]

    def split(self, first_row: int, last_row: int) -> tuple[bytes, bytes, bytes, int]:
        """The rows before, from `first_row` to `last_row`, and after; and the number of the sheet's last row."""
        starts = self._row_starts()
        begin = next((at for row, at in starts if row >= first_row), len(self.rows))
        end = next((at for row, at in starts if row > last_row), len(self.rows))
        return self.rows[:begin], self.rows[begin:end], self.rows[end:], starts[-1][0] if starts else 0

    def column_style(self, column: int) -> str:
        """The style of a whole column, "" where it has none."""
        for found in re.finditer(rb"<col [^>]*>", self.head):
            attributes = dict(re.findall(rb'(\w+)="(\d+)"', found[0]))
            if int(attributes[b"min"]) <= column <= int(attributes[b"max"]) and b"style" in attributes:
                return str(attributes[b"style"], "ascii")
        return ""

    def set_cell(self, row: int, column: int, value: object) -> None:
        """Put one value into a cell, keeping its format; the row and the cell are made where there are none."""
        self.set_cells({(row, column): cell_tail(value)})

    def set_cells(self, tails: Mapping[tuple[int, int], str]) -> None:
        """Put the XML of values (see `cell_tail`) into cells by row and column, all in one pass over the sheet."""
        by_row: dict[int, dict[int, str]] = {}
        for (row, column), tail in sorted(tails.items()):
            by_row.setdefault(row, {})[column] = tail
            self._widen(Area(row, column, row, column))
        xml, starts = self.rows, self._row_starts()
        numbers, ends = [row for row, _ in starts], [*(at for _, at in starts), len(self.rows)]
        made, done = [], 0
        for row, of_row in by_row.items():
            begin, end = ends[bisect_left(numbers, row)], ends[bisect_right(numbers, row)]
            made += [xml[done:begin], self._row_with(xml[begin:end], row, of_row)]
            done = end
        self.rows = b"".join(made) + xml[done:]

    def _row_with(self, xml: bytes, row: int, tails: Mapping[int, str]) -> bytes:
        """A row with these cells put in; b"" for a row that is not there yet."""
        opening = re.match(rb"<row\b[^>]*?(/?)>", xml)
        tag = opening[0] if opening else f'<row r="{row}">'.encode()
        tag = re.sub(rb"\s*/>$", b">", re.sub(rb' spans="[^"]*"', b"", tag))
        cells = {column_number(m[1].decode()): Cell(m[1].decode(), row, m[0]) for m in _CELL.finditer(xml)}
        for column, tail in tails.items():
            style = cells[column].style if column in cells else self.column_style(column)
            letters = column_letters(column)
            cells[column] = Cell(letters, row, f'<c r="{letters}{row}"{_style(style)}{tail}'.encode())
        return tag + b"".join(cells[column].xml for column in sorted(cells)) + b"</row>"

    def _widen(self, area: Area, last_row: int = 0) -> None:
        """Make the sheet's dimension take in `area`; `last_row` sets its last row, 0 keeps it."""

        def dimension(found: re.Match[bytes]) -> bytes:
            old = Area.parse(found[1].decode())
            bottom = max(last_row or old.last_row, area.last_row)
            top, left = min(old.first_row, area.first_row), min(old.first_column, area.first_column)
            return f'<dimension ref="{Area(top, left, bottom, max(old.last_column, area.last_column))}"/>'.encode()

        self.head = re.sub(rb'<dimension ref="([^"]*)"\s*/>', dimension, self.head, count=1)

    def follow(self, growth: Growth) -> None:
        """Move every reference to the table's rows along: formulas here, validations, formats, filters, sparklines."""
        self.rows = follow_formulas(self.rows, growth, self.name)
        self.tail = follow_formulas(self.tail, growth, self.name)
        if growth.sheet == self.name:
            self.tail = _follow_areas(self.tail, growth)

    def first_row_looks(self, area: Area) -> tuple[list[str], bool]:
        """The style of each cell in a table's first data row, and whether staff gave that row a height of its own."""
        found = re.search(rb'<row\b[^>]*?\br="%d"(?:[^>]*/>|.*?</row>)' % area.first_row, self.rows, re.S)
        row = found[0] if found else b""
        styles = {m[1].decode(): Cell(m[1].decode(), area.first_row, m[0]).style for m in _CELL.finditer(row)}
        places = range(area.first_column, area.last_column + 1)
        return [styles.get(column_letters(n)) or self.column_style(n) for n in places], b' customHeight="1"' in row

    def replace_rows(
        self,
        area: Area,
        totals: int,
        last_row: int,
        columns: Sequence[CellColumn | None],
        heights: Sequence[str] = (),
    ) -> None:
        """Replace a table's data rows `area` by rows down to `last_row`; the totals row follows, all beside it stays.

        `columns` are the cells of each column of the area (None: blank), as many as there are new rows; `heights` the
        attribute of each row that says how high it is (none: each row is as the first was).
        """
        old_end, new_end = area.last_row + totals, last_row + totals
        before, region, after, sheet_end = self.split(area.first_row, max(old_end, new_end))
        beside, inside = self._sort_cells(region, area, old_end)
        first = {cell.letters: cell.style for cell in inside.get(area.first_row, ())}
        letters = [column_letters(n) for n in range(area.first_column, area.last_column + 1)]
        styles = [first.get(x) or self.column_style(area.first_column + i) for i, x in enumerate(letters)]
        attributes = _row_attributes(region, area.first_row)
        table_rows = _table_rows(area.first_row, last_row, letters, styles, columns, attributes, heights)
        made: list[bytes] = []
        if totals:
            moved = b"".join(cell.on_row(new_end) for cell in inside.get(old_end, ()))
            totals_row = b'<row r="%d"%s>%s</row>' % (new_end, _row_attributes(region, old_end), moved)
            made += [b"".join(_beside(iter([[totals_row.decode()]]), area, beside, new_end))]
        rest = sorted(row for row in beside if row > new_end)
        made += [_row_of(row, beside[row], _row_attributes(region, row)) for row in rest]
        self._pieces = itertools.chain((before,), _beside(table_rows, area, beside), made, (after,))
        end = max(new_end, sheet_end if after else 0, *rest)
        self._widen(Area(area.first_row, area.first_column, new_end, area.last_column), end)

    def _sort_cells(
        self, region: bytes, area: Area, old_end: int
    ) -> tuple[dict[int, list[Cell]], dict[int, list[Cell]]]:
        """The cells of the region beside the table, all of them, and of the table, only first row and totals row."""
        letters = [column_letters(n) for n in range(area.first_column, area.last_column + 1)]
        own = b"|".join(x.encode() for x in letters)
        beside: dict[int, list[Cell]] = {}
        other = re.compile(rb'<c r="(?!(?:' + own + rb')\d)([A-Z]+)(\d+)"[^>]*?(?:/>|>.*?</c>)', re.S)
        for found in other.finditer(region):
            beside.setdefault(int(found[2]), []).append(Cell(found[1].decode(), int(found[2]), found[0]))
        inside: dict[int, list[Cell]] = {}
        starts = [(int(m[1]), m.start()) for m in _ROW.finditer(region)] + [(0, len(region))]
        for (row, at), (_, end) in itertools.pairwise(starts):
            if row in (area.first_row, old_end) or row > old_end:
                cells = [Cell(m[1].decode(), row, m[0]) for m in _CELL.finditer(region[at:end])]
                inside[row] = [cell for cell in cells if cell.letters in letters]
                self._refuse_content_below(inside[row], old_end)
        return beside, inside

    def _refuse_content_below(self, cells: Sequence[Cell], old_end: int) -> None:
        filled = [cell for cell in cells if cell.row > old_end and not cell.xml.endswith(b"/>")]
        if filled:
            place = Place(table=self.name, cell=f"{filled[0].letters}{filled[0].row}")
            raise Refusal(IN_THE_WAY.at(place, "this cell is below a table that has to grow over it"))


def _every_cell_addressed(rows: bytes) -> bool:
    return rows.count(b"<c ") == rows.count(b'<c r="') and b"<c>" not in rows and b"<row>" not in rows


def _style(style: str) -> str:
    return f' s="{style}"' if style and style != "0" else ""


def _row_attributes(region: bytes, row: int) -> bytes:
    """The height and format of a row; not whether a filter hid it."""
    found = re.search(rb'<row\b[^>]*?\br="%d"[^>]*>' % row, region)
    return b"".join(_KEPT_ROW_ATTRIBUTES.findall(found[0])) if found else b""


def _table_rows(
    first_row: int,
    last_row: int,
    letters: Sequence[str],
    styles: Sequence[str],
    columns: Sequence[CellColumn | None],
    attributes: bytes,
    heights: Sequence[str],
) -> Iterator[list[str]]:
    """The table's rows as XML, some thousands at a time: one pattern for the whole row, filled from the columns."""
    attribute_text = _HEIGHT.sub("", attributes.decode()) + "%s" if heights else attributes.decode()
    for start in range(first_row, last_row + 1, ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, last_row + 1)
        numbers = range(start, stop)
        pattern = [f'<row r="%d"{attribute_text}>']
        filling: list[Sequence[object]] = [numbers]
        if heights:
            filling.append(heights[start - first_row : stop - first_row])
        for letter, style, column in zip(letters, styles, columns, strict=True):
            part, values = _column_part(letter, _style(style), column, numbers, first_row)
            pattern.append(part)
            filling += values
        pattern.append("</row>")
        row = "".join(pattern)
        yield [row % values for values in zip(*filling, strict=True)]


def _column_part(
    letter: str, style: str, column: CellColumn | None, numbers: range, first_row: int
) -> tuple[str, list[Sequence[object]]]:
    """A column's part of the row pattern and what fills it; a blank cell without a format is left out."""
    opening = f'<c r="{letter}%d"{style}'
    if column is None:
        return (f"{opening}/>", [numbers]) if style else ("", [])
    if column.values is None:
        return opening + column.pattern, [numbers]
    values = column.rows(numbers.start - first_row, numbers.stop - first_row)
    if column.pattern == "%s" and not style:
        opening = opening.replace("%d", "{}")
        whole = ["" if v == "/>" else f"{opening.format(r)}{v}" for r, v in zip(numbers, values, strict=True)]
        return "%s", [whole]
    return opening + column.pattern, [numbers, values]


def _beside(
    rows: Iterator[list[str]], area: Area, beside: Mapping[int, Sequence[Cell]], first_row: int = 0
) -> Iterator[bytes]:
    """The rows with the cells that stand left and right of the table put back on their row numbers."""
    row = first_row or area.first_row
    for some in rows:
        for number in sorted(beside.keys() & set(range(row, row + len(some)))) if beside else ():
            opening, cells = some[number - row].split(">", 1)
            own = cells.removesuffix("</row>")
            left = [c.xml.decode() for c in beside[number] if column_number(c.letters) < area.first_column]
            right = [c.xml.decode() for c in beside[number] if column_number(c.letters) > area.last_column]
            some[number - row] = f"{opening}>{''.join(left)}{own}{''.join(right)}</row>"
        row += len(some)
        yield "".join(some).encode()


def _row_of(row: int, cells: Sequence[Cell], attributes: bytes) -> bytes:
    return b'<row r="%d"%s>%s</row>' % (row, attributes, b"".join(cell.xml for cell in cells))


_FORMULA: Final = re.compile(rb"(<(f|formula|formula1|formula2|xm:f)(?: [^>]*)?>)([^<]+)(</\2>)")
_SQREF: Final = re.compile(
    rb'(<(?:dataValidation|conditionalFormatting|protectedRange|ignoredError)\b[^>]*? sqref=")([^"]*)"'
)
_FILTER: Final = re.compile(rb'(<autoFilter\b[^>]*? ref=")([^"]*)"')
_X14_SQREF: Final = re.compile(
    rb"(<x14:(conditionalFormatting|dataValidation)\b(?:(?!</x14:\2>).)*?<xm:sqref>)([^<]*)(?=</xm:sqref>)", re.S
)


def follow_formulas(xml: bytes, growth: Growth, home: str) -> bytes:
    """Every formula in `xml` with its references to the table's rows moved along; `home` is the sheet it is on."""

    def moved(found: re.Match[bytes]) -> bytes:
        return found[1] + follow_text(found[3], growth, home) + found[4]

    return _FORMULA.sub(moved, xml)


def follow_text(xml: bytes, growth: Growth, home: str, single: bool = False) -> bytes:
    """One formula as it stands in XML, moved along; the same bytes when nothing in it moves."""
    text = html.unescape(xml.decode())
    moved = followed(text, growth, home, single)
    return xml if moved == text else html.escape(moved, quote=False).encode()


def _follow_areas(tail: bytes, growth: Growth) -> bytes:
    def attribute(found: re.Match[bytes]) -> bytes:
        return found[1] + followed_areas(found[2].decode(), growth).encode() + b'"'

    def element(found: re.Match[bytes]) -> bytes:
        return found[1] + followed_areas(found[3].decode(), growth).encode()

    substitutions: tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]], ...] = (
        (_SQREF, attribute),
        (_FILTER, attribute),
        (_X14_SQREF, element),
    )
    for pattern, moved in substitutions:
        tail = pattern.sub(moved, tail)
    return tail
