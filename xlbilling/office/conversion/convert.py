"""Conversion: an office taken in from its old system, whole and tied to the old totals, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.office.conversion.checks import documents, faults, rates_to_mend, ties
from xlbilling.office.conversion.old_system import WRITTEN, OldSystem, read_old_system
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import NOT_ALLOWED, policy_on, today
from xlbilling.office.desk.history import as_text
from xlbilling.office.desk.policy import STAFF, completed
from xlbilling.office.desk.working_tables import write_rows
from xlbilling.office.posting import entries_of, write_entries
from xlbilling.store import Store, Work
from xlbilling.store.store import NO_STORE, is_blank, sqlite_path
from xlbilling.trade import journal as ledger
from xlbilling.trade.reads import Rules
from xlbilling.trade.reads.rules import in_force
from xlbilling.trade.reads.units import MILLION
from xlbilling.trade.reads.units import convert as convert_units
from xlbilling.words.money import dollars
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Conflict, Place, Problem, Problems, Refusal, declare
from xlbilling.words.records import TABLE
from xlbilling.words.states import CURRENT, OPEN, POSTED
from xlbilling.workbook.port import row_keys

STORE_IN_USE: Final = declare(
    "store_in_use",
    "The store holds an office already, so another cannot be taken in.",
    "Name a new store; the old one stays as it is.",
)
AS_OF_WRONG: Final = declare(
    "as_of_wrong",
    "The day of the conversion is after the accounting period it opens.",
    "Give the last day the old system was used, and the month that follows it.",
)
CONVERTED: Final = declare(
    "history_converted",
    "Some of the history was in another unit than the billing unit.",
    "Nothing needs doing; the unit is converted as sheet Policy says.",
    "info",
)
BATCH: Final = "OPENING"
KEPT_AS: Final = "opening-balances.csv"


class Refused(Refusal):
    """A conversion that was refused; `faults` lists everything that keeps the books shut."""

    def __init__(self, faults: list[Problem]):
        first = faults[0]
        more = f" ({len(faults)} faults in all; this is the first)" if len(faults) > 1 else ""
        super().__init__(Problem(first.code, first.place, first.fact.rstrip(".") + more, first.remedy))
        self.faults = faults


@dataclass(frozen=True)
class Conversion:
    """What was taken in.

    `counts`: table, rows, amount (text). `tied`: report, total, taken_in, old_system, difference (cents). `notes`: what
    was left out or started from its standard value. `again`: the source was taken in before, nothing was added.
    """

    said: str
    counts: pd.DataFrame
    tied: pd.DataFrame
    notes: list[Problem]
    again: bool = False

    def lines(self) -> list[str]:
        """The summary for the lead to sign: counts and totals, then every total beside the old system's."""
        made = [self.said, "", f"{'Table':<14}{'Rows':>10}  Total"]
        made += [f"{r['table']:<14}{r['rows']:>10,}  {r['amount']}".rstrip() for r in self.counts.to_dict("records")]
        made += ["", f"{'Tie-out':<26}{'Taken in':>18}{'Old system':>18}{'Difference':>14}"]
        for row in self.tied.to_dict("records"):
            taken, old, off = (dollars(int(row[n])) for n in ("taken_in", "old_system", "difference"))
            made.append(f"{row['report'] + ' ' + row['total']:<26}{taken:>18}{old:>18}{off:>14}")
        made += ["", *(f"Note: {note}" for note in self.notes)] if self.notes else []
        return [*made, "", "Signed: ______________________    Date: ____________"]


def convert(
    source: Path,
    store_url: str,
    actor: str,
    period: AccountingPeriod,
    as_of: dt.date,
    clock: Callable[[], dt.datetime] | None = None,
) -> Conversion:
    """Take an office in from a workbook or folder of its old system's tables and open its books with `period`.

    `as_of` is the last day of the old system. Everything is checked first; on any fault, or where the balances do not
    come to the old aging and ledger totals to the cent, `Refused` lists them all and nothing is written, no store made.
    The same source taken in again adds nothing. Refuses a store that holds an office.
    """
    if as_of > period.last:
        raise Refusal(AS_OF_WRONG.at(None, f"{as_of} is after {period.last}"))
    old = read_old_system(source)
    _refuse(old.faults)
    policy, told = completed(old["policy"])
    _refuse(Problems(told).blocking)
    notes = [*old.notes, *told]
    rules = Rules.of(in_force(policy, as_of))
    _refuse(faults(old, rules, period, as_of))
    notes = [*rates_to_mend(old), *notes]
    tied, untied = ties(old, rules, as_of)
    _refuse(untied)
    history, converted = _history(old, rules)
    opened = documents(old)
    counts = _counts(old, policy, history, opened, rules)
    said = (
        f"Taken in from {old.name} as of {as_of}: {len(old['accounts'])} accounts, {len(old['services'])} services, "
        f"{len(old['meters'])} registers, balances {dollars(int(opened['amount'].sum()))}; the books are open for {period}."
    )
    store = _store(store_url, actor, clock)
    try:
        with store.work(actor, "convert", f"convert {period} {as_of} {old.digest}") as work:
            if work.done_before is not None:
                return Conversion(
                    f"{old.name} was taken in before; nothing was added.", counts, tied, notes, again=True
                )
            _refuse_in_use(work, store_url)
            work.event(f"{said} {_tied_words(tied)} SHA-256 {old.digest}.")
            for name in WRITTEN:
                write_rows(work, _changes(work, name, policy if name == "policy" else old[name]))
            work.insert("consumption_history", history)
            work.insert_one("periods", period=str(period), state=OPEN)
            _open_balances(work, old, opened, period)
            _keep_source(work, old, period)
    finally:
        store.close()
    return Conversion(said, counts, tied, [*notes, *converted])


def command(
    source: Path, store: str, period: str, as_of: str, actor: str, say: Callable[[str], None] = print
) -> Conversion:
    """`xlbilling convert SOURCE --store URL --period YYYY-MM --as-of DATE`: take in, and say what the lead signs.

    ValueError for a period or day that is none (wrong use). On a refusal every fault is said, then it is raised.
    """
    try:
        made = convert(source, store, actor, AccountingPeriod.parse(period), dt.date.fromisoformat(as_of))
    except Refused as refused:
        for fault in refused.faults:
            say(f"[{fault.code}] {fault}")
        raise
    for line in made.lines():
        say(line)
    return made


def _refuse(found: list[Problem]) -> None:
    if found:
        raise Refused(found)


def _store(url: str, actor: str, clock: Callable[[], dt.datetime] | None) -> Store:
    """The store at `url`, made where there is none; a file that is something else is left as it is."""
    try:
        return Store.open(url, clock)
    except Refusal as refusal:
        path = sqlite_path(url)
        if refusal.problem.code != NO_STORE.code:
            raise
        if path is not None and path.exists() and not is_blank(url):
            remedy = "Move the file away, or name another store, and convert again."
            raise Refusal(
                NO_STORE.at(Place(file=path.name), "the file is there and is not a billing store", remedy)
            ) from None
    return Store.create(url, actor, clock)


def _refuse_in_use(work: Work, url: str) -> None:
    """Only a store without accounts, periods and entries can take an office in, and only its lead may do it."""
    for name in ("accounts", "periods", "entries"):
        count = work.value(f"SELECT COUNT(*) FROM {name}")  # noqa: S608 - our own table names
        if count:
            raise Conflict(STORE_IN_USE.at(Place(file=Path(url).name), f"it has {count} rows in {name}"))
    role = Rules.of(policy_on(work, today(work))).settings.get((STAFF, work.actor), "")
    if role != "lead":
        place = Place(table="policy", key=f"{STAFF} / {work.actor}")
        raise Refusal(
            NOT_ALLOWED.at(place, f"taking an office in needs the role lead; {work.actor} has {role or 'none'}")
        )


def _changes(work: Work, name: str, rows: pd.DataFrame) -> Changes:
    """The rows as what Save would write: new ones, and those the store has with other content (its first rules)."""
    table = TABLE[name]
    stored = work.table(name)
    at = {key: place for place, key in enumerate(row_keys(table, stored))}
    keys = row_keys(table, rows)
    new = [row for row, key in enumerate(keys) if key not in at]
    changed = [row for row, key in enumerate(keys) if key in at and _differs(rows, row, stored, at[key])]
    return Changes(name, rows.iloc[new], rows.iloc[changed], stored.iloc[[at[keys[row]] for row in changed]])


def _differs(rows: pd.DataFrame, row: int, stored: pd.DataFrame, at: int) -> bool:
    return any(as_text(rows[name].iloc[row]) != as_text(stored[name].iloc[at]) for name in rows.columns)


def _history(old: OldSystem, rules: Rules) -> tuple[pd.DataFrame, list[Problem]]:
    """The consumption history in the billing unit; a quantity in another unit is converted as a read would be."""
    rows = old["history"]
    unit = rules.text("billing", "billing_unit")
    made = rows.assign(
        days=(rows["service_to"] - rows["service_from"]).dt.days.astype("int64"),
        consumption=convert_units(
            rows["consumption"].to_numpy(dtype=np.int64),
            rows["unit"].to_numpy(dtype=object),
            unit,
            rules.fraction("billing", "gallons_per_ccf"),
            rules.whole("billing", "consumption_places"),
        ),
        unit=unit,
    )
    others = int(rows["unit"].ne(unit).sum())
    place = Place("history", column="unit", file=old.tables["history"].file)
    return made, [CONVERTED.at(place, f"{others} rows were converted to {unit}")] if others else []


def _open_balances(work: Work, old: OldSystem, opened: pd.DataFrame, period: AccountingPeriod) -> None:
    """One balanced entry for each opening document, dated as the old document: control account against opening."""
    opened = opened.loc[opened["amount"].ne(0)]
    found = opened[["account_id", "date", "document"]].drop_duplicates(ignore_index=True)
    accounts = old["gl_accounts"]
    against = str(accounts.loc[accounts["role"].eq("opening"), "gl_account"].iloc[0])
    entries = entries_of(work, found, str(period), "opening", BATCH, found["date"].to_numpy())
    of = opened.merge(found.assign(entry=entries["entry"].to_numpy()), on=["account_id", "date", "document"])
    sides = [of, of.assign(gl_account=against, amount=-of["amount"])]
    lines = pd.concat(sides).groupby(["entry", "account_id", "gl_account"], sort=False)[["amount"]].sum().reset_index()
    lines = lines.loc[lines["amount"].ne(0)].sort_values("entry", kind="stable")
    write_entries(work, entries, ledger.numbered(lines))
    work.insert_one(
        "batches", batch=BATCH, kind="opening", cycle="", period=str(period), state=POSTED, created_at=work.at,
        actor=work.actor, posted_at=work.at, documents=len(found), amount=int(opened["amount"].sum()),
    )  # fmt: skip


def _keep_source(work: Work, old: OldSystem, period: AccountingPeriod) -> None:
    """Keep the balances as they came, charge by charge with their lines, and the digest of the whole source."""
    table = old.tables["balances"]
    kept = table.frame.assign(
        date=table.frame["date"].dt.strftime("%Y-%m-%d"),
        amount=[dollars(int(cents)).replace(",", "") for cents in table.frame["amount"]],
        source=table.file,
        source_line=table.lines,
    )
    content = kept.to_csv(index=False, lineterminator="\n").encode()
    work.insert_one("printed", batch=BATCH, file_name=KEPT_AS, content=content, digest=old.digest, at=work.at)
    rows = sum(len(one.frame) for one in old.tables.values())
    work.insert_one(
        "imports", import_id=(work.value("SELECT MAX(import_id) FROM imports") or 0) + 1, kind="convert", cycle="",
        period=str(period), file_name=old.name, digest=old.digest, layout="listing", rows_in=rows, taken=rows, rejected=0,
        duplicates=0, changed=0, state=CURRENT, at=work.at, actor=work.actor,
    )  # fmt: skip


def _counts(
    old: OldSystem, policy: pd.DataFrame, history: pd.DataFrame, opened: pd.DataFrame, rules: Rules
) -> pd.DataFrame:
    """Rows and totals by table, as the lead signs them."""
    frames = {**{name: old[name] for name in WRITTEN}, "policy": policy}
    used = int(history["consumption"].sum()) / MILLION
    rows: list[dict[str, Any]] = [{"table": n, "rows": len(f), "amount": ""} for n, f in frames.items()]
    rows.append(
        {"table": "history", "rows": len(history), "amount": f"{used:,.3f} {rules.text('billing', 'billing_unit')}"}
    )
    found = len(opened[["account_id", "document"]].drop_duplicates())
    amount = f"{dollars(int(opened['amount'].sum()))} on {found} documents"
    rows.append({"table": "balances", "rows": len(old["balances"]), "amount": amount})
    return pd.DataFrame(rows)


def _tied_words(tied: pd.DataFrame) -> str:
    told = [f"{r['report']} {r['total']} {dollars(int(r['taken_in']))}" for r in tied.to_dict("records")]
    return f"Tied to the cent: {', '.join(told)}."
