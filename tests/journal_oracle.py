"""The journal of a batch of bills, worked out one bill at a time: the oracle for the posting that stays in the database."""

from __future__ import annotations

import pandas as pd


def bill_entries(bills: pd.DataFrame, lines: pd.DataFrame, receivable: str, first: int) -> pd.DataFrame:
    """entry, line, gl_account, account_id, amount: the bill debited, then each of its lines credited; nothing for 0.00."""
    rows: list[tuple[int, int, str, str, int]] = []
    by_bill = dict(list(lines.groupby("number")))
    for entry, bill in enumerate(bills.itertuples(), first):
        rows.append((entry, 0, receivable, bill.account_id, int(bill.amount)))
        for number, line in enumerate(by_bill[bill.number].itertuples(), 1):
            rows.append((entry, number, line.gl_account, bill.account_id, -int(line.amount)))
    made = pd.DataFrame(rows, columns=["entry", "line", "gl_account", "account_id", "amount"])
    return made.loc[made["amount"].ne(0)].reset_index(drop=True)
