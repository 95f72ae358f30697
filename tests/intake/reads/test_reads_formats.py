"""Each format on small files of our own making: what is kept, what is listed, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from xlbilling.intake.reads import ParsedReads, parse_reads
from xlbilling.words.problems import Refusal

Row = tuple[str, ...]


def parsed(tmp_path: Path, text: str | bytes, **given: object) -> ParsedReads:
    path = tmp_path / "reads.txt"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    found = parse_reads(path, in_child=False, **given)  # type: ignore[arg-type]
    assert found.balance.holds
    assert found.balance.reads == len(found.reads)
    assert found.balance.rejects == len(found.rejects)
    return found


def rows(found: ParsedReads, *columns: str) -> list[Row]:
    return [tuple(row) for row in found.reads[list(columns)].astype(str).to_numpy().tolist()]


def listed(found: ParsedReads) -> list[tuple[int, str]]:
    return list(found.rejects[["source_line", "code"]].itertuples(index=False, name=None))


def placed(width: int, **fields: str) -> str:
    """A fixed-width line: f5="abc" puts abc at position 5."""
    line = [" "] * width
    for name, text in fields.items():
        start = int(name[1:]) - 1
        line[start : start + len(text)] = text
    return "".join(line)


BEACON = "Account_ID,Location_ID,Meter_ID,Register_Number,Endpoint_SN,Read_Method,Read,Read_Unit,Read_Time\n"


def test_beacon(tmp_path: Path) -> None:
    text = BEACON + (
        "0007,P1,M1,,9,Network,00042.50,LITER,2026-03-02 06:15\n"
        "0008,P2,M2,L,9,N/A,17,GAL,\n"
        "0009,P3,M3,,9,AMR,,GAL,2026-03-02 06:15\n"
        "0010,P4,M4,,9,AMR,1A,GAL,2026-03-02 06:15\n"
        "0011,P5,M1,,9,AMR,50,GAL,3/2/2026 6:15 AM\n"
        "0012,P6,M6,,9,AMR,50,GAL,2026-03-02 06:15,\n" + BEACON
    )
    found = parsed(tmp_path, text)
    assert found.format == "beacon"
    assert rows(found, "meter_id", "dial_read", "read_value", "unit", "read_code") == [
        ("M1", "00042.50", "0.0425", "M3", "actual"),
        ("M2", "17", "", "GAL", "no_read"),
        ("M3", "", "", "GAL", "no_read"),
    ]
    assert listed(found) == [(5, "bad_number"), (6, "duplicate"), (7, "bad_record"), (8, "bad_record")]
    assert found.balance.duplicates == 1


HOURLY = (
    "Account_ID,Meter_ID,Register_Number,Raw_Read,Read,Read_Unit,Read_Time,Flow,Flow_Unit,Flow_Time,Estimated_Flag\n"
)


def test_beacon_hourly_gives_two_rows_a_line(tmp_path: Path) -> None:
    line = "1,M1,,0123,1.23,CCF,2026-11-01 01:00,5.0,Gallons,2026-11-01 01:00,0\n"
    text = HOURLY + line * 3 + "1,M2,,77,,CCF,,,Gallons,2026-11-01 02:00,1\n1,,,1,2,CCF,2026-11-01,3,GAL,2026-11-01,0\n"
    found = parsed(tmp_path, text)
    assert rows(found, "register_id", "dial_read", "read_value", "unit", "source_line") == [
        ("", "0123", "1.23", "CCF", "2"),
        ("interval", "5.0", "5", "GAL", "2"),
        ("", "0123", "1.23", "CCF", "3"),
        ("interval", "5.0", "5", "GAL", "3"),
        ("", "77", "", "CCF", "5"),
    ]
    assert listed(found) == [(4, "duplicate"), (4, "duplicate"), (6, "missing_id"), (6, "missing_id")]


def test_aclara(tmp_path: Path) -> None:
    head = "AccountNumber,MeterSN,MTUID,Port,RawRead,ScaledRead,ReadingTime,LocalTime,Active,Scalar,Description\n"
    line = "1,M1,9,1,1234,{},2026-06-01 {}:00:00.000,2026-06-01 02:00:00.000,{},0.01,{}\n"
    text = head + (
        line.format("0012.34", "09", 1, '"2"" Cu.Ft."')
        + line.format("0012.35", "10", 1, "1Gal")
        + line.format("12.34", "11", 0, "")
        + line.format("error", "12", 1, "")
        + line.format("12.34", "09", 1, "")
        + line.format("12.34", "99", 1, "")
    )
    found = parsed(tmp_path, text)
    assert rows(found, "read_value", "unit", "read_code") == [
        ("12.34", "CF", "actual"),
        ("12.35", "GAL", "suspect"),
        ("12.34", "", "suspect"),
        ("", "", "no_read"),
    ]
    assert listed(found) == [(6, "duplicate"), (7, "bad_date")]
    one = line.format("12.34", "09", 1, "")
    again = one.replace("02:00:00.000,1,", "03:00:00.000,1,")  # the same instant under another local time
    assert listed(parsed(tmp_path, head + one + again)) == [(3, "duplicate")]


def cmep(
    meter: str, unit: str, triples: str, *, other: str = "", constant: str = "1.0", count: int | None = None
) -> str:
    number = len(triples.split(",")) // 3 if count is None else count
    head = f"MEPMD01,20080501,S,C,1,{other or meter},202604070815,{meter},OK,W,{unit},{constant},00000100,{number}"
    return f"{head},{triples}\n" if triples else head + "\n"


def test_cmep(tmp_path: Path) -> None:
    text = (
        cmep("M1", "CF", "202604060800,R0,4,,E0,5,,N3,0,,R16,-2", other="A7")
        + cmep("M1", "CFREG", "202604060800,r,0012", constant="10")
        + cmep("M2", "CF", "202604062400,R0,1,,R0,2")
        + cmep("M3", "CF", "202604060800,R0,1", count=2)
        + cmep("M4", "CF", "", count=0)
        + cmep("M5", "BTU", "202604060800,R0,1")
        + cmep("M6", "CFREG", "202604060800,R0,-1,202604060900,Q0,1")
        + "HDR\n"
    )
    found = parsed(tmp_path, text)
    assert found.format == "cmep"
    assert rows(found, "account_id", "register_id", "read_time", "read_value", "read_code") == [
        ("A7", "interval", "08:00", "4", "actual"),
        ("A7", "interval", "09:00", "5", "estimated"),
        ("A7", "interval", "10:00", "", "no_read"),
        ("A7", "interval", "11:00", "-2", "suspect"),
        ("", "", "08:00", "120", "actual"),
    ]
    assert listed(found) == [
        (3, "bad_date"), (3, "bad_date"), (4, "bad_record"), (5, "no_read"), (6, "unknown_unit"), (7, "bad_number"),
        (7, "bad_record"), (8, "bad_record"),
    ]  # fmt: skip


def test_radix(tmp_path: Path) -> None:
    lines = [
        placed(36, p4="001", p7="000123", p14="0048213", p21="010526", p27="71000111"),
        placed(36, p7="000124", p21="010526", p27="71000112"),
        placed(36, p7="000125", p14="5", p27="71000113"),
        placed(36, p7="000126", p14="5.0", p21="010526", p27="71000114"),
        placed(36, p7="000127", p14="5", p21="023026", p27="71000115"),
        placed(36, p7="000128", p14="5", p21="010526"),
        placed(35, p7="000129", p14="5"),
        "",
        placed(36, p7="000130", p14="6", p21="011926", p27="71000111") + "\x1a",
    ]
    found = parsed(tmp_path, "\r\n".join(lines))
    assert rows(found, "account_id", "meter_id", "read_date", "dial_read", "read_value", "source_line") == [
        ("000123", "71000111", "2026-01-05", "0048213", "48213", "1"),
        ("000124", "71000112", "2026-01-05", "", "", "2"),
        ("000130", "71000111", "2026-01-19", "6", "6", "9"),
    ]
    assert listed(found) == [
        (3, "bad_date"), (4, "bad_number"), (5, "bad_date"), (6, "missing_id"), (7, "bad_record"),
    ]  # fmt: skip


def k3(account: str, meter: str, reading: str, date: str) -> str:
    return placed(91, p1=account, p13=meter, p43="M", p44=reading, p53=date, p59="0001")


def test_sensus_k3_dates_need_a_year(tmp_path: Path) -> None:
    text = "\n".join([k3("1", "M1", "5", "1230"), k3("2", "M2", "6", " 1 2"), k3("3", "M3", "", "")])
    found = parsed(tmp_path, text, year=2026)
    assert rows(found, "read_date", "read_code") == [
        ("2025-12-30", "actual"), ("2026-01-02", "actual"), ("", "no_read"),
    ]  # fmt: skip
    without = parsed(tmp_path, text)
    assert rows(without, "meter_id") == [("M3",)]
    assert listed(without) == [(1, "bad_date"), (2, "bad_date")]
    plain = parsed(tmp_path, "\n".join([k3("1", "M1", "5", "1130"), k3("2", "M2", "6", "1201")]), year=2026)
    assert rows(plain, "read_date") == [("2026-11-30",), ("2026-12-01",)]


def test_sensus_autoread_gives_no_rows(tmp_path: Path) -> None:
    line = placed(155, p1="1 ELM", p21="71000133", p105="0000048213")
    found = parsed(tmp_path, f"{line}\n{line[:150]}\n{placed(155, p1='2 ELM')}\n{line}\n")
    assert found.format == "sensus-autoread"
    assert len(found.reads) == 0
    assert listed(found) == [(1, "no_read"), (2, "bad_record"), (3, "missing_id"), (4, "no_read")]
    assert "route file" in found.notes[0]


def premise(account: str) -> str:
    return placed(130, p1="PRMDT", p104=account)


def meter(serial: str) -> str:
    return placed(60, p1="MTRDT", p38=serial)


def reading(value: str, dials: str = "06") -> str:
    return placed(100, p1="RDGDT", p50=dials, p89=value)


def test_neptune(tmp_path: Path) -> None:
    route = placed(40, p1="RTEHD", p24="20260209")
    lines = [
        route, premise("001"), meter("M1"), reading("0000000042"), "ERTDT1", reading("1234567"), "ORDST20260211",
        premise("002"), meter("M2"), reading("::::"), meter("M3"), meter("M4"), reading("5")[:90],
        premise("003")[:100], meter("M5"), reading("5"), premise("004"), meter("M6"), "12345", reading("6"), meter("M7"),
        reading("7"), premise("005"), meter("M8"), "ORDST20261301", reading("8"), meter("  "), reading("9"),
    ]  # fmt: skip
    found = parsed(tmp_path, "\n".join(lines))
    assert rows(found, "account_id", "meter_id", "register_id", "read_date", "read_value", "read_code") == [
        ("001", "M1", "1", "2026-02-11", "42", "actual"),
        ("001", "M1", "2", "2026-02-11", "1234567", "suspect"),
        ("002", "M2", "1", "2026-02-09", "", "no_read"),
    ]
    assert listed(found) == [
        (11, "no_read"), (13, "bad_record"), (14, "bad_record"), (16, "bad_record"), (19, "bad_record"),
        (20, "bad_record"), (22, "bad_record"), (26, "bad_date"), (28, "missing_id"),
    ]  # fmt: skip


def mvrs(kind: str, **fields: str) -> str:
    return placed(126, p1=kind, **fields)


def mvrs_file(counts: str = "001000002000003000003") -> list[str]:
    return [
        mvrs("FHD"), mvrs("RHD"), mvrs("CUS", p15="007"), mvrs("MTR", p46="M1"),
        mvrs("RDG", p23="001", p34="0000482137", p48="05042026", p56="101500", p63="000", p90="06", p92="01"),
        mvrs("RFF"), mvrs("CUS", p15="008"), mvrs("MTR", p46="M2"),
        mvrs("RDG", p23="001", p34="0000000000"),
        mvrs("MTR", p46="M3"),
        mvrs("RDG", p23="001", p34="55", p48="05042026", p63="012"),
        mvrs("FTR", p8=counts),
    ]  # fmt: skip


def test_itron_mvrs(tmp_path: Path) -> None:
    found = parsed(tmp_path, "\n".join(mvrs_file()))
    assert rows(found, "account_id", "meter_id", "register_id", "read_time", "read_value", "read_code") == [
        ("007", "M1", "001", "10:15", "48213.7", "actual"),
        ("008", "M2", "001", "", "", "no_read"),
        ("008", "M3", "001", "", "", "no_read"),
    ]
    assert listed(found) == []


def test_itron_mvrs_control_totals(tmp_path: Path) -> None:
    assert listed(parsed(tmp_path, "\n".join(mvrs_file("001000002000003000004")))) == [(12, "control_total")]
    assert listed(parsed(tmp_path, "\n".join(mvrs_file()[:-1]))) == [(11, "control_total")]
    short = mvrs_file()
    short[6] = short[6][:90]
    assert listed(parsed(tmp_path, "\n".join(short))) == [(7, "bad_record"), (9, "bad_record"), (11, "bad_record")]


def test_an_unknown_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refusal) as refusal:
        parsed(tmp_path, "Dear Sir,\nplease find\n")
    assert refusal.value.problem.code == "file_bad_header"


def test_the_same_file_in_windows_characters(tmp_path: Path) -> None:
    text = "Meter,Read,Date,Account\nM1,5,2026-07-01,Peña\n"
    for data in (text.encode("cp1252"), text.encode(), text.encode("utf-16"), b"\xef\xbb\xbf" + text.encode()):
        assert rows(parsed(tmp_path, data), "account_id") == [("Peña",)]
