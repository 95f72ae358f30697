"""Views: the sorts of their columns are what was declared, whatever the rows hold, on both databases."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pandas as pd
import pytest

from tests.store.conftest import entry, post_bill
from xlbilling import office
from xlbilling.store import Store, frames
from xlbilling.store.views import RELATIONS, VIEWS, sorts_of, view


@pytest.fixture
def declared() -> Iterator[None]:
    """Forget afterwards what a test has declared."""
    before = dict(VIEWS)
    yield
    VIEWS.clear()
    VIEWS.update(before)


DTYPES = {"": "object", "?": "object", "int": "int64", "int?": "Int64", "day": "datetime64[s]", "day?": "datetime64[s]", "yes": "bool", "blob": "object"}  # fmt: skip
GIVEN = {
    "c": "A", "p": "2026-11", "cycle": "A", "b": "BL0000001", "first": "2026-01", "last": "2026-12",
    "anew": "A of 2026-11",
}  # fmt: skip


for room in pkgutil.walk_packages(
    office.__path__, "xlbilling.office."
):  # the rooms of the office declare views of their own
    importlib.import_module(room.name)


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_gives_the_sorts_it_declares_with_rows_and_without(posted: Store, name: str) -> None:
    rows = posted.view(name, **GIVEN)
    assert {column: str(dtype) for column, dtype in rows.dtypes.items()} == {
        column: DTYPES[sort] for column, sort in VIEWS[name].columns.items()
    }


def test_what_accounts_owe_and_which_bills_stand(posted: Store) -> None:
    """Two bills of 55.65 and 57.75 for account 01; a receipt of 40.00 on the second; the first does not stand any more."""
    with posted.work("lea", "pay") as work:
        entry(work, "P0000001", None, 4000)
        work.execute("DELETE FROM standing_bills WHERE number = 'B0000001'")
        work.event("paid")
    assert posted.view("owed").to_dict("records") == [{"account_id": "01", "amount": 5565 + 5775 - 4000}]
    assert posted.view("owed_in_all")["amount"].tolist() == [7340]
    months = posted.view("owed_by_month", first="2026-11", last="2026-11").set_index("kind")["amount"]
    assert months.to_dict() == {"billing": 11340, "payment": -4000}
    assert posted.view("owed_by_month", first="2026-12", last="2026-12").empty


def test_a_relation_is_asked_as_a_table(posted: Store, declared: None) -> None:
    history = {
        "service_id": "S1",
        "service_from": "2026-07-05",
        "service_to": "2026-09-05",
        "days": 62,
        "unit": "CCF",
        "read_code": "actual",
    }
    with posted.work("lea", "fill") as work:
        work.insert_one("consumption_history", **history, consumption=11_000_000)
        work.execute("DELETE FROM standing_bills WHERE number = 'B0000002'")
        work.event("filled")
    view(
        "t_used",
        "service_id service_to:day consumption:int",
        "SELECT service_id, service_to, consumption FROM used ORDER BY 2",
    )
    rows = posted.view("t_used")
    assert rows["service_id"].tolist() == ["S1", "S1"]  # the bill of S2 does not stand
    assert rows["consumption"].tolist() == [11_000_000, 12_000_000]
    assert rows["service_to"].tolist() == [pd.Timestamp("2026-09-05"), pd.Timestamp("2026-11-05")]


def test_sorts_hold_where_names_would_mislead(posted: Store, declared: None) -> None:
    """A day called amount, a count called due_date, a sum PostgreSQL gives as a decimal, a yes or no."""
    view(
        "t_names",
        "amount:day due_date:int in_all:int some:int? standing:yes none",
        "SELECT MAX(b.due_date) AS amount, COUNT(*) AS due_date, SUM(b.amount) AS in_all, MAX(e.reverses) AS some, "
        "COUNT(*) > 1 AS standing, CAST(NULL AS TEXT) AS none FROM standing b JOIN entries e ON e.document = b.number "
        "WHERE b.kind = :kind",
        kind="bill",
    )
    row = posted.view("t_names")
    assert row.drop(columns="some").to_dict("records") == [
        {"amount": pd.Timestamp("2026-12-07"), "due_date": 2, "in_all": 11340, "standing": True, "none": ""}
    ]
    assert row["some"].isna().tolist() == [True]


def test_what_is_not_of_its_sort_is_never_turned_into_it(posted: Store, declared: None) -> None:
    for column, sql in (
        ("n:int", "SELECT MAX(reverses) AS n FROM entries"),
        ("n:int", "SELECT AVG(amount) + 0.5 AS n FROM bills WHERE number = 'B0000001'"),
        ("n", "SELECT COUNT(*) AS n FROM bills"),
        ("other", "SELECT number AS n FROM bills"),
    ):
        VIEWS.pop("t_wrong", None)
        view("t_wrong", column, sql)
        with pytest.raises(TypeError, match=r"declare"):
            posted.view("t_wrong")


def test_a_view_is_declared_once(declared: None) -> None:
    with pytest.raises(ValueError, match="twice"):
        view("owed", "a", "SELECT 1")
    assert sorts_of("a b:int c:int? d:day? e?") == {"a": "", "b": "int", "c": "int?", "d": "day?", "e": "?"}
    assert set(RELATIONS) == {"sections", "standing", "receivable", "used"}


def test_a_work_sees_what_it_has_written(posted: Store) -> None:
    with posted.work("lea", "post") as work:
        post_bill(work, "S3", 100)
        assert work.view("owed")["amount"].tolist() == [11440]


def test_a_tables_numbers_have_gaps_only_where_there_are_some() -> None:
    sorts = {"n": "int?", "d": "day"}
    assert frames.typed([(1, "2026-01-01")], sorts, steady=False).dtypes.astype(str).tolist() == [
        "int64",
        "datetime64[s]",
    ]
    assert frames.typed([(None, None)], sorts, steady=False).dtypes.astype(str).tolist() == ["Int64", "datetime64[s]"]
    assert frames.typed([], sorts).dtypes.astype(str).tolist() == ["Int64", "datetime64[s]"]


def test_a_question_asked_once_declares_its_columns_and_says_states_by_name(posted: Store) -> None:
    """Two posted bills of 55.65 and 57.75, each its own batch."""
    asked = "number amount:int", "SELECT number, amount FROM bills WHERE state = :posted ORDER BY number"
    assert posted.query(*asked).to_dict("split")["data"] == [["B0000001", 5565], ["B0000002", 5775]]
    assert posted.query("n:int?", "SELECT amount AS n FROM bills WHERE state = :open").dtypes.tolist() == ["Int64"]
    assert posted.value("SELECT COUNT(*) FROM batches WHERE state <> :posted") == 0
    with pytest.raises(TypeError, match="declares"):
        posted.query("amount:int number", asked[1])
    with posted.work("lea", "look") as work:
        assert work.query("batch", "SELECT batch FROM batches WHERE state = :posted ORDER BY 1")["batch"].tolist() == [
            "BL0000001", "BL0000002",
        ]  # fmt: skip
        assert work.execute("UPDATE periods SET closed_by = 'x' WHERE state = :closed") == 0
        work.event("looked")


def test_nothing_is_asked_without_its_columns(posted: Store) -> None:
    with pytest.raises(TypeError):
        posted.query("SELECT number FROM bills")  # type: ignore[call-arg]
    with posted.work("lea", "look") as work, pytest.raises(TypeError):
        work.query("SELECT number FROM bills")  # type: ignore[call-arg]
