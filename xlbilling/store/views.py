"""Views: what is asked of the store by name, each with its columns and their sorts declared beside the question.

A view, and any other question, may ask the relations below as if they were tables; they say once what stands of the
bills, what is owed and what was used. A view of one room is declared in that room, what several ask for is declared here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from xlbilling.store.schema import columns_of

_OF_BILL: Final = ("batch", "bill_key", "kind", "account_id", "cycle", "period", "bill_date", "due_date", "replaces")
_SECTION: Final = f"s.*, {', '.join(f'b.{name}' for name in _OF_BILL)}"
# The columns of sections and standing, with their sorts.
OF_SECTION: Final = columns_of("bill_services") | {name: columns_of("bills")[name] for name in _OF_BILL}
RELATIONS: Final = {
    # The sections of bills, one a service, with what their bill says.
    "sections": f"SELECT {_SECTION} FROM bill_services s JOIN bills b ON b.number = s.number",  # noqa: S608
    # Those of bills that were not reversed: of a service and a day there is at most one.
    "standing": (
        f"SELECT {_SECTION} FROM standing_bills t JOIN bill_services s ON s.number = t.number AND s.service_id = t.service_id "  # noqa: S608
        "JOIN bills b ON b.number = s.number"
    ),
    # What makes an account owe more or less: the lines of the journal on the control account, with their entry.
    "receivable": (
        "SELECT e.entry, e.period, e.post_date, e.kind, e.batch, e.document, e.reverses, j.gl_account, j.account_id, j.amount "
        "FROM journal j JOIN entries e ON e.entry = j.entry "
        "JOIN gl_accounts g ON g.gl_account = j.gl_account AND g.role = 'receivable'"
    ),
    # What services used: as the old system billed it, and on the bills that stand.
    "used": (
        "SELECT service_id, service_from, service_to, days, consumption, unit, read_code FROM consumption_history UNION ALL "
        "SELECT s.service_id, s.service_from, s.service_to, s.days, s.consumption, s.unit, s.read_code FROM standing_bills t "
        "JOIN bill_services s ON s.number = t.number AND s.service_id = t.service_id"
    ),
}


@dataclass(frozen=True)
class View:
    """One question: its SQL, the sorts of its columns in their order, and the words that are always bound to it."""

    sql: str
    columns: Mapping[str, str]
    constants: Mapping[str, Any]


VIEWS: Final[dict[str, View]] = {}


def view(name: str, columns: str | Mapping[str, str], sql: str, **constants: Any) -> str:
    """Declare a view and give its name back; `columns` as the schema writes them: `account_id amount:int day:day?`."""
    if name in VIEWS:
        raise ValueError(f"view {name} is declared twice")
    sorts = sorts_of(columns) if isinstance(columns, str) else columns
    VIEWS[name] = View(with_relations(sql), sorts, constants)
    return name


@lru_cache(maxsize=256)
def with_relations(sql: str) -> str:
    """A question with the relations it asks put before it."""
    asked = [relation for relation in RELATIONS if re.search(rf"\b(?:FROM|JOIN)\s+{relation}\b", sql)]
    first = ", ".join(f"{relation} AS ({RELATIONS[relation]})" for relation in asked)
    return f"WITH {first} {sql}" if asked else sql


def sorts_of(columns: str) -> dict[str, str]:
    """Names and sorts of columns from their short form; a sort is "", int, day, yes or blob, with ? for one with gaps."""
    sorts = {}
    for spec in columns.split():
        name, _, sort = spec.partition(":")
        sorts[name.rstrip("?")] = sort or ("?" if spec.endswith("?") else "")
    return sorts


view("owed", "account_id amount:int", "SELECT account_id, SUM(amount) AS amount FROM receivable GROUP BY account_id")
view("owed_in_all", "amount:int", "SELECT COALESCE(SUM(amount), 0) AS amount FROM receivable")
view(
    "owed_by_month",
    "period kind amount:int",
    "SELECT period, kind, SUM(amount) AS amount FROM receivable WHERE period BETWEEN :first AND :last GROUP BY period, kind",
)
