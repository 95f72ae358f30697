"""Hourly flows whose file gives no unit: the leak is told, and nothing is guessed of the money."""

from __future__ import annotations

from tests.trade.reads.cycle import past, read, register, settled


def test_a_leak_without_a_unit_is_told_without_money() -> None:
    hours = {"first_hour": "2026-10-06 00:00", "last_hour": "2026-11-05 23:00", "hours": 744, "running_hours": 310}
    flow = {"meter_id": "M1", "unit": "", "least": 2_500_000} | hours
    made = settled([register()], [read("0111")], past(), intervals=[flow])
    leak = made.findings.set_index("exception_id").loc["leak M1"]
    assert leak["money_at_risk"] == 0
    assert "never less than 2.5 (no unit given) an hour" in leak["fact"]
