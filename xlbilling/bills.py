"""Bills: the due services of a run priced for their service periods, or held with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.inputs import BAD_INPUT, inputs
from xlbilling.problems import Place, Problem
from xlbilling.tariffs import RateBook, price


@dataclass(frozen=True, slots=True)
class Terms:
    """What a run's bills carry: the run's dates and unit, and how first and last bills are prorated."""

    cycle: str
    period: str
    bill_date: pd.Timestamp
    due_date: pd.Timestamp
    unit: str
    nominal_days: int | None  # None: fixed charges of first and last bills are charged whole


@dataclass(frozen=True, slots=True)
class Drafts:
    """Draft bills with their lines; a held service has a bill row of state `held`, no lines, and says why."""

    bills: pd.DataFrame
    lines: pd.DataFrame
    problems: list[Problem]


def compute(terms: Terms, services: pd.DataFrame, book: RateBook) -> Drafts:
    """Price every due service for its service period; a service that cannot be priced exactly is held, never guessed.

    `services`: service_id, account_id, customer_class, tariff, meter_size, inputs, service_from, service_to, days,
    consumption (millionths of the billing unit), read_code, hold, replaces (number of the bill it is billed anew for),
    part (bool: first or last bill, prorated by days), carried (part of a unit left for the next bill), estimate (how an
    estimated read was estimated).
    """
    services = services.reset_index(drop=True)
    priced = price(book, _usage(terms, services))
    refused = {p.place.key: p for p in priced.problems}
    hold = services["hold"].astype(object)
    told = services["service_id"].isin(list(refused)) & hold.eq("")
    hold[told] = [str(refused[key]) for key in services.loc[told, "service_id"]]
    bad = _bad_inputs(services)
    hold = hold.where(hold.ne("") | ~services["service_id"].isin(bad), "other inputs cannot be read")
    billable = hold.eq("").to_numpy(dtype=bool)
    lines = priced.lines.loc[billable[priced.lines["row"].to_numpy()]]
    rows = lines["row"].to_numpy()
    amount = np.bincount(rows, weights=None, minlength=len(services)) * 0
    np.add.at(amount, rows, lines["amount_cents"].to_numpy(dtype=np.int64))
    keys = services["service_id"] + " " + services["service_to"].dt.strftime("%Y-%m-%d")
    bills = pd.DataFrame(
        {
            "bill_key": keys,
            "account_id": services["account_id"],
            "service_id": services["service_id"],
            "customer_class": services["customer_class"],
            "tariff": services["tariff"],
            "cycle": terms.cycle,
            "period": terms.period,
            "service_from": services["service_from"],
            "service_to": services["service_to"],
            "days": services["days"],
            "consumption": services["consumption"],
            "unit": terms.unit,
            "read_code": services["read_code"],
            "amount": amount,
            "bill_date": terms.bill_date,
            "due_date": terms.due_date,
            "state": np.where(billable, "draft", "held"),
            "why": hold.where(~billable, np.where(services["replaces"].ne(""), "replaces " + services["replaces"], "")),
            "replaces": services["replaces"],
            "carried": services["carried"],
            "estimate": services["estimate"],
            "meter_size": services["meter_size"],
            "inputs": services["inputs"],
            "nominal_days": np.where(services["part"], terms.nominal_days or 0, 0),
        }
    )
    return Drafts(bills, _lines(lines, keys), [*priced.problems, *bad.values()])


def _usage(terms: Terms, services: pd.DataFrame) -> pd.DataFrame:
    usage = pd.DataFrame(
        {
            "key": services["service_id"],
            "tariff": services["tariff"],
            "customer_class": services["customer_class"],
            "meter_size": services["meter_size"],
            "consumption": services["consumption"].where(services["hold"].eq(""), 0),
            "service_from": services["service_from"],
            "service_to": services["service_to"],
            "bill_date": terms.bill_date,
        }
    )
    if terms.nominal_days is not None and services["part"].any():
        usage["nominal_days"] = np.where(services["part"], terms.nominal_days, 0)
    read = {text: inputs(text) for text in services["inputs"].unique()}
    for name in sorted({name for given in read.values() for name in given or {}}):
        usage[name] = services["inputs"].map({text: (given or {}).get(name, "") for text, given in read.items()})
    return usage


def _bad_inputs(services: pd.DataFrame) -> dict[str, Problem]:
    wrong = [text for text in services["inputs"].unique() if inputs(text) is None]
    bad = services.loc[services["inputs"].isin(wrong)]
    rows = zip(bad["service_id"].astype("str"), bad["inputs"], strict=True)
    return {
        service: BAD_INPUT.at(Place("services", service, "inputs"), f"{given!r} is not a list of inputs")
        for service, given in rows
    }


def _lines(priced: pd.DataFrame, keys: pd.Series[Any]) -> pd.DataFrame:
    """Priced lines as bill lines, numbered from 1 on each bill."""
    rows = priced["row"].to_numpy()
    starts = np.r_[True, rows[1:] != rows[:-1]] if len(rows) else np.array([], dtype=bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0)) if len(rows) else rows
    return pd.DataFrame(
        {
            "bill_key": keys.to_numpy()[rows],
            "line": np.arange(len(rows)) - first + 1,
            "charge": priced["charge"].to_numpy(),
            "tier": priced["tier"].to_numpy(),
            "quantity": priced["quantity"].to_numpy(),
            "rate": priced["rate"].to_numpy(),
            "unit": priced["unit"].to_numpy(),
            "amount": priced["amount_cents"].to_numpy(),
            "gl_account": priced["gl_account"].to_numpy(),
            "segment_from": priced["segment_from"].to_numpy(),
            "segment_to": priced["segment_to"].to_numpy(),
            "basis": priced["basis"].to_numpy(),
            "effective_from": priced["effective_from"].to_numpy(),
            "resolution": priced["resolution"].to_numpy(),
        }
    )
