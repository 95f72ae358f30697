"""A day typed on Exceptions, from the finding to the posted bill; and findings that end with the posting of their run."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.small import Clerk, beacon

A_YEAR_AGO = ("M01.Read_Time", "2025-11-05 10:00")
NOW = pd.Timestamp("2026-11-05")


def asked(office: Office, *changes: tuple[str, str]) -> Clerk:
    cora = office.clerk("cora")
    cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon(*changes)))
    cora.press("validate")
    return cora


@pytest.mark.both_databases
def test_a_read_with_a_wrong_day_is_billed_on_the_day_that_was_typed(office: Office) -> None:
    """M01 0100 -> 0112 = 12 CCF, 55.65; its file says 2025 for 2026. 61 days from 2026-09-05 to 2026-11-05."""
    cora = asked(office, A_YEAR_AGO)
    assert cora.sheet("exceptions").loc["outside_window M01", ["last_read", "this_read"]].tolist() == [
        "0100 of 2026-09-05",
        "0112 of 2025-11-05",
    ]
    cora.set("exceptions", "outside_window M01", decision="override", override_date=NOW, reason="year mistyped")
    cora.press("save")
    assert "override outside_window M01 as the read of 2026-11-05" in str(office.table("events")["detail"].tolist())
    cora.press("validate")
    shown = cora.sheet("reads").set_index("meter_id").loc["M01"]
    assert shown[["read_date", "billed_date", "billed_read", "days", "consumption"]].tolist() == [
        pd.Timestamp("2025-11-05"), NOW, "", 61, 12_000_000,
    ]  # fmt: skip
    cora.press("compute")
    said = cora.press("explain_bill", ExplainBill="S01").said
    assert "Meter M01: 0112 of 2026-11-05 less 0100 of 2026-09-05 is 12 CCF (actual)." in said
    assert (
        "Typed on Exceptions in place of the read, on outside_window M01: the read of 2026-11-05 (year mistyped; cora, "
        "2026-11-23)." in said
    )
    office.lead.press("refresh")
    office.lead.press("post")
    bill = office.table("bill_services", "service_id = 'S01'").iloc[0]
    assert bill[["service_to", "days", "amount"]].tolist() == [NOW, 61, 5565]
    assert office.table("bill_reads", "meter_id = 'M01'")["read_date"].tolist() == [NOW]
    office.lead.press("refresh")
    assert office.lead.sheet("reads").set_index("meter_id").loc["M01", "billed_date"] == NOW


@pytest.mark.both_databases
def test_undo_takes_a_typed_day_back_until_somebody_decides_again(office: Office) -> None:
    cora = asked(office, A_YEAR_AGO)
    for day in (NOW, pd.Timestamp("2026-11-06")):
        cora.set("exceptions", "outside_window M01", decision="override", override_date=day, reason="year mistyped")
        cora.press("save")
    cora.press("undo_last")
    row = office.table("exceptions", "rule = 'outside_window'").iloc[0]
    assert row[["decision", "override_date", "state"]].tolist() == ["override", NOW, "decided"]
    carl = office.clerk("carl")
    carl.press("refresh")
    carl.set("exceptions", "outside_window M01", override_date=pd.Timestamp("2026-11-04"))
    carl.press("save")
    assert "outside_window M01 was decided again since" in cora.refused("undo_last", "undo_overtaken")


def test_bills_computed_before_a_day_was_typed_are_stale(desk_office: Office) -> None:
    cora = asked(desk_office, A_YEAR_AGO)
    cora.set("exceptions", "outside_window M01", decision="override", override_date=NOW, reason="year mistyped")
    cora.press("save")
    cora.press("compute")
    cora.set("exceptions", "outside_window M01", override_date=pd.Timestamp("2026-11-06"))
    cora.press("save")
    desk_office.lead.press("refresh")
    desk_office.lead.refused("post", "drafts_stale")


def test_a_day_that_cannot_be_holds_the_bill_and_says_what_to_type(desk_office: Office) -> None:
    cora = asked(desk_office, A_YEAR_AGO)
    cora.set(
        "exceptions", "outside_window M01", decision="override", override_date=pd.Timestamp("2026-09-05"), reason="?"
    )
    cora.press("save")
    cora.press("compute")
    held = desk_office.table("draft_services", "state = 'held'")
    assert held["service_id"].tolist() == ["S01"]
    assert "2026-09-05 is not after 2026-09-05" in held["why"].iloc[0]
    assert "type the day it was read" in held["why"].iloc[0]


# ---- whom a finding is about -----------------------------------------------------------------------------------------


def test_exceptions_name_the_customer_and_both_reads(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000001", phone="555-0101")
    cora.press("save")
    stranger = ",,1,M99,,13M99,Network,0015,CCF,1,2026-11-05 10:00"
    cora.press(
        "import_reads",
        ReadsFile=desk_office.file("reads.csv", beacon(("M01", "0220"), without=("M03:L",), extra=(stranger,))),
    )
    cora.press("validate")
    rows = cora.sheet("exceptions")
    names = ["customer", "phone", "premise", "last_read", "this_read"]
    assert rows.loc["spike S01", names].tolist() == [
        "Customer 1", "555-0101", "1 Oak St", "0100 of 2026-09-05", "0220 of 2026-11-05",
    ]  # fmt: skip
    assert rows.loc["missing_read M03:L", ["customer", "last_read", "this_read"]].tolist() == [
        "Customer 3", "0050 of 2026-09-05", "",
    ]  # fmt: skip
    assert rows.loc["unknown_meter M99", names].tolist() == ["", "", "", "", "0015 of 2026-11-05"]


def test_an_unknown_meter_is_told_with_the_service_it_is_on_or_was(desk_office: Office) -> None:
    """M09 is on service S09 of cycle B. M07 was taken out in August, long billed to that day."""
    desk_office.converted(
        "UPDATE meters SET status = 'removed', removed_on = '2026-08-01', final_read = '0300' WHERE meter_id = 'M07'"
    )
    cora = desk_office.clerk("cora")
    cora.press("refresh")
    stranger = "0000009,,1,M09,,13M09,Network,0411,CCF,1,2026-11-05 10:00"
    cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", beacon(extra=(stranger,))))
    cora.press("validate")
    facts = cora.sheet("exceptions")["fact"]
    assert facts["unknown_meter M09"] == (
        "meter M09 is on no active service of this cycle; it is on service S09 of cycle B; its row names account 0000009"
    )
    assert "it was taken out of service S07 of cycle A on 2026-08-01" in facts["unknown_meter M07"]


def test_reads_show_consumption_while_findings_are_decided(desk_office: Office) -> None:
    """Before Compute: M01 0100 -> 0112 = 12; M02 1,250 cubic feet = 12.5; M05 9995 -> 0005 = 10, gone round."""
    cora = asked(desk_office)
    used = cora.sheet("reads").set_index("meter_id")["consumption"]
    assert used.loc[["M01", "M02", "M05"]].tolist() == [12_000_000, 12_500_000, 10_000_000]


# ---- the end of a finding --------------------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.stage("posted")
def test_findings_of_a_posted_run_wait_for_nobody(office: Office) -> None:
    lead = office.lead
    assert office.table("exceptions")[["exception_id", "state"]].to_numpy().tolist() == [["rollover M05", "billed"]]
    lead.press("refresh")
    today = lead.sheet("today").set_index("what")
    assert today.loc["Findings to look at", ["state", "count"]].tolist() == ["done", 0]
    lead.press("validate")
    assert office.table("exceptions")["state"].tolist() == ["billed"]


def test_a_finding_about_no_service_ends_with_the_last_bill_of_its_run(desk_office: Office) -> None:
    """S01 is held when the others are posted: the unknown meter still waits. Once S01 is posted too it is closed."""
    cora = desk_office.clerk("cora")
    stranger = ",,1,M99,,13M99,Network,0015,CCF,1,2026-11-05 10:00"
    cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", beacon(("M01", "0220"), extra=(stranger,))))
    cora.press("validate")
    cora.press("compute")
    lead = desk_office.lead
    lead.press("refresh")
    lead.press("post")

    def states() -> dict[str, str]:
        rows = desk_office.table("exceptions")
        return dict(zip(rows["exception_id"], rows["state"], strict=True))

    assert states() == {"rollover M05": "billed", "spike S01": "open", "unknown_meter M99": "open"}
    lead.set("exceptions", "spike S01", decision="accept", reason="a burst pipe")
    lead.press("save")
    lead.press("compute")
    lead.press("post")
    assert states() == {"rollover M05": "billed", "spike S01": "decided", "unknown_meter M99": "billed"}
    lead.press("validate")
    assert states()["unknown_meter M99"] == "billed"
