"""Tariff files from the terminal: price cases on an OWRS file or a folder of them, and check a file."""

from __future__ import annotations

import argparse
import csv
import json as json_text
import sys
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from xlbilling.exact import MILLION, decimal_text, parse_decimal
from xlbilling.money import dollars
from xlbilling.problems import Place, Problem, Refusal, declare
from xlbilling.tariffs import price, rate_book
from xlbilling.tariffs.lint import lint_owrs
from xlbilling.tariffs.owrs import OwrsRates, owrs_rates
from xlbilling.tariffs.owrs_read import OwrsTariff, read_owrs
from xlbilling.tariffs.refusals import BAD_NUMBER, INPUT_SHADOWS, UNKNOWN_SCHEDULE

ALL_DONE, WITH_REJECTS = 0, 3
UNREADABLE: Final = declare(
    "tariff_file",
    "A tariff file or a file of cases cannot be opened or read.",
    "Check the path; the file is plain text.",
)
CASES: Final = declare(
    "tariff_cases",
    "The file of cases lacks a column.",
    "Give case, class and consumption, and tariff first where the tariff is a folder.",
)
_KNOWN: Final = ("tariff", "case", "class", "consumption")


def read_tariff(path: Path, shown: str = "") -> OwrsTariff:
    """Read one OWRS file; Refusal where it cannot be opened or is not well-formed."""
    name = shown or path.name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refusal(UNREADABLE.at(Place(file=name), f"{error.strerror or error}")) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")  # older files from Windows; only prose differs
    return read_owrs(text, name)


# ---- price ------------------------------------------------------------------------------------------------------


def tariff_price(tariff: Path, cases: Path, out: Path, unrounded: bool = False) -> int:
    """Price a CSV of cases on an OWRS file, or on the files of a folder; 3 where some case could not be priced.

    Cases: case, class, consumption (in the file's own unit) and one column per other input, blank = not given; with a
    folder also tariff, the file's path inside it. Out: case, bill, lines (JSON name -> amount), error (code: message).
    """
    table = _read_cases(cases, tariff.is_dir())
    bills = pd.DataFrame({"bill": "", "lines": "{}", "error": ""}, index=table.index, dtype=object)
    if tariff.is_dir():
        groups: Iterable[tuple[Any, pd.DataFrame]] = table.groupby("tariff", sort=False)
    else:
        groups = [(tariff.name, table)]
    for name, rows in groups:
        path = tariff / str(name) if tariff.is_dir() else tariff
        try:
            if tariff.is_dir() and not path.resolve().is_relative_to(tariff.resolve()):
                raise Refusal(UNREADABLE.at(Place(file=str(name)), "the file is outside the folder"))
            source = read_tariff(path, str(name))
        except Refusal as refusal:
            if not tariff.is_dir():
                raise
            bills.loc[rows.index, "error"] = _error(refusal.problem)
            continue
        bills.loc[rows.index] = _price_cases(source, rows, unrounded)
    _write_cases(out, table, bills)
    return WITH_REJECTS if (bills["error"] != "").any() else ALL_DONE


def _read_cases(path: Path, folder: bool) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, dtype=object, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise Refusal(UNREADABLE.at(Place(file=path.name), str(error))) from None
    missing = [name for name in _KNOWN[0 if folder else 1 :] if name not in table.columns]
    if missing:
        raise Refusal(CASES.at(Place(file=path.name, line=1), f"there is no column {', '.join(missing)}"))
    for name in table.columns:
        table[name] = table[name].str.strip()
    return table


def _price_cases(source: OwrsTariff, cases: pd.DataFrame, unrounded: bool) -> pd.DataFrame:
    """Bills of the cases of one file, in the order of the cases."""
    imported = owrs_rates(source, name=source.file)
    book, _ = rate_book(imported.rates)
    errors = _case_errors(source, imported, cases)
    good = cases[errors == ""]
    bills = pd.DataFrame({"bill": "", "lines": "{}", "error": errors}, index=cases.index, dtype=object)
    priced = price(book, _usage(source, good), unrounded=True, with_basis=False)
    for position, problem in priced.refused.items():
        bills.loc[good.index[position], "error"] = _error(problem)
    amounts = priced.lines["unrounded"] if unrounded else priced.lines["amount_cents"]
    charges = priced.lines["charge"].astype(object).to_numpy()
    by_row: dict[int, dict[str, Any]] = {}
    for row, charge, amount in zip(priced.lines["row"].tolist(), charges, amounts.tolist(), strict=True):
        bill = by_row.setdefault(row, {})
        bill[charge] = bill.get(charge, 0) + amount
    shown = _plain if unrounded else _dollars
    index = [good.index[row] for row in by_row]
    bills.loc[index, "bill"] = [shown(sum(bill.values())) for bill in by_row.values()]
    bills.loc[index, "lines"] = [
        "{" + ", ".join(f"{json_text.dumps(name)}: {shown(value)}" for name, value in bill.items()) + "}"
        for bill in by_row.values()
    ]
    return bills


def _plain(amount: Fraction | int) -> str:
    text = decimal_text(Fraction(amount))
    return text if "/" not in text else repr(float(amount))


def _dollars(cents: int) -> str:
    return dollars(cents).replace(",", "")


def _error(problem: Problem) -> str:
    return f"{problem.code}: {problem.fact}. {problem.remedy}".replace("\n", " ")


def _case_errors(source: OwrsTariff, imported: OwrsRates, cases: pd.DataFrame) -> pd.Series[Any]:
    """Why a case is refused before it is priced: class, consumption, or an input the class itself defines."""
    errors = pd.Series("", index=cases.index, dtype=object)
    for customer_class, rows in cases.groupby("class", sort=False):
        name = str(customer_class)
        if name in imported.refused:
            errors[rows.index] = _error(imported.refused[name])
        elif name not in source.classes:
            there = ", ".join(source.classes)
            fact = f"{source.file} has no class {name!r}; there are {there}"
            errors[rows.index] = _error(UNKNOWN_SCHEDULE.at(Place(column="class"), fact))
        else:
            for column in _inputs(cases):
                if column in source.classes[name].fields:
                    given = rows.index[rows[column] != ""]
                    fact = f"class {name} defines {column} itself (line {source.classes[name].lines[column]})"
                    errors[given] = _error(INPUT_SHADOWS.at(Place(column=column), fact))
    for text, rows in cases.groupby("consumption", sort=False):
        value = parse_decimal(str(text))
        if value is None or (value * MILLION).denominator != 1:
            why = "which is no number" if value is None else "which has more than 6 decimals"
            problem = BAD_NUMBER.at(Place(column="consumption"), f"consumption is {text!r}, {why}")
            errors[rows.index] = errors[rows.index].where(errors[rows.index] != "", _error(problem))
    return errors


def _inputs(cases: pd.DataFrame) -> list[str]:
    return [name for name in cases.columns if name not in _KNOWN]


def _usage(source: OwrsTariff, cases: pd.DataFrame) -> pd.DataFrame:
    """The cases as services of one whole day, since the format knows no dates."""
    values = {text: parse_decimal(text) or Fraction(0) for text in cases["consumption"].unique()}
    millionths = {text: int(value * MILLION) for text, value in values.items()}
    usage = pd.DataFrame({name: cases[name] for name in _inputs(cases)}, index=cases.index)
    day = np.datetime64("2100-01-01", "s")
    usage["key"] = cases["case"]
    usage["tariff"] = source.file
    usage["customer_class"] = cases["class"]
    usage["consumption"] = np.array([millionths[text] for text in cases["consumption"]], dtype=np.int64)
    usage["service_from"], usage["service_to"], usage["bill_date"] = day, day + np.timedelta64(1, "D"), day
    return usage


def _write_cases(out: Path, cases: pd.DataFrame, bills: pd.DataFrame) -> None:
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["case", "bill", "lines", "error"])
        writer.writerows(zip(cases["case"], bills["bill"], bills["lines"], bills["error"], strict=True))


# ---- check ------------------------------------------------------------------------------------------------------


def tariff_check(file: Path, json: bool = False) -> int:
    """Print what is wrong or odd in an OWRS file, with lines, and which classes can be priced; 3 where one cannot."""
    source = read_tariff(file)
    imported = owrs_rates(source, name=source.file)
    findings = lint_owrs(source, imported)
    refused = {name: problem.fact for name, problem in imported.refused.items()}
    if json:
        print(json_text.dumps(_as_json(source, findings, refused), indent=2))
    else:
        _print(source, findings, refused)
    return WITH_REJECTS if refused else ALL_DONE


def _as_json(source: OwrsTariff, findings: list[Problem], refused: dict[str, str]) -> dict[str, Any]:
    return {
        "file": source.file,
        "metadata": source.metadata,
        "classes": {
            name: {"priceable": name not in refused, "reason": refused.get(name, "")} for name in source.classes
        },
        "errors": [_found(each) for each in findings if each.severity == "block"],
        "warnings": [_found(each) for each in findings if each.severity != "block"],
    }


def _found(problem: Problem) -> dict[str, Any]:
    place = problem.place
    where = {"line": place.line, "class": place.key, "component": place.column}
    return {"code": problem.code, **where, "message": problem.fact, "remedy": problem.remedy}


def _print(source: OwrsTariff, findings: list[Problem], refused: dict[str, str]) -> None:
    for problem in findings:
        word = "error" if problem.severity == "block" else "warning"
        sys.stdout.write(
            f"{source.file}:{problem.place.line}: {word} [{problem.code}] {problem.fact}. {problem.remedy}\n"
        )
    for name in source.classes:
        said = f"cannot be priced: {refused[name]}" if name in refused else "can be priced"
        sys.stdout.write(f"class {name}: {said}\n")


def main(arguments: list[str]) -> int:
    """`price --tariff F --cases C --out O [--unrounded]` and `check F [--json]`, for a machine without the full command."""
    parser = argparse.ArgumentParser(prog="tariff")
    commands = parser.add_subparsers(dest="command", required=True)
    pricing = commands.add_parser("price")
    for name in ("--tariff", "--cases", "--out"):
        pricing.add_argument(name, type=Path, required=True)
    pricing.add_argument("--unrounded", action="store_true")
    checking = commands.add_parser("check")
    checking.add_argument("file", type=Path)
    checking.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    try:
        if given.command == "price":
            return tariff_price(given.tariff, given.cases, given.out, given.unrounded)
        return tariff_check(given.file, given.json)
    except Refusal as refusal:
        sys.stderr.write(refusal.line + "\n")
        return refusal.exit_code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
