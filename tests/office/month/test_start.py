"""Today's list on Start: every cycle of the period is on it, and where there are too many it says how many more."""

from __future__ import annotations

import pytest

from xlbilling.office.month.start import fitting


def cycle(name: str, button: str) -> tuple[str, str, int | None, int | None, str, str, str]:
    return (
        f"Cycle {name}",
        "posted" if not button else "reads in",
        10,
        None,
        "clerk" if button else "",
        button,
        "Bills",
    )


def test_cycles_that_fit_stay_in_their_order() -> None:
    cycles = [cycle("A", ""), cycle("B", "Validate")]
    assert fitting(cycles, 2) == cycles


@pytest.mark.parametrize("room", [2, 3, 5])
def test_none_is_cut_without_a_word(room: int) -> None:
    """Six cycles, B, D and F at work: with room for three, B and D stand there, and "4 more cycles, 1 wait"."""
    cycles = [cycle(name, "Validate" if name in "BDF" else "") for name in "ABCDEF"]
    lines = fitting(cycles, room)
    assert len(lines) == room
    named, more = lines[:-1], lines[-1]
    assert more[0] == f"{6 - len(named)} more cycles"
    assert more[1] == f"{3 - sum(bool(line[5]) for line in named)} wait"
    assert [line[0] for line in named][: min(3, room - 1)] == ["Cycle B", "Cycle D", "Cycle F"][: room - 1]
