"""The fast ways give what the exact ways give: plain blocks of text, and plainly written sheets."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xlsxwriter import Workbook as NewWorkbook

from tests.intake.reads import workbooks as w
from xlbilling.intake.files import delimited, plain_sheet, tables, text
from xlbilling.intake.reads import parse_reads

CELL = st.one_of(
    st.sampled_from(
        ["", "0", "007", "12.50", "0.5", "1E5", "M-1", "n/a", "GAL", "LITER", "=1", "'7", " x", '5"', "5.", ".5", "é"]
    ),
    st.integers(0, 10**9).map(str),
)
MOMENT = st.sampled_from(
    [
        "2026-07-01",
        "2026-07-01 10:05",
        "2026-07-01T10:05:59",
        "7/1/2026",
        "2026-02-30",
        "",
        "2026-11-01 01:30",
        "2026-07-01 24:00",
        "2026-07-01 23:60",
        "2026-07-01T10:05:60",
    ]
)


def both_ways(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = parse_reads(path, in_child=False)
    with monkeypatch.context() as patched:
        patched.setattr(delimited, "cut", lambda *_, **__: None)
        patched.setattr(plain_sheet, "read", lambda *_: False)
        patched.setattr(plain_sheet, "head", lambda *_: None)
        patched.setattr(plain_sheet, "shared_strings", lambda *_: None)
        exact = parse_reads(path, in_child=False)
        exact_reads, exact_rejects = exact.reads, exact.rejects
    assert fast.reads.astype(object).to_numpy().tolist() == exact_reads.astype(object).to_numpy().tolist()
    assert fast.rejects.astype(object).to_numpy().tolist() == exact_rejects.astype(object).to_numpy().tolist()
    assert fast.balance == exact.balance


def line(cells: list[str], quote: bool) -> str:
    if quote:
        return ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    return ",".join(cells)


@given(st.data())
def test_blocks_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: st.DataObject) -> None:
    header = data.draw(
        st.sampled_from(
            [
                "Account,Meter,Read Date,Read,Unit,Status",
                "Account_ID,Meter_ID,Read_Time,Read,Read_Unit,Read_Method,Endpoint_SN",
                "Account_ID,Meter_ID,Read_Time,Read,Read_Unit,Flow,Flow_Time,Raw_Read,Estimated_Flag",
                "AccountNumber,MeterSN,LocalTime,ScaledRead,MTUID,ReadingTime,RawRead,Scalar,Active,Description",
            ]
        )
    )
    names = header.split(",")
    dated = {"Read Date", "Read_Time", "Flow_Time", "LocalTime", "ReadingTime"}
    plain = data.draw(st.booleans())
    number = st.integers(0, 10**6).map(str)
    rows = data.draw(
        st.lists(
            st.tuples(*(MOMENT if name in dated else number if plain else CELL for name in names)).map(list),
            max_size=12,
        )
    )
    quote = data.draw(st.booleans())
    path = tmp_path / "reads.csv"
    path.write_text("\n".join([header, *(line(row, quote) for row in rows)]) + "\n", encoding="utf-8")
    monkeypatch.setattr(text, "BLOCK_CHARACTERS", data.draw(st.sampled_from([1, 60, 10_000])))
    both_ways(path, monkeypatch)


@pytest.mark.parametrize("moment", ["2026-07-01 24:00", "2026-07-01 23:60", "2026-07-01 10:05:60", "2026-06-31 10:00"])
def test_impossible_moments_in_a_plain_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    path = tmp_path / "reads.csv"
    path.write_text("Meter,Read Date,Read\n" + "".join(f"M{i},{moment},5\n" for i in range(5)))
    both_ways(path, monkeypatch)
    assert parse_reads(path, in_child=False).rejects["code"].tolist() == ["bad_date"] * 5


def test_a_large_plain_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    rows = [
        f"{i:06d},{80000000 + i},2026-07-{1 + i % 28:02d} {i % 24:02d}:{i % 60:02d},{chance.randrange(10**7) / 100:.2f},CF"
        for i in range(30_000)
    ]
    rows[20_000] = rows[5]
    path = tmp_path / "reads.csv"
    path.write_text("Account,Meter,Read Date,Read,Unit\n" + "\n".join(rows))
    both_ways(path, monkeypatch)
    found = parse_reads(path, in_child=False)
    assert found.rejects[["source_line", "code"]].to_numpy().tolist() == [[20_002, "duplicate"]]
    assert found.reads["source_line"].is_monotonic_increasing


def test_workbooks_as_excel_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "reads.xlsx"
    with NewWorkbook(str(path)) as book:
        sheet = book.add_worksheet()
        date = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(2, 1, ["Account", "Meter", "Read Date", "Read", "Unit"])
        for i in range(300):
            sheet.write_string(3 + 2 * i, 1, f"{i:05d} <&> é")
            sheet.write_string(3 + 2 * i, 2, f"M{i}")
            sheet.write_number(3 + 2 * i, 3, 46204 + i + (0.25 if i % 3 else 0), date)
            sheet.write_number(3 + 2 * i, 4, i / 8)
            sheet.write_blank(3 + 2 * i, 6, None, date)
    both_ways(path, monkeypatch)
    assert len(parse_reads(path, in_child=False).reads) == 300


SHEET_CELL = st.sampled_from(
    ['<c r="{}"><v>5</v></c>', '<c r="{}" s="1"><v>46204.5</v></c>', '<c r="{}" t="inlineStr"><is><t>a b</t></is></c>',
     '<c r="{}"/>', '<c r="{}" t="b"><v>1</v></c>', '<c r="{}" t="e"><v>#N/A</v></c>', '<c r="{}"><f>1</f><v>2</v></c>',
     '<c r="{}" t="s"><v>0</v></c>', '<c r="{}" t="inlineStr"><is><t>a&amp;b</t></is></c>', '<c r="{}"><v>12.0</v></c>']
)  # fmt: skip


@given(st.lists(st.lists(SHEET_CELL, min_size=5, max_size=5), max_size=6))
def test_sheets_cell_by_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[list[str]]) -> None:
    made = [
        w.row(at, *(cell.format(f"{'ABCDE'[i]}{at}") for i, cell in enumerate(cells)))
        for at, cells in enumerate(rows, 2)
    ]
    path = tmp_path / "reads.xlsx"
    path.write_bytes(w.packed(w.workbook(*made)))
    both_ways(path, monkeypatch)


@given(st.lists(st.lists(st.text(alphabet="aé 1水"), min_size=3, max_size=3), max_size=30))
def test_packed_columns_come_back(rows: list[list[str]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], []]
    assert tables.unpack(tables.pack([*columns, columns[0]])) == [*columns, columns[0]]
