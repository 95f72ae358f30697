"""Decisions: what the office typed on Exceptions, laid beside the findings and carried out on the registers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from xlbilling.money import round_half_up
from xlbilling.reads.estimates import Estimate, estimate, whole_steps
from xlbilling.reads.findings import quantity
from xlbilling.reads.register_checks import ROLLOVER_SHARE, Bench, short_of_estimate
from xlbilling.reads.units import MILLION, factor, millionths

Register: TypeAlias = dict[str, Any]  # one row of the laid registers
_DIAL: Final = re.compile(r"\d{1,12}(\.\d{1,6})?")
_TYPED: Final = ("decision", "override_read", "reason", "decided_by", "decided_at")
_DECIDED_ON: Final = ("consumption", "usable", "dial_read", "read_value", "read_code")
_ONE_DIAL: Final = "override: the finding is about many meters; decide estimate, or take in their reads"
_ROLLS: Final = ("read_below_last", "too_few_dials")  # accepting them takes the dial as rolled over
UNUSABLE: Final = (
    "no usable read for every register: each needs a read later than its last one, or than its start read on Meters"
)
BY_READER: Final = "estimated by the reading system"
# What is typed replaces what is accepted, and an estimate bills what the reads of a service's other registers leave.
_ORDER: Final = ("accept", "override", "estimate")


def decided(findings: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Lay the standing decisions beside the findings; one whose fact has changed no longer stands."""
    findings = findings.copy()
    standing = decisions.loc[decisions["decision"].ne("")].set_index("exception_id")
    fact = findings["exception_id"].map(standing["fact"]) if len(standing) else pd.Series("", index=findings.index)
    stands = fact.eq(findings["fact"])
    for name in _TYPED:
        values = findings["exception_id"].map(standing[name]) if len(standing) else pd.Series("", index=findings.index)
        findings[name] = values.where(stands, "").fillna("").astype("str")
    findings["state"] = np.where(findings["decision"].ne(""), "decided", "open")
    return findings


@dataclass(slots=True)
class Honoured:
    """The registers after the decisions; why a decision could not be carried out, and how an estimate was made, by service."""

    laid: pd.DataFrame
    broken: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, str] = field(default_factory=dict)


def honour(
    laid: pd.DataFrame, measured: pd.DataFrame, findings: pd.DataFrame, covers: pd.DataFrame, bench: Bench
) -> Honoured:
    """Carry out what was decided; a finding that stands for many services is decided for each of them.

    Registers of a service that are estimated by several findings are estimated together. Decisions on one register that
    cannot both be carried out, such as two dials, hold the bill.
    """
    acting = findings.loc[findings["decision"].isin(_ORDER)]
    made = Honoured(laid)
    if acting.empty:
        return made
    many = dict(covers.groupby("exception_id")["service_id"].agg(list)) if len(covers) else {}
    works = sorted(_each(acting, many), key=lambda work: _ORDER.index(work.decision))
    # Only the services decided on are worked at; the rest of a cycle stays as it was laid.
    touched = np.flatnonzero(laid["service_id"].isin({row.service_id for row in works}).to_numpy())
    registers: list[Register] = [{str(n): v for n, v in r.items()} for r in laid.iloc[touched].to_dict("records")]
    of_service: dict[str, list[Register]] = {}
    for register in registers:
        of_service.setdefault(register["service_id"], []).append(register)
    expected = _expected({row.service_id for row in works if row.decision == "estimate"}, measured, bench)
    limit = bench.rules.whole("reads", "estimates_limit")
    estimated: dict[str, list[Register]] = {}
    for row in works:
        chosen = _chosen(row, of_service.get(row.service_id, []))
        why = ""
        if row.decision == "estimate":
            known = estimated.setdefault(row.service_id, [])
            known += [register for register in chosen if not any(register is each for each in known)]
        elif row.decision == "override":
            why = _override(chosen, row.override_read, made.evidence) if row.key else _ONE_DIAL
        else:
            why = _accept(row.rule, chosen, made.evidence)
        if why:
            made.broken[row.service_id] = why
    for service_id, chosen in estimated.items():
        why = _estimate(chosen, of_service.get(service_id, []), expected.get(service_id), limit, bench)
        if why:
            made.broken[service_id] = why
        else:
            made.evidence[service_id] = expected[service_id].evidence
    made.laid = laid.copy()
    for name in _DECIDED_ON:
        made.laid.iloc[touched, made.laid.columns.tolist().index(name)] = [register[name] for register in registers]
    return made


@dataclass(frozen=True, slots=True)
class _Work:
    """One decision on one service; `key` names its register where the finding is about one."""

    rule: str
    key: str
    service_id: str
    decision: str
    override_read: str


def _each(acting: pd.DataFrame, many: dict[Any, list[str]]) -> Iterator[_Work]:
    row: Any
    for row in acting.itertuples(index=False):
        key = str(row.exception_id).removeprefix(f"{row.rule} ")
        if row.exception_id in many:
            for service in many[row.exception_id]:
                yield _Work(row.rule, "", str(service), row.decision, str(row.override_read))
        else:
            yield _Work(row.rule, key, str(row.service_id), row.decision, str(row.override_read))


def _chosen(work: _Work, service: list[Register]) -> list[Register]:
    """The registers of its service that a decision is on: the one it names, or all; of a route's, those that were read
    to their final read are left as they are."""
    named = [register for register in service if register["register_key"] == work.key]
    if named or work.key:
        return named or service
    return [register for register in service if not register["removed"] or not register["final_read"]]


def _expected(services: set[str], measured: pd.DataFrame, bench: Bench) -> dict[str, Estimate]:
    """Estimates of the services that are to be estimated, with how many estimated bills each has had in a row."""
    chosen = measured.loc[measured["service_id"].isin(services)]
    if chosen.empty:
        return {}
    return estimate(chosen, measured, bench.past, bench.rules.methods(), bench.billing.unit)


def _bill(register: Register, consumption: int, **changed: Any) -> str:
    """Bill this consumption of a register, whatever its read said."""
    register.update(consumption=consumption, usable=True, **changed)
    return ""


def _accept(rule: str, chosen: list[Register], evidence: dict[str, str]) -> str:
    """Bill the read as it is; for a dial that went back that means what the finding says accepting it means."""
    if not chosen:
        return ""
    register = chosen[0]
    if rule in _ROLLS:
        return _bill(register, int(register["rolled"]))
    if rule == "reversed_meter":
        return _bill(register, -int(register["forward"]))
    if rule == "overestimated":
        return _estimate_stands(register, str(register["dial_read"]), evidence)
    return ""


def _estimate_stands(register: Register, read: str, evidence: dict[str, str]) -> str:
    """Bill nothing: the estimated dial stays the last read, so that water is billed again once the real one passed it."""
    stays = {"dial_read": register["previous_read"], "read_value": int(register["previous_value"])}
    evidence[register["service_id"]] = (
        f"the estimate {register['previous_read']} stands until the dial passes it; read {read}"
    )
    return _bill(register, 0, **stays, read_code="estimated")


def _override(registers: list[Register], text: str, evidence: dict[str, str]) -> str:
    """Bill the dial the clerk typed; a service with several registers needs it typed at the register's own finding.

    A dial between the last actual read and an estimate made since bills nothing, as an accepted over-estimate does.
    """
    value, why = _dial_of(registers, text)
    if why:
        return why
    register = registers[0]
    last, capacity = int(register["previous_value"]), int(register["capacity"])
    if register["estimated_before"] and short_of_estimate(value, int(register["actual_value"]), last, capacity):
        return _estimate_stands(register, text, evidence)
    step = value - last
    around = step + capacity if step < 0 else step
    consumption = round_half_up(around * Fraction(register["multiplier"]))
    if step < 0 and around > capacity * ROLLOVER_SHARE:
        means = f"{quantity(consumption)} {register['unit']}"
        return f"override: {text} is below the last read {register['previous_read']}; a rollover would mean {means}"
    return _bill(register, consumption, dial_read=text, read_value=value, read_code="actual")


def _dial_of(registers: list[Register], text: str) -> tuple[int, str]:
    """The dial typed for the one register it is for, in millionths, and why it cannot be taken (blank where it can)."""
    if len(registers) != 1:
        return 0, "override: the service has several registers; ask for a re-read, or estimate"
    if not _DIAL.fullmatch(text):
        return 0, f"override: {text!r} is not a dial read"
    register, value = registers[0], millionths(text)
    typed = register.setdefault("typed", text)
    if millionths(typed) != value:
        both = f"{typed} and {text} are both typed for register {register['register_key']}"
        return 0, f"override: {both}; leave one of them"
    if value >= int(register["capacity"]):
        return 0, f"override: {text} has more digits than the meter's {register['dials']} dials"
    return value, ""


def _estimate(
    registers: list[Register], service: list[Register], expected: Estimate | None, limit: int, bench: Bench
) -> str:
    """Bill what the service is estimated to have used, less what its other registers were read at.

    The dial moves on with the estimate, so that the next read trues it up. Not carried out where the district's limit of
    estimated bills in a row is reached.
    """
    if expected is None or not registers:
        return "estimate: nothing of this finding is due"
    typed = [register for register in registers if "typed" in register]
    if typed:
        name, dial = typed[0]["register_key"], typed[0]["typed"]
        return f"estimate: the dial {dial} is typed for register {name} too; leave one of the two decisions"
    in_row = int(registers[0]["in_row"])
    if in_row >= limit:
        bills = "bill is" if in_row == 1 else f"{in_row} bills are"
        return f"estimate: the last {bills} estimated already, the limit is {limit}; get an actual read, or type an override read"
    if expected.consumption is None:
        return f"estimate: {expected.evidence}; type an override read"
    billing = bench.billing
    others = [register for register in service if register["usable"] and not any(register is r for r in registers)]
    used = np.array([register["consumption"] for register in others], dtype=np.int64)
    read = int(billing.of(used, np.array([register["unit"] for register in others], dtype=object)).sum())
    share = max(expected.consumption - read, 0) // len(registers)
    for register in registers:
        times = Fraction(register["multiplier"])
        back = factor(billing.unit, str(register["unit"]), billing.gallons_per_ccf) / times
        dial_steps = whole_steps(share, back)
        value = (int(register["previous_value"]) + dial_steps * MILLION) % int(register["capacity"])
        dial = str(value // MILLION).zfill(int(register["dials"]))
        _bill(register, int(dial_steps * MILLION * times), dial_read=dial, read_value=value, read_code="estimated")
    return ""


def holds(
    services: pd.DataFrame, findings: pd.DataFrame, covers: pd.DataFrame, broken: dict[str, str]
) -> pd.Series[Any]:
    """Why each service's bill is held; blank where it can be billed."""
    open_block = findings["severity"].eq("block") & findings["decision"].eq("")
    waiting = findings["decision"].eq("reread")
    holding = findings.loc[open_block | waiting, ["exception_id", "service_id", "rule", "decision"]]
    if len(covers):
        of_many = holding.drop(columns="service_id").merge(covers, on="exception_id")
        holding = pd.concat([holding, of_many], ignore_index=True)
    holding = holding.loc[holding["service_id"].ne("")]
    asked = holding["rule"].where(holding["decision"].ne("reread"), holding["rule"] + " (re-read asked for)")
    why = asked.groupby(holding["service_id"], sort=False).agg("; ".join)
    reasons = broken | why.to_dict()
    held = pd.Series("", index=services.index, dtype=object)
    if reasons:
        named = services["service_id"].isin(list(reasons))
        held.loc[named] = services.loc[named, "service_id"].map(reasons)
    unusable = ~services["usable"].to_numpy(dtype=bool)
    return held.mask(held.eq("") & unusable, UNUSABLE)
