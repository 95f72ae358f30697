"""Undo: what a button wrote, kept as values by kind, and how each kind is taken back.

A step is a dict of plain values with its `kind`; no statement is ever kept, so that a later version still knows what an
earlier one wrote. Each kind is taken back by the function that declares it, inside the transaction and only while
nobody has built on what was written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from xlbilling.store import Work
from xlbilling.words.problems import Conflict, Place, declare
from xlbilling.words.states import READY

Step: TypeAlias = dict[str, Any]
TakeBack: TypeAlias = Callable[[Work, Step], None]

OVERTAKEN: Final = declare(
    "undo_overtaken",
    "What the button wrote was changed since, so taking it back would undo somebody's later work.",
    "Type the old values and press Save.",
)
NOTHING_TO_UNDO: Final = declare(
    "nothing_to_undo",
    "There is nothing of yours to undo since the last posting.",
    "Posted work is corrected with Adjust or Reverse.",
)
TYPING: Final = (
    "typing"  # the kind of step that holds what was thrown away unsaved; nothing in the store changes with it
)
_WAYS: Final[dict[str, TakeBack]] = {}


def takes_back(kind: str) -> Callable[[TakeBack], TakeBack]:
    """Declare the decorated function as what takes back steps of a kind."""

    def declare_way(way: TakeBack) -> TakeBack:
        if kind in _WAYS:
            raise ValueError(f"steps of kind {kind!r} are taken back in two places")
        _WAYS[kind] = way
        return way

    return declare_way


def keep_undo(work: Work, label: str, steps: Sequence[Step], detail: str) -> None:
    """Note what a button did, in words and as the steps that take it back."""
    unknown = [step.get("kind") for step in steps if step.get("kind") not in _WAYS]
    if unknown:
        raise ValueError(f"nothing takes back steps of kind {unknown[0]!r}")
    event = work.event(detail)
    number = (work.value("SELECT MAX(undo_id) FROM undo") or 0) + 1
    work.insert_one(
        "undo", undo_id=number, event=event, actor=work.actor, action=label, inverse=json.dumps(list(steps)), state=READY
    )  # fmt: skip


def past_undo(work: Work) -> None:
    """After a posting nothing before it can be taken back; typing that was thrown away can still be typed back."""
    work.execute(
        "UPDATE undo SET inverse = '[]', state = CASE state WHEN :ready THEN :past ELSE state END "
        "WHERE inverse <> '[]' AND inverse NOT LIKE :typing",
        typing=f'[{{"kind": "{TYPING}"%',
    )


def take_back_last(work: Work, undo_id: int, label: str) -> list[Step]:
    """Take back one button's work, the last step first; its steps. Refused where somebody undid or posted it meanwhile."""
    if work.execute("UPDATE undo SET state = :undone WHERE undo_id = :u AND state = :ready", u=undo_id) != 1:
        raise Conflict(NOTHING_TO_UNDO.at(None, f"{label} was posted or taken back meanwhile"))
    steps: list[Step] = json.loads(work.value("SELECT inverse FROM undo WHERE undo_id = :u", u=undo_id))
    for step in reversed(steps):
        _WAYS[step["kind"]](work, step)
    return steps


def overtaken(table: str, key: str, fact: str) -> Conflict:
    """The conflict of a step whose row is no longer as it was written."""
    return Conflict(OVERTAKEN.at(Place(table=table, key=key), fact))


@takes_back(TYPING)
def _nothing_in_the_store(_work: Work, _step: Step) -> None:
    """Typing that was thrown away is laid over the sheets again once they are filled (see sheets.undo_last)."""
