"""Receipts: payments checked before they are taken in, every doubt listed with its row."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from xlbilling import zeros
from xlbilling.problems import Kind, Place, Problem, declare

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
PAYMENT_TWICE: Final = declare(
    "payment_twice",
    "A payment with this account, day, amount and reference is there already.",
    "Leave it out; if it is a second payment, give it its own reference.",
)

_SAME: Final = ["received_on", "account_id", "amount", "reference"]


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


def _unknown(account: str, with_zeros: list[str]) -> tuple[str, str | None]:
    """What is said of an account that is not known, and what to do: its zeros put back where it has lost them."""
    fact = f"account {account!r} is not known"
    if not with_zeros:
        return fact, None
    return f"{fact}; {zeros.told(with_zeros, 'an account')}", "Write the number with its zeros, the column as Text."


def _again(payments: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series[bool]:
    """True for a payment that stands in the store already, or, by its reference, further up in the same list.

    Two like payments without a reference in one list are two; beside one from before, nobody can tell, so it is listed.
    """
    before = earlier[_SAME].drop_duplicates()
    stands = payments[_SAME].merge(before, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    repeated = payments[_SAME].duplicated(keep="first").to_numpy() & payments["reference"].ne("").to_numpy()
    return pd.Series(stands | repeated, index=payments.index)
