"""The documents say what is so: links lead somewhere, commands exist, made pages are current, the tree names no place of its own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.main import get_command

from xlbilling.maker import docs
from xlbilling.maker.templates import PACK
from xlbilling.terminal.commands import app

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _tree() -> list[Path]:
    """The project's own files: those git keeps, or would keep; all but environments and caches where git is absent."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        ).stdout.split("\0")  # fmt: skip
        return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        own = (path for path in ROOT.rglob("*") if path.is_file())
        return [path for path in own if not any(part.startswith(".") or part == "demo" for part in path.parts)]


def _anchors(page: Path) -> set[str]:
    """The headings of a page as links name them: "## Try it" is #try-it."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        there = page.parent / name if name else page
        assert there.exists(), f"{page.name} links to {target}"
        assert not anchor or anchor in _anchors(there), f"{page.name} links to {target}"


def test_links_are_found_at_all() -> None:
    assert len(re.findall(r"\]\(([^)\s]+)\)", README)) > 10
    assert "try-it" in _anchors(ROOT / "README.md")


@pytest.mark.parametrize("name", ["problems.md", "buttons.md", "functions.md"])
def test_made_pages_are_current(name: str) -> None:
    docs.declared_everywhere()
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == docs.docs_pages()[name], (
        "run: python -m xlbilling.maker.docs"
    )


def test_readme_lists_every_command() -> None:
    assert docs.with_commands(README) == README, "run: python -m xlbilling.maker.docs"


def test_readme_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        docs.with_commands(README.replace(docs.COMMANDS_END, ""))


def test_a_bar_in_a_cell_stays_in_its_cell() -> None:
    assert docs.table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |"


def _typed(text: str) -> list[list[str]]:
    """What the page tells people to type: lines of fenced blocks and words in backticks that begin with a program."""
    spans = re.findall(r"`([^`\n]+)`", text) + [line for block in re.findall(r"```\n(.*?)```", text, re.S) for line in block.splitlines()]  # fmt: skip
    return [shlex.split(span, posix=False) for span in spans if re.match(r"(xlbilling|python3?|py) ", span)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_exist(page: Path) -> None:
    known = {name for name, _ in docs.commands()}
    groups = {name.split()[0] for name in known if " " in name}
    groups |= {word for option in get_command(app).params for word in option.opts}
    for words in _typed(page.read_text(encoding="utf-8")):
        if words[0] == "xlbilling":
            name = " ".join(words[1:3]) if words[1] in groups and len(words) > 2 else words[1]
            assert name in known | groups, f"{page.name}: {' '.join(words)}"
        elif words[1] == "-m":
            assert (ROOT / words[2].replace(".", "/")).with_suffix(".py").exists() or words[2] in ("xlbilling",), words
        else:
            assert (ROOT / words[1]).exists(), f"{page.name}: {' '.join(words)}"


def test_the_two_commands_are_in_the_readme() -> None:
    assert ["python3", "run.py", "demo"] in _typed(README)
    assert ["python3", "run.py", "tests"] in _typed(README)


def test_run_says_what_it_can_do() -> None:
    done = subprocess.run([sys.executable, ROOT / "run.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert {line.split()[2] for line in done.stdout.splitlines()} == {"demo", "tests", "check", "install"}


def test_run_needs_no_package() -> None:
    """run.py starts on a bare Python: -S leaves every installed package out."""
    done = subprocess.run([sys.executable, "-S", "-I", ROOT / "run.py", "?"], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (2, b"")


def test_lock_is_hashed_and_names_what_is_declared() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.split(r"^(?=[A-Za-z])", lock, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in package for package in pinned)
    names = {re.split(r"[=\s]", package, maxsplit=1)[0].lower() for package in pinned}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    wanted = {re.split(r"[^A-Za-z0-9-]", name, maxsplit=1)[0].lower() for name in declared}
    assert {"pandas", "xlwings", "pytest"} <= wanted
    assert wanted <= names


# Written in pieces, so that this file does not name what it looks for.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted",
    "/sim" + "ple/",
    "npm" + "js",
    "--index" + "-url ",
    "--extra" + "-index",
]
PLACES = ["/wo" + "rk/", "/ro" + "ot/", "/tmp/" + "venv", "/ho" + "me/", "C:\\Us" + "ers\\", "/Us" + "ers/"]


def test_no_file_names_a_registry_or_a_place_of_one_machine() -> None:
    told = []
    for path in _tree():
        content = path.read_bytes()
        if b"\0" in content[:4096]:
            continue
        text = content.decode("utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), 1):
            told += [f"{path.relative_to(ROOT)}:{number}: {word}" for word in REGISTRIES + PLACES if word in line]
    assert not told


def test_pictures_are_small() -> None:
    pictures = list((ROOT / "docs" / "pictures").glob("*.png"))
    assert pictures
    assert all(picture.stat().st_size < 200_000 for picture in pictures)


def test_design_names_modules_that_exist() -> None:
    """A path or module that the tour and the design speak of is there."""
    for page in ("design.md", "tour.md"):
        text = (ROOT / "docs" / page).read_text(encoding="utf-8")
        for name in re.findall(r"`([a-z_]+/(?:[a-z_/]+\.py)?|[a-z_/]+\.py)(?::[^`]*)?`", text):
            if not (ROOT / "xlbilling" / name).exists() and not (ROOT / name).exists():
                assert list(ROOT.glob(f"xlbilling/**/{name}")), f"{page}: {name}"
        for module, function in re.findall(r"`([a-z_/]+\.py): (\w+)`", text):
            assert re.search(rf"^(def|class) {function}\b", (ROOT / "xlbilling" / module).read_text(), re.M), function
    assert (ROOT / "templates" / PACK).exists()
