"""A workbook file as its zip of parts: read one part, replace a few, keep all others as their compressed bytes."""

from __future__ import annotations

import os
import posixpath
import re
import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from xml.etree import ElementTree

from xlbilling.words.problems import Conflict, Place, Refusal, declare

OPEN_IN_EXCEL: Final = declare(
    "BOOK-OPEN",
    "Somebody has the workbook open in Excel, so it cannot be written.",
    "Close it in Excel and try again.",
)
NOT_A_WORKBOOK: Final = declare(
    "BOOK-FORM",
    "The file is not a workbook that can be filled: it is damaged, of another kind, or written in an unknown way.",
    "Open it in Excel, save it as .xlsx or .xlsm, and try again.",
)

COUNTS_FROM_1904: Final = declare(
    "BOOK-1904",
    "The workbook counts its days from 1904, so every date that is written to it would be four years and a day off.",
    "In Excel: File, Options, Advanced, untick Use 1904 date system, look at the dates, save, and try again.",
)
_DAYS_FROM_1904: Final = re.compile(rb'<(?:\w+:)?workbookPr\b[^>]*\bdate1904="(?:1|true|on)"')

COMPRESSION_LEVEL: Final = 1  # level 6 takes twice the time for files a tenth smaller
_MAIN: Final = "xl/workbook.xml"
LARGEST_MEMBER: Final = 0xFFFFFFFE
MOST_MEMBERS: Final = 0xFFFE

Chunks = Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Relationship:
    """One arrow from a part to another: its kind (the last word of the type) and the part it points at."""

    kind: str
    target: str


class Package:
    """The parts of the workbook file at `path`; use it as a context manager, the file stays open meanwhile."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file: IO[bytes] = path.open("rb")
        except FileNotFoundError as error:
            raise Refusal(
                NOT_A_WORKBOOK.at(Place(file=path.name), "there is no such file", "Check the path.")
            ) from error
        try:
            self._zip = zipfile.ZipFile(self._file)
            self._members = {info.filename: info for info in self._zip.infolist()}
        except zipfile.BadZipFile as error:
            self._file.close()
            raise Refusal(NOT_A_WORKBOOK.at(Place(file=path.name), f"it is not a workbook ({error})")) from error
        if _MAIN in self._members and _DAYS_FROM_1904.search(self.read(_MAIN)):
            self.__exit__()
            raise Refusal(COUNTS_FROM_1904.at(Place(file=path.name), "it has the option Use 1904 date system"))

    def __enter__(self) -> Package:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def __contains__(self, part: str) -> bool:
        return part in self._members

    @property
    def parts(self) -> list[str]:
        """The names of all parts, in the file's order."""
        return list(self._members)

    def read(self, part: str) -> bytes:
        """The bytes of `part`; a part that is missing or damaged refuses the whole file."""
        try:
            return self._zip.read(part)
        except (KeyError, zipfile.BadZipFile, zlib.error) as error:
            fact = f"its part {part} cannot be read ({error})"
            raise Refusal(NOT_A_WORKBOOK.at(Place(file=self.path.name), fact)) from error

    def relationships(self, part: str) -> dict[str, Relationship]:
        """The internal relationships of `part` by their id, empty when it has none."""
        folder, name = posixpath.split(part)
        rels = posixpath.join(folder, "_rels", f"{name}.rels")
        if rels not in self._members:
            return {}
        return {
            item.get("Id", ""): Relationship(
                item.get("Type", "").rsplit("/", 1)[-1],
                posixpath.normpath(posixpath.join("/", folder, item.get("Target", ""))).lstrip("/"),
            )
            for item in ElementTree.fromstring(self.read(rels))  # noqa: S314 (our own workbook, no DTD in OOXML)
            if item.get("TargetMode") != "External"
        }

    def save(self, target: Path, replaced: Mapping[str, Chunks], dropped: Iterable[str] = ()) -> None:
        """Write the package to `target` with some parts `replaced` and some `dropped`; all else keeps its bytes.

        The file is written beside `target`, flushed to disk, read back and put in its place in one step: a crash
        leaves the old file. Raises Conflict when Excel has the target open.
        """
        refuse_when_open(target)
        gone = set(dropped)
        handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as out:
                writer = _ZipWriter(out)
                for part, info in self._members.items():
                    if part in replaced:
                        writer.add(info, replaced[part])
                    elif part not in gone:
                        writer.copy(info, self._compressed(info))
                writer.finish()
                out.flush()
                os.fsync(out.fileno())
            _check(temporary, set(self._members) - gone)
            os.chmod(temporary, _mode(target))
            self.__exit__()  # Windows does not replace a file that is open
            _put_in_place(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)

    def _compressed(self, info: zipfile.ZipInfo) -> bytes:
        """The member's bytes as they lie in the file; the local header's lengths may differ from the directory's."""
        self._file.seek(info.header_offset)
        local = self._file.read(30)
        if local[:4] != b"PK\x03\x04":
            raise Refusal(NOT_A_WORKBOOK.at(Place(file=self.path.name), f"its part {info.filename} is damaged"))
        name_length, extra_length = struct.unpack("<HH", local[26:30])
        self._file.seek(info.header_offset + 30 + name_length + extra_length)
        return self._file.read(info.compress_size)


def write_whole(target: Path, content: bytes) -> None:
    """Write a file whole or not at all; Conflict where Excel has it open, and a crash leaves the old one."""
    refuse_when_open(target)
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}-", suffix=target.suffix, dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, _mode(target))
        _put_in_place(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def _put_in_place(temporary: Path, target: Path) -> None:
    try:
        os.replace(temporary, target)
    except PermissionError as error:
        raise Conflict(OPEN_IN_EXCEL.at(Place(file=target.name), "the file is in use")) from error
    if os.name == "posix":
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def refuse_when_open(path: Path) -> None:
    """Raise Conflict when Excel has `path` open, which its owner file `~$name` beside it tells."""
    if path.with_name(f"~${path.name}").exists():
        raise Conflict(OPEN_IN_EXCEL.at(Place(file=path.name), "the workbook is open in Excel"))


def _mode(target: Path) -> int:
    """The permissions of the file being replaced; those of a new file when there is none yet."""
    if target.exists():
        return stat.S_IMODE(target.stat().st_mode)
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _check(path: Path, parts: set[str]) -> None:
    """Read the new file's directory back before it replaces the old one."""
    with zipfile.ZipFile(path) as written:
        if set(written.namelist()) != parts:
            raise OSError(f"{path} was not written whole")


class _ZipWriter:
    """Writes zip members one behind the other and the central directory last (PKWARE APPNOTE 4.3)."""

    def __init__(self, out: IO[bytes]) -> None:
        self.out = out
        self.offset = 0
        self.directory: list[bytes] = []

    def copy(self, info: zipfile.ZipInfo, data: bytes) -> None:
        """A member as it is, from its compressed bytes."""
        self._write(info, info.compress_type, info.CRC, len(data), info.file_size, (data,))

    def add(self, info: zipfile.ZipInfo, chunks: Chunks) -> None:
        """A member with new content, keeping the name, time and attributes of `info`."""
        deflate = zlib.compressobj(COMPRESSION_LEVEL, zlib.DEFLATED, -15)
        crc = size = 0
        with ThreadPoolExecutor(max_workers=1) as beside:  # compressing while the next rows are being made
            waiting = []
            for chunk in chunks:
                waiting.append(beside.submit(deflate.compress, chunk))
                crc = zlib.crc32(chunk, crc)
                size += len(chunk)
            packed = [compressed.result() for compressed in waiting]
        packed.append(deflate.flush())
        self._write(info, zipfile.ZIP_DEFLATED, crc, sum(map(len, packed)), size, packed)

    def _write(self, info: zipfile.ZipInfo, method: int, crc: int, packed: int, size: int, data: Chunks) -> None:
        if max(packed, size, self.offset + packed) > LARGEST_MEMBER or len(self.directory) >= MOST_MEMBERS:
            fact = f"with {info.filename} it would be larger than the 4 GB Excel opens"
            raise Refusal(NOT_A_WORKBOOK.at(Place(), fact, "Write fewer rows."))
        name = info.filename.encode()
        flags = (info.flag_bits & ~0x0808) | (0 if name.isascii() else 0x0800)  # sizes are known; the name is UTF-8
        year, month, day, hour, minute, second = info.date_time
        time, date = hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day
        common = struct.pack("<5H3I2H", 20, flags, method, time, date, crc, packed, size, len(name), 0)
        self.out.write(b"PK\x03\x04" + common + name)
        for chunk in data:
            self.out.write(chunk)
        made_by = info.create_version | info.create_system << 8
        tail = struct.pack("<HHHII", 0, 0, info.internal_attr, info.external_attr, self.offset)
        self.directory.append(b"PK\x01\x02" + struct.pack("<H", made_by) + common + tail + name)
        self.offset += 30 + len(name) + packed

    def finish(self) -> None:
        directory, count = b"".join(self.directory), len(self.directory)
        self.out.write(directory)
        self.out.write(struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, count, count, len(directory), self.offset, 0))
