"""Receipts on sheet Payments: open ones are typed, changed and taken back; posted ones stay as they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pandas as pd

from xlbilling.documents import PAYMENT
from xlbilling.office.desk import Desk, latest_day
from xlbilling.office.document_sheets import DocumentSheet
from xlbilling.office.history import TAKEN_OUT, content, keep_change, keep_revision
from xlbilling.office.months import Months, months_of
from xlbilling.office.posting import POSTED_ROW
from xlbilling.office.surface import surface
from xlbilling.office.undo import Step, overtaken, takes_back
from xlbilling.office.working_copy import Changes, changed_meanwhile
from xlbilling.office.working_tables import bound
from xlbilling.problems import Refusal
from xlbilling.receipts import alike, check
from xlbilling.states import OPEN, REVERSED, WITHDRAWN
from xlbilling.store import Store, Work


def standing(work: Work | Store) -> pd.DataFrame:
    """The receipts there are; one that was taken back is none, though it keeps its number."""
    return work.table("payments", "state <> :w", w=WITHDRAWN)


def insert_receipts(work: Work, taken: pd.DataFrame, import_id: int | None) -> tuple[list[str], str]:
    """Write receipts as open documents under the next numbers, each in the month it posts in; what is said of late ones."""
    numbers = work.documents(PAYMENT.letters, len(taken))
    days = Months.of(work).posting_days(taken["received_on"])
    made = taken.assign(payment_id=numbers, batch="", author=work.actor, period=months_of(days), state=OPEN, rev=1)
    made["import_id"] = pd.array([import_id] * len(taken), dtype="Int64")
    work.insert("payments", made)
    late = days.ne(taken["received_on"])
    said = (
        f"{int(late.sum())} of a closed month post on {days[late].iloc[0]:%Y-%m-%d}; the day they came stays. "
        if late.any()
        else ""
    )
    return numbers, said


@surface("payments")
class Payments(DocumentSheet):
    """Receipts of the period: open ones may be typed and changed, posted ones stay as they are."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        receipts = super().rows(desk)
        like = alike(receipts.loc[receipts["state"].ne(REVERSED)]).reindex(receipts.index, fill_value="")
        return receipts.assign(like=like.where(receipts["state"].eq(OPEN), ""))

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write typed receipts: new ones get a number, open ones may be changed, posted ones may not."""
        for label, row, old in change.pairs():
            if old["state"] != OPEN:
                place = change.place(label, "payment_id")
                raise Refusal(POSTED_ROW.at(place, f"receipt {row['payment_id']} is {old['state']}"))
        _refuse_unfit(work, change, latest_day(desk))
        numbers = insert_receipts(work, change.new, None)[0] if len(change.new) else []
        event = work.event(f"Payments: {len(numbers)} new, {len(change.changed)} changed")
        typed, changed = self.declared.names("typed"), []
        new: Any = change.new.to_dict("records")
        added = [
            {"payment": n, "written": {t: bound(row[t]) for t in typed}} for n, row in zip(numbers, new, strict=True)
        ]
        for label, row, old in change.pairs():
            number = row["payment_id"]
            if not work.update("payments", {"payment_id": number}, int(old["rev"]), {n: bound(row[n]) for n in typed}):
                raise changed_meanwhile(desk, change, label, number)
            keep_change(work, "payments", number, event, old, row, typed)
            written, before = ({n: bound(values[n]) for n in typed} for values in (row, old))
            changed.append({"payment": number, "written": written, "before": before})
        return [{"kind": "receipts", "new": added, "changed": changed}]


def _refuse_unfit(work: Work, change: Changes, latest: dt.date) -> None:
    """Refuse typed receipts of accounts that are not known, of a day to come, or there already."""
    rows = pd.concat([change.new, change.changed])
    rows = rows.assign(place=[str(label) for label in rows.index]).reset_index(drop=True)
    earlier = standing(work)
    earlier = earlier.loc[~earlier["payment_id"].isin(change.changed["payment_id"])]
    _, refused = check(rows, work.table("accounts")["account_id"], earlier, latest)
    if refused:
        told = [p.on(change.place(int(p.place.key), p.place.column)) for p in refused]
        raise Refusal(told[0], told)


@takes_back("receipts")
def take_back_receipts(work: Work, step: Step) -> None:
    """Withdraw typed receipts and give changed ones their earlier values; refused where one was posted or changed since."""
    event = work.event(f"Payments: {len(step['new'])} withdrawn, {len(step['changed'])} put back")
    for receipt in step["new"]:
        rev = _as_written(work, receipt)
        work.update("payments", {"payment_id": receipt["payment"]}, rev, {"state": WITHDRAWN})
        keep_revision(work, "payments", receipt["payment"], rev + 1, event, TAKEN_OUT)
    for receipt in step["changed"]:
        rev, before = _as_written(work, receipt), receipt["before"]
        work.update("payments", {"payment_id": receipt["payment"]}, rev, before)
        keep_revision(work, "payments", receipt["payment"], rev + 1, event, content(before, list(before)))


def _as_written(work: Work, receipt: Mapping[str, Any]) -> int:
    """The revision of a receipt that is open and as it was written; refused where it is not."""
    number, written = receipt["payment"], receipt["written"]
    row = work.table("payments", "payment_id = :n AND state = :open", n=number, open=OPEN)
    if row.empty or any(bound(row[name].iloc[0]) != value for name, value in written.items()):
        raise overtaken("payments", number, f"receipt {number} was changed or posted since")
    return int(row["rev"].iloc[0])
