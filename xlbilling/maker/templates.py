"""The report templates: workbooks that staff may restyle in Excel, first drawn here from the tables' declarations.

Building one again makes the same bytes. Totals stand above the heading row, where they stay in view and a table of
any length leaves them alone. A new template is empty, so every formula's stored value is that of an empty table.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from xlbilling.papers.reread_list import NOTE, REREADS
from xlbilling.papers.tables import (
    AGING,
    BY_CLASS,
    CHECKLIST,
    CONTROL,
    DIFFERENCES,
    EXCEPTIONS,
    REGISTER,
    period_name,
    total_name,
)
from xlbilling.papers.workpaper import BY_REASON, LONE_LINES, LONE_ROWS, MATCHES
from xlbilling.papers.workpaper import CONTROL as ACCOUNTS
from xlbilling.papers.workpaper import TEMPLATE as WORKPAPER
from xlbilling.words.records import Column, ColumnKind, Table
from xlbilling.words.states import DONE, OPEN, SIGNED

PACK: Final = "report-pack.xlsx"
CLOSE: Final = "close-packet.xlsx"
REREAD: Final = "reread-list.xlsx"

TITLE_ROW, PERIOD_ROW, NOTE_ROW, TOTAL_ROW, HEADING_ROW = range(5)  # counted from 0, as XlsxWriter does
FIRST_ROW: Final = HEADING_ROW + 1
LETTER_PAPER: Final = 1
EXCEL_ROWS: Final = 1_048_576
WRITING_ROW: Final = 30  # points

INK, WATER, PALE, LINE, QUIET, ALARM = "#1F2933", "#1B4F72", "#E4EEF5", "#D5DDE3", "#66757F", "#B03A2E"
NUMBER_FORMATS: Final[dict[str, str]] = {
    "money": "#,##0.00",
    "quantity": "#,##0.00",
    "whole": "#,##0",
    "date": "mm/dd/yyyy",
    "id": "@",
    "text": "@",
}
INDENTED: Final = {"align": "left", "indent": 1}
NUMBERS: Final = ("money", "quantity", "whole")


def build_templates(folder: Path) -> None:
    """Write every report template into `folder`, the same bytes each time."""
    folder.mkdir(parents=True, exist_ok=True)
    _report_pack(folder / PACK)
    _close_packet(folder / CLOSE)
    _reread_list(folder / REREAD)
    _workpaper(folder / WORKPAPER)


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a cover: what it says, the sheet it leads to, and its count and amount as formulas by cell name.

    Without a formula the report fills the number in.
    """

    what: str
    says: str
    sheet: str = ""
    count: tuple[str, str] | None = None
    amount: tuple[str, str] | None = None
    zero: bool = False  # the number should be zero and stands out where it is not


class _Template:
    """A workbook being drawn: its looks, and the parts that every sheet has."""

    def __init__(self, path: Path, title: str):
        self.book = xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False})
        self.book.set_properties({"title": title, "created": dt.datetime(2026, 1, 1)})
        self.book.set_calc_mode("auto")
        self._looks: dict[tuple[tuple[str, Any], ...], Any] = {}

    def look(self, **wanted: Any) -> Any:
        """A cell format; each is made once."""
        key = tuple(sorted(wanted.items()))
        if key not in self._looks:
            base = {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "vcenter"}
            self._looks[key] = self.book.add_format(base | wanted)
        return self._looks[key]

    def sheet(self, name: str, title: str, *, landscape: bool, repeat: int) -> Any:
        """A sheet with its title, one page wide on letter paper, `repeat` rows on top of each page."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.set_row(TITLE_ROW, 28)
        sheet.write_string(TITLE_ROW, 0, title, self.look(font_size=18, bold=True, font_color=WATER))
        sheet.set_paper(LETTER_PAPER)
        sheet.set_landscape() if landscape else sheet.set_portrait()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        if repeat:
            sheet.repeat_rows(0, repeat - 1)
        sheet.set_footer("&L&8&A&C&8Page &P of &N&R&8&F")
        return sheet

    def named(self, name: str, sheet: Any, row: int, column: int) -> None:
        """Give a cell a name that the report fills it by."""
        where = sheet.get_name().replace("'", "''")
        self.book.define_name(name, f"='{where}'!${_letter(column)}${row + 1}")

    def formula(self, sheet: Any, name: str, at: tuple[int, int], formula: str, look: Any) -> None:
        """A named formula with the value it has while the template is empty."""
        sheet.write_formula(*at, formula, look, 0)
        self.named(name, sheet, *at)

    def table_sheet(self, table: Table, *, landscape: bool = True, note: str = "") -> Any:
        """The sheet of one declared table: title, period, the cell named `note`, totals, heading, one blank row."""
        sheet = self.sheet(table.sheet.name, table.sheet.title, landscape=landscape, repeat=FIRST_ROW)
        sheet.write_string(PERIOD_ROW, 0, "", self.look(font_color=QUIET))
        self.named(period_name(table), sheet, PERIOD_ROW, 0)
        if note:
            sheet.write_string(NOTE_ROW, 0, "", self.look(font_color=QUIET, italic=True))
            self.named(note, sheet, NOTE_ROW, 0)
        sheet.set_row(HEADING_ROW, 22)
        for position, (_, column) in enumerate(table):
            sheet.set_column(position, position, column.width)
            sheet.write_blank(FIRST_ROW, position, None, self.cell_look(column, position == 0))
        self._totals(sheet, table)
        sheet.add_table(HEADING_ROW, 0, FIRST_ROW, len(table.columns) - 1, self._table_options(table))
        sheet.freeze_panes(FIRST_ROW, 1)
        ids = [position for position, (_, column) in enumerate(table) if column.kind in {"id", "text"}]
        spans = " ".join(f"{_letter(at)}{FIRST_ROW + 1}:{_letter(at)}{EXCEL_ROWS}" for at in ids)
        sheet.ignore_errors({"number_stored_as_text": spans})
        return sheet

    def cell_look(self, column: Column, first: bool = False) -> Any:
        """How the cells of a column look: numbers to the right, text a little off the number before it."""
        wanted: dict[str, Any] = {"bottom": 1, "bottom_color": LINE, "num_format": NUMBER_FORMATS[column.kind]}
        if column.kind in NUMBERS:
            wanted["align"] = "right"
        elif column.kind == "date":
            wanted["align"] = "center"
        elif not first:
            wanted |= INDENTED
        if column.width > 40 or column.look == "wrapped":
            wanted["text_wrap"] = True
        return self.look(**wanted)

    def _table_options(self, table: Table) -> dict[str, Any]:
        first = next(iter(table.columns.values()))
        return {
            "name": table.name,
            "style": None,
            "columns": [
                {
                    "header": column.title,
                    "header_format": self._heading(column, column is first),
                    "format": self.cell_look(column, column is first),
                }
                for _, column in table
            ],
        }

    def _heading(self, column: Column, first: bool = False) -> Any:
        align = "right" if column.kind in NUMBERS else "center" if column.kind == "date" else "left"
        wanted = {"bold": True, "font_color": WATER, "bg_color": PALE, "top": 1, "bottom": 1, "border_color": WATER}
        return self.look(**wanted, **({"align": align} if first or align != "left" else INDENTED))

    def _totals(self, sheet: Any, table: Table) -> None:
        """The totals over the heading: what the filter leaves in view, so that a filtered table foots too."""
        if not table.sheet.totals:
            return
        sheet.set_row(TOTAL_ROW, 20)
        for position, (name, column) in enumerate(table):
            look = self.look(bold=True, align="right", num_format=NUMBER_FORMATS[column.kind])
            if name in table.sheet.totals:
                formula = f"=SUBTOTAL(109,{table.name}[{column.title}])"
                self.formula(sheet, total_name(table, name), (TOTAL_ROW, position), formula, look)
        sheet.write_string(TOTAL_ROW, 0, "Total", self.look(bold=True))

    def facts(self, sheet: Any, first_row: int, facts: dict[str, str]) -> None:
        """Labelled cells that the report fills, one a row: name of the cell -> label."""
        for row, (name, label) in enumerate(facts.items(), first_row):
            sheet.set_row(row, 18)
            sheet.write_string(row, 0, label, self.look(font_color=QUIET))
            seal = {"font_name": "Consolas", "font_size": 9}
            plain = self.look(**INDENTED, **(seal if name == "chain_head" else {"bold": True}))
            sheet.write_string(row, 1, "", plain)
            self.named(name, sheet, row, 1)

    def figures(self, sheet: Any, table: str, first_row: int, headings: tuple[str, ...], lines: list[Figure]) -> None:
        """The table of a cover: what it says, how many, how much; every number a formula over the sheets' tables."""
        kinds: tuple[ColumnKind, ...] = ("text", "text", "whole", "money")
        columns = [Column(title, "", kind) for title, kind in zip(headings, kinds, strict=True)]
        looks = [self.cell_look(column, column is columns[0]) for column in columns]
        for row, line in enumerate(lines, first_row + 1):
            sheet.set_row(row, 19)
            if line.sheet:
                link = self.look(bottom=1, bottom_color=LINE, font_color=WATER, underline=1)
                sheet.write_url(row, 0, f"internal:'{line.sheet}'!A1", link, line.what)
            else:
                sheet.write_string(row, 0, line.what, looks[0])
            sheet.write_string(row, 1, line.says, looks[1])
            for position, figure in ((2, line.count), (3, line.amount)):
                sheet.write_blank(row, position, None, looks[position])
                if figure and figure[1]:
                    self.formula(sheet, figure[0], (row, position), figure[1], looks[position])
                elif figure:
                    sheet.write_number(row, position, 0, looks[position])
                    self.named(figure[0], sheet, row, position)
                if figure and line.zero:
                    self.alarm(sheet, f"{_letter(position)}{row + 1}")
        sheet.set_row(first_row, 22)
        headed = [
            {"header": column.title, "header_format": self._heading(column, column is columns[0])} for column in columns
        ]
        options = {"name": table, "style": None, "autofilter": False, "columns": headed}
        sheet.add_table(first_row, 0, first_row + len(lines), len(columns) - 1, options)

    def alarm(self, sheet: Any, cells: str) -> None:
        """Numbers that should be zero stand out where they are not."""
        loud = self.book.add_format({"bold": True, "font_color": ALARM})
        sheet.conditional_format(cells, {"type": "cell", "criteria": "!=", "value": 0, "format": loud})

    def cover(self, title: str, facts: dict[str, str]) -> Any:
        """The first sheet: title, district, period and `facts`, each in a named cell."""
        sheet = self.sheet("Cover", title, landscape=False, repeat=0)
        for column, width in enumerate((28, 56, 12, 18)):
            sheet.set_column(column, column, width)
        self.facts(sheet, 2, {"district": "District", "period": "Accounting period", **facts})
        return sheet

    def control_sheet(self) -> None:
        """The receivables control, its differences loud where they are not zero."""
        sheet = self.table_sheet(CONTROL, note="control_note")
        self.alarm(sheet, f"I{TOTAL_ROW + 1}")
        self.alarm(sheet, f"I{FIRST_ROW + 1}")

    def close(self) -> None:
        self.book.close()


def _report_pack(path: Path) -> None:
    """Cover, register, revenue by class with its charts, exceptions, receivables control, aging."""
    template = _Template(path, "Report pack")
    cover = template.cover("Report pack", {"made_at": "Made", "chain_head": "Ledger chain head"})
    template.figures(cover, "pack_contents", 7, ("Sheet", "What it shows", "Rows", "Amount"), _pack_contents())
    template.figures(cover, "pack_checks", 15, ("Check", "How", "Count", "Difference"), _pack_checks())
    template.table_sheet(REGISTER)
    by_class = template.table_sheet(BY_CLASS, note="consumption_note")
    _class_charts(template, by_class)
    exceptions = template.table_sheet(EXCEPTIONS, landscape=False)
    template.alarm(exceptions, f"F{TOTAL_ROW + 1}")
    template.control_sheet()
    template.table_sheet(AGING)
    template.close()


def _pack_contents() -> list[Figure]:
    sheets = (
        (REGISTER, "Every bill posted in the period", "number", "amount"),
        (BY_CLASS, "Consumption and revenue of each customer class", "customer_class", "revenue"),
        (EXCEPTIONS, "What the read checks found and what was decided", "rule", ""),
        (CONTROL, "Receivables, beginning to ending, beside the general ledger", "gl_account", "ending"),
        (AGING, "What each account owes, by age", "account_id", "total"),
    )
    return [
        Figure(
            table.sheet.name,
            says,
            table.sheet.name,
            (f"{table.name}_rows", f"=COUNTA({_column(table, key)})"),
            (f"{table.name}_amount", f"=SUM({_column(table, amount)})") if amount else None,
        )
        for table, says, key, amount in sheets
    ]


def _pack_checks() -> list[Figure]:
    """The figures that must agree from sheet to sheet; SUM, not SUBTOTAL, so that no filter moves them."""
    register, revenue = f"SUM({_column(REGISTER, 'amount')})", f"SUM({_column(BY_CLASS, 'revenue')})"
    billed, ending = f"SUM({_column(CONTROL, 'billed')})", f"SUM({_column(CONTROL, 'ending')})"
    aging, ledger = f"SUM({_column(AGING, 'total')})", f"SUM({_column(CONTROL, 'ledger')})"
    waiting = f"=SUM({_column(EXCEPTIONS, 'open')})"
    return [
        _difference("Register and classes", "Register total less revenue by class", "check_classes", register, revenue),
        _difference(
            "Register and control", "Register total less billed on the control", "check_billed", register, billed
        ),
        _difference("Control and aging", "Control ending less aging total", "check_aging", ending, aging),
        _difference("Control and general ledger", "Control ending less ledger balance", "check_ledger", ending, ledger),
        Figure("Exceptions", "Findings that still wait for a decision", count=("check_open", waiting), zero=True),
    ]


def _difference(what: str, says: str, name: str, left: str, right: str) -> Figure:
    return Figure(what, says, amount=(name, f"=ROUND({left}-{right},2)"), zero=True)


def _class_charts(template: _Template, sheet: Any) -> None:
    """Revenue and consumption by class, one under the other beside the table, which may grow downwards."""
    sheet.set_column(len(BY_CLASS.columns), len(BY_CLASS.columns), 3)
    for place, (name, colour) in enumerate((("revenue", WATER), ("consumption", "#5DADE2"))):
        column = list(BY_CLASS.columns).index(name)
        chart = template.book.add_chart({"type": "bar"})
        chart.add_series(
            {
                "name": [BY_CLASS.sheet.name, HEADING_ROW, column],
                "categories": [BY_CLASS.sheet.name, FIRST_ROW, 0, FIRST_ROW, 0],
                "values": [BY_CLASS.sheet.name, FIRST_ROW, column, FIRST_ROW, column],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
        words = {"name": "Calibri", "size": 9, "color": INK}
        chart.set_title({"name": f"{name.capitalize()} by class", "name_font": words | {"size": 12, "bold": True}})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True, "num_font": words, "line": {"color": LINE}, "major_tick_mark": "none"})
        chart.set_x_axis(
            {
                "num_font": words,
                "num_format": "#,##0",
                "label_position": "high",
                "line": {"none": True},
                "major_gridlines": {"visible": True, "line": {"color": LINE, "width": 0.5}},
            }
        )
        chart.set_chartarea({"border": {"color": LINE}})
        chart.set_size({"width": 520, "height": 270})
        options = {"object_position": 3, "description": f"Bars: {name} of each customer class"}
        sheet.insert_chart(HEADING_ROW + place * 14, len(BY_CLASS.columns) + 1, chart, options)


def _close_packet(path: Path) -> None:
    """Cover with the chain's head and the signature lines, checklist, receivables control."""
    template = _Template(path, "Close packet")
    facts = {"closed_by": "Closed by", "closed_at": "Closed at", "chain_head": "Ledger chain head"}
    cover = template.cover("Close packet", facts)
    template.figures(cover, "close_figures", 8, ("What", "How", "Count", "Amount"), _close_figures())
    _signatures(template, cover, 22)
    template.table_sheet(CHECKLIST)
    template.control_sheet()
    template.table_sheet(DIFFERENCES)
    template.close()


def _close_figures() -> list[Figure]:
    state = _column(CHECKLIST, "state")
    counts = [
        Figure(
            f"Checklist {word}",
            says,
            CHECKLIST.sheet.name,
            (f"items_{word}", f'=COUNTIF({state},"{word}")'),
            zero=word == OPEN,
        )
        for word, says in (
            (DONE, "Items that are so"),
            (SIGNED, "Items signed with a reason"),
            (OPEN, "Items still open"),
        )
    ]
    off = f"=ROUND(SUM({_column(CONTROL, 'ending')})-SUM({_column(CONTROL, 'ledger')}),2)"
    amounts = [
        Figure(
            column.title,
            column.note.rstrip("."),
            CONTROL.sheet.name,
            amount=(f"control_{name}", off if name == "difference" else f"=SUM({_column(CONTROL, name)})"),
            zero=name == "difference",
        )
        for name, column in CONTROL
        if column.kind == "money"
    ]
    listed = Figure(
        "Differences listed",
        "Between subledger and general ledger, with reasons",
        DIFFERENCES.sheet.name,
        ("differences_rows", f"=COUNT({_column(DIFFERENCES, 'number')})"),
    )
    return [*counts, *amounts, listed]


def _workpaper(path: Path) -> None:
    """Summary with the verdict and the signature lines, control accounts, reasons, differences, matches, lone rows."""
    template = _Template(path, "Subledger to general ledger reconciliation")
    summary = template.sheet("Summary", "Subledger to general ledger reconciliation", landscape=False, repeat=0)
    for column, width in enumerate((36, 52, 12, 18)):
        summary.set_column(column, column, width)
    template.facts(summary, 2, {"sources": "Reconciled", "period": "Period"})
    loud = template.look(bold=True, font_size=12, font_color=WATER)
    template.formula(summary, "verdict", (5, 0), _verdict(), loud)
    summary.write_string(6, 0, "", template.look(font_color=QUIET, italic=True))
    template.named("verdict_note", summary, 6, 0)
    template.figures(summary, "summary_figures", 8, ("What", "How", "Count", "Amount"), _workpaper_figures())
    _signatures(template, summary, 22, "", ("Prepared by", "Reviewed by"))
    accounts = template.table_sheet(ACCOUNTS)
    template.alarm(accounts, f"L{TOTAL_ROW + 1}")
    template.alarm(accounts, f"L{FIRST_ROW + 1}")
    for table in (BY_REASON, DIFFERENCES, MATCHES, LONE_LINES, LONE_ROWS):
        template.table_sheet(table)
    template.close()


def _verdict() -> str:
    """The sentence of the summary; it follows the sheets' figures."""
    left = f"SUMPRODUCT(ABS({_column(ACCOUNTS, 'unexplained')}))"
    merely = f'COUNTIF({_column(BY_REASON, "proven")},"no")'
    off = f"SUMPRODUCT(ABS({_column(ACCOUNTS, 'difference')}))"
    return (
        f'=IF(OR({left}<>0,{merely}>0),TEXT({left},"#,##0.00")&" of the difference has no proven reason.",'
        f'IF({off}<>0,"Every cent of difference is explained.","The two books agree."))'
    )


def _workpaper_figures() -> list[Figure]:
    """The figures of the summary: differences without netting one account against another, and what stands alone."""
    sums = [
        Figure(
            f"Difference, {word}" if word else "Difference",
            "Each control account without regard to its sign",
            ACCOUNTS.sheet.name,
            amount=(f"sum_{name}", f"=SUMPRODUCT(ABS({_column(ACCOUNTS, name)}))"),
            zero=name == "unexplained",
        )
        for name, word in (("difference", ""), ("explained", "explained"), ("unexplained", "unexplained"))
    ]
    confidence = _column(MATCHES, "confidence")
    matches = [
        Figure(f"Matches, {word}", says, MATCHES.sheet.name, (f"matches_{word}", f'=COUNTIF({confidence},"{word}")'))
        for word, says in (
            ("exact", "Both sides agree to the cent"),
            ("tolerance", "Up to five cents apart"),
            ("ambiguous", "Candidates that cannot be told apart"),
        )
    ]
    alone = [
        Figure("Subledger lines alone", "Without a match", LONE_LINES.sheet.name, ("lone_lines", f"=COUNTA({_column(LONE_LINES, 'id')})")),
        Figure("General ledger rows alone", "Without a match", LONE_ROWS.sheet.name, ("lone_rows", f"=COUNT({_column(LONE_ROWS, 'row')})")),
    ]  # fmt: skip
    facts = [
        Figure("Rows that could not be read", "They are left out of everything here", count=("rows_unread", ""), zero=True),
        Figure("Printed balances that disagree", "The export's own figures against its rows", count=("rows_disagreeing", ""), zero=True),
    ]  # fmt: skip
    return [*sums, *matches, *alone, *facts]


CLOSED_WORDS: Final = (
    "The chain head above is the seal of the last ledger event. Kept on paper, it shows later if any was removed."
)


def _signatures(
    template: _Template,
    sheet: Any,
    first_row: int,
    words: str = CLOSED_WORDS,
    signers: tuple[str, ...] = ("Closed by", "Reviewed by", "Accounting"),
) -> None:
    """Lines to sign on: who closed, who reviewed, who took it over in accounting."""
    sheet.write_string(first_row, 0, words, template.look(font_color=QUIET, italic=True))
    for place, who in enumerate(signers):
        row = first_row + 2 + place * 2
        sheet.set_row(row, 26)
        sheet.write_string(row, 0, who, template.look(valign="bottom", font_color=QUIET))
        sheet.write_blank(row, 1, None, template.look(bottom=1, bottom_color=INK))
        sheet.write_string(row, 2, "Date", template.look(valign="bottom", align="right", indent=1, font_color=QUIET))
        sheet.write_blank(row, 3, None, template.look(bottom=1, bottom_color=INK))


def _reread_list(path: Path) -> None:
    """One sheet to print and take along: rows high enough to write in, each route under its own line."""
    template = _Template(path, "Re-read list")
    sheet = template.table_sheet(REREADS, note=NOTE)
    sheet.set_row(FIRST_ROW, WRITING_ROW)
    last = len(REREADS.columns) - 1
    by_hand = template.look(
        bottom=1, bottom_color=INK, left=1, left_color=INK, right=1, right_color=INK, num_format="@"
    )
    for position in (last - 1, last):
        sheet.write_blank(FIRST_ROW, position, None, by_hand)
    meter = _letter(list(REREADS.columns).index("meter_id"))
    head = template.book.add_format({"bold": True, "font_color": WATER, "bg_color": PALE})
    rule = {"type": "formula", "criteria": f'=AND($A{FIRST_ROW + 1}<>"",${meter}{FIRST_ROW + 1}="")', "format": head}
    sheet.conditional_format(FIRST_ROW, 0, EXCEL_ROWS - 1, last, rule)
    template.close()


def _column(table: Table, name: str) -> str:
    return f"{table.name}[{table.columns[name].title}]"


def _letter(column: int) -> str:
    return str(xlsxwriter.utility.xl_col_to_name(column))
