"""Closing: the checklist of the month, signatures where an item stays open, and the lock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from xlbilling.office.bills.audit import audit_state
from xlbilling.office.books.ledger import books_digest, latest
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes, chain_head, changed_meanwhile
from xlbilling.office.desk.desk import Desk, billed_anew, money, run_billed_anew
from xlbilling.office.desk.history import keep_change, keep_revision
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.months import Months, open_month
from xlbilling.office.desk.save import fill, refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import SURFACES, Surface, saved, surface
from xlbilling.office.desk.undo import Step, overtaken, past_undo, takes_back
from xlbilling.office.desk.views import STILL_HOLDS, open_payment_rejects, run_states, unposted
from xlbilling.office.outgoing.packs import write_close_packet
from xlbilling.office.reads.rejects import open_rejects
from xlbilling.store import Work
from xlbilling.store.backup import backed_up
from xlbilling.words.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.words.states import AGREES, CLOSED, DIFFERS, DONE, GREEN, OPEN, POSTED, SIGNED

NOT_READY: Final = declare(
    "close_not_ready",
    "Items of the checklist are open.",
    "Do them, or sign them on sheet Close with a reason and press Save.",
)


PACKET_MISSING: Final = declare(
    "close_packet_missing",
    "The month is closed, but its close packet could not be written.",
    "Then type the closed month on Start and press Close month: packet and backup are written again.",
    "review",
)
NOT_SIGNABLE: Final = declare(
    "not_signable",
    "This item of the checklist must be done; a signature cannot stand for it.",
    "Press the button that the item names, or take the documents out with Undo last.",
)


def checklist(desk: Desk) -> Outcome:
    """Look at every item of the month again and show where it stands."""
    refuse_unsaved(desk, ["close"])
    rows = _items(desk)
    refresh_tables(desk, ["close", "log"])
    desk.book.show("Close")
    still = [item for item, state, _ in rows if state == OPEN]
    return Outcome(
        f"{len(rows) - len(still)} of {len(rows)} items are done or signed. Open: {', '.join(still) or 'none'}.",
        listed=bool(still),
    )


def close_month(desk: Desk) -> Outcome:
    """Lock the period, open the next, back the store up and write the close packet with the chain's head.

    On a month that is closed already it writes packet and backup once more, as of that month's close.
    """
    refuse_unsaved(desk, saved())
    period = desk.period
    if desk.store.value("SELECT state FROM periods WHERE period = :p", p=str(period)) == CLOSED:
        return _after_close(desk, f"{period} is closed already, {_closed_by(desk)}.")
    look = Look(desk)
    look.open_month()
    look.at(chain_head)
    items = _items(desk)
    still = [f"{item}: {detail}" for item, state, detail in items if state == OPEN]
    if still:
        raise Conflict(NOT_READY.at(Place(table="close"), f"{len(still)} open: {'; '.join(still)}"))
    if not desk.confirm([f"Close {period}? Later postings into it are refused."]):
        return Outcome(f"Close {period}: press Close month again to lock it.")
    with look.work("close_month") as work:
        open_month(work, str(period))
        earlier = work.query(
            "period", "SELECT period FROM periods WHERE state = :open AND period < :p ORDER BY period", p=str(period)
        )["period"]
        work.execute(
            "UPDATE periods SET state = :closed, closed_by = :a, closed_at = :t WHERE period <= :p AND state = :open",
            a=work.actor,
            t=work.at,
            p=str(period),
        )
        closed, following = ", ".join([*earlier, str(period)]), period.plus(1)
        past_undo(work)
        work.event(f"Closed {closed}; {following} is the first open month")
        for item, state, detail in items:
            work.event(f"{item}: {state}; {detail}")
    return _after_close(
        desk, f"{closed} {'are' if len(earlier) else 'is'} closed; {following} is the first open month."
    )


def _closed_by(desk: Desk) -> str:
    row = desk.store.table("periods", "period = :p", p=str(desk.period)).iloc[0]
    return f"by {row['closed_by']} at {row['closed_at']}"


def _after_close(desk: Desk, said: str) -> Outcome:
    """Write packet and backup of the closed month on Start and move on to the first open one; what is missing is told.

    The month stays closed whatever becomes of them: they can be written again at any time.
    """
    period = desk.period
    packet, problems = _packet(desk)
    backup, missing = backed_up(desk.store, desk.folder / "backups", f"close-{period}")
    problems += missing
    desk.book.put("Period", str(Months.of(desk.store).first_open))
    desk.forget()
    _next_run(desk)
    fill(desk)
    again = f" Close month with {period} on Start writes both again." if problems else ""
    return Outcome(f"{said} Packet: {packet}. Backup: {backup}.{again}", problems, listed=bool(problems))


def _packet(desk: Desk) -> tuple[str, list[Problem]]:
    """Write the close packet: its name, or what is said of one that could not be written."""
    try:
        return write_close_packet(desk, *_as_closed(desk)).name, []
    except Refusal as refusal:
        problem = refusal.problem
        fact = f"{desk.period} is closed, but its packet was not written: {problem.fact}"
        return "none was written", [PACKET_MISSING.at(problem.place, fact, f"{problem.remedy} {PACKET_MISSING.remedy}")]
    except OSError as fault:
        place = Place(file=f"close-packet-{desk.period}.xlsx")
        return "none was written", [
            PACKET_MISSING.at(place, f"{desk.period} is closed, but its packet was not written: {fault}")
        ]


def _as_closed(desk: Desk) -> tuple[pd.DataFrame, str]:
    """The checklist as it stood when the month on Start was closed, with its signatures, and the chain's head as of then.

    The events of the close say both: which months it closed, and after that each item. A month that was closed before
    the close noted its items shows the checklist as it is now.
    """
    events = desk.store.query(
        "event:int detail seal",
        "SELECT event, detail, seal FROM events WHERE action = 'close_month' AND detail LIKE 'Closed %' ORDER BY event DESC",
    )
    of_month = events.loc[[str(desk.period) in detail.partition(";")[0] for detail in events["detail"]]]
    if of_month.empty:  # closed by an earlier way that left no such event
        return checklist_view(desk), str(desk.store.value("SELECT seal FROM events ORDER BY event DESC LIMIT 1"))
    closed = of_month.iloc[0]
    after = desk.store.query(
        "detail seal",
        "SELECT detail, seal FROM events WHERE event > :e AND event <= :last AND action = 'close_month' ORDER BY event",
        e=int(closed["event"]),
        last=int(closed["event"]) + len(_CHECKS),
    )
    items: dict[str, tuple[str, str]] = {}
    for detail in after["detail"]:
        item, _, rest = detail.partition(": ")
        if item in _CHECKS:
            state, _, said = rest.partition("; ")
            items[item] = (state, said)
    if not items:
        return checklist_view(desk), str(closed["seal"])
    return _signatures(desk, items), str(after["seal"].iloc[-1])


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
        made.append((item, DONE if done else SIGNED if item in signed - MUST_BE_DONE else OPEN, detail))
    return made


# Documents left unposted could not be posted later either: their period is closed. So this item takes no signature.
MUST_BE_DONE: Final = frozenset({"All batches are posted"})


def _runs(desk: Desk) -> pd.DataFrame:
    states = run_states(desk)
    first = Months.of(desk.store).first_open or desk.period
    return states.loc[states["period"].between(str(min(first, desk.period)), str(desk.period))]


def _all_billed(desk: Desk) -> tuple[bool, str]:
    """Every active service of every run of the period is billed, held with a reason, or not due."""
    runs = _runs(desk)
    missing = int((runs["services"] - runs["billed"] - runs["held"]).clip(lower=0).sum())
    not_due = _not_due(desk)
    words = "; ".join(f"cycle {r.cycle}: {r.billed} of {r.services} billed, {r.held} held" for r in runs.itertuples())
    return bool(runs["state"].eq(POSTED).all()) and missing <= not_due, f"{words or 'no run'}; {not_due} not due"


def _not_due(desk: Desk) -> int:
    """Active services that began after the read window of their run, were billed to their end before it, or that their
    account's bill went without; what the last used goes on the next bill.
    """
    return int(
        desk.store.value(
            """
            SELECT COUNT(*) FROM services s JOIN cycles c ON c.cycle = s.cycle AND c.period = :p
              JOIN accounts a ON a.account_id = s.account_id
              LEFT JOIN (SELECT service_id, MAX(service_to) AS until FROM (SELECT service_id, service_to FROM standing_bills
                UNION ALL SELECT service_id, service_to FROM consumption_history) b GROUP BY service_id) last
                ON last.service_id = s.service_id
             WHERE s.status = 'active' AND NOT EXISTS (SELECT 1 FROM standing b
                WHERE b.service_id = s.service_id AND b.cycle = c.cycle AND b.period = c.period)
               AND (s.started_on > c.read_to OR s.ended_on <= last.until OR a.closed_on <= last.until
                OR EXISTS (SELECT 1 FROM bills b WHERE b.account_id = s.account_id AND b.cycle = c.cycle AND b.period = c.period
                  AND b.number IN (SELECT number FROM standing_bills)))
            """,
            p=str(desk.period),
        )
    )


def _reads_resolved(desk: Desk) -> tuple[bool, str]:
    """No finding that holds a bill is without a decision, no bill is held, and no rejected row was left unlooked at."""
    open_findings = desk.store.value(
        f"SELECT COUNT(*) FROM exceptions e WHERE period = :p AND severity = 'block' AND state = :open AND {STILL_HOLDS}",  # noqa: S608
        p=str(desk.period),
    )
    held, rows = int(_runs(desk)["held"].sum()), open_rejects(desk)
    said = (
        f"{open_findings} findings that hold a bill are open; {held} services are held; {rows} rejected rows are open"
    )
    return not open_findings and not held and not rows, said


def _payments_resolved(desk: Desk) -> tuple[bool, str]:
    """Nobody's money waits: every rejected row of a payments file was taken or left."""
    count, amount, unread = open_payment_rejects(desk)
    said = f"{count} rejected payments are open, {money(amount)}"
    return not count, said + (f" and {unread} amounts that cannot be read" if unread else "")


def _audit_green(desk: Desk) -> tuple[bool, str]:
    """Every run's bills were recomputed by a spreadsheet application with difference 0.00."""
    runs = {(str(run.cycle), str(run.period)) for run in _runs(desk).itertuples()}
    anew = desk.store.query(
        "cycle",
        "SELECT DISTINCT b.cycle FROM bills b JOIN standing_bills t ON t.number = b.number WHERE b.period = :p ORDER BY 1",
        p=str(desk.period),
    )["cycle"]
    runs |= {run for cycle in anew if (run := run_billed_anew(cycle)) is not None}
    states = {run: audit_state(desk, *run) for run in sorted(runs)}
    told = (
        f"cycle {cycle if period == str(desk.period) else billed_anew(cycle, period)}: {state}"
        for (cycle, period), state in states.items()
    )
    return all(state == GREEN for state in states.values()), "; ".join(told)


def _all_posted(desk: Desk) -> tuple[bool, str]:
    """Nothing waits to be posted."""
    waiting = unposted(desk, last=str(desk.period))
    return not waiting, "; ".join(waiting) or "nothing waits"


def _reconciled(desk: Desk) -> tuple[bool, str]:
    """The receivables agree with the general ledger as of the last entry."""
    last = latest(desk)
    if last is None:
        return False, "not reconciled"
    if last["inputs"] != books_digest(desk):
        return False, "entries or the export changed since it was reconciled"
    said = f"difference {money(last['difference'])}, unexplained {money(last['unexplained'])}"
    cancel_out = last["state"] == DIFFERS and not last["unexplained"]
    return last["state"] == AGREES, f"{said}; amounts that merely differ cancel out" if cancel_out else said


_CHECKS: Final[dict[str, Callable[[Desk], tuple[bool, str]]]] = {
    "All cycles due are billed": _all_billed,
    "Reads are resolved": _reads_resolved,
    "Payments are resolved": _payments_resolved,
    "Audit is green": _audit_green,
    "All batches are posted": _all_posted,
    "Receivables are reconciled": _reconciled,
}


def checklist_view(desk: Desk) -> pd.DataFrame:
    """The checklist with its signatures."""
    return _signatures(desk, {item: (state, detail) for item, state, detail in _items(desk)})


def _signatures(desk: Desk, items: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """Items of the checklist, each with its state, detail, signature and the revision of that."""
    signed = desk.store.table("signoffs", "period = :p", p=str(desk.period)).set_index("item")
    last = desk.store.query(
        "row_key rev:int",
        "SELECT row_key, MAX(rev) AS rev FROM row_history WHERE table_name = :t GROUP BY row_key",
        t=SURFACES["close"].history(desk),
    )
    revs = dict(zip(last["row_key"].tolist(), last["rev"].tolist(), strict=True))
    rows = [
        (item, state, detail, signed["reason"].get(item, ""), signed["actor"].get(item, ""), int(revs.get(item, 1)))
        for item, (state, detail) in items.items()
    ]
    return pd.DataFrame(rows, columns=["item", "state", "detail", "signed_reason", "signed_by", "rev"])


@surface("close", role="lead")
class Close(Surface):
    """The checklist of the month; Save writes the signatures typed on it, never what was found."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return checklist_view(desk)

    def stored(self, desk: Desk) -> pd.DataFrame:
        """Each item's signature; where the items stand is looked at by Checklist and Close month alone."""
        return _signatures(desk, dict.fromkeys(_CHECKS, ("", ""))).drop(columns=["state", "detail"])

    def history(self, desk: Desk) -> str:
        return f"close {desk.period}"

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        return [
            NOT_SIGNABLE.at(change.place(label, "signed_reason"), f"{row['item']} takes no signature")
            for label, row, _ in change.pairs()
            if row["item"] in MUST_BE_DONE
        ]

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write or take back signatures."""
        period, items = str(desk.need_open()), []
        signed = "; ".join(f"{row['item']}: {row['signed_reason']}" for _, row, _ in change.pairs())
        event = work.event(f"Signed: {signed}")
        standing = _signatures(desk, {row["item"]: ("", "") for _, row, _ in change.pairs()}).set_index("item")
        for label, row, old in change.pairs():
            item, reason = row["item"], row["signed_reason"].strip()
            if int(standing["rev"][item]) != int(old["rev"]):
                raise changed_meanwhile(desk, change, label, item)
            _sign(work, period, item, reason, work.actor)
            keep_change(work, self.history(desk), item, event, old, row, ["signed_reason"])
            items.append({"item": item, "written": reason, "reason": old["signed_reason"], "actor": old["signed_by"]})
        return [{"kind": "signatures", "period": period, "items": items}]


@takes_back("signatures")
def unsign(work: Work, step: Step) -> None:
    """Put the earlier signatures back, unless somebody has signed since."""
    event, history = work.event(f"Signatures of {step['period']} put back"), f"close {step['period']}"
    for signed in step["items"]:
        item, reason = signed["item"], signed["reason"]
        last = work.value("SELECT MAX(rev) FROM row_history WHERE table_name = :t AND row_key = :k", t=history, k=item)
        stands = work.value("SELECT reason FROM signoffs WHERE period = :p AND item = :i", p=step["period"], i=item)
        if (stands or "") != signed["written"]:
            raise overtaken("close", item, f"{item} was signed again since")
        _sign(work, step["period"], item, reason, signed["actor"])
        keep_revision(work, history, item, last + 1, event, json.dumps({"signed_reason": reason}))


def _sign(work: Work, period: str, item: str, reason: str, actor: str) -> None:
    """Let an item carry this signature and no other; a blank reason is none."""
    work.execute("DELETE FROM signoffs WHERE period = :p AND item = :i", p=period, i=item)
    if reason:
        work.insert_one("signoffs", period=period, item=item, reason=reason, actor=actor, at=work.at)
