"""Every layout, printed and read back: the same postings, at the same rows, to the cent."""

from __future__ import annotations

import csv
import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter
from printed_ledgers import CREDIT_NORMAL, NAMES, OPENINGS, POSTINGS, PRINTERS, Posting, Rows, plain_dc, qbo

from xlbilling.intake.files.guard import in_this_process
from xlbilling.intake.gl import LedgerExport, LedgerMap, read_ledger
from xlbilling.words.problems import Refusal


def number(layout: str, account: str) -> str:
    """The account as the layout prints it, and as the map therefore names it."""
    return {"xero": NAMES[account], "munis": f"600-{account}"}.get(layout, account)


def ledger_map(layout: str) -> LedgerMap:
    return LedgerMap.model_validate(
        {
            "period": {"start": "2026-07-01", "end": "2026-07-31"},
            "accounts": {f"OWN-{account}": number(layout, account) for account in NAMES},
            "control_accounts": [number(layout, "1310")],
            "credit_normal": [number(layout, account) for account in CREDIT_NORMAL],
            "segments": ["ORG", "OBJECT", "PROJECT"] if layout == "munis" else [],
        }
    )


def write_csv(path: Path, rows: Rows, encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        csv.writer(file).writerows(rows)
    return path


def read(path: Path, layout: str = "auto", mapping: LedgerMap | None = None) -> LedgerExport:
    with in_this_process() as worker:
        return read_ledger(path, layout, mapping, worker)


def postings(export: LedgerExport) -> dict[int, tuple[dt.date, str, str, int]]:
    frame = export.frame[export.frame["kind"] == "posting"]
    rows = zip(frame["row"], frame["date"], frame["gl_account"], frame["reference"], frame["amount_cents"], strict=True)
    return {int(row): (date.date(), account, reference, int(cents)) for row, date, account, reference, cents in rows}


def expected(layout: str, posted: dict[int, Posting]) -> dict[int, tuple[dt.date, str, str, int]]:
    reference = (lambda p: "") if layout == "signed" else (lambda p: p.reference)
    return {row: (p.day, number(layout, p.account), reference(p), p.cents) for row, p in posted.items()}


@pytest.mark.parametrize("layout", PRINTERS)
@pytest.mark.parametrize("asked", ["auto", "named"])
def test_a_printed_ledger_reads_back(tmp_path: Path, layout: str, asked: str) -> None:
    rows, posted = PRINTERS[layout]()
    path = write_csv(tmp_path / "gl.csv", rows)
    export = read(path, "auto" if asked == "auto" else layout, ledger_map(layout))
    assert export.profile == layout
    assert postings(export) == expected(layout, posted)
    assert [str(p) for p in export.problems if p.severity != "info"] == []
    # every row below the header is there once, in order
    below = len(export.frame)
    assert export.frame["row"].tolist() == list(range(1, below + 1))
    openings = export.frame[export.frame["kind"] == "opening"]
    if len(openings):
        found = dict(zip(openings["gl_account"], openings["amount_cents"], strict=True))
        assert found == {number(layout, account): cents for account, cents in OPENINGS.items()}


@pytest.mark.parametrize("layout", PRINTERS)
def test_the_same_ledger_as_a_workbook(tmp_path: Path, layout: str) -> None:
    rows, posted = PRINTERS[layout]()
    path = tmp_path / "gl.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("Sheet1")
        for index, cells in enumerate(rows):
            for column, text in enumerate(cells):
                plain = text.replace(",", "")
                # amounts are stored as numbers, everything else as text; empty cells are not stored
                if plain.removeprefix("-").replace(".", "", 1).isdigit() and "." in plain:
                    page.write_number(index, column, float(plain))
                elif text:
                    page.write_string(index, column, text)
    assert postings(read(path, "auto", ledger_map(layout))) == expected(layout, posted)


def test_dates_stored_as_numbers_and_noise_of_doubles(tmp_path: Path) -> None:
    path = tmp_path / "gl.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["Date", "Account", "Account Name", "Reference", "Description", "Debit", "Credit"])
        page.write_datetime(1, 0, dt.datetime(2026, 7, 9), book.add_format({"num_format": "mm/dd/yyyy"}))
        page.write_row(1, 1, [1310, "A/R", "P1", "a payment"])
        # 0.1 + 0.2 = 0.30000000000000004 in doubles, and 30 cents in money
        page.write_number(1, 5, 0.1 + 0.2)
    assert postings(read(path)) == {1: (dt.date(2026, 7, 9), "1310", "P1", 30)}


def test_windows_1252_and_a_byte_order_mark(tmp_path: Path) -> None:
    rows, posted = PRINTERS["qbd"]()
    for encoding in ("cp1252", "utf-8-sig"):
        path = write_csv(tmp_path / f"{encoding}.csv", rows, encoding)
        assert postings(read(path, "auto", ledger_map("qbd"))) == expected("qbd", posted)


def test_natural_side_is_proved_by_the_entries_not_assumed(tmp_path: Path) -> None:
    # the same report, but with every amount debit positive already: turning credit accounts would be wrong
    rows, posted = qbo()
    at = {row + 4: p for row, p in posted.items()}
    for index, p in at.items():
        rows[index][7] = f"{p.cents / 100:.2f}"
    export = read(write_csv(tmp_path / "gl.csv", rows), "auto", ledger_map("qbo"))
    assert postings(export) == expected("qbo", posted)


def test_natural_side_without_a_map_is_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "gl.csv", qbo()[0])
    with pytest.raises(Refusal, match="credit_normal") as refused:
        read(path)
    assert refused.value.problem.code == "ledger_signs_need_map"


def test_an_unreadable_amount_is_a_problem_with_its_line(tmp_path: Path) -> None:
    rows, _ = plain_dc()
    rows[3][5] = "12O.407"
    export = read(write_csv(tmp_path / "gl.csv", rows))
    assert [(p.code, p.place.line) for p in export.problems] == [("ledger_row_unreadable", 4)]
    assert export.frame["kind"].tolist().count("posting") == len(POSTINGS) - 1
    assert export.frame["kind"].tolist().count("unread") == 1


def test_no_header_and_no_such_layout_are_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "gl.csv", [["a", "b"], ["1", "2"]])
    for layout, code in (("auto", "ledger_layout_unknown"), ("sap", "ledger_layout_unnamed")):
        with pytest.raises(Refusal) as refused:
            read(path, layout)
        assert refused.value.problem.code == code


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gl.csv"
    path.write_bytes(b"%PDF-1.7 not a ledger")
    with pytest.raises(Refusal):
        read(path)


def test_the_guarded_child_gives_the_same_answer(tmp_path: Path) -> None:
    rows, posted = PRINTERS["caselle"]()
    path = write_csv(tmp_path / "gl.csv", rows)
    export = read_ledger(path, "auto", ledger_map("caselle"))
    assert postings(export) == expected("caselle", posted)
