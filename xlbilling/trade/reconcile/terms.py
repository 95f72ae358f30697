"""Terms of a reconciliation: the period it speaks for and how the two ledgers' accounts correspond."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Terms:
    """Period (both days included), opening batch, our account code -> GL account, and the accounts to be proved."""

    start: dt.date
    end: dt.date
    accounts: Mapping[str, str]
    control_accounts: tuple[str, ...]
    opening_batch: str = "OPENING"
    credit_normal: frozenset[str] = frozenset()
