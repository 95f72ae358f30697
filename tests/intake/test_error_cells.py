"""Error values in .xls, .xlsb and .ods: a cell that shows one is no blank, in reads and in payments."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.intake.old_workbooks import CODES, KINDS, Cell, Shows
from xlbilling.intake.files.error_cells import errors_in
from xlbilling.intake.files.listing import read_listing
from xlbilling.intake.reads import parse_reads
from xlbilling.words.problems import Place, Refusal

ROWS: list[list[Cell]] = [
    ["Meter No", "Account", "Read Date", "Reading"],
    ["71000001", "0000001", "2026-11-12", 109.0],
    ["71000002", "0000002", "2026-11-12", Shows("#N/A")],
    ["71000003", Shows("#DIV/0!"), "2026-11-12", 112.0],
    ["71000004", "0000004", "2026-11-12", None],
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", CODES)
@pytest.mark.parametrize("worked_out", [True, False])
def test_each_error_value_is_found_in_its_cell(kind: str, error: str, worked_out: bool) -> None:
    """The second row's last cell and a row of its own below the table, beyond what the library counts as used."""
    shows = Shows(error, worked_out)
    rows: list[list[Cell]] = [["a", 1.5, None], ["b", None, shows], [shows, None, None]]
    assert errors_in(KINDS[kind](rows), Place(file="book")) == {0: {(1, 2): error, (2, 0): error}}


@pytest.mark.parametrize("kind", KINDS)
def test_a_read_that_is_an_error_is_listed_and_a_blank_is_a_no_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"reads.{kind}"
    path.write_bytes(KINDS[kind](ROWS))
    found = parse_reads(path, in_child=False)
    assert found.reads[["meter_id", "read_code"]].to_numpy().tolist() == [
        ["71000001", "actual"],
        ["71000004", "no_read"],
    ]
    assert found.rejects[["source_line", "code"]].to_numpy().tolist() == [[3, "bad_number"], [4, "bad_record"]]
    assert "#N/A" in found.rejects["message"].iloc[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_payment_that_rests_on_an_error_is_listed(tmp_path: Path, kind: str) -> None:
    rows: list[list[Cell]] = [
        ["Account", "Amount", "Reference"],
        ["0000001", 50.0, "CK1"],
        ["0000002", 60.0, Shows("#N/A", worked_out=False)],
        ["0000003", Shows("#DIV/0!"), "CK3"],
    ]
    path = tmp_path / f"payments.{kind}"
    path.write_bytes(KINDS[kind](rows))
    found = read_listing(path, {"account": (), "amount": (), "reference": ()}, ["account", "amount"])
    assert found.frame["account"].tolist() == ["0000001"]
    assert [problem.place.line for problem in found.rejects] == [3, 4]
    assert "the error value #N/A" in found.rejects[0].fact


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_cannot_be_followed_is_refused_not_read_as_blanks(kind: str) -> None:
    whole = KINDS[kind](ROWS)
    with pytest.raises(Refusal):
        errors_in(whole[: len(whole) // 3], Place(file="book"))
