"""Bills and what makes them: runs of cycles, rates, bills with their lines, the audit."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import YES_NO, Column, Sheet, Table, computed, given, required

CYCLES: Final = Table(
    Sheet("Cycles", "cycles", "Billing runs and their dates", ("cycle", "period"), True, working=True),
    "One billing run of a cycle: its read window and its dates.",
    cycle=required("Cycle", "Routes read and billed together, such as A.", "id", 8),
    period=required("Accounting period", "Month of the ledger the bills post to, written 2026-11.", "id", 12),
    read_from=required("Reads from", "First day a read counts for this run.", "date", 12),
    read_to=required("Reads to", "Last day a read counts for this run.", "date", 12),
    bill_date=required("Bill date", "Date printed on the bills; they post on it.", "date", 12),
    due_date=required("Due", "Day payment is due.", "date", 12),
    delinquent_date=required("Delinquent", "Day after which an unpaid bill is past due.", "date", 12),
    autopay_date=required("Autopay", "Day autopay is drawn.", "date", 12),
    state=computed("State", "Where the run stands: waiting, reads in, computed, posted.", "text", 12),
    services=computed("Services", "Active services on the cycle.", "whole", 10, default=0),
    billed=computed("Billed", "Services with a posted bill in this run.", "whole", 9, default=0),
    held=computed("Held", "Services whose bill is held by an exception.", "whole", 8, default=0),
)

RATES: Final = Table(
    Sheet("Rates", "rates", "Rate schedules in force", ("rate_id",), True, views=("lead",), working=True),
    "One line of a rate schedule: a component, its key and its tier, in force from a date by a resolution.",
    rate_id=required("Line", "Number of this line; it never changes.", "id", 10),
    tariff=required("Rate schedule", "Name of the schedule, as on Services.", "text", 16),
    customer_class=required("Class", "Customer class this line is for.", "text", 20),
    component=required("Charge", "Name of the charge as printed on the bill.", "text", 20),
    kind=required("Kind", "How the charge is worked out.", "text", 12),
    keys=Column("Key", 'What the price depends on, such as meter_size=5/8".', "text", 22),
    tier=Column("Tier", "Tier number from 1; 0 where the charge has no tiers.", "whole", 6, default=0),
    from_unit=Column("From unit", "First unit billed at this price.", "rate", 10),
    cap=Column("Cap", "Last unit or budget the tier reaches to, where the schedule says so.", "text", 12),
    rate=Column("Rate", "Price per unit, fixed amount, or percentage.", "rate", 11),
    expression=Column("Formula", "For kind formula: arithmetic on charges and inputs.", "text", 24),
    unit=Column("Unit", "Unit the rate is per.", "text", 8),
    gl_account=Column("GL account", "Revenue account the charge posts to.", "id", 14),
    effective_from=required("Effective from", "First day the line is in force.", "date", 13),
    effective_to=Column("Effective to", "Last day in force; blank until a newer line replaces it.", "date", 13),
    applies_by=Column(
        "Applies by",
        "What the change of rates goes by: service_days prorates; read_date and bill_date switch whole bills.",
        "choice",
        13,
        choices=("service_days", "read_date", "bill_date"),
        default="service_days",
    ),
    resolution=required("Resolution", "Board resolution that set it.", "text", 14),
    rounding=Column("Rounding", "Blank: each charge line half-up to the cent.", "text", 10),
    on_bill=Column(
        "On bill", "no: only other lines use it. Blank or yes: a printed charge.", "choice", 9, choices=YES_NO
    ),
    position=Column("Order", "Printed order of the charge.", "whole", 7, default=0),
    description=Column("Description", "Further words for the bill or the office.", "text", 30),
)

CHOICES: Final = Table(
    Sheet("Choices", "choices", "What drop-downs offer", ("number",), views=("lead",)),
    "The rate schedules and the customer classes that Rates has, as the drop-downs on Services offer them.",
    number=given("No.", "Place in the lists.", "whole", 6),
    tariff=given("Rate schedule", "Rate schedules on sheet Rates, by name.", "text", 20),
    customer_class=given("Class", "Customer classes on sheet Rates, by name.", "text", 24),
)

BILLS: Final = Table(
    Sheet("Bills", "bills", "Bills of the cycle", ("bill_key",), scope="cycle", totals=("amount",)),
    "The bill of one account in one run, for all its services on the cycle.",
    bill_key=computed("Key", "Account, cycle and accounting period.", "id", 22),
    number=computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11),
    kind=computed("Kind", "bill, or final bill where all its services ended.", "text", 10),
    account_id=computed("Account", "The account billed.", "id", 12),
    name=computed("Name", "Customer of record.", "text", 26),
    services=computed("Services", "The services on it; details on Bill sections.", "text", 24),
    amount=computed("Amount", "Sum of the bill's sections.", "money", 13, default=0),
    bill_date=computed("Bill date", "Date of the bill.", "date", 12),
    due_date=computed("Due", "Day payment is due.", "date", 12),
    state=computed("State", "draft, held, posted or reversed.", "text", 10),
    why=computed(
        "Why",
        "Held: which service holds it and why; the lead can leave that service out on Bill sections. Else which bill "
        "it replaces, and which services it goes without.",
        "text",
        60,
        "wrapped",
    ),
)

BILL_SERVICES: Final = Table(
    Sheet(
        "Bill sections",
        "bill_services",
        "Services on the bills of the cycle",
        ("section",),
        True,
        "cycle",
        totals=("amount", "consumption"),
    ),
    "One service on a bill: what it used in its service period and what that comes to.",
    section=computed("Key", "Service, and the bill's number once it is posted.", "id", 22),
    number=computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11),
    account_id=computed("Account", "The account billed.", "id", 12),
    service_id=computed("Service", "The service billed.", "id", 14),
    amount=computed("Amount", "Sum of the section's lines.", "money", 13, default=0),
    state=computed(
        "State",
        "draft, held, waits (for a held service of its account), left (out), posted or reversed.",
        "text",
        10,
    ),
    why=computed("Why", "Why it is held, for which service it waits, or why it is left out.", "text", 44, "wrapped"),
    decision=Column(
        "Decision",
        "On a held service: leave out sends its account's bill without it; its days go on the next bill.",
        "choice",
        11,
        choices=("leave out",),
    ),
    reason=Column("Reason", "Why; needed with the decision.", "text", 30, look="wrapped"),
    customer_class=computed("Class", "Customer class.", "text", 20),
    tariff=computed("Schedule", "Rate schedule it is priced by.", "text", 16),
    service_from=computed("From", "Day of the previous read; billed from the day after.", "date", 12),
    service_to=computed("To", "Day of this read, billed too.", "date", 12),
    days=computed("Days", "Days in the service period.", "whole", 7, default=0),
    consumption=computed("Consumption", "Billed consumption in the unit beside it.", "quantity", 13, default=0),
    unit=computed("Unit", "Billing unit.", "text", 7),
    read_code=computed("Read", "actual or estimated.", "text", 10),
    carried=computed(
        "Carried", "Part of a unit left for the next bill, where the district carries it.", "quantity", 9, default=0
    ),
    estimate=computed("Estimate", "How an estimated read was estimated.", "text", 50),
    decided_by=computed("Decided by", "Who decided.", "text", 12),
)

BILL_LINES: Final = Table(
    Sheet("Bill lines", "bill_lines", "Charges of the cycle", ("bill_key", "line"), scope="cycle", totals=("amount",)),
    "One priced charge of a bill, with what it was computed from.",
    bill_key=computed("Key", "Account, cycle and accounting period.", "id", 22),
    line=computed("Line", "Line of the bill.", "whole", 6, default=0),
    number=computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11),
    service_id=computed("Service", "The service it is charged for.", "id", 14),
    charge=computed("Charge", "Charge as printed.", "text", 20),
    tier=computed("Tier", "Tier number; 0 without tiers.", "whole", 6, default=0),
    quantity=computed("Quantity", "Units billed at the rate.", "quantity", 12, default=0),
    rate=computed("Rate", "Rate in force.", "rate", 11),
    unit=computed("Unit", "Unit of the quantity.", "text", 7),
    amount=computed("Amount", "Rounded half-up to the cent once.", "money", 13, default=0),
    gl_account=computed("GL account", "Revenue account it posts to.", "id", 14),
    segment_from=computed("From", "Day before the first day the line covers.", "date", 12),
    segment_to=computed("To", "Last day the line covers.", "date", 12),
    basis=computed("Worked out from", "What the line was computed from.", "text", 60),
    effective_from=computed("Rates of", "Day the rate took effect.", "date", 12),
    resolution=computed("Resolution", "Resolution that set the rate.", "text", 14),
)

AUDIT: Final = Table(
    Sheet(
        "Audit",
        "audit",
        "Every charge recomputed by the sheet itself",
        ("service_id",),
        scope="cycle",
        views=("lead",),
        totals=("billed", "recomputed", "difference"),
    ),
    "One service on the audit sheet: what Python billed beside what the sheet's own formulas make of it.",
    service_id=given("Service", "Service on the cycle.", "id", 14),
    outcome=given("Outcome", "billed, held with its reason, or not due.", "text", 12),
    reason=given("Reason", "Why it is held or not due.", "text", 30),
    billed=given("Billed", "What the bill says.", "money", 13, default=0),
    recomputed=computed("Recomputed", "Sum of the formulas to the right.", "money", 13, default=0),
    difference=computed("Difference", "Billed less recomputed; must be 0.00.", "money", 12, default=0),
)
