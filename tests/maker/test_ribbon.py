"""The ribbon's XML, its place in the workbook, and the VBA that its buttons and the functions call."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st
from openxml_audit import OpenXmlValidator

from xlbilling.maker.callbacks import callbacks_module
from xlbilling.maker.functions import (
    WORKBOOK_OPEN,
    Argument,
    Function,
    embedded_xlwings,
    functions_module,
)
from xlbilling.maker.ribbon import NAMESPACE, PART, Button, Group, callback, inject_ribbon, ribbon_xml
from xlbilling.maker.vba import vba_project

GROUPS = [Group("Reads", "Readings"), Group("Empty", "Nothing here"), Group("Bills", "Bills & more")]
IMPORT = Button("import_reads", "Import reads", "Reads", "R", "TableImport", 'Reads a file <any format> & says "done"')
POST = Button("post", "Post", "Bills", "P1", "FileSave", size="normal")
WATER = Function(
    "WATER_BILL",
    "xlbilling.udfs",
    "water_bill",
    (Argument("consumption", 'Units used, "billed"'), Argument("meter_size", "Inches", optional=True)),
    "The bill.",
    is_array=True,
)


def test_ribbon_has_groups_and_buttons_in_order() -> None:
    root = ElementTree.fromstring(ribbon_xml("Billing", GROUPS, [POST, IMPORT]))
    groups = list(root.iter(f"{{{NAMESPACE}}}group"))
    assert [group.get("label") for group in groups] == ["Readings", "Bills & more"]
    button = groups[0][0]
    assert button.attrib == {
        "id": "btn_import_reads",
        "label": "Import reads",
        "size": "large",
        "imageMso": "TableImport",
        "onAction": "OnImportReads",
        "keytip": "R",
        "screentip": "Import reads",
        "supertip": 'Reads a file <any format> & says "done"',
    }
    assert "supertip" not in groups[1][0].attrib


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]) | st.sampled_from("&<>\"'"), min_size=1))
def test_any_words_reach_the_screen_as_they_are(words: str) -> None:
    root = ElementTree.fromstring(ribbon_xml("Billing", GROUPS, [replace(IMPORT, label=words, supertip=words[:1024])]))
    button = next(root.iter(f"{{{NAMESPACE}}}button"))
    assert (button.get("label"), button.get("supertip")) == (words, words[:1024])


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(POST, keytip="R"), "hides"),
        (replace(POST, keytip="R1"), "hides"),
        (replace(POST, keytip="ABCD"), "KeyTip"),
        (replace(POST, group="Nowhere"), "no group"),
        (replace(POST, id="import_reads"), "used twice"),
        (replace(POST, id="9"), "used twice or is not"),
        (replace(POST, image=""), "picture"),
        (replace(POST, supertip="x" * 1025), "tip"),
    ],
)
def test_buttons_that_office_would_drop_are_refused(wrong: Button, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ribbon_xml("Billing", GROUPS, [IMPORT, wrong])


def workbook(path: Path) -> bytes:
    book = xlsxwriter.Workbook(str(path))
    project = vba_project([callbacks_module([IMPORT, POST]), functions_module([WATER])], ["Sheet1"], WORKBOOK_OPEN)
    book.add_vba_project(io.BytesIO(project), is_stream=True)
    book.set_vba_name("ThisWorkbook")
    book.add_worksheet("Start").set_vba_name("Sheet1")
    book.close()
    return path.read_bytes()


def test_ribbon_goes_into_the_workbook_and_replaces_itself(tmp_path: Path) -> None:
    plain = workbook(tmp_path / "plain.xlsm")
    xml = ribbon_xml("Billing", GROUPS, [IMPORT, POST])
    made = inject_ribbon(plain, xml)
    assert made == inject_ribbon(tmp_path / "plain.xlsm", xml)
    assert inject_ribbon(inject_ribbon(plain, b"<old/>"), xml) == made
    before, after = zipfile.ZipFile(io.BytesIO(plain)), zipfile.ZipFile(io.BytesIO(made))
    assert set(after.namelist()) - set(before.namelist()) == {PART}
    assert [n for n in before.namelist() if before.read(n) != after.read(n)] == ["_rels/.rels"]
    path = tmp_path / "made.xlsm"
    path.write_bytes(made)
    result = OpenXmlValidator().validate(str(path))
    assert result.is_valid, [str(error) for error in result.errors]
    again = tmp_path / "again.xlsm"
    openpyxl.load_workbook(path, keep_vba=True).save(again)
    assert PART in zipfile.ZipFile(again).namelist()
    assert b"ui/extensibility" in zipfile.ZipFile(again).read("_rels/.rels")


def test_callbacks_hand_the_button_to_python() -> None:
    text = callbacks_module([IMPORT, POST]).text
    assert text.startswith("Option Explicit\n")
    assert callback("import_reads") == "OnImportReads"
    assert (
        "Public Sub OnImportReads(control As IRibbonControl)\n"
        "    RunPython \"import xlbilling.macros; xlbilling.macros.press('import_reads')\"\nEnd Sub\n"
    ) in text


def test_functions_return_errors_and_are_described() -> None:
    text = functions_module([WATER]).text
    assert "Public Function WATER_BILL(consumption, Optional meter_size)" in text
    assert 'XLPy.CallUDF("xlbilling.udfs", "water_bill", Array(consumption, meter_size), _' in text
    assert "WATER_BILL = CVErr(xlErrValue)" in text
    assert "Err.Description" not in text
    assert '"Units used, ""billed"""' in text


@pytest.mark.parametrize(
    "wrong",
    [
        replace(WATER, name="A1"),
        replace(WATER, name="1st"),
        replace(WATER, help="x" * 256),
        replace(WATER, help=""),
        replace(WATER, args=(Argument("a", "a", optional=True), Argument("b", "b"))),
    ],
)
def test_functions_that_excel_would_not_take_are_refused(wrong: Function) -> None:
    with pytest.raises(ValueError, match=wrong.name):
        functions_module([wrong])


def test_embedded_runtime_keeps_its_licences() -> None:
    runtime, dictionary = embedded_xlwings()
    assert "Redistributions of source code must retain" in runtime.text
    assert "Tim Hall" in dictionary.text
    assert dictionary.kind == "class"
