"""Made months: a billing office's lines, the postings an accounting system would show for them, and slips put in.

A slip changes the ledger (or our lines) the way people do, and says which rows the reconciliation must name and why.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field

import pandas as pd

from xlbilling.trade.reconcile import Terms

START, END = dt.date(2026, 7, 1), dt.date(2026, 7, 31)
OWN = ("CASH", "AR-WATER", "AR-SEWER", "AR-PENALTY", "DEPOSITS", "REV-BASE", "REV-USE", "REV-SEWER", "REV-PENALTY")
APART = {code: f"1{n:02d}0" for n, code in enumerate(OWN)}
TOGETHER = {**APART, "AR-SEWER": APART["AR-WATER"], "AR-PENALTY": APART["AR-WATER"], "REV-USE": APART["REV-BASE"]}
LINE = ["id", "post_date", "kind", "account_id", "batch", "reference", "gl_account", "amount_cents"]
ROW = ["row", "date", "gl_account", "reference", "description", "source", "amount_cents", "kind"]
CASH_KINDS = ("payment", "deposit_in")


def terms(accounts: dict[str, str] | None = None) -> Terms:
    places = accounts or APART
    control = tuple(dict.fromkeys(places[code] for code in ("AR-WATER", "AR-SEWER", "AR-PENALTY", "DEPOSITS")))
    return Terms(START, END, places, control)


@dataclass
class Row:
    """A GL row being made; `key` is the document, batch or day and journal it sums."""

    date: dt.date
    account: str
    reference: str
    description: str
    source: str
    cents: int
    key: tuple[str, ...]
    wanted: str = ""
    lines: list[str] = field(default_factory=list)


class Month:
    """A month posted by `grain` (document, batch or day), before any slip."""

    def __init__(self, seed: int, grain: str, accounts: dict[str, str], customers: int = 30):
        self.chance = random.Random(seed)
        self.grain, self.accounts = grain, accounts
        self.lines: list[dict[str, object]] = []
        self.wanted: dict[str, str] = {}
        self._bill(customers)
        self.rows = self._post()

    def _line(self, day: dt.date, kind: str, customer: str, batch: str, reference: str, own: str, cents: int) -> None:
        ident = f"S{len(self.lines) + 1:06d}"
        self.lines.append(dict(zip(LINE, (ident, day, kind, customer, batch, reference, own, cents), strict=True)))

    def _bill(self, customers: int) -> None:
        amount = self.chance.randrange
        number = 1000
        for who in range(customers):
            customer = f"{who:07d}"
            number += 1
            day = START + dt.timedelta(days=5 + 7 * (who % 3))
            batch, bill = f"BL{day:%m%d}-1", f"B{number}"
            base, use, sewer = amount(2_000, 4_000), amount(500, 15_000), amount(1_000, 6_000)
            self._line(day, "billing", customer, batch, bill, "AR-WATER", base + use)
            self._line(day, "billing", customer, batch, bill, "REV-BASE", -base)
            self._line(day, "billing", customer, batch, bill, "REV-USE", -use)
            self._line(day, "billing", customer, batch, bill, "AR-SEWER", sewer)
            self._line(day, "billing", customer, batch, bill, "REV-SEWER", -sewer)
            day = START + dt.timedelta(days=amount(1, 25))
            water, sewer = amount(2_000, 20_000), amount(1_000, 6_000)
            batch, paid = f"LB{day:%m%d}-1", f"P{number}"
            self._line(day, "payment", customer, batch, paid, "CASH", water + sewer)
            self._line(day, "payment", customer, batch, paid, "AR-WATER", -water)
            self._line(day, "payment", customer, batch, paid, "AR-SEWER", -sewer)
            if who % 6 == 0:
                # on the day of a payment, so that one day has credits of both journals
                credit = amount(100, 3_000)
                self._line(day, "adjustment", customer, f"AJ{day:%m%d}-1", f"A{number}", "AR-WATER", -credit)
                self._line(day, "adjustment", customer, f"AJ{day:%m%d}-1", f"A{number}", "REV-USE", credit)
            if who % 4 == 0:
                day, fee = START + dt.timedelta(days=18), amount(100, 2_000)
                self._line(day, "penalty", customer, f"PN{day:%m%d}-1", f"L{number}", "AR-PENALTY", fee)
                self._line(day, "penalty", customer, f"PN{day:%m%d}-1", f"L{number}", "REV-PENALTY", -fee)
            if who % 5 == 0:
                day, held = START + dt.timedelta(days=amount(1, 25)), amount(5_000, 20_000)
                self._line(day, "deposit_in", customer, f"DI{day:%m%d}-1", f"D{number}", "CASH", held)
                self._line(day, "deposit_in", customer, f"DI{day:%m%d}-1", f"D{number}", "DEPOSITS", -held)

    def _post(self) -> list[Row]:
        made: dict[tuple[object, ...], Row] = {}
        lags: dict[object, int] = {}
        for line in self.lines:
            day, cash = line["post_date"], line["kind"] in CASH_KINDS
            journal = "CR" if cash else "UM"
            key = {
                "document": (str(line["reference"]),),
                "batch": (str(line["batch"]),),
                "day": (journal, f"{day:%m%d}"),
            }[self.grain]
            lag = lags.setdefault(key, self.chance.randrange(4) if cash and self.grain != "day" else 0)
            cents, account = int(str(line["amount_cents"])), self.accounts[str(line["gl_account"])]
            said = {"document": "", "batch": "UB batch ", "day": "Daily total "}[self.grain] + "".join(key)
            row = made.setdefault(
                (key, account, cents > 0),
                Row(day + dt.timedelta(days=lag), account, "".join(key), said, journal, 0, key),  # type: ignore[operator]
            )
            row.cents += cents
            row.lines.append(str(line["id"]))
        return sorted(made.values(), key=lambda row: (row.date, row.key))

    # ---- slips: each names what must be found

    def _want(self, row: Row, reason: str) -> None:
        row.wanted = reason
        for ident in row.lines:
            self.wanted[ident] = reason

    def _fresh(self, *, own: tuple[str, ...] = OWN) -> Row:
        """A row no slip has touched yet, nor any other row of its entry."""
        accounts = {self.accounts[code] for code in own}
        touched = {row.key for row in self.rows if row.wanted}
        return self.chance.choice([r for r in self.rows if r.key not in touched and r.account in accounts and r.lines])

    def amount_differs(self) -> None:
        row = self._fresh()
        self._want(row, "amount_differs")
        # neither within the tolerance, nor a multiple of nine, nor any line's amount
        row.cents += 100_000_001 if row.cents > 0 else -100_000_001

    def transposition(self) -> None:
        row = self._fresh()
        digits = list(str(abs(row.cents)))
        places = [n for n in range(len(digits) - 1) if digits[n] != digits[n + 1] and (n or digits[1] != "0")]
        # an exchange in the cents may be small enough to pass as rounding
        places = [n for n in places if abs(int(digits[n]) - int(digits[n + 1])) * 9 * 10 ** (len(digits) - 2 - n) > 5]
        if not places:
            return
        at = self.chance.choice(places)
        digits[at], digits[at + 1] = digits[at + 1], digits[at]
        self._want(row, "transposition")
        row.cents = int("".join(digits)) * (1 if row.cents > 0 else -1)

    def rounding(self) -> None:
        row = self._fresh()
        row.wanted = "tolerance"
        row.cents += self.chance.choice((-5, -2, -1, 1, 3, 5))

    def wrong_sign(self) -> None:
        key = self._fresh().key
        for row in [row for row in self.rows if row.key == key]:
            self._want(row, "wrong_sign")
            row.cents = -row.cents

    def wrong_account(self) -> None:
        row = self._fresh(own=("AR-WATER", "AR-SEWER"))
        taken = {other.account for other in self.rows if other.key == row.key}
        row.account, _ = next((a, n) for n, a in enumerate(self.accounts.values()) if a not in taken)
        self._want(row, "wrong_account")

    def duplicate_in_gl(self) -> None:
        key = self._fresh().key
        for row in [row for row in self.rows if row.key == key]:
            row.wanted = "matched"
            copy = Row(row.date, row.account, row.reference, row.description, row.source, row.cents, row.key)
            copy.wanted = "duplicate_in_gl"
            self.rows.append(copy)

    def missing_in_gl(self) -> None:
        key = self._fresh().key
        for row in [row for row in self.rows if row.key == key]:
            for ident in row.lines:
                self.wanted[ident] = "missing_in_gl"
        self.rows = [row for row in self.rows if row.key != key]

    def missing_in_subledger(self) -> None:
        like = self._fresh()
        reference = "LB0712-9" if self.grain != "document" else "P99999"
        for account, cents in ((self.accounts["CASH"], 777_701), (self.accounts["AR-WATER"], -777_701)):
            row = Row(like.date, account, reference, "Payments not known to us", "CR", cents, ("unknown",))
            row.wanted = "missing_in_subledger"
            self.rows.append(row)

    def manual_journal(self) -> None:
        for account, cents in ((self.accounts["DEPOSITS"], 12_345), (self.accounts["REV-USE"], -12_345)):
            row = Row(dt.date(2026, 7, 20), account, "JE-0101", "Manual journal - reclass", "GJ", cents, ("by hand",))
            row.wanted = "manual_journal"
            self.rows.append(row)

    def left_out(self) -> None:
        """One document is missing from its batch's or day's totals (a document of its own is simply not posted)."""
        row = self._fresh()
        by_id = {str(line["id"]): line for line in self.lines}
        document = by_id[self.chance.choice(row.lines)]["reference"]
        entry = [other for other in self.rows if other.key == row.key]
        for other in entry:
            # no second slip in this entry
            other.wanted = other.wanted or "matched"
            for ident in [ident for ident in other.lines if by_id[ident]["reference"] == document]:
                other.lines.remove(ident)
                other.cents -= int(str(by_id[ident]["amount_cents"]))
                self.wanted[ident] = "missing_in_gl"
        self.rows = [other for other in self.rows if other.lines or other.key != row.key]

    def duplicate_in_subledger(self) -> None:
        row = self._fresh()
        by_id = {str(line["id"]): line for line in self.lines}
        document = by_id[self.chance.choice(row.lines)]["reference"]
        for other in self.rows:
            if other.key == row.key:
                other.wanted = other.wanted or "matched"
        for line in [line for line in self.lines if line["reference"] == document]:
            copy = {**line, "id": f"C{line['id']}"}
            self.lines.append(copy)
            self.wanted[str(copy["id"])] = "duplicate_in_subledger"

    SLIPS = (
        "left_out", "duplicate_in_subledger",
        "amount_differs", "transposition", "rounding", "wrong_sign", "wrong_account", "duplicate_in_gl",
        "missing_in_gl", "missing_in_subledger", "manual_journal",
    )  # fmt: skip

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Both books, the ledger in an order of its own."""
        self.chance.shuffle(self.rows)
        ledger = [
            (n, row.date, row.account, row.reference, row.description, row.source, row.cents, "posting")
            for n, row in enumerate(self.rows, 1)
        ]
        return lines_frame(self.lines), rows_frame(ledger)


def lines_frame(lines: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=LINE)
    frame["post_date"] = pd.to_datetime(frame["post_date"])
    return frame.astype(
        {name: "str" for name in LINE if name not in ("post_date", "amount_cents")} | {"amount_cents": "int64"}
    )


def rows_frame(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=ROW)
    frame["date"] = pd.to_datetime(frame["date"])
    texts = ("gl_account", "reference", "description", "source", "kind")
    return frame.astype(dict.fromkeys(texts, "str") | {"amount_cents": "Int64", "row": "int64"})
