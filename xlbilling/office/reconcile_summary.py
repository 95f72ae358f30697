"""The workpaper's first sheet: the control table as an accountant lays it out, in live formulas, and the sign-off."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from xlsxwriter.utility import xl_rowcol_to_cell

from xlbilling.intake.ledger import LedgerMap
from xlbilling.reconcile import CONFIDENCES, REASONS, UNPROVEN, Reconciliation

_FIRST: Final = 1
_LATE: Final = "opening"


@dataclass(slots=True)
class Statement:
    """The control table while it is written: one column per control account, then the total of them all."""

    sheet: Any
    accounts: Sequence[str]
    row: int
    at: dict[str, int] = field(default_factory=dict)

    def part(self, words: str) -> None:
        """A line that opens a part of the statement."""
        for column in range(len(self.accounts) + 2):
            self.sheet.page.write_blank(self.row, column, None, self.sheet.looks["part"])
        self.sheet.page.write_string(self.row, 0, words, self.sheet.looks["part"])
        self.row += 1

    def line(self, name: str, words: str, cents: Mapping[str, int], formula: str = "", look: str = "money") -> None:
        """One line: amounts, or `formula` per account with {name} for that account's cell of an earlier line.

        The last column adds the accounts up.
        """
        page, looks = self.sheet.page, self.sheet.looks
        labels = {"money": "indent", "sum": "sum_label", "end": "end_label"}
        page.write_string(self.row, 0, words, looks[labels[look]])
        for column, account in enumerate(self.accounts, _FIRST):
            value = cents[account] / 100
            if formula:
                cells = {known: xl_rowcol_to_cell(row, column) for known, row in self.at.items()}
                head = xl_rowcol_to_cell(self.at["head"], column, row_abs=True)
                page.write_formula(
                    self.row, column, "=" + formula.format(**{**cells, "head": head}), looks[look], value
                )
            else:
                page.write_number(self.row, column, value, looks[look])
        last = len(self.accounts)
        span = f"{xl_rowcol_to_cell(self.row, _FIRST)}:{xl_rowcol_to_cell(self.row, last)}"
        total = sum(cents[account] for account in self.accounts) / 100
        page.write_formula(self.row, last + 1, f"=SUM({span})", looks["total" if look == "money" else look], total)
        self.at[name] = self.row
        self.row += 1


def write_summary(
    sheet: Any,
    result: Reconciliation,
    mapping: LedgerMap,
    about: tuple[str, int],
    labels: Mapping[str, str],
    remedies: Mapping[str, str],
) -> None:
    """Fill the Summary sheet: heading, statement, verdict, counts and the lines to sign.

    `about` is what was reconciled, in words, and how many rows of the export could not be read.
    """
    page, looks = sheet.page, sheet.looks
    accounts = result.control["gl_account"].tolist()
    page.hide_gridlines(2)
    page.set_column(0, 0, 44)
    page.set_column(1, len(accounts) + 1, 15)
    page.set_column(len(accounts) + 2, len(accounts) + 2, 62)
    page.set_row(0, 24)
    page.write_string(0, 0, "Subledger to general ledger reconciliation", looks["title"])
    page.write_string(1, 0, about[0], looks["said"])
    for row, (words, day) in enumerate((("Period from", mapping.period.start), ("Period to", mapping.period.end)), 2):
        page.write_string(row, 0, words, looks["label"])
        page.write_datetime(row, 1, dt.datetime.combine(day, dt.time()), looks["date"])
    sheet.book.define_name("PeriodEnd", "=Summary!$B$4")
    statement = Statement(sheet, accounts, 5)
    _heads(statement)
    _rolls(statement, result)
    _explains(statement, result, labels)
    _advises(statement, remedies, result.difference_unexplained != 0)
    _verdict(statement, result, about[1])
    _signs(statement)
    page.freeze_panes(6, 1)
    page.set_landscape()
    page.set_paper(1)
    page.fit_to_pages(1, 1)
    page.set_margins(left=0.5, right=0.5, top=0.7, bottom=0.7)
    page.set_footer("&L&9&F&R&9Page &P of &N")


def _heads(statement: Statement) -> None:
    page, looks = statement.sheet.page, statement.sheet.looks
    page.write_string(statement.row, 0, "Control account", looks["head"])
    for column, account in enumerate(statement.accounts, _FIRST):
        page.write_string(statement.row, column, account, looks["head_right"])
    page.write_string(statement.row, len(statement.accounts) + 1, "All accounts", looks["head_right"])
    statement.at["head"] = statement.row
    statement.row += 1


def _rolls(statement: Statement, result: Reconciliation) -> None:
    table = result.control.set_index("gl_account")
    cents = {name: {str(a): int(v) for a, v in table[name].items()} for name in table.columns}
    statement.part("Subledger (billing)")
    statement.line("beginning", "Beginning balance", cents["beginning"])
    statement.line("billed", "Billed", cents["billed"])
    statement.line("received", "Received", cents["received"])
    statement.line("adjusted", "Adjusted, applied, refunded, written off", cents["adjusted"])
    rolled = "ROUND({beginning}+{billed}+{received}+{adjusted},2)"
    statement.line("ending_subledger", "Ending balance, subledger", cents["ending_subledger"], rolled, "sum")
    statement.part("General ledger")
    statement.line("gl_opening", "Beginning balance", cents["gl_opening"])
    statement.line("gl_activity", "Posted in the period", cents["gl_activity"])
    statement.line(
        "ending_gl", "Ending balance, general ledger", cents["ending_gl"], "ROUND({gl_opening}+{gl_activity},2)", "sum"
    )
    apart = "ROUND({ending_subledger}-{ending_gl},2)"
    statement.line("difference", "Difference (subledger - general ledger)", cents["difference"], apart, "end")


def _explains(statement: Statement, result: Reconciliation, labels: Mapping[str, str]) -> None:
    """One line per reason, added up from the other sheets; then what is explained and what is left."""
    statement.part("The difference is explained by")
    table = result.by_reason.pivot_table(
        index="reason", columns="gl_account", values="cents", aggfunc="sum", fill_value=0
    )
    listed = {*result.unmatched_subledger["reason"], *result.unmatched_gl["reason"], *table.index, *_inexact(result)}
    names = []
    late = _late(result)
    known = {reason: {a: int(table.loc[reason].get(a, 0)) for a in statement.accounts} for reason in table.index}
    none = dict.fromkeys(statement.accounts, 0)
    for reason in (name for name in (*REASONS, *CONFIDENCES[1:]) if name in listed - UNPROVEN):
        statement.line(reason, labels[reason], known.get(reason, none), _added(reason, labels[reason]))
        names.append(reason)
    if any(late.values()):
        statement.line(_LATE, "Beginning balances: prior-period rows posted late", late)
        names.append(_LATE)
    control = result.control.set_index("gl_account")
    explained = {str(a): int(v) for a, v in control["explained"].items()}
    sums = "ROUND(" + ("+".join(f"{{{name}}}" for name in names) or "0") + ",2)"
    statement.line("explained", "Explained", explained, sums, "sum")
    left = {str(a): int(v) for a, v in control["unexplained"].items()}
    statement.line("unexplained", "Unexplained", left, "ROUND({difference}-{explained},2)", "end")
    for reason in sorted(listed & UNPROVEN):
        statement.line(
            reason, f"of which {labels[reason].lower()}", known.get(reason, none), _added(reason, labels[reason])
        )


def _advises(statement: Statement, remedies: Mapping[str, str], left: bool) -> None:
    """What to do about each reason, beside its line, and about what is `left` unexplained."""
    page, looks, column = statement.sheet.page, statement.sheet.looks, len(statement.accounts) + 2
    for name, row in statement.at.items():
        if name in remedies and (name != "unexplained" or left):
            page.write_string(row, column, remedies[name], looks["note"])


def _inexact(result: Reconciliation) -> set[str]:
    return set(result.matches["confidence"]) - {CONFIDENCES[0]}


def _added(reason: str, label: str) -> str:
    if reason in CONFIDENCES:
        return f'ROUND(SUMIFS(Matches[Difference],Matches[GL account],{{head}},Matches[Confidence],"{reason}"),2)'
    tables = ("UnmatchedSubledger", "UnmatchedGL")
    sums = "+".join(f'SUMIFS({t}[At period end],{t}[GL account],{{head}},{t}[Reason],"{label}")' for t in tables)
    return f"ROUND({sums},2)"


def _late(result: Reconciliation) -> dict[str, int]:
    return {str(row["gl_account"]): int(row["late_in_opening"]) for row in result.control.to_dict("records")}


def _verdict(statement: Statement, result: Reconciliation, unread: int) -> None:
    page, looks, row = statement.sheet.page, statement.sheet.looks, statement.row + 1
    gross = _gross(statement, row + 1, result)
    left = xl_rowcol_to_cell(row + 2, 1, row_abs=True, col_abs=True)
    good, bad = "Every cent of difference is explained.", "A difference is left that no row explains."
    said = good if result.difference_unexplained == 0 else bad
    page.write_formula(row, 0, f'=IF({left}=0,"{good}","{bad}")', looks["verdict"], said)
    cell = xl_rowcol_to_cell(row, 0)
    for criterion, look in (("=0", "good"), ("<>0", "bad")):
        rule = {"type": "formula", "criteria": f"={left}{criterion}", "format": looks[look]}
        page.conditional_format(f"{cell}:{cell}", rule)
    counts = result.matches["confidence"].value_counts()
    said_counts = (
        ("Matches, exact", counts.get("exact", 0)),
        ("Matches, within five cents", counts.get("tolerance", 0)),
        ("Matches, ambiguous", counts.get("ambiguous", 0)),
        ("Subledger lines without a match", len(result.unmatched_subledger)),
        ("GL rows without a match", len(result.unmatched_gl)),
        ("Rows of the export that could not be read", unread),
    )
    for offset, (words, count) in enumerate(said_counts, 1 + gross):
        page.write_string(row + offset, 0, words, looks["indent"])
        page.write_number(row + offset, 1, int(count), looks["count"])
    statement.row = row + gross + len(said_counts) + 2


def _gross(statement: Statement, row: int, result: Reconciliation) -> int:
    """Two lines: the difference explained and unexplained, added up without netting one account against another."""
    page, looks = statement.sheet.page, statement.sheet.looks
    said = (("explained", result.difference_explained), ("unexplained", result.difference_unexplained))
    for offset, (name, cents) in enumerate(said):
        first, last = (xl_rowcol_to_cell(statement.at[name], column) for column in (_FIRST, len(statement.accounts)))
        page.write_string(row + offset, 0, f"Difference {name}, no netting between accounts", looks["indent"])
        page.write_formula(row + offset, 1, f"=SUMPRODUCT(ABS({first}:{last}))", looks["money"], cents / 100)
    return len(said)


def _signs(statement: Statement) -> None:
    """The lines to sign: who prepared and who reviewed, and when."""
    page, looks = statement.sheet.page, statement.sheet.looks
    for words in ("Prepared by", "Reviewed by"):
        page.write_string(statement.row, 0, words, looks["label"])
        for column in (1, 2):
            page.write_blank(statement.row, column, None, looks["sign"])
        page.write_string(statement.row, 3, "Date", looks["label"])
        page.write_blank(statement.row, 4, None, looks["sign"])
        page.set_row(statement.row, 22)
        statement.row += 1
