"""Fixtures with the real LibreOffice; without it these tests are skipped, saying why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from unolink import NoLibreOffice, find_soffice, load_uno

try:
    load_uno()
    find_soffice()
    MISSING = ""
except NoLibreOffice as error:
    MISSING = str(error)


def pytest_report_header() -> str | None:
    return f"LibreOffice tests are skipped: {MISSING}" if MISSING else None


@pytest.fixture(scope="session")
def libreoffice() -> Iterator[Any]:
    """One LibreOffice for the whole run."""
    if MISSING:
        pytest.skip(MISSING)
    from host import LibreOfficeHost

    with LibreOfficeHost() as host:
        yield host
