"""Import reads beyond the plain file: rejected rows taken by hand, hours of AMI files, and the balance of a run's rows."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import costly
from tests.office.conftest import Office
from tests.office.small import READS_HEADER, Clerk, Clock, beacon
from xlbilling.office.actions import perform
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import SURFACES
from xlbilling.office.reads.imports import balance_line, only_registers
from xlbilling.office.reads.rejects import rejects_view
from xlbilling.store import Store
from xlbilling.workbook.none import NoWorkbook

CUT = "0000001,LS01,1"
AGAIN = beacon().splitlines()[8]  # M07, the last line


def taken_in(office: Office, *changes: tuple[str, str], **given: tuple[str, ...]) -> Clerk:
    """A clerk who has imported a file with these changes."""
    cora = office.clerk("cora")
    cora.press("import_reads", ReadsFile=office.file("reads.csv", beacon(*changes, **given)))
    return cora


def the_reject(office: Office) -> str:
    rejects = office.table("rejects")
    assert len(rejects) == 1
    return str(rejects["reject_id"].iloc[0])


def corrected(cora: Clerk, reject: str, decision: str = "take", **more: object) -> str:
    cora.set("rejects", reject, **({"decision": decision, "reason": "read it off the card"} | more))
    return cora.press("save").said


# ---- what is on the sheet --------------------------------------------------------------------------------------------


def test_a_rejected_row_shows_as_it_came_with_the_fields_that_could_be_told(desk_office: Office) -> None:
    """Line 2 is M01 with a dial nobody can read, line 3 M02 on a day that is none, line 10 is cut."""
    cora = taken_in(desk_office, ("M01", "01l2"), ("M02.Read_Time", "2026-02-30 08:00"), extra=(CUT,))
    rows = cora.sheet("rejects").set_index("source_line")
    columns = ["meter_id", "read_date", "dial_read", "unit", "content"]
    bad_dial, bad_date, cut = (rows.loc[line, columns].tolist() for line in (2, 3, 10))
    assert bad_dial[0::2] == ["M01", "01l2", "0000001,LS01,1,M01,,13M01,Network,01l2,CCF,1,2026-11-05 08:00"]
    assert str(bad_dial[1])[:10] == "2026-11-05"
    assert bad_dial[3] == "CCF"
    assert (bad_date[0], bad_date[1], bad_date[2], bad_date[3]) == ("M02", pd.NaT, "011250", "CF")
    assert (cut[0], cut[1], cut[2:]) == ("", pd.NaT, ["", "", CUT])


def test_a_meter_twice_with_two_dials_holds_its_bill_and_names_both(desk_office: Office) -> None:
    """M07 comes with 0311 and again, for the same moment, with 0321: which is right is for a person to say."""
    cora = taken_in(desk_office, extra=(AGAIN.replace("0311", "0321"),))
    assert desk_office.table("rejects").empty
    cora.press("validate")
    found = cora.sheet("exceptions").set_index("rule").loc["duplicate_read"]
    assert (found["meter_id"], found["severity"]) == ("M07", "block")
    assert found["fact"] == "register M07 has 2 different reads: 0311 and 0321"


def test_a_no_read_hides_no_read_of_its_day(desk_office: Office) -> None:
    """M07 could not be read, and was read: 0311 counts, 0311 - 0300 = 11 as ever, and nothing is found."""
    cora = taken_in(desk_office, ("M07", ""), extra=(AGAIN,))
    cora.press("validate")
    assert cora.sheet("exceptions")["rule"].tolist() == ["rollover"], "S05's, as every month"


def test_a_rejected_formula_stays_harmless(desk_office: Office) -> None:
    line = "=1+1,LS01,1,=2+2,,13,Network,@SUM(A1),CCF,1,2026-11-05 08:00"
    cora = taken_in(desk_office, extra=(line,))
    row = cora.sheet("rejects").iloc[0]
    assert row["content"] == line
    assert (row["meter_id"], row["dial_read"]) == ("", "")


def test_only_the_rejects_of_the_run_on_start_show(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT,))
    assert len(cora.sheet("rejects")) == 1
    cora.press("refresh", Cycle="B", Period="2026-12")
    assert len(cora.sheet("rejects")) == 0
    cora.press("refresh", Cycle="A", Period="2026-11")
    assert len(cora.sheet("rejects")) == 1


def test_two_rejects_of_one_line_and_code_are_two_rows(desk_office: Office) -> None:
    """A CMEP record whose two quantities both are no numbers."""
    record = (
        "MEPMD01,20080501,SENSUS,X,13,M1,202604070815,M1,OK,W,CF,1.0,00000100,2,202604060800,R0,x,202604060900,R0,y\n"
    )
    cora = desk_office.clerk("cora")
    said = cora.press("import_reads", ReadsFile=desk_office.file("cmep.csv", record)).said
    assert "2 rows = 0 new reads + 0 changed + 0 there already + 2 rejected" in said
    assert sorted(desk_office.table("rejects")["reject_id"]) == ["1:1:bad_number", "1:1:bad_number:2"]


# ---- taken, left, taken back ----------------------------------------------------------------------------------------


def test_a_row_taken_by_hand_is_billed_without_a_new_file(office: Office) -> None:
    """S01 from 0100 to the 0112 typed: 12 CCF."""
    cora = taken_in(office, ("M01", "01l2"))
    said = corrected(cora, the_reject(office), dial_read="0112")
    assert said == "Saved 3 changes."
    row = office.table("rejects").iloc[0]
    assert (row["state"], row["decided_by"], row["decision"]) == ("taken", "cora", "take")
    assert row["decided_at"]
    read = office.table("reads", "meter_id = 'M01'").iloc[0]
    assert (read["dial_read"], read["read_value"], read["read_code"], read["source_line"]) == ("0112", 112_000_000, "actual", 2)  # fmt: skip
    assert read["import_id"] == row["import_id"]
    assert "0112" in cora.sheet("reads")["dial_read"].tolist()
    said = cora.press("validate").said
    assert said.endswith("rows in 8 = 7 reads + 1 rejected (1 taken by hand, 0 left, 0 open).")
    assert "missing_read M01" not in cora.sheet("exceptions").index
    cora.press("compute")
    draft = office.table("draft_services", "service_id = 'S01'").iloc[0]
    assert (draft["consumption"], draft["state"]) == (12_000_000, "draft")


def test_a_row_left_makes_no_read(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT,))
    corrected(cora, the_reject(desk_office), "leave")
    assert desk_office.table("rejects")["state"].tolist() == ["left"]
    assert len(desk_office.table("reads")) == 8
    assert cora.press("validate").said.endswith("rows in 9 = 8 reads + 1 rejected (0 taken by hand, 1 left, 0 open).")


@pytest.mark.both_databases
def test_undo_takes_the_taken_row_back_and_it_can_be_taken_again(office: Office) -> None:
    cora = taken_in(office, ("M01", "01l2"))
    for _ in range(2):
        corrected(cora, the_reject(office), dial_read="0112")
        assert office.value("SELECT COUNT(*) FROM reads WHERE meter_id = 'M01' AND state = 'current'") == 1
        cora.press("undo_last")
        row = office.table("rejects").iloc[0]
        assert (row["state"], row["decision"], row["dial_read"], row["decided_by"]) == ("open", "", "01l2", "")
        assert office.value("SELECT COUNT(*) FROM reads WHERE meter_id = 'M01' AND state = 'current'") == 0
        assert cora.sheet("rejects")["state"].tolist() == ["open"]


def test_a_taken_row_can_be_corrected_again_or_left_after_all(desk_office: Office) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    reject = the_reject(desk_office)
    corrected(cora, reject, dial_read="0113")
    corrected(cora, reject, dial_read="0112")
    current = desk_office.table("reads", "meter_id = 'M01' AND state = 'current'")
    assert current["dial_read"].tolist() == ["0112"]
    corrected(cora, reject, reason="only the reason is another")
    assert desk_office.table("reads", "meter_id = 'M01' AND state = 'current'").equals(current)
    corrected(cora, reject, "leave")
    assert len(desk_office.table("reads", "meter_id = 'M01' AND state = 'current'")) == 0
    cora.press("undo_last")
    assert desk_office.table("reads", "meter_id = 'M01' AND state = 'current'")["dial_read"].tolist() == ["0112"]
    assert cora.press("validate").said.endswith("7 reads + 1 rejected (1 taken by hand, 0 left, 0 open).")


def test_a_row_that_is_there_already_makes_no_second_read(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(AGAIN,))
    assert desk_office.table("rejects")["code"].tolist() == ["duplicate"]
    corrected(cora, the_reject(desk_office))
    assert desk_office.table("rejects")["state"].tolist() == ["taken"]
    assert len(desk_office.table("reads")) == 8


@pytest.mark.parametrize(
    ("typed", "code", "cell"),
    [
        ({"meter_id": ""}, "reject_not_takeable", "Rejects!F4"),
        ({"read_date": pd.NaT}, "reject_not_takeable", "Rejects!H4"),
        ({"dial_read": "01l2"}, "reject_not_takeable", "Rejects!I4"),
        ({"dial_read": "-5"}, "reject_not_takeable", "Rejects!I4"),
        ({"dial_read": ""}, "reject_not_takeable", "Rejects!I4"),
        ({"register_id": "interval"}, "reject_not_takeable", "Rejects!G4"),
        ({"reason": ""}, "reason_missing", "Rejects!L4"),
    ],
)
def test_a_row_that_cannot_be_taken_is_refused_with_its_cell(
    desk_office: Office, typed: dict[str, object], code: str, cell: str
) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    cora.set(
        "rejects", the_reject(desk_office), **({"decision": "take", "reason": "typed", "dial_read": "0112"} | typed)
    )
    said = cora.refused("save", "cells_refused")
    assert cell in said
    assert code in cora.codes
    assert desk_office.table("rejects")["state"].tolist() == ["open"]
    assert len(desk_office.table("reads")) == 7


@pytest.mark.parametrize(("column", "cell", "code"), [("unit", "liters", "cell_choice"), ("read_date", "2026-02-30", "cell_date")])  # fmt: skip
def test_what_is_no_unit_or_no_day_is_refused(desk_office: Office, column: str, cell: str, code: str) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    cora.raw("rejects", the_reject(desk_office), column, cell)
    cora.refused("save", "cells_refused")
    assert code in cora.codes


def test_a_row_typed_below_the_others_is_refused(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT,))
    cora.add("rejects", reject_id="mine", meter_id="M01", dial_read="0112", decision="take", reason="x")
    cora.refused("save", "cells_refused")
    assert "reject_not_takeable" in cora.codes


def test_a_row_that_is_billed_cannot_be_changed_back(desk_office: Office) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    reject = the_reject(desk_office)
    corrected(cora, reject, dial_read="0112")
    cora.press("validate")
    desk_office.lead.press("compute")
    desk_office.lead.press("audit")
    desk_office.lead.press("post")
    cora.press("refresh")
    cora.set("rejects", reject, decision="leave", reason="wrong after all")
    assert "Rejects!K4: 1:2:bad_number is on bill B0000001" in cora.refused("save", "reject_billed")
    assert desk_office.table("rejects")["state"].tolist() == ["taken"]


def test_a_row_whose_import_was_taken_back_cannot_be_taken(desk_office: Office) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    carl = desk_office.clerk("carl")
    carl.press("refresh", Period="2026-11", Cycle="A")
    carl.set("rejects", the_reject(desk_office), decision="take", reason="typed", dial_read="0112")
    cora.press("undo_last")
    carl.refused("save", "taken_back_meanwhile")


def test_a_row_replaced_by_a_later_file_stays_as_it_was_taken(desk_office: Office) -> None:
    cora = taken_in(desk_office, ("M01", "01l2"))
    reject = the_reject(desk_office)
    corrected(cora, reject, dial_read="0112")
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"))))
    assert desk_office.table("reads", "meter_id = 'M01' AND state = 'current'")["dial_read"].tolist() == ["0113"]
    cora.set("rejects", reject, decision="leave", reason="the new file has it")
    cora.refused("save", "undo_overtaken")


def test_an_import_waits_for_unsaved_corrections(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT,))
    cora.set("rejects", the_reject(desk_office), meter_id="M01")
    cora.refused("import_reads", "unsaved_changes", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"))))


# ---- the run's balance ----------------------------------------------------------------------------------------------


def test_the_balance_tells_reads_corrected_replaced_and_there_already(desk_office: Office) -> None:
    """Two files of 8 and 9 rows: one read is another in the second, one row is cut; S02's dial is typed by hand."""
    cora = taken_in(desk_office, ("M02", "099999"))
    cora.press(
        "import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M02", "099999"), ("M01", "0113"), extra=(CUT,)))
    )
    cora.press("validate")
    found = next(name for name in cora.sheet("exceptions").index if name.endswith(" S02"))
    cora.set("exceptions", found, decision="override", override_read="011250", reason="misread")
    cora.press("save")
    said = cora.press("validate").said
    assert said.endswith(
        "rows in 17 = 7 reads + 1 corrected by hand + 1 replaced by a later file + 7 twice "
        "+ 1 rejected (0 taken by hand, 0 left, 1 open)."
    )  # fmt: skip


def lines_of(kinds: dict[str, str]) -> list[str]:
    """A made file: each register's line as its kind says."""
    made = []
    for line in beacon().splitlines()[1:]:
        cells = line.split(",")
        kind = kinds[f"{cells[3]}:{cells[4]}"]
        other = ",".join([*cells[:7], "0" + cells[7], *cells[8:]])
        bad = ",".join([*cells[:7], "x" + cells[7], *cells[8:]])
        blank = ",".join([*cells[:7], "", *cells[8:]])
        made += {
            "good": [line], "gone": [], "twice": [line, line], "bad": [bad], "cut": [",".join(cells[:4])], "other": [other],
            "blank": [blank],
        }[kind]  # fmt: skip
    return made


REGISTERS = tuple(":".join(line.split(",")[3:5]) for line in beacon().splitlines()[1:])
KINDS = st.fixed_dictionaries(
    dict.fromkeys(REGISTERS, st.sampled_from(["good", "good", "gone", "twice", "bad", "cut", "other", "blank"]))
)


@costly
@given(
    files=st.lists(KINDS, min_size=1, max_size=3),
    decisions=st.lists(st.sampled_from(["take", "leave", ""]), min_size=8),
)
def test_every_row_of_every_file_is_somewhere(
    desk_office: Office, tmp_path: Path, files: list[dict[str, str]], decisions: list[str]
) -> None:
    """Rows in are the lines of the files as they were written, each content taken once; the line adds up to them."""
    shutil.copy(desk_office.folder / "billing.db", tmp_path / "one.db")
    url, clock, counted = f"sqlite:///{tmp_path / 'one.db'}", Clock(), 0
    met: set[str] = set()
    for n, kinds in enumerate(files):
        lines = lines_of(kinds)
        text = "\n".join([READS_HEADER, *lines]) + "\n"
        (tmp_path / f"{n}.csv").write_text(text)
        book = NoWorkbook(tmp_path, {"Cycle": "A", "Period": "2026-11", "ReadsFile": f"{n}.csv"})
        perform("import_reads", lambda book=book: Desk(book, Store.open(url, clock), "cora", tmp_path), book, tmp_path)
        counted += 0 if text in met else len(lines)
        met.add(text)
        desk = Desk(book, Store.open(url, clock), "cora", tmp_path)
        _decide(desk, decisions)
        line = balance_line(desk, desk.run)
        desk.store.close()
        left, _, right = line.partition(" = ")
        plain = re.sub(r"\(.*\)", "", right)
        assert left == f"rows in {counted}"
        assert sum(int(count) for count in re.findall(r"\d+", plain)) == counted
        assert "unaccounted" not in line
        if "(" in right:
            rejected = int(re.search(r"(\d+) rejected", plain)[1])
            assert sum(int(count) for count in re.findall(r"\d+", right.partition("(")[2])) == rejected


def _decide(desk: Desk, decisions: list[str]) -> None:
    """Type a decision on each rejected row whose read was not replaced meanwhile."""
    rejects = rejects_view(desk)
    gone = desk.store.table("reads", "state = 'superseded'")["read_id"].tolist()
    rejects = rejects.loc[~rejects["read_id"].isin(gone)].reset_index(drop=True)
    typed = rejects.copy()
    for n in range(len(typed)):
        decision = decisions[n % len(decisions)]
        typed.loc[n, ["decision", "reason"]] = [decision, "seen" if decision else ""]
        if decision == "take":
            typed.loc[n, ["meter_id", "dial_read"]] = ["M01", "0112"]
            typed.loc[n, "read_date"] = pd.Timestamp("2026-11-05")
    if len(typed):
        with desk.store.work("cora", "save") as work:
            SURFACES["rejects"].write(desk, work, Changes("rejects", typed.iloc[:0], typed, rejects))


# ---- hours ----------------------------------------------------------------------------------------------------------

HOURLY = "Account_ID,Meter_ID,Register_Number,Raw_Read,Read,Read_Unit,Read_Time,Flow,Flow_Unit,Flow_Time,Estimated_Flag"


def hourly(*rows: tuple[str, str, str, str]) -> str:
    """Meter, moment, dial and flow of each line."""
    return "\n".join(
        [HOURLY, *(f"0000001,{m},,{dial},{dial},CCF,{at},{flow},CCF,{at},0" for m, at, dial, flow in rows)]
    ) + "\n"  # fmt: skip


def test_of_an_hourly_file_one_dial_of_the_window_is_kept(office: Office) -> None:
    """M01 and M02 hour by hour: the last dial on or before 11-10 counts; M03 has none in the window, so its last one."""
    text = hourly(
        ("M01", "2026-11-10 22:59", "0111", "1"), ("M01", "2026-11-10 23:59", "0112", "1"), ("M01", "2026-11-11 00:59", "0113", "1"),
        ("M07", "2026-11-05 00:59", "0311", "0"), ("M07", "2026-11-04 00:59", "0310", "0"),
        ("M09", "2026-10-01 00:59", "0400", "0"), ("M09", "2026-10-01 01:59", "0401", "1"),
    )  # fmt: skip
    cora = office.clerk("cora")
    said = cora.press("import_reads", ReadsFile=office.file("hours.csv", text)).said
    assert (
        "14 rows = 3 new reads + 0 changed + 0 there already + 0 rejected + 7 interval rows + 4 earlier hourly reads"
        in said
    )
    reads = office.table("reads")
    assert dict(zip(reads["meter_id"], reads["dial_read"], strict=True)) == {
        "M01": "0112",
        "M07": "0311",
        "M09": "0401",
    }
    hours = office.table("intervals").set_index("meter_id")
    assert hours.loc["M01", ["hours", "missing", "running_hours", "least", "total"]].tolist() == [
        3,
        0,
        3,
        1_000_000,
        3_000_000,
    ]
    assert hours.loc["M09", ["first_hour", "running_hours"]].tolist() == ["2026-10-01 00:00", 1]
    assert cora.press("validate").said.endswith(
        "rows in 14 = 3 reads + 7 interval rows + 4 earlier hourly reads + 0 rejected."
    )


def test_an_hour_without_a_read_is_not_the_one_kept(desk_office: Office) -> None:
    """Aclara writes ERROR at 03:00; the dial of 02:00 counts. M07 has no read at all, and says so."""
    head = "AccountNumber,MeterSN,MTUID,Port,RawRead,ScaledRead,ReadingTime,LocalTime,Active,Scalar,Description\n"
    rows = (("M01", "0112", "02"), ("M01", "ERROR", "03"), ("M07", "ERROR", "02"), ("M07", "ERROR", "03"))
    lines = "".join(f"7,{m},9,1,,{d},2026-11-05 0{int(h) + 5}:00,2026-11-05 {h}:00,1,,x\n" for m, d, h in rows)
    said = desk_office.clerk("cora").press("import_reads", ReadsFile=desk_office.file("a.csv", head + lines)).said
    assert "(aclara): 4 rows = 2 new reads + 0 changed + 0 there already + 0 rejected + 2 earlier hourly reads" in said
    reads = desk_office.table("reads").set_index("meter_id")
    assert reads[["read_code", "read_time", "register_id"]].to_numpy().tolist() == [
        ["actual", "02:00", ""],
        ["no_read", "03:00", ""],
    ]


def test_a_later_hourly_file_moves_the_dial_on(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.press("import_reads", ReadsFile=desk_office.file("one.csv", hourly(("M01", "2026-11-04 08:59", "0111", "1"))))
    rows = (("M01", "2026-11-04 08:59", "0111", "1"), ("M01", "2026-11-05 08:59", "0112", "1"))
    said = cora.press("import_reads", ReadsFile=desk_office.file("two.csv", hourly(*rows))).said
    assert "4 rows = 0 new reads + 1 changed + 0 there already + 0 rejected + 2 interval rows + 1 earlier" in said
    assert desk_office.table("reads", "state = 'current'")["dial_read"].tolist() == ["0112"]


def test_a_file_of_single_reads_is_kept_whole(desk_office: Office) -> None:
    """Two reads of one register in a billing export are both kept, for somebody to look at."""
    second = AGAIN.replace("0311", "0312").replace("08:00", "10:00")
    cora = taken_in(desk_office, extra=(second,))
    assert len(desk_office.table("reads", "meter_id = 'M07'")) == 2
    cora.press("validate")
    assert "duplicate_read M07" in cora.sheet("exceptions").index


def test_a_meter_that_counts_in_two_units_is_summed_up_twice(desk_office: Office) -> None:
    record = "MEPMD01,20080501,SENSUS,X,13,M1,202604070815,M1,OK,W,{unit},1.0,00000100,1,202604060800,R0,8\n"
    text = record.format(unit="CF") + record.format(unit="GAL").replace("0800,R0", "0900,R0")
    desk_office.clerk("cora").press("import_reads", ReadsFile=desk_office.file("cmep.csv", text))
    found = desk_office.table("intervals")
    assert found[["register_id", "unit"]].to_numpy().tolist() == [["interval", "CF"], ["interval GAL", "GAL"]]


# ---- registers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "own"),
    [
        ([("M01", "1")], [""]),  # the only register here and there
        ([("M01", "")], [""]),
        ([("M01", "1"), ("M01", "2")], ["1", "2"]),  # the file has two: which is ours?
        ([("M03", "1"), ("M03", "2")], ["1", "2"]),  # ours is compound, L and H
        ([("M03", "L")], ["L"]),
        ([("M77", "1")], ["1"]),  # a meter nobody knows
        ([("M01", "interval")], ["interval"]),
        ([("M01", "1"), ("M01", "1")], ["", ""]),  # one register, read twice
    ],
)
def test_the_only_register_of_a_meter_goes_by_the_offices_name(told: list[tuple[str, str]], own: list[str]) -> None:
    meters = pd.DataFrame([("M01", ""), ("M03", "L"), ("M03", "H")], columns=["meter_id", "register_id"], dtype="str")
    rows = pd.DataFrame(told, columns=["meter_id", "register_id"], dtype="str")
    assert only_registers(rows, meters)["register_id"].tolist() == own


# ---- the same rejected rows again ------------------------------------------------------------------------------------

CUT_TWO = "0000002,LS02,1"


@pytest.mark.both_databases
def test_a_corrected_file_keeps_what_was_decided_on_the_same_rejected_rows(office: Office) -> None:
    """M01's dial is taken as 0112, one cut row is left, one still open; M07 is corrected in the second file: 0312."""
    given: dict[str, Any] = {"extra": (CUT, CUT_TWO)}
    cora = taken_in(office, ("M01", "01l2"), **given)
    names = office.table("rejects").set_index("source_line")["reject_id"]
    cora.set("rejects", names[2], decision="take", reason="an l for a one", dial_read="0112")
    cora.set("rejects", names[10], decision="leave", reason="cut")
    cora.press("save")
    again = cora.press(
        "import_reads", ReadsFile=office.file("new.csv", beacon(("M01", "01l2"), ("M07", "0312"), **given))
    )
    assert "3 rejected" in again.said
    assert "2 rejected rows are the same as before and keep what was decided on them (1 taken, 1 left)" in again.said
    assert [p.place.line for p in again.problems] == [11]
    rows = office.table("rejects", "import_id = 2", "source_line")
    assert rows[["source_line", "state", "reason", "dial_read", "decided_by"]].to_numpy().tolist() == [
        [2, "taken", "an l for a one", "0112", "cora"], [10, "left", "cut", "", "cora"], [11, "open", "", "", ""],
    ]  # fmt: skip
    assert len(office.table("reads", "meter_id = 'M01' AND state = 'current'")) == 1
    assert "unaccounted" not in cora.press("validate").said
    # The read made of the row stays while one of both says that it was taken.
    for import_id, count in ((1, 1), (2, 0)):
        reject = office.table("rejects", f"import_id = {import_id} AND source_line = 2")["reject_id"].iloc[0]
        cora.set("rejects", reject, decision="leave", reason="wrong after all")
        cora.press("save")
        assert len(office.table("reads", "meter_id = 'M01' AND state = 'current'")) == count


def test_a_file_whose_rejected_rows_were_decided_before_can_be_taken_back(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT,))
    corrected(cora, the_reject(desk_office), "leave")
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M07", "0312"), extra=(CUT,))))
    cora.press("undo_last")
    assert desk_office.table("imports")["state"].tolist() == ["current", "withdrawn"]


def test_a_corrected_file_says_what_it_changes(desk_office: Office) -> None:
    """M01 another day, M02 another dial and time."""
    cora = taken_in(desk_office)
    new = beacon(("M01.Read_Time", "2026-11-06 08:00"), ("M02", "011300"), ("M02.Read_Time", "2026-11-05 09:30"))
    said = cora.press("import_reads", ReadsFile=desk_office.file("new.csv", new)).said
    assert "Changed: M01: 0112, day 2026-11-05 -> 2026-11-06; M02: 011250 -> 011300, time 08:00 -> 09:30." in said


def test_a_taken_row_whose_read_the_corrected_file_replaces_is_asked_about_again(desk_office: Office) -> None:
    """The second file has M01 rightly, and the misread row too."""
    misread = "0000001,LS01,1,M01,,13M01,Network,01l2,CCF,1,2026-11-05 08:00"
    cora = taken_in(desk_office, without=("M01",), extra=(misread,))
    corrected(cora, the_reject(desk_office), dial_read="0112")
    said = cora.press(
        "import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M01", "0113"), extra=(misread,)))
    ).said
    assert "the same as before" not in said
    assert desk_office.table("rejects", "import_id = 2")["state"].tolist() == ["open"]


def test_rows_alike_in_one_file_have_a_decision_each(desk_office: Office) -> None:
    cora = taken_in(desk_office, extra=(CUT, CUT))
    first = desk_office.table("rejects", order="source_line")["reject_id"].iloc[0]
    corrected(cora, first, "leave")
    cora.press("import_reads", ReadsFile=desk_office.file("new.csv", beacon(("M07", "0312"), extra=(CUT, CUT, CUT))))
    assert desk_office.table("rejects", "import_id = 2", "source_line")["state"].tolist() == ["left", "open", "open"]
