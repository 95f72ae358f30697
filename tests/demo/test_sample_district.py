"""The sample district: the same every time, whole, and priced by its own schedules."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest

from xlbilling.demo.cycles import CYCLES
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.rates import FIRE_SIZES, SIZES
from xlbilling.office.desk.policy import wrong_values
from xlbilling.store import Store
from xlbilling.trade.tariffs import inputs_of, price, rate_book
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.records import TABLE


@pytest.fixture(scope="module")
def district() -> District:
    return sample_district()


def test_same_arguments_give_the_same_district_and_another_seed_another(district: District) -> None:
    again, other = sample_district(), sample_district(seed=7)
    for name, frame in {**district.tables, "history": district.history, "opening": district.opening}.items():
        same = again.tables.get(name, getattr(again, name))
        pd.testing.assert_frame_equal(frame, same)
    assert not district.history["consumption"].equals(other.history["consumption"])


def test_two_thousand_accounts_on_two_cycles_of_like_size(district: District) -> None:
    assert len(district.accounts) == 2000
    by_cycle = district.services.loc[district.services["status"].eq("active")].groupby("cycle").size()
    assert by_cycle.between(900, 1200).all()
    assert sorted(by_cycle.index) == ["A", "B"]


def test_exactly_one_cycle_is_due_in_each_month_and_twelve_months_are_planned(district: District) -> None:
    month = AccountingPeriod(2026, 10)
    due = [[run.cycle for run in district.due(str(month.plus(n)))] for n in range(12)]
    assert due == [["A"], ["B"]] * 6
    runs = district.cycles
    dates = ["read_from", "read_to", "bill_date", "autopay_date", "due_date", "delinquent_date"]
    assert (np.diff(runs[dates].to_numpy().astype("datetime64[D]").astype(int), axis=1) > 0).all()
    assert runs["bill_date"].dt.strftime("%Y-%m").eq(runs["period"]).all()


@pytest.mark.parametrize("period", ["2026-01", "2026-11", "2027-02"])
def test_any_month_can_be_the_first(period: str) -> None:
    made = sample_district(400, period)
    assert len(made.due(period)) == 1
    assert made.history["service_to"].max() < pd.Timestamp(made.period.first)


def test_ids_are_unique_and_keep_leading_zeros(district: District) -> None:
    for name, frame in district.tables.items():
        assert not frame.duplicated(list(TABLE[name].key)).any(), name
    assert district.accounts["account_id"].str.fullmatch(r"0\d{6}").all()
    assert set(district.services["account_id"]) <= set(district.accounts["account_id"])
    assert set(district.meters["service_id"]) <= set(district.services["service_id"])


def test_every_choice_column_holds_only_its_choices(district: District) -> None:
    for name, frame in district.tables.items():
        for column, declared in TABLE[name]:
            if declared.choices and column in frame:
                blank = set() if declared.required else {""}
                assert set(frame[column]) <= {*declared.choices, *blank}, (name, column)


def test_the_policy_is_the_standard_one_under_the_districts_name(district: District) -> None:
    assert wrong_values(district.policy) == []
    assert district.name in district.policy["value"].tolist()


def test_a_store_takes_the_whole_district(district: District, tmp_path) -> None:
    store = Store.create(f"sqlite:///{tmp_path / 'billing.db'}", "lead", lambda: dt.datetime(2026, 10, 1))
    with store.work("lead", "demo") as work:
        for name, frame in district.tables.items():
            work.insert(name, frame)
        work.insert("consumption_history", district.history)
    for name, frame in district.tables.items():
        kept = store.table(name, "topic <> 'staff'" if name == "policy" else "")
        keys = list(TABLE[name].key)
        wanted = frame.sort_values(keys, ignore_index=True)[list(kept.columns)]
        pd.testing.assert_frame_equal(kept.sort_values(keys, ignore_index=True), wanted, check_dtype=False)


def test_history_is_contiguous_and_ends_where_the_meters_start(district: District) -> None:
    history = district.history.sort_values(["service_id", "service_to"])
    before = history.groupby("service_id")["service_to"].shift()
    assert (before.isna() | before.eq(history["service_from"])).all()
    assert history["days"].eq((history["service_to"] - history["service_from"]).dt.days).all()
    active = district.services.loc[district.services["status"].eq("active")].set_index("service_id")
    last = history.groupby("service_id")["service_to"].max()
    start = district.meters.groupby("service_id")["start_date"].max()
    served = last.index.intersection(active.index).intersection(start.index)
    assert last[served].eq(start[served]).all()
    new = start.index.difference(last.index).intersection(active.index)
    assert 0 < len(new) < 30
    assert active.loc[new, "started_on"].eq(start[new]).all()


def test_thirteen_months_of_history_for_services_that_are_not_new(district: District) -> None:
    span = district.history.groupby("service_id").agg(first=("service_from", "min"), last=("service_to", "max"))
    active = district.services.loc[district.services["status"].eq("active"), "service_id"]
    span = span.loc[span.index.isin(active)]
    assert ((span["last"] - span["first"]).dt.days >= 13 * 30).all()


def test_closed_services_have_no_history_after_they_closed(district: District) -> None:
    ended = district.services.dropna(subset="ended_on").set_index("service_id")["ended_on"]
    assert len(ended) > 20
    end = district.history["service_id"].map(ended)
    assert not district.history["service_to"].gt(end).any()


def test_dials_fit_their_registers_and_units_are_mixed(district: District) -> None:
    meters = district.meters
    assert meters["start_read"].str.len().eq(meters["dials"]).all()
    assert meters["dials"].between(4, 7).all()
    assert set(meters["unit"]) == {"CF", "CCF", "GAL"}
    kinds = meters.groupby("meter_id")["register_id"].agg("".join).value_counts()
    assert set(kinds.index) == {"", "HL"}
    assert kinds["HL"] > 10
    of_service = meters.groupby("service_id")["meter_id"].nunique()
    assert of_service.eq(2).sum() > 10


def test_history_is_what_the_dials_counted(district: District) -> None:
    """The slow way: each register's steps times multiplier in CCF, to three decimals half-up, summed by service."""
    per_ccf = {"CCF": 1, "CF": 100, "GAL": 748}
    flow, cycle = district.flow, CYCLES[0]
    _, at = flow.of_cycle(cycle)
    steps = flow.steps(cycle, -1)
    summed: dict[str, int] = {}
    for register, step in zip(flow.registers.iloc[at].itertuples(), steps.tolist(), strict=True):
        thousandths = Fraction(step * register.multiplier * 1000, per_ccf[register.unit])
        half_up = int(thousandths + Fraction(1, 2))
        service = flow.services["service_id"].iloc[register.service]
        summed[service] = summed.get(service, 0) + half_up * 1000
    last = district.history.drop_duplicates("service_id", keep="last").set_index("service_id")["consumption"]
    active = district.services.loc[district.services["status"].eq("active"), "service_id"]
    checked = [service for service in summed if service in last.index and service in set(active)]
    assert len(checked) > 900
    assert [int(last[service]) for service in checked] == [summed[service] for service in checked]


def test_rates_are_accepted_and_every_class_prices_on_both_sides_of_the_change(district: District) -> None:
    book, problems = rate_book(district.rates)
    assert problems == []
    classes = sorted(book.schedules)
    assert [each for name, each in classes if name == "WATER"] == [
        "COMMERCIAL",
        "IRRIGATION",
        "RESIDENTIAL_MULTI",
        "RESIDENTIAL_SINGLE",
    ]
    cases = [(name, each, size) for name, each in classes for size in (FIRE_SIZES if name != "WATER" else SIZES)]
    usage = pd.DataFrame(cases, columns=["tariff", "customer_class", "meter_size"])
    usage = usage.assign(
        key=[str(n) for n in range(len(cases))],
        consumption=np.int64(90_500_000),
        service_from=pd.Timestamp("2026-08-02"),
        service_to=pd.Timestamp("2026-10-02"),
        bill_date=pd.Timestamp("2026-10-12"),
    )
    priced = price(book, usage)
    assert priced.problems == []
    lines = priced.lines.astype({"resolution": str})
    assert lines.groupby("row")["segment"].nunique().eq(2).all()
    assert lines["resolution"].nunique() == 2
    assert set(lines["gl_account"].astype(str)) <= set(district.gl_accounts["gl_account"])
    for schedules in book.schedules.values():
        assert inputs_of(schedules[-1]) == ["meter_size"]


def test_a_single_family_bill_worked_by_hand(district: District) -> None:
    """34.5 CCF through 5/8", 2 Aug to 2 Oct 2026: 61 days, 3 to 31 Aug (29) at the old rates, 1 Sep to 2 Oct (32) new.

    Old, whole: service 31.40; water 12 x 2.415 + 18 x 3.280 + 4.5 x 4.905 = 28.98 + 59.04 + 22.0725 = 110.0925.
    x 29/61: 14.93; 13.78 + 28.07 + 10.49; pumping 34.5 x 0.412 = 14.214 -> 6.76; fee 2.25 % of 141.4925 -> 1.51.
    New, whole: service 33.15; water 12 x 2.5475 + 18 x 3.4625 + 4.5 x 5.175 = 30.57 + 62.325 + 23.2875.
    x 32/61: 17.39; 16.04 + 32.70 + 12.22; pumping 34.5 x 0.437 = 15.0765 -> 7.91; fee 2.25 % of 149.3325 -> 1.76.
    """
    usage = pd.DataFrame(
        {
            "key": ["0001042-W1"],
            "tariff": "WATER",
            "customer_class": "RESIDENTIAL_SINGLE",
            "meter_size": '5/8"',
            "consumption": np.int64(34_500_000),
            "service_from": pd.Timestamp("2026-08-02"),
            "service_to": pd.Timestamp("2026-10-02"),
            "bill_date": pd.Timestamp("2026-10-12"),
        }
    )
    lines = price(rate_book(district.rates)[0], usage).lines
    old = [1493, 1378, 2807, 1049, 676, 151]
    new = [1739, 1604, 3270, 1222, 791, 176]
    assert lines["amount_cents"].tolist() == old + new


def test_opening_balances_are_owed_by_customers_of_earlier_bills(district: District) -> None:
    opening = district.opening
    assert opening["account_id"].isin(district.accounts["account_id"]).all()
    assert opening["bill_date"].lt(pd.Timestamp("2026-10-01")).all()
    owed = district.balances["amount"]
    assert owed.sum() == opening["amount"].sum() > 0
    assert 500 < owed.gt(0).sum() < 1000
    assert owed.lt(0).sum() > 3
    past_due = opening.loc[opening["due_date"].lt(pd.Timestamp("2026-09-08")) & opening["amount"].gt(0)]
    assert past_due["account_id"].nunique() > 20
    # A bill open in full is the bill: every charge of its schedule is there.
    whole = opening.groupby(["service_id", "bill_date"])["charge"].agg(set)
    assert {"Service charge", "Water", "Pumping surcharge", "Franchise fee"} in whole.tolist()


def test_too_small_a_district_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 200"):
        sample_district(150)
