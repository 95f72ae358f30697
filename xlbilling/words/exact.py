"""Exact: rational numbers on whole columns, so that no bill ever passes through a float.

A column is whole numerators over one denominator (or over a column of denominators). Numerators are int64 while a
tracked bound proves that nothing can overflow, and Python integers from the moment it no longer can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from math import gcd, lcm
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

Whole: TypeAlias = npt.NDArray[Any]  # int64, or object holding Python integers
Operand: TypeAlias = "Exact | Fraction | int"

INT64_MAX: Final = 2**63 - 1
MILLION: Final = 1_000_000
_DECIMAL: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)")


def parse_decimal(text: str) -> Fraction | None:
    """The exact value of plain decimal text such as "12", "-3.50" or ".8"; None where the text is anything else."""
    bare = text.strip()
    return Fraction(bare) if _DECIMAL.fullmatch(bare) and bare.isascii() else None


def cell_number(cell: float) -> Decimal:
    """The exact number that a cell's float stands for, by the 15 digits a spreadsheet keeps: 12.1 + 3.2 is 15.3.

    The one way from a float to an exact number: what lies beyond its 15th digit is noise of binary arithmetic.
    """
    return Decimal(f"{cell:.15g}")


def _digits(text: str) -> tuple[int, int] | None:
    """Decimal text as (all digits as one whole number, how many of them are decimals); None for other text."""
    bare = text.strip()
    if not _DECIMAL.fullmatch(bare) or not bare.isascii():
        return None
    whole, _, part = bare.partition(".")
    return int(whole + part), len(part)


def decimal_text(value: Fraction, places: int = 12) -> str:
    """The value as a person writes it: 29/2 -> "14.5"; a fraction without an end to its decimals stays "1/3"."""
    scaled = value * 10**places
    if scaled.denominator != 1:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(scaled.numerator)).rjust(places + 1, "0")
    whole, part = digits[:-places], digits[-places:].rstrip("0")
    return ("-" if value < 0 else "") + whole + ("." + part if part else "")


def _largest(values: Whole) -> int:
    if not values.size:
        return 0
    return max(abs(int(values.max())), abs(int(values.min())))


def _wide(values: Whole, bound: int) -> Whole:
    """The values as Python integers where `bound` does not fit an int64, unchanged otherwise."""
    return values.astype(object) if bound > INT64_MAX and values.dtype != object else values


class Exact:
    """A column of exact rational numbers: `num / den`, element by element.

    `num` is int64 or object (Python integers); `den` is one positive integer or a column of positive integers.
    A column of length 1 stands for a constant and combines with any other length. `bound` is at least every |num|.
    """

    __slots__ = ("bound", "den", "den_bound", "num")

    def __init__(self, num: Whole, den: int | Whole = 1, bound: int | None = None, den_bound: int | None = None):
        self.num = num
        self.den = den
        self.bound = _largest(num) if bound is None else bound
        if isinstance(den, int):
            if den <= 0:
                raise ValueError("a denominator is positive")
            self.den_bound = den
        else:
            self.den_bound = _largest(den) if den_bound is None else den_bound

    # ---- making columns -------------------------------------------------------------------------------------------

    @classmethod
    def constant(cls, value: Fraction | int) -> Exact:
        """One value for every row (a column of length 1)."""
        exact = Fraction(value)
        kind: type[Any] = np.int64 if abs(exact.numerator) <= INT64_MAX else object
        return cls(np.array([exact.numerator], dtype=kind), exact.denominator)

    @classmethod
    def of(cls, values: Iterable[Fraction | int]) -> Exact:
        """A column of these values, over their common denominator."""
        exact = [Fraction(value) for value in values]
        den = lcm(*(value.denominator for value in exact)) if exact else 1
        whole = [value.numerator * (den // value.denominator) for value in exact]
        bound = max(map(abs, whole), default=0)
        return cls(np.array(whole, dtype=np.int64 if bound <= INT64_MAX else object), den, bound)

    @classmethod
    def from_cents(cls, cents: npt.ArrayLike) -> Exact:
        """Whole cents as dollars."""
        return cls(np.asarray(cents, dtype=np.int64), 100)

    @classmethod
    def from_millionths(cls, millionths: npt.ArrayLike) -> Exact:
        """Quantities as frames and the store hold them (int64 millionths of the unit), in units."""
        return cls(np.asarray(millionths, dtype=np.int64), MILLION)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> tuple[Exact, npt.NDArray[np.bool_]]:
        """Decimal texts as (values, which rows are numbers); a row that is no number holds 0 and says False."""
        at: dict[str, int] = {}
        rows = np.fromiter((at.setdefault(text, len(at)) for text in texts), dtype=np.intp, count=len(texts))
        digits: list[tuple[int, int] | None] = [_digits(text) for text in at]
        places = max((found[1] for found in digits if found), default=0)
        whole = [found[0] * 10 ** (places - found[1]) if found else 0 for found in digits]
        bound = max(map(abs, whole), default=0)
        values = cls(np.array(whole, dtype=np.int64 if bound <= INT64_MAX else object), 10**places, bound)
        good = np.array([found is not None for found in digits], dtype=np.bool_)
        return Exact(values.num[rows], values.den, bound), good[rows]

    # ---- reading columns ------------------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self.num)

    def __repr__(self) -> str:
        shown = ", ".join(decimal_text(self.fraction(row)) for row in range(min(len(self), 6)))
        return f"Exact([{shown}{', ...' if len(self) > 6 else ''}])"

    def fraction(self, row: int) -> Fraction:
        """The value of one row (of every row, where the column is a constant)."""
        at = 0 if len(self.num) == 1 else row
        den = self.den if isinstance(self.den, int) else int(self.den[at])
        return Fraction(int(self.num[at]), den)

    def fractions(self) -> list[Fraction]:
        return [self.fraction(row) for row in range(len(self))]

    def texts(self) -> list[str]:
        """Every value as a person writes it: 14.5, or 1/3 where the decimals have no end."""
        places = 0
        while isinstance(self.den, int) and places <= 12 and 10**places % self.den:
            places += 1
        if not isinstance(self.den, int) or places > 12:
            return [decimal_text(self.fraction(row)) for row in range(len(self))]
        return self.rounded_texts(places)

    def rounded_texts(self, places: int) -> list[str]:
        """Every value as decimal text, rounded half-up to `places`, without zeros at the end."""
        scale, whole = 10**places, self._whole_half_up(places).tolist()
        if places == 0:
            return [str(value) for value in whole]
        parts = [(value < 0, *divmod(abs(value), scale)) for value in whole]
        return [
            ("-" if negative else "") + (f"{unit}.{part:0{places}d}".rstrip("0") if part else str(unit))
            for negative, unit, part in parts
        ]

    def sums(self, starts: npt.NDArray[np.intp]) -> Exact:
        """The sum of each run of rows that begins at one of `starts` and ends before the next."""
        bound = self.bound * max(len(self.num), 1)
        if not isinstance(self.den, int):
            at = np.append(starts, len(self.num))
            runs = [sum(map(self.fraction, range(at[k], at[k + 1])), Fraction(0)) for k in range(len(starts))]
            return Exact.of(runs)
        num = np.add.reduceat(_wide(self.num, bound), starts) if len(starts) else self.num[:0]
        return Exact(num, self.den, bound)

    def take(self, rows: npt.NDArray[Any] | slice) -> Exact:
        """These rows (positions or a mask); a constant stays a constant."""
        if len(self.num) == 1 and not isinstance(rows, slice):
            length = int(rows.sum()) if rows.dtype == np.bool_ else len(rows)
            return self.spread(length)
        den = self.den if isinstance(self.den, int) else self.den[rows]
        return Exact(self.num[rows], den, self.bound, self.den_bound)

    def spread(self, length: int) -> Exact:
        """The column at full length: a constant repeated, any other column unchanged."""
        if len(self.num) == length:
            return self
        if len(self.num) != 1:
            raise ValueError(f"a column of {len(self.num)} rows is not a constant")
        den = self.den if isinstance(self.den, int) else np.repeat(self.den, length)
        return Exact(np.repeat(self.num, length), den, self.bound, self.den_bound)

    def placed(self, rows: npt.NDArray[np.intp], length: int) -> Exact:
        """A column of `length` rows that holds these values at `rows` and 0 elsewhere."""
        values = self.spread(len(rows))
        num = np.zeros(length, dtype=values.num.dtype)
        num[rows] = values.num
        if isinstance(values.den, int):
            return Exact(num, values.den, self.bound)
        den = np.ones(length, dtype=values.den.dtype)
        den[rows] = values.den
        return Exact(num, den, self.bound, self.den_bound)

    # ---- arithmetic -----------------------------------------------------------------------------------------------

    @staticmethod
    def _exact(value: Operand) -> Exact:
        return value if isinstance(value, Exact) else Exact.constant(value)

    def reduced(self) -> Exact:
        """The same values over the smallest common denominator (only where the denominator is one number)."""
        if not isinstance(self.den, int) or self.den == 1 or not len(self.num):
            return self
        common = gcd(self.den, int(np.gcd.reduce(self.num)))
        if common <= 1:
            return self
        num = self.num // common
        bound = self.bound // common
        if num.dtype == object and bound <= INT64_MAX:
            num = num.astype(np.int64)
        return Exact(num, self.den // common, bound)

    def _times(self, factor: int) -> tuple[Whole, int]:
        bound = self.bound * factor
        return (self.num if factor == 1 else _wide(self.num, max(bound, factor)) * factor), bound

    def _aligned(self, other: Exact) -> tuple[Whole, Whole, int | Whole, int, int, int]:
        """Both numerators over one denominator: (left, right, denominator, left bound, right bound, den bound)."""
        if isinstance(self.den, int) and isinstance(other.den, int):
            den = lcm(self.den, other.den)
            left, left_bound = self._times(den // self.den)
            right, right_bound = other._times(den // other.den)
            return left, right, den, left_bound, right_bound, den
        left_bound, right_bound = self.bound * other.den_bound, other.bound * self.den_bound
        den_bound = self.den_bound * other.den_bound
        left_need, right_need = max(left_bound, other.den_bound), max(right_bound, self.den_bound)
        left = _wide(self.num, left_need) * _divisor(other, left_need)
        right = _wide(other.num, right_need) * _divisor(self, right_need)
        den_column = _wide(np.asarray(_divisor(self, den_bound)), den_bound) * _divisor(other, den_bound)
        return left, right, den_column, left_bound, right_bound, den_bound

    def __add__(self, other: Operand) -> Exact:
        left, right, den, left_bound, right_bound, den_bound = self._aligned(self._exact(other))
        bound = left_bound + right_bound
        return Exact(_wide(left, bound) + _wide(right, bound), den, bound, den_bound)

    __radd__ = __add__

    def __neg__(self) -> Exact:
        return Exact(-self.num, self.den, self.bound, self.den_bound)

    def __sub__(self, other: Operand) -> Exact:
        return self + -self._exact(other)

    def __rsub__(self, other: Operand) -> Exact:
        return self._exact(other) + -self

    def __mul__(self, other: Operand) -> Exact:
        left, right = self, self._exact(other)
        if left.bound * right.bound > INT64_MAX:
            left, right = left.reduced(), right.reduced()
        bound = left.bound * right.bound
        num = _wide(left.num, bound) * _wide(right.num, bound)
        den_bound = left.den_bound * right.den_bound
        if isinstance(left.den, int) and isinstance(right.den, int):
            return Exact(num, left.den * right.den, bound)
        den = _wide(np.asarray(_divisor(left, den_bound)), den_bound) * _divisor(right, den_bound)
        return Exact(num, den, bound, den_bound)

    __rmul__ = __mul__

    def inverse(self) -> Exact:
        """1 / value of every row; ZeroDivisionError where one row is 0."""
        if not self.num.all():
            raise ZeroDivisionError("a row is divided by zero")
        if len(self.num) == 1:
            return Exact.constant(1 / self.fraction(0))
        sign = np.where(self.num < 0, -1, 1)
        kind: type[Any] = np.int64 if self.den_bound <= INT64_MAX else object
        num = sign * (np.full(len(self.num), self.den, dtype=kind) if isinstance(self.den, int) else self.den)
        return Exact(num, abs(self.num), self.den_bound, self.bound)

    def __truediv__(self, other: Operand) -> Exact:
        return self * self._exact(other).inverse()

    def __rtruediv__(self, other: Operand) -> Exact:
        return self._exact(other) * self.inverse()

    def __pow__(self, power: int) -> Exact:
        """Whole powers; a negative one is the power of the inverse."""
        if power < 0:
            return self.inverse() ** -power
        result = Exact.constant(1).spread(len(self.num))
        for _ in range(power):
            result = result * self
        return result

    def __abs__(self) -> Exact:
        return Exact(abs(self.num), self.den, self.bound, self.den_bound)

    # ---- comparison and choice ------------------------------------------------------------------------------------

    def _compared(self, other: Operand) -> tuple[Whole, Whole]:
        left, right, *_ = self._aligned(self._exact(other))
        return left, right

    def __lt__(self, other: Operand) -> npt.NDArray[np.bool_]:
        left, right = self._compared(other)
        return np.asarray(left < right, dtype=np.bool_)

    def __le__(self, other: Operand) -> npt.NDArray[np.bool_]:
        left, right = self._compared(other)
        return np.asarray(left <= right, dtype=np.bool_)

    def __gt__(self, other: Operand) -> npt.NDArray[np.bool_]:
        left, right = self._compared(other)
        return np.asarray(left > right, dtype=np.bool_)

    def __ge__(self, other: Operand) -> npt.NDArray[np.bool_]:
        left, right = self._compared(other)
        return np.asarray(left >= right, dtype=np.bool_)

    def equals(self, other: Operand) -> npt.NDArray[np.bool_]:
        """Which rows are equal (named, because == must keep its plain meaning for objects)."""
        left, right = self._compared(other)
        return np.asarray(left == right, dtype=np.bool_)

    @staticmethod
    def where(mask: npt.NDArray[np.bool_], yes: Operand, no: Operand) -> Exact:
        """`yes` in the rows of the mask, `no` in the others."""
        left, right, den, left_bound, right_bound, den_bound = Exact._exact(yes)._aligned(Exact._exact(no))
        bound = max(left_bound, right_bound)
        return Exact(np.where(mask, _wide(left, bound), _wide(right, bound)), den, bound, den_bound)

    def minimum(self, other: Operand) -> Exact:
        left, right, den, left_bound, right_bound, den_bound = self._aligned(self._exact(other))
        return Exact(np.minimum(left, right), den, max(left_bound, right_bound), den_bound)

    def maximum(self, other: Operand) -> Exact:
        left, right, den, left_bound, right_bound, den_bound = self._aligned(self._exact(other))
        return Exact(np.maximum(left, right), den, max(left_bound, right_bound), den_bound)

    # ---- rounding -------------------------------------------------------------------------------------------------

    def _scaled(self, places: int) -> Exact:
        """The column times 10^places, with the smallest numbers that say so."""
        scale = 10**places if places >= 0 else 1
        if isinstance(self.den, int):
            common = gcd(scale, self.den)
            num, bound = self._times(scale // common)
            den = self.den // common * (1 if places >= 0 else 10**-places)
            return Exact(num, den, bound)
        return self * (Fraction(10) ** places)

    def _whole_half_up(self, places: int) -> Whole:
        scaled = self._scaled(places)
        if isinstance(scaled.den, int) and scaled.den == 1:
            return scaled.num
        size, den = abs(scaled.num), _divisor(scaled, max(scaled.bound, 2 * scaled.den_bound))
        # A denominator beyond int64 meets object numerators, so that the comparison below cannot overflow either.
        size = _wide(size, max(scaled.bound, 2 * scaled.den_bound))
        whole = size // den
        whole = whole + (2 * (size - whole * den) >= den)
        signed: Whole = np.where(scaled.num < 0, -whole, whole)
        return signed

    def round_half_up(self, places: int = 0) -> Exact:
        """Rounded to `places` decimals, a tie going away from zero: 128.325 -> 128.33, -0.5 -> -1."""
        return Exact(self._whole_half_up(places)) * (Fraction(10) ** -places)

    def round_half_even(self, places: int = 0) -> Exact:
        """Rounded to `places` decimals, a tie going to the even neighbour: 0.5 -> 0, 1.5 -> 2."""
        scaled = self._scaled(places)
        need = max(scaled.bound, 2 * scaled.den_bound)
        den, num = _divisor(scaled, need), _wide(scaled.num, need)
        low = num // den
        twice = 2 * (num - low * den)
        up = (twice > den) | ((twice == den) & (low % 2 == 1))
        return Exact(low + up) * (Fraction(10) ** -places)

    def floor(self) -> Exact:
        """The whole number at or below the value."""
        need = max(self.bound, self.den_bound)
        return Exact(_wide(self.num, need) // _divisor(self, need))

    def to_cents(self) -> npt.NDArray[np.int64]:
        """Dollars as whole cents, half-up (away from zero); OverflowError beyond 92 million billion dollars."""
        return self._whole_half_up(2).astype(np.int64)

    def to_millionths(self) -> npt.NDArray[np.int64]:
        """Units as whole millionths for print and store, half-up."""
        return self._whole_half_up(6).astype(np.int64)

    def to_whole(self) -> npt.NDArray[np.int64]:
        """Whole numbers as int64; ValueError where a value has a fraction."""
        if not isinstance(self.den, int) or (self.num % self.den).any():
            raise ValueError("a value is not whole")
        return (self.num // self.den).astype(np.int64)

    @staticmethod
    def joined(columns: Sequence[Exact]) -> Exact:
        """Columns one after the other as one column."""
        if not columns:
            return Exact(np.zeros(0, dtype=np.int64))
        dens = [column.den for column in columns]
        if all(isinstance(den, int) for den in dens):
            den = lcm(*(den for den in dens if isinstance(den, int)))
            parts = [column._times(den // column.den_bound)[0] for column in columns]
            return Exact(np.concatenate(parts), den)
        widths = [len(column.num) for column in columns]
        columns_of_den = [np.broadcast_to(np.asarray(den), width) for den, width in zip(dens, widths, strict=True)]
        return Exact(np.concatenate([column.num for column in columns]), np.concatenate(columns_of_den))


def _divisor(column: Exact, need: int) -> Any:
    """The denominator, as something numerators of this size can be combined with without overflow."""
    if isinstance(column.den, int):
        return column.den
    return _wide(column.den, need)
