"""The rate study's template: summary, revenue by class and charge, deciles, bill changes and every account, with charts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from xlbilling.maker.templates import FIRST_ROW, HEADING_ROW, INK, LINE, WATER, Figure
from xlbilling.maker.templates import _Template as Template
from xlbilling.papers.study import ACCOUNTS, BANDS, CHARGES, CLASSES, DECILES, LARGEST, LEFT_OUT
from xlbilling.words.records import Table

STUDY: Final = "rate-study.xlsx"
SKY, CLAY = "#5DADE2", "#CA6F1E"
_FACTS: Final = {
    "district": "District",
    "periods": "Service periods",
    "current": "Current rates",
    "proposed": "Proposed rates",
    "basis": "Priced from",
    "made_at": "Made",
}


def build_study_template(folder: Path) -> None:
    """Write the rate study's template into `folder`, the same bytes each time."""
    template = Template(folder / STUDY, "Rate study")
    summary = template.sheet("Summary", "Rate study", landscape=False, repeat=0)
    for column, width in enumerate((28, 56, 12, 18)):
        summary.set_column(column, column, width)
    template.facts(summary, 2, _FACTS)
    words = "A comparison only: nothing here is a bill, and nothing can be posted from it."
    summary.write_string(9, 0, words, template.look(italic=True, font_color=INK))
    template.figures(summary, "study_summary", 11, ("What", "How", "Count", "Amount"), _lines())
    _bars(template, summary, CLASSES, ("current", "proposed"), "Revenue by class", (23, 0), kind="bar", width=800)
    _bars(template, summary, BANDS, ("accounts",), "Accounts by change of their bills", (38, 0), width=800)
    template.table_sheet(CLASSES)
    template.table_sheet(CHARGES)
    deciles = template.table_sheet(DECILES)
    # Ten rows at most, so the charts stand below the table.
    _bars(
        template, deciles, DECILES, ("average_current", "average_proposed"), "Average bill by tenth", (18, 0), width=640
    )
    _bars(template, deciles, DECILES, ("average_change",), "Average change by tenth", (18, 7), width=640)
    template.table_sheet(BANDS, landscape=False)
    template.table_sheet(LARGEST)
    template.table_sheet(ACCOUNTS)
    template.table_sheet(LEFT_OUT, note="left_out_note")
    template.close()


def _lines() -> list[Figure]:
    """The summary's figures, each a formula over the tables."""
    change = _column(ACCOUNTS, "change")
    return [
        Figure("Revenue, current rates", "Every bill compared, on the current rates", ACCOUNTS.sheet.name,
               ("study_bills", f"=SUM({_column(ACCOUNTS, 'bills')})"), _sum("current")),
        Figure("Revenue, proposed rates", "The same bills on the proposed rates", CLASSES.sheet.name, None, _sum("proposed")),
        Figure("Change", "Proposed less current", CHARGES.sheet.name, None, _sum("change")),
        Figure("Accounts compared", "Accounts with a bill on both", ACCOUNTS.sheet.name,
               ("study_accounts_compared", f"=COUNTA({_column(ACCOUNTS, 'account_id')})")),
        Figure("Pay more", "Accounts whose bills go up, and by how much together", LARGEST.sheet.name,
               ("study_more", f'=COUNTIF({change},">0")'), ("study_more_amount", f'=SUMIF({change},">0")')),
        Figure("Pay less", "Accounts whose bills go down, and by how much together", LARGEST.sheet.name,
               ("study_less", f'=COUNTIF({change},"<0")'), ("study_less_amount", f'=SUMIF({change},"<0")')),
        Figure("Pay the same", "Accounts whose bills stay as they are", BANDS.sheet.name,
               ("study_same", f'=COUNTIF({change},"=0")')),
        Figure("Left out", "Bills that one of the two cannot price", LEFT_OUT.sheet.name,
               ("study_left_out_bills", f"=COUNTA({_column(LEFT_OUT, 'key')})"), zero=True),
    ]  # fmt: skip


def _sum(name: str) -> tuple[str, str]:
    return f"study_{name}", f"=SUM({_column(ACCOUNTS, name)})"


def _column(table: Table, name: str) -> str:
    return f"{table.name}[{table.columns[name].title}]"


def _bars(
    template: Template,
    sheet: Any,
    table: Table,
    names: tuple[str, ...],
    title: str,
    at: tuple[int, int],
    kind: str = "column",
    width: int = 700,
) -> None:
    """Bars of some columns of a table, one group a row; the reference grows with the table when it is filled."""
    chart = template.book.add_chart({"type": kind})
    for name, colour in zip(names, (SKY, WATER) if len(names) > 1 else (CLAY,), strict=True):
        column = list(table.columns).index(name)
        chart.add_series(
            {
                "name": [table.sheet.name, HEADING_ROW, column],
                "categories": [table.sheet.name, FIRST_ROW, 0, FIRST_ROW, 0],
                "values": [table.sheet.name, FIRST_ROW, column, FIRST_ROW, column],
                "fill": {"color": colour},
                "gap": 60,
            }
        )
    words = {"name": "Calibri", "size": 9, "color": INK}
    lines = {"visible": True, "line": {"color": LINE, "width": 0.5}}
    numbers = {"num_font": words, "num_format": "#,##0", "line": {"none": True}, "major_gridlines": lines}
    names_axis = {"num_font": words, "line": {"color": LINE}, "major_tick_mark": "none", "label_position": "low"}
    chart.set_title({"name": title, "name_font": words | {"size": 12, "bold": True}})
    chart.set_legend({"position": "bottom", "font": words} if len(names) > 1 else {"none": True})
    if kind == "bar":
        chart.set_y_axis(names_axis | {"reverse": True})
        chart.set_x_axis(numbers | {"label_position": "high"})
    else:
        chart.set_x_axis(names_axis)
        chart.set_y_axis(numbers)
    chart.set_chartarea({"border": {"color": LINE}})
    chart.set_size({"width": width, "height": 280})
    sheet.insert_chart(*at, chart, {"object_position": 3, "description": f"Bars: {title.lower()}"})
