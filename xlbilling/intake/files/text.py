"""Text from outside: decoded without loss and cut into physical lines."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from xlbilling.intake.files.source import ENCODING
from xlbilling.words.problems import Place, Refusal

BLOCK_CHARACTERS: Final = 2**20
"""How much text is worked on at a time; keeps the memory of a large file to a small multiple of its own size."""

_WIDE_MARKS: Final = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"))
_HALF_MARKS: Final = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@dataclass(frozen=True)
class Text:
    """A decoded file whose lines all end in a line feed; a trailing Ctrl-Z is already gone."""

    characters: str

    def raw_blocks(self, first_line: int = 1) -> Iterator[tuple[int, str]]:
        """Whole lines from `first_line` on, in blocks: (number of the block's first line, its text)."""
        start, number = 0, 1
        while number < first_line:
            start = self.characters.find("\n", start) + 1
            if not start:
                return
            number += 1
        size = len(self.characters)
        if self.characters.endswith("\n"):
            size -= 1
        while start < size:
            end = self.characters.find("\n", min(start + BLOCK_CHARACTERS, size), size)
            end = size if end < 0 else end
            block = self.characters[start:end]
            yield number, block
            number += block.count("\n") + 1
            start = end + 1

    def blocks(self, first_line: int = 1) -> Iterator[tuple[int, list[str]]]:
        """The physical lines from `first_line` on, in blocks: (number of the block's first line, lines)."""
        for number, block in self.raw_blocks(first_line):
            yield number, block.split("\n")

    def head(self, count: int) -> list[tuple[int, str]]:
        """The first `count` lines that are not blank, with their line numbers."""
        found: list[tuple[int, str]] = []
        start = number = 0
        while len(found) < count and start <= len(self.characters):
            end = self.characters.find("\n", start)
            end = len(self.characters) if end < 0 else end
            line = self.characters[start:end]
            number, start = number + 1, end + 1
            if line and not line.isspace():
                found.append((number, line))
        return found


def decode(data: bytes, name: str, encoding: str | None = None) -> Text:
    """The characters of a text file: UTF-8, UTF-16 or UTF-32 by its mark, otherwise Windows-1252.

    Where UTF-8 is declared, or most of the file plainly is UTF-8, stray bytes stay as lone surrogates, so that the
    rows that hold them are listed and the others kept. Nothing is ever replaced.
    """
    place = Place(file=name)
    return Text(_even_line_ends(_characters(data, place, (encoding or "").lower().replace("_", "-"))))


def _characters(data: bytes, place: Place, declared: str) -> str:
    for mark, codec in _WIDE_MARKS + _HALF_MARKS:
        if data.startswith(mark):
            try:
                return data.decode(codec)
            except UnicodeDecodeError:
                raise Refusal(ENCODING.at(place, f"it is marked as {codec.upper()} and is not")) from None
    data = data.removeprefix(codecs.BOM_UTF8)
    head = data[:4096]
    if head.count(0) > len(head) // 4:
        raise Refusal(ENCODING.at(place, "it holds binary zeros throughout (16-bit text without a mark, or no text)"))
    if declared and declared not in {"utf-8", "utf8", "utf-8-sig"}:
        try:
            return data.decode(declared)
        except (LookupError, UnicodeDecodeError, UnicodeError):
            raise Refusal(ENCODING.at(place, f"it is not {declared[:40]}")) from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    loose = data.decode("utf-8", "surrogateescape")
    if declared or re.search("[\x80-\ud7ff\ue000-\U0010ffff]", loose):
        return loose
    return data.decode("cp1252", "surrogateescape")


def _even_line_ends(characters: str) -> str:
    if "\r" in characters:
        characters = characters.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    if "\x1a" in characters[-16:]:
        characters = characters.rstrip("\x1a\n")
    return characters
