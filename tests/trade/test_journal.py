"""The journal: every entry balances, an entry and its reversal are nothing, and the control adds up."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.journal import control, numbered, pair_entries, reversal, unbalanced

CENTS = st.integers(-(10**12), 10**12)


def documents(amounts: list[int]) -> pd.DataFrame:
    return pd.DataFrame(
        {"account_id": [f"{n:03d}" for n in range(len(amounts))], "amount": amounts, "debit": "1010", "credit": "1210"}
    ).astype({"amount": "int64"})


def test_a_payment_of_45_00() -> None:
    made = pair_entries(documents([4500]), 7)
    assert made.to_dict("split")["data"] == [[7, 1, "1010", "000", 4500], [7, 2, "1210", "000", -4500]]


@given(st.lists(CENTS, min_size=1, max_size=20), st.integers(1, 1000))
def test_entries_balance_and_are_numbered_on(amounts: list[int], first: int) -> None:
    made = pair_entries(documents(amounts), first)
    assert unbalanced(made) == []
    assert made["entry"].unique().tolist() == list(range(first, first + len(amounts)))
    assert made["line"].tolist() == [1, 2] * len(amounts)
    by_account = made.groupby("account_id")["amount"].max().tolist()
    assert by_account == [abs(cents) for cents in amounts]


@given(st.lists(CENTS, min_size=1, max_size=20))
def test_an_entry_and_its_reversal_are_nothing(amounts: list[int]) -> None:
    made = pair_entries(documents(amounts), 1)
    one = made.loc[made["entry"].eq(1)]
    back = reversal(one, {1: 99})
    assert unbalanced(back) == []
    assert back["entry"].eq(99).all()
    both = pd.concat([one, back])
    assert both.groupby(["gl_account", "account_id"])["amount"].sum().eq(0).all()


def test_what_does_not_balance_is_named() -> None:
    journal = pd.DataFrame({"entry": [1, 1, 2, 2, 3], "amount": [5, -5, 5, -4, 0]})
    assert unbalanced(journal) == [2]


def test_lines_are_numbered_in_each_entry_in_the_order_given() -> None:
    journal = pd.DataFrame({"entry": [2, 1, 2], "gl_account": list("abc"), "account_id": "", "amount": [1, 2, 3]})
    assert numbered(journal)["line"].tolist() == [1, 1, 2]


def lines(*rows: tuple[str, str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=["gl_account", "period", "kind", "amount"])


def test_the_control_of_a_month() -> None:
    """Opened with 75.00, of October's 10.00 paid 4.00; November bills 405.00, takes 45.00, a bill of 55.65 is reversed."""
    made = control(
        lines(
            ("1210", "2026-11", "opening", 7500),
            ("1210", "2026-10", "billing", 1000),
            ("1210", "2026-10", "payment", -400),
            ("1210", "2026-11", "billing", 40500),
            ("1210", "2026-11", "billing", -5565),
            ("1210", "2026-11", "payment", -4500),
            ("1210", "2026-11", "adjustment", -500),
            ("1211", "2026-11", "payment", -1),
        ),
        "2026-11",
    )
    assert made.to_dict("records") == [
        {
            "gl_account": "1210",
            "beginning": 8100,
            "billed": 34935,
            "received": -4500,
            "adjusted": -500,
            "ending": 38035,
        },
        {"gl_account": "1211", "beginning": 0, "billed": 0, "received": -1, "adjusted": 0, "ending": -1},
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["1210", "1211"]),
            st.sampled_from(["2026-09", "2026-10", "2026-11"]),
            st.sampled_from(["billing", "payment", "adjustment", "opening"]),
            st.integers(-(10**9), 10**9),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_ending_is_everything_up_to_the_period(rows: list[tuple[str, str, str, int]]) -> None:
    for account, ending in control(lines(*rows), "2026-11").set_index("gl_account")["ending"].items():
        assert ending == sum(row[3] for row in rows if row[0] == account)
