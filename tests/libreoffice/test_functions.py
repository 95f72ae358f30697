"""The Excel functions in cells of the built workbook, recalculated by a real spreadsheet application."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.libreoffice import host
from xlbilling.maker import build_workbook
from xlbilling.maker.ribbon import Button
from xlbilling.words.records import TABLE

pytestmark = pytest.mark.libreoffice


@pytest.fixture(autouse=True)
def dates(monkeypatch: pytest.MonkeyPatch) -> None:
    """LibreOffice's VBA hands a date over as an object; xlwings on Windows reads the cell as a datetime."""
    plain, day_zero = host._cells, dt.datetime(1899, 12, 30)

    def read(value: Any) -> Any:
        rows = plain(value)
        if rows is None:
            return None
        return [[day_zero + dt.timedelta(c.Value) if hasattr(c, "Value") else c for c in row] for row in rows]

    monkeypatch.setattr(host, "_cells", read)


@pytest.fixture
def opened(libreoffice: Any, tmp_path: Path) -> Iterator[Any]:
    path = tmp_path / "billing.xlsm"
    build_workbook(path, [Button("save", "Save", "Sheets", "SA", "FileSave", "Save.")])
    with libreoffice.open(path) as workbook:
        yield workbook


def rates(sheet: Any) -> None:
    """Two tiers, first units 0 and 15, and a fixed charge by meter size, as staff type them."""
    base = {"tariff": "W1", "customer_class": "SFR", "resolution": "R-1", "gl_account": "4000", "unit": "CCF"}
    base |= {"effective_from": dt.datetime(2026, 1, 1), "applies_by": "service_days"}
    lines = [
        {"rate_id": "1", "component": "Service", "kind": "fixed", "keys": 'meter_size=5/8"', "rate": 24.06},
        {"rate_id": "2", "component": "Water", "kind": "tiered", "tier": 1, "from_unit": 0, "rate": 8.85},
        {"rate_id": "3", "component": "Water", "kind": "tiered", "tier": 2, "from_unit": 15, "rate": 10},
    ]
    sheet.range("A4").value = [[(base | line).get(name) for name in TABLE["rates"].columns] for line in lines]


def test_every_module_compiles(opened: Any) -> None:
    assert opened.modules_that_do_not_compile() == []


def test_functions_of_cells_and_of_columns(opened: Any) -> None:
    sheet = opened.book.sheets["Log"]
    sheet.range("L20").value = [[1200.0, 1214.5], [999_990.0, 12.0]]
    sheet.range("N20").formula = "=CONSUMPTION(L20,M20,6)"
    sheet.range("O20:O21").formula_array = "=CONSUMPTION(L20:L21,M20:M21,6,1)"
    sheet.range("P20:S20").formula_array = "=TIER_SPLIT(200,{0,15,41,149})"
    sheet.range("N21").formula = "=PRORATE(24.06,20,60)"
    opened.recalculate()
    assert opened.value("Log", "N20") == 14.5
    assert opened.value("Log", "O20:O21") == [14.5, 22.0]
    assert opened.value("Log", "P20:S20") == [14.0, 26.0, 108.0, 52.0]
    assert opened.value("Log", "N21") == 24.06 * 20 / 60


def test_bills_from_the_rates_table(opened: Any) -> None:
    last = chr(64 + len(TABLE["rates"].columns))
    rates(opened.book.sheets["Rates"])
    sheet = opened.book.sheets["Log"]
    sheet.range("L20").value = [[14.5], [2.7]]
    sheet.range("M20").value = [[dt.datetime(2026, 3, 1), dt.datetime(2026, 3, 31)]]
    asked = f'Rates!$A$3:${last}$6,"W1","SFR","5/8""'
    sheet.range("O20:O21").formula_array = f'=BILL_TOTAL({asked}",L20:L21,M20,N20)'
    sheet.range("P20:S22").formula_array = f'=BILL_LINES({asked}",L20,M20,N20)'
    opened.recalculate()
    # 24.06 + 14 x 8.85 + 0.5 x 10 = 152.96; 24.06 + 2.7 x 8.85 = 24.06 + 23.895 -> 47.96
    assert opened.value("Log", "O20:O21") == [152.96, 47.96]
    assert opened.value("Log", "P21:S21") == ["Water", 14.0, 8.85, 123.9]


def test_a_python_error_is_an_error_value_that_totals_show(opened: Any) -> None:
    sheet = opened.book.sheets["Log"]
    sheet.range("L20").formula = '=CONSUMPTION("x",5,6)'
    sheet.range("L21").formula = "=SUM(L20,1)"
    sheet.range("L22").formula = "=CONSUMPTION(NA(),5,6)"
    opened.recalculate()
    assert opened.error("Log", "L20") != 0
    assert opened.error("Log", "L21") != 0  # a text would have been skipped
    assert opened.error("Log", "L22") != 0
    assert any("is not a number" in error for error in opened.bridge.errors)
