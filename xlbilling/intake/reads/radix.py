"""radix: the Radix handheld upload, type A (fixed width, 36), one line per reading."""

from __future__ import annotations

from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.fixed import Gathered, digits, lines_of, part
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.readings import ACTUAL, NO_READ, Ledger, Rules

RULES = Rules(numbers=NumberRule(whole=True))
WIDTH = 36


def read(text: Text, ledger: Ledger) -> None:
    """A blank reading is a no-read; a line of any other length is damaged."""
    found = Gathered(ledger)
    for number, line in lines_of(text):
        if len(line) != WIDTH:
            ledger.reject(number, "bad_record", f"{len(line)} characters instead of {WIDTH}")
            continue
        dial, date = part(line, 14, 20), part(line, 21, 26)
        moment = f"20{date[4:]}-{date[:2]}-{date[2:4]}" if digits(date, 6) else date and "no date: " + date
        found.add(number, part(line, 27, 36), moment, dial, ACTUAL if dial else NO_READ, account=part(line, 7, 12))
    found.hand_over()
