"""Start: the sheet an office opens in the morning: what waits, the money, the desk's inputs, links and charts."""

from __future__ import annotations

from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from xlbilling.maker.sheets import LETTER, code_name, note_size
from xlbilling.maker.styles import (
    ACCENT,
    ACCENT_SOFT,
    INK,
    INPUT_HEAD,
    LINE,
    QUIET,
    RIGHT,
    SECOND,
    THIRD,
    WARN_SOFT,
    Styles,
)
from xlbilling.words.records import TABLE, TABLES, Table
from xlbilling.workbook.looks import INPUT, NUMBER_FORMAT
from xlbilling.workbook.named_cells import (
    DASH,
    DESK_CELLS,
    FIXED_ROWS,
    LINKS_ACROSS,
    LINKS_ROW,
    LIST_CORNERS,
    SHOWN_CELLS,
    TILE_CELLS,
    WELCOME,
)
from xlbilling.workbook.port import in_book

NAME: Final = "Start"
LEFT: Final = LIST_CORNERS["today"][1] - 1  # column B: messages, tiles and the lists
DESK: Final = LIST_CORNERS["months"][1] - 1  # column J: the desk's inputs, the links and the months
MESSAGE_ROW, QUESTION_ROW, ASKED_ROW = 2, 3, 4
TILE_ROW: Final = 7
LISTS_ROW: Final = LIST_CORNERS["today"][0] - 1
SHEETS_ROW: Final = LINKS_ROW - 1
CYCLES_ROW: Final = LIST_CORNERS["runs"][0] - 1
CHARTS_ROW: Final = CYCLES_ROW + max(FIXED_ROWS["runs"], FIXED_ROWS["months"]) + 3
LINE_HEIGHT: Final = {MESSAGE_ROW: 24, QUESTION_ROW: 18, ASKED_ROW: 18}
WIDTHS: Final = (2, 32, 15, 15, 15, 15, 15, 15, 3, 17, 17, 17)


def add_start(book: Workbook, styles: Styles) -> Worksheet:
    """The Start sheet with its named cells, lists, links and charts."""
    sheet = book.add_worksheet(NAME)
    sheet.set_vba_name(code_name(NAME))
    sheet.hide_gridlines(2)
    sheet.set_tab_color(ACCENT)
    sheet.set_default_row(18)
    for position, width in enumerate(WIDTHS):
        sheet.set_column(position, position, width, styles.of())
    _band(sheet, styles)
    _messages(book, sheet, styles)
    _tiles(book, sheet, styles)
    _heading(sheet, styles, LISTS_ROW - 1, LEFT, "Today")
    _list(sheet, styles, TABLE["today"], LISTS_ROW, LEFT)
    _desk(book, sheet, styles)
    _links(sheet, styles)
    _heading(sheet, styles, CYCLES_ROW - 1, LEFT, "Cycles")
    _list(sheet, styles, TABLE["runs"], CYCLES_ROW, LEFT)
    _heading(sheet, styles, CYCLES_ROW - 1, DESK, "Months")
    _list(sheet, styles, TABLE["months"], CYCLES_ROW, DESK)
    _charts(book, sheet)
    _printing(sheet)
    sheet.set_selection(MESSAGE_ROW, LEFT, MESSAGE_ROW, LEFT)
    return sheet


def name_cell(book: Workbook, name: str, sheet: str, row: int, column: int) -> None:
    book.define_name(name, f"='{sheet}'!${chr(65 + column)}${row + 1}")


def _band(sheet: Worksheet, styles: Styles) -> None:
    band = styles.of(bg_color=ACCENT)
    sheet.set_row(0, 40)
    for position in range(len(WIDTHS)):
        sheet.write_blank(0, position, None, band)
    big = styles.of(bold=True, font_size=20, font_color="#FFFFFF")
    plain = styles.of(font_size=12, font_color="#D3E2EA")
    sheet.write_rich_string(0, LEFT, big, "Billing", plain, "   the month, from the meter reads to the close", band)
    sheet.set_row(1, 8)


def _messages(book: Workbook, sheet: Worksheet, styles: Styles) -> None:
    """What the last button did, and the question that waits for a second press; long ones wrap over the whole width."""
    wraps: dict[str, Any] = {"text_wrap": True, "valign": "vcenter", "indent": 1}
    for row, text, look in (
        (MESSAGE_ROW, WELCOME, styles.of(bg_color=ACCENT_SOFT, bold=True, **wraps)),
        (QUESTION_ROW, "", styles.of(bold=True, **wraps)),
        (ASKED_ROW, "", styles.of(font_color=QUIET, **wraps)),
    ):
        sheet.set_row(row, LINE_HEIGHT[row])
        sheet.merge_range(row, LEFT, row, len(WIDTHS) - 1, text, look)
    warm = book.add_format({"bg_color": WARN_SOFT})
    rule = {"type": "formula", "criteria": f'=$B${QUESTION_ROW + 1}<>""', "format": warm}
    sheet.conditional_format(QUESTION_ROW, LEFT, ASKED_ROW, len(WIDTHS) - 1, rule)
    sheet.write_blank(MESSAGE_ROW, 0, None, styles.of(num_format=";;;"))
    sheet.write_blank(QUESTION_ROW, 0, None, styles.of(num_format=";;;"))
    name_cell(book, "Marked", NAME, MESSAGE_ROW, 0)  # where the cells a button marked are remembered
    name_cell(
        book, "Filled", NAME, QUESTION_ROW, 0
    )  # how the sheets were filled, so that typing on them is seen at once
    for name, row in (("Message", MESSAGE_ROW), ("Question", QUESTION_ROW), ("Asked", ASKED_ROW)):
        name_cell(book, name, NAME, row, LEFT)


def _tiles(book: Workbook, sheet: Worksheet, styles: Styles) -> None:
    sheet.set_row(TILE_ROW - 2, 8)
    sheet.set_row(TILE_ROW - 1, 20)
    sheet.set_row(TILE_ROW, 32)
    for position, (name, label, kind) in enumerate(TILE_CELLS, start=LEFT):
        edge: dict[str, Any] = {"bg_color": ACCENT_SOFT, "right": 5, "right_color": "#FFFFFF", "indent": 1}
        sheet.write_string(
            TILE_ROW - 1, position, label, styles.of(font_size=9, font_color=QUIET, align="left", **edge)
        )
        shape = "#,##0.00" if kind == "money" else "#,##0"
        value = {"bold": True, "font_size": 15, "font_color": ACCENT, "align": "left", "shrink": True}
        sheet.write_string(TILE_ROW, position, DASH, styles.of(num_format=shape, **value, **edge))
        name_cell(book, name, NAME, TILE_ROW, position)


def _heading(sheet: Worksheet, styles: Styles, row: int, position: int, text: str) -> None:
    if row != SHEETS_ROW - 1:  # a row of the list beside it, which keeps its height
        sheet.set_row(row, 26)
    sheet.write_string(row, position, text, styles.of(bold=True, font_size=13, font_color=ACCENT, valign="bottom"))


def _list(sheet: Worksheet, styles: Styles, table: Table, row: int, left: int) -> None:
    """A table of a fixed number of rows, without filters, light lines between the rows."""
    columns = []
    for column in table.columns.values():
        side: dict[str, Any] = {"align": "right" if column.kind in RIGHT else "left", "indent": 1}
        head = styles.of(bold=True, font_size=10, font_color=QUIET, bottom=1, bottom_color=ACCENT, **side)
        cell = styles.of(num_format=NUMBER_FORMAT[column.kind], bottom=1, bottom_color=LINE, **side)
        columns.append({"header": column.title, "header_format": head, "format": cell})
    last = row + FIXED_ROWS[table.name]
    options = {"name": in_book(table.name), "style": None, "columns": columns, "autofilter": False}
    sheet.add_table(row, left, last, left + len(columns) - 1, options)
    for position, made in enumerate(columns, start=left):
        for line in range(row + 1, last + 1):
            sheet.write_blank(line, position, None, made["format"])


def _desk(book: Workbook, sheet: Worksheet, styles: Styles) -> None:
    """The cells a button asks when nobody is there to pick a file, and what the desk works on."""
    _heading(sheet, styles, LISTS_ROW - 1, DESK, "The desk")
    label = styles.of(font_color=QUIET, bottom=1, bottom_color=LINE)
    typed = styles.of(num_format="@", bg_color=INPUT, bottom=1, bottom_color=INPUT_HEAD, font_color=INK, indent=1)
    shown = styles.of(num_format="@", bottom=1, bottom_color=LINE, indent=1)
    row = LISTS_ROW
    for name, text, first, note in DESK_CELLS:
        _pair(sheet, row, text, first, label, typed)
        sheet.write_comment(row, DESK + 1, note, note_size(note))
        name_cell(book, name, NAME, row, DESK + 1)
        row += 1
    for name, text, note in SHOWN_CELLS:
        _pair(sheet, row, text, "", label, shown)
        sheet.write_comment(row, DESK + 1, note, note_size(note))
        name_cell(book, name, NAME, row, DESK + 1)
        row += 1
    view = LISTS_ROW + [cell[0] for cell in DESK_CELLS].index("View")
    sheet.data_validation(view, DESK + 1, view, DESK + 1, {"validate": "list", "source": ["clerk", "lead"]})


def _pair(sheet: Worksheet, row: int, label: str, value: str, label_look: Any, value_look: Any) -> None:
    sheet.write_string(row, DESK, label, label_look)
    sheet.write(row, DESK + 1, value, value_look) if value else sheet.write_blank(row, DESK + 1, None, value_look)
    sheet.write_blank(row, DESK + 2, None, value_look)


def _links(sheet: Worksheet, styles: Styles) -> None:
    """A link to every sheet, some to a row, in the order of the month."""
    _heading(sheet, styles, SHEETS_ROW - 1, DESK, "Sheets")
    look = styles.of(font_color=ACCENT, underline=1)
    for number, record in enumerate(TABLES):
        row, position = SHEETS_ROW + number // LINKS_ACROSS, DESK + number % LINKS_ACROSS
        sheet.write_url(
            row, position, f"internal:'{record.sheet.name}'!A1", look, record.sheet.name, record.sheet.title
        )


def _charts(book: Workbook, sheet: Worksheet) -> None:
    """Money by month, and where each cycle's run stands."""
    months = [("billed", ACCENT), ("received", SECOND)]
    runs = [("billed", ACCENT), ("held", SECOND), ("to_bill", THIRD)]
    money = _chart(book, TABLE["months"], CYCLES_ROW, DESK, months, "clustered", "Billed and received", "#,##0")
    state = _chart(book, TABLE["runs"], CYCLES_ROW, LEFT, runs, "stacked", "Services by cycle", "0")
    money.set_size({"width": 655, "height": 300})
    state.set_size({"width": 560, "height": 300})
    sheet.insert_chart(CHARTS_ROW, LEFT, money, {"object_position": 1, "description": "Billed and received by month"})
    sheet.insert_chart(CHARTS_ROW, 6, state, {"object_position": 1, "x_offset": 20, "description": "Cycles"})


def _chart(
    book: Workbook, table: Table, row: int, left: int, series: list[tuple[str, str]], kind: str, title: str, shape: str
) -> Any:
    chart = book.add_chart({"type": "column"} | ({"subtype": "stacked"} if kind == "stacked" else {}))
    fields = list(table.columns)
    last = row + FIXED_ROWS[table.name]
    for name, colour in series:
        position = left + fields.index(name)
        chart.add_series(
            {
                "name": [NAME, row, position],
                "categories": [NAME, row + 1, left, last, left],
                "values": [NAME, row + 1, position, last, position],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    font = {"name": "Calibri", "size": 9, "color": QUIET}
    chart.set_title({"name": title, "name_font": {"name": "Calibri", "size": 12, "color": INK}, "overlay": False})
    across = {"num_font": font, "line": {"color": LINE}, "major_tick_mark": "none"}
    up = {
        "num_font": font,
        "num_format": shape,
        "line": {"none": True},
        "major_gridlines": {"visible": True, "line": {"color": LINE}},
    }
    chart.set_x_axis(across)
    chart.set_y_axis(up)
    chart.set_legend({"position": "bottom", "font": font})
    chart.set_chartarea({"border": {"color": LINE}, "fill": {"color": "#FFFFFF"}})
    return chart


def _printing(sheet: Worksheet) -> None:
    sheet.set_landscape()
    sheet.set_paper(LETTER)
    sheet.set_margins(left=0.4, right=0.4, top=0.5, bottom=0.6)
    sheet.fit_to_pages(1, 1)
    sheet.center_horizontally()
    sheet.print_area(0, 0, CHARTS_ROW + 15, len(WIDTHS) - 1)
    sheet.set_footer("&L&9&A&C&9Printed &D&R&9page &P of &N")
