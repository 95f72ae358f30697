"""What tests of money ask an office: what an account owes, whether the store is sound, a payment and a correction to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from tests.office.small import Clerk, payments
from xlbilling.store.schema import metadata
from xlbilling.store.verify import verify

if TYPE_CHECKING:
    from tests.office.conftest import Office

TWO = payments("0000001,45.00,2026-11-20,C1,check", "0000002,30.00,2026-11-21,W2,web")


def balance(office: Office, account: str) -> int:
    found = office.value("SELECT SUM(amount) FROM journal WHERE gl_account = '1210' AND account_id = :a", a=account)
    return int(str(found or 0))


def counts(office: Office) -> dict[str, int]:
    return {name: int(str(office.value(f"SELECT COUNT(*) FROM {name}"))) for name in metadata.tables}


def healthy(office: Office) -> bool:
    store = office.store()
    try:
        return verify(store) == []
    finally:
        store.close()


def pay(office: Office, text: str = TWO, who: str = "cora", name: str = "p.csv") -> Clerk:
    clerk = office.clerk(who)
    clerk.press("import_payments", PaymentsFile=office.file(name, text))
    return clerk


def correct(clerk: Clerk, **values: object) -> None:
    """Type a correction on Adjustments."""
    blank = {
        "amount": pd.NA,
        "document": "",
        "account_id": "",
        "gl_account": "",
        "reason": "as agreed",
        "posted_on": pd.NaT,
    }
    clerk.add("adjustments", **(blank | values))
