"""Posting: every kind by one way, entries with their author and their poster, nobody's but the role the kind names."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from tests.office.asked import TWO, correct, healthy, pay
from tests.office.conftest import Office
from xlbilling.office.outgoing.packs import pack_facts
from xlbilling.office.posting import entries_of, post_waiting, posts, write_entries
from xlbilling.trade import journal as ledger
from xlbilling.trade.documents import ADJUSTMENT, BILL, KINDS, PAYMENT, REVERSAL, shown_as, with_post
from xlbilling.words.problems import Refusal


def people(office: Office) -> list[tuple[str, str, str, str]]:
    """Kind, document, author and poster of the entries after the opening ones."""
    entries = office.table("entries", "kind <> 'opening'")
    return list(entries[["kind", "document", "author", "actor"]].itertuples(index=False, name=None))


@pytest.mark.stage("imported")
@pytest.mark.both_databases
def test_an_entry_keeps_who_took_the_document_in_apart_from_who_posted_it(office: Office) -> None:
    """Cora takes the receipts in and computes, carl types the adjustment and the lead's reversal; the lead posts."""
    cora, carl = pay(office), office.clerk("carl")
    carl.press("refresh")
    correct(carl, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    carl.press("adjust")
    office.lead.press("post")
    cora.press("compute")
    office.lead.press("post")
    carl.press("refresh")
    correct(carl, kind="reverse", document="P0000001")
    carl.press("save")
    office.lead.press("refresh")
    office.lead.press("reverse")
    posted = people(office)
    assert posted[:3] == [
        ("payment", "P0000001", "cora", "lea"),
        ("payment", "P0000002", "cora", "lea"),
        ("adjustment", "A0000001", "carl", "lea"),
    ]
    assert {row[:1] + row[2:] for row in posted[3:-1]} == {("billing", "cora", "lea")}
    assert posted[-1] == ("payment", "A0000002", "carl", "lea")
    cora.press("refresh")
    shown = cora.sheet("payments")
    assert shown.loc[["P0000001", "P0000002"], ["state", "author", "poster"]].to_numpy().tolist() == [
        ["reversed", "cora", "lea"],
        ["posted", "cora", "lea"],
    ]
    assert cora.sheet("adjustments")[["author", "poster"]].to_numpy().tolist() == [["carl", "lea"]] * 2
    assert healthy(office)


@pytest.mark.stage("posted")
def test_an_adjustment_that_was_reversed_says_so(desk_office: Office) -> None:
    lead = desk_office.lead
    correct(lead, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    lead.press("adjust")
    lead.press("post")
    lead.press("refresh")
    correct(lead, kind="reverse", document="A0000001")
    lead.press("reverse")
    assert lead.sheet("adjustments")["state"].tolist() == ["reversed", "posted"]
    assert healthy(desk_office)


@pytest.mark.stage("posted")
def test_start_and_checklist_name_what_waits_of_every_kind(desk_office: Office) -> None:
    lead = desk_office.lead
    lead.press("import_payments", PaymentsFile=desk_office.file("p.csv", TWO))
    correct(lead, kind="adjust", account_id="0000001", amount=-1000, gl_account="4020")
    correct(lead, kind="reverse", document="B0000001")
    lead.press("save")
    lead.press("checklist")
    item = lead.sheet("close").loc["All batches are posted"]
    assert (item["state"], item["detail"]) == (
        "open",
        "2 receipts (press Post); 1 adjustments (press Post); 1 reversals (press Reverse)",
    )
    rows = lead.sheet("today").reset_index()
    rows = rows.loc[rows["what"].str.endswith("to post"), ["what", "count", "button", "go_to"]]
    assert rows.to_numpy().tolist() == [
        ["Receipts to post", 2, "Post", "Payments"],
        ["Adjustments to post", 1, "Post", "Adjustments"],
        ["Reversals to post", 1, "Reverse", "Adjustments"],
        ["Draft bills to post", 0, "", "Bills"],
    ]


@pytest.mark.stage("computed")
@pytest.mark.parametrize("kind", with_post(), ids=lambda kind: kind.entry)
def test_a_kind_is_posted_by_the_role_it_names(desk_office: Office, kind) -> None:
    desk = desk_office.clerk("cora").desk()
    with desk.store.work("cora", "post") as work, pytest.raises(Refusal) as refused:
        post_waiting(desk.within(work), work, kind)
    assert refused.value.problem.code == "not_allowed"
    assert f"Posting {kind.words} needs the role lead" in str(refused.value)


def test_the_declarations_hold_together() -> None:
    """Every series of numbers is of one table, Post takes receipts before bills, and a way of its own needs a reason."""
    series = {(kind.letters, kind.table) for kind in KINDS}
    batches = [kind.batch_letters for kind in KINDS]
    assert len({letters for letters, _ in series}) == len(series)
    assert len(set(batches)) == len(batches)
    assert not {letters for letters, _ in series} & set(batches)
    assert with_post() == (PAYMENT, ADJUSTMENT, BILL)
    assert [kind.word for kind in KINDS if kind.at_once] == [REVERSAL.word]
    assert [shown_as(line) for line in ("billed", "received", "adjusted")] == [
        ("billing",),
        ("payment",),
        ("adjustment",),
    ]
    with pytest.raises(ValueError, match="two places"):
        posts(PAYMENT)(lambda desk, work: [])
    with pytest.raises(ValueError, match="two places"):
        posts(replace(BILL))(lambda desk, work: [])


@pytest.mark.stage("posted")
def test_a_document_that_counts_as_billed_is_in_the_register_of_the_pack(
    desk_office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A penalty of 5.00, which no kind here is: 405.00 of bills and 5.00 are 410.00 billed, on sheet and control."""
    charged = replace(
        ADJUSTMENT, entry="penalty", word="penalty", words="penalties", batch_letters="PN", where="", control="billed"
    )
    for module in ("xlbilling.trade.documents", "xlbilling.office.outgoing.packs"):
        monkeypatch.setattr(f"{module}.KINDS", (*KINDS, charged))
    store = desk_office.store()
    with store.work("lea", "post") as work:
        one = pd.DataFrame({"document": ["N0000001"], "account_id": ["0000001"], "amount": [500]})
        entries = entries_of(work, one, "2026-11", "penalty", "PN0000001", pd.Timestamp("2026-11-23"))
        sides = one.assign(debit="1210", credit="4090")
        write_entries(work, entries, ledger.pair_entries(sides, int(entries["entry"].iloc[0])))
        work.event("posted")
    store.close()
    facts = pack_facts(desk_office.lead.desk())
    assert int(facts.register["amount"].sum()) == int(facts.control["billed"].sum()) == 41000
    row = facts.register.iloc[-1]
    assert (row["number"], row["customer_class"], row["amount"], row["consumption"]) == ("N0000001", "penalty", 500, 0)
    assert pd.isna(row["service_to"])
    assert facts.by_class.set_index("customer_class").loc["penalty", "revenue"] == 500
    assert "410.00 billed" in desk_office.lead.press("report_pack").said
