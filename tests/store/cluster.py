"""A PostgreSQL cluster for one test session, from the server binaries of the machine, on a socket of its own."""

from __future__ import annotations

import atexit
import contextlib
import getpass
import itertools
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Final

import pytest

WANTED: Final = os.environ.get("XLBILLING_CI") == "1"
_PLACES: Final = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt", "/usr/local/opt")
_IS_ROOT: Final = hasattr(os, "geteuid") and os.geteuid() == 0
_names = itertools.count(1)


class Cluster:
    """A running server that only this session uses; each test gets a database of its own."""

    def __init__(self, binaries: Path):
        self._binaries = binaries
        self.folder = Path(tempfile.mkdtemp(prefix="xlbilling-pg-"))
        self._user = _unprivileged()
        if _IS_ROOT:
            shutil.chown(self.folder, self._user)
        data = self.folder / "data"
        self._run("initdb", "-D", data, "-U", "billing", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        options = (
            f"-c listen_addresses='' -c unix_socket_directories='{self.folder}' -c fsync=off -c shared_buffers=32MB"
        )
        self._run("pg_ctl", "-D", data, "-w", "-l", self.folder / "log", "-o", options, "start")

    def database(self, like: str = "") -> str:
        """The URL of a fresh database, empty or a copy of another one's."""
        name = f"billing{next(_names)}"
        self._run("createdb", "-h", self.folder, "-U", "billing", *(["-T", like.split("/")[3].split("?", maxsplit=1)[0]] if like else []), name)  # fmt: skip
        return f"postgresql://billing@/{name}?host={self.folder}"

    def drop(self, url: str) -> None:
        name = url.split("/")[3].split("?", maxsplit=1)[0]
        self._run("dropdb", "-f", "-h", self.folder, "-U", "billing", name)

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-D", self.folder / "data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *words: object) -> None:
        command = [str(self._binaries / program), *(str(word) for word in words)]
        if _IS_ROOT:  # the server refuses to run as root
            command = ["setpriv", f"--reuid={self._user}", f"--regid={self._user}", "--clear-groups", *command]
        done = subprocess.run(
            command, check=False, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )  # fmt: skip
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, stderr=done.stderr)


@cache
def cluster() -> Cluster:
    """The session's cluster; skips where no server is installed, fails where the machine is meant to have one."""
    binaries = _binaries()
    if binaries is None:
        told = "PostgreSQL's server programs (initdb, pg_ctl) are not installed here"
        pytest.fail(told) if WANTED else pytest.skip(told)
    made = Cluster(binaries)
    atexit.register(made.stop)
    return made


def _binaries() -> Path | None:
    """The folder of the newest server's programs."""
    beside = [path for place in _PLACES for path in Path(place).glob("*/bin/initdb")]
    found = sorted(beside, key=lambda path: [int(n) for n in path.parts if n.isdecimal()])
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged() -> str:
    """The user the server runs as: whoever runs the tests, and never root."""
    if not _IS_ROOT:
        return getpass.getuser()
    import pwd  # not on Windows, where nobody is root

    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return "nobody"
