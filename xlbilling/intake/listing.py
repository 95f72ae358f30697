"""Listings: plain tables from outside (CSV or a sheet of a workbook), their columns found by heading, every cell as text.

Reading is the guarded child's work (`task`, `sheets_task`); what comes back here is a frame of text and the rows that
could not be told, each with its line.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from pathlib import Path
from typing import Final

import pandas as pd

from xlbilling.intake.delimited import Layout, blocks, header_cells
from xlbilling.intake.files import BAD_HEADER, HIDDEN, TOO_LARGE, WRONG_TYPE, Kind, kind_of, take
from xlbilling.intake.guard import Facts, shared_worker
from xlbilling.intake.ledger.cells import printed_date, serial_date
from xlbilling.intake.old_sheets import OldWorkbook, open_document
from xlbilling.intake.package import shown
from xlbilling.intake.sheets import UNCERTAIN, EnoughRead, Row, SheetName, Workbook, column_index
from xlbilling.intake.tables import pack, unpack
from xlbilling.intake.text import decode
from xlbilling.money import parse_cents
from xlbilling.problems import Place, Problem, Refusal, declare

DAMAGED_ROW: Final = declare(
    "damaged_row",
    "A row of a file cannot be told cell by cell.",
    "Correct the row in the file and import it again.",
)
HEADING_MISSING: Final = declare(
    "heading_missing",
    "A heading that is needed is not in the file.",
    "Give the column one of the headings named, in one row above the data.",
)
HEADING_TWICE: Final = declare(
    "heading_twice", "Two columns of a file have headings for the same thing.", "Keep one of them, or rename the other."
)
SHEET_MISSING: Final = declare(
    "sheet_missing", "The workbook has no sheet of that name.", "Name the sheet as asked, then import the file again."
)
MOST_ROWS: Final = 2_000_000
HEADER_WITHIN: Final = 30
_DELIMITERS: Final = (",", "\t", ";", "|")
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
_NUMBER: Final = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3}){1,4}|[0-9]{1,15})(?:\.[0-9]{1,20})?")
_EXACT: Final = Context(prec=40)
_FIFTEEN: Final = Context(prec=15)


@dataclass(frozen=True)
class Listing:
    """A table from outside.

    `frame`: the columns found, by field name, as text ("" for blank; a column the file does not have is not there),
    and `source_line` (int64, the line or sheet row). `rejects`: rows that could not be told. `unused`: headings nobody
    asked for. `first_serial`: year from which the file counts its day numbers, 0 for a text file. `digest`: SHA-256.
    """

    frame: pd.DataFrame
    rejects: list[Problem] = field(default_factory=list)
    unused: tuple[str, ...] = ()
    first_serial: int = 0
    digest: str = ""

    def day(self, text: str) -> dt.date | None:
        """The day a cell names: 2026-11-30, 11/30/2026 (month first), 30-Nov-2026, a day number in a workbook."""
        return serial_date(text, self.first_serial) or printed_date(text, "mdy")

    def cents(self, text: str) -> int | None:
        """The whole cents of a cell: 1204.07, $1,204.07, -3.5; None for anything else, 128.325 included."""
        value = self.number(text.replace("$", "", 1) if text.startswith(("$", "-$")) else text)
        return None if value is None else parse_cents(format(_EXACT.normalize(value), "f"))

    def number(self, text: str) -> Decimal | None:
        """The exact number of a cell; None for what is no plain number.

        A number of a workbook counts with the 15 digits Excel shows: 15.299999999999999 is 15.3.
        """
        if not _NUMBER.fullmatch(text):
            return None
        return (_FIFTEEN if self.first_serial else _EXACT).create_decimal(text.replace(",", ""))


def read_listing(
    path: Path,
    columns: Mapping[str, Sequence[str]],
    required: Sequence[str],
    sheet: str | None = None,
    text_only: Sequence[str] = (),
) -> Listing:
    """Read a CSV file or a sheet of a workbook; headings are found by name, whatever their case, blanks or dots.

    `columns`: field -> headings accepted for it (the field's own name is one). `sheet`: the sheet to read; None takes
    the first visible one that has the headings. `text_only`: fields in which a workbook's number cell is a reject,
    because its leading zeros are lost. Refuses a file that is not safe, a missing required heading (naming
    those that are there), and two headings for one field. A row that cannot be told is a reject, never dropped.
    """
    accepted = {name: [name, *spellings] for name, spellings in columns.items()}
    facts, blobs = shared_worker().run(
        "xlbilling.intake.listing:task",
        path,
        columns=accepted,
        required=list(required),
        sheet=sheet,
        text_only=list(text_only),
    )
    lines, *cells = unpack(blobs)
    frame = pd.DataFrame(
        {name: pd.array(column, dtype="str") for name, column in zip(facts["found"], cells, strict=True)}
    )
    frame["source_line"] = pd.array([int(line) for line in lines], dtype="int64").to_numpy()
    rejects = [DAMAGED_ROW.at(Place(file=path.name, line=line), fact) for line, fact in facts["rejects"]]
    return Listing(frame, rejects, tuple(facts["unused"]), facts["first_serial"], facts["digest"])


def sheet_names(path: Path) -> list[str]:
    """Names of the workbook's visible sheets, in order; an empty list for a text file."""
    facts, _ = shared_worker().run("xlbilling.intake.listing:sheets_task", path)
    return list(facts["sheets"])


# ---- in the guarded child -----------------------------------------------------------------------------------------


def task(
    path: Path, columns: dict[str, list[str]], required: list[str], sheet: str | None, text_only: list[str]
) -> tuple[Facts, list[bytes]]:
    """`read_listing` as the guarded child does it: what was found as JSON, the cells packed column by column."""
    data = take(path)
    kind = kind_of(data, path.name)
    headings = _Headings(columns, required, path.name)
    if kind == "text":
        rows = _from_text(data, headings)
    else:
        rows = _from_sheets(_book(data, path.name, kind), headings, sheet, text_only)
    found = rows.header.places
    facts = {
        "found": list(found),
        "unused": rows.header.unused,
        "rejects": sorted(rows.rejects),
        "first_serial": rows.first_serial,
        "digest": hashlib.sha256(data).hexdigest(),
    }
    return facts, pack([[str(line) for line in rows.lines], *rows.columns])


def sheets_task(path: Path) -> tuple[Facts, list[bytes]]:
    """`sheet_names` as the guarded child does it."""
    data = take(path)
    kind = kind_of(data, path.name)
    return {"sheets": [] if kind == "text" else [s.name for s in _book(data, path.name, kind).visible()]}, []


def folded(text: str) -> str:
    """A heading or sheet name as it is compared: "Account_ID" -> "accountid"."""
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass(frozen=True)
class _Header:
    """Where the fields stand in a row of headings."""

    places: dict[str, int]
    width: int
    unused: list[str]


@dataclass(frozen=True)
class _Headings:
    """The headings that are looked for."""

    columns: dict[str, list[str]]
    required: list[str]
    file: str

    def of(self, cells: Sequence[str]) -> _Header | None:
        """The header a row makes; None where a required heading is not in it."""
        places: dict[str, int] = {}
        keys = [folded(cell) for cell in cells]
        for name, spellings in self.columns.items():
            known = {folded(spelling) for spelling in spellings}
            at = [place for place, key in enumerate(keys) if key in known]
            if len(at) > 1:
                both = " and ".join(shown(cells[place]) for place in at[:2])
                raise Refusal(HEADING_TWICE.at(Place(file=self.file), f"{both} both stand for {name}"))
            if at:
                places[name] = at[0]
        if any(name not in places for name in self.required):
            return None
        taken = set(places.values())
        unused = [shown(cell) for place, cell in enumerate(cells) if cell and place not in taken]
        width = max((place + 1 for place, cell in enumerate(cells) if cell), default=0)
        return _Header(places, width, unused)

    def known(self, cells: Sequence[str]) -> int:
        """How many cells of a row are headings that are looked for."""
        spoken = {folded(spelling) for spellings in self.columns.values() for spelling in spellings}
        return sum(folded(cell) in spoken for cell in cells)

    def missing(self, seen: Iterable[Sequence[str]]) -> Refusal:
        """The refusal for a file without the headings: what is missing from the row that has most of them."""
        best = max(seen, key=self.known, default=[])
        place = Place(file=self.file)
        if not best:
            return Refusal(BAD_HEADER.at(place, "it holds no row of headings"))
        here = {folded(cell) for cell in best}
        lacking = [name for name in self.required if not here & {folded(s) for s in self.columns[name]}]
        names = ", ".join(f"{name} (or {', '.join(self.columns[name][1:4])})" for name in lacking)
        there = ", ".join(shown(cell, 30) for cell in best[:30] if cell)
        return Refusal(HEADING_MISSING.at(place, f"no heading for {names}; the headings are {there}"))


@dataclass
class _Rows:
    """Rows as they are read: the cells of the columns found, column by column."""

    header: _Header
    first_serial: int = 0
    lines: list[int] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    rejects: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.columns = [[] for _ in self.header.places]

    def add(self, lines: Sequence[int], columns: Sequence[list[str]]) -> None:
        """Take rows in; one with a cell that has no certain text is a reject."""
        wrong: dict[int, str] = {}
        for name, column in zip(self.header.places, columns, strict=True):
            if _UNFIT.search("".join(column)):
                for at, cell in enumerate(column):
                    if _UNFIT.search(cell):
                        wrong.setdefault(at, f"{name} holds {_unfit(cell)}")
        self.rejects += [(lines[at], fact) for at, fact in wrong.items()]
        keep = [at for at in range(len(lines)) if at not in wrong] if wrong else range(len(lines))
        self.lines += [lines[at] for at in keep]
        for kept, column in zip(self.columns, columns, strict=True):
            kept.extend([column[at] for at in keep] if wrong else column)


def _unfit(cell: str) -> str:
    if cell.startswith(UNCERTAIN):
        return cell.removeprefix(UNCERTAIN)
    return "a line break" if "\n" in cell or "\r" in cell else "a character that cannot be read"


def _from_text(data: bytes, headings: _Headings) -> _Rows:
    """The rows of delimited text; delimiter and header line are those under which the headings are found."""
    text = decode(data, headings.file)
    seen: list[Sequence[str]] = []
    for number, line in text.head(HEADER_WITHIN):
        for delimiter in _DELIMITERS:
            cells = header_cells(line, delimiter)
            seen.append(cells)
            header = headings.of(cells)
            if header is not None:
                rows = _Rows(header)
                layout = Layout(delimiter, number, len(cells), tuple(header.places.values()), spare_cells=True)
                for block in blocks(text, layout):
                    rows.add(block.lines, block.columns or [[] for _ in header.places])
                    rows.rejects += [(line, fault) for line, _, fault in block.damaged]
                return rows
    raise headings.missing(seen)


def _book(data: bytes, name: str, kind: Kind) -> Workbook | OldWorkbook:
    if kind == "workbook":
        return Workbook(data, name)
    return open_document(data, name) if kind == "open_document" else OldWorkbook(data, name)


def _from_sheets(
    book: Workbook | OldWorkbook, headings: _Headings, sheet: str | None, text_only: Sequence[str]
) -> _Rows:
    """The rows of the sheet asked for, or of the first visible sheet that has the headings."""
    seen: list[Sequence[str]] = []
    for one in book.visible() if sheet is None else [_sheet(book, sheet, headings.file)]:
        reader = _SheetRows(
            headings, 1904 if book.date1904 else 1900, seen, _numbers(book, one) if text_only else {}, text_only
        )
        book.read(one, reader.row)
        if reader.rows is not None:
            return reader.rows
    raise headings.missing(seen)


def _numbers(book: Workbook | OldWorkbook, sheet: SheetName) -> dict[int, set[int]]:
    """Which cells of a sheet hold numbers: columns by row. Only an .xlsx workbook tells numbers from text for certain."""
    if isinstance(book, OldWorkbook):
        raise Refusal(WRONG_TYPE.at(book.place, "its account numbers may have lost their zeros", "Save it as .xlsx."))
    found: dict[int, set[int]] = {}
    here = {"row": 0, "column": -1, "number": 0}

    def start(name: str, given: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if local == "row":
            here.update(row=int(given.get("r", here["row"] + 1)), column=-1)
        elif local == "c":
            letters = given.get("r", "").rstrip("0123456789")
            here.update(column=column_index(letters) if letters else here["column"] + 1)
            here.update(number=given.get("t", "n") == "n")
        elif local == "v" and here["number"]:
            found.setdefault(here["row"], set()).add(here["column"])

    book.package.read_xml(sheet.part, start)
    return found


def _sheet(book: Workbook | OldWorkbook, name: str, file: str) -> SheetName:
    found = next((one for one in book.sheets if folded(one.name) == folded(name)), None)
    if found is None:
        there = ", ".join(shown(one.name, 31) for one in book.sheets[:30])
        raise Refusal(SHEET_MISSING.at(Place(file=file), f"there is no sheet {name!r}; there are {there}"))
    if found.hidden:
        raise Refusal(HIDDEN.at(Place(file=file), f"the sheet {shown(found.name, 31)} is hidden"))
    return found


@dataclass
class _SheetRows:
    """Takes the rows of a sheet one by one: the header first, then the data below it."""

    headings: _Headings
    first_serial: int
    seen: list[Sequence[str]]
    numbers: Mapping[int, set[int]]
    text_only: Sequence[str]
    rows: _Rows | None = None
    looked: int = 0

    def row(self, number: int, row: Row) -> None:
        cells = {column: text.strip() for column, text in row.items() if text.strip()}
        if not cells:
            return
        if self.rows is None:
            self._header([cells.get(column, "") for column in range(max(cells) + 1)])
            return
        header = self.rows.header
        if any(text for column, text in cells.items() if column >= header.width) and not any(
            column in cells for column in header.places.values()
        ):
            self.rows.rejects.append((number, "it stands beside the table, below no heading"))
        elif -1 in cells:
            self.rows.rejects.append((number, cells[-1].removeprefix(UNCERTAIN)))
        elif lost := [f for f in self.text_only if header.places.get(f) in self.numbers.get(number, ())]:
            self.rows.rejects.append(
                (number, f"{lost[0]} is a number cell, so leading zeros may be lost; make it text")
            )
        else:
            self.rows.add([number], [[cells.get(place, "")] for place in header.places.values()])
        if len(self.rows.lines) > MOST_ROWS:
            raise Refusal(TOO_LARGE.at(Place(file=self.headings.file), f"it has more than {MOST_ROWS:,} rows"))

    def _header(self, cells: list[str]) -> None:
        self.looked += 1
        if self.looked > HEADER_WITHIN:
            raise EnoughRead
        self.seen.append(cells)
        header = self.headings.of(cells)
        if header is not None:
            self.rows = _Rows(header, self.first_serial)


def values(listing: Listing, name: str) -> list[str]:
    """A column's cells; blank throughout where the file does not have it."""
    return listing.frame[name].tolist() if name in listing.frame else [""] * len(listing.frame)
