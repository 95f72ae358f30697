"""The package as pip installs it: nothing of the checkout is near, and a district's month runs in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from xlbilling import __version__
from xlbilling.papers.template import template_file

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = {path.name for path in (ROOT / "templates").glob("*.xlsx")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what goes into it."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    for name in ("xlbilling", "templates"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source / name)
    pip("wheel", "--no-build-isolation", "--wheel-dir", folder, source)
    assert not (source / "build").exists(), "what is left behind would go into the next wheel"
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment with the wheel, and what it needs lent by the environment of the tests."""
    environment = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    own = outcome_of(programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    lent = next(path for path in sys.path if (Path(path) / "pandas").is_dir())
    (Path(own) / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")
    pip("--python", programs / "python", "install", "--force-reinstall", wheel)
    return programs


def pip(*words: str | Path) -> None:
    """pip without a network: `--python` goes before the command, what keeps it at home after it."""
    before = words[:2] if words[0] == "--python" else ()
    command, *rest = words[len(before) :]
    home = ("--no-deps", "--no-index", "--quiet", "--disable-pip-version-check")
    subprocess.run([sys.executable, "-m", "pip", *before, command, *home, *rest], check=True)


def outcome_of(program: Path, *words: str, folder: Path | None = None) -> str:
    """What a program prints that ends well; it sees neither the checkout nor any other program."""
    alone = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PATH")}
    done = subprocess.run(
        [program, *words], cwd=folder, env=alone | {"PATH": str(program.parent), "COLUMNS": "300"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_holds_the_package_and_its_templates_and_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    source = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("xlbilling/**/*.py")} | {"xlbilling/py.typed"}
    assert {name for name in names if ".dist-info/" not in name} == source | {
        f"xlbilling/templates/{t}" for t in TEMPLATES
    }
    assert {path.name for path in (ROOT / "templates").iterdir()} == TEMPLATES


def test_installed_anywhere_the_demo_runs_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    command = installed / "xlbilling"
    assert outcome_of(command, "--version").strip() == f"xlbilling {__version__}"
    said = outcome_of(command, "demo", "--accounts", "200", folder=tmp_path)
    assert "Verify: balanced, chained, gapless, sealed" in said
    assert "Go on in that folder from the terminal: xlbilling explain B0000001" in said
    assert {"report-pack-2026-10.xlsx", "close-packet-2026-10.xlsx"} <= {
        path.name for path in (tmp_path / "demo").iterdir()
    }
    assert "Sum of the lines" in outcome_of(command, "explain", "B0000001", folder=tmp_path / "demo")


def test_in_the_checkout_the_templates_are_the_ones_beside_the_package() -> None:
    assert {template_file(name, None) for name in TEMPLATES} == set((ROOT / "templates").iterdir())


def test_the_offices_own_template_goes_first(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    own = tmp_path / "templates" / "report-pack.xlsx"
    own.write_bytes(b"own")
    assert template_file("report-pack.xlsx", tmp_path) == own
    assert template_file("close-packet.xlsx", tmp_path) == ROOT / "templates" / "close-packet.xlsx"


def test_the_version_is_the_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == __version__
