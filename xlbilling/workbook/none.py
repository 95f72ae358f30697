"""No workbook: the port of a run at night, when nobody looks at sheets; what a button needs comes from the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.words.problems import Problem
from xlbilling.words.records import TABLE
from xlbilling.workbook.formula_text import Formula
from xlbilling.workbook.port import ExtraColumn, SheetTable, TypedRow, View, wanted_file


class NoWorkbook:
    """A workbook without sheets: nothing typed, nothing shown, every question answered yes."""

    has_sheets = False

    def __init__(self, folder: Path, cells: Mapping[str, Any]):
        self.folder = folder
        self.cells = dict(cells)

    def read(self, table: str) -> SheetTable:
        declared = TABLE[table]
        blank = pd.DataFrame({name: pd.Series(dtype=object) for name in declared.columns})
        return SheetTable(declared, declared.sheet.name, blank, np.zeros(0, dtype=np.int64), 4, {})

    def write(
        self,
        table: str,
        frame: pd.DataFrame,
        formulas: Mapping[str, Formula] | None = None,
        extra: Sequence[ExtraColumn] = (),
        typing: Sequence[TypedRow] = (),
    ) -> None:
        return None

    def get(self, name: str) -> Any:
        return self.cells.get(name)

    def put(self, name: str, value: Any) -> None:
        self.cells[name] = value

    def mark(self, problems: Iterable[Problem]) -> None:
        return None

    def progress(self, text: str, done: int, total: int) -> None:
        return None

    def say(self, text: str) -> None:
        return None

    def show(self, sheet: str) -> None:
        return None

    def ask_file(self, what: str, named_cell: str) -> Path:
        return wanted_file(what, named_cell, self.get(named_cell), self.folder)

    def confirm(self, question: str) -> bool:
        return True

    def recalculate(self) -> bool:
        return False

    def values(self, table: str, field: str) -> list[Any]:
        return []

    def view(self, kind: View) -> None:
        return None

    def save(self) -> None:
        return None
