"""Sheets: Save writes what staff typed, Refresh shows the store, Undo last takes the last button back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import (
    CHANGED_MEANWHILE,
    Changes,
    already_there,
    chain_head,
    without_emptied,
)
from xlbilling.office.desk.comparing import changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.filling import fill_sheets, fill_start
from xlbilling.office.desk.history import as_text
from xlbilling.office.desk.looking import MOVED_ON, Look
from xlbilling.office.desk.surface import SURFACES, saved, shown
from xlbilling.office.desk.undo import NOTHING_TO_UNDO, TYPING, Step, keep_undo, take_back_last
from xlbilling.words.problems import Conflict, Place, Problem, Refusal, declare
from xlbilling.words.records import TABLE
from xlbilling.workbook.port import TypedRow, View, row_keys

UNSAVED: Final = declare(
    "unsaved_changes",
    "Sheets hold typing that is not saved yet.",
    "Press Save to keep it; or press Refresh twice, which puts it in Log and fills the sheets from the store.",
)
NOT_SAVED: Final = declare(
    "cells_refused",
    "Cells cannot be taken as they are; nothing was saved.",
    "Correct the marked cells and press Save again.",
)
NO_VIEW: Final = declare("no_view", "The view on Start is none there is.", "Choose clerk or lead in the cell View.")


def save(desk: Desk) -> Outcome:
    """Write what staff typed on all sheets in one transaction, after a preview."""
    desk = desk.as_shown()
    look = Look(desk)
    found = _typed(desk)
    typed_over = [p for c in found for p in c.typed_over]
    preview = _preview(found)
    there = already_there(found)
    if not preview:
        refresh_tables(desk, [c.table for c in found if c.typed_over or c.left or c.there])
        return Outcome(" ".join(filter(None, ["Nothing to save.", there, _over(typed_over)])), typed_over)
    _allowed(desk, found)
    told = [line for c in found if c for line in SURFACES[c.table].told(desk, c)]
    if not desk.confirm([f"Save {len(preview)} changes?", *preview, *told]):
        return Outcome(" ".join([f"{len(preview)} changes are listed; press Save again to write them.", *told]))
    with look.work("save") as work:
        inside = desk.within(work)
        if look.moved:
            found = _as_looked_at(inside, preview)
        steps = [step for c in found if c for step in SURFACES[c.table].write(inside, work, c)]
        keep_undo(work, "Save", steps, f"Saved {len(preview)} changes: {'; '.join(preview[:20])}")
    desk.forget()
    refresh_tables(desk, _touched([c.table for c in found if c or c.left or c.there or c.typed_over]))
    said = [f"Saved {len(preview)} changes.", *told, there, _over(typed_over)]
    return Outcome(" ".join(filter(None, said)), typed_over)


def _typed(desk: Desk) -> list[Changes]:
    """What Save would write of every sheet; refused where a cell cannot be taken or somebody changed it meanwhile."""
    found = [changes(desk, name) for name in saved()]
    refused = [p for c in found for p in c.refused]
    conflicts = [p for c in found for p in c.conflicts]
    typed_over = [p for c in found for p in c.typed_over]
    if refused:
        raise _not_saved(refused, [*refused, *conflicts, *typed_over])
    if conflicts:
        raise _conflict(desk, [c for c in found if c.conflicts])
    by_table = {c.table: c for c in found if c}
    wrong = [p for c in by_table.values() for p in SURFACES[c.table].wrong(desk, c, by_table)]
    if wrong:
        raise _not_saved(wrong, [*wrong, *typed_over])
    return found


def _as_looked_at(inside: Desk, preview: Sequence[str]) -> list[Changes]:
    """The changes looked at again inside the transaction, because somebody wrote meanwhile: still those that were shown."""
    found = _typed(inside)
    if _preview(found) != list(preview):
        raise Conflict(MOVED_ON.at(None, "somebody wrote meanwhile, and Save would now write something else"))
    return found


def _preview(found: Sequence[Changes]) -> list[str]:
    return [line for c in found for line in c.preview()]


def _conflict(desk: Desk, found: Sequence[Changes]) -> Conflict:
    """The conflicts, told once the rows concerned show what others wrote, with the typing still on them.

    So the row is at the store's revision again: the next Save writes what is typed over what was shown, knowingly.
    """
    problems: list[Problem] = []
    for change in found:
        places = [replace(p.place, table=change.table, cell="") for p in change.conflicts]
        if desk.book.has_sheets:
            fill_sheets(desk, [change.table], {change.table: change.typing})
        sheet = desk.book.read(change.table)
        problems += [sheet.locate(p.on(at)) for p, at in zip(change.conflicts, places, strict=True)]
    if len(problems) == 1:
        return Conflict(problems[0])
    fact = f"{len(problems)} cells; first: {problems[0].fact}"
    return Conflict(CHANGED_MEANWHILE.at(problems[0].place, fact, problems[0].remedy), problems)


def refresh(desk: Desk) -> Outcome:
    """Show the store on every sheet of the view chosen on Start; typing is named first, and kept in Log on a second press."""
    found = [changes(desk, name) for name in saved()] if desk.book.has_sheets else []
    unsaved = [c for c in map(without_emptied, found) if c]
    said = ""
    if unsaved:
        lines = _unsaved_lines(unsaved)
        question = [f"Put {len(lines)} unsaved changes in Log and show the store?", *lines, *_cells_told(unsaved)]
        if not desk.confirm(question):
            return Outcome(
                f"{len(lines)} unsaved: {'; '.join(lines)}. Press Save to keep them, or Refresh again to put them in Log."
            )
        said = _put_in_log(desk, unsaved, lines)
    left = [key for c in found for key in c.left]
    back = [f"{TABLE[c.table].sheet.name}: {TABLE[c.table].columns[n].title}" for c in found for n in c.emptied]
    desk.forget()
    fill(desk)
    _turn_view(desk)
    said = f"{said} Rows taken back since: {', '.join(left)}." if left else said
    said = f"{said} Filled again: {', '.join(back)}." if back else said
    there = already_there(found)
    said = f"{said} {there}" if there else said
    return Outcome(f"Sheets show cycle {desk.cycle} of {desk.period} as the store has it now.{said}")


def _unsaved_lines(unsaved: Sequence[Changes]) -> list[str]:
    """Typing in a person's words: what Save would write, and what stands in its way."""
    told = [(c.preview(), [str(p).rstrip(".") for p in (*c.refused, *c.conflicts)]) for c in unsaved]
    return [line for previewed, problems in told for line in (*previewed, *problems)]


def _cells_told(unsaved: Sequence[Changes]) -> list[str]:
    """Every typed cell of rows that the lines above only name: a second press means exactly what the first one showed."""
    told = []
    for change in unsaved:
        declared, whole = TABLE[change.table], set(row_keys(TABLE[change.table], change.changed))
        for row in change.typing:
            cells = [f"{declared.columns[n].title} {v}" for n, v in row.cells.items() if as_text(v)]
            told += [f"{declared.sheet.name}: {', '.join(cells)}"] if cells and row.key not in whole else []
    return told


def _put_in_log(desk: Desk, unsaved: Sequence[Changes], lines: Sequence[str]) -> str:
    """Keep the typing in Log in words, and cell by cell for Undo last, which types it back."""
    sheets = {c.table: [{"key": row.key, "cells": _as_json(row.cells)} for row in c.typing] for c in unsaved}
    with desk.store.work(desk.actor, "refresh") as work:
        detail = f"Not saved, thrown away by Refresh: {'; '.join(lines)}"
        keep_undo(
            work,
            "Refresh",
            [{"kind": TYPING, "cycle": desk.cycle, "period": str(desk.period), "sheets": sheets}],
            detail,
        )
    return f" {len(lines)} unsaved changes are in Log; Undo last types them back."


def undo_last(desk: Desk) -> Outcome:
    """Restore what the actor's last button changed, until something was posted."""
    last = desk.store.table("undo", "actor = :a AND state = :ready", "undo_id DESC", a=desk.actor)
    refuse_unsaved(desk, saved())
    if last.empty:
        raise Refusal(NOTHING_TO_UNDO.at(None, f"{desk.actor} has done nothing that can be taken back"))
    row = last.iloc[0]
    if not desk.confirm([f"Undo {row['action']}?", *_what_it_did(desk, int(row["event"]))]):
        return Outcome(f"Undo {row['action']}: press Undo last again to do it.")
    with desk.store.work(desk.actor, "undo_last") as work:
        steps = take_back_last(work, int(row["undo_id"]), str(row["action"]))
        work.event(f"Undid {row['action']} (event {row['event']})")
    desk.forget()
    typing = _typed_back(desk, steps)
    fill(desk, typing)
    return Outcome(
        f"Undid {row['action']}." + (" What was typed stands on the sheets again, unsaved." if typing else "")
    )


def _what_it_did(desk: Desk, event: int) -> list[str]:
    return [str(desk.store.value("SELECT detail FROM events WHERE event = :e", e=event) or "")]


def _typed_back(desk: Desk, steps: Sequence[Step]) -> dict[str, list[TypedRow]]:
    """Typing that was thrown away, by table, with Start turned to the cycle and period it was typed at."""
    made: dict[str, list[TypedRow]] = {}
    for step in steps:
        if step["kind"] != TYPING:
            continue
        if desk.book.has_sheets:
            desk.book.put("Cycle", step["cycle"])
            desk.book.put("Period", step["period"])
            desk.forget()
        for name, rows in step["sheets"].items():
            made[name] = [TypedRow(row["key"], _from_json(row["cells"])) for row in rows]
    return made


def _as_json(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Raw cells as JSON has them; a day carries its name, since JSON has none."""
    return {n: {"day": v.isoformat()} if isinstance(v, (dt.date, dt.datetime)) else v for n, v in cells.items()}


def _from_json(cells: Mapping[str, Any]) -> dict[str, Any]:
    return {n: dt.datetime.fromisoformat(v["day"]) if isinstance(v, dict) else v for n, v in cells.items()}


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
    unsaved = [c for c in (without_emptied(changes(desk, name)) for name in names) if c]
    if unsaved:
        problems = [p for c in unsaved for p in (*c.refused, *c.conflicts)]
        lines = _unsaved_lines(unsaved)
        raise Conflict(UNSAVED.at(None, f"{len(lines)} unsaved: {'; '.join(lines[:5])}"), problems)


def turn(desk: Desk) -> None:
    """Show another cycle or period once it is typed on Start, and fill a workbook that never was; typing is kept safe."""
    if desk.book.has_sheets and (desk.turned or not desk.book.get("ChainHead")):
        refuse_unsaved(desk, saved())
        desk.forget()
        fill(desk)


def refresh_tables(desk: Desk, names: Iterable[str]) -> None:
    """Write these sheets from the store, and Start.

    The sheets are then as of the store's last event, unless somebody else wrote meanwhile: what that changed stands on
    sheets that were not written here.
    """
    if not desk.book.has_sheets:
        return
    fill_sheets(desk, list(dict.fromkeys(names)), anew=False)
    fill_start(desk)
    seen = desk.seen()[0]
    others = desk.store.value("SELECT COUNT(*) FROM events WHERE event > :e AND actor <> :a", e=seen, a=desk.actor)
    if seen and not others:
        desk.note_seen(chain_head(desk))


def fill(desk: Desk, typing: Mapping[str, Sequence[TypedRow]] | None = None) -> None:
    """Write every sheet from the store, with what is given of a person's typing laid over."""
    if not desk.book.has_sheets:
        return
    fill_sheets(desk, shown(), typing)
    if not str(desk.book.get("AuditState") or "").endswith(f"{desk.cycle} {desk.period}"):
        # The audit sheet speaks of another run; its formulas would look at rates and bills that are not theirs.
        desk.book.write("audit", pd.DataFrame(columns=list(TABLE["audit"].columns)))
        desk.book.put("AuditState", "")
    fill_start(desk)
    desk.note_seen(chain_head(desk))


def _touched(saved_tables: Sequence[str]) -> list[str]:
    """The sheets to write after these were saved."""
    return [name for table in saved_tables for name in (table, *SURFACES[table].follows)]


def _not_saved(wrong: Sequence[Problem], found: Sequence[Problem]) -> Refusal:
    fact = f"{len(wrong)} cells; first: {wrong[0].fact}"
    return Refusal(NOT_SAVED.at(wrong[0].place, fact, wrong[0].remedy), found)


def _allowed(desk: Desk, found: Sequence[Changes]) -> None:
    """Some sheets are the lead's alone to change; everything else is any clerk's."""
    for change in found:
        if change:
            desk.need(SURFACES[change.table].role, f"Save of {TABLE[change.table].sheet.name}")


def _over(typed_over: Sequence[Problem]) -> str:
    if not typed_over:
        return ""
    return f"{len(typed_over)} computed cells were typed over and are put back; first: {typed_over[0].place}."
