"""The words that head the columns of a table of reads, as billing offices and reading systems write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

REQUIRED: Final = ("meter_id", "reading", "read_date")
_NAMES: Final = {
    "meter_id": (
        "meter", "meterid", "meterno", "meternumber", "metersn", "serial", "serialno", "serialnumber",
        "meterserial", "meterserialnumber",
    ),
    "reading": (
        "read", "reading", "currentread", "currentreading", "meterreading", "newreading", "presentread",
        "presentreading",
    ),
    "read_date": ("date", "readdate", "readingdate", "meterreaddate", "datetime", "readdatetime"),
    "read_time": ("time", "readtime", "readingtime"),
    "account_id": ("account", "accountid", "accountno", "accountnumber", "acct", "acctno", "acctnumber"),
    "location_id": ("location", "locationid", "premise", "premiseid", "servicepoint", "servicepointid"),
    "register_id": ("register", "registerid", "registerno", "registernumber", "port"),
    "unit": ("unit", "units", "uom", "unitofmeasure", "readunit"),
    "status": ("status", "readcode", "readtype", "readstatus", "code"),
}  # fmt: skip
_FIELD_OF: Final = {name: field for field, names in _NAMES.items() for name in names}
FIELDS: Final = tuple(_NAMES)
_ASIDE: Final = re.compile(r"\([^)]*\)")
_NOISE: Final = re.compile("[^0-9a-z]")


def field_of(heading: str) -> str | None:
    """The field that a heading names, or None: "Current Read (KGAL)" is the reading."""
    return _FIELD_OF.get(_NOISE.sub("", _ASIDE.sub("", heading.lower())))


def recognise(cells: Sequence[str]) -> dict[str, int]:
    """The column of each field that a row of headings names; the first that names it, where several do (see `doubled`)."""
    found: dict[str, int] = {}
    for column, cell in enumerate(cells):
        field = field_of(cell)
        if field is not None:
            found.setdefault(field, column)
    return found


def doubled(cells: Sequence[str]) -> dict[str, list[str]]:
    """The fields that more than one column of a row of headings could be, with those headings."""
    named: dict[str, list[str]] = {}
    for cell, heading in zip(cells, told_apart(cells), strict=True):
        field = field_of(cell)
        if field is not None:
            named.setdefault(field, []).append(heading)
    return {field: headings for field, headings in named.items() if len(headings) > 1}


def told_apart(cells: Sequence[str]) -> list[str]:
    """Headings by which each column can be named: of two that are alike, "Reading (1)" and "Reading (2)"."""
    folded = [cell.casefold() for cell in cells]
    return [
        f"{cell} ({folded[: place + 1].count(own)})" if cell and folded.count(own) > 1 else cell
        for place, (cell, own) in enumerate(zip(cells, folded, strict=True))
    ]


def is_header(cells: Sequence[str]) -> bool:
    """Whether a row names a meter, a reading and a date."""
    found = recognise(cells)
    return all(field in found for field in REQUIRED)


def unit_in(heading: str) -> str:
    """The text in parentheses in a heading: "Current Read (KGAL)" -> "KGAL"."""
    match = _ASIDE.search(heading)
    return match[0][1:-1].strip() if match else ""
