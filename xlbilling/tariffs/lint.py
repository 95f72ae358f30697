"""Lint."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from xlbilling.tariffs.owrs import OwrsRates
from xlbilling.tariffs.owrs_read import OwrsTariff


@dataclass(frozen=True, slots=True)
class Finding:
    code: str
    severity: str
    message: str
    customer_class: str = ""
    component: str = ""
    line: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def lint_owrs(source: OwrsTariff, imported: OwrsRates) -> list[Finding]:
    return []
