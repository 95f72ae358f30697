"""Every ribbon button of the built billing.xlsm, pressed through its VBA callback in LibreOffice in the order of a month.

What each press did is checked on the sheets and in the store. The same month without a spreadsheet application gives
the same sheets. (That the committed workbook is what the source builds is tests/maker's to check.)
"""

from __future__ import annotations

import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.libreoffice import sample_month as sample
from tests.libreoffice.sample_month import AtLibreOffice, AtTheFile, Month, Press
from xlbilling.maker import build_workbook
from xlbilling.office.bills import explain as explaining
from xlbilling.office.desk.buttons import BUTTONS, Outcome
from xlbilling.office.desk.unexpected import LOG

pytestmark = pytest.mark.libreoffice
# Parts a month may change: the sheets' cells and tables, and with them the strings, looks and the recalculation chain.
TOUCHED = ("xl/worksheets/sheet", "xl/tables/", "xl/sharedStrings", "xl/styles", "xl/calcChain", "xl/workbook.xml")


@pytest.fixture(scope="module")
def clock() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        sample.still_clock(patch)
        yield


@pytest.fixture(scope="module")
def offices(clock: None, libreoffice: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Any]:
    """The same office in two folders of one name, so that every message about a path is the same too."""
    live = tmp_path_factory.mktemp("live") / "office"
    live.mkdir()
    district = sample.office(live)
    file = tmp_path_factory.mktemp("file") / "office"
    shutil.copytree(live, file)
    return live, file, district


@pytest.fixture(scope="module")
def opened(offices: tuple[Path, Path, Any], libreoffice: Any) -> Iterator[Any]:
    with libreoffice.open(offices[0] / "billing.xlsm") as workbook:
        yield workbook


@pytest.fixture(scope="module")
def live(offices: tuple[Path, Path, Any], opened: Any) -> Month:
    """The month worked in LibreOffice."""
    month = Month(AtLibreOffice.at(offices[0], opened), offices[2])
    month.work()
    assert opened.bridge.errors == []
    return month


@pytest.fixture(scope="module")
def headless(offices: tuple[Path, Path, Any], libreoffice: Any) -> Month:
    """The same month worked on the file."""
    month = Month(AtTheFile.at(offices[1], libreoffice), offices[2])
    month.work()
    return month


def pressed(month: Month, button: str, note: str = "") -> Press:
    found = [press for press in month.presses if (press.button, press.note) == (button, note)]
    assert len(found) == 1, f"{button} {note!r} was pressed {len(found)} times"
    return found[0]


def before(month: Month, press: Press) -> Press:
    return month.presses[month.presses.index(press) - 1]


def test_every_button_of_the_ribbon_was_pressed(live: Month, opened: Any) -> None:
    on_the_ribbon = {button for _, button, _ in opened.buttons}
    assert {press.button for press in live.presses} == on_the_ribbon == set(BUTTONS)


def test_every_module_compiles(libreoffice: Any, tmp_path: Path) -> None:
    build_workbook(tmp_path / "compiled.xlsm")
    with libreoffice.open(tmp_path / "compiled.xlsm") as workbook:
        assert workbook.modules_that_do_not_compile() == []


def test_no_button_met_an_unexpected_error(live: Month, headless: Month) -> None:
    for month in (live, headless):
        assert [press.message for press in month.presses if LOG in press.message] == []
        assert not (month.clerk.folder / LOG).exists()


def test_refresh_fills_the_sheets_and_names_unsaved_typing_first(live: Month) -> None:
    filled, refused = pressed(live, "refresh"), pressed(live, "refresh", "unsaved")
    assert "cycle A of 2026-10" in filled.message
    assert len(filled.tables["accounts"]) == 100
    assert len(filled.tables["services"]) > 100
    assert filled.store["events"] == refused.store["events"]
    assert "Phone" in refused.message
    assert "555-0100" in refused.message
    assert refused.tables["accounts"]["phone"].iloc[0] == "555-0100"  # the typing is still there


def test_save_previews_then_writes(live: Month) -> None:
    preview, written = pressed(live, "save", "preview"), pressed(live, "save", "written")
    first = pressed(live, "refresh").store["phone"]
    assert preview.question.startswith("Save 1 changes?")
    assert f"Phone: {first} -> 555-0100" in preview.question
    assert preview.store["phone"] == first != "555-0100"
    assert written.message == "Saved 1 changes."
    assert written.question == ""
    assert written.store["phone"] == "555-0100"
    assert written.tables["accounts"]["phone"].iloc[0] == "555-0100"
    assert written.tables["accounts"]["rev"].iloc[0] == preview.tables["accounts"]["rev"].iloc[0] + 1


def test_undo_takes_the_save_back(live: Month) -> None:
    asked, done = pressed(live, "undo_last", "asked"), pressed(live, "undo_last", "done")
    first = pressed(live, "refresh").store["phone"]
    assert asked.question.startswith("Undo Save?\nSaved 1 changes: Accounts ")
    assert asked.store["phone"] == "555-0100"
    assert done.message == "Undid Save."
    assert done.store["phone"] == first
    assert done.tables["accounts"]["phone"].iloc[0] == first


def test_import_reads_once_and_with_corrections(live: Month) -> None:
    missing = pressed(live, "import_reads", "no file named")
    assert "Start!ReadsFile" in missing.message
    assert missing.store["reads"] == 0
    taken, again = pressed(live, "import_reads"), pressed(live, "import_reads", "again")
    assert len(taken.tables["reads"]) == taken.store["reads"] == 100
    assert taken.store["rejects"] == 2
    assert again.message.startswith("reads.csv was imported before")
    assert again.store == taken.store
    corrected = pressed(live, "import_reads", "corrected")
    assert "0 new reads + 1 changed + 99 there already" in corrected.message
    assert (corrected.store["reads"], corrected.store["superseded"]) == (100, 1)
    left = pressed(live, "save", "rejects: written").tables["rejects"]
    assert left["state"].tolist() == ["left"] * 4


def test_findings_are_listed_and_decisions_honoured(live: Month) -> None:
    found = pressed(live, "validate")
    assert len(found.tables["exceptions"]) == found.store["findings"] > 10
    assert found.store["open"] == found.store["findings"]
    preview, written = pressed(live, "save", "decisions: preview"), pressed(live, "save", "decisions: written")
    assert preview.store["decided"] == 0
    assert written.store["decided"] == found.store["findings"]
    assert set(written.tables["exceptions"]["state"]) == {"decided"}
    after = pressed(live, "validate", "after decisions")
    assert after.store["open"] == 0
    assert after.store["findings"] == found.store["findings"] - 1  # the misread meter was read again


def test_many_findings_are_decided_alike_and_taken_back(live: Month) -> None:
    found = pressed(live, "validate").tables["exceptions"]
    check = sample.commonest(found)
    count = int(found["rule"].eq(check).sum())
    assert count > 1
    asked, done = pressed(live, "decide_alike", "asked"), pressed(live, "decide_alike", "done")
    assert asked.question.startswith(f"Decide {count - 1} findings like the 1 you typed?")
    assert (asked.store["decided"], done.store["decided"]) == (0, count)
    decided = done.tables["exceptions"].set_index("rule")
    assert set(decided.loc[check, "decision"]) == {"accept"}
    assert set(decided.loc[check, "decided_by"]) == {sample.ACTOR}
    assert set(decided.drop(index=check)["state"]) == {"open"}
    back = pressed(live, "undo_last", "alike: done")
    assert (back.message, back.store["decided"]) == ("Undid Decide alike.", 0)


def test_findings_stand_by_money_at_risk_with_their_course(live: Month) -> None:
    found = pressed(live, "validate").tables["exceptions"]
    assert found["money_at_risk"].tolist() == sorted(found["money_at_risk"], reverse=True)
    course = found.loc[found["rule"].eq("high"), "history"]
    assert set("".join(course)) <= set("▁▂▃▄▅▆▇█·")
    assert (course.str[-1] == "█").all()  # what is high now is above the bills before


def test_the_reread_list_and_its_file_lie_beside_the_workbook(live: Month) -> None:
    said = pressed(live, "reread_list").message
    names = sorted(path.name for path in live.clerk.folder.glob("reread-*"))
    assert names == ["reread-A-2026-10-beacon.csv", "reread-A-2026-10.xlsx"]
    assert all(name in said for name in names)


def test_check_rates_looks_and_changes_nothing(live: Month) -> None:
    checked = pressed(live, "check_rates")
    assert "lines of" in checked.message
    assert checked.store == before(live, checked).store


def test_compute_drafts_and_explain_tells(live: Month) -> None:
    drafted, told = pressed(live, "compute"), pressed(live, "explain_bill")
    bills, sections, lines = (drafted.tables[name] for name in ("bills", "bill_services", "bill_lines"))
    assert (len(bills), len(sections)) == (drafted.store["drafts"], 100) == (98, 100)  # two accounts have two services
    for rows in (bills, sections, lines):
        assert round(rows["amount"].sum() * 100) == drafted.store["draft_cents"]
    assert f"Service {sections['service_id'].iloc[0]}" in told.message
    assert told.message.endswith(f"{bills['amount'].iloc[0]:,.2f}.")


def test_audit_is_recalculated_and_green(live: Month) -> None:
    audited = pressed(live, "audit")
    rows = audited.tables["audit"]
    assert audited.message.endswith("difference 0.00.")
    assert (audited.store["audit"], audited.store["audit_difference"]) == ("green", 0)
    assert len(rows) == 100
    # LibreOffice has worked the formulas out: each row's sum is the bill, and something was summed
    assert [round(v * 100) for v in rows["recomputed"]] == [round(v * 100) for v in rows["billed"]]
    assert sum(round(v * 100) for v in rows["recomputed"]) == audited.store["draft_cents"] > 0
    assert set(rows["difference"]) == {0.0}
    assert any("green: A 2026-10" in row for row in audited.shown["Audit"][:2])


def test_post_asks_then_posts_each_kind(live: Month) -> None:
    for note, number in (("bills", "BL0000001"), ("receipts", "PY0000001"), ("adjustments", "AJ0000001")):
        asked, done = pressed(live, "post", f"{note}: asked"), pressed(live, "post", f"{note}: done")
        assert asked.question.startswith("Post?")
        assert asked.store == before(live, asked).store
        assert done.message.startswith(f"Posted: {number}")
    bills = pressed(live, "post", "bills: done")
    assert bills.store["bills"] == 98
    assert bills.store["drafts"] == 0
    assert bills.store["bill_cents"] == pressed(live, "compute").store["draft_cents"]
    assert set(bills.tables["bills"]["state"]) == {"posted"}
    assert set(pressed(live, "post", "receipts: done").tables["payments"]["state"]) == {"posted"}
    adjusted = pressed(live, "post", "adjustments: done")
    assert (adjusted.store["adjustments_open"], adjusted.store["adjustments_posted"]) == (0, 2)
    assert set(adjusted.tables["adjustments"]["state"]) == {"posted"}


def test_the_print_file_has_a_row_a_bill(live: Month) -> None:
    said = pressed(live, "print_file").message
    name = said.split(":", 1)[0]
    assert len((live.clerk.folder / name).read_text(encoding="utf-8").splitlines()) == 99


def test_receipts_are_taken_in(live: Month) -> None:
    taken = pressed(live, "import_payments")
    rows = taken.tables["payments"]
    assert len(rows) == taken.store["payments_open"] == 90
    assert round(rows["amount"].sum() * 100) == taken.store["payments_cents"]


def test_corrections_typed_under_the_table_are_taken_in(live: Month) -> None:
    asked, taken = pressed(live, "adjust", "asked"), pressed(live, "adjust")
    assert asked.question.startswith("Take in 2 corrections?")
    assert asked.store["adjustments_open"] == 0
    assert taken.store["adjustments_open"] == 2
    assert taken.tables["adjustments"]["amount"].tolist() == [-12.5, -7.25]
    assert taken.tables["adjustments"]["adjustment_id"].tolist() == ["A0000001", "A0000002"]


def test_reverse_cancels_a_receipt(live: Month) -> None:
    asked, done = pressed(live, "reverse", "asked"), pressed(live, "reverse", "done")
    assert asked.store["reversals"] == 0
    assert done.store["reversals"] == 1
    assert done.tables["payments"].set_index("payment_id")["state"]["P0000001"] == "reversed"
    assert done.tables["adjustments"]["state"].tolist() == ["posted"] * 3


def test_the_ledger_is_reconciled(live: Month) -> None:
    taken, done = pressed(live, "import_ledger"), pressed(live, "reconcile")
    assert len(taken.tables["gl"]) == taken.store["ledger_rows"] > 0
    assert done.store["reconciliations"] == 1
    assert "unexplained 0.00" in done.message
    assert {"control", "difference"} == set(done.tables["reconcile"]["section"])


def test_the_report_pack_is_filled(live: Month) -> None:
    pressed(live, "report_pack")
    assert (live.clerk.folder / "report-pack-2026-10.xlsx").stat().st_size > 0


def test_the_month_closes_only_when_done_or_signed(live: Month) -> None:
    assert "Open: Payments are resolved, Receivables are reconciled" in pressed(live, "checklist").message
    refused = pressed(live, "close_month", "not ready")
    assert "Receivables are reconciled" in refused.message
    assert refused.store["closed"] == 0
    signed = pressed(live, "save", "signatures: written")
    assert signed.store["signoffs"] == 2
    assert "Accounting corrects it" in set(signed.tables["close"]["signed_reason"])
    asked, closed = pressed(live, "close_month", "asked"), pressed(live, "close_month")
    assert (asked.store["closed"], closed.store["closed"]) == (0, 1)
    assert live.clerk.cell("Period") == "2026-11"
    states = closed.tables["cycles"].set_index(["cycle", "period"])["state"]
    assert states["A", "2026-10"] == "posted"
    assert (live.clerk.folder / "close-packet-2026-10.xlsx").exists()
    assert sorted((live.clerk.folder / "backups").glob("*close-2026-10*"))


def test_about_says_who_and_where(live: Month) -> None:
    assert "200 accounts; you are lee (lead)." in pressed(live, "about").message


def test_no_cell_shows_an_error_in_the_end(live: Month, opened: Any) -> None:
    assert opened.errors() == {}


def test_the_same_month_on_the_file_says_and_stores_the_same(live: Month, headless: Month) -> None:
    def told(month: Month) -> list[tuple[str, str, str, str, dict[str, Any]]]:
        here = str(month.clerk.folder)
        return [(p.button, p.note, p.message.replace(here, "."), p.question, p.store) for p in month.presses]

    assert told(live) == told(headless)


@pytest.mark.parametrize("button", ["refresh", "validate", "audit", "close_month"])
def test_the_same_month_on_the_file_shows_the_same_cells(live: Month, headless: Month, button: str) -> None:
    one, other = pressed(live, button).shown, pressed(headless, button).shown
    assert list(one) == list(other)
    assert sum(len(rows) for rows in one.values()) > 100
    for sheet in one:
        assert one[sheet] == other[sheet], sheet


def test_untouched_parts_keep_their_bytes(headless: Month) -> None:
    fresh = headless.clerk.folder / "fresh.xlsm"
    build_workbook(fresh)
    with zipfile.ZipFile(fresh) as built, zipfile.ZipFile(headless.clerk.folder / "billing.xlsm") as worked:
        assert built.namelist() == worked.namelist()
        same = [name for name in built.namelist() if built.read(name) == worked.read(name)]
        changed = set(built.namelist()) - set(same)
    assert [name for name in changed if not name.startswith(TOUCHED)] == []
    assert {"xl/vbaProject.bin", "customUI/customUI.xml", "xl/theme/theme1.xml"} <= set(same)


# ---- what goes wrong ------------------------------------------------------------------------------------------------


@pytest.fixture
def bare(offices: tuple[Path, Path, Any], libreoffice: Any, tmp_path: Path) -> Iterator[Any]:
    """A fresh workbook beside a store, nothing pressed yet."""
    build_workbook(tmp_path / "bare.xlsm")
    with sqlite3.connect(offices[0] / "billing.db") as store, sqlite3.connect(tmp_path / "billing.db") as copy:
        store.backup(copy)
    with libreoffice.open(tmp_path / "bare.xlsm") as workbook:
        clerk = AtLibreOffice.at(tmp_path, workbook)
        clerk.types_on_start(Period="2026-11", Cycle="B", StoreUrl="billing.db")
        yield clerk


def test_a_python_error_is_told_on_start_and_kept_in_the_log(bare: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Any) -> Outcome:
        raise KeyError("no such column")

    monkeypatch.setattr(explaining, "about", broken)
    bare.tries("about")
    assert bare.opened.bridge.errors == []  # nothing reached VBA, so no box
    message = bare.cell("Message")
    assert message.startswith("About: About stopped with KeyError ('no such column'); particulars are in " + LOG)
    kept = (bare.folder / LOG).read_text(encoding="utf-8")
    assert "Traceback" in kept
    assert "KeyError: 'no such column'" in kept


def test_a_store_that_is_not_there_is_told(bare: Any) -> None:
    bare.types_on_start(StoreUrl="elsewhere.db")
    bare.tries("refresh")
    assert bare.opened.bridge.errors == []
    assert "there is no store here" in bare.cell("Message")
    assert not (bare.folder / LOG).exists()


def test_a_workbook_without_its_message_cell_raises_nothing(bare: Any) -> None:
    bare.opened.book.names["Message"].impl.book.doc.NamedRanges.removeByName("Message")
    bare.opened.press("about")
    assert bare.opened.bridge.errors == []
    shown = bare.opened.book.app.status_bar
    assert "200 accounts" in shown
    assert "named Message is not there" in shown


def test_a_mark_comes_and_goes_with_the_cells_own_colour(bare: Any) -> None:
    cell = bare.opened.book.names["ReadsFile"].refers_to_range
    before = cell.color
    bare.tries("import_reads")
    assert cell.color != before
    bare.tries("about")
    bare.types_on_start(ReadsFile="nowhere.csv")
    bare.tries("import_payments")
    assert cell.color == before
    assert "nowhere" not in bare.cell("Message")


def test_a_functions_python_error_is_an_error_value(bare: Any) -> None:
    sheet = bare.opened.book.sheets["Log"]
    sheet.range("L20").formula = '=CONSUMPTION("abc",5,6)'
    sheet.range("L21").formula = "=CONSUMPTION(1200,1214,6)"
    sheet.range("L22").formula = "=SUM(L20:L21)"
    bare.opened.recalculate()
    assert bare.opened.error("Log", "L20") != 0
    assert bare.opened.value("Log", "L20") == "#VALUE!"
    assert bare.opened.value("Log", "L21") == 14.0
    assert bare.opened.error("Log", "L22") != 0  # a sum over it is no number either
