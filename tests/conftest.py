"""Properties run on the profile of tests/examples.py.

Where the tests run with everything they need (XLBILLING_CI=1), a skipped test is a failed one.

The one exception is the folder of real files beside the checkout: it is not part of the project and may be absent.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

import tests.examples  # noqa: F401  (loads the profile before any property is declared)

TESTS: Final = Path(__file__).resolve().parent
# Processes that tests start find the package too, from whichever folder the tests are run.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TESTS.parent), os.environ.get("PYTHONPATH", ""))))
EVERYTHING_IS_HERE = os.environ.get("XLBILLING_CI") == "1"
REAL_FILES_ARE_HERE = (Path(__file__).resolve().parents[2] / "shared").is_dir()

# Side by side, a file stays with one worker (--dist loadfile). The longest begin first; the office fills the end.
LONG: Final = ("libreoffice", "realdata", "demo", "trade", "intake", "workbook")
LAST: Final = ("office",)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The order of a run on several workers."""
    if not hasattr(config, "workerinput"):
        return
    order = {folder: place for place, folder in enumerate(LONG)}
    items.sort(key=lambda item: order.get(_folder(item), len(LONG) + (_folder(item) in LAST)))


def _folder(item: pytest.Item) -> str:
    """The folder of tests/ an item's file is in."""
    return item.path.relative_to(TESTS).parts[0]


def _must_run(report: pytest.TestReport | pytest.CollectReport) -> bool:
    """True for a skip, expected failures aside, that this machine gives no reason for."""
    reason = str(report.longrepr).lower()
    absent = not REAL_FILES_ARE_HERE and ("real" in reason or "shared" in reason)
    return EVERYTHING_IS_HERE and report.skipped and not hasattr(report, "wasxfail") and not absent


def _failed(report: Any) -> Any:
    report.outcome = "failed"
    report.longrepr = f"skipped where every test must run: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return _failed(report) if _must_run(report) else report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    return _failed(report) if _must_run(report) else report
