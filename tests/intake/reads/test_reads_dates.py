"""The order of day and month in a file of reads: the whole column's, wherever the row that proves it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from tests.intake.reads.uploads import HEAD, RECIPE, listed, read
from xlbilling.intake.reads import parse_reads

PLAIN = "Meter,Read Date,Reading\n"


def days(found: object) -> list[str]:
    return found.reads["read_date"].tolist()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "rows", [2, 150_000]
)  # the second is several blocks, and its last row is the one that proves it
def test_a_row_that_can_only_be_day_first_turns_every_row_before_it(tmp_path: Path, rows: int) -> None:
    text = PLAIN + "".join(f"M{n},03/07/2026,{n}\n" for n in range(rows)) + "M,13/07/2026,5\n"
    found = read(tmp_path, text, None)
    assert set(days(found)) == {"2026-07-03", "2026-07-13"}
    assert len(found.reads) == rows + 1
    assert found.notes == ["the dates are read day first, because '13/07/2026' can only be day first"]


def test_both_orders_in_one_column_take_no_row_that_could_be_both(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN + "M1,03/07/2026,1\nM2,13/07/2026,2\nM3,07/14/2026,3\nM4,04/04/2026 7:05 PM,4\n", None)
    assert days(found) == ["2026-07-14", "2026-04-04"]
    assert listed(found) == [(2, "bad_date"), (3, "bad_date")]
    assert found.rejects["message"].iloc[0] == "'03/07/2026' could be 2026-03-07 or 2026-07-03"
    assert "can only be day first" in found.notes[0]


def test_a_day_first_date_among_dates_with_the_year_first_is_no_date(tmp_path: Path) -> None:
    found = read(tmp_path, PLAIN + "M1,2026-07-03,1\nM2,13/07/2026,2\n", None)
    assert (days(found), listed(found)) == (["2026-07-03"], [(3, "bad_date")])


@pytest.mark.parametrize(
    ("dates", "taken"),
    [
        (
            ["07/01/2026", "07/14/2026", "13/07/2026"],
            ["2026-07-01", "2026-07-14"],
        ),  # the recipe is right, one row is not
        (["03/07/2026", "13/07/2026", "14/07/2026"], []),  # nothing speaks for the recipe, so no row is taken by it
    ],
)
def test_a_recipe_is_a_persons_word_until_every_row_speaks_against_it(
    tmp_path: Path, dates: list[str], taken: list[str]
) -> None:
    text = HEAD + "".join(f"7,M{n},{day},{n},gal\n" for n, day in enumerate(dates))
    assert days(read(tmp_path, text)) == taken
    day_first = RECIPE.model_copy(update={"date_formats": ["%d/%m/%Y"]})
    assert len(days(read(tmp_path, text, day_first))) == len([day for day in dates if not day.startswith("07/14")])


def test_a_recipe_with_both_orders_leaves_it_to_the_rows(tmp_path: Path) -> None:
    both = RECIPE.model_copy(update={"date_formats": ["%m/%d/%Y", "%d/%m/%Y"]})
    assert days(read(tmp_path, HEAD + "7,M1,03/07/2026,1,gal\n7,M2,13/07/2026,1,gal\n", both)) == [
        "2026-07-03",
        "2026-07-13",
    ]
    assert days(read(tmp_path, HEAD + "7,M1,03/07/2026,1,gal\n7,M2,07/13/2026,1,gal\n", both)) == [
        "2026-03-07",
        "2026-07-13",
    ]


def test_a_sheet_whose_day_first_column_was_opened_month_first(tmp_path: Path) -> None:
    """46213 is July 10: it was 07/10, and may have been the 7th of October; 13/07 stayed text, as no month is 13."""
    path = tmp_path / "upload.xlsx"
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet()
    for at, row in enumerate([("Meter", "Date", "Read"), ("M1", 46213, 1), ("M2", 46216, 2), ("M3", "13/07/2026", 3)]):
        sheet.write_row(at, 0, row)
    book.close()
    found = parse_reads(path, in_child=False)
    assert (days(found), listed(found)) == (["2026-07-13"], [(2, "bad_date"), (4, "bad_date")])
    assert found.rejects["message"].iloc[0] == "'46213' could be 2026-07-10 or 2026-10-07"
