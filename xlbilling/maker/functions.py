"""The VBA behind the Excel functions: wrappers that call Python, help for the function wizard, xlwings' runtime."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xlwings

from xlbilling.maker.vba import Module

MODULE: Final = "BillingFunctions"
CATEGORY: Final = "Billing"
LONGEST_HELP: Final = 255  # Application.MacroOptions fails on longer texts

WORKBOOK_OPEN: Final = """\
Option Explicit

Private Sub Workbook_Open()
    On Error Resume Next
    DescribeFunctions
End Sub
"""
"""ThisWorkbook's code: describes the functions to the wizard, and never stops the workbook from opening."""


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an Excel function, with its line in the function wizard."""

    name: str
    help: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """An Excel function: its name in cells, the Python function behind it, its arguments and its help.

    The Python function carries xlwings' `func` decorator. `is_array` says that it is made for whole columns at once.
    """

    name: str
    python_module: str
    python_function: str
    args: tuple[Argument, ...]
    help: str
    is_array: bool = False


def functions_module(functions: Sequence[Function]) -> Module:
    """The wrappers of all `functions`, and the sub that describes them.

    A Python error becomes the cell's #VALUE!: xlwings' own wrapper gives the error as text, which SUM skips.
    Raises ValueError for names VBA or Excel would not take and for help longer than 255 characters.
    """
    _check(functions)
    return Module(MODULE, "\n".join(["Option Explicit", "", *map(_wrapper, functions), _describer(functions)]))


def _check(functions: Sequence[Function]) -> None:
    names = [function.name.casefold() for function in functions]
    for function in functions:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", function.name) or names.count(function.name.casefold()) > 1:
            raise ValueError(f"{function.name!r} is used twice or is no name for a function")
        if re.fullmatch(r"[A-Za-z]{1,3}[0-9]+", function.name):
            raise ValueError(f"{function.name!r} is a cell")
        optional = [argument.optional for argument in function.args]
        if optional != sorted(optional):
            raise ValueError(f"{function.name}: optional arguments come last")
        for text in (function.help, *(argument.help for argument in function.args)):
            if not 0 < len(text) <= LONGEST_HELP:
                raise ValueError(f"{function.name}: help is 1 to {LONGEST_HELP} characters: {text!r}")


def _wrapper(function: Function) -> str:
    name = function.name
    declared = ", ".join(("Optional " if a.optional else "") + a.name for a in function.args)
    handed = f"Array({', '.join(a.name for a in function.args)})"
    call = f"XLPy.CallUDF({_text(function.python_module)}, {_text(function.python_function)}, {handed}, _"
    return "\n".join(
        [
            f"Public Function {name}({declared})",
            "    On Error GoTo failed",
            f"    {name} = {call}",
            "        ThisWorkbook, Application.Caller)",
            "    Exit Function",
            "failed:",
            f"    {name} = CVErr(xlErrValue)",
            "End Function",
            "",
        ]
    )


def _describer(functions: Iterable[Function]) -> str:
    """The sub that gives the wizard its texts; other programs and old versions lack the call and are left in peace."""
    lines = ["Public Sub DescribeFunctions()", "    On Error Resume Next", "    #If Mac Then", "        Exit Sub"]
    lines += ["    #End If", "    If Val(Application.Version) < 14 Then Exit Sub"]
    for function in functions:
        helps = ", _\n            ".join(_text(argument.help) for argument in function.args)
        described = f", _\n        ArgumentDescriptions:=Array( _\n            {helps})" if function.args else ""
        lines.append(
            f"    Application.MacroOptions Macro:={_text(function.name)}, Category:={_text(CATEGORY)}, _\n"
            f"        Description:={_text(function.help)}{described}"
        )
    lines += ["    ThisWorkbook.Saved = True", "End Sub", ""]
    return "\n".join(lines)


def _text(value: str) -> str:
    return '"' + value.replace('"', '""').replace("\n", " ") + '"'


def embedded_xlwings() -> list[Module]:
    """xlwings' VBA runtime as the installed package has it, so that no add-in is needed.

    The licences stand at the top of each module and stay: BSD for xlwings, MIT for Dictionary. Raises ValueError when
    the runtime is of another version than the package, which would fail in Excel.
    """
    package = Path(xlwings.__file__).parent
    runtime = (package / "xlwings.bas").read_text(encoding="cp1252")
    dictionary = (package / "addin" / "Dictionary.cls").read_text(encoding="cp1252")
    if f'XLWINGS_VERSION As String = "{xlwings.__version__}"' not in runtime:
        raise ValueError(f"the VBA runtime in {package.name} is not of version {xlwings.__version__}")
    if "BSD 3-clause license" not in runtime or "@license: MIT" not in dictionary:
        raise ValueError("the VBA runtime has lost its licence")
    return [Module("xlwings", runtime), Module("Dictionary", dictionary, "class")]
