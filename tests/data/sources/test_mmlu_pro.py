"""MMLU-Pro: any number of options, in JSON Lines or Parquet; medical questions told by `src`."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import Dropped, source
from globmed.data.sources.mmlu_pro import MEDICAL

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mmlu_pro"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (FIXTURES / "test.jsonl").read_text(encoding="utf-8").splitlines()
]


def rows_of(path: Path) -> list[Item | Dropped]:
    return list(source("mmlu_pro").read(path, ["en"], 0))


def items(path: Path) -> list[Item]:
    return [row for row in rows_of(path) if isinstance(row, Item)]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_become_items() -> None:
    first, second, third = items(FIXTURES)
    assert [len(item.options) for item in (first, second, third)] == [10, 3, 4]
    assert (first.family, first.split, first.specialty) == ("mmlu_pro:90001", "test", "health")
    assert first.options[first.answer[0]] == "Hyperkalaemia"
    assert [item.subset for item in (first, second, third)] == [row["src"] for row in ROWS]
    assert second.provenance.findings == ()  # Bb, BB and bb are three genotypes


def test_what_is_not_medical_is_dropped_by_its_src_and_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "test.jsonl", ROWS[0] | {"src": "stemez-Genetics"}, ROWS[1], ROWS[2] | {"src": ""})
    reason = {"language": "en", "split": "test", "reason": "not medical"}
    first, second, third = rows_of(path)
    assert first == Dropped(place=f"{path}:1", **reason)  # type: ignore[arg-type]
    assert isinstance(second, Item)
    assert third == Dropped(place=f"{path}:3", **reason)  # type: ignore[arg-type]


@pytest.mark.parametrize("src", sorted(MEDICAL))
def test_every_medical_src_is_kept(tmp_path: Path, src: str) -> None:
    (item,) = items(write(tmp_path / "validation.jsonl", ROWS[0] | {"src": src}))
    assert (item.subset, item.split) == (src, "dev")


def test_parquet_gives_the_same_items(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    for name, split in (("test-00000-of-00001.parquet", "test"), ("validation-00000-of-00001.parquet", "dev")):
        path = tmp_path / name
        pq.write_table(pa.Table.from_pylist(ROWS), path)
        expected = [(item.family, item.options, item.answer) for item in items(FIXTURES)]
        assert [(item.family, item.options, item.answer) for item in items(path)] == expected
        assert {item.split for item in items(path)} == {split}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"answer_index": 10, "answer": "K"}, "found answer_index 10; expected 0 to 9"),
        ({"answer_index": -1}, "found answer_index -1"),
        ({"answer": "A"}, "found answer 'A' and answer_index 2; expected the letter of that index, 'C'"),
        ({"options": []}, "found answer_index 2"),
        ({"src": None}, "found `null` at `$.src`; expected `str`"),
        ({"src": "law", "answer": "A"}, "found answer 'A' and answer_index 2"),
        ({"question_id": "90001"}, "found `str` at `$.question_id`; expected `int`"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path / "test.jsonl", ROWS[1], ROWS[0] | change)
    with pytest.raises(InputError, match=re.escape(f"{path}:2: ") + ".*" + re.escape(says)):
        items(path)


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    rows = rows_of(real_data / "mmlu_pro")
    found = [row for row in rows if isinstance(row, Item)]
    assert len({item.family for item in found}) == len(found) == 1142
    assert Counter(item.specialty for item in found) == {"health": 818, "psychology": 324}
    assert {item.subset for item in found} == MEDICAL
    assert Counter(row.reason for row in rows if isinstance(row, Dropped)) == {"not medical": 3465 - 1142}
    assert sum(len(item.options) < 10 for item in found if item.specialty == "health") == 220
    checks = Counter((one.check, one.severity) for item in found for one in item.provenance.findings)
    assert checks == {("options_few", "note"): 1}
