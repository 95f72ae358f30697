"""Recalculation: a copy of a workbook worked out by LibreOffice, where it is on this machine, to be read and thrown away."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

SECONDS: Final = 300
_RECALCULATE_ALWAYS: Final = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>3</value></prop></item>
</oor:items>
"""


def application() -> str | None:
    """The spreadsheet application that can recalculate without a window; None where there is none."""
    places = ("soffice", "libreoffice", "/Applications/LibreOffice.app/Contents/MacOS/soffice")
    return next((found for place in places if (found := shutil.which(place))), None)


def recalculated(workbook: Path, folder: Path) -> Path | None:
    """A copy of the workbook with every formula worked out anew, written to `folder`; None where nothing can do it.

    Macros are not run. The copy is for reading values only: it is never given to anybody.
    """
    program = application()
    if program is None:
        return None
    profile, made = folder / "profile", folder / "recalculated"
    (profile / "user").mkdir(parents=True, exist_ok=True)
    (profile / "user" / "registrymodifications.xcu").write_text(_RECALCULATE_ALWAYS, encoding="utf-8")
    order = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--norestore", "--nologo"]
    order += ["--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(made), str(workbook)]
    try:
        subprocess.run(order, check=True, capture_output=True, timeout=SECONDS)
    except (subprocess.SubprocessError, OSError):
        return None
    copy = made / f"{workbook.stem}.xlsx"
    return copy if copy.exists() else None
