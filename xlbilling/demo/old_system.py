"""The sample district as its old system hands it over: a folder of CSV files, one a table."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from xlbilling.demo.district import District
from xlbilling.trade.aging import age
from xlbilling.trade.reads.rules import Rules, in_force
from xlbilling.words.records import TABLE


def write_old_system(district: District, folder: Path) -> dt.date:
    """Write the tables `xlbilling convert` takes, with the old aging and ledger totals; the day they speak for."""
    folder.mkdir(parents=True, exist_ok=True)
    as_of = district.period.plus(-1).last
    for name, frame in _tables(district, pd.Timestamp(as_of)).items():
        kinds: dict[str, str] = {column: TABLE[name].columns[column].kind for column in frame.columns}
        _write(folder / f"{name}.csv", frame.drop(columns="rev", errors="ignore"), kinds)
    history = district.history[["service_id", "service_from", "service_to", "consumption", "unit", "read_code"]]
    _write(folder / "history.csv", history, {"service_from": "date", "service_to": "date", "consumption": "quantity"})
    balances = _balances(district, as_of)
    _write(folder / "balances.csv", balances, {"date": "date", "amount": "money"})
    documents = balances.rename(columns={"date": "age_from", "amount": "amount_cents"})
    aged = age(documents, as_of).drop(columns=["account_id"]).sum()
    buckets = pd.DataFrame({"bucket": [_bucket(name) for name in aged.index], "amount": aged.to_numpy()})
    _write(folder / "old_aging.csv", buckets, {"amount": "money"})
    receivable = district.gl_accounts.loc[district.gl_accounts["role"].eq("receivable"), "gl_account"].iloc[0]
    old_gl = pd.DataFrame({"gl_account": [receivable], "amount": [int(balances["amount"].sum())]})
    _write(folder / "old_gl.csv", old_gl, {"amount": "money"})
    return as_of


def _tables(district: District, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """The tables as of that day; customers who move in later are not in the old system."""
    tables = dict(district.tables)
    later = tables["meters"].loc[tables["meters"]["start_date"].gt(as_of), "service_id"]
    gone = tables["services"]["service_id"].isin(later)
    moved_in = tables["services"].loc[gone, "account_id"]
    tables["services"] = tables["services"].loc[~gone]
    tables["meters"] = tables["meters"].loc[~tables["meters"]["service_id"].isin(later)]
    alone = tables["accounts"]["account_id"].isin(moved_in) & ~tables["accounts"]["account_id"].isin(
        tables["services"]["account_id"]
    )
    tables["accounts"] = tables["accounts"].loc[~alone]
    return tables


def _balances(district: District, as_of: dt.date) -> pd.DataFrame:
    """The opening balances by document and charge; a document is one old bill of one service."""
    opening = district.opening
    by_due = Rules.of(in_force(district.policy, as_of)).text("aging", "age_from") == "due_date"
    document = "OLD-" + opening["service_id"] + "-" + opening["bill_date"].dt.strftime("%y%m")
    made = opening.assign(
        document=document.where(opening["amount"].ge(0), "CR-" + opening["account_id"]),
        date=opening["due_date" if by_due else "bill_date"],
    )
    return made[["account_id", "document", "date", "amount", "charge"]]


def _bucket(name: str) -> str:
    """An aging column as old reports head it: days_31_60 -> 31-60."""
    return name.removeprefix("days_").replace("over_", "over ").replace("_", "-")


def _write(path: Path, frame: pd.DataFrame, kinds: dict[str, str]) -> None:
    columns = {name: [_TEXT.get(kinds.get(name, ""), str)(value) for value in frame[name]] for name in frame.columns}
    with path.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _day(value: Any) -> str:
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"


def _decimal(places: int) -> Callable[[Any], str]:
    def text(value: Any) -> str:
        whole, part = divmod(abs(int(value)), 10**places)
        return f"{'-' if value < 0 else ''}{whole}.{part:0{places}d}"

    return text


_TEXT: dict[str, Callable[[Any], str]] = {"date": _day, "money": _decimal(2), "quantity": _decimal(6)}
