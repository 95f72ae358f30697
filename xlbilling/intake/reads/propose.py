"""Proposing a recipe for a table of reads from its headings and the look of its first rows."""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

from xlbilling.intake.reads import columns
from xlbilling.intake.reads.moments import Moments
from xlbilling.intake.reads.tabular import SheetTable, Table

_DATE_FORMATS: Final = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y/%m/%d", "%Y%m%d", "%m-%d-%Y", "%d-%b-%Y", "%d-%b-%y")
_COMMA_DECIMAL: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{3})*,[0-9]{1,2}|[0-9]+,[0-9]{1,2}")
_SAMPLE: Final = 1000


def recipe_for(table: Table | SheetTable, sheet: str | None) -> dict[str, Any]:
    """The recipe as plain values: each known heading, the date formats that the sample needs, and its marks."""
    found = columns.recognise(table.header)
    block = next(iter(table.blocks(tuple(found.values()), spare_cells=True)), None)
    sample = {
        field: list(islice(block.columns[i], _SAMPLE)) if block and block.lines else [] for i, field in enumerate(found)
    }
    mapping = {("read" if field == "reading" else field): table.header[column] for field, column in found.items()}
    decimals = any(_COMMA_DECIMAL.fullmatch(text) for text in sample["reading"])
    grouped = any(re.fullmatch(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?", text) for text in sample["reading"])
    recipe: dict[str, Any] = {
        "header_row": table.header_line,
        "delimiter": getattr(table, "delimiter", ","),
        "decimal_mark": "," if decimals else ".",
        "thousands_mark": "." if decimals else "," if grouped else None,
        "date_formats": _formats(sample["read_date"]),
        "columns": mapping,
        "required": ["meter_id", "read_date", "read"],
    }
    if "account_id" in mapping:
        recipe["required"].insert(0, "account_id")
    if sheet is not None:
        recipe["sheet"] = sheet
    return recipe


def _formats(texts: list[str]) -> list[str]:
    """The date formats that read the most of the sample, best first; ISO dates where none does."""
    filled = [text for text in texts if text]
    scores = {}
    for date_format in _DATE_FORMATS:
        moments = Moments([date_format])
        scores[date_format] = sum(moments[text] is not None for text in filled)
    ranked = [f for f in sorted(scores, key=lambda f: -scores[f]) if scores[f]]
    return ranked or ["%Y-%m-%d"]
