"""Ledger exports: the general ledger's postings read from the reports accounting systems write.

Face: `read_ledger`, `read_map`, `read_subledger`, `LedgerExport`, `LedgerMap`, `LAYOUTS`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.files.guard import Facts, Worker, shared_worker
from xlbilling.intake.files.tables import unpack
from xlbilling.intake.gl.accounts import nearly
from xlbilling.intake.gl.balances import PRINTED_DISAGREES, check_printed
from xlbilling.intake.gl.layouts import LAYOUTS
from xlbilling.intake.gl.mapping import LedgerMap, read_map
from xlbilling.intake.gl.reading import CENTS, DOUBT, TEXTS
from xlbilling.intake.gl.signs import debit_positive
from xlbilling.intake.gl.subledger import read_subledger
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Problem, Refusal, declare

__all__ = ["LAYOUTS", "LedgerExport", "LedgerMap", "read_ledger", "read_map", "read_subledger"]

SIGNS_NEED_MAP: Final = declare(
    "ledger_signs_need_map",
    "An export prints amounts on each account's natural side, and no map says which accounts are credit accounts.",
    "Give the ledger map (MAP.yaml) with its credit_normal list.",
)
NO_SIDES: Final = declare(
    "ledger_no_sides",
    "Every amount of a ledger export is on one side, and no column says which are credits.",
    "Export with Debit and Credit columns, with signed amounts, or with the column that says Dr or Cr.",
)
ACCOUNT_ABSENT: Final = declare(
    "ledger_account_absent",
    "A control account occurs nowhere in a ledger export.",
    "See whether the report was run for all accounts, and whether the map writes the number as the export prints it.",
    severity="info",
)
ACCOUNT_RESPELLED: Final = declare(
    "ledger_account_respelled",
    "A ledger export writes an account in another way than the map does.",
    "Nothing, if it is that account; otherwise correct the number in the map or in the export.",
    severity="info",
)
COLUMNS_UNUSED: Final = declare(
    "ledger_columns_unused",
    "A ledger export has columns that nobody asked for.",
    "Nothing, if they change no amount.",
    severity="info",
)
DATES_TURNED: Final = declare(
    "ledger_dates_turned",
    "The dates of a ledger export are not month first.",
    "Nothing, if that is how the accounting system writes them.",
    severity="info",
)
NOT_POSTED: Final = declare(
    "ledger_rows_not_posted",
    "Rows of a ledger export are marked as not posted, or void.",
    "Nothing: they are left out of the reconciliation.",
    severity="info",
)


@dataclass(frozen=True, slots=True)
class LedgerExport:
    """A ledger export as read.

    `frame`: row (physical row minus header row), kind (posting | opening | total | section | header | note | blank |
    unread | unposted), date (datetime64, empty where none), amount_cents (Int64, debit positive), debit_cents,
    credit_cents and balance_cents (Int64, as printed; a lone amount as debit), gl_account (the number as printed),
    account_name, reference, description (of a total its words), source (the system's journal or type). Every row is
    there.
    """

    profile: str
    frame: pd.DataFrame
    problems: list[Problem]

    @property
    def postings(self) -> pd.DataFrame:
        """The posting and opening rows: what a reconciliation reads."""
        rows = self.frame[self.frame["kind"].isin(("posting", "opening"))]
        return rows.drop(columns=list(CENTS[1:])).reset_index(drop=True)

    @property
    def rejected(self) -> list[Problem]:
        """What must be looked at: rows that were not taken, printed figures that disagree."""
        return [problem for problem in self.problems if problem.severity != "info"]

    @property
    def unread(self) -> int:
        """How many rows could not be read."""
        return int(self.frame["kind"].eq("unread").sum())

    @property
    def disagreeing(self) -> int:
        """How many of its own balances and totals its rows do not add up to."""
        return sum(problem.code == PRINTED_DISAGREES.code for problem in self.problems)

    @property
    def told(self) -> list[str]:
        """What else there is to say of the file."""
        return [problem.fact for problem in self.problems if problem.severity == "info"]


def read_ledger(
    path: Path, profile: str = "auto", mapping: LedgerMap | None = None, worker: Worker | None = None
) -> LedgerExport:
    """Every row of a ledger export, read as text and converted once, exactly, in a guarded child process.

    `profile` is a layout's name or "auto" (the layout whose columns fit best). `mapping` tells account numbers apart
    from names, joins segments and gives the credit accounts of natural-side layouts. Refused: a file that cannot be
    opened, a layout that is not known, and a lone column of amounts that are all on one side; a row that cannot be read
    is a problem and a row of kind `unread`. The file's own balances and totals are held against its rows.
    """
    facts, blobs = (worker or shared_worker()).run(
        "xlbilling.intake.gl.reading:task",
        path,
        profile=profile,
        known=sorted(mapping.gl_accounts) if mapping else [],
        segments=mapping.segments if mapping else [],
    )
    problems = [Problem(place=Place(**problem.pop("place")), **problem) for problem in facts["problems"]]
    frame = _sided(_frame(facts["blocks"], blobs))
    if facts["natural_side"]:
        if mapping is None:
            raise Refusal(SIGNS_NEED_MAP.at(Place(file=path.name), f"the layout is {facts['profile']}"))
        frame, unproven = debit_positive(frame, mapping.credit_normal, path.name)
        problems += unproven
    elif facts["lone_amount"]:
        _require_sides(frame, path.name)
    problems += check_printed(frame, path.name, facts["header_row"])
    problems += [
        *_told(frame, facts, path.name),
        *_absent(frame, mapping.control_accounts if mapping else (), path.name),
    ]
    return LedgerExport(str(facts["profile"]), frame.drop(columns="side"), problems)


def _frame(sizes: list[int], blobs: list[bytes]) -> pd.DataFrame:
    """The packed blocks as one frame; rows are numbered from 1 below the header."""
    blocks, at = [], 0
    for size in sizes:
        blocks.append(_block(unpack(blobs[at : at + size])))
        at += size
    whole = pd.concat(blocks, ignore_index=True)
    whole.insert(0, "row", range(1, len(whole) + 1))
    return whole


def _block(columns: list[list[str]]) -> pd.DataFrame:
    kinds, rest, texts, dates = columns[0], columns[1:6], columns[6:-1], columns[-1]
    doubtful = np.array([date == DOUBT for date in dates], dtype=bool)
    known = [None if date in ("", DOUBT) else date for date in dates]
    frame: dict[str, Any] = {
        "kind": pd.array(kinds, dtype="str"),
        "date": pd.to_datetime(pd.Series(known, dtype="object"), format="%Y-%m-%d"),
    }
    for name, values in zip(CENTS, rest, strict=False):
        blank = np.array([not value for value in values], dtype=bool)
        cents = np.array([int(value or 0) for value in values], dtype=np.int64)
        frame[name] = pd.arrays.IntegerArray(cents, blank)
    frame["side"] = pd.array(rest[4], dtype="str")
    frame |= {name: pd.array(text, dtype="str") for name, text in zip(TEXTS, texts, strict=True)}
    block = pd.DataFrame(frame)
    # of two days a date could be none is taken, so the row is not read
    block.loc[doubtful & block["kind"].ne("opening").to_numpy(), "kind"] = "unread"
    return block


def _sided(frame: pd.DataFrame) -> pd.DataFrame:
    """The amounts with the side that a column of its own gives them.

    Where every credit is printed negative and every debit positive already, the column only repeats the sign.
    """
    cents, credit = frame["amount_cents"].fillna(0), frame["side"].eq("C")
    if not credit.any():
        return frame
    debit = frame["side"].eq("D")
    signed = not (credit & cents.gt(0)).any() and not (debit & cents.lt(0)).any() and bool((credit & cents.lt(0)).any())
    return frame if signed else frame.assign(amount_cents=frame["amount_cents"].where(~credit, -frame["amount_cents"]))


def _require_sides(frame: pd.DataFrame, file: str) -> None:
    """Refuse a lone column of amounts on one side: a ledger has debits and credits."""
    posted = frame.loc[frame["kind"].eq("posting"), "amount_cents"]
    if len(posted) > 1 and (posted.ge(0).all() or posted.le(0).all()) and posted.ne(0).any():
        fact = f"{len(posted)} amounts, {dollars(int(posted.sum()))} in all, none of them on the other side"
        raise Refusal(NO_SIDES.at(Place(file=file), fact))


def _told(frame: pd.DataFrame, facts: Facts, file: str) -> list[Problem]:
    """What the answer says of the file beyond its rows."""
    place = Place(file=file)
    told = []
    if facts["unused"]:
        told.append(COLUMNS_UNUSED.at(place, f"columns not asked for: {', '.join(facts['unused'])}"))
    if facts["dates_told"]:
        told.append(DATES_TURNED.at(place, facts["dates_told"]))
    if facts["respelled"]:
        said = ", ".join(f"{printed!r} is read as {number}" for printed, number in sorted(facts["respelled"].items()))
        told.append(ACCOUNT_RESPELLED.at(place, said))
    left = frame.loc[frame["kind"].eq("unposted"), "amount_cents"]
    if len(left):
        told.append(NOT_POSTED.at(place, f"{len(left)} rows left out, {dollars(int(left.abs().sum()))} in all"))
    return told


def _absent(frame: pd.DataFrame, wanted: Collection[str], file: str) -> list[Problem]:
    """The control accounts that occur nowhere in the export, with what looks like them."""
    present = {str(account) for account in frame["gl_account"].unique()}
    problems = []
    for account in wanted:
        if account in present:
            continue
        alike = sorted(other for other in present if other and nearly(other) == nearly(account))
        said = f"; {', '.join(alike)} looks like it" if alike else ""
        problems.append(
            ACCOUNT_ABSENT.at(Place(file=file), f"control account {account} occurs nowhere in the export{said}")
        )
    return problems
