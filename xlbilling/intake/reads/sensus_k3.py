"""sensus-k3: K3, Sensus with notes, type 3 (fixed width, 91), one line per register; its dates have no year."""

from __future__ import annotations

from xlbilling.intake.files.text import Text
from xlbilling.intake.reads.fixed import Gathered, lines_of, part
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.readings import ACTUAL, NO_READ, Fault, Ledger, Rules

RULES = Rules(numbers=NumberRule(whole=True))
WIDTH = 91


def read(text: Text, ledger: Ledger, year: int | None) -> None:
    """`year` is that of the file; where it crosses New Year, its later months belong to the year before."""
    crosses = _crosses_new_year(text)
    found = Gathered(ledger)
    for number, line in lines_of(text):
        if len(line) != WIDTH:
            ledger.reject(number, "bad_record", f"{len(line)} characters instead of {WIDTH}")
            continue
        dial = part(line, 44, 52)
        moment, fault = _moment(part(line, 53, 54), part(line, 55, 56), year, crosses)
        found.add(
            number,
            part(line, 13, 27),
            moment,
            dial,
            ACTUAL if dial else NO_READ,
            account=part(line, 1, 12),
            register=part(line, 59, 68),
            fault=fault,
        )
    found.hand_over()


def _month(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0


def _crosses_new_year(text: Text) -> bool:
    months = {_month(part(line, 53, 54)) for _, line in lines_of(text) if len(line) == WIDTH}
    return bool(months & {1, 2}) and bool(months & {11, 12})


def _moment(month: str, day: str, year: int | None, crosses: bool) -> tuple[str, Fault | None]:
    if not month and not day:
        return "", None
    if year is None:
        return "", ("bad_date", "the dates of this format have no year: say it (--year)")
    if not _month(month) or not _month(day):
        return f"no date: {month} {day}", None
    of = year - 1 if crosses and _month(month) >= 7 else year
    return f"{of:04d}-{int(month):02d}-{int(day):02d}", None
