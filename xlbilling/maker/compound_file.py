"""Compound files: the small file system in one file that holds a VBA project ([MS-CFB] version 3, 512-byte sectors)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

Storage = Mapping[str, "bytes | Storage"]
"""A folder: names to streams (bytes) or to further storages."""

SECTOR: Final = 512
MINI_SECTOR: Final = 64
MINI_STREAM_CUTOFF: Final = 4096
FAT_SECTORS_IN_HEADER: Final = 109
ENTRIES_PER_FAT_SECTOR: Final = SECTOR // 4
LARGEST: Final = FAT_SECTORS_IN_HEADER * ENTRIES_PER_FAT_SECTOR * SECTOR
LONGEST_NAME: Final = 31

# [MS-CFB] 2.1: special sector numbers; 2.6.1: the stream id for "no stream".
FREE, END_OF_CHAIN, FAT_SECTOR, NO_STREAM = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF
STORAGE, STREAM, ROOT = 1, 2, 5
RED, BLACK = 0, 1


@dataclass(slots=True)
class _Entry:
    """One directory entry ([MS-CFB] 2.6.1): a storage or a stream, and its place in its parent's search tree."""

    name: str
    kind: int
    data: bytes = b""
    children: list[int] = field(default_factory=list)
    left: int = NO_STREAM
    right: int = NO_STREAM
    child: int = NO_STREAM
    color: int = BLACK
    start: int = 0
    size: int = 0

    def packed(self) -> bytes:
        """The entry's 128 bytes; class id, state and times are zero, so the same content gives the same file."""
        name = self.name.encode("utf-16-le") + b"\0\0"
        tree = struct.pack("<HBBIII", len(name), self.kind, self.color, self.left, self.right, self.child)
        return name.ljust(64, b"\0") + tree + bytes(36) + struct.pack("<IQ", self.start, self.size)


UNUSED_ENTRY: Final = bytes(68) + struct.pack("<III", NO_STREAM, NO_STREAM, NO_STREAM) + bytes(48)


class _Sectors:
    """The file's body after the header: sectors in the order written, with the FAT chaining them ([MS-CFB] 2.3)."""

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.fat: list[int] = []

    def append(self, stream: bytes, padding: bytes = b"\0") -> int:
        """Add `stream` as one chain; returns its first sector, END_OF_CHAIN when it is empty."""
        if not stream:
            return END_OF_CHAIN
        start, count = len(self.fat), -(-len(stream) // SECTOR)
        self.data.append(stream.ljust(count * SECTOR, padding))
        self.fat += [*range(start + 1, start + count), END_OF_CHAIN]
        return start


def compound_file(root: Storage) -> bytes:
    """Pack `root` into the bytes of a compound file; the same content always gives the same bytes.

    Raises ValueError for a name longer than 31 characters, for twin names in one storage (case does not count) and
    for content beyond about 7 MB (files with a DIFAT chain, [MS-CFB] 2.5, are not written).
    """
    entries = _directory(root)
    sectors = _Sectors()
    mini_stream, mini_fat = _place_streams(entries, sectors)
    entries[0].start, entries[0].size = sectors.append(mini_stream), len(mini_stream)
    mini_fat_bytes = struct.pack(f"<{len(mini_fat)}I", *mini_fat)
    mini_fat_start = sectors.append(mini_fat_bytes, b"\xff")
    directory = b"".join(entry.packed() for entry in entries)
    directory += UNUSED_ENTRY * (-len(entries) % (SECTOR // 128))
    directory_start = sectors.append(directory)
    fat_sectors = _append_fat(sectors)
    header = _header(fat_sectors, directory_start, mini_fat_start, -(-len(mini_fat_bytes) // SECTOR))
    return header + b"".join(sectors.data)


def _directory(root: Storage) -> list[_Entry]:
    """The directory entries, root first, each storage's children linked as a red-black tree ([MS-CFB] 2.6.4)."""
    entries = [_Entry("Root Entry", ROOT)]
    pending: list[tuple[int, Storage]] = [(0, root)]
    while pending:
        parent, storage = pending.pop(0)
        _check_names(storage)
        for name, content in storage.items():
            entries[parent].children.append(len(entries))
            if isinstance(content, bytes):
                entries.append(_Entry(name, STREAM, content, size=len(content)))
            else:
                pending.append((len(entries), content))
                entries.append(_Entry(name, STORAGE))
    for entry in entries:
        if entry.children:
            ordered = sorted(entry.children, key=lambda i: _order(entries[i].name))
            entry.child = _link(entries, ordered, 0, _partial_level(len(ordered)))
    return entries


def _check_names(storage: Storage) -> None:
    for name in storage:
        if not 0 < len(name.encode("utf-16-le")) // 2 <= LONGEST_NAME or set(name) & set("/\\:!"):
            raise ValueError(f"{name!r} cannot name a part of a compound file: 1 to 31 characters, none of / \\ : !")
    if len({_order(name) for name in storage}) < len(storage):
        raise ValueError(f"two parts of a compound file have the same name: {sorted(storage)}")


def _order(name: str) -> tuple[int, str]:
    """The order of names in a storage: shorter first, then by capitals ([MS-CFB] 2.6.4)."""
    return len(name.encode("utf-16-le")), name.upper()


def _partial_level(count: int) -> int:
    """The depth of the tree's last level when that level is not full, -1 for a perfect tree (all black)."""
    depth = count.bit_length() - 1
    return -1 if count == (2 << depth) - 1 else depth


def _link(entries: list[_Entry], ids: Sequence[int], depth: int, partial_level: int) -> int:
    """Link `ids` as a balanced tree; red on the one partial level keeps every path's count of black nodes equal."""
    if not ids:
        return NO_STREAM
    middle = len(ids) // 2
    entry = entries[ids[middle]]
    entry.left = _link(entries, ids[:middle], depth + 1, partial_level)
    entry.right = _link(entries, ids[middle + 1 :], depth + 1, partial_level)
    entry.color = RED if depth == partial_level and depth > 0 else BLACK
    return ids[middle]


def _streams(entries: Sequence[_Entry]) -> Iterator[_Entry]:
    return (entry for entry in entries if entry.kind == STREAM)


def _place_streams(entries: Sequence[_Entry], sectors: _Sectors) -> tuple[bytes, list[int]]:
    """Give every stream its place: 4096 bytes and more in sectors, less in the mini stream ([MS-CFB] 2.4)."""
    mini_stream, mini_fat = bytearray(), list[int]()
    for entry in _streams(entries):
        if entry.size == 0:
            entry.start = END_OF_CHAIN
        elif entry.size >= MINI_STREAM_CUTOFF:
            entry.start = sectors.append(entry.data)
        else:
            entry.start, count = len(mini_fat), -(-entry.size // MINI_SECTOR)
            mini_fat += [*range(entry.start + 1, entry.start + count), END_OF_CHAIN]
            mini_stream += entry.data.ljust(count * MINI_SECTOR, b"\0")
    return bytes(mini_stream), mini_fat


def _append_fat(sectors: _Sectors) -> list[int]:
    """Write the FAT behind everything else, covering its own sectors too; returns its sector numbers."""
    used, count = len(sectors.fat), 1
    while (used + count) > count * ENTRIES_PER_FAT_SECTOR:
        count += 1
    if count > FAT_SECTORS_IN_HEADER:
        raise ValueError(f"{used * SECTOR} bytes do not fit: a compound file is written up to {LARGEST} bytes")
    fat = sectors.fat + [FAT_SECTOR] * count
    fat += [FREE] * (count * ENTRIES_PER_FAT_SECTOR - len(fat))
    sectors.data.append(struct.pack(f"<{len(fat)}I", *fat))
    return list(range(used, used + count))


def _header(fat_sectors: Sequence[int], directory_start: int, mini_fat_start: int, mini_fat_sectors: int) -> bytes:
    """The first 512 bytes ([MS-CFB] 2.2)."""
    signature = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16)
    versions = struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    # directory sectors (0 in version 3), FAT sectors, directory start, transaction, cutoff, mini FAT, DIFAT
    counts = (0, len(fat_sectors), directory_start, 0, MINI_STREAM_CUTOFF, mini_fat_start, mini_fat_sectors)
    difat = [*fat_sectors, *[FREE] * (FAT_SECTORS_IN_HEADER - len(fat_sectors))]
    return signature + versions + struct.pack("<9I", *counts, END_OF_CHAIN, 0) + struct.pack("<109I", *difat)
