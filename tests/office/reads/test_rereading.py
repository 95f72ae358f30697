"""Re-reads: decided on the sheet, listed for the crew, read again, taken in, and billed."""

from __future__ import annotations

import csv

import openpyxl
import pandas as pd
import pytest
from openxml_audit import OpenXmlValidator

from tests.office.conftest import Office
from tests.office.small import Clerk, beacon
from xlbilling.intake.reads import parse_reads
from xlbilling.papers.template import template_file

RUN = "reread-A-2026-11"
# S01 used 120 against 11; M07 has no read; register L of M03 has no read.
TROUBLE = {"changes": (("M01", "0220"),), "without": ("M07", "M03:L")}


def sent_out(
    office: Office, *findings: str, changes: tuple = (), without: tuple[str, ...] = (), **more: tuple
) -> Clerk:
    """A clerk who had these findings decided reread, saved, and the list written."""
    cora = office.clerk("cora")
    cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon(*changes, without=without, **more)))
    cora.press("validate")
    for finding in findings:
        cora.set("exceptions", finding, decision="reread", reason="send the crew")
    cora.press("save")
    return cora


def listed(office: Office) -> list[list[object]]:
    """The list's lines as they stand under its headings."""
    path = office.folder / f"{RUN}.xlsx"
    assert OpenXmlValidator().validate(str(path)).is_valid
    sheet = openpyxl.load_workbook(path)["Re-read list"]
    return [[cell.value for cell in row] for row in sheet.iter_rows(min_row=6) if any(cell.value for cell in row)]


def test_the_list_names_where_to_go_and_what_the_dial_should_say(desk_office: Office) -> None:
    cora = sent_out(desk_office, "spike S01", "missing_read M07", "missing_read M03:L", **TROUBLE)
    said = cora.press("reread_list").said
    assert said == (
        f"{RUN}.xlsx: 4 registers of 3 meters on 1 route. For the reading system: {RUN}-beacon.csv (4 registers)."
    )
    head, *rows = listed(desk_office)
    assert head[0] == "Route 01: 3 meters"
    assert set(head[1:]) == {None}
    assert [row[:6] for row in rows] == [
        ["01", "1 Oak St", "Customer 1", "M01", None, '5/8"'],
        ["01", "3 Oak St", "Customer 3", "M03", "H", '1"'],
        ["01", "3 Oak St", "Customer 3", "M03", "L", '1"'],
        ["01", "7 Oak St", "Customer 7", "M07", None, '5/8"'],
    ]
    assert [row[6] for row in rows] == ["0100", "0010", "0050", "0300"]
    assert {f"{row[7]:%Y-%m-%d}" for row in rows} == {"2026-09-05"}
    # 11 in 61 days, 79 days from 2026-09-05 to 2026-11-23: 14.2 is usual, 7.1 to 28.5; M03's registers share its water
    assert [row[8] for row in rows] == ["0107 to 0129", None, None, "0307 to 0329"]
    assert rows[0][9].startswith("spike: 120 in 61 days")
    assert rows[1][9] == "read with the meter's other register"
    assert {row[10] for row in rows} | {row[11] for row in rows} == {None}


def test_the_file_is_in_the_layout_the_reads_came_in(desk_office: Office) -> None:
    cora = sent_out(desk_office, "spike S01", "missing_read M07", "missing_read M03:L", **TROUBLE)
    cora.press("reread_list")
    back = parse_reads(desk_office.folder / f"{RUN}-beacon.csv", in_child=False)
    assert back.format == "beacon"
    assert back.rejects.empty
    assert (back.reads["meter_id"] + back.reads["register_id"]).tolist() == ["M01", "M03H", "M03L", "M07"]
    assert set(back.reads["read_code"]) == {"no_read"}


def test_a_route_with_another_system_gets_a_file_of_its_own(desk_office: Office) -> None:
    """M01 and M02 come in a table of their own; M07, which has no read, goes with its route's others."""
    cora = desk_office.clerk("cora")
    table = "Meter,Account,Read Date,Read\nM01,0000001,2026-11-05,0220\nM02,0000002,2026-11-05,011250\n"
    cora.press("import_reads", ReadsFile=desk_office.file("two.csv", table))
    cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", beacon(without=("M01", "M02", "M07"))))
    cora.press("validate")
    for finding in ("spike S01", "missing_read M07"):
        cora.set("exceptions", finding, decision="reread", reason="send the crew")
    cora.press("save")
    said = cora.press("reread_list").said
    assert f"{RUN}-beacon.csv (1 register); {RUN}-generic.csv (1 register)" in said
    assert (
        (desk_office.folder / f"{RUN}-generic.csv").read_text().splitlines()[1].startswith("01,1 Oak St,0000001,M01,")
    )


@pytest.mark.parametrize("again", ["reread.csv", "filled"])
def test_from_the_decision_to_the_bill(office: Office, again: str) -> None:
    """S01 was misread as 0220 and is read again at 0112 (12 CCF, 55.65); the crew fills in the very file it was given."""
    cora = sent_out(office, "spike S01", changes=(("M01", "0220"),))
    cora.press("compute")
    held = office.table("draft_services", "state = 'held'").set_index("service_id")["why"]
    assert held.to_dict() == {"S01": "spike (re-read asked for)"}
    cora.press("reread_list")
    if again == "filled":
        path = office.folder / f"{RUN}-beacon.csv"
        with path.open(newline="") as handle:
            rows = list(csv.DictReader(handle))
        assert len(rows) == 1
        rows[0] |= {"Read": "0112", "Read_Time": "2026-11-09 10:00"}
        with path.open("w", newline="") as handle:
            writer = csv.DictWriter(handle, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        name = path.name
    else:
        name = office.file("reread.csv", beacon(("M01", "0112"), ("M01.Read_Time", "2026-11-09 10:00")))
    said = cora.press("import_reads", ReadsFile=name).said
    assert "1 changed" in said
    assert "M01: 0220 -> 0112" in said
    cora.press("validate")
    gone = office.table("exceptions", "exception_id = 'spike S01'").iloc[0]
    assert (gone["state"], gone["decision"], gone["decided_by"]) == ("gone", "reread", "cora")
    cora.press("compute")
    bill = office.table("draft_services", "service_id = 'S01'").iloc[0]
    assert (bill["state"], bill["consumption"], bill["amount"]) == ("draft", 12_000_000, 5565)
    cora.refused("reread_list", "no_rereads")


def test_a_re_read_that_says_nothing_new_leaves_the_finding_to_decide_again(desk_office: Office) -> None:
    """The dial is 0220 indeed, read four days later: another fact, so the finding is open again."""
    cora = sent_out(desk_office, "spike S01", changes=(("M01", "0220"),))
    again = beacon(("M01", "0220"), ("M01.Read_Time", "2026-11-09 10:00"))
    cora.press("import_reads", ReadsFile=desk_office.file("again.csv", again))
    cora.press("validate")
    found = desk_office.table("exceptions", "exception_id = 'spike S01'").iloc[0]
    assert (found["state"], found["decision"]) == ("open", "")
    cora.set("exceptions", "spike S01", decision="accept", reason="read twice, pipe burst")
    cora.press("save")
    cora.press("compute")
    assert desk_office.table("draft_services", "service_id = 'S01'")["consumption"].tolist() == [120_000_000]


def test_a_meter_nobody_knows_is_on_the_list_with_its_number_alone(desk_office: Office) -> None:
    stranger = ",,1,M99,,13M99,Network,0015,CCF,1,2026-11-05 10:00"
    cora = sent_out(desk_office, "unknown_meter M99", extra=(stranger,))
    said = cora.press("reread_list").said
    assert "1 register of 1 meter" in said
    head, row = listed(desk_office)
    assert head[0] == "Route not known: 1 meter"
    assert (row[3], row[8], row[9]) == ("M99", None, "unknown meter: meter M99 is on no active service of this cycle")


def test_a_whole_route_without_reads_is_sent_out_whole(desk_office: Office) -> None:
    """Every meter of an active service on the route; M06 is on an inactive one."""
    file = beacon(without=("M01", "M02", "M03:L", "M03:H", "M04", "M05", "M07"))
    cora = desk_office.clerk("cora")
    cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", file))
    cora.press("validate")
    cora.set("exceptions", "missing_route 01", decision="reread", reason="reader was ill")
    cora.press("save")
    assert "7 registers of 6 meters on 1 route" in cora.press("reread_list").said
    rows = listed(desk_office)[1:]
    assert [row[3] for row in rows] == ["M01", "M02", "M03", "M03", "M04", "M05", "M07"]
    assert {row[9] for row in rows} == {"missing route: none of the 7 registers of route 01 has a read"}


def test_a_dial_about_to_go_round_is_expected_past_zero(desk_office: Office) -> None:
    """M05 stands at 9995: half of 14.2 brings it to 10002, which shows 0002; twice to 10024, 0024."""
    cora = sent_out(desk_office, "rollover M05")
    cora.press("reread_list")
    assert listed(desk_office)[1][8] == "0002 to 0024"


def test_without_such_a_decision_there_is_nothing_to_list(desk_office: Office) -> None:
    cora = sent_out(desk_office)
    assert "cycle A of 2026-11 has none" in cora.refused("reread_list", "no_rereads")
    cora.set("exceptions", "rollover M05", decision="reread", reason="not saved yet")
    cora.refused("reread_list", "unsaved_changes")
    assert not list(desk_office.folder.glob("reread-*"))


def test_the_list_is_logged_and_changes_nothing_else(desk_office: Office) -> None:
    cora = sent_out(desk_office, "rollover M05")
    before = desk_office.table("exceptions")
    cora.press("reread_list")
    pd.testing.assert_frame_equal(desk_office.table("exceptions"), before)
    last = desk_office.table("events").iloc[-1]
    assert (last["actor"], last["action"]) == ("cora", "reread_list")
    assert last["detail"].startswith(f"{RUN}.xlsx: 1 register of 1 meter")


def test_the_districts_own_template_is_used(desk_office: Office) -> None:
    cora = sent_out(desk_office, "rollover M05")
    own = desk_office.folder / "templates"
    own.mkdir()
    restyled = openpyxl.load_workbook(template_file("reread-list.xlsx", None))
    restyled["Re-read list"]["A1"] = "Go and look"
    restyled.save(own / "reread-list.xlsx")
    cora.press("reread_list")
    assert openpyxl.load_workbook(desk_office.folder / f"{RUN}.xlsx")["Re-read list"]["A1"].value == "Go and look"
