"""VBA projects read back by oletools, the independent reader of the format."""

import random
from pathlib import Path
from typing import Any

import pytest
import xlwings
from hypothesis import given
from hypothesis import strategies as st

from tests.examples import costly
from xlbilling.maker.compound_file import compound_file
from xlbilling.maker.vba import Module, compress, vba_project

olefile = pytest.importorskip("olefile", reason="oletools is installed on Linux only")
olevba = pytest.importorskip("oletools.olevba", reason="oletools is installed on Linux only")
CODE = 'Option Explicit\nPublic Sub Greet()\n    MsgBox "Grüße"\nEnd Sub\n'


def modules_read(project: bytes, tmp_path: Path) -> dict[str, str]:
    path = tmp_path / "vbaProject.bin"
    path.write_bytes(project)
    return {name: text for _, _, name, text in olevba.VBA_Parser(str(path)).extract_macros()}


def decompressed(data: bytes) -> bytes:
    return bytes(olevba.decompress_stream(bytearray(data)))


@given(
    st.one_of(
        st.binary(max_size=9000),
        st.text(alphabet="Sub End()\n ab", max_size=9000).map(str.encode),
        st.tuples(st.binary(min_size=1, max_size=12), st.integers(1, 1500)).map(lambda t: t[0] * t[1]),
    )
)
def test_compression_reads_back(data: bytes) -> None:
    if not data:
        return
    read = decompressed(compress(data))
    assert read[: len(data)] == data
    assert not read[len(data) :].strip(b"\0")


def test_text_that_does_not_compress_is_kept_in_a_raw_chunk() -> None:
    # 4000 bytes without any repeat of three need 4000 + 500 flag bytes: more than the 4096 a chunk may have.
    data = random.Random(1).randbytes(4000)
    packed = compress(data, padding=b" ")
    assert len(packed) == 1 + 2 + 4096
    assert decompressed(packed) == data + b" " * 96


def test_repeats_are_copied_not_repeated() -> None:
    # one literal, then copy tokens of up to 4098 bytes: a few bytes in place of 4096
    assert len(compress(b"x" * 4096)) < 20


@costly
@given(
    st.dictionaries(
        st.text(alphabet="abcXYZ_0189", min_size=1, max_size=31),
        st.one_of(st.binary(max_size=200), st.integers(4000, 4200).map(bytes), st.integers(0, 40000).map(bytes)),
        max_size=24,
    )
)
def test_compound_file_reads_back(tmp_path_factory: pytest.TempPathFactory, streams: dict[str, bytes]) -> None:
    unique = {name.casefold(): (name, data) for name, data in streams.items()}
    tree = {"Folder": dict(unique.values()), "PROJECT": b"text"}
    written = compound_file(tree)
    with olefile.OleFileIO(written, raise_defects=olefile.DEFECT_INCORRECT) as read:
        for name, data in unique.values():
            assert read.openstream(["Folder", name]).read() == data
        assert read.openstream("PROJECT").read() == b"text"
        assert len(read.listdir()) == len(unique) + 1
    assert compound_file(tree) == written


def black_height(entries: dict[int, Any], sid: int, parent_red: bool) -> int:
    if sid == olefile.NOSTREAM:
        return 1
    entry = entries[sid]
    red = entry.color == 0
    assert not (red and parent_red)
    left, right = black_height(entries, entry.sid_left, red), black_height(entries, entry.sid_right, red)
    assert left == right
    return left + (not red)


def test_directory_is_a_valid_red_black_tree() -> None:
    for count in range(1, 70):
        data = compound_file({f"s{i}": bytes([i]) for i in range(count)})
        with olefile.OleFileIO(data) as read:
            entries = {entry.sid: entry for entry in read.direntries if entry is not None}
            black_height(entries, read.root.sid_child, parent_red=True)


def test_compound_file_refuses_what_it_cannot_hold() -> None:
    assert len(compound_file({"big": bytes(7_000_000)})) > 7_000_000
    with pytest.raises(ValueError, match="do not fit"):
        compound_file({"big": bytes(7_200_000)})
    with pytest.raises(ValueError, match="same name"):
        compound_file({"One": b"", "ONE": b""})
    with pytest.raises(ValueError, match="cannot name"):
        compound_file({"x" * 32: b""})


def test_project_reads_back_in_olevba(tmp_path: Path) -> None:
    dictionary = (Path(xlwings.__file__).parent / "addin" / "Dictionary.cls").read_text(encoding="cp1252")
    many = [Module(f"Part{i}", f"Option Explicit\nPublic Sub Do{i}()\nEnd Sub\n") for i in range(60)]
    project = vba_project(
        [Module("Billing", CODE), Module("Dictionary", dictionary, "class"), *many],
        ["Sheet1", "Sheet2"],
        workbook_code="Option Explicit\nPrivate Sub Workbook_Open()\nEnd Sub",
        sheet_code={"Sheet2": "Option Explicit"},
    )
    read = modules_read(project, tmp_path)
    assert len(read) == 65
    assert read["Billing.bas"].splitlines() == ['Attribute VB_Name = "Billing"', *CODE.splitlines()]
    assert "Workbook_Open" in read["ThisWorkbook.cls"]
    assert read["Sheet2.cls"].splitlines()[-1] == "Option Explicit"
    assert "VERSION 1.0" not in read["Dictionary.cls"]
    assert "Option Explicit" in read["Dictionary.cls"]
    with olefile.OleFileIO(project, raise_defects=olefile.DEFECT_INCORRECT) as file:
        source = decompressed(file.openstream("VBA/Dictionary").read()).decode("cp1252")
        assert "Attribute VB_Exposed = True\r\n" in source
        assert "Attribute Item.VB_UserMemId = 0\r\n" in source
        lines = file.openstream("PROJECT").read().decode("cp1252").split("\r\n")
        assert "Document=Sheet2/&H00000000" in lines
        assert "Module=Billing" in lines
        assert "Class=Dictionary" in lines


def test_project_is_built_byte_for_byte_alike() -> None:
    parts = [Module("Billing", CODE)]
    assert vba_project(parts, ["Sheet1"]) == vba_project(parts, ["Sheet1"])
    assert vba_project(parts, ["Sheet1"]) != vba_project(parts, ["Sheet2"])


def test_line_ends_do_not_matter() -> None:
    assert vba_project([Module("B", CODE.replace("\n", "\r\n"))], []) == vba_project([Module("B", CODE)], [])


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ([Module("Sheet1", "")], "used twice"),
        ([Module("thisworkbook", "")], "used twice"),
        ([Module("1st", "")], "cannot name"),
        ([Module("M" * 32, "")], "cannot name"),
        ([Module("Billing", "Option Explicit\n' \u0394")], "line 3.*not in code page"),
    ],
)
def test_modules_that_excel_would_not_take_are_refused(modules: list[Module], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        vba_project(modules, ["Sheet1"])
