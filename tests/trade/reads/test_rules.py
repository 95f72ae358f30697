"""Rules as of a day: of each setting the row with the latest first day that is not after it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.reads import Rules
from xlbilling.trade.reads.rules import COMING, IN_FORCE, WAS, in_force, states

DAYS = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 12))
SETTINGS = st.tuples(st.sampled_from(["check", "reads"]), st.sampled_from(["high", "low", "high / R / any"]))


def policy(*rows: tuple[str, str, dt.date | None, str]) -> pd.DataFrame:
    made = pd.DataFrame(list(rows), columns=["topic", "setting", "effective_from", "value"])
    return made.assign(effective_from=pd.to_datetime(made["effective_from"]).astype("datetime64[s]"), severity="review")


def slow(rows: list[Any], day: dt.date) -> list[str]:
    """How each row stands, looked up one by one: the latest first day of its setting that is not after the day counts."""
    first = dt.date.min
    said = []
    for topic, setting, began, _ in rows:
        days = [other or first for t, s, other, _ in rows if (t, s) == (topic, setting) and (other or first) <= day]
        mine = began or first
        said.append(COMING if mine > day else IN_FORCE if mine == max(days) else WAS)
    return said


@given(
    st.lists(st.tuples(SETTINGS, st.none() | DAYS), unique=True, max_size=14).flatmap(st.permutations),
    DAYS,
    st.integers(0, 3),
)
def test_every_day_has_of_each_setting_the_latest_row_not_after_it(
    keys: list[tuple[tuple[str, str], dt.date | None]], day: dt.date, offset: int
) -> None:
    rows = [(*setting, began, str(n)) for n, (setting, began) in enumerate(keys)]
    frame = policy(*rows).set_axis(range(offset, offset + len(rows)), axis=0)
    said = slow(rows, day)
    assert states(frame, day).tolist() == said
    current = in_force(frame, day)
    assert current["value"].tolist() == [row[3] for row, stands in zip(rows, said, strict=True) if stands == IN_FORCE]
    assert not current.duplicated(["topic", "setting"]).any()
    pd.testing.assert_frame_equal(current, frame.loc[current.index])  # rows and columns as they are


def test_a_value_holds_from_its_first_day_until_the_day_before_the_next() -> None:
    rows = policy(
        ("check", "high", dt.date(2027, 1, 1), "150"),
        ("check", "high", None, "200"),
        ("check", "high / R / any", dt.date(2026, 7, 1), "175"),
    )
    for day, high, own in (
        (dt.date(2026, 6, 30), "200", None), (dt.date(2026, 7, 1), "200", "175"), (dt.date(2026, 12, 31), "200", "175"),
        (dt.date(2027, 1, 1), "150", "175"),
    ):  # fmt: skip
        rules = Rules.of(in_force(rows, day))
        assert (rules.text("check", "high"), rules.settings.get(("check", "high / R / any"))) == (high, own)
        assert [o.value for o in rules.overrides.get("high", ())] == ([own] if own else [])
