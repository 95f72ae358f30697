"""Cells of a workbook file that show an error, and formulas that nobody has worked out: the reader gives both as blanks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from xlbilling.workbook.file.package import Package
from xlbilling.workbook.port import NOT_WORKED_OUT
from xlbilling.workbook.references import Area

_FORMULA: Final = rb"<f\b[^>]*?(?:/>|>[^<]*</f>)"
_ERROR: Final = re.compile(
    rb'<c\b(?=[^>]*? r="([A-Z]{1,3}\d+)")(?=[^>]*? t="e")[^>]*>(?:' + _FORMULA + rb")?<v>([^<]*)</v></c>"
)
_UNVALUED: Final = re.compile(rb'<c\b(?=[^>]*? r="([A-Z]{1,3}\d+)")[^>]*>' + _FORMULA + rb"(?:<v\s*/>|<v></v>)?</c>")


def error_cells(path: Path, sheet_part: str) -> Iterator[tuple[int, int, str]]:
    """The cells of a sheet that show an error, as (row, column, error) counted from 1, and those NOT_WORKED_OUT."""
    with Package(path) as package:
        xml = package.read(sheet_part)
    if b't="e"' in xml:
        for found in _ERROR.finditer(xml):
            yield *_at(found[1]), found[2].decode()
    if b"<f" in xml:
        for found in _UNVALUED.finditer(xml):
            yield *_at(found[1]), NOT_WORKED_OUT


def _at(reference: bytes) -> tuple[int, int]:
    area = Area.parse(reference.decode())
    return area.first_row, area.first_column
