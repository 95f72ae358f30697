"""A month whose reads come in four formats settles on the sheets of LibreOffice, decisions typed as a clerk types them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.four_formats import FourFormats, opened
from tests.libreoffice.sample_month import AtLibreOffice, sheets_as_shown, still_clock

pytestmark = pytest.mark.libreoffice


def test_a_month_in_four_formats_settles_in_libreoffice(
    libreoffice: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    still_clock(monkeypatch)
    district = opened(tmp_path)
    with libreoffice.open(tmp_path / "billing.xlsm") as workbook:
        month = FourFormats(AtLibreOffice.at(tmp_path, workbook), district)
        month.work()
        month.check()
        shown = sheets_as_shown(workbook, tmp_path / "shown")
        assert workbook.errors() == {}
    recipe = {row[1]: row[2] for row in shown["Recipes"] if row[:1] == ["contractor"]}
    assert recipe["confirmed"] == "yes"
    assert recipe["column meter_id"] == "Device"
    states = [row for row in shown["Rejects"] if "taken" in row]
    assert len(states) == 1
    assert month.misread in states[0]
    assert {row[0] for row in shown["Exceptions"][3:] if row} >= {"unknown_meter 99070415"}
