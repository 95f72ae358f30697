"""Posting: balanced entries and numbered batches, the one way anything reaches the journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.looking import MOVED_ON
from xlbilling.office.desk.months import Months, months_of, open_month
from xlbilling.store import Store, Work, schema
from xlbilling.trade import journal as ledger
from xlbilling.trade.documents import BILL, KINDS, OF_REVERSED, OF_ROW, DocumentKind, reversible
from xlbilling.words.problems import Conflict, Place, Refusal, declare
from xlbilling.words.states import POSTED

UNBALANCED: Final = declare(
    "unbalanced",
    "An entry's debits and credits differ; nothing was posted.",
    "Keep the workbook and the store as they are and ask for help.",
)
NOT_REVERSIBLE: Final = declare(
    "not_reversible", "The document is not posted, or is reversed already.", "Look the number up on Bills or Payments."
)
POSTED_ROW: Final = declare(
    "posted_row",
    "A posted row was typed over; posted documents stay as they are.",
    "Press Refresh, then use Adjust or Reverse.",
)
SERIES: Final = {kind.batch: kind.batch_letters for kind in KINDS}


def write_entries(work: Work, entries: pd.DataFrame, journal: pd.DataFrame) -> None:
    """Write balanced entries; one that does not balance stops the whole posting."""
    wrong = ledger.unbalanced(journal)
    if wrong:
        raise Refusal(UNBALANCED.at(None, f"entry {wrong[0]} does not balance"))
    for month in entries["period"].unique():
        open_month(work, str(month))
    work.insert("entries", entries)
    work.insert("journal", journal)


def entry_that_stands(store: Work | Store, document: str) -> pd.DataFrame:
    """The entry of a posted document that can be reversed and stands; none where there is none or it was reversed."""
    entries = store.table(
        "entries",
        "document = :d AND reverses IS NULL AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.document = entries.document)",
        d=document,
    )
    return entries.loc[[reversible(kind) for kind in entries["kind"]]]


# ---- documents of a kind ---------------------------------------------------------------------------------------------

Way: TypeAlias = Callable[[Desk, Work], list[str]]
_WAYS: Final[dict[str, Way]] = {}


def posts(kind: DocumentKind) -> Callable[[Way], Way]:
    """Declare the decorated function as what posts the waiting documents of a kind that is not just two-sided."""

    def declare_way(way: Way) -> Way:
        if kind.entry in _WAYS or kind.two_sided:
            raise ValueError(f"{kind.words} are posted in two places")
        _WAYS[kind.entry] = way
        return way

    return declare_way


def post_waiting(desk: Desk, work: Work, kind: DocumentKind) -> list[str]:
    """Post every waiting document of a kind, a batch for each month; what was posted, in words.

    `desk` reads inside the transaction. Refuses somebody whose role may not post the kind.
    """
    if kind.entry in _WAYS:
        desk.need(kind.role, f"Posting {kind.words}")
        return _WAYS[kind.entry](desk, work)
    return post_at_once(desk, work, kind, work.table(kind.table, kind.waiting))


def post_at_once(desk: Desk, work: Work, kind: DocumentKind, documents: pd.DataFrame) -> list[str]:
    """Post the waiting documents of a kind, which are these, a batch for each month; each batch in words.

    A document whose month was closed meanwhile posts on the first open day and moves to that day's month. Refuses
    somebody whose role may not post the kind, and a reversal of what does not stand.
    """
    desk.need(kind.role, f"Posting {kind.words}")
    if documents.empty:
        return []
    days = Months.of(work).posting_days(documents[kind.dated])
    documents = documents.assign(document=documents[kind.key], post_date=days)
    several = days.dt.to_period("M").nunique() > 1
    said = []
    for month, rows in documents.groupby(months_of(days)):
        amount = int(rows["amount"].sum()) if kind.two_sided else 0
        batch = write_batch(work, kind.batch, "", str(month), len(rows), amount)
        if kind.debit == OF_REVERSED:
            _turn(work, rows, str(month), batch)
        else:
            _two_sides(desk, work, kind, rows, str(month), batch)
        _mark_posted(work, kind, rows, str(month), batch)
        of_month = f" of {month}" if several else ""
        said.append(f"{batch}: {len(rows)} {kind.words}{of_month}" + (f", {money(amount)}" if kind.two_sided else ""))
    return said


def _mark_posted(work: Work, kind: DocumentKind, rows: pd.DataFrame, month: str, batch: str) -> None:
    """Let the documents be posted in their batch and month; a conflict where others wait in that month by now."""
    for key in rows.loc[rows["period"].ne(month), kind.key]:
        work.execute(f"UPDATE {kind.table} SET period = :p WHERE {kind.key} = :k", p=month, k=key)  # noqa: S608
    sets = f"UPDATE {kind.table} SET state = :posted, batch = :b WHERE {kind.waiting} AND period = :p"  # noqa: S608
    marked = work.execute(sets, posted=POSTED, b=batch, p=month)
    if marked != len(rows):
        raise Conflict(MOVED_ON.at(None, f"{marked} {kind.words} wait, {len(rows)} were looked at"))


def _two_sides(desk: Desk, work: Work, kind: DocumentKind, rows: pd.DataFrame, month: str, batch: str) -> None:
    """Write an entry for each document: its debit account against its credit account."""
    sided = rows.assign(
        debit=_side(desk, kind.debit, rows),
        credit=_side(desk, kind.credit, rows),
        amount=rows["amount"].astype("int64"),
    )
    entries = entries_of(work, sided, month, kind.entry, batch, sided["post_date"].to_numpy())
    write_entries(work, entries, ledger.pair_entries(sided, int(entries["entry"].iloc[0])))


def _side(desk: Desk, role: str, documents: pd.DataFrame) -> Any:
    """The ledger account of one side of each document: the one with the role, or the document's own."""
    return documents["gl_account"] if role == OF_ROW else desk.gl_account(role)


def _turn(work: Work, rows: pd.DataFrame, month: str, batch: str) -> None:
    """Write an entry for each reversal: of the kind of what it cancels, with its lines turned."""
    standing = [_that_stands(work, row) for row in rows.itertuples()]
    before = [int(entry["entry"]) for entry in standing]
    kinds = [str(entry["kind"]) for entry in standing]
    entries = entries_of(work, rows, month, kinds, batch, rows["post_date"].to_numpy(), before)
    lines = pd.concat([work.table("journal", "entry = :e", e=entry) for entry in before])
    write_entries(work, entries, ledger.reversal(lines, dict(zip(before, entries["entry"].tolist(), strict=True))))


def _that_stands(work: Work, row: Any) -> pd.Series[Any]:
    """The entry that a reversal cancels; refused where it does not stand."""
    entries = entry_that_stands(work, row.cancels)
    if entries.empty:
        place = Place(table="adjustments", key=row.document, column="document")
        raise Conflict(NOT_REVERSIBLE.at(place, f"{row.cancels} cannot be reversed"))
    return entries.iloc[0]


# ---- entries and batches ---------------------------------------------------------------------------------------------


def entries_of(
    work: Work,
    documents: pd.DataFrame,
    period: str,
    kind: str | list[str],
    batch: str,
    dates: Any,
    reverses: Any = None,
) -> pd.DataFrame:
    """One entry a document, numbered on in the journal's own series; posted by whoever is at work.

    `documents` has column `document`, and `author`: who typed it or took it in, the poster where that is not known.
    """
    first = work.numbers("entry", len(documents)).start
    authors = documents["author"].tolist() if "author" in documents else [""] * len(documents)
    return pd.DataFrame(
        {
            "entry": np.arange(first, first + len(documents)),
            "period": period,
            "post_date": dates,
            "kind": kind,
            "batch": batch,
            "document": documents["document"].to_numpy(),
            "reverses": pd.array([None] * len(documents) if reverses is None else reverses, dtype="Int64"),
            "author": [author or work.actor for author in authors],
            "actor": work.actor,
            "posted_at": work.at,
        }
    )


def write_batch(work: Work, kind: str, cycle: str, period: str, documents: int, amount: int) -> str:
    """Write a posted batch under the next number of its kind; the number."""
    batch = work.documents(SERIES[kind])[0]
    work.insert_one(
        "batches",
        batch=batch,
        kind=kind,
        cycle=cycle,
        period=period,
        state=POSTED,
        created_at=work.at,
        actor=work.actor,
        posted_at=work.at,
        documents=documents,
        amount=amount,
    )
    return batch


def post_bill_batch(
    work: Work, batch: str, ready: str, where: dict[str, Any], receivable: str, author: str = ""
) -> None:
    """Turn drafts into posted bills, each with one balanced entry; a million bills never leave the database.

    `ready` chooses the drafts; sections that are left out stay behind. Bills are numbered on in order of their key; the receivable is debited with the bill,
    each line's revenue account credited with the line. One entry that does not balance stops the whole posting.
    """
    count = int(work.value(f"SELECT COUNT(*) FROM draft_bills WHERE {ready}", **where))  # noqa: S608
    for month in work.query("period", f"SELECT DISTINCT period FROM draft_bills WHERE {ready}", **where)["period"]:  # noqa: S608
        open_month(work, str(month))
    given = {
        "batch": batch,
        "number": work.numbers(BILL.letters, count).start - 1,
        "entry": work.numbers("entry", count).start - 1,
        "receivable": receivable,
        "kind": BILL.entry,
        "author": author or work.actor,
        "actor": work.actor,
        "at": work.at,
    }
    for statement in _bill_statements(work, ready):
        work.execute(statement, **given, **where)
    wrong = work.value(
        "SELECT j.entry FROM journal j JOIN entries e ON e.entry = j.entry WHERE e.batch = :batch "
        "GROUP BY j.entry HAVING SUM(j.amount) <> 0 LIMIT 1",
        batch=batch,
    )
    if wrong is not None:
        raise Refusal(UNBALANCED.at(None, f"entry {wrong} does not balance"))


def _bill_statements(work: Work, ready: str) -> list[str]:
    """The statements of a batch of bills, in the order in which each needs only what is there."""
    bill = _copied("draft_bills", "bill_key", "state")
    section, line, metered = (_copied(f"draft_{of}", "bill_key", *_DRAFT_ONLY) for of in ("services", "lines", "reads"))
    return [
        f"INSERT INTO bills (number, batch, bill_key, state, {bill}) "  # noqa: S608
        f"SELECT {work.numbered(BILL.letters, ':number + place')}, :batch, bill_key, :posted, {bill} FROM "
        f"(SELECT d.*, ROW_NUMBER() OVER (ORDER BY bill_key) AS place FROM draft_bills d WHERE {ready}) ordered",
        f"INSERT INTO bill_services (number, {section}) SELECT b.number, {_of('d', section)} FROM bills b "  # noqa: S608
        "JOIN draft_services d ON d.bill_key = b.bill_key AND d.state = :draft WHERE b.batch = :batch",
        f"INSERT INTO bill_lines (number, {line}) SELECT b.number, {_of('l', line)} FROM bills b "  # noqa: S608
        "JOIN draft_lines l ON l.bill_key = b.bill_key WHERE b.batch = :batch ORDER BY b.number, l.line",
        f"INSERT INTO bill_reads (number, {metered}) SELECT b.number, {_of('r', metered)} FROM bills b "  # noqa: S608
        "JOIN draft_reads r ON r.bill_key = b.bill_key JOIN bill_services s ON s.number = b.number AND s.service_id = r.service_id "
        "WHERE b.batch = :batch",
        "INSERT INTO standing_bills (service_id, service_from, service_to, number) "
        "SELECT s.service_id, s.service_from, s.service_to, s.number FROM bills b JOIN bill_services s ON s.number = b.number "
        "WHERE b.batch = :batch",
        "INSERT INTO entries (entry, period, post_date, kind, batch, document, author, actor, posted_at) "
        "SELECT :entry + ROW_NUMBER() OVER (ORDER BY number), period, bill_date, :kind, batch, number, :author, :actor, :at "
        "FROM bills WHERE batch = :batch",
        "INSERT INTO journal (entry, line, gl_account, account_id, amount) SELECT entry, line, gl_account, account_id, amount FROM ("
        "SELECT e.entry, 0 AS line, :receivable AS gl_account, b.account_id, b.amount FROM entries e "
        "JOIN bills b ON b.number = e.document WHERE e.batch = :batch UNION ALL "
        "SELECT e.entry, l.line, l.gl_account, b.account_id, -l.amount FROM entries e JOIN bills b ON b.number = e.document "
        "JOIN bill_lines l ON l.number = b.number WHERE e.batch = :batch) posted WHERE amount <> 0 ORDER BY entry, line",
    ]


_DRAFT_ONLY: Final = ("state", "why")  # of a section while it is a draft


def _copied(table: str, *but: str) -> str:
    """The columns of a table as they are copied on, without some."""
    return ", ".join(column.name for column in schema.metadata.tables[table].columns if column.name not in but)


def _of(table: str, columns: str) -> str:
    return ", ".join(f"{table}.{name}" for name in columns.split(", "))
