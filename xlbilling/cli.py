"""The terminal's door: commands on files start at once, the office's commands bring the office with them."""

from __future__ import annotations

import sys
from pathlib import Path

import typer

from xlbilling import file_commands
from xlbilling.problems import Refusal


def main() -> None:
    """Run the command line; a refusal is one line on stderr and its exit code."""
    try:
        _app(sys.argv[1:2])()
    except Refusal as refusal:
        stopped = refusal
    except Exception as fault:
        from xlbilling.office.unexpected import unexpected

        stopped = unexpected("xlbilling", fault, Path.cwd())
    else:
        return
    print(stopped.line, file=sys.stderr)
    sys.exit(stopped.exit_code)


def _app(first_word: list[str]) -> typer.Typer:
    """The commands that the first word can mean; pandas and the office take seconds to load, a file check does not."""
    groups = {"reads": file_commands.reads, "tariff": file_commands.tariff}
    if first_word and first_word[0] in groups:
        app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        app.add_typer(groups[first_word[0]], name=first_word[0])
        app.callback()(lambda: None)
        return app
    from xlbilling.commands import app

    return app
