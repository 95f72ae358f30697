"""Readings: the run's reads checked, and settled with what the office decides on Exceptions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.views import last_reads
from xlbilling.office.reads.findings import store_findings
from xlbilling.office.reads.imports import balance_line
from xlbilling.office.reads.run_inputs import checked_from
from xlbilling.store.schema import columns_of
from xlbilling.trade.reads import Settled, settle
from xlbilling.trade.reads.findings import keys_of
from xlbilling.trade.reads.history import History, before, quantities
from xlbilling.trade.reads.measure import register_key
from xlbilling.trade.reads.settle import Office
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.states import OPEN

NO_READS: Final = declare("no_reads", "The run has no reads yet.", "Press Import reads first.")


def validate(desk: Desk) -> Outcome:
    """Check the run's reads and list the findings, worst first; decisions that still hold are kept."""
    refuse_unsaved(desk, ["exceptions"])
    look = Look(desk)
    look.at(checked_from)
    settled = settled_reads(desk)
    found = settled.findings
    with look.work("validate") as work:
        said = store_findings(work, desk.run, found)
        work.event(said)
    said = f"{said} Balance: {balance_line(desk, desk.run)}."
    refresh_tables(desk, ["reads", "exceptions", "cycles", "log"])
    desk.book.show("Exceptions")
    return Outcome(said, listed=bool(found["state"].eq(OPEN).any()))


def settled_reads(desk: Desk) -> Settled:
    """The run's reads measured, checked and settled with the decisions that stand."""
    run = desk.run
    reads = desk.store.table("reads", "cycle = :c AND period = :p AND state = :current", c=run.cycle, p=run.period)
    if reads.empty:
        raise Refusal(NO_READS.at(Place(table="reads"), f"{run} has no reads"))
    reads = _unbilled(desk, reads)
    decisions = desk.store.table("exceptions", "cycle = :c AND period = :p", c=run.cycle, p=run.period)
    own, last = registers(desk), consumption_before(desk)
    office = Office(own, reads, last, decisions, carried(desk), _intervals(desk), _elsewhere(desk, own))
    return settle(run.window, desk.billing_unit, desk.run_rules, office)


def consumption_before(desk: Desk) -> pd.DataFrame:
    """What the cycle's services used before: the old system's history and every standing bill."""
    return desk.store.query(
        "service_id service_to:day days:int consumption:int read_code",
        """
        SELECT h.service_id, h.service_to, h.days, h.consumption, h.read_code FROM consumption_history h
          JOIN services s ON s.service_id = h.service_id WHERE s.cycle = :c
        UNION ALL
        SELECT b.service_id, b.service_to, b.days, b.consumption, b.read_code FROM standing b
          JOIN services s ON s.service_id = b.service_id WHERE s.cycle = :c
        """,
        c=desk.cycle,
    )


def _unbilled(desk: Desk, reads: pd.DataFrame) -> pd.DataFrame:
    """The reads without those of registers billed already in the run: they are settled, and there is nothing to say."""
    billed = desk.store.query(
        "meter_id register_id read_id:int?",
        "SELECT r.meter_id, r.register_id, r.read_id FROM bill_reads r JOIN standing b ON b.number = r.number "
        "AND b.service_id = r.service_id WHERE b.cycle = :c AND b.period = :p",
        **desk.chosen,
    )
    done = register_key(billed["meter_id"], billed["register_id"])
    kept = reads.loc[~register_key(reads["meter_id"], reads["register_id"]).isin(done)]
    kept = kept.loc[~kept["read_id"].isin(billed["read_id"].dropna())]
    return kept.reset_index(drop=True)


def carried(desk: Desk) -> pd.DataFrame:
    """What the last standing bill of each service left of a unit for the next: service_id, carried (millionths)."""
    left = desk.store.query(
        "service_id carried:int",
        "SELECT b.service_id, b.carried FROM standing b "
        "JOIN services s ON s.service_id = b.service_id WHERE s.cycle = :c ORDER BY b.service_to",
        c=desk.run.cycle,
    )
    return left.drop_duplicates("service_id", keep="last")


def _intervals(desk: Desk) -> pd.DataFrame:
    """What the interval rows of the run's files say of each meter."""
    return desk.store.query(
        "meter_id unit first_hour last_hour hours:int running_hours:int least:int",
        "SELECT v.meter_id, v.unit, v.first_hour, v.last_hour, v.hours, v.running_hours, v.least FROM intervals v "
        "JOIN imports i ON i.import_id = v.import_id "
        "WHERE i.cycle = :c AND i.period = :p AND i.state = :current ORDER BY v.import_id, v.meter_id, v.register_id",
        **desk.chosen,
    )


def _elsewhere(desk: Desk, own: pd.DataFrame) -> pd.DataFrame:
    """What the office knows of meters that are none of the run's registers: taken out, or of another cycle."""
    meters = desk.store.query(
        "meter_id service_id status removed_on:day? cycle",
        "SELECT m.meter_id, m.service_id, m.status, m.removed_on, s.cycle FROM meters m "
        "JOIN services s ON s.service_id = m.service_id ORDER BY m.meter_id, m.register_id",
    )
    meters = meters.loc[~meters["meter_id"].isin(own["meter_id"])].drop_duplicates("meter_id")
    day = meters["removed_on"].dt.strftime(" on %Y-%m-%d").fillna("")
    of = " service " + meters["service_id"] + " of cycle " + meters["cycle"]
    gone = meters["status"].eq("removed")
    return meters.assign(known_as=("is on" + of).mask(gone, "was taken out of" + of + day))


def registers(desk: Desk) -> pd.DataFrame:
    """The registers on the run's cycle with their last billed reads; due where the service is active and unbilled.

    A removed register belongs to the run while the days up to its removal are not billed. A service that ended is due
    until the days up to its end are billed.
    """
    run = desk.run
    services = desk.store.query(
        "service_id account_id customer_class meter_size route status ended_on:day? count:int",
        "SELECT s.service_id, s.account_id, s.customer_class, s.meter_size, s.route, s.status, s.ended_on, "
        "CASE WHEN EXISTS (SELECT 1 FROM standing b "
        "WHERE b.service_id = s.service_id AND b.cycle = :c AND b.period = :p) THEN 1 ELSE 0 END AS count "
        "FROM services s WHERE s.cycle = :c",
        c=run.cycle,
        p=run.period,
    )
    services["route_billed"] = services["count"].groupby(services["route"]).transform("max").gt(0)
    made = in_service(last_reads(desk, run.cycle), run.read_to).drop(columns="status").merge(services, on="service_id")
    made = with_ends(desk, made)
    billed_to = made.groupby("service_id")["previous_date"].transform("max")
    made["due"] = made["status"].eq("active") & made["count"].eq(0) & ~made["ends_on"].le(billed_to)
    # A register billed already in this run is not due, and its own read is its last one: nothing to say of it.
    return made.loc[made["count"].eq(0)].reset_index(drop=True)


def with_ends(desk: Desk, services: pd.DataFrame) -> pd.DataFrame:
    """Services with `ended`, in words that they or their accounts ended, and `ends_on`, the last day that is billed.

    `services`: account_id, ended_on. The earlier of Ended on Services and Closed on Accounts counts; an account that is
    final or closed without a day has no last day. `ended` is blank and `ends_on` missing where nothing ended.
    """
    accounts = desk.store.query(
        "account_id status closed_on:day?", "SELECT account_id, status, closed_on FROM accounts"
    ).set_index("account_id")
    of_account = accounts.reindex(services["account_id"])
    closed = pd.Series(of_account["closed_on"].to_numpy(), index=services.index)
    status = pd.Series(of_account["status"].to_numpy(), index=services.index)
    by_account = closed.lt(services["ended_on"]) | services["ended_on"].isna()
    told = "account " + services["account_id"] + " was closed"
    ended = pd.Series("", index=services.index).mask(services["ended_on"].notna(), "the service ended")
    ended = ended.mask(by_account & closed.notna(), told)
    ended = ended.mask(
        ended.eq("") & status.isin(["final", "closed"]), "account " + services["account_id"] + " is " + status
    )
    return services.assign(ended=ended.astype("str"), ends_on=services["ended_on"].mask(by_account, closed))


def in_service(meters: pd.DataFrame, read_to: pd.Timestamp) -> pd.DataFrame:
    """The registers to be read up to a day: those on a wall then, and those removed after their last billed read.

    A removal after the day is left for the next run (removed_on and final_read blank), and so is a meter set after it.
    """
    gone = meters["status"].eq("removed") & meters["removed_on"].le(read_to)
    unbilled = gone & ~meters["previous_date"].ge(meters["removed_on"])
    still = ~gone & (meters["status"].eq("active") | meters["removed_on"].gt(read_to))
    still &= ~meters["previous_date"].gt(read_to)
    return meters.assign(
        removed_on=meters["removed_on"].where(unbilled), final_read=meters["final_read"].where(unbilled, "")
    ).loc[unbilled | still]


def reads_view(desk: Desk) -> pd.DataFrame:
    """The run's current reads with the last read beside each, and what the checks say."""
    made = desk.store.query(
        {**columns_of("reads"), "file_name": ""},
        "SELECT r.*, i.file_name FROM reads r JOIN imports i ON i.import_id = r.import_id "
        "WHERE r.cycle = :c AND r.period = :p AND r.state = :current ORDER BY r.read_id",
        **desk.chosen,
    )
    made["source"] = made["file_name"] + ":" + made["source_line"].astype("str")
    last = last_reads(desk, desk.cycle)
    drop = [n for n in ("account_id",) if n in made]
    made = made.drop(columns=drop).merge(
        last[["meter_id", "register_id", "service_id", "previous_date", "previous_read"]],
        on=["meter_id", "register_id"],
        how="left",
    )
    beside = _measured_as(desk, made).reindex(made["read_id"]).reset_index(drop=True)
    for name in ("previous_date", "previous_read"):
        made[name] = beside[name].where(beside[name].notna(), made[name])
    made["consumption"] = _in_billing_unit(desk, beside)
    made["billed_read"] = beside["dial_read"].mask(beside["dial_read"].eq(made["dial_read"])).fillna("").astype("str")
    made["billed_date"] = beside["read_date"].mask(beside["read_date"].eq(made["read_date"]))
    to = beside["read_date"].where(beside["read_date"].notna(), made["read_date"])
    made["days"] = (to - made["previous_date"]).dt.days.fillna(0).astype("int64")
    accounts = desk.store.query(
        "service_id account_id", "SELECT service_id, account_id FROM services WHERE cycle = :c", c=desk.cycle
    )
    made["account_id"] = made["service_id"].map(accounts.set_index("service_id")["account_id"]).fillna("")
    made["last_year"], made["average"] = _used_before(desk, made)
    made["finding"] = _finding_of(desk, made)
    return made.fillna({"service_id": "", "previous_read": ""})


def _measured_as(desk: Desk, reads: pd.DataFrame) -> pd.DataFrame:
    """What each read is billed as, by read_id: previous_date, previous_read, read_date, dial_read, consumption, unit.

    Posted reads as their bill says, others as the checks and decisions settle them now; a read that cannot be measured,
    or is not the one of its register that counts, is left out.
    """
    names = ["previous_date", "previous_read", "read_date", "dial_read", "consumption", "unit"]
    billed = desk.store.view("reads_billed_in_run", **desk.chosen)
    made = billed.loc[billed["read_id"].notna()].astype({"read_id": "int64"}).set_index("read_id")[names]
    if reads["read_id"].isin(made.index).all():
        return made
    try:
        registers = settled_reads(desk).registers
    except Refusal:
        return made  # the run's window or a rule of Policy cannot be used: Validate says which
    counts = registers["due"] & registers["usable"] & registers["read_id"].notna()
    settled = registers.loc[counts].astype({"read_id": "int64"}).set_index("read_id")[names]
    return pd.concat([made, settled]) if len(made) else settled


def _used_before(desk: Desk, reads: pd.DataFrame) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """What the service of each read used last year and on average, for as many days; missing where nothing is known."""
    position, names = pd.factorize(reads["service_id"].fillna(""))
    past = History.of(consumption_before(desk), pd.Index(names))
    services = pd.DataFrame({"position": position, "service_to": reads["read_date"], "days": reads["days"]})
    last_year, average = before(services, past)
    return quantities(last_year, reads.index), quantities(average, reads.index)


def _in_billing_unit(desk: Desk, measured: pd.DataFrame) -> npt.NDArray[np.int64]:
    """What registers measured, each in its own unit (blank where nothing is computed yet), in the billing unit."""
    billing = desk.billing_unit
    units = measured["unit"].fillna(billing.unit).to_numpy(dtype=object)
    return billing.of(measured["consumption"].fillna(0).to_numpy(dtype=np.int64), units)


def _finding_of(desk: Desk, reads: pd.DataFrame) -> pd.Series[str]:
    """The checks' names beside each read: of its register, and of its service."""
    found = desk.store.table("exceptions", "cycle = :c AND period = :p AND state <> :gone", **desk.chosen)
    names = found["rule"].groupby(keys_of(found)).agg(", ".join) if len(found) else pd.Series(dtype="str")
    keys = (register_key(reads["meter_id"], reads["register_id"]), reads["service_id"])
    of_register, of_service = (names.reindex(key).fillna("").astype("str").reset_index(drop=True) for key in keys)
    both = of_register.ne("") & of_service.ne("")
    return of_register + np.where(both, ", ", "") + of_service


@surface("reads")
class Reads(Surface):
    """The run's current reads beside what they are compared with."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return reads_view(desk)
