"""The sample district: every table a new store is filled with, and the flow its later read files are made from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from xlbilling.demo import FEWEST, names
from xlbilling.demo import services as drawn
from xlbilling.demo.cycles import CYCLES, Cycle, runs
from xlbilling.demo.flow import HISTORY_RUNS, Flow, frame_of
from xlbilling.demo.opening import opening_balances
from xlbilling.demo.rates import gl_accounts, schedules
from xlbilling.office.desk.desk import Run
from xlbilling.office.desk.policy import starting_policy
from xlbilling.trade.reads import BillingUnit, Rules
from xlbilling.trade.reads.rules import in_force
from xlbilling.trade.reads.units import MILLION, truncated
from xlbilling.words.periods import AccountingPeriod


@dataclass(frozen=True)
class District:
    """A district on the eve of an accounting period, in the store's types.

    `history`: earlier service periods, as table consumption_history. `opening`: what customers owe from earlier bills,
    one row a service, charge and bill date: account_id, service_id, charge, bill_date, due_date, amount (cents; below
    zero for money on account). The other frames are the working tables of the same names.
    """

    name: str
    period: AccountingPeriod
    seed: int
    policy: pd.DataFrame
    gl_accounts: pd.DataFrame
    rates: pd.DataFrame
    cycles: pd.DataFrame
    accounts: pd.DataFrame
    services: pd.DataFrame
    meters: pd.DataFrame
    history: pd.DataFrame
    opening: pd.DataFrame
    flow: Flow

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The working tables by name, as `Work.insert` takes them."""
        listed = ("policy", "gl_accounts", "rates", "cycles", "accounts", "services", "meters")
        return {name: getattr(self, name) for name in listed}

    @property
    def balances(self) -> pd.DataFrame:
        """What each account owes at the opening: account_id, amount (cents)."""
        return self.opening.groupby("account_id")["amount"].sum().reset_index()

    def run(self, cycle: str, period: str) -> Run:
        """The run of a cycle in an accounting period; ValueError where it has none."""
        found = self.cycles.loc[self.cycles["cycle"].eq(cycle) & self.cycles["period"].eq(period)]
        if found.empty:
            raise ValueError(f"cycle {cycle} has no run in {period}")
        return Run(**{name: found[name].iloc[0] for name in Run.__dataclass_fields__})

    def due(self, period: str) -> list[Run]:
        """The runs due in an accounting period."""
        return [self.run(cycle, period) for cycle in self.cycles.loc[self.cycles["period"].eq(period), "cycle"]]

    @cached_property
    def billing_unit(self) -> BillingUnit:
        """The unit the district bills in, as its policy says."""
        return billing_unit(Rules.of(in_force(self.policy, self.period.last)))


def sample_district(accounts: int = 2000, period: str = "2026-10", seed: int = 20261) -> District:
    """A district of so many accounts on the eve of `period`; the same arguments give the same district.

    ValueError below 200 accounts, where the troubles of a month would not find room.
    """
    if accounts < FEWEST:
        raise ValueError(f"a sample district has at least {FEWEST} accounts, not {accounts}")
    month = AccountingPeriod.parse(period)
    rng = np.random.default_rng([seed, 1])
    table, customers = drawn.customers(rng, accounts, month)
    water, fire = drawn.water_services(rng, customers), drawn.fire_lines(rng, customers)
    flow = drawn.flow(seed, month, water, drawn.registers(rng, water))
    policy, rates = starting_policy(names.DISTRICT).assign(rev=1), schedules(month)
    last_read = _last_reads(flow, water)
    services = drawn.services_table(water, fire, last_read)
    history = _until_closed(_history(flow, fire, water, billing_unit(Rules.of(in_force(policy, month.last)))), services)
    return District(
        name=names.DISTRICT,
        period=month,
        seed=seed,
        policy=policy,
        gl_accounts=gl_accounts(),
        rates=rates,
        cycles=runs(month),
        accounts=table.assign(rev=1),
        services=services,
        meters=drawn.meters_table(flow, last_read, water["opened_on"].to_numpy(dtype="datetime64[D]")),
        history=history,
        opening=opening_balances(np.random.default_rng([seed, 3]), services, history, rates, month),
        flow=flow,
    )


def billing_unit(rules: Rules) -> BillingUnit:
    """The billing unit of a policy."""
    return BillingUnit(
        rules.text("billing", "billing_unit"),
        rules.fraction("billing", "gallons_per_ccf"),
        rules.whole("billing", "consumption_places"),
        rules.choice("billing", "fractions", "bill", "truncate", "carry"),
    )


def _last_reads(flow: Flow, water: pd.DataFrame) -> Any:
    """The day each water service was last read before the first run; for a new one, the day it was set."""
    made = np.zeros(len(water), dtype="datetime64[D]")
    for number, cycle in enumerate(CYCLES):
        rows = np.flatnonzero(water["cycle"].eq(number).to_numpy())
        route, new = water["route"].to_numpy()[rows], water["first_days"].to_numpy()[rows]
        before = cycle.read_days(cycle.month(flow.period, -1), route)
        now = cycle.read_days(cycle.month(flow.period, 0), route)
        made[rows] = np.where(new > 0, now - new, before)
    return made


def _history(flow: Flow, fire: pd.DataFrame, water: pd.DataFrame, billing: BillingUnit) -> pd.DataFrame:
    """Seven two-month periods of every service that is not new, ending with the read before the first run."""
    made = []
    for number, cycle in enumerate(CYCLES):
        rows, at = flow.of_cycle(cycle)
        old = water["first_days"].to_numpy()[rows] == 0
        lines = fire.loc[fire["cycle"].eq(number)]
        service = np.concatenate([flow.services["service_id"].to_numpy()[rows[old]], lines["service_id"].to_numpy()])
        route = np.concatenate([flow.services["route"].to_numpy()[rows[old]], lines["route"].to_numpy()])
        for run in range(-HISTORY_RUNS, 0):
            billed = np.zeros(len(service), dtype=np.int64)
            billed[: int(old.sum())] = _billed(flow, cycle, run, at, billing)[rows][old]
            after, until = (cycle.read_days(cycle.month(flow.period, n), route) for n in (run - 1, run))
            made.append(
                frame_of(
                    {"service_id": service, "service_from": after, "service_to": until}
                    | {"days": (until - after).astype(np.int64), "consumption": billed}
                    | {"unit": np.full(len(service), billing.unit, dtype=object)}
                    | {"read_code": np.full(len(service), "actual", dtype=object)}
                )
            )
    return pd.concat(made, ignore_index=True).sort_values(["service_id", "service_to"], ignore_index=True)


def _until_closed(history: pd.DataFrame, services: pd.DataFrame) -> pd.DataFrame:
    """The history without the periods after a service was closed."""
    ended = services.loc[services["ended_on"].notna()].set_index("service_id")["ended_on"]
    end = history["service_id"].map(ended)
    return history.loc[~history["service_to"].gt(end)].reset_index(drop=True)


def _billed(flow: Flow, cycle: Cycle, run: int, at: Any, billing: BillingUnit) -> Any:
    """Billed consumption of every service (0 outside the cycle) in millionths, from the dials as Compute does it."""
    mine = flow.registers.iloc[at]
    counted = flow.steps(cycle, run) * mine["multiplier"].to_numpy() * MILLION
    each = billing.of(counted, mine["unit"].to_numpy())
    made = np.zeros(len(flow.services), dtype=np.int64)
    np.add.at(made, mine["service"].to_numpy(), each)
    return truncated(made) if billing.fractions == "truncate" else made
