"""Recipes as a table: one setting a row, in words a clerk can type, turned into a `Recipe` and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from xlbilling.intake.files.package import shown
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.recipe import NEEDED_FIELDS, RECIPE_FIELDS, Proposal, Recipe

CONFIRMED: Final = "confirmed"
COLUMN: Final = "column "
_PLAIN: Final = (
    "layout", "sheet", "header_row", "record_length", "encoding", "delimiter", "decimal_mark", "thousands_mark",
    "date_formats", "required",
)  # fmt: skip
SETTINGS: Final = (CONFIRMED, *_PLAIN, *(COLUMN + field for field in RECIPE_FIELDS))
_MARKS: Final = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|", "point": ".", "space": " ", "none": ""}
_MARKED: Final = frozenset({"delimiter", "decimal_mark", "thousands_mark"})
_LISTED: Final = frozenset({"date_formats", "required"})
_COUNTED: Final = frozenset({"header_row", "record_length"})
_BETWEEN: Final = "|"
_DAY_WORDS: Final = (("YYYY", "%Y"), ("YY", "%y"), ("MMM", "%b"), ("MM", "%m"), ("M", "%m"), ("DD", "%d"), ("D", "%d"))
_DAY_WORD: Final = re.compile("|".join(word for word, _ in _DAY_WORDS), re.IGNORECASE)
_MOST_CHARACTERS: Final = 200

Faults = dict[str, str]
"""What is wrong, by the setting it is wrong in; "" where a setting is missing."""


def recipe_of(settings: Mapping[str, str]) -> Recipe | Faults:
    """The recipe that the rows of one recipe make, or what is wrong with them; `confirmed` is the caller's."""
    values, faults = _values(settings)
    if faults:
        return faults
    missing = [field for field in NEEDED_FIELDS if field not in values["columns"]]
    if missing:
        return {COLUMN + missing[0]: f"it does not say which column is {missing[0]}"}
    if "date_formats" not in values:
        return {"date_formats": "it does not say how the file writes dates"}
    try:
        recipe = Recipe.model_validate(values)
        if recipe.layout == "fixed":
            _ = recipe.positions
    except ValidationError as error:
        return _told(error, settings)
    return recipe


def faults_of(settings: Mapping[str, str]) -> Faults:
    """What is wrong with rows taken one by one, whether or not they are a whole recipe yet."""
    return _values(settings)[1]


def _values(settings: Mapping[str, str]) -> tuple[dict[str, Any], Faults]:
    values: dict[str, Any] = {"columns": {}}
    faults: Faults = {}
    for setting, text in settings.items():
        name = setting.removeprefix(COLUMN)
        if setting == CONFIRMED:
            if text not in {"yes", "no", ""}:
                faults[setting] = f"{shown(text)} is neither yes nor no"
        elif setting not in SETTINGS:
            faults[setting] = f"there is no setting {shown(setting)}; they are {', '.join(SETTINGS)}"
        elif len(text) > _MOST_CHARACTERS:
            faults[setting] = f"it has {len(text)} characters"
        elif setting.startswith(COLUMN):
            if text:
                values["columns"][name] = text
        elif text:
            try:
                values[name] = _value(name, text)
            except ValueError as fault:
                faults[setting] = str(fault)
    return values, faults


def _value(name: str, text: str) -> Any:
    """One setting's value; ValueError where the text is none."""
    if name in _MARKED:
        mark = _MARKS.get(text.casefold(), text)
        if len(mark) > 1 or (not mark and name != "thousands_mark"):
            raise ValueError(f"{shown(text)} is not one character (or {', '.join(_MARKS)})")
        return mark or None
    if name in _COUNTED:
        if not (text.isascii() and text.isdecimal()):
            raise ValueError(f"{shown(text)} is not a whole number")
        return int(text)
    if name in _LISTED:
        several = [part.strip() for part in text.split(_BETWEEN) if part.strip()]
        return [_date_format(part) for part in several] if name == "date_formats" else several
    return text


def _date_format(text: str) -> str:
    """A date as a person writes its pattern, as a strptime pattern: DD.MM.YYYY -> %d.%m.%Y; ValueError if it is none."""
    made = text if "%" in text else _DAY_WORD.sub(lambda found: dict(_DAY_WORDS)[found[0].upper()], text)
    try:
        Moments([made])
    except ValueError:
        raise ValueError(f"{shown(text)} is not a date such as MM/DD/YYYY") from None
    return made


def _told(error: ValidationError, settings: Mapping[str, str]) -> Faults:
    """The first mistake of each setting in pydantic's own words, at the row it is in."""
    faults: Faults = {}
    for found in error.errors():
        message = str(found["msg"]).removeprefix("Value error, ")
        name, _, fact = message.partition(": ")
        place = str(found["loc"][0]) if found["loc"] else name
        faults.setdefault(place if place in settings else "", message if place != name else fact)
    return faults


def rows_of(proposal: Proposal) -> list[tuple[str, str, str]]:
    """A proposal as rows (setting, value, note) for a person to look at; not confirmed."""
    recipe, rows = proposal.recipe, [(CONFIRMED, "no", "Look at every line; then type yes here and press Save.")]
    fixed = recipe.get("layout") == "fixed"
    for name in _PLAIN:
        value = recipe.get(name)
        if value is not None and name != "required" and not (fixed and name in _MARKED):
            rows.append((name, _text(name, value), "" if value else "Type how the file writes dates, such as MMDDYYYY"))
    for field in RECIPE_FIELDS:
        if field in recipe["columns"]:
            rows.append((COLUMN + field, recipe["columns"][field], f"for example {proposal.samples[field]}".strip()))
        elif field in NEEDED_FIELDS:
            rows.append((COLUMN + field, "", _to_tell(proposal, field, fixed=fixed)))
    if recipe.get("required"):
        rows.append(
            ("required", f" {_BETWEEN} ".join(recipe["required"]), "A row where one of these is blank is rejected.")
        )
    return rows


def _to_tell(proposal: Proposal, field: str, *, fixed: bool) -> str:
    if fixed:
        return f"Type the first and last position, such as 1-12. A line: {proposal.line}"
    able = proposal.doubtful.get(field, [])
    return f"Not certain: {', '.join(able)}" if able else "Not found: type the file's heading"


def _text(name: str, value: Any) -> str:
    if name == "date_formats":
        return f" {_BETWEEN} ".join(_readable(date_format) for date_format in value)
    words = {mark: word for word, mark in _MARKS.items() if word in {"tab", "space"}}
    return words.get(value, str(value)) if name in _MARKED else str(value)


def _readable(date_format: str) -> str:
    made = date_format
    for word, directive in _DAY_WORDS:
        if word not in {"M", "D"}:
            made = made.replace(directive, word)
    return made
