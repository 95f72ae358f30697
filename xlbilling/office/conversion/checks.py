"""What must hold before an old system's tables become books: keys, references, dials, history, balances and totals."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.files.listing import folded
from xlbilling.office.conversion.old_system import OldSystem, OldTable
from xlbilling.office.desk.comparing import KEY_TWICE
from xlbilling.office.desk.policy import aging_buckets
from xlbilling.trade.aging import age, bucket_names
from xlbilling.trade.journal import NO_ROLE
from xlbilling.trade.reads import Rules
from xlbilling.trade.tariffs import rate_book
from xlbilling.trade.tariffs.columns import NEVER_BILLED
from xlbilling.trade.tariffs.lint import lint_rates
from xlbilling.words.exact import parse_decimal
from xlbilling.words.money import dollars
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Kind, Place, Problem, declare
from xlbilling.words.zeros import lost_zeros, told
from xlbilling.workbook.port import row_keys

UNKNOWN_REFERENCE: Final = declare(
    "unknown_reference",
    "A row names something that is in none of the tables.",
    "Correct the name (leading zeros count), or give the row it names.",
)
RUN_WRONG: Final = declare(
    "run_wrong",
    "A billing run's period or dates cannot be.",
    "Write the period as 2026-11; the dates go reads from, reads to and bill date, due, delinquent.",
)
LAST_READ_WRONG: Final = declare(
    "last_read_wrong",
    "A register cannot be taken over with its last read as it is given.",
    "Give the dial and day of the last billed read, and the register's dials and multiplier, as they are.",
)
HISTORY_WRONG: Final = declare(
    "history_wrong",
    "The days of a service's history overlap, run backwards, or reach past its last read.",
    "Give each service period once, from the day of one read to the day of the next.",
)
BALANCE_WRONG: Final = declare(
    "balance_wrong",
    "An opening balance cannot be taken over as it is given.",
    "Correct the row; docs/convert.md says what each column holds.",
)
UNTIED: Final = declare(
    "conversion_untied",
    "The opening balances do not come to the old system's own totals.",
    "Find the difference in the old system and give the tables anew; the books stay shut until every total agrees.",
)
CONTROL_ROLES: Final = ("receivable", "deposits")
MOST_DIALS: Final = 12
_OWN_NUMBER: Final = re.compile(r"[A-Z]{1,2}[0-9]{7}")


def faults(old: OldSystem, rules: Rules, period: AccountingPeriod, as_of: dt.date) -> list[Problem]:
    """Everything in the tables that keeps the books shut, each with its line; empty where all holds."""
    found: list[Problem] = []
    for check in (_keys, _references, _roles, _rates, _meters, _history):
        found += check(old)
    return [*found, *_runs(old, period), *_last_days(old, as_of), *_balances(old, rules, as_of)]


def _each(table: OldTable, wrong: Any, kind: Kind, column: str, fact: Callable[[Any], str]) -> list[Problem]:
    """One problem for each row of the table where the mask holds."""
    rows = np.flatnonzero(np.asarray(wrong, dtype=bool))
    named = table.frame.iloc[rows].itertuples(index=False)
    return [kind.at(table.place(int(at), column), fact(row)) for at, row in zip(rows, named, strict=True)]


def _keys(old: OldSystem) -> Iterator[Problem]:
    """Every key of every table once; balances may have several rows a document."""
    for name, table in old.tables.items():
        if name != "balances":
            keys = pd.Series(row_keys(table.table, table.frame), dtype="str")
            for at in np.flatnonzero(keys.duplicated()):
                yield KEY_TWICE.at(table.place(int(at), table.table.key[0]), f"{name} has {keys.iloc[at]} twice")


_REFERENCES: Final = (
    ("services", "account_id", "accounts"),
    ("meters", "service_id", "services"),
    ("rates", "gl_account", "gl_accounts"),
    ("history", "service_id", "services"),
    ("balances", "account_id", "accounts"),
    ("balances", "gl_account", "gl_accounts"),
    ("old_gl", "gl_account", "gl_accounts"),
)


def _references(old: OldSystem) -> Iterator[Problem]:
    """Every account, service and ledger account that a row names is there; a printed charge has its ledger account."""
    for name, column, target in _REFERENCES:
        table = old.tables[name]
        named = table.frame[column]
        known = named.isin(old[target][column])
        if name == "balances" and column == "gl_account":
            known |= named.eq("")
        elif name == "rates":
            printed = ~table.frame["kind"].isin(NEVER_BILLED) & table.frame["on_bill"].ne("no")
            known |= named.eq("") & ~printed
        lost = lost_zeros(named[~known], old[target][column])
        facts = {
            text: f"{text!r} is not in {target}" + (f"; {told(lost[text], 'there')}" if text in lost else "")
            for text in named[~known]
        }
        yield from _each(table, ~known, UNKNOWN_REFERENCE, column, lambda row: facts[getattr(row, column)])  # noqa: B023


def _roles(old: OldSystem) -> Iterator[Problem]:
    """One control account of receivables, one for cash, one the opening entries stand against; deposits at most one."""
    table = old.tables["gl_accounts"]
    for role, most in (("receivable", 1), ("cash", 1), ("opening", 1), ("deposits", None)):
        count = int(table.frame["role"].eq(role).sum())
        if count > 1 or (most and not count):
            yield NO_ROLE.at(Place("gl_accounts", role, "role", table.file), f"{count} accounts have the role {role}")


def _rates(old: OldSystem) -> Iterator[Problem]:
    """Every rate row can be used, and every active service's rate schedule and class are there."""
    table = old.tables["rates"]
    book, problems = rate_book(table.frame)
    lines = dict(zip(table.frame["rate_id"], range(len(table.frame)), strict=True))
    for problem in problems:
        row = lines.get(problem.place.key)
        if problem.severity == "block":
            yield problem if row is None else problem.on(table.place(row, problem.place.column))
    services = old.tables["services"]
    pairs = zip(services.frame["tariff"], services.frame["customer_class"], strict=True)
    known = np.array([pair in book.schedules or pair in book.unusable for pair in pairs], dtype=bool)
    active = services.frame["status"].eq("active").to_numpy()
    yield from _each(
        services, active & ~known, UNKNOWN_REFERENCE, "tariff",
        lambda row: f"rate schedule {row.tariff!r} with class {row.customer_class!r} is not in rates",
    )  # fmt: skip


def rates_to_mend(old: OldSystem) -> Iterator[Problem]:
    """What holds bills though every rate row can be used: days without a price, tiers and keys that a new version lacks."""
    table = old.tables["rates"]
    lines = dict(zip(table.frame["rate_id"], range(len(table.frame)), strict=True))
    for problem in lint_rates(table.frame):
        if problem.severity == "block" and problem.place.key in lines:
            yield problem.on(table.place(lines[problem.place.key], problem.place.column))


def _runs(old: OldSystem, period: AccountingPeriod) -> Iterator[Problem]:
    """Each run's period and dates can be, and each active service's cycle has a run from the opening period on."""
    table = old.tables["cycles"]
    runs = table.frame
    readable = np.array([_period(text) is not None for text in runs["period"]], dtype=bool)
    yield from _each(table, ~readable, RUN_WRONG, "period", lambda row: f"{row.period!r} is no month")
    ordered = (
        runs["read_from"].le(runs["read_to"])
        & runs["bill_date"].le(runs["due_date"])
        & runs["due_date"].le(runs["delinquent_date"])
    )
    yield from _each(table, ~ordered, RUN_WRONG, "read_from", lambda row: f"cycle {row.cycle}: dates out of order")
    coming = runs.loc[readable & runs["period"].ge(str(period)).to_numpy(), "cycle"]
    services = old.tables["services"]
    stranded = services.frame["status"].eq("active") & ~services.frame["cycle"].isin(coming)
    yield from _each(
        services, stranded, UNKNOWN_REFERENCE, "cycle", lambda row: f"cycle {row.cycle!r} has no run from {period} on"
    )


def _period(text: str) -> AccountingPeriod | None:
    try:
        return AccountingPeriod.parse(text)
    except ValueError:
        return None


def _meters(old: OldSystem) -> Iterator[Problem]:
    """The dials hold the last read; an active register has a last read and its day."""
    table = old.tables["meters"]
    rows = table.frame
    for at, (dials, read, factor, day, status) in enumerate(
        zip(rows["dials"], rows["start_read"], rows["multiplier"], rows["start_date"], rows["status"], strict=True)
    ):
        fact, column = _register_fault(int(dials), read, factor)
        if not fact and status == "active" and pd.isna(day):
            fact, column = "the day of the last read is blank", "start_date"
        if fact:
            yield LAST_READ_WRONG.at(table.place(at, column), fact)


def _register_fault(dials: int, read: str, multiplier: str) -> tuple[str, str]:
    """What is wrong with a register's dials, last read or multiplier, and its column; blank where nothing is."""
    if not 1 <= dials <= MOST_DIALS:
        return f"{dials} dials; there are 1 to {MOST_DIALS}", "dials"
    value = parse_decimal(read)
    if value is None or value < 0 or (value * 10**6).denominator != 1:
        return f"the last read is {read!r}, not a dial value", "start_read"
    if value >= 10**dials:
        return f"the last read {read} does not fit on {dials} dials", "start_read"
    factor = parse_decimal(multiplier)
    if factor is None or factor <= 0:
        return f"the multiplier is {multiplier!r}", "multiplier"
    return "", ""


def _history(old: OldSystem) -> Iterator[Problem]:
    """Service periods follow one another, and none reaches past the last read the service is taken over with."""
    table = old.tables["history"]
    rows = table.frame.assign(at=range(len(table.frame))).sort_values(["service_id", "service_to"], kind="stable")
    backwards = ~rows["service_from"].lt(rows["service_to"])
    before = rows.groupby("service_id")["service_to"].shift()
    overlaps = rows["service_from"].lt(before)
    taken = old["meters"].loc[old["meters"]["status"].eq("active")].groupby("service_id")["start_date"].min()
    past = rows["service_to"].gt(rows["service_id"].map(taken))
    for mask, fact in (
        (backwards, "ends {to:%Y-%m-%d}, on or before the day it begins"),
        (overlaps & ~backwards, "begins {begin:%Y-%m-%d}, before the period ahead of it ends"),
        (past & ~backwards & ~overlaps, "ends {to:%Y-%m-%d}, after the last read the service is taken over with"),
    ):
        for row in rows.loc[mask].to_dict("records"):
            said = fact.format(to=row["service_to"], begin=row["service_from"])
            yield HISTORY_WRONG.at(table.place(int(row["at"]), "service_to"), f"service {row['service_id']}: {said}")


def _last_days(old: OldSystem, as_of: dt.date) -> Iterator[Problem]:
    """No last read is later than the day of the conversion."""
    table = old.tables["meters"]
    late = table.frame["start_date"].gt(pd.Timestamp(as_of))
    yield from _each(
        table,
        late,
        LAST_READ_WRONG,
        "start_date",
        lambda row: f"the last read is of {row.start_date:%Y-%m-%d}, after {as_of}",
    )


def _balances(old: OldSystem, rules: Rules, as_of: dt.date) -> Iterator[Problem]:
    """Each balance stands in a control account, under a document with one date that is no number of ours."""
    table = old.tables["balances"]
    rows = table.frame
    yield from _each(
        table, rows["gl_account"].eq("") & rows["charge"].eq(""), BALANCE_WRONG, "gl_account",
        lambda _: "neither GL account nor charge is given",
    )  # fmt: skip
    accounts = old["gl_accounts"]
    for name in ("balances", "old_gl"):
        listed = old[name]["gl_account"]
        control = listed.isin(accounts.loc[accounts["role"].isin(CONTROL_ROLES), "gl_account"])
        yield from _each(
            old.tables[name], listed.isin(accounts["gl_account"]) & ~control, BALANCE_WRONG, "gl_account",
            lambda row: f"{row.gl_account} is not the receivable or the deposits account",
        )  # fmt: skip
    days = rows.groupby(["account_id", "document"])["date"].transform("nunique")
    yield from _each(table, days.gt(1), BALANCE_WRONG, "date", lambda row: f"document {row.document} has several dates")
    ours = rows["document"].map(lambda text: _OWN_NUMBER.fullmatch(text) is not None)
    yield from _each(
        table, ours, BALANCE_WRONG, "document",
        lambda row: f"{row.document} could be taken for a number this store will give; put a word before it",
    )  # fmt: skip
    if rules.choice("aging", "age_from", "bill_date", "due_date") == "bill_date":
        late = rows["date"].gt(pd.Timestamp(as_of))
        yield from _each(table, late, BALANCE_WRONG, "date", lambda row: f"{row.date:%Y-%m-%d} is after {as_of}")


def documents(old: OldSystem) -> pd.DataFrame:
    """The opening documents: account_id, document, gl_account (the control account), date, amount (cents).

    One row a document and control account, in order of account, date and document; charges are summed.
    """
    accounts = old["gl_accounts"]
    receivable = str(accounts.loc[accounts["role"].eq("receivable"), "gl_account"].iloc[0])
    rows = old["balances"]
    rows = rows.assign(gl_account=rows["gl_account"].where(rows["gl_account"].ne(""), receivable))
    keys = ["account_id", "date", "document", "gl_account"]
    return rows.groupby(keys, sort=True)[["amount"]].sum().reset_index()


def ties(old: OldSystem, rules: Rules, as_of: dt.date) -> tuple[pd.DataFrame, list[Problem]]:
    """The opening balances beside the old system's own totals, and every total that differs.

    Returns report (aging | ledger), total (bucket or GL account), taken_in, old_system, difference (cents).
    """
    opened = documents(old)
    accounts = old["gl_accounts"].set_index("gl_account")
    buckets = aging_buckets(rules)
    receivable = opened.loc[opened["gl_account"].map(accounts["role"]).eq("receivable")]
    aged = age(receivable.rename(columns={"date": "age_from", "amount": "amount_cents"}), as_of, buckets)
    names = [*bucket_names(buckets), "credit", "total"]
    said = _old_buckets(old, names, buckets)
    rows: list[tuple[str, str, int, int | None]] = [
        ("aging", name, int(aged[name].sum()), said.pop(name, None)) for name in names
    ]
    problems = [
        UNKNOWN_REFERENCE.at(
            Place("old_aging", name, "bucket", old.tables["old_aging"].file), f"there is no bucket {name!r}"
        )
        for name in said
    ]
    held = opened.groupby("gl_account")["amount"].sum()
    told = old["old_gl"].set_index("gl_account")["amount"]
    control = accounts.index[accounts["role"].isin(CONTROL_ROLES)]
    rows += [("ledger", gl, int(held.get(gl, 0)), told.get(gl)) for gl in control]
    made = pd.DataFrame(rows, columns=["report", "total", "taken_in", "old_system"])
    # A total the old reports leave out is nought; the aging's grand total need not be there at all.
    needless = made["total"].eq("total") & made["old_system"].isna()
    made["old_system"] = made["old_system"].astype("Int64").fillna(0).astype("int64").where(~needless, made["taken_in"])
    made["difference"] = made["taken_in"] - made["old_system"]
    return made, [*problems, *_differences(old, made)]


def _differences(old: OldSystem, tied: pd.DataFrame) -> list[Problem]:
    found = []
    for row in tied.loc[tied["difference"].ne(0)].to_dict("records"):
        table = "old_aging" if row["report"] == "aging" else "old_gl"
        fact = (
            f"{row['report']} {row['total']}: the balances come to {dollars(row['taken_in'])}, the old system says "
            f"{dollars(row['old_system'])}; difference {dollars(row['difference'])}"
        )
        found.append(UNTIED.at(Place(table, str(row["total"]), "amount", old.tables[table].file), fact))
    return found


def _old_buckets(old: OldSystem, names: Sequence[str], buckets: tuple[int, ...]) -> dict[str, int]:
    """The old aging's totals by our names of the buckets; a bucket that fits none keeps its own name."""
    first, last = buckets[0], buckets[-1]
    known = {re.sub("days?", "", folded(name)): name for name in names}
    known |= {f"0{first}": "current", f"1{first}": "current", "notdue": "current", "credits": "credit"}
    known |= dict.fromkeys((f"{last}", f"{last + 1}", f"{last}plus", f"{last + 1}plus"), f"over_{last}")
    made: dict[str, int] = {}
    for bucket, amount in zip(old["old_aging"]["bucket"], old["old_aging"]["amount"], strict=True):
        name = known.get(re.sub("days?", "", folded(bucket)), bucket)
        made[name] = made.get(name, 0) + int(amount)
    return made
