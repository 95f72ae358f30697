"""Log: what was done and by whom, newest first, as the sheet shows it."""

from __future__ import annotations

import pandas as pd

from xlbilling.office.desk.desk import Desk
from xlbilling.office.desk.surface import Surface, surface


@surface("log")
class Log(Surface):
    """The store's latest events."""

    def rows(self, desk: Desk) -> pd.DataFrame:
        return desk.store.view("last_events")
