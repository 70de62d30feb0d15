"""PubMedQA: one document, and the file that names its test set."""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "pubmedqa"
MAIN, TRUTH = "ori_pqal.json", "test_ground_truth.json"


def items(path: Path) -> list[Item]:
    return [row for row in source("pubmedqa").read(path, ["en"], 0) if isinstance(row, Item)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES, tmp_path / "data"))


def edit(path: Path, changes: dict[str, Any]) -> None:
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def test_the_abstract_stands_under_its_section_names_and_the_truth_file_decides_the_split() -> None:
    first, second, third = items(FIXTURES)
    assert [item.split for item in (first, second, third)] == ["train", "test", "test"]
    assert [item.answer for item in (first, second, third)] == [(0,), (1,), (2,)]
    assert first.options == ("yes", "no", "maybe")
    assert second.family == "pubmedqa:90000002"
    assert second.context == (
        "OBJECTIVE: To examine serum magnesium on admission and length of stay.\n"
        "RESULTS: In 310 consecutive patients the correlation with length of stay was r=0.01 (p=0.87)."
    )
    assert second.rationale == "Serum magnesium on admission was not associated with the length of stay."
    assert second.provenance.place == f"{FIXTURES / MAIN}: 90000002"
    assert items(FIXTURES / MAIN) == items(FIXTURES.parent / "pubmedqa") == [first, second, third]


def test_without_the_truth_file_it_says_where_that_is(folder: Path) -> None:
    (folder / TRUTH).unlink()
    with pytest.raises(InputError, match=f"found no {TRUTH}; expected it beside {MAIN}.*github.com/pubmedqa"):
        items(folder)


@pytest.mark.parametrize(
    ("truth", "says"),
    [
        ({"1": "no"}, f"{TRUTH}: 1: found a paper that is not in {MAIN}"),
        ({"90000001": "no"}, f"{TRUTH}: 90000001: found 'no'; expected 'yes', as in {MAIN}"),
        ({"90000001": "ja"}, "invalid enum value 'ja'"),
    ],
)
def test_a_truth_file_that_disagrees_is_refused(folder: Path, truth: dict[str, str], says: str) -> None:
    edit(folder / TRUTH, truth)
    with pytest.raises(InputError, match=re.escape(says)):
        items(folder)


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("LABELS", ["RESULTS"], "found 2 CONTEXTS and 1 LABELS"),
        ("CONTEXTS", "text", "found `str` at `$.CONTEXTS`; expected `array`"),
        ("final_decision", "perhaps", "found final_decision 'perhaps'; expected one of yes, no, maybe"),
        ("QUESTION", None, "found `null` at `$.QUESTION`; expected `str`"),
    ],
)
def test_a_broken_paper_stops_with_its_number(folder: Path, field: str, value: object, says: str) -> None:
    papers = json.loads((folder / MAIN).read_text(encoding="utf-8"))
    edit(folder / MAIN, {"90000002": papers["90000002"] | {field: value}})
    with pytest.raises(InputError, match=re.escape(f"{folder / MAIN}: 90000002: ") + ".*" + re.escape(says)):
        items(folder)


def test_a_paper_that_stands_twice_is_refused(folder: Path) -> None:
    path = folder / MAIN
    path.write_text(path.read_text(encoding="utf-8").replace("90000003", "90000002"), encoding="utf-8")
    with pytest.raises(InputError, match="found the key '90000002' twice"):
        items(folder)


def test_two_copies_below_one_folder_are_refused(folder: Path) -> None:
    shutil.copytree(folder, folder / "copy")
    with pytest.raises(InputError, match=r"expected one ori_pqal\.json"):
        items(folder)


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = items(real_data / "pubmedqa")
    assert len({item.family for item in found}) == len(found) == 1000
    assert Counter(item.options[item.answer[0]] for item in found) == {"yes": 552, "no": 338, "maybe": 110}
    truth = json.loads((real_data / "pubmedqa/data/test_ground_truth.json").read_text(encoding="utf-8"))
    assert {item.family for item in found if item.split == "test"} == {f"pubmedqa:{key}" for key in truth}
    assert len(truth) == 500
    assert not any(item.provenance.findings for item in found)
