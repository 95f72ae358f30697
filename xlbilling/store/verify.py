"""Verify: prove that the store is balanced, chained, gapless and sealed, and that every bill is its lines."""

from __future__ import annotations

from typing import Final

from xlbilling.problems import Place, Problem, declare
from xlbilling.states import POSTED
from xlbilling.store import seal
from xlbilling.store.store import Store, Work
from xlbilling.store.views import view

BROKEN: Final = declare(
    "ledger_broken",
    "The store is not what it must be: something was changed outside the program, or lost.",
    "Stop working on it, keep it as it is, and restore the last backup beside it to compare.",
)

# What must not be: each view lists the first rows that break the sentence it is named by.
_PROOFS: Final = (
    view(
        "entries balance",
        "entry:int",
        "SELECT entry FROM journal GROUP BY entry HAVING SUM(amount) <> 0 LIMIT 3",
    ),
    view(
        "every entry has its lines",
        "entry:int",
        "SELECT e.entry FROM entries e WHERE NOT EXISTS (SELECT 1 FROM journal j WHERE j.entry = e.entry) "
        "AND EXISTS (SELECT 1 FROM bills b WHERE b.number = e.document AND b.amount <> 0) LIMIT 3",
    ),
    view(
        "no lines without an entry",
        "entry:int",
        "SELECT j.entry FROM journal j LEFT JOIN entries e ON e.entry = j.entry WHERE e.entry IS NULL LIMIT 3",
    ),
    view(
        "bills equal their lines",
        "number",
        "SELECT b.number FROM bills b LEFT JOIN (SELECT number, SUM(amount) AS amount FROM bill_lines GROUP BY number) l "
        "ON l.number = b.number WHERE COALESCE(l.amount, 0) <> b.amount LIMIT 3",
    ),
    view(
        "bills equal what was posted",
        "number",
        "SELECT b.number FROM bills b JOIN entries e ON e.document = b.number AND e.kind = 'billing' AND e.reverses IS NULL "
        "LEFT JOIN (SELECT entry, SUM(amount) AS amount FROM receivable GROUP BY entry) r ON r.entry = e.entry "
        "WHERE COALESCE(r.amount, 0) <> b.amount LIMIT 3",
    ),
    view(
        "every bill was posted",
        "number",
        "SELECT b.number FROM bills b LEFT JOIN entries e ON e.document = b.number AND e.kind = 'billing' WHERE e.entry IS NULL LIMIT 3",
    ),
    view(
        "reversals undo exactly",
        "entry:int",
        "SELECT e.entry FROM entries e JOIN journal j ON j.entry = e.entry OR j.entry = e.reverses WHERE e.reverses IS NOT NULL "
        "GROUP BY e.entry, j.gl_account, j.account_id HAVING SUM(j.amount) <> 0 LIMIT 3",
    ),
    view(
        "one standing bill for a service and day",
        "number",
        "SELECT a.number FROM standing_bills a JOIN standing_bills b ON a.service_id = b.service_id AND a.number < b.number "
        "AND a.service_from < b.service_to AND b.service_from < a.service_to LIMIT 3",
    ),
    view(
        "batches equal their documents",
        "batch",
        "SELECT t.batch FROM batches t LEFT JOIN (SELECT batch, COUNT(*) AS n, SUM(amount) AS amount FROM ("
        "SELECT batch, amount FROM bills UNION ALL SELECT batch, amount FROM payments WHERE state = :posted UNION ALL "
        "SELECT batch, COALESCE(amount, 0) FROM adjustments WHERE state = :posted AND kind = 'adjust') posted GROUP BY batch) b "
        "ON b.batch = t.batch WHERE t.kind IN ('bills', 'payments', 'adjustments') "
        "AND (COALESCE(b.n, 0) <> t.documents OR COALESCE(b.amount, 0) <> t.amount) LIMIT 3",
        posted=POSTED,
    ),
    view(
        "receipts equal what was posted",
        "payment_id",
        "SELECT p.payment_id FROM payments p LEFT JOIN entries e ON e.document = p.payment_id AND e.kind = 'payment' "
        "LEFT JOIN (SELECT entry, SUM(amount) AS amount FROM journal WHERE amount > 0 GROUP BY entry) j ON j.entry = e.entry "
        "WHERE p.state = :posted AND COALESCE(j.amount, 0) <> p.amount LIMIT 3",
        posted=POSTED,
    ),
    view(
        "bills that are not reversed stand",
        "number",
        "SELECT b.number FROM bills b LEFT JOIN standing_bills s ON s.number = b.number "
        "LEFT JOIN reversals r ON r.document = b.number WHERE (s.number IS NULL) <> (r.document IS NOT NULL) LIMIT 3",
    ),
)
_GAPLESS: Final = (  # what is numbered, in which table and column, and the letters of the series
    ("bills", "bills", "number", "B"),
    ("receipts", "payments", "payment_id", "P"),
    ("corrections", "adjustments", "adjustment_id", "A"),
    ("batches of bills", "batches", "batch", "BL"),
    ("batches of receipts", "batches", "batch", "PY"),
    ("batches of adjustments", "batches", "batch", "AJ"),
    ("batches of reversals", "batches", "batch", "RV"),
    ("entries", "entries", "entry", "entry"),
)


def verify(store: Store | Work) -> list[Problem]:
    """Every break found, in the office's words; an empty list is the proof. A work is proved before it is written."""
    found = []
    apart = store.differences()
    if apart:
        found.append(_broken("tables, checks and triggers are as they were made", "; ".join(apart[:3])))
    for what in _PROOFS:
        rows = store.view(what)
        if len(rows):
            found.append(_broken(what, ", ".join(str(v) for v in rows.iloc[:, 0])))
    broken = seal.broken(store.table("events"))
    if broken is not None:
        found.append(_broken("events are chained", f"event {broken}"))
    for what, table, column, series in _GAPLESS:
        gap = _gap(store, table, column, series)
        if gap:
            found.append(_broken(f"{what} are numbered without gaps", gap))
    return found


def _broken(what: str, where: str) -> Problem:
    return BROKEN.at(Place(table="store"), f"not so: {what} ({where})")


def _gap(store: Store | Work, table: str, column: str, series: str) -> str:
    """Numbers given out and numbers found must be as many and reach as far; a withdrawn document keeps its number."""
    given = (store.value("SELECT next FROM numbers WHERE series = :s", s=series) or 1) - 1
    letters = "" if series == "entry" else series
    mine = f" WHERE {column} LIKE '{letters}_______'" if letters else ""
    count = int(store.value(f"SELECT COUNT(*) FROM {table}{mine}"))  # noqa: S608
    last = int(str(store.value(f"SELECT MAX({column}) FROM {table}{mine}")).removeprefix(letters)) if count else 0  # noqa: S608
    return "" if count == given == last else f"{given} numbers given out, {count} found, the last is {last}"
