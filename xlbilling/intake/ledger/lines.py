"""The lines of a ledger export: what each row is (posting, opening, total ...), with its account, day and amount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Literal

from xlbilling.intake.dates import Evidence, ways_of
from xlbilling.intake.ledger.accounts import printed_account
from xlbilling.intake.ledger.cells import amount_cents, stored_cents, unwrapped
from xlbilling.intake.ledger.layout import Layout, Role, heading, is_posted, side_of
from xlbilling.intake.ledger.marks import BALANCE, OPENING, PAGE, TOTAL, TOTAL_SAID, UNDATED_TOTAL, totalled
from xlbilling.problems import Place, Problem, Refusal, declare

ROW_UNREADABLE: Final = declare(
    "ledger_row_unreadable",
    "A row of a ledger export looks like a posting, but its date or amount cannot be read exactly.",
    "Correct the cell in the accounting system's report and export it again; the row is left out until then.",
    severity="review",
)
STATUS_UNKNOWN: Final = declare(
    "ledger_status_unknown",
    "A ledger export has a status column with a word of which nobody here knows whether such a row is posted.",
    "Export posted entries only, or without that column; posted, void, pending, yes and no are understood.",
)

RowKind = Literal["posting", "opening", "total", "section", "header", "note", "blank", "unread", "unposted"]
Sums = tuple[int, int]
ALL: Final = "\x00all"
SINCE: Final = "\x00since the last total"


@dataclass(frozen=True, slots=True)
class Figures:
    """The amount cells of a row, cents; `unreadable` where one of them holds something that is no amount."""

    debit: int | None
    credit: int | None
    unreadable: bool = False

    @property
    def none(self) -> bool:
        """Whether no amount is printed."""
        return self.debit is None and self.credit is None


@dataclass(frozen=True, slots=True)
class Line:
    """One physical row below the header; `row` counts from 1 at the first row below it.

    `cents` is the posting's amount, debit positive but for what `side` (1 debit, -1 credit) and the layout's natural
    sides still do to it. `debit`, `credit` and `balance` are the figures as printed, a lone amount as debit.
    """

    row: int
    kind: RowKind
    date: str = ""
    gl_account: str = ""
    account_name: str = ""
    reference: str = ""
    description: str = ""
    source: str = ""
    cents: int | None = None
    side: int = 0
    debit: int | None = None
    credit: int | None = None
    balance: int | None = None


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
    side_at: int = -1
    problems: list[Problem] = field(default_factory=list)
    dates: Evidence = field(default_factory=Evidence)
    _at: dict[Role, int] = field(default_factory=dict)
    _segment_at: list[int] = field(default_factory=list)
    _account: tuple[str, str] = ("", "")
    _above: dict[Role, str] = field(default_factory=dict)
    _headings: dict[str, tuple[str, str]] = field(default_factory=dict)
    _looked: set[str] = field(default_factory=set)
    _header_first: str = ""
    _sums: dict[str, Sums] = field(default_factory=lambda: defaultdict(lambda: (0, 0)))

    def __post_init__(self) -> None:
        self._at = self.layout.places(self.header)
        if self.side_at >= 0:
            self._at = {role: at for role, at in self._at.items() if at != self.side_at} | {"side": self.side_at}
        self._header_first = next((name for name in self.header if name), "")
        wanted = [heading(name) for name in self.segments] or list(self.layout.segments)
        self._segment_at = [list(self.header).index(name) for name in wanted if name in self.header]

    @property
    def unused(self) -> list[int]:
        """The columns with a heading that no role takes."""
        taken = {*self._at.values(), *self._segment_at}
        return [at for at, name in enumerate(self.header) if name and at not in taken]

    @property
    def respelled(self) -> dict[str, str]:
        """Accounts the export spells in another way than the map: as printed -> the map's number."""
        return {
            text: number
            for text, (number, _) in self._headings.items()
            if number in self.known and number not in text.replace("\u00a0", " ")
        }

    def _is_day(self, text: str) -> bool:
        if not text:
            return False
        ways = ways_of(text, self.first_serial)
        return ways.mdy is not None or ways.dmy is not None

    def _cents(self, text: str) -> int | None:
        return stored_cents(text) if self.first_serial else amount_cents(text)

    def _cell(self, cells: Sequence[str], role: Role) -> str:
        index = self._at.get(role, -1)
        return unwrapped(cells[index]) if 0 <= index < len(cells) else ""

    def line(self, row: int, cells: Sequence[str]) -> Line:
        """What the next row is; `row` counts from 1 below the header, and rows must come in their order."""
        filled = [index for index, cell in enumerate(cells) if cell.strip()]
        if not filled:
            return Line(row, "blank")
        first = unwrapped(cells[filled[0]])
        if first.lower() == self._header_first and self._repeats_header(cells):
            return Line(row, "header")
        printed, said = self._cell(cells, "date"), self._cell(cells, "description")
        dated = self._is_day(printed)
        labelled = first if not dated or first != printed else ""
        label = self._total_label(cells, labelled, said, dated)
        if label:
            return self._total(row, cells, label)
        if any(OPENING.fullmatch(text) for text in (labelled, said, printed) if text):
            return self._opening(row, cells, printed if dated else "")
        if len(set(filled) - {self._at.get("balance", -1)}) == 1 and not dated:
            return self._lone(row, cells, filled[0], first)
        return self._posting(row, cells, dated)

    def _repeats_header(self, cells: Sequence[str]) -> bool:
        names = [heading(cell) for cell in cells]
        return names[: len(self.header)] == list(self.header[: len(names)]) and any(names)

    def _total_label(self, cells: Sequence[str], labelled: str, said: str, dated: bool) -> str:
        """The words by which a row is a total or a closing balance; "" where it is neither."""
        if self._cell(cells, "reference"):
            return ""
        if said and TOTAL_SAID.fullmatch(said):
            return said
        marks = [labelled if labelled != said else "", self._cell(cells, "account_name"), self._cell(cells, "date")]
        label = next((text for text in marks if text and TOTAL.fullmatch(text)), "")
        if label or dated:
            return label
        return next(
            (text for text in (*marks, self._cell(cells, "account"), said) if UNDATED_TOTAL.fullmatch(text)), ""
        )

    def _total(self, row: int, cells: Sequence[str], label: str) -> Line:
        """A printed total or closing balance: its figures, and the account it says it is of."""
        scope = totalled(label)
        account = ""
        if BALANCE.fullmatch(label):
            self._take_account(cells)
            account = self._account[0]
        elif scope:
            account = printed_account(scope, self.known)[0]
            account = account if account in self._sums else self._account[0] if self.layout.account == "section" else ""
        figures = self._figures(cells)
        balance = self._cell(cells, "balance")
        line = Line(
            row, "total", gl_account=account, description=label, debit=figures.debit, credit=figures.credit,
            balance=self._cents(balance) if balance else None,
        )  # fmt: skip
        self._sums[SINCE] = (0, 0)
        return line

    def _take_account(self, cells: Sequence[str]) -> None:
        if self._segment_at:
            parts = [unwrapped(cells[index]) for index in self._segment_at if index < len(cells)]
            joined = "-".join(part for part in parts if part)
            if joined:
                self._account = (joined, self._cell(cells, "account_name"))
            return
        text = self._cell(cells, "account")
        if text and not OPENING.fullmatch(text) and not BALANCE.fullmatch(text):
            if text not in self._headings:
                self._headings[text] = printed_account(text, self.known)
            number, name = self._headings[text]
            self._account = (number, self._cell(cells, "account_name") or name)

    def _opening(self, row: int, cells: Sequence[str], date: str) -> Line:
        self._take_account(cells)
        printed = self._cell(cells, "balance")
        balance = self._cents(printed) if printed else None
        cents = balance if printed else self._posted_cents(self._figures(cells))
        if cents is None:
            self._unread(row, "the opening balance has no amount that can be read")
            return Line(row, "unread", date, *self._account)
        said = self._cell(cells, "description")
        return Line(row, "opening", date, *self._account, description=said, cents=cents, balance=balance)

    def _lone(self, row: int, cells: Sequence[str], index: int, first: str) -> Line:
        """A row with one text (and perhaps a balance): a section heading, a page title or a closing note."""
        number, name = printed_account(first, self.known)
        in_section = self.layout.account == "section" and index == 0
        in_column = self.layout.account == "column" and index == self._at.get("account", -1)
        is_account = number in self.known or first[:1].isdigit() or in_section
        if first in self.titles or PAGE.search(first) or not (in_section or in_column) or not is_account:
            return Line(row, "note", description=first)
        self._headings[first] = self._account = (number, name)
        balance = self._cell(cells, "balance")
        cents = self._cents(balance) if balance and self._at.get("balance") != index else None
        return Line(row, "section" if cents is None else "opening", "", number, name, cents=cents, balance=cents)

    def _posting(self, row: int, cells: Sequence[str], dated: bool) -> Line:
        roles: tuple[Role, ...] = ("date", "reference", "source", "description")
        values = {role: self._cell(cells, role) for role in roles}
        own_account = bool(self._cell(cells, "account")) or bool(self._segment_at)
        figures = self._figures(cells)
        debit, credit = figures.debit, figures.credit
        if self._is_subtotal(cells, values, own_account, figures):
            self._sums[SINCE] = (0, 0)
            account = self._account[0] if own_account or self.layout.account == "section" else ""
            return Line(row, "total", gl_account=account, debit=debit, credit=credit)
        self._take_account(cells)
        if not values["date"] and (self.layout.carried or self._same_entry(values, own_account, figures)):
            carried: tuple[Role, ...] = tuple(self.layout.carried) or ("date", "reference")
            values |= {role: self._above.get(role, "") for role in carried}
            dated = self._is_day(values["date"])
        cents = self._posted_cents(figures)
        reference, said, source = values["reference"], values["description"], values["source"]
        if not dated and cents is None and not reference:
            # neither a day nor an amount nor a number of its own: words such as a page's heading
            return Line(row, "note", description=said)
        self._above = values
        side, wrong = self._side(cells)
        if not dated or cents is None or wrong:
            self._unread(row, self._told(cells, values["date"], dated, cents, wrong))
            return Line(row, "unread", values["date"] if dated else "", *self._account, reference, said, source)
        if not self._counts(row, cells):
            return Line(row, "unposted", values["date"], *self._account, reference, said, source, cents, side)
        self._look(values["date"])
        self._add(self._account[0], debit or 0, credit or 0)
        printed = self._cell(cells, "balance")
        return Line(
            row, "posting", values["date"], *self._account, reference, said, source, cents, side, debit, credit,
            self._cents(printed) if printed else None,
        )  # fmt: skip

    def _is_subtotal(self, cells: Sequence[str], values: dict[Role, str], own_account: bool, figures: Figures) -> bool:
        """A row that is a total by its place and shape: no day, number or words, but for those of its account.

        Under each entry of a journal stands a subtotal without any words; elsewhere the figures must be the sums of
        rows above.
        """
        if values["date"] or values["reference"]:
            return False
        wordless = not values["source"] and not values["description"] and not own_account
        if wordless and self.layout.account == "column":
            return True
        sums = (figures.debit or 0, figures.credit or 0)
        if sums == (0, 0) or self.layout.carried:
            return False
        account = printed_account(self._cell(cells, "account"), self.known)[0] if own_account else self._account[0]
        both = bool(sums[0] and sums[1])
        return sums in (self._sums[account], self._sums[ALL]) and (both or not own_account)

    def _same_entry(self, values: dict[Role, str], own_account: bool, figures: Figures) -> bool:
        """Whether a row without a date is a further line of the entry above, which printed its date once."""
        if figures.none or not self._above.get("date"):
            return False
        above = self._above.get("reference", "")
        if self.layout.account == "section":
            return bool(above) and values["reference"] == above
        return own_account and values["reference"] in ("", above)

    def _look(self, date: str) -> None:
        if date not in self._looked:
            self._looked.add(date)
            self.dates.look(date, ways_of(date, self.first_serial))

    def _add(self, account: str, debit: int, credit: int) -> None:
        for scope in (account, ALL, SINCE):
            debits, credits_ = self._sums[scope]
            self._sums[scope] = (debits + debit, credits_ + credit)

    def _counts(self, row: int, cells: Sequence[str]) -> bool:
        at = self._at.get("status", -1)
        word = self._cell(cells, "status") if at >= 0 else ""
        counted = is_posted(self.header[at], word) if word else True
        if counted is None:
            fact = f"column {self.header[at]!r} says {word[:40]!r}"
            raise Refusal(STATUS_UNKNOWN.at(Place(file=self.file, line=self.header_row + row + 1), fact))
        return counted

    def _side(self, cells: Sequence[str]) -> tuple[int, str]:
        """The side a column of its own gives the amount, and what is wrong with the cell."""
        if "side" not in self._at:
            return 0, ""
        word = self._cell(cells, "side")
        side = side_of(word)
        title = self.header[self._at["side"]]
        return side, "" if side else f"column {title!r} says {word[:40]!r}, which is neither debit nor credit"

    def _figures(self, cells: Sequence[str]) -> Figures:
        """The amounts as printed: debit and credit, or a lone amount and nothing."""
        roles: tuple[Role, ...] = ("amount",) if "amount" in self._at else ("debit", "credit")
        texts = [self._cell(cells, role) for role in roles]
        values = [self._cents(text) if text else None for text in texts]
        unreadable = any(text and value is None for text, value in zip(texts, values, strict=True))
        return Figures(values[0], values[1] if len(values) > 1 else None, unreadable)

    def _posted_cents(self, figures: Figures) -> int | None:
        """The posting's amount as printed: debit positive, except for sides of their own and natural sides."""
        if figures.unreadable or figures.none:
            return None
        return (figures.debit or 0) + self._credited(figures.credit or 0)

    def _credited(self, credit: int) -> int:
        return credit if self.layout.signs == "credit_printed_negative" else -credit

    def _told(self, cells: Sequence[str], date: str, dated: bool, cents: int | None, wrong: str) -> str:
        if not dated:
            return f"the date {date[:40]!r} cannot be read"
        if cents is not None:
            return wrong
        roles: tuple[Role, ...] = ("amount", "debit", "credit")
        printed = " and ".join(repr(self._cell(cells, role)[:40]) for role in roles if self._cell(cells, role))
        return f"the amount {printed} cannot be read" if printed else "there is no amount"

    def _unread(self, row: int, fact: str) -> None:
        self.problems.append(ROW_UNREADABLE.at(Place(file=self.file, line=self.header_row + row + 1), fact))
