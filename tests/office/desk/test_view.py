"""The view on Start: a clerk sees the sheets of the daily work, the lead all of them."""

from __future__ import annotations

import openpyxl
import pytest

from tests.office.conftest import Office
from xlbilling.words.problems import Refusal


def hidden(office: Office) -> set[str]:
    book = openpyxl.load_workbook(office.lead.path, read_only=True)
    return {sheet.title for sheet in book.worksheets if sheet.sheet_state == "hidden"}


@pytest.mark.on_file
def test_refresh_turns_to_the_view_on_start(desk_office: Office) -> None:
    desk_office.lead.press("refresh", View="clerk")
    assert {"Policy", "Rates", "Audit", "GL", "Reconcile", "Close", "Log"} <= hidden(desk_office)
    assert not {"Start", "Accounts", "Reads", "Exceptions", "Bills", "Payments"} & hidden(desk_office)
    desk_office.lead.press("refresh", View="lead")
    assert hidden(desk_office) == set()


def test_a_view_that_is_none_is_refused(desk_office: Office) -> None:
    with pytest.raises(Refusal) as refused:
        desk_office.lead.press("refresh", View="boss")
    assert refused.value.problem.code == "no_view"
