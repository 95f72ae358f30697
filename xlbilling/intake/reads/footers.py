"""Lines of a table of reads that are the report's own: totals, page numbers, printed-by lines, titles between the pages.

They are known by their shape: no date, and the words of a report's foot, or nothing but one cell of words. They are no
readings and no rejects; the answer tells them, and a count they print is held against the rows.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from xlbilling.intake.files.delimited import Block
from xlbilling.intake.files.footers import TOTAL, is_rule, is_sentence, says_so
from xlbilling.intake.files.package import shown
from xlbilling.intake.reads.readings import Ledger
from xlbilling.intake.reads.tabular import Named

FIRST: Final = "first"
"""The name of a table's first column, where it is none of the fields: a report's own lines begin there."""
_COUNT: Final = re.compile(
    r"(?:reads|readings|meters|records|rows|lines|items|count)\s*[:=]?\s*(\d[\d,]*)(?![\d.,/-])|"
    r"(?<![\d.,/-])(\d[\d,]*)\s*(?:reads?|readings?|meters?|records?|rows?|lines?|items?)\b",
    re.IGNORECASE,
)
_MOST_TOLD: Final = 3


def without_footers(block: Block, named: Named, ledger: Ledger) -> Block:
    """A block without the report's own lines, which are noted; one whose count is not that of the rows is listed."""
    places = sorted(named.names, key=named.names.__getitem__)
    columns = [named.of(block, name) for name in places]
    dates = named.of(block, "read_date")
    apart = {}
    for row in [at for at, date in enumerate(dates) if not date[:1].isdecimal()]:
        cells = [cell for column in columns if (cell := column[row])]
        if _is_own_line(cells, dates[row]):
            apart[row] = cells
    damaged = [(line, [cell for cell in cells if cell]) for line, cells, _ in block.damaged]
    own = {line: cells for line, cells in damaged if _is_own_line(cells, "")}
    if not apart and not own:
        return block
    kept = [row for row in range(len(block.lines)) if row not in apart]
    left = Block([block.lines[row] for row in kept], [[column[row] for row in kept] for column in block.columns])
    left.damaged = [one for one in block.damaged if one[0] not in own]
    left.trailers = block.trailers
    own |= {block.lines[row]: cells for row, cells in apart.items()}
    for line in sorted(own):
        ledger.footers.append((line, own[line][0]))
        _check_count(line, " ".join(own[line]), left, ledger)
    return left


def _is_own_line(cells: Sequence[str], date: str) -> bool:
    """Whether a row's filled cells are no reading and none that lacks something."""
    if not cells:
        return False
    if says_so(cells[0]) and (not date or says_so(date)):
        return True
    alone = len(cells) == 1 and is_sentence(cells[0]) and not any(map(str.isdigit, cells[0]))
    return alone or is_rule(cells)


def _check_count(line: int, words: str, block: Block, ledger: Ledger) -> None:
    count = _COUNT.search(words) if TOTAL.match(words) or says_so(words) else None
    if count is None or re.match(r"page\b", words, re.IGNORECASE):
        return
    printed = (count[1] or count[2]).replace(",", "")
    rows = ledger.offered + sum(row < line for row in block.lines) + sum(row < line for row, _, _ in block.damaged)
    if int(printed) != rows:
        ledger.differing.append((line, f"the report says {shown(count[0].strip())}, the rows above it are {rows}"))


def tell(ledger: Ledger) -> None:
    """List the counts that disagree, and note the lines that were set apart."""
    for line, fact in ledger.differing:
        ledger.reject(line, "control_total", fact)
    if not ledger.footers:
        return
    first = ", ".join(f"line {line} {shown(words)}" for line, words in ledger.footers[:_MOST_TOLD])
    more = len(ledger.footers) - _MOST_TOLD
    lines = "lines of the report itself are" if len(ledger.footers) > 1 else "line of the report itself is"
    ledger.notes.append(
        f"{len(ledger.footers)} {lines} no readings: {first}" + (f" and {more} more" if more > 0 else "")
    )
