"""A file from outside: taken once, whole, and known by its content, never by its name."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, Literal

from xlbilling.intake.files.foreign import foreign, foreign_compound, foreign_zip
from xlbilling.words.problems import Place, Refusal, declare

Kind = Literal["workbook", "old_workbook", "open_document", "text"]

TEXT_LIMIT: Final = 128 * 2**20
WORKBOOK_LIMIT: Final = 64 * 2**20
MEGABYTE: Final = 2**20

UNREADABLE = declare(
    "unreadable_file",
    "The file cannot be read, or its content is damaged.",
    "Ask for the file again, or save it anew from the program that made it.",
)
WRONG_TYPE = declare(
    "file_wrong_type",
    "The content is not of a kind that can be read here, whatever the name says.",
    "Send a CSV file or an Excel workbook (.xlsx).",
)
TOO_LARGE = declare(
    "file_too_large",
    "The file, or what it unpacks to, is larger than allowed.",
    "Export fewer rows at a time (one cycle or one route) and import the parts one by one.",
)
ENCRYPTED = declare(
    "file_encrypted", "The file is protected by a password.", "Save it without a password and import it again."
)
AMBIGUOUS = declare(
    "ambiguous_package",
    "Two programs could read different figures from this file.",
    "Open it in Excel, save it as a new workbook and import that.",
)
DTD = declare(
    "contains_dtd",
    "A part of the workbook declares its own entities; no office program writes such files.",
    "Do not use this file. Ask the sender for a new export.",
)
EXTERNAL = declare(
    "external_content",
    "The workbook takes its figures from outside itself.",
    "Copy the figures, paste them as values into a new workbook and import that.",
)
HIDDEN = declare(
    "hidden_content",
    "The figures are on a hidden sheet only.",
    "Unhide the sheet (right-click a sheet tab), check it and import the file again.",
)
BAD_HEADER = declare(
    "file_bad_header",
    "No row with the expected column headings was found, or a heading is there twice.",
    "Check the headings against the recipe, or choose the format by its name.",
)
ENCODING = declare(
    "file_encoding",
    "The characters of the file cannot be read with certainty.",
    "Save the file as CSV UTF-8 and import it again.",
)


def take(path: Path) -> bytes:
    """The whole file, read once; refused when it is no plain file, empty, too large, or changed while it was read.

    A link is followed. A pipe, a device or a folder is refused without being opened, so nothing can hang.
    """
    place = Place(file=path.name)
    before = glance(path)
    try:
        with path.open("rb", buffering=0) as handle:
            opened = os.fstat(handle.fileno())
            data = _all_bytes(handle.fileno(), opened.st_size)
            after = os.fstat(handle.fileno())
    except (OSError, ValueError) as error:
        raise _unopened(place, error) from None
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns) or len(data) != before.st_size:
        raise Refusal(
            UNREADABLE.at(place, "it changed while it was being read", "Wait until it is complete, then import again.")
        )
    if data[:4] in {b"PK\x03\x04", b"\xd0\xcf\x11\xe0"}:
        _refuse_oversize(place, len(data), WORKBOOK_LIMIT)
    return data


def glance(path: Path) -> os.stat_result:
    """What the system tells of a file; refused when it is no plain file, empty or too large, without opening it."""
    place = Place(file=path.name)
    try:
        told = path.stat()
    except (OSError, ValueError) as error:
        raise _unopened(place, error) from None
    if not stat.S_ISREG(told.st_mode):
        what = "a folder" if stat.S_ISDIR(told.st_mode) else "not an ordinary file"
        raise Refusal(WRONG_TYPE.at(place, f"it is {what}"))
    if told.st_size == 0:
        raise Refusal(UNREADABLE.at(place, "it is empty"))
    _refuse_oversize(place, told.st_size, TEXT_LIMIT)
    return told


def _unopened(place: Place, error: Exception) -> Refusal:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else "the name is not valid"
    return Refusal(UNREADABLE.at(place, f"it cannot be opened ({reason})"))


def _all_bytes(descriptor: int, size: int) -> bytes:
    parts = []
    left = size + 1
    while left > 0 and (part := os.read(descriptor, min(left, 8 * MEGABYTE))):
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _refuse_oversize(place: Place, size: int, limit: int) -> None:
    if size > limit:
        fact = f"it has {size:,} bytes; at most {limit:,} are read at a time"
        raise Refusal(TOO_LARGE.at(place, fact))


def kind_of(data: bytes, name: str) -> Kind:
    """What the content is: a zip workbook, a workbook of the old kinds, or text; anything else is refused by name."""
    place = Place(file=name)
    if data[:4] in {b"PK\x03\x04", b"PK\x05\x06"}:
        _refuse_foreign(place, foreign_zip(data))
        return "open_document" if b"opendocument.spreadsheet" in data[:200] else "workbook"
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        _refuse_encrypted_container(data, place)
        _refuse_foreign(place, foreign_compound(data))
        return "old_workbook"
    _refuse_foreign(place, foreign(data))
    return "text"


def _refuse_foreign(place: Place, named: tuple[str, str] | None) -> None:
    if named is not None:
        raise Refusal(WRONG_TYPE.at(place, f"the content is {named[0]}", named[1]))


def _refuse_encrypted_container(data: bytes, place: Place) -> None:
    names = ("EncryptedPackage", "EncryptionInfo")
    if any(name.encode("utf-16-le") in data for name in names):
        raise Refusal(ENCRYPTED.at(place, "the workbook is protected by a password"))
