"""billing.xlsm as built: the same bytes twice, everything the declarations say, clean for Excel."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from openxml_audit import OpenXmlValidator

from xlbilling.maker import build_workbook
from xlbilling.maker.sheets import code_name
from xlbilling.maker.workbook import code_names, sheet_names
from xlbilling.office.desk.buttons import BUTTONS
from xlbilling.udfs import FUNCTIONS
from xlbilling.words.records import TABLE, TABLES
from xlbilling.workbook.looks import NUMBER_FORMAT
from xlbilling.workbook.named_cells import FIXED_ROWS, LIST_CORNERS, TILES
from xlbilling.workbook.port import in_book

pytestmark = [
    pytest.mark.filterwarnings("ignore:Print area cannot be set"),  # whole columns are news to openpyxl
    pytest.mark.filterwarnings("ignore::DeprecationWarning:oletools"),
]

VBA_Parser = pytest.importorskip("oletools.olevba", reason="oletools is installed on Linux only").VBA_Parser
COMMITTED = Path(__file__).resolve().parents[2] / "billing.xlsm"
DATA = [TABLE[record.sheet.table] for record in TABLES]
NAMES = {"Period", "Cycle", "View", "StoreUrl", "ReadsFile", "PaymentsFile", "LedgerFile", "Message", "Question"}
NAMES |= {"Asked", "Actor", "ChainHead", "AuditState", "AuditDifference", "Marked", "Filled"} | TILES


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workbook") / "billing.xlsm"
    build_workbook(path)
    return path


@pytest.fixture(scope="session")
def book(built: Path) -> openpyxl.Workbook:
    return openpyxl.load_workbook(built, keep_vba=True)


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_built_twice_it_is_the_same_file(built, tmp_path):
    again = tmp_path / "again.xlsm"
    build_workbook(again)
    assert again.read_bytes() == built.read_bytes()


def test_the_committed_workbook_is_what_the_source_builds(built):
    if not COMMITTED.is_file():
        pytest.skip("billing.xlsm is not committed yet; build it with: xlbilling build")
    fresh, committed = parts(built), parts(COMMITTED)
    assert list(committed) == list(fresh)
    stale = [name for name in fresh if committed[name] != fresh[name]]
    assert stale == [], "the committed billing.xlsm is out of date; rebuild it with: xlbilling build"


def test_excel_opens_it_cleanly(built):
    result = OpenXmlValidator().validate(str(built))
    assert not result.errors


def test_sheets_stand_in_order_and_match_their_vba_modules(book):
    assert book.sheetnames == sheet_names()
    assert [sheet.sheet_properties.codeName for sheet in book.worksheets] == code_names()
    assert code_name("Bill lines") == "SheetBillLines"
    assert book.active.title == "Start"


def test_no_table_has_the_name_of_a_function(book):
    tables = {name.upper() for sheet in book.worksheets for name in sheet.tables}
    assert not tables & {*FUNCTIONS, "TODAY", "LOG", "DAYS", "RATE", "YEAR", "MONTH"}
    assert all(len(name) > 3 for name in tables)
    assert not {name.upper() for name in book.defined_names} & (tables | set(FUNCTIONS))


def test_every_name_stands_for_one_cell(book):
    single = {name: definition.attr_text for name, definition in book.defined_names.items()}
    assert set(single) >= NAMES
    assert single["AuditState"].startswith("'Audit'!")
    assert len({single[name] for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("table", DATA, ids=lambda table: table.name)
def test_each_data_sheet_holds_its_one_table(book, table):
    sheet: Worksheet = book[table.sheet.name]
    assert list(sheet.tables) == [in_book(table.name)]
    assert sheet.tables[in_book(table.name)].ref.startswith("A3:")
    assert [cell.value for cell in sheet[3]][: len(table.columns)] == list(table.titles.values())
    assert sheet.freeze_panes == "B4"
    assert not sheet.merged_cells.ranges
    assert sheet.tables[in_book(table.name)].autoFilter is not None
    for position, column in enumerate(table.columns.values(), start=1):
        assert sheet.cell(4, position).number_format == NUMBER_FORMAT[column.kind]
        assert column.note in sheet.cell(3, position).comment.text


@pytest.mark.parametrize("table", DATA, ids=lambda table: table.name)
def test_each_data_sheet_prints_one_page_wide_with_its_header(book, table):
    sheet: Worksheet = book[table.sheet.name]
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth or 1, sheet.page_setup.fitToHeight) == (1, 0)
    assert sheet.print_title_rows == "$1:$3"
    assert "of &N" in sheet.oddFooter.right.text


@pytest.mark.parametrize("table", DATA, ids=lambda table: table.name)
def test_typed_columns_are_checked_as_they_are_typed(book, table):
    rules = {str(rule.sqref).split(":")[0]: rule for rule in book[table.sheet.name].data_validations.dataValidation}
    for letter, column in zip(_letters(len(table.columns)), table.columns.values(), strict=True):
        rule = rules.get(f"{letter}4")
        if column.filled == "typed" and column.choices:
            assert rule.type == "list"
            assert rule.formula1 == f'"{",".join(column.choices)}"'
        elif column.offered:
            at = list(TABLE["choices"].columns).index(column.offered)
            assert (rule.type, rule.showErrorMessage) == ("list", False)  # offered, and another word may be typed
            assert rule.formula1.startswith(f"OFFSET(Choices!${_letters(at + 1)[-1]}$4,0,0,MAX(1,")
        elif column.filled == "typed" and column.kind in ("date", "money", "quantity", "whole"):
            assert rule.type in ("date", "decimal", "whole")
        else:
            assert rule is None


def _letters(count: int) -> list[str]:
    return [openpyxl.utils.get_column_letter(number) for number in range(1, count + 1)]


def test_totals_and_checks_stand_above_the_tables(book):
    sheet = book["Bills"]
    fields = list(TABLE["bills"].columns)
    assert sheet.cell(2, fields.index("amount") + 1).value == "=SUBTOTAL(109,bills[Amount])"
    assert "ISERROR(bills[Amount])+ISTEXT(bills[Amount])" in sheet["B2"].value
    assert book["Audit"]["F2"].value == "=SUMPRODUCT(ABS(audit[Difference]))"


def test_start_holds_its_lists_links_and_charts(book):
    sheet = book["Start"]
    assert set(sheet.tables) == set(map(in_book, FIXED_ROWS))
    for name, rows in FIXED_ROWS.items():
        area = openpyxl.utils.cell.range_boundaries(sheet.tables[in_book(name)].ref)
        assert area[3] - area[1] == rows
    links = [cell.hyperlink.location for row in sheet.iter_rows() for cell in row if cell.hyperlink]
    linked = {link.split("!")[0].strip("'") for link in links}
    assert linked == set(sheet_names()) - {"Start"}
    for row in sheet.iter_rows():
        for cell in row:
            if cell.hyperlink:  # and nothing was written over its words
                assert cell.hyperlink.location == f"'{cell.value}'!A1"
    (runs, months), today = (LIST_CORNERS[name] for name in ("runs", "months")), LIST_CORNERS["today"]
    titles = {
        name: sheet.cell(row - 1, column).value
        for name, (row, column) in {"Today": today, "Cycles": runs, "Months": months}.items()
    }
    assert titles == {name: name for name in titles}
    used = [
        cell.row
        for row in sheet.iter_rows(max_row=runs[0] - 2)
        for cell in row
        if (cell.has_style and cell.border.bottom.style) or cell.hyperlink
    ]
    assert max(used) < runs[0] - 2, "a row of air stands above the lower lists"
    assert {str(area) for area in sheet.merged_cells.ranges} == {
        "B3:L3",
        "B4:L4",
        "B5:L5",
    }  # what a button says, wrapped


@pytest.mark.parametrize("table", DATA, ids=lambda table: table.name)
def test_the_count_of_rows_has_room_above_the_first_column(book, table):
    """A number too wide for its cell shows as ###: "10,000 rows" fits, and a million rows shrink."""
    sheet = book[table.sheet.name]
    assert sheet.column_dimensions["A"].width >= len("10,000 rows") + 2
    assert sheet["A2"].alignment.shrink_to_fit


def test_charts_ribbon_and_macros_are_in(built):
    inside = parts(built)
    assert {"xl/charts/chart1.xml", "xl/charts/chart2.xml"} <= set(inside)
    ribbon = inside["customUI/customUI.xml"].decode()
    assert ribbon.count("<button ") == len(BUTTONS) > 0
    code = "\n".join(text for *_, text in VBA_Parser(str(built)).extract_macros())
    for name in BUTTONS:
        assert f"xlbilling.macros.press('{name}')" in code
    for name in FUNCTIONS:
        assert f"Public Function {name}(" in code
    assert "CVErr(xlErrValue)" in code


def test_a_failed_build_leaves_the_old_file(tmp_path):
    target = tmp_path / "billing.xlsm"
    target.write_bytes(b"old")
    twice = [BUTTONS["save"]] * 2
    with pytest.raises(ValueError, match="twice"):
        build_workbook(target, twice)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
