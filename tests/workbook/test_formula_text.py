"""Formula texts as the port fills them in."""

from __future__ import annotations

import pytest

from xlbilling.workbook.formula_text import filled_in, fills_down, formula_runs

LETTERS = {"billed": "D", "tier_1": "G"}


def test_fields_and_rows_are_filled_in():
    texts = filled_in("=ROUND({billed}-{tier_1},2)*{row}", [4, 5], LETTERS)
    assert texts == ["=ROUND(D4-G4,2)*4", "=ROUND(D5-G5,2)*5"]
    assert filled_in(["{billed}", "", "=MATCH(1,{0,15},1)"], [4, 5, 6], LETTERS) == ["=D4", "", "=MATCH(1,{0,15},1)"]


def test_stretches_of_one_text():
    assert formula_runs("=1", 3) == [(0, 3, "=1")]
    assert formula_runs(["=1", "=1", "", "=1"], 4) == [(0, 2, "=1"), (2, 3, ""), (3, 4, "=1")]
    assert formula_runs([], 0) == []


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=ROUND({billed}*Rates!$J$4,2)", True),
        ('=IF({billed}="A1","B2",0)', True),
        ("=SUM(bills[Amount])+LOG10({billed})", True),
        ("={billed}*{row}", False),
        ("={billed}*Rates!J4", False),
        ("={billed}*Rates!$J4", False),
        ("=SUM(A1:B2)", False),
    ],
)
def test_what_a_sheet_may_fill_down(text, safe):
    assert fills_down(text) is safe
