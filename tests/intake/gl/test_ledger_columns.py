"""What changes the money of an export beside its amounts: sides, status, dates, spellings, and rows that are no data."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from xlbilling.intake.files.guard import in_this_process
from xlbilling.intake.gl import LedgerExport, LedgerMap, read_ledger, read_subledger
from xlbilling.words.problems import Refusal

MAP = LedgerMap.model_validate(
    {
        "period": {"start": "2026-07-01", "end": "2026-07-31"},
        "accounts": {"AR": "1310", "CASH": "1021", "REV": "4010"},
        "control_accounts": ["1310"],
        "credit_normal": ["4010"],
    }
)
PLAIN = "Date,Account,Account Name,Reference,Description,Debit,Credit"


def read(tmp_path: Path, text: str, mapping: LedgerMap | None = MAP) -> LedgerExport:
    path = tmp_path / "gl.csv"
    path.write_text(text, encoding="utf-8")
    with in_this_process() as worker:
        return read_ledger(path, "auto", mapping, worker)


def posted(export: LedgerExport) -> list[tuple[str, str, int]]:
    """Day, account and cents of each posting."""
    rows = export.frame[export.frame["kind"] == "posting"]
    days = [day.date().isoformat() for day in rows["date"]]
    return list(zip(days, rows["gl_account"], rows["amount_cents"].astype(int), strict=True))


def kinds(export: LedgerExport) -> str:
    return " ".join(export.frame["kind"])


def codes(export: LedgerExport) -> list[str]:
    return [problem.code for problem in export.problems]


@pytest.mark.parametrize("heading", ["Dr/Cr", "D/C", "Debit/Credit", "Side", "Sign", "Type", "Way"])
@pytest.mark.parametrize(
    ("debit", "credit"), [("D", "C"), ("Dr", "Cr"), ("DEBIT", "CREDIT"), ("+", "-"), ("Dr.", "Cr.")]
)
def test_a_side_in_a_column_of_its_own(tmp_path: Path, heading: str, debit: str, credit: str) -> None:
    # a bill of 84.51: debit receivables, credit revenue; the column is known by its heading or by its words
    rows = f"7/6/2026,1310,B1,Bill,84.51,{debit}\n7/6/2026,4010,B1,Bill,84.51,{credit}\n"
    export = read(tmp_path, f"Date,Account,Reference,Description,Amount,{heading}\n{rows}")
    assert posted(export) == [("2026-07-06", "1310", 8451), ("2026-07-06", "4010", -8451)]
    assert codes(export) == []


def test_a_negative_debit_is_a_credit_and_signs_that_are_there_already_are_not_turned_again(tmp_path: Path) -> None:
    head = "Date,Account,Reference,Description,Amount,Dr/Cr\n"
    turned = read(tmp_path, head + "7/6/2026,1310,B1,,-84.51,Dr\n7/6/2026,4010,B1,,84.51,Cr\n7/7/2026,1310,B2,,5,Dr\n")
    assert [cents for _, _, cents in posted(turned)] == [-8451, -8451, 500]
    signed = read(tmp_path, head + "7/6/2026,1310,B1,,84.51,Dr\n7/6/2026,4010,B1,,-84.51,Cr\n")
    assert [cents for _, _, cents in posted(signed)] == [8451, -8451]


def test_a_word_that_is_no_side_is_a_rejected_row(tmp_path: Path) -> None:
    export = read(
        tmp_path, "Date,Account,Reference,Description,Amount,Dr/Cr\n7/6/2026,1310,B1,,1,Dr\n7/6/2026,4010,B1,,1,Xr\n"
    )
    assert kinds(export) == "posting unread"
    assert "column 'dr/cr' says 'Xr'" in export.rejected[0].fact


def test_amounts_of_one_side_are_no_ledger(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refused:
        read(tmp_path, "Date,Account,Reference,Amount\n7/6/2026,1310,B1,84.51\n7/6/2026,4010,B1,84.51\n")
    assert refused.value.problem.code == "ledger_no_sides"


def test_rows_that_are_not_posted_are_left_out_and_told(tmp_path: Path) -> None:
    rows = "7/6/2026,1310,B1,,84.51,,Posted\n7/6/2026,4010,B1,,,84.51,\n7/7/2026,1310,B2,,9.00,,Void\n"
    export = read(tmp_path, f"Date,Account,Reference,Description,Debit,Credit,Status\n{rows}")
    assert kinds(export) == "posting posting unposted"
    assert export.told == ["1 rows left out, 9.00 in all"]
    assert codes(export) == ["ledger_rows_not_posted"]
    # a column headed Void says no of a row that counts
    turned = rows.replace("Posted", "N").replace("Void", "Y")
    assert kinds(read(tmp_path, f"Date,Account,Reference,Description,Debit,Credit,Void\n{turned}")) == kinds(export)


def test_a_status_nobody_knows_refuses_the_file_by_the_column(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="column 'status' says 'Reversed'") as refused:
        read(tmp_path, "Date,Account,Reference,Description,Debit,Credit,Status\n7/6/2026,1310,B1,,1,,Reversed\n")
    assert refused.value.problem.code == "ledger_status_unknown"
    assert refused.value.problem.place is not None
    assert refused.value.problem.place.line == 2


def test_columns_nobody_asked_for_are_named(tmp_path: Path) -> None:
    export = read(tmp_path, f"{PLAIN},Project,Currency\n7/6/2026,1310,AR,B1,,1.00,,X,USD\n")
    assert export.told == ["columns not asked for: Project, Currency"]
    assert codes(export) == ["ledger_columns_unused"]


@pytest.mark.parametrize("printed", ['"1,310"', "1310.00", '"=""1310"""', "'1310", "1310 - A/R", "\u00a01310"])
def test_accounts_spelled_otherwise(tmp_path: Path, printed: str) -> None:
    export = read(tmp_path, f"{PLAIN}\n7/6/2026,{printed},AR,B1,,1.00,\n")
    assert posted(export) == [("2026-07-06", "1310", 100)]
    assert set(codes(export)) <= {"ledger_account_respelled"}


def test_a_control_account_that_never_occurs_is_named_with_what_looks_like_it(tmp_path: Path) -> None:
    export = read(tmp_path, f"{PLAIN}\n7/6/2026,01310,AR,B1,,1.00,\n7/6/2026,4010,Water,B1,,,1.00\n")
    assert export.told == ["control account 1310 occurs nowhere in the export; 01310 looks like it"]
    assert codes(export) == ["ledger_account_absent"]


def test_a_column_with_a_thirteenth_is_day_first_as_a_whole(tmp_path: Path) -> None:
    export = read(tmp_path, f"{PLAIN}\n06/07/2026,1310,AR,B1,,1.00,\n13/07/2026,4010,Water,B1,,,1.00\n")
    assert [day for day, _, _ in posted(export)] == ["2026-07-06", "2026-07-13"]
    assert "day first" in export.told[0]
    assert codes(export) == ["ledger_dates_turned"]


def test_a_report_of_a_system_that_writes_day_first_is_month_first_where_its_rows_say_so(tmp_path: Path) -> None:
    head = "Date,Source,Description,Reference,Debit,Credit,Running Balance\n1310 - A/R,,,,,,\n"
    export = read(tmp_path, head + "7/6/2026,Inv,,B1,84.51,,84.51\n7/13/2026,Inv,,B2,1.00,,85.51\n")
    assert [day for day, _, _ in posted(export)] == ["2026-07-06", "2026-07-13"]


def test_of_dates_that_cannot_be_one_order_those_that_could_be_both_are_listed(tmp_path: Path) -> None:
    days = ("06/07/2026", "13/07/2026", "07/14/2026", "2026-07-15")
    text = "\n".join([PLAIN, *(f"{day},1310,AR,B1,,1.00," for day in days)])
    export = read(tmp_path, text)
    assert kinds(export) == "unread posting posting posting"
    assert [(p.code, p.place.line) for p in export.rejected] == [("ambiguous_date", 2)]
    assert "2026-06-07" in export.rejected[0].fact
    assert "2026-07-06" in export.rejected[0].fact


@pytest.mark.parametrize(
    "printed",
    ["7/6/2026 12:00:00 AM", "2026-07-06T00:00:00", "July 6 2026", "6 July 2026", "06-Jul-26", "Mon 6 Jul 2026"],
)
def test_midnight_and_months_by_name(tmp_path: Path, printed: str) -> None:
    assert posted(read(tmp_path, f"{PLAIN}\n{printed},1310,AR,B1,,1.00,\n")) == [("2026-07-06", "1310", 100)]


def test_a_date_printed_once_for_an_entry_is_carried(tmp_path: Path) -> None:
    rows = "7/6/2026,1310,AR,B1,Bill,60.00,\n,4010,Water,B1,,,35.00\n,4010,Sewer,,,,25.00\n7/7/2026,1310,AR,B2,,1.00,\n"
    export = read(tmp_path, f"{PLAIN}\n{rows}")
    assert posted(export) == [
        ("2026-07-06", "1310", 6000),
        ("2026-07-06", "4010", -3500),
        ("2026-07-06", "4010", -2500),
        ("2026-07-07", "1310", 100),
    ]
    # a line of another paper without a date is none of that entry's
    other = read(tmp_path, f"{PLAIN}\n7/6/2026,1310,AR,B1,Bill,60.00,\n,4010,Water,B7,,,60.00\n")
    assert kinds(other) == "posting unread"


@pytest.mark.parametrize("dash", ["-", " $-   ", " -   ", "$ (-)", "($-)", "\u2013", "$ - "])
def test_a_dash_is_zero(tmp_path: Path, dash: str) -> None:
    rows = f"7/6/2026,1310,AR,B1,, $84.51 ,{dash}\n7/6/2026,4010,Water,B1,,{dash}, $84.51 \n"
    assert [cents for _, _, cents in posted(read(tmp_path, f"{PLAIN}\n{rows}"))] == [8451, -8451]


def test_footers_and_carried_totals_are_neither_posted_nor_rejected(tmp_path: Path) -> None:
    rows = [
        "7/6/2026,1310,AR,B1,Bill,60.00,", "7/6/2026,4010,Water,B1,Bill,,60.00",
        "7/31/2026,1310,AR,,Balance carried forward,60.00,", "7/31/2026,4010,Water,,Balance c/f,,60.00",
        ",1310 Total,,,,60.00,", "Subtotal,,,,,60.00,60.00", PLAIN, "Sum,,,,,60.00,60.00", ",,,,,60.00,60.00",
        "End of report,,,,,,", '"Printed 8/1/2026 by ann, page 2",,,,,,', "Number of entries,,,,,2,",
    ]  # fmt: skip
    export = read(tmp_path, "\n".join([PLAIN, *rows]))
    assert kinds(export) == "posting posting total total total total header total total note note total"
    assert [problem.code for problem in export.rejected] == ["ledger_printed_disagrees"]


def test_a_subtotal_without_a_word_is_known_by_its_figures(tmp_path: Path) -> None:
    export = read(tmp_path, f"{PLAIN}\n7/6/2026,1310,AR,B1,,60.00,\n7/7/2026,1310,AR,P1,,,9.00\n,1310,,,,60.00,9.00\n")
    assert kinds(export) == "posting posting total"


def xero(closing: str = "75.51", total: str = "84.51", running: str = "84.51") -> str:
    return (
        "Date,Source,Description,Reference,Debit,Credit,Running Balance\n1310,,,,,,\nOpening Balance,,,,,,0.00\n"
        f"06 Jul 2026,Inv,Bill,B1,84.51,,{running}\n07 Jul 2026,Rec,Pmt,P1,,4.00,80.51\n08 Jul 2026,Rec,Pmt,P2,,5.00,75.51\n"
        f"Total 1310,,,,{total},9.00,\nClosing Balance,,,,,,{closing}\n"
    )


def test_printed_balances_are_held_against_the_rows(tmp_path: Path) -> None:
    # 0.00 + 84.51 - 4.00 - 5.00 = 75.51
    assert read(tmp_path, xero()).rejected == []
    closed = read(tmp_path, xero(closing="175.51")).rejected
    assert [(p.code, p.place.line) for p in closed] == [("ledger_printed_disagrees", 8)]
    assert "printed as 175.51, opening 0.00 and rows 75.51 make 75.51" in closed[0].fact
    totalled = read(tmp_path, xero(total="94.51")).rejected
    assert [p.place.line for p in totalled] == [7]
    assert "printed as 94.51 and 9.00, its rows add up to 84.51 and 9.00" in totalled[0].fact


def test_a_row_that_was_taken_out_shows_in_the_running_balance(tmp_path: Path) -> None:
    text = xero().replace("07 Jul 2026,Rec,Pmt,P1,,4.00,80.51\n", "")
    facts = [problem.fact for problem in read(tmp_path, text).rejected]
    # 84.51 - 5.00 = 79.51, but 75.51 is printed: 4.00 is not there
    assert "account 1310: the balance is printed as 75.51, by the rows it is 79.51" in facts
    assert len(facts) == 3


LINES = "id,post_date,kind,account_id,batch,reference,gl_account,debit,credit\n"
LINE = "S1,7/6/2026,billing,0001,BL1,B1,AR,60.00, $-   \nS2,2026-07-06 00:00:00,billing,0001,BL1,B1,REV,-,60.00\n"


def test_a_subledger_may_have_footers(tmp_path: Path) -> None:
    path = tmp_path / "sub.csv"
    path.write_text(f"{LINES}{LINE}\n{LINES}Total,,,,,,,60.00,60.00\nEnd of report\n")
    lines = read_subledger(path)
    assert lines["amount_cents"].tolist() == [6000, -6000]
    assert lines["post_date"].tolist() == [dt.datetime(2026, 7, 6)] * 2
    path.write_text(f"{LINES}{LINE}Total,,,,,,,160.00,60.00\n")
    with pytest.raises(Refusal, match=r"the debit total is 160\.00, the lines add up to 60\.00"):
        read_subledger(path)


def test_a_subledger_with_a_date_in_doubt_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sub.csv"
    path.write_text(
        LINES
        + "".join(f"S{n},{day},billing,1,B,R,AR,1,0\n" for n, day in enumerate(("6/7/2026", "13/7/2026", "7/14/2026")))
    )
    with pytest.raises(Refusal, match="could be"):
        read_subledger(path)
