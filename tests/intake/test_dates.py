"""Dates of a column: one order for all of its rows, or none of those that could be both."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.files.dates import DateColumn, DayOrder, clock_time, ways_of

THE_THIRD = dt.date(2026, 11, 3)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-03", "2026/11/03", "20261103", "11/3/2026", "11/03/26", "11-03-2026", "03-Nov-2026", "3-Nov-26",
        "3 November 2026", "03 Nov 2026", "3 Nov, 2026", "Nov 3, 2026", "November 3 2026", "Nov. 3, 2026", "nov 3rd, 2026",
        "Tuesday, November 3, 2026", "Tue 3 Nov 2026", "  11/3/2026  ",
        "11/3/2026 12:00:00 AM", "2026-11-03T14:22:10", "11/03/2026 2:22 PM", "2026-11-03 00:00:00.000", "Nov 3, 2026 14:22",
        "03-Nov-2026 00:00",
    ],
)  # fmt: skip
def test_a_day_as_reports_write_it(text: str) -> None:
    assert DateColumn([text]).day(text) == THE_THIRD


@pytest.mark.parametrize(
    "text",
    [
        "", "July", "02/30/2026", "13/13/2026", "06 Foo 2026", "Novx 3, 2026", "Wed, Nov 3, 2026", "11/3/2026 25:00",
        "11/3/2026 soon", "46329", "26-07-06", "11/3", "2026-11-03T14:22:10Z", "11/3/2026/4", "1/2/3",
    ],
)  # fmt: skip
def test_what_names_no_day(text: str) -> None:
    assert DateColumn([text]).day(text) is None
    assert DateColumn([text]).doubt(text) == ""


def test_a_day_number_is_a_date_in_a_workbook_only() -> None:
    # 46210 days after 1899-12-30 is 7 July 2026; 1904 workbooks count 1462 fewer
    assert DateColumn(["46210.75"], first_serial=1900).day("46210.75") == dt.date(2026, 7, 7)
    assert DateColumn(["44748"], first_serial=1904).day("44748") == dt.date(2026, 7, 7)
    assert DateColumn(["46210"]).day("46210") is None


def test_one_row_that_can_only_be_day_first_turns_the_whole_column() -> None:
    dates = DateColumn(["03/07/2026", "", "13/07/2026", "05/07/2026 12:00:00 AM", "no date"])
    assert dates.order == "dmy"
    assert dates.day("03/07/2026") == dt.date(2026, 7, 3)
    assert dates.day("05/07/2026 12:00:00 AM") == dt.date(2026, 7, 5)
    assert dates.told == "the dates are read day first, because '13/07/2026' can only be day first"


def test_a_declared_order_is_turned_by_the_same_rule() -> None:
    assert DateColumn(["7/6/2026", "7/13/2026"], "dmy").day("7/6/2026") == dt.date(2026, 7, 6)
    assert DateColumn(["7/6/2026", "6/6/2026"], "dmy").day("7/6/2026") == dt.date(2026, 6, 7)


def test_a_column_of_both_orders_takes_no_row_that_could_be_both() -> None:
    dates = DateColumn(["03/07/2026", "13/07/2026", "07/14/2026", "05/05/2026"])
    assert dates.order is None
    assert dates.day("03/07/2026") is None
    assert dates.doubt("03/07/2026") == "'03/07/2026' could be 2026-03-07 or 2026-07-03"
    assert dates.day("07/14/2026") == dt.date(2026, 7, 14)
    assert dates.day("05/05/2026") == dt.date(2026, 5, 5)
    assert dates.day("13/07/2026") is None, "it is no date in the order that the rest is in"
    assert dates.told.startswith("'13/07/2026' can only be day first, but '07/14/2026' cannot")


def test_a_column_with_the_year_first_is_never_wholly_day_first() -> None:
    dates = DateColumn(["2026-07-03", "04/07/2026", "13/07/2026"])
    assert dates.day("2026-07-03") == dt.date(2026, 7, 3)
    assert [dates.day("04/07/2026"), dates.day("13/07/2026")] == [None, None]
    assert DateColumn(["03-Jul-2026", "13/07/2026"]).day("13/07/2026") == dt.date(2026, 7, 13)


def test_a_workbook_whose_day_first_column_was_opened_month_first() -> None:
    """03/07 and 05/12 became dates of March 7 and May 12; 13/07 stayed text. 46213 is July 10, 46216 is July 13."""
    dates = DateColumn(["46213", "46216", "13/07/2026"], first_serial=1900)
    assert dates.day("46213") is None
    assert dates.doubt("46213") == "'46213' could be 2026-07-10 or 2026-10-07"
    assert dates.day("46216") == dt.date(2026, 7, 13), "no thirteenth month was taken for a day"
    sound = DateColumn(["46213", "13/07/2026", "07/14/2026"], first_serial=1900)
    assert sound.day("46213") == dt.date(2026, 7, 10), "text in the workbook's own order is beside it: the 13 is a slip"


def days_of(order: DayOrder) -> st.SearchStrategy[list[dt.date]]:
    return st.lists(st.dates(dt.date(2001, 1, 1), dt.date(2099, 12, 31)), min_size=1, max_size=30)


@given(days_of("dmy"), st.sampled_from(["/", "-"]), st.sampled_from(["mdy", "dmy"]), st.sampled_from(["mdy", "dmy"]))
def test_a_column_written_one_way_is_read_that_way_or_as_declared(
    days: list[dt.date], mark: str, written: DayOrder, declared: DayOrder
) -> None:
    """Proven by a day above 12, the column reads back whole; unproven, it reads as declared: never in part."""
    pattern = f"%m{mark}%d{mark}%Y" if written == "mdy" else f"%d{mark}%m{mark}%Y"
    texts = [day.strftime(pattern) for day in days]
    dates = DateColumn(texts, declared)
    proven = any(day.day > 12 for day in days)
    assert dates.order == (written if proven else declared)
    exchanged = [dt.date(day.year, day.day, day.month) for day in days] if not proven else []
    assert [dates.day(text) for text in texts] == (days if proven or written == declared else exchanged)


@given(st.lists(st.text("0123456789/- :TAPMNov,.", max_size=24), max_size=8))
def test_any_texts_are_read_in_one_order(texts: list[str]) -> None:
    """A slow oracle: with all rows in view, the days taken all fit one order, and no row has a day and a doubt."""
    dates = DateColumn(texts)
    for text in texts:
        ways, day = ways_of(text.strip()), dates.day(text)
        assert day in {None, ways.dmy if dates.order == "dmy" else ways.mdy}
        assert not (day and dates.doubt(text))
        if dates.order is None and ways.mdy and ways.dmy and ways.mdy != ways.dmy:
            assert dates.doubt(text)


@pytest.mark.parametrize(
    ("text", "clock"),
    [("7:05 PM", "19:05"), ("12:00:00 AM", "00:00"), ("23:59:59.9", "23:59"), ("24:00", None), ("13:00 PM", None), ("7", None)],
)  # fmt: skip
def test_times_of_day(text: str, clock: str | None) -> None:
    assert clock_time(text) == clock
