"""Croissant metadata: mlcroissant finds it valid and reads the items by it."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from globmed.core.item import Item
from globmed.core.store import read_manifest
from globmed.data.release import About, Choice, release_dataset

# mlcroissant reads JSON-LD by rdflib and tables by pandas, both in ways that those warn of.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*ConjunctiveGraph.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index"),
]

CHOICE = Choice(
    name="my-med", version="1.2.0", url="https://example.org/my-med", creator="A research group", day="2026-11-22"
)


@pytest.fixture
def release(tmp_path: Path, stage: Callable[..., Path], rich: list[Item]) -> Path:
    about = {"s": About(title="Source S", citation="S et al. 2020")}
    release_dataset(stage(tmp_path, *rich), out=tmp_path, choice=CHOICE, about=about)
    return tmp_path / "release"


@pytest.fixture
def croissant(release: Path) -> Any:
    mlcroissant = pytest.importorskip("mlcroissant")
    return mlcroissant.Dataset(release / "croissant.json")


def text(value: bytes) -> str:
    """mlcroissant gives texts as UTF-8."""
    return value.decode()


def test_mlcroissant_finds_nothing_to_object_to(croissant: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert croissant.metadata.ctx.issues.errors == set()
        assert croissant.metadata.ctx.issues.warnings == set()
    assert croissant.metadata.name == "my-med"
    assert croissant.metadata.version == "1.2.0"
    assert {one.id for one in croissant.metadata.record_sets} == {"es", "sw", "yo"}


def test_mlcroissant_reads_the_items(croissant: Any, rich: list[Item]) -> None:
    records = {text(record["sw/family"]): record for record in croissant.records("sw")}
    assert set(records) == {"s:1", "s:2"}
    first, item = records["s:1"], rich[1]
    assert text(first["sw/question"]) == item.question
    assert tuple(map(text, first["sw/options"])) == item.options
    assert tuple(first["sw/answer"]) == item.answer
    assert text(first["sw/provenance"]["sw/provenance/model"]) == "some/model"
    (spanish,) = [one for one in croissant.records("es") if text(one["es/family"]) == "t:1"]
    assert [turn["es/turns/text"] for turn in spanish["es/turns"]] == [b"Hola"]
    assert [one["es/rubric/points"] for one in spanish["es/rubric"]] == [-2.5]


def test_the_files_have_their_hashes_and_the_fields_their_meaning(release: Path) -> None:
    described = json.loads((release / "croissant.json").read_text(encoding="utf-8"))
    hashed = {one["name"]: one["sha256"] for one in described["distribution"] if one["@type"] == "cr:FileObject"}
    files = read_manifest(release).files
    assert hashed == {name: entry.sha256 for name, entry in files.items() if name.endswith(".parquet")}
    assert all(field["description"] for field in described["recordSet"][0]["field"])
    assert {field["name"] for field in described["recordSet"][0]["field"]} == set(Item.__struct_fields__)


def test_the_responsible_ai_fields_say_what_the_items_say(croissant: Any) -> None:
    about = croissant.metadata
    assert "the language they were written in: 4; machine translations: 2" in about.data_collection
    assert about.machine_annotation_tools == ["some/model: translated 2 items"]
    assert about.data_annotation_protocol == [
        "People rated accuracy, fluency and completeness from 1 to 5. Items reviewed: Kiswahili (Swahili) 1."
    ]
    assert any("4 questions in 3 clusters" in said for said in about.data_preprocessing_protocol)
    assert any("ES 1; not known: 5" in said for said in about.data_biases)
    assert len(about.data_limitations) == 3
    assert len(about.data_use_cases) == 3
    assert any("names the reviewers" in said for said in about.personal_sensitive_information)
    assert "version 1.2.0" in about.data_release_maintenance_plan


def test_without_a_day_only_that_is_missed(tmp_path: Path, stage: Callable[..., Path], rich: list[Item]) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    release_dataset(stage(tmp_path, *rich[:1]), out=tmp_path)
    opened = mlcroissant.Dataset(tmp_path / "release/croissant.json")
    missed = {str(warning) for warning in opened.metadata.ctx.issues.warnings}
    assert len(missed) == 1
    assert "datePublished" in missed.pop()
