"""Amounts, dates, headings and maps: read exactly, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.gl import read_map, read_subledger
from xlbilling.intake.gl.accounts import printed_account
from xlbilling.intake.gl.cells import amount_cents, stored_cents
from xlbilling.words.problems import Refusal

HEADER = "id,post_date,kind,account_id,batch,reference,gl_account,debit,credit\n"


@pytest.mark.parametrize(
    ("text", "cents"),
    [
        ("1,234.56", 123456), ("$1,234.56", 123456), ("(1,234.56)", -123456), ("$(250.00)", -25000),
        ("-1,234.56", -123456), ("1,234.56-", -123456), ("-$162.40", -16240), ("1,234.56 CR", -123456),
        ("1,234.56DR", 123456), ("0", 0), (".5", 50), ("12.3400", 1234), ("\u221212.00", -1200), ("($5.00)", -500),
        ("12.345", None), ("1,23.45", None), ("12O.40", None), ("", None), ("--5.00", None), ("(5.00-)", None),
        ("1e3", None), ("5.00 XX", None), (".", None), ("07/06/2026", None),
    ],
)  # fmt: skip
def test_amounts(text: str, cents: int | None) -> None:
    assert amount_cents(text) == cents


@given(st.integers(-(10**12), 10**12), st.sampled_from(["{}", "(%)", "%-", "-%", "% CR", "-$%"]))
def test_every_printed_amount_reads_back(cents: int, style: str) -> None:
    plain = f"{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
    text = f"{'-' if cents < 0 else ''}{plain}" if style == "{}" else style.replace("%", plain)
    assert amount_cents(text) == (cents if style == "{}" else -abs(cents))


@given(st.integers(-(10**9), 10**9), st.integers(-3, 3))
def test_noise_of_doubles_is_rounded_and_money_is_not(cents: int, steps: int) -> None:
    noisy = cents / 100 + steps * 1e-10
    assert stored_cents(repr(noisy) if "e" not in repr(noisy) else f"{noisy:.12f}") == cents
    assert stored_cents("12.345") is None
    assert stored_cents("12.3450001") is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1310 · A/R - Water", "1310"), ("246000 - Title", "246000"), ("1310 A/R - Water", "1310"), ("1310", "1310"),
        ("60-000-1310", "60-000-1310"), ("601.1310.00", "601.1310.00"), ("A/R - Water", "A/R - Water"),
        ("Receivables (1310)", "1310"), ("9999 Other", "9999"),
    ],
)  # fmt: skip
def test_headings(text: str, number: str) -> None:
    assert printed_account(text, {"1310", "60-000-1310", "A/R - Water"})[0] == number


def test_a_map_must_be_whole(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text('period: {start: 2026-07-01, end: 2026-07-31}\naccounts: {AR: 1310}\ncontrol_accounts: ["1310"]\n')
    assert read_map(path).accounts == {"AR": "1310"}
    for text in (
        "period: 7",
        "][",
        "period: {start: 2026-07-01, end: 2026-07-31}\naccounts: {}",
        "!!python/name:os.system",
    ):
        path.write_text(text)
        with pytest.raises(Refusal) as refused:
            read_map(path)
        assert refused.value.problem.code == "ledger_map_unreadable"


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        ("S1,2026-07-06,billing,0001,B,R,AR,x,0.00", "debit"),
        ("S1,soon,billing,0001,B,R,AR,1.00,0.00", "post_date"),
        ("S1,2026-07-06,billing,0001,B,R,AR,1.00", "number of cells"),
        ("S1,2026-07-06,billing,0001,B,R,AR,1.00,0.00\nS1,2026-07-06,billing,0001,B,R,AR,1.00,0.00", "twice"),
    ],
)
def test_one_bad_line_refuses_the_subledger(tmp_path: Path, line: str, fact: str) -> None:
    path = tmp_path / "sub.csv"
    path.write_text(HEADER + line + "\n")
    with pytest.raises(Refusal, match=fact):
        read_subledger(path)


def test_a_subledger_keeps_leading_zeros_and_cents(tmp_path: Path) -> None:
    path = tmp_path / "sub.csv"
    path.write_text(
        HEADER + 'S1,2026-07-06,billing,0001007,BL0706-1,B1,AR,"1,284.09",0.00\nS2,2026-07-06,billing,7,,,AR,,.05\n'
    )
    lines = read_subledger(path)
    assert lines["account_id"].tolist() == ["0001007", "7"]
    assert lines["amount_cents"].tolist() == [128_409, -5]
