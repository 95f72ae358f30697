"""Trouble: what goes wrong with one run's reads, planted in the sample district's read file and told of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.demo.cycles import CYCLES, Cycle
from xlbilling.demo.flow import DIAL_PER_CCF, Flow, Whole

OF_SERVICE: Final = frozenset({"high", "spike"})
YEAR_OF_RUNS: Final = 6


@dataclass(frozen=True, slots=True)
class Planted:
    """One trouble: what happened, the check or the reject code that must tell of it, and where.

    `line` is the line of the file, 0 where the meter has none.
    """

    what: str
    meter_id: str
    service_id: str = ""
    check: str = ""
    reject: str = ""
    line: int = 0

    @property
    def exception_id(self) -> str:
        """The finding's name on Exceptions; blank where only a reject tells of it."""
        key = self.service_id if self.check in OF_SERVICE else self.meter_id
        return f"{self.check} {key}" if self.check else ""


@dataclass
class Dealt:
    """One run's reads with their troubles: the dial to send for each register of the cycle, and what to do to lines.

    `dial` and `true`: whole dial steps by register; the sets and keys are positions of registers.
    """

    dial: Whole
    true: Whole
    omitted: set[int] = field(default_factory=set)
    no_read: list[int] = field(default_factory=list)
    damaged: set[int] = field(default_factory=set)
    repeated: set[int] = field(default_factory=set)
    read_again: dict[int, int] = field(default_factory=dict)
    unknown_after: int = 0
    spike: int = -1
    troubles: list[tuple[int, str, str, str]] = field(default_factory=list)  # position, what, check, reject

    def note(self, at: int, what: str, check: str, reject: str = "") -> None:
        self.troubles.append((at, what, check, reject))


class _Candidates:
    """Registers fit to be given trouble, each dealt out once: alone on an active service with an ordinary history."""

    def __init__(self, flow: Flow, cycle: Cycle, run: int, rng: np.random.Generator):
        rows, at = flow.of_cycle(cycle)
        mine, taps = flow.registers.iloc[at], flow.services.iloc[rows]
        of = np.searchsorted(rows, mine["service"].to_numpy())
        alone = np.bincount(of, minlength=len(rows))[of] == 1
        past = np.array([flow.ccf(cycle, run - back) for back in range(1, YEAR_OF_RUNS + 1)])
        last_year, average = past[-1], past.mean(axis=0)
        ordinary = (last_year > 10) & (last_year > 0.6 * average) & (last_year < 1.6 * average)
        good = taps["runs"].to_numpy() & ~taps["empty"].to_numpy() & taps["first_days"].eq(0).to_numpy() & ordinary
        as_before = np.abs(flow.ccf(cycle, run) / np.maximum(last_year, 1) - 1) < 0.6
        before, now = flow.dials(cycle, run)
        per_ccf = mine["unit"].map(DIAL_PER_CCF).to_numpy() / mine["multiplier"].to_numpy()
        self.usual = np.floor(np.maximum(last_year, average)[of] * per_ccf).astype(np.int64)
        self.small = taps["base_ccf"].to_numpy()[of] < 60
        self.room = 10 ** mine["dials"].to_numpy(dtype=np.int64) - before
        self.moved = now - before
        fit = alone & (good & as_before)[of] & (now > before) & (before > 100)
        self._waiting: list[int] = rng.permutation(np.flatnonzero(fit)).tolist()

    def take(self, fit: npt.NDArray[np.bool_] | None = None) -> int:
        """The next register, of those that also fit; each is dealt out once."""
        chosen = next(at for at in self._waiting if fit is None or fit[at])
        self._waiting.remove(chosen)
        return chosen


def deal(flow: Flow, cycle: Cycle, run: int) -> Dealt:
    """The dials of a run as the reading system sends them, with a month's usual troubles among them."""
    rng = np.random.default_rng([flow.seed, 4, CYCLES.index(cycle), run + 1000])
    before, now = flow.dials(cycle, run)
    dealt = Dealt(now.copy(), now)
    found = _Candidates(flow, cycle, run, rng)
    for at in np.flatnonzero(now < before).tolist():
        dealt.note(at, "the dial came round to zero", "rollover")
    _odd_consumption(dealt, found, before)
    for _ in range(max(3, len(now) // 350)):
        at = found.take()
        dealt.omitted.add(at)
        dealt.note(at, "no line in the file", "missing_read")
    for _ in range(max(4, len(now) // 300)):
        at = found.take()
        dealt.no_read.append(at)
        dealt.note(at, "the reading system had no read", "no_read")
    _odd_lines(dealt, found)
    _inactive(dealt, flow, cycle, before)
    return dealt


def _odd_consumption(dealt: Dealt, found: _Candidates, before: Whole) -> None:
    """A leak, a misread dial, a dial below the last read, and a meter that stood still."""
    leak = found.take(found.small & (found.room > 6 * found.usual))
    dealt.dial[leak] = before[leak] + 4 * found.usual[leak]
    dealt.note(leak, "a leak: four times the usual", "high")
    dealt.spike = found.take(found.small & (found.room > 15 * found.usual))
    dealt.dial[dealt.spike] = before[dealt.spike] + 14 * found.usual[dealt.spike]
    dealt.note(dealt.spike, "a misread dial: fourteen times the usual", "spike")
    below = found.take(before > found.usual)
    dealt.dial[below] = before[below] - found.moved[below] // 2 - 7
    dealt.note(below, "a dial below the last read", "read_below_last")
    still = found.take()
    dealt.dial[still] = before[still]
    dealt.note(still, "a meter that stood still", "stuck")


def _odd_lines(dealt: Dealt, found: _Candidates) -> None:
    """A line cut short, a line sent twice, a register read twice, and a meter nobody knows."""
    cut = found.take()
    dealt.damaged.add(cut)
    dealt.note(cut, "a line cut short", "missing_read", "bad_record")
    twice = found.take()
    dealt.repeated.add(twice)
    dealt.note(twice, "a line sent twice", "", "duplicate")
    again = found.take()
    dealt.read_again[again] = int(dealt.dial[again]) + 1
    dealt.note(again, "a second read two hours later", "duplicate_read")
    dealt.unknown_after = found.take()


def _inactive(dealt: Dealt, flow: Flow, cycle: Cycle, before: Whole) -> None:
    """Water runs through the meter of a closed service."""
    _, at = flow.of_cycle(cycle)
    mine = flow.registers.iloc[at]
    closed = ~flow.services["runs"].to_numpy()[mine["service"].to_numpy()]
    first = int(np.flatnonzero(closed & mine["register_id"].eq("").to_numpy())[0])
    per_ccf = DIAL_PER_CCF[str(mine["unit"].iloc[first])] / int(mine["multiplier"].iloc[first])
    dealt.dial[first] = before[first] + int(9 * per_ccf)
    dealt.note(first, "a closed service that draws water", "inactive_consumption")


def registers_of(flow: Flow, cycle: Cycle) -> pd.DataFrame:
    """The cycle's registers with their service_id and route, in the order of `Dealt`."""
    _, at = flow.of_cycle(cycle)
    mine = flow.registers.iloc[at]
    service: Any = mine["service"].to_numpy()
    taps = flow.services.iloc[service]
    return mine.assign(service_id=taps["service_id"].to_numpy(), route=taps["route"].to_numpy()).reset_index(drop=True)
