"""The tables of the report workbooks, each declared once: the template is drawn from it and filled by it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from typing import Annotated, ClassVar, Final

from xlbilling.aging import BUCKETS, bucket_names
from xlbilling.records import Column, Record, Sheet, Table, given


class RegisterRow(Record):
    """One service on a bill of the period."""

    sheet: ClassVar = Sheet(
        "Billing register",
        "bill_register",
        "Billing register",
        ("number", "service_id"),
        totals=("consumption", "amount"),
    )
    number: Annotated[str, given("Bill", "Number of the bill.", "id", 12)]
    account_id: Annotated[str, given("Account", "The account billed.", "id", 13)]
    name: Annotated[str, given("Name", "Customer of record.", "text", 28)]
    service_id: Annotated[str, given("Service", "The service billed.", "id", 14)]
    customer_class: Annotated[str, given("Class", "Customer class.", "text", 21)]
    service_from: Annotated[
        dt.date | None, given("From", "Day of the previous read; billed from the day after.", "date", 12)
    ]
    service_to: Annotated[dt.date | None, given("To", "Day of this read, billed too.", "date", 12)]
    read_code: Annotated[str, given("Read", "actual or estimated.", "text", 10)]
    consumption: Annotated[int, given("Consumption", "Billed consumption in the unit beside it.", "quantity", 15)]
    unit: Annotated[str, given("Unit", "Billing unit.", "text", 7)]
    amount: Annotated[int, given("Amount", "What the service is billed; the rows of a bill are its sum.", "money", 16)]
    due_date: Annotated[dt.date, given("Due", "Day payment is due.", "date", 12)]


class ClassRow(Record):
    """What one customer class used and was billed."""

    sheet: ClassVar = Sheet(
        "Revenue by class",
        "revenue_by_class",
        "Consumption and revenue by class",
        ("customer_class",),
        totals=("bills", "consumption", "revenue"),
    )
    customer_class: Annotated[str, given("Class", "Customer class.", "text", 23)]
    bills: Annotated[int, given("Bills", "Services billed; an account with two counts twice.", "whole", 10)]
    consumption: Annotated[int, given("Consumption", "Billed consumption.", "quantity", 16)]
    revenue: Annotated[int, given("Revenue", "Sum of the bills.", "money", 17)]


class FindingCount(Record):
    """How often one check found something, and what became of it."""

    sheet: ClassVar = Sheet(
        "Exceptions",
        "exception_counts",
        "Exceptions of the read checks",
        ("rule", "severity"),
        totals=("count", "decided", "billed", "open"),
    )
    rule: Annotated[str, given("Check", "Which check found it.", "text", 34)]
    severity: Annotated[str, given("Severity", "block: the bill is held. review: look at it. info: noted.", "text", 14)]
    count: Annotated[int, given("Found", "Findings of the period.", "whole", 13)]
    decided: Annotated[int, given("Decided", "Findings the office decided on.", "whole", 13)]
    billed: Annotated[
        int,
        given("Billed", "Findings that only asked for a look, and were billed before anybody decided.", "whole", 13),
    ]
    open: Annotated[int, given("Open", "Findings still waiting.", "whole", 13)]


class ControlRow(Record):
    """One control account: beginning + billed - received + adjusted = ending, beside the general ledger."""

    sheet: ClassVar = Sheet(
        "Receivables control",
        "receivables_control",
        "Receivables control",
        ("gl_account",),
        totals=("beginning", "billed", "received", "adjusted", "ending", "ledger", "difference"),
    )
    gl_account: Annotated[str, given("GL account", "Number as accounting prints it.", "id", 16)]
    name: Annotated[str, given("Name", "Name in the general ledger.", "text", 30)]
    beginning: Annotated[int, given("Beginning", "Owed when the period began.", "money", 16)]
    billed: Annotated[int, given("Billed", "Bills posted in the period.", "money", 16)]
    received: Annotated[int, given("Received", "Payments posted in the period; they take off.", "money", 16)]
    adjusted: Annotated[int, given("Adjusted", "Adjustments and reversals; plus bills more.", "money", 16)]
    ending: Annotated[int, given("Ending", "Beginning + billed - received + adjusted.", "money", 16)]
    ledger: Annotated[int, given("General ledger", "Balance in the general ledger.", "money", 16)]
    difference: Annotated[int, given("Difference", "Ending less general ledger.", "money", 14)]


class AgingRow(Record):
    """What one account owes; between its name and its credit stand the buckets of Policy."""

    sheet: ClassVar = Sheet("Aging", "aging", "Aging of receivables", ("account_id",))
    account_id: Annotated[str, given("Account", "Account number.", "id", 14)]
    name: Annotated[str, given("Name", "Customer of record.", "text", 32)]
    credit: Annotated[int, given("Credit", "Paid ahead; takes off.", "money", 16)]
    total: Annotated[int, given("Total", "Balance of the account.", "money", 16)]


class AgingTable(Table):
    """The aging with a column for each bucket: (30, 60) -> Up to 30 days, 31-60 days, Over 60 days."""

    def __init__(self, buckets: tuple[int, ...]):
        super().__init__(AgingRow)
        self.buckets = dict(zip(bucket_names(buckets), _bucket_columns(buckets), strict=True))
        self.sheet = replace(self.sheet, totals=(*self.buckets, "credit", "total"))

    @cached_property
    def columns(self) -> dict[str, Column]:
        account, name, credit, total = Table(AgingRow).columns.items()
        return dict((account, name, *self.buckets.items(), credit, total))


def _bucket_columns(buckets: tuple[int, ...]) -> list[Column]:
    between = [f"{low + 1}-{high}" if low + 1 < high else f"{high}" for low, high in pairwise(buckets)]
    says = [f"Up to {buckets[0]} days", *(f"{days} days" for days in between), f"Over {buckets[-1]} days"]
    return [given(title, f"{title}, counted as Policy says.", "money", 16) for title in says]


class ChecklistRow(Record):
    """One item of the close checklist as it stood when the month was closed."""

    sheet: ClassVar = Sheet("Checklist", "close_checklist", "Close checklist", ("item",))
    item: Annotated[str, given("Item", "What must be so before the month is closed.", "text", 38)]
    state: Annotated[str, given("State", "done, open or signed.", "text", 10)]
    detail: Annotated[str, given("Detail", "What was found.", "text", 64)]
    signed_reason: Annotated[str, given("Signed reason", "Why the month closed all the same.", "text", 60)]
    signed_by: Annotated[str, given("Signed by", "Who signed.", "text", 16)]


class DifferenceRow(Record):
    """One difference between subledger and general ledger, with both sides and what corrects it."""

    sheet: ClassVar = Sheet(
        "Differences",
        "Differences",
        "Differences between subledger and general ledger",
        ("number",),
        totals=("subledger", "ledger", "difference"),
    )
    number: Annotated[int, given("No.", "Number of the difference.", "whole", 6)]
    reason: Annotated[str, given("Reason", "Why it differs.", "text", 18, "wrapped")]
    gl_account: Annotated[str, given("GL account", "The account it stands on in billing.", "id", 11)]
    batch: Annotated[str, given("Batch", "Batch, or the ledger's reference.", "id", 13, "wrapped")]
    document: Annotated[str, given("Document", "Document, or first and last and how many.", "id", 14, "wrapped")]
    account_id: Annotated[str, given("Account", "Customer account, or how many.", "id", 12, "wrapped")]
    post_date: Annotated[dt.date | None, given("Day", "Day it was posted in billing.", "date", 11)] = None
    gl_date: Annotated[dt.date | None, given("GL day", "Day it was posted in the ledger.", "date", 11)] = None
    description: Annotated[str, given("Description", "What was posted.", "text", 24, "wrapped")] = ""
    subledger: Annotated[int | None, given("Subledger", "Amount in billing.", "money", 14)] = None
    ledger: Annotated[int | None, given("General ledger", "Amount in the general ledger.", "money", 14)] = None
    difference: Annotated[int, given("Difference", "At the period's end, subledger less ledger.", "money", 13)] = 0
    rows: Annotated[str, given("GL rows", "Rows of the export below its header.", "id", 10, "wrapped")] = ""
    entry: Annotated[str, given("Correcting entry", "What makes both sides agree.", "text", 30, "wrapped")] = ""


REGISTER: Final = Table(RegisterRow)
BY_CLASS: Final = Table(ClassRow)
EXCEPTIONS: Final = Table(FindingCount)
CONTROL: Final = Table(ControlRow)
AGING: Final = AgingTable(BUCKETS)
CHECKLIST: Final = Table(ChecklistRow)
DIFFERENCES: Final = Table(DifferenceRow)

PACK_TABLES: Final = (REGISTER, BY_CLASS, EXCEPTIONS, CONTROL, AGING)
CLOSE_TABLES: Final = (CHECKLIST, CONTROL, DIFFERENCES)


def total_name(table: Table, column: str) -> str:
    """Name of the cell that holds a column's total, such as bill_register_total_amount."""
    return f"{table.name}_total_{column}"


def period_name(table: Table) -> str:
    """Name of the cell under a sheet's title that says district and period."""
    return f"{table.name}_period"
