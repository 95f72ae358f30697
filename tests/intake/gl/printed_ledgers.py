"""One small ledger printed in every layout, the way each accounting system lays its report out.

Each printer returns the file's rows and where the postings stand: {row below the header: posting}.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Rows = list[list[str]]
START = dt.date(2026, 7, 1)


@dataclass(frozen=True)
class Posting:
    """One line of the ledger, cents debit positive."""

    day: dt.date
    entry: int
    account: str
    reference: str
    words: str
    source: str
    cents: int


NAMES = {"1021": "Cash Clearing", "1310": "A/R - Water", "2310": "Customer Deposits", "4010": "Water Sales"}
OPENINGS = {"1021": 0, "1310": 123_456, "2310": -50_000, "4010": 0}
CREDIT_NORMAL = ("2310", "4010")

_D = dt.date
POSTINGS = (
    Posting(_D(2026, 7, 6), 1, "1310", "B100", "Billing batch BL0706-1", "UM", 128_409),
    Posting(_D(2026, 7, 6), 1, "4010", "B100", "Billing batch BL0706-1", "UM", -128_409),
    Posting(_D(2026, 7, 9), 2, "1021", "P200", "Payments batch LB0708-1", "CR", 120_407),
    Posting(_D(2026, 7, 9), 2, "1310", "P200", "Payments batch LB0708-1", "CR", -120_407),
    # a returned payment equal to the payment it turns round
    Posting(_D(2026, 7, 13), 3, "1021", "P201", "Payments batch NS0713-1", "CR", -120_407),
    Posting(_D(2026, 7, 13), 3, "1310", "P201", "Payments batch NS0713-1", "CR", 120_407),
    Posting(_D(2026, 7, 31), 4, "1021", "D300", "Total deposits received", "CR", 5),
    Posting(_D(2026, 7, 31), 4, "2310", "D300", "Total deposits received", "CR", -5),
)

Printed = tuple[Rows, dict[int, Posting]]


def money(cents: int, commas: bool = True) -> str:
    whole, part = divmod(abs(cents), 100)
    return (
        f"{'-' if cents < 0 else ''}{whole:,}.{part:02d}" if commas else f"{'-' if cents < 0 else ''}{whole}.{part:02d}"
    )


def _us(day: dt.date) -> str:
    return day.strftime("%m/%d/%Y")


def _sides(cents: int, empty: str = "") -> tuple[str, str]:
    return (money(cents), empty) if cents > 0 else (empty, money(-cents))


class _Sheet:
    """Rows under construction; `post` remembers where a posting went."""

    def __init__(self, above: Sequence[Sequence[str]], header: Sequence[str]):
        self.rows: Rows = [list(row) for row in above] + [list(header)]
        self._below = len(self.rows) - 1
        self.posted: dict[int, Posting] = {}

    def add(self, *cells: str) -> None:
        self.rows.append(list(cells))

    def post(self, posting: Posting, *cells: str) -> None:
        self.add(*cells)
        self.posted[len(self.rows) - 1 - self._below] = posting

    @property
    def done(self) -> Printed:
        return self.rows, self.posted


def _by_account() -> list[tuple[str, list[Posting]]]:
    return [(account, [p for p in POSTINGS if p.account == account]) for account in NAMES]


def _totals(postings: Sequence[Posting]) -> tuple[str, str]:
    """The debits and the credits of postings, as a report totals them."""
    return money(sum(p.cents for p in postings if p.cents > 0)), money(-sum(p.cents for p in postings if p.cents < 0))


def _ended(account: str) -> int:
    return OPENINGS[account] + sum(p.cents for p in POSTINGS if p.account == account)


def qbd() -> Printed:
    header = ["", "Type", "Date", "Num", "Adj", "Name", "Memo", "Split", "Debit", "Credit", "Balance"]
    sheet = _Sheet([["Some District"], ["Transaction Detail by Account"], [""]], header)
    for account, postings in _by_account():
        heading = f"{account} · {NAMES[account]}"
        balance = OPENINGS[account]
        sheet.add(heading, *[""] * 9, money(balance))
        for p in postings:
            balance += p.cents
            debit, credit = _sides(p.cents)
            sheet.post(
                p,
                "",
                "Payment",
                _us(p.day),
                p.reference,
                "",
                "0001028",
                p.words,
                "-SPLIT-",
                debit,
                credit,
                money(balance),
            )
        sheet.add(f"Total {heading}", *[""] * 7, *_totals(postings), money(balance))
    sheet.add("TOTAL", *[""] * 7, *_totals(POSTINGS), "")
    return sheet.done


def qbd_journal() -> Printed:
    header = ["Trans #", "Type", "Date", "Num", "Name", "Memo", "Account", "Debit", "Credit"]
    sheet = _Sheet([["Some District"], ["Journal"], ["July 2026"], [""]], header)
    last = 0
    for p in POSTINGS:
        first = p.entry != last
        last = p.entry
        head = [str(p.entry), "Journal", _us(p.day), p.reference] if first else [""] * 4
        sheet.post(p, *head, "0001028", p.words, f"{p.account} · {NAMES[p.account]}", *_sides(p.cents))
        if not first:
            sheet.add(*[""] * 7, *_totals([q for q in POSTINGS if q.entry == p.entry]))
    sheet.add("TOTAL", *[""] * 6, *_totals(POSTINGS))
    return sheet.done


def qbo() -> Printed:
    header = ["", "Date", "Transaction Type", "Num", "Name", "Memo/Description", "Split", "Amount", "Balance"]
    sheet = _Sheet([["Some District"], ["General Ledger"], ["July 2026"], [""]], header)
    for account, postings in _by_account():
        natural = -1 if account in CREDIT_NORMAL else 1
        balance = OPENINGS[account] * natural
        sheet.add(f"{account} {NAMES[account]}", *[""] * 8)
        sheet.add("", "Beginning Balance", *[""] * 6, money(balance))
        for p in postings:
            balance += p.cents * natural
            cells = [_us(p.day), "Payment", p.reference, "0001028", p.words, "-SPLIT-"]
            sheet.post(p, "", *cells, money(p.cents * natural), money(balance))
        sheet.add(f"Total for {account} {NAMES[account]}", *[""] * 6, f"${money(balance)}", "")
    sheet.add(*[""] * 9)
    sheet.add("Accrual Basis  Tuesday, August 04, 2026 09:14 AM GMT-07:00", *[""] * 8)
    return sheet.done


def qbo_new() -> Printed:
    names = ["Transaction date", "Transaction type", "Num", "Name", "Memo/Description", "Split account"]
    header = ["", "Distribution account", *names, "Amount", "Balance"]
    sheet = _Sheet([["General Ledger"], ["Some District"], ["July 2026"], [""]], header)
    for account, postings in _by_account():
        natural = -1 if account in CREDIT_NORMAL else 1
        heading = f"{account} {NAMES[account]}"
        sheet.add(heading, *[""] * 9)
        sheet.add("", "Beginning Balance", *[""] * 7, money(OPENINGS[account] * natural))
        for p in postings:
            cells = [_us(p.day), "Payment", p.reference, "0001028", p.words, "-SPLIT-"]
            sheet.post(p, "", heading, *cells, money(p.cents * natural), "0.00")
        total = sum(p.cents for p in postings) * natural
        sheet.add(f"Total for {heading}", *[""] * 7, f"${money(total)}", "")
    return sheet.done


def intacct_report() -> Printed:
    names = ["Posted dt.", "Doc dt.", "Doc", "Memo/Description", "Department", "Location", "Txn No", "JNL"]
    above = [["Company name:", "Some District"], ["Start date:", "07/01/2026"], [""]]
    sheet = _Sheet(above, [*names, "Debit", "Credit", "Balance"])
    for account, postings in _by_account():
        sheet.add(f"{account} - {NAMES[account]}", *[""] * 10)
        sheet.add("", "", "", "Balance forward (As of 07/01/2026)", *[""] * 6, money(OPENINGS[account]))
        for p in postings:
            day = _us(p.day)
            sheet.post(p, day, day, p.reference, p.words, "Water", "100", "1001", p.source, *_sides(p.cents), "0.00")
        sheet.add(f"Totals for {account} - {NAMES[account]}", *[""] * 7, *_totals(postings), money(_ended(account)))
        sheet.add(*[""] * 11)
    sheet.add("Grand total", *[""] * 7, *_totals(POSTINGS), "")
    return sheet.done


def intacct_journal() -> Printed:
    header = ["JOURNAL", "DATE", "DESCRIPTION", "REFERENCE_NO", "LINE_NO", "ACCT_NO", "MEMO", "DEBIT", "CREDIT"]
    sheet = _Sheet([], header)
    number = 0
    for before, p in zip((None, *POSTINGS), POSTINGS, strict=False):
        first = before is None or before.entry != p.entry
        number = 1 if first else number + 1
        head = [p.source, _us(p.day), p.words, p.reference] if first else [""] * 4
        sheet.post(p, *head, str(number), p.account, p.words, *(text.replace(",", "") for text in _sides(p.cents)))
    return sheet.done


def xero() -> Printed:
    names = ["Date", "Source", "Description", "Reference", "Debit", "Credit", "Running Balance", "Gross", "Tax"]
    above = [["Account Transactions"], ["Some District"], ["For the period 1 July 2026 to 31 July 2026"], []]
    sheet = _Sheet(above, names)

    def signed(cents: int) -> str:
        return money(cents) if cents >= 0 else f"({money(-cents)})"

    for account, postings in _by_account():
        balance = OPENINGS[account]
        sheet.add(NAMES[account])
        sheet.add("Opening Balance", "", "", "", *_sides(balance, "0.00"), signed(balance), "0.00", "0.00")
        for p in postings:
            balance += p.cents
            sides = _sides(p.cents, "0.00")
            words = p.words.replace(" batch", "\nbatch")
            day = p.day.strftime("%d %b %Y")
            sheet.post(p, day, "Manual Journal", words, p.reference, *sides, signed(balance), signed(p.cents), "0.00")
        sheet.add(f"Total {NAMES[account]}", "", "", "", *_totals(postings), "", "", "")
        sheet.add("Closing Balance", "", "", "", "0.00", "0.00", signed(balance), "", "")
    sheet.add("Total", "", "", "", *_totals(POSTINGS), "", "", "")
    return sheet.done


def springbrook() -> Printed:
    names = ["Batch", "Post Date", "Fund", "Account Number", "Account Description", "Reference"]
    sheet = _Sheet([["General Ledger Distribution"], [""]], [*names, "Debit Amount", "Credit Amount"])
    for p in POSTINGS:
        cells = [f"{p.source} 051{p.entry}", _us(p.day), "60", p.account, NAMES[p.account], p.reference]
        sheet.post(p, *cells, *_sides(p.cents, "0.00"))
        if p is [q for q in POSTINGS if q.entry == p.entry][-1]:
            sheet.add("", "", "", "", "Batch Total", "", *_totals([q for q in POSTINGS if q.entry == p.entry]))
    sheet.add("", "", "", "", "Grand Total", "", *_totals(POSTINGS))
    return sheet.done


def caselle() -> Printed:
    names = ["Account Number", "Account Title", "Date", "Journal", "Reference Number", "Payee or Description"]
    sheet = _Sheet([["Some District", "Detail Ledger"], [""]], [*names, "Debit Amount", "Credit Amount", "Balance"])

    def trailing(cents: int) -> str:
        return money(cents) if cents >= 0 else f"{money(-cents)}-"

    for account, postings in _by_account():
        title = NAMES[account].upper()
        sheet.add(account, title, "07/01/26", "", "", "BEGINNING BALANCE", "", "", trailing(OPENINGS[account]))
        for p in postings:
            sides = (trailing(p.cents), "") if p.cents > 0 else ("", trailing(p.cents))
            sheet.post(p, "", "", p.day.strftime("%m/%d/%y"), p.source, p.reference, p.words, *sides, "0.00")
        debits, credits_ = _totals(postings)
        words = "07/26 (07/31/2026) Period Totals and Balance"
        sheet.add("", "", "07/31/26", "", "", words, debits, f"{credits_}-", trailing(_ended(account)))
        sheet.add(*[""] * 9)
    return sheet.done


def munis() -> Printed:
    names = ["ORG", "OBJECT", "PROJECT", "YEAR", "PER", "JOURNAL", "SRC", "EFF DATE", "REF1", "REF2", "DESCRIPTION"]
    sheet = _Sheet([], [*names, "D/C", "AMOUNT"])
    for p in POSTINGS:
        side = "D" if p.cents > 0 else "C"
        cells = ["600", p.account, "", "2027", "01", "101", p.source, _us(p.day), p.reference, "", p.words]
        sheet.post(p, *cells, side, money(abs(p.cents), commas=False))
    return sheet.done


def netsuite() -> Printed:
    names = ["Internal ID", "Date", "Period", "Type", "Document Number", "Account", "Name", "Memo", "Debit", "Credit"]
    sheet = _Sheet([], [*names, "Subsidiary"])
    for p in POSTINGS:
        day = f"{p.day.month}/{p.day.day}/{p.day.year}"
        cells = [str(50_000 + p.entry), day, "Jul 2026", "Payment", p.reference, f"{p.account} {NAMES[p.account]}"]
        sheet.post(p, *cells, "0001028", p.words, *_sides(p.cents), "Some District")
    return sheet.done


def plain_dc() -> Printed:
    sheet = _Sheet([], ["Date", "Account", "Account Name", "Reference", "Description", "Debit", "Credit"])
    for p in POSTINGS:
        cells = [p.day.isoformat(), p.account, NAMES[p.account], p.reference, p.words]
        sheet.post(p, *cells, *(text.replace(",", "") for text in _sides(p.cents)))
    return sheet.done


def signed() -> Printed:
    sheet = _Sheet([["GL activity July 2026"]], ["Posting Date", "GL Account", "Amount", "Description", "Source"])
    for p in POSTINGS:
        amount = money(p.cents) if p.cents > 0 else f"({money(-p.cents)})"
        sheet.post(p, p.day.strftime("%d-%b-%Y"), p.account, amount, f"{p.reference} {p.words}", p.source)
    return sheet.done


def legacy_crdr() -> Printed:
    """Every five lines the title and the header are printed again, as at the head of a page."""
    title = ["SOME DISTRICT GENERAL LEDGER", "", "", "", "", ""]
    header = ["ACCT NO", "POST DT", "SRC", "REF NO", "DESCRIPTION", "AMOUNT"]
    sheet = _Sheet([title], header)
    page = 1

    def turn() -> None:
        nonlocal page
        if len(sheet.rows) % 5 == 0:
            page += 1
            sheet.add(*title)
            sheet.add(f"07/31/2026 PAGE {page}", "", "", "", "", "")
            sheet.add(*header)

    for account, postings in _by_account():
        side = "CR" if OPENINGS[account] < 0 else "DR"
        sheet.add(account, "", "", "", "BALANCE FORWARD", f"{money(abs(OPENINGS[account]))} {side}")
        for p in postings:
            turn()
            amount = f"{money(abs(p.cents))} {'DR' if p.cents > 0 else 'CR'}"
            sheet.post(p, p.account, p.day.strftime("%Y%m%d"), p.source, p.reference, p.words, amount)
        total = sum(p.cents for p in postings)
        amount = f"{money(abs(total))} {'DR' if total >= 0 else 'CR'}"
        sheet.add(account, "20260731", "", "", "** ACCOUNT TOTAL **", amount)
    return sheet.done


PRINTERS: dict[str, Callable[[], Printed]] = {
    printer.__name__: printer
    for printer in (
        qbd, qbd_journal, qbo, qbo_new, intacct_report, intacct_journal, xero, springbrook, caselle, munis, netsuite,
        plain_dc, signed, legacy_crdr,
    )
}  # fmt: skip
