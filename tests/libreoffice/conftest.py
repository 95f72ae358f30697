"""Fixtures with the real LibreOffice; without it these tests are skipped, saying why."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.libreoffice.unolink import NoLibreOffice, find_soffice, load_uno

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
    from tests.libreoffice.host import LibreOfficeHost

    with LibreOfficeHost() as host:
        yield host
