"""Deciding: the findings of a run listed on Exceptions, and what the office decided on each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk, Run
from xlbilling.office.desk.history import as_text, keep_change
from xlbilling.office.desk.surface import SURFACES, Surface, surface
from xlbilling.office.desk.undo import Step, overtaken, takes_back
from xlbilling.office.desk.views import last_reads
from xlbilling.office.reads.concerning import concerning
from xlbilling.office.reads.course import course_of
from xlbilling.store import Work
from xlbilling.trade.reads.decisions import decided
from xlbilling.words.problems import Refusal, declare
from xlbilling.words.records import TABLE
from xlbilling.words.states import BILLED, DECIDED, GONE, OPEN
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
    rows["state"] = rows["state"].mask(_passed(rows, earlier), BILLED)
    rows["rev"] = _revisions(rows, earlier)
    work.insert("exceptions", rows)
    if len(gone):
        work.insert("exceptions", gone.assign(state=GONE))
    still = rows.loc[rows["state"].eq(OPEN)]
    counts = still["severity"].value_counts()
    return (
        f"{len(rows)} findings for {run}: {counts.get('block', 0)} hold a bill, {counts.get('review', 0)} to look at, "
        f"{counts.get('info', 0)} noted, {int(rows['state'].eq(DECIDED).sum())} decided."
    )


def _passed(rows: pd.DataFrame, earlier: pd.DataFrame) -> pd.Series[bool]:
    """Which findings about no service of its own were closed with their run and say the same again."""
    closed = earlier.loc[earlier["state"].eq(BILLED) & earlier["service_id"].eq("")].set_index("exception_id")["fact"]
    return rows["state"].eq(OPEN) & rows["exception_id"].map(closed).eq(rows["fact"])


def close_findings(work: Work, cycle: str, period: str) -> None:
    """Close what nobody decided about bills that are posted now; what is about no service closes with the run's last bill."""
    billed = "b.cycle = :c AND b.period = :p"
    waits = work.value(f"SELECT COUNT(*) FROM draft_bills b WHERE {billed}", c=cycle, p=period)  # noqa: S608
    of_run = "" if waits else "service_id = '' OR "
    work.execute(
        "UPDATE exceptions SET state = :billed WHERE cycle = :c AND period = :p AND state = :open AND "  # noqa: S608
        f"({of_run}service_id IN ({_BILLED_SERVICES}))",
        billed=BILLED,
        open=OPEN,
        c=cycle,
        p=period,
    )


_BILLED_SERVICES: Final = (
    "SELECT s.service_id FROM bills b JOIN standing_bills s ON s.number = b.number WHERE b.cycle = :c AND b.period = :p"
)


def _revisions(rows: pd.DataFrame, earlier: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Each finding's revision: it moves on only where the finding itself is another, so that no typing goes stale."""
    said = ["severity", "fact", *_TYPED, "state"]
    known = earlier.set_index("exception_id")[[*said, "rev"]].reindex(rows["exception_id"])
    same = (known[said].map(as_text).to_numpy() == rows[said].map(as_text).to_numpy()).all(axis=1)
    before = known["rev"].fillna(0).to_numpy(dtype=np.int64)
    return np.where(same, before, before + 1)


_TYPED: Final = ("decision", "override_read", "override_date", "reason")
_DECIDED: Final = (*_TYPED, "decided_by", "decided_at", "state")


def write_decisions(desk: Desk, work: Work, change: Changes) -> list[Step]:
    """Write decisions typed on Exceptions, with who and when; every decision needs its reason."""
    run, history = {"cycle": desk.run.cycle, "period": desk.run.period}, SURFACES["exceptions"].history(desk)
    event = work.event(f"Decided {len(change.changed)} findings{_overrides_in_words(change)}")
    typed, taken_back = TABLE["exceptions"].names("typed"), []
    for label, row, old in change.pairs():
        finding, decision = row["exception_id"], row["decision"]
        if decision and not row["reason"].strip():
            place = change.place(label, "reason")
            raise Refusal(REASON_MISSING.at(place, f"{finding} is decided {decision} without a reason"))
        who, when = (work.actor, work.at) if decision else ("", "")
        state = old["state"] if old["state"] in (GONE, BILLED) else DECIDED if decision else OPEN
        decided = _as_kept(row, _TYPED) | {"decided_by": who, "decided_at": when, "state": state}
        if not work.update("exceptions", {**run, "exception_id": finding}, int(old["rev"]), decided):
            raise changed_meanwhile(desk, change, label, finding)
        keep_change(work, history, finding, event, old, row, typed)
        taken_back.append({"finding": finding, "written": decided, "before": _as_kept(old, _DECIDED)})
    return [{"kind": "decisions", **run, "findings": taken_back}]


def _as_kept(row: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A finding's decision as the store keeps it, and an undo step does."""
    return {n: as_text(row[n]) or (None if n == "override_date" else "") for n in names}


def _overrides_in_words(change: Changes) -> str:
    """What was typed in the place of reads, for Log: which finding, which dial, which day."""
    typed = [
        f"{row['exception_id']} as {read_in_words(row['override_read'], row['override_date'])}"
        for _, row, _ in change.pairs()
        if row["decision"] == "override"
    ]
    return f"; override {', '.join(typed)}" if typed else ""


def read_in_words(dial: str, day: Any) -> str:
    """What an override says the read is: 0111, 0111 of 2026-11-05, or the read of 2026-11-05 where only the day is said."""
    if pd.isna(day):
        return dial or "(blank)"
    return f"{dial or 'the read'} of {day:%Y-%m-%d}"


@takes_back("decisions")
def undecide(work: Work, step: Step) -> None:
    """Give findings the decision they had before; refused where somebody has decided on one since."""
    run = {"cycle": step["cycle"], "period": step["period"]}
    for finding in step["findings"]:
        key = {**run, "exception_id": finding["finding"]}
        now = work.table("exceptions", "cycle = :cycle AND period = :period AND exception_id = :exception_id", **key)
        written = finding["written"]
        if now.empty or any(as_text(now[n].iloc[0]) != as_text(written[n]) for n in _TYPED if n in written):
            raise overtaken("exceptions", finding["finding"], f"{finding['finding']} was decided again since")
        gone = now["state"].iloc[0] == GONE
        before = finding["before"] | ({"state": GONE} if gone else {})
        work.update("exceptions", key, int(now["rev"].iloc[0]), before)


@surface("exceptions")
class Exceptions(Surface):
    """The run's findings and what the office decided on each."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return exceptions_view(desk)

    def stored(self, desk: Desk) -> pd.DataFrame:
        of_run = desk.store.table("exceptions", "cycle = :c AND period = :p AND state <> :gone", **desk.chosen)
        return of_run.drop(columns="place")  # on the sheet it is a cell

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Findings that no longer hold: what is typed on them is still saved."""
        gone = desk.store.table("exceptions", "cycle = :c AND period = :p AND state = :gone", **desk.chosen)
        return gone.loc[gone["exception_id"].isin(keys)]

    def history(self, desk: Desk) -> str:
        return f"exceptions {desk.cycle} {desk.period}"

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        return write_decisions(desk, work, change)


def exceptions_view(desk: Desk) -> pd.DataFrame:
    """The run's findings: open ones first, then by the money at risk, then by weight."""
    made = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND state <> :gone",
        "CASE state WHEN :open THEN 0 ELSE 1 END, money_at_risk DESC, "
        "CASE severity WHEN 'block' THEN 0 WHEN 'review' THEN 1 ELSE 2 END, exception_id",
        **desk.chosen,
    )
    made["history"] = made["service_id"].map(course_of(desk)).astype(object).fillna("").astype("str")
    made["place"] = _cells(desk, made["place"])
    return concerning(desk, made)


def _cells(desk: Desk, places: pd.Series[str]) -> list[str]:
    """Where a finding is, as its cell: reads|17|dial_read -> Reads!G20; rows stand on the sheets in key order."""
    rows: dict[tuple[str, str], int] = {}
    ids = desk.store.query(
        "read_id:int",
        "SELECT read_id FROM reads WHERE cycle = :c AND period = :p AND state = :current ORDER BY read_id",
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
