"""Sheets: one data sheet from one table declaration.

Row 1 says what the sheet is for, row 2 holds totals and a check that every amount is a number, row 3 is the header of
the one named table.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from xlbilling.maker.styles import (
    ACCENT,
    ALARM,
    ALARM_SOFT,
    COMPUTED_HEAD,
    GOOD_SOFT,
    INPUT_HEAD,
    QUIET,
    WARN_SOFT,
    Styles,
)
from xlbilling.trade.reads.rules import COMING
from xlbilling.words.records import TABLE, Column, Table
from xlbilling.words.states import DECIDED, DONE, DRAFT, HELD, OPEN, POSTED
from xlbilling.workbook import named_cells
from xlbilling.workbook.looks import NUMBER_FORMAT
from xlbilling.workbook.port import in_book
from xlbilling.workbook.references import column_letters

TITLE_ROW: Final = 0
TOTALS_ROW: Final = 1
HEADER_ROW: Final = named_cells.HEADER_ROW - 1
FIRST_ROW: Final = named_cells.HEADER_ROW
LAST_ROW: Final = 1_048_575
LETTER, LEGAL = 1, 5
WIDE: Final = 170  # characters past which a sheet prints on legal paper
NOTE_WIDTH: Final = 260
ROOM: Final = 30  # columns of formulas the audit may take
ADDED_UP: Final = "all are numbers"
COUNT_WIDTH: Final = 12  # characters of "10,000 rows", which stands over the first column; more shrink to fit
EARLIEST: Final = dt.date(1970, 1, 1)
MOST: Final = 10**12
MOST_OFFERED: Final = 1000  # words a drop-down offers
WORDS: Final = {  # words in State and Severity columns that are worth a colour
    "block": ALARM_SOFT,
    HELD: ALARM_SOFT,
    OPEN: WARN_SOFT,
    "review": WARN_SOFT,
    DRAFT: WARN_SOFT,
    COMING: WARN_SOFT,
    POSTED: GOOD_SOFT,
    DONE: GOOD_SOFT,
    DECIDED: GOOD_SOFT,
}


def add_sheet(book: Workbook, styles: Styles, table: Table) -> Worksheet:
    """The data sheet of a declared table, its table holding one blank row."""
    sheet = book.add_worksheet(table.sheet.name)
    sheet.set_vba_name(code_name(table.sheet.name))
    sheet.hide_gridlines(2)
    sheet.set_tab_color(INPUT_HEAD if table.names("typed") else COMPUTED_HEAD)
    _columns(sheet, styles, table)
    _title(sheet, styles, table)
    _totals(sheet, styles, table)
    _table(sheet, styles, table)
    _colours(book, sheet, table)
    for position, column in enumerate(table.columns.values()):
        _validation(sheet, position, column)
        _note(sheet, position, column)
    sheet.freeze_panes(FIRST_ROW, 1)
    _printing(sheet, table)
    return sheet


def code_name(sheet: str) -> str:
    """Name of the sheet's VBA module: Bill lines -> SheetBillLines."""
    return "Sheet" + "".join(word[:1].upper() + word[1:] for word in re.findall(r"\w+", sheet))


def heading_ref(table: Table, field: str) -> str:
    """A structured reference to a whole column: bills[Amount]."""
    return f"{in_book(table.name)}[{table.columns[field].title}]"


def _columns(sheet: Worksheet, styles: Styles, table: Table) -> None:
    for position, column in enumerate(table.columns.values()):
        width = column.width if position else max(column.width, COUNT_WIDTH)
        sheet.set_column(position, position, width + 1, styles.number(column))


def _title(sheet: Worksheet, styles: Styles, table: Table) -> None:
    band = styles.of(bg_color=ACCENT)
    sheet.set_row(TITLE_ROW, 30)
    for position in range(len(table.columns) + (ROOM if table.name == "audit" else 0)):
        sheet.write_blank(TITLE_ROW, position, None, band)
    back = styles.of(bg_color=ACCENT, font_color="#FFFFFF", align="left", indent=1)
    sheet.write_formula(TITLE_ROW, 0, '=HYPERLINK("#Start!A1","‹ Start")', back, "‹ Start")
    strong = styles.of(bold=True, font_size=15, font_color="#FFFFFF")
    plain = styles.of(font_color="#D3E2EA")
    about = table.about.split("\n")[0].rstrip(".")
    sheet.write_rich_string(TITLE_ROW, 1, strong, table.sheet.title, plain, f"   {about}", band)


def _totals(sheet: Worksheet, styles: Styles, table: Table) -> None:
    """The number of rows, the totals of what is shown, and whether every amount is a number SUM takes."""
    sheet.set_row(TOTALS_ROW, 21)
    fields = list(table.columns)
    counted = next(
        name for name in (*table.key, *table.columns) if re.fullmatch(r"[A-Za-z .]+", table.columns[name].title)
    )
    count = styles.of(num_format='#,##0" rows";;"no rows"', font_color=QUIET, align="left", indent=1, shrink=True)
    sheet.write_formula(TOTALS_ROW, 0, f"=SUBTOTAL(103,{heading_ref(table, counted)})", count, 0)
    for name in table.sheet.totals:
        look = styles.of(bold=True, num_format=NUMBER_FORMAT[table.columns[name].kind], align="right", indent=1)
        sheet.write_formula(TOTALS_ROW, fields.index(name), f"=SUBTOTAL(109,{heading_ref(table, name)})", look, 0)
    amounts = [name for name, column in table if column.kind in ("money", "quantity")]
    if amounts:
        refs = [heading_ref(table, name) for name in amounts]
        wrong = "+".join(f"SUMPRODUCT(ISERROR({ref})+ISTEXT({ref}))" for ref in refs)
        formula = f'=IF({wrong}=0,"{ADDED_UP}",({wrong})&" amounts are not numbers")'
        sheet.write_formula(TOTALS_ROW, 1, formula, styles.of(font_color=QUIET, align="left", indent=1), ADDED_UP)


def _table(sheet: Worksheet, styles: Styles, table: Table) -> None:
    sheet.set_row(HEADER_ROW, 33)
    columns = [
        {"header": column.title, "header_format": styles.head(column), "format": styles.cell(column)}
        for column in table.columns.values()
    ]
    last = len(columns) - 1
    sheet.add_table(
        HEADER_ROW,
        0,
        FIRST_ROW,
        last,
        {"name": in_book(table.name), "style": None, "columns": columns, "autofilter": True},
    )
    for position, column in enumerate(table.columns.values()):
        sheet.write_blank(FIRST_ROW, position, None, styles.cell(column))


def _colours(book: Workbook, sheet: Worksheet, table: Table) -> None:
    """A soft colour behind the words that call for somebody, and red where the check found something."""
    alarm = book.add_format({"font_color": ALARM, "bold": True})
    sheet.conditional_format(
        TOTALS_ROW, 1, TOTALS_ROW, 1, {"type": "text", "criteria": "ends with", "value": "not numbers", "format": alarm}
    )
    for position, (name, column) in enumerate(table):
        if name in ("state", "severity") and column.filled == "computed":
            for word, colour in WORDS.items():
                rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": _fill(book, colour)}
                sheet.conditional_format(FIRST_ROW, position, LAST_ROW, position, rule)


def _fill(book: Workbook, colour: str) -> Any:
    return book.add_format({"bg_color": colour})


def _validation(sheet: Worksheet, position: int, column: Column) -> None:
    """A drop-down for choices; dates and numbers that are none are stopped as they are typed."""
    if column.filled != "typed":
        return
    rule: dict[str, Any] = {"ignore_blank": True, "error_title": column.title[:32]}
    if column.choices:
        rule |= {"validate": "list", "source": list(column.choices), "error_message": "Pick a word from the list."}
    elif column.offered:
        rule |= {"validate": "list", "source": _offered(column.offered), "show_error": False}
    elif column.kind == "date":
        rule |= {"validate": "date", "criteria": ">=", "value": EARLIEST, "error_message": "Type a date."}
    elif column.kind in ("money", "quantity"):
        rule |= {"validate": "decimal", "criteria": "between", "minimum": -MOST, "maximum": MOST}
        rule |= {"error_message": "Type a number."}
    elif column.kind == "whole":
        rule |= {"validate": "integer", "criteria": "between", "minimum": 0, "maximum": MOST}
        rule |= {"error_message": "Type a whole number."}
    else:
        return
    sheet.data_validation(FIRST_ROW, position, LAST_ROW, position, rule)


def _offered(name: str) -> str:
    """The words in a column of sheet Choices, as far as they go; the sheet may be renamed, Excel keeps the reference."""
    letter = column_letters(list(TABLE["choices"].columns).index(name) + 1)
    first, last = f"Choices!${letter}${FIRST_ROW + 1}", f"${letter}${FIRST_ROW + MOST_OFFERED}"
    return f'=OFFSET({first},0,0,MAX(1,SUMPRODUCT(--({first}:{last}<>""))),1)'


def _note(sheet: Worksheet, position: int, column: Column) -> None:
    what = {"typed": "You type this.", "given": "From a file or the store.", "computed": "Computed; leave it."}
    text = f"{column.note}\n{what[column.filled]}"
    if column.choices:
        text += f"\nOne of: {', '.join(column.choices)}."
    sheet.write_comment(HEADER_ROW, position, text, note_size(text))


def note_size(text: str) -> dict[str, Any]:
    """Options of a note that is large enough for its text."""
    lines = sum(1 + len(part) // 40 for part in text.split("\n"))
    return {
        "width": NOTE_WIDTH,
        "height": 14 + 17 * lines,
        "font_name": "Calibri",
        "font_size": 10,
        "author": "xlbilling",
    }


def _printing(sheet: Worksheet, table: Table) -> None:
    """One page wide, landscape, the header repeated, "page n of m" below."""
    characters = sum(column.width + 1 for column in table.columns.values())
    sheet.set_landscape()
    sheet.set_paper(LEGAL if characters > WIDE else LETTER)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(TITLE_ROW, HEADER_ROW)
    sheet.print_area(0, 0, LAST_ROW, len(table.columns) - 1)  # whole columns: Excel prints as far as they are used
    sheet.set_footer("&L&9&A&C&9Printed &D&R&9page &P of &N")
