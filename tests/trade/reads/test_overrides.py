"""Typed dials: every dial that is billed has passed every check, and what was accepted of it stands as long as it does."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trade.reads.cycle import LAST, MILLION, NOW, found, one, past, read, register, rules, settled
from xlbilling.words.problems import Refusal

ACCEPT, REREAD, ESTIMATE = ({"decision": name} for name in ("accept", "reread", "estimate"))
DAY = pd.Timedelta(1, "D")


def typed(dial: str) -> dict[str, str]:
    return {"decision": "override", "override_read": dial}


WRONG_UNIT = [read("0200", unit="GAL")]  # 0100 at the last read, 11 CCF are usual


def test_a_mistyped_dial_is_a_finding_that_holds() -> None:
    """6243 for 0243 on a meter that stood at 0230: 6,013 CCF against 11."""
    made = settled([register(previous_read="0230")], WRONG_UNIT, past(), {"wrong_unit M1": typed("6243")})
    assert one(made) == (6013, "spike / override")
    row = made.findings.set_index("exception_id").loc["spike / override S1"]
    assert (row["rule"], row["severity"], row["state"]) == ("spike / override", "block", "open")
    assert row["fact"] == "6,013 in 61 days, against 11 last year and 11 on average for as many days"


@pytest.mark.parametrize(
    ("dial", "name"),
    [
        ("0195", "spike / override S1"),  # 95
        ("0122", "high / override S1"),  # 22, 200 %
        ("0105", "low / override S1"),  # 5
        ("0100", "stuck / override M1"),
        ("99", "too_few_dials / override M1"),
        ("0099", "read_below_last / override M1"),
        ("0089", "reversed_meter / override M1"),
        ("1110", "implied_decimals / override M1"),
    ],
)
def test_a_typed_dial_passes_the_checks_of_reads(dial: str, name: str) -> None:
    made = settled([register()], WRONG_UNIT, past(), {"wrong_unit M1": typed(dial)})
    as_read = settled([register()], [read(dial)], past()).findings
    facts = dict(zip(as_read["rule"] + " / override", as_read["fact"], strict=True))
    again = made.findings.loc[made.findings["rule"].str.endswith(" / override")]
    assert name in set(again["exception_id"])
    assert dict(zip(again["rule"], again["fact"], strict=True)) == facts  # what a read of this dial would have had said


def test_a_good_dial_answers_all_findings_of_its_register() -> None:
    """One fault, three findings: a point out of place. The typed 0111 is 11 CCF, and nothing else is asked."""
    reads = [read("11110")]
    assert found(settled([register()], reads, past())) == ["implied_decimals M1", "spike S1", "too_many_dials M1"]
    made = settled([register()], reads, past(), {"too_many_dials M1": typed("0111")})
    assert (found(made), one(made)) == (["too_many_dials M1"], (11, ""))


def test_an_accepted_dial_is_billed_until_another_is_typed() -> None:
    decided = {"wrong_unit M1": typed("0195"), "spike / override S1": ACCEPT}
    made = settled([register()], WRONG_UNIT, past(), decided)
    assert one(made) == (95, "")
    assert made.findings["state"].tolist() == ["decided", "decided"]
    # once 0196 is typed, what was accepted were 95 CCF
    office_says = made.findings.set_index("exception_id")
    office_says.loc["wrong_unit M1", "override_read"] = "0196"
    again = settled([register()], WRONG_UNIT, past(), standing=office_says.reset_index())
    assert one(again) == (96, "spike / override")


def test_a_dial_typed_over_a_typed_dial_is_checked_anew() -> None:
    decided = {"wrong_unit M1": typed("0195"), "spike / override S1": typed("0194")}
    made = settled([register()], WRONG_UNIT, past(), decided)
    assert (one(made), found(made)[0]) == ((94, "spike / override 2"), "spike / override 2 S1")
    made = settled([register()], WRONG_UNIT, past(), decided | {"spike / override 2 S1": ACCEPT})
    assert one(made) == (94, "")
    made = settled([register()], WRONG_UNIT, past(), decided | {"spike / override 2 S1": typed("0112")})
    assert (one(made), made.registers["dial_read"].tolist()) == ((12, ""), ["0112"])


def test_the_read_itself_typed_again_is_asked_about_again() -> None:
    """Typing 0195 on the spike of 0195 does not say that 95 CCF are right."""
    made = settled([register()], [read("0195")], past(), {"spike S1": typed("0195")})
    assert (found(made), one(made)[1]) == (["spike / override S1", "spike S1"], "spike / override")


@pytest.mark.parametrize(
    ("decision", "outcome"), [(ESTIMATE, (11, "")), (REREAD, (95, "spike / override (re-read asked for)"))]
)
def test_a_typed_dial_may_be_given_up_again(decision: dict[str, str], outcome: tuple[int, str]) -> None:
    decided = {"wrong_unit M1": typed("0195"), "spike / override S1": decision}
    assert one(settled([register()], WRONG_UNIT, past(), decided)) == outcome


def test_what_was_accepted_of_the_read_is_not_accepted_of_the_typed_dial() -> None:
    """0099 is accepted as a rollover, 0098 is typed for the second of two reads: 0098 is below 0100 as well."""
    reads = [read("0099", read_time="08:00"), read("0097", read_time="10:00")]
    decided = {"read_below_last M1": ACCEPT, "duplicate_read M1": typed("0098")}
    assert one(settled([register()], reads, past(), decided)) == (0, "read_below_last / override")


def test_a_district_that_only_looks_at_spikes_bills_typed_ones() -> None:
    made = settled(
        [register()], WRONG_UNIT, past(), {"wrong_unit M1": typed("0195")}, by=rules(spike=("500", "review"))
    )
    assert one(made) == (95, "")
    assert "spike / override S1" in found(made)


def test_a_day_that_no_dial_answers_is_not_asked_twice() -> None:
    """Read on 11-13, the window ends on 11-10; the dial typed there is billed to the day of the read."""
    late = [read("0111", read_date=NOW + 8 * DAY)]
    made = settled([register()], late, past(), {"outside_window M1": typed("0112")})
    assert (found(made), one(made)) == (["outside_window M1"], (12, ""))
    assert made.services["days"].tolist() == [69]


def test_a_typed_dial_of_a_sub_meter_is_held_against_its_master() -> None:
    """The master measured 30, its sub-meter 20; typed as 0240 it is 40."""
    taps = [register(), register("M2", "S2", previous_read="0200", master_meter="M1")]
    reads = [read("0130"), read("0220", "M2", unit="GAL")]
    bills = past(used=30) + past("S2", used=30)
    made = settled(taps, reads, bills, {"wrong_unit M2": typed("0240")})
    row = made.findings.set_index("exception_id").loc["submeter_sum / override M1"]
    assert row["fact"] == "1 meters behind M1 used 40 CCF, the master 30"


def test_other_services_say_what_they_said() -> None:
    """S2 has a spike of its own; the dial typed for S1 changes nothing of its finding, and nothing of the file's."""
    taps = [register(f"M{n}", f"S{n}") for n in range(1, 13)]
    reads = [*WRONG_UNIT, read("0195", "M2"), *(read("0111", f"M{n}") for n in range(3, 12))]
    decided = {"wrong_unit M1": typed("0111"), "missing_read M12": typed("0112")}
    made = settled(taps, reads, past() + past("S2"), decided)
    assert found(made) == ["missing_read M12", "spike S2", "wrong_unit M1"]
    assert made.services["hold"].tolist() == ["", "spike", *[""] * 10]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 9999), st.integers(0, 9999), st.integers(0, 60))
def test_a_typed_dial_is_judged_and_billed_like_a_read(last: int, dial: int, used: int) -> None:
    """The slow way: the same dial come in a file. Everything that holds, is looked at or billed is the same."""
    tap, text = register(previous_read=f"{last:04d}"), f"{dial:04d}"
    made = settled([tap], WRONG_UNIT, past(used=used), {"wrong_unit M1": typed(text)})
    plain = settled([tap], [read(text)], past(used=used))
    assert one(made)[0] == one(plain)[0]
    again = made.findings.loc[made.findings["rule"].ne("wrong_unit")]
    known = dict(zip(plain.findings["rule"], plain.findings["fact"], strict=True))
    said = {rule.removesuffix(" / override"): fact for rule, fact in zip(again["rule"], again["fact"], strict=True)}
    assert said == known


# ---- services that are estimated in part -----------------------------------------------------------------------------

PARTS = [register(register_id="L"), register(register_id="H", previous_read="0000")]


@pytest.mark.parametrize(
    ("reads", "decided"),
    [
        ([read("0195", register_id="L")], {}),  # misread
        ([read("0200", register_id="L", unit="GAL")], {"wrong_unit M1:L": typed("0195")}),  # mistyped
    ],
)
def test_a_register_beside_an_estimated_one_is_checked_with_it(
    reads: list[dict[str, Any]], decided: dict[str, Any]
) -> None:
    """L moved on by 95, of the usual 11 nothing is left to estimate for H: 95 are billed, or are they?"""
    decided = decided | {"missing_read M1:H": ESTIMATE}
    made = settled(PARTS, reads, past(), decided)
    assert (one(made), "spike / estimate S1" in found(made)) == ((95, "spike / estimate"), True)
    assert one(settled(PARTS, reads, past(), decided | {"spike / estimate S1": ACCEPT})) == (95, "")
    for decision in (typed("0111"), ESTIMATE):
        assert (
            "estimated; accept it" in one(settled(PARTS, reads, past(), decided | {"spike / estimate S1": decision}))[1]
        )


# ---- services that ended ---------------------------------------------------------------------------------------------

ENDED = {"ended": "the service ended", "ends_on": pd.Timestamp("2026-10-20")}


def test_a_service_that_ended_is_not_billed_past_its_end() -> None:
    """From 2026-09-05 to 2026-10-20 are 45 days; the dial of that day is typed, or 11 CCF in 61 days are 8 in 45."""
    name = "service_ended S1"
    made = settled([register(**ENDED)], [read("0111")], past())
    assert (found(made), one(made)[1]) == ([name], "service_ended")
    made = settled([register(**ENDED)], [read("0111")], past(), {name: ACCEPT})
    assert one(made)[1].startswith("accept: nothing is billed past 2026-10-20")
    for decision, used in ((typed("0107"), 7), (ESTIMATE, 8)):
        made = settled([register(**ENDED)], [read("0111")], past(), {name: decision})
        assert (one(made), made.services["days"].tolist()) == ((used, ""), [45])
        assert made.services["service_to"].tolist() == [ENDED["ends_on"]]


def test_an_ended_service_is_estimated_at_no_more_than_its_dial_shows_since() -> None:
    """Last year says 8 in 45 days; up to 2026-11-05 the dial moved on by 6."""
    made = settled([register(**ENDED)], [read("0106")], past(), {"service_ended S1": ESTIMATE})
    assert (one(made), made.registers["dial_read"].tolist()) == ((6, ""), ["0106"])
    assert made.services["estimate"].iloc[0].endswith("8.115 for 45 days, at most the 6 up to the read of 2026-11-05")


def test_a_final_dial_that_is_typed_is_checked_too() -> None:
    made = settled([register(**ENDED)], [read("0111")], past(), {"service_ended S1": typed("0195")})
    assert one(made)[1] == "spike / override"


@pytest.mark.parametrize(("day", "name"), [(ENDED["ends_on"], []), (ENDED["ends_on"] - 2 * DAY, []), (ENDED["ends_on"] + DAY, ["service_ended S1"])])  # fmt: skip
def test_the_read_of_the_last_day_is_the_final_bill(day: pd.Timestamp, name: list[str]) -> None:
    made = settled([register(**ENDED)], [read("0107", read_date=day)], past(), by=rules(outside_window=("", "off")))
    assert found(made) == name


def test_an_account_closed_without_a_day_holds_whatever_is_decided() -> None:
    tap = register(ended="account 01 is closed")
    made = settled([tap], [read("0111")], past())
    assert made.findings["fact"].tolist() == ["account 01 is closed, but not on which day; the read is of 2026-11-05"]
    for decision in (ACCEPT, ESTIMATE, typed("0107")):
        assert one(settled([tap], [read("0111")], past(), {"service_ended S1": decision}))[1] != ""


def test_accepting_the_end_holds_also_beside_a_typed_dial() -> None:
    decided = {"service_ended S1": ACCEPT, "wrong_unit M1": typed("0107")}
    assert one(settled([register(**ENDED)], WRONG_UNIT, past(), decided))[1].startswith(
        "accept: nothing is billed past"
    )


def test_an_estimate_of_a_service_that_ended_stops_at_its_end() -> None:
    """No read at all: 45 days to 2026-10-20, not 61 to the day the others were read on."""
    others = [register(f"M{n}", f"S{n}") for n in (2, 3)]
    made = settled(
        [register(**ENDED), *others], [read("0111", f"M{n}") for n in (2, 3)], past(), {"missing_read M1": ESTIMATE}
    )
    first = made.services.iloc[0]
    assert (first["days"], first["consumption"], first["hold"]) == (45, 8 * MILLION, "")


# ---- days ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (54, "review"),  # 61 x 0.9 = 54.9
        (55, ""),
        (67, ""),  # 61 x 1.1 = 67.1
        (68, "review"),
        (91, "review"),
        (92, "block"),  # 61 x 1.5 = 91.5
        (122, "block"),
    ],
)
def test_days_out_of_the_ordinary(days: int, says: str) -> None:
    used = round(Fraction(11 * days, 61))
    tap = register(previous_date=NOW - days * DAY)
    made = settled([tap], [read(f"{100 + used:04d}")], past())
    assert [f"{r.rule} {r.severity}" for r in made.findings.itertuples()] == ([f"days {says}"] if says else [])


def test_a_first_bill_and_a_last_one_may_be_short() -> None:
    short = {"previous_date": NOW - 20 * DAY}
    assert found(settled([register(**short)], [read("0104")])) == []
    assert found(settled([register(**short)], [read("0104")], past())) == ["days S1"]
    assert found(settled([register(**short, ended="the service ended", ends_on=NOW)], [read("0104")], past())) == []


def test_a_class_may_have_days_of_its_own() -> None:
    by = rules(("check", "days / FIELD / any", "40-130", ""))
    for customer_class, says in (("FIELD", []), ("R", ["days S1"])):
        tap = register(previous_date=NOW - 76 * DAY, customer_class=customer_class)
        assert found(settled([tap], [read("0114")], past(), by=by)) == says


@pytest.mark.parametrize("text", ["90", "110-90", "a-b", "-5-7", ""])
def test_limits_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(Refusal, match=r"lower and an upper limit|is not a number"):
        settled([register()], [read("0111")], past(), by=rules(days=(text, "review")))


# ---- a factor of ten -------------------------------------------------------------------------------------------------


def test_a_service_whose_own_course_swings_is_no_spike() -> None:
    """11 CCF a bill, and once 40: 60 are 545 % of the usual but less than twice the 40; 80 are twice."""
    bills = past(periods=6) + past(used=40, periods=7)[6:]
    average = {"spike": ("500", "block"), "high": ("200", "review")}
    for used, says in ((75, "high S1"), (80, "spike S1")):
        assert found(settled([register()], [read(f"{100 + used:04d}")], bills, by=rules(**average))) == [says]


# ---- the day of an estimate ------------------------------------------------------------------------------------------


def test_an_estimate_ends_on_the_day_its_route_was_read() -> None:
    """Route 03 was read on 11-03, most of the run on 11-05: a silent meter of route 03 is estimated to 11-03, 59 days."""
    taps = [register(f"M{n}", f"S{n}", route="03" if n < 4 else "04") for n in range(1, 9)]
    reads: list[dict[str, Any]] = [read("", "M1", read_code="no_read", read_date=pd.NaT)]
    reads += [read("0111", f"M{n}", read_date=NOW - 2 * DAY if n < 4 else NOW) for n in range(2, 9)]
    made = settled(taps, reads, past("S1"), {"no_read M1": ESTIMATE}).services.set_index("service_id")
    assert (made.loc["S1", "service_to"], made.loc["S1", "days"]) == (NOW - 2 * DAY, 59)
    assert made.loc["S8", "days"] == (NOW - LAST).days


def test_a_day_on_which_nothing_was_read_long_ago_is_no_day() -> None:
    """The file shows an old date beside a failed attempt."""
    taps = [register(f"M{n}", f"S{n}", route="03") for n in (1, 2)]
    reads = [read("", "M1", read_code="no_read", read_date=LAST), read("0111", "M2")]
    made = settled(taps, reads, past("S1"), {"no_read M1": ESTIMATE})
    assert made.services["service_to"].tolist() == [NOW, NOW]
