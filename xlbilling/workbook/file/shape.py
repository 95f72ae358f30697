"""Shape: where tables and named cells stand in a workbook file, and the changes of shape a write may need.

A table takes or loses columns of formulas, takes in the staff's own columns standing beside it (as Excel does when
somebody types there), and a view hides sheets. Parts that need no change keep their bytes.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

from xlbilling.workbook.file.package import Package
from xlbilling.workbook.file.sheet_xml import SheetXml
from xlbilling.workbook.references import Area, column_letters, column_number

_MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_NAME: Final = re.compile(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$([A-Z]{1,3})\$(\d+)")


@dataclass(frozen=True, slots=True)
class TableShape:
    """A table in the file: its part, its sheet and the sheet's part, its area with header, its headings."""

    name: str
    part: str
    sheet: str
    sheet_part: str
    area: Area
    titles: tuple[str, ...]
    calculated: frozenset[str]  # headings of the columns Excel fills down with a formula of its own

    @property
    def header_row(self) -> int:
        return self.area.first_row


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands where: tables by name, named cells as (sheet, row, column) counted from 1, sheets in order."""

    tables: Mapping[str, TableShape]
    names: Mapping[str, tuple[str, int, int]]
    sheets: tuple[str, ...]


def shape_of(path: Path) -> Shape:
    """The shape of the workbook file at `path`; a damaged file is refused."""
    with Package(path) as package:
        book = next(r.target for r in package.relationships("").values() if r.kind == "officeDocument")
        root = ElementTree.fromstring(package.read(book))  # noqa: S314 (our own workbook, no DTD in OOXML)
        related = package.relationships(book)
        parts = {s.get("name", ""): related[s.get(_RELATION, "")].target for s in root.iter(f"{_MAIN}sheet")}
        tables = {}
        for sheet, part in parts.items():
            for relationship in package.relationships(part).values():
                if relationship.kind == "table":
                    found = _table_shape(package, relationship.target, sheet, part)
                    tables[found.name] = found
        names = {n.get("name", ""): _cell(n.text or "") for n in root.iter(f"{_MAIN}definedName")}
    return Shape(tables, {name: cell for name, cell in names.items() if cell}, tuple(parts))


def _table_shape(package: Package, part: str, sheet: str, sheet_part: str) -> TableShape:
    root = ElementTree.fromstring(package.read(part))  # noqa: S314
    columns = {
        column.get("name", ""): column.findtext(f"{_MAIN}calculatedColumnFormula") or ""
        for column in root.iter(f"{_MAIN}tableColumn")
    }
    area = Area.parse(root.get("ref", ""))
    filled = frozenset(title for title, formula in columns.items() if formula)
    return TableShape(root.get("displayName", ""), part, sheet, sheet_part, area, tuple(columns), filled)


def _cell(text: str) -> tuple[str, int, int] | None:
    found = _NAME.fullmatch(text)
    if not found:
        return None
    return (found[1] or found[2]).replace("''", "'"), int(found[4]), column_number(found[3])


# ---------------------------------------------------------------------------------------------- changing the shape


def reshape_table(
    source: Path, target: Path, table: TableShape, titles: Sequence[str], like: Mapping[str, str], last_row: int
) -> None:
    """Write `source` to `target` with the table's columns being `titles`, its data rows cut to one.

    Headings that go are cleared; a new one looks like the column whose heading `like` names. Columns taken in from
    beside the table are cleared down to `last_row`. The rows are expected to be written anew after this.
    """
    with Package(source) as package:
        sheet = SheetXml(package.read(table.sheet_part), table.sheet)
        area, first = table.area, table.area.first_column
        styles = _styles(sheet, table)
        taken_in = range(area.last_column + 1, first + len(titles))
        _clear(sheet, area.first_row + 1, last_row, [column_letters(number) for number in taken_in])
        for offset in range(max(len(titles), len(table.titles))):
            title = titles[offset] if offset < len(titles) else None
            model = like.get(title, title) if title is not None else None
            for row in (area.first_row, area.first_row + 1):
                value = title if row == area.first_row else None
                sheet.set_cell(row, first + offset, value)
                dress(sheet, row, first + offset, styles.get((row, model or ""), ""))
        cut = Area(area.first_row, first, area.first_row + 1, first + len(titles) - 1)
        xml = _table_xml(package.read(table.part), table, cut, titles)
        package.save(target, {table.sheet_part: list(sheet.chunks()), table.part: [xml]})


def grow_table(source: Path, target: Path, table: TableShape, last_row: int) -> None:
    """Write `source` to `target` with the table reaching down to `last_row`, over what stands directly under it."""
    area = Area(table.area.first_row, table.area.first_column, last_row, table.area.last_column)
    with Package(source) as package:
        package.save(target, {table.part: [_reaching(package.read(table.part).decode(), area).encode()]})


def _clear(sheet: SheetXml, first_row: int, last_row: int, letters: Sequence[str]) -> None:
    """Take the cells of these columns away from some rows."""
    if not letters:
        return
    before, found, after, _ = sheet.split(first_row, last_row)
    cells = rf'<c r="(?:{"|".join(letters)})\d+"[^>]*?(?:/>|>.*?</c>)'.encode()
    sheet.rows = before + re.sub(cells, b"", found, flags=re.S) + after


def _styles(sheet: SheetXml, table: TableShape) -> dict[tuple[int, str], str]:
    """The style of each column's header and first data cell, by sheet row and heading."""
    found: dict[tuple[int, str], str] = {}
    for row in (table.area.first_row, table.area.first_row + 1):
        cells = sheet.split(row, row)[1].decode()
        for offset, title in enumerate(table.titles):
            letters = column_letters(table.area.first_column + offset)
            match = re.search(rf'<c r="{letters}{row}"[^>]*? s="(\d+)"', cells)
            found[(row, title)] = match[1] if match else ""
    return found


def dress(sheet: SheetXml, row: int, column: int, style: str) -> None:
    """Give one cell a style, or none."""
    cell = f"{column_letters(column)}{row}"
    wanted = f' s="{style}"' if style else ""
    before, found, after, _ = sheet.split(row, row)
    found = re.sub(rf'(<c r="{cell}")(?: s="\d+")?'.encode(), rf"\g<1>{wanted}".encode(), found, count=1)
    sheet.rows = before + found + after


def _table_xml(xml: bytes, table: TableShape, area: Area, titles: Sequence[str]) -> bytes:
    """The table part with these columns; a column that stays keeps its definition, filters go."""
    text = xml.decode()
    old = re.findall(r"<tableColumn\b[^>]*?(?:/>|>.*?</tableColumn>)", text, flags=re.S)
    by_title = dict(zip(table.titles, old, strict=True))
    made = []
    for number, title in enumerate(titles, start=1):
        known = by_title.get(title, f'<tableColumn id="0" name="{_escaped(title)}"/>')
        made.append(re.sub(r'(<tableColumn\b[^>]*? id=")\d+"', rf'\g<1>{number}"', known, count=1))
    columns = f'<tableColumns count="{len(titles)}">{"".join(made)}</tableColumns>'
    text = re.sub(r"<tableColumns\b.*?</tableColumns>", lambda _: columns, text, flags=re.S)
    text = _reaching(text, area)
    return re.sub(r"<filterColumn\b.*?</filterColumn>|<sortState\b.*?</sortState>", "", text, flags=re.S).encode()


def _reaching(table_xml: str, area: Area) -> str:
    """The table part with another area, its filters kept."""
    return re.sub(r'(<(?:table|autoFilter)\b[^>]*? ref=")[^"]*"', rf'\g<1>{area}"', table_xml)


def _escaped(title: str) -> str:
    return html.escape(title, quote=True)


def rename_sheet(source: Path, target: Path, sheet: str, name: str) -> None:
    """Write `source` to `target` with a sheet called otherwise; names of cells follow it."""
    with Package(source) as package:
        book = next(r.target for r in package.relationships("").values() if r.kind == "officeDocument")
        text = package.read(book).decode()
        text = text.replace(f'name="{html.escape(sheet)}"', f"name={quoteattr(name)}", 1)
        quoted = "'" + name.replace("'", "''") + "'!"
        before = rf"(?:'{re.escape(html.escape(sheet, quote=False))}'|\b{re.escape(html.escape(sheet, quote=False))})!"

        def follows(names: re.Match[str]) -> str:
            return re.sub(before, lambda _: html.escape(quoted, quote=False), names[0])

        text = re.sub(r"<definedNames>.*</definedNames>", follows, text, flags=re.S)
        package.save(target, {book: [text.encode()]})


def set_hidden(source: Path, target: Path, hidden: set[str]) -> None:
    """Write `source` to `target` with exactly these sheets hidden."""
    with Package(source) as package:
        book = next(r.target for r in package.relationships("").values() if r.kind == "officeDocument")

        def shown(found: re.Match[str]) -> str:
            bare = re.sub(r' state="[^"]*"', "", found[0])
            name = re.search(r' name="([^"]*)"', bare)
            state = ' state="hidden"' if name and html.unescape(name[1]) in hidden else ""
            return re.sub(r"(\s*/?>)$", rf"{state}\1", bare)

        xml = re.sub(r"<sheet\b[^>]*>", shown, package.read(book).decode())
        package.save(target, {book: [xml.encode()]})
