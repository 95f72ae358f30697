"""Payments files: every row is taken exactly or listed with its line and reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from xlbilling.intake.receipts import METHODS, read_receipts
from xlbilling.problems import Refusal


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "payments.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_lockbox_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "Account Number,Payment Date,Amount,Check Number", '000123,11/02/2026,"$1,204.07",8817', "000124,2026-11-03,3.5,"
    )  # fmt: skip
    found = read_receipts(path)
    expected = pd.DataFrame(
        {
            "received_on": np.array(["2026-11-02", "2026-11-03"], "datetime64[s]"),
            "account_id": pd.array(["000123", "000124"], "str"),
            "amount": np.array([120407, 350], "int64"),
            "method": pd.array(["lockbox", "lockbox"], "str"),
            "reference": pd.array(["8817", ""], "str"),
            "source_line": np.array([2, 3], "int64"),
        }
    )
    pd.testing.assert_frame_equal(found.frame, expected)
    assert found.rejects == []
    assert len(found.digest) == 64


def test_methods_are_those_of_the_payments_sheet(tmp_path: Path) -> None:
    lines = [f"1,2026-11-02,5,{method.upper()}" for method in METHODS]
    found = read_receipts(written(tmp_path, "account,date,amount,method", *lines))
    assert tuple(found.frame["method"]) == METHODS


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",2026-11-02,5,web", "missing_account"),
        ("1,2026-11-31,5,web", "bad_date"),
        ("1,,5,web", "bad_date"),
        ("1,2026-11-02,12.325,web", "bad_amount"),
        ("1,2026-11-02,,web", "bad_amount"),
        ("1,2026-11-02,5,", "bad_method"),
        ("1,2026-11-02,5,barter", "bad_method"),
        ("1,2026-11-02,5", "damaged_row"),
        ("Total,,5,", "bad_date"),
    ],
)
def test_a_row_that_cannot_be_taken_is_listed(tmp_path: Path, row: str, code: str) -> None:
    found = read_receipts(
        written(tmp_path, "account,date,amount,method", "7,2026-11-02,7,web", row, "8,2026-11-02,8,web")
    )
    assert found.frame["account_id"].tolist() == ["7", "8"]
    assert [(p.code, p.place.file, p.place.line) for p in found.rejects] == [(code, "payments.csv", 3)]


def test_a_row_with_two_faults_is_listed_once(tmp_path: Path) -> None:
    found = read_receipts(written(tmp_path, "account,date,amount", ",x,y"))
    assert len(found.rejects) == 1


def test_a_workbook_with_real_dates(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "payments.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["Account", "Received on", "Amount", "Reference"])
    sheet.write_string(1, 0, "000123")
    sheet.write_datetime(1, 1, dt.datetime(2026, 11, 2), made.add_format({"num_format": "m/d/yyyy"}))
    sheet.write_number(1, 2, 128.33)
    sheet.write_number(1, 3, 8817)
    made.close()
    row = read_receipts(tmp_path / "payments.xlsx").frame.iloc[0]
    assert (row["received_on"], row["account_id"], row["amount"]) == (pd.Timestamp("2026-11-02"), "000123", 12833)
    assert row["reference"] == "8817"


def test_an_empty_file_of_payments_has_no_rows(tmp_path: Path) -> None:
    found = read_receipts(written(tmp_path, "account,date,amount"))
    assert len(found.frame) == 0
    assert str(found.frame["amount"].dtype) == "int64"


def test_a_file_without_amounts_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_receipts(written(tmp_path, "account,date,total", "1,2026-11-02,5"))
    assert refused.value.problem.code == "heading_missing"
