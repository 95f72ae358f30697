"""The fast way through a sheet part written the way Excel writes it: rows and cells in order, nothing else between.

Well-formedness is checked by the XML parser first. A row that is written any other way stops the fast way before
anything was given out, and the exact reader takes the whole sheet.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from xlbilling.intake.files.cells import LAST_ROW, cell_text, column_index, dated, unescaped
from xlbilling.intake.files.package import Package
from xlbilling.intake.files.source import MEGABYTE

_LARGEST: Final = 96 * MEGABYTE
_HEAD: Final = re.compile(
    r'\s*(?:<\?xml version="1\.0"(?: encoding="[Uu][Tt][Ff]-8")?(?: standalone="(?:yes|no)")?\s*\?>)?\s*<worksheet[\s>]'
)
_ROW: Final = re.compile(r'<row r="([1-9][0-9]{0,6})"(?: (?!r=)[A-Za-z0-9:]+="[^"<]*")*>')
_EMPTY_ROW: Final = re.compile(r"<row(?: [A-Za-z0-9:]+=\"[^\"<]*\")*/>")
_CELL: Final = re.compile(
    r'<c r="([A-Z]{1,3})([0-9]+)"(?: s="([0-9]+)")?(?: t="([A-Za-z]+)")?'
    r"(?:/>|>"
    r"(?:<v>([^<&]*)</v>"
    r'|<is><t(?: xml:space="preserve")?>([^<&]*)</t></is>'
    r")?</c>)"
)
_PARTS: Final = 7
_STRINGS_HEAD: Final = re.compile(
    r'\s*(?:<\?xml version="1\.0"(?: encoding="[Uu][Tt][Ff]-8")?(?: standalone="(?:yes|no)")?\s*\?>)?\s*<sst(?: [^<>]*)?>\s*'
)
_STRING: Final = re.compile(r'<si><t(?: xml:space="preserve")?>([^<&]*)</t></si>')


def read(
    package: Package,
    part: str,
    strings: dict[str, str],
    sink: Callable[[int, dict[int, str]], None],
    dates: frozenset[str] = frozenset(),
) -> bool:
    """Give the rows of a sheet to `sink`; False, with nothing given, where it is not written in the plain way.

    `strings` are the shared strings by their index as it is written; `dates` the styles that show days or times.
    """
    if package.size_of(part) > _LARGEST:
        return False
    data = b"".join(package.chunks(part))
    package.check_xml(part, data)
    try:
        sheet = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        return False
    start, end = sheet.find("<sheetData>"), sheet.find("</sheetData>")
    if start < 0 or end < 0 or not _HEAD.match(sheet) or "<!" in sheet or "\r" in sheet:
        return False
    pieces = sheet[start + 11 : end].split("</row>")
    del sheet, data
    if pieces.pop().strip():
        return False
    rows = _rows(pieces, strings, dates)
    if rows is None:
        return False
    for number, row in rows:
        sink(number, row)
    return True


def shared_strings(package: Package, part: str) -> list[str] | None:
    """The shared strings where each is one plain text; None where the part is written any other way."""
    if package.size_of(part) > _LARGEST:
        return None
    data = b"".join(package.chunks(part))
    package.check_xml(part, data)
    try:
        text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError:
        return None
    start, end = text.find("<si>"), text.rfind("</sst>")
    if start < 0 or end < 0 or not _STRINGS_HEAD.fullmatch(text, 0, start) or "\r" in text:
        return None
    parts = _STRING.split(text[start:end])
    return None if "".join(parts[::2]).strip() else list(map(unescaped, parts[1::2]))


def head(package: Package, part: str, strings: dict[str, str], count: int) -> list[tuple[int, dict[int, str]]] | None:
    """The first rows of a sheet that hold something, at most `count`; None where they are not written plainly."""
    first = next(package.chunks(part), b"")
    try:
        sheet = first.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "ignore")
    except UnicodeDecodeError:
        return None
    start = sheet.find("<sheetData>")
    if start < 0 or not _HEAD.match(sheet) or "<!" in sheet[:start] or "\r" in sheet[:start]:
        return None
    pieces = sheet[start + 11 :].split("</row>")[: 20 * count]
    if len(pieces) < 2 or "<!" in "".join(pieces[:-1]):
        return None
    rows = _rows(pieces[:-1], strings, frozenset())
    complete = rows is not None and (len(rows) >= count or "</sheetData>" in pieces[-1])
    return rows[:count] if rows is not None and complete else None


def _rows(pieces: list[str], strings: dict[str, str], dates: frozenset[str]) -> list[tuple[int, dict[int, str]]] | None:
    columns: dict[str, int] = {}
    rows: list[tuple[int, dict[int, str]]] = []
    before = 0
    for piece in pieces:
        parts = _CELL.split(piece)
        opening = parts[0] if "/>" not in parts[0] else _EMPTY_ROW.sub("", parts[0])
        head = _ROW.fullmatch(opening.strip())
        if head is None or any(parts[_PARTS::_PARTS]):
            return None
        number = int(head[1])
        row = _cells(parts, head[1], columns, (strings, dates))
        if row is None or not before < number <= LAST_ROW:
            return None
        before = number
        if row:
            rows.append((number, row))
    return rows


def _cells(
    parts: list[str], number: str, columns: dict[str, int], known: tuple[dict[str, str], frozenset[str]]
) -> dict[int, str] | None:
    strings, dates = known
    row: dict[int, str] = {}
    last = -1
    groups = (parts[at::_PARTS] for at in range(1, _PARTS))
    for letters, of_row, style, kind, value, inline in zip(*groups, strict=True):
        column = columns.get(letters)
        if column is None:
            column = columns[letters] = column_index(letters)
        if column <= last or of_row != number:
            return None
        last = column
        if kind == "s" and value in strings:
            text = strings[value]
        elif value or inline:
            text = cell_text(kind or "n", value or inline, None, ())
            if kind == "d" or (style in dates and (kind or "n") == "n"):
                text = dated(text)
        else:
            continue
        if text:
            row[column] = text
    return row
