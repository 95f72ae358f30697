"""Files that are something else: known by how they begin, and named, with what to ask their sender for instead."""

from __future__ import annotations

import re
from typing import Final

Named = tuple[str, str]
"""What the file is, and what to do about it."""

_START: Final = 4096
_AS_TABLE: Final = "Ask the sender for the figures as a CSV file or an Excel workbook (.xlsx)."
UNPACK: Final = "Unpack it and import the file that is inside."
_RESAVE: Final = "Open it in Excel, save it as an Excel workbook (.xlsx) and import that."
_ATTACHED: Final = "Save what is attached to the message, and import that."
_BANK: Final = "Ask the bank for a CSV file with account, amount, date and reference, one row a payment."
_BOOKS: Final = "Export the report as a CSV file or an Excel workbook (.xlsx) instead."

_SIGNATURES: Final[tuple[tuple[bytes, str, str], ...]] = (
    (b"\x1f\x8b", "a gzip archive", UNPACK),
    (b"BZh", "a bzip2 archive", UNPACK),
    (b"\xfd7zXZ", "an xz archive", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", UNPACK),
    (b"Rar!", "a RAR archive", UNPACK),
    (b"\x28\xb5\x2f\xfd", "a zstd archive", UNPACK),
    (b"%PDF", "a PDF document", _AS_TABLE),
    (b"%!PS", "a PostScript document", _AS_TABLE),
    (b"{\\rtf", "a rich text document", _AS_TABLE),
    (b"\x89PNG", "a picture", _AS_TABLE),
    (b"\xff\xd8\xff", "a picture", _AS_TABLE),
    (b"GIF8", "a picture", _AS_TABLE),
    (b"II*\x00", "a scanned picture", _AS_TABLE),
    (b"MM\x00*", "a scanned picture", _AS_TABLE),
    (b"SQLite format 3", "a database", _AS_TABLE),
    (b"\x00\x01\x00\x00Standard", "an Access database", _AS_TABLE),
    (b"\x7fELF", "a program", _AS_TABLE),
    (b"PAR1", "a Parquet file", _AS_TABLE),
    (b"-----BEGIN PGP", "an encrypted message", "Ask the sender how to decrypt it, and import what comes out."),
)
_MARKUP: Final = (b"<html", b"<!doctype", b"<table", b"<?xml", b"<workbook", b"<body", b"<meta", b"<!--", b"<document")
_IN_MARKUP: Final[tuple[tuple[re.Pattern[bytes], str, str], ...]] = (
    (re.compile(rb"iso:20022:\S*?camt\.05[234]"), "a bank statement in XML (camt)", _BANK),
    (re.compile(rb"iso:20022"), "a bank's file in XML (ISO 20022)", _BANK),
    (re.compile(rb"<\?ofx|<ofx>"), "a file for a money program (OFX)", _BANK),
    (re.compile(rb"schemas-microsoft-com:office:spreadsheet"), "a spreadsheet in XML of 2003", _RESAVE),
    (re.compile(rb"<html|<table|<body|<!doctype html"), "a web page, whatever its name says", _RESAVE),
    (re.compile(rb""), "a web page or XML, not a workbook", _RESAVE),
)
_TEXTS: Final[tuple[tuple[re.Pattern[bytes], str, str], ...]] = (
    (
        re.compile(rb"101[ 0-9]{20}[0-9]{10}[A-Z0-9]094101"),
        "an ACH file (NACHA: payments as banks send them on)",
        _BANK,
    ),
    (re.compile(rb"01,[^\r\n]*/\s*[\r\n]+02,"), "a bank statement in BAI2", _BANK),
    (re.compile(rb"(?:\{1:F01|:20:[^\r\n]*[\r\n]+(?:[^\r\n]*[\r\n]+)?:25:)"), "a bank statement in MT940", _BANK),
    (re.compile(rb"OFXHEADER:|<OFX>"), "a file for a money program (OFX or QFX)", _BANK),
    (re.compile(rb"!Type:(?:Bank|CCard|Cash|Oth)", re.IGNORECASE), "a file for a money program (QIF)", _BANK),
    (re.compile(rb"!(?:TRNS|HDR|ACCNT)\t"), "a file for QuickBooks to import (IIF)", _BOOKS),
    (re.compile(rb"ISA[*|~^].{100}", re.DOTALL), "an EDI message (X12)", _BANK),
    (re.compile(rb"ID;P[A-Z]*[;\s]"), "a spreadsheet in SYLK", _RESAVE),
    (re.compile(rb"BEGIN:V(?:CARD|CALENDAR)"), "a contact or calendar entry", _AS_TABLE),
    (re.compile(rb'[\[{]\s*(?:["\[{]|$)'), "JSON, for programs to read", _AS_TABLE),
)
_MAIL: Final = re.compile(
    rb"(?:[A-Za-z][A-Za-z0-9-]*: [^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n)*?(?:Received|Message-ID|MIME-Version|Return-Path): ",
    re.IGNORECASE,
)
_IN_ZIP: Final = (
    (b"word/document.xml", "a Word document", _AS_TABLE),
    (b"ppt/presentation.xml", "a PowerPoint presentation", _AS_TABLE),
    (b"opendocument.text", "a text document", _AS_TABLE),
)
_IN_COMPOUND: Final = (
    ("__substg1.0_", "an e-mail message saved from Outlook", _ATTACHED),
    ("WordDocument", "a Word document", _AS_TABLE),
    ("PowerPoint Document", "a PowerPoint presentation", _AS_TABLE),
)


def foreign(content: bytes) -> Named | None:
    """What a file is that is neither a workbook nor plain text with figures; None where it may be one of those."""
    for signature, what, remedy in _SIGNATURES:
        if content.startswith(signature):
            return what, remedy
    if content[:2] == b"MZ" and b"\x00" in content[:64]:
        return "a program", _AS_TABLE
    start = content[:_START].removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = start.lower()
    if lowered.startswith(_MARKUP):
        return next((what, remedy) for pattern, what, remedy in _IN_MARKUP if pattern.search(lowered))
    for pattern, what, remedy in _TEXTS:
        if pattern.match(start):
            return what, remedy
    return ("an e-mail message", _ATTACHED) if _MAIL.match(start) else None


def foreign_zip(content: bytes) -> Named | None:
    """What a zip package is that is no workbook, where its parts tell."""
    return next(((what, remedy) for part, what, remedy in _IN_ZIP if part in content), None)


def foreign_compound(content: bytes) -> Named | None:
    """What a compound file is that is no workbook of the old kind, where its streams tell."""
    if any(name.encode("utf-16-le") in content for name in ("Workbook", "Book\0")):
        return None
    return next(((what, remedy) for name, what, remedy in _IN_COMPOUND if name.encode("utf-16-le") in content), None)
