"""The journal: every posted document as a balanced entry, debit plus and credit minus, and the control of receivables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, get_args

import numpy as np
import pandas as pd

from xlbilling.trade.documents import OPENING, Control, shown_as
from xlbilling.words.problems import declare

NO_ROLE: Final = declare(
    "gl_role_missing",
    "No ledger account has the role that is needed, or more than one has.",
    "Give exactly one account the role on sheet GL accounts and press Save.",
)
GL_UNKNOWN: Final = declare(
    "gl_account_unknown",
    "A charge posts to a ledger account that is not listed.",
    "Add the account on sheet GL accounts, or correct it on Rates.",
)


def pair_entries(documents: pd.DataFrame, first: int) -> pd.DataFrame:
    """Journal lines of documents with two sides: `debit` and `credit` accounts, account_id and amount (cents).

    A payment debits cash and credits the receivable; an adjustment debits the receivable and credits its account.
    """
    count = len(documents)
    entry = np.arange(count) + first
    made = pd.DataFrame(
        {
            "entry": np.concatenate([entry, entry]),
            "order": np.repeat([0, 1], count),
            "gl_account": np.concatenate(
                [documents["debit"].to_numpy(dtype=object), documents["credit"].to_numpy(dtype=object)]
            ),
            "account_id": np.tile(documents["account_id"].to_numpy(dtype=object), 2),
            "amount": np.concatenate([documents["amount"], -documents["amount"]]),
        }
    )
    return numbered(made.sort_values(["entry", "order"], kind="stable"))


def reversal(journal: pd.DataFrame, entries: Mapping[int, int]) -> pd.DataFrame:
    """The journal lines that undo entries: the same lines with the sign turned, under the new entry of each."""
    turned = journal.assign(entry=journal["entry"].map(entries).astype("int64"), amount=-journal["amount"])
    return turned[["entry", "line", "gl_account", "account_id", "amount"]]


def numbered(journal: pd.DataFrame) -> pd.DataFrame:
    """Number the lines of each entry from 1, in the order given."""
    line = journal.groupby("entry", sort=False).cumcount() + 1
    return journal.assign(line=line)[["entry", "line", "gl_account", "account_id", "amount"]].reset_index(drop=True)


def unbalanced(journal: pd.DataFrame) -> list[int]:
    """Entries whose debits and credits differ; an empty list is what every posting must have."""
    total = journal.groupby("entry")["amount"].sum()
    return [int(entry) for entry in total.index[total.ne(0)]]


def control(lines: pd.DataFrame, period: str) -> pd.DataFrame:
    """The control of each account: beginning + billed - received +/- adjusted = ending, in cents.

    `lines`: gl_account, period, kind (of the document; a reversal carries the kind of what it reverses), amount.
    """
    before = lines.loc[lines["period"].lt(period) | lines["kind"].eq(OPENING)]
    within = lines.loc[lines["period"].eq(period) & lines["kind"].ne(OPENING)]
    accounts = sorted(lines["gl_account"].unique())
    made = pd.DataFrame({"gl_account": accounts})
    made["beginning"] = made["gl_account"].map(before.groupby("gl_account")["amount"].sum()).fillna(0).astype("int64")
    for line in get_args(Control):
        total = within.loc[within["kind"].isin(shown_as(line))].groupby("gl_account")["amount"].sum()
        made[line] = made["gl_account"].map(total).fillna(0).astype("int64")
    made["ending"] = made[["beginning", *get_args(Control)]].sum(axis=1)
    return made
