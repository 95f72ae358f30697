"""The tables of the billing office, each declared once.

A declaration gives the sheet, its headings, number formats, drop-downs and notes, the check of what comes in from a
sheet or a file, the store's column, and the docs. In frames and in the store money is int64 cents, a quantity is
int64 millionths of its unit, a rate is decimal text, a date is datetime64[s] (ISO text in the store).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict

from xlbilling.documents import ADJUST, CANCEL, REBILL

ColumnKind = Literal["id", "text", "choice", "date", "money", "quantity", "rate", "whole", "stamp"]
Filled = Literal["typed", "given", "computed"]
Scope = Literal["all", "cycle", "period"]
Look = Literal["", "wrapped", "bars"]

UNITS: Final = ("CF", "CCF", "GAL", "KGAL", "M3", "AF")
YES_NO: Final = ("yes", "no")
CLASSES: Final = (
    "RESIDENTIAL_SINGLE",
    "RESIDENTIAL_MULTI",
    "COMMERCIAL",
    "INSTITUTIONAL",
    "IRRIGATION",
    "OTHER",
)


@dataclass(frozen=True, slots=True)
class Column:
    """How one column looks and what goes in: heading, the note on the heading, kind, width in characters."""

    title: str
    note: str
    kind: ColumnKind = "text"
    width: int = 14
    filled: Filled = "typed"
    choices: tuple[str, ...] = ()
    required: bool = False
    look: Look = ""  # wrapped: long words break into lines. bars: a chart drawn in characters
    offered: str = ""  # the column of sheet Choices whose words its drop-down offers; another word may be typed


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where a table is shown: sheet and table name, key, what Save may write, and who works on it."""

    name: str
    table: str
    title: str
    key: tuple[str, ...]
    saved: bool = False
    scope: Scope = "all"
    views: tuple[Literal["clerk", "lead"], ...] = ("clerk", "lead")
    totals: tuple[str, ...] = ()
    working: bool = False  # the store keeps what is typed and given, as it is, with every revision


def given(title: str, note: str, kind: ColumnKind = "text", width: int = 14, look: Look = "") -> Column:
    """A column that comes from a file or the store; staff read it."""
    return Column(title, note, kind, width, "given", look=look)


def computed(title: str, note: str, kind: ColumnKind = "text", width: int = 14, look: Look = "") -> Column:
    """A column that xlbilling computes; it is shaded, and Save names any cell typed over."""
    return Column(title, note, kind, width, "computed", look=look)


def required(
    title: str, note: str, kind: ColumnKind = "text", width: int = 14, choices: tuple[str, ...] = ()
) -> Column:
    """A column staff must fill in."""
    return Column(title, note, kind, width, "typed", choices, True)


REV: Final = computed(
    "Rev", "Revision of this row in the store. Leave it: Save uses it to see who changed what.", "whole", 6
)


AUTHOR: Final = computed("Taken in by", "Who typed it, or took its file in.", "text", 12)
POSTER: Final = computed("Posted by", "Who pressed the button that posted it; blank until then.", "text", 12)


class Record(BaseModel):
    """A row of one table; the class declares the table."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    sheet: ClassVar[Sheet]


class Setting(Record):
    """One rule of the district: a setting or a read check with its threshold and severity, in force from a day."""

    sheet: ClassVar = Sheet(
        "Policy",
        "policy",
        "The district's rules",
        ("topic", "setting", "effective_from"),
        True,
        views=("lead",),
        working=True,
    )
    topic: Annotated[
        str, given("Topic", "What the rule is about: district, billing, reads, check, aging, payments.", "text", 12)
    ]
    setting: Annotated[
        str,
        given(
            "Setting",
            "Name of the rule; a check has the name its findings carry. "
            'high / COMMERCIAL / 2" is its own limit for a class and a size (any for either).',
            "text",
            26,
        ),
    ]
    effective_from: Annotated[
        dt.date | None,
        Column("In force from", "First day of this value; blank: always, or until the first dated row.", "date", 13),
    ] = None
    state: Annotated[
        str, computed("State", "in force today; coming: on its day; was: a later row is in force.", "text", 10)
    ] = ""
    value: Annotated[str, Column("Value", "The rule itself. Checks: the threshold, such as 200 for 200 %.", "text", 22)]
    severity: Annotated[
        str,
        Column(
            "Severity",
            "For checks. block: the bill is held. review: it bills, somebody looks. info: noted. off: not checked.",
            "choice",
            10,
            choices=("block", "review", "info", "off"),
        ),
    ] = ""
    source: Annotated[
        str, Column("Source", "The resolution or the law it stands in, such as Res. 2026-14.", "text", 22)
    ] = ""
    meaning: Annotated[str, given("What it means", "The rule in plain words.", "text", 80, "wrapped")] = ""


class CycleRun(Record):
    """One billing run of a cycle: its read window and its dates."""

    sheet: ClassVar = Sheet("Cycles", "cycles", "Billing runs and their dates", ("cycle", "period"), True, working=True)
    cycle: Annotated[str, required("Cycle", "Routes read and billed together, such as A.", "id", 8)]
    period: Annotated[
        str, required("Accounting period", "Month of the ledger the bills post to, written 2026-11.", "id", 12)
    ]
    read_from: Annotated[dt.date, required("Reads from", "First day a read counts for this run.", "date", 12)]
    read_to: Annotated[dt.date, required("Reads to", "Last day a read counts for this run.", "date", 12)]
    bill_date: Annotated[dt.date, required("Bill date", "Date printed on the bills; they post on it.", "date", 12)]
    due_date: Annotated[dt.date, required("Due", "Day payment is due.", "date", 12)]
    delinquent_date: Annotated[
        dt.date, required("Delinquent", "Day after which an unpaid bill is past due.", "date", 12)
    ]
    autopay_date: Annotated[dt.date, required("Autopay", "Day autopay is drawn.", "date", 12)]
    state: Annotated[
        str, computed("State", "Where the run stands: waiting, reads in, computed, posted.", "text", 12)
    ] = ""
    services: Annotated[int, computed("Services", "Active services on the cycle.", "whole", 10)] = 0
    billed: Annotated[int, computed("Billed", "Services with a posted bill in this run.", "whole", 9)] = 0
    held: Annotated[int, computed("Held", "Services whose bill is held by an exception.", "whole", 8)] = 0


class Account(Record):
    """The customer of record."""

    sheet: ClassVar = Sheet("Accounts", "accounts", "Customers of record", ("account_id",), True, working=True)
    account_id: Annotated[
        str, required("Account", "Account number with its leading zeros. It never changes.", "id", 12)
    ]
    name: Annotated[str, required("Name", "Customer of record as printed on the bill.", "text", 28)]
    mail_street: Annotated[str, Column("Mail street", "Where the bill goes.", "text", 28)] = ""
    mail_city: Annotated[str, Column("Mail city, state, ZIP", "Second line of the mailing address.", "text", 26)] = ""
    email: Annotated[str, Column("E-mail", "For bills sent by e-mail.", "text", 26)] = ""
    phone: Annotated[str, Column("Phone", "As dialled.", "id", 15)] = ""
    delivery: Annotated[
        str, Column("Delivery", "How the bill is sent.", "choice", 10, choices=("paper", "email", "both"))
    ] = "paper"
    autopay: Annotated[
        str, Column("Autopay", "Drawn from the bank on the autopay date.", "choice", 9, choices=YES_NO)
    ] = "no"
    status: Annotated[
        str,
        Column("Status", "active, final (moving out) or closed.", "choice", 10, choices=("active", "final", "closed")),
    ] = "active"
    opened_on: Annotated[dt.date | None, Column("Opened", "Day the account began.", "date", 12)] = None
    closed_on: Annotated[
        dt.date | None, Column("Closed", "Day the account ended; blank while it runs.", "date", 12)
    ] = None
    balance: Annotated[int, computed("Balance", "What the customer owes on posted documents.", "money", 13)] = 0


class Service(Record):
    """A service at a premise, billed on one rate schedule in one cycle."""

    sheet: ClassVar = Sheet("Services", "services", "Services at premises", ("service_id",), True, working=True)
    service_id: Annotated[str, required("Service", "Service number with its leading zeros.", "id", 14)]
    account_id: Annotated[str, required("Account", "The account that is billed.", "id", 12)]
    premise: Annotated[str, required("Premise", "Street address served.", "text", 28)]
    service_type: Annotated[
        str, required("Type", "Kind of service.", "choice", 10, ("water", "fire", "recycled", "sewer"))
    ] = "water"
    customer_class: Annotated[
        str,
        Column(
            "Class",
            "Customer class as the rate schedule names it.",
            "text",
            20,
            required=True,
            offered="customer_class",
        ),
    ] = ""
    tariff: Annotated[
        str,
        Column(
            "Rate schedule", "Name of the rate schedule on sheet Rates.", "text", 16, required=True, offered="tariff"
        ),
    ] = ""
    meter_size: Annotated[str, Column("Meter size", 'Size the fixed charge is billed by, such as 5/8".', "id", 10)] = ""
    cycle: Annotated[str, required("Cycle", "Cycle the service is read and billed in.", "id", 8)] = ""
    route: Annotated[str, required("Route", "Meter-reading route.", "id", 8)] = ""
    inputs: Annotated[
        str, Column("Other inputs", "Further inputs of the rate schedule: name=value; name=value.", "text", 22)
    ] = ""
    status: Annotated[str, Column("Status", "active or inactive.", "choice", 10, choices=("active", "inactive"))] = (
        "active"
    )
    started_on: Annotated[dt.date | None, Column("Started", "First day of service.", "date", 12)] = None
    ended_on: Annotated[dt.date | None, Column("Ended", "Last day of service; blank while it runs.", "date", 12)] = None


class Meter(Record):
    """A register of a meter on a service; a compound meter has two rows."""

    sheet: ClassVar = Sheet("Meters", "meters", "Meters and registers", ("meter_id", "register_id"), True, working=True)
    meter_id: Annotated[str, required("Meter", "Meter number exactly as the reading system sends it.", "id", 14)]
    register_id: Annotated[str, Column("Register", "Blank, or which register of a compound meter: L, H.", "id", 9)] = ""
    service_id: Annotated[str, required("Service", "The service it measures.", "id", 14)] = ""
    dials: Annotated[int, required("Dials", "Number of digits before it rolls over to zero.", "whole", 7)] = 6
    unit: Annotated[str, required("Unit", "Unit the dials count in.", "choice", 8, UNITS)] = "CCF"
    multiplier: Annotated[str, required("Multiplier", "What one dial unit stands for; usually 1.", "rate", 10)] = "1"
    status: Annotated[str, Column("Status", "active or removed.", "choice", 10, choices=("active", "removed"))] = (
        "active"
    )
    set_on: Annotated[dt.date | None, Column("Set", "Day the meter was set.", "date", 12)] = None
    start_read: Annotated[str, Column("Start read", "Dial when set or when taken over, as on the dial.", "id", 12)] = (
        "0"
    )
    start_date: Annotated[dt.date | None, Column("Start read date", "Day of the start read.", "date", 13)] = None
    removed_on: Annotated[dt.date | None, Column("Removed", "Day the meter was taken out.", "date", 12)] = None
    final_read: Annotated[
        str, Column("Final read", "Dial when taken out; the last days on the meter are billed from it.", "id", 12)
    ] = ""
    master_meter: Annotated[
        str,
        Column("Master meter", "The meter upstream that measures this meter's water too; blank for most.", "id", 14),
    ] = ""
    last_date: Annotated[dt.date | None, computed("Last read date", "Day of the last billed read.", "date", 13)] = None
    last_read: Annotated[str, computed("Last read", "Dial at the last billed read.", "id", 12)] = ""


class Rate(Record):
    """One line of a rate schedule: a component, its key and its tier, in force from a date by a resolution."""

    sheet: ClassVar = Sheet(
        "Rates", "rates", "Rate schedules in force", ("rate_id",), True, views=("lead",), working=True
    )
    rate_id: Annotated[str, required("Line", "Number of this line; it never changes.", "id", 10)]
    tariff: Annotated[str, required("Rate schedule", "Name of the schedule, as on Services.", "text", 16)]
    customer_class: Annotated[str, required("Class", "Customer class this line is for.", "text", 20)]
    component: Annotated[str, required("Charge", "Name of the charge as printed on the bill.", "text", 20)]
    kind: Annotated[str, required("Kind", "How the charge is worked out.", "text", 12)]
    keys: Annotated[str, Column("Key", 'What the price depends on, such as meter_size=5/8".', "text", 22)] = ""
    tier: Annotated[int, Column("Tier", "Tier number from 1; 0 where the charge has no tiers.", "whole", 6)] = 0
    from_unit: Annotated[str, Column("From unit", "First unit billed at this price.", "rate", 10)] = ""
    cap: Annotated[
        str, Column("Cap", "Last unit or budget the tier reaches to, where the schedule says so.", "text", 12)
    ] = ""
    rate: Annotated[str, Column("Rate", "Price per unit, fixed amount, or percentage.", "rate", 11)] = ""
    expression: Annotated[str, Column("Formula", "For kind formula: arithmetic on charges and inputs.", "text", 24)] = (
        ""
    )
    unit: Annotated[str, Column("Unit", "Unit the rate is per.", "text", 8)] = ""
    gl_account: Annotated[str, Column("GL account", "Revenue account the charge posts to.", "id", 14)] = ""
    effective_from: Annotated[dt.date, required("Effective from", "First day the line is in force.", "date", 13)]
    effective_to: Annotated[
        dt.date | None, Column("Effective to", "Last day in force; blank until a newer line replaces it.", "date", 13)
    ] = None
    applies_by: Annotated[
        str,
        Column(
            "Applies by",
            "What the change of rates goes by: service_days prorates; read_date and bill_date switch whole bills.",
            "choice",
            13,
            choices=("service_days", "read_date", "bill_date"),
        ),
    ] = "service_days"
    resolution: Annotated[str, required("Resolution", "Board resolution that set it.", "text", 14)]
    rounding: Annotated[str, Column("Rounding", "Blank: each charge line half-up to the cent.", "text", 10)] = ""
    on_bill: Annotated[
        str,
        Column("On bill", "no: only other lines use it. Blank or yes: a printed charge.", "choice", 9, choices=YES_NO),
    ] = ""
    position: Annotated[int, Column("Order", "Printed order of the charge.", "whole", 7)] = 0
    description: Annotated[str, Column("Description", "Further words for the bill or the office.", "text", 30)] = ""


class Read(Record):
    """A dial value on a date, with what it is compared with."""

    sheet: ClassVar = Sheet(
        "Reads", "reads", "Reads of the cycle", ("read_id",), scope="cycle", totals=("consumption",)
    )
    read_id: Annotated[int, given("Read no.", "Number of the read in the store.", "whole", 10)]
    service_id: Annotated[str, given("Service", "The service measured.", "id", 14)] = ""
    account_id: Annotated[str, given("Account", "The account billed.", "id", 12)] = ""
    meter_id: Annotated[str, given("Meter", "Meter number as in the file.", "id", 14)] = ""
    register_id: Annotated[str, given("Register", "Register of a compound meter.", "id", 9)] = ""
    read_date: Annotated[dt.date | None, given("Read date", "Day of the read.", "date", 12)] = None
    dial_read: Annotated[str, given("Read", "The dial exactly as in the file.", "id", 12)] = ""
    unit: Annotated[str, given("Unit", "Unit the dial counts in.", "text", 7)] = ""
    read_code: Annotated[str, given("Code", "actual, estimated, no_read or suspect.", "text", 10)] = ""
    previous_date: Annotated[dt.date | None, computed("Last read date", "Day of the last billed read.", "date", 13)] = (
        None
    )
    previous_read: Annotated[str, computed("Last read", "Dial at the last billed read.", "id", 12)] = ""
    days: Annotated[int, computed("Days", "Days in the service period.", "whole", 7)] = 0
    consumption: Annotated[
        int, computed("Consumption", "In the billing unit, after multiplier and rollover.", "quantity", 13)
    ] = 0
    billed_read: Annotated[
        str,
        computed(
            "Billed read", "The dial that is billed where it is another: typed on Exceptions, or estimated.", "id", 12
        ),
    ] = ""
    billed_date: Annotated[
        dt.date | None,
        computed("Billed date", "The day that is billed where it is another: typed on Exceptions.", "date", 12),
    ] = None
    last_year: Annotated[
        int | None, computed("Last year", "Consumption of the same period last year.", "quantity", 11)
    ] = None
    average: Annotated[int | None, computed("Average", "Recent average for as many days.", "quantity", 11)] = None
    finding: Annotated[str, computed("Finding", "What the checks say; details on Exceptions.", "text", 26)] = ""
    source: Annotated[str, given("Source", "File and line the read came from.", "text", 30)] = ""


class ExceptionRow(Record):
    """One finding of the read checks and what the clerk decided."""

    sheet: ClassVar = Sheet(
        "Exceptions", "exceptions", "Findings that wait for a decision", ("exception_id",), True, "cycle"
    )
    exception_id: Annotated[
        str, given("Finding", "Name of the finding; it stays the same when checks run again.", "id", 24)
    ]
    severity: Annotated[
        str, computed("Severity", "block: the bill is held. review: look at it. info: noted.", "text", 10)
    ] = ""
    rule: Annotated[str, computed("Check", "Which check found it.", "text", 20)] = ""
    service_id: Annotated[str, computed("Service", "Service concerned.", "id", 14)] = ""
    account_id: Annotated[str, computed("Account", "Account concerned.", "id", 12)] = ""
    customer: Annotated[str, computed("Customer", "Customer of record.", "text", 20)] = ""
    phone: Annotated[str, computed("Phone", "As on Accounts.", "id", 14)] = ""
    premise: Annotated[str, computed("Premise", "Street address served.", "text", 18)] = ""
    meter_id: Annotated[str, computed("Meter", "Meter concerned.", "id", 14)] = ""
    last_read: Annotated[
        str,
        computed(
            "Last read",
            "The last billed dial and its day; of each register where there are several.",
            "text",
            20,
            "wrapped",
        ),
    ] = ""
    this_read: Annotated[
        str, computed("This read", "The dial and its day as they came in; details on Reads.", "text", 19, "wrapped")
    ] = ""
    place: Annotated[str, computed("Where", "Cell or file line the finding is about.", "text", 18)] = ""
    fact: Annotated[str, computed("What was found", "The fact with its numbers.", "text", 44, "wrapped")] = ""
    remedy: Annotated[str, computed("What to do", "The usual remedy.", "text", 36, "wrapped")] = ""
    money_at_risk: Annotated[int, computed("Money at risk", "Rough value of the difference.", "money", 13)] = 0
    history: Annotated[
        str,
        computed(
            "History",
            "Consumption per day of the last twelve bills and of this run as bars, oldest first, this run last; "
            "a dot where there is no bill.",
            "text",
            20,
            "bars",
        ),
    ] = ""
    decision: Annotated[
        str,
        Column(
            "Decision",
            "accept: bill the read as it is. estimate: bill an estimate. reread: wait for a new read. "
            "override: bill the dial typed in Override read, or on the day typed in Override date.",
            "choice",
            11,
            choices=("accept", "estimate", "reread", "override"),
        ),
    ] = ""
    override_read: Annotated[
        str,
        Column(
            "Override read",
            "The dial to bill, with decision override; blank where only the day is wrong. "
            "A service with several registers: L=0111 H=0015.",
            "id",
            13,
        ),
    ] = ""
    override_date: Annotated[
        dt.date | None,
        Column(
            "Override date", "The day of the read, with decision override; blank where the day is right.", "date", 12
        ),
    ] = None
    reason: Annotated[str, Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped")] = ""
    decided_by: Annotated[str, computed("Decided by", "Who decided.", "text", 12)] = ""
    decided_at: Annotated[str, computed("Decided at", "When.", "stamp", 24)] = ""
    state: Annotated[str, computed("State", "open, decided, billed (before anybody decided) or gone.", "text", 9)] = ""


class Reject(Record):
    """A row of a read file that could not be taken, as it came, and as the office corrects it."""

    sheet: ClassVar = Sheet(
        "Rejects", "rejects", "Rows of read files that were not taken", ("reject_id",), True, "cycle"
    )
    reject_id: Annotated[str, given("Reject", "Import, line and code; it names the row for good.", "id", 20)]
    file_name: Annotated[str, given("File", "The file the row came in.", "text", 24)] = ""
    source_line: Annotated[int, given("Line", "Line of the file, or row of its sheet.", "whole", 8)] = 0
    message: Annotated[str, given("Why", "Why it was not taken.", "text", 44, "wrapped")] = ""
    content: Annotated[str, given("As it came", "The row as the file has it.", "text", 50, "wrapped")] = ""
    meter_id: Annotated[str, Column("Meter", "Meter number; correct it where it is wrong.", "id", 14)] = ""
    register_id: Annotated[str, Column("Register", "Register of a compound meter; mostly blank.", "id", 9)] = ""
    read_date: Annotated[dt.date | None, Column("Read date", "Day of the read.", "date", 12)] = None
    dial_read: Annotated[str, Column("Read", "The dial as read, with its leading zeros.", "id", 12)] = ""
    unit: Annotated[str, Column("Unit", "Unit the dial counts in; blank: the meter's.", "choice", 8, choices=UNITS)] = (
        ""
    )
    decision: Annotated[
        str,
        Column(
            "Decision",
            "take: take the row in as corrected here. leave: it is no read of ours.",
            "choice",
            11,
            choices=("take", "leave"),
        ),
    ] = ""
    reason: Annotated[str, Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped")] = ""
    decided_by: Annotated[str, computed("Decided by", "Who decided.", "text", 12)] = ""
    decided_at: Annotated[str, computed("Decided at", "When.", "stamp", 24)] = ""
    state: Annotated[str, computed("State", "open, taken or left.", "text", 9)] = ""


class Choice(Record):
    """The rate schedules and the customer classes that Rates has, as the drop-downs on Services offer them."""

    sheet: ClassVar = Sheet("Choices", "choices", "What drop-downs offer", ("number",), views=("lead",))
    number: Annotated[int, given("No.", "Place in the lists.", "whole", 6)]
    tariff: Annotated[str, given("Rate schedule", "Rate schedules on sheet Rates, by name.", "text", 20)] = ""
    customer_class: Annotated[str, given("Class", "Customer classes on sheet Rates, by name.", "text", 24)] = ""


class RecipeRow(Record):
    """One line of a recipe: which column of a sender's read file is which, and how its figures are written."""

    sheet: ClassVar = Sheet(
        "Recipes", "recipes", "How other read files are laid out", ("recipe", "setting"), True, working=True
    )
    recipe: Annotated[str, required("Recipe", "Name of the recipe, such as the sender's.", "text", 20)]
    setting: Annotated[
        str,
        required("Setting", "What the line says: column meter_id, date_formats, delimiter ...", "text", 22),
    ]
    value: Annotated[str, Column("Value", "The file's heading, or the mark or date format it uses.", "text", 36)] = ""
    note: Annotated[str, Column("Note", "What was found in the sample.", "text", 50)] = ""


class Bill(Record):
    """The bill of one account in one run, for all its services on the cycle."""

    sheet: ClassVar = Sheet("Bills", "bills", "Bills of the cycle", ("bill_key",), scope="cycle", totals=("amount",))
    bill_key: Annotated[str, computed("Key", "Account, cycle and accounting period.", "id", 22)]
    number: Annotated[str, computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11)] = ""
    kind: Annotated[str, computed("Kind", "bill, or final bill where all its services ended.", "text", 10)] = ""
    account_id: Annotated[str, computed("Account", "The account billed.", "id", 12)] = ""
    name: Annotated[str, computed("Name", "Customer of record.", "text", 26)] = ""
    services: Annotated[str, computed("Services", "The services on it; details on Bill sections.", "text", 24)] = ""
    amount: Annotated[int, computed("Amount", "Sum of the bill's sections.", "money", 13)] = 0
    bill_date: Annotated[dt.date | None, computed("Bill date", "Date of the bill.", "date", 12)] = None
    due_date: Annotated[dt.date | None, computed("Due", "Day payment is due.", "date", 12)] = None
    state: Annotated[str, computed("State", "draft, held, posted or reversed.", "text", 10)] = ""
    why: Annotated[
        str,
        computed(
            "Why",
            "Held: which service holds it and why; the lead can leave that service out on Bill sections. Else which bill "
            "it replaces, and which services it goes without.",
            "text",
            60,
            "wrapped",
        ),
    ] = ""


class BillSection(Record):
    """One service on a bill: what it used in its service period and what that comes to."""

    sheet: ClassVar = Sheet(
        "Bill sections",
        "bill_services",
        "Services on the bills of the cycle",
        ("section",),
        True,
        "cycle",
        totals=("amount", "consumption"),
    )
    section: Annotated[str, computed("Key", "Service, and the bill's number once it is posted.", "id", 22)]
    number: Annotated[str, computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11)] = ""
    account_id: Annotated[str, computed("Account", "The account billed.", "id", 12)] = ""
    service_id: Annotated[str, computed("Service", "The service billed.", "id", 14)] = ""
    amount: Annotated[int, computed("Amount", "Sum of the section's lines.", "money", 13)] = 0
    state: Annotated[
        str,
        computed(
            "State",
            "draft, held, waits (for a held service of its account), left (out), posted or reversed.",
            "text",
            10,
        ),
    ] = ""
    why: Annotated[
        str,
        computed("Why", "Why it is held, for which service it waits, or why it is left out.", "text", 44, "wrapped"),
    ] = ""
    decision: Annotated[
        str,
        Column(
            "Decision",
            "On a held service: leave out sends its account's bill without it; its days go on the next bill.",
            "choice",
            11,
            choices=("leave out",),
        ),
    ] = ""
    reason: Annotated[str, Column("Reason", "Why; needed with the decision.", "text", 30, look="wrapped")] = ""
    customer_class: Annotated[str, computed("Class", "Customer class.", "text", 20)] = ""
    tariff: Annotated[str, computed("Schedule", "Rate schedule it is priced by.", "text", 16)] = ""
    service_from: Annotated[
        dt.date | None, computed("From", "Day of the previous read; billed from the day after.", "date", 12)
    ] = None
    service_to: Annotated[dt.date | None, computed("To", "Day of this read, billed too.", "date", 12)] = None
    days: Annotated[int, computed("Days", "Days in the service period.", "whole", 7)] = 0
    consumption: Annotated[
        int, computed("Consumption", "Billed consumption in the unit beside it.", "quantity", 13)
    ] = 0
    unit: Annotated[str, computed("Unit", "Billing unit.", "text", 7)] = ""
    read_code: Annotated[str, computed("Read", "actual or estimated.", "text", 10)] = ""
    carried: Annotated[
        int, computed("Carried", "Part of a unit left for the next bill, where the district carries it.", "quantity", 9)
    ] = 0
    estimate: Annotated[str, computed("Estimate", "How an estimated read was estimated.", "text", 50)] = ""
    decided_by: Annotated[str, computed("Decided by", "Who decided.", "text", 12)] = ""


class BillLine(Record):
    """One priced charge of a bill, with what it was computed from."""

    sheet: ClassVar = Sheet(
        "Bill lines", "bill_lines", "Charges of the cycle", ("bill_key", "line"), scope="cycle", totals=("amount",)
    )
    bill_key: Annotated[str, computed("Key", "Account, cycle and accounting period.", "id", 22)]
    line: Annotated[int, computed("Line", "Line of the bill.", "whole", 6)] = 0
    number: Annotated[str, computed("Bill", "Number of the posted bill; blank on a draft.", "id", 11)] = ""
    service_id: Annotated[str, computed("Service", "The service it is charged for.", "id", 14)] = ""
    charge: Annotated[str, computed("Charge", "Charge as printed.", "text", 20)] = ""
    tier: Annotated[int, computed("Tier", "Tier number; 0 without tiers.", "whole", 6)] = 0
    quantity: Annotated[int, computed("Quantity", "Units billed at the rate.", "quantity", 12)] = 0
    rate: Annotated[str, computed("Rate", "Rate in force.", "rate", 11)] = ""
    unit: Annotated[str, computed("Unit", "Unit of the quantity.", "text", 7)] = ""
    amount: Annotated[int, computed("Amount", "Rounded half-up to the cent once.", "money", 13)] = 0
    gl_account: Annotated[str, computed("GL account", "Revenue account it posts to.", "id", 14)] = ""
    segment_from: Annotated[
        dt.date | None, computed("From", "Day before the first day the line covers.", "date", 12)
    ] = None
    segment_to: Annotated[dt.date | None, computed("To", "Last day the line covers.", "date", 12)] = None
    basis: Annotated[str, computed("Worked out from", "What the line was computed from.", "text", 60)] = ""
    effective_from: Annotated[dt.date | None, computed("Rates of", "Day the rate took effect.", "date", 12)] = None
    resolution: Annotated[str, computed("Resolution", "Resolution that set the rate.", "text", 14)] = ""


class AuditRow(Record):
    """One service on the audit sheet: what Python billed beside what the sheet's own formulas make of it."""

    sheet: ClassVar = Sheet(
        "Audit",
        "audit",
        "Every charge recomputed by the sheet itself",
        ("service_id",),
        scope="cycle",
        views=("lead",),
        totals=("billed", "recomputed", "difference"),
    )
    service_id: Annotated[str, given("Service", "Service on the cycle.", "id", 14)]
    outcome: Annotated[str, given("Outcome", "billed, held with its reason, or not due.", "text", 12)] = ""
    reason: Annotated[str, given("Reason", "Why it is held or not due.", "text", 30)] = ""
    billed: Annotated[int, given("Billed", "What the bill says.", "money", 13)] = 0
    recomputed: Annotated[int, computed("Recomputed", "Sum of the formulas to the right.", "money", 13)] = 0
    difference: Annotated[int, computed("Difference", "Billed less recomputed; must be 0.00.", "money", 12)] = 0


class Payment(Record):
    """Money received from a customer."""

    sheet: ClassVar = Sheet(
        "Payments", "payments", "Receipts of the period", ("payment_id",), True, "period", totals=("amount",)
    )
    payment_id: Annotated[str, computed("Payment", "Number of the receipt; blank until saved.", "id", 11)] = ""
    received_on: Annotated[dt.date, required("Received", "Day the money came in.", "date", 12)]
    account_id: Annotated[str, required("Account", "Account it is for.", "id", 12)]
    amount: Annotated[int, required("Amount", "What was paid.", "money", 13)]
    method: Annotated[
        str,
        Column(
            "Method",
            "How it was paid.",
            "choice",
            11,
            choices=("lockbox", "counter", "web", "autopay", "check", "cash"),
        ),
    ] = "counter"
    reference: Annotated[str, Column("Reference", "Check or transaction number.", "id", 16)] = ""
    batch: Annotated[str, computed("Batch", "Batch it posts with.", "id", 14)] = ""
    state: Annotated[str, computed("State", "open, posted or reversed.", "text", 10)] = ""
    like: Annotated[
        str,
        computed(
            "Like",
            "Open receipts: others of the same account, day and amount that no reference tells from it. Compare both.",
            "text",
            14,
        ),
    ] = ""
    author: Annotated[str, AUTHOR] = ""
    poster: Annotated[str, POSTER] = ""


class PaymentReject(Record):
    """A row of a payments file that could not be taken, as it came, and as the office corrects it."""

    sheet: ClassVar = Sheet(
        "Payment rejects",
        "payment_rejects",
        "Rows of payments files that were not taken",
        ("reject_id",),
        True,
        "period",
        totals=("amount",),
    )
    reject_id: Annotated[str, given("Reject", "Import and line; it names the row for good.", "id", 10)]
    file_name: Annotated[str, given("File", "The file the row came in.", "text", 22)] = ""
    source_line: Annotated[int, given("Line", "Line of the file, or row of its sheet.", "whole", 8)] = 0
    message: Annotated[str, given("Why", "Why it was not taken.", "text", 38, "wrapped")] = ""
    content: Annotated[str, given("As it came", "The row as the file has it.", "text", 40, "wrapped")] = ""
    received_on: Annotated[dt.date | None, Column("Received", "Day the money came in.", "date", 12)] = None
    account_id: Annotated[str, Column("Account", "Account it is for; correct it where it is wrong.", "id", 12)] = ""
    amount: Annotated[int | None, Column("Amount", "What was paid; blank where it cannot be read.", "money", 13)] = None
    method: Annotated[
        str,
        Column(
            "Method",
            "How it was paid.",
            "choice",
            11,
            choices=("lockbox", "counter", "web", "autopay", "check", "cash"),
        ),
    ] = ""
    reference: Annotated[str, Column("Reference", "Check, transaction or trace number.", "id", 16)] = ""
    decision: Annotated[
        str,
        Column(
            "Decision",
            "take: make a receipt of the row as corrected here. leave: it is no payment to one of our accounts.",
            "choice",
            11,
            choices=("take", "leave"),
        ),
    ] = ""
    reason: Annotated[str, Column("Reason", "Why; needed with every decision.", "text", 30, look="wrapped")] = ""
    payment_id: Annotated[str, computed("Payment", "Number of the receipt that was made of it.", "id", 11)] = ""
    decided_by: Annotated[str, computed("Decided by", "Who decided.", "text", 12)] = ""
    decided_at: Annotated[str, computed("Decided at", "When.", "stamp", 24)] = ""
    state: Annotated[str, computed("State", "open, taken or left.", "text", 9)] = ""


class Adjustment(Record):
    """A correction of a posted bill or payment, as a document of its own."""

    sheet: ClassVar = Sheet(
        "Adjustments",
        "adjustments",
        "Corrections of the period",
        ("adjustment_id",),
        True,
        "period",
        totals=("amount",),
    )
    adjustment_id: Annotated[
        str, computed("Adjustment", "Number of the correction; blank until taken in.", "id", 12)
    ] = ""
    kind: Annotated[
        str,
        required(
            "Kind",
            "adjust: add or take off an amount. reverse: cancel a bill or payment. rebill: cancel and bill anew.",
            "choice",
            10,
            (ADJUST, CANCEL, REBILL),
        ),
    ]
    document: Annotated[
        str,
        Column(
            "Bill or payment",
            "Number of the posted bill or payment. With rebill the right dial may follow: B0000005 M01=0108.",
            "id",
            24,
        ),
    ] = ""
    account_id: Annotated[str, Column("Account", "Account concerned; needed with adjust.", "id", 12)] = ""
    amount: Annotated[int | None, Column("Amount", "With adjust: plus bills more, minus takes off.", "money", 13)] = (
        None
    )
    gl_account: Annotated[
        str, Column("GL account", "With adjust: revenue account the other side goes to.", "id", 14)
    ] = ""
    reason: Annotated[str, required("Reason", "Why; printed on the journal.", "text", 40)] = ""
    posted_on: Annotated[
        dt.date | None, Column("Date", "Posting date; blank means the last day of the open period.", "date", 12)
    ] = None
    batch: Annotated[str, computed("Batch", "Batch it posts with.", "id", 14)] = ""
    state: Annotated[str, computed("State", "open, posted or reversed.", "text", 10)] = ""
    author: Annotated[str, AUTHOR] = ""
    poster: Annotated[str, POSTER] = ""


class GlAccount(Record):
    """An account of the general ledger that billing posts to."""

    sheet: ClassVar = Sheet(
        "GL accounts",
        "gl_accounts",
        "Ledger accounts billing posts to",
        ("gl_account",),
        True,
        views=("lead",),
        working=True,
    )
    gl_account: Annotated[str, required("GL account", "Number exactly as accounting prints it.", "id", 16)]
    name: Annotated[str, required("Name", "Name in the general ledger.", "text", 32)]
    role: Annotated[
        str,
        required(
            "Role",
            "receivable: the control account. cash: where receipts go. revenue: credited by bills. "
            "deposits, opening, other: what they say.",
            "choice",
            12,
            ("receivable", "cash", "revenue", "deposits", "opening", "other"),
        ),
    ]
    balance: Annotated[int, computed("Balance", "Debits less credits on posted entries.", "money", 14)] = 0


class LedgerRow(Record):
    """One row of accounting's general-ledger export."""

    sheet: ClassVar = Sheet(
        "GL", "gl", "General-ledger export of the period", ("row",), scope="period", views=("lead",), totals=("amount",)
    )
    row: Annotated[int, given("Row", "Row of the export below its header.", "whole", 8)]
    date: Annotated[dt.date | None, given("Date", "Posting date in the general ledger.", "date", 12)] = None
    gl_account: Annotated[str, given("GL account", "Account as exported.", "id", 16)] = ""
    account_name: Annotated[str, given("Name", "Account name as exported.", "text", 28)] = ""
    reference: Annotated[str, given("Reference", "Batch or document number.", "id", 16)] = ""
    description: Annotated[str, given("Description", "As exported.", "text", 40)] = ""
    amount: Annotated[int, given("Amount", "Debit plus, credit minus.", "money", 14)] = 0
    matched: Annotated[str, computed("Matched", "yes, or why not.", "text", 26)] = ""


class ReconcileRow(Record):
    """One line of the receivables control or one difference between subledger and general ledger."""

    sheet: ClassVar = Sheet(
        "Reconcile", "reconcile", "Subledger against general ledger", ("line",), scope="period", views=("lead",)
    )
    line: Annotated[str, computed("Line", "Number of the line.", "id", 8)]
    section: Annotated[str, computed("Section", "control or difference.", "text", 13)] = ""
    gl_account: Annotated[str, computed("GL account", "Account concerned.", "id", 13)] = ""
    what: Annotated[
        str,
        computed("What", "Beginning, billed, received, adjusted, ending; or what was posted.", "text", 30, "wrapped"),
    ] = ""
    subledger: Annotated[int | None, computed("Subledger", "Amount in billing.", "money", 15)] = None
    ledger: Annotated[int | None, computed("General ledger", "Amount in the general ledger.", "money", 15)] = None
    difference: Annotated[
        int | None, computed("Difference", "Subledger less general ledger at the period's end.", "money", 13)
    ] = None
    reason: Annotated[str, computed("Reason", "Why it differs; unexplained where nothing proves it.", "text", 26)] = ""
    batch: Annotated[str, computed("Batch", "Batch, or the ledger's reference.", "id", 16)] = ""
    document: Annotated[str, computed("Document", "Document, or first and last and how many.", "id", 22)] = ""
    account_id: Annotated[str, computed("Account", "Customer account, or how many.", "id", 24)] = ""
    post_date: Annotated[dt.date | None, computed("Day", "Day it was posted in billing.", "date", 12)] = None
    gl_date: Annotated[dt.date | None, computed("GL day", "Day it was posted in the ledger.", "date", 12)] = None
    gl_rows: Annotated[str, computed("GL rows", "Rows of the ledger export.", "id", 16)] = ""
    entry: Annotated[str, computed("Correcting entry", "What makes both sides agree.", "text", 44, "wrapped")] = ""


class CheckRow(Record):
    """One item of the close checklist."""

    sheet: ClassVar = Sheet("Close", "close", "Checklist of the month", ("item",), True, "period", views=("lead",))
    item: Annotated[str, given("Item", "What must be so before the month is closed.", "text", 40)]
    state: Annotated[str, computed("State", "done, open or signed.", "text", 10)] = ""
    detail: Annotated[str, computed("Detail", "What was found.", "text", 70)] = ""
    signed_reason: Annotated[
        str, Column("Signed reason", "Where an item stays open: why the month may close all the same.", "text", 50)
    ] = ""
    signed_by: Annotated[str, computed("Signed by", "Who signed.", "text", 14)] = ""


class LogRow(Record):
    """One event of the store, chained to the one before."""

    sheet: ClassVar = Sheet("Log", "log", "What was done, by whom", ("event",), scope="period", views=("lead",))
    event: Annotated[int, computed("Event", "Number of the event.", "whole", 8)]
    at: Annotated[str, computed("When", "Time of the event.", "stamp", 20)] = ""
    actor: Annotated[str, computed("Who", "Log-in of the person.", "text", 14)] = ""
    action: Annotated[str, computed("What", "Button or command.", "text", 18)] = ""
    detail: Annotated[str, computed("Detail", "What it did.", "text", 80)] = ""
    seal: Annotated[str, computed("Seal", "Hash over this event and the one before.", "id", 20)] = ""


class TodayRow(Record):
    """One thing that waits for somebody, on the Start sheet."""

    sheet: ClassVar = Sheet("Start", "today", "Today", ("what",))
    what: Annotated[str, computed("What waits", "The work that is due.", "text", 34)]
    state: Annotated[str, computed("State", "Where it stands.", "text", 14)] = ""
    count: Annotated[int | None, computed("Count", "How many.", "whole", 9)] = None
    amount: Annotated[int | None, computed("Amount", "Money concerned.", "money", 15)] = None
    who: Annotated[str, computed("Waits for", "Who does it.", "text", 12)] = ""
    button: Annotated[str, computed("Button", "The button that does it.", "text", 16)] = ""
    go_to: Annotated[str, computed("Sheet", "Where to look.", "text", 12)] = ""


class MonthRow(Record):
    """Money of one accounting period, for the chart on the Start sheet."""

    sheet: ClassVar = Sheet("Start", "months", "Months", ("period",))
    period: Annotated[str, computed("Period", "Accounting period.", "text", 10)]
    billed: Annotated[int | None, computed("Billed", "Bills posted.", "money", 14)] = None
    received: Annotated[int | None, computed("Received", "Receipts posted.", "money", 14)] = None


class RunRow(Record):
    """Where a cycle's run stands, for the list and chart on the Start sheet."""

    sheet: ClassVar = Sheet("Start", "runs", "Cycles", ("cycle",))
    cycle: Annotated[str, computed("Cycle", "Cycle and accounting period.", "text", 12)]
    bill_date: Annotated[dt.date | None, computed("Bill date", "Date of the bills.", "date", 12)] = None
    due_date: Annotated[dt.date | None, computed("Due", "Day payment is due.", "date", 12)] = None
    state: Annotated[str, computed("State", "waiting, reads in, computed or posted.", "text", 12)] = ""
    billed: Annotated[int | None, computed("Billed", "Services billed.", "whole", 9)] = None
    held: Annotated[int | None, computed("Held", "Services held.", "whole", 9)] = None
    to_bill: Annotated[int | None, computed("To bill", "Services neither billed nor held.", "whole", 9)] = None


START_TABLES: Final[tuple[type[Record], ...]] = (TodayRow, MonthRow, RunRow)

TABLES: Final[tuple[type[Record], ...]] = (
    Setting,
    CycleRun,
    Account,
    Service,
    Meter,
    Rate,
    Choice,
    RecipeRow,
    Read,
    ExceptionRow,
    Reject,
    Bill,
    BillSection,
    BillLine,
    AuditRow,
    Payment,
    PaymentReject,
    Adjustment,
    GlAccount,
    LedgerRow,
    ReconcileRow,
    CheckRow,
    LogRow,
)


class Table:
    """A declared table with its columns in order; saved tables carry the row's revision as their last column."""

    def __init__(self, record: type[Record]):
        self.record = record
        self.sheet = record.sheet
        self.name = record.sheet.table
        self.key = record.sheet.key

    @cached_property
    def columns(self) -> dict[str, Column]:
        found = {
            name: next(m for m in field.metadata if isinstance(m, Column))
            for name, field in self.record.model_fields.items()
        }
        return {**found, "rev": REV} if self.sheet.saved else found

    @property
    def titles(self) -> dict[str, str]:
        return {name: column.title for name, column in self.columns.items()}

    def names(self, *filled: Filled) -> list[str]:
        """Names of the columns filled in one of these ways."""
        return [name for name, column in self.columns.items() if column.filled in filled]

    def __iter__(self) -> Iterator[tuple[str, Column]]:
        return iter(self.columns.items())


TABLE: Final[dict[str, Table]] = {record.sheet.table: Table(record) for record in (*TABLES, *START_TABLES)}
