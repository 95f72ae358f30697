"""A batch that the ledger posts day by day: the days that agree match, the one that differs is named with its reason."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable

import pytest
from made_months import LINE, lines_frame, rows_frame

from xlbilling.trade.reconcile import Reconciliation, Terms, reconcile

TERMS = Terms(dt.date(2026, 11, 1), dt.date(2026, 11, 30), {"AR": "1310", "CASH": "1021", "REV": "4010"}, ("1310",))
BATCH = "LB1130-1"
FIRST = 3

Rows = list[tuple[object, ...]]


def day(number: int, month: int = 11) -> dt.date:
    return dt.date(2026, month, number)


def receipts(days: int = 9, a_day: int = 79, seed: int = 4) -> list[dict[str, object]]:
    """One batch of receipts over several days (9 x 79 = 711), from 20.00 to 240.00; each debits cash and credits A/R."""
    chance = random.Random(seed)
    lines = []
    for n in range(days * a_day):
        cents, when, reference = chance.randrange(2_000, 24_000), day(FIRST + n // a_day), f"P{n:05d}"
        for own, amount in (("CASH", cents), ("AR", -cents)):
            values = (f"S{len(lines)}", when, "payment", f"{n:07d}", BATCH, reference, own, amount)
            lines.append(dict(zip(LINE, values, strict=True)))
    return lines


def posted(lines: list[dict[str, object]], lag: int = 0) -> Rows:
    """The ledger's rows: one a day and account, naming the batch, dated `lag` days later."""
    sums: dict[tuple[dt.date, str], int] = {}
    for line in lines:
        at = (line["post_date"], TERMS.accounts[str(line["gl_account"])])
        sums[at] = sums.get(at, 0) + int(str(line["amount_cents"]))  # type: ignore[index]
    return [
        (when + dt.timedelta(lag), account, BATCH, f"Utility receipts {BATCH}", "CR", cents, "posting")
        for (when, account), cents in sums.items()
    ]


def run(lines: list[dict[str, object]], rows: Rows) -> Reconciliation:
    return reconcile(lines_frame(lines), rows_frame([(n, *row) for n, row in enumerate(rows, 1)]), TERMS)


def of_day(result: Reconciliation, lines: list[dict[str, object]], when: dt.date) -> set[str]:
    dates = {str(line["id"]): line["post_date"] for line in lines}
    mine = result.subledger
    return {str(reason) for ident, reason in zip(mine["id"], mine["reason"], strict=True) if dates[ident] == when}


def changed(rows: Rows, when: dt.date, account: str, change: Callable[[tuple[object, ...]], Rows]) -> Rows:
    return [new for row in rows for new in (change(row) if row[:2] == (when, account) else [row])]


def swapped(cents: int) -> int:
    """Two neighbouring digits of the dollars changed over."""
    digits = list(str(abs(cents)))
    at = next(n for n in range(1, len(digits) - 3) if digits[n] != digits[n + 1])
    digits[at], digits[at + 1] = digits[at + 1], digits[at]
    return int("".join(digits)) * (1 if cents > 0 else -1)


def transpose(row: tuple[object, ...]) -> Rows:
    return [(*row[:5], swapped(int(str(row[5]))), row[6])]


def leave_out(_: tuple[object, ...]) -> Rows:
    return []


def next_month(row: tuple[object, ...]) -> Rows:
    return [(day(1, 12), *row[1:])]


def twice(row: tuple[object, ...]) -> Rows:
    return [row, row]


def to_revenue(row: tuple[object, ...]) -> Rows:
    return [(row[0], "4010", *row[2:])]


def turned(row: tuple[object, ...]) -> Rows:
    return [(*row[:5], -int(str(row[5])), row[6])]


def another_amount(row: tuple[object, ...]) -> Rows:
    return [(*row[:5], int(str(row[5])) - 100_001, row[6])]


SLIPS: dict[str, tuple[Callable[[tuple[object, ...]], Rows], str, str, int]] = {
    # the slip, what our lines of the day are called, what the ledger's rows are, and how many rows stand alone
    "digits": (transpose, "transposition", "transposition", 1),
    "left out": (leave_out, "missing_in_gl", "", 0),
    "next month": (next_month, "timing_next_period", "timing_next_period", 1),
    "twice": (twice, "", "duplicate_in_gl", 1),
    "wrong account": (to_revenue, "wrong_account", "wrong_account", 1),
    "turned": (turned, "wrong_sign", "wrong_sign", 1),
    "another amount": (another_amount, "amount_differs", "amount_differs", 1),
}


@pytest.mark.parametrize("lag", [0, 1])
@pytest.mark.parametrize("slip", SLIPS)
def test_one_day_of_nine_differs_and_eight_match(slip: str, lag: int) -> None:
    change, mine, theirs, alone = SLIPS[slip]
    lines = receipts()
    rows = changed(posted(lines, lag), day(7 + lag), "1310", change)
    result = run(lines, rows)
    # 79 lines of A/R on the day; cash (posted a day later, as one group) and the other eight days agree to the cent
    assert len(result.unmatched_subledger) == (79 if mine else 0)
    assert set(result.unmatched_subledger["reason"]) == ({mine} if mine else set())
    assert of_day(result, lines, day(7)) == {mine, ""}
    assert result.unmatched_gl["reason"].tolist() == [theirs] * alone
    assert len(result.matches) == 18 - bool(mine)
    # both sides of the difference carry one pair
    if mine and theirs:
        assert set(result.unmatched_subledger["pair"]) == set(result.unmatched_gl["pair"]) != {-1}


def test_both_accounts_of_a_day_with_the_same_digits_changed_over() -> None:
    lines = receipts()
    rows = posted(lines)
    for account in ("1310", "1021"):
        rows = changed(rows, day(7), account, transpose)
    result = run(lines, rows)
    assert len(result.unmatched_subledger) == 158
    assert set(result.unmatched_subledger["reason"]) == {"transposition"}
    assert result.unmatched_gl["reason"].tolist() == ["transposition"] * 2


@pytest.mark.parametrize("seed", range(3))
def test_five_kinds_at_once(seed: int) -> None:
    lines = receipts(seed=seed)
    kinds = {4: "digits", 5: "left out", 7: "next month", 8: "twice", 10: "wrong account"}
    rows = posted(lines)
    for number, slip in kinds.items():
        rows = changed(rows, day(number), "1310", SLIPS[slip][0])
    result = run(lines, rows)
    for number in range(FIRST, FIRST + 9):
        assert of_day(result, lines, day(number)) == {SLIPS[kinds[number]][1] if number in kinds else "", ""}
    # digits, next month, twice and wrong account have a row; the day left out has none
    assert sorted(result.unmatched_gl["reason"]) == [
        "duplicate_in_gl",
        "timing_next_period",
        "transposition",
        "wrong_account",
    ]
    assert len(result.unmatched_subledger) == 4 * 79


def test_amount_differs_is_no_explanation() -> None:
    # nine days agree but for one: 1,000.01 more was credited in the ledger, and nothing shows why
    lines = receipts()
    result = run(lines, changed(posted(lines), day(7), "1310", another_amount))
    assert result.control["difference"].tolist() == [100_001]
    assert result.control["explained"].tolist() == [0]
    assert result.control["unexplained"].tolist() == [100_001]
    assert (result.difference_explained, result.difference_unexplained) == (0, 100_001)


def test_a_day_posted_on_another_date_with_digits_changed_over() -> None:
    lines = receipts()
    rows = changed(posted(lines), day(7), "1310", lambda row: [(day(20), *transpose(row)[0][1:])])
    result = run(lines, rows)
    assert set(result.unmatched_subledger["reason"]) == {"transposition"}
    assert result.unmatched_gl["reason"].tolist() == ["transposition"]


def test_a_day_copied_under_a_later_date_is_posted_twice() -> None:
    lines = receipts()
    result = run(lines, changed(posted(lines), day(7), "1310", lambda row: [row, (day(25), *row[1:])]))
    assert len(result.unmatched_subledger) == 0
    assert result.unmatched_gl["reason"].tolist() == ["duplicate_in_gl"]


def test_a_receipt_left_out_of_one_day() -> None:
    # the day's rows lack one receipt of 7.89 in both accounts: that receipt is named, not the day
    lines = receipts(days=3, a_day=4)
    extra = [
        dict(zip(LINE, (f"X{own}", day(4), "payment", "9", BATCH, "P99999", own, cents), strict=True))
        for own, cents in (("CASH", 789), ("AR", -789))
    ]
    result = run([*lines, *extra], posted(lines))
    assert dict(zip(result.unmatched_subledger["id"], result.unmatched_subledger["reason"], strict=True)) == {
        "XCASH": "missing_in_gl",
        "XAR": "missing_in_gl",
    }
    assert len(result.unmatched_gl) == 0


def test_a_batch_posted_as_one_row_is_not_taken_apart() -> None:
    # three days in one row dated the last; the ledger's amount is another, and no single day is to blame
    lines = receipts(days=3, a_day=4)
    total = -sum(int(str(line["amount_cents"])) for line in lines if line["gl_account"] == "CASH")
    cash = (day(5), "1021", BATCH, "", "CR", -total, "posting")
    result = run(lines, [cash, (day(5), "1310", BATCH, "", "CR", total - 100_001, "posting")])
    assert result.unmatched_subledger["reason"].tolist() == ["amount_differs"] * 12
    assert result.unmatched_gl["row"].tolist() == [2]


def test_a_day_of_a_journal_that_names_no_batch_dated_in_the_next_month() -> None:
    # one row a day and account of journal CR; the seventh of November is dated the first of December
    lines = receipts()
    rows = [(when, account, "", "Daily receipts", *rest) for when, account, _, _, *rest in posted(lines)]
    for account in ("1310", "1021"):
        rows = changed(rows, day(7), account, next_month)
    result = run(lines, rows)
    assert of_day(result, lines, day(7)) == {"timing_next_period"}
    assert result.unmatched_gl["reason"].tolist() == ["timing_next_period"] * 2
    assert len(result.unmatched_subledger) == 158
    assert set(result.unmatched_subledger["pair"]) == set(result.unmatched_gl["pair"])
    assert result.difference_unexplained == 0


def test_both_accounts_of_a_day_dated_in_the_next_month_leave_the_other_days_alone() -> None:
    lines = receipts()
    rows = posted(lines)
    for account in ("1310", "1021"):
        rows = changed(rows, day(7), account, next_month)
    result = run(lines, rows)
    assert len(result.unmatched_subledger) == 158
    assert of_day(result, lines, day(8)) == {""}


@pytest.mark.parametrize(
    ("change", "mine", "theirs"),
    [
        (transpose, ["transposition"], ["transposition"]),
        (another_amount, ["amount_differs"], ["amount_differs"]),
        (leave_out, ["missing_in_gl"], []),
        (turned, ["wrong_sign"], ["wrong_sign"]),
    ],
)
def test_rows_of_documents_that_name_only_their_batch(
    change: Callable[[tuple[object, ...]], Rows], mine: list[str], theirs: list[str]
) -> None:
    # one row a receipt, all of them named by the batch alone: the one receipt that differs is named, not all 40
    lines = receipts(days=1, a_day=40)
    rows: Rows = [
        (line["post_date"], TERMS.accounts[str(line["gl_account"])], BATCH, "", "CR", line["amount_cents"], "posting")
        for line in lines
    ]
    # a receipt of more than 100.00 whose second and third digits differ
    amounts = [str(row[5]).removeprefix("-") for row in rows]
    at = next(
        n for n, row in enumerate(rows) if row[1] == "1310" and len(amounts[n]) == 5 and amounts[n][1] != amounts[n][2]
    )
    result = run(lines, [*rows[:at], *change(rows[at]), *rows[at + 1 :]])
    assert result.unmatched_subledger["id"].tolist() == [f"S{at}"]
    assert result.unmatched_subledger["reason"].tolist() == mine
    assert result.unmatched_gl["reason"].tolist() == theirs
