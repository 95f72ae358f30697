"""Templates: workbooks staff may restyle, filled so that every table, total and chart holds its value before Excel
has computed anything."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape, unescape

import openpyxl
import pandas as pd

from xlbilling.papers.tables import period_name, total_name
from xlbilling.words.records import ColumnKind, Table
from xlbilling.workbook.cells import PLACES, give
from xlbilling.workbook.file.package import Package
from xlbilling.workbook.file.splice import Formula, FormulaColumn, write_tables

Value = str | float | int | None

_CHART: Final = re.compile(r"xl/charts/chart\w*\.xml")
_REFERENCE: Final = re.compile(
    r"<c:(?P<kind>num|str)Ref><c:f>(?P<ref>[^<]*)</c:f>(?:<c:(?:num|str)Cache>.*?</c:(?:num|str)Cache>)?", re.S
)
_AREA: Final = re.compile(
    r"(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^'!]+))!(?P<area>\$?[A-Z]+\$?\d+(?::\$?[A-Z]+\$?\d+)?)"
)


def template_file(name: str, office: Path | None) -> Path:
    """The office's own template in `office`/templates, else the one that comes with the product.

    Installed, the product's templates lie in the package; in a checkout they lie beside it, where they are made.
    """
    own = office / "templates" / name if office else None
    if own and own.is_file():
        return own
    package = Path(str(files("xlbilling")))
    beside = (package / "templates" / name, package.parent / "templates" / name)
    return next((path for path in beside if path.is_file()), beside[0])


def fill_template(
    template: Path,
    target: Path,
    tables: Sequence[tuple[Table, pd.DataFrame]],
    cells: Mapping[str, Value],
    figures: Mapping[str, Value],
    computed: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Write `template` to `target` with its tables, named cells and charts filled; all else keeps its bytes.

    tables: declared table and its frame in store types (money int64 cents, quantities int64 millionths). cells: name of
    a cell -> its text or number. figures: name of a formula's cell -> the value that formula has; the formula stays as staff have
    it, and a figure whose cell they took out or typed over is passed by. computed: table -> column -> formula of its
    cells, whose results are the frame's values. Totals of the tables are added to the figures.
    Refuses, writing nothing, where the template lacks a table, a heading or one of `cells`.
    """
    known = dict(figures)
    for table, frame in tables:
        known |= {total_name(table, name): total(table, frame, name) for name in table.sheet.totals}
    filled: dict[str, object] = dict(cells)
    formulas = _formulas(template)
    filled |= {name: Formula(formulas[name], value) for name, value in known.items() if name in formulas}
    columns = {table.name: _columns(table, frame, (computed or {}).get(table.name, {})) for table, frame in tables}
    with tempfile.TemporaryDirectory(prefix="xlbilling-") as folder:
        drawn = Path(folder) / template.name
        write_tables(template, drawn, columns, filled)
        with Package(drawn) as package:
            package.save(target, _charts(package, drawn))


def _columns(table: Table, frame: pd.DataFrame, computed: Mapping[str, str]) -> dict[str, Any]:
    """The cells of each column by its title, those that compute as formulas with their results."""
    return {
        table.columns[name].title: FormulaColumn(computed[name], values) if name in computed else values
        for name, values in give(table, frame).items()
    }


def period_lines(tables: Iterable[Table], district: str, period: str) -> dict[str, str]:
    """The line under each sheet's title."""
    return {period_name(table): f"{district}  ·  accounting period {period}" for table in tables}


def total(table: Table, frame: pd.DataFrame, name: str) -> float | int:
    """The total of a column as its cell shows it: cents as dollars, millionths as units."""
    return shown(table.columns[name].kind, int(frame[name].sum()))


def shown(kind: ColumnKind, value: int) -> float | int:
    """A whole number of the store as the number in a cell: 120407 cents -> 1204.07."""
    scale = 10 ** PLACES[kind]
    return value if scale == 1 else value / scale


def _formulas(template: Path) -> dict[str, str]:
    """The formulas of the template's named cells, without their =."""
    book = openpyxl.load_workbook(template)
    found: dict[str, str] = {}
    for name, defined in book.defined_names.items():
        for sheet, area in defined.destinations:
            cell = book[sheet][area] if sheet in book.sheetnames and ":" not in area else None
            text = getattr(cell, "value", None)
            if isinstance(text, str) and getattr(cell, "data_type", "") == "f":
                found[name] = text.removeprefix("=")
    book.close()
    return found


def _charts(package: Package, path: Path) -> dict[str, list[bytes]]:
    """The chart parts with the values of the cells they draw, for viewers that do not compute them anew."""
    charts = {part: package.read(part).decode() for part in package.parts if _CHART.fullmatch(part)}
    if not charts:
        return {}
    book = openpyxl.load_workbook(path, data_only=True, read_only=True)
    try:
        return {part: [_REFERENCE.sub(_with_values(book), xml).encode()] for part, xml in charts.items()}
    finally:
        book.close()


def _with_values(book: Any) -> Callable[[re.Match[str]], str]:
    """Puts the values of the cells referred to behind the reference; a reference to something else stays bare."""

    def stored(found: re.Match[str]) -> str:
        kind, reference = found["kind"], found["ref"]
        bare = f"<c:{kind}Ref><c:f>{reference}</c:f>"
        area = _AREA.fullmatch(unescape(reference, {"&apos;": "'", "&quot;": '"'}))
        if area is None:
            return bare
        sheet = book[(area["quoted"] or area["plain"]).replace("''", "'")]
        cells = sheet[area["area"].replace("$", "")]
        values = [cell.value for row in cells for cell in row] if isinstance(cells, tuple) else [cells.value]
        points = "".join(
            f'<c:pt idx="{place}"><c:v>{escape(str(value))}</c:v></c:pt>'
            for place, value in enumerate(values)
            if value is not None
        )
        code = "<c:formatCode>General</c:formatCode>" if kind == "num" else ""
        return f'{bare}<c:{kind}Cache>{code}<c:ptCount val="{len(values)}"/>{points}</c:{kind}Cache>'

    return stored
