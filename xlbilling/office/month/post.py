"""Post: every open batch in one act, as numbered documents with balanced entries."""

from __future__ import annotations

from typing import Any, Final

from xlbilling.office.bills.drafts import clear_drafts, computed_by, computed_from
from xlbilling.office.bills.runs import DRAFTS_STALE
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import chain_head
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import saved
from xlbilling.office.desk.undo import past_undo
from xlbilling.office.month.waiting import waiting
from xlbilling.office.posting import (
    post_bill_batch,
    post_waiting,
    posts,
    write_batch,
)
from xlbilling.office.reads.findings import close_findings
from xlbilling.office.reads.run_inputs import inputs_digest
from xlbilling.store import Work
from xlbilling.store.backup import backed_up
from xlbilling.trade import journal as ledger
from xlbilling.trade.documents import BILL, sheets_of, with_post
from xlbilling.words.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.words.states import DRAFT

NOTHING_TO_POST: Final = declare(
    "nothing_to_post", "No batch waits to be posted.", "Compute bills or take in receipts first.", "info"
)


def post(desk: Desk) -> Outcome:
    """Post every open batch in one transaction: numbered documents, balanced entries, and a verified backup."""
    look = Look(desk)
    look.open_month()
    refuse_unsaved(desk, saved())
    look.at(chain_head)
    stale = _stale(desk)
    preview = waiting(desk, bills=stale is None)
    if stale is not None:
        if not preview:
            raise Conflict(stale)
        preview.append(f"not posted: {stale.fact}")
    if not preview:
        return Outcome(NOTHING_TO_POST.meaning)
    if not desk.confirm(["Post?", *preview]):
        return Outcome(f"{'; '.join(preview)}. Press Post again to post.")
    with look.work("post") as work:
        inside = desk.within(work)
        kinds = [kind for kind in with_post() if kind != BILL or stale is None]
        posted = {kind: post_waiting(inside, work, kind) for kind in kinds}
        done = [line for lines in posted.values() for line in lines]
        if not done:  # what the preview names did not come to a document: nothing is written, and Undo stays possible
            return Outcome(NOTHING_TO_POST.meaning)
        past_undo(work)
        work.event("; ".join(done))
    _, problems = backed_up(desk.store, desk.folder / "backups", "post")
    desk.forget()
    refresh_tables(desk, sheets_of(kind for kind, lines in posted.items() if lines))
    left = f" Not posted: {stale.fact}; press Compute for them." if stale else ""
    return Outcome(
        f"Posted: {'; '.join(done)}.{left}", [*problems, *([stale] if stale else [])], listed=stale is not None
    )


def _stale(desk: Desk) -> Problem | None:
    """That the run's drafts were computed before something they go by was changed; then they wait for Compute.

    What else waits is posted without them: Compute itself wants receipts posted first.
    """
    count = desk.store.value(
        "SELECT COUNT(*) FROM draft_bills WHERE cycle = :c AND period = :p AND state = :draft", **desk.chosen
    )
    if not count or computed_from(desk.store, desk.cycle, str(desk.period)) == inputs_digest(desk.store, desk):
        return None
    return DRAFTS_STALE.at(
        Place(table="bills"), f"{count} draft bills of {desk.run} were computed before something they go by was changed"
    )


@posts(BILL)
def post_bills(desk: Desk, work: Work) -> list[str]:
    """Turn the run's drafts into posted bills: numbers, standing rows, entries; held services stay drafts on hold."""
    run = desk.run
    where = {"c": run.cycle, "p": run.period}
    ready = "cycle = :c AND period = :p AND state = :draft"
    sums = f"SELECT COUNT(*) AS count, COALESCE(SUM(amount), 0) AS amount FROM draft_bills WHERE {ready}"  # noqa: S608
    found = work.query("count:int amount:int", sums, **where)
    count, total = int(found["count"].iloc[0]), int(found["amount"].iloc[0])
    if not count:
        return []
    _check_accounts(work, where)
    batch = write_batch(work, BILL.batch, run.cycle, run.period, count, total)
    post_bill_batch(work, batch, ready, where, desk.receivable(), computed_by(work, run.cycle, run.period))
    clear_drafts(work, run.cycle, run.period, DRAFT)
    close_findings(work, run.cycle, run.period)
    return [f"{batch}: {count} bills, {money(total)}"]


def _check_accounts(work: Work, where: dict[str, Any]) -> None:
    """Every charge must post to a listed ledger account."""
    unknown = work.query(
        "charge gl_account",
        "SELECT l.charge, l.gl_account FROM draft_lines l JOIN draft_bills b ON b.bill_key = l.bill_key "
        "LEFT JOIN gl_accounts g ON g.gl_account = l.gl_account "
        "WHERE b.cycle = :c AND b.period = :p AND b.state = :draft AND g.gl_account IS NULL LIMIT 1",
        **where,
    )
    if len(unknown):
        row = unknown.iloc[0]
        fact = f"charge {row['charge']!r} posts to {row['gl_account'] or '(blank)'}, which is not on sheet GL accounts"
        raise Refusal(ledger.GL_UNKNOWN.at(Place(table="rates", column="gl_account"), fact))
