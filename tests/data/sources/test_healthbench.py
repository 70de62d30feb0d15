"""HealthBench: conversations, rubrics whose points may be negative, and one of three files that overlap."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Criterion, Item, Turn
from globmed.data.sources import source
from globmed.data.sources.healthbench import FILE

FIXTURES = Path(__file__).parents[1] / "fixtures" / "healthbench"
ROW: dict[str, Any] = json.loads((FIXTURES / FILE).read_text(encoding="utf-8").splitlines()[0])


def items(path: Path) -> list[Item]:
    return [row for row in source("healthbench").read(path, ["en"], 0) if isinstance(row, Item)]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_the_last_message_is_the_question_and_the_others_are_turns() -> None:
    first, second, third = items(FIXTURES)
    assert first.question == "A sip. What now?"
    assert first.turns == (
        Turn(role="user", text="My toddler drank bleach."),
        Turn(role="assistant", text="How much?"),
    )
    assert second.turns == ()
    assert third.turns[0].role == "system"
    assert [item.subset for item in (first, second, third)] == ["context_seeking", "global_health", "hedging"]
    assert {item.split for item in (first, second, third)} == {"test"}


def test_points_come_with_their_sign_and_tags() -> None:
    first, _, third = items(FIXTURES)
    assert first.rubric == (
        Criterion(text="Says to call poison control", points=9, tags=("level:example", "axis:accuracy")),
        Criterion(text="Says to make the child vomit", points=-8, tags=("level:example",)),
    )
    assert third.rubric[0].points == 7.5


def test_an_ideal_reply_is_the_reference_where_there_is_one() -> None:
    assert [item.reference for item in items(FIXTURES)] == [
        ("Call poison control now; do not make the child vomit.",),
        (),
        (),
    ]


def test_two_of_the_files_are_refused(tmp_path: Path) -> None:
    shutil.copy(FIXTURES / FILE, tmp_path)
    write(tmp_path / "hard_2025-05-08-21-00-10.jsonl", ROW)
    with pytest.raises(InputError, match="expected one of them, for they hold the same conversations"):
        items(tmp_path)
    assert len(items(tmp_path / "hard_2025-05-08-21-00-10.jsonl")) == 1


def test_verdicts_on_replies_are_no_conversations(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"found a file named 2025-05-07-06-14-12_oss_meta_eval\.jsonl"):
        items(write(tmp_path / "2025-05-07-06-14-12_oss_meta_eval.jsonl", ROW))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"prompt": []}, "found no message or without a text; expected one by the user"),
        ({"prompt": ROW["prompt"][:2]}, "found a last message by assistant"),
        ({"prompt": [{"role": "user", "content": " "}]}, "found a last message by user or without a text"),
        ({"prompt": [{"role": "doctor", "content": "Hm."}]}, "found invalid enum value 'doctor'"),
        ({"rubrics": []}, "found no criterion with positive points"),
        ({"rubrics": ROW["rubrics"][1:]}, "found no criterion with positive points"),
        ({"rubrics": [*ROW["rubrics"], {"criterion": "", "points": 1}]}, "found criterion 3 without a text"),
        ({"rubrics": [{"criterion": "Says so", "points": "9"}]}, "found `str` at `$.rubrics[0].points`"),
        ({"prompt_id": ""}, "found an empty prompt_id"),
        ({"example_tags": None}, "found `null` at `$.example_tags`"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path / FILE, ROW, ROW | change)
    with pytest.raises(InputError, match=re.escape(f"{path}:2: {says}")):
        items(path)
