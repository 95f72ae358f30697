"""Formulas: read, refused, written back."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.tariffs.expressions import (
    Call,
    FormulaError,
    Name,
    Negative,
    Node,
    Number,
    Operation,
    names,
    parse,
    terms,
    text_of,
)

LEAVES = st.one_of(
    st.integers(0, 10**9).map(lambda whole: Number(Fraction(whole, 1000))),
    st.sampled_from(["a", "usage_ccf", "x.y"]).map(Name),
)
TREES: st.SearchStrategy[Node] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Negative, inner),
        st.builds(Operation, st.sampled_from("+-*/^"), inner, inner),
        st.builds(lambda one: Call("round", (one,)), inner),
        st.builds(lambda one, two: Call("max", (one, two)), inner, inner),
    ),
    max_leaves=12,
)


@given(TREES)
def test_what_is_written_reads_back_as_the_same_tree(tree: Node) -> None:
    assert parse(text_of(tree)) == tree


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a-b-c", "a - b - c"),
        ("a-(b-c)", "a - (b - c)"),
        ("-a^2", "-a^2"),
        ("2*(a+b)/c", "2*(a + b)/c"),
        ("1.01*( fee + .5 )", "1.01*(fee + 0.5)"),
        ("min(1, 2,a)", "min(1, 2, a)"),
    ],
)
def test_the_usual_order_of_arithmetic(text: str, written: str) -> None:
    assert text_of(parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "(1",
        "1)",
        "a b",
        "24 HCF",
        "93% * x",
        "__import__('os')",
        "system(1)",
        "round()",
        "1,000",
        "a;b",
        "(" * 99,
    ],
)
def test_what_is_no_formula_is_refused(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text)


def test_names_and_terms() -> None:
    tree = parse("service + 2*water - (tax + fee)")
    assert names(tree) == ["service", "water", "tax", "fee"]
    assert [(sign, text_of(term)) for sign, term in terms(tree)] == [(1, "service"), (1, "2*water"), (-1, "tax + fee")]
