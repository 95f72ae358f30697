"""The terminal command and recipes: exit codes, files written, one line of error; and proposals from a sample."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from xlsxwriter import Workbook as NewWorkbook

from xlbilling.intake.reads import Recipe, learn_recipe, parse_reads
from xlbilling.intake.reads.__main__ import main
from xlbilling.intake.reads.command import reads_parse
from xlbilling.words.problems import Refusal

TEXT = "Account,Meter,Read Date,Read,Unit\n007,M1,2026-07-01,5,gal\n"


def run(tmp_path: Path, text: str, *more: str) -> tuple[int, list[dict[str, str]], list[dict[str, str]]]:
    source, out, rejects = (tmp_path / name for name in ("in.csv", "out.csv", "rej.csv"))
    source.write_text(text)
    code = main([str(source), "--out", str(out), "--rejects", str(rejects), *more])
    tables = [list(csv.DictReader(path.open(newline=""))) if path.exists() else [] for path in (out, rejects)]
    return code, tables[0], tables[1]


def test_all_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, rejects = run(tmp_path, TEXT)
    assert code == 0
    assert out == [
        {"account_id": "007", "location_id": "", "meter_id": "M1", "register_id": "", "read_date": "2026-07-01",
         "read_time": "", "dial_read": "5", "read_value": "5", "unit": "GAL", "read_code": "actual", "source_line": "2"}
    ]  # fmt: skip
    assert rejects == []
    assert capsys.readouterr().out == "format: generic\n"


def test_some_listed(tmp_path: Path) -> None:
    code, out, rejects = run(tmp_path, TEXT + "8,M2,2026-07-01,x,gal\n")
    assert (code, len(out)) == (3, 1)
    assert [(r["source_line"], r["code"]) for r in rejects] == [("3", "bad_number")]
    assert rejects[0]["message"]


def test_refused_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, _ = run(tmp_path, "nothing of the kind\n")
    assert code == 4
    assert capsys.readouterr().err.startswith("error[file_bad_header]: in.csv: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv"]


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, TEXT, "--format", "telegraph")[0] == 2
    assert run(tmp_path, TEXT, "--format", "beacon", "--map", "x.yaml")[0] == 2
    assert run(tmp_path, TEXT, "--format", "beacon")[0] == 4
    assert run(tmp_path, TEXT, "--map", str(tmp_path / "absent.yaml"))[0] == 4


def test_a_result_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in.csv").write_text(TEXT)
    missing = tmp_path / "no" / "out.csv"
    assert reads_parse(tmp_path / "in.csv", out=missing, rejects=tmp_path / "rej.csv") == 4
    assert "error[output_not_written]" in capsys.readouterr().err


def test_the_upload_is_never_written_over(tmp_path: Path) -> None:
    source = tmp_path / "in.csv"
    source.write_text(TEXT)
    (tmp_path / "same.csv").symlink_to(source)
    assert reads_parse(source, out=tmp_path / "same.csv", rejects=tmp_path / "rej.csv") == 2
    assert reads_parse(source, out=tmp_path / "a.csv", rejects=tmp_path / "a.csv") == 2
    (tmp_path / "folder").mkdir()
    assert reads_parse(source, out=tmp_path / "out.csv", rejects=tmp_path / "folder") == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "in.csv", "same.csv"]
    assert source.read_text() == TEXT


@pytest.mark.parametrize(
    "text",
    [
        "columns: [1",
        "version: 1",
        "columns: {meter_id: M, read_date: D}",
        "columns: {meter_id: M, read_date: D, read: R, colour: C}",
        "columns: {meter_id: M, read_date: D, read: R}\ndate_formats: ['%H:%M']",
        "columns: {meter_id: M, read_date: D, read: R}\nsurprise: 1",
        "columns: {meter_id: M, read_date: D, read: R}\nkind: receipts",
        "- a list",
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_a_recipe_with_a_mistake_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(Refusal) as refusal:
        Recipe.load(tmp_path / "recipe.yaml")
    assert refusal.value.problem.code == "recipe_unusable"


def test_a_recipe_is_learned_saved_and_used(tmp_path: Path) -> None:
    source = tmp_path / "july.csv"
    source.write_text(
        "Sample Water\nSerial No;Acct;Reading;Read Date;Colour\nM1;007;1.234,5;07/13/2026;red\nM2;008;6,25;07/14/2026;red\n"
    )
    recipe = learn_recipe(source)
    assert recipe.columns == {
        "meter_id": "Serial No",
        "account_id": "Acct",
        "read": "Reading",
        "read_date": "Read Date",
    }
    assert (recipe.header_row, recipe.delimiter, recipe.decimal_mark, recipe.thousands_mark) == (2, ";", ",", ".")
    recipe.save(tmp_path / "recipe.yaml")
    found = parse_reads(source, recipe=Recipe.load(tmp_path / "recipe.yaml"))
    assert found.reads["read_value"].tolist() == ["1234.5", "6.25"]
    assert found.reads["dial_read"].tolist() == ["1.234,5", "6,25"]
    assert found.balance.rejects == 0


def test_a_recipe_learned_from_a_workbook_names_its_sheet(tmp_path: Path) -> None:
    path = tmp_path / "july.xlsx"
    with NewWorkbook(str(path)) as book:
        book.add_worksheet("Notes").write(0, 0, "see July")
        sheet = book.add_worksheet("July")
        sheet.write_row(0, 0, ["Meter", "Read", "Date"])
        sheet.write_row(1, 0, ["M1", 5, "2026-07-01"])
    recipe = learn_recipe(path)
    assert recipe.sheet == "July"
    assert len(parse_reads(path, recipe=recipe).reads) == 1


def test_no_recipe_from_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir\n")
    with pytest.raises(Refusal):
        learn_recipe(tmp_path / "letter.txt")


def test_required_fields_of_a_recipe(tmp_path: Path) -> None:
    recipe = Recipe(
        columns={"meter_id": "Meter", "read_date": "Read Date", "read": "Read", "unit": "Unit"},
        required=["meter_id", "read_date", "unit"],
    )
    (tmp_path / "in.csv").write_text(TEXT + "8,M2,2026-07-01,,gal\n9,M3,2026-07-01,5,\n")
    found = parse_reads(tmp_path / "in.csv", recipe=recipe, in_child=False)
    assert found.reads[["meter_id", "read_code"]].to_numpy().tolist() == [["M1", "actual"], ["M2", "no_read"]]
    assert found.rejects["code"].tolist() == ["bad_record"]
