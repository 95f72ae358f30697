"""Months: a document's month is that of its posting date; several are open; closing one closes those before it."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.small import payments
from xlbilling.office.desk.months import Months
from xlbilling.words.periods import AccountingPeriod


def months(office: Office) -> dict[str, str]:
    table = office.table("periods")
    return dict(zip(table["period"], table["state"], strict=True))


def close(office: Office, month: str) -> str:
    """Close a month, what stands open on its checklist signed."""
    lead = office.lead
    lead.press("refresh", Period=month, Cycle="A")
    lead.press("checklist")
    lead.type(
        "close", lambda rows: rows.assign(signed_reason=rows["signed_reason"].mask(rows["state"].eq("open"), "a test"))
    )
    lead.press("save")
    return lead.press("close_month").said


def test_a_month_opens_with_its_first_posting_and_several_are_open(desk_office: Office) -> None:
    """Money of November and of December, both taken and posted while nothing is closed: a batch a month."""
    desk_office.clock.now = desk_office.clock.now.replace(month=12, day=20)
    lead = desk_office.lead
    text = payments("0000001,45.00,2026-11-20,C1,check", "0000002,30.00,2026-12-02,C2,check")
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", text))
    assert months(desk_office) == {"2026-11": "open"}
    said = lead.press("post").said
    assert "PY0000001: 1 receipts of 2026-11, 45.00" in said
    assert "PY0000002: 1 receipts of 2026-12, 30.00" in said
    assert months(desk_office) == {"2026-11": "open", "2026-12": "open"}
    entries = desk_office.table("entries", "kind = 'payment'")
    assert entries["period"].tolist() == ["2026-11", "2026-12"]
    assert desk_office.table("payments")["period"].tolist() == ["2026-11", "2026-12"]


def test_closing_a_month_closes_those_before_it(desk_office: Office) -> None:
    desk_office.clock.now = desk_office.clock.now.replace(month=12, day=20)
    lead = desk_office.lead
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000002,30.00,2026-12-02,C2,check")))
    lead.press("post")
    said = close(desk_office, "2026-12")
    assert said.startswith("2026-11, 2026-12 are closed; 2027-01 is the first open month.")
    assert months(desk_office) == {"2026-11": "closed", "2026-12": "closed"}
    store = desk_office.store()
    assert Months.of(store).first_open == AccountingPeriod(2027, 1)
    store.close()
    lead.refused("post", "period_not_open", Period="2026-11")


def test_what_waits_in_a_closed_month_posts_on_the_first_open_day(desk_office: Office) -> None:
    """An office of before may have receipts that wait in a month closed since: Post takes them, the day they came stays."""
    lead = desk_office.lead
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    store = desk_office.store()
    with store.work("lea", "close") as work:
        work.execute("UPDATE periods SET state = 'closed'")
        work.event("closed around the receipts")
    store.close()
    lead.press("refresh", Period="2026-12", Cycle="B")
    lead.press("checklist")
    detail = lead.sheet("close").loc["All batches are posted", "detail"]
    assert detail == "1 receipts (press Post, 1 of a closed month, which it takes on the first open day)"
    assert str(detail) in lead.refused("reconcile", "unposted")
    lead.press("post")
    row = desk_office.table("payments").iloc[0]
    assert (row["state"], row["period"], row["received_on"]) == ("posted", "2026-12", pd.Timestamp("2026-11-20"))
    assert desk_office.table("entries", "kind = 'payment'")["post_date"].tolist() == [pd.Timestamp("2026-12-01")]


def test_a_run_posts_in_its_own_month(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("cycles", "A / 2026-11", bill_date=pd.Timestamp("2026-12-01"))
    assert "bills dated 2026-12-01 post in another month than 2026-11" in lead.refused("save", "cells_refused")


@pytest.mark.parametrize(
    ("first_open", "day", "posts"),
    [((2026, 12), "2026-11-30", "2026-12-01"), ((2026, 12), "2026-12-05", "2026-12-05"), ((2026, 11), "2026-11-30", "2026-11-30")],
)  # fmt: skip
def test_the_day_a_document_posts_on(first_open: tuple[int, int], day: str, posts: str) -> None:
    days = Months(AccountingPeriod(*first_open)).posting_days(pd.Series(pd.to_datetime([day])))
    assert days.tolist() == [pd.Timestamp(posts)]
