"""Buttons: each declared once, beside the action it runs; ribbon, VBA callback, terminal command and docs follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from xlbilling.problems import Problem

if TYPE_CHECKING:
    from xlbilling.office.desk import Desk

GROUPS: Final = ("Sheets", "Readings", "Bills", "Money", "Ledger", "Reports", "Close", "Help")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an action did, in one sentence for the clerk, with the problems it listed."""

    said: str
    problems: list[Problem] = field(default_factory=list)
    listed: bool = False  # True where rows were rejected or held, so that the terminal ends with exit code 3


@dataclass(frozen=True, slots=True)
class Button:
    """A ribbon button and everything that is made from it."""

    id: str
    label: str
    group: str
    keytip: str
    image: str
    supertip: str
    run: Callable[[Desk], Outcome]
    size: Literal["large", "normal"] = "large"
    role: Literal["clerk", "lead"] = "clerk"
    asks: str = ""  # the named cell on Start with the file or number the button works on

    @property
    def command(self) -> str:
        """Name of the terminal command: import_reads -> import-reads."""
        return self.id.replace("_", "-")


BUTTONS: Final[dict[str, Button]] = {}


def button(
    label: str,
    group: str,
    keytip: str,
    image: str,
    supertip: str,
    size: Literal["large", "normal"] = "large",
    role: Literal["clerk", "lead"] = "clerk",
    asks: str = "",
) -> Callable[[Callable[[Desk], Outcome]], Callable[[Desk], Outcome]]:
    """Declare the decorated action as a ribbon button; its id is the function's name."""

    def declare(run: Callable[[Desk], Outcome]) -> Callable[[Desk], Outcome]:
        made = Button(run.__name__, label, group, keytip, image, supertip, run, size, role, asks)
        if group not in GROUPS or made.id in BUTTONS or keytip in {b.keytip for b in BUTTONS.values()}:
            raise ValueError(f"button {made.id}: unknown group, or id or KeyTip taken")
        BUTTONS[made.id] = made
        return run

    return declare
