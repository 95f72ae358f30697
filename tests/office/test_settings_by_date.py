"""Settings by date: a value waits for its day, holds from it on, and every reader asks as of its own day."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pandas as pd
import pytest

import xlbilling
from tests.office.conftest import Office
from tests.office.reads.test_readings import findings, read_in
from xlbilling.office.outgoing.packs import pack_facts

HIGH = {"topic": "check", "setting": "high", "severity": "block"}


def later(office: Office, month: int, day: int, year: int = 2026) -> None:
    office.clock.now = office.clock.now.replace(year=year, month=month, day=day)


def highs(office: Office) -> dict[str, tuple[str, str]]:
    return {key: found for key, found in findings(office).items() if key.startswith("high")}


def policy_states(office: Office, setting: str, who: str = "lea") -> dict[str, str]:
    sheet = office.clerk(who).sheet("policy")
    return sheet.loc[sheet["setting"].eq(setting), "state"].to_dict()


# ---- readers ---------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_limit_that_changes_on_a_date_checks_the_runs_of_each_side(office: Office) -> None:
    """200 % of the usual is the limit up to 2026-11-30, 150 % from 2026-12-01 on.

    M01 uses 17 in 61 days, where 11 are usual: 155 %. M09 uses 26 in 91 days, where 11 x 91 / 61 = 16.4 are: 158 %.

    Cycle A is billed on 2026-11-12, cycle B on 2026-12-12; both are checked on the same day, 2026-11-23.
    """
    lead = office.lead
    lead.add("policy", **HIGH, value="150", source="Res. 2026-31", effective_from=pd.Timestamp("2026-12-01"))
    said = lead.press("save").said
    assert said == "Saved 1 changes. check / high = 150 comes on 2026-12-01."
    assert policy_states(office, "high") == {"check / high": "in force", "check / high / 2026-12-01": "coming"}
    read_in(office, ("M01", "0117"))
    assert highs(office) == {}
    cora = office.clerk("cora")
    cora.press("refresh", Cycle="B", Period="2026-12")
    read_in(
        office, ("M09", "0426"), *((f"M{n:02d}.Read_Time", "2026-12-05 08:00") for n in range(9, 13)), cycle="B",
    )  # fmt: skip
    assert highs(office) == {"high S09": ("block", "open")}
    later(office, 12, 1)
    lead.press("refresh")
    assert policy_states(office, "high") == {"check / high": "was", "check / high / 2026-12-01": "in force"}


@pytest.mark.stage("computed")
def test_what_comes_later_leaves_computed_bills_as_they_are(office: Office) -> None:
    """The drafts of November do not go by a rule of December; they do by one of November."""
    lead = office.lead
    lead.add("policy", **HIGH, value="150", effective_from=pd.Timestamp("2026-12-01"))
    lead.add("policy", topic="staff", setting="dan", value="clerk")
    lead.press("save")
    assert "bills" in lead.press("post").said


@pytest.mark.stage("computed")
def test_a_rule_of_the_bill_date_makes_computed_bills_stale(office: Office) -> None:
    lead = office.lead
    lead.add("policy", **HIGH, value="150", effective_from=pd.Timestamp("2026-11-12"))
    lead.press("save")
    lead.refused("post", "drafts_stale")


def test_a_role_is_given_from_a_date(office: Office) -> None:
    """cora is a clerk and from 2026-12-01 on a lead."""
    office.lead.add("policy", topic="staff", setting="cora", value="lead", effective_from=pd.Timestamp("2026-12-01"))
    office.lead.press("save")
    cora = office.clerk("cora")
    later(office, 11, 30)
    cora.refused("post", "not_allowed")
    later(office, 12, 1)
    cora.press("refresh")
    assert "cora (lead)" in str(cora.workbook().get("Actor"))


def test_aging_goes_by_the_buckets_of_its_day(office: Office) -> None:
    """Two bills of 2026-10-15 are open: 16 days old on 2026-10-31, 46 days on 2026-11-30, 77 days on 2026-12-31."""
    lead = office.lead
    lead.add("policy", topic="aging", setting="buckets", value="45, 90", effective_from=pd.Timestamp("2026-12-01"))
    lead.press("save")
    for period, buckets, amounts in (
        ("2026-11", ["current", "days_31_60", "days_61_90", "over_90"], [0, 7500, 0, 0]),
        ("2026-12", ["current", "days_46_90", "over_90"], [0, 7500, 0]),
    ):
        desk = lead.desk(Period=period)
        assert pack_facts(desk).aging[buckets].sum().tolist() == amounts
        desk.store.close()


# ---- what Save refuses -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "code", "says"),
    [
        ([{"topic": "aging", "setting": "buckets", "value": "45", "effective_from": d} for d in ("2026-12-01",) * 2],
         "key_twice", "aging / buckets / 2026-12-01 is on the sheet twice"),
        ([{"topic": "aging", "setting": "buckets", "value": "45"}], "key_twice", "aging / buckets is on the sheet twice"),
        ([{"topic": "aging", "setting": "buckets", "value": "soon", "effective_from": "2026-12-01"}],
         "policy_wrong", "'soon' is not a list of whole days"),
        ([{**HIGH, "severity": "", "value": "150", "effective_from": "2026-12-01"}], "policy_wrong", "high has the severity ''"),
        ([{"topic": "staff", "setting": "cora", "value": "boss", "effective_from": "2026-12-01"}], "policy_wrong", "'boss' is not one of"),
        ([{"topic": "staff", "setting": "lea", "value": "clerk", "effective_from": "2026-12-01"}],
         "no_lead", "no log-in would have the role lead from 2026-12-01"),
        ([{"topic": "payments", "setting": "method / ACH", "value": "autopay"},
          {"topic": "payments", "setting": "method / ach", "value": "web", "effective_from": "2026-12-01"}],
         "policy_spelled_twice", "'method / ach' is the setting 'method / ACH' of another row"),
    ],
)  # fmt: skip
def test_a_dated_row_that_cannot_be_is_refused_at_its_row(
    desk_office: Office, rows: list[dict[str, str]], code: str, says: str
) -> None:
    lead = desk_office.lead
    first = len(lead.sheet("policy")) + 4  # the sheet's first row is 4
    for row in rows:
        day = {"effective_from": pd.Timestamp(row["effective_from"])} if "effective_from" in row else {}
        lead.add("policy", **{**row, **day})
    lead.refused("save", "cells_refused")
    assert any(says in mark for mark in lead.marked), lead.marked
    assert lead.codes - {"typed_over"} == {code}
    if code != "no_lead":  # which is of no row alone
        assert any(re.search(rf"Policy!\w{first + len(rows) - 1}\b", mark) for mark in lead.marked), lead.marked


def test_days_before_the_first_value_are_named(desk_office: Office) -> None:
    """A rule that is always asked for may not begin with a day; what only some rows have may."""
    desk_office.converted("UPDATE policy SET effective_from = '2026-07-01' WHERE setting IN ('buckets', 'high')")
    lead = desk_office.lead
    lead.press("refresh")
    lead.add(
        "policy", topic="payments", setting="method / ACH", value="autopay", effective_from=pd.Timestamp("2026-12-01")
    )
    lead.refused("save", "cells_refused")
    assert lead.codes == {"policy_gap"}
    assert [p.fact for p in lead.problems] == [
        "check / high has no value before 2026-07-01", "aging / buckets has no value before 2026-07-01",
    ]  # fmt: skip


# ---- undo, history, conflicts ----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_undo_and_history_go_by_setting_and_day(office: Office) -> None:
    lead = office.lead

    def values() -> list[str]:
        return [str(v) for v in office.table("policy", "setting = 'nominal_days'", "effective_from")["value"]]

    lead.add("policy", topic="billing", setting="nominal_days", value="60", effective_from=pd.Timestamp("2027-01-01"))
    lead.set("policy", "billing / nominal_days", value="59")
    lead.press("save")
    lead.set("policy", "billing / nominal_days / 2027-01-01", value="62", source="Res. 9")
    assert "comes on 2027-01-01" in lead.press("save").said
    assert values() == ["59", "62"]
    assert lead.sheet("policy").loc["billing / nominal_days / 2027-01-01", "meaning"].startswith("Days a full bill")
    lead.press("undo_last")
    assert values() == ["59", "60"]
    lead.press("undo_last")
    assert values() == ["61"]
    assert office.value("SELECT rev FROM policy WHERE setting = 'nominal_days'") == 3


def test_two_leads_on_one_dated_row_is_a_conflict_and_on_two_is_none(office: Office) -> None:
    lea, day = office.lead, pd.Timestamp("2027-01-01")
    lea.add("policy", topic="staff", setting="lou", value="lead")
    lea.add("policy", topic="billing", setting="nominal_days", value="60", effective_from=day)
    lea.press("save")
    lou = office.clerk("lou")
    lou.press("refresh")
    lea.set("policy", "billing / nominal_days / 2027-01-01", value="62")
    lou.set("policy", "billing / nominal_days", value="59")
    lea.press("save")
    lou.press("save")
    lou.press("refresh")
    lea.set("policy", "billing / nominal_days / 2027-01-01", value="63")
    lou.set("policy", "billing / nominal_days / 2027-01-01", value="64")
    lea.press("save")
    assert "lea changed it to 63" in lou.refused("save", "changed_meanwhile")


def test_a_day_typed_as_text_is_the_same_day(desk_office: Office) -> None:
    """A cell may hold 12/1/2026 as text; its row is that of 2026-12-01."""
    lead = desk_office.lead
    lead.add("policy", topic="aging", setting="buckets", value="45", effective_from=pd.Timestamp("2026-12-01"))
    lead.press("save")
    lead.raw("policy", "aging / buckets / 2026-12-01", "effective_from", "12/1/2026")
    assert lead.press("save").said == "Nothing to save."


# ---- one way to read -------------------------------------------------------------------------------------------------


def test_no_reader_takes_the_raw_policy() -> None:
    """Only `policy_on` takes the stored table, and hands on what is in force on a day; the store and its migrations write it."""
    package = Path(xlbilling.__file__).parent
    raw = re.compile(r"\b(FROM|JOIN)\s+policy\b", re.IGNORECASE)
    named = []
    for path in package.rglob("*.py"):
        if path.name == "migrations.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            table = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "table"
            if table and any(isinstance(arg, ast.Constant) and arg.value == "policy" for arg in node.args):
                named.append((path.name, ast.unparse(node)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and raw.search(node.value):
                named.append((path.name, node.value))
    assert named == [("desk.py", "store.table('policy')")]
