"""The office's rules and its books: policy, ledger accounts, the ledger's export, reconciliation, the close, the log."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import Column, Sheet, Table, computed, given, required

POLICY: Final = Table(
    Sheet(
        "Policy",
        "policy",
        "The district's rules",
        ("topic", "setting", "effective_from"),
        True,
        views=("lead",),
        working=True,
    ),
    "One rule of the district: a setting or a read check with its threshold and severity, in force from a day.",
    topic=given("Topic", "What the rule is about: district, billing, reads, check, aging, payments.", "text", 12),
    setting=given(
        "Setting",
        "Name of the rule; a check has the name its findings carry. "
        'high / COMMERCIAL / 2" is its own limit for a class and a size (any for either).',
        "text",
        26,
    ),
    effective_from=Column(
        "In force from", "First day of this value; blank: always, or until the first dated row.", "date", 13
    ),
    state=computed("State", "in force today; coming: on its day; was: a later row is in force.", "text", 10),
    value=Column("Value", "The rule itself. Checks: the threshold, such as 200 for 200 %.", "text", 22),
    severity=Column(
        "Severity",
        "For checks. block: the bill is held. review: it bills, somebody looks. info: noted. off: not checked.",
        "choice",
        10,
        choices=("block", "review", "info", "off"),
    ),
    source=Column("Source", "The resolution or the law it stands in, such as Res. 2026-14.", "text", 22),
    meaning=given("What it means", "The rule in plain words.", "text", 80, "wrapped"),
)

GL_ACCOUNTS: Final = Table(
    Sheet(
        "GL accounts",
        "gl_accounts",
        "Ledger accounts billing posts to",
        ("gl_account",),
        True,
        views=("lead",),
        working=True,
    ),
    "An account of the general ledger that billing posts to.",
    gl_account=required("GL account", "Number exactly as accounting prints it.", "id", 16),
    name=required("Name", "Name in the general ledger.", "text", 32),
    role=required(
        "Role",
        "receivable: the control account. cash: where receipts go. revenue: credited by bills. "
        "deposits, opening, other: what they say.",
        "choice",
        12,
        ("receivable", "cash", "revenue", "deposits", "opening", "other"),
    ),
    balance=computed("Balance", "Debits less credits on posted entries.", "money", 14, default=0),
)

GL: Final = Table(
    Sheet(
        "GL", "gl", "General-ledger export of the period", ("row",), scope="period", views=("lead",), totals=("amount",)
    ),
    "One row of accounting's general-ledger export.",
    row=given("Row", "Row of the export below its header.", "whole", 8),
    date=given("Date", "Posting date in the general ledger.", "date", 12),
    gl_account=given("GL account", "Account as exported.", "id", 16),
    account_name=given("Name", "Account name as exported.", "text", 28),
    reference=given("Reference", "Batch or document number.", "id", 16),
    description=given("Description", "As exported.", "text", 40),
    amount=given("Amount", "Debit plus, credit minus.", "money", 14, default=0),
    matched=computed("Matched", "yes, or why not.", "text", 26),
)

RECONCILE: Final = Table(
    Sheet("Reconcile", "reconcile", "Subledger against general ledger", ("line",), scope="period", views=("lead",)),
    "One line of the receivables control or one difference between subledger and general ledger.",
    line=computed("Line", "Number of the line.", "id", 8),
    section=computed("Section", "control or difference.", "text", 13),
    gl_account=computed("GL account", "Account concerned.", "id", 13),
    what=computed("What", "Beginning, billed, received, adjusted, ending; or what was posted.", "text", 30, "wrapped"),
    subledger=computed("Subledger", "Amount in billing.", "money", 15),
    ledger=computed("General ledger", "Amount in the general ledger.", "money", 15),
    difference=computed("Difference", "Subledger less general ledger at the period's end.", "money", 13),
    reason=computed("Reason", "Why it differs; unexplained where nothing proves it.", "text", 26),
    batch=computed("Batch", "Batch, or the ledger's reference.", "id", 16),
    document=computed("Document", "Document, or first and last and how many.", "id", 22),
    account_id=computed("Account", "Customer account, or how many.", "id", 24),
    post_date=computed("Day", "Day it was posted in billing.", "date", 12),
    gl_date=computed("GL day", "Day it was posted in the ledger.", "date", 12),
    gl_rows=computed("GL rows", "Rows of the ledger export.", "id", 16),
    entry=computed("Correcting entry", "What makes both sides agree.", "text", 44, "wrapped"),
)

CLOSE: Final = Table(
    Sheet("Close", "close", "Checklist of the month", ("item",), True, "period", views=("lead",)),
    "One item of the close checklist.",
    item=given("Item", "What must be so before the month is closed.", "text", 40),
    state=computed("State", "done, open or signed.", "text", 10),
    detail=computed("Detail", "What was found.", "text", 70),
    signed_reason=Column(
        "Signed reason", "Where an item stays open: why the month may close all the same.", "text", 50
    ),
    signed_by=computed("Signed by", "Who signed.", "text", 14),
)

LOG: Final = Table(
    Sheet("Log", "log", "What was done, by whom", ("event",), scope="period", views=("lead",)),
    "One event of the store, chained to the one before.",
    event=computed("Event", "Number of the event.", "whole", 8),
    at=computed("When", "Time of the event.", "stamp", 20),
    actor=computed("Who", "Log-in of the person.", "text", 14),
    action=computed("What", "Button or command.", "text", 18),
    detail=computed("Detail", "What it did.", "text", 80),
    seal=computed("Seal", "Hash over this event and the one before.", "id", 20),
)
