"""Verify: prove that the store is balanced, chained, gapless and sealed, and that every bill is its lines."""

from __future__ import annotations

from typing import Final

from xlbilling.problems import Place, Problem, declare
from xlbilling.store import seal
from xlbilling.store.store import Store

BROKEN: Final = declare(
    "ledger_broken",
    "The store is not what it must be: something was changed outside the program, or lost.",
    "Stop working on it, keep it as it is, and restore the last backup beside it to compare.",
)

_EMPTY: Final = {
    "entries balance": "SELECT entry FROM journal GROUP BY entry HAVING SUM(amount) <> 0 LIMIT 3",
    "every entry has its lines": (
        "SELECT e.entry FROM entries e WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.entry = e.entry) "
        "AND EXISTS (SELECT 1 FROM bills b WHERE b.number = e.document AND b.amount <> 0) LIMIT 3"
    ),
    "no lines without an entry": "SELECT j.entry FROM journal j LEFT JOIN entries e ON e.entry = j.entry WHERE e.entry IS NULL LIMIT 3",
    "bills equal their lines": (
        "SELECT b.number FROM bills b LEFT JOIN (SELECT number, SUM(amount) AS amount FROM bill_lines GROUP BY number) l "
        "ON l.number = b.number WHERE COALESCE(l.amount, 0) <> b.amount LIMIT 3"
    ),
    "bills equal what was posted": (
        "SELECT b.number FROM bills b JOIN entries e ON e.document = b.number AND e.kind = 'billing' AND e.reverses IS NULL "
        "LEFT JOIN (SELECT j.entry, SUM(j.amount) AS amount FROM journal j JOIN gl_accounts g ON g.gl_account = j.gl_account "
        "AND g.role = 'receivable' GROUP BY j.entry) r ON r.entry = e.entry WHERE COALESCE(r.amount, 0) <> b.amount LIMIT 3"
    ),
    "every bill was posted": (
        "SELECT b.number FROM bills b LEFT JOIN entries e ON e.document = b.number AND e.kind = 'billing' WHERE e.entry IS NULL LIMIT 3"
    ),
    "reversals undo exactly": (
        "SELECT e.entry FROM entries e JOIN journal j ON j.entry = e.entry OR j.entry = e.reverses WHERE e.reverses IS NOT NULL "
        "GROUP BY e.entry, j.gl_account, j.account_id HAVING SUM(j.amount) <> 0 LIMIT 3"
    ),
    "one standing bill for a service and day": (
        "SELECT a.number FROM standing_bills a JOIN standing_bills b ON a.service_id = b.service_id AND a.number < b.number "
        "AND a.service_from < b.service_to AND b.service_from < a.service_to LIMIT 3"
    ),
    "batches equal their documents": (
        "SELECT t.batch FROM batches t JOIN (SELECT batch, COUNT(*) AS n, SUM(amount) AS amount FROM bills GROUP BY batch) b "
        "ON b.batch = t.batch WHERE b.n <> t.documents OR b.amount <> t.amount LIMIT 3"
    ),
}
_GAPLESS: Final = (
    ("bills", "number", "B"),
    ("payments", "payment_id", "P"),
    ("entries", "entry", "entry"),
)


def verify(store: Store) -> list[Problem]:
    """Every break found, in the office's words; an empty list is the proof."""
    found = []
    for what, query in _EMPTY.items():
        rows = store.query(query)
        if len(rows):
            found.append(_broken(what, ", ".join(str(v) for v in rows.iloc[:, 0])))
    broken = seal.broken(store.table("events"))
    if broken is not None:
        found.append(_broken("events are chained", f"event {broken}"))
    for table, column, series in _GAPLESS:
        gap = _gap(store, table, column, series)
        if gap:
            found.append(_broken(f"{table} are numbered without gaps", gap))
    return found


def _broken(what: str, where: str) -> Problem:
    return BROKEN.at(Place(table="store"), f"not so: {what} ({where})")


def _gap(store: Store, table: str, column: str, series: str) -> str:
    """Numbers given out and numbers found must be as many and reach as far; receipts taken out before posting leave a gap."""
    given = (store.value("SELECT next FROM numbers WHERE series = :s", s=series) or 1) - 1
    found = store.query(f"SELECT COUNT(*) AS count, MAX({column}) AS last FROM {table}").iloc[0]  # noqa: S608
    count = int(found["count"])
    if not count:
        return "" if not given or table == "payments" else f"{given} numbers given out, none found"
    last = int(str(found["last"]).lstrip("BP"))
    if table == "payments":
        posted = store.value(
            "SELECT COUNT(*) FROM payments WHERE state = 'posted' AND payment_id > :l", l=f"P{given:07d}"
        )
        return f"{posted} receipts beyond the last number given out" if posted else ""
    return "" if count == given == last else f"{given} numbers given out, {count} found, the last is {last}"
