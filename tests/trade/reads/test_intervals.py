"""Interval quantities summed up: worked by hand, and against a slow count hour by hour."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.trade.reads.intervals import COLUMNS, summarised

Row = tuple[str, str, str, str, str]  # meter, date, time, quantity, unit


def frame(rows: list[Row]) -> pd.DataFrame:
    made = pd.DataFrame(rows, columns=["meter_id", "read_date", "read_time", "read_value", "unit"], dtype="str")
    return made.assign(register_id="interval")


def said(rows: list[Row]) -> list[tuple[object, ...]]:
    return [tuple(row) for row in summarised(frame(rows))[list(COLUMNS)].to_numpy().tolist()]


def test_a_night_that_never_comes_to_rest() -> None:
    """M1 runs from 01:00 to 04:00 (2.5 the least), rests, runs two hours more; 07:00 is missing. M2 never runs."""
    night = zip(range(6), ("0", "3", "2.5", "4", "2.75", "0"), strict=True)
    rows = [("M1", "2026-04-06", f"{hour:02d}:59", flow, "GAL") for hour, flow in night]
    rows += [("M1", "2026-04-06", "06:59", "9", "GAL"), ("M1", "2026-04-06", "08:59", "1", "GAL")]
    rows.insert(3, ("M2", "2026-04-06", "00:30", "0", "CF"))
    assert said(rows) == [
        # 0 + 3 + 2.5 + 4 + 2.75 + 0 + 9 + 1 = 22.25
        ("M1", "interval", "GAL", "2026-04-06 00:00", "2026-04-06 08:00", 8, 1, 4, 2_500_000, 22_250_000),
        ("M2", "interval", "CF", "2026-04-06 00:00", "2026-04-06 00:00", 1, 0, 0, 0, 0),
    ]


def test_of_two_runs_as_long_the_latest_counts() -> None:
    rows = [
        ("M1", "2026-04-06", f"{hour:02d}:00", flow, "CF") for hour, flow in ((1, "1"), (2, "1"), (5, "7"), (6, "8"))
    ]
    assert said(rows)[0][7:9] == (2, 7_000_000)


def test_quarters_of_an_hour_are_one_hour() -> None:
    rows = [("M1", "2026-04-06", f"01:{minute}", "0.25", "CF") for minute in ("00", "15", "30", "45")]
    assert said(rows)[0][5:] == (1, 0, 1, 1_000_000, 1_000_000)


def test_a_meter_without_a_quantity_is_there_all_the_same() -> None:
    assert said([("M1", "2026-04-06", "01:00", "", "CF"), ("M2", "", "", "", "CF")]) == [
        ("M1", "interval", "CF", "", "", 0, 0, 0, 0, 0),
        ("M2", "interval", "CF", "", "", 0, 0, 0, 0, 0),
    ]


def test_water_that_flows_back_ends_a_run() -> None:
    rows = [("M1", "2026-04-06", f"{hour:02d}:00", flow, "CF") for hour, flow in enumerate(("1", "-0.5", "2"))]
    assert said(rows)[0][5:] == (3, 0, 1, 2_000_000, 2_500_000)


def test_the_hour_that_march_skips_is_not_missing() -> None:
    """2027-03-14 goes from 01:59 to 03:00; a file with a row of 02:00 keeps another clock."""
    rows = [("M1", "2027-03-14", f"{hour:02d}:00", "1", "CF") for hour in (0, 1, 3, 4)]
    assert said(rows)[0][5:8] == (4, 0, 4)
    other = ("M2", "2027-03-14", "02:00", "1", "CF")
    assert said([*rows, other])[0][5:8] == (4, 1, 2)


def test_the_hour_that_november_repeats_is_summed() -> None:
    rows = [("M1", "2026-11-01", time, "1", "CF") for time in ("00:00", "01:00", "01:00", "02:00")]
    assert said(rows)[0][5:] == (3, 0, 3, 1_000_000, 4_000_000)


def test_an_empty_file_gives_an_empty_table() -> None:
    assert list(summarised(frame([])).columns) == list(COLUMNS)
    assert len(summarised(frame([]))) == 0


def slowly(rows: list[Row]) -> list[tuple[object, ...]]:
    """The same, hour by hour."""
    hours: dict[tuple[str, str], dict[dt.datetime, int]] = {}
    for meter, date, time, value, unit in rows:
        of = hours.setdefault((meter, unit), defaultdict(int))
        if value:
            of[dt.datetime.fromisoformat(f"{date} {time[:2]}:00")] += round(float(value) * 4) * 250_000
    made = []
    for (meter, unit), flow in hours.items():
        if not flow:
            made.append((meter, "interval", unit, "", "", 0, 0, 0, 0, 0))
            continue
        first, last = min(flow), max(flow)
        best: list[int] = []
        run: list[int] = []
        missing, now = 0, first
        while now <= last:
            missing += now not in flow
            run = [*run, flow[now]] if flow.get(now, 0) > 0 else []
            if run and len(run) >= len(best):
                best = run
            now += dt.timedelta(hours=1)
        ends = (first.strftime("%Y-%m-%d %H:%M"), last.strftime("%Y-%m-%d %H:%M"))
        made.append(
            (meter, "interval", unit, *ends, len(flow), missing, len(best), min(best, default=0), sum(flow.values()))
        )
    return made


ROW = st.tuples(
    st.sampled_from(["M1", "M2", "M3"]),
    st.sampled_from(["2026-06-30", "2026-07-01"]),
    st.integers(0, 23).map(lambda hour: f"{hour:02d}:15"),
    st.sampled_from(["", "0", "1", "2.25", "0.5", "-0.75", "1000000"]),
    st.sampled_from(["GAL", "GAL", "CF"]),
)


@given(st.lists(ROW, max_size=60))
def test_it_is_the_slow_count(rows: list[Row]) -> None:
    assert said(rows) == slowly(rows)
