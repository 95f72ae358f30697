"""The outcome of reading one file: rows kept, rejects listed, and the balance between them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlbilling.intake.files import source as files
from xlbilling.intake.files import tables
from xlbilling.intake.files.guard import Worker, in_this_process, shared_worker
from xlbilling.intake.reads.readings import TEXT_COLUMNS
from xlbilling.intake.reads.recipe import Recipe

if TYPE_CHECKING:
    import pandas

TASK = "xlbilling.intake.reads.task:parse"
_BLOBS_OF_A_BLOCK = 1 + 3 * len(TEXT_COLUMNS)
Block = tuple["array[int]", list[list[str]]]
"""Source lines, and the text columns in the order of TEXT_COLUMNS."""


@dataclass(frozen=True)
class Balance:
    """What came in against what came out: each reading or damaged record is one row or one reject."""

    rows_in: int
    reads: int
    rejects: int
    duplicates: int

    @property
    def holds(self) -> bool:
        return self.rows_in == self.reads + self.rejects


@dataclass
class ParsedReads:
    """A file of reads, read: its format, what to tell the clerk, and the rows and rejects."""

    format: str
    balance: Balance
    notes: list[str]
    blobs: list[bytes] = field(repr=False)
    block_count: int = field(repr=False)

    def blocks(self) -> Iterator[Block]:
        """The kept rows in blocks, in file order, as plain lists."""
        for at in range(0, self.block_count * _BLOBS_OF_A_BLOCK, _BLOBS_OF_A_BLOCK):
            lines, *rest = self.blobs[at : at + _BLOBS_OF_A_BLOCK]
            yield array("q", lines), tables.unpack(rest)

    def reject_rows(self) -> tuple[array[int], list[list[str]]]:
        """The rejects: source lines, and the columns code and message."""
        lines, *rest = self.blobs[self.block_count * _BLOBS_OF_A_BLOCK :]
        return array("q", lines), tables.unpack(rest[: 3 * 2])

    @cached_property
    def reads(self) -> pandas.DataFrame:
        """The kept rows: account_id, location_id, meter_id, register_id, read_date, read_time, dial_read, read_value,
        unit and read_code as text, source_line as a whole number."""
        from xlbilling.intake.reads import frames  # noqa: PLC0415 - the terminal command needs no pandas

        return frames.reads_frame(self.blobs, self.block_count)

    @cached_property
    def rejects(self) -> pandas.DataFrame:
        """The rejects by line: source_line, code and message; `rejected.REJECT_FIELDS` as far as they could be told
        apart; content, the row as it came."""
        from xlbilling.intake.reads import frames  # noqa: PLC0415 - as above

        return frames.rejects_frame(self.blobs[self.block_count * _BLOBS_OF_A_BLOCK :])


def parse_reads(
    path: Path,
    format: str = "auto",
    recipe: Recipe | None = None,
    year: int | None = None,
    *,
    in_child: bool = True,
    worker: Worker | None = None,
) -> ParsedReads:
    """The reads in the file at `path`; a `Refusal` where the file as a whole cannot be taken.

    `format` is a name of `detect.FORMATS` or "auto"; `year` is for formats whose dates have none. The file is read
    in a guarded child (`worker`, or the program's own), unless `in_child` is False.
    """
    given = {"format": format, "recipe": recipe.model_dump() if recipe else None, "year": year}
    files.glance(Path(path))
    if in_child:
        facts, blobs = (worker or shared_worker()).run(TASK, Path(path), **given)
    else:
        with in_this_process() as inside:
            facts, blobs = inside.run(TASK, Path(path), **given)
    return _assembled(facts, blobs)


def _assembled(facts: dict[str, Any], blobs: list[bytes]) -> ParsedReads:
    count = facts["blocks"]
    kept = sum(len(blobs[i * _BLOBS_OF_A_BLOCK]) // 8 for i in range(count))
    parsed = ParsedReads(facts["format"], Balance(0, 0, 0, 0), facts["notes"], blobs, count)
    lines, (codes, _) = parsed.reject_rows()
    parsed.balance = Balance(facts["offered"], kept, len(lines), codes.count("duplicate"))
    return parsed
