"""Sets everything up beside this file and runs it: `python run.py demo`, `python run.py tests`, `python run.py install`.

Needs only Python 3.11 or newer. The first run makes the folder .venv and installs the versions of requirements.lock
into it, each file checked by its hash, and the command xlbilling; later runs use it as it is until the lock changes.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
MARK = ENVIRONMENT / "installed-lock"
OLDEST = (3, 11)

USE = """\
python run.py demo [FOLDER]        make a sample district in FOLDER (demo) and run its month end to end
python run.py tests [WORDS ...]    run the tests; further words go to pytest
python run.py tests quick          the same without LibreOffice, PostgreSQL and what takes long; few examples
python run.py check                ruff, mypy --strict and the import contract
python run.py install              for staff: the settings by which Excel finds this Python
"""


def main(words: list[str]) -> int:
    """Run what the first word names; 2 where it is none of them."""
    if sys.version_info < OLDEST:
        print(f"This needs Python {OLDEST[0]}.{OLDEST[1]} or newer; {sys.executable} is {sys.version.split()[0]}.")
        return 2
    tasks = {"demo": demo, "tests": tests, "check": check, "install": install}
    if not words or words[0] not in tasks:
        print(USE, end="")
        return 2
    set_up()
    return tasks[words[0]](words[1:])


def demo(words: list[str]) -> int:
    return ran(python(), "-m", "xlbilling", "demo", *(words or ["demo"]))


def tests(words: list[str]) -> int:
    """The whole suite on all cores, the longest first (tests/conftest.py), with the reason of every skipped test.

    `quick` is for a look while working: what drives other programs or takes long stays out.
    """
    chosen = words
    if words[:1] == ["quick"]:
        os.environ["HYPOTHESIS_PROFILE"] = "quick"
        chosen = ["-m", "not libreoffice and not realdata and not slow", "-k", "not postgres", *words[1:]]
    side_by_side = ("-n", "auto", "--maxprocesses", "4", "--dist", "loadfile", "--no-loadscope-reorder")
    alone = words not in ([], ["quick"])
    return ran(python(), "-m", "pytest", "-rs", *(() if alone else side_by_side), *chosen)


def check(words: list[str]) -> int:
    """Style, types and layers; all of them run, the first failure's code is returned."""
    programs = (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy", "--strict", "xlbilling"),
        ("lint-imports",),
    )
    codes = [ran(beside_python(name), *rest, *words) for name, *rest in programs]
    return next((code for code in codes if code), 0)


def install(words: list[str]) -> int:
    """The settings by which Excel finds this Python."""
    return ran(beside_python("xlbilling"), "install", *words)


def set_up() -> None:
    """Make the environment with what the lock names and the command `xlbilling`; stops the run where that fails."""
    install_locked()
    if beside_python("xlbilling").exists():
        return
    # Nothing is fetched: what the package needs is there, and what builds it too.
    if code := pip("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT)):
        raise SystemExit(code)


def install_locked() -> None:
    """Make the environment, or bring it up to the lock."""
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if MARK.exists() and MARK.read_text(encoding="ascii") == wanted and python().exists():
        return
    print(f"Setting up {ENVIRONMENT.name} with Python {sys.version.split()[0]}; this takes a few minutes.", flush=True)
    if not python().exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    if code := pip("--require-hashes", "--requirement", str(LOCK)):
        raise SystemExit(code)
    MARK.write_text(wanted, encoding="ascii")


def pip(*words: str) -> int:
    return ran(python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *words)


def python() -> Path:
    return beside_python("python")


def beside_python(name: str) -> Path:
    """A program of the environment."""
    return ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / (f"{name}.exe" if os.name == "nt" else name)


def ran(*words: str | Path) -> int:
    """Run a program in the project's folder and wait for it; its exit code."""
    return subprocess.run([str(word) for word in words], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
