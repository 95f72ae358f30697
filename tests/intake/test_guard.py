"""The guard: whatever a file does to the child, the caller gets an answer or a refusal, and the next file is read."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from xlbilling.intake.files import guard
from xlbilling.intake.files.guard import Limits, Worker
from xlbilling.words.problems import Refusal

HERE = Path(__file__).resolve()


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of tasks that behave as badly as a parser can."""
    (tmp_path / "bad_tasks.py").write_text(
        "import os, sys, time\n"
        "from xlbilling.intake.files.source import UNREADABLE\n"
        "from xlbilling.words.problems import Place, Refusal\n"
        "def good(path, **given): print('noise'); return {'given': given, 'name': path.name}, [b'a\\x00b', b'']\n"
        "def hang(path): time.sleep(60); return {}, []\n"
        "def wait(path): time.sleep(1); return {'waited': True}, []\n"
        "def spin(path):\n    while True: pass\n"
        "def die(path): os._exit(9)\n"
        "def abort(path): os.abort()\n"
        "def swell(path): return {'size': len(bytearray(3_000_000_000))}, []\n"
        "def fail(path): raise KeyError('inner secret')\n"
        "def refuse(path): raise Refusal(UNREADABLE.at(Place(file=path.name, line=3), 'a fact', 'a remedy.'))\n"
        "def write(path): path.write_text('changed'); return {}, []\n"
        "def recurse(path): return recurse(path)\n"
    )
    (tmp_path / "slow_to_load.py").write_text(
        "import time\n"
        "def spend(seconds):\n    until = time.process_time() + seconds\n"
        "    while time.process_time() < until: pass\n"
        "spend(0.5)\n"
        "def work(path): spend(0.2); return {'worked': True}, []\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return "bad_tasks:"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "upload.csv"
    path.write_text("as it was")
    return path


def test_an_answer_comes_back_whole(tasks: str, file: Path) -> None:
    with Worker() as worker:
        facts, blobs = worker.run(tasks + "good", file, year=2026, text="été\n水")
    assert facts == {"given": {"year": 2026, "text": "été\n水"}, "name": "upload.csv"}
    assert blobs == [b"a\x00b", b""]


def test_one_child_serves_several_files(tasks: str, file: Path) -> None:
    with Worker() as worker:
        worker.run(tasks + "good", file)
        first = worker._process
        worker.run(tasks + "good", file)
        assert worker._process is first


@pytest.mark.parametrize(
    ("task", "limits", "code", "fact", "remedy"),
    [
        ("spin", Limits(seconds=0.5), "file_too_slow", "more than 0.5 seconds of the processor", "save it anew"),
        (
            "hang",
            Limits(seconds=0.5, patience=2, patience_seconds=0.5),
            "file_not_answered",
            "after 1.5 seconds it was not read",
            "Close other programs",
        ),
    ],
)
def test_a_task_that_does_not_end_is_refused_with_its_own_remedy(
    tasks: str, file: Path, task: str, limits: Limits, code: str, fact: str, remedy: str
) -> None:
    """Work without an end is ended by the processor's seconds, a wait without an end by the clock: 2 x 0.5 + 0.5."""
    with Worker(limits) as worker:
        with pytest.raises(Refusal) as refusal:
            worker.run(tasks + task, file)
        assert refusal.value.problem.code == code
        assert fact in str(refusal.value)
        assert remedy in str(refusal.value)
        assert worker.run(tasks + "good", file)[0]["name"] == "upload.csv"


def test_waiting_costs_a_small_file_nothing(tasks: str, file: Path) -> None:
    """A busy computer: one second on the wall for a limit of 0.3 of the processor."""
    with Worker(Limits(seconds=0.3)) as worker:
        assert worker.run(tasks + "wait", file)[0] == {"waited": True}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows is asked for the time from outside")
def test_each_file_has_its_own_seconds_and_loading_the_modules_costs_none(tasks: str, file: Path) -> None:
    """Half a second of loading and four files of 0.2 seconds each, where one may take 0.4."""
    with Worker(Limits(seconds=0.4)) as worker:
        for _ in range(4):
            assert worker.run("slow_to_load:work", file)[0] == {"worked": True}


def test_windows_is_asked_for_the_time_the_child_has_worked(
    tasks: str, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system does not end the child, its time is looked at: 10 before the file, 13 after, of 2 allowed."""
    readings = iter([10.0, 10.0, 13.0])
    monkeypatch.setattr(guard, "_processor_seconds", lambda process: next(readings))
    with Worker(Limits(seconds=2)) as worker, pytest.raises(Refusal) as refusal:
        worker.run(tasks + "hang", file)
    assert refusal.value.problem.code == "file_too_slow"


@pytest.mark.parametrize("task", ["die", "abort"])
def test_a_child_that_falls_over_is_replaced(tasks: str, file: Path, task: str) -> None:
    with Worker() as worker:
        with pytest.raises(Refusal):
            worker.run(tasks + task, file)
        assert worker.run(tasks + "good", file)[0]["name"] == "upload.csv"


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited where the system can")
def test_memory_is_limited(tasks: str, file: Path) -> None:
    with Worker() as worker, pytest.raises(Refusal) as refusal:
        worker.run(tasks + "swell", file)
    assert refusal.value.problem.code == "file_too_large"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
def test_the_child_writes_no_file(tasks: str, file: Path) -> None:
    with Worker() as worker, pytest.raises(Refusal):
        worker.run(tasks + "write", file)
    assert file.read_text() in {"as it was", ""}


def test_a_failure_is_told_without_its_inside(tasks: str, file: Path) -> None:
    with Worker() as worker, pytest.raises(Refusal) as refusal:
        worker.run(tasks + "fail", file)
    assert refusal.value.problem.code == "unreadable_file"
    assert "secret" not in str(refusal.value)


def test_endless_recursion_is_refused(tasks: str, file: Path) -> None:
    with Worker() as worker, pytest.raises(Refusal):
        worker.run(tasks + "recurse", file)


def test_a_refusal_keeps_its_place_and_remedy(tasks: str, file: Path) -> None:
    with Worker() as worker, pytest.raises(Refusal) as refusal:
        worker.run(tasks + "refuse", file)
    assert refusal.value.line == "error[unreadable_file]: upload.csv:3: a fact. a remedy."


def test_closing_ends_the_child(tasks: str, file: Path) -> None:
    worker = Worker().start()
    process = worker._process
    assert process is not None
    worker.close()
    assert process.poll() is not None
    assert worker.run(tasks + "good", file)[0]["name"] == "upload.csv"
    worker.close()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_the_time_limit_does_not_open_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert Limits().seconds_for(tmp_path / "pipe") == pytest.approx(Limits().seconds)
