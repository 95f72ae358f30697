"""sensus-autoread: the Sensus AutoRead route file (fixed width, 155). It goes out to the handheld and holds no reads.

A clerk who picks it by mistake must not bill last month's readings again: every line is listed, none is taken.
"""

from __future__ import annotations

from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.fixed import lines_of, part
from xlbilling.intake.reads.readings import Ledger, Rules

RULES = Rules()
WIDTH = 155
NOTE = "this is an outgoing route file for the handheld: it holds previous reads only, no current ones"


def read(text: Text, ledger: Ledger) -> None:
    """No rows, ever: bad_record, missing_id or no_read for each line."""
    for number, line in lines_of(text):
        if len(line) != WIDTH:
            ledger.reject(number, "bad_record", f"{len(line)} characters instead of {WIDTH}")
        elif not part(line, 21, 28):
            ledger.reject(number, "missing_id", "there is no meter id")
        else:
            ledger.reject(number, "no_read", "a route file holds the previous read only")
