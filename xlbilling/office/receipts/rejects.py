"""Payment rejects: rows of payments files that were not taken, made receipts as the office corrects them, or left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk, latest_day
from xlbilling.office.desk.history import TAKEN_OUT, as_text, content, keep_change, keep_revision
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.undo import OVERTAKEN, Step, overtaken, takes_back
from xlbilling.office.desk.working_tables import bound
from xlbilling.office.reads.findings import REASON_MISSING
from xlbilling.office.receipts.typed import insert_receipts, standing
from xlbilling.store import Work
from xlbilling.trade.receipts import check
from xlbilling.words.problems import Conflict, Place, Problem, declare
from xlbilling.words.states import CURRENT, LEFT, OPEN, TAKEN, WITHDRAWN

NOT_TAKEABLE: Final = declare(
    "payment_reject_not_takeable",
    "A rejected payment cannot be taken as it stands on sheet Payment rejects.",
    "Correct the marked cell, or choose leave, and press Save again.",
)
REJECT_POSTED: Final = declare(
    "payment_reject_posted",
    "The receipt that was made of a rejected payment is posted already.",
    "Leave the row as it was taken; a posted receipt is cancelled with Reverse, and a right one typed on sheet Payments.",
)
_STATES: Final = {"take": TAKEN, "leave": LEFT, "": OPEN}
_MONEY: Final = ("received_on", "account_id", "amount", "method", "reference")


@surface("payment_rejects", follows=("payments",))
class PaymentRejects(Surface):
    """Rows of the period's payments files that were not taken, as they came and as the office corrects them."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return desk.store.view("payment_rejects_of_period", p=str(desk.period))

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of another period's files."""
        rows = desk.store.view("payment_rejects_elsewhere")
        return rows.loc[rows["reject_id"].isin(keys)]

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of files whose import was taken back."""
        rows = desk.store.view("payment_rejects_withdrawn")
        return rows.loc[rows["reject_id"].isin(keys)].assign(actor="")

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        """What stands in the way of the decisions, each with its cell."""
        problems: list[Problem] = []
        for label, row, _ in change.pairs():
            if row["decision"] and not row["reason"].strip():
                fact = f"line {row['source_line']} is to be {_STATES[row['decision']]} without a reason"
                problems.append(REASON_MISSING.at(change.place(label, "reason"), fact))
        for label in change.new.index.tolist():
            fact = "a row below the others is in no file"
            place = change.place(int(label), "account_id")
            problems.append(NOT_TAKEABLE.at(place, fact, "Delete it, and type the payment on sheet Payments."))
        return problems + _not_takeable(desk, change)

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write what was corrected and decided; a row taken becomes an open receipt of its file, with who and when."""
        typed = self.declared.names("typed")
        told = "; ".join(f"{old['reject_id']} {row['decision'] or OPEN}" for _, row, old in change.pairs())
        event, taken_back = work.event(f"Payment rejects: {told}"), []
        for label, row, old in change.pairs():
            taken_back.append(_decide(desk, work, change, label, row, old, event))
            keep_change(work, self.name, str(old["reject_id"]), event, old, row, typed)
        return [{"kind": "payment rejects", "rows": taken_back}]


def _not_takeable(desk: Desk, change: Changes) -> list[Problem]:
    """Why rows that are to be taken can be no receipts: what they lack, or what Import payments would refuse.

    That a payment is there already does not stand in the way: to take it is the decision that it is another.
    """
    problems, whole = [], []
    for label, row, _ in change.pairs():
        if row["decision"] == "take":
            lacking = [name for name in ("received_on", "account_id", "amount", "method") if not as_text(row[name])]
            for name in lacking:
                fact = f"line {row['source_line']} has no {_WORDS[name]}"
                problems.append(NOT_TAKEABLE.at(change.place(label, name), fact))
            whole += [] if lacking else [label]
    rows = change.changed.loc[whole].assign(place=[str(label) for label in whole])
    rows = rows.astype({"amount": "int64"}).reset_index(drop=True)
    none = standing(desk.store).iloc[:0]
    for number in range(len(rows)):  # one by one: like rows beside each other are decided too
        one = rows.iloc[[number]]
        _, refused = check(one, desk.store.table("accounts")["account_id"], none, latest_day(desk))
        problems += [p.on(change.place(int(p.place.key), p.place.column)) for p in refused]
    return problems


_WORDS: Final = {
    "received_on": "day",
    "account_id": "account",
    "amount": "amount",
    "method": "method",
}


def _decide(
    desk: Desk, work: Work, change: Changes, label: int, row: dict[str, Any], old: dict[str, Any],
    event: int,
) -> dict[str, Any]:  # fmt: skip
    """Write one row and the receipt it makes or unmakes; the values that take it back."""
    name, place = str(old["reject_id"]), change.place(label, "decision")
    there = work.query(
        "import_id:int state payment_id period",
        "SELECT r.import_id, i.state, r.payment_id, r.period FROM payment_rejects r JOIN imports i ON i.import_id = r.import_id "
        "WHERE r.reject_id = :r",
        r=name,
    ).iloc[0]
    if there["state"] != CURRENT:
        raise Conflict(OVERTAKEN.at(place, f"the import of {name} was taken back since"))
    before = str(there["payment_id"])
    receipt = before
    if row["decision"] != old["decision"] or any(as_text(row[n]) != as_text(old[n]) for n in _MONEY):
        _unmake(work, name, before, place, event)
        receipt = _made(work, row, int(there["import_id"])) if row["decision"] == "take" else ""
    decided = {n: bound(row[n]) for n in _MONEY} | {
        "decision": row["decision"], "reason": row["reason"].strip(), "state": _STATES[row["decision"]],
        "decided_by": work.actor if row["decision"] else "", "decided_at": work.at if row["decision"] else "",
        "payment_id": receipt, "period": str(desk.period) if row["decision"] else str(there["period"]),
    }  # fmt: skip
    if not work.update("payment_rejects", {"reject_id": name}, int(old["rev"]), decided):
        raise changed_meanwhile(desk, change, label, name)
    kept = {n: bound(old[n]) for n in (*_MONEY, "decision", "reason", "state", "decided_by", "decided_at")}
    return {
        "reject": name, "written": decided, "before": kept | {"payment_id": before, "period": str(there["period"])}
    }  # fmt: skip


def _made(work: Work, row: Mapping[str, Any], import_id: int) -> str:
    """Make a receipt of a row; its number."""
    one = pd.DataFrame([{n: row[n] for n in _MONEY}])
    one = one.astype({"received_on": "datetime64[s]", "amount": "int64"})
    return insert_receipts(work, one, import_id)[0][0]


def _unmake(work: Work, name: str, number: str, place: Place, event: int) -> None:
    """Withdraw the receipt that was made of a row before; refused where it is posted, or was changed on Payments."""
    if not number:
        return
    receipt = work.table("payments", "payment_id = :n", n=number).iloc[0]
    if receipt["state"] not in (OPEN, WITHDRAWN):
        raise Conflict(REJECT_POSTED.at(place, f"{name} is receipt {number}, posted with {receipt['batch']}"))
    row = work.table("payment_rejects", "reject_id = :r", r=name).iloc[0]
    if receipt["state"] == WITHDRAWN or any(bound(receipt[n]) != bound(row[n]) for n in _MONEY):
        fact = f"receipt {number} made of {name} was changed since"
        raise Conflict(OVERTAKEN.at(place, fact, "Leave the row as it is; correct the receipt on sheet Payments."))
    rev = int(receipt["rev"])
    work.update("payments", {"payment_id": number}, rev, {"state": WITHDRAWN})
    keep_revision(work, "payments", number, rev + 1, event, TAKEN_OUT)


@takes_back("payment rejects")
def undecide(work: Work, step: Step) -> None:
    """Give rejected payments what they were before, with the receipt made of them; refused where one moved on since."""
    event = work.event(f"Payment rejects: {len(step['rows'])} put back")
    for row in reversed(step["rows"]):
        name, written, before = row["reject"], row["written"], row["before"]
        now = work.table("payment_rejects", "reject_id = :n", n=name)
        if now.empty or any(bound(now[column].iloc[0]) != value for column, value in written.items()):
            raise overtaken("payment_rejects", name, f"{name} was changed since")
        if written["payment_id"] != before["payment_id"]:
            _unmake(work, name, written["payment_id"], Place(table="payment_rejects", key=name), event)
            _remake(work, before["payment_id"], event)
        work.update("payment_rejects", {"reject_id": name}, int(now["rev"].iloc[0]), before)


def _remake(work: Work, number: str, event: int) -> None:
    """Open a receipt again that was withdrawn when its row was decided anew."""
    if not number:
        return
    receipt = work.table("payments", "payment_id = :n", n=number).iloc[0]
    rev = int(receipt["rev"])
    work.update("payments", {"payment_id": number}, rev, {"state": OPEN})
    keep_revision(work, "payments", number, rev + 1, event, content(receipt, _MONEY))
