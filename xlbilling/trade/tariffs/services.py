"""The services to be priced, as coded columns, and which of them are refused."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.words.exact import Exact
from xlbilling.words.problems import Kind, Place, Problem

Rows = npt.NDArray[np.intp]
Codes = npt.NDArray[np.int64]

REQUIRED: Final = ("tariff", "customer_class", "consumption", "service_from", "service_to", "bill_date")
_NOT_INPUTS: Final = frozenset({"key", *REQUIRED, "nominal_days"})


def distinct(*columns: npt.NDArray[Any]) -> tuple[Codes, Rows]:
    """Rows that agree in every column share a code: (code of each row, first row of each code)."""
    codes, uniques = pd.factorize(columns[0])
    count = len(uniques)
    for column in columns[1:]:
        more, others = pd.factorize(column)
        codes, uniques = pd.factorize(codes.astype(np.int64) * max(len(others), 1) + more)
        count = len(uniques)
    first = np.full(count, -1, dtype=np.intp)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    return codes.astype(np.int64), first


class Services:
    """The rows handed to `price`, with every text column coded once, and the first reason each row is refused."""

    def __init__(self, usage: pd.DataFrame):
        missing = [name for name in REQUIRED if name not in usage.columns]
        if missing:
            raise ValueError(f"the services lack the column {', '.join(missing)}")
        self.usage = usage
        self.count = len(usage)
        self.consumption = np.asarray(usage["consumption"], dtype=np.int64)
        self.after = self._days("service_from")
        self.until = self._days("service_to")
        self.billed = self._days("bill_date")
        self.days = self.until - self.after
        self.nominal = self._nominal()
        self.refused = np.zeros(self.count, dtype=np.bool_)
        self.problems: dict[int, Problem] = {}
        self._coded: dict[str, tuple[Codes, list[str]]] = {}
        self._numbers: dict[str, tuple[Exact, npt.NDArray[np.bool_]]] = {}

    def _days(self, name: str) -> Codes:
        column = self.usage[name]
        if column.dtype != np.dtype("datetime64[s]"):
            column = pd.to_datetime(column).astype("datetime64[s]")
        seconds = np.asarray(column).view(np.int64)
        return np.where(seconds == np.iinfo(np.int64).min, np.iinfo(np.int64).min, seconds // 86_400)

    def _nominal(self) -> Codes | None:
        """Days a full bill stands for, on first and last bills; 0 where the bill is a full one."""
        if "nominal_days" not in self.usage.columns:
            return None
        days = pd.to_numeric(self.usage["nominal_days"]).fillna(0).to_numpy().astype(np.int64)
        return days if days.any() else None

    def has(self, name: str) -> bool:
        """Whether the services give an input of this name at all."""
        return name in self.usage.columns and name not in _NOT_INPUTS

    @property
    def inputs(self) -> list[str]:
        return [str(name) for name in self.usage.columns if name not in _NOT_INPUTS]

    def coded(self, name: str) -> tuple[Codes, list[str]]:
        """A text column as (code of each row, texts); blanks are the empty text."""
        if name not in self._coded:
            codes, texts = pd.factorize(self.usage[name], use_na_sentinel=False)
            spoken = ["" if pd.isna(text) else str(text).strip() for text in texts]
            self._coded[name] = (codes.astype(np.int64), spoken)
        return self._coded[name]

    def numbers(self, name: str) -> tuple[Exact, npt.NDArray[np.bool_]]:
        """The distinct texts of an input as numbers, and which of them are numbers."""
        if name not in self._numbers:
            self._numbers[name] = Exact.parse(self.coded(name)[1])
        return self._numbers[name]

    def key(self, row: int) -> str:
        """The row's own key, for the place of a problem."""
        return str(self.usage["key"].iloc[row]) if "key" in self.usage.columns else str(row)

    def refuse(self, row: int, kind: Kind, column: str, fact: str, remedy: str | None = None) -> None:
        """Refuse a row; the first reason stands."""
        if not self.refused[row]:
            self.refused[row] = True
            self.problems[row] = kind.at(Place("services", self.key(row), column), fact, remedy)

    def given(self, name: str, rows: Rows) -> Rows:
        """Those of the rows that give an input, by position."""
        codes, texts = self.coded(name)
        if "" not in texts:
            return rows
        filled: Rows = rows[codes[rows] != texts.index("")]
        return filled
