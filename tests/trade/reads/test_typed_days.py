"""Typed days: a read whose day is wrong is billed on the day that was typed for it, once that has passed every check."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import costly
from tests.trade.reads.cycle import LAST, NOW, found, one, past, read, register, rules, settled

DAY = pd.Timedelta(1, "D")
A_YEAR_AGO = pd.Timestamp("2025-11-05")
ACCEPT, ESTIMATE = ({"decision": name} for name in ("accept", "estimate"))


def typed(dial: str = "", day: Any = "") -> dict[str, str]:
    return {"decision": "override", "override_read": dial, "override_date": str(day)[:10]}


def test_a_year_mistyped_is_put_right_by_the_day_alone() -> None:
    """2025-11-05 typed as 2026-11-05: 0111 less 0100 are 11 CCF in the 61 days since 2026-09-05, and nothing is asked."""
    wrong = [read("0111", read_date=A_YEAR_AGO)]
    assert found(settled([register()], wrong, past())) == ["outside_window M1"]
    made = settled([register()], wrong, past(), {"outside_window M1": typed(day=NOW)})
    assert (found(made), one(made)) == (["outside_window M1"], (11, ""))
    assert made.services[["service_from", "service_to", "days"]].to_numpy().tolist() == [[LAST, NOW, 61]]
    assert made.registers[["dial_read", "read_date", "read_code"]].to_numpy().tolist() == [["0111", NOW, "actual"]]


@costly
@given(st.integers(1, 130), st.integers(100, 400), st.integers(1, 60))
def test_a_typed_day_is_judged_and_billed_like_a_read_of_that_day(after: int, dial: int, used: int) -> None:
    """The slow way: the same dial come in on that day."""
    day, tap = LAST + after * DAY, register()
    wrong = read(f"{dial:04d}", read_date=A_YEAR_AGO)
    made = settled([tap], [wrong], past(used=used), {"outside_window M1": typed(day=day)})
    plain = settled([tap], [wrong | {"read_date": day}], past(used=used))
    assert one(made)[0] == one(plain)[0]
    assert made.services["days"].tolist() == [after]
    before = settled([tap], [wrong], past(used=used)).findings
    told = set(zip(before["rule"], before["fact"], strict=True))
    again = made.findings.loc[made.findings["rule"].ne("outside_window")]
    said = {(rule.removesuffix(" / override"), fact) for rule, fact in zip(again["rule"], again["fact"], strict=True)}
    assert said == set(zip(plain.findings["rule"], plain.findings["fact"], strict=True))
    fresh = again.loc[again["rule"].str.endswith(" / override")]
    assert not told & set(zip(fresh["rule"].str.removesuffix(" / override"), fresh["fact"], strict=True))


def test_a_typed_day_outside_the_window_holds_until_it_is_accepted() -> None:
    """The window ends on 11-10; the read is said to be of 11-13, 69 days after 09-05."""
    wrong, late = [read("0111", read_date=A_YEAR_AGO)], NOW + 8 * DAY
    decided = {"outside_window M1": typed(day=late)}
    made = settled([register()], wrong, past(), decided)
    assert (found(made), one(made)[1]) == (
        ["outside_window / override M1", "outside_window M1"],
        "outside_window / override",
    )
    assert "read on 2026-11-13, outside 2026-11-01 to 2026-11-10" in set(made.findings["fact"])
    made = settled([register()], wrong, past(), decided | {"outside_window / override M1": ACCEPT})
    assert (one(made), made.services["days"].tolist()) == ((11, ""), [69])
    made = settled([register()], wrong, past(), decided | {"outside_window / override M1": typed(day=NOW)})
    assert (one(made), made.services["days"].tolist()) == ((11, ""), [61])


@pytest.mark.parametrize("day", [LAST, LAST - DAY])
def test_a_day_that_is_not_after_the_last_read_holds_with_what_to_do(day: pd.Timestamp) -> None:
    made = settled([register()], [read("0111", read_date=A_YEAR_AGO)], past(), {"outside_window M1": typed(day=day)})
    assert one(made)[1] == (
        f"override: {day:%Y-%m-%d} is not after 2026-09-05, the day of the last read of register M1; "
        "type the day it was read, or ask for a re-read"
    )


def test_a_day_needs_a_dial_where_none_was_read() -> None:
    for reads, name in (([], "missing_read M1"), ([read("", read_code="no_read")], "no_read M1")):
        made = settled([register()], reads, past(), {name: typed(day=NOW - DAY)})
        assert "has no read to give the day to; type its dial in Override read as well" in one(made)[1]
        made = settled([register()], reads, past(), {name: typed("0111", NOW - DAY)})
        assert (one(made), made.services["days"].tolist()) == ((11, ""), [60])


def test_dial_and_day_may_stand_on_one_finding_or_on_two() -> None:
    reads = [read("0200", unit="GAL", read_date=A_YEAR_AGO)]
    both: tuple[dict[str, Any], ...] = (
        {"wrong_unit M1": typed("0112", NOW)},
        {"wrong_unit M1": typed("0112"), "outside_window M1": typed(day=NOW)},
    )
    for decided in both:
        made = settled([register()], reads, past(), decided)
        assert (one(made), made.services["days"].tolist()) == ((12, ""), [61])
    made = settled(
        [register()], reads, past(), {"wrong_unit M1": typed("0112", NOW), "outside_window M1": typed(day=NOW - DAY)}
    )
    assert one(made)[1] == "override: 2026-11-04 and 2026-11-05 are both typed for register M1; leave one of them"


def test_what_was_decided_on_the_dial_stands_when_only_its_day_changes() -> None:
    """0099 below 0100 is accepted as gone round: 10000 - 100 + 99 = 9,999; its day is put right."""
    reads = [read("0099", read_date=NOW + 8 * DAY)]
    decided = {"read_below_last M1": ACCEPT, "outside_window M1": typed(day=NOW)}
    made = settled([register()], reads, past(), decided, by=rules(spike=("500", "off"), implied_decimals=("", "off")))
    assert (one(made)[0], made.services["days"].tolist()) == (9999, [61])
    made = settled([register()], reads, past(), {"read_below_last M1": ESTIMATE, "outside_window M1": typed(day=NOW)})
    assert (one(made), made.services["days"].tolist()) == ((11, ""), [61])


def test_the_day_of_one_meter_is_the_day_its_route_was_read() -> None:
    """M1 of route 03 is silent, M2 of it was read on 11-05, whatever its file says: M1 is estimated to 11-05."""
    taps = [register(f"M{n}", f"S{n}", route="03") for n in (1, 2)]
    reads = [read("0111", "M2", read_date=A_YEAR_AGO)]
    decided = {"outside_window M2": typed(day=NOW - DAY), "missing_read M1": ESTIMATE}
    made = settled(taps, reads, past() + past("S2"), decided)
    assert made.services["service_to"].tolist() == [NOW - DAY, NOW - DAY]


def test_the_final_read_of_a_meter_taken_out_has_its_day_on_meters() -> None:
    taps = [
        register(removed_on=pd.Timestamp("2026-10-10"), final_read=""),
        register("M2", previous_read="0000", previous_date=pd.Timestamp("2026-10-10")),
    ]
    made = settled(taps, [read("0005", "M2")], past(), {"meter_exchanged M1": typed("0106", NOW)})
    assert made.services["hold"].tolist() == [
        "override: M1 was taken out; the day of its final read is Removed on sheet Meters"
    ]


def test_a_final_read_dated_too_late_ends_with_the_service() -> None:
    """The service ended on 10-20, the read is dated 11-05 and was taken on 10-20: 45 days. Taken on 10-25 it asks again."""
    tap = register(ended="the service ended", ends_on=pd.Timestamp("2026-10-20"))
    by = rules(outside_window=("", "off"), days=("90-110", "off"))
    made = settled([tap], [read("0107")], past(), {"service_ended S1": typed(day="2026-10-20")}, by=by)
    assert (one(made), made.services["days"].tolist()) == ((7, ""), [45])
    made = settled([tap], [read("0107")], past(), {"service_ended S1": typed(day="2026-10-25")}, by=by)
    assert one(made)[1] == "service_ended / override"


# ---- services with several registers ---------------------------------------------------------------------------------

LOW, HIGH = register(register_id="L"), register(register_id="H", previous_read="0000")


def test_what_is_typed_for_one_dial_answers_all_that_was_said_of_it_and_nothing_of_the_other() -> None:
    """L is 11110 for 0111 and in gallons: too many digits, another unit, and with it the service's spike. H stays doubted."""
    reads = [read("11110", register_id="L", unit="GAL"), read("0000", register_id="H", unit="GAL")]
    before = found(settled([LOW, HIGH], reads, past()))
    assert before == ["spike S1", "too_many_dials M1:L", "wrong_unit M1:H", "wrong_unit M1:L"]
    made = settled([LOW, HIGH], reads, past(), {"too_many_dials M1:L": typed("0111")})
    assert (found(made), one(made)) == (["too_many_dials M1:L", "wrong_unit M1:H"], (11, "wrong_unit"))


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("M1:L=0108 M1:H=0003", (11, "")),
        ("L=0108; H=0003", (11, "")),
        ("L=0108", (19, "")),  # H stays at its read of 0011
        ("L=0108 L=0109", (90, "override: 'L=0108 L=0109' has no dial, or two, for register L")),
        ("X=0108", (90, "override: X names 0 registers of the service, which has M1:L, M1:H")),
        ("M1=0108", (90, "override: M1 names 2 registers of the service, which has M1:L, M1:H")),
        ("L=0108 0003", (90, "override: 'L=0108 0003' is not a dial for each register, such as M03:L=0111 M03:H=0015")),
        ("0108", (90, "override: the service has several registers; type M1:L=... M1:H=..., ask for a re-read, or estimate")),
    ],
)  # fmt: skip
def test_the_dials_of_a_service_with_several_are_typed_with_their_names(text: str, outcome: tuple[int, str]) -> None:
    """L 0179 less 0100 and H 0011 less 0000 are 90; 8 and 3 are 11."""
    reads = [read("0179", register_id="L"), read("0011", register_id="H")]
    made = settled([LOW, HIGH], reads, past(), {"spike S1": typed(text)}, by=rules(high=("200", "off")))
    assert one(made) == outcome


def test_a_day_typed_on_a_finding_of_the_service_is_that_of_all_its_registers() -> None:
    reads = [read(dial, register_id=name, read_date=NOW + 30 * DAY) for dial, name in (("0108", "L"), ("0003", "H"))]
    by = rules(outside_window=("", "off"))
    made = settled([LOW, HIGH], reads, past(), {"days S1": typed(day=NOW)}, by=by)
    assert (one(made), made.services["days"].tolist()) == ((11, ""), [61])
    assert made.registers["read_date"].tolist() == [NOW, NOW]
