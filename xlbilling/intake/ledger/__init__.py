"""Ledger exports: the general ledger's postings read from the reports accounting systems write.

Face: `read_ledger`, `read_map`, `read_subledger`, `LedgerExport`, `LedgerMap`, `LAYOUTS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from xlbilling.intake.guard import Worker, shared_worker
from xlbilling.intake.ledger.layouts import LAYOUTS
from xlbilling.intake.ledger.mapping import LedgerMap, read_map
from xlbilling.intake.ledger.reading import TEXTS
from xlbilling.intake.ledger.signs import debit_positive
from xlbilling.intake.ledger.subledger import read_subledger
from xlbilling.intake.tables import unpack
from xlbilling.problems import Place, Problem, Refusal, declare

__all__ = ["LAYOUTS", "LedgerExport", "LedgerMap", "read_ledger", "read_map", "read_subledger"]

SIGNS_NEED_MAP: Final = declare(
    "ledger_signs_need_map",
    "An export prints amounts on each account's natural side, and no map says which accounts are credit accounts.",
    "Give the ledger map (MAP.yaml) with its credit_normal list.",
)


@dataclass(frozen=True, slots=True)
class LedgerExport:
    """A ledger export as read.

    `frame`: row (physical row minus header row), kind (posting | opening | total | section | header | note | blank |
    unread), date (datetime64, empty where none), amount_cents (Int64, debit positive), gl_account (the number as
    printed), account_name, reference, description, source (the system's journal or type). Every row is there.
    """

    profile: str
    frame: pd.DataFrame
    problems: list[Problem]

    @property
    def postings(self) -> pd.DataFrame:
        """The posting and opening rows: what a reconciliation reads."""
        return self.frame[self.frame["kind"].isin(("posting", "opening"))].reset_index(drop=True)


def read_ledger(
    path: Path, profile: str = "auto", mapping: LedgerMap | None = None, worker: Worker | None = None
) -> LedgerExport:
    """Every row of a ledger export, read as text and converted once, exactly, in a guarded child process.

    `profile` is a layout's name or "auto" (the layout whose columns fit best). `mapping` tells account numbers apart
    from names, joins segments and gives the credit accounts of natural-side layouts. Refused: a file that cannot be
    opened and a layout that is not known; a row that cannot be read is a problem and a row of kind `unread`.
    """
    facts, blobs = (worker or shared_worker()).run(
        "xlbilling.intake.ledger.reading:task",
        path,
        profile=profile,
        known=sorted(mapping.gl_accounts) if mapping else [],
        segments=mapping.segments if mapping else [],
    )
    problems = [Problem(place=Place(**problem.pop("place")), **problem) for problem in facts["problems"]]
    frame = _frame(facts["blocks"], blobs)
    if facts["natural_side"]:
        if mapping is None:
            raise Refusal(SIGNS_NEED_MAP.at(Place(file=path.name), f"the layout is {facts['profile']}"))
        frame, unproven = debit_positive(frame, mapping.credit_normal, path.name)
        problems += unproven
    return LedgerExport(str(facts["profile"]), frame, problems)


def _frame(sizes: list[int], blobs: list[bytes]) -> pd.DataFrame:
    """The packed blocks as one frame; rows are numbered from 1 below the header."""
    blocks, at = [], 0
    for size in sizes:
        blocks.append(_block(unpack(blobs[at : at + size])))
        at += size
    whole = pd.concat(blocks, ignore_index=True)
    whole.insert(0, "row", range(1, len(whole) + 1))
    return whole


def _block(columns: list[list[str]]) -> pd.DataFrame:
    kinds, dates, cents, *texts = columns
    frame: dict[str, Any] = {
        "kind": pd.array(kinds, dtype="str"),
        "date": pd.to_datetime(pd.Series([date or None for date in dates], dtype="object"), format="%Y-%m-%d"),
        "amount_cents": pd.array([int(value) if value else None for value in cents], dtype="Int64"),
    }
    return pd.DataFrame(frame | {name: pd.array(text, dtype="str") for name, text in zip(TEXTS, texts, strict=True)})
