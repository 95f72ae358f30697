"""OWRS files: every construct in small, and the real tariffs against their reference where they are at hand."""

from __future__ import annotations

import gzip
import json
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from xlbilling.trade.tariffs import RateBook, price, rate_book
from xlbilling.trade.tariffs.owrs import OwrsRates, effective_date, owrs_rates
from xlbilling.trade.tariffs.owrs_read import OwrsTariff, read_owrs
from xlbilling.trade.tariffs.owrs_write import owrs_text
from xlbilling.words.problems import Refusal

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "owrs"
real_tariffs = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder with the real tariffs is not here")


def tariff(fields: str, customer_class: str = "A") -> OwrsTariff:
    indented = "\n".join("    " + line for line in fields.strip("\n").splitlines())
    return read_owrs(f"rate_structure:\n  {customer_class}:\n{indented}\n", "t.owrs")


def imported(source: OwrsTariff) -> tuple[OwrsRates, RateBook]:
    rates = owrs_rates(source, name="T")
    book, problems = rate_book(rates.rates)
    assert problems == []
    return rates, book


def bills(book: RateBook, cases: list[dict[str, Any]]) -> list[Fraction | str]:
    """The exact bill of each case, or the code it is refused with."""
    usage = pd.DataFrame([{"customer_class": "A", **case} for case in cases]).fillna("")
    usage["consumption"] = np.array([int(Fraction(case["usage"]) * 10**6) for case in cases], dtype=np.int64)
    day = np.datetime64("2100-01-01", "s")
    usage = usage.drop(columns=["usage"]).assign(
        tariff="T", service_from=day, service_to=day + np.timedelta64(1, "D"), bill_date=day
    )
    result = price(book, usage, unrounded=True, with_basis=False)
    found: list[Fraction | str] = [Fraction(0)] * len(cases)
    for row, amount in zip(result.lines["row"], result.unrounded.fractions() if result.unrounded else [], strict=True):
        found[row] += amount
    for row, problem in result.refused.items():
        found[row] = problem.code
    return found


def bill(fields: str, usage: str, **inputs: str) -> Fraction | str:
    return bills(imported(tariff(fields))[1], [{"usage": usage} | inputs])[0]


def reason(fields: str) -> str:
    return owrs_rates(tariff(fields)).refused["A"].fact


TIERS = "tier_starts: [0, 15, 41]\ntier_prices: [1, 2, 3]\ncommodity_charge: Tiered\nbill: commodity_charge\n"
BUDGET = """
gpcd: 55
indoor: gpcd*hhsize/10
outdoor: 12.5
budget: indoor+outdoor
tier_starts: [0, indoor, 100%, 150%]
tier_prices: [1, 2, 3, 4]
commodity_charge: Budget
bill: commodity_charge
"""


@pytest.mark.parametrize(
    ("usage", "expected"),
    # 14 units at 1, 26 at 2, the rest at 3
    [("0", "0"), ("14", "14"), ("14.5", "15"), ("40", "66"), ("41", "69"), ("100", "246")],
)
def test_tiered(usage: str, expected: str) -> None:
    assert bill(TIERS, usage) == Fraction(expected)


def test_tiered_oddities() -> None:
    # A fractional start loses one unit too: 8.97 ends the first tier at 7.97.
    assert bill(TIERS.replace("15, 41", "8.97, 41"), "8") == Fraction("7.97") + Fraction("0.03") * 2
    # Starts that fall back make a tier without width: 0, 15, 3 -> 14 at 1, none at 2, the rest at 3.
    assert bill(TIERS.replace("15, 41", "15, 3"), "20") == 14 + 6 * 3
    # One tier prices everything.
    assert bill(
        "tier_starts: 0\ntier_prices: [2.5]\ncommodity_charge: Tiered\nbill: commodity_charge", "3"
    ) == Fraction("7.5")
    # A start may be a formula of the inputs: (2-1)*8*0.55+8 = 12.4, so 11.4 units at 1.
    assert bill(TIERS.replace("15, 41", "((n-1)*8*0.55)+8, 41"), "12", n="2") == Fraction("11.4") + Fraction("0.6") * 2


def test_budget() -> None:
    # indoor 5.5 x 3 = 16.5 -> 16 (half to even); outdoor 12.5 -> 12; budget 28; 150% = 42.
    assert bill(BUDGET, "50", hhsize="3") == 16 * 1 + 12 * 2 + 14 * 3 + 8 * 4
    assert bill(BUDGET, "50") == "missing_input"
    assert "24 HCF" in reason(BUDGET.replace("150%", "24 HCF"))


def test_a_budget_rounds_terms_never_factors() -> None:
    # 10.4 x 0.93 = 9.672 -> 10, not 10.4 x 1.
    fields = (
        "budget: 0.93*n\ntier_starts: [0, 100%]\ntier_prices: [1, 2]\ncommodity_charge: Budget\nbill: commodity_charge"
    )
    assert bill(fields, "12", n="10.4") == 10 + 2 * 2


@pytest.mark.parametrize(
    ("fields", "inputs", "expected"),
    [
        ("fee: [3.50]\nbill: fee", {}, "3.5"),
        ("fee:\n  depends_on: size\n  values: {1: 4, 1.50: 5}\nbill: fee", {"size": "1.5"}, "5"),
        ("fee:\n  depends_on: [a, b]\n  values: {'1|1/2\"|x': 4}\nbill: fee", {"a": '1|1/2"', "b": "x"}, "4"),
        ("fee:\n  depends_on: ok\n  values: {Yes: 4, No: 5}\nbill: fee", {"ok": "No"}, "5"),
        ("fee:\n  depends_on: ok\n  values: {False: 4, True: 5}\nbill: fee", {"ok": "TRUE"}, "5"),
        ("fee:\n  depends_on: z\n  values: {1: 2*usage_ccf, 2: 0}\nbill: fee + 1", {"z": "1"}, "15"),
        ("group:\n  depends_on: z\n  values: {7: 1}\nfee:\n  depends_on: group\n  values: {1: 9}\nbill: fee", {"z": "7"}, "9"),
        ("fee:\n  depends_on: lot\n  lot_starts: [0, 10, 20]\n  values: [1, 2, 3]\nbill: fee", {"lot": "10"}, "2"),
        ("fee: 2\nbill: 1.01*(fee + 3)", {}, "5.05"),
        ("fee: 2\noff: 3\nbill: fee - off", {}, "-1"),
        ("fee: 2^3 - -1 + max(1, 2, n) + round(2.5)\nbill: fee", {"n": "7"}, "18"),
        ("never: 1/0\nfee: 2\nbill: fee", {}, "2"),
        ("x_charge: Tiered\ntier_starts_x: [0, 3]\ntier_prices_x: [1, 5]\nbill: x_charge", {}, "27"),
        ("price: 2\ntier_starts: [0, 3]\ntier_prices: [price*2, 5]\ncommodity_charge: Tiered\nbill: commodity_charge", {}, "33"),
        ("commodity_charge: rate*n\nrate_commodity: 4\nn_commodity: 2\nbill: commodity_charge", {}, "8"),
        ("variable_drought_surcharge: r*usage_ccf\nr_drought: 4\nr_commodity: 2\nbill: variable_drought_surcharge", {}, "28"),
        ("commodity_charge: Budget\nbudget_commodity: b\nb_commodity: 4\ntier_starts_commodity: [0, 100%]\n"
         "tier_prices_commodity: [1, 10]\nbill: commodity_charge", {}, "34"),
        ("r: 1\ncommodity_charge: r*usage_ccf\nx: r*2\nbill: commodity_charge + x + 0.5", {}, "9.5"),
        # What a price is looked up by, or what the service gives, may be called anything.
        ("fee:\n  depends_on: late_fee\n  values: {Yes: 4, No: 5}\nbill: fee", {"late_fee": "Yes"}, "4"),
        ("fee:\n  depends_on: Meter size\n  values: {a: 4, b: 5}\nbill: fee", {"Meter size": "b"}, "5"),
        ("fee:\n  depends_on: [Meter size, city-limits]\n  values: {a|in: 4, b|in: 5}\nbill: fee", {"Meter size": "b", "city-limits": "in"}, "5"),
        ("season: 2\nfee:\n  depends_on: Season\n  values: {S: 4, W: 5}\nbill: fee", {"Season": "W"}, "5"),
        ("gpcd: 55\nfee: GPCD*2\nbill: fee", {"GPCD": "3"}, "6"),
        # A list of one is what it holds, whatever that is.
        ("fee: [{depends_on: z, values: {1: 4}}]\nbill: fee", {"z": "1"}, "4"),
        ("tier_starts: [[0, 3]]\ntier_prices: [[1, 5]]\ncommodity_charge: Tiered\nbill: commodity_charge", {}, "27"),
        # One key of a map that cannot be read leaves the others as they are.
        ("fee:\n  depends_on: z\n  values: {1: 4, 2: {a: 1}}\nbill: fee", {"z": "1"}, "4"),
        ("commodity_charge: Tiered\ntier_starts:\n  depends_on: z\n  values: {1: [0, 3], 2: {a: 1}}\n"
         "tier_prices: [1, 5]\nbill: commodity_charge", {"z": "1"}, "27"),
        # Tiers under the whole name of their charge, or a part of it.
        ("variable_sewer_charge: Tiered\ntier_starts_variable_sewer: [0, 3]\ntier_prices_variable_sewer: [1, 5]\n"
         "bill: variable_sewer_charge", {}, "27"),
        ("IR_Charge: Tiered\ntier_starts_IR: [0, 3]\ntier_prices_IR: [1, 5]\nbill: IR_Charge", {}, "27"),
    ],
)  # fmt: skip
def test_constructs(fields: str, inputs: dict[str, str], expected: str) -> None:
    assert bill(fields, "7", **inputs) == Fraction(expected)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("fee: 1", "has no bill"),
        ("fee: 1\nbill: fee + IR_Charge", "IR_Charge"),
        ("IR_charge: 1\nbill: IR_Charge", "does define 'IR_charge'"),
        ("fee: 1\nfee: 2\nbill: fee", "line 3 and again on line 4"),
        ("a: b\nb: a\nbill: a", "needs itself"),
        ("fee: __import__('os')\nbill: fee", "cannot read"),
        ("t_charge: Tiered\ntier_starts: [0]\ntier_prices: [1]\nbill: t_charge", "no tiers of its own"),
        ("fee:\nbill: fee", "has no value"),
        ("fee: {values: {1: 2}}\nbill: fee", "not depends_on and values"),
        ("fee: {depends_on: z, values: {1: {a: 2}}}\nbill: fee", "the value of '1' on line 3 is neither"),
        ("fee: 1\nbill: fee + sewer_charge", "adds 'sewer_charge', which the class does not define"),
        (
            "tier_starts: {depends_on: z, values: {1: [0, 3]}}\ntier_prices: {depends_on: z, values: {2: [1, 5]}}\n"
            "commodity_charge: Tiered\nbill: commodity_charge",
            "have no key in common",
        ),
        (TIERS.replace(", 41", ""), "2 tier starts and 3 tier prices"),
    ],
)
def test_a_class_that_cannot_be_priced_says_why(fields: str, said: str) -> None:
    assert said in reason(fields)


TIERS_BY_TWO_MAPS = """
tier_starts: {depends_on: %s, values: {%s}}
tier_prices: {depends_on: %s, values: {%s}}
commodity_charge: Tiered
bill: commodity_charge
"""


@pytest.mark.parametrize(
    ("by_start", "starts", "by_price", "prices", "inputs", "expected"),
    [
        # Usage 7. Starts 0 and 5 are 4 units in tier 1 and 3 in tier 2; starts 0 and 3 are 2 and 5.
        ("[size]", "a: [0, 5], b: [0, 3]", "[size, city]", "a|in: [1, 2], a|out: [3, 4], b|in: [5, 6]", "a in", 4 * 1 + 3 * 2),
        ("[size]", "a: [0, 5], b: [0, 3]", "[size, city]", "a|in: [1, 2], a|out: [3, 4], b|in: [5, 6]", "a out", 4 * 3 + 3 * 4),
        ("[size]", "a: [0, 5], b: [0, 3]", "[size, city]", "a|in: [1, 2], a|out: [3, 4], b|in: [5, 6]", "b in", 2 * 5 + 5 * 6),
        ("[city, size]", "in|a: [0, 5], out|a: [0, 3]", "[size]", "a: [1, 2]", "a in", 4 * 1 + 3 * 2),
        ("[city, size]", "in|a: [0, 5], out|a: [0, 3]", "[size]", "a: [1, 2]", "a out", 2 * 1 + 5 * 2),
        ("[city, size]", "in|a: [0, 5]", "[size, city]", "a|in: [1, 2], a|out: [3, 4]", "a in", 4 * 1 + 3 * 2),
        ("[city, size]", "in|a: [0, 5]", "[size, city]", "a|in: [1, 2], a|out: [3, 4]", "a out", "unknown_key"),
        ("[size, zone]", "a|1: [0, 5], a|2: [0, 3]", "[size, city]", "a|in: [1, 2], a|out: [3, 4]", "a out", 2 * 3 + 5 * 4),
    ],
)  # fmt: skip
def test_starts_and_prices_by_different_names(
    by_start: str, starts: str, by_price: str, prices: str, inputs: str, expected: int | str
) -> None:
    """Each is looked up by its own names, as two maps that have nothing to do with each other are."""
    size, city = inputs.split()
    fields = TIERS_BY_TWO_MAPS % (by_start, starts, by_price, prices)
    assert bill(fields, "7", size=size, city=city, zone="2") == expected


def test_starts_and_prices_that_cannot_be_told_apart_are_refused() -> None:
    # Three parts for two names: is the size 1 and the city 2|in, or the size 1|2 and the city in?
    fields = TIERS_BY_TWO_MAPS % ("[size]", "'1': [0, 5]", "[size, city]", "1|2|in: [1, 2]")
    assert "cannot be told apart" in reason(fields)


def test_a_name_spelled_otherwise_is_asked_for_and_told() -> None:
    rates = owrs_rates(tariff("gpcd: 55\nfee: GPCD*2\nbill: fee"))
    (told,) = (problem for problem in rates.problems if problem.code == "owrs_likely_slip")
    assert "fee asks the service for 'GPCD'; the class itself defines 'gpcd' (line 3)" in told.fact
    assert (told.place.line, told.severity) == (4, "review")
    assert bill("gpcd: 55\nfee: GPCD*2\nbill: fee", "7") == "missing_input"


def test_a_clean_class_stays_priceable_beside_a_faulty_one() -> None:
    text = "rate_structure:\n  A:\n    fee: 1\n    fee: 2\n    bill: fee\n  B:\n    fee: 3\n    bill: fee\n"
    rates = owrs_rates(read_owrs(text))
    assert set(rates.refused) == {"A"}
    assert set(rates.rates["customer_class"]) == {"B"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("rate_structure:\n  A:\n\tfee: 1\n", 3),
        ("rate_structure:\r\n  A:\r\n    fee: 1\r\n      more: 2\r\n", 4),
        ("a: &x 1\nb: *x\n", 2),
        ("metadata:\n  a: 1\n", 1),
        ("- 1\n", 1),
        ("a: 1\nb: \x07\n", 2),
        ("rate_structure:\n  A: {x: 1}\nrate_structure:\n  B: {x: 1}\n", 3),
        ("rate_structure: " + "[" * 60 + "]" * 60, 1),
    ],
)
def test_a_file_that_is_not_well_formed_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(Refusal) as refusal:
        read_owrs(text, "f.owrs")
    assert refusal.value.problem.place.line == line


def test_charges_are_the_terms_of_the_bill_in_the_kinds_a_clerk_knows() -> None:
    rates, _ = imported(
        tariff("service: {depends_on: meter_size, values: {'1\"': 4}}\nwater: r*usage_ccf\nr: 1.5\n"
               "units: 12*dwelling_units\nbill: service + water + units - 2")
    )  # fmt: skip
    named = rates.rates[["component", "kind", "keys", "rate", "expression"]].itertuples(index=False)
    assert [tuple(row) for row in named] == [
        ("service", "fixed", 'meter_size=1"', "4", ""),
        ("water", "flat", "", "1.5", ""),
        ("units", "per_unit", "", "12", "dwelling_units"),
        ("-2", "formula", "", "", "-2"),
    ]


def test_effective_dates() -> None:
    assert str(effective_date("07/01/2017")) == "2017-07-01"
    assert str(effective_date("2017-7-1")) == "2017-07-01"
    assert effective_date("31/12/2017") is None
    assert effective_date("July 2017") is None


# ---- the real tariffs -------------------------------------------------------------------------------------------


def reference() -> pd.DataFrame:
    with gzip.open(SHARED / "oracle_dev.csv.gz", "rt") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def real(name: str) -> OwrsTariff:
    return read_owrs((SHARED / "files" / name).read_text(encoding="utf-8"), name)


def compared(book: RateBook, cases: pd.DataFrame) -> list[str]:
    """The cases whose bill is not the reference's."""
    given = [
        {"customer_class": case["class"], "usage": case["usage"]}
        | {name: str(value) for name, value in json.loads(case["inputs"]).items()}
        for _, case in cases.iterrows()
    ]
    wrong = []
    for (_, case), found in zip(cases.iterrows(), bills(book, given), strict=True):
        same = isinstance(found, str) if not case["spec_bill"] else isinstance(found, Fraction) and math.isclose(
            float(found), float(case["spec_bill"]), rel_tol=1e-9, abs_tol=1e-12
        )  # fmt: skip
        if not same:
            wrong.append(f"{case['file']} {case['class']} {case['usage']} {case['inputs']}: {found}")
    return wrong


@real_tariffs
def test_every_real_class_is_priced_or_refused_as_it_should_be() -> None:
    pairs = json.loads((SHARED / "pairs_dev.json").read_text())
    refused: dict[str, set[str]] = {}
    for pair, verdict in pairs.items():
        name, customer_class = pair.split("\t")
        if name not in refused:
            refused[name] = set(imported(real(name))[0].refused)
        assert (customer_class in refused[name]) == (verdict != "ok"), pair


@real_tariffs
def test_every_real_bill_is_that_of_the_reference() -> None:
    wrong: list[str] = []
    for name, cases in reference().groupby("file"):
        rates, book = imported(real(str(name)))
        wrong += compared(book, cases[~cases["class"].isin(rates.refused)])
    assert wrong == []


@real_tariffs
def test_a_tariff_written_back_means_the_same() -> None:
    wrong: list[str] = []
    for name, cases in reference().groupby("file"):
        rates, book = imported(real(str(name)))
        again = read_owrs(owrs_text([versions[0] for versions in book.schedules.values()], {"bill_unit": "ccf"}))
        more, book = imported(again)
        assert more.refused == {}
        wrong += compared(book, cases[~cases["class"].isin(rates.refused)])
    assert wrong == []


@real_tariffs
@pytest.mark.parametrize("name", ["older-indentation", "nested-field"])
def test_the_two_malformed_files_are_refused_with_a_line(name: str) -> None:
    whole = {key.split("\t")[0] for key in json.loads((SHARED / "pairs_dev.json").read_text())}
    files = sorted((SHARED / "files").rglob("*.owrs"))
    malformed = [path for path in files if path.relative_to(SHARED / "files").as_posix() not in whole]
    path = malformed[name == "older-indentation"]
    with pytest.raises(Refusal) as refusal:
        read_owrs(path.read_text(encoding="utf-8"), path.name)
    assert refusal.value.problem.place.line > 1
