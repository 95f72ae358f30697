"""Bills: the sum of their lines, each service alone what it is among others, held where anything is in doubt."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.office.small import DUE, tables
from xlbilling.bills import Drafts, Terms, compute, inputs
from xlbilling.tariffs import rate_book

TERMS = Terms("A", "2026-11", pd.Timestamp("2026-11-12"), pd.Timestamp("2026-12-07"), "CCF", None)
USED = {"S01": 12, "S02": 12.5, "S03": 15, "S04": 10, "S05": 10, "S07": 11, "S08": 0}


def services(*names: str, **given: Any) -> pd.DataFrame:
    """Services of the small district as settled; `given` sets columns."""
    rows = tables()["services"]
    rows = rows.loc[rows["service_id"].isin(names)].reset_index(drop=True)
    used = [int(USED[name] * 1_000_000) for name in rows["service_id"]]
    return rows.assign(
        service_from=pd.Timestamp("2026-09-05"), service_to=pd.Timestamp("2026-11-05"), days=61, consumption=np.array(used, dtype=np.int64),
        read_code="actual", hold="", replaces="", part=False, carried=0, estimate="",
    ).assign(**given)  # fmt: skip


def drafts(rows: pd.DataFrame, terms: Terms = TERMS, rates: pd.DataFrame | None = None) -> Drafts:
    book, problems = rate_book(tables()["rates"] if rates is None else rates)
    assert problems == []
    return compute(terms, rows, book)


def test_the_district_by_hand() -> None:
    made = drafts(services(*USED))
    assert dict(zip(made.bills["service_id"], made.bills["amount"], strict=True)) == DUE
    assert made.bills["state"].eq("draft").all()
    assert made.problems == []


def test_a_bill_is_its_lines_numbered_from_one() -> None:
    made = drafts(services(*USED))
    sums = made.lines.groupby("bill_key")["amount"].sum()
    assert sums.to_dict() == dict(zip(made.bills["bill_key"], made.bills["amount"], strict=True))
    for _, lines in made.lines.groupby("bill_key"):
        assert lines["line"].tolist() == list(range(1, len(lines) + 1))
    assert made.lines["gl_account"].ne("").all()


def test_each_alone_is_what_it_is_among_others() -> None:
    together = drafts(services(*USED))
    for name in USED:
        alone = drafts(services(name))
        pd.testing.assert_frame_equal(
            alone.bills,
            together.bills.loc[together.bills["service_id"].eq(name)].reset_index(drop=True),
            check_dtype=False,
        )
        key = alone.bills["bill_key"].iloc[0]
        pd.testing.assert_frame_equal(
            alone.lines,
            together.lines.loc[together.lines["bill_key"].eq(key)].reset_index(drop=True),
            check_dtype=False,
        )


def test_a_held_service_has_no_lines_and_says_why() -> None:
    made = drafts(services("S01", "S02", hold=["missing_read", ""]))
    held, billed = made.bills.to_dict("records")
    assert (held["state"], held["amount"], held["why"]) == ("held", 0, "missing_read")
    assert (billed["state"], billed["amount"], billed["why"]) == ("draft", 5775, "")
    assert made.lines["bill_key"].unique().tolist() == ["S02 2026-11-05"]


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"customer_class": "IRRIGATION"}, "IRRIGATION"),
        ({"tariff": "SEWER"}, "SEWER"),
        ({"meter_size": '6"'}, '6"'),
        ({"meter_size": ""}, "meter_size"),
        ({"inputs": "zone"}, "other inputs cannot be read"),
        ({"service_from": pd.Timestamp("2019-12-01"), "service_to": pd.Timestamp("2019-12-31")}, "2019"),
    ],
)
def test_what_cannot_be_priced_is_held_and_named(given: dict[str, Any], word: str) -> None:
    made = drafts(services("S01", **given))
    assert (made.bills["state"].iloc[0], made.bills["amount"].iloc[0]) == ("held", 0)
    assert word in made.bills["why"].iloc[0]
    assert (made.problems[0].code == "bad_input") == ("inputs" in given)
    assert [p.place.key for p in made.problems] == ["S01"]
    assert len(made.lines) == 0


def test_a_bill_made_anew_names_the_one_it_replaces() -> None:
    made = drafts(services("S01", "S02", replaces=["B0000001", ""]))
    assert made.bills["why"].tolist() == ["replaces B0000001", ""]


def test_rates_that_change_inside_the_period_bill_each_part_by_its_days() -> None:
    """Fire line 40.65 to 2026-10-05, 61.00 from 2026-10-06: 30 of 61 days and 31 of 61.

    40.65 x 30/61 = 19.9918... = 19.99; 61.00 x 31/61 = 31.00; together 50.99.
    """
    rates = tables()["rates"]
    old = rates.loc[rates["component"].eq("Fire line")]
    new = old.assign(rate_id="R900", rate="61.00", effective_from=pd.Timestamp("2026-10-06"), resolution="2026-7")
    made = drafts(services("S08"), rates=pd.concat([rates, new], ignore_index=True))
    assert made.lines["amount"].tolist() == [1999, 3100]
    assert made.lines["resolution"].tolist() == ["2019-40", "2026-7"]
    assert made.bills["amount"].tolist() == [5099]


def test_a_first_bill_by_its_days() -> None:
    """A fire line of 20 days beside a full bill of 61: 40.65 x 20/61 = 13.3278... = 13.33."""
    by_days = Terms(TERMS.cycle, TERMS.period, TERMS.bill_date, TERMS.due_date, "CCF", 61)
    rows = services("S08", service_from=pd.Timestamp("2026-10-16"), days=20, part=True)
    assert drafts(rows, by_days).bills["amount"].tolist() == [1333]
    assert drafts(rows.assign(part=False), by_days).bills["amount"].tolist() == [4065]
    assert drafts(rows).bills["amount"].tolist() == [4065]


def test_no_services_are_no_bills() -> None:
    made = drafts(services())
    assert (len(made.bills), len(made.lines), made.problems) == (0, 0, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("zone=2", {"zone": "2"}),
        (" zone = 2 ; season = summer ; ", {"zone": "2", "season": "summer"}),
        ("zone", None),
        ("=2", None),
        ("zone=2; summer", None),
    ],
)
def test_other_inputs(text: str, expected: dict[str, str] | None) -> None:
    assert inputs(text) == expected


def test_the_run_is_on_every_bill() -> None:
    row = drafts(services("S01")).bills.iloc[0]
    assert (row["cycle"], row["period"], row["unit"]) == ("A", "2026-11", "CCF")
    assert (row["bill_date"].date(), row["due_date"].date()) == (dt.date(2026, 11, 12), dt.date(2026, 12, 7))
