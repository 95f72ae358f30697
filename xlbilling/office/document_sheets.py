"""Document sheets: what every table of documents shows, and where those went that are no longer on it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from xlbilling.documents import typed_tables
from xlbilling.office.desk import Desk
from xlbilling.office.history import last_change
from xlbilling.office.surface import Surface
from xlbilling.records import TABLE
from xlbilling.states import REVERSED, WITHDRAWN
from xlbilling.store.schema import columns_of
from xlbilling.store.views import view as declare_view

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

    @property
    def _key(self) -> str:
        return self.declared.key[0]
