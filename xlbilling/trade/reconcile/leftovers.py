"""What is still open at the end: posted in another period, written by hand, or simply not on the other side."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import numpy as np

from xlbilling.trade.reconcile.books import NONE, Books, Ints, codes
from xlbilling.trade.reconcile.journals import named_day, near_day
from xlbilling.trade.reconcile.outcome import code_of
from xlbilling.trade.reconcile.terms import Terms

_BY_HAND_SOURCE: Final = re.compile(
    r"(GJ|GJE|GEN|GNI|JE|AJE|ADJ|GENJ|GENERAL JOURNAL|MANUAL JOURNAL)\b.*", re.IGNORECASE
)
_BY_HAND_NUMBER: Final = re.compile(r"(JE|GJ|AJE|JV|GJE|MJ)[- #]?\d.*", re.IGNORECASE)
_BY_HAND_WORDS: Final = re.compile(r"\b(manual|reclass\w*|journal entry|audit adjust\w*|correcting)\b", re.IGNORECASE)
_BATCH_DAY: Final = re.compile(r"[A-Za-z]{1,4}(\d{2})(\d{2})-\w+")
# A batch of the period's last two days may still be on its way to the ledger.
_ON_ITS_WAY: Final = 2
_MOSTLY: Final = 0.5


def period_days(terms: Terms) -> tuple[int, int]:
    """The first and last day of the period as days since 1970."""
    epoch = dt.date(1970, 1, 1)
    return (terms.start - epoch).days, (terms.end - epoch).days


def mark_crossings(books: Books) -> None:
    """Matches whose line and row fall in different periods become timing differences, each side pointing at the other."""
    first, last = period_days(books.terms)
    s, g = np.flatnonzero(books.sub.match >= 0), np.flatnonzero(books.gl.match >= 0)
    if not len(s):
        return
    size = books.matched
    s_zone, g_zone = (
        np.searchsorted([first, last + 1], side.day[x], "right") for side, x in ((books.sub, s), (books.gl, g))
    )
    s_low, s_high = _range(books.sub.match[s], s_zone, size)
    g_low, g_high = _range(books.gl.match[g], g_zone, size)
    crossing = (s_low != g_low) | (s_high != g_high)
    # zones: 0 before the period, 1 in it, 2 after it
    after = crossing & (np.maximum(s_high, g_high) == 2)
    for chosen, reason in ((after, "timing_next_period"), (crossing & ~after, "timing_prior_period")):
        for side, rows in ((books.sub, s), (books.gl, g)):
            moved = rows[chosen[side.match[rows]]]
            side.pair[moved] = books.pairs + side.match[moved]
            side.reason[moved] = code_of(reason)
    for side in (books.sub, books.gl):
        side.match[side.reason >= 0] = NONE
    books.pairs += size


def _range(match: Ints, zone: Ints, size: int) -> tuple[Ints, Ints]:
    low, high = np.full(size, 9), np.full(size, -1)
    np.minimum.at(low, match, zone)
    np.maximum.at(high, match, zone)
    return low, high


def explain_leftovers(books: Books) -> None:
    """Give every row still open its reason."""
    _explain_lines(books)
    _explain_rows(books)


def _explain_lines(books: Books) -> None:
    _, last = period_days(books.terms)
    lines = np.flatnonzero(books.sub.open)
    if not len(lines):
        return
    books.sub.reason[lines] = code_of("missing_in_gl")
    books.sub.reason[lines[_netted(books, lines)]] = code_of("nets_to_zero")
    export_ends = int(books.gl.day.max()) if len(books.gl) else last
    posted = np.zeros(len(books.batches) + 1, dtype=bool)
    posted[books.batch[(books.sub.match >= 0) | (books.sub.pair >= 0)]] = True
    posted[NONE] = True
    late = (books.sub.day[lines] > last - _ON_ITS_WAY) & ~posted[books.batch[lines]] & (export_ends <= last)
    beyond = books.sub.day[lines] > max(last, export_ends)
    books.sub.reason[lines[late | beyond]] = code_of("timing_next_period")


def _netted(books: Books, lines: Ints) -> Ints:
    """The places of open lines that cancel out within their account and key, so that a total would not show them."""
    keyed = np.flatnonzero(books.sub.key[lines] >= 0)
    if not len(keyed):
        return keyed
    cell = books.sub.key[lines[keyed]] * len(books.accounts) + books.sub.account[lines[keyed]]
    _, number, count = np.unique(cell, return_inverse=True, return_counts=True)
    sums = np.bincount(number, weights=books.sub.cents[lines[keyed]])
    return np.asarray(keyed[(sums == 0)[number] & (count > 1)[number]])


def _explain_rows(books: Books) -> None:
    first, last = period_days(books.terms)
    ends = int(books.sub.day.max()) if len(books.sub) else last
    rows = np.flatnonzero(books.gl.open)
    carriers = _carriers(books) if len(rows) else set()
    for row in rows.tolist():
        books.gl.reason[row] = code_of(_row_reason(books, row, first, max(last, ends), carriers))


def _carriers(books: Books) -> set[str]:
    """The journals that mostly carry our own papers: being in one of them is no sign of a hand-written entry."""
    (source,), sources = codes(books.words("source", np.arange(len(books.gl))))
    size = len(sources) + 1
    all_rows, named = (np.bincount(source[on] + 1, minlength=size) for on in (slice(None), books.gl.key >= 0))
    return {str(text) for n, text in enumerate(sources, 1) if text and named[n] >= _MOSTLY * all_rows[n]}


def _row_reason(books: Books, row: int, first: int, ends: int, carriers: set[str]) -> str:
    reference, said, source = books.said(row)
    if books.gl.key[row] == NONE and _by_hand(reference, said, "" if source in carriers else source):
        return "manual_journal"
    day = int(books.gl.day[row])
    if day > ends:
        return "timing_next_period"
    # the row's own words put it in an earlier period
    if day >= first and _said_day(books, row, reference, said) < first:
        return "timing_prior_period"
    return "missing_in_subledger"


def _by_hand(reference: str, said: str, source: str) -> bool:
    return bool(
        _BY_HAND_SOURCE.fullmatch(source)
        or _BY_HAND_NUMBER.fullmatch(reference)
        or _BY_HAND_WORDS.search(said)
        or _BY_HAND_NUMBER.match(said)
    )


def _said_day(books: Books, row: int, reference: str, said: str) -> int:

    found = _BATCH_DAY.search(reference) or _BATCH_DAY.search(said)
    if found and 1 <= int(found[1]) <= 12 and 1 <= int(found[2]) <= 31:
        return near_day(int(books.gl.day[row]), int(found[1]), int(found[2]))
    return named_day(books, row)
