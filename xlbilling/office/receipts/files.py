"""Payments files: taken in once, every row a receipt or listed with its line, and taken back as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import pandas as pd

from xlbilling.intake.receipts.payment_words import PaymentWords
from xlbilling.intake.receipts.reading import Receipts, read_receipts
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, latest_day, money, policy_on, today
from xlbilling.office.desk.files import digest_of, import_key
from xlbilling.office.desk.history import keep_taken_out
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.undo import Step, keep_undo, overtaken, takes_back
from xlbilling.office.receipts.typed import insert_receipts, standing
from xlbilling.store import Work
from xlbilling.trade.receipts import NOT_PAID, PAYMENT_LIKE, alike, check, rejected, to_decide
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Place, Problem
from xlbilling.words.states import CURRENT

MOST_LINES_TOLD: Final = 6


def import_payments(desk: Desk) -> Outcome:
    """Take a payments file into the open batch of receipts; every row is taken or listed with its line."""
    look = Look(desk)
    period = look.open_month()
    refuse_unsaved(desk, ["payments", "payment_rejects"])
    words = look.at(lambda at: PaymentWords.of(policy_on(at.store, today(at.store))))
    path = desk.book.ask_file("the payments file", "PaymentsFile")
    digest = digest_of(path)
    receipts = read_receipts(path, words)
    with look.work("import_payments", lambda at: import_key(at, "payments", str(period), digest)) as work:
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
            layout="listing", rows_in=rows_in, taken=len(taken), rejected=len(listed), duplicates=0, changed=0, state=CURRENT,
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
        "SELECT COUNT(*) FROM payments WHERE import_id = :i AND (state = :posted OR (state = :open AND rev > 1))",
        i=number,
    )
    if changed:
        raise overtaken("payments", "", f"{changed} of its receipts were changed or posted since")
    event = work.event(f"Import {number} of payments taken back")
    keep_taken_out(work, "payments", work.table("payments", "import_id = :i AND state = :open", i=number), event)
    work.execute(
        "UPDATE payments SET state = :withdrawn, rev = rev + 1 WHERE import_id = :i AND state = :open", i=number
    )
    if work.execute("UPDATE imports SET state = :withdrawn WHERE import_id = :i AND state = :current", i=number) != 1:
        raise overtaken("payments", "", "the file was taken back already")
