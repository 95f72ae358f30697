"""The keys of readings met in a file (meter, register, date, time): which readings are duplicates.

A plain block is compared by 64-bit hashes of its keys: where all hashes differ, all keys do. Only when two hashes are
the same, by a duplicate or by chance, are the keys themselves compared.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from xlbilling.intake.files.spans import Few, Spans

Key = tuple[str, str, str, str]
Hashes = NDArray[np.uint64]
_PRIMES: Final = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93)
_MASK: Final = 2**64 - 1


class Keys:
    """The keys met so far."""

    def __init__(self) -> None:
        self._hashes: Hashes = np.empty(0, dtype=np.uint64)
        self._waiting: list[tuple[bytes, Few, Few, Few]] = []
        self._met: set[Key] = set()

    def met(self, key: Key) -> bool:
        """Whether a key was met before."""
        if self._waiting:
            self._spell_out()
        return key in self._met

    def add(self, key: Key) -> None:
        """Remember the key of a single reading."""
        self._met.add(key)

    def add_block(self, meters: Spans, registers: Few, dates: Few, times: Few) -> bool:
        """Remember the keys of a block; False, with nothing remembered, where one may be there twice or was met."""
        hashes = meters.hashes()
        for few, prime in zip((registers, dates, times), _PRIMES[1:], strict=True):
            told = np.array([_text_hash(value, prime) for value in few[1]], dtype=np.uint64)
            hashes = hashes * np.uint64(_PRIMES[0]) + told[few[0]]
        hashes.sort()
        if (hashes[1:] == hashes[:-1]).any():
            return False
        places = np.searchsorted(self._hashes, hashes)
        inside = places < len(self._hashes)
        if (self._hashes[places[inside]] == hashes[inside]).any():
            return False
        if self._met and not self._met.isdisjoint(_spelled(meters.joined().tobytes(), registers, dates, times)):
            return False
        self._hashes = np.insert(self._hashes, places, hashes)
        self._waiting.append((meters.joined().tobytes(), registers, dates, times))
        return True

    def _spell_out(self) -> None:
        waiting, self._waiting = self._waiting, []
        for block in waiting:
            self._met.update(_spelled(*block))


def _spelled(meters: bytes, *columns: Few) -> zip[Key]:
    """The keys of a block as texts."""
    cells = meters.decode("ascii").split("\n")
    cells.pop()
    return zip(cells, *(map(few[1].__getitem__, few[0].tolist()) for few in columns), strict=True)


def _text_hash(text: str, prime: int) -> int:
    total = 0
    for byte in text.encode("utf-8"):
        total = (total * prime + byte + 1) & _MASK
    return total
