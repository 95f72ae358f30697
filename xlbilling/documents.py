"""Documents: every kind the office posts, each declared once.

A kind says what its documents are called, where they are kept and how they are numbered, which batch they post in, when
they post and by whom, on which accounts by role, how they show in the control of receivables, and whether they can be
reversed. Post, Reverse, the checklist, Start, the control and `verify` go through the kinds; a new one is a row here
and a room that makes its rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

OF_ROW: Final = "of the row"  # the document's own column gl_account names the other side
OF_LINES: Final = "of the lines"  # each line of the document names its own account
Posting = Literal["with Post", "at once"]
Control = Literal["beginning", "billed", "received", "adjusted"]


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of document.

    `entry` is the kind its entries carry; `where` says which rows of `table` are of this kind; `dated` is the column of
    the day it is of. `debit` and `credit` are roles of ledger accounts, the row's own account, or those of its lines.
    """

    entry: str
    word: str
    words: str
    table: str
    key: str
    letters: str
    batch: str
    batch_letters: str
    posts: Posting
    role: Literal["clerk", "lead"]
    control: Control
    debit: str
    credit: str
    dated: str
    reversible: bool
    where: str = ""

    @property
    def waiting(self) -> str:
        """The condition of a row that waits to be posted."""
        return "state = 'open'" + (f" AND {self.where}" if self.where else "")


BILL: Final = DocumentKind(
    "billing", "bill", "bills", "bills", "number", "B", "bills", "BL", "with Post", "lead", "billed",
    "receivable", OF_LINES, "bill_date", reversible=True,
)  # fmt: skip
PAYMENT: Final = DocumentKind(
    "payment", "receipt", "receipts", "payments", "payment_id", "P", "payments", "PY", "with Post", "lead", "received",
    "cash", "receivable", "received_on", reversible=True,
)  # fmt: skip
ADJUSTMENT: Final = DocumentKind(
    "adjustment", "adjustment", "adjustments", "adjustments", "adjustment_id", "A", "adjustments", "AJ", "with Post", "lead",
    "adjusted", "receivable", OF_ROW, "posted_on", reversible=True, where="kind = 'adjust'",
)  # fmt: skip
REVERSAL: Final = DocumentKind(
    "reversal", "reversal", "reversals", "adjustments", "adjustment_id", "A", "reversals", "RV", "at once", "lead",
    "adjusted", "of what it reverses", "of what it reverses", "posted_on", reversible=False, where="kind <> 'adjust'",
)  # fmt: skip
KINDS: Final[tuple[DocumentKind, ...]] = (PAYMENT, ADJUSTMENT, REVERSAL, BILL)
OPENING: Final = "opening"  # entries of balances taken over, which no document of ours stands behind
# The entry of a reversal carries the kind of what it cancels, so that it shows in the same line of the control.
CONTROL: Final[dict[str, Control]] = {
    OPENING: "beginning",
    **{kind.entry: kind.control for kind in KINDS if kind.reversible},
}


def typed_kinds() -> tuple[DocumentKind, ...]:
    """The kinds whose rows wait in a table of their own until Post takes them."""
    return tuple(kind for kind in KINDS if kind.posts == "with Post" and kind.credit != OF_LINES)
