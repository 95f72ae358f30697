"""Error values in workbooks of the other kinds (.xls, .xlsb, .ods), which the library that reads them gives as blanks.

Only the cells that show an error are looked for, record by record: #N/A is no blank, and a payment or a read that
rests on one is not taken.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import Final

from xlbilling.intake.files.package import Attributes, Package
from xlbilling.intake.files.source import UNREADABLE
from xlbilling.words.problems import Place, Refusal

Errors = dict[tuple[int, int], str]
"""The error value a cell shows, by row and column from 0."""

ERROR_VALUE: Final = re.compile(r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|GETTING_DATA|SPILL!|CALC!)|Err:\d{3}")
_NAMES: Final = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}  # fmt: skip
_NO_VALUE: Final = "a formula without a stored result"


def errors_in(data: bytes, place: Place) -> dict[int, Errors]:
    """The error values of a workbook by the number of the sheet, from 0 in the order of the workbook.

    Refused where the file's own structure cannot be followed: its blanks would not be told from errors.
    """
    try:
        if not data.startswith(b"PK"):
            return dict(enumerate(_of_xls(data)))
        package = Package(data, place.file)
        return dict(enumerate(_of_ods(package) if "content.xml" in package.names else _of_xlsb(package)))
    except (struct.error, IndexError, KeyError, ValueError, UnicodeDecodeError):
        raise Refusal(UNREADABLE.at(place, "its error values cannot be told from blank cells")) from None


# ---- .ods -----------------------------------------------------------------------------------------------------------


class _Ods:
    """Handlers that count rows and cells of content.xml as they repeat, and keep those that show an error."""

    def __init__(self) -> None:
        self.sheets: list[Errors] = []
        self.row = self.column = self.rows = self.cells = 0
        self.formula = self.marked = self.valued = self.in_text = False
        self.in_note = 0
        self.pieces: list[str] = []

    def start(self, name: str, given: Attributes) -> None:
        local = name.rpartition(" ")[2]
        plain = {key.rpartition(" ")[2]: value for key, value in given.items()}
        if local == "table":
            self.sheets.append({})
            self.row = 0
        elif local == "table-row":
            self.rows, self.column = int(plain.get("number-rows-repeated", "1")), 0
        elif local in {"table-cell", "covered-table-cell"}:
            self.cells = int(plain.get("number-columns-repeated", "1"))
            self.formula, self.valued = "formula" in plain, any(key.endswith("value-type") for key in plain)
            self.marked = any(key.endswith("value-type") and value == "error" for key, value in given.items())
            self.pieces.clear()
        elif local == "annotation":
            self.in_note += 1
        elif local == "p":
            self.in_text = not self.in_note

    def text(self, data: str) -> None:
        if self.in_text:
            self.pieces.append(data)

    def end(self, name: str) -> None:
        local = name.rpartition(" ")[2]
        if local == "p":
            self.in_text = False
        elif local == "annotation":
            self.in_note -= 1
        elif local == "table-row":
            self.row += self.rows
        elif local in {"table-cell", "covered-table-cell"}:
            shown = "".join(self.pieces)
            if self.marked or (self.formula and ERROR_VALUE.fullmatch(shown)):
                self._keep(shown or "an error")
            elif self.formula and not self.valued and not shown:
                self._keep(_NO_VALUE)
            self.column += self.cells

    def _keep(self, shown: str) -> None:
        for row in range(self.row, self.row + min(self.rows, 1000)):
            for column in range(self.column, self.column + min(self.cells, 1000)):
                self.sheets[-1][row, column] = shown


def _of_ods(package: Package) -> list[Errors]:
    reader = _Ods()
    package.read_xml("content.xml", reader.start, reader.end, reader.text)
    return reader.sheets


# ---- .xlsb ----------------------------------------------------------------------------------------------------------

_ROW_HEADER, _CELL_ERROR, _FORMULA_ERROR, _BUNDLE_SHEET = 0, 3, 11, 156


def _of_xlsb(package: Package) -> list[Errors]:
    """The sheets in the order of workbook.bin; [MS-XLSB] 2.4: BrtRowHdr, BrtCellError, BrtFmlaError, BrtBundleSh."""
    main = next((r.target for r in package.relations("").values() if r.kind == "officeDocument"), "")
    relations = package.relations(main)
    sheets = []
    for kind, record in _xlsb_records(b"".join(package.chunks(main))):
        if kind == _BUNDLE_SHEET:
            length = struct.unpack_from("<I", record, 8)[0]
            identity = record[12 : 12 + 2 * length].decode("utf-16-le")
            relation = relations[identity]
            if relation.kind == "worksheet":
                sheets.append(_xlsb_errors(b"".join(package.chunks(relation.target))))
    return sheets


def _xlsb_errors(part: bytes) -> Errors:
    errors: Errors = {}
    row = 0
    for kind, record in _xlsb_records(part):
        if kind == _ROW_HEADER:
            row = struct.unpack_from("<I", record)[0]
        elif kind in {_CELL_ERROR, _FORMULA_ERROR}:
            errors[row, struct.unpack_from("<I", record)[0]] = _NAMES.get(record[8], "an error value")
    return errors


def _xlsb_records(part: bytes) -> Iterator[tuple[int, bytes]]:
    """The records of a part: type and size are 7 bits a byte, of two and four bytes at most."""
    at = 0
    while at < len(part):
        kind, at = _varint(part, at, 2)
        size, at = _varint(part, at, 4)
        yield kind, part[at : at + size]
        at += size


def _varint(part: bytes, at: int, most: int) -> tuple[int, int]:
    value = 0
    for place in range(most):
        byte = part[at]
        at += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return value, at


# ---- .xls -----------------------------------------------------------------------------------------------------------

_BOUND_SHEET, _BOOL_OR_ERROR, _FORMULA, _END = 0x0085, 0x0205, 0x0006, 0x000A
_BEGIN: Final = 0x0809
_END_OF_CHAIN: Final = 0xFFFFFFF0
_WORKSHEET: Final = 0


def _of_xls(data: bytes) -> list[Errors]:
    """The worksheets in the order of their BOUNDSHEET records ([MS-XLS] 2.4.28), with BOOLERR and FORMULA results."""
    stream = _workbook_stream(data)
    sheets = []
    for kind, record in _xls_records(stream, 0):
        if kind == _BOUND_SHEET and len(record) > 5 and record[5] == _WORKSHEET:
            sheets.append(_xls_errors(stream, struct.unpack_from("<I", record)[0]))
    return sheets


def _xls_errors(stream: bytes, start: int) -> Errors:
    errors: Errors = {}
    for kind, record in _xls_records(stream, start):
        if kind == _BOOL_OR_ERROR and record[7]:
            errors[struct.unpack_from("<HH", record)] = _NAMES.get(record[6], "an error value")
        elif kind == _FORMULA and record[12:14] == b"\xff\xff" and record[6] == 2:
            errors[struct.unpack_from("<HH", record)] = _NAMES.get(record[8], "an error value")
    return errors


def _xls_records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """The records of one substream, which begins at `start`; those of a chart inside it are passed over."""
    at, depth = start, 0
    while at + 4 <= len(stream):
        kind, size = struct.unpack_from("<HH", stream, at)
        record = stream[at + 4 : at + 4 + size]
        at += 4 + size
        depth += (kind == _BEGIN) - (kind == _END)
        if depth == 1 and kind != _BEGIN:
            yield kind, record
        if depth <= 0:
            return


def _workbook_stream(data: bytes) -> bytes:
    """The stream Workbook (or Book) of a compound file ([MS-CFB])."""
    shift, mini_shift = struct.unpack_from("<HH", data, 30)
    first_directory, cutoff = struct.unpack_from("<I", data, 48)[0], struct.unpack_from("<I", data, 56)[0]
    mini_first, _, difat_first = struct.unpack_from("<III", data, 60)
    size = 1 << shift

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    listed = list(struct.unpack_from("<109I", data, 76))
    seen = 0
    while difat_first < _END_OF_CHAIN and seen <= len(data) // size:
        more = struct.unpack(f"<{size // 4}I", sector(difat_first))
        listed, difat_first, seen = listed + list(more[:-1]), more[-1], seen + 1
    table = b"".join(sector(number) for number in listed if number < _END_OF_CHAIN)
    fat = struct.unpack(f"<{len(table) // 4}I", table)

    def chain(start: int, links: tuple[int, ...]) -> Iterator[int]:
        for _ in range(len(links) + 1):
            if start >= _END_OF_CHAIN:
                return
            yield start
            start = links[start]
        raise ValueError("a chain of sectors leads back to itself")

    directory = b"".join(map(sector, chain(first_directory, fat)))
    entries = [directory[at : at + 128] for at in range(0, len(directory) - 127, 128)]
    root = entries[0]
    for entry in entries:
        name = entry[: max(struct.unpack_from("<H", entry, 64)[0] - 2, 0)].decode("utf-16-le")
        if name.casefold() in {"workbook", "book"} and entry[66] == 2:
            start, length = struct.unpack_from("<II", entry, 116)
            if length >= cutoff:
                return b"".join(map(sector, chain(start, fat)))[:length]
            mini_table = b"".join(map(sector, chain(mini_first, fat)))
            mini = b"".join(map(sector, chain(struct.unpack_from("<I", root, 116)[0], fat)))
            links = struct.unpack(f"<{len(mini_table) // 4}I", mini_table)
            piece = 1 << mini_shift
            return b"".join(mini[n * piece : (n + 1) * piece] for n in chain(start, links))[:length]
    raise ValueError("there is no workbook in the file")
