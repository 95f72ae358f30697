"""The read checks: each at its edge, thresholds for some, and the vectors against one register at a time."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade.reads.cycle import LAST, MILLION, NOW, found, one, past, read, register, rules, settled
from xlbilling.trade.reads import CHECKS, Rules
from xlbilling.words.problems import Refusal

ACCEPT = {"decision": "accept"}


def risks(made: Any) -> dict[str, int]:
    return dict(zip(made.findings["exception_id"], made.findings["money_at_risk"], strict=True))


# ---- thresholds for some ---------------------------------------------------------------------------------------------

HIGHS = (
    ("check", "high / COMMERCIAL / any", "300", ""),
    ("check", 'high / any / 2"', "400", ""),
    ("check", 'high / COMMERCIAL / 2"', "150", "block"),
    ("check", "low / COMMERCIAL / any", "", "off"),
)


@pytest.mark.parametrize(
    ("customer_class", "size", "used", "says"),
    [
        ("R", '5/8"', 22, "high review"),  # 200 % of 11: the plain rule
        ("COMMERCIAL", '5/8"', 32, ""),  # below 300 %
        ("COMMERCIAL", '5/8"', 33, "high review"),
        ("R", '2"', 43, ""),  # below 400 %
        ("R", '2"', 44, "high review"),
        ("COMMERCIAL", '2"', 17, "high block"),  # 155 %: class and size win over either
        ("COMMERCIAL", '2"', 16, ""),
        ("COMMERCIAL", '5/8"', 3, ""),  # low is off for the class
        ("R", '5/8"', 3, "low review"),
    ],
)
def test_the_most_specific_rule_of_policy_wins(customer_class: str, size: str, used: int, says: str) -> None:
    tap = register(customer_class=customer_class, meter_size=size)
    made = settled([tap], [read(f"{100 + used:04d}")], past(), by=rules(*HIGHS)).findings
    assert [f"{r.rule} {r.severity}" for r in made.itertuples()] == ([says] if says else [])


@given(
    st.lists(
        st.tuples(st.sampled_from(["A", "B", "any"]), st.sampled_from(["1", "2", "any"]), st.integers(1, 999)), max_size=6,
        unique_by=lambda row: row[:2],
    ),
    st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.sampled_from(["1", "2", "3"])), min_size=1, max_size=8),
)  # fmt: skip
def test_thresholds_of_many_are_those_of_each(own: list[Any], rows: list[Any]) -> None:
    by: Rules = rules(*(("check", f"high / {c} / {s}", str(v), "") for c, s, v in own))
    named = {(c, s): v for c, s, v in own}
    one_by_one = [
        next((named[key] for key in ((c, s), (c, "any"), ("any", s), ("any", "any")) if key in named), 200)
        for c, s in rows
    ]
    frame = pd.DataFrame(rows, columns=["customer_class", "meter_size"])
    assert by.thresholds("high", frame).tolist() == one_by_one


def test_a_threshold_that_is_no_number_is_refused_with_its_row() -> None:
    by = rules(("check", 'high / COMMERCIAL / 2"', "lots", ""))
    with pytest.raises(Refusal) as refused:
        settled([register()], [read("0111")], past(), by=by)
    assert refused.value.problem.place.key == 'check / high / COMMERCIAL / 2"'


def test_a_check_that_is_off_leaves_its_place_to_the_next_one() -> None:
    """A dial that moved back by 10 of 11 is a reversed meter; with that check off it is merely below."""
    reads = [read("0090")]
    assert found(settled([register()], reads, past())) == ["reversed_meter M1"]
    assert found(settled([register()], reads, past(), by=rules(reversed_meter=("25", "off")))) == ["read_below_last M1"]
    spiked = settled([register()], [read("0210")], past(), by=rules(spike=("1000", "off")))
    assert found(spiked) == ["high S1"]


# ---- one register ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dial", "finding"),
    [
        ("0092", "read_below_last"),  # moved back 8 of 11, 27 % off
        ("0091", "reversed_meter"),  # 9 of 11, 18 % off
        ("0087", "reversed_meter"),  # 13
        ("0086", "read_below_last"),  # 14, 27 % off
        ("092", "too_few_dials"),
        ("91", "reversed_meter"),
    ],
)
def test_a_dial_below_the_last(dial: str, finding: str) -> None:
    made = settled([register()], [read(dial)], past())
    assert found(made) == [f"{finding} M1"]
    assert one(made)[1] == finding


@pytest.mark.parametrize(
    ("dial", "finding", "consumption"),
    [
        ("0089", "reversed_meter", 11),  # what it moved back
        ("99", "too_few_dials", 9_999),  # 10,000 - 100 + 99
        ("0099", "read_below_last", 9_999),
    ],
)
def test_accepting_a_dial_below_the_last(dial: str, finding: str, consumption: int) -> None:
    made = settled([register()], [read(dial)], past(), {f"{finding} M1": ACCEPT})
    assert one(made) == (consumption, "")


def test_a_reversed_meter_is_told_on_services_of_one_register_only() -> None:
    registers = [register(register_id="L"), register(register_id="H")]
    made = settled(registers, [read("0090", register_id="L"), read("0100", register_id="H")], past())
    assert found(made) == ["read_below_last M1:L"]


@pytest.mark.parametrize(
    ("last", "dial", "names"),
    [
        ("0100", "1110", "111"),  # 111.0 without its point: 11 as usual
        ("0100", "0011.1", "111"),
        ("0100", "1.11", "111"),
        ("0100", "0130", None),  # 30 is high, and neither 13 nor 1,300 fit
        ("0100", "0112", None),  # fits as it is
    ],
)
def test_a_misplaced_point_names_the_read_that_would_fit(last: str, dial: str, names: str | None) -> None:
    made = settled([register(previous_read=last)], [read(dial)], past()).findings
    facts = made.loc[made["rule"].eq("implied_decimals"), "fact"].tolist()
    assert [fact.partition(" would mean ")[0] for fact in facts] == ([f"{dial} read as {names}"] if names else [])


def test_stuck_needs_a_history_that_never_stood_still() -> None:
    tap, still = [register()], [read("0100")]
    assert found(settled(tap, still, past(periods=3))) == ["stuck M1"]
    assert found(settled(tap, still, past(periods=2))) == ["zero S1"]  # the threshold is three bills
    assert found(settled(tap, still, [*past(periods=6), *past(used=0)[6:]])) == ["zero S1"]
    assert found(settled(tap, [read("0100.5")], past())) == ["low S1"]
    assert found(settled([register("M1"), register("M2")], [read("0100"), read("0100", "M2")], past())) == ["zero S1"]


def test_an_overestimate_bills_nothing_until_the_dial_has_passed_it() -> None:
    """Estimated to 0111 from the actual 0100; then 0105, 0109 and at last 0120: 11 + 0 + 0 + 9 = 20 = 120 - 100."""
    before = {"actual_read": "0100", "actual_date": LAST - pd.Timedelta(61, "D")}
    dial, code, billed = "0111", "estimated", Fraction(11)
    for now in ("0105", "0109", "0120"):
        tap = register(previous_read=dial, previous_code=code, **before)
        decisions = {} if now == "0120" else {"overestimated M1": ACCEPT}
        made = settled([tap], [read(now)], past(), decisions)
        dial, code = made.registers[["dial_read", "read_code"]].iloc[0]
        assert one(made)[1] == ""
        billed += one(made)[0]
    assert (billed, dial, code) == (20, "0120", "actual")
    assert "trued_up M1" in found(made)


def test_an_estimate_past_zero_is_an_overestimate_too() -> None:
    """From 9995 estimated past zero to 0006; the dial is at 9998 yet."""
    tap = register(previous_read="0006", previous_code="estimated", actual_read="9995")
    made = settled([tap], [read("9998")], past())
    assert (found(made), one(made)[1]) == (["overestimated M1"], "overestimated")


def test_a_read_that_meets_the_estimate_is_no_overestimate() -> None:
    tap = register(previous_read="0111", previous_code="estimated", actual_read="0100")
    made = settled([tap], [read("0111")], past())
    assert found(made) == ["trued_up M1", "zero S1"]
    assert one(made) == (0, "")


def test_a_dial_below_the_last_actual_read_is_no_overestimate() -> None:
    tap = register(previous_read="0111", previous_code="estimated", actual_read="0100")
    assert found(settled([tap], [read("0095")], past())) == ["read_below_last M1"]


# ---- several registers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high", "told"), [("0100", "0105", True), ("0101", "0105", False), ("0100", "0100", False)])  # fmt: skip
def test_the_small_side_of_a_compound_meter(low: str, high: str, told: bool) -> None:
    registers = [register(register_id="low"), register(register_id="HIGH")]
    made = settled(registers, [read(low, register_id="low"), read(high, register_id="HIGH")])
    assert ("compound_low_still M1:low" in found(made)) == told


@pytest.mark.parametrize(("second", "told"), [("0113", True), ("0112", False)])
def test_sub_meters_beyond_102_percent(second: str, told: bool) -> None:
    """Master 100; 90 + 13 = 103 > 102, 90 + 12 = 102 is not beyond. A sub-meter that counts in cubic feet is converted."""
    registers = [
        register("M1", "S1"), register("M2", "S2", master_meter="M1", unit="CF", dials=6, previous_read="0"),
        register("M3", "S3", master_meter="M1"),
    ]  # fmt: skip
    reads = [read("0200"), read("9000", "M2", unit="CF"), read(second, "M3")]
    assert ("submeter_sum M1" in found(settled(registers, reads))) == told


def test_sub_meters_of_a_master_without_a_read_say_nothing() -> None:
    registers = [register("M1", "S1"), register("M2", "S2", master_meter="M1")]
    assert "submeter_sum M1" not in found(settled(registers, [read("0200", "M2")]))


@pytest.mark.parametrize(("hours", "told"), [(23, False), (24, True)])
def test_water_that_never_stops(hours: int, told: bool) -> None:
    """2.5 gallons an hour for 24 hours are 60 gallons = 0.0802 CCF: 0.40 at 5.00."""
    flow = {
        "meter_id": "M1",
        "unit": "GAL",
        "first_hour": "2026-11-01 00:00",
        "last_hour": "2026-11-05 23:00",
        "hours": 120,
    }
    rows = [flow | {"running_hours": n, "least": 2_500_000} for n in (3, hours)]
    made = settled([register()], [read("0111")], past(), intervals=rows)
    assert found(made) == (["leak M1"] if told else [])
    if told:
        # an hour is converted and rounded to thousandths of a CCF first: 0.003 x 24 = 0.072
        assert risks(made) == {"leak M1": 36}


# ---- routes and files ------------------------------------------------------------------------------------------------


def route(size: int, name: str = "03", first: int = 1) -> list[dict[str, Any]]:
    return [register(f"M{n}", f"S{n}", route=name) for n in range(first, first + size)]


def test_a_route_that_did_not_come_is_one_finding_that_holds_all_its_services() -> None:
    taps = [*route(3), *route(1, "04", 4)]
    history = [bill for n in range(1, 5) for bill in past(f"S{n}")]
    made = settled(taps, [read("0111", "M4")], history)
    assert found(made) == ["missing_route 03"]
    assert made.findings["meter_id"].tolist() == [""]  # about no meter in particular
    assert made.services["hold"].tolist() == ["missing_route"] * 3 + [""]
    assert risks(made) == {"missing_route 03": 3 * 5500}  # 11 x 5.00 each
    assert made.covers.to_numpy().tolist() == [["missing_route 03", f"S{n}"] for n in (1, 2, 3)]


def test_estimating_a_route_estimates_each_of_its_services() -> None:
    history = [bill for n in range(1, 4) for bill in past(f"S{n}", used=10 + n)]
    taps = [*route(3), register("M9", "S9")]
    made = settled(taps, [read("0111", "M9")], history, {"missing_route 03": {"decision": "estimate"}})
    made = replace(made, services=made.services.iloc[:3])
    assert made.services["consumption"].tolist() == [11 * MILLION, 12 * MILLION, 13 * MILLION]
    assert made.services["hold"].eq("").all()
    assert made.services["estimate"].str.startswith("prior_year: ").all()


def test_a_route_waits_for_its_re_reads() -> None:
    made = settled(route(2), [], [], {"missing_route 03": {"decision": "reread"}})
    assert set(made.services["hold"]) == {"missing_route (re-read asked for)"}


@pytest.mark.parametrize("came", ["a read", "a failed read", "billed"])
def test_a_route_of_which_something_came_is_not_missing(came: str) -> None:
    taps = [tap | {"route_billed": came == "billed"} for tap in route(3)]
    reads = {"a read": [read("0111")], "a failed read": [read("", read_code="no_read")], "billed": []}[came]
    missing = [name for name in found(settled(taps, reads)) if name.startswith("missing")]
    assert missing == [f"missing_read M{n}" for n in range(1 if came == "billed" else 2, 4)]


def shifted(
    by: int, size: int = 10, wrong: int | None = None, unit: str = "CCF"
) -> tuple[list[Any], list[Any], list[Any]]:
    """Registers a thousand apart, each 11 on, the reads of a file moved down (1) or up (-1); `wrong` rows only."""
    last = [1000 * (n * 7 % 9 + 1) % 9000 + n for n in range(size)]
    taps = [register(f"M{n}", f"S{n}", previous_read=f"{v:04d}", unit=unit) for n, v in enumerate(last)]
    dials = [v + 11 for v in last]
    moved = [dials[(n - by) % size] if wrong is None or n < wrong else dials[n] for n in range(size)]
    reads = [read(f"{dial:04d}", f"M{n}", import_id=12) for n, dial in enumerate(moved)]
    return taps, reads, [bill for n in range(size) for bill in past(f"S{n}")]


@pytest.mark.parametrize(("by", "side"), [(1, "above"), (-1, "below")])
def test_a_file_whose_rows_are_shifted_is_one_finding(by: int, side: str) -> None:
    made = settled(*shifted(by))
    assert found(made) == ["file_shift 12"]
    assert f"of 10 reads 9 fit the register of the row {side}" in made.findings["fact"].iloc[0]
    assert set(made.services["hold"]) == {"file_shift"}
    assert len(made.covers) == 10


@pytest.mark.parametrize(("size", "wrong", "told"), [(7, None, False), (8, None, True), (10, 6, False), (10, 9, True)])
def test_few_reads_and_a_few_rows_off_are_no_shift(size: int, wrong: int | None, told: bool) -> None:
    made = settled(*shifted(1, size, wrong))
    assert ("file_shift 12" in found(made)) == told
    assert (len(found(made)) == 1) == told


def test_reads_that_fit_everywhere_are_no_shift() -> None:
    """Ten registers that all stood at 0100 and moved on alike: each read fits its neighbours, and its own register."""
    taps = [register(f"M{n}", f"S{n}") for n in range(10)]
    history = [bill for n in range(10) for bill in past(f"S{n}")]
    assert found(settled(taps, [read("0111", f"M{n}") for n in range(10)], history)) == []


def test_a_file_that_waits_for_another_says_nothing_else() -> None:
    made = settled(*shifted(1), {"file_shift 12": {"decision": "reread"}})
    assert found(made) == ["file_shift 12"]
    assert set(made.services["hold"]) == {"file_shift (re-read asked for)"}


def test_the_other_findings_of_a_file_come_once_its_order_is_accepted() -> None:
    made = settled(*shifted(1), {"file_shift 12": ACCEPT})
    assert found(made)[0] == "file_shift 12"
    assert len(found(made)) > 10
    assert "file_shift" not in set(made.services["hold"])


# ---- money at risk ---------------------------------------------------------------------------------------------------


def test_what_has_no_usable_read_risks_what_is_usual() -> None:
    """11 CCF at 5.00 are 55.00; a service without a history risks what its class has."""
    other = register("M2", "S2")
    assert risks(settled([register(), other], [read("0100", "M2")], past())) == {"missing_read M1": 5500}
    assert risks(settled([register()], [read("0099")], past())) == {"read_below_last M1": 5500}
    taps = [register(), register("M2", "S2")]
    assert risks(settled(taps, [read("0108")], [])) == {"missing_read M2": 4000}  # the class has 8


def test_a_read_that_is_used_risks_its_difference() -> None:
    assert risks(settled([register(previous_read="9995")], [read("0005")], past())) == {"rollover M1": 500}


def test_an_inactive_service_risks_what_ran_through_it() -> None:
    made = settled([register(due=False), register("M2", "S2")], [read("0105"), read("0111", "M2")])
    assert risks(made) == {"inactive_consumption M1": 2500}


# ---- against one at a time -------------------------------------------------------------------------------------------


@st.composite
def taps(draw: st.DrawFn) -> list[tuple[dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]]:
    """Services of one register each, with a read or none and a history or none."""
    made = []
    for n in range(draw(st.integers(1, 6))):
        last, now = draw(st.integers(0, 9999)), draw(st.one_of(st.integers(0, 12_000), st.none()))
        near = draw(st.integers(-30, 60))
        now = now if draw(st.booleans()) or now is None else max(last + near, 0)
        estimated = draw(st.booleans())
        since = draw(st.integers(0, 40))
        tap = register(
            f"M{n}", f"S{n}", previous_read=f"{last:04d}", previous_code="estimated" if estimated else "actual",
            actual_read=f"{(last - since) % 10_000:04d}" if estimated else f"{last:04d}",
        )  # fmt: skip
        dial = None if now is None else draw(st.sampled_from([f"{now:04d}", str(now)]))
        code = draw(st.sampled_from(["actual", "actual", "suspect", "estimated"]))
        bills = (
            past(f"S{n}", used=draw(st.integers(0, 30)), periods=draw(st.integers(1, 7))) if draw(st.booleans()) else []
        )
        made.append((tap, None if dial is None else read(dial, f"M{n}", read_code=code), bills))
    return made


def slowly(tap: dict[str, Any], came: dict[str, Any] | None, bills: list[dict[str, Any]]) -> set[str]:
    """The register findings of one service of one register on 61 days, rule by rule, with plain numbers."""
    name = tap["meter_id"]
    if came is None:
        return {f"missing_read {name}"}
    last, now, start = int(tap["previous_read"]), int(came["dial_read"]), int(tap["actual_read"])
    per_period = Fraction(sum(b["consumption"] for b in bills), len(bills) * MILLION) if bills else None
    after_estimate = tap["previous_code"] == "estimated"
    said = {f"suspect {name}"} if came["read_code"] == "suspect" else set()
    over = now >= 10_000
    rolled_by = now - last + 10_000
    roll = now < last and (
        rolled_by <= max(2 * per_period, per_period + 5) if per_period is not None else rolled_by <= 1000
    )
    short = after_estimate and not over and (now - start) % 10_000 < (last - start) % 10_000
    back = last - now
    if over:
        said.add(f"too_many_dials {name}")
    if short:
        said.add(f"overestimated {name}")
    elif roll:
        said.add(f"rollover {name}")
    elif now < last and per_period and per_period * 3 / 4 <= back <= per_period * 5 / 4:
        said.add(f"reversed_meter {name}")
    elif now < last and len(came["dial_read"]) < len(tap["previous_read"]):
        said.add(f"too_few_dials {name}")
    elif now < last:
        said.add(f"read_below_last {name}")
    usable = not short and (now >= last or roll)
    if usable and after_estimate and came["read_code"] != "estimated":
        said.add(f"trued_up {name}")
    if (
        now == last
        and not short
        and not after_estimate
        and came["read_code"] != "estimated"
        and len(bills) >= 3
        and per_period
    ):
        said.add(f"stuck {name}")
    return said


OF_REGISTER = {
    "missing_read", "suspect", "too_many_dials", "overestimated", "rollover", "reversed_meter", "too_few_dials",
    "read_below_last", "trued_up", "stuck",
}  # fmt: skip


@given(taps())
def test_many_registers_at_once_say_what_each_says_by_plain_numbers(cycle: list[Any]) -> None:
    reads = [came for _, came, _ in cycle if came]
    made = settled([tap for tap, _, _ in cycle], reads, [bill for _, _, bills in cycle for bill in bills]).findings
    fast = set(made.loc[made["rule"].isin(OF_REGISTER), "exception_id"])
    assert fast == set().union(*(slowly(*row) for row in cycle))


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_no_check_speaks_when_it_is_off(name: str) -> None:
    by = rules(**{name: (CHECKS[name].threshold, "off")})
    taps = [*route(2), register("M7", "S7"), register("M8", "S8", due=False)]
    reads = [read("0090", "M7"), read("0120", "M8"), read("1", "M9")]
    assert name not in set(settled(taps, reads, past("S7"), by=by).findings["rule"])


# ---- series ----------------------------------------------------------------------------------------------------------


def hourly(days: int, start: int = 100, **given: Any) -> list[dict[str, Any]]:
    first = pd.Timestamp("2026-11-08") - pd.Timedelta(days - 1, "D")
    return [
        read(
            f"{start + n:04d}",
            read_date=first + pd.Timedelta(n // 2, "D"),
            read_time=f"{6 + n % 2 * 12:02d}:00",
            **given,
        )
        for n in range(2 * days)
    ]


def test_the_last_read_of_a_series_inside_the_window_is_settled() -> None:
    """Twice a day from 2026-10-30 to 2026-11-08; three more days of the month to come are outside the window."""
    later = [read(f"{200 + n:04d}", read_date=NOW + pd.Timedelta(6 + n, "D"), read_time="06:00") for n in range(3)]
    made = settled([register()], [*later, *reversed(hourly(10))])
    assert (found(made), one(made)) == ([], (Fraction(19), ""))
    assert made.services["service_to"].iloc[0] == pd.Timestamp("2026-11-08")


@pytest.mark.parametrize(
    ("reads", "told"),
    [
        ([("0111", 0, "08:00"), ("0112", 0, "10:00")], True),  # read twice on one day
        ([("0111", 0, "08:00"), ("0112", 0, "10:00"), ("0113", 0, "12:00")], False),  # a series of one day
        ([("0111", 0, "08:00"), ("0112", 1, "08:00")], False),  # on two days
        ([("0111", 0, ""), ("0112", 1, "")], True),  # without times
        ([("0111", 0, "08:00"), ("0112", 0, "08:00"), ("0113", 1, "08:00")], True),  # one moment twice
        ([("0111", 0, "08:00"), ("0111", 0, "10:00")], False),  # the same read
    ],
)
def test_a_series_or_two_reads(reads: list[tuple[str, int, str]], told: bool) -> None:
    rows = [read(d, read_date=NOW + pd.Timedelta(day, "D"), read_time=t) for d, day, t in reads]
    assert found(settled([register()], rows, past())) == (["duplicate_read M1"] if told else [])


def test_a_series_outside_the_window_is_told() -> None:
    late = [row | {"read_date": row["read_date"] + pd.Timedelta(20, "D")} for row in hourly(5)]
    assert "outside_window M1" in found(settled([register()], late))
