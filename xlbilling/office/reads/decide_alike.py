"""Deciding alike: one decision for every finding of its kind, looked at first and written in one go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import CHANGED_MEANWHILE, Changes
from xlbilling.office.desk.comparing import changes
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import NOT_SAVED, refresh_tables, refuse_unsaved
from xlbilling.office.desk.undo import keep_undo
from xlbilling.office.reads.findings import REASON_MISSING, write_decisions
from xlbilling.words.problems import Conflict, Place, Refusal, declare
from xlbilling.words.records import TABLE

NOTHING_TYPED: Final = declare(
    "alike_nothing_typed",
    "There is no decision on Exceptions that waits to be saved, so nothing says what to decide alike.",
    "Type a decision and its reason on one finding, then press Decide alike.",
)
NOT_ALIKE: Final = declare(
    "alike_unclear",
    "What was typed does not say one thing for all findings of a check.",
    "Type one decision and one reason for a check, or press Save for the findings one by one.",
)
NONE_OPEN: Final = declare(
    "alike_none_open",
    "No open finding is of the kind that was to be decided.",
    "Look at column State on Exceptions; press Validate where the reads changed.",
)
_NAMED: Final = 5  # findings named in the preview


@dataclass(frozen=True, slots=True)
class Alike:
    """One decision and whom it is for: the open findings of a check and severity up to an amount of money at risk."""

    rule: str
    severity: str
    decision: str
    reason: str
    most: int  # money at risk in cents, the amount itself included


def decide_alike(desk: Desk) -> Outcome:
    """Save the decisions typed on Exceptions together with the same decision for the findings like them.

    A blocking finding is decided alike only by a blocking one: severity is part of being alike. Undo last takes all of
    it back.
    """
    desk = desk.as_shown()
    look = Look(desk)
    typed = changes(desk, "exceptions")
    _refuse_unclear(typed)
    wanted = _wanted(typed)
    waiting = look.at(_open)
    waiting = waiting.loc[~waiting["exception_id"].isin(typed.changed["exception_id"])]
    found = [(alike, _like(waiting, alike)) for alike in wanted]
    count = sum(len(rows) for _, rows in found)
    if not count:
        return Outcome("No other open finding is like what you typed; press Save.")
    question = [f"Decide {count} findings like the {len(typed.changed)} you typed?", *(_told(*each) for each in found)]
    if not desk.confirm(question):
        return Outcome(f"{count} findings are listed; press Decide alike again to write them.")
    said = f"Decided {count} findings alike, besides the {len(typed.changed)} typed."
    return _write(look, _together(typed, found), said)


def decide_many(desk: Desk, alike: Alike, service: str = "") -> Outcome:
    """Decide the open findings of one check from the terminal, as Decide alike does; blank severity means any."""
    desk.need("clerk", "deciding on findings")
    refuse_unsaved(desk, ["exceptions"])
    if not alike.reason.strip():
        raise Refusal(REASON_MISSING.at(Place(table="exceptions", column="reason"), f"{alike.decision} has no reason"))
    look = Look(desk)
    waiting = look.at(_open)
    rows = _like(waiting, alike)
    rows = rows.loc[rows["service_id"].eq(service)] if service else rows
    if rows.empty:
        there = ", ".join(f"{rule} {n}" for rule, n in waiting["rule"].value_counts().items()) or "none"
        raise Refusal(
            NONE_OPEN.at(Place(table="exceptions"), f"check {alike.rule}: nothing like that is open ({there})")
        )
    if not desk.confirm([f"Decide {len(rows)} findings?", _told(alike, rows)]):
        return Outcome(f"{len(rows)} findings are listed; the same command again, or --yes, writes them.")
    blank = Changes("exceptions", rows.iloc[:0], rows.iloc[:0], rows.iloc[:0])
    return _write(look, _together(blank, [(alike, rows)]), f"Decided {len(rows)} findings of check {alike.rule}.")


def _refuse_unclear(typed: Changes) -> None:
    """Refuse what Save would refuse, a decision without reason, and dials that are one meter's alone."""
    if typed.refused:
        fact = f"{len(typed.refused)} cells; first: {typed.refused[0].fact}"
        raise Refusal(NOT_SAVED.at(typed.refused[0].place, fact), [*typed.refused, *typed.conflicts])
    if typed.conflicts:
        fact = f"{len(typed.conflicts)} rows; first: {typed.conflicts[0].fact}"
        raise Conflict(CHANGED_MEANWHILE.at(typed.conflicts[0].place, fact), typed.conflicts)
    if not typed.changed["decision"].ne("").any():
        raise Refusal(NOTHING_TYPED.at(Place(table="exceptions", column="decision"), "no decision waits to be saved"))
    row: Any
    for row in typed.changed.loc[typed.changed["decision"].ne("")].itertuples():
        if not row.reason.strip():
            fact = f"{row.exception_id} is decided {row.decision} without a reason"
            raise Refusal(REASON_MISSING.at(typed.place(int(row.Index), "reason"), fact))
        if row.decision == "override":
            fact = f"{row.exception_id} is decided override: the dial typed is that of one meter"
            raise Refusal(NOT_ALIKE.at(typed.place(int(row.Index), "decision"), fact))


def _wanted(typed: Changes) -> list[Alike]:
    """What was typed, as one decision for each check and severity, up to the most money at risk among the rows typed."""
    rows = typed.changed.assign(
        rule=typed.before["rule"].to_numpy(),
        severity=typed.before["severity"].to_numpy(),
        money_at_risk=typed.before["money_at_risk"].to_numpy(),
    )
    made: list[Alike] = []
    for (rule, severity), group in rows.loc[rows["decision"].ne("")].groupby(["rule", "severity"], sort=False):
        said = group[["decision", "reason"]].drop_duplicates()
        if len(said) > 1:
            fact = f"findings of check {rule} ({severity}) are decided in {len(said)} ways"
            raise Refusal(NOT_ALIKE.at(typed.place(int(said.index[1]), "decision"), fact))
        most = int(group["money_at_risk"].max())
        made.append(Alike(str(rule), str(severity), said["decision"].iloc[0], said["reason"].iloc[0], most))
    return made


def _open(desk: Desk) -> pd.DataFrame:
    """The run's findings that nobody has decided on, the dearest first."""
    found = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND state = :open AND decision = ''",
        "money_at_risk DESC, exception_id",
        **desk.chosen,
    )
    return found.reindex(columns=list(TABLE["exceptions"].columns), fill_value="")


def _like(waiting: pd.DataFrame, alike: Alike) -> pd.DataFrame:
    same = waiting["rule"].eq(alike.rule) & waiting["money_at_risk"].le(alike.most)
    return waiting.loc[same & waiting["severity"].eq(alike.severity)] if alike.severity else waiting.loc[same]


def _told(alike: Alike, rows: pd.DataFrame) -> str:
    """One line of the preview: what is decided, on how many, for how much, and the dearest of them."""
    services = [text for text in rows["service_id"] if text] or rows["meter_id"].tolist()
    named = ", ".join(services[:_NAMED]) + (", ..." if len(services) > _NAMED else "")
    weights = ", ".join(rows["severity"].unique()) or alike.severity
    return (
        f"{alike.rule} ({weights}): {alike.decision}, {alike.reason}: {len(rows)} findings, "
        f"{money(rows['money_at_risk'].sum())} at risk in all{': ' + named if named else ''}"
    )


def _together(typed: Changes, found: list[tuple[Alike, pd.DataFrame]]) -> Changes:
    """The rows typed and those like them as one set of changes."""
    before = pd.concat([rows for _, rows in found], ignore_index=True)
    decided = pd.concat([rows.assign(decision=a.decision, reason=a.reason) for a, rows in found], ignore_index=True)
    if typed.changed.empty:
        return Changes("exceptions", typed.new, decided, before)
    changed = pd.concat([typed.changed, decided.reindex(columns=typed.changed.columns)])
    return Changes("exceptions", typed.new, changed, pd.concat([typed.before, before]), sheet=typed.sheet)


def _write(look: Look, change: Changes, said: str) -> Outcome:
    desk = look.desk
    with look.work("decide_alike") as work:
        keep_undo(work, "Decide alike", write_decisions(desk, work, change), said)
    refresh_tables(desk, ["exceptions", "log"])
    return Outcome(said)
