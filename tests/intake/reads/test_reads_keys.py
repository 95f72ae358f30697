"""Duplicate keys: whole blocks by hash and single readings by text give what one plain set gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.files.spans import Spans, few_of
from xlbilling.intake.reads.keys import Key, Keys

KEY = st.tuples(
    st.sampled_from(["M1", "M2", "M10", "0", "00"]), st.sampled_from(["", "L"]), st.sampled_from(["d1", "d2"]),
    st.sampled_from(["", "t"]),
)  # fmt: skip


def spans(cells: list[str]) -> Spans:
    text = "".join(cell + "," for cell in cells)
    ends = np.flatnonzero(np.frombuffer(text.encode(), dtype=np.uint8) == ord(","))
    starts = np.concatenate(([0], ends[:-1] + 1))
    return Spans(np.frombuffer(text.encode(), dtype=np.uint8), starts, ends)


def add_block(keys: Keys, block: list[Key]) -> bool:
    columns = [few_of([key[i] for key in block]) for i in (1, 2, 3)]
    assert all(column is not None for column in columns)
    return keys.add_block(spans([key[0] for key in block]), *columns)  # type: ignore[arg-type]


@given(st.lists(st.tuples(st.booleans(), st.lists(KEY, min_size=1, max_size=4)), max_size=8), st.booleans())
def test_blocks_and_single_keys(steps: list[tuple[bool, list[Key]]], blind: bool) -> None:
    keys, seen = Keys(), set[Key]()
    with pytest.MonkeyPatch.context() as patched:
        if blind:  # every hash the same: no block is ever plain, and nothing is taken wrongly
            patched.setattr(Spans, "hashes", lambda self: np.zeros(len(self), dtype=np.uint64))
        for whole, block in steps:
            if whole:
                added = add_block(keys, block)
                fresh = len(set(block)) == len(block) and seen.isdisjoint(block)
                assert fresh or not added
                assert added or blind or not fresh
                seen |= set(block) if added else set()
                continue
            for key in block:
                assert keys.met(key) == (key in seen)
                keys.add(key)
                seen.add(key)
    assert all(keys.met(key) for key in seen)
