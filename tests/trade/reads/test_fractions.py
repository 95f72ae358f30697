"""Parts of a unit: billed, left out, or carried to the next bill so that nothing is lost."""

from __future__ import annotations

from fractions import Fraction

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade.reads.cycle import MILLION, one, past, read, register, settled
from xlbilling.trade.reads import BillingUnit

CARRY, BILL, TRUNCATE = (BillingUnit("CCF", Fraction(748), 3, policy) for policy in ("carry", "bill", "truncate"))


@pytest.mark.parametrize(
    ("policy", "billed", "left"),
    [(CARRY, 13, "0.2"), (BILL, "13.2", 0), (TRUNCATE, 13, 0)],  # 12.6 measured and 0.6 left by the last bill
)
def test_what_the_last_bill_left_is_billed_with_the_next(policy: BillingUnit, billed: str, left: str) -> None:
    made = settled([register()], [read("0112.6")], billing=policy, carried={"S1": Fraction("0.6")})
    assert one(made)[0] == Fraction(billed)
    assert made.services[["measured", "carried"]].iloc[0].tolist() == [12_600_000, int(Fraction(left) * MILLION)]


def test_a_held_service_keeps_what_was_left() -> None:
    """Nothing is billed of it: the next bill finds what the last standing one left."""
    made = settled([register()], [], past(), billing=CARRY, carried={"S1": Fraction("0.6")})
    assert one(made) == (0, "missing_read")
    assert made.services["carried"].iloc[0] == 0


@given(
    st.lists(st.decimals(0, 40, places=3), min_size=12, max_size=12),
    st.sampled_from([("CCF", "1", 3), ("CF", "0.1", 3), ("GAL", "10", 2), ("M3", "1", 3)]),
)
def test_over_a_year_what_is_billed_and_what_is_left_is_what_was_measured(
    steps: list, meter: tuple[str, str, int]
) -> None:
    unit, times, places = meter
    policy = BillingUnit("CCF", Fraction(748), places, "carry")
    dial, left, billed, measured = Fraction(0), Fraction(0), Fraction(0), Fraction(0)
    for step in steps:
        now = dial + Fraction(step)
        tap = register(previous_read=_text(dial), unit=unit, multiplier=times, dials=8)
        made = settled([tap], [read(_text(now), unit=unit)], billing=policy, carried={"S1": left})
        service = made.services.iloc[0]
        left, dial = Fraction(int(service["carried"]), MILLION), now
        billed += Fraction(int(service["consumption"]), MILLION)
        measured += Fraction(int(service["measured"]), MILLION)
        assert int(service["consumption"]) % MILLION == 0
        assert 0 <= left < 1
    assert billed + left == measured


def _text(dial: Fraction) -> str:
    return f"{int(dial)}.{int(dial % 1 * 1000):03d}"


def test_the_registers_of_a_compound_meter_are_measured_apart() -> None:
    """1,000 gallons through the small side are 1.337 CCF; 7 CCF through the large one."""
    taps = [
        register(register_id="Low", unit="GAL", dials=6, previous_read="0"),
        register(register_id="H"),
        register("M2", "S2"),
    ]
    reads = [read("1000", register_id="Low", unit="GAL"), read("0107", register_id="H"), read("0105", "M2")]
    made = settled(taps, reads).services.set_index("service_id")[["consumption_low", "consumption_high"]]
    assert made.loc["S1"].tolist() == [1_337_000, 7_000_000]
    assert made.loc["S2"].tolist() == [pd.NA, pd.NA]
