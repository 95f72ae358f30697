"""Meters exchanged, set and removed in the middle of a period: nothing that ran through them is lost."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trade.reads.cycle import LAST, MILLION, NOW, found, one, past, read, register, settled
from xlbilling.trade.reads import Settled

ON = pd.Timestamp("2026-10-10")  # 35 days after the last read, 26 before this one


def old(**given: Any) -> dict[str, Any]:
    return register("M1", **{"removed_on": ON, "final_read": "0106"} | given)


def new(**given: Any) -> dict[str, Any]:
    return register("M2", **{"previous_date": ON, "previous_read": "0000", "previous_code": ""} | given)


def fact(made: Settled, finding: str = "meter_exchanged M1") -> str:
    return str(made.findings.set_index("exception_id")["fact"][finding])


def test_both_parts_of_the_period_are_billed() -> None:
    """0100 to 0106 and 0000 to 0005: 6 + 5 = 11."""
    made = settled([old(), new()], [read("0005", "M2")], past())
    assert one(made) == (11, "")
    service = made.services.iloc[0]
    assert (service["service_from"], service["service_to"], service["days"]) == (LAST, NOW, 61)
    assert fact(made) == (
        "M1 was taken out on 2026-10-10 at 0106: 6 CCF in 35 days; M2 began at 0000 on 2026-10-10: 5 CCF in 26 days to 0005"
    )
    gone = made.registers.iloc[0]
    assert (gone["read_date"], gone["dial_read"], gone["read_code"]) == (ON, "0106", "actual")
    assert pd.isna(gone["read_id"])


def test_each_part_counts_in_its_own_unit_and_steps() -> None:
    """60 x 10 CF = 600 CF = 6 CCF, and 3,740 gallons = 5 CCF."""
    before = old(unit="CF", multiplier="10", final_read="0160")
    made = settled([before, new(unit="GAL")], [read("3740", "M2", unit="GAL")])
    assert one(made) == (11, "")


def test_the_old_dial_may_have_passed_zero() -> None:
    made = settled([old(previous_read="9997", final_read="0003"), new()], [read("0005", "M2")], past())
    assert one(made) == (11, "")
    assert "rollover M1" in found(made)


def test_without_a_final_read_the_bill_is_held() -> None:
    made = settled([old(final_read=""), new()], [read("0005", "M2")], past())
    assert (found(made), one(made)[1]) == (["meter_exchanged M1"], "meter_exchanged")
    assert fact(made) == (
        "M1 was taken out on 2026-10-10 and has no final read; it stood at 0100 on 2026-09-05; "
        "M2 began at 0000 on 2026-10-10: 5 CCF in 26 days to 0005"
    )
    assert made.findings["severity"].tolist() == ["block"]
    assert made.findings["place"].tolist() == ["meters|M1 / |final_read"]


@pytest.mark.parametrize(
    ("decision", "consumption"),
    [
        ({"decision": "override", "override_read": "0107"}, 12),  # 7 + 5
        ({"decision": "estimate"}, 11),  # 11 as last year, 5 of them on the new meter
    ],
)
def test_a_missing_final_read_is_typed_or_estimated(decision: dict[str, str], consumption: int) -> None:
    made = settled([old(final_read=""), new()], [read("0005", "M2")], past(), {"meter_exchanged M1": decision})
    assert one(made) == (consumption, "")


def test_a_read_of_the_old_meter_is_told_and_not_used() -> None:
    made = settled([old(), new()], [read("0119"), read("0005", "M2")], past())
    assert one(made) == (11, "")
    assert fact(made).endswith("; a file has 0119 for M1, which is not used")


def test_a_final_read_below_the_last_one_is_found() -> None:
    made = settled([old(final_read="0095"), new()], [read("0005", "M2")], past())
    assert "read_below_last M1" in found(made)
    assert one(made)[1] == "read_below_last"


def test_the_new_meter_without_a_read() -> None:
    made = settled([old(), new()], [], past())
    assert "missing_read M2" in found(made)
    assert "missing_read M1" not in found(made)
    assert fact(made).endswith("; M2 began at 0000 on 2026-10-10")


def test_a_meter_set_with_none_before_it() -> None:
    made = settled([new()], [read("0005", "M2")])
    assert (found(made), one(made)) == ([], (5, ""))
    assert made.services["days"].tolist() == [26]


def test_a_meter_removed_with_none_after_it() -> None:
    made = settled([old()], [], past())
    assert one(made) == (6, "")
    assert made.services["service_to"].tolist() == [ON]
    assert fact(made).endswith("; no meter since")


@given(
    st.lists(
        st.tuples(st.integers(0, 9999), st.integers(0, 900), st.sampled_from(["1", "10", "0.1"])),
        min_size=1,
        max_size=4,
    ),
    st.integers(0, 900),
)
def test_nothing_is_lost_over_exchanges(removed: list[tuple[int, int, str]], last_run: int) -> None:
    """Several meters one after the other, each from where it began to where it stood when it was taken out."""
    taps, expected = [], Fraction(0)
    for n, (start, ran, times) in enumerate(removed):
        begin, end = LAST + pd.Timedelta(10 * n, "D"), LAST + pd.Timedelta(10 * n + 10, "D")
        final = (start + ran) % 10_000
        taps.append(
            register(
                f"M{n}",
                previous_read=f"{start:04d}",
                previous_date=begin,
                removed_on=end,
                final_read=f"{final:04d}",
                multiplier=times,
            )
        )
        expected += ran * Fraction(times)
    taps.append(register("MZ", previous_read="0000", previous_date=LAST + pd.Timedelta(10 * len(removed), "D")))
    made = settled(taps, [read(f"{last_run:04d}", "MZ")])
    assert one(made) == (expected + last_run, "")
    assert made.services["days"].tolist() == [61]
    assert made.registers["consumption"].sum() == (expected + last_run) * MILLION
