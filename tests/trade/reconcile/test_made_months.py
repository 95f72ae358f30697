"""Whole made months with slips put in: every slip is found by its reason, and nothing else is."""

from __future__ import annotations

from collections import Counter, defaultdict

import pytest
from made_months import APART, TOGETHER, Month, terms

from xlbilling.trade.reconcile import Reconciliation, reconcile


@pytest.mark.parametrize("grain", ["document", "batch", "day"])
@pytest.mark.parametrize("accounts", [APART, TOGETHER], ids=["apart", "together"])
@pytest.mark.parametrize("seed", range(4))
def test_every_slip_is_found_and_nothing_else(grain: str, accounts: dict[str, str], seed: int) -> None:
    month = Month(seed, grain, accounts)
    slips = list(Month.SLIPS)
    month.chance.shuffle(slips)
    for slip in slips:
        getattr(month, slip)()
    subledger, ledger = month.frames()
    result = reconcile(subledger, ledger, terms(accounts))

    found = dict(zip(result.subledger["id"], result.subledger["reason"].astype(str), strict=True))
    assert found == {ident: month.wanted.get(ident, "") for ident in subledger["id"]}

    confidence = dict(zip(result.matches["match"], result.matches["confidence"].astype(str), strict=True))
    said = zip(result.ledger["row"], result.ledger["reason"].astype(str), result.ledger["match"], strict=True)
    rows = {row: reason or confidence[match] for row, reason, match in said}
    wanted = {n: row.wanted or "exact" for n, row in enumerate(month.rows, 1)}
    copies = {n for n, reason in wanted.items() if reason in ("matched", "duplicate_in_gl")}
    assert {n: rows[n] for n in wanted if n not in copies} == {n: w for n, w in wanted.items() if n not in copies}
    # of a posting and its copy, either may be the one that is matched
    assert Counter(rows[n] for n in copies) == Counter({"matched": "exact"}.get(wanted[n], wanted[n]) for n in copies)

    assert result.control["unaccounted"].tolist() == [0] * len(result.control)
    assert_links(month, result)


def assert_links(month: Month, result: Reconciliation) -> None:
    """Every row without a slip is matched with the very lines it was made of."""
    lines: dict[int, set[str]] = defaultdict(set)
    for ident, match in zip(result.subledger["id"], result.subledger["match"], strict=True):
        lines[match].add(ident)
    of_row = dict(zip(result.ledger["row"], result.ledger["match"], strict=True))
    made = {n: set(row.lines) for n, row in enumerate(month.rows, 1) if row.wanted == ""}
    assert {n: lines[of_row[n]] for n in made} == made


def test_the_order_of_the_files_does_not_matter() -> None:
    month = Month(99, "batch", TOGETHER)
    for slip in Month.SLIPS:
        getattr(month, slip)()
    subledger, ledger = month.frames()
    one = reconcile(subledger, ledger, terms(TOGETHER))
    shuffled = ledger.sample(frac=1, random_state=3).reset_index(drop=True)
    other = reconcile(subledger.sample(frac=1, random_state=4).reset_index(drop=True), shuffled, terms(TOGETHER))
    copies = {"duplicate_in_gl", "duplicate_in_subledger"}
    for name, side in (("id", "subledger"), ("row", "ledger")):
        first, second = getattr(one, side), getattr(other, side)
        a = {key: str(reason) for key, reason in zip(first[name], first["reason"], strict=True)}
        b = {key: str(reason) for key, reason in zip(second[name], second["reason"], strict=True)}
        # which of two equal copies is kept may differ; nothing else may
        changed = {key for key in a if a[key] != b[key]}
        assert {a[key] for key in changed} | {b[key] for key in changed} <= copies | {""}
    assert one.control.equals(other.control)


def test_day_totals_of_journals_that_only_their_words_tell_apart() -> None:
    month = Month(5, "day", APART)
    month.wrong_sign()
    month.rounding()
    for row in month.rows:
        row.source, row.reference = "GL", f"T{row.key[1]}"
    subledger, ledger = month.frames()
    result = reconcile(subledger, ledger, terms())
    found = dict(zip(result.subledger["id"], result.subledger["reason"].astype(str), strict=True))
    assert found == {ident: month.wanted.get(ident, "") for ident in subledger["id"]}
    assert_links(month, result)
