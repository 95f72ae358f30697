"""The two books side by side as arrays, and the marks a reconciliation puts on their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reconcile.outcome import code_of
from xlbilling.trade.reconcile.terms import Terms
from xlbilling.words.problems import Place, Refusal, declare

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
NONE: Final = -1
WORDS: Final = ("reference", "description", "source")

ACCOUNT_UNMAPPED: Final = declare(
    "reconcile_account_unmapped",
    "The subledger uses an account that the ledger map does not place in the general ledger.",
    "Add the account with its GL number to `accounts` in the ledger map.",
)


def days(dates: pd.Series) -> Ints:
    """Dates as whole days since 1970; the arithmetic of lags and periods."""
    return np.asarray(dates.to_numpy(dtype="datetime64[D]").astype("int64"))


def codes(*columns: pd.Series) -> tuple[list[Ints], pd.Index]:
    """Each text's number in one numbering of all the columns, blanks -1, and the index of the distinct texts."""
    whole = columns[0] if len(columns) == 1 else pd.concat(columns, ignore_index=True)
    found, distinct = pd.factorize(whole)
    index = pd.Index(distinct)
    numbers = np.asarray(found, dtype=np.int64)
    for blank in np.flatnonzero(np.asarray(index == "")).tolist():
        numbers[numbers == blank] = NONE
    return np.split(numbers, np.cumsum([len(column) for column in columns])[:-1]), index


def numbered(values: Ints) -> tuple[Ints, int]:
    """A number from 0 for each distinct value, in the order of the values, and how many there are."""
    if not len(values):
        return values, 0
    order = np.argsort(values)
    ordered = values[order]
    steps = np.cumsum(ordered[1:] != ordered[:-1])
    number = np.empty(len(values), dtype=np.int64)
    number[order[0]] = 0
    number[order[1:]] = steps
    return number, int(steps[-1]) + 1 if len(steps) else 1


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
    """Both sides in scope (opening lines and unmapped GL accounts are out), with the names on them as codes.

    `journals`: how many journals post totals of days; their keys go round from `first_journal_key`, day by day.

    A document or batch is a number, -1 where blank; `gl_document` numbers the rows' references in the same way, past
    every number a line has where no line has that reference.
    """

    sub: Side
    gl: Side
    accounts: pd.Index
    document: Ints
    gl_document: Ints
    documents: pd.Index
    batch: Ints
    batches: pd.Index
    kind: Ints
    kinds: pd.Index
    own_account: Ints
    subledger: pd.DataFrame
    ledger: pd.DataFrame
    terms: Terms
    confidence: list[npt.NDArray[np.int8]] = field(default_factory=list)
    matched: int = 0
    pairs: int = 0
    journals: int = 0

    @property
    def first_batch_key(self) -> int:
        """Keys below it are documents; from it on batches, and past those the days of journals."""
        return len(self.documents)

    @property
    def first_journal_key(self) -> int:
        """Keys from it on are a journal's days, the journals of one day side by side."""
        return self.first_batch_key + len(self.batches)

    def said(self, row: int) -> tuple[str, str, str]:
        """What a GL row says of itself: reference, description, source."""
        at = int(self.gl.position[row])
        reference, description, source = (str(self.ledger[name].iat[at]) for name in WORDS)
        return reference, description, source

    def words(self, name: str, rows: Ints) -> pd.Series:
        """One of the rows' texts."""
        return self.ledger[name].take(self.gl.position[rows])

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
    accounts = pd.Index(sorted(set(terms.accounts.values())), dtype="str")
    (own,), own_names = codes(subledger["gl_account"])
    account = _placed(own_names, accounts, terms)[own]
    (batch,), batches = codes(subledger["batch"])
    (kind,), kinds = codes(subledger["kind"])
    (document, gl_document), documents = codes(subledger["reference"], ledger["reference"])
    opening = batches.get_indexer(pd.Index([terms.opening_batch], dtype=batches.dtype))[0]
    current = np.flatnonzero(batch != opening) if opening >= 0 else np.arange(len(subledger))
    (gl_number,), gl_numbers = codes(ledger["gl_account"])
    gl_account = np.append(accounts.get_indexer(gl_numbers).astype(np.int64), NONE)[gl_number]
    rows = np.flatnonzero((gl_account >= 0) & (ledger["kind"] == "posting").to_numpy(dtype=bool))
    cents = subledger["amount_cents"].to_numpy(np.int64)
    gl_cents = ledger["amount_cents"].fillna(0).to_numpy(np.int64)
    return Books(
        sub=Side.of(current, account[current], days(subledger["post_date"])[current], cents[current]),
        gl=Side.of(rows, gl_account[rows], days(ledger["date"])[rows], gl_cents[rows]),
        accounts=accounts,
        document=document[current],
        gl_document=gl_document[rows],
        documents=documents,
        batch=batch[current],
        batches=batches,
        kind=kind[current],
        kinds=kinds,
        own_account=own[current],
        subledger=subledger,
        ledger=ledger,
        terms=terms,
    )


def _placed(own_names: pd.Index, accounts: pd.Index, terms: Terms) -> Ints:
    """The GL account's number of each of our account codes."""
    mapped = [terms.accounts.get(str(name)) for name in own_names]
    if None in mapped:
        fact = f"account {own_names[mapped.index(None)]!s} has no GL number"
        raise Refusal(ACCOUNT_UNMAPPED.at(Place(table="subledger", column="gl_account"), fact))
    return accounts.get_indexer(pd.Index(mapped, dtype="str")).astype(np.int64)
