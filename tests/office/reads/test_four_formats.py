"""A month whose reads come in four formats settles on the sheets: worked on the file, as the terminal works."""

from __future__ import annotations

from pathlib import Path

from tests.four_formats import ACTOR, FourFormats, opened
from xlbilling.demo.clerk import Clerk
from xlbilling.store.store import store_url


def test_a_month_in_four_formats_settles_on_the_sheets(tmp_path: Path) -> None:
    district = opened(tmp_path)
    clerk = Clerk.at_file(tmp_path / "billing.xlsm", ACTOR, store_url(str(tmp_path / "billing.db")))
    clerk.says_yes = False
    month = FourFormats(clerk, district)
    month.work()
    month.check()
