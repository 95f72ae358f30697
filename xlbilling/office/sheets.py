"""Sheets: Save writes what staff typed, Refresh shows the store, Undo last takes the last button back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

import pandas as pd

from xlbilling.office.buttons import BUTTONS, Outcome
from xlbilling.office.consistency import inconsistent
from xlbilling.office.desk import Desk
from xlbilling.office.rows import SAVES, Step, keep_undo, take_back, write_rows
from xlbilling.office.start import fill_start
from xlbilling.office.views import shown, view
from xlbilling.office.working_copy import Changes, chain_head, changes
from xlbilling.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.records import TABLE
from xlbilling.store import Work
from xlbilling.store.schema import WORKING
from xlbilling.workbook.port import View

UNSAVED: Final = declare(
    "unsaved_changes", "Sheets hold typing that is not saved yet.", "Press Save first, or put the old values back."
)
CONFLICTS: Final = declare(
    "save_conflicts",
    "Rows were changed by somebody else; nothing was saved.",
    "Look at the marked cells, press Refresh, type again.",
)
NOT_SAVED: Final = declare(
    "cells_refused",
    "Cells cannot be taken as they are; nothing was saved.",
    "Correct the marked cells and press Save again.",
)
NO_VIEW: Final = declare("no_view", "The view on Start is none there is.", "Choose clerk or lead in the cell View.")
NOTHING_TO_UNDO: Final = declare(
    "nothing_to_undo",
    "There is nothing of yours to undo since the last posting.",
    "Posted work is corrected with Adjust or Reverse.",
)
SAVED_HERE: Final = (*WORKING, "exceptions", "rejects", "payments", "adjustments", "close")


def save(desk: Desk) -> Outcome:
    """Write what staff typed on all sheets in one transaction, after a preview."""
    desk = desk.as_shown()
    found = [changes(desk, name) for name in SAVED_HERE]
    refused = [p for c in found for p in c.refused]
    conflicts = [p for c in found for p in c.conflicts]
    typed_over = [p for c in found for p in c.typed_over]
    if refused:
        raise _not_saved(refused, [*refused, *conflicts, *typed_over])
    if conflicts:
        fact = f"{len(conflicts)} rows; first: {conflicts[0].fact}"
        raise Conflict(CONFLICTS.at(conflicts[0].place, fact), [*conflicts, *typed_over])
    found = [c for c in found if c]
    wrong = inconsistent(desk, found)
    if wrong:
        raise _not_saved(wrong, [*wrong, *typed_over])
    preview = [line for c in found for line in c.preview()]
    if not preview:
        refresh_tables(desk, [p for p in SAVED_HERE if any(t.place.table == TABLE[p].sheet.name for t in typed_over)])
        return Outcome("Nothing to save." if not typed_over else _over(typed_over), typed_over)
    _allowed(desk, found)
    if not desk.confirm([f"Save {len(preview)} changes?", *preview]):
        return Outcome(f"{len(preview)} changes are listed; press Save again to write them.")
    with desk.store.work(desk.actor, "save") as work:
        keep_undo(work, "Save", _write(desk, work, found), f"Saved {len(preview)} changes: {'; '.join(preview[:20])}")
    desk.forget()
    refresh_tables(desk, _touched([c.table for c in found]))
    return Outcome(f"Saved {len(preview)} changes. {_over(typed_over)}".strip(), typed_over)


def refresh(desk: Desk) -> Outcome:
    """Show the store on every sheet of the view chosen on Start, unless typing would be lost."""
    refuse_unsaved(desk, SAVED_HERE)
    desk.forget()
    fill(desk)
    _turn_view(desk)
    return Outcome(f"Sheets show cycle {desk.cycle} of {desk.period} as the store has it now.")


def undo_last(desk: Desk) -> Outcome:
    """Restore what the actor's last button changed, until something was posted."""
    refuse_unsaved(desk, SAVED_HERE)
    last = desk.store.table("undo", "actor = :a AND state = 'ready'", "undo_id DESC", a=desk.actor)
    if last.empty:
        raise Refusal(NOTHING_TO_UNDO.at(None, f"{desk.actor} has done nothing that can be taken back"))
    row = last.iloc[0]
    if not desk.confirm([f"Undo {row['action']}?"]):
        return Outcome(f"Undo {row['action']}: press Undo last again to do it.")
    with desk.store.work(desk.actor, "undo_last") as work:
        for step in json.loads(row["inverse"]):
            take_back(work, step)
        work.execute("UPDATE undo SET state = 'undone' WHERE undo_id = :u", u=int(row["undo_id"]))
        work.event(f"Undid {row['action']} (event {row['event']})")
    desk.forget()
    fill(desk)
    return Outcome(f"Undid {row['action']}.")


def _turn_view(desk: Desk) -> None:
    """Hide what the clerk's view does not need, or show all to the lead, as the cell View on Start says."""
    wanted = str(desk.book.get("View") or "lead").strip()
    kind = _VIEWS.get(wanted)
    if kind is None:
        raise Refusal(NO_VIEW.at(Place(table="Start", cell="View"), f"there is no view {wanted!r}"))
    desk.book.view(kind)


_VIEWS: Final[dict[str, View]] = {"clerk": "clerk", "lead": "lead"}


def refuse_unsaved(desk: Desk, names: Iterable[str]) -> None:
    """Refuse where one of these sheets holds typing that a rewrite would lose."""
    if not desk.book.has_sheets:
        return
    unsaved = [c for c in (changes(desk, name) for name in names) if c]
    if unsaved:
        problems = [p for c in unsaved for p in (*c.refused, *c.conflicts)]
        lines = [line for c in unsaved for line in c.preview()] or [str(problems[0])]
        raise Conflict(UNSAVED.at(None, f"{len(lines)} unsaved: {'; '.join(lines[:5])}"), problems)


def turn(desk: Desk) -> None:
    """Show another cycle or period once it is typed on Start, and fill a workbook that never was; typing is kept safe."""
    if desk.book.has_sheets and (desk.turned or not desk.book.get("ChainHead")):
        refuse_unsaved(desk, SAVED_HERE)
        desk.forget()
        fill(desk)


def refresh_tables(desk: Desk, names: Iterable[str]) -> None:
    """Write these sheets from the store, and Start.

    The sheets are then as of the store's last event, unless somebody else wrote meanwhile: what that changed stands on
    sheets that were not written here.
    """
    if not desk.book.has_sheets:
        return
    for name in dict.fromkeys(names):
        desk.book.write(name, view(desk, name))
    fill_start(desk)
    seen = desk.seen()[0]
    others = desk.store.value("SELECT COUNT(*) FROM events WHERE event > :e AND actor <> :a", e=seen, a=desk.actor)
    if seen and not others:
        desk.note_seen(chain_head(desk))


def fill(desk: Desk) -> None:
    """Write every sheet from the store."""
    names = shown()
    for done, name in enumerate(names):
        desk.book.progress(f"Sheet {TABLE[name].sheet.name}", done, len(names))
        desk.book.write(name, view(desk, name))
    if not str(desk.book.get("AuditState") or "").endswith(f"{desk.cycle} {desk.period}"):
        # The audit sheet speaks of another run; its formulas would look at rates and bills that are not theirs.
        desk.book.write("audit", pd.DataFrame(columns=list(TABLE["audit"].columns)))
        desk.book.put("AuditState", "")
    fill_start(desk)
    desk.note_seen(chain_head(desk))


# Sheets whose computed columns follow what is typed on another one.
_FOLLOWS: Final = {
    "services": ("accounts", "meters", "cycles", "exceptions"),
    "meters": ("exceptions",),
    "policy": ("cycles",),
    "cycles": ("exceptions",),
    "rejects": ("reads", "exceptions"),
}


def _touched(saved: Sequence[str]) -> list[str]:
    """The sheets to write after these were saved."""
    return [name for table in saved for name in (table, *_FOLLOWS.get(table, ()))]


def _write(desk: Desk, work: Work, found: Sequence[Changes]) -> list[Step]:
    """Write the changes of each sheet; the steps that take them back."""
    steps: list[Step] = []
    for change in found:
        steps += SAVES[change.table](desk, work, change) if change.table in SAVES else write_rows(work, change)
    return steps


def _not_saved(wrong: Sequence[Problem], found: Sequence[Problem]) -> Refusal:
    fact = f"{len(wrong)} cells; first: {wrong[0].fact}"
    return Refusal(NOT_SAVED.at(wrong[0].place, fact, wrong[0].remedy), found)


def _allowed(desk: Desk, found: Sequence[Changes]) -> None:
    """Some sheets are the lead's alone to change; everything else is any clerk's."""
    if own := sorted({change.table for change in found} & set(BUTTONS["save"].leads_own)):
        desk.need("lead", f"Save of {', '.join(TABLE[name].sheet.name for name in own)}")


def _over(typed_over: Sequence[Problem]) -> str:
    if not typed_over:
        return ""
    return f"{len(typed_over)} computed cells were typed over and are put back; first: {typed_over[0].place}."
