"""Importing: meter-read files taken in once, with what was new, changed, there already and rejected."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.intake.reads import parse_reads
from xlbilling.office.buttons import Outcome, button
from xlbilling.office.desk import Desk, Run
from xlbilling.office.rows import Step, keep_undo
from xlbilling.office.sheets import refresh_tables, refuse_unsaved
from xlbilling.office.views import shows
from xlbilling.problems import Conflict, Place, Problem, declare
from xlbilling.reads.measure import register_key
from xlbilling.reads.units import millionths
from xlbilling.store import Work

RUN_POSTED: Final = declare(
    "run_posted",
    "The reads of a posted bill cannot be replaced.",
    "Use Reverse with kind rebill, then import the corrected file.",
)


@button(
    "Import reads", "Readings", "IR", "ImportTextFile",
    "Takes in the meter-read file named on Start for this cycle. The same file twice adds nothing; a corrected file shows its changes.", asks="ReadsFile"
)  # fmt: skip
def import_reads(desk: Desk) -> Outcome:
    """Take in a read file for the run on Start: new reads, changed reads, rejects; nothing is dropped in silence."""
    desk.need("clerk", "importing reads")
    desk.need_open()
    refuse_unsaved(desk, ["exceptions"])
    run = desk.run
    path = desk.book.ask_file("the meter-read file", "ReadsFile")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    key = import_key(desk, "reads", f"{run.cycle} {run.period}", digest)
    desk.book.progress(f"Reading {path.name}", 0, 3)
    parsed = parse_reads(path)
    with desk.store.work(desk.actor, "import_reads", key) as work:
        if work.done_before is not None:
            return Outcome(f"{path.name} was imported before; nothing was added. Then: {work.done_before}")
        said, steps = _take_in(work, run, path, digest, parsed)
        keep_undo(work, "Import reads", steps, said)
    refresh_tables(desk, ["reads", "rejects", "exceptions", "cycles", "log"])
    rejects = _rejects(path, parsed.rejects)
    return Outcome(said, rejects, listed=bool(rejects))


def import_key(desk: Desk, kind: str, of: str, digest: str) -> str:
    """The key under which a file is taken in once; a file whose import was withdrawn or replaced may come again."""
    before = desk.store.value(
        "SELECT COUNT(*) FROM imports WHERE kind = :k AND digest = :d AND state <> 'current'", k=kind, d=digest
    )
    return f"{kind} {of} {digest}" + (f" again {before}" if before else "")


def _take_in(work: Work, run: Run, path: Path, digest: str, parsed: Any) -> tuple[str, list[Step]]:
    """Write the file's reads: those that are new, and those that correct a read that is not billed yet."""
    reads = parsed.reads.reset_index(drop=True)
    current = work.table("reads", "cycle = :c AND period = :p AND state = 'current'", c=run.cycle, p=run.period)
    same, changed, details = _compared(reads, current)
    billed = _billed(work, [read for read, _ in changed])
    if billed:
        fact = f"{len(billed)} changed reads are billed already, the first on bill {billed[0]}"
        raise Conflict(RUN_POSTED.at(Place(file=path.name), fact))
    fresh = reads.loc[~same]
    import_id = (work.value("SELECT MAX(import_id) FROM imports") or 0) + 1
    first_id = (work.value("SELECT MAX(read_id) FROM reads") or 0) + 1
    work.insert("reads", _rows(fresh, run, import_id, first_id))
    position_of = {int(position): first_id + n for n, position in enumerate(np.flatnonzero(~same))}
    for old_id, position in changed:
        work.execute(
            "UPDATE reads SET state = 'superseded', superseded_by = :n WHERE read_id = :o",
            n=position_of[position],
            o=old_id,
        )
    work.insert("rejects", rejected(parsed.rejects, import_id))
    rows_in = len(reads) + len(parsed.rejects)
    duplicates = int(same.sum())
    work.insert_one(
        "imports", import_id=import_id, kind="reads", cycle=run.cycle, period=run.period, file_name=path.name, digest=digest,
        layout=parsed.format, rows_in=rows_in, taken=len(fresh), rejected=len(parsed.rejects), duplicates=duplicates,
        changed=len(changed), state="current", at=work.at, actor=work.actor,
    )  # fmt: skip
    said = (
        f"{path.name} ({parsed.format}): {rows_in} rows = {len(fresh) - len(changed)} new reads + {len(changed)} changed "
        f"+ {duplicates} there already + {len(parsed.rejects)} rejected."
    )
    if details:
        said += " Changed: " + "; ".join(details[:10]) + ("; ..." if len(details) > 10 else "")
    return said, [_withdrawal(import_id, [old for old, _ in changed])]


def _compared(
    reads: pd.DataFrame, current: pd.DataFrame
) -> tuple[npt.NDArray[np.bool_], list[tuple[int, int]], list[str]]:
    """Which reads are there already, which take the place of a current one (its id, their position), told in words.

    A read replaces a current one of its register that the file no longer has; without one it stands beside it.
    """
    incoming = register_key(reads["meter_id"], reads["register_id"])
    known = register_key(current["meter_id"], current["register_id"])
    marks = ["read_date", "read_time", "dial_read", "read_code", "unit"]
    dates = current["read_date"].dt.strftime("%Y-%m-%d").fillna("")
    there = _joined(known, current.assign(read_date=dates)[marks])
    here = _joined(incoming, reads[marks])
    same = here.isin(there).to_numpy(dtype=bool)
    stale = current.loc[~there.isin(here)].assign(register_key=known)
    waiting = stale.groupby("register_key").indices
    changed, details = [], []
    for position in np.flatnonzero(~same & incoming.isin(stale["register_key"]).to_numpy()):
        key = incoming.iloc[position]
        if len(waiting[key]):
            before = stale.iloc[waiting[key][0]]
            waiting[key] = waiting[key][1:]
            changed.append((int(before["read_id"]), int(position)))
            details.append(
                f"{key}: {before['dial_read'] or 'no read'} -> {reads['dial_read'].iloc[position] or 'no read'}"
            )
    return same, changed, details


def _joined(key: pd.Series[str], marks: pd.DataFrame) -> pd.Series[str]:
    made = key
    for name in marks.columns:
        made = made + "\x1f" + marks[name]
    return made


def _rows(fresh: pd.DataFrame, run: Run, import_id: int, first_id: int) -> pd.DataFrame:
    """Parsed reads as rows of the store: the value in millionths of the file's unit."""
    value = [None if not text else millionths(text) for text in fresh["read_value"]]
    return pd.DataFrame(
        {
            "read_id": np.arange(first_id, first_id + len(fresh)),
            "import_id": import_id,
            "cycle": run.cycle,
            "period": run.period,
            "account_id": fresh["account_id"].to_numpy(),
            "meter_id": fresh["meter_id"].to_numpy(),
            "register_id": fresh["register_id"].to_numpy(),
            "read_date": [text or None for text in fresh["read_date"]],
            "read_time": fresh["read_time"].to_numpy(),
            "dial_read": fresh["dial_read"].to_numpy(),
            "read_value": pd.array(value, dtype="Int64"),
            "unit": fresh["unit"].to_numpy(),
            "read_code": fresh["read_code"].to_numpy(),
            "source_line": fresh["source_line"].to_numpy(),
            "state": "current",
            "superseded_by": pd.array([None] * len(fresh), dtype="Int64"),
        }
    )


def rejected(rejects: pd.DataFrame, import_id: int) -> pd.DataFrame:
    """The file's rejects as rows of the store, open until the office takes or leaves them."""
    made = rejects.drop_duplicates(["source_line", "code"]).reset_index(drop=True)
    blank = dict.fromkeys(
        ("content", "meter_id", "register_id", "dial_read", "unit", "decision", "reason", "decided_by", "decided_at"),
        "",
    )
    ids = str(import_id) + ":" + made["source_line"].astype("str") + ":" + made["code"]
    return made.assign(reject_id=ids, import_id=import_id, read_date=None, state="open", rev=1, **blank)


def _billed(work: Work, read_ids: list[int]) -> list[str]:
    """Standing bills that were made from one of these reads."""
    found = (
        work.query(
            "SELECT b.number, r.read_id FROM bill_reads r JOIN standing_bills b ON b.number = r.number WHERE r.read_id IS NOT NULL"
        )
        if read_ids
        else pd.DataFrame({"number": [], "read_id": []})
    )
    return found.loc[found["read_id"].isin(read_ids), "number"].tolist()


def _withdrawal(import_id: int, superseded: list[int]) -> Step:
    """How an import is taken back: its reads withdrawn, those it replaced current again, the file forgotten."""
    statements: list[tuple[str, dict[str, Any]]] = [
        ("UPDATE reads SET state = 'withdrawn' WHERE import_id = :i", {"i": import_id}),
        ("UPDATE imports SET state = 'withdrawn' WHERE import_id = :i", {"i": import_id}),
    ]
    statements += [
        ("UPDATE reads SET state = 'current', superseded_by = NULL WHERE read_id = :r", {"r": read})
        for read in superseded
    ]
    return {"sql": statements}


def _rejects(path: Path, rejects: pd.DataFrame) -> list[Problem]:
    """The file's rejected rows as problems that name the file's line."""
    rows: Iterable[Any] = rejects.itertuples()
    return [
        Problem(
            r.code,
            Place(file=path.name, line=int(r.source_line)),
            r.message,
            "Correct the line and import the file again.",
        )
        for r in rows
    ]


@shows("rejects")
def rejects_view(desk: Desk) -> pd.DataFrame:
    """The rows of the run's read files that were not taken, open ones first."""
    return desk.store.query(
        "SELECT r.*, i.file_name FROM rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p AND i.state = 'current' "
        "ORDER BY CASE r.state WHEN 'open' THEN 0 ELSE 1 END, r.import_id, r.source_line, r.code",
        **desk.chosen,
    )
