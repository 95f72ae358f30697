"""The re-read list: the meters the crew reads again, one page wide, with room to write the read and the time."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pandas as pd

from xlbilling.papers.tables import period_name
from xlbilling.papers.template import fill_template
from xlbilling.words.records import Sheet, Table, given

REREADS: Final = Table(
    Sheet("Re-read list", "reread_list", "Meters to read again", ("meter_id", "register_id")),
    "One register to be read again, or the head of a route.",
    route=given("Route", "Meter-reading route; a route's own line has nothing but this.", "text", 8),
    premise=given("Premise", "Street address served.", "text", 22),
    name=given("Name", "Customer of record.", "text", 18),
    meter_id=given("Meter", "Meter number as the reading system has it.", "id", 12),
    register_id=given("Reg.", "Register of a compound meter.", "id", 6),
    meter_size=given("Size", "Size of the meter.", "id", 6),
    last_read=given("Last read", "Dial at the last billed read.", "id", 10),
    last_date=given("Read on", "Day of the last billed read.", "date", 11),
    expected=given("Expected", "Where the dial should stand: half to twice of what is usual.", "id", 17),
    why=given("Why", "What was found.", "text", 41),
    read=given("Read", "Write the dial here.", "id", 12),
    time=given("Date, time", "Write the day and time here.", "text", 11),
)


NOTE: Final = "reread_note"


def reread_list(template: Path, target: Path, rows: pd.DataFrame, district: str, run: str, note: str) -> None:
    """Fill the list from its template: a line for each route, then its registers in the order given.

    `rows`: the columns of the list without read and time, and expected_from and expected_to in place of expected; text,
    but last_date (datetime64). Refuses where the template lacks the table, a heading or a named cell.
    """
    lines = []
    for route, on_route in rows.groupby("route", sort=False):
        meters = on_route["meter_id"].nunique()
        head = f"Route {str(route) or 'not known'}: {meters} {'meter' if meters == 1 else 'meters'}"
        lines += [pd.DataFrame([{"route": head}]), on_route]
    made = pd.concat(lines, ignore_index=True) if lines else rows
    made = made.assign(read="", time="").reindex(columns=[*REREADS.columns, "expected_from", "expected_to"])
    known = made["expected_from"].fillna("").ne("")
    made["expected"] = (made["expected_from"] + " to " + made["expected_to"]).where(known, "")
    texts = [name for name, column in REREADS if column.kind != "date"]
    made[texts] = made[texts].fillna("").astype("str")
    made["last_date"] = pd.to_datetime(made["last_date"]).astype("datetime64[s]")
    cells = {period_name(REREADS): f"{district}  ·  {run}", NOTE: note}
    fill_template(template, target, [(REREADS, made[list(REREADS.columns)])], cells, {})
