"""The guide to the checks (docs/reads.md): each of its examples is run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.trade.reads.cycle import NOW, past, read, register, settled
from xlbilling.trade.reads import CHECKS

GUIDE = (Path(__file__).resolve().parents[3] / "docs" / "reads.md").read_text(encoding="utf-8")
TYPED = re.findall(r"```typed (\S+) (.*?)\n(.*?)```", GUIDE, re.DOTALL)
EXAMPLES = re.findall(r"```check ([a-z_]+)\n(.*?)```", GUIDE, re.DOTALL)
OF_REGISTER = {
    "register": "register_id", "last": "previous_read", "dials": "dials", "unit": "unit", "times": "multiplier",
    "route": "route", "master": "master_meter", "was": "previous_code", "actual": "actual_read", "final": "final_read",
}  # fmt: skip
DATES = {"removed": "removed_on", "since": "previous_date", "actual_on": "actual_date"}
OF_READ = {"register": "register_id", "in": "unit", "unit": "unit", "code": "read_code", "time": "read_time"}


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_of_the_guide(name: str, example: str) -> None:
    assert run(example) == example.split("---\n")[1]
    assert example.split("---\n")[1].startswith(f"{name} ")


@pytest.mark.parametrize(("dial", "name", "example"), TYPED)
def test_an_example_of_a_typed_dial(dial: str, name: str, example: str) -> None:
    assert run(example, {name: {"decision": "override", "override_read": dial}}) == example.split("---\n")[1]


def test_the_guide_has_an_example_of_every_check() -> None:
    assert sorted({name for name, _ in EXAMPLES}) == sorted(CHECKS)
    for check in CHECKS.values():
        threshold = f", {check.threshold}" if check.threshold else ""
        assert f"### {check.name} ({check.severity}{threshold})" in GUIDE


def run(example: str, decisions: dict[str, dict[str, str]] | None = None) -> str:
    """What the checks say about an example, and of what is decided: `name severity: fact`, one finding a line."""
    head, *lines = example.split("---\n", maxsplit=1)[0].splitlines()
    titles = head.split()
    cells = [dict(zip(titles, line.split(), strict=True)) for line in lines]
    rows = [{title: "" if cell == "." else cell for title, cell in row.items()} for row in cells]
    registers, reads, history = [], [], []
    for row in rows:
        if row["service"]:
            given: dict[str, Any] = {name: row[title] for title, name in OF_REGISTER.items() if title in row}
            given |= {name: pd.Timestamp(row[title]) for title, name in DATES.items() if row.get(title)}
            given["due"] = row.get("active") != "no"
            if row.get("ends"):
                given |= {"ended": "the service ended", "ends_on": pd.Timestamp(row["ends"])}
            if (row["meter"], row.get("register", "")) not in {(r["meter_id"], r["register_id"]) for r in registers}:
                registers.append(
                    register(row["meter"], row["service"], **given | {"dials": int(given.get("dials", 4))})
                )
            if row.get("usual") and row["service"] not in {bill["service_id"] for bill in history}:
                history += _bills(row)
        if row["read"] or row.get("code"):
            given = {name: row[title] for title, name in OF_READ.items() if row.get(title)}
            given["read_date"] = pd.Timestamp(row["on"]) if row.get("on") else NOW
            reads.append(read(row["read"], row["meter"], **given))
    hours = [
        {"meter_id": r["meter"], "unit": "GAL", "first_hour": "2026-10-06 00:00", "last_hour": "2026-11-05 23:00",
         "hours": 744, "running_hours": int(r["running"]), "least": int(float(r["least"]) * 1_000_000)}
        for r in rows if r.get("running")
    ]  # fmt: skip
    found = settled(registers, reads, history, decisions, intervals=hours).findings
    return "".join(f"{r.exception_id} {r.severity}: {r.fact}\n" for r in found.itertuples())


def _bills(row: dict[str, str]) -> list[dict[str, Any]]:
    """Seven bills of what is usual; the last two of them estimated where the last read was."""
    bills = past(row["service"], used=float(row["usual"]))
    if row.get("was") == "estimated":
        bills = past(row["service"], used=float(row["usual"]), periods=2, code="estimated") + bills[2:]
    return bills
