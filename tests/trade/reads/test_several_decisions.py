"""Several decisions on one service: what is carried out together, and what cannot be and holds the bill."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.trade.reads.cycle import LAST, MILLION, NOW, found, one, past, read, register, rules, settled

ON = pd.Timestamp("2026-10-10")


def typed(dial: str) -> dict[str, str]:
    return {"decision": "override", "override_read": dial}


def test_a_dial_that_is_typed_replaces_one_that_is_accepted() -> None:
    """0112 less 0100 is 12; accepting 0099 as a rollover would have meant 9,999."""
    reads = [read("0099", read_time="08:00"), read("0098", read_time="10:00")]
    decisions = {"duplicate_read M1": typed("0112"), "read_below_last M1": {"decision": "accept"}}
    made = settled([register()], reads, past(), decisions)
    assert one(made) == (12, "")
    assert made.registers["dial_read"].tolist() == ["0112"]


@pytest.mark.parametrize(
    ("second", "why"),
    [
        (typed("0150"), "override: 0111 and 0150 are both typed for register M1; leave one of them"),
        ({"decision": "estimate"}, "estimate: the dial 0111 is typed for register M1 too; leave one of the two decisions"),
    ],
)  # fmt: skip
def test_decisions_that_exclude_each_other_hold_the_bill(second: dict[str, str], why: str) -> None:
    made = settled([register()], [read("1110")], past(), {"implied_decimals M1": typed("0111"), "spike S1": second})
    assert one(made)[1] == why


def test_the_same_dial_typed_twice_is_one_dial() -> None:
    made = settled(
        [register()], [read("1110")], past(), {"implied_decimals M1": typed("0111"), "spike S1": typed("111")}
    )
    assert one(made) == (11, "")


def test_a_typed_dial_is_no_estimate_of_the_reading_system() -> None:
    made = settled([register()], [read("0150", read_code="estimated")], past(), {"high S1": typed("0112")})
    assert one(made) == (12, "")
    assert made.services[["read_code", "estimate"]].to_numpy().tolist() == [["actual", ""]]


def test_a_dial_typed_on_a_route_is_nobodys() -> None:
    route = [register(f"M{n}", f"S{n}", route="03") for n in (1, 2)]
    other = register("M9", "S9", route="04")
    made = settled([*route, other], [read("0111", "M9")], past("S9"), {"missing_route 03": typed("0111")})
    assert made.services["consumption"].tolist() == [0, 0, 11 * MILLION]
    assert made.services["hold"].str.startswith("override: the finding is about many meters").tolist() == [
        True,
        True,
        False,
    ]


def test_registers_of_a_service_are_estimated_together() -> None:
    """The service uses 100 in 61 days: 50 of each register, not 100 of the first."""
    registers = [register(register_id="L"), register(register_id="H", previous_read="0000")]
    reads = [read("", register_id=side, read_code="no_read") for side in "LH"]
    decisions = {f"no_read M1:{side}": {"decision": "estimate"} for side in "LH"}
    made = settled(registers, reads, past(used=100), decisions)
    assert one(made) == (100, "")
    assert made.registers["dial_read"].tolist() == ["0150", "0050"]


def test_a_route_that_is_estimated_keeps_final_reads() -> None:
    """Taken out at 0109 after 9 CCF: of the usual 11 only 2 are left to estimate for the new meter."""
    exchanged = [
        register(route="03", removed_on=ON, final_read="0109"),
        register("M2", route="03", previous_date=ON, previous_read="0000", previous_code=""),
    ]
    others = [register("M3", "S3", route="03"), register("M9", "S9", route="04")]
    made = settled(
        [*exchanged, *others], [read("0111", "M9")], past() + past("S3"), {"missing_route 03": {"decision": "estimate"}}
    )
    assert made.registers.set_index("meter_id")["dial_read"].to_dict() == {
        "M1": "0109",
        "M2": "0002",
        "M3": "0111",
        "M9": "0111",
    }
    assert made.services["consumption"].tolist() == [11 * MILLION] * 3


def test_the_day_of_the_run_is_no_day_of_a_removal() -> None:
    """Two meters taken out on 10-10 and one read on 11-05: a register without a read is estimated up to 11-05."""
    gone = [register(f"M{n}", f"S{n}", removed_on=ON, final_read="0106") for n in (1, 2)]
    made = settled([*gone, register("M3", "S3"), register("M4", "S4")], [read("0111", "M4")], past("S3") + past("S4"))
    assert made.services.set_index("service_id")["service_to"].to_dict() == {"S1": ON, "S2": ON, "S3": NOW, "S4": NOW}


def test_a_service_may_be_called_like_another_ones_meter() -> None:
    """The finding on service 7 is about its own meter 8, not about meter 7 of service 9."""
    registers = [register("7", "9", previous_read="0200"), register("8", "7")]
    reads = [read("0222", "7"), read("0122", "8")]
    decisions = {"high 7": typed("0111"), "high 9": {"decision": "accept"}}
    made = settled(registers, reads, past("9") + past("7"), decisions)
    assert made.registers.set_index("meter_id")["dial_read"].to_dict() == {"7": "0222", "8": "0111"}


def test_a_doubt_that_holds_no_bill_hides_no_finding_that_does() -> None:
    """Each read is that of the row below; without the block of file_shift the spikes must hold the bills."""
    registers = [register(f"M{n}", f"S{n}", previous_read=f"{n}000") for n in range(1, 10)]
    reads = [read(f"{min(n + 1, 9) * 1000 + 11:04d}", f"M{n}") for n in range(1, 10)]
    bills = [bill for n in range(1, 10) for bill in past(f"S{n}")]
    made = settled(registers, reads, bills, by=rules(file_shift=("80", "review")))
    assert {"file_shift 1", *(f"spike S{n}" for n in range(1, 9))} <= set(found(made))
    assert made.services["hold"].tolist() == ["spike"] * 8 + [""]
    assert (made.services["service_from"] == LAST).all()


def test_a_typed_dial_short_of_the_estimate_bills_nothing_yet() -> None:
    """Estimated to 0122 from the actual 0100; the customer says 0115 by phone: nothing more until the dial passed 0122.

    A read of 0115 would have to be accepted, and so has the dial that is typed.
    """
    before = {"actual_read": "0100", "actual_date": LAST - pd.Timedelta(61, "D")}
    tap = register(previous_read="0122", previous_code="estimated", **before)
    phoned = {"missing_read M1": typed("0115")}
    assert one(settled([tap], [], past(), phoned))[1] == "overestimated / override"
    made = settled([tap], [], past(), phoned | {"overestimated / override M1": {"decision": "accept"}})
    assert one(made) == (0, "")
    assert made.registers[["dial_read", "read_code"]].iloc[0].tolist() == ["0122", "estimated"]
    assert "read 0115" in made.services["estimate"].iloc[0]
    further = settled([tap], [], past(), {"missing_read M1": typed("0133")})
    assert one(further) == (11, "")
