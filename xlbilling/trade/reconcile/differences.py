"""Differences: what does not agree, each named so that accounting can act on it without looking anything up.

Face: `list_differences(result, subledger, ledger, end) -> Differences`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from xlbilling.trade.reconcile.outcome import REASONS, UNPROVEN, Reconciliation
from xlbilling.words.money import dollars

COLUMNS: Final = (
    "number", "reason", "gl_account", "batch", "document", "account_id", "post_date", "gl_date", "description", "lines",
    "ids", "rows", "subledger", "ledger", "difference", "entry",
)  # fmt: skip
# More lines of one batch and day than this that stand alone for one reason are named as the day they are.
_ONE_BY_ONE: Final = 5
_NAMED: Final = 8
_FIRST: Final = {
    reason: place for place, reason in enumerate(sorted(REASONS, key=lambda r: (r not in UNPROVEN, REASONS.index(r))))
}


@dataclass(frozen=True)
class Differences:
    """What does not agree.

    `frame`: one row per difference. `of_lines` and `of_rows`: the number of the difference that each unmatched line and
    row belongs to, in the order of the result's `unmatched_subledger` and `unmatched_gl`.
    """

    frame: pd.DataFrame
    of_lines: list[int]
    of_rows: list[int]


@dataclass(frozen=True, slots=True)
class _Line:
    """One of our lines that stands alone; `place` is its place among them."""

    place: int
    id: str
    date: pd.Timestamp
    kind: str
    account_id: str
    batch: str
    document: str
    gl_account: str
    cents: int
    reason: str
    pair: int


@dataclass(frozen=True, slots=True)
class _Row:
    """One row of the ledger that stands alone; `place` is its place among them."""

    place: int
    row: int
    date: pd.Timestamp
    reference: str
    description: str
    gl_account: str
    cents: int
    reason: str
    pair: int


def list_differences(
    result: Reconciliation, subledger: pd.DataFrame, ledger: pd.DataFrame, end: dt.date
) -> Differences:
    """One row per difference, those without a proven reason first: both sides of a pair together.

    `subledger` and `ledger` are what was reconciled, `end` the period's last day. Columns: number (from 1), reason,
    gl_account, batch, document and account_id (or how many), post_date, gl_date (NaT where that side is missing),
    description, lines (how many), ids and rows (in words), subledger and ledger (Int64 cents, NA where missing),
    difference (cents of that account at the period's end: what is dated later counts for nothing), entry (what corrects
    it).
    """
    lines, rows = _lines(result, subledger), _rows(result, ledger)
    copies = _kept(result, ledger)
    last = pd.Timestamp(end)
    told = [(_told(ours, theirs, copies, last), ours, theirs) for ours, theirs in _together(lines, rows)]
    told.sort(key=lambda difference: _order(difference[0]))
    of_lines, of_rows = [0] * len(lines), [0] * len(rows)
    for number, (_, ours, theirs) in enumerate(told, 1):
        for line in ours:
            of_lines[line.place] = number
        for row in theirs:
            of_rows[row.place] = number
    named = [{"number": number, **said} for number, (said, _, _) in enumerate(told, 1)]
    kinds = {"number": "int64", "lines": "int64", "subledger": "Int64", "ledger": "Int64", "difference": "int64"}
    dates = {"post_date": "datetime64[s]", "gl_date": "datetime64[s]"}
    return Differences(pd.DataFrame(named, columns=list(COLUMNS)).astype(kinds | dates), of_lines, of_rows)


def _order(said: dict[str, Any]) -> tuple[object, ...]:
    day = said["gl_date"] if pd.isna(said["post_date"]) else said["post_date"]
    return _FIRST[said["reason"]], said["gl_account"], day, said["rows"], said["ids"]


def _lines(result: Reconciliation, subledger: pd.DataFrame) -> list[_Line]:
    alone = result.unmatched_subledger
    own = subledger.take(alone["position"].to_numpy())
    columns: list[pd.Series[Any]] = [
        pd.Series(range(len(alone))), own["id"].astype(str), own["post_date"], own["kind"], own["account_id"], own["batch"], own["reference"],
        alone["gl_account"].astype(str), alone["amount_cents"], alone["reason"].astype(str), alone["pair"],
    ]  # fmt: skip
    return [_Line(*facts) for facts in zip(*(column.tolist() for column in columns), strict=True)]


def _rows(result: Reconciliation, ledger: pd.DataFrame) -> list[_Row]:
    alone = result.unmatched_gl
    own = ledger.take(alone["position"].to_numpy())
    columns: list[pd.Series[Any]] = [
        pd.Series(range(len(alone))), alone["row"], own["date"], own["reference"], own["description"], alone["gl_account"].astype(str),
        alone["amount_cents"], alone["reason"].astype(str), alone["pair"],
    ]  # fmt: skip
    return [_Row(*facts) for facts in zip(*(column.tolist() for column in columns), strict=True)]


def _kept(result: Reconciliation, ledger: pd.DataFrame) -> dict[tuple[str, int, str], int]:
    """The matched row of each account, amount and reference of which a copy stands alone."""
    copied = result.ledger["reason"].eq("duplicate_in_gl")
    if not copied.any():
        return {}
    matched = result.ledger[result.ledger["match"] >= 0]
    matched = matched[matched["amount_cents"].isin(set(result.ledger.loc[copied, "amount_cents"]))]
    references = ledger["reference"].take(matched["position"].to_numpy())
    facts = zip(matched["gl_account"].astype(str), matched["amount_cents"], references, matched["row"], strict=True)
    return {(account, int(cents), reference): int(row) for account, cents, reference, row in facts}


def _together(lines: Iterable[_Line], rows: Iterable[_Row]) -> list[tuple[list[_Line], list[_Row]]]:
    """The lines and rows of each difference: of one pair, of one day of a batch, or a document by itself."""
    paired: dict[int, tuple[list[_Line], list[_Row]]] = defaultdict(lambda: ([], []))
    days: dict[Hashable, list[_Line]] = defaultdict(list)
    single: list[tuple[list[_Line], list[_Row]]] = []
    for line in lines:
        if line.pair >= 0:
            paired[line.pair][0].append(line)
        else:
            days[line.reason, line.gl_account, line.batch, line.date].append(line)
    for row in rows:
        if row.pair >= 0:
            paired[row.pair][1].append(row)
        else:
            single.append(([], [row]))
    for day in days.values():
        if len(day) > _ONE_BY_ONE:
            single.append((day, []))
            continue
        documents: dict[str, list[_Line]] = defaultdict(list)
        for line in day:
            documents[line.document or line.id].append(line)
        single += [(document, []) for document in documents.values()]
    return [*paired.values(), *single]


def _told(
    lines: list[_Line], rows: list[_Row], copies: dict[tuple[str, int, str], int], end: pd.Timestamp
) -> dict[str, Any]:
    """One difference in the words of its columns."""
    first = lines[0] if lines else rows[0]
    ours, theirs = sum(line.cents for line in lines), sum(row.cents for row in rows)
    here = [row for row in rows if row.gl_account == first.gl_account]
    in_time = sum(line.cents for line in lines if line.date <= end) - sum(row.cents for row in here if row.date <= end)
    elsewhere = sorted({row.gl_account for row in rows} - {first.gl_account})
    kept = copies.get((rows[0].gl_account, rows[0].cents, rows[0].reference)) if rows else None
    return {
        "reason": first.reason,
        "gl_account": first.gl_account,
        "batch": _several(line.batch for line in lines) or (rows[0].reference if rows else ""),
        "document": _several(line.document for line in lines) or (rows[0].reference if rows else ""),
        "account_id": _several(line.account_id for line in lines),
        "post_date": min((line.date for line in lines), default=pd.NaT),
        "gl_date": min((row.date for row in rows), default=pd.NaT),
        "description": _description(lines, rows, elsewhere, kept),
        "lines": len(lines),
        "ids": _named([line.id for line in lines]),
        "rows": _named([str(row.row) for row in sorted(rows, key=lambda row: row.row)]),
        "subledger": ours if lines else None,
        "ledger": theirs if rows else None,
        "difference": in_time,
        "entry": correcting_entry(first.reason, first.gl_account, elsewhere, ours if lines else 0, theirs),
    }


def _several(texts: Iterable[str]) -> str:
    """The one text, or the first and last and how many: "P00316 to P00394 (79)"."""
    distinct = sorted({text for text in texts if text})
    return (
        ""
        if not distinct
        else distinct[0]
        if len(distinct) == 1
        else f"{distinct[0]} to {distinct[-1]} ({len(distinct)})"
    )


def _named(texts: list[str]) -> str:
    more = len(texts) - _NAMED
    return ", ".join(texts) if more <= 0 else f"{', '.join(texts[:_NAMED])} and {more} more"


def _description(lines: list[_Line], rows: list[_Row], elsewhere: list[str], kept: int | None) -> str:
    said = [next((row.description for row in rows if row.description), "")]
    if lines and not said[0]:
        said = [f"{len(lines)} lines of {_several(line.kind for line in lines)}" if len(lines) > 1 else lines[0].kind]
    if elsewhere:
        said.append(f"posted to {', '.join(elsewhere)}")
    if kept is not None:
        said.append(f"repeats row {kept}")
    return "; ".join(text for text in said if text)


def correcting_entry(reason: str, account: str, elsewhere: list[str], ours: int, theirs: int) -> str:
    """What makes the two books agree, in accounting's words; "" asks for nothing and says so.

    `ours` and `theirs` are cents, debit positive, 0 where that side is missing.
    """
    if reason in {"timing_next_period", "timing_prior_period", "nets_to_zero"}:
        return "None"
    if reason in UNPROVEN:
        return f"Not proven: compare the papers; {_posted(account, ours - theirs)} would make the ledger agree"
    if reason == "wrong_account" and elsewhere and theirs:
        return f"Ledger: {_posted(account, ours)}; {_posted(elsewhere[0], -theirs)}"
    if reason in {"missing_in_subledger", "manual_journal"}:
        return f"Billing: enter it, or ledger: {_posted(account, -theirs)}"
    if reason == "duplicate_in_subledger":
        return f"Billing: reverse the second entry, {_posted(account, -ours)}"
    return f"Ledger: {_posted(account, ours - theirs)}"


def _posted(account: str, cents: int) -> str:
    return f"{'debit' if cents >= 0 else 'credit'} {account} {dollars(abs(cents))}"
