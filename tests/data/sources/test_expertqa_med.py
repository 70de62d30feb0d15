"""ExpertQA, both sources: joined on stripped text, two names of one field, and every question in one split."""

import json
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.importing import Wanted, import_sources
from globmed.data.sources import Dropped, source

FIXTURES = Path(__file__).parents[1] / "fixtures"
Change = Callable[[list[dict[str, Any]]], object]


def items(path: Path, name: str = "expertqa_med") -> list[Item]:
    return [row for row in source(name).read(path, ["en"], 0) if isinstance(row, Item)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURES / "expertqa_med", tmp_path / "files"))


def rewrite(file: Path, change: Change) -> None:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    change(rows)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def test_questions_of_both_medical_fields_have_their_answers() -> None:
    found = {item.split: item for item in items(FIXTURES / "expertqa_med")}
    assert {split: item.question for split, item in found.items()} == {
        "train": "Does zinc shorten a cold?",
        "dev": "When is oxygen harmful in COPD?",
        "test": "Which reflex tests L4?",
    }
    assert found["train"].reference == ("Perhaps by a day. Take it early, if at all.",)
    assert found["dev"].specialty == "Pulmonology"


def test_one_set_of_files_gives_two_sources() -> None:
    assert [item.question for item in items(FIXTURES / "expertqa_med", "expertqa_bio")] == ["Is the moon a planet?"]
    families = {item.family for item in items(FIXTURES / "expertqa_bio", "expertqa_bio")}
    assert len(families) == 3
    assert all(re.fullmatch("expertqa_bio:[0-9a-f]{16}", family) for family in families)


def test_a_question_without_an_answer_is_dropped_and_counted(folder: Path, tmp_path: Path) -> None:
    rewrite(folder / "lfqa" / "rand_lfqa_test.json", lambda rows: rows.pop(0))
    rows = list(source("expertqa_med").read(folder, ["en"], 0))
    assert [row for row in rows if isinstance(row, Dropped)] == [
        Dropped(place=f"{folder}/r1_data_anon.jsonl:3", language="en", split="train", reason="no answer"),
    ]
    manifest = import_sources([Wanted("expertqa_med", folder)], out=tmp_path / "out")
    assert sum(count.read for count in manifest.counts) == 3
    assert [count.dropped for count in manifest.counts if count.split == "train"] == [{"no answer": 1}]


def test_files_of_the_domain_split_are_left_alone(folder: Path) -> None:
    before = items(folder)
    shutil.copy(folder / "lfqa" / "rand_lfqa_train.json", folder / "lfqa" / "domain_lfqa_test.json")
    assert items(folder) == before


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("lfqa/rand_lfqa_test.json", lambda rows: rows.append(rows[0]), ":3: found the question of "),
        ("lfqa/rand_lfqa_test.json", lambda rows: rows[0].update(question="Unasked?"), ":1: found 'Unasked?', which"),
        ("lfqa/rand_lfqa_test.json", lambda rows: rows[0].update(answer=" "), ":1: found an empty answer"),
        ("lfqa/rand_lfqa_test.json", lambda rows: rows[0].pop("answer"), ":1: found object missing required field"),
        ("lfqa/rand_lfqa_test.json", lambda rows: rows.clear(), ": found no row"),
        ("r1_data_anon.jsonl", lambda rows: rows.append(rows[0]), ":7: found 'Does zinc shorten a cold?' a second"),
        ("r1_data_anon.jsonl", lambda rows: rows[0].update(question=""), ":1: found an empty question"),
        (
            "r1_data_anon.jsonl",
            lambda rows: rows[0].update(metadata={"field": "Medicin"}),
            ":1: found the field 'Medicin'; expected one of ExpertQA's; did you mean 'Medicine'?",
        ),
        ("r1_data_anon.jsonl", lambda rows: rows[0].update(metadata={}), ":1: found object missing required field"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(folder: Path, name: str, change: Change, says: str) -> None:
    rewrite(folder / name, change)
    with pytest.raises(InputError, match=re.escape(f"{folder / name}{says}")):
        items(folder)


def test_a_question_in_two_splits_is_refused(folder: Path) -> None:
    shutil.copy(folder / "lfqa" / "rand_lfqa_train.json", folder / "lfqa" / "rand_lfqa_val.json")
    with pytest.raises(InputError, match=r"rand_lfqa_val.json:1: found the question of .*rand_lfqa_train.json:1"):
        items(folder)


def test_a_missing_split_is_refused(folder: Path) -> None:
    (folder / "lfqa" / "rand_lfqa_val.json").unlink()
    with pytest.raises(InputError, match=r"found files of test, train; expected lfqa/rand_lfqa_\{train,val,test\}"):
        items(folder)


def test_two_copies_are_refused(folder: Path) -> None:
    shutil.copytree(folder, folder / "copy")
    with pytest.raises(InputError, match="expected one copy of the files"):
        items(folder)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "splits", "unanswered"),
    [
        ("expertqa_med", {"train": 405, "dev": 49, "test": 43}, 116),
        ("expertqa_bio", {"train": 78, "dev": 6, "test": 9}, 2),
    ],
)
def test_the_publishers_files(real_data: Path, name: str, splits: dict[str, int], unanswered: int) -> None:
    found = items(real_data / "expertqa", name)
    rows = list(source(name).read(real_data / "expertqa", ["en"], 0))
    assert sum(isinstance(row, Dropped) for row in rows) == unanswered == len(rows) - len(found)
    assert len({item.family for item in found}) == len(found) == sum(splits.values())
    assert Counter(item.split for item in found) == splits
    assert not any(re.search(r"\S [.,;](\s|$)", item.reference[0]) for item in found)
