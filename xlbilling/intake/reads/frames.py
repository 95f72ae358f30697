"""The packed rows of a file as pandas frames; straight from the packed bytes where pyarrow is there."""

from __future__ import annotations

import importlib.util
from array import array
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake import tables
from xlbilling.intake.reads.readings import TEXT_COLUMNS

BLOBS_OF_A_BLOCK: Final = 1 + 3 * len(TEXT_COLUMNS)
_HAS_ARROW: Final = importlib.util.find_spec("pyarrow") is not None


def reads_frame(blobs: Sequence[bytes], block_count: int) -> pd.DataFrame:
    """The kept rows with TEXT_COLUMNS as text and source_line as whole numbers."""
    blocks = [blobs[i * BLOBS_OF_A_BLOCK : (i + 1) * BLOBS_OF_A_BLOCK] for i in range(block_count)]
    make = _arrow_columns if _HAS_ARROW else _plain_columns
    columns: dict[str, Any] = dict(zip(TEXT_COLUMNS, make([block[1:] for block in blocks]), strict=True))
    lines = [np.frombuffer(block[0], dtype=np.int64) for block in blocks]
    columns["source_line"] = np.concatenate(lines) if lines else np.empty(0, dtype=np.int64)
    return pd.DataFrame(columns)


def rejects_frame(lines: array[int], codes: list[str], messages: list[str]) -> pd.DataFrame:
    """The rejects: source_line, code and message."""
    return pd.DataFrame(
        {
            "source_line": np.array(lines, dtype=np.int64),
            "code": pd.array(np.array(codes, dtype=object), dtype="str"),
            "message": pd.array(np.array(messages, dtype=object), dtype="str"),
        }
    )


def _plain_columns(blocks: Sequence[Sequence[bytes]]) -> list[Any]:
    unpacked = [tables.unpack(block) for block in blocks]
    whole = [[cell for block in unpacked for cell in block[i]] for i in range(len(TEXT_COLUMNS))]
    return [pd.array(np.array(cells, dtype=object), dtype="str") for cells in whole]


def _arrow_columns(blocks: Sequence[Sequence[bytes]]) -> list[Any]:
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - optional

    columns = []
    for i in range(len(TEXT_COLUMNS)):
        chunks = [_arrow_text(block, i) for block in blocks]
        chunked = pa.chunked_array(chunks, type=pa.large_string())
        columns.append(pd.array(chunked, dtype=pd.StringDtype("pyarrow", na_value=np.nan)))
    return columns


def _arrow_text(block: Sequence[bytes], column: int) -> Any:
    """One column of a block as an Arrow array of texts, made from the packed bytes."""
    import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]  # noqa: PLC0415 - optional

    kind, text, codes = block[3 * column : 3 * column + 3]
    if kind == b"R":
        return _arrow_text(block, int(text))
    letters = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(letters == 10)
    offsets = np.zeros(len(ends) + 1, dtype=np.int64)
    offsets[1:] = ends - np.arange(len(ends))
    cells = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(letters[letters != 10]))
    if kind == b"F":
        return cells.take(pa.array(np.frombuffer(codes, dtype=np.uint16)))
    return cells
