"""A sheet's fingerprint: the same for what was written and what is read, another for any typing in a declared column."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest

from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import give
from xlbilling.workbook.fingerprint import fingerprint
from xlbilling.workbook.port import OpenWorkbook

DECLARED = TABLE["payments"]


def rows() -> pd.DataFrame:
    """Every sort of cell: text ids with zeros, money with a gap, days with a gap, blanks, texts with line breaks."""
    given = pd.DataFrame(
        {
            "payment_id": ["P0000001", "P0000002", "P0000003"],
            "received_on": np.array(["2026-11-03", "2026-11-04", "2026-11-04"], dtype="datetime64[s]"),
            "account_id": ["0000001", "0000002", "7"],
            "amount": pd.array([120_407, 5, None], dtype="Int64"),
            "reference": ["", "a\nb", "=1+1"],
            "rev": np.array([1, 2, 12], dtype=np.int64),
        }
    )
    return given.reindex(columns=list(DECLARED.columns))


def test_what_was_written_is_read_with_the_same_fingerprint(book: OpenWorkbook) -> None:
    book.write("payments", rows())
    book.save()
    assert book.read("payments").fingerprint == fingerprint(DECLARED, give(DECLARED, rows())) != ""


def test_a_table_without_rows_has_a_fingerprint_of_its_own(book: OpenWorkbook) -> None:
    book.write("payments", rows().iloc[:0])
    book.save()
    assert book.read("payments").fingerprint == fingerprint(DECLARED, give(DECLARED, rows().iloc[:0]))


@pytest.mark.parametrize("field", list(DECLARED.columns))
def test_typing_into_any_declared_column_changes_it(book: OpenWorkbook, field: str) -> None:
    book.write("payments", rows())
    book.save()
    sheet = book.read("payments")
    typed = dt.date(2026, 11, 5) if DECLARED.columns[field].kind == "date" else 99.0
    book.type_in(sheet.sheet, {f"{sheet.column_letter[field]}{sheet.rows[1]}": typed})
    assert book.read("payments").fingerprint != sheet.fingerprint
    book.type_in(sheet.sheet, {f"{sheet.column_letter[field]}{sheet.rows[1]}": None})
    blanked = sheet.frame[field].iloc[1] in (None, "")
    assert (book.read("payments").fingerprint == sheet.fingerprint) is blanked


def test_a_row_below_and_a_row_less_change_it(book: OpenWorkbook) -> None:
    book.write("payments", rows())
    book.save()
    sheet = book.read("payments")
    book.type_in(sheet.sheet, {f"{sheet.column_letter['amount']}{sheet.rows[-1] + 1}": 12.5})
    assert book.read("payments").fingerprint != sheet.fingerprint
    book.type_in(sheet.sheet, {f"{sheet.column_letter['amount']}{sheet.rows[-1] + 1}": None})
    assert book.read("payments").fingerprint == sheet.fingerprint


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["12", None], ["1", "2"]),  # the same letters in other cells
        (["", "a"], ["a", ""]),
        ([None, 0.0], [0.0, None]),  # no amount is not nothing owed
        (["1"], [1.0]),  # a text is not a number
        ([True], [1.0]),
        ([dt.date(2026, 11, 3)], [dt.date(2026, 11, 4)]),
        ([dt.datetime(2026, 11, 3)], [dt.datetime(2026, 11, 3, 8)]),
        ([dt.datetime(2026, 11, 3)], [dt.datetime(2026, 11, 3, 0, 0, 0, 500_000)]),
        (["a", "b"], ["ab", ""]),
    ],
)
def test_cells_that_differ_differ(one: list[object], other: list[object]) -> None:
    filled = {name: [None] * len(one) for name in DECLARED.columns}
    assert fingerprint(DECLARED, filled | {"reference": one}) != fingerprint(DECLARED, filled | {"reference": other})


@pytest.mark.parametrize(
    ("one", "other"),
    [([1], [1.0]), ([""], [None]), ([dt.datetime(2026, 11, 3)], [dt.date(2026, 11, 3)])],
)
def test_the_same_cell_as_ports_give_it_is_the_same(one: list[object], other: list[object]) -> None:
    filled: dict[str, list[object]] = {name: [None] for name in DECLARED.columns}
    assert fingerprint(DECLARED, filled | {"reference": one}) == fingerprint(DECLARED, filled | {"reference": other})


def test_a_heading_that_is_missing_has_no_fingerprint() -> None:
    assert fingerprint(DECLARED, {"payment_id": []}) == ""
