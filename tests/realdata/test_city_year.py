"""A real city's year of 2014, billed, posted, audited and closed month by month, tied out to the cent."""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.realdata import city as real
from xlbilling.demo.clerk import Clerk, Rows
from xlbilling.maker import build_workbook
from xlbilling.office.actions import open_desk, perform
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import SURFACES, view
from xlbilling.store import Store
from xlbilling.store.verify import verify
from xlbilling.words.records import TABLE
from xlbilling.workbook.file.recalculation import application
from xlbilling.workbook.none import NoWorkbook

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.skipif(not real.CONSUMPTION.exists(), reason="the real consumption data is not in ../shared/data"),
]
ACTOR = "lead"
INJECTED_MONTH = 5


class Office:
    """The city's office: one workbook, its buttons pressed month after month."""

    def __init__(self, folder: Path, city: real.City):
        self.folder, self.city = folder, city
        self.period, self.cycle = f"{real.YEAR}-01", "ODD"
        self.url = f"sqlite:///{folder / 'billing.db'}"
        real.open_office(city, self.url, ACTOR).close()
        build_workbook(folder / "built.xlsm")
        shutil.copy(folder / "built.xlsm", folder / "billing.xlsm")
        self.clerk = Clerk.at_file(folder / "billing.xlsm", ACTOR, self.url)

    def press(self, button: str, alone: bool = False, **cells: str) -> Outcome:
        """Press a button on the workbook, or `alone` on the store as at night, when nobody looks at sheets."""
        chosen = {"Period": self.period, "Cycle": self.cycle, "StoreUrl": "billing.db"} | cells
        if not alone:
            return self.clerk.presses(button, **chosen)
        book = NoWorkbook(self.folder, chosen)
        outcome = perform(button, lambda: open_desk(book, ACTOR, self.folder), book)
        assert isinstance(outcome, Outcome), f"{button}: {outcome}"
        return outcome

    def audit(self, alone: bool) -> Outcome:
        """Audit on the workbook; `alone` on a fresh one that shows the run and nothing else, which opens sooner."""
        if alone:
            shutil.copy(self.folder / "built.xlsm", self.folder / "billing.xlsm")
        return self.press("audit", **({"ChainHead": f"0 0 (sheets: {self.cycle} {self.period})"} if alone else {}))

    def types(self, table: str, typing: Rows, alone: bool) -> bool:
        """Type on a sheet and save; `alone` as Save writes it, without the sheet. Whether anything was typed."""
        if not alone:
            before = self.clerk.sees(table)
            self.clerk.works_through(table, typing)
            self.press("save")
            return not typing(before).equals(before)
        store = self.store()
        desk = Desk(NoWorkbook(self.folder, {"Period": self.period, "Cycle": self.cycle}), store, ACTOR, self.folder)
        before = view(desk, table)
        typed = typing(before)
        names = TABLE[table].names("typed")
        moved = typed[names].ne(before[names]).any(axis=1).to_numpy()
        if moved.any():
            with store.work(ACTOR, "save") as work:
                change = Changes(table, typed.iloc[:0], typed.loc[moved], before.loc[moved])
                SURFACES[table].write(desk.within(work), work, change)
        store.close()
        return bool(moved.any())

    def store(self) -> Store:
        return Store.open(self.url)


def decided(findings: pd.DataFrame) -> pd.DataFrame:
    """The findings with a decision on each that holds a bill and has none."""
    open_ = findings["severity"].eq("block") & findings["decision"].eq("")
    return findings.assign(
        decision=findings["decision"].mask(open_, findings["rule"].map(DECISIONS)),
        reason=findings["reason"].mask(open_, "looked at; see the route sheet"),
    )


def left_out(sections: pd.DataFrame) -> pd.DataFrame:
    """Services without a read left out where they keep others of their account from being billed."""
    waits = sections["account_id"].isin(sections.loc[sections["state"].eq("waits"), "account_id"])
    holds = waits & sections["state"].eq("held") & sections["decision"].eq("")
    return sections.assign(
        decision=sections["decision"].mask(holds, "leave out"),
        reason=sections["reason"].mask(holds, "no read; billed with the next one"),
    )


def signed(items: pd.DataFrame) -> pd.DataFrame:
    """What stays open on the checklist, signed."""
    still = items["state"].eq("open")
    return items.assign(signed_reason=items["signed_reason"].mask(still, "bills wait for a read"))


def expected_cents(customer_class: str, ccf: int) -> int:
    """The published tiers applied to one two-month bill, exactly: each tier's units times its price, half-up to the cent."""
    starts, prices = real.TIERS[customer_class]
    ends = [start - 1 for start in starts[1:]] + [None]
    cents, below = 0, 0
    for end, price in zip(ends, prices, strict=True):
        units = max(ccf - below if end is None else min(ccf, end) - below, 0)
        exact = units * Fraction(price) * 100
        cents += int(exact + Fraction(1, 2))
        below += units
    return cents


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    """The year as it was worked: twelve months imported, checked, decided, billed, audited, posted and closed."""
    made = Office(tmp_path_factory.mktemp("city"), real.load())
    made.press_year = {month: run_month(made, month) for month in range(1, MONTHS + 1)}  # type: ignore[attr-defined]
    return made


MONTHS = 12


def run_month(office: Office, month: int) -> dict[str, str]:
    """One month from the read file to the close; what each button said.

    January and the month of the impossible read are worked on the sheets; the others on the store alone, as at night,
    and audited on a sheet of their own.
    """
    city, injected = office.city, month == INJECTED_MONTH
    office.period, office.cycle = f"{real.YEAR}-{month:02d}", "EVEN" if month % 2 == 0 else "ODD"
    alone = not injected and month != 1
    store = office.store()
    real.choose_cycles(store, city, month, ACTOR)
    store.close()
    victim, name = _victim(city), f"reads-{month:02d}.csv"
    (office.folder / name).write_bytes(real.read_file(city, month, {victim: real.IMPOSSIBLE_CCF} if injected else None))
    said = {"import": office.press("import_reads", alone, ReadsFile=name).said}
    said["validate"] = office.press("validate", alone).said
    if injected:
        _injected_read_is_held(office, victim, office.period)
        (office.folder / f"again-{name}").write_bytes(real.read_file(city, month))
        said["again"] = office.press("import_reads", ReadsFile=f"again-{name}").said
        office.press("validate")
    office.types("exceptions", decided, alone)
    said["compute"] = office.press("compute", alone).said
    if office.types("bill_services", left_out, alone):
        said["compute"] = office.press("compute", alone).said
    said["audit"] = office.audit(alone).said
    said["post"] = office.press("post", alone).said
    _export_ledger(office, office.period)
    office.press("import_ledger", alone, LedgerFile=f"gl-{office.period}.csv")
    said["reconcile"] = office.press("reconcile", alone).said
    said["report"] = office.press("report_pack", alone).said
    office.press("checklist", alone)
    office.types("close", signed, True)
    said["close"] = office.press("close_month", True).said
    return said


DECISIONS = {
    "missing_read": "reread",
    "spike": "accept",
    "first_read_high": "accept",
    "implied_decimals": "accept",
    "days": "accept",
    "outside_window": "accept",
    "rollover": "accept",
}


def _victim(city: real.City) -> str:
    """A house with one meter that is read every odd month."""
    steady = city.read[[1, 3, 5, 7]].all(axis=1)
    houses = city.services.loc[city.services["customer_class"].eq("RESIDENTIAL_SINGLE"), "service_id"]
    one_meter = city.meters["service_id"].value_counts().eq(1)
    return city.meters.loc[
        city.meters["service_id"].isin(houses)
        & city.meters["service_id"].map(steady)
        & city.meters["service_id"].map(one_meter),
        "meter_id",
    ].iloc[0]


def _injected_read_is_held(office: Office, meter_id: str, period: str) -> None:
    """The impossible read is found as a spike and holds its bill, and its bill alone."""
    store = office.store()
    found = store.table("exceptions", "period = :p AND meter_id = :m", p=period, m=meter_id)
    store.close()
    assert "spike" in set(found["rule"])
    assert set(found.loc[found["rule"].eq("spike"), "severity"]) == {"block"}
    assert "421," in found.loc[found["rule"].eq("spike"), "fact"].iloc[0]


def _export_ledger(office: Office, period: str) -> None:
    """Accounting's export: one row a batch and account, as it was sent to them."""
    store = office.store()
    lines = store.query(
        "post_date:day batch gl_account amount:int",
        "SELECT e.post_date, e.batch, j.gl_account, CAST(SUM(j.amount) AS BIGINT) AS amount FROM journal j "
        "JOIN entries e ON e.entry = j.entry WHERE e.period = :p GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        p=period,
    )
    store.close()
    rows = ["Date,Account,Account Name,Reference,Description,Debit,Credit"]
    for line in lines.itertuples():
        debit, credit = (line.amount, 0) if line.amount > 0 else (0, -line.amount)
        rows.append(
            f"{line.post_date:%Y-%m-%d},{line.gl_account},x,{line.batch},UB Billing,{debit / 100:.2f},{credit / 100:.2f}"
        )
    (office.folder / f"gl-{period}.csv").write_text("\n".join(rows) + "\n")


def test_every_bill_is_the_published_tiers_on_the_sum_of_its_meters(office: Office) -> None:
    store = office.store()
    bills = store.table("bill_services")
    city = office.city
    by_service = city.used.groupby(city.meters.set_index("meter_id")["service_id"]).sum()
    wrong = [
        (bill.number, bill.amount)
        for bill in bills.itertuples()
        if bill.consumption != int(by_service.loc[bill.service_id, bill.service_to.month]) * 1_000_000
        or bill.amount != expected_cents(bill.customer_class, bill.consumption // 1_000_000)
    ]
    assert wrong == []
    read = sum(len(city.due(month)) for month in range(1, MONTHS + 1))
    assert len(bills) == read, f"{read} services were read and {len(bills)} billed"


def test_bills_journal_report_pack_and_audit_tie_out(office: Office) -> None:
    store = office.store()
    assert verify(store) == []
    for month in range(1, MONTHS + 1):
        period = f"{real.YEAR}-{month:02d}"
        billed = store.value("SELECT SUM(amount) FROM bills WHERE period = :p", p=period)
        lines = store.value(
            "SELECT SUM(l.amount) FROM bill_lines l JOIN bills b ON b.number = l.number WHERE b.period = :p", p=period
        )
        posted = store.value(
            "SELECT SUM(j.amount) FROM journal j JOIN entries e ON e.entry = j.entry WHERE e.period = :p AND j.gl_account = :a",
            p=period,
            a=real.RECEIVABLE,
        )
        pack = openpyxl.load_workbook(office.folder / f"report-pack-{period}.xlsx", data_only=True)
        register = pack["Billing register"]
        reported = _column_total(register, "Amount")
        assert billed == lines == posted == reported
        if application():
            assert (
                store.value("SELECT state FROM audits WHERE period = :p ORDER BY audit_id DESC LIMIT 1", p=period)
                == "green"
            )
            assert f"{billed / 100:,.2f}" in office.press_year[month]["audit"]  # type: ignore[attr-defined]


def _column_total(sheet: object, title: str) -> int:
    """The sum of a column of the sheet's table, in cents."""
    rows = list(sheet.iter_rows(values_only=True))  # type: ignore[attr-defined]
    head = next(n for n, row in enumerate(rows) if title in row)
    at = rows[head].index(title)
    return round(sum(row[at] for row in rows[head + 1 :] if isinstance(row[at], int | float)) * 100)


def test_every_month_is_closed_and_reconciled(office: Office) -> None:
    store = office.store()
    periods = store.table("periods")
    assert (periods["state"] == "closed").sum() == MONTHS
    assert all("difference 0.00" in said["reconcile"] for said in office.press_year.values())  # type: ignore[attr-defined]


def test_the_desk_stays_workable(office: Office) -> None:
    """High and low trip on about 8 % of bills; what holds a bill stays under 3 % in any month with history."""
    store = office.store()
    found = store.query(
        "period rule severity count:int",
        "SELECT period, rule, severity, COUNT(*) AS count FROM exceptions GROUP BY period, rule, severity",
    )
    bills = store.query("period count:int", "SELECT period, COUNT(*) AS count FROM bills GROUP BY period").set_index(
        "period"
    )["count"]
    later = [f"{real.YEAR}-{month:02d}" for month in range(3, MONTHS + 1)]
    for period in later:
        of = found.loc[found["period"].eq(period)]
        looks = of.loc[of["rule"].isin(["high", "low"]), "count"].sum()
        # a month without a row of a customer is a missing read, and the next one's bill is of twice the days
        holds = of.loc[of["severity"].eq("block") & ~of["rule"].isin(["missing_read", "days"]), "count"].sum()
        assert looks < 0.2 * bills[period], period
        assert holds < 0.03 * bills[period], period
