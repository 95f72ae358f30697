"""A tariff file: one OWRS file from outside, opened and read."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xlbilling.trade.tariffs.owrs_read import OwrsTariff, read_owrs
from xlbilling.words.problems import Place, Refusal, declare

UNREADABLE: Final = declare(
    "tariff_file",
    "A tariff file or a file of cases cannot be opened or read.",
    "Check the path; the file is plain text.",
)


def read_tariff(path: Path, shown: str = "") -> OwrsTariff:
    """Read one OWRS file; Refusal where it cannot be opened or is not well-formed."""
    name = shown or path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refusal(UNREADABLE.at(Place(file=name), f"{error.strerror or error}")) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # older files from Windows; only prose differs
    return read_owrs(text, name)
