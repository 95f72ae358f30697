"""Values as the XML of cells: text never becomes a formula, numbers keep every digit, blanks keep their format."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.words.problems import Kind, declare

BAD_TEXT: Final = declare(
    "SHEET-TEXT",
    "A text cannot stand in a cell: it has control characters or is longer than the 32,767 characters Excel takes.",
    "Correct the text where it comes from.",
)
BAD_NUMBER: Final = declare(
    "SHEET-NUMBER",
    "A number, date or other value cannot be written to a cell without changing it.",
    "Correct the value where it comes from; Excel holds 15 digits and dates from 1 March 1900.",
)

LONGEST_TEXT: Final = 32_767
BEYOND_DIGITS: Final = 10**15
DAY_ZERO: Final = dt.date(1899, 12, 30)
FIRST_DAY: Final = 61  # 1 March 1900: Excel counts a 29 February 1900 that never was, so days before it are ambiguous
LAST_DAY: Final = 2_958_465  # 31 December 9999
BLANK: Final = "/>"

_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LOOKS_ESCAPED: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_OUTER_SPACE: Final = re.compile(r"^[^\S\n]|[^\S\n]$", re.M)
_SPECIAL: Final = re.compile(r"[&<>\r]|_x[0-9A-Fa-f]{4}_")


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula for one cell, without its "=", and the value shown until Excel has computed it."""

    text: str
    cached: Any = None


@dataclass(frozen=True, slots=True)
class FormulaColumn:
    """One formula filled down a column; "{row}" in it is the row's number, `cached` the values shown until computed."""

    text: str
    cached: Sequence[Any] | None = None


class Unwritable(Exception):
    """A value that no cell can hold; `index` is its place in the column, 0 for a lone value."""

    def __init__(self, kind: Kind, fact: str, index: int = 0):
        super().__init__(fact)
        self.kind, self.fact, self.index = kind, fact, index


@dataclass(frozen=True, slots=True)
class CellColumn:
    """A column ready to write: the text after `<c r=".." s=".."`, where "%s" (if any) takes the row's value.

    Without `values` every cell has the same text; a value BLANK under the pattern "%s" is a cell with a format only.
    """

    pattern: str
    values: Sequence[Any] | None

    def rows(self, start: int, stop: int) -> Sequence[Any]:
        return () if self.values is None else self.values[start:stop]


_NUMBER: Final = "><v>%s</v></c>"
_TEXT: Final = ' t="inlineStr"><is><t>%s</t></is></c>'


def cell_column(values: Any, first_row: int, count: int) -> CellColumn:  # noqa: PLR0911 - one a kind of column
    """One table column of `count` values (sequence, numpy array, pandas Series, FormulaColumn), first at `first_row`.

    Raises Unwritable, naming the place of the first value that no cell can hold.
    """
    if isinstance(values, FormulaColumn):
        return _formula_column(values, first_row, count)
    plain = _plain(values)
    if isinstance(plain, np.ndarray):
        return _array_column(plain)
    kinds = set(map(type, plain))
    if kinds == {str}:
        return _text_column(plain)
    if kinds == {int}:
        return _mixed_column(plain) if _beyond(plain) else CellColumn(_NUMBER, plain)
    if kinds == {float}:
        return _array_column(np.array(plain, dtype=np.float64))
    if kinds <= {dt.datetime, type(None)} and not any(value is not None and value.tzinfo for value in plain):
        return _times_column(np.array(plain, dtype="datetime64[us]"))
    if kinds <= {str, type(None)}:
        return _gappy_texts(plain)
    return _mixed_column(plain)


def _beyond(values: Sequence[int]) -> bool:
    return bool(values) and (max(values) >= BEYOND_DIGITS or min(values) <= -BEYOND_DIGITS)


def _plain(values: Any) -> Any:
    """A numpy array of numbers, truths or times, or else a list of Python values with None for a gap."""
    if isinstance(values, pd.Series | pd.Index):
        if isinstance(values.dtype, np.dtype):
            values = values.to_numpy()
        else:
            gaps = values.isna()
            values = values.tolist()
            if gaps.any():
                values = [None if gap else value for value, gap in zip(values, gaps, strict=True)]
    if isinstance(values, np.ndarray):
        return values if values.dtype.kind in "iufbM" else values.tolist()
    return values if isinstance(values, list) else list(values)


def _array_column(values: np.ndarray[Any, Any]) -> CellColumn:
    """A column of numbers, truths or times; NaN and NaT are blanks."""
    kind = values.dtype.kind
    if kind == "M":
        return _times_column(values)
    if kind == "b":
        return CellColumn(' t="b"><v>%d</v></c>', values.tolist())
    plain = values.tolist()
    simple = bool(np.isfinite(values).all()) if kind == "f" else not _beyond(plain)
    return CellColumn(_NUMBER, plain) if simple else _mixed_column(plain)


def _times_column(values: np.ndarray[Any, Any]) -> CellColumn:
    """Dates and times as serial numbers: days since 30 December 1899."""
    gaps = np.isnat(values)
    micros = values.astype("datetime64[us]").astype(np.int64) - np.datetime64(DAY_ZERO, "us").astype(np.int64)
    micros[gaps] = FIRST_DAY * 86_400_000_000
    days, rest = np.divmod(micros, 86_400_000_000)
    outside = (days < FIRST_DAY) | (days > LAST_DAY)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise Unwritable(BAD_NUMBER, f"{values[at]} is not a date Excel can show", at)
    serials: list[Any] = (days + rest / 86_400_000_000).tolist() if rest.any() else days.tolist()
    if not gaps.any():
        return CellColumn(_NUMBER, serials)
    return CellColumn(
        "%s", [BLANK if gap else _NUMBER % serial for gap, serial in zip(gaps.tolist(), serials, strict=True)]
    )


def _text_column(values: list[str]) -> CellColumn:
    """A column of texts; escaping, blanks and outer spaces are looked for in the whole column at once."""
    joined = "\n".join(values)
    special = _SPECIAL.search(joined) is not None
    if _UNPRINTABLE.search(joined) or max(map(len, values)) > LONGEST_TEXT:
        for index, value in enumerate(values):
            _check_text(value, index)
    lines = joined.count("\n") >= len(values)
    if lines or "" in values or _OUTER_SPACE.search(joined):
        return CellColumn("%s", [_text_tail(value) for value in values])
    return CellColumn(_TEXT, escaped(joined).split("\n") if special else values)


def _gappy_texts(values: list[str | None]) -> CellColumn:
    """A column of texts with blank cells among them."""
    joined = "\n".join(value for value in values if value)
    if _UNPRINTABLE.search(joined) or max((len(value) for value in values if value), default=0) > LONGEST_TEXT:
        for index, value in enumerate(values):
            _check_text(value or "", index)
    return CellColumn("%s", [_text_tail(value or "") for value in values])


def _check_text(value: str, index: int = 0) -> None:
    if found := _UNPRINTABLE.search(value):
        raise Unwritable(BAD_TEXT, f"it has the control character U+{ord(found[0]):04X}", index)
    if len(value) > LONGEST_TEXT:
        raise Unwritable(BAD_TEXT, f"it is {len(value)} characters long", index)


def escaped(text: str) -> str:
    """Text as XML; a carriage return, and text that looks like Excel's own escape, by that escape (ST_Xstring)."""
    text = _LOOKS_ESCAPED.sub("_x005F_", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "_x000D_")


def _text_tail(value: str) -> str:
    if not value:
        return BLANK
    if value.isalnum():
        return _TEXT % value
    if value != value.strip() or "\n" in value:
        return f' t="inlineStr"><is><t xml:space="preserve">{escaped(value)}</t></is></c>'
    return _TEXT % escaped(value)


def _mixed_column(values: Iterable[Any]) -> CellColumn:
    tails: list[str] = []
    known: dict[tuple[type, Any], str] = {}  # prices, flags and days come again and again
    for index, value in enumerate(values):
        try:
            mark = (type(value), value)
            if mark not in known:
                known[mark] = cell_tail(value)
            tails.append(known[mark])
        except Unwritable as error:
            raise Unwritable(error.kind, error.fact, index) from error
    return CellColumn("%s", tails)


def cell_tail(value: Any) -> str:
    """The XML after `<c r=".." s=".."` for one value; None, "", NaN and NaT are a blank."""
    if isinstance(value, Formula):
        return _formula_tail(_formula_xml(value.text), value.cached)
    kind, text = sort_of(value)
    if kind == "":
        return BLANK
    if kind == "text":
        return _text_tail(text)
    return f' t="b"><v>{text}</v></c>' if kind == "truth" else f"><v>{text}</v></c>"


def sort_of(value: Any) -> tuple[str, str]:
    """The sort of a value in a cell ("" blank, text, truth, number) and its characters; a day is a number.

    Raises Unwritable for a value that no cell can hold.
    """
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
    if value is None or value is pd.NaT or value is pd.NA or value == "":
        return "", ""
    if isinstance(value, str):
        _check_text(value)
        return "text", value
    if isinstance(value, bool):
        return "truth", str(int(value))
    if isinstance(value, int | float | Decimal):
        return _number(value)
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return "number", _serial(value)
    raise Unwritable(BAD_NUMBER, f"a {type(value).__name__} is not a cell value")


def _number(value: int | float | Decimal) -> tuple[str, str]:
    if isinstance(value, float) and math.isnan(value):
        return "", ""
    if isinstance(value, Decimal) and value.is_nan():
        return "", ""
    if not isinstance(value, int) and not math.isfinite(value):
        raise Unwritable(BAD_NUMBER, "it is infinite")
    if not isinstance(value, float) and not -BEYOND_DIGITS < value < BEYOND_DIGITS:
        raise Unwritable(BAD_NUMBER, f"{value} has more than 15 digits")
    return "number", format(value, "f") if isinstance(value, Decimal) else repr(value)


def _serial(value: dt.date | dt.time | dt.timedelta) -> str:
    """Days since 30 December 1899; a time of day or a duration is a part of a day."""
    if isinstance(value, dt.time):
        midnight = dt.datetime.combine(DAY_ZERO, dt.time())
        return repr((dt.datetime.combine(DAY_ZERO, value.replace(tzinfo=None)) - midnight) / _DAY)
    if isinstance(value, dt.timedelta):
        return repr(value / _DAY)
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        raise Unwritable(BAD_NUMBER, f"{value} has a time zone, which a cell cannot hold")
    days = value.toordinal() - DAY_ZERO.toordinal()
    if not FIRST_DAY <= days <= LAST_DAY:
        raise Unwritable(BAD_NUMBER, f"{value} is not a date Excel can show")
    if not isinstance(value, dt.datetime) or value.time() == dt.time():
        return str(days)
    return repr(days + float(_serial(value.time())))


_DAY: Final = dt.timedelta(days=1)


def _formula_xml(text: str) -> str:
    text = text.removeprefix("=")
    if _UNPRINTABLE.search(text) or len(text) > 8192:
        raise Unwritable(BAD_TEXT, "the formula has control characters or more than 8,192 characters")
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _formula_tail(formula: str, cached: Any) -> str:
    kind, text = sort_of(cached)
    if kind == "text":
        return f' t="str"><f>{formula}</f><v>{escaped(text)}</v></c>'
    if kind == "truth":
        return f' t="b"><f>{formula}</f><v>{text}</v></c>'
    return f"><f>{formula}</f><v>{text}</v></c>" if kind else f"><f>{formula}</f></c>"


def _formula_column(column: FormulaColumn, first_row: int, count: int) -> CellColumn:
    """One formula down the column; without "{row}" its text is written once into the pattern."""
    formula = _formula_xml(column.text)
    if "{row}" not in formula and column.cached is None:
        return CellColumn(f"><f>{formula.replace('%', '%%')}</f></c>", None)
    texts = [formula] * count
    if "{row}" in formula:
        pieces = formula.split("{row}")
        texts = [str(row).join(pieces) for row in range(first_row, first_row + count)]
    if column.cached is None:
        return CellColumn("><f>%s</f></c>", texts)
    cached = _plain(column.cached)
    shown = cached.tolist() if isinstance(cached, np.ndarray) else cached
    return CellColumn("%s", [_formula_tail(text, value) for text, value in zip(texts, shown, strict=True)])
