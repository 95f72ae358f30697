"""Closing: the checklist of the month, signatures where an item stays open, and the lock."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pandas as pd

from xlbilling.office.auditing import audit_state
from xlbilling.office.books import books_digest, latest
from xlbilling.office.buttons import Outcome
from xlbilling.office.desk import Desk, money
from xlbilling.office.posting import refuse_moved
from xlbilling.office.rejecting import open_rejects
from xlbilling.office.reporting import write_close_packet
from xlbilling.office.rows import OVERTAKEN, Step, keep_revision, past_undo, saves, takes_back
from xlbilling.office.sheets import SAVED_HERE, fill, refresh_tables, refuse_unsaved
from xlbilling.office.views import run_states, shows
from xlbilling.office.working_copy import Changes, chain_head, content, history_name
from xlbilling.problems import Conflict, Place, Refusal, declare
from xlbilling.store import Work
from xlbilling.store.backup import backed_up

NOT_READY: Final = declare(
    "close_not_ready",
    "Items of the checklist are open.",
    "Do them, or sign them on sheet Close with a reason and press Save.",
)


NOT_SIGNABLE: Final = declare(
    "not_signable",
    "This item of the checklist must be done; a signature cannot stand for it.",
    "Press Post, or take the documents out with Undo last.",
)


def checklist(desk: Desk) -> Outcome:
    """Look at every item of the month again and show where it stands."""
    refuse_unsaved(desk, ["close"])
    rows = _items(desk)
    refresh_tables(desk, ["close", "log"])
    desk.book.show("Close")
    still = [item for item, state, _ in rows if state == "open"]
    return Outcome(
        f"{len(rows) - len(still)} of {len(rows)} items are done or signed. Open: {', '.join(still) or 'none'}.",
        listed=bool(still),
    )


def close_month(desk: Desk) -> Outcome:
    """Lock the period, open the next, back the store up and write the close packet with the chain's head."""
    period = desk.need_open()
    refuse_unsaved(desk, SAVED_HERE)
    head = chain_head(desk)
    still = [f"{item}: {detail}" for item, state, detail in _items(desk) if state == "open"]
    if still:
        raise Conflict(NOT_READY.at(Place(table="close"), f"{len(still)} open: {'; '.join(still)}"))
    if not desk.confirm([f"Close {period}? Later postings into it are refused."]):
        return Outcome(f"Close {period}: press Close month again to lock it.")
    items = checklist_view(desk)
    with desk.store.work(desk.actor, "close_month", f"close {period}") as work:
        refuse_moved(work, head)
        work.execute(
            "UPDATE periods SET state = 'closed', closed_by = :a, closed_at = :t WHERE period = :p",
            a=work.actor,
            t=work.at,
            p=str(period),
        )
        following = str(period.plus(1))
        if work.value("SELECT 1 FROM periods WHERE period = :p", p=following) is None:
            work.insert_one("periods", period=following, state="open")
        past_undo(work)
        work.event(f"Closed {period}; {following} is open")
    packet = write_close_packet(desk, items)
    backup, problems = backed_up(desk.store, desk.folder / "backups", f"close-{period}")
    desk.book.put("Period", str(period.plus(1)))
    desk.forget()
    _next_run(desk)
    fill(desk)
    said = f"{period} is closed; {period.plus(1)} is open. Packet: {packet.name}. Backup: {backup}."
    return Outcome(said, problems)


def _next_run(desk: Desk) -> None:
    """Move Start to a cycle that has a run in the new period; the same one where it has."""
    runs = desk.store.table("cycles", "period = :p", p=str(desk.period))["cycle"].tolist()
    if runs and desk.book.get("Cycle") not in runs:
        desk.book.put("Cycle", runs[0])
        desk.forget()


def _items(desk: Desk) -> list[tuple[str, str, str]]:
    """Each item with its state (done, open, signed) and what was found."""
    signed = set(desk.store.table("signoffs", "period = :p", p=str(desk.period))["item"])
    made = []
    for item, look in _CHECKS.items():
        done, detail = look(desk)
        made.append((item, "done" if done else "signed" if item in signed - MUST_BE_DONE else "open", detail))
    return made


# Documents left unposted could not be posted later either: their period is closed. So this item takes no signature.
MUST_BE_DONE: Final = frozenset({"All batches are posted"})


def _runs(desk: Desk) -> pd.DataFrame:
    states = run_states(desk)
    return states.loc[states["period"].eq(str(desk.period))]


def _all_billed(desk: Desk) -> tuple[bool, str]:
    """Every active service of every run of the period is billed, held with a reason, or not due."""
    runs = _runs(desk)
    missing = int((runs["services"] - runs["billed"] - runs["held"]).clip(lower=0).sum())
    not_due = _not_due(desk)
    words = "; ".join(f"cycle {r.cycle}: {r.billed} of {r.services} billed, {r.held} held" for r in runs.itertuples())
    return bool(runs["state"].eq("posted").all()) and missing <= not_due, f"{words or 'no run'}; {not_due} not due"


def _not_due(desk: Desk) -> int:
    """Active services that began after the read window of their run, or were billed to their end before it."""
    return int(
        desk.store.value(
            """
            SELECT COUNT(*) FROM services s JOIN cycles c ON c.cycle = s.cycle AND c.period = :p
              JOIN accounts a ON a.account_id = s.account_id
              LEFT JOIN (SELECT service_id, MAX(service_to) AS until FROM (SELECT service_id, service_to FROM standing_bills
                UNION ALL SELECT service_id, service_to FROM consumption_history) b GROUP BY service_id) last
                ON last.service_id = s.service_id
             WHERE s.status = 'active' AND (s.started_on > c.read_to OR (
               (s.ended_on <= last.until OR a.closed_on <= last.until) AND NOT EXISTS (SELECT 1 FROM bills b
                JOIN standing_bills t ON t.number = b.number
                WHERE b.service_id = s.service_id AND b.cycle = c.cycle AND b.period = c.period)))
            """,
            p=str(desk.period),
        )
    )


def _reads_resolved(desk: Desk) -> tuple[bool, str]:
    """No finding that holds a bill is without a decision, no bill is held, and no rejected row was left unlooked at."""
    open_findings = desk.store.value(
        "SELECT COUNT(*) FROM exceptions WHERE period = :p AND severity = 'block' AND state = 'open'",
        p=str(desk.period),
    )
    held, rows = int(_runs(desk)["held"].sum()), open_rejects(desk)
    said = f"{open_findings} findings that hold a bill are open; {held} bills are held; {rows} rejected rows are open"
    return not open_findings and not held and not rows, said


def _audit_green(desk: Desk) -> tuple[bool, str]:
    """Every run's bills were recomputed by a spreadsheet application with difference 0.00."""
    states = {str(run.cycle): audit_state(desk, str(run.cycle), str(desk.period)) for run in _runs(desk).itertuples()}
    return all(state == "green" for state in states.values()), "; ".join(f"cycle {c}: {s}" for c, s in states.items())


def _all_posted(desk: Desk) -> tuple[bool, str]:
    """Nothing waits to be posted."""
    counts = {
        words: desk.store.value(f"SELECT COUNT(*) FROM {table} WHERE {where}", p=str(desk.period))  # noqa: S608
        for words, table, where in (
            ("receipts", "payments", "state = 'open' AND period = :p"),
            ("corrections", "adjustments", "state = 'open' AND period = :p"),
            ("draft bills", "draft_bills", "state = 'draft' AND period = :p"),
        )
    }
    return not any(counts.values()), "; ".join(f"{count} {words}" for words, count in counts.items())


def _reconciled(desk: Desk) -> tuple[bool, str]:
    """The receivables agree with the general ledger as of the last entry."""
    last = latest(desk)
    if last is None:
        return False, "not reconciled"
    if last["inputs"] != books_digest(desk):
        return False, "entries or the export changed since it was reconciled"
    return last[
        "state"
    ] == "agrees", f"difference {money(last['difference'])}, unexplained {money(last['unexplained'])}"


_CHECKS: Final[dict[str, Callable[[Desk], tuple[bool, str]]]] = {
    "All cycles due are billed": _all_billed,
    "Reads are resolved": _reads_resolved,
    "Audit is green": _audit_green,
    "All batches are posted": _all_posted,
    "Receivables are reconciled": _reconciled,
}


@shows("close")
def checklist_view(desk: Desk) -> pd.DataFrame:
    """The checklist with its signatures."""
    signed = desk.store.table("signoffs", "period = :p", p=str(desk.period)).set_index("item")
    last = desk.store.query(
        "SELECT row_key, MAX(rev) AS rev FROM row_history WHERE table_name = :t GROUP BY row_key",
        t=history_name(desk, "close"),
    )
    revs = dict(zip(last["row_key"].tolist(), last["rev"].tolist(), strict=True))
    rows = [
        (item, state, detail, signed["reason"].get(item, ""), signed["actor"].get(item, ""), int(revs.get(item, 1)))
        for item, state, detail in _items(desk)
    ]
    return pd.DataFrame(rows, columns=["item", "state", "detail", "signed_reason", "signed_by", "rev"])


@saves("close")
def write_signatures(desk: Desk, work: Work, change: Changes) -> list[Step]:
    """Write or take back signatures typed on Close."""
    history, period = history_name(desk, "close"), str(desk.need_open())
    event = work.event("Signed: " + "; ".join(f"{r['item']}: {r['signed_reason']}" for r in change.changed.to_dict("records")))  # fmt: skip
    items = []
    labels = [int(label) for label in change.changed.index]
    for label, row, old in zip(
        labels, change.changed.to_dict("records"), change.before.to_dict("records"), strict=True
    ):
        item, rev = row["item"], int(old["rev"])
        if item in MUST_BE_DONE:
            raise Refusal(NOT_SIGNABLE.at(change.place(label, "signed_reason"), f"{item} takes no signature"))
        _sign(work, period, item, row["signed_reason"].strip(), work.actor)
        keep_revision(work, history, item, rev, event, content(old, ["signed_reason"]))
        keep_revision(work, history, item, rev + 1, event, content(row, ["signed_reason"]))
        items.append([item, row["signed_reason"].strip(), old["signed_reason"], old["signed_by"]])
    return [{"signed": history, "period": period, "items": items}]


@takes_back("signed")
def unsign(work: Work, step: Step) -> None:
    """Put the earlier signatures back, unless somebody has signed since."""
    event = work.event(f"Signatures of {step['period']} put back")
    for item, written, reason, actor in step["items"]:
        last = work.value(
            "SELECT MAX(rev) FROM row_history WHERE table_name = :t AND row_key = :k", t=step["signed"], k=item
        )
        stands = work.value("SELECT reason FROM signoffs WHERE period = :p AND item = :i", p=step["period"], i=item)
        if (stands or "") != written:
            raise Conflict(OVERTAKEN.at(Place(table="close", key=item), f"{item} was signed again since"))
        _sign(work, step["period"], item, reason, actor)
        keep_revision(work, step["signed"], item, last + 1, event, json.dumps({"signed_reason": reason}))


def _sign(work: Work, period: str, item: str, reason: str, actor: str) -> None:
    """Let an item carry this signature and no other; a blank reason is none."""
    work.execute("DELETE FROM signoffs WHERE period = :p AND item = :i", p=period, i=item)
    if reason:
        work.insert_one("signoffs", period=period, item=item, reason=reason, actor=actor, at=work.at)
