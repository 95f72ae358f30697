"""Makes version-2.db.xz and version-2.sql.xz: a store as the program of version 2 left it, in its second month.

The first is the SQLite file, the second the dump of the same store put back into PostgreSQL. Run at commit 88970db, the
last one whose stores are of version 2, from its checkout, with the folder to write to:

    PYTHONPATH=. python version_2.py FOLDER

The small district bills its November and closes it. December is open: the reads of cycle B are in, one row of the file
is rejected, two receipts wait, and the last of what the clerk did can still be undone.
  bills      405.00; 45.00 and 30.00 owed before                    480.00
  receipts   P0000001 45.00, P0000002 30.00, P0000003 12.00; the last one reversed    -75.00
  adjustment -10.00                                                  -10.00
  bill of S07 cancelled and billed anew, both 51.45                    0.00, owed at the end of November 395.00
"""

from __future__ import annotations

import lzma
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.office.asked import correct
from tests.office.conftest import Office
from tests.office.month.test_closing import agree, audited
from tests.office.small import PERIOD, Clock, beacon, open_books, payments
from tests.store.cluster import cluster
from xlbilling.maker import build_workbook
from xlbilling.store.backup import restore

DECEMBER = [("M09", "0412"), ("M10", "0470"), ("M11", "0411"), ("M12", "04l1")]


def november(office: Office) -> None:
    """A whole month with every kind of document, closed."""
    lead, cora = office.lead, office.clerk("cora")
    lead.press("refresh", Period=PERIOD, Cycle="A")
    reads = beacon(("M01", "O112"))
    cora.press("import_reads", ReadsFile=office.file("reads.csv", reads), Period=PERIOD, Cycle="A")
    reject = str(office.table("rejects")["reject_id"].iloc[0])
    cora.set("rejects", reject, decision="take", reason="a letter O for a nought", dial_read="0112")
    cora.press("save")
    cora.press("validate")
    cora.set("exceptions", "rollover M05", decision="accept", reason="the dial went round")
    cora.press("save")
    lead.press("refresh")
    lead.press("compute")
    audited(office)
    lead.press("post")
    three = (
        "0000001,45.00,2026-11-20,C1,check",
        "0000002,30.00,2026-11-21,W2,web",
        "0000007,12.00,2026-11-22,C3,check",
    )
    cora.press("import_payments", PaymentsFile=office.file("payments.csv", payments(*three)))
    lead.press("post")
    cora.press("refresh")
    correct(cora, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020", reason="leak")
    cora.press("adjust")
    lead.press("post")
    lead.press("refresh")
    correct(lead, kind="reverse", document="P0000003", reason="returned by the bank")
    lead.press("reverse")
    bill = office.value("SELECT number FROM bills WHERE service_id = 'S07'")
    correct(lead, kind="rebill", document=bill, reason="name on the bill was wrong")
    lead.press("reverse")
    lead.press("compute")
    lead.press("post")
    with office.store().work("lea", "audit") as work:
        work.event("Audits of before are done anew")
        work.execute("DELETE FROM audits")
    audited(office)
    agree(office)
    lead.press("print_file")
    lead.press("checklist")
    lead.press("close_month")


def december(office: Office) -> None:
    """A month under way."""
    cora = office.clerk("cora")
    cora.press("refresh", Period="2026-12", Cycle="B")
    office.clock.now = office.clock.now.replace(month=12, day=15)
    reads = beacon(*DECEMBER, *((f"{m}.Read_Time", "2026-12-05 08:00") for m, _ in DECEMBER), cycle="B")
    cora.press("import_reads", ReadsFile=office.file("december.csv", reads))
    cora.press("validate")
    two = ("0000003,84.00,2026-12-10,C7,check", "0000004,68.25,2026-12-11,W8,web")
    cora.press("import_payments", PaymentsFile=office.file("december-payments.csv", payments(*two)))


def main(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        beside = Path(name)
        url = f"sqlite:///{beside / 'billing.db'}"
        build_workbook(beside / "billing.xlsm")
        open_books(url)
        office = Office(beside, url, Clock())
        november(office)
        december(office)
        with sqlite3.connect(beside / "billing.db") as connection:
            connection.execute("VACUUM INTO ?", [str(beside / "kept.db")])
        keep(folder / "version-2.db.xz", (beside / "kept.db").read_bytes())
        there = cluster().database()
        restore(beside / "kept.db", there)
        words = [str(cluster()._binaries / "pg_dump"), "--no-owner", "--no-privileges", "--inserts", "--dbname", there]
        keep(folder / "version-2.sql.xz", subprocess.run(words, check=True, capture_output=True).stdout)


def keep(target: Path, content: bytes) -> None:
    target.write_bytes(lzma.compress(content, preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
