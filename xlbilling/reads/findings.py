"""Findings: what the checks say about a register or a service, each with its fact, remedy and severity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.reads.measure import Window
from xlbilling.reads.rules import CHECKS, Rules
from xlbilling.reads.units import MILLION

COLUMNS: Final = [
    "exception_id",
    "severity",
    "rule",
    "service_id",
    "account_id",
    "meter_id",
    "place",
    "fact",
    "remedy",
    "money_at_risk",
]
Mask = npt.NDArray[np.bool_] | pd.Series


def quantity(value: float) -> str:
    """A quantity in millionths as a person reads it: 14500000 -> 14.5, 421817000000 -> 421,817."""
    text = f"{value / MILLION:,.3f}"
    return text.rstrip("0").rstrip(".")


def find(
    rule: str,
    rules: Rules,
    rows: pd.DataFrame,
    where: Mask,
    column: str,
    fact: Callable[[Any], str],
) -> pd.DataFrame:
    """The findings of one check: the rows of `rows` where the mask holds, unless the district has the check off.

    A row names its finding by `finding_key` (a register or a service), its sheet row by `place_key` (table|key) and the
    money by `at_risk` (cents).
    """
    severity = rules.severity(rule)
    chosen = rows.loc[np.asarray(where, dtype=bool)]
    if severity is None or chosen.empty:
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame(
        {
            "exception_id": rule + " " + chosen["finding_key"],
            "severity": severity,
            "rule": rule,
            "service_id": chosen["service_id"],
            "account_id": chosen["account_id"],
            "meter_id": chosen["meter_id"],
            "place": chosen["place_key"] + "|" + column,
            "fact": [fact(row) for row in chosen.itertuples(index=False)],
            "remedy": CHECKS[rule].remedy,
            "money_at_risk": chosen["at_risk"].to_numpy(dtype=np.int64),
        }
    )


def of_registers(laid: pd.DataFrame, window: Window, rules: Rules) -> list[pd.DataFrame]:
    """Checks of one register's read; `laid` as measure.lay gives it, with due, capacity, rollover and outside marked."""
    due = laid["due"]
    value = laid["has_value"]
    over = value & (laid["read_value"].fillna(0) >= laid["capacity"])
    other_unit = value & laid["read_unit"].ne("") & laid["read_unit"].ne(laid["unit"])
    return [
        find("missing_read", rules, laid, due & laid["read_code"].eq("missing"), "last_read", _missing(window)),
        find("no_read", rules, laid, due & laid["read_code"].eq("no_read"), "dial_read", _no_read),
        find("duplicate_read", rules, laid, due & laid["others"].gt(0), "dial_read", _duplicate),
        find("outside_window", rules, laid, due & value & laid["outside"], "read_date", _outside(window)),
        find("wrong_unit", rules, laid, due & other_unit, "unit", _unit),
        find("too_many_dials", rules, laid, due & over, "dial_read", _dials),
        find("read_below_last", rules, laid, due & laid["below"] & ~over, "dial_read", _below),
        find("rollover", rules, laid, due & laid["rollover"] & ~over, "dial_read", _rolled),
        find("suspect", rules, laid, due & laid["read_code"].eq("suspect"), "dial_read", _suspect),
        find("inactive_consumption", rules, laid, ~due & value & laid["forward"].gt(0), "dial_read", _inactive),
    ]


def of_services(measured: pd.DataFrame, rules: Rules) -> list[pd.DataFrame]:
    """Checks of a service's consumption per day against last year, the recent average and the class."""
    least = float(rules.fraction("reads", "least_difference")) * MILLION
    used = measured["consumption"].to_numpy(dtype=np.float64)
    last_year = measured["last_year"].to_numpy(dtype=np.float64, na_value=np.nan)
    average = measured["average"].to_numpy(dtype=np.float64, na_value=np.nan)
    reference = measured["reference"].to_numpy(dtype=np.float64, na_value=np.nan)
    median = measured["class_median"].to_numpy(dtype=np.float64)
    usable = measured["usable"].to_numpy(dtype=bool)
    known = usable & ~np.isnan(reference)
    differs = known & (np.abs(used - reference) >= least)
    with np.errstate(invalid="ignore"):
        spike = _beside(used, last_year, average, lambda u, r: u >= r * rules.percent("spike"))
        spike &= differs & (used >= 10 * least)
        above = _beside(used, last_year, average, lambda u, r: u >= r * rules.percent("high"))
        below = _beside(used, last_year, average, lambda u, r: u < r * rules.percent("low"))
        first = (
            usable & np.isnan(reference) & (used >= median * rules.percent("first_read_high")) & (used >= 10 * least)
        )
    return [
        find("spike", rules, measured, spike, "consumption", _against),
        find("first_read_high", rules, measured, first, "consumption", _class),
        find("high", rules, measured, differs & above & ~spike, "consumption", _against),
        find("low", rules, measured, differs & below & (used > 0), "consumption", _against),
        find("zero", rules, measured, known & (used == 0) & (reference > 0), "consumption", _against),
        find(
            "estimates_in_row",
            rules,
            measured,
            measured["read_code"].eq("estimated") & measured["in_row"].ge(rules.whole("check", "estimates_in_row")),
            "read_code",
            lambda r: f"this would be estimated bill number {r.in_row + 1} in a row",
        ),
    ]


def _beside(
    used: npt.NDArray[np.float64],
    last_year: npt.NDArray[np.float64],
    average: npt.NDArray[np.float64],
    out: Callable[[Any, Any], npt.NDArray[np.bool_]],
) -> npt.NDArray[np.bool_]:
    """True where consumption is out of line with every comparison that there is."""
    with_last, with_average = ~np.isnan(last_year), ~np.isnan(average)
    return (out(used, last_year) | ~with_last) & (out(used, average) | ~with_average) & (with_last | with_average)


def _missing(window: Window) -> Callable[[Any], str]:
    return lambda r: f"register {r.finding_key} has no read from {window.read_from} to {window.read_to}"


def _outside(window: Window) -> Callable[[Any], str]:
    return lambda r: f"read on {r.read_date:%Y-%m-%d}, outside {window.read_from} to {window.read_to}"


def _no_read(r: Any) -> str:
    return f"the reading system could not read register {r.finding_key}"


def _duplicate(r: Any) -> str:
    return f"register {r.finding_key} has {r.others + 1} different reads; {r.dial_read} came first"


def _unit(r: Any) -> str:
    return f"read in {r.read_unit}, the meter counts in {r.unit}"


def _dials(r: Any) -> str:
    return f"{r.dial_read} has more digits than the meter's {r.dials} dials"


def _below(r: Any) -> str:
    return (
        f"{r.dial_read} is below the last read {r.previous_read}; a rollover would mean {quantity(r.rolled)} {r.unit}"
    )


def _rolled(r: Any) -> str:
    return f"{r.dial_read} is below the last read {r.previous_read}; taken as a rollover, {quantity(r.rolled)} {r.unit}"


def _suspect(r: Any) -> str:
    return f"the reading system marks {r.dial_read} as suspect"


def _inactive(r: Any) -> str:
    return f"the service is not active and its meter moved on by {quantity(r.forward)} {r.unit} to {r.dial_read}"


def _against(r: Any) -> str:
    parts = []
    if r.last_year is not pd.NA:
        parts.append(f"{quantity(r.last_year)} last year")
    if r.average is not pd.NA:
        parts.append(f"{quantity(r.average)} on average")
    return f"{quantity(r.consumption)} in {r.days} days, against {' and '.join(parts)} for as many days"


def _class(r: Any) -> str:
    return f"{quantity(r.consumption)} in {r.days} days and no history; the class has {quantity(r.class_median)}"
