"""MMLU-Pro: any number of options, in JSON Lines or Parquet."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mmlu_pro"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in (FIXTURES / "test.jsonl").read_text(encoding="utf-8").splitlines()
]


def items(path: Path) -> list[Item]:
    return [row for row in source("mmlu_pro").read(path, ["en"], 0) if isinstance(row, Item)]


def test_rows_become_items() -> None:
    first, second, third = items(FIXTURES)
    assert [len(item.options) for item in (first, second, third)] == [10, 3, 4]
    assert (first.family, first.split, first.specialty) == ("mmlu_pro:90001", "test", "health")
    assert first.options[first.answer[0]] == "Hyperkalaemia"
    assert second.provenance.findings == ()  # Bb, BB and bb are three genotypes


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
        ({"question_id": "90001"}, "found `str` at `$.question_id`; expected `int`"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = tmp_path / "test.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (ROWS[1], ROWS[0] | change)), encoding="utf-8")
    with pytest.raises(InputError, match=re.escape(f"{path}:2: ") + ".*" + re.escape(says)):
        items(path)


@pytest.mark.real
def test_the_publishers_files(real_data: Path) -> None:
    found = items(real_data / "mmlu_pro")
    assert len({item.family for item in found}) == len(found) == 3465
    specialties = Counter(item.specialty for item in found)
    assert specialties == {"health": 818, "biology": 717, "psychology": 798, "chemistry": 1132}
    checks = Counter((one.check, one.severity) for item in found for one in item.provenance.findings)
    assert checks == {("options_few", "block"): 2, ("options_few", "note"): 2}
