"""Looks: number formats and colours of table cells, the same when built, written live, or put back after a mark."""

from __future__ import annotations

from typing import Final

from xlbilling.words.records import ColumnKind, Filled

NUMBER_FORMAT: Final[dict[ColumnKind, str]] = {
    "id": "@",
    "text": "@",
    "choice": "@",
    "stamp": "@",
    "date": "mm/dd/yyyy",
    "money": "#,##0.00",
    "quantity": "#,##0.00",
    "rate": "0.00####",
    "whole": "0",
}
INPUT: Final = "#FFF7DB"
COMPUTED: Final = "#F3F5F6"
PLAIN: Final = "#FFFFFF"
MARKED: Final = "#F9C9C4"
FILL: Final[dict[Filled, str]] = {"typed": INPUT, "given": PLAIN, "computed": COMPUTED}
