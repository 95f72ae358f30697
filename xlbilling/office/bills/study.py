"""Rate study: proposed rates from a file tried on the bills of a year; it reads the store and writes one workbook."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from xlbilling.intake.files.listing import Listing, read_listing, values
from xlbilling.intake.tariff_file import read_tariff
from xlbilling.office.desk.desk import policy_on, today
from xlbilling.papers.study import StudyFacts
from xlbilling.papers.study import rate_study as write_study
from xlbilling.papers.template import template_file
from xlbilling.store import Store
from xlbilling.trade.inputs import BAD_INPUT, inputs
from xlbilling.trade.reads import Rules
from xlbilling.trade.study import LeftOut, Study, as_of, replaced, study
from xlbilling.trade.tariffs import RATE_COLUMNS, rate_book
from xlbilling.trade.tariffs.owrs import owrs_rates
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Problem, Refusal, declare
from xlbilling.words.records import TABLE

OWRS_ENDINGS: Final = (".owrs", ".yaml", ".yml")
NOTHING: Final = declare(
    "nothing_to_study", "No bill and no consumption history ends in the time asked for.", "Name other days."
)
PROPOSAL: Final = declare(
    "study_proposal", "The proposed rates cannot be used as they are.", "Correct the file and run the study again."
)
WHICH_SCHEDULE: Final = declare(
    "study_schedule",
    "It is not certain which rate schedule the proposed rates stand for.",
    "Name it with --schedule, as it is called on Services.",
)


@dataclass(frozen=True, slots=True)
class Studied:
    """A study that was made: the workbook, what it says in a sentence, the study itself and what was odd."""

    path: Path
    said: str
    study: Study
    notes: list[Problem]


def rate_study(
    store: Store, proposal: Path, first: dt.date, last: dt.date, target: Path, schedule: str = ""
) -> Studied:
    """Price every service period that ends from `first` to `last` on the current and the proposed rates.

    `proposal`: Rates rows (CSV or a workbook with the sheet's headings), or an OWRS file, which stands for the rate
    schedule `schedule`. Its schedules and classes replace the current ones whole; others stay. Posted bills give
    service period and consumption, the consumption history where there is no bill. Current are the rates in force on
    `last`; proposed, for each schedule, the newest in the file. Nothing is written to the store.
    """
    rates = store.table("rates")
    bills = _bills(store, first, last)
    if bills.empty:
        raise Refusal(NOTHING.at(Place(table="bills"), f"nothing ends from {first} to {last}"))
    offered, notes = _proposal(proposal, schedule, bills)
    _refuse_unusable(proposal, offered)
    current = as_of(rates, last)
    (now, problems), (then, _) = rate_book(current), rate_book(replaced(current, offered))
    usage, bad = _usage(bills)
    found = study(now, then, usage)
    found.left_out.extend(bad)
    template = template_file("rate-study.xlsx", store.path.parent if store.path else None)
    write_study(template, target, _facts(store, proposal, first, last, bills), found)
    return Studied(target, _said(target, found), found, [*problems, *notes])


# ---- the bills ----------------------------------------------------------------------------------------------------

_POSTED: Final = """
    SELECT b.service_id, b.account_id, b.customer_class, b.tariff, b.meter_size, b.inputs, b.service_from, b.service_to,
           b.consumption, b.bill_date, 'bill' AS source
      FROM standing b
     WHERE b.service_to >= :first AND b.service_to <= :last
"""
_EARLIER: Final = """
    SELECT h.service_id, s.account_id, s.customer_class, s.tariff, s.meter_size, s.inputs, h.service_from, h.service_to,
           h.consumption, h.service_to AS bill_date, 'history' AS source
      FROM consumption_history h JOIN services s ON s.service_id = h.service_id
     WHERE h.service_to >= :first AND h.service_to <= :last
       AND NOT EXISTS (SELECT 1 FROM standing_bills t WHERE t.service_id = h.service_id AND t.service_to = h.service_to)
"""


def _bills(store: Store, first: dt.date, last: dt.date) -> pd.DataFrame:
    """Every service period that ends in the time asked for, billed or from before the store, once."""
    days = {"first": first.isoformat(), "last": last.isoformat()}
    return store.query(
        "service_id account_id customer_class tariff meter_size inputs service_from:day service_to:day consumption:int bill_date:day source",
        f"{_POSTED} UNION ALL {_EARLIER} ORDER BY 1, 8",
        **days,
    )


def _usage(bills: pd.DataFrame) -> tuple[pd.DataFrame, list[LeftOut]]:
    """The bills as pricing takes them; those whose other inputs cannot be read are left out, each with its problem."""
    key = bills["service_id"] + " " + bills["service_to"].dt.strftime("%Y-%m-%d")
    usage = bills.assign(key=key).drop(columns=["source", "service_id"])
    texts = {text: inputs(text) for text in usage["inputs"].unique()}
    bad = usage.loc[usage["inputs"].map({text: given is None for text, given in texts.items()}).astype(bool)]
    columns = (bad[name].tolist() for name in ("key", "account_id", "customer_class", "inputs"))
    left_out = [
        LeftOut(key, account, of_class, "current", _bad_input(key, text))
        for key, account, of_class, text in zip(*columns, strict=True)
    ]
    usage = usage.drop(index=bad.index)
    for name in sorted({name for given in texts.values() for name in given or {}}):
        usage[name] = usage["inputs"].map({text: (given or {}).get(name, "") for text, given in texts.items()})
    return usage.drop(columns=["inputs"]).reset_index(drop=True), left_out


def _bad_input(key: str, text: str) -> Problem:
    return BAD_INPUT.at(Place("services", key, "inputs"), f"{text!r} is not a list of inputs")


# ---- the proposal -------------------------------------------------------------------------------------------------


def _proposal(path: Path, schedule: str, bills: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    """The proposed Rates rows, the newest of each schedule and class as if always in force, and what was odd."""
    owrs = path.suffix.casefold() in OWRS_ENDINGS
    rows, notes = _from_owrs(path, schedule, bills) if owrs else (_from_listing(path), [])
    if schedule and not owrs:
        rows = rows.loc[rows["tariff"].eq(schedule)]
    if rows.empty:
        raise Refusal(PROPOSAL.at(Place(file=path.name), f"it has no rates{f' of {schedule}' if schedule else ''}"))
    pairs = rows.groupby(["tariff", "customer_class"], sort=False)
    newest = [as_of(of_pair, max(of_pair["effective_from"])) for _, of_pair in pairs]
    return pd.concat(newest, ignore_index=True), notes


def _refuse_unusable(path: Path, offered: pd.DataFrame) -> None:
    """A proposal with a row that cannot be used is no proposal: nothing of its class could be compared."""
    _, problems = rate_book(offered)
    if problems:
        first = problems[0]
        place = Place("rates", first.place.key, first.place.column, path.name)
        raise Refusal(PROPOSAL.at(place, f"line {first.place.key}, {first.place.column}: {first.fact}"))


def _from_owrs(path: Path, schedule: str, bills: pd.DataFrame) -> tuple[pd.DataFrame, list[Problem]]:
    source = read_tariff(path)
    mine = bills.loc[bills["customer_class"].isin(list(source.classes)), "tariff"].unique().tolist()
    if not schedule and len(mine) != 1:
        told = f"its classes {', '.join(source.classes)} are billed on {', '.join(sorted(mine)) or 'no schedule'}"
        raise Refusal(WHICH_SCHEDULE.at(Place(file=path.name), told))
    imported = owrs_rates(source, name=schedule or str(mine[0]))
    return imported.rates, [*imported.problems, *imported.refused.values()]


def _from_listing(path: Path) -> pd.DataFrame:
    """Rates rows from a file with the headings of the Rates sheet, or the columns' own names."""
    table = TABLE["rates"]
    fields = [name for name in RATE_COLUMNS if name in table.columns]
    needed = ["tariff", "customer_class", "component", "kind", "effective_from"]
    listing = read_listing(path, {name: [table.columns[name].title] for name in fields}, needed)
    if listing.rejects:
        raise Refusal(listing.rejects[0])
    lines = listing.frame["source_line"].tolist()
    made: dict[str, list[Any]] = {}
    for name in fields:
        texts = values(listing, name) if name in listing.frame.columns else [""] * len(lines)
        places = [Place("rates", "", name, path.name, line) for line in lines]
        if name in ("effective_from", "effective_to"):
            made[name] = _days(listing, name, places)
        else:
            made[name] = [_cell(listing, name, text, place) for text, place in zip(texts, places, strict=True)]
    made["rate_id"] = [text or str(line) for text, line in zip(made["rate_id"], lines, strict=True)]
    return pd.DataFrame(made, dtype=object)


def _days(listing: Listing, name: str, places: Sequence[Place]) -> list[dt.date | None]:
    """A column of days; Refusal where a cell names none, or could be two."""
    dates = listing.dates(name)
    made = []
    for text, place in zip(values(listing, name), places, strict=True):
        day = dates.day(text)
        if day is None and (text or name == "effective_from"):
            fact = dates.doubt(text) or f"{text!r}, which is no date"
            raise Refusal(PROPOSAL.at(place, f"{TABLE['rates'].columns[name].title} is {fact}"))
        made.append(day)
    return made


def _cell(listing: Listing, name: str, text: str, place: Place) -> Any:
    """A cell as the Rates table holds it; Refusal where a whole number cannot be read."""
    if name in ("tier", "position"):
        number = listing.number(text or "0")
        if number is None or number % 1 or number < 0:
            raise Refusal(PROPOSAL.at(place, f"{TABLE['rates'].columns[name].title} is {text!r}, no whole number"))
        return int(number)
    # A workbook's number comes with the digits Excel shows; formulas, N% and plain text stay as they are.
    exact = listing.number(text) if name in ("rate", "from_unit", "cap") and listing.first_serial else None
    return text if exact is None else format(exact, "f")


# ---- words --------------------------------------------------------------------------------------------------------


def _facts(store: Store, proposal: Path, first: dt.date, last: dt.date, bills: pd.DataFrame) -> StudyFacts:
    sources = bills["source"].value_counts()
    told = [f"{sources[name]:,} {words}" for name, words in _SOURCES.items() if name in sources]
    return StudyFacts(
        district=Rules.of(policy_on(store, today(store))).text("district", "name"),
        periods=f"service periods that end from {first} to {last}",
        current=f"rates in force on {last}",
        proposed=proposal.name,
        made_at=store.clock().strftime("%Y-%m-%d %H:%M"),
        basis=" and ".join(told),
    )


_SOURCES: Final = {"bill": "posted bills", "history": "periods of the consumption history"}


def _said(target: Path, found: Study) -> str:
    accounts = found.accounts
    now, then = (int(accounts[name].sum()) for name in ("current", "proposed"))
    more, less = int(accounts["change"].gt(0).sum()), int(accounts["change"].lt(0).sum())
    left_out = f" {len(found.left_out):,} bills could not be compared and are listed." if found.left_out else ""
    return (
        f"{target.name}: {int(accounts['bills'].sum()):,} bills of {len(accounts):,} accounts, {dollars(now)} now, "
        f"{dollars(then)} proposed, {dollars(then - now)} change; {more:,} accounts pay more, {less:,} less.{left_out}"
    )
