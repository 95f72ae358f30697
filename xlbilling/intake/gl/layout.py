"""Layouts of ledger exports: each accounting system's report declared as columns, signs and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from xlbilling.intake.files.dates import DayOrder

Role = Literal[
    "date",
    "account",
    "account_name",
    "reference",
    "description",
    "source",
    "name",
    "debit",
    "credit",
    "amount",
    "balance",
    "side",
    "status",
    "line",
]
Signs = Literal["debit_credit", "credit_printed_negative", "debit_positive", "natural_side", "side_flag"]


@dataclass(frozen=True, slots=True)
class Layout:
    """One report layout: the header names of each role, and how it prints accounts, signs and continuation lines.

    `account` says where the account stands: in its own column on each line, printed once and carried down
    (`column`, blank cells carry), in a section row above its lines (`section`), or in segment columns that are
    joined by hyphens (`segments`). `carried` roles are blank on the second and later lines of an entry.
    """

    name: str
    columns: Mapping[Role, tuple[str, ...]]
    account: Literal["column", "section", "segments"]
    signs: Signs
    segments: tuple[str, ...] = ()
    carried: frozenset[Role] = field(default_factory=frozenset)
    signature: frozenset[str] = field(default_factory=frozenset)
    day_order: DayOrder = "mdy"

    def fits(self, header: Sequence[str]) -> bool:
        """Whether this header row is the layout's: every signature name is there, and each needed role has one."""
        names = set(header)
        amounts: tuple[Role, ...] = ("debit", "credit") if "debit" in self.columns else ("amount",)
        needed: set[Role] = {"date", *amounts}
        if self.account == "column":
            needed.add("account")
        return (
            self.signature <= names
            and set(self.segments) <= names
            and all(names & set(self.columns[role]) for role in needed)
        )

    def places(self, header: Sequence[str]) -> dict[Role, int]:
        """The column index of each role the header has; the first of a role's names wins.

        Whatever the layout, a column of the side belongs to a single amount, and a status to every row.
        """
        found: dict[Role, int] = {}
        columns = {"status": STATUSES, **self.columns}
        if "amount" in self.columns:
            columns.setdefault("side", SIDES)
        for role, names in columns.items():
            for name in names:
                if name in header:
                    found[role] = list(header).index(name)
                    break
        return found


# Headings of a column that says of each amount whether it is a debit or a credit.
SIDES: Final = (
    "d/c", "dr/cr", "db/cr", "debit/credit", "debit or credit", "debit credit", "dr cr", "d c", "drcr", "dc",
    "debit/credit indicator", "dr/cr indicator", "d/c indicator", "d/c flag", "dr/cr flag", "side", "sign", "+/-",
)  # fmt: skip
# Headings of a column that says whether a row counts.
STATUSES: Final = (
    "status", "posting status", "post status", "entry status", "journal status", "transaction status", "trans status",
    "posted", "posted?", "void", "voided", "void?",
)  # fmt: skip
_SIDE_WORDS: Final = {
    **dict.fromkeys(("d", "dr", "db", "debit", "debits", "+"), 1),
    **dict.fromkeys(("c", "cr", "credit", "credits", "-"), -1),
}
_POSTED: Final = {
    "posted",
    "post",
    "p",
    "final",
    "finalized",
    "complete",
    "completed",
    "cleared",
    "reconciled",
    "active",
}
_NOT_POSTED: Final = {
    "unposted",
    "not posted",
    "void",
    "voided",
    "pending",
    "draft",
    "deleted",
    "cancelled",
    "canceled",
}
_YES_NO: Final = {
    **dict.fromkeys(("yes", "y", "true", "1", "x"), True),
    **dict.fromkeys(("no", "n", "false", "0"), False),
}


def side_of(word: str) -> int:
    """1 for a word that says debit, -1 for one that says credit, 0 for any other."""
    return _SIDE_WORDS.get(word.strip().rstrip(".").lower(), 0)


def is_posted(title: str, word: str) -> bool | None:
    """Whether a row with this word in the status column of that heading counts; None for a word nobody knows."""
    said = " ".join(word.lower().split())
    if not said or said in _POSTED:
        return True
    if said in _NOT_POSTED:
        return False
    answer = _YES_NO.get(said)
    return answer if answer is None or not title.startswith("void") else not answer


def heading(cell: str) -> str:
    """A header cell as layouts name it: lower case, single spaces, underscores as spaces before nothing but letters."""
    return " ".join(cell.replace("\u00a0", " ").lower().split())
