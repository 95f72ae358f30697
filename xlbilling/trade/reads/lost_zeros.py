"""Lost zeros: reads under meter numbers that a spreadsheet has taken the leading zeros from, one finding a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads.decisions import decided
from xlbilling.trade.reads.findings import COVERS, covers, find, together
from xlbilling.trade.reads.measure import Window
from xlbilling.trade.reads.rules import Rules
from xlbilling.trade.reads.series import one_read_each
from xlbilling.words.zeros import lost_zeros


@dataclass(frozen=True, slots=True)
class Came:
    """What came of a run's reads.

    `reads`: one a known register. `unknown`: those of meters that nothing is known of. `awaited`: by register, whether its
    service's read is there under a number without its zeros, and nobody has said yet whose it is. `findings` on the files
    of such reads, and `covers`, the services they stand for.
    """

    reads: pd.DataFrame
    unknown: pd.DataFrame
    awaited: npt.NDArray[np.bool_]
    findings: pd.DataFrame
    covers: pd.DataFrame


def came_in(
    reads: pd.DataFrame, registers: pd.DataFrame, decisions: pd.DataFrame, window: Window, rules: Rules
) -> Came:
    """One read of each register, with those of meters without their leading zeros where that is decided accept."""
    known, unknown = one_read_each(reads, registers, window)
    if unknown.empty:
        return Came(known, unknown, np.zeros(len(registers), dtype=bool), together([]), pd.DataFrame(columns=COVERS))
    meters = _meters(unknown, registers)
    findings, stands_for = _found(unknown, registers, meters, rules)
    standing = decided(findings, decisions)
    accepted = standing["decision"].eq("accept")
    if accepted.any():
        given_back = _of(reads, meters, standing.loc[accepted])
        own = reads["meter_id"].mask(given_back, reads["meter_id"].map(meters))
        known, unknown = one_read_each(reads.assign(meter_id=own), registers, window)
    waiting = standing.loc[~accepted]
    unknown = unknown.loc[~_of(unknown, meters, waiting)]
    stands_for = stands_for.loc[stands_for["exception_id"].isin(waiting["exception_id"])]
    awaited = registers["service_id"].isin(stands_for["service_id"]).to_numpy(dtype=bool)
    return Came(known, unknown, awaited, findings, stands_for)


def _meters(unknown: pd.DataFrame, registers: pd.DataFrame) -> dict[str, str]:
    """By number in a file the one meter on a service that is due whose number it is with leading zeros."""
    fitting = lost_zeros(unknown["meter_id"], registers["meter_id"])
    due = set(registers.loc[registers["due"], "meter_id"])
    return {text: numbers[0] for text, numbers in fitting.items() if len(numbers) == 1 and numbers[0] in due}


def _found(
    unknown: pd.DataFrame, registers: pd.DataFrame, meters: dict[str, str], rules: Rules
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One finding for each file of such reads, and the services each stands for."""
    listed, covered = [], [pd.DataFrame(columns=COVERS)]
    for number, rows in unknown.loc[unknown["meter_id"].isin(list(meters))].groupby("import_id"):
        own = rows["meter_id"].map(meters)
        first = rows.iloc[:1].assign(
            finding_key=str(number), service_id="", account_id="", meter_id="", customer_class="", meter_size="",
            removed=False, at_risk=0,
        )  # fmt: skip
        such = f"such as {rows['meter_id'].iloc[0]} for {own.iloc[0]}"
        said = f"{len(rows)} reads are of meters without their leading zeros, {such}"
        finding = find(_RULE, rules, first, np.ones(1, dtype=bool), "meter_id", _words(said))
        listed.append(finding)
        covered.append(covers(finding, registers.loc[registers["meter_id"].isin(own) & registers["due"], "service_id"]))
    return together(listed), pd.concat(covered, ignore_index=True)


_RULE: Final = "zeros_lost"


def _of(reads: pd.DataFrame, meters: dict[str, str], findings: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """The reads that these findings are about."""
    files = [int(str(name).removeprefix(f"{_RULE} ")) for name in findings["exception_id"]]
    made: npt.NDArray[np.bool_] = np.asarray(
        reads["import_id"].isin(files) & reads["meter_id"].isin(list(meters)), dtype=bool
    )
    return made


def _words(said: str) -> Any:
    return lambda _: said
