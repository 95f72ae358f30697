"""Rejects: rows of read files that were not taken, corrected on the sheet and taken in without a new file, or left."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.office.deciding import REASON_MISSING
from xlbilling.office.desk import Desk
from xlbilling.office.rows import OVERTAKEN, Step, keep_revision, saves
from xlbilling.office.views import shows
from xlbilling.office.working_copy import Changes, as_text, content, history_name
from xlbilling.problems import Conflict, Place, Problem, declare
from xlbilling.reads.dials import MOST_DIALS
from xlbilling.reads.units import millionths
from xlbilling.records import TABLE
from xlbilling.store import Work

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
_STATES: Final = {"take": "taken", "leave": "left", "": "open"}
_READ_FIELDS: Final = ("meter_id", "register_id", "read_date", "dial_read", "unit")
_SQL = list[tuple[str, dict[str, Any]]]


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
        reject_id=ids, import_id=import_id, read_date=dates, state="open", rev=1, read_id=none, **blank
    )  # fmt: skip


@shows("rejects")
def rejects_view(desk: Desk) -> pd.DataFrame:
    """The rows of the run's read files that were not taken, open ones first."""
    return desk.store.query(
        "SELECT r.*, i.file_name FROM rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p AND i.state = 'current' "
        "ORDER BY CASE r.state WHEN 'open' THEN 0 ELSE 1 END, r.import_id, r.source_line, r.reject_id",
        **desk.chosen,
    )


def open_rejects(desk: Desk) -> int:
    """How many rows of the period's read files nobody has taken or left yet."""
    return int(
        desk.store.value(
            "SELECT COUNT(*) FROM rejects r JOIN imports i ON i.import_id = r.import_id "
            "WHERE i.kind = 'reads' AND i.period = :p AND i.state = 'current' AND r.state = 'open'",
            p=str(desk.period),
        )
    )


def wrong_rejects(change: Changes) -> list[Problem]:
    """What stands in the way of the decisions typed on Rejects, each with its cell."""
    problems: list[Problem] = []
    labels = [int(label) for label in change.changed.index]
    for label, row in zip(labels, change.changed.to_dict("records"), strict=True):
        if row["decision"] and not row["reason"].strip():
            fact = f"line {row['source_line']} is to be {_STATES[row['decision']]} without a reason"
            problems.append(REASON_MISSING.at(change.place(label, "reason"), fact))
        if row["decision"] == "take":
            found = _not_takeable(row)
            problems += [CANNOT_TAKE.at(change.place(label, column), fact) for column, fact in found]
    for label in change.new.index.tolist():
        fact = "a row below the others is in no file"
        problems.append(CANNOT_TAKE.at(change.place(int(label), "meter_id"), fact, "Delete it."))
    return problems


def _not_takeable(row: dict[Any, Any]) -> list[tuple[str, str]]:
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


@saves("rejects")
def write_rejects(desk: Desk, work: Work, change: Changes) -> list[Step]:
    """Write what was corrected and decided on Rejects; a row taken makes a read of its file's run, with who and when."""
    history, typed = history_name(desk, "rejects"), TABLE["rejects"].names("typed")
    labels = [int(label) for label in change.changed.index]
    rows = list(zip(labels, change.changed.to_dict("records"), change.before.to_dict("records"), strict=True))
    told = "; ".join(f"{old['reject_id']} {row['decision'] or 'open'}" for _, row, old in rows)
    event = work.event(f"Rejects: {told}")
    taken_back: _SQL = []
    for label, row, old in rows:
        taken_back += _decided(work, row, old, change.place(label, "decision"))
        name, rev = str(old["reject_id"]), int(old["rev"])
        keep_revision(work, history, name, rev, event, content(old, typed))
        keep_revision(work, history, name, rev + 1, event, content(row, typed))
    return [{"sql": taken_back, "each": 1}]


def _decided(work: Work, row: dict[Any, Any], old: dict[Any, Any], place: Place) -> _SQL:
    """Write one row and the read it makes or unmakes; the statements that take it back, in their order."""
    name = str(old["reject_id"])
    of = work.query(
        "SELECT i.import_id, i.cycle, i.period, i.state, r.read_id FROM rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE r.reject_id = :r",
        r=name,
    ).iloc[0]
    if of["state"] != "current":
        raise Conflict(OVERTAKEN.at(place, f"the import of {name} was taken back since"))
    before = None if pd.isna(of["read_id"]) else int(of["read_id"])
    same = row["decision"] == old["decision"] and all(as_text(row[n]) == as_text(old[n]) for n in _READ_FIELDS)
    made, taken_back = before, []
    if not same:
        taken_back = _unmade(work, name, before, place)
        made = _made(work, row, old, of) if row["decision"] == "take" else None
        if made is not None:
            taken_back.insert(0, (_WITHDRAW, {"read": made}))
    fields = {n: as_text(row[n]) or (None if n == "read_date" else "") for n in _READ_FIELDS}
    decided = {"decision": row["decision"], "reason": row["reason"].strip(), "state": _STATES[row["decision"]]}
    who = {"decided_by": work.actor, "decided_at": work.at} if row["decision"] else {"decided_by": "", "decided_at": ""}
    rev = int(old["rev"])
    if work.execute(_UPDATE, **fields, **decided, **who, read=made, id=name, rev=rev) != 1:
        raise Conflict(OVERTAKEN.at(place, f"{name} was changed meanwhile"))
    earlier = {n: as_text(old[n]) or (None if n == "read_date" else "") for n in _READ_FIELDS}
    earlier |= {n: old[n] for n in ("decision", "reason", "state", "decided_by", "decided_at")}
    taken_back.append((_UPDATE, {**earlier, "read": before, "id": name, "rev": rev + 1}))
    return taken_back


_UPDATE: Final = (
    "UPDATE rejects SET meter_id = :meter_id, register_id = :register_id, read_date = :read_date, dial_read = :dial_read, "
    "unit = :unit, decision = :decision, reason = :reason, state = :state, decided_by = :decided_by, "
    "decided_at = :decided_at, read_id = CAST(:read AS BIGINT), rev = rev + 1 WHERE reject_id = :id AND rev = :rev"
)
_WITHDRAW: Final = "UPDATE reads SET state = 'withdrawn' WHERE read_id = :read AND state = 'current'"
_REINSTATE: Final = "UPDATE reads SET state = 'current' WHERE read_id = :read AND state = 'withdrawn'"
_BILLED: Final = (
    "SELECT b.number FROM bill_reads r JOIN standing_bills b ON b.number = r.number WHERE r.read_id = :read"
)


def _unmade(work: Work, name: str, read_id: int | None, place: Place) -> _SQL:
    """Withdraw the read that was made of a row before; refused where it is billed."""
    if read_id is None:
        return []
    bill = work.value(_BILLED, read=read_id)
    if bill is not None:
        raise Conflict(REJECT_BILLED.at(place, f"{name} is on bill {bill}"))
    if work.execute(_WITHDRAW, read=read_id) != 1:
        fact = f"the read made of {name} was replaced by that of a later file"
        raise Conflict(OVERTAKEN.at(place, fact, "Leave the row as it is."))
    return [(_REINSTATE, {"read": read_id})]


def _made(work: Work, row: dict[Any, Any], old: dict[Any, Any], of: Any) -> int | None:
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
        unit=row["unit"], read_code="actual", source_line=int(old["source_line"]), state="current", superseded_by=None, **read,
    )  # fmt: skip
    return read_id


_SAME_READ: Final = (
    "SELECT read_id FROM reads WHERE cycle = :cycle AND period = :period AND state = 'current' AND meter_id = :meter_id "
    "AND register_id = :register_id AND read_date = :read_date AND read_value = :read_value "
    "AND (unit = :unit OR unit = '' OR CAST(:unit AS TEXT) = '')"
)
