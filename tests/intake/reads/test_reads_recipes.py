"""Recipes: of positions, as a table of settings, proposed from a sample, and which of several fits a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.intake.reads.uploads import RECIPE, listed, read, taken
from xlbilling.intake.reads import Recipe, fitting_recipes, learn_recipe, propose_recipe
from xlbilling.intake.reads.propose import _formats
from xlbilling.intake.reads.recipe import Proposal
from xlbilling.intake.reads.recipe_table import faults_of, recipe_of, rows_of
from xlbilling.words.problems import Refusal

FIXED = Recipe(
    layout="fixed",
    record_length=24,
    columns={"account_id": "1-4", "meter_id": "5-10", "read_date": "11-18", "read": "19-23", "status": "24"},
    date_formats=["%m%d%Y"],
)
SOUND = "0071M0000107132026 0123 \n"


def test_positions_in_a_line_are_the_columns(tmp_path: Path) -> None:
    found = read(tmp_path, SOUND + "0072M0000207132026 0007E\n", FIXED)
    assert taken(found) == [("0071", "M00001", "2026-07-13", "123", 1), ("0072", "M00002", "2026-07-13", "7", 2)]
    assert found.reads["dial_read"].tolist() == ["0123", "0007"]
    assert found.reads["read_code"].tolist() == ["actual", "estimated"]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("0072M0000207132026 0007", "bad_record"),  # one character short: never padded
        ("0072M0000207132026 0007  ", "bad_record"),  # one too many: never cut
        ("0072      07132026 0007 ", "missing_id"),
        ("0072M0000202302026 0007 ", "bad_date"),
        ("0072M0000207132026 00x7 ", "bad_number"),
        ("0072M0000207132026      ", "bad_number"),
        ("0071M0000107132026 9999 ", "duplicate"),
    ],
)
def test_a_fixed_line_meets_the_rules_that_every_format_shares(tmp_path: Path, line: str, code: str) -> None:
    found = read(tmp_path, SOUND + line + "\n", FIXED)
    assert (len(taken(found)), listed(found)) == (1, [(2, code)])
    assert found.rejects["content"].tolist() == [line.strip()]


def test_without_a_length_a_line_must_reach_the_last_position(tmp_path: Path) -> None:
    loose = FIXED.model_copy(update={"record_length": None})
    found = read(tmp_path, SOUND.rstrip("\n") + " and a remark\n0072M0000207132026 000\n", loose)
    assert (len(taken(found)), listed(found)) == (1, [(2, "bad_record")])
    assert "at least 24" in found.rejects["message"].iloc[0]


def test_lines_at_the_top_are_skipped_where_the_recipe_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "ROUTE 7\n" + SOUND, FIXED.model_copy(update={"header_row": 1}))
    assert [row[-1] for row in taken(found)] == [2]
    assert listed(found) == []


def test_a_recipe_of_positions_is_no_workbooks(tmp_path: Path) -> None:
    from xlsxwriter import Workbook as NewWorkbook

    with NewWorkbook(str(tmp_path / "upload")) as book:
        book.add_worksheet().write_string(0, 0, SOUND)
    with pytest.raises(Refusal) as refused:
        read(tmp_path, (tmp_path / "upload").read_bytes(), FIXED)
    assert refused.value.problem.code == "file_bad_header"


@pytest.mark.parametrize(
    "wrong",
    [{"record_length": 20}, {"sheet": "Reads"}, {"columns": {"meter_id": "0-4", "read_date": "5", "read": "6"}},
     {"columns": {"meter_id": "9-4", "read_date": "5", "read": "6"}}],
)  # fmt: skip
def test_positions_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"position|workbook|length"):
        Recipe.model_validate(FIXED.model_dump() | wrong)


def test_a_recipe_of_positions_comes_back_from_yaml(tmp_path: Path) -> None:
    FIXED.save(tmp_path / "recipe.yaml")
    assert Recipe.load(tmp_path / "recipe.yaml") == FIXED


# ---- rejected rows ---------------------------------------------------------------------------------------------------


def test_the_fields_of_a_reject_are_those_that_could_be_told(tmp_path: Path) -> None:
    text = (
        "Account,Meter,Read Date,Read,Unit\n008,M1,7/1/2026,6x,gal\n008,M2,never,007.50,L\n008,=M3,2026-07-01,5,gal\n"
        '008,M4,2026-07-01,"1,234",gallons\n008,M5,2026-07-01,5,barrels\n'
    )
    rules = RECIPE.model_copy(update={"thousands_mark": ","})
    found = read(tmp_path, text.replace("M4,2026-07-01", "M4,13/13/2026"), rules)
    fields = ["meter_id", "read_date", "dial_read", "unit"]
    assert found.rejects[fields].to_numpy().tolist() == [
        ["M1", "2026-07-01", "6x", "GAL"],
        ["M2", "", "0.0075", "M3"],  # liters are cubic meters, exact
        ["", "2026-07-01", "5", "GAL"],
        ["M4", "", "1234", "GAL"],
        ["M5", "2026-07-01", "", ""],  # in a unit nobody knows the figure says nothing
    ]
    assert found.rejects["content"].iloc[2] == "008,=M3,2026-07-01,5,gal"


def test_a_long_line_is_cut_and_what_cannot_be_shown_is_a_blank(tmp_path: Path) -> None:
    found = read(tmp_path, "Account,Meter,Read Date,Read,Unit\n008\tM1\x07" + "y" * 400 + "\n")
    content = found.rejects["content"].iloc[0]
    assert content == "008 M1 " + "y" * 290 + "..."
    assert len(content) == 300


# ---- the table of settings ------------------------------------------------------------------------------------------

MARK = st.sampled_from([",", ";", "\t", "|"])
HEADING = st.text(st.characters(codec="ascii", categories=["L", "Nd"]), min_size=1, max_size=12)


@given(
    st.builds(
        lambda header_row, delimiter, decimal, thousands, formats, names, sheet: Recipe(
            header_row=header_row, delimiter=delimiter, decimal_mark=decimal,
            thousands_mark=None if thousands == decimal else thousands, date_formats=formats, sheet=sheet,
            columns=dict(zip(("meter_id", "read_date", "read", "unit"), names, strict=True)),
        ),
        st.integers(1, 20), MARK, st.sampled_from([".", ","]), st.sampled_from([".", ",", " ", None]),
        st.lists(st.sampled_from(["%Y-%m-%d", "%m/%d/%Y", "%d.%m.%y", "%d-%b-%Y"]), min_size=1, max_size=3, unique=True),
        st.lists(HEADING, min_size=4, max_size=4, unique=True), st.one_of(st.none(), HEADING),
    )
)  # fmt: skip
def test_a_recipe_comes_back_from_its_rows(recipe: Recipe) -> None:
    proposal = Proposal(recipe.model_dump(), dict.fromkeys(recipe.columns, "x"), {})
    rows = {setting: value for setting, value, _ in rows_of(proposal)}
    assert rows.pop("confirmed") == "no"
    assert faults_of(rows) == {}
    assert recipe_of(rows) == recipe


# ---- proposed and fitting -------------------------------------------------------------------------------------------


def sample(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "sample"
    path.write_text(text)
    return path


def test_known_headings_need_no_look(tmp_path: Path) -> None:
    recipe = learn_recipe(sample(tmp_path, "Acct No;Meter;Read Date;Reading\n7;M1;7/1/2026;5\n"))
    assert recipe.columns == {"account_id": "Acct No", "meter_id": "Meter", "read_date": "Read Date", "read": "Reading"}


def test_the_last_read_is_never_proposed(tmp_path: Path) -> None:
    text = "Device;Collected;Previous Index;Usage\nM1;7/1/2026;5;1\nM2;7/1/2026;6;2\n"
    proposal = propose_recipe(sample(tmp_path, text))
    assert "read" not in proposal.recipe["columns"]
    assert proposal.doubtful == {"read": ["Previous Index"]}
    with pytest.raises(Refusal) as refused:
        learn_recipe(sample(tmp_path, text))
    assert refused.value.problem.code == "recipe_unusable"


@pytest.mark.parametrize(
    ("texts", "formats"),
    [
        (["07/01/2026", "07/13/2026", "13/07/2026"], ["%m/%d/%Y"]),  # one typing error makes no day-first file
        (["01/07/2026", "13/07/2026", "14/07/2026"], ["%d/%m/%Y"]),
        (["2026-07-01", "7/1/2026"], ["%Y-%m-%d", "%m/%d/%Y"]),
        ([], ["%Y-%m-%d"]),
    ],
)
def test_days_and_months_are_never_both_first(texts: list[str], formats: list[str]) -> None:
    assert _formats(texts) == formats


def test_which_recipes_fit(tmp_path: Path) -> None:
    """Every column must stand in the file; positions fit where the lines are of that length and hold reads."""
    head = "Account,Meter,Read Date,Read,Unit\n008,M9,2026-07-01,6,gal\n"
    recipes = {
        "table": RECIPE,
        "more": RECIPE.model_copy(update={"columns": RECIPE.columns | {"status": "Kind"}}),
        "fixed": FIXED,
    }
    assert fitting_recipes(sample(tmp_path, head), recipes) == ["table"]
    assert fitting_recipes(sample(tmp_path, SOUND), recipes) == ["fixed"]
    assert fitting_recipes(sample(tmp_path, "x" * 24 + "\n"), recipes) == []
