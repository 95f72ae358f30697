"""Columns of text on their way from the guarded child: packed small, as plain bytes, never as objects."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from typing import Final, cast

import numpy as np

from xlbilling.intake.files.spans import Few, Spans

_FEW: Final = 4096


def pack(columns: Sequence[Sequence[str] | Spans | Few]) -> list[bytes]:
    """One block of equally long columns as blobs: a column is text, a list of few values with indexes, or a repeat.

    Cells hold no line feed; `unpack` gives the same cells back.
    """
    blobs: list[bytes] = []
    for place, column in enumerate(columns):
        same = next((i for i in range(place) if columns[i] is column), None)
        if same is not None:
            blobs += [b"R", str(same).encode(), b""]
        elif isinstance(column, Spans):
            blobs += [b"T", column.joined().tobytes(), b""]
        elif isinstance(column, tuple) and len(column) == 2 and isinstance(column[0], np.ndarray):
            codes, values = column
            blobs += [b"F", _text(values), codes.tobytes()]
        else:
            blobs += _packed_texts(cast(Sequence[str], column))
    return blobs


def _packed_texts(column: Sequence[str]) -> list[bytes]:
    values = list(dict.fromkeys(column)) if len(set(column[:2000])) < 1000 else []
    if not values or len(values) > _FEW:
        return [b"T", _text(column), b""]
    index = {value: i for i, value in enumerate(values)}
    return [b"F", _text(values), array("H", map(index.__getitem__, column)).tobytes()]


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
