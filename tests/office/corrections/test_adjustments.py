"""Adjustments: previewed, taken in once, posted, and refused with the cell that lacks something."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.asked import balance, correct, healthy
from tests.office.conftest import Office


@pytest.mark.stage("posted")
@pytest.mark.both_databases
def test_an_adjustment_is_previewed_taken_in_and_posted(office: Office) -> None:
    cora = office.clerk("cora")
    cora.yes = False
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020", reason="leak")
    assert "adjust 0000001 -10.00: leak. Press Adjust again" in cora.press("adjust").said
    assert office.value("SELECT COUNT(*) FROM adjustments") == 0
    assert "1 corrections taken in." in cora.press("adjust").said
    assert office.lead.press("post").said == "Posted: AJ0000001: 1 adjustments, -10.00."
    # 45.00 from before + 55.65 billed - 10.00
    assert balance(office, "0000001") == 9065
    row = office.table("adjustments").iloc[0]
    assert (row["adjustment_id"], row["state"], row["batch"]) == ("A0000001", "posted", "AJ0000001")
    assert row["posted_on"] == pd.Timestamp("2026-11-23")
    assert healthy(office)


@pytest.mark.stage("posted")
def test_undo_of_adjust_keeps_the_number(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    cora.press("adjust")
    assert cora.press("undo_last").said == "Undid Adjust."
    assert len(cora.sheet("adjustments")) == 0
    assert "No batch waits" in desk_office.lead.press("post").said
    assert healthy(desk_office)


@pytest.mark.stage("posted")
@pytest.mark.parametrize(
    ("values", "code", "cell"),
    [
        ({"kind": "adjust", "account_id": "0009999", "amount": 100, "gl_account": "4020"}, "unknown_account", "D4"),
        ({"kind": "adjust", "account_id": "0000001", "gl_account": "4020"}, "adjustment_incomplete", "E4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 0, "gl_account": "4020"}, "adjustment_incomplete", "E4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4999"}, "adjustment_incomplete", "F4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4020", "posted_on": pd.Timestamp("2026-12-01")}, "day_to_come", "H4"),
        ({"kind": "adjust", "account_id": "0000001", "amount": 100, "gl_account": "4020", "posted_on": pd.Timestamp("2026-10-31")}, "month_closed", "H4"),
        ({"kind": "reverse"}, "adjustment_incomplete", "C4"),
        ({"kind": "reverse", "document": "B0000099"}, "not_reversible", "C4"),
    ],
)  # fmt: skip
def test_a_correction_that_lacks_something_is_refused_with_its_cell(
    desk_office: Office, values: dict[str, object], code: str, cell: str
) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, **values)
    assert f"Adjustments!{cell}" in cora.refused("adjust", code)
    assert desk_office.value("SELECT COUNT(*) FROM adjustments") == 0


@pytest.mark.stage("posted")
def test_a_correction_taken_in_is_not_typed_over(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    cora.press("adjust")
    cora.set("adjustments", "A0000001", amount=-2000)
    cora.refused("save", "posted_row")
