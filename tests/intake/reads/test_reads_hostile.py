"""Hostile and broken texts: taken exactly, listed, or refused in one line; never a traceback, a hang or a loss."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.reads.uploads import GOOD, GOOD_ROW, HEAD, listed, read, refused, taken
from xlbilling.intake.files import source as files
from xlbilling.intake.reads import parse_reads
from xlbilling.words.problems import Refusal


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("=cmd|'/C calc'!A0,M1,2026-07-01,5,gal", "formula_text"),
        ("@SUM(1),M1,2026-07-01,5,gal", "formula_text"),
        ("+A1,M1,2026-07-01,5,gal", "formula_text"),
        ("1.23457E+11,M1,2026-07-01,5,gal", "missing_id"),
        (",M1,2026-07-01,5,gal", "missing_id"),
        ("7, ,2026-07-01,5,gal", "missing_id"),
        ("7,M1,2026-07-01,,gal", "bad_number"),
        ("7,M1,2026-07-01,-5,gal", "bad_number"),
        ("7,M1,2026-07-01,1e5,gal", "bad_number"),
        ('7,M1,2026-07-01,"1,234",gal', "bad_number"),
        ("7,M1,07/01/26,5,gal", "bad_date"),
        ("7,M1,13/01/2026,5,gal", "bad_date"),
        ("7,M1,,5,gal", "bad_date"),
        ("7,M1,2026-07-01", "bad_record"),
        ("7,M1,2026-07-01,5,gal,extra", "bad_record"),
        ('7,"M1"x,2026-07-01,5,gal', "bad_record"),
        ("00\x007,M1,2026-07-01,5,gal", "bad_record"),
        ("7,M\u200b1,2026-07-01,5,gal", "bad_record"),
        ("7,M\ufffd,2026-07-01,5,gal", "bad_record"),
        ("7" * 300 + ",M1,2026-07-01,5,gal", "bad_record"),
        ("7,M1,2026-07-01,5,hogshead", "bad_record"),
        ("\uff1d1+1,M1,2026-07-01,5,gal", "formula_text"),
        ("\uff0bA1,M1,2026-07-01,5,gal", "formula_text"),
        ("\uff0d1,M1,2026-07-01,5,gal", "formula_text"),
        ("\uff20SUM(A1),M1,2026-07-01,5,gal", "formula_text"),
        ("\ufe661,M1,2026-07-01,5,gal", "formula_text"),
        ("7,14-Mar,2026-07-01,5,gal", "missing_id"),
        ("7,Mar-14,2026-07-01,5,gal", "missing_id"),
        ("7,3/14/2026,2026-07-01,5,gal", "missing_id"),
        ("7,2026-03-14,2026-07-01,5,gal", "missing_id"),
        (HEAD.strip(), "bad_record"),
    ],
)
def test_an_odd_row_is_listed_and_the_next_is_taken(tmp_path: Path, line: str, code: str) -> None:
    found = read(tmp_path, HEAD + line + "\n" + GOOD)
    assert listed(found) == [(2, code)]
    assert taken(found) == [GOOD_ROW]


@pytest.mark.parametrize(
    "account", ["NA", "NULL", "nan", "TRUE", "1E05", "0x1F", "1_000", "12345.0", "-123", "９", "0" * 40]
)
def test_ids_stay_as_typed(tmp_path: Path, account: str) -> None:
    assert taken(read(tmp_path, HEAD + f"{account},M1,2026-07-01,5,gal\n"))[0][0] == account


def test_marks_that_keep_zeros_are_taken_off(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '\'007,"=""M1""",2026-07-01,5,gal\n')
    assert taken(found) == [("007", "M1", "2026-07-01", "5", 2)]


def test_a_quote_that_never_closes_costs_one_row(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '7,"M1,2026-07-01,5,gal\n' + GOOD)
    assert listed(found) == [(2, "bad_record")]
    assert taken(found) == [GOOD_ROW]


def test_many_stray_quotes_do_not_take_long(tmp_path: Path) -> None:
    found = read(tmp_path, HEAD + '7,"M1,2026-07-01,5,gal\n' * 5001 + GOOD)
    assert len(found.rejects) + len(found.reads) == 5002


def test_breaks_inside_quotes_keep_the_line_numbers(tmp_path: Path) -> None:
    head = HEAD.strip() + ",Note\n"
    found = read(tmp_path, head + '7,M1,2026-07-01,5,gal,"two\nlines"\n8,M2,2026-07-01,6,gal,x\n')
    assert taken(found) == [("7", "M1", "2026-07-01", "5", 2), ("8", "M2", "2026-07-01", "6", 4)]
    swallowed = read(tmp_path, head + '7,M1,2026-07-01,5,gal,"x\n8,M2,2026-07-01,6,gal,x\n9,M3,2026-07-01,7,gal,"\n')
    assert listed(swallowed) == [(2, "bad_record"), (3, "bad_record"), (4, "bad_record")]
    inside = read(tmp_path, head + '"7\n",M1,2026-07-01,5,gal,x\n8,M2,2026-07-01,6,gal,x\n')
    assert listed(inside) == [(2, "bad_record"), (3, "bad_record")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    assert taken(read(tmp_path, (HEAD + "7,M1,2026-07-01,5,gal\n" + GOOD).replace("\n", end)))[1] == GOOD_ROW


def test_bytes_that_are_no_utf8(tmp_path: Path) -> None:
    latin = HEAD.encode() + "É7,M1,2026-07-01,5,gal\n".encode("latin-1") + GOOD.encode()
    assert listed(read(tmp_path, latin)) == [(2, "encoding")]  # the recipe says UTF-8
    assert taken(read(tmp_path, latin, recipe=None))[0][0] == "É7"
    mixed = latin + "Ñ9,M3,2026-07-01,5,gal\n".encode()
    found = read(tmp_path, mixed, recipe=None)
    assert listed(found) == [(2, "encoding")]
    assert taken(found)[1][0] == "Ñ9"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ((HEAD + GOOD).encode("utf-16-le"), "file_encoding"),
        (b"\xff\xfe" + b"\x00\xd8" * 9, "file_encoding"),
        (b"\x1f\x8b\x08junk", "file_wrong_type"),
        (b"%PDF-1.7", "file_wrong_type"),
        (b"<html><table><tr><td>Meter", "file_wrong_type"),
        (b"  <?xml version='1.0'?><Workbook/>", "file_wrong_type"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "file_encrypted"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 2000, "unreadable_file"),
        (b"PK\x03\x04" + b"junk" * 100, "unreadable_file"),
        (b"\n \n", "unreadable_file"),
        (b"Account,Meter,Read Date,Read,Read\n7,M1,2026-07-01,5,6\n", "file_bad_header"),
        (b"Account,Meter,Read Date\n", "file_bad_header"),
        (HEAD.replace(",", ";").encode(), "file_bad_header"),
    ],
)
def test_files_that_are_refused_whole(tmp_path: Path, data: bytes, code: str) -> None:
    assert refused(tmp_path, data) == code


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path) -> None:
    def code(path: Path) -> str:
        with pytest.raises(Refusal) as refusal:
            files.take(path)
        return refusal.value.problem.code

    (tmp_path / "empty").touch()
    assert code(tmp_path / "empty") == "unreadable_file"
    assert code(tmp_path / "absent") == "unreadable_file"
    assert code(tmp_path) == "file_wrong_type"
    assert code(tmp_path / ("x" * 5000)) == "unreadable_file"
    assert code(Path("a\x00b")) == "unreadable_file"
    if sys.platform != "win32":
        os.mkfifo(tmp_path / "pipe")
        assert code(tmp_path / "pipe") == "file_wrong_type"
        assert code(Path("/dev/null")) == "file_wrong_type"
        (tmp_path / "nowhere").symlink_to("absent")
        assert code(tmp_path / "nowhere") == "unreadable_file"


def test_a_large_file_is_refused_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as handle:
        handle.truncate(files.TEXT_LIMIT + 1)
    with pytest.raises(Refusal) as refusal:
        files.take(path)
    assert refusal.value.problem.code == "file_too_large"
    assert f"{files.TEXT_LIMIT + 1:,}" in str(refusal.value)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "growing.csv"
    path.write_text(HEAD + GOOD)
    plain = os.read

    def meddling(descriptor: int, size: int) -> bytes:
        part = plain(descriptor, size)
        with path.open("a") as handle:
            handle.write(GOOD)
        return part

    monkeypatch.setattr(os, "read", meddling)
    with pytest.raises(Refusal, match="changed while"):
        files.take(path)


# ---------------------------------------------------------------- whatever comes in


@given(st.binary(max_size=400), st.sampled_from([b"", HEAD.encode(), b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"MEPMD01,"]))
def test_any_bytes_are_rows_and_rejects_or_a_refusal(tmp_path: Path, data: bytes, start: bytes) -> None:
    with contextlib.suppress(Refusal):  # `read` checks the balance of what is no refusal
        read(tmp_path, start + data, recipe=None)


@given(st.lists(st.text(alphabet='7M-,"\n\r\t 2026.eé=\x00', max_size=30), min_size=1, max_size=8))
def test_every_line_with_something_in_it_is_kept_or_listed(tmp_path: Path, lines: list[str]) -> None:
    text = HEAD + "\n".join(lines) + "\n" + GOOD
    found = read(tmp_path, text)
    told = set(found.reads["source_line"]) | set(found.rejects["source_line"])
    physical = text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    filled = {n for n, line in enumerate(physical, 1) if n > 1 and line.strip(' \t,"\xa0')}
    inside_quotes = '"' in text
    assert filled <= told or (inside_quotes and min(filled - told) - 1 in told | {1})
    assert told <= set(range(2, len(physical) + 1))


def test_the_guarded_child_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "upload.csv"
    path.write_text(HEAD + "7,M1,2026-07-01,5,gal\n7,M1,2026-07-01,5,gal\n")
    inside, guarded = parse_reads(path, in_child=False), parse_reads(path)
    assert inside.reads.equals(guarded.reads)
    assert inside.rejects.equals(guarded.rejects)
    assert guarded.balance.duplicates == 1


def test_a_file_whose_only_row_is_blank_has_no_reads_and_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "blank.csv"
    path.write_text("Account,Meter,Read Date,Read,Unit\n,")
    parsed = parse_reads(path)
    assert len(parsed.reads) == 0
    assert len(parsed.rejects) == 0
