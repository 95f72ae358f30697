"""Conversion: a small office of twelve accounts is taken in whole, and each kind of fault keeps the books shut."""

from __future__ import annotations

import csv
import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from xlbilling.office.conversion.convert import Conversion, Refused, command, convert
from xlbilling.office.conversion.old_system import OLD_TABLES
from xlbilling.office.desk.policy import STANDARD_POLICY, completed, starting_policy, wrong_values
from xlbilling.store import Store
from xlbilling.store.schema import columns_of
from xlbilling.trade.aging import age
from xlbilling.trade.journal import control, unbalanced
from xlbilling.trade.reads import Rules
from xlbilling.trade.reads.rules import in_force
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import BLANK, CHOICE, DATE, PLACES_LOST

PERIOD = AccountingPeriod(2026, 11)
AS_OF = dt.date(2026, 10, 31)
ACCOUNTS = [f"{n:06d}" for n in range(1, 13)]
Rows = list[dict[str, str]]


def small_office() -> dict[str, Rows]:
    """Twelve accounts, thirteen registers (account 12 has a compound meter), 24 service periods, 7 open documents.

    As of 2026-10-31, by bill date:
      000001 R-101 2026-10-15  50.00 + 12.50 -> 62.50, 16 days: current
      000002 R-102 2026-09-20  80.00, 41 days: 31-60
      000003 R-103 2026-08-15 100.10, 77 days: 61-90, less credit C-103 20.10 -> 80.00
      000004 R-104 2026-06-01  10.00, 152 days: over 90
      000005 C-105 2026-10-01  -5.25: a credit nothing is left to take
      000006 D-106 2026-01-05 -150.00: a deposit held, in account 2300
    Aging: current 62.50, 31-60 80.00, 61-90 80.00, over 90 10.00, credit -5.25, total 227.25 = account 1200.
    """
    cycle = ["A" if n % 2 else "B" for n in range(1, 13)]
    services = [
        {"Service": f"S{a}", "Account": a, "Premise": f"{n} Oak St", "Type": "water", "Class": "RESIDENTIAL_SINGLE",
         "Rate schedule": "WATER", "Meter size": '5/8"', "Cycle": cycle[n - 1], "Route": "10", "Status": "active"}
        for n, a in enumerate(ACCOUNTS, 1)
    ]  # fmt: skip
    meters = [
        {"Meter": f"M{a}", "Register": "", "Service": f"S{a}", "Dials": "6", "Unit": "CCF", "Multiplier": "1",
         "Start read": str(100 + n), "Start read date": "2026-10-14"}
        for n, a in enumerate(ACCOUNTS, 1)
    ]  # fmt: skip
    meters[-1]["Register"] = "L"
    meters.append({**meters[-1], "Register": "H", "Dials": "4", "Start read": "0012"})
    history = [
        {"Service": f"S{a}", "From": start, "To": end, "Consumption": used, "Unit": "CCF", "Read": code}
        for a in ACCOUNTS
        for start, end, used, code in (("2026-06-15", "2026-08-14", "14.5", "actual"), ("2026-08-14", "2026-10-14", "9", "estimated"))
    ]  # fmt: skip
    balances = [
        ("000001", "R-101", "2026-10-15", "50.00", "1200", "Water"),
        ("000001", "R-101", "2026-10-15", "12.50", "", "Late fee"),
        ("000002", "R-102", "09/20/2026", "80.00", "1200", ""),
        ("000003", "R-103", "2026-08-15", "100.10", "1200", ""),
        ("000003", "C-103", "2026-09-01", "-20.10", "1200", ""),
        ("000004", "R-104", "2026-06-01", "10", "1200", ""),
        ("000005", "C-105", "2026-10-01", "-5.25", "1200", ""),
        ("000006", "D-106", "2026-01-05", "-150.00", "2300", ""),
    ]
    names = ("Account", "Document", "Date", "Amount", "GL account", "Charge")
    rate = {
        "Rate schedule": "WATER", "Class": "RESIDENTIAL_SINGLE", "GL account": "4100",
        "Effective from": "2026-01-01", "Resolution": "2025-14", "Applies by": "service_days",
    }  # fmt: skip
    runs = {
        "Accounting period": "2026-11", "Reads from": "2026-11-10", "Reads to": "2026-11-18", "Bill date": "2026-11-20",
        "Due": "2026-12-10", "Delinquent": "2026-12-20", "Autopay": "2026-12-08",
    }  # fmt: skip
    return {
        "accounts": [{"Account": a, "Name": f"Customer {a}", "Status": "active"} for a in ACCOUNTS],
        "services": services,
        "meters": meters,
        "rates": [
            {**rate, "Line": "1", "Charge": "Service", "Kind": "fixed", "Rate": "14.50", "Tier": "0"},
            {**rate, "Line": "2", "Charge": "Water", "Kind": "flat", "Rate": "2.87", "Unit": "CCF", "Tier": "0"},
        ],
        "cycles": [{"Cycle": c, **runs} for c in "AB"],
        "policy": [
            {"Topic": "district", "Setting": "name", "Value": "Oak Valley Water", "Severity": ""},
            {"Topic": "billing", "Setting": "nominal_days", "Value": "60", "Severity": ""},
            {"Topic": "staff", "Setting": "mia", "Value": "clerk", "Severity": ""},
        ],
        "gl_accounts": [
            {"GL account": number, "Name": name, "Role": role}
            for number, name, role in (
                ("1200", "Receivables", "receivable"), ("1010", "Bank", "cash"), ("4100", "Water revenue", "revenue"),
                ("2300", "Customer deposits", "deposits"), ("3900", "Opening", "opening"),
            )
        ],
        "history": history,
        "balances": [dict(zip(names, row, strict=True)) for row in balances],
        "old_aging": [
            {"Bucket": b, "Amount": a}
            for b, a in (("Current", "62.50"), ("31-60 days", "80.00"), ("61-90", "80.00"), ("Over 90", "10.00"),
                         ("Credit", "-5.25"), ("Total", "227.25"))
        ],
        "old_gl": [{"GL account": "1200", "Amount": "227.25"}, {"GL account": "2300", "Amount": "-150.00"}],
    }  # fmt: skip


@pytest.fixture
def office() -> dict[str, Rows]:
    return small_office()


def folder(at: Path, tables: dict[str, Rows]) -> Path:
    at.mkdir(exist_ok=True)
    for name, rows in tables.items():
        headings = list(dict.fromkeys(key for row in rows for key in row))
        with (at / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, headings, restval="")
            writer.writeheader()
            writer.writerows(rows)
    return at


def workbook(at: Path, tables: dict[str, Rows]) -> Path:
    """The same tables as a workbook, with real numbers and dates where a spreadsheet would have them."""
    book = xlsxwriter.Workbook(str(at), {"default_date_format": "m/d/yyyy"})
    for name, rows in tables.items():
        sheet = book.add_worksheet(name.replace("_", " ").title())
        headings = list(dict.fromkeys(key for row in rows for key in row))
        sheet.write_row(0, 0, headings)
        for line, row in enumerate(rows, 1):
            for column, heading in enumerate(headings):
                text = row.get(heading, "")
                if heading in ("Amount", "Consumption", "Dials", "Rate", "Multiplier", "Tier"):
                    sheet.write_number(line, column, float(text))
                elif len(text) == 10 and text[:2] == "20":
                    sheet.write_datetime(line, column, dt.datetime.fromisoformat(text))
                else:
                    sheet.write_string(line, column, text)
    book.close()
    return at


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'billing.db'}"


def clock() -> dt.datetime:
    return dt.datetime(2026, 11, 1, 8, 0, tzinfo=dt.UTC)


def taken_in(source: Path, url: str) -> Conversion:
    return convert(source, url, "lea", PERIOD, AS_OF, clock)


def test_the_office_is_taken_in_whole(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    made = taken_in(folder(tmp_path / "old", office), url)
    store = Store.open(url)
    for name in ("accounts", "services", "meters", "rates", "cycles", "gl_accounts"):
        assert len(store.table(name)) == len(office[name]), name
    meter = store.table("meters", "meter_id = 'M000012' AND register_id = 'H'").iloc[0]
    assert (meter["start_read"], meter["dials"], meter["start_date"]) == ("0012", 4, pd.Timestamp("2026-10-14"))
    history = store.table("consumption_history")
    assert len(history) == 24
    assert history["consumption"].sum() == 12 * 23_500_000
    assert history["days"].head(2).tolist() == [60, 61]
    assert store.table("periods")["state"].tolist() == ["open"]
    counts = made.counts.set_index("table")
    assert counts.loc["meters", "rows"] == 13
    assert counts.loc["history", "amount"] == "282.000 CCF"
    assert counts.loc["balances", "amount"] == "77.25 on 7 documents"
    assert made.tied["difference"].eq(0).all()
    assert any("227.25" in line for line in made.lines())


def test_the_opening_entries_balance_and_age_as_the_old_system_did(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    taken_in(folder(tmp_path / "old", office), url)
    store = Store.open(url)
    entries, journal = store.table("entries"), store.table("journal")
    assert len(entries) == 7
    assert set(entries["kind"]) == {"opening"}
    assert set(entries["batch"]) == {"OPENING"}
    assert unbalanced(journal) == []
    total = journal.groupby("gl_account")["amount"].sum()
    # The control account 227.25, deposits -150.00, and what stands against both: -77.25.
    assert total.to_dict() == {"1200": 22725, "2300": -15000, "3900": -7725}
    lines = journal.merge(entries, on="entry")
    aged = age(
        lines.loc[lines["gl_account"].eq("1200")].rename(columns={"post_date": "age_from", "amount": "amount_cents"}),
        AS_OF,
    )
    found = aged.drop(columns="account_id").sum()
    assert found.tolist() == [6250, 8000, 8000, 1000, -525, 22725]
    beginning = control(lines, str(PERIOD)).set_index("gl_account")
    assert beginning.loc["1200", ["beginning", "billed", "ending"]].tolist() == [22725, 0, 22725]
    kept = store.table("printed").iloc[0]["content"].decode()
    assert "Late fee,balances.csv,3" in kept


def test_every_row_written_has_its_history_and_the_event_says_what_came_in(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    taken_in(folder(tmp_path / "old", office), url)
    store = Store.open(url)
    kept = store.query(
        columns_of("row_history"), "SELECT * FROM row_history WHERE table_name = 'accounts' ORDER BY row_key"
    )
    assert kept["row_key"].tolist() == ACCOUNTS
    assert json.loads(kept["content"].iloc[0])["name"] == "Customer 000001"
    events = store.query("detail", "SELECT detail FROM events WHERE action = 'convert' ORDER BY event")["detail"]
    assert "12 accounts, 12 services, 13 registers, balances 77.25" in events.iloc[0]
    assert "ledger 1200 227.25" in events.iloc[0]


def test_policy_not_given_starts_from_the_standard_and_says_so(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    made = taken_in(folder(tmp_path / "old", office), url)
    rules = Rules.of(in_force(Store.open(url).table("policy"), AS_OF))
    assert rules.text("billing", "nominal_days") == "60"
    assert rules.text("billing", "billing_unit") == "CCF"
    assert rules.settings["staff", "lea"] == "lead"
    assert rules.settings["staff", "mia"] == "clerk"
    said = [note.place.key for note in made.notes if note.code == "policy_standard"]
    assert len(said) == len(STANDARD_POLICY) - 1
    assert "billing / billing_unit" in said
    assert "billing / nominal_days" not in said


def test_a_second_time_adds_nothing(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    source = folder(tmp_path / "old", office)
    taken_in(source, url)
    before = Store.open(url).value("SELECT COUNT(*) FROM events")
    again = taken_in(source, url)
    assert again.again
    assert Store.open(url).value("SELECT COUNT(*) FROM events") == before
    office["accounts"][0]["Name"] = "Another"
    with pytest.raises(Refusal) as refused:
        taken_in(folder(source, office), url)
    assert refused.value.problem.code == "store_in_use"


def test_a_workbook_is_taken_in_like_a_folder(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    for row in office["balances"]:
        row["Date"] = row["Date"].replace("09/20/2026", "2026-09-20")
    other = f"sqlite:///{tmp_path / 'other.db'}"
    taken_in(folder(tmp_path / "old", office), url)
    taken_in(workbook(tmp_path / "old.xlsx", office), other)
    for name in (*(t for t in TABLE if t in office), "consumption_history", "entries", "journal"):
        pd.testing.assert_frame_equal(Store.open(url).table(name), Store.open(other).table(name))


@pytest.mark.parametrize("hand_over", [folder, workbook])
def test_a_value_by_date_is_taken_in_with_its_day_and_its_source(
    tmp_path: Path, url: str, office: dict[str, Rows], hand_over: Callable[[Path, dict[str, Rows]], Path]
) -> None:
    """60 days up to the end of 2026, 61 from 2027 on; the standard value is not added to a rule that is given."""
    office["policy"].append(
        {"Topic": "billing", "Setting": "nominal_days", "Value": "61", "Severity": "", "In force from": "2027-01-01",
         "Source": "Res. 2026-31"}
    )  # fmt: skip
    taken_in(hand_over(tmp_path / "old.xlsx", office), url)
    rows = Store.open(url).table("policy", "setting = 'nominal_days'")
    assert rows[["value", "source"]].to_numpy().tolist() == [["60", ""], ["61", "Res. 2026-31"]]
    for day, value in ((dt.date(2026, 12, 31), 60), (dt.date(2027, 1, 1), 61)):
        assert Rules.of(in_force(Store.open(url).table("policy"), day)).whole("billing", "nominal_days") == value


def test_a_store_started_with_the_standard_policy_takes_an_office_in(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    store = Store.create(url, "lea", clock)
    with store.work("lea", "start") as work:
        work.insert("policy", starting_policy("To be named").assign(rev=1))
        work.event("Started")
    taken_in(folder(tmp_path / "old", office), url)
    policy = store.table("policy").set_index(["topic", "setting"])
    assert policy.loc[("district", "name"), ["value", "rev"]].tolist() == ["Oak Valley Water", 2]
    assert policy.loc[("billing", "fractions"), "rev"] == 1


def test_a_conversion_stopped_before_the_store_was_made_is_begun_again(tmp_path: Path, office: dict[str, Rows]) -> None:
    with sqlite3.connect(tmp_path / "new.db") as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # as far as a store comes that is stopped while it is made
    assert "Taken in" in taken_in(folder(tmp_path / "old", office), f"sqlite:///{tmp_path / 'new.db'}").said


def test_a_file_that_is_something_else_is_not_made_a_store(tmp_path: Path, office: dict[str, Rows]) -> None:
    with sqlite3.connect(tmp_path / "notes.db") as connection:
        connection.execute("CREATE TABLE notes (note)")
    with pytest.raises(Refusal) as refused:
        taken_in(folder(tmp_path / "old", office), f"sqlite:///{tmp_path / 'notes.db'}")
    assert (refused.value.problem.code, refused.value.exit_code) == ("no_store", 4)
    assert "Move the file away" in str(refused.value)


def test_only_the_lead_takes_an_office_in(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    Store.create(url, "boss", clock)
    with pytest.raises(Refusal) as refused:
        taken_in(folder(tmp_path / "old", office), url)
    assert refused.value.problem.code == "not_allowed"


def set_cell(table: str, row: int, heading: str, value: str) -> Callable[[dict[str, Rows]], Any]:
    return lambda office: office[table][row].__setitem__(heading, value)


def again(table: str, **changed: str) -> Callable[[dict[str, Rows]], Any]:
    named = {key.replace("_", " "): value for key, value in changed.items()}
    return lambda office: office[table].append({**office[table][-1], **named})


def without(table: str, row: int = -1) -> Callable[[dict[str, Rows]], Any]:
    return lambda office: office[table].pop(row)


FAULTS: dict[str, tuple[str, str, Callable[[dict[str, Rows]], Any]]] = {
    "an account twice": ("key_twice", "accounts.csv:14", again("accounts")),
    "a register twice": ("key_twice", "meters.csv:15", again("meters")),
    "a bucket twice": ("key_twice", "old_aging.csv:8", again("old_aging")),
    "service without account": ("unknown_reference", "services.csv:2", set_cell("services", 0, "Account", "1")),
    "meter without service": ("unknown_reference", "meters.csv:3", set_cell("meters", 1, "Service", "S2")),
    "rate without ledger account": ("unknown_reference", "rates.csv:2", set_cell("rates", 0, "GL account", "")),
    "history of nobody": ("unknown_reference", "history.csv:2", set_cell("history", 0, "Service", "S9")),
    "balance of nobody": ("unknown_reference", "balances.csv:2", set_cell("balances", 0, "Account", "1")),
    "old total of no account": ("unknown_reference", "old_gl.csv:2", set_cell("old_gl", 0, "GL account", "1201")),
    "no such rate schedule": ("unknown_reference", "services.csv:2", set_cell("services", 0, "Class", "OTHER")),
    "cycle without a run": ("unknown_reference", "services.csv:3", without("cycles")),
    "cycle's run is past": ("unknown_reference", "services.csv:3", set_cell("cycles", 1, "Accounting period", "2026-10")),
    "run of no month": ("run_wrong", "cycles.csv:2", lambda o: o["cycles"].insert(0, {**o["cycles"][0], "Accounting period": "11/2026"})),
    "run's dates backwards": ("run_wrong", "cycles.csv:2", set_cell("cycles", 0, "Due", "2026-11-19")),
    "no opening account": ("gl_role_missing", "gl_accounts.csv", set_cell("gl_accounts", 4, "Role", "other")),
    "two receivables": ("gl_role_missing", "gl_accounts.csv", again("gl_accounts", GL_account="1201", Role="receivable")),
    "a rate that is none": ("rate_row", "rates.csv:3", set_cell("rates", 1, "Kind", "guess")),
    "dials too few": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Start read", "1000000")),
    "no dials": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Dials", "0")),
    "no last read": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Start read", "n/a")),
    "no last day": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Start read date", "")),
    "last read to come": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Start read date", "2026-11-01")),
    "no multiplier": ("last_read_wrong", "meters.csv:2", set_cell("meters", 0, "Multiplier", "0")),
    "history overlaps": ("history_wrong", "history.csv:3", set_cell("history", 1, "From", "2026-08-13")),
    "history backwards": ("history_wrong", "history.csv:2", set_cell("history", 0, "From", "2026-08-14")),
    "history past last read": ("history_wrong", "history.csv:3", set_cell("history", 1, "To", "2026-10-15")),
    "balance of nothing": ("balance_wrong", "balances.csv:4", set_cell("balances", 2, "GL account", "")),
    "balance in revenue": ("balance_wrong", "balances.csv:4", set_cell("balances", 2, "GL account", "4100")),
    "document of two days": ("balance_wrong", "balances.csv:2", set_cell("balances", 1, "Date", "2026-10-16")),
    "document like ours": ("balance_wrong", "balances.csv:4", set_cell("balances", 2, "Document", "B0000001")),
    "balance to come": ("balance_wrong", "balances.csv:4", set_cell("balances", 2, "Date", "2026-11-01")),
    "no such day": (DATE.code, "balances.csv:4", set_cell("balances", 2, "Date", "2026-09-31")),
    "a day that could be two": ("ambiguous_date", "balances.csv:4", lambda o: [set_cell("balances", row, "Date", day)(o) for row, day in ((2, "09/10/2026"), (3, "20/09/2026"))]),
    "an error value": ("damaged_row", "balances.csv:4", set_cell("balances", 2, "Amount", "#REF!")),
    "part of a cent": (PLACES_LOST.code, "balances.csv:4", set_cell("balances", 2, "Amount", "80.005")),
    "blank name": (BLANK.code, "accounts.csv:2", set_cell("accounts", 0, "Name", "")),
    "unknown unit": (CHOICE.code, "meters.csv:2", set_cell("meters", 0, "Unit", "HCF")),
    "damaged row": ("damaged_row", "accounts.csv:2", set_cell("accounts", 0, "Name", "two\nlines")),
    "rule nobody asks for": ("policy_unknown", "policy", set_cell("policy", 1, "Setting", "nominal_day")),
    "rule of no use": ("policy_wrong", "policy", set_cell("policy", 1, "Value", "sixty")),
    "word of payments": ("policy_wrong", "policy", again("policy", Topic="payments", Setting="method / ACH", Value="barter")),
    "days without a value": ("policy_gap", "policy", set_cell("policy", 1, "In force from", "2026-07-01")),
    "no district": ("policy_missing", "policy", without("policy", 0)),
    "no accounts": ("conversion_tables", "accounts.csv", lambda o: o.update(accounts=[dict.fromkeys(o["accounts"][0], "")])),
    "aging untied": ("conversion_untied", "old_aging.csv", set_cell("old_aging", 0, "Amount", "62.51")),
    "aging total untied": ("conversion_untied", "old_aging.csv", set_cell("old_aging", 5, "Amount", "227.26")),
    "bucket left out": ("conversion_untied", "old_aging.csv", without("old_aging", 4)),
    "ledger untied": ("conversion_untied", "old_gl.csv", set_cell("old_gl", 0, "Amount", "227.24")),
    "ledger total left out": ("conversion_untied", "old_gl.csv", without("old_gl")),
    "balance left out": ("conversion_untied", "old_aging.csv", without("balances", 5)),
    "no such bucket": ("unknown_reference", "old_aging.csv", set_cell("old_aging", 0, "Bucket", "30")),
    "no such heading": ("heading_missing", "meters.csv", lambda o: [row.pop("Start read") for row in o["meters"]]),
    "no such table": ("conversion_tables", "old", lambda o: o.pop("old_gl")),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_refuses_and_nothing_is_written(
    tmp_path: Path, url: str, office: dict[str, Rows], name: str
) -> None:
    code, place, spoil = FAULTS[name]
    spoil(office)
    with pytest.raises(Refusal) as refused:
        taken_in(folder(tmp_path / "old", office), url)
    problem = refused.value.problem
    assert problem.code == code, str(problem)
    if isinstance(refused.value, Refused):
        assert code in {p.code for p in refused.value.faults}
    assert str(problem).startswith(place), str(problem)
    assert not (tmp_path / "billing.db").exists()


def test_every_difference_is_listed(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    office["balances"][2]["Amount"] = "81.00"
    with pytest.raises(Refused) as refused:
        taken_in(folder(tmp_path / "old", office), url)
    assert [p.place.key for p in refused.value.faults] == ["days_31_60", "total", "1200"]
    assert "81.00, the old system says 80.00; difference 1.00" in refused.value.faults[0].fact
    assert "3 faults" in refused.value.problem.fact


def test_a_table_given_twice_refuses(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    source = folder(tmp_path / "old", {**office, "Old GL": office["old_gl"]})
    with pytest.raises(Refusal) as refused:
        taken_in(source, url)
    assert refused.value.problem.code == "conversion_tables"


def test_a_lost_zero_is_named_with_the_number_it_would_be(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    office["services"][0]["Account"] = "1"
    with pytest.raises(Refused) as refused:
        taken_in(folder(tmp_path / "old", office), url)
    assert "'1' is not in accounts; 000001 is there: the zeros were lost" in refused.value.problem.fact


def test_cells_as_a_spreadsheet_writes_them_are_taken_in(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    # numbers wrapped to keep their zeros, days with midnight, accounting format: -20.10 is (20.10), nothing is a dash
    for row in office["balances"]:
        row["Account"] = f'="{row["Account"]}"'
        row["Date"] = {"09/20/2026": "9/20/2026 12:00:00 AM"}.get(row["Date"], f"{row['Date']} 00:00:00")
    office["balances"][3]["Amount"] = " $ 100.10 "
    office["balances"][4]["Amount"] = "$(20.10)"
    office["balances"].append({**office["balances"][0], "Charge": "Sewer", "Amount": "$ -"})
    made = taken_in(folder(tmp_path / "old", office), url)
    assert made.tied["difference"].tolist() == [0] * len(made.tied)
    assert (
        Store.open(url).value("SELECT SUM(amount) FROM journal WHERE account_id = '000003' AND gl_account = '1200'")
        == 8000
    )


def test_a_column_that_can_only_be_day_first_is_and_that_is_said(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    for row in office["balances"]:
        day = pd.Timestamp(row["Date"])
        row["Date"] = f"{day:%d/%m/%Y}"  # 15/10/2026 and others prove it; 01/10/2026 could be both
    made = taken_in(folder(tmp_path / "old", office), url)
    assert made.tied["difference"].tolist() == [0] * len(made.tied)
    assert [note.place.column for note in made.notes if note.code == "dates_day_first"] == ["date"]


def test_what_is_not_taken_in_is_said(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    office["accounts"][0]["Loyalty"] = "gold"
    source = folder(tmp_path / "old", office)
    (source / "notes.txt").write_text("hello")
    made = taken_in(source, url)
    said = [note.fact for note in made.notes if note.code == "conversion_left_out"]
    assert said == ["'notes.txt' is none of the tables", "the column 'Loyalty' is not taken in"]


def test_a_day_without_a_price_is_said_first_and_the_books_open(
    tmp_path: Path, url: str, office: dict[str, Rows]
) -> None:
    old = next(row for row in office["rates"] if row["Kind"] == "flat")
    office["rates"].append(old | {"Line": "3", "Effective from": "2026-10-15"})
    old["Effective to"] = "2026-10-12"
    note = taken_in(folder(tmp_path / "old", office), url).notes[0]
    assert note.code == "rates_gap"
    assert note.place.file == "rates.csv"
    assert "it has no price from 2026-10-13 to 2026-10-14" in note.fact


def test_history_in_another_unit_is_converted_and_said(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    # 7,480 gallons at 748 gallons per CCF are 10 CCF.
    office["history"][0] |= {"Consumption": "7480", "Unit": "GAL"}
    made = taken_in(folder(tmp_path / "old", office), url)
    row = Store.open(url).table("consumption_history").iloc[0]
    assert (row["consumption"], row["unit"]) == (10_000_000, "CCF")
    assert "history_converted" in {note.code for note in made.notes}


def test_the_command_says_what_the_lead_signs(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    said: list[str] = []
    command(folder(tmp_path / "old", office), url, "2026-11", "2026-10-31", "lea", said.append)
    text = "\n".join(said)
    assert "balances               8  77.25 on 7 documents" in text
    assert "aging days_31_60                       80.00             80.00          0.00" in text
    assert "Signed:" in text


def test_the_command_says_every_fault(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    office["old_gl"][0]["Amount"] = "1"
    office["old_gl"][1]["Amount"] = "1"
    said: list[str] = []
    with pytest.raises(Refused):
        command(folder(tmp_path / "old", office), url, "2026-11", "2026-10-31", "lea", said.append)
    assert len(said) == 2
    with pytest.raises(ValueError, match="2026-11"):
        command(tmp_path, url, "November", "2026-10-31", "lea", said.append)


def test_a_day_after_the_period_refuses(tmp_path: Path, url: str, office: dict[str, Rows]) -> None:
    with pytest.raises(Refusal) as refused:
        convert(folder(tmp_path / "old", office), url, "lea", PERIOD, dt.date(2026, 12, 1))
    assert refused.value.problem.code == "as_of_wrong"


def test_the_standard_policy_answers_everything_and_says_nothing_wrong() -> None:
    assert wrong_values(starting_policy("Oak Valley Water")) == []
    assert completed(starting_policy("Oak Valley Water"))[1] == []


def test_the_docs_name_every_heading_and_every_rule() -> None:
    text = (Path(__file__).parents[3] / "docs" / "convert.md").read_text(encoding="utf-8")
    for name, table in OLD_TABLES.items():
        part = text.partition(f"### {name}\n")[2].partition("\n##")[0]
        for field in table.names("typed", "given"):
            if field != "rev":
                assert f"| {table.columns[field].title} | `{field}` |" in part, (name, field)
    for rule in STANDARD_POLICY:
        assert f"| {rule.topic} | {rule.setting} | {rule.value} | {rule.severity} | {rule.meaning} |" in text
