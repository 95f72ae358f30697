"""Read checks: a cycle's reads settled at once, beside the same rules put to a pydantic model row by row.

Run: python benchmarks/checks.py [reads]

Both start from the frames the office holds: registers with their last reads, the file's reads, and seven earlier bills
of every service. Both look at dials, unit, window, rollover, a dial below its last one, and consumption per day against
last year and the recent average; settle() looks at everything else besides. Both must find the same.
"""

from __future__ import annotations

import datetime as dt
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

from xlbilling.office.desk.policy import starting_policy
from xlbilling.trade.reads import BillingUnit, Rules, Window, settle
from xlbilling.trade.reads.settle import Office

MILLION = 1_000_000
LAST, NOW = dt.date(2026, 9, 5), dt.date(2026, 11, 5)
WINDOW = Window("A", "2026-11", dt.date(2026, 11, 1), dt.date(2026, 11, 10))
BILLING = BillingUnit("CCF", Fraction(748), 3, "bill")
RULES = Rules.of(starting_policy("Benchmark"))
LEAST, HIGH, LOW, SPIKE = 5, 2.0, 0.5, 5.0
SAME = {
    "too_many_dials",
    "wrong_unit",
    "outside_window",
    "read_below_last",
    "rollover",
    "spike",
    "high",
    "low",
    "zero",
    "stuck",
}
TURNS = 5


def text(values: Any) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def cycle(count: int) -> Office:
    """A cycle of so many registers, one a service: two in a hundred of the reads have something to say about them."""
    rng = np.random.default_rng(1)
    names = [f"{n:08d}" for n in range(count)]
    last, used = rng.integers(1000, 900_000, count), rng.integers(8, 40, count)
    odd = rng.random(count)
    moved = np.select(
        [odd < 0.006, odd < 0.012, odd < 0.015, odd < 0.017],
        [used * 3, used // 4, used * 20, -used * 5],
        used + rng.integers(-2, 3, count),
    )
    meters, services = text("M" + n for n in names), text("S" + n for n in names)
    day = pd.Series(np.full(count, np.datetime64(LAST, "s")))
    dials = text(f"{value:06d}" for value in last.tolist())
    blank = text([""] * count)
    registers = pd.DataFrame(
        {
            "meter_id": meters, "register_id": blank, "service_id": services, "account_id": text(names),
            "customer_class": text(rng.choice(["HOUSE", "SHOP", "PARK"], count)), "meter_size": text(['5/8"'] * count),
            "route": text(f"{n // 500:03d}" for n in range(count)), "route_billed": False, "master_meter": blank, "dials": 6,
            "unit": text(["CCF"] * count), "multiplier": text(["1"] * count), "previous_date": day, "previous_read": dials,
            "previous_value": last * MILLION, "previous_code": text(["actual"] * count), "actual_date": day,
            "actual_read": dials, "actual_value": last * MILLION, "final_read": blank, "due": True,
            "ended": blank, "ends_on": pd.Series(np.full(count, np.datetime64("NaT"), dtype="datetime64[s]")),
            "removed_on": pd.Series(np.full(count, np.datetime64("NaT"), dtype="datetime64[s]")),
        }
    )  # fmt: skip
    now = last + moved
    reads = pd.DataFrame(
        {
            "read_id": np.arange(1, count + 1), "import_id": 1, "source_line": np.arange(2, count + 2), "account_id": text(names),
            "meter_id": meters, "register_id": blank, "read_date": pd.Series(np.full(count, np.datetime64(NOW, "s"))),
            "read_time": text(["08:00"] * count), "dial_read": text(f"{value:06d}" for value in now.tolist()),
            "read_value": pd.array(now * MILLION, dtype="Int64"), "unit": text(["CCF"] * count),
            "read_code": text(["actual"] * count),
        }
    )  # fmt: skip
    bills = [
        pd.DataFrame(
            {
                "service_id": services, "service_to": np.datetime64(LAST, "s") - np.timedelta64(61 * n, "D"), "days": 61,
                "consumption": used * MILLION, "read_code": text(["actual"] * count),
            }
        )
        for n in range(7)
    ]  # fmt: skip
    nothing = pd.DataFrame(
        columns=["exception_id", "fact", "decision", "override_read", "reason", "decided_by", "decided_at"]
    ).astype(object)
    return Office(registers, reads, pd.concat(bills, ignore_index=True), nothing)


class Checked(BaseModel):
    """One read beside its register and the service's earlier bills; every rule adds its name to `found`."""

    meter_id: str
    service_id: str
    dials: int
    meter_unit: str
    previous_date: dt.date
    previous_value: int
    read_date: dt.date
    read_value: int
    unit: str
    usual: float | None
    last_year: float | None
    average: float | None
    always: bool
    found: list[str] = []

    @field_validator("read_date")
    @classmethod
    def dated(cls, value: dt.date, _: ValidationInfo) -> dt.date:
        if value < dt.date(2000, 1, 1):
            raise ValueError("no day a meter was read on")
        return value

    @model_validator(mode="after")
    def check(self) -> Checked:
        capacity = 10**self.dials * MILLION
        if not WINDOW.read_from <= self.read_date <= WINDOW.read_to:
            self.found.append(f"outside_window {self.meter_id}")
        if self.unit and self.unit != self.meter_unit:
            self.found.append(f"wrong_unit {self.meter_id}")
        if self.read_value >= capacity:
            self.found.append(f"too_many_dials {self.meter_id}")
        usual, used = self.usual, self.read_value - self.previous_value
        if used < 0:
            rolled = used + capacity
            limit = max(usual * HIGH, usual + LEAST * MILLION) if usual is not None else capacity / 10
            if rolled > limit:
                self.found.append(f"read_below_last {self.meter_id}")
                return self
            self.found.append(f"rollover {self.meter_id}")
            used = rolled
        self.compare(used)
        return self

    def compare(self, used: int) -> None:
        known = [value for value in (self.last_year, self.average) if value is not None]
        if not known or abs(used - known[0]) < LEAST * MILLION:
            return
        if all(used >= value * SPIKE for value in known) and used >= 10 * LEAST * MILLION:
            self.found.append(f"spike {self.service_id}")
        elif all(used >= value * HIGH for value in known):
            self.found.append(f"high {self.service_id}")
        elif used == 0:
            self.found.append(f"stuck {self.meter_id}" if self.always else f"zero {self.service_id}")
        elif all(used < value * LOW for value in known):
            self.found.append(f"low {self.service_id}")


def usual(bills: list[tuple[dt.date, int, int]], until: dt.date, days: int) -> tuple[float | None, ...]:
    """Consumption for so many days by all earlier bills, by those of last year, and by the recent ones."""
    sums = [[0, 0], [0, 0], [0, 0]]
    for ended, lasted, used in bills:
        gap = (until - ended).days
        for total, counts in zip(sums, (True, abs(gap - 365) <= 31, 0 < gap <= 400), strict=True):
            if counts:
                total[0] += used
                total[1] += lasted
    return tuple(used / lasted * days if lasted else None for used, lasted in sums)


def row_by_row(office: Office) -> list[str]:
    """The rows of the frames as dictionaries, joined by dictionaries, each put to the model."""
    bills: dict[str, list[tuple[dt.date, int, int]]] = defaultdict(list)
    history = office.history
    for service, until, days, used in zip(
        history["service_id"],
        history["service_to"].dt.date,
        history["days"].tolist(),
        history["consumption"].tolist(),
        strict=True,
    ):
        bills[service].append((until, days, used))
    registers = {row["meter_id"]: row for row in office.registers.to_dict("records")}
    found: list[str] = []
    for row in office.reads.to_dict("records"):
        register = registers[row["meter_id"]]
        before, until = bills[register["service_id"]], row["read_date"].date()
        every, last_year, average = usual(before, until, (until - register["previous_date"].date()).days)
        found += Checked.model_validate(
            {
                "meter_id": row["meter_id"], "service_id": register["service_id"], "dials": register["dials"],
                "meter_unit": register["unit"], "previous_date": register["previous_date"].date(),
                "previous_value": register["previous_value"], "read_date": until,
                "read_value": row["read_value"], "unit": row["unit"], "usual": every,
                "last_year": last_year, "average": average, "always": all(used for _, _, used in before),
            }
        ).found  # fmt: skip
    return found


def best(work: Callable[[], Any], turns: int) -> float:
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    office = cycle(count)
    findings = settle(WINDOW, BILLING, RULES, office).findings
    ours = set(findings.loc[findings["rule"].isin(SAME), "exception_id"])
    theirs = set(row_by_row(office))
    if ours != theirs:
        raise SystemExit(f"{len(ours ^ theirs)} findings differ, such as {sorted(ours ^ theirs)[:3]}")
    at_once = best(lambda: settle(WINDOW, BILLING, RULES, office), TURNS)
    each = best(lambda: row_by_row(office), 2)
    print(f"{count:,} reads, {len(theirs):,} findings alike ({len(findings):,} in all)")
    print(f"settle() and all checks {at_once:6.3f} s {count / at_once:>11,.0f} reads/s")
    print(f"pydantic, row by row    {each:6.3f} s {count / each:>11,.0f} reads/s")
    print(f"ratio {each / at_once:.1f}")


if __name__ == "__main__":
    main()
