"""The account's bill: one document for all services of an account in the run, held with one, sent without one by decision.

S02 and S08 are of account 0000001 here, with S01 (worked out in small.py): 55.65 + 57.75 + 40.65 = 154.05.
"""

from __future__ import annotations

import csv

import pandas as pd
import pytest

from tests.office.asked import balance, correct, healthy
from tests.office.conftest import Office
from tests.office.corrections.test_rebilling import LATER, second_bill
from tests.office.small import beacon
from xlbilling.office.bills.audit import outcomes
from xlbilling.office.month.close import checklist_view

WITHOUT_S02 = "reads-without.csv"


def three_services(office: Office, reads: str = "") -> None:
    """The account 0000001 has S01, S02 and S08; the run is read and computed."""
    lead = office.lead
    for service in ("S02", "S08"):
        lead.set("services", service, account_id="0000001")
    lead.press("save")
    lead.press("import_reads", ReadsFile=office.file("reads.csv", reads or beacon()))
    lead.press("compute")


def leave_out(office: Office, section: str = "S02", reason: str = "the register is stuck") -> str:
    office.lead.set("bill_services", section, decision="leave out", reason=reason)
    return office.lead.press("save").said


def without_s02(office: Office) -> None:
    """S02 has no read, and its account's bill is posted without it."""
    three_services(office, beacon(without=("M02",)))
    leave_out(office)
    office.lead.press("compute")
    office.lead.press("post")


@pytest.mark.both_databases
def test_an_account_gets_one_bill_for_all_its_services(office: Office) -> None:
    lead = office.lead
    three_services(office)
    assert lead.sheet("bills").set_index("account_id").loc["0000001", ["services", "amount"]].tolist() == [
        "S01, S02, S08",
        15405,
    ]
    assert lead.press("post").said == "Posted: BL0000001: 5 bills, 405.00."
    assert office.table("bills")[["number", "account_id", "amount"]].to_numpy().tolist() == [
        ["B0000001", "0000001", 15405],
        ["B0000002", "0000003", 8400],
        ["B0000003", "0000004", 6825],
        ["B0000004", "0000005", 4725],
        ["B0000005", "0000007", 5145],
    ]
    assert office.table("bill_services", "number = 'B0000001'")["amount"].tolist() == [5565, 5775, 4065]
    # One entry: the receivable with the bill, each line's revenue account with the line.
    entry = office.table("journal", "entry = (SELECT entry FROM entries WHERE document = 'B0000001')")
    assert entry.groupby("gl_account")["amount"].sum().to_dict() == {
        "1210": 15405, "4010": -4000, "4020": -3300 - 3500, "4040": -4065, "4090": -265 - 275,
    }  # fmt: skip
    assert len(entry) == 1 + 9
    standing = office.table("standing_bills", "number = 'B0000001'")
    assert sorted(standing["service_id"]) == ["S01", "S02", "S08"]
    assert lead.sheet("bill_services").groupby("number")["amount"].sum()["B0000001"] == 15405
    assert lead.press("compute").said.startswith("0 draft bills")
    assert healthy(office)


def test_the_bill_is_explained_printed_and_registered_with_its_services(desk_office: Office) -> None:
    lead = desk_office.lead
    three_services(desk_office)
    told = lead.press("explain_bill", ExplainBill="S02").said
    assert told.startswith("Bill (draft) of account 0000001, 3 services.")
    assert "Sum of service S02: 57.75." in told
    assert told.endswith("Sum of the services: 154.05.")
    lead.press("post")
    lead.press("print_file")
    with (desk_office.folder / "print-BL0000001.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["account"]: row for row in csv.DictReader(file)}
    assert len(rows) == 5
    mine = rows["0000001"]
    assert [mine[f"service_{n}_id"] for n in (1, 2, 3)] == ["S01", "S02", "S08"]
    assert [mine[f"service_{n}_amount"] for n in (1, 2, 3)] == ["55.65", "57.75", "40.65"]
    assert [mine[f"charge_{n}_service"] for n in range(1, 10)] == ["S01"] * 4 + ["S02"] * 4 + ["S08"]
    assert (mine["total_charges"], mine["previous_balance"], mine["amount_due"]) == ("154.05", "45.00", "199.05")
    assert (rows["0000003"]["service_1_id"], rows["0000003"]["service_2_id"]) == ("S03", "")
    assert lead.press("report_pack").said == "report-pack-2026-11.xlsx: 5 documents, 405.00 billed."


def test_a_held_service_holds_its_account_s_bill_and_is_named(desk_office: Office) -> None:
    """S02 has no read: 405.00 less the 154.05 of its account are 250.95."""
    lead = desk_office.lead
    three_services(desk_office, beacon(without=("M02",)))
    assert lead.said[-1][1].startswith(
        "4 draft bills for cycle A of 2026-11, 250.95 in all; 1 held (by S02; why stands on Bills)."
    )
    held = lead.sheet("bills").set_index("account_id").loc["0000001"]
    assert (held["state"], held["amount"]) == ("held", 0)
    assert held["why"].startswith("S02: missing_read")
    sections = lead.sheet("bill_services").set_index("service_id")
    assert sections.loc[["S01", "S02", "S08"], "state"].tolist() == ["waits", "held", "waits"]
    assert sections.loc["S01", "why"] == "waits for service S02"
    desk = lead.desk()
    assert outcomes(desk).set_index("service_id").loc[["S01", "S02", "S08"], "outcome"].eq("held").all()
    desk.store.close()
    for asked in ("S01", "0000001"):
        said = lead.refused("explain_bill", "bill_held", ExplainBill=asked)
        assert "the bill of account 0000001 is held: S02: missing_read" in said
    assert "4 bills, 250.95" in lead.press("post").said
    lead.set("exceptions", "missing_read M02", decision="estimate", reason="nobody home")
    lead.press("save")
    assert "1 draft bills" in lead.press("compute").said  # with the estimate the whole bill goes


@pytest.mark.both_databases
def test_a_bill_goes_without_a_service_by_decision_and_the_next_takes_its_days(office: Office) -> None:
    """November: 55.65 + 40.65 = 96.30. January: S01 12 CCF 55.65, S08 40.65, and S02 010000 -> 012500 = 25 CCF in 122 days:

    20.00 + 25.00 + 15 x 4.00 = 105.00 + 5.25 = 110.25; together 206.55.
    """
    lead = office.lead
    three_services(office, beacon(without=("M02",)))
    assert leave_out(office).startswith("Saved")
    assert (
        office.value("SELECT COUNT(*) FROM events WHERE detail LIKE 'Left out of the bills%S02: the register is stuck'")
        == 1
    )
    assert "4 draft bills" in lead.refused("post", "drafts_stale")
    lead.press("compute")
    assert lead.sheet("bills").set_index("account_id").loc["0000001", ["state", "amount", "why"]].tolist() == [
        "draft", 9630, "without S02: the register is stuck",
    ]  # fmt: skip
    lead.yes = False
    assert "services left out, whose days go on the next bill: S02" in lead.press("post").said
    lead.yes = True
    assert lead.press("post").said == "Posted: BL0000001: 5 bills, 347.25."  # 405.00 - 57.75
    assert sorted(office.table("standing_bills", "number = 'B0000001'")["service_id"]) == ["S01", "S08"]
    assert office.value("SELECT COUNT(*) FROM bill_reads WHERE service_id = 'S02'") == 0
    desk = lead.desk()
    told = outcomes(desk).set_index("service_id").loc["S02"]
    items = checklist_view(desk).set_index("item")
    desk.store.close()
    assert (told["outcome"], told["reason"]) == ("not due", "B0000001 went without it; its days go on the next bill")
    assert items.loc[["All cycles due are billed", "Reads are resolved"], "state"].tolist() == ["done", "done"]
    assert lead.press("compute").said.startswith("0 draft bills")  # an account has one bill a run
    second_bill(office)
    # The longer time is a finding, as it should be; the lead has looked.
    lead.set("exceptions", "days S02", decision="accept", reason="left out in November")
    lead.press("save")
    lead.press("compute")
    lead.press("post")
    january = office.sections("account_id = '0000001' AND period = :p ORDER BY service_id", p=LATER)
    assert january["amount"].tolist() == [5565, 11025, 4065]
    assert january[["service_from", "days"]].astype(str).to_numpy().tolist() == [
        ["2026-11-05", "61"], ["2026-09-05", "122"], ["2026-11-10", "61"],
    ]  # fmt: skip
    assert office.value("SELECT amount FROM bills WHERE account_id = '0000001' AND period = :p", p=LATER) == 20655
    assert healthy(office)


def test_only_what_holds_a_bill_is_left_out_by_the_lead_with_a_reason_and_taken_back(desk_office: Office) -> None:
    lead, cora = desk_office.lead, desk_office.clerk("cora")
    three_services(desk_office, beacon(without=("M02",)))
    for section, values, code in (
        ("S01", {"decision": "leave out", "reason": "x"}, "not_held"),
        ("S03", {"decision": "leave out", "reason": "x"}, "not_held"),
        ("S02", {"decision": "leave out"}, "reason_missing"),
    ):
        lead.set("bill_services", section, **values)
        lead.refused("save", "cells_refused")
        assert lead.codes == {code}
        lead.press("refresh")
        lead.press("refresh")  # the typing is thrown away
    cora.press("refresh")
    cora.set("bill_services", "S02", decision="leave out", reason="x")
    cora.refused("save", "not_allowed")
    leave_out(desk_office)
    assert desk_office.table("left_out")[["service_id", "decision", "reason", "decided_by"]].to_numpy().tolist() == [
        ["S02", "leave out", "the register is stuck", "lea"]
    ]
    lead.press("undo_last")
    assert desk_office.table("left_out")["decision"].tolist() == [""]
    assert lead.press("compute").said.startswith("4 draft bills")
    leave_out(desk_office, reason="meter is dug out")
    assert lead.press("compute").said.startswith("5 draft bills")
    lead.set("bill_services", "S02", decision="", reason="")  # after all not
    lead.press("save")
    assert "5 draft bills" in lead.refused("post", "drafts_stale")
    assert lead.press("compute").said.startswith("4 draft bills")


@pytest.mark.both_databases
def test_a_right_dial_bills_its_service_anew_and_leaves_the_other_sections_as_they_were(office: Office) -> None:
    """M01 is 0108: S01 8 CCF, 20.00 + 20.00 = 40.00 + 2.00 = 42.00; S02 57.75 and S08 40.65 as they were: 140.40.

    January began at the wrong dial: S01 16 CCF 72.45 in place of 55.65. S02 010000 -> 012500 was 12.5 more: 57.75 again.
    S02 has been of another class since, which is of no account here: its section is taken over line by line.
    """
    lead = office.lead
    three_services(office)
    lead.press("post")
    second_bill(office)
    before = {name: office.table(name, "service_id = 'S02'") for name in ("bill_services", "bill_lines", "bill_reads")}
    lead.set("services", "S02", customer_class="COMMERCIAL", meter_size='1"')
    lead.press("save")
    correct(lead, kind="rebill", document="B0000001 M01=0108", reason="misread", posted_on=pd.Timestamp("2027-01-20"))
    lead.yes = False
    asked = lead.press("reverse").said
    assert "service S02 as it was, 57.75; service S08 as it was, 40.65, in all 140.40 in place of 154.05" in asked
    assert "(it began at the dial that B0000001 corrects)" in asked
    lead.yes = True
    lead.press("reverse")
    made = office.sections("replaces <> '' ORDER BY number, service_id")
    assert made[["replaces", "service_id", "amount"]].to_numpy().tolist() == [
        ["B0000001", "S01", 4200], ["B0000001", "S02", 5775], ["B0000001", "S08", 4065],
        ["B0000006", "S01", 7245], ["B0000006", "S02", 5775], ["B0000006", "S08", 4065],
    ]  # fmt: skip
    number = dict(zip(made["replaces"], made["number"], strict=True))
    for name, rows in before.items():
        for old in ("B0000001", "B0000006"):
            again = office.table(name, f"service_id = 'S02' AND number = '{number[old]}'")
            was = rows.loc[rows["number"].eq(old)].reset_index(drop=True)
            apart = [name for name in ("number", "line") if name in was]  # S01 has a line less before it
            pd.testing.assert_frame_equal(again.drop(columns=apart), was.drop(columns=apart))
    assert balance(office, "0000001") == 4500 + 4200 + 5775 + 4065 + 7245 + 5775 + 4065
    lines = office.table("bill_lines", f"number = '{number['B0000001']}'")
    assert lines["line"].tolist() == list(range(1, len(lines) + 1))
    assert healthy(office)


@pytest.mark.parametrize(
    ("document", "total"),
    [("B0000001 S01", "169.80"), ("B0000001", "185.55")],  # 71.40 + 57.75 + 40.65; 71.40 + 73.50 + 40.65
)
def test_a_named_service_is_worked_out_anew_and_without_a_name_all_are(
    desk_office: Office, document: str, total: str
) -> None:
    """S01 with a 1" meter: 35.00 + 25.00 + 8.00 = 68.00 + 3.40 = 71.40; S02 with one: 35.00 + 35.00 = 70.00 + 3.50 = 73.50."""
    lead = desk_office.lead
    three_services(desk_office)
    lead.press("post")
    second_bill(desk_office)
    for service in ("S01", "S02"):
        lead.set("services", service, meter_size='1"')
    lead.press("save")
    correct(lead, kind="rebill", document="B0000001 S03")
    assert "no service of the bill" in lead.refused("reverse", "rebill_dial")
    lead.type("adjustments", lambda rows: rows.iloc[:0])
    correct(lead, kind="rebill", document=document, posted_on=pd.Timestamp("2027-01-20"))
    lead.yes = False
    assert f"in all {total} in place of 154.05" in lead.press("reverse").said


@pytest.mark.both_databases
def test_a_reversed_bill_is_computed_again_whole(office: Office) -> None:
    lead = office.lead
    without_s02(office)
    correct(lead, kind="rebill", document="B0000001")
    lead.press("reverse")
    assert office.value("SELECT COUNT(*) FROM standing_bills WHERE number = 'B0000001'") == 0
    assert balance(office, "0000001") == 4500
    lead.press("compute")
    assert office.table("draft_bills")[["account_id", "amount", "why"]].to_numpy().tolist() == [
        ["0000001", 9630, "replaces B0000001; without S02: the register is stuck"]
    ]
    lead.press("post")
    assert lead.press("compute").said.startswith("0 draft bills")
    assert balance(office, "0000001") == 4500 + 9630
    assert healthy(office)


def test_services_of_an_account_in_two_cycles_have_a_bill_a_run(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("services", "S02", cycle="B", account_id="0000001")
    lead.press("save")
    lead.press("import_reads", ReadsFile=desk_office.file("reads.csv", beacon(without=("M02",))))
    lead.press("compute")
    lead.press("post")
    assert desk_office.table("bill_services", "number = 'B0000001'")["service_id"].tolist() == ["S01"]
    lead.press("refresh", Period="2026-12", Cycle="B")
    text = beacon(without=tuple(f"M{n:02d}" for n in (1, 3, 4, 5, 6, 7))).replace("2026-11-05", "2026-12-05")
    lead.press("import_reads", ReadsFile=desk_office.file("december.csv", text))
    lead.press("compute")
    assert lead.sheet("bills").set_index("account_id").loc["0000001", "services"] == "S02"
