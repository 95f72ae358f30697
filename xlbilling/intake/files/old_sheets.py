"""Workbooks of the other kinds (.xls, .xlsb, .ods) through calamine, with the same face as `sheets.Workbook`."""

from __future__ import annotations

import datetime
import io
from typing import Final

import python_calamine as calamine

from xlbilling.intake.files.cells import UNCERTAIN, dated, number_text
from xlbilling.intake.files.error_cells import ERROR_VALUE, errors_in
from xlbilling.intake.files.package import Package
from xlbilling.intake.files.sheets import EnoughRead, Row, RowSink, SheetName, Workbook
from xlbilling.intake.files.source import DTD, ENCRYPTED, HIDDEN, UNREADABLE
from xlbilling.words.problems import Place, Refusal

_VISIBLE: Final = calamine.SheetVisibleEnum.Visible


class OldWorkbook:
    """A workbook that calamine opens; cells come as text, numbers exact, dates as ISO text."""

    date1904 = False

    def __init__(self, data: bytes, name: str) -> None:
        self.place = Place(file=name)
        try:
            self._book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
            found = self._book.sheets_metadata
        except calamine.PasswordError:
            raise Refusal(ENCRYPTED.at(self.place, "the workbook is protected by a password")) from None
        except (calamine.CalamineError, OSError, ValueError):
            raise Refusal(UNREADABLE.at(self.place, "the workbook is damaged or of an unknown kind")) from None
        sheets = [s for s in found if s.typ == calamine.SheetTypeEnum.WorkSheet]
        self.sheets = [SheetName(s.name, s.name, s.visible != _VISIBLE) for s in sheets]
        of_sheet = errors_in(data, self.place)
        if len(of_sheet) != len(sheets):
            raise Refusal(UNREADABLE.at(self.place, "its sheets cannot be told apart with certainty"))
        self._errors = {sheet.name: of_sheet[number] for number, sheet in enumerate(self.sheets)}

    def visible(self) -> list[SheetName]:
        """The sheets a person sees; refused when there are none."""
        seen = [sheet for sheet in self.sheets if not sheet.hidden]
        if not seen:
            raise Refusal(HIDDEN.at(self.place, "none of its sheets can be seen"))
        return seen

    def head(self, sheet: SheetName, count: int) -> list[tuple[int, Row]]:
        """The first rows of a sheet that hold something, at most `count`, with their row numbers."""
        rows: list[tuple[int, Row]] = []

        def sink(number: int, row: Row) -> None:
            rows.append((number, row))
            if len(rows) == count:
                raise EnoughRead

        self.read(sheet, sink)
        return rows

    def read(self, sheet: SheetName, sink: RowSink) -> None:
        """Give each row that holds something to `sink`, in order, with its row number."""
        try:
            found = self._book.get_sheet_by_name(sheet.name)
            rows = found.iter_rows()
            left = found.start[1] if found.start else 0
        except (calamine.CalamineError, OSError, ValueError):
            raise Refusal(UNREADABLE.at(self.place, "a sheet of the workbook is damaged")) from None
        errors: dict[int, Row] = {}
        for (number, column), shown in self._errors[sheet.name].items():
            errors.setdefault(number + 1, {})[column] = UNCERTAIN + (
                "the error value " + shown if ERROR_VALUE.fullmatch(shown) else shown
            )
        number = 0
        try:
            for number, values in enumerate(rows, 1):
                row = {left + column: text for column, value in enumerate(values) if (text := cell_text(value))}
                if number in errors:
                    row = dict(sorted((row | errors[number]).items()))
                if row:
                    sink(number, row)
            for below in sorted(set(errors) - set(range(number + 1))):
                sink(below, errors[below])
        except EnoughRead:
            return


def cell_text(value: object) -> str:  # noqa: PLR0911 - one line per kind
    """One of calamine's values as text: 12.0 -> "12", a date -> "2026-07-01", True -> "TRUE"."""
    if isinstance(value, str):
        return UNCERTAIN + "the error value " + value if ERROR_VALUE.fullmatch(value) else value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int | float):
        return str(number_text(repr(value).removesuffix(".0")))
    if isinstance(value, datetime.datetime):
        clock = value.time()
        return dated(value.date().isoformat() if clock == datetime.time() else value.isoformat(" ")[:23])
    if isinstance(value, datetime.date | datetime.time):
        return dated(value.isoformat())
    if value is None:
        return ""
    return UNCERTAIN + "a cell of an unknown kind"


def _open_document(data: bytes, name: str) -> OldWorkbook:
    """An .ods workbook, after the checks that every zip package gets; refused where it declares entities."""
    package = Package(data, name)
    for part in ("content.xml", "styles.xml", "META-INF/manifest.xml"):
        if part in package.names:
            package.read_xml(part, lambda *_: None)
    content = b"".join(package.chunks("META-INF/manifest.xml")) if "META-INF/manifest.xml" in package.names else b""
    if b"encryption-data" in content:
        raise Refusal(ENCRYPTED.at(package.place, "the workbook is protected by a password"))
    if b"<!DOCTYPE" in content:
        raise Refusal(DTD.at(package.place, "a part of the workbook holds a document type declaration"))
    return OldWorkbook(data, name)


def open_book(data: bytes, kind: str, name: str) -> Workbook | OldWorkbook:
    """The workbook of a kind, by the reader for it."""
    if kind == "open_document":
        return _open_document(data, name)
    if kind == "old_workbook":
        return OldWorkbook(data, name)
    try:
        return Workbook(data, name)
    except Refusal as refusal:
        if refusal.problem.fact != "the content is a binary workbook":
            raise
        return OldWorkbook(data, name)
