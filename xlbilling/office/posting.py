"""Posting: balanced entries and numbered batches, the one way anything reaches the journal."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling import ledger
from xlbilling.problems import Refusal, declare
from xlbilling.store import Work

UNBALANCED: Final = declare(
    "unbalanced",
    "An entry's debits and credits differ; nothing was posted.",
    "Keep the workbook and the store as they are and ask for help.",
)
SERIES: Final = {"bills": "BL", "payments": "PY", "adjustments": "AJ", "reversals": "RV"}


def write_entries(work: Work, entries: pd.DataFrame, journal: pd.DataFrame) -> None:
    """Write balanced entries; one that does not balance stops the whole posting."""
    wrong = ledger.unbalanced(journal)
    if wrong:
        raise Refusal(UNBALANCED.at(None, f"entry {wrong[0]} does not balance"))
    work.insert("entries", entries)
    work.insert("journal", journal)


def entries_of(
    work: Work, documents: pd.DataFrame, period: str, kind: str, batch: str, dates: Any, reverses: Any = None
) -> pd.DataFrame:
    """One entry a document, numbered on in the journal's own series; `documents` has column `document`."""
    first = work.numbers("entry", len(documents)).start
    return pd.DataFrame(
        {
            "entry": np.arange(first, first + len(documents)),
            "period": period,
            "post_date": dates,
            "kind": kind,
            "batch": batch,
            "document": documents["document"].to_numpy(),
            "reverses": pd.array([None] * len(documents) if reverses is None else reverses, dtype="Int64"),
            "actor": work.actor,
            "posted_at": work.at,
        }
    )


def write_batch(work: Work, kind: str, cycle: str, period: str, documents: int, amount: int) -> str:
    """Write a posted batch under the next number of its kind; the number."""
    batch = work.documents(SERIES[kind])[0]
    work.insert_one(
        "batches",
        batch=batch,
        kind=kind,
        cycle=cycle,
        period=period,
        state="posted",
        created_at=work.at,
        actor=work.actor,
        posted_at=work.at,
        documents=documents,
        amount=amount,
    )
    return batch
