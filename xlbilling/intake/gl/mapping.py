"""The ledger map: how the billing office's accounts stand in the accounting system's chart."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Final

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError

from xlbilling.trade.reconcile import Terms
from xlbilling.words.problems import Place, Refusal, declare

MAP_UNREADABLE: Final = declare(
    "ledger_map_unreadable",
    "The ledger map (MAP.yaml) cannot be read or lacks something it must say.",
    "Write period (start, end), accounts (our code: GL number) and control_accounts; see docs/reconcile.md.",
)


def _text(value: object) -> object:
    # an unquoted 1310 in YAML is a number; a leading zero would be lost, so only plain whole numbers are taken
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_text)]


class Extent(BaseModel):
    """The days the reconciliation speaks for, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    start: dt.date
    end: dt.date


class LedgerMap(BaseModel):
    """MAP.yaml: the period, our account codes with their GL numbers as the export prints them, and the control accounts."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    period: Extent
    opening_batch: Text = "OPENING"
    accounts: dict[Text, Text]
    control_accounts: list[Text]
    credit_normal: list[Text] = []
    segments: list[str] = []

    @property
    def gl_accounts(self) -> frozenset[str]:
        """The GL numbers in scope; rows of any other account are none of the billing office's business."""
        return frozenset(self.accounts.values())

    def terms(self) -> Terms:
        """The same facts as the domain's terms of a reconciliation."""
        return Terms(
            start=self.period.start,
            end=self.period.end,
            opening_batch=self.opening_batch,
            accounts=dict(self.accounts),
            control_accounts=tuple(self.control_accounts),
            credit_normal=frozenset(self.credit_normal),
        )


def read_map(path: Path) -> LedgerMap:
    """The map in a YAML file; refused where it cannot be read, misses a key or holds an unknown one."""
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        fact = " ".join(str(error).split())
        raise Refusal(MAP_UNREADABLE.at(Place(file=path.name), f"the map cannot be read: {fact}")) from error
    try:
        return LedgerMap.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise Refusal(MAP_UNREADABLE.at(Place(file=path.name), f"{where}: {first['msg']}")) from error
