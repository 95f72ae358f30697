"""The terminal command `xlbilling reads parse`: one file in, OUT.csv and REJ.csv out."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TextIO

from xlbilling.intake.files.guard import shared_worker
from xlbilling.intake.reads.detect import FORMATS
from xlbilling.intake.reads.parsed import ParsedReads, parse_reads
from xlbilling.intake.reads.readings import TEXT_COLUMNS
from xlbilling.intake.reads.recipe import Recipe
from xlbilling.words.problems import Place, Refusal, declare

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
    if len({_real(path) for path in (file, out, rejects)}) < 3:
        print("FILE, --out and --rejects must be three different files", file=sys.stderr)
        return 2
    try:
        recipe = None if map is None else Recipe.load(map)
        parsed = parse_reads(file, format, recipe, year)
        _write_both(parsed, out, rejects)
    except Refusal as refusal:
        _say(refusal.line, sys.stderr)
        return refusal.exit_code
    finally:
        shared_worker().close()
    _say(f"format: {parsed.format}", sys.stdout)
    for note in parsed.notes:
        _say(f"note: {note}", sys.stdout)
    return 3 if parsed.balance.rejects else 0


def _real(path: Path) -> str:
    return os.path.normcase(os.path.realpath(os.fspath(path))) if "\x00" not in str(path) else str(path)


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).encode("utf-8", "replace").decode("utf-8")


def _say(text: str, stream: TextIO) -> None:
    """Print one line that any console can show."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    print(_one_line(text).encode(encoding, "replace").decode(encoding), file=stream)


def _write_both(parsed: ParsedReads, out: Path, rejects: Path) -> None:
    """Write both results beside their targets, and put them in place when both are complete."""
    target = out
    made: list[tuple[Path, Path]] = []
    try:
        for target, rows in ((out, _out_rows(parsed)), (rejects, _reject_rows(parsed))):
            if target.exists() and not target.is_file():
                raise OSError(0, "it is no ordinary file")
            beside = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
            with beside.open("x", encoding="utf-8", newline="") as handle:
                made.append((beside, target))
                _write_rows(handle, rows)
        for beside, target in made:
            os.replace(beside, target)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be written"
        raise Refusal(NOT_WRITTEN.at(Place(file=target.name), reason)) from None
    finally:
        for beside, _ in made:
            beside.unlink(missing_ok=True)


def _out_rows(parsed: ParsedReads) -> Iterator[Iterable[Sequence[object]]]:
    yield [(*TEXT_COLUMNS, "source_line")]
    for lines, columns in parsed.blocks():
        yield zip(*columns, lines, strict=True)


def _reject_rows(parsed: ParsedReads) -> Iterator[Iterable[Sequence[object]]]:
    yield [("source_line", "code", "message")]
    lines, columns = parsed.reject_rows()
    yield zip(lines, *columns, strict=True)


def _write_rows(handle: TextIO, blocks: Iterator[Iterable[Sequence[object]]]) -> None:
    writer = csv.writer(handle, lineterminator="\n")
    for rows in blocks:
        writer.writerows(rows)
