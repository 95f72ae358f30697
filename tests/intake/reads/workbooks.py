"""Small workbooks made part by part, so that a test can say exactly what is in the file."""

from __future__ import annotations

import io
import zipfile

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"
HEADINGS = ("Account", "Meter", "Read Date", "Read", "Unit")


def text(reference: str, value: str) -> str:
    return f'<c r="{reference}" t="inlineStr"><is><t>{value}</t></is></c>'


def number(reference: str, value: str) -> str:
    return f'<c r="{reference}"><v>{value}</v></c>'


def row(at: int, *cells: str) -> str:
    return f'<row r="{at}">{"".join(cells)}</row>'


def read_row(at: int, account: str = "007", meter: str = "M1", date: str = "2026-07-01", value: str = "5") -> str:
    """A good row; a value that starts with < stands as it is."""
    given = (account, meter, date, value, "gal")
    return row(at, *(v if v.startswith("<") else text(f"{'ABCDE'[i]}{at}", v) for i, v in enumerate(given)))


def header(at: int = 1) -> str:
    return row(at, *(text(f"{'ABCDE'[i]}{at}", heading) for i, heading in enumerate(HEADINGS)))


def sheet(*rows: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><worksheet xmlns="{MAIN}"><sheetData>{"".join(rows)}</sheetData></worksheet>'


def parts(*sheets: tuple[str, str, str], settings: str = "") -> dict[str, str]:
    """The parts of a workbook; each sheet is (name, state, XML)."""
    names = "".join(
        f'<sheet name="{name}" sheetId="{i}" state="{state}" r:id="rId{i}"/>'
        for i, (name, state, _) in enumerate(sheets, 1)
    )
    targets = "".join(
        f'<Relationship Id="rId{i}" Type="{RELS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    return {
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" Type="{RELS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELS}">{settings}<sheets>{names}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}">{targets}</Relationships>',
        **{f"xl/worksheets/sheet{i}.xml": xml for i, (_, _, xml) in enumerate(sheets, 1)},
    }


def workbook(*rows: str) -> dict[str, str]:
    return parts(("Reads", "visible", sheet(header(), *rows)))


def packed(
    entries: dict[str, str | bytes], *more: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as package:
        for name, content in [*entries.items(), *more]:
            package.writestr(name, content)
    return stream.getvalue()
