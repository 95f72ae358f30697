"""Reconcile: the billing subledger against the general ledger, line by line and by control account.

Face: `reconcile(subledger, ledger, terms) -> Reconciliation`, `Terms`; `list_differences` names what does not agree.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from xlbilling.trade.reconcile.batch_days import match_moved_days, settle_by_day
from xlbilling.trade.reconcile.books import Books, Ints, Side, open_books
from xlbilling.trade.reconcile.cells import match_keyed
from xlbilling.trade.reconcile.control import cents_by_reason, late_in_opening, roll_forward
from xlbilling.trade.reconcile.differences import Differences, list_differences
from xlbilling.trade.reconcile.entries import open_entries, settle
from xlbilling.trade.reconcile.evidence import name_keys
from xlbilling.trade.reconcile.journals import key_days
from xlbilling.trade.reconcile.leftovers import explain_leftovers, mark_crossings
from xlbilling.trade.reconcile.nearby import match_unnamed
from xlbilling.trade.reconcile.outcome import CONFIDENCES, EXACT, REASONS, UNPROVEN, Reconciliation
from xlbilling.trade.reconcile.terms import Terms

__all__ = [
    "CONFIDENCES",
    "REASONS",
    "UNPROVEN",
    "Differences",
    "Reconciliation",
    "Terms",
    "list_differences",
    "reconcile",
]


def reconcile(subledger: pd.DataFrame, ledger: pd.DataFrame, terms: Terms) -> Reconciliation:
    """Match the subledger's lines with the ledger's rows and explain every difference.

    `subledger`: id, post_date, kind, account_id, batch, reference, gl_account (our code), amount_cents (debit
    positive). `ledger`: row, date, gl_account (the number), reference, description, source, amount_cents, kind
    (posting | opening; other kinds are passed over). Links stay within one GL account. Names are matched first
    (document, batch, a journal's day), then amounts and days where a row names nothing; equal candidates are
    ambiguous. Refused: a subledger account the map does not place.
    """
    books = open_books(subledger, ledger, terms)
    name_keys(books)
    match_keyed(books)
    _settle(books)
    key_days(books)
    match_keyed(books)
    match_moved_days(books)
    _settle(books)
    match_unnamed(books)
    mark_crossings(books)
    explain_leftovers(books)
    control = roll_forward(books)
    control["late_in_opening"] = late_in_opening(books, control)
    by_reason = cents_by_reason(books)
    return Reconciliation(
        matches=_matches(books),
        subledger=_marked(books, books.sub, subledger, "id"),
        ledger=_marked(books, books.gl, ledger, "row"),
        control=_control(control, by_reason),
        by_reason=by_reason,
    )


def _settle(books: Books) -> None:
    """Settle every named document, batch and day that does not add up: a batch posted by days day by day."""
    for entry in open_entries(books):
        if not settle_by_day(entry, settle):
            settle(entry)


def _control(table: pd.DataFrame, by_reason: pd.DataFrame) -> pd.DataFrame:
    """The control table with what proven reasons explain, what is left, and the part of that no row accounts for."""
    proven = by_reason[~by_reason["reason"].isin(UNPROVEN)]
    for name, reasons in (("explained", proven), ("unaccounted", by_reason)):
        by_account = reasons.groupby("gl_account")["cents"].sum()
        table[name] = table["gl_account"].map(by_account).fillna(0).astype("int64") + table["late_in_opening"]
    table["unaccounted"] = table["difference"] - table["unaccounted"]
    table["unexplained"] = table["difference"] - table["explained"]
    return table


def _marked(books: Books, side: Side, frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """One side's rows with their marks; texts that repeat are categories."""
    every = len(side) == len(frame)
    return pd.DataFrame(
        {
            "position": side.position,
            name: (frame[name] if every else frame[name].take(side.position)).array,
            "match": side.match,
            "reason": _texts(np.where(side.reason < 0, len(REASONS), side.reason), [*REASONS, ""]),
            "pair": side.pair,
            "gl_account": _texts(side.account, books.accounts),
            "amount_cents": side.cents,
        },
        copy=False,
    )


def _texts(numbers: Ints, names: Sequence[str] | pd.Index) -> pd.Categorical[str]:
    """Texts that repeat, as categories: the name of each number."""
    return pd.Categorical.from_codes(np.asarray(numbers), pd.Index([str(name) for name in names], dtype="str"))


def _matches(books: Books) -> pd.DataFrame:
    """The matches that stand, numbered as in the rows' `match`."""
    size = books.matched
    s, g = books.sub.match >= 0, books.gl.match >= 0
    lines, rows = np.bincount(books.sub.match[s], minlength=size), np.bincount(books.gl.match[g], minlength=size)
    standing = np.flatnonzero(rows)
    account = np.zeros(size, dtype=np.int64)
    account[books.gl.match[g]] = books.gl.account[g]
    sums = [
        np.bincount(side.match[on], weights=side.cents[on], minlength=size)[standing].astype(np.int64)
        for side, on in ((books.sub, s), (books.gl, g))
    ]
    confidence = np.concatenate([*books.confidence, np.array([EXACT], dtype=np.int8)])[standing]
    lines, rows = lines[standing], rows[standing]
    return pd.DataFrame(
        {
            "match": standing,
            "type": _texts((lines > 1) + 2 * (rows > 1), ["1-1", "n-1", "1-n", "n-m"]),
            "confidence": _texts(confidence, CONFIDENCES),
            "gl_account": _texts(account[standing], books.accounts),
            "subledger_cents": sums[0],
            "gl_cents": sums[1],
            "lines": lines,
            "rows": rows,
        },
        copy=False,
    )
