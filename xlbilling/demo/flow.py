"""Flow: the water that really runs through the sample district's registers, whatever is later read of it.

Everything is drawn from the seed, the cycle and the run, so any run can be asked for at any time, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.demo.cycles import CYCLES, Cycle
from xlbilling.words.periods import AccountingPeriod

Whole = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]

USUAL_DAYS: Final = 61.0
HOTTEST_MONTH: Final = 7.5
# How far summer and winter lie from the year's mean, by class.
SWING: Final = {"RESIDENTIAL_SINGLE": 0.25, "RESIDENTIAL_MULTI": 0.12, "COMMERCIAL": 0.15, "IRRIGATION": 0.55}
DIAL_PER_CCF: Final = {"CCF": 1.0, "CF": 100.0, "GAL": 748.0}
HISTORY_RUNS: Final = 7
_HOUSEHOLD: Final = 25.0  # people go away; businesses of more than so many CCF do not
_CHANGES: Final = (1.0, 0.4, 2.3)  # now and then fewer people at home, or a leak that runs
_CHANCE: Final = (0.97, 0.015, 0.015)


@dataclass(frozen=True)
class Flow:
    """What runs through each metered service, and how its registers share it.

    `services`: service_id, cycle, route (place in the cycle's routes), base_ccf (mean of a two-month period), swing,
    runs (bool: active), empty (bool: vacant all along), first_days (days of the first period; 0: served long before).
    `registers`: meter_id, register_id, service (position in `services`), unit, multiplier (whole), dials, share, start
    (dial at the last read before run 0).
    """

    seed: int
    period: AccountingPeriod
    services: pd.DataFrame
    registers: pd.DataFrame

    def of_cycle(self, cycle: Cycle) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Positions of the cycle's services and of their registers."""
        mine = self.services["cycle"].eq(cycle.name).to_numpy()
        return np.flatnonzero(mine), np.flatnonzero(mine[self.registers["service"].to_numpy()])

    def ccf(self, cycle: Cycle, run: int) -> Real:
        """What each service of the cycle draws in the two months before a run, in CCF."""
        rows, _ = self.of_cycle(cycle)
        taps = self.services.iloc[rows]
        rng = np.random.default_rng([self.seed, 2, CYCLES.index(cycle), run + 1000])
        mood = np.exp(rng.normal(0.0, 0.16, len(rows))) * rng.choice(_CHANGES, len(rows), p=_CHANCE)
        away = (rng.random(len(rows)) < 0.004) & taps["base_ccf"].lt(_HOUSEHOLD).to_numpy()
        middle = cycle.month(self.period, run).month - 1.0
        season = 1 + taps["swing"].to_numpy() * np.cos(2 * np.pi * (middle - HOTTEST_MONTH) / 12)
        drawn = taps["base_ccf"].to_numpy() * season * mood * ~(away | taps["empty"].to_numpy())
        first = taps["first_days"].to_numpy(dtype=np.float64)
        if run < 0:
            return np.asarray(np.where(first > 0, 0.0, drawn))
        drawn = drawn * taps["runs"].to_numpy()
        return np.asarray(np.where((first > 0) & (run == 0), drawn * first / USUAL_DAYS, drawn))

    def steps(self, cycle: Cycle, run: int) -> Whole:
        """How many steps the dial of each of the cycle's registers moves on in the two months before a run."""
        rows, at = self.of_cycle(cycle)
        mine = self.registers.iloc[at]
        drawn = self.ccf(cycle, run)[np.searchsorted(rows, mine["service"].to_numpy())]
        per_ccf = mine["unit"].map(DIAL_PER_CCF).to_numpy(dtype=np.float64) / mine["multiplier"].to_numpy()
        moved: Whole = np.floor(drawn * mine["share"].to_numpy() * per_ccf + 0.5).astype(np.int64)
        return moved

    def dials(self, cycle: Cycle, run: int) -> tuple[Whole, Whole]:
        """Each register's true dial at the read before a run (0 or later) and at the run's own read."""
        _, at = self.of_cycle(cycle)
        mine = self.registers.iloc[at]
        full = 10 ** mine["dials"].to_numpy(dtype=np.int64)
        before = mine["start"].to_numpy(dtype=np.int64)
        for earlier in range(run):
            before = before + self.steps(cycle, earlier)
        return before % full, (before + self.steps(cycle, run)) % full


def frame_of(columns: dict[str, Any]) -> pd.DataFrame:
    """Columns as a frame in the store's types: text as str, days as datetime64[s]."""
    made = pd.DataFrame(columns)
    for name, values in made.items():
        if values.dtype == object:
            made[name] = values.astype("str")
        elif values.dtype.kind == "M":
            made[name] = values.astype("datetime64[s]")
    return made
