"""The shared samples and hostile uploads through their own scorers, where they are at hand."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SHARED = ROOT / ".." / "shared"
COMMAND = f"{shlex.quote(sys.executable)} -m xlbilling.intake.reads {{file}} --out {{out}} --rejects {{rej}}"
HOME = {**os.environ, "PYTHONPATH": str(ROOT)}


def last_line(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, env=HOME, timeout=1500, check=False
    )
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "formats").is_dir(), reason="the shared samples are not here")
def test_the_format_samples_all_fit() -> None:
    folder = SHARED / "formats"
    told = last_line(str(folder / "score.py"), COMMAND + " --format auto", str(folder / "dev"))
    assert told == "score: rows 101297/101297 rejects 168/168 files 37/37"


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "hostile").is_dir(), reason="the shared hostile uploads are not here")
@pytest.mark.skipif(sys.platform != "linux", reason="their scorer needs Linux")
def test_the_hostile_uploads_all_come_out_right() -> None:
    folder = SHARED / "hostile"
    told = last_line(str(folder / "score.py"), str(folder / "dev"), "--cmd", COMMAND + " --format generic --map {map}")
    assert told == "score: ok 86/86 crash 0 hang 0 oom 0 silent 0"
