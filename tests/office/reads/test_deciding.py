"""The exceptions desk: findings by money at risk, their course, many decided alike, and what a press takes back."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tests.office.conftest import Office
from tests.office.small import Clerk, beacon
from xlbilling.terminal.commands import app

# At 5.00 a unit against the usual 11: M01 0123 = 23, 60.00; M07 0322 and M02 012200 = 22, 55.00 each;
# M04 001746 = 16,460 gal = 22.005 CCF, 55.03 (11.005 x 5.00 = 55.025, half up).
HIGH = (("M01", "0123"), ("M07", "0322"), ("M02", "012200"), ("M04", "001746"))


def read_in(office: Office, *changes: tuple[str, str], **given: tuple[str, ...]) -> Clerk:
    clerk = office.clerk("cora")
    clerk.press("import_reads", ReadsFile=office.file("reads.csv", beacon(*changes, **given)))
    clerk.press("validate")
    return clerk


def decisions(office: Office) -> dict[str, tuple[str, str, str]]:
    found = office.table("exceptions", "decision <> ''")
    return {r.exception_id: (r.decision, r.reason, r.decided_by) for r in found.itertuples()}


# ---- how the findings stand ------------------------------------------------------------------------------------------


def test_open_findings_come_first_then_the_dearest_then_the_gravest(desk_office: Office) -> None:
    cora = read_in(desk_office, ("M01", "0220"), ("M07", "0322"), without=("M02",))
    # S01 uses 120 against 11: 109 x 5.00; S07 22 against 11: 11 x 5.00; S02 has no read and
    # used 11, which is as dear and holds its bill; S05 uses 10 against 11
    rows = cora.sheet("exceptions")
    assert rows.index.tolist() == ["spike S01", "missing_read M02", "high S07", "rollover M05"]
    assert rows["money_at_risk"].tolist() == [54500, 5500, 5500, 500]
    cora.set("exceptions", "spike S01", decision="accept", reason="pool filled")
    cora.press("save")
    assert cora.sheet("exceptions").index.tolist() == ["missing_read M02", "high S07", "rollover M05", "spike S01"]


def test_the_course_shows_the_last_bills_and_this_run_before_and_after_compute(desk_office: Office) -> None:
    # seven periods of 11 before; 88 now is eight times as much, and a rollover of 10 is nearly the same
    cora = read_in(desk_office, ("M01", "0188"), without=("M07",))
    before = cora.sheet("exceptions")["history"]
    assert set(before["spike S01"][:-1]) == {"▁"}
    assert before["spike S01"][-1] == "█"
    assert before["missing_read M07"].endswith("█·")  # no read: nothing is measured
    assert set(before["rollover M05"]) == {"█"}
    cora.press("compute")
    after = cora.sheet("exceptions")["history"]
    assert after.to_dict() == before.to_dict()


def test_posting_changes_nothing_in_the_course(desk_office: Office) -> None:
    cora = read_in(desk_office)
    before = cora.sheet("exceptions")["history"]["rollover M05"]
    cora.press("compute")
    desk_office.lead.press("refresh")
    desk_office.lead.press("post")
    desk_office.lead.press("refresh")
    assert desk_office.lead.sheet("exceptions")["history"]["rollover M05"] == before


def test_a_meter_on_no_service_has_no_course(desk_office: Office) -> None:
    stranger = ",,1,M99,,13M99,Network,0015,CCF,1,2026-11-05 10:00"
    cora = read_in(desk_office, extra=(stranger,))
    assert cora.sheet("exceptions")["history"]["unknown_meter M99"] == ""


# ---- many at once ----------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_decide_alike_looks_first_then_writes_each_with_who_and_when(office: Office) -> None:
    cora = read_in(office, *HIGH)
    cora.yes = False
    cora.set("exceptions", "high S01", decision="accept", reason="hot summer")
    said = cora.press("decide_alike").said
    assert said == "3 findings are listed; press Decide alike again to write them."
    asked = str(cora.cell("Question")).splitlines()
    assert asked[0] == "Decide 3 findings like the 1 you typed?"
    # 55.03 + 55.00 + 55.00
    assert asked[1] == "high (review): accept, hot summer: 3 findings, 165.03 at risk in all: S04, S02, S07"
    assert decisions(office) == {}
    assert cora.press("decide_alike").said == "Decided 3 findings alike, besides the 1 typed."
    assert decisions(office) == dict.fromkeys(
        ("high S01", "high S02", "high S04", "high S07"), ("accept", "hot summer", "cora")
    )
    stamped = office.table("exceptions", "decision <> ''")["decided_at"]
    assert stamped.str.startswith("2026-11-23").all()
    assert set(cora.sheet("exceptions")["state"]) == {"decided", "open"}


def test_undo_takes_all_of_them_back(office: Office) -> None:
    cora = read_in(office, *HIGH)
    cora.set("exceptions", "high S01", decision="accept", reason="hot summer")
    cora.press("decide_alike")
    assert len(decisions(office)) == 4
    assert cora.press("undo_last").said == "Undid Decide alike."
    assert decisions(office) == {}
    assert set(cora.sheet("exceptions")["state"]) == {"open"}
    cora.set("exceptions", "high S01", decision="accept", reason="again")  # the rows are no conflict afterwards
    cora.press("save")


def test_dearer_findings_other_checks_and_decided_ones_are_left_alone(desk_office: Office) -> None:
    cora = read_in(desk_office, *HIGH)
    cora.set("exceptions", "high S02", decision="reread", reason="own reason")
    cora.press("save")
    cora.set("exceptions", "high S07", decision="accept", reason="looked at")  # 55.00: the others are above
    assert cora.press("decide_alike").said == "No other open finding is like what you typed; press Save."
    assert decisions(desk_office) == {"high S02": ("reread", "own reason", "cora")}
    cora.set("exceptions", "high S04", decision="accept", reason="looked at")  # 55.03 is typed, 60.00 still above
    assert "No other open finding" in cora.press("decide_alike").said
    cora.set("exceptions", "high S04", decision="", reason="")
    cora.set("exceptions", "high S07", decision="", reason="")
    cora.set("exceptions", "high S01", decision="accept", reason="looked at")  # 60.00: all the others
    cora.press("decide_alike")
    found = decisions(desk_office)
    assert set(found) == {"high S01", "high S02", "high S04", "high S07"}
    assert found["high S02"] == ("reread", "own reason", "cora")


def test_a_review_never_decides_a_finding_that_holds_a_bill(desk_office: Office) -> None:
    cora = read_in(desk_office, without=("M01", "M07"))
    desk_office.lead.press("refresh")
    # one of the two was only to be looked at when it was found
    store = desk_office.store()
    with store.work("lea", "test") as work:
        work.execute("UPDATE exceptions SET severity = 'review' WHERE exception_id = 'missing_read M01'")
    store.close()
    cora.press("refresh")
    cora.set("exceptions", "missing_read M01", decision="estimate", reason="gate locked")
    assert "No other open finding" in cora.press("decide_alike").said
    cora.set("exceptions", "missing_read M01", decision="", reason="")
    cora.set("exceptions", "missing_read M07", decision="estimate", reason="gate locked")
    assert "No other open finding" in cora.press("decide_alike").said


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ({}, "alike_nothing_typed"),
        ({"high S01": {"decision": "accept"}}, "reason_missing"),
        ({"high S01": {"decision": "override", "override_read": "0111", "reason": "misread"}}, "alike_unclear"),
        (
            {
                "high S01": {"decision": "accept", "reason": "hot"},
                "high S02": {"decision": "accept", "reason": "pool"},
            },
            "alike_unclear",
        ),
    ],
)
def test_what_does_not_say_one_thing_is_refused(desk_office: Office, typed: dict, code: str) -> None:
    cora = read_in(desk_office, *HIGH)
    for finding, values in typed.items():
        cora.set("exceptions", finding, **values)
    cora.refused("decide_alike", code)
    assert decisions(desk_office) == {}


@pytest.mark.both_databases
def test_a_finding_decided_by_a_colleague_meanwhile_is_not_overwritten(office: Office) -> None:
    cora = read_in(office, *HIGH)
    carl = office.clerk("carl")
    carl.press("refresh", Cycle="A", Period="2026-11")
    carl.set("exceptions", "high S07", decision="reread", reason="dog in yard")
    carl.press("save")
    cora.set("exceptions", "high S01", decision="accept", reason="hot summer")
    cora.press("decide_alike")
    assert decisions(office)["high S07"] == ("reread", "dog in yard", "carl")
    assert len(decisions(office)) == 4


def test_deciding_alike_is_a_clerks_work(desk_office: Office) -> None:
    read_in(desk_office, *HIGH)
    ada = desk_office.clerk("ada")
    ada.press("refresh", Cycle="A", Period="2026-11")
    ada.refused("decide_alike", "not_allowed")
    ada.refused("reread_list", "not_allowed")


# ---- on the terminal -------------------------------------------------------------------------------------------------


def decide(office: Office, *given: str, check: str = "high", decision: str = "accept") -> tuple[int, str]:
    runner = CliRunner(env={"XLBILLING_ACTOR": "cora"})
    where = ["--workbook", str(office.clerk("cora").path), "--store", office.url]
    result = runner.invoke(
        app, ["decide", "--check", check, "--decision", decision, "--reason", "summer", *where, *given]
    )
    return result.exit_code, result.output


@pytest.mark.on_file
def test_the_terminal_decides_below_an_amount_in_two_steps(desk_office: Office) -> None:
    read_in(desk_office, *HIGH)
    code, said = decide(desk_office, "--below", "55.03")  # 55.00 twice; 55.03 is not below 55.03
    assert (code, decisions(desk_office)) == (0, {})
    assert "2 findings are listed" in said
    code, said = decide(desk_office, "--below", "55.03")
    assert (code, said.strip()) == (0, "Decided 2 findings of check high.")
    assert decisions(desk_office) == dict.fromkeys(("high S02", "high S07"), ("accept", "summer", "cora"))
    assert decide(desk_office, "--below", "55.03", "--yes")[0] == 4
    assert decide(desk_office, "--service", "S01", "--yes")[0] == 0
    assert set(decisions(desk_office)) == {"high S01", "high S02", "high S07"}
    assert decide(desk_office, "--yes")[0] == 0
    assert len(decisions(desk_office)) == 4


@pytest.mark.on_file
def test_the_terminal_says_what_it_cannot_do(desk_office: Office) -> None:
    read_in(desk_office, *HIGH)
    assert decide(desk_office, decision="override")[0] == 2
    assert decide(desk_office, "--below", "lots")[0] == 2
    code, said = decide(desk_office, check="low")
    assert code == 4
    assert "error[alike_none_open]" in said
    assert "high 4, rollover 1" in said
