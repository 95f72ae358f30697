"""Which styles of a workbook show a number as a day or a time: a meter 3-14 that was typed into a sheet is 14 March there."""

from __future__ import annotations

import re
from typing import Final

from xlbilling.intake.files.package import Attributes, Package

_BUILT_IN: Final = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_ASIDE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|general', re.IGNORECASE)
_DAY_OR_TIME: Final = re.compile(r"[dmyhs]", re.IGNORECASE)


def date_styles(package: Package, part: str) -> frozenset[str]:
    """The numbers of the cell styles, as cells write them, whose format shows days or times."""
    formats: dict[str, str] = {}
    styles: list[str] = []
    state = {"cells": False}

    def start(name: str, given: Attributes) -> None:
        local = name.rpartition(" ")[2]
        if local == "cellXfs":
            state["cells"] = True
        elif local == "xf" and state["cells"]:
            styles.append(given.get("numFmtId", "0"))
        elif local == "numFmt":
            formats[given.get("numFmtId", "")] = given.get("formatCode", "")

    def end(name: str) -> None:
        if name.rpartition(" ")[2] == "cellXfs":
            state["cells"] = False

    package.read_xml(part, start, end)
    return frozenset(str(number) for number, used in enumerate(styles) if shows_a_day(used, formats.get(used, "")))


def shows_a_day(number: str, code: str = "") -> bool:
    """Whether a number format shows a day or a time: one of the built-in ones, or a code with d, m, y, h or s."""
    if code:
        return _DAY_OR_TIME.search(_ASIDE.sub("", code)) is not None
    return number.isdecimal() and int(number) in _BUILT_IN
