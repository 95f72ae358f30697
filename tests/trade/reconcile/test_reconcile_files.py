"""From files to answer and workpaper: the example of the documentation, and the workpaper as Excel will read it."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from made_months import APART, END, START, Month, terms
from openpyxl.worksheet.worksheet import Worksheet

from xlbilling.intake.gl import LedgerMap
from xlbilling.papers.template import template_file
from xlbilling.papers.workpaper import LABELS, REMEDIES, TEMPLATE, Reconciled, write_workpaper
from xlbilling.terminal.reconcile_files import main, reconcile_files
from xlbilling.trade.reconcile import CONFIDENCES, REASONS, reconcile
from xlbilling.words.problems import Refusal

DOCS = Path(__file__).resolve().parents[3] / "docs" / "reconcile.md"


def opens_cleanly(path: Path) -> bool:
    """Whether the audit of Office files expects Excel to open the file without a repair."""
    said = subprocess.run(
        [sys.executable, "-m", "openxml_audit", str(path)], capture_output=True, text=True, check=False
    )
    return "expected to open cleanly" in said.stdout and said.returncode == 0


@pytest.fixture
def example(tmp_path: Path) -> dict[str, Path]:
    """The files of the documentation's example."""
    blocks = dict(re.findall(r"```(yaml|csv)\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[:1])
    sub, gl = re.findall(r"```csv\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    files = {"map": ("map.yaml", blocks["yaml"]), "subledger": ("sub.csv", sub), "gl": ("gl.csv", gl)}
    for name, text in files.values():
        (tmp_path / name).write_text(text, encoding="utf-8")
    made = {key: tmp_path / name for key, (name, _) in files.items()}
    return made | {"json": tmp_path / "out.json", "out": tmp_path / "workpaper.xlsx"}


def test_the_example_of_the_documentation(example: dict[str, Path]) -> None:
    assert reconcile_files(**example) == 0
    answer = json.loads(example["json"].read_text())
    assert len(answer["matches"]) == 5
    assert answer["unmatched_subledger"] == [{"id": "S1", "reason": "transposition"}]
    assert answer["unmatched_gl"] == [{"row": 1, "reason": "transposition"}]
    (control,) = answer["control"]
    # 100.00 + 84.51 + 60.00 - 50.00 = 194.51 in ours, 100.00 + 84.15 + 60.00 - 50.00 = 194.15 in theirs
    assert control == {
        "gl_account": "1310", "beginning": "100.00", "subledger_activity": "94.51", "gl_activity": "94.15",
        "ending_subledger": "194.51", "ending_gl": "194.15", "difference": "0.36",
    }  # fmt: skip
    assert (answer["difference_explained"], answer["difference_unexplained"]) == ("0.36", "0.00")


def table(page: Worksheet, name: str) -> list[dict[str, object]]:
    """The rows of a sheet's table by its headings."""
    cells = page[page.tables[name].ref]
    heads = [cell.value for cell in cells[0]]
    return [dict(zip(heads, (cell.value for cell in row), strict=True)) for row in cells[1:]]


def test_the_workpaper_opens_cleanly_and_foots(example: dict[str, Path]) -> None:
    reconcile_files(**example)
    assert opens_cleanly(example["out"])
    values = openpyxl.load_workbook(example["out"], data_only=True)
    formulas = openpyxl.load_workbook(example["out"])
    assert values.sheetnames == [
        "Summary", "Control accounts", "Reasons", "Differences", "Matches", "Unmatched subledger", "Unmatched GL",
    ]  # fmt: skip
    assert values["Summary"]["A6"].value == "Every cent of difference is explained."
    (account,) = table(values["Control accounts"], "Control")
    # 194.51 in ours, 194.15 in theirs
    assert (account["Difference"], account["Explained"], account["Unexplained"]) == (0.36, 0.36, 0)
    (live,) = table(formulas["Control accounts"], "Control")
    for heading in ("Ending, subledger", "Ending, GL", "Difference", "Explained", "Unexplained"):
        assert str(live[heading]).startswith("="), heading
    (reason,) = table(values["Reasons"], "Reasons")
    assert (reason["Reason"], reason["Amount"], reason["Proven"]) == ("Digits exchanged", 0.36, "yes")
    (difference,) = table(values["Differences"], "Differences")
    assert list(difference.values()) == [
        1, "Digits exchanged", "1310", "BL0706-1", "B101", "0001007", dt.datetime(2026, 7, 6), dt.datetime(2026, 7, 6),
        "Bill", 84.51, 84.15, 0.36, "1", "Ledger: debit 1310 0.36",
    ]  # fmt: skip
    (line,) = table(values["Unmatched subledger"], "UnmatchedSubledger")
    # text ids keep their zeros, dates are dates, and the line points at its difference
    assert [line[name] for name in ("Line", "Date", "Kind", "Customer", "Difference")] == [
        "S1", dt.datetime(2026, 7, 6), "billing", "0001007", 1,
    ]  # fmt: skip
    for name in values.sheetnames[1:]:
        page = formulas[name]
        assert page.freeze_panes == "B6"
        assert page.print_title_rows == "$1:$5"
        assert len(page.tables) == 1


def test_text_that_looks_like_a_formula_stays_text(example: dict[str, Path]) -> None:
    said = example["gl"].read_text().replace("B101,Bill,84.15", 'B101,"=HYPERLINK(""http://x"")",84.15')
    example["gl"].write_text(said)
    reconcile_files(**example)
    page = openpyxl.load_workbook(example["out"])["Unmatched GL"]
    cell = page["F6"]
    assert cell.value == '=HYPERLINK("http://x")'
    assert cell.data_type == "s"


def test_exit_codes(example: dict[str, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    arguments = [f"--{name}={path}" for name, path in example.items()]
    assert main(arguments) == 0
    example["gl"].write_text(example["gl"].read_text().replace("84.15", "84.1S"))
    assert main(arguments) == 3
    assert "ledger_row_unreadable" in capsys.readouterr().err
    assert main([*arguments, f"--map={tmp_path / 'none.yaml'}"]) == 4
    assert re.match(r"error\[\w+\]: none\.yaml: .+", capsys.readouterr().err)
    assert main([*arguments, f"--out={tmp_path / 'nowhere' / 'w.xlsx'}"]) == 4
    assert "error[reconcile_no_folder]: w.xlsx" in capsys.readouterr().err
    with pytest.raises(Refusal) as refused:
        reconcile_files(example["subledger"], example["gl"])
    assert refused.value.problem.code == "reconcile_map_missing"


def test_every_reason_has_words() -> None:
    assert set(LABELS) >= {*REASONS, *CONFIDENCES[1:]}
    assert set(REMEDIES) >= {*REASONS, *CONFIDENCES[1:]}


def test_a_month_with_every_slip_makes_a_workpaper(tmp_path: Path) -> None:
    month = Month(1, "batch", APART)
    for slip in Month.SLIPS:
        getattr(month, slip)()
    subledger, ledger = month.frames()
    said = {"period": {"start": "2026-07-01", "end": "2026-07-31"}, "accounts": APART}
    mapping = LedgerMap.model_validate({**said, "control_accounts": list(terms().control_accounts)})
    result = reconcile(subledger, ledger, mapping.terms())
    path = tmp_path / "workpaper.xlsx"
    reconciled = Reconciled(result, subledger, ledger, START, END, "made against made")
    listed = write_workpaper(template_file(TEMPLATE, None), path, reconciled)
    assert opens_cleanly(path)
    book = openpyxl.load_workbook(path, data_only=True)
    accounts = {row["GL account"]: row for row in table(book["Control accounts"], "Control")}
    reasons = table(book["Reasons"], "Reasons")
    # the statement foots as it stands: proven reasons to Explained, the rest is left; one slip merely differs
    for account, row in accounts.items():
        proven, all_ = (
            round(
                sum(float(str(r["Amount"])) for r in reasons if r["GL account"] == account and r["Proven"] in words), 2
            )
            for words in (("yes",), ("yes", "no"))
        )
        assert (proven, all_) == (row["Explained"], row["Difference"])
    assert [row["Unexplained"] for row in accounts.values()] == [1_000_000.01, 0, 0, 0]
    assert book["Summary"]["A6"].value == "1,000,000.01 of the difference has no proven reason."
    # every line and row that stands alone belongs to one difference, and the differences come to the control's
    by_account = result.by_reason[~result.by_reason["reason"].isin([*CONFIDENCES, "wrong_account"])]
    summed = listed[listed["reason"] != "wrong_account"].groupby("gl_account")["difference"].sum()
    assert (
        summed[summed != 0].to_dict() == by_account.groupby("gl_account")["cents"].sum().loc[lambda c: c != 0].to_dict()
    )
    # a posting to the wrong account counts for the account it should be on
    (moved,) = listed[listed["reason"] == "wrong_account"].to_dict("records")
    assert moved["difference"] == moved["subledger"] == moved["ledger"] != 0
    assert listed["reason"].iloc[0] == "amount_differs"
    numbers = [
        row["Difference"]
        for name in ("Unmatched subledger", "Unmatched GL")
        for row in table(book[name], name.title().replace(" ", "").replace("Gl", "GL"))
    ]
    assert set(numbers) == set(listed["number"])


def test_the_workpaper_says_the_same_when_a_spreadsheet_computes_it(example: dict[str, Path], tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("no spreadsheet application here")
    reconcile_files(**example)
    command = [office, f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", str(tmp_path / "again"), str(example["out"])]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    books = [
        openpyxl.load_workbook(path, data_only=True) for path in (example["out"], tmp_path / "again" / "workpaper.xlsx")
    ]
    for name in ("Summary", "Control accounts", "Reasons"):
        said, computed = (
            [[cell.value or None for cell in row] for row in book[name].iter_rows(max_row=24, max_col=12)]
            for book in books
        )
        assert said == computed


SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "gl"
CASES = sorted(path for folder in ("dev", "samples") for path in (SHARED / folder).glob("*") if path.is_dir())


@pytest.mark.skipif(not CASES, reason="the folder with shared reconciliation cases is not here")
@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)
def test_shared_cases(case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SHARED))
    score = importlib.import_module("score")
    gl = next(path for path in (case / "gl.csv", case / "gl.xlsx") if path.exists())
    reconcile_files(case / "sub.csv", gl, "auto", case / "map.yaml", tmp_path / "out.json", tmp_path / "out.xlsx")
    said = score.score_case(
        json.loads((case / "truth.json").read_text()), json.loads((tmp_path / "out.json").read_text())
    )
    assert (said["fp"], said["fn"], said["false"], said["wrong"]) == (0, 0, 0, [])
    assert (said["amb_ok"], said["ctl"], said["unexpl"]) == (said["amb"], said["ctls"], True)
