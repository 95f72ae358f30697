"""A district of twelve accounts, small enough to bill by hand, with its read file and the desk of each of its staff.

Rates since 2020, resolution 2019-40, CCF:
  RESIDENTIAL_SINGLE  service charge 5/8" 20.00, 1" 35.00; water 0-10 at 2.50, from unit 11 at 4.00; fee 5 % of both
  COMMERCIAL          service charge 1" 35.00; water 3.00 a unit; fee 5 % of both
  FIRE LINE / OTHER   fire line 4" 40.65

Cycle A, read 2026-11-01 to 11-10 (in cases by default on 11-05, last read 2026-09-05: 61 days), billed 2026-11-12:
  S01 CCF          0100 -> 0112 = 12       20.00 + 10 x 2.50 + 2 x 4.00    = 53.00 + 2.65   = 55.65
  S02 CF         010000 -> 011250 = 12.5   20.00 + 25.00 + 2.5 x 4.00      = 55.00 + 2.75   = 57.75
  S03 1", L 0050 -> 0060, H 0010 -> 0015   35.00 + 25.00 + 5 x 4.00 (15)   = 80.00 + 4.00   = 84.00
  S04 GAL x 10 000100 -> 000848 = 7,480 gal = 10 CCF   35.00 + 30.00       = 65.00 + 3.25   = 68.25
  S05 CCF, 4 dials 9995 -> 0005 = 10       20.00 + 25.00                   = 45.00 + 2.25   = 47.25
  S06 inactive     0200 -> 0200
  S07 CCF          0300 -> 0311 = 11       20.00 + 25.00 + 4.00            = 49.00 + 2.45   = 51.45
  S08 fire line 4", no meter                                                                  = 40.65
  together 55.65 + 57.75 + 84.00 + 68.25 + 47.25 + 51.45 + 40.65 = 405.00
Every service's history is 11 CCF a period (S03 15), so only S05's rollover is a finding.
Cycle B (S09 to S12, one CCF meter each) is billed in 2026-12.
Accounts 0000001 and 0000002 owe 45.00 and 30.00 from before.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pytest

from xlbilling.demo.clerk import Clerk as AtWorkbook
from xlbilling.demo.clerk import as_typed
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.policy import starting_policy
from xlbilling.office.desk.working_tables import write_rows
from xlbilling.office.posting import entries_of, write_entries
from xlbilling.store import Store
from xlbilling.store.schema import stored_columns
from xlbilling.trade import journal as ledger
from xlbilling.words.problems import Refusal
from xlbilling.words.records import TABLE
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.port import row_keys

PERIOD: Final = "2026-11"
DUE: Final = {"S01": 5565, "S02": 5775, "S03": 8400, "S04": 6825, "S05": 4725, "S07": 5145, "S08": 4065}
STAFF: Final = (("lea", "lead"), ("cora", "clerk"), ("carl", "clerk"), ("ada", "accounting"))
READS_HEADER: Final = (
    "Account_ID,Location_ID,Service_Point_ID,Meter_ID,Register_Number,Endpoint_SN,Read_Method,Read,Read_Unit,"
    "Billing_Read,Read_Time"
)
UNIT_NAMES: Final = {"CF": "CUBIC_FEET", "CCF": "CCF", "GAL": "GAL"}
# meter, register, service, dials, unit, multiplier, last read, this read
METERS: Final = (
    ("M01", "", "S01", 4, "CCF", "1", "0100", "0112"),
    ("M02", "", "S02", 6, "CF", "1", "010000", "011250"),
    ("M03", "L", "S03", 4, "CCF", "1", "0050", "0060"),
    ("M03", "H", "S03", 4, "CCF", "1", "0010", "0015"),
    ("M04", "", "S04", 6, "GAL", "10", "000100", "000848"),
    ("M05", "", "S05", 4, "CCF", "1", "9995", "0005"),
    ("M06", "", "S06", 4, "CCF", "1", "0200", "0200"),
    ("M07", "", "S07", 4, "CCF", "1", "0300", "0311"),
    *((f"M{n:02d}", "", f"S{n:02d}", 4, "CCF", "1", "0400", "0411") for n in range(9, 13)),
)


class Clock:
    """A clock that moves on by a second whenever it is looked at, from the morning of 2026-11-23."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


def frame(name: str, rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a working table's frame, what a row does not say left blank."""
    made = {}
    for column in stored_columns(name):
        kind = TABLE[name].columns[column].kind
        values = [row.get(column) for row in rows]
        if kind == "date":
            made[column] = pd.Series(pd.to_datetime(pd.Series(values))).astype("datetime64[s]")
        elif kind in ("whole", "money", "quantity"):
            made[column] = pd.Series([value or 0 for value in values], dtype="int64")
        else:
            made[column] = pd.Series(["" if value is None else value for value in values], dtype="str")
    return pd.DataFrame(made).assign(rev=1)


def tables() -> dict[str, pd.DataFrame]:
    """The working tables of the district."""
    policy = starting_policy("Twelve Oaks Water District").to_dict("records")
    policy += [
        {"topic": "staff", "setting": who, "value": role, "severity": "", "source": "", "meaning": ""}
        for who, role in STAFF
    ]
    classes = {"S03": "RESIDENTIAL_SINGLE", "S04": "COMMERCIAL", "S08": "OTHER"}
    services = [
        {
            "service_id": f"S{n:02d}", "account_id": f"{n:07d}", "premise": f"{n} Oak St", "service_type": "fire" if n == 8 else "water",
            "customer_class": classes.get(f"S{n:02d}", "RESIDENTIAL_SINGLE"), "tariff": "FIRE LINE" if n == 8 else "WATER",
            "meter_size": {3: '1"', 4: '1"', 8: '4"'}.get(n, '5/8"'), "cycle": "A" if n < 9 else "B", "route": "01",
            "status": "inactive" if n == 6 else "active", "started_on": "2020-01-01",
        }
        for n in range(1, 13)
    ]  # fmt: skip
    meters = [
        {
            "meter_id": meter, "register_id": register, "service_id": service, "dials": dials, "unit": unit, "multiplier": times,
            "status": "active", "start_read": last, "start_date": "2026-09-05",
        }
        for meter, register, service, dials, unit, times, last, _ in METERS
    ]  # fmt: skip
    return {
        "policy": frame("policy", policy),
        "cycles": frame("cycles", [_run("A", 2026, 11), _run("B", 2026, 12), _run("A", 2027, 1)]),
        "accounts": frame("accounts", [
            {"account_id": f"{n:07d}", "name": f"Customer {n}", "mail_street": f"{n} Oak St", "mail_city": "Twelve Oaks, CA 90000",
             "delivery": "paper", "autopay": "no", "status": "active"} for n in range(1, 13)
        ]),
        "services": frame("services", services),
        "meters": frame("meters", meters),
        "rates": frame("rates", _rates()),
        "gl_accounts": frame("gl_accounts", [
            {"gl_account": number, "name": name, "role": role}
            for number, name, role in (
                ("1010", "Cash", "cash"), ("1210", "Receivables", "receivable"), ("3900", "Opening balances", "opening"),
                ("4010", "Service charges", "revenue"), ("4020", "Water sales", "revenue"), ("4040", "Fire lines", "revenue"),
                ("4090", "Fee", "revenue"),
            )
        ]),
    }  # fmt: skip


def _run(cycle: str, year: int, month: int) -> dict[str, Any]:
    first = dt.date(year, month, 1)
    days = {"read_from": 0, "read_to": 9, "bill_date": 11, "due_date": 36, "delinquent_date": 50, "autopay_date": 33}
    return {"cycle": cycle, "period": f"{year}-{month:02d}"} | {n: first + dt.timedelta(d) for n, d in days.items()}


def _rates() -> list[dict[str, Any]]:
    stamp = {"effective_from": "2020-01-01", "applies_by": "service_days", "resolution": "2019-40"}
    rows = []
    for customer_class, sizes in (
        ("RESIDENTIAL_SINGLE", {'5/8"': "20.00", '1"': "35.00"}),
        ("COMMERCIAL", {'1"': "35.00"}),
    ):
        of_class = stamp | {"tariff": "WATER", "customer_class": customer_class}
        rows += [
            of_class | {"component": "Service charge", "kind": "fixed", "keys": f"meter_size={size}", "rate": rate, "position": 1, "gl_account": "4010"}
            for size, rate in sizes.items()
        ]  # fmt: skip
        water = of_class | {"component": "Water", "position": 2, "unit": "CCF", "gl_account": "4020"}
        if customer_class == "COMMERCIAL":
            rows.append(water | {"kind": "flat", "rate": "3.00"})
        else:
            rows.append(water | {"kind": "tiered", "tier": 1, "from_unit": "0", "rate": "2.50"})
            rows.append(water | {"kind": "tiered", "tier": 2, "from_unit": "11", "rate": "4.00"})
        rows.append(of_class | {"component": "Fee", "kind": "percentage", "expression": "Service_charge + Water", "rate": "5", "position": 3, "unit": "%", "gl_account": "4090"})  # fmt: skip
    rows.append(stamp | {"tariff": "FIRE LINE", "customer_class": "OTHER", "component": "Fire line", "kind": "fixed", "keys": 'meter_size=4"', "rate": "40.65", "position": 1, "gl_account": "4040"})  # fmt: skip
    return [row | {"rate_id": f"R{n:03d}"} for n, row in enumerate(rows, 1)]


def history() -> pd.DataFrame:
    """Seven periods of 61 days of every service, ending on 2026-09-05: 11 CCF each, S03 15, S08 none."""
    ends = pd.Timestamp("2026-09-05") - pd.to_timedelta(61 * np.arange(7), unit="D")
    rows = [
        (f"S{n:02d}", end - pd.Timedelta(61, "D"), end, 61, {3: 15, 8: 0}.get(n, 11) * 1_000_000, "CCF", "actual")
        for n in range(1, 13)
        for end in ends
    ]
    names = ["service_id", "service_from", "service_to", "days", "consumption", "unit", "read_code"]
    made = pd.DataFrame(rows, columns=names).astype({"days": "int64", "consumption": "int64"})
    return made.astype({"service_from": "datetime64[s]", "service_to": "datetime64[s]"})


def open_books(url: str) -> None:
    """Make the district's store at `url`: working tables, history, the open period and the opening balances."""
    store = Store.create(url, "lea", Clock())
    with store.work("lea", "convert", "convert") as work:
        work.event("Taken in")
        for name, rows in tables().items():
            known = work.table(name)
            there = set(row_keys(TABLE[name], known))
            new = rows.loc[[key not in there for key in row_keys(TABLE[name], rows)]]
            write_rows(work, Changes(name, new, rows.iloc[:0], rows.iloc[:0]))
        work.insert("consumption_history", history())
        work.insert_one("periods", period=PERIOD, state="open")
        owed = pd.DataFrame(
            {"document": ["OLD-1", "OLD-2"], "account_id": ["0000001", "0000002"], "amount": [4500, 3000]}
        )
        batch = "OPENING"
        entries = entries_of(work, owed, PERIOD, "opening", batch, pd.Timestamp("2026-10-15"))
        write_entries(work, entries, ledger.pair_entries(owed.assign(debit="1210", credit="3900"), 1))
        work.insert_one(
            "batches", batch=batch, kind="opening", cycle="", period=PERIOD, state="posted", created_at=work.at,
            actor=work.actor, posted_at=work.at, documents=2, amount=7500,
        )  # fmt: skip
    store.close()


def beacon(
    *changes: tuple[str, str], without: tuple[str, ...] = (), extra: tuple[str, ...] = (), cycle: str = "A"
) -> str:
    """The read file of a cycle, one line a register; `changes` gives registers (M01, M03:L) another dial or cell text.

    `without` leaves registers out, `extra` adds whole lines. A change "M01", "0999" sets the dial; "M01.Read_Time",
    "2026-11-20 08:00" another column.
    """
    told = dict(changes)
    lines = []
    for meter, register, service, _, unit, _, _, dial in METERS:
        key = f"{meter}:{register}" if register else meter
        if key in without or (cycle == "A") != (int(service[1:]) < 9):
            continue
        cells = {
            "Account_ID": f"{int(service[1:]):07d}", "Location_ID": f"L{service}", "Service_Point_ID": "1", "Meter_ID": meter,
            "Register_Number": register, "Endpoint_SN": f"13{meter}", "Read_Method": "Network", "Read": told.get(key, dial),
            "Read_Unit": UNIT_NAMES[unit], "Billing_Read": "1", "Read_Time": "2026-11-05 08:00",
        }  # fmt: skip
        cells |= {name.partition(".")[2]: text for name, text in told.items() if name.startswith(f"{key}.")}
        lines.append(",".join(cells.values()))
    return "\n".join([READS_HEADER, *lines, *extra]) + "\n"


def payments(*rows: str) -> str:
    return "\n".join(["Account,Amount,Date,Reference,Method", *rows]) + "\n"


class Clerk(AtWorkbook):
    """The clerk of the tests: values are given as the store holds them, and a refusal is looked at."""

    @property
    def yes(self) -> bool:
        return self.says_yes

    @yes.setter
    def yes(self, yes: bool) -> None:
        self.says_yes = yes

    @property
    def marked(self) -> list[str]:
        return [str(problem) for problem in self.problems]

    @property
    def codes(self) -> set[str]:
        return {problem.code for problem in self.problems}

    @property
    def path(self) -> Path:
        """The workbook file, for a clerk at one."""
        book = self.workbook()
        assert isinstance(book, FileWorkbook), "this office's workbook is in memory: give the test the mark `on_file`"
        return book.path

    def press(self, button: str, **cells: Any) -> Outcome:
        """What the button said and listed; a refusal is raised. Questions are answered yes unless `yes` is off."""
        return self.presses(button, **cells)

    def refused(self, button: str, code: str, **cells: Any) -> str:
        """The words of a refusal with this code."""
        with pytest.raises(Refusal) as refused:
            self.presses(button, **cells)
        assert refused.value.problem.code == code, refused.value.line
        return str(refused.value)

    def sheet(self, table: str) -> pd.DataFrame:
        """What stands on a sheet, in the store's types, by row key."""
        return self.sees(table)

    def type(self, table: str, typing: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
        """Type on a sheet: its rows go through `typing` in the store's types, and what differs is typed."""
        self.works_through(table, typing)

    def set(self, table: str, key: str, **values: Any) -> None:
        """Type values into one row of a sheet."""
        self.types(table, {name: as_typed(table, name, value) for name, value in values.items()}, at=key)

    def add(self, table: str, **values: Any) -> None:
        """Type a new row below the others."""
        self.types(table, {name: as_typed(table, name, value) for name, value in values.items()})

    def raw(self, table: str, key: str, column: str, cell: Any) -> None:
        """Put raw cell content into one row, whatever the column takes."""
        self.types(table, {column: cell}, at=key)
