"""The rate study as a workbook: revenue, charges, deciles and every account on two sets of rates, with charts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from xlbilling.papers.tables import period_name
from xlbilling.papers.template import Value, fill_template, total
from xlbilling.trade.study import Study
from xlbilling.words.records import Sheet, Table, given

LISTED: Final = 5_000


CLASSES: Final = Table(
    Sheet(
        "By class",
        "study_classes",
        "Revenue by class",
        ("customer_class",),
        totals=("bills", "consumption", "current", "proposed", "change", "accounts", "more", "less", "same"),
    ),
    "What one customer class pays on both sets of rates.",
    customer_class=given("Class", "Customer class.", "text", 23),
    accounts=given("Accounts", "Accounts with a bill of the class.", "whole", 11),
    bills=given("Bills", "Bills compared.", "whole", 10),
    consumption=given("Consumption", "Billed consumption.", "quantity", 16),
    current=given("Current", "Revenue on the current rates.", "money", 17),
    proposed=given("Proposed", "Revenue on the proposed rates.", "money", 17),
    change=given("Change", "Proposed less current.", "money", 16),
    percent=given("Change %", "Change in percent of current.", "quantity", 11),
    more=given("Pay more", "Accounts whose bills go up.", "whole", 11),
    less=given("Pay less", "Accounts whose bills go down.", "whole", 11),
    same=given("Same", "Accounts whose bills stay.", "whole", 10),
)


CHARGES: Final = Table(
    Sheet(
        "By charge and tier",
        "study_charges",
        "Revenue by charge and tier",
        ("customer_class", "charge", "tier"),
        totals=("current", "proposed", "change"),
    ),
    "What one charge or tier of a class brings in on both sets of rates.",
    customer_class=given("Class", "Customer class.", "text", 23),
    charge=given("Charge", "Name of the charge.", "text", 28),
    tier=given("Tier", "Tier; 0 where the charge has none.", "whole", 8),
    current_quantity=given("Current units", "Units billed on the current rates.", "quantity", 17),
    current=given("Current", "Revenue on the current rates.", "money", 17),
    proposed_quantity=given("Proposed units", "Units billed on the proposed rates.", "quantity", 17),
    proposed=given("Proposed", "Revenue on the proposed rates.", "money", 17),
    change=given("Change", "Proposed less current.", "money", 16),
)


DECILES: Final = Table(
    Sheet(
        "Deciles",
        "study_deciles",
        "Accounts by consumption, in ten equal groups",
        ("decile",),
        totals=("accounts", "consumption", "current", "proposed", "change", "more", "less"),
    ),
    "A tenth of the accounts, from those that use least to those that use most.",
    decile=given("Tenth", "1: the tenth of the accounts that uses least.", "id", 8),
    accounts=given("Accounts", "Accounts in the group.", "whole", 11),
    least=given("From", "Least consumption of an account.", "quantity", 12),
    most=given("To", "Greatest consumption of an account.", "quantity", 14),
    consumption=given("Consumption", "Consumption of the group.", "quantity", 16),
    current=given("Current", "Revenue on the current rates.", "money", 16),
    proposed=given("Proposed", "Revenue on the proposed rates.", "money", 16),
    change=given("Change", "Proposed less current.", "money", 15),
    percent=given("Change %", "Change in percent of current.", "quantity", 11),
    average_current=given("Average bill now", "Current revenue by number of bills.", "money", 16),
    average_proposed=given("Average bill then", "Proposed revenue by number of bills.", "money", 17),
    average_change=given("Average change", "Change by number of bills.", "money", 15),
    more=given("Pay more", "Accounts whose bills go up.", "whole", 11),
    less=given("Pay less", "Accounts whose bills go down.", "whole", 11),
)


BANDS: Final = Table(
    Sheet(
        "Bill changes",
        "study_bands",
        "Accounts by how much their bills change",
        ("band",),
        totals=("accounts", "change"),
    ),
    "How many accounts' bills change by how much.",
    band=given("Bills change by", "Change of all an account's bills together, in percent.", "text", 26),
    accounts=given("Accounts", "Accounts in the band.", "whole", 12),
    change=given("Change", "What they pay more, together.", "money", 17),
)


ACCOUNTS: Final = Table(
    Sheet(
        "Accounts",
        "study_accounts",
        "Bill change of every account",
        ("account_id",),
        totals=("bills", "consumption", "current", "proposed", "change"),
    ),
    "What one account pays on both sets of rates.",
    account_id=given("Account", "Account number.", "id", 15),
    customer_class=given("Class", "Customer class of its services.", "text", 23),
    bills=given("Bills", "Bills compared.", "whole", 9),
    consumption=given("Consumption", "Billed consumption.", "quantity", 16),
    current=given("Current", "Its bills on the current rates.", "money", 16),
    proposed=given("Proposed", "Its bills on the proposed rates.", "money", 16),
    change=given("Change", "Proposed less current.", "money", 15),
    percent=given("Change %", "Change in percent of current.", "quantity", 11),
)


LARGEST: Final = Table(
    Sheet("Largest changes", "study_largest", "Greatest increases, then greatest decreases", ("account_id",)),
    "One of the accounts whose bills change most.",
    **ACCOUNTS.columns,
)


LEFT_OUT: Final = Table(
    Sheet("Left out", "study_left_out", "Bills that could not be compared", ("key",)),
    "A bill that one of the two sets of rates cannot price; it counts in neither.",
    key=given("Bill", "Service and last day of the service period.", "id", 28),
    account_id=given("Account", "Account number.", "id", 15),
    customer_class=given("Class", "Customer class.", "text", 23),
    rates=given("Rates", "Which rates cannot price it.", "text", 11),
    reason=given("Why", "What is missing or wrong.", "text", 80),
)


STUDY_TABLES: Final = (CLASSES, CHARGES, DECILES, BANDS, LARGEST, ACCOUNTS, LEFT_OUT)


@dataclass(frozen=True, slots=True)
class StudyFacts:
    """What a study's summary says beside its figures; all text as it is to be read."""

    district: str
    periods: str
    current: str
    proposed: str
    made_at: str
    basis: str  # where bills and consumption come from


def rate_study(template: Path, target: Path, facts: StudyFacts, found: Study) -> None:
    """Write a rate study from its template; refuses, writing nothing, where the template lacks a table or named cell."""
    left_out = left_out_frame(found)
    frames = (
        found.by_class, found.by_charge, found.deciles.assign(decile=found.deciles["decile"].astype("str")), found.bands, found.largest, found.accounts, left_out.head(LISTED)
    )  # fmt: skip
    line = f"{facts.district}  ·  {facts.periods}  ·  {facts.proposed} against {facts.current}"
    cells = {
        **{name: getattr(facts, name) for name in StudyFacts.__slots__},
        **{period_name(table): line for table in STUDY_TABLES},
        "left_out_note": _left_out_note(len(left_out)),
    }
    fill_template(template, target, list(zip(STUDY_TABLES, frames, strict=True)), cells, _figures(found, len(left_out)))


def left_out_frame(found: Study) -> pd.DataFrame:
    """The bills left out, one a row, with the reason."""
    rows = [(each.key, each.account_id, each.customer_class, each.rates, each.problem.fact) for each in found.left_out]
    return pd.DataFrame(rows, columns=list(LEFT_OUT.columns), dtype="str")


def _left_out_note(count: int) -> str:
    if not count:
        return "Every bill was priced on both sets of rates."
    listed = f"; the first {LISTED:,} are listed" if count > LISTED else ""
    return f"{count:,} bills could not be priced on both sets of rates and count in neither{listed}."


def _figures(found: Study, left_out: int) -> dict[str, Value]:
    """The summary's formulas by the name of their cell, with the value each of them has."""
    money = {f"study_{name}": total(ACCOUNTS, found.accounts, name) for name in ("current", "proposed", "change")}
    change = found.accounts["change"]
    counts: dict[str, Value] = {
        "study_bills": int(found.accounts["bills"].sum()),
        "study_accounts_compared": len(found.accounts),
        "study_more": int(change.gt(0).sum()),
        "study_less": int(change.lt(0).sum()),
        "study_same": int(change.eq(0).sum()),
        "study_left_out_bills": min(left_out, LISTED),
    }
    gains: dict[str, Value] = {
        "study_more_amount": int(change[change.gt(0)].sum()) / 100,
        "study_less_amount": int(change[change.lt(0)].sum()) / 100,
    }
    return {**money, **counts, **gains}
