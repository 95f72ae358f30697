"""The audit of a run: exactly the bills that stand in it, wherever they were billed."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.asked import correct
from tests.office.conftest import Office
from tests.office.corrections.test_rebilling import LATER, second_bill
from tests.office.month.test_closing import audited, items
from tests.office.small import DUE, PERIOD
from xlbilling.office.bills.audit import audit_state, outcomes


@pytest.mark.stage("posted")
def test_a_bill_made_anew_in_a_later_month_is_audited_with_its_run(desk_office: Office) -> None:
    """November's S01 was misread: 0108 in place of 0112 is 8 CCF, 20.00 + 20.00 = 40.00 + 2.00 = 42.00, billed in January."""
    office, lead = desk_office, desk_office.lead
    audited(office)
    second_bill(office)
    correct(lead, kind="rebill", document="B0000001 M01=0108", reason="misread", posted_on=pd.Timestamp("2027-01-20"))
    lead.press("reverse")
    lead.press("checklist")
    detail = str(lead.sheet("close").loc["Audit is green", "detail"])
    assert detail == "cycle A of 2026-11: bills changed since; cycle A: not done; cycle B of 2026-12: not done"
    assert items(lead)["Audit is green"] == "open"
    desk = lead.desk(Cycle="A", Period=PERIOD)
    rows = outcomes(desk).set_index("service_id")
    assert rows["billed"].to_dict() == DUE | {"S01": 4200}
    assert set(rows["outcome"]) == {"billed"}
    assert rows.loc["S01", "bill_date"] == pd.Timestamp("2027-01-20")
    later = outcomes(lead.desk(Cycle="A", Period=LATER)).set_index("service_id")
    assert later.loc["S01", "billed"] == 7245
    assert audit_state(desk, "A", PERIOD) == "bills changed since"
    desk.store.close()
