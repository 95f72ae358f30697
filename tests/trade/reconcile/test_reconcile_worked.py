"""Worked examples: one situation each, with its arithmetic."""

from __future__ import annotations

import datetime as dt

import pytest
from made_months import LINE, lines_frame, rows_frame

from xlbilling.trade.reconcile import Reconciliation, Terms, reconcile
from xlbilling.trade.reconcile.entries import transposed
from xlbilling.words.problems import Refusal

ACCOUNTS = {"AR": "1310", "CASH": "1021", "REV": "4010"}
TERMS = Terms(dt.date(2026, 7, 1), dt.date(2026, 7, 31), ACCOUNTS, ("1310",))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


def line(
    ident: str, when: str, batch: str, reference: str, own: str, amount: int, kind: str = "payment"
) -> dict[str, object]:
    return dict(zip(LINE, (ident, day(when), kind, "0001", batch, reference, own, amount), strict=True))


def row(when: str, account: str, reference: str, amount: int, said: str = "", source: str = "CR", kind: str = "posting") -> tuple[object, ...]:  # fmt: skip
    return (day(when), account, reference, said, source, amount, kind)


def run(lines: list[dict[str, object]], rows: list[tuple[object, ...]], terms: Terms = TERMS) -> Reconciliation:
    return reconcile(lines_frame(lines), rows_frame([(n, *r) for n, r in enumerate(rows, 1)]), terms)


def reasons(result: Reconciliation) -> tuple[dict[str, str], dict[int, str]]:
    mine, theirs = result.unmatched_subledger, result.unmatched_gl
    return (
        dict(zip(mine["id"], mine["reason"].astype(str), strict=True)),
        dict(zip(theirs["row"], theirs["reason"].astype(str), strict=True)),
    )


def matches(result: Reconciliation) -> list[tuple[str, str, set[str], set[int]]]:
    found = []
    for number, kind, confidence in zip(*(result.matches[n] for n in ("match", "type", "confidence")), strict=True):
        ids = set(result.subledger.loc[result.subledger["match"] == number, "id"])
        rows = set(result.ledger.loc[result.ledger["match"] == number, "row"])
        found.append((str(kind), str(confidence), ids, rows))
    return found


def test_one_to_one_by_document() -> None:
    result = run([line("S1", "07-06", "LB1", "P1", "AR", -100)], [row("07-09", "1310", "P1", -100)])
    assert matches(result) == [("1-1", "exact", {"S1"}, {1})]


def test_a_batch_total_and_its_parts() -> None:
    # 100 + 250 = 200 + 150: two lines, and the batch posted in two parts
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -100), line("S2", "07-06", "LB1", "P2", "AR", -250)]
    result = run(lines, [row("07-07", "1310", "LB1", -200), row("07-07", "1310", "LB1", -150)])
    assert matches(result) == [("n-m", "exact", {"S1", "S2"}, {1, 2})]


def test_equal_candidates_are_one_ambiguous_group() -> None:
    # two payments of 48.00 on one day, two rows of 48.00 that name nothing: nobody can say which is which
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4800), line("S2", "07-06", "LB1", "P2", "AR", -4800)]
    result = run(lines, [row("07-07", "1310", "", -4800), row("07-07", "1310", "", -4800)])
    assert matches(result) == [("n-m", "ambiguous", {"S1", "S2"}, {1, 2})]


def test_two_candidates_for_one_row_leave_a_difference_that_foots() -> None:
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4800), line("S2", "07-06", "LB1", "P2", "AR", -4800)]
    result = run(lines, [row("07-07", "1310", "", -4800)])
    assert matches(result) == [("n-1", "ambiguous", {"S1", "S2"}, {1})]
    # -96.00 in ours, -48.00 in theirs: 48.00 more credit in ours, explained by the group as a whole
    assert result.control["difference"].tolist() == [-4800]
    assert result.control["explained"].tolist() == [-4800]


def test_a_row_that_names_nothing_is_matched_when_only_one_line_fits() -> None:
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4800), line("S2", "07-20", "LB2", "P2", "AR", -4800)]
    result = run(lines, [row("07-21", "1310", "", -4800), row("07-08", "1310", "", -4800)])
    assert sorted(matches(result), key=str) == [("1-1", "exact", {"S1"}, {2}), ("1-1", "exact", {"S2"}, {1})]


def test_an_unknown_number_is_not_matched_by_its_amount() -> None:
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4800), line("S2", "07-06", "LB1", "P2", "AR", -700)]
    result = run(lines, [row("07-06", "1310", "P9", -4800), row("07-06", "1310", "P2", -700)])
    assert reasons(result) == ({"S1": "missing_in_gl"}, {1: "missing_in_subledger"})


@pytest.mark.parametrize(
    ("posted", "reason"),
    [
        (-5000, "amount_differs"),
        (-8400, "transposition"),
        (4800, "wrong_sign"),
        (-4804, "tolerance"),
        (-4806, "amount_differs"),
    ],
)
def test_slips_of_one_amount(posted: int, reason: str) -> None:
    result = run([line("S1", "07-06", "LB1", "P1", "AR", -4800)], [row("07-06", "1310", "P1", posted)])
    if reason == "tolerance":
        assert matches(result) == [("1-1", "tolerance", {"S1"}, {1})]
    else:
        assert reasons(result) == ({"S1": reason}, {1: reason})
    assert result.control["difference"].tolist() == [-4800 - posted]
    # that the amount differs says nothing of where it comes from
    assert result.control["unexplained"].tolist() == [-4800 - posted if reason == "amount_differs" else 0]
    assert result.unproven == (reason == "amount_differs")


def test_two_slips_that_fit_equally_prove_nothing() -> None:
    # 45.00 + 116.00 = 161.00 in ours, 116.00 in theirs: P1 left out, or 61 keyed as 16; nobody can tell which
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4500), line("S2", "07-06", "LB1", "P2", "AR", -11600)]
    result = run(lines, [row("07-06", "1310", "LB1", -11600)])
    assert reasons(result) == ({"S1": "amount_differs", "S2": "amount_differs"}, {1: "amount_differs"})
    assert result.difference_unexplained == 4500
    # with 46.00 only the omission fits
    lines = [line("S1", "07-06", "LB1", "P1", "AR", -4600), line("S2", "07-06", "LB1", "P2", "AR", -11600)]
    assert reasons(run(lines, [row("07-06", "1310", "LB1", -11600)])) == ({"S1": "missing_in_gl"}, {})


def test_transposed_is_an_exchange_of_neighbours_only() -> None:
    # 147.51 and 145.71; 48.00 and 40.80; not 123 and 321 (the ends), not two exchanges
    assert transposed(14751, 14571)
    assert transposed(4800, 4080)
    assert not transposed(12345, 32145)
    assert not transposed(1234, 2143)
    assert not transposed(4800, -8400)
    assert not transposed(4800, 4800)


def test_timing_at_both_ends() -> None:
    lines = [line("S1", "06-30", "LB0", "P0", "AR", -100), line("S2", "07-31", "LB9", "P9", "AR", -200)]
    rows = [row("07-02", "1310", "P0", -100), row("08-02", "1310", "P9", -200)]
    result = run(lines, rows)
    assert reasons(result) == (
        {"S1": "timing_prior_period", "S2": "timing_next_period"},
        {1: "timing_prior_period", 2: "timing_next_period"},
    )
    # ours to 31 July: -1.00 - 2.00; theirs: -1.00; the difference is the payment still on its way
    assert result.control["difference"].tolist() == [-200]
    assert result.control["explained"].tolist() == [-200]


def test_a_batch_of_the_last_two_days_is_on_its_way_an_older_one_is_missing() -> None:
    lines = [line("S1", "07-30", "LB8", "P8", "AR", -100), line("S2", "07-29", "LB7", "P7", "AR", -200)]
    result = run([*lines, line("S3", "07-30", "LB6", "P6", "AR", -5)], [row("07-31", "1310", "P6", -5)])
    assert reasons(result)[0] == {"S1": "timing_next_period", "S2": "missing_in_gl"}


def test_openings_that_disagree_are_unexplained() -> None:
    opening = line("O1", "06-30", "OPENING", "", "AR", 10_000, "transfer")
    result = run([opening], [row("07-01", "1310", "", 9_000, kind="opening")])
    # 100.00 in ours, 90.00 in theirs, and no row to tell why
    assert result.difference_unexplained == 1_000
    assert result.difference_explained == 0


def test_openings_that_differ_by_a_batch_posted_late_are_explained() -> None:
    opening = line("O1", "06-30", "OPENING", "", "AR", 10_000, "transfer")
    said = "UB Payments batch LB0630-4 posted 06/30"
    rows = [row("07-01", "1310", "", 13_000, kind="opening"), row("07-01", "1310", "LB0630-4", -3_000, said)]
    result = run([opening], rows)
    assert reasons(result)[1] == {2: "timing_prior_period"}
    # 100.00 in both at the end: our beginning held the batch already
    assert result.control["difference"].tolist() == [0]
    assert result.difference_unexplained == 0


def test_accounts_out_of_scope_are_left_alone_and_unknown_codes_refused() -> None:
    result = run(
        [line("S1", "07-06", "LB1", "P1", "AR", 1)], [row("07-06", "1310", "P1", 1), row("07-06", "5420", "P1", 7)]
    )
    assert len(result.ledger) == 1
    with pytest.raises(Refusal, match="AR-NEW has no GL number") as refused:
        run([line("S1", "07-06", "LB1", "P1", "AR-NEW", 1)], [])
    assert refused.value.problem.code == "reconcile_account_unmapped"


def test_no_rows_at_all() -> None:
    assert reasons(run([line("S1", "07-06", "LB1", "P1", "AR", 1)], [])) == ({"S1": "missing_in_gl"}, {})
    assert reasons(run([], [row("07-06", "1310", "P1", 1)])) == ({}, {1: "missing_in_subledger"})
    assert run([], []).difference_unexplained == 0


def test_a_line_without_a_number_is_found_by_its_batch() -> None:
    # the first row names nothing; that must not stand for the name of the line's blank reference
    rows = [row("07-20", "1021", "", 999), row("07-06", "1310", "LB1-1", -100)]
    result = run([line("S1", "07-06", "LB1-1", "", "AR", -100)], rows)
    assert matches(result) == [("1-1", "exact", {"S1"}, {2})]
