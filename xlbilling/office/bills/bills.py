"""Bills: the run's drafts and posted bills as the sheets show them, and the services that bills are sent without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.history import keep_change
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.undo import Step, overtaken, takes_back
from xlbilling.office.desk.views import OF_CYCLE, run_bills, run_sections
from xlbilling.office.reads.findings import REASON_MISSING
from xlbilling.store import Work
from xlbilling.store.views import view as declare_view
from xlbilling.words.problems import Problem, declare
from xlbilling.words.records import TABLE
from xlbilling.words.states import HELD, LEFT, POSTED, REVERSED

NOT_HELD: Final = declare(
    "not_held",
    "Only a service that is held itself can be left out of its account's bill.",
    "Clear the decision. Where the service waits for another one, leave that one out.",
)


declare_view(
    "customers_of_run",
    "account_id name",
    "SELECT account_id, name FROM accounts WHERE account_id IN "  # noqa: S608
    "(SELECT account_id FROM draft_bills WHERE cycle = :c AND period = :p) OR account_id IN "
    f"(SELECT b.account_id FROM bills b WHERE {OF_CYCLE} AND b.period = :p)",
)


@surface("bills")
class Bills(Surface):
    """Drafts and posted bills of the run, one an account; a reversed one says so."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        drafts, posted = run_bills(desk)
        posted["state"] = np.where(posted["reversed"].ne(""), REVERSED, POSTED)
        made = pd.concat([drafts.assign(number=""), posted], ignore_index=True)
        names = desk.store.view("customers_of_run", **desk.chosen).set_index("account_id")["name"]
        return made.assign(name=made["account_id"].map(names).fillna(""), services=_services_on(desk, made))


def _services_on(desk: Desk, bills: pd.DataFrame) -> list[str]:
    """The services on each bill, in the order of its sections; left ones are not on it."""
    sections = run_sections(desk)
    on_it = sections.loc[sections["state"].ne(LEFT)]
    named = on_it["service_id"].groupby(on_it["number"].where(on_it["number"].ne(""), on_it["bill_key"])).agg(", ".join)
    return [named.get(key, "") for key in bills["number"].where(bills["number"].ne(""), bills["bill_key"])]


@surface("bill_lines")
class BillLines(Surface):
    """The priced charges of the run's drafts and posted bills."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        drafts = desk.store.view("draft_lines_of_run", **desk.chosen)
        posted = desk.store.view("bill_lines_of_run", **desk.chosen)
        return pd.concat([drafts.assign(number=""), posted], ignore_index=True) if len(drafts) else posted


# ---- services left out ----------------------------------------------------------------------------------------------


def left_out(desk: Desk) -> pd.Series[str]:
    """The services that the lead lets the run's bills go without while they are held, with the reason of each."""
    decided = desk.store.table("left_out", "cycle = :c AND period = :p AND decision <> ''", **desk.chosen)
    return decided.set_index("service_id")["reason"]


@surface("bill_services", role="lead")
class BillSections(Surface):
    """The services on the run's bills; Save writes which held ones are left out, with the reason."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return _with_decisions(desk, run_sections(desk))

    def history(self, desk: Desk) -> str:
        return f"left out {desk.cycle} {desk.period}"

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        told = []
        for label, row, _ in change.pairs():
            if not row["decision"]:
                continue
            if row["state"] not in (HELD, LEFT):
                fact = f"{row['service_id']} is {row['state']}" + (f": {row['why']}" if row["why"] else "")
                told.append(NOT_HELD.at(change.place(label, "decision"), fact))
            elif not row["reason"].strip():
                fact = f"service {row['service_id']} is left out without a reason"
                told.append(REASON_MISSING.at(change.place(label, "reason"), fact))
        return told

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        run, written = {"cycle": desk.run.cycle, "period": desk.run.period}, []
        said = (
            f"{row['service_id']}: {row['reason'].strip() if row['decision'] else 'billed again'}"
            for _, row, _ in change.pairs()
        )
        event = work.event(f"Left out of the bills of {desk.run}: {'; '.join(said)}")
        for label, row, old in change.pairs():
            service, decision = row["service_id"], row["decision"]
            decided = {"decision": decision, "reason": row["reason"].strip(), "decided_by": "", "decided_at": ""}
            if decision:
                decided |= {"decided_by": work.actor, "decided_at": work.at}
            if not _decide(work, {**run, "service_id": service}, int(old["rev"]), decided):
                raise changed_meanwhile(desk, change, label, row["section"])
            keep_change(work, self.history(desk), row["section"], event, old, row, TABLE[self.name].names("typed"))
            before = {name: old[name] for name in ("decision", "reason", "decided_by")}
            written.append({"service": service, "written": decided, "before": before | {"decided_at": ""}})
        return [{"kind": "left out", **run, "services": written}]


def _with_decisions(desk: Desk, sections: pd.DataFrame) -> pd.DataFrame:
    """The sections with what the lead decided on those that are not posted."""
    decided = desk.store.table("left_out", "cycle = :c AND period = :p", **desk.chosen).set_index("service_id")
    mine = decided.reindex(sections["service_id"]).reset_index(drop=True)
    posted = sections["number"].ne("")
    words = {
        name: mine[name].fillna("").mask(posted, "").astype("str") for name in ("decision", "reason", "decided_by")
    }
    return sections.assign(**words, rev=mine["rev"].fillna(1).mask(posted, 1).astype("int64"))


def _decide(work: Work, key: dict[str, str], rev: int, decided: dict[str, str]) -> bool:
    """Write a decision at the revision it was typed on; a service nobody decided on yet is at revision 1."""
    where = "cycle = :cycle AND period = :period AND service_id = :service_id"
    if rev > 1 or work.value(f"SELECT 1 FROM left_out WHERE {where}", **key):  # noqa: S608
        return work.update("left_out", key, rev, decided)
    work.insert_one("left_out", **key, **decided, rev=2)
    return True


@takes_back("left out")
def take_back(work: Work, step: Step) -> None:
    """Give services the decision they had before; refused where somebody has decided on one since."""
    for service in step["services"]:
        key = {"cycle": step["cycle"], "period": step["period"], "service_id": service["service"]}
        now = work.table("left_out", "cycle = :cycle AND period = :period AND service_id = :service_id", **key).iloc[0]
        if any(now[name] != service["written"][name] for name in ("decision", "reason", "decided_by")):
            raise overtaken("bill_services", service["service"], f"{service['service']} was decided again since")
        work.update("left_out", key, int(now["rev"]), service["before"])
