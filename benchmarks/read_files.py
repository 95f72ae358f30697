"""How fast files of reads are read: parse_reads in a started worker against pandas.read_csv(dtype=str), side by side.

    python benchmarks/read_files.py [READS]

Prints one line per kind of file: both times (best of several, taken in turn) and their ratio. The bar is 2.0 for
well-formed CSV; the workbook is shown beside calamine, for which there is no bar.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook as NewWorkbook

from xlbilling.intake.files.guard import Worker
from xlbilling.intake.reads import parse_reads

TURNS = 7


def beacon(count: int) -> list[list[str]]:
    rows = [["Account_ID", "Location_ID", "Service_Point_ID", "Meter_ID", "Register_Number", "Endpoint_SN",
             "Read_Method", "Read", "Read_Unit", "Billing_Read", "Read_Time"]]  # fmt: skip
    chance = random.Random(7)
    for i in range(count):
        read = chance.randrange(10_000_000)
        minute = chance.randrange(1440)
        moment = f"2026-03-{chance.randrange(1, 6):02d} {minute // 60:02d}:{minute % 60:02d}"
        rows.append([f"{i:08d}", f"P{i:06d}", "1", f"{80000000 + i}", "", f"{190000000 + i}", "Network", str(read),
                     "CUBIC_FEET", str(read // 100), moment])  # fmt: skip
    return rows


def hourly(count: int) -> list[list[str]]:
    names = ["Account_ID", "Estimated_Flag", "Flow", "Flow_Time", "Flow_Unit", "Location_ID", "Meter_ID", "Raw_Read",
             "Read", "Read_Time", "Read_Unit", "Register_Number", *(f"Extra_{i}" for i in range(20))]  # fmt: skip
    rows = [names]
    for i in range(count // 2):
        read = 10_000 + i
        moment = f"2026-04-{1 + i % 28:02d} {i // 28 % 24:02d}:59"
        rows.append([f"{i // 24:08d}", "0", "5.0", moment, "Gallons", f"P{i // 24:06d}", f"{80000000 + i // 600}",
                     f"{read:06d}", f"{read / 100:.2f}", moment, "CCF", "", *(["good"] * 20)])  # fmt: skip
    return rows


def generic(count: int) -> list[list[str]]:
    rows = [["Account ID", "Meter ID", "Read", "Read Date", "Unit", "Status"]]
    chance = random.Random(8)
    for i in range(count):
        text = f"{chance.randrange(1_000_000) / 10:.1f}"
        rows.append([f"{i:08d}", f"{80000000 + i}", text, f"2026-07-{1 + i % 28:02d}", "CF", "A"])
    return rows


def write_csv(path: Path, rows: list[list[str]], quote: str = "") -> Path:
    path.write_text("".join(",".join(f"{quote}{cell}{quote}" for cell in row) + "\n" for row in rows))
    return path


def write_workbook(path: Path, rows: list[list[str]]) -> Path:
    with NewWorkbook(str(path)) as book:
        sheet = book.add_worksheet("Reads")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, [float(c) if i == 2 and number else c for i, c in enumerate(row)])
    return path


def side_by_side(ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[float, float]:
    """The best times of both in seconds, taken in turn so that both meet the same machine."""
    best = [9e9, 9e9]
    for _ in range(TURNS):
        for which, work in enumerate((ours, theirs)):
            start = time.perf_counter()
            work()
            best[which] = min(best[which], time.perf_counter() - start)
    return best[0], best[1]


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder, Worker(preload=["xlbilling.intake.reads.task"]) as worker:
        made = {
            "beacon": write_csv(Path(folder) / "beacon.csv", beacon(count)),
            "beacon, quoted": write_csv(Path(folder) / "beacon_quoted.csv", beacon(count), '"'),
            "beacon-hourly, quoted": write_csv(Path(folder) / "hourly.csv", hourly(count), '"'),
            "generic": write_csv(Path(folder) / "generic.csv", generic(count)),
        }
        for name, path in made.items():
            ours, theirs = side_by_side(
                lambda path=path: parse_reads(path, worker=worker).reads, lambda path=path: pd.read_csv(path, dtype=str)
            )
            print(f"{name:22} {count:>9,} reads: ours {ours:.3f} s, read_csv {theirs:.3f} s, ratio {ours / theirs:.2f}")
        book = write_workbook(Path(folder) / "generic.xlsx", generic(count))
        ours, theirs = side_by_side(
            lambda: parse_reads(book, worker=worker).reads,
            lambda: CalamineWorkbook.from_path(str(book)).get_sheet_by_index(0).to_python(),
        )
        print(
            f"{'workbook':22} {count:>9,} reads: ours {ours:.3f} s, calamine {theirs:.3f} s, ratio {ours / theirs:.2f}"
        )


if __name__ == "__main__":
    main()
