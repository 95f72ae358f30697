"""States: no module says the word of a state by itself, in SQL or in Python; nothing but the declaration knows it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import xlbilling
from xlbilling.words import states
from xlbilling.words.states import BOUND, CHECKLIST, DOCUMENT, RUN, STATES, one_of

ROOT = Path(xlbilling.__file__).parent
WORDS = {*BOUND.values(), *RUN, *CHECKLIST, states.REVERSED}
# What earlier versions wrote stays as they wrote it, whatever the words are by now.
HISTORY = ROOT / "store" / "migrations.py"
MODULES = sorted(p for p in ROOT.rglob("*.py") if p not in (HISTORY, ROOT / "words/states.py"))
IN_SQL = re.compile(r"\bstate\b\"?\s*(?:=|<>|!=|IN\s*\()\s*'\w|CASE (?:\w+\.)?state WHEN '\w")


def bare(source: str) -> Iterator[str]:
    """Places of a module where the word of a state stands by itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and IN_SQL.search(node.value):
            yield f"line {node.lineno}: SQL {' '.join(node.value.split())[:60]}"
        for where, value in _of_a_state(node):
            for word in ast.walk(value):
                if isinstance(word, ast.Constant) and word.value in WORDS and not _is_key(word, value):
                    yield f"line {word.lineno}: {where} {word.value!r}"


def _of_a_state(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What is compared with, given to, or written as a state."""
    if isinstance(node, ast.keyword) and node.arg == "state":
        yield "state =", node.value
    if isinstance(node, ast.Compare) and any(_names_state(side) for side in (node.left, *node.comparators)):
        yield from (("compared with", side) for side in (node.left, *node.comparators) if not _names_state(side))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _names_state(node.func.value):
        yield from ((f"{node.func.attr} of", argument) for argument in node.args)
    if isinstance(node, ast.Dict):
        yield from (("state:", value) for key, value in zip(node.keys, node.values, strict=True) if _is(key, "state"))
    if isinstance(node, ast.Assign) and any(_names_state(target) for target in node.targets):
        yield "state =", node.value


def _is(node: ast.AST | None, word: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == word


def _names_state(node: ast.AST) -> bool:
    """A name, attribute or column called state, or the first value of one."""
    while isinstance(node, ast.Subscript | ast.Attribute | ast.Call):
        if isinstance(node, ast.Subscript) and _is(node.slice, "state"):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "state":
            return True
        node = node.func if isinstance(node, ast.Call) else node.value
    return isinstance(node, ast.Name) and node.id == "state"


def _is_key(word: ast.Constant, value: ast.AST) -> bool:
    """A column's name inside what is written as a state, such as rows["held"]."""
    return any(isinstance(node, ast.Subscript) and node.slice is word for node in ast.walk(value))


@pytest.mark.parametrize("module", MODULES, ids=[str(p.relative_to(ROOT)) for p in MODULES])
def test_no_module_says_a_state_by_itself(module: Path) -> None:
    assert list(bare(module.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "store.table('reads', \"cycle = :c AND state = 'current'\")",
        "f\"SELECT 1 FROM imports i WHERE i.state <> 'current' AND {x}\"",
        "order = \"CASE state WHEN 'open' THEN 0 ELSE 1 END\"",
        "work.insert_one('periods', state='open')",
        "rows['state'].eq('held').sum()",
        "old['state'] != 'open'",
        "values = {'state': 'withdrawn'}",
        "state = 'red' if problems else 'green'",
        "frame['state'] = np.where(there, 'draft', 'held')",
    ],
)
def test_a_bare_word_is_seen(source: str) -> None:
    assert list(bare(source))


def test_what_is_no_state_is_left_alone() -> None:
    assert not list(bare("status = 'closed'\nrows['held'].sum()\nstate = rows['held']\nside='left'\n"))


def test_every_state_can_be_said_by_its_name() -> None:
    assert {BOUND[word.replace(" ", "_")] for of in (*STATES.values(), DOCUMENT, RUN) for word in of} <= set(
        BOUND.values()
    )
    assert one_of(DOCUMENT) == "state IN ('open', 'posted', 'withdrawn')"
    assert one_of(("posted",)) == "state = 'posted'"
