"""Tables found by their headings, as the guarded child reads them: rows column by column, or row and reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xlbilling.intake.files.delimited import Layout, blocks, header_cells
from xlbilling.intake.files.guard import Facts
from xlbilling.intake.files.old_sheets import OldWorkbook, open_book
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.sheets import UNCERTAIN, EnoughRead, Row, SheetName, Workbook, column_index
from xlbilling.intake.files.source import BAD_HEADER, HIDDEN, TOO_LARGE, WRONG_TYPE, kind_of, take
from xlbilling.intake.files.tables import pack
from xlbilling.intake.files.text import decode
from xlbilling.words.problems import Place, Refusal, declare

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
MOST_CELLS_TOLD: Final = 40
_DELIMITERS: Final = (",", "\t", ";", "|")
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd\ufffe\uffff]")
_ERROR_TEXT: Final = re.compile(r"#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|GETTING_DATA)")


def task(
    path: Path, columns: dict[str, list[str]], required: list[str], sheet: str | None, text_only: list[str], whole: bool
) -> tuple[Facts, list[bytes]]:
    """`read_listing` as the guarded child does it: what was found as JSON, the cells packed column by column."""
    content = take(path)
    kind = kind_of(content, path.name)
    headings = Headings(columns, required, path.name, whole)
    if kind == "text":
        rows = _from_text(content, headings)
    else:
        rows = _from_sheets(open_book(content, kind, path.name), headings, sheet, text_only)
    header = rows.header
    facts = {
        "found": header.places,
        "headings": header.cells,
        "unused": header.unused,
        "spare": header.spare,
        "above": rows.above,
        "rejects": sorted(rows.rejects),
        "unfit": list(rows.unfit.items()),
        "first_serial": rows.first_serial,
        "digest": hashlib.sha256(content).hexdigest(),
    }
    return facts, pack([[str(line) for line in rows.lines], *rows.columns])


def sheets_task(path: Path) -> tuple[Facts, list[bytes]]:
    """`sheet_names` as the guarded child does it."""
    content = take(path)
    kind = kind_of(content, path.name)
    return {"sheets": [] if kind == "text" else [s.name for s in open_book(content, kind, path.name).visible()]}, []


def folded(text: str) -> str:
    """A heading or sheet name as it is compared: "Account_ID" -> "accountid"."""
    return "".join(c for c in text.casefold() if c.isalnum())


@dataclass(frozen=True)
class Header:
    """A row of headings: its cells, where the fields stand in it, and (where all is asked for) the other columns."""

    cells: list[str]
    places: dict[str, int]
    width: int
    spare: list[int]

    @property
    def unused(self) -> list[str]:
        """The headings nobody asked for."""
        taken = set(self.places.values())
        return [shown(cell) for place, cell in enumerate(self.cells) if cell and place not in taken]

    @property
    def wanted(self) -> list[int]:
        return [*self.places.values(), *self.spare]


@dataclass(frozen=True)
class Headings:
    """The headings that are looked for; `whole` asks for every other column too."""

    columns: dict[str, list[str]]
    required: list[str]
    file: str
    whole: bool = False

    def of(self, cells: Sequence[str]) -> Header | None:
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
        width = max((place + 1 for place, cell in enumerate(cells) if cell), default=0)
        return Header(
            list(cells), places, width, [p for p in range(len(cells)) if p not in taken] if self.whole else []
        )

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
    """Rows as they are read: the cells of the columns wanted, column by column.

    `rejects`: line, fact and cells of each row that cannot be told. `unfit`: of those with a cell that has no certain text,
    the line and the fields of these cells; where everything is asked for they stay among the rows, those cells blank. `above`: line and cells of the rows above the header.
    """

    header: Header
    first_serial: int = 0
    above: list[tuple[int, list[str]]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    columns: list[list[str]] = field(default_factory=list)
    rejects: list[tuple[int, str, list[str]]] = field(default_factory=list)
    unfit: dict[int, list[str]] = field(default_factory=dict)
    whole: bool = False

    def __post_init__(self) -> None:
        self.columns = [[] for _ in self.header.wanted]

    def add(self, lines: Sequence[int], columns: Sequence[list[str]]) -> None:
        """Take rows in; one with a cell that has no certain text is a reject, if the column was asked for by name."""
        wrong: dict[int, str] = {}
        for name, column in zip(self.header.places, columns, strict=False):
            if _UNFIT.search("".join(column)) or "#" in "".join(column):
                for at, cell in enumerate(column):
                    if _UNFIT.search(cell) or _ERROR_TEXT.fullmatch(cell):
                        wrong.setdefault(at, f"{name} holds {_unfit(cell)}")
                        self.unfit.setdefault(lines[at], []).append(name)
        fields = len(self.header.places)
        columns = [*columns[:fields], *([_UNFIT.sub(" ", cell) for cell in column] for column in columns[fields:])]
        in_order = sorted(zip(self.header.wanted, columns, strict=True), key=lambda one: one[0])
        for at, fact in wrong.items():
            self.rejects.append((lines[at], fact, [_UNFIT.sub(" ", column[at]) for _, column in in_order]))
        keep = [at for at in range(len(lines)) if at not in wrong] if wrong else range(len(lines))
        if wrong and self.whole:
            keep = range(len(lines))
            named = zip(self.header.places, columns, strict=False)
            told = [["" if n in self.unfit.get(lines[at], ()) else column[at] for at in keep] for n, column in named]
            columns = [*told, *columns[fields:]]
        self.lines += [lines[at] for at in keep]
        for kept, column in zip(self.columns, columns, strict=True):
            kept.extend([column[at] for at in keep] if wrong else column)

    def reject(self, line: int, fact: str, cells: Iterable[str]) -> None:
        """List a row that cannot be told cell by cell, with its cells as far as they go."""
        self.rejects.append((line, fact, [_UNFIT.sub(" ", cell).strip() for cell in cells][:MOST_CELLS_TOLD]))


def _unfit(cell: str) -> str:
    if cell.startswith(UNCERTAIN):
        return cell.removeprefix(UNCERTAIN)
    if _ERROR_TEXT.fullmatch(cell):
        return f"the error value {cell}"
    return "a line break" if "\n" in cell or "\r" in cell else "a character that cannot be read"


def _from_text(content: bytes, headings: Headings) -> _Rows:
    """The rows of delimited text; delimiter and header line are those under which the headings are found."""
    text = decode(content, headings.file)
    seen: list[Sequence[str]] = []
    head = text.head(HEADER_WITHIN)
    for at, (number, line) in enumerate(head):
        for delimiter in _DELIMITERS:
            cells = header_cells(line, delimiter)
            seen.append(cells)
            header = headings.of(cells)
            if header is not None:
                rows = _Rows(
                    header, whole=headings.whole, above=[(n, header_cells(title, delimiter)) for n, title in head[:at]]
                )
                named = tuple(header.places.values())
                layout = Layout(delimiter, number, len(cells), tuple(header.wanted), spare_cells=True, one_line=named)
                for block in blocks(text, layout):
                    rows.add(block.lines, block.columns or [[] for _ in header.wanted])
                    for line_number, record, fault in block.damaged:
                        rows.reject(line_number, fault, record)
                return rows
    raise headings.missing(seen)


def _from_sheets(
    book: Workbook | OldWorkbook, headings: Headings, sheet: str | None, text_only: Sequence[str]
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

    headings: Headings
    first_serial: int
    seen: list[Sequence[str]]
    numbers: Mapping[int, set[int]]
    text_only: Sequence[str]
    rows: _Rows | None = None
    above: list[tuple[int, list[str]]] = field(default_factory=list)

    def row(self, number: int, row: Row) -> None:
        cells = {column: text.strip() for column, text in row.items() if text.strip()}
        if not cells:
            return
        if self.rows is None:
            self._header(number, [cells.get(column, "") for column in range(max(cells) + 1)])
            return
        header = self.rows.header
        beside = [text for column, text in cells.items() if column >= header.width]
        fields = any(column in cells for column in header.places.values())
        if beside and (self.headings.whole or not fields):
            self.rows.reject(number, "it stands beside the table, below no heading", cells.values())
        elif -1 in cells:
            self.rows.reject(number, cells[-1].removeprefix(UNCERTAIN), ())
        elif lost := [f for f in self.text_only if header.places.get(f) in self.numbers.get(number, ())]:
            fact = f"{lost[0]} is a number cell, so leading zeros may be lost; make it text"
            self.rows.reject(number, fact, cells.values())
        else:
            self.rows.add([number], [[cells.get(place, "")] for place in header.wanted])
        if len(self.rows.lines) > MOST_ROWS:
            raise Refusal(TOO_LARGE.at(Place(file=self.headings.file), f"it has more than {MOST_ROWS:,} rows"))

    def _header(self, number: int, cells: list[str]) -> None:
        if len(self.above) == HEADER_WITHIN:
            raise EnoughRead
        self.seen.append(cells)
        header = self.headings.of(cells)
        if header is not None:
            self.rows = _Rows(header, self.first_serial, self.above, whole=self.headings.whole)
        self.above.append((number, cells))
