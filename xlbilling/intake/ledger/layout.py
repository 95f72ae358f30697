"""Layouts of ledger exports: each accounting system's report declared as columns, signs and marks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from xlbilling.intake.ledger.cells import DayOrder

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
        """The column index of each role the header has; the first of a role's names wins."""
        found: dict[Role, int] = {}
        for role, names in self.columns.items():
            for name in names:
                if name in header:
                    found[role] = list(header).index(name)
                    break
        return found


def heading(cell: str) -> str:
    """A header cell as layouts name it: lower case, single spaces."""
    return " ".join(cell.replace("\u00a0", " ").lower().split())
