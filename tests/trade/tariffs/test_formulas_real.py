"""The audit formulas of every real class that can be priced, over a grid of consumptions, recalculated by LibreOffice."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xlsxwriter

from xlbilling.trade.audit import AuditColumns, RatesSheet, columns
from xlbilling.trade.tariffs import RATE_COLUMNS, RateBook, price, rate_book
from xlbilling.trade.tariffs.owrs import owrs_rates
from xlbilling.words.exact import parse_decimal
from xlbilling.workbook.formula_text import filled_in

from .test_formulas import recalculated
from .test_owrs import real, real_tariffs, reference

GRID = ("0", "0.5", "7.25", "14.5", "41", "127.75", "1013")
SCENARIOS = 2
MILLION = 1_000_000
LETTERS = {"rate": "A", "from_unit": "B", "keys": "C"}


def real_rates() -> pd.DataFrame:
    """The rate rows of all real tariffs, each tariff under its file's name."""
    names = reference()["file"].unique()
    rates = pd.concat([owrs_rates(real(name), name=name).rates for name in names], ignore_index=True)
    return rates.assign(rate_id=[str(at) for at in range(2, len(rates) + 2)])  # its row on the sheet Rates


def grid(book: RateBook) -> pd.DataFrame:
    """For every class that can be priced the reference's first scenarios, at consumptions of every size."""
    rows: list[dict[str, Any]] = []
    for (name, customer_class), cases in reference().groupby(["file", "class"], sort=False):
        if (name, customer_class) not in book.schedules:
            continue
        for text in cases["inputs"].drop_duplicates().head(SCENARIOS):
            given = {name: str(value) for name, value in json.loads(text).items()}
            rows += [
                {"tariff": name, "customer_class": customer_class, "consumption": int(Fraction(units) * MILLION),
                 "given": given, "nominal_days": 0, "days": 30, "billed": True}
                for units in GRID
            ]  # fmt: skip
    made = pd.DataFrame(rows)
    day = pd.Timestamp("2100-01-01")
    until = day + pd.Timedelta(30, "D")
    return made.assign(key=made.index.astype(str), service_from=day, service_to=until, bill_date=until)


def usage(bills: pd.DataFrame) -> pd.DataFrame:
    names = sorted({name for given in bills["given"] for name in given})
    given = {name: [row.get(name, "") for row in bills["given"]] for name in names}
    made = bills.drop(columns=["given", "nominal_days", "days", "billed"]).assign(**given)
    dates = ("service_from", "service_to", "bill_date")
    return made.astype(dict.fromkeys(dates, "datetime64[s]"))


def write(path: Path, rates: pd.DataFrame, made: AuditColumns) -> None:
    """The audit sheet as the workbook has it: inputs, then each schedule's formulas, the sum of the lines in column A."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False})
    audit, sheet = book.add_worksheet("Audit"), book.add_worksheet("Rates")
    for at, (rate, from_unit, keys) in enumerate(rates[list(LETTERS)].itertuples(index=False), start=1):
        sheet.write_string(at, 2, keys)
        for column, text in ((0, rate), (1, from_unit)):
            number = parse_decimal(text)
            if number is not None:
                sheet.write_number(at, column, float(number))
    order = [*made.values, *made.formulas]
    letters = {name: xlsxwriter.utility.xl_col_to_name(at) for at, name in enumerate(order, start=1)}
    rows = range(1, len(made.recomputed) + 1)
    for name, cells in made.values.items():
        for row, cell in enumerate(cells):
            if cell is not None:
                audit.write(row, order.index(name) + 1, cell)
    for name, formulas in made.formulas.items():
        for row, formula in enumerate(filled_in(formulas, rows, letters)):
            if formula:
                audit.write_formula(row, order.index(name) + 1, formula)
    for row, formula in enumerate(filled_in(made.recomputed, rows, letters)):
        audit.write_formula(row, 0, formula)
    book.close()


@real_tariffs
@pytest.mark.libreoffice
@pytest.mark.slow
def test_the_sheet_recomputes_every_real_class_to_the_cent(tmp_path: Path) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    rates = real_rates()
    book, problems = rate_book(rates[list(RATE_COLUMNS)])
    assert problems == []
    bills = grid(book)
    result = price(book, usage(bills), with_basis=False)
    priced = ~bills.index.isin(list(result.refused))
    assert {(bill.tariff, bill.customer_class) for bill in bills[priced].itertuples()} == set(book.schedules)
    bills["billed"] = priced
    at = {rate_id: int(rate_id) for rate_id in rates["rate_id"]}
    made = columns(bills, book, RatesSheet(at, dict(zip(rates["rate_id"], rates["keys"], strict=True)), LETTERS))
    write(tmp_path / "audit.xlsx", rates, made)
    shown = recalculated(tmp_path / "audit.xlsx", tmp_path)
    billed = np.zeros(len(bills), dtype=np.int64)
    np.add.at(billed, result.lines["row"].to_numpy(), result.lines["amount_cents"].to_numpy())
    wrong = [
        f"{bill.tariff} {bill.customer_class} {bill.consumption / MILLION} {bill.given}: {text} for {billed[row] / 100}"
        for row, (bill, text) in enumerate(zip(bills.itertuples(), shown, strict=True))
        if bill.billed and (not is_number(text) or round(Fraction(text) * 100) != billed[row])
    ]
    assert wrong == []
    assert priced.sum() > 1_000


def is_number(text: str) -> bool:
    return parse_decimal(text) is not None
