"""Rows of a spliced table are as high as the words that wrap in them need, and as staff set them where they did."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import xlsxwriter
from openxml_audit import OpenXmlValidator

from xlbilling.workbook.file.row_heights import column_widths, row_heights, wrapping_styles
from xlbilling.workbook.file.splice import write_tables

LONG = "this is a remark of more than twenty characters"  # 47


def template(path: Path, height: float | None = None) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet("Notes")
    wrap = book.add_format({"text_wrap": True})
    sheet.set_column(1, 1, 20)
    if height:
        sheet.set_row(1, height)
    sheet.add_table(0, 0, 1, 1, {"name": "notes", "columns": [{"header": "id"}, {"header": "remark", "format": wrap}]})
    sheet.write_blank(1, 1, None, wrap)
    book.close()
    return path


def heights(path: Path) -> list[str]:
    with zipfile.ZipFile(path) as file:
        xml = file.read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r"<row\b[^>]*>", xml)[1:]
    return [" ".join(re.findall(r'(?:ht|customHeight)="[^"]*"', row)) for row in rows]


def fill(source: Path, target: Path, remarks: list[str | None]) -> Path:
    write_tables(source, target, {"notes": {"id": [LONG] * len(remarks), "remark": remarks}})
    assert OpenXmlValidator().validate(str(target)).is_valid
    return target


def test_each_row_is_as_high_as_its_words_that_wrap(tmp_path: Path) -> None:
    # 47 characters in a column of 20 are three lines; column id does not wrap, however long it is
    filled = fill(template(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", ["short", LONG, None, "two\nlines"])
    assert heights(filled) == ["", 'ht="45"', "", 'ht="30"']


def test_filled_again_the_heights_are_those_of_the_new_rows(tmp_path: Path) -> None:
    once = fill(template(tmp_path / "a.xlsx"), tmp_path / "b.xlsx", [LONG, "short"])
    again = fill(once, tmp_path / "c.xlsx", ["short", LONG, "short"])
    assert heights(again) == ["", 'ht="45"', ""]


def test_a_height_that_staff_set_stays(tmp_path: Path) -> None:
    filled = fill(template(tmp_path / "a.xlsx", 36), tmp_path / "b.xlsx", ["short", LONG])
    assert heights(filled) == ['ht="36" customHeight="1"'] * 2


def test_no_row_is_higher_than_excel_takes() -> None:
    assert row_heights({20.0: [["x" * 10_000]]}, 1) == [' ht="405"']


def test_formats_and_widths_are_read_as_they_stand() -> None:
    styles = b'<cellXfs count="3"><xf/><xf><alignment wrapText="1"/></xf><xf><alignment wrapText="0"/></xf></cellXfs>'
    assert wrapping_styles(styles) == {"1"}
    assert column_widths(b'<cols><col min="2" max="3" width="20.5" style="4"/></cols>') == {2: 20.5, 3: 20.5}
