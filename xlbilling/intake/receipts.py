"""Payments files: one row a payment, from the lockbox, the bank or the web payment service."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.listing import Listing, read_listing, values
from xlbilling.intake.package import shown
from xlbilling.problems import Kind, Place, Problem, declare
from xlbilling.records import TABLE

BAD_AMOUNT: Final = declare(
    "bad_amount",
    "An amount in a file is not a plain amount in whole cents.",
    "Write it as 1204.07 and import the file again.",
)
BAD_DATE: Final = declare(
    "bad_date", "A date in a file names no day.", "Write it as 2026-11-30 or 11/30/2026 and import the file again."
)
MISSING_ACCOUNT: Final = declare(
    "missing_account", "A payment names no account.", "Find whose payment it is and type it on sheet Payments."
)
BAD_METHOD: Final = declare(
    "bad_method",
    "A payment's method is blank or is not one of the list on sheet Payments.",
    "Use a method of the list, or leave the whole column out of a lockbox file.",
)
COLUMNS: Final = {
    "account_id": ("account", "account number", "account no", "acct", "account #"),
    "amount": ("payment amount", "amount paid", "payment"),
    "received_on": ("date", "received", "payment date", "received date", "deposit date"),
    "reference": ("check number", "check no", "transaction id", "confirmation number"),
    "method": ("payment method", "payment type"),
}
METHODS: Final = TABLE["payments"].columns["method"].choices
WITHOUT_METHOD: Final = "lockbox"


@dataclass(frozen=True)
class Receipts:
    """A payments file as read.

    `frame`: received_on (datetime64[s]), account_id, amount (int64 cents), method, reference, source_line (int64).
    `rejects`: every row that could not be taken, with its line. `digest`: SHA-256 of the file.
    """

    frame: pd.DataFrame
    rejects: list[Problem]
    digest: str = ""


def read_receipts(path: Path) -> Receipts:
    """Read a payments file (CSV or workbook): account, amount and date by heading, reference and method if there.

    A file without a method column is a lockbox file. A row with a blank account, an amount that is no whole cents, a
    date that names no day or an unknown method is a reject. Refuses what `read_listing` refuses.
    """
    listing = read_listing(path, COLUMNS, ["account_id", "amount", "received_on"])
    found: dict[int, Problem] = {}
    account = values(listing, "account_id")
    reading = _Reading(path.name, listing, found)
    made = pd.DataFrame(
        {
            "received_on": np.array(reading.column("received_on", listing.day, BAD_DATE), "datetime64[D]").astype(
                "datetime64[s]"
            ),
            "account_id": pd.array(reading.column("account_id", lambda text: text or None, MISSING_ACCOUNT), "str"),
            "amount": pd.array(reading.column("amount", listing.cents, BAD_AMOUNT), "Int64"),
            "method": pd.array(_methods(listing, reading), "str"),
            "reference": pd.array(values(listing, "reference"), "str"),
            "source_line": listing.frame["source_line"].to_numpy(),
        }
    )
    good = np.array([row not in found for row in range(len(account))], dtype=bool)
    rejects = sorted([*listing.rejects, *found.values()], key=lambda problem: problem.place.line)
    return Receipts(made.loc[good].astype({"amount": "int64"}).reset_index(drop=True), rejects, listing.digest)


@dataclass
class _Reading:
    """Columns being turned from text; the first thing wrong with a row is what is told of it."""

    file: str
    listing: Listing
    found: dict[int, Problem]

    def column(self, name: str, of: Callable[[str], Any], kind: Kind) -> list[Any]:
        made = []
        for row, text in enumerate(values(self.listing, name)):
            value = of(text)
            if value is None and row not in self.found:
                place = Place(file=self.file, line=int(self.listing.frame["source_line"].iloc[row]), column=name)
                self.found[row] = kind.at(place, f"{name} is {shown(text) if text else 'blank'}")
            made.append(value)
        return made


def _methods(listing: Listing, reading: _Reading) -> list[str | None]:
    if "method" not in listing.frame:
        return [WITHOUT_METHOD] * len(listing.frame)
    known = {method.casefold(): method for method in METHODS}
    return reading.column("method", lambda text: known.get(text.casefold()), BAD_METHOD)
