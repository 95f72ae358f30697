"""Reads: taken in once, checked, decided on, and settled with the decisions that stand."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.small import Clerk, beacon
from xlbilling.trade.reads.decisions import UNUSABLE


def findings(office: Office) -> dict[str, tuple[str, str]]:
    """Each finding's severity and state."""
    found = office.table("exceptions", "state <> 'gone'")
    return {r.exception_id: (r.severity, r.state) for r in found.itertuples()}


def read_in(office: Office, *changes: tuple[str, str], who: str = "cora", **given: tuple[str, ...]) -> Clerk:
    """A clerk who has imported a file with these changes and checked it."""
    clerk = office.clerk(who)
    clerk.press("import_reads", ReadsFile=office.file("reads.csv", beacon(*changes, **given)))
    clerk.press("validate")
    return clerk


def decided(clerk: Clerk, finding: str, decision: str, **more: str) -> None:
    clerk.set("exceptions", finding, decision=decision, **({"reason": "as seen"} | more))
    clerk.press("save")


def drafts(office: Office) -> dict[str, tuple[int, int, str, str]]:
    """Each draft's consumption, amount, state and why, by service."""
    found = office.table("draft_services")
    return {r.service_id: (r.consumption, r.amount, r.state, r.why) for r in found.itertuples()}


# ---- import ----------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_the_same_file_twice_adds_nothing(office: Office) -> None:
    cora = office.clerk("cora")
    name = office.file("reads.csv", beacon())
    assert "8 rows = 8 new reads" in cora.press("import_reads", ReadsFile=name).said
    before = [office.table(t) for t in ("reads", "imports", "events", "undo")]
    said = cora.press("import_reads", ReadsFile=office.file("copy.csv", beacon())).said
    assert "was imported before; nothing was added" in said
    for name, frame in zip(("reads", "imports", "events", "undo"), before, strict=True):
        assert office.table(name).equals(frame)


def test_a_corrected_file_shows_its_changes(office: Office) -> None:
    cora = office.clerk("cora")
    cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon()))
    said = cora.press("import_reads", ReadsFile=office.file("new.csv", beacon(("M01", "0113")))).said
    assert "0 new reads + 1 changed + 7 there already" in said
    assert "M01: 0112 -> 0113" in said
    current = office.table("reads", "state = 'current'")
    assert len(current) == 8
    assert current.loc[current["meter_id"].eq("M01"), "dial_read"].tolist() == ["0113"]
    replaced = office.table("reads", "state = 'superseded'")
    assert replaced["superseded_by"].tolist() == current.loc[current["meter_id"].eq("M01"), "read_id"].tolist()


def test_rejects_are_listed_with_their_line(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    outcome = cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", beacon(extra=("one,two",))))
    assert "+ 1 rejected" in outcome.said
    assert outcome.listed
    assert [p.place.line for p in outcome.problems] == [10]
    assert desk_office.table("rejects")["source_line"].tolist() == [10]
    assert desk_office.value("SELECT rows_in - taken - rejected - duplicates FROM imports") == 0


@pytest.mark.both_databases
def test_an_import_taken_back_can_be_made_again(office: Office) -> None:
    cora = office.clerk("cora")
    for _ in range(2):
        assert "8 new reads" in cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon())).said
        cora.press("undo_last")
        assert len(cora.sheet("reads")) == 0
        assert office.value("SELECT COUNT(*) FROM reads WHERE state = 'current'") == 0


def test_undo_of_a_corrected_file_brings_the_first_reads_back(desk_office: Office) -> None:
    cora = read_in(desk_office)
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"))))
    cora.press("undo_last")
    current = desk_office.table("reads", "state = 'current'").set_index("meter_id")["dial_read"]
    assert current["M01"] == "0112"


@pytest.mark.stage("posted")
def test_a_read_that_is_billed_is_not_replaced(office: Office) -> None:
    said = office.lead.refused("import_reads", "run_posted", ReadsFile=office.file("new.csv", beacon(("M01", "0113"))))
    assert "B0000001" in said
    assert office.value("SELECT COUNT(*) FROM reads WHERE state <> 'current'") == 0


def test_a_file_that_is_not_there_is_asked_for(desk_office: Office) -> None:
    assert "none.csv" in desk_office.clerk("cora").refused("import_reads", "file_wanted", ReadsFile="none.csv")


# ---- checks and decisions --------------------------------------------------------------------------------------------

# finding, changes to the file, registers left out, severity
CHECKS = (
    ("missing_read M01", (), ("M01",), "block"),
    ("no_read M01", (("M01", ""), ("M01.Read_Method", "n/a"), ("M01.Read_Time", "")), (), "block"),
    ("duplicate_read M01", (), (), "block"),
    ("outside_window M01", (("M01.Read_Time", "2026-11-20 08:00"),), (), "block"),
    ("wrong_unit M01", (("M01.Read_Unit", "GAL"),), (), "block"),
    ("too_many_dials M01", (("M01", "10112"),), (), "block"),
    ("read_below_last M01", (("M01", "0099"),), (), "block"),
    ("rollover M05", (), (), "review"),
    ("spike S01", (("M01", "0220"),), (), "block"),
    ("high S01", (("M01", "0122"),), (), "review"),
    ("low S01", (("M01", "0103"),), (), "review"),
    ("stuck M01", (("M01", "0100"),), (), "review"),
    ("too_few_dials M01", (("M01", "98"),), (), "block"),
    ("reversed_meter M01", (("M01", "0089"),), (), "block"),
    ("inactive_consumption M06", (("M06", "0205"),), (), "block"),
    ("unknown_meter M99", (), (), "review"),
)
_SECOND = "0000001,LS01,1,M01,,13M01,Network,0115,CCF,1,2026-11-05 10:00"
_STRANGER = ",,1,M99,,13M99,Network,0015,CCF,1,2026-11-05 10:00"


@pytest.mark.parametrize(("finding", "changes", "without", "severity"), CHECKS, ids=[c[0].split()[0] for c in CHECKS])
def test_each_check_finds_its_trouble_and_holds_what_it_should(
    desk_office: Office, finding: str, changes: tuple, without: tuple[str, ...], severity: str
) -> None:
    extra = {"duplicate_read M01": (_SECOND,), "unknown_meter M99": (_STRANGER,)}.get(finding, ())
    cora = read_in(desk_office, *changes, without=without, extra=extra)
    found = findings(desk_office)
    assert found.pop(finding) == (severity, "open")
    found.pop("rollover M05", None)
    # A dial with a digit too many is a spike as well.
    assert set(found) == ({"spike S01"} if finding.startswith("too_many") else set())
    row = cora.sheet("exceptions").loc[finding]
    assert row["fact"]
    assert row["remedy"]
    assert row["place"].startswith(("Reads!", "Meters!")), row["place"]
    cora.press("compute")
    state = drafts(desk_office)
    held = [service for service, (_, _, state, _) in state.items() if state == "held"]
    billed_anyway = severity != "block" or finding.startswith("inactive")
    assert held == ([] if billed_anyway else ["S01"])
    if held:
        assert finding.split(maxsplit=1)[0] in state["S01"][3]


def test_a_decision_without_a_reason_is_refused_with_its_cell(desk_office: Office) -> None:
    cora = read_in(desk_office, without=("M01",))
    cora.set("exceptions", "missing_read M01", decision="estimate")
    said = cora.refused("save", "reason_missing")
    assert "Exceptions!T4" in said
    assert desk_office.value("SELECT COUNT(*) FROM exceptions WHERE decision <> ''") == 0


def test_many_findings_are_decided_in_one_go(desk_office: Office) -> None:
    cora = read_in(desk_office, without=("M01", "M02", "M07"))
    cora.type("exceptions", lambda rows: rows.assign(decision="estimate", reason="no read came in").where(
        rows["rule"].eq("missing_read"), rows))  # fmt: skip
    cora.press("save")
    assert set(findings(desk_office).values()) == {("block", "decided"), ("review", "open")}
    cora.press("compute")
    assert not [s for s in drafts(desk_office).values() if s[2] == "held"]


@pytest.mark.parametrize(
    ("finding", "given", "decision", "more", "consumption"),
    [
        # 11 CCF of the same period last year
        ("missing_read M01", {"without": ("M01",)}, "estimate", {}, 11),
        ("spike S01", {"changes": (("M01", "0220"),)}, "accept", {}, 120),
        # 0118 typed in: 118 - 100 = 18
        ("spike S01", {"changes": (("M01", "0220"),)}, "override", {"override_read": "0118"}, 18),
        ("missing_read M01", {"without": ("M01",)}, "override", {"override_read": "0118"}, 18),
        # accepting a read below the last takes it as a rollover: 10000 - 100 + 99 = 9999
        ("read_below_last M01", {"changes": (("M01", "0099"),)}, "accept", {}, 9999),
        # the first of two reads, 0112
        ("duplicate_read M01", {"extra": (_SECOND,)}, "accept", {}, 12),
    ],
)
def test_a_decision_is_honoured(
    desk_office: Office, finding: str, given: dict, decision: str, more: dict[str, str], consumption: int
) -> None:
    changes = given.pop("changes", ())
    cora = read_in(desk_office, *changes, **given)
    decided(cora, finding, decision, **more)
    cora.press("compute")
    got, _, state, why = drafts(desk_office)["S01"]
    assert (got, state, why) == (consumption * 1_000_000, "draft", "")


@pytest.mark.parametrize(
    ("decision", "more", "why"),
    [
        ("reread", {}, "missing_read (re-read asked for)"),
        ("accept", {}, UNUSABLE),
        ("override", {}, "override: '' is not a dial read"),
        ("override", {"override_read": "12x"}, "override: '12x' is not a dial read"),
        ("override", {"override_read": "10112"}, "override: 10112 has more digits than the meter's 4 dials"),
        ("override", {"override_read": "0099"}, "read_below_last / override"),
    ],
)  # fmt: skip
def test_a_decision_that_cannot_be_honoured_holds_the_bill_and_says_why(
    desk_office: Office, decision: str, more: dict[str, str], why: str
) -> None:
    cora = read_in(desk_office, without=("M01",))
    decided(cora, "missing_read M01", decision, **more)
    cora.press("compute")
    assert drafts(desk_office)["S01"][2:] == ("held", why)


def test_nothing_is_billed_past_the_end_of_a_service_or_an_account(desk_office: Office) -> None:
    """S01 and S08 ended on 10-20, account 2 was closed then, account 7 is closed without a day.

    S01 0100 -> 0107 on 10-20: 20.00 + 7 x 2.50 = 37.50 + 1.88 = 39.38. S08, a fire line without a meter: 40.65.
    """
    cora, day = desk_office.clerk("cora"), pd.Timestamp("2026-10-20")
    for service in ("S01", "S08"):
        cora.set("services", service, ended_on=day)
    cora.set("accounts", "0000002", status="final", closed_on=day)
    cora.set("accounts", "0000007", status="closed")
    cora.press("save")
    cora = read_in(desk_office)
    facts = desk_office.table("exceptions", "rule = 'service_ended'").set_index("service_id")["fact"]
    read_of = "the read is of 2026-11-05"
    assert facts.to_dict() == {
        "S01": f"the service ended on 2026-10-20, {read_of}",
        "S02": f"account 0000002 was closed on 2026-10-20, {read_of}",
        "S07": f"account 0000007 is closed, but not on which day; {read_of}",
    }
    cora.set("exceptions", "service_ended S01", decision="override", override_read="0107", reason="final read by phone")
    cora.press("save")
    cora.press("compute")
    bills = desk_office.table("draft_services").set_index("service_id")
    assert bills.loc[["S01", "S08"], ["amount", "service_to", "state"]].to_numpy().tolist() == [
        [3938, day, "draft"],
        [4065, day, "draft"],
    ]
    assert bills.loc[["S02", "S07"], "why"].tolist() == ["service_ended", "service_ended"]


def test_an_estimate_of_one_register_leaves_the_others_their_reads(desk_office: Office) -> None:
    """S03 used 15 last year; register H read 5 of it, so L is estimated at 10: its dial goes from 0050 to 0060."""
    cora = read_in(desk_office, without=("M03:L",))
    decided(cora, "missing_read M03:L", "estimate")
    cora.press("compute")
    assert drafts(desk_office)["S03"][0] == 15_000_000
    read = desk_office.table("draft_reads", "meter_id = 'M03' AND register_id = 'L'").iloc[0]
    assert (read["dial_read"], read["read_code"], read["consumption"]) == ("0060", "estimated", 10_000_000)


def test_a_decision_no_longer_stands_when_its_fact_changed(desk_office: Office) -> None:
    cora = read_in(desk_office, ("M01", "0220"))
    decided(cora, "spike S01", "accept")
    assert findings(desk_office)["spike S01"] == ("block", "decided")
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0230"))))
    cora.press("validate")
    assert findings(desk_office)["spike S01"] == ("block", "open")


def test_a_decision_on_a_finding_that_went_away_is_kept_as_gone(desk_office: Office) -> None:
    cora = read_in(desk_office, ("M01", "0220"))
    decided(cora, "spike S01", "reread")
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon()))
    cora.press("validate")
    gone = desk_office.table("exceptions", "state = 'gone'")
    assert gone["exception_id"].tolist() == ["spike S01"]
    assert gone["decided_by"].tolist() == ["cora"]
    assert "spike S01" not in cora.sheet("exceptions").index


@pytest.mark.stage("posted")
def test_after_posting_there_is_nothing_to_say_of_billed_reads(office: Office) -> None:
    before = office.table("exceptions")
    office.lead.press("validate")
    assert office.table("exceptions").equals(before)
    assert office.table("exceptions")["exception_id"].tolist() == ["rollover M05"]


def test_an_import_waits_for_unsaved_decisions(desk_office: Office) -> None:
    cora = read_in(desk_office)
    cora.set("exceptions", "rollover M05", decision="accept", reason="came round")
    cora.refused("import_reads", "unsaved_changes", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"))))


def test_reads_show_what_they_come_from_and_what_was_found(desk_office: Office) -> None:
    cora = read_in(desk_office)
    rows = cora.sheet("reads").set_index("meter_id")
    assert rows.loc["M05", "finding"] == "rollover"
    assert rows.loc["M01", "source"] == "reads.csv:2"
    assert rows.loc["M01", "previous_read"] == "0100"
    assert rows.loc["M01", "days"] == 61


@pytest.mark.stage("computed")
def test_the_sheet_compares_each_read_in_the_billing_unit(office: Office) -> None:
    """M02 counts cubic feet: 1,250 of them are 12.5 CCF; M04 gallons by ten: 7,480 are 10. Every history is 11 a period."""
    reads = office.lead.sheet("reads").set_index("meter_id")
    assert reads.loc["M02", ["consumption", "days", "last_year", "average"]].tolist() == [12_500_000, 61, 11_000_000, 11_000_000]  # fmt: skip
    assert reads.loc["M04", "consumption"] == 10_000_000
