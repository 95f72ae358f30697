"""A real city's year as an office would have it: accounts, services and meters, and one read file a month."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.policy import starting_policy
from xlbilling.office.desk.working_tables import write_rows
from xlbilling.store import Store

CONSUMPTION = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "santa_monica_usage_2014_2016.csv.gz"
YEAR, READ_DAY, DIALS = 2014, 15, 7
# First units billed at each price, per two-month bill (the first start is not read), and the prices per ccf.
HOUSES = ((0, 15, 41, 149), ("2.87", "4.29", "6.44", "10.07"))
FLATS = ((0, 5, 10, 21), ("2.87", "4.29", "6.44", "10.07"))
OTHERS = ((0, 211), ("4.07", "10.03"))
TIERS = {
    "RESIDENTIAL_SINGLE": HOUSES,
    "RESIDENTIAL_MULTI": FLATS,
    "COMMERCIAL": OTHERS,
    "INSTITUTIONAL": OTHERS,
    "IRRIGATION": OTHERS,
    "OTHER": OTHERS,
}
RECEIVABLE, CASH, REVENUE, OPENING = "1310", "1010", "4010", "3900"
IMPOSSIBLE_CCF = 421_817


@dataclass(frozen=True)
class City:
    """The year's consumption by meter: service, meter number, month, ccf (0 where the month has no row for the meter)."""

    services: pd.DataFrame  # service_id, account_id, customer_class, first_month
    meters: pd.DataFrame  # meter_id, service_id, start_date
    used: pd.DataFrame  # index meter_id, columns 1..12: ccf
    read: pd.DataFrame  # index service_id, columns 1..12: whether the month has rows

    def due(self, month: int) -> pd.Index:
        """Services that are read in the month."""
        return self.read.index[self.read[month]]


def load() -> City:
    """The year 2014 of the published consumption: a service is a customer and class, its k-th row of a month a meter."""
    with gzip.open(CONSUMPTION, "rt") as handle:
        rows = pd.read_csv(handle, dtype=str)
    rows = rows.loc[rows["usage_year"].eq(str(YEAR))]
    rows = rows.assign(month=rows["usage_month"].astype(int), ccf=rows["usage_ccf"].astype(float).astype("int64"))
    rows["service_id"] = "S" + rows["cust_id"].str.zfill(6) + "-" + rows["cust_class"].map(_short)
    rows = rows.sort_values(["service_id", "month"], kind="stable")
    rows["meter"] = rows.groupby(["service_id", "month"]).cumcount()
    rows["meter_id"] = "M" + rows["service_id"].str[1:] + rows["meter"].map("-{:03d}".format)
    used = rows.pivot_table(index="meter_id", columns="month", values="ccf", aggfunc="sum", fill_value=0).astype(
        "int64"
    )
    read = rows.groupby(["service_id", "month"]).size().unstack(fill_value=0).gt(0)
    first = rows.groupby("service_id")["month"].min()
    services = rows.drop_duplicates("service_id")[["service_id", "cust_id", "cust_class"]]
    services = pd.DataFrame(
        {
            "service_id": services["service_id"],
            "account_id": services["cust_id"].str.zfill(6),
            "customer_class": services["cust_class"],
            "first_month": services["service_id"].map(first),
        }
    ).reset_index(drop=True)
    meters = rows.drop_duplicates("meter_id")[["meter_id", "service_id"]].reset_index(drop=True)
    began = [pd.Timestamp(YEAR, m, READ_DAY) - pd.DateOffset(months=2) for m in meters["service_id"].map(first)]
    meters["start_date"] = pd.Series(began).astype("datetime64[s]")
    return City(services, meters.sort_values("meter_id", ignore_index=True), used, read)


def _short(customer_class: str) -> str:
    return {"RESIDENTIAL_SINGLE": "SF", "RESIDENTIAL_MULTI": "MF"}.get(customer_class, customer_class[:2])


def open_office(city: City, url: str, actor: str) -> Store:
    """A store with the city's tables, January open; the cycle of every service is chosen month by month."""
    store = Store.create(url, actor)
    with store.work(actor, "open_office") as work:
        for name, frame in _tables(city).items():
            write_rows(work, Changes.adding(name, frame))
        work.insert_one("periods", period=f"{YEAR}-01", state="open")
    return store


def _tables(city: City) -> dict[str, pd.DataFrame]:
    days = {name: pd.Series(pd.NaT, index=city.services.index).astype("datetime64[s]") for name in ("a", "b")}
    accounts = city.services.drop_duplicates("account_id")
    accounts = pd.DataFrame(
        {
            "account_id": accounts["account_id"], "name": "Customer " + accounts["account_id"], "mail_street": "", "mail_city": "",
            "email": "", "phone": "", "delivery": "paper", "autopay": "no", "status": "active",
            "opened_on": days["a"].loc[accounts.index], "closed_on": days["a"].loc[accounts.index],
        }
    )  # fmt: skip
    services = city.services.drop(columns="first_month").assign(
        premise="Street", service_type="water", tariff="CITY", meter_size="3/4\"", cycle="REST", route="01", inputs="",
        status="active", started_on=days["a"], ended_on=days["b"],
    )  # fmt: skip
    none = pd.Series(pd.NaT, index=city.meters.index).astype("datetime64[s]")
    meters = city.meters.assign(
        register_id="",
        dials=DIALS,
        unit="CCF",
        multiplier="1",
        status="active",
        set_on=none,
        start_read="0" * DIALS,
        removed_on=none,
        final_read="",
        master_meter="",
    )
    return {
        "policy": starting_policy("City"), "accounts": accounts.reset_index(drop=True), "services": services, "meters": meters,
        "rates": _rates(), "cycles": _cycles(),
        "gl_accounts": pd.DataFrame(
            {
                "gl_account": [RECEIVABLE, CASH, REVENUE, OPENING], "name": ["Receivable", "Cash", "Water sales", "Opening"],
                "role": ["receivable", "cash", "revenue", "opening"],
            }
        ),
    }  # fmt: skip


def _rates() -> pd.DataFrame:
    rows = [
        {
            "rate_id": f"{customer_class[:4]}{customer_class[-2:]}-{n}", "tariff": "CITY", "customer_class": customer_class,
            "component": "Water", "kind": "tiered", "keys": "", "tier": n, "from_unit": str(start), "cap": "", "rate": price,
            "expression": "", "unit": "CCF", "gl_account": REVENUE, "effective_from": pd.Timestamp(2013, 1, 1),
            "effective_to": pd.NaT, "applies_by": "service_days", "resolution": "published", "rounding": "", "on_bill": "",
            "position": 1, "description": "",
        }
        for customer_class, (starts, prices) in TIERS.items()
        for n, (start, price) in enumerate(zip(starts, prices, strict=True), 1)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"effective_from": "datetime64[s]", "effective_to": "datetime64[s]"})


def _cycles() -> pd.DataFrame:
    """Odd months and even months: one cycle is read, billed and closed a month."""
    months = range(1, 13)
    at = {
        name: pd.Series([pd.Timestamp(YEAR, m, day) for m in months]).astype("datetime64[s]")
        for name, day in (
            ("read_from", 10),
            ("read_to", 20),
            ("bill_date", 22),
            ("due_date", 26),
            ("delinquent_date", 27),
        )
    }
    names = ["EVEN" if m % 2 == 0 else "ODD" for m in months]
    return pd.DataFrame(
        {"cycle": names, "period": [f"{YEAR}-{m:02d}" for m in months], **at, "autopay_date": at["due_date"]}
    )


def choose_cycles(store: Store, city: City, month: int, actor: str) -> None:
    """Put the services that are read this month on the month's cycle, the others on the other one."""
    due, other = ("EVEN", "ODD") if month % 2 == 0 else ("ODD", "EVEN")
    # A customer whose rhythm is this month's, but who has no row, stays due: the office must see the missing read.
    steady = city.services["service_id"].map(lambda s: _rhythm(city.read.loc[s]) == month % 2)
    mine = city.services["service_id"].isin(city.due(month)) | (steady & city.services["first_month"].le(month))
    wanted = pd.Series(np.where(mine, due, other), index=city.services["service_id"])
    with store.work(actor, "choose_cycles") as work:
        before = work.table("services")
        moving = before["cycle"].ne(before["service_id"].map(wanted)).to_numpy()
        before = before.loc[moving]
        after = before.assign(cycle=before["service_id"].map(wanted))
        write_rows(work, Changes("services", before.iloc[:0], after, before))


def _rhythm(read: pd.Series) -> int | None:
    """1 for a service that is only read in odd months, 0 for even months, None for one that is read in both."""
    months = {int(month) % 2 for month in read.index[read]}
    return months.pop() if len(months) == 1 else None


def read_file(city: City, month: int, wrong: dict[str, int] | None = None) -> bytes:
    """The month's read file (BEACON layout): every meter of the services read, its dial the sum up to the month.

    `wrong` adds so many ccf to a meter's dial.
    """
    due = city.meters.loc[city.meters["service_id"].isin(city.due(month))]
    dial = city.used.loc[due["meter_id"], list(range(1, month + 1))].sum(axis=1).to_numpy()
    dial = dial + np.array([(wrong or {}).get(meter, 0) for meter in due["meter_id"]])
    lines = [
        f"{service[1:7]},L1,1,{meter},,9,AMR,{value:0{DIALS}d},CCF,,{YEAR}-{month:02d}-{READ_DAY} 06:00"
        for service, meter, value in zip(due["service_id"], due["meter_id"], dial.tolist(), strict=True)
    ]
    head = "Account_ID,Location_ID,Service_Point_ID,Meter_ID,Register_Number,Endpoint_SN,Read_Method,Read,Read_Unit,Billing_Read,Read_Time"
    return ("\r\n".join([head, *lines]) + "\r\n").encode()
