"""Payments files: every row is taken exactly or listed with its line and reason."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xlbilling.intake.receipts.payment_words import METHODS, PaymentWords
from xlbilling.intake.receipts.reading import COLUMNS, Receipts, read_receipts
from xlbilling.trade.reads.rules import InForce
from xlbilling.words.problems import Refusal


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "payments.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_lockbox_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "Account Number,Payment Date,Amount,Check Number", '000123,11/02/2026,"$1,204.07",8817', "000124,2026-11-03,3.5,"
    )  # fmt: skip
    found = read_receipts(path)
    expected = pd.DataFrame(
        {
            "received_on": np.array(["2026-11-02", "2026-11-03"], "datetime64[s]"),
            "account_id": pd.array(["000123", "000124"], "str"),
            "amount": np.array([120407, 350], "int64"),
            "method": pd.array(["lockbox", "lockbox"], "str"),
            "reference": pd.array(["8817", ""], "str"),
            "source_line": np.array([2, 3], "int64"),
        }
    )
    pd.testing.assert_frame_equal(found.frame, expected)
    assert found.rejects == []
    assert len(found.digest) == 64


def test_methods_are_those_of_the_payments_sheet(tmp_path: Path) -> None:
    lines = [f"1,2026-11-02,5,{method.upper()}" for method in METHODS]
    found = read_receipts(written(tmp_path, "account,date,amount,method", *lines))
    assert tuple(found.frame["method"]) == METHODS


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",2026-11-02,5,web", "missing_account"),
        ("1,2026-11-31,5,web", "bad_date"),
        ("1,,5,web", "bad_date"),
        ("1,2026-11-02,12.325,web", "bad_amount"),
        ("1,2026-11-02,,web", "bad_amount"),
        ("1,2026-11-02,#N/A,web", "damaged_row"),
        ("1,2026-11-02,5", "damaged_row"),
        ("Totally,,5,web", "bad_date"),
    ],
)
def test_a_row_that_cannot_be_taken_is_listed(tmp_path: Path, row: str, code: str) -> None:
    found = read_receipts(
        written(tmp_path, "account,date,amount,method", "7,2026-11-02,7,web", row, "8,2026-11-02,8,web")
    )
    assert found.frame["account_id"].tolist() == ["7", "8"]
    assert [(p.code, p.place.file, p.place.line) for p in found.rejects] == [(code, "payments.csv", 3)]


def test_a_row_with_two_faults_is_listed_once(tmp_path: Path) -> None:
    found = read_receipts(written(tmp_path, "account,date,amount", ",x,y"))
    assert len(found.rejects) == 1


def test_a_workbook_with_real_dates(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "payments.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, ["Account", "Received on", "Amount", "Reference"])
    sheet.write_string(1, 0, "000123")
    sheet.write_datetime(1, 1, dt.datetime(2026, 11, 2), made.add_format({"num_format": "m/d/yyyy"}))
    sheet.write_number(1, 2, 128.33)
    sheet.write_number(1, 3, 8817)
    made.close()
    row = read_receipts(tmp_path / "payments.xlsx").frame.iloc[0]
    assert (row["received_on"], row["account_id"], row["amount"]) == (pd.Timestamp("2026-11-02"), "000123", 12833)
    assert row["reference"] == "8817"


def test_a_workbook_with_a_status_a_total_and_a_note_beside_the_table(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "payments.xlsx"))
    sheet = made.add_worksheet()
    day = made.add_format({"num_format": "m/d/yyyy h:mm"})
    sheet.write_row(0, 0, ["Deposit of the web payment service"])
    sheet.write_row(2, 0, ["Account", "Received on", "Amount", "Status"])
    for row, (account, amount, status) in enumerate(
        [("000123", 128.33, "Paid"), ("000124", 7, "Void"), ("000125", 20, "Paid")], 3
    ):
        sheet.write_string(row, 0, account)
        sheet.write_datetime(row, 1, dt.datetime(2026, 11, 2, 14, 5), day)
        sheet.write_number(row, 2, amount)
        sheet.write_string(row, 3, status)
    sheet.write_string(5, 5, "called, will send another")  # beside the table: nobody can tell what it says of the row
    sheet.write_string(6, 0, "Total")
    sheet.write_formula(6, 2, "=SUM(C4:C6)", None, 155.33)
    made.close()
    found = read_receipts(tmp_path / "payments.xlsx")
    assert found.frame[["account_id", "amount", "received_on"]].to_dict("split")["data"] == [
        ["000123", 12833, pd.Timestamp("2026-11-02")]
    ]
    assert listed(found) == [("payment_not_paid", 5), ("damaged_row", 6)]
    assert [aside.line for aside in found.asides] == [7]


def test_an_empty_file_of_payments_has_no_rows(tmp_path: Path) -> None:
    found = read_receipts(written(tmp_path, "account,date,amount"))
    assert len(found.frame) == 0
    assert str(found.frame["amount"].dtype) == "int64"


def test_a_file_without_amounts_refuses(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read_receipts(written(tmp_path, "account,date,total", "1,2026-11-02,5"))
    assert refused.value.problem.code == "heading_missing"


# ---- words that say whether money came ------------------------------------------------------------------------------


def words(*rules: tuple[str, str]) -> PaymentWords:
    """The words as rows of Policy explain them."""
    rows = pd.DataFrame([("payments", *rule) for rule in rules], columns=["topic", "setting", "value"])
    return PaymentWords.of(InForce(rows))


def listed(found: Receipts) -> list[tuple[str, int]]:
    return [(p.code, p.place.line) for p in found.rejects]


def refused(path: Path, *rules: tuple[str, str]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        read_receipts(path, words(*rules))
    return caught.value


@pytest.mark.parametrize(
    ("heading", "came", "did_not"),
    [
        ("Status", "Settled", "RETURNED"),
        ("Transaction Status", "Approved", "Declined"),
        ("payment_status", "Completed", "Pending"),
        ("Result", "Success", "Charged-Back"),
        ("Type", "Payment", "Refund"),
        ("Record Type", "Sale", "Convenience Fee"),
        ("Dr/Cr", "CR", "DR"),
        ("Debit or Credit", "Credit", "debit"),
        ("+/-", "+", "-"),
        ("Void", "", "Y"),
        ("Voided", "No", "yes"),
        ("Return Code", "", "R01"),
        ("Refund Amount", "0.00", "12.50"),
        ("Reversal Date", "", "11/09/2026"),
        ("Method", "web", "chargeback"),
    ],
)
def test_a_row_whose_money_did_not_come_is_listed_with_its_word_and_amount(
    tmp_path: Path, heading: str, came: str, did_not: str
) -> None:
    path = written(
        tmp_path, f"account,date,amount,{heading}", f"41,2026-11-02,12.40,{came}", f"42,2026-11-02,31.15,{did_not}"
    )
    found = read_receipts(path)
    assert found.frame["account_id"].tolist() == ["41"]
    assert listed(found) == [("payment_not_paid", 3)]
    assert did_not in found.rejects[0].fact
    assert "31.15 of account 42" in found.rejects[0].fact
    assert (found.deposit, found.not_come) == (1240, (1, 3115))


@pytest.mark.parametrize(
    ("heading", "word", "setting"),
    [
        ("Status", "In the post", "status / In the post"),
        ("Status", "", "status / blank"),
        ("Type", "Memo item", "type / Memo item"),
        ("Currency", "CAD", "currency / CAD"),
        ("Side", "H", "side / H"),
        ("Payment Type", "Cheque", "method / Cheque"),
        ("Method", "", "method / blank"),
    ],
)
def test_a_word_nobody_has_explained_refuses_the_file_until_policy_does(
    tmp_path: Path, heading: str, word: str, setting: str
) -> None:
    known = {"Status": "Paid", "Type": "Payment", "Currency": "USD", "Side": "CR"}.get(heading, "web")
    head = f"account,date,amount,{heading}"
    path = written(tmp_path, head, f"41,2026-11-02,12.40,{known}", f"42,2026-11-02,31.15,{word}")
    refusal = refused(path)
    assert (refusal.problem.code, refusal.problem.place.line) == ("payment_word", 3)
    assert (f"{word!r}" if word else "blank") + " (1 row)" in refusal.problem.fact
    assert f"setting {setting}" in refusal.problem.remedy
    method = setting.startswith("method")
    taken = read_receipts(path, words((setting, "check" if method else "take")))
    assert len(taken.frame) == 2
    assert listed(read_receipts(path, words((setting, "leave")))) == [("payment_not_paid", 3)]
    if method:
        assert "lockbox, counter, web, autopay, check, cash" in refusal.problem.fact
        assert taken.frame["method"].tolist() == ["web", "check"]
        assert read_receipts(path, words(("method / any", "cash"))).frame["method"].tolist() == ["web", "cash"]


def test_a_rule_of_the_office_goes_before_the_words_of_the_trade(tmp_path: Path) -> None:
    path = written(tmp_path, "account,date,amount,status", "41,2026-11-02,12.40,Submitted", "42,2026-11-02,31.15,Paid")
    found = read_receipts(path, words(("status / SUBMITTED", "take"), ("status / paid", "leave")))
    assert found.frame["account_id"].tolist() == ["41"]


def test_a_column_nobody_asked_for_that_says_money_did_not_come_refuses_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "account,date,amount,Info", "41,2026-11-02,12.40,", "42,2026-11-02,31.15,Returned")
    problem = refused(path).problem
    assert (problem.code, problem.place.line) == ("payment_column", 3)
    assert "'Info' says 'Returned'" in problem.fact


def test_columns_that_say_nothing_of_the_money_are_named(tmp_path: Path) -> None:
    path = written(
        tmp_path, "account,Customer Status,date,amount,Fee,Return address", "41,Active,2026-11-02,12.40,2.50,1 Elm St"
    )
    found = read_receipts(path)
    assert found.unused == ("'Customer Status'", "'Fee'", "'Return address'")
    assert len(found.frame) == 1


# ---- lines that are no payments -------------------------------------------------------------------------------------


def test_titles_totals_and_footers_are_no_payments(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "Lockbox 7,,,",
        "Deposit total: $60.00,,,",
        "account,amount,date,reference",
        "41,10.00,2026-11-02,A",
        "42,20.00,2026-11-02,B",
        "Subtotal,30.00,,",
        "Lockbox 7,,,",
        "Account,Amount,Date,Reference",
        "43,30.00,2026-11-03,C",
        "Total for 11/03/2026,30.00,11/03/2026,",
        "-----,-----,-----,-----",
        "Grand total (3 items),60.00,,",
        "Page 2 of 2",
        "Printed on 11/04/2026 by mb,,,",
        "Thank you for your trust,,,",
    )
    found = read_receipts(path)
    assert found.frame["account_id"].tolist() == ["41", "42", "43"]
    assert found.rejects == []
    assert found.printed is not None
    assert found.printed.problems == ()
    assert found.printed.agreeing == (2, 6, 10, 12)
    assert [aside.line for aside in found.asides] == [2, 6, 7, 8, 10, 11, 12, 13, 14, 15]


@pytest.mark.parametrize(
    ("foot", "told"),
    [
        ("Total,31.00,,", "'Total 31.00' prints 31.00; the rows above it are 30.00, 1.00 apart"),
        ("Total,31,,", "'Total 31' prints 31.00; the rows above it are 30.00"),
        (",31.00,,", "prints 31.00; the rows above it are 30.00"),
        ("Total items: 3,,,", "prints 3 rows; the rows above it are 2 rows"),
        (
            "Batch total (2 items),29.99,,",
            "prints 29.99 and 2 rows; the rows above it are 30.00 and 2 rows, -0.01 apart",
        ),
    ],
)
def test_a_printed_total_that_disagrees_is_told(tmp_path: Path, foot: str, told: str) -> None:
    path = written(tmp_path, "account,amount,date,reference", "41,10.00,2026-11-02,A", "42,20.00,2026-11-02,B", foot)
    found = read_receipts(path)
    assert len(found.frame) == 2
    assert found.printed is not None
    assert [(p.code, p.place.line) for p in found.printed.problems] == [("printed_total", 4)]
    assert told in found.printed.problems[0].fact


@pytest.mark.parametrize(
    "foot", ["Total,30,,", "Total,,,30.00", "Total,2,,", "Total,,2,", "Total: 2 items and 30.00,,,"]
)
def test_a_total_agrees_wherever_it_prints_its_figure(tmp_path: Path, foot: str) -> None:
    path = written(tmp_path, "account,amount,date,reference", "41,10.00,2026-11-02,A", "42,20.00,2026-11-02,B", foot)
    found = read_receipts(path)
    assert found.printed is not None
    assert (found.printed.agreeing, found.printed.problems) == ((4,), ())


def test_a_total_may_count_the_rows_that_did_not_come_or_leave_them_out(tmp_path: Path) -> None:
    rows = ("account,amount,date,status", "41,10.00,2026-11-02,Paid", "42,20.00,2026-11-02,Void")
    for printed in ("30.00", "10.00"):
        found = read_receipts(written(tmp_path, *rows, f"Total,{printed},,"))
        assert found.printed is not None
        assert found.printed.agreeing == (4,)


@pytest.mark.parametrize(
    "row",
    ["44,,2026-11-02,A", "44,10.00,,A", ",10.00,2026-11-02,Totals", "44,,,", "A44,,,", "Totally,5.00,,", "44,Total,,"],
)
def test_a_payment_that_lacks_something_is_never_taken_for_a_footer(tmp_path: Path, row: str) -> None:
    path = written(tmp_path, "account,amount,date,reference", "41,10.00,2026-11-02,A", row)
    found = read_receipts(path)
    assert [p.place.line for p in found.rejects] == [3]
    assert found.asides == ()


@given(
    st.lists(
        st.sampled_from(
            [
                "41,10.00,2026-11-02,A",
                "Total,10.00,,",
                ",,,",
                "Page 3,,,",
                "44,,,",
                "x",
                "42,7.00,1/5/2026,B",
                "see over leaf",
            ]
        )
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_line_is_a_receipt_a_reject_or_named_as_no_payment(tmp_path: Path, rows: list[str]) -> None:
    found = read_receipts(written(tmp_path, "account,amount,date,reference", *rows))
    lines = [*found.frame["source_line"], *(p.place.line for p in found.rejects), *(a.line for a in found.asides)]
    assert sorted(lines) == [line for line, row in enumerate(rows, 2) if row.strip(",")]


# ---- amounts, days, accounts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (("account,date,amount ($)", "41,2026-11-02,1240", "42,2026-11-02,3115"), "'amount ($)' says dollars"),
        (("account,date,amount,fee", "41,2026-11-02,1240,1.50", "42,2026-11-02,3115,1.50"), "'fee' has two decimals"),
        (
            ("account,date,amount", "41,2026-11-02,1240", "42,2026-11-02,3115", "Total,,43.55"),
            "a printed total is 43.55",
        ),
    ],
)
def test_cents_without_a_point_are_asked_for(tmp_path: Path, lines: tuple[str, ...], reason: str) -> None:
    # 12.40 + 31.15 = 43.55
    path = written(tmp_path, *lines)
    refusal = refused(path)
    assert refusal.problem.code == "implied_cents"
    assert reason in refusal.problem.fact
    assert "12.40 or 1240.00" in refusal.problem.fact
    cents, dollars = (read_receipts(path, words(("no_point", said))) for said in ("cents", "dollars"))
    assert cents.frame["amount"].tolist() == [1240, 3115]
    assert dollars.frame["amount"].tolist() == [124000, 311500]


def test_whole_dollars_that_nothing_speaks_against_are_dollars(tmp_path: Path) -> None:
    rows = ("41,2026-11-02,1240", "42,2026-11-02,3115")
    plain = read_receipts(written(tmp_path, "account,date,amount", *rows))
    proven = read_receipts(written(tmp_path, "account,date,amount ($)", *rows, "Total,,4355.00"))
    assert plain.frame["amount"].tolist() == proven.frame["amount"].tolist() == [124000, 311500]


def test_an_amount_without_a_point_among_such_with_one_is_listed(tmp_path: Path) -> None:
    path = written(tmp_path, "account,date,amount", "41,2026-11-02,12.40", "42,2026-11-02,3115", "43,2026-11-02,9.99")
    found = read_receipts(path)
    assert listed(found) == [("amount_without_point", 3)]
    assert "31.15 or 3115.00" in found.rejects[0].fact
    assert (found.deposit, found.unread) == (2239, 1)
    # a spreadsheet drops noughts: 45.5 beside 50 is such a column, and 50 is certain
    dropped = written(tmp_path, "account,date,amount", "41,2026-11-02,45.5", "42,2026-11-02,50")
    assert read_receipts(dropped).frame["amount"].tolist() == [4550, 5000]


def test_days_are_read_for_the_column_as_a_whole(tmp_path: Path) -> None:
    path = written(
        tmp_path, "account,amount,date", "41,1.00,17/11/2026", "42,2.00,02/11/2026", "Printed on 11/30/2026,,"
    )
    found = read_receipts(path)
    assert found.frame["received_on"].tolist() == [pd.Timestamp("2026-11-17"), pd.Timestamp("2026-11-02")]
    assert "read day first" in found.dates
    torn = written(
        tmp_path, "account,amount,date", "41,1.00,17/11/2026", "42,2.00,02/11/2026", "43,3.00,11/18/2026 9:05 AM"
    )
    found = read_receipts(torn)
    assert ("ambiguous_date", 3) in listed(found)
    assert pd.Timestamp("2026-11-18") in found.frame["received_on"].tolist()
    assert pd.Timestamp("2026-02-11") not in found.frame["received_on"].tolist()


def test_marks_that_keep_zeros_are_taken_off(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "account,amount,date,reference",
        '"=""00041""",1.00,2026-11-02,\'0077',
        "'00042,2.00,2026-11-02,'t Hart",
    )
    found = read_receipts(path)
    assert found.frame["account_id"].tolist() == ["00041", "00042"]
    assert found.frame["reference"].tolist() == ["0077", "'t Hart"]


def test_the_example_of_the_page_comes_out_as_it_says(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "payments.md").read_text(encoding="utf-8")
    found = read_receipts(written(tmp_path, page.partition("```example\n")[2].partition("\n```")[0]))
    assert found.frame["amount"].tolist() == [5000, 2000]
    assert listed(found) == [("payment_not_paid", 5)]
    assert (found.deposit, found.not_come) == (7000, (1, 6000))
    assert found.printed is not None
    assert found.printed.agreeing == (6,)
    for spellings in COLUMNS.values():
        assert all(spelling in page.casefold() for spelling in spellings)


# ---- rows with an error value ----------------------------------------------------------------------------------------

HEADS = "account,date,amount,reference,method"


@pytest.mark.parametrize(
    ("row", "money"),
    [
        ("1,2026-11-02,5.25,#N/A,web", 525),
        ("1,2026-11-02,5.25,C9,#N/A", 525),
        ("#N/A,2026-11-02,5.25,C9,web", 525),
        ("1,#VALUE!,5.25,C9,web", 525),
        ("#N/A,#N/A,5.25,#N/A,#N/A", 525),
        ("1,2026-11-02,5.25,C\x019,web", 525),
        ("1,2026-11-02,#N/A,C9,web", None),
    ],
)
def test_the_money_of_a_row_with_an_error_value_belongs_to_the_deposit(
    tmp_path: Path, row: str, money: int | None
) -> None:
    """7.00 and 8.00 are taken, the row's 5.25 is rejected with it: 20.25 came. An amount that is an error is unread."""
    found = read_receipts(written(tmp_path, HEADS, "7,2026-11-02,7,C7,web", row, "8,2026-11-02,8,C8,web", ",,20.25,,"))
    assert found.frame["amount"].tolist() == [700, 800]
    assert [(p.code, p.place.line) for p in found.rejects] == [("damaged_row", 3)]
    unfit = found.unfit.iloc[0]
    assert (unfit["amount"] if money else pd.isna(unfit["amount"])) == (money or True)
    assert (found.deposit, found.unread) == (1500 + (money or 0), 0 if money else 1)
    assert "#" not in "".join(unfit[["account_id", "reference", "method"]])
    assert found.as_they_came([3]) == {3: row.replace("\x01", " ")}


def test_a_total_with_an_error_value_is_no_payment(tmp_path: Path) -> None:
    found = read_receipts(written(tmp_path, HEADS, "7,2026-11-02,7,C7,web", "Total,,#REF!,,"))
    assert (len(found.frame), found.rejects, [aside.line for aside in found.asides]) == (1, [], [3])


def test_so_it_is_where_a_workbook_shows_an_error(tmp_path: Path) -> None:
    made = xlsxwriter.Workbook(str(tmp_path / "payments.xlsx"))
    sheet = made.add_worksheet()
    sheet.write_row(0, 0, HEADS.split(","))
    sheet.write_row(1, 0, ["000123", "2026-11-02", 5.25])
    sheet.write_formula(1, 3, "=NA()", None, "#N/A")
    sheet.write_string(1, 4, "web")
    made.close()
    found = read_receipts(tmp_path / "payments.xlsx")
    assert (found.deposit, found.unread, [p.code for p in found.rejects]) == (525, 0, ["damaged_row"])
