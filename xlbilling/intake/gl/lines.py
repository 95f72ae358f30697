"""The lines of a ledger export: what each row is (posting, opening, total ...), with its account, day and amount."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from xlbilling.intake.files.cells import unwrapped
from xlbilling.intake.files.dates import Evidence, ways_of
from xlbilling.intake.gl.accounts import printed_account
from xlbilling.intake.gl.cells import WRAPS, amount_cents, stored_cents
from xlbilling.intake.gl.layout import Layout, Role, heading, is_posted, side_of
from xlbilling.intake.gl.marks import BALANCE, PAGE, TOTAL, TOTAL_SAID, UNDATED_TOTAL, is_opening, totalled
from xlbilling.words.problems import Place, Problem, Refusal, declare

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
# A row's texts by what they are; a role that the header lacks is not there.
Cells = dict[Role, str]
_NOTHING: Final = (0, 0)


class Figures(NamedTuple):
    """The amount cells of a row, cents; `unreadable` where one of them holds something that is no amount."""

    debit: int | None
    credit: int | None
    unreadable: bool = False

    @property
    def none(self) -> bool:
        """Whether no amount is printed."""
        return self.debit is None and self.credit is None


class Line(NamedTuple):
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
    _sums: dict[str, Sums] = field(default_factory=dict)
    _whole: Sums = _NOTHING

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

    def _cells(self, row: Sequence[str]) -> Cells:
        """The row's texts by role."""
        last = len(row)
        texts = {role: row[at].strip() if at < last else "" for role, at in self._at.items()}
        for role, text in texts.items():
            if text[:1] in WRAPS:
                texts[role] = unwrapped(text)
        return texts

    def line(self, row: int, raw: Sequence[str]) -> Line:
        """What the next row is; `row` counts from 1 below the header, and rows must come in their order."""
        at = 0
        while at < len(raw) and not raw[at].strip():
            at += 1
        if at == len(raw):
            return Line(row, "blank")
        first = unwrapped(raw[at])
        if first.lower() == self._header_first and self._repeats_header(raw):
            return Line(row, "header")
        cells = self._cells(raw)
        printed, said = cells["date"], cells.get("description", "")
        dated = self._is_day(printed)
        labelled = first if not dated or first != printed else ""
        label = self._total_label(cells, labelled, said, dated)
        if label:
            return self._total(row, raw, cells, label)
        if is_opening(said) or is_opening(labelled) or (not dated and is_opening(printed)):
            return self._opening(row, raw, cells, printed if dated else "")
        if not dated:
            filled = {index for index, cell in enumerate(raw) if cell and not cell.isspace()}
            if len(filled - {self._at.get("balance", -1)}) == 1:
                return self._lone(row, cells, at, first)
        return self._posting(row, raw, cells, dated)

    def _repeats_header(self, raw: Sequence[str]) -> bool:
        names = [heading(cell) for cell in raw]
        return names[: len(self.header)] == list(self.header[: len(names)]) and any(names)

    def _total_label(self, cells: Cells, labelled: str, said: str, dated: bool) -> str:
        """The words by which a row is a total or a closing balance; "" where it is neither."""
        if cells.get("reference"):
            return ""
        if said and TOTAL_SAID.fullmatch(said):
            return said
        marks = [labelled if labelled != said else "", cells.get("account_name", ""), cells["date"]]
        label = next((text for text in marks if text and TOTAL.fullmatch(text)), "")
        if label or dated:
            return label
        return next((text for text in (*marks, cells.get("account", ""), said) if UNDATED_TOTAL.fullmatch(text)), "")

    def _total(self, row: int, raw: Sequence[str], cells: Cells, label: str) -> Line:
        """A printed total or closing balance: its figures, and the account it says it is of."""
        scope = totalled(label)
        account = ""
        if BALANCE.fullmatch(label):
            self._take_account(raw, cells)
            account = self._account[0]
        elif scope:
            account = printed_account(scope, self.known)[0]
            account = account if account in self._sums else self._account[0] if self.layout.account == "section" else ""
        figures = self._figures(cells)
        balance = cells.get("balance", "")
        return Line(
            row, "total", gl_account=account, description=label, debit=figures.debit, credit=figures.credit,
            balance=self._cents(balance) if balance else None,
        )  # fmt: skip

    def _take_account(self, raw: Sequence[str], cells: Cells) -> None:
        if self._segment_at:
            parts = [unwrapped(raw[index]) for index in self._segment_at if index < len(raw)]
            joined = "-".join(part for part in parts if part)
            if joined:
                self._account = (joined, cells.get("account_name", ""))
            return
        text = cells.get("account", "")
        if not text:
            return
        if text not in self._headings:
            if is_opening(text) or BALANCE.fullmatch(text):
                return
            self._headings[text] = printed_account(text, self.known)
        number, name = self._headings[text]
        self._account = (number, cells.get("account_name") or name)

    def _opening(self, row: int, raw: Sequence[str], cells: Cells, date: str) -> Line:
        self._take_account(raw, cells)
        printed = cells.get("balance", "")
        balance = self._cents(printed) if printed else None
        cents = balance if printed else self._posted_cents(self._figures(cells))
        if cents is None:
            self._unread(row, "the opening balance has no amount that can be read")
            return Line(row, "unread", date, *self._account)
        said = cells.get("description", "")
        return Line(row, "opening", date, *self._account, description=said, cents=cents, balance=balance)

    def _lone(self, row: int, cells: Cells, index: int, first: str) -> Line:
        """A row with one text (and perhaps a balance): a section heading, a page title or a closing note."""
        number, name = printed_account(first, self.known)
        in_section = self.layout.account == "section" and index == 0
        in_column = self.layout.account == "column" and index == self._at.get("account", -1)
        is_account = number in self.known or first[:1].isdigit() or in_section
        if first in self.titles or PAGE.search(first) or not (in_section or in_column) or not is_account:
            return Line(row, "note", description=first)
        self._headings[first] = self._account = (number, name)
        balance = cells.get("balance", "")
        cents = self._cents(balance) if balance and self._at.get("balance") != index else None
        return Line(row, "section" if cents is None else "opening", "", number, name, cents=cents, balance=cents)

    def _posting(self, row: int, raw: Sequence[str], cells: Cells, dated: bool) -> Line:
        own_account = bool(cells.get("account") or self._segment_at)
        figures = self._figures(cells)
        debit, credit = figures.debit, figures.credit
        if self._is_subtotal(cells, own_account, figures):
            account = self._account[0] if own_account or self.layout.account == "section" else ""
            return Line(row, "total", gl_account=account, debit=debit, credit=credit)
        self._take_account(raw, cells)
        if not cells["date"] and (self.layout.carried or self._same_entry(cells, own_account, figures)):
            carried: tuple[Role, ...] = tuple(self.layout.carried) or ("date", "reference")
            cells |= {role: self._above.get(role, "") for role in carried}
            dated = self._is_day(cells["date"])
        cents = self._posted_cents(figures)
        date, reference = cells["date"], cells.get("reference", "")
        said, source = cells.get("description", ""), cells.get("source", "")
        if not dated and cents is None and not reference:
            # neither a day nor an amount nor a number of its own: words such as a page's heading
            return Line(row, "note", description=said)
        self._above = cells
        side, wrong = self._side(cells)
        if not dated or cents is None or wrong:
            self._unread(row, self._told(cells, dated, cents, wrong))
            return Line(row, "unread", date if dated else "", *self._account, reference, said, source)
        if not self._counts(row, cells):
            return Line(row, "unposted", date, *self._account, reference, said, source, cents, side)
        self._look(date)
        self._add(self._account[0], debit or 0, credit or 0)
        printed = cells.get("balance")
        balance = self._cents(printed) if printed else None
        return Line(row, "posting", date, *self._account, reference, said, source, cents, side, debit, credit, balance)

    def _is_subtotal(self, cells: Cells, own_account: bool, figures: Figures) -> bool:
        """A row that is a total by its place and shape: no day, number or words, but for those of its account.

        Under each entry of a journal stands a subtotal without any words; elsewhere the figures must be the sums of
        rows above.
        """
        if cells["date"] or cells.get("reference"):
            return False
        wordless = not cells.get("source") and not cells.get("description") and not own_account
        if wordless and self.layout.account == "column":
            return True
        sums = (figures.debit or 0, figures.credit or 0)
        if sums == (0, 0) or self.layout.carried:
            return False
        account = printed_account(cells.get("account", ""), self.known)[0] if own_account else self._account[0]
        both = bool(sums[0] and sums[1])
        return sums in (self._sums.get(account), self._whole) and (both or not own_account)

    def _same_entry(self, cells: Cells, own_account: bool, figures: Figures) -> bool:
        """Whether a row without a date is a further line of the entry above, which printed its date once."""
        if figures.none or not self._above.get("date"):
            return False
        above = self._above.get("reference", "")
        if self.layout.account == "section":
            return bool(above) and cells.get("reference", "") == above
        return own_account and cells.get("reference", "") in ("", above)

    def _look(self, date: str) -> None:
        if date not in self._looked:
            self._looked.add(date)
            self.dates.look(date, ways_of(date, self.first_serial))

    def _add(self, account: str, debit: int, credit: int) -> None:
        debits, credits_ = self._sums.get(account, _NOTHING)
        self._sums[account] = (debits + debit, credits_ + credit)
        self._whole = (self._whole[0] + debit, self._whole[1] + credit)

    def _counts(self, row: int, cells: Cells) -> bool:
        word = cells.get("status", "")
        title = self.header[self._at["status"]] if word else ""
        counted = is_posted(title, word) if word else True
        if counted is None:
            fact = f"column {title!r} says {word[:40]!r}"
            raise Refusal(STATUS_UNKNOWN.at(Place(file=self.file, line=self.header_row + row + 1), fact))
        return counted

    def _side(self, cells: Cells) -> tuple[int, str]:
        """The side a column of its own gives the amount, and what is wrong with the cell."""
        if "side" not in self._at:
            return 0, ""
        word = cells["side"]
        side = side_of(word)
        title = self.header[self._at["side"]]
        return side, "" if side else f"column {title!r} says {word[:40]!r}, which is neither debit nor credit"

    def _figures(self, cells: Cells) -> Figures:
        """The amounts as printed: debit and credit, or a lone amount and nothing."""
        lone = cells.get("amount")
        debit, credit = (cells.get("debit", ""), cells.get("credit", "")) if lone is None else (lone, "")
        debits = self._cents(debit) if debit else None
        credits_ = self._cents(credit) if credit else None
        unreadable = bool((debit and debits is None) or (credit and credits_ is None))
        return Figures(debits, credits_, unreadable)

    def _posted_cents(self, figures: Figures) -> int | None:
        """The posting's amount as printed: debit positive, except for sides of their own and natural sides."""
        if figures.unreadable or figures.none:
            return None
        return (figures.debit or 0) + self._credited(figures.credit or 0)

    def _credited(self, credit: int) -> int:
        return credit if self.layout.signs == "credit_printed_negative" else -credit

    def _told(self, cells: Cells, dated: bool, cents: int | None, wrong: str) -> str:
        if not dated:
            return f"the date {cells['date'][:40]!r} cannot be read"
        if cents is not None:
            return wrong
        roles: tuple[Role, ...] = ("amount", "debit", "credit")
        printed = " and ".join(repr(cells[role][:40]) for role in roles if cells.get(role))
        return f"the amount {printed} cannot be read" if printed else "there is no amount"

    def _unread(self, row: int, fact: str) -> None:
        self.problems.append(ROW_UNREADABLE.at(Place(file=self.file, line=self.header_row + row + 1), fact))
