"""The desk: one person at one workbook on one store, with the period and the run they are working on."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import pandas as pd

from xlbilling.office.desk.buttons import ROLES, ROLES_GIVEN, Role
from xlbilling.office.desk.months import Months
from xlbilling.store import Store, Work
from xlbilling.trade.journal import NO_ROLE
from xlbilling.trade.reads import BillingUnit, Rules, Window
from xlbilling.trade.reads.rules import InForce, in_force
from xlbilling.words.money import dollars
from xlbilling.words.periods import AccountingPeriod
from xlbilling.words.problems import Conflict, Place, Refusal, declare
from xlbilling.workbook.port import Workbook

NO_PERIOD: Final = declare(
    "no_period", "No accounting period is chosen on Start.", "Type the open period on Start, such as 2026-11."
)
PERIOD_NOT_OPEN: Final = declare(
    "period_not_open",
    "The accounting period on Start is closed.",
    "Type an open period on Start, such as the one named.",
)
NO_RUN: Final = declare(
    "no_run",
    "The cycle on Start has no run in this accounting period.",
    "Choose the cycle on Start, or add the run on sheet Cycles and Save.",
)
NOT_ALLOWED: Final = declare(
    "not_allowed", "The button needs another role.", "Ask the billing lead; roles are on sheet Policy, topic staff."
)
_SHOWN: Final = re.compile(r"(?:(\d+) \w+ )?\(sheets: (.*) (\S+)\)")


@dataclass(frozen=True, slots=True)
class Run:
    """One billing run of a cycle with its dates."""

    cycle: str
    period: str
    read_from: pd.Timestamp
    read_to: pd.Timestamp
    bill_date: pd.Timestamp
    due_date: pd.Timestamp
    delinquent_date: pd.Timestamp
    autopay_date: pd.Timestamp

    @property
    def window(self) -> Window:
        return Window(self.cycle, self.period, self.read_from.date(), self.read_to.date())

    def __str__(self) -> str:
        return f"cycle {self.cycle} of {self.period}"


_ANEW: Final = re.compile(r"(.*) of (\d{4}-\d{2})")


def billed_anew(cycle: str, period: str) -> str:
    """What bills carry as their cycle that stand, in a later month, in the place of bills of this run."""
    return f"{cycle} of {period}"


def run_billed_anew(cycle: str) -> tuple[str, str] | None:
    """Cycle and period of the run whose bills were billed anew under this name; None for a cycle itself."""
    found = _ANEW.fullmatch(cycle)
    return (found[1], found[2]) if found else None


@dataclass
class Desk:
    """Everything an action needs: the workbook port, the store, who is asking and the folder files go to."""

    book: Workbook
    store: Store
    actor: str
    folder: Path
    at: tuple[str, str] | None = None  # cycle and period to work on instead of those typed on Start

    def rules_on(self, day: dt.date) -> Rules:
        """The rules of sheet Policy that are in force on a day."""
        if day not in self._rules:
            self._rules[day] = Rules.of(policy_on(self.store, day))
        return self._rules[day]

    @cached_property
    def _rules(self) -> dict[dt.date, Rules]:
        return {}

    @property
    def run_day(self) -> dt.date:
        """The day whose rules a run goes by: its bill date; in a month without a run of the cycle, the month's last day."""
        try:
            return self.run.bill_date.date()
        except Refusal as refusal:
            if refusal.problem.code != NO_RUN.code:
                raise
            return self.period.last

    @property
    def run_rules(self) -> Rules:
        """The rules by which the run's reads are checked and its bills computed: those of its bill date."""
        return self.rules_on(self.run_day)

    @property
    def role(self) -> str:
        """The actor's role today as sheet Policy has it; somebody who is not listed may look, nothing more."""
        return self.rules_on(today(self.store)).settings.get(("staff", self.actor), "")

    def need(self, role: Role, what: str) -> None:
        """Refuse where the actor's role does not reach to `role`."""
        held = next((known for known in ROLES_GIVEN if known == self.role), "anyone")
        if ROLES.index(held) < ROLES.index(role):
            fact = f"{what} needs the role {role}; {self.actor} has {self.role or 'none'}"
            raise Refusal(NOT_ALLOWED.at(Place(table="policy", key=f"staff / {self.actor}"), fact))

    @cached_property
    def period(self) -> AccountingPeriod:
        """The accounting period chosen on Start; it must be open."""
        text = self.at[1] if self.at else self._typed("Period")
        if not text:
            raise Refusal(NO_PERIOD.at(Place(table="Start", cell="Period"), "no accounting period is chosen"))
        try:
            return AccountingPeriod.parse(text)
        except ValueError as fault:
            raise Refusal(NO_PERIOD.at(Place(table="Start", cell="Period"), str(fault))) from None

    def need_open(self) -> AccountingPeriod:
        """The chosen accounting period; refused where it is closed, or before the month the books begin with."""
        months = Months.of(self.store)
        if not months.takes(self.period):
            fact = f"accounting period {self.period} is closed; the first open one is {months.first_open or 'none'}"
            raise Conflict(PERIOD_NOT_OPEN.at(Place(table="Start", cell="Period"), fact))
        return self.period

    @property
    def cycle(self) -> str:
        """The cycle chosen on Start."""
        return self.at[0] if self.at else self._typed("Cycle")

    def _typed(self, name: str) -> str:
        return str(self.book.get(name) or "").strip()

    def seen(self) -> tuple[int, tuple[str, str] | None]:
        """The last event that was on the sheets when they were filled, and the cycle and period they show."""
        found = _SHOWN.fullmatch(self._typed("ChainHead"))
        return (int(found[1] or 0), (found[2], found[3])) if found else (0, None)

    def note_seen(self, head: str) -> None:
        """Note on Start which event the sheets show the store at, and which cycle and period."""
        self.book.put("ChainHead", f"{head} (sheets: {self.cycle} {self.period})".strip())

    @property
    def turned(self) -> bool:
        """True where the cycle or the period on Start was changed and the sheets still show another."""
        shown = self.seen()[1]
        return shown is not None and shown != (self._typed("Cycle"), self._typed("Period"))

    def as_shown(self) -> Desk:
        """The desk at the cycle and period that the sheets show, whatever is typed on Start by now."""
        return replace(self, at=self.seen()[1]) if self.at is None and self.turned else self

    @property
    def chosen(self) -> dict[str, str]:
        """Cycle and period on Start as the values of a query: c and p. There need not be a run for them."""
        return {"c": self.cycle, "p": str(self.period)}

    @cached_property
    def run(self) -> Run:
        """The run of the cycle chosen on Start in the chosen period."""
        found = self.store.table("cycles", "cycle = :c AND period = :p", **self.chosen)
        if found.empty:
            fact = f"cycle {self.cycle or '(blank)'} has no run in {self.period}"
            raise Refusal(NO_RUN.at(Place(table="Start", cell="Cycle"), fact))
        row = found.iloc[0]
        return Run(**{name: row[name] for name in Run.__dataclass_fields__})

    @property
    def billing_unit(self) -> BillingUnit:
        """The run's billing unit and what is done with fractions."""
        return self.billing_unit_on(self.run_day)

    def billing_unit_on(self, day: dt.date) -> BillingUnit:
        """The district's billing unit on a day and what it does with fractions, as sheet Policy says."""
        rules = self.rules_on(day)
        return BillingUnit(
            rules.text("billing", "billing_unit"),
            rules.fraction("billing", "gallons_per_ccf"),
            rules.whole("billing", "consumption_places"),
            rules.choice("billing", "fractions", "bill", "truncate", "carry"),
        )

    def within(self, work: Work) -> Desk:
        """The desk as it reads inside a transaction: what was looked at before is looked at again there, and holds."""
        return replace(self, store=cast("Store", work))

    def receivable(self) -> str:
        """The control account bills are debited to; exactly one ledger account has the role."""
        return self.gl_account("receivable")

    def gl_account(self, role: str) -> str:
        found = self.store.table("gl_accounts", "role = :role", role=role)["gl_account"].tolist()
        if len(found) != 1:
            raise Refusal(
                NO_ROLE.at(Place(table="gl_accounts", column="role"), f"{len(found)} accounts have the role {role}")
            )
        return str(found[0])

    def confirm(self, lines: Sequence[str]) -> bool:
        """Put a preview to the person; True once they have said yes to exactly this."""
        return self.book.confirm("\n".join(lines))

    def forget(self) -> None:
        """Drop what was remembered of Policy, period and run, after a change."""
        for name in ("_rules", "period", "run"):
            self.__dict__.pop(name, None)


def today(store: Store | Work) -> dt.date:
    return store.clock().date()


def policy_on(store: Store | Work, day: dt.date) -> InForce:
    """The rows of sheet Policy in force on a day: the one way to read it, but for the sheet itself."""
    return in_force(store.table("policy"), day)


def latest_day(desk: Desk) -> dt.date:
    """The last day money can have come: today, or the end of the month on Start where that is later."""
    return max(today(desk.store), desk.period.last)


def money(amount_cents: Any) -> str:
    return dollars(int(amount_cents or 0))
