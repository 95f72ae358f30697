"""The report pack and the close packet, filled from their templates: figures, looks, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from invented_month import CHAIN_HEAD, close_facts, pack_facts
from openpyxl.styles import Font
from openxml_audit import OpenXmlValidator, ValidationSeverity

from tests.examples import costly
from xlbilling.maker import templates
from xlbilling.maker.templates import CLOSE, PACK, build_templates
from xlbilling.papers.pack import PackFacts, close_packet, foots, report_pack
from xlbilling.papers.tables import EXCEPTIONS
from xlbilling.words.problems import Refusal
from xlbilling.words.records import Table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The templates, and pack.xlsx and close.xlsx filled from them."""
    made = tmp_path_factory.mktemp("reports")
    build_templates(made)
    report_pack(made / PACK, made / "pack.xlsx", pack_facts())
    report_pack(made / PACK, made / "buckets-4.xlsx", pack_facts(buckets=(30, 60, 90, 120)))
    close_packet(made / CLOSE, made / "close.xlsx", close_facts())
    return made


def table_rows(path: Path, sheet: str) -> list[dict[str, Any]]:
    """The rows of the table on a sheet, by heading, wherever staff have moved it."""
    cells = openpyxl.load_workbook(path, data_only=True)[sheet]
    (table,) = cells.tables.values()
    heading, *rows = [[cell.value for cell in row] for row in cells[table.ref]]
    return [dict(zip(heading, row, strict=True)) for row in rows]


def formulas(path: Path) -> dict[str, str]:
    book = openpyxl.load_workbook(path)
    cells = ((sheet, cell) for sheet in book for row in sheet.iter_rows() for cell in row if cell.data_type == "f")
    return {f"{sheet.title}!{cell.coordinate}": cell.value for sheet, cell in cells}


def values(path: Path, cells: list[str]) -> dict[str, Any]:
    book = openpyxl.load_workbook(path, data_only=True)
    return {cell: book[cell.split("!")[0]][cell.split("!")[1]].value for cell in cells}


def test_the_register_is_there_row_for_row(folder: Path):
    rows = table_rows(folder / "pack.xlsx", "Billing register")
    register = pack_facts().register
    assert len(rows) == 500
    assert rows[0]["Account"] == "00000102"
    assert rows[0]["From"] == dt.datetime(2026, 9, 1)
    assert [round(row["Amount"] * 100) for row in rows] == register["amount"].tolist()
    assert [round(row["Consumption"] * 10**6) for row in rows] == register["consumption"].tolist()
    assert {row["Name"] for row in rows} >= {"Maria <Reyes>", "Maria O'Brien", "Ines Silva & Sons"}


def test_every_total_has_its_value_before_excel_computes_it(folder: Path):
    facts = pack_facts()
    book = openpyxl.load_workbook(folder / "pack.xlsx", data_only=True)
    assert book["Billing register"]["K4"].value == facts.register["amount"].sum() / 100
    assert book["Revenue by class"]["D4"].value == facts.by_class["revenue"].sum() / 100
    assert book["Aging"]["H4"].value == facts.control["ending"].sum() / 100
    assert book["Exceptions"]["F4"].value == 10
    assert book["Cover"]["B4"].value == "2026-11"
    assert book["Cover"]["B6"].value == CHAIN_HEAD
    assert book["Revenue by class"]["A3"].value == "Consumption in CCF."


@pytest.mark.parametrize("name", ["pack.xlsx", "close.xlsx"])
def test_excel_is_expected_to_open_it_cleanly(name: str, folder: Path):
    assert OpenXmlValidator().validate(str(folder / name)).is_valid


def test_the_same_facts_make_the_same_bytes(folder: Path, tmp_path: Path):
    report_pack(folder / PACK, tmp_path / "again.xlsx", pack_facts())
    assert (tmp_path / "again.xlsx").read_bytes() == (folder / "pack.xlsx").read_bytes()


@pytest.mark.parametrize(("template", "filled"), [(PACK, "pack.xlsx"), (CLOSE, "close.xlsx")])
def test_parts_that_hold_nothing_to_fill_keep_their_bytes(template: str, filled: str, folder: Path):
    with zipfile.ZipFile(folder / template) as before, zipfile.ZipFile(folder / filled) as after:
        assert before.namelist() == after.namelist()
        changed = {name for name in before.namelist() if before.read(name) != after.read(name)}
    fills = r"xl/(workbook|worksheets/sheet\d|tables/table\d|charts/chart\d)\.xml"
    assert changed
    assert all(re.fullmatch(fills, name) for name in changed), changed


def chart_points(path: Path) -> dict[str, list[str]]:
    """The values each chart reference stores, by reference."""
    found: dict[str, list[str]] = {}
    with zipfile.ZipFile(path) as package:
        for name in (name for name in package.namelist() if name.startswith("xl/charts/chart")):
            xml = package.read(name).decode()
            for reference, cache in re.findall(r"<c:f>([^<]*)</c:f>(<c:(?:num|str)Cache>.*?Cache>)", xml):
                found[reference] = re.findall(r"<c:v>([^<]*)</c:v>", cache)
    return found


@pytest.mark.parametrize("bills", [500, 1])
def test_the_charts_follow_the_table_and_store_its_values(bills: int, folder: Path, tmp_path: Path):
    facts = pack_facts(bills)
    report_pack(folder / PACK, tmp_path / "pack.xlsx", facts)
    points, last = chart_points(tmp_path / "pack.xlsx"), 5 + len(facts.by_class)
    cells = f"6:$D${last}" if last > 6 else "6"
    revenue = points[f"'Revenue by class'!$D${cells}"]
    assert [round(float(value) * 100) for value in revenue] == facts.by_class["revenue"].tolist()
    assert points[f"'Revenue by class'!$A${cells}".replace("$D", "$A")] == facts.by_class["customer_class"].tolist()


def test_the_close_packet_says_who_when_and_at_which_chain_head(folder: Path):
    book = openpyxl.load_workbook(folder / "close.xlsx", data_only=True)
    assert [book["Cover"][f"B{row}"].value for row in range(3, 8)] == [
        "Alder Creek Water District",
        "2026-11",
        "r.whitfield",
        "December 2, 2026 at 9:14 AM",
        CHAIN_HEAD,
    ]
    figures = {
        row[0]: row[2] if row[2] is not None else row[3]
        for row in book["Cover"]["A10:D19"]
        for row in [[c.value for c in row]]
    }
    assert (figures["Checklist done"], figures["Checklist signed"], figures["Checklist open"]) == (4, 1, 0)
    assert (figures["Ending"], figures["General ledger"], figures["Difference"]) == (44100.77, 44088.27, 12.50)
    rows = table_rows(folder / "close.xlsx", "Checklist")
    assert rows[4]["Signed reason"].startswith("Receipt 004417")


def test_a_month_without_findings_or_receivables(folder: Path, tmp_path: Path):
    facts = pack_facts()
    quiet = dataclasses.replace(facts, exceptions=facts.exceptions.iloc[:0])
    report_pack(folder / PACK, tmp_path / "pack.xlsx", quiet)
    assert OpenXmlValidator().validate(str(tmp_path / "pack.xlsx")).is_valid
    book = openpyxl.load_workbook(tmp_path / "pack.xlsx", data_only=True)
    assert book["Exceptions"]["C4"].value == 0
    assert book["Cover"]["C11"].value == 0  # rows of the exceptions


def restyle(template: Path, target: Path) -> None:
    """What staff do to a template in Excel: other fonts and colours, columns in another order, a sheet of their own."""
    book = openpyxl.load_workbook(template)
    sheet = book["Aging"]
    sheet["A1"].font = Font(name="Georgia", size=24, color="FF7A1F1F")
    sheet["A6"].font = Font(name="Courier New", size=14)
    table = sheet.tables["aging"]
    columns = table.tableColumns
    columns[0].name, columns[1].name = "Name", "Account"
    sheet["A5"].value, sheet["B5"].value = "Name", "Account"
    own = book.create_sheet("Board notes", 1)
    own["A1"] = "For the board meeting"
    own["B2"] = "=SUM(aging[Total])"
    book.save(target)


def test_a_restyled_template_fills_and_keeps_its_looks(folder: Path, tmp_path: Path):
    restyle(folder / PACK, tmp_path / "ours.xlsx")
    facts = pack_facts()
    report_pack(tmp_path / "ours.xlsx", tmp_path / "pack.xlsx", facts)
    rows = table_rows(tmp_path / "pack.xlsx", "Aging")
    assert list(rows[0])[:2] == ["Name", "Account"]
    assert [row["Account"] for row in rows] == facts.aging["account_id"].tolist()
    sheet = openpyxl.load_workbook(tmp_path / "pack.xlsx")["Aging"]
    assert sheet["A1"].font.name == "Georgia"
    assert {sheet[f"A{row}"].font.name for row in (6, 7, 625)} == {"Courier New"}
    assert openpyxl.load_workbook(tmp_path / "pack.xlsx")["Board notes"]["A1"].value == "For the board meeting"
    assert complaints(tmp_path / "pack.xlsx") <= complaints(tmp_path / "ours.xlsx")  # openpyxl's own, as it saved it


def complaints(path: Path) -> set[str]:
    """What is wrong with a workbook, without the warnings, which count cells."""
    found = OpenXmlValidator().validate(str(path)).errors
    return {error.description for error in found if error.severity is ValidationSeverity.ERROR}


def test_a_formula_staff_changed_stays_and_gets_our_value(folder: Path, tmp_path: Path):
    book = openpyxl.load_workbook(folder / PACK)
    book["Aging"]["H4"] = "=SUM(aging[Total])"
    book["Aging"]["C4"] = "see the last page"
    book.save(tmp_path / "ours.xlsx")
    facts = pack_facts()
    report_pack(tmp_path / "ours.xlsx", tmp_path / "pack.xlsx", facts)
    assert formulas(tmp_path / "pack.xlsx")["Aging!H4"] == "=SUM(aging[Total])"
    assert values(tmp_path / "pack.xlsx", ["Aging!H4", "Aging!C4"]) == {
        "Aging!H4": facts.aging["total"].sum() / 100,
        "Aging!C4": "see the last page",
    }


def test_a_template_without_a_heading_is_refused_and_nothing_is_written(folder: Path, tmp_path: Path):
    book = openpyxl.load_workbook(folder / PACK)
    book["Aging"].tables["aging"].tableColumns[0].name = "Customer"
    book["Aging"]["A5"] = "Customer"
    book.save(tmp_path / "ours.xlsx")
    with pytest.raises(Refusal, match="Account"):
        report_pack(tmp_path / "ours.xlsx", tmp_path / "pack.xlsx", pack_facts())
    assert not (tmp_path / "pack.xlsx").exists()


def off_by_a_cent(frame: str, column: str) -> Callable[[PackFacts], PackFacts]:
    def change(facts: PackFacts) -> PackFacts:
        changed = getattr(facts, frame).copy()
        changed.loc[0, column] += 1
        return dataclasses.replace(facts, **{frame: changed})

    return change


@pytest.mark.parametrize(
    ("frame", "column"),
    [
        ("register", "amount"),
        ("register", "consumption"),
        ("by_class", "revenue"),
        ("by_class", "consumption"),
        ("by_class", "bills"),
        ("exceptions", "count"),
        ("exceptions", "open"),
        ("exceptions", "billed"),
        ("control", "beginning"),
        ("control", "billed"),
        ("control", "received"),
        ("control", "adjusted"),
        ("control", "ending"),
        ("control", "ledger"),
        ("control", "difference"),
        ("aging", "current"),
        ("aging", "credit"),
        ("aging", "total"),
    ],
)
def test_one_cent_anywhere_is_refused(frame: str, column: str):
    with pytest.raises(Refusal) as refused:
        foots(off_by_a_cent(frame, column)(pack_facts()))
    assert refused.value.problem.code == "report_foots"


def test_sheets_that_foot_alone_but_not_together_are_refused():
    facts = pack_facts()
    aging = facts.aging.copy()
    aging.loc[3, ["current", "total"]] += 100  # the row still adds up; the control's ending is 1.00 less
    with pytest.raises(Refusal, match="the control's ending balance make") as refused:
        foots(dataclasses.replace(facts, aging=aging))
    assert refused.value.problem.place.table == "aging"
    control = facts.control.copy()
    control.loc[0, ["billed", "received"]] += 100  # the ending stays; the register's total is 1.00 less
    with pytest.raises(Refusal, match="the register's total"):
        foots(dataclasses.replace(facts, control=control))


def test_a_class_of_the_register_that_the_summary_lacks_is_refused_by_name():
    facts = pack_facts()
    with pytest.raises(Refusal, match="RESIDENTIAL_SINGLE"):
        foots(dataclasses.replace(facts, by_class=facts.by_class.iloc[:-1]))


def test_a_ledger_that_was_not_given_is_blank_named_and_counted_whole(folder: Path, tmp_path: Path):
    facts = pack_facts()
    control = facts.control.astype({"ledger": "Int64", "difference": "Int64"})
    control.loc[1, ["ledger", "difference"]] = pd.NA
    report_pack(folder / PACK, tmp_path / "pack.xlsx", dataclasses.replace(facts, control=control))
    found = values(tmp_path / "pack.xlsx", ["Receivables control!A3", "Receivables control!H7", "Cover!D20"])
    assert found["Receivables control!A3"].endswith("No general-ledger balance was given for 01-1315-00.")
    assert found["Receivables control!H7"] is None
    assert found["Cover!D20"] == 1200.00  # the recycled account's ending, all of it uncompared
    control.loc[1, "difference"] = 0  # a difference to nothing
    with pytest.raises(Refusal, match=r"Difference says 0\.00 and ending less general ledger make nothing"):
        foots(dataclasses.replace(facts, control=control))


def test_an_aging_of_other_buckets_than_the_pack_says_is_refused():
    facts = pack_facts()
    with pytest.raises(Refusal) as refused:
        foots(dataclasses.replace(facts, aging=facts.aging.rename(columns={"over_90": "over_120"})))
    assert refused.value.problem.code == "report_foots"


# The headings of the buckets, said a second time, and the letters of the last column, Total.
BUCKETS = {
    (45,): (["Up to 45 days", "Over 45 days"], "F"),
    (30, 60): (["Up to 30 days", "31-60 days", "Over 60 days"], "G"),
    (30, 90, 180): (["Up to 30 days", "31-90 days", "91-180 days", "Over 180 days"], "H"),
    (30, 60, 90, 120): (["Up to 30 days", "31-60 days", "61-90 days", "91-120 days", "Over 120 days"], "I"),
    (1, 2, 10, 30, 60, 90, 365): (
        [
            "Up to 1 days",
            "2 days",
            "3-10 days",
            "11-30 days",
            "31-60 days",
            "61-90 days",
            "91-365 days",
            "Over 365 days",
        ],
        "L",
    ),
}


@pytest.fixture(params=BUCKETS, ids=str)
def bucketed(request: pytest.FixtureRequest, folder: Path) -> tuple[Path, tuple[int, ...]]:
    """A pack of a policy with other buckets."""
    target = folder / f"buckets-{len(request.param)}.xlsx"
    if not target.exists():
        report_pack(folder / PACK, target, pack_facts(buckets=request.param))
    return target, request.param


def test_the_aging_has_the_buckets_of_policy(bucketed: tuple[Path, tuple[int, ...]]):
    path, buckets = bucketed
    titles, last = BUCKETS[buckets]
    aging = pack_facts(buckets=buckets).aging
    rows = table_rows(path, "Aging")
    assert list(rows[0]) == ["Account", "Name", *titles, "Credit", "Total"]
    for title, name in zip(rows[0], aging.columns, strict=True):
        said = [row[title] if isinstance(row[title], str) else round(row[title] * 100) for row in rows]
        assert said == aging[name].tolist()
    sheet = openpyxl.load_workbook(path)["Aging"]
    assert sheet[f"{last}4"].value == "=SUBTOTAL(109,aging[Total])"
    assert [sheet.cell(4, 3 + place).value for place in range(len(titles))] == [f"=SUBTOTAL(109,aging[{title}])" for title in titles]  # fmt: skip
    totals = openpyxl.load_workbook(path, data_only=True)["Aging"]
    assert [totals.cell(4, 3 + place).value for place in range(len(titles) + 2)] == [aging[name].sum() / 100 for name in aging.columns[2:]]  # fmt: skip
    assert [cell.value for cell in sheet[4][len(titles) + 4 :]] == [None] * len(sheet[4][len(titles) + 4 :])
    assert OpenXmlValidator().validate(str(path)).is_valid


def test_every_bucket_looks_like_the_ones_of_the_template(bucketed: tuple[Path, tuple[int, ...]], folder: Path):
    path, buckets = bucketed
    made, template = (openpyxl.load_workbook(file) for file in (path, folder / PACK))
    for row in (4, 5, 6, 400):
        for place in range(len(buckets) + 3):
            cell, like = made["Aging"].cell(row, 3 + place), template["Aging"].cell(min(row, 6), 3)
            for look in ("number_format", "font", "border", "fill", "alignment"):
                assert repr(getattr(cell, look)) == repr(getattr(like, look)), (cell.coordinate, look)
    widths = openpyxl.load_workbook(path)["Aging"].column_dimensions
    last = openpyxl.utils.get_column_letter(len(buckets) + 5)
    assert {round(widths[letter].width, 1) for letter in ("C", "D", last)} == {16.7}
    assert set(made.defined_names) - {f"aging_total_{name}" for name in pack_facts(buckets=buckets).aging.columns} == {
        name for name in template.defined_names if not name.startswith("aging_total_")
    }


def test_buckets_in_a_template_that_staff_restyled(folder: Path, tmp_path: Path):
    """Their order of columns, their words for a bucket, a column of their own that Excel fills down, a total less."""
    restyle(folder / PACK, tmp_path / "ours.xlsx")
    book = openpyxl.load_workbook(tmp_path / "ours.xlsx")
    book["Aging"].tables["aging"].tableColumns[2].name = "Not late"
    book["Aging"]["C5"], book["Aging"]["C4"], book["Aging"]["D4"] = "Not late", "=SUM(aging[Not late])", "of which late"
    book.save(tmp_path / "ours.xlsx")
    facts = pack_facts(buckets=(30, 60, 90, 120))
    report_pack(tmp_path / "ours.xlsx", tmp_path / "pack.xlsx", facts)
    rows = table_rows(tmp_path / "pack.xlsx", "Aging")
    assert list(rows[0]) == ["Name", "Account", *BUCKETS[30, 60, 90, 120][0], "Credit", "Total"]
    assert [row["Account"] for row in rows] == facts.aging["account_id"].tolist()
    sheet = openpyxl.load_workbook(tmp_path / "pack.xlsx")["Aging"]
    assert sheet["C4"].value == "=SUM(aging[Up to 30 days])"
    assert {sheet[f"A{row}"].font.name for row in (6, 7, 625)} == {"Courier New"}


def test_a_template_of_before_findings_could_be_billed_undecided_takes_the_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sheet = dataclasses.replace(EXCEPTIONS.sheet, totals=("count", "decided", "open"))
    columns = {name: column for name, column in EXCEPTIONS.columns.items() if name != "billed"}
    monkeypatch.setattr(templates, "EXCEPTIONS", Table(sheet, EXCEPTIONS.about, **columns))
    build_templates(tmp_path)
    facts = pack_facts()
    report_pack(tmp_path / PACK, tmp_path / "pack.xlsx", facts)
    rows = table_rows(tmp_path / "pack.xlsx", "Exceptions")
    assert list(rows[0]) == ["Check", "Severity", "Found", "Decided", "Billed", "Open"]
    assert [row["Billed"] for row in rows] == facts.exceptions["billed"].tolist()
    totals = openpyxl.load_workbook(tmp_path / "pack.xlsx", data_only=True)["Exceptions"]
    # 31 + 12 + 4 + 2 + 9 found = 46 decided + 2 billed + 10 open
    assert [totals.cell(4, 3 + place).value for place in range(4)] == [58, 46, 2, 10]
    assert OpenXmlValidator().validate(str(tmp_path / "pack.xlsx")).is_valid


def test_a_formula_that_names_a_bucket_that_goes_is_told(folder: Path, tmp_path: Path):
    book = openpyxl.load_workbook(folder / PACK)
    book["Cover"]["B30"] = "=SUM(aging[61-90 days])"
    book.save(tmp_path / "ours.xlsx")
    report_pack(tmp_path / "ours.xlsx", tmp_path / "pack.xlsx", pack_facts(buckets=(30, 60, 90, 120)))
    with pytest.raises(Refusal, match="names the column 61-90 days of aging") as refused:
        report_pack(tmp_path / "ours.xlsx", tmp_path / "other.xlsx", pack_facts(buckets=(30, 60)))
    assert refused.value.problem.code == "template_columns"
    assert not (tmp_path / "other.xlsx").exists()


@costly
@given(st.integers(0, 30), st.integers(1, 30), st.integers(0, 10_000))
def test_any_invented_month_foots(bills: int, accounts: int, seed: int):
    foots(pack_facts(bills, accounts, seed))


def test_consumption_in_several_units_is_said(folder: Path, tmp_path: Path):
    facts = pack_facts()
    register = facts.register.copy()
    register.loc[0, "unit"] = "KGAL"
    report_pack(folder / PACK, tmp_path / "pack.xlsx", dataclasses.replace(facts, register=register))
    note = values(tmp_path / "pack.xlsx", ["Revenue by class!A3"])["Revenue by class!A3"]
    assert note == "Consumption as billed, in CCF, KGAL: totals over several units are no volume."


@pytest.mark.libreoffice
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("name", ["pack.xlsx", "close.xlsx", "buckets-4.xlsx"])
def test_libreoffice_computes_every_formula_to_the_value_we_stored(name: str, folder: Path, tmp_path: Path):
    """LibreOffice loads with full recalculation and saves; each formula must come out as it went in."""
    settings_file = tmp_path / "profile/user/registrymodifications.xcu"
    settings_file.parent.mkdir(parents=True)
    settings_file.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<oor:items xmlns:oor="http://openoffice.org/2001/registry">'
        '<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode">'
        "<value>0</value></prop></item></oor:items>"
    )
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    wrong = tmp_path / "wrong.xlsx"
    spoil_stored_values(folder / name, wrong)
    for source in (folder / name, wrong):
        command = ["soffice", profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir"]
        subprocess.run(
            [*command, tmp_path / "out", source], check=True, timeout=120, capture_output=True, env=os.environ
        )
    ours = values(folder / name, list(formulas(folder / name)))
    for computed in (tmp_path / "out" / name, tmp_path / "out" / "wrong.xlsx"):
        theirs = values(computed, list(ours))
        assert len(ours) >= (17 if name == "close.xlsx" else 30)
        assert {cell: round(value, 6) for cell, value in theirs.items()} == ours


def spoil_stored_values(source: Path, target: Path) -> None:
    """The same workbook with 99 stored in every formula: proof that the computing was really done."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for name in before.namelist():
            after.writestr(name, re.sub(rb"</f><v>[^<]*</v>", b"</f><v>99</v>", before.read(name)))


def test_two_hundred_thousand_accounts_fit(folder: Path, tmp_path: Path):
    """Size, not speed: the aging of the largest office is written whole, ids intact, totals stored."""
    facts = pack_facts()
    zeros = pd.DataFrame({name: [0] * 199_380 for name in facts.aging.columns[2:]}, dtype="int64")
    zeros.insert(0, "name", "Name")
    zeros.insert(0, "account_id", [f"{number:08d}" for number in range(10_000_000, 10_199_380)])
    aging = pd.concat([facts.aging, zeros], ignore_index=True)
    report_pack(folder / PACK, tmp_path / "pack.xlsx", dataclasses.replace(facts, aging=aging))
    with zipfile.ZipFile(tmp_path / "pack.xlsx") as package:
        assert b'ref="A5:H200005"' in package.read("xl/tables/table7.xml")
