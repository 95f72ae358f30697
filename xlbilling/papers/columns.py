"""Columns of a template's table that are not the same in every office: the table takes the ones that are needed, each
looking like those it had, with its total above and its width."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import quoteattr

from xlbilling.papers.tables import total_name
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.records import Table
from xlbilling.workbook.file.cell_xml import Formula
from xlbilling.workbook.file.package import Package
from xlbilling.workbook.file.shape import TableShape, dress, reshape_table, shape_of
from xlbilling.workbook.file.sheet_xml import Cell, SheetXml
from xlbilling.workbook.references import column_letters, column_number

TEMPLATE_COLUMNS: Final = declare(
    "template_columns",
    "A template cannot take the columns that the report needs now.",
    "Mend the template at the place named, or take yours out of the folder templates: the product's own is used then.",
)


def with_columns(template: Path, target: Path, table: Table, own: Sequence[str]) -> Path:
    """The template whose `table` has just the declared columns: itself where it has them, else written to `target`.

    The columns named in `own` change from office to office; they take the place of what stands among the others, and
    look like the first of it. Columns of formulas that staff have added stay. Refuses where something stands beside
    the table and it has to widen, and where a formula elsewhere names a column that goes. A template that lacks the
    table or one of its other columns is given back as it is, for what fills it to refuse.
    """
    shape = shape_of(template)
    found = shape.tables.get(table.name)
    wanted = [table.columns[name].title for name in own]
    fixed = {title for name, title in table.titles.items() if name not in own}
    if found is None or not fixed <= set(found.titles):
        return template
    before = [title for title in found.titles if title not in fixed and title not in found.calculated]
    if before == wanted or not before:
        return template
    at = found.titles.index(before[0])
    titles = [title for title in found.titles if title not in before]
    titles[at:at] = wanted
    for other in shape.tables.values():
        if other.sheet == found.sheet and other.name != found.name and other.area.last_column > found.area.last_column:
            fact = f"the table {other.name} stands beside {table.name}, which has to take {len(titles)} columns"
            raise Refusal(TEMPLATE_COLUMNS.at(Place(table=found.sheet, cell=str(other.area)), fact))
    models = {title: title if title in found.titles else before[0] for title in titles}
    reshape_table(template, target, found, titles, models, found.area.last_row)
    names = {name: place for name, place in shape.names.items() if name.startswith(total_name(table, ""))}
    with Package(target) as package:
        sheet = SheetXml(package.read(found.sheet_part), found.sheet)
        book = next(r.target for r in package.relationships("").values() if r.kind == "officeDocument")
        moved = _Totals(found, titles, models, sheet).move(table, names)
        sheet.head = _with_widths(sheet.head, found, titles, models)
        parts = {found.sheet_part: b"".join(sheet.chunks()), book: _with_names(package.read(book), set(names), moved)}
        _refuse_left_over(package, parts, table.name, set(before) - set(wanted))
        package.save(target, {part: [xml] for part, xml in parts.items()})
    return target


class _Totals:
    """The totals of a table's columns, in named cells on one row of its sheet."""

    def __init__(self, found: TableShape, titles: Sequence[str], models: Mapping[str, str], sheet: SheetXml):
        self.found, self.titles, self.models, self.sheet = found, titles, models, sheet

    def move(self, table: Table, names: Mapping[str, tuple[str, int, int]]) -> dict[str, str]:
        """Move each total over its column; the names of the totals that stand now, with the cell of each.

        A total that staff took out, moved away or typed over is left alone.
        """
        first = self.found.area.first_column
        columns = {first + place: title for place, title in enumerate(self.found.titles)}
        here = [place for place in names.values() if place[0] == self.found.sheet and place[2] in columns]
        if not here:
            return {}
        row = here[0][1]
        cells = {columns[column]: self._cell(row, column) for _, at, column in here if at == row}
        old = {title: cell for title, cell in cells.items() if b"<f>" in cell.xml}
        for cell in old.values():
            self.sheet.set_cell(row, column_number(cell.letters), None)
            dress(self.sheet, row, column_number(cell.letters), "")
        moved: dict[str, str] = {}
        for name in table.sheet.totals:
            title = table.columns[name].title
            model, column = self.models[title], first + self.titles.index(title)
            if model in old:
                text = html.unescape(old[model].xml.partition(b"<f>")[2].partition(b"</f>")[0].decode())
                self.sheet.set_cell(row, column, Formula(text.replace(f"[{model}]", f"[{title}]"), 0))
                dress(self.sheet, row, column, old[model].style)
                sheet = self.found.sheet.replace("'", "''")
                moved[total_name(table, name)] = f"'{sheet}'!${column_letters(column)}${row}"
        return moved

    def _cell(self, row: int, column: int) -> Cell:
        letters = column_letters(column)
        xml = re.search(rf'<c r="{letters}{row}"[^>]*?(?:/>|>.*?</c>)'.encode(), self.sheet.split(row, row)[1], re.S)
        return Cell(letters, row, xml[0] if xml else b"")


def _with_widths(head: bytes, found: TableShape, titles: Sequence[str], models: Mapping[str, str]) -> bytes:
    """The part before the rows with the widths of the columns following their titles."""
    looks: dict[int, bytes] = {}
    for column in re.finditer(rb'<col\b[^>]*?\bmin="(\d+)"[^>]*?\bmax="(\d+)"[^>]*>', head):
        rest = re.sub(rb'\s(?:min|max)="\d+"', b"", column[0].removeprefix(b"<col").rstrip(b"/>"))
        looks |= dict.fromkeys(range(int(column[1]), min(int(column[2]), 16_384) + 1), rest)
    first = found.area.first_column
    of_title = {title: looks.get(first + place, b"") for place, title in enumerate(found.titles)}
    looks = {column: look for column, look in looks.items() if not first <= column <= found.area.last_column}
    looks |= {first + place: of_title[models[title]] for place, title in enumerate(titles)}
    shown = b"".join(b'<col min="%d" max="%d"%s/>' % (n, n, look) for n, look in sorted(looks.items()) if look.strip())
    return re.sub(rb"<cols>.*?</cols>", lambda _: b"<cols>" + shown + b"</cols>", head, flags=re.S)


def _with_names(book: bytes, gone: set[str], moved: Mapping[str, str]) -> bytes:
    """The workbook part with the names of the totals that went taken out, and those that stand put in."""
    text = book.decode()
    for name in gone:
        text = re.sub(rf'<definedName name="{re.escape(name)}"[^>]*>[^<]*</definedName>', "", text)
    added = "".join(f"<definedName name={quoteattr(name)}>{cell}</definedName>" for name, cell in moved.items())
    return text.replace("<definedNames>", f"<definedNames>{added}", 1).encode()


def _refuse_left_over(package: Package, parts: Mapping[str, bytes], table: str, gone: set[str]) -> None:
    """Refuse a formula or a chart that still names a column that is no longer there."""
    for part in package.parts:
        if re.fullmatch(r"xl/(?:worksheets|charts)/\w+\.xml", part):
            xml = (parts[part] if part in parts else package.read(part)).decode()
            for title in sorted(gone):
                if f"{table}[{title}]" in xml:
                    fact = f"a formula in {part} names the column {title} of {table}, which the report has no more"
                    raise Refusal(TEMPLATE_COLUMNS.at(Place(table=table, column=title), fact))
