"""The two books side by side as arrays, and the marks a reconciliation puts on their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.problems import Place, Refusal, declare
from xlbilling.reconcile.outcome import code_of
from xlbilling.reconcile.terms import Terms

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NONE: Final = -1

ACCOUNT_UNMAPPED: Final = declare(
    "reconcile_account_unmapped",
    "The subledger uses an account that the ledger map does not place in the general ledger.",
    "Add the account with its GL number to `accounts` in the ledger map.",
)


def days(dates: pd.Series) -> Ints:
    """Dates as whole days since 1970; the arithmetic of lags and periods."""
    return np.asarray(dates.to_numpy(dtype="datetime64[D]").astype("int64"))


def codes(texts: pd.Series) -> tuple[Ints, pd.Index]:
    """Each text's number, blanks -1, and the index of the distinct texts."""
    numbers, distinct = pd.factorize(texts)
    index = pd.Index(distinct)
    blank = index.get_indexer(pd.Index([""]))[0]
    numbers = np.asarray(numbers, dtype=np.int64)
    return (np.where(numbers == blank, NONE, numbers) if blank >= 0 else numbers), index


@dataclass(slots=True)
class Side:
    """One book: a row's position in its frame, GL account number code, day, cents, and the marks put on it so far."""

    position: Ints
    account: Ints
    day: Ints
    cents: Ints
    key: Ints
    match: Ints
    reason: Ints
    pair: Ints

    @classmethod
    def of(cls, position: Ints, account: Ints, day: Ints, cents: Ints) -> Side:
        blank = [np.full(len(position), NONE, dtype=np.int64) for _ in range(4)]
        return cls(position, account, day, cents, *blank)

    def __len__(self) -> int:
        return len(self.position)

    @property
    def open(self) -> Flags:
        """The rows that carry no mark yet."""
        return np.asarray((self.match == NONE) & (self.reason == NONE))


@dataclass(slots=True)
class Books:
    """Both sides in scope (opening lines and unmapped GL accounts are out), with the subledger's own names as codes."""

    sub: Side
    gl: Side
    accounts: pd.Index
    document: Ints
    documents: pd.Index
    batch: Ints
    batches: pd.Index
    kind: Ints
    kinds: pd.Index
    own_account: Ints
    customer: Ints
    gl_words: pd.DataFrame
    terms: Terms
    confidence: list[npt.NDArray[np.int8]] = field(default_factory=list)
    matched: int = 0
    pairs: int = 0

    def said(self, row: int) -> tuple[str, str, str]:
        """What a GL row says of itself: reference, description, source."""
        reference, description, source = (str(self.gl_words[name].iat[row]) for name in self.gl_words.columns)
        return reference, description, source

    def join(self, s: Ints, g: Ints, s_group: Ints, g_group: Ints, groups: int, confidence: int) -> None:
        """Match rows by group number (0 .. groups - 1): all lines and rows of one number are one match."""
        self.sub.match[s] = self.matched + s_group
        self.gl.match[g] = self.matched + g_group
        self.confidence.append(np.full(groups, confidence, dtype=np.int8))
        self.matched += groups

    def join_one(self, s: Sequence[int] | Ints, g: Sequence[int] | Ints, confidence: int) -> None:
        """Match these lines and rows as one group."""
        lines, rows = np.asarray(s, dtype=np.int64), np.asarray(g, dtype=np.int64)
        self.join(lines, rows, np.zeros(len(lines), np.int64), np.zeros(len(rows), np.int64), 1, confidence)

    def differ(self, s: Sequence[int] | Ints, g: Sequence[int] | Ints, reason: str) -> None:
        """Leave these lines and rows unmatched for one reason; with both sides given they are a pair."""
        lines, rows = np.asarray(s, dtype=np.int64), np.asarray(g, dtype=np.int64)
        self.sub.reason[lines] = code_of(reason)
        self.gl.reason[rows] = code_of(reason)
        if len(lines) and len(rows):
            self.sub.pair[lines] = self.gl.pair[rows] = self.pairs
            self.pairs += 1


def open_books(subledger: pd.DataFrame, ledger: pd.DataFrame, terms: Terms) -> Books:
    """The rows in scope of both frames; refused where a subledger account has no place in the map."""
    own, own_names = pd.factorize(subledger["gl_account"])
    mapped = [terms.accounts.get(str(name)) for name in own_names]
    if None in mapped:
        lacking = str(own_names[mapped.index(None)])
        raise Refusal(
            ACCOUNT_UNMAPPED.at(Place(table="subledger", column="gl_account"), f"account {lacking} has no GL number")
        )
    accounts = pd.Index(sorted(set(terms.accounts.values())))
    current = np.flatnonzero(subledger["batch"].to_numpy() != terms.opening_batch)
    own = np.asarray(own, dtype=np.int64)
    account = accounts.get_indexer(pd.Index(mapped)).astype(np.int64)[own]
    lines = subledger if len(current) == len(subledger) else subledger.take(current)
    document, documents = codes(lines["reference"])
    batch, batches = codes(lines["batch"])
    kind, kinds = codes(lines["kind"])
    gl_account = accounts.get_indexer(pd.Index(ledger["gl_account"])).astype(np.int64)
    rows = np.flatnonzero((gl_account >= 0) & (ledger["kind"].to_numpy() == "posting"))
    posted = ledger.take(rows)
    return Books(
        sub=Side.of(current, account[current], days(lines["post_date"]), lines["amount_cents"].to_numpy(np.int64)),
        gl=Side.of(rows, gl_account[rows], days(posted["date"]), posted["amount_cents"].to_numpy(np.int64)),
        accounts=accounts,
        document=document,
        documents=documents,
        batch=batch,
        batches=batches,
        kind=kind,
        kinds=kinds,
        own_account=own[current],
        customer=codes(lines["account_id"])[0],
        gl_words=posted[["reference", "description", "source"]].reset_index(drop=True),
        terms=terms,
    )
