"""The tables of the report workbooks, each declared once: the template is drawn from it and filled by it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from xlbilling.trade.aging import BUCKETS, bucket_names
from xlbilling.words.records import Column, Sheet, Table, given

REGISTER: Final = Table(
    Sheet(
        "Billing register",
        "bill_register",
        "Billing register",
        ("number", "service_id"),
        totals=("consumption", "amount"),
    ),
    "One service on a bill of the period.",
    number=given("Bill", "Number of the bill.", "id", 12),
    account_id=given("Account", "The account billed.", "id", 13),
    name=given("Name", "Customer of record.", "text", 28),
    service_id=given("Service", "The service billed.", "id", 14),
    customer_class=given("Class", "Customer class.", "text", 21),
    service_from=given("From", "Day of the previous read; billed from the day after.", "date", 12),
    service_to=given("To", "Day of this read, billed too.", "date", 12),
    read_code=given("Read", "actual or estimated.", "text", 10),
    consumption=given("Consumption", "Billed consumption in the unit beside it.", "quantity", 15),
    unit=given("Unit", "Billing unit.", "text", 7),
    amount=given("Amount", "What the service is billed; the rows of a bill are its sum.", "money", 16),
    due_date=given("Due", "Day payment is due.", "date", 12),
)


BY_CLASS: Final = Table(
    Sheet(
        "Revenue by class",
        "revenue_by_class",
        "Consumption and revenue by class",
        ("customer_class",),
        totals=("bills", "consumption", "revenue"),
    ),
    "What one customer class used and was billed.",
    customer_class=given("Class", "Customer class.", "text", 23),
    bills=given("Bills", "Services billed; an account with two counts twice.", "whole", 10),
    consumption=given("Consumption", "Billed consumption.", "quantity", 16),
    revenue=given("Revenue", "Sum of the bills.", "money", 17),
)


EXCEPTIONS: Final = Table(
    Sheet(
        "Exceptions",
        "exception_counts",
        "Exceptions of the read checks",
        ("rule", "severity"),
        totals=("count", "decided", "billed", "open"),
    ),
    "How often one check found something, and what became of it.",
    rule=given("Check", "Which check found it.", "text", 34),
    severity=given("Severity", "block: the bill is held. review: look at it. info: noted.", "text", 14),
    count=given("Found", "Findings of the period.", "whole", 13),
    decided=given("Decided", "Findings the office decided on.", "whole", 13),
    billed=given("Billed", "Findings that only asked for a look, and were billed before anybody decided.", "whole", 13),
    open=given("Open", "Findings still waiting.", "whole", 13),
)


CONTROL: Final = Table(
    Sheet(
        "Receivables control",
        "receivables_control",
        "Receivables control",
        ("gl_account",),
        totals=("beginning", "billed", "received", "adjusted", "ending", "ledger", "difference"),
    ),
    "One control account: beginning + billed - received + adjusted = ending, beside the general ledger.",
    gl_account=given("GL account", "Number as accounting prints it.", "id", 16),
    name=given("Name", "Name in the general ledger.", "text", 30),
    beginning=given("Beginning", "Owed when the period began.", "money", 16),
    billed=given("Billed", "Bills posted in the period.", "money", 16),
    received=given("Received", "Payments posted in the period; they take off.", "money", 16),
    adjusted=given("Adjusted", "Adjustments and reversals; plus bills more.", "money", 16),
    ending=given("Ending", "Beginning + billed - received + adjusted.", "money", 16),
    ledger=given("General ledger", "Balance in the general ledger.", "money", 16),
    difference=given("Difference", "Ending less general ledger.", "money", 14),
)


class AgingTable(Table):
    """The aging with a column for each bucket: (30, 60) -> Up to 30 days, 31-60 days, Over 60 days."""

    def __init__(self, buckets: tuple[int, ...]):
        self.buckets = dict(zip(bucket_names(buckets), _bucket_columns(buckets), strict=True))
        super().__init__(
            Sheet("Aging", "aging", "Aging of receivables", ("account_id",), totals=(*self.buckets, "credit", "total")),
            "What one account owes; between its name and its credit stand the buckets of Policy.",
            account_id=given("Account", "Account number.", "id", 14),
            name=given("Name", "Customer of record.", "text", 32),
            **self.buckets,
            credit=given("Credit", "Paid ahead; takes off.", "money", 16),
            total=given("Total", "Balance of the account.", "money", 16),
        )


def _bucket_columns(buckets: tuple[int, ...]) -> list[Column]:
    between = [f"{low + 1}-{high}" if low + 1 < high else f"{high}" for low, high in pairwise(buckets)]
    says = [f"Up to {buckets[0]} days", *(f"{days} days" for days in between), f"Over {buckets[-1]} days"]
    return [given(title, f"{title}, counted as Policy says.", "money", 16) for title in says]


CHECKLIST: Final = Table(
    Sheet("Checklist", "close_checklist", "Close checklist", ("item",)),
    "One item of the close checklist as it stood when the month was closed.",
    item=given("Item", "What must be so before the month is closed.", "text", 38),
    state=given("State", "done, open or signed.", "text", 10),
    detail=given("Detail", "What was found.", "text", 64),
    signed_reason=given("Signed reason", "Why the month closed all the same.", "text", 60),
    signed_by=given("Signed by", "Who signed.", "text", 16),
)


DIFFERENCES: Final = Table(
    Sheet(
        "Differences",
        "Differences",
        "Differences between subledger and general ledger",
        ("number",),
        totals=("subledger", "ledger", "difference"),
    ),
    "One difference between subledger and general ledger, with both sides and what corrects it.",
    number=given("No.", "Number of the difference.", "whole", 6),
    reason=given("Reason", "Why it differs.", "text", 18, "wrapped"),
    gl_account=given("GL account", "The account it stands on in billing.", "id", 11),
    batch=given("Batch", "Batch, or the ledger's reference.", "id", 13, "wrapped"),
    document=given("Document", "Document, or first and last and how many.", "id", 14, "wrapped"),
    account_id=given("Account", "Customer account, or how many.", "id", 12, "wrapped"),
    post_date=given("Day", "Day it was posted in billing.", "date", 11),
    gl_date=given("GL day", "Day it was posted in the ledger.", "date", 11),
    description=given("Description", "What was posted.", "text", 24, "wrapped"),
    subledger=given("Subledger", "Amount in billing.", "money", 14),
    ledger=given("General ledger", "Amount in the general ledger.", "money", 14),
    difference=given("Difference", "At the period's end, subledger less ledger.", "money", 13, default=0),
    rows=given("GL rows", "Rows of the export below its header.", "id", 10, "wrapped"),
    entry=given("Correcting entry", "What makes both sides agree.", "text", 30, "wrapped"),
)


AGING: Final = AgingTable(BUCKETS)

PACK_TABLES: Final = (REGISTER, BY_CLASS, EXCEPTIONS, CONTROL, AGING)
CLOSE_TABLES: Final = (CHECKLIST, CONTROL, DIFFERENCES)


def total_name(table: Table, column: str) -> str:
    """Name of the cell that holds a column's total, such as bill_register_total_amount."""
    return f"{table.name}_total_{column}"


def period_name(table: Table) -> str:
    """Name of the cell under a sheet's title that says district and period."""
    return f"{table.name}_period"
