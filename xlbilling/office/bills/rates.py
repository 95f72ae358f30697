"""Rates: the sheet's lines checked for what cannot be priced and for what looks wrong, before anybody is billed by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import Surface, surface
from xlbilling.office.desk.working_tables import WorkingTable
from xlbilling.trade.tariffs.lint import lint_rates
from xlbilling.words.problems import Problem
from xlbilling.words.records import TABLE
from xlbilling.workbook.cells import refused_rows, take

_TOLD: Final = 3


def check_rates(desk: Desk) -> Outcome:
    """Check every line on sheet Rates and say what cannot be priced and what looks wrong; nothing is changed."""
    rates, problems = _lines(desk)
    problems = [*problems, *lint_rates(rates)]
    if desk.book.has_sheets:
        desk.book.show("Rates")
    return Outcome(_said(len(rates), rates, problems), problems, listed=bool(problems))


def _lines(desk: Desk) -> tuple[pd.DataFrame, list[Problem]]:
    """The lines as they stand on the sheet, those with a cell that cannot be taken left out; without sheets the store's."""
    if not desk.book.has_sheets:
        return desk.store.table("rates"), []
    sheet = desk.book.read("rates")
    typed, problems = take(TABLE["rates"], sheet)
    return typed.drop(index=typed.index[refused_rows(problems, sheet)]).reset_index(drop=True), problems


def _said(count: int, rates: pd.DataFrame, problems: Sequence[Problem]) -> str:
    schedules = len(rates[["tariff", "customer_class"]].drop_duplicates())
    checked = f"{count} lines of {schedules} rate schedules and classes checked"
    if not problems:
        return f"{checked}: nothing found."
    blocking = sum(problem.severity == "block" for problem in problems)
    first = "; ".join(problem.fact.rstrip(".") for problem in problems[:_TOLD])
    more = f"; and {len(problems) - _TOLD} more" if len(problems) > _TOLD else ""
    return f"{checked}: {blocking} cannot be priced, {len(problems) - blocking} look wrong; they are marked. {first}{more}."


@surface("rates", role="lead", follows=("choices",))
class Rates(WorkingTable):
    """The lines of the rate schedules."""


@surface("choices")
class Choices(Surface):
    """The rate schedules and the classes of Rates, each once and by name, for the drop-downs on Services."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        rates = desk.store.table("rates")
        lists = {name: sorted(rates[name].unique()) for name in ("tariff", "customer_class")}
        count = max(map(len, lists.values()))
        blank = {name: [*words, *[""] * (count - len(words))] for name, words in lists.items()}
        return pd.DataFrame(blank, dtype="str").assign(number=range(1, count + 1))
