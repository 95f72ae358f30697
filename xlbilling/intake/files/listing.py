"""Listings: plain tables from outside (CSV or a sheet of a workbook), their columns found by heading, every cell as text.

Reading is the guarded child's work (`headed`); what comes back here is a frame of text and the rows that could not be
told, each with its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from pathlib import Path
from typing import Final

import pandas as pd

from xlbilling.intake.files.cells import unwrapped_column
from xlbilling.intake.files.dates import DateColumn
from xlbilling.intake.files.guard import shared_worker
from xlbilling.intake.files.headed import folded
from xlbilling.intake.files.tables import unpack
from xlbilling.words.money import parse_cents
from xlbilling.words.problems import Place, Problem, declare

__all__ = ["DAMAGED_ROW", "DAY_FIRST", "Listing", "Row", "Spare", "folded", "read_listing", "sheet_names", "values"]

DAMAGED_ROW: Final = declare(
    "damaged_row",
    "A row of a file cannot be told cell by cell.",
    "Correct the row in the file and import it again.",
)
DAY_FIRST: Final = declare(
    "dates_day_first",
    "A column of dates was not read month first throughout, because some of its dates can only be day first.",
    "Compare one of the dates with the paper; where they are wrong, write the column as 2026-11-30.",
    "info",
)
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,20})?")
_MONEY: Final = re.compile(r"(-?)\$? *([-(]?)\$? *([0-9][0-9,]*(?:\.[0-9]+)?)(\)?)")
_NOTHING: Final = re.compile(r"\$? *[-\u2013\u2014]")
_EXACT: Final = Context(prec=40)

Row = tuple[int, list[str]]
"""A line (or sheet row) and its cells, in the order of the file."""


@dataclass(frozen=True)
class Spare:
    """A column nobody asked for: its heading as the file has it ("" for none), its place from 0, and its cells."""

    heading: str
    place: int
    cells: list[str]

    @property
    def name(self) -> str:
        """How a message calls it."""
        return repr(self.heading[:40]) if self.heading else f"column {self.place + 1}, which has no heading,"


@dataclass(frozen=True)
class Listing:
    """A table from outside.

    `frame`: the columns found, by field name, as text ("" for blank; a column the file does not have is not there),
    and `source_line` (int64, the line or sheet row). `rejects`: rows that could not be told. `unused`: headings nobody
    asked for. `first_serial`: year from which the file counts its day numbers, 0 for a text file. `digest`: SHA-256.
    Of a listing read whole also `spare`: the columns nobody asked for; `above`: the rows above the headings;
    `damaged`: the cells of the rejects; `unfit`: by line the fields without a certain text, of rejects that can be told
    otherwise and stand in the frame with those cells blank; and, by field, the `headings` as written and the `places` of the columns.
    """

    frame: pd.DataFrame
    rejects: list[Problem] = field(default_factory=list)
    unused: tuple[str, ...] = ()
    first_serial: int = 0
    digest: str = ""
    spare: tuple[Spare, ...] = ()
    above: tuple[Row, ...] = ()
    damaged: tuple[Row, ...] = ()
    unfit: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    def dates(self, name: str) -> DateColumn:
        """The dates of a column, month first unless its rows prove otherwise; day numbers count in a workbook only."""
        return DateColumn(values(self, name), first_serial=self.first_serial)

    def as_they_came(self, lines: Collection[int]) -> dict[int, str]:
        """Rows by their line, as the file has them: their cells in its order, with commas between."""
        columns = [(self.places[name], values(self, name)) for name in self.places]
        columns += [(one.place, one.cells) for one in self.spare]
        in_order = [cells for _, cells in sorted(columns, key=lambda column: column[0])]
        at = {line: row for row, line in enumerate(self.frame["source_line"].tolist())}
        whole = {line: [cells[at[line]] for cells in in_order] for line in lines if line in at}
        return {line: _joined(cells) for line, cells in [*whole.items(), *self.damaged] if line in lines}

    def cents(self, text: str) -> int | None:
        """The whole cents of a cell: 1204.07, $1,204.07, -3.5, ($3.50) is -3.50, a dash is 0.00; None for 128.325 too."""
        if _NOTHING.fullmatch(text):
            return 0
        found = _MONEY.fullmatch(text)
        if not found or (found[2] == "(") != bool(found[4]) or (found[1] and found[2]):
            return None
        value = self.number(("-" if found[1] or found[2] else "") + found[3])
        return None if value is None else parse_cents(format(_EXACT.normalize(value), "f"))

    def number(self, text: str) -> Decimal | None:
        """The exact number of a cell, None for what is no plain number; a workbook's has 15 digits by then."""
        return _EXACT.create_decimal(text.replace(",", "")) if _NUMBER.fullmatch(text) else None


def read_listing(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    sheet: str | None = None,
    text_only: Sequence[str] = (),
    whole: bool = False,
) -> Listing:
    """Read a CSV file or a sheet of a workbook; headings are found by name, whatever their case, blanks or dots.

    `columns`: field -> headings accepted for it (the field's own name is one). `sheet`: the sheet to read; None takes
    the first visible one that has the headings. `text_only`: fields in which a workbook's number cell is a reject,
    because its leading zeros are lost. `whole`: what nobody asked for is given too. Marks that keep zeros in a
    spreadsheet are taken off: ="007" and '007 are 007. Refuses a file that is not safe, a missing required heading
    (naming those that are there), and two headings for one field. A row that cannot be told is a reject, never dropped.
    """
    facts, blobs = shared_worker().run(
        "xlbilling.intake.files.headed:task",
        path,
        columns={name: [name, *spellings] for name, spellings in columns.items()},
        required=list(required),
        sheet=sheet,
        text_only=list(text_only),
        whole=whole,
    )
    lines, *cells = unpack(blobs)
    places: dict[str, int] = facts["found"]
    header: list[str] = facts["headings"]
    named = zip(places, cells[: len(places)], strict=True)
    frame = pd.DataFrame({name: pd.array(unwrapped_column(column), dtype="str") for name, column in named})
    frame["source_line"] = pd.array([int(line) for line in lines], dtype="int64").to_numpy()
    others = zip(facts["spare"], cells[len(places) :], strict=True)
    return Listing(
        frame,
        [DAMAGED_ROW.at(Place(file=path.name, line=line), fact) for line, fact, _ in facts["rejects"]],
        tuple(facts["unused"]),
        facts["first_serial"],
        facts["digest"],
        tuple(Spare(header[place], place, unwrapped_column(column)) for place, column in others),
        tuple((line, row) for line, row in facts["above"]),
        tuple((line, row) for line, _, row in facts["rejects"]),
        {line: tuple(names) for line, names in facts["unfit"]} if whole else {},
        {name: header[place] for name, place in places.items()},
        places,
    )


def _joined(cells: Sequence[str]) -> str:
    """Cells as one line of a CSV file."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def sheet_names(path: Path) -> list[str]:
    """Names of the workbook's visible sheets, in order; an empty list for a text file."""
    facts, _ = shared_worker().run("xlbilling.intake.files.headed:sheets_task", path)
    return list(facts["sheets"])


def values(listing: Listing, name: str) -> list[str]:
    """A column's cells; blank throughout where the file does not have it."""
    return listing.frame[name].tolist() if name in listing.frame else [""] * len(listing.frame)
