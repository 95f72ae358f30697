"""The rate study's template: made the same each time, the committed one, clean in Excel."""

from __future__ import annotations

import zipfile
from pathlib import Path

import openpyxl
import pytest
from openxml_audit import OpenXmlValidator

from xlbilling.maker.study_template import STUDY, build_study_template
from xlbilling.papers.study import STUDY_TABLES

COMMITTED = Path(__file__).resolve().parents[2] / "templates" / STUDY


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    build_study_template(folder)
    return folder / STUDY


def test_built_twice_the_bytes_are_the_same(made: Path, tmp_path: Path) -> None:
    build_study_template(tmp_path)
    assert (tmp_path / STUDY).read_bytes() == made.read_bytes()


def test_the_committed_template_is_what_the_source_builds(made: Path) -> None:
    def parts(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as package:
            return {name: package.read(name) for name in package.namelist()}

    assert parts(COMMITTED) == parts(made)


def test_excel_is_expected_to_open_it_cleanly(made: Path) -> None:
    assert OpenXmlValidator().validate(str(made)).is_valid


def test_every_table_has_its_sheet(made: Path) -> None:
    book = openpyxl.load_workbook(made)
    assert book.sheetnames == ["Summary", *(table.sheet.name for table in STUDY_TABLES)]
    for table in STUDY_TABLES:
        (drawn,) = book[table.sheet.name].tables.values()
        assert [column.name for column in drawn.tableColumns] == list(table.titles.values())
    assert len(book["Summary"]._charts) == len(book["Deciles"]._charts) == 2
