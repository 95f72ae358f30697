"""Save, Refresh and Undo last: what staff type is shown before it is written, never lost and never laid over others'."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.small import payments
from tests.store.conftest import without_triggers


@pytest.mark.both_databases
def test_save_shows_first_and_writes_on_the_second_press(office: Office) -> None:
    cora = office.clerk("cora")
    cora.yes = False
    cora.set("accounts", "0000003", name="Quercus & Sons")
    first = cora.press("save")
    assert "press Save again" in first.said
    assert "Accounts 0000003, Name: Customer 3 -> Quercus & Sons" in str(cora.cell("Question"))
    assert office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Customer 3"
    assert cora.press("save").said == "Saved 1 changes."
    assert office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Quercus & Sons"
    assert cora.cell("Question") is None
    assert cora.sheet("accounts").loc["0000003", "rev"] == 2
    assert cora.press("save").said == "Nothing to save."


def test_another_preview_asks_again(desk_office: Office) -> None:
    """What was typed between the two presses was not in the preview, so it is not written."""
    cora = desk_office.clerk("cora")
    cora.yes = False
    cora.set("accounts", "0000003", name="A")
    cora.press("save")
    cora.set("accounts", "0000004", name="B")
    assert cora.press("save").said.startswith("2 changes are listed")
    assert desk_office.value("SELECT COUNT(*) FROM accounts WHERE rev > 1") == 0


def test_two_clerks_on_two_rows_both_save(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101")
    carl.set("accounts", "0000004", phone="555-0202")
    assert cora.press("save").said == "Saved 1 changes."
    assert carl.press("save").said == "Saved 1 changes."
    found = office.table("accounts").set_index("account_id")["phone"]
    assert (found["0000003"], found["0000004"]) == ("555-0101", "555-0202")


@pytest.mark.both_databases
def test_two_clerks_on_two_columns_of_one_row_are_merged(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101")
    carl.set("accounts", "0000003", name="Quercus")
    cora.press("save")
    assert carl.press("save").said == "Saved 1 changes."
    row = office.table("accounts", "account_id = '0000003'").iloc[0]
    assert (row["phone"], row["name"], row["rev"]) == ("555-0101", "Quercus", 3)
    assert carl.sheet("accounts").loc["0000003", "phone"] == "555-0101"


def test_a_merged_row_passes_all_checks_again(office: Office) -> None:
    """Each clerk's own row was right; together it would end before it starts."""
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("services", "S01", started_on=pd.Timestamp("2026-06-01"))
    carl.set("services", "S01", ended_on=pd.Timestamp("2026-05-01"))
    cora.press("save")
    assert "before it started on 2026-06-01" in carl.refused("save", "cells_refused")
    assert office.value("SELECT ended_on FROM services WHERE service_id = 'S01'") is None


def test_two_clerks_on_one_cell_is_a_conflict_that_names_cell_person_and_value(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101", email="oak@example.org")
    carl.set("accounts", "0000003", phone="555-0202")
    cora.press("save")
    said = carl.refused("save", "changed_meanwhile")
    assert "cora changed it to 555-0101 at 2026-11-23T09:00" in said
    assert "you typed 555-0202" in said
    assert "Accounts!F6" in said  # account 0000003 is the third row below the heading in row 3, Phone is column F
    assert any("Accounts!F6" in mark for mark in carl.marked)
    assert carl.codes == {"changed_meanwhile"}
    row = office.table("accounts", "account_id = '0000003'").iloc[0]
    assert (row["phone"], row["rev"]) == ("555-0101", 2)
    typed = carl.sheet("accounts").loc["0000003"]
    assert (typed["phone"], typed["email"]) == ("555-0202", "oak@example.org")  # typing stays, the rest is up to date


def test_after_a_conflict_saving_again_writes_over_what_was_shown(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101")
    carl.set("accounts", "0000003", phone="555-0202")
    cora.press("save")
    carl.refused("save", "changed_meanwhile")
    carl.yes = False
    assert carl.press("save").said == "1 changes are listed; press Save again to write them."
    assert "Accounts 0000003, Phone: 555-0101 -> 555-0202" in carl.cell("Question")
    assert carl.press("save").said == "Saved 1 changes."
    assert office.value("SELECT phone FROM accounts WHERE account_id = '0000003'") == "555-0202"


def test_after_a_conflict_their_value_can_be_kept(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101")
    carl.set("accounts", "0000003", phone="555-0202")
    cora.press("save")
    carl.refused("save", "changed_meanwhile")
    carl.set("accounts", "0000003", phone="555-0101")
    assert carl.press("save").said == "Nothing to save."


def test_a_row_written_between_the_look_and_the_write_is_a_conflict(office: Office) -> None:
    """Carl saves while Cora's question is on her screen; her yes does not write over him, and nothing of hers is written."""
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.set("accounts", "0000003", phone="555-0101")
    cora.set("accounts", "0000004", phone="555-0404")
    carl.set("accounts", "0000003", phone="555-0202")
    cora.meanwhile(lambda: carl.press("save"))
    cora.refused("save", "changed_meanwhile")
    phones = office.table("accounts").set_index("account_id")["phone"]
    assert (phones["0000003"], phones["0000004"]) == ("555-0202", "")
    assert office.value("SELECT COUNT(*) FROM undo WHERE actor = 'cora'") == 0


def test_the_same_key_added_twice_at_once_is_a_conflict(office: Office) -> None:
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.add("accounts", account_id="0000099", name="Cora's")
    carl.add("accounts", account_id="0000099", name="Carl's")
    cora.meanwhile(lambda: carl.press("save"))
    assert "0000099 is in the store already" in cora.refused("save", "cells_refused")
    assert office.value("SELECT name FROM accounts WHERE account_id = '0000099'") == "Carl's"


def test_two_clerks_on_one_receipt_are_both_told(office: Office) -> None:
    """An open receipt changed by two at the same moment: the second is refused, and his amount is not lost."""
    cora, carl = office.clerk("cora"), office.clerk("carl")
    cora.add("payments", received_on=pd.Timestamp("2026-11-20"), account_id="0000001", amount=4500, method="counter")
    cora.press("save")
    carl.press("refresh")
    cora.set("payments", "P0000001", amount=11111)
    carl.set("payments", "P0000001", amount=22222)
    cora.meanwhile(lambda: carl.press("save"))
    assert "carl changed it to 222.22" in cora.refused("save", "changed_meanwhile")
    assert office.value("SELECT amount FROM payments") == 22222
    assert cora.sheet("payments").loc["P0000001", "amount"] == 11111


@pytest.mark.parametrize("table", ["accounts", "exceptions", "close"])
@pytest.mark.stage("imported")
def test_a_stale_row_nobody_typed_on_is_no_conflict(desk_office: Office, table: str) -> None:
    lead, other = desk_office.lead, desk_office.clerk("carl")
    typing = {
        "accounts": ("0000003", {"phone": "1"}),
        "exceptions": ("rollover M05", {"decision": "accept", "reason": "dial came round"}),
        "close": ("Audit is green", {"signed_reason": "to be recalculated"}),
    }
    key, values = typing[table]
    lead.set(table, key, **values)
    lead.press("save")
    # The other's sheet still shows the row as it was; saving it must neither conflict nor put the old values back.
    assert other.press("save").said == "Nothing to save."
    column = next(iter(values))
    lead.press("refresh")
    assert lead.sheet(table).loc[key, column] == values[column]
    other.press("refresh")
    assert other.sheet(table).loc[key, column] == values[column]


@pytest.mark.stage("imported")
def test_two_decisions_on_one_finding_conflict(desk_office: Office) -> None:
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    cora.set("exceptions", "rollover M05", decision="accept", reason="dial came round")
    carl.set("exceptions", "rollover M05", decision="reread", reason="looks odd")
    cora.press("save")
    assert "cora" in carl.refused("save", "changed_meanwhile")


@pytest.mark.stage("imported")
def test_checking_again_leaves_typing_of_others_saveable(desk_office: Office) -> None:
    """Validate of one clerk does not make the decision another is typing a conflict, as long as the finding stands."""
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    cora.set("exceptions", "rollover M05", decision="accept", reason="dial came round")
    carl.press("validate")
    assert cora.press("save").said == "Saved 2 changes."


def test_refresh_names_typing_first_and_throws_it_away_on_a_second_press(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.yes = False
    cora.set("services", "S01", route="99")
    cora.add("accounts", account_id="0000099", name="New")
    assert "Services S01, Route: 01 -> 99" in cora.press("refresh").said
    assert cora.sheet("services").loc["S01", "route"] == "99"
    cora.set("services", "S02", route="98")  # typed between the presses, so it was not named
    assert "Services S02, Route: 01 -> 98" in cora.press("refresh").said
    assert "3 unsaved changes are in Log; Undo last types them back." in cora.press("refresh").said
    assert (cora.sheet("services")["route"] == "01").all()
    assert "0000099" not in cora.sheet("accounts").index
    detail = desk_office.value("SELECT detail FROM events ORDER BY event DESC LIMIT 1")
    assert "Services S01, Route: 01 -> 99" in str(detail)


def test_undo_last_types_back_what_refresh_threw_away(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.set("services", "S01", route="99", ended_on=pd.Timestamp("2026-12-31"))
    cora.add("accounts", account_id="0000099", name="New")
    cora.raw("accounts", "0000003", "opened_on", "soon")  # a cell that cannot be taken is typing too
    cora.press("refresh")
    assert cora.sheet("services").loc["S01", "route"] == "01"
    assert "stands on the sheets again, unsaved" in cora.press("undo_last").said
    back = cora.sheet("services").loc["S01"]
    assert (back["route"], back["ended_on"]) == ("99", pd.Timestamp("2026-12-31"))
    assert cora.sheet("accounts").loc["0000099", "name"] == "New"
    assert "soon" in cora.refused("save", "cells_refused")
    cora.raw("accounts", "0000003", "opened_on", None)
    cora.press("save")
    assert desk_office.value("SELECT route FROM services WHERE service_id = 'S01'") == "99"


def test_a_column_deleted_and_put_back_is_filled_again(desk_office: Office) -> None:
    """Blanked from end to end it is a heading that came back over nothing: Refresh fills it, Save says what would go."""
    cora = desk_office.clerk("cora")
    cora.yes = False
    cora.type("accounts", lambda rows: rows.assign(mail_street=""))
    assert cora.press("save").said == "1 changes are listed; press Save again to write them."
    assert "Accounts, Mail street: the whole column is blank; 8 values would go" in cora.cell("Question")
    assert "Filled again: Accounts: Mail street." in cora.press("refresh").said
    assert cora.sheet("accounts").loc["0000003", "mail_street"] == "3 Oak St"


def test_a_row_taken_back_by_somebody_else_is_no_typing(desk_office: Office) -> None:
    """Receipts on Carl's sheet whose import the lead took back: nobody typed on them, so they go with the next Refresh."""
    lead, carl = desk_office.lead, desk_office.clerk("carl")
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    carl.press("refresh")
    lead.press("undo_last")
    assert carl.press("save").said == "Nothing to save."
    assert list(carl.sheet("payments").index) == []


def test_typing_on_a_row_taken_back_says_who_did_and_how_to_go_on(desk_office: Office) -> None:
    lead, carl = desk_office.lead, desk_office.clerk("carl")
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    carl.press("refresh")
    carl.set("payments", "P0000001", amount=5400)
    lead.press("undo_last")
    said = carl.refused("save", "taken_back_meanwhile")
    assert "P0000001 was taken back by lea" in said
    assert "Delete the row on this sheet" in said
    carl.type("payments", lambda rows: rows.iloc[:0])
    assert carl.press("save").said == "Nothing to save."


def test_new_rows_duplicates_and_taken_keys(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.add("accounts", account_id="0000099", name="New")
    assert cora.press("save").said == "Saved 1 changes."
    assert desk_office.value("SELECT rev FROM accounts WHERE account_id = '0000099'") == 1
    cora.add("accounts", account_id="0000099", name="Again")
    assert "0000099 is on the sheet twice" in cora.refused("save", "cells_refused")
    assert "key_twice" in cora.codes


def test_a_key_in_the_store_is_taken(desk_office: Office) -> None:
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    for clerk in (cora, carl):
        clerk.add("accounts", account_id="0000099", name=clerk.actor)
    cora.press("save")
    assert "is in the store already" in carl.refused("save", "cells_refused")
    assert carl.codes == {"key_taken"}
    assert desk_office.value("SELECT name FROM accounts WHERE account_id = '0000099'") == "cora"


def test_a_key_typed_over_is_told(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000003", account_id="0000003X")
    assert "0000003X is not in the store" in cora.refused("save", "cells_refused")
    assert "row_gone" in cora.codes


@pytest.mark.parametrize(
    ("table", "key", "column", "cell", "where"),
    [
        ("meters", "M01 / ", "dials", 4.5, "Meters!D4"),
        ("accounts", "0000001", "delivery", "pigeon", "Accounts!G4"),
        ("services", "S01", "started_on", "soon", "Services!L4"),
        ("meters", "M01 / ", "multiplier", "ten", "Meters!F4"),
    ],
)
def test_bad_cells_are_refused_with_their_cell(
    desk_office: Office, table: str, key: str, column: str, cell: object, where: str
) -> None:
    lead = desk_office.lead
    lead.raw(table, key, column, cell)
    assert where in lead.refused("save", "cells_refused")
    assert desk_office.value(f"SELECT MAX(rev) FROM {table}") == 1


@pytest.mark.parametrize(
    ("table", "key", "values", "code", "where"),
    [
        ("services", "S01", {"account_id": "0009999"}, "not_listed", "Services!B4: 0009999 is not on sheet Accounts"),
        ("services", "S01", {"cycle": "Z"}, "not_listed", "Services!H4: Z is not on sheet Cycles"),
        ("meters", "M01 / ", {"service_id": "S77"}, "not_listed", "Meters!C4: S77 is not on sheet Services"),
        ("meters", "M01 / ", {"start_read": "12a"}, "cannot_be", "Meters!I4: '12a' is not a dial read"),
        ("meters", "M01 / ", {"dials": 0}, "cannot_be", "Meters!D4: a register has 1 to 12 dials, not 0"),
        ("meters", "M01 / ", {"multiplier": "-1"}, "cannot_be", "Meters!F4: the multiplier is -1"),
        ("cycles", "A / 2026-11", {"read_to": pd.Timestamp("2026-10-01")}, "cannot_be", "Cycles!D4: 2026-10-01 is before 2026-11-01"),
        ("services", "S01", {"ended_on": pd.Timestamp("2019-01-01")}, "cannot_be", "Services!M4: it ends before it started"),
        ("policy", "billing / billing_unit", {"value": "GALLONS"}, "policy_wrong", "'GALLONS' is not one of CF"),
        ("policy", "staff / cora", {"value": "boss"}, "policy_wrong", "'boss' is not one of accounting, clerk, lead"),
        ("policy", "staff / lea", {"value": "clerk"}, "no_lead", "no log-in would have the role lead"),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_are_refused_with_their_cell(
    desk_office: Office, table: str, key: str, values: dict[str, object], code: str, where: str
) -> None:
    lead = desk_office.lead
    lead.set(table, key, **values)
    lead.refused("save", "cells_refused")
    assert any(where in mark for mark in lead.marked), lead.marked
    assert lead.codes == {code}
    assert desk_office.value(f"SELECT MAX(rev) FROM {table}") == 1


def test_a_row_may_name_one_of_the_same_save(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.add("accounts", account_id="0000050", name="New")
    lead.add(
        "services", service_id="S50", account_id="0000050", premise="50 Oak St", service_type="water",
        customer_class="RESIDENTIAL_SINGLE", tariff="WATER", meter_size='5/8"', cycle="A", route="01", status="active",
    )  # fmt: skip
    assert lead.press("save").said == "Saved 2 changes."


@pytest.mark.stage("imported")
def test_kept_cells_typed_over_are_named_and_put_back(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    before = cora.sheet("exceptions").loc["rollover M05", "severity"]
    cora.set("exceptions", "rollover M05", severity="info")
    said = cora.press("save")
    assert "typed over" in said.said
    assert [(p.code, str(p.place)) for p in said.problems] == [("typed_over", "Exceptions!B4")]
    assert cora.sheet("exceptions").loc["rollover M05", "severity"] == before


@pytest.mark.stage("imported")
def test_cells_that_are_worked_out_are_named_too_when_typed_over(desk_office: Office) -> None:
    """The balance of an account, the last read of a meter, the customer and the bars beside a finding; and nothing else."""
    cora = desk_office.clerk("cora")
    before = cora.sheet("accounts").loc["0000001", "balance"]
    cora.raw("accounts", "0000001", "balance", 12.34)
    cora.set("meters", "M01 / ", last_read="9999")
    cora.set("exceptions", "rollover M05", customer="Somebody", history="x")
    cora.set("accounts", "0000002", phone="555")
    said = cora.press("save")
    assert "Saved 1 changes. 4 computed cells were typed over and are put back" in said.said
    assert {(p.place.table, p.place.column) for p in said.problems} == {
        ("Accounts", "balance"), ("Meters", "last_read"), ("Exceptions", "customer"), ("Exceptions", "history"),
    }  # fmt: skip
    assert cora.sheet("accounts").loc["0000001", "balance"] == before
    assert cora.sheet("meters").loc["M01 / ", "last_read"] != "9999"
    assert "computed" not in cora.press("save").said


@pytest.mark.stage("imported")
@pytest.mark.on_file
def test_nothing_is_typed_over_where_nobody_typed(desk_office: Office) -> None:
    """Names and facts that begin with an apostrophe, a sign or a quote are what they are."""
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000001", name="'t Kofschip", phone="-5", mail_street="=1+1 Oak St")
    assert cora.press("save").said == "Saved 3 changes."
    cora.set("accounts", "0000002", phone="555")
    assert cora.press("save").said == "Saved 1 changes."
    assert cora.press("save").said == "Nothing to save."


@pytest.mark.stage("posted")
def test_work_of_others_is_not_taken_for_typing_over(desk_office: Office) -> None:
    """Carl posts nothing, but what the lead posts changes balances that Carl's sheets still show as before."""
    lead, carl = desk_office.lead, desk_office.clerk("carl")
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", payments("0000001,45.00,2026-11-20,C1,check")))
    lead.press("post")
    carl.press("validate")  # writes some sheets anew, not Accounts
    said = carl.press("save")
    assert said.problems == []
    assert said.said == "Nothing to save."


@pytest.mark.on_file
def test_own_columns_stay_with_their_rows(desk_office: Office) -> None:
    """A heading typed right of the table: its notes follow the row's key when rows above are added."""
    lead = desk_office.lead
    lead.types_beside("accounts", "Dog in yard", {"0000002": "yes", "0000004": "friendly"})
    lead.add("accounts", account_id="0000000", name="First of all")
    lead.press("save")
    lead.press("refresh")
    kept = lead.workbook().read("accounts").own["Dog in yard"].dropna()
    assert kept.to_dict() == {"0000002": "yes", "0000004": "friendly"}


# ---- another cycle or period -----------------------------------------------------------------------------------------


def test_another_cycle_on_start_turns_the_sheets(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.press("refresh", Cycle="B")
    assert sorted(lead.sheet("services").index) == ["S09", "S10", "S11", "S12"]
    lead.press("refresh", Cycle="A")
    assert len(lead.sheet("services")) == 8


def test_typing_is_saved_where_it_was_typed_though_another_cycle_was_chosen_since(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("services", "S01", route="77")
    lead.yes = False
    assert "Services S01, Route: 01 -> 77" in lead.press("refresh", Cycle="B").said
    lead.yes = True
    assert lead.press("save").said == "Saved 1 changes."
    assert desk_office.value("SELECT route FROM services WHERE service_id = 'S01'") == "77"
    lead.press("refresh")
    assert sorted(lead.sheet("services").index) == ["S09", "S10", "S11", "S12"]


def test_a_button_first_turns_the_sheets(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.refused("validate", "no_reads", Cycle="A", Period="2027-01")
    assert lead.press("save").said == "Nothing to save."
    lead.set("services", "S01", route="77")
    lead.refused("validate", "unsaved_changes", Cycle="B", Period="2026-12")


# ---- Undo last -------------------------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_undo_takes_back_a_save_and_the_same_can_be_saved_again(office: Office) -> None:
    cora = office.clerk("cora")
    for _ in range(2):
        cora.set("accounts", "0000003", name="Quercus")
        cora.add("accounts", account_id="0000099", name="New")
        cora.press("save")
        assert cora.press("undo_last").said == "Undid Save."
        assert office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Customer 3"
        assert office.value("SELECT COUNT(*) FROM accounts WHERE account_id = '0000099'") == 0
        assert "0000099" not in cora.sheet("accounts").index
    revs = office.table("row_history", "table_name = 'accounts' AND row_key = '0000003'")["rev"].tolist()
    assert revs == [1, 2, 3, 4, 5]  # nothing that ever stood is lost


def test_undo_asks_first(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000003", name="Quercus")
    cora.press("save")
    cora.yes = False
    assert "press Undo last again" in cora.press("undo_last").said
    assert desk_office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Quercus"


def test_undo_never_takes_back_the_work_of_another(desk_office: Office) -> None:
    cora, carl = desk_office.clerk("cora"), desk_office.clerk("carl")
    cora.set("accounts", "0000003", name="Quercus")
    cora.press("save")
    carl.refused("undo_last", "nothing_to_undo")
    carl.press("refresh")
    carl.set("accounts", "0000003", name="Robur")
    carl.press("save")
    cora.refused("undo_last", "undo_overtaken")
    assert desk_office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Robur"


@pytest.mark.stage("imported")
def test_undo_of_a_decision_and_of_a_signature(desk_office: Office) -> None:
    lead, cora = desk_office.lead, desk_office.clerk("cora")
    lead.set("exceptions", "rollover M05", decision="accept", reason="came round")
    lead.set("close", "Audit is green", signed_reason="later")
    lead.press("save")
    cora.press("refresh")
    lead.press("undo_last")
    assert desk_office.value("SELECT decision FROM exceptions WHERE exception_id = 'rollover M05'") == ""
    assert desk_office.value("SELECT COUNT(*) FROM signoffs") == 0
    # Cora's stale sheets do not bring back what was taken back.
    assert cora.press("save").said == "Nothing to save."
    assert desk_office.value("SELECT COUNT(*) FROM signoffs") == 0


@pytest.mark.stage("imported")
def test_undo_of_the_first_compute_takes_the_drafts_out(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.press("compute")
    assert lead.press("undo_last").said == "Undid Compute."
    assert desk_office.value("SELECT COUNT(*) FROM draft_bills") == 0
    assert desk_office.value("SELECT COUNT(*) FROM draft_lines") == 0


@pytest.mark.stage("posted")
def test_nothing_is_undone_after_a_posting(office: Office) -> None:
    office.lead.refused("undo_last", "nothing_to_undo")
    assert office.value("SELECT COUNT(*) FROM bills") == 7


@pytest.mark.stage("imported")
def test_what_one_did_is_taken_back_step_by_step(desk_office: Office) -> None:
    """Three saves on the same rows, three undos: each shows the step before, the last one the beginning."""
    cora = desk_office.clerk("cora")
    finding = "rollover M05"
    cora.add("accounts", account_id="0000099", name="A")
    for name, decision in (("A", "accept"), ("B", "reread"), ("C", "estimate")):
        cora.set("accounts", "0000003", name=name)
        cora.set("accounts", "0000099", name=name)
        cora.set("exceptions", finding, decision=decision, reason=name)
        cora.press("save")
    for name, decision in (("B", "reread"), ("A", "accept"), ("Customer 3", "")):
        cora.press("undo_last")
        assert cora.sheet("accounts").loc["0000003", "name"] == name
        assert cora.sheet("exceptions").loc[finding, "decision"] == decision
    assert "0000099" not in cora.sheet("accounts").index


def test_a_history_that_lost_a_revision_is_not_guessed(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    cora.set("accounts", "0000003", name="Quercus")
    cora.press("save")
    store = desk_office.store()
    without_triggers(store, "row_history", "DELETE FROM row_history WHERE table_name = 'accounts' AND rev = 1")
    store.close()
    cora.refused("undo_last", "no_earlier_row")
    assert desk_office.value("SELECT name FROM accounts WHERE account_id = '0000003'") == "Quercus"


def test_a_renamed_sheet_is_saved_refreshed_and_named_as_it_is_called(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.workbook().rename_sheet("Services", "Houses")
    lead.set("services", "S01", route="02")
    assert lead.press("save").said == "Saved 1 changes."
    assert desk_office.table("services", "service_id = 'S01'")["route"].tolist() == ["02"]
    lead.press("refresh")
    assert lead.sheet("services").loc["S01", "route"] == "02"
    lead.set("services", "S01", account_id="0000099")
    assert "Houses!B4" in lead.refused("save", "cells_refused")


# ---- rate schedules and classes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "cell", "fact"),
    [
        ({"customer_class": "COMMERICAL"}, "E4", "rate schedule WATER has no class 'COMMERICAL'; it has COMMERCIAL, RESIDENTIAL_SINGLE"),
        ({"tariff": "WATR"}, "F4", "Rates has no rate schedule 'WATR'; it has FIRE LINE, WATER"),
        ({"tariff": "FIRE LINE"}, "E4", "rate schedule FIRE LINE has no class 'RESIDENTIAL_SINGLE'; it has OTHER"),
    ],
)  # fmt: skip
def test_a_schedule_or_class_that_rates_does_not_have_is_told_at_save(
    desk_office: Office, typed: dict[str, str], cell: str, fact: str
) -> None:
    lead = desk_office.lead
    lead.set("services", "S01", **typed)
    said = lead.refused("save", "cells_refused")
    assert f"Services!{cell}" in said
    assert fact in said
    assert "not_priced" in lead.codes


def test_a_row_that_was_never_priced_may_be_corrected_elsewhere(desk_office: Office) -> None:
    """What an old system left is no typing: its route can be saved, and another class of it cannot."""
    lead = desk_office.lead
    desk_office.converted("UPDATE services SET customer_class = 'GONE' WHERE service_id = 'S01'")
    lead.press("refresh")
    lead.set("services", "S01", route="02")
    assert lead.press("save").said == "Saved 1 changes."
    lead.set("services", "S01", customer_class="GONE TOO")
    lead.refused("save", "cells_refused")


def test_a_class_may_be_named_in_the_save_that_brings_its_rates(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("services", "S01", customer_class="IRRIGATION")
    lead.add(
        "rates", rate_id="R900", tariff="WATER", customer_class="IRRIGATION", component="Water", kind="per_unit",
        rate="1.00", gl_account="4020", effective_from=pd.Timestamp("2020-01-01"), applies_by="service_days", resolution="2026-1",
    )  # fmt: skip
    assert lead.press("save").said.startswith("Saved ")


def test_the_drop_downs_of_services_offer_what_rates_has(desk_office: Office) -> None:
    """Each schedule and each class once and by name; a class that is saved on Rates is offered at once."""
    lead = desk_office.lead
    offered = lead.sheet("choices")
    assert [word for word in offered["tariff"] if word] == ["FIRE LINE", "WATER"]
    assert [word for word in offered["customer_class"] if word] == ["COMMERCIAL", "OTHER", "RESIDENTIAL_SINGLE"]
    lead.set("rates", "R001", customer_class="AAA")
    lead.press("save")
    assert lead.sheet("choices")["customer_class"].iloc[0] == "AAA"
