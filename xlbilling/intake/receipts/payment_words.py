"""The senders' words in payments files: what a status, a type, a side or a method means, and which columns hold them.

A word means what a rule on Policy says (topic payments, such as `method / ACH`), else what it means in the trade. A word
that neither knows is never guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from xlbilling.intake.files.headed import folded
from xlbilling.trade.reads.rules import InForce
from xlbilling.words.records import TABLE

Of = Literal["status", "type", "side", "currency", "flag", "method"]
TOPIC: Final = "payments"
ANY: Final = "any"
BLANK: Final = "blank"
METHODS: Final = TABLE["payments"].columns["method"].choices
WITHOUT_METHOD: Final = "lockbox"
TAKE_OR_LEAVE: Final = ("take", "leave")
NO_POINT: Final = "no_point"
DOLLARS_OR_CENTS: Final = ("dollars", "cents")
_BETWEEN: Final = " / "

# ---- headings -----------------------------------------------------------------------------------------------------

_STATUS_HEADINGS: Final = {"status", "disposition", "outcome", "result", "response"}
_NOT_OF_PAYMENT: Final = {
    "account", "acct", "customer", "service", "meter", "email", "enrollment", "marital", "address", "mail", "url", "policy",
    "date", "time", "premise", "member", "phone", "by", "card", "autopay", "paperless", "bill", "billing", "invoice",
}  # fmt: skip
_TYPE_HEADINGS: Final = {
    "type", "transactiontype", "transtype", "trantype", "txntype", "recordtype", "entrytype", "activitytype", "eventtype",
    "itemtype", "transactionkind", "paymentkind", "kind",
}  # fmt: skip
_SIDE_HEADINGS: Final = {"dc", "cd", "drcr", "crdr", "debitcredit", "creditdebit", "debitorcredit", "creditordebit", "side", "sign"}  # fmt: skip
_CURRENCY_HEADINGS: Final = {"currency", "ccy", "curr"}
_FLAG_HEADINGS: Final = {
    "void", "voided", "return", "returned", "reversed", "reversal", "nsf", "bounced", "decline", "declined", "refund", "refunded",
    "chargeback", "cancelled", "canceled", "cancel", "cancellation", "cancelation", "failed", "failure", "reject", "rejected",
    "dispute", "disputed", "debit", "debits", "withdrawal", "withdrawals", "adjustment", "adjustments", "deleted", "pending",
}  # fmt: skip

# ---- words --------------------------------------------------------------------------------------------------------

_GONE_THROUGH: Final = (
    "settled paid posted completed complete approved success successful succeeded processed cleared captured accepted deposited "
    "funded ok okay good active confirmed received"
).split()
_NOT_THROUGH: Final = (
    "returned return declined decline void voided reversed reversal failed failure rejected reject cancelled canceled nsf bounced "
    "chargeback chargedback refunded refund refundrequested pending authorized authorised preauthorized preauth inprocess "
    "processing scheduled expired disputed dispute denied error errored stopped stoppayment unpaid uncollected insufficientfunds "
    "notsufficientfunds duplicate deleted suspended hold onhold inprogress submitted notpaid notprocessed incomplete abandoned "
    "initiated created new open unsettled reversing partiallyrefunded writeoff writtenoff"
).split()
_PAYMENTS: Final = (
    "payment payments pmt pymt pay sale purchase receipt paymentreceived customerpayment billpayment onetimepayment onetime "
    "recurring recurringpayment autopayment paymentpost"
).split()
_NO_PAYMENTS: Final = (
    "refund chargeback fee fees reversal void return returned nsf returneditem returnitem payout transfer adjustment dispute "
    "withdrawal authorization auth preauth conveniencefee servicefee processingfee returnfee creditadjustment debitadjustment "
    "paymentreversal reversedpayment refundpayment correction representment ndsreversal"
).split()
_CREDITS: Final = ("c", "cr", "credit", "credits", "+", "plus", "positive")
_DEBITS: Final = ("d", "dr", "debit", "debits", "-", "\u2212", "minus", "negative")
_OURS: Final = ("usd", "us", "$", "us$", "usdollar", "usdollars", "dollar", "dollars", "unitedstatesdollar", "840")
_NO_FLAG: Final = ("", "n", "no", "f", "false", "none", "null", "na", "0", "-", "00", "000", "no return", "notvoided")
_KNOWN: Final[dict[str, dict[str, bool]]] = {
    "status": dict.fromkeys(_GONE_THROUGH, True) | dict.fromkeys(_NOT_THROUGH, False) | dict.fromkeys(_NO_PAYMENTS, False),
    "type": dict.fromkeys(_PAYMENTS, True) | dict.fromkeys(_NO_PAYMENTS, False) | dict.fromkeys(_NOT_THROUGH, False),
    "side": dict.fromkeys(_CREDITS, True) | dict.fromkeys(_DEBITS, False),
    "currency": dict.fromkeys(_OURS, True) | {"": True},
    "method": dict.fromkeys(_NO_PAYMENTS, False) | dict.fromkeys(_NOT_THROUGH, False),
}  # fmt: skip
_TELLING: Final = frozenset(word for word in (*_NOT_THROUGH, *_NO_PAYMENTS) if word not in ("new", "open", "created")) | {
    "cr", "dr",
}  # fmt: skip


def kind_of_column(heading: str) -> Of | None:
    """What of a payment a column says by its heading: its status, type, side, currency or a flag against it."""
    key = folded(heading)
    words = {folded(word) for word in re.split(r"[\s_/-]+", heading)}
    both = ({"debit", "credit"} <= words or {"dr", "cr"} <= words) and "card" not in words
    kinds: tuple[tuple[Of, bool], ...] = (
        ("side", heading.strip() in ("+/-", "-/+") or key in _SIDE_HEADINGS or both),
        ("type", key in _TYPE_HEADINGS),
        ("currency", bool(words & _CURRENCY_HEADINGS)),
        ("flag", bool(words & _FLAG_HEADINGS) and not words & (_NOT_OF_PAYMENT - {"date", "time", "by"})),
        ("status", bool(words & _STATUS_HEADINGS or key.endswith("status")) and not words & _NOT_OF_PAYMENT),
    )
    return next((of for of, holds in kinds if holds), None)


def telling(cells: Iterable[str]) -> str:
    """The first cell of a column that says of a payment that it did not come or is none; "" where none does."""
    return next((cell for cell in cells if _word(cell) in _TELLING), "")


@dataclass(frozen=True)
class PaymentWords:
    """What the words mean in this office: the rules on Policy before the words of the trade.

    `rules`: (status, type, side, currency or method; word) -> take or leave; for a method one of `METHODS` or leave.
    `no_point`: what amounts mean that all lack a decimal point, dollars or cents; "" where nobody has said.
    """

    rules: Mapping[tuple[str, str], str] = field(default_factory=dict)
    no_point: str = ""

    @classmethod
    def of(cls, policy: InForce) -> PaymentWords:
        """The words as the rows of topic payments that are in force say."""
        rows: list[Any] = [row for row in policy.itertuples() if row.topic == TOPIC]
        named = {rule: row.value.strip() for row in rows if (rule := named_rule(row.setting)) is not None}
        point = next((row.value.strip() for row in rows if row.setting.strip() == NO_POINT), "")
        return cls(named, point if point in DOLLARS_OR_CENTS else "")

    def takes(self, of: Of, text: str) -> bool | None:
        """Whether a row with this word is money that came; None where nobody has said what the word means."""
        word = _word(text)
        rule = self.rules.get((of, word or BLANK))
        if rule is not None:
            return rule != "leave"
        if of == "flag":
            return word in _NO_FLAG or not word.strip("0.,$-")
        return _KNOWN[of].get(word, True if of == "method" else None)

    def method(self, text: str) -> str | None:
        """The office's own word for how somebody paid; None where nobody has said."""
        word = _word(text)
        own = next((method for method in METHODS if method.casefold() == word), None)
        return self.rules.get(("method", word or BLANK)) or own or self.rules.get(("method", ANY))


def named_rule(setting: str) -> tuple[str, str] | None:
    """What a rule of topic payments is about: `method / Credit Card` -> ("method", "creditcard"); None for another."""
    of, stroke, word = setting.partition(_BETWEEN)
    of = of.strip()
    if not stroke or of not in ("status", "type", "side", "currency", "method") or not word.strip():
        return None
    return of, _word(word)


def wrong_rule(setting: str, value: str) -> str:
    """What is wrong with a rule of topic payments; "" where nothing is."""
    if setting.strip() == NO_POINT:
        return "" if value.strip() in DOLLARS_OR_CENTS else f"{value!r} is not one of {', '.join(DOLLARS_OR_CENTS)}"
    rule = named_rule(setting)
    if rule is None:
        return (
            f"there is no rule {setting!r} of topic {TOPIC}; there are {NO_POINT}, and method, status, type, side or currency with a "
            "word, such as method / ACH"
        )
    choices = (*METHODS, "leave") if rule[0] == "method" else TAKE_OR_LEAVE
    return "" if value.strip() in choices else f"{value!r} is not one of {', '.join(choices)}"


def _word(text: str) -> str:
    """A word as it is compared: without case, blanks and strokes; a sign alone stays."""
    return folded(text) or text.strip()
