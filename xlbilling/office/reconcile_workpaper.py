"""The reconciliation's workpaper: a workbook accounting can foot, sign and file.

Summary (control table in live formulas, sign-off), Matches, Unmatched subledger, Unmatched GL. The formulas carry
their results, so a viewer that does not compute shows the same figures.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import xlsxwriter

from xlbilling.intake.ledger import LedgerExport, LedgerMap
from xlbilling.office.reconcile_summary import write_summary
from xlbilling.problems import Conflict, Place
from xlbilling.reconcile import Reconciliation
from xlbilling.workbook.package import OPEN_IN_EXCEL, refuse_when_open

LABELS: Final = {
    "missing_in_gl": "Not in the general ledger",
    "missing_in_subledger": "Not in the subledger",
    "timing_next_period": "Timing: posted in the next period",
    "timing_prior_period": "Timing: belongs to the prior period",
    "duplicate_in_gl": "Posted twice in the general ledger",
    "duplicate_in_subledger": "Entered twice in the subledger",
    "amount_differs": "Amount differs",
    "transposition": "Digits exchanged",
    "rounding": "Rounding",
    "wrong_sign": "Wrong sign (debit for credit)",
    "wrong_account": "Posted to the wrong account",
    "manual_journal": "Manual journal entry",
    "nets_to_zero": "Nets to zero in the ledger's total",
    "tolerance": "Rounding inside matches",
    "ambiguous": "Matches that cannot be told apart",
}
REMEDIES: Final = {
    "missing_in_gl": "Post the document or batch to the general ledger.",
    "missing_in_subledger": "Find what was posted; enter it in billing or reverse the posting.",
    "timing_next_period": "Nothing now: see that it clears in the next period.",
    "timing_prior_period": "Nothing now: see that it was open at the last period's end.",
    "duplicate_in_gl": "Reverse the second posting in the general ledger.",
    "duplicate_in_subledger": "Reverse the second entry in billing.",
    "amount_differs": "Compare with the source document and correct the side that is wrong.",
    "transposition": "Compare with the source document; two digits are exchanged on one side.",
    "rounding": "Post the cents to the rounding account.",
    "wrong_sign": "Reverse the posting and post it on the other side.",
    "wrong_account": "Move the posting to the account shown in the subledger.",
    "manual_journal": "Ask accounting for its support; enter it in billing or reverse it.",
    "nets_to_zero": "Nothing: its debits and credits cancel out in this account.",
    "tolerance": "Post the cents to the rounding account, or leave them by policy.",
    "ambiguous": "See Matches: ask for the papers of the lines named there.",
    "unexplained": "The beginning balances disagree: compare both with last period's workpaper.",
    "opening": "Nothing: our beginning balance held them, the ledger's did not yet.",
}
FONT: Final = "Calibri"
HEADS: Final = {"money": "head_right", "words": "head_words"}
_ROWS_A_SHEET: Final = 1_000_000
_SHOWN: Final = 40


@dataclass(slots=True)
class Sheet:
    """One sheet being written, with the book's cell formats by name."""

    book: xlsxwriter.Workbook
    page: Any
    looks: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing: its heading, width, format, values, and the formula of its cells where they compute."""

    heading: str
    width: float
    look: str
    values: Sequence[Any]
    formula: str = ""


def write_workpaper(
    path: Path, result: Reconciliation, subledger: pd.DataFrame, export: LedgerExport, mapping: LedgerMap, sources: str
) -> None:
    """Write the workpaper of `result` to `path`, whole or not at all; Conflict where Excel has the file open.

    `subledger` and `export` are what was reconciled; `sources` names the files for the heading.
    """
    refuse_when_open(path)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".xlsx", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        _write(temporary, result, subledger, export, mapping, sources)
        with temporary.open("rb+") as done:
            os.fsync(done.fileno())
        os.chmod(temporary, 0o644)
        try:
            os.replace(temporary, path)
        except PermissionError as error:
            raise Conflict(OPEN_IN_EXCEL.at(Place(file=path.name), "the file is in use")) from error
    finally:
        temporary.unlink(missing_ok=True)


def _write(
    path: Path, result: Reconciliation, subledger: pd.DataFrame, export: LedgerExport, mapping: LedgerMap, sources: str
) -> None:
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = xlsxwriter.Workbook(str(path), options)
    book.set_properties({"title": "Subledger to general ledger reconciliation"})
    book.set_calc_mode("auto")
    looks = _looks(book)
    summary = Sheet(book, book.add_worksheet("Summary"), looks)
    end = pd.Timestamp(mapping.period.end)
    mine, theirs = _unmatched_lines(result, subledger, end), _unmatched_rows(result, export, end)
    for name, columns in _match_sheets(result):
        _listing(Sheet(book, book.add_worksheet(name), looks), name, columns)
    _listing(Sheet(book, book.add_worksheet("Unmatched subledger"), looks), "Unmatched subledger", mine)
    _listing(Sheet(book, book.add_worksheet("Unmatched GL"), looks), "Unmatched GL", theirs)
    unread = int((export.frame["kind"] == "unread").sum())
    write_summary(summary, result, mapping, (sources, unread), LABELS, REMEDIES)
    book.close()


def _looks(book: xlsxwriter.Workbook) -> dict[str, Any]:
    base = {"font_name": FONT, "font_size": 10, "valign": "vcenter"}
    money = {"num_format": '#,##0.00_);[Red](#,##0.00);"-"??_)'}
    line = {"top": 1}
    kinds: dict[str, dict[str, Any]] = {
        "text": {"num_format": "@"},
        "words": {"indent": 1},
        "note": {"indent": 1, "italic": True, "font_color": "#595959"},
        "whole": {"num_format": "0", "align": "left"},
        "count": {"num_format": "#,##0_)"},
        "date": {"num_format": "mm/dd/yyyy", "align": "left"},
        "money": money,
        "title": {"bold": True, "font_size": 16, "font_color": "#1F3864"},
        "said": {"font_color": "#595959"},
        "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3864", "text_wrap": True, "valign": "vcenter"},
        "head_right": {
            "bold": True,
            "font_color": "#FFFFFF",
            "bg_color": "#1F3864",
            "align": "right",
            "valign": "vcenter",
        },
        "head_words": {"bold": True, "font_color": "#FFFFFF", "bg_color": "#1F3864", "indent": 1, "valign": "vcenter"},
        "label": {},
        "indent": {"indent": 1},
        "part": {"bold": True, "bg_color": "#E9EEF7"},
        "sum_label": {"bold": True, **line},
        "sum": {"bold": True, **money, **line},
        "total": {"bold": True, **money},
        "end_label": {"bold": True, "top": 1, "bottom": 6},
        "end": {"bold": True, **money, "top": 1, "bottom": 6},
        "sign": {"bottom": 1},
        "good": {"bold": True, "font_color": "#006100", "bg_color": "#C6EFCE"},
        "bad": {"bold": True, "font_color": "#9C0006", "bg_color": "#FFC7CE"},
        "verdict": {"bold": True},
    }
    return {name: book.add_format({**base, **look}) for name, look in kinds.items()}


def _match_sheets(result: Reconciliation) -> Iterable[tuple[str, list[Column]]]:
    """The matches, those to be looked at first; a further sheet where one sheet cannot hold them."""
    rank = result.matches["confidence"].map({"ambiguous": 0, "tolerance": 1, "exact": 2})
    table = result.matches.assign(rank=rank).sort_values(["rank", "gl_account", "match"], kind="stable")
    ids, rows = _joined(result.subledger, "id"), _joined(result.ledger, "row")
    for start in range(0, max(len(table), 1), _ROWS_A_SHEET):
        part = table.iloc[start : start + _ROWS_A_SHEET]
        name = "Matches" if start == 0 else f"Matches {start // _ROWS_A_SHEET + 1}"
        numbers = part["match"].tolist()
        label = "Matches" if start == 0 else f"Matches{start // _ROWS_A_SHEET + 1}"
        difference = f"ROUND({label}[[#This Row],[Subledger]]-{label}[[#This Row],[GL]],2)"
        yield (
            name,
            [
                Column("Match", 9, "whole", [number + 1 for number in numbers]),
                Column("Type", 7, "text", part["type"].tolist()),
                Column("Confidence", 12, "text", part["confidence"].tolist()),
                Column("GL account", 16, "text", part["gl_account"].tolist()),
                Column("Subledger", 14, "money", _dollars(part["subledger_cents"])),
                Column("GL", 14, "money", _dollars(part["gl_cents"])),
                Column("Difference", 12, "money", _dollars(part["subledger_cents"] - part["gl_cents"]), difference),
                Column("Subledger lines", 34, "words", [ids[number] for number in numbers]),
                Column("GL rows", 22, "words", [rows[number] for number in numbers]),
            ],
        )


def _joined(marked: pd.DataFrame, name: str, by: str = "match") -> dict[int, str]:
    """The ids or rows of each match (or pair) in words: "S0000012, S0000013 and 5 more"."""
    belongs = marked[marked[by] >= 0].sort_values(by, kind="stable")
    numbers, starts = np.unique(belongs[by].to_numpy(), return_index=True)
    values = belongs[name].astype(str).tolist()
    ends = [*starts[1:].tolist(), len(values)][: len(starts)]
    said = {}
    for number, start, end in zip(numbers.tolist(), starts.tolist(), ends, strict=True):
        more = end - start - _SHOWN
        shown = ", ".join(values[start : min(end, start + _SHOWN)])
        said[int(number)] = f"{shown} and {more} more" if more > 0 else shown
    return said


def _unmatched_lines(result: Reconciliation, subledger: pd.DataFrame, end: pd.Timestamp) -> list[Column]:
    marked = result.unmatched_subledger
    lines = subledger.take(marked["position"].to_numpy())
    rows = _joined(result.ledger, "row", "pair")
    counted = np.where((lines["post_date"] <= end).to_numpy(), marked["amount_cents"], 0)
    effect = "IF(UnmatchedSubledger[[#This Row],[Post date]]<=PeriodEnd,UnmatchedSubledger[[#This Row],[Amount]],0)"
    return [
        Column("Id", 13, "text", lines["id"].tolist()),
        Column("Post date", 11, "date", lines["post_date"].tolist()),
        Column("Kind", 15, "text", lines["kind"].tolist()),
        Column("Account", 12, "text", lines["account_id"].tolist()),
        Column("Batch", 12, "text", lines["batch"].tolist()),
        Column("Reference", 12, "text", lines["reference"].tolist()),
        Column("Our account", 15, "text", lines["gl_account"].tolist()),
        Column("GL account", 15, "text", marked["gl_account"].tolist()),
        Column("Amount", 13, "money", _dollars(marked["amount_cents"])),
        Column("Reason", 30, "words", [LABELS[reason] for reason in marked["reason"]]),
        Column("At period end", 13, "money", _dollars(counted), effect),
        Column("GL rows it concerns", 20, "words", [rows.get(pair, "") for pair in marked["pair"].tolist()]),
    ]


def _unmatched_rows(result: Reconciliation, export: LedgerExport, end: pd.Timestamp) -> list[Column]:
    marked = result.unmatched_gl
    rows = export.frame.take(marked["position"].to_numpy())
    ids = _joined(result.subledger, "id", "pair")
    counted = np.where((rows["date"] <= end).to_numpy(), marked["amount_cents"], 0)
    effect = "IF(UnmatchedGL[[#This Row],[Date]]<=PeriodEnd,-UnmatchedGL[[#This Row],[Amount]],0)"
    return [
        Column("Row", 8, "whole", marked["row"].tolist()),
        Column("Date", 11, "date", rows["date"].tolist()),
        Column("GL account", 15, "text", marked["gl_account"].tolist()),
        Column("Account name", 24, "words", rows["account_name"].tolist()),
        Column("Reference", 14, "text", rows["reference"].tolist()),
        Column("Description", 38, "words", rows["description"].tolist()),
        Column("Source", 14, "text", rows["source"].tolist()),
        Column("Amount", 13, "money", _dollars(marked["amount_cents"])),
        Column("Reason", 30, "words", [LABELS[reason] for reason in marked["reason"]]),
        Column("At period end", 13, "money", _dollars(-counted), effect),
        Column("Lines it concerns", 26, "words", [ids.get(pair, "") for pair in marked["pair"].tolist()]),
    ]


def _dollars(cents: Any) -> list[float]:
    # whole cents / 100 is the double nearest to the amount, which is what Excel stores for it
    return [value / 100 for value in np.asarray(cents, dtype=np.int64).tolist()]


def _listing(sheet: Sheet, name: str, columns: Sequence[Column]) -> None:
    """One table from A1: headings stay in view and repeat on each printed page."""
    page, looks = sheet.page, sheet.looks
    table = name.title().replace(" ", "").replace("Gl", "GL")
    count = len(columns[0].values)
    writers: dict[str, Callable[..., Any]] = {
        "date": page.write_datetime,
        "money": page.write_number,
        "whole": page.write_number,
    }
    for index, column in enumerate(columns):
        look = looks[column.look]
        page.set_column(index, index, column.width)
        write = writers.get(column.look, page.write_string)
        for row, value in enumerate(column.values, 1):
            if column.formula:
                page.write_formula(row, index, f"={column.formula}", look, value)
            else:
                write(row, index, value, look)
    heads = [{"header": c.heading, "header_format": looks[HEADS.get(c.look, "head")]} for c in columns]
    for head, column in zip(heads, columns, strict=True):
        if column.formula:
            head["formula"] = f"={column.formula}"
    # the formulas are written above with their results; the table only declares them as its calculated columns
    page.add_table(
        0, 0, max(count, 1), len(columns) - 1, {"name": table, "columns": heads, "style": "Table Style Light 1"}
    )
    for index, column in enumerate(columns):
        for row, value in enumerate(column.values, 1) if column.formula else ():
            page.write_formula(row, index, f"={column.formula}", looks[column.look], value)
    page.freeze_panes(1, 1)
    set_up_page(page, name)
    page.repeat_rows(0)


def set_up_page(page: Any, name: str) -> None:
    """Landscape letter paper, one page wide, with the sheet's name above and page numbers below."""
    page.set_landscape()
    page.set_paper(1)
    page.fit_to_pages(1, 0)
    page.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
    page.set_header(f"&L&9Subledger to general ledger reconciliation&R&9{name}")
    page.set_footer("&L&9&F&R&9Page &P of &N")
