"""Waiting: what Post would post, told before it does: how much, whether it was audited, and the bills to look at once more."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.office.bills.audit import audit_state
from xlbilling.office.bills.explain import quantity
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.surface import view
from xlbilling.office.desk.views import STILL_HOLDS, run_bills, run_sections, what_waits
from xlbilling.office.reads.settling import consumption_before
from xlbilling.trade.documents import BILL, with_post
from xlbilling.trade.reads.history import History, before
from xlbilling.words.states import DRAFT, GREEN, HELD, LEFT, NOT_RECALCULATED, RED

_AUDITED: Final = {GREEN: "audit: green", RED: "audit: RED", NOT_RECALCULATED: "audit: not recalculated"}


def waiting(desk: Desk, bills: bool = True) -> list[str]:
    """What Post would post, one line each, in the clerk's words, without the `bills` where they are not to be posted.

    Empty where nothing waits.
    """
    made = []
    for kind in with_post():
        if kind != BILL:  # Post takes the drafts of the run on Start alone
            count, amount = what_waits(desk, kind)
            made += [f"{count} {kind.words}, {money(amount)}"] if count else []
    like = int(view(desk, "payments")["like"].ne("").sum())
    made += [f"{like} receipts may be there twice (Payments, column Like)"] if like else []
    if not bills:
        return made
    drafts, _ = run_bills(desk)
    ready = drafts.loc[drafts["state"].eq(DRAFT)].reset_index(drop=True)
    return [*made, *_bills(desk, ready, int(drafts["state"].eq(HELD).sum()))] if len(ready) else made


def _bills(desk: Desk, ready: pd.DataFrame, held: int) -> list[str]:
    """The run's drafts: count and sum, the audit of exactly these, bills held, findings nobody decided, what stands out.

    A bill may be held by no finding at all (its rate schedule cannot price it), so held bills are counted by themselves.
    """
    audit = _AUDITED.get(audit_state(desk, *desk.chosen.values()), "NOT AUDITED since Compute")
    findings = desk.store.query(
        "holds:yes count:int",
        "SELECT CASE severity WHEN 'block' THEN 1 ELSE 0 END AS holds, COUNT(*) AS count FROM exceptions e "  # noqa: S608
        f"WHERE cycle = :c AND period = :p AND state = :open AND severity <> 'info' AND {STILL_HOLDS} GROUP BY 1",
        **desk.chosen,
    ).set_index("holds")["count"]
    words = {False: "findings to look at that nobody decided", True: "findings that hold bills"}
    largest = ready.iloc[int(np.argmax(ready["amount"]))]
    sections = run_sections(desk)
    left = sections.loc[sections["state"].eq(LEFT), "service_id"].tolist()
    return [
        f"{len(ready)} bills of {desk.run}, {money(ready['amount'].sum())} ({audit})",
        *([f"bills held, which are not posted: {held}"] if held else []),
        *(f"{said}: {findings[holds]}" for holds, said in words.items() if holds in findings.index),
        *([f"services left out, whose days go on the next bill: {', '.join(left)}"] if left else []),
        f"the largest: account {largest['account_id']}, {money(largest['amount'])}",
        *_largest_change(desk, sections.loc[sections["state"].eq(DRAFT)].reset_index(drop=True)),
    ]


def _named(bill: Any) -> str:
    return f"account {bill['account_id']}, service {bill['service_id']}"


def _largest_change(desk: Desk, ready: pd.DataFrame) -> list[str]:
    """The service whose consumption is furthest from the same season of last year, for as many days."""
    position, names = pd.factorize(ready["service_id"])
    services = pd.DataFrame({"position": position, "service_to": ready["service_to"], "days": ready["days"]})
    last_year, _ = before(services, History.of(consumption_before(desk), pd.Index(names)))
    off = np.abs(ready["consumption"].to_numpy(dtype=np.float64) - last_year)
    if np.isnan(off).all():
        return ["no service has bills of this season last year to compare with"]
    at = int(np.nanargmax(off))
    bill, then = ready.iloc[at], quantity(round(float(last_year[at])))
    used = f"{quantity(bill['consumption'])} {bill['unit']} in {bill['days']} days"
    return [f"the largest change against last year: {_named(bill)}, {used}, {then} then; {money(bill['amount'])}"]
