"""Whatever the two books hold: each row once, links inside one account, and differences that foot."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from made_months import LINE, lines_frame, rows_frame

from xlbilling.trade.reconcile import Terms, reconcile
from xlbilling.trade.reconcile.books import open_books
from xlbilling.trade.reconcile.cells import match_keyed
from xlbilling.trade.reconcile.evidence import name_keys

ACCOUNTS = {"AR": "1310", "AR-2": "1310", "REV": "4010", "CASH": "1021"}
TERMS = Terms(dt.date(2026, 7, 1), dt.date(2026, 7, 31), ACCOUNTS, ("1310", "4010"))

days = st.integers(-4, 36).map(lambda n: dt.date(2026, 7, 1) + dt.timedelta(days=n))
cents = st.sampled_from([-300, -200, -100, -7, 0, 5, 100, 200, 300, 1234, 1243, 4321])
references = st.sampled_from(["", "P1", "P2", "P3", "B7", "LB1-1", "LB2-1"])
batches = st.sampled_from(["", "LB1-1", "LB2-1", "BL3-1"])

lines = st.lists(
    st.tuples(
        days, st.sampled_from(["payment", "billing"]), batches, references, st.sampled_from(list(ACCOUNTS)), cents
    ),
    max_size=14,
)
rows = st.lists(
    st.tuples(
        days,
        st.sampled_from(["1310", "4010", "1021", "9999"]),
        st.one_of(references, batches, st.just("JE-1")),
        st.sampled_from(["", "batch LB1-1", "Daily total 07/03", "acct 1 P2", "Manual journal"]),
        st.sampled_from(["CR", "GJ"]),
        cents,
        st.sampled_from(["posting"] * 9 + ["total", "opening"]),
    ),
    max_size=14,
)


def books(mine: list[tuple[object, ...]], theirs: list[tuple[object, ...]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    made = [
        dict(zip(LINE, (f"S{n}", day, kind, "0001", batch, reference, own, amount), strict=True))
        for n, (day, kind, batch, reference, own, amount) in enumerate(mine)
    ]
    made.append(
        dict(zip(LINE, ("OPEN-1", dt.date(2026, 6, 26), "transfer", "", "OPENING", "", "AR", 5_000), strict=True))
    )
    return lines_frame(made), rows_frame([(n, *row) for n, row in enumerate(theirs, 1)])


@given(lines, rows)
def test_each_row_once_and_differences_foot(mine: list[tuple[object, ...]], theirs: list[tuple[object, ...]]) -> None:
    subledger, ledger = books(mine, theirs)
    result = reconcile(subledger, ledger, TERMS)

    # every line but the opening, and every posting in scope, is there exactly once: matched or with one reason
    assert sorted(result.subledger["id"]) == sorted(set(subledger["id"]) - {"OPEN-1"})
    in_scope = ledger[(ledger["kind"] == "posting") & ledger["gl_account"].isin(set(ACCOUNTS.values()))]
    assert sorted(result.ledger["row"]) == sorted(in_scope["row"])
    for side in (result.subledger, result.ledger):
        assert ((side["match"] >= 0) != (side["reason"] != "")).all()

    # a match has both sides, one account, and agrees: exactly, or within five cents
    sides: dict[int, Counter[str]] = defaultdict(Counter)
    accounts: dict[int, set[str]] = defaultdict(set)
    for name, side in (("s", result.subledger), ("g", result.ledger)):
        for match, account, amount in zip(side["match"], side["gl_account"], side["amount_cents"], strict=True):
            if match >= 0:
                sides[match][name] += 1
                sides[match][f"{name} cents"] += amount
                accounts[match].add(account)
    assert sorted(sides) == sorted(result.matches["match"])
    for match, confidence in zip(result.matches["match"], result.matches["confidence"], strict=True):
        apart = abs(sides[match]["s cents"] - sides[match]["g cents"])
        assert sides[match]["s"]
        assert sides[match]["g"]
        assert len(accounts[match]) == 1
        assert confidence == "ambiguous" or apart <= {"exact": 0, "tolerance": 5}[str(confidence)]

    # the books' own sums, added up the plain way, are the control table's; explained + unexplained = difference
    for row in result.control.to_dict("records"):
        own = [code for code, number in ACCOUNTS.items() if number == row["gl_account"]]
        upto = subledger[subledger["gl_account"].isin(own) & (subledger["post_date"] <= "2026-07-31")]
        theirs_upto = in_scope[(in_scope["gl_account"] == row["gl_account"]) & (in_scope["date"] <= "2026-07-31")]
        opened = ledger[(ledger["kind"] == "opening") & (ledger["gl_account"] == row["gl_account"])]
        opening = int(opened["amount_cents"].iloc[0]) if len(opened) else 5_000 * ("AR" in own)
        assert row["ending_subledger"] == upto["amount_cents"].sum()
        assert row["ending_gl"] == opening + theirs_upto["amount_cents"].sum()
        assert row["difference"] == row["ending_subledger"] - row["ending_gl"]
        assert row["explained"] + row["unexplained"] == row["difference"]
        # what no row accounts for is the openings' difference, less what late rows explain of it
        assert row["unaccounted"] == row["opening_difference"] - row["late_in_opening"]
        # and amounts that merely differ are not explained either
        merely = sum(
            sign * side.loc[here & (side["reason"] == "amount_differs"), "amount_cents"].sum()
            for sign, side, here in (
                (
                    1,
                    result.subledger,
                    result.subledger["gl_account"].eq(row["gl_account"])
                    & _till_end(result.subledger, subledger["post_date"]),
                ),
                (
                    -1,
                    result.ledger,
                    result.ledger["gl_account"].eq(row["gl_account"]) & _till_end(result.ledger, ledger["date"]),
                ),
            )
        )
        assert row["unexplained"] == row["unaccounted"] + merely


def _till_end(marked: pd.DataFrame, dates: pd.Series) -> pd.Series[bool]:
    return pd.Series(dates.to_numpy()[marked["position"]] <= np.datetime64("2026-07-31"))


@given(lines, rows)
def test_named_matches_against_a_slow_oracle(mine: list[tuple[object, ...]], theirs: list[tuple[object, ...]]) -> None:
    """Rows and lines that share a name, an account and a side are matched exactly where the sums agree."""
    subledger, ledger = books(mine, theirs)
    found = open_books(subledger, ledger, TERMS)
    name_keys(found)
    match_keyed(found)
    cells: dict[tuple[int, int, bool], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for which, side in ((0, found.sub), (1, found.gl)):
        for index in range(len(side)):
            if side.key[index] >= 0:
                cells[(int(side.key[index]), int(side.account[index]), bool(side.cents[index] < 0))][which].append(
                    index
                )
    agreed_s, agreed_g = set(), set()
    left: dict[tuple[int, int], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for (key, account, _), (s, g) in cells.items():
        if s and g and sum(found.sub.cents[s]) == sum(found.gl.cents[g]):
            agreed_s |= set(s)
            agreed_g |= set(g)
        else:
            left[(key, account)][0].extend(s)
            left[(key, account)][1].extend(g)
    for s, g in left.values():
        if s and g and sum(found.sub.cents[s]) == sum(found.gl.cents[g]):
            agreed_s |= set(s)
            agreed_g |= set(g)
    assert set(np.flatnonzero(found.sub.match >= 0)) == agreed_s
    assert set(np.flatnonzero(found.gl.match >= 0)) == agreed_g


@given(lines, rows)
def test_names_against_a_slow_oracle(mine: list[tuple[object, ...]], theirs: list[tuple[object, ...]]) -> None:
    """A row whose reference is a document of ours has that document's key, whatever else it says."""
    subledger, ledger = books(mine, theirs)
    found = open_books(subledger, ledger, TERMS)
    name_keys(found)
    current = subledger[subledger["batch"] != "OPENING"]
    documents = {text for text in current["reference"] if text}
    for index in range(len(found.gl)):
        reference = found.said(index)[0]
        if reference in documents:
            key = int(found.gl.key[index])
            assert key < found.first_batch_key
            assert found.documents[key] == reference
            lines_of = np.flatnonzero(found.sub.key == key)
            assert set(found.document[lines_of]) == {key}
