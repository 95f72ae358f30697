"""Tariff files from the terminal: price cases on an OWRS file or a folder of them, and check a file."""

from __future__ import annotations

import argparse
import csv
import json as json_text
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from xlbilling.intake.tariff_file import UNREADABLE, read_tariff
from xlbilling.trade.tariffs import Priced, price, rate_book
from xlbilling.trade.tariffs.lint import lint_owrs
from xlbilling.trade.tariffs.owrs import OwrsRates, owrs_rates
from xlbilling.trade.tariffs.owrs_read import OwrsTariff
from xlbilling.trade.tariffs.refusals import BAD_NUMBER, INPUT_SHADOWS, UNKNOWN_SCHEDULE
from xlbilling.words.exact import MILLION, Exact, parse_decimal
from xlbilling.words.problems import Place, Problem, Refusal, declare

ALL_DONE, WITH_REJECTS = 0, 3
UNROUNDED_PLACES: Final = 12
CASES: Final = declare(
    "tariff_cases",
    "The file of cases lacks a column.",
    "Give case, class and consumption, and tariff first where the tariff is a folder.",
)
_KNOWN: Final = ("tariff", "case", "class", "consumption")


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
        table[name] = pd.Series([text.strip() for text in table[name]], index=table.index, dtype=object)
    return table


def _price_cases(source: OwrsTariff, cases: pd.DataFrame, unrounded: bool) -> pd.DataFrame:
    """Bills of the cases of one file, in the order of the cases."""
    imported = owrs_rates(source, name=source.file)
    book, _ = rate_book(imported.rates)
    errors = _case_errors(source, imported, cases)
    places = np.flatnonzero(np.array(errors) == "").tolist()
    good = cases.iloc[places]
    bill_of, lines_of = [""] * len(cases), ["{}"] * len(cases)
    priced = price(book, _usage(source, good), unrounded=unrounded, with_basis=False)
    for position, problem in priced.refused.items():
        errors[places[position]] = _error(problem)
    for row, total, lines in _totals(priced):
        at = places[row]
        bill_of[at], lines_of[at] = total, lines
    return pd.DataFrame({"bill": bill_of, "lines": lines_of, "error": errors}, index=cases.index, dtype=object)


def _totals(priced: Priced) -> Iterator[tuple[int, str, str]]:
    """Of every priced case: its row, its bill, and its charges as JSON."""
    rows, charges = priced.lines["row"].to_numpy(), priced.lines["charge"].cat
    if not len(rows):
        return
    codes = charges.codes.to_numpy()
    new_row = np.append(True, rows[1:] != rows[:-1])
    by_charge = np.flatnonzero(new_row | np.append(True, codes[1:] != codes[:-1]))
    by_row = np.flatnonzero(new_row)
    if priced.unrounded is None:
        cents = priced.lines["amount_cents"].to_numpy()
        amounts, totals = _dollars(np.add.reduceat(cents, by_charge)), _dollars(np.add.reduceat(cents, by_row))
    else:
        exact = priced.unrounded
        amounts, totals = (exact.sums(runs).rounded_texts(UNROUNDED_PLACES) for runs in (by_charge, by_row))
    named = [json_text.dumps(str(name)) for name in charges.categories]
    said = [f"{named[code]}: {amount}" for code, amount in zip(codes[by_charge].tolist(), amounts, strict=True)]
    ends = [*np.searchsorted(by_charge, by_row[1:]).tolist(), len(said)]
    start = 0
    for row, total, end in zip(rows[by_row].tolist(), totals, ends, strict=True):
        yield row, total, "{" + ", ".join(said[start:end]) + "}"
        start = end


def _dollars(cents: npt.NDArray[np.int64]) -> list[str]:
    return [("-" if each < 0 else "") + f"{abs(each) // 100}.{abs(each) % 100:02d}" for each in cents.tolist()]


def _error(problem: Problem) -> str:
    return f"{problem.code}: {problem.fact}. {problem.remedy}".replace("\n", " ")


def _case_errors(source: OwrsTariff, imported: OwrsRates, cases: pd.DataFrame) -> list[str]:
    """Why a case is refused before it is priced: class, consumption, or an input the class itself defines."""
    errors = [""] * len(cases)

    def refuse(rows: npt.NDArray[np.intp] | list[int], problem: Problem) -> None:
        said = _error(problem)
        for row in rows:
            errors[row] = errors[row] or said

    classes = cases["class"].to_numpy(dtype=object)
    for name in dict.fromkeys(classes):
        mine = np.flatnonzero(classes == name)
        if name in imported.refused:
            refuse(mine, imported.refused[name])
        elif name not in source.classes:
            fact = f"{source.file} has no class {name!r}; there are {', '.join(source.classes)}"
            refuse(mine, UNKNOWN_SCHEDULE.at(Place(column="class"), fact))
        else:
            lines = source.classes[name].lines
            for column in (each for each in _inputs(cases) if each in lines):
                given = mine[cases[column].to_numpy(dtype=object)[mine] != ""]
                fact = f"class {name} defines {column} itself (line {lines[column]})"
                refuse(given, INPUT_SHADOWS.at(Place(column=column), fact))
    texts = list(cases["consumption"])
    for row in np.flatnonzero(~_whole_millionths(texts)[1]):
        why = "which is no number" if parse_decimal(texts[row]) is None else "which has more than 6 decimals"
        refuse([int(row)], BAD_NUMBER.at(Place(column="consumption"), f"consumption is {texts[row]!r}, {why}"))
    return errors


def _whole_millionths(texts: list[str]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Consumptions as millionths of the unit, and which of them are that exactly (the others are 0)."""
    values, good = Exact.parse(texts)
    scaled = values * MILLION
    whole = good & scaled.equals(scaled.floor()) & (abs(scaled) < 2**62)
    return np.where(whole, scaled.floor().num, 0).astype(np.int64), whole


def _inputs(cases: pd.DataFrame) -> list[str]:
    return [name for name in cases.columns if name not in _KNOWN]


def _usage(source: OwrsTariff, cases: pd.DataFrame) -> pd.DataFrame:
    """The cases as services of one whole day, since the format knows no dates."""
    usage = cases[_inputs(cases)].copy()
    day = np.datetime64("2100-01-01", "s")
    usage["key"] = cases["case"]
    usage["tariff"] = source.file
    usage["customer_class"] = cases["class"]
    usage["consumption"] = _whole_millionths(list(cases["consumption"]))[0]
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
