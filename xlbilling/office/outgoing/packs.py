"""Reporting: the report pack, the close packet, the print file of a batch."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Final

import pandas as pd

from xlbilling.office.bills.estimates import BY_THE_OFFICE, settled_estimates, told_on_bill
from xlbilling.office.books.ledger import control, differences_of, ledger_ending
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, money
from xlbilling.office.desk.looking import Look
from xlbilling.office.desk.policy import aging_buckets
from xlbilling.papers.pack import CloseFacts, PackFacts, close_packet
from xlbilling.papers.pack import report_pack as fill_pack
from xlbilling.papers.print_file import print_file as make_print_file
from xlbilling.papers.template import template_file
from xlbilling.store.schema import columns_of
from xlbilling.store.views import OF_SECTION
from xlbilling.store.views import view as declare_view
from xlbilling.trade.aging import age
from xlbilling.trade.documents import BILL, KINDS, OPENING, shown_as
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.words.states import BILLED, DECIDED, OPEN
from xlbilling.workbook.file.package import write_whole

NO_BATCH: Final = declare("no_batch", "The run has no posted bills to print.", "Press Post first.")


def report_pack(desk: Desk) -> Outcome:
    """Fill the report pack of the period from its template."""
    target = desk.folder / f"report-pack-{desk.period}.xlsx"
    facts = pack_facts(desk)
    fill_pack(template_file("report-pack.xlsx", desk.folder), target, facts)
    count = facts.register["number"].nunique()
    return Outcome(f"{target.name}: {count} documents, {money(facts.register['amount'].sum())} billed.")


def pack_facts(desk: Desk) -> PackFacts:
    """Everything the report pack of the period says, from posted documents only."""
    register = _with_other_charges(desk, _register(desk))
    rules = desk.rules_on(desk.period.last)
    return PackFacts(
        district=rules.text("district", "name"),
        period=str(desk.period),
        made_at=desk.store.clock().strftime("%Y-%m-%d %H:%M"),
        chain_head=_head(desk),
        register=register,
        by_class=_by_class(register),
        exceptions=_exceptions(desk),
        control=_control(desk),
        aging=_aging(desk),
        buckets=aging_buckets(rules),
    )


def _head(desk: Desk) -> str:
    return str(desk.store.value("SELECT seal FROM events ORDER BY event DESC LIMIT 1") or "")


def _register(desk: Desk) -> pd.DataFrame:
    """Bills posted in the period, and bills reversed in it with the sign turned, a row a service billed.

    Together they are what the control says was billed.
    """
    return desk.store.query(
        "number account_id name service_id customer_class service_from:day service_to:day read_code consumption:int unit amount:int due_date:day",
        """
        SELECT b.number, b.account_id, a.name, b.service_id, b.customer_class, b.service_from, b.service_to, b.read_code, b.consumption,
               b.unit, b.amount, b.due_date
          FROM sections b JOIN entries e ON e.document = b.number AND e.kind = 'billing' AND e.reverses IS NULL
          JOIN accounts a ON a.account_id = b.account_id WHERE e.period = :p
        UNION ALL
        SELECT e.document, b.account_id, a.name, b.service_id, b.customer_class, b.service_from, b.service_to, b.read_code, -b.consumption,
               b.unit, -b.amount, b.due_date
          FROM entries e JOIN entries o ON o.entry = e.reverses JOIN sections b ON b.number = o.document
          JOIN accounts a ON a.account_id = b.account_id WHERE e.period = :p AND e.kind = 'billing'
        ORDER BY 1, 4
        """,
        p=str(desk.period),
    )


declare_view(
    "charged_otherwise",
    "number account_id name kind amount:int due_date:day",
    """
    SELECT r.document AS number, r.account_id, a.name, r.kind, SUM(r.amount) AS amount, r.post_date AS due_date
      FROM receivable r JOIN accounts a ON a.account_id = r.account_id
     WHERE r.period = :p AND r.kind NOT IN (:bill, :opening)
     GROUP BY r.document, r.account_id, a.name, r.kind, r.post_date ORDER BY r.document
    """,
    bill=BILL.entry,
    opening=OPENING,
)


def _with_other_charges(desk: Desk, register: pd.DataFrame) -> pd.DataFrame:
    """The register with the documents that are no bills and count as billed all the same, each under its own name.

    They are for no service and no days; so the register stays what the control says was billed.
    """
    others = desk.store.view("charged_otherwise", p=str(desk.period))
    others = others.loc[others["kind"].isin(shown_as("billed"))]
    if others.empty:
        return register
    words = {kind.entry: kind.word for kind in KINDS}
    blank: dict[str, Any] = {
        "service_id": "",
        "read_code": "",
        "unit": "",
        "consumption": 0,
        "service_from": pd.NaT,
        "service_to": pd.NaT,
    }
    rows = others.assign(customer_class=others["kind"].map(words), **blank)[list(register.columns)]
    return pd.concat([register, rows.astype(register.dtypes.to_dict())], ignore_index=True)


def _by_class(register: pd.DataFrame) -> pd.DataFrame:
    grouped = register.groupby("customer_class", sort=True)
    made = grouped.agg(bills=("number", "count"), consumption=("consumption", "sum"), revenue=("amount", "sum"))
    return made.reset_index()


def _exceptions(desk: Desk) -> pd.DataFrame:
    """The period's findings counted by check and severity."""
    found = desk.store.query(
        "rule severity state",
        "SELECT rule, severity, state FROM exceptions WHERE period = :p AND state <> :gone ORDER BY rule",
        p=str(desk.period),
    )
    states = {state: found["state"].eq(state) for state in (DECIDED, BILLED, OPEN)}
    counted = found.assign(**states, count=1)
    made = counted.groupby(["rule", "severity"], as_index=False)[["count", *states]].sum()
    return made.astype(dict.fromkeys(["count", *states], "int64"))


def _control(desk: Desk) -> pd.DataFrame:
    """The receivables control beside the general ledger's ending balance, blank where no export is in."""
    made = control(desk)
    names = desk.store.table("gl_accounts").set_index("gl_account")["name"]
    made["name"] = made["gl_account"].map(names)
    ledger = ledger_ending(desk)
    made["ledger"] = pd.array([ledger.get(account, pd.NA) for account in made["gl_account"]], dtype="Int64")
    made["received"] = -made["received"]
    made["difference"] = made["ending"] - made["ledger"]
    return made[["gl_account", "name", "beginning", "billed", "received", "adjusted", "ending", "ledger", "difference"]]


declare_view(
    "documents_owed",
    "account_id document due_date:day post_date:day amount:int",
    """
    SELECT r.account_id, r.document, COALESCE(b.due_date, r.post_date) AS due_date, r.post_date, SUM(r.amount) AS amount
    FROM receivable r LEFT JOIN bills b ON b.number = r.document
    WHERE r.period <= :p AND r.reverses IS NULL
      AND NOT EXISTS (SELECT 1 FROM entries e WHERE e.reverses = r.entry AND e.period <= :p)
    GROUP BY r.account_id, r.entry, r.document, b.due_date, r.post_date
    """,
)


def _aging(desk: Desk) -> pd.DataFrame:
    """Who owes what and for how long, as of the last day of the period."""
    rules = desk.rules_on(desk.period.last)
    by_due = rules.choice("aging", "age_from", "bill_date", "due_date") == "due_date"
    documents = desk.store.view("documents_owed", p=str(desk.period))
    documents["age_from"] = documents["due_date" if by_due else "post_date"]
    aged = age(documents.rename(columns={"amount": "amount_cents"}), desk.period.last, aging_buckets(rules))
    names = desk.store.table("accounts").set_index("account_id")["name"]
    aged.insert(1, "name", aged["account_id"].map(names).fillna(""))
    return aged.loc[aged.drop(columns=["account_id", "name"]).ne(0).any(axis=1)].reset_index(drop=True)


def write_close_packet(desk: Desk, items: pd.DataFrame, head: str) -> Path:
    """Write the close packet of the closed period on Start: the checklist and the head of the chain as of its close."""
    row = desk.store.table("periods", "period = :p", p=str(desk.period)).iloc[0]
    target = desk.folder / f"close-packet-{desk.period}.xlsx"
    facts = CloseFacts(
        desk.rules_on(desk.period.last).text("district", "name"), str(desk.period), row["closed_by"], row["closed_at"], head,
        items[["item", "state", "detail", "signed_reason", "signed_by"]], _control(desk),
        differences_of(desk),
    )  # fmt: skip
    close_packet(template_file("close-packet.xlsx", desk.folder), target, facts)
    return target


def print_file(desk: Desk) -> Outcome:
    """Write the print file of the cycle's first batch of the month that was not printed yet.

    Where all are printed, the kept original of the latest is written again.
    """
    batches = "SELECT {0}(batch) FROM batches b WHERE kind = 'bills' AND cycle = :c AND period = :p"
    unprinted = " AND NOT EXISTS (SELECT 1 FROM printed p WHERE p.batch = b.batch)"
    batch = desk.store.value(batches.format("MIN") + unprinted, **desk.chosen) or desk.store.value(
        batches.format("MAX"), **desk.chosen
    )
    if batch is None:
        raise Refusal(NO_BATCH.at(Place(table="bills"), f"cycle {desk.cycle} of {desk.period} has no posted batch"))
    target = desk.folder / f"print-{batch}.csv"
    look = Look(desk)
    kept = look.at(lambda at: at.store.table("printed", "batch = :b", b=batch))
    if len(kept):
        content = bytes(kept["content"].iloc[0])
        write_whole(target, content)
        return Outcome(f"{target.name}: the original of {kept['at'].iloc[0]}, written again.")
    content = make_print_file(*_print_frames(desk, str(batch)))
    with look.work("print_file") as work:
        digest = hashlib.sha256(content).hexdigest()
        work.insert_one("printed", batch=batch, file_name=target.name, content=content, digest=digest, at=work.at)
        work.event(f"Printed {batch}: {digest[:16]}")
    write_whole(target, content)
    lines = content.count(b"\r\n")
    return Outcome(f"{target.name}: {lines - 1} bills.")


def _print_frames(desk: Desk, batch: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Bills, sections, lines and history of a batch as the print file wants them, in the order of the routes."""
    sections = desk.store.query(
        OF_SECTION | {"premise": "", "service_type": "", "route": ""},
        "SELECT b.*, s.premise, s.service_type, s.route FROM sections b JOIN services s ON s.service_id = b.service_id "
        "WHERE b.batch = :b ORDER BY b.number, b.service_id",
        b=batch,
    )
    reads = desk.store.query(
        "number service_id previous_read previous_date:day this_read this_date:day",
        "SELECT r.number, r.service_id, MIN(r.previous_read) AS previous_read, MIN(r.previous_date) AS previous_date, "
        "MIN(r.dial_read) AS this_read, MAX(r.read_date) AS this_date FROM bill_reads r JOIN bills b ON b.number = r.number "
        "WHERE b.batch = :b GROUP BY r.number, r.service_id",
        b=batch,
    ).rename(columns={"this_date": "read_date"})
    sections = sections.merge(reads, on=["number", "service_id"], how="left").rename(columns={"read_date": "this_date"})
    sections = sections.fillna({"previous_read": "", "this_read": ""})
    sections["this_date"] = sections["this_date"].fillna(sections["service_to"])
    sections["previous_date"] = sections["previous_date"].fillna(sections["service_from"])
    sections["estimated"] = sections["read_code"].eq("estimated")
    sections["estimate"] = sections["estimate"].where(
        sections["estimate"].ne("") | ~sections["estimated"], BY_THE_OFFICE
    )
    of_batch = "service_id IN (SELECT s.service_id FROM bills b JOIN bill_services s ON s.number = b.number WHERE b.batch = :b)"
    sections["settles"] = settled_estimates(desk, sections, of_batch, b=batch)
    lines = desk.store.query(
        columns_of("bill_lines"),
        "SELECT l.* FROM bill_lines l JOIN bills b ON b.number = l.number WHERE b.batch = :b ORDER BY l.number, l.line",
        b=batch,
    )
    lines["charge"] = lines["charge"] + lines["tier"].map(lambda tier: f" tier {tier}" if tier else "")
    return _printed_bills(desk, batch, sections), sections, lines, _history(desk, batch, sections)


def _printed_bills(desk: Desk, batch: str, sections: pd.DataFrame) -> pd.DataFrame:
    """The documents of a batch with their customers, what they owed before, and what their sections have to say."""
    bills = desk.store.query(
        {**columns_of("bills"), "name": "", "mail_street": "", "mail_city": ""},
        "SELECT b.*, a.name, a.mail_street, a.mail_city FROM bills b JOIN accounts a ON a.account_id = b.account_id "
        "WHERE b.batch = :b ORDER BY b.number",
        b=batch,
    )
    owed = _owed_before(desk, batch)
    bills["previous_balance"] = bills["account_id"].map(owed["before"]).fillna(0).astype("int64")
    bills["payments_since"] = -bills["account_id"].map(owed["received"]).fillna(0).astype("int64")
    # Where an account has two bills in a batch its earlier balance stands on the first of them.
    again = bills["account_id"].duplicated()
    bills.loc[again, ["previous_balance", "payments_since"]] = 0
    bills["total_charges"] = bills["amount"]
    bills["amount_due"] = bills["previous_balance"] - bills["payments_since"] + bills["amount"]
    told = [told_on_bill(*said) for said in zip(sections["estimate"], sections["settles"], strict=True)]
    of_bill = sections.assign(told=told, several=sections["number"].duplicated(keep=False))
    of_bill = of_bill.loc[of_bill["told"].ne("")]
    of_bill["told"] = of_bill["told"].where(
        ~of_bill["several"], "Service " + of_bill["service_id"] + ": " + of_bill["told"]
    )
    messages = of_bill.groupby("number")["told"].agg(" ".join).to_dict()
    bills["messages"] = [messages.get(number, "") for number in bills["number"]]
    route = sections.groupby("number")["route"].first()
    return bills.assign(route=bills["number"].map(route)).sort_values(["route", "number"], ignore_index=True)


declare_view(
    "owed_before_batch",
    "account_id before:int received:int",
    """
    SELECT r.account_id,
      SUM(CASE WHEN r.kind = 'payment' AND r.post_date > COALESCE(last.bill_date, '') THEN 0 ELSE r.amount END) AS before,
      SUM(CASE WHEN r.kind = 'payment' AND r.post_date > COALESCE(last.bill_date, '') THEN r.amount ELSE 0 END) AS received
    FROM receivable r
    LEFT JOIN (SELECT account_id, MAX(bill_date) AS bill_date FROM bills WHERE batch <> :b GROUP BY account_id) last
      ON last.account_id = r.account_id
    WHERE r.entry < (SELECT MIN(entry) FROM entries WHERE batch = :b)
      AND r.account_id IN (SELECT account_id FROM bills WHERE batch = :b)
    GROUP BY r.account_id
    """,
)


def _owed_before(desk: Desk, batch: str) -> pd.DataFrame:
    """What each account owed before the batch: the balance up to its last bill, and what was received since."""
    return desk.store.view("owed_before_batch", b=batch).set_index("account_id")


declare_view(
    "used_by_services_of_batch",
    "service_id service_to:day consumption:int",
    "SELECT service_id, service_to, consumption FROM used WHERE service_id IN "
    "(SELECT s.service_id FROM bills b JOIN bill_services s ON s.number = b.number WHERE b.batch = :b)",
)


def _history(desk: Desk, batch: str, sections: pd.DataFrame) -> pd.DataFrame:
    """Consumption of each section's service by the month its read fell in."""
    used = desk.store.view("used_by_services_of_batch", b=batch)
    made = used.merge(sections[["service_id", "number"]], on="service_id")
    made["month"] = made["service_to"].dt.strftime("%Y-%m")
    return made[["number", "service_id", "month", "consumption"]]
