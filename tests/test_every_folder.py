"""No folder of tests is passed over when the whole suite runs."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    passed_over = pytestconfig.getini("norecursedirs")
    folders = {path.parent for path in Path(__file__).parent.rglob("test_*.py")}
    assert folders
    assert not [folder for folder in folders for pattern in passed_over if fnmatch(folder.name, pattern)]
