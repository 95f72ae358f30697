"""What a press of each button costs: the sample district's month, on a workbook file and on one held in memory.

Run it alone: `python benchmarks/buttons.py [ACCOUNTS]`. Every press is the whole of it, as the terminal does it: the
workbook read and written, the question asked and answered, the store's work. In memory nothing is drawn, so the
difference is the file. CPU seconds (children too) stand beside U, the CPU of a fixed loop in the same run.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from loop import cpu_seconds, fixed_loop

from xlbilling.demo.clerk import Clerk, button_label
from xlbilling.demo.district import sample_district
from xlbilling.demo.month import Month
from xlbilling.office.desk.buttons import Outcome
from xlbilling.store.store import store_url
from xlbilling.workbook.memory import MemoryWorkbook

ACTOR = "lead"
PHONE = "+14085550142"


@dataclass
class TimedClerk(Clerk):
    """A clerk who notes what each press cost, by what was pressed and what was at hand."""

    spent: dict[str, list[float]] = field(default_factory=dict)
    at_hand: str = ""

    def presses(self, button: str, **cells: Any) -> Outcome:
        before = cpu_seconds()
        outcome = super().presses(button, **cells)
        name = button_label(button) + (f" ({self.at_hand})" if self.at_hand else "")
        self.spent.setdefault(name, []).append(cpu_seconds() - before)
        return outcome


class InMemory(Month):
    """The month on a workbook that is nowhere but here."""

    def begin(self) -> None:
        self.clerk.presses("refresh", Period=self.period, Cycle=self.run.cycle, StoreUrl="billing.db")


def month_of(month: Month, clerk: TimedClerk) -> None:
    """The month's presses, each noted with what it was pressed for."""
    month.take_in()
    month.begin()
    clerk.at_hand = "again"
    clerk.presses("refresh")
    clerk.types("accounts", {"phone": PHONE}, at=clerk.sees("accounts")["account_id"].iloc[0])
    clerk.at_hand = "one phone"
    clerk.presses("save")
    clerk.at_hand = ""
    month.read()
    clerk.at_hand = "decisions"
    month.settle()
    for clerk.at_hand, step in (("bills", month.bill), ("money", month.collect), ("", month.prove), ("", month.close)):
        step()


def main(accounts: int) -> None:
    loop = fixed_loop()
    spent: list[dict[str, list[float]]] = []
    for in_memory in (False, True):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            url, district = store_url(str(folder / "billing.db")), sample_district(accounts)
            if in_memory:
                book = MemoryWorkbook(folder)
                clerk = TimedClerk(ACTOR, url, lambda book=book: book, folder)
                month: Month = InMemory(clerk, district)
            else:
                clerk = TimedClerk.at_file(folder / "billing.xlsm", ACTOR, url)
                month = Month(clerk, district)
            month_of(month, clerk)
            spent.append(clerk.spent)
    loop = (loop + fixed_loop()) / 2
    print(
        f"{accounts:,} accounts; CPU seconds of a press, the median where it was pressed more than once; U = {loop:.2f} s"
    )
    print(f"{'button':32} {'presses':>7} {'file s':>8} {'file U':>7} {'memory s':>9} {'memory U':>9}")
    for button, on_file in spent[0].items():
        file_cpu, memory_cpu = median(on_file), median(spent[1][button])
        print(
            f"{button:32} {len(on_file):7} {file_cpu:8.2f} {file_cpu / loop:7.2f} {memory_cpu:9.2f} {memory_cpu / loop:9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000)
