"""The guide to files of reads (docs/reads.md): each of its examples is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from xlbilling.intake.reads import Recipe, parse_reads
from xlbilling.intake.reads.detect import FORMATS

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "reads.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```example ([a-z-]+)\n(.*?)```", GUIDE, re.DOTALL)
# Each recipe stands right above its example.
RECIPES = {
    name: text for text, name in re.findall(r"```yaml\n(.*?)```\n\n```example (recipe[a-z-]*)\n", GUIDE, re.DOTALL)
}
COLUMNS = (
    "meter_id", "register_id", "read_date", "read_time", "dial_read", "read_value", "unit", "read_code", "source_line",
)  # fmt: skip


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_of_the_guide(tmp_path: Path, name: str, example: str) -> None:
    text, rows, rejects = example.split("---\n")
    recipe = None
    if name in RECIPES:
        recipe = Recipe.model_validate(yaml.safe_load(RECIPES[name]))
    path = tmp_path / "example"
    path.write_text(text)
    found = parse_reads(path, recipe=recipe, in_child=False)
    assert found.format == ("generic" if name in RECIPES else name)
    told = [" ".join(str(cell) or "." for cell in row) for row in found.reads[list(COLUMNS)].to_numpy().tolist()]
    assert told == rows.splitlines()
    listed = found.rejects[["source_line", "code"]].to_numpy().tolist()
    assert [f"{line} {code}" for line, code in listed] == rejects.splitlines()


def test_the_guide_names_every_format() -> None:
    assert all(name in GUIDE for name in FORMATS)
    assert set(RECIPES) == {"recipe", "recipe-fixed"}
    assert {name for name, _ in EXAMPLES} >= {
        "generic",
        "recipe",
        "recipe-fixed",
        "beacon",
        "beacon-hourly",
        "aclara",
        "cmep",
        "radix",
    }
