"""Drafts: a run's computed bills in the store; each Compute replaces them whole, and Undo puts the earlier ones back."""

from __future__ import annotations

import hashlib
from typing import Final

import pandas as pd

from xlbilling.bills import Drafts
from xlbilling.office.desk import Desk, policy_on
from xlbilling.office.history import last_write
from xlbilling.office.undo import OVERTAKEN, Step, takes_back
from xlbilling.problems import Conflict, Place
from xlbilling.reads import Settled
from xlbilling.store import Store, Work, frames, schema

_OF_RUN: Final = "bill_key IN (SELECT bill_key FROM draft_bills WHERE cycle = :c AND period = :p"
_RULES: Final = ("billing", "check", "reads")  # topics of Policy that bills go by
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


def inputs_digest(work: Work | Store, desk: Desk) -> str:
    """A digest of what the run's drafts are computed from: reads, decisions, services left out, earlier bills, and
    the tables bills go by.
    """
    decisions = work.query(
        "exception_id fact decision override_read day",
        "SELECT exception_id, fact, decision, override_read, COALESCE(override_date, '') AS day FROM exceptions "
        "WHERE cycle = :c AND period = :p AND decision <> '' AND state <> :gone ORDER BY exception_id",
        **desk.chosen,
    )
    left_out = work.query(
        "service_id reason",
        "SELECT service_id, reason FROM left_out WHERE cycle = :c AND period = :p AND decision <> '' ORDER BY service_id",
        **desk.chosen,
    )
    return _digest(work, desk, repr([decisions.to_numpy().tolist(), left_out.to_numpy().tolist()]))


def checked_from(desk: Desk) -> str:
    """A digest of what the run's reads are checked by: as of drafts, but without the decisions, which may come meanwhile."""
    return _digest(desk.store, desk, "")


def _digest(work: Work | Store, desk: Desk, decisions: str) -> str:
    run = desk.chosen
    reads = work.query(
        "read_id:int",
        "SELECT read_id FROM reads WHERE cycle = :c AND period = :p AND state = :current ORDER BY read_id",
        **run,
    )
    # What comes later, and rules that no bill goes by, leave the drafts as they are.
    rules = policy_on(work, desk.run_day)
    rules = rules.loc[rules["topic"].isin(_RULES), ["topic", "setting", "value", "severity"]]
    tables = last_write(work, "cycles", "services", "meters", "rates")
    earlier = work.query(
        "count:int number",
        "SELECT COUNT(*) AS count, MAX(t.number) AS number FROM standing_bills t "
        "JOIN services s ON s.service_id = t.service_id WHERE s.cycle = :c",
        c=run["c"],
    )
    ended = work.query(
        "account_id status closed_on:day?",
        "SELECT DISTINCT a.account_id, a.status, a.closed_on FROM accounts a JOIN services s ON s.account_id = a.account_id "
        "WHERE s.cycle = :c AND (a.closed_on IS NOT NULL OR a.status <> 'active') ORDER BY a.account_id",
        c=run["c"],
    )
    digest = hashlib.sha256(repr([tables, *earlier.iloc[0].tolist()]).encode())
    if len(ended):  # of Accounts bills go by who ended and when, not by names and phone numbers
        digest.update(ended.to_csv(index=False).encode())
    digest.update(reads["read_id"].to_numpy().tobytes())
    digest.update(repr([decisions, rules.to_numpy().tolist()]).encode())
    return digest.hexdigest()


def _metered(sections: pd.DataFrame, settled: Settled) -> pd.DataFrame:
    """The registers each section of a draft bill is made from."""
    registers = settled.registers.loc[settled.registers["due"]]
    key = registers["service_id"].map(sections.set_index("service_id")["bill_key"])
    made = registers.assign(bill_key=key)
    made["unit"] = registers["unit"]
    return made.loc[key.notna()]


def _columns(name: str) -> list[str]:
    return [column.name for column in schema.metadata.tables[name].columns]
