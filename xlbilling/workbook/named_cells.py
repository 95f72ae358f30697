"""Named cells: what stands in single cells of Start and Audit, and where the lists on Start are.

The workbook is built from these, and the workbook in memory has the same ones.
"""

from __future__ import annotations

from typing import Any, Final

from xlbilling.words.records import TABLES
from xlbilling.words.states import NOT_RECALCULATED

DASH: Final = "–"
WELCOME: Final = "Press a button on the Billing tab; what it did is said here."
HEADER_ROW: Final = 3  # of every table that has a sheet of its own; rows and columns count from 1

# name of the cell, label, number format; a tile nobody has filled shows a dash
TILE_CELLS: Final = (
    ("Receivable", "Receivable", "money"),
    ("Billed", "Billed this period", "money"),
    ("Received", "Received", "money"),
    ("Adjusted", "Adjusted", "money"),
    ("OpenExceptions", "Open exceptions", "whole"),
    ("HeldBills", "Held bills", "whole"),
    ("UnpostedBatches", "Unposted batches", "whole"),
)
# name of the cell, label, first value, note; the first ones are typed
DESK_CELLS: Final = (
    ("Period", "Accounting period", "", "Month of the ledger the desk works on, written 2026-11."),
    ("Cycle", "Cycle", "", "The cycle the sheets show and the buttons work on, such as A."),
    ("View", "View", "lead", "clerk hides the sheets a clerk does not need; lead shows all."),
    (
        "ReadsFile",
        "Reads file",
        "",
        "The meter-read file Import reads takes. Its path, or its name beside this workbook.",
    ),
    ("PaymentsFile", "Payments file", "", "The payments file Import payments takes."),
    ("LedgerFile", "Ledger export", "", "Accounting's general-ledger export Import GL takes."),
    (
        "ExplainBill",
        "Explain",
        "",
        "A bill's number, or the account or service of a draft bill, that Explain bill tells.",
    ),
    ("StoreUrl", "Store", "billing.db", "Where the store is: a file on this computer, or a PostgreSQL address."),
)
SHOWN_CELLS: Final = (
    ("Actor", "Working as", "The log-in this workbook works as."),
    ("ChainHead", "Seal of the log", "Seal over the last event of the store; it is printed on the close packet."),
)
TILES: Final = frozenset(name for name, _, _ in TILE_CELLS)
FIRST_VALUES: Final[dict[str, Any]] = {
    "Message": WELCOME,
    "Question": None,
    "Asked": None,
    "Marked": None,
    "Filled": None,
    **dict.fromkeys(TILES, DASH),
    **{name: first or None for name, _, first, _ in DESK_CELLS},
    **{name: None for name, _, _ in SHOWN_CELLS},
    "AuditState": NOT_RECALCULATED,
    "AuditDifference": 0.0,
}
FIXED_ROWS: Final = {"today": 18, "runs": 8, "months": 12}  # lists on Start keep their size
LINKS_ACROSS: Final = 3
_TOP: Final = 11  # today's list and, beside it, the desk's cells
LINKS_ROW: Final = _TOP + len(DESK_CELLS) + len(SHOWN_CELLS) + 1
# The lower lists begin under the upper one and the links, however many there are: a row of air, a title, the headings.
_LOWER: Final = max(_TOP + FIXED_ROWS["today"], LINKS_ROW - 1 + -(-len(TABLES) // LINKS_ACROSS)) + 3
# row and column of their first heading
LIST_CORNERS: Final = {"today": (_TOP, 2), "runs": (_LOWER, 2), "months": (_LOWER, 10)}
