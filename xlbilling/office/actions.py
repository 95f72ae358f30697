"""Actions: every button by its id, run at a desk; what happened is said on the workbook and given back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from xlbilling.office import auditing, billing, books, closing, explaining, money, readings, reporting, sheets
from xlbilling.office.buttons import BUTTONS, Button, Outcome
from xlbilling.office.desk import Desk
from xlbilling.problems import Refusal
from xlbilling.store import Store
from xlbilling.store.store import store_url
from xlbilling.workbook.port import Workbook

# The modules that declare the buttons; importing them here is what puts every button on the ribbon.
DECLARED_IN: Final = (sheets, readings, billing, auditing, money, books, reporting, closing, explaining)
_ORDER: Final = (
    "save", "refresh", "undo_last", "import_reads", "validate", "compute", "audit", "post", "print_file", "import_payments",
    "adjust", "reverse", "import_ledger", "reconcile", "report_pack", "checklist", "close_month", "explain_bill", "about",
)  # fmt: skip


def buttons() -> list[Button]:
    """All buttons in the order of the month."""
    return [BUTTONS[name] for name in _ORDER]


def open_desk(workbook: Workbook, actor: str, folder: Path, url: str | None = None) -> Desk:
    """The desk at a workbook: its store is the one named on Start, beside the workbook unless it says otherwise."""
    named = url or str(workbook.get("StoreUrl") or "").strip() or "billing.db"
    text = named if "://" in named or Path(named).is_absolute() else str(folder / named)
    return Desk(workbook, Store.open(store_url(text)), actor, folder)


def perform(button_id: str, desk: Callable[[], Desk], workbook: Workbook) -> Outcome | Refusal:
    """Run one button; a refusal is said on Start with its place marked, and given back, never raised through Excel."""
    try:
        at = desk()
        try:
            outcome = BUTTONS[button_id].run(at)
        finally:
            at.store.close()
    except Refusal as refusal:
        workbook.mark([refusal.problem])
        workbook.say(f"{BUTTONS[button_id].label}: {refusal}")
        return refusal
    if outcome.problems:
        workbook.mark(outcome.problems)
    workbook.say(outcome.said)
    return outcome
