"""One meter twice at one moment: what another dial says is kept beside the first, what says the same is a duplicate."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xlbilling.intake.reads import parse_reads
from xlbilling.intake.reads.twice import with_second_dials

HEAD = "Meter,Account,Read Date,Reading,Status\n"


def both(path: Path, rows: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """What is kept, as meter and dial, and the dials that stay rejects; all rows are of one day."""
    path.write_text(HEAD + "".join(f"{meter},7,2026-11-12,{dial},A\n" for meter, dial in rows))
    parsed = parse_reads(path, in_child=False)
    reads, rejects = with_second_dials(parsed.reads, parsed.rejects)
    assert len(reads) + len(rejects) == parsed.balance.rows_in
    assert list(reads.columns) == list(parsed.reads.columns)
    assert set(reads["account_id"]) | {"7"} == {"7"}
    return list(zip(reads["meter_id"], reads["dial_read"], strict=True)), rejects["dial_read"].tolist()


@pytest.mark.parametrize(
    ("dials", "kept", "left"),
    [
        (["000109", "000119"], ["000109", "000119"], []),
        (["000109", "000109"], ["000109"], ["000109"]),
        (["000109", "109"], ["000109"], ["109"]),  # the same dial, written otherwise
        (["", "000109"], ["", "000109"], []),  # a no-read hides no read
        (["000109", ""], ["000109"], [""]),
        (["000109", "000119", "000119", "000129"], ["000109", "000119", "000129"], ["000119"]),
    ],
)
def test_of_a_repeated_row_only_another_dial_is_kept(
    tmp_path: Path, dials: list[str], kept: list[str], left: list[str]
) -> None:
    rows = [("M1", dial) for dial in dials]
    assert both(tmp_path / "reads.csv", [*rows, ("M2", "5")]) == (
        [("M1", kept[0]), ("M2", "5"), *(("M1", dial) for dial in kept[1:])],
        left,
    )


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["M1", "M2"]), st.sampled_from(["", "5", "05", "6", "6.50", "6.5"])), min_size=1)
)
def test_each_meter_keeps_every_value_once(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    """An oracle row by row: a row is kept where its meter has no row yet, or where its value is new to its meter."""
    met: dict[str, list[float | None]] = {}
    expected = []
    for meter, dial in rows:
        value = float(dial) if dial else None
        if meter not in met or (value is not None and value not in met[meter]):
            expected.append((meter, dial))
            met.setdefault(meter, []).append(value)
    kept, _ = both(tmp_path_factory.mktemp("reads") / "reads.csv", rows)
    assert sorted(kept) == sorted(expected)
