"""Books: the ledger export taken in, and the receivables proved against it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.gl import LedgerMap, read_ledger
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.files import digest_of, import_key
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.save import refresh_tables
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.undo import Step, keep_undo, overtaken, takes_back
from xlbilling.office.desk.views import unposted
from xlbilling.office.desk.working_tables import WorkingTable
from xlbilling.papers.tables import DIFFERENCES
from xlbilling.papers.template import template_file
from xlbilling.papers.workpaper import TEMPLATE, Reconciled, write_workpaper
from xlbilling.store import Work
from xlbilling.store.schema import columns_of
from xlbilling.trade import journal as journal_rules
from xlbilling.trade.reconcile import UNPROVEN, Reconciliation
from xlbilling.trade.reconcile import reconcile as match
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.records import TABLE
from xlbilling.words.states import AGREES, CURRENT, DIFFERS, EXPLAINED

NO_LEDGER: Final = declare("no_ledger", "The period has no general-ledger export yet.", "Press Import GL first.")
UNPOSTED: Final = declare(
    "unposted",
    "Documents wait to be posted, so the books would not agree.",
    "Press the button that is named with each, then Reconcile.",
)
WORDS: Final = {
    "beginning": "Beginning",
    "billed": "Billed",
    "received": "Received",
    "adjusted": "Adjusted",
    "ending": "Ending",
}


def import_ledger(desk: Desk) -> Outcome:
    """Take in the period's ledger export; a newer export of the period replaces the one before."""
    look = Look(desk)
    period = look.open_month()
    path = desk.book.ask_file("the general-ledger export", "LedgerFile")
    digest = digest_of(path)
    export = read_ledger(path, mapping=look.at(ledger_map))
    with look.work("import_ledger", lambda inside: import_key(inside, "ledger", str(period), digest)) as work:
        if work.done_before is not None:
            return Outcome(f"{path.name} was imported before; nothing was added. Then: {work.done_before}")
        postings = export.postings
        import_id = (work.value("SELECT MAX(import_id) FROM imports") or 0) + 1
        before = work.query(
            "import_id:int",
            "SELECT import_id FROM imports WHERE kind = 'ledger' AND period = :p AND state = :current",
            p=str(period),
        )
        work.execute(
            "UPDATE imports SET state = :superseded WHERE kind = 'ledger' AND period = :p AND state = :current",
            p=str(period),
        )
        rejected = export.rejected
        unread = int(export.frame["kind"].eq("unread").sum())
        work.insert_one(
            "imports", import_id=import_id, kind="ledger", cycle="", period=str(period), file_name=path.name, digest=digest,
            layout=export.profile, rows_in=len(export.frame), taken=len(postings), rejected=unread,
            duplicates=0, changed=0, state=CURRENT, at=work.at, actor=work.actor,
        )  # fmt: skip
        # a row without a date is an opening balance; postings always have one
        dates = postings["date"].where(postings["kind"].eq("posting"))
        taken = postings.assign(date=dates, import_id=import_id).rename(columns={"amount_cents": "amount"})
        work.insert("ledger_rows", taken)
        said = " ".join(
            [
                f"{path.name} ({export.profile}): {int(dates.notna().sum())} postings taken, {unread} rows could not be read.",
                *(f"{told}." for told in export.told),
            ]
        )
        replaced = [int(number) for number in before["import_id"]]
        keep_undo(work, "Import GL", [{"kind": "ledger export", "import": import_id, "replaced": replaced}], said)
    refresh_tables(desk, ["gl", "log"])
    return Outcome(said, rejected, listed=bool(rejected))


def reconcile(desk: Desk) -> Outcome:
    """Match the subledger with the ledger export of the period and list every difference with its reason."""
    look = Look(desk)
    look.open_month()
    look.at(_refuse_unposted)
    inputs = look.at(books_digest)
    reconciled = _reconciled(desk)
    result = reconciled.result
    workpaper = desk.folder / f"reconciliation-{desk.period}.xlsx"
    differences = write_workpaper(template_file(TEMPLATE, desk.folder), workpaper, reconciled)
    difference = int(result.control["difference"].abs().sum())
    unexplained = int(result.difference_unexplained)
    lines = _reconcile_lines(desk, result, differences)
    with look.work("reconcile") as work:
        open_reasons = bool(unexplained) or result.unproven > 0
        state = DIFFERS if open_reasons else EXPLAINED if difference else AGREES
        said = (
            f"Receivables {state}: difference {money(difference)}, of which unexplained {money(unexplained)}; "
            f"{len(result.unmatched_subledger)} subledger lines and {len(result.unmatched_gl)} ledger rows stand alone, "
            f"{len(differences)} differences in all, {result.unproven} of them without a proven reason. "
            f"Workpaper: {workpaper.name}.{_absent(reconciled)}"
        )
        work.insert_one(
            "reconciliations", period=str(desk.period), at=f"{work.at} {work.event(said):09d}", actor=work.actor, inputs=inputs,
            state=state, difference=difference, unexplained=unexplained,
            content=json.dumps({"lines": lines, "rows": _row_reasons(result)}),
        )  # fmt: skip
    refresh_tables(desk, ["reconcile", "gl", "log"])
    desk.book.show("Reconcile")
    return Outcome(said, listed=len(differences) > 0)


def _refuse_unposted(desk: Desk) -> None:
    waiting = unposted(desk, drafts=False)
    if waiting:
        raise Refusal(UNPOSTED.at(None, f"not posted yet: {'; '.join(waiting)}"))


def _absent(reconciled: Reconciled) -> str:
    """What the message says of control accounts with lines of ours that the export never names."""
    moved = set(reconciled.result.subledger["gl_account"]) - set(reconciled.ledger["gl_account"])
    absent = sorted(moved & set(reconciled.result.control["gl_account"]))
    return "".join(f" Account {account} occurs nowhere in the export." for account in absent)


@takes_back("ledger export")
def forget_export(work: Work, step: Step) -> None:
    """Take an export back and let the one it replaced hold again; refused where a later one replaced it."""
    withdrawn = "UPDATE imports SET state = :withdrawn WHERE import_id = :i AND state = :current"
    if work.execute(withdrawn, i=step["import"]) != 1:
        raise overtaken("gl", "", "a later export took its place")
    for number in step["replaced"]:
        work.execute("UPDATE imports SET state = :current WHERE import_id = :i", i=number)


def ledger_map(desk: Desk) -> LedgerMap:
    """How the office's accounts stand in the general ledger: under their own numbers."""
    accounts = desk.store.table("gl_accounts")
    numbers = accounts["gl_account"].tolist()
    control = accounts.loc[accounts["role"].isin(["receivable", "deposits"]), "gl_account"].tolist()
    normal = accounts.loc[accounts["role"].isin(["revenue", "deposits"]), "gl_account"].tolist()
    return LedgerMap.model_validate(
        {
            "period": {"start": desk.period.first, "end": desk.period.last},
            "accounts": {number: number for number in numbers},
            "control_accounts": control,
            "credit_normal": normal,
        }
    )


def _reconciled(desk: Desk) -> Reconciled:
    """The period's journal matched against the current ledger export."""
    ledger = _ledger_rows(desk)
    if ledger.empty:
        raise Refusal(NO_LEDGER.at(Place(table="gl"), f"no export of {desk.period} was imported"))
    frame = ledger.rename(columns={"amount": "amount_cents"}).assign(source="")
    frame["kind"] = np.where(frame["date"].isna(), "opening", "posting")
    lines, period = subledger(desk), desk.period
    export = desk.store.query(
        "file_name rejected:int",
        "SELECT file_name, rejected FROM imports WHERE kind = 'ledger' AND period = :p AND state = :current",
        p=str(period),
    ).iloc[0]
    return Reconciled(
        match(lines, frame, ledger_map(desk).terms()), lines, frame, period.first, period.last,
        f"{desk.rules_on(period.last).text('district', 'name')}: billing journal against {export['file_name']}", int(export["rejected"]),
    )  # fmt: skip


def subledger(desk: Desk) -> pd.DataFrame:
    """The journal up to the period as subledger lines: what came before as one opening line an account."""
    lines = desk.store.query(
        "post_date:day kind account_id batch reference gl_account amount:int entry:int line:int",
        "SELECT e.post_date, e.kind, j.account_id, e.batch, e.document AS reference, j.gl_account, j.amount, e.entry, j.line "
        "FROM journal j JOIN entries e ON e.entry = j.entry WHERE e.period = :p AND e.kind <> 'opening' ORDER BY j.entry, j.line",
        p=str(desk.period),
    )
    lines["id"] = "J" + lines["entry"].astype("str") + "-" + lines["line"].astype("str")
    before = desk.store.query(
        "gl_account amount:int",
        "SELECT j.gl_account, CAST(SUM(j.amount) AS BIGINT) AS amount FROM journal j JOIN entries e ON e.entry = j.entry "
        "JOIN gl_accounts g ON g.gl_account = j.gl_account WHERE g.role IN ('receivable', 'deposits') "
        "AND (e.period < :p OR e.kind = 'opening') GROUP BY j.gl_account ORDER BY j.gl_account",
        p=str(desk.period),
    )
    opening = pd.DataFrame(
        {
            "id": "OPEN-" + before["gl_account"],
            "post_date": pd.Timestamp(desk.period.plus(-1).last),
            "kind": "transfer",
            "account_id": "",
            "batch": "OPENING",
            "reference": "BEGINNING BALANCE",
            "gl_account": before["gl_account"],
            "amount": before["amount"],
        }
    )
    both = pd.concat([opening, lines], ignore_index=True).rename(columns={"amount": "amount_cents"})
    return both[["id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "amount_cents"]]


def _ledger_rows(desk: Desk) -> pd.DataFrame:
    return desk.store.query(
        columns_of("ledger_rows"),
        "SELECT r.* FROM ledger_rows r JOIN imports i ON i.import_id = r.import_id "
        "WHERE i.kind = 'ledger' AND i.period = :p AND i.state = :current ORDER BY r.row",
        p=str(desk.period),
    )


def control(desk: Desk) -> pd.DataFrame:
    """The receivables control of the period: beginning + billed - received +/- adjusted = ending, in cents."""
    lines = desk.store.query(
        "gl_account period kind amount:int",
        "SELECT j.gl_account, e.period, e.kind, CAST(SUM(j.amount) AS BIGINT) AS amount FROM journal j JOIN entries e ON e.entry = j.entry "
        "JOIN gl_accounts g ON g.gl_account = j.gl_account WHERE g.role = 'receivable' AND e.period <= :p "
        "GROUP BY j.gl_account, e.period, e.kind",
        p=str(desk.period),
    )
    return journal_rules.control(lines, str(desk.period))


def ledger_ending(desk: Desk) -> pd.Series[int]:
    """Each account's ending balance in the general ledger: the export's opening (else ours) and its postings."""
    ledger = _ledger_rows(desk)
    began = control(desk).set_index("gl_account")["beginning"]
    opened = ledger[ledger["date"].isna()].drop_duplicates("gl_account").set_index("gl_account")["amount"]
    began = opened.combine_first(began).astype("int64")
    posted = ledger.loc[ledger["date"].le(pd.Timestamp(desk.period.last))].groupby("gl_account")["amount"].sum()
    return began.add(posted, fill_value=0).astype("int64") if len(ledger) else pd.Series(dtype="int64")


def books_digest(desk: Desk) -> str:
    """A digest of what a reconciliation speaks of: the last entry of the period and the ledger export."""
    last = desk.store.value("SELECT MAX(entry) FROM entries WHERE period = :p", p=str(desk.period))
    export = desk.store.value(
        "SELECT digest FROM imports WHERE kind = 'ledger' AND period = :p AND state = :current", p=str(desk.period)
    )
    return f"{last or 0} {export or ''}"


def _reconcile_lines(desk: Desk, result: Reconciliation, differences: pd.DataFrame) -> list[dict[str, Any]]:
    """The control's lines, then each difference with both sides, its reason and the entry that corrects it."""
    rows: list[dict[str, Any]] = []
    proved = result.control.set_index("gl_account")["ending_gl"]
    for own in control(desk).to_dict("records"):
        account = str(own["gl_account"])
        for name, word in WORDS.items():
            other = int(proved.loc[account]) if name == "ending" and account in proved.index else None
            rows.append(
                {
                    "section": "control", "gl_account": account, "what": word, "subledger": int(own[name]), "ledger": other,
                    "difference": None if other is None else int(own[name]) - other, "reason": "",
                }
            )  # fmt: skip
    rows += [_difference(row) for row in differences.to_dict("records")]
    return [{"line": f"{n:05d}", **row} for n, row in enumerate(rows, 1)]


def _difference(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One difference as the sheet and the close packet show it; dates as text, as content is kept."""
    texts = {name: str(row[name]) for name in ("gl_account", "batch", "document", "account_id", "entry")}
    amounts = {name: None if pd.isna(row[name]) else int(row[name]) for name in ("subledger", "ledger", "difference")}
    dates = {name: None if pd.isna(row[name]) else f"{row[name]:%Y-%m-%d}" for name in ("post_date", "gl_date")}
    reason = str(row["reason"]).replace("_", " ")
    unproven = row["reason"] in UNPROVEN
    return {
        "section": "difference", "what": str(row["description"]), "reason": f"{reason}: unexplained" if unproven else reason,
        "gl_rows": str(row["rows"]), **texts, **amounts, **dates,
    }  # fmt: skip


def _row_reasons(result: Reconciliation) -> dict[str, str]:
    return {str(r["row"]): str(r["reason"]).replace("_", " ") for r in result.unmatched_gl.to_dict("records")}


def latest(desk: Desk) -> dict[str, Any] | None:
    """The period's last reconciliation; None before the first."""
    found = desk.store.table("reconciliations", "period = :p", "at DESC", p=str(desk.period))
    return None if found.empty else dict(found.iloc[0])


def reconcile_view(desk: Desk) -> pd.DataFrame:
    """The last reconciliation of the period, line by line."""
    last = latest(desk)
    columns = list(TABLE["reconcile"].columns)
    made = pd.DataFrame(json.loads(last["content"])["lines"] if last else [], columns=columns)
    amounts, dates = ["subledger", "ledger", "difference"], ["post_date", "gl_date"]
    made[dates] = made[dates].apply(pd.to_datetime)
    texts = [name for name in columns if name not in (*amounts, *dates)]
    made[texts] = made[texts].astype("object").fillna("")
    return made.astype(dict.fromkeys(amounts, "Int64"))


def differences_of(desk: Desk) -> pd.DataFrame:
    """The differences of the period's last reconciliation, as the close packet lists them."""
    made = reconcile_view(desk)
    made = made[made["section"].eq("difference")].rename(columns={"what": "description", "gl_rows": "rows"})
    made.insert(0, "number", range(1, len(made) + 1))
    return made[[name for name, _ in DIFFERENCES]].reset_index(drop=True)


def ledger_view(desk: Desk) -> pd.DataFrame:
    """The period's ledger export, each row with whether it was matched."""
    made = _ledger_rows(desk)
    last = latest(desk)
    reasons = json.loads(last["content"])["rows"] if last else {}
    listed = set(desk.store.table("gl_accounts")["gl_account"])
    made["matched"] = [
        "opening balance"
        if pd.isna(date)
        else ""
        if not last
        else reasons.get(str(row), "yes" if account in listed else "not a billing account")
        for row, account, date in zip(made["row"], made["gl_account"], made["date"], strict=True)
    ]
    return made


@surface("gl_accounts", role="lead")
class GlAccounts(WorkingTable):
    """Ledger accounts that billing posts to, each with its balance."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        totals = desk.store.view("ledger_balances").set_index("gl_account")["amount"]
        accounts = self.stored(desk)
        return accounts.assign(balance=accounts["gl_account"].map(totals).fillna(0).astype("int64"))


@surface("gl")
class LedgerExport(Surface):
    """The period's ledger export, each row with whether it was matched."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return ledger_view(desk)


@surface("reconcile")
class ReconcileSheet(Surface):
    """The last reconciliation of the period, line by line."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return reconcile_view(desk)
