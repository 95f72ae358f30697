"""Problems: what the office is told when something cannot be done or should be looked at.

A problem is data, never a bare message: its kind (code, meaning, remedy) is declared once with `declare`, and each
occurrence names its place and the fact. `docs/problems.md` is generated from the declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

Severity = Literal["block", "review", "info"]


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of problem: a stable code, what it means and what the reader should do about it."""

    code: str
    meaning: str
    remedy: str
    severity: Severity = "block"

    def at(self, place: Place | None, fact: str, remedy: str | None = None) -> Problem:
        """The problem of this kind at `place`; `remedy` overrides the usual advice where a better one is known."""
        return Problem(self.code, place or Place(), fact, self.remedy if remedy is None else remedy, self.severity)


CATALOGUE: Final[dict[str, Kind]] = {}


def declare(code: str, meaning: str, remedy: str, severity: Severity = "block") -> Kind:
    """Declare a kind of problem; a code is declared exactly once in the whole product."""
    if code in CATALOGUE:
        raise ValueError(f"problem code {code!r} is declared twice")
    kind = CATALOGUE[code] = Kind(code, meaning, remedy, severity)
    return kind


@dataclass(frozen=True, slots=True)
class Place:
    """Where a problem is: a row and column of a table (domain), a cell (workbook), or a line of a file (intake)."""

    table: str = ""
    key: str = ""
    column: str = ""
    file: str = ""
    line: int = 0
    cell: str = ""

    def __str__(self) -> str:
        if self.cell:
            return f"{self.table}!{self.cell}" if self.table else self.cell
        if self.file:
            return f"{self.file}:{self.line}" if self.line else self.file
        return " ".join(part for part in (self.table, self.key, self.column) if part)


@dataclass(frozen=True, slots=True)
class Problem:
    """One occurrence: code, place, fact and remedy, as the clerk reads it: "Reads!D118: fact. Remedy"."""

    code: str
    place: Place
    fact: str
    remedy: str
    severity: Severity = "block"

    def __str__(self) -> str:
        where = str(self.place)
        head = f"{where}: {self.fact}" if where else self.fact
        return f"{head.rstrip('.')}. {self.remedy}".strip()

    def on(self, place: Place) -> Problem:
        """The same problem at a place known better by now, such as the sheet cell of a table row."""
        return replace(self, place=place)


class Refusal(Exception):
    """The work cannot be done as asked: nothing was changed, and the problem says why (exit code 4).

    `found` lists everything that stands in the way, for the sheets to mark; the problem itself where there is no more.
    """

    exit_code = 4

    def __init__(self, problem: Problem, found: Iterable[Problem] = ()):
        super().__init__(str(problem))
        self.problem = problem
        self.found = list(found) or [problem]

    @property
    def line(self) -> str:
        """The one line the terminal prints: `error[CODE]: what, where, remedy`."""
        return f"error[{self.problem.code}]: {self.problem}".replace("\n", " ")


class Conflict(Refusal):
    """Somebody else holds or has changed what this needs: locked period, open file, changed row (exit code 5)."""

    exit_code = 5


@dataclass(slots=True)
class Problems:
    """Problems in the order they were met, with the questions a caller asks of them."""

    found: list[Problem] = field(default_factory=list)

    def add(self, problem: Problem) -> None:
        self.found.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        self.found.extend(problems)

    @property
    def blocking(self) -> list[Problem]:
        return [p for p in self.found if p.severity == "block"]

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)
