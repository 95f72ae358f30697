"""The workbook as it is built, once for all tests of the ports, and a book of each kind that needs no application."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from xlbilling.maker import build_workbook
from xlbilling.workbook.file.book import FileWorkbook
from xlbilling.workbook.memory import MemoryWorkbook
from xlbilling.workbook.port import OpenWorkbook


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("built") / "billing.xlsm"
    build_workbook(path)
    return path


@pytest.fixture(params=["file", "memory"])
def book(request: pytest.FixtureRequest, built: Path, tmp_path: Path) -> OpenWorkbook:
    """A workbook on disk, and one in memory."""
    if request.param == "memory":
        return MemoryWorkbook(tmp_path)
    return FileWorkbook(Path(shutil.copy(built, tmp_path / "billing.xlsm")))
