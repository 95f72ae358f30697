"""Workbooks of the other kinds, written byte by byte: .xls ([MS-XLS]), .xlsb ([MS-XLSB]) and .ods, one sheet of cells each."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from xlbilling.maker.compound_file import compound_file


class Shows(NamedTuple):
    """A cell that shows an error value; `worked_out` by a formula, or stored as it stands."""

    error: str
    worked_out: bool = True


Cell = str | float | Shows | None
Sheet = Sequence[Sequence[Cell]]
CODES: Final = {
    "#NULL!": 0x00,
    "#DIV/0!": 0x07,
    "#VALUE!": 0x0F,
    "#REF!": 0x17,
    "#NAME?": 0x1D,
    "#NUM!": 0x24,
    "#N/A": 0x2A,
}


def xls(rows: Sheet) -> bytes:
    """BOF, BOUNDSHEET8 and EOF of the globals, then the sheet's own substream."""

    def record(kind: int, body: bytes) -> bytes:
        return struct.pack("<HH", kind, len(body)) + body

    def cell(row: int, column: int, value: Cell) -> bytes:
        at = struct.pack("<HHH", row, column, 0)
        if isinstance(value, str):
            return record(0x0204, at + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
        if not isinstance(value, Shows):
            return b"" if value is None else record(0x0203, at + struct.pack("<d", value))
        if not value.worked_out:
            return record(0x0205, at + bytes([CODES[value.error], 1]))
        # a formula's result; its expression is #N/A itself: ptgErr
        result = bytes([2, 0, CODES[value.error], 0, 0, 0, 0xFF, 0xFF])
        return record(0x0006, at + result + bytes(6) + struct.pack("<H", 2) + bytes([0x1C, 0x2A]))

    def begin(kind: int) -> bytes:
        return record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))

    end, name = record(0x000A, b""), b"Reads"
    bound = struct.pack("<HBB", 0, len(name), 0) + name
    start = len(begin(5)) + 4 + 4 + len(bound) + len(end)
    listed = record(0x0085, struct.pack("<I", start) + bound)
    cells = b"".join(cell(r, c, value) for r, row in enumerate(rows) for c, value in enumerate(row))
    return compound_file({"Workbook": begin(5) + listed + end + begin(0x10) + cells + end})


def xlsb(rows: Sheet) -> bytes:
    def record(kind: int, body: bytes = b"") -> bytes:
        head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
        size, length = b"", len(body)
        while True:
            size += bytes([length & 0x7F | (0x80 if length > 0x7F else 0)])
            length >>= 7
            if not length:
                return head + size + body

    def wide(text: str) -> bytes:
        return struct.pack("<I", len(text)) + text.encode("utf-16-le")

    def cell(column: int, value: Cell) -> bytes:
        at = struct.pack("<II", column, 0)
        if isinstance(value, str):
            return record(6, at + wide(value))
        if not isinstance(value, Shows):
            return b"" if value is None else record(5, at + struct.pack("<d", value))
        code = bytes([CODES[value.error]])
        return record(11, at + code + bytes(2 + 4 + 4)) if value.worked_out else record(3, at + code)

    def lines() -> bytes:
        made = b""
        for number, row in enumerate(rows):
            made += record(0, struct.pack("<IIHBBBI", number, 0, 300, 0, 0, 0, 0))
            made += b"".join(cell(c, value) for c, value in enumerate(row))
        return made

    most = max(map(len, rows))
    sheet = record(129) + record(148, struct.pack("<IIII", 0, len(rows) - 1, 0, most - 1)) + record(145)
    sheet += lines() + record(146) + record(130)
    book = record(131) + record(143) + record(156, struct.pack("<II", 0, 1) + wide("rId1") + wide("Reads"))
    book += record(144) + record(132)
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    rels = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="rId1" Type="{}/{}" Target="{}"/></Relationships>'
    )
    return _zip(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
            "_rels/.rels": rels.format(office, "officeDocument", "xl/workbook.bin"),
            "xl/_rels/workbook.bin.rels": rels.format(office, "worksheet", "worksheets/sheet1.bin"),
            "xl/workbook.bin": book + b"",
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def ods(rows: Sheet) -> bytes:
    def cell(value: Cell) -> str:
        if isinstance(value, str):
            return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
        if not isinstance(value, Shows):
            typed = "" if value is None else f' office:value-type="float" office:value="{value}"'
            return f"<table:table-cell{typed}/>"
        formula = ' table:formula="of:=1/0"' if value.worked_out else ""
        return (
            f'<table:table-cell{formula} office:value-type="string" office:string-value="" calcext:value-type="error">'
            f"<office:annotation><text:p>why?</text:p></office:annotation><text:p>{value.error}</text:p></table:table-cell>"
        )

    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    lines = "".join("<table:table-row>" + "".join(map(cell, row)) + "</table:table-row>" for row in rows)
    content = (
        f'<office:document-content {spaces} xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:'
        'xmlns:calcext:1.0"><office:body><office:spreadsheet><table:table table:name="Reads">'
        f"{lines}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/></manifest:manifest>'
    )
    return _zip({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


KINDS: Final[dict[str, Callable[[Sheet], bytes]]] = {"xls": xls, "xlsb": xlsb, "ods": ods}


def _zip(parts: dict[str, str | bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name, content in parts.items():
            package.writestr(name, content)
    return made.getvalue()
