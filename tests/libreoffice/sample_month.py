"""A sample district's month as a clerk works it: typing in cells, pressing buttons, looking at the sheets.

The same month is worked twice: in LibreOffice, where every press goes through the button's VBA callback, and on the
file alone. After each press the outcome, the store and, where asked, all sheets as they show are kept.
"""

from __future__ import annotations

import csv
import datetime as dt
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.libreoffice.engine import properties
from xlbilling.demo.clerk import Clerk
from xlbilling.demo.decisions import LEFT, decide
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.files import corrected_read_file, gl_export, payments_file, read_file
from xlbilling.demo.old_system import write_old_system
from xlbilling.maker import build_workbook
from xlbilling.office.conversion.convert import convert
from xlbilling.office.desk.buttons import Outcome
from xlbilling.store import Store
from xlbilling.store.store import store_url
from xlbilling.workbook.live.excel import ExcelWorkbook

ACTOR = "lee"
NOW = dt.datetime(2026, 11, 3, 15, 30, tzinfo=dt.UTC)
AS_SHOWN = "44,34,76,1,,0,false,true,true,false,false,-1"  # LibreOffice's CSV filter: as shown, every sheet a file
COUNTS = {
    "events": "SELECT COUNT(*) FROM events",
    "reads": "SELECT COUNT(*) FROM reads WHERE state = 'current'",
    "superseded": "SELECT COUNT(*) FROM reads WHERE state = 'superseded'",
    "rejects": "SELECT COUNT(*) FROM rejects",
    "findings": "SELECT COUNT(*) FROM exceptions WHERE state <> 'gone'",
    "open": "SELECT COUNT(*) FROM exceptions WHERE state = 'open'",
    "decided": "SELECT COUNT(*) FROM exceptions WHERE state = 'decided'",
    "drafts": "SELECT COUNT(*) FROM draft_bills WHERE state = 'draft'",
    "draft_cents": "SELECT COALESCE(SUM(amount), 0) FROM draft_bills WHERE state = 'draft'",
    "bills": "SELECT COUNT(*) FROM bills",
    "bill_cents": "SELECT COALESCE(SUM(amount), 0) FROM bills",
    "batches": "SELECT COUNT(*) FROM batches",
    "payments_open": "SELECT COUNT(*) FROM payments WHERE state = 'open'",
    "payments_posted": "SELECT COUNT(*) FROM payments WHERE state = 'posted'",
    "payments_cents": "SELECT COALESCE(SUM(amount), 0) FROM payments",
    "adjustments_open": "SELECT COUNT(*) FROM adjustments WHERE state = 'open'",
    "adjustments_posted": "SELECT COUNT(*) FROM adjustments WHERE state = 'posted'",
    "reversals": "SELECT COUNT(*) FROM reversals",
    "ledger_rows": "SELECT COUNT(*) FROM ledger_rows",
    "reconciliations": "SELECT COUNT(*) FROM reconciliations",
    "signoffs": "SELECT COUNT(*) FROM signoffs",
    "audit": "SELECT MAX(state) FROM audits",
    "audit_difference": "SELECT MAX(difference) FROM audits",
    "closed": "SELECT COUNT(*) FROM periods WHERE state = 'closed'",
    "phone": "SELECT phone FROM accounts ORDER BY account_id LIMIT 1",
}

Shown = dict[
    str, list[list[str]]
]  # every sheet's cells as text, as they show, without blank rows and columns at the end


@dataclass(frozen=True)
class Press:
    """One press of a button and what there was to see after it."""

    button: str
    note: str
    message: str
    question: str
    store: dict[str, Any]
    tables: dict[str, pd.DataFrame]  # raw cells of the tables asked for
    shown: Shown


class AtLibreOffice(Clerk):
    """A clerk at LibreOffice: presses go through VBA, typing goes into single cells."""

    opened: Any

    @classmethod
    def at(cls, folder: Path, opened: Any) -> AtLibreOffice:
        clerk = cls(ACTOR, _url(folder), lambda: ExcelWorkbook(opened.book), folder)
        clerk.opened = opened
        return clerk

    def presses(self, button: str, **cells: Any) -> Outcome:
        self.types_on_start(**cells)
        self.opened.press(button)
        return Outcome(str(self.cell("Message") or ""))

    def shown(self) -> Shown:
        return sheets_as_shown(self.opened, self.folder / "shown")


class AtTheFile(Clerk):
    """Nobody at a spreadsheet application: the file adapter, saved after each press, as on the terminal."""

    libreoffice: Any

    @classmethod
    def at(cls, folder: Path, libreoffice: Any) -> AtTheFile:
        clerk = cls.at_file(folder / "billing.xlsm", ACTOR, _url(folder))
        clerk.says_yes, clerk.libreoffice = False, libreoffice
        return clerk

    def shown(self) -> Shown:
        """As LibreOffice shows it once it has opened the file and worked its formulas out."""
        copy = self.folder / "as-shown.xlsm"  # an application opens only one workbook of a name
        shutil.copy(self.folder / "billing.xlsm", copy)
        with self.libreoffice.open(copy) as opened:
            opened.recalculate()
            return sheets_as_shown(opened, self.folder / "shown")


def _url(folder: Path) -> str:
    return store_url(str(folder / "billing.db"))


def sheets_as_shown(opened: Any, folder: Path) -> Shown:
    """Every sheet's cells as they show on the screen."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with opened.host.limit("writing what the sheets show"):
        filters = properties(FilterName="Text - txt - csv (StarCalc)", FilterOptions=AS_SHOWN)
        opened.doc.storeToURL((folder / "sheet.csv").as_uri(), filters)
    made = {}
    for sheet in opened.book.sheets:
        with (folder / f"sheet-{sheet.name}.csv").open(encoding="utf-8", newline="") as handle:
            rows = list(csv.reader(handle))
        for row in rows:
            while row and not row[-1]:
                row.pop()
        while rows and not rows[-1]:
            rows.pop()
        made[sheet.name] = rows
    return made


def commonest(findings: pd.DataFrame) -> str:
    """The check that found most, the first by name where several did."""
    counts = findings["rule"].value_counts()
    return str(min(counts.index[counts.eq(counts.max())]))


@dataclass
class Month:
    """The month of one clerk, press by press."""

    clerk: AtLibreOffice | AtTheFile
    district: District
    compared: tuple[str, ...] = ("refresh", "validate", "audit", "close_month")  # sheets are kept after these
    presses: list[Press] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return Store.open(self.clerk.url)

    def press(self, button: str, note: str = "", tables: tuple[str, ...] = ()) -> Press:
        self.clerk.tries(button)
        store = self.store
        counts = {name: store.value(sql) for name, sql in COUNTS.items()}
        store.close()
        made = Press(
            button,
            note,
            str(self.clerk.cell("Message") or ""),
            str(self.clerk.cell("Question") or ""),
            counts,
            {name: self.clerk.cells(name) for name in tables},
            self.clerk.shown() if button in self.compared and not note else {},
        )
        self.presses.append(made)
        return made

    def work(self) -> None:
        """The whole month in its order."""
        self.begin()
        self.take_in_reads()
        self.bill()
        self.collect()
        self.prove()
        self.close()

    def write(self, name: str, content: bytes) -> str:
        (self.clerk.folder / name).write_bytes(content)
        return name

    def begin(self) -> None:
        """Morning: fill the sheets, type a telephone number, look, save, take it back."""
        clerk = self.clerk
        clerk.types_on_start(Period="2026-10")
        clerk.types_on_start(Cycle=self.district.due("2026-10")[0].cycle)
        clerk.types_on_start(StoreUrl="billing.db")
        self.press("refresh", tables=("accounts", "services", "meters"))
        first = clerk.cells("accounts")["account_id"].iloc[0]
        clerk.types_down("accounts", "phone", lambda row: "555-0100" if row["account_id"] == first else None)
        self.press("refresh", "unsaved", ("accounts",))
        self.press("save", "preview", ("accounts",))
        self.press("save", "written", ("accounts",))
        self.press("undo_last", "asked")
        self.press("undo_last", "done", ("accounts",))

    def take_in_reads(self) -> None:
        clerk, run = self.clerk, self.district.due("2026-10")[0]
        self.press("import_reads", "no file named")
        clerk.types_on_start(ReadsFile=self.write("reads.csv", read_file(self.district, run)))
        self.press("import_reads", tables=("reads",))
        self.press("import_reads", "again")
        self.press("validate", tables=("exceptions",))
        self.decide_alike()
        self.decide()
        self.press("reread_list")
        clerk.types_on_start(ReadsFile=self.write("corrected.csv", corrected_read_file(self.district, run)))
        self.press("import_reads", "corrected", ("reads",))
        self.press("validate", "after decisions", ("exceptions",))
        self.leave()
        self.press("save", "rejects: preview")
        self.press("save", "rejects: written", ("rejects",))

    def decide_alike(self) -> None:
        """One decision typed on the dearest finding of the commonest check, given to all of them, and taken back."""
        rows = self.clerk.cells("exceptions")
        first = rows.loc[rows["rule"].eq(commonest(rows)), "exception_id"].iloc[0]
        for column, typed in (("decision", "accept"), ("reason", "Hot and dry")):
            self.clerk.types_down(
                "exceptions", column, lambda row, t=typed: t if row["exception_id"] == first else None
            )
        self.press("decide_alike", "asked")
        self.press("decide_alike", "done", ("exceptions",))
        self.press("undo_last", "alike: asked")
        self.press("undo_last", "alike: done", ("exceptions",))

    def decide(self) -> None:
        """Decisions typed finding by finding, saved after a look."""

        def typed(column: str) -> Callable[[pd.Series[Any]], Any]:
            def of_row(row: pd.Series[Any]) -> Any:
                one = pd.DataFrame({"rule": [row["rule"]], "decision": [""], "reason": [""]})
                return decide(one)[column].iloc[0]

            return of_row

        self.clerk.types_down("exceptions", "decision", typed("decision"))
        self.clerk.types_down("exceptions", "reason", typed("reason"))
        self.leave()
        self.press("save", "decisions: preview")
        self.press("save", "decisions: written", ("exceptions",))

    def leave(self) -> None:
        """The rejected rows left, each with its reason."""
        self.clerk.types_down("rejects", "decision", lambda row: "leave" if row["state"] == "open" else None)
        self.clerk.types_down("rejects", "reason", lambda row: LEFT if row["state"] == "open" else None)

    def bill(self) -> None:
        clerk = self.clerk
        self.press("check_rates")
        self.press("compute", tables=("bills", "bill_services", "bill_lines"))
        clerk.types_on_start(ExplainBill=str(clerk.cells("bill_services")["service_id"].iloc[0]))
        self.press("explain_bill")
        self.press("audit", tables=("audit",))
        self.press("post", "bills: asked")
        self.press("post", "bills: done", ("bills",))
        self.press("print_file")

    def collect(self) -> None:
        clerk, store = self.clerk, self.store
        owed = store.query(
            "account_id amount:int",
            "SELECT account_id, SUM(amount) AS amount FROM journal j JOIN gl_accounts g "
            "ON g.gl_account = j.gl_account WHERE g.role = 'receivable' GROUP BY account_id",
        )
        store.close()
        clerk.types_on_start(PaymentsFile=self.write("payments.csv", payments_file(owed, "2026-10")))
        self.press("import_payments", tables=("payments",))
        self.press("post", "receipts: asked")
        self.press("post", "receipts: done", ("payments",))
        bills = clerk.cells("bills")
        revenue = self.district.gl_accounts.loc[self.district.gl_accounts["role"].eq("revenue"), "gl_account"].iloc[0]
        leak = {"kind": "adjust", "gl_account": revenue, "reason": "Leak repaired; credit under the leak policy"}
        rows = [
            leak | {"document": bills["number"].iloc[n], "account_id": bills["account_id"].iloc[n], "amount": amount}
            for n, amount in enumerate((-12.5, -7.25))
        ]
        for row in rows:
            clerk.types("adjustments", row)
        self.press("adjust", "asked")
        self.press("adjust", tables=("adjustments",))
        self.press("post", "adjustments: asked")
        self.press("post", "adjustments: done", ("adjustments",))
        receipt = clerk.cells("payments")["payment_id"].iloc[0]
        clerk.types("adjustments", {"kind": "reverse", "document": receipt, "reason": "Returned by the bank"})
        self.press("reverse", "asked")
        self.press("reverse", "done", ("adjustments", "payments"))

    def prove(self) -> None:
        store = self.store
        tables = [store.table(name) for name in ("entries", "journal", "gl_accounts")]
        store.close()
        self.clerk.types_on_start(LedgerFile=self.write("ledger.csv", gl_export(*tables, "2026-10")))
        self.press("import_ledger", tables=("gl",))
        self.press("reconcile", tables=("reconcile",))
        self.press("report_pack")

    def close(self) -> None:
        self.press("checklist", tables=("close",))
        self.press("close_month", "not ready")
        self.clerk.types_down(
            "close", "signed_reason", lambda row: "Accounting corrects it" if row["state"] == "open" else None
        )
        self.press("save", "signatures: preview")
        self.press("save", "signatures: written", ("close",))
        self.press("close_month", "asked")
        self.press("close_month", tables=("cycles", "log"))
        self.press("about")


def office(folder: Path) -> District:
    """A folder with the built workbook and a store that holds the sample district."""
    district = sample_district(200)
    as_of = write_old_system(district, folder / "old-system")
    convert(folder / "old-system", store_url(str(folder / "billing.db")), ACTOR, district.period, as_of)
    build_workbook(folder / "billing.xlsm")
    return district


def still_clock(patch: pytest.MonkeyPatch) -> None:
    """One moment for the whole month, so that two runs of it are the same to the last seal."""
    patch.setattr("xlbilling.store.store._now", lambda: NOW)
    patch.setenv("XLBILLING_ACTOR", ACTOR)
