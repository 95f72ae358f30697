"""Stand: where a table stands on a live sheet, found in as few calls to the application as can be."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import xlwings as xw

from xlbilling.workbook.port import SheetTable


@dataclass
class Stand:
    """Where a table stands on its sheet: heading row, left column, last row; `titles` with those beside the table."""

    page: xw.Sheet
    row: int
    left: int
    last: int
    columns: int
    titles: list[Any]

    @property
    def count(self) -> int:
        return self.last - self.row

    def block(self, first: int, last: int) -> xw.Range:
        """Rows across all titles."""
        return self.page.range((first, self.left), (last, self.left + len(self.titles) - 1))


def stand_of(page: xw.Sheet, table: Any, *, grows: bool) -> Stand:
    """The table where it stands; one that `grows` with what is directly beside its headings and under its rows."""
    area = table.range
    row, left, (rows, columns) = area.row, area.column, area.shape
    stand = Stand(page, row, left, row + rows - 1, columns, [])
    if not grows:
        stand.titles = list(raw_cells(page.range((row, left), (row, left + columns - 1)))[0])
        return stand
    end = page.used_range.last_cell
    heads = raw_cells(page.range((row, left), (row, max(end.column, left + columns - 1))))[0]
    stand.titles = [*heads[:columns], *itertools.takewhile(lambda cell: cell is not None, heads[columns:])]
    if end.row > stand.last:  # a row typed under the table belongs to it, grown or not
        below = raw_cells(page.range((stand.last + 1, left), (end.row, left + columns - 1)))
        stand.last += sum(1 for _ in itertools.takewhile(lambda cells: any(c is not None for c in cells), below))
    return stand


def calculated_columns(stand: Stand, sheet: SheetTable) -> dict[str, str]:
    """Staff's own columns that are formulas, with the formula of their first row."""
    if not len(sheet.frame):
        return {}
    at = {title: stand.left + stand.titles.index(title) for title in sheet.own.columns}
    found = {title: str(stand.page.range((stand.row + 1, column)).formula) for title, column in at.items()}
    return {title: formula for title, formula in found.items() if formula.startswith("=")}


def raw_cells(area: xw.Range) -> list[list[Any]]:
    """Raw cells row by row: errors as their text, blanks as None."""
    rows: list[list[Any]] = area.options(ndim=2, err_to_str=True).value
    return [[None if cell == "" else cell for cell in row] for row in rows]
