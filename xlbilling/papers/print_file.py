"""The print file: everything the print vendor needs to print and mail a batch of bills, one row a bill."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Refusal, declare

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
    "kind": "kind",
    "account_id": "account",
    "name": "name",
    "mail_street": "mail_street",
    "mail_city": "mail_city",
    "bill_date": "bill_date",
    "due_date": "due_date",
}
SECTION_COLUMNS: Final = {
    "service_id": "id",
    "service_type": "type",
    "premise": "premise",
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
    "amount": "amount",
}
BALANCE_COLUMNS: Final = ("total_charges", "previous_balance", "payments_since", "amount_due")
_MONEY: Final = frozenset({*BALANCE_COLUMNS, "amount"})
_DATES: Final = frozenset({"bill_date", "due_date", "previous_date", "this_date"})
_QUANTITIES: Final = frozenset({"consumption", "quantity"})

Texts = npt.NDArray[np.object_]
Rows = npt.NDArray[np.intp]


def print_file(bills: pd.DataFrame, sections: pd.DataFrame, lines: pd.DataFrame, history: pd.DataFrame) -> bytes:
    """The batch as CSV (RFC 4180, UTF-8 without byte-order mark), one row a bill in the order of `bills`.

    bills: number, kind, account_id, name, mail_street, mail_city, bill_date, due_date, total_charges, previous_balance,
    payments_since (above zero takes off), amount_due (int64 cents), messages.
    sections: number, service_id, service_type, premise, previous_read, previous_date, this_read, this_date, estimated
    (bool), estimate (how, blank for an actual read), settles (whole: estimated bills in a row before it that this one
    sets right), days, consumption (int64 millionths), unit, amount (int64 cents); they come out as service_1_id,
    service_1_type, ... service_2_id ... up to the bill with the most services. Reads are text as on the dial.
    lines: number, service_id, line, charge, quantity (int64 millionths), rate (decimal text), amount (int64 cents); they
    come out as charge_1, charge_1_service, quantity_1, rate_1, amount_1, charge_2 ... up to the longest bill.
    history: number, service_id, month (text 2026-11), consumption (int64 millionths); the thirteen months up to the month
    of the bill date come out oldest first, for each section, blank where nothing was billed in a month.
    The same frames make the same bytes. Refuses a batch in which any bill does not foot.
    """
    numbers = pd.Index(bills["number"])
    if not numbers.is_unique:
        _refuse(str(numbers[numbers.duplicated()][0]), "The bill is there twice")
    section_rows, line_rows = _rows_of(numbers, sections["number"]), _rows_of(numbers, lines["number"])
    _refuse_unfooted(bills, sections, section_rows, lines, line_rows)
    columns = {title: _texts(name, bills[name]) for name, title in BILL_COLUMNS.items()}
    columns |= {name: _texts(name, bills[name]) for name in BALANCE_COLUMNS}
    columns |= {"messages": _texts("messages", bills["messages"])}
    columns |= _sections(bills, sections, section_rows, history)
    columns |= _charges(lines, line_rows, len(bills))
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


def _refuse_unfooted(
    bills: pd.DataFrame, sections: pd.DataFrame, section_rows: Rows, lines: pd.DataFrame, line_rows: Rows
) -> None:
    """Charges must add to each section and to the total, and balance less payments plus charges to what is due."""
    if (bare := np.bincount(line_rows, minlength=len(bills)) == 0).any():
        _refuse(str(bills["number"].to_numpy()[bare.argmax()]), "The bill has no charges")
    of_section = _section_of(sections, lines)
    total, before, paid, due = (bills[name].to_numpy(dtype=np.int64) for name in BALANCE_COLUMNS)
    billed = sections["amount"].to_numpy(dtype=np.int64)
    numbers, of = bills["number"].to_numpy(), sections["number"].to_numpy()
    for found, said, what, where in (
        (_summed(lines, of_section, len(sections)), billed, "The charges of a service add to {} and it says {}", of),
        (_summed(sections, section_rows, len(bills)), total, "The services add to {} and the total says {}", numbers),
        (_summed(lines, line_rows, len(bills)), total, "The charges add to {} and the total says {}", numbers),
        (before - paid + total, due, "Balance, payments and charges make {} and the amount due says {}", numbers),
    ):
        wrong = found != said
        if wrong.any():
            row = int(wrong.argmax())
            fact = what.format(dollars(int(found[row])), dollars(int(said[row])))
            raise Refusal(PRINT_FOOTS.at(Place("bills", str(where[row])), fact))


def _summed(rows: pd.DataFrame, of: Rows, count: int) -> npt.NDArray[np.int64]:
    made = np.zeros(count, dtype=np.int64)
    np.add.at(made, of, rows["amount"].to_numpy(dtype=np.int64))
    return made


def _section_of(sections: pd.DataFrame, rows: pd.DataFrame) -> Rows:
    """The row in `sections` that each charge or month of history belongs to."""
    known = pd.MultiIndex.from_frame(sections[["number", "service_id"]])
    found = known.get_indexer(pd.MultiIndex.from_frame(rows[["number", "service_id"]]))
    if (found < 0).any():
        row = rows.iloc[int((found < 0).argmax())]
        _refuse(str(row["number"]), f"The bill has no service {row['service_id']}")
    return found


def _places(rows: Rows) -> tuple[Rows, Rows]:
    """The order that puts what belongs to one bill together, and the place of each in it from 0."""
    order = np.argsort(rows, kind="stable")
    row = rows[order]
    return order, np.arange(len(row)) - np.searchsorted(row, row, side="left")


def _sections(
    bills: pd.DataFrame, sections: pd.DataFrame, section_rows: Rows, history: pd.DataFrame
) -> dict[str, Texts]:
    """The services of each bill side by side, each with what it used in the last thirteen months."""
    order, place = _places(section_rows)
    row, last = section_rows[order], bills["bill_date"].to_numpy(dtype="datetime64[M]")
    texts = {title: _texts(name, sections[name])[order] for name, title in SECTION_COLUMNS.items()}
    months, used = _history(last[section_rows], history, _section_of(sections, history))
    texts |= {title: column[order] for title, column in used.items()}
    columns: dict[str, Texts] = {}
    for number in range(int(place.max(initial=-1)) + 1):
        here = place == number
        for title, values in texts.items():
            column = columns[f"service_{number + 1}_{title}"] = np.full(len(bills), "", dtype=object)
            column[row[here]] = values[here]
    named = {
        title: _each_once(last.astype(np.int64) - ago, lambda n: str(np.datetime64(n, "M")))
        for title, ago in months.items()
    }
    return named | columns


def _charges(lines: pd.DataFrame, line_rows: Rows, bills: int) -> dict[str, Texts]:
    """The charges of each bill side by side, in order of their line."""
    lines = lines.iloc[(by_line := np.argsort(lines["line"].to_numpy(), kind="stable"))]
    order, place = _places(line_rows[by_line])
    row = line_rows[by_line][order]
    titles = {
        "charge": "charge_{}",
        "service_id": "charge_{}_service",
        "quantity": "quantity_{}",
        "rate": "rate_{}",
        "amount": "amount_{}",
    }
    texts = {title: _texts(name, lines[name])[order] for name, title in titles.items()}
    columns: dict[str, Texts] = {}
    for charge in range(int(place.max(initial=-1)) + 1):
        here = place == charge
        for title, values in texts.items():
            column = columns[title.format(charge + 1)] = np.full(bills, "", dtype=object)
            column[row[here]] = values[here]
    return columns


def _history(
    last: npt.NDArray[np.datetime64], history: pd.DataFrame, history_rows: Rows
) -> tuple[dict[str, int], dict[str, Texts]]:
    """How many months ago each of the thirteen is that end with the bill's own, and what each section used in them."""
    months = history["month"].to_numpy(dtype="datetime64[M]")
    ago = (last[history_rows] - months).astype(np.int64)
    shown = (ago >= 0) & (ago < HISTORY_MONTHS)
    place = HISTORY_MONTHS - 1 - ago[shown]
    sums = np.zeros((HISTORY_MONTHS, len(last)), dtype=np.int64)
    known = np.zeros(sums.shape, dtype=bool)
    np.add.at(sums, (place, history_rows[shown]), history["consumption"].to_numpy(dtype=np.int64)[shown])
    known[place, history_rows[shown]] = True
    named = {f"history_month_{month + 1}": HISTORY_MONTHS - 1 - month for month in range(HISTORY_MONTHS)}
    used = {
        f"history_{month + 1}": np.where(known[month], _each_once(sums[month], quantity_text), "")
        for month in range(HISTORY_MONTHS)
    }
    return named, used


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
