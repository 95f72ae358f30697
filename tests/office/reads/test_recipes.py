"""Recipes on their sheet: proposed from a file nobody knows, confirmed by a person, and used from then on."""

from __future__ import annotations

import io

import pytest
from xlsxwriter import Workbook as NewWorkbook

from tests.office.conftest import Office
from tests.office.small import Clerk

# Six registers of the district in the words of another office: 0112 comes as 112,0 and 1.250 has its thousands marked.
NORTH = (
    "Kunde;Zaehler;Ablesung am;Stand alt;Stand\n"
    "0000001;M01;05.11.2026;100;112\n"
    "0000002;M02;05.11.2026;10.000;11.250\n"
    "0000007;M07;06.11.2026;300;311\n"
    "0000005;M05;06.11.2026;9.995;x\n"
)
FIXED = "".join(f"{n:07d}  M{n:02d} 1105{2026} {dial:>6}\n" for n, dial in ((1, "0112"), (2, "011250"), (7, "0311")))


def unknown(office: Office, name: str = "north-2026-11.csv", text: str = NORTH) -> tuple[Clerk, str]:
    """A clerk who pressed Import reads on a file that nobody knows, and what was said."""
    cora = office.clerk("cora")
    return cora, cora.refused("import_reads", "recipe_unconfirmed", ReadsFile=office.file(name, text))


def confirm(cora: Clerk, recipe: str = "north", **settings: str) -> None:
    for setting, value in {"confirmed": "yes", **{name.replace("__", " "): v for name, v in settings.items()}}.items():
        cora.set("recipes", f"{recipe} / {setting}", value=value)
    cora.press("save")


def test_a_recipe_is_proposed_looked_at_confirmed_and_used(office: Office) -> None:
    cora, said = unknown(office)
    assert "Recipes!C" in said
    assert "recipe north is proposed" in said
    rows = cora.sheet("recipes").set_index("setting")
    assert rows["recipe"].unique().tolist() == ["north"]
    told = ["confirmed", "delimiter", "decimal_mark", "date_formats", "column account_id", "column meter_id", "column read_date", "column read"]  # fmt: skip
    assert rows.loc[told, "value"].tolist() == [
        "no",
        ";",
        ".",
        "DD.MM.YYYY",
        "Kunde",
        "Zaehler",
        "Ablesung am",
        "Stand",
    ]
    assert rows.loc["column read", "note"] == "for example 112"
    assert office.value("SELECT COUNT(*) FROM reads") == 0
    # Nothing is read by it until somebody has looked: pressing again changes nothing.
    before = office.table("recipes")
    unknown(office)
    assert office.table("recipes").equals(before)
    confirm(cora)
    said = cora.press("import_reads", ReadsFile="north-2026-11.csv").said
    assert "north-2026-11.csv (recipe north): 4 rows = " in said
    assert office.value("SELECT layout FROM imports") == "recipe north"


def test_marks_of_the_file_are_the_clerks_to_correct(desk_office: Office) -> None:
    """11.250 is read as eleven and a quarter until the recipe says that a point parts thousands."""
    cora, _ = unknown(desk_office)
    confirm(cora, decimal_mark=",")
    cora.add("recipes", recipe="north", setting="thousands_mark", value=".")
    cora.press("save")
    said = cora.press("import_reads", ReadsFile="north-2026-11.csv").said
    assert "4 rows = 3 new reads + 0 changed + 0 there already + 1 rejected" in said
    reads = desk_office.table("reads").set_index("meter_id")
    assert reads["read_value"].to_dict() == {"M01": 112_000_000, "M02": 11_250_000_000, "M07": 311_000_000}
    # The rejected row is corrected on the sheet, as the dial shows it.
    reject = str(desk_office.table("rejects")["reject_id"].iloc[0])
    cora.set("rejects", reject, dial_read="0005", decision="take", reason="telephoned")
    cora.press("save")
    assert desk_office.table("reads", "meter_id = 'M05'")["dial_read"].tolist() == ["0005"]


def test_next_month_the_confirmed_recipe_is_used_at_once(desk_office: Office) -> None:
    cora, _ = unknown(desk_office)
    confirm(cora)
    other = NORTH.replace("112\n", "113\n")
    assert "(recipe north)" in cora.press("import_reads", ReadsFile=desk_office.file("any.csv", other)).said


def test_a_proposal_is_taken_back_like_anything_else(office: Office) -> None:
    cora, _ = unknown(office)
    cora.press("undo_last")
    assert len(office.table("recipes")) == 0
    assert len(cora.sheet("recipes")) == 0
    unknown(office)
    assert len(office.table("recipes")) > 8


def test_what_is_not_certain_is_left_to_the_clerk(desk_office: Office) -> None:
    """Three columns of numbers that all could be the dial; the recipe is not whole until one is named."""
    text = "Nr;Zaehler;Am;Eins;Zwei\n1;M01;05.11.2026;112;7\n2;M02;05.11.2026;11250;8\n"
    cora, _ = unknown(desk_office, "odd.csv", text)
    rows = cora.sheet("recipes").set_index("setting")
    assert rows.loc["column read", ["value", "note"]].tolist() == ["", "Not certain: Nr, Eins, Zwei"]
    cora.set("recipes", "odd / confirmed", value="yes")
    said = cora.refused("save", "cells_refused")
    assert "it does not say which column is read" in said
    cora.set("recipes", "odd / column read", value="Eins")
    cora.press("save")
    assert "2 new reads" in cora.press("import_reads", ReadsFile="odd.csv").said


def test_a_fixed_width_file_through_a_recipe(office: Office) -> None:
    cora, _ = unknown(office, "route.txt", FIXED)
    rows = cora.sheet("recipes").set_index("setting")
    assert rows.loc[["layout", "record_length"], "value"].tolist() == ["fixed", str(len(FIXED.splitlines()[0]))]
    assert "0000001  M01" in rows.loc["column read", "note"]
    cora.add("recipes", recipe="route", setting="column account_id", value="1-7")
    confirm(
        cora,
        "route",
        column__meter_id="10-12",
        column__read_date="14-21",
        column__read="23-28",
        date_formats="MMDDYYYY",
    )
    said = cora.press("import_reads", ReadsFile="route.txt").said
    assert "(recipe route): 3 rows = 3 new reads" in said
    reads = office.table("reads").set_index("meter_id")
    assert reads.loc["M02", ["account_id", "dial_read", "read_value"]].tolist() == ["0000002", "011250", 11_250_000_000]


def test_a_workbook_through_a_recipe(desk_office: Office) -> None:
    made = io.BytesIO()
    with NewWorkbook(made, {"in_memory": True}) as book:
        date = book.add_format({"num_format": "dd.mm.yyyy"})
        book.add_worksheet("Deckblatt").write(0, 0, "Ablesung November")
        sheet = book.add_worksheet("Werte")
        sheet.write_row(3, 1, ["Kunde", "Zaehler", "Am", "Stand"])
        for n, (meter, dial) in enumerate((("M01", 112), ("M07", 311)), 4):
            sheet.write_string(n, 1, f"000000{meter[-1]}")
            sheet.write_string(n, 2, meter)
            sheet.write_number(n, 3, 46331, date)  # 2026-11-05
            sheet.write_number(n, 4, dial)
    (desk_office.folder / "werte.xlsx").write_bytes(made.getvalue())
    cora = desk_office.clerk("cora")
    cora.refused("import_reads", "recipe_unconfirmed", ReadsFile="werte.xlsx")
    rows = cora.sheet("recipes").set_index("setting")["value"]
    assert (
        cora.sheet("recipes").set_index("setting").loc["column read_date", "note"]
        == "for example 46331 (the day 2026-11-05)"
    )
    assert rows[["sheet", "header_row", "column meter_id", "column read_date", "column read"]].tolist() == ["Werte", "4", "Zaehler", "Am", "Stand"]  # fmt: skip
    confirm(cora, "werte")
    assert "(recipe werte): 2 rows = 2 new reads" in cora.press("import_reads", ReadsFile="werte.xlsx").said
    assert set(desk_office.table("reads")["read_date"].dt.strftime("%Y-%m-%d")) == {"2026-11-05"}


def test_two_recipes_that_fit_are_refused(desk_office: Office) -> None:
    cora, _ = unknown(desk_office)
    confirm(cora)
    for row in desk_office.table("recipes").to_dict("records"):
        cora.add("recipes", recipe="twin", setting=row["setting"], value=row["value"])
    cora.press("save")
    said = cora.refused("import_reads", "recipes_both_fit", ReadsFile="north-2026-11.csv")
    assert "north, twin" in said


def test_a_confirmed_recipe_goes_before_known_headings_never_before_a_known_layout(desk_office: Office) -> None:
    """Known headings read 11.250 as 11.25; the office's own recipe for the file knows better."""
    text = "Account;Meter;Date;Read\n0000002;M02;2026-11-05;11.250\n"
    cora = desk_office.clerk("cora")
    rows = {
        "confirmed": "yes", "delimiter": ";", "decimal_mark": ",", "thousands_mark": ".", "date_formats": "YYYY-MM-DD",
        "column meter_id": "Meter", "column read_date": "Date", "column read": "Read",
    }  # fmt: skip
    for setting, value in rows.items():
        cora.add("recipes", recipe="own", setting=setting, value=value)
    cora.press("save")
    assert "(recipe own)" in cora.press("import_reads", ReadsFile=desk_office.file("own.csv", text)).said
    assert desk_office.table("reads")["read_value"].tolist() == [11_250_000_000]
    record = "MEPMD01,20080501,SENSUS,X,13,M1,202604070815,M1,OK,W,CFREG,10,00000100,1,202604060700,R0,0931567\n"
    assert "(cmep)" in cora.press("import_reads", ReadsFile=desk_office.file("c.csv", record)).said


def test_where_nothing_can_be_learned_it_is_said(desk_office: Office) -> None:
    cora = desk_office.clerk("cora")
    name = desk_office.file("notes.txt", "The reader was ill.\nNo route was read on Monday, sorry!\n")
    said = cora.refused("import_reads", "no_layout_known", ReadsFile=name)
    assert "notes.txt" in said
    assert len(desk_office.table("recipes")) == 0


@pytest.mark.parametrize(
    ("setting", "value", "fact"),
    [
        ("date_formats", "someday", "is not a date such as MM/DD/YYYY"),
        ("delimiter", "two", "is not one character"),
        ("decimal_mark", ";", "decimal_mark"),
        ("header_row", "first", "is not a whole number"),
        ("layout", "loose", "layout"),
        ("encoding", "klingon", "there is no encoding"),
        ("required", "colour", "unknown fields colour"),
        ("column colour", "Farbe", "there is no setting"),
        ("confirmed", "maybe", "is neither yes nor no"),
        ("column read", "", "it does not say which column is read"),
    ],
)
def test_a_wrong_line_is_refused_with_its_cell(desk_office: Office, setting: str, value: str, fact: str) -> None:
    cora, _ = unknown(desk_office)
    confirm(cora)
    known = set(desk_office.table("recipes")["setting"])
    if setting in known:
        cora.set("recipes", f"north / {setting}", value=value)
    else:
        cora.add("recipes", recipe="north", setting=setting, value=value)
    said = cora.refused("save", "cells_refused")
    assert fact in said
    assert "Recipes!C" in said
    assert cora.codes == {"recipe_wrong"}
    row = list(cora.sheet("recipes").index).index(f"north / {setting}") + 4
    assert f"Recipes!C{row}:" in said


def test_positions_that_are_none_are_refused(desk_office: Office) -> None:
    cora, _ = unknown(desk_office, "route.txt", FIXED)
    for setting, value in {"column meter_id": "10-12", "column read_date": "14-21", "column read": "28-23", "date_formats": "MMDDYYYY", "confirmed": "yes"}.items():  # fmt: skip
        cora.set("recipes", f"route / {setting}", value=value)
    assert "'28-23' is not positions such as 1-12" in cora.refused("save", "cells_refused")
    cora.set("recipes", "route / column read", value="23-99")
    assert "position 99 is beyond a line of 28" in cora.refused("save", "cells_refused")
