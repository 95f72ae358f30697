"""The audit sheet: each bill's inputs and formulas on its row, its rates looked up, its days adding up."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pytest

from tests.office.small import tables
from xlbilling.trade.audit import AuditColumns, RatesSheet, columns, periods_of, slug
from xlbilling.trade.tariffs import rate_book

ROWS = {row: 4 + n for n, row in enumerate(tables()["rates"]["rate_id"])}
LETTERS = {"keys": "F", "from_unit": "H", "cap": "I", "rate": "J", "expression": "K"}


def rates_sheet(rates: pd.DataFrame) -> RatesSheet:
    rows = {rate: 4 + n for n, rate in enumerate(rates["rate_id"])}
    return RatesSheet(rows, dict(zip(rates["rate_id"], rates["keys"], strict=True)), LETTERS)


def bill(service: str = "S01", **given: Any) -> dict[str, Any]:
    row = tables()["services"].set_index("service_id").loc[service]
    usual = {
        "tariff": row["tariff"], "customer_class": row["customer_class"], "consumption": 12_000_000, "billed": True,
        "service_from": pd.Timestamp("2026-09-05"), "service_to": pd.Timestamp("2026-11-05"), "bill_date": pd.Timestamp("2026-11-12"),
        "days": 61, "nominal_days": 0, "given": {"meter_size": row["meter_size"]},
    }  # fmt: skip
    return usual | given


def audited(*bills: dict[str, Any], rates: pd.DataFrame | None = None) -> AuditColumns:
    rates = tables()["rates"] if rates is None else rates
    book, _ = rate_book(rates)
    return columns(pd.DataFrame(list(bills)), book, rates_sheet(rates))


def test_each_row_has_its_inputs_and_one_sum() -> None:
    made = audited(bill(), bill("S04", consumption=10_000_000))
    assert made.values["consumption"] == [12.0, 10.0]
    assert made.values["in_meter_size"] == ['5/8"', '1"']
    assert all(re.fullmatch(r"=ROUND\(\{\w+\}(\+\{\w+\})*,2\)", text) for text in made.recomputed)


def test_a_sum_names_only_columns_there_are_and_filled_in_its_row() -> None:
    made = audited(bill(), bill("S04"), bill("S08"))
    for row, text in enumerate(made.recomputed):
        for name in re.findall(r"\{(\w+)\}", text):
            assert made.formulas[name][row], f"row {row} sums {name}, which is blank there"


def test_formulas_name_only_cells_of_their_own_row() -> None:
    made = audited(bill(), bill("S04"), bill("S08"))
    known = set(made.values) | set(made.formulas)
    for name, texts in made.formulas.items():
        for text in texts:
            assert set(re.findall(r"\{(\w+)\}", text)) <= known, name


def test_a_bill_that_is_held_stays_blank() -> None:
    made = audited(bill(billed=False), bill())
    assert made.recomputed[0] == ""
    assert all(texts[0] == "" for texts in made.formulas.values())
    assert all(values[0] is None for values in made.values.values())


def test_rates_are_looked_up_on_the_sheet_never_written_in() -> None:
    made = audited(bill(), bill("S04"), bill("S08"))
    for texts in made.formulas.values():
        for text in texts:
            assert not re.search(r"(?<![\w$])(2\.50?|4\.00|20\.00|35\.00|40\.65)(?!\d)", text), text
    assert any("Rates!$J$" in text for texts in made.formulas.values() for text in texts)


def test_two_versions_are_two_parts_whose_days_add_up() -> None:
    rates = tables()["rates"]
    fire = rates.loc[rates["component"].eq("Fire line")]
    new = fire.assign(rate_id="R900", rate="61.00", effective_from=pd.Timestamp("2026-10-06"))
    both = pd.concat([rates, new], ignore_index=True)
    made = audited(bill("S08", consumption=0), rates=both)
    assert (made.values["days_1"], made.values["days_2"], made.values["all_days"]) == ([30], [31], [61])
    assert any("(part 2)" in title for title in made.titles.values())
    book, _ = rate_book(both)
    parts = periods_of(book, bill("S08"))
    assert [(str(after), str(until)) for _, after, until in parts] == [
        ("2026-09-05", "2026-10-05"),
        ("2026-10-05", "2026-11-05"),
    ]


@pytest.mark.parametrize(
    ("applies_by", "bill_date", "parts"), [("read_date", "2026-11-12", 1), ("bill_date", "2026-11-12", 1)]
)
def test_rates_that_switch_whole_bills_are_one_part(applies_by: str, bill_date: str, parts: int) -> None:
    rates = tables()["rates"]
    fire = rates.loc[rates["component"].eq("Fire line")]
    new = fire.assign(rate_id="R900", rate="61.00", effective_from=pd.Timestamp("2026-10-06"), applies_by=applies_by)
    book, _ = rate_book(pd.concat([rates, new], ignore_index=True))
    found = periods_of(book, bill("S08", bill_date=pd.Timestamp(bill_date)))
    assert len(found) == parts
    assert str(found[0][0].effective_from) == "2026-10-06"


def test_a_lookup_among_lines_that_stand_together_and_apart() -> None:
    sheet = RatesSheet({"R1": 4, "R2": 5, "R9": 12}, {"R1": "size=1", "R2": "size=2", "R9": 'size=5/8"'}, LETTERS)
    assert sheet.lookup("{k}", ["R1", "R2"], "rate") == "INDEX(Rates!$J$4:$J$5,MATCH({k},Rates!$F$4:$F$5,0))"
    apart = sheet.lookup("{k}", ["R1", "R9"], "rate")
    assert apart == '(IF({k}="size=1",Rates!$J$4,IF({k}="size=5/8""",Rates!$J$12,NA())))'
    assert sheet.cell("R9", "rate") == "Rates!$J$12"


def test_headings_become_names() -> None:
    assert [slug(text) for text in ("Water tier 1 up to", "5/8", "--", "")] == ["water_tier_1_up_to", "5_8", "x", "x"]
