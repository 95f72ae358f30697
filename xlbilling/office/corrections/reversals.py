"""Reversals: a posted document cancelled by a new one, and a bill made anew in its place, all in one act."""

from __future__ import annotations

import pandas as pd

from xlbilling.office.corrections.adjustments import in_words, take_typed
from xlbilling.office.corrections.rebilling import freed_days, number_of, post_rebills, rebills, with_later
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import chain_head
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import saved
from xlbilling.office.desk.undo import past_undo
from xlbilling.office.posting import NOT_REVERSIBLE, entry_that_stands, post_at_once
from xlbilling.store import Work
from xlbilling.store.backup import backed_up
from xlbilling.trade.documents import BILL, KINDS, REVERSAL, sheets_of
from xlbilling.words.problems import Place, Refusal
from xlbilling.words.states import REBILL


def reverse(desk: Desk) -> Outcome:
    """Post the typed reversals: each cancels a posted document by a new entry, and a rebill frees its days to be billed."""
    desk.need_open()
    refuse_unsaved(desk, [name for name in saved() if name != "adjustments"])
    taken = take_typed(desk, "Reverse")
    look = Look(desk)
    period = look.open_month()
    look.at(chain_head)
    waiting = desk.store.table("adjustments", REVERSAL.waiting)
    if waiting.empty:
        return Outcome(f"{taken} Nothing waits to be reversed.")
    made = rebills(desk, waiting, period)
    preview = [
        *(in_words(row) for row in waiting.to_dict("records")),
        *(rebill.told for rebill in made),
        *freed_days(desk, waiting, period),
    ]
    if not desk.confirm(["Reverse?", *preview]):
        return Outcome(f"{'; '.join(preview)}. Press Reverse again to post.")
    with look.work("reverse") as work:
        waiting = with_later(work, waiting, made)
        batch = ", ".join(said.partition(":")[0] for said in _cancel(desk.within(work), work, waiting))
        anew = post_rebills(work, made, period, desk.receivable())
        past_undo(work)
        work.event("; ".join([f"{batch}: reversed {', '.join(waiting['document'])}", *anew]))
    _, problems = backed_up(desk.store, desk.folder / "backups", "reverse")
    refresh_tables(desk, sheets_of(KINDS))
    said = "; ".join([f"{batch}: reversed {len(waiting)} documents: {', '.join(waiting['document'])}", *anew])
    return Outcome(f"{said}.", problems)


def _cancel(desk: Desk, work: Work, waiting: pd.DataFrame) -> list[str]:
    """Post the reversals, and let what they cancel stand no more; each batch in words."""
    rebill = waiting["kind"].eq(REBILL)
    cancelled = waiting["document"].map(number_of).where(rebill, waiting["document"])
    waiting = waiting.assign(cancels=cancelled)
    for row in waiting.loc[rebill].itertuples():
        if entry_that_stands(work, str(row.cancels))["kind"].ne(BILL.entry).any():
            place = Place(table="adjustments", key=str(row.adjustment_id), column="kind")
            raise Refusal(NOT_REVERSIBLE.at(place, f"{row.cancels} is no bill"))
    said = post_at_once(desk, work, REVERSAL, waiting)
    of = {"document": "cancels", "reversed_by": "adjustment_id", "reason": "reason"}
    reversals = pd.DataFrame({name: waiting[column] for name, column in of.items()})
    work.insert("reversals", reversals.assign(actor=work.actor, at=work.at))
    for number in cancelled:
        work.execute("DELETE FROM standing_bills WHERE number = :n", n=number)
    return said
