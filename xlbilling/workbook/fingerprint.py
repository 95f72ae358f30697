"""Fingerprint of a sheet: whether a table still holds what the office wrote on it, without looking at a single row.

Two sets of cells have the same fingerprint where every declared column holds the same cells in the same order. A port
that gives a cell back otherwise than it was written (a whole number for a text) changes the fingerprint; then the rows
are compared one by one, so nothing is ever missed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.words.records import Table

_BLANK = "\x00"  # no cell holds it


def fingerprint(table: Table, cells: Mapping[str, Sequence[Any]]) -> str:
    """Sixteen digits over the raw cells of the declared columns by field; blank where a column is not there."""
    digest = hashlib.blake2b(digest_size=8)
    for name in table.columns:
        if name not in cells:
            return ""
        digest.update(name.encode())
        digest.update(_column(list(cells[name])))
    return digest.hexdigest()


def _column(cells: list[Any]) -> bytes:
    """One column in a form that is the same before it is written and after it is read."""
    sorts = set(map(type, cells))
    if sorts <= {str, type(None)}:
        return "\x1f".join([cell or _BLANK for cell in cells]).encode()
    if sorts <= {float, int, type(None)}:
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64).tobytes()
    if sorts <= {dt.datetime, dt.date, type(None)}:
        return np.array(cells, dtype="datetime64[us]").tobytes()
    return "\x1f".join(map(_text, cells)).encode()


def _text(cell: Any) -> str:
    if cell is None or cell is pd.NaT or cell == "":
        return _BLANK
    if isinstance(cell, bool):
        return f"truth {cell}"
    if isinstance(cell, dt.datetime):
        return (cell.date() if cell.time() == dt.time() else cell).isoformat()
    if isinstance(cell, (int, float)):
        return repr(float(cell))
    return cell.isoformat() if isinstance(cell, dt.date) else str(cell)
