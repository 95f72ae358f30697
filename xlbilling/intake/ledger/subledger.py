"""The subledger as a CSV file: the billing office's own lines, read as text and converted once, exactly."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.intake.files import take
from xlbilling.intake.ledger.cells import amount_cents, printed_date
from xlbilling.intake.text import decode
from xlbilling.problems import Place, Refusal, declare

COLUMNS: Final = ("id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "debit", "credit")
SUBLEDGER_UNREADABLE: Final = declare(
    "subledger_unreadable",
    "The subledger file cannot be read, lacks a column, or holds a date or amount that is not exact.",
    f"Give a CSV file with the columns {', '.join(COLUMNS)}.",
)


def read_subledger(path: Path) -> pd.DataFrame:
    """The lines of SUB.csv: id, post_date, kind, account_id, batch, reference, gl_account, amount_cents (debit positive).

    It is our own book, so nothing in it may be left out: one unreadable line refuses the file, naming the line.
    """
    try:
        text = decode(take(path), path.name).characters
        reader = csv.reader(io.StringIO(text, newline=""))
        header = [name.strip().lower() for name in next(reader, [])]
        rows = [row for row in reader if row]
    except csv.Error as error:
        raise _refused(path, 0, str(error)) from error
    lacking = [name for name in COLUMNS if name not in header]
    if lacking:
        raise _refused(path, 1, f"the column {lacking[0]} is missing")
    short = next((n for n, row in enumerate(rows, 2) if len(row) != len(header)), None)
    if short is not None:
        raise _refused(path, short, "the line has another number of cells than the header")
    column = {name: [row[header.index(name)].strip() for row in rows] for name in COLUMNS}
    dates = [printed_date(value) for value in column["post_date"]]
    debits, credits_ = ([amount_cents(value or "0") for value in column[name]] for name in ("debit", "credit"))
    for line, parts in enumerate(zip(dates, debits, credits_, strict=True), 2):
        if None in parts:
            fact = ("post_date", "debit", "credit")[parts.index(None)]
            raise _refused(path, line, f"{fact} {column[fact][line - 2]!r} cannot be read")
    _require_distinct(path, column["id"])
    texts = {
        name: pd.array(column[name], dtype="str") for name in COLUMNS if name not in ("post_date", "debit", "credit")
    }
    amounts = np.array(debits, dtype=np.int64) - np.array(credits_, dtype=np.int64)
    frame = pd.DataFrame(
        {**texts, "post_date": pd.to_datetime(pd.Series(dates, dtype="object")), "amount_cents": amounts}
    )
    return frame[["id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "amount_cents"]]


def _require_distinct(path: Path, ids: list[str]) -> None:
    seen: set[str] = set()
    for line, value in enumerate(ids, 2):
        if value in seen:
            raise _refused(path, line, f"the id {value!r} occurs twice")
        seen.add(value)


def _refused(path: Path, line: int, fact: str) -> Refusal:
    return Refusal(SUBLEDGER_UNREADABLE.at(Place(file=path.name, line=line), fact))
