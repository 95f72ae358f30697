"""Signs of a natural-side export: which accounts print credits as positive amounts, shown by the entries themselves."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import pandas as pd

from xlbilling.words.problems import Place, Problem, declare

SIGN_UNPROVEN: Final = declare(
    "ledger_sign_unproven",
    "An export prints amounts on each account's natural side, and no entry shows which side an account is on.",
    "Check that the account stands under credit_normal in the ledger map exactly if it is a credit account.",
    severity="info",
)


def debit_positive(
    frame: pd.DataFrame, credit_normal: Collection[str], file: str
) -> tuple[pd.DataFrame, list[Problem]]:
    """The same rows with every amount debit positive.

    A credit-normal account is turned if its entries balance when turned, left if they balance as printed; the map's
    word stands where no entry tells (and the problem list says so). An entry is the postings of one day and reference.
    """
    votes, partners = _votes(frame, frozenset(credit_normal))
    seen = set(frame.loc[frame["amount_cents"].notna(), "gl_account"]) & set(credit_normal)
    proven = {account for account in seen if votes.get(account)}
    turn = {account for account in proven if votes[account] > 0}
    problems = []
    for account in sorted(seen - proven):
        together = partners.get(account, set()) & proven
        if not together:
            fact = f"account {account}: no balanced entry shows its side; it is read as a credit account"
            problems.append(SIGN_UNPROVEN.at(Place(file=file), fact))
        if not together or together & turn:
            # with no other witness the map's word stands; beside proven accounts it prints as they do
            turn.add(account)
    turned = frame["gl_account"].isin(turn)
    return frame.assign(amount_cents=frame["amount_cents"].where(~turned, -frame["amount_cents"])), problems


def _votes(frame: pd.DataFrame, credit: frozenset[str]) -> tuple[dict[str, int], dict[str, set[str]]]:
    """Each credit account's entries that balance turned less those that balance as printed, and the accounts it is
    alone with in entries that balance among credit accounts."""
    posted = frame[(frame["kind"] == "posting") & (frame["reference"] != "")]
    on_credit = posted["gl_account"].isin(credit)
    cents = posted["amount_cents"].astype("int64")
    entries = pd.DataFrame(
        {
            "date": posted["date"],
            "reference": posted["reference"],
            "account": posted["gl_account"],
            "credit": cents.where(on_credit, 0),
            "debit": cents.where(~on_credit, 0),
        }
    )
    key = ["date", "reference"]
    sums = entries.groupby(key, as_index=False)[["credit", "debit"]].sum()
    sums["vote"] = (sums["debit"] == sums["credit"]).astype(int) - (sums["debit"] == -sums["credit"]).astype(int)
    members = entries.loc[on_credit, [*key, "account"]].drop_duplicates().merge(sums, on=key)
    telling = members[members["credit"] != 0]
    votes = {str(account): int(n) for account, n in telling.groupby("account")["vote"].sum().items()}
    partners: dict[str, set[str]] = {}
    for _, group in members[(members["credit"] == 0) & (members["debit"] == 0)].groupby(key)["account"]:
        for account in group:
            partners.setdefault(str(account), set()).update(set(group) - {account})
    return votes, partners
