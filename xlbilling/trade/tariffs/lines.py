"""Bill lines: each charge of each segment rounded once, with the text it can be recomputed from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.tariffs.evaluate import Batch, Slice
from xlbilling.trade.tariffs.expressions import Node, Number, names, text_of
from xlbilling.trade.tariffs.schedule import Component
from xlbilling.trade.tariffs.segments import Segment, day_number
from xlbilling.trade.tariffs.services import Codes, Rows, distinct
from xlbilling.words.exact import Exact

NO_END: Final = -1
TEXT_COLUMNS: Final = ("charge", "kind", "rate", "unit", "gl_account", "resolution", "basis")
WHOLE_COLUMNS: Final = (
    "row", "segment", "segment_from", "segment_to", "segment_days", "all_days",
    "tier", "tier_from", "tier_to", "quantity", "amount_cents", "effective_from",
)  # fmt: skip
ORDER: Final = (
    "row", "segment", "segment_from", "segment_to", "segment_days", "all_days", "charge", "kind", "tier", "tier_from",
    "tier_to", "quantity", "rate", "unit", "amount_cents", "gl_account", "effective_from", "resolution", "basis",
)  # fmt: skip
_Basis = tuple[Codes, list[str]]
_DATES: Final = ("segment_from", "segment_to", "effective_from")


@dataclass(slots=True)
class Words:
    """Texts of a column, each kept once and coded."""

    codes: dict[str, int] = field(default_factory=dict)

    def code(self, text: str) -> int:
        return self.codes.setdefault(text, len(self.codes))

    def coded(self, texts: Sequence[str], which: Codes) -> Codes:
        coded: Codes = np.array([self.code(text) for text in texts], dtype=np.int64)[which]
        return coded


@dataclass(frozen=True, slots=True)
class Share:
    """The part of a full bill a segment stands for: days / of_days, row by row."""

    days: Codes
    of_days: Codes

    @property
    def factor(self) -> Exact:
        return Exact(self.days, self.of_days)


@dataclass(slots=True)
class Lines:
    """Lines in the making: columns in pieces, one piece for each charge or tier of each batch."""

    unrounded: bool
    with_basis: bool
    pieces: dict[str, list[Codes | int]] = field(default_factory=dict)  # one number where a piece has only one
    counts: list[int] = field(default_factory=list)
    segments: list[tuple[Segment, Codes]] = field(default_factory=list)  # with all days of each row
    order: list[Codes] = field(default_factory=list)
    words: dict[str, Words] = field(default_factory=lambda: {name: Words() for name in TEXT_COLUMNS})
    exact: list[Exact] = field(default_factory=list)

    def add(self, batch: Batch, segment: Segment, charges: frozenset[str], share: Share | None) -> None:
        """The lines of these charges for every row of a batch."""
        base = sum(len(each.rows) for each, _ in self.segments)
        self.segments.append((segment, batch.services.days[segment.rows]))
        for place, charge in enumerate(batch.schedule.charges):
            if charge.name not in charges:
                continue
            writer = _Writer(self, batch, segment, base, place, charge, share)
            if charge.kind in ("tiered", "budget"):
                for each in batch.slices(charge):
                    writer.tier(each)
            else:
                writer.whole()

    def frame(self, refused: npt.NDArray[np.bool_]) -> tuple[pd.DataFrame, Exact | None]:
        """The lines of all rows that are not refused, in printed order, and their exact amounts where asked for."""
        of_row = self._of_rows()
        line_at = self._joined("at")
        rows = of_row["row"][line_at]
        order = np.concatenate(self.order) if self.order else np.zeros(0, dtype=np.int64)
        kept: Rows | None = np.flatnonzero(~refused[rows]) if refused.any() else None
        key = rows * (int(order.max(initial=0)) + 1) + order
        sorting = np.argsort(key if kept is None else key[kept], kind="stable")
        at = sorting if kept is None else kept[sorting]
        piece_of = np.repeat(np.arange(len(self.counts)), self.counts).take(at)
        row_of = line_at.take(at)
        columns: dict[str, Any] = {}
        for name in ORDER:
            values = of_row[name].take(row_of) if name in of_row else self._column(name, at, piece_of)
            if name in TEXT_COLUMNS:
                words = pd.Index(list(self.words[name].codes), dtype=object)
                columns[name] = pd.Categorical.from_codes(
                    values.astype(np.int32, copy=False), categories=words, validate=False
                )
            elif name in _DATES:
                columns[name] = (values * 86_400).view("datetime64[s]")
            else:
                columns[name] = values
        exact = Exact.joined(self.exact).take(at) if self.unrounded else None
        return pd.DataFrame(columns, copy=False), exact

    def _of_rows(self) -> dict[str, Codes]:
        """What all lines of a row of a batch share."""
        found = [(each.rows, each.number, each.after, each.until, days) for each, days in self.segments]
        blank = np.zeros(0, dtype=np.int64)
        rows, number, after, until, days = (
            (np.concatenate(part) for part in zip(*found, strict=True)) if found else [blank] * 5
        )
        shared = {"row": rows, "segment": number, "segment_from": after, "segment_to": until}
        return shared | {"segment_days": until - after, "all_days": days}

    def _column(self, name: str, at: Rows, piece_of: Codes) -> npt.NDArray[Any]:
        """A column in printed order; where every piece has one number, by piece."""
        pieces = self.pieces.get(name, [])
        if pieces and all(isinstance(piece, int) for piece in pieces):
            of_piece: npt.NDArray[Any] = np.array(pieces, dtype=np.int32 if name in TEXT_COLUMNS else np.int64)
            same = bool((of_piece == of_piece[0]).all())
            return np.full(len(at), of_piece[0]) if same else of_piece.take(piece_of)
        return self._joined(name).take(at)

    def _joined(self, name: str) -> Codes:
        pieces = zip(self.pieces.get(name, []), self.counts, strict=False)
        full = [np.full(count, piece, dtype=np.int64) if isinstance(piece, int) else piece for piece, count in pieces]
        return np.concatenate(full) if full else np.zeros(0, dtype=np.int64)


class _Writer:
    """Writes the lines of one charge of one batch."""

    def __init__(
        self,
        lines: Lines,
        batch: Batch,
        segment: Segment,
        base: int,
        place: int,
        charge: Component,
        share: Share | None,
    ):
        self.lines, self.batch, self.segment, self.charge, self.share = lines, batch, segment, charge, share
        self.base, self.place = base, place
        tiers = [tier.price for entry in charge.entries for tier in entry.tiers]
        values = [entry.value for entry in charge.entries if not entry.tiers]
        self._priced_by_rate = all(isinstance(price, Number) for price in tiers + values)

    def whole(self) -> None:
        """A charge without tiers: one line a row; a minimum or cap that does not bite prints no line."""
        batch, charge = self.batch, self.charge
        amount = batch.value(charge.name).spread(len(batch))
        at = np.flatnonzero(amount.num) if charge.kind in ("minimum", "cap") else None
        which = batch.entry_of(charge)
        rates = [entry.rate_text for entry in charge.entries]
        quantity = self._counted()
        self._write(at, 0, (0, 0), quantity, which, rates, amount, lambda at: self._basis(at, which, rates))

    def tier(self, each: Slice) -> None:
        """One tier: a line for the rows that reach it; without consumption tier 1 prints a line of zero."""
        batch = self.batch
        printed = np.asarray(each.quantity.spread(len(batch)).num > 0, dtype=np.bool_)
        if each.number == 1:
            printed = printed | (batch.consumption.spread(len(batch)).num == 0)
        at = None if printed.all() else np.flatnonzero(printed)
        low = each.low.spread(len(batch)).to_millionths()
        high = each.high.spread(len(batch)).to_millionths() if each.high is not None else NO_END
        which = batch.entry_of(self.charge)
        counts = np.array([len(entry.tiers) for entry in self.charge.entries])
        if not isinstance(high, int) and (counts[which] == each.number).any():
            high = np.where(counts[which] == each.number, NO_END, high)

        def basis(rows: Rows) -> tuple[Codes, list[str]]:
            return self._product(rows, each.quantity, each.price, which, each.price_texts)

        self._write(at, each.number, (low, high), each.quantity, which, each.price_texts, each.amount, basis)

    def _counted(self) -> Exact | None:
        if self.charge.kind == "flat":
            return self.batch.consumption
        if self.charge.kind == "per_unit" and self.charge.counted is not None:
            return self.batch.formula(self.charge.counted)
        return None

    def _write(
        self,
        at: Rows | None,
        tier: int,
        bounds: tuple[Codes | int, Codes | int],
        quantity: Exact | None,
        which: Codes,
        rates: list[str],
        amount: Exact,
        basis: Callable[[Rows], tuple[Codes, list[str]]],
    ) -> None:
        count = len(self.batch) if at is None else len(at)
        if not count:
            return
        lines, segment, charge, share = self.lines, self.segment, self.charge, self.share

        def here(values: Any) -> Any:
            return values if at is None or isinstance(values, int) else values[at]

        def exact_here(values: Exact) -> Exact:
            spread = values.spread(len(self.batch))
            taken = spread if at is None else spread.take(at)
            return taken if share is None else taken * (share.factor if at is None else share.factor.take(at))

        due = exact_here(amount)

        def put(name: str, values: Codes | int) -> None:
            lines.pieces.setdefault(name, []).append(values)

        lines.counts.append(count)
        put("at", self.base + (np.arange(count) if at is None else at))
        put("tier", tier)
        put("tier_from", here(bounds[0]))
        put("tier_to", here(bounds[1]))
        put("quantity", 0 if quantity is None else exact_here(quantity).to_millionths())
        put("amount_cents", _cents(due, charge.rounding))
        put("effective_from", day_number(charge.effective_from))
        for name in ("kind", "unit", "gl_account", "resolution"):
            put(name, lines.words[name].code(getattr(charge, name)))
        put("charge", lines.words["charge"].code(charge.name))
        put("rate", lines.words["rate"].coded(rates, here(which)))
        if lines.with_basis:
            codes, texts = basis(np.arange(len(self.batch)) if at is None else at)
            put("basis", lines.words["basis"].coded(texts, codes))
        else:
            put("basis", lines.words["basis"].code(""))
        lines.order.append(here(segment.number) * 1_000_000 + self.place * 1_000 + min(tier, 999))
        if lines.unrounded:
            lines.exact.append(due)

    # ---- what a line can be recomputed from -------------------------------------------------------------------------

    def _texts(self, at: Rows, columns: list[Exact], which: Codes, text: Callable[[int, Sequence[str]], str]) -> _Basis:
        """One text for each distinct combination of values, entry and share of days."""
        values = [column.spread(len(self.batch)).take(at) for column in columns]
        keys: list[npt.NDArray[Any]] = [which[at]]
        for value in values:
            keys.append(value.num)
            if not isinstance(value.den, int):
                keys.append(value.den)
        days = None if self.share is None else (self.share.days[at], self.share.of_days[at])
        codes, first = distinct(*keys, *(days or ()))
        spoken = zip(*(value.take(first).texts() for value in values), strict=True) if values else [()] * len(first)
        entries = which[at[first]].tolist()
        texts = [text(entry, said) for entry, said in zip(entries, spoken, strict=True)]
        if days is not None:
            shares = zip(days[0][first].tolist(), days[1][first].tolist(), strict=True)
            texts = [f"{said} x {part} of {full} days" for said, (part, full) in zip(texts, shares, strict=True)]
        return codes, texts

    def _product(self, at: Rows, quantity: Exact, price: Exact, which: Codes, rates: list[str]) -> _Basis:
        if all(rates) and self._priced_by_rate:
            return self._texts(at, [quantity], which, lambda entry, values: f"{values[0]} x {rates[entry]}")
        return self._texts(at, [quantity, price], which, lambda _, values: f"{values[0]} x {values[1]}")

    def _basis(self, at: Rows, which: Codes, rates: list[str]) -> _Basis:
        charge, batch = self.charge, self.batch
        match charge.kind:
            case "flat":
                return self._product(at, batch.consumption, batch.rate(charge), which, rates)
            case "per_unit":
                counted = batch.formula(charge.counted or Number(Fraction(0)))
                said = text_of(charge.counted or Number(Fraction(0)))
                return self._texts(at, [counted], which, lambda e, v: f"{v[0]} {said} x {rates[e]}")
            case "percentage":
                return self._texts(at, [batch.base(charge)], which, lambda e, v: f"{rates[e]}% of {v[0]}")
            case "minimum":
                return self._texts(at, [batch.base(charge)], which, lambda e, v: f"minimum {rates[e]} - {v[0]}")
            case "cap":
                return self._texts(at, [batch.base(charge)], which, lambda e, v: f"cap {rates[e]} - {v[0]}")
            case _:
                return self._formula_basis(at, which, rates)

    def _formula_basis(self, at: Rows, which: Codes, rates: list[str]) -> _Basis:
        charge, batch = self.charge, self.batch
        formulas: list[Node | None] = [entry.value for entry in charge.entries]
        used = {name: None for formula in formulas if formula is not None for name in names(formula)}
        mine = [names(formula) if formula is not None else [] for formula in formulas]
        every = list(used) if len(formulas) == 1 else []

        def text(entry: int, values: Sequence[str]) -> str:
            formula = formulas[entry]
            said = rates[entry] or (text_of(formula) if formula is not None else "")
            given = ", ".join(f"{name}={value}" for name, value in zip(mine[entry], values, strict=False))
            key = charge.entries[entry].key
            at_key = f" for {' | '.join(charge.depends_on)} {key}" if key else ""
            return f"{said}{at_key}" + (f" where {given}" if given else "")

        return self._texts(at, [batch.value(name) for name in every], which, text)


def _cents(due: Exact, rounding: str) -> Codes:
    if rounding == "half_even":
        return (due.round_half_even(2) * 100).to_whole()
    return due.to_cents()
