"""Money that comes in and corrections: payments, rejected payments, adjustments."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import Column, Sheet, Table, computed, given, required
from xlbilling.words.states import ADJUST, CANCEL, REBILL

AUTHOR: Final = computed("Taken in by", "Who typed it, or took its file in.", "text", 12)
POSTER: Final = computed("Posted by", "Who pressed the button that posted it; blank until then.", "text", 12)

METHODS: Final = ("lockbox", "counter", "web", "autopay", "check", "cash")

PAYMENTS: Final = Table(
    Sheet("Payments", "payments", "Receipts of the period", ("payment_id",), True, "period", totals=("amount",)),
    "Money received from a customer.",
    payment_id=computed("Payment", "Number of the receipt; blank until saved.", "id", 11),
    received_on=required("Received", "Day the money came in.", "date", 12),
    account_id=required("Account", "Account it is for.", "id", 12),
    amount=required("Amount", "What was paid.", "money", 13),
    method=Column(
        "Method",
        "How it was paid.",
        "choice",
        11,
        choices=METHODS,
        default="counter",
    ),
    reference=Column("Reference", "Check or transaction number.", "id", 16),
    batch=computed("Batch", "Batch it posts with.", "id", 14),
    state=computed("State", "open, posted or reversed.", "text", 10),
    like=computed(
        "Like",
        "Open receipts: others of the same account, day and amount that no reference tells from it. Compare both.",
        "text",
        14,
    ),
    author=AUTHOR,
    poster=POSTER,
)

PAYMENT_REJECTS: Final = Table(
    Sheet(
        "Payment rejects",
        "payment_rejects",
        "Rows of payments files that were not taken",
        ("reject_id",),
        True,
        "period",
        totals=("amount",),
    ),
    "A row of a payments file that could not be taken, as it came, and as the office corrects it.",
    reject_id=given("Reject", "Import and line; it names the row for good.", "id", 10),
    file_name=given("File", "The file the row came in.", "text", 22),
    source_line=given("Line", "Line of the file, or row of its sheet.", "whole", 8, default=0),
    message=given("Why", "Why it was not taken.", "text", 38, "wrapped"),
    content=given("As it came", "The row as the file has it.", "text", 40, "wrapped"),
    received_on=Column("Received", "Day the money came in.", "date", 12),
    account_id=Column("Account", "Account it is for; correct it where it is wrong.", "id", 12),
    amount=Column("Amount", "What was paid; blank where it cannot be read.", "money", 13),
    method=Column(
        "Method",
        "How it was paid.",
        "choice",
        11,
        choices=METHODS,
    ),
    reference=Column("Reference", "Check, transaction or trace number.", "id", 16),
    decision=Column(
        "Decision",
        "take: make a receipt of the row as corrected here. leave: it is no payment to one of our accounts.",
        "choice",
        11,
        choices=("take", "leave"),
    ),
    reason=Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped"),
    payment_id=computed("Payment", "Number of the receipt that was made of it.", "id", 11),
    decided_by=computed("Decided by", "Who decided.", "text", 12),
    decided_at=computed("Decided at", "When.", "stamp", 24),
    state=computed("State", "open, taken or left.", "text", 9),
)

ADJUSTMENTS: Final = Table(
    Sheet(
        "Adjustments",
        "adjustments",
        "Corrections of the period",
        ("adjustment_id",),
        True,
        "period",
        totals=("amount",),
    ),
    "A correction of a posted bill or payment, as a document of its own.",
    adjustment_id=computed("Adjustment", "Number of the correction; blank until taken in.", "id", 12),
    kind=required(
        "Kind",
        "adjust: add or take off an amount. reverse: cancel a bill or payment. rebill: cancel and bill anew.",
        "choice",
        10,
        (ADJUST, CANCEL, REBILL),
    ),
    document=Column(
        "Bill or payment",
        "Number of the posted bill or payment. With rebill the right dial may follow: B0000005 M01=0108.",
        "id",
        24,
    ),
    account_id=Column("Account", "Account concerned; needed with adjust.", "id", 12),
    amount=Column("Amount", "With adjust: plus bills more, minus takes off.", "money", 13),
    gl_account=Column("GL account", "With adjust: revenue account the other side goes to.", "id", 14),
    reason=required("Reason", "Why; printed on the journal.", "text", 40),
    posted_on=Column("Date", "Posting date; blank means the last day of the open period.", "date", 12),
    batch=computed("Batch", "Batch it posts with.", "id", 14),
    state=computed("State", "open, posted or reversed.", "text", 10),
    author=AUTHOR,
    poster=POSTER,
)
