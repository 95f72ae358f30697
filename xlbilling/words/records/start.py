"""The lists on the Start sheet."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records.table import Sheet, Table, computed

TODAY: Final = Table(
    Sheet("Start", "today", "Today", ("what",)),
    "One thing that waits for somebody, on the Start sheet.",
    what=computed("What waits", "The work that is due.", "text", 34),
    state=computed("State", "Where it stands.", "text", 14),
    count=computed("Count", "How many.", "whole", 9),
    amount=computed("Amount", "Money concerned.", "money", 15),
    who=computed("Waits for", "Who does it.", "text", 12),
    button=computed("Button", "The button that does it.", "text", 16),
    go_to=computed("Sheet", "Where to look.", "text", 12),
)

MONTHS: Final = Table(
    Sheet("Start", "months", "Months", ("period",)),
    "Money of one accounting period, for the chart on the Start sheet.",
    period=computed("Period", "Accounting period.", "text", 10),
    billed=computed("Billed", "Bills posted.", "money", 14),
    received=computed("Received", "Receipts posted.", "money", 14),
)

RUNS: Final = Table(
    Sheet("Start", "runs", "Cycles", ("cycle",)),
    "Where a cycle's run stands, for the list and chart on the Start sheet.",
    cycle=computed("Cycle", "Cycle and accounting period.", "text", 12),
    bill_date=computed("Bill date", "Date of the bills.", "date", 12),
    due_date=computed("Due", "Day payment is due.", "date", 12),
    state=computed("State", "waiting, reads in, computed or posted.", "text", 12),
    billed=computed("Billed", "Services billed.", "whole", 9),
    held=computed("Held", "Services held.", "whole", 9),
    to_bill=computed("To bill", "Services neither billed nor held.", "whole", 9),
)
