"""Problems: told with place, fact and remedy; each kind declared once, documented, and provoked by a test."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import xlbilling
from xlbilling.words.problems import CATALOGUE, Conflict, Kind, Place, Problem, Problems, Refusal, declare

TESTS = Path(__file__).resolve().parents[1]
KIND = Kind("a_code", "What it means.", "What to do.")


def catalogue() -> dict[str, Kind]:
    """Every kind of the product; the modules that declare them are imported by that."""
    for module in pkgutil.walk_packages(xlbilling.__path__, "xlbilling."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return {code: kind for code, kind in CATALOGUE.items() if code != "declared_here"}


def test_each_kind_has_its_place_in_the_tests() -> None:
    """A code that no test names is a refusal nobody has ever seen happen."""
    text = "".join(path.read_text() for path in sorted(TESTS.rglob("*.py")) if path != Path(__file__).resolve())
    text += "".join(path.read_text() for path in sorted(TESTS.rglob("*.yaml")))
    constants = {code: names_of(code) for code in catalogue()}
    missing = [
        code
        for code in sorted(constants)
        if not re.search(rf"\b{re.escape(code)}\b", text)
        and not any(re.search(rf"\b{name}\b", text) for name in constants[code])
    ]
    assert missing == []


def names_of(code: str) -> list[str]:
    """The constants that hold a kind, such as NO_STORE; some tests name those."""
    source = "".join(path.read_text() for path in sorted(Path(xlbilling.__path__[0]).rglob("*.py")))
    return re.findall(rf"^([A-Z][A-Z_]+)(?:: Final)? = (?:problems\.)?declare\(\s*\"{re.escape(code)}\"", source, re.M)


def test_kinds_are_told_whole() -> None:
    for code, kind in catalogue().items():
        assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", code), code
        assert kind.meaning.endswith((".", "?")), code
        assert kind.remedy.endswith("."), code
        assert kind.severity in ("block", "review", "info"), code


def test_a_code_is_declared_once() -> None:
    declare("declared_here", "m.", "r.")
    with pytest.raises(ValueError, match="declared twice"):
        declare("declared_here", "m.", "r.")
    del CATALOGUE["declared_here"]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (Place("Reads", "17", "dial_read", cell="D118"), "Reads!D118: a fact. What to do."),
        (Place(cell="Period"), "Period: a fact. What to do."),
        (Place(file="reads.csv", line=7), "reads.csv:7: a fact. What to do."),
        (Place(file="reads.csv"), "reads.csv: a fact. What to do."),
        (Place("meters", "M1", "unit"), "meters M1 unit: a fact. What to do."),
        (None, "a fact. What to do."),
    ],
)
def test_a_problem_as_the_clerk_reads_it(place: Place | None, expected: str) -> None:
    assert str(KIND.at(place, "a fact")) == expected
    assert str(KIND.at(place, "a fact.")) == expected


def test_a_better_remedy_takes_the_usual_ones_place() -> None:
    assert str(KIND.at(None, "a fact", "Do this.")) == "a fact. Do this."
    assert str(KIND.at(None, "a fact", "")) == "a fact."


def test_a_problem_moves_to_its_cell() -> None:
    problem = KIND.at(Place("reads", "17"), "a fact")
    moved = problem.on(Place("Reads", cell="A4"))
    assert (str(moved.place), moved.fact, moved.code) == ("Reads!A4", "a fact", "a_code")
    assert str(problem.place) == "reads 17"


def test_a_refusal_is_one_line_for_the_terminal() -> None:
    refusal = Refusal(KIND.at(Place(file="x.csv", line=3), "two\nlines"))
    assert refusal.line == "error[a_code]: x.csv:3: two lines. What to do."
    assert (refusal.exit_code, Conflict(refusal.problem).exit_code) == (4, 5)


def test_a_refusal_carries_everything_that_stands_in_the_way() -> None:
    first, second = KIND.at(None, "one"), KIND.at(None, "two")
    assert Refusal(first).found == [first]
    assert Refusal(first, [second, first]).found == [second, first]


def test_problems_in_the_order_they_were_met() -> None:
    made = Problems()
    made.add(KIND.at(None, "one"))
    made.extend([Problem("b", Place(), "two", "r", "info"), KIND.at(None, "three")])
    assert [p.fact for p in made] == ["one", "two", "three"]
    assert [p.fact for p in made.blocking] == ["one", "three"]
    assert len(made) == 3
