"""Settling at the desk: rules of Policy for some, exchanged meters, carried fractions and estimates, up to the bills."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.office.conftest import Office
from tests.office.reads.test_readings import decided, findings, read_in
from tests.office.small import Clerk, beacon
from xlbilling.office.reads.settling import carried, registers

OWN = {"topic": "check", "value": "150", "severity": "block"}


def bill(office: Office, service: str = "S01") -> pd.Series:
    """The service's draft or posted bill."""
    for name in ("draft_services", "bill_services"):
        found = office.table(name, f"service_id = '{service}'")
        if len(found):
            return found.iloc[-1]
    raise AssertionError(f"no bill of {service}")


# ---- rules -----------------------------------------------------------------------------------------------------------


def test_a_check_s_rule_for_a_class_and_a_size_is_typed_below_the_others(office: Office) -> None:
    """M01 uses 17 of 11, 155 %: nothing by the plain rule, a block by the rule for houses with small meters."""
    lead = office.lead
    lead.add("policy", setting='high / RESIDENTIAL_SINGLE / 5/8"', **OWN)
    assert lead.press("save").said == "Saved 1 changes."
    assert lead.sheet("policy").loc['check / high / RESIDENTIAL_SINGLE / 5/8"', "value"] == "150"
    read_in(office, ("M01", "0117"), ("M04", "001396"))  # M04, a shop's, by as much: 1,296 x 10 gallons are 17.326
    assert {k: v for k, v in findings(office).items() if k.startswith("high")} == {"high S01": ("block", "open")}


@pytest.mark.parametrize(
    ("row", "code", "says"),
    [
        ({"setting": "high / COMMERCIAL", "value": "150"}, "policy_unknown", "there is no check 'high / COMMERCIAL'"),
        ({"setting": "hihg / COMMERCIAL / any", "value": "150"}, "policy_unknown", "there is no check 'hihg"),
        ({"setting": "high / COMMERCIAL / any", "value": "lots"}, "policy_wrong", "'lots' is not a number"),
        ({"setting": "high / COMMERCIAL / any", "severity": "grave"}, "cell", "grave"),
    ],
)
def test_a_rule_for_some_that_cannot_be_is_refused(
    desk_office: Office, row: dict[str, str], code: str, says: str
) -> None:
    lead = desk_office.lead
    lead.add("policy", topic="check", **row)
    lead.refused("save", "cells_refused")
    assert any(says in mark for mark in lead.marked), lead.marked
    assert any(code in each for each in lead.codes), lead.codes


@pytest.mark.parametrize(("setting", "value"), [("estimate_by", "last_year"), ("estimates_limit", "1.5")])
def test_a_rule_of_estimates_that_cannot_be_is_refused(desk_office: Office, setting: str, value: str) -> None:
    lead = desk_office.lead
    lead.set("policy", f"reads / {setting}", value=value)
    lead.refused("save", "cells_refused")
    assert lead.codes == {"policy_wrong"}


# ---- meters ----------------------------------------------------------------------------------------------------------

_NEW = {
    "meter_id": "M51", "register_id": "", "service_id": "S01", "dials": 4, "unit": "CCF", "multiplier": "1",
    "status": "active", "set_on": pd.Timestamp("2026-10-10"), "start_read": "0000",
}  # fmt: skip
_LINE = "0000001,LS01,1,M51,,13M51,Network,0005,CCF,1,2026-11-05 08:00"


def exchange(lead: Clerk, final: str = "0106") -> None:
    lead.set("meters", "M01 / ", status="removed", removed_on=pd.Timestamp("2026-10-10"), final_read=final)
    lead.add("meters", **_NEW)
    lead.press("save")


def test_an_exchanged_meter_is_billed_in_two_parts_and_never_again(office: Office) -> None:
    """0100 to 0106 and 0000 to 0005: 11 CCF. 20.00 + 10 x 2.50 + 4.00 = 49.00, 2.45 fee: 51.45."""
    lead = office.lead
    exchange(lead)
    read_in(office, without=("M01",), extra=(_LINE,), who="lea")
    assert findings(office)["meter_exchanged M01"] == ("info", "open")
    assert lead.sheet("exceptions").loc["meter_exchanged M01", "place"] == "Meters!L4"
    lead.press("compute")
    made = bill(office)
    assert (made["consumption"], made["amount"], made["days"], made["state"]) == (11_000_000, 5145, 61, "draft")
    reads = office.table("draft_reads", "meter_id IN ('M01', 'M51')")
    assert reads[["meter_id", "dial_read", "consumption"]].to_numpy().tolist() == [
        ["M01", "0106", 6_000_000],
        ["M51", "0005", 5_000_000],
    ]
    lead.press("post")
    meters = lead.sheet("meters").set_index("meter_id")
    assert meters.loc["M01", ["last_read", "last_date"]].tolist() == ["0106", pd.Timestamp("2026-10-10")]
    assert meters.loc["M51", ["last_read", "last_date"]].tolist() == ["0005", pd.Timestamp("2026-11-05")]
    desk = lead.desk(Cycle="A", Period="2027-01")

    still = registers(desk).loc[lambda r: r["service_id"].eq("S01"), "meter_id"].tolist()
    desk.store.close()
    assert still == ["M51"]


def test_an_exchange_without_its_final_read_waits_for_it(desk_office: Office) -> None:
    lead = desk_office.lead
    exchange(lead, final="")
    read_in(desk_office, without=("M01",), extra=(_LINE,), who="lea")
    assert findings(desk_office)["meter_exchanged M01"] == ("block", "open")
    lead.press("compute")
    assert bill(desk_office)[["state", "why"]].tolist() == ["held", "meter_exchanged"]
    lead.set("meters", "M01 / ", final_read="0106")
    lead.press("save")
    lead.press("validate")
    lead.press("compute")
    assert bill(desk_office)[["state", "consumption"]].tolist() == ["draft", 11_000_000]


def test_a_removal_after_the_window_is_left_for_the_next_run(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("meters", "M01 / ", status="removed", removed_on=pd.Timestamp("2026-11-15"), final_read="0114")
    lead.add("meters", **_NEW | {"set_on": pd.Timestamp("2026-11-15")})
    lead.press("save")
    read_in(desk_office, who="lea")
    assert set(findings(desk_office)) == {"rollover M05"}
    lead.press("compute")
    assert bill(desk_office)["consumption"] == 12_000_000


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"status": "removed", "final_read": "0106"}, "a removed meter needs the day it was taken out"),
        ({"removed_on": pd.Timestamp("2026-10-10")}, "the meter is active and has a day it was taken out"),
        ({"status": "removed", "removed_on": pd.Timestamp("2026-10-10"), "final_read": "10x"}, "'10x' is not a dial read"),
        ({"status": "removed", "removed_on": pd.Timestamp("2026-10-10"), "final_read": "10106"}, "10106 has more digits than 4 dials"),
    ],
)  # fmt: skip
def test_a_removal_that_cannot_be_is_refused(desk_office: Office, values: dict[str, object], says: str) -> None:
    lead = desk_office.lead
    lead.set("meters", "M01 / ", **values)
    lead.refused("save", "cells_refused")
    assert any(says in mark for mark in lead.marked), lead.marked


# ---- fractions and estimates -----------------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_what_a_bill_leaves_of_a_unit_is_kept_on_it(office: Office) -> None:
    """S02 measures 12.5 CCF: 12 are billed and 0.5 left, which the service's next run finds."""
    lead = office.lead
    lead.set("policy", "billing / fractions", value="carry")
    lead.press("save")
    read_in(office, who="lea")
    lead.press("compute")
    assert bill(office, "S02")[["consumption", "carried"]].tolist() == [12_000_000, 500_000]
    lead.press("post")
    desk = lead.desk(Cycle="A", Period="2027-01")

    left = carried(desk).set_index("service_id")["carried"]
    desk.store.close()
    assert left["S02"] == 500_000
    assert left["S01"] == 0


def test_an_estimated_bill_says_how_it_was_estimated(desk_office: Office) -> None:
    cora = read_in(desk_office, without=("M01",))
    decided(cora, "missing_read M01", "estimate")
    cora.press("compute")
    made = bill(desk_office)
    assert made[["read_code", "estimate"]].tolist() == [
        "estimated",
        "prior_year: 11 CCF in 61 days to 2025-11-04, 11 for 61 days",
    ]


def test_after_an_estimate_the_next_read_is_known_to_settle_it(office: Office) -> None:
    cora = read_in(office, without=("M01",))
    decided(cora, "missing_read M01", "estimate")
    cora.press("compute")
    office.lead.press("post")
    desk = office.lead.desk(Cycle="A", Period="2027-01")

    row = registers(desk).set_index("meter_id").loc["M01"]
    desk.store.close()
    assert row[["previous_read", "previous_code", "actual_read"]].tolist() == ["0111", "estimated", "0100"]
    assert row[["previous_date", "actual_date"]].tolist() == [pd.Timestamp("2026-11-05"), pd.Timestamp("2026-09-05")]


def test_a_route_without_a_read_is_decided_in_one_go(desk_office: Office) -> None:
    """S02 and S07 are a route of their own; none of it came."""
    lead = desk_office.lead
    for service in ("S02", "S07"):
        lead.set("services", service, route="02")
    lead.press("save")
    read_in(desk_office, without=("M02", "M07"), who="lea")
    assert findings(desk_office)["missing_route 02"] == ("block", "open")
    assert not any(name.startswith("missing_read") for name in findings(desk_office))
    lead.press("compute")
    assert {bill(desk_office, s)["why"] for s in ("S02", "S07")} == {"missing_route"}
    decided(lead, "missing_route 02", "estimate")
    lead.press("compute")
    assert [bill(desk_office, s)["consumption"] for s in ("S02", "S07")] == [11_000_000, 11_000_000]


def test_a_file_with_its_rows_shifted_holds_them_all(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.set("services", "S06", status="active")  # eight reads are the fewest that can be doubted
    keys = ["M01", "M02", "M03:L", "M03:H", "M04", "M05", "M06", "M07"]
    starts = ["1100", "012000", "3100", "0200", "040000", "5100", "0700", "7100"]
    for key, start in zip(keys, starts, strict=True):
        meter, _, register = key.partition(":")
        lead.set("meters", f"{meter} / {register}", start_read=start, unit="CCF", multiplier="1", dials=6)
    lead.press("save")
    moved = [f"{int(start) + 3:06d}" for start in (starts[-1], *starts[:-1])]
    units = tuple((f"{key}.Read_Unit", "CCF") for key in keys)
    read_in(desk_office, *zip(keys, moved, strict=True), *units, who="lea")
    assert list(findings(desk_office)) == ["file_shift 1"]
    lead.press("compute")
    assert {b.why for b in desk_office.table("draft_services").itertuples() if b.service_id != "S08"} == {"file_shift"}


def test_an_hourly_file_is_no_heap_of_duplicates(desk_office: Office) -> None:
    """A second read of every register a day earlier: the later one is settled."""
    text = beacon()
    head, *lines = text.strip().splitlines()
    earlier = [line.replace("2026-11-05", "2026-11-04").replace(",0112,", ",0111,") for line in lines]
    cora = desk_office.clerk("cora")
    cora.press("import_reads", ReadsFile=desk_office.file("reads.csv", "\n".join([head, *earlier, *lines]) + "\n"))
    cora.press("validate")
    assert set(findings(desk_office)) == {"rollover M05"}
    cora.press("compute")
    assert bill(desk_office)["consumption"] == 12_000_000
