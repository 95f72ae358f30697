"""Bills: the run's drafts and posted bills as the sheets show them."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlbilling.office.desk import Desk
from xlbilling.office.surface import Surface, surface
from xlbilling.office.views import run_bills
from xlbilling.states import POSTED, REVERSED


@surface("bills")
class Bills(Surface):
    """Drafts and posted bills of the run; a reversed one says so."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        drafts, posted = run_bills(desk)
        posted["state"] = np.where(posted["reversed"].ne(""), REVERSED, POSTED)
        return pd.concat([drafts.assign(number=""), posted], ignore_index=True)


@surface("bill_lines")
class BillLines(Surface):
    """The priced charges of the run's drafts and posted bills."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        drafts = desk.store.view("draft_lines_of_run", **desk.chosen)
        posted = desk.store.view("bill_lines_of_run", **desk.chosen)
        return pd.concat([drafts, posted.drop(columns="number")], ignore_index=True) if len(drafts) else posted
