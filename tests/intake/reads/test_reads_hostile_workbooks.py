"""Hostile and broken workbooks: exact cells, listed rows or a refusal in one line."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.reads import workbooks as w
from tests.intake.reads.uploads import GOOD_ROW, HEAD, RECIPE, listed, read, refused, taken
from xlbilling.intake.files import plain_sheet
from xlbilling.intake.reads import parse_reads
from xlbilling.words.problems import Refusal


def test_a_plain_workbook(tmp_path: Path) -> None:
    found = read(tmp_path, w.packed(w.workbook(w.read_row(2), w.read_row(7, meter="M2"))))
    assert taken(found) == [("007", "M1", "2026-07-01", "5", 2), ("007", "M2", "2026-07-01", "5", 7)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('<c r="D2"><v>227.6</v></c>', "227.6"),
        ('<c r="D2"><v>1.1000000000000001</v></c>', "1.1"),
        ('<c r="D2"><v>1E-4</v></c>', "0.0001"),
        ('<c r="D2" s="8"><v>0.5</v></c>', "0.5"),
        ('<c r="D2"><f>1+4</f><v>5</v></c>', "5"),
        ('<c r="D2"><f>SUM(Table1[Read])</f><v>5</v></c>', "5"),
        ('<c r="D2" t="str"><f>TEXT(5,"000")</f><v>005</v></c>', "5"),
    ],
)
def test_number_cells_are_exact(tmp_path: Path, cell: str, value: str) -> None:
    assert taken(read(tmp_path, w.packed(w.workbook(w.read_row(2, value=cell)))))[0][3] == value


@pytest.mark.parametrize(
    "cell",
    [
        '<c r="D2"><f>D1*2</f></c>',
        '<c r="D2"><f>D1*2</f><v></v></c>',
        '<c r="D2" t="str"><f>""</f><v></v></c>',
        '<c r="D2"><f>[1]Sheet1!A1</f><v>7</v></c>',
        '<c r="D2"><f>_xlfn.WEBSERVICE("http://localhost/")</f><v>7</v></c>',
        '<c r="D2" t="e"><v>#N/A</v></c>',
        '<c r="D2" t="b"><v>1</v></c>',
        '<c r="D2"><v>NaN</v></c>',
        '<c r="D2"><v>123456789012345678</v></c>',
        '<c r="D2" t="s"><v>99</v></c>',
        '<c r="D2" t="odd"><v>5</v></c>',
        '<c r="D2"/>',
    ],
)
def test_cells_without_a_certain_number_are_listed(tmp_path: Path, cell: str) -> None:
    found = read(tmp_path, w.packed(w.workbook(w.read_row(2, value=cell), w.read_row(3, "008", "M9", value="6"))))
    assert listed(found) == [(2, "bad_number")]
    assert taken(found) == [GOOD_ROW]


@pytest.mark.parametrize(
    ("cell", "account"),
    [
        ('<c r="A2"><v>12</v></c>', "12"),
        ('<c r="A2"><v>12.0</v></c>', "12"),
        ('<c r="A2" t="inlineStr"><is><t>12.0</t></is></c>', "12.0"),
        (
            '<c r="A2" t="inlineStr"><is><r><t>00</t></r><r><t>7</t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>',
            "007",
        ),
        ('<c r="A2" t="inlineStr"><is><t>A&amp;_x0042_</t></is></c>', "A&B"),
        ('<c r="A2" t="inlineStr"><is><t><![CDATA[00]]><!-- no -->7</t></is></c>', "007"),
    ],
)
def test_id_cells(tmp_path: Path, cell: str, account: str) -> None:
    assert taken(read(tmp_path, w.packed(w.workbook(w.read_row(2, account=cell)))))[0][0] == account


def test_an_id_that_a_number_cell_destroyed_is_listed(tmp_path: Path) -> None:
    cells = [
        '<c r="B2"><v>1.23457E+11</v></c>',
        '<c r="B3"><v>12345678901234567</v></c>',
        '<c r="B4" t="e"><v>#REF!</v></c>',
    ]
    rows = [w.read_row(at, meter=cell) for at, cell in enumerate(cells, 2)]
    assert listed(read(tmp_path, w.packed(w.workbook(*rows)))) == [(at, "missing_id") for at in (2, 3, 4)]


def test_dates_of_both_date_systems(tmp_path: Path) -> None:
    serial = w.read_row(2, date='<c r="C2" s="1"><v>46204</v></c>')
    assert taken(read(tmp_path, w.packed(w.workbook(serial))))[0][2] == "2026-07-01"
    old = w.parts(
        ("Reads", "visible", w.sheet(w.header(), serial.replace("46204", "44742"))),
        settings='<workbookPr date1904="1"/>',
    )
    assert taken(read(tmp_path, w.packed(old)))[0][2] == "2026-07-01"
    for early in ("0", "60", "-5", "2958466"):
        assert listed(read(tmp_path, w.packed(w.workbook(serial.replace("46204", early))))) == [(2, "bad_date")]


def test_only_visible_sheets_are_read(tmp_path: Path) -> None:
    old, new = w.sheet(w.header(), w.read_row(2, "999")), w.sheet(w.header(), w.read_row(2))
    found = read(tmp_path, w.packed(w.parts(("Old", "veryHidden", old), ("New", "visible", new))))
    assert taken(found)[0][0] == "007"
    assert refused(tmp_path, w.packed(w.parts(("Old", "hidden", old)))) == "hidden_content"
    both = w.packed(w.parts(("Old", "visible", old), ("New", "visible", new)))
    assert refused(tmp_path, both) == "ambiguous_package"
    assert taken(read(tmp_path, both, RECIPE.model_copy(update={"sheet": "New"})))[0][0] == "007"
    assert "New" in read(tmp_path, both, recipe=None).notes[0]
    notes = w.sheet(w.row(1, w.text("A1", "see the next sheet")))
    assert len(taken(read(tmp_path, w.packed(w.parts(("Notes", "visible", notes), ("New", "visible", new)))))) == 1


def test_a_table_that_starts_elsewhere(tmp_path: Path) -> None:
    moved = w.sheet(
        w.row(3, w.text("C3", "July")),
        w.row(5, *(w.text(f"{'CDEFG'[i]}5", heading) for i, heading in enumerate(w.HEADINGS))),
        w.row(9, *(w.text(f"{'CDEFG'[i]}9", cell) for i, cell in enumerate(("7", "M1", "2026-07-01", "5", "gal")))),
    )
    assert taken(read(tmp_path, w.packed(w.parts(("Reads", "visible", moved))))) == [("7", "M1", "2026-07-01", "5", 9)]


ROW2 = w.read_row(2)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (lambda: w.packed(w.workbook(ROW2), (w.SHEET.upper(), "x")), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2), ("../../escape.txt", "x")), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2), ("/abs.txt", "x")), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2), ("C:evil.txt", "x")), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2), method=zipfile.ZIP_BZIP2), "unreadable_file"),
        (lambda: w.packed(w.workbook(ROW2))[:-40], "unreadable_file"),
        (lambda: w.packed(w.workbook(ROW2), method=zipfile.ZIP_STORED).replace(b"M1", b"M2"), "unreadable_file"),
        (lambda: w.packed({**w.workbook(ROW2), w.SHEET: "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"}), "contains_dtd"),
        (lambda: w.packed({**w.workbook(ROW2), "xl/workbook.xml": "<!DOCTYPE a><a/>"}), "contains_dtd"),
        (lambda: w.packed({**w.workbook(ROW2), w.SHEET: w.sheet(w.header(), ROW2)[:-20]}), "unreadable_file"),
        (lambda: w.packed({**w.workbook(ROW2), w.SHEET: "<a>" * 100_000}), "unreadable_file"),
        (lambda: w.packed(w.workbook(ROW2, ROW2)), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2.replace("D2", "C2"))), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2.replace("D2", "D3"))), "ambiguous_package"),
        (lambda: w.packed(w.workbook(ROW2)) + w.packed(w.workbook(ROW2)), "ambiguous_package"),
        (lambda: w.packed({"a.csv": HEAD}), "file_wrong_type"),
        (lambda: w.packed({**w.workbook(ROW2), w.SHEET: " " * 40_000_000}), "file_too_large"),
        (
            lambda: w.packed({k: v.replace("worksheets/sheet1", "../../etc/x") for k, v in w.workbook(ROW2).items()}),
            "unreadable_file",
        ),
        (
            lambda: w.packed(
                {
                    k: v.replace('Target="work', 'TargetMode="External" Target="work')
                    for k, v in w.workbook(ROW2).items()
                }
            ),
            "external_content",
        ),
    ],
)
def test_packages_that_are_refused(tmp_path: Path, data: object, code: str) -> None:
    assert refused(tmp_path, data()) == code  # type: ignore[operator]


def test_an_entry_there_twice_or_encrypted_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        data = w.packed(w.workbook(ROW2), (w.SHEET, w.sheet(w.header())))
    assert refused(tmp_path, data) == "ambiguous_package"
    locked = bytearray(w.packed(w.workbook(ROW2)))
    locked[locked.find(b"PK\x01\x02") + 8] |= 1
    assert refused(tmp_path, bytes(locked)) == "file_encrypted"


def test_rows_and_cells_beyond_a_sheet_are_listed(tmp_path: Path) -> None:
    beyond = w.read_row(4294967295).replace("A4294967295", "A4294967295")
    assert listed(read(tmp_path, w.packed(w.workbook(ROW2, beyond)))) == [(4294967295, "bad_record")]
    wide = ROW2.replace("</row>", '<c r="ZZZZ2"><v>9</v></c></row>')
    assert listed(read(tmp_path, w.packed(w.workbook(wide)))) == [(2, "bad_record")]
    corner = w.row(1048576, w.number("XFD1048576", "1"))
    assert listed(read(tmp_path, w.packed(w.workbook(ROW2, corner))))[0][0] == 1048576


@given(st.integers(0, 1500), st.integers(0, 255))
def test_a_damaged_byte_in_a_workbook_is_seen_or_harmless(tmp_path: Path, place: int, value: int) -> None:
    data = bytearray(w.packed(w.workbook(ROW2)))
    data[place % len(data)] = value
    try:
        found = read(tmp_path, bytes(data))
    except Refusal:
        return
    assert taken(found) == [("007", "M1", "2026-07-01", "5", 2)] or listed(found)


def test_old_kinds_of_workbook(tmp_path: Path) -> None:
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
        'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>'
        '<table:table table:name="Reads">'
        + "".join(
            "<table:table-row>"
            + "".join(
                f'<table:table-cell office:value-type="string"><text:p>{c}</text:p></table:table-cell>' for c in r
            )
            + "</table:table-row>"
            for r in (w.HEADINGS, ("007", "M1", "2026-07-01", "5", "gal"))
        )
        + "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        package.writestr("content.xml", content)
        package.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        )
    assert taken(read(tmp_path, stream.getvalue())) == [("007", "M1", "2026-07-01", "5", 2)]


@pytest.mark.parametrize("code", ["d-mmm", "m/d/yyyy", "[$-409]mmm\\-yy;@", "yyyy-mm-dd hh:mm", "h:mm"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_meter_that_a_spreadsheet_took_for_a_date_is_refused_whatever_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, plain: bool
) -> None:
    """Meter 3-14 became 14 March 2026, which is stored as 46095 and looks like a meter number like any other."""
    if not plain:
        monkeypatch.setattr(plain_sheet, "read", lambda *_: False)
    path = tmp_path / "reads.xlsx"
    book = xlsxwriter.Workbook(str(path))
    page, day = book.add_worksheet(), book.add_format({"num_format": code})
    zeros = book.add_format({"num_format": '"Meter "00000'})
    page.write_row(0, 0, ["Meter", "Date", "Reading"])
    for at, style in enumerate([day, zeros, None], 1):
        page.write_number(at, 0, 46095 + at, style)
        page.write_number(at, 1, 46338, day)
        page.write_number(at, 2, 109)
    book.close()
    found = parse_reads(path, in_child=False)
    assert found.reads["meter_id"].tolist() == ["46097", "46098"]
    assert found.rejects[["source_line", "code"]].to_numpy().tolist() == [[2, "missing_id"]]
    assert "date" in found.rejects["message"].iloc[0]
