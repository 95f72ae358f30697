"""Rebill in a later month: the old bill's reads and rates, the open month's dates, later bills that began at a wrong dial."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.asked import balance, correct, healthy
from tests.office.conftest import Office
from tests.office.small import beacon

LATER = "2027-01"


def second_bill(office: Office) -> None:
    """November is closed; cycle A is read on 2027-01-05 with 12 CCF more on M01, billed and posted in January."""
    lead = office.lead
    store = office.store()
    with store.work("lea", "close_month") as work:
        work.execute("UPDATE periods SET state = 'closed' WHERE period = '2026-11'")
        work.insert_one("periods", period=LATER, state="open")
        work.event("Closed 2026-11")
    store.close()
    dials = [("M01", "0124"), ("M02", "012500"), ("M03:L", "0070"), ("M03:H", "0020"), ("M04", "001596"), ("M05", "0015"), ("M06", "0200"), ("M07", "0322")]  # fmt: skip
    text = beacon(*dials).replace("2026-11-05", "2027-01-05")
    lead.press("refresh", Period=LATER)
    lead.press("import_reads", ReadsFile=office.file("january.csv", text))
    lead.press("compute")
    lead.press("post")
    lead.press("refresh")


def bills(office: Office) -> list[list[object]]:
    """S01's bills: number, period, cycle, consumption in CCF, cents, bill date, which one it replaces."""
    made = office.sections("service_id = 'S01'").sort_values("number")
    made["consumption"] //= 1_000_000
    made["bill_date"] = made["bill_date"].dt.strftime("%m-%d")
    return made[["number", "period", "cycle", "consumption", "amount", "bill_date", "replaces"]].to_numpy().tolist()


@pytest.mark.stage("posted")
def test_a_misread_of_a_closed_month_is_billed_anew_with_the_bill_after_it(office: Office) -> None:
    # B0000001: 0100 -> 0112 = 12, 20.00 + 25.00 + 2 x 4.00 = 53.00 + 2.65 = 55.65. The right dial is 0108:
    #   8 CCF:  20.00 + 8 x 2.50 = 40.00 + 5 % 2.00 = 42.00
    # B0000008: 0112 -> 0124 = 12, 55.65; it began at the wrong dial: 0108 -> 0124 = 16:
    #   20.00 + 25.00 + 6 x 4.00 = 69.00 + 3.45 = 72.45
    lead = office.lead
    second_bill(office)
    owed = balance(office, "0000001")
    assert owed == 4500 + 5565 + 5565
    lead.yes = False
    correct(lead, kind="rebill", document="B0000001 M01=0108", reason="misread", posted_on=pd.Timestamp("2027-01-20"))
    asked = lead.press("reverse").said
    assert "M01 read 0108 in place of 0112; 8 CCF in place of 12; 42.00 in place of 55.65, due 2027-02-14" in asked
    assert "B0000008, service S01, 2026-11-05 to 2027-01-05 (it began at the dial that B0000001 corrects)" in asked
    assert "M01 from 0108 in place of 0112; 16 CCF in place of 12; 72.45 in place of 55.65" in asked
    assert len(bills(office)) == 2  # nothing is done yet
    said = lead.press("reverse").said
    assert said == "RV0000001: reversed 2 documents: B0000001 M01=0108, B0000008; BL0000003: 2 billed anew, 114.45."
    assert bills(office)[2:] == [
        ["B0000015", LATER, "A of 2026-11", 8, 4200, "01-20", "B0000001"],
        ["B0000016", LATER, "A", 16, 7245, "01-20", "B0000008"],
    ]
    assert balance(office, "0000001") == 4500 + 4200 + 7245
    posted = office.table("entries", "document = 'B0000015'")
    assert posted[["period", "kind"]].to_numpy().tolist() == [[LATER, "billing"]]
    assert lead.sheet("bills").set_index("number").loc[["B0000008", "B0000015"], "state"].tolist() == [
        "reversed",
        "posted",
    ]
    assert lead.press("compute").said.startswith("0 draft bills")  # the run's own bills stand
    assert healthy(office)


@pytest.mark.stage("posted")
def test_rebill_at_the_rates_of_its_days_leaves_later_bills_alone(desk_office: Office) -> None:
    # The meter is 1", found in January: 35.00 + 25.00 + 8.00 = 68.00 + 3.40 = 71.40. Water at 9.00 from Dec 1 is of no day of it.
    lead = desk_office.lead
    second_bill(desk_office)

    def typing(rows: pd.DataFrame) -> pd.DataFrame:
        new = rows.loc[rows["tier"].gt(0)].assign(rate="9.00", effective_from=pd.Timestamp("2026-12-01"), rev=pd.NA)
        return pd.concat([rows, new.assign(rate_id=[f"N{n}" for n in range(len(new))])], ignore_index=True)

    lead.type("rates", typing)
    lead.set("services", "S01", meter_size='1"')
    lead.press("save")
    correct(lead, kind="rebill", document="B0000001", posted_on=pd.Timestamp("2027-01-20"))
    assert "BL0000003: 1 billed anew, 71.40" in lead.press("reverse").said
    assert [each[0] for each in bills(desk_office)] == ["B0000001", "B0000008", "B0000015"]


@pytest.mark.stage("posted")
def test_what_cannot_be_billed_anew_is_refused_before_anything_is_cancelled(desk_office: Office) -> None:
    lead = desk_office.lead
    second_bill(desk_office)
    for document, code, fact in (
        ("B0000001 M09=0108", "rebill_dial", "B0000001 has no meter M09; its meters are M01"),
        ("B0000001 M01=12345", "rebill_dial", "more digits than the 4 dials"),
        ("B0000001 0108", "rebill_dial", "'0108' is no meter with its dial"),
        # 0130 is past January's 0124: its dial must be wrong too.
        ("B0000001 M01=0130", "rebill_dial", "B0000008: the dial 0124 of M01 is below 0130"),
    ):
        correct(lead, kind="rebill", document=document)
        assert fact in lead.refused("reverse", code)
        lead.type("adjustments", lambda rows: rows.iloc[:0])
    desk_office.converted("UPDATE services SET tariff = 'WATR' WHERE service_id = 'S01'")
    lead.press("refresh")
    correct(lead, kind="rebill", document="B0000001")
    assert "there is no rate schedule 'WATR'" in lead.refused("reverse", "rebill_held")
    assert desk_office.value("SELECT COUNT(*) FROM reversals") == 0
    assert desk_office.value("SELECT COUNT(*) FROM adjustments") == 0


@pytest.mark.stage("posted")
def test_cancelling_an_earlier_months_bill_says_what_becomes_of_its_days(desk_office: Office) -> None:
    lead = desk_office.lead
    second_bill(desk_office)
    correct(lead, kind="reverse", document="B0000008")
    assert "go into" not in lead.press("reverse").said  # of the open month: Compute drafts it again
    correct(lead, kind="reverse", document="B0000001")
    lead.yes = False
    assert (
        "the days of B0000001, 2026-09-05 to 2026-11-05, go into the service's next bill" in lead.press("reverse").said
    )
