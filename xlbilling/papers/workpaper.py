"""The reconciliation's workpaper: a workbook accounting can foot, sign and file, filled into its template.

Summary, control accounts, reasons, differences, matches, and the lines and rows that stand alone. Formulas carry their
results, so that a viewer that does not compute shows the same figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.papers.tables import DIFFERENCES, period_name
from xlbilling.papers.template import Value, fill_template, shown
from xlbilling.trade.reconcile import CONFIDENCES, REASONS, UNPROVEN, Reconciliation, list_differences
from xlbilling.words.money import dollars
from xlbilling.words.records import Sheet, Table, given

LABELS: Final = {
    "missing_in_gl": "Not in the general ledger",
    "missing_in_subledger": "Not in the subledger",
    "timing_next_period": "Timing: posted in the next period",
    "timing_prior_period": "Timing: belongs to the prior period",
    "duplicate_in_gl": "Posted twice in the general ledger",
    "duplicate_in_subledger": "Entered twice in the subledger",
    "amount_differs": "Amount differs, reason not proven",
    "transposition": "Digits exchanged",
    "rounding": "Rounding",
    "wrong_sign": "Wrong sign (debit for credit)",
    "wrong_account": "Posted to the wrong account",
    "manual_journal": "Manual journal entry",
    "nets_to_zero": "Nets to zero in the ledger's total",
    "tolerance": "Rounding inside matches",
    "ambiguous": "Matches that cannot be told apart",
    "opening": "Beginning balances: prior-period rows posted late",
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
    "opening": "Nothing: our beginning balance held them, the ledger's did not yet.",
}
TEMPLATE: Final = "workpaper.xlsx"
# A sheet holds 1,048,576 rows; beyond this many the rest, all exact, is counted on the summary and stands in the answer.
MOST_MATCHES: Final = 1_000_000
_SHOWN: Final = 40


CONTROL: Final = Table(
    Sheet(
        "Control accounts",
        "Control",
        "Control accounts",
        ("gl_account",),
        totals=(
            "beginning",
            "billed",
            "received",
            "adjusted",
            "ending_subledger",
            "gl_opening",
            "gl_activity",
            "ending_gl",
            "difference",
            "explained",
            "unexplained",
        ),
    ),
    "One control account's way from beginning to ending in both books, and how much of the difference is explained.",
    gl_account=given("GL account", "Number as accounting prints it.", "id", 13),
    beginning=given("Beginning", "Subledger: owed when the period began.", "money", 14),
    billed=given("Billed", "Subledger: bills of the period.", "money", 14),
    received=given("Received", "Subledger: receipts of the period, below zero.", "money", 14),
    adjusted=given("Adjusted", "Subledger: everything else of the period.", "money", 14),
    ending_subledger=given("Ending, subledger", "The four before it added up.", "money", 16),
    gl_opening=given("GL beginning", "The ledger's opening, else ours.", "money", 14),
    gl_activity=given("GL posted", "Rows of the period.", "money", 14),
    ending_gl=given("Ending, GL", "The two before it added up.", "money", 14),
    difference=given("Difference", "Subledger less general ledger.", "money", 13),
    explained=given("Explained", "Sum of its proven reasons.", "money", 13),
    unexplained=given("Unexplained", "What is left.", "money", 13),
)


BY_REASON: Final = Table(
    Sheet("Reasons", "Reasons", "What explains the difference", ("gl_account", "reason"), totals=("amount",)),
    "What one reason contributes to one control account's difference.",
    gl_account=given("GL account", "The control account.", "id", 13),
    reason=given("Reason", "Why the rows differ.", "text", 48),
    proven=given("Proven", "no: it names the difference and explains nothing.", "text", 9),
    opening=given("In the openings", "The part that lies in the beginning balances.", "money", 16),
    amount=given("Amount", "Subledger less general ledger.", "money", 14),
    remedy=given("What to do", "How it is put right.", "text", 66),
)


MATCHES: Final = Table(
    Sheet("Matches", "Matches", "Matches", ("match",), totals=("subledger", "gl", "difference")),
    "One group of lines and rows that belong together.",
    match=given("Match", "Number of the match.", "whole", 9),
    type=given("Type", "How many lines and rows.", "text", 7),
    confidence=given("Confidence", "exact, tolerance or ambiguous.", "text", 12),
    gl_account=given("GL account", "The account.", "id", 14),
    subledger=given("Subledger", "Sum of the lines.", "money", 14),
    gl=given("GL", "Sum of the rows.", "money", 14),
    difference=given("Difference", "Subledger less general ledger.", "money", 12),
    ids=given("Subledger lines", "Their ids.", "id", 34),
    rows=given("GL rows", "Rows of the export below its header.", "id", 22),
)


LONE_LINES: Final = Table(
    Sheet(
        "Unmatched subledger",
        "UnmatchedSubledger",
        "Subledger lines without a match",
        ("id",),
        totals=("amount", "counts"),
    ),
    "One subledger line without a match.",
    id=given("Line", "Id of the line.", "id", 14),
    post_date=given("Date", "Day of posting.", "date", 11),
    kind=given("Kind", "Kind of document.", "text", 13),
    account_id=given("Customer", "Account of the customer.", "id", 13),
    batch=given("Batch", "Batch of the document.", "id", 14),
    reference=given("Reference", "Number of the document.", "id", 14),
    gl_account=given("GL account", "The account.", "id", 14),
    amount=given("Amount", "Debit plus, credit minus.", "money", 13),
    reason=given("Reason", "Why it stands alone.", "text", 34),
    counts=given("At period end", "What it counts for at the period's end.", "money", 14),
    number=given("Difference", "Number on sheet Differences.", "whole", 11),
)


LONE_ROWS: Final = Table(
    Sheet("Unmatched GL", "UnmatchedGL", "General ledger rows without a match", ("row",), totals=("amount", "counts")),
    "One row of the ledger without a match.",
    row=given("Row", "Row of the export below its header.", "whole", 9),
    date=given("Date", "Posting date.", "date", 11),
    gl_account=given("GL account", "The account.", "id", 14),
    account_name=given("Account name", "As exported.", "text", 24),
    reference=given("Reference", "As exported.", "id", 14),
    description=given("Description", "As exported.", "text", 38),
    amount=given("Amount", "Debit plus, credit minus.", "money", 13),
    reason=given("Reason", "Why it stands alone.", "text", 34),
    counts=given("At period end", "What it counts for at the period's end.", "money", 14),
    number=given("Difference", "Number on sheet Differences.", "whole", 11),
)


WORKPAPER_TABLES: Final = (CONTROL, BY_REASON, DIFFERENCES, MATCHES, LONE_LINES, LONE_ROWS)

_OF_REASON: Final = "+".join(
    f"SUMIFS({table}[At period end],{table}[GL account],[@[GL account]],{table}[Reason],[@Reason])"
    for table in ("UnmatchedSubledger", "UnmatchedGL")
)
_OF_MATCHES: Final = "+".join(
    f'IF([@Reason]="{LABELS[confidence]}",SUMIFS(Matches[Difference],Matches[GL account],[@[GL account]],Matches[Confidence],"{confidence}"),0)'
    for confidence in CONFIDENCES[1:]
)
FORMULAS: Final[Mapping[str, Mapping[str, str]]] = {
    CONTROL.name: {
        "ending_subledger": "ROUND([@Beginning]+[@Billed]+[@Received]+[@Adjusted],2)",
        "ending_gl": "ROUND([@[GL beginning]]+[@[GL posted]],2)",
        "difference": "ROUND([@[Ending, subledger]]-[@[Ending, GL]],2)",
        "explained": 'ROUND(SUMIFS(Reasons[Amount],Reasons[GL account],[@[GL account]],Reasons[Proven],"yes"),2)',
        "unexplained": "ROUND([@Difference]-[@Explained],2)",
    },
    BY_REASON.name: {"amount": f"ROUND([@[In the openings]]+{_OF_REASON}+{_OF_MATCHES},2)"},
}


@dataclass(frozen=True)
class Reconciled:
    """What was reconciled, for the workpaper: the result, both books as `reconcile` had them, and words about them.

    `ledger` may have account_name. `unread`: rows of the export that could not be read. `disagreeing`: printed balances
    and totals of the export that its rows do not add up to.
    """

    result: Reconciliation
    subledger: pd.DataFrame
    ledger: pd.DataFrame
    start: dt.date
    end: dt.date
    sources: str
    unread: int = 0
    disagreeing: int = 0


def write_workpaper(template: Path, target: Path, reconciled: Reconciled) -> pd.DataFrame:
    """Write the workpaper of a reconciliation to `target`, whole or not at all; the differences it lists come back.

    Raises Conflict where Excel has the file open, Refusal where the template lacks a table or a named cell.
    """
    result, end = reconciled.result, pd.Timestamp(reconciled.end)
    differences = list_differences(result, reconciled.subledger, reconciled.ledger, reconciled.end)
    tables = [
        (CONTROL, result.control),
        (BY_REASON, _reasons(result)),
        (DIFFERENCES, labelled(differences.frame)),
        (LONE_LINES, _lone_lines(reconciled, differences.of_lines, end)),
        (LONE_ROWS, _lone_rows(reconciled, differences.of_rows, end)),
        # the longest last: filling a table looks through the sheets that are filled already
        (MATCHES, _matches(result)),
    ]
    said = f"{reconciled.sources}  ·  {reconciled.start:%m/%d/%Y} to {reconciled.end:%m/%d/%Y}"
    cells: dict[str, Value] = {
        "sources": reconciled.sources,
        "period": f"{reconciled.start:%m/%d/%Y} to {reconciled.end:%m/%d/%Y}",
    }
    cells |= {period_name(table): said for table in WORKPAPER_TABLES} | {"verdict_note": _beyond(result)}
    cells |= {"rows_unread": reconciled.unread, "rows_disagreeing": reconciled.disagreeing}
    fill_template(template, target, tables, cells, _figures(reconciled), FORMULAS)
    return differences.frame


def labelled(differences: pd.DataFrame) -> pd.DataFrame:
    """Differences with their reasons in words."""
    return differences.assign(reason=differences["reason"].map(LABELS).fillna("").astype("str"))


def verdict(result: Reconciliation) -> str:
    """What the reconciliation comes to, in the words of the summary's formula."""
    if result.difference_unexplained or result.unproven:
        return f"{dollars(result.difference_unexplained)} of the difference has no proven reason."
    return "Every cent of difference is explained." if result.difference_explained else "The two books agree."


def _beyond(result: Reconciliation) -> str:
    more = len(result.matches) - MOST_MATCHES
    return f"{more:,} exact matches more than the sheet holds are in the answer (--json) only." if more > 0 else ""


def _figures(reconciled: Reconciled) -> dict[str, Any]:
    result, control = reconciled.result, reconciled.result.control
    counts = result.matches["confidence"].value_counts()
    figures: dict[str, Any] = {
        f"sum_{name}": float(shown("money", int(control[name].abs().sum())))
        for name in ("difference", "explained", "unexplained")
    }
    figures |= {f"matches_{confidence}": int(counts.get(confidence, 0)) for confidence in CONFIDENCES}
    return figures | {
        "verdict": verdict(result),
        "lone_lines": len(result.unmatched_subledger),
        "lone_rows": len(result.unmatched_gl),
        "unproven": result.unproven,
    }


def _reasons(result: Reconciliation) -> pd.DataFrame:
    """What each reason contributes to each control account, the unproven last; late openings are a reason of their own."""
    control = result.control
    listed = {*result.unmatched_subledger["reason"].astype(str), *result.unmatched_gl["reason"].astype(str)}
    listed |= set(result.matches["confidence"].astype(str)) - {CONFIDENCES[0]}
    by_reason = result.by_reason
    cents = dict(
        zip(zip(by_reason["gl_account"], by_reason["reason"], strict=True), by_reason["cents"].tolist(), strict=True)
    )
    late = dict(zip(control["gl_account"], control["late_in_opening"].astype(int), strict=True))
    order = sorted([*REASONS, *CONFIDENCES[1:]], key=lambda reason: reason in UNPROVEN)
    rows = [
        (
            account,
            LABELS[reason],
            "no" if reason in UNPROVEN else "yes",
            0,
            cents.get((account, reason), 0),
            REMEDIES[reason],
        )
        for account in control["gl_account"]
        for reason in order
        if reason in listed and (cents.get((account, reason)) or _stands(result, account, reason))
    ]
    rows += [
        (account, LABELS["opening"], "yes", amount, amount, REMEDIES["opening"])
        for account, amount in late.items()
        if amount
    ]
    return pd.DataFrame(rows, columns=list(BY_REASON.columns)).astype({"opening": "int64", "amount": "int64"})


def _stands(result: Reconciliation, account: str, reason: str) -> bool:
    if reason in CONFIDENCES:
        here = result.matches["gl_account"].eq(account) & result.matches["confidence"].eq(reason)
        return bool(here.any())
    return any(
        bool((side["gl_account"].eq(account) & side["reason"].eq(reason)).any())
        for side in (result.unmatched_subledger, result.unmatched_gl)
    )


def _matches(result: Reconciliation) -> pd.DataFrame:
    """The matches, those to be looked at first."""
    rank = result.matches["confidence"].map({"ambiguous": 0, "tolerance": 1, "exact": 2}).astype("int64")
    table = (
        result.matches.assign(rank=rank).sort_values(["rank", "gl_account", "match"], kind="stable").head(MOST_MATCHES)
    )
    number = table["match"].to_numpy()
    return pd.DataFrame(
        {
            "match": number + 1,
            "type": table["type"].astype("str").array,
            "confidence": table["confidence"].astype("str").array,
            "gl_account": table["gl_account"].astype("str").array,
            "subledger": table["subledger_cents"].to_numpy(),
            "gl": table["gl_cents"].to_numpy(),
            "difference": (table["subledger_cents"] - table["gl_cents"]).to_numpy(),
            "ids": _joined(result.subledger, "id", number),
            "rows": _joined(result.ledger, "row", number),
        }
    )


def _joined(marked: pd.DataFrame, name: str, wanted: np.ndarray[Any, Any]) -> list[str]:
    """The ids or rows of each wanted match in words: "S0000012, S0000013 and 5 more"."""
    belongs = marked[marked["match"] >= 0]
    order = np.argsort(belongs["match"].to_numpy(), kind="stable")
    numbers = belongs["match"].to_numpy()[order]
    values = [str(value) for value in belongs[name].to_numpy()[order].tolist()]
    starts, ends = (np.searchsorted(numbers, wanted, side).tolist() for side in ("left", "right"))
    return [
        values[start]
        if end - start == 1
        else ", ".join(values[start : min(end, start + _SHOWN)])
        + (f" and {end - start - _SHOWN} more" if end - start > _SHOWN else "")
        for start, end in zip(starts, ends, strict=True)
    ]


def _lone_lines(reconciled: Reconciled, numbers: list[int], end: pd.Timestamp) -> pd.DataFrame:
    marked = reconciled.result.unmatched_subledger
    lines = reconciled.subledger.take(marked["position"].to_numpy())
    counted = np.where((lines["post_date"] <= end).to_numpy(), marked["amount_cents"], 0)
    texts = {name: lines[name].array for name in ("post_date", "kind", "account_id", "batch", "reference")}
    return pd.DataFrame(
        {
            "id": marked["id"].astype("str").array,
            **texts,
            "gl_account": marked["gl_account"].astype("str").array,
            "amount": marked["amount_cents"].to_numpy(),
            "reason": marked["reason"].astype("str").map(LABELS).array,
            "counts": counted.astype("int64"),
            "number": numbers,
        }
    )


def _lone_rows(reconciled: Reconciled, numbers: list[int], end: pd.Timestamp) -> pd.DataFrame:
    marked = reconciled.result.unmatched_gl
    rows = reconciled.ledger.take(marked["position"].to_numpy())
    counted = np.where((rows["date"] <= end).to_numpy(), -marked["amount_cents"].to_numpy(), 0)
    names = rows["account_name"] if "account_name" in rows else pd.Series([""] * len(rows))
    return pd.DataFrame(
        {
            "row": marked["row"].to_numpy(),
            "date": rows["date"].array,
            "gl_account": marked["gl_account"].astype("str").array,
            "account_name": names.array,
            "reference": rows["reference"].array,
            "description": rows["description"].array,
            "amount": marked["amount_cents"].to_numpy(),
            "reason": marked["reason"].astype("str").map(LABELS).array,
            "counts": counted.astype("int64"),
            "number": numbers,
        }
    )
