"""The print file: everything the print vendor needs to print and mail a batch of bills, one row a bill."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.money import dollars
from xlbilling.problems import Place, Refusal, declare

PRINT_FOOTS: Final = declare(
    "print_foots",
    "A bill does not foot: its charges are not its total, or its balance is not what is due.",
    "Nothing was printed. Compute the batch again; if it stays so, have the bill explained with Explain bill.",
)
PRINT_BILL: Final = declare(
    "print_bill",
    "A bill of the print file is there twice, has no charges, or charges or history name a bill that is not there.",
    "Nothing was printed. Compute the batch again.",
)

HISTORY_MONTHS: Final = 13
BILL_COLUMNS: Final = {
    "number": "bill_number",
    "account_id": "account",
    "name": "name",
    "mail_street": "mail_street",
    "mail_city": "mail_city",
    "premise": "premise",
    "bill_date": "bill_date",
    "due_date": "due_date",
    "previous_read": "previous_read",
    "previous_date": "previous_read_date",
    "this_read": "this_read",
    "this_date": "this_read_date",
    "estimated": "estimated",
    "estimate": "how_estimated",
    "settles": "settles_estimated_bills",
    "days": "days",
    "consumption": "consumption",
    "unit": "unit",
}
BALANCE_COLUMNS: Final = ("total_charges", "previous_balance", "payments_since", "amount_due")
_MONEY: Final = frozenset({*BALANCE_COLUMNS, "amount"})
_DATES: Final = frozenset({"bill_date", "due_date", "previous_date", "this_date"})
_QUANTITIES: Final = frozenset({"consumption", "quantity"})

Texts = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


def print_file(bills: pd.DataFrame, lines: pd.DataFrame, history: pd.DataFrame) -> bytes:
    """The batch as CSV (RFC 4180, UTF-8 without byte-order mark), one row a bill in the order of `bills`.

    bills: number, account_id, name, mail_street, mail_city, premise, bill_date, due_date, previous_read, previous_date,
    this_read, this_date, estimated (bool), estimate (how, blank for an actual read), settles (whole: estimated bills in a
    row before it that this one sets right), days, consumption (int64 millionths), unit, total_charges, previous_balance,
    payments_since (above zero takes off), amount_due (int64 cents), messages. Reads are text as on the dial.
    lines: number, line, charge, quantity (int64 millionths), rate (decimal text), amount (int64 cents); they come out
    as charge_1, quantity_1, rate_1, amount_1, charge_2 ... up to the longest bill of the batch.
    history: number, month (text 2026-11), consumption (int64 millionths); the thirteen months up to the month of the
    bill date come out oldest first, blank where nothing was billed in a month.
    The same frames make the same bytes. Refuses a batch in which any bill does not foot.
    """
    numbers = pd.Index(bills["number"])
    if not numbers.is_unique:
        _refuse(str(numbers[numbers.duplicated()][0]), "The bill is there twice")
    line_rows, history_rows = _rows_of(numbers, lines["number"]), _rows_of(numbers, history["number"])
    _refuse_unfooted(bills, lines, line_rows)
    columns = {title: _texts(name, bills[name]) for name, title in BILL_COLUMNS.items()}
    columns |= _charges(lines, line_rows, len(bills))
    columns |= {name: _texts(name, bills[name]) for name in BALANCE_COLUMNS}
    columns |= _history(bills["bill_date"], history, history_rows)
    columns["messages"] = _texts("messages", bills["messages"])
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
    return out.getvalue().encode("utf-8")


def _rows_of(numbers: pd.Index[Any], wanted: pd.Series[Any]) -> Rows:
    """The row in `bills` that each charge or month of history belongs to."""
    rows = numbers.get_indexer(pd.Index(wanted))
    if (rows < 0).any():
        _refuse(str(wanted.to_numpy()[(rows < 0).argmax()]), "The bill is not in the batch")
    return rows


def _refuse(number: str, fact: str) -> None:
    raise Refusal(PRINT_BILL.at(Place("bills", number), fact))


def _refuse_unfooted(bills: pd.DataFrame, lines: pd.DataFrame, line_rows: Rows) -> None:
    """Charges must add to the total, and balance less payments plus charges to what is due."""
    if (bare := np.bincount(line_rows, minlength=len(bills)) == 0).any():
        _refuse(str(bills["number"].to_numpy()[bare.argmax()]), "The bill has no charges")
    charged = np.zeros(len(bills), dtype=np.int64)
    np.add.at(charged, line_rows, lines["amount"].to_numpy(dtype=np.int64))
    total, before, paid, due = (bills[name].to_numpy(dtype=np.int64) for name in BALANCE_COLUMNS)
    for found, said, what in (
        (charged, total, "The charges add to {} and the total says {}"),
        (before - paid + total, due, "Balance, payments and charges make {} and the amount due says {}"),
    ):
        wrong = found != said
        if wrong.any():
            row = int(wrong.argmax())
            fact = what.format(dollars(int(found[row])), dollars(int(said[row])))
            raise Refusal(PRINT_FOOTS.at(Place("bills", str(bills["number"].to_numpy()[row])), fact))


def _charges(lines: pd.DataFrame, line_rows: Rows, bills: int) -> dict[str, Texts]:
    """The charges of each bill side by side, in order of their line."""
    order = np.lexsort((lines["line"].to_numpy(), line_rows))
    row = line_rows[order]
    first = np.searchsorted(row, row, side="left")
    place = np.arange(len(row)) - first
    texts = {name: _texts(name, lines[name])[order] for name in ("charge", "quantity", "rate", "amount")}
    columns: dict[str, Texts] = {}
    for charge in range(int(place.max(initial=-1)) + 1):
        here = place == charge
        for name, values in texts.items():
            column = columns[f"{name}_{charge + 1}"] = np.full(bills, "", dtype=object)
            column[row[here]] = values[here]
    return columns


def _history(bill_dates: pd.Series[Any], history: pd.DataFrame, history_rows: Rows) -> dict[str, Texts]:
    """Month and consumption of the thirteen months that end with the bill's own, oldest first."""
    last = bill_dates.to_numpy(dtype="datetime64[M]")
    months = history["month"].to_numpy(dtype="datetime64[M]")
    ago = (last[history_rows] - months).astype(np.int64)
    shown = (ago >= 0) & (ago < HISTORY_MONTHS)
    place = HISTORY_MONTHS - 1 - ago[shown]
    sums = np.zeros((HISTORY_MONTHS, len(last)), dtype=np.int64)
    known = np.zeros(sums.shape, dtype=bool)
    np.add.at(sums, (place, history_rows[shown]), history["consumption"].to_numpy(dtype=np.int64)[shown])
    known[place, history_rows[shown]] = True
    columns: dict[str, Texts] = {}
    for month in range(HISTORY_MONTHS):
        named = last.astype(np.int64) - (HISTORY_MONTHS - 1 - month)
        columns[f"history_month_{month + 1}"] = _each_once(named, lambda number: str(np.datetime64(number, "M")))
        columns[f"history_{month + 1}"] = np.where(known[month], _each_once(sums[month], quantity_text), "")
    return columns


def _texts(name: str, values: pd.Series[Any]) -> Texts:
    """One column as the file's text: money 1204.07, quantity without needless zeros, date 2026-11-30, flag yes or no."""
    if name in _MONEY:
        return _each_once(values.to_numpy(dtype=np.int64), lambda cents: dollars(cents).replace(",", ""))
    if name in _QUANTITIES:
        return _each_once(values.to_numpy(dtype=np.int64), quantity_text)
    if name in _DATES:
        days = values.to_numpy(dtype="datetime64[D]").astype(np.int64)
        return np.where(values.isna().to_numpy(), "", _each_once(days, lambda day: str(np.datetime64(day, "D"))))
    if name == "settles":
        return _each_once(values.to_numpy(dtype=np.int64), lambda count: str(count or ""))
    if name == "estimated":
        return np.where(values.to_numpy(dtype=bool), "yes", "no").astype(object)
    return values.astype("str").fillna("").to_numpy(dtype=object)


def _each_once(values: npt.NDArray[np.int64], text: Callable[[int], str]) -> Texts:
    """The text of each number; each different number is worked out once."""
    codes, different = pd.factorize(values)
    texts = np.empty(len(different), dtype=object)
    texts[:] = [text(int(value)) for value in different]
    return texts[codes]


def quantity_text(millionths: int) -> str:
    """Millionths of a unit as plain decimal text without needless zeros: 12500000 -> "12.5"."""
    whole, part = divmod(abs(millionths), 1_000_000)
    text = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"-{text}" if millionths < 0 else text
