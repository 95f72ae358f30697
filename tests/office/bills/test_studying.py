"""The rate study from the store: what it prices, what it refuses, and that it posts nothing."""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openxml_audit import OpenXmlValidator

from tests.office.conftest import Office
from xlbilling.office.bills.study import Studied, rate_study
from xlbilling.words.problems import Refusal

YEAR = dt.date(2026, 1, 1), dt.date(2026, 12, 31)
HEADING = "Rate schedule,Class,Charge,Kind,Key,Tier,From unit,Rate,Formula,Effective from,Resolution,Order"
# Water of single homes 10 % dearer in tier 2; the service charge and the fee as they are.
PROPOSED = [
    'WATER,RESIDENTIAL_SINGLE,Service charge,fixed,"meter_size=5/8""",0,,20.00,,2027-01-01,2026-55,1',
    'WATER,RESIDENTIAL_SINGLE,Service charge,fixed,"meter_size=1""",0,,35.00,,2027-01-01,2026-55,1',
    "WATER,RESIDENTIAL_SINGLE,Water,tiered,,1,0,2.50,,2027-01-01,2026-55,2",
    "WATER,RESIDENTIAL_SINGLE,Water,tiered,,2,11,4.40,,2027-01-01,2026-55,2",
    "WATER,RESIDENTIAL_SINGLE,Fee,percentage,,0,,5,Service_charge + Water,2027-01-01,2026-55,3",
]
OWRS = """---
metadata:
  effective_date: 2027-01-01
  bill_unit: ccf
rate_structure:
  COMMERCIAL:
    service_charge:
      depends_on: meter_size
      values:
        '1"': 40
    flat_rate: 3.50
    commodity_charge: flat_rate*usage_ccf
    bill: service_charge + commodity_charge
"""


def listing(office: Office, *rows: str) -> Path:
    return office.folder / office.file("proposed.csv", "\n".join([HEADING, *(rows or PROPOSED)]) + "\n")


def studied(office: Office, proposal: Path, schedule: str = "", days: tuple[dt.date, dt.date] = YEAR) -> Studied:
    store = office.store()
    try:
        return rate_study(store, proposal, *days, office.folder / "study.xlsx", schedule)
    finally:
        store.close()


@pytest.mark.stage("posted")
def test_posted_bills_are_priced_as_they_were_billed(desk_office: Office) -> None:
    since = dt.date(2026, 11, 1), dt.date(2026, 11, 30)
    found = studied(desk_office, listing(desk_office), days=since)
    posted = desk_office.table("bills").groupby("account_id")["amount"].sum()
    assert found.study.accounts.set_index("account_id")["current"].to_dict() == posted.to_dict()
    # S01 12 CCF: 2 units in tier 2, 0.40 more each and 5 % fee on it: 0.84; S03 15 CCF: 5 x 0.40 x 1.05 = 2.10.
    change = found.study.accounts.set_index("account_id")["change"]
    assert (change["0000001"], change["0000003"], change["0000004"], change["0000008"]) == (84, 210, 0, 0)
    assert found.said == (
        "study.xlsx: 7 bills of 7 accounts, 405.00 now, 409.41 proposed, 4.41 change; 4 accounts pay more, 0 less."
    )


@pytest.mark.stage("posted")
def test_history_stands_in_where_there_is_no_bill_and_nothing_is_posted(desk_office: Office) -> None:
    before = desk_office.value("SELECT COUNT(*) FROM events"), desk_office.value("SELECT COUNT(*) FROM journal")
    found = studied(desk_office, listing(desk_office))
    assert (
        desk_office.value("SELECT COUNT(*) FROM events"),
        desk_office.value("SELECT COUNT(*) FROM journal"),
    ) == before
    # The history of the year is there once, and the 7 bills of November with it.
    history = desk_office.table("consumption_history")
    inside = history["service_to"].between(pd.Timestamp(YEAR[0]), pd.Timestamp(YEAR[1])).sum()
    assert found.study.accounts["bills"].sum() + len(found.study.left_out) == inside + 7


def test_the_workbook_opens_cleanly_and_says_the_same(desk_office: Office) -> None:
    found = studied(desk_office, listing(desk_office))
    assert OpenXmlValidator().validate(str(found.path)).is_valid
    book = openpyxl.load_workbook(found.path, data_only=True)
    summary = {row[0].value: (row[2].value, row[3].value) for row in book["Summary"].iter_rows(min_row=13, max_row=20)}
    assert summary["Change"][1] == found.study.accounts["change"].sum() / 100
    assert summary["Accounts compared"][0] == len(found.study.accounts)
    assert book["Summary"]["B4"].value == "service periods that end from 2026-01-01 to 2026-12-31"
    assert book["Accounts"].max_row == 5 + len(found.study.accounts)
    assert book["Left out"]["A3"].value == "Every bill was priced on both sets of rates."


def test_an_owrs_file_stands_for_the_schedule_its_classes_are_billed_on(desk_office: Office) -> None:
    path = desk_office.folder / desk_office.file("proposed.owrs", OWRS)
    found = studied(desk_office, path)
    charges = found.study.by_charge.set_index(["customer_class", "charge"])["change"]
    periods = found.study.by_class.set_index("customer_class").loc["COMMERCIAL", "bills"]
    assert charges["COMMERCIAL", "service_charge"] == 4000 * periods
    assert charges["COMMERCIAL", "Fee"] < 0  # the proposal has no fee
    assert charges["RESIDENTIAL_SINGLE", "Water"].sum() == 0


def test_a_proposal_may_be_a_workbook(desk_office: Office) -> None:
    book = openpyxl.Workbook()
    for line in [HEADING, *PROPOSED]:
        (cells,) = csv.reader([line])
        book.active.append([float(c) if c.replace(".", "").isdigit() else c for c in cells])
    path = desk_office.folder / "proposed.xlsx"
    book.save(path)
    same = studied(desk_office, listing(desk_office)).study.by_charge
    pd.testing.assert_frame_equal(studied(desk_office, path).study.by_charge, same)


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("study_proposal", ["WATER,RESIDENTIAL_SINGLE,Water,flot,,0,,3,,2027-01-01,2026-55,1"]),
        ("study_proposal", ["WATER,RESIDENTIAL_SINGLE,Water,flat,,0,,3,,soon,2026-55,1"]),
        ("study_proposal", ["WATER,RESIDENTIAL_SINGLE,Water,flat,,x,,3,,2027-01-01,2026-55,1"]),
    ],
)
def test_a_proposal_that_cannot_be_used_is_refused_with_its_line(
    desk_office: Office, code: str, rows: list[str]
) -> None:
    with pytest.raises(Refusal) as refused:
        studied(desk_office, listing(desk_office, *rows))
    assert refused.value.problem.code == code
    assert refused.value.problem.place.file == "proposed.csv"
    assert not (desk_office.folder / "study.xlsx").exists()


def test_days_without_bills_are_refused(desk_office: Office) -> None:
    with pytest.raises(Refusal) as refused:
        studied(desk_office, listing(desk_office), days=(dt.date(2031, 1, 1), dt.date(2031, 12, 31)))
    assert refused.value.problem.code == "nothing_to_study"


def test_an_owrs_file_whose_schedule_is_not_certain_is_refused(desk_office: Office) -> None:
    path = desk_office.folder / desk_office.file("proposed.owrs", OWRS.replace("COMMERCIAL", "GOLF"))
    with pytest.raises(Refusal) as refused:
        studied(desk_office, path)
    assert refused.value.problem.code == "study_schedule"


def test_the_districts_own_template_is_used(desk_office: Office) -> None:
    own = desk_office.folder / "templates"
    own.mkdir()
    source = Path(__file__).resolve().parents[3] / "templates" / "rate-study.xlsx"
    shutil.copy(source, own / "rate-study.xlsx")
    book = openpyxl.load_workbook(own / "rate-study.xlsx")
    book["Summary"]["A1"] = "What if?"
    book.save(own / "rate-study.xlsx")
    found = studied(desk_office, listing(desk_office))
    assert openpyxl.load_workbook(found.path)["Summary"]["A1"].value == "What if?"
