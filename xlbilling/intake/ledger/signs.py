"""Signs of a natural-side export: which accounts print credits as positive amounts, shown by the entries themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from xlbilling.intake.ledger.lines import Line
from xlbilling.problems import Place, Problem, declare

SIGN_UNPROVEN: Final = declare(
    "ledger_sign_unproven",
    "An export prints amounts on each account's natural side, and no entry shows which side an account is on.",
    "Check that the account stands under credit_normal in the ledger map exactly if it is a credit account.",
    severity="info",
)


def debit_positive(lines: list[Line], credit_normal: AbstractSet[str], file: str) -> tuple[list[Line], list[Problem]]:
    """The same lines with every amount debit positive.

    A credit-normal account is turned if its entries balance when turned, left if they balance as printed; the map's
    word stands where no entry tells (and the problem list says so). Entries are the lines of one day and reference.
    """
    entries: dict[tuple[object, str], list[Line]] = defaultdict(list)
    for line in lines:
        if line.kind == "posting" and line.reference:
            entries[(line.date, line.reference)].append(line)
    turned_wins, printed_wins, together = _votes(entries.values(), credit_normal)
    problems: list[Problem] = []
    turn: set[str] = set()
    seen = {line.gl_account for line in lines if line.cents is not None} & credit_normal
    proven = {account for account in seen if turned_wins[account] != printed_wins[account]}
    for account in sorted(seen, key=lambda account: (account not in proven, account)):
        partners = together[account] & proven
        if account not in proven and partners:
            # its entries balance against proven accounts on the same side, so it prints as they do
            turn |= {account} if partners & turn else set()
        elif turned_wins[account] >= printed_wins[account]:
            turn.add(account)
        if account not in proven and not partners:
            fact = f"account {account}: no balanced entry shows its side; it is read as a credit account"
            problems.append(SIGN_UNPROVEN.at(Place(file=file), fact))
    cents = ((line, line.cents) for line in lines)
    return [replace(x, cents=-c) if c is not None and x.gl_account in turn else x for x, c in cents], problems


_Votes = tuple[dict[str, int], dict[str, int], dict[str, set[str]]]


def _votes(entries: Iterable[list[Line]], credit: AbstractSet[str]) -> _Votes:
    """How many entries balance with an account turned, how many as printed, and with which accounts it is alone."""
    turned: dict[str, int] = defaultdict(int)
    printed: dict[str, int] = defaultdict(int)
    together: dict[str, set[str]] = defaultdict(set)
    for entry in entries:
        touched = {line.gl_account for line in entry} & credit
        on_credit = sum(line.cents or 0 for line in entry if line.gl_account in credit)
        on_debit = sum(line.cents or 0 for line in entry if line.gl_account not in credit)
        if not on_credit and not on_debit and len(touched) > 1:
            for account in touched:
                together[account] |= touched - {account}
        if not touched or not on_credit:
            continue
        for account in touched:
            turned[account] += on_debit == on_credit
            printed[account] += on_debit == -on_credit
    return turned, printed, together
