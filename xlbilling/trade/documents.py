"""Documents: every kind the office posts, each declared once.

A kind says what its documents are called, where they are kept and how they are numbered, which batch they post in, with
which button and by whom, on which accounts by role, how they show in the control of receivables, and whether they can
be reversed. The store's table, Post, Reverse, the checklist, Start, the control and `verify` go through the kinds; a new
one is a row here and a room that makes its rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from xlbilling.words.states import ADJUST, DRAFT, OPEN

OF_ROW: Final = "of the row"  # the document's own column gl_account names the other side
OF_LINES: Final = "of the lines"  # each line of the document names its own account
OF_REVERSED: Final = "of what it reverses"  # the lines of the document it names, with their signs turned
POST: Final = "Post"
REVERSE: Final = "Reverse"
NOBODY: Final = "nobody"
Control = Literal["billed", "received", "adjusted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentKind:
    """A kind of document.

    `entry` is the kind its entries carry; `letters` and `batch_letters` begin its numbers and those of its batches;
    `where` says which rows of `table` are of this kind; `dated` is the column of the day it is of. `debit` and `credit`
    are roles of ledger accounts, the row's own account, or those of its lines.
    """

    entry: str
    word: str
    words: str
    table: str
    key: str
    letters: str
    batch: str
    batch_letters: str
    control: Control
    debit: str
    credit: str
    dated: str
    where: str = ""
    drafts: str = ""  # the table its documents wait in; blank where they wait as rows of their own table
    button: str = POST  # what posts it: Post with all that waits, or a button of its own, at once after its preview
    role: Literal["clerk", "lead"] = "lead"  # the least that may post it
    shows: tuple[str, ...] = ()  # the sheets that posting it changes, besides its own and those every posting does
    approval: str = NOBODY  # who must have said yes to it before it posts
    reversible: bool = True

    @property
    def at_once(self) -> bool:
        """Whether it posts at once after its preview, by a button of its own, and not with Post."""
        return self.button != POST

    @property
    def two_sided(self) -> bool:
        """Whether its entry is one account against another; what its lines or another document say is drawn from those."""
        return not {self.debit, self.credit} & {OF_LINES, OF_REVERSED}

    @property
    def waits_in(self) -> str:
        return self.drafts or self.table

    @property
    def waiting(self) -> str:
        """The condition of a row that waits to be posted."""
        return f"state = '{DRAFT if self.drafts else OPEN}'{self._mine}"

    @property
    def waiting_words(self) -> str:
        """What waits, in words: receipts, draft bills."""
        return f"draft {self.words}" if self.drafts else self.words

    def rows(self, state: str) -> str:
        """The condition of its rows in a state."""
        return f"state = '{state}'{self._mine}"

    @property
    def _mine(self) -> str:
        return f" AND {self.where}" if self.where else ""


BILL: Final = DocumentKind(
    entry="billing", word="bill", words="bills",
    table="bills", key="number", letters="B", drafts="draft_bills", batch="bills", batch_letters="BL",
    control="billed", debit="receivable", credit=OF_LINES, dated="bill_date",
    shows=("cycles", "meters", "reads", "exceptions", "bill_services", "bill_lines"),
)  # fmt: skip
PAYMENT: Final = DocumentKind(
    entry="payment", word="receipt", words="receipts",
    table="payments", key="payment_id", letters="P", batch="payments", batch_letters="PY",
    control="received", debit="cash", credit="receivable", dated="received_on",
    shows=("payment_rejects",),
)  # fmt: skip
ADJUSTMENT: Final = DocumentKind(
    entry="adjustment", word="adjustment", words="adjustments",
    table="adjustments", key="adjustment_id", letters="A", where=f"kind = '{ADJUST}'", batch="adjustments", batch_letters="AJ",
    control="adjusted", debit="receivable", credit=OF_ROW, dated="posted_on",
)  # fmt: skip
REVERSAL: Final = DocumentKind(  # its entry carries the kind of what it cancels, and so shows in the same line of the control
    entry="reversal", word="reversal", words="reversals",
    table="adjustments", key="adjustment_id", letters="A", where=f"kind <> '{ADJUST}'", batch="reversals", batch_letters="RV",
    control="adjusted", debit=OF_REVERSED, credit=OF_REVERSED, dated="posted_on", button=REVERSE, reversible=False,
)  # fmt: skip
SHOWN_BY_ALL: Final = ("accounts", "gl_accounts", "log")  # balances, and what was done
KINDS: Final[tuple[DocumentKind, ...]] = (PAYMENT, ADJUSTMENT, REVERSAL, BILL)  # in the order they post in
OPENING: Final = "opening"  # entries of balances taken over, which no document of ours stands behind


def with_post() -> tuple[DocumentKind, ...]:
    """The kinds that wait until Post takes them, in the order it does."""
    return tuple(kind for kind in KINDS if not kind.at_once)


def sheets_of(kinds: Iterable[DocumentKind]) -> list[str]:
    """The sheets that change when documents of these kinds are posted, or stand no more."""
    return list(dict.fromkeys([*(sheet for kind in kinds for sheet in (kind.table, *kind.shows)), *SHOWN_BY_ALL]))


def typed_tables() -> tuple[str, ...]:
    """The tables whose rows are documents that were typed or taken in, and wait there until they are posted."""
    return tuple(dict.fromkeys(kind.table for kind in KINDS if not kind.drafts))


def shown_as(control: Control) -> tuple[str, ...]:
    """The kinds of entries that show in a line of the control of receivables."""
    return tuple(kind.entry for kind in KINDS if kind.control == control and kind.debit != OF_REVERSED)


def reversible(entry: str) -> bool:
    """Whether documents whose entries are of this kind can be reversed."""
    return any(kind.entry == entry and kind.reversible for kind in KINDS)


def listed(words: Iterable[str]) -> str:
    """Words of the declarations as SQL lists them: 'billing', 'payment'."""
    return ", ".join(f"'{word}'" for word in words)
