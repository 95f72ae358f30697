"""The whole of `xlbilling reconcile`: two files read, matched with all reasons, answered and written to a workpaper.

Run it alone: `python benchmarks/reconciling.py [LINES]`. The lines stand on eight accounts, and slips of every kind are in
the ledger. CPU seconds of the command (its children too) stand beside U, the CPU of a fixed loop in the same run.
"""

from __future__ import annotations

import csv
import datetime as dt
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from loop import fixed_loop

OWN = ("CASH", "AR-WATER", "AR-SEWER", "AR-PENALTY", "DEPOSITS", "REV-BASE", "REV-USE", "REV-SEWER")
ACCOUNTS = {own: f"1{n:03d}" for n, own in enumerate(OWN)}
SUB_HEAD = "id,post_date,kind,account_id,batch,reference,gl_account,debit,credit".split(",")
GL_HEAD = "Date,Account,Account Name,Reference,Description,Debit,Credit".split(",")
MAP = """period: {start: 2026-07-01, end: 2026-07-31}
accounts: {%s}
control_accounts: ["1001", "1002", "1003"]
credit_normal: ["1004", "1005", "1006", "1007"]
"""
Line = tuple[str, dt.date, str, str, str, str, str, int]


def lines_of(count: int, seed: int = 7) -> Iterator[Line]:
    """Bills of three lines and receipts of two, a month of days, batches of a day."""
    rng = np.random.default_rng(seed)
    number = document = 0
    while number < count:
        document += 1
        day = dt.date(2026, 7, 1) + dt.timedelta(days=int(rng.integers(0, 31)))
        water, sewer = (int(cents) for cents in rng.integers(1_000, 20_000, size=2))
        customer = f"{document % 60_000:07d}"
        if document % 2:
            parts = [("AR-WATER", water), ("AR-SEWER", sewer), ("REV-USE", -water), ("REV-SEWER", -sewer)]
            kind, batch, reference = "billing", f"BL{day:%m%d}-1", f"B{document:07d}"
        else:
            parts = [("CASH", water + sewer), ("AR-WATER", -water), ("AR-SEWER", -sewer)]
            kind, batch, reference = "payment", f"LB{day:%m%d}-1", f"P{document:07d}"
        for own, cents in parts:
            number += 1
            yield (f"S{number:07d}", day, kind, customer, batch, reference, own, cents)


def rows_of(lines: list[Line], seed: int = 8) -> Iterator[tuple[dt.date, str, str, str, int]]:
    """Each line a row of the ledger, and a slip of one kind in one of 500."""
    rng = np.random.default_rng(seed)
    slips = rng.integers(0, 3_500, size=len(lines))
    for (_, day, kind, _, batch, reference, own, cents), slip in zip(lines, slips.tolist(), strict=True):
        row = (day, ACCOUNTS[own], reference, f"{kind} {batch}", cents)
        if slip == 0:
            continue
        if slip == 1:
            row = (*row[:4], cents + 100_001)
        elif slip == 2:
            digits = str(abs(cents))
            row = (*row[:4], int(digits[1] + digits[0] + digits[2:]) * (1 if cents > 0 else -1))
        elif slip == 3:
            row = (day, ACCOUNTS["AR-PENALTY"], *row[2:])
        elif slip == 4:
            row = (*row[:4], -cents)
        elif slip == 5:
            row = (dt.date(2026, 8, 2), *row[1:])
        elif slip == 6:
            yield row
        yield row


def write_files(folder: Path, count: int) -> int:
    """SUB.csv, GL.csv and MAP.yaml in `folder`; how many rows both have together."""
    lines = list(lines_of(count))
    rows = list(rows_of(lines))
    with (folder / "sub.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(SUB_HEAD)
        writer.writerows((*line[:7], *_sides(line[7])) for line in lines)
    with (folder / "gl.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(GL_HEAD)
        writer.writerows(
            (day, account, "", reference, said, *_sides(cents)) for day, account, reference, said, cents in rows
        )
    (folder / "map.yaml").write_text(MAP % ", ".join(f'{own}: "{number}"' for own, number in ACCOUNTS.items()))
    return len(lines) + len(rows)


def _sides(cents: int) -> tuple[str, str]:
    amount = f"{abs(cents) // 100}.{abs(cents) % 100:02d}"
    return (amount, "0.00") if cents > 0 else ("0.00", amount)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write_files(folder, count)
        # before and after: a machine that others use too is slower by the moment
        loop = fixed_loop()
        command = [
            sys.executable,
            "-m",
            "xlbilling",
            "reconcile",
            f"--subledger={folder / 'sub.csv'}",
            f"--gl={folder / 'gl.csv'}",
        ]
        command += [f"--map={folder / 'map.yaml'}", f"--json={folder / 'out.json'}", f"--out={folder / 'out.xlsx'}"]
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=False, stderr=subprocess.DEVNULL)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    loop = (loop + fixed_loop()) / 2
    print(
        f"{count:,} subledger lines, {rows:,} rows in all: {used:.1f} s CPU, {wall:.1f} s wall, {used / loop:.1f} U (U = {loop:.2f} s)"
    )


if __name__ == "__main__":
    main()
