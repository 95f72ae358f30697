"""The sample district's month, run as an office would: from the old system's tables to the closed books."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Shown

from xlbilling.demo.clerk import Clerk, Rows
from xlbilling.demo.decisions import decide, leave, leave_money
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.files import corrected_read_file, gl_export, payments_file, read_file
from xlbilling.demo.old_system import write_old_system
from xlbilling.maker import build_workbook
from xlbilling.office.conversion.convert import convert
from xlbilling.office.desk.views import balances
from xlbilling.store import Store
from xlbilling.store.store import store_url
from xlbilling.store.verify import verify
from xlbilling.words.problems import Conflict, Place, declare
from xlbilling.words.states import OPEN

FOLDER_TAKEN: Final = declare(
    "demo_folder_taken", "The folder holds something already.", "Name another folder, or empty this one."
)
SIGNED: Final = {
    "Receivables are reconciled": "Accounting corrects the transposed batch and explains journal MJ; both are listed on Reconcile.",
    "Audit is green": "No spreadsheet application on this machine; the workbook is to be recalculated in Excel.",
}


def run_demo(folder: Path, accounts: int, actor: str, console: Console) -> int:
    """Make the sample district in `folder`, run its month and say which files to open; the exit code."""
    if folder.exists() and any(folder.iterdir()):
        raise Conflict(FOLDER_TAKEN.at(Place(file=folder.name), "it is not empty"))
    folder.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    clerk = Clerk.at_file(folder.resolve() / "billing.xlsm", actor, store_url(str(folder.resolve() / "billing.db")))
    district = sample_district(accounts)
    steps = Month(clerk, district).steps()
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(steps))
        for words, step in steps:
            progress.update(task, description=words)
            step()
            progress.advance(task)
    store = Store.open(clerk.url)
    problems = verify(store)
    store.close()
    _summary(console, clerk, district, time.perf_counter() - began, not problems)
    return 4 if problems else 0


@dataclass
class Month:
    """The district's month: what an office does, step by step, with the files that reach it."""

    clerk: Clerk
    district: District

    def __post_init__(self) -> None:
        self.period = str(self.district.period)
        self.run = self.district.due(self.period)[0]

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """The steps in order, each with the words the progress bar shows."""
        return [
            ("Taking the office in from its old system", self.take_in),
            ("Building the workbook", self.begin),
            ("Importing and checking reads", self.read),
            ("Deciding on the findings", self.settle),
            ("Computing, auditing and posting bills", self.bill),
            ("Receipts and adjustments", self.collect),
            ("Reconciling, report pack", self.prove),
            ("Closing the month", self.close),
        ]

    def take_in(self) -> None:
        folder = self.clerk.folder
        as_of = write_old_system(self.district, folder / "old-system")
        convert(folder / "old-system", self.clerk.url, self.clerk.actor, self.district.period, as_of)

    def begin(self) -> None:
        build_workbook(self.clerk.folder / "billing.xlsm")
        self.clerk.presses("refresh", Period=self.period, Cycle=self.run.cycle, StoreUrl="billing.db")

    def read(self) -> None:
        reads = self._file(f"reads-{self.run.cycle}-{self.period}.csv", read_file(self.district, self.run))
        self.clerk.presses("import_reads", ReadsFile=reads)
        self.clerk.presses("validate")

    def settle(self) -> None:
        self._decide()
        again = corrected_read_file(self.district, self.run)
        corrected = self._file(f"reads-{self.run.cycle}-{self.period}-corrected.csv", again)
        self.clerk.presses("import_reads", ReadsFile=corrected)
        self.clerk.presses("validate")
        self._decide()

    def bill(self) -> None:
        for button in ("compute", "audit", "post", "print_file"):
            self.clerk.presses(button)

    def collect(self) -> None:
        payments = self._file(f"payments-{self.period}.csv", payments_file(_owed(self.clerk), self.period))
        self.clerk.presses("import_payments", PaymentsFile=payments)
        self.clerk.works_through("payment_rejects", leave_money)
        self.clerk.presses("save")
        self.clerk.presses("post")
        self.clerk.works_through("adjustments", _leak_adjustments(self.clerk, self.district))
        self.clerk.presses("adjust")
        self.clerk.presses("post")

    def prove(self) -> None:
        store = Store.open(self.clerk.url)
        entries, journal, accounts = (store.table(name) for name in ("entries", "journal", "gl_accounts"))
        store.close()
        ledger = self._file(f"gl-export-{self.period}.csv", gl_export(entries, journal, accounts, self.period))
        self.clerk.presses("import_ledger", LedgerFile=ledger)
        self.clerk.presses("reconcile")
        self.clerk.presses("report_pack")

    def close(self) -> None:
        self.clerk.presses("checklist")
        self.clerk.works_through("close", _sign)
        self.clerk.presses("save")
        self.clerk.presses("close_month")
        # The closed month stays on the sheets, its audit beside it, for whoever opens the workbook.
        self.clerk.presses("refresh", Period=self.period, Cycle=self.run.cycle)
        self.clerk.presses("audit")

    def _decide(self) -> None:
        self.clerk.works_through("exceptions", decide)
        self.clerk.works_through("rejects", leave)
        self.clerk.presses("save")

    def _file(self, name: str, content: bytes) -> str:
        (self.clerk.folder / name).write_bytes(content)
        return name


def _owed(clerk: Clerk) -> pd.DataFrame:
    """What each customer owes now: account_id, amount."""
    desk = clerk.desk()
    owed = balances(desk)
    desk.store.close()
    return owed


def _leak_adjustments(clerk: Clerk, district: District) -> Rows:
    """Two leak credits as a clerk types them on Adjustments."""
    store = Store.open(clerk.url)
    bills = store.query("account_id number", "SELECT account_id, number FROM bills ORDER BY amount DESC LIMIT 2")
    store.close()
    revenue = district.gl_accounts.loc[district.gl_accounts["role"].eq("revenue"), "gl_account"].iloc[0]

    def typing(frame: pd.DataFrame) -> pd.DataFrame:
        typed = pd.DataFrame(
            {
                "kind": "adjust",
                "document": bills["number"],
                "account_id": bills["account_id"],
                "amount": pd.array([-4150, -2875], dtype="Int64"),
                "gl_account": revenue,
                "reason": "Leak repaired; credit under the leak policy",
            }
        )
        return pd.concat([frame, typed], ignore_index=True)

    return typing


def _sign(rows: pd.DataFrame) -> pd.DataFrame:
    """Open items signed with the reason the lead would give."""
    is_open = rows["state"].eq(OPEN)
    return rows.assign(signed_reason=rows["signed_reason"].where(~is_open, rows["item"].map(SIGNED).fillna("")))


def _summary(console: Console, clerk: Clerk, district: District, seconds: float, verified: bool) -> None:
    """What each button said, and which files to open."""
    shown = Shown(title=f"{district.name}, {district.period}", show_lines=False, expand=True)
    shown.add_column("Button", no_wrap=True)
    shown.add_column("What it did", overflow="fold")
    for label, said in clerk.said:
        shown.add_row(label, said)
    console.print(shown)
    console.print(f"Verify: {'balanced, chained, gapless, sealed' if verified else 'BROKEN'}. {seconds:.0f} seconds.")
    console.print(
        f"In {clerk.folder.name}: billing.xlsm (open it), billing.db (the store), old-system/ (what was converted),"
    )
    for path in sorted(clerk.folder.glob("*-*.*")):
        console.print(f"  {path.name}")
    command = _command()
    console.print(
        f"Go on in that folder from the terminal: {command} explain B0000001; {command} --help names the rest."
    )


def _command() -> str:
    """The command as it is typed here: by its name where the terminal finds it, else by its place."""
    beside = Path(sys.executable).with_name("xlbilling.exe" if os.name == "nt" else "xlbilling")
    by_name = shutil.which("xlbilling")
    if by_name and beside.exists() and Path(by_name).resolve() == beside.resolve():
        return "xlbilling"
    return str(beside) if beside.exists() else f"{sys.executable} -m xlbilling"
