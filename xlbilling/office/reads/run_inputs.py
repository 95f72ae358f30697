"""What a run's bills are computed from, as a digest: whether anything of it is another by now.

Drafts and findings remember what they were made from; what comes later, and rules no bill goes by, leave them as they are.
"""

from __future__ import annotations

import hashlib
from typing import Final

from xlbilling.office.desk.desk import Desk, policy_on
from xlbilling.office.desk.history import last_write
from xlbilling.store import Store, Work

_RULES: Final = ("billing", "check", "reads")  # topics of Policy that bills go by


def inputs_digest(work: Work | Store, desk: Desk) -> str:
    """A digest of what the run's drafts are computed from: reads, decisions, services left out, earlier bills, and
    the tables bills go by.
    """
    decisions = work.query(
        "exception_id fact decision override_read day",
        "SELECT exception_id, fact, decision, override_read, COALESCE(override_date, '') AS day FROM exceptions "
        "WHERE cycle = :c AND period = :p AND decision <> '' AND state <> :gone ORDER BY exception_id",
        **desk.chosen,
    )
    left_out = work.query(
        "service_id reason",
        "SELECT service_id, reason FROM left_out WHERE cycle = :c AND period = :p AND decision <> '' ORDER BY service_id",
        **desk.chosen,
    )
    return _digest(work, desk, repr([decisions.to_numpy().tolist(), left_out.to_numpy().tolist()]))


def checked_from(desk: Desk) -> str:
    """A digest of what the run's reads are checked by: as of drafts, but without the decisions, which may come meanwhile."""
    return _digest(desk.store, desk, "")


def _digest(work: Work | Store, desk: Desk, decisions: str) -> str:
    run = desk.chosen
    reads = work.query(
        "read_id:int",
        "SELECT read_id FROM reads WHERE cycle = :c AND period = :p AND state = :current ORDER BY read_id",
        **run,
    )
    # What comes later, and rules that no bill goes by, leave the drafts as they are.
    rules = policy_on(work, desk.run_day)
    rules = rules.loc[rules["topic"].isin(_RULES), ["topic", "setting", "value", "severity"]]
    tables = last_write(work, "cycles", "services", "meters", "rates")
    earlier = work.query(
        "count:int number",
        "SELECT COUNT(*) AS count, MAX(t.number) AS number FROM standing_bills t "
        "JOIN services s ON s.service_id = t.service_id WHERE s.cycle = :c",
        c=run["c"],
    )
    ended = work.query(
        "account_id status closed_on:day?",
        "SELECT DISTINCT a.account_id, a.status, a.closed_on FROM accounts a JOIN services s ON s.account_id = a.account_id "
        "WHERE s.cycle = :c AND (a.closed_on IS NOT NULL OR a.status <> 'active') ORDER BY a.account_id",
        c=run["c"],
    )
    digest = hashlib.sha256(repr([tables, *earlier.iloc[0].tolist()]).encode())
    if len(ended):  # of Accounts bills go by who ended and when, not by names and phone numbers
        digest.update(ended.to_csv(index=False).encode())
    digest.update(reads["read_id"].to_numpy().tobytes())
    digest.update(repr([decisions, rules.to_numpy().tolist()]).encode())
    return digest.hexdigest()
