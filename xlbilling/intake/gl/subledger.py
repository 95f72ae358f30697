"""The subledger as a CSV file: the billing office's own lines, read as text and converted once, exactly."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.intake.files.dates import DateColumn
from xlbilling.intake.files.source import take
from xlbilling.intake.files.text import decode
from xlbilling.intake.gl.cells import amount_cents
from xlbilling.intake.gl.marks import TOTAL, TOTAL_SAID, UNDATED_TOTAL
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Refusal, declare

COLUMNS: Final = ("id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "debit", "credit")
_END: Final = re.compile(r"end of .*", re.IGNORECASE)
SUBLEDGER_UNREADABLE: Final = declare(
    "subledger_unreadable",
    "The subledger file cannot be read, lacks a column, or holds a date or amount that is not exact.",
    f"Give a CSV file with the columns {', '.join(COLUMNS)}.",
)


def read_subledger(path: Path) -> pd.DataFrame:
    """The lines of SUB.csv: id, post_date, kind, account_id, batch, reference, gl_account, amount_cents (debit positive).

    It is our own book, so nothing in it may be left out: one unreadable line refuses the file, naming the line. Blank
    rows, repeated headings and totals are no lines; a total that the lines do not add up to refuses the file too.
    """
    try:
        text = decode(take(path), path.name).characters
        rows = list(csv.reader(io.StringIO(text, newline="")))
    except csv.Error as error:
        raise _refused(path, 0, str(error)) from error
    header = [name.strip().lower() for name in rows[0]] if rows else []
    lacking = [name for name in COLUMNS if name not in header]
    if lacking:
        raise _refused(path, 1, f"the column {lacking[0]} is missing")
    lines, totals = _lines(path, rows, header)
    at = [header.index(name) for name in COLUMNS]
    column = {name: [row[place].strip() for _, row in lines] for name, place in zip(COLUMNS, at, strict=True)}
    dates = DateColumn(column["post_date"])
    day_of = {text: dates.day(text) for text in set(column["post_date"])}
    days = [day_of[value] for value in column["post_date"]]
    debits, credits_ = ([amount_cents(value or "0") for value in column[name]] for name in ("debit", "credit"))
    for (line, row), parts in zip(lines, zip(days, debits, credits_, strict=True), strict=True):
        if None in parts:
            name = ("post_date", "debit", "credit")[parts.index(None)]
            value = row[header.index(name)]
            raise _refused(path, line, dates.doubt(value) or f"{name} {value!r} cannot be read")
    _require_distinct(path, [line for line, _ in lines], column["id"])
    amounts = np.array(debits, dtype=np.int64), np.array(credits_, dtype=np.int64)
    _require_totals(path, header, totals, (int(amounts[0].sum()), int(amounts[1].sum())))
    texts = {
        name: pd.array(column[name], dtype="str") for name in COLUMNS if name not in ("post_date", "debit", "credit")
    }
    frame = pd.DataFrame(
        {**texts, "post_date": pd.to_datetime(pd.Series(days, dtype="object")), "amount_cents": amounts[0] - amounts[1]}
    )
    return frame[["id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "amount_cents"]]


_Row = tuple[int, list[str]]


def _lines(path: Path, rows: list[list[str]], header: list[str]) -> tuple[list[_Row], list[_Row]]:
    """The lines and the total rows, each with its line in the file."""
    lines: list[_Row] = []
    totals: list[_Row] = []
    dated = header.index("post_date")
    width = len(header)
    for line, row in enumerate(rows[1:], 2):
        if len(row) == width and row[dated][:1].isdigit():
            lines.append((line, row))
            continue
        words = [cell.strip() for cell in row if cell.strip()]
        if not words or [cell.strip().lower() for cell in row] == header:
            continue
        if (len(row) <= dated or not row[dated].strip()) and _is_foot(words):
            totals.append((line, row))
        elif len(row) != len(header):
            raise _refused(path, line, "the line has another number of cells than the header")
        else:
            lines.append((line, row))
    return lines, totals


def _is_foot(words: list[str]) -> bool:
    return any(mark.fullmatch(words[0]) for mark in (TOTAL, TOTAL_SAID, UNDATED_TOTAL, _END))


def _require_totals(path: Path, header: list[str], totals: list[_Row], sums: tuple[int, int]) -> None:
    """Refuse a file whose last total of debits and credits is not what its lines add up to: some were lost."""
    for line, row in totals[-1:]:
        printed = [amount_cents(row[at]) if at < len(row) else None for at in map(header.index, ("debit", "credit"))]
        for name, cents, total in zip(("debit", "credit"), printed, sums, strict=True):
            if cents is not None and cents != total:
                raise _refused(
                    path, line, f"the {name} total is {dollars(cents)}, the lines add up to {dollars(total)}"
                )


def _require_distinct(path: Path, lines: list[int], ids: list[str]) -> None:
    seen: set[str] = set()
    for line, value in zip(lines, ids, strict=True):
        if value in seen:
            raise _refused(path, line, f"the id {value!r} occurs twice")
        seen.add(value)


def _refused(path: Path, line: int, fact: str) -> Refusal:
    return Refusal(SUBLEDGER_UNREADABLE.at(Place(file=path.name, line=line), fact))
