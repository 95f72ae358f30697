"""Importing: meter-read files taken in once, with what was new, changed, there already and rejected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.intake.reads import ParsedReads
from xlbilling.intake.reads.twice import with_second_dials
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk, Run
from xlbilling.office.desk.files import digest_of, import_key
from xlbilling.office.desk.history import last_write
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.undo import OVERTAKEN, Step, keep_undo, takes_back
from xlbilling.office.desk.working_tables import write_rows
from xlbilling.office.reads.recipes import Proposed, Read, read_file, unconfirmed
from xlbilling.office.reads.rejects import rejected, with_decisions_of_before
from xlbilling.store import Work
from xlbilling.trade.reads.findings import keys_of
from xlbilling.trade.reads.intervals import summarised
from xlbilling.trade.reads.measure import register_key
from xlbilling.trade.reads.units import millionths
from xlbilling.words.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.words.states import CURRENT, LEFT, OPEN, TAKEN

RUN_POSTED: Final = declare(
    "run_posted",
    "The reads of a posted bill cannot be replaced.",
    "Use Reverse with kind rebill, then import the corrected file.",
)


def import_reads(desk: Desk) -> Outcome:
    """Take in a read file for the run on Start: new reads, changed reads, rejects; nothing is dropped in silence."""
    look = Look(desk)
    look.open_month()
    refuse_unsaved(desk, _WRITTEN)
    run = look.at(lambda at: at.run)
    look.at(lambda at: last_write(at.store, "recipes"))
    path = desk.book.ask_file("the meter-read file", "ReadsFile")
    digest = digest_of(path)
    desk.book.progress(f"Reading {path.name}", 0, 3)
    found = read_file(desk, path)
    if isinstance(found, Proposed):
        raise _proposed(look, path, found)
    with look.work("import_reads", lambda at: import_key(at, "reads", f"{run.cycle} {run.period}", digest)) as work:
        if work.done_before is not None:
            return Outcome(f"{path.name} was imported before; nothing was added. Then: {work.done_before}")
        rows = _sorted(found.parsed, run)
        said, steps, still_open = _take_in(work, run, path, digest, found, rows)
        keep_undo(work, "Import reads", steps, said)
    refresh_tables(desk, ["reads", *_WRITTEN, "cycles", "log"])
    rejects = _rejects(path, still_open)
    return Outcome(said, rejects, listed=bool(rejects))


_WRITTEN: Final = ("exceptions", "rejects", "recipes")


def _proposed(look: Look, path: Path, proposed: Proposed) -> Refusal:
    """Put a proposed recipe on sheet Recipes, to be looked at; nothing is read by it until somebody confirms it."""
    desk = look.desk
    with look.work("import_reads") as work:
        steps = write_rows(work, Changes.adding("recipes", proposed.rows))
        keep_undo(work, "Import reads", steps, f"Proposed recipe {proposed.name} for {path.name}")
    refresh_tables(desk, ["recipes", "log"])
    desk.book.show("Recipes")
    refusal = unconfirmed(proposed, path)
    return Refusal(desk.book.read("recipes").locate(refusal.problem)) if desk.book.has_sheets else refusal


@dataclass(frozen=True)
class _Sorted:
    """A file's rows by what becomes of them."""

    reads: pd.DataFrame
    intervals: pd.DataFrame
    earlier: int  # reads of a register that are not its last one in the read window
    rejects: pd.DataFrame


def _sorted(parsed: ParsedReads, run: Run) -> _Sorted:
    """The reads to keep of a file: all of them, and a repeated row beside the first where its dial is another; but of an
    AMI file's hours one for each register.

    That one is the last dial read in the run's read window, or else the last there is; interval quantities are no reads.
    """
    reads = parsed.reads.reset_index(drop=True)
    if parsed.format not in _HOURLY:
        reads, rejects = with_second_dials(reads, parsed.rejects)
        return _Sorted(reads, reads.iloc[:0], 0, rejects)
    interval = reads["register_id"].eq("interval") & (parsed.format in _INTERVALS)
    dials = reads.loc[~interval]
    window = dials["read_date"].between(f"{run.read_from:%Y-%m-%d}", f"{run.read_to:%Y-%m-%d}")
    ranked = dials.assign(has_value=dials["read_value"].ne(""), in_window=window)
    order = ["has_value", "in_window", "read_date", "read_time"]
    last = ranked.sort_values(order, kind="stable").drop_duplicates(["meter_id", "register_id"], keep="last").index
    kept = dials.loc[dials.index.isin(last)].reset_index(drop=True)
    return _Sorted(kept, reads.loc[interval], len(dials) - len(kept), parsed.rejects)


_HOURLY: Final = frozenset({"beacon-hourly", "cmep", "aclara"})
_INTERVALS: Final = frozenset({"beacon-hourly", "cmep"})


def only_registers(rows: pd.DataFrame, meters: pd.DataFrame) -> pd.DataFrame:
    """The rows with the office's own name for the register of a meter that has only one, here and in the file.

    Some systems number every register from 1, the office leaves the only one blank. Where the file has several of a
    meter, or the office has, nothing is changed: which is which is for sheet Meters to say.
    """
    if rows.empty or meters.empty:
        return rows
    known = register_key(meters["meter_id"], meters["register_id"])
    single = meters.loc[~meters["meter_id"].duplicated(keep=False)].set_index("meter_id")["register_id"]
    told = rows[["meter_id", "register_id"]].drop_duplicates()
    alone = told.loc[~told["meter_id"].duplicated(keep=False), "meter_id"]
    other = ~register_key(rows["meter_id"], rows["register_id"]).isin(known) & rows["register_id"].ne("interval")
    change = other & rows["meter_id"].isin(alone) & rows["meter_id"].isin(single.index)
    own = rows["meter_id"].map(single)
    return rows.assign(register_id=rows["register_id"].where(~change, own).astype("str"))


def _summaries(intervals: pd.DataFrame, import_id: int) -> pd.DataFrame:
    """The interval quantities summed up as rows of the store; a second unit of a meter stands as a register of its own."""
    made = summarised(intervals)
    again = made.duplicated(["meter_id", "register_id"])
    made["register_id"] = made["register_id"].where(~again, made["register_id"] + " " + made["unit"])
    return made.assign(import_id=import_id)


def _take_in(
    work: Work, run: Run, path: Path, digest: str, found: Read, rows: _Sorted
) -> tuple[str, list[Step], pd.DataFrame]:
    """Write the file's reads: those that are new, and those that correct a read that is not billed yet.

    In words what became of its rows, the step that takes it back, and its rejected rows that are still open.
    """
    parsed = found.parsed
    meters = work.query("meter_id register_id", "SELECT meter_id, register_id FROM meters")
    reads = only_registers(rows.reads, meters)
    current = work.table("reads", "cycle = :c AND period = :p AND state = :current", c=run.cycle, p=run.period)
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
            "UPDATE reads SET state = :superseded, superseded_by = :n WHERE read_id = :o",
            n=position_of[position],
            o=old_id,
        )
    rejects, carried = with_decisions_of_before(work, run, rejected(only_registers(rows.rejects, meters), import_id))
    work.insert("rejects", rejects)
    work.insert("intervals", _summaries(rows.intervals, import_id))
    rows_in = parsed.balance.rows_in
    duplicates = int(same.sum())
    work.insert_one(
        "imports", import_id=import_id, kind="reads", cycle=run.cycle, period=run.period, file_name=path.name, digest=digest,
        layout=found.layout, rows_in=rows_in, taken=len(fresh), rejected=len(rows.rejects), duplicates=duplicates,
        changed=len(changed), interval_rows=len(rows.intervals), earlier_rows=rows.earlier, state=CURRENT, at=work.at,
        actor=work.actor,
    )  # fmt: skip
    said = (
        f"{path.name} ({found.layout}): {rows_in} rows = {len(fresh) - len(changed)} new reads + {len(changed)} changed "
        f"+ {duplicates} there already + {len(rows.rejects)} rejected"
    )
    aside = ((len(rows.intervals), "interval rows"), (rows.earlier, "earlier hourly reads"))
    said += "".join(f" + {count} {words}" for count, words in aside if count) + "."
    if details:
        said += " Changed: " + "; ".join(details[:10]) + ("; ..." if len(details) > 10 else "") + "."
    said += carried + "".join(f" {note[:1].upper()}{note[1:]}." for note in parsed.notes)
    return said, [_withdrawal(import_id, [old for old, _ in changed])], rejects.loc[rejects["state"].eq(OPEN)]


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
            now = {name: str(reads[name].iloc[position]) for name in marks}
            details.append(f"{key}: {_change_in_words(before.to_dict() | {'read_date': dates[before.name]}, now)}")
    return same, changed, details


def _change_in_words(before: Mapping[Any, Any], now: Mapping[str, Any]) -> str:
    """What a corrected read says otherwise: its dial, its day, or whatever else it is."""
    dials = [row["dial_read"] or "no read" for row in (before, now)]
    other = [(word, before[name], now[name]) for name, word in _FURTHER.items() if before[name] != now[name]]
    told = ["{} -> {}".format(*dials)] if dials[0] != dials[1] or not other else [dials[0]]
    return ", ".join([*told, *(f"{word} {old or '(none)'} -> {new or '(none)'}" for word, old, new in other)])


_FURTHER: Final = {"read_date": "day", "read_time": "time", "unit": "unit", "read_code": "code"}


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
            "state": CURRENT,
            "superseded_by": pd.array([None] * len(fresh), dtype="Int64"),
        }
    )


def _billed(work: Work, read_ids: list[int]) -> list[str]:
    """Standing bills that were made from one of these reads."""
    found = (
        work.query(
            "number read_id:int",
            "SELECT b.number, r.read_id FROM bill_reads r JOIN standing_bills b ON b.number = r.number "
            "AND b.service_id = r.service_id WHERE r.read_id IS NOT NULL",
        )
        if read_ids
        else pd.DataFrame({"number": [], "read_id": []})
    )
    return found.loc[found["read_id"].isin(read_ids), "number"].tolist()


def _withdrawal(import_id: int, superseded: list[int]) -> Step:
    """How an import is taken back: its reads withdrawn, those it replaced current again, the file forgotten."""
    return {"kind": "reads file", "import": import_id, "superseded": superseded}


@takes_back("reads file")
def withdraw(work: Work, step: Step) -> None:
    """Take an import back; refused where a later file or somebody's decision on Rejects builds on it."""
    number = step["import"]
    replaced = work.value("SELECT COUNT(*) FROM reads WHERE import_id = :i AND state = :superseded", i=number)
    # What a row took over from an earlier file stands at its first revision.
    settled = work.value("SELECT COUNT(*) FROM rejects WHERE import_id = :i AND state <> :open AND rev > 1", i=number)
    for count, fact in (
        (replaced, "of its reads were replaced by a later file"),
        (settled, "of its rejected rows were decided on Rejects"),
    ):
        if count:
            raise Conflict(OVERTAKEN.at(Place(table="reads"), f"{count} {fact} since"))
    work.execute("UPDATE reads SET state = :withdrawn WHERE import_id = :i", i=number)
    work.execute("UPDATE imports SET state = :withdrawn WHERE import_id = :i", i=number)
    for read in step["superseded"]:
        work.execute("UPDATE reads SET state = :current, superseded_by = NULL WHERE read_id = :r", r=read)


def _rejects(path: Path, rejects: pd.DataFrame) -> list[Problem]:
    """The file's rejected rows as problems that name the file's line."""
    rows: Iterable[Any] = rejects.itertuples()
    return [
        Problem(
            r.code,
            Place(file=path.name, line=int(r.source_line)),
            r.message,
            "Correct it on sheet Rejects, choose take or leave, type why and press Save; or import a corrected file.",
        )
        for r in rows
    ]


# ---- the run's balance ----------------------------------------------------------------------------------------------


def balance_line(desk: Desk, run: Run) -> str:
    """What became of every row of the run's read files: rows in = reads + rejected and whatever else they were.

    Rows in are counted from the files; what they became from the reads, the rejects and the decisions as they stand.
    """
    of_run = {"c": run.cycle, "p": run.period}
    files = desk.store.table("imports", "kind = 'reads' AND cycle = :c AND period = :p AND state = :current", **of_run)
    total = files[["rows_in", "duplicates", "interval_rows", "earlier_rows"]].fillna(0).sum().astype("int64")
    reads = desk.store.query("meter_id register_id state", _FILE_READS, **of_run)
    current = reads.loc[reads["state"].eq(CURRENT)]
    by_hand = int(_overridden(desk, current, of_run).sum())
    states = desk.store.query("state rows:int", _REJECT_STATES, **of_run).set_index("state")["rows"]
    rejected = int(states.sum())
    parts = [
        (len(current) - by_hand, "reads"),
        (by_hand, "corrected by hand"),
        (len(reads) - len(current), "replaced by a later file"),
    ]
    parts += [(int(total[name]), words) for name, words in _SET_ASIDE.items()]
    lost = int(total["rows_in"]) - sum(count for count, _ in parts) - rejected
    parts.append((lost, "unaccounted for"))
    said = " + ".join(f"{count:,} {words}" for count, words in parts if count or words == "reads")
    decided = ", ".join(f"{states.get(state, 0):,} {words}" for state, words in _REJECT_WORDS.items())
    return f"rows in {int(total['rows_in']):,} = {said} + {rejected:,} rejected" + (f" ({decided})" if rejected else "")


_SET_ASIDE: Final = {"duplicates": "twice", "interval_rows": "interval rows", "earlier_rows": "earlier hourly reads"}
_REJECT_WORDS: Final = {TAKEN: "taken by hand", LEFT: LEFT, OPEN: OPEN}
# Reads made of rejected rows are told with the rejected rows.
_FILE_READS: Final = (
    "SELECT r.meter_id, r.register_id, r.state FROM reads r JOIN imports i ON i.import_id = r.import_id "
    "WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p AND i.state = :current AND r.state <> :withdrawn "
    "AND r.read_id NOT IN (SELECT read_id FROM rejects WHERE read_id IS NOT NULL)"
)
_REJECT_STATES: Final = (
    "SELECT r.state, COUNT(*) AS rows FROM rejects r JOIN imports i ON i.import_id = r.import_id "
    "WHERE i.kind = 'reads' AND i.cycle = :c AND i.period = :p AND i.state = :current GROUP BY r.state"
)


def _overridden(desk: Desk, reads: pd.DataFrame, of_run: dict[str, str]) -> pd.Series[bool]:
    """Which reads are billed with a dial typed on Exceptions, at their register or at their service."""
    decided = desk.store.query(
        "exception_id rule",
        "SELECT exception_id, rule FROM exceptions WHERE cycle = :c AND period = :p AND decision = 'override' "
        "AND state = :decided",
        **of_run,
    )
    meters = desk.store.query(
        "meter_id register_id service_id",
        "SELECT m.meter_id, m.register_id, m.service_id FROM meters m JOIN services s ON s.service_id = m.service_id "
        "WHERE s.cycle = :c",
        c=of_run["c"],
    )
    service_of = dict(zip(register_key(meters["meter_id"], meters["register_id"]), meters["service_id"], strict=True))
    keys = register_key(reads["meter_id"], reads["register_id"])
    named = set(keys_of(decided))
    return keys.isin(named) | keys.map(service_of).fillna("").isin(named)
