"""The senders' words: headings that say something of the money, and the rules of Policy that explain a word."""

from __future__ import annotations

import pandas as pd
import pytest

from xlbilling.intake.receipts.payment_words import METHODS, PaymentWords, kind_of_column, telling, wrong_rule
from xlbilling.trade.reads.rules import InForce


@pytest.mark.parametrize(
    ("heading", "of"),
    [
        ("Status", "status"), ("Trans. Status", "status"), ("payment_status", "status"), ("Result", "status"),
        ("Account Status", None), ("Customer status", None), ("Status Date", None), ("Card status", None),
        ("Type", "type"), ("TRANSACTION TYPE", "type"), ("Customer Type", None), ("Card Type", None),
        ("DR/CR", "side"), ("D/C", "side"), ("Debit/Credit", "side"), ("+/-", "side"), ("Debit/Credit Card", None),
        ("Currency", "currency"), ("Currency Code", "currency"),
        ("Voided", "flag"), ("Return Reason", "flag"), ("NSF", "flag"), ("Refund amount", "flag"), ("Date returned", "flag"),
        ("Return address", None), ("Name", None), ("Fee", None), ("Amount Due", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_heading_says_of_the_money(heading: str, of: str | None) -> None:
    assert kind_of_column(heading) == of


def test_a_column_tells_by_a_word_of_its_own() -> None:
    assert telling(["", "12 Elm St", "Void Street", "charge-back"]) == "charge-back"
    assert telling(["", "New", "Open", "Smith"]) == ""


@pytest.mark.parametrize(
    ("setting", "value", "says"),
    [
        ("method / ACH", "autopay", ""),
        ("method / ACH", "leave", ""),
        ("method / any", "web", ""),
        ("status / blank", "take", ""),
        ("side / -", "leave", ""),
        ("no_point", "cents", ""),
        ("method / ACH", "take", "'take' is not one of lockbox"),
        ("method / ACH", "", "'' is not one of lockbox"),
        ("status / Sent", "paid", "'paid' is not one of take, leave"),
        ("no_point", "ask", "'ask' is not one of dollars, cents"),
        ("flag / Void", "take", "there is no rule 'flag / Void'"),
        ("method", "web", "there is no rule 'method'"),
        ("method / ", "web", "there is no rule 'method / '"),
    ],
)
def test_what_is_wrong_with_a_rule(setting: str, value: str, says: str) -> None:
    assert wrong_rule(setting, value).startswith(says)
    assert bool(wrong_rule(setting, value)) == bool(says)


def test_a_word_is_the_same_whatever_its_case_blanks_and_strokes() -> None:
    rules = pd.DataFrame(
        [("payments", "method / Credit Card", "web"), ("reads", "method / X", "cash")],
        columns=["topic", "setting", "value"],
    )
    words = PaymentWords.of(InForce(rules))
    assert [words.method(text) for text in ("CREDIT-CARD", "creditcard", "X", "", *METHODS)] == [
        "web",
        "web",
        None,
        None,
        *METHODS,
    ]
