"""Files that are something else are named as what they are, by every reader, and say what to ask for."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xlbilling.intake.files.foreign import foreign
from xlbilling.intake.files.source import kind_of
from xlbilling.intake.gl import read_ledger
from xlbilling.intake.reads import parse_reads
from xlbilling.intake.receipts.reading import read_receipts
from xlbilling.words.problems import Refusal

ACH = (
    "101 091000019 0910000192612010830B094101SOME BANK              TOWN OF ELM            \n"
    "5200TOWN OF ELM                         1091000019PPDWATER     261201261201   1091000010000001\n"
)
BAI2 = "01,091000019,TOWNOFELM,261201,0830,1,,,2/\n02,TOWNOFELM,091000019,1,261130,,USD,2/\n03,5551234,USD,015,900,,/\n"


def zipped(*names: str) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name in names:
            package.writestr(name, "x")
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "what", "ask"),
    [
        (ACH, "an ACH file (NACHA", "Ask the bank for a CSV file with account, amount, date and reference"),
        (ACH.replace("\n", ""), "an ACH file (NACHA", "Ask the bank"),
        (BAI2, "a bank statement in BAI2", "Ask the bank for a CSV file with account, amount, date and reference"),
        (BAI2.replace("\n", "\r\n"), "a bank statement in BAI2", "Ask the bank"),
        (":20:STMT\r\n:25:123/456\r\n:28C:1/1\r\n:60F:C261130USD9,00\r\n", "MT940", "Ask the bank"),
        ("{1:F01BANKUS33AXXX}{2:O940}{4:\n:20:X\n", "MT940", "Ask the bank"),
        ("OFXHEADER:100\nDATA:OFXSGML\n\n<OFX>\n", "(OFX or QFX)", "Ask the bank"),
        ('<?xml version="1.0"?>\n<?OFX OFXHEADER="200"?>\n<OFX>', "(OFX)", "Ask the bank"),
        (
            '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">',
            "(camt)",
            "Ask the bank",
        ),
        ("!Type:Bank\nD11/30'26\nT-5.00\n^\n", "(QIF)", "Ask the bank"),
        ("!TRNS\tTRNSID\tDATE\n", "(IIF)", "CSV"),
        ("ISA*00*          *00*          *ZZ*" + "X" * 90 + "~GS*RA*", "an EDI message", "Ask the bank"),
        ("%PDF-1.7\n", "a PDF document", "CSV"),
        ("<html><table><tr><td>1</td></tr></table></html>", "a web page", "Open it in Excel, save it"),
        ('<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "of 2003", "save it"),
        ("Return-Path: <a@b.example>\nFrom: A <a@b.example>\n\nSee attached.\n", "an e-mail message", "attached"),
        ("From: A\r\nSubject: reads\r\n of November\r\nMIME-Version: 1.0\r\n\r\n", "an e-mail message", "attached"),
        ('{"reads": [{"meter": "M1"}]}', "JSON", "CSV"),
        ("ID;PWXL;N;E\nP;PGeneral\n", "SYLK", "save it"),
        ("II*\x00\x08\x00", "a scanned picture", "CSV"),
        (zipped("word/document.xml", "[Content_Types].xml"), "a Word document", "CSV"),
        (zipped("reads.csv"), "a zip archive without a workbook in it", "Unpack it"),
    ],
)
@pytest.mark.parametrize("reader", [lambda path: parse_reads(path, in_child=False), read_receipts, read_ledger])
def test_every_reader_names_what_the_file_is_and_what_to_ask_for(
    tmp_path: Path, content: str | bytes, what: str, ask: str, reader: Callable[[Path], object]
) -> None:
    path = tmp_path / "november.csv"
    path.write_bytes(content.encode("latin-1") if isinstance(content, str) else content)
    with pytest.raises(Refusal) as refused:
        reader(path)
    assert refused.value.problem.code == "file_wrong_type"
    assert what in refused.value.problem.fact
    assert ask in refused.value.problem.remedy


@pytest.mark.parametrize(
    "text",
    [
        "Account,Amount,Date\n1,2,3\n", "01,02,03\n", "101,5.00,11/30/2026\n", "From,To,Amount\n", "ID;Name\n1;Ada\n",
        "Date: November\nAccount,Amount\n", "From: the bank\nTo: the district\nAccount,Amount\n", "[Sheet1]\nAccount,Amount\n",
    ],
)  # fmt: skip
def test_tables_are_not_taken_for_something_else(text: str) -> None:
    assert kind_of(text.encode(), "f.csv") == "text"


@given(st.lists(st.text("01,abc: \t/*|{[", max_size=30), max_size=6), st.sampled_from([",", ";", "\t"]))
def test_a_table_with_headings_is_text(rows: list[str], mark: str) -> None:
    assert foreign((mark.join(["Account", "Amount", "Date"]) + "\n" + "\n".join(rows)).encode()) is None
