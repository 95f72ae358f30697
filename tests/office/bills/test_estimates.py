"""Estimates on the bill: told when a read was estimated, and when an actual read sets earlier ones right."""

from __future__ import annotations

import csv

import pandas as pd

from tests.office.conftest import Office
from tests.office.small import beacon
from xlbilling.office.bills.estimates import estimates_before, told_on_bill

JANUARY = (
    ("M01", "0130"), ("M02", "012500"), ("M03:L", "0070"), ("M03:H", "0020"), ("M04", "001596"), ("M05", "0016"),
    ("M07", "0322"),
)  # fmt: skip


def printed(office: Office, batch: str) -> dict[str, dict[str, str]]:
    """The rows of a print file by account."""
    with (office.folder / f"print-{batch}.csv").open(encoding="utf-8", newline="") as handle:
        return {row["account"]: row for row in csv.DictReader(handle)}


def test_an_estimated_bill_says_so_and_the_next_one_settles_it(office: Office) -> None:
    """S01 is estimated at 11 in November; in January the meter is read at 0130, and that bill settles one estimated bill."""
    lead = office.lead
    lead.press("import_reads", ReadsFile=office.file("r.csv", beacon(without=("M01",))))
    lead.press("validate")
    lead.set("exceptions", "missing_read M01", decision="estimate", reason="no read came in")
    lead.press("save")
    lead.press("compute")
    lead.press("post")
    lead.press("print_file")
    how = office.sections("service_id = 'S01'").iloc[0]["estimate"] or "by the office"
    first = printed(office, "BL0000001")
    assert (first["0000001"]["service_1_estimated"], first["0000001"]["service_1_how_estimated"]) == ("yes", how)
    assert first["0000001"]["messages"] == f"This bill is estimated ({how}); the next read sets it right."
    assert {row["service_1_estimated"] for account, row in first.items() if account != "0000001"} == {"no"}
    said = lead.press("explain_bill", ExplainBill=_number(office, "S01")).said
    assert f"The read is estimated: {how}." in said

    store = office.store()
    with store.work("lea", "open") as work:
        work.insert_one("periods", period="2027-01", state="open")
        work.event("January is open")
    store.close()
    lead.press("refresh", Period="2027-01")
    january = beacon(*JANUARY).replace("2026-11-05", "2027-01-05")
    lead.press("import_reads", ReadsFile=office.file("j.csv", january))
    lead.press("validate")
    lead.press("compute")
    settles = "The meter was read; this bill settles the estimated bill before it."
    assert settles in lead.press("explain_bill", ExplainBill="S01").said  # the draft
    assert "settles" not in lead.press("explain_bill", ExplainBill="S02").said
    lead.press("post")
    lead.press("print_file")
    second = printed(office, "BL0000002")
    assert (second["0000001"]["service_1_settles_estimated_bills"], second["0000001"]["messages"]) == ("1", settles)
    assert {row["service_1_settles_estimated_bills"] for account, row in second.items() if account != "0000001"} == {""}
    assert settles in lead.press("explain_bill", ExplainBill=_number(office, "S01")).said


def _number(office: Office, service: str) -> str:
    return str(office.table("bill_services", f"service_id = '{service}'", "number")["number"].iloc[-1])


def test_only_estimates_directly_before_a_bill_are_settled_by_it() -> None:
    days = pd.to_datetime(["2026-01-05", "2026-03-05", "2026-05-05", "2026-07-05", "2026-09-05"]).astype(
        "datetime64[s]"
    )
    codes = ["estimated", "actual", "estimated", "estimated", "actual"]
    bills = pd.DataFrame({"service_id": "S1", "service_to": days, "read_code": codes})
    # March settles January; September settles May and July; an estimate settles nothing
    assert estimates_before(bills, bills).tolist() == [0, 1, 0, 0, 2]
    other = bills.assign(service_id="S2")
    assert estimates_before(bills, other).tolist() == [0] * 5


def test_the_words_on_the_bill() -> None:
    assert told_on_bill("", 0) == ""
    assert told_on_bill("", 2) == "The meter was read; this bill settles 2 estimated bills before it."
    assert told_on_bill("as much as last year", 0) == (
        "This bill is estimated (as much as last year); the next read sets it right."
    )
