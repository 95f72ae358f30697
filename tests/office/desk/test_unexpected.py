"""A fault of the program is told like any refusal and kept whole in a log; a button nobody knows is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlbilling.office.actions import perform
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.unexpected import LOG
from xlbilling.words.problems import Refusal
from xlbilling.workbook.memory import MemoryWorkbook


@pytest.fixture
def book(tmp_path: Path) -> MemoryWorkbook:
    return MemoryWorkbook(tmp_path)


def broken() -> Desk:
    raise ZeroDivisionError("division by\nzero")


def test_a_fault_is_told_in_one_line_and_kept_with_its_traceback(book: MemoryWorkbook, tmp_path: Path) -> None:
    for _ in range(2):
        told = perform("about", broken, book, tmp_path)
    assert isinstance(told, Refusal)
    assert told.line.startswith("error[unexpected_error]: About stopped with ZeroDivisionError (division by zero);")
    assert str(book.get("Message")).startswith("About: About stopped with ZeroDivisionError")
    kept = (tmp_path / LOG).read_text(encoding="utf-8")
    assert kept.count("Traceback") == 2
    assert "in broken" in kept


def test_a_button_nobody_knows_is_refused(book: MemoryWorkbook, tmp_path: Path) -> None:
    told = perform("paint_it_blue", broken, book, tmp_path)
    assert isinstance(told, Refusal)
    assert told.problem.code == "unknown_button"
    assert not (tmp_path / LOG).exists()


def test_a_log_that_cannot_be_written_beside_the_store_goes_elsewhere(
    book: MemoryWorkbook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    told = perform("about", broken, book, tmp_path / "not" / "there")
    assert isinstance(told, Refusal)
    assert str(tmp_path / LOG) in told.line
    assert "ZeroDivisionError" in (tmp_path / LOG).read_text(encoding="utf-8")
