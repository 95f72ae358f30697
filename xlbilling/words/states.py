"""States: the words a row's state can be, each said once, and which of them each table of the store allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

OPEN: Final = "open"  # waits: a receipt, a correction, a finding, a rejected row; takes postings: an accounting period
CLOSED: Final = "closed"
POSTED: Final = "posted"
WITHDRAWN: Final = "withdrawn"  # taken back before it was posted; the number stays used
REVERSED: Final = (
    "reversed"  # posted, and cancelled by a later document; shown, and kept as the document that cancels it
)
DRAFT: Final = "draft"
HELD: Final = "held"
CURRENT: Final = "current"
SUPERSEDED: Final = "superseded"  # a later file said otherwise
DECIDED: Final = "decided"
BILLED: Final = "billed"  # the run was posted before anybody decided
GONE: Final = "gone"  # decided once, and found no more when the reads were checked again
TAKEN: Final = "taken"
LEFT: Final = "left"  # out: a rejected row nobody takes, a service its account's bill goes without
WAITS: Final = "waits"  # a service that could be billed and waits for a held one of its account
READY: Final = "ready"  # an undo step that can be taken
UNDONE: Final = "undone"
PAST: Final = "past"  # something was posted since
GREEN: Final = "green"
RED: Final = "red"
NOT_RECALCULATED: Final = "not recalculated"
AGREES: Final = "agrees"
EXPLAINED: Final = "explained"
DIFFERS: Final = "differs"

DOCUMENT: Final = (OPEN, POSTED, WITHDRAWN)  # of a document that was typed or taken in, whatever its kind
# Of what is shown, and not kept: where a run stands, and an item of the checklist.
WAITING: Final = "waiting"
READS_IN: Final = "reads in"
COMPUTED: Final = "computed"
RUN: Final = (WAITING, READS_IN, COMPUTED, POSTED)
DONE: Final = "done"
SIGNED: Final = "signed"
CHECKLIST: Final = (DONE, SIGNED, OPEN)
STATES: Final[dict[str, tuple[str, ...]]] = {
    "periods": (OPEN, CLOSED),
    "imports": (CURRENT, SUPERSEDED, WITHDRAWN),
    "rejects": (OPEN, TAKEN, LEFT),
    "payment_rejects": (OPEN, TAKEN, LEFT),
    "reads": (CURRENT, SUPERSEDED, WITHDRAWN),
    "exceptions": (OPEN, DECIDED, BILLED, GONE),
    "draft_bills": (DRAFT, HELD),
    "draft_services": (DRAFT, HELD, WAITS, LEFT),
    "bills": (POSTED,),
    "batches": (OPEN, POSTED),
    "undo": (READY, UNDONE, PAST),
    "audits": (GREEN, RED, NOT_RECALCULATED),
    "reconciliations": (AGREES, EXPLAINED, DIFFERS),
}


# Every question to the store may say a state by its name: `state = :open`, `state <> :withdrawn`.
BOUND: Final[dict[str, str]] = {
    word.replace(" ", "_"): word for states in (*STATES.values(), DOCUMENT, RUN, (REVERSED,)) for word in states
}


def one_of(states: Sequence[str]) -> str:
    """The condition that a row is in one of these states, as SQL says it."""
    words = [f"'{word}'" for word in states]
    return f"state IN ({', '.join(words)})" if len(words) > 1 else f"state = {words[0]}"


# What a row of Adjustments does: take an amount on or off, cancel a document, or cancel a bill and bill it anew.
ADJUST: Final = "adjust"
CANCEL: Final = "reverse"
REBILL: Final = "rebill"
