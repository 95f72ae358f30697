"""`python -m xlbilling.intake.reads FILE ...`: the same as `xlbilling reads parse FILE ...`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from xlbilling.intake.reads.command import reads_parse


def main(arguments: list[str] | None = None) -> int:
    """Parse the arguments and run the command; 2 for wrong use."""
    parser = argparse.ArgumentParser(prog="xlbilling reads parse", description="Read a file of meter reads.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--format", default="auto")
    parser.add_argument("--map", type=Path)
    parser.add_argument("--year", type=int)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rejects", type=Path, required=True)
    given = parser.parse_args(arguments)
    return reads_parse(given.file, given.format, given.map, given.year, given.out, given.rejects)


if __name__ == "__main__":
    sys.exit(main())
