"""Start: today's list, the money of the period and where each cycle stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.filling import on_start
from xlbilling.office.desk.views import STILL_HOLDS, open_payment_rejects, run_states, what_waits
from xlbilling.office.reads.rejects import open_rejects
from xlbilling.store.views import view as declare_view
from xlbilling.trade.documents import BILL, KINDS, POST, Control, shown_as
from xlbilling.words.records import TABLE
from xlbilling.words.states import COMPUTED, DONE, DRAFT, HELD, OPEN, READS_IN, WAITING
from xlbilling.workbook.named_cells import FIXED_ROWS


@on_start
def fill(desk: Desk) -> None:
    """Fill the Start sheet for the period and the cycle on it."""
    figures = period_figures(desk)
    desk.book.put("Actor", f"{desk.actor} ({desk.role or 'no role'})")
    for name in ("Receivable", "Billed", "Received", "Adjusted"):
        desk.book.put(name, figures[name.lower()] / 100)
    waiting = _waiting(desk)
    desk.book.put("OpenExceptions", int(waiting["exceptions"]))
    desk.book.put("HeldBills", int(waiting["held"]))
    batches = [kind for kind in KINDS if kind != BILL and what_waits(desk, kind)[0]]
    desk.book.put("UnpostedBatches", len(batches) + int(waiting["runs"]))
    desk.book.write("today", _today(desk, waiting))
    desk.book.write("runs", _runs(desk))
    desk.book.write("months", _months(desk))


def period_figures(desk: Desk) -> dict[str, int]:
    """The period's billed, received and adjusted amounts and the whole receivable, in cents."""
    month = {"first": str(desk.period), "last": str(desk.period)}
    owed = desk.store.view("owed_by_month", **month)
    whole = desk.store.view("owed_in_all")["amount"].iloc[0]
    return {
        "receivable": int(whole),
        "billed": _shown(owed, "billed"),
        "received": -_shown(owed, "received"),
        "adjusted": _shown(owed, "adjusted"),
    }


def _shown(owed: pd.DataFrame, line: Control) -> int:
    """What the kinds of documents that show in a line of the control come to, in cents."""
    return int(owed.loc[owed["kind"].isin(shown_as(line)), "amount"].sum())


declare_view(
    "waits",
    "exceptions:int blocking:int held:int runs:int",
    f"""
    SELECT
      (SELECT COUNT(*) FROM exceptions e WHERE period = :p AND state = :open AND severity <> 'info'
        AND {STILL_HOLDS}) AS exceptions,
      (SELECT COUNT(*) FROM exceptions e WHERE period = :p AND state = :open AND severity = 'block'
        AND {STILL_HOLDS}) AS blocking,
      (SELECT COUNT(*) FROM draft_bills WHERE period = :p AND state = :held) AS held,
      (SELECT COUNT(DISTINCT cycle) FROM draft_bills WHERE period = :p AND state = :draft) AS runs
    """,  # noqa: S608
    open=OPEN,
    held=HELD,
    draft=DRAFT,
)


def _waiting(desk: Desk) -> dict[str, Any]:
    """What waits in the period: counts and amounts."""
    one = desk.store.view("waits", p=str(desk.period))
    return {str(name): int(value) for name, value in one.iloc[0].items()}


_Line: TypeAlias = tuple[str, str, int | None, int | None, str, str, str]
_LINE: Final = ["what", "state", "count", "amount", "who", "button", "go_to"]


def _today(desk: Desk, waiting: dict[str, Any]) -> pd.DataFrame:
    """Today's list: what waits, for whom, which button and which sheet."""
    lost, lost_amount, _ = open_payment_rejects(desk)
    lines: list[_Line] = []
    for what, count, amount, who, button, sheet in (
        ("Findings that hold a bill", waiting["blocking"], None, "clerk", "Validate", "Exceptions"),
        ("Findings to look at", waiting["exceptions"] - waiting["blocking"], None, "clerk", "", "Exceptions"),
        ("Rejected rows of read files", open_rejects(desk), None, "clerk", "Save", "Rejects"),
        ("Bills held", waiting["held"], None, "clerk", "Compute", "Bills"),
        ("Rejected payments", lost, lost_amount, "clerk", "Save", "Payment rejects"),
        *_to_post(desk),
    ):
        state = OPEN if count else DONE
        lines.append((what, state, count, amount, who if count else "", button if count else "", sheet))
    period = desk.store.value("SELECT state FROM periods WHERE period = :p", p=str(desk.period)) or "not opened"
    who, button = ("lead", "Close month") if period == OPEN else ("", "")
    lines.append((f"Accounting period {desk.period}", period, None, None, who, button, "Close"))
    made = pd.DataFrame([*fitting(_cycles(desk), FIXED_ROWS["today"] - len(lines)), *lines], columns=_LINE)
    return made.astype({"count": "Int64", "amount": "Int64"})


def _cycles(desk: Desk) -> list[_Line]:
    """Where each cycle of the period stands, and the button that comes next."""
    lines: list[_Line] = []
    run: Any
    for run in run_states(desk).itertuples():
        if run.period == str(desk.period):
            button = {WAITING: "Import reads", READS_IN: "Validate", COMPUTED: "Audit, Post"}.get(run.state, "")
            sheet = "Reads" if run.state == WAITING else "Bills"
            lines.append(
                (f"Cycle {run.cycle}", run.state, int(run.services), None, "clerk" if button else "", button, sheet)
            )
    return lines


def fitting(cycles: list[_Line], room: int) -> list[_Line]:
    """The cycles that fit on Start: all, or those with work first and then how many more there are."""
    if len(cycles) <= room:
        return cycles
    shown = sorted(cycles, key=lambda line: not line[5])[: room - 1]
    rest = [line for line in cycles if line not in shown]
    at_work = sum(bool(line[5]) for line in rest)
    return [
        *shown,
        (f"{len(rest)} more cycles", f"{at_work} wait", None, None, "clerk" if at_work else "", "", "Cycles"),
    ]


def _to_post(desk: Desk) -> Iterator[tuple[str, int, int | None, str, str, str]]:
    """What waits of each kind of document: what, how many, cents, for whom, which button and which sheet.

    Drafts are those of the period; a reversal has no amount of its own.
    """
    for kind in KINDS:
        months = {"first": str(desk.period), "last": str(desk.period)} if kind.drafts else {}
        count, amount = what_waits(desk, kind, **months)
        cents = amount if kind.button == POST else None
        sheet = TABLE[kind.table].sheet.name
        yield f"{kind.waiting_words.capitalize()} to post", count, cents, kind.role, kind.button, sheet


def _runs(desk: Desk) -> pd.DataFrame:
    """The runs of the period and the next ones, with their dates."""
    states = run_states(desk)
    dates = desk.store.table("cycles")[["cycle", "period", "bill_date", "due_date"]]
    made = states.merge(dates, on=["cycle", "period"])
    made = made.loc[made["period"].ge(str(desk.period))].head(8)
    made["to_bill"] = (made["services"] - made["billed"] - made["held"]).clip(lower=0)
    made["cycle"] = made["cycle"] + " " + made["period"]
    return made[["cycle", "bill_date", "due_date", "state", "billed", "held", "to_bill"]].reset_index(drop=True)


def _months(desk: Desk) -> pd.DataFrame:
    """Billed and received of the twelve months up to the period."""
    owed = desk.store.view("owed_by_month", first=str(desk.period.plus(-11)), last=str(desk.period))
    by_month = [owed.loc[owed["period"].eq(str(desk.period.plus(n)))] for n in range(-11, 1)]
    return pd.DataFrame(
        {
            "period": [str(desk.period.plus(n)) for n in range(-11, 1)],
            "billed": pd.array([_shown(month, "billed") for month in by_month], dtype="Int64"),
            "received": pd.array([-_shown(month, "received") for month in by_month], dtype="Int64"),
        }
    )
