"""Post: every open batch in one act, as numbered documents with balanced entries."""

from __future__ import annotations

from typing import Any, Final

from xlbilling import ledger
from xlbilling.documents import BILL, sheets_of, with_post
from xlbilling.office.billing import DRAFTS_STALE
from xlbilling.office.buttons import Outcome
from xlbilling.office.deciding import close_findings
from xlbilling.office.desk import Desk, money
from xlbilling.office.drafts import clear_drafts, computed_by, computed_from, inputs_digest
from xlbilling.office.posting import (
    post_bill_batch,
    post_waiting,
    posts,
    refuse_moved,
    write_batch,
)
from xlbilling.office.sheets import refresh_tables, refuse_unsaved
from xlbilling.office.surface import saved
from xlbilling.office.undo import past_undo
from xlbilling.office.waiting import waiting
from xlbilling.office.working_copy import chain_head
from xlbilling.problems import Conflict, Place, Refusal, declare
from xlbilling.store import Work
from xlbilling.store.backup import backed_up

NOTHING_TO_POST: Final = declare(
    "nothing_to_post", "No batch waits to be posted.", "Compute bills or take in receipts first.", "info"
)


def post(desk: Desk) -> Outcome:
    """Post every open batch in one transaction: numbered documents, balanced entries, and a verified backup."""
    desk.need_open()
    refuse_unsaved(desk, saved())
    head, preview = chain_head(desk), waiting(desk)
    if not preview:
        return Outcome(NOTHING_TO_POST.meaning)
    if not desk.confirm(["Post?", *preview]):
        return Outcome(f"{'; '.join(preview)}. Press Post again to post.")
    with desk.store.work(desk.actor, "post", f"post after {head}") as work:
        refuse_moved(work, head)
        inside = desk.within(work)
        posted = {kind: post_waiting(inside, work, kind) for kind in with_post()}
        done = [line for lines in posted.values() for line in lines]
        past_undo(work)
        work.event("; ".join(done))
    _, problems = backed_up(desk.store, desk.folder / "backups", "post")
    desk.forget()
    refresh_tables(desk, sheets_of(kind for kind, lines in posted.items() if lines))
    return Outcome("Posted: " + "; ".join(done) + ".", problems)


@posts(BILL)
def post_bills(desk: Desk, work: Work) -> list[str]:
    """Turn the run's drafts into posted bills: numbers, standing rows, entries; held services stay drafts on hold."""
    run = desk.run
    where = {"c": run.cycle, "p": run.period}
    ready = "cycle = :c AND period = :p AND state = 'draft'"
    sums = f"SELECT COUNT(*) AS count, COALESCE(SUM(amount), 0) AS amount FROM draft_bills WHERE {ready}"  # noqa: S608
    found = work.query(sums, **where)
    count, total = int(found["count"].iloc[0]), int(found["amount"].iloc[0])
    if not count:
        return []
    if computed_from(work, run.cycle, run.period) != inputs_digest(work, desk):
        raise Conflict(DRAFTS_STALE.at(Place(table="bills"), f"{count} draft bills of {run} were computed before that"))
    _check_accounts(work, where)
    batch = write_batch(work, BILL.batch, run.cycle, run.period, count, total)
    post_bill_batch(work, batch, ready, where, desk.receivable(), computed_by(work, run.cycle, run.period))
    clear_drafts(work, run.cycle, run.period, "draft")
    close_findings(work, run.cycle, run.period)
    return [f"{batch}: {count} bills, {money(total)}"]


def _check_accounts(work: Work, where: dict[str, Any]) -> None:
    """Every charge must post to a listed ledger account."""
    unknown = work.query(
        "SELECT l.charge, l.gl_account FROM draft_lines l JOIN draft_bills b ON b.bill_key = l.bill_key "
        "LEFT JOIN gl_accounts g ON g.gl_account = l.gl_account "
        "WHERE b.cycle = :c AND b.period = :p AND b.state = 'draft' AND g.gl_account IS NULL LIMIT 1",
        **where,
    )
    if len(unknown):
        row = unknown.iloc[0]
        fact = f"charge {row['charge']!r} posts to {row['gl_account'] or '(blank)'}, which is not on sheet GL accounts"
        raise Refusal(ledger.GL_UNKNOWN.at(Place(table="rates", column="gl_account"), fact))
