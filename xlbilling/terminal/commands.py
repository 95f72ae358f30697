"""The commands of the terminal: the same actions as the ribbon, one each, and the tools around them.

A command loads what it needs when it is called, so that help, a wrong word or a look at one file wait for nothing.
"""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console

from xlbilling import __version__
from xlbilling.demo import FEWEST
from xlbilling.office.desk.buttons import BUTTONS, Button, Outcome
from xlbilling.terminal import file_commands
from xlbilling.words.problems import Refusal

if TYPE_CHECKING:
    from xlbilling.office.desk.desk import Desk
    from xlbilling.workbook.file.book import FileWorkbook
    from xlbilling.workbook.none import NoWorkbook
    from xlbilling.workbook.port import Workbook

DONE, WRONG_USE, LISTED = 0, 2, 3
ANY_AMOUNT: Final = 10**15  # cents

app: Final = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(file_commands.tariff, name="tariff")
app.add_typer(file_commands.reads, name="reads")


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"xlbilling {__version__}")
        raise typer.Exit


@app.callback()
def terminal(
    _: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Say the version and end.")
    ] = False,
) -> None:
    """The billing office of a water district."""


console: Final = Console(highlight=False, soft_wrap=True)

WorkbookOption = Annotated[
    Path, typer.Option("--workbook", help="The workbook to work on; none: the store alone, nobody looks at sheets.")
]
StoreOption = Annotated[str | None, typer.Option("--store", help="The store: a file or a PostgreSQL address.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Say yes where the button asks.")]
CycleOption = Annotated[str | None, typer.Option("--cycle", help="Choose the cycle on Start first.")]
PeriodOption = Annotated[str | None, typer.Option("--period", help="Choose the accounting period on Start first.")]


def _button_command(button: Button) -> Callable[..., None]:
    """The terminal command of one ribbon button."""

    def press(
        workbook: WorkbookOption = Path("billing.xlsm"),
        store: StoreOption = None,
        yes: YesOption = False,
        cycle: CycleOption = None,
        period: PeriodOption = None,
        wanted: str | None = None,
    ) -> None:
        raise typer.Exit(_press(button, workbook, store, yes, {"Cycle": cycle, "Period": period, button.asks: wanted}))

    if button.asks:

        def press_with(
            wanted: Annotated[str | None, typer.Argument(help="What to work on; else what Start names.")] = None,
            workbook: WorkbookOption = Path("billing.xlsm"),
            store: StoreOption = None,
            yes: YesOption = False,
            cycle: CycleOption = None,
            period: PeriodOption = None,
        ) -> None:
            press(workbook, store, yes, cycle, period, wanted)

        return press_with

    def press_plain(
        workbook: WorkbookOption = Path("billing.xlsm"),
        store: StoreOption = None,
        yes: YesOption = False,
        cycle: CycleOption = None,
        period: PeriodOption = None,
    ) -> None:
        press(workbook, store, yes, cycle, period)

    return press_plain


def _press(button: Button, path: Path, store: str | None, yes: bool, cells: dict[str, str | None]) -> int:
    """Press a button on the workbook file and save it, or on the store alone (`--workbook none`); the exit code."""
    from xlbilling.office.actions import perform

    book = _workbook(path, yes, cells)
    outcome = perform(button.id, lambda: _desk(book, path, store), book)
    book.save()
    return show(outcome)


def _workbook(path: Path, yes: bool, cells: dict[str, str | None]) -> FileWorkbook | NoWorkbook:
    """The workbook file with these cells of Start typed, or none."""
    from xlbilling.workbook.file.book import FileWorkbook
    from xlbilling.workbook.none import NoWorkbook

    given = {name: value for name, value in cells.items() if name and value}
    if str(path) == "none":
        return NoWorkbook(Path.cwd(), given)
    book = FileWorkbook(path, yes=yes)
    for name, value in given.items():
        book.put(name, value)
    return book


def _desk(book: Workbook, path: Path, store: str | None) -> Desk:
    from xlbilling.office.actions import open_desk

    return open_desk(book, actor(), path.resolve().parent if book.has_sheets else Path.cwd(), store)


def actor() -> str:
    """Who is working: the operating system's log-in."""
    return os.environ.get("XLBILLING_ACTOR") or getpass.getuser()


def show(outcome: Outcome | Refusal) -> int:
    """Print what happened; the exit code."""
    if isinstance(outcome, Refusal):
        print(outcome.line, file=sys.stderr)
        return outcome.exit_code
    console.print(outcome.said)
    for problem in outcome.problems[:50]:
        console.print(f"  {problem}")
    if len(outcome.problems) > 50:
        console.print(f"  ... and {len(outcome.problems) - 50} more")
    return LISTED if outcome.listed else DONE


def reconcile(
    subledger: Annotated[Path | None, typer.Option(help="Subledger lines as CSV.")] = None,
    gl: Annotated[Path | None, typer.Option(help="The general-ledger export.")] = None,
    profile: str = "auto",
    map: Annotated[Path | None, typer.Option(help="Ledger map.")] = None,
    json: Path | None = None,
    out: Annotated[Path | None, typer.Option(help="Workpaper to write.")] = None,
    workbook: WorkbookOption = Path("billing.xlsm"),
    store: StoreOption = None,
    yes: YesOption = False,
    cycle: CycleOption = None,
    period: PeriodOption = None,
) -> None:
    """Prove the receivables against the general ledger: of the workbook's period, or of two files."""
    if (subledger is None) != (gl is None):
        raise typer.BadParameter("--subledger and --gl go together")
    if subledger is not None and gl is not None:
        from xlbilling.terminal.reconcile_files import reconcile_files

        raise typer.Exit(reconcile_files(subledger, gl, profile, map, json, out))
    raise typer.Exit(_press(BUTTONS["reconcile"], workbook, store, yes, {"Cycle": cycle, "Period": period}))


for _button in BUTTONS.values():
    if _button.id == "reconcile":  # it can prove two files as well
        app.command()(reconcile)
    else:
        app.command(_button.command, help=_button.supertip)(_button_command(_button))


@app.command()
def decide(
    check: Annotated[str, typer.Option(help="The check whose open findings are decided, such as high.")],
    decision: Annotated[str, typer.Option(help="accept, estimate or reread.")],
    reason: Annotated[str, typer.Option(help="Why; kept with every finding.")],
    below: Annotated[str, typer.Option(help="Only findings with less money at risk than this, such as 50.00.")] = "",
    service: Annotated[str, typer.Option(help="Only findings of this service.")] = "",
    severity: Annotated[str, typer.Option(help="Only findings of this severity.")] = "",
    workbook: WorkbookOption = Path("billing.xlsm"),
    store: StoreOption = None,
    yes: YesOption = False,
    cycle: CycleOption = None,
    period: PeriodOption = None,
) -> None:
    """Decide the open findings of a check all at once, as Decide alike does."""
    from xlbilling.office.actions import carry_out
    from xlbilling.office.reads.decide_alike import Alike, decide_many
    from xlbilling.words.money import parse_cents

    if decision not in ("accept", "estimate", "reread"):
        raise typer.BadParameter(f"{decision} cannot be decided for many; accept, estimate or reread can")
    limit = parse_cents(below) if below else ANY_AMOUNT
    if limit is None:
        raise typer.BadParameter(f"--below {below} is not an amount such as 50.00")
    alike = Alike(check, severity, decision, reason, limit - 1 if below else limit)
    book = _workbook(workbook, yes, {"Cycle": cycle, "Period": period})
    outcome = carry_out(
        "Decide", lambda desk: decide_many(desk, alike, service), lambda: _desk(book, workbook, store), book
    )
    book.save()
    raise typer.Exit(show(outcome))


@app.command()
def demo(
    folder: Annotated[Path, typer.Argument()] = Path("demo"),
    accounts: Annotated[int, typer.Option(min=FEWEST, help="How many accounts the district has.")] = 2000,
) -> None:
    """Make a sample district in a folder and run its month from the read file to the close."""
    from xlbilling.demo.month import run_demo

    raise typer.Exit(run_demo(folder, accounts, actor(), console))


@app.command()
def build(out: Annotated[Path, typer.Argument()] = Path("billing.xlsm")) -> None:
    """Build the workbook from its declarations."""
    from xlbilling.maker import build_workbook

    build_workbook(out)
    console.print(f"Built {out}.")


@app.command()
def doctor(workbook: WorkbookOption = Path("billing.xlsm"), store: StoreOption = None) -> None:
    """Check Python, Excel, xlwings, the store and the paths."""
    from xlbilling.terminal import doctor as doctor_checks

    raise typer.Exit(doctor_checks.doctor(workbook, store, console))


@app.command()
def install() -> None:
    """Write the xlwings settings of this user, so that Excel finds this Python."""
    from xlbilling.terminal import doctor as doctor_checks

    raise typer.Exit(doctor_checks.install(console))


@app.command("rate-study")
def rate_study_command(
    proposed: Annotated[Path, typer.Argument(help="Rates rows as CSV or workbook, or an OWRS file.")],
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day a period may end on.")],
    last: Annotated[datetime, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day a period may end on.")],
    out: Path = Path("rate-study.xlsx"),
    schedule: Annotated[str, typer.Option(help="The rate schedule the proposal stands for.")] = "",
    store: Annotated[str, typer.Option("--store")] = "billing.db",
) -> None:
    """Try proposed rates on the bills of some time; writes a workbook and changes nothing."""
    from xlbilling.office.bills.study import rate_study
    from xlbilling.store import Store
    from xlbilling.store.store import store_url

    opened = Store.open(store_url(store))
    made = rate_study(opened, proposed, first.date(), last.date(), out, schedule)
    raise typer.Exit(show(Outcome(made.said, made.notes, listed=bool(made.study.left_out))))


@app.command()
def convert(
    source: Path,
    period: Annotated[str, typer.Option(help="First accounting period to open, such as 2026-10.")],
    as_of: Annotated[str, typer.Option(help="Day of the opening balances.")],
    store: Annotated[str, typer.Option("--store")] = "billing.db",
) -> None:
    """Take an office in from its old system; the books open only when they tie."""
    from xlbilling.office.conversion.convert import command as convert_office
    from xlbilling.store.store import store_url

    convert_office(source, store_url(store), period, as_of, actor(), console.print)


@app.command()
def verify(store: Annotated[str, typer.Option("--store")] = "billing.db") -> None:
    """Prove the store: balanced, chained, gapless, sealed."""
    from xlbilling.store import Store
    from xlbilling.store.store import store_url
    from xlbilling.store.verify import verify as verify_store

    opened = Store.open(store_url(store))
    problems = verify_store(opened)
    for problem in problems:
        print(f"error[{problem.code}]: {problem}", file=sys.stderr)
    if problems:
        raise typer.Exit(4)
    events = opened.value("SELECT COUNT(*) FROM events")
    entries = opened.value("SELECT COUNT(*) FROM entries")
    console.print(f"Verified: {entries} entries balance, {events} events are chained, documents are gapless.")


@app.command()
def migrate(store: Annotated[str, typer.Option("--store")] = "billing.db") -> None:
    """Bring a store of an earlier version to this program's, after a backup; any button does it too."""
    from xlbilling.store import schema
    from xlbilling.store.migrations import opened
    from xlbilling.store.store import sqlite_path, store_url

    url = store_url(store)
    path = sqlite_path(url)
    migrated = opened(url, actor(), (path.parent if path else Path.cwd()) / "backups").migrated
    console.print(migrated.strip() or f"{store} is of version {schema.VERSION}, as this program is. Nothing to do.")


@app.command()
def restore(backup: Path, store: Annotated[str, typer.Option("--store")] = "billing.db") -> None:
    """Put a backup back as a store that is not there yet."""
    from xlbilling.store import schema
    from xlbilling.store.backup import restore as restore_store
    from xlbilling.store.store import store_url

    held = restore_store(backup, store_url(store))
    earlier = f" It is of version {held}; the first button brings it to version {schema.VERSION}, after a backup."
    console.print(f"Restored {store} from {backup.name}.{earlier if held < schema.VERSION else ''}")


@app.command("explain")
def explain_command(
    wanted: Annotated[str, typer.Argument(help="A bill's number, or a service with a draft.")],
    workbook: WorkbookOption = Path("billing.xlsm"),
    store: StoreOption = None,
) -> None:
    """Tell how a bill was worked out."""
    from xlbilling.office.bills.explain import explain as explain_lines
    from xlbilling.workbook.file.book import FileWorkbook

    book = FileWorkbook(workbook)
    for line in explain_lines(_desk(book, workbook, store), wanted):
        console.print(line)
