"""Opening balances: what the sample district's customers still owe of the bills before the first run."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from xlbilling.demo.cycles import CYCLES, DUE_DAYS
from xlbilling.demo.flow import frame_of
from xlbilling.trade.tariffs import price, rate_book
from xlbilling.words.periods import AccountingPeriod

COLUMNS: Final = ["account_id", "service_id", "charge", "bill_date", "due_date", "amount"]


def opening_balances(
    rng: np.random.Generator,
    services: pd.DataFrame,
    history: pd.DataFrame,
    rates: pd.DataFrame,
    period: AccountingPeriod,
) -> pd.DataFrame:
    """What is open of each service's last two bills, priced at the rates of their day, and money on account.

    Most owe a bill that is not due yet, few an older one; one in five of those has paid all but the water.
    """
    bills = _bills(services, history)
    at = pd.Index(services["service_id"]).get_indexer(pd.Index(bills["service_id"]))
    draw = rng.random((3, len(services)))[:, at]
    fresh = bills["due_date"].ge(pd.Timestamp(period.first)).to_numpy()
    last_fresh = pd.Series(fresh).groupby(bills["service_id"]).transform("max").to_numpy()
    owes = draw[0] < np.where(last_fresh, 0.62, 0.09)
    latest = bills["latest"].to_numpy(dtype=bool)
    is_open = owes & (latest | (draw[1] < 0.1))
    water_only = (draw[2] < 0.2) & latest
    lines = _priced(bills.loc[is_open].assign(water_only=water_only[is_open]).reset_index(drop=True), rates)
    credits_ = _on_account(rng, services, lines, period)
    made = pd.concat([lines, credits_], ignore_index=True)
    return made.sort_values(["account_id", "service_id", "bill_date", "charge"], ignore_index=True)


def _bills(services: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """The last two bills of each service: its history with the dates they carried."""
    newest_first = history.groupby("service_id").cumcount(ascending=False)
    columns = ["service_id", "account_id", "customer_class", "tariff", "meter_size", "cycle"]
    bills = history.assign(latest=newest_first.eq(0)).loc[newest_first.lt(2)].merge(services[columns], on="service_id")
    bill_day = bills["cycle"].map({cycle.name: cycle.bill_day for cycle in CYCLES})
    month = bills["service_to"].to_numpy().astype("datetime64[M]").astype("datetime64[D]")
    bill_date = month + (bill_day.to_numpy() - 1).astype("timedelta64[D]")
    bills["bill_date"] = bill_date.astype("datetime64[s]")
    bills["due_date"] = (bill_date + DUE_DAYS).astype("datetime64[s]")
    return bills


def _priced(bills: pd.DataFrame, rates: pd.DataFrame) -> pd.DataFrame:
    """The open charges of these bills; only the water charge where that is all that was left unpaid."""
    book, problems = rate_book(rates)
    priced = price(book, bills.rename(columns={"service_id": "key"}), with_basis=False)
    if problems or priced.problems:
        raise ValueError(f"the sample schedules do not price: {[*problems, *priced.problems][0]}")
    rows = priced.lines["row"].to_numpy()
    made = bills[["account_id", "service_id", "bill_date", "due_date", "water_only"]].iloc[rows].reset_index(drop=True)
    made["charge"] = priced.lines["charge"].astype("str").to_numpy()
    made["amount"] = priced.lines["amount_cents"].to_numpy(dtype=np.int64)
    has_water = made["charge"].eq("Water").groupby(made["service_id"]).transform("any")
    made = made.loc[~made["water_only"] | ~has_water | made["charge"].eq("Water")]
    summed = made.groupby(COLUMNS[:-1])["amount"].sum().reset_index()
    return summed.loc[summed["amount"].ne(0), COLUMNS]


def _on_account(
    rng: np.random.Generator, services: pd.DataFrame, lines: pd.DataFrame, period: AccountingPeriod
) -> pd.DataFrame:
    """Money paid ahead by a few customers who owe nothing."""
    free = services.loc[services["service_type"].eq("water") & services["status"].eq("active")]
    free = free.loc[~free["account_id"].isin(lines["account_id"].unique())].drop_duplicates("account_id")
    free = free.loc[rng.random(len(free)) < 0.02]
    day = np.full(len(free), np.datetime64(period.plus(-1).last, "D"))
    return frame_of(
        {
            "account_id": free["account_id"].to_numpy(),
            "service_id": free["service_id"].to_numpy(),
            "charge": np.full(len(free), "On account", dtype=object),
            "bill_date": day,
            "due_date": day,
            "amount": -rng.integers(1000, 9000, len(free)),
        }
    )
