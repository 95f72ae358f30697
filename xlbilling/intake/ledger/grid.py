"""The grid of a ledger export: every cell of the file as text, rows as they stand, nothing dropped."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path
from typing import Final

from python_calamine import CalamineError, CalamineWorkbook

from xlbilling.problems import Place, Refusal, declare

UNREADABLE: Final = declare(
    "ledger_file_unreadable",
    "A ledger export cannot be opened as a CSV file or a workbook.",
    "Export the report again as CSV or Excel (.xlsx) and choose that file.",
)

Grid = list[list[str]]
_WORKBOOKS: Final = {".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"}
# A float that is a printed amount lies this close to a whole cent; a sum's noise is about 1e-9 of a cent.
_CENT_NOISE: Final = 1e-5


def read_grids(path: Path) -> list[Grid]:
    """The sheets of a workbook, or the one grid of a CSV file; row 0 is the file's first physical row (record).

    Refused: a file that is neither. A quoted CSV field may hold line breaks; the record counts as one row.
    """
    if path.suffix.lower() in _WORKBOOKS:
        return _workbook_grids(path)
    return [_csv_grid(path)]


def _csv_grid(path: Path) -> Grid:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Refusal(UNREADABLE.at(Place(file=path.name), f"the file cannot be read: {error.strerror}")) from error
    if b"\0" in raw[:4096]:
        raise Refusal(UNREADABLE.at(Place(file=path.name), "the file is not text"))
    text = _decoded(raw)
    csv.field_size_limit(1 << 20)
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)))
    except csv.Error as error:
        raise Refusal(UNREADABLE.at(Place(file=path.name), f"the file is not a CSV file: {error}")) from error


def _decoded(raw: bytes) -> str:
    # desktop accounting programs still write Windows-1252; UTF-8 never decodes from it by accident
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    head = text[:65536].splitlines()[:60]
    return max(",\t;|", key=lambda mark: sum(line.count(mark) for line in head))


def _workbook_grids(path: Path) -> list[Grid]:
    try:
        book = CalamineWorkbook.from_path(path)
        return [
            [[_text(value) for value in row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
            for name in book.sheet_names
        ]
    except (CalamineError, OSError, ValueError) as error:
        raise Refusal(UNREADABLE.at(Place(file=path.name), f"the workbook cannot be opened: {error}")) from error


def _text(value: object) -> str:
    """A cell as text: numbers by their shortest exact decimals, floats a hair from a whole cent as that cent."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, float):
        return _decimal_text(value)
    return "" if value is None else str(value)


def _decimal_text(value: float) -> str:
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    scaled = value * 100
    if abs(scaled) < 1e13 and abs(scaled - round(scaled)) < _CENT_NOISE:
        return f"{value:.2f}"
    return repr(value)
