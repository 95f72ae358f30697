"""Settling a cycle's reads: measure them, check them, honour what the office decided, and say what is held and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from xlbilling.money import round_half_up
from xlbilling.reads import findings as found
from xlbilling.reads.history import compare, estimates_in_row
from xlbilling.reads.measure import BillingUnit, Window, by_service, lay, register_key
from xlbilling.reads.rules import Rules
from xlbilling.reads.units import MILLION, factor, millionths

_DIAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_ROLLOVER_SHARE: Final = Fraction(1, 10)  # of the whole dial, where nothing is known of what is usual


@dataclass(frozen=True, slots=True)
class Settled:
    """A cycle's reads after the checks.

    `services`: service_id, service_from, service_to, days, consumption, read_code, usable, last_year, average, hold
    (why the bill is held; blank where it can be billed). `registers`: one row a register with what it is billed from.
    `findings`: one row a finding, with the decision that stands.
    """

    services: pd.DataFrame
    registers: pd.DataFrame
    findings: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Office:
    """What the district's office holds about the cycle, as frames.

    `registers`: meter_id, register_id, service_id, account_id, customer_class, dials, unit, multiplier, previous_date,
    previous_read, previous_value (millionths), due (bool). `reads`: read_id, meter_id, register_id, read_date,
    dial_read, read_value, unit, read_code. `history`: service_id, service_to, days, consumption, read_code.
    `decisions`: exception_id, fact, decision, override_read, reason, decided_by, decided_at.
    """

    registers: pd.DataFrame
    reads: pd.DataFrame
    history: pd.DataFrame
    decisions: pd.DataFrame


def settle(window: Window, billing: BillingUnit, rules: Rules, office: Office) -> Settled:
    """Measure and check the reads of one run of a cycle, and honour the decisions typed on Exceptions.

    A finding's decision stands while its fact is unchanged. A blocking finding without a decision, one that waits for a
    re-read, or a register that cannot be measured holds the bill of its service and of no other.
    """
    registers = office.registers.assign(
        register_key=register_key(office.registers["meter_id"], office.registers["register_id"])
    )
    reads, unknown = _one_read_each(office.reads, registers)
    laid = _judged(lay(registers, reads), window, billing, rules, office.history)
    measured = _measured(laid, billing, office.history, rules)
    listed = [*found.of_registers(laid, window, rules), *found.of_services(measured, rules), _unknown(unknown, rules)]
    listed = [frame for frame in listed if len(frame)]
    findings = pd.concat(listed, ignore_index=True) if listed else pd.DataFrame(columns=found.COLUMNS)
    findings = _decided(findings, office.decisions)
    final, broken = _honoured(laid, measured, findings, billing)
    services = _measured(final, billing, office.history, rules) if final is not laid else measured
    return Settled(services.assign(hold=_holds(services, findings, broken)), final, findings)


def _one_read_each(reads: pd.DataFrame, registers: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The first read of each known register, with how many different others it has; and the reads of unknown meters."""
    keyed = reads.assign(register_key=register_key(reads["meter_id"], reads["register_id"]), read_unit=reads["unit"])
    known = keyed["register_key"].isin(registers["register_key"])
    unknown, keyed = keyed.loc[~known], keyed.loc[known]
    if not keyed["register_key"].duplicated().any():
        return keyed.assign(others=0), unknown
    real = keyed.loc[keyed["read_code"].ne("no_read") | ~keyed["register_key"].duplicated(keep=False)]
    different = real.groupby("register_key")["dial_read"].nunique() - 1
    first = real.drop_duplicates("register_key")
    return first.assign(others=first["register_key"].map(different).astype("int64")), unknown


def _judged(
    laid: pd.DataFrame, window: Window, billing: BillingUnit, rules: Rules, history: pd.DataFrame
) -> pd.DataFrame:
    """Mark each register: read below the last, rollover, outside the window, and the consumption that follows."""
    laid = laid.copy()
    laid["capacity"] = 10 ** laid["dials"].astype("int64") * MILLION
    laid["others"] = laid["others"].fillna(0).astype("int64") if "others" in laid else 0
    usual = laid["read_date"].mode()
    laid["read_date"] = laid["read_date"].fillna(usual.iloc[0] if len(usual) else pd.Timestamp(window.read_to))
    dates = laid["read_date"]
    laid["outside"] = dates.lt(pd.Timestamp(window.read_from)) | dates.gt(pd.Timestamp(window.read_to))
    below = laid["has_value"] & laid["forward"].lt(0)
    laid["rollover"] = False
    if below.any():
        laid.loc[below, "rollover"] = _plausible(laid.loc[below], billing, rules, history)
    laid["below"] = below & ~laid["rollover"]
    usable_code = ~laid["read_code"].isin(["missing", "no_read"])
    laid["usable"] = laid["has_value"] & usable_code & ~laid["below"]
    laid["consumption"] = np.where(laid["usable"], np.where(laid["rollover"], laid["rolled"], laid["forward"]), 0)
    laid["finding_key"] = laid["register_key"]
    has_read = laid["read_id"].notna()
    laid["place_key"] = np.where(
        has_read, "reads|" + laid["read_id"].astype("str"), "meters|" + laid["meter_id"] + " / " + laid["register_id"]
    )
    laid["at_risk"] = 0
    return laid


def _plausible(below: pd.DataFrame, billing: BillingUnit, rules: Rules, history: pd.DataFrame) -> list[bool]:
    """Rollover or error: by what a rollover would mean against what the service used before.

    Without a history it may mean a tenth of the dial.
    """
    latest = history.loc[history["service_id"].isin(below["service_id"]) & history["days"].gt(0)]
    per_day = latest.groupby("service_id")["consumption"].sum() / latest.groupby("service_id")["days"].sum()
    least = float(rules.fraction("reads", "least_difference")) * MILLION
    rolled = billing.of(below["rolled"].to_numpy(dtype=np.int64), below["unit"].to_numpy())
    made = []
    row: Any
    for row, consumption in zip(below.itertuples(index=False), rolled.tolist(), strict=True):
        days = max((row.read_date - row.previous_date).days, 1)
        usual = per_day.get(row.service_id)
        if usual is None:
            made.append(bool(row.rolled <= row.capacity * _ROLLOVER_SHARE * Fraction(row.multiplier)))
        else:
            made.append(bool(consumption <= max(usual * days * rules.percent("high"), usual * days + least)))
    return made


def _measured(laid: pd.DataFrame, billing: BillingUnit, history: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    """The due services with their consumption and what it is compared with."""
    due = laid.loc[laid["due"]]
    first = due.drop_duplicates("service_id")
    measured = by_service(due, billing)
    for name in ("account_id", "customer_class", "meter_id", "place_key"):
        measured[name] = first[name].to_numpy()
    measured = compare(measured, history)
    measured["finding_key"] = measured["service_id"]
    in_row = (
        measured["service_id"].map(estimates_in_row(history)) if len(history) else pd.Series(0, index=measured.index)
    )
    measured["in_row"] = in_row.fillna(0).astype("int64")
    price = float(rules.fraction("reads", "rough_price"))
    reference = measured["reference"].astype("Float64").fillna(measured["class_median"])
    off = (measured["consumption"] - reference).abs() / MILLION * price * 100
    measured["at_risk"] = off.fillna(0).round().astype("int64")
    return measured


def _unknown(reads: pd.DataFrame, rules: Rules) -> pd.DataFrame:
    rows = reads.assign(
        finding_key=reads["register_key"],
        service_id="",
        place_key="reads|" + reads["read_id"].astype("str"),
        at_risk=0,
    )
    rows = rows.drop_duplicates("register_key")
    return found.find(
        "unknown_meter",
        rules,
        rows,
        np.ones(len(rows), dtype=bool),
        "meter_id",
        lambda r: f"meter {r.register_key} is on no active service of this cycle",
    )


def _decided(findings: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Lay the standing decisions beside the findings; one whose fact has changed no longer stands."""
    columns = ["decision", "override_read", "reason", "decided_by", "decided_at"]
    standing = decisions.loc[decisions["decision"].ne("")].set_index("exception_id")
    fact = findings["exception_id"].map(standing["fact"]) if len(standing) else pd.Series("", index=findings.index)
    stands = fact.eq(findings["fact"])
    for name in columns:
        values = findings["exception_id"].map(standing[name]) if len(standing) else pd.Series("", index=findings.index)
        findings[name] = values.where(stands, "").fillna("").astype("str")
    findings["state"] = np.where(findings["decision"].ne(""), "decided", "open")
    return findings


def _honoured(
    laid: pd.DataFrame, measured: pd.DataFrame, findings: pd.DataFrame, billing: BillingUnit
) -> tuple[pd.DataFrame, dict[str, str]]:
    """The registers after the decisions, and why a decision could not be carried out, by service."""
    acting = findings.loc[findings["decision"].isin(["accept", "override", "estimate"])]
    broken: dict[str, str] = {}
    if acting.empty:
        return laid, broken
    # Only the services decided on are worked at; the rest of a cycle stays as it was laid.
    touched = np.flatnonzero(laid["service_id"].isin(acting["service_id"]).to_numpy())
    registers: list[Register] = [{str(n): v for n, v in r.items()} for r in laid.iloc[touched].to_dict("records")]
    of_key = {register["register_key"]: [register] for register in registers}
    of_service: dict[str, list[Register]] = {}
    for register in registers:
        of_service.setdefault(register["service_id"], []).append(register)
    expected = measured.set_index("service_id")["reference"]
    row: Any
    for row in acting.itertuples(index=False):
        key = str(row.exception_id).removeprefix(f"{row.rule} ")
        service = of_service.get(row.service_id, [])
        chosen = of_key.get(key, service)
        if row.decision == "override":
            why = _override(chosen, str(row.override_read))
        elif row.decision == "estimate":
            why = _estimate(chosen, service, expected.get(row.service_id), billing)
        elif row.rule == "read_below_last":
            why = _bill(chosen[0], int(chosen[0]["rolled"]))
        else:
            why = ""
        if why:
            broken[str(row.service_id)] = why
    final = laid.copy()
    for name in _DECIDED_ON:
        final.iloc[touched, final.columns.tolist().index(name)] = [register[name] for register in registers]
    return final, broken


Register: TypeAlias = dict[str, Any]  # one row of the laid registers
_DECIDED_ON: Final = ("consumption", "usable", "dial_read", "read_value", "read_code")


def _bill(register: Register, consumption: int, **changed: Any) -> str:
    """Bill this consumption of a register, whatever its read said."""
    register.update(consumption=consumption, usable=True, **changed)
    return ""


def _override(registers: list[Register], text: str) -> str:
    """Bill the dial the clerk typed; a service with several registers needs it typed at the register's own finding."""
    if len(registers) != 1:
        return "override: the service has several registers; ask for a re-read, or estimate"
    if not _DIAL.fullmatch(text):
        return f"override: {text!r} is not a dial read"
    register, value = registers[0], millionths(text)
    capacity, times = int(register["capacity"]), Fraction(register["multiplier"])
    if value >= capacity:
        return f"override: {text} has more digits than the meter's {register['dials']} dials"
    step = value - int(register["previous_value"])
    around = step + capacity if step < 0 else step
    consumption = round_half_up(around * times)
    if step < 0 and around > capacity * _ROLLOVER_SHARE:
        means = f"{found.quantity(consumption)} {register['unit']}"
        return f"override: {text} is below the last read {register['previous_read']}; a rollover would mean {means}"
    return _bill(register, consumption, dial_read=text, read_value=value)


def _estimate(registers: list[Register], service: list[Register], expected: Any, billing: BillingUnit) -> str:
    """Bill what the service used in the same days before, less what its other registers were read at.

    The dial moves on with the estimate, so that the next read trues it up.
    """
    if expected is None or expected is pd.NA:
        return "estimate: the service has no history to estimate from; type an override read"
    others = [register for register in service if register["usable"] and not any(register is r for r in registers)]
    used = np.array([register["consumption"] for register in others], dtype=np.int64)
    read = int(billing.of(used, np.array([register["unit"] for register in others], dtype=object)).sum())
    share = max(int(expected) - read, 0) // len(registers)
    for register in registers:
        times = Fraction(register["multiplier"])
        back = factor(billing.unit, str(register["unit"]), billing.gallons_per_ccf) / times
        dial_steps = int(share * back) // MILLION  # whole steps of the dial
        value = (int(register["previous_value"]) + dial_steps * MILLION) % int(register["capacity"])
        dial = str(value // MILLION).zfill(int(register["dials"]))
        _bill(register, int(dial_steps * MILLION * times), dial_read=dial, read_value=value, read_code="estimated")
    return ""


def _holds(services: pd.DataFrame, findings: pd.DataFrame, broken: dict[str, str]) -> pd.Series:
    """Why each service's bill is held; blank where it can be billed."""
    open_block = findings["severity"].eq("block") & findings["decision"].eq("")
    waiting = findings["decision"].eq("reread")
    holding = findings.loc[(open_block | waiting) & findings["service_id"].ne("")]
    asked = holding["rule"].where(holding["decision"].ne("reread"), holding["rule"] + " (re-read asked for)")
    why = asked.groupby(holding["service_id"], sort=False).agg("; ".join)
    reasons = why.to_dict()
    reasons = broken | reasons
    held = pd.Series("", index=services.index, dtype=object)
    named = services["service_id"].isin(list(reasons))
    held.loc[named] = services.loc[named, "service_id"].map(reasons)
    unusable = ~services["usable"].to_numpy(dtype=bool)
    return held.mask(held.eq("") & unusable, "no usable read for every register")
