"""The clerk types into cells by key and heading, presses by label, and others may act between a look and a write."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tests.office.small import PERIOD, Clock, open_books
from xlbilling.demo.clerk import Clerk
from xlbilling.maker import build_workbook
from xlbilling.store import Store
from xlbilling.words.problems import Refusal
from xlbilling.workbook.memory import MemoryWorkbook


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small district's store and a built workbook."""
    folder = tmp_path_factory.mktemp("books")
    open_books(f"sqlite:///{folder / 'billing.db'}")
    build_workbook(folder / "billing.xlsm")
    return folder


@pytest.fixture(params=["file", "memory"])
def clerk(request: pytest.FixtureRequest, books: Path, tmp_path: Path) -> Clerk:
    for name in ("billing.db", "billing.xlsm"):
        shutil.copy(books / name, tmp_path / name)
    url = f"sqlite:///{tmp_path / 'billing.db'}"
    if request.param == "memory":
        seated = Clerk.in_memory(MemoryWorkbook(tmp_path), "lea", url, Clock())
    else:
        seated = Clerk.at_file(tmp_path / "billing.xlsm", "lea", url, Clock())
    seated.presses("Refresh", Period=PERIOD, Cycle="A")
    return seated


def stored(clerk: Clerk, table: str) -> pd.DataFrame:
    store = Store.open(clerk.url)
    try:
        return store.table(table)
    finally:
        store.close()


def test_typed_by_heading_or_field_and_saved_by_label(clerk: Clerk) -> None:
    clerk.types("accounts", {"Phone": "555-0100", "name": "Quercus"}, at="0000003")
    clerk.types("accounts", {"Account": "0000050", "Name": "New", "Opened": dt.date(2026, 11, 2)})
    assert clerk.presses("Save").said == "Saved 3 changes."
    accounts = stored(clerk, "accounts").set_index("account_id")
    assert accounts.loc["0000003", ["phone", "name"]].tolist() == ["555-0100", "Quercus"]
    assert accounts.loc["0000050", "opened_on"] == pd.Timestamp("2026-11-02")
    assert clerk.said == [("Refresh", clerk.said[0][1]), ("Save", "Saved 3 changes.")]


def test_what_is_typed_is_typed_raw_and_a_refusal_is_raised(clerk: Clerk) -> None:
    clerk.types("meters", {"dials": "four"}, at="M01 / ")
    with pytest.raises(Refusal):
        clerk.presses("Save")
    assert {(p.code, p.place.cell) for p in clerk.problems} == {("cell_number", "D4")}
    assert "Meters!D4" in clerk.tries("Save")


def test_a_second_press_says_yes_for_a_clerk_who_is_asked(clerk: Clerk) -> None:
    clerk.says_yes = False
    clerk.types("accounts", {"phone": "555-0100"}, at="0000003")
    assert "press Save again" in clerk.presses("Save").said
    assert str(clerk.cell("Question")).startswith("Save 1 changes?")
    assert clerk.presses("Save").said == "Saved 1 changes."


def test_rows_worked_through_are_typed_where_they_differ(clerk: Clerk) -> None:
    """A row left out is deleted, one added goes below, and what was typed elsewhere on the sheet stays as it was."""
    clerk.types("meters", {"dials": "four"}, at="M02 / ")
    clerk.types_beside("meters", "Seen by", {"M04 / ": "Ann", "M05 / ": "Bo"})

    def typing(rows: pd.DataFrame) -> pd.DataFrame:
        rows = rows.loc[rows["meter_id"].ne("M04")].copy()
        rows["unit"] = rows["unit"].mask(rows["meter_id"].eq("M05"), "GAL")
        return pd.concat([rows, pd.DataFrame([{"meter_id": "M99", "dials": 4}], index=[999])])

    before = clerk.cells("meters")["meter_id"].tolist()
    clerk.works_through("meters", typing)
    after = clerk.cells("meters").set_index("meter_id")
    assert after.index.tolist() == [*(meter for meter in before if meter != "M04"), "M99"]
    assert (after.loc["M02", "dials"], after.loc["M05", "unit"], after.loc["M99", "dials"]) == ("four", "GAL", 4.0)
    assert clerk.workbook().read("meters").own["Seen by"].dropna().to_dict() == {"M05 / ": "Bo"}


def test_rows_are_deleted_and_blanked(clerk: Clerk) -> None:
    keys = clerk.sees("accounts").index.tolist()
    clerk.deletes("accounts", keys[1])
    clerk.blanks("accounts", keys[3])
    assert clerk.sees("accounts").index.tolist() == [key for key in keys if key not in (keys[1], keys[3])]
    assert clerk.workbook().read("accounts").rows.tolist()[:3] == [4, 5, 7]
    with pytest.raises(LookupError, match="0 times"):
        clerk.types("accounts", {"phone": "1"}, at=keys[1])


def test_a_column_is_typed_down(clerk: Clerk) -> None:
    clerk.types_down("services", "Route", lambda row: "77" if row["customer_class"] == "OTHER" else None)
    assert clerk.presses("Save").said == "Saved 1 changes."
    assert clerk.sees("services").loc["S08", "route"] == "77"


def test_another_clerk_acts_between_a_look_and_the_write(clerk: Clerk, tmp_path: Path) -> None:
    """Two clerks with a workbook each on one store: the one who looked first finds that the other has written."""
    carl = Clerk.in_memory(MemoryWorkbook(tmp_path), "carl", clerk.url, clerk.clock)
    carl.presses("Refresh", Period=PERIOD, Cycle="A")
    carl.types("accounts", {"phone": "555-0202"}, at="0000004")
    acts: list[int] = []

    def meets() -> None:
        acts.append(len(stored(clerk, "row_history")))
        carl.presses("Save")
        acts.append(len(stored(clerk, "row_history")))

    clerk.types("accounts", {"phone": "555-0101"}, at="0000003")
    clerk.meanwhile(meets)
    clerk.presses("Save")
    assert acts[1] > acts[0]  # Carl's row was written while the other's was looked at and not yet written
    phones = stored(clerk, "accounts").set_index("account_id")["phone"]
    assert (phones["0000003"], phones["0000004"]) == ("555-0101", "555-0202")
    clerk.presses("Save")
    assert len(acts) == 2  # once
