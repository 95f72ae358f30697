"""The report templates: made the same each time, clean in Excel, and nothing in them that staff would trip over."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from xlbilling.maker.templates import CLOSE, PACK, REREAD, WORKPAPER, build_templates
from xlbilling.papers.reread_list import NOTE, REREADS
from xlbilling.papers.tables import CLOSE_TABLES, PACK_TABLES
from xlbilling.papers.workpaper import WORKPAPER_TABLES

COMMITTED = Path(__file__).resolve().parents[2] / "templates"
ALL = (PACK, CLOSE, REREAD, WORKPAPER)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("templates")
    build_templates(made)
    return made


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


@pytest.mark.parametrize("name", ALL)
def test_built_twice_the_bytes_are_the_same(name: str, folder: Path, tmp_path: Path):
    build_templates(tmp_path)
    assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ALL)
def test_the_committed_template_is_what_the_source_builds(name: str, folder: Path):
    assert parts(COMMITTED / name) == parts(folder / name)


@pytest.mark.parametrize("name", ALL)
def test_excel_is_expected_to_open_it_cleanly(name: str, folder: Path):
    assert OpenXmlValidator().validate(str(folder / name)).is_valid


@pytest.mark.parametrize("name", ALL)
def test_no_macros_no_merged_cells_no_formula_without_a_value(name: str, folder: Path):
    for part, content in parts(folder / name).items():
        assert "vba" not in part.lower()
        if part.startswith("xl/worksheets/sheet"):
            assert b"<mergeCell" not in content
            assert content.count(b"<f>") == len(re.findall(rb"</f><v>[^<]+</v>", content))


@pytest.mark.parametrize(
    ("name", "tables"), [(PACK, PACK_TABLES), (CLOSE, CLOSE_TABLES), (WORKPAPER, WORKPAPER_TABLES)]
)
def test_each_declared_table_has_its_sheet_set_up_for_screen_and_print(name: str, tables: tuple, folder: Path):
    book = openpyxl.load_workbook(folder / name)
    assert book.sheetnames == [
        "Summary" if name == WORKPAPER else "Cover",
        *(table.sheet.name for table in tables),
    ]
    for table in tables:
        sheet = book[table.sheet.name]
        (drawn,) = sheet.tables.values()
        assert drawn.name == table.name
        assert [column.name for column in drawn.tableColumns] == list(table.titles.values())
        assert sheet.freeze_panes == "B6"
        assert sheet.print_title_rows == "$1:$5"
        assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in {(None, 0), (1, 0)}
        assert sheet.sheet_properties.pageSetUpPr.fitToPage
        assert "Page &P of &N" in str(sheet.oddFooter.center.text)


@pytest.mark.parametrize(
    ("name", "tables"), [(PACK, PACK_TABLES), (CLOSE, CLOSE_TABLES), (WORKPAPER, WORKPAPER_TABLES)]
)
def test_money_is_to_the_right_with_two_decimals_and_ids_are_text(name: str, tables: tuple, folder: Path):
    book = openpyxl.load_workbook(folder / name)
    for table in tables:
        for cell, (_, column) in zip(book[table.sheet.name][6], table, strict=False):
            if column.kind == "money":
                assert (cell.number_format, cell.alignment.horizontal) == ("#,##0.00", "right")
            if column.kind in {"id", "text"}:
                assert cell.number_format == "@"
            if column.kind == "date":
                assert cell.is_date


def test_the_reread_list_prints_one_page_wide_with_room_to_write(folder: Path):
    book = openpyxl.load_workbook(folder / REREAD)
    (sheet,) = book.worksheets
    (drawn,) = sheet.tables.values()
    assert [column.name for column in drawn.tableColumns] == list(REREADS.titles.values())
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert sheet.print_title_rows == "$1:$5"
    assert (sheet.row_dimensions[6].height, sheet.merged_cells.ranges) == (30, set())
    assert {cell.border.left.style for cell in sheet[6][-2:]} == {"thin"}
    assert NOTE in book.defined_names
