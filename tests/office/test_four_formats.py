"""A month whose reads come in four formats settles on the sheets: worked on the file, as the terminal works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.four_formats import ACTOR, FourFormats, opened, typed_in
from xlbilling.office.actions import open_desk, perform
from xlbilling.workbook.file import FileWorkbook


class AtTheFile:
    """The file adapter, saved after each press."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / "billing.xlsm"

    def press(self, button: str) -> None:
        book = FileWorkbook(self.path)
        perform(button, lambda: open_desk(book, ACTOR, self.folder), book, self.folder)
        book.save()

    def cell(self, name: str) -> Any:
        return FileWorkbook(self.path).get(name)

    def type_cell(self, name: str, value: str) -> None:
        book = FileWorkbook(self.path)
        book.put(name, value)
        book.save()

    def table(self, name: str) -> pd.DataFrame:
        return FileWorkbook(self.path).read(name).frame

    def type_column(self, table: str, column: str, of_row: Callable[[pd.Series[Any]], Any]) -> None:
        typed_in(self.path, table, column, of_row)


def test_a_month_in_four_formats_settles_on_the_sheets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XLBILLING_ACTOR", ACTOR)
    month = FourFormats(AtTheFile(tmp_path), opened(tmp_path))
    month.work()
    month.check()
