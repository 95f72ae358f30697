"""Formulas of rate schedules: a small grammar read into a tree; nothing is ever executed as code.

sum     = product (("+" | "-") product)*
product = signed (("*" | "/") signed)*
signed  = ("-" | "+") signed | power
power   = atom ("^" signed)?
atom    = number | name | name "(" sum ("," sum)* ")" | "(" sum ")"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from xlbilling.words.exact import decimal_text

_WORD: Final = re.compile(r"\s*(?:(\d+\.?\d*|\.\d+)|([A-Za-z_][\w.]*)|([-+*/^(),]))")
FUNCTIONS: Final[dict[str, tuple[int, int]]] = {
    "round": (1, 2),
    "round_half_up": (1, 2),
    "min": (1, 99),
    "max": (1, 99),
}
DEEPEST: Final = 60


class FormulaError(ValueError):
    """The text is no formula; the message says where and why."""


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Name:
    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    of: Node


@dataclass(frozen=True, slots=True)
class Operation:
    sign: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """round = half to even; round_half_up = half away from zero; min, max."""

    function: str
    arguments: tuple[Node, ...]


Node = Number | Name | Negative | Operation | Call


def parse(text: str) -> Node:
    """The tree of a formula; FormulaError where the text is none."""
    words = list(_words(text))
    reader = _Reader(text, words)
    tree = reader.sum(0)
    if reader.at < len(words):
        raise FormulaError(f"{text!r}: {words[reader.at]!r} is not expected there")
    return tree


def _words(text: str) -> Iterator[str]:
    at, end = 0, len(text.rstrip())
    while at < end:
        found = _WORD.match(text, at)
        if not found:
            raise FormulaError(f"{text!r}: cannot read {text[at:].strip()[:20]!r}")
        yield found[found.lastindex or 0]
        at = found.end()


class _Reader:
    def __init__(self, text: str, words: list[str]):
        self.text, self.words, self.at = text, words, 0

    def _next(self) -> str:
        return self.words[self.at] if self.at < len(self.words) else ""

    def _take(self, *wanted: str) -> str:
        word = self._next()
        if word not in wanted:
            return ""
        self.at += 1
        return word

    def sum(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise FormulaError(f"{self.text[:40]!r}...: more than {DEEPEST} parentheses deep")
        left = self._product(depth)
        while sign := self._take("+", "-"):
            left = Operation(sign, left, self._product(depth))
        return left

    def _product(self, depth: int) -> Node:
        left = self._signed(depth)
        while sign := self._take("*", "/"):
            left = Operation(sign, left, self._signed(depth))
        return left

    def _signed(self, depth: int) -> Node:
        if depth > DEEPEST:
            raise FormulaError(f"{self.text[:40]!r}...: more than {DEEPEST} signs deep")
        if self._take("-"):
            return Negative(self._signed(depth + 1))
        if self._take("+"):
            return self._signed(depth + 1)
        return self._power(depth)

    def _power(self, depth: int) -> Node:
        base = self._atom(depth)
        return Operation("^", base, self._signed(depth + 1)) if self._take("^") else base

    def _atom(self, depth: int) -> Node:
        word = self._next()
        self.at += 1
        if word == "(":
            inside = self.sum(depth + 1)
            self._close()
            return inside
        if word[:1].isdigit() or word[:1] == ".":
            return Number(Fraction(word))
        if not word or not (word[0].isalpha() or word[0] == "_"):
            raise FormulaError(
                f"{self.text!r}: a number or name is missing {f'before {word!r}' if word else 'at the end'}"
            )
        if not self._take("("):
            return Name(word)
        return self._call(word, depth)

    def _call(self, function: str, depth: int) -> Node:
        if function not in FUNCTIONS:
            raise FormulaError(f"{self.text!r}: there is no function {function}(); there are {', '.join(FUNCTIONS)}")
        arguments = [self.sum(depth + 1)]
        while self._take(","):
            arguments.append(self.sum(depth + 1))
        self._close()
        least, most = FUNCTIONS[function]
        if not least <= len(arguments) <= most:
            raise FormulaError(f"{self.text!r}: {function}() with {len(arguments)} values")
        return Call(function, tuple(arguments))

    def _close(self) -> None:
        if not self._take(")"):
            raise FormulaError(f"{self.text!r}: a closing parenthesis is missing")


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Negative(of):
            return (of,)
        case Operation(_, left, right):
            return (left, right)
        case Call(_, arguments):
            return arguments
        case _:
            return ()


def names(node: Node) -> list[str]:
    """The names a formula uses, in the order they are written, each once."""
    found: dict[str, None] = {}
    waiting = [node]
    while waiting:
        top = waiting.pop()
        if isinstance(top, Name):
            found[top.name] = None
        waiting.extend(reversed(children(top)))
    return list(found)


def rewritten(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """The tree with every node replaced that `change` has an answer for, from the top down."""
    answer = change(node)
    if answer is not None:
        return answer
    match node:
        case Negative(of):
            return Negative(rewritten(of, change))
        case Operation(sign, left, right):
            return Operation(sign, rewritten(left, change), rewritten(right, change))
        case Call(function, arguments):
            return Call(function, tuple(rewritten(argument, change) for argument in arguments))
        case _:
            return node


def terms(node: Node) -> list[tuple[int, Node]]:
    """The additive terms of a formula with their signs: a-(b+c) is +a, -(b+c)."""
    match node:
        case Operation("+", left, right):
            return [*terms(left), *terms(right)]
        case Operation("-", left, right):
            return [*terms(left), (-1, right)]
        case _:
            return [(1, node)]


_STRENGTH: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}


def text_of(node: Node) -> str:
    """The formula as a person writes it; reading the text again gives the same tree."""
    return _text(node)[0]


def _text(node: Node) -> tuple[str, int]:
    match node:
        case Number(value):
            text = decimal_text(value)
            return text, 2 if "/" in text else 9
        case Name(name):
            return name, 9
        case Call(function, arguments):
            return f"{function}({', '.join(text_of(argument) for argument in arguments)})", 9
        case Negative(of):
            return f"-{_held(of, 3)}", 3
        case Operation(sign, left, right):
            strength = _STRENGTH[sign]
            # a-(b-c) and a/(b*c) keep their parentheses; a^b needs them on its left.
            spaced = f" {sign} " if strength == 1 else sign
            held = _held(left, strength + (sign == "^")), _held(right, 3 if sign == "^" else strength + 1)
            return f"{held[0]}{spaced}{held[1]}", strength


def _held(node: Node, strength: int) -> str:
    text, own = _text(node)
    return text if own >= strength else f"({text})"
