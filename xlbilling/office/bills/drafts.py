"""Drafts: a run's computed bills in the store; each Compute replaces them whole, and Undo puts the earlier ones back."""

from __future__ import annotations

from typing import Final

import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.undo import OVERTAKEN, Step, takes_back
from xlbilling.office.reads.run_inputs import inputs_digest
from xlbilling.store import Store, Work, frames, schema
from xlbilling.trade.bills import Drafts
from xlbilling.trade.reads import Settled
from xlbilling.words.problems import Conflict, Place

_OF_RUN: Final = "bill_key IN (SELECT bill_key FROM draft_bills WHERE cycle = :c AND period = :p"
_TABLES: Final = (
    "draft_lines",
    "draft_reads",
    "draft_services",
    "draft_bills",
)  # the bills last: the others are found by them


def replace_drafts(desk: Desk, work: Work, drafts: Drafts, settled: Settled) -> Step:
    """Write the run's drafts in place of the earlier ones; the step that brings those back."""
    cycle, period = desk.run.cycle, desk.run.period
    earlier = {
        name: frames.rows(work.table(name, _OF_RUN + ")", c=cycle, p=period), _columns(name)) for name in _TABLES
    }
    earlier_from, earlier_by = computed_from(work, cycle, period), computed_by(work, cycle, period)
    clear_drafts(work, cycle, period)
    work.insert("draft_bills", drafts.bills)
    work.insert("draft_services", drafts.sections)
    work.insert("draft_lines", drafts.lines)
    work.insert("draft_reads", _metered(drafts.sections, settled))
    made_from = inputs_digest(work, desk)
    _note(work, cycle, period, made_from, work.actor)
    return {
        "kind": "drafts", "run": [cycle, period], "made_from": made_from, "earlier": earlier, "earlier_from": earlier_from,
        "earlier_by": earlier_by,
    }  # fmt: skip


@takes_back("drafts")
def earlier_drafts(work: Work, step: Step) -> None:
    """Put the drafts back that stood before a Compute, unless they were computed again or posted since."""
    cycle, period = step["run"]
    if computed_from(work, cycle, period) != step["made_from"]:
        fact = f"the bills of cycle {cycle} of {period} were computed again since"
        raise Conflict(OVERTAKEN.at(Place(table="bills"), fact))
    clear_drafts(work, cycle, period)
    for name in _TABLES:
        work.insert_rows(name, _columns(name), [tuple(row) for row in step["earlier"][name]])
    _note(work, cycle, period, step["earlier_from"], step.get("earlier_by", ""))


def clear_drafts(work: Work, cycle: str, period: str, state: str = "") -> None:
    """Take out a run's drafts, or only those of a state."""
    mine = _OF_RUN + (" AND state = :s)" if state else ")")
    for name in _TABLES:
        work.execute(f"DELETE FROM {name} WHERE {mine}", c=cycle, p=period, **({"s": state} if state else {}))  # noqa: S608


def computed_from(work: Work | Store, cycle: str, period: str) -> str:
    """The digest of what the run's drafts were computed from; blank where it has none."""
    return str(work.value("SELECT value FROM meta WHERE name = :n", n=f"drafts {cycle} {period}") or "")


def computed_by(work: Work, cycle: str, period: str) -> str:
    """Who computed the run's drafts; blank where it has none, or an earlier version computed them."""
    return str(work.value("SELECT value FROM meta WHERE name = :n", n=f"drafts {cycle} {period} by") or "")


def _note(work: Work, cycle: str, period: str, digest: str, author: str) -> None:
    """Note what the run's drafts were computed from, and by whom."""
    name = f"drafts {cycle} {period}"
    for noted, value in ((name, digest), (f"{name} by", author)):
        work.execute("DELETE FROM meta WHERE name = :n", n=noted)
        if value:
            work.insert_one("meta", name=noted, value=value)


def _metered(sections: pd.DataFrame, settled: Settled) -> pd.DataFrame:
    """The registers each section of a draft bill is made from."""
    registers = settled.registers.loc[settled.registers["due"]]
    key = registers["service_id"].map(sections.set_index("service_id")["bill_key"])
    made = registers.assign(bill_key=key)
    made["unit"] = registers["unit"]
    return made.loc[key.notna()]


def _columns(name: str) -> list[str]:
    return [column.name for column in schema.metadata.tables[name].columns]
