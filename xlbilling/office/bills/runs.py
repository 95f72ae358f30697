"""Billing: the run's due services priced at the rates in force, as drafts to look at."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.bills.bills import left_out
from xlbilling.office.bills.drafts import replace_drafts
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.policy import winter_months
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import saved
from xlbilling.office.desk.undo import keep_undo
from xlbilling.office.reads.findings import store_findings
from xlbilling.office.reads.run_inputs import inputs_digest
from xlbilling.office.reads.settling import consumption_before, settled_reads, with_ends
from xlbilling.store import Work
from xlbilling.store.schema import columns_of
from xlbilling.trade.bills import Drafts, Terms
from xlbilling.trade.bills import compute as compute_bills
from xlbilling.trade.inputs import last_winter, winter_averages, with_measured
from xlbilling.trade.reads import Settled
from xlbilling.trade.reads.decisions import UNUSABLE
from xlbilling.trade.reads.measure import COMPOUND
from xlbilling.trade.tariffs import rate_book
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.states import HELD

PAYMENTS_WAIT: Final = declare(
    "payments_unposted",
    "Receipts wait to be posted, so the bills would show a wrong balance.",
    "Press Post first, or take the receipts out.",
)
RATES_REFUSED: Final = declare(
    "rates_refused", "Lines on sheet Rates cannot be used.", "Correct the marked lines and press Save."
)
DRAFTS_STALE: Final = declare(
    "drafts_stale",
    "Reads, decisions, rates or other things that bills go by were changed after the bills were computed.",
    "Press Compute again, look at the bills, then Post.",
)


def compute(desk: Desk) -> Outcome:
    """Compute the run's draft bills from settled reads and the rates in force; every due service is drafted or held."""
    look = Look(desk)
    look.open_month()
    refuse_unsaved(desk, saved())
    look.at(_refuse_unposted)
    desk.book.progress("Settling reads", 0, 3)
    look.at(lambda at: inputs_digest(at.store, at), DRAFTS_STALE, Place(table="bills"))
    settled = settled_reads(desk)
    desk.book.progress("Pricing", 1, 3)
    drafts = draft(desk, settled)
    desk.book.progress("Writing drafts", 2, 3)
    with look.work("compute") as work:
        store_findings(work, desk.run, settled.findings)
        before = replace_drafts(desk, work, drafts, settled)
        said = _drafted(desk, work, drafts)
        keep_undo(work, "Compute", [before], said)
    refresh_tables(desk, ["reads", "exceptions", "bills", "bill_services", "bill_lines", "cycles", "log"])
    desk.book.show("Bills")
    held = drafts.bills["state"].eq(HELD)
    return Outcome(said, drafts.problems, listed=bool(held.any()))


def _refuse_unposted(desk: Desk) -> None:
    unposted = desk.store.value("SELECT COUNT(*) FROM payments WHERE state = :open")
    if unposted:
        raise Refusal(PAYMENTS_WAIT.at(Place(table="payments"), f"{unposted} receipts are not posted"))


def draft(desk: Desk, settled: Settled) -> Drafts:
    """The run's due services priced at the rates in force."""
    run, rules = desk.run, desk.run_rules
    rates = desk.store.table("rates")
    book, problems = rate_book(rates)
    blocking = [p for p in problems if p.severity == "block"]
    if blocking:
        fact = f"{len(blocking)} problems; first: {blocking[0].fact}"
        raise Refusal(RATES_REFUSED.at(blocking[0].place, fact, blocking[0].remedy), blocking)
    whole = rules.choice("billing", "first_and_last", "whole", "days") == "whole"
    terms = Terms(
        run.cycle, run.period, run.bill_date, run.due_date, rules.text("billing", "billing_unit"),
        None if whole else rules.whole("billing", "nominal_days"),
    )  # fmt: skip
    return compute_bills(terms, due_services(desk, settled), book)


def due_services(desk: Desk, settled: Settled) -> pd.DataFrame:
    """The active services of the run whose account has no standing bill in it, with what they are billed from.

    An account has one bill a run: a service that its bill went without is due in the next run. One whose own bill in the
    run was reversed is due again.
    """
    run = desk.run
    services = desk.store.query(
        columns_of("services"),
        "SELECT s.* FROM services s WHERE s.cycle = :c AND s.status = 'active' AND NOT EXISTS "
        "(SELECT 1 FROM standing b WHERE b.service_id = s.service_id AND b.cycle = :c AND b.period = :p) AND (NOT EXISTS "
        "(SELECT 1 FROM bills b WHERE b.account_id = s.account_id AND b.cycle = :c AND b.period = :p "
        "AND b.number IN (SELECT number FROM standing_bills)) OR EXISTS (SELECT 1 FROM sections b JOIN reversals r "
        "ON r.document = b.number WHERE b.service_id = s.service_id AND b.cycle = :c AND b.period = :p AND NOT EXISTS "
        "(SELECT 1 FROM bills n WHERE n.account_id = b.account_id AND n.replaces LIKE '%' || b.number || '%'))) "
        "ORDER BY s.account_id, s.service_id",
        c=run.cycle,
        p=run.period,
    )
    measured = settled.services.set_index("service_id")
    made = services.join(
        measured[
            ["service_from", "service_to", "days", "consumption", "read_code", "carried", "estimate", "hold", *COMPOUND]
        ],
        on="service_id",
    ).fillna({"carried": 0, "estimate": ""})
    made = with_ends(desk, made)
    unmetered = made["service_to"].isna()
    if unmetered.any():
        made = _unmetered(desk, made, unmetered)
    made = made.loc[made["started_on"].isna() | made["started_on"].le(made["service_to"])].reset_index(drop=True)
    made["inputs"] = _measured_inputs(desk, made)
    for name, known in (("replaces", _reversed(desk)), ("left_out", left_out(desk))):
        told = known.to_dict()
        made[name] = pd.Series([told.get(service, "") for service in made["service_id"]], dtype=object)
    return made.assign(
        ends=made["ends_on"].le(made["service_to"]),
        part=part_bills(desk, made) > 0,
        days=made["days"].astype("int64"),
        consumption=made["consumption"].astype("int64"),
        carried=made["carried"].astype("int64"),
    )


def _measured_inputs(desk: Desk, services: pd.DataFrame) -> pd.Series[str]:
    """The other inputs of each service with those the office itself knows: compound registers and the winter average."""
    made = services["inputs"]
    for name in COMPOUND:
        made = with_measured(made, name, services[name])
    months = winter_months(desk.run_rules)
    if months is None:
        return made
    winter = last_winter(months, desk.run.read_from.date())
    known = services[["service_id", "days"]].assign(days=services["days"].fillna(0).astype("int64"))
    averages = winter_averages(known, consumption_before(desk), winter, desk.billing_unit.places)
    return with_measured(made, "winter_average", averages)


def part_bills(desk: Desk, services: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Days of a full bill for a service's first or last bill, where the district bills those by days; else 0."""
    if desk.run_rules.choice("billing", "first_and_last", "whole", "days") == "whole":
        return np.zeros(len(services), dtype=np.int64)
    run = desk.run
    before = desk.store.query(
        "service_id",
        "SELECT service_id FROM bill_services WHERE service_to < :d UNION SELECT service_id FROM consumption_history",
        d=f"{run.read_from:%Y-%m-%d}",
    )
    first = services["started_on"].notna() & ~services["service_id"].isin(before["service_id"])
    last = services["ended_on"].notna() & services["ended_on"].le(services["service_to"])
    return np.where(first | last, desk.run_rules.whole("billing", "nominal_days"), 0)


def _unmetered(desk: Desk, made: pd.DataFrame, rows: pd.Series[bool]) -> pd.DataFrame:
    """Services without a meter, such as fire lines, are billed from their last bill to the run's last read day.

    One that ended is billed to its last day, and never again after that.
    """
    last = desk.store.query(
        "service_id service_to:day?",
        "SELECT service_id, MAX(service_to) AS service_to FROM (SELECT service_id, service_to FROM standing_bills "
        "UNION ALL SELECT service_id, service_to FROM consumption_history) earlier GROUP BY service_id",
    )
    made = made.copy()
    began = made["service_id"].map(last.set_index("service_id")["service_to"]).fillna(made["started_on"])
    made.loc[rows, "service_from"] = began[rows].fillna(desk.run.read_from)
    made.loc[rows, "service_to"] = made["ends_on"].where(made["ends_on"].lt(desk.run.read_to), desk.run.read_to)[rows]
    made.loc[rows, "days"] = (made["service_to"] - made["service_from"]).dt.days[rows]
    made.loc[rows, "consumption"] = 0
    made.loc[rows, ["read_code", "hold"]] = ["actual", ""]
    metered = desk.store.query("service_id", "SELECT DISTINCT service_id FROM meters WHERE status = 'active'")[
        "service_id"
    ]
    no_read = rows & made["service_id"].isin(metered)
    made.loc[no_read, "hold"] = UNUSABLE
    no_day = rows & made["ended"].ne("") & made["ends_on"].isna()
    made.loc[no_day, "hold"] = made["ended"] + ", but not on which day: type Closed on sheet Accounts"
    return made.loc[~(rows & made["ends_on"].le(began))]


def _reversed(desk: Desk) -> pd.Series[str]:
    """The run's reversed bills by service, so that a new bill names the one it replaces."""
    found = desk.store.query(
        "service_id number",
        "SELECT b.service_id, MAX(b.number) AS number FROM sections b JOIN reversals r ON r.document = b.number "
        "WHERE b.cycle = :c AND b.period = :p GROUP BY b.service_id",
        c=desk.run.cycle,
        p=desk.run.period,
    )
    return found.set_index("service_id")["number"]


_NAMED: Final = 3  # held services that the answer names; the others stand on Bills


def _by_which(drafts: Drafts) -> str:
    """The services that hold bills, in words; blank where none does."""
    holding = drafts.sections.loc[drafts.sections["state"].eq(HELD), "service_id"].tolist()
    more = f" and {len(holding) - _NAMED} more" if len(holding) > _NAMED else ""
    return f" (by {', '.join(holding[:_NAMED])}{more}; why stands on Bills)" if holding else ""


def _drafted(desk: Desk, work: Work, drafts: Drafts) -> str:
    """How many drafts there are, for how much, and up to which receipts a customer's balance is counted."""
    held = int(drafts.bills["state"].eq(HELD).sum())
    cut_off = work.value("SELECT MAX(received_on) FROM payments WHERE state = :posted") or "none yet"
    return (
        f"{len(drafts.bills) - held} draft bills for {desk.run}, {money(drafts.bills['amount'].sum())} in all; {held} held{_by_which(drafts)}. "
        f"Receipts are counted up to {cut_off}."
    )
