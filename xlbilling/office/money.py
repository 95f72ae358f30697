"""Money: receipts and corrections taken in as documents, posted in batches, reversed by new documents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xlbilling import ledger
from xlbilling.documents import REVERSAL
from xlbilling.intake.payment_words import PaymentWords
from xlbilling.intake.receipts import Receipts, read_receipts
from xlbilling.office.buttons import Outcome
from xlbilling.office.comparing import changes
from xlbilling.office.desk import Desk, money, today
from xlbilling.office.history import TAKEN_OUT, content, keep_change, keep_revision, keep_taken_out, last_change
from xlbilling.office.importing import digest_of, import_key
from xlbilling.office.months import Months, months_of
from xlbilling.office.posting import entries_of, refuse_moved, write_batch, write_entries
from xlbilling.office.rebilling import freed_days, number_of, post_rebills, rebills, with_later
from xlbilling.office.sheets import refresh_tables, refuse_unsaved
from xlbilling.office.surface import Surface, saved, surface
from xlbilling.office.undo import Step, keep_undo, overtaken, past_undo, takes_back
from xlbilling.office.working_copy import Changes, chain_head, changed_meanwhile
from xlbilling.office.working_tables import bound
from xlbilling.periods import AccountingPeriod
from xlbilling.problems import Conflict, Kind, Place, Problem, Refusal, declare
from xlbilling.receipts import DAY_TO_COME, NOT_PAID, PAYMENT_LIKE, UNKNOWN_ACCOUNT, alike, check, rejected, to_decide
from xlbilling.store import Store, Work
from xlbilling.store.backup import backed_up

NOT_REVERSIBLE: Final = declare(
    "not_reversible", "The document is not posted, or is reversed already.", "Look the number up on Bills or Payments."
)
ADJUSTMENT_INCOMPLETE: Final = declare(
    "adjustment_incomplete",
    "A correction lacks something it needs.",
    "Fill in the marked cell and press the button again.",
)
MONTH_CLOSED: Final = declare(
    "month_closed",
    "A posting date is in a month that is closed.",
    "Date it in an open month, or leave the date blank.",
)
POSTED_ROW: Final = declare(
    "posted_row",
    "A posted row was typed over; posted documents stay as they are.",
    "Press Refresh, then use Adjust or Reverse.",
)
MOST_LINES_TOLD: Final = 6
POSTED_SHEETS: Final = [
    "payments", "payment_rejects", "adjustments", "accounts", "meters", "gl_accounts", "reads", "exceptions", "bills", "bill_lines", "cycles", "log",
]  # fmt: skip


def import_payments(desk: Desk) -> Outcome:
    """Take a payments file into the open batch of receipts; every row is taken or listed with its line."""
    period = desk.need_open()
    refuse_unsaved(desk, ["payments", "payment_rejects"])
    path = desk.book.ask_file("the payments file", "PaymentsFile")
    digest = digest_of(path)
    receipts = read_receipts(path, PaymentWords.of(desk.store.table("policy")))
    with desk.store.work(desk.actor, "import_payments", import_key(desk, "payments", str(period), digest)) as work:
        if work.done_before is not None:
            return Outcome(f"{path.name} was imported before; nothing was added. Then: {work.done_before}")
        frame = receipts.frame.assign(place=receipts.frame["source_line"].astype("str"))
        taken, refused = check(frame, work.table("accounts")["account_id"], standing(work), latest_day(desk))
        on_line = [p.on(Place(file=path.name, line=int(p.place.key))) for p in refused]
        listed = [to_decide(p) for p in (*receipts.rejects, *on_line)]
        import_id = (work.value("SELECT MAX(import_id) FROM imports") or 0) + 1
        numbers, late = insert_receipts(work, taken, import_id)
        like = _like(path.name, standing(work), dict(zip(numbers, taken["source_line"].tolist(), strict=True)))
        rows_in = len(receipts.frame) + len(receipts.rejects)
        work.insert_one(
            "imports", import_id=import_id, kind="payments", cycle="", period=str(period), file_name=path.name, digest=digest,
            layout="listing", rows_in=rows_in, taken=len(taken), rejected=len(listed), duplicates=0, changed=0, state="current",
            at=work.at, actor=work.actor,
        )  # fmt: skip
        left_out = rejected(frame, refused, receipts.unfit, receipts.as_they_came)
        _insert_rejects(work, left_out, period, import_id)
        said = (
            f"{path.name}: {rows_in} rows = {len(taken)} receipts, {money(taken['amount'].sum())} + {len(listed)} rejected. "
            f"{_deposit(receipts, int(taken['amount'].sum()))}{_to_look_at(listed, like)} {late}Press Post to post them."
        )
        keep_undo(work, "Import payments", [{"kind": "payments file", "import": import_id}], said)
    refresh_tables(desk, ["payments", "payment_rejects", "log"])
    problems = [*listed, *like, *(receipts.printed.problems if receipts.printed else ())]
    return Outcome(said, problems, listed=bool(problems))


def _deposit(receipts: Receipts, taken: int) -> str:
    """What is said of a file as a whole: its deposit, its printed totals, and what of it was not used."""
    said = (
        f"Deposit total {money(receipts.deposit)} = {money(taken)} taken + {money(receipts.deposit - taken)} rejected"
    )
    count, amount = receipts.not_come
    said += f"; {money(amount)} of {count} {'row' if count == 1 else 'rows'} did not come in" if count else ""
    unread = receipts.unread
    said += f"; {unread} {'amount' if unread == 1 else 'amounts'} cannot be read." if unread else "."
    printed = receipts.printed
    if printed and printed.agreeing:
        said += f" The printed totals agree ({_lines(printed.agreeing)})."
    if printed and printed.problems:
        said += f" Printed totals that do not agree: {_lines([p.place.line for p in printed.problems])}."
    totals = {*(printed.agreeing if printed else ()), *(p.place.line for p in (printed.problems if printed else ()))}
    others = [aside.line for aside in receipts.asides if aside.line not in totals]
    said += f" No payments, but the report's own words: {_lines(others)}." if others else ""
    said += f" Columns not used: {', '.join(receipts.unused)}." if receipts.unused else ""
    return said + (f" Day received: {receipts.dates}." if receipts.dates else "")


def _to_look_at(listed: Sequence[Problem], like: Sequence[Problem]) -> str:
    """Where the rows wait that somebody has to decide, and how many receipts may be there twice."""
    wait = sum(p.code != NOT_PAID.code for p in listed)
    said = f" {wait} rejected {'row waits' if wait == 1 else 'rows wait'} on sheet Payment rejects." if wait else ""
    return said + (f" {len(like)} receipts may be there twice (Payments, column Like)." if like else "")


def _like(file: str, there: pd.DataFrame, lines: Mapping[str, int]) -> list[Problem]:
    """Receipts of a file that no reference tells from another of the same account, day and amount."""
    numbers = list(lines)
    days = there.loc[there["payment_id"].isin(numbers), "received_on"].unique()
    near = there.loc[there["received_on"].isin(days)]
    told = dict(zip(near["payment_id"], alike(near), strict=True))
    return [
        PAYMENT_LIKE.at(Place(file=file, line=lines[number]), f"receipt {number} may be {told[number]} once more")
        for number in numbers
        if told[number]
    ]


def _lines(lines: Sequence[int]) -> str:
    """Lines of a file as a person reads them, the first few by number."""
    shown = ", ".join(map(str, lines[:MOST_LINES_TOLD])) + (", ..." if len(lines) > MOST_LINES_TOLD else "")
    return f"line{'s' if len(lines) > 1 else ''} {shown}"


def standing(work: Work | Store) -> pd.DataFrame:
    """The receipts there are; one that was taken back is none, though it keeps its number."""
    return work.table("payments", "state <> 'withdrawn'")


def insert_receipts(work: Work, taken: pd.DataFrame, import_id: int | None) -> tuple[list[str], str]:
    """Write receipts as open documents under the next numbers, each in the month it posts in; what is said of late ones."""
    numbers = work.documents("P", len(taken))
    days = Months.of(work).posting_days(taken["received_on"])
    made = taken.assign(payment_id=numbers, batch="", period=months_of(days), state="open", rev=1)
    made["import_id"] = pd.array([import_id] * len(taken), dtype="Int64")
    work.insert("payments", made)
    late = days.ne(taken["received_on"])
    said = (
        f"{int(late.sum())} of a closed month post on {days[late].iloc[0]:%Y-%m-%d}; the day they came stays. "
        if late.any()
        else ""
    )
    return numbers, said


def latest_day(desk: Desk) -> dt.date:
    """The last day money can have come: today, or the end of the month on Start where that is later."""
    return max(today(desk.store), desk.period.last)


def _insert_rejects(work: Work, rows: pd.DataFrame, period: AccountingPeriod, import_id: int) -> None:
    """Write the rows of a file that were not taken, to be decided on Payment rejects."""
    names = str(import_id) + ":" + rows["source_line"].astype("str")
    made = rows.assign(reject_id=names, import_id=import_id, period=str(period), decided_by="", decided_at="", rev=1)
    work.insert("payment_rejects", made.assign(payment_id=""))


@takes_back("payments file")
def withdraw_file(work: Work, step: Step) -> None:
    """Take an imported payments file back; refused where one of its receipts was posted or changed, or a reject decided."""
    number = step["import"]
    decided = work.value(
        "SELECT COUNT(*) FROM payment_rejects WHERE import_id = :i AND decided_by <> ''",
        i=number,
    )
    if decided:
        raise overtaken("payment_rejects", "", f"{decided} of its rejected rows were decided on Payment rejects since")
    changed = work.value(
        "SELECT COUNT(*) FROM payments WHERE import_id = :i AND (state = 'posted' OR (state = 'open' AND rev > 1))",
        i=number,
    )
    if changed:
        raise overtaken("payments", "", f"{changed} of its receipts were changed or posted since")
    event = work.event(f"Import {number} of payments taken back")
    keep_taken_out(work, "payments", work.table("payments", "import_id = :i AND state = 'open'", i=number), event)
    work.execute(
        "UPDATE payments SET state = 'withdrawn', rev = rev + 1 WHERE import_id = :i AND state = 'open'", i=number
    )
    if work.execute("UPDATE imports SET state = 'withdrawn' WHERE import_id = :i AND state = 'current'", i=number) != 1:
        raise overtaken("payments", "", "the file was taken back already")


@surface("payments")
class Payments(Surface):
    """Receipts of the period: open ones may be typed and changed, posted ones stay as they are."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        receipts = desk.store.view("receipts_of_period", p=str(desk.period))
        receipts["state"] = receipts["state"].where(receipts["reversed"].eq(""), "reversed")
        like = alike(receipts.loc[receipts["state"].ne("reversed")]).reindex(receipts.index, fill_value="")
        return receipts.assign(like=like.where(receipts["state"].eq("open"), ""))

    def stored(self, desk: Desk) -> pd.DataFrame:
        return desk.store.view("receipts_of_period", p=str(desk.period))

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Receipts that were taken back."""
        back = desk.store.table("payments", "state = 'withdrawn'")
        back = back.loc[back["payment_id"].isin(keys)]
        return back.assign(actor=[last_change(desk.store, "payments", number)[0] for number in back["payment_id"]])

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Receipts of another period."""
        other = desk.store.table("payments", "period <> :p AND state <> 'withdrawn'", p=str(desk.period))
        return other.loc[other["payment_id"].isin(keys)]

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write typed receipts: new ones get a number, open ones may be changed, posted ones may not."""
        for label, row, old in change.pairs():
            if old["state"] != "open":
                place = change.place(label, "payment_id")
                raise Refusal(POSTED_ROW.at(place, f"receipt {row['payment_id']} is {old['state']}"))
        _refuse_unfit(work, change, latest_day(desk))
        numbers = insert_receipts(work, change.new, None)[0] if len(change.new) else []
        event = work.event(f"Payments: {len(numbers)} new, {len(change.changed)} changed")
        typed, changed = self.declared.names("typed"), []
        new: Any = change.new.to_dict("records")
        added = [
            {"payment": n, "written": {t: bound(row[t]) for t in typed}} for n, row in zip(numbers, new, strict=True)
        ]
        for label, row, old in change.pairs():
            number = row["payment_id"]
            if not work.update("payments", {"payment_id": number}, int(old["rev"]), {n: bound(row[n]) for n in typed}):
                raise changed_meanwhile(desk, change, label, number)
            keep_change(work, "payments", number, event, old, row, typed)
            written, before = ({n: bound(values[n]) for n in typed} for values in (row, old))
            changed.append({"payment": number, "written": written, "before": before})
        return [{"kind": "receipts", "new": added, "changed": changed}]


def _refuse_unfit(work: Work, change: Changes, latest: dt.date) -> None:
    """Refuse typed receipts of accounts that are not known, of a day to come, or there already."""
    rows = pd.concat([change.new, change.changed])
    rows = rows.assign(place=[str(label) for label in rows.index]).reset_index(drop=True)
    earlier = standing(work)
    earlier = earlier.loc[~earlier["payment_id"].isin(change.changed["payment_id"])]
    _, refused = check(rows, work.table("accounts")["account_id"], earlier, latest)
    if refused:
        told = [p.on(change.place(int(p.place.key), p.place.column)) for p in refused]
        raise Refusal(told[0], told)


@takes_back("receipts")
def take_back_receipts(work: Work, step: Step) -> None:
    """Withdraw typed receipts and give changed ones their earlier values; refused where one was posted or changed since."""
    event = work.event(f"Payments: {len(step['new'])} withdrawn, {len(step['changed'])} put back")
    for receipt in step["new"]:
        rev = _as_written(work, receipt)
        work.update("payments", {"payment_id": receipt["payment"]}, rev, {"state": "withdrawn"})
        keep_revision(work, "payments", receipt["payment"], rev + 1, event, TAKEN_OUT)
    for receipt in step["changed"]:
        rev, before = _as_written(work, receipt), receipt["before"]
        work.update("payments", {"payment_id": receipt["payment"]}, rev, before)
        keep_revision(work, "payments", receipt["payment"], rev + 1, event, content(before, list(before)))


def _as_written(work: Work, receipt: Mapping[str, Any]) -> int:
    """The revision of a receipt that is open and as it was written; refused where it is not."""
    number, written = receipt["payment"], receipt["written"]
    row = work.table("payments", "payment_id = :n AND state = 'open'", n=number)
    if row.empty or any(bound(row[name].iloc[0]) != value for name, value in written.items()):
        raise overtaken("payments", number, f"receipt {number} was changed or posted since")
    return int(row["rev"].iloc[0])


@surface("adjustments")
class Adjustments(Surface):
    """Corrections of the period: typed ones are taken in as open documents, which stay as they are."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return desk.store.table("adjustments", "period = :p AND state <> 'withdrawn'", p=str(desk.period))

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        back = desk.store.table("adjustments", "state = 'withdrawn'")
        return back.loc[back["adjustment_id"].isin(keys)].assign(actor="")

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Corrections of another period."""
        other = desk.store.table("adjustments", "period <> :p AND state <> 'withdrawn'", p=str(desk.period))
        return other.loc[other["adjustment_id"].isin(keys)]

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        return write_adjustments(desk, work, change)


def write_adjustments(desk: Desk, work: Work, change: Changes) -> list[Step]:
    """Write corrections typed on Adjustments as open documents; posted ones stay as they are."""
    period = desk.need_open()
    for label, row, _ in change.pairs():
        fact = f"{row['adjustment_id']} is taken in already; undo it, or correct it with another"
        raise Refusal(POSTED_ROW.at(change.place(label, "adjustment_id"), fact))
    told = incomplete(work, change, latest_day(desk))
    if told:
        raise Refusal(told[0], told)
    numbers = work.documents("A", len(change.new))
    made = change.new.assign(adjustment_id=numbers, batch="", state="open", rev=1)
    made["posted_on"] = change.new["posted_on"].fillna(pd.Timestamp(_posting_day(desk, period)))
    made["period"] = months_of(made["posted_on"])
    work.insert("adjustments", made)
    work.event(f"Adjustments: {len(numbers)} taken in")
    return [{"kind": "corrections", "new": numbers}]


@takes_back("corrections")
def take_back_corrections(work: Work, step: Step) -> None:
    """Withdraw corrections that were taken in; refused where one was posted since."""
    for number in step["new"]:
        withdrawn = "UPDATE adjustments SET state = 'withdrawn' WHERE adjustment_id = :n AND state = 'open'"
        if work.execute(withdrawn, n=number) != 1:
            raise overtaken("adjustments", number, f"correction {number} was posted since")


def incomplete(work: Work | Store, change: Changes, latest: dt.date) -> list[Problem]:
    """Typed corrections that lack something or name what cannot be corrected, each with its cell."""
    accounts = set(work.table("accounts")["account_id"])
    ledger_accounts = set(work.table("gl_accounts")["gl_account"])
    named = [number_of(d) for d in work.table("adjustments", "state = 'open' AND kind <> 'adjust'")["document"]]
    found: list[Problem] = []
    for label, row in zip(change.new.index, change.new.to_dict("records"), strict=True):
        wrong = _adjustment(row, accounts, ledger_accounts) if row["kind"] == "adjust" else _reversal(work, row, named)
        day = row["posted_on"]
        if wrong is None and pd.notna(day):
            wrong = _posting_date(work, day.date(), latest)
        if wrong is not None:
            kind, column, fact = wrong
            found.append(kind.at(change.place(int(label), column), fact))
        named.append(number_of(row["document"]))
    return found


def _posting_date(work: Work | Store, day: dt.date, latest: dt.date) -> tuple[Kind, str, str] | None:
    """What is wrong with a typed posting date: its month is closed, or it is yet to come."""
    if not Months.of(work).takes(AccountingPeriod.of(day)):
        return MONTH_CLOSED, "posted_on", f"{AccountingPeriod.of(day)} is closed"
    return (DAY_TO_COME, "posted_on", f"{day:%Y-%m-%d} is after {latest:%Y-%m-%d}") if day > latest else None


def _adjustment(row: Mapping[Any, Any], accounts: set[str], ledger_accounts: set[str]) -> tuple[Kind, str, str] | None:
    """What an adjustment lacks: a known account, an amount, a ledger account."""
    if row["account_id"] not in accounts:
        return UNKNOWN_ACCOUNT, "account_id", f"account {row['account_id']!r} is not known"
    if pd.isna(row["amount"]) or not row["amount"]:
        return ADJUSTMENT_INCOMPLETE, "amount", f"the adjustment of account {row['account_id']} has no amount"
    if row["gl_account"] not in ledger_accounts:
        fact = f"ledger account {row['gl_account']!r} is not on sheet GL accounts"
        return ADJUSTMENT_INCOMPLETE, "gl_account", fact
    return None


def _reversal(work: Work | Store, row: Mapping[Any, Any], named: list[str]) -> tuple[Kind, str, str] | None:
    """Why a document cannot be reversed: none named, not posted, reversed or named already, or no bill to bill anew."""
    document = number_of(row["document"]) if row["kind"] == "rebill" else row["document"]
    if not document:
        return ADJUSTMENT_INCOMPLETE, "document", f"{row['kind']} names no bill or payment"
    entry = _reversible(work, document)
    if entry.empty or document in named:
        return NOT_REVERSIBLE, "document", f"{document} cannot be reversed"
    if row["kind"] == "rebill" and entry["kind"].iloc[0] != "billing":
        return NOT_REVERSIBLE, "kind", f"{document} is no bill"
    return None


def _reversible(work: Work | Store, document: str) -> pd.DataFrame:
    """The entry of a posted document that stands; none where there is no such document or it was reversed."""
    return work.query(
        "SELECT e.* FROM entries e WHERE e.document = :d AND e.kind IN ('billing', 'payment', 'adjustment') AND e.reverses IS NULL "
        "AND NOT EXISTS (SELECT 1 FROM reversals r WHERE r.document = e.document)",
        d=document,
    )


def _posting_day(desk: Desk, period: AccountingPeriod) -> Any:
    """Today where it is in the period, else the period's last day."""
    day = today(desk.store)
    return day if period.first <= day <= period.last else period.last


def adjust(desk: Desk) -> Outcome:
    """Take in typed corrections as numbered documents in the open batch."""
    desk.need_open()
    taken = _take_typed(desk, "Adjust", ask=True)
    waiting = desk.store.query("SELECT COUNT(*) AS count FROM adjustments WHERE state = 'open' AND kind = 'adjust'")
    return Outcome(f"{taken} {int(waiting['count'].iloc[0])} adjustments wait for Post.")


def _take_typed(desk: Desk, label: str, ask: bool = False) -> str:
    """Take in what is typed on Adjustments, with `ask` after a preview; the words say what happened."""
    typed = changes(desk, "adjustments")
    if typed.refused or typed.conflicts:
        found = [*typed.refused, *typed.conflicts]
        raise Refusal(found[0], found)
    if not typed:
        return "Nothing new is typed on Adjustments."
    _refuse_impossible(desk, typed)
    preview = [_in_words(row) for row in typed.new.to_dict("records")]
    if ask and not desk.confirm([f"Take in {len(preview)} corrections?", *preview]):
        return f"{'; '.join(preview)}. Press {label} again to take them in."
    with desk.store.work(desk.actor, label.lower()) as work:
        keep_undo(work, label, write_adjustments(desk, work, typed), f"{label}: {len(typed.new)} corrections taken in")
    refresh_tables(desk, ["adjustments", "log"])
    return f"{len(typed.new)} corrections taken in."


def _refuse_impossible(desk: Desk, typed: Changes) -> None:
    """Refuse a typed rebill that cannot be worked out, at its cell, before it is taken in."""
    period = desk.need_open()
    told = incomplete(desk.store, typed, latest_day(desk))
    if told:
        raise Refusal(told[0], told)
    dated = typed.new["posted_on"].fillna(pd.Timestamp(_posting_day(desk, period)))
    rows = typed.new.assign(posted_on=dated, adjustment_id=[str(label) for label in typed.new.index])
    try:
        rebills(desk, rows, period)
    except Refusal as refusal:
        problem = refusal.problem
        if problem.place.table != "adjustments":
            raise
        raise Refusal(problem.on(typed.place(int(problem.place.key), problem.place.column))) from None


def _in_words(row: Mapping[Any, Any]) -> str:
    """A typed correction as its preview shows it."""
    amount = "" if pd.isna(row["amount"]) else f" {money(row['amount'])}"
    return f"{row['kind']} {row['document'] or row['account_id']}{amount}: {row['reason']}"


def reverse(desk: Desk) -> Outcome:
    """Post the typed reversals: each cancels a posted document by a new entry, and a rebill frees its days to be billed."""
    period = desk.need_open()
    refuse_unsaved(desk, [name for name in saved() if name != "adjustments"])
    taken = _take_typed(desk, "Reverse")
    waiting = desk.store.table("adjustments", REVERSAL.waiting)
    if waiting.empty:
        return Outcome(f"{taken} Nothing waits to be reversed.")
    head = chain_head(desk)
    made = rebills(desk, waiting, period)
    preview = [
        *(_in_words(row) for row in waiting.to_dict("records")),
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
    entry = _reversible(work, document)
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
