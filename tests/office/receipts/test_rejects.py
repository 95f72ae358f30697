"""Payment rejects: rows of a payments file that were not taken, with their money, until somebody takes or leaves them."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.office.conftest import Office, Stages
from tests.office.small import Clerk, payments
from xlbilling.store.verify import verify

# 45.00 taken; 20.00 of nobody's account, 45.00 there already, -5.00, and an amount nobody can read
FILE = payments(
    "0000001,45.00,2026-11-20,C1,check",
    "9999999,20.00,2026-11-20,C2,web",
    "0000001,45.00,2026-11-20,C1,check",
    "0000002,-5.00,2026-11-20,C4,check",
    "0000002,12.345,2026-11-20,C5,check",
)


def taken_in(office: Office, text: str = FILE, name: str = "p.csv") -> Clerk:
    clerk = office.clerk("cora")
    clerk.press("import_payments", PaymentsFile=office.file(name, text))
    return clerk


def decide(clerk: Clerk, key: str, decision: str = "take", **values: object) -> None:
    clerk.set("payment_rejects", key, decision=decision, reason="as the check says", **values)


def today(clerk: Clerk) -> tuple[object, object]:
    """What Start says of rejected payments: how many, and their cents."""
    row = clerk.sheet("today").set_index("what").loc["Rejected payments"]
    return row["count"], row["amount"]


def test_rejected_rows_stand_on_their_sheet_as_they_came_and_on_start(desk_office: Office) -> None:
    cora = taken_in(desk_office)
    rows = cora.sheet("payment_rejects")
    assert rows[["source_line", "account_id", "method", "reference", "content", "state"]].to_dict("split")["data"] == [
        [3, "9999999", "web", "C2", "9999999,20.00,2026-11-20,C2,web", "open"],
        [4, "0000001", "check", "C1", "0000001,45.00,2026-11-20,C1,check", "open"],
        [5, "0000002", "check", "C4", "0000002,-5.00,2026-11-20,C4,check", "open"],
        [6, "0000002", "check", "C5", "0000002,12.345,2026-11-20,C5,check", "open"],
    ]
    assert rows["amount"].fillna(0).tolist() == [2000, 4500, -500, 0]
    assert pd.isna(rows["amount"].iloc[3])
    assert rows["received_on"].tolist() == [pd.Timestamp("2026-11-20")] * 4
    cora.press("refresh")
    assert today(cora) == (4, 6000)  # 20.00 + 45.00 - 5.00


@pytest.mark.both_databases
def test_a_row_taken_is_a_receipt_of_its_file_and_undo_takes_it_back(office: Office) -> None:
    cora = taken_in(office)
    decide(cora, "1:3", account_id="0000002")
    decide(cora, "1:4", "leave")
    cora.press("save")
    rows = cora.sheet("payment_rejects")
    assert rows.loc["1:3", ["state", "payment_id", "decided_by"]].tolist() == ["taken", "P0000002", "cora"]
    assert rows.loc["1:4", ["state", "payment_id"]].tolist() == ["left", ""]
    made = office.table("payments", "payment_id = 'P0000002'").iloc[0]
    assert made[["account_id", "amount", "method", "reference", "state", "import_id"]].tolist() == [
        "0000002", 2000, "web", "C2", "open", 1,
    ]  # fmt: skip
    cora.press("undo_last")
    assert set(cora.sheet("payment_rejects")["state"]) == {"open"}
    assert cora.sheet("payment_rejects").loc["1:3", "account_id"] == "9999999"
    assert office.table("payments")["state"].tolist() == ["open", "withdrawn"]
    cora.press("undo_last")
    assert office.value("SELECT state FROM imports WHERE import_id = 1") == "withdrawn"
    assert len(cora.sheet("payment_rejects")) == 0


def test_a_decision_changed_withdraws_the_receipt_and_undo_opens_it_again(desk_office: Office) -> None:
    cora = taken_in(desk_office)
    decide(cora, "1:3", account_id="0000002")
    cora.press("save")
    decide(cora, "1:3", account_id="0000003")
    cora.press("save")
    there = desk_office.table("payments", "import_id = 1", "payment_id")
    assert there[["account_id", "state"]].to_dict("split")["data"] == [
        ["0000001", "open"], ["0000002", "withdrawn"], ["0000003", "open"],
    ]  # fmt: skip
    cora.press("undo_last")
    assert desk_office.table("payments", "", "payment_id")["state"].tolist() == ["open", "open", "withdrawn"]
    decide(cora, "1:3", "leave")
    cora.press("save")
    assert desk_office.table("payments", "", "payment_id")["state"].tolist() == ["open", "withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    ("key", "values", "code", "cell"),
    [
        ("1:3", {}, "unknown_account", "G4"),
        ("1:5", {}, "payment_not_positive", "H6"),
        ("1:6", {}, "payment_reject_not_takeable", "H7"),
        ("1:5", {"amount": 500, "received_on": pd.NaT}, "payment_reject_not_takeable", "F6"),
        ("1:5", {"amount": 500, "method": ""}, "payment_reject_not_takeable", "I6"),
    ],
)
def test_a_row_that_can_be_no_receipt_is_refused_at_its_cell(
    desk_office: Office, key: str, values: dict[str, object], code: str, cell: str
) -> None:
    cora = taken_in(desk_office)
    decide(cora, key, **values)
    cora.refused("save", "cells_refused")
    assert cora.codes == {code}
    assert [mark.split(":", maxsplit=1)[0] for mark in cora.marked] == [f"Payment rejects!{cell}"]
    assert len(desk_office.table("payments")) == 1


def test_a_decision_needs_a_reason_and_a_row_below_is_in_no_file(desk_office: Office) -> None:
    cora = taken_in(desk_office)
    cora.set("payment_rejects", "1:4", decision="leave")
    cora.refused("save", "cells_refused")
    assert cora.codes == {"reason_missing"}
    cora.set("payment_rejects", "1:4", reason="twice in the file")
    cora.press("save")
    cora.add("payment_rejects", account_id="0000001", amount=100)
    cora.refused("save", "cells_refused")
    assert cora.codes == {"payment_reject_not_takeable"}


def test_a_payment_that_is_there_already_is_taken_only_by_a_decision(desk_office: Office) -> None:
    cora = taken_in(desk_office)
    again = payments("0000001,45.00,2026-11-20,C1,check", "0000003,1.00,2026-11-20,C9,check")
    outcome = cora.press("import_payments", PaymentsFile=desk_office.file("again.csv", again))
    assert [p.code for p in outcome.problems] == ["payment_twice"]
    assert "Payment rejects" in outcome.problems[0].remedy
    decide(cora, "2:2")
    cora.press("save")
    assert sorted(desk_office.table("payments", "account_id = '0000001'")["amount"]) == [4500, 4500]


def test_a_trace_number_tells_payments_apart_where_there_is_no_reference(desk_office: Office) -> None:
    text = "Account,Amount,Date,Trace number\n0000001,45.00,2026-11-20,091000019\n0000001,45.00,2026-11-20,091000020\n"
    cora = taken_in(desk_office, text)
    assert desk_office.table("payments")["reference"].tolist() == ["091000019", "091000020"]
    more = text.splitlines()[0] + "\n0000001,45.00,2026-11-20,091000019\n"
    outcome = cora.press("import_payments", PaymentsFile=desk_office.file("more.csv", more))
    assert [p.code for p in outcome.problems] == ["payment_twice"]


def test_a_payment_without_a_reference_like_one_that_stands_is_taken_and_flagged(desk_office: Office) -> None:
    cora = taken_in(desk_office, payments("0000001,45.00,2026-11-20,C1,check"))
    text = payments("0000001,45.00,2026-11-20,,check", "0000001,45.01,2026-11-20,,check")
    outcome = cora.press("import_payments", PaymentsFile=desk_office.file("q.csv", text))
    assert [(p.code, p.place.line, p.severity) for p in outcome.problems] == [("payment_like", 2, "review")]
    assert outcome.problems[0].fact == "receipt P0000002 may be P0000001 once more"
    assert cora.sheet("payments")["like"].tolist() == ["P0000002", "P0000001", ""]
    lead = desk_office.lead
    lead.yes = False
    assert "2 receipts may be there twice (Payments, column Like)" in lead.press("post").said
    lead.press("post")
    cora.press("refresh")
    assert cora.sheet("payments")["like"].tolist() == ["", "", ""]


def test_an_import_with_a_decided_row_is_not_taken_back(desk_office: Office) -> None:
    cora, carl = taken_in(desk_office), desk_office.clerk("carl")
    carl.press("refresh")
    decide(carl, "1:3", account_id="0000002")
    carl.press("save")
    assert "1 of its rejected rows were decided" in cora.refused("undo_last", "undo_overtaken")
    carl.press("undo_last")
    cora.press("refresh")
    cora.press("undo_last")
    assert desk_office.table("payments")["state"].tolist() == ["withdrawn", "withdrawn"]


def test_a_receipt_that_was_posted_or_changed_stays_with_its_row(desk_office: Office) -> None:
    cora = taken_in(desk_office)
    decide(cora, "1:3", account_id="0000002")
    decide(cora, "1:4")
    cora.press("save")
    cora.set("payments", "P0000002", amount=2100)
    cora.press("save")
    decide(cora, "1:3", "leave")
    assert "was changed since" in cora.refused("save", "undo_overtaken")
    cora.set("payment_rejects", "1:3", decision="take")
    cora.press("save")
    desk_office.lead.press("post")
    cora.press("refresh")
    decide(cora, "1:4", "leave")
    assert "posted with PY0000001" in cora.refused("save", "payment_reject_posted")


def test_two_clerks_on_one_row_make_one_receipt(desk_office: Office) -> None:
    cora, carl = taken_in(desk_office), desk_office.clerk("carl")
    carl.press("refresh")
    decide(cora, "1:3", account_id="0000002")
    decide(carl, "1:3", account_id="0000003")
    carl.meanwhile(lambda: cora.press("save"))
    carl.refused("save", "changed_meanwhile")
    assert desk_office.table("payments")["account_id"].tolist() == ["0000001", "0000002"]


def test_a_row_no_money_came_with_is_left_by_itself_and_can_be_taken(desk_office: Office) -> None:
    text = "Account,Amount,Date,Status\n0000001,45.00,2026-11-20,Paid\n0000002,30.00,2026-11-20,Returned\n"
    cora = taken_in(desk_office, text)
    row = cora.sheet("payment_rejects").loc["1:3"]
    assert row[["state", "decision", "reason"]].tolist() == ["left", "leave", "no money came with it"]
    cora.press("refresh")
    assert today(cora)[0] == 0
    decide(cora, "1:3")
    cora.press("save")
    assert desk_office.table("payments")["amount"].tolist() == [4500, 3000]


@pytest.mark.stage("posted")
def test_open_rejects_hold_the_month(desk_office: Office) -> None:
    taken_in(desk_office)
    lead = desk_office.lead
    lead.press("refresh")
    lead.press("checklist")
    item = lead.sheet("close").loc["Payments are resolved"]
    assert (item["state"], item["detail"]) == (
        "open",
        "4 rejected payments are open, 60.00 and 1 amounts that cannot be read",
    )
    for key in lead.sheet("payment_rejects").index.tolist():
        decide(lead, key, "leave")
    lead.press("save")
    lead.press("checklist")
    assert lead.sheet("close").loc["Payments are resolved", "state"] == "done"
    store = desk_office.store()
    assert verify(store) == []
    store.close()


CELLS = st.tuples(
    st.sampled_from(["0000001", "0000002", "1", "", "nobody"]),
    st.sampled_from(["45.00", "30.01", "-5.00", "0", "12.345", "x"]),
    st.sampled_from(["2026-11-20", "2026-11-21", "2026-10-31", "soon"]),
    st.sampled_from(["", "C1", "C2"]),
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(CELLS, min_size=1, max_size=8), takes=st.lists(st.booleans(), min_size=8, max_size=8))
def test_taken_left_and_open_are_the_file(
    plain_stages: Stages, tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], takes: list[bool]
) -> None:
    """The oracle adds the file's readable amounts up by hand; a dollar text with two decimals or none is readable."""
    office = plain_stages.at("opened", tmp_path_factory.mktemp("o"))
    lines = [",".join(cells) + ",check" for cells in rows]
    cora = taken_in(office, payments(*lines))
    readable = {"45.00": 4500, "30.01": 3001, "-5.00": -500, "0": 0}
    total = sum(readable.get(amount, 0) for _, amount, _, _ in rows)

    def adds_up() -> None:
        receipts, rejects = office.table("payments", "state = 'open'"), office.table("payment_rejects")
        not_taken = rejects.loc[rejects["state"].ne("taken"), "amount"].fillna(0).sum()
        assert receipts["amount"].sum() + not_taken == total
        assert len(receipts) + len(rejects.loc[rejects["state"].ne("taken")]) == len(rows)

    adds_up()
    for key, take in zip(cora.sheet("payment_rejects").index.tolist(), takes, strict=False):
        row = cora.sheet("payment_rejects").loc[key]
        fit = pd.notna(row["amount"]) and row["amount"] > 0
        decide(
            cora, key, "take" if take and fit else "leave", account_id="0000003", received_on=pd.Timestamp("2026-11-22")
        )
        cora.press("save")
        adds_up()
