"""Surfaces: a table's behaviour, declared once beside the room that owns it.

A surface says what its sheet shows, what the store holds of it, what is wrong with a typed row, how typing is written,
who may do that, and which other sheets follow. Save, Refresh, the comparison of sheet and store, and the pages of docs/
go through the surfaces; nothing else knows a table by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

import pandas as pd

from xlbilling.office.desk.buttons import Role
from xlbilling.words.problems import Problem
from xlbilling.words.records import TABLE, Table

if TYPE_CHECKING:
    from xlbilling.office.desk.changes import Changes
    from xlbilling.office.desk.desk import Desk
    from xlbilling.office.desk.undo import Step
    from xlbilling.store import Work


class Surface:
    """One table as the office works with it; what a subclass leaves as it is here, its table does not do."""

    def __init__(self, name: str, role: Role, follows: Sequence[str]):
        self.name, self.role, self.follows = name, role, tuple(follows)

    @property
    def declared(self) -> Table:
        return TABLE[self.name]

    def rows(self, desk: Desk) -> pd.DataFrame:
        """What the sheet shows, in the store's types, with every declared column."""
        raise NotImplementedError(f"{self.name} is filled by the action that makes it")

    def stored(self, desk: Desk) -> pd.DataFrame:
        """The same rows as the store has them: key, typed columns and `rev`, and nothing that has to be worked out."""
        return self.rows(desk)

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of these keys that left the sheet and are still in the store, such as those of another cycle by now."""
        return self.stored(desk).iloc[:0]

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Rows of these keys that were taken back since, as they last were, with `actor`: who took them back."""
        return self.stored(desk).iloc[:0].assign(actor="")

    @property
    def can_leave(self) -> bool:
        """Whether rows of the sheet can be taken back elsewhere, so that the store no longer has them."""
        return type(self).withdrawn is not Surface.withdrawn

    def history(self, desk: Desk) -> str:
        """The name the history of the table's rows is kept under."""
        return self.name

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        """What is wrong with typed rows beyond their own cells, each with its cell; `others` is what else is saved."""
        return []

    def told(self, desk: Desk, change: Changes) -> list[str]:
        """What Save says of typed rows beside what changes, such as when they begin to count."""
        return []

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write typed rows; the steps that take them back. The desk reads inside the transaction."""
        raise NotImplementedError(f"{self.name} is not saved")


SURFACES: Final[dict[str, Surface]] = {}
_Class = TypeVar("_Class", bound=type[Surface])


def surface(name: str, *, role: Role = "clerk", follows: Sequence[str] = ()) -> Callable[[_Class], _Class]:
    """Declare the decorated class as the surface of a table; `role` may save it, the sheets that `follow` are filled after."""

    def declare(behaviour: _Class) -> _Class:
        if name in SURFACES or name not in TABLE:
            raise ValueError(f"surface {name}: no such table, or declared twice")
        SURFACES[name] = behaviour(name, role, follows)
        return behaviour

    return declare


def shown() -> tuple[str, ...]:
    """Names of all tables that a Refresh fills, in the order of their sheets."""
    return tuple(name for name in TABLE if name in SURFACES)


def saved() -> tuple[str, ...]:
    """Names of all tables that Save writes, in the order of their sheets."""
    return tuple(name for name in shown() if TABLE[name].sheet.saved)


def view(desk: Desk, name: str) -> pd.DataFrame:
    """The rows a sheet shows, every declared column in its order."""
    rows, columns = SURFACES[name].rows(desk), list(TABLE[name].columns)
    return rows if list(rows.columns) == columns else rows.reindex(columns=columns)
