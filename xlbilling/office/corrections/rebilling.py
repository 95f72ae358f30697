"""Rebilling: a bill of an earlier month made anew from its own reads, at the rates of its days, in the open month.

Everything is worked out before anything is cancelled. Where the right dial moves the end of a bill, the next bill of the
service began at the wrong one: it is made anew too, and so on for as long as something moves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.bills import Terms, compute
from xlbilling.documents import BILL, CANCEL, REBILL, REVERSAL
from xlbilling.inputs import inputs, with_measured
from xlbilling.ledger import GL_UNKNOWN
from xlbilling.money import round_half_up
from xlbilling.office.desk import Desk, billed_anew, money, run_billed_anew
from xlbilling.office.explaining import quantity
from xlbilling.office.posting import post_bill_batch, write_batch
from xlbilling.periods import AccountingPeriod
from xlbilling.problems import Kind, Place, Refusal, declare
from xlbilling.reads.measure import COMPOUND, by_service, register_key
from xlbilling.reads.register_checks import ROLLOVER_SHARE
from xlbilling.reads.units import MILLION, millionths
from xlbilling.states import OPEN
from xlbilling.store import Work
from xlbilling.tariffs import rate_book

REBILL_DIAL: Final = declare(
    "rebill_dial",
    "The right dial of a bill that is billed anew cannot be taken.",
    "Type the bill's number and the meter with its right dial, such as B0000005 M01=0108; M03:H=0015 for a register.",
)
REBILL_HELD: Final = declare(
    "rebill_held",
    "The bill that is to stand in its place cannot be worked out, so nothing was cancelled.",
    "Mend what the line names, Save, and press the button again.",
)
_DIAL: Final = re.compile(r"([^=\s]+)=(\d{1,12}(?:\.\d{1,6})?)")


def number_of(document: str) -> str:
    """The number of the bill in a cell that may name its right dials too: B0000005 M01=0108."""
    return document.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Rebill:
    """A bill in the place of another: `old` is the row of the one that is cancelled; `began_with` the bill whose end moved."""

    old: Mapping[str, Any]
    began_with: str
    bill: pd.DataFrame
    lines: pd.DataFrame
    reads: pd.DataFrame
    told: str

    @property
    def number(self) -> str:
        return str(self.old["number"])


@dataclass(frozen=True, slots=True)
class _Carried:
    """What a bill hands on to the next one: its dials by register, and what it left of a unit."""

    dials: dict[str, tuple[str, int]]  # dial and its value in millionths
    carried: int


def rebills(desk: Desk, corrections: pd.DataFrame, period: AccountingPeriod) -> list[Rebill]:
    """The bills that come in the place of those named with kind rebill, and of later ones that began at a wrong dial.

    `corrections`: rows of Adjustments. A bill of the open month without a typed dial and without a later one is left to
    Compute. Refuses a dial that cannot be taken, and a bill that cannot be priced, with what is to be mended.
    """
    wanted: dict[str, Mapping[str, Any]] = {}
    for typed in corrections.loc[corrections["kind"].eq(REBILL)].to_dict("records"):
        wanted[number_of(typed["document"])] = {str(name): value for name, value in typed.items()}
    made: list[Rebill] = []
    done: set[str] = set()
    for number, row in wanted.items():
        if number not in done:
            for rebill in _of_service(desk, number, row, wanted, period):
                done.add(rebill.number)
                made.append(rebill)
    return made


def _of_service(
    desk: Desk, number: str, row: Mapping[str, Any], wanted: Mapping[str, Mapping[str, Any]], period: AccountingPeriod
) -> Iterator[Rebill]:
    """The replacements of one service's bills from the first one named on, in order of time."""
    standing = desk.store.query(
        "SELECT b.* FROM bills b JOIN standing_bills t ON t.number = b.number WHERE b.service_id = "
        "(SELECT service_id FROM bills WHERE number = :n) ORDER BY b.service_to",
        n=number,
    )
    named = standing["number"].isin(list(wanted)).to_numpy()
    if not named.any():
        return
    later = standing.iloc[int(np.argmax(named)) :].to_dict("records")
    first = later[0]
    if first["period"] == str(period) and len(later) == 1 and not _typed(wanted[str(first["number"])]):
        return
    moved: _Carried | None = None
    began_with = ""
    for old in later:
        mine = wanted.get(str(old["number"]))
        if mine is None and moved is None:
            continue
        rebill, moved = _replacement(desk, old, mine, moved, began_with, row, period)
        began_with = rebill.number if moved is not None else ""
        yield rebill


def _typed(row: Mapping[str, Any]) -> dict[str, str]:
    """The right dials typed behind a bill's number, by register."""
    typed: dict[str, str] = {}
    for part in str(row["document"]).split()[1:]:
        found = _DIAL.fullmatch(part)
        if found is None or found[1] in typed:
            raise _refused(REBILL_DIAL, row, f"{part!r} is no meter with its dial, or names a meter twice")
        typed[found[1]] = found[2]
    return typed


def _refused(kind: Kind, row: Mapping[str, Any], fact: str, remedy: str | None = None) -> Refusal:
    return Refusal(kind.at(Place(table="adjustments", key=str(row["adjustment_id"]), column="document"), fact, remedy))


def freed_days(desk: Desk, corrections: pd.DataFrame, period: AccountingPeriod) -> list[str]:
    """What becomes of the days of earlier months' bills that are cancelled without another in their place."""
    told = []
    for number in corrections.loc[corrections["kind"].eq(CANCEL), "document"]:
        last = desk.store.query(
            "SELECT b.* FROM bills b WHERE b.number = :n AND b.period <> :p AND NOT EXISTS "
            "(SELECT 1 FROM standing_bills t WHERE t.service_id = b.service_id AND t.service_to > b.service_to)",
            n=number,
            p=str(period),
        )
        for bill in last.itertuples():
            days = f"{bill.service_from:%Y-%m-%d} to {bill.service_to:%Y-%m-%d}"
            told.append(
                f"the days of {number}, {days}, go into the service's next bill; rebill bills them by themselves"
            )
    return told


# ---- one bill --------------------------------------------------------------------------------------------------------


def _replacement(
    desk: Desk,
    old: Mapping[Any, Any],
    mine: Mapping[str, Any] | None,
    moved: _Carried | None,
    began_with: str,
    row: Mapping[str, Any],
    period: AccountingPeriod,
) -> tuple[Rebill, _Carried | None]:
    """The bill in the place of `old`, and what it hands on to the next where that is not what `old` handed on."""
    asked = mine or row
    reads = _registers(desk, str(old["number"]))
    typed = _typed(mine) if mine else {}
    unknown = sorted(set(typed) - set(reads["register_key"]))
    if unknown:
        there = ", ".join(reads["register_key"]) or "none"
        raise _refused(REBILL_DIAL, asked, f"{old['number']} has no meter {', '.join(unknown)}; its meters are {there}")
    measured = pd.DataFrame(
        [_measured(r, typed, moved, old, asked) for r in reads.to_dict("records")], columns=reads.columns
    )
    carried_in = moved.carried if moved else _left_before(desk, old)
    service = _service(desk, old, measured.astype(reads.dtypes.to_dict()), carried_in)
    rates, _ = rate_book(desk.store.table("rates"))
    nominal = int(old["nominal_days"])
    terms = Terms(
        _run_of(old, period), str(period), old["bill_date"], old["due_date"], str(old["unit"]), nominal or None
    )
    drafts = compute(terms, service.assign(part=nominal > 0), rates)
    if drafts.bills["state"].iloc[0] != "draft":
        remedy = drafts.problems[0].remedy if drafts.problems else None
        raise _refused(
            REBILL_HELD, asked, f"{old['number']} cannot be billed anew: {drafts.bills['why'].iloc[0]}", remedy
        )
    _refuse_unlisted(desk, drafts.lines)
    dated = pd.Timestamp(asked["posted_on"])
    bill = drafts.bills.assign(bill_date=dated, due_date=dated + (old["due_date"] - old["bill_date"]))
    given = _handed_on(reads, int(old["carried"]))
    on = _handed_on(measured, int(bill["carried"].iloc[0]))
    kept = measured.assign(bill_key=bill["bill_key"].iloc[0])
    rebill = Rebill(
        {str(name): value for name, value in old.items()}, began_with, bill, drafts.lines, kept,
        _told(old, bill.iloc[0], reads, measured, began_with),
    )  # fmt: skip
    return rebill, on if on != given else None


def _registers(desk: Desk, number: str) -> pd.DataFrame:
    """The registers a bill was made from: its reads as billed, with their values, the meter's dials and multiplier."""
    made = desk.store.query(
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
    moved: _Carried | None,
    old: Mapping[Any, Any],
    asked: Mapping[str, Any],
) -> dict[str, Any]:
    """A register of the new bill: as it was billed, or measured anew where its dial or the one before it moved."""
    made = {str(name): value for name, value in register.items()}
    key = str(made["register_key"])
    before = moved.dials.get(key) if moved else None
    if key not in typed and before is None:
        return made
    if pd.isna(made["dials"]):
        raise _refused(REBILL_DIAL, asked, f"meter {key} is not on sheet Meters any more")
    times, capacity = Fraction(str(made["multiplier"])), 10 ** int(made["dials"]) * MILLION
    # The value before is what the bill was measured from; it need not be what the dial shows.
    last = (int(made["read_value"]) - round_half_up(Fraction(int(made["consumption"])) / times)) % capacity
    if before is not None:
        made["previous_read"], last = before
    if key in typed:
        made |= {"dial_read": typed[key], "read_value": millionths(typed[key]), "read_code": "actual"}
        if made["read_value"] >= capacity:
            raise _refused(REBILL_DIAL, asked, f"{typed[key]} has more digits than the {made['dials']} dials of {key}")
    step = int(made["read_value"]) - last
    around = step + capacity if step < 0 else step
    if step < 0 and around > capacity * ROLLOVER_SHARE:
        said = (
            f"{old['number']}: the dial {made['dial_read']} of {key} is below {made['previous_read']}, the read before"
        )
        fix = f"Type its right dial too, in a line of its own: rebill, {old['number']} {key}= and the dial."
        raise _refused(REBILL_DIAL, asked, said, fix)
    return made | {"consumption": round_half_up(around * times)}


def _left_before(desk: Desk, old: Mapping[Any, Any]) -> int:
    """What the service's bill before this one left of a unit (millionths)."""
    left = desk.store.query(
        "SELECT b.carried FROM bills b JOIN standing_bills t ON t.number = b.number "
        "WHERE b.service_id = :s AND b.service_to <= :d ORDER BY b.service_to DESC LIMIT 1",
        s=old["service_id"],
        d=f"{old['service_from']:%Y-%m-%d}",
    )
    return int(left["carried"].iloc[0]) if len(left) else 0


def _service(desk: Desk, old: Mapping[Any, Any], registers: pd.DataFrame, carried_in: int) -> pd.DataFrame:
    """The service as Services has it now, with the account, the days and the consumption of the bill."""
    made = desk.store.table("services", "service_id = :s", s=old["service_id"])
    made = made.assign(
        account_id=old["account_id"], service_from=old["service_from"], service_to=old["service_to"], days=int(old["days"]),
        consumption=int(old["consumption"]), read_code=old["read_code"], carried=int(old["carried"]), hold="",
        replaces=old["number"], estimate=old["estimate"],
    )  # fmt: skip
    known = inputs(str(old["inputs"])) or {}
    if len(registers):
        laid = registers.assign(position=0, usable=True, service_id=old["service_id"])
        sums = by_service(laid, desk.billing_unit, np.array([carried_in], dtype=np.int64)).iloc[0]
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


def _handed_on(registers: pd.DataFrame, carried: int) -> _Carried:
    ends = zip(registers["register_key"], registers["dial_read"], registers["read_value"], strict=True)
    return _Carried({str(key): (str(dial), int(value)) for key, dial, value in ends}, carried)


def _run_of(old: Mapping[Any, Any], period: AccountingPeriod) -> str:
    """The run a bill is of: its cycle, and where it is billed anew in a later month the month it was first billed in."""
    cycle = str(old["cycle"])
    return cycle if old["period"] == str(period) or run_billed_anew(cycle) else billed_anew(cycle, str(old["period"]))


def _told(
    old: Mapping[Any, Any], bill: pd.Series[Any], reads: pd.DataFrame, measured: pd.DataFrame, began_with: str
) -> str:
    """What the lead is shown of one replacement before anything is done."""
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
        if bill[name] != old[name]:
            changes.append(f"{title} {bill[name] or '(blank)'} in place of {old[name] or '(blank)'}")
    if bill["consumption"] != old["consumption"]:
        changes.append(f"{quantity(bill['consumption'])} {bill['unit']} in place of {quantity(old['consumption'])}")
    said = "; ".join(changes) or "the same reads"
    return (
        f"{old['number']}, service {old['service_id']}, {old['service_from']:%Y-%m-%d} to {old['service_to']:%Y-%m-%d}{why}, "
        f"is billed anew: {said}; {money(bill['amount'])} in place of {money(old['amount'])}, "
        f"due {bill['due_date']:%Y-%m-%d}"
    )


# ---- in the store ----------------------------------------------------------------------------------------------------


def with_later(work: Work, waiting: pd.DataFrame, made: list[Rebill]) -> pd.DataFrame:
    """The corrections with one more for each later bill that is made anew because of another; they are written here."""
    named = {number_of(document) for document in waiting["document"]}
    more = [rebill for rebill in made if rebill.number not in named]
    if not more:
        return waiting
    first = waiting.iloc[0]
    rows = pd.DataFrame(
        {
            "adjustment_id": work.documents(REVERSAL.letters, len(more)), "batch": "", "kind": REBILL, "author": work.actor, "account_id": "", "gl_account": "",
            "document": [rebill.number for rebill in more], "amount": pd.array([None] * len(more), dtype="Int64"),
            "reason": [f"began at the dial that {rebill.began_with} corrects" for rebill in more],
            "posted_on": first["posted_on"], "period": first["period"], "state": OPEN, "rev": 1,
        }
    )  # fmt: skip
    work.insert("adjustments", rows)
    return pd.concat([waiting, rows], ignore_index=True)


def post_rebills(work: Work, made: list[Rebill], period: AccountingPeriod, receivable: str) -> list[str]:
    """Post the bills that stand in the place of cancelled ones, a batch for each cycle; the words for the log."""
    done: list[str] = []
    cycles: dict[str, list[Rebill]] = {}
    for rebill in made:
        first = run_billed_anew(str(rebill.old["cycle"]))
        cycles.setdefault(first[0] if first else str(rebill.old["cycle"]), []).append(rebill)
    for cycle, mine in cycles.items():
        keys = {f"k{n}": str(rebill.bill["bill_key"].iloc[0]) for n, rebill in enumerate(mine)}
        ready = f"bill_key IN ({', '.join(f':{name}' for name in keys)})"
        for name, frames in (("draft_bills", "bill"), ("draft_lines", "lines"), ("draft_reads", "reads")):
            work.insert(name, pd.concat([getattr(rebill, frames) for rebill in mine], ignore_index=True))
        total = sum(int(rebill.bill["amount"].iloc[0]) for rebill in mine)
        batch = write_batch(work, BILL.batch, cycle, str(period), len(mine), total)
        post_bill_batch(work, batch, ready, dict(keys), receivable)
        for name in ("draft_lines", "draft_reads", "draft_bills"):
            work.execute(f"DELETE FROM {name} WHERE {ready}", **keys)  # noqa: S608
        done.append(f"{batch}: {len(mine)} billed anew, {money(total)}")
    return done
