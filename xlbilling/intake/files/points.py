"""Amounts without a decimal point: dollars, or cents with the point left out. Where a file speaks against dollars, asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from xlbilling.intake.files.listing import Listing, values
from xlbilling.words.money import dollars
from xlbilling.words.problems import Place, Refusal, declare

IMPLIED_CENTS: Final = declare(
    "implied_cents",
    "Amounts have no decimal point, and the file gives reason to doubt that they are whole dollars.",
    "Ask the sender. If the last two digits are cents, add the row no_point, value cents, to topic payments on sheet Policy; "
    "if they are whole dollars, value dollars. Save, and import the file again.",
)
BARE_AMOUNT: Final = declare(
    "amount_without_point",
    "An amount has no decimal point, while the other amounts of its column all have one with two digits.",
    "Ask the sender which it is, then type the payment on sheet Payments.",
)
_BARE: Final = re.compile(r"-?[0-9]{1,15}")
_POINTED: Final = re.compile(r"\$? *-?[0-9][0-9,]*\.([0-9]+)")
_DOLLARS: Final = re.compile(r"\$|\b(?:usd|dollars?)\b", re.IGNORECASE)
_PLACES: Final = 2


def without_point(listing: Listing, name: str) -> list[bool]:
    """Rows whose amount stands without a point in a column that otherwise prints two places: none of them is certain.

    A column that drops its noughts (50, 45.5, 60.25) prints dollars as a spreadsheet shows them, and is certain.
    """
    texts = values(listing, name)
    parts = [found[1] for text in texts if (found := _POINTED.fullmatch(text))]
    printed = any("$" in text for text in texts) or any(part.endswith("0") for part in parts)
    fixed = printed and all(len(part) == _PLACES for part in parts) and not listing.first_serial
    bare = [_BARE.fullmatch(text) is not None and text.strip("-0") != "" for text in texts]
    marked = any("$" in text or _POINTED.fullmatch(text) for text in texts)
    return [fixed and marked and one for one in bare]


def in_cents(listing: Listing, name: str, file: str, totals: Iterable[str], said: str) -> bool:
    """Whether a column's amounts, all without a point, are cents; refused where the file doubts and nobody has `said`.

    `totals`: the file's own printed totals. `said`: dollars or cents, as Policy has it; "" for neither.
    """
    filled = [text for text in values(listing, name) if text]
    if not filled or not all(map(_BARE.fullmatch, filled)):
        return False
    whole = sum(map(int, filled))
    printed = {listing.cents(text) for text in totals if "." in text}
    if whole * 100 in printed:
        return False
    reason = _reason(listing, name, whole, whole in printed)
    if said and (reason or not listing.first_serial):
        return said == "cents"
    if reason:
        fact = f"no amount has a decimal point, and {reason}; {filled[0]} may be {dollars(int(filled[0]))} or {filled[0]}.00"
        raise Refusal(IMPLIED_CENTS.at(Place(file=file, column=name), fact))
    return False


def _reason(listing: Listing, name: str, whole: int, proven: bool) -> str:
    """What in the file speaks against whole dollars; "" where nothing does."""
    if proven:
        return f"a printed total is {dollars(whole)}"
    if listing.first_serial:
        return ""
    heading = listing.headings.get(name, "")
    if _DOLLARS.search(heading):
        return f"the heading {heading!r} says dollars"
    beside = next((one for one in listing.spare if _printed_money(one.cells)), None)
    return f"the column {beside.name} has two decimals" if beside else ""


def _printed_money(cells: Sequence[str]) -> bool:
    """Whether a column prints money with its cents throughout."""
    filled = [cell for cell in cells if cell]
    return bool(filled) and all(
        (found := _POINTED.fullmatch(cell)) is not None and len(found[1]) == _PLACES for cell in filled
    )
