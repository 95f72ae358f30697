"""Who may press what: every button with every role, against the one list the ribbon, the terminal and the docs take."""

from __future__ import annotations

import inspect
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.office.conftest import Office
from xlbilling.maker import docs
from xlbilling.maker.ribbon import NAMESPACE
from xlbilling.office.actions import perform
from xlbilling.office.desk import save as sheets
from xlbilling.office.desk.buttons import BUTTONS, GROUPS, Button, Outcome
from xlbilling.office.desk.desk import Desk
from xlbilling.store import Store
from xlbilling.words.problems import Refusal
from xlbilling.workbook.none import NoWorkbook

ROOT = Path(__file__).resolve().parents[3]
STAFF = {"eve": "", "ada": "accounting", "cora": "clerk", "lea": "lead"}  # as the small district's Policy has them
# Who is let through, said a second time: a button whose declaration changes has to change here too.
LET_THROUGH = {
    "eve ada cora lea": "refresh check_rates report_pack explain_bill about",
    "ada cora lea": "undo_last import_ledger reconcile",
    "cora lea": "save import_reads validate decide_alike reread_list compute print_file import_payments adjust",
    "lea": "audit post reverse checklist close_month",
}
CASES = [(button, people.split()) for people, buttons in LET_THROUGH.items() for button in buttons.split()]


def test_every_button_is_tried() -> None:
    assert sorted(button for button, _ in CASES) == sorted(BUTTONS)


@pytest.fixture(scope="module")
def store(plain_stages, tmp_path_factory: pytest.TempPathFactory) -> Office:
    return plain_stages.at("opened", tmp_path_factory.mktemp("roles"))


@pytest.mark.parametrize(("name", "let_through"), CASES, ids=[button for button, _ in CASES])
def test_a_button_runs_for_its_roles_and_is_refused_to_all_others(
    name: str, let_through: list[str], store: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BUTTONS[name].module, name, lambda desk: Outcome("reached"))
    monkeypatch.setattr(sheets, "turn", lambda desk: None)
    for actor, role in STAFF.items():
        book = NoWorkbook(store.folder, {})
        told = perform(
            name, lambda book=book, actor=actor: Desk(book, Store.open(store.url), actor, store.folder), book
        )
        if actor in let_through:
            assert isinstance(told, Outcome), f"{name} by {role or 'somebody unknown'}: {told}"
            assert told.said == "reached"
        else:
            assert isinstance(told, Refusal)
            assert told.problem.code == "not_allowed"
            assert told.problem.fact == f"{BUTTONS[name].label} needs the role {BUTTONS[name].role}; {actor} has {role or 'none'}"  # fmt: skip


@pytest.mark.parametrize("button", BUTTONS.values(), ids=lambda button: button.id)
def test_the_action_a_button_names_is_there(button: Button) -> None:
    assert list(inspect.signature(getattr(button.module, button.id)).parameters) == ["desk"]


def test_ribbon_terminal_and_docs_take_the_order_of_the_list() -> None:
    """In each place the buttons stand as the list has them: the ribbon and the page group by group."""
    declared = list(BUTTONS.values())
    grouped = [button.id for group in GROUPS for button in declared if button.group == group]
    assert [button.group for button in declared] == sorted((b.group for b in declared), key=GROUPS.index)
    with zipfile.ZipFile(ROOT / "billing.xlsm") as workbook:
        tab = ElementTree.fromstring(workbook.read("customUI/customUI.xml"))
    assert [b.get("id") for b in tab.iter(f"{{{NAMESPACE}}}button")] == [f"btn_{name}" for name in grouped]
    page = (ROOT / "docs" / "buttons.md").read_text(encoding="utf-8")
    assert re.findall(r"^\|.*\| `([a-z-]+)` \|", page, re.M) == [BUTTONS[name].command for name in grouped]
    readme = re.findall(r"^\| `xlbilling ([a-z-]+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    assert readme[: len(declared)] == [button.command for button in declared]
    typed = [name for name, _ in docs.commands() if name in {button.command for button in declared}]
    assert typed == [button.command for button in declared]


def test_the_page_names_everybody_who_is_let_through() -> None:
    page = (ROOT / "docs" / "buttons.md").read_text(encoding="utf-8")
    said = {cells[2].strip(" `"): cells[3].strip() for cells in (line.strip("|").split("|") for line in page.splitlines()) if len(cells) == 5}  # fmt: skip
    for name, people in CASES:
        who = "anyone" if "eve" in people else ", ".join(STAFF[actor] for actor in people)
        own = "; Policy, Rates, Bill sections, GL accounts, Close: lead" if name == "save" else ""
        assert said[BUTTONS[name].command] == who + own
