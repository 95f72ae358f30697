"""Recipes: how the columns of one sender's table map to ours, kept in a small YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from xlbilling.intake.reads.moments import Moments
from xlbilling.problems import Place, Refusal, declare

BAD_RECIPE = declare(
    "recipe_unusable",
    "The recipe for a table of reads is missing or has a mistake.",
    "Correct the recipe, or learn a new one from a sample file.",
)
RECIPE_FIELDS: Final = (
    "account_id", "location_id", "meter_id", "register_id", "read_date", "read_time", "read", "unit", "status",
)  # fmt: skip
_SIZE_LIMIT: Final = 65_536


class Recipe(BaseModel):
    """A mapping from a sender's column headings to our fields; what it does not say is refused, not guessed."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    kind: str = "reads"
    sheet: str | None = None
    header_row: int = Field(default=1, ge=1, le=1000)
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

    @field_validator("columns")
    @classmethod
    def _fields_are_known(cls, columns: dict[str, str]) -> dict[str, str]:
        unknown = set(columns) - set(RECIPE_FIELDS)
        if unknown:
            raise ValueError(f"unknown fields {', '.join(sorted(unknown))}")
        missing = {"meter_id", "read_date", "read"} - set(columns)
        if missing:
            raise ValueError(f"no column for {', '.join(sorted(missing))}")
        return columns

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


def learn_recipe(path: Path) -> Recipe:
    """A recipe proposed from a sample: its headings where they are known words, and its content.

    Refused where no row of headings names a meter, a reading and a date. The proposal is for a person to check.
    """
    from xlbilling.intake.guard import shared_worker  # noqa: PLC0415 - the child reads recipes too, and has no child

    facts, _ = shared_worker().run("xlbilling.intake.reads.task:propose", path)
    return Recipe.model_validate(facts["recipe"])
