"""Explaining: one bill told in plain words and as a table, and what this program is."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from xlbilling import __version__
from xlbilling.office.buttons import Outcome
from xlbilling.office.deciding import read_in_words
from xlbilling.office.desk import Desk, money
from xlbilling.office.estimates import BY_THE_OFFICE, settled_estimates, told_on_bill
from xlbilling.problems import Place, Refusal, declare

NO_BILL: Final = declare(
    "no_bill",
    "There is no bill of that number or service.",
    "Type the bill's number or the service's in Explain on Start.",
)


def explain_bill(desk: Desk) -> Outcome:
    """Tell one bill: its reads, its days, and each charge with quantity, rate, resolution and rounding."""
    wanted = str(desk.book.get("ExplainBill") or "").strip()
    return Outcome("\n".join(explain(desk, wanted)))


def explain(desk: Desk, wanted: str) -> list[str]:
    """The account of one bill by its number, or of a service's draft in the run."""
    bill, lines, reads = _bill(desk, wanted)
    told = [
        f"Bill {bill['number'] or '(draft)'} of service {bill['service_id']}, account {bill['account_id']}, {bill['customer_class']}.",
        f"Service period: the days after {bill['service_from']:%Y-%m-%d} up to {bill['service_to']:%Y-%m-%d}, {bill['days']} days.",
    ]
    read: Any
    for read in reads.itertuples():
        register = f"{read.meter_id}:{read.register_id}" if read.register_id else read.meter_id
        told.append(
            f"Meter {register}: {read.dial_read} of {read.read_date:%Y-%m-%d} less {read.previous_read} of "
            f"{read.previous_date:%Y-%m-%d} is {quantity(read.consumption)} {read.unit} ({read.read_code})."
        )
    told += _typed_over(desk, bill)
    told += _estimates(desk, bill)
    told.append(f"Billed consumption: {quantity(bill['consumption'])} {bill['unit']}.")
    line: Any
    for line in lines.itertuples():
        tier = f", tier {line.tier}" if line.tier else ""
        told.append(
            f"{line.charge}{tier}: {line.basis} = {money(line.amount)} (rate of {line.effective_from:%Y-%m-%d}, {line.resolution}; "
            "rounded half-up to the cent once)."
        )
    told.append(f"Sum of the lines: {money(bill['amount'])}.")
    return told


def _typed_over(desk: Desk, bill: pd.Series) -> list[str]:
    """What was typed on Exceptions in the place of the bill's reads: by whom, when and why."""
    typed = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND service_id = :s AND decision = 'override' AND state <> 'gone'",
        "decided_at, exception_id",
        c=bill["cycle"],
        p=bill["period"],
        s=bill["service_id"],
    )
    rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in typed.to_dict("records")]
    return [
        f"Typed on Exceptions in place of the read, on {row['exception_id']}: "
        f"{read_in_words(row['override_read'], row['override_date'])} "
        f"({row['reason']}; {row['decided_by']}, {row['decided_at'][:10]})."
        for row in rows
    ]


def _estimates(desk: Desk, bill: pd.Series) -> list[str]:
    """What there is to say of estimates: how this read was estimated, or which estimated bills this one settles."""
    if bill["read_code"] == "estimated":
        how = bill["estimate"] or BY_THE_OFFICE
        return [f"The read is estimated: {how}. The dial moves on with it, so that the next actual read sets it right."]
    one = pd.DataFrame({name: [bill[name]] for name in ("service_id", "service_to", "read_code")})
    settles = settled_estimates(desk, one, "service_id = :s", s=bill["service_id"])
    said = told_on_bill("", int(settles.iloc[0]))
    return [f"{said} What they billed too much or too little is taken off or added here."] if said else []


def quantity(millionths: int) -> str:
    return f"{millionths / 1_000_000:,.6f}".rstrip("0").rstrip(".")


def _bill(desk: Desk, wanted: str) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame]:
    bills = desk.store.table("bills", "number = :n", n=wanted)
    if len(bills):
        found = {name: desk.store.table(name, "number = :n", n=wanted) for name in ("bill_lines", "bill_reads")}
        return bills.iloc[0], found["bill_lines"], found["bill_reads"]
    drafts = desk.store.table(
        "draft_bills", "(service_id = :s OR bill_key = :s) AND state = 'draft'", "service_to DESC", s=wanted
    ).assign(number="")
    if drafts.empty:
        raise Refusal(NO_BILL.at(Place(table="Start", cell="ExplainBill"), f"{wanted or '(blank)'} is no bill"))
    key = drafts["bill_key"].iloc[0]
    found = {name: desk.store.table(name, "bill_key = :k", k=key) for name in ("draft_lines", "draft_reads")}
    return drafts.iloc[0], found["draft_lines"], found["draft_reads"]


def about(desk: Desk) -> Outcome:
    """Say which version works on which store, for whom."""
    accounts = desk.store.value("SELECT COUNT(*) FROM accounts")
    where = desk.store.path or desk.store.url.rsplit("@", maxsplit=1)[-1]
    return Outcome(
        f"xlbilling {__version__} on {where}: {accounts} accounts; you are {desk.actor} ({desk.role or 'no role'})."
    )
