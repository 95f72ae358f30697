"""Reads of meters without their leading zeros: one finding a file, and the meters' own reads once that is accepted."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.trade.reads.cycle import MILLION, found, past, read, register, rules, settled

ACCEPT = {"zeros_lost 1": {"decision": "accept"}}
TAPS = [register(f"007{n}", f"S{n}", route="03") for n in range(1, 4)]
READS = [read(f"011{n}", f"7{n}") for n in range(1, 4)]
BILLS = [bill for n in range(1, 4) for bill in past(f"S{n}")]


def test_one_finding_stands_for_a_file_of_lost_zeros() -> None:
    made = settled(TAPS, READS, BILLS)
    assert found(made) == ["zeros_lost 1"]
    assert made.services["hold"].tolist() == ["zeros_lost"] * 3


def test_accepted_they_are_the_meters_reads_and_checked_like_them() -> None:
    reads = [*READS[:2], read("0195", "73")]
    made = settled(TAPS, reads, BILLS, ACCEPT)
    assert found(made) == ["spike S3", "zeros_lost 1"]
    assert made.services["consumption"].tolist() == [11 * MILLION, 12 * MILLION, 95 * MILLION]
    assert made.services["hold"].tolist() == ["", "", "spike"]


def test_a_read_under_the_whole_number_too_is_a_second_read() -> None:
    made = settled(TAPS, [*READS, read("0119", "0071")], BILLS, ACCEPT)
    assert "duplicate_read 0071" in found(made)


def test_a_route_read_for_one_part_lacks_the_other_only() -> None:
    made = settled(TAPS, READS[:1], BILLS)
    assert found(made) == ["missing_route 03", "zeros_lost 1"]
    assert made.services["hold"].tolist() == ["zeros_lost", "missing_route", "missing_route"]


def test_a_number_that_could_be_two_meters_stays_unknown() -> None:
    made = settled(
        [*TAPS, register("071", "S9")], [read("0111", "71"), read("0112", "0072"), read("0113", "0073")], BILLS
    )
    assert "unknown_meter 71" in found(made)
    assert "zeros_lost 1" not in found(made)


def test_asked_for_again_or_estimated_the_whole_file_is() -> None:
    made = settled(TAPS, READS, BILLS, {"zeros_lost 1": {"decision": "reread"}})
    assert made.services["hold"].tolist() == ["zeros_lost (re-read asked for)"] * 3
    made = settled(TAPS, READS, BILLS, {"zeros_lost 1": {"decision": "estimate"}})
    assert made.services["consumption"].tolist() == [11 * MILLION] * 3


def test_switched_off_it_says_what_was_said_before() -> None:
    made = settled(TAPS, READS, BILLS, by=rules(zeros_lost=("", "off")))
    assert found(made) == ["missing_route 03", "unknown_meter 71", "unknown_meter 72", "unknown_meter 73"]


def test_an_unknown_meter_in_the_row_of_an_account_without_a_read_may_be_its_new_one() -> None:
    made = settled(
        [register(), register("M2", "S2")], [read("0111", "M2"), read("0005", "N7", account_id="01")], past("S2")
    )
    fact = made.findings.set_index("exception_id").loc["unknown_meter N7", "fact"]
    assert (
        fact == "meter N7 is on no active service of this cycle; its row names account 01, whose meter M1 has no read"
    )


@pytest.mark.parametrize(
    ("account", "known_as", "fact"),
    [
        ("", "", ""),
        ("", "is on service S9 of cycle B", "; it is on service S9 of cycle B"),
        ("02", "", "; its row names account 02"),
        (
            "01",
            "was taken out of service S1 of cycle A on 2026-08-01",
            "; it was taken out of service S1 of cycle A on 2026-08-01; its row names account 01, whose meter M1 has no read",
        ),
    ],
)
def test_an_unknown_meter_is_told_with_what_file_and_office_know_of_it(account: str, known_as: str, fact: str) -> None:
    reads = [read("0111", "M2"), read("0005", "N7", account_id=account)]
    elsewhere = pd.DataFrame({"meter_id": ["N7"], "known_as": [known_as]}) if known_as else None
    made = settled([register(), register("M2", "S2")], reads, past("S2"), elsewhere=elsewhere)
    said = made.findings.set_index("exception_id").loc["unknown_meter N7", "fact"]
    assert said == f"meter N7 is on no active service of this cycle{fact}"
