"""Recipes: how read files of other senders are laid out, as the office has them on sheet Recipes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd

from xlbilling.intake.files.source import BAD_HEADER
from xlbilling.intake.reads import ParsedReads, Proposal, Recipe, fitting_recipes, parse_reads, propose_recipe
from xlbilling.intake.reads.recipe_table import CONFIRMED, faults_of, recipe_of, rows_of
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.working_tables import WorkingTable
from xlbilling.words.problems import Place, Problem, Refusal, declare

RECIPE_WRONG: Final = declare(
    "recipe_wrong",
    "A line of a recipe says something that no file can be read by.",
    "Correct the marked cell and press Save again.",
)
RECIPE_UNCONFIRMED: Final = declare(
    "recipe_unconfirmed",
    "A recipe for the file is on sheet Recipes, and nobody has confirmed it yet.",
    "Look at each of its lines on sheet Recipes, correct what is wrong, type yes at confirmed, press Save, and press "
    "Import reads again.",
)
RECIPES_BOTH: Final = declare(
    "recipes_both_fit",
    "More than one recipe fits the file, and they could read different figures from it.",
    "Type no at confirmed of the recipes that are not meant, press Save, and press Import reads again.",
)
NOTHING_LEARNED: Final = declare(
    "no_layout_known",
    "The file is in no known layout, no recipe fits it, and it does not show what its columns are.",
    "Ask the sender for a file with a row of headings above the reads, or type a recipe on sheet Recipes.",
)
_NAME_CHARACTERS: Final = 40


@dataclass(frozen=True)
class Read:
    """A file of reads that was read: by which layout or recipe."""

    parsed: ParsedReads
    layout: str


@dataclass(frozen=True)
class Proposed:
    """A file that nothing fits and why, with the rows of a recipe to look at."""

    name: str
    rows: pd.DataFrame
    why: str


def read_file(desk: Desk, path: Path) -> Read | Proposed:
    """The file read by its own layout, or by the one confirmed recipe that fits it; else a recipe proposed for it.

    The dates of a layout without a year are of the year in which the run's read window ends. A recipe that the office
    has confirmed for such a file goes before the known headings, never before a layout that is found by name.
    """
    why = ""
    try:
        parsed = parse_reads(path, year=desk.run.read_to.year)
    except Refusal as refusal:
        if refusal.problem.code != BAD_HEADER.code:
            raise
        parsed, why = None, refusal.problem.fact
    if parsed is not None and parsed.format != "generic":
        return Read(parsed, parsed.format)
    whole, confirmed = _recipes(desk)
    able = fitting_recipes(path, whole) if whole else []
    fits = [name for name in able if name in confirmed]
    if parsed is not None and not fits:
        return Read(parsed, parsed.format)
    if len(fits) > 1:
        raise Refusal(RECIPES_BOTH.at(Place(table="recipes"), f"{path.name} fits the recipes {', '.join(fits)}"))
    if fits:
        return Read(parse_reads(path, recipe=whole[fits[0]]), f"recipe {fits[0]}")
    waiting = [*able, *_waiting_for(desk, path)]
    if waiting:
        raise Refusal(RECIPE_UNCONFIRMED.at(_confirmed_of(waiting[0]), f"recipe {waiting[0]} is for {path.name}"))
    return _proposed(desk, path, why)


def _confirmed_of(name: str) -> Place:
    return Place(table="recipes", key=f"{name} / {CONFIRMED}", column="value")


def unconfirmed(proposed: Proposed, path: Path) -> Refusal:
    """The refusal that asks a person to look at a recipe that was just proposed."""
    fact = f"{path.name} is in no known layout ({proposed.why}); recipe {proposed.name} is proposed on sheet Recipes"
    return Refusal(RECIPE_UNCONFIRMED.at(_confirmed_of(proposed.name), fact))


def _settings(rows: pd.DataFrame) -> dict[str, dict[str, str]]:
    """The settings of each recipe."""
    made: dict[str, dict[str, str]] = {}
    for recipe, setting, value in zip(rows["recipe"], rows["setting"], rows["value"], strict=True):
        made.setdefault(recipe, {})[setting] = value
    return made


def _recipes(desk: Desk) -> tuple[dict[str, Recipe], set[str]]:
    """The recipes that are whole, by name, and the names of those that somebody confirmed."""
    settings = _settings(desk.store.table("recipes"))
    whole = {name: recipe for name, of in settings.items() if isinstance(recipe := recipe_of(of), Recipe)}
    return whole, {name for name in whole if settings[name].get(CONFIRMED) == "yes"}


def _waiting_for(desk: Desk, path: Path) -> list[str]:
    """The recipes that were proposed for a file of this name and are not confirmed yet."""
    own = re.compile(re.escape(_named_after(path)) + r"( \d+)?")
    settings = _settings(desk.store.table("recipes"))
    return [name for name, of in settings.items() if own.fullmatch(name) and of.get(CONFIRMED) != "yes"]


def _named_after(path: Path) -> str:
    """A recipe's name from a file's: without its ending and the digits that differ from month to month."""
    plain = re.sub(r"[\W_]+", " ", re.sub(r"\d+", " ", path.stem)).strip()
    return (plain or "reads")[:_NAME_CHARACTERS].strip()


def _proposed(desk: Desk, path: Path, why: str) -> Proposed:
    """A recipe for the file, under a name that no other has."""
    try:
        proposal: Proposal = propose_recipe(path)
    except Refusal as refusal:
        if refusal.problem.code != BAD_HEADER.code:
            raise
        raise Refusal(NOTHING_LEARNED.at(Place(file=path.name), refusal.problem.fact)) from None
    taken = set(_settings(desk.store.table("recipes")))
    name = _named_after(path)
    free = next(each for n in range(1, len(taken) + 2) if (each := name if n == 1 else f"{name} {n}") not in taken)
    rows = pd.DataFrame(rows_of(proposal), columns=["setting", "value", "note"], dtype="str")
    return Proposed(free, rows.assign(recipe=free, rev=0), why)


@surface("recipes")
class Recipes(WorkingTable):
    """How other read files are laid out; a confirmed recipe must be whole."""

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        typed = pd.concat([change.new, change.changed])
        kept = _settings(desk.store.table("recipes"))
        problems: list[Problem] = []
        for name, settings in _settings(typed).items():
            whole = kept.get(name, {}) | settings
            faults = faults_of(whole)
            if not faults and whole.get(CONFIRMED) == "yes":
                read = recipe_of(whole)
                faults = read if isinstance(read, dict) else {}
            for setting, fact in faults.items():
                at = setting if setting in whole else CONFIRMED if CONFIRMED in whole else next(iter(whole))
                place = Place(table="recipes", key=f"{name} / {at}", column="value")
                problems.append(RECIPE_WRONG.at(place, f"recipe {name}: {_with(setting, fact)}"))
        return [change.sheet.locate(p) if change.sheet else p for p in problems]


def _with(setting: str, fact: str) -> Any:
    return f"{setting}: {fact}" if setting else fact
