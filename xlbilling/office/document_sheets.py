"""Document sheets: what every table of documents shows, how typing on it is written and taken back.

Typed rows get a number, their author and the month they post in, and wait; while they wait they may be changed, once
they are posted they stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from xlbilling.office.desk.changes import Changes, changed_meanwhile
from xlbilling.office.desk.desk import Desk, today
from xlbilling.office.desk.history import TAKEN_OUT, content, keep_change, keep_revision, last_change
from xlbilling.office.desk.months import Months, months_of
from xlbilling.office.desk.surface import Surface
from xlbilling.office.desk.undo import Step, overtaken, takes_back
from xlbilling.office.desk.working_tables import bound
from xlbilling.office.posting import POSTED_ROW
from xlbilling.store import Work
from xlbilling.store.schema import columns_of
from xlbilling.store.views import view as declare_view
from xlbilling.trade.documents import KINDS, DocumentKind, typed_tables
from xlbilling.words.problems import Refusal
from xlbilling.words.records import TABLE
from xlbilling.words.states import OPEN, REVERSED, WITHDRAWN

for _name in typed_tables():
    _key = TABLE[_name].key[0]
    declare_view(
        f"{_name} of period",
        {**columns_of(_name), "reversed": "", "poster": ""},
        "SELECT d.*, COALESCE(r.reversed_by, '') AS reversed, COALESCE(e.actor, '') AS poster "  # noqa: S608
        f"FROM {_name} d LEFT JOIN reversals r ON r.document = d.{_key} LEFT JOIN entries e ON e.document = d.{_key} "
        f"WHERE d.period = :p AND d.state <> :withdrawn ORDER BY d.{_key}",
        withdrawn=WITHDRAWN,
    )


class DocumentSheet(Surface):
    """Documents of the period, each with who took it in, who posted it, and whether it was reversed."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        documents = self.stored(desk)
        documents["state"] = documents["state"].where(documents["reversed"].eq(""), REVERSED)
        return documents

    def stored(self, desk: Desk) -> pd.DataFrame:
        return desk.store.view(f"{self.name} of period", p=str(desk.period))

    def withdrawn(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Documents that were taken back."""
        back = desk.store.table(self.name, "state = :w", w=WITHDRAWN)
        back = back.loc[back[self._key].isin(keys)]
        return back.assign(actor=[last_change(desk.store, self.name, number)[0] for number in back[self._key]])

    def away(self, desk: Desk, keys: Sequence[str]) -> pd.DataFrame:
        """Documents of another period."""
        other = desk.store.table(self.name, "period <> :p AND state <> :w", p=str(desk.period), w=WITHDRAWN)
        return other.loc[other[self._key].isin(keys)]

    def write(self, desk: Desk, work: Work, change: Changes) -> list[Step]:
        """Write typed documents: new ones get a number, open ones may be changed, posted ones may not."""
        for label, row, old in change.pairs():
            if old["state"] != OPEN:
                fact = f"{self._kind.word} {row[self._key]} is {old['state']}"
                raise Refusal(POSTED_ROW.at(change.place(label, self._key), fact))
        self.refuse_unfit(desk, work, change)
        dated, typed = self._kind.dated, self.declared.names("typed")
        new = change.new.assign(**{dated: change.new[dated].fillna(pd.Timestamp(posting_day(desk)))})
        numbers = take_in(work, self.name, new) if len(new) else []
        event = work.event(f"{self.declared.sheet.name}: {len(numbers)} new, {len(change.changed)} changed")
        step: Step = {"kind": "documents", "table": self.name, "new": [], "changed": []}
        for number, as_typed, row in zip(numbers, _records(change.new), _records(new), strict=True):
            keep_revision(work, self.name, number, 1, event, content(as_typed, typed))
            step["new"].append({"number": number, "written": _values(row, typed)})
        for label, row, old in change.pairs():
            number, written = row[self._key], _values(row, typed)
            if not work.update(self.name, {self._key: number}, int(old["rev"]), written):
                raise changed_meanwhile(desk, change, label, number)
            keep_change(work, self.name, number, event, old, row, typed)
            step["changed"].append({"number": number, "written": written, "before": _values(old, typed)})
        return [step]

    def refuse_unfit(self, desk: Desk, work: Work, change: Changes) -> None:
        """Refuse typed documents that cannot be beside what the store has by now, each with its cell."""

    @property
    def _kind(self) -> DocumentKind:
        return of_table(self.name)

    @property
    def _key(self) -> str:
        return self.declared.key[0]


def of_table(name: str) -> DocumentKind:
    """The first kind of document that a table holds; its number letters are those of the table."""
    return next(kind for kind in KINDS if kind.table == name)


def posting_day(desk: Desk) -> dt.date:
    """The day a document posts on that was typed without one: today where it is in the period, else its last day."""
    day, period = today(desk.store), desk.period
    return day if period.first <= day <= period.last else period.last


def take_in(work: Work, name: str, rows: pd.DataFrame) -> list[str]:
    """Write documents as open ones, each in the month it posts in; their numbers, which are the next of the table."""
    kind = of_table(name)
    numbers = work.documents(kind.letters, len(rows))
    months = months_of(Months.of(work).posting_days(rows[kind.dated]))
    taken = rows.assign(batch="", author=work.actor, period=months, state=OPEN, rev=1)
    taken[kind.key] = numbers
    beside = {column: None for column, sort in columns_of(name).items() if sort.endswith("?") and column not in taken}
    work.insert(name, taken.assign(**beside))
    return numbers


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.to_dict("records")


def _values(row: Mapping[Any, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: bound(row[name]) for name in names}


@takes_back("documents")
def take_back_documents(work: Work, step: Step) -> None:
    """Withdraw typed documents and give changed ones their earlier values; refused where one was posted or changed since."""
    name, key = step["table"], TABLE[step["table"]].key[0]
    sheet = TABLE[name].sheet.name
    event = work.event(f"{sheet}: {len(step['new'])} withdrawn, {len(step['changed'])} put back")
    for document in step["new"]:
        rev = _as_written(work, name, document)
        work.update(name, {key: document["number"]}, rev, {"state": WITHDRAWN})
        keep_revision(work, name, document["number"], rev + 1, event, TAKEN_OUT)
    for document in step["changed"]:
        rev, before = _as_written(work, name, document), document["before"]
        work.update(name, {key: document["number"]}, rev, before)
        keep_revision(work, name, document["number"], rev + 1, event, content(before, list(before)))


def _as_written(work: Work, name: str, document: Mapping[str, Any]) -> int:
    """The revision of a document that is open and as it was written; refused where it is not."""
    number, key = document["number"], TABLE[name].key[0]
    row = work.table(name, f"{key} = :n AND state = :open", n=number)
    if row.empty or any(bound(row[column].iloc[0]) != value for column, value in document["written"].items()):
        raise overtaken(name, number, f"{of_table(name).word} {number} was changed or posted since")
    return int(row["rev"].iloc[0])
