"""The packed rows of a file as pandas frames, without a look at each cell where a column repeats its values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlbilling.intake.files import tables
from xlbilling.intake.reads.readings import TEXT_COLUMNS
from xlbilling.intake.reads.rejected import REJECT_FIELDS

BLOBS_OF_A_BLOCK: Final = 1 + 3 * len(TEXT_COLUMNS)


def reads_frame(blobs: Sequence[bytes], block_count: int) -> pd.DataFrame:
    """The kept rows with TEXT_COLUMNS as text and source_line as whole numbers."""
    blocks = [blobs[i * BLOBS_OF_A_BLOCK : (i + 1) * BLOBS_OF_A_BLOCK] for i in range(block_count)]
    lines = [np.frombuffer(block[0], dtype=np.int64) for block in blocks]
    source_line = np.concatenate(lines) if lines else np.empty(0, dtype=np.int64)
    whole = [np.empty(len(source_line), dtype=object) for _ in TEXT_COLUMNS]
    start = 0
    for block, numbers in zip(blocks, lines, strict=True):
        _fill(whole, start, start + len(numbers), block[1:])
        start += len(numbers)
    columns: dict[str, Any] = {name: _texts(cells) for name, cells in zip(TEXT_COLUMNS, whole, strict=True)}
    return pd.DataFrame({**columns, "source_line": source_line}, copy=False)


def rejects_frame(blobs: Sequence[bytes]) -> pd.DataFrame:
    """The rejects: source_line, code, message, REJECT_FIELDS and content (the line as it came, at each of its readings)."""
    names = ("code", "message", *REJECT_FIELDS)
    cut = 1 + 3 * len(names)
    line = np.frombuffer(blobs[0], dtype=np.int64)
    columns = {name: _objects(cells) for name, cells in zip(names, tables.unpack(blobs[1:cut]), strict=True)}
    came, content = np.frombuffer(blobs[cut], dtype=np.int64), _objects(tables.unpack(blobs[cut + 1 :])[0])
    columns["content"] = content[np.searchsorted(came, line)]
    return pd.DataFrame({"source_line": line.copy(), **{name: _texts(cells) for name, cells in columns.items()}})


def _objects(cells: list[str]) -> NDArray[np.object_]:
    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return made


def _texts(cells: NDArray[np.object_]) -> Any:
    """Cells that are all texts as a column of pandas' own text type."""
    return pd.array(cells, dtype="str")


def _fill(whole: list[NDArray[np.object_]], start: int, end: int, blobs: Sequence[bytes]) -> None:
    """Put the columns of a block into the whole columns; see `tables.pack` for the kinds."""
    for column in whole:
        kind, text, codes = blobs[:3]
        blobs = blobs[3:]
        if kind == b"R":
            column[start:end] = whole[int(text)][start:end]
            continue
        values = text.decode("utf-8").split("\n")
        values.pop()
        if kind == b"F" and len(values) == 1:
            column[start:end] = values[0]
        elif kind == b"F":
            column[start:end] = np.array(values, dtype=object)[np.frombuffer(codes, dtype=np.uint16)]
        else:
            column[start:end] = values
