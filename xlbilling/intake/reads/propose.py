"""Proposing a recipe for a table of reads from its headings and the look of its first rows.

Known headings decide; where there are none, a column is proposed only when it is the one that can be meant, by what
stands in it and by parts of words in its heading. What is not certain stays blank for a person to fill in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from xlbilling.intake.reads import columns
from xlbilling.intake.reads.moments import Moments, serial_moment
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.tabular import SheetTable, Table
from xlbilling.intake.reads.units import UNKNOWN, Units

_DATE_FORMATS: Final = (
    "%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d", "%Y%m%d", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y",
    "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%d/%m/%y", "%d-%m-%Y",
)  # fmt: skip
_COMMA_DECIMAL: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{3})*,[0-9]{1,2}|[0-9]+,[0-9]{1,2}")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")
_NUMBERS: Final = (NumberRule(), NumberRule(thousands_mark=","), NumberRule(",", "."))
_DAY_NUMBER: Final = re.compile(r"4[2-9][0-9]{3}(\.[0-9]+)?|50[0-9]{3}(\.[0-9]+)?")  # a workbook's days of 2014 to 2039
_SAMPLE: Final = 1000
_LEAST_CELLS: Final = 3
_MOSTLY: Final = 0.8
_HALF: Final = 0.5
_LETTER: Final = re.compile("[^\\W\\d_]")
# Parts of words that headings have, as offices and the makers of reading systems write them.
_HINTS: Final = {
    "meter_id": re.compile("met|mtr|serial|devic|z(ä|ae|a)hler|ger(ä|ae|a)t|medidor|compteur|contador"),
    "account_id": re.compile("acc|acct|cust|kund|konto|cuenta|client"),
    "read": re.compile("read|rdg|stand|lectura|index|dial|releve|relevé|valu"),
}
_NOT_THIS_READ: Final = re.compile("prev|prior|last|old|alt|letzt|anterior|usage|consum|verbrauch|diff")


@dataclass(frozen=True)
class _Sample:
    """One column of the sample: its heading, its place, and its cells that are not blank."""

    heading: str
    place: int
    cells: list[str]

    def mostly(self, holds: Callable[[str], bool], share: float = _MOSTLY) -> bool:
        return bool(self.cells) and sum(map(holds, self.cells)) >= share * len(self.cells)

    @property
    def of_another_read(self) -> bool:
        """Whether the heading tells of the last read, or of what was used since."""
        return bool(_NOT_THIS_READ.search(self.heading.casefold()))

    def hinted(self, field: str) -> bool:
        named = self.heading.casefold()
        return bool(_HINTS[field].search(named)) and not (field != "read" and _HINTS["read"].search(named))


def recipe_for(table: Table | SheetTable, sheet: str | None) -> dict[str, Any]:
    """What is proposed for a table: `recipe` as plain values, `samples` (a value of each column that was found) and
    `doubtful` (for each needed field that was not found, the headings that it could be)."""
    samples = _samples(table)
    headings, several = columns.told_apart(table.header), columns.doubled(table.header)
    found = {
        ("read" if field == "reading" else field): place
        for field, place in columns.recognise(table.header).items()
        if field not in several
    }
    by_place = {sample.place: sample for sample in samples}
    doubtful: dict[str, list[str]] = {}
    if not set(_NEEDED) <= set(found):
        found, doubtful = _by_the_look(samples, found, workbook=sheet is not None)
    reads = by_place[found["read"]].cells if "read" in found else []
    dates = by_place[found["read_date"]].cells if "read_date" in found else []
    decimals = any(_COMMA_DECIMAL.fullmatch(text) for text in reads)
    grouped = any(_GROUPED.fullmatch(text) for text in reads)
    recipe: dict[str, Any] = {
        "header_row": table.header_line,
        "delimiter": getattr(table, "delimiter", ","),
        "decimal_mark": "," if decimals else ".",
        "thousands_mark": "." if decimals else "," if grouped else None,
        "date_formats": _formats(dates),
        "columns": {field: headings[place] for field, place in found.items()},
        "required": ["account_id", *_NEEDED] if "account_id" in found else list(_NEEDED),
    }
    if sheet is not None:
        recipe["sheet"] = sheet
    told = {field: by_place[place].cells[0] if by_place[place].cells else "" for field, place in found.items()}
    if _DAY_NUMBER.fullmatch(told.get("read_date", "")):
        told["read_date"] += f" (the day {(serial_moment(told['read_date']) or ('', ''))[0]})"
    return {"recipe": recipe, "samples": told, "doubtful": doubtful}


_NEEDED: Final = ("meter_id", "read_date", "read")


def may_be_headings(cells: Sequence[str], below: Sequence[str]) -> bool:
    """Whether a row looks like headings: words, all different, above a row with a number and a date."""
    named = [cell for cell in cells if cell]
    words = all(_LETTER.search(cell) and not _is_number(cell) and not _is_date(cell) for cell in named)
    if not words or len(named) < _LEAST_CELLS or len(set(named)) < len(named):
        return False
    dated = [cell for cell in below if _is_date(cell) or _DAY_NUMBER.fullmatch(cell)]
    return bool(dated) and sum(_is_number(cell) or _is_date(cell) for cell in below) > 1


def _samples(table: Table | SheetTable) -> list[_Sample]:
    places = [place for place, heading in enumerate(table.header) if heading]
    block = next(iter(table.blocks(tuple(places), spare_cells=True)), None)
    cells = [list(islice(column, _SAMPLE)) for column in block.columns] if block and block.lines else [[]] * len(places)
    headings = columns.told_apart(table.header)
    return [
        _Sample(headings[place], place, [text for text in column if text])
        for place, column in zip(places, cells, strict=True)
    ]


def _by_the_look(
    samples: list[_Sample], known: dict[str, int], *, workbook: bool
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """The column of each field that only one can be, and for each needed field without one those it could be."""
    found = dict(known)
    doubtful: dict[str, list[str]] = {}

    def free() -> list[_Sample]:
        return [sample for sample in samples if sample.place not in found.values()]

    def settle(field: str, able: list[_Sample]) -> None:
        if field in found:
            return
        if len(able) == 1 and not able[0].of_another_read:
            found[field] = able[0].place
        elif field in _NEEDED:
            doubtful[field] = [sample.heading for sample in able]

    dated = [s for s in free() if s.mostly(_is_date) or (workbook and s.mostly(_is_day_number))]
    settle("read_date", _narrowed(dated, lambda s: not s.of_another_read))
    days = {sample.place for sample in dated}
    units = Units()
    settle("unit", [s for s in free() if s.mostly(lambda text: units[text] not in {UNKNOWN, ""})])
    settle("account_id", [s for s in free() if s.hinted("account_id") and s.mostly(_is_id)])
    settle("meter_id", [s for s in free() if s.hinted("meter_id") and s.mostly(_is_id)])
    share = {True: _HALF, False: _MOSTLY}  # a heading that says so makes up for reads that are none
    able = [s for s in free() if s.place not in days and s.mostly(_is_number, share[s.hinted("read")])]
    able = _narrowed(able, lambda s: not s.of_another_read)
    settle("read", _narrowed(able, lambda s: s.hinted("read")))
    settle("meter_id", [s for s in free() if s.place not in days and s.mostly(_is_id) and _all_differ(s.cells)])
    return found, {field: able for field, able in doubtful.items() if field not in found}


def _narrowed(able: list[_Sample], fits: Callable[[_Sample], bool]) -> list[_Sample]:
    """Those that fit, or all where none does."""
    return [sample for sample in able if fits(sample)] or able


def _all_differ(cells: list[str]) -> bool:
    return len(set(cells)) >= _MOSTLY * len(cells)


def _is_number(text: str) -> bool:
    return any(rule.exact(text) is not None for rule in _NUMBERS)


def _is_id(text: str) -> bool:
    return " " not in text and any(c.isdigit() for c in text) and not _is_date(text) and "," not in text


def _is_day_number(text: str) -> bool:
    return bool(_DAY_NUMBER.fullmatch(text))


_READERS: Final = {date_format: Moments([date_format]) for date_format in _DATE_FORMATS}


def _is_date(text: str) -> bool:
    if text.isdecimal() and not (len(text) == 8 and text.startswith("20")):
        return False
    return any(reader[text] is not None for reader in _READERS.values())


def _formats(texts: list[str]) -> list[str]:
    """The date formats that the sample needs, the one that reads the most of it first; ISO dates where none does.

    A format is taken only for dates that no earlier one reads, and never beside its own with day and month swapped.
    """
    able, left, chosen = list(_READERS), list(texts), []
    while left and able:
        best = max(able, key=lambda date_format: sum(_READERS[date_format][text] is not None for text in left))
        still = [text for text in left if _READERS[best][text] is None]
        if len(still) == len(left):
            break
        chosen.append(best)
        left, able = still, [f for f in able if f not in {best, _swapped(best)}]
    return chosen or ["%Y-%m-%d"]


def _swapped(date_format: str) -> str:
    """The format with day and month the other way round."""
    return date_format.translate(str.maketrans("dm", "md"))
