"""Payments files: one row a payment, from the lockbox, the bank or the web payment service."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.files.asides import Aside, Shape, set_apart
from xlbilling.intake.files.dates import AMBIGUOUS_DATE
from xlbilling.intake.files.listing import Listing, read_listing, values
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.points import BARE_AMOUNT, in_cents, without_point
from xlbilling.intake.files.printed_totals import Amounts, Printed, compared
from xlbilling.intake.receipts.payment_words import METHODS, WITHOUT_METHOD, Of, PaymentWords, kind_of_column, telling
from xlbilling.trade.receipts import NOT_PAID
from xlbilling.words.money import dollars
from xlbilling.words.problems import Kind, Place, Problem, Refusal, declare

BAD_AMOUNT: Final = declare(
    "bad_amount",
    "An amount in a file is not a plain amount in whole cents.",
    "Type the amount on sheet Payment rejects, choose take and type why; or undo, correct the file and import it again.",
)
BAD_DATE: Final = declare(
    "bad_date",
    "A date in a file names no day.",
    "Type the day on sheet Payment rejects, choose take and type why; or undo, correct the file and import it again.",
)
MISSING_ACCOUNT: Final = declare(
    "missing_account",
    "A payment names no account.",
    "Find whose payment it is, type the account on sheet Payment rejects, choose take and type why.",
)
PAYMENT_WORD: Final = declare(
    "payment_word",
    "A payments file has a word for how, or whether, somebody paid that this office has not explained yet.",
    "Add a row a word on sheet Policy (topic payments, the setting and the values as named), Save, and import the file again.",
)
MONEY_COLUMN: Final = declare(
    "payment_column",
    "A column of a payments file that nobody asked for says that money did not come.",
    "Head the column Status or Type, so that its words are read; or take it out of the file if it says nothing of the payment.",
)
COLUMNS: Final = {
    "account_id": ("account", "account number", "account no", "acct", "account #"),
    "amount": ("payment amount", "amount paid", "payment"),
    "received_on": ("date", "received", "payment date", "received date", "deposit date"),
    "reference": ("check number", "check no", "transaction id", "confirmation number"),
    "method": ("payment method", "payment type"),
    "trace": ("trace number", "trace no", "ach trace", "ach trace number"),
}
_SHAPE: Final = Shape("account_id", "amount", "received_on")
_TEXTS: Final = ("account_id", "method", "reference")
_MOST_WORDS_TOLD: Final = 12


@dataclass(frozen=True)
class Receipts:
    """A payments file as read.

    `frame`: received_on (datetime64[s]), account_id, amount (int64 cents), method, reference, source_line (int64); the
    reference is the trace number where the file has no other. `unfit`: the same of the rows that could not be taken,
    NaT, NA and "" for what cannot be read, with code and message; `rejects`: the same rows as problems.
    `as_they_came`: gives rows of the file by their line. `digest`: SHA-256 of the file. `deposit`: cents of all
    rows that came, taken or not; `not_come`: number and cents of those that did not; `unread`: rows whose amount cannot
    be read. `asides`: lines that are no payments, and `printed`:
    how their totals stand to the rows. `unused`: headings nobody asked for. `dates`: how the dates were read, where not
    month first.
    """

    frame: pd.DataFrame
    rejects: list[Problem]
    unfit: pd.DataFrame
    as_they_came: Callable[[Collection[int]], Mapping[int, str]]
    digest: str = ""
    deposit: int = 0
    not_come: tuple[int, int] = (0, 0)
    unread: int = 0
    asides: tuple[Aside, ...] = ()
    printed: Printed | None = None
    unused: tuple[str, ...] = ()
    dates: str = ""


def read_receipts(path: Path, words: PaymentWords | None = None) -> Receipts:
    """Read a payments file (CSV or workbook): account, amount and date by heading, reference and method if there.

    `words`: what the senders' words mean here. A file without a method column is a lockbox file. A row whose money did
    not come, with a blank account, an amount that is no whole cents, or a date that names no day or could be two, is a
    reject; totals, footers and repeated headings are no rows. Refuses what `read_listing` refuses, a word that nobody
    has explained, a column that nobody asked for but says that money did not come, and amounts that may be cents.
    """
    words = words or PaymentWords()
    listing, asides = set_apart(read_listing(path, COLUMNS, list(_SHAPE), whole=True), _SHAPE)
    reading = _Reading(path.name, listing, words)
    reading.mark_not_paid()
    cents = reading.amounts([aside.amount for aside in asides])
    days = reading.days()
    accounts = reading.column("account_id", lambda text: text or None, MISSING_ACCOUNT)
    methods = reading.methods()
    frame = pd.DataFrame(
        {
            "received_on": np.array(days, "datetime64[D]").astype("datetime64[s]"),
            "account_id": pd.array(accounts, "str"),
            "amount": pd.array(cents, "Int64"),
            "method": pd.array(methods, "str"),
            "reference": pd.array(_references(listing), "str"),
            "source_line": listing.frame["source_line"].to_numpy(),
        }
    )
    good = np.array([row not in reading.faults for row in range(len(frame))], dtype=bool)
    cut = [problem for problem in listing.rejects if problem.place.line not in listing.unfit]
    rejects = sorted([*cut, *reading.faults.values()], key=lambda problem: problem.place.line)
    told = pd.DataFrame(
        [(p.place.line, p.code, p.fact) for p in rejects], columns=["source_line", "code", "message"]
    ).astype({"source_line": "int64"})
    totals = [reading.cents(aside.amount) if aside.amount else None for aside in asides]
    return Receipts(
        frame.loc[good].astype({"amount": "int64"}).reset_index(drop=True),
        rejects,
        told.merge(frame, how="left", on="source_line").fillna(dict.fromkeys(_TEXTS, "")),
        listing.as_they_came,
        listing.digest,
        deposit=sum(amount or 0 for amount, came in zip(cents, reading.came, strict=True) if came),
        not_come=(
            reading.came.count(False),
            sum(amount or 0 for amount, came in zip(cents, reading.came, strict=True) if not came),
        ),
        unread=sum(amount is None for amount in cents) + len(cut),
        asides=tuple(asides),
        printed=compared(path.name, asides, Amounts(reading.lines, cents, reading.came), totals),
        unused=reading.unused,
        dates=listing.dates("received_on").told,
    )


def _references(listing: Listing) -> list[str]:
    """What tells a payment from another: its reference, or its trace number where it has none."""
    pairs = zip(values(listing, "reference"), values(listing, "trace"), strict=True)
    return [reference or trace for reference, trace in pairs]


class _Reading:
    """A file's columns being turned from text; the first thing wrong with a row is what is told of it."""

    def __init__(self, file: str, listing: Listing, words: PaymentWords) -> None:
        self.file, self.listing, self.words = file, listing, words
        self.lines: list[int] = listing.frame["source_line"].tolist()
        at = {line: row for row, line in enumerate(self.lines)}
        # A row with an error value is listed for that, and what else it says (its money) is read all the same.
        self.faults = {at[p.place.line]: p for p in listing.rejects if p.place.line in at}
        self.wordless = {at[line] for line, names in listing.unfit.items() if line in at and "method" in names}
        self.came = [True] * len(self.lines)
        self.unused: tuple[str, ...] = ()
        self.implied = False

    def column(self, name: str, of: Callable[[str], Any], kind: Kind) -> list[Any]:
        """The values of a column; where `of` finds none the row has a fault of this kind."""
        made = []
        for row, text in enumerate(values(self.listing, name)):
            value = of(text)
            if value is None:
                self.fault(row, kind, name, f"{name} is {shown(text) if text else 'blank'}")
            made.append(value)
        return made

    def fault(self, row: int, kind: Kind, column: str, fact: str) -> None:
        self.faults.setdefault(row, kind.at(Place(file=self.file, line=self.lines[row], column=column), fact))

    # ---- what the words say -------------------------------------------------------------------------------------

    def mark_not_paid(self) -> None:
        """List the rows that by a status, type, side, currency, flag or method are no money that came."""
        unused = []
        for one in self.listing.spare:
            of = kind_of_column(one.heading)
            if of is None:
                if word := telling(one.cells):
                    line = self.lines[one.cells.index(word)]
                    raise Refusal(
                        MONEY_COLUMN.at(Place(file=self.file, line=line), f"the column {one.name} says {shown(word)}")
                    )
                unused += [shown(one.heading)] if one.heading else []
            elif any(one.cells) or of == "flag":
                self._heed(of, one.heading, one.cells)
        self.unused = tuple(unused)
        if "method" in self.listing.frame:
            cells = values(self.listing, "method")
            words = [row for row in range(len(cells)) if row not in self.wordless]
            self._heed("method", self.listing.headings["method"], cells, words)

    def _heed(self, of: Of, heading: str, cells: Sequence[str], rows: Sequence[int] | None = None) -> None:
        """List the rows in which a column's word says that no money came; refuse words nobody has explained.

        `rows` are those whose cell can be read; without them all.
        """
        rows = range(len(cells)) if rows is None else rows
        takes = {text: self.words.takes(of, text) for text in dict.fromkeys(cells[row] for row in rows)}
        unknown = [row for row in rows if takes[cells[row]] is None]
        if unknown:
            fact = (
                f"{shown(heading)} has {self._counted(unknown, cells)}, and no rule says whether such rows are payments"
            )
            self._refuse_words(of, fact, "take or leave", cells[unknown[0]], unknown[0])
        amounts, accounts = values(self.listing, "amount"), values(self.listing, "account_id")
        for row in rows:
            text, amount, account = cells[row], amounts[row], accounts[row]
            if not takes[text]:
                self.came[row] = False
                self.fault(row, NOT_PAID, heading, f"{heading} is {shown(text)}: {amount} of account {account}")

    def methods(self) -> list[str | None]:
        """The office's own word for how each was paid; refuses words of the file that nobody has explained."""
        if "method" not in self.listing.frame:
            return [WITHOUT_METHOD] * len(self.lines)
        cells = values(self.listing, "method")
        known = {text: self.words.method(text) for text in dict.fromkeys(cells)}
        unknown = [
            row for row, text in enumerate(cells) if known[text] is None and self.came[row] and row not in self.wordless
        ]
        if unknown:
            fact = f"{shown(self.listing.headings['method'])} has {self._counted(unknown, cells)}, none of {', '.join(METHODS)}"
            self._refuse_words("method", fact, f"{', '.join(METHODS)} or leave", cells[unknown[0]], unknown[0])
        return [known[text] for text in cells]

    def _counted(self, rows: Iterable[int], cells: Sequence[str]) -> str:
        """Words with how often they are there: "'ACH' (2 rows), blank (1 row)"."""
        counts: dict[str, int] = {}
        for row in rows:
            counts[cells[row]] = counts.get(cells[row], 0) + 1
        told = [f"{shown(w, 30) if w else 'blank'} ({n} {'row' if n == 1 else 'rows'})" for w, n in counts.items()]
        more = f" and {len(told) - _MOST_WORDS_TOLD} more words" if len(told) > _MOST_WORDS_TOLD else ""
        return ", ".join(told[:_MOST_WORDS_TOLD]) + more

    def _refuse_words(self, of: Of, fact: str, choices: str, word: str, row: int) -> None:
        every = ", or method / any for all words that have no row" if of == "method" else ""
        remedy = (
            f"The file was not taken in. On sheet Policy add a row for each: topic payments, setting {of} / {word or 'blank'}{every}, "
            f"value {choices}; Save, and import the file again."
        )
        raise Refusal(PAYMENT_WORD.at(Place(file=self.file, line=self.lines[row]), fact, remedy))

    # ---- amounts and days ---------------------------------------------------------------------------------------

    def amounts(self, totals: Iterable[str]) -> list[int | None]:
        """The cents of each row, and a fault where they are none or not certain."""
        self.implied = in_cents(self.listing, "amount", self.file, totals, self.words.no_point)
        uncertain = without_point(self.listing, "amount")
        for row, (text, bare) in enumerate(zip(values(self.listing, "amount"), uncertain, strict=True)):
            if bare:
                fact = f"amount is {text}, which may be {dollars(int(text))} or {text}.00"
                self.fault(row, BARE_AMOUNT, "amount", fact)
        amounts = self.column("amount", self.cents, BAD_AMOUNT)
        return [None if bare else amount for amount, bare in zip(amounts, uncertain, strict=True)]

    def cents(self, text: str) -> int | None:
        """The cents of an amount, or of a printed total; without a point they are cents where the file's are."""
        return (
            int(text) if self.implied and "." not in text and text.lstrip("-").isdecimal() else self.listing.cents(text)
        )

    def days(self) -> list[Any]:
        """The day of each row, decided for the column as a whole; a fault where it is none, or could be two."""
        dates = self.listing.dates("received_on")
        for row, text in enumerate(values(self.listing, "received_on")):
            if doubt := dates.doubt(text):
                self.fault(row, AMBIGUOUS_DATE, "received_on", f"received_on {doubt}")
        return self.column("received_on", dates.day, BAD_DATE)
