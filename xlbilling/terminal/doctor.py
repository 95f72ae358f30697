"""Doctor: is this computer fit for the office? And the settings Excel needs to find this Python."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Final

from rich.console import Console

from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.workbook.file.recalculation import application

UNFIT: Final = declare(
    "computer_unfit",
    "Something this computer needs is missing or wrong.",
    "Do what the line says, then run xlbilling doctor again.",
)
XLWINGS: Final = "0.37.8"
EXCEL_RUNS_ON: Final = ("Windows", "Darwin")
NO_EXCEL_HERE: Final = "Excel runs on Windows and macOS only, so it needs no settings here."
SYNCED: Final = ("onedrive", "dropbox", "google drive", "googledrive", "icloud", "box sync", "nextcloud")
REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afpfs", "webdav", "davfs"})


def doctor(workbook: Path, store: str | None, console: Console) -> int:
    """Look at everything the office needs here; 0 when all is well, 4 when a line says what to mend."""
    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("Python", _python),
        ("xlwings", _xlwings),
        ("xlwings settings", _settings),
        ("Spreadsheet", _spreadsheet),
        ("Workbook", lambda: _workbook(workbook)),
        ("Store", lambda: _store(store or "billing.db")),
    )
    wrong = 0
    for name, look in checks:
        try:
            console.print(f"ok     {name}: {look()}")
        except Refusal as refusal:
            wrong += 1
            console.print(f"mend   {name}: {refusal}")
    return 4 if wrong else 0


def install(console: Console) -> int:
    """Write this user's xlwings settings: the Python to use, and no folder of a workbook on its path.

    Where there is no Excel nothing is written. Refuses a Python whose path Excel could not read in the settings.
    """
    if platform.system() not in EXCEL_RUNS_ON:
        console.print(
            f"{NO_EXCEL_HERE} The commands work on the same workbook: xlbilling --help lists them, xlbilling doctor "
            "says what else this computer needs."
        )
        return 0
    path, content = settings_path(), _encoded(settings_text())
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        shutil.copy2(path, path.with_suffix(".before"))
    path.write_bytes(content)
    console.print(
        f"Wrote {path}. Next: trust the folder of billing.xlsm in Excel (README, Install it for staff), then xlbilling "
        "doctor."
    )
    return 0


def settings_path() -> Path:
    """Where xlwings looks for this user's settings on this system."""
    if platform.system() == "Darwin":
        return Path.home() / "Library/Containers/com.microsoft.Excel/Data/xlwings.conf"
    return Path.home() / ".xlwings" / "xlwings.conf"


def settings_text() -> str:
    """The settings: this interpreter by its full path, and nothing taken from the workbook's own folder."""
    key = "INTERPRETER_MAC" if platform.system() == "Darwin" else "INTERPRETER_WIN"
    rows = {
        key: sys.executable,
        "PYTHONPATH": "",
        "ADD_WORKBOOK_TO_PYTHONPATH": "False",
        "UDF MODULES": "xlbilling.udfs",
        "USE UDF SERVER": "False",
        "SHOW CONSOLE": "False",
    }
    return "".join(f'"{name}","{value}"\n' for name, value in rows.items())


def settings_encoding() -> str:
    """How Excel's VBA reads the settings: in the code page of Windows; of a Mac only plain letters are certain."""
    return locale.getencoding() if platform.system() == "Windows" else "ascii"


def _encoded(settings: str) -> bytes:
    """The settings as Excel reads them."""
    line = "\r\n" if platform.system() == "Windows" else "\n"
    try:
        return settings.replace("\n", line).encode(settings_encoding())
    except UnicodeEncodeError as fault:
        letters = fault.object[fault.start : fault.end]
        raise Refusal(
            UNFIT.at(
                Place(file=str(settings_path())),
                f"Excel cannot read the letters {letters} in the path of this Python, {sys.executable}",
                "Put this folder where the whole path has plain letters only, such as C:\\Billing, and install again.",
            )
        ) from None


def refuse_unsafe_place(path: Path) -> None:
    """Refuse a SQLite store on a network or sync folder: its write-ahead log is not safe there."""
    place = Place(file=path.name)
    text = str(path.resolve()).lower()
    if text.startswith(("\\\\", "//")):
        raise Refusal(UNFIT.at(place, "the store is on a network share", "Put it on a local disk, or use PostgreSQL."))
    synced = next((name for name in SYNCED if name in text), None)
    if synced:
        raise Refusal(
            UNFIT.at(
                place,
                f"the store is in a folder that is synchronised ({synced})",
                "Put it on a local disk outside of it.",
            )
        )
    kind = _file_system(path.resolve())
    if kind in REMOTE:
        raise Refusal(
            UNFIT.at(place, f"the store is on a network disk ({kind})", "Put it on a local disk, or use PostgreSQL.")
        )


def _file_system(path: Path) -> str:
    """The kind of file system a path is on, where the system tells (Linux, and drive letters on Windows)."""
    if platform.system() == "Windows":
        import ctypes  # only there on Windows

        drive = ctypes.windll.kernel32.GetDriveTypeW(f"{path.drive}\\")  # type: ignore[attr-defined]
        return "cifs" if drive == 4 else "local"
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = "", ""
    for line in mounts.read_text(encoding="utf-8").splitlines():
        _, where, sort, *_ = line.split(" ")
        if (str(path) + "/").startswith(where.rstrip("/") + "/") and len(where) > len(best):
            best, kind = where, sort
    return kind


def _python() -> str:
    return f"{platform.python_version()} at {sys.executable}"


def _xlwings() -> str:
    found = metadata.version("xlwings")
    if found != XLWINGS:
        raise Refusal(
            UNFIT.at(
                None, f"xlwings {found} does not fit the workbook's module {XLWINGS}", f"Install xlwings=={XLWINGS}."
            )
        )
    return found


def _settings() -> str:
    if platform.system() not in EXCEL_RUNS_ON:
        return NO_EXCEL_HERE
    path = settings_path()
    if not path.exists():
        raise Refusal(UNFIT.at(Place(file=str(path)), "there are no xlwings settings", "Run xlbilling install."))
    _encoded(settings_text())
    if f'"{sys.executable}"' not in path.read_bytes().decode(settings_encoding(), errors="replace"):
        raise Refusal(UNFIT.at(Place(file=str(path)), "the settings name another Python", "Run xlbilling install."))
    return str(path)


def _spreadsheet() -> str:
    if platform.system() in EXCEL_RUNS_ON:
        return "Excel is asked when a button is pressed"
    found = application()
    if found is None:
        raise Refusal(
            UNFIT.at(
                None, "no LibreOffice was found, so the audit cannot be recalculated here", "Install LibreOffice Calc."
            )
        )
    return f"LibreOffice at {found}"


def _workbook(path: Path) -> str:
    if not path.exists():
        raise Refusal(
            UNFIT.at(Place(file=path.name), "there is no workbook here", "Go to its folder, or run xlbilling build.")
        )
    if not os.access(path, os.W_OK):
        raise Refusal(
            UNFIT.at(Place(file=path.name), "the workbook cannot be written", "Take off its write protection.")
        )
    return str(path)


def _store(text: str) -> str:
    file = text.removeprefix("sqlite:///")
    if "://" not in file:
        refuse_unsafe_place(Path(file))
        if not Path(file).exists():
            raise Refusal(
                UNFIT.at(
                    Place(file=file), "there is no store here", "Go to its folder, or make one: xlbilling convert."
                )
            )
    from xlbilling.store import Store  # only now: the database's libraries take longest to load
    from xlbilling.store.store import store_url

    store = Store.open(store_url(text))
    try:
        accounts = store.value("SELECT COUNT(*) FROM accounts")
        return f"{accounts} accounts on {store.dialect}"
    finally:
        store.close()
