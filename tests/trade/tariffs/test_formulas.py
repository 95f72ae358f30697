"""The audit formulas, recalculated by LibreOffice, against what `price` bills."""

from __future__ import annotations

import csv
import datetime as dt
import random
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import xlsxwriter

from xlbilling.trade.audit import periods_of
from xlbilling.trade.tariffs import Schedule, inputs_of, price, rate_book
from xlbilling.trade.tariffs.formulas import AuditColumn, audit_formulas
from xlbilling.trade.tariffs.lasting import parts_lasted

from .schedules import SIZES, rate, service, table, tiers, usage

RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load"><prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""

CHANGE = dt.date(2026, 3, 22)


def schedules() -> list[dict[str, Any]]:
    """Three classes that between them use every kind of charge; the first changes its rates on CHANGE."""
    sfr = [
        *(rate(component="service", kind="fixed", keys=f"meter_size={size}", rate=f"{20 + at * 7.35:.2f}") for at, size in enumerate(SIZES)),
        *tiers("water", ("0", "2.1450"), ("15", "3.2275"), ("41", "8.8515"), position=2),
        rate(component="pumping", kind="flat", keys="zone=1", rate="0.2215", position=3),
        rate(component="pumping", kind="flat", keys="zone=2", rate="0.5515", position=3),
        rate(component="utility tax", kind="percentage", rate="1.25", expression="service + water", position=4),
        rate(component="minimum", kind="minimum", rate="45.50", expression="service + water", position=5),
        *tiers("water", ("0", "2.5"), ("12", "3.95"), ("50", "9.005"), position=2, effective_from=CHANGE),
    ]  # fmt: skip
    mfr = [
        rate(component="units", kind="per_unit", expression="dwelling_units", rate="11.115", rounding="half_even"),
        rate(component="water", kind="budget", tier=1, cap="indoor", rate="1.15", position=2),
        rate(component="water", kind="budget", tier=2, cap="150%", rate="2.255", position=2),
        rate(component="water", kind="budget", tier=3, rate="4.005", position=2),
        rate(component="indoor", kind="lookup", expression="55*dwelling_units*service_days/748"),
        rate(component="outdoor", kind="lookup", expression="3.5 + dwelling_units/3"),
        rate(component="budget", kind="lookup", expression="round(indoor) + round(outdoor)"),
        rate(component="high flow", kind="per_unit", expression="consumption_high", rate="0.335", position=4),
        rate(component="low income", kind="cap", rate="150", expression="units + water", position=3),
    ]
    com = [
        *tiers("water", ("0", "1.005"), ("10", "2.335"), keys='meter_size=5/8"', position=1),
        *tiers("water", ("0", "1.115"), keys='meter_size=3/4"', position=1),
        *tiers("water", ("0", "3"), ("dwelling_units*2 + 1", "4.5"), keys='meter_size=1"', position=1),
        *tiers("water", ("0", "3"), ("5", "2"), ("6", "9"), keys='meter_size=1 1/2"', position=1),
        rate(component="power", kind="formula", keys="dwelling_units>=0", expression="round(consumption^2/7, 1)*0.05", position=2),
        rate(component="power", kind="formula", keys="dwelling_units>=4", expression="-max(1, min(consumption, 8))*1.005", position=2),
    ]  # fmt: skip
    com += [
        rate(component="season", kind="season", keys="season=dry", expression="03-15"),
        rate(component="season", kind="season", keys="season=wet", expression="11-01"),
        *(rate(component="pumping", kind="flat", keys=f"season={season}; meter_size={size}", rate=price, position=3)
          for season, price in (("dry", "0.775"), ("wet", "0.335")) for size in SIZES),
        rate(component="peak", kind="flat", keys="season=dry", rate="0.105", position=4),
        rate(component="peak", kind="flat", keys="season=wet", rate="0", position=4),
    ]  # fmt: skip
    return [
        *sfr,
        *(each | {"customer_class": "MFR"} for each in mfr),
        *(each | {"customer_class": "COM"} for each in com),
    ]


def random_services(count: int) -> list[dict[str, Any]]:
    chance = random.Random(7)
    return [
        service(
            Fraction(chance.choice([chance.randrange(0, 60_000), chance.randrange(0, 120) * 500]), 1000),
            days=chance.randrange(5, 62),
            customer_class=chance.choice(["SFR", "MFR", "COM"]),
            meter_size=chance.choice(SIZES),
            zone=chance.choice("12"),
            dwelling_units=str(chance.randrange(1, 9)),
            consumption_high=f"{chance.randrange(0, 9000) / 100:.2f}",
            nominal_days=chance.choice([0, 0, 0, 60]),
        )
        for _ in range(count)
    ]


# 16 units in 43 of 60 days stand for 960/43 units in full; tier 3 is 100/43 x 4.005 x 43/60 = 6.675 -> 6.68.
ON_THE_EDGE = [
    service(16, days=43, nominal_days=60, customer_class="MFR", dwelling_units="2", consumption_high="79.96", zone="1")
]


class Audit:
    """A workbook with the rates and, below each other, one row of audit formulas for every segment of every bill."""

    def __init__(self, path: Path, rates: pd.DataFrame, lookups: bool):
        self.book = xlsxwriter.Workbook(str(path))
        self.audit, self.rates = self.book.add_worksheet("Audit"), self.book.add_worksheet("Rates")
        self.lookups = lookups
        for at, (_, row) in enumerate(rates.iterrows()):
            self.rates.write_string(at, 0, row["keys"])
            for column, name in ((1, "rate"), (2, "from_unit")):
                if row[name].replace(".", "").isdigit():
                    self.rates.write_number(at, column, float(row[name]))

    @staticmethod
    def rate_cell(rate_id: str, column: str) -> str:
        return f"Rates!${'B' if column == 'rate' else 'C'}${rate_id}"

    @staticmethod
    def lookup(key: str, rate_ids: Any, column: str) -> str:
        first, last, letter = rate_ids[0], rate_ids[-1], "B" if column == "rate" else "C"
        return f"INDEX(Rates!${letter}${first}:${letter}${last},MATCH({key},Rates!$A${first}:$A${last},0))"

    def row(
        self, at: int, schedule: Schedule, given: dict[str, Any], lasts: dict[str, str | None]
    ) -> list[AuditColumn]:
        cells = {}
        for column, (name, value) in enumerate(given.items(), start=1):
            cells[name] = f"${chr(64 + column + 1)}${at + 1}"
            if isinstance(value, str):  # inputs stand on the audit sheet as text
                self.audit.write_string(at, column, value)
            else:
                self.audit.write_number(at, column, float(value))
        first = 26
        columns = audit_formulas(
            schedule, cells, self.rate_cell,
            lambda place: xlsxwriter.utility.xl_rowcol_to_cell(at, first + place),
            self.lookup if self.lookups and all(len(c.depends_on) < 2 for c in schedule.components.values()) else None,
            lasts,
        )  # fmt: skip
        total = []
        for place, column in enumerate(columns):
            self.audit.write_formula(at, first + place, column.formula)
            if column.rounds:
                total.append(xlsxwriter.utility.xl_rowcol_to_cell(at, first + place))
        self.audit.write_formula(at, 0, "=" + "+".join(total))
        return columns


def recalculated(path: Path, folder: Path) -> list[str]:
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(RECALCULATE)
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(folder / 'profile').as_uri()}", "--headless", "--convert-to", "csv",
         "--outdir", str(folder), str(path)],
        check=True, capture_output=True, timeout=180,
    )  # fmt: skip
    with path.with_suffix(".csv").open(newline="") as file:
        return [row[0] for row in csv.reader(file)]


@pytest.mark.libreoffice
@pytest.mark.parametrize("lookups", [False, True])
def test_the_workbook_recomputes_every_bill_to_the_cent(tmp_path: Path, lookups: bool) -> None:
    if shutil.which("soffice") is None:
        pytest.skip("LibreOffice is not installed")
    rates = table(schedules())
    book, problems = rate_book(rates)
    assert problems == []
    services = [*ON_THE_EDGE, *random_services(240)]
    result = price(book, usage(services))
    assert result.problems == []
    audit = Audit(tmp_path / "audit.xlsx", rates, lookups)
    billed = []
    cents = result.lines.groupby(["row", "segment"])["amount_cents"].sum()
    for row, one in enumerate(services):
        until = one["service_from"] + dt.timedelta(one["days"])
        bill = {"tariff": "W1", "customer_class": one["customer_class"], "service_from": one["service_from"]}
        parts = periods_of(book, bill | {"service_to": until, "bill_date": one["bill_date"]})
        for place, lasted in enumerate(parts_lasted([schedule for schedule, _, _ in parts])):
            schedule, after, until = parts[place]
            given = {name: one[name] for name in inputs_of(schedule)} | {"consumption": one["consumption"]}
            full = one["nominal_days"] or one["days"]
            given |= {"service_days": full, "segment_days": (until - after).days, "all_days": one["days"]}
            if one["nominal_days"]:
                given["nominal_days"] = full
            # A fixed charge stands for the days of all parts it lasts, with the first of them; then it is there no more.
            lasts = {
                charge: str((parts[place + count - 1][2] - after).days) if count else None
                for charge, count in lasted.items()
            }
            audit.row(len(billed), schedule, given, lasts)
            billed.append(int(cents.get((row, place + 1), 0)))
    audit.book.close()
    assert sum(billed) == cents.sum()
    shown = recalculated(tmp_path / "audit.xlsx", tmp_path)
    assert [round(Fraction(text) * 100) for text in shown] == billed


def test_a_plain_bill_has_few_columns() -> None:
    rows = [rate(component="service", kind="fixed", rate="24.06"), *tiers("water", ("0", "2"), ("15", "3"), position=2)]
    book, _ = rate_book(table(rows))
    schedule = book.versions("W1", "SFR")[0]
    columns = audit_formulas(
        schedule, {"consumption": "$C5"}, lambda row, name: f"{name}{row}", lambda at: f"${'HIJKLM'[at]}5"
    )
    assert [(each.heading, each.formula, each.rounds) for each in columns] == [
        ("service", "=ROUND(rate1,2)", True),
        ("water tier 1 up to", "=MAX(0,(from_unit3-1))", False),
        ("water tier 1 units", "=ROUND(MAX(0,MIN($C5,$I5)-0),9)", False),
        ("water tier 2 units", "=ROUND(MAX(0,$C5-$I5),9)", False),
        ("water tier 1", "=ROUND($J5*rate2,2)", True),
        ("water tier 2", "=ROUND($K5*rate3,2)", True),
    ]


def test_an_input_without_a_cell_is_named() -> None:
    book, _ = rate_book(table([rate(component="units", kind="per_unit", expression="dwelling_units", rate="3")]))
    with pytest.raises(KeyError, match="dwelling_units"):
        audit_formulas(book.versions("W1", "SFR")[0], {"consumption": "C5"}, lambda row, _: row, str)
