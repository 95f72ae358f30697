"""A report's own lines in a table of reads are no readings and no rejects; a count that they print is held to the rows."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.intake.reads.uploads import HEAD, listed, read
from xlbilling.intake.files.footers import is_rule, says_so
from xlbilling.intake.reads import parse_reads

OWN = (
    "Total reads: 2", "End of report", "Printed 11/13/2026 by ben", "Page 1 of 3", "Route total", "-----", "*** end ***",
    "Sample Water District", "Grand Total", "2 meters", "Report date: 11/13/2026", "Continued", "Read count 2",
)  # fmt: skip
DATA = ("71000001,2026-11-12,000109,7", "71000002,2026-11-12,,8", "M-TOTAL,2026-11-12,5,9", "Page-3,2026-11-12,6,9")


@given(st.permutations([*DATA[:2], *OWN]), st.booleans())
@settings(max_examples=40, deadline=None)
def test_own_lines_are_set_apart_wherever_they_stand(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], cells: bool
) -> None:
    """Whatever the order, the two rows of data are the file; only a count above fewer rows than two is listed."""
    rows = [line if line in DATA or not cells else line + ",,," for line in lines]
    found = read(tmp_path_factory.mktemp("reads"), "Meter,Date,Reading,Account\n" + "\n".join(rows) + "\n", None)
    assert sorted(found.reads["meter_id"]) == ["71000001", "71000002"]
    counts = ("Total reads: 2", "2 meters", "Read count 2")
    early = [
        at + 2 for at, line in enumerate(lines) if line in counts and len(set(lines[:at]) & set(DATA)) < len(DATA[:2])
    ]
    assert listed(found) == [(line, "control_total") for line in early]
    assert found.notes[0].startswith(f"{len(OWN)} lines of the report itself are no readings: line ")


def test_a_meter_named_like_a_total_is_a_meter(tmp_path: Path) -> None:
    found = read(tmp_path, "Meter,Date,Reading,Account\n" + "\n".join(DATA) + "\n", None)
    assert found.reads["meter_id"].tolist() == ["71000001", "71000002", "M-TOTAL", "Page-3"]
    assert not found.notes


def test_a_row_that_lacks_something_is_no_footer(tmp_path: Path) -> None:
    """A meter alone is a no-read, and a dial without a date is listed, as ever."""
    found = read(tmp_path, "Meter,Date,Reading\n71000001,,\nM 12,,\n71000002,,5\n", None)
    assert found.reads["read_code"].tolist() == ["no_read", "no_read"]
    assert listed(found) == [(4, "bad_date")]


def test_own_lines_in_a_column_that_is_none_of_the_fields(tmp_path: Path) -> None:
    """The foot stands below the names; it is seen though no field is read there. 3 is not the 2 rows above it."""
    text = "Name,Meter,Date,Reading\nAda,M1,2026-11-12,5\nBen,M2,2026-11-12,6\nTotal meters: 3,,,\n"
    found = read(tmp_path, text, None)
    assert found.reads["meter_id"].tolist() == ["M1", "M2"]
    assert listed(found) == [(4, "control_total")]
    assert found.rejects["message"].iloc[0] == "the report says 'meters: 3', the rows above it are 2"


def test_own_lines_on_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "reads.xlsx"
    book = xlsxwriter.Workbook(str(path))
    page = book.add_worksheet()
    rows = [["Meter", "Date", "Reading"], ["M1", "2026-11-12", "5"], ["Total reads: 1"], ["End of report"]]
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    book.close()
    found = parse_reads(path, in_child=False)
    assert (found.reads["meter_id"].tolist(), listed(found)) == (["M1"], [])


def test_under_a_recipe_every_row_is_a_row(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + "008,M9,2026-07-01,6,gal\nEnd of report,,,,\n")
    assert listed(found) == [(3, "missing_id")]


@pytest.mark.parametrize("text", ["Totally Wet LLC", "Summit", "00123", "Endicott", "Records Street", "M1"])
def test_names_are_not_the_words_of_a_report(text: str) -> None:
    assert not says_so(text)
    assert not is_rule([text])
