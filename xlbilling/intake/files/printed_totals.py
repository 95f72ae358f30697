"""Totals that a report prints, beside the rows they are the total of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xlbilling.intake.files.asides import Aside
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Problem, declare

PRINTED_TOTAL: Final = declare(
    "printed_total",
    "A total that the file prints is not the sum of its rows.",
    "Compare the file with the deposit before Post: a row may be missing or changed. Ask for the file again, or correct the receipts.",
    "review",
)


@dataclass(frozen=True)
class Printed:
    """How a file's own totals stand to its rows: the lines of those that agree, and a problem for each that does not."""

    agreeing: tuple[int, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Amounts:
    """The amounts of a file's rows: line, cents (None where they cannot be read), and whether the money came."""

    lines: Sequence[int]
    cents: Sequence[int | None]
    came: Sequence[bool]

    def total(self, after: int, before: int, only_came: bool = False) -> tuple[int, int]:
        """Cents and number of the rows between two lines; of all of them or only of those whose money came."""
        rows = [
            cents or 0
            for line, cents, came in zip(self.lines, self.cents, self.came, strict=True)
            if after < line < before and (came or not only_came)
        ]
        return sum(rows), len(rows)


def compared(file: str, asides: Sequence[Aside], amounts: Amounts, cents: Sequence[int | None]) -> Printed:
    """Each printed total (`cents` of each aside, None for none) against the rows it may be the total of.

    That is all rows above it, those since the last total, or, of a total above the headings, all there are; with or
    without the rows whose money did not come.
    """
    first, last = min(amounts.lines, default=0), max(amounts.lines, default=0) + 1
    agreeing: list[int] = []
    problems: list[Problem] = []
    before = 0
    for aside, printed in zip(asides, cents, strict=True):
        if not aside.is_total:
            continue
        above = aside.line < first
        spans = [(0, last)] if above else [(0, aside.line), (before, aside.line)]
        sums = [amounts.total(*span, only_came) for span in spans for only_came in (False, True)]
        if any(_fits(aside, printed, total, count) for total, count in sums):
            agreeing.append(aside.line)
        else:
            problems.append(PRINTED_TOTAL.at(Place(file=file, line=aside.line), _told(aside, printed, sums[0], above)))
        before = before if above else aside.line
    return Printed(tuple(agreeing), tuple(problems))


def _fits(aside: Aside, printed: int | None, total: int, count: int) -> bool:
    """Whether a total is that of rows; a figure without a point may be their number."""
    as_number = aside.amount.isdecimal() and int(aside.amount) == count
    return (printed is None or printed == total or as_number) and (aside.count is None or aside.count == count)


def _told(aside: Aside, printed: int | None, rows: tuple[int, int], above: bool) -> str:
    total, count = rows
    said = [dollars(printed)] if printed is not None else []
    said += [f"{aside.count} rows"] if aside.count is not None else []
    have = [dollars(total)] if printed is not None else []
    have += [f"{count} rows"] if aside.count is not None else []
    off = f", {dollars(printed - total)} apart" if printed is not None and printed != total else ""
    return f"{aside.words!r} prints {' and '.join(said)}; the rows {'below' if above else 'above'} it are {' and '.join(have)}{off}"
