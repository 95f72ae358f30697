"""Cells of a sheet as text: what is stored, exactly, or `UNCERTAIN` and the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from xlbilling.words.exact import cell_number

UNCERTAIN: Final = "\x00"
LAST_ROW: Final = 1_048_576
LAST_COLUMN: Final = 16_384
_TEXT_LIMIT: Final = 32_767


def cell_text(kind: str, raw: str, formula: str | None, strings: Sequence[str]) -> str:
    """The text of a cell of a kind (the t attribute, "n" for none); `formula` is None where there is none."""
    if formula is not None:
        if leaves_the_workbook(formula):
            return UNCERTAIN + "a formula that takes its figure from outside the workbook"
        if not raw.strip():
            return UNCERTAIN + "a formula without a stored result"
    if kind == "s":
        return _shared(raw, strings)
    if kind == "n":
        return number_text(raw.strip())
    return _other_text(kind, raw)


def _other_text(kind: str, raw: str) -> str:
    if kind in {"inlineStr", "str"}:
        text = unescaped(raw)
        return text if len(text) <= _TEXT_LIMIT else UNCERTAIN + "more text than a cell can hold"
    if kind == "e":
        return UNCERTAIN + "the error value " + raw[:20]
    if kind == "b":
        return {"1": "TRUE", "0": "FALSE", "": ""}.get(raw.strip(), UNCERTAIN + "no truth value")
    return _MIDNIGHT.sub("", raw.strip()) if kind == "d" else UNCERTAIN + "a cell of an unknown kind"


def _shared(raw: str, strings: Sequence[str]) -> str:
    if not raw:
        return ""
    index = whole_number(raw.strip())
    return strings[index] if 0 <= index < len(strings) else UNCERTAIN + "a text that is not in the file"


_MIDNIGHT: Final = re.compile(r"T00:00(:00(\.0+)?)?$")
_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_LEAVES: Final = re.compile(r"(?:^|[^A-Za-z0-9_.\]])\[[0-9]+\]|\[[^\]]*\.xl|WEBSERVICE\(|RTD\(|\|\s*'", re.IGNORECASE)


def leaves_the_workbook(formula: str) -> bool:
    """Whether a formula takes its figure from another workbook, the web or another program."""
    return bool(formula) and _LEAVES.search(formula) is not None


class NumberText(str):
    """The text of a number cell whose text as an id is another: "12.0" is the id "12", "1.2E+11" is no id any more."""

    as_id: str

    def __new__(cls, text: str, as_id: str) -> NumberText:
        made = super().__new__(cls, text)
        made.as_id = as_id
        return made


def dated(text: str) -> str:
    """The text of a cell that shows a day or a time: the number it is, and as an id something that was one before."""
    return (
        NumberText(text, UNCERTAIN + "a date that a spreadsheet made of it")
        if text[:1] not in {"", UNCERTAIN}
        else text
    )


def number_text(raw: str) -> str:
    """A stored number as plain decimal text, exact: "227.6", "15.299999999999999" -> "15.3", "1E-4" -> "0.0001".

    A sheet shows and counts with 15 digits; what follows them is noise of binary arithmetic. A whole number of more
    than 15 digits is not certain any more.
    """
    if raw.isdecimal() and raw.isascii() and len(raw) <= 15:
        return raw
    if not raw:
        return ""
    if not _NUMBER.fullmatch(raw):
        return UNCERTAIN + "a number cell that holds no number"
    scientific = "e" in raw or "E" in raw
    if not scientific and sum(map(str.isdigit, raw)) <= 15:
        whole, _, part = raw.partition(".")
        return raw if part.strip("0") or "." not in raw else NumberText(raw, whole)
    value = cell_number(float(raw))
    if not value.is_finite() or abs(value) >= 10**15 or (value and abs(value) < Decimal("1e-15")):
        return UNCERTAIN + "a number of more digits than a sheet keeps"
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").removesuffix(".")
    return NumberText(plain, UNCERTAIN + "a number in scientific notation") if scientific else plain


def column_index(letters: str) -> int:
    """The column of letters from 0 ("A" is 0, "XFD" 16383); -1 for what is no column of a sheet."""
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        return -1
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1 if index <= LAST_COLUMN else -1


def whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else -1


_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """Text with the workbook's own escapes undone: "_x000D_" is a carriage return, "_x005F_" an underscore."""
    if "_x" not in text:
        return text
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)


_KEPT_AS_TEXT: Final = re.compile(r"=\"([^\"]*)\"|'(?=[^\s']*[0-9])([^\s']+(?: - .*)?)", re.DOTALL)


def unwrapped(text: str) -> str:
    """A cell without the marks that keep it text in a spreadsheet: ="00123" and '00123 are 00123; 's-Gravendeel stays."""
    body = text.strip()
    match = _KEPT_AS_TEXT.fullmatch(body)
    return (match[1] if match[1] is not None else match[2]).strip() if match else body


def unwrapped_column(texts: list[str]) -> list[str]:
    """A column's cells without the marks that keep them text in a spreadsheet."""
    joined = "".join(texts)
    return list(map(unwrapped, texts)) if '="' in joined or "'" in joined else texts
