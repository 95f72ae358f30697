"""Anew: one bill made anew from its own reads, section by section, at the rates of its days.

The sections that are asked for are worked out again, the others are taken over to the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.office.bills.explain import quantity
from xlbilling.office.desk.desk import Desk, billed_anew, money, run_billed_anew
from xlbilling.store.schema import columns_of
from xlbilling.trade.bills import Terms, compute
from xlbilling.trade.inputs import inputs, with_measured
from xlbilling.trade.journal import GL_UNKNOWN
from xlbilling.trade.reads import BillingUnit
from xlbilling.trade.reads.measure import COMPOUND, by_service, register_key
from xlbilling.trade.reads.register_checks import ROLLOVER_SHARE
from xlbilling.trade.reads.units import MILLION, millionths
from xlbilling.trade.tariffs import rate_book
from xlbilling.words.money import round_half_up
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Kind, Place, Refusal, declare
from xlbilling.words.states import DRAFT

REBILL_DIAL: Final = declare(
    "rebill_dial",
    "The right dial of a bill that is billed anew cannot be taken.",
    "Type the bill's number and the meter with its right dial, such as B0000005 M01=0108; M03:H=0015 for a register; "
    "or the number and a service of the bill that is to be worked out anew.",
)
REBILL_HELD: Final = declare(
    "rebill_held",
    "The bill that is to stand in its place cannot be worked out, so nothing was cancelled.",
    "Mend what the line names, Save, and press the button again.",
)


@dataclass(frozen=True, slots=True)
class Rebill:
    """A bill in the place of another: `old` is the row of the one that is cancelled; `began_with` the bill whose end moved."""

    old: Mapping[str, Any]
    began_with: str
    bill: pd.DataFrame
    sections: pd.DataFrame
    lines: pd.DataFrame
    reads: pd.DataFrame
    told: str

    @property
    def number(self) -> str:
        return str(self.old["number"])


@dataclass(frozen=True, slots=True)
class Carried:
    """What a service's bill hands on to its next one: its number, its dials by register, and what it left of a unit."""

    number: str
    dials: dict[str, tuple[str, int]]  # dial and its value in millionths
    carried: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of Adjustments: the right dials typed behind the bill's number, and the services named there."""

    row: Mapping[str, Any]
    dials: Mapping[str, str]
    services: frozenset[str]


def refused(kind: Kind, row: Mapping[str, Any], fact: str, remedy: str | None = None) -> Refusal:
    """The refusal of a line of Adjustments, at the cell that names the bill."""
    return Refusal(kind.at(Place(table="adjustments", key=str(row["adjustment_id"]), column="document"), fact, remedy))


class Document:
    """One bill on its way to be made anew, section by section; `moved` is what earlier bills of the act hand on."""

    def __init__(
        self,
        desk: Desk,
        sections: pd.DataFrame,
        asked: Asked | None,
        moved: dict[str, Carried],
        first: Mapping[str, Any],
        period: AccountingPeriod,
    ):
        self.desk, self.sections, self.asked, self.moved, self.period = desk, sections, asked, moved, period
        self.row = asked.row if asked else first  # the line of Adjustments that a refusal is about
        old = desk.store.table("bills", "number = :n", n=str(sections["number"].iloc[0])).iloc[0]
        self.old = {str(name): value for name, value in old.items()}
        self.number = str(old["number"])
        self.reads = _registers(desk, self.number)
        self.rates, _ = rate_book(desk.store.table("rates"))

    def rebill(self) -> Rebill:
        """The bill in the place of this one: the sections that change worked out anew, the others as they were."""
        old, anew = self.old, self._worked_out_anew()
        began_with = next((self.moved[service].number for service in anew if service in self.moved), "")
        told: list[str] = []
        parts = [
            self._anew(section, told) if section["service_id"] in anew else self._alike(section, told)
            for section in self.sections.to_dict("records")
        ]
        sections, lines, reads = (pd.concat(frames, ignore_index=True) for frames in zip(*parts, strict=True))
        _refuse_unlisted(self.desk, lines)
        dated = pd.Timestamp(self.row["posted_on"])
        cycle, month = run_billed_anew(str(old["cycle"])) or (old["cycle"], old["period"])
        bill = {
            "bill_key": f"{old['account_id']} {cycle} {month} for {self.number}", "kind": old["kind"], "account_id": old["account_id"],
            "cycle": _run_of(old, self.period), "period": str(self.period), "amount": int(sections["amount"].sum()),
            "bill_date": dated, "due_date": dated + (old["due_date"] - old["bill_date"]), "state": DRAFT,
            "why": f"replaces {self.number}", "replaces": self.number,
        }  # fmt: skip
        key = {"bill_key": bill["bill_key"]}
        return Rebill(
            old, began_with, pd.DataFrame([bill]), sections.assign(**key, state=DRAFT, why=""),
            lines.assign(**key, line=np.arange(len(lines)) + 1), reads.assign(**key), self._told(bill, told),
        )  # fmt: skip

    def _worked_out_anew(self) -> list[str]:
        """The services that are named, whose dial is typed or whose first dial moved; where nothing is named, all."""
        services = self.sections["service_id"].tolist()
        if self.asked is None:
            return [service for service in services if service in self.moved]
        of_register = dict(zip(self.reads["register_key"], self.reads["service_id"], strict=True))
        unknown = sorted(set(self.asked.dials) - set(of_register))
        if unknown:
            there = ", ".join(of_register) or "none"
            fact = f"{self.number} has no meter {', '.join(unknown)}; its meters are {there}"
            raise refused(REBILL_DIAL, self.row, fact)
        named = {of_register.get(name, name) for name in self.asked.services}
        return [service for service in services if not named or service in named or service in self.moved]

    def _alike(self, section: Mapping[Any, Any], told: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """A section as it was billed: the same reads, inputs and lines."""
        service = section["service_id"]
        told.append(f"service {service} as it was, {money(section['amount'])}")
        mine = "number = :n AND service_id = :s"
        kept, lines = (
            self.desk.store.table(table, mine, n=self.number, s=service) for table in ("bill_services", "bill_lines")
        )
        return kept, lines, self.reads.loc[self.reads["service_id"].eq(service)]

    def _anew(self, section: Mapping[Any, Any], told: list[str]) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """A section worked out anew; what it hands on to the service's next bill goes to `moved` where that changes."""
        service, moved = section["service_id"], self.moved.pop(section["service_id"], None)
        dials = self.asked.dials if self.asked else {}
        reads = self.reads.loc[self.reads["service_id"].eq(service)]
        measured = pd.DataFrame(
            [_measured(r, dials, moved, self.number, self.row) for r in reads.to_dict("records")], columns=reads.columns
        ).astype(reads.dtypes.to_dict())
        carried_in = moved.carried if moved else _left_before(self.desk, section)
        unit = self.desk.billing_unit_on(self.old["bill_date"].date())
        rows = _service(self.desk, section, measured, unit, carried_in)
        nominal = int(section["nominal_days"])
        terms = Terms(
            str(self.old["cycle"]), str(self.period), self.old["bill_date"], self.old["due_date"], str(section["unit"]), nominal or None
        )  # fmt: skip
        drafts = compute(terms, rows.assign(part=nominal > 0), self.rates)
        made = drafts.sections.iloc[0]
        if made["state"] != DRAFT:
            remedy = drafts.problems[0].remedy if drafts.problems else None
            fact = f"{self.number} cannot be billed anew: {made['why']}"
            raise refused(REBILL_HELD, self.row, fact, remedy)
        on = _handed_on(self.number, measured, int(made["carried"]))
        if on != _handed_on(self.number, reads, int(section["carried"])):
            self.moved[service] = on
        told.append(_section_told(section, made, reads, measured, moved.number if moved else ""))
        return drafts.sections, drafts.lines, measured

    def _told(self, bill: Mapping[str, Any], sections: list[str]) -> str:
        """What the lead is shown of one replacement before anything is done."""
        due = f"due {bill['due_date']:%Y-%m-%d}"
        if len(sections) > 1:
            due = f"in all {money(bill['amount'])} in place of {money(self.old['amount'])}, {due}"
        return f"{self.number}, {'; '.join(sections)}, {due}"


def _registers(desk: Desk, number: str) -> pd.DataFrame:
    """The registers a bill was made from: its reads as billed, with their values, the meter's dials and multiplier."""
    made = desk.store.query(
        {**columns_of("bill_reads"), "as_read": "", "read_value": "int?", "dials": "int?", "multiplier": ""},
        "SELECT r.*, f.dial_read AS as_read, f.read_value, m.dials, m.multiplier FROM bill_reads r "
        "LEFT JOIN reads f ON f.read_id = r.read_id "
        "LEFT JOIN meters m ON m.meter_id = r.meter_id AND m.register_id = r.register_id WHERE r.number = :n "
        "ORDER BY r.meter_id, r.register_id",
        n=number,
    )
    as_sent = made["as_read"].eq(made["dial_read"]) & made["read_value"].notna()
    shown = pd.Series([millionths(text or "0") for text in made["dial_read"]], index=made.index, dtype="Int64")
    value = made["read_value"].astype("Int64").where(as_sent, shown).astype("int64")
    return made.assign(read_value=value, register_key=register_key(made["meter_id"], made["register_id"]))


def _measured(
    register: Mapping[Any, Any],
    typed: Mapping[str, str],
    moved: Carried | None,
    number: str,
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """A register of the new bill: as it was billed, or measured anew where its dial or the one before it moved."""
    made = {str(name): value for name, value in register.items()}
    key = str(made["register_key"])
    before = moved.dials.get(key) if moved else None
    if key not in typed and before is None:
        return made
    if pd.isna(made["dials"]):
        raise refused(REBILL_DIAL, asked, f"meter {key} is not on sheet Meters any more")
    times, capacity = Fraction(str(made["multiplier"])), 10 ** int(made["dials"]) * MILLION
    # The value before is what the bill was measured from; it need not be what the dial shows.
    last = (int(made["read_value"]) - round_half_up(Fraction(int(made["consumption"])) / times)) % capacity
    if before is not None:
        made["previous_read"], last = before
    if key in typed:
        made |= {"dial_read": typed[key], "read_value": millionths(typed[key]), "read_code": "actual"}
        if made["read_value"] >= capacity:
            raise refused(REBILL_DIAL, asked, f"{typed[key]} has more digits than the {made['dials']} dials of {key}")
    step = int(made["read_value"]) - last
    around = step + capacity if step < 0 else step
    if step < 0 and around > capacity * ROLLOVER_SHARE:
        said = f"{number}: the dial {made['dial_read']} of {key} is below {made['previous_read']}, the read before"
        fix = f"Type its right dial too, in a line of its own: rebill, {number} {key}= and the dial."
        raise refused(REBILL_DIAL, asked, said, fix)
    return made | {"consumption": round_half_up(around * times)}


def _left_before(desk: Desk, old: Mapping[Any, Any]) -> int:
    """What the service's bill before this one left of a unit (millionths)."""
    left = desk.store.query(
        "carried:int",
        "SELECT b.carried FROM standing b WHERE b.service_id = :s AND b.service_to <= :d ORDER BY b.service_to DESC LIMIT 1",
        s=old["service_id"],
        d=f"{old['service_from']:%Y-%m-%d}",
    )
    return int(left["carried"].iloc[0]) if len(left) else 0


def _service(
    desk: Desk, old: Mapping[Any, Any], registers: pd.DataFrame, unit: BillingUnit, carried_in: int
) -> pd.DataFrame:
    """The service as Services has it now, with the account, the days and the consumption of the section."""
    made = desk.store.table("services", "service_id = :s", s=old["service_id"])
    made = made.assign(
        account_id=old["account_id"], service_from=old["service_from"], service_to=old["service_to"], days=int(old["days"]),
        consumption=int(old["consumption"]), read_code=old["read_code"], carried=int(old["carried"]), hold="",
        replaces=old["number"], estimate=old["estimate"], left_out="", ends=False,
    )  # fmt: skip
    known = inputs(str(old["inputs"])) or {}
    if len(registers):
        laid = registers.assign(position=0, usable=True, service_id=old["service_id"])
        sums = by_service(laid, unit, np.array([carried_in], dtype=np.int64)).iloc[0]
        made = made.assign(
            consumption=int(sums["consumption"]), carried=int(sums["carried"]), read_code=str(sums["read_code"]),
            estimate=old["estimate"] if sums["read_code"] == "estimated" else "",
        )  # fmt: skip
        for name in COMPOUND:
            made["inputs"] = with_measured(
                made["inputs"], name, pd.Series([sums[name]], index=made.index, dtype="Int64")
            )
    if "winter_average" in known:
        average = pd.Series([millionths(known["winter_average"])], index=made.index, dtype="Int64")
        made["inputs"] = with_measured(made["inputs"], "winter_average", average)
    return made


def _refuse_unlisted(desk: Desk, lines: pd.DataFrame) -> None:
    unlisted = set(lines["gl_account"]) - set(desk.store.table("gl_accounts")["gl_account"])
    if unlisted:
        fact = f"charges of the new bill post to {', '.join(sorted(unlisted))}, which is not on sheet GL accounts"
        raise Refusal(GL_UNKNOWN.at(Place(table="rates", column="gl_account"), fact))


def _handed_on(number: str, registers: pd.DataFrame, carried: int) -> Carried:
    ends = zip(registers["register_key"], registers["dial_read"], registers["read_value"], strict=True)
    return Carried(number, {str(key): (str(dial), int(value)) for key, dial, value in ends}, carried)


def _run_of(old: Mapping[Any, Any], period: AccountingPeriod) -> str:
    """The run a bill is of: its cycle, and where it is billed anew in a later month the month it was first billed in."""
    cycle = str(old["cycle"])
    return cycle if old["period"] == str(period) or run_billed_anew(cycle) else billed_anew(cycle, str(old["period"]))


def _section_told(
    old: Mapping[Any, Any], section: pd.Series[Any], reads: pd.DataFrame, measured: pd.DataFrame, began_with: str
) -> str:
    """What the lead is shown of one section that is worked out anew."""
    why = f" (it began at the dial that {began_with} corrects)" if began_with else ""
    changes = [
        f"{key} {what} {new} in place of {was}"
        for what, name in (("from", "previous_read"), ("read", "dial_read"))
        for key, was, new in zip(reads["register_key"], reads[name], measured[name], strict=True)
        if was != new
    ]
    for name, title in (
        ("customer_class", "class"),
        ("tariff", "schedule"),
        ("meter_size", "size"),
        ("inputs", "inputs"),
    ):
        if section[name] != old[name]:
            changes.append(f"{title} {section[name] or '(blank)'} in place of {old[name] or '(blank)'}")
    if section["consumption"] != old["consumption"]:
        changes.append(
            f"{quantity(section['consumption'])} {section['unit']} in place of {quantity(old['consumption'])}"
        )
    said = "; ".join(changes) or "the same reads"
    return (
        f"service {old['service_id']}, {old['service_from']:%Y-%m-%d} to {old['service_to']:%Y-%m-%d}{why}, "
        f"is billed anew: {said}; {money(section['amount'])} in place of {money(old['amount'])}"
    )
