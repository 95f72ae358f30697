"""VBA projects: the xl/vbaProject.bin of a macro workbook, written from module text ([MS-OVBA]).

No performance cache is written: the host compiles the text when the workbook is opened. The same modules always give
the same bytes.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from xlbilling.maker.compound_file import compound_file

CODE_PAGE: Final = 1252
ENCODING: Final = f"cp{CODE_PAGE}"
PROJECT_NAME: Final = "VBAProject"
PROJECT_ID: Final = "{7B1E2C64-5B0A-4C8E-9F1D-2A6B7C8D9E0F}"
WORKBOOK_CLASS: Final = "00020819-0000-0000-C000-000000000046"
SHEET_CLASS: Final = "00020820-0000-0000-C000-000000000046"
PLAIN_CLASS: Final = "FCFB3D2A-A0FA-1068-A738-08002B3371B5"
LONGEST_MODULE_NAME: Final = 31

# IRibbonControl lives in the Office library: without this reference no ribbon callback compiles.
REFERENCES: Final = (
    ("stdole", r"*\G{00020430-0000-0000-C000-000000000046}#2.0#0#C:\Windows\System32\stdole2.tlb#OLE Automation"),
    (
        "Office",
        r"*\G{2DF8D04C-5BFA-101B-BDE5-00AA0044DE52}#2.0#0#"
        r"C:\Program Files\Common Files\Microsoft Shared\OFFICE16\MSO.DLL#Microsoft Office 16.0 Object Library",
    ),
)


@dataclass(frozen=True, slots=True)
class Module:
    """A VBA module as the editor's Export would write it; header lines of an exported file are understood."""

    name: str
    text: str
    kind: Literal["standard", "class"] = "standard"


@dataclass(frozen=True, slots=True)
class _Source:
    """A module as stored: its source with the attribute lines the host expects, and how PROJECT lists it."""

    name: str
    text: str
    listed_as: Literal["Module", "Class", "Document"]


def vba_project(
    modules: Sequence[Module],
    sheets: Sequence[str],
    workbook_code: str = "",
    sheet_code: Mapping[str, str] | None = None,
) -> bytes:
    """The bytes of vbaProject.bin: `modules`, ThisWorkbook and one document module for each sheet.

    `sheets` are the sheets' code names (codeName in the sheet XML; the workbook's is ThisWorkbook), `workbook_code` and
    `sheet_code` (by code name) the VBA behind them. Raises ValueError for a bad or twin module name and for text that
    code page 1252 does not have.
    """
    code = dict(sheet_code or {})
    if unknown := sorted(code.keys() - set(sheets)):
        raise ValueError(f"code for sheets that are not in the workbook: {', '.join(unknown)}")
    sources = [_document("ThisWorkbook", WORKBOOK_CLASS, workbook_code)]
    sources += [_document(sheet, SHEET_CLASS, code.get(sheet, "")) for sheet in sheets]
    sources += [_module(module) for module in modules]
    _check_names([source.name for source in sources])
    streams = {source.name: compress(_encoded(source), padding=b" ") for source in sources}
    streams["_VBA_PROJECT"] = bytes.fromhex("CC61FFFF000000")  # 2.3.4.1: version FFFF, so no cache is looked for
    streams["dir"] = compress(_dir_stream(sources))
    return compound_file({"VBA": streams, "PROJECT": _project_stream(sources), "PROJECTwm": _names_stream(sources)})


def _check_names(names: Sequence[str]) -> None:
    for name in names:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or len(name) > LONGEST_MODULE_NAME:
            raise ValueError(f"{name!r} cannot name a VBA module: a letter, then letters, digits or _, 31 at most")
    folded = [name.casefold() for name in names]
    if twins := sorted({name for name in names if folded.count(name.casefold()) > 1}):
        raise ValueError(f"VBA module names are used twice: {', '.join(twins)}")


def _document(name: str, class_id: str, code: str) -> _Source:
    """A document module ([MS-OVBA] 2.3.4.3): the code behind the workbook or a sheet."""
    flags = {"GlobalNameSpace": False, "Creatable": False, "PredeclaredId": True, "Exposed": True}
    flags |= {"TemplateDerived": False, "Customizable": True}
    return _Source(name, _class_header(name, class_id, flags) + _lines(code), "Document")


def _module(module: Module) -> _Source:
    """A standard or class module, its exported header replaced by the attributes of the stored form."""
    if module.kind == "standard":
        body = re.sub(r"(?m)^Attribute VB_.*\n?", "", _newlines(module.text))
        return _Source(module.name, f'Attribute VB_Name = "{module.name}"\r\n' + _lines(body), "Module")
    text = re.sub(r"\AVERSION [^\n]*\nBEGIN\n.*?^END\n", "", _newlines(module.text), flags=re.S | re.M)
    exposed = re.search(r"(?m)^Attribute VB_Exposed = True", text) is not None
    flags = {"GlobalNameSpace": False, "Creatable": False, "PredeclaredId": False, "Exposed": exposed}
    flags |= {"TemplateDerived": False, "Customizable": False}
    body = re.sub(r"(?m)^Attribute VB_.*\n?", "", text)
    return _Source(module.name, _class_header(module.name, PLAIN_CLASS, flags) + _lines(body), "Class")


def _class_header(name: str, class_id: str, flags: Mapping[str, bool]) -> str:
    head = [f'Attribute VB_Name = "{name}"', f'Attribute VB_Base = "0{{{class_id}}}"']
    return _lines("\n".join([*head, *(f"Attribute VB_{flag} = {value}" for flag, value in flags.items())]))


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(text: str) -> str:
    """`text` with the line ends VBA wants, the last line closed."""
    text = _newlines(text).rstrip("\n")
    return text.replace("\n", "\r\n") + "\r\n" if text else ""


def _encoded(source: _Source) -> bytes:
    try:
        return source.text.encode(ENCODING)
    except UnicodeEncodeError as error:
        line = source.text.count("\n", 0, error.start) + 1
        raise ValueError(
            f"VBA module {source.name}, line {line}: {source.text[error.start]!r} is not in code page {CODE_PAGE}"
        ) from error


# ---------------------------------------------------------------- the streams beside the modules


def _record(identifier: int, data: bytes) -> bytes:
    return struct.pack("<HI", identifier, len(data)) + data


def _text_record(identifier: int, unicode_identifier: int, text: str) -> bytes:
    """A text twice: in the project's code page and in UTF-16."""
    return _record(identifier, text.encode(ENCODING)) + _record(unicode_identifier, text.encode("utf-16-le"))


def _dir_stream(sources: Sequence[_Source]) -> bytes:
    """The dir stream before compression ([MS-OVBA] 2.3.4.2): information, references, modules."""
    return (
        _dir_information()
        + b"".join(_dir_reference(name, library) for name, library in REFERENCES)
        + _record(0x0F, struct.pack("<H", len(sources)))
        + _record(0x13, b"\xff\xff")
        + b"".join(_dir_module(source) for source in sources)
        + struct.pack("<HI", 0x10, 0)
    )


def _dir_information() -> bytes:
    """PROJECTINFORMATION ([MS-OVBA] 2.3.4.2.1): 64-bit Windows, US English, code page 1252."""
    return (
        _record(0x01, struct.pack("<I", 3))
        + _record(0x02, struct.pack("<I", 0x409))
        + _record(0x14, struct.pack("<I", 0x409))
        + _record(0x03, struct.pack("<H", CODE_PAGE))
        + _record(0x04, PROJECT_NAME.encode(ENCODING))
        + _text_record(0x05, 0x40, "")  # description
        + _record(0x06, b"")  # help file, twice
        + _record(0x3D, b"")
        + _record(0x07, bytes(4))  # help context
        + _record(0x08, bytes(4))  # library flags
        + struct.pack("<HIIH", 0x09, 4, 0x65BE0257, 17)  # version
        + _text_record(0x0C, 0x3C, "")  # conditional compilation constants
    )


def _dir_reference(name: str, library: str) -> bytes:
    """REFERENCENAME and REFERENCEREGISTERED ([MS-OVBA] 2.3.4.2.2.2 and .5)."""
    library_id = library.encode(ENCODING)
    return _text_record(0x16, 0x3E, name) + _record(
        0x0D, struct.pack("<I", len(library_id)) + library_id + struct.pack("<IH", 0, 0)
    )


def _dir_module(source: _Source) -> bytes:
    """MODULE ([MS-OVBA] 2.3.4.2.3.2): 0x21 marks a standard module, 0x22 a class or document module."""
    return (
        _text_record(0x19, 0x47, source.name)
        + _text_record(0x1A, 0x32, source.name)
        + _text_record(0x1C, 0x48, "")
        + _record(0x31, bytes(4))  # the source starts at offset 0: no cache before it
        + _record(0x1E, bytes(4))
        + _record(0x2C, b"\xff\xff")
        + _record(0x21 if source.listed_as == "Module" else 0x22, b"")
        + _record(0x2B, b"")
    )


def _project_stream(sources: Sequence[_Source]) -> bytes:
    """The PROJECT stream ([MS-OVBA] 2.3.1): what the editor shows, unprotected, all windows closed."""
    listed = [
        f"{source.listed_as}={source.name}" + ("/&H00000000" if source.listed_as == "Document" else "")
        for source in sources
    ]
    lines = [
        f'ID="{PROJECT_ID}"',
        *listed,
        f'Name="{PROJECT_NAME}"',
        'HelpContextID="0"',
        'VersionCompatible32="393222000"',
        f'CMG="{_encrypted(bytes(4))}"',  # 2.3.1.15: no protection
        f'DPB="{_encrypted(bytes(1))}"',  # 2.3.1.16: no password
        f'GC="{_encrypted(bytes([0xFF]))}"',  # 2.3.1.17: visible
        "",
        "[Host Extender Info]",
        "&H00000001={3832D640-CF90-11CF-8E43-00A0C911005A};VBE;&H00000000",
        "",
        "[Workspace]",
        *(f"{source.name}=0, 0, 0, 0, C" for source in sources),
    ]
    return _lines("\n".join(lines)).encode(ENCODING)


def _names_stream(sources: Sequence[_Source]) -> bytes:
    """The PROJECTwm stream ([MS-OVBA] 2.3.3): each module's name in the code page and in UTF-16."""
    pairs = (s.name.encode(ENCODING) + b"\0" + s.name.encode("utf-16-le") + b"\0\0" for s in sources)
    return b"".join(pairs) + b"\0\0"


def _encrypted(data: bytes, seed: int = 0x71) -> str:
    """Data Encryption ([MS-OVBA] 2.4.3.2) with a fixed seed, so that a rebuild gives the same bytes."""
    version = 2
    key = sum(PROJECT_ID.encode(ENCODING)) & 0xFF
    out = bytearray((seed, version ^ seed, key ^ seed))
    unencrypted, last, before_last = key, key ^ seed, version ^ seed
    ignored = b"\x07" * ((seed & 6) // 2)
    for byte in ignored + struct.pack("<I", len(data)) + data:
        encrypted = byte ^ ((before_last + unencrypted) & 0xFF)
        out.append(encrypted)
        before_last, last, unencrypted = last, encrypted, byte
    return out.hex().upper()


# ---------------------------------------------------------------- compression

CHUNK: Final = 4096
SHORTEST_COPY: Final = 3
TRIED_PLACES: Final = 64


def compress(data: bytes, padding: bytes = b"\0") -> bytes:
    """Compress `data` into a CompressedContainer ([MS-OVBA] 2.4.1.1.1).

    A last chunk that gets longer by compression is stored as a raw chunk of 4096 bytes, filled up with `padding`
    ([MS-OVBA] 2.4.1.3.10): it then reads back longer than it was. Module text is filled with blanks, which VBA ignores.
    """
    chunks = (data[start : start + CHUNK] for start in range(0, len(data), CHUNK))
    return b"\x01" + b"".join(_compressed_chunk(chunk, padding) for chunk in chunks)


def _compressed_chunk(chunk: bytes, padding: bytes) -> bytes:
    """One CompressedChunk ([MS-OVBA] 2.4.1.1.4): header of size, signature 0b011 and flag, then token sequences."""
    body = _token_sequences(chunk)
    if len(body) > CHUNK or (len(body) == CHUNK == len(chunk)):
        return struct.pack("<H", 0x3FFF) + chunk.ljust(CHUNK, padding)
    return struct.pack("<H", 0xB000 | (len(body) - 1)) + body


def _token_sequences(chunk: bytes) -> bytes:
    """TokenSequences ([MS-OVBA] 2.4.1.1.7): a flag byte, then up to eight literal or copy tokens."""
    body, position = bytearray(), 0
    places: dict[bytes, list[int]] = {}
    while position < len(chunk):
        flags, flags_at = 0, len(body)
        body.append(0)
        for bit in range(8):
            if position >= len(chunk):
                break
            offset_bits = _offset_bits(position)
            longest = (0xFFFF >> offset_bits) + SHORTEST_COPY
            length, offset = _longest_match(chunk, position, longest, places)
            if length >= SHORTEST_COPY:
                body += struct.pack("<H", (offset - 1) << (16 - offset_bits) | (length - SHORTEST_COPY))
                flags |= 1 << bit
            else:
                body.append(chunk[position])
                length = 1
            for at in range(position, position + length):
                places.setdefault(chunk[at : at + SHORTEST_COPY], []).append(at)
            position += length
        body[flags_at] = flags
    return bytes(body)


def _offset_bits(position: int) -> int:
    """How many of a copy token's 16 bits hold the offset at `position` in the chunk ([MS-OVBA] 2.4.1.3.19.1)."""
    return max((position - 1).bit_length(), 4) if position else 4


def _longest_match(chunk: bytes, position: int, longest: int, places: Mapping[bytes, Sequence[int]]) -> tuple[int, int]:
    """Length and offset of the best earlier copy of what comes at `position` ([MS-OVBA] 2.4.1.3.19.4), or (0, 0)."""
    best, offset = 0, 0
    ahead = chunk[position : position + SHORTEST_COPY]
    if len(ahead) < SHORTEST_COPY:
        return 0, 0
    limit = min(longest, len(chunk) - position)
    for place in reversed(places.get(ahead, ())[-TRIED_PLACES:]):
        length = SHORTEST_COPY
        while length < limit and chunk[place + length] == chunk[position + length]:
            length += 1
        if length > best:
            best, offset = length, position - place
            if best == limit:
                break
    return best, offset
