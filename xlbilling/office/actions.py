"""Actions: every button by its id, run at a desk; what happened is said on the workbook and given back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from xlbilling.office.accounts import accounts
from xlbilling.office.bills import bills, cycles
from xlbilling.office.desk import log, rules_sheet
from xlbilling.office.desk import save as sheets
from xlbilling.office.desk.buttons import BUTTONS, Button, Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.unexpected import unexpected
from xlbilling.office.month import start
from xlbilling.office.receipts import rejects
from xlbilling.store.migrations import opened
from xlbilling.store.store import store_url
from xlbilling.words.problems import Problem, Refusal, declare
from xlbilling.workbook.port import Workbook

NO_BUTTON: Final = declare(
    "unknown_button",
    "The workbook and the installed program are of different versions.",
    "Build the workbook anew with `xlbilling build`, or install the version it came with.",
)
# What a sheet shows and how it is saved is declared beside the actions: all of them are there before any is run.
MODULES: Final = [
    accounts,
    bills,
    cycles,
    log,
    rejects,
    rules_sheet,
    start,
    *(button.module for button in BUTTONS.values()),
]


def open_desk(workbook: Workbook, actor: str, folder: Path, url: str | None = None) -> Desk:
    """The desk at a workbook: its store is the one named on Start, beside the workbook unless it says otherwise.

    A store of an earlier version is backed up and brought to this one first, whoever presses; what is said begins with it.
    """
    named = url or str(workbook.get("StoreUrl") or "").strip() or "billing.db"
    text = named if "://" in named or Path(named).is_absolute() else str(folder / named)
    return Desk(workbook, opened(store_url(text), actor, folder / "backups"), actor, folder)


def perform(
    button_id: str, desk: Callable[[], Desk], workbook: Workbook, folder: Path | None = None
) -> Outcome | Refusal:
    """Run one button for somebody whose role it is; what stops it is said on Start with its place marked, and given back,
    never raised through Excel.

    `folder` is where an error log goes as long as no store is open; the current folder where it is not given.
    """
    try:
        button = _declared(button_id)
    except Refusal as refusal:
        return _told(refusal, f"{button_id}: {refusal}", refusal.found, workbook, folder or Path.cwd())

    def run(at: Desk) -> Outcome:
        at.need(button.role, button.label)
        if button.turns:
            sheets.turn(at)
        return button.run(at)

    return carry_out(button.label, run, desk, workbook, folder)


def carry_out(
    label: str,
    run: Callable[[Desk], Outcome],
    desk: Callable[[], Desk],
    workbook: Workbook,
    folder: Path | None = None,
) -> Outcome | Refusal:
    """Run an action at a desk under its name; what stops it is said on Start and given back, as for a button."""
    beside, first = folder or Path.cwd(), ""
    try:
        at = desk()
        first = at.store.migrated
        beside = at.store.path.parent if at.store.path else at.folder
        try:
            outcome = run(at)
        finally:
            at.store.close()
    except Refusal as refusal:
        return _told(refusal, f"{first}{label}: {refusal}", refusal.found, workbook, beside)
    except Exception as fault:  # a fault of the program is told and logged, never shown in a box that blocks
        stopped = unexpected(label, fault, beside)
        return _told(stopped, f"{first}{label}: {stopped}", [], workbook, beside)
    outcome = replace(outcome, said=f"{first}{outcome.said}")
    return _told(outcome, outcome.said, outcome.problems, workbook, beside)


def _declared(button_id: str) -> Button:
    if button_id not in BUTTONS:
        raise Refusal(NO_BUTTON.at(None, f"the workbook has a button {button_id} that this program does not know"))
    return BUTTONS[button_id]


def _told(
    result: Outcome | Refusal, said: str, problems: list[Problem], workbook: Workbook, beside: Path
) -> Outcome | Refusal:
    """Mark the problems and say what happened; a workbook that cannot show it has the words in its status bar."""
    try:
        workbook.mark(problems)
        workbook.say(said)
    except Exception as fault:  # the button has done its work: saying so must not fail it
        unshown = fault if isinstance(fault, Refusal) else unexpected("Showing the outcome", fault, beside)
        workbook.progress(f"{said} ({unshown})", 0, 0)
        return result if isinstance(result, Refusal) else replace(result, problems=[*problems, unshown.problem])
    return result
