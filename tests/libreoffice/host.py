"""LibreOffice as the spreadsheet application of the tests: opens a built workbook, presses its buttons, recalculates.

Only xlwings' Windows-only VBA runtime is exchanged, in memory, for one that calls this Python process; the workbook's
own callbacks and function wrappers run as they are. Every step has a time limit: when it is over, LibreOffice is ended
and the step fails.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import types
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import unohelper
import xlwings as xw
from com.sun.star.connection import NoConnectException
from com.sun.star.script import ModuleInfo
from com.sun.star.sheet import XFunctionAccess
from com.sun.star.uno import Exception as UnoException
from com.sun.star.uno import RuntimeException
from xlwings import conversion

from tests.libreoffice import engine
from tests.libreoffice.engine import Book, Range, properties, uno
from tests.libreoffice.unolink import find_soffice

START_SECONDS, STEP_SECONDS = 90, 60
COMPILED = 4711
BLANK = "Option VBASupport 1\n"

PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting">
<prop oor:name="MacroSecurityLevel" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Misc">
<prop oor:name="UseDocumentOOoLockFile" oor:op="fuse"><value>false</value></prop></item>
</oor:items>
"""

# LibreOffice 7.4 makes a text of what a function returns by CVErr. In its place, and only in memory, stands ExcelError,
# which gives the not-a-number that LibreOffice itself keeps for an error: xlErrValue (2015) is its error 519.
ERROR_CODES = {2000: 521, 2007: 532, 2015: 519, 2023: 524, 2029: 525, 2036: 503, 2042: 32767}

# RunPython and XLPy with the same names as in xlwings' module; CallUDF's arrays come back row by row over the bridge.
RUNTIME = """Rem Attribute VBA_ModuleType=VBAModule
Option VBASupport 1
Public gBridge As Object
Public gPy As Object
Public Sub SetBridge(bridge As Object)
  Set gBridge = bridge
  Set gPy = New PyRuntime
End Sub
Public Function RunPython(command)
  RunPython = gBridge.callFunction("RunPython", Array(command))
End Function
Public Function XLPy() As Object
  Set XLPy = gPy
End Function
Public Function ExcelError(code)
  ExcelError = gBridge.callFunction("ExcelError", Array(code))
End Function
Public Function CallPython(moduleName, functionName, args)
  Dim answer, cells(), i, j
  answer = gBridge.callFunction("CallUDF", Array(moduleName, functionName, args))
  If IsArray(answer) Then
    ReDim cells(UBound(answer), UBound(answer(0)))
    For i = 0 To UBound(answer)
      For j = 0 To UBound(answer(0))
        cells(i, j) = answer(i)(j)
      Next j
    Next i
    CallPython = cells
  Else
    CallPython = answer
  End If
End Function
"""
RUNTIME_CLASS = """Rem Attribute VBA_ModuleType=VBAClassModule
Option VBASupport 1
Option ClassModule
Public Function CallUDF(moduleName, functionName, args, Optional book, Optional caller)
  CallUDF = CallPython(moduleName, functionName, args)
End Function
"""


class HostError(Exception):
    """A step in LibreOffice failed or took too long."""


class BridgeError(HostError):
    """LibreOffice answered a call with an error of its own."""


class Limit:
    """A time limit around one step; errors of the bridge come out as BridgeError, which Python can handle.

    (A UNO exception takes no traceback, so no generator may stand between it and the test.)
    """

    def __init__(self, step: str, seconds: float, end: Callable[[], None]) -> None:
        self.step, self.seconds, self._end = step, seconds, end
        self._over = threading.Event()
        self._timer = threading.Timer(seconds, self._run_out)
        self._timer.daemon = True

    def _run_out(self) -> None:
        self._over.set()
        self._end()

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, kind: Any, error: Any, _: Any) -> None:
        self._timer.cancel()
        if self._over.is_set():
            raise HostError(f"{self.step} took longer than {self.seconds} s") from None
        if isinstance(error, UnoException):
            raise BridgeError(f"{self.step}: {error}") from None


class LibreOfficeHost:
    """A LibreOffice of its own: own profile, own pipe, no window. Use it as a context manager."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="libreoffice-"))
        self.process: subprocess.Popen[bytes] | None = None
        self.app: engine.App | None = None

    def __enter__(self) -> LibreOfficeHost:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        user = self.folder / "profile" / "user"
        user.mkdir(parents=True)
        (user / "registrymodifications.xcu").write_text(PROFILE)
        pipe = f"xlbilling{uuid.uuid4().hex}"
        self.process = subprocess.Popen(
            [
                find_soffice(),
                f"-env:UserInstallation={(self.folder / 'profile').as_uri()}",
                *("--headless", "--norestore", "--nologo", "--nodefault", "--nolockcheck"),
                f"--accept=pipe,name={pipe};urp;StarOffice.ComponentContext",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            desktop = self._connect(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except BaseException:
            self.stop()
            raise
        self.app = engine.ENGINE.apps.connect(desktop, self.process.pid)
        xw.engines["libreoffice"].activate()

    def _connect(self, url: str) -> Any:
        local = uno.getComponentContext()
        resolver = local.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", local)
        end = time.monotonic() + START_SECONDS
        while True:
            assert self.process is not None
            if self.process.poll() is not None:
                raise HostError(f"soffice ended with code {self.process.returncode} instead of starting")
            with self.limit("connecting"), contextlib.suppress(NoConnectException):
                context = resolver.resolve(url)
                return context.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", context)
            if time.monotonic() > end:
                raise HostError(f"soffice did not start within {START_SECONDS} s")
            time.sleep(0.1)

    def limit(self, step: str, seconds: float = STEP_SECONDS) -> Limit:
        """Ends LibreOffice when the step takes longer: a call that waits on it then fails instead of hanging."""
        return Limit(step, seconds, self._kill)

    def _kill(self) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def stop(self) -> None:
        """Ask LibreOffice to end, make it end, remove its profile."""
        if self.app is not None:
            engine.ENGINE.apps.forget(self.app)
            with contextlib.suppress(HostError), self.limit("stopping", 10):
                self.app.desktop.terminate()
            self.app = None
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
            self._kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(10)
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def open(self, path: Path) -> OpenWorkbook:
        """Open a workbook; the file itself is never written to unless it is saved."""
        with self.limit(f"opening {path.name}"):
            return OpenWorkbook(self, path)


class Bridge(unohelper.Base, XFunctionAccess):
    """What the VBA runtime calls: Python commands and functions; errors are kept for the test and handed to VBA."""

    def __init__(self) -> None:
        self.commands: list[str] = []
        self.function_calls: list[str] = []
        self.errors: list[str] = []

    def callFunction(self, name: str, params: Any) -> Any:
        try:
            if name == "RunPython":
                self.commands.append(params[0])
                exec(params[0], {})
                return 0
            if name == "ExcelError":
                return struct.unpack("<d", struct.pack("<Q", 0x7FF8 << 48 | ERROR_CODES[int(params[0])]))[0]
            return self._function(*params)
        except Exception as error:
            self.errors.append(traceback.format_exc())
            raise RuntimeException(f"{type(error).__name__}: {error}", None) from error

    def _function(self, module: str, name: str, args: Any) -> Any:
        """A function called as xlwings' server on Windows calls it, with its converters."""
        self.function_calls.append(name)
        function = getattr(decorated(module), name)
        declared = function.__xlfunc__
        values = []
        for value, argument in zip(args, declared["args"], strict=False):
            cells = _cells(value)
            if cells is None and "optional" in argument:
                values.append(argument["optional"])
                continue
            values.append(conversion.read(None, cells, argument["options"], engine_name="libreoffice"))
        answer = conversion.write(function(*values), None, declared["ret"]["options"], engine_name="libreoffice")
        if not isinstance(answer, list | tuple):
            return answer
        rows = tuple(tuple("" if cell is None else cell for cell in row) for row in answer)
        return rows[0][0] if len(rows) == 1 and len(rows[0]) == 1 else rows


def _cells(value: Any) -> list[list[Any]] | None:
    """An argument's cells: a range hands itself over as an object with Value, a missing argument as nothing."""
    if value is not None and not isinstance(value, float | int | str | bool | tuple):
        if not hasattr(value, "Value"):
            return None
        value = value.Value
        value = getattr(value, "Array", value)
    if value is None:
        return None
    rows = value if isinstance(value, tuple) and value and isinstance(value[0], tuple) else ((value,),)
    return [list(row) for row in rows]


_DECORATED: dict[str, types.ModuleType] = {}


def decorated(name: str) -> types.ModuleType:
    """A copy of module `name` loaded with xlwings' decorators of Windows, which keep each function's declaration."""
    if name not in _DECORATED:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise ImportError(name)
        spec = importlib.util.spec_from_file_location(f"{name}__in_cells", found.origin)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with _windows_decorators():
            spec.loader.exec_module(module)
        _DECORATED[name] = module
    return _DECORATED[name]


@contextmanager
def _windows_decorators() -> Iterator[None]:
    """xlwings' real `func`, `arg` and `ret`; off Windows the package has empty ones."""
    stubs = {name: types.ModuleType(name) for name in _PYWIN32 if name not in sys.modules}
    sys.modules.update(stubs)
    sys.modules["win32com.client"].Dispatch = object  # type: ignore[attr-defined]
    sys.modules["pythoncom"].CoInitialize = lambda: None  # type: ignore[attr-defined]
    sys.modules["pywintypes"].com_error = OSError  # type: ignore[attr-defined]
    before = {name: getattr(xw, name) for name in ("func", "arg", "ret", "sub")}
    try:
        udfs = importlib.import_module("xlwings.udfs")
        xw.func, xw.arg, xw.ret, xw.sub = udfs.xlfunc, udfs.xlarg, udfs.xlret, udfs.xlsub
        yield
    finally:
        for name, value in before.items():
            setattr(xw, name, value)
        for name in stubs:
            sys.modules.pop(name, None)


_PYWIN32 = (
    "pythoncom",
    "pywintypes",
    "win32com",
    "win32com.client",
    "win32com.server",
    "win32com.server.util",
)


class OpenWorkbook:
    """A workbook open in LibreOffice: `book` is the xlwings Book that the code under test works on."""

    def __init__(self, host: LibreOfficeHost, path: Path) -> None:
        self.host, self.path, self.bridge = host, path, Bridge()
        self.book = xw.Book(str(path))
        self._impl: Book = self.book.impl
        self.doc = self._impl.doc
        libraries = self.doc.BasicLibraries
        name = libraries.ProjectName
        self.library = libraries.getByName(name) if name and libraries.hasByName(name) else None
        self.buttons = ribbon_buttons(path)
        self.book.set_mock_caller()
        self.macros = self.library is not None and bool(self._own_modules())
        if self.macros:
            self._exchange_runtime()

    def _own_modules(self) -> list[str]:
        runtime = {"xlwings", "Dictionary", "PyRuntime"}
        return [name for name in self.library.ElementNames if name not in runtime]

    def _exchange_runtime(self) -> None:
        library = self.library
        for name in ("xlwings", "Dictionary", "PyRuntime"):
            if library.hasByName(name):
                library.removeByName(name)
        library.insertByName("xlwings", RUNTIME)
        info = ModuleInfo()
        info.ModuleType = 2  # com.sun.star.script.ModuleType.CLASS
        if library.hasModuleInfo("PyRuntime"):
            library.removeModuleInfo("PyRuntime")
        library.insertModuleInfo("PyRuntime", info)
        library.insertByName("PyRuntime", RUNTIME_CLASS)
        for name in self._own_modules():
            text = library.getByName(name)
            if "CVErr(" in text:
                library.replaceByName(name, text.replace("CVErr(", "ExcelError("))
        self.run("xlwings.SetBridge", self.bridge)

    def run(self, macro: str, *args: Any) -> Any:
        """Run Module.Sub."""
        with self.host.limit(macro):
            return self._impl.run_macro(macro, args)

    def press(self, button: str) -> None:
        """Press a ribbon button by its id or label; a Python error comes out as HostError with its traceback."""
        callbacks = {key: call for ids, call in self.buttons.items() for key in ids}
        if button not in callbacks:
            raise HostError(f"the ribbon has no button {button!r}: {sorted(callbacks)}")
        before = len(self.bridge.commands)
        errors = len(self.bridge.errors)
        module = self._module_of(callbacks[button])
        with contextlib.suppress(BridgeError):  # the bridge keeps what went wrong in Python
            self.run(f"{module}.{callbacks[button]}", self.bridge)  # the control must be an object; any will do
        if len(self.bridge.errors) > errors:
            raise HostError(self.bridge.errors[-1])
        if len(self.bridge.commands) == before:
            raise HostError(f"{button}: its callback never reached Python; LibreOffice tells no VBA error")

    def _module_of(self, sub: str) -> str:
        for name in self._own_modules():
            if re.search(rf"(?im)^\s*(?:Public\s+)?Sub\s+{sub}\b", self.library.getByName(name)):
                return name
        raise HostError(f"no VBA module has the sub {sub} that the ribbon calls")

    def modules_that_do_not_compile(self) -> list[str]:
        """The names of the workbook's VBA modules whose syntax LibreOffice cannot read.

        It tells no error, and one bad module stops them all: so each is tried with all others blank, by calling a
        function put into it. Undeclared names go unnoticed.
        """
        with self.host.limit("compiling"):
            texts = {name: self.library.getByName(name) for name in self._own_modules()}
            for name in texts:
                self.library.replaceByName(name, BLANK)
        wrong = [name for name, text in texts.items() if not self._compiles(name, text)]
        with self.host.limit("compiling"):
            for name, text in texts.items():
                self.library.replaceByName(name, text)
        self._exchange_runtime()  # replacing modules has set all variables back
        return wrong

    def _compiles(self, name: str, text: str) -> bool:
        answer, probe = None, f"\nPublic Function CompileProbe()\n  CompileProbe = {COMPILED}\nEnd Function\n"
        with self.host.limit("compiling"):
            self.library.replaceByName(name, text + probe)
        with contextlib.suppress(BridgeError):
            answer = self.run(f"{name}.CompileProbe")
        with self.host.limit("compiling"):
            self.library.replaceByName(name, BLANK)
        return bool(answer == COMPILED)

    def recalculate(self) -> None:
        """Compute every formula anew, functions in VBA too."""
        with self.host.limit("recalculating", 4 * STEP_SECONDS):
            self.doc.calculateAll()

    def value(self, sheet: str, cells: str) -> Any:
        """Values as xlwings gives them; errors as their text."""
        with self.host.limit("reading"):
            return self.book.sheets[sheet].range(cells).options(err_to_str=True).value

    def error(self, sheet: str, cell: str) -> int:
        """LibreOffice's error code of a cell, 0 for none: a real error, not a text that looks like one."""
        with self.host.limit("reading"):
            return int(self._impl.sheets(sheet).sheet.getCellRangeByName(cell).getError())

    def errors(self) -> dict[str, int]:
        """Every cell that shows an error: "Sheet!A1" -> code."""
        found: dict[str, int] = {}
        with self.host.limit("reading"):
            for sheet in self._impl.sheets:
                whole = sheet.used_range
                for row, column in whole._found(whole.area.queryFormulaCells(engine.ANY_ERROR)):
                    cell = Range(sheet, (row + 1, column + 1))
                    address = cell.address.replace("$", "")
                    found[f"{sheet.name}!{address}"] = int(cell.area.getCellByPosition(0, 0).getError())
        return found

    def to_pdf(self, target: Path) -> Path:
        """Print the whole workbook to a PDF file."""
        with self.host.limit("printing", 2 * STEP_SECONDS):
            self._impl.to_pdf(str(target))
        return target

    def to_png(self, folder: Path, pixels_per_inch: int = 70) -> list[Path]:
        """A picture of every printed page, in order (needs pdftoppm of poppler)."""
        pdf = self.to_pdf(folder / "pages.pdf")
        command = ["pdftoppm", "-png", "-r", str(pixels_per_inch), str(pdf), str(folder / "page")]
        subprocess.run(command, check=True, timeout=2 * STEP_SECONDS, capture_output=True)
        return sorted(folder.glob("page*.png"))

    def save_copy(self, target: Path) -> Path:
        """A copy as LibreOffice writes it, to look at; never to be shipped."""
        with self.host.limit("saving"):
            kind = engine.FILTERS[target.suffix]
            self.doc.storeToURL(target.absolute().as_uri(), properties(FilterName=kind))
        return target

    def close(self) -> None:
        with contextlib.suppress(HostError), self.host.limit("closing", 20):
            self.book.close()

    def __enter__(self) -> OpenWorkbook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def ribbon_buttons(path: Path) -> dict[tuple[str, str, str], str]:
    """(id in the ribbon, id, label) of each button in the file's customUI part -> the VBA sub it calls."""
    with zipfile.ZipFile(path) as file:
        parts = [name for name in file.namelist() if name.startswith("customUI/") and name.endswith(".xml")]
        if not parts:
            return {}
        root = ElementTree.fromstring(file.read(parts[0]))
    buttons = (element for element in root.iter() if element.get("onAction"))
    return {
        (b.get("id", ""), b.get("id", "").removeprefix("btn_"), b.get("label", "")): b.get("onAction", "")
        for b in buttons
    }
