"""Rate study: the whole customer base priced on two sets of rates, side by side. Nothing here can be posted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.tariffs import Priced, RateBook, price
from xlbilling.words.problems import Problem

Cents = npt.NDArray[np.int64]
Which = Literal["current", "proposed"]

ALWAYS: Final = dt.date(1900, 1, 1)
SEVERAL: Final = "several classes"
SHOWN_CHANGES: Final = 25
BAND_ENDS: Final = (5, 10, 20, 50)
BANDS: Final = (
    "over 50 % less", "20 to 50 % less", "10 to 20 % less", "5 to 10 % less", "up to 5 % less", "no change",
    "up to 5 % more", "5 to 10 % more", "10 to 20 % more", "20 to 50 % more", "over 50 % more", "was 0.00 or a credit",
)  # fmt: skip
_MILLION: Final = 1_000_000
_SUMMED: Final = ("bills", "consumption", "current", "proposed", "change")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A bill that one of the two sets of rates cannot price; it counts in neither."""

    key: str
    account_id: str
    customer_class: str
    rates: Which
    problem: Problem


@dataclass(frozen=True, slots=True)
class Study:
    """What changes: money int64 cents, consumption int64 millionths, percent Int64 millionths of a percent (NA: of nothing).

    `accounts`: account_id, customer_class, bills, consumption, current, proposed, change, percent. `by_class`: the same
    sums, accounts, and how many pay more, less and the same. `by_charge`: customer_class, charge, tier, quantity and
    revenue on both. `deciles`: accounts in order of consumption, in ten equal groups. `bands`: accounts by how much
    their bills change. `largest`: the accounts with the greatest increases, then those with the greatest decreases.
    """

    accounts: pd.DataFrame
    by_class: pd.DataFrame
    by_charge: pd.DataFrame
    deciles: pd.DataFrame
    bands: pd.DataFrame
    largest: pd.DataFrame
    left_out: list[LeftOut]


def study(current: RateBook, proposed: RateBook, bills: pd.DataFrame) -> Study:
    """Price every bill on both sets of rates and compare; a bill that either cannot price counts in neither.

    `bills`: as `price` takes services, one row a service and service period, with account_id; key is unique.
    """
    bills = bills.reset_index(drop=True)
    usage = bills.drop(columns=["account_id"])
    priced: dict[Which, Priced] = {
        "current": price(current, usage, with_basis=False),
        "proposed": price(proposed, usage, with_basis=False),
    }
    left_out = _left_out(bills, {name: result.refused for name, result in priced.items()})
    counted = np.ones(len(bills), dtype=np.bool_)
    counted[[row for result in priced.values() for row in result.refused]] = False
    lines = {name: result.lines.loc[counted[result.lines["row"].to_numpy()]] for name, result in priced.items()}
    each = bills[["account_id", "customer_class", "consumption"]].assign(
        bills=1, **{name: _row_totals(of_rates, len(bills)) for name, of_rates in lines.items()}
    )
    each = each.loc[counted].assign(change=lambda rows: rows["proposed"] - rows["current"])
    accounts = _accounts(each)
    return Study(
        accounts,
        _by_class(each),
        _by_charge(bills, lines),
        _deciles(accounts),
        _bands(accounts),
        _largest(accounts),
        left_out,
    )


def _left_out(bills: pd.DataFrame, refused: dict[Which, dict[int, Problem]]) -> list[LeftOut]:
    """Each bill that could not be priced, once; where neither set of rates can, the current ones say why."""
    keys, accounts, classes = (bills[name].astype(str).tolist() for name in ("key", "account_id", "customer_class"))
    found: dict[int, LeftOut] = {}
    for name, rows in refused.items():
        for row in sorted(rows):
            found.setdefault(row, LeftOut(keys[row], accounts[row], classes[row], name, rows[row]))
    return list(found.values())


def as_of(rates: pd.DataFrame, day: dt.date) -> pd.DataFrame:
    """The Rates rows in force on a day, as if they always were: a study compares rates, not the dates of their change."""
    rates = rates.loc[pd.to_datetime(rates["effective_from"]).le(pd.Timestamp(day))]
    start = pd.to_datetime(rates["effective_from"])
    ended = pd.to_datetime(rates["effective_to"]) if "effective_to" in rates.columns else pd.Series(pd.NaT, rates.index)
    latest = start.groupby([rates[name] for name in ("tariff", "customer_class", "component")]).transform("max")
    found = rates.loc[start.eq(latest) & ~ended.lt(pd.Timestamp(day))].copy()
    found["effective_from"], found["effective_to"] = ALWAYS, None
    # What a change of rates goes by has no meaning where nothing changes; a season still says what its turn goes by.
    found["applies_by"] = found["applies_by"].where(found["kind"].eq("season"), "service_days")
    return found


def replaced(rates: pd.DataFrame, proposed: pd.DataFrame) -> pd.DataFrame:
    """The current rates with every schedule and class that the proposal has taken from the proposal."""
    columns = ["tariff", "customer_class"]
    there = pd.MultiIndex.from_frame(proposed[columns].astype(str))
    kept = rates.loc[~pd.MultiIndex.from_frame(rates[columns].astype(str)).isin(there)]
    return pd.concat([kept, proposed], ignore_index=True)


def _row_totals(lines: pd.DataFrame, count: int) -> Cents:
    """The sum of each row's lines; the lines are in the order of their rows."""
    ends = np.cumsum(np.bincount(lines["row"].to_numpy(), minlength=count))
    running = np.concatenate([[0], np.cumsum(lines["amount_cents"].to_numpy(dtype=np.int64))])
    totals: Cents = np.diff(running[np.concatenate([[0], ends])])
    return totals


def percent(change: Any, of: Any) -> Any:
    """Change in percent of what was billed before, in millionths, to two decimals; NA where nothing or less was billed."""
    before = pd.Series(of).to_numpy(dtype=np.float64)
    shares = pd.Series(change).to_numpy(dtype=np.float64) / np.where(before > 0, before, 1) * 100
    return pd.arrays.IntegerArray((np.rint(shares * 100) * (_MILLION // 100)).astype(np.int64), before <= 0)


def _accounts(each: pd.DataFrame) -> pd.DataFrame:
    """One row an account, by account number."""
    grouped = each.groupby("account_id", sort=True)
    made = grouped[list(_SUMMED)].sum()
    classes = grouped["customer_class"].agg(["first", "nunique"])
    made.insert(0, "customer_class", classes["first"].astype(object).where(classes["nunique"].eq(1), SEVERAL))
    return made.assign(percent=percent(made["change"], made["current"])).reset_index()


def _by_class(each: pd.DataFrame) -> pd.DataFrame:
    """Revenue of each class on both, and how many of its accounts pay more, less or the same."""
    summed = each.groupby("customer_class", sort=True)[list(_SUMMED)].sum()
    change = each.groupby(["customer_class", "account_id"])["change"].sum()
    counts = pd.DataFrame({"accounts": 1, "more": change.gt(0), "less": change.lt(0), "same": change.eq(0)})
    told = counts.groupby("customer_class")[["accounts", "more", "less", "same"]].sum().astype("int64")
    made = summed.join(told)
    return made.assign(percent=percent(made["change"], made["current"])).reset_index()


def _by_charge(bills: pd.DataFrame, lines: dict[Which, pd.DataFrame]) -> pd.DataFrame:
    """Units and revenue of each charge and tier of each class on both, in printed order."""
    classes = bills["customer_class"].astype(str).to_numpy()
    found = []
    for name, of_rates in lines.items():
        frame = pd.DataFrame(
            {
                "customer_class": classes[of_rates["row"].to_numpy()],
                "charge": of_rates["charge"].astype(str).to_numpy(),
                "tier": of_rates["tier"].to_numpy(),
                f"{name}_quantity": of_rates["quantity"].to_numpy(),
                name: of_rates["amount_cents"].to_numpy(),
            }
        )
        found.append(frame.groupby(["customer_class", "charge", "tier"], sort=False).sum())
    made = found[0].join(found[1], how="outer", sort=False).fillna(0).astype("int64").reset_index()
    printed = list(dict.fromkeys([*_charges(lines["current"]), *_charges(lines["proposed"])]))
    made["place"] = made["charge"].map({charge: at for at, charge in enumerate(printed)})
    made = made.sort_values(["customer_class", "place", "tier"]).drop(columns="place")
    return made.assign(change=made["proposed"] - made["current"]).reset_index(drop=True)


def _charges(lines: pd.DataFrame) -> list[str]:
    """The charges in the order bills print them."""
    return [str(charge) for charge in lines["charge"].drop_duplicates()]


def _deciles(accounts: pd.DataFrame) -> pd.DataFrame:
    """Accounts in order of consumption in ten groups of equal size, with what each group pays."""
    order = accounts.sort_values(["consumption", "account_id"], kind="stable").reset_index(drop=True)
    grouped = order.assign(
        decile=np.arange(len(order)) * 10 // max(len(order), 1) + 1,
        accounts=1,
        more=order["change"].gt(0).astype("int64"),
        less=order["change"].lt(0).astype("int64"),
    ).groupby("decile")
    made = grouped[["accounts", *_SUMMED, "more", "less"]].sum()
    made.insert(1, "least", grouped["consumption"].min())
    made.insert(2, "most", grouped["consumption"].max())
    average = {f"average_{name}": _average(made[name], made["bills"]) for name in ("current", "proposed", "change")}
    return made.assign(**average, percent=percent(made["change"], made["current"])).reset_index()


def _average(cents: pd.Series[Any], count: pd.Series[Any]) -> Cents:
    """Cents by count, half away from zero to the cent."""
    total, of = cents.to_numpy(dtype=np.int64), count.to_numpy(dtype=np.int64)
    found: Cents = np.sign(total) * ((2 * np.abs(total) + of) // (2 * of))
    return found


def _bands(accounts: pd.DataFrame) -> pd.DataFrame:
    """How many accounts' bills change by how much; every band is there, also the empty ones.

    Compared in whole cents: a change of exactly 5 % still belongs to the band up to 5 %.
    """
    change, before = (accounts[name].to_numpy(dtype=np.int64) for name in ("change", "current"))
    beyond = sum((np.abs(change) * 100 > edge * before).astype(np.int64) for edge in BAND_ENDS)
    place = len(BANDS) // 2 - 1 + np.sign(change) * (1 + beyond)
    place = np.where((before <= 0) & (change != 0), len(BANDS) - 1, place)
    summed = pd.Series(change).groupby(place).sum().reindex(range(len(BANDS)), fill_value=0)
    counted = np.bincount(place, minlength=len(BANDS))
    return pd.DataFrame({"band": BANDS, "accounts": counted, "change": summed.to_numpy(dtype=np.int64)})


def _largest(accounts: pd.DataFrame) -> pd.DataFrame:
    """The greatest increases, then the greatest decreases, in dollars."""
    ordered = accounts.sort_values(["change", "account_id"], ascending=[False, True], kind="stable")
    up = ordered.loc[ordered["change"].gt(0)].head(SHOWN_CHANGES)
    down = ordered.loc[ordered["change"].lt(0)].tail(SHOWN_CHANGES).iloc[::-1]
    return pd.concat([up, down], ignore_index=True)
