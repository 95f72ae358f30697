"""Deciding: the findings of a run listed on Exceptions, and what the office decided on each."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.course import course_of
from xlbilling.office.desk import Desk, Run
from xlbilling.office.rows import Step, keep_revision, saves
from xlbilling.office.views import last_reads, shows
from xlbilling.office.working_copy import CHANGED_MEANWHILE, Changes, content, history_name
from xlbilling.problems import Conflict, Place, Refusal, declare
from xlbilling.reads.decisions import decided
from xlbilling.records import TABLE
from xlbilling.store import Work
from xlbilling.workbook.port import row_keys

REASON_MISSING: Final = declare(
    "reason_missing", "A decision has no reason.", "Type why in column Reason; fill it down for many rows."
)
FIRST_ROW: Final = 4  # sheet row of a table's first row


def store_findings(work: Work, run: Run, found: pd.DataFrame) -> str:
    """Replace the run's findings; those that no longer hold are kept as gone when a decision was typed.

    The findings of services billed already in the run stay as they were when the bill was posted. What somebody decided
    while the reads were checked counts as well.
    """
    mine = f"cycle = :c AND period = :p AND service_id NOT IN ({_BILLED_SERVICES})"
    earlier = work.table("exceptions", mine, c=run.cycle, p=run.period)
    found = decided(found, earlier)
    gone = earlier.loc[earlier["decision"].ne("") & ~earlier["exception_id"].isin(found["exception_id"])]
    work.execute(f"DELETE FROM exceptions WHERE {mine}", c=run.cycle, p=run.period)  # noqa: S608
    rows = found.drop_duplicates("exception_id").assign(cycle=run.cycle, period=run.period)
    rows["rev"] = _revisions(rows, earlier)
    work.insert("exceptions", rows)
    if len(gone):
        work.insert("exceptions", gone.assign(state="gone"))
    still = rows.loc[rows["state"].eq("open")]
    counts = still["severity"].value_counts()
    return (
        f"{len(rows)} findings for {run}: {counts.get('block', 0)} hold a bill, {counts.get('review', 0)} to look at, "
        f"{counts.get('info', 0)} noted, {int(rows['state'].eq('decided').sum())} decided."
    )


_BILLED_SERVICES: Final = (
    "SELECT b.service_id FROM bills b JOIN standing_bills t ON t.number = b.number WHERE b.cycle = :c AND b.period = :p"
)


def _revisions(rows: pd.DataFrame, earlier: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Each finding's revision: it moves on only where the finding itself is another, so that no typing goes stale."""
    said = ["severity", "fact", "decision", "override_read", "reason", "state"]
    known = earlier.set_index("exception_id")[[*said, "rev"]].reindex(rows["exception_id"])
    same = (known[said].to_numpy() == rows[said].to_numpy()).all(axis=1)
    before = known["rev"].fillna(0).to_numpy(dtype=np.int64)
    return np.where(same, before, before + 1)


@saves("exceptions")
def write_decisions(desk: Desk, work: Work, change: Changes) -> list[Step]:
    """Write decisions typed on Exceptions, with who and when; every decision needs its reason."""
    before: list[tuple[str, dict[str, Any]]] = []
    run = {"cycle": desk.run.cycle, "period": desk.run.period}
    event = work.event(f"Decided {len(change.changed)} findings")
    history, typed = history_name(desk, "exceptions"), TABLE["exceptions"].names("typed")
    labels = [int(label) for label in change.changed.index]
    for label, row, old in zip(
        labels, change.changed.to_dict("records"), change.before.to_dict("records"), strict=True
    ):
        if row["decision"] and not row["reason"].strip():
            place = change.place(label, "reason")
            raise Refusal(
                REASON_MISSING.at(place, f"{row['exception_id']} is decided {row['decision']} without a reason")
            )
        written_rows = work.execute(
            _DECIDE, decision=row["decision"], override_read=row["override_read"], reason=row["reason"],
            decided_by=work.actor if row["decision"] else "", decided_at=work.at if row["decision"] else "",
            state="decided" if row["decision"] else "open", id=row["exception_id"], rev=int(old["rev"]), **run,
        )  # fmt: skip
        if written_rows != 1:
            fact = f"{row['exception_id']} was decided or checked again meanwhile"
            raise Conflict(CHANGED_MEANWHILE.at(Place(table="exceptions", key=str(row["exception_id"])), fact))
        keep_revision(work, history, row["exception_id"], int(old["rev"]), event, content(old, typed))
        keep_revision(work, history, row["exception_id"], int(old["rev"]) + 1, event, content(row, typed))
        kept = {n: old[n] for n in ("decision", "override_read", "reason", "decided_by", "decided_at", "state")}
        written = {f"now_{n}": row[n] for n in ("decision", "override_read", "reason")}
        before.append((_UNDECIDE, {**kept, **run, **written, "id": row["exception_id"]}))
    return [{"sql": before, "each": 1}]


_SET_DECISION: Final = (
    "UPDATE exceptions SET decision = :decision, override_read = :override_read, reason = :reason, "
    "decided_by = :decided_by, decided_at = :decided_at, "
    "state = CASE state WHEN 'gone' THEN state ELSE :state END, rev = rev + 1 "
    "WHERE exception_id = :id AND cycle = :cycle AND period = :period "
)
_DECIDE: Final = _SET_DECISION + "AND rev = :rev"
_UNDECIDE: Final = (
    _SET_DECISION + "AND decision = :now_decision AND override_read = :now_override_read AND reason = :now_reason"
)


@shows("exceptions")
def exceptions_view(desk: Desk) -> pd.DataFrame:
    """The run's findings: open ones first, then by the money at risk, then by weight."""
    made = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND state <> 'gone'",
        "CASE state WHEN 'open' THEN 0 ELSE 1 END, money_at_risk DESC, "
        "CASE severity WHEN 'block' THEN 0 WHEN 'review' THEN 1 ELSE 2 END, exception_id",
        **desk.chosen,
    )
    made["history"] = made["service_id"].map(course_of(desk)).astype(object).fillna("").astype("str")
    made["place"] = _cells(desk, made["place"])
    return made


def _cells(desk: Desk, places: pd.Series[str]) -> list[str]:
    """Where a finding is, as its cell: reads|17|dial_read -> Reads!G20; rows stand on the sheets in key order."""
    rows: dict[tuple[str, str], int] = {}
    ids = desk.store.query(
        "SELECT read_id FROM reads WHERE cycle = :c AND period = :p AND state = 'current' ORDER BY read_id",
        **desk.chosen,
    )
    rows |= {("reads", str(read)): FIRST_ROW + n for n, read in enumerate(ids["read_id"].tolist())}
    meters = last_reads(desk, desk.cycle)
    rows |= {("meters", key): FIRST_ROW + n for n, key in enumerate(row_keys(TABLE["meters"], meters))}
    made = []
    for text in places:
        table, key, column = text.split("|")
        row = rows.get((table, key))
        letter = _letter(list(TABLE[table].columns).index(column))
        made.append(f"{TABLE[table].sheet.name}!{letter}{row}" if row else f"{TABLE[table].sheet.name} {key}")
    return made


def _letter(index: int) -> str:
    """Column letter of a position from 0: 0 -> A, 26 -> AA."""
    return (_letter(index // 26 - 1) if index >= 26 else "") + chr(65 + index % 26)
