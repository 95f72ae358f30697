"""Receipts on sheet Payments: open ones are typed, changed and taken back; posted ones stay as they are."""

from __future__ import annotations

import pandas as pd

from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk, latest_day
from xlbilling.office.desk.months import Months
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.undo import Step, takes_back
from xlbilling.office.document_sheets import DocumentSheet, take_back_documents, take_in
from xlbilling.store import Store, Work
from xlbilling.trade.receipts import alike, check
from xlbilling.words.problems import Refusal
from xlbilling.words.states import OPEN, REVERSED, WITHDRAWN


def standing(work: Work | Store) -> pd.DataFrame:
    """The receipts there are; one that was taken back is none, though it keeps its number."""
    return work.table("payments", "state <> :w", w=WITHDRAWN)


def insert_receipts(work: Work, taken: pd.DataFrame, import_id: int | None) -> tuple[list[str], str]:
    """Write receipts as open documents under the next numbers, each in the month it posts in; what is said of late ones."""
    file = pd.array([import_id] * len(taken), dtype="Int64")
    numbers = take_in(work, "payments", taken.assign(import_id=file))
    days = Months.of(work).posting_days(taken["received_on"])
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

    def refuse_unfit(self, desk: Desk, work: Work, change: Changes) -> None:
        """Refuse typed receipts of accounts that are not known, of a day to come, or there already."""
        rows = pd.concat([change.new, change.changed])
        rows = rows.assign(place=[str(label) for label in rows.index]).reset_index(drop=True)
        earlier = standing(work)
        earlier = earlier.loc[~earlier["payment_id"].isin(change.changed["payment_id"])]
        _, refused = check(rows, work.table("accounts")["account_id"], earlier, latest_day(desk))
        if refused:
            told = [p.on(change.place(int(p.place.key), p.place.column)) for p in refused]
            raise Refusal(told[0], told)


@takes_back("receipts")
def take_back_receipts(work: Work, step: Step) -> None:
    """Take back receipts as versions before this one wrote down what they had typed."""
    named = {of: [{**receipt, "number": receipt["payment"]} for receipt in step[of]] for of in ("new", "changed")}
    take_back_documents(work, {"table": "payments", **named})
