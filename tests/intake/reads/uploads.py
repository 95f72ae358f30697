"""Uploads written for a test, read without a child, with the balance checked each time."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlbilling.intake.reads import ParsedReads, Recipe, parse_reads
from xlbilling.words.problems import Refusal

HEAD = "Account,Meter,Read Date,Read,Unit\n"
GOOD = "008,M9,2026-07-01,6,gal\n"
RECIPE = Recipe(
    columns={"account_id": "Account", "meter_id": "Meter", "read_date": "Read Date", "read": "Read", "unit": "Unit"},
    required=["account_id", "meter_id", "read_date", "read"],
    date_formats=["%Y-%m-%d", "%m/%d/%Y"],
)


def read(tmp_path: Path, data: bytes | str, recipe: Recipe | None = RECIPE) -> ParsedReads:
    path = tmp_path / "upload"
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    found = parse_reads(path, recipe=recipe, in_child=False)
    assert found.balance.holds
    return found


def taken(found: ParsedReads) -> list[tuple[str, str, str, str, int]]:
    columns = ["account_id", "meter_id", "read_date", "read_value", "source_line"]
    return list(found.reads[columns].itertuples(index=False, name=None))


def listed(found: ParsedReads) -> list[tuple[int, str]]:
    return list(found.rejects[["source_line", "code"]].itertuples(index=False, name=None))


def refused(tmp_path: Path, data: bytes | str, recipe: Recipe | None = RECIPE) -> str:
    with pytest.raises(Refusal) as refusal:
        read(tmp_path, data, recipe)
    assert "\n" not in refusal.value.line
    return refusal.value.problem.code


GOOD_ROW = ("008", "M9", "2026-07-01", "6", 3)
