"""Filling tables of a workbook file: what changes, what must not, and what is refused."""

from __future__ import annotations

import datetime as dt
import io
import re
import struct
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
import python_calamine
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from openxml_audit import OpenXmlValidator

from xlbilling.maker.vba import Module, vba_project
from xlbilling.words.problems import Conflict, Refusal
from xlbilling.workbook.file import package
from xlbilling.workbook.file.splice import Formula, FormulaColumn, write_cells, write_tables

ROWS = {
    "account": ["00012", "00013"],
    "due": [dt.date(2026, 11, 30)] * 2,
    "amount": [Decimal("12.50"), Decimal("7.25")],
}


def template(path: Path, totals: bool = True, blank_rows: int = 1) -> Path:
    """A workbook as staff would have it: title, table with a computed column, chart, drop-down, notes beside, VBA."""
    book = xlsxwriter.Workbook(str(path))
    book.add_vba_project(io.BytesIO(vba_project([Module("Billing", "Option Explicit\n")], ["Sheet1", "Sheet2"])), True)
    day, money = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "#,##0.00"})
    bills, charts = book.add_worksheet("Bills"), book.add_worksheet("It's & charts")
    book.set_vba_name("ThisWorkbook")
    bills.set_vba_name("Sheet1")
    charts.set_vba_name("Sheet2")
    columns: list[dict[str, Any]] = [
        {"header": "account", "total_string": "Total"},
        {"header": "due", "format": day},
        {"header": "amount", "format": money, "total_function": "sum"},
        {"header": "tax", "formula": "=[@amount]*0.1", "format": money},
    ]
    last = 2 + blank_rows
    bills.add_table(2, 0, last + totals, 3, {"name": "tblBills", "total_row": totals, "columns": columns})
    bills.write_row("A4", ["", None, None])
    bills.write_datetime("B4", dt.datetime(2026, 1, 1), day)
    bills.write_number("C4", 1, money)
    bills.write("A1", "title")
    bills.write("F4", "first note")
    bills.write("F6", "third note")
    bills.write_formula("H1", f"=SUM(C4:C{last + 1})")
    bills.data_validation(f"A4:A{last + 1}", {"validate": "list", "source": ["00012", "00013"]})
    bills.conditional_format(f"C4:C{last + 1}", {"type": "data_bar", "data_bar_2010": True})
    bills.print_area(0, 0, last + totals, 3)
    bills.add_sparkline("G1", {"range": f"Bills!C4:C{last + 1}"})
    book.define_name("amounts", f"=Bills!$C$4:$C${last + 1}")
    book.define_name("grand_total", f"=Bills!$C${last + 2}")
    book.define_name("heading", "=Bills!$A$1")
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {"name": "=Bills!$C$3", "values": f"=Bills!$C$4:$C${last + 1}", "categories": ["Bills", 3, 0, last, 0]}
    )
    charts.insert_chart("A1", chart)
    charts.write_formula("Z1", f"=SUM(Bills!C4:C{last + 1})+Bills!A1")
    charts.write_formula("Z2", "=SUM(tblBills[amount])")
    for number in range(3):
        book.add_worksheet(f"Other{number}").write("A1", "untouched")
    book.close()
    return path


def raw_members(path: Path) -> dict[str, tuple[bytes, int]]:
    """Every member's compressed bytes and checksum, read without the module under test."""
    found = {}
    with zipfile.ZipFile(path) as file, path.open("rb") as raw:
        assert file.testzip() is None
        for info in file.infolist():
            raw.seek(info.header_offset + 26)
            name, extra = struct.unpack("<HH", raw.read(4))
            raw.seek(info.header_offset + 30 + name + extra)
            found[info.filename] = raw.read(info.compress_size), info.CRC
    return found


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as file:
        return file.read(name).decode()


def assert_opens_cleanly(path: Path) -> None:
    result = OpenXmlValidator().validate(str(path))
    assert result.is_valid, [str(error) for error in result.errors]


def sheet_rows(path: Path, sheet: str = "Bills") -> list[list[Any]]:
    return [[cell.value for cell in row] for row in openpyxl.load_workbook(path)[sheet].iter_rows()]


def test_only_what_is_filled_changes(tmp_path: Path) -> None:
    source, target = template(tmp_path / "a.xlsm"), tmp_path / "b.xlsm"
    write_tables(source, target, {"tblBills": ROWS}, {"heading": "November 2026"})
    before, after = raw_members(source), raw_members(target)
    assert list(before) == list(after)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        "xl/workbook.xml",
        "xl/worksheets/sheet1.xml",  # the table's own sheet
        "xl/worksheets/sheet2.xml",  # has a formula over the table's rows
        "xl/tables/table1.xml",
        "xl/charts/chart1.xml",
    }
    assert_opens_cleanly(source)
    assert_opens_cleanly(target)


def test_rows_styles_totals_and_notes(tmp_path: Path) -> None:
    target = tmp_path / "b.xlsm"
    write_tables(template(tmp_path / "a.xlsm"), target, {"tblBills": ROWS}, {"heading": "November 2026"})
    rows = sheet_rows(target)
    assert rows[0][0] == "November 2026"
    assert rows[2][:4] == ["account", "due", "amount", "tax"]
    tax = "=tblBills[[#This Row],[amount]]*0.1"
    assert rows[3] == ["00012", dt.datetime(2026, 11, 30), 12.5, tax, None, "first note", None, None]
    assert rows[4] == ["00013", dt.datetime(2026, 11, 30), 7.25, tax, None, None, None, None]
    assert rows[5] == ["Total", None, "=SUBTOTAL(109,[amount])", None, None, "third note", None, None]
    sheet = openpyxl.load_workbook(target)["Bills"]
    assert [sheet.cell(row, 3).number_format for row in (4, 5)] == ["#,##0.00"] * 2
    assert sheet.tables["tblBills"].ref == "A3:D6"
    assert sheet.tables["tblBills"].autoFilter.ref == "A3:D5"
    assert sheet.dimensions == "A1:H6"
    assert python_calamine.load_workbook(str(target)).get_sheet_by_name("Bills").to_python()[3][:3] == [
        "00012",
        dt.date(2026, 11, 30),
        12.5,
    ]


@pytest.mark.parametrize("blank_rows", [1, 2, 9])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 40])
@pytest.mark.parametrize("totals", [True, False])
def test_everything_follows_the_last_row(tmp_path: Path, blank_rows: int, count: int, totals: bool) -> None:
    source, target = template(tmp_path / "a.xlsm", totals, blank_rows), tmp_path / "b.xlsm"
    values = {"account": ["x"] * count, "due": [None] * count, "amount": np.arange(count)}
    write_tables(source, target, {"tblBills": values})
    last = 3 + max(count, 1)  # a table without rows keeps one blank row
    book = openpyxl.load_workbook(target)
    sheet = book["Bills"]
    assert sheet.tables["tblBills"].ref == f"A3:D{last + totals}"
    assert sheet.print_area == f"'Bills'!$A$1:$D${last + totals}"
    assert book.defined_names["amounts"].attr_text == f"Bills!$C$4:$C${last}"
    if totals:
        assert book.defined_names["grand_total"].attr_text == f"Bills!$C${last + 1}"
        assert sheet.cell(last + 1, 1).value == "Total"
    assert [str(v.sqref) for v in sheet.data_validations.dataValidation] == [f"A4:A{last}" if last > 4 else "A4"]
    assert [str(area.sqref) for area in sheet.conditional_formatting] == [f"C4:C{last}" if last > 4 else "C4"]
    chart = part(target, "xl/charts/chart1.xml")
    references = [re.sub(r"(.+)!(.+):\2$", r"\1!\2", r) for r in re.findall(r"<c:f>([^<]*)</c:f>", chart)]
    assert references == ["Bills!$C$3", *[f"Bills!${c}$4" + (f":${c}${last}" if last > 4 else "") for c in "AC"]]
    assert sheet["H1"].value == f"=SUM(C4:C{last})"
    assert book["It's & charts"]["Z1"].value == f"=SUM(Bills!C4:C{last})+Bills!A1"
    numbers = [int(n) for n in re.findall(r'<row r="(\d+)"', part(target, "xl/worksheets/sheet1.xml"))]
    assert numbers == sorted(set(numbers))
    assert sheet["F6"].value == "third note"
    assert_opens_cleanly(target)


def test_refilling_gives_the_same_as_filling_once(tmp_path: Path) -> None:
    source, long, short, once = (template(tmp_path / "a.xlsm"), *(tmp_path / f"{n}.xlsm" for n in "bcd"))
    many = {"account": ["x"] * 50, "due": [None] * 50, "amount": [1.5] * 50}
    write_tables(source, long, {"tblBills": many})
    write_tables(long, short, {"tblBills": ROWS})
    write_tables(source, once, {"tblBills": ROWS})
    assert sheet_rows(short) == sheet_rows(once)
    for name in ("xl/tables/table1.xml", "xl/charts/chart1.xml", "xl/workbook.xml"):
        assert part(short, name) == part(once, name)
    write_tables(short, short, {"tblBills": ROWS})  # onto itself
    assert sheet_rows(short) == sheet_rows(once)


cell_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t&<>\"'=+-@ _x"), max_size=30
) | st.sampled_from(["=1+1", "_x0041_", " lead", "trail ", "]]>", "&amp;", "+1", "@x"])
values = (
    st.none()
    | st.booleans()
    | st.integers(-(10**15) + 1, 10**15 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.dates(dt.date(1900, 3, 1))
    | cell_text
)


@given(st.lists(st.tuples(values, cell_text, st.floats(-1e12, 1e12), values), min_size=1, max_size=30))
def test_values_read_back_as_written(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[Any, ...]]) -> None:
    folder = tmp_path_factory.mktemp("values")
    source, target = template(folder / "a.xlsm", totals=False), folder / "b.xlsm"
    columns = dict(zip(("account", "due", "amount", "tax"), map(list, zip(*rows, strict=True)), strict=True))
    write_tables(source, target, {"tblBills": columns})
    sheet = openpyxl.load_workbook(target)["Bills"]
    root = part(target, "xl/worksheets/sheet1.xml")
    assert "<f>tblBills" not in root
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            cell = sheet.cell(4 + place, 1 + column)
            assert cell.data_type != "f"
            read = cell.value
            if isinstance(value, str):
                assert re.sub("_x005F_", "_", read or "") == value  # openpyxl leaves Excel's escape as it is
            elif isinstance(value, dt.date):
                serial = (read - dt.datetime(1899, 12, 30)).days if isinstance(read, dt.datetime) else read
                assert serial == (value - dt.date(1899, 12, 30)).days
            elif isinstance(read, dt.datetime | dt.time | dt.timedelta):
                continue  # a number under the date format
            else:
                assert read == value
                assert isinstance(read, bool) == isinstance(value, bool)


def test_column_kinds_of_pandas_and_numpy(tmp_path: Path) -> None:
    target = tmp_path / "b.xlsm"
    frame = pd.DataFrame(
        {
            "account": pd.Series(["a & b", None, ""], dtype="str"),
            "due": pd.Series([pd.Timestamp("2026-11-01"), pd.NaT, pd.Timestamp("2026-11-03 12:00")]),
            "amount": [1.5, np.nan, -0.1],
            "tax": pd.array([1, None, 3], dtype="Int64"),
        }
    )
    write_tables(template(tmp_path / "a.xlsm"), target, {"tblBills": {c: frame[c] for c in frame}})
    rows = sheet_rows(target)
    assert rows[3][:4] == ["a & b", dt.datetime(2026, 11, 1), 1.5, 1]
    assert rows[4][:4] == [None, None, None, None]
    assert rows[5][:4] == [None, dt.datetime(2026, 11, 3, 12), -0.1, 3]
    assert [cell.number_format for cell in openpyxl.load_workbook(target)["Bills"][5]][1:3] == [
        "yyyy-mm-dd",
        "#,##0.00",
    ]
    kinds = {
        "account": pd.Series(["x", "y"], dtype="category"),
        "due": np.array(["2026-11-01", "2026-11-02"], dtype="datetime64[D]"),
        "amount": np.array([True, False]),
        "tax": [dt.time(6), dt.timedelta(days=2)],
    }
    write_tables(template(tmp_path / "a.xlsm"), target, {"tblBills": kinds})
    rows = [row[:4] for row in python_calamine.load_workbook(str(target)).get_sheet_by_name("Bills").to_python()]
    assert rows[3] == ["x", dt.date(2026, 11, 1), True, 0.25]
    assert rows[4] == ["y", dt.date(2026, 11, 2), False, 2.0]


def test_formulas_with_and_without_their_values(tmp_path: Path) -> None:
    target = tmp_path / "b.xlsm"
    columns = {
        "account": [Formula('=IF(C4>"1",1,2)', "yes & no"), Formula("A3", 2.5), Formula("A3", True)],
        "due": FormulaColumn("C{row}*2"),
        "amount": FormulaColumn("ROUND(1.005,2)", np.array([1.01, 2.02, 3.03])),
        "tax": FormulaColumn('[@amount]*0.1 & "50%"'),
    }
    write_tables(template(tmp_path / "a.xlsm"), target, {"tblBills": columns})
    rows = sheet_rows(target)
    assert [row[0] for row in rows[3:6]] == ['=IF(C4>"1",1,2)', "=A3", "=A3"]
    assert [row[1] for row in rows[3:6]] == ["=C4*2", "=C5*2", "=C6*2"]
    assert [row[3] for row in rows[3:6]] == ['=tblBills[[#This Row],[amount]]*0.1 & "50%"'] * 3
    shown = openpyxl.load_workbook(target, data_only=True)["Bills"]
    assert [shown.cell(row, 1).value for row in (4, 5, 6)] == ["yes & no", 2.5, True]
    assert [shown.cell(row, 3).value for row in (4, 5, 6)] == [1.01, 2.02, 3.03]
    assert 'fullCalcOnLoad="1"' in part(target, "xl/workbook.xml")
    assert_opens_cleanly(target)


def test_wide_tables_and_columns_left_and_right(tmp_path: Path) -> None:
    path, target = tmp_path / "wide.xlsx", tmp_path / "b.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Wide")
    titles = [f"c{number}" for number in range(60)]
    sheet.add_table(0, 1, 1, 60, {"name": "Wide", "columns": [{"header": title} for title in titles]})
    sheet.write_column("A1", ["mark", 1, 2, 3])
    sheet.write_column("BK1", ["staff's own", "x", None, "z"])
    book.close()
    write_tables(path, target, {"Wide": {title: [title, 1.5] for title in titles}})
    rows = sheet_rows(target, "Wide")
    assert rows[1] == [1, *titles, None, "x"]
    assert rows[2] == [2, *[1.5] * 60, None, None]
    assert rows[3] == [3, *[None] * 60, None, "z"]
    letters = re.findall(r'<c r="([A-Z]+)2"', part(target, "xl/worksheets/sheet1.xml"))
    assert letters == sorted(letters, key=lambda x: (len(x), x))
    assert_opens_cleanly(target)


def test_calculation_chain_is_dropped(tmp_path: Path) -> None:
    source = template(tmp_path / "a.xlsm")
    chained, target = tmp_path / "chained.xlsm", tmp_path / "b.xlsm"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(chained, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "[Content_Types].xml":
                kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
                text = text.replace(
                    b"</Types>", f'<Override PartName="/xl/calcChain.xml" ContentType="{kind}"/></Types>'.encode()
                )
            if name == "xl/_rels/workbook.xml.rels":
                kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/calcChain"
                text = text.replace(
                    b"</Relationships>",
                    f'<Relationship Id="rIdC" Type="{kind}" Target="calcChain.xml"/></Relationships>'.encode(),
                )
            if name == "xl/workbook.xml":
                text = re.sub(rb"<calcPr[^>]*/>", b"", text)
            new.writestr(name, text)
        main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
        new.writestr("xl/calcChain.xml", f'<calcChain xmlns="{main}"><c r="D4" i="1"/></calcChain>')
    write_tables(chained, target, {"tblBills": ROWS})
    assert "xl/calcChain.xml" not in raw_members(target)
    assert "calcChain" not in part(target, "[Content_Types].xml") + part(target, "xl/_rels/workbook.xml.rels")
    assert '</definedNames><calcPr fullCalcOnLoad="1"/>' in part(target, "xl/workbook.xml")
    assert_opens_cleanly(target)


def test_filters_and_sorting_by_value_are_taken_off(tmp_path: Path) -> None:
    path, target = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["account", "amount"], ["a", 1], ["b", 2]):
        sheet.append(row)
    table = openpyxl.worksheet.table.Table(displayName="T", ref="A1:B3")
    table.autoFilter = openpyxl.worksheet.filters.AutoFilter(ref="A1:B3")
    table.autoFilter.add_filter_column(0, ["b"])
    sheet.add_table(table)
    sheet.row_dimensions[2].hidden = True
    book.save(path)
    write_tables(path, target, {"T": {"account": ["c", "d"], "amount": [3, 4]}})
    assert "filterColumn" not in part(target, "xl/tables/table1.xml")
    assert "hidden" not in part(target, "xl/worksheets/sheet1.xml")
    assert sheet_rows(target, "Sheet") == [["account", "amount"], ["c", 3], ["d", 4]]


def two_tables(path: Path, second: tuple[int, int]) -> Path:
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Both")
    sheet.add_table(0, 0, 1, 1, {"name": "Upper", "columns": [{"header": "a"}, {"header": "b"}]})
    row, column = second
    sheet.add_table(row, column, row + 1, column, {"name": "Second", "columns": [{"header": "c"}]})
    book.close()
    return path


def test_tables_side_by_side_are_both_filled(tmp_path: Path) -> None:
    target = tmp_path / "b.xlsx"
    source = two_tables(tmp_path / "a.xlsx", (0, 3))
    write_tables(source, target, {"Upper": {"a": [1, 2, 3], "b": [4, 5, 6]}, "Second": {"c": ["x", "y"]}})
    assert sheet_rows(target, "Both") == [
        ["a", "b", None, "c"],
        [1, 4, None, "x"],
        [2, 5, None, "y"],
        [3, 6, None, None],
    ]
    assert_opens_cleanly(target)


def refused(code: str, source: Path, tables: dict[str, Any], cells: dict[str, Any] | None = None) -> str:
    target = source.with_name("refused.xlsx")
    with pytest.raises(Refusal) as error:
        write_tables(source, target, tables, cells)
    assert error.value.problem.code == code
    assert not target.exists()
    assert [p.name for p in source.parent.iterdir() if p.name.startswith(".")] == []
    return error.value.line


def test_a_table_that_would_grow_over_another_is_refused(tmp_path: Path) -> None:
    source = two_tables(tmp_path / "a.xlsx", (4, 0))
    write_tables(source, tmp_path / "b.xlsx", {"Upper": {"a": [1, 2], "b": [1, 2]}})  # still above row 5
    line = refused("SHEET-BELOW", source, {"Upper": {"a": [1] * 5, "b": [1] * 5}})
    assert "Second" in line


def test_a_table_that_would_grow_over_a_cell_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("S")
    sheet.add_table(0, 0, 1, 0, {"name": "T", "columns": [{"header": "a"}]})
    sheet.write("A5", "signature")
    book.close()
    assert "S!A5" in refused("SHEET-BELOW", path, {"T": {"a": [1, 2, 3, 4]}})
    write_tables(path, tmp_path / "b.xlsx", {"T": {"a": [1, 2, 3]}})
    assert sheet_rows(tmp_path / "b.xlsx", "S")[4] == ["signature"]


@pytest.mark.parametrize(
    ("code", "changes", "where"),
    [
        ("SHEET-TEXT", {"account": ["fine", "bell \x07"]}, "Bills!A5"),
        ("SHEET-TEXT", {"account": ["x" * 32768, "b"]}, "Bills!A4"),
        ("SHEET-NUMBER", {"amount": [1.5, float("inf")]}, "Bills!C5"),
        ("SHEET-NUMBER", {"amount": [1, 10**15]}, "Bills!C5"),
        ("SHEET-NUMBER", {"amount": [object(), 1]}, "Bills!C4"),
        ("SHEET-NUMBER", {"due": [dt.date(1900, 2, 28), None]}, "Bills!B4"),
        ("SHEET-NUMBER", {"due": np.array(["2026-01-01", "1800-01-01"], dtype="datetime64[D]")}, "Bills!B5"),
        ("SHEET-NUMBER", {"due": [dt.datetime(2026, 1, 1, tzinfo=dt.UTC), None]}, "Bills!B4"),
        ("BOOK-TABLE", {"no such": [1, 2]}, "tblBills"),
    ],
)
def test_values_no_cell_can_hold_are_refused(tmp_path: Path, code: str, changes: dict[str, Any], where: str) -> None:
    assert where in refused(code, template(tmp_path / "a.xlsm"), {"tblBills": ROWS | changes})


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    source = template(tmp_path / "a.xlsm")
    refused("BOOK-TABLE", source, {"tblNone": {}})
    assert "due" in refused("BOOK-TABLE", source, {"tblBills": {"account": [], "amount": []}})
    refused("BOOK-NAME", source, {}, {"nowhere": 1})
    assert "$C$4:$C$5" in refused("BOOK-NAME", template(tmp_path / "a.xlsm", blank_rows=2), {}, {"amounts": 1})
    refused("SHEET-FULL", source, {"tblBills": {c: [None] * 1_048_573 for c in ROWS}})
    (tmp_path / "text.xlsx").write_text("no zip")
    refused("BOOK-FORM", tmp_path / "text.xlsx", {})
    refused("BOOK-FORM", tmp_path / "missing.xlsx", {})
    with pytest.raises(ValueError, match="not equally long"):
        write_tables(source, tmp_path / "b.xlsm", {"tblBills": ROWS | {"amount": [1]}})


def test_a_workbook_open_in_excel_is_a_conflict(tmp_path: Path) -> None:
    source, target = template(tmp_path / "a.xlsm"), tmp_path / "b.xlsm"
    (tmp_path / "~$b.xlsm").write_bytes(b"")
    with pytest.raises(Conflict, match="open in Excel"):
        write_tables(source, target, {"tblBills": ROWS})
    assert not target.exists()


def test_a_crash_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = template(tmp_path / "a.xlsm")
    before = source.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(package.os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_tables(source, source, {"tblBills": ROWS})
    assert source.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.xlsm"]


def test_named_cells_keep_their_format_and_make_their_row(tmp_path: Path) -> None:
    path, target = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Start")
    percent = book.add_format({"num_format": "0.00%"})
    sheet.write_row("A2", ["label", 0.5, "right"], percent)
    for name, cell in {"rate": "$B$2", "far": "$AC$9", "top": "$A$1", "between": "$D$2"}.items():
        book.define_name(name, f"=Start!{cell}")
    book.close()
    write_tables(
        path, target, {}, {"rate": 0.25, "far": "=x", "top": dt.date(2026, 11, 30), "Between": Formula("B2*2", 0.5)}
    )
    sheet = openpyxl.load_workbook(target)["Start"]
    assert sheet["B2"].value == 0.25
    assert sheet["B2"].number_format == "0.00%"
    assert (sheet["AC9"].value, sheet["AC9"].data_type) == ("=x", "s")
    assert sheet["A1"].value == 46356  # days from 30 December 1899 to 30 November 2026
    assert sheet["D2"].value == "=B2*2"
    assert [cell.value for cell in sheet[2]][:4] == ["label", 0.25, "right", "=B2*2"]
    assert_opens_cleanly(target)


def test_the_xml_is_as_excel_wants_it(tmp_path: Path) -> None:
    path, target = tmp_path / "a.xlsx", tmp_path / "b.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("S")
    sheet.add_table(1, 0, 3, 0, {"name": "T", "total_row": True, "columns": [{"header": "a"}]})
    sheet.write_array_formula("A4", "{=SUM(A3:A3*2)}")
    sheet.write_row("B1", [1, None, 3])
    book.define_name("first", "=S!$A$1")
    book.define_name("middle", "=S!$C$1")
    book.close()
    write_tables(path, target, {"T": {"a": [" lead", "_x0041_", "a\nb"]}}, {"middle": 2, "first": "x"})
    xml = part(target, "xl/worksheets/sheet1.xml")
    assert '<t xml:space="preserve"> lead</t>' in xml  # else Excel drops the blank
    assert "<t>_x005F_x0041_</t>" in xml  # else Excel shows the letter A
    assert '<t xml:space="preserve">a\nb</t>' in xml
    assert '<c r="A6"><f t="array" ref="A6">SUM(A3:A5*2)</f>' in xml  # the totals row with its array formula
    assert re.findall(r'<c r="([A-Z]1)"', xml) == ["A1", "B1", "C1", "D1"]


def test_cells_of_a_sheet_that_is_not_there_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    book = xlsxwriter.Workbook(str(path))
    book.add_worksheet("Start")
    book.close()
    with pytest.raises(Refusal) as refused:
        write_cells(path, path, "Nowhere", {"A1": 1})
    assert refused.value.problem.code == "BOOK-SHEET"
