"""Macros: what a ribbon button runs. One press: find the workbook that called, open its store, do the action, say so."""

from __future__ import annotations

import getpass
import os
from pathlib import Path

import xlwings as xw

from xlbilling.office.actions import open_desk, perform
from xlbilling.workbook.live.excel import ExcelWorkbook


def press(button_id: str) -> None:
    """Run one button on the workbook that called; what went wrong is said on Start, never in a box that blocks."""
    book = xw.Book.caller()
    workbook = ExcelWorkbook(book)
    folder = Path(book.fullname).parent
    actor = os.environ.get("XLBILLING_ACTOR") or getpass.getuser()
    perform(button_id, lambda: open_desk(workbook, actor, folder), workbook, folder)
