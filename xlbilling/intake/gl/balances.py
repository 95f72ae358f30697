"""An export's own printed figures, held against its rows: running balances, closing balances and totals.

A report that was cut off, filtered or changed by hand says so in its own figures.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.intake.gl.marks import BALANCE, totalled
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Problem, declare

PRINTED_DISAGREES: Final = declare(
    "ledger_printed_disagrees",
    "A balance or total that a ledger export prints is not what its rows add up to.",
    "See whether the export was filtered, cut off or changed by hand, and export the whole report again.",
    severity="review",
)
_TOLD_AT_MOST: Final = 20
# A column of balances counts as running where at least half of its steps are the amounts between them.
_MOSTLY: Final = 0.5

Ints = npt.NDArray[np.int64]


def check_printed(frame: pd.DataFrame, file: str, header_row: int) -> list[Problem]:
    """Every balance and total of an export that its rows do not add up to, with its row and both amounts.

    `frame`: a ledger export's rows in their order (see `LedgerExport`), with debit_cents, credit_cents and balance_cents
    as printed. Balances may be printed debit positive or on the account's natural side. A total counts as right if it
    is the sum of any rows it can mean: those of its account, those since the last total, or all above it.
    """
    facts = sorted([*_running(frame), *_closing(frame), *_totals(frame)])
    problems = [PRINTED_DISAGREES.at(Place(file=file, line=header_row + row + 1), fact) for row, fact in facts]
    more = len(problems) - _TOLD_AT_MOST
    if more > 0:
        last = PRINTED_DISAGREES.at(Place(file=file), f"{more} more printed balances or totals disagree")
        problems = [*problems[:_TOLD_AT_MOST], last]
    return problems


def _ints(column: pd.Series) -> Ints:
    return np.asarray(column.fillna(0).to_numpy(dtype=np.int64))


def _running(frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Steps of a running balance that are not the amounts posted between them."""
    kinds = frame["kind"]
    rows = frame[kinds.eq("opening") | kinds.eq("posting")]
    if not rows["balance_cents"].notna().any():
        return
    for account, own in rows.groupby("gl_account", sort=False):
        printed = np.flatnonzero(own["balance_cents"].notna().to_numpy())
        if len(printed) < 3:
            continue
        amounts = np.where(own["kind"].eq("posting"), _ints(own["amount_cents"]), 0)
        balances = _ints(own["balance_cents"])[printed]
        steps = np.diff(np.cumsum(amounts)[printed])
        moved = np.diff(balances)
        right = {side: moved == side * steps for side in (1, -1)}
        side = max(right, key=lambda sign: int(right[sign].sum()))
        if right[side].mean() < _MOSTLY:
            continue
        for at in np.flatnonzero(~right[side]).tolist():
            row = int(own["row"].to_numpy()[printed[at + 1]])
            due = int(balances[at] + side * steps[at])
            yield (
                row,
                f"account {account}: the balance is printed as {dollars(int(balances[at + 1]))}, by the rows it is {dollars(due)}",
            )


def _closing(frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Closing balances, and balances beside an account's total, that are not opening and postings."""
    at = np.flatnonzero(frame["kind"].eq("total") & frame["gl_account"].ne(""))
    if not len(at):
        return
    openings = _openings(frame)
    amounts = np.where(frame["kind"].eq("posting"), _ints(frame["amount_cents"]), 0)
    (sums,) = _of_accounts(frame, [amounts], at)
    totals: list[Any] = list(frame.iloc[at].itertuples(index=False))
    for total, posted in zip(totals, sums.tolist(), strict=True):
        closes = BALANCE.fullmatch(total.description) is not None
        printed = _balance_of(total) if closes else None if pd.isna(total.balance_cents) else int(total.balance_cents)
        opening = openings.get(str(total.gl_account), 0)
        if printed is not None and abs(printed) != abs(opening + posted):
            yield (
                int(total.row),
                f"account {total.gl_account}: the closing balance is printed as {dollars(printed)}, "
                f"opening {dollars(opening)} and rows {dollars(posted)} make {dollars(opening + posted)}",
            )


def _openings(frame: pd.DataFrame) -> dict[str, int]:
    """Each account's opening balance; its first where the report repeats it."""
    opened = frame[frame["kind"].eq("opening") & frame["amount_cents"].notna()].drop_duplicates("gl_account")
    return {str(a): int(c) for a, c in zip(opened["gl_account"], opened["amount_cents"], strict=True)}


def _balance_of(total: Any) -> int | None:
    if not pd.isna(total.balance_cents):
        return int(total.balance_cents)
    if pd.isna(total.debit_cents) and pd.isna(total.credit_cents):
        return None
    return int(0 if pd.isna(total.debit_cents) else total.debit_cents) - int(
        0 if pd.isna(total.credit_cents) else total.credit_cents
    )


def _totals(frame: pd.DataFrame) -> Iterator[tuple[int, str]]:
    """Totals that are the sum of no rows they can mean."""
    is_total = frame["kind"].eq("total") & ~frame["description"].map(lambda said: bool(BALANCE.fullmatch(said)))
    at = np.flatnonzero(is_total & (frame["debit_cents"].notna() | frame["credit_cents"].notna()))
    if not len(at):
        return
    posted = frame["kind"].eq("posting").to_numpy()
    columns = [np.where(posted, _ints(frame[name]), 0) for name in ("debit_cents", "credit_cents", "amount_cents")]
    running = [np.concatenate([[0], np.cumsum(column)]) for column in columns]
    every = np.flatnonzero(frame["kind"].eq("total"))
    before = np.concatenate([[0], every + 1])[np.searchsorted(every, at)]
    debits, credits_ = _ints(frame["debit_cents"])[at], _ints(frame["credit_cents"])[at]
    scopes: list[Sequence[Ints]] = [_differences(running, before, at), _differences(running, np.zeros_like(at), at)]
    accounts = frame["gl_account"].to_numpy()[at]
    own = _of_accounts(frame, columns, at)
    openings = _openings(frame)
    opening = np.array([openings.get(str(account), 0) for account in accounts], dtype=np.int64)
    # some reports print an account's total with its opening balance in it
    scopes += [own, [*own[:2], own[2] + opening]]
    agree = np.zeros(len(at), dtype=bool)
    for debit, credit, net in scopes:
        agree |= _same(debits, credits_, debit, credit, net)
    words = frame["description"].to_numpy()[at]
    for n in np.flatnonzero(~agree).tolist():
        whole = at[n] == at[-1] and not totalled(str(words[n]))
        debit, credit, _ = scopes[2 if accounts[n] else 1 if whole else 0]
        yield (
            int(frame["row"].to_numpy()[at[n]]),
            (
                f"the total {str(words[n])!r} is printed as {_two(debits[n], credits_[n])}, its rows add up to {_two(debit[n], credit[n])}"
            ),
        )


def _differences(running: list[Ints], start: Ints, end: Ints) -> tuple[Ints, Ints, Ints]:
    debit, credit, net = (sums[end] - sums[start] for sums in running)
    return debit, credit, net


def _of_accounts(frame: pd.DataFrame, columns: list[Ints], at: Ints) -> list[Ints]:
    """The sums of each total's own account above it; zero where a total names none."""
    sums = [np.zeros(len(at), dtype=np.int64) for _ in columns]
    codes, names = pd.factorize(frame["gl_account"])
    for code in np.unique(codes[at]).tolist():
        if not str(names[code]):
            continue
        mine, here = codes == code, codes[at] == code
        for column, wanted in zip(columns, sums, strict=True):
            wanted[here] = np.concatenate([[0], np.cumsum(np.where(mine, column, 0))])[at[here]]
    return sums


def _same(debits: Ints, credits_: Ints, debit: Ints, credit: Ints, net: Ints) -> npt.NDArray[np.bool_]:
    """Whether printed figures are these sums: both columns, or their difference, whichever way its sign is printed."""
    printed = debits - credits_
    both = (np.abs(debits) == np.abs(debit)) & (np.abs(credits_) == np.abs(credit))
    one = ((debits == 0) | (credits_ == 0)) & (
        (np.abs(printed) == np.abs(net)) | (np.abs(printed) == np.abs(debit - credit))
    )
    return np.asarray(both | one)


def _two(debit: int, credit: int) -> str:
    return f"{dollars(int(debit))} and {dollars(int(credit))}" if credit else dollars(int(debit))
