"""Aging: how old the money is that customers owe."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.words.problems import Place, Refusal, declare

BUCKETS: Final = (30, 60, 90)

BAD_BUCKETS: Final = declare(
    "aging_buckets",
    "The aging buckets on Policy are not whole days that grow from one bucket to the next.",
    "Write them smallest first, such as 30, 60, 90.",
)
BAD_DOCUMENT: Final = declare(
    "aging_document",
    "A receivable cannot be aged: its account, its date or its amount in whole cents is missing.",
    "Correct the document named, then make the report again.",
)

Cents = npt.NDArray[np.int64]


def bucket_names(buckets: tuple[int, ...] = BUCKETS) -> tuple[str, ...]:
    """Names of the buckets, youngest first: (30, 60, 90) -> current, days_31_60, days_61_90, over_90."""
    if not buckets or any(low >= high for low, high in pairwise((0, *buckets))):
        raise Refusal(BAD_BUCKETS.at(Place("policy", "aging"), f"The buckets are {list(buckets)}"))
    between = (f"days_{low + 1}_{high}" for low, high in pairwise(buckets))
    return ("current", *between, f"over_{buckets[-1]}")


def age(documents: pd.DataFrame, as_of: dt.date, buckets: tuple[int, ...] = BUCKETS) -> pd.DataFrame:
    """What each account owes on `as_of` by the age of its open bills, credits taking the oldest bills off first.

    documents: one row a document: account_id (text), document (text), age_from (datetime64, no time of day: the bill
    date or the due date, as policy says), amount_cents (int64; bills and debit adjustments above zero, payments and
    credits below). Leave out a reversed document together with its reversal, else the reversal takes off older bills.
    Returns one row an account in order of account_id: account_id, a column of int64 cents for each of `bucket_names`,
    credit (what no bill is left to take, zero or below) and total. Buckets + credit = total = the sum of the
    account's documents, exactly. Day 30 is still current; a date after `as_of` is current.
    Refuses a document without account, date or whole cents, and buckets that do not grow.
    """
    names = bucket_names(buckets)
    _refuse_unageable(documents)
    rows, accounts = pd.factorize(documents["account_id"], sort=True)
    amounts = documents["amount_cents"].to_numpy(dtype=np.int64)
    dates = documents["age_from"].to_numpy(dtype="datetime64[D]")
    days = (np.datetime64(as_of, "D") - dates).astype(np.int64)
    open_cents, credit = _take_off_oldest(*_owed(rows, len(accounts), amounts, days, buckets))
    aged = pd.DataFrame(dict(zip(names, open_cents, strict=True)))
    aged.insert(0, "account_id", pd.Series(accounts, dtype="str"))
    return aged.assign(credit=credit, total=open_cents.sum(axis=0) + credit)


def _owed(
    rows: npt.NDArray[np.intp], accounts: int, amounts: Cents, days: Cents, buckets: tuple[int, ...]
) -> tuple[Cents, Cents]:
    """Debits by bucket and account (buckets x accounts), and the credits of each account as a sum above zero."""
    bucket = np.searchsorted(np.asarray(buckets), days, side="left")
    debits = np.zeros((len(buckets) + 1, accounts), dtype=np.int64)
    np.add.at(debits, (bucket, rows), np.maximum(amounts, 0))
    credits = np.zeros(accounts, dtype=np.int64)
    np.add.at(credits, rows, np.maximum(-amounts, 0))
    return debits, credits


def _take_off_oldest(debits: Cents, credits: Cents) -> tuple[Cents, Cents]:
    """What stays open by bucket and account, and the credit left over (zero or below).

    Within a bucket it makes no difference which bill a credit pays, so no bill needs to be sorted.
    """
    left = credits.copy()
    open_cents = debits.copy()
    for bucket in range(len(debits) - 1, -1, -1):
        taken = np.minimum(open_cents[bucket], left)
        open_cents[bucket] -= taken
        left -= taken
    return open_cents, -left


def _refuse_unageable(documents: pd.DataFrame) -> None:
    """Refuse the first document that has no account, no date or no amount in whole cents."""
    amounts = documents["amount_cents"]
    if len(documents) and amounts.dtype != np.int64:
        raise Refusal(BAD_DOCUMENT.at(Place("receivables", column="amount_cents"), f"Amounts are {amounts.dtype}"))
    for column in ("account_id", "age_from"):
        missing = (documents[column].isna() | (documents[column] == "")).to_numpy()
        if missing.any():
            document = str(documents["document"].to_numpy()[missing.argmax()])
            raise Refusal(BAD_DOCUMENT.at(Place("receivables", document, column), "Nothing is given"))
