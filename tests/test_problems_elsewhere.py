"""Kinds of problem at the edges of the product, each provoked once where its neighbours' tests do not name its code."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from tests.office.small import tables
from xlbilling.demo.month import run_demo
from xlbilling.intake.gl.signs import debit_positive
from xlbilling.intake.gl.subledger import read_subledger
from xlbilling.maker import build_workbook
from xlbilling.terminal.doctor import refuse_unsafe_place
from xlbilling.trade.tariffs import rate_book
from xlbilling.trade.tariffs.owrs import owrs_rates
from xlbilling.trade.tariffs.owrs_read import read_owrs
from xlbilling.trade.tariffs.owrs_write import owrs_text
from xlbilling.words.problems import Refusal
from xlbilling.workbook.file.book import FileWorkbook

OWRS = (
    "metadata:\n  effective_date: 2020-01-01\nrate_structure:\n  R:\n    service_charge: 5\n    bill: service_charge\n"
)


def code_of(refused: pytest.ExceptionInfo[Refusal]) -> str:
    return refused.value.problem.code


def test_a_demo_goes_into_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").touch()
    with pytest.raises(Refusal) as refused:
        run_demo(tmp_path, 200, "lea", Console(quiet=True))
    assert code_of(refused) == "demo_folder_taken"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_store_does_not_live_in_a_folder_that_is_synchronised(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        refuse_unsafe_place(tmp_path / "Dropbox" / "billing.db")
    assert code_of(refused) == "computer_unfit"


def test_a_workbook_open_in_excel_is_not_written(tmp_path: Path) -> None:
    build_workbook(tmp_path / "billing.xlsm")
    book = FileWorkbook(tmp_path / "billing.xlsm")
    book.put("Period", "2026-11")
    (tmp_path / "~$billing.xlsm").touch()
    with pytest.raises(Refusal) as refused:
        book.save()
    assert code_of(refused) == "BOOK-OPEN"


def test_a_subledger_is_whole_or_refused(tmp_path: Path) -> None:
    header = "id,post_date,kind,account_id,batch,reference,gl_account,debit,credit"
    (tmp_path / "sub.csv").write_text(f"{header}\n1,2026-11-05,billing,01,BL1,B1,1210,5.5.5,\n")
    with pytest.raises(Refusal) as refused:
        read_subledger(tmp_path / "sub.csv")
    assert code_of(refused) == "subledger_unreadable"
    assert "sub.csv:2" in str(refused.value)


def test_the_side_of_an_account_nothing_proves_is_told() -> None:
    rows = pd.DataFrame(
        {
            "gl_account": ["4020"],
            "reference": ["R1"],
            "kind": "posting",
            "date": pd.Timestamp("2026-11-05"),
            "amount_cents": [500],
        }
    )
    turned, problems = debit_positive(rows, {"4020"}, "gl.csv")
    assert [p.code for p in problems] == ["ledger_sign_unproven"]
    assert turned["amount_cents"].tolist() == [-500]


def test_tariff_files_that_are_none_or_say_two_things() -> None:
    with pytest.raises(Refusal) as refused:
        read_owrs("- a list", "t.owrs")
    assert code_of(refused) == "owrs_shape"
    doubled = OWRS.replace("    bill:", "    service_charge: 6\n    bill:")
    told = read_owrs(doubled, "t.owrs")
    assert "owrs_duplicate_key" in {p.code for p in [*told.problems, *owrs_rates(told).problems]}


def test_a_tariff_file_without_its_first_day() -> None:
    undated = OWRS.replace("2020-01-01", "soon")
    assert "owrs_effective_date" in {p.code for p in owrs_rates(read_owrs(undated, "t.owrs")).problems}
    given = owrs_rates(read_owrs(undated, "t.owrs"), effective_from=dt.date(2020, 1, 1))
    assert "owrs_effective_date" not in {p.code for p in given.problems}


def test_what_owrs_has_no_words_for() -> None:
    rates = tables()["rates"]
    twins = rates.loc[rates["component"].eq("Fire line")]
    both = pd.concat([twins, twins.assign(rate_id="R900", component="Fire_line", position=2)], ignore_index=True)
    book, _ = rate_book(both)
    with pytest.raises(Refusal) as refused:
        owrs_text([versions[0] for versions in book.schedules.values()], {"bill_unit": "ccf"})
    assert code_of(refused) == "owrs_cannot_say"
