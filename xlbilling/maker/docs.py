"""The pages of docs/ that are made from the declarations: problems, buttons, functions, and the README's commands.

`python -m xlbilling.maker.docs` writes them; a test holds the committed pages to the declarations.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from typer.core import TyperArgument, TyperCommand
from typer.main import get_command

import xlbilling
from xlbilling.office.desk.buttons import BUTTONS, GROUPS, Button
from xlbilling.office.desk.surface import SURFACES, saved
from xlbilling.udfs import FUNCTIONS
from xlbilling.words.problems import CATALOGUE
from xlbilling.words.records import TABLE

MADE: Final = "<!-- Made by `python -m xlbilling.maker.docs` from the declarations; do not edit. -->"
COMMANDS_BEGIN: Final = "<!-- commands: made by `python -m xlbilling.maker.docs` -->"
COMMANDS_END: Final = "<!-- end of commands -->"
SEVERITIES: Final = {
    "block": "holds the row, or refuses the work",
    "review": "somebody looks",
    "info": "for information",
}


def write_docs(root: Path) -> list[Path]:
    """Write every made page under the project's folder `root`, the README's table of commands among them."""
    pages = {root / "docs" / name: text for name, text in docs_pages().items()}
    readme = root / "README.md"
    pages[readme] = with_commands(readme.read_text(encoding="utf-8"))
    for path, text in pages.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return list(pages)


def docs_pages() -> dict[str, str]:
    """The made pages by file name."""
    return {"problems.md": problems_page(), "buttons.md": buttons_page(), "functions.md": functions_page()}


def problems_page() -> str:
    """Every kind of problem, in the order of its code."""
    declared_everywhere()
    rows = [
        (f"`{kind.code}`", kind.meaning, kind.remedy, SEVERITIES[kind.severity])
        for _, kind in sorted(CATALOGUE.items())
    ]
    return page(
        "Problems",
        "What the program says when something cannot be done or should be looked at. Each occurrence names its place "
        "(a cell, a row, or a line of a file) and the fact; on the terminal a refusal is one line, "
        "`error[code]: what, where, remedy`, with exit code 4 (5 where somebody else holds what is needed).",
        table(("Code", "What it means", "What to do", "Weight"), rows),
    )


def buttons_page() -> str:
    """The ribbon group by group, in the order of the month."""
    made: list[str] = []
    for group in GROUPS:
        rows = [
            (button.label, f"Alt, Y1, {button.keytip}", f"`{button.command}`", _who(button), button.supertip)
            for button in BUTTONS.values()
            if button.group == group
        ]
        made += [f"## {group}", "", table(("Button", "Keys", "On the terminal", "Who", "What it does"), rows), ""]
    return page(
        "Buttons",
        "The Billing tab, in the order of the month. Every button says what it did in the message on Start, and is a "
        "command on the terminal too.",
        "\n".join(made).rstrip(),
    )


def functions_page() -> str:
    """The Excel functions with their arguments."""
    made: list[str] = []
    for name, function in FUNCTIONS.items():
        shown = [f"[{given}]" if given in function.optional else given for given in function.arguments]
        rows = [(f"`{given}`", about) for given, about in function.arguments.items()]
        made += [f"## {name}", "", f"`={name}({', '.join(shown)})`", "", function.about, ""]
        made += [table(("Argument", "What goes in"), rows), ""]
    return page(
        "Functions in cells",
        "Under Formulas, Insert Function, category Billing (Excel for Windows). Each takes whole columns in one call; "
        "what cannot be worked out exactly shows as an Excel error value, which SUM does not skip.",
        "\n".join(made).rstrip(),
    )


def with_commands(readme: str) -> str:
    """The README with its table of commands made anew; ValueError where the marks around it are missing."""
    before, begin, rest = readme.partition(COMMANDS_BEGIN)
    _, end, after = rest.partition(COMMANDS_END)
    if not begin or not end:
        raise ValueError("the README lacks the marks around its table of commands")
    return f"{before}{begin}\n{commands_table()}\n{end}{after}"


def commands_table() -> str:
    """Every terminal command with what it takes and does; the buttons first, in the order of the month."""
    found = dict(commands())
    order = [button.command for button in BUTTONS.values()]
    names = [name for name in order if name in found] + [name for name in found if name not in order]
    rows = [(f"`xlbilling {_usage(name, found[name])}`", str(found[name].help or "").strip()) for name in names]
    return table(("Command", "What it does"), rows)


def commands() -> Iterator[tuple[str, TyperCommand]]:
    """The terminal commands as typed. The terminal is a layer above this one, so it is looked up by name."""
    terminal = get_command(importlib.import_module("xlbilling.terminal.commands").app)
    return _commands(terminal, "")


def _commands(group: object, before: str) -> Iterator[tuple[str, TyperCommand]]:
    if isinstance(group, TyperCommand):
        yield before.strip(), group
    for name, command in getattr(group, "commands", {}).items():
        yield from _commands(command, f"{before} {name}")


def declared_everywhere() -> None:
    """Import every module of the product, so that everything it declares is known."""
    for found in pkgutil.walk_packages(xlbilling.__path__, "xlbilling."):
        if not found.name.endswith("__main__"):
            importlib.import_module(found.name)


def page(title: str, about: str, body: str) -> str:
    return f"# {title}\n\n{MADE}\n\n{about}\n\n{body}\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell would end it, so it is escaped."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _usage(name: str, command: TyperCommand) -> str:
    """The command with its arguments and needed options, as one types it."""
    words = [name]
    for parameter in command.params:
        asked = (parameter.name or "").upper()
        if isinstance(parameter, TyperArgument):
            words.append(asked if parameter.required else f"[{asked}]")
        elif parameter.required:
            words.append(f"{parameter.opts[0]} {asked}")
    return " ".join(words)


def _who(button: Button) -> str:
    """Who may press it, and the sheets that only the lead may change with it."""
    own = (
        ", ".join(TABLE[name].sheet.name for name in saved() if SURFACES[name].role == "lead")
        if button.id == "save"
        else ""
    )
    pressed_by = "anyone" if button.role == "anyone" else ", ".join(button.roles)
    return f"{pressed_by}; {own}: lead" if own else pressed_by


if __name__ == "__main__":
    for written in write_docs(Path(__file__).resolve().parents[2]):
        print(f"Wrote {written.name}.")
