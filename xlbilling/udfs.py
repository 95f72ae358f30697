"""Excel functions: each declared once with its help; VBA wrappers, the function wizard and the docs follow.

Every function takes whole columns in one call: ranges come in as rows of cells, a single value stands for a column of
it. Anything that cannot be worked out exactly raises, and the cells show an Excel error value, never text that SUM skips.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
import xlwings as xw

from xlbilling.trade.reads.dials import MILLION
from xlbilling.trade.reads.dials import consumption as counted
from xlbilling.trade.tariffs import Priced, price, rate_book
from xlbilling.words.exact import cell_number
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import BIGGEST, take
from xlbilling.workbook.port import SheetTable, headings
from xlbilling.workbook.references import column_letters

Cells: TypeAlias = list[list[Any]]
Grid: TypeAlias = list[list[Any]]


class ExcelFunction(NamedTuple):
    """An Excel function: its name on the sheet, what it does, and what each argument is, in order."""

    name: str
    about: str
    arguments: Mapping[str, str]
    run: Callable[..., Grid]
    optional: frozenset[str] = frozenset()


FUNCTIONS: Final[dict[str, ExcelFunction]] = {}


def excel_function(
    about: str, arguments: Mapping[str, str], optional: frozenset[str] = frozenset()
) -> Callable[[Callable[..., Grid]], Callable[..., Grid]]:
    """Declare the decorated function as an Excel function of its own name in capitals."""

    def declare(run: Callable[..., Grid]) -> Callable[..., Grid]:
        name = run.__name__.upper()
        FUNCTIONS[name] = ExcelFunction(name, about, arguments, run, optional)
        return _for_xlwings(run, arguments)

    return declare


def _for_xlwings(run: Callable[..., Grid], arguments: Mapping[str, str]) -> Callable[..., Grid]:
    """Tell xlwings to hand every argument over as rows of cells, an error in a cell as its text.

    xlwings would take the type hints for converters, so it sees the function without them.
    """
    hints, run.__annotations__ = run.__annotations__, {}
    xw.func(run)
    for name in arguments:
        xw.arg(name, ndim=2, err_to_str=True)(run)
    run.__annotations__ = hints
    return run


# ---------------------------------------------------------------------------------------------------- the functions


@excel_function(
    "Consumption between two dial values: rollover past the last digit counted, times the multiplier.",
    {
        "previous": "Dial at the last billed read; a cell or a column.",
        "current": "Dial at this read; a cell or a column.",
        "dials": "Number of digits before the register comes back to zero.",
        "multiplier": "What one dial unit stands for; 1 when left out.",
    },
    frozenset({"multiplier"}),
)
def consumption(previous: Any, current: Any, dials: Any, multiplier: Any = None) -> Grid:
    """One column, as many rows as the longest argument; a row without both dials is blank."""
    size, columns = _columns(previous, current, dials, 1 if multiplier is None else multiplier)
    blank = [_blank(before) and _blank(now) for before, now in zip(columns[0], columns[1], strict=True)]
    kept = [row for row in range(size) if not blank[row]]
    before, now, digits, times = ([_number(column[row], row) for row in kept] for column in columns)
    metered = counted(_millionths(before), _millionths(now), _wholes(digits), _millionths(times))
    if not metered.readable.all():
        row = kept[int(np.flatnonzero(~metered.readable)[0])]
        raise ValueError(f"row {row + 1}: dials {columns[0][row]} to {columns[1][row]} cannot be read")
    found = iter(metered.consumption.tolist())
    return [[None if gap else next(found) / MILLION] for gap in blank]


@excel_function(
    "Quantity in each tier; the quantities of a row add up to its consumption.",
    {
        "units": "Consumption; a cell or a column.",
        "tier_starts": "First unit billed in each tier, such as 0, 15, 41, 149; a row or a column.",
    },
)
def tier_split(units: Any, tier_starts: Any) -> Grid:
    """One row per consumption, one column per tier."""
    starts = [_number(cell, 0) for row in _grid(tier_starts) for cell in row if not _blank(cell)]
    if not starts or starts != sorted(set(starts)):
        raise ValueError("tier starts must rise from tier to tier")
    # A tier that starts with unit 15 begins where 14 units are used up.
    lower = np.array([0, *(int((start - 1) * MILLION) for start in starts[1:])], dtype=np.int64)
    upper = np.array([*lower[1:].tolist(), np.iinfo(np.int64).max], dtype=np.int64)
    used = _millionths([_number(row[0], place) for place, row in enumerate(_grid(units))])[:, None]
    if (used < 0).any():
        raise ValueError("consumption below zero has no tiers")
    held = np.clip(used, lower, upper) - lower
    return [[cell / MILLION for cell in row] for row in held.tolist()]


@excel_function(
    "An amount or a tier width times segment days over all days, exact and unrounded.",
    {
        "amount_or_width": "Amount, tier width or consumption of the whole service period.",
        "segment_days": "Days of the segment.",
        "all_days": "Days of the whole service period.",
    },
)
def prorate(amount_or_width: Any, segment_days: Any, all_days: Any) -> Grid:
    """One column, as many rows as the longest argument."""
    size, columns = _columns(amount_or_width, segment_days, all_days)
    made: Grid = []
    for row in range(size):
        amount, part, whole = (_number(column[row], row) for column in columns)
        if part.denominator != 1 or whole.denominator != 1 or not 0 <= part <= whole or not whole:
            raise ValueError(f"row {row + 1}: {part} of {whole} days is no part of a service period")
        made.append([float(amount * part / whole)])
    return made


_BILL_ARGUMENTS: Final = {
    "rates": "The rates table with its headings: rates[#All].",
    "rate_schedule": "Name of the rate schedule, as on Services.",
    "customer_class": "Customer class, as the rate schedule names it.",
    "meter_size": 'Meter size, such as 5/8"; blank where the schedule does not ask.',
    "units": "Consumption in the schedule's unit.",
    "service_from": "Day of the previous read.",
    "service_to": "Day of this read; rates in force by it apply.",
}


@excel_function("Bill of each row by the rates in force: the sum of its rounded charges.", _BILL_ARGUMENTS)
def bill_total(
    rates: Any,
    rate_schedule: Any,
    customer_class: Any,
    meter_size: Any,
    units: Any,
    service_from: Any,
    service_to: Any,
) -> Grid:
    """One column of amounts, as many rows as the longest argument."""
    size, columns = _columns(rate_schedule, customer_class, meter_size, units, service_from, service_to)
    priced = _priced(rates, size, columns)
    cents = np.zeros(size, np.int64)
    np.add.at(cents, priced.lines["row"].to_numpy(), priced.lines["amount_cents"].to_numpy())
    return [[amount / 100] for amount in cents.tolist()]


@excel_function("Charges of one bill: charge, quantity, rate and amount, a row each.", _BILL_ARGUMENTS)
def bill_lines(
    rates: Any,
    rate_schedule: Any,
    customer_class: Any,
    meter_size: Any,
    units: Any,
    service_from: Any,
    service_to: Any,
) -> Grid:
    """Four columns, a row per printed charge."""
    size, columns = _columns(rate_schedule, customer_class, meter_size, units, service_from, service_to)
    if size != 1:
        raise ValueError("BILL_LINES explains one bill; give single cells")
    lines = _priced(rates, 1, columns).lines
    rows = zip(*(lines[name].astype(object) for name in ("charge", "quantity", "rate", "amount_cents")), strict=True)
    return [[str(charge), int(held) / MILLION, _shown(rate), int(cents) / 100] for charge, held, rate, cents in rows]


# ---------------------------------------------------------------------------------------------------- cells in


def _grid(cells: Any) -> Cells:
    """Any argument as rows of cells: a single value is one row of one."""
    if not isinstance(cells, (list, tuple)):
        return [[cells]]
    return [list(row) if isinstance(row, (list, tuple)) else [row] for row in cells]


def _columns(*arguments: Any) -> tuple[int, list[list[Any]]]:
    """The arguments as columns of one length; a single value is repeated."""
    columns = []
    for argument in arguments:
        grid = _grid(argument)
        if len(grid) == 1 and len(grid[0]) > 1:
            raise ValueError("give a column, not a row of cells")
        columns.append([row[0] for row in grid])
    size = max(len(column) for column in columns)
    if any(len(column) not in (1, size) for column in columns):
        raise ValueError("the columns are not of one length")
    return size, [column * size if len(column) == 1 else column for column in columns]


def _blank(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _number(cell: Any, row: int) -> Fraction:
    """A cell as the exact number its 15 digits say; a dial kept as text counts too."""
    try:
        if isinstance(cell, str):
            return Fraction(Decimal(cell.strip().replace(",", "")))
        if isinstance(cell, (int, float)) and not isinstance(cell, bool) and abs(cell) < BIGGEST:
            return Fraction(cell_number(cell))
        if isinstance(cell, Decimal):
            return Fraction(cell)
    except (ArithmeticError, ValueError) as error:
        raise ValueError(f"row {row + 1}: {cell!r} is not a number") from error
    raise ValueError(f"row {row + 1}: {cell!r} is not a number")


def _millionths(values: list[Fraction]) -> npt.NDArray[np.int64]:
    scaled = [value * MILLION for value in values]
    if wrong := next((value for value in scaled if value.denominator != 1 or abs(value) >= 2**63), None):
        raise ValueError(f"{float(wrong / MILLION):.15g} has more than six decimal places or is too large")
    return np.array([int(value) for value in scaled], dtype=np.int64)


def _wholes(values: list[Fraction]) -> npt.NDArray[np.int64]:
    if any(value.denominator != 1 for value in values):
        raise ValueError("dials is a whole number of digits")
    return np.array([int(value) for value in values], dtype=np.int64)


def _day(cell: Any, row: int) -> pd.Timestamp:
    """A date cell, a day number as a sheet hands it over, or text such as 2026-11-30."""
    if isinstance(cell, (dt.date, dt.datetime, str)) and not _blank(cell):
        return pd.Timestamp(cell).normalize()
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return pd.Timestamp(1899, 12, 30) + pd.Timedelta(days=int(cell))
    raise ValueError(f"row {row + 1}: {cell!r} is not a date")


def _rates(cells: Any) -> pd.DataFrame:
    """The rates table as the office keeps it, from the range with its headings."""
    grid = _grid(cells)
    declared = TABLE["rates"]
    fields, _, problems = headings(declared, declared.sheet.name, grid[0], 1, lambda at: column_letters(at + 1))
    rows = [row for row in grid[1:] if not all(_blank(cell) for cell in row)]
    frame = pd.DataFrame({name: pd.Series([row[at] for row in rows], dtype=object) for name, at in fields.items()})
    if "effective_from" in frame:
        for name in ("effective_from", "effective_to"):
            if name in frame:
                frame[name] = [None if _blank(c) else _day(c, row).to_pydatetime() for row, c in enumerate(frame[name])]
    sheet = SheetTable(
        declared,
        declared.sheet.name,
        frame,
        np.arange(2, 2 + len(rows)),
        2,
        {name: column_letters(at + 1) for name, at in fields.items()},
        problems=problems,
    )
    taken, problems = take(declared, sheet)
    if problems:
        raise ValueError(str(problems[0]))
    return taken


def _priced(rates: Any, size: int, columns: list[list[Any]]) -> Priced:
    """The rows priced; the first row that cannot be priced is the error."""
    schedule, customer_class, meter_size, used, after, until = columns
    book, problems = rate_book(_rates(rates))
    ends = np.array([_day(cell, row) for row, cell in enumerate(until)], dtype="datetime64[s]")
    usage = pd.DataFrame(
        {
            "key": [str(row + 1) for row in range(size)],
            "tariff": [_words(cell) for cell in schedule],
            "customer_class": [_words(cell) for cell in customer_class],
            "meter_size": [_words(cell) for cell in meter_size],
            "consumption": _millionths([_number(cell, row) for row, cell in enumerate(used)]),
            "service_from": np.array([_day(cell, row) for row, cell in enumerate(after)], dtype="datetime64[s]"),
            "service_to": ends,
            "bill_date": ends,
        }
    )
    priced = price(book, usage, with_basis=False)
    if priced.refused:
        raise ValueError(str(priced.refused[min(priced.refused)]))
    if problems and not len(priced.lines):
        raise ValueError(str(problems[0]))
    return priced


def _words(cell: Any) -> str:
    return "" if _blank(cell) else str(cell).strip()


def _shown(rate: Any) -> Any:
    text = _words(rate)
    return float(text) if text.replace(".", "", 1).replace("-", "", 1).isdigit() else text
