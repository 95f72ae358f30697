"""Ledger exports: the general ledger's postings read from the reports accounting systems write.

Face: `read_ledger`, `read_map`, `LedgerExport`, `LedgerMap`, `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from xlbilling.intake.ledger.grid import Grid, read_grids
from xlbilling.intake.ledger.layout import Layout, heading
from xlbilling.intake.ledger.layouts import LAYOUTS
from xlbilling.intake.ledger.lines import Line, Reader
from xlbilling.intake.ledger.mapping import LedgerMap, read_map
from xlbilling.intake.ledger.signs import debit_positive
from xlbilling.problems import Place, Problem, Refusal, declare

__all__ = ["LAYOUTS", "LedgerExport", "LedgerMap", "read_ledger", "read_map"]

LAYOUT_UNKNOWN: Final = declare(
    "ledger_layout_unknown",
    "No layout this product knows fits the columns of a ledger export.",
    "Choose a report listed in docs/reconcile.md, or export columns Date, Account, Reference, Description, Debit, Credit.",
)
LAYOUT_UNNAMED: Final = declare(
    "ledger_layout_unnamed",
    "A ledger layout was asked for that this product does not have.",
    "Use auto, or one of the names listed in docs/reconcile.md.",
)
SIGNS_NEED_MAP: Final = declare(
    "ledger_signs_need_map",
    "An export prints amounts on each account's natural side, and no map says which accounts are credit accounts.",
    "Give the ledger map (MAP.yaml) with its credit_normal list.",
)
_HEADER_WITHIN: Final = 60


@dataclass(frozen=True, slots=True)
class LedgerExport:
    """A ledger export as read.

    `frame`: row (physical row minus header row), date (datetime64, empty where none), gl_account (the number as
    printed), account_name, reference, description, source (the system's journal or type), amount_cents (Int64, debit
    positive) and kind (posting | opening | total | section | header | note | blank | unread). Every row is there.
    """

    profile: str
    frame: pd.DataFrame
    problems: list[Problem]

    @property
    def postings(self) -> pd.DataFrame:
        """The posting and opening rows: what a reconciliation reads."""
        return self.frame[self.frame["kind"].isin(("posting", "opening"))].reset_index(drop=True)


def read_ledger(path: Path, profile: str = "auto", mapping: LedgerMap | None = None) -> LedgerExport:
    """Every row of a ledger export, read as text and converted once, exactly.

    `profile` is a layout's name or "auto" (the layout whose columns fit best). `mapping` tells account numbers apart
    from names, joins segments and gives the credit accounts of natural-side layouts. Refused: a file that cannot be
    opened and a layout that is not known; a row that cannot be read is a problem and a row of kind `unread`.
    """
    grids = read_grids(path)
    layout, grid, header_row = _recognise(grids, _candidates(profile), path.name)
    known: AbstractSet[str] = mapping.gl_accounts if mapping else frozenset()
    reader = Reader(
        layout=layout,
        header=[heading(cell) for cell in grid[header_row]],
        known=known,
        file=path.name,
        header_row=header_row,
        segments=mapping.segments if mapping and layout.account == "segments" else (),
        titles={cell.strip() for row in grid[:header_row] for cell in row if cell.strip()},
    )
    lines = list(reader.lines(grid))
    problems = reader.problems
    if layout.signs == "natural_side":
        if mapping is None:
            raise Refusal(SIGNS_NEED_MAP.at(Place(file=path.name), f"the layout is {layout.name}"))
        lines, unproven = debit_positive(lines, frozenset(mapping.credit_normal), path.name)
        problems = [*problems, *unproven]
    return LedgerExport(layout.name, _frame(lines), problems)


def _candidates(profile: str) -> Sequence[Layout]:
    if profile == "auto":
        return LAYOUTS
    named = [layout for layout in LAYOUTS if layout.name == profile]
    if not named:
        names = ", ".join(layout.name for layout in LAYOUTS)
        raise Refusal(LAYOUT_UNNAMED.at(None, f"there is no layout {profile!r}; there are {names}"))
    # a layout asked for by name may still come with the columns under other names
    return (*named, *(layout for layout in LAYOUTS[-2:] if layout not in named)) if named[0] in LAYOUTS[:-2] else named


def _recognise(grids: Sequence[Grid], layouts: Sequence[Layout], file: str) -> tuple[Layout, Grid, int]:
    """The layout, sheet and header row that fit with the longest signature; the topmost of equals."""
    best: tuple[int, Layout, Grid, int] | None = None
    for grid in grids:
        for index, row in enumerate(grid[:_HEADER_WITHIN]):
            header = [heading(cell) for cell in row]
            for layout in layouts:
                if layout.fits(header) and (best is None or len(layout.signature) > best[0]):
                    best = (len(layout.signature), layout, grid, index)
    if best is None:
        raise Refusal(
            LAYOUT_UNKNOWN.at(Place(file=file), f"no header row was found in the first {_HEADER_WITHIN} rows")
        )
    return best[1:]


def _frame(lines: Sequence[Line]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "row": pd.array([line.row for line in lines], dtype="int64"),
            "date": pd.to_datetime(pd.Series([line.date for line in lines], dtype="object")),
            "gl_account": pd.array([line.gl_account for line in lines], dtype="str"),
            "account_name": pd.array([line.account_name for line in lines], dtype="str"),
            "reference": pd.array([line.reference for line in lines], dtype="str"),
            "description": pd.array([line.description for line in lines], dtype="str"),
            "source": pd.array([line.source for line in lines], dtype="str"),
            "amount_cents": pd.array([line.cents for line in lines], dtype="Int64"),
            "kind": pd.array([line.kind for line in lines], dtype="str"),
        }
    )
