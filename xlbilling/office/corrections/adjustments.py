"""Corrections typed on Adjustments: checked, taken in as open documents, and withdrawn as long as they wait."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from xlbilling.office.corrections.rebilling import number_of, rebills
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes, already_there
from xlbilling.office.desk.comparing import changes
from xlbilling.office.desk.desk import Desk, latest_day, money, today
from xlbilling.office.desk.history import content, keep_revision
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.months import Months, months_of
from xlbilling.office.desk.save import refresh_tables
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.undo import Step, keep_undo, overtaken, takes_back
from xlbilling.office.desk.views import what_waits
from xlbilling.office.document_sheets import DocumentSheet
from xlbilling.office.posting import NOT_REVERSIBLE, POSTED_ROW, entry_that_stands
from xlbilling.store import Store, Work
from xlbilling.trade.documents import ADJUSTMENT, BILL, REVERSAL
from xlbilling.trade.receipts import DAY_TO_COME, UNKNOWN_ACCOUNT
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Kind, Problem, Refusal, declare
from xlbilling.words.records import TABLE
from xlbilling.words.states import ADJUST, OPEN, REBILL, WITHDRAWN

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


@surface("adjustments")
class Adjustments(DocumentSheet):
    """Corrections of the period: typed ones are taken in as open documents, which stay as they are."""

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
    numbers = work.documents(ADJUSTMENT.letters, len(change.new))
    made = change.new.assign(adjustment_id=numbers, batch="", author=work.actor, state=OPEN, rev=1)
    made["posted_on"] = change.new["posted_on"].fillna(pd.Timestamp(_posting_day(desk, period)))
    made["period"] = months_of(made["posted_on"])
    work.insert("adjustments", made)
    event = work.event(f"Adjustments: {len(numbers)} taken in")
    typed: Any = change.new.to_dict("records")
    for number, row in zip(numbers, typed, strict=True):
        keep_revision(work, "adjustments", number, 1, event, content(row, TABLE["adjustments"].names("typed")))
    return [{"kind": "corrections", "new": numbers}]


@takes_back("corrections")
def take_back_corrections(work: Work, step: Step) -> None:
    """Withdraw corrections that were taken in; refused where one was posted since."""
    for number in step["new"]:
        withdrawn = "UPDATE adjustments SET state = :w WHERE adjustment_id = :n AND state = :open"
        if work.execute(withdrawn, n=number, w=WITHDRAWN, open=OPEN) != 1:
            raise overtaken("adjustments", number, f"correction {number} was posted since")


def incomplete(work: Work | Store, change: Changes, latest: dt.date) -> list[Problem]:
    """Typed corrections that lack something or name what cannot be corrected, each with its cell."""
    accounts = set(work.table("accounts")["account_id"])
    ledger_accounts = set(work.table("gl_accounts")["gl_account"])
    named = [number_of(d) for d in work.table("adjustments", REVERSAL.waiting)["document"]]
    found: list[Problem] = []
    for label, row in zip(change.new.index, change.new.to_dict("records"), strict=True):
        wrong = _adjustment(row, accounts, ledger_accounts) if row["kind"] == ADJUST else _reversal(work, row, named)
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
    document = number_of(row["document"]) if row["kind"] == REBILL else row["document"]
    if not document:
        return ADJUSTMENT_INCOMPLETE, "document", f"{row['kind']} names no bill or payment"
    entry = entry_that_stands(work, document)
    if entry.empty or document in named:
        return NOT_REVERSIBLE, "document", f"{document} cannot be reversed"
    if row["kind"] == REBILL and entry["kind"].iloc[0] != BILL.entry:
        return NOT_REVERSIBLE, "kind", f"{document} is no bill"
    return None


def _posting_day(desk: Desk, period: AccountingPeriod) -> Any:
    """Today where it is in the period, else the period's last day."""
    day = today(desk.store)
    return day if period.first <= day <= period.last else period.last


def adjust(desk: Desk) -> Outcome:
    """Take in typed corrections as numbered documents in the open batch."""
    desk.need_open()
    taken = take_typed(desk, "Adjust", ask=True)
    return Outcome(f"{taken} {what_waits(desk, ADJUSTMENT)[0]} {ADJUSTMENT.words} wait for {ADJUSTMENT.button}.")


def take_typed(desk: Desk, label: str, ask: bool = False) -> str:
    """Take in what is typed on Adjustments, with `ask` after a preview; the words say what happened."""
    look = Look(desk)
    look.open_month()
    typed = look.at(lambda at: changes(at, "adjustments"))
    if typed.refused or typed.conflicts:
        found = [*typed.refused, *typed.conflicts]
        raise Refusal(found[0], found)
    there = already_there([typed])
    if not typed:
        refresh_tables(desk, ["adjustments", "log"] if typed.there else [])
        return there or "Nothing new is typed on Adjustments."
    look.at(lambda at: _refuse_impossible(at, typed))
    preview = [in_words(row) for row in typed.new.to_dict("records")]
    if ask and not desk.confirm([f"Take in {len(preview)} corrections?", *preview]):
        return f"{'; '.join(preview)}. Press {label} again to take them in."
    with look.work(label.lower()) as work:
        keep_undo(work, label, write_adjustments(desk, work, typed), f"{label}: {len(typed.new)} corrections taken in")
    refresh_tables(desk, ["adjustments", "log"])
    return f"{len(typed.new)} corrections taken in. {there}".strip()


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


def in_words(row: Mapping[Any, Any]) -> str:
    """A typed correction as its preview shows it."""
    amount = "" if pd.isna(row["amount"]) else f" {money(row['amount'])}"
    return f"{row['kind']} {row['document'] or row['account_id']}{amount}: {row['reason']}"
