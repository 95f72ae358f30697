"""The sample district's files: the same bytes every time, and every planted trouble found."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from desk_of_district import parsed, settled

from tests.journal_oracle import bill_entries
from xlbilling.demo.decisions import DECIDES, decide
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.files import (
    MANUAL_JOURNAL,
    UNKNOWN_ACCOUNT,
    corrected_read_file,
    gl_export,
    payments_file,
    planted,
    read_file,
)
from xlbilling.intake.gl import read_ledger
from xlbilling.intake.receipts.reading import read_receipts
from xlbilling.trade import journal as ledger
from xlbilling.trade.reads import CHECKS
from xlbilling.trade.receipts import check
from xlbilling.trade.reconcile import Reconciliation, Terms, reconcile
from xlbilling.words.periods import AccountingPeriod


@pytest.fixture(scope="module")
def district() -> District:
    return sample_district()


@pytest.fixture(params=["2026-10", "2026-11"])
def run(request, district: District):
    return district.due(request.param)[0]


def test_bytes_are_the_same_every_time(district: District, run) -> None:
    again = sample_district()
    assert read_file(district, run) == read_file(again, again.due(run.period)[0])
    assert payments_file(district.balances, "2026-10") == payments_file(again.balances, "2026-10")


def test_read_file_is_beacon_with_mixed_units_and_only_planted_rejects(district: District, run, tmp_path) -> None:
    found = parsed(read_file(district, run), tmp_path)
    assert found.format == "beacon"
    assert found.balance.holds
    assert set(found.reads["unit"]) == {"CF", "CCF", "GAL"}
    told = {(p.line, p.reject) for p in planted(district, run) if p.reject}
    assert {(int(r.source_line), r.code) for r in found.rejects.itertuples()} == told
    assert {code for _, code in told} == {"bad_record", "duplicate"}
    longest = found.reads["dial_read"].str.len().max()
    assert longest <= 9  # what the layout has room for
    window = (str(run.read_from.date()), str(run.read_to.date()))
    dated = found.reads["read_date"].loc[found.reads["read_date"].ne("")]
    assert dated.between(*window).all()


def test_every_planted_trouble_is_found_and_nothing_else_blocks(district: District, run, tmp_path) -> None:
    found = settled(district, run, parsed(read_file(district, run), tmp_path).reads)
    troubles = [p for p in planted(district, run) if p.check]
    kinds = Counter(p.check for p in troubles)
    assert set(kinds) == {
        "missing_read", "no_read", "unknown_meter", "duplicate_read", "read_below_last", "rollover", "stuck", "high",
        "spike", "inactive_consumption",
    }  # fmt: skip
    ids = set(found.findings["exception_id"])
    assert [p for p in troubles if p.exception_id not in ids] == []
    blocking = found.findings.loc[found.findings["severity"].eq("block"), "exception_id"]
    beside = set(blocking) - {p.exception_id for p in troubles}
    assert len(beside) <= 0.005 * len(found.services)
    flagged = found.findings["service_id"].nunique() / len(found.services)
    assert 0.02 < flagged < 0.10  # a desk with work on it, that one clerk can clear


def test_lines_named_by_planted_carry_their_meter(district: District, run) -> None:
    lines = read_file(district, run).decode().splitlines()
    for trouble in planted(district, run):
        if trouble.line:
            assert lines[trouble.line - 1].split(",")[3] == trouble.meter_id
        else:
            assert not any(f",{trouble.meter_id}," in line for line in lines)


def test_the_clerk_decides_everything_and_only_the_spike_waits_for_its_reread(
    district: District, run, tmp_path
) -> None:
    first = settled(district, run, parsed(read_file(district, run), tmp_path).reads)
    typed = decide(first.findings)
    assert typed["decision"].ne("").all()
    assert typed["reason"].ne("").all()
    decisions = typed.assign(decided_by="clerk", decided_at="2026-10-09T09:00:00")
    second = settled(district, run, parsed(read_file(district, run), tmp_path).reads, decisions)
    held = second.services.loc[second.services["hold"].ne("")]
    spike = next(p for p in planted(district, run) if p.check == "spike")
    assert held["service_id"].tolist() == [spike.service_id]
    third = settled(district, run, parsed(corrected_read_file(district, run), tmp_path).reads, decisions)
    assert third.services["hold"].eq("").all()
    assert spike.exception_id not in set(third.findings["exception_id"])


def test_the_corrected_file_differs_in_one_read(district: District, run) -> None:
    old, new = (made.decode().splitlines() for made in (read_file(district, run), corrected_read_file(district, run)))
    differs = [n for n, pair in enumerate(zip(old, new, strict=True), 1) if pair[0] != pair[1]]
    spike = next(p for p in planted(district, run) if p.check == "spike")
    assert differs == [spike.line]


def test_the_next_run_reads_on_from_this_one(district: District) -> None:
    dials = {}
    for period in ("2026-10", "2026-12"):
        rows = csv.DictReader(io.StringIO(read_file(district, district.run("A", period)).decode()))
        dials[period] = {(r["Meter_ID"], r["Register_Number"]): r["Read"] for r in rows if r["Read"]}
    both = dials["2026-10"].keys() & dials["2026-12"].keys()
    on = sum(int(dials["2026-12"][key]) >= int(dials["2026-10"][key]) for key in both)
    assert len(both) > 1000
    assert on > 0.99 * len(both)
    with pytest.raises(ValueError, match="no run"):
        district.run("B", "2026-10")


def test_every_check_has_a_decision_and_a_typed_one_stays() -> None:
    assert set(DECIDES) == set(CHECKS)
    assert {what for what, _ in DECIDES.values()} <= {"accept", "estimate", "reread"}
    findings = pd.DataFrame({"rule": ["spike", "high"], "decision": ["accept", ""], "reason": ["seen", ""]})
    typed = decide(findings)
    assert typed["decision"].tolist() == ["accept", "accept"]
    assert typed["reason"].tolist() == ["seen", "Customer told of a possible leak"]


def test_payments_are_read_and_only_the_stray_and_the_repeated_one_refused(district: District, tmp_path) -> None:
    path = tmp_path / "payments.csv"
    path.write_bytes(payments_file(district.balances, "2026-10"))
    receipts = read_receipts(path)
    assert receipts.rejects == []
    frame = receipts.frame.assign(place=receipts.frame["source_line"].astype("str"))
    nothing = frame.iloc[:0]
    taken, refused = check(frame, district.accounts["account_id"], nothing, AccountingPeriod(2026, 10).last)
    assert sorted(p.code for p in refused) == ["payment_twice", "unknown_account"]
    assert UNKNOWN_ACCOUNT in next(p.fact for p in refused if p.code == "unknown_account")
    owed = district.balances.set_index("account_id")["amount"]
    paid = taken.set_index("account_id")["amount"]
    assert 0.5 < len(taken) / owed.gt(0).sum() < 0.7
    assert paid.le(owed[paid.index]).all()
    assert 0.03 < paid.lt(owed[paid.index]).mean() < 0.25
    assert taken["reference"].is_unique


def _books(district: District, adjusted: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A month posted by hand: 300 bills on one day, 120 receipts over four days, and two adjustments if asked for."""
    ids = district.accounts["account_id"].to_numpy()
    bills = pd.DataFrame({"number": [f"B{n:07d}" for n in range(300)], "account_id": ids[:300]})
    bills["amount"] = 10_010 + np.arange(300)
    lines = pd.concat(
        [
            pd.DataFrame({"number": bills["number"], "gl_account": "4010", "amount": 4000}),
            pd.DataFrame({"number": bills["number"], "gl_account": "4020", "amount": bills["amount"] - 4000}),
        ]
    )
    paid = pd.DataFrame({"debit": "1010", "credit": "1210", "account_id": ids[:120], "amount": 4007 + np.arange(120)})
    amended = pd.DataFrame({"debit": "1210", "credit": "4020", "account_id": ids[:2], "amount": [-2513, -1302]})
    parts = [
        ("billing", "BL0000001", bills["number"].tolist(), bill_entries(bills, lines, "1210", 1), ["12"] * 300),
        ("payment", "PY0000001", [f"P{n:07d}" for n in range(120)], ledger.pair_entries(paid, 301), [*"4569"] * 30),
        ("adjustment", "AJ0000001", ["A0000001", "A0000002"], ledger.pair_entries(amended, 421), ["20", "20"]),
    ][: 3 if adjusted else 2]
    entries = pd.concat(
        [
            pd.DataFrame({"kind": kind, "batch": batch, "document": documents, "day": days})
            for kind, batch, documents, _, days in parts
        ],
        ignore_index=True,
    )
    entries["post_date"] = pd.to_datetime("2026-10-" + entries["day"].str.zfill(2))
    entries = entries.assign(entry=np.arange(1, len(entries) + 1), period="2026-10")
    return entries, pd.concat([journal for *_, journal, _ in parts], ignore_index=True)


def _reconciled(district: District, adjusted: bool, folder: Path) -> tuple[Reconciliation, str]:
    entries, journal = _books(district, adjusted)
    path = folder / "gl.csv"
    path.write_bytes(gl_export(entries, journal, district.gl_accounts, "2026-10"))
    export = read_ledger(path)
    assert export.profile == "plain_dc"
    assert export.postings["amount_cents"].sum() == 0
    numbers = district.gl_accounts["gl_account"].tolist()
    subledger = journal.merge(entries, on="entry").rename(columns={"amount": "amount_cents", "document": "reference"})
    subledger["id"] = subledger["entry"].astype("str") + "-" + subledger["line"].astype("str")
    period = AccountingPeriod(2026, 10)
    terms = Terms(period.first, period.last, {n: n for n in numbers}, ("1210",))
    return reconcile(subledger, export.frame, terms), path.read_text()


def test_ledger_export_has_exactly_the_two_planted_differences(district: District, tmp_path) -> None:
    """The adjustments took off 25.13 + 13.02 = 38.15; the export has 83.15: off by 45.00, and by the journal's 48.00."""
    result, text = _reconciled(district, True, tmp_path)
    assert ",AJ0000001,Utility adjustments AJ0000001,,83.15" in text
    assert text.count(MANUAL_JOURNAL) == 2
    unmatched = result.unmatched_gl.loc[result.unmatched_gl["gl_account"].eq("1210")]
    assert sorted(zip(unmatched["reason"], unmatched["amount_cents"], strict=True)) == [
        ("manual_journal", -4800),
        ("transposition", -8315),
    ]
    ours = result.unmatched_subledger
    assert set(ours["id"]) == {"421-1", "421-2", "422-1", "422-2"}
    assert result.control["difference"].tolist() == [4500 + 4800]
    assert result.difference_unexplained == 0


def test_without_adjustments_a_days_receipts_are_transposed(district: District, tmp_path) -> None:
    """Two digits changed over differ by a multiple of nine."""
    result, _ = _reconciled(district, False, tmp_path)
    off = int(result.control["difference"].iloc[0]) - 4800
    assert off != 0
    assert off % 9 == 0
    assert result.difference_unexplained == 0


def test_ledger_export_of_nothing_is_refused(district: District) -> None:
    entries, journal = _books(district, False)
    with pytest.raises(ValueError, match="nothing was posted"):
        gl_export(entries, journal, district.gl_accounts, "2026-09")
