"""Filling tables and named cells of a workbook file by new sheet XML; every other part keeps its very bytes.

Charts, VBA, ribbon, drop-downs, print set-up, sparklines and formats stay as staff made them, because nothing that is
not filled is read or written at all.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias
from xml.etree import ElementTree

from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.workbook.file.cell_xml import CellColumn, Formula, FormulaColumn, Unwritable, cell_column, cell_tail
from xlbilling.workbook.file.package import NOT_A_WORKBOOK, Package, refuse_when_open
from xlbilling.workbook.file.row_heights import column_widths, row_heights, wrapping_styles
from xlbilling.workbook.file.sheet_xml import IN_THE_WAY, SheetXml, follow_formulas, follow_text
from xlbilling.workbook.references import LAST_ROW, Area, Growth, column_letters, column_number

__all__ = ["Formula", "FormulaColumn", "TableRows", "write_cells", "write_tables"]

TableRows: TypeAlias = Mapping[str, Any]
"""Column title -> its values: a sequence, numpy array or pandas Series, all of one length, or a FormulaColumn."""

NO_TABLE: Final = declare(
    "BOOK-TABLE",
    "The workbook has no such table, or the table's columns are not those to be filled.",
    "Give the table its name and headings back (Table Design, Table Name), or start from a fresh copy of the file.",
)
NO_NAME: Final = declare(
    "BOOK-NAME",
    "The workbook has no such named cell.",
    "Give the cell its name back (Formulas, Name Manager), or start from a fresh copy of the file.",
)
NO_SHEET: Final = declare(
    "BOOK-SHEET",
    "The workbook has no such sheet.",
    "Give the sheet its name back, or start from a fresh copy of the file.",
)
SHEET_FULL: Final = declare(
    "SHEET-FULL",
    "There are more rows than an Excel sheet holds (1,048,576).",
    "Write a smaller part, such as one cycle or one period.",
)

MAIN: Final = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_USUAL_WIDTH: Final = 8.43  # characters of a column that says no width
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def write_tables(
    source: Path,
    target: Path,
    tables: Mapping[str, TableRows],
    cells: Mapping[str, object] | None = None,
) -> None:
    """Write `source` to `target` (they may be the same file) with `tables` and named `cells` filled.

    `tables`: table name -> columns by title; all columns of the table must be there, except those that Excel computes
    (calculated columns), which are filled down. A table without rows keeps one blank row. Formats come from the
    table's first data row. Cells beside a table stay on their rows. `cells`: defined name of one cell -> value.
    Values: str (never a formula), int, float, Decimal, bool, date, datetime, time, numpy and pandas times, Formula;
    None, "" and NaN are blank. Formulas are computed anew when Excel opens the file.

    Raises Refusal (nothing is written) for a missing table or name, columns that do not match, a value that no cell
    can hold, or something standing below a table that grows; Conflict when Excel has the target open.
    """
    refuse_when_open(target)
    with Package(source) as package:
        book = _Book(package)
        for name, value in (cells or {}).items():
            book.fill_cell(name, value)
        for name, columns in tables.items():
            book.fill_table(name, columns)
        replaced, dropped = book.changed_parts()
        package.save(target, replaced, dropped)


def write_cells(source: Path, target: Path, sheet: str, cells: Mapping[str, object]) -> None:
    """Write `source` to `target` with single cells of a sheet filled by their address (D118); their formats stay.

    Values as for `write_tables`. Raises Refusal for a sheet that is not there and a value that no cell can hold.
    """
    refuse_when_open(target)
    with Package(source) as package:
        book = _Book(package)
        book.fill_cells(sheet, cells)
        replaced, dropped = book.changed_parts()
        package.save(target, replaced, dropped)


@dataclass(slots=True)
class _Table:
    """A table as its part declares it."""

    part: str
    sheet: str
    name: str
    area: Area
    headings: int
    totals: int
    columns: dict[str, str]  # title -> its calculated column formula, "" when typed

    @property
    def data(self) -> Area:
        """The rows between heading and totals."""
        a = self.area
        return Area(a.first_row + self.headings, a.first_column, a.last_row - self.totals, a.last_column)


class _Book:
    """The workbook being filled: its sheets and tables by name, and the parts changed so far."""

    def __init__(self, package: Package) -> None:
        self.package = package
        main = [r.target for r in package.relationships("").values() if r.kind == "officeDocument"]
        if len(main) != 1:
            raise Refusal(NOT_A_WORKBOOK.at(Place(file=package.path.name), "it has no workbook part"))
        self.part = main[0]
        self.xml = package.read(self.part)
        self.relationships = package.relationships(self.part)
        self.sheet_parts = self._sheet_parts()
        self.sheets: dict[str, SheetXml] = {}
        self.others: dict[str, bytes] = {}  # changed parts that are not sheets, by part name
        self.tables = {table.name.casefold(): table for table in self._all_tables()}

    def _sheet_parts(self) -> dict[str, str]:
        sheets = ElementTree.fromstring(self.xml).iter(f"{MAIN}sheet")  # noqa: S314
        named = {sheet.get("name", ""): self.relationships.get(sheet.get(_RELATION, "")) for sheet in sheets}
        return {name: found.target for name, found in named.items() if found and found.kind == "worksheet"}

    def _all_tables(self) -> Iterator[_Table]:
        for sheet, part in self.sheet_parts.items():
            for relationship in self.package.relationships(part).values():
                if relationship.kind == "table":
                    yield _read_table(relationship.target, sheet, self.package.read(relationship.target))

    def sheet(self, name: str) -> SheetXml:
        if name not in self.sheets:
            # What a formula showed before its sheet changed is no longer known: no value is better than a wrong one.
            xml = _SHOWN.sub(rb"\1", self.package.read(self.sheet_parts[name]))
            self.sheets[name] = SheetXml(xml, name)
        return self.sheets[name]

    # ------------------------------------------------------------------------------------------- filling

    def fill_cell(self, name: str, value: object) -> None:
        sheet, row, column = self._named_cell(name)
        self.fill_cells(sheet, {f"{column_letters(column)}{row}": value})

    def fill_cells(self, name: str, cells: Mapping[str, object]) -> None:
        if name not in self.sheet_parts:
            raise Refusal(NO_SHEET.at(Place(table=name), "the workbook has no sheet of this name"))
        made: dict[tuple[int, int], str] = {}
        for address, value in cells.items():
            cell = Area.parse(address)
            try:
                made[cell.first_row, cell.first_column] = cell_tail(value)
            except Unwritable as error:
                raise Refusal(error.kind.at(Place(table=name, cell=address), error.fact)) from error
        self.sheet(name).set_cells(made)

    def _named_cell(self, name: str) -> tuple[str, int, int]:
        for node in ElementTree.fromstring(self.xml).iter(f"{MAIN}definedName"):  # noqa: S314
            if node.get("name", "").casefold() == name.casefold() and node.get("localSheetId") is None:
                found = re.fullmatch(r"(?:'((?:[^']|'')+)'|([^'!]+))!\$([A-Z]{1,3})\$(\d+)", node.text or "")
                sheet = (found[1] or found[2]).replace("''", "'") if found else ""
                if found is None or sheet not in self.sheet_parts:
                    raise Refusal(NO_NAME.at(Place(table=name), f"the name stands for {node.text}, not for one cell"))
                return sheet, int(found[4]), column_number(found[3])
        raise Refusal(NO_NAME.at(Place(table=name), "the workbook has no cell of this name"))

    def fill_table(self, name: str, columns: TableRows) -> None:
        table = self.tables.get(name.casefold())
        if table is None:
            raise Refusal(NO_TABLE.at(Place(table=name), "the workbook has no table of this name"))
        _check_titles(table, columns)
        count = _row_count(table, columns)
        data = table.data
        last_row = data.first_row + max(count, 1) - 1
        if last_row + table.totals > LAST_ROW:
            raise Refusal(SHEET_FULL.at(Place(table=name), f"{count:,} rows do not fit below row {data.first_row}"))
        growth = Growth(table.sheet, data, last_row, table.totals)
        self._refuse_tables_below(table, growth)
        filled = self._cell_columns(table, columns, count)
        if growth.changes:
            self._follow(growth)
            area = table.area
            table.area = Area(area.first_row, area.first_column, last_row + table.totals, area.last_column)
        heights = self._heights(table, data, columns, count)
        self.sheet(table.sheet).replace_rows(data, table.totals, last_row, filled, heights)
        self.others[table.part] = _table_part(self._other(table.part), table)

    def _cell_columns(self, table: _Table, columns: TableRows, count: int) -> list[CellColumn | None]:
        made: list[CellColumn | None] = []
        first_row, first_column = table.data.first_row, table.data.first_column
        for place, (title, formula) in enumerate(table.columns.items()):
            values = columns[title] if title in columns else FormulaColumn(formula)
            if isinstance(values, FormulaColumn):
                values = FormulaColumn(_this_row(values.text, table.name), values.cached)
            try:
                made.append(cell_column(values, first_row, count) if count else None)
            except Unwritable as error:
                cell = f"{column_letters(first_column + place)}{first_row + error.index}"
                raise Refusal(error.kind.at(Place(table=table.sheet, column=title, cell=cell), error.fact)) from error
        return made

    def _heights(self, table: _Table, data: Area, columns: TableRows, count: int) -> list[str]:
        """How high each row must be for the words that wrap in it; none where nothing wraps or staff set a height."""
        sheet = self.sheet(table.sheet)
        styles, fixed = sheet.first_row_looks(data)
        if fixed or not self._wrapping.intersection(styles):
            return []
        widths = column_widths(sheet.head)
        wrapped: dict[float, list[Any]] = {}
        for place, title in enumerate(table.columns):
            values = columns.get(title)
            if styles[place] in self._wrapping and values is not None and not isinstance(values, FormulaColumn):
                wrapped.setdefault(widths.get(data.first_column + place, _USUAL_WIDTH), []).append(values)
        return row_heights(wrapped, count)

    @cached_property
    def _wrapping(self) -> frozenset[str]:
        """The cell formats under which words wrap."""
        parts = [r.target for r in self.relationships.values() if r.kind == "styles"]
        return wrapping_styles(self.package.read(parts[0])) if parts else frozenset()

    def _refuse_tables_below(self, table: _Table, growth: Growth) -> None:
        a = table.area
        new = Area(a.first_row, a.first_column, growth.last_row + growth.totals, a.last_column)
        for other in self.tables.values():
            if other is not table and other.sheet == table.sheet and new.overlaps(other.area):
                fact = f"the table {other.name} stands below and {table.name} has to grow over it"
                raise Refusal(IN_THE_WAY.at(Place(table=table.sheet, cell=str(other.area)), fact))

    # ------------------------------------------------------------------------------------------- following

    def _other(self, part: str) -> bytes:
        return self.others[part] if part in self.others else self.package.read(part)

    def _follow(self, growth: Growth) -> None:
        """Move along what refers to the table's rows: names, print areas, charts, and formulas on every sheet."""
        self.xml = self._followed_names(growth)
        for name in self.sheet_parts:
            self._follow_sheet(name, growth)
        for part in self._charts:
            xml = self._other(part)
            moved = _CHART_REFERENCE.sub(
                lambda found: found[1] + follow_text(found[2], growth, "", single=True) + found[3], xml
            )
            if moved != xml:
                self.others[part] = _CHART_CACHE.sub(b"", moved)

    def _followed_names(self, growth: Growth) -> bytes:
        def moved(found: re.Match[bytes]) -> bytes:
            return found[1] + follow_text(found[2], growth, "") + found[3]

        return re.sub(rb"(<definedName\b[^>]*>)([^<]*)(</definedName>)", moved, self.xml)

    def _follow_sheet(self, name: str, growth: Growth) -> None:
        """A sheet that names the table's sheet in no formula is not touched."""
        if name == growth.sheet or name in self.sheets:
            self.sheet(name).follow(growth)
            return
        xml = self.package.read(self.sheet_parts[name])
        if growth.sheet.encode() in xml or html.escape(growth.sheet).encode() in xml:
            moved = follow_formulas(xml, growth, name)
            if moved != xml:
                self.sheet(name).follow(growth)

    @cached_property
    def _charts(self) -> list[str]:
        return [part for part in self.package.parts if re.fullmatch(r"xl/charts/chart\w*\.xml", part)]

    # ------------------------------------------------------------------------------------------- saving

    def changed_parts(self) -> tuple[dict[str, Iterator[bytes] | Sequence[bytes]], list[str]]:
        """The parts to write, in chunks, and those to leave out: Excel's calculation chain, which it makes anew."""
        if not self.sheets:
            return {}, []
        changed: dict[str, Iterator[bytes] | Sequence[bytes]] = {part: [xml] for part, xml in self.others.items()}
        changed[self.part] = [_computed_on_load(self.xml)]
        changed |= {self.sheet_parts[name]: sheet.chunks() for name, sheet in self.sheets.items()}
        chain = [r.target for r in self.relationships.values() if r.kind == "calcChain"]
        if chain:
            folder, _, name = self.part.rpartition("/")
            rels = f"{folder}/_rels/{name}.rels"
            changed[rels] = [_without(rb'<Relationship\b[^>]*/calcChain"[^>]*/>', self.package.read(rels))]
            types = "[Content_Types].xml"
            changed[types] = [_without(rb'<Override\b[^>]*calcChain\+xml"[^>]*/>', self.package.read(types))]
        return changed, chain


_SHOWN: Final = re.compile(rb"(<f\b[^>]*(?:/>|>[^<]*</f>))<v>[^<]*</v>")
_CHART_REFERENCE: Final = re.compile(rb"(<c:f>|<cx:f(?: [^>]*)?>)([^<]*)(</cx?:f>)")
# Excel draws from the cells and fills these caches anew; an old one would show the old rows elsewhere.
_CHART_CACHE: Final = re.compile(rb"<c:(numCache|strCache|multiLvlStrCache)>.*?</c:\1>", re.S)


def _without(pattern: bytes, xml: bytes) -> bytes:
    return re.sub(pattern, b"", xml)


def _computed_on_load(xml: bytes) -> bytes:
    """The workbook part asking Excel to compute every formula when it opens the file."""
    if re.search(rb'<calcPr\b[^>]*\bfullCalcOnLoad="(?:1|true)"', xml):
        return xml
    if b"<calcPr" in xml:
        xml = re.sub(rb'(<calcPr\b[^>]*?) fullCalcOnLoad="[^"]*"', rb"\1", xml)
        return re.sub(rb"(<calcPr\b[^>]*?)(\s*/?>)", rb'\1 fullCalcOnLoad="1"\2', xml, count=1)
    for element in (b"definedNames", b"externalReferences", b"functionGroups", b"sheets"):  # their order in the schema
        closing = b"</" + element + b">"
        if closing in xml:
            return xml.replace(closing, closing + b'<calcPr fullCalcOnLoad="1"/>', 1)
    return xml


def _read_table(part: str, sheet: str, xml: bytes) -> _Table:
    root = ElementTree.fromstring(xml)  # noqa: S314
    formulas = {
        _plain_title(column.get("name", "")): column.findtext(f"{MAIN}calculatedColumnFormula") or ""
        for column in root.iter(f"{MAIN}tableColumn")
    }
    headings, totals = int(root.get("headerRowCount", "1")), int(root.get("totalsRowCount", "0"))
    return _Table(part, sheet, root.get("displayName", ""), Area.parse(root.get("ref", "")), headings, totals, formulas)


def _plain_title(title: str) -> str:
    """A heading as it shows: line breaks and the like stand as _x000a_ in the table part."""
    return re.sub(r"_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), title)


def _check_titles(table: _Table, columns: TableRows) -> None:
    unknown = [title for title in columns if title not in table.columns]
    missing = [title for title, formula in table.columns.items() if title not in columns and not formula]
    facts = [f"it has no column {', '.join(unknown)}"] if unknown else []
    facts += [f"no values were given for {', '.join(missing)}"] if missing else []
    if facts:
        raise Refusal(NO_TABLE.at(Place(table=table.name), " and ".join(facts)))


def _row_count(table: _Table, columns: TableRows) -> int:
    lengths = {title: _length(values) for title, values in columns.items()}
    known = {length for length in lengths.values() if length is not None}
    if len(known) > 1:
        counts = ", ".join(f"{title} {length}" for title, length in lengths.items())
        raise ValueError(f"columns of {table.name} are not equally long: {counts}")
    return known.pop() if known else 0


def _length(values: Any) -> int | None:
    if isinstance(values, FormulaColumn):
        return None if values.cached is None else len(values.cached)
    return len(values)


def _this_row(formula: str, table: str) -> str:
    """`[@amount]` and `[@[amount due]]` as the file has them: Table[[#This Row],[amount]]."""
    formula = re.sub(r"(?:\b[\w.]+)?\[\[#This Row\],([^\[\]]+)\]", rf"{table}[[#This Row],[\1]]", formula)
    return re.sub(
        r"(?:\b[\w.]+)?\[@(?:\[((?:[^\[\]']|'.)*)\]|((?:[^\[\]']|'.)+))\]",
        lambda found: f"{table}[[#This Row],[{found[1] or found[2]}]]",
        formula,
    )


def _table_part(xml: bytes, table: _Table) -> bytes:
    """The table part with its new range; filters and sorting by value are taken off, every row shows."""
    data = table.data
    a = table.area
    filtered = Area(a.first_row, a.first_column, data.last_row, a.last_column)
    xml = re.sub(rb'(<table\b[^>]*? ref=")[^"]*"', b"\\g<1>" + str(a).encode() + b'"', xml, count=1)
    xml = re.sub(rb'(<autoFilter\b[^>]*? ref=")[^"]*"', b"\\g<1>" + str(filtered).encode() + b'"', xml, count=1)
    xml = re.sub(rb"<filterColumn\b[^>]*[^/]>.*?</filterColumn>", b"", xml, flags=re.S)
    return re.sub(rb"<sortState\b(?:[^>]*/>|.*?</sortState>)", b"", xml, flags=re.S)
