"""`globmed data overlap`, as a user runs it."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from globmed.core.item import Item, Provenance, Split
from globmed.core.store import writing_stage

QUESTION = "Which of these drugs is given first to a patient with chest pain who has no allergy at all?"


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Two sources with one question in common, in different splits and with different keys."""
    splits: dict[str, Split] = {"headqa:train:1": "test", "medqa:1": "train"}
    with writing_stage(tmp_path / "import", "import") as writer:
        for number, (family, split) in enumerate(splits.items()):
            source = family.partition(":")[0]
            item = Item(
                family=family,
                language="en",
                kind="mcqa",
                source=source,
                split=split,
                question=QUESTION,
                options=("Aspirin", "Heparin", "Insulin"),
                answer=(number,),
                provenance=Provenance(native_language="en", licence="CC0-1.0"),
            )
            writer.write(f"{source}.en.parquet", [item], Item)
    return tmp_path / "import"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", "data", "overlap", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_people_read_what_is_shared_and_what_is_wrong_with_it(dataset: Path) -> None:
    done = run(dataset, "headqa", "medqa", "--out", dataset.parent / "pairs.parquet")
    assert done.returncode == 0, done.stderr
    # A name between colons is no emoji.
    assert "headqa:train:1" in done.stdout
    assert "keeps it in the most held-out one alone" in done.stdout
    assert "1 have another right answer in medqa than in headqa" in done.stdout
    (row,) = pq.read_table(dataset.parent / "pairs.parquet").to_pylist()
    assert (row["first"], row["second"], row["answers"]) == ("headqa:train:1", "medqa:1", "differ")


def test_machines_read_rows(dataset: Path) -> None:
    (row,) = json.loads(run(dataset, "medqa", "headqa", "--json").stdout)
    assert (row["first"], row["first_split"], row["second_split"]) == ("medqa:1", "train", "test")


def test_an_unknown_source_is_one_line(dataset: Path) -> None:
    done = run(dataset, "medqa", "hedqa")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [f"error: {dataset}: holds no source 'hedqa'; did you mean 'headqa'?"]
