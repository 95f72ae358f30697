"""The control table: each control account's way from beginning to ending in both books, and what explains the rest."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.reconcile.books import NONE, Books, days
from xlbilling.reconcile.leftovers import period_days
from xlbilling.reconcile.outcome import CONFIDENCES, EXACT, REASONS
from xlbilling.reconcile.terms import Terms

# How a kind of line shows in the roll-forward: billed, received, or adjusted (everything else).
_BILLED: Final = frozenset({"billing", "penalty"})
_RECEIVED: Final = frozenset({"payment", "deposit_in"})


def roll_forward(subledger: pd.DataFrame, ledger: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """One row per control account, cents: subledger opening + lines, ledger opening + rows, up to the period's end.

    The ledger's opening is the export's opening line, or the subledger's opening where the export has none.
    """
    first, last = period_days(terms)
    own = subledger["gl_account"].map(dict(terms.accounts))
    day, cents = days(subledger["post_date"]), subledger["amount_cents"].to_numpy(np.int64)
    opening = (subledger["batch"] == terms.opening_batch).to_numpy(dtype=bool)
    billed, received = (subledger["kind"].isin(kinds).to_numpy(dtype=bool) for kinds in (_BILLED, _RECEIVED))
    read = ledger[ledger["amount_cents"].notna() & ledger["kind"].isin(("posting", "opening"))]
    gl_cents, posting = read["amount_cents"].to_numpy(np.int64), (read["kind"] == "posting").to_numpy(dtype=bool)
    gl_day = np.where(posting, days(read["date"]), 0)
    rows = []
    for account in terms.control_accounts:
        mine = (own == account).to_numpy(dtype=bool)
        theirs = (read["gl_account"] == account).to_numpy(dtype=bool)
        opened = theirs & ~posting
        sub_opening = int(cents[mine & opening].sum())
        now = mine & ~opening & (day >= first) & (day <= last)
        before = int(gl_cents[theirs & posting & (gl_day < first)].sum())
        rows.append(
            {
                "gl_account": account,
                "beginning": sub_opening + int(cents[mine & ~opening & (day < first)].sum()),
                "billed": int(cents[now & billed].sum()),
                "received": int(cents[now & received].sum()),
                "adjusted": int(cents[now & ~billed & ~received].sum()),
                "gl_opening": (int(gl_cents[opened][0]) if opened.any() else sub_opening) + before,
                "gl_activity": int(gl_cents[theirs & posting & (gl_day >= first) & (gl_day <= last)].sum()),
                "opening_difference": sub_opening - (int(gl_cents[opened][0]) if opened.any() else sub_opening),
            }
        )
    table = pd.DataFrame(rows)
    table["subledger_activity"] = table["billed"] + table["received"] + table["adjusted"]
    table["ending_subledger"] = table["beginning"] + table["subledger_activity"]
    table["ending_gl"] = table["gl_opening"] + table["gl_activity"]
    table["difference"] = table["ending_subledger"] - table["ending_gl"]
    return table


def explained_by_reason(books: Books) -> pd.DataFrame:
    """What the rows of each reason contribute to subledger minus ledger at period end: gl_account, reason, cents.

    Rows after the period end contribute nothing. Tolerance and ambiguous matches that do not agree contribute too.
    """
    _, last = period_days(books.terms)
    confidence = np.concatenate([*books.confidence, np.array([EXACT], dtype=np.int8)])
    parts = []
    for side, sign in ((books.sub, 1), (books.gl, -1)):
        counted = side.day <= last
        inexact = (side.match >= 0) & (confidence[side.match] != EXACT)
        label = np.where(side.match >= 0, len(REASONS) + confidence[side.match], side.reason)
        rows = counted & (inexact | (side.match < 0))
        parts.append(
            pd.DataFrame({"account": side.account[rows], "label": label[rows], "cents": sign * side.cents[rows]})
        )
    names = [*REASONS, *CONFIDENCES]
    table = pd.concat(parts).groupby(["account", "label"], as_index=False)["cents"].sum()
    table = table[table["cents"] != 0]
    return pd.DataFrame(
        {
            "gl_account": books.accounts.take(table["account"].to_numpy(np.int64)).astype("str"),
            "reason": pd.array([names[label] for label in table["label"]], dtype="str"),
            "cents": table["cents"].to_numpy(np.int64),
        }
    )


def late_in_opening(books: Books, control: pd.DataFrame) -> npt.NDArray[np.int64]:
    """The part of each control account's differing openings that rows posted late explain, cents.

    Our opening held the batch, the ledger's did not yet. It is taken as explained only where that brings the two
    openings closer together.
    """
    gl = books.gl
    late = (gl.reason == REASONS.index("timing_prior_period")) & (gl.pair == NONE)
    sums = np.bincount(gl.account[late], weights=gl.cents[late], minlength=len(books.accounts)).astype(np.int64)
    account = books.accounts.get_indexer(pd.Index(control["gl_account"]))
    posted = np.where(account >= 0, sums[account], 0)
    differs = control["opening_difference"].to_numpy(np.int64)
    return np.asarray(np.where(np.abs(differs - posted) < np.abs(differs), posted, 0))
