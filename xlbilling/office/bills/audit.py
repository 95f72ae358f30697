"""Auditing: the audit sheet written with live formulas, recalculated by a spreadsheet application and read back."""

from __future__ import annotations

import hashlib
import math
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, billed_anew, money
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import saved
from xlbilling.store.views import view as declare_view
from xlbilling.trade.audit import AuditColumns, RatesSheet, columns
from xlbilling.trade.inputs import inputs
from xlbilling.trade.tariffs import rate_book
from xlbilling.words.exact import cell_number
from xlbilling.words.problems import Place, Problem, declare
from xlbilling.words.states import DRAFT, GREEN, HELD, LEFT, NOT_RECALCULATED, POSTED, RED, WAITS
from xlbilling.workbook.port import ExtraColumn

# The bills of a run that stand: those of its own month, and those that were billed anew in their place in a later one.
_OF_RUN: Final = "FROM standing WHERE (cycle = :c AND period = :p) OR cycle = :anew"
AUDIT_DIFFERS: Final = declare(
    "audit_differs",
    "The sheet's formulas and the bill do not agree.",
    "Explain the bill, correct what is wrong, compute and audit again.",
)


def audit(desk: Desk) -> Outcome:
    """Write the audit sheet, have it recalculated, and read the difference back; green only at 0.00 on every row."""
    refuse_unsaved(desk, saved())
    look = Look(desk)
    run = desk.run
    audited = look.at(lambda inside: bills_digest(inside, run.cycle, run.period))
    rows = outcomes(desk)
    desk.book.progress("Writing formulas", 0, 3)
    desk.book.write("rates", desk.store.table("rates"))
    made = _columns(desk, rows)
    frame = rows[["service_id", "outcome", "reason", "billed"]].assign(recomputed=0, difference=0)
    is_billed = rows["outcome"].eq("billed")
    difference = ["=ROUND({billed}-{recomputed},2)" if billed else "" for billed in is_billed]
    desk.book.write("audit", frame, {"recomputed": made.recomputed, "difference": difference}, _extra(made))
    desk.book.progress("Recalculating", 1, 3)
    application = desk.book.recalculate()
    problems = _read_back(desk, rows) if application else []
    state = NOT_RECALCULATED if not application else RED if problems else GREEN
    total = int(sum(abs(int(p.place.line)) for p in problems)) if problems else 0
    counts = rows["outcome"].value_counts()
    said = (
        f"Audit of {run}: {len(rows)} active services = {counts.get('billed', 0)} billed, {money(rows['billed'].sum())} + "
        f"{counts.get('held', 0)} held + {counts.get('not due', 0)} not due{_unbilled(counts.get('no bill', 0))}. {_WORDS[state]}"
    )
    with look.work("audit") as work:
        work.insert_one(
            "audits", audit_id=(work.value("SELECT MAX(audit_id) FROM audits") or 0) + 1, cycle=run.cycle, period=run.period,
            inputs=audited, state=state, difference=total if application else None,
            lines=len(rows), recalculated_by="a spreadsheet application" if application else "", at=work.at, actor=work.actor,
        )  # fmt: skip
        work.event(said)
    desk.book.put("AuditState", f"{state}: {run.cycle} {run.period}")
    refresh_tables(desk, ["log"])
    desk.book.show("Audit")
    return Outcome(said, problems, listed=bool(problems))


def _unbilled(count: int) -> str:
    return f" + {count} WITHOUT A BILL" if count else ""


_WORDS: Final = {
    GREEN: "Every row agrees with the sheet's own formulas: difference 0.00.",
    RED: "Rows differ; they are listed.",
    NOT_RECALCULATED: "Not recalculated: open the workbook in Excel or LibreOffice and press Audit there.",
}


declare_view(
    "left_of_run",
    "service_id number",
    """
    SELECT s.service_id, MAX(b.number) AS number FROM services s JOIN bills b ON b.account_id = s.account_id
    WHERE s.cycle = :c AND s.status = 'active' AND ((b.cycle = :c AND b.period = :p) OR b.cycle = :anew)
      AND EXISTS (SELECT 1 FROM standing_bills t WHERE t.number = b.number)
      AND NOT EXISTS (SELECT 1 FROM standing t WHERE t.service_id = s.service_id
        AND ((t.cycle = :c AND t.period = :p) OR t.cycle = :anew))
    GROUP BY s.service_id
    """,
)


def outcomes(desk: Desk) -> pd.DataFrame:
    """Each active service of the run as billed, held with its reason, or not due, with what it is billed from.

    A service that its account's bill went without is not due: its days go on the next bill.

    One that is none of these has no bill: that is for the lead to see.
    """
    run = desk.run
    services = desk.store.table("services", "cycle = :c AND status = 'active'", c=run.cycle)
    columns_ = (
        "service_id, tariff, customer_class, meter_size, inputs, consumption, service_from, service_to, days, "
        "nominal_days, amount"
    )
    bills = desk.store.query(
        "service_id tariff customer_class meter_size inputs consumption:int service_from:day service_to:day days:int "
        "nominal_days:int amount:int bill_date:day state why",
        f"SELECT {', '.join('d.' + c for c in columns_.split(', '))}, b.bill_date, d.state, d.why FROM draft_services d "  # noqa: S608
        "JOIN draft_bills b ON b.bill_key = d.bill_key WHERE b.cycle = :c AND b.period = :p UNION ALL "
        f"SELECT {columns_}, bill_date, :posted AS state, '' AS why {_OF_RUN}",
        c=run.cycle,
        p=run.period,
        anew=billed_anew(run.cycle, run.period),
    )
    made = services[["service_id", "started_on"]].merge(bills, on="service_id", how="left")
    missing = made["state"].isna()
    said = {DRAFT: "billed", POSTED: "billed", HELD: "held", WAITS: "held", LEFT: "not due"}
    made["outcome"] = made["state"].map(said).fillna("no bill")
    sent = desk.store.view("left_of_run", c=run.cycle, p=run.period, anew=billed_anew(run.cycle, run.period)).set_index(
        "service_id"
    )["number"]
    without = sent.reindex(made["service_id"]).set_axis(made.index)
    late = missing & made["started_on"].gt(run.read_to)
    made["reason"] = made["why"].where(made["outcome"].ne("billed"), "").fillna("")
    made.loc[missing, "reason"] = "no bill computed"
    made.loc[late, ["outcome", "reason"]] = ["not due", "began after the read window"]
    left = missing & without.notna()
    made.loc[left, "outcome"] = "not due"
    made.loc[left, "reason"] = without[left] + " went without it; its days go on the next bill"
    made["billed"] = made["amount"].where(made["outcome"].eq("billed"), 0).fillna(0).astype("int64")
    return made


def _columns(desk: Desk, rows: pd.DataFrame) -> AuditColumns:
    """The formulas of every billed row, with their rates looked up on sheet Rates."""
    sheet = desk.book.read("rates")
    stored = desk.store.table("rates")
    book, _ = rate_book(stored)
    at = dict(zip(sheet.keys, sheet.rows.tolist(), strict=True))
    rates = RatesSheet(at, dict(zip(stored["rate_id"], stored["keys"], strict=True)), dict(sheet.column_letter))
    given = [
        {"meter_size": size, **(inputs(text) or {})}
        for size, text in zip(rows["meter_size"].fillna(""), rows["inputs"].fillna(""), strict=True)
    ]
    bills = rows.drop(columns=["inputs", "meter_size", "billed"]).assign(
        given=pd.Series(given, index=rows.index, dtype=object),
        billed=rows["outcome"].eq("billed"),
        nominal_days=rows["nominal_days"].fillna(0).astype("int64"),
    )
    return columns(bills, book, rates)


def _extra(made: AuditColumns) -> list[ExtraColumn]:
    """The columns beside the table: values first, then formulas."""
    given = [ExtraColumn(n, made.titles[n], made.kinds[n], values=v) for n, v in made.values.items()]  # type: ignore[arg-type]
    return given + [ExtraColumn(n, made.titles[n], "quantity", f) for n, f in made.formulas.items()]


def _read_back(desk: Desk, rows: pd.DataFrame) -> list[Problem]:
    """Rows whose recalculated sum is not the bill, or that show an error."""
    recomputed = desk.book.values("audit", "recomputed")
    found = []
    row: Any
    for row, value in zip(rows.itertuples(), recomputed, strict=True):
        if row.outcome != "billed":
            continue
        cents = _cents(value)
        if cents != row.billed:
            shown = money(cents) if cents is not None else repr(value)
            fact = f"service {row.service_id} is billed {money(row.billed)}, the formulas give {shown}"
            off = abs((cents or 0) - int(row.billed))
            found.append(
                AUDIT_DIFFERS.at(Place(table="audit", key=str(row.service_id), column="difference", line=off), fact)
            )
    return found


def _cents(value: Any) -> int | None:
    """The whole cents of a formula's result; None for what is no number, or no whole cents."""
    if not isinstance(value, int | float) or not math.isfinite(value):
        return None
    exact = cell_number(value) * 100
    return int(exact) if exact == exact.to_integral_value() else None


def bills_digest(desk: Desk, cycle: str, period: str) -> str:
    """A digest of a run's bills: an audit holds for exactly these, drafted or posted."""
    bills = desk.store.query(
        "bill_key consumption:int amount:int",
        "SELECT d.service_id || ' ' || d.service_to AS bill_key, d.consumption, d.amount FROM draft_services d "  # noqa: S608
        "JOIN draft_bills b ON b.bill_key = d.bill_key WHERE b.cycle = :c AND b.period = :p AND d.state = :draft UNION ALL "
        f"SELECT service_id || ' ' || service_to, consumption, amount {_OF_RUN}",
        c=cycle,
        p=period,
        anew=billed_anew(cycle, period),
    ).sort_values("bill_key")
    return hashlib.sha256(bills.to_csv(index=False).encode()).hexdigest()


def audit_state(desk: Desk, cycle: str, period: str) -> str:
    """Where a run's audit stands: green, red, not recalculated, changed since, or not done."""
    found = desk.store.table("audits", "cycle = :c AND period = :p", "audit_id DESC", c=cycle, p=period)
    if found.empty:
        return "not done"
    last: Any = found.iloc[0]
    return str(last["state"]) if last["inputs"] == bills_digest(desk, cycle, period) else "bills changed since"
