"""The control table: each control account's way from beginning to ending in both books, and what explains the rest."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.documents import shown_as
from xlbilling.trade.reconcile.books import NONE, Books, Flags, Ints, Side
from xlbilling.trade.reconcile.leftovers import period_days
from xlbilling.trade.reconcile.outcome import CONFIDENCES, EXACT, REASONS

# How a kind of line shows in the roll-forward: as our documents do, with two words of other subledgers; the rest is adjusted.
_BILLED: Final = (*shown_as("billed"), "penalty")
_RECEIVED: Final = (*shown_as("received"), "deposit_in")


def roll_forward(books: Books) -> pd.DataFrame:
    """One row per control account, cents: subledger opening + lines, ledger opening + rows, up to the period's end.

    The ledger's opening is the export's opening line, or the subledger's opening where the export has none.
    """
    first, last = period_days(books.terms)
    sub, gl = books.sub, books.gl
    opening, gl_opening = _sub_opening(books), _gl_opening(books)
    now = (sub.day >= first) & (sub.day <= last)
    billed, received = (np.isin(books.kind, books.kinds.get_indexer(pd.Index(kinds))) for kinds in (_BILLED, _RECEIVED))
    gl_opened = np.array([gl_opening.get(account, mine) for account, mine in zip(books.accounts, opening, strict=True)])
    whole = {
        "beginning": opening + _by_account(books, sub, sub.day < first),
        "billed": _by_account(books, sub, now & billed),
        "received": _by_account(books, sub, now & received),
        "adjusted": _by_account(books, sub, now & ~billed & ~received),
        "gl_opening": gl_opened + _by_account(books, gl, gl.day < first),
        "gl_activity": _by_account(books, gl, (gl.day >= first) & (gl.day <= last)),
        "opening_difference": opening - gl_opened,
    }
    at = books.accounts.get_indexer(pd.Index(books.terms.control_accounts, dtype="str"))
    table = pd.DataFrame({"gl_account": list(books.terms.control_accounts)}).astype("str")
    for name, cents in whole.items():
        # an account that no code of ours maps to has nothing in our books
        table[name] = np.where(at >= 0, cents[at], 0)
    table["subledger_activity"] = table["billed"] + table["received"] + table["adjusted"]
    table["ending_subledger"] = table["beginning"] + table["subledger_activity"]
    table["ending_gl"] = table["gl_opening"] + table["gl_activity"]
    table["difference"] = table["ending_subledger"] - table["ending_gl"]
    return table


def _by_account(books: Books, side: Side, rows: Flags) -> Ints:
    sums = np.bincount(side.account[rows], weights=side.cents[rows], minlength=len(books.accounts))
    return sums.astype(np.int64)


def _sub_opening(books: Books) -> Ints:
    """Each account's opening in the subledger: the lines of the opening batch."""
    lines = books.subledger[(books.subledger["batch"] == books.terms.opening_batch).to_numpy(dtype=bool)]
    own = books.accounts.get_indexer(
        pd.Index([books.terms.accounts[code] for code in lines["gl_account"]], dtype="str")
    )
    sums = np.bincount(own, weights=lines["amount_cents"].to_numpy(np.int64), minlength=len(books.accounts))
    return sums.astype(np.int64)


def _gl_opening(books: Books) -> dict[str, int]:
    """Each account's opening line in the export; its first where the report repeats it."""
    opened = books.ledger[(books.ledger["kind"] == "opening").to_numpy(dtype=bool)]
    opened = opened[opened["amount_cents"].notna()].drop_duplicates("gl_account")
    return {str(a): int(c) for a, c in zip(opened["gl_account"], opened["amount_cents"], strict=True)}


def cents_by_reason(books: Books) -> pd.DataFrame:
    """What the rows of each reason contribute to subledger minus ledger at period end: gl_account, reason, cents.

    Rows after the period end contribute nothing. Tolerance and ambiguous matches that do not agree contribute too.
    """
    _, last = period_days(books.terms)
    confidence = np.concatenate([*books.confidence, np.array([EXACT], dtype=np.int8)])
    names = [*REASONS, *CONFIDENCES]
    sums = np.zeros(len(books.accounts) * len(names), dtype=np.int64)
    for side, sign in ((books.sub, 1), (books.gl, -1)):
        inexact = (side.match >= 0) & (confidence[side.match] != EXACT)
        rows = np.flatnonzero((side.day <= last) & (inexact | (side.match < 0)))
        label = np.where(side.match[rows] >= 0, len(REASONS) + confidence[side.match[rows]], side.reason[rows])
        place = side.account[rows] * len(names) + label
        sums += sign * np.bincount(place, weights=side.cents[rows], minlength=len(sums)).astype(np.int64)
    found = np.flatnonzero(sums)
    places = found.tolist()
    accounts = [str(account) for account in books.accounts]
    return pd.DataFrame(
        {
            "gl_account": pd.array([accounts[n // len(names)] for n in places], dtype="str"),
            "reason": pd.array([names[n % len(names)] for n in places], dtype="str"),
            "cents": sums[found],
        }
    )


def late_in_opening(books: Books, control: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The part of each control account's differing openings that rows posted late explain, cents.

    Our opening held the batch, the ledger's did not yet. It is taken as explained only where that brings the two
    openings closer together.
    """
    gl = books.gl
    late = (gl.reason == REASONS.index("timing_prior_period")) & (gl.pair == NONE)
    sums = _by_account(books, gl, late)
    account = books.accounts.get_indexer(pd.Index(control["gl_account"]))
    posted = np.where(account >= 0, sums[account], 0)
    differs = control["opening_difference"].to_numpy(np.int64)
    return np.asarray(np.where(np.abs(differs - posted) < np.abs(differs), posted, 0))
