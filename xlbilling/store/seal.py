"""The chain of seals: each event carries a hash over itself and the seal before, so a changed event breaks the chain.

A chain alone does not show that its end was cut off; that is why its head is printed on the close packet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import pandas as pd


def seal(before: str, event: int, at: str, actor: str, action: str, detail: str) -> str:
    """The seal of one event: SHA-256 over the seal before and the event's own fields."""
    text = "\x1f".join((before, str(event), at, actor, action, detail))
    return hashlib.sha256(text.encode()).hexdigest()


def broken(events: pd.DataFrame) -> int | None:
    """The number of the first event whose seal does not fit; None for a whole chain.

    `events` is ordered by event number and has columns event, at, actor, action, detail, seal.
    """
    before = ""
    rows: Iterable[Any] = events.itertuples(index=False)
    for expected, row in enumerate(rows, 1):
        if row.event != expected or row.seal != seal(before, row.event, row.at, row.actor, row.action, row.detail):
            return expected
        before = row.seal
    return None
