"""The sheet Policy: the district's rules as staff type them, and what they must be taken together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pandas as pd

from xlbilling.office.buttons import ROLES_GIVEN
from xlbilling.office.desk import Desk
from xlbilling.office.policy import STAFF, wrong_values
from xlbilling.office.surface import surface
from xlbilling.office.working_copy import Changes
from xlbilling.office.working_tables import WorkingTable
from xlbilling.problems import Place, Problem, declare
from xlbilling.reads.rules import POLICY_WRONG
from xlbilling.workbook.port import row_keys

NO_LEAD: Final = declare(
    "no_lead",
    "Nobody would have the role lead any more.",
    "Leave one lead on sheet Policy, topic staff; otherwise nobody could post or give roles.",
)


@surface("policy", role="lead", follows=("cycles",))
class Policy(WorkingTable):
    """The rules: values billing can use, roles there are, and somebody left to lead."""

    def wrong(self, desk: Desk, change: Changes, others: Mapping[str, Changes]) -> list[Problem]:
        stored, typed = self.stored(desk), pd.concat([change.new, change.changed])
        keys = set(row_keys(self.declared, typed))
        kept = stored.loc[[key not in keys for key in row_keys(self.declared, stored)]]
        rules = pd.concat([kept, typed.reindex(columns=stored.columns)], ignore_index=True)
        problems = wrong_values(rules)
        staff = rules.loc[rules["topic"].eq(STAFF)]
        for setting, value in zip(staff["setting"], staff["value"], strict=True):
            if value not in ROLES_GIVEN:
                place = Place(table="policy", key=f"{STAFF} / {setting}", column="value")
                problems.append(POLICY_WRONG.at(place, f"{value!r} is not one of {', '.join(ROLES_GIVEN)}"))
        if not staff["value"].eq("lead").any():
            problems.append(NO_LEAD.at(Place(table="policy", column="value"), "no log-in would have the role lead"))
        return [change.sheet.locate(p) if change.sheet else p for p in problems]
