"""What a reconciliation says: matches, rows left over with their reasons, and the control table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pandas as pd

# Reasons a row stays unmatched; the order is the code each has inside the package.
REASONS: Final = (
    "missing_in_gl",
    "missing_in_subledger",
    "timing_next_period",
    "timing_prior_period",
    "duplicate_in_gl",
    "duplicate_in_subledger",
    "amount_differs",
    "transposition",
    "rounding",
    "wrong_sign",
    "wrong_account",
    "manual_journal",
    "nets_to_zero",
)
# Reasons that name a difference and prove nothing of where it comes from: they explain no cent.
UNPROVEN: Final = frozenset({"amount_differs"})
CONFIDENCES: Final = ("exact", "tolerance", "ambiguous")
EXACT, TOLERANCE, AMBIGUOUS = range(3)
# A difference up to this many cents inside one matched group is rounding.
TOLERANCE_CENTS: Final = 5


def code_of(reason: str) -> int:
    """The number of a reason inside the package."""
    return REASONS.index(reason)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The result; every subledger line and GL row in scope is matched or unmatched exactly once.

    `matches`: match, type (1-1, n-1, 1-n, n-m), confidence, gl_account, subledger_cents, gl_cents, lines, rows.
    `subledger`: position in the given frame, id, match (-1 where none), reason ("" where matched), pair, gl_account,
    amount_cents. `ledger`: the same with row. Rows with the same pair (not -1) are the two sides of one difference.
    `control`: one row per control account, cents, debit positive, difference = subledger - GL:
    gl_account, beginning, billed, received, adjusted, subledger_activity, ending_subledger, gl_opening, gl_activity,
    ending_gl, difference, opening_difference, late_in_opening (its part that late rows explain), explained (by rows with
    a proven reason), unexplained (the rest), unaccounted (the part of it that no row at all accounts for).
    `by_reason`: gl_account, reason, cents: what each reason contributes to the difference, proven or not.
    """

    matches: pd.DataFrame
    subledger: pd.DataFrame
    ledger: pd.DataFrame
    control: pd.DataFrame
    by_reason: pd.DataFrame

    @property
    def unmatched_subledger(self) -> pd.DataFrame:
        """The lines without a match: id and reason, with what is known of the other side."""
        return self.subledger[self.subledger["match"] < 0].reset_index(drop=True)

    @property
    def unmatched_gl(self) -> pd.DataFrame:
        """The GL rows without a match: row and reason, with what is known of the other side."""
        return self.ledger[self.ledger["match"] < 0].reset_index(drop=True)

    @property
    def difference_explained(self) -> int:
        """Cents of difference with a proven reason, summed over control accounts without netting between them."""
        return int(self.control["explained"].abs().sum())

    @property
    def difference_unexplained(self) -> int:
        """Cents of difference without one, summed the same way: amounts that merely differ, openings that disagree."""
        return int(self.control["unexplained"].abs().sum())

    @property
    def unproven(self) -> int:
        """How many pairs merely differ in amount; they may cancel out in a control account's difference."""
        merely = self.ledger["reason"].isin(UNPROVEN)
        return int(self.ledger.loc[merely, "pair"].nunique())
