"""Commands on files alone: meter reads and tariffs. They start without the office, so each brings what it needs itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

tariff: Final = typer.Typer(no_args_is_help=True, help="Price and check tariffs from files.")
reads: Final = typer.Typer(no_args_is_help=True, help="Read files of meter reads.")


@tariff.command("price")
def price_command(
    tariff: Annotated[Path, typer.Option(help="An OWRS file, or a folder of them.")],
    cases: Annotated[Path, typer.Option(help="Cases: case, class, consumption, further inputs.")],
    out: Annotated[Path, typer.Option()],
    unrounded: bool = False,
) -> None:
    """Price cases by a tariff."""
    from xlbilling.terminal.tariff_files import tariff_price

    raise typer.Exit(tariff_price(tariff, cases, out, unrounded))


@tariff.command("check")
def check_command(file: Path, json: bool = False) -> None:
    """Check a tariff for errors and for what looks wrong."""
    from xlbilling.terminal.tariff_files import tariff_check

    raise typer.Exit(tariff_check(file, json))


@reads.command("parse")
def parse_command(
    file: Path,
    out: Annotated[Path, typer.Option()],
    rejects: Annotated[Path, typer.Option()],
    format: str = "auto",
    map: Path | None = None,
    year: int | None = None,
) -> None:
    """Read a file of meter reads into rows and rejects."""
    from xlbilling.intake.reads.command import reads_parse

    raise typer.Exit(reads_parse(file, format, map, year, out, rejects))
