"""Whom the district serves, where, and through which meters: accounts, services, meters and their registers."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import UNITS, YES_NO, Column, Sheet, Table, computed, required

ACCOUNTS: Final = Table(
    Sheet("Accounts", "accounts", "Customers of record", ("account_id",), True, working=True),
    "The customer of record.",
    account_id=required("Account", "Account number with its leading zeros. It never changes.", "id", 12),
    name=required("Name", "Customer of record as printed on the bill.", "text", 28),
    mail_street=Column("Mail street", "Where the bill goes.", "text", 28),
    mail_city=Column("Mail city, state, ZIP", "Second line of the mailing address.", "text", 26),
    email=Column("E-mail", "For bills sent by e-mail.", "text", 26),
    phone=Column("Phone", "As dialled.", "id", 15),
    delivery=Column(
        "Delivery", "How the bill is sent.", "choice", 10, choices=("paper", "email", "both"), default="paper"
    ),
    autopay=Column("Autopay", "Drawn from the bank on the autopay date.", "choice", 9, choices=YES_NO, default="no"),
    status=Column(
        "Status",
        "active, final (moving out) or closed.",
        "choice",
        10,
        choices=("active", "final", "closed"),
        default="active",
    ),
    opened_on=Column("Opened", "Day the account began.", "date", 12),
    closed_on=Column("Closed", "Day the account ended; blank while it runs.", "date", 12),
    balance=computed("Balance", "What the customer owes on posted documents.", "money", 13, default=0),
)

SERVICES: Final = Table(
    Sheet("Services", "services", "Services at premises", ("service_id",), True, working=True),
    "A service at a premise, billed on one rate schedule in one cycle.",
    service_id=required("Service", "Service number with its leading zeros.", "id", 14),
    account_id=required("Account", "The account that is billed.", "id", 12),
    premise=required("Premise", "Street address served.", "text", 28),
    service_type=required(
        "Type", "Kind of service.", "choice", 10, ("water", "fire", "recycled", "sewer"), default="water"
    ),
    customer_class=Column(
        "Class",
        "Customer class as the rate schedule names it.",
        "text",
        20,
        required=True,
        offered="customer_class",
    ),
    tariff=Column(
        "Rate schedule", "Name of the rate schedule on sheet Rates.", "text", 16, required=True, offered="tariff"
    ),
    meter_size=Column("Meter size", 'Size the fixed charge is billed by, such as 5/8".', "id", 10),
    cycle=required("Cycle", "Cycle the service is read and billed in.", "id", 8),
    route=required("Route", "Meter-reading route.", "id", 8),
    inputs=Column("Other inputs", "Further inputs of the rate schedule: name=value; name=value.", "text", 22),
    status=Column("Status", "active or inactive.", "choice", 10, choices=("active", "inactive"), default="active"),
    started_on=Column("Started", "First day of service.", "date", 12),
    ended_on=Column("Ended", "Last day of service; blank while it runs.", "date", 12),
)

METERS: Final = Table(
    Sheet("Meters", "meters", "Meters and registers", ("meter_id", "register_id"), True, working=True),
    "A register of a meter on a service; a compound meter has two rows.",
    meter_id=required("Meter", "Meter number exactly as the reading system sends it.", "id", 14),
    register_id=Column("Register", "Blank, or which register of a compound meter: L, H.", "id", 9),
    service_id=required("Service", "The service it measures.", "id", 14),
    dials=required("Dials", "Number of digits before it rolls over to zero.", "whole", 7, default=6),
    unit=required("Unit", "Unit the dials count in.", "choice", 8, UNITS, default="CCF"),
    multiplier=required("Multiplier", "What one dial unit stands for; usually 1.", "rate", 10, default="1"),
    status=Column("Status", "active or removed.", "choice", 10, choices=("active", "removed"), default="active"),
    set_on=Column("Set", "Day the meter was set.", "date", 12),
    start_read=Column("Start read", "Dial when set or when taken over, as on the dial.", "id", 12, default="0"),
    start_date=Column("Start read date", "Day of the start read.", "date", 13),
    removed_on=Column("Removed", "Day the meter was taken out.", "date", 12),
    final_read=Column("Final read", "Dial when taken out; the last days on the meter are billed from it.", "id", 12),
    master_meter=Column(
        "Master meter", "The meter upstream that measures this meter's water too; blank for most.", "id", 14
    ),
    last_date=computed("Last read date", "Day of the last billed read.", "date", 13),
    last_read=computed("Last read", "Dial at the last billed read.", "id", 12),
)
