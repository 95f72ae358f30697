"""Receipts: payments checked before they are taken in, every doubt listed with its row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from xlbilling.periods import AccountingPeriod
from xlbilling.problems import Kind, Place, Problem, declare

UNKNOWN_ACCOUNT: Final = declare(
    "unknown_account", "The account number is not in the store.", "Correct the number; keep its leading zeros."
)
PAYMENT_NOT_POSITIVE: Final = declare(
    "payment_not_positive",
    "A payment must be more than 0.00.",
    "Take money back with Reverse, never with a negative payment.",
)
OUTSIDE_PERIOD: Final = declare(
    "outside_period",
    "The date is not in the accounting period that is open.",
    "Correct the date, or open the period it belongs to.",
)
PAYMENT_TWICE: Final = declare(
    "payment_twice",
    "A payment with this account, day, amount and reference is there already.",
    "Leave it out; if it is a second payment, give it its own reference.",
)

_SAME: Final = ["received_on", "account_id", "amount", "reference"]


def check(
    payments: pd.DataFrame, accounts: pd.Series[str], earlier: pd.DataFrame, period: AccountingPeriod
) -> tuple[pd.DataFrame, list[Problem]]:
    """Payments that can be taken, and why the others cannot.

    `payments`: received_on, account_id, amount (cents), method, reference, place (text naming the row).
    `earlier`: payments already in the store, columns received_on, account_id, amount, reference.
    """
    unknown = ~payments["account_id"].isin(accounts)
    negative = payments["amount"].le(0)
    outside = payments["received_on"].lt(pd.Timestamp(period.first)) | payments["received_on"].gt(
        pd.Timestamp(period.last)
    )
    again = _again(payments, earlier)
    problems: list[Problem] = []
    checks: tuple[tuple[pd.Series[bool], Kind, str, Callable[[Any], str]], ...] = (
        (unknown, UNKNOWN_ACCOUNT, "account_id", lambda r: f"account {r.account_id!r} is not known"),
        (negative & ~unknown, PAYMENT_NOT_POSITIVE, "amount", lambda r: f"the payment is {r.amount / 100:.2f}"),
        (
            outside & ~unknown & ~negative,
            OUTSIDE_PERIOD,
            "received_on",
            lambda r: f"{r.received_on:%Y-%m-%d} is not in {period}",
        ),
        (
            again & ~unknown & ~negative & ~outside,
            PAYMENT_TWICE,
            "reference",
            lambda r: f"payment {r.reference} of account {r.account_id} is there already",
        ),
    )
    for rows, kind, column, fact in checks:
        problems += [
            kind.at(Place(table="payments", key=str(row.place), column=column), fact(row))
            for row in payments.loc[rows].itertuples()
        ]
    return payments.loc[~(unknown | negative | outside | again)], problems


def _again(payments: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series[bool]:
    """True for a payment that stands in the store already, or, by its reference, further up in the same list.

    Two like payments without a reference in one list are two; beside one from before, nobody can tell, so it is listed.
    """
    before = earlier[_SAME].drop_duplicates()
    stands = payments[_SAME].merge(before, how="left", indicator=True)["_merge"].eq("both").to_numpy()
    repeated = payments[_SAME].duplicated(keep="first").to_numpy() & payments["reference"].ne("").to_numpy()
    return pd.Series(stands | repeated, index=payments.index)
