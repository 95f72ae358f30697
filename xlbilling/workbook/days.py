"""Days as cells hold them: a date, midnight of one, or text such as 2026-12-01 or 12/1/2026."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

_DAY: Final = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00:00)?")
_AMERICAN_DAY: Final = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")


def day_of(cell: Any) -> dt.datetime | None:
    """Midnight of the day a cell holds; None where it holds no whole day."""
    if isinstance(cell, dt.datetime):
        return cell.replace(tzinfo=None) if cell.time() == dt.time() else None
    if isinstance(cell, dt.date):
        return dt.datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, str):
        return None
    iso, american = _DAY.fullmatch(cell.strip()), _AMERICAN_DAY.fullmatch(cell.strip())
    if not (iso or american):
        return None
    year, month, day = iso.groups() if iso else (american[3], american[1], american[2]) if american else ("", "", "")
    try:
        return dt.datetime(int(year), int(month), int(day))
    except ValueError:  # such as 2026-02-30: no day of any month, the caller names the cell
        return None
