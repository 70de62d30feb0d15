"""MedQA: rows without ids, in two variants of which a release holds one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "medqa"
FOUR = "phrases_no_exclude_test.jsonl"
ROW: dict[str, Any] = json.loads((FIXTURES / FOUR).read_text(encoding="utf-8").splitlines()[0])


def items(path: Path) -> list[Item]:
    return [row for row in source("medqa").read(path, ["en"], 0) if isinstance(row, Item)]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_become_items() -> None:
    first, second, third = items(FIXTURES)
    assert [item.answer for item in (first, second, third)] == [(1,), (0,), (3,)]
    assert first.options[1] == "Right coronary artery"
    assert (first.split, first.region, first.language) == ("test", "US", "en")
    assert re.fullmatch("medqa:[0-9a-f]{16}", first.family)
    assert third.provenance.place == f"{FIXTURES / FOUR}:3"


def test_the_five_option_variant_is_another_question(tmp_path: Path) -> None:
    five = write(tmp_path / "test.jsonl", ROW | {"options": ROW["options"] | {"E": "Sinoatrial nodal artery"}})
    (item,) = items(five)
    assert len(item.options) == 5
    assert item.family != items(FIXTURES)[0].family


def test_a_folder_with_both_variants_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "train.jsonl", ROW)
    (tmp_path / "4_options").mkdir()
    write(tmp_path / "4_options" / FOUR, ROW)
    with pytest.raises(InputError, match=r"found both the five-option variant .*Name a single file"):
        items(tmp_path)
    assert len(items(tmp_path / "4_options")) == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"answer": "Aorta"}, "found answer 'Aorta'; expected the text of option B, 'Right coronary artery'"),
        ({"answer_idx": "E"}, "found answer_idx 'E'; expected one of A, B, C, D"),
        ({"options": {"A": "a", "C": "c"}}, "found options A, C; expected letters from A on, in order"),
        ({"options": {}}, "found answer_idx 'B'"),
        ({"meta_info": "\u5fc3\u5185\u79d1"}, "expected one of step1, step2&3"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path / FOUR, ROW, ROW | change)
    with pytest.raises(InputError, match=re.escape(f"{path}:2: ") + ".*" + re.escape(says)):
        items(path)


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = items(real_data / "medqa")
    assert len({item.family for item in found}) == len(found) == 1273
    assert {item.split for item in found} == {"test"}
    assert {len(item.options) for item in found} == {4}
