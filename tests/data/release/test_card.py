"""The card: `datasets` and DuckDB open a release by it, nested columns too; its numbers are those of the items."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from globmed.core.item import Item, Provenance
from globmed.core.store import read_manifest
from globmed.data.release import About, Choice, release_dataset
from globmed.data.release.dataset import attributes
from globmed.data.release.licences import address, hub_name

ABOUT = {"s": About(title="Source | S", url="https://example.org/s", citation="S et al. 2020", terms="cite it")}
MakeStage = Callable[..., Path]


@pytest.fixture
def release(tmp_path: Path, stage: MakeStage, rich: list[Item]) -> Path:
    choice = Choice(name="my-med", version="1.2.0")
    release_dataset(stage(tmp_path, *rich), out=tmp_path, choice=choice, about=ABOUT)
    return tmp_path / "release"


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The library, with a cache of its own and no network."""
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    datasets.disable_progress_bars()
    yield datasets
    datasets.enable_progress_bars()


def front_matter(release: Path) -> dict[str, Any]:
    from huggingface_hub import DatasetCard

    found: dict[str, Any] = DatasetCard.load(release / "README.md").data.to_dict()
    return found


def test_datasets_opens_a_language_and_a_split(release: Path, datasets: Any, rich: list[Item]) -> None:
    swahili = datasets.load_dataset(str(release), "sw")
    assert {split: len(rows) for split, rows in swahili.items()} == {"train": 1, "test": 1}
    test = datasets.load_dataset(str(release), "sw", split="test")
    assert msgspec.convert(test[0], Item) == rich[1]
    assert test[0]["provenance"]["steps"][0]["cost_usd"] == 0.25
    assert test[0]["provenance"]["review"][0]["overruled"] == ["numbers"]
    spanish = datasets.load_dataset(str(release), "es")
    assert msgspec.convert(spanish["dev"][0], Item) == rich[4]
    assert datasets.get_dataset_config_names(str(release)) == ["es", "sw", "yo"]


def test_duckdb_opens_every_file_and_its_nested_columns(release: Path) -> None:
    columns = "family, language, len(provenance.findings), provenance.steps[1].model, rubric[1].points, turns[1].text"
    database = duckdb.connect()
    found = database.execute(f"SELECT {columns} FROM '{release}/*.parquet' ORDER BY ALL").fetchall()
    assert found[1] == ("s:1", "sw", 2, "some/model", None, None)
    assert found[4] == ("t:1", "es", 0, None, -2.5, "Hola")
    unnested = f"SELECT unnest(provenance.findings) AS finding FROM '{release}/s.sw.*.parquet'"
    found = database.execute(f"SELECT finding.severity, finding.message FROM ({unnested}) ORDER BY 1").fetchall()
    assert found == [("note", "long"), ("review", "5 | 50")]


def test_the_front_matter_is_what_the_hub_reads(release: Path) -> None:
    facts = front_matter(release)
    assert facts["pretty_name"] == "my-med 1.2.0"
    assert facts["language"] == ["es", "sw", "yo"]
    assert facts["license"] == "other"
    assert facts["task_categories"] == ["multiple-choice", "question-answering"]
    assert facts["size_categories"] == ["n<1K"]
    assert [one["config_name"] for one in facts["configs"]] == ["es", "sw", "yo"]
    splits = {
        one["config_name"]: {s["name"]: s["num_examples"] for s in one["splits"]} for one in facts["dataset_info"]
    }
    assert splits == {"es": {"train": 1, "dev": 1, "test": 1}, "sw": {"train": 1, "test": 1}, "yo": {"dev": 1}}


def test_the_numbers_of_the_card_are_those_of_the_items(release: Path) -> None:
    card = (release / "README.md").read_text(encoding="utf-8")
    assert "Medical questions in 3 languages: 6 items, which are 4 questions from 2 sources" in card
    assert "They include 2 machine translations; 1 person gave verdicts on 1." in card
    assert "4 questions make 3 clusters" in card
    assert "| Kiswahili (Swahili) | sw | 1 | 0 | 1 | 0 | 2 | 0 | 1 |" in card
    assert "| **Together** |  | 2 | 2 | 2 | 4 | 2 | 0 | 1 |" in card
    assert "| Source \\| S (`s`) | licence of the publisher | cite it | https://example.org/s | S et al. 2020 |" in card
    assert "| t | 1 | 0 | 1 | 2 |" in card
    assert "| length | note | 0 | 1 | 0 |" in card
    assert "| numbers |" not in card  # a reviewer overruled it
    assert "| Kiswahili (Swahili) | some/model | 2 |" in card
    assert "Nothing: every item" in card
    assert "$" not in card.split("## Columns")[0]


def test_the_template_of_the_card_has_no_number_of_a_dataset() -> None:
    from importlib.resources import files

    template = files("globmed.data.release").joinpath("card.md").read_text(encoding="utf-8")
    assert re.findall(r"\d+", template.replace("SHA-256", "")) == []


def test_the_manifest_has_the_hash_of_the_card_too(release: Path) -> None:
    files = read_manifest(release).files
    assert {"README.md", "croissant.json"} < set(files)
    assert json.loads((release / "manifest.json").read_text(encoding="utf-8"))["configuration"]["version"] == "1.2.0"


@pytest.mark.parametrize("record", [Item, Provenance])
def test_every_column_is_described(record: type[msgspec.Struct]) -> None:
    described = attributes(record)
    assert set(described) == set(record.__struct_fields__)
    assert all(described.values())


def test_one_licence_for_all_is_named_and_a_mixture_is_not() -> None:
    assert hub_name(["CC BY 4.0", "cc-by-4.0"]) == "cc-by-4.0"
    assert hub_name(["MIT"]) == "mit"
    assert hub_name(["MIT", "Apache-2.0"]) == hub_name(["none stated"]) == "other"
    assert address("Apache-2.0") == "https://spdx.org/licenses/Apache-2.0.html"
    assert address("Ministry of Health, re-use terms") == "Ministry of Health, re-use terms"
