"""Reversals: a posted document cancelled by a new one, and a bill made anew in its place, all in one act."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xlbilling import ledger
from xlbilling.documents import REVERSAL
from xlbilling.office.buttons import Outcome
from xlbilling.office.corrections.adjustments import in_words, take_typed
from xlbilling.office.corrections.rebilling import freed_days, number_of, post_rebills, rebills, with_later
from xlbilling.office.desk import Desk
from xlbilling.office.months import Months, months_of
from xlbilling.office.posting import (
    NOT_REVERSIBLE,
    POSTED_SHEETS,
    entries_of,
    entry_that_stands,
    refuse_moved,
    write_batch,
    write_entries,
)
from xlbilling.office.sheets import refresh_tables, refuse_unsaved
from xlbilling.office.surface import saved
from xlbilling.office.undo import past_undo
from xlbilling.office.working_copy import chain_head
from xlbilling.problems import Conflict, Place, Refusal
from xlbilling.store import Work
from xlbilling.store.backup import backed_up


def reverse(desk: Desk) -> Outcome:
    """Post the typed reversals: each cancels a posted document by a new entry, and a rebill frees its days to be billed."""
    period = desk.need_open()
    refuse_unsaved(desk, [name for name in saved() if name != "adjustments"])
    taken = take_typed(desk, "Reverse")
    waiting = desk.store.table("adjustments", REVERSAL.waiting)
    if waiting.empty:
        return Outcome(f"{taken} Nothing waits to be reversed.")
    head = chain_head(desk)
    made = rebills(desk, waiting, period)
    preview = [
        *(in_words(row) for row in waiting.to_dict("records")),
        *(rebill.told for rebill in made),
        *freed_days(desk, waiting, period),
    ]
    if not desk.confirm(["Reverse?", *preview]):
        return Outcome(f"{'; '.join(preview)}. Press Reverse again to post.")
    with desk.store.work(desk.actor, "reverse") as work:
        refuse_moved(work, head)
        waiting = with_later(work, waiting, made)
        days = Months.of(work).posting_days(waiting["posted_on"])
        batches = []
        for month, rows in waiting.assign(posted_on=days).groupby(months_of(days)):
            batches.append(write_batch(work, REVERSAL.batch, "", str(month), len(rows), 0))
            for row in rows.itertuples():
                _reverse_one(work, row, batches[-1], str(month))
        batch = ", ".join(batches)
        anew = post_rebills(work, made, period, desk.receivable())
        past_undo(work)
        work.event("; ".join([f"{batch}: reversed {', '.join(waiting['document'])}", *anew]))
    _, problems = backed_up(desk.store, desk.folder / "backups", "reverse")
    refresh_tables(desk, POSTED_SHEETS)
    said = "; ".join([f"{batch}: reversed {len(waiting)} documents: {', '.join(waiting['document'])}", *anew])
    return Outcome(f"{said}.", problems)


def _reverse_one(work: Work, row: Any, batch: str, period: str) -> None:
    """Cancel one posted document: its journal lines with the sign turned, as a new entry of the same kind."""
    document = number_of(row.document) if row.kind == "rebill" else row.document
    entry = entry_that_stands(work, document)
    if entry.empty:
        raise Conflict(
            NOT_REVERSIBLE.at(
                Place(table="adjustments", key=row.adjustment_id, column="document"),
                f"{document} cannot be reversed",
            )
        )
    if row.kind == "rebill" and entry["kind"].iloc[0] != "billing":
        raise Refusal(
            NOT_REVERSIBLE.at(
                Place(table="adjustments", key=row.adjustment_id, column="kind"), f"{document} is no bill"
            )
        )
    before = int(entry["entry"].iloc[0])
    lines = work.table("journal", "entry = :e", e=before)
    made = entries_of(
        work,
        pd.DataFrame({"document": [row.adjustment_id]}),
        period,
        str(entry["kind"].iloc[0]),
        batch,
        row.posted_on,
        [before],
    )
    write_entries(work, made, ledger.reversal(lines, int(made["entry"].iloc[0])))
    work.insert_one(
        "reversals",
        document=document,
        reversed_by=row.adjustment_id,
        reason=row.reason,
        actor=work.actor,
        at=work.at,
    )
    work.execute("DELETE FROM standing_bills WHERE number = :n", n=document)
    work.execute(
        "UPDATE adjustments SET state = 'posted', batch = :b, period = :p WHERE adjustment_id = :a",
        b=batch,
        p=period,
        a=row.adjustment_id,
    )
