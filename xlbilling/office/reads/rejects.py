"""Rejects: rows of read files that were not taken, corrected on the sheet and taken in without a new file, or left."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.reads.rejected import CONTENT_CHARACTERS
from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk, Run
from xlbilling.office.desk.history import as_text, keep_change
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.undo import OVERTAKEN, Step, overtaken, takes_back
from xlbilling.office.desk.working_tables import bound
from xlbilling.office.reads.findings import REASON_MISSING
from xlbilling.store import Work
from xlbilling.store.schema import columns_of
from xlbilling.trade.reads.dials import MOST_DIALS
from xlbilling.trade.reads.units import millionths
from xlbilling.words.problems import Conflict, Place, Problem, declare
from xlbilling.words.states import CURRENT, LEFT, OPEN, TAKEN

CANNOT_TAKE: Final = declare(
    "reject_not_takeable",
    "A rejected row cannot be taken as it stands on sheet Rejects.",
    "Correct the marked cell, or choose leave, and press Save again.",
)
REJECT_BILLED: Final = declare(
    "reject_billed",
    "The read that was made of a rejected row is billed already.",
    "Leave the row as it was taken; a wrong bill is corrected with Reverse, kind rebill.",
)
INTERVAL: Final = "interval"
_DIAL: Final = re.compile(rf"\d{{1,{MOST_DIALS}}}(\.\d{{1,6}})?", re.ASCII)
_STATES: Final = {"take": TAKEN, "leave": LEFT, "": OPEN}
_READ_FIELDS: Final = ("meter_id", "register_id", "read_date", "dial_read", "unit")


_AS_IT_CAME: Final = [
    "source_line",
    "code",
    "message",
    "content",
    "meter_id",
    "register_id",
    "read_date",
    "dial_read",
    "unit",
]


def rejected(rejects: pd.DataFrame, import_id: int) -> pd.DataFrame:
    """A file's rejects as rows of the store, open until the office takes or leaves them; none is left out."""
    made = rejects.reindex(columns=_AS_IT_CAME, fill_value="").reset_index(drop=True)
    again = made.groupby(["source_line", "code"]).cumcount() if len(made) else pd.Series(dtype="int64")
    names = str(import_id) + ":" + made["source_line"].astype("str") + ":" + made["code"]
    ids = names + np.where(again.gt(0), ":" + (again + 1).astype("str"), "")
    blank = dict.fromkeys(("decision", "reason", "decided_by", "decided_at"), "")
    dates = pd.Series([text or None for text in made["read_date"]], dtype=object)
    none = pd.array([None] * len(made), dtype="Int64")
    return made.assign(
        reject_id=ids, import_id=import_id, read_date=dates, state=OPEN, rev=1, read_id=none, **blank
    )  # fmt: skip


_TAKEN_OVER: Final = ["decision", "reason", "decided_by", "decided_at", "state", "read_id", *_READ_FIELDS]
_DECIDED_BEFORE: Final = (
    "SELECT r.code, r.content, r.decision, r.reason, r.decided_by, r.decided_at, r.state, r.read_id, r.meter_id, "
    "r.register_id, r.read_date, r.dial_read, r.unit FROM rejects r JOIN imports i ON i.import_id = r.import_id "
    "LEFT JOIN reads d ON d.read_id = r.read_id WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p "
    "AND i.state = :current AND r.state <> :open AND r.content <> '' AND (r.read_id IS NULL OR d.state = :current) "
    "ORDER BY r.import_id DESC, r.source_line, r.reject_id"
)


def with_decisions_of_before(work: Work, run: Run, rows: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Rejected rows of a corrected file with what was decided on the same rows of an earlier one, and that in words.

    The same row has the same content and was rejected for the same reason; of rows that are alike the first has the
    first one's decision. A row that was taken shares the read that was made of it; where that was replaced it is open.
    """
    before = work.query(
        "code content decision reason decided_by decided_at state read_id:int? meter_id register_id read_date:day? dial_read unit",
        _DECIDED_BEFORE,
        c=run.cycle,
        p=run.period,
    )
    if before.empty or rows.empty:
        return rows, ""
    before = before.loc[before["content"].str.len() < CONTENT_CHARACTERS]  # what was cut off may differ
    marks = [_nth(frame) for frame in (rows, before)]
    known = before.set_index(marks[1]).loc[lambda frame: ~frame.index.duplicated()]
    carried = marks[0].isin(known.index)
    if not carried.any():
        return rows, ""
    of_before = known.reindex(marks[0].loc[carried])
    made = rows.astype(dict.fromkeys(_TAKEN_OVER, object))
    for name in _TAKEN_OVER:
        kept = of_before[name].map(as_text) if name == "read_date" else of_before[name]
        made.loc[carried, name] = kept.astype(object).where(kept.notna() & kept.ne(""), _BLANK.get(name, "")).to_numpy()
    counts = of_before["state"].value_counts()
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    said = f" {int(carried.sum())} rejected rows are the same as before and keep what was decided on them ({told})."
    return made.assign(read_id=made["read_id"].astype("Int64")), said


_BLANK: Final = dict.fromkeys(("read_date", "read_id"))


def _nth(rows: pd.DataFrame) -> pd.Series[str]:
    """A name for each row by reason, content, and which of those alike it is."""
    name = rows["code"] + "\x1f" + rows["content"]
    return name + "\x1f" + rows.groupby(["code", "content"], sort=False).cumcount().astype("str")


def rejects_view(desk: Desk) -> pd.DataFrame:
    """The rows of the run's read files that were not taken, open ones first."""
    return desk.store.query(
        {**columns_of("rejects"), "file_name": ""},
        "SELECT r.*, i.file_name FROM rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p AND i.state = :current "
        "ORDER BY CASE r.state WHEN :open THEN 0 ELSE 1 END, r.import_id, r.source_line, r.reject_id",
        **desk.chosen,
    )


def open_rejects(desk: Desk) -> int:
    """How many rows of the period's read files nobody has taken or left yet."""
    return int(
        desk.store.value(
            "SELECT COUNT(*) FROM rejects r JOIN imports i ON i.import_id = r.import_id "
            "WHERE i.kind = 'reads' AND i.period = :p AND i.state = :current AND r.state = :open",
            p=str(desk.period),
        )
    )


def _undecidable(change: Changes) -> list[Problem]:
    """What stands in the way of the decisions typed on Rejects, each with its cell."""
    problems: list[Problem] = []
    for label, row, _ in change.pairs():
        if row["decision"] and not row["reason"].strip():
            fact = f"line {row['source_line']} is to be {_STATES[row['decision']]} without a reason"
            problems.append(REASON_MISSING.at(change.place(label, "reason"), fact))
        if row["decision"] == "take":
            facts = _not_takeable(row)
            problems += [CANNOT_TAKE.at(change.place(label, column), fact) for column, fact in facts]
    for label in change.new.index.tolist():
        fact = "a row below the others is in no file"
        problems.append(CANNOT_TAKE.at(change.place(int(label), "meter_id"), fact, "Delete it."))
    return problems


def _not_takeable(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Columns of a row that no read can be made of, with what is wrong."""
    found = []
    if not row["meter_id"]:
        found.append(("meter_id", "the row has no meter"))
    if row["register_id"] == INTERVAL:
        found.append(("register_id", "what ran in one hour is no dial read"))
    if pd.isna(row["read_date"]):
        found.append(("read_date", "the row has no read date"))
    if not _DIAL.fullmatch(row["dial_read"]):
        found.append(("dial_read", f"{row['dial_read']!r} is not a dial read"))
    return found


@surface("rejects", follows=("reads", "exceptions"))
class Rejects(Surface):
    """Rows of the run's read files that were not taken, as they came and as the office corrects them."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return rejects_view(desk)

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of another run's files."""
        return self._elsewhere(desk, keys, "i.state = :current")

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of files whose import was taken back or replaced."""
        return self._elsewhere(desk, keys, "i.state <> :current").assign(actor="")

    def _elsewhere(self, desk: Desk, keys: Sequence[str], which: str) -> pd.DataFrame:
        rows = desk.store.query(
            {**columns_of("rejects"), "file_name": ""},
            "SELECT r.*, i.file_name FROM rejects r JOIN imports i ON i.import_id = r.import_id "  # noqa: S608
            f"WHERE i.kind = 'reads' AND {which}",
        )
        return rows.loc[rows["reject_id"].isin(keys)]

    def history(self, desk: Desk) -> str:
        return "rejects"

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        return _undecidable(change)

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write what was corrected and decided; a row taken makes a read of its file's run, with who and when."""
        typed = self.declared.names("typed")
        told = "; ".join(f"{old['reject_id']} {row['decision'] or OPEN}" for _, row, old in change.pairs())
        event, taken_back = work.event(f"Rejects: {told}"), []
        for label, row, old in change.pairs():
            taken_back.append(_decide(desk, work, change, label, row, old))
            keep_change(work, self.history(desk), str(old["reject_id"]), event, old, row, typed)
        return [{"kind": "rejects", "rows": taken_back}]


def _decide(
    desk: Desk, work: Work, change: Changes, label: int, row: dict[str, Any], old: dict[str, Any]
) -> dict[str, Any]:
    """Write one row and the read it makes or unmakes; the values that take it back."""
    name, place = str(old["reject_id"]), change.place(label, "decision")
    of = work.query(
        "import_id:int cycle period state read_id:int?",
        "SELECT i.import_id, i.cycle, i.period, i.state, r.read_id FROM rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE r.reject_id = :r",
        r=name,
    ).iloc[0]
    if of["state"] != CURRENT:
        raise Conflict(OVERTAKEN.at(place, f"the import of {name} was taken back since"))
    before = None if pd.isna(of["read_id"]) else int(of["read_id"])
    same = row["decision"] == old["decision"] and all(as_text(row[n]) == as_text(old[n]) for n in _READ_FIELDS)
    read = before
    if not same:
        _unmake(work, name, before, place)
        read = _made(work, row, old, of) if row["decision"] == "take" else None
    who, when = (work.actor, work.at) if row["decision"] else ("", "")
    decided = _as_kept(row) | {"reason": row["reason"].strip(), "state": _STATES[row["decision"]]}
    decided |= {"decided_by": who, "decided_at": when, "read_id": read}
    if not work.update("rejects", {"reject_id": name}, int(old["rev"]), decided):
        raise changed_meanwhile(desk, change, label, name)
    earlier = _as_kept(old) | {n: old[n] for n in ("reason", "state", "decided_by", "decided_at")}
    return {"reject": name, "written": decided, "before": earlier | {"read_id": before}}


def _as_kept(row: dict[str, Any]) -> dict[str, Any]:
    """The row's fields of a read and its decision as the store keeps them."""
    return {n: as_text(row[n]) or (None if n == "read_date" else "") for n in (*_READ_FIELDS, "decision")}


@takes_back("rejects")
def undecide_rejects(work: Work, step: Step) -> None:
    """Give rejected rows what they were before, with the read that was made of them; refused where one moved on since."""
    for row in reversed(step["rows"]):
        name, written, before = row["reject"], row["written"], row["before"]
        now = work.table("rejects", "reject_id = :n", n=name)
        if now.empty or any(bound(now[column].iloc[0]) != value for column, value in written.items()):
            raise overtaken("rejects", name, f"{name} was changed since")
        if written["read_id"] != before["read_id"]:
            _unmake(work, name, written["read_id"], Place(table="rejects", key=name))
            if before["read_id"] is not None and work.execute(_REINSTATE, read=before["read_id"]) != 1:
                raise overtaken("rejects", name, f"the read made of {name} was replaced by that of a later file")
        work.update("rejects", {"reject_id": name}, int(now["rev"].iloc[0]), before)


_WITHDRAW: Final = "UPDATE reads SET state = :withdrawn WHERE read_id = :read AND state = :current"
_REINSTATE: Final = "UPDATE reads SET state = :current WHERE read_id = :read AND state = :withdrawn"
_SHARED: Final = "SELECT COUNT(*) FROM rejects WHERE read_id = :read AND reject_id <> :name AND state = :taken"
_BILLED: Final = (
    "SELECT b.number FROM bill_reads r JOIN standing_bills b ON b.number = r.number AND b.service_id = r.service_id "
    "WHERE r.read_id = :read"
)


def _unmake(work: Work, name: str, read_id: int | None, place: Place) -> None:
    """Withdraw the read that was made of a row before, unless the same row of another file was taken too.

    Refused where it is billed.
    """
    if read_id is None or work.value(_SHARED, read=read_id, name=name):
        return
    bill = work.value(_BILLED, read=read_id)
    if bill is not None:
        raise Conflict(REJECT_BILLED.at(place, f"{name} is on bill {bill}"))
    if work.execute(_WITHDRAW, read=read_id) != 1:
        fact = f"the read made of {name} was replaced by that of a later file"
        raise Conflict(OVERTAKEN.at(place, fact, "Leave the row as it is."))


def _made(work: Work, row: Mapping[str, Any], old: Mapping[str, Any], of: Any) -> int | None:
    """Make a read of a row; None where the run has the same read already."""
    read = {
        "cycle": of["cycle"], "period": of["period"], "meter_id": row["meter_id"], "register_id": row["register_id"],
        "read_date": as_text(row["read_date"]), "read_value": millionths(row["dial_read"]),
    }  # fmt: skip
    there = work.value(_SAME_READ, **read, unit=row["unit"])
    if there is not None:
        return None
    read_id = int(work.value("SELECT MAX(read_id) FROM reads") or 0) + 1
    work.insert_one(
        "reads", read_id=read_id, import_id=int(of["import_id"]), account_id="", read_time="", dial_read=row["dial_read"],
        unit=row["unit"], read_code="actual", source_line=int(old["source_line"]), state=CURRENT, superseded_by=None, **read,
    )  # fmt: skip
    return read_id


_SAME_READ: Final = (
    "SELECT read_id FROM reads WHERE cycle = :cycle AND period = :period AND state = :current AND meter_id = :meter_id "
    "AND register_id = :register_id AND read_date = :read_date AND read_value = :read_value "
    "AND (unit = :unit OR unit = '' OR CAST(:unit AS TEXT) = '')"
)
