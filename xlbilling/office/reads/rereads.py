"""Rereading: the meters that findings send the crew back to, as a list to print and as files for their own system."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

import pandas as pd

from xlbilling.office.desk.buttons import Outcome
from xlbilling.office.desk.desk import Desk, today
from xlbilling.office.desk.save import refresh_tables, refuse_unsaved
from xlbilling.office.desk.views import last_reads
from xlbilling.office.reads.settling import consumption_before
from xlbilling.papers.reread_files import RereadFile, Sheet, reread_files
from xlbilling.papers.reread_list import reread_list as fill_list
from xlbilling.papers.template import template_file
from xlbilling.trade.reads.findings import keys_of
from xlbilling.trade.reads.history import RECENT_DAYS
from xlbilling.trade.reads.measure import register_key
from xlbilling.trade.reads.units import MILLION, factor, millionths
from xlbilling.words.problems import Place, Refusal, declare
from xlbilling.workbook.file.package import write_whole

NO_REREADS: Final = declare(
    "no_rereads",
    "No finding of the run is decided reread.",
    "Decide reread on Exceptions with a reason and press Save first.",
)
LEAST, MOST = Fraction(1, 2), Fraction(2)  # of what is usual: where the dial should stand


def reread_list(desk: Desk) -> Outcome:
    """Write the list and the files of the registers whose findings are decided reread; a meter is read whole."""
    refuse_unsaved(desk, ["exceptions"])
    rows, left_over = to_read_again(desk)
    name = f"reread-{re.sub(r'[^A-Za-z0-9_-]+', '-', desk.run.cycle)}-{desk.run.period}"
    district = desk.rules_on(today(desk.store)).text("district", "name")
    files = reread_files(rows, Sheet(district, today(desk.store)))
    told = "; ".join(f"{name}-{_told(file)}" for file in files)
    counts = (
        f"{_counted(len(rows), 'register')} of {_counted(rows['meter_id'].nunique(), 'meter')} on "
        f"{_counted(rows['route'].replace('', pd.NA).nunique(), 'route')}"
    )
    listed = template_file("reread-list.xlsx", desk.folder)
    note = f"Made {today(desk.store):%Y-%m-%d}: {counts}. Expected: half to twice of what is usual up to that day."
    fill_list(listed, desk.folder / f"{name}.xlsx", rows, district, str(desk.run), note)
    for file in files:
        write_whole(desk.folder / f"{name}-{file.ending}", file.content)
    said = f"{name}.xlsx: {counts}. For the reading system: {told}."
    if left_over:
        said += f" Of no single meter, so not on the list: {', '.join(left_over)}."
    with desk.store.work(desk.actor, "reread_list") as work:
        work.event(said)
    refresh_tables(desk, ["log"])
    return Outcome(said)


def _told(file: RereadFile) -> str:
    return f"{file.ending} ({_counted(file.registers, 'register')}{'; ' + file.note if file.note else ''})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def to_read_again(desk: Desk) -> tuple[pd.DataFrame, list[str]]:
    """The registers to read again, by route and premise, and the findings that name no meter, service or route.

    Columns: layout, route, premise, name, account_id, meter_id, register_id, unit, dials, meter_size, last_read, last_date,
    previous_read, expected_from, expected_to, why. A finding on a route or a service sends the crew to all its meters, one on
    a register to the whole meter; a meter the office does not know is on the list with its number alone.
    """
    findings = desk.store.table(
        "exceptions",
        "cycle = :c AND period = :p AND state = :decided AND decision = 'reread'",
        "money_at_risk DESC, exception_id",
        **desk.chosen,
    )
    if findings.empty:
        raise Refusal(NO_REREADS.at(Place(table="exceptions", column="decision"), f"{desk.run} has none"))
    meters = last_reads(desk, desk.run.cycle).fillna({"previous_read": ""})
    meters = meters.loc[meters["status"].eq("active")].reset_index(drop=True)
    meters["key"] = register_key(meters["meter_id"], meters["register_id"])
    meters = _with_customers(desk, meters.assign(alone=~meters["service_id"].duplicated(keep=False)))
    of_meters, of_routes = _places(meters, findings)
    meters["why"] = _why(meters, of_meters, of_routes)
    strange = findings.drop(index=[*of_meters.index, *of_routes.index])
    nowhere = strange.loc[strange["meter_id"].eq(""), "exception_id"].tolist()
    chosen = _expected(desk, meters.loc[meters["why"].ne("")])
    made = pd.concat([chosen, _unknown(strange.loc[strange["meter_id"].ne("")])], ignore_index=True)
    made = _with_layouts(desk, made.fillna(dict.fromkeys(_TEXTS, "")))
    made["dials"] = made["dials"].fillna(0).astype("int64")
    made = made.rename(columns={"previous_date": "last_date"}).assign(last_read=made["previous_read"])
    made = made.assign(unknown=made["route"].eq(""))
    order = ["unknown", "route", "premise", "meter_id", "register_id"]
    return made.sort_values(order, kind="stable", ignore_index=True), nowhere


_TEXTS: Final = (
    "route", "premise", "name", "account_id", "register_id", "unit", "meter_size", "previous_read", "expected_from",
    "expected_to", "service_id",
)  # fmt: skip


def _places(meters: pd.DataFrame, findings: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The findings of a register, a meter or a service of the cycle, and those of a whole route; `at` is which.

    A finding of a file names neither a meter nor a service, and is in neither.
    """
    found = findings.assign(
        at=keys_of(findings),
        said=findings["rule"].str.replace("_", " ") + ": " + findings["fact"],
    )
    known = set(meters["key"]) | set(meters["meter_id"]) | set(meters["service_id"])
    somewhere = found["meter_id"].ne("") | found["service_id"].ne("")
    of_meters = somewhere & found["at"].isin(known)
    of_routes = found["rule"].eq("missing_route") & found["at"].isin(meters["route"])
    return found.loc[of_meters], found.loc[of_routes]


def _why(meters: pd.DataFrame, of_meters: pd.DataFrame, of_routes: pd.DataFrame) -> pd.Series[str]:
    """Why each register is read again: what was found of it, its meter, service or route; blank where nothing was.

    The other registers of a meter are read with it.
    """
    own, route = of_meters.groupby("at")["said"].agg("; ".join), of_routes.groupby("at")["said"].agg("; ".join)
    on_route = meters["route"].where(meters["served"].eq("active"), "")
    places = ((meters["key"], own), (meters["meter_id"], own), (meters["service_id"], own), (on_route, route))
    said = [at.map(words).astype(object).fillna("").tolist() for at, words in places]
    made = pd.Series(
        ["; ".join(dict.fromkeys(filter(None, each))) for each in zip(*said, strict=True)], index=meters.index
    )
    with_it = made.ne("").groupby(meters["meter_id"]).transform("any")
    return made.mask(with_it & made.eq(""), "read with the meter's other register")


def _with_customers(desk: Desk, meters: pd.DataFrame) -> pd.DataFrame:
    customers = desk.store.query(
        "service_id account_id premise route meter_size served name",
        "SELECT s.service_id, s.account_id, s.premise, s.route, s.meter_size, s.status AS served, a.name FROM services s "
        "JOIN accounts a ON a.account_id = s.account_id WHERE s.cycle = :c",
        c=desk.run.cycle,
    )
    return meters.merge(customers, on="service_id", how="left")


def _unknown(findings: pd.DataFrame) -> pd.DataFrame:
    """Meters on no service of the cycle: the number the file had, and what was found."""
    why = findings["rule"].str.replace("_", " ") + ": " + findings["fact"]
    return pd.DataFrame({"meter_id": findings["meter_id"], "why": why}).drop_duplicates("meter_id")


def _with_layouts(desk: Desk, rows: pd.DataFrame) -> pd.DataFrame:
    """The layout each meter's reads come in, and the account as that system has it.

    A meter without a read in the run has the layout of its route's others, else of the run's.
    """
    came = desk.store.query(
        "meter_id told layout route",
        "SELECT r.meter_id, r.account_id AS told, i.layout, COALESCE(s.route, '') AS route "
        "FROM reads r JOIN imports i ON i.import_id = r.import_id LEFT JOIN meters m ON m.meter_id = r.meter_id "
        "AND m.register_id = r.register_id LEFT JOIN services s ON s.service_id = m.service_id "
        "WHERE r.cycle = :c AND r.period = :p AND r.state = :current ORDER BY r.read_id",
        **desk.chosen,
    )
    own = came.drop_duplicates("meter_id").set_index("meter_id")
    of_route = came.groupby("route")["layout"].agg(lambda layouts: layouts.mode().iloc[0])
    usual = str(came["layout"].mode().iloc[0]) if len(came) else ""
    layout = rows["meter_id"].map(own["layout"]).fillna(rows["route"].map(of_route)).fillna(usual)
    told = rows["meter_id"].map(own["told"]).fillna("")
    return rows.assign(layout=layout.astype("str"), account_id=told.where(told.ne(""), rows["account_id"]))


def _expected(desk: Desk, meters: pd.DataFrame) -> pd.DataFrame:
    """Where each dial should stand today: its last read and half to twice of what is usual in as many days.

    Blank where the service has no recent bills, or where the register is not alone: how several share the water is
    not known.
    """
    day = max(pd.Timestamp(today(desk.store)), desk.run.read_from)
    history = consumption_before(desk)
    recent = history.loc[history["service_to"].ge(day - pd.Timedelta(days=RECENT_DAYS)) & history["days"].gt(0)]
    summed = recent.groupby("service_id")[["consumption", "days"]].sum()
    billing, made = desk.billing_unit, []
    row: Any
    for row in meters.itertuples():
        days = (day - row.previous_date).days if pd.notna(row.previous_date) else 0
        if not row.alone or row.service_id not in summed.index or days <= 0 or not row.previous_read:
            made.append(("", ""))
            continue
        used = summed.loc[row.service_id]
        usual = Fraction(int(used["consumption"]), int(used["days"])) * days / MILLION
        steps = usual * factor(billing.unit, row.unit, billing.gallons_per_ccf) / Fraction(row.multiplier)
        made.append(_dial_from_to(row.previous_read, int(row.dials), steps))
    frame = pd.DataFrame(made, columns=["expected_from", "expected_to"], index=meters.index)
    return pd.concat([meters, frame], axis=1)


def _dial_from_to(previous: str, dials: int, usual_steps: Fraction) -> tuple[str, str]:
    """The dial at half and at twice the usual, gone round past its last digit: ("9995", 4, 10) -> ("0000", "0015")."""
    last = millionths(previous) // MILLION
    low, high = last + int(usual_steps * LEAST), last + -int(-usual_steps * MOST // 1)
    around = 10**dials
    if high - low >= around:
        return "", ""
    return str(low % around).zfill(dials), str(high % around).zfill(dials)
