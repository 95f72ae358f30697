"""The terminal's door: a refusal ends as one line and its exit code, a fault of the program too, with a log."""

from __future__ import annotations

import sys
from pathlib import Path

from xlbilling.terminal.commands import app
from xlbilling.words.problems import Refusal


def main() -> None:
    """Run the command line; a refusal is one line on stderr and its exit code."""
    try:
        app()
    except Refusal as refusal:
        stopped = refusal
    except Exception as fault:
        from xlbilling.office.desk.unexpected import unexpected

        stopped = unexpected("xlbilling", fault, Path.cwd())
    else:
        return
    print(stopped.line, file=sys.stderr)
    sys.exit(stopped.exit_code)
