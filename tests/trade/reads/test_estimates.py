"""Estimates by each method, and how many there may be in a row."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pandas as pd
import pytest

from tests.trade.reads.cycle import LAST, MILLION, one, past, read, register, rules, settled
from xlbilling.trade.reads import Settled
from xlbilling.words.problems import Refusal

ESTIMATE = {"missing_read M1": {"decision": "estimate"}}


def estimated(
    history: list[dict[str, Any]], others: int = 0, methods: str = "prior_year, average, class", **given: Any
) -> Settled:
    """What becomes of a register without a read; `others` services of its class and size used 6, 7, 8 ... CCF."""
    registers = [
        register(),
        *(register(f"N{n}", f"T{n}", **given) for n in range(others)),
        register("Z", "Z", customer_class="Z"),
    ]
    reads = [*(read(f"{106 + n:04d}", f"N{n}") for n in range(others)), read("0111", "Z")]
    return settled(registers, reads, history, ESTIMATE, by=rules(estimate_by=(methods, "")))


def evidence(made: Settled) -> str:
    return str(made.services["estimate"].iloc[0])


def summer() -> list[dict[str, Any]]:
    """28 CCF in the 61 days to 2025-11-04, 10 in each of the six periods since."""
    return [
        *past(used=10, periods=5),
        *(row | {"service_to": LAST - pd.Timedelta(305, "D")} for row in past(used=28, periods=1)),
    ]


@pytest.mark.parametrize(
    ("methods", "consumption", "says"),
    [
        ("prior_year, average, class", 28, "prior_year: 28 CCF in 61 days to 2025-11-04, 28 for 61 days"),
        # (5 x 10 + 28) in 6 x 61 days: 13 a period
        ("average, prior_year", 13, "average: 78 CCF in 366 days to 2026-09-05, 13 for 61 days"),
        # median of 6, 7, 8, 9, 10 in 61 days
        ("class", 8, 'class: 0.131 CCF a day, the median of 5 services R 5/8", 8 for 61 days'),
    ],
)
def test_the_first_method_that_policy_names_is_taken(methods: str, consumption: int, says: str) -> None:
    made = estimated(summer(), others=5, methods=methods)
    assert one(made) == (consumption, "")
    assert evidence(made) == says
    assert made.services["read_code"].iloc[0] == "estimated"
    assert made.services["estimate"].iloc[1:].eq("").all()


def test_a_method_with_nothing_to_go_by_leaves_it_to_the_next() -> None:
    assert evidence(estimated(past(periods=2), others=5)).startswith("average: 22 CCF in 122 days")
    assert evidence(estimated([], others=5)).startswith("class: ")


def test_the_class_alone_where_few_are_of_the_size() -> None:
    made = estimated([], others=5, meter_size='2"')
    assert evidence(made) == "class: 0.131 CCF a day, the median of 5 services R, 8 for 61 days"


@pytest.mark.parametrize(
    ("others", "methods"), [(4, "prior_year, average, class"), (5, "prior_year, average"), (5, "")]
)
def test_an_estimate_without_anything_to_go_by_is_not_made(others: int, methods: str) -> None:
    used, hold = one(estimated([], others=others, methods=methods))
    assert used == 0
    assert hold.startswith("estimate: the service has nothing to estimate from by ")
    assert hold.endswith("; type an override read")


def test_a_word_that_is_no_method_is_refused() -> None:
    with pytest.raises(Refusal, match="is not an order of prior_year, average, class"):
        estimated([], methods="last_year")


@pytest.mark.parametrize(("before", "held"), [(0, False), (2, False), (3, True), (5, True)])
def test_no_more_estimates_in_a_row_than_policy_allows(before: int, held: bool) -> None:
    history = past(periods=before, code="estimated") + past()[before:]
    used, hold = one(estimated(history))
    assert used == (0 if held else 11)
    told = f"estimate: the last {before} bills are estimated already, the limit is 3; get an actual read, or type an override read"
    assert hold == (told if held else "")


def test_the_limit_is_the_district_s() -> None:
    history = past(periods=1, code="estimated") + past()[1:]
    by = rules(estimates_limit=("1", ""))
    made = settled([register(), register("Z", "Z")], [read("0111", "Z")], history, ESTIMATE, by=by)
    assert one(made)[1].startswith("estimate: the last bill is estimated already, the limit is 1")


def test_a_read_that_comes_estimated_says_who_estimated() -> None:
    made = settled([register()], [read("0111", read_code="estimated")], past())
    assert (evidence(made), one(made)) == ("estimated by the reading system", (Fraction(11), ""))


def test_estimates_and_the_read_that_settles_them_are_what_the_dial_moved() -> None:
    """Two bills estimated at 11, then 0150 is read: 11 + 11 + 28 = 50 = 150 - 100."""
    other, dial, code, total = register("Z", "Z"), "0100", "actual", 0
    for turn in range(3):
        tap = register(previous_read=dial, previous_code=code, actual_read="0100")
        reads = [read("0111", "Z")] + ([read("0150")] if turn == 2 else [])
        made = settled([tap, other], reads, past(), ESTIMATE if turn < 2 else {})
        dial, code = made.registers[["dial_read", "read_code"]].iloc[0]
        total += int(made.services["consumption"].iloc[0])
    assert (total, dial, code) == (50 * MILLION, "0150", "actual")
    said = made.findings.set_index("exception_id")["fact"]["trued_up M1"]
    assert "50 CCF in" in said
    assert "of which 22 were billed on estimates" in said
