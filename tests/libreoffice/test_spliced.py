"""A workbook filled by splicing, opened and computed by a real spreadsheet application."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from xlbilling.workbook.file.splice import FormulaColumn, write_tables

pytestmark = pytest.mark.libreoffice


def test_a_filled_workbook_opens_and_computes(libreoffice: Any, tmp_path: Path) -> None:
    source, target = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = xlsxwriter.Workbook(str(source))
    day, money = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "0.00"})
    bills, totals = book.add_worksheet("Bills"), book.add_worksheet("Totals")
    columns: list[dict[str, Any]] = [
        {"header": "account", "total_string": "Total"},
        {"header": "due", "format": day},
        {"header": "amount", "format": money, "total_function": "sum"},
        {"header": "tax", "formula": "=[@amount]*0.1", "format": money},
    ]
    bills.add_table(0, 0, 2, 3, {"name": "tblBills", "total_row": True, "columns": columns})
    bills.write_formula("C3", "=SUBTOTAL(109,tblBills[amount])", money)  # LibreOffice wants the table named
    bills.write_datetime("B2", dt.datetime(2026, 1, 1), day)
    totals.write_formula("A1", "=SUM(tblBills[amount])")
    totals.write_formula("A2", "=SUM(Bills!C2:C2)")
    totals.write_formula("A3", '=COUNTIF(tblBills[account],"=1+1")')
    book.close()
    values = {
        "account": ["00012", "=1+1", " two  "],
        "due": [dt.date(2026, 11, 30), None, dt.date(2026, 12, 1)],
        "amount": [12.5, 7.25, 0.25],
        "tax": FormulaColumn("[@amount]*0.2"),
    }
    write_tables(source, target, {"tblBills": values})
    with libreoffice.open(target) as opened:
        opened.recalculate()
        assert opened.errors() == {}
        # 12.50 + 7.25 + 0.25 = 20.00; tax is a fifth of each
        assert opened.value("Totals", "A1:A2") == [20.0, 20.0]
        assert opened.value("Bills", "D2:D4") == pytest.approx([2.5, 1.45, 0.05])
        assert opened.value("Bills", "A2:C5") == [
            ["00012", dt.datetime(2026, 11, 30), 12.5],
            ["=1+1", None, 7.25],
            [" two  ", dt.datetime(2026, 12, 1), 0.25],
            ["Total", None, 20.0],
        ]
        assert opened.book.sheets["Bills"].tables["tblBills"].range.address in ("$A$1:$D$4", "$A$1:$D$5")
