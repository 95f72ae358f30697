"""The sheet Policy: the district's rules as staff type them, and what they must be taken together."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from xlbilling.intake.receipts import payment_words
from xlbilling.office.desk.buttons import ROLES_GIVEN
from xlbilling.office.desk.changes import Changes
from xlbilling.office.desk.desk import Desk, today
from xlbilling.office.desk.policy import STAFF, days_of_change, with_meanings, wrong_values
from xlbilling.office.desk.surface import surface
from xlbilling.office.desk.undo import Step
from xlbilling.office.desk.working_tables import WorkingTable, write_rows
from xlbilling.store import Work
from xlbilling.trade.reads.rules import POLICY_WRONG, in_force, states
from xlbilling.words.problems import Place, Problem, declare
from xlbilling.words.records import TABLE
from xlbilling.workbook.port import row_keys

NO_LEAD: Final = declare(
    "no_lead",
    "Nobody would have the role lead any more.",
    "Leave one lead on sheet Policy, topic staff; otherwise nobody could post or give roles.",
)
SPELLED_TWICE: Final = declare(
    "policy_spelled_twice",
    "Two rows of Policy name the same setting and spell it differently, so neither follows the other.",
    "Spell the setting as the row that is there does; In force from says which of them holds on a day.",
)


@surface("policy", role="lead", follows=("cycles",))
class Policy(WorkingTable):
    """The rules, each value from its day: values billing can use on every day, roles there are, and somebody to lead."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        rows = self.stored(desk)
        return rows.assign(state=states(rows, today(desk.store)))

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        stored, typed = self.stored(desk), pd.concat([change.new, change.changed])
        keys = set(row_keys(self.declared, typed))
        kept = stored.loc[[key not in keys for key in row_keys(self.declared, stored)]]
        rules = pd.concat([kept, typed.reindex(columns=stored.columns)], ignore_index=True)
        problems = [*wrong_values(rules), *_wrong_roles(rules, today(desk.store)), *_spelled_twice(change.new, rules)]
        return [change.sheet.locate(p) if change.sheet else p for p in problems]

    def told(self, desk: Desk, change: Changes) -> list[str]:
        """The day on which a value that is not in force yet begins to count."""
        return [
            f"{row['topic']} / {row['setting']} = {row['value'] or '(blank)'} comes on {row['effective_from']:%Y-%m-%d}."
            for _, row in change.rows()
            if pd.notna(row["effective_from"]) and row["effective_from"].date() > today(desk.store)
        ]

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        change.new = with_meanings(change.new)
        return write_rows(work, change, desk)


def _wrong_roles(rules: pd.DataFrame, day: dt.date) -> Iterator[Problem]:
    """Roles there are none of, and days from today on without a lead."""
    staff = rules.loc[rules["topic"].eq(STAFF)]
    for key, value in zip(row_keys(TABLE["policy"], staff), staff["value"], strict=True):
        if value not in ROLES_GIVEN:
            place = Place(table="policy", key=key, column="value")
            yield POLICY_WRONG.at(place, f"{value!r} is not one of {', '.join(ROLES_GIVEN)}")
    for first in [day, *(later for later in days_of_change(staff) if later > day)]:
        if not in_force(staff, first)["value"].eq("lead").any():
            when = f" from {first}" if first > day else ""
            yield NO_LEAD.at(Place(table="policy", column="value"), f"no log-in would have the role lead{when}")
            return


def _spelled_twice(new: pd.DataFrame, rules: pd.DataFrame) -> Iterator[Problem]:
    """New rows of a setting that another row spells differently, such as method / ACH and method / ach."""
    known: dict[tuple[str, str], str] = {}
    typed = set(zip(new["topic"], new["setting"], strict=True))
    spelled = [*zip(rules["topic"], rules["setting"], strict=True)]
    for topic, setting in sorted(spelled, key=typed.__contains__):
        other = known.setdefault((topic, _as_read(topic, setting)), setting)
        if other != setting and (topic, setting) in typed:
            key = row_keys(TABLE["policy"], new.loc[new["topic"].eq(topic) & new["setting"].eq(setting)])[0]
            yield SPELLED_TWICE.at(
                Place(table="policy", key=key, column="setting"), f"{setting!r} is the setting {other!r} of another row"
            )


def _as_read(topic: str, setting: str) -> str:
    """A setting as its readers tell it apart from others."""
    rule = payment_words.named_rule(setting) if topic == payment_words.TOPIC else None
    return " / ".join(rule or [part.strip() for part in setting.split(" / ")])
