"""generic: any table with a header row, as text or workbook, read by known headings or by a recipe."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from xlbilling.intake.files.cells import UNCERTAIN, unwrapped_column
from xlbilling.intake.files.dates import Evidence
from xlbilling.intake.files.delimited import Block
from xlbilling.intake.files.old_sheets import OldWorkbook
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.sheets import Workbook
from xlbilling.intake.reads import columns, footers
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.numbers import NumberRule
from xlbilling.intake.reads.readings import (
    ACTUAL,
    ESTIMATED,
    NO_READ,
    SUSPECT,
    Fault,
    Ledger,
    PlainReadings,
    Readings,
    Rules,
)
from xlbilling.intake.reads.recipe import Recipe
from xlbilling.intake.reads.tabular import FixedTable, Named, PlainColumns, SheetTable, Table, repeated_headers

IDS: Final = ("account_id", "location_id", "meter_id", "register_id")
TRAILER: Final = re.compile(r"(?:total|totals|count|records|record count)\s*:?", re.IGNORECASE)
_STATUS: Final = {
    **dict.fromkeys(("", "a", "act", "actual", "ok", "r"), ACTUAL),
    **dict.fromkeys(("e", "est", "estimated"), ESTIMATED),
    **dict.fromkeys(("n", "nr", "noread", "skip", "missed"), NO_READ),
}
_NO_LETTER: Final = re.compile("[^a-z]")
_ERROR: Final = UNCERTAIN + "the error value "


@dataclass(frozen=True)
class Reading:
    """How one table is read: where each field stands, the unit of its heading, and what must not be blank."""

    named: Named
    unit: str = ""
    required: frozenset[str] = frozenset()
    trailers: bool = True
    notes: tuple[str, ...] = ()


def rules(recipe: Recipe | None, book: Workbook | OldWorkbook | None = None, decided: Evidence | None = None) -> Rules:
    """The checks of a generic table; a recipe's own marks and date formats hold where there is one.

    `book`: the workbook that the table is in, None for text. `decided`: what the dates of the whole table proved about
    their order, where it was looked through before.
    """
    if recipe is None:
        numbers = NumberRule(thousands_mark=",")
        formats: list[str] = []
    else:
        numbers = NumberRule(recipe.decimal_mark, recipe.thousands_mark or "")
        formats = recipe.date_formats + (["%Y-%m-%d"] if isinstance(book, OldWorkbook) else [])
    return Rules(
        numbers=numbers,
        moments=lambda: Moments(
            formats,
            serials=recipe is None or book is not None,
            date1904=book is not None and book.date1904,
            workbook=book is not None,
            decided=decided,
        ),
        needs_account=recipe is not None and "account_id" in recipe.required,
        spreadsheet_ids=True,
        codes={} if recipe is None else {"unknown_unit": "bad_record"},
    )


def settled(
    read_into: Callable[[Ledger], None], recipe: Recipe | None, book: Workbook | OldWorkbook | None = None
) -> Ledger:
    """What a table gives: read with its dates as declared, and once more where they prove to be otherwise.

    The order of the dates is the whole column's, and a table is read in blocks, so it shows only at the end.
    """
    ledger = Ledger(rules(recipe, book))
    read_into(ledger)
    evidence = ledger.moments.evidence
    if evidence.order == evidence.declared:
        return ledger
    ledger = Ledger(rules(recipe, book, evidence))
    read_into(ledger)
    ledger.notes.append(evidence.told)
    return ledger


def by_headings(header: Sequence[str]) -> Reading | str:
    """How a table is read whose headings are known words; or that two of them could be the meter, the read or its date."""
    found, doubled = columns.recognise(header), columns.doubled(header)
    for field in columns.REQUIRED:
        if field in doubled:
            return f"{_alike(doubled[field])} could both be {_FIELD_WORDS[field]}"
    unit = columns.unit_in(header[found["reading"]])
    notes = [f"{_alike(names)} both stand for {field}; the first was read" for field, names in doubled.items()]
    first = next(place for place, heading in enumerate(header) if heading)
    if first not in found.values():
        found[footers.FIRST] = first
    return Reading(Named(found), unit, notes=tuple(notes))


SAY_WHICH: Final = "Say which column is meant in a recipe; Import reads proposes one on sheet Recipes."
_FIELD_WORDS: Final = {"meter_id": "the meter", "reading": "the read", "read_date": "the date of the read"}


def _alike(headings: Sequence[str]) -> str:
    return " and ".join(map(shown, headings))


def by_recipe(header: Sequence[str], recipe: Recipe) -> Reading | str:
    """How a table is read by a recipe, or what is wrong with its header."""
    places: dict[str, int] = {}
    for field, heading in recipe.columns.items():
        spots = [i for i, cell in enumerate(header) if cell == heading.strip()]
        if not spots:
            spots = [i for i, cell in enumerate(header) if cell.casefold() == heading.strip().casefold()]
        if not spots:
            spots = [
                i for i, cell in enumerate(columns.told_apart(header)) if cell.casefold() == heading.strip().casefold()
            ]
        if len(spots) > 1:
            which = columns.told_apart(header)[spots[-1]]
            return f"the heading {shown(heading)} is there {len(spots)} times; a recipe says which as {shown(which)}"
        if spots:
            places["reading" if field == "read" else field] = spots[0]
        elif field in recipe.required or field in {"meter_id", "read_date", "read"}:
            return f"there is no column {shown(heading)}"
    return Reading(Named(places), required=frozenset(recipe.required), trailers=False)


def by_positions(recipe: Recipe) -> Reading:
    """How a text is read whose columns are positions in the line, in the recipe's order."""
    places = {("reading" if field == "read" else field): n for n, field in enumerate(recipe.columns)}
    return Reading(Named(places), required=frozenset(recipe.required), trailers=False)


def read(table: Table | SheetTable | FixedTable, ledger: Ledger, how: Reading) -> None:
    """One row, one reading. Without a recipe a blank reading is a no-read, the report's own lines are set apart, and the
    count of a trailer is checked."""
    trailer = TRAILER if how.trailers else None
    ledger.notes += how.notes
    for one in table.blocks(how.named.wanted(), spare_cells=True, trailer=trailer):
        if one.plain is not None and _settle_plain(PlainColumns(one, how.named), how, ledger):
            continue
        before = ledger.offered
        block = footers.without_footers(one, how.named, ledger) if how.trailers else one
        for line, _, reason in block.damaged:
            ledger.reject(line, "bad_record", reason)
        again = repeated_headers(table.header, how.named, block)
        _settle(block, how, again, ledger)
        for line, cells in block.trailers:
            _check_trailer(line, cells, before, block, ledger)
    footers.tell(ledger)


def _settle(block: Block, how: Reading, again: list[int], ledger: Ledger) -> None:
    named = how.named
    dial = named.of(block, "reading")
    fault: dict[int, Fault] = dict.fromkeys(again, ("bad_record", "the header is repeated"))
    code = _codes(named.of(block, "status"), dial, blank_is_no_read="read" not in how.required)
    if NO_READ in code:
        dial = [_error_text(text) if kind == NO_READ else text for text, kind in zip(dial, code, strict=True)]
    unit = named.of(block, "unit")
    if how.unit and "" in unit:
        unit = [text or how.unit for text in unit]
    for field in sorted(how.required & {"location_id", "register_id", "unit", "status", "read_time"}):
        column = named.of(block, field)
        for i in [i for i, text in enumerate(column) if not text]:
            fault.setdefault(i, ("bad_record", f"the {field.replace('_', ' ')} is blank"))
    ledger.settle(
        Readings(
            line=block.lines,
            account_id=unwrapped_column(named.of(block, "account_id")),
            location_id=unwrapped_column(named.of(block, "location_id")),
            meter_id=unwrapped_column(named.of(block, "meter_id")),
            register_id=unwrapped_column(named.of(block, "register_id")),
            moment=named.of(block, "read_date"),
            clock=named.of(block, "read_time") if "read_time" in named.names else None,
            dial=dial,
            value=dial,
            unit=unit,
            code=code,
            fault=fault,
        )
    )


def _settle_plain(columns: PlainColumns, how: Reading, ledger: Ledger) -> bool:
    meter, dial, moment = columns.of("meter_id"), columns.of("reading"), columns.of("read_date")
    clock = columns.of("read_time")
    if meter is None or dial is None or moment is None or (clock is not None and not clock.blank().all()):
        return False
    statuses = columns.few("status")
    codes = [_STATUS.get(_NO_LETTER.sub("", text.lower()), SUSPECT) for text in statuses[1]]
    units = columns.few("unit")
    if NO_READ in codes or len(codes) > 1000 or how.required & {"location_id", "register_id", "unit", "status"}:
        return False
    return ledger.settle_plain(
        PlainReadings(
            line=columns.block.lines,
            account_id=columns.of("account_id"),
            location_id=columns.of("location_id"),
            meter_id=meter,
            register_id=columns.of("register_id"),
            moment=moment,
            dial=dial,
            value=dial,
            unit=(units[0], [text or how.unit for text in units[1]]),
            code=(statuses[0], codes),
        )
    )


def _codes(statuses: list[str], dials: list[str], *, blank_is_no_read: bool) -> list[str]:
    known = {text: _STATUS.get(_NO_LETTER.sub("", text.lower()), SUSPECT) for text in set(statuses)}
    codes = list(map(known.__getitem__, statuses))
    if blank_is_no_read and "" in dials:
        return [code if dial else NO_READ for code, dial in zip(codes, dials, strict=True)]
    return codes


def _error_text(text: str) -> str:
    return text.removeprefix(_ERROR) if text.startswith(_ERROR) else text


def _check_trailer(line: int, cells: list[str], before: int, block: Block, ledger: Ledger) -> None:
    filled = [cell for cell in cells if cell]
    told = filled[1] if len(filled) > 1 else ""
    rows = before + sum(1 for row in block.lines if row < line)
    rows += sum(1 for row, _, _ in block.damaged if row < line)
    plain = NumberRule(thousands_mark=",").exact(told)
    if plain != str(rows):
        ledger.reject(line, "control_total", f"the trailer says {shown(told)}, the rows above it are {rows}")
