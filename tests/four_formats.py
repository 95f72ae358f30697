"""A month of the sample district whose reads come in four formats for its routes, worked as a clerk works it.

Routes 01 and 05 send a Badger BEACON export, 02 a Neptune file, 03 a Radix file, and 04 a workbook whose headings
nobody knows. The reads are those of the sample district's own file, its troubles among them.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd
from xlsxwriter import Workbook as NewWorkbook

from xlbilling.demo.clerk import Clerk
from xlbilling.demo.decisions import decide
from xlbilling.demo.district import District, sample_district
from xlbilling.demo.files import corrected_read_file, planted, read_file
from xlbilling.demo.old_system import write_old_system
from xlbilling.maker import build_workbook
from xlbilling.office.conversion.convert import convert
from xlbilling.store import Store
from xlbilling.store.store import store_url

ACTOR: Final = "lee"
PERIOD: Final = "2026-10"
HEADINGS: Final = ("Cust #", "Device", "Picked up on", "Index last time", "Index now", "Measure")
_EPOCH: Final = pd.Timestamp("1899-12-30")
Line = dict[str, str]


# ---- the files ------------------------------------------------------------------------------------------------------


def lines_by_route(district: District) -> dict[str, list[Line]]:
    """The lines of the district's read file, by the format that their route sends; a line cut short keeps its meter."""
    text = read_file(district, district.due(PERIOD)[0]).decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    services = district.meters.merge(district.services[["service_id", "route"]], on="service_id")
    route = dict(zip(services["meter_id"], services["route"], strict=True))
    formats = {"02": "neptune", "03": "radix", "04": "workbook"}
    made: dict[str, list[Line]] = {name: [] for name in ("beacon", "neptune", "radix", "workbook")}
    for line in lines:
        filled = {name: value or "" for name, value in line.items()} | {"cut": str(line["Read"] is None)}
        made[formats.get(route.get(line["Meter_ID"], ""), "beacon")].append(filled)
    return made


def beacon(lines: list[Line]) -> bytes:
    names = [name for name in lines[0] if name != "cut"]
    cells = [[line[name] for name in names[: 5 if line["cut"] == "True" else None]] for line in lines]
    return "\r\n".join(",".join(row) for row in [names, *cells]).encode()


def neptune(lines: list[Line]) -> bytes:
    """Record types one below the other; a reading is right-aligned, and a line cut short ends before its reading."""
    made = ["COMHD000120261001ALDER MESA".ljust(57) + "2", f"{'RTEHDR00002':<23}20261001"]
    for line in lines:
        made.append(f"PRMDT{'SAMPLE':<98}{line['Account_ID']:<20}")
        made.append(f"{'MTRDT000010000010':<37}{line['Meter_ID']:<20}")
        day = line["Read_Time"][:10].replace("-", "")
        made.append(f"ORDST{day:<8}")
        reading = f"{'RDGDT':<88}{_dial(line):>10}"
        made.append(reading[:60] if line["cut"] == "True" else reading)
    return "\r\n".join(made).encode()


def radix(lines: list[Line]) -> bytes:
    made = []
    for line in lines:
        day = pd.Timestamp(line["Read_Time"][:10] or "2026-10-01")
        record = f"   003{line['Account_ID'][-6:]} {_dial(line):<7}{day:%m%d%y}{line['Meter_ID']:<10}"
        made.append(record[:18] if line["cut"] == "True" else record)
    return "\n".join(made).encode()


def workbook(lines: list[Line], misread: str) -> bytes:
    """A workbook with words of its own for headings below a title; the dial of `misread` has the letter O for a zero."""
    made = io.BytesIO()
    with NewWorkbook(made, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "mm/dd/yyyy"})
        sheet = book.add_worksheet("Route 4")
        sheet.write_string(0, 0, "Collected by the contractor")
        sheet.write_row(2, 0, HEADINGS)
        for row, line in enumerate(lines, 3):
            dial = _dial(line)
            sheet.write_string(row, 0, line["Account_ID"])
            sheet.write_string(row, 1, line["Meter_ID"])
            if line["Read_Time"]:
                sheet.write_number(row, 2, (pd.Timestamp(line["Read_Time"][:10]) - _EPOCH).days, date)
            sheet.write_string(row, 4, f"O{dial[1:]}" if line["Meter_ID"] == misread else dial)
            sheet.write_string(row, 5, line["Read_Unit"].replace("_", " "))
    return made.getvalue()


def _dial(line: Line) -> str:
    return "" if line["Read_Method"] == "n/a" else line["Read"]


# ---- the month ------------------------------------------------------------------------------------------------------


@dataclass
class FourFormats:
    """The month of one clerk: what was said at each press."""

    clerk: Clerk
    district: District
    lines: dict[str, list[Line]] = field(default_factory=dict)
    said: list[tuple[str, str]] = field(default_factory=list)
    misread: str = ""

    def press(self, button: str) -> str:
        self.said.append((button, self.clerk.tries(button)))
        return self.said[-1][1]

    def save(self) -> str:
        """Look, then write; a clerk at the terminal is asked once."""
        said = self.press("save")
        return self.press("save") if "press Save again" in said else said

    def take_in(self, name: str, content: bytes) -> str:
        (self.clerk.folder / name).write_bytes(content)
        self.clerk.types_on_start(ReadsFile=name)
        return self.press("import_reads")

    def work(self) -> None:
        self.begin()
        self.take_in_reads()
        self.correct_rejects()
        self.press("validate")
        self.decide()
        self.press("validate")
        self.press("compute")

    def begin(self) -> None:
        cycle = self.district.due(PERIOD)[0].cycle
        self.clerk.types_on_start(Period=PERIOD, Cycle=cycle, StoreUrl="billing.db")
        self.press("refresh")

    def take_in_reads(self) -> None:
        self.lines = lines_by_route(self.district)
        troubled = {p.meter_id for p in planted(self.district, self.district.due(PERIOD)[0])}
        self.misread = next(line["Meter_ID"] for line in self.lines["workbook"] if line["Meter_ID"] not in troubled)
        self.take_in("routes-1-and-5.csv", beacon(self.lines["beacon"]))
        self.take_in("route-2.txt", neptune(self.lines["neptune"]))
        self.take_in("route-3.txt", radix(self.lines["radix"]))
        self.take_in("contractor.xlsx", workbook(self.lines["workbook"], self.misread))
        self.clerk.types_down("recipes", "value", lambda row: "yes" if row["setting"] == "confirmed" else None)
        self.save()
        self.press("import_reads")

    def correct_rejects(self) -> None:
        """The misread dial is typed in as the contractor says on the telephone; all other rows are left."""
        dial = next(_dial(line) for line in self.lines["workbook"] if line["Meter_ID"] == self.misread)

        def mine(row: pd.Series[Any]) -> bool:
            return bool(row["meter_id"] == self.misread)

        self.clerk.types_down("rejects", "dial_read", lambda row: dial if mine(row) else None)
        self.clerk.types_down("rejects", "decision", lambda row: "take" if mine(row) else "leave")
        self.clerk.types_down(
            "rejects", "reason", lambda row: "telephoned" if mine(row) else "the meter is on Exceptions"
        )
        self.save()

    def decide(self) -> None:
        """Decisions as a clerk types them: accept, estimate, reread, and override with the dial that was read again."""
        clerk, spiked = self.clerk, self._read_again()

        def typed(row: pd.Series[Any]) -> tuple[str, str, str]:
            rule = str(row["rule"])
            if rule == "spike":
                return "override", spiked[row["meter_id"]], "Misread; read again this morning"
            if rule == "read_below_last":
                return "reread", "", "Dial went back; the crew looks"
            one = decide(pd.DataFrame({"rule": [rule], "decision": [""], "reason": [""]})).iloc[0]
            return str(one["decision"]), "", str(one["reason"])

        for n, column in enumerate(("decision", "override_read", "reason")):
            clerk.types_down("exceptions", column, lambda row, n=n: typed(row)[n] or None)
        self.save()

    def _read_again(self) -> dict[str, str]:
        """Each meter's dial in the file that came after the misread meter was read again."""
        text = corrected_read_file(self.district, self.district.due(PERIOD)[0]).decode()
        return {line["Meter_ID"]: line["Read"] or "" for line in csv.DictReader(io.StringIO(text))}

    # ---- what must be so ----

    def last(self, button: str) -> str:
        return [said for pressed, said in self.said if pressed == button][-1]

    def check(self) -> None:
        """The balance line holds, every kind of decision was typed, and every due service is drafted or held."""
        imports = [said for button, said in self.said if button == "import_reads"]
        known = [re.search(r"\((beacon|neptune|radix|recipe contractor)\)", said) for said in imports]
        assert [found[1] for found in known if found] == ["beacon", "neptune", "radix", "recipe contractor"], imports
        rows_in = sum(map(len, self.lines.values()))
        balance = self.last("validate").partition("Balance: rows in ")[2]
        total, _, parts = balance.partition(" = ")
        counts = re.findall(r"\d+", re.sub(r"\(.*\)", "", parts))
        assert int(total) == rows_in == sum(map(int, counts)), balance
        assert "1 corrected by hand" in balance
        assert "(1 taken by hand" in balance
        assert " 0 open)" in balance
        assert "unaccounted" not in balance
        store = Store.open(self.clerk.url)
        findings = store.table("exceptions", "state <> 'gone'")
        drafts = store.table("draft_services")
        due = store.query("service_id", "SELECT service_id FROM services WHERE cycle = 'A' AND status = 'active'")[
            "service_id"
        ]
        taken = store.table("reads", "meter_id = :m AND state = 'current'", m=self.misread)
        store.close()
        assert set(findings["decision"]) == {"accept", "estimate", "reread", "override"}
        assert set(findings["state"]) == {"decided"}
        assert findings["reason"].ne("").all()
        assert sorted(drafts["service_id"]) == sorted(due)
        held = drafts.loc[drafts["state"].eq("held")]
        waiting = set(findings.loc[findings["decision"].eq("reread"), "service_id"])
        assert set(held["service_id"]) == waiting != set()
        assert held["why"].str.contains("re-read asked for").all()
        waits = drafts.loc[drafts["state"].eq("waits")]
        assert set(waits["bill_key"]) <= set(held["bill_key"])  # of an account one of whose services is held
        assert set(drafts["state"]) - {"waits"} == {"draft", "held"}
        assert len(taken) == 1
        assert taken["read_code"].tolist() == ["actual"]


def opened(folder: Path) -> District:
    """A folder with the built workbook and a store that holds the sample district."""
    district = sample_district(200)
    as_of = write_old_system(district, folder / "old-system")
    convert(folder / "old-system", store_url(str(folder / "billing.db")), ACTOR, district.period, as_of)
    build_workbook(folder / "billing.xlsm")
    return district
