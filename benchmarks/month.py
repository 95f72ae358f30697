"""The month for 10,000 and 100,000 accounts, headless, beside the bare reading, inserting and writing of the same rows.

Run: python benchmarks/month.py [accounts ...]

The month: the read file taken in, checked, billed, posted and the report pack written, without sheets and audit. The
bare run reads the same read file as text, inserts the same rows into the same schema in as many transactions, and
writes the same register as .xlsx; nothing is checked or computed.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import xlsxwriter

from xlbilling.demo.decisions import decide
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.files import read_file
from xlbilling.intake.files.guard import shared_worker
from xlbilling.office.actions import open_desk, perform
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Run
from xlbilling.office.desk.working_tables import write_rows
from xlbilling.store import Store, frames
from xlbilling.workbook.none import NoWorkbook

WRITTEN = (
    "reads",
    "draft_bills",
    "draft_services",
    "draft_lines",
    "draft_reads",
    "bills",
    "bill_services",
    "bill_lines",
    "bill_reads",
    "standing_bills",
    "entries",
    "journal",
)
ACTOR = "lead"


def main(sizes: list[int]) -> None:
    shared_worker().start()
    print(f"{'accounts':>9} {'bills':>8} {'month s':>8} {'bare s':>7} {'ratio':>6}")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            bills, month, bare = measure(Path(folder), size)
            print(f"{size:9,} {bills:8,} {month:8.2f} {bare:7.2f} {month / bare:6.2f}", flush=True)


def measure(folder: Path, size: int) -> tuple[int, float, float]:
    """Bills made, seconds of the month and of the bare run."""
    # All accounts are read in one run: the district of twice the size has half of them on the cycle that is due.
    district = sample_district(size)
    run = district.due(str(district.period))[0]
    (folder / "reads.csv").write_bytes(read_file(district, run))
    open_office(folder, district)
    month = timed(lambda: run_month(folder, run))
    store = Store.open(f"sqlite:///{folder / 'billing.db'}")
    bills = int(store.value("SELECT COUNT(*) FROM bills"))
    rows = {name: store.table(name) for name in WRITTEN}
    rows["draft_bills"] = rows["bills"].drop(columns=["number", "batch"]).assign(state="draft")
    rows["draft_services"] = rows["bill_services"].rename(columns={"number": "bill_key"}).assign(state="draft", why="")
    rows["draft_lines"] = rows["bill_lines"].rename(columns={"number": "bill_key"})
    rows["draft_reads"] = rows["bill_reads"].rename(columns={"number": "bill_key"})
    plain = {name: (list(frame.columns), frames.rows(frame, list(frame.columns))) for name, frame in rows.items()}
    register = rows["bill_services"].merge(rows["bills"].drop(columns="amount"), on="number")
    store.close()
    bare = timed(lambda: bare_month(folder, plain, register))
    return bills, month, bare


def open_office(folder: Path, district: District) -> None:
    store = Store.create(f"sqlite:///{folder / 'billing.db'}", ACTOR)
    with store.work(ACTOR, "open_office") as work:
        work.execute("DELETE FROM policy WHERE topic <> 'staff'")
        for name, frame in district.tables.items():
            write_rows(work, Changes.adding(name, frame))
        work.insert("consumption_history", district.history)
        work.insert_one("periods", period=str(district.period), state="open")
    store.close()


def run_month(folder: Path, run: Run) -> None:
    """Import, validate, decide, compute, post, report."""
    cells = {"Period": run.period, "Cycle": run.cycle, "ReadsFile": "reads.csv", "StoreUrl": "billing.db"}
    book = NoWorkbook(folder, cells)
    for button in ("import_reads", "validate", "decide", "compute", "post", "report_pack"):
        if button == "decide":
            type_decisions(folder, run)
            continue
        outcome = perform(button, lambda: open_desk(book, ACTOR, folder), book)
        assert isinstance(outcome, Outcome), outcome


def type_decisions(folder: Path, run: Run) -> None:
    """What a clerk would type on Exceptions, written as Save writes it."""
    store = Store.open(f"sqlite:///{folder / 'billing.db'}")
    with store.work(ACTOR, "save") as work:
        found = decide(work.table("exceptions"))
        rows = list(zip(found["decision"], found["reason"], found["exception_id"], strict=True))
        sql = "UPDATE exceptions SET decision = ?, reason = ?, state = 'decided' WHERE exception_id = ?"
        work.connection.exec_driver_sql(sql, rows)
        work.event(f"Decided {len(rows)} findings for {run}")
    store.close()


def bare_month(
    folder: Path, rows: dict[str, tuple[list[str], list[tuple[object, ...]]]], register: pd.DataFrame
) -> None:
    """Read the file as text, insert the same rows, write the same register: no check, no computation."""
    pd.read_csv(folder / "reads.csv", dtype=str, on_bad_lines="skip")
    store = Store.create(f"sqlite:///{folder / 'bare.db'}", ACTOR)
    for names in (WRITTEN[:1], WRITTEN[1:5], WRITTEN[5:]):
        with store.work(ACTOR, "bare") as work:
            work.insert_one("periods", period=f"bare {names[0]}", state="open")
            if names is not WRITTEN[:1]:
                work.execute(
                    "INSERT INTO periods (period, state) SELECT :p, 'open' WHERE NOT EXISTS (SELECT 1 FROM periods WHERE period = :p)",
                    p=register["period"].iloc[0],
                )
            for name in names:
                work.insert_rows(name, *rows[name])
    store.close()
    book = xlsxwriter.Workbook(folder / "bare.xlsx", {"constant_memory": True})
    sheet = book.add_worksheet()
    columns = [
        "number",
        "account_id",
        "service_id",
        "customer_class",
        "service_from",
        "service_to",
        "consumption",
        "unit",
        "amount",
        "due_date",
    ]
    for n, row in enumerate(frames.rows(register, columns)):
        sheet.write_row(n, 0, row)
    book.close()


def timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


if __name__ == "__main__":
    main([int(text) for text in sys.argv[1:]] or [10_000, 100_000])
