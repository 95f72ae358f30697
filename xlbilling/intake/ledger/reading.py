"""Reading a ledger export: its layout found, its lines read, its signs settled; plain values only.

This is the work that runs in the guarded child (`task`); the frame is made from its answer outside.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from xlbilling.intake.ledger.grid import Grid, read_grids
from xlbilling.intake.ledger.layout import Layout, heading
from xlbilling.intake.ledger.layouts import LAYOUTS
from xlbilling.intake.ledger.lines import Line, Reader
from xlbilling.intake.ledger.signs import debit_positive
from xlbilling.intake.tables import pack
from xlbilling.problems import Place, Problem, Refusal, declare

LAYOUT_UNKNOWN: Final = declare(
    "ledger_layout_unknown",
    "No layout this product knows fits the columns of a ledger export.",
    "Choose a report listed in docs/reconcile.md, or export Date, Account, Reference, Description, Debit, Credit.",
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
_UNPRINTABLE: Final = dict.fromkeys((*range(32), 127, *range(0xD800, 0xE000)))


@dataclass(frozen=True, slots=True)
class Chart:
    """What the map says about the ledger's accounts: the numbers in scope, the credit accounts, the segment columns."""

    known: AbstractSet[str] = frozenset()
    credit_normal: AbstractSet[str] | None = None
    segments: Sequence[str] = ()


def read_lines(path: Path, profile: str, chart: Chart) -> tuple[str, list[Line], list[Problem]]:
    """The name of the layout, every row below the header, and what could not be read."""
    layout, grid, header_row = _recognise(read_grids(path), _candidates(profile), path.name)
    reader = Reader(
        layout=layout,
        header=[heading(cell) for cell in grid.rows[header_row]],
        known=chart.known,
        file=path.name,
        header_row=header_row,
        segments=chart.segments if layout.account == "segments" else (),
        titles={cell.strip() for row in grid.rows[:header_row] for cell in row if cell.strip()},
        first_serial=grid.first_serial,
    )
    lines = list(reader.lines(grid.rows))
    problems = reader.problems
    if layout.signs == "natural_side":
        if chart.credit_normal is None:
            raise Refusal(SIGNS_NEED_MAP.at(Place(file=path.name), f"the layout is {layout.name}"))
        lines, unproven = debit_positive(lines, chart.credit_normal, path.name)
        problems = [*problems, *unproven]
    return layout.name, lines, problems


def task(
    path: Path, profile: str, known: list[str], credit_normal: list[str] | None, segments: list[str]
) -> tuple[dict[str, Any], list[bytes]]:
    """`read_lines` as a guarded child does it: JSON facts and packed columns."""
    credits_ = None if credit_normal is None else frozenset(credit_normal)
    name, lines, problems = read_lines(path, profile, Chart(frozenset(known), credits_, segments))
    columns: list[list[str]] = [
        [str(line.row) for line in lines],
        [str(line.kind) for line in lines],
        [line.date.isoformat() if line.date else "" for line in lines],
        ["" if line.cents is None else str(line.cents) for line in lines],
        *([_printable(getattr(line, column)) for line in lines] for column in TEXTS),
    ]
    return {"profile": name, "problems": [asdict(problem) for problem in problems]}, pack(columns)


TEXTS: Final = ("gl_account", "account_name", "reference", "description", "source")


def _printable(text: str) -> str:
    """The text without control characters and broken bytes, a line break in it as a space."""
    return text if text.isprintable() else " ".join(text.split()).translate(_UNPRINTABLE)


def _candidates(profile: str) -> Sequence[Layout]:
    if profile == "auto":
        return LAYOUTS
    named = [layout for layout in LAYOUTS if layout.name == profile]
    if not named:
        names = ", ".join(layout.name for layout in LAYOUTS)
        raise Refusal(LAYOUT_UNNAMED.at(None, f"there is no layout {profile[:40]!r}; there are {names}"))
    return named


def _recognise(grids: Sequence[Grid], layouts: Sequence[Layout], file: str) -> tuple[Layout, Grid, int]:
    """The layout, sheet and header row that fit with the longest signature; the topmost of equals."""
    best: tuple[int, Layout, Grid, int] | None = None
    for grid in grids:
        for index, row in enumerate(grid.rows[:_HEADER_WITHIN]):
            header = [heading(cell) for cell in row]
            for layout in layouts:
                if layout.fits(header) and (best is None or len(layout.signature) > best[0]):
                    best = (len(layout.signature), layout, grid, index)
    if best is None:
        fact = f"no header row was found in the first {_HEADER_WITHIN} rows"
        raise Refusal(LAYOUT_UNKNOWN.at(Place(file=file), fact))
    return best[1:]
