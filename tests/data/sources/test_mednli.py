"""MedNLI: credentialed, so read from a local copy only and never sent or published. Every row here is invented."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.data.importing import Wanted, import_sources
from globmed.data.sources import source

FIXTURES = Path(__file__).parents[1] / "fixtures" / "mednli"
FILE = "mli_dev_v1.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in (FIXTURES / FILE).read_text(encoding="utf-8").splitlines()]


def items(path: Path) -> list[Item]:
    return [row for row in source("mednli").read(path, ["en"], 0) if isinstance(row, Item)]


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_rows_become_items() -> None:
    first, second, third = items(FIXTURES)
    assert [item.options[item.answer[0]] for item in (first, second, third)] == [
        "contradiction",
        "entailment",
        "neutral",
    ]
    assert (first.kind, first.split) == ("nli", "dev")
    assert (first.context, first.question) == (ROWS[0]["sentence1"], ROWS[0]["sentence2"])


def test_hypotheses_on_one_note_are_one_cluster() -> None:
    first, second, third = items(FIXTURES)
    assert first.cluster == second.cluster != third.cluster
    assert len({first.family, second.family, third.family}) == 3


def test_it_stays_on_the_machine() -> None:
    found = source("mednli")
    assert not found.may_leave_machine
    assert not found.may_be_redistributed
    assert found.downloads == ()
    for word in ("https://physionet.org/content/mednli/1.0.0/", "credentialed", "CITI", "data use agreement"):
        assert word in found.obtain
    for item in items(FIXTURES):
        assert not item.provenance.may_leave_machine
        assert not item.provenance.may_be_redistributed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gold_label": "-"}, "found gold_label '-'; expected one of "),
        ({"gold_label": None}, "found `null` at `$.gold_label`"),
        ({"pairID": ""}, "found an empty pairID; expected the pair's own"),
        ({"sentence1": 3}, "found `int` at `$.sentence1`; expected `str`"),
    ],
)
def test_a_broken_row_stops_with_file_and_line(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    path = write(tmp_path / FILE, ROWS[0], ROWS[1] | change)
    with pytest.raises(InputError, match=re.escape(f"{path}:2: ") + ".*" + re.escape(says)):
        items(path)


def test_a_missing_label_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / FILE, {key: value for key, value in ROWS[0].items() if key != "gold_label"})
    with pytest.raises(InputError, match="missing required field `gold_label`"):
        items(path)


def test_an_empty_sentence_is_a_blocking_finding(tmp_path: Path) -> None:
    (item,) = items(write(tmp_path / FILE, ROWS[0] | {"sentence2": " "}))
    assert [(one.check, one.severity, one.field) for one in item.provenance.findings] == [
        ("question_empty", "block", "question")
    ]


def test_the_shared_tasks_file_is_not_taken_for_it(tmp_path: Path) -> None:
    write(tmp_path / "mednli_bionlp_shared_task.jsonl", ROWS[0])
    with pytest.raises(InputError, match=r"expected mli_\{train,dev,test\}_v1\.jsonl.*physionet"):
        items(tmp_path)


def test_two_pairs_with_one_id_are_refused_with_both_places(tmp_path: Path) -> None:
    path = write(tmp_path / FILE, ROWS[0], ROWS[1] | {"pairID": ROWS[0]["pairID"]})
    with pytest.raises(
        InputError, match=re.escape(f"{path}:2: found mednli:") + rf".*, which {re.escape(str(path))}:1 "
    ):
        import_sources([Wanted("mednli", path)], out=tmp_path / "out")
