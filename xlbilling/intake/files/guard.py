"""The guard: work on a file from outside runs in a child process with limits on time, memory and writing.

A started `Worker` is used for several files. The child gets its task as JSON and answers with JSON and bytes, so
nothing it sends can run code here. It may not write files (where the system can forbid that), and its own messages
on stderr go nowhere: what the office sees is a `Refusal` in plain words. Works on Windows, where the limit is time.

The time of a file is the processor's, counted from when the modules of the task are loaded: a busy computer reads
slowly and refuses nothing. The clock on the wall only ends what waits for something that never comes.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, Final

from xlbilling.intake.files.source import MEGABYTE, TOO_LARGE, UNREADABLE
from xlbilling.words.problems import Place, Problem, Refusal, declare

TOO_SLOW = declare(
    "file_too_slow",
    "Reading the file is more work than a file of its size should be.",
    "Open it in the program that made it, save it anew and import that; or export fewer rows at a time (one cycle or "
    "one route) and import the parts one by one.",
)
NOT_ANSWERED = declare(
    "file_not_answered",
    "Reading the file did not end: the computer, or the drive the file is on, had no time for it.",
    "Close other programs, copy the file to this computer's own drive and import it again.",
)

Facts = dict[str, Any]
_LENGTH: Final = struct.Struct(">Q")
_START_SECONDS: Final = 300.0
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True)
class Limits:
    """What one task may use: processor seconds for any file, more for each megabyte of it; memory above the idle child.

    On the wall's clock it may take `patience` times as long and a minute: no office waits longer, however busy it is.
    """

    seconds: float = 7.0
    seconds_per_megabyte: float = 5.0
    memory_bytes: int = 640 * MEGABYTE
    patience: float = 10.0
    patience_seconds: float = 60.0

    def seconds_for(self, path: Path) -> float:
        try:
            return self.seconds + self.seconds_per_megabyte * path.stat().st_size / MEGABYTE
        except (OSError, ValueError):
            return self.seconds

    def wall_seconds(self, seconds: float) -> float:
        return self.patience * seconds + self.patience_seconds


class Worker:
    """A child process that reads files from outside, one at a time; replaced by itself when a file brings it down."""

    def __init__(self, limits: Limits | None = None, preload: Sequence[str] = ()) -> None:
        self.limits = limits or Limits()
        self.preload = list(preload)
        self._process: subprocess.Popen[bytes] | None = None
        self._one_at_a_time = threading.Lock()

    def start(self) -> Worker:
        """Start the child now, so that the first file does not wait for it."""
        with self._one_at_a_time:
            self._running()
        return self

    def run(self, task: str, path: Path, **given: Any) -> tuple[Facts, list[bytes]]:
        """Do `task` ("package.module:function") on the file at `path` in the child; `given` must be plain JSON values.

        Raises the `Refusal` that the task raised, or one of its own when the child ran out of time, memory or luck.
        """
        with self._one_at_a_time:
            process = self._running()
            seconds = self.limits.seconds_for(path)
            order = {"task": task, "path": str(path), "given": given, "seconds": seconds}
            answer = self._ask(process, order, seconds)
            if answer is None:
                raise self._fallen(process, path, seconds)
        facts, blobs = answer
        if "refusal" in facts:
            place = Place(**facts["refusal"].pop("place"))
            raise Refusal(Problem(place=place, **facts["refusal"]))
        return facts, blobs

    def close(self) -> None:
        """End the child; the next file starts another."""
        with self._one_at_a_time:
            process, self._process = self._process, None
        if process is not None:
            _end(process)

    def __enter__(self) -> Worker:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = _spawn(self.limits, self.preload)
            if _within(self._process, lambda child: _receive(child.stdout), _START_SECONDS) is None:
                process, self._process = self._process, None
                _end(process)
                raise Refusal(UNREADABLE.at(None, "the reading process could not be started", "Run xlbilling doctor."))
        return self._process

    def _ask(self, process: subprocess.Popen[bytes], order: Facts, seconds: float) -> tuple[Facts, list[bytes]] | None:
        """The child's answer: first that the task's modules are loaded, from when its time counts, then what it read."""

        def begin(child: subprocess.Popen[bytes]) -> tuple[Facts, list[bytes]] | None:
            _send(child.stdin, order, [])
            return _receive(child.stdout)

        answer: tuple[Facts, list[bytes]] | None = _within(process, begin, _START_SECONDS)
        if answer is None or "begun" not in answer[0]:
            return answer
        wall = self.limits.wall_seconds(seconds)
        read: tuple[Facts, list[bytes]] | None = _within(process, lambda child: _receive(child.stdout), wall, seconds)
        return read

    def _fallen(self, process: subprocess.Popen[bytes], path: Path, seconds: float) -> Refusal:
        self._process = None
        _end(process)
        place, ended = Place(file=path.name), getattr(process, "ended_for", "")
        if ended == "wall":
            return Refusal(
                NOT_ANSWERED.at(place, f"after {self.limits.wall_seconds(seconds):.1f} seconds it was not read")
            )
        if ended == "work" or (sys.platform != "win32" and process.returncode == -signal.SIGPROF):
            return Refusal(TOO_SLOW.at(place, f"reading it took more than {seconds:.1f} seconds of the processor"))
        return Refusal(TOO_LARGE.at(place, "reading it needed more memory than allowed, or broke the reader"))


_shared: Worker | None = None
_shared_lock = threading.Lock()


def shared_worker() -> Worker:
    """The worker that this program keeps for files from outside; ended with the program."""
    global _shared  # noqa: PLW0603 - one child for the whole program is the point
    with _shared_lock:
        if _shared is None:
            _shared = Worker()
            atexit.register(_shared.close)
        return _shared


def _within(process: subprocess.Popen[bytes], work: Any, wall: float, processor: float | None = None) -> Any:
    """The result of `work(process)`, or None when the child had to be ended or fell over meanwhile.

    `wall` is seconds of the clock, `processor` those of the child's own work, which it counts itself where the system
    can end it for them (`_counted`); here it is looked at where not.
    """
    done = threading.Event()

    def watch() -> None:
        ends_at = time.monotonic() + wall
        before = _processor_seconds(process) if processor is not None else None
        while (left := ends_at - time.monotonic()) > 0:
            if done.wait(left if before is None else min(left, _LOOK_SECONDS)):
                return
            now = _processor_seconds(process) if before is not None else None
            if now is not None and before is not None and processor is not None and now - before > processor:
                break
        process.ended_for = "wall" if left <= 0 else "work"  # type: ignore[attr-defined]
        process.kill()

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        return work(process)
    except (OSError, ValueError):
        return None
    finally:
        done.set()
        watcher.join()


def _processor_seconds(process: subprocess.Popen[bytes]) -> float | None:
    """The seconds a child's work has taken so far, on Windows; None where the child is ended for them by the system."""
    if sys.platform != "win32":
        return None
    import ctypes  # noqa: PLC0415 - only there

    times = [ctypes.c_uint64() for _ in range(4)]  # created, ended, in the system, its own; in 100 nanoseconds
    handle = ctypes.c_void_p(int(vars(process)["_handle"]))
    if not ctypes.windll.kernel32.GetProcessTimes(handle, *(ctypes.byref(part) for part in times)):
        return None
    return (times[2].value + times[3].value) / 1e7


@contextlib.contextmanager
def _counted(seconds: float) -> Iterator[None]:
    """In the child: its work on one file, ended by the system when it has taken so many seconds of the processor."""
    if sys.platform == "win32":
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _spawn(limits: Limits, preload: list[str]) -> subprocess.Popen[bytes]:
    paths = [entry for entry in sys.path if entry]
    code = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from xlbilling.intake.files import guard; guard.serve()"
    root = str(Path(__file__).resolve().parents[3])
    arguments = [json.dumps([root, *paths]), json.dumps(asdict(limits)), json.dumps(preload)]
    return subprocess.Popen(
        [sys.executable, "-I", "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _send(pipe: IO[bytes] | None, facts: Facts, blobs: Sequence[bytes]) -> None:
    if pipe is None:
        raise OSError("the child has no pipe")
    text = json.dumps(facts).encode("ascii")
    pipe.write(struct.pack(">II", len(text), len(blobs)) + text)
    for blob in blobs:
        pipe.write(_LENGTH.pack(len(blob)))
        pipe.write(blob)
    pipe.flush()


def _receive(pipe: IO[bytes] | None) -> tuple[Facts, list[bytes]] | None:
    if pipe is None:
        return None
    head = pipe.read(8)
    if len(head) < 8:
        return None
    length, count = struct.unpack(">II", head)
    text = pipe.read(length)
    if len(text) < length:
        return None
    blobs = []
    for _ in range(count):
        size = pipe.read(_LENGTH.size)
        if len(size) < _LENGTH.size:
            return None
        blob = pipe.read(_LENGTH.unpack(size)[0])
        blobs.append(blob)
    return json.loads(text), blobs


def serve() -> None:
    """The child's loop: read an order, do it, answer; until the parent closes the pipe."""
    limits = Limits(**json.loads(sys.argv[2]))
    orders, answers = _private_pipes()
    gc.disable()
    for module in json.loads(sys.argv[3]):
        importlib.import_module(module)
    _restrain(limits)
    _send(answers, {"ready": True}, [])
    while (order := _receive(orders)) is not None:
        try:
            facts, blobs = _do(order[0], answers)
            _send(answers, facts, blobs)
        except OSError:
            return
        del facts, blobs
        gc.collect()


def _private_pipes() -> tuple[IO[bytes], IO[bytes]]:
    """The child's own ends of the pipes; stdout is turned away so that no print can garble an answer."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - only there

        for number in (0, 1):
            msvcrt.setmode(number, os.O_BINARY)
    orders = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=MEGABYTE)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    return orders, answers


def _restrain(limits: Limits) -> None:
    """Limit memory, open files and file size (no file may be written) on systems that know such limits."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    now_in_use = 0
    with contextlib.suppress(OSError, ValueError):
        now_in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    ceilings = {"RLIMIT_FSIZE": 0, "RLIMIT_CORE": 0, "RLIMIT_NOFILE": 64}
    if now_in_use:
        ceilings["RLIMIT_AS"] = now_in_use + limits.memory_bytes
    for name, ceiling in ceilings.items():
        with contextlib.suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (ceiling, ceiling))


def _do(order: Facts, answers: IO[bytes]) -> tuple[Facts, list[bytes]]:
    path = Path(order["path"])
    module, _, function = order["task"].partition(":")
    try:
        task = getattr(importlib.import_module(module), function)
        _send(answers, {"begun": True}, [])
        with _counted(order["seconds"]):
            facts, blobs = task(path, **order["given"])
    except Refusal as refusal:
        return _refused(refusal.problem), []
    except (MemoryError, RecursionError):
        problem = TOO_LARGE.at(Place(file=path.name), "reading it needed more memory than allowed")
    except Exception as error:  # whatever a hostile file provokes is an answer, never a traceback
        fact = f"reading it failed ({type(error).__name__})"
        problem = UNREADABLE.at(Place(file=path.name), fact)
    else:
        return facts, blobs
    return _refused(problem), []


def _refused(problem: Problem) -> Facts:
    return {"refusal": asdict(problem)}


@contextlib.contextmanager
def in_this_process() -> Iterator[Worker]:
    """A worker without a child, for tests and tools that look at one file of their own making."""
    yield _Inside()


class _Inside(Worker):
    def run(self, task: str, path: Path, **given: Any) -> tuple[Facts, list[bytes]]:
        module, _, function = task.partition(":")
        facts, blobs = getattr(importlib.import_module(module), function)(path, **given)
        return facts, blobs
