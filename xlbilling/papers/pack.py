"""The report pack of a period and the close packet that goes with it into the binder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.papers.columns import with_columns
from xlbilling.papers.tables import (
    AGING,
    BY_CLASS,
    CHECKLIST,
    CLOSE_TABLES,
    CONTROL,
    DIFFERENCES,
    EXCEPTIONS,
    PACK_TABLES,
    REGISTER,
    AgingTable,
)
from xlbilling.papers.template import Value, fill_template, period_lines, shown, total
from xlbilling.trade.aging import BUCKETS
from xlbilling.words import states
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.records import Table

REPORT_FOOTS: Final = declare(
    "report_foots",
    "Figures of a report that must be equal are not.",
    "No report was written. Run Verify: it finds the broken entry.",
)


@dataclass(frozen=True)
class PackFacts:
    """What the report pack of one accounting period says; frames as `xlbilling.papers.tables` declares them.

    Money is int64 cents, consumption int64 millionths, counts int64, dates datetime64[s]. `received` on the control is
    above zero and takes off; `ledger` and `difference` may be Int64 with NA where accounting gave no balance. `made_at` is text as it is to be read; `chain_head` the seal of the last ledger event.
    """

    district: str
    period: str
    made_at: str
    chain_head: str
    register: pd.DataFrame  # one row a bill: number, account_id, name, service_id, customer_class, service_from ...
    by_class: pd.DataFrame  # customer_class, bills, consumption, revenue
    exceptions: pd.DataFrame  # rule, severity, count, decided, billed, open
    control: pd.DataFrame  # gl_account, name, beginning, billed, received, adjusted, ending, ledger, difference
    aging: pd.DataFrame  # account_id, name, the buckets as `age` names them, credit, total
    buckets: tuple[int, ...] = BUCKETS  # last day of each bucket of the aging


@dataclass(frozen=True)
class CloseFacts:
    """What the close packet of one accounting period says; frames as `xlbilling.papers.tables` declares them."""

    district: str
    period: str
    closed_by: str
    closed_at: str
    chain_head: str
    checklist: pd.DataFrame  # item, state (done, signed, open), detail, signed_reason, signed_by
    control: pd.DataFrame
    differences: pd.DataFrame  # of the last reconciliation, one row each; none where it was not reconciled


def report_pack(template: Path, target: Path, facts: PackFacts) -> None:
    """Write the report pack of a period from its template, once all its figures agree with each other.

    Refuses, writing nothing, where `foots` does or the template lacks a table, a heading or a named cell.
    """
    foots(facts)
    aging = AgingTable(facts.buckets)
    tables = [
        (REGISTER, facts.register),
        (BY_CLASS, facts.by_class),
        (EXCEPTIONS, facts.exceptions),
        (CONTROL, facts.control),
        (aging, facts.aging),
    ]
    cells = {
        "district": facts.district,
        "period": facts.period,
        "made_at": facts.made_at,
        "chain_head": facts.chain_head,
        "consumption_note": _consumption_note(facts.register["unit"].unique()),
        "control_note": _control_note(facts.control),
        **period_lines(PACK_TABLES, facts.district, facts.period),
    }
    with tempfile.TemporaryDirectory(prefix="xlbilling-") as folder:
        shaped = with_columns(template, Path(folder) / "aging.xlsx", aging, list(aging.buckets))
        shaped = with_columns(shaped, Path(folder) / "exceptions.xlsx", EXCEPTIONS, _LATER)
        fill_template(shaped, target, tables, cells, _cover_figures(facts))


_LATER: Final = ("decided", "billed")  # a template drawn before findings could be billed undecided has only the first


def close_packet(template: Path, target: Path, facts: CloseFacts) -> None:
    """Write the close packet of a period from its template: who closed it, on what checklist, at which chain head.

    Refuses, writing nothing, where the control does not foot or the template lacks a table, heading or named cell.
    """
    _control_foots(facts.control)
    cells = {
        "district": facts.district,
        "period": facts.period,
        "closed_by": facts.closed_by,
        "closed_at": facts.closed_at,
        "chain_head": facts.chain_head,
        "control_note": _control_note(facts.control),
        **period_lines(CLOSE_TABLES, facts.district, facts.period),
    }
    figures: dict[str, Value] = {
        f"items_{state}": int((facts.checklist["state"] == state).sum()) for state in states.CHECKLIST
    }
    figures |= {f"control_{name}": total(CONTROL, facts.control, name) for name in CONTROL.sheet.totals}
    figures["control_difference"] = _off_the_ledger(facts.control)
    figures["differences_rows"] = len(facts.differences)
    tables = [(CHECKLIST, facts.checklist), (CONTROL, facts.control), (DIFFERENCES, facts.differences)]
    fill_template(template, target, tables, cells, figures)


def foots(facts: PackFacts) -> None:
    """Refuse a pack whose sheets contradict each other.

    Revenue by class is the register summed by class; the control's billed is the register's total and its ending the
    aging's; every row of control, aging and exceptions adds up. Only the general ledger may differ, and shows it.
    """
    _classes_foot(facts.register, facts.by_class)
    _control_foots(facts.control)
    aging, table = facts.aging, AgingTable(facts.buckets)
    if set(aging.columns) != set(table.columns):
        fact = f"The aging has the columns {', '.join(aging.columns)}; its buckets end on days {facts.buckets}"
        raise Refusal(REPORT_FOOTS.at(Place(table.name), fact))
    _rows_foot(table, aging, aging[[*table.buckets, "credit"]].sum(axis=1), "total", "buckets and credit")
    exceptions = facts.exceptions
    parts = exceptions["decided"] + exceptions["billed"] + exceptions["open"]
    _rows_foot(EXCEPTIONS, exceptions, parts, "count", "decided, billed and open")
    billed, ending = (int(facts.control[name].sum()) for name in ("billed", "ending"))
    _equal(CONTROL, "", "billed", billed, int(facts.register["amount"].sum()), "the register's total")
    _equal(AGING, "", "total", int(aging["total"].sum()), ending, "the control's ending balance")


def _classes_foot(register: pd.DataFrame, by_class: pd.DataFrame) -> None:
    """Bills, consumption and revenue of each class are those of its bills on the register."""
    grouped = register.groupby("customer_class", sort=False)
    summed = pd.DataFrame(
        {"bills": grouped.size(), "consumption": grouped["consumption"].sum(), "revenue": grouped["amount"].sum()}
    )
    stated = by_class.set_index("customer_class")
    if not stated.index.is_unique:
        twice = str(stated.index[stated.index.duplicated()][0])
        raise Refusal(REPORT_FOOTS.at(Place(BY_CLASS.name, twice), "The class is there twice"))
    classes = stated.index.union(summed.index)
    for name in summed.columns:
        found = summed[name].reindex(classes, fill_value=0)
        said = stated[name].reindex(classes, fill_value=0)
        for customer_class in classes[(found != said).to_numpy()]:
            _equal(
                BY_CLASS, str(customer_class), name, int(said[customer_class]), int(found[customer_class]), "its bills"
            )


def _control_foots(control: pd.DataFrame) -> None:
    """Beginning + billed - received + adjusted = ending; ending - general ledger = difference."""
    ending = control["beginning"] + control["billed"] - control["received"] + control["adjusted"]
    _rows_foot(CONTROL, control, ending, "ending", "beginning + billed - received + adjusted")
    _rows_foot(CONTROL, control, control["ending"] - control["ledger"], "difference", "ending less general ledger")


def _rows_foot(table: Table, frame: pd.DataFrame, found: pd.Series[int], column: str, what: str) -> None:
    """Refuse the first row whose `column` is not what the rest of the row makes; blank makes blank."""
    made, said = found.astype("Int64"), frame[column].astype("Int64")
    wrong = ((made != said).fillna(False) | (made.isna() ^ said.isna())).to_numpy(dtype=bool)
    if wrong.any():
        row = int(np.argmax(wrong))
        key = " ".join(str(frame[name].iloc[row]) for name in table.key)
        _equal(table, key, column, _whole(said.iloc[row]), _whole(made.iloc[row]), what)


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _equal(table: Table, key: str, column: str, said: int | None, found: int | None, what: str) -> None:
    if said != found:
        shown = dollars if table.columns[column].kind == "money" else str
        says, makes = ("nothing" if value is None else shown(value) for value in (said, found))
        fact = f"{table.columns[column].title} says {says} and {what} make {makes}"
        raise Refusal(REPORT_FOOTS.at(Place(table.name, key, column), fact))


def _cover_figures(facts: PackFacts) -> dict[str, Value]:
    """The cover's formulas by the name of their cell, with the value each of them has."""
    frames = zip(
        PACK_TABLES, (facts.register, facts.by_class, facts.exceptions, facts.control, facts.aging), strict=True
    )
    figures: dict[str, Value] = {f"{table.name}_rows": len(frame) for table, frame in frames}
    figures |= {
        f"{REGISTER.name}_amount": total(REGISTER, facts.register, "amount"),
        f"{BY_CLASS.name}_amount": total(BY_CLASS, facts.by_class, "revenue"),
        f"{CONTROL.name}_amount": total(CONTROL, facts.control, "ending"),
        f"{AGING.name}_amount": total(AGING, facts.aging, "total"),
        "check_ledger": _off_the_ledger(facts.control),
        "check_open": int(facts.exceptions["open"].sum()),
    }
    return figures | dict.fromkeys(("check_classes", "check_billed", "check_aging"), 0)


def _off_the_ledger(control: pd.DataFrame) -> float:
    """Ending less general ledger in dollars; an account without a ledger balance counts whole."""
    return float(shown("money", int(control["ending"].sum()) - int(control["ledger"].sum())))


def _control_note(control: pd.DataFrame) -> str:
    """How the control is read, and which accounts the general ledger has not been compared with."""
    blank = control.loc[control["ledger"].isna(), "gl_account"].tolist()
    missing = f" No general-ledger balance was given for {', '.join(blank)}." if blank else ""
    return f"Beginning + billed - received + adjusted = ending. Difference = ending less general ledger.{missing}"


def _consumption_note(units: Iterable[str]) -> str:
    """What the consumption of the classes is counted in; a total over several units is no volume, and is called so."""
    found = sorted({str(unit) for unit in units} - {""})
    if len(found) > 1:
        return f"Consumption as billed, in {', '.join(found)}: totals over several units are no volume."
    return f"Consumption in {found[0]}." if found else ""
