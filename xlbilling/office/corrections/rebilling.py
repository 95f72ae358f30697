"""Rebilling: a bill of an earlier month made anew from its own reads, at the rates of its days, in the open month.

Only the sections that are named are worked out again, the others are taken over to the line. Everything is worked out
before anything is cancelled. Where the right dial moves the end of a bill, the next bill of the
service began at the wrong one: it is made anew too, and so on for as long as something moves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import Any, Final

import pandas as pd

from xlbilling.office.corrections.anew import REBILL_DIAL, Asked, Carried, Document, Rebill, refused
from xlbilling.office.desk.desk import Desk, money, run_billed_anew
from xlbilling.office.posting import post_bill_batch, write_batch
from xlbilling.store import Work
from xlbilling.store.views import OF_SECTION
from xlbilling.trade.documents import BILL, REVERSAL
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.states import CANCEL, OPEN, REBILL

_DIAL: Final = re.compile(r"([^=\s]+)=(\d{1,12}(?:\.\d{1,6})?)")


def number_of(document: str) -> str:
    """The number of the bill in a cell that may name its right dials too: B0000005 M01=0108."""
    return document.partition(" ")[0]


def rebills(desk: Desk, corrections: pd.DataFrame, period: AccountingPeriod) -> list[Rebill]:
    """The bills that come in the place of those named with kind rebill, and of later ones that began at a wrong dial.

    `corrections`: rows of Adjustments. Where dials or services are named only those sections are worked out anew, the
    others are taken over as they were billed. A bill of the open month with nothing named and none after it is left to
    Compute. Refuses a dial that cannot be taken, and a section that cannot be priced, with what is to be mended.
    """
    wanted: dict[str, Mapping[str, Any]] = {}
    for typed in corrections.loc[corrections["kind"].eq(REBILL)].to_dict("records"):
        wanted[number_of(typed["document"])] = {str(name): value for name, value in typed.items()}
    standing = _standing(desk, list(wanted))
    moved: dict[str, Carried] = {}
    made: list[Rebill] = []
    for number in _in_order(standing):
        sections = standing.loc[standing["number"].eq(number)]
        asked = _asked(wanted[number], sections) if number in wanted else None
        services = set(sections["service_id"])
        if asked is None and not services & moved.keys():
            continue
        if (
            asked
            and not asked.services
            and not services & moved.keys()
            and _left_to_compute(sections, standing, period)
        ):
            continue
        made.append(Document(desk, sections, asked, moved, next(iter(wanted.values())), period).rebill())
    return made


def _standing(desk: Desk, numbers: list[str]) -> pd.DataFrame:
    """The sections of all standing bills that have a service of these bills, in order of time."""
    names = {f"n{n}": number for n, number in enumerate(numbers)}
    asked = ", ".join(f":{name}" for name in names) or "''"
    return desk.store.query(
        OF_SECTION,
        "SELECT b.* FROM standing b WHERE b.number IN (SELECT t.number FROM standing_bills t WHERE t.service_id IN "  # noqa: S608
        f"(SELECT service_id FROM standing_bills WHERE number IN ({asked}))) ORDER BY b.service_to, b.number, b.service_id",
        **names,
    )


def _in_order(sections: pd.DataFrame) -> list[str]:
    """The bills so that each comes after those its services had before."""
    before: dict[str, list[str]] = {str(number): [] for number in sections["number"]}
    for _, of_service in sections.groupby("service_id", sort=False):
        for earlier, later in pairwise(of_service["number"]):
            before[later].append(earlier)
    return list(TopologicalSorter(before).static_order())


def _left_to_compute(sections: pd.DataFrame, standing: pd.DataFrame, period: AccountingPeriod) -> bool:
    """Whether a bill is of the open month and the last one of each of its services."""
    last = standing.groupby("service_id")["service_to"].max()
    return bool(
        sections["period"].eq(str(period)).all() and sections["service_to"].eq(sections["service_id"].map(last)).all()
    )


def _asked(row: Mapping[str, Any], sections: pd.DataFrame) -> Asked:
    """What is typed behind a bill's number: right dials by register, and services to be worked out anew."""
    dials: dict[str, str] = {}
    named: set[str] = set()
    known = set(sections["service_id"])
    for part in str(row["document"]).split()[1:]:
        dial = _DIAL.fullmatch(part)
        if dial is not None and dial[1] not in dials:
            dials[dial[1]] = dial[2]
        elif part in known - named:
            named.add(part)
        else:
            fact = f"{part!r} is no meter with its dial and no service of the bill, or it is named twice"
            raise refused(REBILL_DIAL, row, fact)
    return Asked(row, dials, frozenset(named | set(dials)))


def freed_days(desk: Desk, corrections: pd.DataFrame, period: AccountingPeriod) -> list[str]:
    """What becomes of the days of earlier months' bills that are cancelled without another in their place."""
    told = []
    for number in corrections.loc[corrections["kind"].eq(CANCEL), "document"]:
        last = desk.store.query(
            OF_SECTION,
            "SELECT b.* FROM sections b WHERE b.number = :n AND b.period <> :p AND NOT EXISTS "
            "(SELECT 1 FROM standing_bills t WHERE t.service_id = b.service_id AND t.service_to > b.service_to)",
            n=number,
            p=str(period),
        )
        for section in last.itertuples():
            of = f"{number}, service {section.service_id}" if len(last) > 1 else number
            days = f"{section.service_from:%Y-%m-%d} to {section.service_to:%Y-%m-%d}"
            told.append(f"the days of {of}, {days}, go into the service's next bill; rebill bills them by themselves")
    return told


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


_DRAFTED: Final = (
    ("draft_bills", "bill"),
    ("draft_services", "sections"),
    ("draft_lines", "lines"),
    ("draft_reads", "reads"),
)


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
        for name, frames in _DRAFTED:
            work.insert(name, pd.concat([getattr(rebill, frames) for rebill in mine], ignore_index=True))
        total = sum(int(rebill.bill["amount"].iloc[0]) for rebill in mine)
        batch = write_batch(work, BILL.batch, cycle, str(period), len(mine), total)
        post_bill_batch(work, batch, ready, dict(keys), receivable)
        for name in reversed(dict(_DRAFTED)):
            work.execute(f"DELETE FROM {name} WHERE {ready}", **keys)  # noqa: S608
        done.append(f"{batch}: {len(mine)} billed anew, {money(total)}")
    return done
