"""Lines of a report that are no rows of data: known by their words where no account and no day stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlbilling.intake.files.asides import Aside, Shape, set_apart
from xlbilling.intake.files.listing import read_listing
from xlbilling.words.problems import Problem

SHAPE = Shape("account", "amount", "day")
COLUMNS: dict[str, tuple[str, ...]] = {"account": (), "amount": (), "day": ()}


def apart(tmp_path: Path, *lines: str) -> tuple[list[int], list[Aside], list[Problem]]:
    """Lines of the rows kept, the lines set apart, and the rejects."""
    path = tmp_path / "t.csv"
    path.write_text("\n".join(["account,amount,day,name", *lines]) + "\n", encoding="utf-8")
    listing, asides = set_apart(read_listing(path, COLUMNS, list(COLUMNS), whole=True), SHAPE)
    return listing.frame["source_line"].tolist(), asides, listing.rejects


@pytest.mark.parametrize(
    "words",
    [
        "Total", "TOTALS:", "Sub-total", "Subtotal", "Grand Total (2 items)", "Batch total", "Deposit Totals", "Sum", "1310 Total",
        "11/03/2026 total", "Total for batch 7", "Balance carried forward", "Brought forward", "Balance c/f", "balance b/d",
        "Page 2", "Page: 3 of 9", "End of report", "Continued", "Printed 11/13/2026 by root", "Report date 11/13/2026", "Run on Monday",
        "Number of items", "Record count: 4", "Records: 4", "4 items", "Confidential", "-----", "=====",
    ],
)  # fmt: skip
@pytest.mark.parametrize("row", ["{},,,", "{},5.00,,", ",5.00,,{}", "{}"])
def test_words_of_a_total_or_a_foot_are_set_apart_wherever_they_stand(tmp_path: Path, words: str, row: str) -> None:
    if words in ("-----", "=====") and "5.00" in row:
        return
    kept, asides, rejects = apart(tmp_path, "41,1.00,2026-11-02,", row.format(words), "42,2.00,2026-11-02,")
    assert (kept, [aside.line for aside in asides], rejects) == ([2, 4], [3], [])


@pytest.mark.parametrize(
    "row",
    [
        "43,5.00,2026-11-02,Total Wine",
        "43,5.00,,Total Wine",
        "43,,,Page 2 Bakery",
        ",5.00,2026-11-02,Summit",
        "Summit,5.00,,",
        "Totalis-9,5.00,,",
        "Pagel,5.00,,",
        "TOTAL-17,5.00,2026-11-02,",
        "9 Elm,5.00,,",
    ],
)
def test_a_row_with_an_account_or_a_day_is_data(tmp_path: Path, row: str) -> None:
    kept, asides, _ = apart(tmp_path, "41,1.00,2026-11-02,", row, "42,2.00,2026-11-02,")
    assert (kept, asides) == ([2, 3, 4], [])


def test_a_sentence_is_a_foot_below_the_last_row_only(tmp_path: Path) -> None:
    assert apart(tmp_path, "41,1.00,2026-11-02,", "pay at the desk,,,")[0] == [2]
    assert apart(tmp_path, "pay at the desk,,,", "41,1.00,2026-11-02,")[0] == [2, 3]


@pytest.mark.parametrize(
    ("line", "amount", "count"),
    [
        ("Total,7.00,,", "7.00", None),
        ("Total,,,7.00", "7.00", None),
        ("Total amount: $7.00,,,", "$7.00", None),
        ("Total items: 4,,,", "", 4),
        ("Grand total (4 items),7.00,,", "7.00", 4),
        (",7.00,,", "7.00", None),
        ("Page 7,,,", "", None),
        ("Printed for 7.00,,,", "", None),
    ],
)
def test_what_a_total_prints(tmp_path: Path, line: str, amount: str, count: int | None) -> None:
    (aside,) = apart(tmp_path, "41,1.00,2026-11-02,", line)[1]
    assert (aside.amount, aside.count, aside.is_total) == (amount, count, bool(amount) or count is not None)


def test_a_long_text_costs_no_more_than_its_length(tmp_path: Path) -> None:
    # a pattern that could read the figures in many ways would try 2^5000 of them
    assert apart(tmp_path, "41,1.00,2026-11-02,", f"{'9' * 5000}x,,,", f"{'9-' * 2500}x,,,", f"{'total ' * 900}-x,,,")[
        0
    ][:2] == [2, 3]
