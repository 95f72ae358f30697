"""Hostile and broken files: taken exactly, listed, or refused in one line; never a traceback, a hang or a loss."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.intake.reads import workbooks as w
from xlbilling.intake import files
from xlbilling.intake.reads import ParsedReads, Recipe, parse_reads
from xlbilling.problems import Refusal

HEAD = "Account,Meter,Read Date,Read,Unit\n"
GOOD = "008,M9,2026-07-01,6,gal\n"
RECIPE = Recipe(
    columns={"account_id": "Account", "meter_id": "Meter", "read_date": "Read Date", "read": "Read", "unit": "Unit"},
    required=["account_id", "meter_id", "read_date", "read"],
    date_formats=["%Y-%m-%d", "%m/%d/%Y"],
)


def read(tmp_path: Path, data: bytes | str, recipe: Recipe | None = RECIPE) -> ParsedReads:
    path = tmp_path / "upload"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    found = parse_reads(path, recipe=recipe, in_child=False)
    assert found.balance.holds
    return found


def taken(found: ParsedReads) -> list[tuple[str, str, str, str, int]]:
    columns = ["account_id", "meter_id", "read_date", "read_value", "source_line"]
    return list(found.reads[columns].itertuples(index=False, name=None))


def listed(found: ParsedReads) -> list[tuple[int, str]]:
    return list(found.rejects[["source_line", "code"]].itertuples(index=False, name=None))


def refused(tmp_path: Path, data: bytes | str, recipe: Recipe | None = RECIPE) -> str:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, data, recipe)
    assert "\n" not in refusal.value.line
    return refusal.value.problem.code


GOOD_ROW = ("008", "M9", "2026-07-01", "6", 3)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("=cmd|'/C calc'!A0,M1,2026-07-01,5,gal", "formula_text"),
        ("@SUM(1),M1,2026-07-01,5,gal", "formula_text"),
        ("+A1,M1,2026-07-01,5,gal", "formula_text"),
        ("1.23457E+11,M1,2026-07-01,5,gal", "missing_id"),
        (",M1,2026-07-01,5,gal", "missing_id"),
        ("7, ,2026-07-01,5,gal", "missing_id"),
        ("7,M1,2026-07-01,,gal", "bad_number"),
        ("7,M1,2026-07-01,-5,gal", "bad_number"),
        ("7,M1,2026-07-01,1e5,gal", "bad_number"),
        ('7,M1,2026-07-01,"1,234",gal', "bad_number"),
        ("7,M1,07/01/26,5,gal", "bad_date"),
        ("7,M1,13/01/2026,5,gal", "bad_date"),
        ("7,M1,,5,gal", "bad_date"),
        ("7,M1,2026-07-01", "bad_record"),
        ("7,M1,2026-07-01,5,gal,extra", "bad_record"),
        ('7,"M1"x,2026-07-01,5,gal', "bad_record"),
        ("00\x007,M1,2026-07-01,5,gal", "bad_record"),
        ("7,M\u200b1,2026-07-01,5,gal", "bad_record"),
        ("7,M\ufffd,2026-07-01,5,gal", "bad_record"),
        ("7" * 300 + ",M1,2026-07-01,5,gal", "bad_record"),
        ("7,M1,2026-07-01,5,hogshead", "unknown_unit"),
        (HEAD.strip(), "bad_record"),
    ],
)
def test_an_odd_row_is_listed_and_the_next_is_taken(tmp_path: Path, line: str, code: str) -> None:
    found = read(tmp_path, HEAD + line + "\n" + GOOD)
    assert listed(found) == [(2, code)]
    assert taken(found) == [GOOD_ROW]


@pytest.mark.parametrize(
    "account", ["NA", "NULL", "nan", "TRUE", "1E05", "0x1F", "1_000", "12345.0", "-123", "９", "0" * 40]
)
def test_ids_stay_as_typed(tmp_path: Path, account: str) -> None:
    assert taken(read(tmp_path, HEAD + f"{account},M1,2026-07-01,5,gal\n"))[0][0] == account


def test_marks_that_keep_zeros_are_taken_off(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '\'007,"=""M1""",2026-07-01,5,gal\n')
    assert taken(found) == [("007", "M1", "2026-07-01", "5", 2)]


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '7,"M1,2026-07-01,5,gal\n' + GOOD)
    assert listed(found) == [(2, "bad_record")]
    assert taken(found) == [GOOD_ROW]


def test_many_stray_quotes_do_not_take_long(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '7,"M1,2026-07-01,5,gal\n' * 5001 + GOOD)
    assert len(found.rejects) + len(found.reads) == 5002


def test_breaks_inside_quotes_keep_the_line_numbers(tmp_path: Path) -> None:
    head = HEAD.strip() + ",Note\n"
    found = read(tmp_path, head + '7,M1,2026-07-01,5,gal,"two\nlines"\n8,M2,2026-07-01,6,gal,x\n')
    assert taken(found) == [("7", "M1", "2026-07-01", "5", 2), ("8", "M2", "2026-07-01", "6", 4)]
    swallowed = read(tmp_path, head + '7,M1,2026-07-01,5,gal,"x\n8,M2,2026-07-01,6,gal,x\n9,M3,2026-07-01,7,gal,"\n')
    assert listed(swallowed) == [(2, "bad_record"), (3, "bad_record"), (4, "bad_record")]
    inside = read(tmp_path, head + '"7\n",M1,2026-07-01,5,gal,x\n8,M2,2026-07-01,6,gal,x\n')
    assert listed(inside) == [(2, "bad_record"), (3, "bad_record")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert taken(read(tmp_path, (HEAD + "7,M1,2026-07-01,5,gal\n" + GOOD).replace("\n", end)))[1] == GOOD_ROW


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    latin = HEAD.encode() + "É7,M1,2026-07-01,5,gal\n".encode("latin-1") + GOOD.encode()
    assert listed(read(tmp_path, latin)) == [(2, "encoding")]  # the recipe says UTF-8
    assert taken(read(tmp_path, latin, recipe=None))[0][0] == "É7"
    mixed = latin + "Ñ9,M3,2026-07-01,5,gal\n".encode()
    found = read(tmp_path, mixed, recipe=None)
    assert listed(found) == [(2, "encoding")]
    assert taken(found)[1][0] == "Ñ9"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ((HEAD + GOOD).encode("utf-16-le"), "file_encoding"),
        (b"\xff\xfe" + b"\x00\xd8" * 9, "file_encoding"),
        (b"\x1f\x8b\x08junk", "file_wrong_type"),
        (b"%PDF-1.7", "file_wrong_type"),
        (b"<html><table><tr><td>Meter", "file_wrong_type"),
        (b"  <?xml version='1.0'?><Workbook/>", "file_wrong_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "file_encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000, "unreadable_file"),
        (b"PK\x03\x04" + b"junk" * 100, "unreadable_file"),
        (b"\n \n", "unreadable_file"),
        (b"Account,Meter,Read Date,Read,Read\n7,M1,2026-07-01,5,6\n", "file_bad_header"),
        (b"Account,Meter,Read Date\n", "file_bad_header"),
        (HEAD.replace(",", ";").encode(), "file_bad_header"),
    ],
)
def test_files_that_are_refused_whole(tmp_path: Path, data: bytes, code: str) -> None:
    assert refused(tmp_path, data) == code


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    def code(path: Path) -> str:
        with pytest.raises(Refusal) as refusal:
            files.take(path)
        return refusal.value.problem.code

    (tmp_path / "empty").touch()
    assert code(tmp_path / "empty") == "unreadable_file"
    assert code(tmp_path / "absent") == "unreadable_file"
    assert code(tmp_path) == "file_wrong_type"
    assert code(tmp_path / ("x" * 5000)) == "unreadable_file"
    assert code(Path("a\x00b")) == "unreadable_file"
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        assert code(tmp_path / "pipe") == "file_wrong_type"
        assert code(Path("/dev/null")) == "file_wrong_type"
        (tmp_path / "nowhere").symlink_to("absent")
        assert code(tmp_path / "nowhere") == "unreadable_file"


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as handle:
        handle.truncate(files.TEXT_LIMIT + 1)
    with pytest.raises(Refusal) as refusal:
        files.take(path)
    assert refusal.value.problem.code == "file_too_large"
    assert f"{files.TEXT_LIMIT + 1:,}" in str(refusal.value)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.csv"
    path.write_text(HEAD + GOOD)
    plain = os.read

    def meddling(descriptor: int, size: int) -> bytes:
        part = plain(descriptor, size)
        with path.open("a") as handle:
            handle.write(GOOD)
        return part

    monkeypatch.setattr(os, "read", meddling)
    with pytest.raises(Refusal, match="changed while"):
        files.take(path)


# ---------------------------------------------------------------- workbooks


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


# ---------------------------------------------------------------- whatever comes in


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400), st.sampled_from([b"", HEAD.encode(), b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"MEPMD01,"]))
def test_any_bytes_are_rows_and_rejects_or_a_refusal(tmp_path: Path, data: bytes, start: bytes) -> None:
    with contextlib.suppress(Refusal):  # `read` checks the balance of what is no refusal
        read(tmp_path, start + data, recipe=None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(alphabet='7M-,"\n\r\t 2026.eé=\x00', max_size=30), min_size=1, max_size=8))
def test_every_line_with_something_in_it_is_kept_or_listed(tmp_path: Path, lines: list[str]) -> None:
    text = HEAD + "\n".join(lines) + "\n" + GOOD
    found = read(tmp_path, text)
    told = set(found.reads["source_line"]) | set(found.rejects["source_line"])
    physical = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    filled = {n for n, line in enumerate(physical, 1) if n > 1 and line.strip(' \t,"\xa0')}
    inside_quotes = '"' in text
    assert filled <= told or (inside_quotes and min(filled - told) - 1 in told | {1})
    assert told <= set(range(2, len(physical) + 1))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 1500), st.integers(0, 255))
def test_a_damaged_byte_in_a_workbook_is_seen_or_harmless(tmp_path: Path, place: int, value: int) -> None:
    data = bytearray(w.packed(w.workbook(ROW2)))
    data[place % len(data)] = value
    try:
        found = read(tmp_path, bytes(data))
    except Refusal:
        return
    assert taken(found) == [("007", "M1", "2026-07-01", "5", 2)] or listed(found)


def test_the_guarded_child_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "upload.csv"
    path.write_text(HEAD + "7,M1,2026-07-01,5,gal\n7,M1,2026-07-01,5,gal\n")
    inside, guarded = parse_reads(path, in_child=False), parse_reads(path)
    assert inside.reads.equals(guarded.reads)
    assert inside.rejects.equals(guarded.rejects)
    assert guarded.balance.duplicates == 1


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
