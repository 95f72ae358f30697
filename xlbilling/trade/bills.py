"""Bills: the due services of a run priced for their service periods, one bill an account, or held with a reason."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.inputs import BAD_INPUT, inputs
from xlbilling.trade.tariffs import RateBook, price
from xlbilling.words.problems import Place, Problem
from xlbilling.words.states import DRAFT, HELD, LEFT, WAITS


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
    """Draft bills, one an account, with their sections, one a service, and their lines.

    A bill that is held has the state `held`, no amount and no lines; each of its sections says why it is held itself
    (`held`) or which others it waits for (`waits`). A section that the bill goes without is `left`.
    """

    bills: pd.DataFrame
    sections: pd.DataFrame
    lines: pd.DataFrame
    problems: list[Problem]


def compute(terms: Terms, services: pd.DataFrame, book: RateBook) -> Drafts:
    """One bill for all due services of an account; a service that cannot be priced exactly holds it, never a guess.

    `services`: service_id, account_id, customer_class, tariff, meter_size, inputs, service_from, service_to, days,
    consumption (millionths of the billing unit), read_code, hold (why it cannot be billed, or blank), left_out (why its
    account's bill is to go without it while it is held, or blank), replaces (number of the bill it is billed anew for),
    part (bool: first or last bill, prorated by days), ends (bool: the service ends with this bill), carried (part of a
    unit left for the next bill), estimate (how an estimated read was estimated).
    """
    services = services.sort_values(["account_id", "service_id"], kind="stable").reset_index(drop=True)
    priced = price(book, _usage(terms, services))
    bad = _bad_inputs(services)
    hold = _holds(services, priced.problems, bad)
    bill, accounts = pd.factorize(services["account_id"])  # the bill of each service; sorted, so in the bills' order
    keys = pd.Series(accounts.to_numpy(), dtype="str") + f" {terms.cycle} {terms.period}"
    sections = _sections(terms, services, hold, bill, keys)
    billable = sections["state"].eq(DRAFT).to_numpy(dtype=bool)
    lines = priced.lines.loc[billable[priced.lines["row"].to_numpy()]]
    sections["amount"] = _summed(lines["amount_cents"], lines["row"].to_numpy(), len(services))
    bills = _documents(terms, services, sections, bill, keys)
    return Drafts(bills, sections, _lines(lines, services["service_id"], bill, keys), [*priced.problems, *bad.values()])


def _holds(services: pd.DataFrame, refused: list[Problem], bad: dict[str, Problem]) -> pd.Series[str]:
    """Why each service cannot be billed: its reads, the rates, its inputs; blank where it can."""
    hold = services["hold"].astype(object)
    told = {problem.place.key: str(problem) for problem in refused}
    by_rates = services["service_id"].isin(list(told)) & hold.eq("")
    hold[by_rates] = services.loc[by_rates, "service_id"].map(told)
    return hold.where(hold.ne("") | ~services["service_id"].isin(list(bad)), "other inputs cannot be read")


def _sections(
    terms: Terms, services: pd.DataFrame, hold: pd.Series[str], bill: npt.NDArray[np.intp], keys: pd.Series[str]
) -> pd.DataFrame:
    """The services as sections of their bills, each draft, held, waits or left; amounts are still 0."""
    held = hold.ne("").to_numpy(dtype=bool)
    left = held & services["left_out"].ne("").to_numpy(dtype=bool)
    holding, count = held & ~left, len(keys)
    stopped = np.bincount(bill[holding], minlength=count) > 0
    stopped |= np.bincount(bill[~held], minlength=count) == 0  # nothing would be on the bill
    state = np.select([left, holding, stopped[bill]], [LEFT, HELD, WAITS], DRAFT).astype(object)
    why = hold.mask(left, "left out: " + services["left_out"] + " (" + hold + ")")
    if (state == WAITS).any():
        named = services["service_id"][holding].groupby(bill[holding]).agg(", ".join)
        why = why.mask(
            state == WAITS, pd.Series("waits for service ", index=why.index) + named.reindex(bill).to_numpy()
        )
    return pd.DataFrame(
        {
            "bill_key": keys.to_numpy()[bill],
            "service_id": services["service_id"],
            "customer_class": services["customer_class"],
            "tariff": services["tariff"],
            "service_from": services["service_from"],
            "service_to": services["service_to"],
            "days": services["days"],
            "consumption": services["consumption"],
            "unit": terms.unit,
            "read_code": services["read_code"],
            "amount": 0,
            "carried": services["carried"],
            "estimate": services["estimate"],
            "meter_size": services["meter_size"],
            "inputs": services["inputs"],
            "nominal_days": np.where(services["part"], terms.nominal_days or 0, 0),
            "state": state,
            "why": why,
        }
    )


def _documents(
    terms: Terms,
    services: pd.DataFrame,
    sections: pd.DataFrame,
    bill: npt.NDArray[np.intp],
    keys: pd.Series[str],
) -> pd.DataFrame:
    """The bills of the sections: the sum of those that are billed, held where one of them is, final where all end."""
    count = len(keys)
    billed = np.bincount(bill[sections["state"].eq(DRAFT).to_numpy()], minlength=count) > 0
    goes_on = (
        np.bincount(
            bill[~services["ends"].to_numpy(dtype=bool) | sections["state"].eq(LEFT).to_numpy()], minlength=count
        )
        > 0
    )
    replaces = _joined(services["replaces"], bill, count, ", ")
    said = sections["service_id"] + ": " + sections["why"]
    held = _joined(said.where(sections["state"].isin([HELD, LEFT]), ""), bill, count, "; ")
    left = (sections["service_id"] + ": " + services["left_out"]).where(sections["state"].eq(LEFT), "")
    without = _joined(left, bill, count, "; ")
    notes = np.where(replaces != "", "replaces " + replaces, "")
    notes = np.where((notes != "") & (without != ""), notes + "; ", notes) + np.where(
        without != "", "without " + without, ""
    )
    return pd.DataFrame(
        {
            "bill_key": keys.to_numpy(),
            "kind": np.where(goes_on, "bill", "final bill"),
            "account_id": services["account_id"].to_numpy()[np.searchsorted(bill, np.arange(count))],
            "cycle": terms.cycle,
            "period": terms.period,
            "amount": _summed(sections["amount"], bill, count),
            "bill_date": terms.bill_date,
            "due_date": terms.due_date,
            "state": np.where(billed, DRAFT, HELD),
            "why": np.where(billed, notes, held),
            "replaces": replaces,
        }
    )


def _summed(amounts: pd.Series[int], of: npt.NDArray[np.intp], count: int) -> npt.NDArray[np.int64]:
    """Cents summed to what each is of."""
    made = np.zeros(count, dtype=np.int64)
    np.add.at(made, of, amounts.to_numpy(dtype=np.int64))
    return made


def _joined(texts: pd.Series[str], bill: npt.NDArray[np.intp], count: int, between: str) -> npt.NDArray[np.object_]:
    """The different texts of each bill that are not blank, in order; blank where there is none."""
    made = np.full(count, "", dtype=object)
    there = texts.ne("").to_numpy(dtype=bool)
    if there.any():
        told = texts[there].groupby(bill[there]).agg(lambda of_bill: between.join(dict.fromkeys(of_bill)))
        made[told.index.to_numpy()] = told.to_numpy(dtype=object)
    return made


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


def _lines(
    priced: pd.DataFrame, services: pd.Series[str], bill: npt.NDArray[np.intp], keys: pd.Series[str]
) -> pd.DataFrame:
    """Priced lines as bill lines, section after section, numbered from 1 through each bill."""
    rows = priced["row"].to_numpy()
    of_bill = bill[rows]
    starts = np.r_[True, of_bill[1:] != of_bill[:-1]] if len(rows) else np.array([], dtype=bool)
    first = np.maximum.accumulate(np.where(starts, np.arange(len(rows)), 0)) if len(rows) else rows
    return pd.DataFrame(
        {
            "bill_key": keys.to_numpy()[of_bill],
            "line": np.arange(len(rows)) - first + 1,
            "service_id": services.to_numpy()[rows],
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
