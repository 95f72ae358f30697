"""Unexpected errors: a fault of the program itself, told in a sentence and kept whole in a log file beside the store."""

from __future__ import annotations

import datetime as dt
import tempfile
import traceback
from pathlib import Path
from typing import Final

from xlbilling.words.problems import Refusal, declare

UNEXPECTED: Final = declare(
    "unexpected_error",
    "The program met something it was not made for and stopped; the error log beside the store has the particulars.",
    "A button writes whole or not at all: sheet Log, or Refresh, shows whether this one had written. "
    "Send the error log to whoever looks after the program.",
)
LOG: Final = "billing-errors.log"


def unexpected(what: str, fault: Exception, folder: Path) -> Refusal:
    """The refusal that stands for a fault met while doing `what`; its traceback is added to the log in `folder`."""
    kept = _keep(what, fault, folder)
    text = " ".join(str(fault).split())[:200]
    fact = f"{what} stopped with {type(fault).__name__}{f' ({text})' if text else ''}; particulars are in {kept}"
    return Refusal(UNEXPECTED.at(None, fact))


def _keep(what: str, fault: Exception, folder: Path) -> str:
    """Add the traceback to the log beside the store, or in the temporary folder where that one takes no writing."""
    at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    told = f"{at} {what}\n{''.join(traceback.format_exception(fault))}\n"
    for log in (folder / LOG, Path(tempfile.gettempdir()) / LOG):
        try:
            with log.open("a", encoding="utf-8") as handle:
                handle.write(told)
        except OSError:
            continue
        return log.name if log.parent == folder else str(log)
    return "no file, for none could be written"
