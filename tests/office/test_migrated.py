"""An office that installs this version over an earlier one: its store is brought along, and it goes on with its month.

The kept store stands in December: cycle B is read, two receipts wait, one row of the read file is rejected.
  S09 0400 -> 0412 = 12   20.00 + 10 x 2.50 +  2 x 4.00 =  53.00 +  2.65 =  55.65
  S10 0400 -> 0470 = 70   20.00 + 25.00     + 60 x 4.00 = 285.00 + 14.25 = 299.25
  S11 0400 -> 0411 = 11   20.00 + 25.00     +  1 x 4.00 =  49.00 +  2.45 =  51.45
  S12 as S11, its row corrected                                          =  51.45, together 457.80
Receipts of 84.00 and 68.25, together 152.25.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.office.asked import healthy
from tests.office.conftest import Office
from tests.office.small import Clock
from tests.store.cluster import cluster
from tests.store.kept import load, unpack
from xlbilling.maker import build_workbook
from xlbilling.office.actions import open_desk, perform
from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.store.migrations import opened
from xlbilling.terminal.commands import app
from xlbilling.workbook.none import NoWorkbook


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_store_of_an_earlier_version_posts_its_next_month(kind: str, tmp_path: Path) -> None:
    if kind == "sqlite":
        url = unpack(2, tmp_path / "billing.db")
    else:
        url = cluster().database()
        load(2, url)
    build_workbook(tmp_path / "billing.xlsm")
    office = Office(tmp_path, url, Clock())
    office.clock.now = office.clock.now.replace(month=12, day=16)
    opened(url, "cora", tmp_path / "backups", office.clock).close()
    cora, lead = office.clerk("cora"), office.lead
    cora.press("refresh", Period="2026-12", Cycle="B")
    cora.refused("undo_last", "nothing_to_undo")  # what the earlier program kept to undo by is no longer run
    cora.set("rejects", cora.sheet("rejects").index[0], decision="take", reason="an l for a one", dial_read="0411")
    cora.press("save")
    cora.press("validate")
    cora.set("exceptions", "high S10", decision="accept", reason="a burst pipe")
    cora.press("save")
    lead.press("refresh", Period="2026-12", Cycle="B")
    assert "2 receipts, 152.25" in lead.press("post").said
    lead.press("compute")
    assert "4 bills, 457.80" in lead.press("post").said
    assert healthy(office)
    # 405.00 billed and 75.00 owed before, 10.00 adjusted, 75.00 and 152.25 received, 457.80 billed: 700.55
    assert office.value("SELECT SUM(amount) FROM journal WHERE gl_account = '1210'") == 70055
    if kind == "postgres":
        cluster().drop(url)


def test_the_first_button_says_that_the_store_was_brought_along(tmp_path: Path) -> None:
    url = unpack(2, tmp_path / "billing.db")
    book = NoWorkbook(tmp_path, {"Period": "2026-12", "Cycle": "B"})

    def sit_down() -> Desk:
        return open_desk(book, "cora", tmp_path, url)

    said = []
    for _ in range(2):
        outcome = perform("about", sit_down, book, tmp_path)
        assert isinstance(outcome, Outcome)
        said.append(outcome.said)
    assert said[0].startswith("The store was brought from version 2 to ")
    assert said[1] in said[0]
    assert len(list((tmp_path / "backups").iterdir())) == 1


def test_the_terminal_says_what_an_earlier_store_needs_and_does_it(tmp_path: Path) -> None:
    unpack(2, tmp_path / "billing.db")
    named = ["--store", str(tmp_path / "billing.db")]
    run = CliRunner()
    assert "xlbilling migrate" in str(run.invoke(app, ["verify", *named]).exception)
    assert "brought from version 2" in run.invoke(app, ["migrate", *named]).output
    assert "Nothing to do" in run.invoke(app, ["migrate", *named]).output
    assert "Verified" in run.invoke(app, ["verify", *named]).output
    backup = next((tmp_path / "backups").iterdir())
    restored = run.invoke(app, ["restore", str(backup), "--store", str(tmp_path / "restored.db")]).output
    assert "It is of version 2; the first button brings it" in restored
