"""Explaining: one bill told in plain words, service by service, and what this program is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pandas as pd

from xlbilling import __version__
from xlbilling.office.bills.estimates import BY_THE_OFFICE, settled_estimates, told_on_bill
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.reads.findings import read_in_words
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.states import DRAFT, HELD

NO_BILL: Final = declare(
    "no_bill",
    "There is no bill of that number, account or service.",
    "Type a bill's number in Explain on Start, or the account or service of a draft.",
)
BILL_HELD: Final = declare(
    "bill_held",
    "The bill is held, so there is nothing to explain yet.",
    "Put right what holds the service and press Compute; or the lead leaves it out on Bill sections.",
)


def explain_bill(desk: Desk) -> Outcome:
    """Tell one bill: its reads, its days, and each charge with quantity, rate, resolution and rounding."""
    wanted = str(desk.book.get("ExplainBill") or "").strip()
    return Outcome("\n".join(explain(desk, wanted)))


def explain(desk: Desk, wanted: str) -> list[str]:
    """The account of one bill by its number, or of the draft of an account or a service: each service, then the sum."""
    document, sections, lines, reads = _bill(desk, wanted)
    bill = document.to_dict()
    count = "1 service" if len(sections) == 1 else f"{len(sections)} services"
    told = [f"{str(bill['kind']).capitalize()} {bill['number'] or '(draft)'} of account {bill['account_id']}, {count}."]
    for section in sections.to_dict("records"):
        mine = (frame.loc[frame["service_id"].eq(section["service_id"])] for frame in (lines, reads))
        told += _section(desk, bill, section, *mine)
        if len(sections) > 1:
            told.append(f"Sum of service {section['service_id']}: {money(section['amount'])}.")
    if bill["why"]:
        told.append(f"{str(bill['why'])[:1].upper()}{str(bill['why'])[1:]}.")
    of = " of the services" if len(sections) > 1 else " of the lines"
    return [*told, *_posted(desk, str(bill["number"])), f"Sum{of}: {money(bill['amount'])}."]


def _posted(desk: Desk, number: str) -> list[str]:
    """Who computed a posted bill, who posted it, when and as which entry; nothing of a draft."""
    entries = desk.store.table("entries", "document = :d AND reverses IS NULL", d=number)
    return [
        f"Computed by {entry.author}, posted by {entry.actor} on {str(entry.posted_at)[:10]} in {entry.batch}, entry {entry.entry}."
        for entry in entries.itertuples()
    ]


def _section(
    desk: Desk, bill: Mapping[Any, Any], section: Mapping[Any, Any], lines: pd.DataFrame, reads: pd.DataFrame
) -> list[str]:
    """One service of a bill: its days, its reads and each charge."""
    told = [
        f"Service {section['service_id']}, {section['customer_class']}.",
        f"Service period: the days after {section['service_from']:%Y-%m-%d} up to {section['service_to']:%Y-%m-%d}, "
        f"{section['days']} days.",
    ]
    read: Any
    for read in reads.itertuples():
        register = f"{read.meter_id}:{read.register_id}" if read.register_id else read.meter_id
        told.append(
            f"Meter {register}: {read.dial_read} of {read.read_date:%Y-%m-%d} less {read.previous_read} of "
            f"{read.previous_date:%Y-%m-%d} is {quantity(read.consumption)} {read.unit} ({read.read_code})."
        )
    told += _typed_over(desk, bill, section)
    told += _estimates(desk, section)
    told.append(f"Billed consumption: {quantity(section['consumption'])} {section['unit']}.")
    line: Any
    for line in lines.itertuples():
        tier = f", tier {line.tier}" if line.tier else ""
        told.append(
            f"{line.charge}{tier}: {line.basis} = {money(line.amount)} (rate of {line.effective_from:%Y-%m-%d}, {line.resolution}; "
            "rounded half-up to the cent once)."
        )
    return told


def _typed_over(desk: Desk, bill: Mapping[Any, Any], section: Mapping[Any, Any]) -> list[str]:
    """What was typed on Exceptions in the place of the section's reads: by whom, when and why."""
    typed = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND service_id = :s AND decision = 'override' AND state <> :gone",
        "decided_at, exception_id",
        c=bill["cycle"],
        p=bill["period"],
        s=section["service_id"],
    )
    rows: list[dict[str, Any]] = [{str(name): value for name, value in row.items()} for row in typed.to_dict("records")]
    return [
        f"Typed on Exceptions in place of the read, on {row['exception_id']}: "
        f"{read_in_words(row['override_read'], row['override_date'])} "
        f"({row['reason']}; {row['decided_by']}, {row['decided_at'][:10]})."
        for row in rows
    ]


def _estimates(desk: Desk, bill: Mapping[Any, Any]) -> list[str]:
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


def _bill(desk: Desk, wanted: str) -> tuple[pd.Series, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """A posted bill, or the draft of an account or service, with its sections, lines and reads."""
    bills = desk.store.table("bills", "number = :n", n=wanted)
    if len(bills):
        sections, lines, reads = (
            desk.store.table(f"bill_{of}", "number = :n", n=wanted) for of in ("services", "lines", "reads")
        )
        return bills.iloc[0], sections, lines, reads
    drafts = desk.store.table(
        "draft_bills",
        "account_id = :s OR bill_key = :s OR bill_key IN (SELECT bill_key FROM draft_services WHERE service_id = :s AND state <> :left)",
        "state, bill_date DESC",
        s=wanted,
    ).assign(number="")
    if drafts.empty:
        raise Refusal(NO_BILL.at(Place(table="Start", cell="ExplainBill"), f"{wanted or '(blank)'} is no bill"))
    if drafts["state"].iloc[0] == HELD:
        fact = f"the bill of account {drafts['account_id'].iloc[0]} is held: {drafts['why'].iloc[0]}"
        raise Refusal(BILL_HELD.at(Place(table="Start", cell="ExplainBill"), fact))
    key = drafts["bill_key"].iloc[0]
    sections, lines, reads = (
        desk.store.table(f"draft_{of}", "bill_key = :k", k=key) for of in ("services", "lines", "reads")
    )
    return drafts.iloc[0], sections.loc[sections["state"].eq(DRAFT)], lines, reads


def about(desk: Desk) -> Outcome:
    """Say which version works on which store, for whom."""
    accounts = desk.store.value("SELECT COUNT(*) FROM accounts")
    where = desk.store.path or desk.store.url.rsplit("@", maxsplit=1)[-1]
    return Outcome(
        f"xlbilling {__version__} on {where}: {accounts} accounts; you are {desk.actor} ({desk.role or 'no role'})."
    )
