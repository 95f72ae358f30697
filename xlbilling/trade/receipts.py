"""Receipts: payments checked before they are taken in, every doubt listed with its row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from xlbilling.words import zeros
from xlbilling.words.problems import Kind, Place, Problem, declare
from xlbilling.words.states import LEFT, OPEN

UNKNOWN_ACCOUNT: Final = declare(
    "unknown_account", "The account number is not in the store.", "Correct the number; keep its leading zeros."
)
PAYMENT_NOT_POSITIVE: Final = declare(
    "payment_not_positive",
    "A payment must be more than 0.00.",
    "Take money back with Reverse, never with a negative payment.",
)
DAY_TO_COME: Final = declare(
    "day_to_come",
    "The date is after today and after the month on Start.",
    "Correct the date; money that is to come later is taken in when it has come.",
)
NOT_PAID: Final = declare(
    "payment_not_paid",
    "A column of a payments file says that no money came with the row, or that the row is no payment.",
    "Nothing needs doing, no money came with it; if the payment was taken in before, cancel it with Reverse.",
)
PAYMENT_TWICE: Final = declare(
    "payment_twice",
    "A payment with this account, day, amount and reference is there already.",
    "Leave it out; if it is a second payment, take it by a decision on sheet Payment rejects, or give it its own reference.",
)
PAYMENT_LIKE: Final = declare(
    "payment_like",
    "A payment has the account, the day and the amount of another, and no reference tells the two apart.",
    "Compare both with the paper before Post; where it is one payment, press Undo last or correct it with Reverse.",
    "review",
)

_LIKE: Final = ["received_on", "account_id", "amount"]
_SAME: Final = [*_LIKE, "reference"]


def check(
    payments: pd.DataFrame, accounts: pd.Series[str], earlier: pd.DataFrame, latest: dt.date
) -> tuple[pd.DataFrame, list[Problem]]:
    """Payments that can be taken, and why the others cannot.

    `payments`: received_on, account_id, amount (cents), method, reference, place (text naming the row).
    `earlier`: payments already in the store, columns received_on, account_id, amount, reference. `latest`: the last day
    money can have come. A day in a closed month is taken: the money posts on the first open day.
    """
    unknown = ~payments["account_id"].isin(accounts)
    negative = payments["amount"].le(0)
    ahead = payments["received_on"].gt(pd.Timestamp(latest))
    again = _again(payments, earlier)
    problems: list[Problem] = []
    lost = zeros.lost_zeros(payments.loc[unknown, "account_id"], accounts)
    checks: tuple[tuple[pd.Series[bool], Kind, str, Callable[[Any], tuple[str, str | None]]], ...] = (
        (unknown, UNKNOWN_ACCOUNT, "account_id", lambda r: _unknown(r.account_id, lost.get(r.account_id, []))),
        (
            negative & ~unknown,
            PAYMENT_NOT_POSITIVE,
            "amount",
            lambda r: (f"the payment is {r.amount / 100:.2f}", None),
        ),
        (
            ahead & ~unknown & ~negative,
            DAY_TO_COME,
            "received_on",
            lambda r: (f"{r.received_on:%Y-%m-%d} is after {latest:%Y-%m-%d}", None),
        ),
        (
            again & ~unknown & ~negative & ~ahead,
            PAYMENT_TWICE,
            "reference",
            lambda r: (f"payment {r.reference} of account {r.account_id} is there already", None),
        ),
    )
    for rows, kind, column, said in checks:
        for row in payments.loc[rows].itertuples():
            fact, remedy = said(row)
            problems.append(kind.at(Place(table="payments", key=str(row.place), column=column), fact, remedy))
    return payments.loc[~(unknown | negative | ahead | again)], problems


_ON_SHEET: Final = "Correct it on sheet Payment rejects, choose take or leave, type why and press Save."


def to_decide(problem: Problem) -> Problem:
    """The problem of a row of a file, told to be decided on sheet Payment rejects; where no money came nothing is to do."""
    return problem if problem.code == NOT_PAID.code else replace(problem, remedy=_ON_SHEET)


def rejected(
    payments: pd.DataFrame,
    refused: Sequence[Problem],
    unfit: pd.DataFrame,
    as_they_came: Callable[[Collection[int]], Mapping[int, str]],
) -> pd.DataFrame:
    """The rows of a file that were not taken, by line; none is left out.

    `payments`: the rows that could be read, with source_line and place; `refused`: why `check` refused some of them.
    `unfit`: the rows that could not be read, with code and message. Columns: source_line, code, message, content (the row
    as it came), received_on, account_id, amount (Int64), method, reference, decision, reason, state; open but for rows no
    money came with, which are left.
    """
    told = pd.DataFrame([(p.place.key, p.code, p.fact) for p in refused], columns=["place", "code", "message"])
    rows = pd.concat([unfit, payments.merge(told.astype("str"), on="place")]).sort_values("source_line", kind="stable")
    rows = rows.reset_index(drop=True)[_OF_FILE].astype({"amount": "Int64"})
    content = as_they_came(rows["source_line"].tolist())
    not_paid = rows["code"].eq(NOT_PAID.code)
    return rows.assign(
        content=rows["source_line"].map(content).astype("str"),
        decision=not_paid.map({True: "leave", False: ""}).astype("str"),
        reason=not_paid.map({True: "no money came with it", False: ""}).astype("str"),
        state=not_paid.map({True: LEFT, False: OPEN}).astype("str"),
    )


_OF_FILE: Final = ["source_line", "code", "message", "received_on", "account_id", "amount", "method", "reference"]


def _unknown(account: str, with_zeros: list[str]) -> tuple[str, str | None]:
    """What is said of an account that is not known, and what to do: its zeros put back where it has lost them."""
    fact = f"account {account!r} is not known"
    if not with_zeros:
        return fact, None
    return f"{fact}; {zeros.told(with_zeros, 'an account')}", "Write the number with its zeros, the column as Text."


def _again(payments: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series[bool]:
    """True for a payment that by its reference stands in the store already, or further up in the same list.

    Without a reference nobody can tell, so it is taken; `alike` names it.
    """
    before = earlier[_SAME].drop_duplicates()
    stands = payments[_SAME].merge(before, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    repeated = payments[_SAME].duplicated(keep="first").to_numpy()
    return pd.Series((stands | repeated) & payments["reference"].ne("").to_numpy(), index=payments.index)


def alike(receipts: pd.DataFrame) -> pd.Series[str]:
    """For each receipt the numbers of others with its account, day and amount that no reference tells from it, or "".

    `receipts`: payment_id, received_on, account_id, amount, reference.
    """
    told = pd.Series("", index=receipts.index, dtype="str")
    several = receipts.loc[receipts.duplicated(_LIKE, keep=False)]
    for _, group in several.groupby(_LIKE, sort=False):
        blank = group["reference"].eq("")
        for label in group.index if blank.any() else []:
            others = group.loc[blank | blank[label], "payment_id"].drop(label, errors="ignore")
            told[label] = ", ".join(others)
    return told
