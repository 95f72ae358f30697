"""The terminal's door: what is typed wrong, asked for help or needs no store brings nothing heavy with it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from xlbilling import __version__

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("pandas", "numpy", "sqlalchemy", "xlwings", "openpyxl", "xlsxwriter", "python_calamine")
SAYS_WHAT_WAS_LOADED = f"""
import atexit, sys
atexit.register(lambda: print("loaded:", *[name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr))
from xlbilling.terminal.main import main
main()
"""


def run(folder: Path, *words: str) -> tuple[int, str, list[str]]:
    """Exit code, what was printed, and which of the heavy packages were loaded on the way."""
    done = subprocess.run(
        [sys.executable, "-c", SAYS_WHAT_WAS_LOADED, *words],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    told, _, loaded = done.stderr.rpartition("loaded:")
    return done.returncode, done.stdout + told, loaded.split()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "Usage"),
        (("--help",), 0, "close-month"),
        (("--version",), 0, f"xlbilling {__version__}\n"),
        (("pots",), 2, "No such command 'pots'"),
        (("post", "--wokrbook", "x"), 2, "No such option"),
        (("build", "--help"), 0, "Build the workbook"),
        (("demo", "--accounts", "120"), 2, "200"),
        (("install",), 0, "Excel"),
        (("doctor",), 4, "billing.db: there is no store here"),
        (("tariff", "price"), 2, "Missing option"),
        (("reads", "parse", "--help"), 0, "rejects"),
        (("rate-study", "p.csv", "--from", "yesterday", "--to", "2026-01-01"), 2, "Invalid value"),
        (("reconcile", "--gl", "export.csv"), 2, "--subledger and --gl go together"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else None,
)
def test_nothing_is_loaded_for_help_and_wrong_words(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    ended, told, loaded = run(tmp_path, *words)
    assert ended == code, told
    assert said in told
    assert loaded == []
    assert list(tmp_path.iterdir()) == []
