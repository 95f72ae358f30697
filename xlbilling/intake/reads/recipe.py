"""Recipes: how the columns of one sender's table map to ours, kept in a small YAML file."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from xlbilling.intake.reads.moments import Moments
from xlbilling.words.problems import Place, Refusal, declare

BAD_RECIPE = declare(
    "recipe_unusable",
    "The recipe for a table of reads is missing or has a mistake.",
    "Correct the recipe, or learn a new one from a sample file.",
)
RECIPE_FIELDS: Final = (
    "account_id", "location_id", "meter_id", "register_id", "read_date", "read_time", "read", "unit", "status",
)  # fmt: skip
NEEDED_FIELDS: Final = ("meter_id", "read_date", "read")
_SIZE_LIMIT: Final = 65_536
_POSITIONS: Final = re.compile(r"([1-9][0-9]{0,4})(?:-([1-9][0-9]{0,4}))?", re.ASCII)


class Recipe(BaseModel):
    """A mapping from a sender's column headings to our fields; what it does not say is refused, not guessed.

    With the layout `fixed` there are no headings: `columns` are positions in the line, from 1, both ends included
    ("1-12", or "7" for one), `record_length` is how long every line must be, and `header_row` counts lines to skip.
    """

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    kind: str = "reads"
    layout: Literal["table", "fixed"] = "table"
    sheet: str | None = None
    header_row: int = Field(default=1, ge=0, le=1000)
    record_length: int | None = Field(default=None, ge=1, le=10_000)
    encoding: str = "utf-8"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal_mark: str = Field(default=".", pattern=r"^[.,]$")
    thousands_mark: str | None = Field(default=None, max_length=1)
    date_formats: list[str] = Field(default_factory=lambda: ["%Y-%m-%d"], min_length=1)
    columns: dict[str, str]
    required: list[str] = Field(default_factory=lambda: ["meter_id", "read_date", "read"])

    @field_validator("kind")
    @classmethod
    def _is_for_reads(cls, kind: str) -> str:
        if kind != "reads":
            raise ValueError("kind must be reads")
        return kind

    @field_validator("date_formats")
    @classmethod
    def _dates_can_be_read(cls, formats: list[str]) -> list[str]:
        Moments(formats)
        return formats

    @field_validator("encoding")
    @classmethod
    def _encoding_is_known(cls, encoding: str) -> str:
        try:
            codecs.lookup(encoding)
        except (LookupError, ValueError):
            raise ValueError(f"there is no encoding {encoding[:40]!r}") from None
        return encoding

    @field_validator("required")
    @classmethod
    def _required_are_known(cls, required: list[str]) -> list[str]:
        unknown = set(required) - set(RECIPE_FIELDS)
        if unknown:
            raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
        return required

    @field_validator("columns", mode="before")
    @classmethod
    def _one_position_is_text(cls, columns: Any) -> Any:
        """YAML reads a single position as a number."""
        if not isinstance(columns, dict):
            return columns
        return {field: str(place) if type(place) is int else place for field, place in columns.items()}

    @field_validator("columns")
    @classmethod
    def _fields_are_known(cls, columns: dict[str, str]) -> dict[str, str]:
        unknown = set(columns) - set(RECIPE_FIELDS)
        if unknown:
            raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
        missing = set(NEEDED_FIELDS) - set(columns)
        if missing:
            raise ValueError(f"no column for {', '.join(sorted(missing))}")
        return columns

    @model_validator(mode="after")
    def _positions_fit(self) -> Self:
        if self.layout == "table":
            if not self.header_row:
                raise ValueError("header_row: a table has its headings in row 1 or further down")
            return self
        if "header_row" not in self.model_fields_set:
            self.header_row = 0
        if self.sheet is not None:
            raise ValueError("sheet: a workbook has columns, not positions")
        last = max(end for _, end in self.positions.values())
        if self.record_length is not None and last > self.record_length:
            raise ValueError(f"record_length: position {last} is beyond a line of {self.record_length}")
        return self

    @property
    def positions(self) -> dict[str, tuple[int, int]]:
        """First and last position of each field in a line of the layout `fixed`; ValueError where one is none."""
        found = {}
        for field, text in self.columns.items():
            match = _POSITIONS.fullmatch(text.strip())
            first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
            if not 0 < first <= last:
                raise ValueError(f"column {field}: {text[:40]!r} is not positions such as 1-12")
            found[field] = (first, last)
        return found

    @classmethod
    def load(cls, path: Path) -> Self:
        """The recipe in a YAML file; refused with the first mistake named."""
        place = Place(file=path.name)
        try:
            with path.open("rb") as handle:
                data = handle.read(_SIZE_LIMIT + 1)
            if len(data) > _SIZE_LIMIT:
                raise Refusal(BAD_RECIPE.at(place, "it is far too long for a recipe"))
            found: Any = yaml.safe_load(data)
        except OSError:
            raise Refusal(BAD_RECIPE.at(place, "it cannot be opened")) from None
        except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
            raise Refusal(BAD_RECIPE.at(place, "it is not YAML")) from None
        try:
            return cls.model_validate(found)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise Refusal(BAD_RECIPE.at(place, f"{where or 'the file'}: {first['msg']}")) from None

    def save(self, path: Path) -> None:
        """Write the recipe as YAML, for a person to check and keep."""
        kept = self.model_dump(exclude_none=True)
        path.write_text(yaml.safe_dump(kept, sort_keys=False, allow_unicode=True), encoding="utf-8")


@dataclass(frozen=True)
class Proposal:
    """A recipe as far as a sample tells it, for a person to check.

    `recipe`: its fields as plain values; `samples`: a value of each column that was found; `doubtful`: for each needed
    field that was not found, the headings that it could be; `line`: a line of a file that has no headings.
    """

    recipe: dict[str, Any]
    samples: dict[str, str]
    doubtful: dict[str, list[str]]
    line: str = ""


def propose_recipe(path: Path) -> Proposal:
    """What the file at `path` tells of a recipe for it; refused where it has neither headings nor lines of one length."""
    from xlbilling.intake.files.guard import shared_worker  # noqa: PLC0415 - the child reads recipes too, and has no child

    facts, _ = shared_worker().run("xlbilling.intake.reads.recipe_task:propose", path)
    return Proposal(**facts)


def learn_recipe(path: Path) -> Recipe:
    """A recipe proposed from a sample: by its headings where they are known words, and by its content.

    Refused where a needed column is not certain. The proposal is for a person to check.
    """
    proposal = propose_recipe(path)
    missing = [field for field in NEEDED_FIELDS if field not in proposal.recipe["columns"]]
    if missing:
        raise Refusal(BAD_RECIPE.at(Place(file=path.name), f"it is not certain which column is {missing[0]}"))
    return Recipe.model_validate(proposal.recipe)


def fitting_recipes(path: Path, recipes: dict[str, Recipe]) -> list[str]:
    """The names of the recipes that fit the file: every column stands in it, or its lines are of the length told."""
    from xlbilling.intake.files.guard import shared_worker  # noqa: PLC0415 - as above

    known = [recipe.model_dump() for recipe in recipes.values()]
    facts, _ = shared_worker().run("xlbilling.intake.reads.recipe_task:fitting", path, recipes=known)
    return [list(recipes)[n] for n in facts["fits"]]
