"""The tables of the billing office, each declared once, one module a group of sheets."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records import bills, books, money, people, reads, start
from xlbilling.words.records.table import (
    CLASSES,
    UNITS,
    YES_NO,
    Column,
    ColumnKind,
    Filled,
    Look,
    Scope,
    Sheet,
    Table,
    computed,
    given,
    required,
)

__all__ = [
    "CLASSES",
    "START_TABLES",
    "TABLE",
    "TABLES",
    "UNITS",
    "YES_NO",
    "Column",
    "ColumnKind",
    "Filled",
    "Look",
    "Scope",
    "Sheet",
    "Table",
    "computed",
    "given",
    "required",
]

# In the order of their sheets.
TABLES: Final[tuple[Table, ...]] = (
    books.POLICY,
    bills.CYCLES,
    people.ACCOUNTS,
    people.SERVICES,
    people.METERS,
    bills.RATES,
    bills.CHOICES,
    reads.RECIPES,
    reads.READS,
    reads.EXCEPTIONS,
    reads.REJECTS,
    bills.BILLS,
    bills.BILL_SERVICES,
    bills.BILL_LINES,
    bills.AUDIT,
    money.PAYMENTS,
    money.PAYMENT_REJECTS,
    money.ADJUSTMENTS,
    books.GL_ACCOUNTS,
    books.GL,
    books.RECONCILE,
    books.CLOSE,
    books.LOG,
)
START_TABLES: Final[tuple[Table, ...]] = (
    start.TODAY,
    start.MONTHS,
    start.RUNS,
)
TABLE: Final[dict[str, Table]] = {table.name: table for table in (*TABLES, *START_TABLES)}
