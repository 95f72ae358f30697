"""Concerning: whom a finding is about and what the dials say, beside it on Exceptions, so that a clerk can phone at once."""

from __future__ import annotations

from typing import Any

import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.views import last_reads
from xlbilling.store.schema import columns_of
from xlbilling.store.views import view as declare_view
from xlbilling.trade.reads.findings import keys_of
from xlbilling.trade.reads.measure import register_key
from xlbilling.words.states import CURRENT

declare_view(
    "reads_of_run",
    columns_of("reads"),
    "SELECT * FROM reads WHERE cycle = :c AND period = :p AND state = :current ORDER BY read_id",
    current=CURRENT,
)
declare_view(
    "reads_billed_in_run",
    "meter_id register_id read_id:int? previous_date:day previous_read read_date:day dial_read consumption:int unit",
    "SELECT r.meter_id, r.register_id, r.read_id, r.previous_date, r.previous_read, r.read_date, r.dial_read, "
    "r.consumption, r.unit FROM bill_reads r JOIN standing b ON b.number = r.number AND b.service_id = r.service_id "
    "WHERE b.cycle = :c AND b.period = :p",
)
declare_view(
    "customers",
    "account_id name phone",
    "SELECT account_id, name, phone FROM accounts",
)
declare_view("premises_of_cycle", "service_id premise", "SELECT service_id, premise FROM services WHERE cycle = :c")


def concerning(desk: Desk, findings: pd.DataFrame) -> pd.DataFrame:
    """The findings with customer, phone, premise, last_read and this_read, as texts; blank where there is none.

    A finding about a register has that register's reads, one about a service those of all its registers, each with the
    day: 0100 of 2026-09-05. This read is the one that came in, whatever was typed over it.
    """
    customers = desk.store.view("customers").set_index("account_id")
    premises = desk.store.view("premises_of_cycle", c=desk.cycle).set_index("service_id")["premise"]
    registers = _registers(desk)
    came = _came_in(desk)
    of_service = registers.groupby("service_id", sort=False).groups
    keys, services = keys_of(findings), findings["service_id"]
    last, this = [], []
    of_register = findings["service_id"].ne("") | findings["meter_id"].ne("")  # others are about a route or a file
    for key, service, one in zip(keys, services, of_register, strict=True):
        named = [key] if one and (key in registers.index or key in came) else list(of_service.get(service, ()))
        last.append(_together(named, registers["last"].to_dict()))
        this.append(_together(named, came))
    return findings.assign(
        customer=_looked_up(findings["account_id"], customers["name"]),
        phone=_looked_up(findings["account_id"], customers["phone"]),
        premise=_looked_up(services, premises),
        last_read=last,
        this_read=this,
    )


def _registers(desk: Desk) -> pd.DataFrame:
    """The cycle's registers by their name: service_id, last (the last read before this run, in words)."""
    meters = last_reads(desk, desk.cycle)
    key = register_key(meters["meter_id"], meters["register_id"])
    made = pd.DataFrame({"service_id": meters["service_id"], "last": _worded(meters, "previous")}).set_axis(key, axis=0)
    billed = desk.store.view("reads_billed_in_run", **desk.chosen)
    before = pd.Series(
        _worded(billed, "previous").to_numpy(), index=register_key(billed["meter_id"], billed["register_id"])
    )
    made["last"] = before.reindex(made.index).fillna(made["last"])
    return made.loc[~made.index.duplicated()]


def _came_in(desk: Desk) -> dict[str, str]:
    """The reads of the run's files, by register, in words."""
    reads = desk.store.view("reads_of_run", **desk.chosen)
    reads = reads.assign(key=register_key(reads["meter_id"], reads["register_id"]), said=_worded(reads, ""))
    said = reads.groupby("key", sort=False)["said"].agg(" / ".join)
    return dict(zip(said.index.astype("str"), said, strict=True))


def _worded(reads: pd.DataFrame, which: str) -> pd.Series[str]:
    """Dial and day of reads as one text: 0100 of 2026-09-05."""
    dial, date = ("previous_read", "previous_date") if which else ("dial_read", "read_date")
    days = reads[date].dt.strftime("%Y-%m-%d")
    said = reads[dial].fillna("").astype("str")
    said = said.mask(said.eq(""), "" if which else "no read")
    dated: pd.Series[str] = said + (" of " + days).where(days.notna() & said.ne(""), "").astype("str")
    return dated


def _together(names: list[str], words: dict[Any, str]) -> str:
    """The reads of one register, or of several with their names."""
    there = [name for name in names if words.get(name)]
    return words[there[0]] if len(names) == 1 and there else "; ".join(f"{name} {words[name]}" for name in there)


def _looked_up(keys: pd.Series[str], names: pd.Series[str]) -> pd.Series[str]:
    return keys.map(names).fillna("").astype("str")
