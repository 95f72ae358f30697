"""Workbook: billing.xlsm from the declarations; built twice it is the same byte for byte."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from xlbilling.maker.callbacks import callbacks_module
from xlbilling.maker.functions import WORKBOOK_OPEN, Argument, Function, embedded_xlwings, functions_module
from xlbilling.maker.ribbon import Group, RibbonButton, inject_ribbon, ribbon_xml
from xlbilling.maker.sheets import TOTALS_ROW, add_sheet, code_name
from xlbilling.maker.start import NAME as START
from xlbilling.maker.start import add_start, name_cell
from xlbilling.maker.styles import ALARM_SOFT, GOOD_SOFT, QUIET, Styles
from xlbilling.maker.vba import vba_project
from xlbilling.office.desk.buttons import BUTTONS, GROUPS
from xlbilling.udfs import FUNCTIONS
from xlbilling.words.records import TABLE, TABLES
from xlbilling.words.states import GREEN, NOT_RECALCULATED, RED

MADE: Final = dt.datetime(2026, 11, 1)  # a fixed day, so that the same source gives the same bytes
TAB: Final = "Billing"


def sheet_names() -> list[str]:
    return [START, *(record.sheet.name for record in TABLES)]


def code_names() -> list[str]:
    """The VBA document modules, one a sheet, in the order of the sheets."""
    return [code_name(name) for name in sheet_names()]


def build_workbook(target: Path, buttons: Iterable[RibbonButton] | None = None) -> None:
    """Build billing.xlsm at `target`: sheets, macros, Excel functions and the Billing tab.

    `buttons` are the declared ones where none are given. The file is put in place in one step.
    """
    shown: list[RibbonButton] = list(BUTTONS.values() if buttons is None else buttons)
    modules = [callbacks_module(shown), functions_module(excel_functions()), *embedded_xlwings()]
    macros = vba_project(modules, code_names(), WORKBOOK_OPEN)
    groups = [Group(name, name) for name in GROUPS]
    made = inject_ribbon(plain_workbook(macros), ribbon_xml(TAB, groups, shown))
    unfinished = target.with_name(f".{target.name}.tmp")
    unfinished.write_bytes(made)
    unfinished.replace(target)


def excel_functions() -> list[Function]:
    """The declared Excel functions as their VBA wrappers need them."""
    return [
        Function(
            declared.name,
            declared.run.__module__,
            declared.run.__name__,
            tuple(Argument(name, text, name in declared.optional) for name, text in declared.arguments.items()),
            declared.about,
            is_array=True,
        )
        for declared in FUNCTIONS.values()
    ]


def plain_workbook(vba_project: bytes) -> bytes:
    """The workbook with its sheets and macros, before the ribbon is put in."""
    made = io.BytesIO()
    book = Workbook(made, {"in_memory": True, "strings_to_numbers": False, "strings_to_urls": False})
    book.set_properties({"title": "Billing", "author": "xlbilling", "company": "", "created": MADE})
    book.set_size(1600, 1000)
    book.add_vba_project(io.BytesIO(vba_project), is_stream=True)
    book.set_vba_name("ThisWorkbook")
    styles = Styles(book)
    start = add_start(book, styles)
    for record in TABLES:
        sheet = add_sheet(book, styles, TABLE[record.sheet.table])
        if record.sheet.table == "audit":
            _audit_cells(book, sheet, styles)
    start.activate()
    book.close()
    return made.getvalue()


def _audit_cells(book: Workbook, sheet: Worksheet, styles: Styles) -> None:
    """Whether the audit is green, and how far all differences are from nothing, one by one and filters or not."""
    fields = list(TABLE["audit"].columns)
    state, difference = fields.index("reason"), fields.index("difference")
    sheet.write_string(TOTALS_ROW, state, NOT_RECALCULATED, styles.of(bold=True, font_color=QUIET, indent=1))
    name_cell(book, "AuditState", "Audit", TOTALS_ROW, state)
    look = styles.of(bold=True, num_format="#,##0.00", align="right", indent=1)
    sheet.write_formula(TOTALS_ROW, difference, "=SUMPRODUCT(ABS(audit[Difference]))", look, 0)
    name_cell(book, "AuditDifference", "Audit", TOTALS_ROW, difference)
    for word, colour in ((GREEN, GOOD_SOFT), (RED, ALARM_SOFT)):
        rule = {
            "type": "text",
            "criteria": "begins with",
            "value": word,
            "format": book.add_format({"bg_color": colour}),
        }
        sheet.conditional_format(TOTALS_ROW, state, TOTALS_ROW, state, rule)
