"""The zip package of a workbook: checked before anything in it is read, and then read part by part within limits."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from xml.parsers import expat

from xlbilling.intake.files.foreign import UNPACK
from xlbilling.intake.files.source import (
    AMBIGUOUS,
    DTD,
    ENCRYPTED,
    EXTERNAL,
    MEGABYTE,
    TOO_LARGE,
    UNREADABLE,
    WRONG_TYPE,
)
from xlbilling.words.problems import Place, Refusal

PART_LIMIT: Final = 320 * MEGABYTE
PACKAGE_LIMIT: Final = 512 * MEGABYTE
ENTRY_LIMIT: Final = 5000
RATIO_LIMIT: Final = 250
_RELATIONS: Final = "http://schemas.openxmlformats.org/package/2006/relationships"
_BAD_NAME: Final = re.compile(r"[\x00-\x1f\\]|^/|^[A-Za-z]:|(^|/)\.\.(/|$)")

Attributes = dict[str, str]


@dataclass(frozen=True)
class Relation:
    """One relationship of a part: its id, kind (the last word of the type), target part, and whether it leaves."""

    identity: str
    kind: str
    target: str
    external: bool


class Package:
    """A checked zip package; every part that is read is counted, bounded and free of entity declarations."""

    def __init__(self, data: bytes, name: str) -> None:
        self.place = Place(file=name)
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            entries = self._zip.infolist()
        except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, OverflowError, NotImplementedError, OSError):
            raise Refusal(UNREADABLE.at(self.place, "it is damaged or cut off (no zip directory)")) from None
        self._check(entries, len(data))
        self.names = {entry.filename for entry in entries}

    def _check(self, entries: list[zipfile.ZipInfo], size: int) -> None:
        if len(entries) > ENTRY_LIMIT:
            raise Refusal(TOO_LARGE.at(self.place, f"it has {len(entries):,} parts"))
        folded: set[str] = set()
        for entry in entries:
            self._check_entry(entry)
            if entry.filename.casefold() in folded:
                fact = f"the part {shown(entry.filename)} is there twice (upper and lower case count as one)"
                raise Refusal(AMBIGUOUS.at(self.place, fact))
            folded.add(entry.filename.casefold())
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > PACKAGE_LIMIT or (unpacked > 16 * MEGABYTE and unpacked > RATIO_LIMIT * size):
            raise Refusal(TOO_LARGE.at(self.place, f"it unpacks to {unpacked:,} bytes from {size:,}"))
        spans = sorted((entry.header_offset, entry.compress_size) for entry in entries)
        if spans and spans[0][0] != 0:
            raise Refusal(AMBIGUOUS.at(self.place, "something stands before its first part"))
        for (start, length), (following, _) in pairwise(spans):
            if start + length > following:
                raise Refusal(AMBIGUOUS.at(self.place, "its parts overlap"))

    def _check_entry(self, entry: zipfile.ZipInfo) -> None:
        name = shown(entry.filename)
        if entry.flag_bits & 0x41:
            raise Refusal(ENCRYPTED.at(self.place, f"the part {name} is encrypted"))
        if _BAD_NAME.search(entry.orig_filename) or _BAD_NAME.search(entry.filename):
            raise Refusal(AMBIGUOUS.at(self.place, f"the part name {name} leads out of the workbook"))
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            raise Refusal(UNREADABLE.at(self.place, f"the part {name} is packed in an unusual way"))
        if entry.file_size > PART_LIMIT:
            raise Refusal(TOO_LARGE.at(self.place, f"the part {name} unpacks to {entry.file_size:,} bytes"))

    def chunks(self, part: str) -> Iterator[bytes]:
        """The bytes of a part, unpacked a little at a time; refused when missing or damaged."""
        if part not in self.names:
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is missing"))
        try:
            with self._zip.open(part) as stream:
                while chunk := stream.read(MEGABYTE):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is damaged")) from None

    def read_xml(
        self,
        part: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        text: Callable[[str], None] | None = None,
    ) -> None:
        """Read an XML part through handlers; element names come without their namespace prefix."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.buffer_size = MEGABYTE
        parser.StartElementHandler = start
        if end is not None:
            parser.EndElementHandler = end
        if text is not None:
            parser.CharacterDataHandler = text
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            for chunk in self.chunks(part):
                parser.Parse(chunk, False)
            parser.Parse(b"", True)
        except expat.ExpatError:
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is not well-formed XML")) from None
        except (LookupError, ValueError):
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is in an unknown encoding")) from None

    def size_of(self, part: str) -> int:
        """The unpacked size of a part in bytes, 0 where it is missing."""
        return self._zip.getinfo(part).file_size if part in self.names else 0

    def check_xml(self, part: str, data: bytes) -> None:
        """Refuse XML that is not well-formed or declares entities."""
        parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse_doctype
        try:
            parser.Parse(data, True)
        except expat.ExpatError:
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is not well-formed XML")) from None
        except (LookupError, ValueError):
            raise Refusal(UNREADABLE.at(self.place, f"the part {shown(part)} is in an unknown encoding")) from None

    def _refuse_doctype(self, *_: object) -> None:
        raise Refusal(DTD.at(self.place, "a part of the workbook holds a document type declaration"))

    def relations(self, part: str) -> dict[str, Relation]:
        """The relationships of a part (or of the package, for the empty name) by their id."""
        folder, _, base = part.rpartition("/")
        rels = f"{folder}/_rels/{base}.rels".lstrip("/")
        found: dict[str, Relation] = {}
        if rels not in self.names:
            return found

        def start(name: str, given: Attributes) -> None:
            if not name.endswith(" Relationship"):
                return
            identity, target = given.get("Id", ""), given.get("Target", "")
            if identity in found:
                raise Refusal(AMBIGUOUS.at(self.place, f"the relationship {shown(identity)} is there twice"))
            external = given.get("TargetMode", "") == "External"
            kind = given.get("Type", "").rpartition("/")[2]
            found[identity] = Relation(identity, kind, target if external else resolve(folder, target), external)

        self.read_xml(rels, start)
        return found

    def target_of(self, relation: Relation) -> str:
        """The part a relationship leads to; refused when that is outside the package or not there."""
        if relation.external:
            raise Refusal(EXTERNAL.at(self.place, f"its {shown(relation.kind)} is kept in another file"))
        if relation.target not in self.names:
            raise Refusal(UNREADABLE.at(self.place, f"its {shown(relation.kind)} is not in the file"))
        return relation.target


def main_part(package: Package) -> str:
    """The workbook part of a package; refused when the zip holds something else."""
    for relation in package.relations("").values():
        if relation.kind == "officeDocument":
            return package.target_of(relation)
    raise Refusal(WRONG_TYPE.at(package.place, "the content is a zip archive without a workbook in it", UNPACK))


def resolve(folder: str, target: str) -> str:
    """A relationship's target as a part name: absolute targets start at the package, others at the part's folder."""
    if target.startswith("/"):
        return posixpath.normpath(target).lstrip("/")
    return posixpath.normpath(posixpath.join(folder, target))


def shown(text: str, most: int = 60) -> str:
    """Text from outside as it may stand in a message: one line, printable, short, in quotes."""
    short = text if len(text) <= most else text[: most - 3] + "..."
    return (
        "'" + "".join(c if c.isprintable() and not "\ud800" <= c <= "\udfff" else "\N{MIDDLE DOT}" for c in short) + "'"
    )
