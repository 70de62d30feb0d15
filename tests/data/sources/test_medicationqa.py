"""MedicationQA: an Excel file, questions that stand several times, and answers that say there is none."""

import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, source
from globmed.data.sources.medicationqa import FILE

FIXTURES = Path(__file__).parents[1] / "fixtures" / "medicationqa"
HEADER = ("Question", "Focus (Drug)", "Question Type", "Answer", "Section Title", "URL")
ROW = ("can i crush metformin", "metformin", "Usage", "Swallow it whole.", "How to use", "https://example.org")
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="r1" Type="{_LINKS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def write_sheet(path: Path, *rows: Sequence[str], sheet: str = "DrugQA") -> Path:
    """Write the smallest Excel file that holds a sheet of texts."""
    book = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_LINKS}"><sheets><sheet name="{sheet}" sheetId="1" r:id="r1"/></sheets>'
    )
    cells = "".join(
        f'<row r="{number}">'
        + "".join(
            f'<c r="{"ABCDEFGH"[column]}{number}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'
            for column, text in enumerate(row)
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )
    parts = _PARTS | {
        "xl/workbook.xml": f"{book}</workbook>",
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{cells}</sheetData></worksheet>',
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return path


def rows_of(path: Path) -> list[Item | Dropped]:
    return list(source("medicationqa").read(path, ["en"], 0))


def test_rows_become_items() -> None:
    first, second, third = (row for row in rows_of(FIXTURES) if isinstance(row, Item))
    assert first.question == "can i crush metformin"
    assert first.reference == ("Extended-release tablets must be swallowed whole.",)
    assert (first.subset, first.split, first.provenance.place) == ("Usage", "test", f"{FIXTURES / FILE}: row 2")
    assert not first.provenance.may_be_redistributed
    assert first.cluster == second.cluster != third.cluster
    assert first.family != second.family


def test_the_order_of_columns_changes_nothing(tmp_path: Path) -> None:
    turned = write_sheet(tmp_path / FILE, HEADER[::-1], ROW[::-1])
    (item,) = rows_of(turned)
    assert isinstance(item, Item)
    assert (item.question, item.reference) == (ROW[0], (ROW[3],))


@pytest.mark.parametrize("nothing", ["No answers", "Unanswerable", " n/a "])
def test_an_answer_that_says_there_is_none_gives_no_item(tmp_path: Path, nothing: str) -> None:
    path = write_sheet(tmp_path / FILE, HEADER, ROW, (*ROW[:3], nothing, *ROW[4:]))
    assert rows_of(path)[1] == Dropped(place=f"{path}: row 3", language="en", split="test", reason="no answer")


def test_a_row_that_stands_twice_gives_one_item(tmp_path: Path) -> None:
    first, second = rows_of(write_sheet(tmp_path / FILE, HEADER, ROW, ROW))
    assert isinstance(first, Item)
    assert isinstance(second, Dropped)
    assert second.reason == "stands twice"


@pytest.mark.parametrize(
    ("rows", "sheet", "says"),
    [
        ([], "DrugQA", ": row 1: found the columns of an empty sheet; expected 'Question' once among them"),
        ([HEADER], "DrugQA", ": found no row"),
        ([HEADER[:3], ROW[:3]], "DrugQA", ": row 1: found the columns Question, Focus (Drug), Question Type; expected"),
        ([HEADER, ("", *ROW[1:])], "DrugQA", ": row 2: found '' under 'Question'; expected a text"),
        ([HEADER, ROW], "Sheet1", ": found the sheets Sheet1; expected 'DrugQA' among them"),
    ],
)
def test_a_broken_sheet_is_refused(tmp_path: Path, rows: list[Sequence[str]], sheet: str, says: str) -> None:
    path = write_sheet(tmp_path / FILE, *rows, sheet=sheet)
    with pytest.raises(InputError, match=re.escape(f"{path}{says}")):
        rows_of(path)


@pytest.mark.parametrize("kept", [0, 1, 100, 400, -1])
def test_a_file_cut_off_is_refused(tmp_path: Path, kept: int) -> None:
    path = tmp_path / FILE
    path.write_bytes((FIXTURES / FILE).read_bytes()[:kept])
    with pytest.raises(InputError, match=re.escape(f"{path}: found a broken Excel file (")) as raised:
        rows_of(path)
    assert "\n" not in str(raised.value)


@pytest.mark.real
def test_the_publishers_file(real_data: Path) -> None:
    rows = rows_of(real_data / "medicationqa")
    found = [row for row in rows if isinstance(row, Item)]
    assert len(rows) == 690
    assert len({item.family for item in found}) == len(found) == 676
    assert len({item.cluster for item in found}) == 638
    assert sorted(row.reason for row in rows if isinstance(row, Dropped)) == ["no answer"] * 13 + ["stands twice"]
