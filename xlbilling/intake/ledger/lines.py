"""The lines of a ledger export: what each row is (posting, opening, total ...), with its account, day and amount."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Literal

from xlbilling.intake.ledger.accounts import printed_account
from xlbilling.intake.ledger.cells import amount_cents, printed_date, serial_date, stored_cents
from xlbilling.intake.ledger.layout import Layout, Role, heading
from xlbilling.problems import Place, Problem, declare

ROW_UNREADABLE: Final = declare(
    "ledger_row_unreadable",
    "A row of a ledger export looks like a posting, but its date or amount cannot be read exactly.",
    "Correct the cell in the accounting system's report and export it again; the row is left out until then.",
    severity="review",
)

RowKind = Literal["posting", "opening", "total", "section", "header", "note", "blank", "unread"]

_OPENING: Final = re.compile(r"(beginning|opening|starting) balance\b.*|balance (brought )?forward\b.*", re.IGNORECASE)
_TOTAL: Final = re.compile(
    r"\W*((grand|batch|account|journal|report|fund|sub|page|period|entry)[ -]*)*totals?\b.*"
    r"|(closing|ending) balance\b.*|net (movement|change)\b.*|.*\bperiod totals?\b.*",
    re.IGNORECASE,
)
# A posting's own words may begin with "Total", so in a description only the bare word is a total's mark.
_TOTAL_SAID: Final = re.compile(
    r"\W*((grand|batch|account|journal|report|fund|sub|page|period)[ -]*)*totals?\W*( (for|of)\b.*)?"
    r"|(closing|ending) balance\b.*|.*\bperiod totals?\b.*",
    re.IGNORECASE,
)
_PAGE: Final = re.compile(r"\bpage\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Line:
    """One physical row below the header; `row` counts from 1 at the first row below it."""

    row: int
    kind: RowKind
    date: dt.date | None = None
    gl_account: str = ""
    account_name: str = ""
    reference: str = ""
    description: str = ""
    source: str = ""
    cents: int | None = None


@dataclass(slots=True)
class Reader:
    """Reads the rows of one page by one layout, carrying what the layout prints only once (account, entry heading)."""

    layout: Layout
    header: Sequence[str]
    known: AbstractSet[str]
    file: str
    header_row: int
    segments: Sequence[str] = ()
    titles: AbstractSet[str] = frozenset()
    first_serial: int = 0
    problems: list[Problem] = field(default_factory=list)
    _at: dict[Role, int] = field(default_factory=dict)
    _segment_at: list[int] = field(default_factory=list)
    _account: tuple[str, str] = ("", "")
    _carried: dict[Role, str] = field(default_factory=dict)
    _headings: dict[str, tuple[str, str]] = field(default_factory=dict)
    _header_first: str = ""

    def __post_init__(self) -> None:
        self._at = self.layout.places(self.header)
        self._header_first = next((name for name in self.header if name), "")
        wanted = [heading(name) for name in self.segments] or list(self.layout.segments)
        self._segment_at = [list(self.header).index(name) for name in wanted if name in self.header]

    def _day(self, text: str) -> dt.date | None:
        """The day in a date cell: as printed, or (in a workbook only) the number a date is stored as."""
        if not text:
            return None
        return printed_date(text, self.layout.day_order) or serial_date(text, self.first_serial)

    def _cents(self, text: str) -> int | None:
        return stored_cents(text) if self.first_serial else amount_cents(text)

    def _cell(self, cells: Sequence[str], role: Role) -> str:
        index = self._at.get(role, -1)
        return cells[index].strip() if 0 <= index < len(cells) else ""

    def line(self, row: int, cells: Sequence[str]) -> Line:
        """What the next row is; `row` counts from 1 below the header, and rows must come in their order."""
        filled = [index for index, cell in enumerate(cells) if cell.strip()]
        if not filled:
            return Line(row, "blank")
        first = cells[filled[0]].strip()
        if first.lower() == self._header_first and self._repeats_header(cells):
            return Line(row, "header")
        printed, said = self._cell(cells, "date"), self._cell(cells, "description")
        day = self._day(printed)
        labelled = first if day is None or first != printed else ""
        if self._is_total(cells, labelled, said):
            return Line(row, "total", gl_account=self._account[0])
        if self._is_opening(labelled, said, printed):
            return self._opening(row, cells, day)
        if len(set(filled) - {self._at.get("balance", -1)}) == 1 and day is None:
            return self._lone(row, cells, filled[0], first)
        return self._posting(row, cells, day)

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        names = [heading(cell) for cell in cells]
        return names[: len(self.header)] == list(self.header[: len(names)]) and any(names)

    def _is_total(self, cells: Sequence[str], labelled: str, said: str) -> bool:
        if self._cell(cells, "reference"):
            return False
        marks = (labelled if labelled != said else "", self._cell(cells, "account_name"), self._cell(cells, "date"))
        return bool(said and _TOTAL_SAID.fullmatch(said)) or any(_TOTAL.fullmatch(text) for text in marks if text)

    @staticmethod
    def _is_opening(labelled: str, said: str, printed: str) -> bool:
        return any(_OPENING.fullmatch(text) for text in (labelled, said, printed) if text)

    def _take_account(self, cells: Sequence[str]) -> None:
        if self._segment_at:
            parts = [cells[index].strip() for index in self._segment_at if index < len(cells)]
            joined = "-".join(part for part in parts if part)
            if joined:
                self._account = (joined, self._cell(cells, "account_name"))
            return
        text = self._cell(cells, "account")
        if text and not _OPENING.fullmatch(text):
            if text not in self._headings:
                self._headings[text] = printed_account(text, self.known)
            number, name = self._headings[text]
            self._account = (number, self._cell(cells, "account_name") or name)

    def _opening(self, row: int, cells: Sequence[str], day: dt.date | None) -> Line:
        self._take_account(cells)
        balance = self._cell(cells, "balance")
        cents = self._cents(balance) if balance else self._posted_cents(cells)
        if cents is None:
            self._unread(row, "the opening balance has no amount that can be read")
            return Line(row, "unread", day, *self._account)
        return Line(row, "opening", day, *self._account, description=self._cell(cells, "description"), cents=cents)

    def _lone(self, row: int, cells: Sequence[str], index: int, first: str) -> Line:
        """A row with one text (and perhaps a balance): a section heading, a page title or a closing note."""
        number, name = printed_account(first, self.known)
        in_section = self.layout.account == "section" and index == 0
        in_column = self.layout.account == "column" and index == self._at.get("account", -1)
        is_account = number in self.known or first[:1].isdigit() or in_section
        if first in self.titles or _PAGE.search(first) or not (in_section or in_column) or not is_account:
            return Line(row, "note", description=first)
        self._account = (number, name)
        balance = self._cell(cells, "balance")
        cents = self._cents(balance) if balance and self._at.get("balance") != index else None
        return Line(row, "section" if cents is None else "opening", None, number, name, cents=cents)

    def _posting(self, row: int, cells: Sequence[str], day: dt.date | None) -> Line:
        self._take_account(cells)
        values = {role: self._cell(cells, role) for role in ("date", "reference", "source", "description")}
        wordless = not any(values.values()) and not self._cell(cells, "account") and not self._segment_at
        if wordless and self.layout.account == "column":
            # a subtotal that carries no words at all, such as the one under each journal entry
            return Line(row, "total", gl_account=self._account[0])
        if self.layout.carried and day is None and not values["date"]:
            values |= {role: self._carried.get(role, "") for role in self.layout.carried}
            day = self._day(values["date"])
        elif self.layout.carried:
            self._carried = {role: values.get(role, "") for role in self.layout.carried}
        cents = self._posted_cents(cells)
        if day is None and cents is None and not values["reference"]:
            # neither a day nor an amount nor a number of its own: words such as a page's heading
            return Line(row, "note", description=values["description"])
        if day is None or cents is None:
            wrong = f"the date {values['date']!r}" if day is None else "the amount"
            self._unread(row, f"{wrong} cannot be read")
            return Line(
                row, "unread", day, *self._account, values["reference"], values["description"], values["source"]
            )
        return Line(
            row, "posting", day, *self._account, values["reference"], values["description"], values["source"], cents
        )

    def _posted_cents(self, cells: Sequence[str]) -> int | None:
        """The posting's amount as printed: debit positive, except natural-side layouts (decided later, per account)."""
        if "amount" in self._at:
            cents = self._cents(self._cell(cells, "amount"))
            if self.layout.signs != "side_flag" or cents is None:
                return cents
            side = self._cell(cells, "side")[:1].upper()
            return {"D": cents, "C": -cents}.get(side)
        debit, credit = self._cell(cells, "debit"), self._cell(cells, "credit")
        if not debit and not credit:
            return None
        debits = self._cents(debit) if debit else 0
        credits_ = self._cents(credit) if credit else 0
        if debits is None or credits_ is None:
            return None
        return debits + credits_ if self.layout.signs == "credit_printed_negative" else debits - credits_

    def _unread(self, row: int, fact: str) -> None:
        self.problems.append(ROW_UNREADABLE.at(Place(file=self.file, line=self.header_row + row + 1), fact))
