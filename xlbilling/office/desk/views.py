"""Views: what several rooms of the office ask the store: balances, last reads, where runs stand, a run's bills."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.months import Months
from xlbilling.store.schema import columns_of
from xlbilling.store.views import view as declare_view
from xlbilling.trade.documents import KINDS, DocumentKind
from xlbilling.trade.reads.units import millionths
from xlbilling.words.states import CURRENT, DRAFT, HELD, OPEN, POSTED


def balances(desk: Desk) -> pd.DataFrame:
    """What each account owes: receivable lines summed; columns account_id, amount. Refuses unless one control account is named."""
    desk.receivable()
    return desk.store.view("owed")


declare_view(
    "meters_of_cycle",
    columns_of("meters"),
    "SELECT m.* FROM meters m JOIN services s ON s.service_id = m.service_id WHERE s.cycle = :cycle "
    "ORDER BY m.meter_id, m.register_id",
)
declare_view(
    "billed_reads_of_cycle",
    "meter_id register_id read_date:day dial_read read_code as_read read_value:int?",
    "SELECT r.meter_id, r.register_id, r.read_date, r.dial_read, r.read_code, f.dial_read AS as_read, f.read_value "
    "FROM bill_reads r JOIN standing b ON b.number = r.number AND b.service_id = r.service_id JOIN services s ON s.service_id = b.service_id "
    "LEFT JOIN reads f ON f.read_id = r.read_id WHERE s.cycle = :cycle ORDER BY r.read_date",
)


def last_reads(desk: Desk, cycle: str) -> pd.DataFrame:
    """Each register's last billed read, or the read it started with, and its last billed read that was no estimate.

    Adds to the rows of Meters previous_date, previous_read, previous_value (millionths), previous_code (of the billed
    read; blank where none is billed), and actual_date, actual_read, actual_value.
    """
    meters = desk.store.view("meters_of_cycle", cycle=cycle)
    billed = desk.store.view("billed_reads_of_cycle", cycle=cycle)
    made = _latest(meters, billed, "previous")
    made["previous_code"] = made["previous_code"].fillna("")
    return _latest(made, billed.loc[billed["read_code"].ne("estimated")], "actual").drop(columns="actual_code")


def _latest(meters: pd.DataFrame, billed: pd.DataFrame, name: str) -> pd.DataFrame:
    """Lay the latest of the billed reads beside each register, or what it started with, as columns that begin so."""
    last = billed.drop_duplicates(["meter_id", "register_id"], keep="last")
    merged = meters.merge(last, on=["meter_id", "register_id"], how="left")
    never = merged["dial_read"].isna()
    began = merged["start_date"].fillna(merged["set_on"])
    dial = merged["dial_read"].where(~never, merged["start_read"]).fillna("")
    # What a reading system counts in tenths or tens is in the read's value, not on the dial as it was sent.
    as_sent = merged["as_read"].eq(merged["dial_read"]) & merged["read_value"].notna()
    value = np.array([millionths(text or "0") for text in dial], dtype=np.int64)
    beside: dict[str, pd.Series[Any]] = {
        f"{name}_date": merged["read_date"].where(~never, began),
        f"{name}_read": dial,
        f"{name}_value": merged["read_value"].astype("Int64").where(as_sent, pd.Series(value)).astype("int64"),
        f"{name}_code": merged["read_code"],
    }
    return meters.assign(**beside)


declare_view(
    "ledger_balances",
    "gl_account amount:int",
    "SELECT gl_account, SUM(amount) AS amount FROM journal GROUP BY gl_account",
)


declare_view(
    "run_states",
    "cycle period services:int billed:int held:int state",
    """
    SELECT c.cycle, c.period,
      (SELECT COUNT(*) FROM services s WHERE s.cycle = c.cycle AND s.status = 'active') AS services,
      (SELECT COUNT(*) FROM standing b WHERE b.cycle = c.cycle AND b.period = c.period) AS billed,
      (SELECT COUNT(*) FROM draft_services d JOIN draft_bills b ON b.bill_key = d.bill_key
        WHERE b.cycle = c.cycle AND b.period = c.period AND b.state = :held) AS held,
      CASE
        WHEN EXISTS (SELECT 1 FROM draft_bills d WHERE d.cycle = c.cycle AND d.period = c.period AND d.state = :draft)
          THEN :computed
        WHEN EXISTS (SELECT 1 FROM bills b WHERE b.cycle = c.cycle AND b.period = c.period) THEN :posted
        WHEN EXISTS (SELECT 1 FROM reads r WHERE r.cycle = c.cycle AND r.period = c.period AND r.state = :current)
          THEN :reads_in
        ELSE :waiting END AS state
    FROM cycles c ORDER BY c.period, c.cycle
    """,
    held=HELD,
    draft=DRAFT,
    current=CURRENT,
)


def run_states(desk: Desk) -> pd.DataFrame:
    """Where each run stands, in services: cycle, period, services, billed, held (itself, or with its bill), state."""
    return desk.store.view("run_states")


# Of a finding e: its service is not left out of the run's bills, so that what it says still holds one.
STILL_HOLDS: Final = (
    "NOT EXISTS (SELECT 1 FROM left_out o WHERE o.cycle = e.cycle AND o.period = e.period "
    "AND o.service_id = e.service_id AND o.decision <> '')"
)
# Bills of the cycle: the run's own, and those of its earlier runs that were billed anew in this month (A of 2026-10).
OF_CYCLE: Final = "(b.cycle = :c OR b.cycle LIKE :c || ' of ____-__')"


declare_view(
    "bills_of_run",
    {**columns_of("bills"), "reversed": ""},
    "SELECT b.*, COALESCE(r.reversed_by, '') AS reversed FROM bills b LEFT JOIN reversals r ON r.document = b.number "  # noqa: S608
    f"WHERE {OF_CYCLE} AND b.period = :p ORDER BY b.number",
)


def run_bills(desk: Desk) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The run's drafts, and its posted bills with `reversed` (the document that reversed it, or blank)."""
    drafts = desk.store.table("draft_bills", "cycle = :c AND period = :p", **desk.chosen)
    return drafts, desk.store.view("bills_of_run", **desk.chosen)


_SECTION: Final = {name: sort for name, sort in columns_of("draft_services").items() if name != "bill_key"}
declare_view(
    "sections_of_run",
    {"bill_key": "", "number": "", "account_id": "", **_SECTION},
    "SELECT * FROM (SELECT d.bill_key, '' AS number, b.account_id, "  # noqa: S608
    + ", ".join(f"d.{name}" for name in _SECTION)
    + " FROM draft_services d JOIN draft_bills b ON b.bill_key = d.bill_key WHERE b.cycle = :c AND b.period = :p "
    "UNION ALL SELECT b.bill_key, b.number, b.account_id, "
    + ", ".join(f"s.{name}" for name in _SECTION if name not in ("state", "why"))
    + ", CASE WHEN r.document IS NULL THEN :posted ELSE 'reversed' END, '' FROM bills b JOIN bill_services s ON s.number = b.number "
    f"LEFT JOIN reversals r ON r.document = b.number WHERE {OF_CYCLE} AND b.period = :p) s ORDER BY number, bill_key, service_id",
    posted=POSTED,
)


def run_sections(desk: Desk) -> pd.DataFrame:
    """The services on the run's drafts and posted bills, one a row; `section` names the row."""
    made = desk.store.view("sections_of_run", **desk.chosen)
    return made.assign(section=(made["service_id"] + " " + made["number"]).str.strip())


_LINE: Final = {name: sort for name, sort in columns_of("draft_lines").items() if name != "bill_key"}
declare_view(
    "draft_lines_of_run",
    {"bill_key": "", **_LINE},
    "SELECT l.* FROM draft_lines l JOIN draft_bills b ON b.bill_key = l.bill_key "
    "WHERE b.cycle = :c AND b.period = :p ORDER BY l.bill_key, l.line",
)
declare_view(
    "bill_lines_of_run",
    {"bill_key": "", "number": "", **_LINE},
    "SELECT b.bill_key, l.* FROM bill_lines l JOIN bills b ON b.number = l.number "  # noqa: S608
    f"WHERE {OF_CYCLE} AND b.period = :p ORDER BY l.number, l.line",
)


declare_view("last_events", columns_of("events"), "SELECT * FROM events ORDER BY event DESC LIMIT 500")

for _kind in KINDS:
    declare_view(
        f"waiting {_kind.words}",
        "count:int amount:int",
        f"SELECT COUNT(*) AS count, COALESCE(SUM(amount), 0) AS amount FROM {_kind.waits_in} "  # noqa: S608
        f"WHERE {_kind.waiting} AND period BETWEEN :first AND :last",
    )


def what_waits(desk: Desk, kind: DocumentKind, first: str = "", last: str = "9999") -> tuple[int, int]:
    """How many documents of a kind wait to be posted in these months, and their cents."""
    one = desk.store.view(f"waiting {kind.words}", first=first, last=last).iloc[0]
    return int(one["count"]), int(one["amount"])


def unposted(desk: Desk, *, last: str = "9999", drafts: bool = True) -> list[str]:
    """What waits to be posted up to a month, each kind in words with the button that posts it; blank where nothing does.

    Documents of a month that was closed around them are told apart: they post on the first open day.
    """
    first, said = Months.of(desk.store).first_open, []
    for kind in KINDS:
        count = what_waits(desk, kind, last=last)[0] if drafts or not kind.drafts else 0
        late = what_waits(desk, kind, last=str(first.plus(-1)))[0] if count and first else 0
        of_closed = f", {late} of a closed month, which it takes on the first open day" if late else ""
        said += [f"{count} {kind.waiting_words} (press {kind.button}{of_closed})"] if count else []
    return said


_REJECTS: Final = "SELECT r.*, i.file_name FROM payment_rejects r JOIN imports i ON i.import_id = r.import_id "
_OF_REJECTS: Final = {**columns_of("payment_rejects"), "file_name": ""}
# A row counts in the month its file was taken in, one decided later in the month it was decided in.
_REJECTED_BY: Final = "i.state = :current AND (r.period = :p OR (r.state = :open AND r.period < :p))"
declare_view(
    "payment_rejects_of_period",
    _OF_REJECTS,
    f"{_REJECTS} WHERE {_REJECTED_BY} ORDER BY CASE r.state WHEN :open THEN 0 ELSE 1 END, r.import_id, r.source_line",
    current=CURRENT,
    open=OPEN,
)
declare_view("payment_rejects_elsewhere", _OF_REJECTS, f"{_REJECTS} WHERE i.state = :current", current=CURRENT)
declare_view("payment_rejects_withdrawn", _OF_REJECTS, f"{_REJECTS} WHERE i.state <> :current", current=CURRENT)
declare_view(
    "payment_rejects_open",
    "count:int amount:int unread:int",
    "SELECT COUNT(*) AS count, COALESCE(SUM(r.amount), 0) AS amount, COUNT(*) - COUNT(r.amount) AS unread "  # noqa: S608
    f"FROM payment_rejects r JOIN imports i ON i.import_id = r.import_id WHERE {_REJECTED_BY} AND r.state = :open",
    current=CURRENT,
    open=OPEN,
)


def open_payment_rejects(desk: Desk) -> tuple[int, int, int]:
    """Rejected payments nobody has taken or left up to the period: how many, their cents, and amounts not readable."""
    one = desk.store.view("payment_rejects_open", p=str(desk.period)).iloc[0]
    return int(one["count"]), int(one["amount"]), int(one["unread"])
