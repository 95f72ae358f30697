"""Pricing and checking tariff files from the terminal."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from xlbilling.terminal.tariff_files import main, tariff_check, tariff_price
from xlbilling.words.problems import Refusal

FILE = """metadata:
  effective_date: 2026-01-01
rate_structure:
  A:
    service: {depends_on: meter_size, values: {'1"': 20.005}}
    water: 1.333*usage_ccf
    days_in_period: 30
    bill: service + water
  B:
    bill: missing_charge
"""


@pytest.fixture
def tariff(tmp_path: Path) -> Path:
    path = tmp_path / "district" / "t.owrs"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def priced(tariff: Path, cases: str, unrounded: bool = False) -> tuple[int, list[dict[str, str]]]:
    source, out = tariff.parent / "cases.csv", tariff.parent / "out.csv"
    source.write_text(cases)
    code = tariff_price(tariff if "tariff," not in cases else tariff.parent.parent, source, out, unrounded)
    with out.open(newline="") as file:
        return code, list(csv.DictReader(file))


def test_cases_are_priced_to_the_cent_line_by_line(tariff: Path) -> None:
    # 20.005 -> 20.01 and 1.333 x 1.5 = 1.9995 -> 2.00: the bill is the sum of its rounded lines.
    code, found = priced(tariff, 'case,class,consumption,meter_size\n1,A,1.5,"1"""\n')
    assert code == 0
    assert found == [{"case": "1", "bill": "22.01", "lines": '{"service": 20.01, "water": 2.00}', "error": ""}]


def test_unrounded_amounts_are_exact(tariff: Path) -> None:
    _, found = priced(tariff, 'case,class,consumption,meter_size\n1,A,1.5,"1"""\n', unrounded=True)
    assert (found[0]["bill"], json.loads(found[0]["lines"])) == ("22.0045", {"service": 20.005, "water": 1.9995})


def test_each_case_that_cannot_be_priced_says_why_and_the_others_are_priced(tariff: Path) -> None:
    code, found = priced(
        tariff,
        "case,class,consumption,meter_size,days_in_period\n"
        '1,A,1,"1""",\n2,A,1,,\n3,A,1,"9""",\n4,A,-1,"1""",\n5,A,x,"1""",\n6,B,1,"1""",\n7,C,1,"1""",\n8,A,1,"1""",31\n'
        '9,A,0.1234567,"1""",\n',
    )
    assert code == 3
    assert [each["error"].partition(":")[0] for each in found] == [
        "", "missing_input", "unknown_key", "negative_consumption", "bad_number", "owrs_not_priceable",
        "unknown_schedule", "input_shadows_field", "bad_number",
    ]  # fmt: skip
    assert [each["bill"] != "" for each in found] == [True] + [False] * 8
    assert all((each["lines"] == "{}") == (each["bill"] == "") for each in found)


def test_a_folder_of_tariffs_takes_a_column_tariff(tariff: Path) -> None:
    (tariff.parent / "bad.owrs").write_text("rate_structure:\n\tA: 1\n")
    code, found = priced(
        tariff,
        'tariff,case,class,consumption,meter_size\ndistrict/t.owrs,1,A,1,"1"""\ndistrict/bad.owrs,2,A,1,\n'
        "district/none.owrs,3,A,1,\n../outside.owrs,4,A,1,\n",
    )
    assert code == 3
    assert [each["case"] for each in found] == ["1", "2", "3", "4"]
    assert [each["error"].partition(":")[0] for each in found] == ["", "owrs_yaml", "tariff_file", "tariff_file"]


def test_a_file_that_cannot_be_read_at_all_is_refused(tariff: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Refusal, match="no column"):
        priced(tariff, "case,consumption\n1,2\n")
    tariff.write_text("rate_structure:\n  A:\n\tx: 1\n")
    assert main(["check", str(tariff)]) == 4
    assert capsys.readouterr().err.startswith("error[owrs_yaml]: t.owrs:3: line 3: ")


def test_check_tells_what_can_be_priced(tariff: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tariff_check(tariff, json=True) == 3
    found = json.loads(capsys.readouterr().out)
    assert {name: each["priceable"] for name, each in found["classes"].items()} == {"A": True, "B": False}
    assert [(each["code"], each["line"], each["class"]) for each in found["errors"]] == [
        ("owrs_not_priceable", 10, "B")
    ]
    assert [(each["code"], each["line"], each["component"]) for each in found["warnings"]] == [
        ("rates_unbilled", 7, "days_in_period")
    ]
    assert tariff_check(tariff) == 3
    shown = capsys.readouterr().out
    assert "t.owrs:10: error [owrs_not_priceable]" in shown
    assert "class A: can be priced" in shown
