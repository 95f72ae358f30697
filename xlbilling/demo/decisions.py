"""What a sensible clerk types on Exceptions, by rule: the demo goes through the desk, never around it."""

from __future__ import annotations

from typing import Final

import pandas as pd

from xlbilling.trade.reads.findings import check_of

DECIDES: Final[dict[str, tuple[str, str]]] = {
    "missing_read": ("estimate", "No read came in; billed on last year until the next read"),
    "missing_route": ("reread", "The route's file is on its way"),
    "no_read": ("estimate", "Endpoint silent; work order written, billed on last year"),
    "unknown_meter": ("accept", "Not one of our meters; told the reading contractor"),
    "zeros_lost": ("accept", "The meters are ours; told the reading contractor to keep the zeros"),
    "file_shift": ("reread", "The rows of the file are shifted; a new one was asked for"),
    "duplicate_read": ("accept", "Read twice the same day; the first one stands"),
    "outside_window": ("accept", "Read a few days off; the days are billed as read"),
    "service_ended": ("estimate", "No read of the last day; billed to it on last year"),
    "days": ("accept", "Read earlier or later than usual; the days are billed as read"),
    "wrong_unit": ("reread", "Unit does not fit the meter; asked for a new read"),
    "too_many_dials": ("reread", "More digits than the dial has; asked for a new read"),
    "too_few_dials": ("reread", "A digit is missing; asked for a new read"),
    "implied_decimals": ("accept", "Looked at; the reading system's people are told"),
    "overestimated": ("accept", "The estimate was too high; nothing is billed until the dial has passed it"),
    "reversed_meter": ("accept", "Meter is set backwards; work order written to turn it round"),
    "trued_up": ("accept", "Read again after estimates; settled"),
    "meter_exchanged": ("accept", "Both reads are as on the work order"),
    "read_below_last": ("estimate", "Dial went back; work order written, billed on last year"),
    "rollover": ("accept", "Dial passed zero; consumption is in line with before"),
    "spike": ("reread", "Looks misread; crew sent to read it again"),
    "first_read_high": ("reread", "No history to go by; crew sent to read it again"),
    "high": ("accept", "Customer told of a possible leak"),
    "low": ("accept", "Looked at; fewer people at home"),
    "stuck": ("accept", "Meter is on the test list"),
    "compound_low_still": ("accept", "Small side of the meter is on the test list"),
    "submeter_sum": ("accept", "Master meter is on the test list"),
    "leak": ("accept", "Customer told of a leak"),
    "zero": ("accept", "Vacant or away; meter is on the test list"),
    "inactive_consumption": ("accept", "Field check ordered; nothing to bill yet"),
    "estimates_in_row": ("accept", "Meter is on the replacement list"),
    "suspect": ("accept", "Looked at; fits the months before"),
}


LEFT: Final = "Cut off or sent twice; the meter is on Exceptions where it has no other read"


def leave(rejects: pd.DataFrame) -> pd.DataFrame:
    """The rejected rows left where nothing was decided: a month's are lines cut off and lines sent twice."""
    return _left(rejects, LEFT)


MONEY_LEFT: Final = "Sent twice, or nobody's account: the bank was asked for the payer, the money goes back"


def leave_money(rejects: pd.DataFrame) -> pd.DataFrame:
    """The rejected payments left where nothing was decided: a month's are one line sent twice and one of no account."""
    return _left(rejects, MONEY_LEFT)


def _left(rejects: pd.DataFrame, why: str) -> pd.DataFrame:
    blank = rejects["decision"].eq("")
    return rejects.assign(
        decision=rejects["decision"].where(~blank, "leave"), reason=rejects["reason"].where(~blank, why)
    )


def decide(findings: pd.DataFrame) -> pd.DataFrame:
    """The findings with decision and reason typed where none was; a decision that is there stays.

    `findings` has columns rule, decision and reason (any others are kept). KeyError for a rule nobody knows.
    """
    blank = findings["decision"].eq("")
    typed = [DECIDES[check_of(rule)] for rule in findings["rule"]]
    decision = pd.Series([what for what, _ in typed], index=findings.index, dtype="str")
    reason = pd.Series([why for _, why in typed], index=findings.index, dtype="str")
    return findings.assign(
        decision=findings["decision"].where(~blank, decision), reason=findings["reason"].where(~blank, reason)
    )
