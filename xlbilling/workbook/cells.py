"""Cells: the one place that turns raw cells into exact store values, and store values into cells.

Excel keeps every number as a float with 15 digits that count. A cell is taken where those 15 digits are a value of the
column's kind (whole cents, whole millionths, whole days); anything else is refused with its cell, never rounded.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.words.exact import cell_number
from xlbilling.words.problems import Problem, declare
from xlbilling.words.records import Column, ColumnKind, Table
from xlbilling.workbook.days import day_of
from xlbilling.workbook.port import ERRORS, SheetTable

Mask: TypeAlias = npt.NDArray[np.bool_]
Objects: TypeAlias = npt.NDArray[np.object_]

PLACES: Final[dict[str, int]] = {"money": 2, "quantity": 6, "whole": 0}
BIGGEST: Final = 10**15  # beyond it a float no longer counts in ones
MOST_DIGITS: Final = 12  # a decimal with more of them is a computed fraction, not a price or a setting
_PLAIN: Final = re.compile(r"(-?)(\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")
_EPOCH: Final = dt.datetime(1970, 1, 1)
_NO_DAY: Final = int(np.iinfo(np.int64).min)  # NaT

NUMBER: Final = declare(
    "cell_number", "A cell holds something that is not a number.", "Type a plain number such as 1204.07."
)
PLACES_LOST: Final = declare(
    "cell_places",
    "A number has more decimal places than its column can hold exactly.",
    "Type the number you mean with fewer decimal places; nothing is rounded for you.",
)
DATE: Final = declare("cell_date", "A cell does not hold a date.", "Type the date as 11/30/2026 or 2026-11-30.")
ID: Final = declare(
    "cell_id",
    "A number stands where an account, meter or other number with leading zeros belongs.",
    "Format the cell as Text and type it again with its leading zeros.",
)
CHOICE: Final = declare(
    "cell_choice", "A cell holds a word that is not in its list.", "Pick a word from the cell's drop-down list."
)
BLANK: Final = declare("cell_blank", "A cell that must be filled in is blank.", "Fill it in.")
ERROR: Final = declare("cell_error", "A cell shows an Excel error.", "Mend the formula or type the value in its place.")
CURRENCY: Final = declare(
    "cell_currency",
    "A price stands in a cell formatted as Currency, which Excel hands over cut to four decimal places.",
    "Format the cell as Number and press the button again.",
)
_REFUSED_TEXT: Final = {"id": ID, "choice": CHOICE, "rate": NUMBER, "text": PLACES_LOST, "stamp": PLACES_LOST}


def take(table: Table, sheet: SheetTable) -> tuple[pd.DataFrame, list[Problem]]:
    """Every row of the sheet in the store's types, and what could not be taken.

    Same rows and index as `sheet.frame`. A refused cell is blank (0 where the column holds no gaps) and named in the
    problems, which begin with the sheet's own; use `refused_rows` to leave out the rows they block.
    """
    problems = list(sheet.problems)
    made: dict[str, pd.Series[Any]] = {}
    for name, column in table:
        raw = sheet.frame.get(name)
        cells = np.full(len(sheet.frame), None, object) if raw is None else raw.to_numpy(object)
        found = _Column(name, column, sheet)
        made[name] = pd.Series(found.taken(cells), index=sheet.frame.index)
        problems += found.problems if raw is not None else []
    return pd.DataFrame(made, index=sheet.frame.index), problems


def refused_rows(problems: Iterable[Problem], sheet: SheetTable) -> list[int]:
    """Row indexes of the sheet's frame that a blocking problem names."""
    index = {int(row): position for position, row in enumerate(sheet.rows)}
    named = {int(re.sub(r"\D", "", p.place.cell)) for p in problems if p.place.cell and p.severity == "block"}
    return sorted(index[row] for row in named if row in index)


def give(table: Table, frame: pd.DataFrame) -> dict[str, list[Any]]:
    """Cell values of each declared column, in the declared order: None for a blank cell.

    Money and quantities become floats that show the exact value, rates floats (text where it is no plain number),
    dates datetimes, everything else text. A column that is not in the frame is blank.
    """
    blank = [None] * len(frame)
    return {name: cell_values(column.kind, frame[name]) if name in frame.columns else blank for name, column in table}


def money_cell(amount_cents: int) -> float:
    """Cents as the cell that shows them exactly: 120407 -> 1204.07."""
    return amount_cents / 100


def cell_values(kind: ColumnKind, values: pd.Series[Any]) -> list[Any]:
    """One column of store values as cells."""
    if kind in PLACES:
        scale = 10 ** PLACES[kind]
        numbers = values.to_numpy(dtype="float64", na_value=np.nan)
        gaps = np.isnan(numbers)
        cells = numbers / scale if scale > 1 else numbers
        return [None if gap else cell for gap, cell in zip(gaps.tolist(), cells.tolist(), strict=True)]
    if kind == "date":
        days = pd.to_datetime(values).to_numpy().astype("datetime64[s]")
        made: list[Any] = days.astype(object).tolist()
        return made
    if kind == "rate":
        texts = values.tolist()
        known = {text: _rate_cell(text) for text in set(texts)}
        return [known[text] for text in texts]
    if values.dtype == "str":
        return [text or None for text in values.fillna("").tolist()]
    if _sorts(values.to_numpy(dtype=object)) <= {str}:
        return [text if text and not text.isspace() else None for text in values.tolist()]
    return [None if _is_blank(value) or value == "" else str(value) for value in values.tolist()]


def _rate_cell(value: Any) -> Any:
    text = "" if _is_blank(value) else str(value)
    if not _PLAIN.fullmatch(text):
        return text or None
    number = float(text)
    # A price that a float cannot carry goes in as text, so that it comes back as it was.
    return number if Decimal(_digits(number) or "0") == Decimal(text) else text


def _blank(cells: Objects) -> Mask:
    """Which cells are blank; a column of one sort of cell is told apart without asking each."""
    sorts = _sorts(cells)
    if sorts <= {type(None), float}:
        return np.isnan(cells.astype(np.float64))
    if sorts <= {type(None), str}:
        return np.array([not cell or cell.isspace() for cell in cells], dtype=bool)
    if sorts <= {type(None), dt.datetime, dt.date, int, bool, Decimal}:
        return np.array([cell is None for cell in cells], dtype=bool)
    return np.fromiter((_is_blank(cell) for cell in cells), bool, len(cells))


def _sorts(cells: Objects) -> set[type]:
    return set(map(type, cells))


def _is_blank(cell: Any) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or cell is pd.NaT or cell is pd.NA or (isinstance(cell, float) and math.isnan(cell))


class _Column:
    """One column being taken: its cells by sort, and the problems they gave."""

    def __init__(self, name: str, column: Column, sheet: SheetTable):
        self.name, self.column, self.sheet = name, column, sheet
        self.default = column.default
        self.problems: list[Problem] = []

    def taken(self, cells: Objects) -> Any:
        blank = _blank(cells)
        if self.column.required:
            for row in np.flatnonzero(blank):
                self._refuse(BLANK, int(row), f"{self.column.title} is blank")
        errors = np.zeros(len(cells), bool)
        if not ERRORS.isdisjoint(cells):
            errors |= np.fromiter((isinstance(cell, str) and cell in ERRORS for cell in cells), bool, len(cells))
        for row in np.flatnonzero(errors):
            self._refuse(ERROR, int(row), f"{self.column.title} shows {cells[row]}")
        left = ~(blank | errors)
        kind = self.column.kind
        if kind in PLACES:
            return self._numbers(cells, left, PLACES[kind])
        if kind == "date":
            return self._dates(cells, left)
        takers: dict[str, Callable[[Any], str | None]] = {"id": _id, "rate": _rate, "choice": self._choice}
        return self._texts(cells, left, takers.get(kind, _text))

    def _refuse(self, kind: Any, row: int, fact: str) -> None:
        self.problems.append(kind.at(self.sheet.place(row, self.name), fact))

    # -------------------------------------------------------------------------------------------- numbers

    def _numbers(self, cells: Objects, left: Mask, places: int) -> Any:
        """Whole cents, millionths or ones as int64; Int64 where blanks are allowed and there are some."""
        scale = 10**places
        made = np.zeros(len(cells), np.int64)
        bad = np.zeros(len(cells), bool)
        floats = left
        if not _sorts(cells) <= {float, int, type(None)}:
            floats = left & np.fromiter((type(cell) in (float, int) for cell in cells), bool, len(cells))
        at = np.flatnonzero(floats)
        scaled, good = exact_scaled(np.array(cells[at], dtype=np.float64), scale)
        made[at], bad[at] = scaled, ~good
        for row in np.flatnonzero(left & ~floats):
            value = _plain_number(cells[row])
            if value is None:
                self._refuse(NUMBER, int(row), f"{self.column.title} is {_shown(cells[row])}")
            elif (value * scale) % 1 or abs(value * scale) >= BIGGEST:
                bad[row] = True
            else:
                made[row] = int(value * scale)
        for row in np.flatnonzero(bad):
            self._refuse(PLACES_LOST, int(row), self._too_fine(cells[row], places))
            made[row] = 0
        return self._with_gaps(made, left & ~bad)

    def _too_fine(self, cell: Any, places: int) -> str:
        held = "whole numbers" if places == 0 else f"{places} decimal places"
        return f"{self.column.title} is {_shown(cell)} and the column holds {held}"

    def _with_gaps(self, made: npt.NDArray[np.int64], filled: Mask) -> Any:
        if self.default is not None:
            return np.where(filled, made, int(self.default))
        if filled.all() or self.column.required:
            return made
        return pd.arrays.IntegerArray(made, ~filled)

    # -------------------------------------------------------------------------------------------- dates

    def _dates(self, cells: Objects, left: Mask) -> npt.NDArray[np.datetime64]:
        found = _each(cells, left, day_of)
        for row in np.flatnonzero(left):
            if found[row] is None:
                self._refuse(DATE, int(row), f"{self.column.title} is {_shown(cells[row])}")
        seconds = [_NO_DAY if day is None else (day - _EPOCH).days * 86_400 for day in found]
        return np.array(seconds, dtype=np.int64).view("datetime64[s]")

    # -------------------------------------------------------------------------------------------- text

    def _texts(self, cells: Objects, left: Mask, taker: Callable[[Any], str | None]) -> Any:
        default = self.default if isinstance(self.default, str) else ""
        if self.column.kind in ("id", "text", "stamp") and _sorts(cells) <= {str, type(None)}:
            stripped = [cell.strip() if keep else default for cell, keep in zip(cells, left, strict=True)]
            return pd.array(stripped, dtype="str")
        found = _each(cells, left, taker)
        for row in np.flatnonzero(left):
            if found[row] is None:
                kind = CURRENCY if isinstance(cells[row], Decimal) else _REFUSED_TEXT[self.column.kind]
                self._refuse(kind, int(row), f"{self.column.title} is {_shown(cells[row])}")
        return pd.array([default if text is None else text for text in found], dtype="str")

    def _choice(self, cell: Any) -> str | None:
        """The word of the list, whatever its capitals; a column of choices without a list takes any word."""
        text = cell.strip().casefold() if isinstance(cell, str) else None
        return next((choice for choice in self.column.choices if choice.casefold() == text), None)


def _each(cells: Objects, left: Mask, taker: Callable[[Any], Any]) -> list[Any]:
    """What `taker` makes of each cell that is left, None elsewhere; like cells of one sort are asked once."""
    known: dict[tuple[type, Any], Any] = {}
    made: list[Any] = [None] * len(cells)
    for row in np.flatnonzero(left).tolist():
        cell = cells[row]
        key = (type(cell), cell)
        if key not in known:
            known[key] = taker(cell)
        made[row] = known[key]
    return made


def exact_scaled(values: npt.NDArray[np.float64], scale: int) -> tuple[npt.NDArray[np.int64], Mask]:
    """Floats times `scale` (a power of ten) as int64, and which of them are exact to a float's 15 digits.

    15.299999999999999 is Excel's own 12.1 + 3.2 and is taken for 15.30; 128.325 is not a number of cents.
    """
    usable = np.isfinite(values) & (np.abs(values) * scale < BIGGEST)
    scaled = np.rint(np.where(usable, values, 0.0) * scale)
    near = np.abs(scaled / scale - values) <= np.abs(values) * 5e-16
    return scaled.astype(np.int64), usable & near


def _plain_number(cell: Any) -> Decimal | None:
    if isinstance(cell, Decimal):
        return cell if cell.is_finite() else None
    found = _PLAIN.fullmatch(cell.strip()) if isinstance(cell, str) else None
    return Decimal(f"{found[1]}{found[2].replace(',', '')}.{found[3] or 0}") if found else None


def _digits(number: float) -> str | None:
    """A float's value as plain decimal text where few enough digits tell it wholly: 2.87 -> "2.87"; 1/3 -> None."""
    if not abs(number) < BIGGEST:
        return None
    value = cell_number(number)
    if len(value.as_tuple().digits) > MOST_DIGITS and value % 1:
        return None
    return format(value.normalize(), "f") if value else "0"


def _rate(cell: Any) -> str | None:
    """A price as exact decimal text; a Decimal comes from a currency-formatted cell and is cut to 4 places: refused."""
    if type(cell) in (float, int):
        return _digits(float(cell))
    value = _plain_number(cell) if isinstance(cell, str) else None
    return None if value is None else format(value.normalize(), "f") if value else "0"


def _id(cell: Any) -> str | None:
    return cell.strip() if isinstance(cell, str) else None


def _text(cell: Any) -> str | None:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, (float, int)):
        return _digits(float(cell))
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(" ")
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)


def _shown(cell: Any) -> str:
    if isinstance(cell, float):
        return str(cell_number(cell))
    return str(cell) if isinstance(cell, (dt.date, Decimal, int)) else f'"{cell}"'
