"""Worked bills that a billing lead can read and sign: the YAML cases and the examples of docs/tariffs.md."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from xlbilling.trade.tariffs import price, rate_book
from xlbilling.words.money import dollars

from .schedules import rate, service, table, usage

ROOT = Path(__file__).resolve().parents[3]
CASES = sorted((ROOT / "tests" / "cases" / "tariffs").glob("*.yaml"))
DOCUMENT = ROOT / "docs" / "tariffs.md"


def examples() -> list[Any]:
    """Every case as a pytest parameter; numbers stay text, so that nothing passes through a float."""
    found = [(path.stem, path.read_text(encoding="utf-8")) for path in CASES]
    blocks = re.findall(r"```yaml\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    found += [(f"docs-{number}", block) for number, block in enumerate(blocks, start=1)]
    return [pytest.param(yaml.load(text, Loader=yaml.BaseLoader), id=name) for name, text in found]


def rate_row(given: dict[str, str]) -> dict[str, Any]:
    whole = {name: int(given[name]) for name in ("tier", "position") if name in given}
    dates = {name: dt.date.fromisoformat(given[name]) for name in ("effective_from", "effective_to") if name in given}
    return rate(**(given | whole | dates))


def served(given: dict[str, str]) -> dict[str, Any]:
    after = dt.date.fromisoformat(given.get("after", "2026-03-01"))
    until = dt.date.fromisoformat(given.get("until", "2026-03-31"))
    inputs = {name: text for name, text in given.items() if name not in ("after", "until", "billed", "nominal_days")}
    return service(
        days=(until - after).days,
        service_from=after,
        bill_date=dt.date.fromisoformat(given["billed"]) if "billed" in given else until,
        nominal_days=int(given.get("nominal_days", "0")),
        **inputs,
    )


@pytest.mark.parametrize("case", examples())
def test_worked_bill(case: dict[str, Any]) -> None:
    book, problems = rate_book(table([rate_row(each) for each in case["rates"]]))
    assert problems == []
    for expected in case["bills"]:
        result = price(book, usage([served(expected["service"])]))
        if "refused" in expected:
            assert [problem.code for problem in result.problems] == [expected["refused"]]
            continue
        assert result.problems == []
        printed = [
            [f"{charge} tier {tier}" if tier else charge, dollars(cents), account]
            for charge, tier, cents, account in result.lines[
                ["charge", "tier", "amount_cents", "gl_account"]
            ].itertuples(index=False)
        ]
        # A line is charge and amount, and where the case says so the GL account it posts to.
        told = expected["lines"]
        assert [line[: len(said)] for line, said in zip(printed, told, strict=True)] == told
