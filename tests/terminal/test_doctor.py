"""The settings by which Excel finds Python, written as Excel's VBA reads them, and what doctor says of them."""

from __future__ import annotations

import locale
import platform
import sys
from pathlib import Path

import pytest
from rich.console import Console

from xlbilling.terminal import doctor
from xlbilling.words.problems import Refusal

JOSE = r"D:\Staff\José\Billing\.venv\Scripts\python.exe"


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Makes this computer look like another: its system, its code page, the place of its Python."""

    def looks_like(system: str, code_page: str, executable: str) -> Path:
        monkeypatch.setattr(platform, "system", lambda: system)
        monkeypatch.setattr(locale, "getencoding", lambda: code_page)
        monkeypatch.setattr(sys, "executable", executable)
        monkeypatch.setattr(doctor, "settings_path", lambda: tmp_path / ".xlwings" / "xlwings.conf")
        return tmp_path / ".xlwings" / "xlwings.conf"

    return looks_like


def install() -> str:
    console = Console(record=True, width=200)
    assert doctor.install(console) == 0
    return console.export_text()


def line_of_doctor() -> str:
    return doctor._settings()


@pytest.mark.parametrize(("code_page", "letter"), [("cp1252", b"\xe9"), ("cp1250", b"\xe9"), ("cp850", b"\x82")])
def test_the_settings_are_in_the_code_page_vba_reads(on, code_page: str, letter: bytes) -> None:
    path = on("Windows", code_page, JOSE)
    assert f"Wrote {path}" in install().replace("\n", "")
    content = path.read_bytes()
    assert b"\\Jos" + letter + b"\\Billing" in content
    assert content.decode(code_page).splitlines()[0] == f'"INTERPRETER_WIN","{JOSE}"'
    assert content.count(b"\r\n") == content.count(b"\n") == 6
    assert line_of_doctor() == str(path)


def test_settings_that_vba_reads_as_another_path_are_no_good(on) -> None:
    """What an earlier version wrote: é as two bytes, which VBA reads as two letters."""
    path = on("Windows", "cp1252", JOSE)
    path.parent.mkdir()
    path.write_text(doctor.settings_text(), encoding="utf-8")
    with pytest.raises(Refusal, match="the settings name another Python"):
        line_of_doctor()
    install()
    assert line_of_doctor() == str(path)
    assert path.with_suffix(".before").exists()


@pytest.mark.parametrize(
    ("system", "code_page", "executable", "letters"),
    [
        ("Windows", "cp1252", r"D:\Staff\Łukasz\python.exe", "Ł"),
        ("Windows", "cp1252", r"D:\Staff\太郎\python.exe", "太郎"),
        ("Darwin", "utf-8", "/Staff/josé/python", "é"),
    ],
)
def test_a_path_that_vba_cannot_read_is_said_and_not_written(
    on, system: str, code_page: str, executable: str, letters: str
) -> None:
    path = on(system, code_page, executable)
    with pytest.raises(Refusal, match=f"the letters {letters} in the path") as refused:
        install()
    assert "plain letters only" in str(refused.value)
    assert not path.exists()
    path.parent.mkdir()
    path.write_text(doctor.settings_text(), encoding="utf-8")
    with pytest.raises(Refusal, match=f"the letters {letters} in the path"):
        line_of_doctor()


def test_another_python_with_a_longer_name_is_not_this_one(on) -> None:
    path = on("Windows", "cp1252", r"C:\Billing\python.exe.old")
    install()
    on("Windows", "cp1252", r"C:\Billing\python.exe")
    with pytest.raises(Refusal, match="the settings name another Python"):
        line_of_doctor()
    assert path.exists()


def test_where_there_is_no_excel_nothing_is_written(on) -> None:
    path = on("Linux", "utf-8", "/usr/bin/python3")
    said = install()
    assert said.startswith("Excel runs on Windows and macOS only, so it needs no settings here.")
    assert "trust" not in said
    assert "INTERPRETER" not in said
    assert not path.exists()
    assert line_of_doctor() == doctor.NO_EXCEL_HERE
