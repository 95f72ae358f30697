"""Decisions: what the office decided on Exceptions, laid beside the findings and carried out on the registers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd

from xlbilling.trade.reads.estimates import Estimate, estimate, whole_steps
from xlbilling.trade.reads.findings import check_of, keys_of, quantity
from xlbilling.trade.reads.register_checks import Bench
from xlbilling.trade.reads.units import MILLION, factor
from xlbilling.words.states import DECIDED, OPEN

Register: TypeAlias = dict[str, Any]  # one row of the laid registers
_TYPED: Final = ("decision", "override_read", "override_date", "reason", "decided_by", "decided_at")
_DECIDED_ON: Final = ("consumption", "usable", "dial_read", "read_value", "read_code", "read_date")
_ROLLS: Final = ("read_below_last", "too_few_dials")  # accepting them takes the dial as rolled over
UNUSABLE: Final = (
    "no usable read for every register: each needs a read later than its last one, or than its start read on Meters"
)
BY_READER: Final = "estimated by the reading system"
# An estimate bills what the reads of a service's other registers leave, and so comes last.
_ORDER: Final = ("accept", "estimate")


def decided(findings: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Lay the standing decisions beside the findings; one whose fact has changed no longer stands."""
    findings = findings.copy()
    standing = decisions.loc[decisions["decision"].ne("")].set_index("exception_id")
    fact = findings["exception_id"].map(standing["fact"]) if len(standing) else pd.Series("", index=findings.index)
    stands = fact.eq(findings["fact"])
    for name in _TYPED:
        values = findings["exception_id"].map(standing[name]) if len(standing) else pd.Series("", index=findings.index)
        if name == "override_date":
            findings[name] = pd.to_datetime(values.where(stands, None)).astype("datetime64[s]")
        else:
            findings[name] = values.where(stands, "").fillna("").astype("str")
    findings["state"] = np.where(findings["decision"].ne(""), DECIDED, OPEN)
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
    """Carry out what was decided, typed dials being in place; a finding for many services is decided for each of them.

    `laid` has `typed`: how often the register's dial was typed over; `findings` has `number`: how often it was when the
    finding was made. What was accepted of a dial that was typed over since is past. Registers of a service that are
    estimated by several findings are estimated together. Decisions on one register that cannot both be carried out,
    such as a dial and an estimate, hold the bill.
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
    expected = _expected([row for row in works if row.decision == "estimate"], measured, bench)
    limit = bench.rules.whole("reads", "estimates_limit")
    estimated: dict[str, list[Register]] = {}
    for row in works:
        chosen = _chosen(row, of_service.get(row.service_id, []))
        why = ""
        if row.decision == "estimate":
            known = estimated.setdefault(row.service_id, [])
            known += [register for register in chosen if not any(register is each for each in known)]
            why = _typed_too(chosen, row.number)
            if row.rule == "service_ended":
                _end(chosen)
        else:
            why = _accept(row, chosen, made.evidence)
        if why:
            made.broken[row.service_id] = why
    for service_id, chosen in estimated.items():
        why = _estimate(chosen, of_service.get(service_id, []), expected.get(service_id), limit, bench)
        if service_id in made.broken:
            continue
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
    number: int


def _each(acting: pd.DataFrame, many: dict[Any, list[str]]) -> Iterator[_Work]:
    row: Any
    for row in acting.assign(key=keys_of(acting), check=acting["rule"].map(check_of)).itertuples(index=False):
        if row.exception_id in many:
            for service in many[row.exception_id]:
                yield _Work(row.check, "", str(service), row.decision, int(row.number))
        else:
            yield _Work(row.check, row.key, str(row.service_id), row.decision, int(row.number))


def _chosen(work: _Work, service: list[Register]) -> list[Register]:
    """The registers of its service that a decision is on: the one it names, or all; of a route's, those that were read
    to their final read are left as they are."""
    named = [register for register in service if register["register_key"] == work.key]
    if named or work.key:
        return named or service
    return [register for register in service if not register["removed"] or not register["final_read"]]


def _expected(works: list[_Work], measured: pd.DataFrame, bench: Bench) -> dict[str, Estimate]:
    """Estimates of the services that are to be estimated.

    One that ended is estimated up to its last day, and at no more than what its dials have counted up to the read since.
    """
    chosen = measured.loc[measured["service_id"].isin({work.service_id for work in works})]
    if chosen.empty:
        return {}
    ended = chosen["service_id"].isin({work.service_id for work in works if work.rule == "service_ended"})
    until = chosen["service_to"].mask(ended & chosen["ends_on"].lt(chosen["service_to"]), chosen["ends_on"])
    chosen = chosen.assign(service_to=until, days=(until - chosen["service_from"]).dt.days.fillna(0).astype("int64"))
    made = estimate(chosen, measured, bench.past, bench.rules.methods(), bench.billing.unit)
    row: Any
    for row in measured.loc[chosen.index[ended & chosen["usable"]]].itertuples():
        known = made[row.service_id]
        if known.consumption is not None and known.consumption > row.measured:
            most = f"{known.evidence}, at most the {quantity(row.measured)} up to the read of {row.service_to:%Y-%m-%d}"
            made[row.service_id] = Estimate(int(row.measured), most)
    return made


def _end(chosen: list[Register]) -> None:
    """Bill these registers to the last day of their service."""
    for register in chosen:
        if not pd.isna(register["ends_on"]):
            register["read_date"] = min(register["read_date"], register["ends_on"])


def _typed_too(chosen: list[Register], number: int) -> str:
    """Why registers cannot be estimated: a dial was typed for one of them by another decision; blank where none was."""
    for register in chosen:
        if register["typed"] > number:
            dial, name = register["dial_read"], register["register_key"]
            return f"estimate: the dial {dial} is typed for register {name} too; leave one of the two decisions"
    return ""


def _bill(register: Register, consumption: int, **changed: Any) -> str:
    """Bill this consumption of a register, whatever its read said."""
    register.update(consumption=consumption, usable=True, **changed)
    return ""


def _accept(work: _Work, chosen: list[Register], evidence: dict[str, str]) -> str:
    """Bill the read as it is; for a dial that went back that means what the finding says accepting it means."""
    if not chosen:
        return ""
    register = chosen[0]
    if work.rule == "service_ended":
        day: str = "its last day" if pd.isna(register["ends_on"]) else str(register["ends_on"].date())
        return f"accept: nothing is billed past {day}; type the dial of that day (override), or estimate up to it"
    if register["typed"] > work.number:
        return ""
    if work.rule == "overestimated":
        return _estimate_stands(register, str(register["dial_read"]), evidence)
    if work.rule in _ROLLS:
        _bill(register, int(register["rolled"]))
    if work.rule == "reversed_meter":
        _bill(register, -int(register["forward"]))
    return ""


def _estimate_stands(register: Register, read: str, evidence: dict[str, str]) -> str:
    """Bill nothing: the estimated dial stays the last read, so that water is billed again once the real one passed it."""
    stays = {"dial_read": register["previous_read"], "read_value": int(register["previous_value"])}
    evidence[register["service_id"]] = (
        f"the estimate {register['previous_read']} stands until the dial passes it; read {read}"
    )
    return _bill(register, 0, **stays, read_code="estimated")


def _estimate(
    registers: list[Register], service: list[Register], expected: Estimate | None, limit: int, bench: Bench
) -> str:
    """Bill what the service is estimated to have used, less what its other registers were read at.

    The dial moves on with the estimate, so that the next read trues it up. Not carried out where the district's limit of
    estimated bills in a row is reached.
    """
    if expected is None or not registers:
        return "estimate: nothing of this finding is due"
    if pd.isna(registers[0]["ends_on"]) and registers[0]["ended"]:
        return "estimate: the day the service is billed to is not known; type it on Services or Accounts"
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
