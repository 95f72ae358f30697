"""The built VBA, ribbon and functions at work in a real spreadsheet application, and the host that shows it."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from xlbilling.maker.callbacks import callbacks_module
from xlbilling.maker.functions import WORKBOOK_OPEN, Argument, Function, embedded_xlwings, functions_module
from xlbilling.maker.ribbon import Button, Group, inject_ribbon, ribbon_xml
from xlbilling.maker.vba import Module, vba_project

host = pytest.importorskip("tests.libreoffice.host", exc_type=ImportError)  # needs LibreOffice's Python bridge
HostError, LibreOfficeHost = host.HostError, host.LibreOfficeHost
pytestmark = pytest.mark.libreoffice

BUTTONS = [
    Button("total", "Total bills", "Bills", "T", "CalculateNow", "Adds the gallons."),
    Button("fail", "Fail", "Bills", "F", "Delete"),
]
FUNCTIONS = [
    Function(
        "WATER_BILL",
        "tests.libreoffice.sample_udfs",
        "water_bill",
        (Argument("gallons", "Gallons used"), Argument("rate", "Dollars for 1,000 gallons", optional=True)),
        "The bill for one account.",
    ),
    Function(
        "WATER_BILLS",
        "tests.libreoffice.sample_udfs",
        "water_bills",
        (Argument("gallons", "A column"),),
        "All bills.",
        True,
    ),
]


def sample(path: Path, extra: tuple[Module, ...] = ()) -> Path:
    """Two buttons, two functions, one table, one named cell."""
    callbacks = callbacks_module(BUTTONS)
    callbacks = replace(callbacks, text=callbacks.text.replace("xlbilling.macros", "tests.libreoffice.sample_macros"))
    modules = [callbacks, functions_module(FUNCTIONS), *embedded_xlwings(), *extra]
    book = xlsxwriter.Workbook(str(path))
    project = vba_project(modules, ["Sheet1", "Sheet2"], WORKBOOK_OPEN)
    book.add_vba_project(io.BytesIO(project), is_stream=True)
    book.set_vba_name("ThisWorkbook")
    bills, empty = book.add_worksheet("Bills"), book.add_worksheet("It's empty")
    bills.set_vba_name("Sheet1")
    empty.set_vba_name("Sheet2")
    bills.add_table("A1:C4", {"name": "tblBills", "columns": [{"header": h} for h in ("account", "gallons", "bill")]})
    for row, gallons in enumerate((1000, 2000, 3500), 1):
        bills.write_row(row, 0, [f"0000{row}", gallons])
        bills.write_formula(row, 2, f"=WATER_BILL(B{row + 1})")
    bills.write_formula("E1", "=SUM(C2:C4)")
    bills.write_formula("E2", "=WATER_BILL(B2,10)")
    bills.write_formula("E3", "=WATER_BILL(-1)")
    bills.write_array_formula("F2:F4", "{=WATER_BILLS(B2:B4)}")
    book.define_name("total", "=Bills!$E$9")
    book.close()
    path.write_bytes(inject_ribbon(path, ribbon_xml("Billing", [Group("Bills", "Bills")], BUTTONS)))
    return path


@pytest.fixture
def opened(libreoffice: Any, tmp_path: Path) -> Iterator[Any]:
    with libreoffice.open(sample(tmp_path / "sample.xlsm")) as workbook:
        yield workbook


def test_a_button_reaches_python_and_changes_the_sheet(opened: Any) -> None:
    opened.press("total")
    assert opened.bridge.commands == [
        "import tests.libreoffice.sample_macros; tests.libreoffice.sample_macros.press('total')"
    ]
    assert opened.value("Bills", "E9") == 6500.0  # 1000 + 2000 + 3500
    opened.press("Total bills")  # by its label
    assert len(opened.bridge.commands) == 2


def test_a_python_error_of_a_button_is_told(opened: Any) -> None:
    with pytest.raises(HostError, match="no rate in force"):
        opened.press("fail")
    with pytest.raises(HostError, match="no button"):
        opened.press("unknown")


def test_functions_recalculate_alone_and_as_arrays(opened: Any) -> None:
    opened.recalculate()
    # 1000 gallons at 5.00 for 1,000, and so on; E2 at 10.00
    assert opened.value("Bills", "C2:C4") == [5.0, 10.0, 17.5]
    assert opened.value("Bills", "E1:E2") == [32.5, 10.0]
    assert opened.value("Bills", "F2:F4") == [5.0, 10.0, 17.5]
    opened.book.sheets["Bills"].range("B2").value = 4000
    opened.recalculate()
    assert opened.value("Bills", "C2") == 20.0
    assert opened.value("Bills", "F2") == 20.0


def test_a_python_error_is_an_error_value_not_a_text(opened: Any) -> None:
    opened.recalculate()
    assert opened.error("Bills", "E3") != 0
    assert opened.value("Bills", "E3") == "#VALUE!"
    assert "negative consumption" in opened.bridge.errors[-1]
    assert opened.error("Bills", "E2") == 0
    assert "Bills!E3" in opened.errors()
    opened.book.sheets["Bills"].range("E4").formula = "=SUM(E2:E3)"
    assert opened.error("Bills", "E4") != 0  # a text would have been skipped


def test_every_module_compiles(opened: Any) -> None:
    assert opened.modules_that_do_not_compile() == []
    opened.press("total")  # and all still works afterwards
    opened.recalculate()
    assert opened.value("Bills", "C2") == 5.0


@pytest.mark.parametrize(
    "text",
    [
        "Option Explicit\nPublic Sub Broken()\n    Call\nEnd Sub\n",
        "Option Explicit\nPublic Sub Broken()\n    If True Then\nEnd Sub\n",
        "Option Explicit\nPublic Sub Broken()\n    x = (1\nEnd Sub\n",
    ],
)
def test_a_module_that_does_not_compile_is_found(libreoffice: Any, tmp_path: Path, text: str) -> None:
    with libreoffice.open(sample(tmp_path / "broken.xlsm", (Module("Broken", text),))) as workbook:
        assert workbook.modules_that_do_not_compile() == ["Broken"]


def test_the_workbook_is_printed_and_pictured(opened: Any, tmp_path: Path) -> None:
    assert opened.to_pdf(tmp_path / "out.pdf").read_bytes().startswith(b"%PDF")
    pages = opened.to_png(tmp_path)
    assert pages
    assert all(page.read_bytes().startswith(b"\x89PNG") for page in pages)


def test_the_engine_reads_and_writes_like_excel(opened: Any) -> None:
    sheet = opened.book.sheets["Bills"]
    table = sheet.tables["tblBills"]
    assert [t.name for t in sheet.tables] == ["tblBills"]
    assert table.range.address == "$A$1:$C$4"
    assert table.header_row_range.value == ["account", "gallons", "bill"]
    assert table.data_body_range.shape == (3, 3)
    table.resize(sheet.range("A1:C6"))
    assert table.range.address == "$A$1:$C$6"
    assert {name.name for name in opened.book.names} >= {"total"}
    assert opened.book.names["total"].refers_to_range.address == "$E$9"
    sheet.range("H1").value = [["00012", dt.date(2026, 11, 30), 1.5], [None, True, "'=text"]]
    assert sheet.range("H1:J2").value == [["00012", dt.datetime(2026, 11, 30), 1.5], [None, 1.0, "=text"]]
    sheet.range("H4:H6").formula = "=I4*2"
    assert sheet.range("H6").formula == "=I6*2"
    sheet.range("K1").formula = "='It''s empty'!A1+SUM(B2,B3)+COUNTIF(B2:B4,\">1500\")"
    assert sheet.range("K1").value == 3002.0  # 0 + 1000 + 2000 + two of them above 1500
    assert sheet.range("K1").formula == "='It''s empty'!A1+SUM(B2,B3)+COUNTIF(B2:B4,\">1500\")"
    sheet.range("K2").formula = "=SUM(tblBills[gallons])"
    assert sheet.range("K2").value == 6500.0
    assert sheet.range("K2").formula == "=SUM(tblBills[gallons])"
    sheet.range("K3").formula = "=tblBills[[#This Row],[gallons]]*'It''s empty'!A1&\";,.!\""
    assert sheet.range("K3").formula == "=tblBills[[#This Row],[gallons]]*'It''s empty'!A1&\";,.!\""
    assert sheet.range("K3").value == "0;,.!"
    sheet.range("H8").options(pd.DataFrame, index=False).value = pd.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert sheet.range("H8:I10").value == [["a", "b"], [1.0, "x"], [2.0, None]]
    cell = sheet.range("H8")
    cell.number_format, cell.color, cell.font.bold = "0.00", "#FF8000", True
    assert (cell.number_format, cell.color, cell.font.bold) == ("0.00", (255, 128, 0), True)
    cell.add_note("look at this")
    assert cell.note.text == "look at this"
    cell.note.delete()
    assert cell.note is None
    other = opened.book.sheets["It's empty"]
    other.visible = False
    assert not other.visible
    other.visible = True
    other.activate()
    assert opened.book.sheets.active.name == "It's empty"
    added = opened.book.sheets.add("New", after=sheet)
    assert [s.name for s in opened.book.sheets] == ["Bills", "New", "It's empty"]
    added.delete()
    assert sheet.range("A1").expand().last_cell.row == 4


def test_a_step_that_hangs_is_ended(tmp_path: Path) -> None:
    endless = Module("Endless", "Option Explicit\nPublic Sub Forever()\n    Do\n    Loop\nEnd Sub\n")
    with LibreOfficeHost() as office:
        workbook = office.open(sample(tmp_path / "endless.xlsm", (endless,)))
        with pytest.raises(HostError, match="took longer"), office.limit("Endless.Forever", 2):
            workbook._impl.run_macro("Endless.Forever")
        process: Any = office.process
        assert process.wait(10) != 0
    assert not office.folder.exists()
