"""Settling a cycle's reads: measure them, check them, honour what the office decided, and say what is held and why."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.trade.reads import exchanges, patterns
from xlbilling.trade.reads.decisions import BY_READER, Honoured, decided, holds, honour
from xlbilling.trade.reads.findings import find, together, unknown_meters
from xlbilling.trade.reads.history import History, compare
from xlbilling.trade.reads.lost_zeros import came_in
from xlbilling.trade.reads.measure import BillingUnit, Window, by_service, lay, register_key
from xlbilling.trade.reads.overrides import after_override, typed_reads, with_typed
from xlbilling.trade.reads.part_estimates import beside_estimates, not_carried_out
from xlbilling.trade.reads.register_checks import Bench, cents, judge, of_registers, stuck
from xlbilling.trade.reads.rules import Rules
from xlbilling.trade.reads.service_checks import of_services
from xlbilling.trade.reads.units import same


@dataclass(frozen=True, slots=True)
class Settled:
    """A cycle's reads after the checks.

    `services`: service_id, service_from, service_to, days, consumption (billed), measured, carried (left for the next
    bill), consumption_low, consumption_high, read_code, estimate (how it was estimated; blank for an actual read), usable,
    last_year, average, hold (why the bill is held; blank where it can be billed). `registers`: one row a register with
    what it is billed from. `findings`: one row a finding, with the decision that stands. `covers`: exception_id and
    service_id of the findings that stand for many services, such as a route's or a file's.
    """

    services: pd.DataFrame
    registers: pd.DataFrame
    findings: pd.DataFrame
    covers: pd.DataFrame


def _nothing(*columns: str) -> pd.DataFrame:
    return pd.DataFrame(columns=[*columns])


@dataclass(frozen=True, slots=True)
class Office:
    """What the district's office holds about the cycle, as frames.

    `registers`: meter_id, register_id, service_id, account_id, customer_class, meter_size, route, route_billed (bool: one
    of the route is billed in the run already), master_meter, dials, unit, multiplier, previous_date, previous_read,
    previous_value (millionths), previous_code (of the last billed read), actual_date, actual_read, actual_value (the last
    read that was no estimate), removed_on and final_read (of a meter taken out since its last billed read), due (bool),
    ended (in words that the service or its account has ended; blank where neither has), ends_on (its last day, or none).
    `reads`: read_id, import_id, source_line, account_id, meter_id, register_id, read_date, read_time, dial_read, read_value, unit,
    read_code. `history`: service_id, service_to, days, consumption, read_code. `decisions`: exception_id, fact, decision,
    override_read, override_date, reason, decided_by, decided_at. `carried`: service_id, carried (millionths of the billing unit left
    by the last bill). `intervals`: meter_id, unit, first_hour, last_hour, hours, running_hours, least (millionths).
    `elsewhere`: meter_id, known_as (in words what the office knows of a meter that is not of the cycle's registers).
    """

    registers: pd.DataFrame
    reads: pd.DataFrame
    history: pd.DataFrame
    decisions: pd.DataFrame
    carried: pd.DataFrame = field(default_factory=lambda: _nothing("service_id", "carried"))
    intervals: pd.DataFrame = field(
        default_factory=lambda: _nothing(
            "meter_id", "unit", "first_hour", "last_hour", "hours", "running_hours", "least"
        )
    )
    elsewhere: pd.DataFrame = field(default_factory=lambda: _nothing("meter_id", "known_as"))


def settle(window: Window, billing: BillingUnit, rules: Rules, office: Office) -> Settled:
    """Measure and check the reads of one run of a cycle, and honour the decisions typed on Exceptions.

    A finding's decision stands while its fact is unchanged. A typed dial or day is checked like a read, until no other is
    typed over it. A blocking finding without a decision, one that waits for a re-read, or a register that cannot be measured
    holds the bills of the services it is about and of no other.
    """
    position, names = pd.factorize(office.registers["service_id"])
    registers = office.registers.assign(
        register_key=register_key(office.registers["meter_id"], office.registers["register_id"]),
        position=position,
        removed=office.registers["removed_on"].notna().to_numpy(dtype=bool),
        typed=0,
    )
    bench = Bench(window, billing, rules, History.of(office.history, pd.Index(names)))
    carried = _carried(office.carried, pd.Index(names))
    came = came_in(office.reads, registers, office.decisions, window, rules)
    registers = registers.assign(awaited=came.awaited)
    reads, unused = exchanges.with_final_reads(came.reads, registers)
    looked = _looked_at(registers, reads, unused, carried, bench, office.intervals)
    covers = pd.concat([came.covers, looked.covers], ignore_index=True)
    findings = together(
        [came.findings, looked.findings, unknown_meters(came.unknown, looked.laid, office.elsewhere, rules)]
    )
    findings = _behind_files(decided(findings.assign(number=0), office.decisions), covers)
    number = 0
    broken: dict[str, str] = {}
    while True:
        instead, untaken = typed_reads(findings.loc[findings["number"].eq(number)], covers, looked.laid)
        broken |= untaken
        if instead.empty:
            break
        number += 1
        registers, reads = with_typed(registers, reads, looked.laid, instead, number)
        looked = _looked_at(registers, reads, unused, carried, bench, office.intervals)
        findings, fresh = after_override(findings, looked.findings, instead, looked.laid, number)
        findings = decided(together([findings, fresh.assign(number=number)]), office.decisions)
    made = honour(looked.laid, looked.measured, findings, covers, bench)
    services = looked.measured if made.laid is looked.laid else _measured(made.laid, carried, bench)
    if made.evidence:
        late = decided(beside_estimates(services, made.laid, set(made.evidence), bench), office.decisions)
        broken |= not_carried_out(late)
        findings = together([findings, late])
    held = holds(services, findings, covers, broken | made.broken)
    services = services.assign(estimate=_evidence(services, made), hold=held)
    return Settled(services, made.laid, findings.drop(columns="number", errors="ignore"), covers)


@dataclass(frozen=True, slots=True)
class _Looked:
    """The registers with their reads, their services, what the checks say, and whom findings on many stand for."""

    laid: pd.DataFrame
    measured: pd.DataFrame
    findings: pd.DataFrame
    covers: pd.DataFrame


def _looked_at(
    registers: pd.DataFrame,
    reads: pd.DataFrame,
    unused: pd.DataFrame,
    carried: npt.NDArray[np.int64],
    bench: Bench,
    intervals: pd.DataFrame,
) -> _Looked:
    """Lay the reads beside their registers, measure them and ask every check; `unused`: reads of meters taken out."""
    laid = judge(lay(registers, reads), bench)
    measured = _measured(laid, carried, bench)
    laid = _usual(laid, measured, bench)
    measured["stuck"] = laid["stuck"].to_numpy(dtype=bool)[measured["first"].to_numpy()]
    findings, covers = _found(laid, measured, reads, bench, intervals)
    removed = laid["due"].to_numpy(dtype=bool) & laid["removed"].to_numpy(dtype=bool)
    exchanged = [
        find("meter_exchanged", bench.rules, laid, removed & rows, "dial_read", exchanges.told(laid, unused), severity)
        for rows, severity in ((~same(laid["final_read"], ""), ""), (same(laid["final_read"], ""), "block"))
    ] if removed.any() else []  # fmt: skip
    return _Looked(laid, measured, together([findings, *exchanged]), covers)


def _carried(carried: pd.DataFrame, services: pd.Index) -> npt.NDArray[np.int64]:
    """What each service's last bill left of a unit, in the order of `services`; 0 where it left nothing."""
    made = np.zeros(len(services), dtype=np.int64)
    if len(carried):
        at = services.get_indexer(pd.Index(carried["service_id"]))
        made[at[at >= 0]] = carried["carried"].to_numpy(dtype=np.int64)[at >= 0]
    return made


def _measured(laid: pd.DataFrame, carried: npt.NDArray[np.int64], bench: Bench) -> pd.DataFrame:
    """The due services with their consumption, what it is compared with, and the money that is off (cents)."""
    due = laid["due"].to_numpy(dtype=bool)
    rows = laid if due.all() else laid.loc[due].reset_index(drop=True)
    measured = by_service(rows, bench.billing, carried)
    at = np.flatnonzero(due)[measured["first"].to_numpy()]
    first = laid.iloc[at]
    named = {name: first[name].to_numpy() for name in _OF_FIRST}
    measured = compare(measured.assign(**named, first=at, finding_key=measured["service_id"]), bench.past)
    usual = _filled(measured)
    off = np.abs(measured["measured"].to_numpy(dtype=np.float64) - np.nan_to_num(usual)) * bench.cents_a_unit
    return measured.assign(usual=usual, at_risk=cents(np.where(np.isnan(usual), 0, off)))


_OF_FIRST = (
    "account_id", "customer_class", "meter_size", "meter_id", "register_id", "read_id", "removed", "ends_on", "ended",
    "outside",
)  # fmt: skip


def _filled(measured: pd.DataFrame) -> npt.NDArray[np.float64]:
    """What is usual for each service: its own past, or its class where it has none; NaN where neither is known."""
    reference = measured["reference"].to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(reference), measured["class_median"].to_numpy(dtype=np.float64), reference)


def _usual(laid: pd.DataFrame, measured: pd.DataFrame, bench: Bench) -> pd.DataFrame:
    """Lay beside each register what its service usually uses in the billing unit, and the money at risk (cents).

    At risk is what is usual where the register has no usable read, else what the service is off by.
    """
    count, at = bench.past.count, laid["position"].to_numpy(dtype=np.int64)
    usual, in_row = np.full(count, np.nan), np.zeros(count, dtype=np.int64)
    usual[measured["position"].to_numpy()] = measured["usual"].to_numpy()
    in_row[measured["position"].to_numpy()] = measured["in_row"].to_numpy()
    off = np.zeros(count, dtype=np.int64)
    off[measured["position"].to_numpy()] = measured["at_risk"].to_numpy()
    bills = np.bincount(bench.past.at, minlength=count)
    risk = cents(np.nan_to_num(usual[at]) * bench.cents_a_unit)
    moved = laid["has_value"].to_numpy(dtype=bool) & ~laid["due"].to_numpy(dtype=bool)
    if moved.any():  # an inactive service: what ran through its meter
        rows = laid.loc[moved]
        ran = bench.billing.of(np.maximum(rows["forward"].to_numpy(dtype=np.int64), 0), rows["unit"].to_numpy())
        risk[moved] = cents(ran * bench.cents_a_unit)
    laid = laid.assign(
        finding_key=laid["register_key"],
        usual=usual[at],
        usual_cents=risk,
        at_risk=np.where(laid["usable"].to_numpy(dtype=bool) & laid["due"].to_numpy(dtype=bool), off[at], risk),
        in_row=in_row[at],
        bills_before=bills[at],
    )
    return laid.assign(stuck=stuck(laid, bench))


def _found(
    laid: pd.DataFrame, measured: pd.DataFrame, reads: pd.DataFrame, bench: Bench, intervals: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What all the checks say, and the services that findings on routes and files stand for."""
    routes, of_routes, registers = patterns.missing_routes(laid, bench)
    files, of_files = patterns.shifted_files(laid, reads, bench)
    listed = [
        routes,
        files,
        *of_registers(laid, bench, registers),
        *patterns.of_meters(laid, intervals, bench),
        *of_services(measured, bench),
    ]
    covers = [frame for frame in (of_routes, of_files) if len(frame)]
    return together(listed), pd.concat(covers, ignore_index=True) if covers else of_routes


def _behind_files(findings: pd.DataFrame, covers: pd.DataFrame) -> pd.DataFrame:
    """The findings without those about services of a file whose order is in doubt, until that is decided accept.

    Where the doubt holds no bill, because the district only has it looked at, everything else is said as well.
    """
    doubted = findings["rule"].eq("file_shift") & findings["decision"].ne("accept")
    doubted &= findings["severity"].eq("block") | findings["decision"].ne("")
    if not doubted.any():
        return findings
    services = covers.loc[covers["exception_id"].isin(findings.loc[doubted, "exception_id"]), "service_id"]
    return findings.loc[~findings["service_id"].isin(services)].reset_index(drop=True)


def _evidence(services: pd.DataFrame, made: Honoured) -> pd.Series[str]:
    """How each estimated service was estimated; blank for one that was read."""
    estimated = pd.Series(same(services["read_code"], "estimated"), index=services.index)
    told = [made.evidence.get(str(name), BY_READER) for name in services["service_id"]] if estimated.any() else ""
    return pd.Series("", index=services.index, dtype="str").mask(estimated, pd.Series(told, index=services.index))
