"""Verify: prove that the store is balanced, chained, gapless and sealed, and that every bill is its lines."""

from __future__ import annotations

from typing import Final

from xlbilling.store import seal
from xlbilling.store.store import Store, Work
from xlbilling.store.views import view
from xlbilling.trade.documents import BILL, KINDS, OF_REVERSED, OPENING, REVERSAL, DocumentKind
from xlbilling.words.problems import Place, Problem, declare
from xlbilling.words.states import POSTED

BROKEN: Final = declare(
    "ledger_broken",
    "The store is not what it must be: something was changed outside the program, or lost.",
    "Stop working on it, keep it as it is, and restore the last backup beside it to compare.",
)


def _posted(kind: DocumentKind) -> str:
    """The posted documents of a kind."""
    return f"SELECT * FROM {kind.table} WHERE {kind.rows(POSTED)}"  # noqa: S608 - our own declarations


def _amount(kind: DocumentKind) -> str:
    """What a document of a kind adds to its batch: its amount; a reversal has none of its own."""
    return "0" if kind.debit == OF_REVERSED else "COALESCE(amount, 0)"


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
        "bills equal their sections",
        "number",
        "SELECT b.number FROM bills b LEFT JOIN (SELECT number, SUM(amount) AS amount FROM bill_services GROUP BY number) s "
        "ON s.number = b.number WHERE s.number IS NULL OR s.amount <> b.amount LIMIT 3",
    ),
    view(
        "sections equal their lines",
        "number",
        "SELECT s.number FROM bill_services s LEFT JOIN (SELECT number, service_id, SUM(amount) AS amount FROM bill_lines "
        "GROUP BY number, service_id) l ON l.number = s.number AND l.service_id = s.service_id "
        "WHERE COALESCE(l.amount, 0) <> s.amount LIMIT 3",
    ),
    view(
        "lines and reads are of a section of their bill",
        "number",
        "SELECT l.number FROM (SELECT number, service_id FROM bill_lines UNION ALL SELECT number, service_id FROM bill_reads) l "
        "WHERE NOT EXISTS (SELECT 1 FROM bill_services s WHERE s.number = l.number AND s.service_id = l.service_id) LIMIT 3",
    ),
    view(
        "bills equal what was posted",
        "number",
        "SELECT b.number FROM bills b JOIN entries e ON e.document = b.number AND e.kind = :bill AND e.reverses IS NULL "
        "LEFT JOIN (SELECT entry, SUM(amount) AS amount FROM receivable GROUP BY entry) r ON r.entry = e.entry "
        "WHERE COALESCE(r.amount, 0) <> b.amount LIMIT 3",
        bill=BILL.entry,
    ),
    view(
        "every bill was posted",
        "number",
        "SELECT b.number FROM bills b LEFT JOIN entries e ON e.document = b.number AND e.kind = :bill WHERE e.entry IS NULL LIMIT 3",
        bill=BILL.entry,
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
        "SELECT a.number FROM standing_bills a JOIN standing_bills b ON a.service_id = b.service_id AND a.service_to < b.service_to "
        "AND a.service_from < b.service_to AND b.service_from < a.service_to LIMIT 3",
    ),
    view(
        "batches equal their documents",
        "batch",
        "SELECT t.batch FROM batches t LEFT JOIN (SELECT batch, COUNT(*) AS n, SUM(amount) AS amount FROM ("  # noqa: S608
        + " UNION ALL ".join(f"SELECT batch, {_amount(kind)} AS amount FROM ({_posted(kind)}) p" for kind in KINDS)  # noqa: S608
        + ") posted GROUP BY batch) b ON b.batch = t.batch WHERE t.kind <> :opening "
        "AND (COALESCE(b.n, 0) <> t.documents OR COALESCE(b.amount, 0) <> t.amount) LIMIT 3",
        opening=OPENING,
    ),
    *(
        view(
            f"{kind.words} equal what was posted",
            kind.key,
            f"SELECT d.{kind.key} FROM ({_posted(kind)}) d LEFT JOIN entries e ON e.document = d.{kind.key} AND e.kind = :kind "  # noqa: S608
            f"LEFT JOIN journal j ON j.entry = e.entry AND j.line = 1 "
            "WHERE COALESCE(j.amount, 0) <> d.amount LIMIT 3",
            kind=kind.entry,
        )
        for kind in KINDS
        if kind.two_sided
    ),
    view(
        "every reversal has undone a document",
        REVERSAL.key,
        f"SELECT d.{REVERSAL.key} FROM ({_posted(REVERSAL)}) d LEFT JOIN reversals r ON r.reversed_by = d.{REVERSAL.key} "  # noqa: S608
        f"LEFT JOIN entries e ON e.document = d.{REVERSAL.key} AND e.reverses IS NOT NULL "
        "WHERE r.document IS NULL OR e.entry IS NULL LIMIT 3",
    ),
    view(
        "every entry has an author",
        "entry:int",
        "SELECT entry FROM entries WHERE author = '' OR actor = '' LIMIT 3",
    ),
    view(
        "bills that are not reversed stand",
        "number",
        "SELECT b.number FROM bill_services b LEFT JOIN standing_bills s ON s.number = b.number AND s.service_id = b.service_id "
        "AND s.service_from = b.service_from AND s.service_to = b.service_to "
        "LEFT JOIN reversals r ON r.document = b.number WHERE (s.number IS NULL) <> (r.document IS NOT NULL) LIMIT 3",
    ),
)


def _gapless() -> list[tuple[str, str, str, str]]:
    """What is numbered, in which table and column, and the letters of the series."""
    numbered: dict[tuple[str, str, str], list[str]] = {}
    for kind in KINDS:
        numbered.setdefault((kind.table, kind.key, kind.letters), []).append(kind.words)
    for kind in KINDS:
        numbered.setdefault(("batches", "batch", kind.batch_letters), []).append(f"batches of {kind.words}")
    return [(" and ".join(words), *series) for series, words in numbered.items()] + [
        ("entries", "entries", "entry", "entry")
    ]


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
    for what, table, column, series in _gapless():
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
