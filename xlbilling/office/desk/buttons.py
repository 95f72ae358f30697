"""Buttons: each declared once, in the order of the month; ribbon, VBA callback, terminal command, docs and who may press
follow from the declaration. It names its action and brings it only when it is pressed, so that this list costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Final, Literal

from xlbilling.words.problems import Problem

if TYPE_CHECKING:
    from xlbilling.office.desk.desk import Desk

GROUPS: Final = ("Sheets", "Readings", "Bills", "Money", "Ledger", "Reports", "Close", "Help")
Role = Literal["anyone", "accounting", "clerk", "lead"]
# What sheet Policy gives to a log-in; a role may do what those before it may, and what anyone may who is not listed.
ROLES_GIVEN: Final[tuple[Role, ...]] = ("accounting", "clerk", "lead")
ROLES: Final[tuple[Role, ...]] = ("anyone", *ROLES_GIVEN)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did, in one sentence for the clerk, with the problems it listed."""

    said: str
    problems: list[Problem] = field(default_factory=list)
    listed: bool = False  # True where rows were rejected or held, so that the terminal ends with exit code 3


@dataclass(frozen=True, slots=True)
class Button:
    """A ribbon button and everything that is made from it."""

    action: str  # module of the office and function: "month.post.post"
    label: str
    group: str
    keytip: str
    image: str
    role: Role  # the least that may press it
    supertip: str
    size: Literal["large", "normal"] = "large"
    asks: str = ""  # the named cell on Start with the file or number the button works on
    turns: bool = True  # the sheets first turn to the cycle and period on Start; else they stay as they stand

    @property
    def id(self) -> str:
        """Name of the action's function: "post"."""
        return self.action.rpartition(".")[2]

    @property
    def command(self) -> str:
        """Name of the terminal command: import_reads -> import-reads."""
        return self.id.replace("_", "-")

    @property
    def roles(self) -> tuple[Role, ...]:
        """Everybody who may press it."""
        return ROLES[ROLES.index(self.role) :]

    @property
    def module(self) -> ModuleType:
        """The module of the action, loaded when it is first asked for."""
        return import_module(f"xlbilling.office.{self.action.rpartition('.')[0]}")

    def run(self, desk: Desk) -> Outcome:
        """Do the action at a desk."""
        act: Callable[[Desk], Outcome] = getattr(self.module, self.id)
        return act(desk)


_IN_THE_ORDER_OF_THE_MONTH: Final = (
    Button(
        "desk.save.save", "Save", "Sheets", "SV", "FileSave", "clerk",
        "Shows what would change, then writes it in one go. Press twice: look, then save.",
        turns=False,
    ),
    Button(
        "desk.save.refresh", "Refresh", "Sheets", "RF", "RefreshAll", "anyone",
        "Fills the sheets from the store, for the cycle, period and view on Start. Typing that is not saved is named "
        "first; a second press puts it in Log, and Undo last types it back.",
        turns=False,
    ),
    Button(
        "desk.save.undo_last", "Undo last", "Sheets", "UN", "Undo", "accounting",
        "Takes back what your last button wrote, as long as it is not posted.",
        size="normal", turns=False,
    ),
    Button(
        "reads.imports.import_reads", "Import reads", "Readings", "IR", "ImportTextFile", "clerk",
        "Takes in the meter-read file named on Start for this cycle. The same file twice adds nothing; a "
        "corrected file shows its changes.",
        asks="ReadsFile",
    ),
    Button(
        "reads.settling.validate", "Validate", "Readings", "VA", "DataValidation", "clerk",
        "Checks every read of the cycle and lists what needs a decision on Exceptions.",
    ),
    Button(
        "reads.decide_alike.decide_alike", "Decide alike", "Readings", "DA", "FillDown", "clerk",
        "Gives the decision and reason just typed on Exceptions to every open finding of the same check and "
        "severity with no more money at risk. Press twice: look, then write.",
        turns=False,
    ),
    Button(
        "reads.rereads.reread_list", "Re-read list", "Readings", "RR", "FilePrintPreview", "clerk",
        "Writes the meters decided reread as a list to print, and as files in the layouts their reads come "
        "in, for the crew's own system.",
    ),
    Button(
        "bills.runs.compute", "Compute", "Bills", "CP", "CalculateNow", "clerk",
        "Computes draft bills for the cycle. Drafts are replaced, posted bills never. Refuses while receipts "
        "wait to be posted.",
    ),
    Button(
        "bills.audit.audit", "Audit", "Bills", "AU", "FormulaEvaluate", "lead",
        "Recomputes every charge of the cycle with the sheet's own formulas and compares.",
    ),
    Button(
        "month.post.post", "Post", "Bills", "PO", "FileCheckIn", "lead",
        "Posts what waits: receipts, adjustments, then the cycle's draft bills, each as a numbered batch. "
        "Press twice: look, then post.",
    ),
    Button(
        "outgoing.packs.print_file", "Print file", "Bills", "PF", "FilePrint", "clerk",
        "Writes the print vendor's file of the cycle's latest batch; the printed original is kept.",
    ),
    Button(
        "bills.rates.check_rates", "Check rates", "Bills", "CR", "ErrorChecking", "anyone",
        "Checks the lines on sheet Rates as they stand, saved or not: gaps and overlaps in time, tiers out of "
        "order, meter sizes without a price, prices out of line. Marks what it finds; changes nothing.",
        size="normal", turns=False,
    ),
    Button(
        "receipts.files.import_payments", "Import payments", "Money", "IP", "CreateReportFromWizard", "clerk",
        "Takes in the payments file named on Start. The same file twice adds nothing; Post posts them.",
        asks="PaymentsFile",
    ),
    Button(
        "corrections.adjustments.adjust", "Adjust", "Money", "AD", "AccountingFormat", "clerk",
        "Takes in the corrections typed on Adjustments; Post posts them. Press twice: look, then take in.",
    ),
    Button(
        "corrections.reversals.reverse", "Reverse", "Money", "RV", "UndoSendUpdate", "lead",
        "Cancels the posted bills and payments named on Adjustments with kind reverse or rebill. Press twice:"
        " look, then post.",
    ),
    Button(
        "books.ledger.import_ledger", "Import GL", "Ledger", "IG", "ImportAccess", "accounting",
        "Takes in accounting's general-ledger export named on Start.",
        asks="LedgerFile",
    ),
    Button(
        "books.ledger.reconcile", "Reconcile", "Ledger", "RC", "AccountingFormatMenu", "accounting",
        "Proves the receivables against the ledger export and lists every difference.",
    ),
    Button(
        "outgoing.packs.report_pack", "Report pack", "Reports", "RP", "ChartInsert", "anyone",
        "Writes the period's report pack: register, revenue by class, exceptions, control, aging.",
        turns=False,
    ),
    Button(
        "month.close.checklist", "Checklist", "Close", "CL", "ReviewAcceptChange", "lead",
        "Shows what must be so before the month is closed.",
    ),
    Button(
        "month.close.close_month", "Close month", "Close", "CM", "FileMarkAsFinal", "lead",
        "Locks the accounting period once the checklist is done or signed. Press twice: look, then close.",
    ),
    Button(
        "bills.explain.explain_bill", "Explain bill", "Help", "EX", "Info", "anyone",
        "Tells how the bill named on Start was worked out, line by line.",
        asks="ExplainBill", turns=False,
    ),
    Button(
        "bills.explain.about", "About", "Help", "AB", "Help", "anyone",
        "Version, store and who you are here.",
        size="normal", turns=False,
    ),
)  # fmt: skip
BUTTONS: Final[dict[str, Button]] = {button.id: button for button in _IN_THE_ORDER_OF_THE_MONTH}
