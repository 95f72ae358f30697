"""Reconcile two files: the subledger's lines against a ledger export, to a JSON answer and a workpaper.

Run it alone as `python -m xlbilling.terminal.reconcile_files --subledger SUB.csv --gl GL.csv --map MAP.yaml ...`.
"""

from __future__ import annotations

import argparse
import gc
import json as json_text
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.intake.gl import read_ledger, read_map, read_subledger
from xlbilling.papers.template import template_file
from xlbilling.papers.workpaper import TEMPLATE, Reconciled, write_workpaper
from xlbilling.trade.reconcile import Reconciliation, reconcile
from xlbilling.words.problems import Place, Refusal, declare

MAP_MISSING: Final = declare(
    "reconcile_map_missing",
    "A reconciliation was asked for without a ledger map.",
    "Give the ledger map: --map MAP.yaml (period, accounts, control_accounts; see docs/reconcile.md).",
)
NO_FOLDER: Final = declare(
    "reconcile_no_folder",
    "An answer or a workpaper was asked for in a folder that does not exist.",
    "Make the folder first, or name another.",
)
DONE, LISTED = 0, 3
_ENCODER: Final = json_text.JSONEncoder()
CONTROL_SAID: Final = (
    "beginning",
    "subledger_activity",
    "gl_activity",
    "ending_subledger",
    "ending_gl",
    "difference",
)


def reconcile_files(
    subledger: Path,
    gl: Path,
    profile: str = "auto",
    map: Path | None = None,
    json: Path | None = None,
    out: Path | None = None,
) -> int:
    """Reconcile a subledger CSV with a ledger export; write the answer and the workpaper where asked.

    Returns 0, or 3 where a row of the export could not be read (it is named on stderr). Raises Refusal (exit code 4)
    for a file, a layout or a map that cannot be used.
    """
    if map is None:
        raise Refusal(MAP_MISSING.at(None, "there is no map"))
    for wanted in (json, out):
        if wanted is not None and not wanted.resolve().parent.is_dir():
            raise Refusal(NO_FOLDER.at(Place(file=wanted.name), "its folder does not exist"))
    mapping = read_map(map)
    with _no_search_for_circles():
        export = read_ledger(gl, profile, mapping)
        lines = read_subledger(subledger)
        result = reconcile(lines, export.frame, mapping.terms())
        if json is not None:
            json.write_text(json_of(answer(result)), encoding="utf-8")
        if out is not None:
            sources = f"{subledger.name} against {gl.name} ({export.profile})"
            period = mapping.period
            reconciled = Reconciled(
                result, lines, export.frame, period.start, period.end, sources, export.unread, export.disagreeing
            )
            write_workpaper(template_file(TEMPLATE, None), out, reconciled)
        for problem in export.problems:
            print(f"{problem.severity}[{problem.code}]: {problem}", file=sys.stderr)
        return LISTED if export.rejected else DONE


@contextmanager
def _no_search_for_circles() -> Iterator[None]:
    """Hundreds of thousands of rows hold no circles of references; to look for some costs more than to match them."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def json_of(answered: Mapping[str, Any]) -> str:
    """The answer as JSON, one part a line: the encoder is quick only where it need not indent."""
    parts = (f"{_ENCODER.encode(name)}: {_ENCODER.encode(value)}" for name, value in answered.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def answer(result: Reconciliation) -> dict[str, Any]:
    """The result as the terminal's JSON: amounts as text with two decimals, rows by id and row number.

    `difference_explained` is what rows account for, whatever their reason, and `difference_unexplained` what no row does;
    `difference_without_reason` is what has no proven reason: amounts that merely differ count in it.
    """
    matches = result.matches.set_index("match")
    ids = _members(result.subledger, "id")
    rows = _members(result.ledger, "row")
    said = zip(matches.index, matches["type"], matches["confidence"], strict=True)
    return {
        "matches": [
            {"type": kind, "subledger": ids[match], "gl": rows[match], "confidence": confidence}
            for match, kind, confidence in said
        ],
        "unmatched_subledger": _listed(result.unmatched_subledger, "id"),
        "unmatched_gl": _listed(result.unmatched_gl, "row"),
        "control": [
            {"gl_account": row["gl_account"], **{name: _amount(row[name]) for name in CONTROL_SAID}}
            for row in result.control.to_dict("records")
        ],
        "difference_explained": _amount(
            int((result.control["difference"] - result.control["unaccounted"]).abs().sum())
        ),
        "difference_unexplained": _amount(int(result.control["unaccounted"].abs().sum())),
        "difference_without_reason": _amount(result.difference_unexplained),
    }


def _members(marked: pd.DataFrame, name: str) -> dict[int, list[Any]]:
    """The ids or rows of each match, in the file's order."""
    matched = marked[marked["match"] >= 0].sort_values("match", kind="stable")
    numbers, starts = np.unique(matched["match"].to_numpy(), return_index=True)
    values = matched[name].tolist()
    ends = [*starts[1:].tolist(), len(values)][: len(starts)]
    return {int(n): values[a:b] for n, a, b in zip(numbers.tolist(), starts.tolist(), ends, strict=True)}


def _listed(unmatched: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    return [
        {name: value, "reason": reason}
        for value, reason in zip(unmatched[name].tolist(), unmatched["reason"], strict=True)
    ]


def _amount(cents: int) -> str:
    whole, part = divmod(abs(int(cents)), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}"


def main(arguments: list[str] | None = None) -> int:
    """The command line of this one action, with the exit codes of the product."""
    parser = argparse.ArgumentParser(
        prog="xlbilling reconcile", description="Reconcile the subledger with a ledger export."
    )
    parser.add_argument("--subledger", type=Path, required=True)
    parser.add_argument("--gl", type=Path, required=True)
    parser.add_argument("--profile", default="auto")
    for name in ("map", "json", "out"):
        parser.add_argument(f"--{name}", type=Path)
    given = parser.parse_args(arguments)
    try:
        return reconcile_files(given.subledger, given.gl, given.profile, given.map, given.json, given.out)
    except Refusal as refusal:
        print(refusal.line, file=sys.stderr)
        return refusal.exit_code


if __name__ == "__main__":
    sys.exit(main())
