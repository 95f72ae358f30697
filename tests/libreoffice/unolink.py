"""Loads LibreOffice's Python bridge (uno, unohelper, pyuno) from the system's Python into this one."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from functools import cache
from types import ModuleType

_WHERE = "import uno, unohelper, pyuno; print(pyuno.__file__, uno.__file__, unohelper.__file__, sep='\\n')"
_CANDIDATES = ("/usr/bin/python3", "/usr/local/bin/python3", "python3")


class NoLibreOffice(ImportError):
    """LibreOffice or its Python bridge is not installed here."""


@cache
def load_uno() -> ModuleType:
    """The module `uno`; only its three files are taken, nothing else of the system's Python."""
    if "uno" not in sys.modules:
        for name, path in zip(("pyuno", "uno", "unohelper"), _files(), strict=True):
            spec = importlib.util.spec_from_file_location(name, path)
            if spec is None or spec.loader is None:
                raise NoLibreOffice(f"{path} cannot be loaded")
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            try:
                spec.loader.exec_module(module)
            except ImportError as error:
                raise NoLibreOffice(f"{path} is for another Python: {error}") from error
    return sys.modules["uno"]


def _files() -> list[str]:
    for python in _CANDIDATES:
        if path := shutil.which(python):
            done = subprocess.run([path, "-c", _WHERE], capture_output=True, text=True, timeout=60, check=False)
            if done.returncode == 0:
                return done.stdout.split()
    raise NoLibreOffice("no python3 of this system has the module uno (Debian: apt install python3-uno)")


def find_soffice() -> str:
    """The LibreOffice program."""
    for name in ("soffice", "libreoffice"):
        if path := shutil.which(name):
            return path
    raise NoLibreOffice("soffice is not installed (Debian: apt install libreoffice-calc)")
