"""What the guarded child does about recipes: which of those known fit a file, and what to propose for one."""

from __future__ import annotations

from collections import Counter
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Final

from xlbilling.intake.files import source as files
from xlbilling.intake.files.delimited import header_cells
from xlbilling.intake.files.old_sheets import OldWorkbook, open_book
from xlbilling.intake.files.sheets import Workbook
from xlbilling.intake.files.source import BAD_HEADER
from xlbilling.intake.files.text import Text, decode
from xlbilling.intake.reads import columns, generic
from xlbilling.intake.reads.detect import HEADER_WITHIN, delimiter_of
from xlbilling.intake.reads.propose import may_be_headings, recipe_for
from xlbilling.intake.reads.readings import Ledger
from xlbilling.intake.reads.recipe import Recipe
from xlbilling.intake.reads.tabular import FixedTable, SheetTable, Table
from xlbilling.intake.reads.task import by_position, find_by_recipe, find_on_sheet
from xlbilling.words.problems import Place, Refusal

Facts = dict[str, Any]
_SAMPLE_LINES: Final = 1000
_SHORTEST_RECORD: Final = 20


def fitting(path: Path, recipes: list[Facts]) -> tuple[Facts, list[bytes]]:
    """The positions of the recipes that fit the file: each column stands in it, or its lines are of the length told."""
    data = files.take(path)
    known = [Recipe.model_validate(recipe) for recipe in recipes]
    if files.kind_of(data, path.name) != "text":
        book = open_book(data, files.kind_of(data, path.name), path.name)
        return {"fits": [n for n, recipe in enumerate(known) if _book_fits(book, recipe)]}, []
    fits = []
    for n, recipe in enumerate(known):
        try:
            if _text_fits(decode(data, path.name, recipe.encoding), path.name, recipe):
                fits.append(n)
        except Refusal:  # another encoding, or no header of this recipe's: it is none of its files
            continue
    return {"fits": fits}, []


def _book_fits(book: Workbook | OldWorkbook, recipe: Recipe) -> bool:
    if recipe.layout == "fixed":
        return False
    sheets = [sheet for sheet in book.visible() if recipe.sheet in {None, sheet.name}]
    hits = [find_on_sheet(book, sheet, recipe)[0] for sheet in sheets]
    return any(hit is not None and _has_all(hit[1], recipe) for hit in hits)


def _text_fits(text: Text, name: str, recipe: Recipe) -> bool:
    if recipe.layout == "fixed":
        return _lines_fit(by_position(text, recipe), recipe)
    return _has_all(find_by_recipe(text, Place(file=name), recipe)[1], recipe)


def _has_all(how: generic.Reading, recipe: Recipe) -> bool:
    return len(how.named.names) == len(recipe.columns)


def _lines_fit(table: FixedTable, recipe: Recipe) -> bool:
    """Whether more than half of the first lines are of the length told and give a reading that can be taken."""
    sample = FixedTable(table.header, table.positions, Text("\n".join(_first_lines(table))), 0, table.length)
    ledger = Ledger(generic.rules(recipe))
    generic.read(sample, ledger, generic.by_positions(recipe))
    return ledger.kept * 2 > ledger.offered


def _first_lines(table: FixedTable) -> list[str]:
    lines = (line for _, block in table.text.blocks(table.skipped + 1) for line in block)
    return list(islice((line for line in lines if line and not line.isspace()), _SAMPLE_LINES))


def propose(path: Path) -> tuple[Facts, list[bytes]]:
    """A recipe for the readings in the file at `path`: `recipe`, `samples` and `doubtful` as `recipe_for` gives them.

    Where there are no headings but lines of one length, a recipe of positions without the positions.
    """
    data = files.take(path)
    kind = files.kind_of(data, path.name)
    table: Table | SheetTable | None = None
    if kind == "text":
        text = decode(data, path.name)
        table = _table_in(text)
        if table is not None:
            return recipe_for(table, sheet=None), []
        if length := _one_length(text):
            return _positions_to_tell(text, length), []
        raise Refusal(BAD_HEADER.at(Place(file=path.name), _NOTHING.format("row")))
    book = open_book(data, kind, path.name)
    for sheet in book.visible():
        rows = [
            (number, [row.get(column, "").strip() for column in range(max(row) + 1)])
            for number, row in book.head(sheet, HEADER_WITHIN + 1)
        ]
        header = _headings(rows)
        if header is not None:
            return recipe_for(SheetTable(header[1], header[0], book, sheet), sheet=sheet.name), []
    raise Refusal(BAD_HEADER.at(Place(file=path.name), _NOTHING.format("sheet has a row that")))


_NOTHING: Final = "no {} names a meter, a reading and a date, or looks like headings above readings"


def _table_in(text: Text) -> Table | None:
    delimiter = delimiter_of(text)
    rows = [(number, header_cells(line, delimiter)) for number, line in text.head(HEADER_WITHIN + 1)]
    header = _headings(rows)
    return None if header is None else Table(header[1], header[0], text, delimiter)


def _headings(rows: list[tuple[int, list[str]]]) -> tuple[int, list[str]] | None:
    """The row of headings: the first with known words, or else the first that looks like headings."""
    known = [row for row in rows[:HEADER_WITHIN] if columns.is_header(row[1])]
    alike = [row for row, below in pairwise(rows) if may_be_headings(row[1], below[1])]
    return next(iter(known + alike), None)


def _one_length(text: Text) -> int:
    """The length that more than half of the lines have; 0 where there is none, or lines are too short for a record."""
    lengths = Counter(len(line) for _, line in text.head(_SAMPLE_LINES))
    length, count = lengths.most_common(1)[0]
    return length if count * 2 > lengths.total() and count > 1 and length >= _SHORTEST_RECORD else 0


def _positions_to_tell(text: Text, length: int) -> Facts:
    first = next(line for _, line in text.head(_SAMPLE_LINES) if len(line) == length)
    recipe = {"layout": "fixed", "record_length": length, "date_formats": [], "columns": {}}
    return {"recipe": recipe, "samples": {}, "doubtful": {}, "line": first}
