"""What the guarded child does with a file of reads: take it, tell its format, read it, and answer in plain bytes."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any, Final

import numpy as np

from xlbilling.intake.files import source as files
from xlbilling.intake.files import tables
from xlbilling.intake.files.delimited import header_cells
from xlbilling.intake.files.old_sheets import OldWorkbook, open_book
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.sheets import SheetName, Workbook
from xlbilling.intake.files.source import AMBIGUOUS, BAD_HEADER, UNREADABLE
from xlbilling.intake.files.text import Text, decode
from xlbilling.intake.reads import (
    aclara,
    beacon,
    beacon_hourly,
    cmep,
    columns,
    generic,
    itron_mvrs,
    neptune,
    radix,
    sensus_autoread,
    sensus_k3,
)
from xlbilling.intake.reads.detect import HEADER_WITHIN, delimiter_of, detect, find_header
from xlbilling.intake.reads.readings import Ledger
from xlbilling.intake.reads.recipe import Recipe
from xlbilling.intake.reads.rejected import REJECT_FIELDS, lines_as_they_came, rows_as_they_came
from xlbilling.intake.reads.tabular import FixedTable, SheetTable, Table
from xlbilling.words.problems import Place, Refusal

Facts = dict[str, Any]
_TABLES: Final[dict[str, Any]] = {"beacon": beacon, "beacon-hourly": beacon_hourly, "aclara": aclara}
_FIXED: Final[dict[str, Any]] = {
    "neptune": neptune,
    "sensus-autoread": sensus_autoread,
    "cmep": cmep,
    "itron-mvrs": itron_mvrs,
    "radix": radix,
}


def parse(path: Path, format: str, recipe: Facts | None, year: int | None) -> tuple[Facts, list[bytes]]:
    """Read the file at `path`; the answer is what `parsed.ParsedReads` is made from."""
    known = Recipe.model_validate(recipe) if recipe else None
    data = files.take(path)
    kind = files.kind_of(data, path.name)
    notes: list[str] = []
    if kind != "text":
        if format not in {"auto", "generic"}:
            raise Refusal(BAD_HEADER.at(Place(file=path.name), f"a workbook is never in the format {format}"))
        name, book = "generic", open_book(data, kind, path.name)
        ledger, sheet = _read_book(book, path.name, known, notes)
        came = rows_as_they_came(book, sheet, {reject.line for reject in ledger.rejects})
    else:
        text = decode(data, path.name, known.encoding if known else None)
        del data
        name, ledger = _read_text(text, path.name, format, known, year, notes)
        came = lines_as_they_came(text, {reject.line for reject in ledger.rejects})
    return _answer(name, ledger, came, notes)


def _answer(name: str, ledger: Ledger, came: dict[int, str], notes: list[str]) -> tuple[Facts, list[bytes]]:
    if ledger.offered != ledger.kept + len(ledger.rejects):
        raise AssertionError("a reading was neither kept nor listed")
    blobs: list[bytes] = []
    width = 3 * (len(ledger.blobs) // (3 * len(ledger.block_lines))) if ledger.block_lines else 0
    for i, lines in enumerate(ledger.block_lines):
        blobs.append(np.asarray(lines, dtype=np.int64).tobytes() if not isinstance(lines, range) else _counted(lines))
        blobs += ledger.blobs[i * width : (i + 1) * width]
    rejects = sorted(ledger.rejects, key=lambda reject: reject.line)
    messages = ["".join(c if c.isprintable() else " " for c in reject.message) for reject in rejects]
    blobs.append(array("q", [reject.line for reject in rejects]).tobytes())
    told = [[getattr(reject, name) for reject in rejects] for name in REJECT_FIELDS]
    blobs += tables.pack([[reject.code for reject in rejects], messages, *told])
    # One line may carry many readings, so each is sent once.
    lines = sorted({reject.line for reject in rejects})
    blobs.append(array("q", lines).tobytes())
    blobs += tables.pack([[came.get(line, "") for line in lines]])
    facts = {
        "format": name,
        "offered": ledger.offered,
        "blocks": len(ledger.block_lines),
        "notes": notes + ledger.notes,
    }
    return facts, blobs


def _counted(lines: range) -> bytes:
    return np.arange(lines.start, lines.stop, dtype=np.int64).tobytes()


def _read_text(
    text: Text, file: str, format: str, recipe: Recipe | None, year: int | None, notes: list[str]
) -> tuple[str, Ledger]:
    place = Place(file=file)
    head = text.head(1)
    if not head:
        raise Refusal(UNREADABLE.at(place, "it holds nothing but blank lines"))
    name = "generic" if recipe else detect(text) if format == "auto" else format
    if name is None:
        raise Refusal(BAD_HEADER.at(place, "it is in none of the known formats"))
    if name in _TABLES:
        module = _TABLES[name]
        header = header_cells(head[0][1], ",")
        missing = [heading for heading in module.NEEDED if heading.casefold() not in map(str.casefold, header)]
        if missing:
            raise Refusal(BAD_HEADER.at(place, f"its first line has no heading {missing[0]}"))
        ledger = Ledger(module.RULES)
        module.read(Table(header, head[0][0], text), ledger)
    elif name == "sensus-k3":
        ledger = Ledger(sensus_k3.RULES)
        sensus_k3.read(text, ledger, year)
    elif name in _FIXED:
        ledger = Ledger(_FIXED[name].RULES)
        _FIXED[name].read(text, ledger)
    else:
        ledger = _read_generic_text(text, place, recipe)
    if name == "sensus-autoread":
        notes.append(sensus_autoread.NOTE)
    if name == "beacon" and ledger.offered == 100_000:
        notes.append("exactly 100,000 readings: the export may have been cut off there")
    return name, ledger


def _read_generic_text(text: Text, place: Place, recipe: Recipe | None) -> Ledger:
    if recipe is None:
        delimiter = delimiter_of(text)
        found = find_header(text, delimiter)
        if found is None:
            raise Refusal(BAD_HEADER.at(place, "no row names a meter, a reading and a date"))
        known = generic.by_headings(found[1])
        if isinstance(known, str):
            raise Refusal(BAD_HEADER.at(Place(file=place.file, line=found[0]), known, generic.SAY_WHICH))
        how = known
    elif recipe.layout == "fixed":
        lines = by_position(text, recipe)
        return generic.settled(lambda ledger: generic.read(lines, ledger, generic.by_positions(recipe)), recipe)
    else:
        delimiter = recipe.delimiter
        found, how = find_by_recipe(text, place, recipe)
    table = Table(found[1], found[0], text, delimiter)
    return generic.settled(lambda ledger: generic.read(table, ledger, how), recipe)


def by_position(text: Text, recipe: Recipe) -> FixedTable:
    """The text as a table of the positions that a recipe tells."""
    places = list(recipe.positions.values())
    return FixedTable(list(recipe.columns.values()), places, text, recipe.header_row, recipe.record_length)


def find_by_recipe(text: Text, place: Place, recipe: Recipe) -> tuple[tuple[int, list[str]], generic.Reading]:
    """The header a recipe tells: in its row (after Excel's "sep=" line), or else the first row that has it all."""
    rows = text.head(HEADER_WITHIN + recipe.header_row)
    wrong = "there is no header row"
    rows.sort(key=lambda row: (row[0] != recipe.header_row, row[0]))
    for number, line in rows:
        cells = header_cells(line, recipe.delimiter)
        how = generic.by_recipe(cells, recipe)
        if isinstance(how, generic.Reading):
            return (number, cells), how
        if number == recipe.header_row or "times" in how:
            wrong = how
        if "times" in how:
            break
    raise Refusal(BAD_HEADER.at(place, wrong))


def _read_book(
    book: Workbook | OldWorkbook, name: str, recipe: Recipe | None, notes: list[str]
) -> tuple[Ledger, SheetName]:
    place = Place(file=name)
    if recipe is not None and recipe.layout == "fixed":
        raise Refusal(BAD_HEADER.at(place, "it is a workbook, and the recipe tells positions in lines of text"))
    found: list[tuple[SheetTable, generic.Reading]] = []
    wrong = ""
    for sheet in book.visible():
        if recipe is not None and recipe.sheet is not None and sheet.name != recipe.sheet:
            continue
        hit, told = find_on_sheet(book, sheet, recipe)
        if told and recipe is None:
            raise Refusal(BAD_HEADER.at(place, f"on sheet {shown(sheet.name)} {told}", generic.SAY_WHICH))
        wrong = wrong or told
        if hit is not None:
            found.append(hit)
    if not found:
        raise Refusal(BAD_HEADER.at(place, wrong or "no sheet has a row that names a meter, a reading and a date"))
    if len(found) > 1:
        others = ", ".join(shown(table.sheet.name) for table, _ in found[1:4])
        if recipe is not None:
            fact = f"the sheets {shown(found[0][0].sheet.name)} and {others} could both be meant"
            raise Refusal(AMBIGUOUS.at(place, fact, "Say in the recipe which sheet to read (sheet: NAME)."))
        notes.append(f"only the sheet {shown(found[0][0].sheet.name)} was read; reads may be on {others} too")
    table, how = found[0]
    return generic.settled(lambda ledger: generic.read(table, ledger, how), recipe, book), table.sheet


def find_on_sheet(
    book: Workbook | OldWorkbook, sheet: SheetName, recipe: Recipe | None
) -> tuple[tuple[SheetTable, generic.Reading] | None, str]:
    """The table on a sheet (its header is among the first 20 rows that hold something), or what is wrong."""
    wrong = ""
    for number, row in book.head(sheet, HEADER_WITHIN):
        cells = [row.get(column, "").strip() for column in range(max(row) + 1)]
        how: generic.Reading | str
        if recipe is not None:
            how = generic.by_recipe(cells, recipe)
        else:
            how = generic.by_headings(cells) if columns.is_header(cells) else ""
        if isinstance(how, generic.Reading):
            ids = frozenset(how.named.names[name] for name in generic.IDS if name in how.named.names)
            return (SheetTable(cells, number, book, sheet, ids), how), ""
        wrong = wrong or how
        if how and (recipe is None or "times" in how):
            break
    return None, wrong
