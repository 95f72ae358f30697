"""Lost zeros: a number is known again by its figure, and only where it is not a number of its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.words.zeros import lost_zeros, told


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("1", ["0000001"]),
        ("2.0", ["0000002"]),
        ("2.", ["0000002"]),
        ("17", ["0017", "017"]),
        ("4-B", ["04-B"]),
        ("2.5", []),
        ("3", []),
        ("0", ["000"]),
        ("", []),
        ("0000001", []),  # known: nothing was lost
    ],
)
def test_the_numbers_a_text_would_be(text: str, fitting: list[str]) -> None:
    assert lost_zeros([text], ["0000001", "0000002", "017", "0017", "04-B", "000"]).get(text, []) == fitting


def test_it_is_told_with_the_number() -> None:
    assert told(["0000001"], "an account") == "0000001 is an account: the zeros were lost"


@given(
    st.lists(st.from_regex(r"0{0,3}[1-9][0-9]{0,2}", fullmatch=True)), st.from_regex(r"[1-9][0-9]{0,2}", fullmatch=True)
)
def test_as_one_number_after_the_other_would_be_compared(known: list[str], text: str) -> None:
    slow = [] if text in known else sorted(number for number in set(known) if int(number) == int(text))
    assert lost_zeros([text], known).get(text, []) == slow
