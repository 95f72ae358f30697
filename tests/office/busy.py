"""An office in early December in which every button has something to do: November can be closed, and two leads are at work.

November's bills are posted. S05 was cancelled to be billed anew, so Compute drafts one bill (47.25). An adjustment of -7.00
of December waits for Post. Lea and Lou have each saved a phone number last, which Undo takes back. All items of both months'
checklists that take a signature have one.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pandas as pd

from tests.office.asked import correct
from tests.office.small import PERIOD, payments

if TYPE_CHECKING:
    from tests.office.conftest import Office

SIGNABLE = (
    "All cycles due are billed",
    "Reads are resolved",
    "Payments are resolved",
    "Audit is green",
    "Receivables are reconciled",
)
DECEMBER = "2026-12"
GL_EXPORT = "Date,Account,Reference,Description,Debit,Credit\n2026-11-30,1210,X1,entry,1.00,\n"
ACCOUNT = {"lea": "0000003", "lou": "0000004"}  # whose phone number each of the two changes
AMOUNT = {"lea": -1100, "lou": -1200}  # what each of the two adjusts


def keep_busy(office: Office) -> None:
    """Bring an office whose November is posted there."""
    lea = office.lead
    lea.add("policy", topic="staff", setting="lou", value="lead")
    lea.press("save")
    correct(lea, kind="rebill", document="B0000005")
    lea.press("reverse")
    office.clock.now = dt.datetime(2026, 12, 5, 9, 0, tzinfo=dt.UTC)
    correct(
        lea, kind="adjust", account_id="0000007", amount=-700, gl_account="4020", posted_on=pd.Timestamp("2026-12-02")
    )
    lea.press("adjust")
    store = office.store()
    with store.work("lea", "save") as work:
        for month in (PERIOD, DECEMBER):
            for item in SIGNABLE:
                work.insert_one("signoffs", period=month, item=item, reason="a test", actor="lea", at=work.at)
        work.event("Signed")
    store.close()
    office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check"))
    office.file("gl.csv", GL_EXPORT)
    office.left_by(lea)
    for actor in ("lou", "lea"):
        clerk = office.clerk(actor)
        clerk.press("refresh")
        clerk.set("accounts", ACCOUNT[actor], phone="555-0000")
        clerk.press("save")
