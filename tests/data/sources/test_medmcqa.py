"""MedMCQA: two numberings of the answer, answers withheld, and ids that are none."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "medmcqa"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (FIXTURES / "dev.json").read_text(encoding="utf-8").splitlines()
]


def rows_of(path: Path) -> list[Item | Dropped]:
    return list(source("medmcqa").read(path, ["en"], 0))


def items(path: Path) -> list[Item]:
    return [row for row in rows_of(path) if isinstance(row, Item)]


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def numbered(cops: list[Any]) -> list[dict[str, Any]]:
    return [ROWS[0] | {"id": f"row-{number}", "cop": cop} for number, cop in enumerate(cops)]


def test_rows_become_items() -> None:
    first, second, third = items(FIXTURES)
    assert [item.options[item.answer[0]] for item in (first, second, third)] == [
        "Axillary nerve",
        "Ethosuximide",
        "Measles",
    ]
    assert (first.family, first.split) == ("medmcqa:5b0f5f6a-0001-4c1d-8a55-0c7f6f1f0a01", "dev")
    assert (first.specialty, first.region) == ("Anatomy", "IN")
    assert (second.rationale, third.rationale[:11]) == ("", "White spots")


@given(answers=st.lists(st.integers(0, 3), min_size=1, max_size=6).map(lambda drawn: [*drawn, 0, 3]))
def test_both_numberings_give_the_same_answers(tmp_path_factory: pytest.TempPathFactory, answers: list[int]) -> None:
    folder = tmp_path_factory.mktemp("cop")
    publisher = items(write(folder / "dev.json", numbered([answer + 1 for answer in answers])))
    hub = items(write(folder / "validation.jsonl", numbered(answers)))
    assert [item.answer for item in publisher] == [item.answer for item in hub] == [(answer,) for answer in answers]


def test_the_hubs_parquet_is_read(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [row | {"cop": row["cop"] - 1} for row in ROWS]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "validation-00000-of-00001.parquet")
    assert [item.answer for item in items(tmp_path)] == [item.answer for item in items(FIXTURES)]


@pytest.mark.parametrize(
    ("cops", "says"),
    [
        ([1, 2, 3], "dev.json: cop: found neither; expected a 4 .* or a 0 .*whole file"),
        ([0, 4], r"found both, in .*dev\.json:1 and .*dev\.json:2"),
        ([1, 5, 4], r"dev\.json:2: found cop 5; expected 1 to 4"),
        ([1, -2, 4], r"dev\.json:2: found cop -2; expected 1 to 4"),
        ([4, "1"], r"dev\.json:2: found `str` at `\$\.cop`"),
    ],
)
def test_a_numbering_that_cannot_be_told_is_refused(tmp_path: Path, cops: list[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        items(write(tmp_path / "dev.json", numbered(cops)))


def test_rows_whose_answer_is_withheld_are_dropped_with_that_reason(tmp_path: Path) -> None:
    rows = numbered([-1, None, 4])
    rows.append({key: value for key, value in ROWS[1].items() if key != "cop"})
    path = write(tmp_path / "test.json", rows)
    found = rows_of(path)
    assert [row.reason if isinstance(row, Dropped) else row.answer for row in found] == [
        "answer withheld",
        "answer withheld",
        (3,),
        "answer withheld",
    ]
    assert found[3] == Dropped(place=f"{path}:4", language="en", split="test", reason="answer withheld")
    assert all(isinstance(row, Dropped) for row in rows_of(write(path, numbered([-1, -1]))))


def test_one_id_for_all_rows_is_no_key(tmp_path: Path) -> None:
    shared = write(tmp_path / "dev.json", [row | {"id": "seed_task_9999"} for row in ROWS])
    families = {item.family for item in items(shared)}
    assert len(families) == 3
    assert all(re.fullmatch("medmcqa:[0-9a-f]{16}", family) for family in families)
    assert families == {item.family for item in items(write(shared, [row | {"id": "x"} for row in ROWS[::-1]]))}


def test_an_id_of_some_rows_is_bad_input(tmp_path: Path) -> None:
    rows = [ROWS[0], ROWS[1], ROWS[2] | {"id": ROWS[0]["id"]}]
    with pytest.raises(InputError, match=r"dev\.json:3: found id '5b0f.*', which .*dev\.json:1 has as well"):
        items(write(tmp_path / "dev.json", rows))


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = items(real_data / "medmcqa")
    assert len({item.family for item in found}) == len(found) == 4183
    checks = Counter((one.check, one.severity) for item in found for one in item.provenance.findings)
    assert checks == {("options_identical", "block"): 4, ("options_identical", "review"): 17}
    assert Counter(item.answer[0] for item in found) == {0: 1348, 1: 1085, 2: 927, 3: 823}
