"""Columns of text on their way from the guarded child: packed small, as plain bytes, never as objects."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final

Columns = dict[str, list[str]]
_FEW: Final = 4096


def pack(columns: Sequence[Sequence[str]]) -> list[bytes]:
    """One block of equally long columns as blobs: a column is text, a list of few values with indexes, or a repeat.

    Cells hold no line feed; `unpack` gives the same cells back.
    """
    blobs: list[bytes] = []
    packed: list[Sequence[str]] = []
    for column in columns:
        same = next((i for i, earlier in enumerate(packed) if earlier is column), None)
        packed.append(column)
        if same is not None:
            blobs += [b"R", str(same).encode(), b""]
            continue
        values = list(dict.fromkeys(column)) if len(set(column[:2000])) < 1000 else []
        if values and len(values) <= _FEW:
            index = {value: i for i, value in enumerate(values)}
            codes = array("H", map(index.__getitem__, column))
            blobs += [b"F", _text(values), codes.tobytes()]
        else:
            blobs += [b"T", _text(column), b""]
    return blobs


def unpack(blobs: Sequence[bytes]) -> list[list[str]]:
    """The columns that `pack` was given."""
    columns: list[list[str]] = []
    for kind, text, codes in _triples(blobs):
        if kind == b"R":
            columns.append(columns[int(text)])
            continue
        values = text.decode("utf-8").split("\n") if text else []
        if values:
            values.pop()
        if kind == b"F":
            values = list(map(values.__getitem__, array("H", codes)))
        columns.append(values)
    return columns


def _text(values: Sequence[str]) -> bytes:
    return ("\n".join(values) + "\n").encode("utf-8") if values else b""


def _triples(blobs: Sequence[bytes]) -> Iterator[tuple[bytes, bytes, bytes]]:
    for i in range(0, len(blobs), 3):
        yield bytes(blobs[i]), bytes(blobs[i + 1]), bytes(blobs[i + 2])
