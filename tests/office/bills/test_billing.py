"""Compute and the papers: drafts replaced, every active service accounted for."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.asked import counts
from tests.office.conftest import Office
from tests.office.small import PERIOD, beacon, payments
from xlbilling.office.bills.audit import outcomes


@pytest.mark.stage("imported")
def test_compute_replaces_drafts_and_says_its_cut_off(desk_office: Office) -> None:
    lead = desk_office.lead
    first = lead.press("compute")
    # 405.00 in all, as worked out in small.py
    assert (
        "7 draft bills for cycle A of 2026-11, 405.00 in all; 0 held. Receipts are counted up to none yet."
        in first.said
    )
    before = desk_office.table("draft_lines")
    assert lead.press("compute").said == first.said
    pd.testing.assert_frame_equal(desk_office.table("draft_lines"), before)
    lines = before.loc[before["service_id"].eq("S01"), ["charge", "tier", "quantity", "amount"]]
    assert lines.to_dict("split")["data"] == [
        ["Service charge", 0, 0, 2000],
        ["Water", 1, 10_000_000, 2500],
        ["Water", 2, 2_000_000, 800],
        ["Fee", 0, 0, 265],
    ]


@pytest.mark.stage("imported")
def test_compute_refuses_while_receipts_are_unposted(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    lead.refused("compute", "payments_unposted")
    lead.press("post")
    assert "Receipts are counted up to 2026-11-20" in lead.press("compute").said


def test_every_active_service_ends_billed_held_or_not_due(desk_office: Office) -> None:
    """Seven active services: S02 has no read and is held, S07 began after the window, the other five are billed."""
    lead = desk_office.lead
    lead.set("services", "S07", started_on=pd.Timestamp("2026-11-15"))
    lead.set("meters", "M07 / ", start_date=pd.Timestamp("2026-11-15"))
    lead.press("save")
    lead.press("import_reads", ReadsFile=desk_office.file("r.csv", beacon(without=("M02", "M07"))))
    lead.press("validate")
    lead.press("compute")
    desk = lead.desk()
    rows = outcomes(desk).set_index("service_id")
    desk.store.close()
    assert rows["outcome"].value_counts().to_dict() == {"billed": 5, "held": 1, "not due": 1}
    assert rows.loc["S02", "reason"] == "missing_read"
    assert rows.loc["S07", "reason"] == "began after the read window"
    assert "S06" not in rows.index


@pytest.mark.stage("imported")
def test_a_bill_never_made_is_seen(desk_office: Office) -> None:
    desk = desk_office.lead.desk()
    rows = outcomes(desk)
    desk.store.close()
    assert set(rows["outcome"]) == {"no bill"}
    assert set(rows["reason"]) == {"no bill computed"}


@pytest.mark.stage("posted")
def test_posted_services_are_not_drafted_again(office: Office) -> None:
    said = office.lead.press("compute").said
    assert said.startswith("0 draft bills")
    assert office.value("SELECT COUNT(*) FROM bills") == 7


def test_rates_that_cannot_be_used_are_refused_with_their_cell(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.press("import_reads", ReadsFile=desk_office.file("r.csv", beacon()))
    lead.set("rates", "R003", kind="wavy")
    lead.press("save")
    assert "Rates!" in lead.refused("compute", "rates_refused") + str(lead.marked)


def test_a_service_without_a_rate_is_held_never_billed_at_nothing(desk_office: Office) -> None:
    lead = desk_office.lead
    desk_office.converted("UPDATE services SET customer_class = 'IRRIGATION' WHERE service_id = 'S01'")
    lead.press("refresh")
    lead.press("import_reads", ReadsFile=desk_office.file("r.csv", beacon()))
    outcome = lead.press("compute")
    assert outcome.listed
    row = desk_office.table("draft_services", "service_id = 'S01'").iloc[0]
    assert (row["state"], row["amount"]) == ("held", 0)
    assert "IRRIGATION" in row["why"]
    assert desk_office.value("SELECT COUNT(*) FROM draft_lines WHERE service_id = 'S01'") == 0


@pytest.mark.stage("posted")
def test_a_print_file_is_made_once_and_written_again_the_same(office: Office) -> None:
    lead = office.lead
    assert lead.press("print_file").said == "print-BL0000001.csv: 7 bills."
    first = (office.folder / "print-BL0000001.csv").read_bytes()
    (office.folder / "print-BL0000001.csv").unlink()
    lead.set("accounts", "0000001", name="Somebody Else")
    lead.press("save")
    before = counts(office)
    assert "the original of" in lead.press("print_file").said
    assert (office.folder / "print-BL0000001.csv").read_bytes() == first
    assert counts(office) == before
    assert office.value("SELECT digest FROM printed")


@pytest.mark.stage("computed")
def test_there_is_nothing_to_print_before_posting(desk_office: Office) -> None:
    desk_office.lead.refused("print_file", "no_batch")


@pytest.mark.stage("posted")
def test_a_bill_is_explained_line_by_line(desk_office: Office) -> None:
    said = desk_office.lead.press("explain_bill", ExplainBill="B0000001").said
    assert "Meter M01: 0112 of 2026-11-05 less 0100 of 2026-09-05 is 12 CCF (actual)." in said
    assert "Sum of the lines: 55.65." in said
    assert "2019-40" in said
    assert "Computed by lea, posted by lea on 2026-11-23 in BL0000001, entry 3." in said
    desk_office.lead.refused("explain_bill", "no_bill", ExplainBill="B9")


@pytest.mark.stage("posted")
def test_the_report_pack_ties_to_the_journal(desk_office: Office) -> None:
    said = desk_office.lead.press("report_pack").said
    assert said == f"report-pack-{PERIOD}.xlsx: 7 documents, 405.00 billed."
    assert (desk_office.folder / f"report-pack-{PERIOD}.xlsx").stat().st_size > 1000


def test_the_next_bill_after_an_estimate_is_trued_up(desk_office: Office) -> None:
    """S01 is estimated at 11 (dial 0111); the next read, 0130, bills 130 - 111 = 19, so both bills together 30 = 130 - 100."""
    lead = desk_office.lead
    lead.press("import_reads", ReadsFile=desk_office.file("r.csv", beacon(without=("M01",))))
    lead.press("validate")
    lead.set("exceptions", "missing_read M01", decision="estimate", reason="no read came in")
    lead.press("save")
    lead.press("compute")
    lead.press("post")
    lead.press("refresh")
    assert lead.sheet("meters").loc["M01 / ", "last_read"] == "0111"
    bill = desk_office.sections("service_id = 'S01'").iloc[0]
    assert (bill["consumption"], bill["read_code"]) == (11_000_000, "estimated")
    store = desk_office.store()
    with store.work("lea", "open") as work:
        work.insert_one("periods", period="2027-01", state="open")
        work.event("January is open")
    store.close()
    lead.press("refresh", Period="2027-01")
    january = beacon(("M01", "0130"), ("M02", "012500"), ("M03:L", "0070"), ("M03:H", "0020"), ("M04", "001596"), ("M05", "0016"), ("M07", "0322"))  # fmt: skip
    lead.press("import_reads", ReadsFile=desk_office.file("j.csv", january.replace("2026-11-05", "2027-01-05")))
    lead.press("validate")
    lead.press("compute")
    draft = desk_office.table("draft_services", "service_id = 'S01'").iloc[0]
    assert (draft["consumption"], draft["days"], draft["state"]) == (19_000_000, 61, "draft")


@pytest.mark.stage("opened")
@pytest.mark.on_file
def test_registers_and_the_winter_average_are_handed_to_the_rates(office: Office) -> None:
    """Each register has a price of its own, and sewer is capped at what the winter used.

    S03: L 0050 -> 0060 is 10, H 0010 -> 0030 is 20; its bill of 2026-01-04 says 15 units in 61 days.
      low flow 10 x 3.25 = 32.50, high flow 20 x 2.125 = 42.50, sewer min(30, 15) x 2.00 = 30.00; together 105.00
    """
    lead = office.lead
    line = {"tariff": "COMPOUND", "customer_class": "RESIDENTIAL_SINGLE", "gl_account": "4020", "applies_by": "service_days", "resolution": "2026-1", "effective_from": pd.Timestamp("2026-01-01"), "tier": 0}  # fmt: skip
    lead.add("rates", **line, rate_id="C1", component="Low flow", kind="per_unit", expression="consumption_low", rate="3.25", position=1)  # fmt: skip
    lead.add("rates", **line, rate_id="C2", component="High flow", kind="per_unit", expression="consumption_high", rate="2.125", position=2)  # fmt: skip
    lead.add("rates", **line, rate_id="C3", component="Sewer", kind="formula", expression="min(consumption, winter_average)*2.00", position=3)  # fmt: skip
    lead.set("services", "S03", tariff="COMPOUND", inputs="zone=2")
    lead.set("policy", "billing / winter_months", value="12-2")
    lead.press("save")
    lead.press("import_reads", ReadsFile=office.file("r.csv", beacon(("M03:H", "0030"))))
    lead.press("compute")
    draft = office.table("draft_services", "service_id = 'S03'").iloc[0]
    assert draft["inputs"] == "zone=2; consumption_low=10; consumption_high=20; winter_average=15"
    assert (draft["amount"], draft["state"], draft["meter_size"]) == (10500, "draft", '1"')
    lines = office.table("draft_lines", "service_id = 'S03'", "line")
    assert lines["amount"].tolist() == [3250, 4250, 3000]
    # What a bill was priced with stays with it, whatever is changed on Services afterwards.
    lead.press("post")
    lead.set("services", "S03", inputs="zone=3", meter_size='2"')
    lead.press("save")
    assert "green" in str(lead.press("audit").said) or "agrees" in lead.press("audit").said


@pytest.mark.stage("opened")
def test_a_winter_nobody_can_read_is_refused(office: Office) -> None:
    office.lead.set("policy", "billing / winter_months", value="Dec to Feb")
    assert "first and a last month" in office.lead.refused("save", "cells_refused") + str(office.lead.marked)


@pytest.mark.stage("computed")
@pytest.mark.both_databases
def test_undoing_a_second_compute_brings_the_first_drafts_back(office: Office) -> None:
    lead = office.lead
    tables = ("draft_bills", "draft_services", "draft_lines", "draft_reads")
    first = {name: office.table(name, order="bill_key") for name in tables}
    lead.set("services", "S04", customer_class="RESIDENTIAL_SINGLE")
    lead.press("save")
    lead.press("compute")
    assert not office.table("draft_bills", order="bill_key").equals(first["draft_bills"])
    lead.press("undo_last")
    for name in tables:
        pd.testing.assert_frame_equal(office.table(name, order="bill_key"), first[name])
    assert "7 draft bills" in lead.refused("post", "drafts_stale")  # S04 is still of the other class
    lead.press("undo_last")
    lead.press("compute")
    assert "7 bills" in lead.press("post").said


@pytest.mark.stage("computed")
def test_undo_leaves_what_somebody_computed_since(office: Office) -> None:
    lead, cora = office.lead, office.clerk("cora")
    lead.press("compute")
    cora.press("refresh")
    cora.set("services", "S04", customer_class="RESIDENTIAL_SINGLE")
    cora.press("save")
    cora.press("compute")
    now = office.table("draft_bills", order="bill_key")
    lead.press("refresh")
    assert "computed again since" in lead.refused("undo_last", "undo_overtaken")
    pd.testing.assert_frame_equal(office.table("draft_bills", order="bill_key"), now)
