"""Settling reads: worked examples with their arithmetic, and rules that must hold for any cycle."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import costly
from tests.trade.reads.cycle import (
    CCF,
    DECISION,
    LAST,
    MILLION,
    NOW,
    WINDOW,
    found,
    frame_of_history,
    frame_of_reads,
    frame_of_registers,
    one,
    past,
    read,
    register,
    rules,
    settled,
)  # fmt: skip
from xlbilling.trade.reads import CHECKS, BillingUnit, settle
from xlbilling.trade.reads.settle import Office

# ---- consumption -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "dial", "unit", "expected"),
    [
        ({}, "0112", "CCF", Fraction(12)),  # 112 - 100
        ({"previous_read": "0100.25"}, "0112.75", "CCF", Fraction("12.5")),  # 112.75 - 100.25
        ({"multiplier": "10"}, "0112", "CCF", Fraction(120)),  # 12 x 10
        ({"unit": "CF", "dials": 6, "previous_read": "010000"}, "011250", "CF", Fraction("12.5")),  # 1,250 CF / 100
        ({"unit": "GAL", "dials": 6, "previous_read": "0"}, "000748", "GAL", Fraction(1)),  # 748 gal / 748
        # 1,000 gal / 748 = 1.3368983..., to three decimals 1.337
        ({"unit": "GAL", "dials": 6, "previous_read": "0"}, "001000", "GAL", Fraction("1.337")),
        ({"unit": "KGAL", "dials": 6, "previous_read": "0"}, "1", "KGAL", Fraction("1.337")),
        # 1 m3 = 35.3146667 cubic feet = 0.353 CCF
        ({"unit": "M3", "dials": 6, "previous_read": "0"}, "1", "M3", Fraction("0.353")),
        ({"unit": "AF", "dials": 6, "previous_read": "0"}, "1", "AF", Fraction("435.6")),  # 43,560 cubic feet
        ({"previous_read": "9995"}, "0005", "CCF", Fraction(10)),  # 10,000 - 9,995 + 5
    ],
)  # fmt: skip
def test_consumption_worked_out(given: dict[str, Any], dial: str, unit: str, expected: Fraction) -> None:
    assert one(settled([register(**given)], [read(dial, unit=unit)]))[0] == expected


def test_fractions_left_out_by_policy() -> None:
    """12.99 CCF bills 12 where the policy leaves parts of a unit out."""
    truncating = BillingUnit("CCF", Fraction(748), 3, "truncate")
    made = settled([register()], [read("0112.99")], billing=truncating)
    assert one(made)[0] == 12


def test_registers_of_a_service_are_summed_each_converted_on_its_own() -> None:
    """L 1,000 gal = 1.337 CCF, H 7 x 100 gal = 0.936 CCF (0.9358): 2.273 together."""
    registers = [
        register(register_id="L", unit="GAL", dials=6, previous_read="0"),
        register(register_id="H", unit="GAL", dials=6, previous_read="0", multiplier="100"),
    ]
    made = settled(registers, [read("1000", register_id="L", unit="GAL"), read("7", register_id="H", unit="GAL")])
    assert one(made) == (Fraction("2.273"), "")


def test_one_register_without_a_read_holds_the_whole_service() -> None:
    made = settled([register(register_id="L"), register(register_id="H")], [read("0112", register_id="L")])
    assert one(made)[1] == "missing_read"
    assert found(made) == ["missing_read M1:H"]


# ---- rollover or error -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "dial", "used", "finding"),
    [
        ("9995", "0005", 11, "rollover"),  # would mean 10, usual is 11
        ("9995", "0017", 11, "rollover"),  # would mean 22 = twice 11, the limit
        ("9995", "0018", 11, "read_below_last"),  # would mean 23
        ("0100", "0099", 11, "read_below_last"),  # would mean 9,999
        ("9995", "0001", 1, "rollover"),  # would mean 6 = 1 + 5, the least difference
        ("9995", "0002", 1, "read_below_last"),  # would mean 7
        ("9500", "0500", None, "rollover"),  # no history: 1,000 is a tenth of the dial
        ("9500", "0501", None, "read_below_last"),
    ],
)
def test_a_dial_that_went_back(last: str, dial: str, used: float | None, finding: str) -> None:
    made = settled([register(previous_read=last)], [read(dial)], past(used=used) if used else [])
    assert f"{finding} M1" in found(made)
    assert (one(made)[1] == "") == (finding == "rollover")


@pytest.mark.parametrize(("unit", "multiplier"), [("CF", "1"), ("GAL", "10"), ("AF", "1"), ("CCF", "100")])
def test_without_history_a_rollover_is_judged_by_the_dial_whatever_its_unit(unit: str, multiplier: str) -> None:
    """On a six-digit dial 100,000 steps are a tenth: 950,000 -> 050,000 may be a rollover, 950,000 -> 050,001 not."""
    given = {"dials": 6, "unit": unit, "multiplier": multiplier, "previous_read": "950000"}
    assert "rollover M1" in found(settled([register(**given)], [read("050000", unit=unit)]))
    assert "read_below_last M1" in found(settled([register(**given)], [read("050001", unit=unit)]))


# ---- high and low, per service day -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "finding"),
    [
        (12, None),
        (21, None),  # 191 % of 11
        (22, "high"),  # 200 %, and 11 more: at the threshold it counts
        (54, "high"),  # 491 %
        (55, "spike"),  # 500 %: a read out by a factor of ten where half the usual was used
        (95, "spike"),  # 864 %
        (110, "spike"),  # 1,000 %
        (6, None),  # 55 %, and 5 less
        (5, "low"),  # 45 %
    ],
)
def test_high_and_low_against_eleven(used: int, finding: str | None) -> None:
    made = settled([register()], [read(f"{100 + used:04d}")], past())
    assert found(made) == ([f"{finding} S1"] if finding else [])
    assert (one(made)[1] != "") == (finding == "spike")


def test_a_service_that_used_nothing_before_now_and_then_is_no_stuck_meter() -> None:
    """11 CCF a bill and one bill of none: nothing again is noted, no more."""
    assert found(settled([register()], [read("0100")], past(periods=6) + past(used=0, periods=7)[6:])) == ["zero S1"]


def test_high_goes_by_the_day() -> None:
    """24 CCF in 66 days are 22.18 in 61 days: as much a day as 201 % of 11. 23 are 193 %."""
    earlier = register(previous_date=LAST - pd.Timedelta(5, "D"))
    assert found(settled([earlier], [read("0124")], past()[1:])) == ["high S1"]
    assert found(settled([earlier], [read("0123")], past()[1:])) == []


def test_a_small_difference_is_no_finding() -> None:
    """4 CCF against 1 are 400 %, and 3 units apart; 6 are 5 apart."""
    assert found(settled([register()], [read("0104")], past(used=1))) == []
    assert found(settled([register()], [read("0106")], past(used=1))) == ["high S1"]


def test_summer_is_compared_with_summer() -> None:
    """40 last year at this time, 6 a period since: 30 is neither high nor low beside both."""
    history = past(used=6, periods=5) + [
        row | {"service_to": LAST - pd.Timedelta(305, "D")} for row in past(used=40, periods=1)
    ]
    assert found(settled([register()], [read("0130")], history)) == []
    made = settled([register()], [read("0180")], history)  # 80 = 200 % of 40
    assert found(made) == ["high S1"]
    assert "against 40 last year and" in made.findings["fact"].iloc[0]


def test_without_history_the_class_is_the_measure() -> None:
    """Five services use 10; a sixth without history uses 1,000 = 10,000 % of the class's median."""
    registers = [register(f"M{n}", f"S{n}") for n in range(1, 7)]
    reads = [read("0110", f"M{n}") for n in range(1, 6)] + [read("1100", "M6")]
    assert found(settled(registers, reads)) == ["first_read_high S6"]
    reads[-1] = read("1099", "M6")
    assert found(settled(registers, reads)) == []


def test_a_check_can_be_switched_off_or_made_graver() -> None:
    reads = [read("0122")]
    assert found(settled([register()], reads, past(), by=rules(high=("200", "off")))) == []
    assert one(settled([register()], reads, past(), by=rules(high=("200", "block"))))[1] == "high"
    assert found(settled([register()], reads, past(), by=rules(high=("300", "review")))) == []


# ---- other findings --------------------------------------------------------------------------------------------------


def test_estimates_in_a_row() -> None:
    """Two estimated bills and now a third."""
    history = past(code="estimated", periods=2) + past()[2:]
    made = settled([register()], [read("0111", read_code="estimated")], history)
    assert found(made) == ["estimates_in_row S1"]
    assert "number 3 in a row" in made.findings["fact"].iloc[0]
    assert found(settled([register()], [read("0111")], history)) == []


def test_a_read_the_reading_system_doubts() -> None:
    made = settled([register()], [read("0111", read_code="suspect")], past())
    assert (found(made), one(made)[1]) == (["suspect M1"], "")


def test_two_reads_of_a_register() -> None:
    same = settled([register()], [read("0111"), read("0111")], past())
    assert found(same) == []
    different = settled([register()], [read("0111"), read("0112")], past())
    assert (found(different), one(different)[1]) == (["duplicate_read M1"], "duplicate_read")


def test_a_failed_attempt_beside_a_read_is_no_second_read() -> None:
    made = settled([register()], [read("", read_code="no_read", read_date=pd.NaT), read("0111")], past())
    assert (found(made), one(made)) == ([], (Fraction(11), ""))


def test_an_inactive_service_that_uses_water() -> None:
    made = settled([register(), register("M2", "S2", due=False)], [read("0111"), read("0105", "M2")], past())
    assert found(made) == ["inactive_consumption M2"]
    assert made.services["service_id"].tolist() == ["S1"]


def test_findings_are_off_the_sheet_row_they_name() -> None:
    made = settled([register(), register("M2", "S2")], [read("0220")], past() + past("S2"))
    place = made.findings.set_index("exception_id")["place"]
    assert place["spike S1"].startswith("reads|1|")
    assert place["missing_read M2"] == "meters|M2 / |last_read"


# ---- decisions -------------------------------------------------------------------------------------------------------


def test_an_estimate_moves_the_dial_so_that_the_next_read_trues_it_up() -> None:
    """11 CCF estimated: 0100 -> 0111. The next read of 0130 bills 19; both together 30 = 130 - 100."""
    made = settled([register()], [], past(), {"missing_read M1": {"decision": "estimate"}})
    assert one(made) == (Fraction(11), "")
    row = made.registers.iloc[0]
    assert (row["dial_read"], row["read_code"], made.services["read_code"].iloc[0]) == (
        "0111",
        "estimated",
        "estimated",
    )
    following = register(previous_read=row["dial_read"], previous_date=NOW)
    later = settled([following], [read("0130", read_date=NOW + pd.Timedelta(1, "D"))])
    assert one(later)[0] + one(made)[0] == 30


def test_an_estimate_on_a_coarse_dial_bills_whole_steps() -> None:
    """11 CCF on a dial of tens: one step, 10 CCF; the rest comes with the next read."""
    made = settled([register(multiplier="10")], [], past(), {"missing_read M1": {"decision": "estimate"}})
    assert (one(made)[0], made.registers["dial_read"].iloc[0]) == (10, "0101")


def test_an_estimate_may_pass_zero() -> None:
    made = settled([register(previous_read="9995")], [], past(), {"missing_read M1": {"decision": "estimate"}})
    assert (one(made)[0], made.registers["dial_read"].iloc[0]) == (11, "0006")


def test_an_estimate_scales_with_the_days() -> None:
    """Half the days, half of 11 in 61 days: 30 days give 5.41, of which the dial takes 5."""
    late = register(previous_date=NOW - pd.Timedelta(30, "D"))
    other = register("M2", "S2")
    made = settled(
        [late, other], [read("0111", "M2")], past() + past("S2"), {"missing_read M1": {"decision": "estimate"}}
    )
    assert made.services.set_index("service_id")["consumption"]["S1"] == 5 * MILLION


@pytest.mark.parametrize(
    ("text", "consumption", "hold"),
    [
        ("0118", 18, ""),
        ("118.5", 18.5, ""),
        ("", 0, "override: '' is not a dial read"),
        ("-5", 0, "override: '-5' is not a dial read"),
        ("1e3", 0, "override: '1e3' is not a dial read"),
        ("10000", 0, "override: 10000 has more digits than the meter's 4 dials"),
        ("0099", 0, "read_below_last / override"),  # a rollover would mean 9,999 CCF
    ],
)
def test_a_typed_dial(text: str, consumption: float, hold: str) -> None:
    made = settled([register()], [], past(), {"missing_read M1": {"decision": "override", "override_read": text}})
    assert one(made) == (Fraction(str(consumption)), hold)


def test_a_typed_dial_may_have_passed_zero() -> None:
    """9995 -> 0005: 10 steps, well within a tenth of the dial."""
    typed = {"missing_read M1": {"decision": "override", "override_read": "0005"}}
    assert one(settled([register(previous_read="9995")], [], past(), typed)) == (10, "")


def test_a_typed_dial_belongs_to_one_register() -> None:
    registers = [register(register_id="L"), register(register_id="H")]
    reads = [read("0200", register_id="L"), read("0200", register_id="H")]
    made = settled(registers, reads, past(), {"spike S1": {"decision": "override", "override_read": "0110"}})
    assert (
        one(made)[1]
        == "override: the service has several registers; type M1:L=... M1:H=..., ask for a re-read, or estimate"
    )


def test_a_decision_stands_only_while_its_fact_does() -> None:
    history, by = frame_of_history(past()), rules()
    laid = frame_of_registers([register()])
    first = settle(
        WINDOW,
        CCF,
        by,
        Office(laid, frame_of_reads([read("0300")]), history, pd.DataFrame(columns=DECISION).astype("str")),
    )
    decided = first.findings.assign(decision="accept", reason="ok", decided_by="cora")
    for dial, hold in (("0300", ""), ("0301", "spike")):
        again = settle(WINDOW, CCF, by, Office(laid, frame_of_reads([read(dial)]), history, decided))
        assert one(again)[1] == hold


# ---- properties ------------------------------------------------------------------------------------------------------

DIALS = st.integers(0, 9999).map(lambda n: f"{n:04d}")


@st.composite
def cycles(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """A few services, each of one to three registers in some unit, with and without history, read or not."""
    registers, reads, history = [], [], []
    for n in range(draw(st.integers(1, 5))):
        service = f"S{n}"
        unit = draw(st.sampled_from(["CCF", "CF", "GAL", "KGAL", "M3", "AF"]))
        for k in range(draw(st.integers(1, 3))):
            name = f"M{n}{k}"
            times = draw(st.sampled_from(["1", "10", "0.1", "0.001"]))
            registers.append(register(name, service, unit=unit, multiplier=times, previous_read=draw(DIALS)))
            code = draw(st.sampled_from(["actual", "actual", "estimated", "suspect", "missing"]))
            if code != "missing":
                reads.append(read(draw(DIALS), name, unit=unit, read_code=code))
        if draw(st.booleans()):
            history += past(service, used=draw(st.integers(0, 5000)))
    return registers, reads, history


@costly
@given(cycles())
def test_many_services_at_once_are_each_alone(cycle: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Every figure but the class's median, which is of the whole cycle, and what is judged by it."""
    registers, reads, history = cycle
    by = rules(first_read_high=("10000", "off"))
    together = settled(registers, reads, history, by=by)
    columns = ["service_id", "service_to", "days", "consumption", "read_code", "usable", "last_year", "average", "hold"]
    for service in {r["service_id"] for r in registers}:
        mine = [r for r in registers if r["service_id"] == service]
        meters = {r["meter_id"] for r in mine}
        alone = settled(mine, [r for r in reads if r["meter_id"] in meters], [h for h in history if h["service_id"] == service], by=by)  # fmt: skip
        here = together.services.loc[together.services["service_id"].eq(service), columns].reset_index(drop=True)
        if here["usable"].all():  # a register without a date takes the day most of the cycle was read on
            pd.testing.assert_frame_equal(here, alone.services[columns].reset_index(drop=True), check_dtype=False)


@costly
@given(cycles())
def test_rows_in_are_rows_out(cycle: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Each register stands once with its service, each service is billable or held, each finding has its own name."""
    registers, reads, history = cycle
    made = settled(registers, reads, history)
    assert made.registers["register_key"].tolist() == [r["meter_id"] for r in registers]
    assert sorted(made.services["service_id"]) == sorted({r["service_id"] for r in registers})
    assert not made.findings["exception_id"].duplicated().any()
    assert (made.findings["fact"].ne("") & made.findings["remedy"].ne("")).all()
    billable = made.services.loc[made.services["hold"].eq("")]
    assert (billable["usable"] & billable["consumption"].ge(0) & billable["days"].gt(0)).all()
    blocked = made.findings.loc[made.findings["severity"].eq("block"), "service_id"]
    assert made.services.loc[made.services["service_id"].isin(blocked), "hold"].ne("").all()


@given(cycles())
def test_consumption_is_the_exact_one(cycle: tuple[list[Any], list[Any], list[Any]]) -> None:
    """Against Fractions: dial steps x multiplier, each register rounded half-up to a thousandth of a CCF, then summed."""
    registers, reads, history = cycle
    made = settled(registers, reads, history).services.set_index("service_id")
    dial = {r["meter_id"]: Fraction(r["dial_read"]) for r in reads}
    gallons = Fraction(748)
    cubic = {"CCF": Fraction(100), "CF": Fraction(1), "GAL": 100 / gallons, "KGAL": 100_000 / gallons, "M3": 1 / Fraction("0.028316846592"), "AF": Fraction(43560)}  # fmt: skip
    for service, row in made.iterrows():
        if not row["usable"]:
            continue
        total = Fraction(0)
        for r in (r for r in registers if r["service_id"] == service):
            steps = dial[r["meter_id"]] - Fraction(r["previous_read"])
            steps += 10_000 if steps < 0 else 0
            exact = steps * Fraction(r["multiplier"]) * cubic[r["unit"]] / 100
            total += exact if r["unit"] == "CCF" else Fraction(int(exact * 1000 + Fraction(1, 2)), 1000)
        assert Fraction(int(row["consumption"]), MILLION) == total


def test_nothing_due_and_nothing_read() -> None:
    made = settled([register(due=False)], [])
    assert (len(made.services), len(made.findings)) == (0, 0)


def test_every_check_of_the_table_is_one_that_policy_can_switch() -> None:
    assert set(rules().severities) == set(CHECKS)
