"""The old system's tables, as an office hands them over: declared once, found in a workbook or a folder, read exactly."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.intake.files.dates import AMBIGUOUS_DATE
from xlbilling.intake.files.listing import DAY_FIRST, Listing, folded, read_listing, sheet_names, values
from xlbilling.intake.files.package import shown
from xlbilling.intake.files.source import UNREADABLE
from xlbilling.words.problems import Place, Problem, Refusal, declare
from xlbilling.words.records import TABLE, UNITS, Column, Sheet, Table, required
from xlbilling.workbook.cells import take
from xlbilling.workbook.port import SheetTable, row_keys

CONVERSION_TABLES: Final = declare(
    "conversion_tables",
    "The old system's tables are not all there, or one is there twice or without rows.",
    "Give one sheet (or one CSV file) for each table that docs/convert.md lists.",
)
NOT_TAKEN: Final = declare(
    "conversion_left_out",
    "Something in the old system's tables is not taken in.",
    "If it matters, give it under a heading that docs/convert.md lists.",
    "info",
)


HISTORY: Final = Table(
    Sheet("history", "history", "Consumption before the conversion, 13 months", ("service_id", "service_to")),
    "What a service used in one earlier service period.",
    service_id=required("Service", "Service number, as in services.", "id"),
    service_from=required("From", "Day of the read before.", "date"),
    service_to=required("To", "Day of the read.", "date"),
    consumption=required("Consumption", "What was used in these days.", "quantity"),
    unit=required("Unit", "Unit of the consumption.", "choice", choices=UNITS),
    read_code=required("Read", "How the read was come by.", "choice", choices=("actual", "estimated")),
)


BALANCES: Final = Table(
    Sheet("balances", "balances", "Opening balances by charge and age", ("account_id", "document")),
    "What is open of one charge of one document of the old system.",
    account_id=required("Account", "Account number, as in accounts.", "id"),
    document=required("Document", "Number of the bill, credit or deposit in the old system.", "id"),
    date=required("Date", "Day its age counts from: bill date or due date, as policy says.", "date"),
    amount=required("Amount", "What is open of it; a credit or a deposit held is below zero.", "money"),
    gl_account=Column("GL account", "Control account it stands in: the receivable or the deposits.", "id"),
    charge=Column("Charge", "Charge it is for; without a GL account it is a receivable."),
)


OLD_AGING: Final = Table(
    Sheet("old_aging", "old_aging", "Totals of the old aging report", ("bucket",)),
    "A total of the old system's aging report.",
    bucket=required("Bucket", "current, 31-60, 61-90, over 90 (or as policy has them), credit, total."),
    amount=required("Amount", "Total of the bucket; credit is below zero.", "money"),
)


OLD_GL: Final = Table(
    Sheet("old_gl", "old_gl", "Control totals of the general ledger", ("gl_account",)),
    "A control account's balance in the general ledger on the day of the conversion.",
    gl_account=required("GL account", "Number, as in gl_accounts.", "id"),
    amount=required("Amount", "Debits less credits.", "money"),
)


WRITTEN: Final = ("gl_accounts", "policy", "cycles", "rates", "accounts", "services", "meters")
_OLD_ONLY: Final = (HISTORY, BALANCES, OLD_AGING, OLD_GL)
OLD_TABLES: Final[dict[str, Table]] = {
    **{name: TABLE[name] for name in WRITTEN},
    **{table.name: table for table in _OLD_ONLY},
}
# A rule of Policy is its topic, name and value; a register is taken over with its last read.
NEEDED_TOO: Final = {"policy": ("topic", "setting", "value"), "meters": ("start_read", "start_date")}
NUMBERS_AS_TEXT: Final = ("account_id", "service_id", "meter_id", "gl_account", "document")  # leading zeros count
_MAY_BE_EMPTY: Final = ("meters", "history", "balances", "old_aging", "old_gl", "policy")
_EXACT: Final = Context(prec=40)


@dataclass(frozen=True)
class OldTable:
    """One table as read: `frame` in the store's types, `lines` the line or sheet row of each of its rows."""

    table: Table
    file: str
    frame: pd.DataFrame
    lines: npt.NDArray[np.int64]

    def place(self, row: int, column: str = "") -> Place:
        """Where a row of `frame` (by position) stands in what the office handed over."""
        key = row_keys(self.table, self.frame.iloc[[row]])[0]
        return Place(self.table.name, key, column, self.file, int(self.lines[row]))


@dataclass
class OldSystem:
    """Everything the office handed over: tables by name, what is wrong with their cells, what was not taken."""

    name: str
    digest: str
    tables: dict[str, OldTable]
    faults: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name].frame


def read_old_system(source: Path) -> OldSystem:
    """Read a workbook with a sheet for each table, or a folder with a CSV file for each.

    Refuses a source that cannot be read, a table that is missing or there twice, a heading that is missing. A cell
    that cannot be taken is a fault with its line; a heading, sheet or file that is not asked for is a note.
    """
    places, extra = _in_folder(source) if source.is_dir() else _in_workbook(source)
    missing = [name for name in OLD_TABLES if name not in places]
    if missing:
        raise Refusal(CONVERSION_TABLES.at(Place(file=source.name), f"there is no table {', '.join(missing)}"))
    old = OldSystem(source.name, "", {})
    old.notes += [NOT_TAKEN.at(Place(file=source.name), f"{shown(name)} is none of the tables") for name in extra]
    digests: dict[str, str] = {}
    for name in OLD_TABLES:
        path, sheet = places[name]
        old.tables[name] = _read(name, path, sheet, old, digests)
    old.digest = hashlib.sha256("\n".join(f"{k} {v}" for k, v in sorted(digests.items())).encode()).hexdigest()
    return old


def _in_folder(folder: Path) -> tuple[dict[str, tuple[Path, str | None]], list[str]]:
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    found = _named([path.stem if path.suffix.casefold() == ".csv" else "" for path in files], folder.name)
    extra = [path.name for at, path in enumerate(files) if at not in found.values()]
    return {name: (files[at], None) for name, at in found.items()}, extra


def _in_workbook(path: Path) -> tuple[dict[str, tuple[Path, str | None]], list[str]]:
    sheets = sheet_names(path)
    found = _named(sheets, path.name)
    extra = [sheet for at, sheet in enumerate(sheets) if at not in found.values()]
    return {name: (path, sheets[at]) for name, at in found.items()}, extra


def _named(names: Sequence[str], file: str) -> dict[str, int]:
    """Which of the names stands for which table."""
    found: dict[str, int] = {}
    wanted = {folded(name): name for name in OLD_TABLES}
    for at, name in enumerate(names):
        table = wanted.get(folded(name))
        if table in found:
            raise Refusal(CONVERSION_TABLES.at(Place(file=file), f"the table {table} is there twice"))
        if table is not None:
            found[table] = at
    return found


def _read(name: str, path: Path, sheet: str | None, old: OldSystem, digests: dict[str, str]) -> OldTable:
    """One table with its cells in the store's types; what is wrong or left over is added to `old`."""
    table = OLD_TABLES[name]
    fields = [field for field in table.names("typed", "given") if field != "rev"]
    needed = {field for field in fields if table.columns[field].required}
    listing = read_listing(
        path,
        {field: [table.columns[field].title] for field in fields},
        sorted(needed | set(NEEDED_TOO.get(name, ()))),
        sheet,
        [field for field in fields if field in NUMBERS_AS_TEXT],
    )
    if digests.setdefault(path.name, listing.digest) != listing.digest:
        raise Refusal(UNREADABLE.at(Place(file=path.name), "it changed while it was being read"))
    file = path.name if sheet is None else f"{path.name}/{sheet}"
    here = Place(table=name, file=file)
    old.notes += [NOT_TAKEN.at(here, f"the column {heading} is not taken in") for heading in listing.unused]
    old.faults += [fault.on(Place(table=name, file=file, line=fault.place.line)) for fault in listing.rejects]
    if listing.frame.empty and name not in _MAY_BE_EMPTY:
        old.faults.append(CONVERSION_TABLES.at(here, f"the table {name} has no rows"))
    lines = listing.frame["source_line"].to_numpy(dtype=np.int64)
    cells = _cells(table, fields, listing)
    for column in (name for name in fields if table.columns[name].kind == "date"):
        cells[column], doubts, told = _days(listing, column, here)
        old.faults += doubts
        old.notes += told
    frame, problems = take(table, _AsSheet(table, name, cells, lines, 2, {}, file=file))
    old.faults += problems
    return OldTable(table, file, frame[fields], lines)


def _cells(table: Table, fields: Sequence[str], listing: Listing) -> pd.DataFrame:
    """The listing's text as raw cells: exact numbers where a workbook stores floats."""
    made: dict[str, list[Any]] = {}
    for name in fields:
        kind = table.columns[name].kind
        texts = values(listing, name)
        made[name] = [_cell(listing, kind, text) for text in texts] if kind in _NUMBERS else texts
    return pd.DataFrame(made, dtype=object)


def _days(listing: Listing, name: str, table: Place) -> tuple[pd.Series[Any], list[Problem], list[Problem]]:
    """A column's days (text that is none stays, for `take` to refuse), those that could be two, and how it was read."""
    dates = listing.dates(name)
    days: list[Any] = []
    doubts: list[Problem] = []
    for text, line in zip(values(listing, name), listing.frame["source_line"].tolist(), strict=True):
        days.append(dates.day(text) or text)
        if doubt := dates.doubt(text):
            days[-1] = _DOUBTED
            doubts.append(AMBIGUOUS_DATE.at(Place(table.table, "", name, table.file, line), f"{name} {doubt}"))
    told = [DAY_FIRST.at(Place(table.table, "", name, table.file), f"{name}: {dates.told}")] if dates.told else []
    return pd.Series(days, dtype=object), doubts, told


_DOUBTED: Final = dt.date(1900, 1, 1)  # stands for a day told as a fault of its own, so that nothing is written
_NUMBERS: Final = ("money", "quantity", "whole", "rate")


def _cell(listing: Listing, kind: str, text: str) -> Any:
    """A cell's value; text that is none stays as it is, for `take` to refuse with its place."""
    if kind == "money":
        cents = listing.cents(text)
        return text if cents is None else Decimal(cents).scaleb(-2)
    number = listing.number(text)
    return text if number is None else format(_EXACT.normalize(number), "f")


@dataclass(frozen=True)
class _AsSheet(SheetTable):
    """A listing as the cells' reader wants it; its places are lines of a file."""

    file: str = ""

    def place(self, row_index: int, field: str) -> Place:
        return Place(self.table.name, self.keys[row_index], field, self.file, int(self.rows[row_index]))
