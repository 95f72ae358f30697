"""Reads and what is said of them: recipes of files, reads, exceptions, rejected rows."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import UNITS, Column, Sheet, Table, computed, given, required

RECIPES: Final = Table(
    Sheet("Recipes", "recipes", "How other read files are laid out", ("recipe", "setting"), True, working=True),
    "One line of a recipe: which column of a sender's read file is which, and how its figures are written.",
    recipe=required("Recipe", "Name of the recipe, such as the sender's.", "text", 20),
    setting=required("Setting", "What the line says: column meter_id, date_formats, delimiter ...", "text", 22),
    value=Column("Value", "The file's heading, or the mark or date format it uses.", "text", 36),
    note=Column("Note", "What was found in the sample.", "text", 50),
)

READS: Final = Table(
    Sheet("Reads", "reads", "Reads of the cycle", ("read_id",), scope="cycle", totals=("consumption",)),
    "A dial value on a date, with what it is compared with.",
    read_id=given("Read no.", "Number of the read in the store.", "whole", 10),
    service_id=given("Service", "The service measured.", "id", 14),
    account_id=given("Account", "The account billed.", "id", 12),
    meter_id=given("Meter", "Meter number as in the file.", "id", 14),
    register_id=given("Register", "Register of a compound meter.", "id", 9),
    read_date=given("Read date", "Day of the read.", "date", 12),
    dial_read=given("Read", "The dial exactly as in the file.", "id", 12),
    unit=given("Unit", "Unit the dial counts in.", "text", 7),
    read_code=given("Code", "actual, estimated, no_read or suspect.", "text", 10),
    previous_date=computed("Last read date", "Day of the last billed read.", "date", 13),
    previous_read=computed("Last read", "Dial at the last billed read.", "id", 12),
    days=computed("Days", "Days in the service period.", "whole", 7, default=0),
    consumption=computed(
        "Consumption", "In the billing unit, after multiplier and rollover.", "quantity", 13, default=0
    ),
    billed_read=computed(
        "Billed read", "The dial that is billed where it is another: typed on Exceptions, or estimated.", "id", 12
    ),
    billed_date=computed("Billed date", "The day that is billed where it is another: typed on Exceptions.", "date", 12),
    last_year=computed("Last year", "Consumption of the same period last year.", "quantity", 11),
    average=computed("Average", "Recent average for as many days.", "quantity", 11),
    finding=computed("Finding", "What the checks say; details on Exceptions.", "text", 26),
    source=given("Source", "File and line the read came from.", "text", 30),
)

EXCEPTIONS: Final = Table(
    Sheet("Exceptions", "exceptions", "Findings that wait for a decision", ("exception_id",), True, "cycle"),
    "One finding of the read checks and what the clerk decided.",
    exception_id=given("Finding", "Name of the finding; it stays the same when checks run again.", "id", 24),
    severity=computed("Severity", "block: the bill is held. review: look at it. info: noted.", "text", 10),
    rule=computed("Check", "Which check found it.", "text", 20),
    service_id=computed("Service", "Service concerned.", "id", 14),
    account_id=computed("Account", "Account concerned.", "id", 12),
    customer=computed("Customer", "Customer of record.", "text", 20),
    phone=computed("Phone", "As on Accounts.", "id", 14),
    premise=computed("Premise", "Street address served.", "text", 18),
    meter_id=computed("Meter", "Meter concerned.", "id", 14),
    last_read=computed(
        "Last read",
        "The last billed dial and its day; of each register where there are several.",
        "text",
        20,
        "wrapped",
    ),
    this_read=computed("This read", "The dial and its day as they came in; details on Reads.", "text", 19, "wrapped"),
    place=computed("Where", "Cell or file line the finding is about.", "text", 18),
    fact=computed("What was found", "The fact with its numbers.", "text", 44, "wrapped"),
    remedy=computed("What to do", "The usual remedy.", "text", 36, "wrapped"),
    money_at_risk=computed("Money at risk", "Rough value of the difference.", "money", 13, default=0),
    history=computed(
        "History",
        "Consumption per day of the last twelve bills and of this run as bars, oldest first, this run last; "
        "a dot where there is no bill.",
        "text",
        20,
        "bars",
    ),
    decision=Column(
        "Decision",
        "accept: bill the read as it is. estimate: bill an estimate. reread: wait for a new read. "
        "override: bill the dial typed in Override read, or on the day typed in Override date.",
        "choice",
        11,
        choices=("accept", "estimate", "reread", "override"),
    ),
    override_read=Column(
        "Override read",
        "The dial to bill, with decision override; blank where only the day is wrong. "
        "A service with several registers: L=0111 H=0015.",
        "id",
        13,
    ),
    override_date=Column(
        "Override date", "The day of the read, with decision override; blank where the day is right.", "date", 12
    ),
    reason=Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped"),
    decided_by=computed("Decided by", "Who decided.", "text", 12),
    decided_at=computed("Decided at", "When.", "stamp", 24),
    state=computed("State", "open, decided, billed (before anybody decided) or gone.", "text", 9),
)

REJECTS: Final = Table(
    Sheet("Rejects", "rejects", "Rows of read files that were not taken", ("reject_id",), True, "cycle"),
    "A row of a read file that could not be taken, as it came, and as the office corrects it.",
    reject_id=given("Reject", "Import, line and code; it names the row for good.", "id", 20),
    file_name=given("File", "The file the row came in.", "text", 24),
    source_line=given("Line", "Line of the file, or row of its sheet.", "whole", 8, default=0),
    message=given("Why", "Why it was not taken.", "text", 44, "wrapped"),
    content=given("As it came", "The row as the file has it.", "text", 50, "wrapped"),
    meter_id=Column("Meter", "Meter number; correct it where it is wrong.", "id", 14),
    register_id=Column("Register", "Register of a compound meter; mostly blank.", "id", 9),
    read_date=Column("Read date", "Day of the read.", "date", 12),
    dial_read=Column("Read", "The dial as read, with its leading zeros.", "id", 12),
    unit=Column("Unit", "Unit the dial counts in; blank: the meter's.", "choice", 8, choices=UNITS),
    decision=Column(
        "Decision",
        "take: take the row in as corrected here. leave: it is no read of ours.",
        "choice",
        11,
        choices=("take", "leave"),
    ),
    reason=Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped"),
    decided_by=computed("Decided by", "Who decided.", "text", 12),
    decided_at=computed("Decided at", "When.", "stamp", 24),
    state=computed("State", "open, taken or left.", "text", 9),
)
