"""From files to answer and workpaper: the example of the documentation, and the workpaper as Excel will read it."""

from __future__ import annotations

import datetime as dt
import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest
from made_months import APART, Month, terms

from xlbilling.intake.ledger import LedgerExport, LedgerMap
from xlbilling.office.reconcile_files import main, reconcile_files
from xlbilling.office.reconcile_workpaper import LABELS, REMEDIES, write_workpaper
from xlbilling.problems import Refusal
from xlbilling.reconcile import CONFIDENCES, REASONS, reconcile

DOCS = Path(__file__).resolve().parents[2] / "docs" / "reconcile.md"


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


def test_the_workpaper_opens_cleanly_and_foots(example: dict[str, Path]) -> None:
    reconcile_files(**example)
    assert opens_cleanly(example["out"])
    values = openpyxl.load_workbook(example["out"], data_only=True)
    formulas = openpyxl.load_workbook(example["out"])
    assert values.sheetnames == ["Summary", "Matches", "Unmatched subledger", "Unmatched GL"]
    summary = {row[0].value: row for row in values["Summary"].iter_rows(max_col=3) if row[0].value}
    assert summary["Difference (subledger - general ledger)"][1].value == 0.36
    assert summary["Digits exchanged"][1].value == 0.36
    assert summary["Unexplained"][1].value == 0
    assert summary["Every cent of difference is explained."]
    live = {row[0].value: row[1].value for row in formulas["Summary"].iter_rows(max_col=2) if row[0].value}
    for label in ("Ending balance, subledger", "Difference (subledger - general ledger)", "Explained", "Unexplained"):
        assert str(live[label]).startswith("="), label
    line = [cell.value for cell in values["Unmatched subledger"][2]]
    # text ids keep their zeros, dates are dates
    assert line[:4] == ["S1", dt.datetime(2026, 7, 6), "billing", "0001007"]
    for name in values.sheetnames[1:]:
        page = formulas[name]
        assert page.freeze_panes == "B2"
        assert page.print_title_rows == "$1:$1"
        assert len(page.tables) == 1


def test_text_that_looks_like_a_formula_stays_text(example: dict[str, Path]) -> None:
    said = example["gl"].read_text().replace("B101,Bill,84.15", 'B101,"=HYPERLINK(""http://x"")",84.15')
    example["gl"].write_text(said)
    reconcile_files(**example)
    page = openpyxl.load_workbook(example["out"])["Unmatched GL"]
    cell = page["F2"]
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
    export = LedgerExport("made", ledger.assign(account_name=""), [])
    path = tmp_path / "workpaper.xlsx"
    write_workpaper(path, result, subledger, export, mapping, "made against made")
    assert opens_cleanly(path)
    page = openpyxl.load_workbook(path, data_only=True)["Summary"]
    rows = {row[0].value: [cell.value for cell in row[1:6]] for row in page.iter_rows(max_col=6) if row[0].value}
    # the statement's lines foot as they stand: reasons to Explained, difference less explained to Unexplained
    reasons = [values for label, values in rows.items() if label in LABELS.values()]
    for column in range(4):
        assert round(sum(values[column] for values in reasons), 2) == rows["Explained"][column]
    # one slip merely differs, by 1,000,000.01, so that much is left unexplained
    differs = rows["of which amount differs"]
    assert rows["Unexplained"][:4] == differs[:4] == [1_000_000.01, 0, 0, 0]
    difference = rows["Difference (subledger - general ledger)"]
    assert [round(a + b, 2) for a, b in zip(rows["Explained"][:4], differs, strict=False)] == difference[:4]


SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "gl"
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
