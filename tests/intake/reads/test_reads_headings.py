"""Columns that could be the same thing are never chosen by their place: the file is refused, and a recipe says which."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from tests.intake.reads.uploads import read, taken
from xlbilling.intake.reads import Recipe, parse_reads, propose_recipe
from xlbilling.words.problems import Refusal


@pytest.mark.parametrize(
    ("headings", "said"),
    [
        ("Meter No,Read Date,Reading,Reading", "'Reading (1)' and 'Reading (2)' could both be the read"),
        ("Meter No,Read Date,Read,Current Reading", "'Read' and 'Current Reading' could both be the read"),
        ("Meter No,Date,Reading,Read Date", "'Date' and 'Read Date' could both be the date of the read"),
        ("Meter No,Read Date,Reading,Serial No", "'Meter No' and 'Serial No' could both be the meter"),
    ],
)
@pytest.mark.parametrize("sheet", [False, True])
def test_two_columns_for_one_thing_are_refused_with_both_names(
    tmp_path: Path, headings: str, said: str, sheet: bool
) -> None:
    rows = [["Route 01"], headings.split(","), ["71000001", "2026-11-12", "000100", "000109"]]
    path = tmp_path / ("reads.xlsx" if sheet else "reads.csv")
    if sheet:
        book = xlsxwriter.Workbook(str(path))
        page = book.add_worksheet("Cards")
        for at, row in enumerate(rows):
            page.write_row(at, 0, row)
        book.close()
    else:
        path.write_text("\n".join(",".join(row) for row in rows))
    with pytest.raises(Refusal) as refused:
        parse_reads(path, in_child=False)
    assert refused.value.problem.code == "file_bad_header"
    assert said in refused.value.problem.fact
    assert "recipe" in refused.value.problem.remedy


def test_a_recipe_says_which_of_two_like_headings_is_meant(tmp_path: Path) -> None:
    text = ",,Previous,Current\nMeter No,Read Date,Reading,Reading\nM1,2026-11-12,000100,000109\n"
    path = tmp_path / "reads.csv"
    path.write_text(text)
    proposal = propose_recipe(path)
    assert proposal.recipe["columns"] == {"meter_id": "Meter No", "read_date": "Read Date"}
    assert proposal.doubtful == {"read": ["Reading (1)", "Reading (2)"]}
    recipe = Recipe.model_validate(proposal.recipe | {"columns": proposal.recipe["columns"] | {"read": "Reading (2)"}})
    assert [row[3] for row in taken(read(tmp_path, text, recipe))] == ["109"]
    unsaid = Recipe.model_validate(proposal.recipe | {"columns": proposal.recipe["columns"] | {"read": "Reading"}})
    with pytest.raises(Refusal, match=r"2 times; a recipe says which as 'Reading \(2\)'"):
        read(tmp_path, text, unsaid)


def test_two_columns_for_a_lesser_thing_are_told(tmp_path: Path) -> None:
    found = read(tmp_path, "Meter,Date,Reading,Premise,Location\nM1,2026-11-12,5,P1,L1\n", None)
    assert found.reads["location_id"].tolist() == ["P1"]
    assert found.notes == ["'Premise' and 'Location' both stand for location_id; the first was read"]
