"""The terminal command `xlbilling reads parse`: one file in, OUT.csv and REJ.csv out."""

from __future__ import annotations

import csv
import io
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from xlbilling.intake.guard import shared_worker
from xlbilling.intake.reads.detect import FORMATS
from xlbilling.intake.reads.parsed import ParsedReads, parse_reads
from xlbilling.intake.reads.readings import TEXT_COLUMNS
from xlbilling.intake.reads.recipe import Recipe
from xlbilling.problems import Place, Refusal, declare

NOT_WRITTEN = declare(
    "output_not_written", "The result could not be written.", "Check the folder, and close the file if Excel has it."
)


def reads_parse(
    file: Path,
    format: str = "auto",
    map: Path | None = None,
    year: int | None = None,
    out: Path = Path("out.csv"),
    rejects: Path = Path("rejects.csv"),
) -> int:
    """Read `file` and write the kept rows and the rejects; prints `format: NAME`.

    Returns 0 when all rows were taken, 3 when some are listed in `rejects`, 2 for wrong use, 4 when the file as a
    whole was refused (nothing is written then, and one line on stderr says why).
    """
    if format not in {"auto", *FORMATS}:
        print(f"there is no format {format!r}; known: auto, {', '.join(FORMATS)}", file=sys.stderr)
        return 2
    if map is not None and format not in {"auto", "generic"}:
        print("a recipe (--map) is for the generic format", file=sys.stderr)
        return 2
    try:
        recipe = None if map is None else Recipe.load(map)
        parsed = parse_reads(file, format, recipe, year)
        _write_both(parsed, out, rejects)
    except Refusal as refusal:
        print(_one_line(refusal.line), file=sys.stderr)
        return refusal.exit_code
    finally:
        shared_worker().close()
    print(f"format: {parsed.format}")
    for note in parsed.notes:
        print(f"note: {note}")
    return 3 if parsed.balance.rejects else 0


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).encode("utf-8", "replace").decode("utf-8")


def _write_both(parsed: ParsedReads, out: Path, rejects: Path) -> None:
    for target in (out, rejects):
        try:
            _write(target, _out_rows(parsed) if target is out else _reject_rows(parsed))
        except OSError as error:
            place = Place(file=target.name)
            raise Refusal(NOT_WRITTEN.at(place, error.strerror or "it cannot be written")) from None


def _out_rows(parsed: ParsedReads) -> Iterator[Iterable[Sequence[object]]]:
    yield [(*TEXT_COLUMNS, "source_line")]
    for lines, columns in parsed.blocks():
        yield zip(*columns, lines, strict=True)


def _reject_rows(parsed: ParsedReads) -> Iterator[Iterable[Sequence[object]]]:
    yield [("source_line", "code", "message")]
    lines, columns = parsed.reject_rows()
    yield zip(lines, *columns, strict=True)


def _write(target: Path, blocks: Iterator[Iterable[Sequence[object]]]) -> None:
    """Write a CSV (UTF-8, line feeds) beside its target and put it in place when it is complete."""
    descriptor, name = tempfile.mkstemp(prefix=".xlbilling-", suffix=".csv", dir=target.parent or None)
    try:
        with io.open(descriptor, "w", encoding="utf-8", newline="") as handle:  # noqa: UP020
            _write_rows(handle, blocks)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def _write_rows(handle: TextIO, blocks: Iterator[Iterable[Sequence[object]]]) -> None:
    writer = csv.writer(handle, lineterminator="\n")
    for rows in blocks:
        writer.writerows(rows)
